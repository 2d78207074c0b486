/* Arrays made while reading: filled, counted, drawn, and their types. */
#include "lang/lang.h"
#include "base/rng.h"

#include <math.h>
#include <string.h>

/* As the row cast: towards 0, and the smallest where int64 has no such number. */
static bpi_larray *converted(bp_program *p, const bpi_larray *a, bp_dtype t)
{
  bpi_larray *b = bpi_new_array(p, t, a->type.rank, a->type.dims, a->splat);
  for (int64_t i = 0; b && i < (a->splat ? 1 : a->size); i++) {
    double r = bpi_array_real(a, i);
    if (t == BP_REAL)
      ((double *)b->data)[i] = r;
    else if (t == BP_BOOL)
      ((uint8_t *)b->data)[i] = r != 0;
    else if (a->type.dtype == BP_INT64)
      ((int64_t *)b->data)[i] = ((const int64_t *)a->data)[i];
    else
      ((int64_t *)b->data)[i] =
          r >= -9223372036854775808.0 && r < 9223372036854775808.0 ? (int64_t)r : INT64_MIN;
  }
  return b;
}

/* An array of these dims whose every element is that of `one`. */
static bp_status splat_of(bp_program *p, const bpi_larray *one, int rank, const int64_t *dims, bool flex,
                          bpi_value *out)
{
  bpi_larray *a = bpi_new_array(p, one->type.dtype, rank, dims, true);
  if (!a)
    return p->status;
  a->data = one->data;
  *out = bpi_v_array(a, flex);
  return BP_OK;
}

static bp_status filled(bp_program *p, const bpi_value *shape, const bpi_value *dtype, const bpi_value *value,
                        bpi_value *out)
{
  int64_t dims[BP_MAX_RANK];
  int rank;
  bp_dtype t;
  const bpi_larray *a = bpi_host(p, value);
  if (!a)
    return p->status;
  if (a->size != 1)
    return bpi_wrong(p, BP_E_SHAPE, "full takes one number to fill with");
  bool flex = value->flex || (value->kind == BPI_V_INPUT && value->input->flex);
  if (bpi_dtype_of(p, dtype, flex ? BP_REAL : a->type.dtype, &t) != BP_OK ||
      bpi_dims_of(p, shape, &rank, dims) != BP_OK)
    return p->status;
  const bpi_larray *one = converted(p, a, t);
  return one ? splat_of(p, one, rank, dims, false, out) : p->status;
}

static bp_status run_zeros(bp_program *p, bpi_value *v, bpi_value *out)
{
  bpi_value zero = bpi_v_number(0, BP_REAL, false);
  return filled(p, &v[0], &v[1], &zero, out);
}

static bp_status run_ones(bp_program *p, bpi_value *v, bpi_value *out)
{
  bpi_value one = bpi_v_number(1, BP_REAL, false);
  return filled(p, &v[0], &v[1], &one, out);
}

static bp_status run_full(bp_program *p, bpi_value *v, bpi_value *out)
{
  return filled(p, &v[0], &v[2], &v[1], out);
}

/* Every element of its own, unlike full: what an array of no elements, or of equal ones, is written as where that matters. */
static bp_status run_empty(bp_program *p, bpi_value *v, bpi_value *out)
{
  int64_t dims[BP_MAX_RANK];
  int rank;
  bp_dtype t;
  if (bpi_dtype_of(p, &v[1], BP_REAL, &t) != BP_OK || bpi_dims_of(p, &v[0], &rank, dims) != BP_OK)
    return p->status;
  bpi_larray *a = bpi_new_array(p, t, rank, dims, false);
  if (a)
    *out = bpi_v_array(a, false);
  return p->status;
}

/* Of the type of x; open where that is. */
static bp_status like(bp_program *p, bpi_value *v, double number, bpi_value *out)
{
  bp_type t;
  bp_dtype dtype;
  if (bpi_type_of(p, &v[0], &t) != BP_OK || bpi_dtype_of(p, &v[1], t.dtype, &dtype) != BP_OK)
    return p->status;
  bpi_value x = bpi_v_number(number, BP_REAL, false);
  const bpi_larray *a = bpi_host(p, &x), *one = a ? converted(p, a, dtype) : NULL;
  return one ? splat_of(p, one, t.rank, t.dims, bpi_absent(&v[1]) && bpi_untyped(&v[0]), out) : p->status;
}

static bp_status run_zeros_like(bp_program *p, bpi_value *v, bpi_value *out)
{
  return like(p, v, 0, out);
}

