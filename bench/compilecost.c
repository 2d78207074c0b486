/* What compiling costs: programs of scalar operations on the way from graph to plan. Prints, for each number of nodes: nodes, seconds of the
 * median compilation, and instructions. Usage: compilecost [NODES...] */
#include "bprop.h"
#include "house/house.h"

#include <stdio.h>
#include <stdlib.h>

enum { INPUTS = 16, ROUNDS = 15 };

static uint64_t dice = 88172645463325252u;

static size_t below(size_t sides)
{
  dice ^= dice << 13;
  dice ^= dice >> 7;
  dice ^= dice << 17;
  return (size_t)((dice >> 11) % sides);
}

/* Each node takes the one before it, so that all are needed, and another of the last hundred. */
static bp_node program(bp_graph *g, size_t nodes)
{
  bp_node *at = zeros(nodes + INPUTS, sizeof *at);
  for (int i = 0; i < INPUTS; i++) {
    char name[16];
    snprintf(name, sizeof name, "x%d", i);
    at[i] = bp_input(g, name, BP_REAL, 0, NULL);
  }
  for (size_t i = INPUTS; i < nodes + INPUTS; i++) {
    bp_node a = at[i - 1], b = at[i - 1 - below(i < 100 ? i : 100)];
    size_t kind = below(4);
    at[i] = kind == 0 ? bp_add(a, b) : kind == 1 ? bp_sub(a, b) : kind == 2 ? bp_mul(a, b) : bp_tanh(a);
  }
  bp_node last = at[nodes + INPUTS - 1];
  free(at);
  return last;
}

static int by_size(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

static bool measure(bp_ctx *ctx, size_t nodes)
{
  bp_graph *g = bp_graph_new(ctx);
  bp_node out = program(g, nodes);
  bp_plan_options o = {.real = BP_FLOAT64, .outputs = &out, .n_outputs = 1};
  double took[ROUNDS];
  size_t instructions = 0;
  bool good = bp_graph_status(g) == BP_OK;
  for (int k = 0; k < ROUNDS && good; k++) {
    bp_plan *plan;
    double start = now();
    good = bp_plan_new(g, &o, &plan) == BP_OK;
    took[k] = now() - start;
    if (good)
      bp_plan_size(plan, &instructions, NULL);
    bp_plan_free(plan);
  }
  if (good) {
    qsort(took, ROUNDS, sizeof *took, by_size);
    printf("%u %.6g %zu\n", bp_graph_mark(g), took[ROUNDS / 2], instructions);
  } else {
    fprintf(stderr, "compilecost: %s\n", bp_error());
  }
  bp_graph_free(g);
  return good;
}

int main(int argc, char **argv)
{
  static const char *usual[] = {"", "1000", "10000", "100000"};
  bp_ctx *ctx = bp_ctx_new(NULL);
  bool good = true;
  const char *const *words = argc > 1 ? (const char *const *)argv : usual;
  for (int i = 1; i < (argc > 1 ? argc : 4) && good; i++)
    good = measure(ctx, strtoull(words[i], NULL, 10));
  bp_ctx_free(ctx);
  return good ? 0 : 1;
}
