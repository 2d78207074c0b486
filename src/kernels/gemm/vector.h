/* Vectors of the instruction set this is compiled for: width, tile of the matrix product, fused multiply-add, and the
 * shuffles of a transposition inside 128-bit lanes. The vector types are the compiler's own (GCC and clang). */
#ifndef BPI_VECTOR_H
#define BPI_VECTOR_H

#include "kernels/simd/isa.h"

#if defined(__AVX512F__) || defined(__AVX2__) || defined(__SSE2__)
#include <immintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif

/* BPI_WIDE: bytes of a vector. BPI_MR: rows of a tile; its columns are two vectors. Enough independent sums to hide an FMA's
 * latency, few enough to stay in registers with the operands. BPI_DOTS: most rows of a tile of dot products, whose columns are 4.
 * BPI_KC_BYTES: most inner steps of one packed panel, so that the panel stays in the first-level cache (in bytes of one
 * column). BPI_UNROLL: inner steps written out. */
#if defined(__AVX512F__)
#define BPI_WIDE                64
#define BPI_MR                  8
#define BPI_DOTS                4
#define BPI_KC_BYTES            1024
#define BPI_UNROLL              2
#define BPI_MULADD_F32(a, b, c) _mm512_fmadd_ps(a, b, c)
#define BPI_MULADD_F64(a, b, c) _mm512_fmadd_pd(a, b, c)
#define BPI_SPREAD_F32(x)       _mm512_set1_ps(x)
#define BPI_SPREAD_F64(x)       _mm512_set1_pd(x)
#elif defined(__AVX2__) && defined(__FMA__)
#define BPI_WIDE                32
#define BPI_MR                  6
#define BPI_DOTS                2
#define BPI_KC_BYTES            1024
#define BPI_UNROLL              2
#define BPI_MULADD_F32(a, b, c) _mm256_fmadd_ps(a, b, c)
#define BPI_MULADD_F64(a, b, c) _mm256_fmadd_pd(a, b, c)
#define BPI_SPREAD_F32(x)       _mm256_set1_ps(x)
#define BPI_SPREAD_F64(x)       _mm256_set1_pd(x)
#elif defined(__ARM_NEON) && defined(__aarch64__)
#define BPI_WIDE                16
#define BPI_MR                  8
#define BPI_DOTS                4
#define BPI_KC_BYTES            2048
#define BPI_UNROLL              2
#define BPI_MULADD_F32(a, b, c) vfmaq_f32(c, a, b)
#define BPI_MULADD_F64(a, b, c) vfmaq_f64(c, a, b)
#define BPI_SPREAD_F32(x)       vdupq_n_f32(x)
#define BPI_SPREAD_F64(x)       vdupq_n_f64(x)
#else
#define BPI_WIDE                16
#define BPI_MR                  4
#define BPI_DOTS                2
#define BPI_KC_BYTES            2048
#define BPI_UNROLL              1
#define BPI_MULADD_F32(a, b, c) ((a) * (b) + (c))
#define BPI_MULADD_F64(a, b, c) ((a) * (b) + (c))
#define BPI_SPREAD_F32(x)       ((bpi_v_f32){x, x, x, x})
#define BPI_SPREAD_F64(x)       ((bpi_v_f64){x, x})
#endif

#define BPI_PRAGMA(...)  _Pragma(#__VA_ARGS__)
#define BPI_UNROLLED_(n) BPI_PRAGMA(GCC unroll n)
#define BPI_UNROLL_(n)   BPI_UNROLLED_(n)
#define BPI_UNROLLED     BPI_UNROLL_(BPI_UNROLL)
#if defined(__FMA__) || defined(__ARM_NEON)
#define BPI_MULADD1_F32(a, b, c) __builtin_fmaf(a, b, c)
#define BPI_MULADD1_F64(a, b, c) __builtin_fma(a, b, c)
#else
#define BPI_MULADD1_F32(a, b, c) ((a) * (b) + (c))
#define BPI_MULADD1_F64(a, b, c) ((a) * (b) + (c))
#endif

