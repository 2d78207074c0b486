/* Inputs on their way to a network: (x - mean) * scale, from bytes or floats. Two roundings, never one: the same bits on every machine. */
#include "kernels/simd/isa.h"

#include <math.h>

#define STANDARDISE(FROM, TO)                              \
  do {                                                     \
    const FROM *from = x;                                  \
    TO *to = y;                                            \
    BPI_APART                                              \
    for (int64_t i = 0; i < n; i++)                        \
      to[i] = (TO)(((float)from[i] - mean[i]) * scale[i]); \
  } while (0)

void BPI_SYM(bpi_standardise_f32)(int64_t n, const void *x, bool bytes, const float *mean, const float *scale,
                                  void *y)
{
  if (bytes)
    STANDARDISE(uint8_t, float);
  else
    STANDARDISE(float, float);
}

void BPI_SYM(bpi_standardise_f64)(int64_t n, const void *x, bool bytes, const float *mean, const float *scale,
                                  void *y)
{
  if (bytes)
    STANDARDISE(uint8_t, double);
  else
    STANDARDISE(float, double);
}

/* ---- tails ---- */

static double bent(double z, double limit)
{
  double over = fabs(z) - limit;
  return over > 0 ? copysign(limit + log1p(over), z) : z;
}

/* Few values are far out, so that most vectors are only looked at. */
#define BEND(T, FABS)                            \
  do {                                           \
    enum { BLOCK = 16 };                         \
    T *z = y;                                    \
    for (int64_t i = 0; i < n; i += BLOCK) {     \
      int64_t m = n - i < BLOCK ? n - i : BLOCK; \
      int far = 0;                               \
      for (int64_t k = 0; k < m; k++)            \
        far |= FABS(z[i + k]) > (T)limit;        \
      for (int64_t k = 0; far && k < m; k++)     \
        z[i + k] = (T)bent(z[i + k], limit);     \
    }                                            \
  } while (0)

void BPI_SYM(bpi_bend_f32)(int64_t n, double limit, void *y)
{
  BEND(float, fabsf);
}

void BPI_SYM(bpi_bend_f64)(int64_t n, double limit, void *y)
{
  BEND(double, fabs);
}
