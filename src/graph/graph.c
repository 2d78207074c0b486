/* The graph as a store: slots, interning, handles, the first error. */
#include "graph/graph.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MAX_INPUTS = 65535, MESSAGE_SIZE = 1024 };

/* Handed out when even the message found no memory. */
static const char no_memory_message[] = "out of memory";

bp_graph *bp_graph_new(bp_ctx *ctx)
{
  if (!ctx) {
    bpi_bad_arg("bp_graph_new", "ctx is NULL");
    return NULL;
  }
  bp_graph *g = bpi_zalloc(ctx, 1, sizeof *g);
  if (!g) {
    bpi_nomem();
    return NULL;
  }
  g->ctx = ctx;
  bpi_arena_init(&g->arena, ctx);
  g->cap = 64;
  g->nodes = bpi_zalloc(ctx, g->cap, sizeof *g->nodes);
  g->count = 1; /* the error node */
  g->next_serial = 1;
  g->next_stream = 1;
  if (!g->nodes) {
    bp_graph_free(g);
    bpi_nomem();
    return NULL;
  }
  bpi_graph_born(g);
  return g;
}

static void drop_message(bp_graph *g)
{
  if (g->message != no_memory_message)
    bpi_free(g->ctx, g->message);
  g->message = NULL;
  g->message_placed = false;
}

void bp_graph_free(bp_graph *g)
{
  if (!g)
    return;
  bp_ctx *ctx = g->ctx;
  bpi_graph_died(g);
  for (size_t i = 0; i < g->n_fns; i++)
    bp_fn_free(g->fns[i]);
  drop_message(g);
  bpi_free(ctx, g->fns);
  bpi_free(ctx, g->names);
  bpi_free(ctx, g->name_table);
  bpi_free(ctx, g->places);
  bpi_free(ctx, g->table);
  bpi_free(ctx, g->nodes);
  bpi_arena_free(&g->arena);
  bpi_free(ctx, g);
}

bp_ctx *bp_graph_ctx(const bp_graph *g)
{
  return g ? g->ctx : NULL;
}

/* ---- errors ---- */

bp_status bp_graph_status(const bp_graph *g)
{
  return g ? g->status : BP_E_ARG;
}

const char *bp_graph_error(const bp_graph *g)
{
  return g && g->message ? g->message : "";
}

bool bpi_graph_speechless(const bp_graph *g)
{
  return g->message == no_memory_message;
}

void bp_graph_clear(bp_graph *g)
{
  if (!g)
    return;
  g->status = BP_OK;
  drop_message(g);
}

/* Keeps the first failure; every failure becomes the thread's bp_error(). */
static bp_status keep_failure(bp_graph *g, bp_status s, const char *text)
{
  bpi_fail(s, "%s", text);
  if (g && g->status == BP_OK) {
    g->status = s;
    drop_message(g);
    g->message = bpi_strdup(g->ctx, text);
    if (!g->message)
      g->message = (char *)no_memory_message;
  }
  return s;
}

bp_status bpi_graph_fail(bp_graph *g, bp_status s, const char *fmt, ...)
{
  char text[MESSAGE_SIZE];
  va_list va;
  va_start(va, fmt);
  vsnprintf(text, sizeof text, fmt, va);
  va_end(va);
  return keep_failure(g, s, text);
}

void bpi_graph_reword(bp_graph *g, const char *fmt, ...)
{
  char before[MESSAGE_SIZE], text[MESSAGE_SIZE];
  if (g->status == BP_OK || bpi_graph_speechless(g))
    return;
  va_list va;
  va_start(va, fmt);
  vsnprintf(before, sizeof before, fmt, va);
  va_end(va);
  int n = snprintf(text, sizeof text, "%s: %s", before, g->message);
  char *copy = n > 0 ? bpi_strdup(g->ctx, text) : NULL;
  if (!copy)
    return;
  drop_message(g);
  g->message = copy;
  bpi_fail(g->status, "%s", text);
}

bp_node bpi_node_fail(bp_graph *g, bp_status s, const char *fmt, ...)
{
  char text[MESSAGE_SIZE];
  va_list va;
  va_start(va, fmt);
  vsnprintf(text, sizeof text, fmt, va);
  va_end(va);
  keep_failure(g, s, text);
  return bpi_error_node(g);
}

