/* The usual metrics of a network, in one pass. */
#include "train/predict.h"

#include <math.h>

/* Sums over the rows seen. */
typedef struct sums {
  const bp_net *net;
  double loss, hits, rows;
  double *square, *absolute, *y,
      *yy;       /* [outputs] of numbers: errors; targets and their squares, from the training mean */
  double *count; /* [outputs] of classes: rows of each */
} sums;

static void sum_class(sums *t, int64_t label, const double *p, const double *log_p)
{
  int64_t best = 0;
  for (int64_t k = 1; k < t->net->classes; k++)
    best = p[k] > p[best] ? k : best;
  t->loss -= log_p[label];
  t->hits += best == label;
  t->count[label]++;
}

static void sum_numbers(sums *t, const float *y, const double *out)
{
  const bp_net *net = t->net;
  for (int64_t k = 0; k < net->outputs; k++) {
    double error = bpi_net_value(net, out, k) - (double)y[k],
           from_mean = (double)y[k] - (double)net->y_mean[k];
    t->square[k] += error * error;
    t->absolute[k] += fabs(error);
    t->y[k] += from_mean;
    t->yy[k] += from_mean * from_mean;
  }
}

static bp_status sum_block(void *user, const bpi_answered *b)
{
  sums *t = user;
  int64_t n = t->net->outputs;
  for (int64_t i = 0; i < b->n; i++)
    if (t->net->classes)
      sum_class(t, b->labels[i], b->out + i * n, b->log_out + i * n);
    else
      sum_numbers(t, b->y + i * n, b->out + i * n);
  t->rows += (double)b->n;
  return BP_OK;
}

static void tell_classes(const sums *t, bp_metrics *m)
{
  double most = 0;
  for (int64_t k = 0; k < t->net->classes; k++)
    most = t->count[k] > most ? t->count[k] : most;
  m->loss = t->loss / t->rows;
  m->accuracy = t->hits / t->rows;
  m->baseline = most / t->rows;
}

/* Means over the targets, as scikit-learn's uniform_average. */
static void tell_numbers(const sums *t, bp_metrics *m)
{
  double n = t->rows, each = (double)t->net->outputs;
  m->loss = m->rmse = m->mae = m->r2 = m->baseline = 0;
  for (int64_t k = 0; k < t->net->outputs; k++) {
    double spread = t->yy[k] - t->y[k] * t->y[k] / n; /* around their own mean */
    spread = spread > 1e-12 * t->yy[k] ? spread : 0;  /* less is rounding: the target is constant */
    m->loss += t->square[k] / n / each;
    m->rmse += sqrt(t->square[k] / n) / each;
    m->mae += t->absolute[k] / n / each;
    m->r2 += (spread > 0 ? 1 - t->square[k] / spread : (double)NAN) / each;
    m->baseline += sqrt(spread / n) / each;
  }
}

bp_status bp_net_eval(bp_net *net, const bp_data *d, bp_metrics *m)
{
  if (!net || !d || !m)
    return bpi_bad_arg("bp_net_eval", "net, data or metrics is NULL");
  *m = (bp_metrics){0, NAN, NAN, NAN, NAN, NAN, NAN};
  sums t = {.net = net};
  size_t n = (size_t)net->outputs;
  double *room = bpi_zalloc(net->ctx, 5 * n, sizeof *room),
         **lists[] = {&t.square, &t.absolute, &t.y, &t.yy, &t.count};
  for (size_t i = 0; room && i < 5; i++)
    *lists[i] = room + i * n;
  bp_status s = room ? bpi_net_visit(net, d, sum_block, &t) : bpi_nomem();
  if (s == BP_OK) {
    m->rows = d->n;
    (net->classes ? tell_classes : tell_numbers)(&t, m);
  }
  bpi_free(net->ctx, room);
  return s;
}
