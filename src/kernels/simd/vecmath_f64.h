/* float64 half of vecmath.h, which includes it. Polynomials: tools/fit-vecmath. */
#ifndef BPI_VECMATH_F64_H
#define BPI_VECMATH_F64_H

/* Adding this rounds to an integer, half to even, and leaves it in the low bits. */
#define BPV_ROUND_F64           0x1.8p52
#define BPV_POLY_F64(n, z, ...) BPV_POLY(n, bpv_fma_f64, z, __VA_ARGS__)

/* ln 2 in two parts, the first short enough that a multiple by an exponent is exact. */
#define BPV_LN2_HI_F64 0x1.62e42feep-1
#define BPV_LN2_LO_F64 0x1.a39ef35793c76p-33
#define BPV_LOG2E_F64  0x1.71547652b82fep+0

#define BPV_EXP_F64                                                                            \
  0x1.ada67efb3a72ap-26, 0x1.28ae10ed807f5p-22, 0x1.71df0bec87c57p-19, 0x1.a019994d46f89p-16,  \
      0x1.a01a01362b8e2p-13, 0x1.6c16c1847bcb3p-10, 0x1.11111111256fap-7, 0x1.55555555506bp-5, \
      0x1.5555555555504p-3, 0x1.000000000000ap-1
#define BPV_EXPM1_F64                                                                           \
  0x1.1ef563c29df8p-29, 0x1.af5d6338c5bd8p-26, 0x1.27e52b1df6a55p-22, 0x1.71ddf930940bbp-19,    \
      0x1.a01a018300a21p-16, 0x1.a01a01af8242cp-13, 0x1.6c16c16c1cd17p-10, 0x1.111111110f7dp-7, \
      0x1.5555555555548p-5, 0x1.5555555555559p-3, 0x1p-1
#define BPV_LOG_F64                                                                      \
  0x1.2f036bbc08d4p-3, 0x1.39a1f2971c8dcp-3, 0x1.74663c7b49db2p-3, 0x1.c71c5216b19bcp-3, \
      0x1.24924941de71ap-2, 0x1.999999997ff41p-2, 0x1.5555555555592p-1
#define BPV_TANH_F64                                                                               \
  0x1.b1637a01783dap-20, 0x1.1f264aa438af4p-18, -0x1.faeb0ed05f0e4p-16, 0x1.844cdaa2c8df6p-14,     \
      -0x1.f29f90d9d2703p-13, 0x1.3530bf14a0272p-11, -0x1.7da07a244103bp-10, 0x1.d6d3ab12d07ebp-9, \
      -0x1.226e34ba83383p-7, 0x1.664f487f3683bp-6, -0x1.ba1ba1ba1023p-5, 0x1.111111111107bp-3,     \
      -0x1.5555555555555p-2
#define BPV_ERF_F64                                                                                 \
  -0x1.7d31ea0828b9cp-32, 0x1.3fc9c0e7c973cp-29, -0x1.0886c9859a0acp-27, 0x1.b9ebc8b590d13p-26,     \
      -0x1.78f9ae77ffff1p-23, 0x1.bc3f5238d4413p-20, -0x1.f4f847861e8a7p-17, 0x1.f9a4cae00047fp-14, \
      -0x1.c02dc02fce94p-11, 0x1.565bcd489fa4ap-8, -0x1.b82ce313d46d8p-6, 0x1.ce2f21a04697bp-4,     \
      -0x1.812746b037a2fp-2, 0x1.06eba8214db69p-3
#define BPV_ERF_TAIL_F64                                                                            \
  0x1.91bea3d27d3f6p-43, -0x1.3a30fcc202735p-37, 0x1.cf005407e2235p-33, -0x1.ab39dcc63e302p-29,     \
      0x1.149305be08aap-25, -0x1.0a75203442dp-22, 0x1.8a8c0e280a24fp-20, -0x1.c74d5ac64f06ep-18,    \
      0x1.975ff338dc543p-16, -0x1.0fa3b63cde64fp-14, 0x1.d0ae83e219799p-14, -0x1.715a7aa6b4087p-16, \
      -0x1.21978e05f7b2fp-11, 0x1.b7148b85f409cp-10, -0x1.a840bd6e30437p-13, -0x1.3964d8dea8d39p-6, \
      0x1.a4f3032011d48p-4, 0x1.45f3271f55b8p-1, 0x1.20dd70ccce623p+0, 0x1.dd8ae55ba0f08p-26
