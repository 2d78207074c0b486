/* The order of the steps of a tile program: behind a step comes one that reads what it has made, where there is one that can, as that then stays in
 * registers (relays.c). Otherwise the order is as it was. */
#include "plan/draft.h"

#include <string.h>

typedef struct edge {
  uint32_t reader, next; /* next: the next reader of the same member, + 1 */
} edge;

typedef struct stepper {
  bpi_draft *d;
  const uint32_t *members; /* as given: in an order that will do */
  size_t n;
  uint32_t last;    /* instruction among them */
  uint32_t *number; /* of each instruction that is a member, + 1 */
  uint32_t *first;  /* of each member: its first reader's edge, + 1 */
  edge *edges;
  uint8_t *placed;
} stepper;

/* Number of the member that makes an operand, + 1; 0: it comes from outside. */
static uint32_t maker_of(const stepper *o, const bpi_ref *r)
{
  uint32_t def = o->d->roots[r->root].def, k = def <= o->last ? o->number[def] : 0;
  return k && k <= o->n && o->members[k - 1] == def ? k : 0;
}

static bool is_ready(const stepper *o, uint32_t member)
{
  const bpi_ins *ins = &o->d->ins[o->members[member]];
  for (uint32_t k = 0; k < ins->n_in; k++) {
    uint32_t maker = maker_of(o, &o->d->refs[ins->in + k]);
    if (maker && !o->placed[maker - 1])
      return false;
  }
  return true;
}

/* The first that reads what the member makes and can come now; n: none. A sum stands right behind its maker, so it is the first. */
static size_t reader_of(const stepper *o, size_t member)
{
  for (uint32_t e = o->first[member]; e; e = o->edges[e - 1].next) {
    uint32_t reader = o->edges[e - 1].reader;
    if (!o->placed[reader] && is_ready(o, reader))
      return reader;
  }
  return o->n;
}

static void list_readers(stepper *o)
{
  uint32_t n_edges = 0;
  for (size_t s = o->n; s-- > 0;) {
    const bpi_ins *ins = &o->d->ins[o->members[s]];
    for (uint32_t k = 0; k < ins->n_in; k++) {
      uint32_t maker = maker_of(o, &o->d->refs[ins->in + k]);
      if (!maker)
        continue;
      o->edges[n_edges] = (edge){(uint32_t)s, o->first[maker - 1]};
      o->first[maker - 1] = ++n_edges;
    }
  }
}

/* What is in the registers behind a member: a sum leaves what it has added. */
static size_t left_by(const stepper *o, size_t member)
{
  const bpi_ins *ins = &o->d->ins[o->members[member]];
  uint32_t maker = ins->tail ? maker_of(o, &o->d->refs[ins->in]) : 0;
  return maker ? maker - 1 : member;
}

/* Of those that are not placed, the first can always come: what it reads stood before it. */
static void place_steps(const stepper *o, uint32_t *members)
{
  size_t at = o->n, rest = 0;
  for (size_t s = 0; s < o->n; s++) {
    at = at < o->n ? reader_of(o, left_by(o, at)) : o->n;
    while (at == o->n && o->placed[rest])
      rest++;
    at = at < o->n ? at : rest;
    o->placed[at] = 1;
    members[s] = o->members[at];
  }
}

bp_status bpi_order_steps(bpi_draft *d, uint32_t *number, uint32_t *members, size_t n)
{
  size_t most = 0;
  uint32_t *given = bpi_arena_alloc(&d->arena, n, sizeof *given);
  stepper o = {.d = d, .members = given, .n = n, .number = number};
  for (size_t s = 0; s < n; s++) {
    number[members[s]] = (uint32_t)s + 1;
    most += d->ins[members[s]].n_in;
    o.last = members[s] > o.last ? members[s] : o.last;
  }
  o.first = bpi_arena_alloc(&d->arena, n, sizeof *o.first);
  o.edges = bpi_arena_alloc(&d->arena, most + 1, sizeof *o.edges);
  o.placed = bpi_arena_alloc(&d->arena, n, 1);
  if (!given || !o.first || !o.edges || !o.placed)
    return bpi_nomem();
  memcpy(given, members, n * sizeof *given);
  list_readers(&o);
  place_steps(&o, members);
  return BP_OK;
}
