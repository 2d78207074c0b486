/* Applies a network to rows without answers. */
#include "cmd.h"
#include "context.h"
#include "dataset.h"
#include "input.h"
#include "modelfile.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 4 << 20, MOST_COLUMNS = 16 };

static int64_t best_of(const float *p, int64_t n)
{
  int64_t best = 0;
  for (int64_t k = 1; k < n; k++)
    if (p[k] > p[best])
      best = k;
  return best;
}

static void row_json(const bp_net *net, int64_t row, const float *y)
{
  int64_t n = bp_net_outputs(net);
  answer("{\"row\":%lld", (long long)row);
  if (bp_net_classes(net)) {
    answer(",\"class\":");
    json_text(class_text(net, best_of(y, n)));
    answer(",\"p\":[");
  } else {
    answer(n > 1 ? ",\"values\":[" : ",\"value\":");
  }
  for (int64_t k = 0; k < n; k++) {
    if (bp_net_classes(net))
      answer(k ? ",%.4g" : "%.4g", (double)y[k]);
    else
      answer(k ? ",%.9g" : "%.9g", (double)y[k]);
  }
  answer(bp_net_classes(net) || n > 1 ? "],\"schema\":1}\n" : ",\"schema\":1}\n");
}

/* Width of the column of classes. */
static int class_width(const bp_net *net)
{
  int width = 5;
  for (int64_t k = 0; k < bp_net_classes(net); k++) {
    int n = (int)strlen(shown(class_text(net, k)));
    width = n > width ? n : width;
  }
  return width > 40 ? 40 : width;
}

static int p_width(const bp_net *net, int64_t k)
{
  int n = (int)strlen(shown(class_text(net, k)));
  return n > 6 ? n : 6;
}

static void heading(const bp_net *net, int width)
{
  int64_t n = bp_net_outputs(net);
  answer("%6s", "row");
  if (!bp_net_classes(net)) {
    answer("  %12s\n", n > 1 ? "values" : *bp_net_target(net) ? shown(bp_net_target(net)) : "value");
    return;
  }
  answer("  %-*s", width, "class");
  for (int64_t k = 0; k < n && n <= MOST_COLUMNS; k++)
    answer("  %*s", p_width(net, k), shown(class_text(net, k)));
  answer(n <= MOST_COLUMNS ? "\n" : "  probability\n");
}

static void row_text(const bp_net *net, int64_t row, const float *y, int width)
{
  int64_t n = bp_net_outputs(net);
  answer("%6lld", (long long)row);
  if (!bp_net_classes(net)) {
    for (int64_t k = 0; k < n; k++)
      answer("  %12.9g", (double)y[k]);
  } else {
    int64_t best = best_of(y, n);
    answer("  %-*s", width, shown(class_text(net, best)));
    if (n > MOST_COLUMNS)
      answer("  %.4f", (double)y[best]);
    for (int64_t k = 0; k < n && n <= MOST_COLUMNS; k++)
      answer("  %*.4f", p_width(net, k), (double)y[k]);
  }
  answer("\n");
}

static int predict_rows(const settings *s, bp_net *net, input *in, float *x, float *y, int64_t block)
{
  int64_t outputs = bp_net_outputs(net);
  int end = END_DONE, width = class_width(net);
  for (int64_t first = 0; first < in->rows && !end && answer_goes_on(); first += block) {
    int64_t n = in->rows - first < block ? in->rows - first : block;
    end = input_block(in, first, n, x);
    bp_status st = end ? BP_OK : bp_net_predict(net, x, n, y);
    if (st != BP_OK)
      end = fail_status(st, END_DATA);
    if (!end && first == 0 && !s->json)
      heading(net, width);
    for (int64_t i = 0; i < n && !end; i++) {
      if (s->json)
        row_json(net, first + i + 1, y + i * outputs);
      else
        row_text(net, first + i + 1, y + i * outputs, width);
    }
  }
  return end;
}

static int predict(const settings *s, bp_net *net, input *in)
{
  int64_t width = in->cols + bp_net_outputs(net), block = BLOCK_BYTES / (int64_t)sizeof(float) / width;
  block = block < 1 ? 1 : block < in->rows ? block : in->rows + 1;
  float *x = malloc((size_t)(block * width) * sizeof *x);
  int end = x ? predict_rows(s, net, in, x, x + block * in->cols, block) : fail_memory();
  free(x);
  return end;
}

int cmd_predict(const settings *s)
{
  bp_net *net = NULL;
  input in = {0};
  int end = output_is_not(s->inputs[0]);
  if (!end)
    end = output_is_not(s->inputs[1]);
  if (end)
    return end;
  bp_ctx *ctx = context_new(s);
  if (!ctx)
    return END_RESOURCES;
  end = model_load(ctx, s->inputs[0], &net);
  if (!end)
    end = input_open(&in, ctx, s, net, s->inputs[1], NULL);
  if (!end) {
    input_tell_ignored(&in);
    end = predict(s, net, &in);
  }
  if (in.ctx)
    input_close(&in);
  bp_net_free(net);
  return context_free(ctx, s, end);
}
