/* Losses of many rows, in float64: a loss may overflow where outputs do not. A network keeps one meter between evaluations: those of a training are
 * of the same rows each time. */
#include "train/lossmeter.h"
#include "train/spool.h"

#include <math.h>
#include <string.h>

/* ---- plans ---- */

static bp_status loss_of_outputs(const bpi_loss_meter *m, bp_graph *g, int64_t rows, bp_program **program,
                                 bp_node *loss)
{
  const bp_net *net = m->net;
  bpi_loss_terms t = {.out = bpi_feed_node(g, BPI_FEED_RAW, net, rows),
                      .target = bpi_feed_node(g, net->classes ? BPI_FEED_LABELS : BPI_FEED_Y, net, rows),
                      .other = BP_NO_NODE,
                      .share = BP_NO_NODE,
                      .weights = m->weighted ? bpi_feed_node(g, BPI_FEED_WEIGHTS, net, rows) : BP_NO_NODE,
                      .mean = net->y_mean,
                      .scale = net->y_scale};
  return bpi_loss_build(&net->loss, &t, program, loss);
}

bp_status bpi_loss_try(bp_net *net)
{
  bpi_loss_meter m = {.net = net};
  bp_program *program = NULL;
  bp_node loss, out, slope;
  double all;
  bp_graph *g = bp_graph_new(net->ctx);
  if (!g)
    return BP_E_NOMEM;
  bp_status s = loss_of_outputs(&m, g, 2, &program, &loss);
  out = s == BP_OK ? bp_find(g, "outputs") : BP_NO_NODE;
  if (s == BP_OK)
    s = bp_grad(loss, &out, 1, &slope);
  if (s == BP_OK && bpi_splat(slope, &all) && all == 0)
    s = bpi_fail(
        BP_E_ARG,
        "loss: its gradient is 0 whatever the outputs p are, so that nothing can be learned from it");
  bp_program_free(program);
  bp_graph_free(g);
  return s;
}

static bp_status open_lane(bpi_loss_meter *m, bpi_lane *l, int64_t rows)
{
  bp_program *program = NULL;
  bp_node loss;
  bp_graph *g = rows ? bp_graph_new(m->net->ctx) : NULL;
  if (!g)
    return rows ? BP_E_NOMEM : BP_OK;
  bp_status s = loss_of_outputs(m, g, rows, &program, &loss);
  bp_plan_options o = {.real = BP_FLOAT64, .outputs = &loss, .n_outputs = 1};
  if (s == BP_OK)
    return bpi_lane_open(l, m->net, g, &o, rows, program);
  bp_program_free(program);
  bp_graph_free(g);
  return s;
}

/* ---- opening ---- */

void bpi_meter_free(bpi_loss_meter *m)
{
  if (!m)
    return;
  bp_ctx *ctx = m->net->ctx;
  for (int i = 0; i < 2; i++)
    bpi_lane_close(&m->lanes[i]);
  void *own[] = {m->raw, m->y, m->weights, m->labels};
  for (size_t i = 0; i < sizeof own / sizeof *own; i++)
    bpi_free(ctx, own[i]);
  bpi_free(ctx, m);
}

static bp_status fill(bpi_loss_meter *m)
{
  bp_ctx *ctx = m->net->ctx;
  size_t n = (size_t)m->room, k = (size_t)m->net->outputs;
  bool classes = m->net->classes > 0;
  m->raw = bpi_alloc(ctx, n * k, sizeof *m->raw);
  m->y = bpi_alloc(ctx, classes ? 0 : n * k, sizeof *m->y);
  m->weights = bpi_alloc(ctx, m->weighted ? n : 0, sizeof *m->weights);
  m->labels = bpi_alloc(ctx, classes ? n : 0, sizeof *m->labels);
  if (!m->raw || !m->y || !m->weights || !m->labels)
    return bpi_nomem();
  bp_status s = open_lane(m, &m->lanes[0], m->room);
  return s == BP_OK ? open_lane(m, &m->lanes[1], m->rows % m->room) : s;
}

