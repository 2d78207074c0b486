/* What this machine can do, and how much of it training gets: the step of two networks, with one thread and with all, beside the time that
 * its multiply-adds take at the peak. */
#include "bench_training.h"
#include "context.h"
#include "stopwatch.h"

#include <stdlib.h>

enum { MOST_LAYERS = 4, STEPS = 61, SETTLING = 5 };

typedef struct network {
  const char *name;
  int64_t width[MOST_LAYERS + 1], batch; /* width: ends with 0 */
  bp_optimizer_kind optimizer;
} network;

static const network networks[] = {
    {"784-128-10, batch 64, sgd", {784, 128, 10}, 64, BP_OPTIMIZER_SGD},
    {"784-512-512-10, batch 128, adam", {784, 512, 512, 10}, 128, BP_OPTIMIZER_ADAM},
};

/* ---- limits ---- */

static void tell_limits(const bp_limits *l)
{
  answer("%7d %16.1f %16.1f  ", l->threads, 1e-9 * l->flops32, 1e-9 * l->flops64);
  for (int k = 0; k < BP_MEMORY_LEVELS; k++)
    answer(" %9.1f", 1e-9 * l->memory_rate[k]);
  answer("\n");
}

static void json_limits(const bp_limits *l)
{
  answer("{\"schema\":1,\"threads\":%d,\"float32_flops\":", l->threads);
  json_number(l->flops32);
  answer(",\"float64_flops\":");
  json_number(l->flops64);
  answer(",\"memory\":[");
  for (int k = 0; k < BP_MEMORY_LEVELS; k++) {
    answer("%s{\"bytes\":", k ? "," : "");
    json_number(l->memory_bytes[k]);
    answer(",\"bytes_per_second\":");
    json_number(l->memory_rate[k]);
    answer("}");
  }
  answer("]}\n");
}

static int machine(bp_ctx *ctx, const settings *s)
{
  if (!s->json)
    answer("threads  float32 GFLOP/s  float64 GFLOP/s   GB/s of arrays: of 24 kB   384 kB      6 MB     96 "
           "MB\n");
  for (int threads = 1;; threads = bp_ctx_threads(ctx)) {
    bp_limits l;
    bp_status st = bp_limits_measure(ctx, threads, &l);
    if (st != BP_OK)
      return fail_status(st, END_RESOURCES);
    (s->json ? json_limits : tell_limits)(&l);
    if (threads == bp_ctx_threads(ctx))
      return END_DONE;
  }
}

int bench_machine(const settings *s)
{
  if (s->n_inputs || s->wrt)
    return fail(END_USAGE, "bench machine takes no program");
  bp_ctx *ctx = context_new(s);
  return ctx ? context_free(ctx, s, machine(ctx, s)) : END_RESOURCES;
}

/* ---- a training step ---- */

typedef struct training {
  bp_ctx *ctx;
  const network *n;
  bp_state *state;
  bp_params *params;
  bp_graph *g;
  bp_plan *plan;
  bp_run *run;
  float *x;
  int64_t *labels;
} training;

static bp_node layers(training *t, bp_graph *g)
{
  const int64_t *width = t->n->width, dims[2] = {t->n->batch, width[0]};
  bp_node x = bp_input(g, "x", BP_REAL, 2, dims);
  for (int k = 1; width[k]; k++) {
    const char name[2] = {(char)('a' + k), 0};
    x = bp_dense(t->params, x, name, width[k], (bp_init){0});
    x = width[k + 1] ? bp_relu(x) : x;
  }
  return x;
}

static bp_status meet_params(training *t)
{
  bp_graph *g = bp_graph_new(t->ctx);
  if (!g)
    return BP_E_NOMEM;
  layers(t, g);
  bp_status st = bp_graph_status(g);
  bp_graph_free(g);
  return st == BP_OK ? bp_params_make(t->params, t->state, 1) : st;
}

static bp_status compile(training *t)
{
  bp_update updates[BP_OPTIMIZER_UPDATES];
  size_t n = 0;
  const bp_optimizer o = {.kind = t->n->optimizer};
  bp_node labels = bp_input(t->g, "labels", BP_INT64, 1, &t->n->batch);
  bp_node loss = bp_mean(bp_softmax_cross_entropy(layers(t, t->g), labels, 0), NULL, 0, false);
  bp_status st = bp_optimizer_step(t->params, t->state, &o, loss, updates, &n, NULL);
  if (st == BP_OK)
    st = bp_plan_new(
        t->g,
        &(bp_plan_options){
            .real = BP_FLOAT32, .outputs = &loss, .n_outputs = 1, .updates = updates, .n_updates = n},
        &t->plan);
  return st == BP_OK ? bp_run_new(t->plan, t->state, &t->run) : st;
}

