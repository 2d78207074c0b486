/* Inputs on their way to a network: (x - mean) * scale, from bytes or floats. Two roundings, never one: the same bits on every machine. */
#include "kernels/simd/isa.h"

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
