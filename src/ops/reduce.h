/* What reductions over the axes of attribute 0, with `keep` as attribute 1, share. */
#ifndef BPI_REDUCE_H
#define BPI_REDUCE_H

#include "ops/family.h"

bp_status bpi_reduce_canon(bp_op_call *c, bp_attr *attr);
/* Real -> real, the axes gone or kept as 1. */
bp_status bpi_reduce_shape(const bp_op_call *c, bp_type *out, int *n_out);
/* The same, refused where nothing would be reduced to something. */
bp_status bpi_reduce_some_shape(const bp_op_call *c, bp_type *out, int *n_out);
/* How many elements make one of the result. */
int64_t bpi_reduced_count(const bp_type *x, const bp_attr *axes);
/* A node shaped like the result, with the axes there as 1: fits x by broadcasting. */
bp_node bpi_over_x(const bp_op_call *c, bp_node y);

#endif
