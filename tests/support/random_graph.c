/* Random graphs. */
#include "support/random_graph.h"

#include "base/rng.h"
#include "base/shape.h"
#include "check/example.h"
#include "graph/graph.h"

#include <stdio.h>
#include <string.h>

int64_t rg_below(rgraph *r, int64_t n)
{
  bpi_key k = {r->seed, 0, 77};
  return (int64_t)bpi_below(k, r->drawn++, (uint64_t)n);
}

static bool chance(rgraph *r, int percent)
{
  return rg_below(r, 100) < percent;
}

static double real_value(rgraph *r)
{
  static const double special[] = {0, -0.0, 1, -1, 1e30, 0.5, 2, 3};
  return chance(r, 12) ? special[rg_below(r, 8)] : (double)rg_below(r, 4001) / 1000 - 2;
}

static void add(rgraph *r, bp_node n)
{
  if (bp_failed(n))
    return;
  if (r->n_pool < RG_MOST)
    r->pool[r->n_pool++] = n;
  else
    r->pool[rg_below(r, RG_MOST)] = n;
}

/* ---- sources ---- */

/* Values as the plan stores them, from doubles, int64 or bytes. */
static void *stored(rgraph *r, const bp_type *t, const void *data)
{
  size_t n = (size_t)bpi_type_size(t);
  size_t each = t->dtype == BP_REAL ? bp_dtype_size(r->real) : bp_dtype_size(t->dtype);
  void *out = bpi_arena_alloc(&r->room, n + 1, 8);
  if (!out)
    return NULL;
  if (t->dtype == BP_REAL && r->real == BP_FLOAT32)
    for (size_t i = 0; i < n; i++)
      ((float *)out)[i] = (float)((const double *)data)[i];
  else
    memcpy(out, data, n * each);
  return out;
}

static bp_node as_input(rgraph *r, const bp_type *t, const void *data)
{
  rg_input *in = &r->inputs[r->n_inputs];
  if (r->n_inputs == RG_SOURCES)
    return bp_array_constant(r->g, t->dtype, t->rank, t->dims, data);
  snprintf(in->name, sizeof in->name, "in%d", r->n_inputs++);
  in->data = stored(r, t, data);
  in->bytes =
      (size_t)bpi_type_size(t) * (t->dtype == BP_REAL ? bp_dtype_size(r->real) : bp_dtype_size(t->dtype));
  return bp_input(r->g, in->name, t->dtype, t->rank, t->dims);
}

static bp_node as_entry(rgraph *r, const bp_type *t, const void *data)
{
  char name[16];
  int entry;
  if (r->n_entries == RG_ENTRIES || t->dtype == BP_BOOL)
    return as_input(r, t, data);
  snprintf(name, sizeof name, "s%d", r->n_entries);
  if (bp_state_add(r->state, name, t->dtype, t->rank, t->dims, &entry) != BP_OK)
    return BP_NO_NODE;
  r->start[r->n_entries++] = stored(r, t, data);
  return bp_read(r->g, r->state, entry);
}

/* One element for all. */
static bp_node as_splat(rgraph *r, const bp_type *t, const void *data)
{
  double v = 0;
  if (bpi_type_size(t) > 0)
    v = t->dtype == BP_REAL    ? *(const double *)data
        : t->dtype == BP_INT64 ? (double)*(const int64_t *)data
                               : *(const uint8_t *)data;
  return bp_full(r->g, t->dtype, v, t->rank, t->dims);
}

static bp_node new_source(rgraph *r, const bp_type *t, const void *data)
{
  bp_node n;
  switch (rg_below(r, 5)) {
  case 0:
    n = as_entry(r, t, data);
    break;
  case 1:
    n = bp_array_constant(r->g, t->dtype, t->rank, t->dims, data);
    break;
  case 2:
    n = as_splat(r, t, data);
    break;
  default:
    n = as_input(r, t, data);
  }
  add(r, n);
  return n;
}

static bp_node drawn_source(rgraph *r, const bp_type *t)
{
  int64_t n = bpi_type_size(t);
  double *reals = bpi_arena_alloc(&r->room, (size_t)n + 1, sizeof *reals);
  int64_t *ints = (int64_t *)(void *)reals;
  uint8_t *bools = (uint8_t *)reals;
  for (int64_t i = 0; reals && i < n; i++)
    if (t->dtype == BP_REAL)
      reals[i] = real_value(r);
    else if (t->dtype == BP_INT64)
      ints[i] = rg_below(r, 5);
    else
      bools[i] = (uint8_t)rg_below(r, 2);
  return reals ? new_source(r, t, reals) : BP_NO_NODE;
}

