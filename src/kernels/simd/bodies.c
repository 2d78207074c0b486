/* The loops of every elementwise row, and the table of this instruction set.
 *
 * A row's scalar body is one expression (src/ops, collected into bodies.inc). Including that list once per element type
 * makes the loops; including it again fills the table. A body is compiled into one span: a loop over a whole number of LANES
 * contiguous elements, which the compiler turns into one loop over vectors with nothing before or behind it. What does not
 * fit a span, steps other than 1 and the last few elements, goes through rooms that do, by code that all bodies share. */
#include "kernels/gemmblas.h"
#include "kernels/simd/bodyargs.h"
#include "kernels/simd/bodymath.h"
#include "kernels/simd/isa.h"

#if defined(__AVX512BW__)
#include <immintrin.h>
#endif

/* float64 arithmetic in a float32 loop would halve its speed and round twice: bodies write (T)0.5. */
#pragma GCC diagnostic warning "-Wdouble-promotion"

/* A span's elements are a multiple of LANES: whatever vectors a loop chooses, they fit. One that touches bytes may count in
 * vectors of bytes. */
enum { LANES = 16, BYTE_LANES = 64, BLOCK = 256, RELAY_LEAST = 64 };

#define IS_TRIG(text) (NAMES(text, "m_sin(") || NAMES(text, "m_cos(") || NAMES(text, "m_tan("))

#if !BPI_PLAIN
/* ---- what all bodies share ---- */

/* A body over n elements, a multiple of its lanes. True if an argument was too large for a vector function. */
typedef int (*span_fn)(int64_t n, void *y, const void *const *x, const double *p);

/* Bytes of an element of the result and of each operand, number of operands, how many elements are not worth a span, whether
 * `each` may have to do a span again, and lanes. */
#define SHAPE(R, A, B, n_in, few, careful)                                                                 \
  ((uint32_t)sizeof(R) | (uint32_t)sizeof(A) << 4 | (uint32_t)sizeof(B) << 8 | (uint32_t)sizeof(B) << 12 | \
   (uint32_t)(n_in) << 16 | (uint32_t)(few) << 18 | (uint32_t)(careful) << 22 |                            \
   (uint32_t)LANES_OF(R, A) << 23)
#define LANES_OF(R, A)       (sizeof(R) == 1 || sizeof(A) == 1 ? BYTE_LANES : LANES)
#define SHAPE_SIZE(shape, k) ((int64_t)((shape) >> (4 * (k)) & 15)) /* k = 0: of the result */
#define SHAPE_IN(shape)      ((int)((shape) >> 16 & 3))
#define SHAPE_FEW(shape)     ((int64_t)((shape) >> 18 & 15))
#define SHAPE_CAREFUL(shape) (((shape) >> 22 & 1) != 0)
#define SHAPE_LANES(shape)   ((int64_t)((shape) >> 23))

/* The loops of a body. span: with every step 1. each: one element after the other, whatever the steps, and with arguments that a vector
 * function cannot take. */
typedef struct spans {
  span_fn span;
  bpi_loop each;
  uint32_t shape;
  int body; /* of reals: its number, for relays; else BPI_BODY_none */
} spans;

/* spread: m elements of an operand, or its only one (step 0), filled up with its first one. take: m elements back. A vector that is read from
 * several stores has to wait for them all: so rooms are filled vector by vector where masks make that easy. */
#if defined(__AVX512BW__)
static void spread(int64_t size, int64_t m, int64_t whole, void *room, const void *x, int64_t step)
{
  const __m512i first = size == 4   ? _mm512_set1_epi32(*(const int32_t *)x)
                        : size == 8 ? _mm512_set1_epi64(*(const int64_t *)x)
                                    : _mm512_set1_epi8(*(const int8_t *)x);
  for (int64_t at = 0; at < whole * size; at += 64) {
    const int64_t left = step ? m * size - at : 0;
    const char *from = (const char *)x + at;
    __m512i v = first;
    if (left >= 64)
      v = _mm512_loadu_si512(from);
    else if (left == 32)
      v = _mm512_inserti64x4(v, _mm256_loadu_si256((const __m256i *)from), 0);
    else if (left > 0)
      v = _mm512_mask_loadu_epi8(v, ((uint64_t)1 << left) - 1, from);
    _mm512_store_si512((char *)room + at, v);
  }
}

