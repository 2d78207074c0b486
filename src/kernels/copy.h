/* Moving elements between strided arrays, of any element size. */
#ifndef BPI_COPY_H
#define BPI_COPY_H

#include <stddef.h>
#include <stdint.h>

/* dst[i...] = src[i...] for all indices within dims; strides in elements, may be 0 (src) or negative. */
void bpi_copy_strided(int rank, const int64_t *dims, size_t elem, const void *src, const int64_t *src_strides,
                      void *dst, const int64_t *dst_strides);
/* The same for rows [begin, end) of axis 0 (rank >= 1). */
void bpi_copy_rows(int rank, const int64_t *dims, size_t elem, const void *src, const int64_t *src_strides,
                   void *dst, const int64_t *dst_strides, int64_t begin, int64_t end);
/* Sets n elements to *value. */
void bpi_fill(void *dst, int64_t n, size_t elem, const void *value);

#endif
