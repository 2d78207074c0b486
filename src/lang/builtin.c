/* What is built in beside the rows: NumPy's names for rows, arrays made while reading, shapes as NumPy changes them. */
#include "lang/lang.h"
#include "base/rng.h"

#include <math.h>
#include <string.h>

/* ---- NumPy's names for rows, and NumPy's order of arguments where it differs ---- */

static const bpi_alias aliases[] = {
    {"multiply", "mul", NULL, 0},
    {"subtract", "sub", NULL, 0},
    {"divide", "div", NULL, 0},
    {"true_divide", "div", NULL, 0},
    {"power", "pow", NULL, 0},
    {"negative", "neg", NULL, 0},
    {"absolute", "abs", NULL, 0},
    {"fabs", "abs", NULL, 0},
    {"arcsin", "asin", NULL, 0},
    {"arccos", "acos", NULL, 0},
    {"arctan", "atan", NULL, 0},
    {"arctan2", "atan2", NULL, 0},
    {"amax", "max", NULL, 0},
    {"amin", "min", NULL, 0},
    {"rint", "round", NULL, 0},
    {"concatenate", "concat", NULL, 0},
    {"take", "gather", NULL, BPI_FLAT},
    {"argmax", "argmax", NULL, BPI_FLAT},
    {"argmin", "argmin", NULL, BPI_FLAT},
    {"cumsum", "cumsum", NULL, BPI_FLAT},
    {"split", "split", "x, parts, axis", BPI_LISTED},
    {"broadcast_to", "broadcast", NULL, 0},
    {"swish", "silu", NULL, 0},
    {"mse", "mean_squared_error", NULL, 0},
    {"cross_entropy", "softmax_cross_entropy", NULL, 0},
};
enum { ALIASES = sizeof aliases / sizeof *aliases };

const bpi_alias *bpi_alias_find(const char *name)
{
  for (size_t i = 0; i < ALIASES; i++)
    if (strcmp(aliases[i].name, name) == 0)
      return &aliases[i];
  return NULL;
}

/* ---- constants and types ---- */

static const struct {
  const char *name;
  double value;
} numbers[] = {
    {"pi", 3.14159265358979323846}, {"e", 2.71828182845904523536}, {"inf", INFINITY}, {"nan", NAN}};

static const struct {
  const char *name;
  bp_dtype dtype;
} types[] = {{"real", BP_REAL},   {"float", BP_REAL},  {"float64", BP_REAL}, {"float32", BP_REAL},
             {"double", BP_REAL}, {"int64", BP_INT64}, {"int", BP_INT64},    {"int32", BP_INT64},
             {"bool", BP_BOOL},   {"bool_", BP_BOOL}};

static bool builtin_value(const bpi_lname *name, bpi_value *out)
{
  const char *text = name->text;
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
    if (strcmp(numbers[i].name, text) == 0) {
      *out = bpi_v_number(numbers[i].value, BP_REAL, false);
      return true;
    }
  for (size_t i = 0; i < sizeof types / sizeof *types; i++)
    if (strcmp(types[i].name, text) == 0) {
      *out = (bpi_value){.kind = BPI_V_DTYPE, .dtype = (uint8_t)types[i].dtype};
      return true;
    }
  if (strcmp(text, "None") == 0 || strcmp(text, "newaxis") == 0) {
    *out = (bpi_value){.kind = BPI_V_NONE};
    return true;
  }
  if (strcmp(text, "True") == 0 || strcmp(text, "False") == 0) {
    *out = bpi_v_number(text[0] == 'T', BP_BOOL, false);
    return true;
  }
  return false;
}

bool bpi_builtin_fn(const bpi_lname *name, bool random, bool method, bpi_lfn *fn)
{
  *fn = (bpi_lfn){0};
  fn->native = bpi_native_find(name->text, random, method);
  if (fn->native || random)
    return fn->native != NULL;
  fn->alias = bpi_alias_find(name->text);
  fn->op = bp_op_find(fn->alias ? fn->alias->row : name->text);
  return fn->op && !(fn->op->traits & (BP_INPUT | BP_STATE | BP_CONSTANT));
}

