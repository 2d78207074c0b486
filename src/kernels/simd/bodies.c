/* The loops of every elementwise row, and the table of this instruction set.
 *
 * A row's scalar body is one expression (src/ops, collected into bodies.inc). Including that list once per element type
 * makes the loops; including it again fills the table. A body is compiled into one span: a loop over a whole number of LANES
 * contiguous elements, which the compiler turns into one loop over vectors with nothing before or behind it. What does not
 * fit a span, steps other than 1 and the last few elements, goes through rooms that do, by code that all bodies share. */
#include "kernels/gemmblas.h"
#include "kernels/simd/bodymath.h"
#include "kernels/simd/isa.h"

/* float64 arithmetic in a float32 loop would halve its speed and round twice: bodies write (T)0.5. */
#pragma GCC diagnostic warning "-Wdouble-promotion"

/* A span's elements are a multiple of LANES: whatever vectors a loop chooses, they fit. One that touches bytes may count in
 * vectors of bytes. */
enum { LANES = 16, BYTE_LANES = 64, BLOCK = 256 };

/* What the text of a body tells, all folded by the compiler. p may be NULL where no parameter is named. */
#define NAMES(text, what)  (__builtin_strstr(text, what) != NULL)
#define IS_TRIG(text)      (NAMES(text, "m_sin(") || NAMES(text, "m_cos(") || NAMES(text, "m_tan("))
#define IS_CHEAP(text)     (!NAMES(text, "m_"))
#define PARAMETER(i, text) const T p##i = NAMES(text, "p" #i) ? (T)p[i] : (T)0
#define PARAMETERS(text) \
  (void)p;               \
  PARAMETER(0, text);    \
  PARAMETER(1, text);    \
  PARAMETER(2, text)

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

/* The loops of a body. direct: the span that takes the operands as they are, NULL if none does. span: with every step 1.
 * each: one element after the other, whatever the steps, and with arguments that a vector function cannot take. */
typedef struct spans {
  span_fn direct, span;
  bpi_loop each;
  uint32_t shape;
  int body; /* of reals: its number, for relays; else BPI_BODY_none */
} spans;

#define SPREAD(U)                                           \
  do {                                                      \
    const U *from = x;                                      \
    U *to = room;                                           \
    for (int64_t i = step == 1 ? m : 0; i < m && step; i++) \
      to[i] = from[i * step];                               \
    for (int64_t i = step ? m : 0; i < whole; i++)          \
      to[i] = from[0];                                      \
  } while (0)

/* m elements of an operand, filled up with its first one. */
static void spread(int64_t size, int64_t m, int64_t whole, void *room, const void *x, int64_t step)
{
  if (step == 1)
    memcpy(room, x, (size_t)(m * size));
  if (size == 4)
    SPREAD(uint32_t);
  else if (size == 8)
    SPREAD(uint64_t);
  else
    SPREAD(uint8_t);
}

typedef char block_room[BLOCK * 8];

static const int64_t ones[] = {1, 1, 1};

/* m elements through rooms, `at` elements after the first ones. A room keeps an operand that is one element for all. Bodies
 * that may have to do it again write into a room too: y may be an operand that is still needed. */
static void run_block(int64_t at, int64_t m, void *y, const void *const *x, const int64_t *step,
                      const double *p, const spans *s, block_room *room)
{
  const int64_t lanes = SHAPE_LANES(s->shape), whole = (m + lanes - 1) & -lanes,
                size = SHAPE_SIZE(s->shape, 0);
  const void *in[3];
  for (int k = 0; k < SHAPE_IN(s->shape); k++) {
    const int64_t each = SHAPE_SIZE(s->shape, k + 1);
    const char *from = (const char *)x[k] + at * step[k] * each;
    const bool there = step[k] == 1 && m == whole;
    in[k] = there ? from : room[k];
    if (!there && (step[k] || at == 0))
      spread(each, m, whole, room[k], from, step[k]);
  }
  char *to = (char *)y + at * size;
  const bool careful = SHAPE_CAREFUL(s->shape), apart = m != whole || careful;
  void *out = apart ? room[3] : (void *)to;
  if (s->span(whole, out, in, p) && careful)
    s->each(m, out, in, ones, p);
  if (apart)
    memcpy(to, out, (size_t)(m * size));
}

