/* Convolution and its adjoints over tiles that each instruction set has. */
#ifndef BPI_CONVOLVE_H
#define BPI_CONVOLVE_H

#include "kernels/window.h"

/* Points of three axes, the last the fastest, and how far apart they lie where they are read and where they are written (elements). */
typedef struct bpi_grid {
  int64_t dims[3], from[3], to[3];
} bpi_grid;

/* A point of a grid. */
typedef struct bpi_point {
  int64_t at[3], from, to;
} bpi_point;

bpi_point bpi_grid_point(const bpi_grid *g, int64_t number);

static inline void bpi_grid_next(const bpi_grid *g, bpi_point *p)
{
  p->from += g->from[2];
  p->to += g->to[2];
  for (int i = 2; i > 0 && ++p->at[i] == g->dims[i]; i--) {
    p->at[i] = 0;
    p->from += g->from[i - 1] - g->dims[i] * g->from[i];
    p->to += g->to[i - 1] - g->dims[i] * g->to[i];
  }
}

/* What the tiles of one panel of columns have in common: row i of step s is read at a[i][off[s]] and multiplied by the vectors b[s bs ...]. */
typedef struct bpi_panel {
  int64_t steps;
  const int64_t *off;
  const void *b; /* readable for whole vectors */
  int64_t bs;
  int columns;      /* that are wanted */
  bool add;         /* to what is in c */
  const void *bias; /* added last; NULL: none */
} bpi_panel;

/* Tiles for one element type: `rows` rows times `columns` columns at most, or half the columns. */
typedef struct bpi_conv_tiles {
  int rows, columns;
  /* Points [first, first + count) of the grid, as rows that are read from a and written to c. */
  void (*run)(const bpi_panel *panel, const bpi_grid *g, int64_t first, int64_t count, const void *a,
              void *c);
  /* b for `columns` rows of w, `steps` each: side by side, zeros behind. */
  void (*pack)(int64_t steps, int columns, const void *w, void *to);
} bpi_conv_tiles;

/* Work in units of what is made, cut by shape alone: each element is summed in one order, whatever the units are. scratch: per thread. */
int64_t bpi_conv_units(const bpi_conv_tiles *t, const bpi_conv *c);
size_t bpi_conv_scratch(const bpi_conv_tiles *t, const bpi_conv *c);
void bpi_convolve(const bpi_conv_tiles *t, const bpi_conv *c, int64_t begin, int64_t end, void *scratch);

#endif
