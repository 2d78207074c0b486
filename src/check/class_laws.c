/* The law of classes: whatever a row claims about the shape of its Jacobian, the numbers agree. */
#include "autodiff/reach.h"
#include "check/laws.h"

#include <math.h>

/* Entries [row, row + rows) x [col, col + cols) of a Jacobian: one result by one input. */
typedef struct window {
  const bpi_measured *J;
  int64_t row, col, rows, cols;
  int64_t bad_row, bad_col; /* the entry that a class does not allow; -1: the shape itself */
} window;

static double entry(const window *w, int64_t i, int64_t j)
{
  return w->J->at[(w->row + i) * w->J->cols + w->col + j];
}

static bool equals(const window *w, int64_t i, int64_t j, double v)
{
  return fabs(entry(w, i, j) - v) <= w->J->tol[(w->row + i) * w->J->cols + w->col + j] + 1e-12;
}

static bool nonzero(const window *w, int64_t i, int64_t j)
{
  return !equals(w, i, j, 0);
}

/* Notes the entry and says no. */
static bool not_allowed(window *w, int64_t i, int64_t j)
{
  w->bad_row = i;
  w->bad_col = j;
  return false;
}

/* At most `most` nonzero entries in each row. */
static bool rows_have_at_most(window *w, int most)
{
  for (int64_t i = 0; i < w->rows; i++)
    for (int64_t j = 0, n = 0; j < w->cols; j++)
      if (nonzero(w, i, j) && ++n > most)
        return not_allowed(w, i, j);
  return true;
}

static bool columns_have_at_most_one(window *w)
{
  for (int64_t j = 0; j < w->cols; j++)
    for (int64_t i = 0, n = 0; i < w->rows; i++)
      if (nonzero(w, i, j) && ++n > 1)
        return not_allowed(w, i, j);
  return true;
}

/* Zero outside `blocks` equal blocks along the diagonal. */
static bool has_blocks(window *w, int64_t blocks)
{
  for (int64_t i = 0; i < w->rows; i++)
    for (int64_t j = 0; j < w->cols; j++)
      if (i / (w->rows / blocks) != j / (w->cols / blocks) && nonzero(w, i, j))
        return not_allowed(w, i, j);
  return true;
}

static bool is_zero(window *w, const bp_type *x)
{
  (void)x;
  return rows_have_at_most(w, 0);
}

static bool is_diagonal(window *w, const bp_type *x)
{
  (void)x;
  return w->rows == w->cols && (w->rows == 0 || has_blocks(w, w->rows));
}

static bool is_scaled(window *w, const bp_type *x)
{
  for (int64_t i = 0; i < w->rows && i < w->cols; i++)
    if (!equals(w, i, i, entry(w, 0, 0)))
      return not_allowed(w, i, i);
  return is_diagonal(w, x);
}

static bool is_identity(window *w, const bp_type *x)
{
  if (w->rows && w->cols && !equals(w, 0, 0, 1))
    return not_allowed(w, 0, 0);
  return is_scaled(w, x);
}

static bool is_select(window *w, const bp_type *x)
{
  (void)x;
  return rows_have_at_most(w, 1);
}

static bool is_spread(window *w, const bp_type *x)
{
  (void)x;
  return columns_have_at_most_one(w);
}

static bool is_permutation(window *w, const bp_type *x)
{
  int64_t ones = 0;
  for (int64_t i = 0; i < w->rows; i++)
    for (int64_t j = 0; j < w->cols; j++)
      if (nonzero(w, i, j) && ++ones && !equals(w, i, j, 1))
        return not_allowed(w, i, j);
  return w->rows == w->cols && is_select(w, x) && is_spread(w, x) && ones == w->rows;
}

/* Two blocks at least, unless the input is one row anyway. */
static bool is_block(window *w, const bp_type *x)
{
  for (int64_t blocks = 2; blocks <= w->rows && blocks <= w->cols; blocks++)
    if (w->rows % blocks == 0 && w->cols % blocks == 0 && has_blocks(w, blocks))
      return true;
  return w->rows == 0 || w->cols == 0 || x->rank < 2 || x->dims[0] == 1;
}

