/* What the machine can do at most, measured: multiply-adds in registers, and a = b + c over arrays of several sizes. */
#include "base/pool.h"
#include "kernels/kernels.h"

#include <time.h>

enum { ROUND_NS = 1500000, ROUNDS = 5 };

/* Bytes of the three arrays of one thread together: for caches of every size, and beyond them. */
static const size_t level_bytes[BP_MEMORY_LEVELS] = {24u << 10, 384u << 10, 6u << 20, 96u << 20};

typedef struct effort {
  const bpi_kernels *k;
  int wide;         /* float64 */
  int64_t n;        /* rounds, or elements */
  float *memory[3]; /* of all threads */
  int64_t repeats;
} effort;

static double clock_seconds(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void compute(void *arg, int64_t begin, int64_t end, int thread)
{
  const effort *e = arg;
  double out[8];
  (void)thread;
  for (int64_t i = begin; i < end; i++)
    e->k->peak[e->wide](e->n, out);
}

static void move(void *arg, int64_t begin, int64_t end, int thread)
{
  const effort *e = arg;
  static const int64_t step[2] = {1, 1};
  (void)thread;
  for (int64_t i = begin; i < end; i++)
    for (int64_t k = 0; k < e->repeats; k++) {
      const void *x[2] = {e->memory[1] + i * e->n, e->memory[2] + i * e->n};
      e->k->body[BPI_BODY_add].f32(e->n, e->memory[0] + i * e->n, x, step, NULL);
    }
}

/* Seconds of the fastest of several rounds; *size grows until one takes about ROUND_NS. */
static double fastest(bp_ctx *ctx, int threads, bpi_work work, effort *e, int64_t *size)
{
  double best = 1e9, took = 0;
  for (int k = 0; k < ROUNDS;) {
    double start = clock_seconds();
    bpi_pool_run(ctx, threads, threads, work, e);
    took = clock_seconds() - start;
    if (took < 0.5e-9 * ROUND_NS && *size < INT64_MAX / 4) {
      *size *= took < 1e-10 * ROUND_NS ? 4 : 2;
      best = 1e9;
      continue;
    }
    best = took < best ? took : best;
    k++;
  }
  return best;
}

static double flops_of(bp_ctx *ctx, int threads, int wide)
{
  effort e = {.k = bpi_kernels_for(ctx->isa), .wide = wide, .n = 1000};
  double out[8], seconds = fastest(ctx, threads, compute, &e, &e.n);
  return e.k->peak[wide](e.n, out) * threads / seconds;
}

static double memory_of(bp_ctx *ctx, int threads, size_t bytes, float *memory)
{
  int64_t each = (int64_t)(bytes / (3 * sizeof *memory));
  effort e = {.k = bpi_kernels_for(ctx->isa), .n = each, .repeats = 1};
  for (int k = 0; k < 3; k++)
    e.memory[k] = memory + k * each * threads;
  double seconds = fastest(ctx, threads, move, &e, &e.repeats);
  return 3.0 * sizeof *memory * (double)each * (double)e.repeats * threads / seconds;
}

bp_status bp_limits_measure(bp_ctx *ctx, int threads, bp_limits *limits)
{
  if (!ctx || !limits)
    return bpi_bad_arg("bp_limits_measure", "ctx or limits");
  if (threads < 1 || threads > ctx->threads)
    return bpi_bad_arg("bp_limits_measure", "threads must be from 1 to those of the context");
  /* The threads share the largest size, so that it is main memory's and no more of it is made than needed. */
  size_t largest = level_bytes[BP_MEMORY_LEVELS - 1], room = largest;
  for (int k = 0; k + 1 < BP_MEMORY_LEVELS; k++)
    room = (size_t)threads * level_bytes[k] > room ? (size_t)threads * level_bytes[k] : room;
  float *memory = bpi_alloc_aligned(ctx, room + 64);
  if (!memory)
    return bpi_nomem();
  for (size_t i = 0; i < room / sizeof *memory; i++)
    memory[i] = 1;
  *limits = (bp_limits){
      .threads = threads, .flops32 = flops_of(ctx, threads, 0), .flops64 = flops_of(ctx, threads, 1)};
  for (int k = 0; k < BP_MEMORY_LEVELS; k++) {
    size_t bytes = k + 1 < BP_MEMORY_LEVELS ? level_bytes[k] : largest / (size_t)threads;
    limits->memory_bytes[k] = (double)bytes * threads;
    limits->memory_rate[k] = memory_of(ctx, threads, bytes / 192 * 192, memory);
  }
  bpi_free_aligned(ctx, memory);
  return BP_OK;
}
