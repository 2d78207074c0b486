/* The oracle: every kernel in its plainest form, for the tests only. Elements one by one, sums in long double, libm. */
#ifndef BPI_REF_H
#define BPI_REF_H

#include "kernels/kernels.h"

/* Has the functions of every other table and no speed. gemm_units is the number of rows. */
extern const bpi_kernels bpi_kernels_ref;

#endif
