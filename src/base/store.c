#include "base/store.h"
#include "base/shape.h"

#include <math.h>
#include <string.h>

static const struct store_row {
  const char *name;
  unsigned bits;
} store_table[] = {
#define ROW(name, bits, text) [BP_STORE_##name] = {text, bits},
    BP_STORE_LIST(ROW)
#undef ROW
};

static const struct store_row *store_row(bp_store s)
{
  return &store_table[(unsigned)s < BP_STORE_COUNT ? s : BP_STORE_NONE];
}

const char *bp_store_name(bp_store s)
{
  return store_row(s)->name;
}

unsigned bp_store_bits(bp_store s)
{
  return store_row(s)->bits;
}

bp_store bp_store_of(bp_dtype t)
{
  static const bp_store table[BP_DTYPE_COUNT] = {[BP_INT64] = BP_STORE_INT64,
                                                 [BP_BOOL] = BP_STORE_BOOL,
                                                 [BP_FLOAT32] = BP_STORE_FLOAT32,
                                                 [BP_FLOAT64] = BP_STORE_FLOAT64};
  return (unsigned)t < BP_DTYPE_COUNT ? table[t] : BP_STORE_NONE;
}

bool bpi_store_bytes(bp_store s, int64_t n, size_t *bytes)
{
  int64_t bits;
  if (!bpi_mul(n, bp_store_bits(s), &bits) || bits % 8)
    return false;
  *bytes = (size_t)(bits / 8);
  return true;
}

/* ---- byte order --------------------------------------------------------------------- */

void bpi_swap_bytes(void *data, bp_store s, int64_t n)
{
  size_t width = bp_store_bits(s) / 8;
  if (s == BP_STORE_COMPLEX64) { /* two floats */
    width = 4;
    n *= 2;
  }
  unsigned char *p = data;
  if (width < 2)
    return;
  for (int64_t i = 0; i < n; i++, p += width)
    for (size_t a = 0, b = width - 1; a < b; a++, b--) {
      unsigned char t = p[a];
      p[a] = p[b];
      p[b] = t;
    }
}

bool bpi_big_endian(void)
{
  const uint16_t one = 1;
  unsigned char first;
  memcpy(&first, &one, 1);
  return first == 0;
}

void bpi_from_little(void *data, bp_store s, int64_t n)
{
  if (bpi_big_endian())
    bpi_swap_bytes(data, s, n);
}

void bpi_from_big(void *data, bp_store s, int64_t n)
{
  if (!bpi_big_endian())
    bpi_swap_bytes(data, s, n);
}

/* ---- conversion --------------------------------------------------------------------- */

/* One element widened: a whole number, or a real. Whole numbers up to 2^64 - 1 keep all their bits. */
typedef struct wide_value {
  bool whole;
  bool negative;
  uint64_t magnitude; /* whole */
  double real;
} wide_value;

static wide_value whole_value(int64_t v)
{
  return (wide_value){true, v < 0, v < 0 ? 0 - (uint64_t)v : (uint64_t)v, (double)v};
}

static wide_value real_value(double v)
{
  return (wide_value){.real = v};
}

/* IEEE binary16: sign, 5 bits of exponent, 10 of fraction. */
static double half_value(uint16_t h)
{
  int e = h >> 10 & 31, f = h & 1023;
  double m = e == 31 ? (f ? (double)NAN : (double)INFINITY) : e ? ldexp(1024 + f, e - 25) : ldexp(f, -24);
  return h >> 15 ? -m : m;
}

/* bfloat16: the upper half of a float. */
static double brain_value(uint16_t h)
{
  uint32_t bits = (uint32_t)h << 16;
  float f;
  memcpy(&f, &bits, sizeof f);
  return f;
}

#define WIDEN(fn, type, expression)   \
  static wide_value fn(const char *p) \
  {                                   \
    type v;                           \
    memcpy(&v, p, sizeof v);          \
    return expression;                \
  }
WIDEN(widen_uint8, uint8_t, whole_value(v))
WIDEN(widen_int8, int8_t, whole_value(v))
WIDEN(widen_uint16, uint16_t, whole_value(v))
WIDEN(widen_int16, int16_t, whole_value(v))
WIDEN(widen_uint32, uint32_t, whole_value(v))
WIDEN(widen_int32, int32_t, whole_value(v))
WIDEN(widen_int64, int64_t, whole_value(v))
WIDEN(widen_half, uint16_t, real_value(half_value(v)))
WIDEN(widen_brain, uint16_t, real_value(brain_value(v)))
WIDEN(widen_float, float, real_value((double)v))
WIDEN(widen_double, double, real_value(v))

static wide_value widen_uint64(const char *p)
{
  uint64_t v;
  memcpy(&v, p, sizeof v);
  return (wide_value){true, false, v, (double)v};
}

typedef wide_value (*widener)(const char *p);
static const widener wideners[BP_STORE_COUNT] = {
    [BP_STORE_BOOL] = widen_uint8,     [BP_STORE_UINT8] = widen_uint8,    [BP_STORE_INT8] = widen_int8,
    [BP_STORE_UINT16] = widen_uint16,  [BP_STORE_INT16] = widen_int16,    [BP_STORE_UINT32] = widen_uint32,
    [BP_STORE_INT32] = widen_int32,    [BP_STORE_UINT64] = widen_uint64,  [BP_STORE_INT64] = widen_int64,
    [BP_STORE_FLOAT16] = widen_half,   [BP_STORE_BFLOAT16] = widen_brain, [BP_STORE_FLOAT32] = widen_float,
    [BP_STORE_FLOAT64] = widen_double,
};

