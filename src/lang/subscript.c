/* x[...]: numbers, slices, None, ..., and arrays of indices, as NumPy takes them: a slice, then a gather, then a reshape. */
#include "lang/lang.h"

#include <string.h>

typedef enum part_kind { PART_SLICE, PART_NUMBER, PART_ARRAY, PART_NEW } part_kind;

typedef struct part {
  part_kind kind;
  bpi_value index; /* of an array */
  int axis;        /* of x; -1 for a new one */
} part;

typedef struct subscript {
  part parts[3 * BP_MAX_RANK];
  int n;
  int64_t start[BP_MAX_RANK], stop[BP_MAX_RANK], step[BP_MAX_RANK];
  bool cuts; /* some axis is not taken whole */
  int first_array, arrays;
} subscript;

/* A tuple or list indexed. */
static bp_status index_list(bp_program *p, const bpi_value *x, const bpi_value *at, uint32_t n,
                            bpi_value *out)
{
  int64_t i;
  if (n != 1 || at->kind == BPI_V_SLICE)
    return bpi_wrong(p, BP_E_ARG, "a tuple is indexed by one whole number");
  if (bpi_static_int(p, at, "an index", &i) != BP_OK)
    return p->status;
  i += i < 0 ? x->n : 0;
  if (i < 0 || i >= x->n)
    return bpi_wrong(p, BP_E_RANGE, "index %lld is outside a tuple of %u", (long long)i, x->n);
  *out = x->items[i];
  return BP_OK;
}

static bool is_index_array(bp_program *p, bpi_value *v)
{
  bp_type t;
  if (v->kind == BPI_V_NUMBER)
    return false;
  if (bpi_type_of(p, v, &t) != BP_OK)
    return true;
  return t.rank > 0 || !(bpi_known(p, v) || v->kind == BPI_V_INPUT);
}

static bp_status take_number(bp_program *p, subscript *s, const bp_type *t, int axis, const bpi_value *v)
{
  int64_t i, n = t->dims[axis];
  if (bpi_static_int(p, v, "an index", &i) != BP_OK)
    return p->status;
  if (i < -n || i >= n)
    return bpi_wrong(p, BP_E_RANGE, "index %lld is outside axis %d, which has %lld elements", (long long)i,
                     axis, (long long)n);
  s->start[axis] = i < 0 ? i + n : i;
  s->stop[axis] = s->start[axis] + 1;
  s->cuts = true;
  return BP_OK;
}

static bp_status take_slice(bp_program *p, subscript *s, const bp_type *t, int axis, const bpi_value *v)
{
  int64_t step = 1;
  if (v->items[2].kind != BPI_V_NONE && bpi_static_int(p, &v->items[2], "a step", &step) != BP_OK)
    return p->status;
  if (step == 0)
    return bpi_wrong(p, BP_E_ARG, "the step of a slice is 0");
  int64_t n = t->dims[axis], start = step < 0 ? n - 1 : 0, stop = step < 0 ? -n - 1 : n;
  if (v->items[0].kind != BPI_V_NONE &&
      bpi_static_int(p, &v->items[0], "the start of a slice", &start) != BP_OK)
    return p->status;
  if (v->items[1].kind != BPI_V_NONE && bpi_static_int(p, &v->items[1], "the end of a slice", &stop) != BP_OK)
    return p->status;
  s->cuts = s->cuts || step != 1 || start != 0 || stop != n;
  s->start[axis] = start;
  s->stop[axis] = stop;
  s->step[axis] = step;
  return BP_OK;
}

static bp_status add_part(bp_program *p, subscript *s, part_kind kind, int axis, const bpi_value *index)
{
  if (s->n == (int)(sizeof s->parts / sizeof *s->parts))
    return bpi_wrong(p, BP_E_LIMIT, "too many subscripts");
  s->parts[s->n++] = (part){kind, index ? *index : (bpi_value){.kind = BPI_V_NONE}, axis};
  return BP_OK;
}

static bp_status take_array(bp_program *p, subscript *s, int axis, const bpi_value *v)
{
  if (s->arrays && axis != s->first_array + s->arrays)
    return bpi_wrong(p, BP_E_UNSUPPORTED, "arrays of indices must be on neighbouring axes");
  if (!s->arrays)
    s->first_array = axis;
  s->arrays++;
  return add_part(p, s, PART_ARRAY, axis, v);
}

/* How many axes of x the subscripts name. */
static int axes_named(const bpi_value *at, uint32_t n)
{
  int count = 0;
  for (uint32_t i = 0; i < n; i++)
    count += at[i].kind != BPI_V_NONE && at[i].kind != BPI_V_ELLIPSIS;
  return count;
}

