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

/* How a table is taken by a network: by the names of the columns, or in their order where it has no header and none of the names. target: of the
 * answers; NULL: the network's. */
bp_data_options options_for_net(const settings *s, const bp_net *net, const bp_table *t, const char *target);

/* Rows that a network answers, block by block. */
typedef struct input {
  bp_ctx *ctx;
  const char *path;
  bp_net *net;
  bp_csv *csv; /* NULL: the array */
  bp_source source;
  bool opened;
  bp_data_options o;
  bp_ndarray array;
  bool pictures;     /* they are its owner */
  int64_t rows, row; /* of it: all, and those done */
  float *block;
  bp_unseen unseen; /* in the rows so far */
} input;

/* Finds the columns of `net` in the file, and says which were left out. END_DATA, END_RESOURCES, told. */
int input_open(input *in, bp_ctx *ctx, const settings *s, bp_net *net, const char *path);
/* Answers of the next rows, *n <= most of them; 0: there are no more. END_DATA for a value that cannot be used. `most`: always the same. */
int input_predict(input *in, int64_t most, float *y, int64_t *n);
/* Tells what of these rows training did not see. */
void input_tell_unseen(const input *in);
void input_close(input *in);

#endif
