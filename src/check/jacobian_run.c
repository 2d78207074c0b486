/* Evaluating Jacobians. Nothing here allocates. */
#include "base/text.h"
#include "check/jacobian.h"

#include <string.h>

/* ---- inputs ---- */

static bp_status unknown_input(const bp_jacobian *j, const char *input)
{
  const char *near = NULL;
  int best = 3;
  for (size_t i = 0; i < j->n_inputs; i++) {
    int distance = bpi_edit_distance(input, j->inputs[i].name, 2);
    if (distance < best) {
      best = distance;
      near = j->inputs[i].name;
    }
  }
  return bpi_fail(BP_E_NOTFOUND, "bp_jacobian_bind: the graph has no input '%s'%s%s%s", input,
                  near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static bp_status bind_pass(const bpi_pass *pass, const char *input, const void *data, size_t bytes)
{
  bp_status s = pass->run ? bp_run_bind(pass->run, input, data, bytes) : BP_OK;
  return s == BP_E_NOTFOUND ? BP_OK : s; /* nothing in this plan depends on it */
}

bp_status bp_jacobian_bind(bp_jacobian *j, const char *input, const void *data, size_t bytes)
{
  if (!j || !input)
    return bpi_bad_arg("bp_jacobian_bind", "jacobian or input is NULL");
  size_t i = 0;
  while (i < j->n_inputs && strcmp(j->inputs[i].name, input) != 0)
    i++;
  if (i == j->n_inputs)
    return unknown_input(j, input);
  if (bytes != j->inputs[i].bytes)
    return bpi_fail(BP_E_SHAPE, "bp_jacobian_bind: input '%s' takes %zu bytes, not %zu", input,
                    j->inputs[i].bytes, bytes);
  if (!data && bytes)
    return bpi_bad_arg("bp_jacobian_bind", "data is NULL");
  bp_status s = BP_OK;
  for (int k = 0; k < 2 && s == BP_OK; k++) {
    s = bind_pass(&j->half.passes[k], input, data, bytes);
    if (s == BP_OK)
      s = bind_pass(&j->product[k], input, data, bytes);
  }
  return s;
}

/* ---- sweeps ---- */

/* What the sweeps of one run gave goes to the entries: this is all that a warm evaluation adds to its plan. */
#define READ_OFF(REAL)                                                                                   \
  static void read_off_##REAL(REAL *restrict value, const REAL *restrict out, const REAL *restrict base, \
                              const uint32_t *restrict at, const int64_t *restrict to, int64_t n)        \
  {                                                                                                      \
    for (int64_t k = 0; !to && k < n; k++)                                                               \
      value[k] = out[at[k]];                                                                             \
    for (int64_t k = 0; to && !base && k < n; k++)                                                       \
      value[to[k]] = out[at[k]];                                                                         \
    for (int64_t k = 0; to && base && k < n; k++)                                                        \
      value[to[k]] = base[k] + out[at[k]];                                                               \
  }
READ_OFF(double)
READ_OFF(float)

static void read_off(bp_jacobian *j, const bpi_pass *pass, int64_t run, const void *out)
{
  int64_t first = pass->from[run], n = pass->from[run + 1] - first;
  const int64_t *to = pass->to ? pass->to + first : NULL;
  const char *base = pass->base;
  if (base)
    base += (size_t)first * bp_dtype_size(j->info.real);
  if (j->info.real == BP_FLOAT64)
    read_off_double(j->room, out, (const void *)base, pass->at + first, to, n);
  else
    read_off_float(j->room, out, (const void *)base, pass->at + first, to, n);
}

static void set_seed(const bp_jacobian *j, const bpi_pass *pass, int64_t at, double value)
{
  if (j->info.real == BP_FLOAT64)
    ((double *)pass->seeds)[at] = value;
  else
    ((float *)pass->seeds)[at] = (float)value;
}

/* Ones (or, afterwards, zeros) where the sweeps of a run are seeded. */
static void set_seeds(const bp_jacobian *j, const bpi_pass *pass, int64_t run, double value)
{
  for (int64_t slot = 0; slot < pass->at_once; slot++) {
    int64_t s = run * pass->at_once + slot;
    for (int64_t k = s < pass->sweeps ? pass->first[s] : 0; s < pass->sweeps && k < pass->first[s + 1]; k++)
      set_seed(j, pass, slot * pass->seed_length + pass->member[k], value);
  }
}

static bp_status run_once(bp_jacobian *j, const bpi_pass *pass, int64_t run)
{
  const void *out;
  if (pass->seeds)
    set_seeds(j, pass, run, 1);
  bp_status s = bp_run_step(pass->run);
  if (pass->seeds)
    set_seeds(j, pass, run, 0);
  if (s == BP_OK)
    s = bp_run_output(pass->run, 0, &out, NULL);
  if (s != BP_OK)
    return s;
  if (!j->room)
    j->value = out;
  else
    read_off(j, pass, run, out);
  return BP_OK;
}

bp_status bpi_half_run(bp_jacobian *j, const bpi_half *half)
{
  bp_status s = BP_OK;
  for (int k = 0; k < half->n_passes; k++)
    for (int64_t run = 0; run < half->passes[k].runs && s == BP_OK; run++)
      s = run_once(j, &half->passes[k], run);
  return s;
}

bp_status bp_jacobian_run(bp_jacobian *j)
{
  if (!j)
    return bpi_bad_arg("bp_jacobian_run", "jacobian is NULL");
  bp_status s = bpi_half_run(j, &j->half);
  j->ran = s == BP_OK;
  return s;
}

/* ---- results ---- */

static bp_status not_run(const char *function)
{
  return bpi_fail(BP_E_ORDER, "%s: no run has succeeded yet, or the last one failed; call bp_jacobian_run",
                  function);
}

bp_status bp_jacobian_csr(const bp_jacobian *j, const int64_t **row_start, const int32_t **col,
                          const void **value)
{
  if (!j)
    return bpi_bad_arg("bp_jacobian_csr", "jacobian is NULL");
  if (value && !j->ran)
    return not_run("bp_jacobian_csr");
  if (row_start)
    *row_start = j->p.start;
  if (col)
    *col = j->p.col;
  if (value)
    *value = j->value;
  return BP_OK;
}

bp_status bp_jacobian_dense(const bp_jacobian *j, double *out, size_t n)
{
  if (!j || (!out && n))
    return bpi_bad_arg("bp_jacobian_dense", "jacobian or out is NULL");
  if (!j->ran)
    return not_run("bp_jacobian_dense");
  size_t cells;
  if (__builtin_mul_overflow((size_t)j->info.rows, (size_t)j->info.cols, &cells) || n != cells)
    return bpi_fail(BP_E_SHAPE, "bp_jacobian_dense: %lld x %lld elements, not %zu", (long long)j->info.rows,
                    (long long)j->info.cols, n);
  for (size_t k = 0; k < n; k++)
    out[k] = 0;
  for (int64_t i = 0; i < j->p.rows; i++)
    for (int64_t e = j->p.start[i]; e < j->p.start[i + 1]; e++)
      out[i * j->p.cols + j->p.col[e]] =
          j->info.real == BP_FLOAT64 ? ((const double *)j->value)[e] : (double)((const float *)j->value)[e];
  return BP_OK;
}

/* ---- products ---- */

static bp_status product(bp_jacobian *j, const char *function, int reverse, const void *v, void *out)
{
  if (!j || !v || !out)
    return bpi_bad_arg(function, "jacobian, the vector or out is NULL");
  const bpi_pass *pass = &j->product[reverse];
  size_t real = bp_dtype_size(j->info.real), n = (size_t)(reverse ? j->info.cols : j->info.rows);
  const void *from;
  if (j->info.rows == 0 || j->info.cols == 0) {
    memset(out, 0, n * real);
    return BP_OK;
  }
  if (!pass->run)
    return bpi_fail(BP_E_ORDER, "%s: make the Jacobian with options.products = true", function);
  bp_status s = bind_pass(pass, pass->name, v, (size_t)pass->seed_length * real);
  if (s == BP_OK)
    s = bp_run_step(pass->run);
  if (s == BP_OK)
    s = bp_run_output(pass->run, 0, &from, NULL);
  if (s == BP_OK)
    memcpy(out, from, n * real);
  return s;
}

bp_status bp_jacobian_jvp(bp_jacobian *j, const void *v, void *out)
{
  return product(j, "bp_jacobian_jvp", 0, v, out);
}

bp_status bp_jacobian_vjp(bp_jacobian *j, const void *u, void *out)
{
  return product(j, "bp_jacobian_vjp", 1, u, out);
}