const char *bpi_node_label(const bp_graph *g, uint32_t index, char *buf, size_t n)
{
  const bpi_node *v = &g->nodes[index];
  const char *name = index ? bp_node_name(bpi_handle((bp_graph *)g, index)) : NULL;
  if (name)
    snprintf(buf, n, "'%s'", name);
  else
    snprintf(buf, n, "%s#%u", v->op ? v->op->name : "error", index);
  return buf;
}

bp_status bp_op_fail(const bp_op_call *c, bp_status s, const char *fmt, ...)
{
  char why[MESSAGE_SIZE / 2], label[80];
  va_list va;
  va_start(va, fmt);
  vsnprintf(why, sizeof why, fmt, va);
  va_end(va);
  bpi_text t;
  bpi_text_init(&t, c->graph->ctx);
  bpi_textf(&t, "%s(", c->op->name);
  for (int i = 0; i < c->n_in && i < 8; i++) {
    bpi_textf(&t, "%s%s ", i ? ", " : "", bpi_node_label(c->graph, c->x[i].index, label, sizeof label));
    bpi_textf(&t, "%s", bp_dtype_name(c->x_type[i].dtype));
    bpi_text_shape(&t, c->x_type[i].rank, c->x_type[i].dims);
  }
  bpi_textf(&t, "%s): %s", c->n_in > 8 ? ", ..." : "", why);
  if (t.failed)
    bpi_graph_fail(c->graph, s, "%s: %s", c->op->name, why);
  else
    keep_failure(c->graph, s, t.s);
  bpi_text_free(&t);
  return s;
}

/* ---- handles ---- */

const bpi_node *bpi_slot(bp_node n)
{
  if (!n.graph || n.index == 0 || !bpi_graph_alive(n.graph) || n.index >= n.graph->count)
    return NULL;
  const bpi_node *v = &n.graph->nodes[n.index];
  return v->serial == n.serial ? v : NULL;
}

bp_node bpi_handle(bp_graph *g, uint32_t index)
{
  return (bp_node){g, index, g->nodes[index].serial};
}

bool bp_failed(bp_node n)
{
  return bpi_slot(n) == NULL;
}

bp_status bp_node_type(bp_node n, bp_type *type)
{
  if (!type)
    return bpi_bad_arg("bp_node_type", "type is NULL");
  const bpi_node *v = bpi_slot(n);
  if (!v) {
    *type = (bp_type){BP_NONE, 0, {0}};
    return bpi_fail(BP_E_GRAPH, "bp_node_type: the node is an error node or stale");
  }
  *type = *v->type;
  return BP_OK;
}

const bp_op *bp_node_op(bp_node n, const bp_attr **attr)
{
  const bpi_node *v = bpi_slot(n);
  if (attr)
    *attr = v ? v->attr : NULL;
  return v ? v->op : NULL;
}

int64_t bp_node_size(bp_node n)
{
  const bpi_node *v = bpi_slot(n);
  return v ? bpi_type_size(v->type) : 0;
}

bool bpi_is_fixed(bp_node n)
{
  const bpi_node *v = bpi_slot(n);
  return v && (v->flags & BPI_NODE_FIXED);
}

bool bpi_splat(bp_node n, double *value)
{
  const bpi_node *v = bpi_slot(n);
  if (!v || !(v->op->traits & BP_CONSTANT))
    return false;
  const bp_attr *data = &v->attr[2];
  size_t one = v->type->dtype == BP_BOOL ? 1 : 8;
  if ((size_t)data->n != one)
    return false;
  if (v->type->dtype == BP_REAL)
    memcpy(value, data->v, sizeof *value);
  else if (v->type->dtype == BP_INT64)
    *value = (double)data->v[0];
  else
    *value = *(const uint8_t *)data->v;
  return true;
}

/* ---- interning ---- */

int bpi_op_n_attrs(const bp_op *op)
{
  int n = 0;
  while (n < BP_MAX_ATTRS && op->attrs[n].kind != BP_ATTR_END)
    n++;
  return n;
}

static uint64_t mix(uint64_t h, uint64_t v)
{
  h = (h ^ v) * 0x9e3779b97f4a7c15u;
  return h ^ (h >> 29);
}

