/* Patterns of random programs: graphs of every row of the table, with loops, calls, states and constants. Every entry of the Jacobian, made
 * column by column in forward mode, that is not 0 must be in the pattern; the same for the gradient's Jacobian, the Hessian. And the proof
 * that the law bites: rows that claim too narrow a structure are caught.
 *
 * An argument is the number of graphs, a second one the first seed. */
#include "support/random_graph.h"

#include "autodiff/pattern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { MOST = 64, MOST_COLS = 160 };

static uint64_t n_graphs = 150, first_seed = 1, n_patterns, n_runs, n_entries, n_nonzero;

typedef struct function {
  rgraph *r;
  bp_node x[MOST], y[MOST], tangent[MOST], out[MOST];
  size_t n_x, n_y;
  double *seed; /* of all x, joined; the tangents are bound to it */
} function;

static bool is_real(bp_node n)
{
  bp_type t;
  return !bp_failed(n) && bp_node_type(n, &t) == BP_OK && t.dtype == BP_REAL;
}

static int64_t joined(const bp_node *n, size_t count)
{
  int64_t size = 0;
  for (size_t i = 0; i < count; i++)
    size += bp_node_size(n[i]);
  return size;
}

/* All real inputs, as far as columns are not too many; all real outputs and some other nodes. */
static void choose(function *f, rgraph *r)
{
  memset(f, 0, sizeof *f);
  f->r = r;
  for (int i = 0; i < r->n_inputs && f->n_x < MOST; i++) {
    bp_node n = bp_find(r->g, r->inputs[i].name);
    if (is_real(n) && joined(f->x, f->n_x) + bp_node_size(n) <= MOST_COLS)
      f->x[f->n_x++] = n;
  }
  bp_graph_clear(r->g);
  for (size_t i = 0; i < r->n_outputs && f->n_y < MOST; i++)
    if (is_real(r->outputs[i]))
      f->y[f->n_y++] = r->outputs[i];
  for (int i = 0; i < r->n_pool && f->n_y < MOST; i += 3)
    if (is_real(r->pool[i]))
      f->y[f->n_y++] = r->pool[i];
}

static bp_node input_like(bp_graph *g, bp_node n, const char *prefix, size_t i)
{
  bp_type t;
  char name[40];
  bp_node_type(n, &t);
  snprintf(name, sizeof name, "%s%zu", prefix, i);
  return bp_input(g, name, BP_REAL, t.rank, t.dims);
}

/* The first entry that is a number other than 0 outside the pattern: true, and said. NaN says nothing: 0 times infinity is one. */
static bool column_escapes(const function *f, bp_run *run, const bpi_pattern *p, int64_t j)
{
  int64_t row = 0;
  for (size_t k = 0; k < f->n_y; k++) {
    const void *data;
    if (bp_run_output(run, k, &data, NULL) != BP_OK)
      return true;
    for (int64_t i = 0, n = bp_node_size(f->y[k]); i < n; i++, row++) {
      double v = ((const double *)data)[i];
      bool there = false;
      n_nonzero += v == v && v != 0;
      for (int64_t e = p->row_start[row]; e < p->row_start[row + 1]; e++)
        there = there || p->col[e] == j;
      if (v == v && v != 0 && !there) {
        print_message("entry (%lld, %lld) is %g and not in the pattern\n", (long long)row, (long long)j, v);
        return true;
      }
    }
  }
  return false;
}

static bool any_escapes(const function *f, bp_run *run, const bpi_pattern *p)
{
  bool bad = false;
  for (int64_t j = 0; !bad && j < p->cols; j++) {
    f->seed[j] = 1;
    bp_status s = bp_run_step(run);
    f->seed[j] = 0;
    if (s == BP_E_RANGE) /* an index that is out of range at these values */
      return false;
    n_runs++;
    bad = s != BP_OK || column_escapes(f, run, p, j);
  }
  return bad;
}