static bp_status run_ones_like(bp_program *p, bpi_value *v, bpi_value *out)
{
  return like(p, v, 1, out);
}

static bp_status run_eye(bp_program *p, bpi_value *v, bpi_value *out)
{
  int64_t dims[2];
  if (bpi_static_int(p, &v[0], "N", &dims[0]) != BP_OK)
    return p->status;
  dims[1] = dims[0];
  if (!bpi_absent(&v[1]) && bpi_static_int(p, &v[1], "M", &dims[1]) != BP_OK)
    return p->status;
  bpi_larray *a = bpi_new_array(p, BP_REAL, 2, dims, false);
  if (!a)
    return p->status;
  for (int64_t i = 0; i < dims[0] && i < dims[1]; i++)
    ((double *)a->data)[i * dims[1] + i] = 1;
  *out = bpi_v_array(a, false);
  return BP_OK;
}

static bool whole_value(const bpi_value *v)
{
  return bpi_absent(v) || v->flex ||
         ((v->kind == BPI_V_NUMBER || v->kind == BPI_V_ARRAY) && v->dtype == BP_INT64);
}

/* Whole numbers exactly: differences in 64 bits without a sign, which hold them all. */
static bp_status whole_range(bp_program *p, bpi_value *first, bpi_value *after, bpi_value *by, bpi_value *out)
{
  int64_t start = 0, stop, step = 1;
  if ((first && bpi_static_int(p, first, "start", &start) != BP_OK) ||
      bpi_static_int(p, after, "stop", &stop) != BP_OK ||
      (!bpi_absent(by) && bpi_static_int(p, by, "step", &step) != BP_OK))
    return p->status;
  if (step == 0)
    return bpi_wrong(p, BP_E_ARG, "arange: the step is 0");
  uint64_t from = (uint64_t)start, each = step > 0 ? (uint64_t)step : 0 - (uint64_t)step;
  uint64_t way = step > 0 ? (uint64_t)stop - from : from - (uint64_t)stop;
  uint64_t count = (step > 0 ? stop > start : stop < start) ? (way - 1) / each + 1 : 0;
  int64_t dims[1] = {count > INT64_MAX ? INT64_MAX : (int64_t)count};
  bpi_larray *a = bpi_new_array(p, BP_INT64, 1, dims, false);
  if (!a)
    return p->status;
  for (uint64_t i = 0; i < count; i++)
    ((int64_t *)a->data)[i] = (int64_t)(from + i * (uint64_t)step);
  *out = bpi_v_array(a, true);
  return BP_OK;
}

static bp_status run_arange(bp_program *p, bpi_value *v, bpi_value *out)
{
  double start = 0, stop, step = 1;
  bool from_zero = bpi_absent(&v[1]);
  bpi_value *first = from_zero ? NULL : &v[0], *after = from_zero ? &v[0] : &v[1];
  if (whole_value(&v[0]) && whole_value(&v[1]) && whole_value(&v[2]))
    return whole_range(p, first, after, &v[2], out);
  if ((first && bpi_static_real(p, first, "start", &start) != BP_OK) ||
      bpi_static_real(p, after, "stop", &stop) != BP_OK ||
      (!bpi_absent(&v[2]) && bpi_static_real(p, &v[2], "step", &step) != BP_OK))
    return p->status;
  double count = ceil((stop - start) / step);
  if (!(fabs(count) <= 9e15))
    return bpi_wrong(p, BP_E_ARG, "arange: the step is 0, or the range is not finite");
  int64_t dims[1] = {count > 0 ? (int64_t)count : 0};
  bpi_larray *a = bpi_new_array(p, BP_REAL, 1, dims, false);
  if (!a)
    return p->status;
  for (int64_t i = 0; i < a->size; i++)
    ((double *)a->data)[i] = start + (double)i * step;
  *out = bpi_v_array(a, false);
  return BP_OK;
}

static bp_status run_linspace(bp_program *p, bpi_value *v, bpi_value *out)
{
  double start, stop;
  int64_t dims[1] = {50};
  if (bpi_static_real(p, &v[0], "start", &start) != BP_OK ||
      bpi_static_real(p, &v[1], "stop", &stop) != BP_OK ||
      (!bpi_absent(&v[2]) && bpi_static_int(p, &v[2], "num", &dims[0]) != BP_OK))
    return p->status;
  bpi_larray *a = bpi_new_array(p, BP_REAL, 1, dims, false);
  if (!a)
    return p->status;
  double step = a->size > 1 ? (stop - start) / (double)(a->size - 1) : 0;
  for (int64_t i = 0; i < a->size; i++)
    ((double *)a->data)[i] = i && i == a->size - 1 ? stop : start + (double)i * step;
  *out = bpi_v_array(a, false);
  return BP_OK;
}

