/* A context and a graph for one test. */
#ifndef TEST_WORLD_H
#define TEST_WORLD_H

#include "bprop.h"

typedef struct world {
  bp_ctx *ctx;
  bp_graph *g;
} world;

static inline int open_world(void **state)
{
  static world w;
  w.ctx = bp_ctx_new(NULL);
  w.g = bp_graph_new(w.ctx);
  *state = &w;
  return w.g ? 0 : -1;
}

static inline int close_world(void **state)
{
  world *w = *state;
  bp_graph_free(w->g);
  bp_ctx_free(w->ctx);
  return 0;
}

#endif
