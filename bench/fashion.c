/* Samples a second of training 784-128-10 (ReLU, softmax cross-entropy, Adam, batch 128) on Fashion-MNIST, epoch by epoch, and the test accuracy.
 *
 *   fashion DIRECTORY THREADS EPOCHS [SEED]     DIRECTORY holds the four IDX files, unpacked
 *
 * bench/run runs it. */
#include <bprop.h>

#include <stdio.h>
#include <stdlib.h>

static bool tell(void *user, const bp_progress *p)
{
  (void)user;
  printf("bprop epoch %lld: loss %.4f, %.0f samples/s\n", (long long)p->epoch, p->train_loss,
         p->samples_per_second);
  return true;
}

static bp_data *load(bp_ctx *ctx, const char *directory, const char *part)
{
  char path[2][4096];
  bp_ndarray x = {0}, labels = {0};
  bp_data *d = NULL;
  snprintf(path[0], sizeof path[0], "%s/%s-images-idx3-ubyte", directory, part);
  snprintf(path[1], sizeof path[1], "%s/%s-labels-idx1-ubyte", directory, part);
  if (bp_idx_load(ctx, path[0], &x) == BP_OK && bp_idx_load(ctx, path[1], &labels) == BP_OK)
    d = bp_data_from_arrays(ctx, &x, &labels);
  bp_ndarray_free(ctx, &x);
  bp_ndarray_free(ctx, &labels);
  return d;
}

int main(int argc, char **argv)
{
  if (argc < 4) {
    fputs("usage: fashion DIRECTORY THREADS EPOCHS [SEED]\n", stderr);
    return 2;
  }
  bp_ctx *ctx = bp_ctx_new(&(bp_ctx_options){.threads = atoi(argv[2])});
  bp_data *train = load(ctx, argv[1], "train"), *test = load(ctx, argv[1], "t10k");
  bp_net *net =
      train && test
          ? bp_net_new(ctx, train,
                       &(bp_net_options){.hidden = {128}, .seed = argc > 4 ? (uint64_t)atoll(argv[4]) : 1})
          : NULL;
  bp_train_options o = {.epochs = atoll(argv[3]), .batch = 128, .label_smoothing = -1, .progress = tell};
  bp_train_result r = {0};
  bp_metrics m = {0};
  bool good = net && bp_net_train(net, train, &o, &r) == BP_OK && bp_net_eval(net, test, &m) == BP_OK;
  if (good)
    printf("bprop %s, %s threads: %.0f samples/s, test accuracy %.2f %%\n", bp_isa_name(bp_ctx_isa(ctx)),
           argv[2], r.samples_per_second, 100 * m.accuracy);
  else
    fprintf(stderr, "fashion: %s\n", bp_error());
  bp_net_free(net);
  bp_data_free(train);
  bp_data_free(test);
  bp_ctx_free(ctx);
  return good ? 0 : 1;
}