static void take(int64_t bytes, void *y, const void *room)
{
  for (int64_t at = 0; at < bytes; at += 64) {
    const int64_t left = bytes - at;
    const __m512i v = _mm512_load_si512((const char *)room + at);
    char *to = (char *)y + at;
    if (left == 32)
      _mm256_storeu_si256((__m256i *)to, _mm512_castsi512_si256(v));
    else
      _mm512_mask_storeu_epi8(to, left < 64 ? ((uint64_t)1 << left) - 1 : ~(uint64_t)0, v);
  }
}
#else
#define FILL(U)                       \
  for (int64_t i = m; i < whole; i++) \
  ((U *)room)[i] = *(const U *)x

static void spread(int64_t size, int64_t m, int64_t whole, void *room, const void *x, int64_t step)
{
  m = step ? m : 0;
  memcpy(room, x, (size_t)(m * size));
  if (size == 4)
    FILL(uint32_t);
  else if (size == 8)
    FILL(uint64_t);
  else
    FILL(uint8_t);
}
#undef FILL

static void take(int64_t bytes, void *y, const void *room)
{
  memcpy(y, room, (size_t)bytes);
}
#endif

typedef char block_room[BLOCK * 8];

static const int64_t ones[] = {1, 1, 1};

/* m elements through rooms, `at` elements after the first ones. A room keeps an operand that is one element for all: `fresh` where none has
 * it yet. Bodies that may have to do it again write into a room too: y may be an operand that is still needed. */
static void run_block(int64_t at, int64_t m, void *y, const void *const *x, const int64_t *step,
                      const double *p, const spans *s, block_room *room, bool fresh)
{
  const int64_t lanes = SHAPE_LANES(s->shape), whole = (m + lanes - 1) & -lanes,
                size = SHAPE_SIZE(s->shape, 0);
  const void *in[3];
  for (int k = 0; k < SHAPE_IN(s->shape); k++) {
    const int64_t each = SHAPE_SIZE(s->shape, k + 1);
    const char *from = (const char *)x[k] + at * step[k] * each;
    const bool there = step[k] == 1 && m == whole;
    in[k] = there ? from : room[k];
    if (!there && (step[k] || fresh))
      spread(each, m, whole, room[k], from, step[k]);
  }
  char *to = (char *)y + at * size;
  const bool careful = SHAPE_CAREFUL(s->shape), apart = m != whole || careful;
  void *out = apart ? room[3] : (void *)to;
  if (s->span(whole, out, in, p) && careful)
    s->each(m, out, in, ones, p);
  if (apart)
    take(m * size, to, out);
}

/* Elements from `at` to n: whole spans first, which arrays need no room for. */
static BPI_SHARED void run_blocks(int64_t at, int64_t n, void *y, const void *const *x, const int64_t *step,
                                  const double *p, const spans *s)
{
  _Alignas(64) block_room room[4];
  const int64_t whole = at + ((n - at) & -SHAPE_LANES(s->shape)), first = at;
  for (int64_t m; at < n; at += m) {
    const int64_t left = (at < whole ? whole : n) - at;
    m = left < BLOCK ? left : BLOCK;
    run_block(at, m, y, x, step, p, s, room, at == first);
  }
}

/* An array and a number: a relay of one body. Returns how many elements it has done. */
static int64_t run_relay(int64_t n, void *y, const void *const *x, const int64_t *step, const double *p,
                         const spans *s)
{
  const bool wide = SHAPE_SIZE(s->shape, 1) == 8;
  const int array = step[0] == 1 ? 0 : 1;
  bpi_relay_fn (*of)(int, bpi_relay_how) = wide ? BPI_SYM(bpi_relay_of_f64) : BPI_SYM(bpi_relay_of_f32);
  const bpi_relay program[] = {{.fn = of(0, BPI_RELAY_LOAD), .x = (void *)(uintptr_t)x[array], .along = -1},
                               {.fn = of(s->body, (bpi_relay_how)(BPI_RELAY_NUMBER + array)),
                                .x = (void *)(uintptr_t)x[1 - array],
                                .p = p},
                               {.fn = of(0, BPI_RELAY_STORE), .x = y, .along = -1},
                               {.fn = of(0, BPI_RELAY_END)}};
  if (!program[1].fn)
    return 0;
  return (wide ? BPI_SYM(bpi_run_relay_f64) : BPI_SYM(bpi_run_relay_f32))(program, 0, n, false);
}

/* One by one, from `at` on. */
static void run_rest(int64_t at, int64_t n, void *y, const void *const *x, const int64_t *step,
                     const double *p, const spans *s)
{
  const void *rest[3];
  for (int k = 0; k < SHAPE_IN(s->shape); k++)
    rest[k] = (const char *)x[k] + at * step[k] * SHAPE_SIZE(s->shape, k + 1);
  s->each(n - at, (char *)y + at * SHAPE_SIZE(s->shape, 0), rest, step, p);
}

