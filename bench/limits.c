/* What this machine can do at most: multiply-adds in registers, reading and writing of each level of memory, handing work to the pool, and a
 * call of a kernel that does nothing. Prints KEY VALUE lines. Usage: limits [SECONDS of each figure, 0.1] */
#include "house/house.h"
#include "base/ctx.h"
#include "base/pool.h"
#include "kernels/kernels.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static double patience = 0.1;

/* ---- multiply-adds: as many independent sums as hide the latency ---- */

#define FLOPS(function, isa, vector, element, lanes_of, set, fma, sums)                 \
  __attribute__((target(isa))) static double function(long n)                           \
  {                                                                                     \
    vector s[sums], a = set((element)0.999), b = set((element)1e-3);                    \
    for (int k = 0; k < (sums); k++)                                                    \
      s[k] = set((element)k);                                                           \
    for (long i = 0; i < n; i++)                                                        \
      _Pragma("GCC unroll 16") for (int k = 0; k < (sums); k++) s[k] = fma(s[k], a, b); \
    for (int k = 1; k < (sums); k++)                                                    \
      s[0] = fma(s[0], a, s[k]);                                                        \
    volatile vector sink = s[0];                                                        \
    (void)sink;                                                                         \
    return 2.0 * (double)n * (sums) * (lanes_of);                                       \
  }

#if defined(__x86_64__)
#include <immintrin.h>
FLOPS(fma_avx2, "avx2,fma", __m256, float, 8, _mm256_set1_ps, _mm256_fmadd_ps, 12)
FLOPS(fma_avx512, "avx512f,fma", __m512, float, 16, _mm512_set1_ps, _mm512_fmadd_ps, 16)
FLOPS(fma64_avx2, "avx2,fma", __m256d, double, 4, _mm256_set1_pd, _mm256_fmadd_pd, 12)
FLOPS(fma64_avx512, "avx512f,fma", __m512d, double, 8, _mm512_set1_pd, _mm512_fmadd_pd, 16)
#endif

typedef double (*work_fn)(long n);

/* ---- the same on several threads at once ---- */

typedef struct part {
  work_fn run;
  long n;
  double did, began, ended;
  pthread_barrier_t *start;
} part;

static void *run_part(void *arg)
{
  part *p = arg;
  pthread_barrier_wait(p->start);
  p->began = now();
  p->did = p->run(p->n);
  p->ended = now();
  return NULL;
}

/* Work a second of `threads` threads that begin together: the best of fifteen, as it takes the system a while to give each a processor. */
static double rate(work_fn run, int threads)
{
  long n = 1000;
  for (double took = 0; took < patience / 5; n *= 2) {
    double start = now();
    run(n);
    took = now() - start;
  }
  double best = 0;
  for (int k = 0; k < 15; k++) {
    pthread_barrier_t barrier;
    pthread_t id[64];
    part parts[64];
    pthread_barrier_init(&barrier, NULL, (unsigned)threads);
    for (int i = 0; i < threads; i++) {
      parts[i] = (part){.run = run, .n = n, .start = &barrier};
      pthread_create(&id[i], NULL, run_part, &parts[i]);
    }
    double began = INFINITY, ended = 0, did = 0;
    for (int i = 0; i < threads; i++) {
      pthread_join(id[i], NULL);
      did += parts[i].did;
      began = parts[i].began < began ? parts[i].began : began;
      ended = parts[i].ended > ended ? parts[i].ended : ended;
    }
    best = did / (ended - began) > best ? did / (ended - began) : best;
    pthread_barrier_destroy(&barrier);
  }
  return best;
}

/* ---- memory: a = b + s c (McCalpin's triad), 12 bytes an element; with streaming stores; reading alone, from one end to the other, and
 * four quarters side by side, which the processor's prefetching may like better: the faster counts. ---- */

typedef enum pattern { TRIAD, STREAMED, READ, READ_QUARTERS, PATTERNS } pattern;
typedef void (*sweep_fn)(float *a, const float *b, const float *c, size_t n);

