/* Side tables of a graph: names and places of nodes; and the graph as text. */
#include "graph/graph.h"

#include <string.h>

static uint32_t hash_name(const char *s)
{
  uint32_t h = 2166136261u; /* FNV-1a */
  for (; *s; s++)
    h = (h ^ (unsigned char)*s) * 16777619u;
  return h;
}

/* Number of the name, or -1. */
static long find_name(const bp_graph *g, const char *name)
{
  size_t mask = g->name_table_cap - 1;
  for (size_t at = hash_name(name) & mask; g->name_table_cap && g->name_table[at]; at = (at + 1) & mask)
    if (strcmp(g->names[g->name_table[at] - 1].name, name) == 0)
      return (long)g->name_table[at] - 1;
  return -1;
}

static void put_name(bp_graph *g, size_t number)
{
  size_t mask = g->name_table_cap - 1, at = hash_name(g->names[number].name) & mask;
  while (g->name_table[at])
    at = (at + 1) & mask;
  g->name_table[at] = (uint32_t)number + 1;
}

static void names_refill(bp_graph *g)
{
  if (g->name_table_cap)
    memset(g->name_table, 0, g->name_table_cap * sizeof *g->name_table);
  for (size_t i = 0; i < g->n_names; i++)
    put_name(g, i);
}

/* Where the names to go are the last ones given, as they are nearly always, the table loses them from the last on, which leaves it as it
 * was before them; else it is filled anew. */
void bpi_names_drop(bp_graph *g, uint32_t mark)
{
  size_t kept = 0, mask = g->name_table_cap - 1;
  while (g->n_names && g->names[g->n_names - 1].index >= mark) {
    size_t at = hash_name(g->names[g->n_names - 1].name) & mask;
    while (g->name_table[at] != g->n_names)
      at = (at + 1) & mask;
    g->name_table[at] = 0;
    g->n_names--;
  }
  for (size_t i = 0; i < g->n_names; i++)
    if (g->names[i].index < mark)
      g->names[kept++] = g->names[i];
  if (kept == g->n_names)
    return;
  g->n_names = kept;
  names_refill(g);
}

static bool name_room(bp_graph *g)
{
  if (!bpi_grow(g->ctx, (void **)&g->names, &g->names_cap, g->n_names, sizeof *g->names))
    return false;
  if ((g->n_names + 1) * 2 <= g->name_table_cap)
    return true;
  size_t cap = g->name_table_cap ? 2 * g->name_table_cap : 64;
  uint32_t *table = bpi_alloc(g->ctx, cap, sizeof *table);
  if (!table)
    return false;
  bpi_free(g->ctx, g->name_table);
  g->name_table = table;
  g->name_table_cap = cap;
  names_refill(g);
  return true;
}

bool bpi_name_taken(const bp_graph *g, const char *name)
{
  return find_name(g, name) >= 0;
}

bp_node bp_name(bp_node n, const char *name)
{
  if (!n.graph || !bpi_graph_alive(n.graph))
    return BP_NO_NODE;
  bp_graph *g = n.graph;
  if (!name || !*name)
    return bpi_node_fail(g, BP_E_ARG, "bp_name: the name is missing or empty");
  if (!bpi_slot(n))
    return bpi_error_node(g);
  long have = find_name(g, name);
  if (have >= 0)
    return g->names[have].index == n.index
               ? n
               : bpi_node_fail(g, BP_E_EXISTS, "bp_name: '%s' is the name of another node", name);
  char *copy = bpi_arena_strdup(&g->arena, name);
  if (!copy || !name_room(g))
    return bpi_node_fail(g, BP_E_NOMEM, "bp_name: out of memory");
  g->names[g->n_names] = (bpi_name){copy, n.index};
  put_name(g, g->n_names++);
  g->nodes[n.index].flags |= BPI_NODE_NAMED;
  return n;
}

bp_node bp_find(bp_graph *g, const char *name)
{
  if (!g) {
    bpi_bad_arg("bp_find", "g");
    return BP_NO_NODE;
  }
  if (!name)
    return bpi_node_fail(g, BP_E_ARG, "bp_find: the name is NULL");
  long have = find_name(g, name);
  return have >= 0 ? bpi_handle(g, g->names[have].index)
                   : bpi_node_fail(g, BP_E_NOTFOUND, "bp_find: no node is named '%s'", name);
}

const char *bp_node_name(bp_node n)
{
  const bpi_node *v = bpi_slot(n);
  if (!v || !(v->flags & BPI_NODE_NAMED))
    return NULL;
  for (size_t i = 0; i < n.graph->n_names; i++)
    if (n.graph->names[i].index == n.index)
      return n.graph->names[i].name;
  return NULL;
}

/* Copies of file names are shared between neighbours, as one file builds many nodes. */
static const char *keep_file(bp_graph *g, const char *file)
{
  if (g->n_places && strcmp(g->places[g->n_places - 1].file, file) == 0)
    return g->places[g->n_places - 1].file;
  return bpi_arena_strdup(&g->arena, file);
}