static BPI_SHARED void run_blocks(int64_t n, void *y, const void *const *x, const int64_t *step,
                                  const double *p, const spans *s)
{
  _Alignas(64) block_room room[4];
  for (int64_t at = 0; at < n; at += BLOCK)
    run_block(at, n - at < BLOCK ? n - at : BLOCK, y, x, step, p, s, room);
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

/* As many elements as fit the direct span, and the rest. */
static BPI_SHARED void run_spans(int64_t n, void *y, const void *const *x, const int64_t *step,
                                 const double *p, const spans *s)
{
  int64_t whole = s->direct ? n & -SHAPE_LANES(s->shape) : 0;
  const void *rest[3];
  if (whole)
    s->direct(whole, y, x, p);
  else if (s->body && SHAPE_IN(s->shape) == 2 && (step[0] | step[1]) == 1 && step[0] != step[1])
    whole = run_relay(n, y, x, step, p, s);
  if (whole == n)
    return;
  for (int k = 0; k < SHAPE_IN(s->shape); k++)
    rest[k] = (const char *)x[k] + whole * step[k] * SHAPE_SIZE(s->shape, k + 1);
  n -= whole;
  y = (char *)y + whole * SHAPE_SIZE(s->shape, 0);
  if (n <= SHAPE_FEW(s->shape))
    s->each(n, y, rest, step, p);
  else
    run_blocks(n, y, rest, step, p, s);
}

#endif

/* ---- the loops of one body ---- */

/* What a body sees beside its operands. */
#define REST_ARGS T p0, T p1, T p2, int *far, const int careful
#define REST_USED (void)p0, (void)p1, (void)p2, (void)far, (void)careful

#define SPAN_ARGS int64_t n, void *y_, const void *const *in, const double *p
#define LOOP_ARGS int64_t n, void *y_, const void *const *in, const int64_t *step, const double *p

#if BPI_PLAIN
#define SPAN(name, variant, R, A, text, OPERANDS, ...)
#else
/* One loop over vectors. OPERANDS names the operands; the rest are the body's arguments for element i. */
#define SPAN(name, variant, R, A, text, OPERANDS, ...)                         \
  static int __attribute__((unused)) BPI_PASTE(name##_##variant, S)(SPAN_ARGS) \
  {                                                                            \
    PARAMETERS(text);                                                          \
    OPERANDS;                                                                  \
    R *y = y_;                                                                 \
    int far = 0;                                                               \
    n &= -(int64_t)LANES_OF(R, A);                                             \
    BPI_APART                                                                  \
    for (int64_t i = 0; i < n; i++)                                            \
      y[i] = BPI_PASTE(name##_body, S)(__VA_ARGS__, p0, p1, p2, &far, 0);      \
    return far;                                                                \
  }
#endif

/* One by one there are no vectors: instruction sets with the same rounding can share these. */
#define EACH_SYM(name) BPI_PASTE(BPI_PASTE(bpi_each_##name, S), BPI_EACH_ISA)
#ifdef BPI_EACH_ELSEWHERE
#define EACH(name, R, text, OPERANDS, ...) void EACH_SYM(name)(LOOP_ARGS);
#else
#define EACH(name, R, text, OPERANDS, ...)                                \
  void EACH_SYM(name)(LOOP_ARGS);                                         \
  BPI_SHARED void EACH_SYM(name)(LOOP_ARGS)                               \
  {                                                                       \
    PARAMETERS(text);                                                     \
    OPERANDS;                                                             \
    R *y = y_;                                                            \
    int far = 0;                                                          \
    for (int64_t i = 0; i < n; i++) {                                     \
      BPI_ONE_BY_ONE;                                                     \
      y[i] = BPI_PASTE(name##_body, S)(__VA_ARGS__, p0, p1, p2, &far, 1); \
    }                                                                     \
  }
#endif

#if BPI_PLAIN
#define RUN(name, R, A, B, n_in, text, DIRECT)     \
  static void BPI_PASTE(name##_loop, S)(LOOP_ARGS) \
  {                                                \
    EACH_SYM(name)(n, y_, in, step, p);            \
  }
#else
/* Chooses among them. DIRECT: the span for operands with these steps. */
#define FEW(text) (IS_CHEAP(text) ? LANES - 1 : 6)
#define RUN(name, R, A, B, n_in, text, DIRECT)                            \
  static void BPI_PASTE(name##_loop, S)(LOOP_ARGS)                        \
  {                                                                       \
    if (n <= FEW(text)) {                                                 \
      EACH_SYM(name)(n, y_, in, step, p);                                 \
      return;                                                             \
    }                                                                     \
    const span_fn span = BPI_PASTE(name##_span, S);                       \
    const spans s = {IS_TRIG(text) ? NULL : DIRECT, span, EACH_SYM(name), \
                     SHAPE(R, A, B, n_in, FEW(text), IS_TRIG(text)),      \
                     (T)0.5 != 0 ? BPI_BODY_##name : BPI_BODY_none};      \
    run_spans(n, y_, in, step, p, &s);                                    \
  }
#endif

#define LOOP1(name, R, A, text, ...)                      \
  BPI_INLINE R BPI_PASTE(name##_body, S)(A x, REST_ARGS)  \
  {                                                       \
    REST_USED;                                            \
    return __VA_ARGS__;                                   \
  }                                                       \
  SPAN(name, span, R, A, text, const A *x = in[0], x[i])  \
  EACH(name, R, text, const A *x = in[0], x[i * step[0]]) \
  RUN(name, R, A, A, 1, text, step[0] == 1 ? span : NULL)

#define LOOP2(name, R, A, text, ...)                                                          \
  BPI_INLINE R BPI_PASTE(name##_body, S)(A a, A b, REST_ARGS)                                 \
  {                                                                                           \
    REST_USED;                                                                                \
    return __VA_ARGS__;                                                                       \
  }                                                                                           \
  SPAN(name, span, R, A, text, const A *a = in[0]; const A *b = in[1], a[i], b[i])            \
  EACH(name, R, text, const A *a = in[0]; const A *b = in[1], a[i * step[0]], b[i * step[1]]) \
  RUN(name, R, A, A, 2, text, step[0] == 1 && step[1] == 1 ? span : NULL)

#define LOOP3(name, R, A, B, text, ...)                                                                      \
  BPI_INLINE R BPI_PASTE(name##_body, S)(A a, B b, B c, REST_ARGS)                                           \
  {                                                                                                          \
    REST_USED;                                                                                               \
    return __VA_ARGS__;                                                                                      \
  }                                                                                                          \
  SPAN(name, span, R, A, text, const A *a = in[0]; const B *b = in[1]; const B *c = in[2], a[i], b[i], c[i]) \
  EACH(name, R, text, const A *a = in[0]; const B *b = in[1];                                                \
       const B *c = in[2], a[i * step[0]], b[i * step[1]], c[i * step[2]])                                   \
  RUN(name, R, A, B, 3, text, step[0] == 1 && step[1] == 1 && step[2] == 1 ? span : NULL)

/* ---- the loops, one element type after another ---- */
#define T float
#define S f32
#include "kernels/simd/bodies_real.h"
#undef T
#undef S

#define T double
#define S f64
#include "kernels/simd/bodies_real.h"
#undef T
#undef S

#define T int64_t
#define S i64
#define REAL_BODY1(name, ...)
#define REAL_BODY2(name, ...)
#define REAL_BODY3(name, ...)
#define NUM_BODY1(name, ...)  LOOP1(name, T, T, #__VA_ARGS__, __VA_ARGS__)
#define NUM_BODY2(name, ...)  LOOP2(name, T, T, #__VA_ARGS__, __VA_ARGS__)
#define TEST_BODY1(name, ...) LOOP1(name, uint8_t, T, #__VA_ARGS__, __VA_ARGS__)
#define TEST_BODY2(name, ...) LOOP2(name, uint8_t, T, #__VA_ARGS__, __VA_ARGS__)
#define BOOL_BODY1(name, ...)
#define BOOL_BODY2(name, ...)
#define PICK_BODY3(name, ...) LOOP3(name, T, uint8_t, T, #__VA_ARGS__, __VA_ARGS__)
#include "bodies.inc"
#include "kernels/simd/bodies_none.h"
#undef T
#undef S

#define T uint8_t
#define S b8
#define REAL_BODY1(name, ...)
#define REAL_BODY2(name, ...)
#define REAL_BODY3(name, ...)
#define NUM_BODY1(name, ...)
#define NUM_BODY2(name, ...)
#define TEST_BODY1(name, ...)
#define TEST_BODY2(name, ...) LOOP2(name, T, T, #__VA_ARGS__, __VA_ARGS__)
#define BOOL_BODY1(name, ...) LOOP1(name, T, T, #__VA_ARGS__, __VA_ARGS__)
#define BOOL_BODY2(name, ...) LOOP2(name, T, T, #__VA_ARGS__, __VA_ARGS__)
#define PICK_BODY3(name, ...) LOOP3(name, T, T, T, #__VA_ARGS__, __VA_ARGS__)
#include "bodies.inc"
#include "kernels/simd/bodies_none.h"
#undef T
#undef S

/* ---- the table ---- */
#define BODY_NAME(name, S) name##_loop_##S
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
