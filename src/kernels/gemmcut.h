/* How a matrix product is done and how it is cut into units: by its shape, the size of its elements and the tiles of the
 * instruction set alone. */
#ifndef BPI_GEMMCUT_H
#define BPI_GEMMCUT_H

#include "kernels/kernels.h"

/* What an instruction set's kernels are like. */
typedef struct bpi_tiles {
  int wide; /* bytes of a vector */
  int rows; /* of a tile; its columns are two vectors */
  int dots; /* rows of a tile of dot products */
  int kc_bytes; /* most inner steps of a packed panel, in bytes of one column: so that it stays in the first-level cache */
} bpi_tiles;

/* One operand, of m or n rows. flat: the inner steps of a row lie side by side; else the rows of an inner step do. */
typedef struct bpi_side {
  const void *x;
  int64_t count, ld;
  bool flat;
} bpi_side;

typedef enum bpi_way {
  BPI_WAY_DOTS,  /* dot products of rows of r and rows of l */
  BPI_WAY_ROW,   /* the only row of r times a matrix */
  BPI_WAY_PANELS /* rows of r times packed panels of l */
} bpi_way;

typedef struct bpi_cut {
  bpi_way way;
  bool turned; /* r is B and l is A: C is computed transposed */
  bpi_side r, l;
  int64_t steps;            /* of an inner block */
  int64_t rows, row_blocks; /* of r, in a unit; units */
  int64_t lanes, groups;    /* of l, in a unit at most; units */
  int64_t grain;            /* groups of lanes end at multiples of this */
  int64_t together;         /* row blocks that one thread does at once, for packed panels serve them all */
  int64_t pad;              /* elements between copied rows */
  bool pack_l;              /* panels are packed, */
  bool whole;               /* all of a group before its tiles run; */
  bool copy_r;              /* rows are copied to where they lie better */
} bpi_cut;

/* Products of so few elements that nothing but their sums is worth doing. */
static inline bool bpi_gemm_small(const bpi_gemm *g)
{
  enum { WORK = 256 };
  return (g->m | g->n | g->k) < WORK && g->m * g->n * g->k <= WORK;
}

/* Whether the sums of a small product are longer than there are of them: then each is BPI_SMALL_LANES chains, of every so many-th inner step,
 * folded in halves; else one chain. */
enum { BPI_SMALL_LANES = 8 };
static inline bool bpi_gemm_lanes(const bpi_gemm *g)
{
  return g->k > g->m * g->n;
}

/* Of a product that is not small. size: bytes of an element. */
bpi_cut bpi_cut_of(const bpi_gemm *g, const bpi_tiles *tiles, int64_t size);

/* Where a unit of panels is. Units are numbered so that row blocks that are done together follow one another, and then the next group of
 * them. */
typedef struct bpi_unit_spot {
  int64_t block, group;
  int64_t left; /* row blocks that are done together, from this one on */
} bpi_unit_spot;

static inline bpi_unit_spot bpi_cut_spot(const bpi_cut *u, int64_t unit)
{
  const int64_t above = unit / (u->together * u->groups) * u->together, below = u->row_blocks - above,
                height = below < u->together ? below : u->together, at = unit - above * u->groups;
  return (bpi_unit_spot){above + at % height, at / height, height - at % height};
}

/* First lane of a group. */
static inline int64_t bpi_cut_lane(const bpi_cut *u, int64_t group)
{
  const int64_t grains = (u->l.count + u->grain - 1) / u->grain, lane = group * grains / u->groups * u->grain;
  return lane < u->l.count ? lane : u->l.count;
}

#endif
