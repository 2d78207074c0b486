/* What nodes were called and where they were built, kept for messages after the graph is gone. */
#include "plan/draft.h"

#include <stdio.h>
#include <string.h>

typedef struct source_tables {
  uint32_t *name, *place; /* numbers in the graph's lists, + 1 */
} source_tables;

static bool source_tables_init(source_tables *t, bpi_draft *d)
{
  const bp_graph *g = d->from;
  t->name = bpi_arena_alloc(&d->arena, g->count, sizeof *t->name);
  t->place = bpi_arena_alloc(&d->arena, g->count, sizeof *t->place);
  if (!t->name || !t->place)
    return false;
  for (size_t i = g->n_names; i-- > 0;)
    t->name[g->names[i].index] = (uint32_t)i + 1;
  for (size_t i = 0; i < g->n_places; i++)
    t->place[g->places[i].index] = (uint32_t)i + 1;
  return true;
}

/* Marks the nodes that messages may speak of. */
static uint8_t *spoken_of(bpi_draft *d)
{
  const bp_plan *p = d->plan;
  uint8_t *used = bpi_arena_alloc(&d->arena, d->from->count, 1);
  for (size_t i = 0; used && i < p->n_instrs; i++) {
    used[p->instrs[i].source] = 1;
    for (uint32_t k = 0; p->instrs[i].kind == BPI_DO_GUARD && k < p->instrs[i].n_in; k++)
      used[p->instrs[i].guards[k]] = 1;
    for (int64_t k = 0; p->instrs[i].kind == BPI_DO_SCALARS && k < p->instrs[i].n; k++)
      used[p->instrs[i].scalars->source[k]] = 1;
  }
  return used;
}

bp_status bpi_keep_sources(bpi_draft *d)
{
  const bp_graph *g = d->from;
  bp_plan *p = d->plan;
  source_tables t;
  uint8_t *used = spoken_of(d);
  size_t n = 0;
  const char *file = NULL, *kept_file = NULL;
  if (!used || !source_tables_init(&t, d))
    return bpi_nomem();
  for (size_t i = 1; i < g->count; i++)
    n += used[i] && (t.name[i] || t.place[i]);
  p->sources = bpi_arena_alloc(&p->arena, n + 1, sizeof *p->sources);
  if (!p->sources)
    return bpi_nomem();
  for (uint32_t i = 1; i < g->count; i++) {
    if (!used[i] || (!t.name[i] && !t.place[i]))
      continue;
    bpi_source_name *s = &p->sources[p->n_sources++];
    s->node = i;
    s->name = t.name[i] ? bpi_arena_strdup(&p->arena, g->names[t.name[i] - 1].name) : NULL;
    if (t.name[i] && !s->name)
      return bpi_nomem();
    if (!t.place[i])
      continue;
    const bpi_place *place = &g->places[t.place[i] - 1];
    if (!file || strcmp(file, place->file) != 0) {
      file = place->file;
      kept_file = bpi_arena_strdup(&p->arena, file);
    }
    s->file = kept_file;
    s->line = place->line;
  }
  return BP_OK;
}

static const bpi_source_name *find_source(const bp_plan *p, uint32_t node)
{
  size_t lo = 0, hi = p->n_sources;
  while (lo < hi) {
    size_t mid = (lo + hi) / 2;
    if (p->sources[mid].node < node)
      lo = mid + 1;
    else
      hi = mid;
  }
  return lo < p->n_sources && p->sources[lo].node == node ? &p->sources[lo] : NULL;
}

const char *bpi_plan_label(const bp_plan *p, uint32_t node, const bp_op *op, char *buf, size_t n)
{
  const bpi_source_name *s = find_source(p, node);
  int used = s && s->name ? snprintf(buf, n, "'%s'", s->name)
                          : snprintf(buf, n, "%s#%u", op ? op->name : "node", node);
  if (s && s->file && used > 0 && (size_t)used < n)
    snprintf(buf + used, n - (size_t)used, " (%s:%d)", s->file, s->line);
  return buf;
}
