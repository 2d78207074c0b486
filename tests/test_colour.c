/* Colouring: every entry can be read off the sweeps, and there are few of them. */
#include "check/colour.h"
#include "support/failing.h"
#include "support/patterns.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static bp_ctx *ctx;

/* ---- the law: what is read off the sweeps is the matrix ---- */

/* Entries that no sum of others can be mistaken for: large random whole numbers, exact in double. */
static double entry_value(int64_t i, int64_t j)
{
  uint64_t s = (uint64_t)i * 1000003u + (uint64_t)j;
  return (double)(pattern_random(&s) >> 24);
}

/* What the sweeps give, computed from the colours alone: forward ones [n][rows], then reverse ones [n][cols]. */
static double **sweeps_of(const bpi_csr *p, const bpi_colouring *c, bool symmetric)
{
  int64_t n = c->forward + c->reverse, most = p->rows > p->cols ? p->rows : p->cols;
  double **sum = calloc((size_t)n + 1, sizeof *sum);
  for (int64_t k = 0; k < n; k++)
    sum[k] = calloc((size_t)most + 1, sizeof **sum);
  for (int64_t i = 0; i < p->rows; i++)
    for (int64_t e = p->start[i]; e < p->start[i + 1]; e++) {
      int64_t j = p->col[e];
      double v = symmetric && j < i ? entry_value(j, i) : entry_value(i, j);
      if (c->of_col[j] >= 0)
        sum[c->of_col[j]][i] += v;
      if (c->of_row[i] >= 0)
        sum[c->forward + c->of_row[i]][j] += v;
    }
  return sum;
}

static void assert_recovers(const bpi_csr *p, const bpi_colouring *c, bool symmetric)
{
  double **sum = sweeps_of(p, c, symmetric);
  for (int64_t i = 0; i < p->rows; i++)
    for (int64_t e = p->start[i]; e < p->start[i + 1]; e++) {
      int64_t j = p->col[e];
      assert_in_range(c->sweep[e], 0, c->forward + c->reverse - 1);
      double v = symmetric && j < i ? entry_value(j, i) : entry_value(i, j);
      if (sum[c->sweep[e]][c->element[e]] != v)
        fail_msg("entry (%lld, %lld) of %lld x %lld cannot be read off", (long long)i, (long long)j,
                 (long long)p->rows, (long long)p->cols);
    }
  for (int64_t k = 0; k < c->forward + c->reverse; k++)
    free(sum[k]);
  free(sum);
}

static int64_t sweeps_needed(bpi_arena *a, const bpi_csr *p, bp_sweeps sweeps)
{
  bpi_colouring c;
  assert_int_equal(bpi_colour_jacobian(a, p, sweeps, &c), BP_OK);
  assert_recovers(p, &c, false);
  if (sweeps == BP_SWEEPS_FORWARD)
    assert_int_equal(c.reverse, 0);
  if (sweeps == BP_SWEEPS_REVERSE)
    assert_int_equal(c.forward, 0);
  return c.forward + c.reverse;
}

static int64_t star_sweeps_needed(bpi_arena *a, const bpi_csr *p)
{
  bpi_colouring c;
  assert_int_equal(bpi_colour_hessian(a, p, &c), BP_OK);
  assert_recovers(p, &c, true);
  assert_int_equal(c.reverse, 0);
  return c.forward;
}

static void every_entry_of_random_patterns(void **state)
{
  (void)state;
  for (uint64_t seed = 0; seed < 4000; seed++) {
    bpi_arena a;
    bpi_arena_init(&a, ctx);
    bpi_csr p = pattern_at_random(&a, seed, false), t;
    assert_int_equal(bpi_csr_transpose(&a, &p, &t, NULL), BP_OK);
    int64_t forward = sweeps_needed(&a, &p, BP_SWEEPS_FORWARD);
    int64_t reverse = sweeps_needed(&a, &p, BP_SWEEPS_REVERSE);
    int64_t best = sweeps_needed(&a, &p, BP_SWEEPS_AUTO);
    assert_true(forward >= bpi_csr_longest(&p) && forward <= p.cols);
    assert_true(reverse >= bpi_csr_longest(&t) && reverse <= p.rows);
    assert_true(best <= forward && best <= reverse);
    bpi_arena_free(&a);
  }
}

static void every_entry_of_random_symmetric_patterns(void **state)
{
  (void)state;
  for (uint64_t seed = 0; seed < 4000; seed++) {
    bpi_arena a;
    bpi_arena_init(&a, ctx);
    bpi_csr p = pattern_at_random(&a, seed, true);
    assert_true(star_sweeps_needed(&a, &p) <= p.rows);
    bpi_arena_free(&a);
  }
}

