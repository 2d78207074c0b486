/* The matrix product through an outside CBLAS, where the build has one (BPI_CBLAS). */
#ifndef BPI_GEMMBLAS_H
#define BPI_GEMMBLAS_H

#include "kernels/kernels.h"

#ifdef BPI_CBLAS
int64_t bpi_blas_units(const bpi_gemm *g);
size_t bpi_blas_scratch(const bpi_gemm *g);
void bpi_blas_f32(const bpi_gemm *g, int64_t begin, int64_t end, void *scratch);
void bpi_blas_f64(const bpi_gemm *g, int64_t begin, int64_t end, void *scratch);
#endif

#endif
