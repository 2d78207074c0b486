/* A graph in a context that counts its blocks, for each test anew: every test is one for leaks too. */
#ifndef TEST_GRAPHING_H
#define TEST_GRAPHING_H

#include "support/failing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

typedef struct bench {
  failing memory;
  bp_ctx *ctx;
  bp_graph *g;
} bench;

static inline int set_up(void **state)
{
  bench *b = calloc(1, sizeof *b);
  b->ctx = failing_ctx(&b->memory);
  b->g = bp_graph_new(b->ctx);
  *state = b;
  return b->g ? 0 : 1;
}

static inline int tear_down(void **state)
{
  bench *b = *state;
  bp_graph_free(b->g);
  bp_ctx_free(b->ctx);
  long live = b->memory.live;
  free(b);
  if (live)
    print_error("%ld blocks of memory are still alive\n", live);
  return live != 0;
}

static inline bp_node real_input(bp_graph *g, const char *name, int rank, int64_t a, int64_t b)
{
  int64_t dims[2] = {a, b};
  return bp_input(g, name, BP_REAL, rank, dims);
}

#define assert_status(want, s) assert_string_equal(bp_status_name(want), bp_status_name(s))

#endif
