/* Matrix products of bprop's kernels beside OpenBLAS and beside the multiply-add peak, all in one run.
 *
 *   products [--isa NAME] [--threads N] [--f64] [--reps N] [--no-blas] [--core SkylakeX] [WORD]
 *
 * Times the shapes whose line contains WORD: medians of N (9) repetitions of at least 1 ms, by turns with OpenBLAS. Operands stay warm.
 *
 * --core names the kernels that OpenBLAS shall run, whatever OPENBLAS_CORETYPE says; the table's head tells the ones it does run. With several
 * threads its workers go on spinning between calls and keep the processors from ours: then measure with --no-blas. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/ctx.h"
#include "base/pool.h"
#include "kernels/kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

typedef struct shape {
  const char *what;
  int64_t m, n, k;
  bool ta, tb;
} shape;

#define LAYER(batch, in, out)                                                        \
  {"forward", batch, out, in, false, true}, {"dgrad", batch, in, out, false, false}, \
  {                                                                                  \
    "wgrad", out, in, batch, true, false                                             \
  }

static const shape shapes[] = {
    LAYER(64, 784, 128),
    LAYER(64, 128, 10),
    LAYER(128, 784, 512),
    LAYER(128, 512, 512),
    LAYER(128, 512, 10),
    LAYER(256, 3072, 4096),
    LAYER(256, 4096, 4096),
    LAYER(256, 4096, 10),
    {"row", 1, 128, 784, false, true},
    {"row", 1, 10, 128, false, true},
    {"row", 1, 512, 784, false, true},
    {"row", 1, 512, 512, false, true},
    {"row", 1, 784, 128, false, false},
    {"rows", 4, 128, 784, false, true},
    {"rows", 16, 128, 784, false, true},
    {"predict", 1024, 128, 784, false, true},
    {"predict", 1024, 10, 128, false, true},
    {"predict", 1024, 512, 784, false, true},
    {"tiny", 1, 8, 2, false, true},
    {"tiny", 1, 1, 8, false, true},
    {"tiny", 1, 2, 8, false, false},
    {"tiny", 8, 2, 1, true, false},
    {"tiny", 4, 8, 2, false, true},
    {"square", 64, 64, 64, false, false},
    {"square", 128, 128, 128, false, false},
    {"square", 256, 256, 256, false, false},
    {"square", 512, 512, 512, false, false},
    {"square", 1024, 1024, 1024, false, false},
    {"square", 2048, 2048, 2048, false, false},
};
enum { SHAPES = sizeof shapes / sizeof *shapes, MOST_REPS = 99 };

static double seconds(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- the peak: independent multiply-adds in registers ---- */

#if defined(__x86_64__)
#define PEAK(name, isa, V, zero, fma)                                               \
  __attribute__((target(isa))) static double name(int64_t steps)                    \
  {                                                                                 \
    V s[10], x = zero;                                                              \
    __asm__ volatile("" : "+x"(x));                                                 \
    for (int i = 0; i < 10; i++)                                                    \
      s[i] = x;                                                                     \
    const double start = seconds();                                                 \
    for (int64_t p = 0; p < steps; p++) {                                           \
      _Pragma("GCC unroll 10") for (int i = 0; i < 10; i++) s[i] = fma(x, x, s[i]); \
      __asm__ volatile("" : "+x"(x));                                               \
    }                                                                               \
    const double took = seconds() - start;                                          \
    for (int i = 0; i < 10; i++)                                                    \
      __asm__ volatile("" : : "x"(s[i]));                                           \
    return 20.0 * (double)steps * (double)(sizeof(V) / 4) / took * 1e-9;            \
  }
PEAK(peak_avx512, "avx512f", __m512, _mm512_setzero_ps(), _mm512_fmadd_ps)
PEAK(peak_avx2, "avx2,fma", __m256, _mm256_setzero_ps(), _mm256_fmadd_ps)
#endif

/* GFLOP/s of one core in float32; 0 where this program has no loop for the instruction set. */
static double peak_of(const char *isa)
{
  double best = 0;
#if defined(__x86_64__)
  double (*run)(int64_t) = !strcmp(isa, "avx512") ? peak_avx512 : !strcmp(isa, "avx2") ? peak_avx2 : NULL;
  for (int i = 0; i < 9 && run; i++) {
    const double x = run(300000);
    best = x > best ? x : best;
  }
#else
  (void)isa;
#endif
  return best;
}

/* ---- the two that are compared ---- */