/* Bytes that an attribute points to. */
static size_t attr_bytes(bp_attr_kind kind, const bp_attr *a)
{
  return kind == BP_ATTR_INTS ? (size_t)a->n * sizeof(int64_t) : kind == BP_ATTR_DATA ? (size_t)a->n : 0;
}

static uint64_t hash_bytes(uint64_t h, const void *bytes, size_t n)
{
  const unsigned char *p = bytes;
  for (; n >= 8; p += 8, n -= 8) {
    uint64_t w;
    memcpy(&w, p, 8);
    h = mix(h, w);
  }
  for (; n; p++, n--)
    h = mix(h, *p);
  return h;
}

uint32_t bpi_hash_call(const bp_op *op, const bp_attr *attr, int n_attr, const bp_node *x, size_t n_in)
{
  uint64_t h = mix(0x243f6a8885a308d3u, (uintptr_t)op);
  for (int i = 0; i < n_attr; i++) {
    size_t bytes = attr_bytes(op->attrs[i].kind, &attr[i]);
    if (op->attrs[i].kind == BP_ATTR_INTS || op->attrs[i].kind == BP_ATTR_DATA)
      h = hash_bytes(mix(h, (uint64_t)attr[i].n), attr[i].v, bytes);
    else
      h = mix(h, (uint64_t)attr[i].i);
  }
  for (size_t i = 0; i < n_in; i++)
    h = mix(h, x[i].index);
  return (uint32_t)(h ^ (h >> 32)) | 1u;
}

bool bpi_same_attr(bp_attr_kind kind, const bp_attr *a, const bp_attr *b)
{
  if (kind == BP_ATTR_INTS || kind == BP_ATTR_DATA)
    return a->n == b->n && (a->n == 0 || memcmp(a->v, b->v, attr_bytes(kind, a)) == 0);
  return a->i == b->i; /* reals bit for bit: 0 and -0 differ */
}

static bool same_call(const bp_graph *g, const bpi_node *v, const bp_op *op, const bp_attr *attr, int n_attr,
                      const bp_node *x, size_t n_in)
{
  if (v->op != op || v->n_in != n_in)
    return false;
  for (size_t i = 0; i < n_in; i++)
    if (v->in[i] != x[i].index)
      return false;
  for (int i = 0; i < n_attr; i++)
    if (!bpi_same_attr(op->attrs[i].kind, &v->attr[i], &attr[i]))
      return false;
  (void)g;
  return true;
}

static void table_put(bp_graph *g, uint32_t hash, uint32_t index)
{
  size_t at = hash & (g->table_cap - 1);
  while (g->table[at])
    at = (at + 1) & (g->table_cap - 1);
  g->table[at] = index;
  g->table_used++;
}

/* Fills the table anew from the slots. */
static void table_refill(bp_graph *g)
{
  memset(g->table, 0, g->table_cap * sizeof *g->table);
  g->table_used = 0;
  for (uint32_t i = 1; i < g->count; i += g->nodes[i].n_out)
    table_put(g, g->nodes[i].hash, i);
}

/* Takes the calls from slot `mark` out of the table. The last one put in is in the way of none before it, so going back from it leaves
 * the table as it was when they were not there; the time is theirs, not the graph's. */
static void table_take_back(bp_graph *g, uint32_t mark)
{
  size_t mask = g->table_cap - 1;
  for (uint32_t i = (uint32_t)g->count - 1; i >= mark; i--) {
    size_t at = g->nodes[i].hash & mask;
    if (g->nodes[i].result)
      continue;
    while (g->table[at] != i)
      at = (at + 1) & mask;
    g->table[at] = 0;
    g->table_used--;
  }
}

static bool table_room(bp_graph *g)
{
  if ((g->table_used + 1) * 2 <= g->table_cap)
    return true;
  size_t cap = g->table_cap ? g->table_cap * 2 : 128;
  uint32_t *table = bpi_alloc(g->ctx, cap, sizeof *table);
  if (!table)
    return false;
  bpi_free(g->ctx, g->table);
  g->table = table;
  g->table_cap = cap;
  table_refill(g);
  return true;
}

