/* Measures a network. */
#include "cmd.h"
#include "context.h"
#include "dataset.h"
#include "eval_tell.h"
#include "filekind.h"
#include "input.h"
#include "modelfile.h"
#include "scoring.h"

#include <stdlib.h>
#include <string.h>

/* The table is read twice: for the network, and for the column. */
static int check_by(const settings *s)
{
  bool table = s->n_inputs == 2 && strcmp(s->inputs[1], "-") != 0 && file_kind_of(s->inputs[1]) == FILE_CSV;
  return !s->by || table ? END_DONE
                         : fail(END_USAGE, "--by: names a column of a CSV file, and the data are none");
}

/* ---- rows as they come ---- */

static bp_status see(void *user, const bp_scores *block, int64_t first)
{
  judgement *j = user;
  bp_status st = bp_scores_add(j->scores, block, NULL, 0);
  for (int64_t i = 0; i < bp_scores_rows(block) && j->groups.n && st == BP_OK; i++)
    st = bp_scores_add(j->of[j->groups.of[first + i]], block, &i, 1);
  return st;
}

/* ---- groups ---- */

static int open_groups(judgement *j, bp_ctx *ctx, int64_t rows, bool keep)
{
  const settings *s = j->s;
  int end = grouping_read(&j->groups, ctx, s, s->inputs[1], s->by);
  if (!end && j->groups.rows != rows)
    end = fail(END_DATA, "%s: changed while it was read", s->inputs[1]);
  if (!end && !(j->of = calloc((size_t)j->groups.n, sizeof *j->of)))
    end = fail_memory();
  for (int k = 0; k < j->groups.n && !end; k++)
    end = scores_open(ctx, j->net, !s->json, keep, &j->of[k]);
  return end;
}

/* ---- together ---- */

static int judge(judgement *j, bp_ctx *ctx, const bp_data *data)
{
  const settings *s = j->s;
  int64_t rows = bp_data_rows(data);
  bool all = s->json || !s->quiet, keep = all && scores_fit(s, j->net, rows, s->by && s->json ? 2 : 1);
  int end = all ? scores_open(ctx, j->net, false, keep, &j->scores) : END_DONE;
  if (!end && all && s->by)
    end = open_groups(j, ctx, rows, keep);
  if (end)
    return end;
  bp_status st = all ? bp_net_visit(j->net, data, see, j, &j->m) : bp_net_eval(j->net, data, &j->m);
  if (st != BP_OK)
    return fail_status(st, END_DATA);
  return s->json ? eval_json(j) : eval_tell(j);
}

static int measure(const settings *s, bp_ctx *ctx, bp_net *net)
{
  judgement j = {.s = s, .net = net};
  bp_data *data;
  bp_net_set_unknown(net, (bp_unknown)s->unknown);
  int end = dataset_read_for(ctx, s, net, s->inputs + 1, s->n_inputs - 1, s->target, &data);
  if (end)
    return end;
  bp_unseen unseen;
  bp_status st = bp_net_unseen(net, data, &unseen);
  if (st == BP_OK)
    tell_unseen(path_name(s->inputs[1]), net, &unseen);
  end = st == BP_OK ? judge(&j, ctx, data) : fail_status(st, END_DATA);
  for (int k = 0; j.of && k < j.groups.n; k++)
    bp_scores_free(j.of[k]);
  free(j.of);
  grouping_free(&j.groups);
  bp_scores_free(j.scores);
  bp_data_free(data);
  return end;
}

int cmd_eval(const settings *s)
{
  bp_net *net = NULL;
  int end = check_by(s);
  for (int i = 0; i < s->n_inputs && !end; i++)
    end = output_is_not(s->inputs[i]);
  if (end)
    return end;
  bp_ctx *ctx = context_new(s);
  if (!ctx)
    return END_RESOURCES;
  end = model_load(ctx, s->inputs[0], &net);
  if (!end)
    end = measure(s, ctx, net);
  bp_net_free(net);
  return context_free(ctx, s, end);
}