/* ---- making a node of a wanted shape out of another ---- */

static bp_node flat(bp_node x)
{
  int64_t all[1] = {-1};
  int64_t n = bp_node_size(x);
  return bp_reshape(x, n ? all : &n, 1);
}

/* m elements of a flat array of n ≥ m, somewhere, perhaps backwards or with gaps. */
static bp_node some_of(rgraph *r, bp_node x, int64_t n, int64_t m)
{
  int64_t step = m > 1 && (n - 1) / (m - 1) > 1 && chance(r, 40) ? (n - 1) / (m - 1) : 1;
  int64_t span = m ? (m - 1) * step + 1 : 0, start = rg_below(r, n - span + 1), stop = start + span;
  if (m > 0 && chance(r, 25)) {
    start += span - 1;
    stop = start - span < 0 ? -n - 1 : start - span;
    step = -step;
  }
  return bp_slice(x, &start, 1, &stop, 1, &step, 1);
}

/* Some axes of size 1, then broadcast. */
static bp_node spread_to(rgraph *r, bp_node x, const bp_type *t)
{
  int64_t dims[BP_MAX_RANK], need = 1, have = bp_node_size(x);
  for (int i = 0; i < t->rank; i++) {
    dims[i] = chance(r, 50) ? 1 : t->dims[i];
    need *= dims[i];
  }
  if (need > have || need == 0)
    return BP_NO_NODE;
  return bp_broadcast(bp_reshape(some_of(r, flat(x), have, need), dims, t->rank), t->dims, t->rank);
}

/* Through a transpose. */
static bp_node turned_to(rgraph *r, bp_node x, const bp_type *t)
{
  int64_t dims[BP_MAX_RANK], perm[BP_MAX_RANK], need = bpi_type_size(t), have = bp_node_size(x);
  if (need > have || t->rank < 2)
    return BP_NO_NODE;
  int turn = 1 + (int)rg_below(r, t->rank - 1);
  for (int i = 0; i < t->rank; i++) {
    perm[i] = (i + turn) % t->rank;
    dims[perm[i]] = t->dims[i];
  }
  return bp_transpose(bp_reshape(some_of(r, flat(x), have, need), dims, t->rank), perm, t->rank);
}

static bp_node adapted(rgraph *r, bp_node x, const bp_type *t)
{
  bp_type have;
  int64_t n = bp_node_size(x), m = bpi_type_size(t);
  bp_node y = BP_NO_NODE;
  bp_node_type(x, &have);
  if (bpi_same_shape(&have, t))
    return x;
  if (chance(r, 45))
    y = spread_to(r, x, t);
  else if (chance(r, 40))
    y = turned_to(r, x, t);
  if (bp_absent(y) && n >= m)
    y = bp_reshape(some_of(r, flat(x), n, m), t->dims, t->rank);
  if (bp_absent(y) && n > 0)
    y = bp_broadcast(bp_reshape(some_of(r, flat(x), n, 1), NULL, 0), t->dims, t->rank);
  return y;
}

static bp_node from_pool(rgraph *r, bp_dtype dtype)
{
  for (int tries = 0; tries < 12 && r->n_pool; tries++) {
    /* late nodes more often: chains get long */
    int a = (int)rg_below(r, r->n_pool), b = (int)rg_below(r, r->n_pool);
    bp_node n = r->pool[a > b ? a : b];
    bp_type t;
    if (bp_node_type(n, &t) == BP_OK && t.dtype == dtype)
      return n;
  }
  return BP_NO_NODE;
}

static bp_node argument(rgraph *r, const bp_type *t)
{
  bp_node n = chance(r, 80) ? from_pool(r, t->dtype) : BP_NO_NODE;
  if (!bp_absent(n))
    n = adapted(r, n, t);
  return bp_absent(n) || bp_failed(n) ? drawn_source(r, t) : n;
}

/* ---- calls of rows ---- */

