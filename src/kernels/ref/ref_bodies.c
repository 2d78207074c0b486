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

#define BODY_FN1(name, R, A, text, ...)  \
  static void PASTE(name##_ref, S)(ARGS) \
  {                                      \
    BEGIN(text);                         \
    const A *x0 = in[0];                 \
    for (int64_t i = 0; i < n; i++) {    \
      const A x = x0[i * step[0]];       \
      ((R *)y)[i] = __VA_ARGS__;         \
    }                                    \
  }
#define BODY_FN2(name, R, A, text, ...)                 \
  static void PASTE(name##_ref, S)(ARGS)                \
  {                                                     \
    BEGIN(text);                                        \
    const A *x0 = in[0], *x1 = in[1];                   \
    for (int64_t i = 0; i < n; i++) {                   \
      const A a = x0[i * step[0]], b = x1[i * step[1]]; \
      ((R *)y)[i] = __VA_ARGS__;                        \
    }                                                   \
  }
#define BODY_FN3(name, R, A, B, text, ...)              \
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

#include "kernels/simd/bodies_real.h"
#include "kernels/simd/bodies_whole.h"

/* ---- the table ---- */
#define BODY_NAME(name, S) name##_ref_##S
#include "kernels/simd/bodies_table.h"

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