static void transposing_twice_gives_the_pattern(void **state)
{
  (void)state;
  for (uint64_t seed = 0; seed < 200; seed++) {
    bpi_arena a;
    bpi_arena_init(&a, ctx);
    bpi_csr p = pattern_at_random(&a, seed, false), t, back;
    int64_t *entry;
    assert_int_equal(bpi_csr_transpose(&a, &p, &t, &entry), BP_OK);
    assert_int_equal(bpi_csr_transpose(&a, &t, &back, NULL), BP_OK);
    assert_int_equal(bpi_csr_entries(&t), bpi_csr_entries(&p));
    assert_memory_equal(p.start, back.start, (size_t)(p.rows + 1) * sizeof *p.start);
    assert_memory_equal(p.col, back.col, (size_t)bpi_csr_entries(&p) * sizeof *p.col);
    for (int64_t j = 0; j < t.rows; j++)
      for (int64_t e = t.start[j]; e < t.start[j + 1]; e++) {
        assert_int_equal(p.col[entry[e]], j);
        assert_true(entry[e] >= p.start[t.col[e]] && entry[e] < p.start[t.col[e] + 1]);
      }
    bpi_arena_free(&a);
  }
}

/* ---- how many ---- */

/* Known counts. A band of half width h has rows of 2h + 1 entries, so no fewer colours will do, and j mod (2h + 1) does. Of n x m, all full, each
 * column (or row) is alone. In the arrow, the full row alone asks for a reverse sweep or n forward ones; the column next to it and the diagonal
 * meet in each other row, which makes 2 more. The five-point stencil's rows have 5 entries, and (x + 2y) mod 5 does. */
static void known_counts(void **state)
{
  (void)state;
  static const struct known {
    pattern_rule rule;
    int64_t rows, cols, n;
    bp_sweeps sweeps;
    int64_t want;
  } known[] = {
      {rule_band, 50, 50, 1, BP_SWEEPS_AUTO, 3},       {rule_band, 50, 50, 0, BP_SWEEPS_AUTO, 1},
      {rule_band, 50, 50, 2, BP_SWEEPS_FORWARD, 5},    {rule_band, 60, 60, 3, BP_SWEEPS_REVERSE, 7},
      {rule_dense, 7, 30, 0, BP_SWEEPS_AUTO, 7},       {rule_dense, 30, 7, 0, BP_SWEEPS_AUTO, 7},
      {rule_dense, 30, 7, 0, BP_SWEEPS_REVERSE, 30},   {rule_blocks, 60, 60, 6, BP_SWEEPS_AUTO, 6},
      {rule_arrow, 40, 40, 0, BP_SWEEPS_AUTO, 3},      {rule_arrow, 40, 40, 0, BP_SWEEPS_BOTH, 3},
      {rule_arrow, 40, 40, 0, BP_SWEEPS_FORWARD, 40},  {rule_arrow, 40, 40, 0, BP_SWEEPS_REVERSE, 40},
      {rule_stencil, 100, 100, 10, BP_SWEEPS_AUTO, 5}, {rule_dense, 1, 30, 0, BP_SWEEPS_AUTO, 1},
      {rule_dense, 0, 30, 0, BP_SWEEPS_AUTO, 0},       {rule_dense, 30, 0, 0, BP_SWEEPS_AUTO, 0},
  };
  for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
    const struct known *w = &known[k];
    bpi_arena a;
    bpi_arena_init(&a, ctx);
    bpi_csr p = pattern_by_rule(&a, w->rule, w->rows, w->cols, w->n);
    int64_t got = sweeps_needed(&a, &p, w->sweeps);
    if (got != w->want)
      fail_msg("case %zu: %lld sweeps, wanted %lld", k, (long long)got, (long long)w->want);
    bpi_arena_free(&a);
  }
}

/* Stars: the arrow is one (hub and leaves); a path a-b-c-d needs 3 colours, which do for every longer one (tridiagonal); a clique needs as many
 * as it has vertices. */
static void known_star_counts(void **state)
{
  (void)state;
  static const struct known {
    pattern_rule rule;
    int64_t size, n, want;
  } known[] = {{rule_arrow, 40, 0, 2}, {rule_band, 50, 1, 3},   {rule_band, 3, 1, 2},  {rule_band, 50, 0, 1},
               {rule_dense, 9, 0, 9},  {rule_blocks, 60, 5, 5}, {rule_band, 60, 2, 5}, {rule_dense, 0, 0, 0}};
  for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
    bpi_arena a;
    bpi_arena_init(&a, ctx);
    bpi_csr p = pattern_by_rule(&a, known[k].rule, known[k].size, known[k].size, known[k].n);
    int64_t got = star_sweeps_needed(&a, &p);
    if (got != known[k].want)
      fail_msg("case %zu: %lld sweeps, wanted %lld", k, (long long)got, (long long)known[k].want);
    bpi_arena_free(&a);
  }
}

/* x'y: all second derivatives are between an x and a y, none on the diagonal. Both triangles come from the sweeps of one side. */
static int rule_pairs(int64_t i, int64_t j, int64_t n)
{
  return i + n == j || j + n == i;
}