/* One sweep for each pattern: n is a multiple of 512. */
#define SWEEPS(isa, name, vector, set, load, store, stream, fma, add, count)                                 \
  __attribute__((target(isa))) static void triad_##name(float *a, const float *b, const float *c, size_t n)  \
  {                                                                                                          \
    vector three = set(3);                                                                                   \
    for (size_t i = 0; i < n; i += 2 * (count)) {                                                            \
      store(a + i, fma(three, load(c + i), load(b + i)));                                                    \
      store(a + i + (count), fma(three, load(c + i + (count)), load(b + i + (count))));                      \
    }                                                                                                        \
  }                                                                                                          \
  __attribute__((target(isa))) static void stream_##name(float *a, const float *b, const float *c, size_t n) \
  {                                                                                                          \
    vector three = set(3);                                                                                   \
    for (size_t i = 0; i < n; i += (count))                                                                  \
      stream(a + i, fma(three, load(c + i), load(b + i)));                                                   \
    _mm_sfence();                                                                                            \
  }                                                                                                          \
  __attribute__((target(isa))) static void sum_##name(float *a, const float *b, size_t apart, size_t n)      \
  {                                                                                                          \
    vector s[8];                                                                                             \
    for (int k = 0; k < 8; k++)                                                                              \
      s[k] = set(0);                                                                                         \
    for (size_t i = 0; i < n; i += 2 * (count)) {                                                            \
      _Pragma("GCC unroll 8") for (int k = 0; k < 8; k++) s[k] =                                             \
          add(s[k], load(b + i * (apart ? 1 : 4) + (size_t)(k / 2) * (apart ? apart : 2 * (count)) +         \
                         (size_t)(k % 2) * (count)));                                                        \
    }                                                                                                        \
    for (int k = 1; k < 8; k++)                                                                              \
      s[0] = add(s[0], s[k]);                                                                                \
    store(a, s[0]);                                                                                          \
  }                                                                                                          \
  static void read_##name(float *a, const float *b, const float *c, size_t n)                                \
  {                                                                                                          \
    (void)c;                                                                                                 \
    sum_##name(a, b, 0, n / 4);                                                                              \
  }                                                                                                          \
  static void quarters_##name(float *a, const float *b, const float *c, size_t n)                            \
  {                                                                                                          \
    (void)c;                                                                                                 \
    sum_##name(a, b, n / 4, n / 4);                                                                          \
  }                                                                                                          \
  static const sweep_fn sweeps_##name[PATTERNS] = {triad_##name, stream_##name, read_##name, quarters_##name};

#if defined(__x86_64__)
SWEEPS("avx512f,fma", avx512, __m512, _mm512_set1_ps, _mm512_load_ps, _mm512_store_ps, _mm512_stream_ps,
       _mm512_fmadd_ps, _mm512_add_ps, 16)
SWEEPS("avx2,fma", avx2, __m256, _mm256_set1_ps, _mm256_load_ps, _mm256_store_ps, _mm256_stream_ps,
       _mm256_fmadd_ps, _mm256_add_ps, 8)
#else
static void triad_plain(float *a, const float *b, const float *c, size_t n)
{
  for (size_t i = 0; i < n; i++)
    a[i] = b[i] + 3 * c[i];
}
static void read_plain(float *a, const float *b, const float *c, size_t n)
{
  float s[4] = {0};
  (void)c;
  for (size_t i = 0; i < n; i += 4)
    for (size_t k = 0; k < 4; k++)
      s[k] += b[i + k];
  a[0] = s[0] + s[1] + s[2] + s[3];
}
static const sweep_fn sweeps_plain[PATTERNS] = {triad_plain, triad_plain, read_plain, read_plain};
#endif

static const sweep_fn *best_sweeps(void)
{
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512f") ? sweeps_avx512 : sweeps_avx2;
#else
  return sweeps_plain;
#endif
}

/* Every thread has memory of its own, touched by itself before the clock runs; the rates of all are added. */
typedef struct sweeper {
  pthread_barrier_t *start;
  float *memory;
  size_t room; /* elements of its memory */
  pattern how;
  size_t n; /* elements of each array */
  double rate;
} sweeper;

static void sweep_times(const sweeper *s, long times)
{
  sweep_fn sweep = best_sweeps()[s->how];
  for (long i = 0; i < times; i++) {
    sweep(s->memory, s->memory + (s->how >= READ ? 64 : s->n + 64),
          s->memory + (s->how >= READ ? 64 : 2 * (s->n + 64)), s->n);
    __asm__ volatile("" ::: "memory");
  }
}

static void *sweep_part(void *arg)
{
  sweeper *s = arg;
  if (!s->memory)
    s->memory = zeros_aligned(s->room, sizeof(float));
  s->n = s->n / (s->how >= READ ? 1 : 3) / 512 * 512;
  long times = 1;
  double took = 0;
  for (;; times *= took < patience / 40 ? 4 : 2) {
    double start = now();
    sweep_times(s, times);
    if ((took = now() - start) >= patience / 10)
      break;
  }
  for (int k = 0; k < 7; k++) {
    pthread_barrier_wait(s->start);
    double start = now();
    sweep_times(s, times);
    double rate = (s->how >= READ ? 4.0 : 12.0) * (double)s->n * (double)times / (now() - start);
    s->rate = rate > s->rate ? rate : s->rate;
  }
  return NULL;
}

/* bytes: of all arrays of one thread together. */
static double sweep_rate(sweeper *s, int threads, pattern how, size_t bytes)
{
  pthread_barrier_t barrier;
  pthread_t id[64];
  double all = 0;
  pthread_barrier_init(&barrier, NULL, (unsigned)threads);
  for (int i = 0; i < threads; i++) {
    s[i].start = &barrier;
    s[i].how = how;
    s[i].n = bytes / sizeof(float);
    s[i].rate = 0;
    pthread_create(&id[i], NULL, sweep_part, &s[i]);
  }
  for (int i = 0; i < threads; i++) {
    pthread_join(id[i], NULL);
    all += s[i].rate;
  }
  pthread_barrier_destroy(&barrier);
  return all;
}