static uint32_t table_find(const bp_graph *g, uint32_t hash, const bp_op *op, const bp_attr *attr, int n_attr,
                           const bp_node *x, size_t n_in)
{
  if (!g->table_cap)
    return 0;
  for (size_t at = hash & (g->table_cap - 1); g->table[at]; at = (at + 1) & (g->table_cap - 1)) {
    const bpi_node *v = &g->nodes[g->table[at]];
    if (v->hash == hash && same_call(g, v, op, attr, n_attr, x, n_in))
      return g->table[at];
  }
  return 0;
}

/* ---- adding a node ---- */

static bool slots_room(bp_graph *g, size_t more)
{
  size_t cap = g->cap;
  while (g->count + more > cap)
    cap *= 2;
  if (cap == g->cap)
    return true;
  bpi_node *nodes = cap < INT32_MAX ? bpi_realloc(g->ctx, g->nodes, cap, sizeof *nodes) : NULL;
  if (!nodes)
    return false;
  g->nodes = nodes;
  g->cap = cap;
  return true;
}

static const bp_type *keep_type(bp_graph *g, const bp_type *t)
{
  const bp_type *last = g->last_type;
  if (last && last->dtype == t->dtype && bpi_same_shape(last, t))
    return last;
  bp_type *kept = bpi_arena_alloc(&g->arena, 1, sizeof *kept);
  if (kept)
    *kept = bpi_type(t->dtype, t->rank, t->dims);
  g->last_type = kept;
  return kept;
}

static bool keep_fn(bp_graph *g, bp_fn *fn)
{
  for (size_t i = 0; i < g->n_fns; i++)
    if (g->fns[i] == fn)
      return true;
  if (!bpi_grow(g->ctx, (void **)&g->fns, &g->fns_cap, g->n_fns, sizeof(bp_fn *)))
    return false;
  g->fns[g->n_fns++] = bpi_fn_keep(fn);
  return true;
}

static const bp_attr *keep_attrs(bp_graph *g, const bp_op *op, const bp_attr *attr, int n_attr)
{
  bp_attr *kept = bpi_arena_alloc(&g->arena, (size_t)n_attr, sizeof *kept);
  for (int i = 0; kept && i < n_attr; i++) {
    kept[i] = attr[i];
    size_t bytes = attr_bytes(op->attrs[i].kind, &attr[i]);
    if (bytes) {
      void *copy = bpi_arena_alloc(&g->arena, bytes, 1);
      if (!copy)
        return NULL;
      memcpy(copy, attr[i].v, bytes);
      kept[i].v = copy;
    }
    if (op->attrs[i].kind == BP_ATTR_FN && !keep_fn(g, attr[i].fn))
      return NULL;
  }
  return kept;
}

static uint16_t flags_of(const bp_op *op, const bp_node *x, size_t n_in)
{
  if (op->traits & (BP_INPUT | BP_STATE | BP_RANDOM))
    return 0;
  for (size_t i = 0; i < n_in; i++)
    if (!(x[i].graph->nodes[x[i].index].flags & BPI_NODE_FIXED))
      return 0;
  return BPI_NODE_FIXED;
}

/* Appends n_out slots for a call that is new. Returns the head, 0 when out of memory. */
static uint32_t append(bp_graph *g, bp_op_call *c, uint32_t hash, const bp_type *types, int n_out)
{
  uint32_t *in = bpi_arena_alloc(&g->arena, (size_t)c->n_in, sizeof *in);
  const bp_attr *attr = keep_attrs(g, c->op, c->attr, bpi_op_n_attrs(c->op));
  if (!in || !attr || !slots_room(g, (size_t)n_out) || !table_room(g))
    return 0;
  for (int i = 0; i < c->n_in; i++)
    in[i] = c->x[i].index;
  uint32_t head = (uint32_t)g->count;
  for (int k = 0; k < n_out; k++) {
    const bp_type *type = keep_type(g, &types[k]);
    if (!type)
      return 0;
    g->nodes[head + (uint32_t)k] = (bpi_node){.op = c->op,
                                              .type = type,
                                              .attr = attr,
                                              .in = in,
                                              .serial = g->next_serial++,
                                              .hash = hash,
                                              .n_in = (uint16_t)c->n_in,
                                              .n_out = (uint16_t)n_out,
                                              .result = (uint16_t)k,
                                              .flags = flags_of(c->op, c->x, (size_t)c->n_in)};
  }
  g->count += (size_t)n_out;
  table_put(g, hash, head);
  return head;
}

