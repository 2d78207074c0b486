/* Names of what is compiled once per instruction set: BPI_SYM(bpi_foo) is bpi_foo_avx2 in the build for AVX2 and so on.
 * The compiler's flags choose the instructions; the sources here only say how wide a vector is. */
#ifndef BPI_ISA_H
#define BPI_ISA_H

#include "kernels/kernels.h"

#ifndef BPI_ISA
#define BPI_ISA base
#endif

#ifndef BPI_EACH_ISA
#define BPI_EACH_ISA BPI_ISA
#endif

#define BPI_PASTE_(a, b)      a##_##b
#define BPI_PASTE(a, b)       BPI_PASTE_(a, b)
#define BPI_SYM(name)         BPI_PASTE(name, BPI_ISA)
#define BPI_EACH_SYM(name, S) BPI_PASTE(BPI_PASTE(bpi_each_##name, S), BPI_EACH_ISA)
#define BPI_TEXT_(a)          #a
#define BPI_TEXT(a)           BPI_TEXT_(a)

/* No iteration reads what another one writes: an output is one of the inputs, element for element, or apart from it. */
#if defined(__clang__)
#define BPI_APART _Pragma("clang loop vectorize(assume_safety)")
#pragma clang diagnostic ignored "-Wpass-failed" /* loops that call libm stay as they are */
#else
#define BPI_APART _Pragma("GCC ivdep")
#endif

#define BPI_INLINE static inline __attribute__((always_inline, unused))

/* The base set of x86 serves processors from before 2013 only: small before fast, so bodies run one by one. */
#if defined(__x86_64__) && !defined(__AVX2__)
#define BPI_PLAIN 1
#else
#define BPI_PLAIN 0
#endif

/* In a loop: leave it as it stands. */
#define BPI_ONE_BY_ONE __asm__ volatile("")

/* Of a loop over elements. */
#define BPI_LOOP_ARGS int64_t n, void *y_, const void *const *in, const int64_t *step, const double *p

/* Once, however many call it. */
#if defined(__clang__)
#define BPI_SHARED __attribute__((noinline))
#else
#define BPI_SHARED __attribute__((noinline, noclone))
#endif

#define BPI_KERNELS_OF(S)                                                                                    \
  void BPI_SYM(bpi_reduce_##S)(bpi_reduce how, int64_t n, int64_t inner, const void *x, void *y,             \
                               int64_t begin, int64_t end);                                                  \
  void BPI_SYM(bpi_softmax_##S)(int64_t n, const void *x, void *y, int64_t begin, int64_t end);              \
  void BPI_SYM(bpi_log_softmax_##S)(int64_t n, const void *x, void *y, int64_t begin, int64_t end);          \
  void BPI_SYM(bpi_softmax_parts_##S)(int64_t n, const void *x, void *y, void *at);                          \
  bpi_relay_fn BPI_SYM(bpi_relay_of_##S)(int body, bpi_relay_how how);                                       \
  int64_t BPI_SYM(bpi_run_relay_##S)(const bpi_relay *program, int64_t first, int64_t n, bool streams);      \
  void BPI_SYM(bpi_add_lanes_##S)(int64_t first, int64_t n, const void *x, void *lanes);                     \
  void BPI_SYM(bpi_fold_lanes_##S)(void *lanes, void *leaf);                                                 \
  void BPI_SYM(bpi_join_leaves_##S)(int64_t n, const void *leaves, void *y);                                 \
  bool BPI_SYM(bpi_finite_##S)(int64_t n, const void *x);                                                    \
  void BPI_SYM(bpi_standardise_##S)(int64_t n, const void *x, bool bytes, const float *mean,                 \
                                    const float *scale, void *y);                                            \
  void BPI_SYM(bpi_bend_##S)(int64_t n, double limit, void *y);                                              \
  void BPI_SYM(bpi_layer_norm_##S)(int64_t n, double eps, const void *x, const void *gain, const void *bias, \
                                   void *y, int64_t begin, int64_t end);                                     \
  int64_t BPI_SYM(bpi_gemm_units_##S)(const bpi_gemm *g);                                                    \
  size_t BPI_SYM(bpi_gemm_scratch_##S)(const bpi_gemm *g);                                                   \
  void BPI_SYM(bpi_gemm_##S)(const bpi_gemm *g, int64_t begin, int64_t end, void *scratch);                  \
  bpi_loop BPI_SYM(bpi_gemm_loop_##S)(const bpi_gemm *g, bpi_small *s);                                      \
  extern const bpi_conv_tiles BPI_SYM(bpi_conv_tiles_##S);                                                   \
  size_t BPI_SYM(bpi_pool_scratch_##S)(const bpi_pool2d *p);                                                 \
  void BPI_SYM(bpi_pool_##S)(const bpi_pool2d *p, int64_t begin, int64_t end, void *scratch);                \
  double BPI_SYM(bpi_peak_##S)(int64_t n, void *out);

BPI_KERNELS_OF(f32)
BPI_KERNELS_OF(f64)

extern const bpi_kernels BPI_SYM(bpi_kernels);

#endif