static void keep_results(rgraph *r, bp_status s, const bp_node *y, int n)
{
  if (s != BP_OK || bp_graph_status(r->g) != BP_OK) {
    bp_graph_clear(r->g);
    return;
  }
  for (int k = 0; k < n; k++)
    add(r, y[k]);
  r->rows_used++;
}

/* A row as one of its examples calls it. Integers are as drawn (they may be indices), reals come from the pool. */
static void add_example(rgraph *r, const bp_op *op)
{
  int n = 0;
  while (n < 6 && op->examples[n])
    n++;
  bpi_example e;
  void *data[64];
  if (!n || bpi_example_open(&e, r->ctx, op, op->examples[rg_below(r, n)]) != BP_OK)
    return;
  bp_node x[64], y[BP_MAX_RESULTS];
  bool good = e.n_args <= 64 && bpi_example_draw(&e, r->seed + r->drawn, data) == BP_OK;
  for (int i = 0; good && i < e.n_args; i++) {
    const bpi_arg *a = &e.args[i];
    x[i] = a->type.dtype == BP_INT64 || a->key || a->simplex || a->distinct ? new_source(r, &a->type, data[i])
                                                                            : argument(r, &a->type);
    good = !bp_absent(x[i]) && !bp_failed(x[i]);
  }
  bp_status s = good ? bp_apply(r->g, op, x, (size_t)e.n_args, e.attr, y) : BP_E_ARG;
  keep_results(r, s, y, s == BP_OK ? bpi_slot(y[0])->n_out : 0);
  bpi_example_close(&e);
}

/* An elementwise row on nodes as they come: chains that fuse. */
static void add_elementwise(rgraph *r, const bp_op *op)
{
  bpi_example e;
  bp_node x[8], y[BP_MAX_RESULTS];
  if (!op->examples[0] || bpi_example_open(&e, r->ctx, op, op->examples[0]) != BP_OK)
    return;
  bp_node first = from_pool(r, BP_REAL);
  bp_type shape;
  bool good = e.n_args >= 1 && e.n_args <= 8 && !bp_absent(first) && bp_node_type(first, &shape) == BP_OK;
  for (int i = 0; good && i < e.n_args; i++) {
    bp_type t = shape;
    t.dtype = e.args[i].type.dtype;
    x[i] = i == 0 && t.dtype == BP_REAL ? first : argument(r, &t);
    good = !bp_absent(x[i]) && !bp_failed(x[i]);
  }
  bp_status s = good ? bp_apply(r->g, op, x, (size_t)e.n_args, e.attr, y) : BP_E_ARG;
  keep_results(r, s, y, 1);
  bpi_example_close(&e);
}

/* One array after another from the pool: the parts are computed in their place. */
static void add_concat(rgraph *r)
{
  bp_node parts[4];
  int n = 1 + (int)rg_below(r, 4);
  for (int i = 0; i < n; i++) {
    parts[i] = from_pool(r, BP_REAL);
    if (bp_absent(parts[i]))
      return;
    parts[i] = flat(parts[i]);
  }
  bp_node y = bp_concat(parts, (size_t)n, 0);
  keep_results(r, bp_graph_status(r->g), &y, 1);
}

/* (a, b, i), x, k -> (b/2 + x*k, a, i + 1), a*b, x + tanh k: a becomes b, so it must be read before it is replaced. */
static bp_fn *swapping_step(rgraph *r, const bp_type *t)
{
  bp_graph *g = bp_graph_new(r->ctx);
  if (!g)
    return NULL;
  bp_node in[5] = {bp_input(g, "a", BP_REAL, t->rank, t->dims), bp_input(g, "b", BP_REAL, t->rank, t->dims),
                   bp_input(g, "i", BP_INT64, 0, NULL), bp_input(g, "x", BP_REAL, t->rank, t->dims),
                   bp_input(g, "k", BP_REAL, 0, NULL)};
  bp_node half = bp_mul(in[1], bp_constant(g, 0.5));
  bp_node out[5] = {bp_add(half, bp_mul(in[3], in[4])), in[0], bp_add(in[2], bp_constant_int(g, 1)),
                    bp_mul(in[0], in[1]), bp_add(in[3], bp_tanh(in[4]))};
  return bp_fn_new("step", g, in, 5, out, 5);
}