typedef struct subject {
  bp_ctx *ctx;
  const bpi_kernels *kernels;
  int threads, wide;
  char *scratch;
  size_t stride;
  bpi_gemm g;
} subject;

typedef void (*sgemm)(int, int, int, int, int, int, float, const void *, int, const void *, int, float,
                      void *, int);
typedef void (*dgemm)(int, int, int, int, int, int, double, const void *, int, const void *, int, double,
                      void *, int);
static void *blas_product; /* cblas_sgemm or cblas_dgemm; NULL: not there */

static void part(void *arg, int64_t begin, int64_t end, int thread)
{
  subject *s = arg;
  s->kernels->gemm[s->wide](&s->g, begin, end, s->scratch + (size_t)thread * s->stride);
}

static void run_bprop(subject *s)
{
  const int64_t units = s->kernels->gemm_units[s->wide](&s->g);
  if (s->threads > 1)
    bpi_pool_run(s->ctx, s->threads, units, part, s);
  else
    part(s, 0, units, 0);
}

static void run_blas(subject *s)
{
  enum { ROW_MAJOR = 101, PLAIN = 111, TURNED = 112 };
  const bpi_gemm *g = &s->g;
  const int m = (int)g->m, n = (int)g->n, k = (int)g->k;
  const int ta = g->ta ? TURNED : PLAIN, tb = g->tb ? TURNED : PLAIN;
  if (s->wide)
    ((dgemm)blas_product)(ROW_MAJOR, ta, tb, m, n, k, 1, g->a, (int)g->lda, g->b, (int)g->ldb, 0, g->c,
                          (int)g->ldc);
  else
    ((sgemm)blas_product)(ROW_MAJOR, ta, tb, m, n, k, 1, g->a, (int)g->lda, g->b, (int)g->ldb, 0, g->c,
                          (int)g->ldc);
}

/* Seconds of one call, of a batch of at least a millisecond. */
static double time_of(void (*run)(subject *), subject *s, int64_t calls)
{
  const double start = seconds();
  for (int64_t i = 0; i < calls; i++)
    run(s);
  return (seconds() - start) / (double)calls;
}

/* Several threads are warmed up, as the system may take some time until each has its processor. */
static int64_t calls_for(void (*run)(subject *), subject *s)
{
  const double start = seconds();
  do
    run(s);
  while (s->threads > 1 && seconds() - start < 0.05);
  int64_t calls = 1;
  while (time_of(run, s, calls) * (double)calls < 1e-3)
    calls *= 2;
  return calls;
}