static bp_status bind_data(training *t)
{
  size_t n = (size_t)(t->n->batch * t->n->width[0]), batch = (size_t)t->n->batch;
  t->x = malloc(n * sizeof *t->x);
  t->labels = malloc(batch * sizeof *t->labels);
  if (!t->x || !t->labels)
    return BP_E_NOMEM;
  for (size_t i = 0; i < n; i++)
    t->x[i] = (float)(i * 7919 % 2001) / 1000 - 1;
  for (size_t i = 0; i < batch; i++)
    t->labels[i] = (int64_t)(i * 31 % 10);
  bp_status st = bp_run_bind(t->run, "x", t->x, n * sizeof *t->x);
  return st == BP_OK ? bp_run_bind(t->run, "labels", t->labels, batch * sizeof *t->labels) : st;
}

static bp_status training_open(training *t)
{
  t->state = bp_state_new(t->ctx, BP_FLOAT32);
  t->params = bp_params_new(t->ctx);
  t->g = bp_graph_new(t->ctx);
  bp_status st = t->state && t->params && t->g ? meet_params(t) : BP_E_NOMEM;
  if (st == BP_OK)
    st = compile(t);
  return st == BP_OK ? bind_data(t) : st;
}

static void training_close(training *t)
{
  bp_run_free(t->run);
  bp_plan_free(t->plan);
  bp_graph_free(t->g);
  bp_params_free(t->params);
  bp_state_free(t->state);
  free(t->x);
  free(t->labels);
}

static bp_status median_step(training *t, double *seconds)
{
  double took[STEPS];
  bp_status st = BP_OK;
  for (int k = -SETTLING; k < STEPS && st == BP_OK; k++) {
    double start = stopwatch_now();
    st = bp_run_step(t->run);
    took[k < 0 ? 0 : k] = stopwatch_now() - start;
  }
  *seconds = median_of(took, STEPS);
  return st;
}

/* Forward, gradient by the weights, and by the values of each layer but the first: products all. */
static double flops_of(const network *n)
{
  double flops = 0;
  for (int k = 0; n->width[k + 1]; k++)
    flops += 2.0 * (double)n->batch * (double)n->width[k] * (double)n->width[k + 1] * (k ? 3 : 2);
  return flops;
}

static void tell_step(const settings *s, const network *n, const bp_limits *l, double seconds)
{
  char text[32], rate[32];
  double share = flops_of(n) / l->flops32 / seconds;
  if (!s->json) {
    answer("%-34s %7d %10s %12s %10.1f %9.0f %%\n", n->name, l->threads, duration_text(seconds, text),
           with_commas((int64_t)((double)n->batch / seconds), rate), 1e-9 * flops_of(n) / seconds,
           100 * share);
    return;
  }
  answer("{\"schema\":1,\"network\":");
  json_text(n->name);
  answer(",\"threads\":%d,\"step_seconds\":", l->threads);
  json_number(seconds);
  answer(",\"samples_per_second\":");
  json_number((double)n->batch / seconds);
  answer(",\"share_of_limit\":");
  json_number(share);
  answer("}\n");
}

static int train_one(bp_ctx *ctx, const settings *s, const network *n, const bp_limits *l)
{
  training t = {.ctx = ctx, .n = n};
  double seconds = 0;
  bp_status st = training_open(&t);
  if (st == BP_OK)
    st = median_step(&t, &seconds);
  training_close(&t);
  if (st != BP_OK)
    return st == BP_E_NOMEM ? fail_memory() : fail_status(st, END_RESOURCES);
  tell_step(s, n, l, seconds);
  return END_DONE;
}

static int train_all(bp_ctx *ctx, const settings *s)
{
  bp_limits l;
  bp_status st = bp_limits_measure(ctx, bp_ctx_threads(ctx), &l);
  int end = st == BP_OK ? END_DONE : fail_status(st, END_RESOURCES);
  for (size_t i = 0; i < sizeof networks / sizeof *networks && !end; i++)
    end = train_one(ctx, s, &networks[i], &l);
  return end;
}

int bench_training(const settings *s)
{
  if (s->n_inputs || s->wrt)
    return fail(END_USAGE, "bench training takes no program; bench gradient does");
  if (!s->json)
    answer("%-34s %7s %10s %12s %10s %11s\n", "network", "threads", "step", "samples/s", "GFLOP/s",
           "of limit");
  settings one = *s;
  one.threads = 1;
  for (int all = s->threads == 1 || (!s->threads && bp_processors() == 1); all < 2; all++) {
    const settings *now = all ? s : &one;
    bp_ctx *ctx = context_new(now);
    if (!ctx)
      return END_RESOURCES;
    int end = context_free(ctx, now, train_all(ctx, now));
    if (end)
      return end;
  }
  return END_DONE;
}
