/* The law of local Jacobians: the object has the numbers that differences have, in the storage of its class. */
#include "check/laws.h"

#include <math.h>
#include <stdio.h>

/* A part of the Jacobian of the whole example: one result by one input. */
typedef struct part {
  const bpi_measured *J;
  int64_t row, col, rows, cols;
} part;

static double entry(const part *p, int64_t i, int64_t j, double *tol)
{
  int64_t at = (p->row + i) * p->J->cols + p->col + j;
  *tol = p->J->tol[at];
  return p->J->at[at];
}

static bp_status dense_agrees(const bp_local *l, const part *p, const double *M)
{
  double tol;
  for (int64_t i = 0; i < p->rows; i++)
    for (int64_t j = 0; j < p->cols; j++) {
      double want = entry(p, i, j, &tol), got = M[i * p->cols + j];
      if (!(fabs(got - want) <= tol + 1e-13))
        return bpi_fail(BP_E_CHECK, "entry (%lld, %lld) is %.12g, differences say %.12g +- %.2g; it is %s",
                        (long long)i, (long long)j, got, want, tol, bp_jac_name(bp_local_info_of(l)->jac));
    }
  return BP_OK;
}

/* The count that the header promises for each class. */
static bp_status stores_what_it_says(const bp_local *l, const part *p)
{
  const bp_local_info *i = bp_local_info_of(l);
  const int64_t want[] = {[BP_JAC_SCALED] = 1,
                          [BP_JAC_DIAGONAL] = p->rows,
                          [BP_JAC_SELECT] = p->rows,
                          [BP_JAC_SPREAD] = p->cols,
                          [BP_JAC_PERMUTATION] = p->rows,
                          [BP_JAC_BLOCK] = i->blocks * i->block_rows * i->block_cols,
                          [BP_JAC_SPARSE] = i->stored,
                          [BP_JAC_DENSE] = p->rows * p->cols};
  if (i->rows != p->rows || i->cols != p->cols)
    return bpi_fail(BP_E_CHECK, "it is %lld x %lld, not %lld x %lld", (long long)i->rows, (long long)i->cols,
                    (long long)p->rows, (long long)p->cols);
  return i->stored == want[i->jac] && i->stored <= p->rows * p->cols + (p->rows > p->cols ? p->rows : p->cols)
             ? BP_OK
             : bpi_fail(BP_E_CHECK, "%s, it keeps %lld numbers, not %lld", bp_jac_name(i->jac),
                        (long long)i->stored, (long long)want[i->jac]);
}

/* M v and u M, summed here, against the products of the object. */
static bp_status products_agree(bpi_probe *f, const bp_local *l, const part *p, const double *M)
{
  double *v = bpi_probe_doubles(f, p->cols), *u = bpi_probe_doubles(f, p->rows);
  double *Jv = bpi_probe_doubles(f, p->rows), *uJ = bpi_probe_doubles(f, p->cols);
  if (!v || !u || !Jv || !uJ)
    return BP_E_NOMEM;
  for (int64_t j = 0; j < p->cols; j++)
    v[j] = bpi_probe_uniform(f, -1, 1);
  for (int64_t i = 0; i < p->rows; i++)
    u[i] = bpi_probe_uniform(f, -1, 1);
  bp_status s = bp_local_jvp(l, v, Jv);
  if (s == BP_OK)
    s = bp_local_vjp(l, u, uJ);
  for (int64_t i = 0; s == BP_OK && i < p->rows; i++) {
    double sum = 0, scale = 0;
    for (int64_t j = 0; j < p->cols; j++) {
      sum += M[i * p->cols + j] * v[j];
      scale += fabs(M[i * p->cols + j] * v[j]);
    }
    if (!(fabs(sum - Jv[i]) <= 1e-13 * scale))
      s = bpi_fail(BP_E_CHECK, "(J v)[%lld] is %.17g, summed from its entries %.17g", (long long)i, Jv[i],
                   sum);
  }
  for (int64_t j = 0; s == BP_OK && j < p->cols; j++) {
    double sum = 0, scale = 0;
    for (int64_t i = 0; i < p->rows; i++) {
      sum += M[i * p->cols + j] * u[i];
      scale += fabs(M[i * p->cols + j] * u[i]);
    }
    if (!(fabs(sum - uJ[j]) <= 1e-13 * scale))
      s = bpi_fail(BP_E_CHECK, "(u J)[%lld] is %.17g, summed from its entries %.17g", (long long)j, uJ[j],
                   sum);
  }
  return s;
}