#define BPV_ASIN_F64                                                                          \
  0x1.056cddb40f43fp-5, -0x1.09d187d4ff6bap-6, 0x1.3ff3a13a70aecp-6, 0x1.abd0dc1997eacp-8,    \
      0x1.8ec2d0f7a492cp-7, 0x1.c6fdc82a59a4fp-7, 0x1.1c6be1556be87p-6, 0x1.6e89f44528eb5p-6, \
      0x1.f1c72c38ca744p-6, 0x1.6db6db427accbp-5, 0x1.333333336e807p-4, 0x1.555555555539p-3
#define BPV_ATAN_F64                                                                            \
  -0x1.2557a8fbcb4d8p-6, 0x1.37cd2b6ee6dbp-5, -0x1.9ccf70f4cd32dp-5, 0x1.df0e934d76235p-5,      \
      -0x1.10ebabff6de59p-4, 0x1.3b1118141ae1ap-4, -0x1.745cf8cea032cp-4, 0x1.c71c70e5a2f57p-4, \
      -0x1.24924922ac818p-3, 0x1.9999999995854p-3, -0x1.555555555553dp-2
#define BPV_SIN_POLY_F64                                                                        \
  0x1.5d8d090ba067cp-33, -0x1.ae5e50c4a365fp-26, 0x1.71de355ae9ee9p-19, -0x1.a01a019bee516p-13, \
      0x1.111111110f749p-7, -0x1.5555555555548p-3
#define BPV_COS_POLY_F64                                                                        \
  -0x1.8fa55c5cc02f5p-37, 0x1.1ee9d9d67c3e4p-29, -0x1.27e4f7ef22647p-22, 0x1.a01a019c8c954p-16, \
      -0x1.6c16c16c15006p-10, 0x1.555555555554bp-5

BPV_FN double bpv_abs_f64(double x)
{
  return __builtin_fabs(x);
}

BPV_FN double bpv_sqrt_f64(double x)
{
  return __builtin_sqrt(x);
}

#if defined(__SSE4_1__) || defined(__aarch64__)
BPV_FN double bpv_rint_f64(double x)
{
  return __builtin_rint(x);
}

BPV_FN double bpv_floor_f64(double x)
{
  return __builtin_floor(x);
}

BPV_FN double bpv_ceil_f64(double x)
{
  return __builtin_ceil(x);
}
#else
/* From 2^52 on every number is whole. */
BPV_FN double bpv_rint_f64(double x)
{
  const double big = __builtin_copysign(0x1p52, x);
  const double r = (x + big) - big;
  return __builtin_fabs(x) < 0x1p52 ? __builtin_copysign(r, x) : x;
}

BPV_FN double bpv_floor_f64(double x)
{
  const double r = bpv_rint_f64(x);
  return __builtin_copysign(r - (r > x ? 1.0 : 0.0), x);
}

BPV_FN double bpv_ceil_f64(double x)
{
  const double r = bpv_rint_f64(x);
  return __builtin_copysign(r + (r < x ? 1.0 : 0.0), x);
}
#endif

/* x = k ln 2 + r, |r| <= ln 2 / 2. Returns r, and k as a number and as an integer. */
BPV_FN double bpv_exp_split_f64(double x, double *k, uint64_t *low)
{
  const double t = bpv_fma_f64(x, BPV_LOG2E_F64, BPV_ROUND_F64);
  *low = bpv_bits_f64(t) - bpv_bits_f64(BPV_ROUND_F64);
  *k = t - BPV_ROUND_F64;
  return bpv_fma_f64(*k, -BPV_LN2_LO_F64, bpv_fma_f64(*k, -BPV_LN2_HI_F64, x));
}

/* 2^k for k in [-1022, 1023]. */
BPV_FN double bpv_two_to_f64(uint64_t k)
{
  return bpv_from_bits_f64((k + 1023) << 52);
}

/* |x| < 700: one factor is enough. */
BPV_FN double bpv_exp_mid_f64(double x)
{
  double k;
  uint64_t low;
  const double r = bpv_exp_split_f64(x, &k, &low);
  const double p = BPV_POLY_F64(10, r, BPV_EXP_F64);
  return (1 + bpv_fma_f64(r * r, p, r)) * bpv_two_to_f64(low);
}

/* exp(x) = (1 + q) s[0] s[1] for |x| <= 746. One factor alone cannot reach subnormal results, nor the last binade without
 * overflow. */
