/* Why backpropagation: what all derivatives of a number cost by one backward pass, and by differentiating each parameter apart, with forward
 * differences (a run more for each) or forward mode (a pass for each). */
#include "bench_gradient.h"
#include "context.h"
#include "expression.h"
#include "stopwatch.h"
#include "wrt.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* FORWARD: f. BACKWARD: f and its gradient. TANGENT: f's derivative along a direction. */
enum { FORWARD, BACKWARD, TANGENT, PLANS };

/* What is timed: a pass, or what one parameter's derivative takes. */
enum { PASS, GRADIENT, DIFFERENCE, JVP, WAYS };

enum { REPETITIONS = 7 };
static const double block_seconds = 0.006, whole_seconds = 0.03;

typedef struct contest {
  const settings *s;
  expression e;
  wrt_list by;
  bp_node f;
  const char *name;
  bp_dtype real;
  int64_t n;      /* parameters: all elements of what is differentiated by */
  int64_t *first; /* of each of its nodes */
  char *x, *v;    /* their values, and a direction, as the plans store them */
  double *grad;   /* of f, by all */
  bp_plan *plan[PLANS];
  bp_run *run[PLANS];
} contest;

/* Seconds. each[w]: of one run of the way; all[w]: of the whole gradient by it. sampled: not every parameter was run in each repetition. */
typedef struct outcome {
  int64_t n;
  double each[WAYS], all[WAYS];
  bool sampled[WAYS];
} outcome;

/* ---- the function ---- */

static int first_real_output(contest *c)
{
  size_t n = bp_program_outputs(c->e.program);
  for (size_t i = 0; i < n; i++) {
    bp_variable v;
    bp_status st = bp_program_output(c->e.program, i, &v);
    if (st != BP_OK)
      return expression_fail(&c->e, st);
    if (v.type.dtype != BP_REAL)
      continue;
    c->name = v.name;
    c->f = v.type.rank ? bp_sum(v.node, NULL, 0, false) : v.node;
    if (n > 1)
      say("of %d outputs, the first real one is taken: %s", (int)n, v.name);
    if (v.type.rank)
      say("%s is an array: its sum is differentiated", v.name);
    return END_DONE;
  }
  return fail(END_USAGE, "no output is real: there is no gradient");
}

static size_t element(const contest *c)
{
  return bp_dtype_size(c->real);
}

static void put(const contest *c, char *array, int64_t i, double value)
{
  if (c->real == BP_FLOAT64)
    ((double *)(void *)array)[i] = value;
  else
    ((float *)(void *)array)[i] = (float)value;
}

static double get(const contest *c, const char *array, int64_t i)
{
  return c->real == BP_FLOAT64 ? ((const double *)(const void *)array)[i]
                               : ((const float *)(const void *)array)[i];
}

/* The parameters' values, one after another. */
static int take_values(contest *c)
{
  c->first = calloc(c->by.n + 1, sizeof *c->first);
  if (!c->first)
    return fail_memory();
  for (size_t i = 0; i < c->by.n; i++)
    c->first[i + 1] = c->first[i] + bp_node_size(c->by.nodes[i]);
  c->n = c->first[c->by.n];
  c->x = calloc((size_t)c->n + 1, element(c));
  c->v = calloc((size_t)c->n + 1, element(c));
  c->grad = calloc((size_t)c->n + 1, sizeof *c->grad);
  if (!c->x || !c->v || !c->grad)
    return fail_memory();
  for (size_t i = 0; i < c->by.n; i++) {
    bp_variable v;
    int end = wrt_input(&c->by, i, &c->e, &v);
    if (end)
      return end;
    for (int64_t k = c->first[i]; k < c->first[i + 1]; k++)
      put(c, c->x, k, ((const double *)v.data)[k - c->first[i]]);
  }
  return c->n ? END_DONE : fail(END_USAGE, "there is nothing to differentiate by: every input is empty");
}

/* ---- plans ---- */

static bp_status compile(contest *c, int which, const bp_node *outputs, size_t n, const char *const *names,
                         char *data)
{
  bp_plan_options o = {.real = c->real, .outputs = outputs, .n_outputs = n};
  bp_status st = bp_plan_new(c->e.graph, &o, &c->plan[which]);
  if (st == BP_OK)
    st = bp_run_new(c->plan[which], NULL, &c->run[which]);
  if (st == BP_OK)
    st = bp_program_bind(c->e.program, c->run[which]);
  for (int own = 0; own < 2; own++)
    for (size_t i = 0; st == BP_OK && i < c->by.n && (own || names); i++) {
      const char *name = own ? c->by.names[i] : names[i];
      st = bp_run_bind(c->run[which], name, (own ? c->x : data) + (size_t)c->first[i] * element(c),
                       (size_t)(c->first[i + 1] - c->first[i]) * element(c));
      st = st == BP_E_NOTFOUND ? BP_OK : st;
    }
  return st;
}

