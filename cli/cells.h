/* Arrays in the cells of a table: scalars with four places, small arrays in full, of others the range. */
#ifndef CLI_CELLS_H
#define CLI_CELLS_H

#include "show.h"

enum { CELL_TEXT = 96 };

/* An array to look at: what bp_trace_read and bp_run_output give. */
typedef struct array_view {
  const void *data; /* NULL: there is none */
  bp_type type;
  int64_t size;
} array_view;

array_view array_of(const void *data, const bp_type *type);
array_view output_of(bp_run *run, size_t i);
double array_at(const array_view *a, int64_t i);
void json_view(const array_view *a);

/* "-0.1966", "2.0000"; of integers no places; few digits and an exponent where four places would hide the number. In text. */
const char *places_text(double x, bp_dtype dtype, char text[NUMBER_TEXT]);
/* Four digits: "-0.1966", "2". In text. */
const char *brief_text(double x, char text[NUMBER_TEXT]);
/* "[64,10]" */
void dims_text(const bp_type *type, char *text, size_t size);
/* "0.7311", "[3,1] 1 -4 0.5", "[64,10] -0.31..0.42". Returns text. */
const char *array_cell(const array_view *a, char *text, size_t size);
/* The same without the shape. */
const char *elements_cell(const array_view *a, char *text, size_t size);

#endif
