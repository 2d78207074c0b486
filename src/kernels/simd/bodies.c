/* The loops of every elementwise row, and the table of this instruction set.
 *
 * A row's scalar body is one expression (src/ops, collected into bodies.inc). Including that list once per element type
 * makes the loops; including it again fills the table. A body is compiled into one loop over contiguous operands, which the
 * compiler vectorises; other steps are brought into small contiguous blocks first, so a body costs its code once. */
#include "kernels/simd/isa.h"
#include "kernels/gemmblas.h"
#include "kernels/simd/bodymath.h"

/* float64 arithmetic in a float32 loop would halve its speed and round twice: bodies write (T)0.5. */
#pragma GCC diagnostic warning "-Wdouble-promotion"

enum { BLOCK = 256 };

/* What the text of a body tells, all folded by the compiler. p may be NULL where no parameter is named. */
#define NAMES(text, what)  (__builtin_strstr(text, what) != NULL)
#define IS_TRIG(text)      (NAMES(text, "m_sin(") || NAMES(text, "m_cos(") || NAMES(text, "m_tan("))
#define IS_CHEAP(text)     (!NAMES(text, "m_"))
#define PARAMETER(i, text) const T p##i = NAMES(text, "p" #i) ? (T)p[i] : (T)0
#define PARAMETERS(text) \
  PARAMETER(0, text);    \
  PARAMETER(1, text);    \
  PARAMETER(2, text)

/* What every body sees beside its operands. */
#define REST_ARGS T p0, T p1, T p2, int *far, const int careful
#define REST_USED (void)p0, (void)p1, (void)p2, (void)far, (void)careful
#define REST      p0, p1, p2, far, careful

/* m elements of an operand from begin on, contiguous: where they are, or in room. A broadcast one is spread once. */
#define FETCH(U, S)                                                                         \
  static const U *fetch_##S(U *room, const void *x, int64_t step, int64_t begin, int64_t m) \
  {                                                                                         \
    const U *from = (const U *)x + begin * step;                                            \
    if (step == 1)                                                                          \
      return from;                                                                          \
    if (step != 0 || begin == 0)                                                            \
      for (int64_t i = 0; i < m; i++)                                                       \
        room[i] = from[i * step];                                                           \
    return room;                                                                            \
  }
FETCH(float, f32)
FETCH(double, f64)
FETCH(int64_t, i64)
FETCH(uint8_t, b8)

/* The walk over blocks: one block for contiguous operands. Sine and its kin write into a block of their own, for y may be an
 * operand that the careful run still needs. */
#define BLOCKS(R, SPAN, text, contiguous, FETCH_ALL)       \
  const bool trig = IS_TRIG(text);                         \
  const int64_t block = (contiguous) && !trig ? n : BLOCK; \
  R apart[BLOCK];                                          \
  for (int64_t at = 0; at < n; at += block) {              \
    const int64_t m = n - at < block ? n - at : block;     \
    R *out = trig ? apart : (R *)y + at;                   \
    int far = 0;                                           \
    const void *in[3];                                     \
    FETCH_ALL;                                             \
    SPAN(m, out, in, p0, p1, p2, &far, 0);                 \
    if (trig) {                                            \
      if (far)                                             \
        SPAN(m, out, in, p0, p1, p2, &far, 1);             \
      memcpy((R *)y + at, apart, (size_t)m * sizeof(R));   \
    }                                                      \
  }
#define FETCHED(i, U, SU) in[i] = BPI_PASTE(fetch, SU)(room##i, x[i], step[i], at, m)

#define SPAN_ARGS(R) int64_t n, R *y, const void *const *in, REST_ARGS
#define LOOP_ARGS    int64_t n, void *y, const void *const *x, const int64_t *step, const double *p