static void add_scan(rgraph *r)
{
  int64_t dims[2] = {1 + rg_below(r, 4), 1 + rg_below(r, 5)};
  bp_type one = bpi_type(BP_REAL, 1, dims + 1), all = bpi_type(BP_REAL, 2, dims),
          scalar = bpi_type(BP_REAL, 0, NULL);
  bp_type count = bpi_type(BP_INT64, 0, NULL);
  bp_fn *fn = swapping_step(r, &one);
  bp_node carry[3] = {argument(r, &one), argument(r, &one), drawn_source(r, &count)}, xs = argument(r, &all);
  bp_node k = argument(r, &scalar), y[5];
  bool reverse = chance(r, 50);
  bp_status s = fn ? bp_scan(fn, carry, 3, &xs, 1, &k, 1, 0, reverse, y) : BP_E_NOMEM;
  bp_fn_free(fn);
  keep_results(r, s, y, 5);
}

/* A matrix as it lies, turned, or every second row of one. */
static bp_node matrix(rgraph *r, int64_t rows, int64_t cols)
{
  const bool turned = chance(r, 50), rare = chance(r, 30);
  bp_type t = bpi_type(BP_REAL, 2, turned ? (int64_t[]){cols, rows} : (int64_t[]){rows, cols});
  int64_t start[2] = {0, 0}, step[2] = {rare ? 2 : 1, 1}, stop[2] = {t.dims[0] * step[0], t.dims[1]};
  t.dims[0] = stop[0];
  bp_node x = drawn_source(r, &t);
  x = rare ? bp_slice(x, start, 2, stop, 2, step, 2) : x;
  return turned ? bp_transpose(x, (int64_t[]){1, 0}, 2) : x;
}

/* Products large enough for each way of doing them: the order in which they add must not depend on how the plan was made. */
static void add_product(rgraph *r)
{
  const int64_t m = 1 + rg_below(r, 12), n = 1 + rg_below(r, 40), k = 20 + rg_below(r, 80);
  bp_node a = matrix(r, m, k), b = matrix(r, k, n);
  int64_t many[3] = {2, k, n};
  int64_t start[3] = {1, 0, 0}, stop[3] = {-3, k, n}, step[3] = {-1, 1, 1};
  if (chance(r, 30))
    b = bp_broadcast(b, many, 3);
  if (chance(r, 10))
    b = bp_slice(bp_broadcast(b, many, 3), start, 3, stop, 3, step, 3);
  add(r, bp_matmul(a, b));
}

static void add_some(rgraph *r)
{
  const bp_op *op = bp_op_at((size_t)rg_below(r, (int64_t)bp_op_count()));
  int64_t what = rg_below(r, 100);
  if (what < 5)
    add_scan(r);
  else if (what < 13)
    add_concat(r);
  else if (what < 16)
    add_product(r);
  else if (op->traits & (BP_INPUT | BP_STATE | BP_CONSTANT))
    return;
  else if ((op->traits & BP_ELEMENTWISE) && chance(r, 75))
    add_elementwise(r, op);
  else
    add_example(r, op);
}

/* ---- a network that learns ---- */

enum { MOST_LAYERS = 3 };

typedef struct rnet {
  int64_t width[MOST_LAYERS + 1], batch;
  int layers, entry, slot;
  bp_node w, m, part[2 * MOST_LAYERS]; /* the vector, the optimiser's, weights and biases */
} rnet;

static bp_node part_of(rnet *net, int64_t *at, int64_t rows, int64_t cols)
{
  int64_t stop = *at + rows * cols, step = 1, dims[2] = {rows, cols};
  bp_node x = bp_slice(net->w, at, 1, &stop, 1, &step, 1);
  *at = stop;
  return cols == 1 ? x : bp_reshape(x, dims, 2);
}

static bool net_parameters(rgraph *r, rnet *net)
{
  double data[256];
  int64_t n = 0, at = 0;
  net->batch = 1 + rg_below(r, 6);
  net->layers = 1 + (int)rg_below(r, MOST_LAYERS);
  for (int k = 0; k <= net->layers; k++)
    net->width[k] = 2 + rg_below(r, 6);
  for (int k = 0; k < net->layers; k++)
    n += net->width[k + 1] * (net->width[k] + 1);
  for (int64_t i = 0; i < n; i++)
    data[i] = (double)rg_below(r, 2001) / 1000 - 1;
  bp_type t = bpi_type(BP_REAL, 1, &n);
  net->entry = r->n_entries;
  net->slot = net->entry + 1;
  net->w = as_entry(r, &t, data);
  net->m = as_entry(r, &t, data);
  for (int k = 0; k < net->layers; k++)
    net->part[k] = part_of(net, &at, net->width[k + 1], net->width[k]);
  for (int k = 0; k < net->layers; k++)
    net->part[net->layers + k] = part_of(net, &at, net->width[k + 1], 1);
  return bp_graph_status(r->g) == BP_OK;
}

