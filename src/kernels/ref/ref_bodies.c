/* Elementwise rows, one element at a time with libm in float64; and the oracle's table. */
#include "kernels/ref/ref.h"
#include "kernels/ref/ref_rows.h"

#include <math.h>

#define PASTE_(a, b) a##_##b
#define PASTE(a, b)  PASTE_(a, b)

static double true_sigmoid(double x)
{
  return 1 / (1 + exp(-x));
}

static double true_softplus(double x)
{
  return log1p(exp(-fabs(x))) + fmax(x, 0);
}

#define m_exp(x)         (T) exp((double)(x))
#define m_expm1(x)       (T) expm1((double)(x))
#define m_log(x)         (T) log((double)(x))
#define m_log1p(x)       (T) log1p((double)(x))
#define m_tanh(x)        (T) tanh((double)(x))
#define m_sinh(x)        (T) sinh((double)(x))
#define m_cosh(x)        (T) cosh((double)(x))
#define m_erf(x)         (T) erf((double)(x))
#define m_sin(x)         (T) sin((double)(x))
#define m_cos(x)         (T) cos((double)(x))
#define m_tan(x)         (T) tan((double)(x))
#define m_asin(x)        (T) asin((double)(x))
#define m_acos(x)        (T) acos((double)(x))
#define m_atan(x)        (T) atan((double)(x))
#define m_atan2(y, x)    (T) atan2((double)(y), (double)(x))
#define m_pow(x, y)      (T) pow((double)(x), (double)(y))
#define m_sqrt(x)        (T) sqrt((double)(x))
#define m_abs(x)         ((x) < 0 || 1 / (double)(x) < 0 ? -(x) : (x))
#define m_floor(x)       (T) floor((double)(x))
#define m_ceil(x)        (T) ceil((double)(x))
#define m_rint(x)        (T) rint((double)(x))
#define m_fma(a, b, c)   (T) fma((double)(a), (double)(b), (double)(c))
#define m_sigmoid(x)     (T) true_sigmoid((double)(x))
#define m_softplus(x)    (T) true_softplus((double)(x))
#define m_log_sigmoid(x) (T)(-true_softplus(-(double)(x)))
#define m_is_nan(x)      isnan((double)(x))
#define m_is_finite(x)   isfinite((double)(x))

#define P(i, text) const T p##i = __builtin_strstr(text, "p" #i) ? (T)p[i] : (T)0
#define ARGS       int64_t n, void *y, const void *const *in, const int64_t *step, const double *p
#define BEGIN(text) \
  P(0, text);       \
  P(1, text);       \
  P(2, text);       \
  (void)p, (void)p0, (void)p1, (void)p2

