/* Prediction: rows in blocks through the plans of a network. */
#include "train/predict.h"
#include "train/spool.h"

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
                          double *raw)
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
  if (s == BP_OK && raw)
    s = copy_output(run, 1, n * net->outputs, raw);
  give_run(net, r, run);
  return s;
}

bp_status bpi_net_outputs(bp_net *net, void *x, int64_t n, double *out, double *raw)
{
  size_t row = (size_t)net->inputs * bp_dtype_size(bp_state_real(net->state));
  if (n > 4) {
    memset((char *)x + (size_t)n * row, 0, (size_t)(BPI_BULK - n) * row);
    return run_rows(net, &net->bulk, x, BPI_BULK, n, out, raw);
  }
  bp_status s = BP_OK;
  for (int64_t i = 0; s == BP_OK && i < n; i++)
    s = run_rows(net, &net->one, (char *)x + (size_t)i * row, 1, 1, out + i * net->outputs,
                 raw ? raw + i * net->outputs : NULL);
  return s;
}

/* Room for one block of rows on their way. */
typedef struct block {
  void *x;
  double *out, *raw;
  int64_t at[BPI_BULK];
} block;

static bp_status block_make(bp_net *net, block *b)
{
  b->x = bpi_alloc(net->ctx, (size_t)net->inputs * BPI_BULK, bp_dtype_size(bp_state_real(net->state)));
  b->out = bpi_alloc(net->ctx, (size_t)net->outputs * BPI_BULK * 2, sizeof *b->out);
  b->raw = b->out ? b->out + net->outputs * BPI_BULK : NULL;
  return b->x && b->out ? BP_OK : bpi_nomem();
}

static void block_free(bp_net *net, block *b)
{
  bpi_free(net->ctx, b->x);
  bpi_free(net->ctx, b->out);
}

double bpi_log_share(const double *raw, int64_t n, int64_t k)
{
  double most = raw[0];
  for (int64_t i = 1; i < n; i++)
    most = raw[i] > most ? raw[i] : most;
  double sum = exp(raw[0] - most);
  for (int64_t i = 1; i < n; i++)
    sum += exp(raw[i] - most);
  return raw[k] - most - log(sum);
}

double bpi_net_value(const bp_net *net, const double *out, int64_t k)
{
  return net->classes ? out[k] : out[k] / (double)net->y_scale[k] + (double)net->y_mean[k];
}

static bp_status predict_rows(bp_net *net, const bp_data *d, const bpi_match *match, float *out)
{
  block b;
  bp_status s = block_make(net, &b);
  for (int64_t first = 0; s == BP_OK && first < d->n; first += BPI_BULK) {
    int64_t n = d->n - first < BPI_BULK ? d->n - first : BPI_BULK;
    for (int64_t i = 0; i < n; i++)
      b.at[i] = first + i;
    bpi_data_gather(d, b.at, n, &net->encoding, match, bp_state_real(net->state), b.x);
    s = bpi_net_outputs(net, b.x, n, b.out, NULL);
    for (int64_t i = 0; s == BP_OK && i < n; i++)
      for (int64_t k = 0; k < net->outputs; k++)
        out[(first + i) * net->outputs + k] = (float)bpi_net_value(net, b.out + i * net->outputs, k);
  }
  block_free(net, &b);
  return s;
}

bp_status bp_net_predict(bp_net *net, const float *x, int64_t rows, float *out)
{
  if (!net || rows < 0 || (rows && (!x || !out)))
    return bpi_bad_arg("bp_net_predict", "net, x or out is NULL, or rows is negative");
  /* The caller's memory as a data set that owns nothing. */
  bpi_examples e = {.ctx = net->ctx, .rows = rows, .cols = net->encoding.cols, .x = (float *)x};
  bp_data d = {.all = &e, .n = rows};
  bpi_match match = {0};
  bp_status s = bpi_encoding_check(&net->encoding, x, rows, &match.missing);
  return s == BP_OK ? predict_rows(net, &d, &match, out) : s;
}

bp_status bp_net_predict_data(bp_net *net, const bp_data *data, float *out)
{
  bpi_match match;
  if (!net || !data || !out)
    return bpi_bad_arg("bp_net_predict_data", "net, data or out is NULL");
  bp_status s = bpi_net_match(net, data, false, &match);
  if (s == BP_OK)
    s = predict_rows(net, data, &match, out);
  bpi_match_clear(&match);
  return s;
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

/* ---- beside the answers ---- */

/* The answers of a block, in the classes of the network. */
static void take_answers(const bp_net *net, const bp_data *d, int64_t first, const bpi_match *match,
                         bpi_answered *b)
{
  const bpi_examples *e = d->all;
  for (int64_t i = 0; i < b->n; i++) {
    int64_t row = bpi_data_at(d, first + i);
    b->weights[i] = e->weights ? e->weights[row] : 1;
    if (net->classes)
      b->labels[i] = bpi_match_label(match, e->labels[row]);
    else
      memcpy(b->y + i * net->outputs, e->y + row * net->outputs, (size_t)net->outputs * sizeof *b->y);
  }
}

static bp_status answer_blocks(bp_net *net, const bp_data *d, const bpi_match *match, block *b,
                               bpi_answered *a, bpi_visit visit, void *user)
{
  bp_status s = BP_OK;
  int64_t before = a->first;
  for (int64_t first = 0; s == BP_OK && first < d->n; first += BPI_BULK) {
    a->first = before + first;
    a->n = d->n - first < BPI_BULK ? d->n - first : BPI_BULK;
    for (int64_t i = 0; i < a->n; i++)
      b->at[i] = first + i;
    bpi_data_gather(d, b->at, a->n, &net->encoding, match, bp_state_real(net->state), b->x);
    s = bpi_net_outputs(net, b->x, a->n, b->out, b->raw);
    if (s != BP_OK)
      break;
    take_answers(net, d, first, match, a);
    s = visit(user, a);
  }
  a->first = before + d->n;
  return s;
}

static bp_status answer_all(bp_net *net, const bp_data *d, const bpi_match *match, block *b, bpi_answered *a,
                            bpi_visit visit, void *user)
{
  const bp_data *some;
  bpi_blocks blocks;
  bpi_blocks_begin(&blocks, d);
  bp_status s = bpi_blocks_next(&blocks, &some);
  while (s == BP_OK && some) {
    s = answer_blocks(net, some, match, b, a, visit, user);
    if (s == BP_OK)
      s = bpi_blocks_next(&blocks, &some);
  }
  bpi_blocks_end(&blocks);
  return s;
}

bp_status bpi_net_visit(bp_net *net, const bp_data *d, bpi_visit visit, void *user)
{
  bpi_match match = {0};
  block b = {0};
  float *y = bpi_alloc(net->ctx, (size_t)net->outputs * BPI_BULK, sizeof *y);
  bp_status s = y ? bpi_net_match(net, d, true, &match) : bpi_nomem();
  if (s == BP_OK)
    s = block_make(net, &b);
  bpi_answered a = {.y = y, .out = b.out, .raw = b.raw};
  if (s == BP_OK)
    s = answer_all(net, d, &match, &b, &a, visit, user);
  block_free(net, &b);
  bpi_free(net->ctx, y);
  bpi_match_clear(&match);
  return s;
}