/* How many inputs a row takes: count of its argument names, or -1 for "parts...". */
static int arity_of(const bp_op *op)
{
  if (!op->args || !*op->args)
    return 0;
  int n = 1;
  for (const char *s = op->args; *s; s++) {
    n += *s == ',';
    if (strncmp(s, "...", 3) == 0)
      return -1;
  }
  return n;
}

/* Inputs brought to one shape by NumPy's rules; x is changed in place. */
static bp_status broadcast_inputs(bp_op_call *c, bp_node *x, bp_type *types)
{
  bp_type common = types[0];
  for (int i = 1; i < c->n_in; i++)
    if (!bpi_broadcast(&common, &types[i], &common))
      return bp_op_fail(c, BP_E_SHAPE,
                        "the shapes do not broadcast: dims must be equal or 1, counted from the right");
  for (int i = 0; i < c->n_in; i++) {
    if (bpi_same_shape(&types[i], &common))
      continue;
    x[i] = bp_broadcast(x[i], common.dims, common.rank);
    if (bp_failed(x[i]))
      return c->graph->status;
    bp_dtype keep = types[i].dtype;
    types[i] = common;
    types[i].dtype = keep;
  }
  return BP_OK;
}

/* Checks the inputs; error nodes pass silently, as their failure is on record already. */
static bp_status check_inputs(bp_graph *g, const bp_op *op, const bp_node *x, size_t n_in)
{
  int arity = arity_of(op);
  if (g->closed)
    return bpi_graph_fail(g, BP_E_ORDER, "%s: the graph is the body of a function and gets no more nodes",
                          op->name);
  if (n_in > MAX_INPUTS || (arity >= 0 ? n_in != (size_t)arity : n_in < 1))
    return bpi_graph_fail(g, BP_E_ARG, "%s: takes inputs (%s), got %zu", op->name, op->args ? op->args : "",
                          n_in);
  for (size_t i = 0; i < n_in; i++) {
    if (x[i].graph != g)
      return bpi_graph_fail(g, BP_E_GRAPH, "%s: input %zu belongs to another graph", op->name, i + 1);
    if (x[i].index == 0)
      return g->status != BP_OK
                 ? g->status
                 : bpi_graph_fail(g, BP_E_GRAPH, "%s: input %zu is an error node", op->name, i + 1);
    if (!bpi_slot(x[i]))
      return bpi_graph_fail(g, BP_E_GRAPH, "%s: input %zu is stale: its node was rolled back", op->name,
                            i + 1);
  }
  return BP_OK;
}

/* A view of a constant whose elements are all equal is such a constant: stored once however large. */
static bool fold_view(bp_op_call *c, const bp_type *out, bp_node *result)
{
  double value;
  if (!(c->op->traits & BP_VIEW) || !bpi_splat(c->x[0], &value))
    return false;
  *result = bp_full(c->graph, out->dtype, value, out->rank, out->dims);
  return true;
}

static bp_status deliver(bp_graph *g, uint32_t head, bp_node *results)
{
  for (int k = 0; k < g->nodes[head].n_out; k++)
    results[k] = bpi_handle(g, head + (uint32_t)k);
  return BP_OK;
}

/* Lists that are not there, or are of negative length, would be read before the row could refuse them. */
static bp_status check_lists(const bp_op_call *c)
{
  for (int i = 0, n = bpi_op_n_attrs(c->op); i < n; i++) {
    bp_attr_kind kind = c->op->attrs[i].kind;
    const bp_attr *a = &c->attr[i];
    if ((kind == BP_ATTR_INTS || kind == BP_ATTR_DATA) && (a->n < 0 || (a->n > 0 && !a->v)))
      return bp_op_fail(c, BP_E_ARG, "the list `%s` is NULL or of negative length", c->op->attrs[i].name);
  }
  return BP_OK;
}