/* ---- draws: each call has a stream of its own, so that a draw does not depend on the sizes of those before it ---- */

enum { DRAW_STREAMS = 0x20000000 };

static bpi_larray *drawn(bp_program *p, const bpi_value *shape, bool normal)
{
  int64_t dims[BP_MAX_RANK] = {0};
  int rank = 0;
  if (!bpi_absent(shape) && bpi_dims_of(p, shape, &rank, dims) != BP_OK)
    return NULL;
  bpi_larray *a = bpi_new_array(p, BP_REAL, rank, dims, false);
  if (!a)
    return NULL;
  bpi_key key = {.seed = p->options.seed, .stream = DRAW_STREAMS + (uint32_t)p->draws++};
  p->env->once = true;
  double *x = a->data;
  for (int64_t i = 0; i < a->size; i++)
    x[i] = normal ? bpi_normal(key, (uint64_t)i) : bpi_uniform(key, (uint64_t)i);
  return a;
}

static bp_status run_randn(bp_program *p, bpi_value *v, bpi_value *out)
{
  bpi_larray *a = drawn(p, &v[0], true);
  if (a)
    *out = bpi_v_array(a, false);
  return p->status;
}

static bp_status run_rand(bp_program *p, bpi_value *v, bpi_value *out)
{
  bpi_larray *a = drawn(p, &v[0], false);
  if (a)
    *out = bpi_v_array(a, false);
  return p->status;
}

static bp_status two_reals(bp_program *p, bpi_value *v, double *a, double *b)
{
  if (!bpi_absent(&v[0]) && bpi_static_real(p, &v[0], "the first argument", a) != BP_OK)
    return p->status;
  return bpi_absent(&v[1]) ? BP_OK : bpi_static_real(p, &v[1], "the second argument", b);
}

static bp_status run_draw_normal(bp_program *p, bpi_value *v, bpi_value *out)
{
  double mean = 0, scale = 1;
  bpi_larray *a = two_reals(p, v, &mean, &scale) == BP_OK ? drawn(p, &v[2], true) : NULL;
  if (!a)
    return p->status;
  for (int64_t i = 0; i < a->size; i++)
    ((double *)a->data)[i] = mean + scale * ((double *)a->data)[i];
  *out = bpi_v_array(a, false);
  return BP_OK;
}

static bp_status run_draw_uniform(bp_program *p, bpi_value *v, bpi_value *out)
{
  double lo = 0, hi = 1;
  bpi_larray *a = two_reals(p, v, &lo, &hi) == BP_OK ? drawn(p, &v[2], false) : NULL;
  if (!a)
    return p->status;
  for (int64_t i = 0; i < a->size; i++)
    ((double *)a->data)[i] = lo + (hi - lo) * ((double *)a->data)[i];
  *out = bpi_v_array(a, false);
  return BP_OK;
}

static bp_status run_randint(bp_program *p, bpi_value *v, bpi_value *out)
{
  int64_t lo = 0, hi;
  bool two = !bpi_absent(&v[1]);
  if ((two && bpi_static_int(p, &v[0], "low", &lo) != BP_OK) ||
      bpi_static_int(p, two ? &v[1] : &v[0], "high", &hi) != BP_OK)
    return p->status;
  if (hi <= lo || (lo < 0 && hi > INT64_MAX + lo))
    return bpi_wrong(p, BP_E_ARG, "randint: high must be over low");
  bpi_larray *a = drawn(p, &v[2], false);
  bpi_larray *whole = a ? bpi_new_array(p, BP_INT64, a->type.rank, a->type.dims, false) : NULL;
  if (!whole)
    return p->status;
  for (int64_t i = 0; i < a->size; i++)
    ((int64_t *)whole->data)[i] = lo + (int64_t)floor(((double *)a->data)[i] * (double)(hi - lo));
  *out = bpi_v_array(whole, true);
  return BP_OK;
}

static bp_status run_seed(bp_program *p, bpi_value *v, bpi_value *out)
{
  int64_t seed;
  if (bpi_static_int(p, &v[0], "seed", &seed) != BP_OK)
    return p->status;
  p->options.seed = (uint64_t)seed;
  p->draws = 0;
  *out = (bpi_value){.kind = BPI_V_NONE};
  return BP_OK;
}

