/* What compiling costs: programs of scalar operations on the way from graph to plan. Prints, for each number of nodes: nodes, seconds of the
 * median compilation, and instructions.
 *
 *   compilecost [NODES...]
 *   compilecost --code [NODES...]     on the way from plan to machine code: nodes, seconds until it is loaded, once each, and of writing the C */
#include "bprop.h"
#include "house/house.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* bp_run_new waits for the system's compiler, as the context says. A plan that stays interpreted is told so. */
static bool measure_code(bp_ctx *ctx, size_t nodes)
{
  bp_graph *g = bp_graph_new(ctx);
  bp_node out = program(g, nodes);
  bp_plan *plan = NULL;
  bp_run *run = NULL;
  char *text = NULL;
  bool good =
      bp_plan_new(g, &(bp_plan_options){.real = BP_FLOAT64, .outputs = &out, .n_outputs = 1}, &plan) == BP_OK;
  double start = now(), written = 0, loaded = 0;
  good = good && bp_plan_c(plan, &text) == BP_OK;
  written = now() - start;
  start = now();
  good = good && bp_run_new(plan, NULL, &run) == BP_OK;
  loaded = now() - start;
  if (good)
    printf("%u %.6g %.6g%s\n", bp_graph_mark(g), loaded, written,
           bp_plan_jit(plan) == BP_JIT_READY ? "" : " interpreted");
  else
    fprintf(stderr, "compilecost: %s\n", bp_error());
  bp_free(ctx, text);
  bp_run_free(run);
  bp_plan_free(plan);
  bp_graph_free(g);
  return good;
}

int main(int argc, char **argv)
{
  static const char *const usual[] = {"1000", "10000", "100000"};
  const bool code = argc > 1 && strcmp(argv[1], "--code") == 0;
  const char *const *words = argc > 1 + code ? (const char *const *)argv + 1 + code : usual;
  const int n = argc > 1 + code ? argc - 1 - code : 3;
  bp_ctx *ctx = bp_ctx_new(&(bp_ctx_options){.jit = code ? BP_JIT_WAIT : BP_JIT_OFF, .jit_cache = ""});
  bool good = true;
  for (int i = 0; i < n && good; i++)
    good = (code ? measure_code : measure)(ctx, strtoull(words[i], NULL, 10));
  bp_ctx_free(ctx);
  return good ? 0 : 1;
}