/* Bytes of the data cache of this level that a processor sees, as the system says; sysconf may count all processors' together. */
static size_t cache_bytes(int level, size_t usual)
{
  for (int i = 0; i < 8; i++) {
    char path[96], kind[32] = "", unit = 0;
    int at = 0;
    size_t size = 0;
    const char *const about[] = {"level", "type", "size"};
    for (int k = 0; k < 3; k++) {
      snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cache/index%d/%s", i, about[k]);
      FILE *f = fopen(path, "r");
      if (!f)
        return usual;
      int got = k == 0   ? fscanf(f, "%d", &at)
                : k == 1 ? fscanf(f, "%31s", kind)
                         : fscanf(f, "%zu%c", &size, &unit);
      fclose(f);
      if (got < 1)
        return usual;
    }
    if (at == level && kind[0] != 'I' && size)
      return size << (unit == 'M' ? 20 : unit == 'K' ? 10 : 0);
  }
  return usual;
}

/* Half of each cache, a quarter of the last, which others share; main memory four times the last. */
static void tell_memory(int cores)
{
  static const char *const name[] = {"l1", "l2", "l3", "dram"}, *const what[] = {"triad", "stream", "read"};
  static const size_t usual[] = {32 << 10, 512 << 10, 8 << 20}, share[] = {2, 2, 4};
  size_t bytes[4] = {0, 0, 0, 64u << 20};
  for (int i = 0; i < 3; i++) {
    size_t all = cache_bytes(i + 1, usual[i]);
    printf("%s_bytes %zu\n", name[i], all);
    bytes[i] = all / share[i];
    bytes[3] = 4 * all > bytes[3] ? 4 * all : bytes[3];
  }
  sweeper s[64] = {0};
  for (int i = 0; i < cores; i++)
    s[i].room = bytes[3] / sizeof(float) + 1024;
  for (int level = 0; level < 4; level++)
    for (int how = 0; how <= READ; how++)
      for (int all = 0; all < 2 && (how != STREAMED || level == 3); all++) {
        double found = sweep_rate(s, all ? cores : 1, (pattern)how, bytes[level]);
        if (how == READ)
          found = fmax(found, sweep_rate(s, all ? cores : 1, READ_QUARTERS, bytes[level]));
        printf("%s_%s_%s %.4g\n", what[how], name[level], all ? "all" : "1", found);
      }
  for (int i = 0; i < cores; i++)
    free(s[i].memory);
}

/* ---- the pool, and a call ---- */

static void nothing_to_do(void *arg, int64_t begin, int64_t end, int thread)
{
  (void)arg;
  (void)begin;
  (void)end;
  (void)thread;
}

static double fork_join(bp_ctx *ctx, int threads, bool parked)
{
  double best = 1;
  for (int k = 0; k < (parked ? 20 : 5); k++) {
    int n = parked ? 1 : 2000;
    if (parked)
      usleep(5000);
    double start = now();
    for (int i = 0; i < n; i++)
      bpi_pool_run(ctx, threads, threads, nothing_to_do, NULL);
    double took = (now() - start) / n;
    best = took < best ? took : best;
  }
  return best;
}

static double empty_call(bp_ctx *ctx)
{
  const bpi_kernels *k = bpi_kernels_for(bp_ctx_isa(ctx));
  bpi_loop volatile loop = k->body[BPI_BODY_neg].f32;
  const void *x[1] = {NULL};
  int64_t step[1] = {1};
  float y[16];
  x[0] = y;
  double best = 1;
  for (int r = 0; r < 5; r++) {
    double start = now();
    for (int i = 0; i < 200000; i++)
      loop(0, y, x, step, NULL);
    double took = (now() - start) / 200000;
    best = took < best ? took : best;
  }
  return best;
}

int main(int argc, char **argv)
{
  patience = argc > 1 ? atof(argv[1]) : 0.1;
  int cores = (int)sysconf(_SC_NPROCESSORS_ONLN);
  cores = cores > 64 ? 64 : cores;
  bp_ctx *ctx = bp_ctx_new(&(bp_ctx_options){.threads = cores});
  printf("cores %d\nisa %s\n", cores, bp_isa_name(bp_ctx_isa(ctx)));
#if defined(__x86_64__)
  static const struct {
    const char *name, *needs;
    work_fn f32, f64;
  } isas[] = {{"avx2", "avx2", fma_avx2, fma64_avx2}, {"avx512", "avx512f", fma_avx512, fma64_avx512}};
  for (int i = 0; i < 2; i++) {
    if (!(i ? __builtin_cpu_supports("avx512f") : __builtin_cpu_supports("avx2")))
      continue;
    printf("flops_%s_1 %.4g\n", isas[i].name, rate(isas[i].f32, 1));
    printf("flops_%s_all %.4g\n", isas[i].name, rate(isas[i].f32, cores));
    printf("flops64_%s_1 %.4g\n", isas[i].name, rate(isas[i].f64, 1));
  }
#endif
  tell_memory(cores);
  printf("fork_join %.4g\nfork_join_parked %.4g\nempty_call %.4g\n", fork_join(ctx, cores, false),
         fork_join(ctx, cores, true), empty_call(ctx));
  bp_ctx_free(ctx);
  return 0;
}
