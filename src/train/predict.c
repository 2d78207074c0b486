/* Prediction and metrics: rows in blocks through the plans of a network. */
#include "train/net.h"

#include <math.h>
#include <string.h>

/* A run of a plan, idle or new. Several threads may ask at once. */
static bp_run *take_run(bp_net *net, bpi_runs *r)
{
  bp_run *run = NULL;
  pthread_mutex_lock(&net->lock);
  if (r->n)
    run = r->idle[--r->n];
  pthread_mutex_unlock(&net->lock);
  if (!run)
    bp_run_new(r->plan, net->state, &run);
  return run;
}

static void give_run(bp_net *net, bpi_runs *r, bp_run *run)
{
  pthread_mutex_lock(&net->lock);
  bool kept = bpi_grow(net->ctx, (void **)&r->idle, &r->cap, r->n, sizeof *r->idle);
  if (kept)
    r->idle[r->n++] = run;
  pthread_mutex_unlock(&net->lock);
  if (!kept)
    bp_run_free(run);
}

/* Copies the first n values of an output as doubles. */
static bp_status copy_output(bp_run *run, size_t which, int64_t n, double *out)
{
  const void *data;
  bp_type type;
  bp_status s = bp_run_output(run, which, &data, &type);
  for (int64_t i = 0; s == BP_OK && i < n; i++)
    out[i] = type.dtype == BP_FLOAT32 ? (double)((const float *)data)[i] : ((const double *)data)[i];
  return s;
}

static bp_status run_rows(bp_net *net, bpi_runs *r, const void *x, int64_t batch, int64_t n, double *out,
                          double *log_out)
{
  bp_run *run = take_run(net, r);
  if (!run)
    return BP_E_NOMEM;
  size_t bytes = (size_t)(batch * net->inputs) * bp_dtype_size(bp_state_real(net->state));
  bp_status s = bp_run_bind(run, "x", x, bytes);
  /* A network of its own kind may not look at x. */
  if (s == BP_E_NOTFOUND)
    s = BP_OK;
  if (s == BP_OK)
    s = bp_run_step(run);
  if (s == BP_OK)
    s = copy_output(run, 0, n * net->outputs, out);
  if (s == BP_OK && log_out)
    s = copy_output(run, 1, n * net->outputs, log_out);
  give_run(net, r, run);
  return s;
}

bp_status bpi_net_outputs(bp_net *net, void *x, int64_t n, double *out, double *log_out)
{
  size_t row = (size_t)net->inputs * bp_dtype_size(bp_state_real(net->state));
  if (n > 4) {
    memset((char *)x + (size_t)n * row, 0, (size_t)(BPI_BULK - n) * row);
    return run_rows(net, &net->bulk, x, BPI_BULK, n, out, log_out);
  }
  bp_status s = BP_OK;
  for (int64_t i = 0; s == BP_OK && i < n; i++)
    s = run_rows(net, &net->one, (char *)x + (size_t)i * row, 1, 1, out + i * net->outputs,
                 log_out ? log_out + i * net->outputs : NULL);
  return s;
}

/* Room for one block of rows on their way. */
typedef struct block {
  void *x;
  double *out, *log_out;
  int64_t at[BPI_BULK];
} block;

static bp_status block_make(bp_net *net, block *b)
{
  b->x = bpi_alloc(net->ctx, (size_t)net->inputs * BPI_BULK, bp_dtype_size(bp_state_real(net->state)));
  b->out = bpi_alloc(net->ctx, (size_t)net->outputs * BPI_BULK * 2, sizeof *b->out);
  b->log_out = b->out ? b->out + net->outputs * BPI_BULK : NULL;
  return b->x && b->out ? BP_OK : bpi_nomem();
}

static void block_free(bp_net *net, block *b)
{
  bpi_free(net->ctx, b->x);
  bpi_free(net->ctx, b->out);
}

static double value_of(const bp_net *net, const double *out, int64_t k)
{
  return net->classes ? out[k] : out[k] / (double)net->y_scale[k] + (double)net->y_mean[k];
}

bp_status bp_net_predict(bp_net *net, const float *x, int64_t rows, float *out)
{
  if (!net || rows < 0 || (rows && (!x || !out)))
    return bpi_bad_arg("bp_net_predict", "net, x or out is NULL, or rows is negative");
  block b;
  bp_status s = block_make(net, &b);
  /* The caller's memory as a data set that owns nothing. */
  bpi_examples e = {.ctx = net->ctx, .rows = rows, .cols = net->inputs, .x = (float *)x};
  bp_data d = {&e, NULL, rows};
  bpi_scaling scaling = {net->inputs, net->mean, net->scale, NULL};
  for (int64_t first = 0; s == BP_OK && first < rows; first += BPI_BULK) {
    int64_t n = rows - first < BPI_BULK ? rows - first : BPI_BULK;
    for (int64_t i = 0; i < n; i++)
      b.at[i] = first + i;
    bpi_data_gather(&d, b.at, n, &scaling, bp_state_real(net->state), b.x);
    s = bpi_net_outputs(net, b.x, n, b.out, NULL);
    for (int64_t i = 0; s == BP_OK && i < n; i++)
      for (int64_t k = 0; k < net->outputs; k++)
        out[(first + i) * net->outputs + k] = (float)value_of(net, b.out + i * net->outputs, k);
  }
  block_free(net, &b);
  return s;
}

