/* float32 half of vecmath.h, which includes it. Polynomials: tools/fit-vecmath. Where float32 alone would need a long
 * detour for its last bits (sin, cos, tan, sinh, cosh, pow) the work is done in float64. */
#ifndef BPI_VECMATH_F32_H
#define BPI_VECMATH_F32_H

#define BPV_ROUND_F32            0x1.8p23f
#define BPV_POLY_F32(n, z, ...)  BPV_POLY(n, bpv_fma_f32, z, __VA_ARGS__)
#define BPV_PAIRS_F32(x, z, ...) BPV_PAIRS(bpv_fma_f32, x, z, __VA_ARGS__)

#define BPV_LN2_HI_F32  0x1.62e4p-1f
#define BPV_LN2_LO_F32  0x1.7f7d1cp-20f
#define BPV_LOG2E_F32   0x1.715476p+0f
#define BPV_PIO2_HI_F32 0x1.921fb6p+0f
#define BPV_PIO2_LO_F32 -0x1.777a5cp-25f
#define BPV_PI_HI_F32   0x1.921fb6p+1f
#define BPV_PI_LO_F32   -0x1.777a5cp-24f

#define BPV_EXP_F32 0x1.9df0bap-13f, 0x1.6d4ccp-10f, 0x1.11131p-7f, 0x1.5554e8p-5f, 0x1.555554p-3f, 0x1p-1f
#define BPV_EXPM1_F32 \
  0x1.9e7772p-13f, 0x1.6d3a44p-10f, 0x1.1112d6p-7f, 0x1.5554f8p-5f, 0x1.555554p-3f, 0x1p-1f
#define BPV_LOG_F32                                                                                 \
  0x1.e97f6ap-4f, -0x1.06d494p-3f, 0x1.b9314cp-4f, -0x1.f3a796p-4f, 0x1.24eac6p-3f, -0x1.5597ep-3f, \
      0x1.9997f2p-3f, -0x1.ffff16p-3f, 0x1.555556p-2f
#define BPV_TANH_F32 -0x1.99f31p-8f, 0x1.590082p-6f, -0x1.b9209ep-5f, 0x1.110cf4p-3f, -0x1.55554ap-2f
#define BPV_ERF_F32                                                                                   \
  0x1.4fa908p-14f, -0x1.a6180cp-11f, 0x1.544b08p-8f, -0x1.b80124p-6f, 0x1.ce2d64p-4f, -0x1.81274p-2f, \
      0x1.06eba8p-3f
#define BPV_ERF_TAIL_F32                                                                             \
  0x1.61f7dep-16f, -0x1.c79984p-12f, 0x1.115d1cp-8f, -0x1.9b8feep-6f, 0x1.bb847p-4f, 0x1.4445fcp-1f, \
      0x1.2127e8p+0f, -0x1.6e7388p-13f
#define BPV_ATAN_F32                                                                                 \
  -0x1.d501fap-10f, 0x1.64fbd8p-7f, -0x1.fe3066p-6f, 0x1.da77ap-5f, -0x1.581bf6p-4f, 0x1.c09152p-4f, \
      -0x1.2420dap-3f, 0x1.9991e8p-3f, -0x1.55553ep-2f
#define BPV_ASIN_F32 0x1.595b56p-5f, 0x1.8c3e3ap-6f, 0x1.747bc6p-5f, 0x1.330204p-4f, 0x1.5555c8p-3f
/* These two in float64, for results in float32. */
#define BPV_SIN_POLY_F32 \
  0x1.6ccf34cc646ap-19, -0x1.a00f73932e8a5p-13, 0x1.1111085bd5e95p-7, -0x1.5555554c5d863p-3
#define BPV_COS_POLY_F32 \
  -0x1.241c8ed89ee24p-22, 0x1.a010d4ca0f3dbp-16, -0x1.6c16b81ab3e81p-10, 0x1.5555554ecb039p-5

BPV_FN float bpv_abs_f32(float x)
{
  return __builtin_fabsf(x);
}

BPV_FN float bpv_sqrt_f32(float x)
{
  return __builtin_sqrtf(x);
}

#if defined(__SSE4_1__) || defined(__aarch64__)
BPV_FN float bpv_rint_f32(float x)
{
  return __builtin_rintf(x);
}

BPV_FN float bpv_floor_f32(float x)
{
  return __builtin_floorf(x);
}

