/* The training step as one plan: how long it takes, beside its compute floor (the floating-point operations of its products at the peak of
 * multiply-adds that was measured in the same run, the gradient by the input left out).
 *
 *   trainstep [-p] [-g] [-s SECONDS] [-t THREADS] [WORK...]      -p prints the plan, -g guards loss and gradient as bp_net_train does
 *
 * Without WORK all of them, with one thread and with two. BPROP_PASSES is read as by the program. */
#include <bprop.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct work {
  const char *name;
  int64_t widths[6]; /* ends with 0 */
  int64_t batch;
  bp_optimizer optimizer;
} work;

static const work works[] = {
    {"small", {784, 128, 10}, 64, {.kind = BP_OPTIMIZER_SGD}},
    {"small-momentum", {784, 128, 10}, 64, {.kind = BP_OPTIMIZER_SGD, .momentum = 0.9}},
    {"small-adam", {784, 128, 10}, 64, {.kind = BP_OPTIMIZER_ADAM}},
    {"medium", {784, 512, 512, 10}, 128, {.kind = BP_OPTIMIZER_SGD}},
    {"medium-adam", {784, 512, 512, 10}, 128, {.kind = BP_OPTIMIZER_ADAM}},
    {"large-adam", {3072, 4096, 4096, 10}, 256, {.kind = BP_OPTIMIZER_ADAM}},
};

enum { WORKS = sizeof works / sizeof *works, MOST_RUNS = 4096, MOST_THREADS = 64 };

typedef struct options {
  bool print, guard;
  double seconds;
  int threads;
  uint32_t passes_off;
} options;