#define LOOP1(name, R, A, SA, text, ...)                                           \
  BPI_INLINE R BPI_PASTE(name##_body, S)(A x, REST_ARGS)                           \
  {                                                                                \
    REST_USED;                                                                     \
    return __VA_ARGS__;                                                            \
  }                                                                                \
  BPI_INLINE void BPI_PASTE(name##_span, S)(SPAN_ARGS(R))                          \
  {                                                                                \
    const A *x = in[0];                                                            \
    BPI_APART                                                                      \
    for (int64_t i = 0; i < n; i++)                                                \
      y[i] = BPI_PASTE(name##_body, S)(x[i], REST);                                \
  }                                                                                \
  static void BPI_PASTE(name##_loop, S)(LOOP_ARGS)                                 \
  {                                                                                \
    (void)p;                                                                       \
    PARAMETERS(text);                                                              \
    if (IS_CHEAP(text) && n == 1) {                                                \
      int none = 0;                                                                \
      *(R *)y = BPI_PASTE(name##_body, S)(*(const A *)x[0], p0, p1, p2, &none, 0); \
      return;                                                                      \
    }                                                                              \
    A room0[BLOCK];                                                                \
    BLOCKS(R, BPI_PASTE(name##_span, S), text, step[0] == 1, FETCHED(0, A, SA))    \
  }

/* Two operands of which one is a single element are so common that cheap bodies get loops of their own for them; and so are
 * single elements alone, in graphs of scalars. */
#define LOOP2(name, R, A, SA, text, ...)                                                             \
  BPI_INLINE R BPI_PASTE(name##_body, S)(A a, A b, REST_ARGS)                                        \
  {                                                                                                  \
    REST_USED;                                                                                       \
    return __VA_ARGS__;                                                                              \
  }                                                                                                  \
  BPI_INLINE void BPI_PASTE(name##_span, S)(SPAN_ARGS(R))                                            \
  {                                                                                                  \
    const A *a = in[0], *b = in[1];                                                                  \
    BPI_APART                                                                                        \
    for (int64_t i = 0; i < n; i++)                                                                  \
      y[i] = BPI_PASTE(name##_body, S)(a[i], b[i], REST);                                            \
  }                                                                                                  \
  BPI_INLINE void BPI_PASTE(name##_left, S)(SPAN_ARGS(R))                                            \
  {                                                                                                  \
    const A a = *(const A *)in[0], *b = in[1];                                                       \
    BPI_APART                                                                                        \
    for (int64_t i = 0; i < n; i++)                                                                  \
      y[i] = BPI_PASTE(name##_body, S)(a, b[i], REST);                                               \
  }                                                                                                  \
  BPI_INLINE void BPI_PASTE(name##_right, S)(SPAN_ARGS(R))                                           \
  {                                                                                                  \
    const A *a = in[0], b = *(const A *)in[1];                                                       \
    BPI_APART                                                                                        \
    for (int64_t i = 0; i < n; i++)                                                                  \
      y[i] = BPI_PASTE(name##_body, S)(a[i], b, REST);                                               \
  }                                                                                                  \
  static void BPI_PASTE(name##_loop, S)(LOOP_ARGS)                                                   \
  {                                                                                                  \
    (void)p;                                                                                         \
    PARAMETERS(text);                                                                                \
    const bool cheap = IS_CHEAP(text) && n > 0;                                                      \
    int none = 0;                                                                                    \
    if (cheap && n == 1) {                                                                           \
      *(R *)y = BPI_PASTE(name##_body, S)(*(const A *)x[0], *(const A *)x[1], p0, p1, p2, &none, 0); \
      return;                                                                                        \
    }                                                                                                \
    if (cheap && step[0] == 0 && step[1] == 1) {                                                     \
      BPI_PASTE(name##_left, S)(n, y, x, p0, p1, p2, &none, 0);                                      \
      return;                                                                                        \
    }                                                                                                \
    if (cheap && step[0] == 1 && step[1] == 0) {                                                     \
      BPI_PASTE(name##_right, S)(n, y, x, p0, p1, p2, &none, 0);                                     \
      return;                                                                                        \
    }                                                                                                \
    A room0[BLOCK], room1[BLOCK];                                                                    \
    BLOCKS(R, BPI_PASTE(name##_span, S), text, step[0] == 1 && step[1] == 1, FETCHED(0, A, SA);      \
           FETCHED(1, A, SA))                                                                        \
  }

#define LOOP3(name, R, A, SA, B, SB, text, ...)                                                             \
  BPI_INLINE R BPI_PASTE(name##_body, S)(A a, B b, B c, REST_ARGS)                                          \
  {                                                                                                         \
    REST_USED;                                                                                              \
    return __VA_ARGS__;                                                                                     \
  }                                                                                                         \
  BPI_INLINE void BPI_PASTE(name##_span, S)(SPAN_ARGS(R))                                                   \
  {                                                                                                         \
    const A *a = in[0];                                                                                     \
    const B *b = in[1], *c = in[2];                                                                         \
    BPI_APART                                                                                               \
    for (int64_t i = 0; i < n; i++)                                                                         \
      y[i] = BPI_PASTE(name##_body, S)(a[i], b[i], c[i], REST);                                             \
  }                                                                                                         \
  static void BPI_PASTE(name##_loop, S)(LOOP_ARGS)                                                          \
  {                                                                                                         \
    (void)p;                                                                                                \
    PARAMETERS(text);                                                                                       \
    if (IS_CHEAP(text) && n == 1) {                                                                         \
      int none = 0;                                                                                         \
      *(R *)y = BPI_PASTE(name##_body, S)(*(const A *)x[0], *(const B *)x[1], *(const B *)x[2], p0, p1, p2, \
                                          &none, 0);                                                        \
      return;                                                                                               \
    }                                                                                                       \
    A room0[BLOCK];                                                                                         \
    B room1[BLOCK], room2[BLOCK];                                                                           \
    BLOCKS(R, BPI_PASTE(name##_span, S), text, step[0] == 1 && step[1] == 1 && step[2] == 1,                \
           FETCHED(0, A, SA);                                                                               \
           FETCHED(1, B, SB); FETCHED(2, B, SB))                                                            \
  }

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
#define NUM_BODY1(name, ...)  LOOP1(name, T, T, i64, #__VA_ARGS__, __VA_ARGS__)
#define NUM_BODY2(name, ...)  LOOP2(name, T, T, i64, #__VA_ARGS__, __VA_ARGS__)
#define TEST_BODY1(name, ...) LOOP1(name, uint8_t, T, i64, #__VA_ARGS__, __VA_ARGS__)
#define TEST_BODY2(name, ...) LOOP2(name, uint8_t, T, i64, #__VA_ARGS__, __VA_ARGS__)
#define BOOL_BODY1(name, ...)
#define BOOL_BODY2(name, ...)
#define PICK_BODY3(name, ...) LOOP3(name, T, uint8_t, b8, T, i64, #__VA_ARGS__, __VA_ARGS__)
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
#define TEST_BODY2(name, ...) LOOP2(name, T, T, b8, #__VA_ARGS__, __VA_ARGS__)
#define BOOL_BODY1(name, ...) LOOP1(name, T, T, b8, #__VA_ARGS__, __VA_ARGS__)
#define BOOL_BODY2(name, ...) LOOP2(name, T, T, b8, #__VA_ARGS__, __VA_ARGS__)
#define PICK_BODY3(name, ...) LOOP3(name, T, T, b8, T, b8, #__VA_ARGS__, __VA_ARGS__)
#include "bodies.inc"
#include "kernels/simd/bodies_none.h"
#undef T
#undef S

/* ---- the table ---- */
#define REAL_ROW(name) [BPI_BODY_##name] = {.f32 = name##_loop_f32, .f64 = name##_loop_f64},
#define NUM_ROW(name) \
  [BPI_BODY_##name] = {.f32 = name##_loop_f32, .f64 = name##_loop_f64, .i64 = name##_loop_i64},
#define BOOL_ROW(name) [BPI_BODY_##name] = {.b8 = name##_loop_b8},
#define FULL_ROW(name)  \
  [BPI_BODY_##name] = { \
      .f32 = name##_loop_f32, .f64 = name##_loop_f64, .i64 = name##_loop_i64, .b8 = name##_loop_b8},
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

const bpi_kernels BPI_SYM(bpi_kernels) = {
    .name = BPI_TEXT(BPI_ISA),
    .body =
        {
#include "bodies.inc"
        },
    .reduce = {BPI_SYM(bpi_reduce_f32), BPI_SYM(bpi_reduce_f64)},
#ifdef BPI_CBLAS
    .gemm_units = {bpi_blas_units, bpi_blas_units},
    .gemm_scratch = {bpi_blas_scratch, bpi_blas_scratch},
    .gemm = {bpi_blas_f32, bpi_blas_f64},
#else
    .gemm_units = {BPI_SYM(bpi_gemm_units_f32), BPI_SYM(bpi_gemm_units_f64)},
    .gemm_scratch = {BPI_SYM(bpi_gemm_scratch_f32), BPI_SYM(bpi_gemm_scratch_f64)},
    .gemm = {BPI_SYM(bpi_gemm_f32), BPI_SYM(bpi_gemm_f64)},
#endif
    .softmax = {BPI_SYM(bpi_softmax_f32), BPI_SYM(bpi_softmax_f64)},
    .log_softmax = {BPI_SYM(bpi_log_softmax_f32), BPI_SYM(bpi_log_softmax_f64)},
    .finite = {BPI_SYM(bpi_finite_f32), BPI_SYM(bpi_finite_f64)},
    .standardise = {BPI_SYM(bpi_standardise_f32), BPI_SYM(bpi_standardise_f64)},
};