BPV_FN double bpv_exp_parts_f64(double x, double *s)
{
  double k;
  uint64_t low;
  const double r = bpv_exp_split_f64(x, &k, &low);
  const double t = bpv_fma_f64(k, 0.5, BPV_ROUND_F64);
  const uint64_t half = bpv_bits_f64(t) - bpv_bits_f64(BPV_ROUND_F64);
  s[0] = bpv_two_to_f64(half);
  s[1] = bpv_two_to_f64(low - half);
  return bpv_fma_f64(r * r, BPV_POLY_F64(10, r, BPV_EXP_F64), r);
}

BPV_FN double bpv_exp_f64(double x)
{
  double c = x > 710 ? 710 : x, s[2];
  c = c < -746 ? -746 : c;
  const double q = bpv_exp_parts_f64(c, s);
  return (1 + q) * s[0] * s[1];
}

/* 2^k (1 + q) - 1, at half its size so that 2^k does not overflow before the result does. */
BPV_FN double bpv_expm1_f64(double x)
{
  double c = x > 710 ? 710 : x;
  c = c < -40 ? -40 : c;
  double k;
  uint64_t low;
  const double r = bpv_exp_split_f64(c, &k, &low);
  const double p = BPV_POLY_F64(11, r, BPV_EXPM1_F64);
  const double q = bpv_fma_f64(r * r, p, r);
  const double s = bpv_two_to_f64(low - 1);
  const double y = 2 * bpv_fma_f64(s, q, s - 0.5);
  return __builtin_fabs(x) < 0x1p-54 ? x : y;
}

/* k ln 2 + log(1 + f), f in [sqrt(1/2) - 1, sqrt(2) - 1]: Ng's scheme as in fdlibm, where f^2/2 is taken exactly as far as
 * it matters. */
BPV_FN double bpv_log_of_f64(double k, double f)
{
  const double s = f / (2 + f), z = s * s, h = 0.5 * f * f;
  const double p = z * BPV_POLY_F64(7, z, BPV_LOG_F64);
  const double low = bpv_fma_f64(s, h + p, k * BPV_LN2_LO_F64);
  return bpv_fma_f64(k, BPV_LN2_HI_F64, f - (h - low));
}

/* Where the exponent of a number over sqrt(1/2) is counted from. */
#define BPV_LOG_OFFSET_F64 (0x3ff0000000000000u - 0x3fe6a09e667f3bcdu)

BPV_FN double bpv_log_f64(double x)
{
  const int tiny = x < 0x1p-1022;
  const uint64_t u = bpv_bits_f64(tiny ? x * 0x1p54 : x) + BPV_LOG_OFFSET_F64;
  const double biased = bpv_from_bits_f64((u >> 52) | 0x4330000000000000u) - 0x1p52;
  const double k = biased - (tiny ? 1023.0 + 54 : 1023.0);
  const double f = bpv_from_bits_f64((u & 0x000fffffffffffffu) + 0x3fe6a09e667f3bcdu) - 1;
  double y = bpv_log_of_f64(k, f);
  y = x > 0 ? y : (double)NAN;
  y = x == 0 ? -(double)INFINITY : y;
  y = x == (double)INFINITY ? x : y;
  return x != x ? x : y;
}

/* x > -1 and finite. With 1 + x = 2^k (1 + f), f = (2^-k - 1) + 2^-k x loses nothing that 1 + x would. */
BPV_FN double bpv_log1p_mid_f64(double x)
{
  const uint64_t u = bpv_bits_f64(1 + x) + BPV_LOG_OFFSET_F64;
  const double k = bpv_from_bits_f64((u >> 52) | 0x4330000000000000u) - (0x1p52 + 1023);
  const uint64_t e = (u & 0xfff0000000000000u) - 0x3ff0000000000000u;
  const double s = 0.25 * bpv_from_bits_f64(0x4010000000000000u - e);
  const double f = bpv_from_bits_f64(bpv_bits_f64(x) - e) + (s - 1);
  return bpv_log_of_f64(k, f);
}

BPV_FN double bpv_log1p_f64(double x)
{
  double y = bpv_log1p_mid_f64(x);
  y = x > -1 ? y : (double)NAN;
  y = x == -1 ? -(double)INFINITY : y;
  y = __builtin_fabs(x) < 0x1p-54 || x == (double)INFINITY ? x : y;
  return x != x ? x : y;
}

