/* A convolutional network for handwritten digits: built by a function of our own, trained, its parameters saved and loaded by name. */
#include <bprop.h>
#include <stdio.h>
#include <string.h>

/* Images of 8 by 8 pixels: 16 filters, then 32 that see what those found; a pool after each halves the image. Rows come standardised. */
static bp_node layers(void *user, bp_params *p, bp_node x, bp_node key, bool training)
{
  (void)user, (void)key, (void)training;
  bp_conv_options first = {.filters = 16, .window = {3}, .pad = 1},
                  second = {.filters = 32, .window = {3}, .pad = 1};
  bp_type rows;
  if (bp_node_type(x, &rows) != BP_OK)
    return x;
  x = bp_reshape(x, (int64_t[]){rows.dims[0], 8, 8, 1}, 4); /* batch, height, width, channels */
  x = bp_max_pool(bp_relu(bp_conv(p, x, "conv1", first, (bp_init){0})), 2);
  x = bp_max_pool(bp_relu(bp_conv(p, x, "conv2", second, (bp_init){0})), 2);
  return bp_dense(p, bp_flatten(x), "out", 10, (bp_init){0});
}

/* A network of one's own build is saved as its parameters: how it is built is in the program. */
static bp_status save(bp_ctx *ctx, bp_params *p, const char *path)
{
  bp_tensor t[16];
  bp_type type[16];
  int n = bp_params_count(p);
  for (int i = 0; i < n; i++) {
    void *data;
    bp_params_at(p, i, &t[i].name, &type[i], &data, NULL);
    t[i].store = BP_STORE_FLOAT32;
    t[i].rank = type[i].rank;
    t[i].dims = type[i].dims;
    t[i].data = data;
    t[i].bytes = sizeof(float);
    for (int k = 0; k < type[i].rank; k++)
      t[i].bytes *= (size_t)type[i].dims[k];
  }
  return bp_tensors_save(ctx, path, t, (size_t)n, NULL, 0);
}

static bp_status load(bp_ctx *ctx, bp_params *p, const char *path)
{
  bp_tensors *file;
  bp_status s = bp_tensors_load(ctx, path, &file);
  for (int i = 0; s == BP_OK && i < bp_params_count(p); i++) {
    const char *name;
    bp_type type;
    void *data;
    bp_params_at(p, i, &name, &type, &data, NULL);
    const bp_tensor *t = bp_tensors_find(file, name);
    if (!t || t->store != BP_STORE_FLOAT32 || t->rank != type.rank ||
        memcmp(t->dims, type.dims, (size_t)t->rank * sizeof *t->dims) != 0)
      s = BP_E_MISMATCH;
    else
      memcpy(data, t->data, t->bytes);
  }
  bp_tensors_free(file);
  return s;
}

int main(void)
{
  bp_ctx *ctx = bp_ctx_new(&(bp_ctx_options){.threads = 2});
  bp_data *all = bp_data_load_csv(ctx, "data/digits.csv", "digit"), *train = NULL, *test = NULL;
  bp_metrics m = {0}, again = {0};
  bp_net_options o = {.build = layers};

  bp_status s = bp_data_split(all, 0.25, 1, &train, &test);
  bp_net *net = bp_net_new(ctx, train, &o),
         *loaded = bp_net_new(ctx, train, &o); /* both standardise as `train` says */
  if (s == BP_OK)
    s = bp_net_train(net, train,
                     &(bp_train_options){.epochs = 12, .optimizer = {.kind = BP_OPTIMIZER_ADAM, .lr = 0.004}},
                     NULL);
  if (s == BP_OK)
    s = bp_net_eval(net, test, &m);
  if (s == BP_OK)
    s = save(ctx, bp_net_params(net), "convnet.safetensors");
  if (s == BP_OK)
    s = load(ctx, bp_net_params(loaded), "convnet.safetensors");
  if (s == BP_OK)
    s = bp_net_eval(loaded, test, &again);
  if (s == BP_OK)
    printf("test accuracy %.1f %%, loaded again %.1f %%\n", 100 * m.accuracy, 100 * again.accuracy);
  else
    fprintf(stderr, "%s: %s\n", bp_status_name(s), bp_error());
  bp_net_free(loaded);
  bp_net_free(net);
  bp_data_free(train);
  bp_data_free(test);
  bp_data_free(all);
  bp_ctx_free(ctx);
  return !(m.accuracy > 0.97 && m.accuracy == again.accuracy);
}
