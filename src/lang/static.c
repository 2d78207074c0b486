/* Values that must be known while reading: shapes, axes, attributes. */
#include "lang/lang.h"

#include <math.h>
#include <string.h>

static bp_status want_scalar(bp_program *p, const bpi_value *v, const char *what, const bpi_larray **a)
{
  *a = bpi_host(p, v);
  if (*a && (*a)->size != 1)
    bpi_wrong(p, BP_E_SHAPE, "%s is one number, not an array of %lld", what, (long long)(*a)->size);
  return p->status;
}

/* Element i as a whole number. */
static bp_status whole_at(bp_program *p, const bpi_larray *a, int64_t i, const char *what, int64_t *x)
{
  double r = bpi_array_real(a, i);
  if (a->type.dtype == BP_INT64)
    *x = ((const int64_t *)a->data)[a->splat ? 0 : i];
  else if (r != floor(r) || !(fabs(r) <= 9007199254740992.0))
    return bpi_wrong(p, BP_E_DTYPE, "%s is a whole number, not %.17g", what, r);
  else
    *x = (int64_t)r;
  return BP_OK;
}

bp_status bpi_static_int(bp_program *p, const bpi_value *v, const char *what, int64_t *x)
{
  const bpi_larray *a;
  if (v->kind == BPI_V_NUMBER && v->dtype == BP_INT64) {
    *x = v->whole;
    return BP_OK;
  }
  return want_scalar(p, v, what, &a) == BP_OK ? whole_at(p, a, 0, what, x) : p->status;
}

bp_status bpi_static_real(bp_program *p, const bpi_value *v, const char *what, double *x)
{
  const bpi_larray *a;
  if (want_scalar(p, v, what, &a) != BP_OK)
    return p->status;
  *x = bpi_array_real(a, 0);
  return BP_OK;
}

bp_status bpi_static_bool(bp_program *p, const bpi_value *v, const char *what, int64_t *x)
{
  double r;
  if (bpi_static_real(p, v, what, &r) != BP_OK)
    return p->status;
  if (r != 0 && r != 1)
    return bpi_wrong(p, BP_E_DTYPE, "%s is True or False", what);
  *x = r != 0;
  return BP_OK;
}

bp_status bpi_static_ints(bp_program *p, const bpi_value *v, const char *what, const int64_t **list,
                          int64_t *n)
{
  bpi_value all = *v;
  if (v->kind == BPI_V_LIST) {
    int64_t *items = bpi_arena_alloc(&p->temp, v->n, sizeof *items);
    if (!items)
      return bpi_lang_nomem(p);
    for (uint32_t i = 0; i < v->n; i++)
      if (bpi_static_int(p, &v->items[i], what, &items[i]) != BP_OK)
        return p->status;
    *list = items;
    *n = v->n;
    return BP_OK;
  }
  const bpi_larray *a = bpi_host(p, &all);
  if (!a)
    return p->status;
  if (a->type.rank > 1)
    return bpi_wrong(p, BP_E_SHAPE, "%s is a list of whole numbers", what);
  int64_t *items = bpi_arena_alloc(&p->temp, (size_t)a->size, sizeof *items);
  if (!items)
    return bpi_lang_nomem(p);
  for (int64_t i = 0; i < a->size; i++)
    if (whole_at(p, a, i, what, &items[i]) != BP_OK)
      return p->status;
  *list = items;
  *n = a->size;
  return BP_OK;
}

bp_status bpi_static_dims(bp_program *p, const bpi_value *v, int *rank, int64_t *dims)
{
  const int64_t *list = NULL;
  int64_t n = 0, size;
  if (bpi_static_ints(p, v, "a shape", &list, &n) != BP_OK)
    return p->status;
  if (n > BP_MAX_RANK)
    return bpi_wrong(p, BP_E_LIMIT, "an array has at most %d axes, not %lld", BP_MAX_RANK, (long long)n);
  if (n)
    memcpy(dims, list, (size_t)n * sizeof *dims);
  *rank = (int)n;
  return bpi_size((int)n, dims, &size)
             ? BP_OK
             : bpi_wrong(p, BP_E_LIMIT, "a dim is negative, or the array has too many elements");
}

bp_status bpi_static_dtype(bp_program *p, const bpi_value *v, bp_dtype *t)
{
  bpi_value named;
  if (v->kind == BPI_V_TEXT && bpi_builtin(p, v->text, false, &named) && named.kind == BPI_V_DTYPE) {
    *t = (bp_dtype)named.dtype;
    return BP_OK;
  }
  if (v->kind == BPI_V_NUMBER)
    return bpi_wrong(
        p, BP_E_DTYPE,
        "a type (real, int64 or bool) is wanted here, not a number; several dims are one argument, "
        "as in zeros((3, 4))");
  if (v->kind != BPI_V_DTYPE)
    return bpi_wrong(p, BP_E_DTYPE, "a type is real, int64 or bool");
  *t = (bp_dtype)v->dtype;
  return BP_OK;
}