/* The call with its inputs checked: canonical attributes, then the table, then a new node. */
static bp_status intern(bp_op_call *c, bp_node *x, bp_type *types, bp_attr *attr, bp_node *results)
{
  bp_graph *g = c->graph;
  bp_status s = check_lists(c);
  if (s != BP_OK)
    return s;
  if ((c->op->traits & BP_ELEMENTWISE) && c->n_in > 1 && (s = broadcast_inputs(c, x, types)) != BP_OK)
    return s;
  if (c->op->canon && (s = c->op->canon(c, attr)) != BP_OK)
    return s;
  int n_attr = bpi_op_n_attrs(c->op);
  uint32_t hash = bpi_hash_call(c->op, attr, n_attr, x, (size_t)c->n_in);
  uint32_t head = table_find(g, hash, c->op, attr, n_attr, x, (size_t)c->n_in);
  if (head)
    return deliver(g, head, results);
  bp_type out[BP_MAX_RESULTS];
  int n_out = 1;
  memset(out, 0, sizeof(bp_type));
  if ((s = c->op->shape(c, out, &n_out)) != BP_OK)
    return s;
  if (fold_view(c, out, results))
    return bp_failed(*results) ? g->status : BP_OK;
  head = append(g, c, hash, out, n_out);
  return head ? deliver(g, head, results) : bpi_graph_fail(g, BP_E_NOMEM, "%s: out of memory", c->op->name);
}

bp_status bp_apply(bp_graph *g, const bp_op *op, const bp_node *x, size_t n_in, const bp_attr *attr,
                   bp_node *results)
{
  if (!op || !results || (n_in && !x))
    return bpi_bad_arg("bp_apply", "op, x and results may not be NULL");
  if (n_in)
    g = x[0].graph;
  if (!g)
    return bpi_bad_arg(op->name, "the first input is the absent node, which belongs to no graph");
  if (!bpi_graph_alive(g)) {
    results[0] = BP_NO_NODE;
    return BP_E_GRAPH;
  }
  results[0] = bpi_error_node(g);
  bp_status s = check_inputs(g, op, x, n_in);
  if (s != BP_OK)
    return s;
  bp_node few[8];
  bp_type few_types[8];
  bpi_arena room;
  bpi_arena_init(&room, g->ctx);
  bp_node *in = n_in <= 8 ? few : bpi_arena_alloc(&room, n_in, sizeof *in);
  bp_type *types = n_in <= 8 ? few_types : bpi_arena_alloc(&room, n_in, sizeof *types);
  if (in && types) {
    bp_attr a[BP_MAX_ATTRS] = {{{0}, 0}};
    for (int i = 0, n = bpi_op_n_attrs(op); attr && i < n; i++)
      a[i] = attr[i];
    for (size_t i = 0; i < n_in; i++) {
      in[i] = x[i];
      types[i] = *g->nodes[x[i].index].type;
    }
    bp_op_call c = {.graph = g, .op = op, .n_in = (int)n_in, .x = in, .x_type = types, .attr = a};
    s = intern(&c, in, types, a, results);
  } else {
    s = bpi_graph_fail(g, BP_E_NOMEM, "%s: out of memory", op->name);
  }
  bpi_arena_free(&room);
  if (s != BP_OK)
    results[0] = bpi_error_node(g);
  return s;
}

int64_t *bp_op_ints(const bp_op_call *c, int64_t n)
{
  return !c || n < 0 ? NULL : bpi_arena_alloc(&c->graph->arena, (size_t)n, sizeof(int64_t));
}

/* ---- marks ---- */

uint32_t bp_graph_mark(const bp_graph *g)
{
  return g ? (uint32_t)g->count : 0;
}

bp_status bp_graph_rollback(bp_graph *g, uint32_t mark)
{
  if (!g || mark < 1 || mark > g->count)
    return bpi_bad_arg("bp_graph_rollback", "the mark is not one of this graph");
  if (mark < g->count && g->nodes[mark].result)
    return bpi_bad_arg("bp_graph_rollback", "the mark is inside a call with several results");
  if (g->closed)
    return bpi_fail(BP_E_ORDER,
                    "bp_graph_rollback: the graph is the body of a function, which stays as it is");
  if (g->table_cap)
    table_take_back(g, mark);
  g->count = mark;
  while (g->n_places && g->places[g->n_places - 1].index >= mark)
    g->n_places--;
  bpi_names_drop(g, mark);
  bp_graph_clear(g);
  return BP_OK;
}
