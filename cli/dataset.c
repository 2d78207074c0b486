/* Reading data with known answers. */
#include "dataset.h"
#include "filekind.h"
#include "input.h"
#include "npzfile.h"
#include "pngdir.h"
#include "allowance.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- two arrays ---- */

static bool whole_numbers(const bp_ndarray *a)
{
  return a->store >= BP_STORE_BOOL && a->store <= BP_STORE_INT64;
}

/* Real answers: one value, or several, for each example. */
static bp_data *with_values(bp_ctx *ctx, const bp_ndarray *x, const bp_ndarray *y)
{
  bp_data *d = NULL;
  float *fx = malloc((size_t)x->size * sizeof *fx + 1), *fy = malloc((size_t)y->size * sizeof *fy + 1);
  if (!fx || !fy)
    fail_memory();
  else if (bp_convert(x->data, x->store, x->size, BP_FLOAT32, fx) == BP_OK &&
           bp_convert(y->data, y->store, y->size, BP_FLOAT32, fy) == BP_OK)
    d = bp_data_new(ctx, x->dims[0], x->size / x->dims[0], fx, NULL, fy, y->size / y->dims[0]);
  free(fx);
  free(fy);
  return d;
}

static int from_arrays(bp_ctx *ctx, const char *const *files, const bp_ndarray *x, const bp_ndarray *y,
                       bp_data **out)
{
  if (x->rank < 2 || x->size == 0)
    return fail(END_DATA, "%s: examples need an axis of rows and one of values, and neither may be empty%s",
                files[0], y->rank > 1 ? "; are the two files in the wrong order?" : "");
  if (whole_numbers(y) && y->rank < 2) {
    *out = bp_data_from_arrays(ctx, x, y);
  } else {
    if (y->rank < 1 || y->dims[0] != x->dims[0])
      return fail(END_DATA, "%s and %s: as many answers as examples are wanted: %lld and %lld", files[0],
                  files[1], (long long)(y->rank ? y->dims[0] : 1), (long long)x->dims[0]);
    *out = with_values(ctx, x, y);
  }
  return *out ? END_DONE : fail_null(files[0], END_DATA);
}

static int read_arrays(bp_ctx *ctx, const char *const *files, bp_data **out)
{
  bp_ndarray x = {0}, y = {0};
  file_kind kinds[2] = {file_kind_of(files[0]), file_kind_of(files[1])};
  for (int i = 0; i < 2; i++)
    if (kinds[i] != FILE_IDX && kinds[i] != FILE_NPY)
      return fail(END_DATA, "%s: two files are images and labels, each IDX or .npy, and this is neither",
                  files[i]);
  int end = array_read(ctx, kinds[0], files[0], &x);
  if (!end)
    end = array_read(ctx, kinds[1], files[1], &y);
  if (!end)
    end = from_arrays(ctx, files, &x, &y, out);
  bp_ndarray_free(ctx, &x);
  bp_ndarray_free(ctx, &y);
  return end;
}

static int read_archive(bp_ctx *ctx, const char *path, bool test, bp_data **out)
{
  const char *files[2] = {path, path};
  bp_ndarray x = {0}, y = {0};
  int end = npz_read(ctx, path, test, &x, &y);
  if (!end)
    end = from_arrays(ctx, files, &x, &y, out);
  bp_ndarray_free(ctx, &x);
  bp_ndarray_free(ctx, &y);
  return end;
}

/* ---- a table ---- */

static int no_target(const bp_table *t, const char *path)
{
  char list[400] = "";
  int n = bp_table_columns(t);
  for (int i = 0; i < n && i < 40; i++) {
    bp_column c;
    size_t at = strlen(list);
    if (bp_table_column(t, i, &c) == BP_OK && at < 300)
      snprintf(list + at, sizeof list - at, "%s%.40s", at ? ", " : "", c.name);
  }
  return fail(END_USAGE, "%s: which column is to be learned? --target NAME, with a name of: %s%s",
              path_name(path), list, n > 40 || strlen(list) >= 300 ? ", ..." : "");
}

/* The names to choose from are all that is read. */
static int ask_target(bp_ctx *ctx, bp_source *source, const bp_csv_options *o, const char *path)
{
  bp_csv *c;
  bp_status st = bp_csv_open(ctx, source, o, &c);
  if (st != BP_OK)
    return fail_null(path, END_DATA);
  int end = no_target(bp_csv_table(c), path);
  bp_csv_close(c);
  return end;
}

int64_t memory_for_data(const settings *s)
{
  enum { ENOUGH = 384 << 20 };
  int64_t half = memory_allowed() / 2;
  return s->memory ? s->memory : half < ENOUGH ? half : ENOUGH;
}

static bp_data_options data_options(const settings *s)
{
  return (bp_data_options){.target = s->target,
                           .weights = s->weights,
                           .ignore = s->ignore,
                           .categorical = s->categorical,
                           .numeric = s->numeric,
                           .memory = memory_for_data(s)};
}

