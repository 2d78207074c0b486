/* The laws of the operation table: every law, over every row, every example and a few seeds. Naming no operation: a new row is
 * tested the moment it exists. With an argument, only rows whose name contains it. */
#include "check/laws.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

enum { SEEDS = 3, MOST_LAWS = 32 };

static const char *only_rows = "";

typedef struct tally {
  int held, skipped, broken;
} tally;

static void judge(const bpi_law *l, bpi_law_case *c, tally *t)
{
  bp_law_verdict v;
  assert_int_equal(bpi_law_judge(l->holds, c, &v), BP_OK);
  t->held += v == BP_LAW_HOLDS;
  t->skipped += v == BP_LAW_SKIPPED;
  t->broken += v == BP_LAW_BROKEN;
  if (v == BP_LAW_BROKEN)
    print_error("%s: %s, \"%s\", seed %d: %s\n", l->name, c->op->name, c->example ? c->example : "",
                (int)c->seed, bp_error());
}

static void judge_row(const bpi_law *l, bp_ctx *ctx, const bp_op *op, tally *t)
{
  int examples = l->scope == BPI_PER_ROW ? 1 : bpi_example_count(op),
      seeds = l->scope == BPI_PER_SEED ? SEEDS : 1;
  for (int e = 0; e < examples; e++)
    for (int seed = 0; seed < seeds; seed++) {
      bpi_law_case c = {.ctx = ctx,
                        .op = op,
                        .example = l->scope == BPI_PER_ROW ? NULL : op->examples[e],
                        .seed = (uint64_t)seed};
      judge(l, &c, t);
    }
}

static void law_holds_for_every_row(void **state)
{
  const bpi_law *l = *state;
  tally t = {0, 0, 0};
  bp_ctx *ctx = bp_ctx_new(NULL);
  assert_non_null(ctx);
  for (size_t i = 0; i < bp_op_count(); i++)
    if (bpi_is_lawful(bp_op_at(i)) && strstr(bp_op_at(i)->name, only_rows))
      judge_row(l, ctx, bp_op_at(i), &t);
  bp_ctx_free(ctx);
  print_message("%s: %d held, %d did not apply, %d broken\n", l->name, t.held, t.skipped, t.broken);
  assert_int_equal(t.broken, 0);
  if (!*only_rows)
    assert_true(t.held > 0);
}

/* What is asked of the rows of the table, and not of a caller's own. */
static void every_row_is_in_the_table(void **state)
{
  (void)state;
  for (size_t i = 0; i < bp_op_count(); i++) {
    const bp_op *op = bp_op_at(i);
    if (!op->math || !*op->math || !op->source || !*op->source)
      fail_msg("%s: math or source is missing", op->name);
    if (bp_op_find(op->name) != op)
      fail_msg("%s: bp_op_find gives another row of that name", op->name);
    if (i && strcmp(bp_op_at(i - 1)->name, op->name) >= 0)
      fail_msg("%s: rows are not in the order of their names, each once", op->name);
  }
}

int main(int argc, char **argv)
{
  struct CMUnitTest tests[MOST_LAWS + 1];
  if (argc > 1)
    only_rows = argv[1];
  if (bpi_n_laws > MOST_LAWS)
    return 1;
  for (size_t i = 0; i < bpi_n_laws; i++)
    tests[i] =
        (struct CMUnitTest){bpi_laws[i].name, law_holds_for_every_row, NULL, NULL, (void *)&bpi_laws[i]};
  tests[bpi_n_laws] = (struct CMUnitTest)cmocka_unit_test(every_row_is_in_the_table);
  return _cmocka_run_group_tests("laws", tests, bpi_n_laws + 1, NULL, NULL);
}
