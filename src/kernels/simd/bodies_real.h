/* The loops of all rows that take real numbers, for element type T with suffix S. Included by bodies.c once for each. */
#define REAL_BODY1(name, ...) LOOP1(name, T, T, #__VA_ARGS__, __VA_ARGS__)
#define REAL_BODY2(name, ...) LOOP2(name, T, T, #__VA_ARGS__, __VA_ARGS__)
#define REAL_BODY3(name, ...) LOOP3(name, T, T, T, #__VA_ARGS__, __VA_ARGS__)
#define NUM_BODY1(name, ...)  LOOP1(name, T, T, #__VA_ARGS__, __VA_ARGS__)
#define NUM_BODY2(name, ...)  LOOP2(name, T, T, #__VA_ARGS__, __VA_ARGS__)
#define TEST_BODY1(name, ...) LOOP1(name, uint8_t, T, #__VA_ARGS__, __VA_ARGS__)
#define TEST_BODY2(name, ...) LOOP2(name, uint8_t, T, #__VA_ARGS__, __VA_ARGS__)
#define BOOL_BODY1(name, ...)
#define BOOL_BODY2(name, ...)
#define PICK_BODY3(name, ...) LOOP3(name, T, uint8_t, T, #__VA_ARGS__, __VA_ARGS__)
#include "bodies.inc"
#include "kernels/simd/bodies_none.h"