static int read_table(bp_ctx *ctx, const settings *s, const char *path, bp_data **out)
{
  bp_source source;
  bp_csv_options csv = csv_options(s, path);
  bp_data_options o = data_options(s);
  int end = source_open(ctx, path, &source);
  if (end)
    return end;
  if (!s->target)
    end = ask_target(ctx, &source, &csv, path);
  else if (!(*out = bp_data_from_csv(ctx, &source, &csv, &o)))
    end = fail_null(path, END_DATA);
  bp_source_close(&source);
  return end;
}

int dataset_read(bp_ctx *ctx, const settings *s, const char *const *files, int n, bp_data **out)
{
  file_kind kind = strcmp(files[0], "-") ? file_kind_of(files[0]) : FILE_CSV;
  *out = NULL;
  if (kind == FILE_MODEL)
    return fail(END_DATA, "%s: this is a model, not data", files[0]);
  if (n == 2)
    return read_arrays(ctx, files, out);
  if (kind == FILE_NPZ)
    return read_archive(ctx, files[0], false, out);
  if (kind == FILE_FOLDER)
    return pngdir_data(ctx, files[0], out);
  if (kind != FILE_CSV)
    return fail(END_USAGE, "%s: the labels are missing: bprop train IMAGES LABELS", files[0]);
  return read_table(ctx, s, files[0], out);
}

/* ---- for a network ---- */

const char *class_text(const bp_net *net, int64_t i)
{
  static char number[32];
  const char *name = bp_net_class_name(net, i);
  if (*name)
    return name;
  snprintf(number, sizeof number, "%lld", (long long)i);
  return number;
}

const char *output_text(const bp_net *net, int64_t i)
{
  static char number[32];
  const char *name = bp_net_target_at(net, i);
  if (bp_net_classes(net))
    return class_text(net, i);
  snprintf(number, sizeof number, "%lld", (long long)i + 1);
  return *name ? name : number;
}

void tell_unseen(const char *what, const bp_net *net, const bp_unseen *u)
{
  char missing[80] = "", unknown[80] = "", column[64];
  const char *name = bp_net_col_name(net, u->column);
  if (!u->row)
    return;
  if (u->missing)
    snprintf(missing, sizeof missing, "%lld value%s missing in columns that had none in training",
             (long long)u->missing, u->missing == 1 ? "" : "s");
  if (u->unknown)
    snprintf(unknown, sizeof unknown, "%lld value%s of categories that were not there in training",
             (long long)u->unknown, u->unknown == 1 ? "" : "s");
  snprintf(column, sizeof column, *name ? "'%.50s'" : "%.0s%lld", name, (long long)u->column + 1);
  say("%s: %s%s%s (the first: row %lld, column %s); the mean or most common category stands for %s", what,
      missing, u->missing && u->unknown ? ", " : "", unknown, (long long)u->row, shown(column),
      u->missing + u->unknown == 1 ? "it" : "them");
}

static int no_answers(const bp_net *net, const char *path)
{
  const char *name = bp_net_target(net);
  return fail(END_DATA, "%s: the column with the answers%s%s%s is missing; --target names it",
              path_name(path), *name ? ", '" : "", name, *name ? "'," : "");
}

static int table_for(bp_ctx *ctx, const settings *s, const bp_net *net, const char *path, const char *target,
                     bp_data **out)
{
  bp_source source;
  bp_csv *c = NULL;
  int end = source_open(ctx, path, &source);
  if (end)
    return end;
  bp_csv_options o = csv_options(s, path);
  bp_status st = bp_csv_open(ctx, &source, &o, &c);
  if (st == BP_OK) {
    bp_data_options d = options_for_net(s, net, bp_csv_table(c), target);
    d.memory = memory_for_data(s);
    *out = bp_data_read_for_net(net, c, &d);
  }
  end = *out ? END_DONE : fail_null(path, END_DATA);
  if (!end && !bp_data_classes(*out) && !bp_data_targets(*out)) {
    end = no_answers(net, path);
    bp_data_free(*out);
    *out = NULL;
  }
  bp_csv_close(c);
  bp_source_close(&source);
  return end;
}

int dataset_read_for(bp_ctx *ctx, const settings *s, const bp_net *net, const char *const *files, int n,
                     const char *target, bp_data **out)
{
  file_kind kind = strcmp(files[0], "-") ? file_kind_of(files[0]) : FILE_CSV;
  *out = NULL;
  if (n == 2)
    return read_arrays(ctx, files, out);
  if (kind == FILE_NPZ)
    return read_archive(ctx, files[0], true, out);
  if (kind == FILE_FOLDER)
    return pngdir_data(ctx, files[0], out);
  if (kind == FILE_IDX || kind == FILE_NPY)
    return fail(END_USAGE, "%s: the file of labels is missing", files[0]);
  return table_for(ctx, s, net, files[0], target, out);
}