/* Compressed rows: ascending columns, the numbers of the matrix, and nothing beside them. */
static bp_status rows_agree(const bp_local *l, const part *p, const double *M, const int64_t *start,
                            const int64_t *col, const double *value)
{
  for (int64_t i = 0; i < p->rows; i++) {
    int64_t k = start[i];
    for (int64_t j = 0; j < p->cols; j++) {
      bool here = k < start[i + 1] && col[k] == j;
      if (M[i * p->cols + j] != (here ? value[k] : 0))
        return bpi_fail(BP_E_CHECK, "entry (%lld, %lld) differs between compressed rows and matrix",
                        (long long)i, (long long)j);
      k += here;
    }
    if (k != start[i + 1])
      return bpi_fail(BP_E_CHECK, "the columns of row %lld are not ascending, or past the last",
                      (long long)i);
  }
  (void)l;
  return BP_OK;
}

static bp_status conversions_agree(bpi_probe *f, const bp_local *l, const part *p)
{
  bp_ctx *ctx = f->g->ctx;
  int64_t *start, *col;
  double *value, *M;
  bp_status s = bp_local_dense(l, p->rows * p->cols, &M);
  if (s != BP_OK)
    return s;
  s = bp_local_csr(l, p->rows * p->cols, &start, &col, &value);
  if (s == BP_OK)
    s = dense_agrees(l, p, M);
  if (s == BP_OK)
    s = rows_agree(l, p, M, start, col, value);
  if (s == BP_OK)
    s = products_agree(f, l, p, M);
  bp_free(ctx, M);
  bp_free(ctx, start);
  bp_free(ctx, col);
  bp_free(ctx, value);
  return s;
}

static bp_status bind_all(bpi_probe *f, bp_local *l)
{
  bp_status s = BP_OK;
  for (int i = 0; s == BP_OK && i < f->n_x; i++) {
    const bp_type *t = bpi_slot(f->x[i])->type;
    size_t each = t->dtype == BP_BOOL ? 1 : 8;
    s = bp_local_bind(l, bp_node_name(f->x[i]), f->data[i], (size_t)bpi_type_size(t) * each);
  }
  return s;
}

static bp_status local_agrees(bpi_probe *f, const part *p, int result, int input)
{
  bp_local *l;
  bp_status s = bp_local_new(f->y[result], input, 0, &l);
  if (s != BP_OK)
    return s;
  s = stores_what_it_says(l, p);
  if (s == BP_OK)
    s = bind_all(f, l);
  if (s == BP_OK)
    s = bp_local_run(l);
  if (s == BP_OK)
    s = conversions_agree(f, l, p);
  bp_local_free(l);
  return s;
}

static bp_status every_local_agrees(bpi_probe *f, const bpi_measured *J)
{
  part p = {.J = J};
  char what[60];
  bp_status s = BP_OK;
  for (int k = 0; k < f->n_y; k++, p.row += p.rows) {
    p.rows = bpi_is_real(f->y[k]) ? bp_node_size(f->y[k]) : 0;
    p.col = 0;
    for (int i = 0; s == BP_OK && i < f->n_x && bpi_is_real(f->y[k]); i++) {
      if (!bpi_is_real(f->x[i]))
        continue;
      p.cols = bp_node_size(f->x[i]);
      snprintf(what, sizeof what, "d result %d / d input %d", k, i);
      s = bpi_explain(local_agrees(f, &p, k, i), what);
      p.col += p.cols;
    }
  }
  return s;
}

bp_status bpi_law_local(bpi_law_case *c)
{
  bpi_sample s;
  bpi_measured J;
  bp_status status = bpi_sample_own_shapes(c, &s);
  if (status == BP_OK && !bpi_probe_differentiable(&s.f))
    return bpi_skip(c, &s);
  if (status == BP_OK)
    status = bpi_sample_measure(c, &s, &J);
  if (status == BP_OK)
    status = every_local_agrees(&s.f, &J);
  return bpi_sample_close(&s, status);
}
