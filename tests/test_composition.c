/* The law of composition: over random graphs, all passes on = each pass off = all passes off = some of them off with some number of
 * threads, and one thread = two = three, bit for bit, outputs and state, over several steps. And the proof that the law bites: mistakes seeded in the compiler are caught.
 *
 * An argument is the number of graphs, a second one the first seed. */
#include "support/random_graph.h"

#include "plan/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { STEPS = 3, ALL_OFF = (1 << BP_PASS_COUNT) - 1, MOST_THREADS = 3, MIXTURES = 3, FAULT_GRAPHS = 400 };

static uint64_t n_graphs = 300, first_seed = 1;

/* ---- what a way of compiling gives ---- */

typedef struct record {
  unsigned char *bytes;
  size_t n, cap;
} record;

static void note(record *rec, const void *data, size_t n)
{
  while (rec->n + n > rec->cap) {
    rec->cap = rec->cap ? 2 * rec->cap : 4096;
    rec->bytes = realloc(rec->bytes, rec->cap);
    assert_non_null(rec->bytes);
  }
  if (n)
    memcpy(rec->bytes + rec->n, data, n);
  rec->n += n;
}

/* All NaNs are one: which of two a processor passes on is not promised. */
static void note_array(record *rec, bp_dtype t, const void *data, size_t n)
{
  size_t at = rec->n;
  note(rec, data, n * bp_dtype_size(t));
  for (size_t i = 0; i < n; i++)
    if (t == BP_FLOAT32) {
      float v;
      memcpy(&v, rec->bytes + at + i * 4, 4);
      if (v != v)
        memset(rec->bytes + at + i * 4, 0xff, 4);
    } else if (t == BP_FLOAT64) {
      double v;
      memcpy(&v, rec->bytes + at + i * 8, 8);
      if (v != v)
        memset(rec->bytes + at + i * 8, 0xff, 8);
    }
}

static void note_step(record *rec, rgraph *r, bp_run *run)
{
  bp_status s = bp_run_step(run);
  /* Of two failures the one that comes first is told; which that is depends on the order. */
  bool failed = s != BP_OK;
  note(rec, &failed, sizeof failed);
  for (size_t i = 0; i < r->n_outputs && s == BP_OK; i++) {
    const void *data;
    bp_type t;
    assert_int_equal(bp_run_output(run, i, &data, &t), BP_OK);
    note_array(rec, t.dtype, data, (size_t)bp_node_size(r->outputs[i]));
  }
  for (int e = 0; e < r->n_entries; e++) {
    bp_type t;
    void *data;
    assert_int_equal(bp_state_array(r->state, e, NULL, &t, &data), BP_OK);
    size_t n = 1;
    for (int k = 0; k < t.rank; k++)
      n *= (size_t)t.dims[k];
    note_array(rec, t.dtype == BP_REAL ? r->real : t.dtype, data, n);
  }
}

typedef struct way {
  uint32_t off;
  int threads;
  bpi_fault fault;
  bool verify;
} way;

/* Tiny tiles, so that small arrays take several; every bit of work is shared out. */
static bp_status try_way(rgraph *r, const way *w, record *rec)
{
  bp_plan_options o = rg_plan_options(r);
  o.passes_off = w->off;
  bpi_tuning t = {.fault = w->fault,
                  .tile = 3 + (int64_t)(r->seed % 6),
                  .fuse_min = 2,
                  .split_ns = 1,
                  .scalars = 1 + (int64_t)(r->seed % 3)};
  bp_plan *plan;
  bp_run *run = NULL;
  rec->n = 0;
  r->ctx->threads = w->threads;
  rg_reset_state(r);
  bp_status s = bpi_plan_new(r->g, &o, &t, &plan);
  if (s == BP_OK && w->verify)
    s = bpi_plan_verify(plan);
  if (s == BP_OK)
    s = bp_run_new(plan, r->state, &run);
  if (s == BP_OK)
    s = rg_bind(r, run);
  for (int k = 0; k < STEPS && s == BP_OK; k++)
    note_step(rec, r, run);
  bp_run_free(run);
  bp_plan_free(plan);
  r->ctx->threads = MOST_THREADS;
  return s;
}

static bool same_record(const record *a, const record *b)
{
  return a->n == b->n && memcmp(a->bytes, b->bytes, a->n) == 0;
}

static void show_plan(rgraph *r, uint32_t off)
{
  bp_plan_options o = rg_plan_options(r);
  o.passes_off = off;
  /* No such fault: the plan is shown also where it would be refused. */
  bpi_tuning t = {.fault = BPI_FAULT_COUNT,
                  .tile = 3 + (int64_t)(r->seed % 6),
                  .fuse_min = 2,
                  .split_ns = 1,
                  .scalars = 1 + (int64_t)(r->seed % 3)};
  bp_plan *plan;
  char *text;
  if (bp_graph_print(r->g, &text) == BP_OK) {
    fprintf(stderr, "%s", text);
    bp_free(r->ctx, text);
  }
  if (bpi_plan_new(r->g, &o, &t, &plan) == BP_OK && bp_plan_print(plan, &text) == BP_OK) {
    fprintf(stderr, "%s", text);
    bp_free(r->ctx, text);
  }
  bp_plan_free(plan);
}

