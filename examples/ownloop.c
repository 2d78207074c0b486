/* A training loop of one's own: own loss, own schedule, one plan a step. Learns y = sin(x) from 64 points, eight of which are far off: a loss
 * that is linear far out, sqrt(1 + e^2) - 1, cares little about those. */
#include <bprop.h>
#include <math.h>
#include <stdio.h>

enum { ROWS = 64, STEPS = 2000 };

static bp_node network(bp_params *p, bp_graph *g)
{
  bp_node x = bp_input(g, "x", BP_REAL, 2, (int64_t[]){ROWS, 1});
  return bp_dense(p, bp_tanh(bp_dense(p, x, "hidden", 32, (bp_init){0})), "out", 1, (bp_init){0});
}

static bp_status train(bp_ctx *ctx, const float *x, const float *y, double *loss)
{
  bp_params *p = bp_params_new(ctx);
  bp_state *state = bp_state_new(ctx, BP_FLOAT32);
  bp_graph *first = bp_graph_new(ctx), *g = bp_graph_new(ctx);
  bp_plan *plan = NULL;
  bp_run *run = NULL;
  void *rate = NULL;
  network(p, first); /* the parameters are met, then made */
  bp_status s = bp_params_make(p, state, 1);
  bp_node e = bp_sub(network(p, g), bp_input(g, "y", BP_REAL, 2, (int64_t[]){ROWS, 1}));
  bp_node far = bp_sqrt(bp_add(bp_square(e), bp_constant(g, 1)));
  bp_node mean = bp_mean(bp_sub(far, bp_constant(g, 1)), NULL, 0, false);
  bp_update updates[BP_OPTIMIZER_UPDATES];
  bp_plan_options o = {.real = BP_FLOAT32, .outputs = &mean, .n_outputs = 1, .updates = updates};
  s = s ? s : bp_optimizer_step(p, state, &(bp_optimizer){0}, mean, updates, &o.n_updates, NULL);
  s = s ? s : bp_plan_new(g, &o, &plan); /* forward, loss, gradients and AdamW */
  s = s ? s : bp_run_new(plan, state, &run);
  s = s ? s : bp_run_bind(run, "x", x, ROWS * sizeof *x);
  s = s ? s : bp_run_bind(run, "y", y, ROWS * sizeof *y);
  s = s ? s : bp_state_array(state, bp_state_find(state, "optimizer.lr"), NULL, NULL, &rate);
  for (int step = 0; !s && step < STEPS; step++) {
    *(float *)rate = 0.01f * (1 - (float)step / STEPS); /* down to 0 in a straight line */
    s = bp_run_step(run);
  }
  s = s ? s : bp_run_get(run, 0, loss, 1);
  bp_run_free(run), bp_plan_free(plan), bp_graph_free(first), bp_graph_free(g);
  bp_params_free(p), bp_state_free(state);
  return s;
}

int main(void)
{
  bp_ctx *ctx = bp_ctx_new(NULL);
  float x[ROWS], y[ROWS];
  double loss = 0, off = 0;
  for (int i = 0; i < ROWS; i++) {
    int from_middle = i - ROWS / 2;
    x[i] = (float)from_middle / 10;
    y[i] = sinf(x[i]) + (i % 8 == 4 ? 10.f : 0.f);
    off += i % 8 == 4 ? (sqrt(101) - 1) / ROWS : 0; /* the loss of sin(x) itself */
  }
  if (train(ctx, x, y, &loss))
    printf("%s\n", bp_error());
  else
    printf("loss %.1f, of sin(x) itself %.1f\n", loss, off);
  bp_ctx_free(ctx);
  return 0;
}