static double now(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double median(double *v, int n)
{
  qsort(v, (size_t)n, sizeof *v, by_value);
  return v[n / 2];
}

/* ---- the peak: independent multiply-adds in registers, by the widest vectors that bprop may use ---- */

enum { SUMS = 12 };

/* V: vector type, W: floats in it. */
#define PEAK(name, V, W, SPREAD, MULADD, GET, attribute)                                 \
  attribute static double name(int64_t rounds)                                           \
  {                                                                                      \
    V v[SUMS], a = SPREAD(0.999f), b = SPREAD(0.001f);                                   \
    for (int i = 0; i < SUMS; i++)                                                       \
      v[i] = SPREAD((float)i);                                                           \
    double start = now();                                                                \
    for (int64_t r = 0; r < rounds; r++)                                                 \
      _Pragma("GCC unroll 12") for (int i = 0; i < SUMS; i++) v[i] = MULADD(v[i], a, b); \
    double took = now() - start;                                                         \
    volatile float sum = 0;                                                              \
    for (int i = 0; i < SUMS; i++)                                                       \
      sum += GET(v[i]);                                                                  \
    (void)sum;                                                                           \
    return 2.0 * SUMS * (W) * (double)rounds / took;                                     \
  }

#define PLAIN_SPREAD(x)       (x)
#define PLAIN_MULADD(x, y, z) ((x) * (y) + (z))
#define PLAIN_GET(x)          (x)
PEAK(peak_base, float, 1, PLAIN_SPREAD, PLAIN_MULADD, PLAIN_GET, )
#if defined(__x86_64__)
#include <immintrin.h>
PEAK(peak_avx512, __m512, 16, _mm512_set1_ps, _mm512_fmadd_ps, _mm512_cvtss_f32,
     __attribute__((target("avx512f"))))
PEAK(peak_avx2, __m256, 8, _mm256_set1_ps, _mm256_fmadd_ps, _mm256_cvtss_f32,
     __attribute__((target("avx2,fma"))))
#endif

static double peak(bp_isa isa)
{
  double best = 0;
  for (int i = 0; i < 5; i++) {
#if defined(__x86_64__)
    double rate = isa == BP_ISA_AVX512 ? peak_avx512(2000000)
                  : isa == BP_ISA_AVX2 ? peak_avx2(2000000)
                                       : peak_base(2000000);
#else
    double rate = peak_base(2000000);
    (void)isa;
#endif
    best = rate > best ? rate : best;
  }
  return best;
}

typedef struct peak_thread {
  bp_isa isa;
  double rate;
} peak_thread;

static void *peak_main(void *arg)
{
  peak_thread *t = arg;
  t->rate = peak(t->isa);
  return NULL;
}

static double peak_of(bp_isa isa, int threads)
{
  pthread_t id[MOST_THREADS];
  peak_thread t[MOST_THREADS];
  double sum = 0;
  for (int i = 0; i < threads; i++) {
    t[i].isa = isa;
    if (pthread_create(&id[i], NULL, peak_main, &t[i]))
      return 0;
  }
  for (int i = 0; i < threads; i++) {
    pthread_join(id[i], NULL);
    sum += t[i].rate;
  }
  return sum;
}

/* ---- one work ---- */

typedef struct model {
  bp_params *params;
  bp_state *state;
  bp_plan *plan;
  bp_run *run;
  float *x;
  int64_t *labels;
} model;

static bp_node forward(const work *w, bp_params *p, bp_node x)
{
  char name[16];
  for (int k = 1; w->widths[k]; k++) {
    snprintf(name, sizeof name, "layer%d", k);
    x = bp_dense(p, x, name, w->widths[k], (bp_init){0});
    x = w->widths[k + 1] ? bp_relu(x) : x;
  }
  return x;
}

static bp_status meet(bp_ctx *ctx, const work *w, model *m)
{
  bp_graph *g = bp_graph_new(ctx);
  int64_t dims[2] = {w->batch, w->widths[0]};
  m->params = bp_params_new(ctx);
  m->state = bp_state_new(ctx, BP_FLOAT32);
  if (!g || !m->params || !m->state)
    return BP_E_NOMEM;
  forward(w, m->params, bp_input(g, "x", BP_REAL, 2, dims));
  bp_graph_free(g);
  return bp_params_make(m->params, m->state, 1);
}

static bp_status compile(bp_ctx *ctx, const work *w, const options *o, model *m)
{
  bp_graph *g = bp_graph_new(ctx);
  int64_t dims[2] = {w->batch, w->widths[0]};
  if (!g)
    return BP_E_NOMEM;
  bp_node y = forward(w, m->params, bp_input(g, "x", BP_REAL, 2, dims));
  bp_node labels = bp_input(g, "labels", BP_INT64, 1, dims);
  bp_node loss = bp_mean(bp_softmax_cross_entropy(y, labels, 0), NULL, 0, false), guards[2] = {loss, {0}};
  bp_update updates[BP_OPTIMIZER_UPDATES];
  size_t n = 0;
  bp_status s = bp_optimizer_step(m->params, m->state, &w->optimizer, loss, updates, &n, &guards[1]);
  bp_plan_options po = {.real = BP_FLOAT32,
                        .outputs = &loss,
                        .n_outputs = 1,
                        .updates = updates,
                        .n_updates = n,
                        .guards = guards,
                        .n_guards = o->guard ? 2 : 1,
                        .passes_off = o->passes_off};
  if (s == BP_OK)
    s = bp_plan_new(g, &po, &m->plan);
  bp_graph_free(g);
  return s == BP_OK ? bp_run_new(m->plan, m->state, &m->run) : s;
}

static bp_status feed(const work *w, model *m)
{
  size_t n = (size_t)(w->batch * w->widths[0]);
  int classes = 10;
  uint32_t seed = 1;
  m->x = malloc(n * sizeof *m->x);
  m->labels = malloc((size_t)w->batch * sizeof *m->labels);
  if (!m->x || !m->labels)
    return BP_E_NOMEM;
  for (size_t i = 0; i < n; i++)
    m->x[i] = (float)((seed = seed * 1664525u + 1013904223u) >> 8) / 16777216.0f - 0.5f;
  for (int64_t i = 0; i < w->batch; i++)
    m->labels[i] = (int64_t)((seed = seed * 1664525u + 1013904223u) >> 8) % classes;
  bp_status s = bp_run_bind(m->run, "x", m->x, n * sizeof *m->x);
  return s == BP_OK ? bp_run_bind(m->run, "labels", m->labels, (size_t)w->batch * sizeof *m->labels) : s;
}

static void drop(model *m)
{
  bp_run_free(m->run);
  bp_plan_free(m->plan);
  bp_state_free(m->state);
  bp_params_free(m->params);
  free(m->x);
  free(m->labels);
}

static double flops(const work *w)
{
  double sum = 0;
  for (int k = 0; w->widths[k + 1]; k++)
    sum += 2.0 * (double)w->batch * (double)(w->widths[k] * w->widths[k + 1]) * (k ? 3 : 2);
  return sum;
}

static void show(bp_ctx *ctx, const bp_plan *p)
{
  char *text;
  if (bp_plan_print(p, &text) == BP_OK) {
    fputs(text, stdout);
    bp_free(ctx, text);
  }
}

static void report(const work *w, const options *o, const model *m, int threads, double *took, int n,
                   double rate)
{
  size_t instructions, block;
  double loss = 0, floor = flops(w) / rate, step = median(took, n);
  bp_plan_size(m->plan, &instructions, &block);
  bp_run_get(m->run, 0, &loss, 1);
  printf("%-15s %d thread%s: %10.1f us a step (best %.1f, %d steps), %9.0f samples/s, floor %.1f us: %.3f; "
         "%zu instructions, block %.2f MB, %lld parameters, loss %.9g%s\n",
         w->name, threads, threads > 1 ? "s" : " ", 1e6 * step, 1e6 * took[0], n, (double)w->batch / step,
         1e6 * floor, step / floor, instructions, (double)block / 1e6,
         (long long)bp_params_size(m->params, NULL), loss, o->guard ? ", gradient guarded" : "");
}

static bool run_work(const work *w, const options *o, int threads)
{
  static double took[MOST_RUNS];
  model m = {0};
  int n = 0;
  bp_ctx *ctx = bp_ctx_new(&(bp_ctx_options){.threads = threads});
  bp_status s = ctx ? meet(ctx, w, &m) : BP_E_NOMEM;
  if (s == BP_OK)
    s = compile(ctx, w, o, &m);
  if (s == BP_OK)
    s = feed(w, &m);
  if (s == BP_OK && o->print)
    show(ctx, m.plan);
  double before = peak_of(bp_ctx_isa(ctx), threads), end = now() + 0.2 * o->seconds;
  while (s == BP_OK && now() < end)
    s = bp_run_step(m.run);
  end = now() + o->seconds;
  while (s == BP_OK && n < MOST_RUNS && (now() < end || n < 5)) {
    double start = now();
    s = bp_run_step(m.run);
    took[n++] = now() - start;
  }
  double after = peak_of(bp_ctx_isa(ctx), threads);
  if (s == BP_OK)
    report(w, o, &m, threads, took, n, before > after ? before : after);
  else
    fprintf(stderr, "trainstep: %s: %s\n", w->name, bp_error());
  drop(&m);
  bp_ctx_free(ctx);
  return s == BP_OK;
}

static bool run_named(const char *name, const options *o)
{
  bool good = true, found = false;
  for (int k = 0; k < WORKS; k++) {
    if (name && strcmp(name, works[k].name) != 0)
      continue;
    found = true;
    for (int t = 1; t <= 2; t++)
      if (!o->threads || o->threads == t)
        good = run_work(&works[k], o, t) && good;
  }
  if (!found)
    fprintf(stderr, "trainstep: there is no work '%s'\n", name);
  return good && found;
}

int main(int argc, char **argv)
{
  options o = {.seconds = 1};
  const char *passes = getenv("BPROP_PASSES");
  int k = 1;
  if (passes && bp_passes_read(passes, &o.passes_off) != BP_OK) {
    fprintf(stderr, "trainstep: BPROP_PASSES: %s\n", bp_error());
    return 2;
  }
  for (; k < argc && argv[k][0] == '-'; k++) {
    o.print |= argv[k][1] == 'p';
    o.guard |= argv[k][1] == 'g';
    if (argv[k][1] == 's' && k + 1 < argc)
      o.seconds = atof(argv[++k]);
    else if (argv[k][1] == 't' && k + 1 < argc)
      o.threads = atoi(argv[++k]);
  }
  bool good = k < argc || run_named(NULL, &o);
  for (; k < argc; k++)
    good = run_named(argv[k], &o) && good;
  return good ? 0 : 1;
}
