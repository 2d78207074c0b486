/* One network, predicted from by four threads at once. It needs no lock: its weights are only read, and each call has memory of its own. */
#include <bprop.h>
#include <pthread.h>
#include <stdio.h>

enum { THREADS = 4 };

typedef struct part {
  bp_net *net;
  const bp_data *data;
  int64_t from, to, right;
} part;

static void *predict(void *arg)
{
  part *p = arg;
  float image[64];
  for (int64_t row = p->from; row < p->to; row++)
    if (bp_data_row(p->data, row, image) == BP_OK)
      p->right += bp_net_classify(p->net, image) == bp_data_label(p->data, row);
  return NULL;
}

int main(void)
{
  bp_ctx *ctx = bp_ctx_new(NULL);
  bp_data *all = bp_data_load_csv(ctx, "data/digits.csv", "digit"), *train = NULL, *test = NULL;
  bp_data_split(all, 0.25, 1, &train, &test);
  bp_net *net = bp_net_new(ctx, train, NULL);
  bp_metrics m;
  if (bp_net_train(net, train, &(bp_train_options){.epochs = 5}, NULL) || bp_net_eval(net, test, &m)) {
    printf("%s\n", bp_error());
    return 1;
  }
  int64_t rows = bp_data_rows(test), right = 0;
  pthread_t thread[THREADS];
  part parts[THREADS];
  for (int i = 0; i < THREADS; i++) {
    parts[i] = (part){net, test, rows * i / THREADS, rows * (i + 1) / THREADS, 0};
    pthread_create(&thread[i], NULL, predict, &parts[i]);
  }
  for (int i = 0; i < THREADS; i++) {
    pthread_join(thread[i], NULL);
    right += parts[i].right;
  }
  printf("%s\n",
         right == (int64_t)(m.accuracy * (double)rows + 0.5) ? "as many right as alone" : "other answers");
  bp_net_free(net), bp_data_free(train), bp_data_free(test), bp_data_free(all), bp_ctx_free(ctx);
  return 0;
}
