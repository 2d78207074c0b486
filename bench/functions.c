/* Vector functions on one thread: nanoseconds an element over 4,096 elements that stay in L1, for every instruction set of this
 * machine, beside libm, libmvec and SLEEF where they are installed (found while running; nothing is linked).
 * Usage: functions [NAME...]  (all without one) */
#include "base/cpu.h"
#include "kernels/kernels.h"

#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { N = 4096, ROUNDS = 15 };

typedef struct function {
  const char *name;
  int body, arity;
  double low, high; /* of the arguments */
  float (*f32)(float);
  double (*f64)(double);
  float (*f32_2)(float, float);
  double (*f64_2)(double, double);
} function;

#define ONE(name, low, high)                                        \
  {                                                                 \
#name, BPI_BODY_##name, 1, low, high, name##f, name, NULL, NULL \
  }
#define TWO(name, low, high)                                        \
  {                                                                 \
#name, BPI_BODY_##name, 2, low, high, NULL, NULL, name##f, name \
  }
#define OWN(name, low, high)                                     \
  {                                                              \
#name, BPI_BODY_##name, 1, low, high, NULL, NULL, NULL, NULL \
  }
#define OWN_TWO(name, low, high)                                 \
  {                                                              \
#name, BPI_BODY_##name, 2, low, high, NULL, NULL, NULL, NULL \
  }

static const function functions[] = {
    ONE(exp, -10, 10),   ONE(expm1, -5, 5),      ONE(log, 1e-3, 100),    ONE(log1p, -0.9, 100),
    ONE(tanh, -5, 5),    OWN(sigmoid, -10, 10),  ONE(erf, -4, 4),        ONE(sin, -10, 10),
    ONE(cos, -10, 10),   ONE(tan, -10, 10),      ONE(asin, -1, 1),       ONE(acos, -1, 1),
    ONE(atan, -10, 10),  ONE(sinh, -5, 5),       ONE(cosh, -5, 5),       ONE(sqrt, 0, 100),
    TWO(pow, 0.1, 4),    TWO(atan2, -3, 3),      OWN(softplus, -10, 10), OWN(log_sigmoid, -10, 10),
    OWN(gelu, -5, 5),    OWN(gelu_tanh, -5, 5),  OWN(silu, -10, 10),     OWN(mish, -10, 10),
    OWN(elu, -5, 5),     OWN(logit, 0.01, 0.99), OWN(relu, -1, 1),       OWN(square, -1, 1),
    OWN_TWO(add, -1, 1), OWN_TWO(chain, -1, 1),  OWN_TWO(div, 1, 2),     OWN(reciprocal, 1, 2),
};
enum { FUNCTIONS = sizeof functions / sizeof *functions };

/* What is timed: y = f(x), with a second operand z. */
typedef struct work {
  const function *f;
  bpi_loop loop;
  void *vector;
  void *x, *z, *y;
  void (*run)(const struct work *);
} work;

static void run_loop(const work *w)
{
  static const int64_t step[] = {1, 1};
  static const double p[] = {1, 1, 1};
  const void *in[] = {w->x, w->z};
  w->loop(N, w->y, in, step, p);
}

static void run_libm32(const work *w)
{
  const float *x = w->x, *z = w->z;
  float *y = w->y;
  for (int i = 0; i < N; i++)
    y[i] = w->f->arity == 1 ? w->f->f32(x[i]) : w->f->f32_2(x[i], z[i]);
}

static void run_libm64(const work *w)
{
  const double *x = w->x, *z = w->z;
  double *y = w->y;
  for (int i = 0; i < N; i++)
    y[i] = w->f->arity == 1 ? w->f->f64(x[i]) : w->f->f64_2(x[i], z[i]);
}

/* The vector libraries' functions take and give whole registers. */
#if defined(__x86_64__)
#define VECTOR_RUN(name, isa, T, BYTES)                        \
  typedef T name##_v __attribute__((vector_size(BYTES)));      \
  __attribute__((target(isa))) static void name(const work *w) \
  {                                                            \
    const name##_v *x = w->x, *z = w->z;                       \
    name##_v *y = w->y;                                        \
    name##_v (*f)(name##_v);                                   \
    name##_v (*f2)(name##_v, name##_v);                        \
    memcpy(&f, &w->vector, sizeof f);                          \
    memcpy(&f2, &w->vector, sizeof f2);                        \
    for (int i = 0; i < N * (int)sizeof(T) / BYTES; i++)       \
      y[i] = w->f->arity == 1 ? f(x[i]) : f2(x[i], z[i]);      \
  }
VECTOR_RUN(run_avx2_f32, "avx2,fma", float, 32)
VECTOR_RUN(run_avx2_f64, "avx2,fma", double, 32)
VECTOR_RUN(run_avx512_f32, "avx512f", float, 64)
VECTOR_RUN(run_avx512_f64, "avx512f", double, 64)

