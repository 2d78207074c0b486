/* Handwritten digits: split, train with early stopping, evaluate, save, load, predict. */
#include <bprop.h>
#include <stdio.h>

static bool tell(void *user, const bp_progress *p)
{
  (void)user;
  if (p->epoch % 5 == 0)
    printf("epoch %2d  train %.4f  valid %.4f  accuracy %.1f %%\n", (int)p->epoch, p->train_loss,
           p->valid_loss, 100 * p->valid_metric);
  return true; /* false would stop */
}

/* 8x8 pixels from 0 to 16. */
static void draw(const float *pixels)
{
  for (int i = 0; i < 64; i++)
    printf("%c%s", " .:-=+*#@"[(int)(pixels[i] / 2)], i % 8 == 7 ? "\n" : "");
}

int main(void)
{
  bp_ctx *ctx = bp_ctx_new(&(bp_ctx_options){.threads = 2});
  bp_data *all = bp_data_load_csv(ctx, "data/digits.csv", "digit");
  bp_data *test = NULL, *rest = NULL, *valid = NULL, *train = NULL;
  bp_metrics m = {0};
  float pixels[64];

  bp_status s = bp_data_split(all, 0.25, 1, &rest, &test);
  if (s == BP_OK)
    s = bp_data_split(rest, 0.1, 1, &train, &valid);
  bp_net *net = bp_net_new(ctx, train, &(bp_net_options){.hidden = {128}});
  if (s == BP_OK)
    s = bp_net_train(net, train, &(bp_train_options){.epochs = 20, .valid = valid, .progress = tell}, NULL);
  if (s == BP_OK)
    s = bp_net_save(net, "digits.safetensors");
  bp_net *loaded = s == BP_OK ? bp_net_load(ctx, "digits.safetensors", &s) : NULL;
  if (s == BP_OK)
    s = bp_net_eval(loaded, test, &m);
  if (s == BP_OK)
    s = bp_data_row(test, 4, pixels);
  if (s == BP_OK) {
    draw(pixels);
    printf("%s: read as %d\n", bp_net_summary(loaded), (int)bp_net_classify(loaded, pixels));
    printf("test accuracy %.1f %% (always the most common digit: %.1f %%)\n", 100 * m.accuracy,
           100 * m.baseline);
  } else {
    fprintf(stderr, "%s\n", bp_error());
  }
  bp_net_free(loaded);
  bp_net_free(net);
  bp_data *parts[] = {train, valid, rest, test, all};
  for (int i = 0; i < 5; i++)
    bp_data_free(parts[i]);
  bp_ctx_free(ctx);
  return m.accuracy < 0.94;
}
