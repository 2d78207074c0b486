/* Shares of classes in a part. */
#ifndef BPI_STRATA_H
#define BPI_STRATA_H

#include "base/ctx.h"

typedef struct bpi_stratum {
  int64_t id;   /* that tells it from the others */
  int64_t n;    /* its rows */
  int64_t take; /* those for the part */
  double rest;  /* what rounding down took away */
} bpi_stratum;

/* Sets `take` of strata that lie in the order of their ids, so that the part has `first` rows, about `fraction` of all: in proportion, by largest
 * remainders; and each class of two rows or more on both sides, as long as others can spare a row. */
void bpi_strata_share(bpi_stratum *strata, size_t count, double fraction, int64_t first);

#endif
