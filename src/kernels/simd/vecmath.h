/* Mathematical functions for vectorised loops: no branches, no calls, no tables, so that a compiler can run them on many
 * elements at once; an element's bits never depend on its neighbours or on where the loop was cut.
 * bpv_exp_f32(x), bpv_exp_f64(x) and so on. Errors are asserted by tests/test_simd_vecmath.c: float32 exp, expm1, log, log1p,
 * tanh, erf at most 2 ulp, float64 too; the rest a few ulp. Infinities, NaN, signed zeros and subnormals are as in C's Annex F.
 * pow in float64 is libm's, element by element.
 *
 * sin, cos, tan are right for |x| <= BPV_TRIG_LIMIT (and NaN for inf); past it the caller takes libm's. */
#ifndef BPI_VECMATH_H
#define BPI_VECMATH_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#define BPV_TRIG_LIMIT 1e5

#ifndef BPV_FN
#define BPV_FN static inline __attribute__((always_inline, unused))
#endif

/* One rounding where the machine has an instruction for it, two where it has not: never a call. */
#if defined(__FMA__) || defined(__aarch64__)
#define BPV_FMA_F32(a, b, c) __builtin_fmaf(a, b, c)
#define BPV_FMA_F64(a, b, c) __builtin_fma(a, b, c)
#else
#define BPV_FMA_F32(a, b, c) ((a) * (b) + (c))
#define BPV_FMA_F64(a, b, c) ((a) * (b) + (c))
#endif

BPV_FN float bpv_fma_f32(float a, float b, float c)
{
  return BPV_FMA_F32(a, b, c);
}

BPV_FN double bpv_fma_f64(double a, double b, double c)
{
  return BPV_FMA_F64(a, b, c);
}

BPV_FN uint32_t bpv_bits_f32(float x)
{
  uint32_t u;
  memcpy(&u, &x, sizeof u);
  return u;
}

BPV_FN uint64_t bpv_bits_f64(double x)
{
  uint64_t u;
  memcpy(&u, &x, sizeof u);
  return u;
}

BPV_FN float bpv_from_bits_f32(uint32_t u)
{
  float x;
  memcpy(&x, &u, sizeof x);
  return x;
}

BPV_FN double bpv_from_bits_f64(uint64_t u)
{
  double x;
  memcpy(&x, &u, sizeof x);
  return x;
}

/* Polynomials by Horner's rule: BPV_POLY(n, F, z, c0, ..., c(n-1)), highest power first, F one of bpv_fma_f32, bpv_fma_f64. */
#define BPV_POLY(n, F, z, ...)      BPV_POLY##n(F, z, __VA_ARGS__)
#define BPV_POLY2(F, z, a, b)       F(a, z, b)
#define BPV_POLY3(F, z, a, b, ...)  BPV_POLY2(F, z, F(a, z, b), __VA_ARGS__)
#define BPV_POLY4(F, z, a, b, ...)  BPV_POLY3(F, z, F(a, z, b), __VA_ARGS__)
#define BPV_POLY5(F, z, a, b, ...)  BPV_POLY4(F, z, F(a, z, b), __VA_ARGS__)
#define BPV_POLY6(F, z, a, b, ...)  BPV_POLY5(F, z, F(a, z, b), __VA_ARGS__)
#define BPV_POLY7(F, z, a, b, ...)  BPV_POLY6(F, z, F(a, z, b), __VA_ARGS__)
#define BPV_POLY8(F, z, a, b, ...)  BPV_POLY7(F, z, F(a, z, b), __VA_ARGS__)
#define BPV_POLY9(F, z, a, b, ...)  BPV_POLY8(F, z, F(a, z, b), __VA_ARGS__)
#define BPV_POLY10(F, z, a, b, ...) BPV_POLY9(F, z, F(a, z, b), __VA_ARGS__)
#define BPV_POLY11(F, z, a, b, ...) BPV_POLY10(F, z, F(a, z, b), __VA_ARGS__)
#define BPV_POLY12(F, z, a, b, ...) BPV_POLY11(F, z, F(a, z, b), __VA_ARGS__)
#define BPV_POLY13(F, z, a, b, ...) BPV_POLY12(F, z, F(a, z, b), __VA_ARGS__)
#define BPV_POLY14(F, z, a, b, ...) BPV_POLY13(F, z, F(a, z, b), __VA_ARGS__)
#define BPV_POLY15(F, z, a, b, ...) BPV_POLY14(F, z, F(a, z, b), __VA_ARGS__)
#define BPV_POLY16(F, z, a, b, ...) BPV_POLY15(F, z, F(a, z, b), __VA_ARGS__)
#define BPV_POLY17(F, z, a, b, ...) BPV_POLY16(F, z, F(a, z, b), __VA_ARGS__)
#define BPV_POLY18(F, z, a, b, ...) BPV_POLY17(F, z, F(a, z, b), __VA_ARGS__)
#define BPV_POLY19(F, z, a, b, ...) BPV_POLY18(F, z, F(a, z, b), __VA_ARGS__)
#define BPV_POLY20(F, z, a, b, ...) BPV_POLY19(F, z, F(a, z, b), __VA_ARGS__)

/* The same of six by pairs, with z = x^2: as much work, less to wait for. */
#define BPV_PAIRS(F, x, z, ...)               BPV_PAIRS6(F, x, z, __VA_ARGS__)
#define BPV_PAIRS6(F, x, z, a, b, c, d, e, f) F(F(F(a, x, b), z, F(c, x, d)), z, F(e, x, f))

#include "vecmath_f64.h"
#include "vecmath_f32.h"

/* ---- stable composites, for both types ----
 * sigmoid: exp of -|x| alone, so that nothing overflows and the left tail keeps its subnormal values. The denominator takes exp
 * in its parts, before it is rounded, and what rounding took from both sides is given back: that keeps it within 2 ulp.
 * softplus(x) = log(1 + exp(x)) and log_sigmoid(x) = -softplus(-x): finite wherever the true value is. */
#define BPV_COMPOSITES(T, S, ABS, LEAST)                                                \
  BPV_FN T bpv_sigmoid_##S(T x)                                                         \
  {                                                                                     \
    const T a = -ABS(x);                                                                \
    T s[2];                                                                             \
    const T q = bpv_exp_parts_##S(a < LEAST ? LEAST : a, s);                            \
    const T one = 1 + q, scale = s[0] * s[1], whole = 1 + scale;                        \
    const T under = bpv_fma_##S(scale, q, whole);                                       \
    const T lost = (x >= 0 ? 0 : q - (one - 1)) - bpv_fma_##S(scale, q, whole - under); \
    const T y = (x >= 0 ? (T)1 : one * s[0] * s[1]) / under;                            \
    return bpv_fma_##S(y, lost, y);                                                     \
  }                                                                                     \
  BPV_FN T bpv_softplus_##S(T x)                                                        \
  {                                                                                     \
    const T tail = bpv_log1p_mid_##S(bpv_exp_##S(-ABS(x)));                             \
    return (x < 0 ? 0 : x) + tail;                                                      \
  }                                                                                     \
  BPV_FN T bpv_log_sigmoid_##S(T x)                                                     \
  {                                                                                     \
    const T tail = bpv_log1p_mid_##S(bpv_exp_##S(-ABS(x)));                             \
    return (x > 0 ? 0 : x) - tail;                                                      \
  }

BPV_COMPOSITES(float, f32, __builtin_fabsf, -104)
BPV_COMPOSITES(double, f64, __builtin_fabs, -746)

#endif
