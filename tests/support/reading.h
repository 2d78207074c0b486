/* Texts of the language, as tests read them. */
#ifndef BPI_READING_H
#define BPI_READING_H

#include "bprop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 64 };

/* A program with its graph, and the values of an output. */
typedef struct reading {
  bp_ctx *ctx;
  bp_graph *g;
  bp_program *p;
} reading;

static inline reading open_reading(void)
{
  reading r = {.ctx = bp_ctx_new(NULL)};
  r.g = bp_graph_new(r.ctx);
  r.p = bp_program_new(r.g, NULL);
  assert_non_null(r.p);
  return r;
}

static inline void close_reading(reading *r)
{
  bp_program_free(r->p);
  bp_graph_free(r->g);
  bp_ctx_free(r->ctx);
}

static inline reading read_text(const char *text)
{
  reading r = open_reading();
  if (bp_program_read(r.p, "text", text, strlen(text)) != BP_OK)
    fail_msg("%s", bp_program_error(r.p));
  return r;
}

/* Output i, as doubles; returns their number. */
static inline int64_t values_of(reading *r, size_t i, double *out)
{
  bp_variable v;
  bp_plan *plan;
  bp_run *run;
  assert_int_equal(bp_program_output(r->p, i, &v), BP_OK);
  bp_plan_options o = {.real = BP_FLOAT64, .outputs = &v.node, .n_outputs = 1};
  assert_int_equal(bp_plan_new(r->g, &o, &plan), BP_OK);
  assert_int_equal(bp_run_new(plan, NULL, &run), BP_OK);
  assert_int_equal(bp_program_bind(r->p, run), BP_OK);
  if (bp_run_step(run) != BP_OK)
    fail_msg("%s", bp_error());
  int64_t n = bp_node_size(v.node);
  assert_true(n <= MOST);
  assert_int_equal(bp_run_get(run, 0, out, (size_t)n), BP_OK);
  bp_run_free(run);
  bp_plan_free(plan);
  return n;
}

#endif
