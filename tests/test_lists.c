/* Lists of columns against sets of bits: random joins of two and of many, runs and scattered ones, with lists let go in between. */
#include "autodiff/lists.h"
#include "base/rng.h"
#include "support/failing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

enum { COLS = 64, KEPT = 40, ROUNDS = 20000 };

/* A list and the set that it should be. */
typedef struct twin {
  uint32_t id;
  uint64_t set;
} twin;

typedef struct game {
  bpi_lists l;
  twin kept[KEPT];
  uint64_t drawn, seed;
} game;

static uint64_t below(game *g, uint64_t n)
{
  return bpi_below((bpi_key){.seed = g->seed, .stream = 9}, g->drawn++, n);
}

static int count(uint64_t set)
{
  return __builtin_popcountll(set);
}

static void check(const game *g, twin t)
{
  int32_t n;
  const int32_t *col = bpi_list_items(&g->l, t.id, &n);
  uint64_t set = 0;
  for (int32_t k = 0; k < n; k++) {
    assert_in_range(col[k], 0, COLS - 1);
    assert_true(k == 0 || col[k - 1] < col[k]);
    set |= UINT64_C(1) << col[k];
  }
  assert_true(set == t.set);
}

static twin any(game *g)
{
  if (below(g, 3) == 0) { /* one column, or none */
    uint64_t j = below(g, COLS + 1);
    return j == COLS ? (twin){0, 0} : (twin){(uint32_t)j + 1, UINT64_C(1) << j};
  }
  return g->kept[below(g, KEPT)];
}

static twin join_two(game *g)
{
  twin a = any(g), b = any(g), c = {.set = a.set | b.set};
  g->l.overlap = false;
  c.id = bpi_lists_join(&g->l, a.id, b.id);
  assert_int_equal(g->l.overlap, (a.set & b.set) != 0);
  return c;
}

/* Neighbours in turn make runs; others are taken as they come. */
static twin join_many(game *g)
{
  uint64_t n = below(g, 12), first = below(g, COLS), in_turn = below(g, 2);
  int total = 0;
  twin c = {0, 0};
  g->l.overlap = false;
  bpi_join_begin(&g->l);
  for (uint64_t i = 0; i < n; i++) {
    uint64_t j = (first + i) % COLS;
    twin t = in_turn ? (twin){(uint32_t)j + 1, UINT64_C(1) << j} : any(g);
    bpi_join_add(&g->l, t.id);
    c.set |= t.set;
    total += count(t.set);
  }
  c.id = bpi_join_end(&g->l);
  assert_int_equal(g->l.overlap, total > count(c.set));
  return c;
}

static void let_go(game *g)
{
  uint32_t *new_id = calloc(g->l.n_lists, sizeof *new_id);
  assert_non_null(new_id);
  for (int i = 0; i < KEPT; i++) {
    if (below(g, 4) == 0)
      g->kept[i] = (twin){0, 0};
    new_id[g->kept[i].id] = 1;
  }
  bpi_lists_keep(&g->l, new_id);
  for (int i = 0; i < KEPT; i++)
    g->kept[i].id = new_id[g->kept[i].id];
  free(new_id);
}

static void lists_are_sets(void **state)
{
  (void)state;
  bp_ctx *ctx = bp_ctx_new(NULL);
  game g = {.seed = 1};
  assert_int_equal(bpi_lists_open(&g.l, ctx, COLS, 1 << 24), BP_OK);
  for (int round = 0; round < ROUNDS; round++) {
    twin t = below(&g, 2) ? join_two(&g) : join_many(&g);
    assert_int_equal(g.l.status, BP_OK);
    check(&g, t);
    g.kept[below(&g, KEPT)] = t;
    if (below(&g, 500) == 0)
      let_go(&g);
    if (below(&g, 200) == 0) /* sets grow full: begin with small ones again */
      for (int i = 0; i < KEPT; i++)
        g.kept[i] = (twin){0, 0};
  }
  for (int i = 0; i < KEPT; i++)
    check(&g, g.kept[i]);
  bpi_lists_close(&g.l);
  bp_ctx_free(ctx);
}