/* The message of the first error learns the place of the innermost call that was given it. */
static void place_error(bp_graph *g, const char *file, int line)
{
  if (g->status == BP_OK || g->message_placed || !g->message)
    return;
  bpi_text t;
  bpi_text_init(&t, g->ctx);
  bpi_textf(&t, "%s:%d: %s", file, line, g->message);
  char *placed = bpi_text_take(&t);
  if (!placed)
    return;
  bpi_fail(g->status, "%s", placed);
  if (g->status != BP_E_NOMEM) {
    bpi_free(g->ctx, g->message);
    g->message = placed;
    g->message_placed = true;
  } else {
    bpi_free(g->ctx, placed);
  }
}

bp_node bp_here(bp_node n, const char *file, int line)
{
  bp_graph *g = n.graph;
  if (!g || !file || !bpi_graph_alive(g))
    return n;
  if (!bpi_slot(n)) {
    place_error(g, file, line);
    return n;
  }
  if (g->n_places && g->places[g->n_places - 1].index >= n.index)
    return n;
  const char *kept = keep_file(g, file);
  /* A place is a help, not a promise: without memory for it the node is as good. */
  if (kept && bpi_grow(g->ctx, (void **)&g->places, &g->places_cap, g->n_places, sizeof *g->places))
    g->places[g->n_places++] = (bpi_place){kept, n.index, line};
  return n;
}

void bpi_text_attr(bpi_text *t, const bp_attr_def *def, const bp_attr *a)
{
  bpi_textf(t, "%s=", def->name);
  switch (def->kind) {
  case BP_ATTR_INT:
    bpi_textf(t, "%lld", (long long)a->i);
    break;
  case BP_ATTR_REAL:
    bpi_text_double(t, a->r);
    break;
  case BP_ATTR_BOOL:
    bpi_textf(t, "%s", a->i ? "true" : "false");
    break;
  case BP_ATTR_INTS:
    bpi_text_shape(t, (int)a->n, a->v);
    break;
  case BP_ATTR_DTYPE:
    bpi_textf(t, "%s", bp_dtype_name((bp_dtype)a->i));
    break;
  case BP_ATTR_FN:
    bpi_textf(t, "%s", a->fn && a->fn->name ? a->fn->name : "fn");
    break;
  default:
    bpi_textf(t, "<%lld bytes>", (long long)a->n);
  }
}

static void print_constant(bpi_text *t, bp_graph *g, uint32_t i)
{
  double value;
  if (bpi_splat(bpi_handle(g, i), &value)) {
    bpi_textf(t, "constant ");
    bpi_text_double(t, value);
  } else {
    bpi_textf(t, "constant array");
  }
}

static void print_node(bpi_text *t, bp_graph *g, uint32_t i)
{
  const bpi_node *v = &g->nodes[i];
  bpi_textf(t, "%%%u", i);
  for (int k = 1; k < v->n_out; k++)
    bpi_textf(t, ", %%%u", i + (uint32_t)k);
  bpi_textf(t, " = ");
  if (v->op->traits & BP_CONSTANT) {
    print_constant(t, g, i);
  } else {
    bpi_textf(t, "%s(", v->op->name);
    const char *comma = "";
    for (int k = 0; k < v->n_in; k++, comma = ", ")
      bpi_textf(t, "%s%%%u", comma, v->in[k]);
    for (int k = 0; k < bpi_op_n_attrs(v->op); k++, comma = ", ") {
      bpi_textf(t, "%s", comma);
      bpi_text_attr(t, &v->op->attrs[k], &v->attr[k]);
    }
    bpi_textf(t, ")");
  }
  bpi_textf(t, " :");
  for (int k = 0; k < v->n_out; k++) {
    const bp_type *type = g->nodes[i + (uint32_t)k].type;
    bpi_textf(t, " %s", bp_dtype_name(type->dtype));
    bpi_text_shape(t, type->rank, type->dims);
  }
}

bp_status bp_graph_print(const bp_graph *graph, char **text)
{
  if (!graph || !text)
    return bpi_bad_arg("bp_graph_print", "graph or text is NULL");
  bp_graph *g = (bp_graph *)graph; /* handles are not const; nothing is changed */
  bpi_text t;
  bpi_text_init(&t, g->ctx);
  bpi_textf(&t, "# graph of %zu values\n", g->count - 1);
  size_t place = 0;
  for (uint32_t i = 1; i < g->count; i += g->nodes[i].n_out) {
    print_node(&t, g, i);
    for (uint32_t k = i; k < i + g->nodes[i].n_out; k++) {
      const char *name = bp_node_name(bpi_handle(g, k));
      if (name)
        bpi_textf(&t, "  '%s'", name);
    }
    while (place < g->n_places && g->places[place].index < i)
      place++;
    if (place < g->n_places && g->places[place].index == i)
      bpi_textf(&t, "  at %s:%d", g->places[place].file, g->places[place].line);
    bpi_textf(&t, "\n");
  }
  *text = bpi_text_take(&t);
  return *text ? BP_OK : bpi_nomem();
}