typedef float bpi_v_f32 __attribute__((vector_size(BPI_WIDE)));
typedef double bpi_v_f64 __attribute__((vector_size(BPI_WIDE)));
/* The same in memory, wherever it lies. */
typedef float bpi_u_f32 __attribute__((vector_size(BPI_WIDE), aligned(4), may_alias));
typedef double bpi_u_f64 __attribute__((vector_size(BPI_WIDE), aligned(8), may_alias));
typedef float bpi_lane_f32 __attribute__((vector_size(16), aligned(4), may_alias));
typedef double bpi_lane_f64 __attribute__((vector_size(16), aligned(8), may_alias));

#define BPI_SHUFFLE __builtin_shufflevector

/* In each 128-bit lane: BPI_LOW takes the lower elements of a and b in turn, BPI_HIGH the upper; BPI_FIRST and BPI_SECOND
 * the lower and the upper halves of a and b. */
#if BPI_WIDE == 64
#define BPI_LOW_F32(a, b)    _mm512_unpacklo_ps(a, b)
#define BPI_HIGH_F32(a, b)   _mm512_unpackhi_ps(a, b)
#define BPI_FIRST_F32(a, b)  _mm512_shuffle_ps(a, b, 0x44)
#define BPI_SECOND_F32(a, b) _mm512_shuffle_ps(a, b, 0xee)
#define BPI_LOW_F64(a, b)    _mm512_unpacklo_pd(a, b)
#define BPI_HIGH_F64(a, b)   _mm512_unpackhi_pd(a, b)
#elif BPI_WIDE == 32
#define BPI_LOW_F32(a, b)    _mm256_unpacklo_ps(a, b)
#define BPI_HIGH_F32(a, b)   _mm256_unpackhi_ps(a, b)
#define BPI_FIRST_F32(a, b)  _mm256_shuffle_ps(a, b, 0x44)
#define BPI_SECOND_F32(a, b) _mm256_shuffle_ps(a, b, 0xee)
#define BPI_LOW_F64(a, b)    _mm256_unpacklo_pd(a, b)
#define BPI_HIGH_F64(a, b)   _mm256_unpackhi_pd(a, b)
#else
#define BPI_LOW_F32(a, b)    BPI_SHUFFLE(a, b, 0, 4, 1, 5)
#define BPI_HIGH_F32(a, b)   BPI_SHUFFLE(a, b, 2, 6, 3, 7)
#define BPI_FIRST_F32(a, b)  BPI_SHUFFLE(a, b, 0, 1, 4, 5)
#define BPI_SECOND_F32(a, b) BPI_SHUFFLE(a, b, 2, 3, 6, 7)
#define BPI_LOW_F64(a, b)    BPI_SHUFFLE(a, b, 0, 2)
#define BPI_HIGH_F64(a, b)   BPI_SHUFFLE(a, b, 1, 3)
#endif

/* One 16-byte piece from each of BPI_WIDE / 16 places, `stride` elements apart. */
BPI_INLINE bpi_v_f32 bpi_gather_f32(const float *p, int64_t stride)
{
#if BPI_WIDE == 64
  const __m256 low =
      _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(p)), _mm_loadu_ps(p + stride), 1);
  const __m256 high = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(p + 2 * stride)),
                                           _mm_loadu_ps(p + 3 * stride), 1);
  return _mm512_insertf32x8(_mm512_castps256_ps512(low), high, 1);
#elif BPI_WIDE == 32
  return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(p)), _mm_loadu_ps(p + stride), 1);
#else
  (void)stride;
  return *(const bpi_lane_f32 *)p;
#endif
}

