/* The same scalar bodies over elements that lie anywhere: what graphs of single numbers are run by. Only bodies that are plain
 * arithmetic, which have the same bits compiled for any instruction set; so they are compiled once. The others are worth the
 * vectors of their loops, which gathered elements are handed to (src/run/scalars.c). */
#include "kernels/kernels.h"
#include "kernels/simd/bodyargs.h"
#include "kernels/simd/bodymath.h"

#define PICK_ARGS char *base, const uint32_t *at, size_t n, const double *p

/* Walks over n rows of W offsets. A body that is not cheap leaves an empty function, which nobody calls. */
#define PICK(name, S, W, R, text, OPERANDS, ...)           \
  static void BPV_JOIN(name##_picks, S)(PICK_ARGS)         \
  {                                                        \
    int none = 0, *const far = &none;                      \
    const int careful = 0;                                 \
    (void)base, (void)far, (void)careful;                  \
    PARAMETERS(text);                                      \
    for (; IS_CHEAP(text) && n; n--, at += (W)) {          \
      OPERANDS;                                            \
      *(R *)(void *)(base + at[(W)-1]) = (R)(__VA_ARGS__); \
    }                                                      \
  }
#define ELEMENT(A, name, k)             const A name = *(const A *)(const void *)(base + at[k])
#define BODY_FN1(name, R, A, text, ...) PICK(name, S, 2, R, text, ELEMENT(A, x, 0), __VA_ARGS__)
#define BODY_FN2(name, R, A, text, ...) \
  PICK(name, S, 3, R, text, ELEMENT(A, a, 0); ELEMENT(A, b, 1), __VA_ARGS__)
#define BODY_FN3(name, R, A, B, text, ...) \
  PICK(name, S, 4, R, text, ELEMENT(A, a, 0); ELEMENT(B, b, 1); ELEMENT(B, c, 2), __VA_ARGS__)

#include "kernels/simd/bodies_real.h"
#include "kernels/simd/bodies_whole.h"

/* ---- the table ---- */

typedef struct pick_row {
  bpi_picks f32, f64, i64, b8;
} pick_row;

#define BODY_NAME(name, S) name##_picks_##S
#include "kernels/simd/bodies_table.h"

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
