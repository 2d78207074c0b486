/* The bodies over one element after another: what is too short for a vector, and arguments that a vector function cannot take. Without
 * vectors, functions of vecmath.h need not be part of every loop: so each is there once, for all bodies. Instruction sets with the
 * same rounding share one of these. */
#define BPV_FN static __attribute__((unused))
#include "kernels/simd/bodyargs.h"
#include "kernels/simd/bodymath.h"
#include "kernels/simd/isa.h"

#ifndef BPI_EACH_ELSEWHERE

#pragma GCC diagnostic warning "-Wdouble-promotion"

#define EACH(name, R, text, OPERANDS, ...)                                                    \
  void BPI_EACH_SYM(name, S)(BPI_LOOP_ARGS);                                                  \
  void BPI_EACH_SYM(name, S)(int64_t n, void *y_, const void *const *in, const int64_t *step, \
                             const double *p)                                                 \
  {                                                                                           \
    PARAMETERS(text);                                                                         \
    R *y = y_;                                                                                \
    int none = 0, *const far = &none;                                                         \
    const int careful = 1;                                                                    \
    (void)far, (void)careful;                                                                 \
    for (int64_t i = 0; i < n; i++) {                                                         \
      BPI_ONE_BY_ONE;                                                                         \
      OPERANDS;                                                                               \
      y[i] = (R)(__VA_ARGS__);                                                                \
    }                                                                                         \
  }
#define ELEMENT(A, name, k)             const A name = ((const A *)in[k])[i * step[k]]
#define BODY_FN1(name, R, A, text, ...) EACH(name, R, text, ELEMENT(A, x, 0), __VA_ARGS__)
#define BODY_FN2(name, R, A, text, ...) EACH(name, R, text, ELEMENT(A, a, 0); ELEMENT(A, b, 1), __VA_ARGS__)
#define BODY_FN3(name, R, A, B, text, ...) \
  EACH(name, R, text, ELEMENT(A, a, 0); ELEMENT(B, b, 1); ELEMENT(B, c, 2), __VA_ARGS__)

#include "kernels/simd/bodies_real.h"
#include "kernels/simd/bodies_whole.h"

#endif
