/* Lines and curves as straight pieces, in pixels; and filling what they enclose. */
#ifndef BPI_POLYGON_H
#define BPI_POLYGON_H

#include "draw/scene.h"

/** A corner; the first of a line begins it. */
typedef struct bpi_knot {
  double x, y;
  bool begins;
  bool closed; /* of the first: the line ends where it began */
} bpi_knot;

/** Lines one after another. Filled, each closes by itself. */
typedef struct bpi_lines {
  bp_ctx *ctx;
  bpi_knot *knot;
  size_t n, cap;
  size_t first; /* of the line in hand */
  bool failed;  /* out of memory: later calls do nothing */
} bpi_lines;

void bpi_lines_init(bpi_lines *l, bp_ctx *ctx);
void bpi_lines_free(bpi_lines *l);
/* Empty again; memory is kept. */
void bpi_lines_clear(bpi_lines *l);
void bpi_move_to(bpi_lines *l, bpi_point to);
void bpi_line_to(bpi_lines *l, bpi_point to);
void bpi_quad_to(bpi_lines *l, bpi_point control, bpi_point to);
void bpi_cubic_to(bpi_lines *l, bpi_point control, bpi_point control2, bpi_point to);
void bpi_close(bpi_lines *l);
/** Adds to `out` polygons that cover the lines at a width: joins round, ends straight. dash: lengths on and off in turn, n of them, an
 *  even number; 0: solid. */
void bpi_stroke(const bpi_lines *l, double width, const double *dash, int n_dash, bpi_lines *out);

/** Pixels, rows from the top, 3 bytes each. */
typedef struct bpi_pixels {
  int width, height;
  unsigned char *rgb;
} bpi_pixels;

/** Fills by the non-zero rule, blending at edges by the share of a pixel that is covered. */
bp_status bpi_fill_lines(const bpi_lines *l, bpi_pixels *to, uint32_t colour);

/** The picture as pixels; rgb is freed with bpi_free. BP_E_LIMIT: over 2^28 pixels. */
bp_status bpi_paint(const bp_picture *p, bool dark, double scale, bpi_pixels *to);

#endif
