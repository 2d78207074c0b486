/* How large the numbers inside f are: their rounding is what no difference, and no gradient, can see below. */
#include "check/point.h"
#include "graph/graph.h"

#include <math.h>

/* Inputs come before what uses them, so one walk up finds what moves with x, and one walk down what is needed. */
void bpi_point_mark(const bpi_point *p, bool gradient, uint8_t *mark)
{
  const bp_graph *g = p->g;
  for (size_t i = 0; i < p->n_wrt; i++) {
    mark[p->wrt[i].index] |= BPI_MOVES;
    mark[p->grads[i].index] |= gradient ? BPI_NEEDED : 0;
  }
  mark[p->f.index] |= BPI_NEEDED;
  for (size_t i = 1; i < g->count; i++)
    for (int k = 0; k < g->nodes[i].n_in; k++)
      mark[i] |= mark[g->nodes[i].in[k]] & BPI_MOVES;
  for (size_t i = g->count - 1; i > 0; i--)
    for (int k = 0; k < g->nodes[i].n_in && (mark[i] & BPI_NEEDED); k++)
      mark[g->nodes[i].in[k]] |= BPI_NEEDED;
}

/* The real nodes of f that move with x. */
static bp_status list_inside(bpi_point *p, bp_node **nodes, size_t *n)
{
  uint8_t *mark = bpi_arena_alloc(&p->room, p->g->count, 1);
  size_t most = 1;
  if (!mark)
    return bpi_nomem();
  bpi_point_mark(p, false, mark);
  for (size_t i = 1; i < p->g->count; i++)
    most += mark[i] == (BPI_MOVES | BPI_NEEDED);
  *nodes = bpi_arena_alloc(&p->room, most, sizeof **nodes);
  *n = 0;
  if (!*nodes)
    return bpi_nomem();
  for (size_t i = 1; i < p->g->count; i++)
    if (mark[i] == (BPI_MOVES | BPI_NEEDED) && p->g->nodes[i].type->dtype == BP_REAL)
      (*nodes)[(*n)++] = bpi_handle(p->g, (uint32_t)i);
  return BP_OK;
}

static bp_status largest_of(const bpi_eval *e, bp_node n, size_t output, double *largest)
{
  const void *data;
  bp_status s = bp_run_output(e->run, output, &data, NULL);
  for (int64_t k = 0; s == BP_OK && k < bp_node_size(n); k++) {
    double v = fabs(((const double *)data)[k]);
    *largest = isfinite(v) && v > *largest ? v : *largest;
  }
  return s;
}

bp_status bpi_point_magnitude(bpi_point *p, double *magnitude)
{
  bp_node *nodes;
  size_t n;
  bpi_eval e;
  *magnitude = p->magnitude;
  if (p->magnitude > 0)
    return BP_OK;
  bp_status s = list_inside(p, &nodes, &n);
  if (s == BP_OK)
    s = bpi_point_ready(p, &e, nodes, n);
  if (s != BP_OK)
    return s;
  s = bpi_eval_step(&e);
  for (size_t i = 0; s == BP_OK && i < n; i++)
    s = largest_of(&e, nodes[i], i, &p->magnitude);
  bpi_eval_close(&e);
  *magnitude = p->magnitude;
  return s;
}