static bool is_anything(window *w, const bp_type *x)
{
  (void)w, (void)x;
  return true;
}

static bool (*const covers[])(window *w, const bp_type *x) = {
    [BP_JAC_ZERO] = is_zero,
    [BP_JAC_IDENTITY] = is_identity,
    [BP_JAC_SCALED] = is_scaled,
    [BP_JAC_DIAGONAL] = is_diagonal,
    [BP_JAC_SELECT] = is_select,
    [BP_JAC_SPREAD] = is_spread,
    [BP_JAC_PERMUTATION] = is_permutation,
    [BP_JAC_BLOCK] = is_block,
    [BP_JAC_DENSE] = is_anything, /* sparse is of whole functions: no row says it */
};

static bp_status class_covers(const bp_op_call *call, window *w, int input, int result)
{
  bp_jac jac = bpi_jac_of(call, input, result);
  if ((size_t)jac >= sizeof covers / sizeof *covers || !covers[jac])
    return bpi_fail(BP_E_CHECK, "class %d of input %d is none", (int)jac, input);
  w->bad_row = w->bad_col = -1;
  if (covers[jac](w, &call->x_type[input]))
    return BP_OK;
  if (w->bad_row < 0)
    return bpi_fail(BP_E_CHECK, "d result %d / d input %d, %lld x %lld, is said to be %s, and is not", result,
                    input, (long long)w->rows, (long long)w->cols, bp_jac_name(jac));
  return bpi_fail(BP_E_CHECK, "d result %d / d input %d is said to be %s, but entry (%lld, %lld) is %.6g",
                  result, input, bp_jac_name(jac), (long long)w->bad_row, (long long)w->bad_col,
                  entry(w, w->bad_row, w->bad_col));
}

static bp_status every_class_covers(bpi_probe *f, const bp_op_call *call, const bpi_measured *J)
{
  window w = {.J = J};
  bp_status s = BP_OK;
  for (int k = 0; k < f->n_y; k++, w.row += w.rows) {
    w.rows = bpi_is_real(f->y[k]) ? bp_node_size(f->y[k]) : 0;
    w.col = 0;
    for (int i = 0; s == BP_OK && i < f->n_x && bpi_is_real(f->y[k]); i++) {
      if (!bpi_is_real(f->x[i]))
        continue;
      w.cols = bp_node_size(f->x[i]);
      s = class_covers(call, &w, i, k);
      w.col += w.cols;
    }
  }
  return s;
}

/* The class speaks of the row's own inputs, which the builder has broadcast: the example takes their shapes. */
static bp_status take_own_shapes(bpi_sample *s, bool *changed)
{
  bpi_call_room room;
  bp_op_call call;
  bp_status status = bpi_sample_call(s, &room, &call);
  if (status != BP_OK)
    return status;
  for (int i = 0; i < s->ex.n_args && i < call.n_in; i++) {
    *changed = *changed || !bpi_same_shape(&s->ex.args[i].type, &call.x_type[i]);
    s->ex.args[i].type = call.x_type[i];
  }
  bpi_call_done(&room);
  return BP_OK;
}

bp_status bpi_sample_own_shapes(bpi_law_case *c, bpi_sample *s)
{
  bool changed = false;
  bp_status status = bpi_sample_open(c, s);
  if (status == BP_OK)
    status = take_own_shapes(s, &changed);
  if (status != BP_OK || !changed)
    return status;
  bpi_probe_close(&s->f);
  bp_graph_free(s->g);
  return bpi_sample_build(c, s);
}

bp_status bpi_law_class(bpi_law_case *c)
{
  bpi_sample s;
  bpi_measured J;
  bpi_call_room room;
  bp_op_call call;
  bp_status status = bpi_sample_own_shapes(c, &s);
  if (status == BP_OK && !bpi_probe_differentiable(&s.f))
    return bpi_skip(c, &s);
  if (status == BP_OK)
    status = bpi_sample_measure(c, &s, &J);
  if (status == BP_OK)
    status = bpi_sample_call(&s, &room, &call);
  if (status == BP_OK) {
    status = every_class_covers(&s.f, &call, &J);
    bpi_call_done(&room);
  }
  return bpi_sample_close(&s, status);
}
