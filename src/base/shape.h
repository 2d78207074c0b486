/* Checked arithmetic on sizes and shapes. */
#ifndef BPI_SHAPE_H
#define BPI_SHAPE_H

#include "bprop.h"
#include "base/text.h"

/* *out = a * b, a + b; false when that overflows or a or b is negative. */
bool bpi_mul(int64_t a, int64_t b, int64_t *out);
bool bpi_add(int64_t a, int64_t b, int64_t *out);
/* Rounded up to a multiple of a power of two; false when that overflows. */
bool bpi_align_up(size_t n, size_t to, size_t *out);

/* Number of elements. False for a negative dim, a rank outside 0..BP_MAX_RANK, or a product over 2^48. A zero dim gives 0,
 * but the other dims' product must still be in range (so that strides never overflow). */
bool bpi_size(int rank, const int64_t *dims, int64_t *size);
/* Number of elements of a type already checked. */
int64_t bpi_type_size(const bp_type *t);
/* Row-major strides in elements. */
void bpi_strides(int rank, const int64_t *dims, int64_t *strides);
/* True if strides are row-major for these dims (dims of 1 and empty arrays do not matter). */
bool bpi_contiguous(int rank, const int64_t *dims, const int64_t *strides);
bool bpi_same_shape(const bp_type *a, const bp_type *b);
/* NumPy's broadcasting of two shapes. False if they do not fit. */
bool bpi_broadcast(const bp_type *a, const bp_type *b, bp_type *out);
/* Appends "[3,4]". */
void bpi_text_shape(bpi_text *t, int rank, const int64_t *dims);
/* Type from parts; dims NULL for rank 0. */
bp_type bpi_type(bp_dtype dtype, int rank, const int64_t *dims);

#endif
