/* All bodies of whole numbers, as bodies_real.h has those of real ones: int64, then bool. */
#define REAL_BODY1(name, ...)
#define REAL_BODY2(name, ...)
#define REAL_BODY3(name, ...)
#define NUM_BODY1(name, ...)  BODY_FN1(name, T, T, #__VA_ARGS__, __VA_ARGS__)
#define NUM_BODY2(name, ...)  BODY_FN2(name, T, T, #__VA_ARGS__, __VA_ARGS__)
#define TEST_BODY1(name, ...) BODY_FN1(name, uint8_t, T, #__VA_ARGS__, __VA_ARGS__)
#define TEST_BODY2(name, ...) BODY_FN2(name, uint8_t, T, #__VA_ARGS__, __VA_ARGS__)
#define BOOL_BODY1(name, ...)
#define BOOL_BODY2(name, ...)
#define PICK_BODY3(name, ...) BODY_FN3(name, T, uint8_t, T, #__VA_ARGS__, __VA_ARGS__)
#define T                     int64_t
#define S                     i64
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
#define BOOL_BODY1(name, ...) BODY_FN1(name, T, T, #__VA_ARGS__, __VA_ARGS__)
#define BOOL_BODY2(name, ...) BODY_FN2(name, T, T, #__VA_ARGS__, __VA_ARGS__)
#define T                     uint8_t
#define S                     b8
#include "bodies.inc"
#undef T
#undef S
#include "kernels/simd/bodies_none.h"