static bp_status compile_backward(contest *c)
{
  bp_node *y = calloc(c->by.n + 1, sizeof *y);
  if (!y)
    return BP_E_NOMEM;
  y[0] = c->f;
  bp_status st = bp_grad(c->f, c->by.nodes, c->by.n, y + 1);
  if (st == BP_OK)
    st = compile(c, BACKWARD, y, c->by.n + 1, NULL, NULL);
  free(y);
  return st;
}

/* The tangents are inputs of their own, named after the parameters. */
static bp_status compile_tangent(contest *c)
{
  enum { NAME = 160 };
  bp_node *t = calloc(c->by.n + 1, sizeof *t), out;
  char *room = calloc(c->by.n + 1, NAME);
  const char **names = calloc(c->by.n + 1, sizeof *names);
  bp_status st = t && room && names ? BP_OK : BP_E_NOMEM;
  for (size_t i = 0; st == BP_OK && i < c->by.n; i++) {
    bp_type type;
    bp_node_type(c->by.nodes[i], &type);
    snprintf(room + i * NAME, NAME, "tangent of %.128s", c->by.names[i]);
    names[i] = room + i * NAME;
    t[i] = bp_input(c->e.graph, names[i], BP_REAL, type.rank, type.dims);
    st = bp_failed(t[i]) ? bp_graph_status(c->e.graph) : BP_OK;
  }
  if (st == BP_OK)
    st = bp_jvp(&c->f, 1, c->by.nodes, t, c->by.n, &out);
  if (st == BP_OK)
    st = compile(c, TANGENT, &out, 1, names, c->v);
  free(names);
  free(room);
  free(t);
  return st;
}

/* ---- the ways ---- */

/* Sets *out to the derivative by parameter i; of a whole pass to f. */
typedef bool (*way)(contest *c, int64_t i, double *out);

static bool step(contest *c, int which, double *out)
{
  return bp_run_step(c->run[which]) == BP_OK && bp_run_get(c->run[which], 0, out, 1) == BP_OK;
}

static bool run_pass(contest *c, int64_t i, double *out)
{
  (void)i;
  return step(c, FORWARD, out);
}

static bool run_gradient(contest *c, int64_t i, double *out)
{
  (void)i;
  return step(c, BACKWARD, out);
}

/* A run with one parameter moved; what f is where none is moved has been found once for all. */
static bool run_difference(contest *c, int64_t i, double *out)
{
  double x = get(c, c->x, i), h = (c->real == BP_FLOAT64 ? 1e-8 : 3e-4) * fmax(1, fabs(x));
  put(c, c->x, i, x + h);
  bool good = step(c, FORWARD, out);
  put(c, c->x, i, x);
  return good;
}

static bool run_jvp(contest *c, int64_t i, double *out)
{
  put(c, c->v, i, 1);
  bool good = step(c, TANGENT, out);
  put(c, c->v, i, 0);
  return good;
}

static const way ways[WAYS] = {run_pass, run_gradient, run_difference, run_jvp};

static bool is_apart(int w)
{
  return w == DIFFERENCE || w == JVP;
}

/* ---- timing ---- */

/* A run cannot fail that has not failed before with the same shapes and indices, but for moved values that are used as indices. */
static double time_block(contest *c, int w, int64_t runs, int64_t stride, bool *good)
{
  double out, start = stopwatch_now();
  int64_t i = 0;
  for (int64_t k = 0; k < runs && *good; k++) {
    *good = ways[w](c, i, &out);
    i += stride;
    if (i >= c->n)
      i %= c->n;
  }
  return (stopwatch_now() - start) / (double)runs;
}

/* How many runs make a block long enough; of every parameter, where that is not too long. */
static int64_t runs_in_block(contest *c, int w, bool *sampled, bool *good)
{
  time_block(c, w, 2, 1, good);
  double once = fmax(time_block(c, w, 3, 1, good), 1e-9);
  int64_t runs = (int64_t)fmin(fmax(1, block_seconds / once), 1e7);
  *sampled = is_apart(w) && runs < c->n && (double)c->n * once > whole_seconds;
  if (is_apart(w) && !*sampled)
    runs = (runs / c->n + 1) * c->n;
  return *sampled && runs < 8 ? 8 : runs;
}

