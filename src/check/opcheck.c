/* A row held to every law, and the report. */
#include "base/text.h"
#include "check/laws.h"

#include <stdio.h>
#include <string.h>

/* A check under way. */
typedef struct op_check {
  bp_ctx *ctx;
  const bp_op *op;
  bp_op_check_options o;
  bp_op_report report;
  bpi_text text;
  char first[700]; /* the first broken law, and why */
} op_check;

/* One law over all that it is about. */
typedef struct law_tally {
  int held, broken;
} law_tally;

static void tell(op_check *k, const bpi_law *l, const bpi_law_case *c, bp_law_verdict verdict,
                 const char *why)
{
  bp_law_result r = {l->name, l->scope == BPI_PER_ROW ? NULL : c->example, c->seed, verdict, why};
  if (k->o.each)
    k->o.each(k->o.user, &r);
}

/* The place and reason of a law that is broken for the first time. */
static void note_broken(op_check *k, const bpi_law *l, const bpi_law_case *c, const char *why)
{
  bpi_textf(&k->text, "%-36s BROKEN", l->name);
  if (c->example)
    bpi_textf(&k->text, "  \"%s\"", c->example);
  if (l->scope == BPI_PER_SEED)
    bpi_textf(&k->text, ", seed %llu", (unsigned long long)c->seed);
  bpi_textf(&k->text, "\n    %s\n", why);
  if (!*k->first)
    snprintf(k->first, sizeof k->first, "%s: %s: %s", k->op->name ? k->op->name : "row", l->name, why);
}

static bp_status judge(op_check *k, const bpi_law *l, bpi_law_case *c, law_tally *t)
{
  bp_law_verdict verdict;
  char why[512] = "";
  bp_status s = bpi_law_judge(l->holds, c, &verdict);
  if (s != BP_OK)
    return s;
  if (verdict == BP_LAW_BROKEN) {
    snprintf(why, sizeof why, "%s", bp_error());
    if (!t->broken++)
      note_broken(k, l, c, why);
  }
  t->held += verdict == BP_LAW_HOLDS;
  tell(k, l, c, verdict, why);
  return BP_OK;
}

static void count_law(op_check *k, const bpi_law *l, const law_tally *t)
{
  bp_op_report *r = &k->report;
  if (t->broken) {
    r->broken++;
  } else if (t->held) {
    r->held++;
    bpi_textf(&k->text, "%-36s holds\n", l->name);
  } else {
    r->skipped++;
    bpi_textf(&k->text, "%-36s does not apply\n", l->name);
  }
}

static bp_status check_law(op_check *k, const bpi_law *l)
{
  law_tally t = {0, 0};
  bp_status s = BP_OK;
  bool whole = l->scope == BPI_PER_ROW;
  int examples = whole ? 1 : bpi_example_count(k->op), seeds = l->scope == BPI_PER_SEED ? k->o.seeds : 1;
  for (int e = 0; s == BP_OK && e < examples; e++)
    for (int i = 0; s == BP_OK && i < seeds; i++) {
      bpi_law_case c = {.ctx = k->ctx,
                        .op = k->op,
                        .example = whole ? NULL : k->op->examples[e],
                        .seed = k->o.seed + (uint64_t)i,
                        .float64_only = k->o.float64_only};
      s = judge(k, l, &c, &t);
    }
  if (s == BP_OK)
    count_law(k, l, &t);
  return s;
}

/* All of them, or up to a broken one that keeps the others from being asked. */
static bp_status check_laws(op_check *k)
{
  bp_status s = BP_OK;
  size_t n = 0;
  do
    s = check_law(k, &bpi_laws[n]);
  while (s == BP_OK && !(bpi_laws[n].first && k->report.broken) && ++n < bpi_n_laws);
  if (s != BP_OK)
    return s;
  bpi_textf(&k->text, "%d laws hold, %d do not apply, %d broken", k->report.held, k->report.skipped,
            k->report.broken);
  if (n < bpi_n_laws)
    bpi_textf(&k->text, "; the other %d cannot be asked before", (int)(bpi_n_laws - n - 1));
  bpi_textf(&k->text, "\n");
  return BP_OK;
}

bp_status bp_op_check(bp_ctx *ctx, const bp_op *op, const bp_op_check_options *options, bp_op_report *report)
{
  op_check k = {.ctx = ctx, .op = op};
  if (report)
    memset(report, 0, sizeof *report);
  if (!ctx || !op)
    return bpi_bad_arg("bp_op_check", ctx ? "op" : "ctx");
  if (!bpi_is_lawful(op))
    return bpi_bad_arg("bp_op_check", "the row is where a value comes from, an input, state or constant");
  if (options)
    k.o = *options;
  if (k.o.seeds < 0)
    return bpi_bad_arg("bp_op_check", "options->seeds is negative");
  k.o.seeds = k.o.seeds ? k.o.seeds : 3;
  bpi_text_init(&k.text, ctx);
  bp_status s = check_laws(&k);
  char *text = s == BP_OK ? bpi_text_take(&k.text) : NULL;
  if (s != BP_OK || !text) {
    bpi_text_free(&k.text);
    return bpi_nomem();
  }
  k.report.text = text;
  if (report)
    *report = k.report;
  else
    bpi_free(ctx, text);
  return k.report.broken ? bpi_fail(BP_E_CHECK, "%s", k.first) : BP_OK;
}