static bp_status read_parts(bp_program *p, const bp_type *t, bpi_value *at, uint32_t n, subscript *s)
{
  int axis = 0, named = axes_named(at, n), open = t->rank - named;
  bool seen = false;
  if (named > t->rank)
    return bpi_wrong(p, BP_E_SHAPE, "%d subscripts for an array of %d axes", named, t->rank);
  for (uint32_t i = 0; i < n && p->status == BP_OK; i++) {
    bpi_value *v = &at[i];
    if (v->kind == BPI_V_ELLIPSIS && seen)
      return bpi_wrong(p, BP_E_ARG, "... stands for all other axes, and only once");
    if (v->kind == BPI_V_ELLIPSIS) {
      for (seen = true; open > 0 && p->status == BP_OK; open--)
        add_part(p, s, PART_SLICE, axis++, NULL);
    } else if (v->kind == BPI_V_NONE) {
      add_part(p, s, PART_NEW, -1, NULL);
    } else if (v->kind == BPI_V_SLICE) {
      if (take_slice(p, s, t, axis, v) == BP_OK)
        add_part(p, s, PART_SLICE, axis++, NULL);
    } else if (is_index_array(p, v)) {
      take_array(p, s, axis++, v);
    } else if (take_number(p, s, t, axis, v) == BP_OK) {
      add_part(p, s, PART_NUMBER, axis++, NULL);
    }
  }
  while (axis < t->rank && p->status == BP_OK)
    add_part(p, s, PART_SLICE, axis++, NULL);
  return p->status;
}

/* NumPy moves the axes of arrays of indices to the front where a slice stands between them and a number. That surprises, so it is
 * refused. */
static bp_status check_neighbours(bp_program *p, const subscript *s)
{
  int first = -1, last = -1;
  for (int k = 0; k < s->n; k++)
    if (s->parts[k].kind == PART_NUMBER || s->parts[k].kind == PART_ARRAY) {
      first = first < 0 ? k : first;
      last = k;
    }
  for (int k = first; k >= 0 && k <= last; k++)
    if (s->parts[k].kind == PART_SLICE || s->parts[k].kind == PART_NEW)
      return bpi_wrong(
          p, BP_E_UNSUPPORTED,
          "a slice stands between numbers and arrays of indices; index in two steps: x[1][:, [0,2]]");
  return BP_OK;
}

/* Negative indices that are known count from the end. */
static bp_status wrap_index(bp_program *p, bpi_value *v, int64_t n)
{
  bp_type t;
  if (bpi_type_of(p, v, &t) != BP_OK)
    return p->status;
  if (t.dtype == BP_BOOL)
    return bpi_wrong(p, BP_E_UNSUPPORTED,
                     "the size of a selection by truths is not known; where(test, a, b) keeps the shape");
  if (!bpi_known(p, v))
    return BP_OK;
  const bpi_larray *a = bpi_host(p, v);
  const int64_t *list;
  int64_t count;
  bpi_value flat = a ? bpi_v_array(bpi_new_array(p, BP_INT64, a->type.rank, a->type.dims, false), true) : *v;
  if (!a || !flat.array)
    return p->status;
  bpi_larray line = *a;
  line.type = (bp_type){.dtype = a->type.dtype, .rank = 1, .dims = {a->size}};
  bpi_value as_line = bpi_v_array(&line, true);
  if (bpi_static_ints(p, &as_line, "an index", &list, &count) != BP_OK)
    return p->status;
  for (int64_t i = 0; i < count; i++) {
    if (list[i] < -n || list[i] >= n)
      return bpi_wrong(p, BP_E_RANGE, "index %lld is outside an axis of %lld elements", (long long)list[i],
                       (long long)n);
    ((int64_t *)flat.array->data)[i] = list[i] < 0 ? list[i] + n : list[i];
  }
  *v = flat;
  return BP_OK;
}

/* i*n + j: indices of two neighbouring axes as one. */
static bp_status merge_index(bp_program *p, bpi_value *i, const bpi_value *j, int64_t n)
{
  bpi_value scaled[2] = {*i, bpi_v_whole(n)}, both[2];
  bp_attr type = {.i = BP_INT64};
  for (int k = 0; k < 2; k++) {
    bpi_value *v = k ? &both[1] : &scaled[0];
    if (k)
      *v = *j;
    if (v->flex || v->kind == BPI_V_INPUT) {
      bpi_value cast = *v;
      bp_node node = bpi_to_node(p, bpi_known(p, v) ? bpi_scratch(p) : p->env->graph, &cast, BP_INT64);
      *v = bpi_v_node(node);
    }
  }
  (void)type;
  if (p->status != BP_OK || bpi_apply_named(p, "mul", scaled, 2, &both[0]) != BP_OK)
    return p->status;
  return bpi_apply_named(p, "add", both, 2, i);
}

