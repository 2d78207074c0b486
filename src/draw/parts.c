/* The nodes that the outputs need, as parts. */
#include "draw/circuit.h"

#include <string.h>

bool bpi_is_leaf(const bpi_node *v)
{
  return (v->op->traits & (BP_INPUT | BP_STATE | BP_CONSTANT)) != 0;
}

bool bpi_is_bundle(const bp_op *op)
{
  return op->expand && !op->symbol && !(op->traits & (BP_VIEW | BP_LOOP | BP_JOIN));
}

static bool is_splat(const bpi_circuit *c, uint32_t slot)
{
  double value;
  return (c->g->nodes[slot].op->traits & BP_CONSTANT) && bpi_splat(bpi_handle(c->g, slot), &value);
}

bool bpi_is_folded(const bpi_circuit *c, const bpi_part *p, uint32_t input)
{
  if (!p->op || !is_splat(c, p->args[input]))
    return false;
  if (!(p->op->traits & BP_ELEMENTWISE) && c->g->nodes[p->args[input]].type->rank)
    return false;
  for (uint32_t k = 0; k < p->n_args; k++)
    if (!is_splat(c, p->args[k]))
      return true;
  return input > 0; /* something must come in */
}

uint32_t bpi_part_at(const bpi_circuit *c, uint32_t slot)
{
  uint32_t p = c->part_of[slot];
  while (p != BPI_NONE && c->part[p].into != BPI_NONE)
    p = c->part[p].into;
  return p;
}

size_t bpi_circuit_parts(const bpi_circuit *c)
{
  size_t n = 0;
  for (size_t i = 0; i < c->n_parts; i++)
    n += c->part[i].into == BPI_NONE;
  return n;
}

static void mark_needed(bpi_circuit *c)
{
  const bp_graph *g = c->g;
  for (size_t i = 0; i < c->n_y; i++) {
    c->need[c->y[i].index] = 1;
    c->uses[c->y[i].index]++;
  }
  for (size_t i = g->count; i-- > 1;) {
    const bpi_node *v = &g->nodes[i];
    if (!c->need[i])
      continue;
    c->need[i - v->result] = 1;
    for (int k = 0; v->result == 0 && k < v->n_in; k++) {
      c->need[v->in[k]] = 1;
      c->uses[v->in[k]]++;
    }
  }
}

static bp_status list_parts(bpi_circuit *c)
{
  const bp_graph *g = c->g;
  size_t n = 0;
  for (size_t i = 1; i < g->count; i++)
    n += c->need[i] && !g->nodes[i].result && !bpi_is_leaf(&g->nodes[i]);
  c->part = bpi_arena_alloc(&c->arena, n + 1, sizeof *c->part);
  if (!c->part)
    return bpi_nomem();
  memset(c->part_of, 0xff, g->count * sizeof *c->part_of);
  for (uint32_t i = 1; i < g->count; i += g->nodes[i].n_out) {
    const bpi_node *v = &g->nodes[i];
    if (!c->need[i] || bpi_is_leaf(v))
      continue;
    for (uint32_t k = 0; k < v->n_out; k++)
      c->part_of[i + k] = (uint32_t)c->n_parts;
    c->part[c->n_parts++] = (bpi_part){.head = i,
                                       .n_nodes = 1,
                                       .times = 1,
                                       .op = v->op,
                                       .attr = v->attr,
                                       .args = v->in,
                                       .n_args = v->n_in,
                                       .into = BPI_NONE};
  }
  return BP_OK;
}

bp_status bpi_circuit_open(bpi_circuit *c)
{
  size_t n = c->g->count;
  bpi_arena_init(&c->arena, c->ctx);
  c->need = bpi_arena_alloc(&c->arena, n, sizeof *c->need);
  c->part_of = bpi_arena_alloc(&c->arena, n, sizeof *c->part_of);
  c->uses = bpi_arena_alloc(&c->arena, n, sizeof *c->uses);
  if (!c->need || !c->part_of || !c->uses)
    return bpi_nomem();
  mark_needed(c);
  return list_parts(c);
}

void bpi_circuit_close(bpi_circuit *c)
{
  bpi_arena_free(&c->arena);
}
