/* The layers of a network and what each costs, as a table and as JSON. */
#include "info_layers.h"
#include "say.h"

#include <stdio.h>

/* "28x28x16" */
static const char *dims_text(const bp_layer_info *l, char *text, size_t size)
{
  size_t n = 0;
  text[0] = 0;
  for (int i = 0; i < l->rank && n < size; i++)
    n += (size_t)snprintf(text + n, size - n, i ? "x%lld" : "%lld", (long long)l->dims[i]);
  return text;
}

/* What the table sums up. Layers in layers are counted in those around them. */
typedef struct layer_sums {
  int64_t parameters, fixed, bytes;
  double flops;
} layer_sums;

static layer_sums sum_layers(const bp_net *net)
{
  layer_sums t = {0};
  bp_layer_info l;
  for (size_t i = 0; bp_net_layer(net, i, &l) == BP_OK; i++) {
    t.parameters += l.parameters;
    t.fixed += l.fixed;
    t.bytes += l.bytes;
    t.flops += l.depth == 0 ? l.flops : 0;
  }
  return t;
}

/* Four digits and a letter: 12.3k, 4.56M. */
static const char *in_short(double x, char *text, size_t size)
{
  static const char letters[] = " kMGTP";
  int i = 0;
  for (; x >= 1000 && i < 5; i++)
    x /= 1000;
  snprintf(text, size, i == 0 ? "%.0f" : x < 10 ? "%.2f%c" : x < 100 ? "%.1f%c" : "%.0f%c", x, letters[i]);
  return text;
}

enum { LAYER_WIDTH = 44 }; /* of the text in the table; longer ones reach into the next column */

static void tell_layer(const bp_layer_info *l)
{
  char dims[80], parameters[32], flops[32];
  answer("  %*s%-*s %-14s %-12s %12s %9s\n", 2 * l->depth, "", LAYER_WIDTH - 2 * l->depth, shown(l->text),
         dims_text(l, dims, sizeof dims), l->name, with_commas(l->parameters + l->fixed, parameters),
         in_short(l->flops, flops, sizeof flops));
}

void info_layers(bp_net *net)
{
  bp_layer_info l;
  char parameters[32], flops[32], bytes[32], fixed[32];
  if (bp_net_layers(net) == 0)
    return;
  answer("  %-*s %-14s %-12s %12s %9s\n", LAYER_WIDTH, "layer", "gives", "name", "parameters", "FLOPs");
  for (size_t i = 0; bp_net_layer(net, i, &l) == BP_OK; i++)
    tell_layer(&l);
  layer_sums t = sum_layers(net);
  answer("  %-*s %-14s %-12s %12s %9s\n", LAYER_WIDTH, "all", "", "",
         with_commas(t.parameters + t.fixed, parameters), in_short(t.flops, flops, sizeof flops));
  if (t.fixed)
    answer("  of the parameters %s are not trained\n", with_commas(t.fixed, fixed));
  answer("  FLOPs are those of one prediction; what the layers give for one example takes %sB\n",
         in_short((double)t.bytes, bytes, sizeof bytes));
}

void info_layers_json(bp_net *net)
{
  bp_layer_info l;
  answer(",\"model\":");
  json_text(bp_net_model(net));
  answer(",\"layers\":[");
  for (size_t i = 0; bp_net_layer(net, i, &l) == BP_OK; i++) {
    answer(i ? ",{\"layer\":" : "{\"layer\":");
    json_text(l.text);
    answer(",\"name\":\"%s\",\"depth\":%d,\"shape\":[", l.name, l.depth);
    for (int k = 0; k < l.rank; k++)
      answer(k ? ",%lld" : "%lld", (long long)l.dims[k]);
    answer("],\"parameters\":%lld,\"fixed\":%lld,\"flops\":%.0f,\"bytes\":%lld}", (long long)l.parameters,
           (long long)l.fixed, l.flops, (long long)l.bytes);
  }
  layer_sums t = sum_layers(net);
  answer("],\"flops\":%.0f,\"bytes\":%lld", t.flops, (long long)t.bytes);
}
