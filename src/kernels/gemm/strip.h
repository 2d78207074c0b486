/* A strip: any number of rows of A times one panel of B, tile by tile. Products and convolutions are made of strips; how rows
 * and panels come to lie as they do is their affair. Compiled once for each instruction set, like everything in this room. */
#ifndef BPI_STRIP_H
#define BPI_STRIP_H

#include "kernels/gemm/vector.h"

/* Columns of a panel. */
enum { BPI_PANEL_F32 = 2 * BPI_WIDE / 4, BPI_PANEL_F64 = 2 * BPI_WIDE / 8 };

/* Memory that will be wanted soon and lies too scattered for the processor to see coming: `rows` pieces of `bytes`. */
typedef struct bpi_ahead {
  const char *from;
  int64_t stride, rows, bytes; /* rows 0: nothing */
} bpi_ahead;

/* C[rows, columns] = A[rows, steps] B[steps, columns] (+ bias) (+ C). Element (i, p) of A is a[i*ars + p*acs], where ars or acs
 * is 1; b + p*bs holds BPI_PANEL elements of step p, also where fewer columns are wanted. Strides in elements. Each element of
 * C is one chain of multiply-adds in the order of p, then bias, then C: so the same however rows are cut into tiles. */
typedef struct bpi_strip {
  int64_t rows, steps;
  const void *a, *b;
  int64_t ars, acs, bs;
  bool
      tiled; /* A is a sequence of tiles of BPI_MR rows, [steps][BPI_MR] each, the last with room for as many: ars 1, acs BPI_MR */
  void *c;
  int64_t ldc;
  const void *bias; /* of the columns; NULL: none */
  int columns;      /* 1 to BPI_PANEL */
  bool add;         /* to what is in c */
  bpi_ahead ahead;
} bpi_strip;

void BPI_SYM(bpi_strip_f32)(const bpi_strip *s);
void BPI_SYM(bpi_strip_f64)(const bpi_strip *s);

/* Rows of one tile in a strip of `rows`: nearly equal ones, as low tiles hide no latencies, and even. */
BPI_INLINE int64_t bpi_strip_height(int64_t rows)
{
  const int64_t tiles = (rows + BPI_MR - 1) / BPI_MR;
  return tiles ? ((rows + tiles - 1) / tiles + 1) / 2 * 2 : 2;
}

#endif
