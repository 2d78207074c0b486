/* Opening files, and finding a network's columns in them. */
#include "input.h"
#include "filekind.h"
#include "gzfile.h"
#include "nearest.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- sources ---- */

const char *path_name(const char *path)
{
  return strcmp(path, "-") ? path : "standard input";
}

int source_open(bp_ctx *ctx, const char *path, bp_source *out)
{
  if (!open_source(ctx, strcmp(path, "-") ? path : "/dev/stdin", out))
    return fail_null(path, END_DATA);
  out->name = path_name(path);
  return END_DONE;
}

int fail_null(const char *path, int end)
{
  bool memory = !strncmp(bp_error(), "out of memory", 13) || strstr(bp_error(), "the disk is full") ||
                strstr(bp_error(), ": a temporary file cannot be");
  bool named = strstr(bp_error(), path) != NULL;
  return fail(memory ? END_RESOURCES : end, "%s%s%s", named ? "" : path_name(path), named ? "" : ": ",
              bp_error());
}

/* What is called .tsv has tabs, unless something else is said. */
static bool named_tsv(const char *path)
{
  size_t n = strlen(path);
  n -= n > 3 && !strcmp(path + n - 3, ".gz") ? 3 : 0;
  return n > 4 && (!strncmp(path + n - 4, ".tsv", 4) || !strncmp(path + n - 4, ".tab", 4));
}

bp_csv_options csv_options(const settings *s, const char *path)
{
  bool tabs = named_tsv(path) && !settings_given(s, "delimiter");
  return (bp_csv_options){.delimiter = tabs ? '\t' : s->delimiter, .header = (bp_csv_header)s->header};
}

int table_read(bp_ctx *ctx, const settings *s, const char *path, bp_table **out)
{
  bp_source source;
  bp_csv_options o = csv_options(s, path);
  int end = source_open(ctx, path, &source);
  if (end)
    return end;
  bp_status st = bp_csv_read(ctx, &source, &o, out);
  bp_source_close(&source);
  return st == BP_OK ? END_DONE : fail_status(st, END_DATA);
}

int array_read(bp_ctx *ctx, int kind, const char *path, bp_ndarray *out)
{
  bp_source source;
  int end = source_open(ctx, path, &source);
  if (end)
    return end;
  bp_status st = kind == FILE_IDX ? bp_idx_read(ctx, &source, out) : bp_npy_read(ctx, &source, out);
  bp_source_close(&source);
  return st == BP_OK ? END_DONE : fail_status(st, END_DATA);
}

/* ---- columns ---- */

static const char *column_name(const bp_table *t, int i)
{
  bp_column c;
  return bp_table_column(t, i, &c) == BP_OK ? c.name : "";
}

/* A file made from the training data has the columns in the same places, so that is where the search begins. */
static int column_of(const bp_table *t, const char *name, int guess)
{
  int n = bp_table_columns(t);
  if (guess < n && !strcmp(column_name(t, guess), name))
    return guess;
  for (int i = 0; i < n; i++)
    if (!strcmp(column_name(t, i), name))
      return i;
  return -1;
}

/* Index of the first of the network's columns that the table lacks, or -1. */
static int64_t first_missing(input *in, const bp_net *net)
{
  int guess = 0;
  for (int64_t i = 0; i < in->cols; i++, guess++) {
    in->column[i] = column_of(in->table, bp_net_col_name(net, i), guess);
    if (in->column[i] < 0)
      return i;
    guess = in->column[i];
  }
  return -1;
}

static int by_position(input *in)
{
  int n = bp_table_columns(in->table);
  int64_t to = 0;
  if (n - (in->target >= 0) != in->cols)
    return fail(END_DATA, "%s: has %d columns%s, the network takes %lld", path_name(in->path),
                n - (in->target >= 0), in->target >= 0 ? " besides the target" : "", (long long)in->cols);
  for (int i = 0; i < n; i++)
    if (i != in->target)
      in->column[to++] = i;
  return END_DONE;
}

static int find_columns(input *in, const settings *s, const bp_net *net)
{
  bool named = *bp_net_col_name(net, 0);
  int64_t missing = named ? first_missing(in, net) : 0;
  if (missing < 0)
    return END_DONE;
  if (!named || s->header == BP_CSV_HEADER_NO)
    return by_position(in);
  const char *name = bp_net_col_name(net, missing);
  nearest n = nearest_to(name);
  for (int i = 0; i < bp_table_columns(in->table); i++)
    nearest_try(&n, column_name(in->table, i));
  return fail(END_DATA, "%s: column '%s' is missing, which the network was trained on%s", path_name(in->path),
              name, nearest_hint(&n, ""));
}

static int find_target(input *in, const bp_net *net, const char *target)
{
  in->target = -1;
  if (!target) {
    const char *name = bp_net_target(net);
    in->target = *name ? column_of(in->table, name, bp_table_columns(in->table) - 1) : -1;
    return END_DONE;
  }
  if (bp_table_find(in->table, target[0] == '#' ? target + 1 : target, &in->target) != BP_OK)
    return fail(END_DATA, "%s: %s", path_name(in->path), bp_error());
  return END_DONE;
}

