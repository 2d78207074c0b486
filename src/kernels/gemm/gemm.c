/* The matrix product, in one of four ways, whichever takes the least time by a formula of the shape alone:
 *
 *   panels  C is cut into tiles in registers: some rows of one operand, read by broadcast where they lie, times a panel of the other,
 *           packed so that the inner steps follow one another (gemm_tile.h, gemm_pack.h). Which operand is packed is a choice too:
 *           where it is A, the transposed product is computed and turned on its way home.
 *   dots    both operands have their inner steps side by side and one of them has few rows: dot products, nothing packed
 *           (gemm_dot.h)
 *   row     one row times a matrix whose rows are added up (gemm_dot.h)
 *   small   a few elements: nothing but the sums (gemm_small.h)
 *
 * In panels, each element of C is one chain of multiply-adds over an inner block, in order; blocks are added in order. Where blocks
 * end depends on k alone. Dot products are one chain a lane. So an element's bits depend on the shape, never on the units that C is
 * cut into, nor on who computes them. */
#include "kernels/gemm/strip.h"
#include "kernels/gemmcut.h"

#include <string.h>

/* One row times a matrix: whether, from how many inner steps on and up to what size of the matrix, which caches must hold, it is read as one
 * stream. Narrower vectors would wait for their loads of the row, which are as many as those of the matrix then. */
enum {
  STREAMS = BPI_WIDE == 64,
  STREAM_STEPS = 256,
  STREAM_BYTES = 8 << 20,
  STREAM_CHAINS = 7,
  STREAM_ROW = 4096
};

static const bpi_tiles tiles = {BPI_WIDE, BPI_MR, BPI_DOTS, BPI_KC_BYTES};

#define T       float
#define S       f32
#define MULADD  BPI_MULADD_F32
#define MULADD1 BPI_MULADD1_F32
#define SPREAD  BPI_SPREAD_F32
#define PICK    BPI_PICK_F32
#define PICK2   BPI_PICK2_F32
#include "kernels/gemm/gemm_real.h"
#undef T
#undef S
#undef MULADD
#undef MULADD1
#undef SPREAD
#undef PICK
#undef PICK2

#define T       double
#define S       f64
#define MULADD  BPI_MULADD_F64
#define MULADD1 BPI_MULADD1_F64
#define SPREAD  BPI_SPREAD_F64
#define PICK    BPI_PICK_F64
#define PICK2   BPI_PICK2_F64
#include "kernels/gemm/gemm_real.h"
