/* Attributes and shapes of what slides over images. */
#include "ops/sliding.h"

static bp_status numbers(const bp_op_call *c, bp_attr *a, const char *name, int64_t least, int64_t n)
{
  for (int64_t i = 0; i < n; i++)
    if (a->v[i] < least || a->v[i] > INT32_MAX)
      return bp_op_fail(c, BP_E_ARG, "%s has %lld, outside %lld..%d", name, (long long)a->v[i],
                        (long long)least, INT32_MAX);
  return BP_OK;
}

bp_status bpi_canon_pair(const bp_op_call *c, bp_attr *a, const char *name, int64_t least, int64_t preset)
{
  if (a->n < 0 || a->n > 2 || (a->n && !a->v))
    return bp_op_fail(c, BP_E_ARG, "%s has %lld numbers: give one, or height and width", name,
                      (long long)a->n);
  int64_t *list = bp_op_ints(c, 2);
  if (!list)
    return bp_op_fail(c, BP_E_NOMEM, "out of memory");
  list[0] = a->n ? a->v[0] : preset;
  list[1] = a->n ? a->v[a->n - 1] : preset;
  *a = (bp_attr){.v = list, .n = 2};
  return numbers(c, a, name, least, 2);
}

bp_status bpi_canon_border(const bp_op_call *c, bp_attr *a)
{
  if (a->n < 0 || a->n == 3 || a->n > 4 || (a->n && !a->v))
    return bp_op_fail(c, BP_E_ARG,
                      "pad has %lld numbers: give one, or height and width, or top, bottom, left and right",
                      (long long)a->n);
  int64_t *list = bp_op_ints(c, 4);
  if (!list)
    return bp_op_fail(c, BP_E_NOMEM, "out of memory");
  for (int i = 0; i < 4; i++)
    list[i] = a->n == 0 ? 0 : a->v[a->n == 4 ? i : a->n == 2 ? i / 2 : 0];
  *a = (bp_attr){.v = list, .n = 4};
  return numbers(c, a, "pad", 0, 4);
}

bp_status bpi_want_rank4(const bp_op_call *c, int input, const char *what)
{
  return c->x_type[input].rank == 4 ? BP_OK
                                    : bp_op_fail(c, BP_E_SHAPE, "input %d must be %s", input + 1, what);
}

bp_status bpi_want_reals(const bp_op_call *c)
{
  for (int i = 0; i < c->n_in; i++)
    if (c->x_type[i].dtype != BP_REAL)
      return bp_op_fail(c, BP_E_DTYPE, "needs real inputs; cast them first");
  return BP_OK;
}

bp_status bpi_slide(const bp_op_call *c, const int64_t *border, bpi_window *w)
{
  static const char *const axis[2] = {"height", "width"};
  for (int i = 0; i < 2; i++) {
    if (w->window[i] < 1)
      return bp_op_fail(c, BP_E_SHAPE, "the window has no elements");
    if (w->window[i] > BPI_SLIDING_MOST || (w->window[i] - 1) * w->dilation[i] >= BPI_SLIDING_MOST)
      return bp_op_fail(c, BP_E_LIMIT, "the window is over %d across", BPI_SLIDING_MOST);
    const int64_t extent = (w->window[i] - 1) * w->dilation[i] + 1, *pad = border + (ptrdiff_t)2 * i;
    if (pad[0] >= extent || pad[1] >= extent)
      return bp_op_fail(c, BP_E_ARG, "a border of %lld is not narrower than the window, which is %lld across",
                        (long long)(pad[0] >= extent ? pad[0] : pad[1]), (long long)extent);
    w->before[i] = pad[0];
    w->places[i] = bpi_places(w->size[i], pad[0] + pad[1], extent, w->stride[i]);
    if (w->places[i] == 0)
      return bp_op_fail(
          c, BP_E_SHAPE, "a window %lld across does not fit a %s of %lld with a border of %lld + %lld",
          (long long)extent, axis[i], (long long)w->size[i], (long long)pad[0], (long long)pad[1]);
  }
  return BP_OK;
}