/* Columns far apart, in no order: few of them, many, and very many. */
static void scattered_columns_come_in_order(void **state)
{
  (void)state;
  enum { WIDE = 1 << 20 };
  const int counts[] = {2, 3, 40, 300, 4000, 6000, 60000};
  bp_ctx *ctx = bp_ctx_new(NULL);
  game g = {.seed = 4};
  assert_int_equal(bpi_lists_open(&g.l, ctx, WIDE, 1 << 24), BP_OK);
  for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
    uint64_t j = c;
    int32_t n;
    bpi_join_begin(&g.l);
    for (int i = 0; i < counts[c]; i++) {
      j = (j * 5 + 7) % WIDE; /* a full period: every column once */
      bpi_join_add(&g.l, (uint32_t)j + 1);
    }
    const int32_t *col = bpi_list_items(&g.l, bpi_join_end(&g.l), &n);
    assert_int_equal(n, counts[c]);
    for (int32_t k = 1; k < n; k++)
      assert_true(col[k - 1] < col[k]);
  }
  bpi_lists_close(&g.l);
  bp_ctx_free(ctx);
}

/* The stamps of joins are numbers of 32 bits, and begin anew after the last. */
static void stamps_may_run_out(void **state)
{
  (void)state;
  bp_ctx *ctx = bp_ctx_new(NULL);
  game g = {.seed = 2};
  assert_int_equal(bpi_lists_open(&g.l, ctx, COLS, 1 << 20), BP_OK);
  for (int i = 0; i < 200; i++) {
    if (i == 20)
      g.l.now = UINT32_MAX - 40;
    twin t = join_many(&g);
    check(&g, t);
    g.kept[i % KEPT] = t;
  }
  assert_true(g.l.now < 1000);
  bpi_lists_close(&g.l);
  bp_ctx_free(ctx);
}

/* Joins past the limit, and without memory, give the empty list, and the status stays. */
static void limits_and_memory(void **state)
{
  (void)state;
  failing f = {0};
  bp_ctx *ctx = failing_ctx(&f);
  game g = {.seed = 3};
  assert_int_equal(bpi_lists_open(&g.l, ctx, COLS, 20), BP_OK);
  for (int i = 0; i < 1000 && g.l.status == BP_OK; i++)
    bpi_lists_join(&g.l, (uint32_t)below(&g, COLS) + 1, (uint32_t)below(&g, COLS) + 1);
  assert_int_equal(g.l.status, BP_E_LIMIT);
  assert_int_equal(bpi_lists_join(&g.l, 1, 5), 0);
  bpi_lists_close(&g.l);
  assert_int_equal(bpi_lists_open(&g.l, ctx, INT64_C(1) << 31, 20), BP_E_LIMIT);
  for (long at = 1; at <= 3; at++) {
    failing_arm(&f, at, false);
    assert_int_equal(bpi_lists_open(&g.l, ctx, COLS, 20), BP_E_NOMEM);
  }
  failing_arm(&f, 0, false);
  assert_int_equal(bpi_lists_open(&g.l, ctx, 4, 1000), BP_OK);
  failing_arm(&f, 1, true);
  uint32_t last = 1;
  for (int i = 0; i < 1000 && g.l.status == BP_OK; i++)
    last = bpi_lists_join(&g.l, 1 + (uint32_t)i % 2, 4); /* {0, 3} and {1, 3} by turns: none of them a run */
  assert_int_equal(g.l.status, BP_E_NOMEM);
  assert_int_equal(last, 0);
  failing_arm(&f, 0, false);
  bpi_lists_close(&g.l);
  bp_ctx_free(ctx);
  assert_int_equal(f.live, 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lists_are_sets),
      cmocka_unit_test(scattered_columns_come_in_order),
      cmocka_unit_test(stamps_may_run_out),
      cmocka_unit_test(limits_and_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