bool bpi_builtin(bp_program *p, const bpi_lname *name, bool random, bpi_value *out)
{
  bpi_lfn fn;
  if (!random && builtin_value(name, out))
    return true;
  if (!bpi_builtin_fn(name, random, false, &fn))
    return false;
  bpi_lfn *kept = bpi_arena_alloc(&p->arena, 1, sizeof *kept);
  if (!kept) {
    bpi_lang_nomem(p);
    return false;
  }
  *kept = fn;
  *out = (bpi_value){.kind = BPI_V_FN, .fn = kept};
  return true;
}

/* ---- arguments ---- */

/* "shape, dtype?, *rest" is walked word by word. */
static const char *next_param(const char *at, const char **name, size_t *n, bool *optional, bool *rest)
{
  *rest = *at == '*';
  at += *rest;
  *name = at;
  *n = strcspn(at, ",?");
  at += *n;
  *optional = *at == '?';
  at += *optional;
  return at + strspn(at, ", ");
}

static int native_param(const char *params, const bpi_lname *keyword)
{
  const char *name;
  size_t n;
  bool optional, rest;
  static const char *const same[][2] = {
      {"axes", "axis"},      {"perm", "axes"}, {"keep", "keepdims"}, {"size", "shape"},    {"dims", "shape"},
      {"newshape", "shape"}, {"object", "x"},  {"perm", "axes"},     {"keep", "keepdims"}, {"a", "x"}};
  for (int round = 0; round < 2; round++) {
    int number = 0;
    for (const char *at = params; *at; number++) {
      at = next_param(at, &name, &n, &optional, &rest);
      if (round == 0 ? n == keyword->n && strncmp(name, keyword->text, n) == 0 : false)
        return number;
      for (size_t i = 0; round == 1 && i < sizeof same / sizeof *same; i++)
        if (strcmp(same[i][0], keyword->text) == 0 && strlen(same[i][1]) == n &&
            strncmp(name, same[i][1], n) == 0)
          return number;
    }
  }
  return -1;
}

bp_status bpi_bind_args(bp_program *p, const char *function, const char *params, bpi_value *args, uint32_t n,
                        bpi_value *argv)
{
  const char *at = params, *name;
  size_t length;
  bool optional, rest = false;
  uint32_t k = 0, number = 0, n_positional = 0;
  while (n_positional < n && !args[n_positional].keyword)
    n_positional++;
  memset(argv, 0, 8 * sizeof *argv);
  for (; *at; number++) {
    at = next_param(at, &name, &length, &optional, &rest);
    if (rest && bpi_list(p, args + k, n_positional - k, true, &argv[number]) != BP_OK)
      return p->status;
    if (rest)
      k = n_positional;
    else if (k < n_positional)
      argv[number] = args[k++];
  }
  if (k < n_positional)
    return bpi_wrong(p, BP_E_ARG, "%s takes fewer arguments: %s(%s)", function, function, params);
  for (uint32_t i = n_positional; i < n; i++) {
    int to = native_param(params, args[i].keyword);
    if (to < 0)
      return bpi_wrong(p, BP_E_ARG, "%s has no argument '%s': %s(%s)", function, args[i].keyword->text,
                       function, params);
    if (argv[to].kind != BPI_V_ABSENT && !(argv[to].kind == BPI_V_LIST && argv[to].n == 0))
      return bpi_wrong(p, BP_E_ARG, "%s: the argument '%s' is given twice", function, args[i].keyword->text);
    argv[to] = args[i];
    argv[to].keyword = NULL;
  }
  number = 0;
  for (at = params; *at; number++) {
    at = next_param(at, &name, &length, &optional, &rest);
    if (!optional && !rest && argv[number].kind == BPI_V_ABSENT)
      return bpi_wrong(p, BP_E_ARG, "%s: '%.*s' is missing: %s(%s)", function, (int)length, name, function,
                       params);
  }
  return BP_OK;
}

static bool absent(const bpi_value *v)
{
  return v->kind == BPI_V_ABSENT || v->kind == BPI_V_NONE;
}