BPV_FN float bpv_ceil_f32(float x)
{
  return __builtin_ceilf(x);
}
#else
BPV_FN float bpv_rint_f32(float x)
{
  const float big = __builtin_copysignf(0x1p23f, x);
  const float r = (x + big) - big;
  return __builtin_fabsf(x) < 0x1p23f ? __builtin_copysignf(r, x) : x;
}

BPV_FN float bpv_floor_f32(float x)
{
  const float r = bpv_rint_f32(x);
  return __builtin_copysignf(r - (r > x ? 1.0f : 0.0f), x);
}

BPV_FN float bpv_ceil_f32(float x)
{
  const float r = bpv_rint_f32(x);
  return __builtin_copysignf(r + (r < x ? 1.0f : 0.0f), x);
}
#endif

BPV_FN float bpv_exp_split_f32(float x, uint32_t *low)
{
  const float t = bpv_fma_f32(x, BPV_LOG2E_F32, BPV_ROUND_F32);
  const float k = t - BPV_ROUND_F32;
  *low = bpv_bits_f32(t) - bpv_bits_f32(BPV_ROUND_F32);
  return bpv_fma_f32(k, -BPV_LN2_LO_F32, bpv_fma_f32(k, -BPV_LN2_HI_F32, x));
}

BPV_FN float bpv_two_to_f32(uint32_t k)
{
  return bpv_from_bits_f32((k + 127) << 23);
}

/* exp(r) - 1 of a small r. The polynomial goes by pairs, as short arrays wait for each of its steps: three where Horner's rule has five. */
BPV_FN float bpv_exp_rest_f32(float r)
{
  const float z = r * r;
  return bpv_fma_f32(z, BPV_PAIRS_F32(r, z, BPV_EXP_F32), r);
}

/* |x| < 87: one factor is enough. */
BPV_FN float bpv_exp_mid_f32(float x)
{
  uint32_t low;
  const float r = bpv_exp_split_f32(x, &low);
  return (1 + bpv_exp_rest_f32(r)) * bpv_two_to_f32(low);
}

/* exp(x) = (1 + q) s[0] s[1] for |x| <= 104: two factors, for subnormal results and the last binade. */
BPV_FN float bpv_exp_parts_f32(float x, float *s)
{
  uint32_t low;
  const float r = bpv_exp_split_f32(x, &low);
  const uint32_t half = (uint32_t)((int32_t)low >> 1);
  s[0] = bpv_two_to_f32(half);
  s[1] = bpv_two_to_f32(low - half);
  return bpv_exp_rest_f32(r);
}

BPV_FN float bpv_exp_f32(float x)
{
  float c = x > 89 ? 89 : x, s[2];
  c = c < -104 ? -104 : c;
  const float q = bpv_exp_parts_f32(c, s);
  return (1 + q) * s[0] * s[1];
}

/* At half its size, so that 2^k does not overflow before the result does. */
BPV_FN float bpv_expm1_f32(float x)
{
  float c = x > 89 ? 89 : x;
  c = c < -20 ? -20 : c;
  uint32_t low;
  const float r = bpv_exp_split_f32(c, &low);
  const float p = BPV_POLY_F32(6, r, BPV_EXPM1_F32);
  const float q = bpv_fma_f32(r * r, p, r);
  const float s = bpv_two_to_f32(low - 1);
  const float y = 2 * bpv_fma_f32(s, q, s - 0.5f);
  return __builtin_fabsf(x) < 0x1p-25f ? x : y;
}

/* k ln 2 + log(1 + f), f in [-1/3, 1/3]. */
BPV_FN float bpv_log_of_f32(float k, float f)
{
  const float p = BPV_POLY_F32(9, f, BPV_LOG_F32);
  const float q = bpv_fma_f32(f, p, -0.5f);
  const float y = f + bpv_fma_f32(f * f, q, k * BPV_LN2_LO_F32);
  return bpv_fma_f32(k, BPV_LN2_HI_F32, y);
}

#define BPV_TWO_THIRDS_BITS_F32 0x3f2aaaabu

BPV_FN float bpv_log_f32(float x)
{
  const int tiny = x < 0x1p-126f;
  const uint32_t u = bpv_bits_f32(tiny ? x * 0x1p23f : x);
  const uint32_t e = (u - BPV_TWO_THIRDS_BITS_F32) & 0xff800000u;
  const float k = (float)((int32_t)e >> 23) - (tiny ? 23.0f : 0.0f);
  float y = bpv_log_of_f32(k, bpv_from_bits_f32(u - e) - 1);
  y = x > 0 ? y : NAN;
  y = x == 0 ? -INFINITY : y;
  y = x == INFINITY ? x : y;
  return x != x ? x : y;
}