/* As many elements as a span takes where they are, or a relay, then as many as fit spans through rooms, and the rest; elements that lie apart
 * one by one. */
static BPI_SHARED void run_spans(int64_t n, void *y, const void *const *x, const int64_t *step,
                                 const double *p, const spans *s)
{
  const int64_t lanes = SHAPE_LANES(s->shape);
  int64_t done = 0, end = (n & (lanes - 1)) > SHAPE_FEW(s->shape) ? n : n & -lanes, any = 0, all = 1;
  for (int k = 0; k < SHAPE_IN(s->shape); k++) {
    any |= step[k];
    all &= step[k];
  }
  if (any & ~(int64_t)1)
    end = 0;
  else if (all && !SHAPE_CAREFUL(s->shape))
    s->span(done = n & -lanes, y, x, p);
  else if (n >= RELAY_LEAST && s->body && SHAPE_IN(s->shape) == 2 && any)
    done = run_relay(n, y, x, step, p, s);
  if (done < end)
    run_blocks(done, end, y, x, step, p, s);
  if (end < n)
    run_rest(end, n, y, x, step, p, s);
}

#endif

/* ---- the loops of one body ---- */

#define EACH(name) void BPI_EACH_SYM(name, S)(BPI_LOOP_ARGS);

#if BPI_PLAIN

#define BODY_NAME(name, S)  BPI_EACH_SYM(name, S)
#define BODY_FN1(name, ...) EACH(name)
#define BODY_FN2(name, ...) EACH(name)
#define BODY_FN3(name, ...) EACH(name)
#include "kernels/simd/bodies_real.h"
#include "kernels/simd/bodies_whole.h"

#else

/* Loops over whole numbers have no rounding at all, and are shared where `each` is. */
#define LOOP_ISA_f32       BPI_ISA
#define LOOP_ISA_f64       BPI_ISA
#define LOOP_ISA_i64       BPI_EACH_ISA
#define LOOP_ISA_b8        BPI_EACH_ISA
#define BODY_NAME(name, S) BPI_PASTE(BPI_PASTE(bpi_loop_##name, S), BPI_PASTE(LOOP_ISA, S))

