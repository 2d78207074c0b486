/* Patterns of sparse matrices in compressed rows. */
#ifndef BPI_CSR_H
#define BPI_CSR_H

#include "base/arena.h"

/* The columns of row i are col[start[i]] to col[start[i + 1] - 1], ascending, each once. rows and cols are below 2^31. */
typedef struct bpi_csr {
  int64_t rows, cols;
  int64_t *start; /* rows + 1 */
  int32_t *col;
} bpi_csr;

static inline int64_t bpi_csr_entries(const bpi_csr *p)
{
  return p->start[p->rows];
}

/* The transpose. entry: unless NULL, gets for each entry of t its number in p. */
bp_status bpi_csr_transpose(bpi_arena *a, const bpi_csr *p, bpi_csr *t, int64_t **entry);
/* Most entries of a row. */
int64_t bpi_csr_longest(const bpi_csr *p);
/* How far entries lie below and above the diagonal. */
void bpi_csr_band(const bpi_csr *p, int64_t *below, int64_t *above);
/* The pattern of p and its transpose together, for a square p. */
bp_status bpi_csr_symmetric(bpi_arena *a, const bpi_csr *p, bpi_csr *both);

#endif
