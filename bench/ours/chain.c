/* A chain of eight cheap elementwise operations over n numbers: forward, and with the gradient of its sum (gradient=1).
 * The formula is that of bench/peers/handwritten.c, torch_peer.py and jax_peer.py. */
#include "ours.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct chain {
  planned p;
  float *x;
  int64_t n;
  bool gradient;
} chain;

static bp_node number(bp_node x, double a)
{
  return bp_constant(x.graph, a);
}

static bp_node formula(bp_node x)
{
  bp_node t = bp_add(bp_mul(x, number(x, 1.5)), number(x, 0.25)); /* 1, 2 */
  t = bp_mul(bp_relu(t), x);                                      /* 3, 4 */
  t = bp_square(bp_sub(t, number(x, 0.5)));                       /* 5, 6 */
  return bp_add(bp_mul(t, number(x, 0.125)), x);                  /* 7, 8 */
}

static void close_chain(void *work)
{
  chain *c = work;
  planned_close(&c->p);
  free(c->x);
  free(c);
}

static bp_status compile(chain *c)
{
  bp_graph *g = bp_graph_new(c->p.ctx);
  bp_node x = bp_input(g, "x", BP_REAL, 1, &c->n), out[2];
  out[0] = formula(x);
  size_t n = 1;
  if (c->gradient) {
    out[0] = bp_sum(out[0], NULL, 0, false);
    bp_grad(out[0], &x, 1, &out[n++]);
  }
  bp_plan_options o = {.real = BP_FLOAT32, .outputs = out, .n_outputs = n};
  bp_status s = bp_plan_new(g, &o, &c->p.plan);
  bp_graph_free(g);
  if (s == BP_OK)
    s = bp_run_new(c->p.plan, NULL, &c->p.run);
  return s == BP_OK ? bp_run_bind(c->p.run, "x", c->x, (size_t)c->n * sizeof *c->x) : s;
}

static void *open_chain(const request *r, const char **why)
{
  chain *c = zeros(1, sizeof *c);
  c->n = request_count(r, "n", 4096);
  c->gradient = request_count(r, "gradient", 0);
  c->x = read_raw(request_text(r, "file", ""), (size_t)c->n, sizeof *c->x);
  c->p.ctx = context_of(r);
  *why = "its data cannot be read";
  if (c->x && compile(c) == BP_OK)
    return c;
  if (c->x)
    *why = because();
  close_chain(c);
  return NULL;
}

static double run_chain(void *work, long times)
{
  chain *c = work;
  return run_planned(&c->p, times);
}

/* The result, or the gradient. */
static bool check_chain(void *work, const char *path, char *said, size_t room)
{
  chain *c = work;
  const void *out;
  (void)said;
  (void)room;
  return bp_run_step(c->p.run) == BP_OK && bp_run_output(c->p.run, c->gradient, &out, NULL) == BP_OK &&
         write_raw(path, out, (size_t)c->n, sizeof *c->x);
}

const work_kind chain_kind = {"chain", open_chain, run_chain, check_chain, close_chain};