/* Below the cut a polynomial; above it the error of 1 - 2/(e + 1) is under that of its own rounding. */
BPV_FN double bpv_tanh_f64(double x)
{
  const double a = __builtin_fabs(x), z = a * a;
  const double c = a > 30 ? 30 : a;
  const double large = 1 - 2 / (bpv_exp_mid_f64(2 * c) + 1);
  const double p = BPV_POLY_F64(13, z, BPV_TANH_F64);
  const double small = bpv_fma_f64(z * a, p, a);
  return __builtin_copysign(a < 0.55 ? small : large, x);
}

BPV_FN double bpv_erf_f64(double x)
{
  const double a = __builtin_fabs(x), z = a * a;
  const double small = bpv_fma_f64(a, BPV_POLY_F64(14, z, BPV_ERF_F64), a);
  const double c = a > 5.93 ? 5.93 : a;
  const double tail = BPV_POLY_F64(20, c, BPV_ERF_TAIL_F64);
  const double large = 1 - bpv_exp_mid_f64(-tail);
  return __builtin_copysign(a < 1 ? small : large, x);
}

/* pi/2 in four parts: multiples of the first three up to 2^17 are exact, so that next to a multiple of pi/2 nothing is lost. */
#define BPV_PIO2_1 0x1.921fb544p+0
#define BPV_PIO2_2 0x1.0b4611a6p-34
#define BPV_PIO2_3 0x1.3198a2ep-69
#define BPV_PIO2_4 0x1.b839a252049c1p-104

/* x = q pi/2 + r, |r| <= pi/4; returns r, and q in the low bits of *q. */
BPV_FN double bpv_quarter_f64(double x, uint64_t *q)
{
  const double t = bpv_fma_f64(x, 0x1.45f306dc9c883p-1, BPV_ROUND_F64);
  const double n = t - BPV_ROUND_F64;
  *q = bpv_bits_f64(t);
  const double near = bpv_fma_f64(n, -BPV_PIO2_1, x), second = n * BPV_PIO2_2;
  const double r = near - second, lost = (near - r) - second;
  return r + bpv_fma_f64(n, -BPV_PIO2_4, bpv_fma_f64(n, -BPV_PIO2_3, lost));
}

/* odd: the cosine instead; negative: the other sign. Masks, since 64-bit comparisons are rarer than 64-bit logic. */
BPV_FN double bpv_turn_f64(double s, double c, uint64_t odd, uint64_t negative)
{
  const uint64_t mask = -(odd & 1);
  return bpv_from_bits_f64(((bpv_bits_f64(s) & ~mask) | (bpv_bits_f64(c) & mask)) ^ (negative & 1) << 63);
}

BPV_FN double bpv_sin_poly_f64(double r)
{
  const double z = r * r;
  return bpv_fma_f64(r * z, BPV_POLY_F64(6, z, BPV_SIN_POLY_F64), r);
}

/* 1 - z/2 is rounded; what it loses is put back. */
BPV_FN double bpv_cos_poly_f64(double r)
{
  const double z = r * r, h = 0.5 * z, w = 1 - h;
  return w + bpv_fma_f64(z * z, BPV_POLY_F64(6, z, BPV_COS_POLY_F64), (1 - w) - h);
}

BPV_FN double bpv_sin_f64(double x)
{
  uint64_t q;
  const double r = bpv_quarter_f64(x, &q);
  const double y = bpv_turn_f64(bpv_sin_poly_f64(r), bpv_cos_poly_f64(r), q, q >> 1);
  return x == 0 ? x : y;
}

BPV_FN double bpv_cos_f64(double x)
{
  uint64_t q;
  const double r = bpv_quarter_f64(x, &q);
  return bpv_turn_f64(bpv_sin_poly_f64(r), bpv_cos_poly_f64(r), q + 1, (q + 1) >> 1);
}

BPV_FN double bpv_tan_f64(double x)
{
  uint64_t q;
  const double r = bpv_quarter_f64(x, &q);
  const double s = bpv_sin_poly_f64(r), c = bpv_cos_poly_f64(r);
  const double y = bpv_turn_f64(s, c, q, q) / bpv_turn_f64(c, s, q, 0);
  return x == 0 ? x : y;
}

#define BPV_PIO2_HI_F64 0x1.921fb54442d18p+0
#define BPV_PIO2_LO_F64 0x1.1a62633145c07p-54
#define BPV_TAN_PIO8    0x1.a827999fcef32p-2

/* atan of t, |t| <= tan(pi/8). */
BPV_FN double bpv_atan_core_f64(double t)
{
  const double z = t * t;
  return bpv_fma_f64(z * t, BPV_POLY_F64(11, z, BPV_ATAN_F64), t);
}

