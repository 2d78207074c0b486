/* Rows that a network is applied to, from a file of any kind that is read. */
#ifndef CLI_INPUT_H
#define CLI_INPUT_H

#include "options.h"

/* Opens a file that may be compressed by gzip; "-" is standard input. END_DATA, told. */
int source_open(bp_ctx *ctx, const char *path, bp_source *out);
/* How a path is called in messages. */
const char *path_name(const char *path);

/* How the table of that name is written. */
bp_csv_options csv_options(const settings *s, const char *path);
int table_read(bp_ctx *ctx, const settings *s, const char *path, bp_table **out);
/* kind: FILE_IDX or FILE_NPY. */
int array_read(bp_ctx *ctx, int kind, const char *path, bp_ndarray *out);
/* fail with "PATH: " and bp_error(), for calls that return NULL. */
int fail_null(const char *path, int end);

/* A table or array, and which of its columns the network wants. */
typedef struct input {
  bp_ctx *ctx;
  const char *path;
  int64_t rows, cols;
  bp_table *table; /* NULL: the array */
  int *column;     /* [cols] of the table */
  int target;      /* column of the table, or -1 */
  bp_ndarray array;
  double *numbers; /* room for a block of one column */
  int64_t room;
} input;

/* Reads the file and finds the columns of `net` in it, by name where there are names, else by position. END_DATA, END_RESOURCES, told.
 * target: of the target column; NULL: the one that the network was trained to predict, if it is there. */
int input_open(input *in, bp_ctx *ctx, const settings *s, const bp_net *net, const char *path,
               const char *target);
/* The values of rows first..first+n-1, row by row. END_DATA for one that is missing or not finite. */
int input_block(input *in, int64_t first, int64_t n, float *x);
void input_close(input *in);
/* Says which columns were left out. */
void input_tell_ignored(const input *in);

#endif
