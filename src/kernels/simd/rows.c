/* Reductions, softmax and the test for finite numbers, for both element types. */
#include "kernels/simd/isa.h"
#include "kernels/simd/vecmath.h"

/* Sums and products are cut into chunks of the reduced axis, each added up in LANES separate sums (contiguous) or one by one
 * (columns); chunks are joined pairwise, so an error grows with LEAF / LANES or ROWS additions and a few levels. Which
 * elements meet in which order depends on n alone: not on the instruction set, nor on how outputs were shared out. */
enum {
  LANES = BPI_SUM_LANES,
  LEAF = BPI_SUM_LEAF, /* contiguous elements of one chunk */
  ROWS = 128,          /* rows of one chunk of columns */
  TAIL = 8,            /* lanes of the end of a row of softmax */
  COLUMNS = 64,        /* columns worked on together */
};

#define T        float
#define S        f32
#define BITS     uint32_t
#define EXPONENT 0x7f800000u
#include "kernels/simd/rows_real.h"
#undef T
#undef S
#undef BITS
#undef EXPONENT

#define T        double
#define S        f64
#define BITS     uint64_t
#define EXPONENT 0x7ff0000000000000u
#include "kernels/simd/rows_real.h"
