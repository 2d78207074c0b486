/* The tile of a convolution, see convolve.c, for both element types. */
#include "kernels/convolve.h"
#include "kernels/gemm/vector.h"

/* Rows of a tile. 9 divides the windows of 3 by 3 that most networks have; fewer where there are 16 registers. */
#if BPI_WIDE == 64
enum { CONV_MR = 9 };
#else
enum { CONV_MR = BPI_MR };
#endif
enum { FEW = (CONV_MR + 1) / 2 }; /* rows of a smaller tile */

#define T      float
#define S      f32
#define MULADD BPI_MULADD_F32
#define SPREAD BPI_SPREAD_F32
#include "kernels/conv/convtiles_real.h"
#undef T
#undef S
#undef MULADD
#undef SPREAD

#define T      double
#define S      f64
#define MULADD BPI_MULADD_F64
#define SPREAD BPI_SPREAD_F64
#include "kernels/conv/convtiles_real.h"