/* A real that is whole and below 2^63 becomes one; -0.0 is 0. */
static bool make_whole(wide_value *v)
{
  if (!v->whole) {
    if (!(v->real >= -9223372036854775808.0 && v->real < 9223372036854775808.0) || trunc(v->real) != v->real)
      return false;
    *v = whole_value((int64_t)v->real);
  }
  return v->magnitude <= (uint64_t)INT64_MAX + v->negative;
}

static bool put_int64(wide_value v, char *out)
{
  if (!make_whole(&v))
    return false;
  uint64_t x = v.negative ? 0 - v.magnitude : v.magnitude;
  memcpy(out, &x, sizeof x);
  return true;
}

static bool put_bool(wide_value v, char *out)
{
  if (!make_whole(&v) || v.magnitude > 1 || v.negative)
    return false;
  *out = (char)v.magnitude;
  return true;
}

typedef bool (*putter)(wide_value v, char *out);
static const putter putters[BP_DTYPE_COUNT] = {[BP_INT64] = put_int64, [BP_BOOL] = put_bool};

/* To reals every element fits, and a plain loop per type is many times faster. Whole numbers go to float in one rounding, not by
 * way of double. */
#define TO_REAL(fn, type, to, expression)             \
  static void fn(const char *p, int64_t n, void *out) \
  {                                                   \
    to *y = out;                                      \
    for (int64_t i = 0; i < n; i++) {                 \
      type v;                                         \
      memcpy(&v, p + (size_t)i * sizeof v, sizeof v); \
      y[i] = (to)(expression);                        \
    }                                                 \
  }
#define TO_REALS(name, type, expression)            \
  TO_REAL(name##_to_float, type, float, expression) \
  TO_REAL(name##_to_double, type, double, expression)
TO_REALS(uint8, uint8_t, v)
TO_REALS(int8, int8_t, v)
TO_REALS(uint16, uint16_t, v)
TO_REALS(int16, int16_t, v)
TO_REALS(uint32, uint32_t, v)
TO_REALS(int32, int32_t, v)
TO_REALS(uint64, uint64_t, v)
TO_REALS(int64, int64_t, v)
TO_REALS(half, uint16_t, half_value(v))
TO_REALS(brain, uint16_t, brain_value(v))
TO_REALS(float, float, v)
TO_REALS(double, double, v)

#define REALS(name)                   \
  {                                   \
    name##_to_float, name##_to_double \
  }
static void (*const reals[BP_STORE_COUNT][2])(const char *p, int64_t n, void *out) = {
    [BP_STORE_BOOL] = REALS(uint8),     [BP_STORE_UINT8] = REALS(uint8),    [BP_STORE_INT8] = REALS(int8),
    [BP_STORE_UINT16] = REALS(uint16),  [BP_STORE_INT16] = REALS(int16),    [BP_STORE_UINT32] = REALS(uint32),
    [BP_STORE_INT32] = REALS(int32),    [BP_STORE_UINT64] = REALS(uint64),  [BP_STORE_INT64] = REALS(int64),
    [BP_STORE_FLOAT16] = REALS(half),   [BP_STORE_BFLOAT16] = REALS(brain), [BP_STORE_FLOAT32] = REALS(float),
    [BP_STORE_FLOAT64] = REALS(double),
};

static bp_status convert_each(const char *p, bp_store store, int64_t n, bp_dtype to, char *out)
{
  size_t step = bp_store_bits(store) / 8, out_step = bp_dtype_size(to);
  for (int64_t i = 0; i < n; i++, p += step, out += out_step)
    if (!putters[to](wideners[store](p), out))
      return bpi_fail(BP_E_RANGE, "element %lld, which is %.17g, cannot be kept as %s", (long long)i,
                      wideners[store](p).real, bp_dtype_name(to));
  return BP_OK;
}

bp_status bp_convert(const void *from, bp_store store, int64_t n, bp_dtype to, void *out)
{
  bool real = to == BP_FLOAT32 || to == BP_FLOAT64;
  if (n < 0 || (n && (!from || !out)))
    return bpi_bad_arg("bp_convert", "from, n or out is missing or negative");
  if (!real && !((unsigned)to < BP_DTYPE_COUNT && putters[to]))
    return bpi_fail(BP_E_DTYPE, "bp_convert: %s has no storage; ask for float32, float64, int64 or bool",
                    bp_dtype_name(to));
  if (!((unsigned)store < BP_STORE_COUNT && wideners[store]))
    return bpi_fail(BP_E_UNSUPPORTED, "elements of type %s can be recognised, but not converted",
                    bp_store_name(store));
  if (!real)
    return convert_each(from, store, n, to, out);
  reals[store][to == BP_FLOAT64](from, n, out);
  return BP_OK;
}

/* ---- arrays ------------------------------------------------------------------------- */

void bp_ndarray_free(bp_ctx *ctx, bp_ndarray *a)
{
  if (!a || !ctx)
    return;
  bpi_free_aligned(ctx, a->data);
  *a = (bp_ndarray){0};
}

bp_status bpi_read_array(bp_ctx *ctx, bp_source *source, const char *what, bp_ndarray *a)
{
  size_t bytes;
  a->data = NULL;
  if (!bpi_size(a->rank, a->dims, &a->size) || !bpi_store_bytes(a->store, a->size, &bytes))
    return bpi_fail(BP_E_FORMAT, "%s: the header claims an array larger than any that can exist",
                    bpi_source_name(source));
  return bpi_read_new(ctx, source, bytes, what, &a->data);
}
