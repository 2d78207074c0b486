/* Applies a network to rows without answers. */
#include "cmd.h"
#include "context.h"
#include "dataset.h"
#include "input.h"
#include "modelfile.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 4 << 20, MOST_ROWS = 8192, MOST_COLUMNS = 16 };

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

static int output_width(const bp_net *net, int64_t k)
{
  int n = (int)strlen(shown(output_text(net, k))), least = bp_net_classes(net) ? 6 : 12;
  return n > least ? n : least;
}

static void heading(const bp_net *net, int width)
{
  int64_t n = bp_net_outputs(net);
  answer("%6s", "row");
  bool classes = bp_net_classes(net) > 0, each = !classes || n <= MOST_COLUMNS;
  if (classes)
    answer("  %-*s", width, "class");
  for (int64_t k = 0; k < n && each; k++)
    answer("  %*s", output_width(net, k),
           n > 1 || *bp_net_target(net) ? shown(output_text(net, k)) : "value");
  answer(each ? "\n" : "  probability\n");
}

static void row_text(const bp_net *net, int64_t row, const float *y, int width)
{
  int64_t n = bp_net_outputs(net);
  answer("%6lld", (long long)row);
  if (!bp_net_classes(net)) {
    for (int64_t k = 0; k < n; k++)
      answer("  %*.9g", output_width(net, k), (double)y[k]);
  } else {
    int64_t best = best_of(y, n);
    answer("  %-*s", width, shown(class_text(net, best)));
    if (n > MOST_COLUMNS)
      answer("  %.4f", (double)y[best]);
    for (int64_t k = 0; k < n && n <= MOST_COLUMNS; k++)
      answer("  %*.4f", output_width(net, k), (double)y[k]);
  }
  answer("\n");
}

static void tell_block(const settings *s, const bp_net *net, int64_t first, int64_t n, const float *y)
{
  int width = class_width(net);
  if (first == 0 && !s->json)
    heading(net, width);
  for (int64_t i = 0; i < n; i++) {
    if (s->json)
      row_json(net, first + i + 1, y + i * bp_net_outputs(net));
    else
      row_text(net, first + i + 1, y + i * bp_net_outputs(net), width);
  }
  answer_now();
}

/* Block by block, so that any number of rows is answered in the same memory. */
static int predict(const settings *s, bp_net *net, input *in)
{
  int64_t width = bp_net_inputs(net) + bp_net_outputs(net), first = 0, n = 1;
  int64_t most = BLOCK_BYTES / (int64_t)sizeof(float) / width;
  most = most < 1 ? 1 : most > MOST_ROWS ? MOST_ROWS : most;
  float *y = malloc((size_t)(most * bp_net_outputs(net)) * sizeof *y);
  int end = y ? END_DONE : fail_memory();
  while (!end && n && answer_goes_on()) {
    end = input_predict(in, most, y, &n);
    if (!end && n)
      tell_block(s, net, first, n, y);
    first += n;
  }
  free(y);
  input_tell_unseen(in);
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
    bp_net_set_unknown(net, (bp_unknown)s->unknown);
  if (!end)
    end = input_open(&in, ctx, s, net, s->inputs[1]);
  if (!end)
    end = predict(s, net, &in);
  input_close(&in);
  bp_net_free(net);
  return context_free(ctx, s, end);
}
