/* Whole Jacobians and Hessians inside: sweeps compiled into plans, and where each entry is in what they give. */
#ifndef BPI_JACOBIAN_H
#define BPI_JACOBIAN_H

#include "check/colour.h"

/* A plan that makes `at_once` sweeps in one run, and what is read off the results. Seeds are constants in the plan where there are few
 * sweeps; else an input, and the plan runs several times with other seeds. */
typedef struct bpi_pass {
  bp_plan *plan;
  bp_run *run;
  int64_t at_once, runs;
  /* Seeds as input: at_once vectors, all 0 between runs. Sweep s of the pass is seeded at member[first[s]] to
   * member[first[s + 1] - 1]. */
  const char *name;
  void *seeds;
  int64_t seed_length, sweeps;
  int64_t *first, *member;
  /* Entries read off run r: value[to[k]] = out[at[k]] for k from from[r] to from[r + 1] - 1. to NULL: entry k itself. */
  int64_t *from, *to;
  uint32_t *at;
} bpi_pass;

typedef struct bpi_jacobian_input {
  char *name;
  size_t bytes;
} bpi_jacobian_input;

struct bp_jacobian {
  bp_ctx *ctx;
  bpi_arena arena;
  bp_jacobian_info info;
  bpi_csr p;
  bpi_pass passes[2]; /* sweeps of both directions in one, or one of each direction */
  int n_passes;
  bpi_pass product[2]; /* J v and u J; plans are NULL where not wanted */
  bpi_jacobian_input *inputs;
  size_t n_inputs;
  void *room;        /* for values; NULL where they are read where the plan leaves them */
  const void *value; /* of the last run */
  bool ran;
};

/* What is differentiated by what. */
typedef struct bpi_function {
  bp_graph *g;
  const bp_node *y, *x;
  size_t n_y, n_x;
  bp_state *state;
} bpi_function;

/* Compiles the sweeps of a colouring into j->passes, and with `products` those for single vectors. The graph gets nodes that the caller
 * takes away again. */
bp_status bpi_jacobian_compile(bp_jacobian *j, const bpi_function *f, const bpi_colouring *c, bool products);
void bpi_pass_free(bpi_pass *pass);

#endif
