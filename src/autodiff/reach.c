/* Local structure of one call. */
#include "autodiff/reach.h"

bp_jac bpi_jac_of(const bp_op_call *c, int input, int result)
{
  if (c->op->zero || c->x_type[input].dtype != BP_REAL || c->y_type[result].dtype != BP_REAL)
    return BP_JAC_ZERO;
  if (c->op->jacobian)
    return c->op->jacobian(c, input, result);
  return c->op->traits & BP_ELEMENTWISE ? BP_JAC_DIAGONAL : BP_JAC_DENSE;
}

static bool reach_of_view(const bp_op_call *c, bp_reach *r)
{
  const bp_type *x = &c->x_type[0], *y = &c->y_type[0];
  int64_t strides[BP_MAX_RANK] = {0};
  bpi_strides(x->rank, x->dims, strides);
  if (!c->op->view(c, strides, r->x, &r->x_at))
    return false;
  r->rank = y->rank;
  for (int i = 0; i < y->rank; i++)
    r->dims[i] = y->dims[i];
  bpi_strides(y->rank, y->dims, r->y);
  return true;
}

bool bpi_reach_of(const bp_op_call *c, int input, int result, bp_reach *r)
{
  *r = (bp_reach){0};
  if (c->op->reach && c->op->reach(c, input, result, r))
    return true;
  *r = (bp_reach){0};
  return (c->op->traits & BP_VIEW) && c->op->view && reach_of_view(c, r);
}

bool bpi_reach_is_identity(const bp_reach *r, int64_t n_x, int64_t n_y)
{
  if (n_x != n_y || r->x_at != r->y_at || r->factor)
    return false;
  int64_t n = 1;
  for (int i = 0; i < r->rank; i++) {
    if (r->dims[i] != 1 && (r->x[i] != r->y[i] || r->x[i] == 0))
      return false;
    n *= r->dims[i];
  }
  return n == n_y;
}

/* ---- the points of a box, and where they lie in input, result and factor ---- */

enum { IN, OUT, BY, PLACES };

typedef struct box {
  int rank;
  int64_t dims[BP_REACH_RANK], step[BP_REACH_RANK][PLACES], at[BP_REACH_RANK], place[PLACES];
  bool any;
} box;

/* The axes of r along which both move (which = 0), the input alone (1: summed over), the result alone (2: used again). */
static box axes_of(const bp_reach *r, int which)
{
  box b = {.any = true};
  for (int i = 0; i < r->rank; i++) {
    if (r->dims[i] == 1)
      continue;
    int kind = r->y[i] == 0 ? 1 : r->x[i] == 0 ? 2 : 0;
    if (kind != which)
      continue;
    b.any = b.any && r->dims[i] > 0;
    b.dims[b.rank] = r->dims[i];
    b.step[b.rank][IN] = r->x[i];
    b.step[b.rank][OUT] = r->y[i];
    b.step[b.rank++][BY] = r->w[i];
  }
  return b;
}

/* On to the next point; false after the last, when the box is at its first again. */
static bool next(box *b)
{
  for (int i = b->rank - 1; i >= 0; i--) {
    int64_t move = ++b->at[i] < b->dims[i] ? 1 : 1 - b->dims[i];
    for (int k = 0; k < PLACES; k++)
      b->place[k] += move * b->step[i][k];
    if (move == 1)
      return true;
    b->at[i] = 0;
  }
  return false;
}

/* What is joined from the axes summed over, from a point on. all: the list of everything there, unless 0: who has that many columns has all. */
static uint32_t sum_over(bpi_lists *l, box *sum, const uint32_t *from, const double *factor, uint32_t all)
{
  bool full = false;
  bpi_join_begin(l);
  do {
    if (full || (factor && factor[sum->place[BY]] == 0))
      continue;
    bpi_join_add(l, from[sum->place[IN]]);
    full = all && bpi_join_count(l) == l->list[all].n;
  } while (next(sum));
  return full ? all : bpi_join_end(l);
}

/* Without a factor, what is used again is the same. With one, each has what its zeros leave. */
void bpi_reach_lead(bpi_lists *l, const bp_reach *r, const double *factor, const uint32_t *from, uint32_t *to)
{
  box both = axes_of(r, 0), sum = axes_of(r, 1), again = axes_of(r, 2);
  if (!both.any || !sum.any || !again.any)
    return;
  do {
    const uint32_t *x = from + r->x_at + both.place[IN];
    uint32_t *y = to + r->y_at + both.place[OUT], all = sum_over(l, &sum, x, NULL, 0);
    do {
      const double *by = factor ? factor + both.place[BY] + again.place[BY] : NULL;
      uint32_t id = by ? sum_over(l, &sum, x, by, all) : all;
      y[again.place[OUT]] = bpi_lists_join(l, y[again.place[OUT]], id);
    } while (next(&again) && l->status == BP_OK);
  } while (next(&both) && l->status == BP_OK);
}

/* Number of the entry (i, j), or -1. */
static int64_t entry_at(const int64_t *row_start, const int32_t *col, int64_t i, int64_t j)
{
  int64_t lo = row_start[i], hi = row_start[i + 1];
  while (lo < hi) {
    int64_t mid = lo + (hi - lo) / 2;
    if (col[mid] < j)
      lo = mid + 1;
    else
      hi = mid;
  }
  return lo < row_start[i + 1] && col[lo] == j ? lo : -1;
}

/* Notes the place of one entry; false if it has another one already. */
static bool note(int64_t *from, int64_t k, int64_t place)
{
  if (k < 0 || from[k] == place)
    return true;
  bool first = from[k] < 0;
  from[k] = place;
  return first;
}

bool bpi_reach_factors(const bp_reach *r, int64_t rows, const int64_t *row_start, const int32_t *col,
                       int64_t *from)
{
  box both = axes_of(r, 0), sum = axes_of(r, 1), again = axes_of(r, 2);
  bool good = both.any && sum.any && again.any;
  for (int64_t k = 0; k < row_start[rows]; k++)
    from[k] = -1;
  do
    do
      do {
        int64_t i = r->y_at + both.place[OUT] + again.place[OUT],
                j = r->x_at + both.place[IN] + sum.place[IN];
        good = good &&
               note(from, entry_at(row_start, col, i, j), both.place[BY] + sum.place[BY] + again.place[BY]);
      } while (good && next(&sum));
    while (good && next(&again));
  while (good && next(&both));
  for (int64_t k = 0; k < row_start[rows]; k++)
    good = good && from[k] >= 0;
  return good;
}
