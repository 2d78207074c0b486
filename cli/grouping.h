/* Rows of a table grouped by one of its columns: by category, by value, or by ranges with as many rows each. */
#ifndef CLI_GROUPING_H
#define CLI_GROUPING_H

#include "options.h"

typedef struct grouping {
  int n;       /* groups; none is empty */
  char **name; /* [n] */
  int32_t *of; /* [rows] */
  int64_t rows;
} grouping;

/* The column of a CSV file, by name or number: 4 bytes a row, and 20 while it is read. END_DATA, END_USAGE, END_RESOURCES, told. */
int grouping_read(grouping *g, bp_ctx *ctx, const settings *s, const char *path, const char *column);
void grouping_free(grouping *g);

#endif
