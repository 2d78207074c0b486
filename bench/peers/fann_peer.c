/* FANN as a contestant: 2-8-1 on XOR, one example a step. Its activations have a steepness and its weights are its own, so the numbers are not
 * compared; the work of a step is the same. Single precision, as the library that is linked. */
#include "../house/house.h"

#include <floatfann.h>
#include <stdio.h>
#include <stdlib.h>

static float examples[4][3] = {{0, 0, 0}, {0, 1, 1}, {1, 0, 1}, {1, 1, 0}};

typedef struct tiny {
  struct fann *ann;
  long at;
} tiny;

static void *open_tiny(const request *r, const char **why)
{
  (void)r;
  (void)why;
  tiny *t = zeros(1, sizeof *t);
  t->ann = fann_create_standard(3, 2, 8, 1);
  fann_set_activation_function_hidden(t->ann, FANN_SIGMOID_SYMMETRIC);
  fann_set_activation_function_output(t->ann, FANN_LINEAR);
  fann_set_training_algorithm(t->ann, FANN_TRAIN_INCREMENTAL);
  fann_set_learning_rate(t->ann, 0.05f);
  return t;
}

static double run_tiny(void *work, long times)
{
  tiny *t = work;
  double start = now();
  for (long i = 0; i < times; i++) {
    float *e = examples[t->at++ & 3];
    fann_train(t->ann, e, e + 2);
  }
  return now() - start;
}

static void close_tiny(void *work)
{
  tiny *t = work;
  fann_destroy(t->ann);
  free(t);
}

int main(void)
{
  static const work_kind kinds[] = {{"tiny", open_tiny, run_tiny, NULL, close_tiny}};
  return serve("FANN", kinds, 1);
}
