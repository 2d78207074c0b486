/* Shapes as NumPy changes them, and what is asked of them: each a reshape, a transpose or a join. */
#include "lang/lang.h"

#include <string.h>

static bp_status apply_ints(bp_program *p, const char *row, bpi_value *x, const int64_t *list, int64_t n,
                            bpi_value *out)
{
  bp_attr attr[BP_MAX_ATTRS] = {{{.v = list}, .n = n}};
  return bpi_apply_row(p, bp_op_find(row), x, 1, attr, out);
}

static bp_status reshaped(bp_program *p, bpi_value *x, const bp_type *t, bpi_value *out)
{
  bp_type own;
  if (bpi_type_of(p, x, &own) != BP_OK)
    return p->status;
  if (bpi_same_shape(&own, t)) {
    *out = *x;
    return BP_OK;
  }
  return apply_ints(p, "reshape", x, t->dims, t->rank, out);
}

static bp_status run_reshape(bp_program *p, bpi_value *v, bpi_value *out)
{
  const int64_t *list;
  int64_t n;
  const bpi_value *shape = v[1].kind == BPI_V_LIST && v[1].n == 1 ? &v[1].items[0] : &v[1];
  if (v[1].kind == BPI_V_LIST && v[1].n == 0)
    return bpi_wrong(p, BP_E_ARG, "reshape: the shape is missing; x.reshape(2, 3) or reshape(x, (2, 3))");
  return bpi_static_ints(p, shape, "a shape", &list, &n) == BP_OK
             ? apply_ints(p, "reshape", &v[0], list, n, out)
             : p->status;
}

static bp_status run_transpose(bp_program *p, bpi_value *v, bpi_value *out)
{
  const int64_t *list = NULL;
  int64_t n = 0;
  const bpi_value *perm = v[1].kind == BPI_V_LIST && v[1].n == 1 ? &v[1].items[0] : &v[1];
  if (perm->kind != BPI_V_NONE && !(perm->kind == BPI_V_LIST && perm->n == 0) &&
      bpi_static_ints(p, perm, "axes", &list, &n) != BP_OK)
    return p->status;
  return apply_ints(p, "transpose", &v[0], list, n, out);
}

static bp_status run_ravel(bp_program *p, bpi_value *v, bpi_value *out)
{
  static const int64_t all[1] = {-1};
  return apply_ints(p, "reshape", &v[0], all, 1, out);
}

static bp_status axis_of(bp_program *p, const bpi_value *v, int rank, int64_t *axis)
{
  if (bpi_static_int(p, v, "axis", axis) != BP_OK)
    return p->status;
  if (*axis < -rank || *axis >= rank)
    return bpi_wrong(p, BP_E_RANGE, "axis %lld is outside -%d..%d", (long long)*axis, rank, rank - 1);
  *axis += *axis < 0 ? rank : 0;
  return BP_OK;
}

static bp_status run_squeeze(bp_program *p, bpi_value *v, bpi_value *out)
{
  bp_type t, less = {0};
  int64_t axis = -1;
  if (bpi_type_of(p, &v[0], &t) != BP_OK || (!bpi_absent(&v[1]) && axis_of(p, &v[1], t.rank, &axis) != BP_OK))
    return p->status;
  if (axis >= 0 && t.dims[axis] != 1)
    return bpi_wrong(p, BP_E_SHAPE, "squeeze: axis %lld has %lld elements, not 1", (long long)axis,
                     (long long)t.dims[axis]);
  for (int i = 0; i < t.rank; i++)
    if (axis >= 0 ? i != axis : t.dims[i] != 1)
      less.dims[less.rank++] = t.dims[i];
  return reshaped(p, &v[0], &less, out);
}

static bp_status run_expand_dims(bp_program *p, bpi_value *v, bpi_value *out)
{
  bp_type t, more = {0};
  int64_t axis;
  if (bpi_type_of(p, &v[0], &t) != BP_OK || axis_of(p, &v[1], t.rank + 1, &axis) != BP_OK)
    return p->status;
  if (t.rank == BP_MAX_RANK)
    return bpi_wrong(p, BP_E_LIMIT, "an array has at most %d axes", BP_MAX_RANK);
  for (int i = 0; i <= t.rank; i++)
    more.dims[more.rank++] = i == axis ? 1 : t.dims[i < axis ? i : i - 1];
  return reshaped(p, &v[0], &more, out);
}