/* The ways take turns, so that what disturbs the machine disturbs all of them. */
static int race(contest *c, outcome *o)
{
  double times[WAYS][REPETITIONS];
  int64_t runs[WAYS];
  bool good = true;
  o->n = c->n;
  for (int w = 0; w < WAYS; w++)
    runs[w] = runs_in_block(c, w, &o->sampled[w], &good);
  for (int r = 0; r < REPETITIONS; r++)
    for (int w = 0; w < WAYS; w++) {
      int64_t stride = o->sampled[w] ? c->n / runs[w] : 1;
      times[w][r] = time_block(c, w, runs[w], stride < 1 ? 1 : stride, &good);
    }
  if (!good)
    return fail(END_DATA, "a run failed: %s", bp_error());
  for (int w = 0; w < WAYS; w++) {
    o->each[w] = median_of(times[w], REPETITIONS);
    o->all[w] = o->each[w] * (is_apart(w) ? (double)c->n : 1);
  }
  o->all[DIFFERENCE] += o->each[PASS];
  return END_DONE;
}

/* ---- is it the same gradient that is timed? ---- */

static int same_gradient(contest *c)
{
  enum { SAMPLE = 16 };
  double f, along, largest = 0;
  if (!run_gradient(c, 0, &f))
    return fail(END_DATA, "%s", bp_error());
  for (size_t i = 0; i < c->by.n; i++)
    if (bp_run_get(c->run[BACKWARD], i + 1, c->grad + c->first[i], (size_t)(c->first[i + 1] - c->first[i])) !=
        BP_OK)
      return fail(END_DATA, "%s", bp_error());
  for (int64_t i = 0; i < c->n; i++)
    largest = fmax(largest, fabs(c->grad[i]));
  for (int64_t k = 0; k < SAMPLE && k < c->n; k++) {
    int64_t i = c->n <= SAMPLE ? k : c->n / SAMPLE * k;
    if (!run_jvp(c, i, &along))
      return fail(END_DATA, "%s", bp_error());
    if (fabs(along - c->grad[i]) > (c->real == BP_FLOAT64 ? 1e-9 : 1e-3) * largest)
      return fail(
          END_CHECK,
          "the ways disagree: derivative number %lld is %.9g by the backward pass, %.9g by forward mode",
          (long long)i, c->grad[i], along);
  }
  return END_DONE;
}

/* ---- one contest ---- */

static void contest_close(contest *c)
{
  for (int i = 0; i < PLANS; i++) {
    bp_run_free(c->run[i]);
    bp_plan_free(c->plan[i]);
  }
  free(c->first);
  free(c->x);
  free(c->v);
  free(c->grad);
  wrt_close(&c->by);
  expression_close(&c->e);
}

static int contest_prepare(contest *c)
{
  int end = first_real_output(c);
  if (!end)
    end = wrt_open(&c->by, &c->e, c->s);
  if (!end)
    end = take_values(c);
  if (end)
    return end;
  bp_status st = compile(c, FORWARD, &c->f, 1, NULL, NULL);
  if (st == BP_OK)
    st = compile_backward(c);
  if (st == BP_OK)
    st = compile_tangent(c);
  return st == BP_OK ? same_gradient(c) : fail_status(st, END_DATA);
}

static int contest_run(bp_ctx *ctx, const settings *s, outcome *o)
{
  contest c = {.s = s, .real = expression_dtype(s)};
  int end = expression_open(&c.e, ctx, s);
  if (!end)
    end = expression_valued(&c.e);
  if (!end)
    end = contest_prepare(&c);
  if (!end)
    end = race(&c, o);
  contest_close(&c);
  return end;
}

/* ---- the answer ---- */

static double ratio(const outcome *o, int w)
{
  return o->all[w] / o->all[GRADIENT];
}

static void tell_head(void)
{
  answer("%12s %14s %14s   %22s   %22s\n", "parameters", "forward pass", "with backward",
         "forward differences", "one jvp each");
}

static void tell_way(const outcome *o, int w)
{
  char time[32], times[32];
  answer("  %c%10s %10s x", o->sampled[w] ? '~' : ' ', duration_text(o->all[w], time),
         ratio(o, w) < 10 ? (snprintf(times, sizeof times, "%.1f", ratio(o, w)), times)
                          : with_commas((int64_t)llround(ratio(o, w)), times));
}

static void tell_row(const outcome *o)
{
  char n[32], forward[32], backward[32];
  answer("%12s %14s %14s", with_commas(o->n, n), duration_text(o->all[PASS], forward),
         duration_text(o->all[GRADIENT], backward));
  tell_way(o, DIFFERENCE);
  tell_way(o, JVP);
  answer("\n");
}

static void json_way(const char *key, const outcome *o, int w)
{
  answer(",\"%s\":{\"seconds\":", key);
  json_number(o->all[w]);
  answer(",\"ratio\":");
  json_number(ratio(o, w));
  answer(",\"extrapolated\":%s}", o->sampled[w] ? "true" : "false");
}

static void tell_json(const outcome *o)
{
  answer("{\"schema\":1,\"parameters\":%lld,\"forward_seconds\":", (long long)o->n);
  json_number(o->all[PASS]);
  answer(",\"backward_seconds\":");
  json_number(o->all[GRADIENT]);
  json_way("differences", o, DIFFERENCE);
  json_way("jvp", o, JVP);
  answer("}\n");
}