static const struct {
  const char *name, *library, *format; /* of the symbol: lanes, arity, name */
  bool one_format;
  bp_isa isa;
  int bytes;
} peers[] = {
    {"mvec avx2", "libmvec.so.1", "_ZGVdN%d%s_%s%s", true, BP_ISA_AVX2, 32},
    {"mvec avx512", "libmvec.so.1", "_ZGVeN%d%s_%s%s", true, BP_ISA_AVX512, 64},
    {"sleef avx2", "libsleef.so.3", "Sleef_%s%s%d_u10avx2", false, BP_ISA_AVX2, 32},
    {"sleef avx512", "libsleef.so.3", "Sleef_%s%s%d_u10avx512f", false, BP_ISA_AVX512, 64},
};
enum { PEERS = sizeof peers / sizeof *peers };

static void *peer_symbol(int k, const function *f, bool wide)
{
  char name[64];
  void *library = dlopen(peers[k].library, RTLD_NOW);
  const int lanes = peers[k].bytes / (wide ? 8 : 4);
  if (!library || !bpi_cpu_has(peers[k].isa) || !(f->f32 || f->f32_2))
    return NULL;
  if (peers[k].one_format)
    snprintf(name, sizeof name, peers[k].format, lanes, f->arity == 2 ? "vv" : "v", f->name, wide ? "" : "f");
  else
    snprintf(name, sizeof name, peers[k].format, f->name, wide ? "d" : "f", lanes);
  return dlsym(library, name);
}

static void set_peer(work *w, int k, bool wide)
{
  w->vector = peer_symbol(k, w->f, wide);
  if (w->vector && peers[k].isa == BP_ISA_AVX2)
    w->run = wide ? run_avx2_f64 : run_avx2_f32;
  else if (w->vector)
    w->run = wide ? run_avx512_f64 : run_avx512_f32;
}
#else
enum { PEERS = 0 };
#endif

static double seconds(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
  const double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

/* Median nanoseconds an element, over rounds of about a tenth of a millisecond each. */
static double measure(const work *w)
{
  double took[ROUNDS];
  double start = seconds();
  w->run(w);
  w->run(w);
  const int each = (int)(1e-4 / ((seconds() - start) / 2 + 1e-8)) + 1;
  for (int k = 0; k < ROUNDS; k++) {
    start = seconds();
    for (int i = 0; i < each; i++)
      w->run(w);
    took[k] = (seconds() - start) / each;
  }
  qsort(took, ROUNDS, sizeof *took, by_size);
  return 1e9 * took[ROUNDS / 2] / N;
}

static void print_one(const work *w)
{
  if (w->run)
    printf(" %12.3f", measure(w));
  else
    printf(" %12s", "-");
}

static void print_line(const function *f, bool wide, void *x, void *z, void *y)
{
  uint64_t seed = 1;
  for (int i = 0; i < 2 * N; i++) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    const double v = f->low + (f->high - f->low) * (double)(seed >> 11) * 0x1p-53;
    void *to = i < N ? x : z;
    if (wide)
      ((double *)to)[i % N] = v;
    else
      ((float *)to)[i % N] = (float)v;
  }
  printf("%-12s %s", f->name, wide ? "f64" : "f32");
  for (int isa = 0; isa < BP_ISA_COUNT; isa++)
    if (bpi_cpu_has((bp_isa)isa) && (bp_isa)isa != BP_ISA_BEST) {
      const bpi_body_loops *l = &bpi_kernels_for((bp_isa)isa)->body[f->body];
      print_one(&(work){.f = f, .loop = wide ? l->f64 : l->f32, .x = x, .z = z, .y = y, .run = run_loop});
    }
  const bool has = f->f32 || f->f32_2;
  print_one(&(work){.f = f, .x = x, .z = z, .y = y, .run = !has ? NULL : wide ? run_libm64 : run_libm32});
  for (int k = 0; k < PEERS; k++) {
    work w = {.f = f, .x = x, .z = z, .y = y};
    set_peer(&w, k, wide);
    print_one(&w);
  }
  printf("\n");
}

static bool chosen(const char *name, int argc, char **argv)
{
  for (int i = 1; i < argc; i++)
    if (!strcmp(argv[i], name))
      return true;
  return argc < 2 || !strcmp(argv[1], "data");
}

int main(int argc, char **argv)
{
  void *room[3];
  for (int i = 0; i < 3; i++)
    if (!(room[i] = aligned_alloc(64, N * sizeof(double))))
      return 1;
  printf("%-16s", "ns an element");
  for (int isa = 0; isa < BP_ISA_COUNT; isa++)
    if (bpi_cpu_has((bp_isa)isa) && (bp_isa)isa != BP_ISA_BEST)
      printf(" %12s", bp_isa_name((bp_isa)isa));
  printf(" %12s", "libm");
  for (int k = 0; k < PEERS; k++)
    printf(" %12s", peers[k].name);
  printf("\n");
  for (int wide = 0; wide < 2; wide++)
    for (int i = 0; i < FUNCTIONS; i++)
      if (chosen(functions[i].name, argc, argv))
        print_line(&functions[i], wide, room[0], room[1], room[2]);
  for (int i = 0; i < 3; i++)
    free(room[i]);
  return 0;
}