/* The last one reads the product by two ways. */
static bp_node bent(rgraph *r, bp_node x)
{
  static const char *const names[] = {"relu", "tanh", "gelu", "softplus"};
  int64_t which = rg_below(r, 6);
  if (which < 4)
    return bp_activation(x, names[which]);
  return which == 4 ? x : bp_mul(x, bp_tanh(bp_sum(x, NULL, 0, false)));
}

static bp_node net_loss(rgraph *r, rnet *net)
{
  bp_type in = bpi_type(BP_REAL, 2, (int64_t[]){net->batch, net->width[0]});
  bp_type labels = bpi_type(BP_INT64, 1, &net->batch);
  bp_node x = argument(r, &in);
  for (int k = 0; k < net->layers; k++) {
    x = bp_linear(x, net->part[k], net->part[net->layers + k]);
    add(r, x);
    x = k + 1 < net->layers ? bent(r, x) : x;
  }
  if (chance(r, 50))
    return bp_mean(bp_square(x), NULL, 0, false);
  int64_t chosen[6] = {0, 1, 0, 1, 1, 0};
  return bp_mean(bp_softmax_cross_entropy(x, as_input(r, &labels, chosen), chance(r, 50) ? 0.1 : 0), NULL, 0,
                 false);
}

/* Momentum, or the shape of Adam; sometimes something looks at the whole gradient. */
static void net_updates(rgraph *r, rnet *net, bp_node grad)
{
  bp_graph *g = r->g;
  if (chance(r, 20))
    grad = bp_mul(grad, bp_tanh(bp_sum(grad, NULL, 0, false)));
  bp_node m = bp_add(bp_mul(net->m, bp_constant(g, 0.75)), chance(r, 50) ? grad : bp_square(grad));
  bp_node move = chance(r, 50) ? m : bp_div(grad, bp_add(bp_sqrt(bp_abs(m)), bp_constant(g, 0.125)));
  if (chance(r, 80))
    r->updates[r->n_updates++] = (bp_update){net->slot, m};
  r->updates[r->n_updates++] = (bp_update){net->entry, bp_sub(net->w, bp_mul(bp_constant(g, 0.125), move))};
}

static void add_network(rgraph *r)
{
  rnet net = {0};
  bp_node grads[2 * MOST_LAYERS];
  if (r->n_entries + 2 > RG_ENTRIES || !net_parameters(r, &net))
    return;
  bp_node loss = net_loss(r, &net);
  size_t n = 2 * (size_t)net.layers;
  if (bp_failed(loss) || bp_grad(loss, net.part, n, grads) != BP_OK)
    return;
  for (size_t k = 0; k < n; k++) {
    if (chance(r, 20))
      add(r, grads[k]);
    grads[k] = flat(grads[k]);
  }
  net_updates(r, &net, bp_concat(grads, n, 0));
  add(r, loss);
  if (chance(r, 40))
    r->guards[r->n_guards++] = loss;
  r->outputs[r->n_outputs++] = loss;
}

/* ---- what leaves the graph ---- */

static void choose_outputs(rgraph *r)
{
  int n = 1 + (int)rg_below(r, 10);
  for (int i = 0; i < n && r->n_pool; i++)
    r->outputs[r->n_outputs++] =
        chance(r, 20) && i ? r->outputs[rg_below(r, i)] : r->pool[rg_below(r, r->n_pool)];
}

static bool is_updated(const rgraph *r, int entry)
{
  for (size_t i = 0; i < r->n_updates; i++)
    if (r->updates[i].entry == entry)
      return true;
  return false;
}