/* Exponent p of ratio ~ parameters^p: least squares of the logarithms. */
static double growth(const outcome *o, size_t n, int w)
{
  double sx = 0, sy = 0, sxx = 0, sxy = 0;
  for (size_t i = 0; i < n; i++) {
    double x = log((double)o[i].n), y = log(ratio(&o[i], w));
    sx += x;
    sy += y;
    sxx += x * x;
    sxy += x * y;
  }
  return ((double)n * sxy - sx * sy) / ((double)n * sxx - sx * sx);
}

/* What f and gradient together cost, in forward passes: the least and the most. */
static void backward_range(const outcome *o, size_t n, double *least, double *most)
{
  *least = INFINITY;
  *most = 0;
  for (size_t i = 0; i < n; i++) {
    *least = fmin(*least, o[i].all[GRADIENT] / o[i].all[PASS]);
    *most = fmax(*most, o[i].all[GRADIENT] / o[i].all[PASS]);
  }
}

static void tell_sampled(const outcome *o, size_t n)
{
  bool any = false;
  for (size_t i = 0; i < n; i++)
    any = any || o[i].sampled[DIFFERENCE] || o[i].sampled[JVP];
  if (any)
    answer("~ a sample of the parameters was timed; the time for all is extrapolated from it\n");
}

/* ---- a network that grows ---- */

/* 16 inputs, two hidden layers of h, one number: h^2 + 19 h parameters. */
static const int widths[] = {1, 4, 16, 64, 256, 1024};
enum { SIZES = sizeof widths / sizeof *widths };

static int network_run(bp_ctx *ctx, const settings *s, int h, outcome *o)
{
  char text[512];
  const char *inputs[1] = {text};
  snprintf(text, sizeof text,
           "x = randn(16); W1 = 0.25*randn(%d, 16); b1 = zeros(%d); W2 = randn(%d, %d)/sqrt(%d.0); b2 = "
           "zeros(%d)\n"
           "w3 = randn(%d)/sqrt(%d.0)\nsum(w3 * tanh(W2 @ tanh(W1 @ x + b1) + b2))",
           h, h, h, h, h, h, h, h);
  settings one = *s;
  one.inputs = inputs;
  one.n_inputs = 1;
  one.wrt = "W1,b1,W2,b2,w3";
  return contest_run(ctx, &one, o);
}

static void tell_growth(const settings *s, const outcome *o)
{
  double least, most, by_differences = growth(o, SIZES, DIFFERENCE), by_jvp = growth(o, SIZES, JVP);
  backward_range(o, SIZES, &least, &most);
  if (s->json) {
    answer("{\"schema\":1,\"sizes\":%d,\"growth\":{\"differences\":", (int)SIZES);
    json_number(by_differences);
    answer(",\"jvp\":");
    json_number(by_jvp);
    answer("}}\n");
    return;
  }
  tell_sampled(o, SIZES);
  answer("x: as long as so many of the one backward pass that gives all derivatives. That grows like "
         "parameters^%.2f for\n"
         "differences and parameters^%.2f for jvps; the backward pass itself costs %.1f to %.1f forward "
         "passes\n",
         by_differences, by_jvp, least, most);
}

static int bench_network(bp_ctx *ctx, const settings *s)
{
  outcome o[SIZES];
  if (s->wrt)
    return fail(END_USAGE,
                "--wrt: is for a program of your own; the network is differentiated by all its parameters");
  if (!s->json) {
    say("network 16-h-h-1, tanh, one example; %d repetitions of each way, taking turns; medians",
        (int)REPETITIONS);
    tell_head();
  }
  for (int i = 0; i < SIZES; i++) {
    int end = network_run(ctx, s, widths[i], &o[i]);
    if (end)
      return end;
    if (s->json)
      tell_json(&o[i]);
    else
      tell_row(&o[i]);
    fflush(stdout);
  }
  tell_growth(s, o);
  return END_DONE;
}

static int bench_program(bp_ctx *ctx, const settings *s)
{
  outcome o;
  int end = contest_run(ctx, s, &o);
  if (end)
    return end;
  if (s->json) {
    tell_json(&o);
    return END_DONE;
  }
  char n[32];
  tell_head();
  tell_row(&o);
  tell_sampled(&o, 1);
  answer("one backward pass gives all %s derivatives, at the cost of %.1f forward passes\n",
         with_commas(o.n, n), o.all[GRADIENT] / o.all[PASS]);
  return END_DONE;
}

int bench_gradient(const settings *s)
{
  bp_ctx *ctx = context_new(s);
  if (!ctx)
    return END_RESOURCES;
  int end = s->n_inputs ? bench_program(ctx, s) : bench_network(ctx, s);
  return context_free(ctx, s, end);
}
