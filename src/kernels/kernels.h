/* Kernels: arrays in, arrays out. They know nothing of nodes.
 *
 * One source, src/kernels/simd/, is compiled once per instruction set with other flags, and makes one table of functions each:
 * bpi_kernels_base, _avx2, _avx512, _neon. src/kernels/ref/ is the readable truth that they are tested against.
 * Nothing here allocates. Results depend on shapes alone, never on how units were shared out. */
#ifndef BPI_KERNELS_H
#define BPI_KERNELS_H

#include "bprop.h"

#include "kernels/convolve.h"
#include "body_ids.h" /* generated: enum { BPI_BODY_add, ..., BPI_BODY_COUNT } */

#define BPI_MAX_BODY_IN 4

/* Elementwise loop: y[i] = body(x0[i*step0], x1[i*step1], ...), i < n; p: the real attributes of the row, in order.
 * Steps are in elements; 0 broadcasts one element. y is contiguous and may be one of the x of step 1. */
typedef void (*bpi_loop)(int64_t n, void *y, const void *const *x, const int64_t *step, const double *p);

/* The loops of one body by element type of its FIRST NUMERIC operand; NULL where the row has no such version. */
typedef struct bpi_body_loops {
  bpi_loop f32, f64, i64, b8;
} bpi_body_loops;

/* The same for elements that lie anywhere: `at` holds n rows of offsets in bytes from base, of the inputs and then of the result. */
typedef void (*bpi_picks)(char *base, const uint32_t *at, size_t n, const double *p);

/* Relays: cheap bodies over a strip of eight vectors at a time that stay in registers from one to the next. A program begins with a load and
 * ends with BPI_RELAY_END; each step is the code for one body with its other operand, for steps of 1 or 0:
 * y = body(registers, x[i]), body(x[i], registers), body(registers, *x), body(*x, registers). */
typedef enum bpi_relay_how {
  BPI_RELAY_ARRAY,
  BPI_RELAY_ARRAY_FIRST,
  BPI_RELAY_NUMBER,
  BPI_RELAY_NUMBER_FIRST,
  BPI_RELAY_LOAD,        /* registers = x[i] */
  BPI_RELAY_LOAD_NUMBER, /* registers = *x */
  BPI_RELAY_FETCH,       /* asks for x some strips further on */
  BPI_RELAY_STORE,       /* x[i] = registers */
  BPI_RELAY_STREAM,      /* the same past the caches; x is on 64 bytes */
  BPI_RELAY_SUM,         /* registers are added to the lanes of a sum at x, and stay */
  BPI_RELAY_END
} bpi_relay_how;
typedef void (*bpi_relay_fn)(void);
typedef struct bpi_relay {
  bpi_relay_fn fn;
  void *x;
  const double *p; /* as a loop's */
  int64_t along;   /* of an array: -1; 0: x is room for one strip, the same for all */
} bpi_relay;

typedef enum bpi_reduce {
  BPI_REDUCE_SUM,
  BPI_REDUCE_MAX,
  BPI_REDUCE_MIN,
  BPI_REDUCE_PROD,
  BPI_REDUCE_ARGMAX,
  BPI_REDUCE_ARGMIN
} bpi_reduce;

/* A reduction of x [outer, n, inner] over n. */
typedef struct bpi_reduction {
  bpi_reduce how;
  int64_t outer, n, inner;
} bpi_reduction;

/* Sums of contiguous elements are cut into leaves. Each is added up in so many separate sums, the lanes: 0 + x[0] + x[32] + ..., which are
 * then folded in halves; leaves are joined in a tree. */
enum { BPI_SUM_LANES = 32, BPI_SUM_LEAF = 128 * BPI_SUM_LANES };

/* A rectangle of a product's result whose sums are final: c is its first element, in C or in the kernel's scratch. */
typedef struct bpi_rect {
  void *c;
  int64_t ldc;
  int64_t row, rows, col, cols; /* where it lies in C; rows are counted from bpi_end.row on */
} bpi_rect;

/* What is done with each region while it is in the cache. Every element is handed over exactly once, in regions that the
 * shapes alone decide; fn may change the elements in place. arg belongs to the thread that calls the product: each has a
 * bpi_gemm of its own, so what a thread needs for itself goes through here. Regions of other threads come at the same time.
 * Whole rows, one after another (cols = n = ldc), are one run of elements for elementwise work, and cost it the least; narrow regions
 * make it gather operands row by row. */
typedef struct bpi_end {
  void (*fn)(void *arg, const bpi_rect *r);
  void *arg;
  int64_t row; /* added to the rows of all regions: products of a batch follow one another */
} bpi_end;

/* C[m,n] = op(A)[m,k] op(B)[k,n] (+ bias[n]) (+ C). Row strides lda, ldb, ldc in elements; ta: A is stored [k,m], tb: B is [n,k]. */
typedef struct bpi_gemm {
  int64_t m, n, k;
  const void *a, *b, *bias; /* bias may be NULL */
  void *c; /* NULL: regions are kept in scratch and seen by `end` alone; then nothing is accumulated */
  int64_t lda, ldb, ldc;
  bool ta, tb;
  bool accumulate;
  const bpi_end *end; /* NULL: nothing more to do */
} bpi_gemm;

/* A product of so few elements (gemmcut.h) that finding out how it lies takes longer than computing it: that is done once, and it then is a loop
 * like those of bodies, whose `step` is this and whose n is nothing. Its operands are a, b and bias or NULL. */
