/* The oracle's functions over rows and matrices, for its table. */
#ifndef BPI_REF_ROWS_H
#define BPI_REF_ROWS_H

#include "kernels/kernels.h"

#define BPI_REF_OF(S)                                                                                      \
  void bpi_ref_reduce_##S(bpi_reduce how, int64_t n, int64_t inner, const void *x, void *y, int64_t begin, \
                          int64_t end);                                                                    \
  void bpi_ref_softmax_##S(int64_t n, const void *x, void *y, int64_t begin, int64_t end);                 \
  void bpi_ref_log_softmax_##S(int64_t n, const void *x, void *y, int64_t begin, int64_t end);             \
  void bpi_ref_softmax_parts_##S(int64_t n, const void *x, void *y, void *at);                             \
  bool bpi_ref_finite_##S(int64_t n, const void *x);                                                       \
  void bpi_ref_gemm_##S(const bpi_gemm *g, int64_t begin, int64_t end, void *scratch);                     \
  void bpi_ref_conv_##S(const bpi_conv *c, void *scratch);                                                 \
  void bpi_ref_pool_##S(const bpi_pool2d *p, int64_t begin, int64_t end, void *scratch);
BPI_REF_OF(f32)
BPI_REF_OF(f64)
#undef BPI_REF_OF

int64_t bpi_ref_units(const bpi_gemm *g);
size_t bpi_ref_scratch(const bpi_gemm *g);
/* Bytes that bpi_ref_conv_f32 and _f64 need, which make all of a convolution. */
size_t bpi_ref_conv_scratch(const bpi_conv *c);
size_t bpi_ref_pool_scratch(const bpi_pool2d *p);

#endif
