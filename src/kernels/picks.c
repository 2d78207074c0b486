/* The same scalar bodies over elements that lie anywhere: what graphs of single numbers are run by. Only bodies that are plain
 * arithmetic, which have the same bits compiled for any instruction set; so they are compiled once. The others are worth the
 * vectors of their loops, which gathered elements are handed to (src/run/scalars.c). */
#include "kernels/kernels.h"
#include "kernels/simd/bodymath.h"

#define NAMES(text, what)  (__builtin_strstr(text, what) != NULL)
#define IS_CHEAP(text)     (!NAMES(text, "m_"))
#define PICK_ARGS          char *base, const uint32_t *at, size_t n, const double *p
#define PARAMETER(i, text) const T p##i = NAMES(text, "p" #i) ? (T)p[i] : (T)0

/* Walks over n rows of W offsets. A body that is not cheap leaves an empty function, which nobody calls. */
#define PICK(name, S, W, R, text, OPERANDS, ...)           \
  static void BPV_JOIN(name##_picks, S)(PICK_ARGS)         \
  {                                                        \
    int none = 0, *const far = &none;                      \
    const int careful = 0;                                 \
    (void)p, (void)base, (void)far, (void)careful;         \
    PARAMETER(0, text);                                    \
    PARAMETER(1, text);                                    \
    PARAMETER(2, text);                                    \
    (void)p0, (void)p1, (void)p2;                          \
    for (; IS_CHEAP(text) && n; n--, at += (W)) {          \
      OPERANDS;                                            \
      *(R *)(void *)(base + at[(W)-1]) = (R)(__VA_ARGS__); \
    }                                                      \
  }
#define ELEMENT(A, name, k)          const A name = *(const A *)(const void *)(base + at[k])
#define PICK1(name, R, A, text, ...) PICK(name, S, 2, R, text, ELEMENT(A, x, 0), __VA_ARGS__)
#define PICK2(name, R, A, text, ...) \
  PICK(name, S, 3, R, text, ELEMENT(A, a, 0); ELEMENT(A, b, 1), __VA_ARGS__)
#define PICK3(name, R, A, B, text, ...) \
  PICK(name, S, 4, R, text, ELEMENT(A, a, 0); ELEMENT(B, b, 1); ELEMENT(B, c, 2), __VA_ARGS__)

#define REAL_BODY1(name, ...) PICK1(name, T, T, #__VA_ARGS__, __VA_ARGS__)
#define REAL_BODY2(name, ...) PICK2(name, T, T, #__VA_ARGS__, __VA_ARGS__)
#define REAL_BODY3(name, ...) PICK3(name, T, T, T, #__VA_ARGS__, __VA_ARGS__)
#define NUM_BODY1(name, ...)  PICK1(name, T, T, #__VA_ARGS__, __VA_ARGS__)
#define NUM_BODY2(name, ...)  PICK2(name, T, T, #__VA_ARGS__, __VA_ARGS__)
#define TEST_BODY1(name, ...) PICK1(name, uint8_t, T, #__VA_ARGS__, __VA_ARGS__)
#define TEST_BODY2(name, ...) PICK2(name, uint8_t, T, #__VA_ARGS__, __VA_ARGS__)
#define BOOL_BODY1(name, ...)
#define BOOL_BODY2(name, ...)
#define PICK_BODY3(name, ...) PICK3(name, T, uint8_t, T, #__VA_ARGS__, __VA_ARGS__)

#define T float
#define S f32
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
#define BOOL_BODY1(name, ...) PICK1(name, T, T, #__VA_ARGS__, __VA_ARGS__)
#define BOOL_BODY2(name, ...) PICK2(name, T, T, #__VA_ARGS__, __VA_ARGS__)
#define T                     uint8_t
#define S                     b8
#include "bodies.inc"
#undef T
#undef S
#include "kernels/simd/bodies_none.h"

/* ---- the table ---- */

typedef struct pick_row {
  bpi_picks f32, f64, i64, b8;
} pick_row;

#define REAL_ROW(name) [BPI_BODY_##name] = {.f32 = name##_picks_f32, .f64 = name##_picks_f64},
#define NUM_ROW(name) \
  [BPI_BODY_##name] = {.f32 = name##_picks_f32, .f64 = name##_picks_f64, .i64 = name##_picks_i64},
#define BOOL_ROW(name) [BPI_BODY_##name] = {.b8 = name##_picks_b8},
#define FULL_ROW(name)  \
  [BPI_BODY_##name] = { \
      .f32 = name##_picks_f32, .f64 = name##_picks_f64, .i64 = name##_picks_i64, .b8 = name##_picks_b8},
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

static const pick_row rows[BPI_BODY_COUNT] = {
#include "bodies.inc"
};

bpi_picks bpi_picks_for(const bp_body *body, const bpi_body_loops *loops, bpi_loop loop)
{
  const pick_row *row = &rows[body->id];
  if (!IS_CHEAP(body->text))
    return NULL;
  return loop == loops->f32   ? row->f32
         : loop == loops->f64 ? row->f64
         : loop == loops->i64 ? row->i64
                              : row->b8;
}
