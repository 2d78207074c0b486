/* What a trained network looks for: the rows of its first matrix are templates, and for each class the second matrix weighs how well the
 * image fits each of them. Worked out here by hand, from the parameters, and compared with what the network itself says. */
#include <bprop.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { PIXELS = 64, HIDDEN = 16, CLASSES = 10 };

/* The values of a parameter: [out, in] row by row, or [out]. */
static const float *values(bp_net *net, const char *wanted)
{
  bp_params *p = bp_net_params(net);
  for (int i = 0; i < bp_params_count(p); i++) {
    const char *name;
    void *data;
    if (bp_params_at(p, i, &name, NULL, &data, NULL) == BP_OK && strcmp(name, wanted) == 0)
      return data;
  }
  return NULL;
}

/* y = W x + b */
static void layer(const float *W, const float *b, const float *x, int out, int in, float *y)
{
  for (int i = 0; i < out; i++) {
    y[i] = b[i];
    for (int j = 0; j < in; j++)
      y[i] += W[i * in + j] * x[j];
  }
}

static int largest(const float *x, int n)
{
  int best = 0;
  for (int i = 1; i < n; i++)
    best = x[i] > x[best] ? i : best;
  return best;
}

/* Two pictures of 8 by 8 side by side: the image, and where the template wants ink (+) and where it wants none (-). */
static void draw(const float *image, const float *template)
{
  float most = 0;
  for (int i = 0; i < PIXELS; i++)
    most = fmaxf(most, fabsf(template[i]));
  for (int row = 0; row < 8; row++) {
    for (int i = 8 * row; i < 8 * row + 8; i++)
      putchar(" .:-=+*#@"[(int)(image[i] / 2)]);
    printf("   |");
    for (int i = 8 * row; i < 8 * row + 8; i++)
      putchar(template[i] > most / 4 ? '+' : template[i] < -most / 4 ? '-' : ' ');
    printf("|\n");
  }
}

/* Shows one image; returns by how much the probability worked out by hand differs from the network's. */
static float explain(bp_net *net, const float *image)
{
  const float *W1 = values(net, "layer1.W"), *b1 = values(net, "layer1.b");
  const float *W2 = values(net, "layer2.W"), *b2 = values(net, "layer2.b");
  float fit[HIDDEN], score[CLASSES], p[CLASSES], share[HIDDEN], sum = 0;

  layer(W1, b1, image, HIDDEN, PIXELS, fit);
  for (int j = 0; j < HIDDEN; j++)
    fit[j] = fmaxf(0, fit[j]); /* ReLU: a template that does not fit says nothing */
  layer(W2, b2, fit, CLASSES, HIDDEN, score);

  int class = largest(score, CLASSES);
  for (int j = 0; j < HIDDEN; j++)
    share[j] = W2[class * HIDDEN + j] * fit[j];
  int j = largest(share, HIDDEN);
  printf("read as %d; template %d fits by %.2f, and %d gives it the weight %.2f\n", class, j + 1, fit[j],
         class, W2[class * HIDDEN + j]);
  draw(image, W1 + (long)j * PIXELS);

  for (int c = 0; c < CLASSES; c++)
    sum += expf(score[c] - score[class]);
  if (bp_net_predict(net, image, 1, p) != BP_OK)
    return 1;
  return fabsf(p[class] - 1 / sum);
}

int main(void)
{
  bp_ctx *ctx = bp_ctx_new(NULL);
  bp_data *all = bp_data_load_csv(ctx, "data/digits.csv", "digit"), *train = NULL, *test = NULL;
  bp_data_split(all, 0.25, 1, &train, &test);
  /* raw: the templates see the pixels as they are, 0 to 16 */
  bp_net *net = bp_net_new(ctx, train, &(bp_net_options){.hidden = {HIDDEN}, .raw = true});
  /* weight decay: pixels that say nothing get the weight 0, so that the templates show what matters */
  bp_train_options o = {.epochs = 60, .optimizer = {.weight_decay = 0.003}};
  bp_status s = bp_net_train(net, train, &o, NULL);
  float image[PIXELS], worst = 0;
  for (int i = 0; i < 3 && s == BP_OK; i++) {
    s = bp_data_row(test, i, image);
    if (s == BP_OK)
      worst = fmaxf(worst, explain(net, image));
  }
  if (s != BP_OK)
    fprintf(stderr, "%s\n", bp_error());
  bp_net_free(net);
  bp_data_free(train);
  bp_data_free(test);
  bp_data_free(all);
  bp_ctx_free(ctx);
  return s != BP_OK || worst > 1e-4F;
}