/* ---- the law ---- */

/* -1: all on; then each pass off; then more threads; then mixtures, others for each graph. */
static way nth_way(const rgraph *r, int k)
{
  const int threads = k - BP_PASS_COUNT + 2;
  way w = {.off = k < 0 || k >= BP_PASS_COUNT ? 0 : 1u << k, .threads = 1, .verify = true};
  if (k >= BP_PASS_COUNT)
    w.threads = threads;
  if (threads > MOST_THREADS) {
    const uint64_t drawn = (r->seed * MIXTURES + (uint64_t)threads) * UINT64_C(0x9e3779b97f4a7c15);
    w.off = (uint32_t)(drawn >> 40) & ALL_OFF;
    w.threads = 1 + (int)((drawn >> 32) % MOST_THREADS);
  }
  return w;
}

static bool law_holds(rgraph *r, record *all_off, record *other)
{
  way reference = {.off = ALL_OFF, .threads = 1, .verify = true};
  bp_status s = try_way(r, &reference, all_off);
  if (s != BP_OK) {
    print_error("seed %llu: all passes off: %s\n", (unsigned long long)r->seed, bp_error());
    return false;
  }
  bool good = true;
  for (int k = -1; k < BP_PASS_COUNT + MOST_THREADS - 1 + MIXTURES && good; k++) {
    way w = nth_way(r, k);
    s = try_way(r, &w, other);
    good = s == BP_OK && same_record(all_off, other);
    if (!good)
      print_error("seed %llu: passes off 0x%x, %d threads: %s\n", (unsigned long long)r->seed, w.off,
                  w.threads, s == BP_OK ? "other bits" : bp_error());
    if (!good && getenv("SHOW_PLAN"))
      show_plan(r, w.off);
  }
  return good;
}

static void passes_and_threads_keep_the_bits(void **state)
{
  (void)state;
  bp_ctx *ctx = bp_ctx_new(&(bp_ctx_options){.threads = MOST_THREADS});
  record a = {0}, b = {0};
  int broken = 0, rows = 0;
  assert_non_null(ctx);
  for (uint64_t seed = first_seed; seed < first_seed + n_graphs; seed++) {
    rgraph r;
    assert_true(rg_open(&r, ctx, seed));
    broken += !law_holds(&r, &a, &b);
    rows += r.rows_used;
    rg_close(&r);
  }
  free(a.bytes);
  free(b.bytes);
  bp_ctx_free(ctx);
  print_message("%llu graphs, %d calls of rows, %d broken\n", (unsigned long long)n_graphs, rows, broken);
  assert_int_equal(broken, 0);
}

/* ---- that it bites ---- */

/* A plan with a mistake may copy memory onto itself, at which a sanitizer stops: there it is not run when the verifier has
 * refused it already. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

static bool fault_shows(rgraph *r, bpi_fault fault, const record *right, record *rec, int *refused)
{
  way w = {.threads = 1, .fault = fault, .verify = true};
  bool bad = try_way(r, &w, rec) == BP_E_INTERNAL;
  *refused += bad;
  if (!bad || SANITIZED)
    return bad || !same_record(right, rec);
  w.verify = false;
  return try_way(r, &w, rec) != BP_OK || !same_record(right, rec);
}

static void every_seeded_fault_is_caught(void **state)
{
  static const char *const what[] = {"none",
#define FAULT_TEXT(name, text) #name ": " text,
                                     BPI_FAULT_LIST(FAULT_TEXT)
#undef FAULT_TEXT
  };
  (void)state;
  int caught[BPI_FAULT_COUNT] = {0}, refused[BPI_FAULT_COUNT] = {0}, missed = 0;
  bp_ctx *ctx = bp_ctx_new(&(bp_ctx_options){.threads = MOST_THREADS});
  record a = {0}, b = {0};
  assert_non_null(ctx);
  for (uint64_t seed = first_seed; seed < first_seed + FAULT_GRAPHS; seed++) {
    rgraph r;
    way reference = {.off = ALL_OFF, .threads = 1};
    assert_true(rg_open(&r, ctx, seed));
    assert_int_equal(try_way(&r, &reference, &a), BP_OK);
    for (int f = 1; f < BPI_FAULT_COUNT; f++)
      caught[f] += fault_shows(&r, (bpi_fault)f, &a, &b, &refused[f]);
    rg_close(&r);
  }
  free(a.bytes);
  free(b.bytes);
  bp_ctx_free(ctx);
  for (int f = 1; f < BPI_FAULT_COUNT; f++) {
    print_message("%-90s %4d graphs; the verifier: %4d\n", what[f], caught[f], refused[f]);
    missed += caught[f] == 0;
  }
  assert_int_equal(missed, 0);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(passes_and_threads_keep_the_bits),
                                     cmocka_unit_test(every_seeded_fault_is_caught)};
  if (argc > 1)
    n_graphs = strtoull(argv[1], NULL, 10);
  if (argc > 2)
    first_seed = strtoull(argv[2], NULL, 10);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
