/* A convolutional network for handwritten digits as a text: trained, saved whole, loaded, and what each layer costs. */
#include <bprop.h>
#include <stdio.h>

static const char layers[] =
    "conv 16 3 same, batchnorm relu, maxpool, residual(conv 16 3 same, batchnorm relu) relu, maxpool";

static void tell_layers(const bp_net *net)
{
  bp_layer_info l;
  for (size_t i = 0; bp_net_layer(net, i, &l) == BP_OK; i++)
    printf("%*s%-*s %6lld + %2lld parameters %8.0f operations\n", 2 * l.depth, "", 24 - 2 * l.depth, l.text,
           (long long)l.parameters, (long long)l.fixed, l.flops);
}

int main(void)
{
  bp_ctx *ctx = bp_ctx_new(&(bp_ctx_options){.threads = 2});
  bp_data *all = bp_data_load_csv(ctx, "data/digits.csv", "digit"), *train = NULL, *test = NULL;
  bp_metrics m = {0}, again = {0};
  bp_net *net = NULL, *loaded = NULL;
  bp_status s = bp_data_split(all, 0.25, 1, &train, &test);
  if (!s)
    net = bp_net_new(ctx, train, &(bp_net_options){.model = layers, .shape = {8, 8, 1}});
  s = s ? s : bp_net_train(net, train, &(bp_train_options){.epochs = 20}, NULL);
  s = s ? s : bp_net_eval(net, test, &m);
  s = s ? s : bp_net_save(net, "layertext.safetensors");
  loaded = s ? NULL : bp_net_load(ctx, "layertext.safetensors", &s);
  s = s ? s : bp_net_eval(loaded, test, &again);
  if (s)
    fprintf(stderr, "%s: %s\n", bp_status_name(s), bp_error());
  else
    printf("test accuracy %.1f %%, loaded again %.1f %%\n", 100 * m.accuracy, 100 * again.accuracy);
  tell_layers(loaded);
  bp_net_free(net), bp_net_free(loaded);
  bp_data_free(train), bp_data_free(test), bp_data_free(all);
  bp_ctx_free(ctx);
  return !(m.accuracy > 0.97 && m.accuracy == again.accuracy);
}
