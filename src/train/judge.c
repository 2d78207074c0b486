/* The usual metrics of a network, in one pass. */
#include "train/lossmeter.h"
#include "train/metrics.h"

#include <math.h>

/* Sums over the rows seen. */
typedef struct sums {
  const bp_net *net;
  bpi_loss_meter *meter;
  double hits, rows; /* rows: the sum of their weights */
  double *square, *absolute, *y,
      *yy;       /* [outputs] of numbers: errors; targets and their squares, from the training mean */
  double *count; /* [outputs] of classes: rows of each */
} sums;

static void sum_class(sums *t, double w, int64_t label, const double *p)
{
  int64_t best = 0;
  for (int64_t k = 1; k < t->net->classes; k++)
    best = p[k] > p[best] ? k : best;
  t->hits += best == label ? w : 0;
  t->count[label] += w;
}

static void sum_labels(sums *t, double w, const float *y, const double *p)
{
  for (int64_t k = 0; k < t->net->outputs; k++) {
    bool is = y[k] > 0.5f;
    t->hits += is == (p[k] > 0.5) ? w : 0;
    t->count[k] += is ? w : 0;
  }
}

static void sum_numbers(sums *t, double w, const float *y, const double *out)
{
  const bp_net *net = t->net;
  for (int64_t k = 0; k < net->outputs; k++) {
    double error = bpi_net_value(net, out, k) - (double)y[k],
           from_mean = (double)y[k] - (double)net->y_mean[k];
    t->square[k] += w * error * error;
    t->absolute[k] += w * fabs(error);
    t->y[k] += w * from_mean;
    t->yy[k] += w * from_mean * from_mean;
  }
}

static bp_status sum_block(void *user, const bpi_answered *b)
{
  sums *t = user;
  int64_t n = t->net->outputs;
  for (int64_t i = 0; i < b->n; i++) {
    double w = (double)b->weights[i];
    t->rows += w;
    if (t->net->classes)
      sum_class(t, w, b->labels[i], b->out + i * n);
    else if (bpi_loss_of_labels(&t->net->loss))
      sum_labels(t, w, b->y + i * n, b->out + i * n);
    else
      sum_numbers(t, w, b->y + i * n, b->out + i * n);
  }
  return bpi_meter_add(t->meter, b);
}

static void tell_classes(const sums *t, bp_metrics *m)
{
  double most = 0;
  for (int64_t k = 0; k < t->net->classes; k++)
    most = t->count[k] > most ? t->count[k] : most;
  m->accuracy = t->hits / t->rows;
  m->baseline = most / t->rows;
}

/* Of all labels; and what knowing the more common answer to each would give. */
static void tell_labels(const sums *t, bp_metrics *m)
{
  double each = (double)t->net->outputs;
  m->accuracy = t->hits / t->rows / each;
  m->baseline = 0;
  for (int64_t k = 0; k < t->net->outputs; k++)
    m->baseline += fmax(t->count[k], t->rows - t->count[k]) / t->rows / each;
}

/* Means over the targets, as scikit-learn's uniform_average. */
static void tell_numbers(const sums *t, bp_metrics *m)
{
  double n = t->rows, each = (double)t->net->outputs;
  m->rmse = m->mae = m->r2 = m->baseline = 0;
  for (int64_t k = 0; k < t->net->outputs; k++) {
    double spread = t->yy[k] - t->y[k] * t->y[k] / n; /* around their own mean */
    spread = spread > 1e-12 * t->yy[k] ? spread : 0;  /* less is rounding: the target is constant */
    m->rmse += sqrt(t->square[k] / n) / each;
    m->mae += t->absolute[k] / n / each;
    m->r2 += (spread > 0 ? 1 - t->square[k] / spread : (double)NAN) / each;
    m->baseline += sqrt(spread / n) / each;
  }
}

bp_status bpi_net_judge(bp_net *net, const bp_data *d, const char *name, bp_metrics *m, double *value)
{
  bp_status s = bp_net_eval(net, d, m);
  return s == BP_OK && name ? bp_net_metric(net, d, name, value) : s;
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
  bp_status s = room ? bpi_meter_open(net, d, &t.meter) : bpi_nomem();
  if (s == BP_OK)
    s = bpi_net_visit(net, d, sum_block, &t);
  if (s == BP_OK) {
    m->rows = d->n;
    m->loss = bpi_meter_loss(t.meter);
    (net->classes ? tell_classes : bpi_loss_of_labels(&net->loss) ? tell_labels : tell_numbers)(&t, m);
  }
  bpi_meter_close(t.meter);
  bpi_free(net->ctx, room);
  return s;
}
