/* Measures a network. */
#include "cmd.h"
#include "context.h"
#include "dataset.h"
#include "eval_tell.h"
#include "filekind.h"
#include "modelfile.h"

#include <stdlib.h>
#include <string.h>

int group_scores(const judgement *j, int k, bp_scores **some)
{
  int64_t n, *rows = grouping_rows(j->groups, k, &n);
  *some = NULL;
  if (!rows || bp_scores_part(j->scores, rows, n, some) != BP_OK) {
    free(rows);
    return fail_memory();
  }
  free(rows);
  return END_DONE;
}

/* The table is read twice: for the network, and for the column. */
static int check_by(const settings *s)
{
  bool table = s->n_inputs == 2 && strcmp(s->inputs[1], "-") != 0 && file_kind_of(s->inputs[1]) == FILE_CSV;
  return !s->by || table ? END_DONE
                         : fail(END_USAGE, "--by: names a column of a CSV file, and the data are none");
}

static int read_groups(const judgement *j, bp_ctx *ctx, grouping *g)
{
  const settings *s = j->s;
  int end = grouping_read(g, ctx, s, s->inputs[1], s->by);
  if (!end && g->rows != bp_scores_rows(j->scores))
    end = fail(END_DATA, "%s: changed while it was read", s->inputs[1]);
  return end;
}

static int tell(judgement *j, bp_ctx *ctx)
{
  grouping groups = {0};
  int end = j->s->by ? read_groups(j, ctx, &groups) : END_DONE;
  j->groups = j->s->by ? &groups : NULL;
  if (!end)
    end = j->s->json ? eval_json(j) : eval_tell(j);
  j->groups = NULL;
  grouping_free(&groups);
  return end;
}

static int measure(const settings *s, bp_ctx *ctx, bp_net *net)
{
  judgement j = {.s = s, .net = net};
  bp_data *data;
  bp_scores *scores = NULL;
  bp_net_set_unknown(net, (bp_unknown)s->unknown);
  int end = dataset_read_for(ctx, s, net, s->inputs + 1, s->n_inputs - 1, s->target, &data);
  if (end)
    return end;
  bp_status st = bp_net_eval(net, data, &j.m);
  if (st == BP_OK)
    st = bp_net_scores(net, data, &scores);
  j.scores = scores;
  end = st == BP_OK ? tell(&j, ctx) : fail_status(st, END_DATA);
  bp_scores_free(scores);
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
