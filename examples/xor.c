/* XOR by a network 2-8-1 with a training loop of one's own: parameters, optimiser, plan, run.
 *   xor                     trains one network and prints its four answers
 *   xor DATA seeds          counts the successes of 100 seeds for each of two activations */
#include <bprop.h>
#include <stdio.h>
#include <string.h>

static const double inputs[4][2] = {{0, 0}, {0, 1}, {1, 0}, {1, 1}};
static const double targets[4] = {0, 1, 1, 0};

typedef struct answer {
  double p[4], loss;
  bool right; /* all four on the right side, and the loss under 0.01 */
} answer;

static bp_node network(bp_params *p, bp_graph *g, const char *activation)
{
  bp_node x = bp_input(g, "x", BP_REAL, 2, (int64_t[]){4, 2});
  bp_node h = bp_activation(bp_dense(p, x, "hidden", 8, (bp_init){0}), activation);
  return bp_reshape(bp_dense(p, h, "out", 1, (bp_init){0}), (int64_t[]){4}, 1);
}

/* Forward, loss, gradients and Adam as one plan. Its outputs: the loss and the four answers before the step. */
static bp_status compile(bp_params *p, bp_state *state, bp_graph *g, const char *activation, bp_plan **plan)
{
  bp_node logits = network(p, g, activation), t = bp_input(g, "t", BP_REAL, 1, (int64_t[]){4});
  bp_node loss = bp_mean(bp_binary_cross_entropy_logits(logits, t), NULL, 0, false);
  bp_update updates[BP_OPTIMIZER_UPDATES];
  bp_plan_options o = {.real = BP_FLOAT64,
                       .outputs = (bp_node[]){loss, bp_sigmoid(logits)},
                       .n_outputs = 2,
                       .updates = updates};
  bp_optimizer adam = {.kind = BP_OPTIMIZER_ADAM, .lr = 0.01};
  bp_status s = bp_optimizer_step(p, state, &adam, loss, updates, &o.n_updates, NULL);
  return s == BP_OK ? bp_plan_new(g, &o, plan) : s;
}

static bp_status loop(bp_run *run, answer *a)
{
  *a = (answer){.loss = 1};
  bp_status s = bp_run_bind(run, "x", inputs, sizeof inputs);
  if (s == BP_OK)
    s = bp_run_bind(run, "t", targets, sizeof targets);
  for (int step = 0; s == BP_OK && step < 5000 && a->loss >= 0.01; step++)
    if ((s = bp_run_step(run)) == BP_OK)
      s = bp_run_get(run, 0, &a->loss, 1);
  if (s == BP_OK)
    s = bp_run_get(run, 1, a->p, 4);
  a->right = a->loss < 0.01;
  for (int i = 0; i < 4; i++)
    a->right = a->right && (a->p[i] > 0.5) == (targets[i] > 0.5);
  return s;
}

static bp_status train(bp_ctx *ctx, const char *activation, uint64_t seed, answer *a)
{
  bp_params *p = bp_params_new(ctx);
  bp_state *state = bp_state_new(ctx, BP_FLOAT64);
  bp_graph *first = bp_graph_new(ctx), *second = bp_graph_new(ctx);
  bp_plan *plan = NULL;
  bp_run *run = NULL;
  network(p, first, activation); /* meets the parameters */
  bp_status s = bp_params_make(p, state, seed);
  if (s == BP_OK)
    s = compile(p, state, second, activation, &plan);
  if (s == BP_OK)
    s = bp_run_new(plan, state, &run);
  if (s == BP_OK)
    s = loop(run, a);
  bp_run_free(run);
  bp_plan_free(plan);
  bp_graph_free(first);
  bp_graph_free(second);
  bp_params_free(p);
  bp_state_free(state);
  return s;
}

static bp_status count(bp_ctx *ctx, const char *activation)
{
  int right = 0;
  for (uint64_t seed = 1; seed <= 100; seed++) {
    answer a;
    bp_status s = train(ctx, activation, seed, &a);
    if (s != BP_OK)
      return s;
    right += a.right;
  }
  printf("%s: %d of 100\n", activation, right);
  return BP_OK;
}

static bp_status show(bp_ctx *ctx, const char *activation)
{
  answer a;
  bp_status s = train(ctx, activation, 1, &a);
  for (int i = 0; s == BP_OK && i < 4; i++)
    printf("%g xor %g = %.1f\n", inputs[i][0], inputs[i][1], a.p[i]);
  if (s == BP_OK)
    printf("loss %.2f\n", a.loss);
  return s;
}

int main(int argc, char **argv)
{
  bp_ctx *ctx = bp_ctx_new(NULL);
  bool seeds = argc > 2 && strcmp(argv[2], "seeds") == 0;
  bp_status s = seeds ? count(ctx, "tanh") : show(ctx, "tanh");
  if (s == BP_OK && seeds)
    s = count(ctx, "relu");
  if (s != BP_OK)
    fprintf(stderr, "%s\n", bp_error());
  bp_ctx_free(ctx);
  return s != BP_OK;
}
