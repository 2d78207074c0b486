/* A table of texts, each column as wide as its widest. */
#ifndef CLI_TEXTGRID_H
#define CLI_TEXTGRID_H

#include "say.h"

enum { GRID_COLUMNS = 64 };

typedef struct textgrid {
  int columns;
  const char
      *right;  /* a letter for each column: 'r' where it is set to the right; may be shorter. NULL: none */
  char **cell; /* row by row */
  size_t n, room;
  bool failed; /* out of memory */
} textgrid;

/* The next cell, with control characters replaced. */
void grid_cell(textgrid *g, const char *fmt, ...) BP_PRINTF(2, 3);
/* To standard output. END_DONE, or END_RESOURCES, told. */
int grid_print(const textgrid *g);
void grid_free(textgrid *g);

#endif
