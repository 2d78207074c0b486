/* All bodies of real numbers, one element type after another: T is the type, S its short name. BODY_FN1, 2 and 3 (name, type of the
 * result, of the operands, text, body) make what is wanted of each. Leaves no body macro behind. */
#define REAL_BODY1(name, ...) BODY_FN1(name, T, T, #__VA_ARGS__, __VA_ARGS__)
#define REAL_BODY2(name, ...) BODY_FN2(name, T, T, #__VA_ARGS__, __VA_ARGS__)
#define REAL_BODY3(name, ...) BODY_FN3(name, T, T, T, #__VA_ARGS__, __VA_ARGS__)
#define NUM_BODY1(name, ...)  BODY_FN1(name, T, T, #__VA_ARGS__, __VA_ARGS__)
#define NUM_BODY2(name, ...)  BODY_FN2(name, T, T, #__VA_ARGS__, __VA_ARGS__)
#define TEST_BODY1(name, ...) BODY_FN1(name, uint8_t, T, #__VA_ARGS__, __VA_ARGS__)
#define TEST_BODY2(name, ...) BODY_FN2(name, uint8_t, T, #__VA_ARGS__, __VA_ARGS__)
#define BOOL_BODY1(name, ...)
#define BOOL_BODY2(name, ...)
#define PICK_BODY3(name, ...) BODY_FN3(name, T, uint8_t, T, #__VA_ARGS__, __VA_ARGS__)

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
#include "kernels/simd/bodies_none.h"
