/* Kernels over rows and runs of elements: what is not worth a version for every instruction set. float32 is summed in double. */
#ifndef BPI_ROWWISE_H
#define BPI_ROWWISE_H

#include "bprop.h"

/* Number of the first index in [begin, end) that is not in 0..n-1; end where all are. */
int64_t bpi_first_outside(const int64_t *index, int64_t begin, int64_t end, int64_t n);
/* y[i] += x[i], i < n; float32, float64 or int64. */
void bpi_add_run(bp_dtype t, int64_t n, const void *x, void *y);
/* y = running sums of x [outer, n, inner] along n, for lines [begin, end) of the outer * inner. */
void bpi_cumsum(bp_dtype t, int64_t n, int64_t inner, bool reverse, const void *x, void *y, int64_t begin,
                int64_t end);

/* Cross-entropy of one row with its label: the target q is 1 - a at the label, plus a / n everywhere.
 * label_loss: *loss = -sum q[k] log_p[k]. label_grad: p[k] becomes u (p[k] - q[k]), 0 where *u is 0. */
void bpi_label_loss(bp_dtype t, int64_t n, double a, int64_t label, const void *log_p, void *loss);
void bpi_label_grad(bp_dtype t, int64_t n, double a, int64_t label, const void *u, void *p);

#endif
