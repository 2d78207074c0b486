/* What the text of a body may name: the functions of vecmath.h for the element type T with suffix S, both macros of whoever
 * includes this. Compiled code (src/codegen) carries the same text, so a body has the same bits there. */
#ifndef BPI_BODYMATH_H
#define BPI_BODYMATH_H

#include "kernels/simd/vecmath.h"

#define BPV_JOIN_(a, b) a##_##b
#define BPV_JOIN(a, b)  BPV_JOIN_(a, b)

#define M(f)             BPV_JOIN(bpv_##f, S)
#define m_exp(x)         M(exp)(x)
#define m_expm1(x)       M(expm1)(x)
#define m_log(x)         M(log)(x)
#define m_log1p(x)       M(log1p)(x)
#define m_tanh(x)        M(tanh)(x)
#define m_sinh(x)        M(sinh)(x)
#define m_cosh(x)        M(cosh)(x)
#define m_erf(x)         M(erf)(x)
#define m_asin(x)        M(asin)(x)
#define m_acos(x)        M(acos)(x)
#define m_atan(x)        M(atan)(x)
#define m_atan2(y, x)    M(atan2)(y, x)
#define m_pow(x, y)      M(pow)(x, y)
#define m_sqrt(x)        M(sqrt)(x)
#define m_abs(x)         M(abs)(x)
#define m_floor(x)       M(floor)(x)
#define m_ceil(x)        M(ceil)(x)
#define m_rint(x)        M(rint)(x)
#define m_fma(a, b, c)   M(fma)(a, b, c)
#define m_sigmoid(x)     M(sigmoid)(x)
#define m_softplus(x)    M(softplus)(x)
#define m_log_sigmoid(x) M(log_sigmoid)(x)
#define m_is_nan(x)      ((x) != (x))
#define m_is_finite(x)   ((x) - (x) == 0)
#define m_sin(x)         M(sin_any)(x, far, careful)
#define m_cos(x)         M(cos_any)(x, far, careful)
#define m_tan(x)         M(tan_any)(x, far, careful)

/* Arguments too large for the vectorised reduction set *far; the block is then run again with careful set, where such
 * elements, and no others, go to libm. So an element's bits do not depend on its neighbours. */
#define FAR_AWARE(name, U, S, ABS)                                \
  BPV_FN U bpv_##name##_any_##S(U x, int *far, const int careful) \
  {                                                               \
    const int is_far = ABS(x) > (U)BPV_TRIG_LIMIT;                \
    if (careful)                                                  \
      return is_far ? (U)name((double)x) : bpv_##name##_##S(x);   \
    *far |= is_far;                                               \
    return bpv_##name##_##S(x);                                   \
  }
FAR_AWARE(sin, float, f32, __builtin_fabsf)
FAR_AWARE(cos, float, f32, __builtin_fabsf)
FAR_AWARE(tan, float, f32, __builtin_fabsf)
FAR_AWARE(sin, double, f64, __builtin_fabs)
FAR_AWARE(cos, double, f64, __builtin_fabs)
FAR_AWARE(tan, double, f64, __builtin_fabs)

BPV_FN int64_t bpv_abs_i64(int64_t x)
{
  return x < 0 ? -x : x;
}

#endif