BPI_INLINE bpi_v_f64 bpi_gather_f64(const double *p, int64_t stride)
{
#if BPI_WIDE == 64
  const __m256d low =
      _mm256_insertf128_pd(_mm256_castpd128_pd256(_mm_loadu_pd(p)), _mm_loadu_pd(p + stride), 1);
  const __m256d high = _mm256_insertf128_pd(_mm256_castpd128_pd256(_mm_loadu_pd(p + 2 * stride)),
                                            _mm_loadu_pd(p + 3 * stride), 1);
  return _mm512_insertf64x4(_mm512_castpd256_pd512(low), high, 1);
#elif BPI_WIDE == 32
  return _mm256_insertf128_pd(_mm256_castpd128_pd256(_mm_loadu_pd(p)), _mm_loadu_pd(p + stride), 1);
#else
  (void)stride;
  return *(const bpi_lane_f64 *)p;
#endif
}

/* STEPS(T) inner steps of one vector of columns from a transposed operand: b is [columns, k] with row stride ldb;
 * out[q] holds column j in element j at inner step q. */
BPI_INLINE void bpi_turn_f32(const float *b, int64_t ldb, bpi_v_f32 *out)
{
  const bpi_v_f32 r0 = bpi_gather_f32(b, 4 * ldb), r1 = bpi_gather_f32(b + ldb, 4 * ldb);
  const bpi_v_f32 r2 = bpi_gather_f32(b + 2 * ldb, 4 * ldb), r3 = bpi_gather_f32(b + 3 * ldb, 4 * ldb);
  const bpi_v_f32 a = BPI_LOW_F32(r0, r1), c = BPI_HIGH_F32(r0, r1), d = BPI_LOW_F32(r2, r3),
                  e = BPI_HIGH_F32(r2, r3);
  out[0] = BPI_FIRST_F32(a, d);
  out[1] = BPI_SECOND_F32(a, d);
  out[2] = BPI_FIRST_F32(c, e);
  out[3] = BPI_SECOND_F32(c, e);
}

BPI_INLINE void bpi_turn_f64(const double *b, int64_t ldb, bpi_v_f64 *out)
{
  const bpi_v_f64 r0 = bpi_gather_f64(b, 2 * ldb), r1 = bpi_gather_f64(b + ldb, 2 * ldb);
  out[0] = BPI_LOW_F64(r0, r1);
  out[1] = BPI_HIGH_F64(r0, r1);
}

/* The first n elements of a vector, zeros behind them; reads no further. */
BPI_INLINE bpi_v_f32 bpi_some_f32(const float *p, int64_t n)
{
#if BPI_WIDE == 64
  return _mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), p);
#elif BPI_WIDE == 32
  const __m256i at = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_maskload_ps(p, _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), at));
#else
  float v[BPI_WIDE / 4] = {0};
  for (int64_t i = 0; i < n; i++)
    v[i] = p[i];
  return *(const bpi_u_f32 *)v;
#endif
}

BPI_INLINE bpi_v_f64 bpi_some_f64(const double *p, int64_t n)
{
#if BPI_WIDE == 64
  return _mm512_maskz_loadu_pd((__mmask8)((1u << n) - 1), p);
#elif BPI_WIDE == 32
  return _mm256_maskload_pd(p, _mm256_cmpgt_epi64(_mm256_set1_epi64x(n), _mm256_setr_epi64x(0, 1, 2, 3)));
#else
  double v[BPI_WIDE / 8] = {0};
  for (int64_t i = 0; i < n; i++)
    v[i] = p[i];
  return *(const bpi_u_f64 *)v;
#endif
}

#if BPI_WIDE == 64
/* The first half of a vector, zeros behind it; and the first n elements stored. */
BPI_INLINE bpi_v_f32 bpi_half_f32(const float *p)
{
  return _mm512_zextps256_ps512(_mm256_loadu_ps(p));
}

BPI_INLINE bpi_v_f64 bpi_half_f64(const double *p)
{
  return _mm512_zextpd256_pd512(_mm256_loadu_pd(p));
}

BPI_INLINE void bpi_put_f32(float *p, int64_t n, bpi_v_f32 v)
{
  if (n == 8)
    _mm256_storeu_ps(p, _mm512_castps512_ps256(v));
  else
    _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), v);
}