#define LOOP1(name, R, A, text, ...)     \
  static void PASTE(name##_ref, S)(ARGS) \
  {                                      \
    BEGIN(text);                         \
    const A *x0 = in[0];                 \
    for (int64_t i = 0; i < n; i++) {    \
      const A x = x0[i * step[0]];       \
      ((R *)y)[i] = __VA_ARGS__;         \
    }                                    \
  }
#define LOOP2(name, R, A, text, ...)                    \
  static void PASTE(name##_ref, S)(ARGS)                \
  {                                                     \
    BEGIN(text);                                        \
    const A *x0 = in[0], *x1 = in[1];                   \
    for (int64_t i = 0; i < n; i++) {                   \
      const A a = x0[i * step[0]], b = x1[i * step[1]]; \
      ((R *)y)[i] = __VA_ARGS__;                        \
    }                                                   \
  }
#define LOOP3(name, R, A, B, text, ...)                 \
  static void PASTE(name##_ref, S)(ARGS)                \
  {                                                     \
    BEGIN(text);                                        \
    const A *x0 = in[0];                                \
    const B *x1 = in[1], *x2 = in[2];                   \
    for (int64_t i = 0; i < n; i++) {                   \
      const A a = x0[i * step[0]];                      \
      const B b = x1[i * step[1]], c = x2[i * step[2]]; \
      ((R *)y)[i] = __VA_ARGS__;                        \
    }                                                   \
  }

#define REAL_BODY1(name, ...) LOOP1(name, T, T, #__VA_ARGS__, __VA_ARGS__)
#define REAL_BODY2(name, ...) LOOP2(name, T, T, #__VA_ARGS__, __VA_ARGS__)
#define REAL_BODY3(name, ...) LOOP3(name, T, T, T, #__VA_ARGS__, __VA_ARGS__)
#define NUM_BODY1(name, ...)  LOOP1(name, T, T, #__VA_ARGS__, __VA_ARGS__)
#define NUM_BODY2(name, ...)  LOOP2(name, T, T, #__VA_ARGS__, __VA_ARGS__)
#define TEST_BODY1(name, ...) LOOP1(name, uint8_t, T, #__VA_ARGS__, __VA_ARGS__)
#define TEST_BODY2(name, ...) LOOP2(name, uint8_t, T, #__VA_ARGS__, __VA_ARGS__)
#define BOOL_BODY1(name, ...)
#define BOOL_BODY2(name, ...)
#define PICK_BODY3(name, ...) LOOP3(name, T, uint8_t, T, #__VA_ARGS__, __VA_ARGS__)
#define T                     float
#define S                     f32
#include "bodies.inc"
#undef T
#undef S
#define T double
#define S f64
#include "bodies.inc"
#undef T
#undef S
#undef REAL_BODY1
#undef REAL_BODY2
#undef REAL_BODY3
#define REAL_BODY1(name, ...)
#define REAL_BODY2(name, ...)
#define REAL_BODY3(name, ...)
#define T int64_t
#define S i64
#include "bodies.inc"
#undef T
#undef S
#undef NUM_BODY1
#undef NUM_BODY2
#undef TEST_BODY1
#undef BOOL_BODY1
#undef BOOL_BODY2
#define NUM_BODY1(name, ...)
#define NUM_BODY2(name, ...)
#define TEST_BODY1(name, ...)
#define BOOL_BODY1(name, ...) LOOP1(name, T, T, #__VA_ARGS__, __VA_ARGS__)
#define BOOL_BODY2(name, ...) LOOP2(name, T, T, #__VA_ARGS__, __VA_ARGS__)
#define T                     uint8_t
#define S                     b8
#include "bodies.inc"
#undef T
#undef S

/* ---- the table ---- */
#include "kernels/simd/bodies_none.h"
#define REAL_ROW(name) [BPI_BODY_##name] = {.f32 = name##_ref_f32, .f64 = name##_ref_f64},
#define NUM_ROW(name) \
  [BPI_BODY_##name] = {.f32 = name##_ref_f32, .f64 = name##_ref_f64, .i64 = name##_ref_i64},
#define BOOL_ROW(name) [BPI_BODY_##name] = {.b8 = name##_ref_b8},
#define FULL_ROW(name) \
  [BPI_BODY_##         \
      name] = {.f32 = name##_ref_f32, .f64 = name##_ref_f64, .i64 = name##_ref_i64, .b8 = name##_ref_b8},
#define REAL_BODY1(name, ...) REAL_ROW(name)
#define REAL_BODY2(name, ...) REAL_ROW(name)
#define REAL_BODY3(name, ...) REAL_ROW(name)
#define NUM_BODY1(name, ...)  NUM_ROW(name)
#define NUM_BODY2(name, ...)  NUM_ROW(name)
#define TEST_BODY1(name, ...) NUM_ROW(name)
#define TEST_BODY2(name, ...) FULL_ROW(name)
#define BOOL_BODY1(name, ...) BOOL_ROW(name)
#define BOOL_BODY2(name, ...) BOOL_ROW(name)
#define PICK_BODY3(name, ...) FULL_ROW(name)

const bpi_kernels bpi_kernels_ref = {
    .name = "ref",
    .body =
        {
#include "bodies.inc"
        },
    .reduce = {bpi_ref_reduce_f32, bpi_ref_reduce_f64},
    .gemm_units = {bpi_ref_units, bpi_ref_units},
    .gemm_scratch = {bpi_ref_scratch, bpi_ref_scratch},
    .gemm = {bpi_ref_gemm_f32, bpi_ref_gemm_f64},
    .softmax = {bpi_ref_softmax_f32, bpi_ref_softmax_f64},
    .log_softmax = {bpi_ref_log_softmax_f32, bpi_ref_log_softmax_f64},
    .softmax_parts = {bpi_ref_softmax_parts_f32, bpi_ref_softmax_parts_f64},
    .pool_scratch = {bpi_ref_pool_scratch, bpi_ref_pool_scratch},
    .pool = {bpi_ref_pool_f32, bpi_ref_pool_f64},
    .finite = {bpi_ref_finite_f32, bpi_ref_finite_f64},
};
