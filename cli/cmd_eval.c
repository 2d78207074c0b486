/* Measures a network. */
#include "cmd.h"
#include "context.h"
#include "dataset.h"
#include "measured.h"
#include "modelfile.h"

#include <math.h>

static void tell_metrics(const settings *s, const bp_net *net, const bp_metrics *m)
{
  char rows[32];
  if (s->json) {
    answer("{\"schema\":1,\"model\":");
    json_text(s->inputs[0]);
    answer(",\"data\":");
    json_text(s->inputs[1]);
    answer(",\"metrics\":");
    metrics_json(m);
    answer("}\n");
    return;
  }
  metrics_answer("", m);
  if (bp_net_classes(net))
    answer("loss %.4f (cross-entropy), baseline (always the most common class) %.1f %%, %s rows\n", m->loss,
           100 * m->baseline, with_commas(m->rows, rows));
  else
    answer("MAE %.4g, R2 %.4f, baseline (always the mean) RMSE %.4g, %s rows\n", m->mae, m->r2, m->baseline,
           with_commas(m->rows, rows));
}

static int measure(const settings *s, bp_ctx *ctx, bp_net *net)
{
  bp_metrics m;
  bp_data *data;
  int end = dataset_read_for(ctx, s, net, s->inputs + 1, s->n_inputs - 1, s->target, &data);
  if (end)
    return end;
  bp_status st = bp_net_eval(net, data, &m);
  if (st != BP_OK)
    end = fail_status(st, END_DATA);
  else
    tell_metrics(s, net, &m);
  bp_data_free(data);
  return end;
}

int cmd_eval(const settings *s)
{
  bp_net *net = NULL;
  int end = END_DONE;
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
