/* Sorting in place, n log n in every case, without memory (the C library's qsort may take some behind the allocator's back). */
#ifndef BPI_SORT_H
#define BPI_SORT_H

#include <stddef.h>

typedef int (*bpi_compare)(const void *a, const void *b, const void *arg);
/* Heapsort: equal elements may change places. size: at most 64 bytes. */
void bpi_sort(void *items, size_t n, size_t size, bpi_compare compare, const void *arg);

#endif
