/* How outputs change with inputs: the gradient of a score by a row, through the network. */
#include "train/net.h"

#include <math.h>

/* Rows at a time: as each row's score depends on its own inputs alone, one gradient of their sum has them all. */
typedef struct looking {
  bp_net *net;
  bp_plan *plan;
  bp_run *run;
  int64_t batch;
  void *x; /* [batch, inputs] encoded */
} looking;

static bp_status make_plan(looking *l)
{
  bp_net *net = l->net;
  bp_graph *g = bp_graph_new(net->ctx);
  int64_t dims[2] = {l->batch, net->inputs};
  if (!g)
    return BP_E_NOMEM;
  bp_node x = bp_input(g, "x", BP_REAL, 2, dims), which = bp_input(g, "which", BP_INT64, 1, dims), slope;
  bp_node score = bp_sum(bp_pick(bpi_net_forward(net, g, x, BP_NO_NODE, false), which, -1), NULL, 0, false);
  bp_status s = bpi_graph_status(g);
  if (s == BP_OK)
    s = bp_grad(score, &x, 1, &slope);
  bp_plan_options o = {.real = bp_state_real(net->state), .outputs = &slope, .n_outputs = 1};
  if (s == BP_OK)
    s = bp_plan_new(g, &o, &l->plan);
  bp_graph_free(g);
  return s == BP_OK ? bp_run_new(l->plan, net->state, &l->run) : s;
}

/* An input that the score does not depend on is none of the plan. */
static bp_status bind(looking *l, const char *name, const void *data, size_t bytes)
{
  bp_status s = bp_run_bind(l->run, name, data, bytes);
  return s == BP_E_NOTFOUND ? BP_OK : s;
}

/* From inputs as they are encoded to columns as they were read. */
static void tell_row(const bp_net *net, const void *slopes, bp_dtype real, int64_t row, float *out)
{
  const bpi_encoding *e = &net->encoding;
  for (int64_t c = 0; c < e->cols; c++) {
    int64_t i = row * net->inputs + bpi_encoding_input(e, c);
    bool number = !e->fields || !e->fields[c].texts;
    double slope = real == BP_FLOAT32 ? (double)((const float *)slopes)[i] : ((const double *)slopes)[i];
    out[c] = number ? (float)slope : NAN;
  }
}

static bp_status look_at(looking *l, const bp_data *d, const bpi_match *match, const int64_t *at,
                         const int64_t *which, float *out)
{
  const void *slopes;
  bp_type type;
  bp_dtype real = bp_state_real(l->net->state);
  bpi_data_gather(d, at, l->batch, &l->net->encoding, match, real, l->x);
  bp_status s = bind(l, "x", l->x, (size_t)(l->batch * l->net->inputs) * bp_dtype_size(real));
  if (s == BP_OK)
    s = bind(l, "which", which, (size_t)l->batch * sizeof *which);
  if (s == BP_OK)
    s = bp_run_step(l->run);
  if (s == BP_OK)
    s = bp_run_output(l->run, 0, &slopes, &type);
  for (int64_t i = 0; s == BP_OK && i < l->batch; i++)
    tell_row(l->net, slopes, real, i, out + i * l->net->encoding.cols);
  return s;
}

static void looking_end(looking *l)
{
  bp_run_free(l->run);
  bp_plan_free(l->plan);
  bpi_free(l->net->ctx, l->x);
  *l = (looking){.net = l->net};
}

/* One plan for the full batches, and one for what is left. */
static bp_status look_at_all(bp_net *net, const bp_data *d, const bpi_match *match, const int64_t *at,
                             const int64_t *which, int64_t n, float *out)
{
  enum { BATCH = 32 };
  looking l = {.net = net};
  bp_status s = BP_OK;
  for (int64_t i = 0; s == BP_OK && i < n; i += l.batch) {
    int64_t batch = n - i < BATCH ? n - i : BATCH;
    if (batch != l.batch) {
      looking_end(&l);
      l.batch = batch;
      l.x = bpi_alloc(net->ctx, (size_t)(batch * net->inputs), bp_dtype_size(bp_state_real(net->state)));
      s = l.x ? make_plan(&l) : bpi_nomem();
    }
    if (s == BP_OK)
      s = look_at(&l, d, match, at + i, which + i, out + i * net->encoding.cols);
  }
  looking_end(&l);
  return s;
}

bp_status bp_net_input_gradient(bp_net *net, const bp_data *data, const int64_t *at, const int64_t *which,
                                int64_t n, float *out)
{
  if (!net || !data || n < 0 || (n && (!at || !which || !out)))
    return bpi_bad_arg("bp_net_input_gradient", "net, data, at, which or out is NULL, or n is negative");
  if (data->all->spool)
    return bpi_fail(BP_E_UNSUPPORTED, "gradients by inputs are of data in memory; these are too many rows");
  for (int64_t i = 0; i < n; i++)
    if (at[i] < 0 || at[i] >= data->n || which[i] < 0 || which[i] >= net->outputs)
      return bpi_fail(BP_E_RANGE, "bp_net_input_gradient: there is no row %lld, or no output %lld",
                      (long long)at[i], (long long)which[i]);
  bpi_match match = {0};
  bp_status s = bpi_net_match(net, data, false, &match);
  if (s == BP_OK)
    s = look_at_all(net, data, &match, at, which, n, out);
  bpi_match_clear(&match);
  return s;
}
