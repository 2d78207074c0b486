/* What knowing nothing but the answers gives: of numbers the constant that makes the loss smallest. */
#include "base/sort.h"
#include "train/lossmeter.h"
#include "train/spool.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SAMPLE = 65536 };

typedef struct answer {
  double y, weight;
} answer;

typedef struct constant {
  const bp_net *net;
  const bp_data *train;
  double *raw;     /* [BPI_BULK, outputs]: the constants, as the network would give them */
  double *value;   /* [outputs] in the units of the targets */
  answer *answers; /* [SAMPLE] */
  bpi_loss_meter *meter;
  double square, weight;
} constant;

/* ---- the constants ---- */

static int by_y(const void *a, const void *b, const void *arg)
{
  const answer *x = a, *y = b;
  (void)arg;
  return (x->y > y->y) - (x->y < y->y);
}

/* Answers to target k, of every so many-th row. */
static bp_status collect(constant *c, int64_t k, int64_t *n)
{
  int64_t every = c->train->n / SAMPLE + 1, row = 0;
  const bp_data *block;
  bpi_blocks blocks;
  *n = 0;
  bpi_blocks_begin(&blocks, c->train);
  bp_status s = bpi_blocks_next(&blocks, &block);
  while (s == BP_OK && block) {
    const bpi_examples *e = block->all;
    for (int64_t i = 0; i < block->n; i++)
      if (row++ % every == 0) {
        int64_t at = bpi_data_at(block, i);
        c->answers[(*n)++] = (answer){(double)e->y[at * e->n_y + k], e->weights ? (double)e->weights[at] : 1};
      }
    s = bpi_blocks_next(&blocks, &block);
  }
  bpi_blocks_end(&blocks);
  return s;
}

static double quantile_of(answer *a, int64_t n, double q)
{
  double all = 0, sum = 0;
  bpi_sort(a, (size_t)n, sizeof *a, by_y, NULL);
  for (int64_t i = 0; i < n; i++)
    all += a[i].weight;
  for (int64_t i = 0; i < n; i++) {
    sum += a[i].weight;
    if (sum >= q * all)
      return a[i].y;
  }
  return a[n - 1].y;
}

static double mean_of(const answer *a, int64_t n)
{
  double all = 0, sum = 0;
  for (int64_t i = 0; i < n; i++) {
    all += a[i].weight;
    sum += a[i].weight * a[i].y;
  }
  return sum / all;
}

static bp_status find_constants(constant *c)
{
  double q;
  const bp_net *net = c->net;
  bool quantile = bpi_loss_constant(&net->loss, &q) == BPI_CONSTANT_QUANTILE;
  bp_status s = BP_OK;
  for (int64_t k = 0; s == BP_OK && k < net->outputs; k++) {
    int64_t n;
    s = collect(c, k, &n);
    if (s != BP_OK)
      break;
    c->value[k] = quantile ? quantile_of(c->answers, n, q) : mean_of(c->answers, n);
    double learnt = (c->value[k] - (double)net->y_mean[k]) * (double)net->y_scale[k];
    for (int64_t i = 0; i < BPI_BULK; i++)
      c->raw[i * net->outputs + k] = net->loss.link == BPI_LINK_EXP ? log(learnt) : learnt;
  }
  return s;
}

/* ---- how good they are ---- */

static bp_status judge_block(void *user, const bpi_answered *b)
{
  constant *c = user;
  bpi_answered own = *b;
  own.raw = c->raw;
  for (int64_t i = 0; i < b->n; i++) {
    double w = (double)b->weights[i];
    c->weight += w;
    for (int64_t k = 0; k < c->net->outputs; k++) {
      double off = c->value[k] - (double)b->y[i * c->net->outputs + k];
      c->square += w * off * off / (double)c->net->outputs;
    }
  }
  return bpi_meter_add(c->meter, &own);
}

static void name_constant(const bp_net *net, bp_trivial *out)
{
  static const char known[][sizeof out->what] = {"mean", "median"};
  double q;
  bool quantile = bpi_loss_constant(&net->loss, &q) == BPI_CONSTANT_QUANTILE;
  if (quantile && q != 0.5)
    snprintf(out->what, sizeof out->what, "%g quantile", q);
  else
    memcpy(out->what, known[quantile], sizeof out->what);
}

static bp_status judge(bp_net *net, const bp_data *on, constant *c, bp_trivial *out)
{
  size_t n = (size_t)net->outputs;
  c->raw = bpi_alloc(net->ctx, n * BPI_BULK, sizeof *c->raw);
  c->value = bpi_alloc(net->ctx, n, sizeof *c->value);
  c->answers = bpi_alloc(net->ctx, SAMPLE, sizeof *c->answers);
  bp_status s = c->raw && c->value && c->answers ? find_constants(c) : bpi_nomem();
  if (s == BP_OK)
    s = bpi_meter_open(net, on, &c->meter);
  if (s == BP_OK)
    s = bpi_net_visit(net, on, judge_block, c);
  if (s != BP_OK)
    return s;
  out->loss = bpi_meter_loss(c->meter);
  out->rmse = sqrt(c->square / c->weight);
  name_constant(net, out);
  return BP_OK;
}

bp_status bp_net_trivial(bp_net *net, const bp_data *train, const bp_data *on, bp_trivial *out)
{
  if (!net || !train || !on || !out)
    return bpi_bad_arg("bp_net_trivial", "net, data or out is NULL");
  *out = (bp_trivial){.loss = NAN, .rmse = NAN};
  if (bp_net_task(net) != BP_TASK_NUMBERS || train->all->n_y != net->outputs)
    return bpi_fail(BP_E_MISMATCH, "bp_net_trivial: the network or the data have no numbers to predict");
  constant c = {.net = net, .train = train};
  bp_status s = judge(net, on, &c, out);
  bpi_meter_close(c.meter);
  void *own[] = {c.raw, c.value, c.answers};
  for (size_t i = 0; i < sizeof own / sizeof *own; i++)
    bpi_free(net->ctx, own[i]);
  return s;
}
