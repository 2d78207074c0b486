/* Scalar programs: the gradient of a function of many single numbers, on a warm plan. The program is a file of operations that the peers
 * read as well (bench/peers/: ADOL-C and CasADi; bench/run runs all by turns).
 *
 *   scalar --write FILE [NODES [REACH]]   writes a random program; operands are among the last REACH nodes (0: any before)
 *   scalar FILE [--values]                prints: name, median and least nanoseconds a node; with --values the gradient instead
 *
 * The file: the number of inputs and of nodes, the values of the inputs, then a line a node: operation and operands, which count inputs
 * and nodes in one row. The last node is the function's value. */
#include "bprop.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { INPUTS = 100, NODES = 100000, REACH = 100, BATCHES = 31 };

static void must(bp_status s)
{
  if (s == BP_OK)
    return;
  fprintf(stderr, "scalar: %s\n", bp_error());
  exit(1);
}

static double seconds(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void *room(size_t n, size_t size)
{
  void *p = calloc(n + 1, size);
  if (!p) {
    fprintf(stderr, "scalar: out of memory\n");
    exit(1);
  }
  return p;
}

/* ---- writing a program ----
 * Values are followed, and a bound of how much a small change of all that came before changes each. An operation that makes either large
 * is drawn again: so nothing overflows, gradients stay of ordinary size, and libraries that round differently agree. One operand in four
 * is an input. What nothing reads is added up in a tree at the end. */

typedef struct trial {
  double v, d; /* value, bound */
} trial;

static const struct {
  const char *name;
  int arity;
} kinds[] = {{"add", 2}, {"sub", 2}, {"mul", 2},  {"div", 2},
             {"sin", 1}, {"exp", 1}, {"tanh", 1}, {"sqrt", 1}};
enum { KINDS = sizeof kinds / sizeof *kinds };

static trial evaluate(int kind, trial a, trial b)
{
  double y;
  switch (kind) {
  case 0:
    return (trial){a.v + b.v, a.d + b.d};
  case 1:
    return (trial){a.v - b.v, a.d + b.d};
  case 2:
    return (trial){a.v * b.v, a.d * fabs(b.v) + fabs(a.v) * b.d};
  case 3:
    y = a.v / b.v;
    return (trial){y, (a.d + fabs(y) * b.d) / fabs(b.v)};
  case 4:
    return (trial){sin(a.v), fabs(cos(a.v)) * a.d};
  case 5:
    y = exp(a.v);
    return (trial){y, y * a.d};
  case 6:
    y = tanh(a.v);
    return (trial){y, (1 - y * y) * a.d};
  default:
    y = sqrt(a.v);
    return (trial){y, a.d / (2 * y)};
  }
}

static uint64_t dice = 88172645463325252u;

static size_t throw_dice(size_t sides)
{
  dice ^= dice << 13;
  dice ^= dice >> 7;
  dice ^= dice << 17;
  return (size_t)((dice >> 11) % sides);
}

/* Sums and products are four times as frequent as the rest. */
static int draw_kind(void)
{
  size_t k = throw_dice(16);
  return k < 12 ? (int)(k % 3) : (int)(k - 12) < 1 ? 3 : (int)(4 + throw_dice(4));
}

typedef struct writer {
  FILE *f;
  trial *at;
  char *used;
  size_t count, loose; /* nodes, and those that nothing has read */
} writer;

static void write_node(writer *w, int kind, size_t a, size_t b)
{
  w->at[w->count++] = evaluate(kind, w->at[a], w->at[b]);
  w->loose += 1 - (size_t)!w->used[a] - (size_t)(a != b && !w->used[b]);
  w->used[a] = w->used[b] = 1;
  if (kinds[kind].arity == 2)
    fprintf(w->f, "%s %zu %zu\n", kinds[kind].name, a, b);
  else
    fprintf(w->f, "%s %zu\n", kinds[kind].name, a);
}

static size_t draw_operand(const writer *w, size_t reach)
{
  return throw_dice(4) == 0 ? throw_dice(INPUTS)
                            : w->count - 1 - throw_dice(reach && reach < w->count ? reach : w->count);
}

static void random_node(writer *w, size_t reach)
{
  for (;;) {
    int kind = draw_kind();
    size_t a = draw_operand(w, reach), b = kinds[kind].arity == 2 ? draw_operand(w, reach) : a;
    trial y = evaluate(kind, w->at[a], w->at[b]);
    if (fabs(y.v) > 0.1 && fabs(y.v) < 3 && y.d < 50) {
      write_node(w, kind, a, b);
      return;
    }
  }
}

static int write_program(const char *path, size_t nodes, size_t reach)
{
  writer w = {.f = fopen(path, "w")};
  if (!w.f)
    return 1;
  w.at = room(INPUTS + nodes * 2, sizeof *w.at);
  w.used = room(INPUTS + nodes * 2, 1);
  size_t *loose = room(INPUTS + nodes * 2, sizeof *loose), n_loose = 0, most = nodes + INPUTS;
  fprintf(w.f, "%d %zu\n", INPUTS, nodes);
  for (; w.count < INPUTS; w.count++) {
    w.at[w.count] = (trial){0.2 + (double)throw_dice(1000) / 1000, 1};
    fprintf(w.f, "%.17g\n", w.at[w.count].v);
  }
  w.loose = w.count;
  while (w.count + w.loose < most) /* room to add up what is loose */
    random_node(&w, reach);
  for (size_t i = 0; i < w.count; i++)
    if (!w.used[i])
      loose[n_loose++] = i;
  for (size_t i = 0; i + 1 < n_loose; i += 2) {
    loose[n_loose++] = w.count;
    write_node(&w, 0, loose[i], loose[i + 1]);
  }
  while (w.count < most)
    write_node(&w, 4, w.count - 1, w.count - 1);
  free(w.at);
  free(w.used);
  free(loose);
  return fclose(w.f);
}

/* ---- reading one as a graph ---- */

typedef struct program {
  size_t n_inputs, n_nodes;
  double *x;
  bp_node *at;
} program;

static bp_node build_node(const char *name, bp_node a, bp_node b, int arity)
{
  bp_node in[2] = {a, b}, out[1];
  must(bp_apply(NULL, bp_op_find(name), in, (size_t)arity, NULL, out));
  return out[0];
}

static program read_program(const char *path, bp_graph *g)
{
  program p = {0};
  FILE *f = fopen(path, "r");
  char name[32], line[128];
  if (!f || fscanf(f, "%zu %zu", &p.n_inputs, &p.n_nodes) != 2) {
    fprintf(stderr, "scalar: %s: no program\n", path);
    exit(1);
  }
  p.x = room(p.n_inputs, sizeof *p.x);
  p.at = room(p.n_inputs + p.n_nodes, sizeof *p.at);
  for (size_t i = 0; i < p.n_inputs; i++) {
    if (fscanf(f, "%lf ", &p.x[i]) != 1)
      exit(1);
    snprintf(name, sizeof name, "x%zu", i);
    p.at[i] = bp_input(g, name, BP_REAL, 0, NULL);
  }
  for (size_t i = p.n_inputs; i < p.n_inputs + p.n_nodes && fgets(line, sizeof line, f); i++) {
    size_t a, b = 0;
    int arity = sscanf(line, "%31s %zu %zu", name, &a, &b) - 1;
    p.at[i] = build_node(name, p.at[a], p.at[b], arity);
  }
  fclose(f);
  return p;
}

/* ---- measuring ---- */

static int by_size(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

static void report(const char *name, bp_run *run, size_t nodes)
{
  double took[BATCHES];
  for (int k = -3; k < BATCHES; k++) {
    double start = seconds();
    must(bp_run_step(run));
    took[k < 0 ? 0 : k] = seconds() - start;
  }
  qsort(took, BATCHES, sizeof *took, by_size);
  printf("%-18s %12.3f %12.3f\n", name, 1e9 * took[BATCHES / 2] / (double)nodes,
         1e9 * took[0] / (double)nodes);
}

static bp_run *compile(bp_graph *g, const program *p, const bp_node *outputs, size_t n, bp_dtype real)
{
  bp_plan *plan;
  bp_run *run;
  static float narrow[INPUTS];
  char name[32];
  must(bp_plan_new(g, &(bp_plan_options){.real = real, .outputs = outputs, .n_outputs = n}, &plan));
  must(bp_run_new(plan, NULL, &run));
  for (size_t i = 0; i < p->n_inputs; i++) {
    snprintf(name, sizeof name, "x%zu", i);
    narrow[i] = (float)p->x[i];
    bp_status s = real == BP_FLOAT64 ? bp_run_bind(run, name, &p->x[i], sizeof(double))
                                     : bp_run_bind(run, name, &narrow[i], sizeof(float));
    if (s != BP_E_NOTFOUND)
      must(s);
  }
  return run;
}

int main(int argc, char **argv)
{
  if (argc > 2 && strcmp(argv[1], "--write") == 0)
    return write_program(argv[2], argc > 3 ? strtoull(argv[3], NULL, 10) : NODES,
                         argc > 4 ? strtoull(argv[4], NULL, 10) : REACH);
  if (argc < 2) {
    fprintf(stderr, "usage: scalar --write FILE [NODES [REACH]]\n       scalar FILE [--values]\n");
    return 2;
  }
  bp_ctx *ctx = bp_ctx_new(&(bp_ctx_options){.threads = 1});
  bp_graph *g = bp_graph_new(ctx);
  double start = seconds();
  program p = read_program(argv[1], g);
  double built = seconds();
  bp_node *outputs = room(p.n_inputs + 1, sizeof *outputs);
  outputs[0] = p.at[p.n_inputs + p.n_nodes - 1];
  must(bp_grad(outputs[0], p.at, p.n_inputs, outputs + 1));
  double derived = seconds();
  bp_run *run = compile(g, &p, outputs, p.n_inputs + 1, BP_FLOAT64);
  double compiled = seconds();
  if (argc > 2) {
    must(bp_run_step(run));
    for (size_t i = 0; i <= p.n_inputs; i++) {
      double v;
      must(bp_run_get(run, i, &v, 1));
      printf("%zu %.17g\n", i, v);
    }
    return 0;
  }
  double n = (double)p.n_nodes;
  printf("nodes %u, build %.0f ns, gradient %.0f ns, compile %.0f ns a node\n", bp_graph_mark(g),
         1e9 * (built - start) / n, 1e9 * (derived - built) / n, 1e9 * (compiled - derived) / n);
  report("gradient-f64", run, p.n_nodes);
  report("gradient-f32", compile(g, &p, outputs, p.n_inputs + 1, BP_FLOAT32), p.n_nodes);
  report("value-f64", compile(g, &p, outputs, 1, BP_FLOAT64), p.n_nodes);
  return 0;
}
