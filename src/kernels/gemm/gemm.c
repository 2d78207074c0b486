/* The matrix product: packed panels, tiles in registers.
 *
 * C is cut into units: a block of at most ROW_BLOCK rows times one panel of NR columns. The inner dimension is cut into
 * blocks of equal length; for each, a panel of op(B) is packed (columns side by side, inner steps one after another), stays in
 * the first-level cache, and tiles of MR rows run down it. op(A) is read where it is when its rows are contiguous, else it is
 * packed once for all the units of a call.
 *
 * Each element of C is one chain of multiply-adds over an inner block, in order; blocks are added in order. Where the blocks
 * end depends on k alone, so an element has the same bits whatever m and n are, however C was cut into tiles and units, and
 * whichever path (packed, unpacked, turned on the fly) its operands took. */
#include "kernels/gemm/vector.h"

#include <string.h>

enum { ROW_BLOCK = 264 };

#define T      float
#define S      f32
#define MULADD BPI_MULADD_F32
#define SPREAD BPI_SPREAD_F32
#include "kernels/gemm/gemm_real.h"
#undef T
#undef S
#undef MULADD
#undef SPREAD

#define T      double
#define S      f64
#define MULADD BPI_MULADD_F64
#define SPREAD BPI_SPREAD_F64
#include "kernels/gemm/gemm_real.h"
