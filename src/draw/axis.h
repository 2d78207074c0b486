/* Axes: from values to places, ticks at round numbers, and the frame that curves are drawn in. */
#ifndef BPI_AXIS_H
#define BPI_AXIS_H

#include "draw/scene.h"

enum { BPI_MOST_TICKS = 64, BPI_TICK_TEXT = 40 };

typedef struct bpi_axis {
  double lo, hi; /* lo < hi, both finite; over 0 where logarithmic */
  bool log;
  double from, to; /* places of lo and hi in the picture */
  int n_ticks;
  double tick[BPI_MOST_TICKS];
  char text[BPI_MOST_TICKS][BPI_TICK_TEXT]; /* "": a small tick without number or grid line */
  char factor[BPI_TICK_TEXT];               /* "×10⁶" that the texts are to be taken by; "" */
} bpi_axis;

/** The least range that holds values; starts empty, passes over what is not finite (and, where log, not over 0). */
typedef struct bpi_range {
  double lo, hi;
  bool any;
} bpi_range;
void bpi_range_add(bpi_range *r, double value, bool log);

/** An axis over a range, widened by a share of it on both sides where pad > 0, and where it is empty or a point; with about `wanted` ticks. from
 *  and to: where lo and hi come to lie. */
void bpi_axis_make(bpi_axis *a, bpi_range r, bool log, double pad, int wanted, double from, double to);
double bpi_axis_at(const bpi_axis *a, double value);

/** A number as pictures write it: the least digits that tell multiples of `step` apart, a true minus. */
void bpi_number_text(double value, double step, char text[BPI_TICK_TEXT]);

/** Frame, grid, ticks and their texts. The numbers of the y axis end left of x.from, those of the x axis stand below y.from. */
void bpi_draw_axes(bp_picture *p, const bpi_axis *x, const bpi_axis *y, const char *x_label,
                   const char *y_label, bool grid);
/** Width of the widest number of an axis. */
double bpi_axis_width(const bpi_axis *a);

enum { BPI_TICK_SIZE = 12, BPI_LABEL_SIZE = 13 };

/** The part of an open line that lies in the box, as one path of as few points as keep it within 0.05 of its place; a point that is not finite
 *  is a gap. */
void bpi_draw_clipped(bp_picture *p, bpi_look look, bpi_box box, const bpi_point *points, size_t n);

#endif
