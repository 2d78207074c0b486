/* Opening files, and finding a network's columns in them. */
#include "input.h"
#include "dataset.h"
#include "filekind.h"
#include "gzfile.h"
#include "npzfile.h"
#include "pngdir.h"

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

/* The option that a message of the library asks for in its own words. */
static const char *option_for(const char *message)
{
  static const struct {
    const char *words, *option;
  } hints[] = {{"as the delimiter", " (--delimiter ';', '|' or tab)"},
               {"another delimiter", " (--delimiter ';', '|' or tab)"},
               {"whether it is a header", " (--header yes, or --header no)"},
               {"file without a header", " (--header no)"}};
  for (size_t i = 0; i < sizeof hints / sizeof *hints; i++)
    if (strstr(message, hints[i].words))
      return hints[i].option;
  return "";
}

int fail_null(const char *path, int end)
{
  bool memory = !strncmp(bp_error(), "out of memory", 13) || strstr(bp_error(), "the disk is full") ||
                strstr(bp_error(), ": a temporary file cannot be");
  bool named = strstr(bp_error(), path_name(path)) != NULL;
  return fail(memory ? END_RESOURCES : end, "%s%s%s%s", named ? "" : path_name(path), named ? "" : ": ",
              bp_error(), option_for(bp_error()));
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
  return st == BP_OK ? END_DONE : fail_null(path, END_DATA);
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

static int column_of(const bp_table *t, const char *name)
{
  int c;
  return *name && bp_table_find(t, name, &c) == BP_OK && !strcmp(column_name(t, c), name) ? c : -1;
}

/* Whether the table has all columns of the network by name. */
static bool has_columns(const bp_table *t, const bp_net *net)
{
  for (int64_t i = 0; i < bp_net_inputs(net); i++)
    if (column_of(t, bp_net_col_name(net, i)) < 0)
      return false;
  return true;
}

bp_data_options options_for_net(const settings *s, const bp_net *net, const bp_table *t, const char *target)
{
  bool in_order = s->header == BP_CSV_HEADER_NO && !has_columns(t, net);
  return (bp_data_options){.target = target, .weights = s->weights, .by_position = in_order};
}

static void tell_ignored(const input *in)
{
  const bp_table *t = bp_csv_table(in->csv);
  int n = bp_table_columns(t), left_out = 0;
  char list[256] = "";
  unsigned char *used = calloc((size_t)n + 1, 1);
  for (int64_t i = 0; used && i < bp_net_inputs(in->net); i++) {
    int c = column_of(t, bp_net_col_name(in->net, i));
    if (c >= 0)
      used[c] = 1;
  }
  for (int i = 0; used && i < n && !in->o.by_position && *bp_net_col_name(in->net, 0); i++)
    if (!used[i] && left_out++ < 5) {
      size_t at = strlen(list);
      snprintf(list + at, sizeof list - at, "%s%.40s", at ? ", " : "", column_name(t, i));
    }
  free(used);
  if (left_out)
    say("%s: left out %s%s, which the network does not take", path_name(in->path), list,
        left_out > 5 ? ", ..." : "");
}

/* ---- opening ---- */

static int open_table(input *in, const settings *s)
{
  bp_csv_options o = csv_options(s, in->path);
  int end = source_open(in->ctx, in->path, &in->source);
  if (end)
    return end;
  in->opened = true;
  bp_status st = bp_csv_open(in->ctx, &in->source, &o, &in->csv);
  if (st != BP_OK)
    return fail_null(in->path, END_DATA);
  in->o = options_for_net(s, in->net, bp_csv_table(in->csv), NULL);
  in->o.weights = NULL;
  in->o.inputs_only = true;
  st = bp_net_expect(in->net, in->csv, &in->o);
  if (st != BP_OK)
    return fail_null(in->path, END_DATA);
  tell_ignored(in);
  return END_DONE;
}

static int open_array(input *in, int kind)
{
  int64_t cols = bp_net_inputs(in->net);
  in->pictures = kind == FILE_FOLDER;
  int end = in->pictures       ? pngdir_images(in->path, &in->array)
            : kind == FILE_NPZ ? npz_read(in->ctx, in->path, true, &in->array, NULL)
                               : array_read(in->ctx, kind, in->path, &in->array);
  if (end)
    return end;
  in->rows = in->array.rank > 0 ? in->array.dims[0] : 0;
  int64_t got = in->rows ? in->array.size / in->rows : 0;
  /* One example that lacks the axis of rows is meant as it looks. */
  if (in->rows && got != cols && in->array.size == cols) {
    in->rows = 1;
    got = cols;
  }
  if (in->rows && got != cols)
    return fail(END_DATA, "%s: has %lld values in a row, the network takes %lld", in->path, (long long)got,
                (long long)cols);
  return END_DONE;
}

int input_open(input *in, bp_ctx *ctx, const settings *s, bp_net *net, const char *path)
{
  file_kind kind = strcmp(path, "-") ? file_kind_of(path) : FILE_CSV;
  *in = (input){.ctx = ctx, .path = path, .net = net};
  if (kind == FILE_MODEL)
    return fail(END_DATA, "%s: this is a model, not data", path);
  return kind == FILE_CSV ? open_table(in, s) : open_array(in, kind);
}

void input_close(input *in)
{
  if (!in->ctx)
    return;
  bp_csv_close(in->csv);
  if (in->opened)
    bp_source_close(&in->source);
  if (in->pictures)
    pngdir_free(&in->array);
  else
    bp_ndarray_free(in->ctx, &in->array);
  free(in->block);
}

/* ---- rows ---- */

static void add_unseen(input *in, const bp_unseen *u)
{
  bp_unseen *all = &in->unseen;
  if (!all->row) {
    all->row = u->row;
    all->column = u->column;
  }
  all->unknown += u->unknown;
  all->missing += u->missing;
}

void input_tell_unseen(const input *in)
{
  tell_unseen(path_name(in->path), in->net, &in->unseen);
}

static int predict_table(input *in, int64_t most, float *y, int64_t *n)
{
  const bp_table *t;
  bp_status st = bp_csv_block(in->csv, most, &t);
  if (st != BP_OK)
    return fail_status(st, END_DATA);
  *n = bp_table_rows(t);
  if (!*n)
    return END_DONE;
  bp_data *d = bp_data_for_net(in->net, t, &in->o);
  if (!d)
    return fail_null(in->path, END_DATA);
  bp_unseen u;
  st = bp_net_unseen(in->net, d, &u);
  if (st == BP_OK)
    st = bp_net_predict_data(in->net, d, y);
  bp_data_free(d);
  add_unseen(in, &u);
  return st == BP_OK ? END_DONE : fail_null(in->path, END_DATA);
}

static int predict_array(input *in, int64_t most, float *y, int64_t *n)
{
  int64_t cols = bp_net_inputs(in->net);
  *n = in->rows - in->row < most ? in->rows - in->row : most;
  if (!in->block && !(in->block = malloc((size_t)(most * cols) * sizeof *in->block)))
    return fail_memory();
  size_t size = bp_store_bits(in->array.store) / 8;
  const char *from = (const char *)in->array.data + (size_t)(in->row * cols) * size;
  bp_status st = bp_convert(from, in->array.store, *n * cols, BP_FLOAT32, in->block);
  if (st != BP_OK)
    return fail(END_DATA, "%s: %s", in->path, bp_error());
  for (int64_t i = 0; i < *n * cols; i++)
    if (isinf(in->block[i]))
      return fail(END_DATA, "%s: row %lld, column %lld: %g is not a number that can be used", in->path,
                  (long long)(in->row + i / cols) + 1, (long long)(i % cols) + 1, (double)in->block[i]);
  st = bp_net_predict(in->net, in->block, *n, y);
  in->row += *n;
  return st == BP_OK ? END_DONE : fail_null(in->path, END_DATA);
}

int input_predict(input *in, int64_t most, float *y, int64_t *n)
{
  return in->csv ? predict_table(in, most, y, n) : predict_array(in, most, y, n);
}