BPI_INLINE void bpi_put_f64(double *p, int64_t n, bpi_v_f64 v)
{
  if (n == 4)
    _mm256_storeu_pd(p, _mm512_castpd512_pd256(v));
  else
    _mm512_mask_storeu_pd(p, (__mmask8)((1u << n) - 1), v);
}

/* Elements of a vector, or of two that follow one another, by their places: 0, step, 2 step, ..., or as given. */
typedef int32_t bpi_at_f32 __attribute__((vector_size(64)));
typedef int64_t bpi_at_f64 __attribute__((vector_size(64)));
#define BPI_PICK_F32(at, v)     _mm512_permutexvar_ps((__m512i)(at), v)
#define BPI_PICK_F64(at, v)     _mm512_permutexvar_pd((__m512i)(at), v)
#define BPI_PICK2_F32(at, v, w) _mm512_permutex2var_ps(v, (__m512i)(at), w)
#define BPI_PICK2_F64(at, v, w) _mm512_permutex2var_pd(v, (__m512i)(at), w)

BPI_INLINE bpi_at_f32 bpi_steps_f32(int64_t step)
{
  return (bpi_at_f32){0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15} * (int32_t)step;
}

BPI_INLINE bpi_at_f32 bpi_all_f32(int64_t x)
{
  return (bpi_at_f32)_mm512_set1_epi32((int)x);
}

BPI_INLINE bpi_at_f64 bpi_all_f64(int64_t x)
{
  return (bpi_at_f64)_mm512_set1_epi64(x);
}

BPI_INLINE bpi_at_f64 bpi_steps_f64(int64_t step)
{
  return (bpi_at_f64){0, 1, 2, 3, 4, 5, 6, 7} * step;
}

BPI_INLINE bpi_at_f32 bpi_places_f32(const uint8_t *p)
{
  return (bpi_at_f32)_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)p));
}

BPI_INLINE bpi_at_f64 bpi_places_f64(const uint8_t *p)
{
  return (bpi_at_f64)_mm512_cvtepu8_epi64(_mm_loadl_epi64((const __m128i *)p));
}
#endif

/* Adds up the elements of each of 16 / sizeof(T) vectors: in a tree inside lanes, then lane by lane. */
BPI_INLINE bpi_lane_f32 bpi_fold_f32(const bpi_v_f32 *v)
{
  const bpi_v_f32 a = BPI_LOW_F32(v[0], v[1]) + BPI_HIGH_F32(v[0], v[1]);
  const bpi_v_f32 b = BPI_LOW_F32(v[2], v[3]) + BPI_HIGH_F32(v[2], v[3]);
  const bpi_v_f32 s = BPI_FIRST_F32(a, b) + BPI_SECOND_F32(a, b);
#if BPI_WIDE == 64
  const __m256 h = _mm256_add_ps(_mm512_castps512_ps256(s), _mm512_extractf32x8_ps(s, 1));
  return _mm_add_ps(_mm256_castps256_ps128(h), _mm256_extractf128_ps(h, 1));
#elif BPI_WIDE == 32
  return _mm_add_ps(_mm256_castps256_ps128(s), _mm256_extractf128_ps(s, 1));
#else
  return s;
#endif
}

BPI_INLINE bpi_lane_f64 bpi_fold_f64(const bpi_v_f64 *v)
{
  const bpi_v_f64 s = BPI_LOW_F64(v[0], v[1]) + BPI_HIGH_F64(v[0], v[1]);
#if BPI_WIDE == 64
  const __m256d h = _mm256_add_pd(_mm512_castpd512_pd256(s), _mm512_extractf64x4_pd(s, 1));
  return _mm_add_pd(_mm256_castpd256_pd128(h), _mm256_extractf128_pd(h, 1));
#elif BPI_WIDE == 32
  return _mm_add_pd(_mm256_castpd256_pd128(s), _mm256_extractf128_pd(s, 1));
#else
  return s;
#endif
}

#endif