/* New values from the pool; sometimes two entries change places, or get one value both. */
static void choose_updates(rgraph *r)
{
  for (int e = 0; e < r->n_entries; e++) {
    bp_type t;
    if (is_updated(r, e) || chance(r, 35) || bp_state_array(r->state, e, NULL, &t, NULL) != BP_OK)
      continue;
    bp_node n = BP_NO_NODE;
    bp_type other;
    for (int o = 0; o < r->n_entries && chance(r, 60) && bp_absent(n); o++)
      if (o != e && bp_state_array(r->state, o, NULL, &other, NULL) == BP_OK && other.dtype == t.dtype &&
          bpi_same_shape(&other, &t))
        n = bp_read(r->g, r->state, o);
    if (bp_absent(n) && chance(r, 60) && t.dtype == BP_REAL && !bp_absent(from_pool(r, BP_REAL)))
      n = bp_sub(bp_read(r->g, r->state, e), bp_mul(bp_constant(r->g, 0.1), argument(r, &t)));
    if (bp_absent(n))
      n = argument(r, &t);
    if (!bp_failed(n))
      r->updates[r->n_updates++] = (bp_update){e, n};
  }
  if (r->n_updates && !r->n_guards && chance(r, 50))
    r->guards[r->n_guards++] = from_pool(r, BP_REAL);
  if (r->n_guards && bp_absent(r->guards[0]))
    r->n_guards = 0;
}

/* Two entries of one type, so that updates can change them over. */
static void add_pair(rgraph *r)
{
  int64_t dims[2] = {1 + rg_below(r, 3), 1 + rg_below(r, 6)};
  bp_type t = bpi_type(BP_REAL, 2, dims);
  double data[32];
  for (int k = 0; k < 2; k++) {
    for (int i = 0; i < 32; i++)
      data[i] = real_value(r);
    add(r, as_entry(r, &t, data));
  }
}

bool rg_open(rgraph *r, bp_ctx *ctx, uint64_t seed)
{
  memset(r, 0, sizeof *r);
  r->ctx = ctx;
  r->seed = seed;
  r->real = seed % 2 ? BP_FLOAT32 : BP_FLOAT64;
  bpi_arena_init(&r->room, ctx);
  r->g = bp_graph_new(ctx);
  r->state = bp_state_new(ctx, r->real);
  if (!r->g || !r->state)
    return false;
  add_pair(r);
  int n = 4 + (int)rg_below(r, 40), network = chance(r, 50) ? (int)rg_below(r, n) : -1;
  for (int i = 0; i < 4; i++) {
    int64_t dims[3] = {1 + rg_below(r, 4), 1 + rg_below(r, 4), 1 + rg_below(r, 5)};
    bp_type t = bpi_type(BP_REAL, (int)rg_below(r, 4), dims);
    drawn_source(r, &t);
  }
  for (int i = 0; i < n; i++) {
    if (i == network)
      add_network(r);
    add_some(r);
    bp_graph_clear(r->g);
  }
  choose_outputs(r);
  choose_updates(r);
  bp_graph_clear(r->g);
  return r->n_outputs > 0;
}

void rg_close(rgraph *r)
{
  bp_graph_free(r->g);
  bp_state_free(r->state);
  bpi_arena_free(&r->room);
}

static size_t entry_bytes(rgraph *r, int e, void **data)
{
  bp_type t;
  bp_state_array(r->state, e, NULL, &t, data);
  return (size_t)bpi_type_size(&t) * (t.dtype == BP_REAL ? bp_dtype_size(r->real) : bp_dtype_size(t.dtype));
}

bp_plan_options rg_plan_options(rgraph *r)
{
  return (bp_plan_options){.real = r->real,
                           .outputs = r->outputs,
                           .n_outputs = r->n_outputs,
                           .updates = r->updates,
                           .n_updates = r->n_updates,
                           .guards = r->guards,
                           .n_guards = r->n_guards};
}

void rg_reset_state(rgraph *r)
{
  for (int e = 0; e < r->n_entries; e++) {
    void *data;
    size_t n = entry_bytes(r, e, &data);
    memcpy(data, r->start[e], n);
  }
}

bp_status rg_bind(rgraph *r, bp_run *run)
{
  for (int i = 0; i < r->n_inputs; i++) {
    bp_status s = bp_run_bind(run, r->inputs[i].name, r->inputs[i].data, r->inputs[i].bytes);
    if (s != BP_OK && s != BP_E_NOTFOUND)
      return s;
  }
  return BP_OK;
}