/* One loop over vectors. */
#define SPAN(name, R, A, text, ARRAYS, ELEMENTS, ...)                                               \
  static int BPI_PASTE(name##_span, S)(int64_t n, void *y_, const void *const *in, const double *p) \
  {                                                                                                 \
    PARAMETERS(text);                                                                               \
    ARRAYS;                                                                                         \
    R *y = y_;                                                                                      \
    int is_far = 0, *const far = &is_far;                                                           \
    const int careful = 0;                                                                          \
    (void)far, (void)careful;                                                                       \
    n &= -(int64_t)LANES_OF(R, A);                                                                  \
    BPI_APART                                                                                       \
    for (int64_t i = 0; i < n; i++) {                                                               \
      ELEMENTS;                                                                                     \
      y[i] = (R)(__VA_ARGS__);                                                                      \
    }                                                                                               \
    return is_far;                                                                                  \
  }
#define ARRAY(A, name, k) const A *const name##_at = in[k]
#define ELEMENT(A, name)  const A name = name##_at[i]

/* For clang, what a text tells is no constant before it optimises. */
#if defined(__clang__)
#define FIXED const
#else
#define FIXED static const
#endif

/* Chooses among them. */
#define FEW(text) (IS_CHEAP(text) ? LANES - 1 : 6)
#define LOOP(name, R, A, B, n_in, text)                                \
  void BODY_NAME(name, S)(BPI_LOOP_ARGS);                              \
  void BODY_NAME(name, S)(BPI_LOOP_ARGS)                               \
  {                                                                    \
    FIXED spans s = {BPI_PASTE(name##_span, S), BPI_EACH_SYM(name, S), \
                     SHAPE(R, A, B, n_in, FEW(text), IS_TRIG(text)),   \
                     (T)0.5 != 0 ? BPI_BODY_##name : BPI_BODY_none};   \
    if (n <= FEW(text))                                                \
      BPI_EACH_SYM(name, S)(n, y_, in, step, p);                       \
    else                                                               \
      run_spans(n, y_, in, step, p, &s);                               \
  }

#define BODY_FN1(name, R, A, text, ...)                              \
  SPAN(name, R, A, text, ARRAY(A, x, 0), ELEMENT(A, x), __VA_ARGS__) \
  EACH(name)                                                         \
  LOOP(name, R, A, A, 1, text)
#define BODY_FN2(name, R, A, text, ...)                                                             \
  SPAN(name, R, A, text, ARRAY(A, a, 0); ARRAY(A, b, 1), ELEMENT(A, a); ELEMENT(A, b), __VA_ARGS__) \
  EACH(name)                                                                                        \
  LOOP(name, R, A, A, 2, text)
#define BODY_FN3(name, R, A, B, text, ...)                                                             \
  SPAN(name, R, A, text, ARRAY(A, a, 0); ARRAY(B, b, 1); ARRAY(B, c, 2), ELEMENT(A, a); ELEMENT(B, b); \
       ELEMENT(B, c), __VA_ARGS__)                                                                     \
  EACH(name)                                                                                           \
  LOOP(name, R, A, B, 3, text)
#include "kernels/simd/bodies_real.h"

#ifdef BPI_EACH_ELSEWHERE
#undef BODY_FN1
#undef BODY_FN2
#undef BODY_FN3
#define BODY_FN1(name, ...) void BODY_NAME(name, S)(BPI_LOOP_ARGS);
#define BODY_FN2(name, ...) void BODY_NAME(name, S)(BPI_LOOP_ARGS);
#define BODY_FN3(name, ...) void BODY_NAME(name, S)(BPI_LOOP_ARGS);
#endif
#include "kernels/simd/bodies_whole.h"

#endif

/* ---- the table ---- */
#include "kernels/simd/bodies_table.h"

const bpi_kernels BPI_SYM(bpi_kernels) = {
    .name = BPI_TEXT(BPI_ISA),
    .body =
        {
#include "bodies.inc"
        },
    .relay_of = {BPI_SYM(bpi_relay_of_f32), BPI_SYM(bpi_relay_of_f64)},
    .run_relay = {BPI_SYM(bpi_run_relay_f32), BPI_SYM(bpi_run_relay_f64)},
    .reduce = {BPI_SYM(bpi_reduce_f32), BPI_SYM(bpi_reduce_f64)},
    .add_lanes = {BPI_SYM(bpi_add_lanes_f32), BPI_SYM(bpi_add_lanes_f64)},
    .fold_lanes = {BPI_SYM(bpi_fold_lanes_f32), BPI_SYM(bpi_fold_lanes_f64)},
    .join_leaves = {BPI_SYM(bpi_join_leaves_f32), BPI_SYM(bpi_join_leaves_f64)},
#ifdef BPI_CBLAS
    .gemm_units = {bpi_blas_units, bpi_blas_units},
    .gemm_scratch = {bpi_blas_scratch, bpi_blas_scratch},
    .gemm = {bpi_blas_f32, bpi_blas_f64},
#else
    .gemm_units = {BPI_SYM(bpi_gemm_units_f32), BPI_SYM(bpi_gemm_units_f64)},
    .gemm_scratch = {BPI_SYM(bpi_gemm_scratch_f32), BPI_SYM(bpi_gemm_scratch_f64)},
    .gemm = {BPI_SYM(bpi_gemm_f32), BPI_SYM(bpi_gemm_f64)},
    .gemm_loop = {BPI_SYM(bpi_gemm_loop_f32), BPI_SYM(bpi_gemm_loop_f64)},
#endif
    .peak = {BPI_SYM(bpi_peak_f32), BPI_SYM(bpi_peak_f64)},
    .softmax = {BPI_SYM(bpi_softmax_f32), BPI_SYM(bpi_softmax_f64)},
    .log_softmax = {BPI_SYM(bpi_log_softmax_f32), BPI_SYM(bpi_log_softmax_f64)},
    .softmax_parts = {BPI_SYM(bpi_softmax_parts_f32), BPI_SYM(bpi_softmax_parts_f64)},
    .conv = {&BPI_SYM(bpi_conv_tiles_f32), &BPI_SYM(bpi_conv_tiles_f64)},
    .pool_scratch = {BPI_SYM(bpi_pool_scratch_f32), BPI_SYM(bpi_pool_scratch_f64)},
    .pool = {BPI_SYM(bpi_pool_f32), BPI_SYM(bpi_pool_f64)},
    .finite = {BPI_SYM(bpi_finite_f32), BPI_SYM(bpi_finite_f64)},
    .standardise = {BPI_SYM(bpi_standardise_f32), BPI_SYM(bpi_standardise_f64)},
    .bend = {BPI_SYM(bpi_bend_f32), BPI_SYM(bpi_bend_f64)},
    .layer_norm = {BPI_SYM(bpi_layer_norm_f32), BPI_SYM(bpi_layer_norm_f64)},
};
