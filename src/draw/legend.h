/* Marks of series and classes, and the list that explains them. */
#ifndef BPI_LEGEND_H
#define BPI_LEGEND_H

#include "draw/scene.h"

/** Shapes of points; each class and series has its own. */
enum { BPI_MARKS = 8 };
void bpi_draw_mark(bp_picture *p, int shape, bpi_look look, bpi_point at, double size);
/** The colour of series number i, from 0. */
bpi_role bpi_series_role(int i);

typedef struct bpi_legend_entry {
  const char *label;
  bpi_look line;  /* a sample of the line, where it has a width */
  bpi_ink ground; /* a sample of a ground, where there is one */
  bpi_look mark;  /* a mark, where it has ground or line */
  int shape;
} bpi_legend_entry;

enum { BPI_LEGEND_SIZE = 13, BPI_LEGEND_LINE = 20, BPI_LEGEND_SAMPLE = 34 };

/** Width that a legend needs, its labels cut at `most`. */
double bpi_legend_width(const bpi_legend_entry *e, int n, double most);
void bpi_draw_legend(bp_picture *p, const bpi_legend_entry *e, int n, bpi_point at, double width);
/** The same in rows, as many entries in each as have room; and how many rows that takes. */
int bpi_legend_rows(const bpi_legend_entry *e, int n, double width);
void bpi_draw_legend_rows(bp_picture *p, const bpi_legend_entry *e, int n, bpi_point at, double width);

#endif