static bpi_loss_meter *take_kept(bp_net *net, int64_t rows, bool weighted)
{
  pthread_mutex_lock(&net->lock);
  bpi_loss_meter *m = net->meter;
  bool fits = m && m->rows == rows && m->weighted == weighted;
  if (fits)
    net->meter = NULL;
  pthread_mutex_unlock(&net->lock);
  return fits ? m : NULL;
}

static bp_status make_meter(bp_net *net, const bp_data *data, bool weighted, bpi_loss_meter **out)
{
  bpi_loss_meter *m = bpi_alloc(net->ctx, 1, sizeof *m);
  if (!m)
    return bpi_nomem();
  *m = (bpi_loss_meter){.net = net, .rows = data->n, .weighted = weighted};
  m->room = data->n < BPI_METERED ? data->n : BPI_METERED;
  bp_status s = fill(m);
  if (s == BP_OK)
    *out = m;
  else
    bpi_meter_free(m);
  return s;
}

bp_status bpi_meter_open(bp_net *net, const bp_data *data, bpi_loss_meter **out)
{
  bool weighted = bpi_weighted(data->all);
  *out = take_kept(net, data->n, weighted);
  bp_status s = *out ? BP_OK : make_meter(net, data, weighted, out);
  if (s != BP_OK)
    return s;
  (*out)->data = data;
  (*out)->n = 0;
  (*out)->sum = (*out)->total = 0;
  return BP_OK;
}

void bpi_meter_close(bpi_loss_meter *m)
{
  if (!m)
    return;
  pthread_mutex_lock(&m->net->lock);
  bpi_loss_meter *before = m->net->meter;
  m->net->meter = m;
  pthread_mutex_unlock(&m->net->lock);
  bpi_meter_free(before);
}

/* ---- rows ---- */

/* Weights of what is collected, brought to mean 1; what they were in all. */
static double settle_weights(bpi_loss_meter *m)
{
  double sum = 0;
  if (!m->weighted)
    return (double)m->n;
  for (int64_t i = 0; i < m->n; i++)
    sum += m->weights[i];
  for (int64_t i = 0; sum > 0 && i < m->n; i++)
    m->weights[i] *= (double)m->n / sum;
  return sum;
}

static bp_status measure(bpi_loss_meter *m)
{
  bpi_lane *l = m->n == m->lanes[0].batch ? &m->lanes[0] : &m->lanes[1];
  double loss, weight = settle_weights(m);
  bp_status s = bpi_lane_bind(l, BPI_FEED_RAW, m->raw);
  if (s == BP_OK)
    s = bpi_lane_bind(l, BPI_FEED_Y, m->y);
  if (s == BP_OK)
    s = bpi_lane_bind(l, BPI_FEED_LABELS, m->labels);
  if (s == BP_OK)
    s = bpi_lane_bind(l, BPI_FEED_WEIGHTS, m->weights);
  if (s == BP_OK)
    s = bp_run_step(l->run);
  if (s == BP_OK)
    s = bp_run_get(l->run, 0, &loss, 1);
  if (s == BP_OK && weight > 0)
    m->sum += loss * weight;
  m->total += weight;
  m->n = 0;
  return s;
}

static void collect(bpi_loss_meter *m, const bpi_answered *b, int64_t i)
{
  const bp_net *net = m->net;
  int64_t k = net->outputs, from = i * k, to = m->n * k;
  for (int64_t j = 0; j < k; j++) {
    m->raw[to + j] = b->raw[from + j];
    if (!net->classes)
      m->y[to + j] = ((double)b->y[from + j] - (double)net->y_mean[j]) * (double)net->y_scale[j];
  }
  if (net->classes)
    m->labels[m->n] = b->labels[i];
  if (m->weighted)
    m->weights[m->n] = (double)b->weights[i];
  m->n++;
}

bp_status bpi_meter_add(bpi_loss_meter *m, const bpi_answered *b)
{
  bp_status s = BP_OK;
  for (int64_t i = 0; s == BP_OK && i < b->n; i++) {
    collect(m, b, i);
    if (m->n == m->room || b->first + i + 1 == m->rows)
      s = measure(m);
  }
  return s;
}

double bpi_meter_loss(const bpi_loss_meter *m)
{
  return m->total > 0 ? m->sum / m->total : (double)NAN;
}
