/* The limit of multiply-adds: as many independent sums as hide their latency, in registers alone. */
#include "kernels/gemm/vector.h"

enum { SUMS = BPI_WIDE == 64 ? 16 : 12 };

#define PEAK(S, T)                                                                               \
  double BPI_SYM(bpi_peak_##S)(int64_t n, void *out)                                             \
  {                                                                                              \
    bpi_v_##S s[SUMS], a = BPI_SPREAD_##T(0.999f), b = BPI_SPREAD_##T(1e-3f);                    \
    for (int k = 0; k < SUMS; k++)                                                               \
      s[k] = a;                                                                                  \
    for (int64_t i = 0; i < n; i++)                                                              \
      _Pragma("GCC unroll 16") for (int k = 0; k < SUMS; k++) s[k] = BPI_MULADD_##T(s[k], a, b); \
    for (int k = 1; k < SUMS; k++)                                                               \
      s[0] += s[k];                                                                              \
    *(bpi_u_##S *)out = s[0];                                                                    \
    return 2.0 * (double)n * SUMS * (double)(sizeof a / sizeof a[0]);                            \
  }

PEAK(f32, F32)
PEAK(f64, F64)