static int64_t largest(const double *p, int64_t n)
{
  int64_t best = 0;
  for (int64_t k = 1; k < n; k++)
    if (p[k] > p[best])
      best = k;
  return best;
}

/* -1 for NaN, which is what a NaN in the row gives everywhere. */
static int64_t most_likely(const float *p, int64_t n)
{
  int64_t best = 0;
  for (int64_t k = 0; k < n; k++) {
    if (isnan(p[k])) {
      bpi_fail(BP_E_NOTFINITE,
               "bp_net_classify: the probabilities are NaN; is a value of the row not finite?");
      return -1;
    }
    best = p[k] > p[best] ? k : best;
  }
  return best;
}

int64_t bp_net_classify(bp_net *net, const float *x)
{
  if (!net || !x || !net->classes) {
    bpi_bad_arg("bp_net_classify", "net or x is NULL, or the network has no classes");
    return -1;
  }
  float *p = bpi_alloc(net->ctx, (size_t)net->outputs, sizeof *p);
  int64_t best = -1;
  if (!p)
    bpi_nomem();
  else if (bp_net_predict(net, x, 1, p) == BP_OK)
    best = most_likely(p, net->outputs);
  bpi_free(net->ctx, p);
  return best;
}

/* ---- metrics ---- */

/* Sums over the rows seen. */
typedef struct sums {
  double loss, hits, square, absolute;
  double *y, *yy; /* [outputs] of regression: of each target and of its square, from the training mean */
} sums;

static void count_class(const bp_net *net, int64_t label, const double *p, const double *log_p, sums *t)
{
  t->loss -= log_p[label];
  t->hits += largest(p, net->classes) == label;
}

static void count_values(const bp_net *net, const float *y, const double *out, sums *t)
{
  for (int64_t k = 0; k < net->outputs; k++) {
    double error = value_of(net, out, k) - (double)y[k], from_mean = (double)y[k] - (double)net->y_mean[k];
    t->square += error * error;
    t->absolute += fabs(error);
    t->y[k] += from_mean;
    t->yy[k] += from_mean * from_mean;
  }
}

/* Share of the most common class. */
static bp_status common_class(const bp_data *d, double *share)
{
  int64_t *count = bpi_zalloc(d->all->ctx, (size_t)d->all->classes, sizeof *count), most = 0;
  if (!count)
    return bpi_nomem();
  for (int64_t i = 0; i < d->n; i++) {
    int64_t n = ++count[d->all->labels[bpi_data_at(d, i)]];
    most = n > most ? n : most;
  }
  *share = (double)most / (double)d->n;
  bpi_free(d->all->ctx, count);
  return BP_OK;
}

static bp_status finish(const bp_net *net, const bp_data *d, const sums *t, bp_metrics *m)
{
  double n = (double)d->n, values = n * (double)net->outputs;
  m->rows = d->n;
  if (net->classes) {
    m->loss = t->loss / n;
    m->accuracy = t->hits / n;
    return common_class(d, &m->baseline);
  }
  double spread = 0, all = 0; /* of each target around its own mean */
  for (int64_t k = 0; k < net->outputs; k++) {
    spread += t->yy[k] - t->y[k] * t->y[k] / n;
    all += t->yy[k];
  }
  spread = spread > 1e-12 * all ? spread : 0; /* less is rounding: the targets are constant */
  m->loss = t->square / values;
  m->rmse = sqrt(m->loss);
  m->mae = t->absolute / values;
  m->r2 = spread > 0 ? 1 - t->square / spread : NAN;
  m->baseline = sqrt(spread / values);
  return BP_OK;
}

bp_status bp_net_eval(bp_net *net, const bp_data *d, bp_metrics *m)
{
  if (!net || !d || !m)
    return bpi_bad_arg("bp_net_eval", "net, data or metrics is NULL");
  *m = (bp_metrics){0, NAN, NAN, NAN, NAN, NAN, NAN};
  int *column = NULL;
  int64_t *classes = NULL;
  block b = {0};
  sums t = {.y = bpi_zalloc(net->ctx, 2 * (size_t)net->outputs, sizeof *t.y)};
  bp_status s = t.y ? bpi_net_match(net, d, &column, &classes, true) : bpi_nomem();
  t.yy = t.y ? t.y + net->outputs : NULL;
  if (s == BP_OK)
    s = block_make(net, &b);
  bpi_scaling scaling = {net->inputs, net->mean, net->scale, column};
  for (int64_t first = 0; s == BP_OK && first < d->n; first += BPI_BULK) {
    int64_t n = d->n - first < BPI_BULK ? d->n - first : BPI_BULK;
    for (int64_t i = 0; i < n; i++)
      b.at[i] = first + i;
    bpi_data_gather(d, b.at, n, &scaling, bp_state_real(net->state), b.x);
    s = bpi_net_outputs(net, b.x, n, b.out, b.log_out);
    for (int64_t i = 0; s == BP_OK && i < n; i++) {
      int64_t row = bpi_data_at(d, first + i);
      if (net->classes)
        count_class(net, classes[d->all->labels[row]], b.out + i * net->outputs, b.log_out + i * net->outputs,
                    &t);
      else
        count_values(net, d->all->y + row * net->outputs, b.out + i * net->outputs, &t);
    }
  }
  if (s == BP_OK)
    s = finish(net, d, &t, m);
  block_free(net, &b);
  bpi_free(net->ctx, t.y);
  bpi_free(net->ctx, column);
  bpi_free(net->ctx, classes);
  return s;
}
