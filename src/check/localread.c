/* Reading a local Jacobian: its numbers, products with vectors, and other storage on demand. */
#include "check/localjac.h"

#include <string.h>

static bp_status ready(const bp_local *l, const char *function, bool args)
{
  if (!l || !args)
    return bpi_bad_arg(function, "an argument is NULL");
  return l->done ? BP_OK : bpi_fail(BP_E_ORDER, "%s: call bp_local_run first", function);
}

bp_status bp_local_values(const bp_local *l, const double **values, const int64_t **index,
                          const int64_t **row_start, const int32_t **col)
{
  bp_status s = ready(l, "bp_local_values", true);
  if (values)
    *values = s == BP_OK ? l->values : NULL;
  if (index)
    *index = s == BP_OK ? l->index : NULL;
  if (row_start)
    *row_start = s == BP_OK ? l->row_start : NULL;
  if (col)
    *col = s == BP_OK ? l->col : NULL;
  return s;
}

/* Told each entry in the order of the storage. */
typedef void (*entry_fn)(void *user, int64_t i, int64_t j, double v);

/* Entries between i and j of rows or columns that have one each at most. */
static void each_placed(const bp_local *l, entry_fn f, void *user)
{
  bool by_column = l->info.jac == BP_JAC_SPREAD;
  int64_t n = by_column ? l->info.cols : l->info.rows, m = by_column ? l->info.rows : l->info.cols;
  for (int64_t k = 0; k < n; k++) {
    int64_t at = l->index[k];
    if (at >= 0 && at < m)
      f(user, by_column ? at : k, by_column ? k : at, l->values ? l->values[k] : 1);
  }
}

static void each_of_blocks(const bp_local *l, entry_fn f, void *user)
{
  const bp_local_info *i = &l->info;
  const double *v = l->values;
  for (int64_t b = 0; b < i->blocks; b++)
    for (int64_t r = 0; r < i->block_rows; r++)
      for (int64_t c = 0; c < i->block_cols; c++)
        f(user, b * i->block_rows + r, b * i->block_cols + c, *v++);
}

static void each_entry(const bp_local *l, entry_fn f, void *user)
{
  const bp_local_info *info = &l->info;
  switch (info->jac) {
  case BP_JAC_ZERO:
    break;
  case BP_JAC_IDENTITY:
  case BP_JAC_SCALED:
  case BP_JAC_DIAGONAL:
    for (int64_t i = 0; i < info->rows; i++)
      f(user, i, i,
        info->jac == BP_JAC_IDENTITY ? 1
        : info->jac == BP_JAC_SCALED ? l->values[0]
                                     : l->values[i]);
    break;
  case BP_JAC_SELECT:
  case BP_JAC_SPREAD:
  case BP_JAC_PERMUTATION:
    each_placed(l, f, user);
    break;
  case BP_JAC_SPARSE:
    for (int64_t i = 0; i < info->rows; i++)
      for (int64_t k = l->row_start[i]; k < l->row_start[i + 1]; k++)
        f(user, i, l->col[k], l->values[k]);
    break;
  default: /* a dense one is one block */
    each_of_blocks(l, f, user);
  }
}

/* ---- products ---- */

typedef struct product {
  const double *from;
  double *to;
} product;

static void add_forward(void *user, int64_t i, int64_t j, double v)
{
  product *p = user;
  p->to[i] += v * p->from[j];
}

static void add_reverse(void *user, int64_t i, int64_t j, double v)
{
  product *p = user;
  p->to[j] += p->from[i] * v;
}

bp_status bp_local_jvp(const bp_local *l, const double *v, double *out)
{
  bp_status s = ready(l, "bp_local_jvp", v && out);
  if (s != BP_OK)
    return s;
  memset(out, 0, (size_t)l->info.rows * sizeof *out);
  each_entry(l, add_forward, &(product){v, out});
  return BP_OK;
}