/* ---- types ---- */

/* Known numbers change their type on the spot; nodes through the row. */
static bp_status as_type(bp_program *p, const bpi_value *v, bp_dtype t, bpi_value *out)
{
  bpi_value x = *v;
  bp_type type;
  if (bpi_type_of(p, &x, &type) != BP_OK)
    return p->status;
  if ((x.kind == BPI_V_NUMBER || x.kind == BPI_V_ARRAY)) {
    bpi_larray *a = bpi_host(p, &x);
    bpi_larray *b = a ? converted(p, a, t) : NULL;
    if (!b)
      return p->status;
    *out = bpi_v_array(b, false);
    return BP_OK;
  }
  bp_dtype own = x.kind == BPI_V_INPUT && x.input->flex && bp_failed(x.input->node) ? t : type.dtype;
  if (own == t) { /* a name whose type is open becomes an input of this type */
    bp_node n = bpi_to_node(p, bpi_known(p, &x) ? bpi_scratch(p) : p->env->graph, &x, t);
    *out = bpi_v_node(n);
    return p->status;
  }
  bp_attr dtype = {.i = t};
  return bpi_apply_row(p, bp_op_find("cast"), &x, 1, &dtype, out);
}

static bp_status run_real(bp_program *p, bpi_value *v, bpi_value *out)
{
  return as_type(p, &v[0], BP_REAL, out);
}

static bp_status run_int64(bp_program *p, bpi_value *v, bpi_value *out)
{
  return as_type(p, &v[0], BP_INT64, out);
}

static bp_status run_bool(bp_program *p, bpi_value *v, bpi_value *out)
{
  return as_type(p, &v[0], BP_BOOL, out);
}

static bp_status run_astype(bp_program *p, bpi_value *v, bpi_value *out)
{
  bp_dtype t;
  return bpi_static_dtype(p, &v[1], &t) == BP_OK ? as_type(p, &v[0], t, out) : p->status;
}

static bp_status run_array(bp_program *p, bpi_value *v, bpi_value *out)
{
  bp_dtype t;
  *out = v[0];
  if (bpi_pack(p, out) != BP_OK)
    return p->status;
  if (bpi_absent(&v[1]))
    return BP_OK;
  return bpi_static_dtype(p, &v[1], &t) == BP_OK ? as_type(p, out, t, out) : p->status;
}

const bpi_native bpi_array_natives[] = {
    {"zeros", "shape, dtype?", run_zeros, 0},
    {"ones", "shape, dtype?", run_ones, 0},
    {"full", "shape, fill_value, dtype?", run_full, 0},
    {"empty", "shape, dtype?", run_empty, 0},
    {"zeros_like", "x, dtype?", run_zeros_like, 0},
    {"ones_like", "x, dtype?", run_ones_like, 0},
    {"eye", "N, M?", run_eye, 0},
    {"identity", "N", run_eye, 0},
    {"arange", "start, stop?, step?", run_arange, 0},
    {"range", "start, stop?, step?", run_arange, 0},
    {"linspace", "start, stop, num?", run_linspace, 0},
    {"randn", "*shape", run_randn, 0},
    {"rand", "*shape", run_rand, 0},
    {"randn", "*shape", run_randn, BPI_OF_RANDOM},
    {"rand", "*shape", run_rand, BPI_OF_RANDOM},
    {"random", "shape?", run_rand, BPI_OF_RANDOM},
    {"random_sample", "shape?", run_rand, BPI_OF_RANDOM},
    {"standard_normal", "shape?", run_randn, BPI_OF_RANDOM},
    {"normal", "loc?, scale?, shape?", run_draw_normal, BPI_OF_RANDOM},
    {"uniform", "low?, high?, shape?", run_draw_uniform, BPI_OF_RANDOM},
    {"randint", "low, high?, shape?", run_randint, 0},
    {"randint", "low, high?, shape?", run_randint, BPI_OF_RANDOM},
    {"seed", "seed", run_seed, 0},
    {"seed", "seed", run_seed, BPI_OF_RANDOM},
    {"array", "x, dtype?", run_array, 0},
    {"asarray", "x, dtype?", run_array, 0},
    {"real", "x", run_real, 0},
    {"float", "x", run_real, 0},
    {"float64", "x", run_real, 0},
    {"float32", "x", run_real, 0},
    {"int64", "x", run_int64, 0},
    {"int", "x", run_int64, 0},
    {"bool", "x", run_bool, 0},
    {"astype", "x, dtype", run_astype, 0},
    {0},
};