/* One list of dims, or dims as arguments of their own. */
static bp_status dims_of(bp_program *p, const bpi_value *v, int *rank, int64_t *dims)
{
  const bpi_value *shape =
      v->kind == BPI_V_LIST && v->n == 1 && v->items[0].kind != BPI_V_NUMBER ? &v->items[0] : v;
  return bpi_static_dims(p, shape, rank, dims);
}

static bp_status dtype_of(bp_program *p, const bpi_value *v, bp_dtype preset, bp_dtype *t)
{
  *t = preset;
  return absent(v) ? BP_OK : bpi_static_dtype(p, v, t);
}

/* ---- arrays made while reading ---- */

static bp_status filled(bp_program *p, const bpi_value *shape, const bpi_value *dtype, const bpi_value *value,
                        double number, bpi_value *out)
{
  int64_t dims[BP_MAX_RANK], whole = (int64_t)number;
  int rank;
  bp_dtype t;
  bool flex = false;
  if (value) {
    bpi_value v = *value;
    bpi_larray *a = bpi_host(p, &v);
    if (!a)
      return p->status;
    if (a->size != 1)
      return bpi_wrong(p, BP_E_SHAPE, "full takes one number to fill with");
    number = bpi_array_real(a, 0);
    whole = a->type.dtype == BP_INT64                        ? *(const int64_t *)a->data
            : number == floor(number) && fabs(number) < 9e15 ? (int64_t)number
                                                             : 0;
    flex = v.flex || (v.kind == BPI_V_INPUT && v.input->flex);
    if (absent(dtype) && !flex)
      t = a->type.dtype;
    else if (dtype_of(p, dtype, BP_REAL, &t) != BP_OK)
      return p->status;
  } else if (dtype_of(p, dtype, BP_REAL, &t) != BP_OK) {
    return p->status;
  }
  if (dims_of(p, shape, &rank, dims) != BP_OK)
    return p->status;
  bpi_larray *a = bpi_new_array(p, t, rank, dims, true);
  if (!a)
    return p->status;
  if (t == BP_REAL)
    *(double *)a->data = number;
  else if (t == BP_INT64)
    *(int64_t *)a->data = whole;
  else
    *(uint8_t *)a->data = number != 0;
  *out = bpi_v_array(a, false);
  return BP_OK;
}

static bp_status run_zeros(bp_program *p, bpi_value *v, bpi_value *out)
{
  return filled(p, &v[0], &v[1], NULL, 0, out);
}

static bp_status run_ones(bp_program *p, bpi_value *v, bpi_value *out)
{
  return filled(p, &v[0], &v[1], NULL, 1, out);
}

static bp_status run_full(bp_program *p, bpi_value *v, bpi_value *out)
{
  return filled(p, &v[0], &v[2], &v[1], 0, out);
}

/* Every element of its own, unlike full: what an array of no elements, or of equal ones, is written as where that matters. */
static bp_status run_empty(bp_program *p, bpi_value *v, bpi_value *out)
{
  int64_t dims[BP_MAX_RANK];
  int rank;
  bp_dtype t;
  if (dtype_of(p, &v[1], BP_REAL, &t) != BP_OK || dims_of(p, &v[0], &rank, dims) != BP_OK)
    return p->status;
  bpi_larray *a = bpi_new_array(p, t, rank, dims, false);
  if (a)
    *out = bpi_v_array(a, false);
  return p->status;
}

static bp_status like(bp_program *p, bpi_value *v, double number, bpi_value *out)
{
  bp_type t;
  if (bpi_type_of(p, &v[0], &t) != BP_OK)
    return p->status;
  bpi_larray *a = bpi_new_array(p, BP_REAL, t.rank, t.dims, true);
  if (a) {
    *(double *)a->data = number;
    *out = bpi_v_array(a, false);
  }
  return p->status;
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
  if (!absent(&v[1]) && bpi_static_int(p, &v[1], "M", &dims[1]) != BP_OK)
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
  return absent(v) || v->flex || (v->kind == BPI_V_NUMBER && v->dtype == BP_INT64);
}

