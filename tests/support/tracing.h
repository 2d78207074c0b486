/* A graph, its trace, and what the tests of traces ask of them. After cmocka.h. */
#ifndef TEST_TRACING_H
#define TEST_TRACING_H

#include "support/failing.h"

#include <math.h>

#define assert_status(want, s) assert_string_equal(bp_status_name(want), bp_status_name(s))

/* A graph with inputs of memory. */
typedef struct bench {
  failing memory;
  bp_ctx *ctx;
  bp_graph *g;
  bp_trace *t;
} bench;

static inline int set_up(void **state)
{
  bench *b = calloc(1, sizeof *b);
  b->ctx = failing_ctx(&b->memory);
  b->g = bp_graph_new(b->ctx);
  *state = b;
  return 0;
}

static inline int tear_down(void **state)
{
  bench *b = *state;
  bp_trace_free(b->t);
  bp_graph_free(b->g);
  bp_ctx_free(b->ctx);
  long live = b->memory.live;
  free(b);
  if (live)
    print_error("%ld blocks of memory are still alive\n", live);
  return live != 0;
}

static inline bp_node scalar(bench *b, const char *name)
{
  return bp_input(b->g, name, BP_REAL, 0, NULL);
}

static inline void trace_of(bench *b, const bp_node *y, size_t n, const bp_trace_options *o)
{
  if (bp_trace_new(y, n, o, &b->t) != BP_OK)
    fail_msg("%s", bp_error());
}

static inline void feed(bench *b, const char *name, const double *x, size_t n)
{
  if (bp_trace_bind(b->t, name, x, n * sizeof *x) != BP_OK)
    fail_msg("%s", bp_error());
}

static inline void go(bench *b)
{
  if (bp_trace_run(b->t) != BP_OK)
    fail_msg("%s", bp_error());
}

static inline size_t where_is(bench *b, bp_node n)
{
  size_t i;
  if (bp_trace_locate(b->t, n, &i, NULL) != BP_OK)
    fail_msg("%s", bp_error());
  return i;
}

/* Part k of the node, and whether there is one. */
static inline bool part_of(bench *b, bp_trace_part part, bp_node n, int k, double *out, size_t size)
{
  const void *data;
  size_t i = where_is(b, n);
  if (bp_trace_read(b->t, part, i, k, &data, NULL) != BP_OK ||
      bp_trace_get(b->t, part, i, k, out, size) != BP_OK)
    fail_msg("%s", bp_error());
  return data != NULL;
}

static inline void assert_part(bench *b, bp_trace_part part, bp_node n, int k, double want)
{
  double got;
  assert_true(part_of(b, part, n, k, &got, 1));
  if (!(got == want || (isnan(got) && isnan(want))))
    fail_msg("part %d of '%s', %d: %.17g, not %.17g", (int)part, bp_node_name(n) ? bp_node_name(n) : "?", k,
             got, want);
}

#define TRACE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