static bp_status gather_parts(bp_program *p, subscript *s, bpi_value *x)
{
  bp_type t;
  bpi_value pair[2], index = {.kind = BPI_V_NONE};
  int first = s->first_array, left = s->arrays;
  if (bpi_type_of(p, x, &t) != BP_OK)
    return p->status;
  for (int k = 0; k < s->n; k++) {
    if (s->parts[k].kind != PART_ARRAY)
      continue;
    int64_t n = t.dims[s->parts[k].axis];
    if (wrap_index(p, &s->parts[k].index, n) != BP_OK)
      return p->status;
    if (left-- == s->arrays)
      index = s->parts[k].index;
    else if (merge_index(p, &index, &s->parts[k].index, n) != BP_OK)
      return p->status;
  }
  if (s->arrays > 1) {
    int64_t dims[BP_MAX_RANK] = {0};
    int rank = 0;
    for (int i = 0; i < t.rank; i++)
      if (i <= first || i >= first + s->arrays)
        dims[rank++] = t.dims[i];
      else /* first >= 0: the axis before was taken */
        dims[rank > 0 ? rank - 1 : 0] *= t.dims[i];
    bp_attr attr = {.v = dims, .n = rank};
    bpi_value whole = *x;
    if (bpi_apply_row(p, bp_op_find("reshape"), &whole, 1, &attr, x) != BP_OK)
      return p->status;
  }
  bp_attr axis = {.i = first};
  pair[0] = *x;
  pair[1] = index;
  return bpi_apply_row(p, bp_op_find("gather"), pair, 2, &axis, x);
}

/* Dims of the result: numbers drop their axis, None adds one, arrays have put theirs in the place of the first. */
static bp_status final_shape(bp_program *p, const subscript *s, bpi_value *x)
{
  bp_type t;
  int64_t dims[BP_MAX_RANK];
  int rank = 0, axis = 0;
  bool changed = false, gathered = false;
  if (bpi_type_of(p, x, &t) != BP_OK)
    return p->status;
  for (int k = 0; k < s->n; k++) {
    part_kind kind = s->parts[k].kind;
    int take = kind == PART_SLICE ? 1 : 0;
    if (kind == PART_ARRAY && !gathered) {
      int others = 0;
      for (int i = 0; i < s->n; i++)
        others += s->parts[i].kind == PART_SLICE || s->parts[i].kind == PART_NUMBER;
      take = t.rank - others;
      gathered = true;
    }
    changed = changed || kind == PART_NUMBER || kind == PART_NEW;
    if (rank + take + (kind == PART_NEW) > BP_MAX_RANK)
      return bpi_wrong(p, BP_E_LIMIT, "an array has at most %d axes", BP_MAX_RANK);
    if (kind == PART_NEW)
      dims[rank++] = 1;
    for (int i = 0; i < take; i++)
      dims[rank++] = t.dims[axis++];
    axis += kind == PART_NUMBER;
  }
  if (!changed)
    return BP_OK;
  bp_attr attr = {.v = dims, .n = rank};
  bpi_value whole = *x;
  return bpi_apply_row(p, bp_op_find("reshape"), &whole, 1, &attr, x);
}

bp_status bpi_index(bp_program *p, bpi_value *x, bpi_value *at, uint32_t n, bpi_value *out)
{
  bp_type t;
  subscript s;
  if (x->kind == BPI_V_LIST && x->tuple)
    return index_list(p, x, at, n, out);
  if (bpi_type_of(p, x, &t) != BP_OK)
    return p->status;
  memset(&s, 0, sizeof s);
  for (int i = 0; i < t.rank; i++) {
    s.stop[i] = t.dims[i];
    s.step[i] = 1;
  }
  if (n == 1 && at[0].kind == BPI_V_LIST && at[0].tuple) { /* x[(1, 2)] is x[1, 2] */
    if (bpi_spread(p, &at[0], &at, &n) != BP_OK)
      return p->status;
  }
  if (read_parts(p, &t, at, n, &s) != BP_OK)
    return p->status;
  *out = *x;
  out->keyword = NULL;
  if (s.cuts) {
    bp_attr attr[3] = {{.v = s.start, .n = t.rank}, {.v = s.stop, .n = t.rank}, {.v = s.step, .n = t.rank}};
    if (bpi_apply_row(p, bp_op_find("slice"), x, 1, attr, out) != BP_OK)
      return p->status;
  }
  if (s.arrays && (check_neighbours(p, &s) != BP_OK || gather_parts(p, &s, out) != BP_OK))
    return p->status;
  return final_shape(p, &s, out);
}