static bp_status run_arange(bp_program *p, bpi_value *v, bpi_value *out)
{
  double start = 0, stop, step = 1;
  bool two = !absent(&v[1]), whole = whole_value(&v[0]) && whole_value(&v[1]) && whole_value(&v[2]);
  if ((two && bpi_static_real(p, &v[0], "start", &start) != BP_OK) ||
      bpi_static_real(p, two ? &v[1] : &v[0], "stop", &stop) != BP_OK ||
      (!absent(&v[2]) && bpi_static_real(p, &v[2], "step", &step) != BP_OK))
    return p->status;
  double count = ceil((stop - start) / step);
  if (!(fabs(count) <= 9e15))
    return bpi_wrong(p, BP_E_ARG, "arange: the step is 0, or the range is not finite");
  int64_t dims[1] = {count > 0 ? (int64_t)count : 0};
  bpi_larray *a = bpi_new_array(p, whole ? BP_INT64 : BP_REAL, 1, dims, false);
  if (!a)
    return p->status;
  for (int64_t i = 0; i < a->size; i++)
    if (whole)
      ((int64_t *)a->data)[i] = (int64_t)start + i * (int64_t)step;
    else
      ((double *)a->data)[i] = start + (double)i * step;
  *out = bpi_v_array(a, whole);
  return BP_OK;
}