static int by_size(const void *a, const void *b)
{
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double median(double *x, int n)
{
  qsort(x, (size_t)n, sizeof *x, by_size);
  return x[n / 2];
}

/* ---- the table ---- */

static void *filled(size_t n, int wide)
{
  const size_t size = wide ? 8 : 4;
  char *x = aligned_alloc(64, (n * size + 127) / 64 * 64);
  for (size_t i = 0; x && i < n; i++) {
    const double v = (double)((i * 2654435761u) % 1021) / 1021 - 0.5;
    if (wide)
      ((double *)x)[i] = v;
    else
      ((float *)x)[i] = (float)v;
  }
  if (!x)
    exit(1);
  return x;
}

typedef struct totals {
  double flops, mine, theirs;
} totals;

static void measure(subject *s, const shape *p, int reps, double peak, totals *sum)
{
  const int64_t m = p->m, n = p->n, k = p->k;
  void *a = filled((size_t)(m * k), s->wide), *b = filled((size_t)(k * n), s->wide),
       *c = filled((size_t)(m * n), s->wide);
  s->g = (bpi_gemm){.m = m, .n = n, .k = k, .a = a, .b = b, .c = c, .ta = p->ta, .tb = p->tb};
  s->g.lda = p->ta ? m : k;
  s->g.ldb = p->tb ? k : n;
  s->g.ldc = n;
  s->stride = (s->kernels->gemm_scratch[s->wide](&s->g) + 4095) / 4096 * 4096;
  s->scratch = aligned_alloc(4096, s->stride * (size_t)s->threads + 4096);
  double mine[MOST_REPS], theirs[MOST_REPS];
  const int64_t my_calls = calls_for(run_bprop, s), their_calls = blas_product ? calls_for(run_blas, s) : 0;
  for (int r = 0; r < reps; r++) {
    mine[r] = time_of(run_bprop, s, my_calls);
    theirs[r] = blas_product ? time_of(run_blas, s, their_calls) : 0;
  }
  const double x = median(mine, reps), y = median(theirs, reps), flops = 2e-9 * (double)(m * n * k);
  printf("%-8s %5d x %5d x %5d %11.3f us %7.1f GFLOP/s %6.1f %%", p->what, (int)m, (int)n, (int)k, x * 1e6,
         flops / x, peak > 0 ? 100 * flops / x / peak : 0);
  if (blas_product)
    printf("  OpenBLAS %7.1f  ratio %5.2f", flops / y, y / x);
  printf("\n");
  fflush(stdout);
  *sum = (totals){sum->flops + flops, sum->mine + x, sum->theirs + y};
  free(a);
  free(b);
  free(c);
  free(s->scratch);
}

/* It reads its environment while it is loaded. */
static void load_blas(int wide, int threads, const char *kernels)
{
  setenv("OPENBLAS_CORETYPE", kernels, 1);
  unsetenv("OPENBLAS_L2_SIZE");
  void *lib = dlopen("libopenblas.so.0", RTLD_NOW);
  void (*set_threads)(int) = NULL;
  char *(*core)(void) = NULL;
  if (!lib)
    return;
  *(void **)&core = dlsym(lib, "openblas_get_corename");
  printf("OpenBLAS runs its kernels for %s\n", core ? core() : "a processor it does not tell");
  *(void **)&set_threads = dlsym(lib, "openblas_set_num_threads");
  if (set_threads)
    set_threads(threads);
  blas_product = dlsym(lib, wide ? "cblas_dgemm" : "cblas_sgemm");
}

static bp_isa isa_of(const char *name)
{
  for (int i = 0; i < BP_ISA_COUNT; i++)
    if (!strcmp(name, bp_isa_name((bp_isa)i)))
      return (bp_isa)i;
  return BP_ISA_BEST;
}

typedef struct request {
  bp_isa isa;
  int threads, reps, wide;
  bool blas;
  const char *core, *word; /* OpenBLAS's kernels; part of the lines that are measured */
} request;

static void read_request(request *o, int argc, char **argv)
{
  for (int i = 1; i < argc; i++) {
    const char *next = i + 1 < argc ? argv[i + 1] : "";
    if (!strcmp(argv[i], "--isa"))
      o->isa = isa_of(next), i++;
    else if (!strcmp(argv[i], "--threads"))
      o->threads = atoi(next), i++;
    else if (!strcmp(argv[i], "--reps"))
      o->reps = atoi(next), i++;
    else if (!strcmp(argv[i], "--f64"))
      o->wide = 1;
    else if (!strcmp(argv[i], "--no-blas"))
      o->blas = false;
    else if (!strcmp(argv[i], "--core"))
      o->core = next, i++;
    else
      o->word = argv[i];
  }
  o->reps = o->reps < 1 ? 1 : o->reps > MOST_REPS ? MOST_REPS : o->reps;
  o->threads = o->threads < 1 ? 1 : o->threads > BPI_MAX_THREADS ? BPI_MAX_THREADS : o->threads;
}

int main(int argc, char **argv)
{
  request o = {.isa = BP_ISA_BEST, .threads = 1, .reps = 9, .blas = true, .core = "SkylakeX", .word = ""};
  read_request(&o, argc, argv);
  subject s = {.threads = o.threads, .wide = o.wide, .kernels = bpi_kernels_for(o.isa)};
  bp_ctx_options options = {.threads = s.threads};
  s.ctx = bp_ctx_new(&options);
  if (!s.ctx)
    return 1;
  if (o.blas)
    load_blas(s.wide, s.threads, o.core);
  const double peak = peak_of(s.kernels->name) * s.threads / (s.wide ? 2 : 1);
  printf("%s, %s, %d thread%s; multiply-add peak %.1f GFLOP/s\n", s.kernels->name,
         s.wide ? "float64" : "float32", s.threads, s.threads > 1 ? "s" : "", peak);
  totals sum = {0};
  for (size_t i = 0; i < SHAPES; i++) {
    char line[80];
    snprintf(line, sizeof line, "%s %dx%dx%d", shapes[i].what, (int)shapes[i].m, (int)shapes[i].n,
             (int)shapes[i].k);
    if (strstr(line, o.word))
      measure(&s, &shapes[i], o.reps, peak, &sum);
  }
  printf("all: %.1f GFLOP/s", sum.flops / sum.mine);
  if (blas_product)
    printf(", OpenBLAS %.1f, ratio %.2f", sum.flops / sum.theirs, sum.theirs / sum.mine);
  printf("\n");
  bp_ctx_free(s.ctx);
  return 0;
}