/* Forward mode, compiled once and run for every column. */
static bool escapes(function *f, const char *prefix)
{
  bp_graph *g = f->r->g;
  bpi_pattern p;
  bp_plan *plan = NULL;
  bp_run *run = NULL;
  int64_t at = 0;
  if (bpi_pattern_of(g, f->y, f->n_y, f->x, f->n_x, 0, &p) != BP_OK) {
    print_message("no pattern: %s\n", bp_error());
    return true;
  }
  n_patterns++;
  n_entries += (uint64_t)p.entries;
  for (size_t i = 0; i < f->n_x; i++)
    f->tangent[i] = input_like(g, f->x[i], prefix, i);
  bool bad = bp_jvp(f->y, f->n_y, f->x, f->tangent, f->n_x, f->out) != BP_OK;
  bp_plan_options o = {.real = BP_FLOAT64, .outputs = f->out, .n_outputs = f->n_y};
  bad = bad || bp_plan_new(g, &o, &plan) != BP_OK || bp_run_new(plan, f->r->state, &run) != BP_OK ||
        rg_bind(f->r, run) != BP_OK;
  f->seed = calloc((size_t)p.cols + 1, sizeof *f->seed);
  for (size_t i = 0; !bad && i < f->n_x; i++) {
    size_t n = (size_t)bp_node_size(f->x[i]);
    bp_status s = bp_run_bind(run, bp_node_name(f->tangent[i]), f->seed + at, n * sizeof *f->seed);
    bad = s != BP_OK && s != BP_E_NOTFOUND;
    at += (int64_t)n;
  }
  if (bad)
    print_message("%s\n", bp_error());
  bad = bad || any_escapes(f, run, &p);
  free(f->seed);
  bp_run_free(run);
  bp_plan_free(plan);
  bpi_pattern_free(&p);
  return bad;
}

/* f becomes the gradient of the sum of all its y. */
static bool to_gradient(function *f)
{
  bp_node up[MOST];
  for (size_t k = 0; k < f->n_y; k++) {
    bp_type t;
    bp_node_type(f->y[k], &t);
    up[k] = bp_full(f->r->g, BP_REAL, 1, t.rank, t.dims);
  }
  if (bp_vjp(f->y, up, f->n_y, f->x, f->n_x, f->out) != BP_OK)
    return false;
  memcpy(f->y, f->out, sizeof f->y);
  f->n_y = f->n_x;
  return true;
}

/* Every node by every input has a local Jacobian, and asking leaves no trace. */
static bool looks_fail(const rgraph *r)
{
  for (int i = 0; i < r->n_pool; i++) {
    bp_local_info info;
    const bpi_node *v = bpi_slot(r->pool[i]);
    uint32_t mark = bp_graph_mark(r->g);
    for (int k = 0; v && is_real(r->pool[i]) && k < bpi_slot(r->pool[i])->n_in; k++) {
      bp_status s = bp_local_look(r->pool[i], k, 0, &info);
      if ((s != BP_OK && s != BP_E_DTYPE) || bp_graph_mark(r->g) != mark) {
        print_message("input %d of node %u: %s\n", k, r->pool[i].index, bp_error());
        return true;
      }
    }
  }
  return false;
}

static bool seed_breaks(bp_ctx *ctx, uint64_t seed, bool local)
{
  rgraph r;
  function f;
  bool bad = !rg_open(&r, ctx, 2 * seed); /* an even one stores float64 */
  if (!bad) {
    choose(&f, &r);
    bad = (local && looks_fail(&r)) ||
          (f.n_x && f.n_y && (escapes(&f, "t") || !to_gradient(&f) || escapes(&f, "tt")));
  }
  if (bad)
    print_message("seed %llu\n", (unsigned long long)seed);
  rg_close(&r);
  return bad;
}

static void patterns_of_random_programs_cover_the_numbers(void **state)
{
  (void)state;
  bp_ctx *ctx = bp_ctx_new(NULL);
  int bad = 0;
  for (uint64_t seed = first_seed; seed < first_seed + n_graphs; seed++)
    bad += seed_breaks(ctx, seed, true);
  bp_ctx_free(ctx);
  print_message("%llu patterns with %llu entries; %llu columns made, %llu entries not 0\n",
                (unsigned long long)n_patterns, (unsigned long long)n_entries, (unsigned long long)n_runs,
                (unsigned long long)n_nonzero);
  assert_int_equal(bad, 0);
}

int main(int argc, char **argv)
{
  if (argc > 1)
    n_graphs = strtoull(argv[1], NULL, 10);
  if (argc > 2)
    first_seed = strtoull(argv[2], NULL, 10);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(patterns_of_random_programs_cover_the_numbers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
