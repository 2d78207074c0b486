/* Plans over batches, and what feeds them. */
#include "train/lane.h"
#include "run/run.h"

#include <string.h>

typedef enum shape { INPUTS, OUTPUTS, ROWS, COLUMN, PAIR, ONE } shape;

static const struct {
  const char *name;
  bp_dtype dtype;
  shape shape;
} feeds[BPI_FEEDS] = {
#define FEED(name, text, dtype, shape) {text, dtype, shape},
    BPI_FEED_LIST(FEED)
#undef FEED
};

bp_node bpi_feed_node(bp_graph *g, bpi_feed f, const bp_net *net, int64_t batch)
{
  static const int rank[] = {[INPUTS] = 2, [OUTPUTS] = 2, [ROWS] = 1, [COLUMN] = 2, [PAIR] = 1, [ONE] = 0};
  shape s = feeds[f].shape;
  int64_t dims[2] = {s == PAIR ? 2 : batch, s == INPUTS ? net->inputs : s == OUTPUTS ? net->outputs : 1};
  return bp_input(g, feeds[f].name, feeds[f].dtype, rank[s], dims);
}

/* A plan has the inputs that its outputs depend on: without random nodes it has no key. */
static void find_feeds(bpi_lane *l)
{
  for (int f = 0; f < BPI_FEEDS; f++) {
    l->input[f] = -1;
    for (size_t i = 0; i < l->plan->n_inputs; i++)
      if (strcmp(l->plan->inputs[i].name, feeds[f].name) == 0)
        l->input[f] = (int)i;
  }
}

bp_status bpi_lane_open(bpi_lane *l, const bp_net *net, bp_graph *g, const bp_plan_options *o, int64_t batch,
                        bp_program *program)
{
  *l = (bpi_lane){.batch = batch, .program = program, .graph = g};
  bp_status s = bp_plan_new(g, o, &l->plan);
  if (s == BP_OK)
    s = bp_run_new(l->plan, net->state, &l->run);
  if (s == BP_OK && program)
    s = bp_program_bind(program, l->run);
  if (s == BP_OK)
    find_feeds(l);
  if (!program) {
    bp_graph_free(g);
    l->graph = NULL;
  }
  return s;
}

bp_status bpi_lane_bind(bpi_lane *l, bpi_feed f, const void *data)
{
  int i = l->input[f];
  return i < 0 ? BP_OK : bp_run_bind_at(l->run, (size_t)i, data, l->plan->inputs[i].bytes);
}

void bpi_lane_close(bpi_lane *l)
{
  bp_run_free(l->run);
  bp_plan_free(l->plan);
  bp_program_free(l->program);
  bp_graph_free(l->graph);
  *l = (bpi_lane){0};
}