/* x > -1 and finite. With 1 + x = 2^k (1 + f), f = (2^-k - 1) + 2^-k x loses nothing that 1 + x would (Juffa). */
BPV_FN float bpv_log1p_mid_f32(float x)
{
  const uint32_t e = (bpv_bits_f32(1 + x) - BPV_TWO_THIRDS_BITS_F32) & 0xff800000u;
  const float s = 0.25f * bpv_from_bits_f32(0x40800000u - e);
  const float f = bpv_from_bits_f32(bpv_bits_f32(x) - e) + (s - 1);
  return bpv_log_of_f32((float)((int32_t)e >> 23), f);
}

BPV_FN float bpv_log1p_f32(float x)
{
  float y = bpv_log1p_mid_f32(x);
  y = x > -1 ? y : NAN;
  y = x == -1 ? -INFINITY : y;
  y = __builtin_fabsf(x) < 0x1p-25f || x == INFINITY ? x : y;
  return x != x ? x : y;
}

/* As few steps one after another as can be, for short arrays: exp(2a) + 1 = s w p + (s r + (s + 1)) is made beginning with a, and 1 is put in
 * place of what overflows only at the end. s + 1 is exact where it matters. */
BPV_FN float bpv_tanh_f32(float x)
{
  const float a = __builtin_fabsf(x), z = a * a;
  const float t = bpv_fma_f32(a, 2 * BPV_LOG2E_F32, BPV_ROUND_F32), k = t - BPV_ROUND_F32;
  const float s = bpv_two_to_f32(bpv_bits_f32(t) - bpv_bits_f32(BPV_ROUND_F32));
  const float r = bpv_fma_f32(k, -BPV_LN2_LO_F32, bpv_fma_f32(k, -BPV_LN2_HI_F32, 2 * a));
  const float w = r * r, p = BPV_PAIRS_F32(r, w, BPV_EXP_F32);
  const float large = 1 - 2 / bpv_fma_f32(s * w, p, bpv_fma_f32(s, r, s + 1));
  const float small = bpv_fma_f32(z * a, BPV_POLY_F32(5, z, BPV_TANH_F32), a);
  const float y = a > 15 ? 1 : large;
  return __builtin_copysignf(a < 0.55f ? small : y, x);
}

BPV_FN float bpv_erf_f32(float x)
{
  const float a = __builtin_fabsf(x), z = a * a;
  const float small = bpv_fma_f32(a, BPV_POLY_F32(7, z, BPV_ERF_F32), a);
  const float c = a > 3.93f ? 3.93f : a;
  const float tail = BPV_POLY_F32(8, c, BPV_ERF_TAIL_F32);
  const float large = 1 - bpv_exp_mid_f32(-tail);
  return __builtin_copysignf(a < 0.93f ? small : large, x);
}

BPV_FN double bpv_sin_poly_f32(double r)
{
  const double z = r * r;
  return bpv_fma_f64(r * z, BPV_POLY_F64(4, z, BPV_SIN_POLY_F32), r);
}

BPV_FN double bpv_cos_poly_f32(double r)
{
  const double z = r * r;
  return bpv_fma_f64(z * z, BPV_POLY_F64(4, z, BPV_COS_POLY_F32), bpv_fma_f64(z, -0.5, 1));
}

BPV_FN float bpv_sin_f32(float x)
{
  uint64_t q;
  const double r = bpv_quarter_f64((double)x, &q);
  const float y = (float)bpv_turn_f64(bpv_sin_poly_f32(r), bpv_cos_poly_f32(r), q, q >> 1);
  return x == 0 ? x : y;
}

BPV_FN float bpv_cos_f32(float x)
{
  uint64_t q;
  const double r = bpv_quarter_f64((double)x, &q);
  return (float)bpv_turn_f64(bpv_sin_poly_f32(r), bpv_cos_poly_f32(r), q + 1, (q + 1) >> 1);
}

BPV_FN float bpv_tan_f32(float x)
{
  uint64_t q;
  const double r = bpv_quarter_f64((double)x, &q);
  const double s = bpv_sin_poly_f32(r), c = bpv_cos_poly_f32(r);
  const float y = (float)(bpv_turn_f64(s, c, q, q) / bpv_turn_f64(c, s, q, 0));
  return x == 0 ? x : y;
}

