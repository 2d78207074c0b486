#include <bprop.h>
#include <stdio.h>
int main(void)
{
  bp_ctx *ctx = bp_ctx_new(NULL);
  bp_data *all = bp_data_load_csv(ctx, "data/digits.csv", "digit"), *train = NULL, *test = NULL;
  bp_data_split(all, 0.25, 1, &train, &test);
  bp_net *net = bp_net_new(ctx, train, &(bp_net_options){.hidden = {128}, .activation = "relu"});
  float image[64];
  if (bp_net_train(net, train, &(bp_train_options){.epochs = 20}, NULL) || bp_data_row(test, 4, image))
    printf("%s\n", bp_error());
  else
    printf("read: %d, is: %d\n", (int)bp_net_classify(net, image), (int)bp_data_label(test, 4));
  bp_net_free(net), bp_data_free(train), bp_data_free(test), bp_data_free(all), bp_ctx_free(ctx);
}