/* atan(a) = pi/4 + atan((a - 1)/(a + 1)) = pi/2 - atan(1/a): one division for all. */
BPV_FN double bpv_atan_f64(double x)
{
  const double a = __builtin_fabs(x);
  const int large = a > 1 / BPV_TAN_PIO8, middle = a > BPV_TAN_PIO8;
  const double over = large ? -1 : middle ? a - 1 : a, under = large ? a : middle ? a + 1 : 1;
  const double turn = large ? 1 : middle ? 0.5 : 0;
  const double p = bpv_atan_core_f64(over / under);
  return __builtin_copysign(turn * BPV_PIO2_HI_F64 + (p + turn * BPV_PIO2_LO_F64), x);
}

/* As in float32. Near the largest numbers a sum would overflow: both are made smaller. */
BPV_FN double bpv_atan2_f64(double y, double x)
{
  const double scale = __builtin_fabs(x) > 1e300 || __builtin_fabs(y) > 1e300 ? 0.25 : 1;
  const double ax = __builtin_fabs(x) * scale, ay = __builtin_fabs(y) * scale;
  const double large = ay > ax ? ay : ax, small = ay > ax ? ax : ay;
  const int middle = small > BPV_TAN_PIO8 * large;
  double p = bpv_atan_core_f64((middle ? small - large : small) / (middle ? small + large : large));
  p = middle ? 0.5 * BPV_PIO2_HI_F64 + (p + 0.5 * BPV_PIO2_LO_F64) : p;
  p = small == large ? (large == 0 ? 0 : 0.5 * BPV_PIO2_HI_F64) : p;
  const double half = ay > ax ? BPV_PIO2_HI_F64 - (p - BPV_PIO2_LO_F64) : p;
  const double left = 2 * BPV_PIO2_HI_F64 - (half - 2 * BPV_PIO2_LO_F64);
  const double r = __builtin_copysign(__builtin_copysign(1, x) < 0 ? left : half, y);
  return x != x || y != y ? x + y : r;
}

/* asin of s in [0, 1/2], z = s^2. */
BPV_FN double bpv_asin_core_f64(double s, double z)
{
  return bpv_fma_f64(s * z, BPV_POLY_F64(12, z, BPV_ASIN_F64), s);
}

/* Past 1/2: asin(a) = pi/2 - 2 asin(sqrt((1 - a)/2)). */
BPV_FN double bpv_asin_f64(double x)
{
  const double a = __builtin_fabs(x);
  const double z = a > 0.5 ? (1 - a) * 0.5 : a * a;
  const double p = bpv_asin_core_f64(a > 0.5 ? __builtin_sqrt(z) : a, z);
  const double y = a > 0.5 ? BPV_PIO2_HI_F64 - (2 * p - BPV_PIO2_LO_F64) : p;
  return x != x ? x : __builtin_copysign(y, x);
}

BPV_FN double bpv_acos_f64(double x)
{
  const double a = __builtin_fabs(x);
  const double z = a > 0.5 ? (1 - a) * 0.5 : a * a;
  const double p = bpv_asin_core_f64(a > 0.5 ? __builtin_sqrt(z) : a, z);
  const double inner = BPV_PIO2_HI_F64 - (__builtin_copysign(p, x) - BPV_PIO2_LO_F64);
  const double outer = x > 0 ? 2 * p : 2 * BPV_PIO2_HI_F64 - (2 * p - 2 * BPV_PIO2_LO_F64);
  return a > 0.5 ? outer : inner;
}

/* exp(a) / 2 = exp(a - 1) e/2: where exp(a) would overflow and the result does not. */
#define BPV_HALF_E_F64 0x1.5bf0a8b145769p+0

BPV_FN double bpv_sinh_f64(double x)
{
  const double a = __builtin_fabs(x);
  const double t = bpv_expm1_f64(a > 709 ? a - 1 : a);
  const double y = a > 709 ? BPV_HALF_E_F64 * t : 0.5 * (t + (t < 1e40 ? t / (t + 1) : 1));
  return __builtin_copysign(y, x);
}

BPV_FN double bpv_cosh_f64(double x)
{
  const double a = __builtin_fabs(x);
  const double e = bpv_exp_f64(a > 709 ? a - 1 : a);
  return a > 709 ? BPV_HALF_E_F64 * e : 0.5 * (e + 1 / e);
}

/* libm's own: the logarithm would have to be known to more than a double. */
BPV_FN double bpv_pow_f64(double x, double y)
{
  return pow(x, y);
}

#endif
