/* Weights of rows. */
#include "train/rowweights.h"
#include "train/spool.h"

#include <math.h>

bool bpi_rows_weighted(const bp_data *d, const bp_train_options *o)
{
  return bpi_weighted(d->all) || o->class_weights || o->balanced;
}

static double raw_weight(const bpi_row_weights *w, const bpi_examples *e, int64_t row)
{
  double own = e->weights ? (double)e->weights[row] : 1;
  return w->of_class ? own * w->of_class[bpi_match_label(w->match, e->labels[row])] : own;
}

/* rows / (classes * rows of the class), scikit-learn's "balanced"; a class without rows needs none. */
static bp_status balance(bpi_row_weights *w, int64_t classes)
{
  const bp_data *some;
  bpi_blocks blocks;
  bpi_blocks_begin(&blocks, w->data);
  bp_status s = bpi_blocks_next(&blocks, &some);
  for (; s == BP_OK && some; s = bpi_blocks_next(&blocks, &some))
    for (int64_t i = 0; i < some->n; i++)
      w->of_class[bpi_match_label(w->match, some->all->labels[bpi_data_at(some, i)])]++;
  bpi_blocks_end(&blocks);
  for (int64_t k = 0; k < classes; k++)
    if (w->of_class[k] > 0)
      w->of_class[k] = (double)w->data->n / ((double)classes * w->of_class[k]);
  return s;
}

static bp_status sum_weights(const bpi_row_weights *w, double *sum)
{
  const bp_data *some;
  bpi_blocks blocks;
  bpi_blocks_begin(&blocks, w->data);
  bp_status s = bpi_blocks_next(&blocks, &some);
  for (; s == BP_OK && some; s = bpi_blocks_next(&blocks, &some))
    for (int64_t i = 0; i < some->n; i++)
      *sum += raw_weight(w, some->all, bpi_data_at(some, i));
  bpi_blocks_end(&blocks);
  return s;
}

static bp_status weigh_classes(bpi_row_weights *w, const bp_net *net, const bp_train_options *o)
{
  if (!net->classes)
    return bpi_bad_arg("bp_net_train", "class_weights and balanced are for classes");
  if (o->class_weights && o->balanced)
    return bpi_bad_arg("bp_net_train", "class_weights or balanced, but not both");
  w->of_class = bpi_zalloc(net->ctx, (size_t)net->classes, sizeof *w->of_class);
  if (!w->of_class)
    return bpi_nomem();
  bp_status s = o->balanced ? balance(w, net->classes) : BP_OK;
  for (int64_t k = 0; o->class_weights && k < net->classes; k++) {
    w->of_class[k] = o->class_weights[k];
    if (!(w->of_class[k] >= 0 && isfinite(w->of_class[k])))
      return bpi_bad_arg("bp_net_train", "a class weight is negative or not finite");
  }
  return s;
}

bp_status bpi_row_weights_open(bpi_row_weights *w, const bp_net *net, const bp_data *d,
                               const bpi_match *match, const bp_train_options *o)
{
  *w = (bpi_row_weights){.data = d, .match = match, .scale = 1};
  bp_status s = o->class_weights || o->balanced ? weigh_classes(w, net, o) : BP_OK;
  double sum = 0;
  if (s == BP_OK)
    s = sum_weights(w, &sum);
  if (s == BP_OK && !(sum > 0 && isfinite(sum)))
    s = bpi_fail(BP_E_ARG, "bp_net_train: the weights of all rows are 0");
  w->scale = (double)d->n / sum;
  return s;
}

double bpi_row_weight(const bpi_row_weights *w, const bpi_examples *e, int64_t row)
{
  return w->scale * raw_weight(w, e, row);
}

void bpi_row_weights_close(bpi_row_weights *w)
{
  if (w->data)
    bpi_free(w->data->all->ctx, w->of_class);
  w->of_class = NULL;
}