static int open_table(input *in, const settings *s, const bp_net *net, const char *target)
{
  int end = table_read(in->ctx, s, in->path, &in->table);
  if (end)
    return end;
  in->rows = bp_table_rows(in->table);
  in->column = calloc((size_t)in->cols, sizeof *in->column);
  if (!in->column)
    return fail_memory();
  end = find_target(in, net, target);
  return end ? end : find_columns(in, s, net);
}

static int open_array(input *in, int kind)
{
  int end = array_read(in->ctx, kind, in->path, &in->array);
  if (end)
    return end;
  in->rows = in->array.rank > 0 ? in->array.dims[0] : 0;
  int64_t cols = in->rows ? in->array.size / in->rows : 0;
  /* One example that lacks the axis of rows is meant as it looks. */
  if (in->rows && cols != in->cols && in->array.size == in->cols) {
    in->rows = 1;
    cols = in->cols;
  }
  if (in->rows && cols != in->cols)
    return fail(END_DATA, "%s: has %lld values in a row, the network takes %lld", in->path, (long long)cols,
                (long long)in->cols);
  return END_DONE;
}

int input_open(input *in, bp_ctx *ctx, const settings *s, const bp_net *net, const char *path,
               const char *target)
{
  file_kind kind = strcmp(path, "-") ? file_kind_of(path) : FILE_CSV;
  *in = (input){.ctx = ctx, .path = path, .cols = bp_net_inputs(net), .target = -1};
  if (kind == FILE_MODEL)
    return fail(END_DATA, "%s: this is a model, not data", path);
  if (kind == FILE_NPZ)
    return fail(END_DATA, "%s: .npz and other zip archives are not read; unpack it and give the .npy files",
                path);
  return kind == FILE_CSV ? open_table(in, s, net, target) : open_array(in, kind);
}

void input_close(input *in)
{
  bp_table_free(in->table);
  bp_ndarray_free(in->ctx, &in->array);
  free(in->column);
  free(in->numbers);
}

void input_tell_ignored(const input *in)
{
  int n = in->table ? bp_table_columns(in->table) : 0, left_out = 0;
  char list[256] = "";
  unsigned char *used = calloc((size_t)n + 1, 1);
  for (int64_t i = 0; used && n && i < in->cols; i++)
    used[in->column[i]] = 1;
  for (int i = 0; used && i < n; i++)
    if (!used[i] && left_out++ < 5) {
      size_t at = strlen(list);
      snprintf(list + at, sizeof list - at, "%s%.40s", at ? ", " : "", column_name(in->table, i));
    }
  free(used);
  if (left_out)
    say("%s: left out %s%s, which the network does not take", path_name(in->path), list,
        left_out > 5 ? ", ..." : "");
}

/* ---- values ---- */

static int bad_cell(const input *in, int64_t row, int64_t column, double x)
{
  const char *name = in->table ? column_name(in->table, in->column[column]) : "";
  char number[32];
  snprintf(number, sizeof number, "%lld", (long long)column + 1);
  if (in->table && isnan(x))
    return fail(END_DATA, "%s: row %lld: column '%s' has no value", path_name(in->path), (long long)row + 1,
                name);
  return fail(END_DATA, "%s: row %lld, column '%s': %g is not a number that can be used", path_name(in->path),
              (long long)row + 1, *name ? name : number, x);
}

static int table_block(input *in, int64_t first, int64_t n, float *x)
{
  if (n > in->room) {
    double *more = realloc(in->numbers, (size_t)n * sizeof *more);
    if (!more)
      return fail_memory();
    in->numbers = more;
    in->room = n;
  }
  for (int64_t c = 0; c < in->cols; c++) {
    bp_status st = bp_table_numbers(in->table, in->column[c], first, n, in->numbers);
    if (st != BP_OK)
      return fail_status(st, END_DATA); /* which names the file */
    for (int64_t i = 0; i < n; i++) {
      if (!(fabs(in->numbers[i]) <= (double)FLT_MAX))
        return bad_cell(in, first + i, c, in->numbers[i]);
      x[i * in->cols + c] = (float)in->numbers[i];
    }
  }
  return END_DONE;
}

static int array_block(input *in, int64_t first, int64_t n, float *x)
{
  size_t size = bp_store_bits(in->array.store) / 8;
  const char *from = (const char *)in->array.data + (size_t)(first * in->cols) * size;
  bp_status st = bp_convert(from, in->array.store, n * in->cols, BP_FLOAT32, x);
  if (st != BP_OK)
    return fail(END_DATA, "%s: %s", in->path, bp_error());
  for (int64_t i = 0; i < n * in->cols; i++)
    if (!isfinite(x[i]))
      return bad_cell(in, first + i / in->cols, i % in->cols, (double)x[i]);
  return END_DONE;
}

int input_block(input *in, int64_t first, int64_t n, float *x)
{
  return in->table ? table_block(in, first, n, x) : array_block(in, first, n, x);
}
