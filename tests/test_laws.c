/* The laws of the operation table: every law, over every row, every example and a few seeds. Naming no operation: a new row is
 * tested the moment it exists. With an argument, only rows whose name contains it. */
#include "support/laws.h"

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

static void judge(const law *l, law_case *c, tally *t)
{
  verdict v = l->holds(c);
  t->held += v == LAW_HOLDS;
  t->skipped += v == LAW_SKIPPED;
  t->broken += v == LAW_BROKEN;
  if (v == LAW_BROKEN)
    print_error("%s: %s, \"%s\", seed %d: %s\n", l->name, c->op->name, c->example ? c->example : "",
                (int)c->seed, c->why);
}

static void judge_row(const law *l, bp_ctx *ctx, const bp_op *op, tally *t)
{
  int examples = l->scope == PER_ROW ? 1 : count_examples(op), seeds = l->scope == PER_SEED ? SEEDS : 1;
  for (int e = 0; e < examples; e++)
    for (int seed = 0; seed < seeds; seed++) {
      law_case c = {.ctx = ctx,
                    .op = op,
                    .example = l->scope == PER_ROW ? NULL : op->examples[e],
                    .seed = (uint64_t)seed};
      judge(l, &c, t);
    }
}

static void law_holds_for_every_row(void **state)
{
  const law *l = *state;
  tally t = {0, 0, 0};
  bp_ctx *ctx = bp_ctx_new(NULL);
  assert_non_null(ctx);
  for (size_t i = 0; i < bp_op_count(); i++)
    if (is_lawful(bp_op_at(i)) && strstr(bp_op_at(i)->name, only_rows))
      judge_row(l, ctx, bp_op_at(i), &t);
  bp_ctx_free(ctx);
  print_message("%s: %d held, %d did not apply, %d broken\n", l->name, t.held, t.skipped, t.broken);
  assert_int_equal(t.broken, 0);
  if (!*only_rows)
    assert_true(t.held > 0);
}

int main(int argc, char **argv)
{
  struct CMUnitTest tests[MOST_LAWS];
  if (argc > 1)
    only_rows = argv[1];
  if (n_laws > MOST_LAWS)
    return 1;
  for (size_t i = 0; i < n_laws; i++)
    tests[i] =
        (struct CMUnitTest){all_laws[i].name, law_holds_for_every_row, NULL, NULL, (void *)&all_laws[i]};
  return _cmocka_run_group_tests("laws", tests, n_laws, NULL, NULL);
}