/* atan of t in [0, 1]. */
BPV_FN float bpv_atan_core_f32(float t)
{
  const float z = t * t;
  return bpv_fma_f32(z * t, BPV_POLY_F32(9, z, BPV_ATAN_F32), t);
}

BPV_FN float bpv_atan_f32(float x)
{
  const float a = __builtin_fabsf(x);
  const float p = bpv_atan_core_f32(a > 1 ? 1 / a : a);
  const float y = a > 1 ? BPV_PIO2_HI_F32 - (p - BPV_PIO2_LO_F32) : p;
  return __builtin_copysignf(y, x);
}

/* All four quadrants and both axes; 0/0 is taken as 0 and inf/inf as 1, as Annex F has it. */
BPV_FN float bpv_atan2_f32(float y, float x)
{
  const float ax = __builtin_fabsf(x), ay = __builtin_fabsf(y);
  const float large = ay > ax ? ay : ax, small = ay > ax ? ax : ay;
  float t = small / large;
  t = small == large ? (large == 0 ? 0.0f : 1.0f) : t;
  const float p = bpv_atan_core_f32(t);
  const float half = ay > ax ? BPV_PIO2_HI_F32 - (p - BPV_PIO2_LO_F32) : p;
  const float left = BPV_PI_HI_F32 - (half - BPV_PI_LO_F32);
  const float r = __builtin_copysignf(__builtin_copysignf(1, x) < 0 ? left : half, y);
  return x != x || y != y ? x + y : r;
}

/* asin of s in [0, 1/2], z = s^2. */
BPV_FN float bpv_asin_core_f32(float s, float z)
{
  return bpv_fma_f32(s * z, BPV_POLY_F32(5, z, BPV_ASIN_F32), s);
}

/* Past 1/2: asin(a) = pi/2 - 2 asin(sqrt((1 - a)/2)). */
BPV_FN float bpv_asin_f32(float x)
{
  const float a = __builtin_fabsf(x);
  const float z = a > 0.5f ? (1 - a) * 0.5f : a * a;
  const float p = bpv_asin_core_f32(a > 0.5f ? __builtin_sqrtf(z) : a, z);
  const float y = a > 0.5f ? BPV_PIO2_HI_F32 - (2 * p - BPV_PIO2_LO_F32) : p;
  return x != x ? x : __builtin_copysignf(y, x);
}

BPV_FN float bpv_acos_f32(float x)
{
  const float a = __builtin_fabsf(x);
  const float z = a > 0.5f ? (1 - a) * 0.5f : a * a;
  const float p = bpv_asin_core_f32(a > 0.5f ? __builtin_sqrtf(z) : a, z);
  const float inner = BPV_PIO2_HI_F32 - (__builtin_copysignf(p, x) - BPV_PIO2_LO_F32);
  const float outer = x > 0 ? 2 * p : BPV_PI_HI_F32 - (2 * p - BPV_PI_LO_F32);
  return a > 0.5f ? outer : inner;
}

BPV_FN float bpv_sinh_f32(float x)
{
  const double t = bpv_expm1_f64(__builtin_fabs((double)x));
  const double y = 0.5 * (t + t / (t + 1));
  return __builtin_copysignf((float)(t < 1e40 ? y : t), x);
}

BPV_FN float bpv_cosh_f32(float x)
{
  const double e = bpv_exp_f64(__builtin_fabs((double)x));
  return (float)(0.5 * (e + 1 / e));
}

/* |x|^y in float64, then the signs and the cases where C says 1 though a factor is NaN or a product 0 * inf. */
BPV_FN float bpv_pow_f32(float x, float y)
{
  const float ax = __builtin_fabsf(x), ay = __builtin_fabsf(y);
  const float size = (float)bpv_exp_f64((double)y * bpv_log_f64((double)ax));
  const float half = 0.5f * ay;
  const int whole = bpv_floor_f32(ay) == ay;
  const int odd = whole & (bpv_floor_f32(half) != half);
  const int negative = __builtin_copysignf(1, x) < 0;
  float r = (negative & odd) ? -size : size;
  r = ((x < 0) & !whole & (ax != INFINITY)) ? NAN : r;
  r = ((ax == 1) & (ay == INFINITY)) ? 1.0f : r;
  return ((x == 1) | (y == 0)) ? 1.0f : r;
}

#endif
