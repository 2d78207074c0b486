/* Whole Jacobians and Hessians inside: sweeps compiled into plans, and where each entry is in what they give. */
#ifndef BPI_JACOBIAN_H
#define BPI_JACOBIAN_H

#include "autodiff/varying.h"
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
  /* Entries read off run r: value[to[k]] = base[k] + out[at[k]] for k from from[r] to from[r + 1] - 1. to NULL: entry k itself; base
   * NULL: zeros. */
  int64_t *from, *to;
  uint32_t *at;
  void *base;
} bpi_pass;

/* The plans that make entries: sweeps of both directions in one, or one of each direction. */
typedef struct bpi_half {
  bpi_pass passes[2];
  int n_passes;
} bpi_half;

typedef struct bpi_jacobian_input {
  char *name;
  size_t bytes;
} bpi_jacobian_input;

struct bp_jacobian {
  bp_ctx *ctx;
  bpi_arena arena;
  bp_jacobian_info info;
  bpi_csr p;
  bpi_half half;
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
  bpi_share_of share; /* of its derivatives */
  bpi_varying varying;
} bpi_function;

/* Compiles the sweeps of a colouring of n entries into `half`. entry: which entries of the Jacobian they are; NULL: all. The graph gets
 * nodes that the caller takes away again. */
bp_status bpi_jacobian_compile(bp_jacobian *j, bpi_half *half, const bpi_function *f, const bpi_colouring *c,
                               int64_t n, int64_t *entry);
/* Those for single vectors. */
bp_status bpi_jacobian_compile_products(bp_jacobian *j, const bpi_function *f);
/* All sweeps of a half, and what is read off them, into j->room. */
bp_status bpi_half_run(bp_jacobian *j, const bpi_half *half);
void bpi_half_free(bpi_half *half);
void bpi_pass_free(bpi_pass *pass);

#endif
