/* The font that pictures are written in: code points, widths, outlines. */
#ifndef BPI_FONT_H
#define BPI_FONT_H

#include "draw/scene.h"

/** The code point at *s, which is moved past it; 0 at the end. s is valid UTF-8. */
uint32_t bpi_next_code(const char **s);
/** Advance in units of the size. */
double bpi_glyph_advance(uint32_t code, unsigned style);

/** What receives an outline: contours of quadratic curves, y upwards from the baseline, in units of the size. */
typedef struct bpi_outline_sink {
  void *user;
  void (*move)(void *user, bpi_point to);
  void (*line)(void *user, bpi_point to);
  void (*quad)(void *user, bpi_point control, bpi_point to);
} bpi_outline_sink;
/** Gives the outline of a glyph, sheared where style says italic; false where the font has none (a box is drawn for it then). */
bool bpi_glyph_outline(uint32_t code, unsigned style, const bpi_outline_sink *sink);

#endif