static bp_status run_linspace(bp_program *p, bpi_value *v, bpi_value *out)
{
  double start, stop;
  int64_t dims[1] = {50};
  if (bpi_static_real(p, &v[0], "start", &start) != BP_OK ||
      bpi_static_real(p, &v[1], "stop", &stop) != BP_OK ||
      (!absent(&v[2]) && bpi_static_int(p, &v[2], "num", &dims[0]) != BP_OK))
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
  if (!absent(shape) && dims_of(p, shape, &rank, dims) != BP_OK)
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
  if (!absent(&v[0]) && bpi_static_real(p, &v[0], "the first argument", a) != BP_OK)
    return p->status;
  return absent(&v[1]) ? BP_OK : bpi_static_real(p, &v[1], "the second argument", b);
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
  bool two = !absent(&v[1]);
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
    bpi_larray *b = a ? bpi_new_array(p, t, a->type.rank, a->type.dims, a->splat) : NULL;
    if (!b)
      return p->status;
    for (int64_t i = 0; i < (a->splat ? 1 : a->size); i++) {
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
  if (absent(&v[1]))
    return BP_OK;
  return bpi_static_dtype(p, &v[1], &t) == BP_OK ? as_type(p, out, t, out) : p->status;
}

/* ---- shapes ---- */

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
  if (bpi_type_of(p, &v[0], &t) != BP_OK || (!absent(&v[1]) && axis_of(p, &v[1], t.rank, &axis) != BP_OK))
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
  if (!absent(&v[1]) && bpi_static_int(p, &v[1], "axis", &axis) != BP_OK)
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

/* ---- products, extremes ---- */

static bp_status run_dot(bp_program *p, bpi_value *v, bpi_value *out)
{
  bp_type a, b;
  if (bpi_type_of(p, &v[0], &a) != BP_OK || bpi_type_of(p, &v[1], &b) != BP_OK)
    return p->status;
  return bpi_apply_named(p, a.rank == 0 || b.rank == 0 ? "mul" : "dot", v, 2, out);
}

/* max(a, b) is maximum(a, b); max(x), and with an axis, reduces. */
static bp_status extreme(bp_program *p, const char *reduce, const char *choose, bpi_value *v, bpi_value *out)
{
  const bp_op *op = bp_op_find(reduce);
  bpi_value args[4];
  uint32_t n = 0;
  args[n++] = v[0];
  bool list = v[1].kind == BPI_V_NONE || v[1].kind == BPI_V_LIST;
  if (!absent(&v[1]) && !list && absent(&v[2]) && absent(&v[3])) {
    bpi_value x[2] = {v[0], v[1]};
    return bpi_apply_named(p, choose, x, 2, out);
  }
  const bpi_value *axis = absent(&v[2]) ? &v[1] : &v[2];
  static const bpi_lname axes = {"axes", 4, 0}, keep = {"keep", 4, 0};
  if (!absent(axis)) {
    args[n] = *axis;
    args[n++].keyword = &axes;
  }
  if (!absent(&v[3])) {
    args[n] = v[3];
    args[n++].keyword = &keep;
  }
  return bpi_call_row(p, op, NULL, args, n, out);
}

static bp_status run_max(bp_program *p, bpi_value *v, bpi_value *out)
{
  return extreme(p, "max", "maximum", v, out);
}

static bp_status run_min(bp_program *p, bpi_value *v, bpi_value *out)
{
  return extreme(p, "min", "minimum", v, out);
}

static bp_status run_std(bp_program *p, bpi_value *v, bpi_value *out)
{
  static const bpi_lname names[3] = {{"axes", 4, 0}, {"keep", 4, 0}, {"ddof", 4, 0}};
  bpi_value args[4] = {v[0]};
  uint32_t n = 1;
  for (int i = 0; i < 3; i++)
    if (!absent(&v[i + 1])) {
      args[n] = v[i + 1];
      args[n++].keyword = &names[i];
    }
  if (bpi_call_row(p, bp_op_find("var"), NULL, args, n, out) != BP_OK)
    return p->status;
  bpi_value x = *out;
  return bpi_apply_named(p, "sqrt", &x, 1, out);
}

static bp_status log_base(bp_program *p, bpi_value *v, double base, bpi_value *out)
{
  bpi_value x[2];
  if (bpi_apply_named(p, "log", &v[0], 1, &x[0]) != BP_OK)
    return p->status;
  x[1] = bpi_v_number(log(base), BP_REAL, false);
  return bpi_apply_named(p, "div", x, 2, out);
}

static bp_status run_log2(bp_program *p, bpi_value *v, bpi_value *out)
{
  return log_base(p, v, 2, out);
}

static bp_status run_log10(bp_program *p, bpi_value *v, bpi_value *out)
{
  return log_base(p, v, 10, out);
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

/* ---- inputs, constants, state, names, output ---- */

/* input([3,4]): a value that whoever runs the program binds. */
static bp_status run_input(bp_program *p, bpi_value *v, bpi_value *out)
{
  int64_t dims[BP_MAX_RANK] = {0};
  int rank = 0;
  bp_dtype t;
  if ((!absent(&v[1]) && bpi_static_dims(p, &v[1], &rank, dims) != BP_OK) ||
      dtype_of(p, &v[2], BP_REAL, &t) != BP_OK)
    return p->status;
  if (v[0].kind != BPI_V_TEXT)
    return bpi_wrong(p, BP_E_ARG, "an input has a name: x = input('x', [3,4])");
  if (p->env != &p->top)
    return bpi_wrong(p, BP_E_ARG, "a function has parameters, and no inputs");
  uint32_t first = bp_graph_mark(p->graph);
  bpi_linput *in = bpi_arena_alloc(&p->arena, 1, sizeof *in);
  if (!in || !bpi_grow(p->ctx, (void **)&p->inputs, &p->inputs_cap, p->n_inputs, sizeof *p->inputs))
    return bpi_lang_nomem(p);
  *in = (bpi_linput){.name = v[0].text, .node = bp_input(p->graph, v[0].text->text, t, rank, dims)};
  if (bp_failed(in->node))
    return bpi_wrong_graph(p, p->graph);
  p->inputs[p->n_inputs++] = in;
  bpi_spot_nodes(p, first, &p->here);
  *out = bpi_v_node(in->node);
  return BP_OK;
}

static bp_status run_constant(bp_program *p, bpi_value *v, bpi_value *out)
{
  *out = v[0];
  if (v[0].kind == BPI_V_INPUT)
    *out = bpi_v_array(v[0].input->array, v[0].input->flex);
  bool fixed = out->kind == BPI_V_NODE && bpi_is_fixed(out->node);
  if (!bpi_known(p, out) && !fixed)
    return bpi_wrong(p, BP_E_ARG, "constant(...) takes what is known while reading");
  out->fixed = true;
  return BP_OK;
}

static bp_status run_state(bp_program *p, bpi_value *v, bpi_value *out)
{
  bp_state *s = p->options.state;
  int entry = v[0].kind == BPI_V_TEXT && s ? bp_state_find(s, v[0].text->text) : -1;
  if (entry < 0)
    return bpi_wrong(p, BP_E_NOTFOUND,
                     !s ? "there is no state to read from" : "the state has no entry of this name");
  uint32_t first = bp_graph_mark(p->graph);
  bp_node n = bp_read(p->graph, s, entry);
  if (bp_failed(n))
    return bpi_wrong_graph(p, p->graph);
  bpi_spot_nodes(p, first, &p->here);
  *out = bpi_v_node(n);
  return BP_OK;
}

/* named(x, "layer1.W"): a name that is no word of the language. */
static bp_status run_named(bp_program *p, bpi_value *v, bpi_value *out)
{
  bp_node n = bpi_to_node(p, p->graph, &v[0], BP_NONE);
  if (p->status != BP_OK)
    return p->status;
  if (v[1].kind != BPI_V_TEXT || p->env != &p->top)
    return bpi_wrong(p, BP_E_ARG, "named(x, 'name') names a node outside of functions");
  if (bp_failed(bp_name(n, v[1].text->text)))
    return bpi_wrong_graph(p, p->graph);
  *out = bpi_v_node(n);
  out->fixed = true;
  return BP_OK;
}

static bp_status run_print(bp_program *p, bpi_value *v, bpi_value *out)
{
  (void)p;
  *out = v[0];
  return BP_OK;
}

static const bpi_native natives[] = {
    {"zeros", "shape, dtype?", run_zeros, 0},
    {"ones", "shape, dtype?", run_ones, 0},
    {"full", "shape, fill_value, dtype?", run_full, 0},
    {"empty", "shape, dtype?", run_empty, 0},
    {"zeros_like", "x", run_zeros_like, 0},
    {"ones_like", "x", run_ones_like, 0},
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
    {"reshape", "x, *shape", run_reshape, 0},
    {"transpose", "x, *axes", run_transpose, 0},
    {"ravel", "x", run_ravel, 0},
    {"flatten", "x", run_ravel, 0},
    {"squeeze", "x, axis?", run_squeeze, 0},
    {"expand_dims", "x, axis", run_expand_dims, 0},
    {"stack", "arrays, axis?", run_stack, 0},
    {"vstack", "arrays", run_vstack, 0},
    {"hstack", "arrays", run_hstack, 0},
    {"dot", "a, b", run_dot, 0},
    {"max", "x, b?, axis?, keepdims?", run_max, BPI_NO_METHOD},
    {"min", "x, b?, axis?, keepdims?", run_min, BPI_NO_METHOD},
    {"std", "x, axis?, keepdims?, ddof?", run_std, 0},
    {"log2", "x", run_log2, 0},
    {"log10", "x", run_log10, 0},
    {"len", "x", run_len, 0},
    {"shape", "x", run_shape, 0},
    {"input", "name, shape?, dtype?", run_input, 0},
    {"constant", "x", run_constant, 0},
    {"state", "name", run_state, 0},
    {"named", "x, name", run_named, 0},
    {"print", "*x", run_print, 0},
};
enum { NATIVES = sizeof natives / sizeof *natives };

const bpi_native *bpi_native_find(const char *name, bool random, bool method)
{
  for (size_t i = 0; i < NATIVES; i++)
    if (!(natives[i].flags & BPI_OF_RANDOM) == !random && !(method && natives[i].flags & BPI_NO_METHOD) &&
        strcmp(natives[i].name, name) == 0)
      return &natives[i];
  return NULL;
}

const char *bpi_builtin_name(size_t i)
{
  if (i < NATIVES)
    return natives[i].name;
  i -= NATIVES;
  if (i < ALIASES)
    return aliases[i].name;
  i -= ALIASES;
  return i < bp_op_count() ? bp_op_at(i)->name : NULL;
}