typedef struct bpi_small {
  int64_t m, n, k;
  int64_t ar, as, br,
      bs; /* from one row of op(A), or column of op(B), to the next, and from one inner step to the next */
  int64_t ldc;
  bool lanes, add;             /* sums are in lanes; they are added to what is in C */
  uint8_t row[16], column[16]; /* of each element of a C that one vector holds */
} bpi_small;

typedef struct bpi_kernels {
  const char *name;
  bpi_body_loops body[BPI_BODY_COUNT];
  /* [0] float32, [1] float64. relay_of: NULL where the body has no such code. run_relay: over as many of the n elements from `first` on as make whole strips of
   * eight vectors; returns how many. streams: something is streamed. */
  bpi_relay_fn (*relay_of[2])(int body, bpi_relay_how how);
  int64_t (*run_relay[2])(const bpi_relay *program, int64_t first, int64_t n, bool streams);

  /* Reduces x [outer, n, inner] (contiguous) over n to y [outer, inner], for outputs [begin, end) of the outer*inner.
   * Sums: fixed chunks of the reduced axis, fixed tree; each float32 sum has the error of at most a few hundred additions.
   * MAX and MIN: NaN wins; lowest index wins ties; ARG...: y is int64, the first NaN wins, else the lowest index of the best. n = 0: sum 0, prod 1 (others are refused before). */
  void (*reduce[2])(bpi_reduce how, int64_t n, int64_t inner, const void *x, void *y, int64_t begin,
                    int64_t end); /* [0] float32, [1] float64 */

  /* The parts of such a sum of contiguous elements, for those who make them a tile at a time. add_lanes: adds elements of a leaf, of which x[0] is
   * number `first`, to its BPI_SUM_LANES lanes, zeros at the start. fold_lanes: the sum of a leaf. join_leaves: that of all n leaves. */
  void (*add_lanes[2])(int64_t first, int64_t n, const void *x, void *lanes);
  void (*fold_lanes[2])(void *lanes, void *leaf);
  void (*join_leaves[2])(int64_t n, const void *leaves, void *y);

  /* Matrix product. Work is cut into units of the output's rows and columns by shape alone. scratch: per thread; its size depends on
   * shapes and on whether c is NULL. */
  int64_t (*gemm_units[2])(const bpi_gemm *g);
  size_t (*gemm_scratch[2])(const bpi_gemm *g);
  void (*gemm[2])(const bpi_gemm *g, int64_t begin, int64_t end, void *scratch);
  /* The loop of a small product without `end`, to be called with s; NULL where it is not small. Same bits as gemm. Absent where an outside
   * BLAS does the products. */
  bpi_loop (*gemm_loop[2])(const bpi_gemm *g, bpi_small *s);

  /* Rows [begin, end) of x [rows, n]: softmax and log_softmax; stable; y may be x. */
  void (*softmax[2])(int64_t n, const void *x, void *y, int64_t begin, int64_t end);
  void (*log_softmax[2])(int64_t n, const void *x, void *y, int64_t begin, int64_t end);
  /* Softmax of one row, y not x; at: two elements from which log_softmax of element i has its bits: (x[i] - at[0]) - at[1]. */
  void (*softmax_parts[2])(int64_t n, const void *x, void *y, void *at);

  /* Tiles of a convolution; bpi_convolve runs them. NULL in the oracle. */
  const bpi_conv_tiles *conv[2];

  /* Pooling; a unit is a row of places in one image, or what of the image lies by it. A NaN is larger than all, the first of equals wins. */
  size_t (*pool_scratch[2])(const bpi_pool2d *p);
  void (*pool[2])(const bpi_pool2d *p, int64_t begin, int64_t end, void *scratch);
  /* Floating-point operations done in n rounds of multiply-adds in registers, for measuring what the processor can do at most.
   * out: 64 bytes. */
  double (*peak[2])(int64_t n, void *out);

  /* True if all n are finite. */
  bool (*finite[2])(int64_t n, const void *x);

  /* y[i] = (x[i] - mean[i]) * scale[i] in float32 arithmetic; x: bytes or floats. */
  void (*standardise[2])(int64_t n, const void *x, bool bytes, const float *mean, const float *scale,
                         void *y);
  /* Each y[i] with |y[i]| > limit becomes limit + log(1 + |y[i]| - limit), with its sign. */
  void (*bend[2])(int64_t n, double limit, void *y);
  /* Rows [begin, end) of x [rows, n], normalised to mean 0 and variance 1 (eps added), times gain [n] plus bias [n]; y may be x. */
  void (*layer_norm[2])(int64_t n, double eps, const void *x, const void *gain, const void *bias, void *y,
                        int64_t begin, int64_t end);
} bpi_kernels;

/* The table for an instruction set that bpi_cpu_has(); the base table otherwise. */
const bpi_kernels *bpi_kernels_for(bp_isa isa);

/* What does for scattered elements as `loop`, one of `loops`, does for contiguous ones, bit for bit; NULL where the body is more than plain
 * arithmetic: then gathering elements for the loop's vectors is faster. */
bpi_picks bpi_picks_for(const bp_body *body, const bpi_body_loops *loops, bpi_loop loop);

/* Bounds of what the plan hands to threads. */
enum { BPI_TILE = 1024 }; /* elements of one operand in a fused tile */

#endif