static void colours_that_nothing_is_read_from_are_dropped(void **state)
{
  (void)state;
  bpi_arena a;
  bpi_arena_init(&a, ctx);
  bpi_csr p = pattern_by_rule(&a, rule_pairs, 20, 20, 10);
  assert_int_equal(star_sweeps_needed(&a, &p), 1);
  bpi_arena_free(&a);
}

/* ---- symmetric patterns ---- */

static void a_pattern_and_its_transpose_together(void **state)
{
  (void)state;
  for (uint64_t seed = 0; seed < 300; seed++) {
    bpi_arena a;
    bpi_arena_init(&a, ctx);
    bpi_csr p = pattern_at_random(&a, seed, false), both;
    int64_t n = p.rows < p.cols ? p.rows : p.cols;
    char *grid = calloc((size_t)(n * n) + 1, 1);
    for (int64_t i = 0; i < n; i++)
      for (int64_t e = p.start[i]; e < p.start[i + 1]; e++)
        if (p.col[e] < n)
          grid[i * n + p.col[e]] = 1;
    p = pattern_of_grid(&a, grid, n, n);
    for (int64_t i = 0; i < n; i++)
      for (int64_t j = 0; j < i; j++)
        grid[i * n + j] = grid[j * n + i] = grid[i * n + j] | grid[j * n + i];
    bpi_csr want = pattern_of_grid(&a, grid, n, n);
    assert_int_equal(bpi_csr_symmetric(&a, &p, &both), BP_OK);
    assert_memory_equal(both.start, want.start, (size_t)(n + 1) * sizeof *want.start);
    assert_memory_equal(both.col, want.col, (size_t)bpi_csr_entries(&want) * sizeof *want.col);
    free(grid);
    bpi_arena_free(&a);
  }
}

/* ---- size and memory ---- */

/* The arrow of n rows: entries grow with n, and so must time: a step for each pair of entries of the full row would be 4e10. */
static void long_rows_cost_no_more_than_their_entries(void **state)
{
  (void)state;
  enum { N = 200000 };
  bpi_arena a;
  bpi_arena_init(&a, ctx);
  bpi_csr p = {.rows = N, .cols = N};
  p.start = bpi_arena_alloc(&a, N + 1, sizeof *p.start);
  p.col = bpi_arena_alloc(&a, 3 * (size_t)N, sizeof *p.col);
  int64_t n = 0;
  for (int64_t i = 0; i < N; i++) {
    for (int64_t j = 0; i == 0 && j < N; j++)
      p.col[n++] = (int32_t)j;
    if (i > 0) {
      p.col[n++] = 0;
      p.col[n++] = (int32_t)i;
    }
    p.start[i + 1] = n;
  }
  bpi_colouring c;
  assert_int_equal(bpi_colour_jacobian(&a, &p, BP_SWEEPS_AUTO, &c), BP_OK);
  assert_int_equal(c.forward + c.reverse, 3);
  assert_int_equal(bpi_colour_hessian(&a, &p, &c), BP_OK);
  assert_int_equal(c.forward, 2);
  bpi_arena_free(&a);
}

static void allocations_may_fail(void **state)
{
  (void)state;
  failing f = {0};
  bp_ctx *failing_context = failing_ctx(&f);
  for (int onwards = 0; onwards < 2; onwards++) {
    bp_status s = BP_E_NOMEM;
    for (long at = 1; s != BP_OK; at++) {
      bpi_arena own, a;
      bpi_colouring c;
      bpi_arena_init(&own, ctx);
      bpi_arena_init(&a, failing_context);
      bpi_csr p = pattern_by_rule(&own, rule_stencil, 400, 400, 20);
      failing_arm(&f, at, onwards);
      s = bpi_colour_jacobian(&a, &p, BP_SWEEPS_AUTO, &c);
      if (s == BP_OK)
        s = bpi_colour_hessian(&a, &p, &c);
      assert_true(s == BP_OK || s == BP_E_NOMEM);
      failing_arm(&f, 0, false);
      bpi_arena_free(&a);
      bpi_arena_free(&own);
      assert_true(at < 10000);
    }
  }
  bp_ctx_free(failing_context);
  assert_int_equal(f.live, 0);
}

int main(void)
{
  ctx = bp_ctx_new(NULL);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_entry_of_random_patterns),
      cmocka_unit_test(every_entry_of_random_symmetric_patterns),
      cmocka_unit_test(transposing_twice_gives_the_pattern),
      cmocka_unit_test(known_counts),
      cmocka_unit_test(known_star_counts),
      cmocka_unit_test(colours_that_nothing_is_read_from_are_dropped),
      cmocka_unit_test(a_pattern_and_its_transpose_together),
      cmocka_unit_test(long_rows_cost_no_more_than_their_entries),
      cmocka_unit_test(allocations_may_fail),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  bp_ctx_free(ctx);
  return failed;
}