bp_status bp_local_vjp(const bp_local *l, const double *u, double *out)
{
  bp_status s = ready(l, "bp_local_vjp", u && out);
  if (s != BP_OK)
    return s;
  memset(out, 0, (size_t)l->info.cols * sizeof *out);
  each_entry(l, add_reverse, &(product){u, out});
  return BP_OK;
}

/* ---- conversions ---- */

typedef struct rows_being_made {
  int64_t *start, *col;
  double *value;
} rows_being_made;

static void count(void *user, int64_t i, int64_t j, double v)
{
  rows_being_made *r = user;
  (void)j, (void)v;
  r->start[i + 1]++;
}

/* start[i] is where the next entry of row i goes. Columns come in ascending order in every class. */
static void put(void *user, int64_t i, int64_t j, double v)
{
  rows_being_made *r = user;
  int64_t k = r->start[i]++;
  r->col[k] = j;
  r->value[k] = v;
}

/* Entries that there are; -1 where the class does not say and they must be counted. */
static bp_status within(int64_t entries, int64_t most, const char *function)
{
  return entries <= most ? BP_OK
                         : bpi_fail(BP_E_LIMIT, "%s: %lld entries are more than the %lld allowed", function,
                                    (long long)entries, (long long)most);
}

bp_status bp_local_csr(const bp_local *l, int64_t most, int64_t **row_start, int64_t **col, double **value)
{
  bool args = row_start && col && value;
  if (args) {
    *row_start = *col = NULL;
    *value = NULL;
  }
  bp_status s = ready(l, "bp_local_csr", args);
  if (s != BP_OK)
    return s;
  int64_t rows = l->info.rows;
  rows_being_made r = {.start = bpi_zalloc(l->ctx, (size_t)rows + 2, sizeof *r.start)};
  if (!r.start)
    return bpi_nomem();
  each_entry(l, count, &r);
  for (int64_t i = 0; i < rows; i++)
    r.start[i + 1] += r.start[i];
  int64_t entries = r.start[rows];
  s = within(entries, most, "bp_local_csr");
  r.col = s == BP_OK ? bpi_alloc(l->ctx, (size_t)entries, sizeof *r.col) : NULL;
  r.value = s == BP_OK ? bpi_alloc(l->ctx, (size_t)entries, sizeof *r.value) : NULL;
  if (s == BP_OK && (!r.col || !r.value))
    s = bpi_nomem();
  if (s != BP_OK) {
    bpi_free(l->ctx, r.start);
    bpi_free(l->ctx, r.col);
    bpi_free(l->ctx, r.value);
    return s;
  }
  each_entry(l, put, &r);
  memmove(r.start + 1, r.start, (size_t)rows * sizeof *r.start); /* each had moved on to the next row's */
  r.start[0] = 0;
  *row_start = r.start;
  *col = r.col;
  *value = r.value;
  return BP_OK;
}

typedef struct whole {
  double *at;
  int64_t cols;
} whole;

static void place(void *user, int64_t i, int64_t j, double v)
{
  whole *w = user;
  w->at[i * w->cols + j] = v;
}

bp_status bp_local_dense(const bp_local *l, int64_t most, double **matrix)
{
  if (matrix)
    *matrix = NULL;
  bp_status s = ready(l, "bp_local_dense", matrix != NULL);
  if (s != BP_OK)
    return s;
  const bp_local_info *i = &l->info;
  if (i->rows && i->cols > most / i->rows)
    return bpi_fail(BP_E_LIMIT, "bp_local_dense: %lld x %lld elements are more than the %lld allowed",
                    (long long)i->rows, (long long)i->cols, (long long)most);
  double *all = bpi_zalloc(l->ctx, (size_t)(i->rows * i->cols) + 1, sizeof *all);
  if (!all)
    return bpi_nomem();
  each_entry(l, place, &(whole){all, i->cols});
  *matrix = all;
  return BP_OK;
}
