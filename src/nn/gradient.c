/* The gradient of all trained parameters as one vector, and what is done to such vectors parameter by parameter. */
#include "nn/params.h"

/* Numbers of the trained parameters in the order of the vector; how many. */
static size_t in_order(const bp_params *p, size_t *at)
{
  size_t n = 0;
  for (int vectors = 0; vectors < 2; vectors++)
    for (size_t i = 0; i < p->n; i++)
      if (!p->list[i].frozen && (p->list[i].type.rank < 2) == vectors)
        at[n++] = i;
  return n;
}

static bp_node flat_gradient(bp_params *p, bp_graph *g, bp_node loss, size_t *at, bp_node *w)
{
  bp_node *grads = w + p->n;
  size_t n = in_order(p, at);
  for (size_t i = 0; i < n; i++) {
    const bpi_parameter *q = &p->list[at[i]];
    w[i] = bp_param(p, g, q->name, q->type.rank, q->type.dims, q->init);
  }
  bp_status s = bp_graph_status(g) == BP_OK ? bp_grad(loss, w, n, grads) : bp_graph_status(g);
  if (s != BP_OK) {
    if (bp_graph_status(g) == BP_OK)
      bpi_graph_fail(g, s, "%s", bp_error());
    return bpi_error_node(g);
  }
  int64_t all = -1;
  for (size_t i = 0; i < n; i++)
    grads[i] = bp_reshape(grads[i], &all, 1);
  return bp_concat(grads, n, 0);
}

bp_node bp_params_gradient(bp_params *p, bp_node loss)
{
  bp_graph *g = loss.graph;
  if (!g)
    return loss;
  if (!p || !p->state || !p->size[0])
    return bpi_node_fail(g, BP_E_ORDER,
                         "bp_params_gradient: bp_params_make comes first, and there must be a "
                         "trained parameter");
  bp_node *w = bpi_alloc(p->ctx, 2 * p->n, sizeof *w), flat;
  size_t *at = bpi_alloc(p->ctx, p->n, sizeof *at);
  if (w && at)
    flat = flat_gradient(p, g, loss, at, w);
  else
    flat = bpi_node_fail(g, BP_E_NOMEM, "bp_params_gradient: out of memory");
  bpi_free(p->ctx, at);
  bpi_free(p->ctx, w);
  return flat;
}

/* One number for each parameter, spread over its elements; equal neighbours are one run. */
typedef double (*number_of)(const bpi_parameter *w, const void *arg);

static bp_node spread(const bp_params *p, bp_graph *g, number_of number, const void *arg)
{
  bp_node *runs = bpi_alloc(p->ctx, p->n + 1, sizeof *runs), all;
  size_t *at = bpi_alloc(p->ctx, p->n + 1, sizeof *at), n = 0;
  if (runs && at) {
    size_t count = in_order(p, at);
    int64_t length = 0;
    for (size_t i = 0; i < count; i++) {
      double x = number(&p->list[at[i]], arg);
      length += p->list[at[i]].size;
      if (i + 1 < count && number(&p->list[at[i + 1]], arg) == x)
        continue;
      runs[n++] = bp_full(g, BP_REAL, x, 1, &length);
      length = 0;
    }
    all = n == 1 ? runs[0] : bp_concat(runs, n, 0);
  } else {
    all = bpi_node_fail(g, BP_E_NOMEM, "bp_optimizer_step: out of memory");
  }
  bpi_free(p->ctx, at);
  bpi_free(p->ctx, runs);
  return all;
}

static double of_matrices(const bpi_parameter *w, const void *arg)
{
  return w->type.rank < 2 ? 0 : *(const double *)arg;
}

bp_node bpi_by_rank(const bp_params *p, bp_graph *g, double x)
{
  return spread(p, g, of_matrices, &x);
}

typedef struct rates {
  const bp_rate *list;
  size_t n;
} rates;

static double rate_of(const bpi_parameter *w, const void *arg)
{
  const rates *r = arg;
  for (size_t i = r->n; i-- > 0;)
    if (bpi_param_fits(w, r->list[i].name))
      return r->list[i].rate;
  return 1;
}

bp_node bpi_by_name(const bp_params *p, bp_graph *g, const bp_rate *list, size_t n)
{
  rates r = {list, n};
  return spread(p, g, rate_of, &r);
}

/* 1 where the norm is below the limit; 0 / 0 cannot be, as most > 0. */
static bp_node shrinking(bp_node norm, double most)
{
  bp_node limit = bp_constant(norm.graph, most);
  return bp_div(limit, bp_maximum(norm, limit));
}

/* The row `norm` does not overflow where squares would. */
bp_node bpi_clip_norm(bp_node grad, double most)
{
  return bp_mul(grad, shrinking(bp_norm(grad, NULL, 0, false), most));
}

static bp_node part_of(bp_node w, int64_t from, int64_t to)
{
  int64_t step = 1;
  return bp_slice(w, &from, 1, &to, 1, &step, 1);
}

static bp_node limited_rows(bp_node w, const bpi_parameter *q, double most)
{
  int64_t rows = q->type.dims[0], dims[2] = {rows, q->size / rows}, one = 1, flat = -1;
  bp_node m = bp_reshape(part_of(w, q->offset, q->offset + q->size), dims, 2);
  return bp_reshape(bp_mul(m, shrinking(bp_norm(m, &one, 1, true), most)), &flat, 1);
}

bp_node bpi_max_norm(const bp_params *p, bp_node w, double most)
{
  bp_graph *g = w.graph;
  bp_node *parts = bpi_alloc(p->ctx, p->n + 1, sizeof *parts), all;
  size_t n = 0;
  int64_t end = 0;
  if (!parts)
    return bpi_node_fail(g, BP_E_NOMEM, "bp_optimizer_step: out of memory");
  for (size_t i = 0; i < p->n; i++)
    if (!p->list[i].frozen && p->list[i].type.rank >= 2) {
      parts[n++] = limited_rows(w, &p->list[i], most);
      end += p->list[i].size;
    }
  if (end < p->size[0])
    parts[n++] = part_of(w, end, p->size[0]);
  all = bp_concat(parts, n, 0);
  bpi_free(p->ctx, parts);
  return all;
}
