/* Random graphs for the law of composition: sources of every kind, rows of the whole table through their examples, views of
 * views, loops, outputs, updates and guards. The same seed gives the same graph. */
#ifndef TEST_RANDOM_GRAPH_H
#define TEST_RANDOM_GRAPH_H

#include "base/arena.h"

enum { RG_MOST = 160, RG_SOURCES = 96, RG_ENTRIES = 12 };

typedef struct rg_input {
  char name[16];
  void *data;
  size_t bytes;
} rg_input;

typedef struct rgraph {
  bp_ctx *ctx;
  bp_graph *g;
  bp_state *state;
  bp_dtype real;
  bpi_arena room;
  uint64_t seed, drawn;
  bp_node pool[RG_MOST];
  int n_pool;
  rg_input inputs[RG_SOURCES];
  int n_inputs;
  int n_entries;
  void *start[RG_ENTRIES]; /* the entries' first values */
  bp_node outputs[24];
  bp_update updates[RG_ENTRIES];
  bp_node guards[2];
  size_t n_outputs, n_updates, n_guards;
  int rows_used;
} rgraph;

/* False when the context is out of memory or the graph could not be made: never with a healthy library. */
bool rg_open(rgraph *r, bp_ctx *ctx, uint64_t seed);
void rg_close(rgraph *r);
/* A number in [0, n). */
int64_t rg_below(rgraph *r, int64_t n);
/* What the graph computes: its outputs, updates and guards, with its type. */
bp_plan_options rg_plan_options(rgraph *r);
/* Gives every entry of the state its first value again. */
void rg_reset_state(rgraph *r);
/* Binds all inputs that the plan has. */
bp_status rg_bind(rgraph *r, bp_run *run);

#endif