/* np.stack and its kin: each part reshaped, then joined. */
static bp_status joined(bp_program *p, const bpi_value *parts, int64_t axis, bool new_axis, int least_rank,
                        bpi_value *out)
{
  bpi_value *items, *x;
  uint32_t n;
  if (bpi_spread(p, parts, &items, &n) != BP_OK)
    return p->status;
  x = bpi_arena_alloc(&p->temp, n, sizeof *x);
  if (!x)
    return bpi_lang_nomem(p);
  for (uint32_t i = 0; i < n; i++) {
    bp_type t, more = {0};
    x[i] = items[i];
    if (bpi_type_of(p, &x[i], &t) != BP_OK)
      return p->status;
    int64_t at = axis < 0 ? axis + t.rank + 1 : axis;
    int rank = new_axis ? t.rank + 1 : t.rank < least_rank ? least_rank : t.rank;
    if (rank > BP_MAX_RANK || (new_axis && (at < 0 || at > t.rank)))
      return bpi_wrong(p, BP_E_RANGE, "axis %lld does not fit %s", (long long)axis, bpi_type_text(p, &x[i]));
    for (int k = 0; k < rank; k++)
      more.dims[more.rank++] = new_axis            ? (k == at ? 1 : t.dims[k < at ? k : k - 1])
                               : k < rank - t.rank ? 1
                                                   : t.dims[k - (rank - t.rank)];
    if (reshaped(p, &x[i], &more, &x[i]) != BP_OK)
      return p->status;
    if (new_axis && i == 0)
      axis = at;
  }
  bp_attr attr = {.i = axis};
  return bpi_apply_row(p, bp_op_find("concat"), x, n, &attr, out);
}

static bp_status run_stack(bp_program *p, bpi_value *v, bpi_value *out)
{
  int64_t axis = 0;
  if (!bpi_absent(&v[1]) && bpi_static_int(p, &v[1], "axis", &axis) != BP_OK)
    return p->status;
  return joined(p, &v[0], axis, true, 0, out);
}

static bp_status run_vstack(bp_program *p, bpi_value *v, bpi_value *out)
{
  return joined(p, &v[0], 0, false, 2, out);
}

static bp_status run_hstack(bp_program *p, bpi_value *v, bpi_value *out)
{
  bpi_value *items;
  uint32_t n;
  bp_type t = {0};
  if (bpi_spread(p, &v[0], &items, &n) != BP_OK || (n && bpi_type_of(p, &items[0], &t) != BP_OK))
    return p->status;
  return joined(p, &v[0], t.rank < 2 ? 0 : 1, false, 1, out);
}

/* ---- what is asked of a shape ---- */

static bp_status run_len(bp_program *p, bpi_value *v, bpi_value *out)
{
  bp_type t;
  if (v[0].kind == BPI_V_LIST) {
    *out = bpi_v_whole(v[0].n);
    return BP_OK;
  }
  if (bpi_type_of(p, &v[0], &t) != BP_OK)
    return p->status;
  if (t.rank == 0)
    return bpi_wrong(p, BP_E_SHAPE, "a number has no length");
  *out = bpi_v_whole(t.dims[0]);
  return BP_OK;
}

static bp_status run_shape(bp_program *p, bpi_value *v, bpi_value *out)
{
  bp_type t;
  bpi_value dims[BP_MAX_RANK];
  if (bpi_type_of(p, &v[0], &t) != BP_OK)
    return p->status;
  for (int i = 0; i < t.rank; i++)
    dims[i] = bpi_v_whole(t.dims[i]);
  return bpi_list(p, dims, (uint32_t)t.rank, true, out);
}

const bpi_native bpi_shape_natives[] = {
    {"reshape", "x, *shape", run_reshape, 0},
    {"transpose", "x, *axes", run_transpose, 0},
    {"ravel", "x", run_ravel, 0},
    {"flatten", "x", run_ravel, 0},
    {"squeeze", "x, axis?", run_squeeze, 0},
    {"expand_dims", "x, axis", run_expand_dims, 0},
    {"stack", "arrays, axis?", run_stack, 0},
    {"vstack", "arrays", run_vstack, 0},
    {"hstack", "arrays", run_hstack, 0},
    {"len", "x", run_len, 0},
    {"shape", "x", run_shape, 0},
    {0},
};
