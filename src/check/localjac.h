/* A local Jacobian with its numbers. */
#ifndef BPI_LOCALJAC_H
#define BPI_LOCALJAC_H

#include "base/arena.h"

struct bp_local {
  bp_ctx *ctx;
  bpi_arena arena;
  bp_local_info info;
  const int64_t *row_start; /* of a sparse one */
  const int32_t *col;
  bp_plan *plan; /* NULL where nothing is to be computed */
  bp_run *run;
  const double *values;
  const int64_t *index;
  bool has_values, has_index, done;
  const char **inputs; /* names of all inputs of the graph */
  size_t n_inputs;
};

#endif
