/* Values: how they are made, and how they get into a graph. */
#include "lang/lang.h"
#include "check/eval.h"

#include <math.h>
#include <string.h>

bpi_value bpi_v_number(double x, bp_dtype t, bool flex)
{
  bpi_value v = {.kind = BPI_V_NUMBER, .dtype = (uint8_t)t, .flex = flex, .number = x};
  if (t == BP_INT64)
    v.whole = (int64_t)x;
  return v;
}

bpi_value bpi_v_whole(int64_t x)
{
  return (bpi_value){.kind = BPI_V_NUMBER, .dtype = BP_INT64, .flex = true, .whole = x};
}

bpi_value bpi_v_node(bp_node n)
{
  return (bpi_value){.kind = BPI_V_NODE, .node = n};
}

bpi_value bpi_v_array(bpi_larray *a, bool flex)
{
  return (bpi_value){.kind = BPI_V_ARRAY, .dtype = (uint8_t)a->type.dtype, .flex = flex, .array = a};
}

static size_t bytes_each(bp_dtype t)
{
  return t == BP_BOOL ? 1 : 8;
}

static bpi_larray *array_in(bp_program *p, bpi_arena *arena, const bp_type *t, bool splat)
{
  bpi_larray *a = bpi_arena_alloc(arena, 1, sizeof *a);
  if (a) {
    a->type = *t;
    a->size = bpi_type_size(t);
    a->splat = splat;
    a->data = bpi_arena_alloc(arena, splat ? 1 : (size_t)a->size, bytes_each(t->dtype));
  }
  if (a && a->data)
    return a;
  bpi_lang_nomem(p);
  return NULL;
}

bpi_larray *bpi_new_array(bp_program *p, bp_dtype t, int rank, const int64_t *dims, bool splat)
{
  int64_t size;
  if (!bpi_size(rank, dims, &size)) {
    bpi_wrong(p, BP_E_LIMIT, "a dim is negative, or the array has too many elements");
    return NULL;
  }
  if (size > p->options.max_elements) {
    bpi_wrong(p, BP_E_LIMIT, "an array of %lld elements is over the limit of %lld", (long long)size,
              (long long)p->options.max_elements);
    return NULL;
  }
  bp_type type = bpi_type(t, rank, dims);
  return array_in(p, &p->temp, &type, splat);
}

bpi_larray *bpi_keep_array(bp_program *p, const bpi_larray *a)
{
  bpi_larray *kept = array_in(p, &p->arena, &a->type, a->splat);
  size_t n = a->splat ? 1 : (size_t)a->size;
  if (kept && n)
    memcpy(kept->data, a->data, n * bytes_each(a->type.dtype));
  return kept;
}

/* As deep as BPI_LIST_DEPTH; what a name holds already is not copied again. */
bp_status bpi_keep_value(bp_program *p, bpi_value *v)
{
  if (v->kind == BPI_V_NODE && bpi_known(p, v)) { /* the scratch graph ends with the statement */
    bpi_larray *host = bpi_host(p, v);
    if (!host)
      return p->status;
    *v = bpi_v_array(host, v->flex);
  }
  if (v->kind == BPI_V_ARRAY)
    return (v->array = bpi_keep_array(p, v->array)) ? BP_OK : p->status;
  if (v->kind != BPI_V_LIST || v->kept)
    return BP_OK;
  bpi_value *items = bpi_arena_alloc(&p->arena, v->n, sizeof *items);
  if (!items)
    return bpi_lang_nomem(p);
  for (uint32_t i = 0; i < v->n && p->status == BP_OK; i++) {
    items[i] = v->items[i];
    bpi_keep_value(p, &items[i]);
  }
  v->items = items;
  v->kept = true;
  return p->status;
}

double bpi_array_real(const bpi_larray *a, int64_t i)
{
  i = a->splat ? 0 : i;
  return a->type.dtype == BP_REAL    ? ((const double *)a->data)[i]
         : a->type.dtype == BP_INT64 ? (double)((const int64_t *)a->data)[i]
                                     : ((const uint8_t *)a->data)[i];
}

bool bpi_known(const bp_program *p, const bpi_value *v)
{
  return (v->kind == BPI_V_LIST && v->known) || v->kind == BPI_V_NUMBER || v->kind == BPI_V_ARRAY ||
         (v->kind == BPI_V_NODE && p->scratch && v->node.graph == p->scratch);
}

bool bpi_has_nodes(const bp_program *p, const bpi_value *v)
{
  if (v->kind == BPI_V_SLICE)
    return bpi_has_nodes(p, &v->items[0]) || bpi_has_nodes(p, &v->items[1]) || bpi_has_nodes(p, &v->items[2]);
  return (v->kind == BPI_V_LIST && v->nodes) || v->kind == BPI_V_INPUT ||
         (v->kind == BPI_V_NODE && !bpi_known(p, v));
}

/* ---- types ---- */

bool bpi_untyped(const bpi_value *v)
{
  return v->kind == BPI_V_INPUT ? v->input->flex && bp_failed(v->input->node) : v->flex;
}

static const char *kind_text(const bpi_value *v)
{
  static const char *const words[] = {
      [BPI_V_ABSENT] = "nothing", [BPI_V_NONE] = "None",     [BPI_V_ELLIPSIS] = "...",
      [BPI_V_SLICE] = "a slice",  [BPI_V_FN] = "a function", [BPI_V_DTYPE] = "a type",
      [BPI_V_TEXT] = "a string",  [BPI_V_LIST] = "a list"};
  return v->kind < sizeof words / sizeof *words && words[v->kind] ? words[v->kind] : "an array";
}

bp_status bpi_type_of(bp_program *p, bpi_value *v, bp_type *t)
{
  if (v->kind == BPI_V_LIST && bpi_pack(p, v) != BP_OK)
    return p->status;
  switch (v->kind) {
  case BPI_V_NUMBER:
    *t = (bp_type){.dtype = (bp_dtype)v->dtype};
    return BP_OK;
  case BPI_V_ARRAY:
    *t = v->array->type;
    return BP_OK;
  case BPI_V_INPUT:
    if (bp_failed(v->input->node)) {
      *t = v->input->array->type;
      return BP_OK;
    }
    return bp_node_type(v->input->node, t);
  case BPI_V_NODE:
    return bp_node_type(v->node, t) == BP_OK ? BP_OK : bpi_wrong_graph(p, v->node.graph);
  default:
    return bpi_wrong(p, BP_E_DTYPE, "an array or number is wanted here, not %s", kind_text(v));
  }
}

const char *bpi_type_text(bp_program *p, bpi_value *v)
{
  bp_type t;
  if (bpi_type_of(p, v, &t) != BP_OK)
    return "?";
  bpi_text text;
  bpi_text_init(&text, p->ctx);
  bpi_textf(&text, "%s", bp_dtype_name(v->flex ? BP_REAL : t.dtype));
  bpi_text_shape(&text, t.rank, t.dims);
  char *kept = text.failed ? NULL : bpi_arena_strdup(&p->temp, text.s);
  bpi_text_free(&text);
  return kept ? kept : "?";
}

/* ---- known values on the host ---- */

/* The value of a node whose graph needs no input but those bound by `bind`. NULL: told. */
static bpi_larray *evaluate(bp_program *p, bp_node n, bp_status (*bind)(bp_program *, bpi_eval *))
{
  bpi_eval e;
  const void *data;
  bp_type t;
  bpi_larray *a = NULL;
  bp_status s = bpi_eval_open(&e, n.graph, BP_FLOAT64, &n, 1);
  if (s != BP_OK) {
    bpi_wrong(p, s, "this value must be known while reading: %s", bp_error());
    return NULL;
  }
  s = bind ? bind(p, &e) : BP_OK;
  if (s == BP_OK && (s = bpi_eval_step(&e)) == BP_OK && (s = bp_run_output(e.run, 0, &data, &t)) == BP_OK) {
    t.dtype = t.dtype == BP_FLOAT64 ? BP_REAL : t.dtype;
    a = bpi_new_array(p, t.dtype, t.rank, t.dims, false);
    if (a && a->size)
      memcpy(a->data, data, (size_t)a->size * bytes_each(t.dtype));
  } else {
    bpi_wrong(p, s, "this value must be known while reading, but it is not: %s", bp_error());
  }
  bpi_eval_close(&e);
  return a;
}

static const void *data_as(bp_program *p, bpi_arena *arena, const bpi_larray *a, bp_dtype t, bool expand);

static bp_status bind_inputs(bp_program *p, bpi_eval *e)
{
  bp_status s = BP_OK;
  for (size_t i = 0; s == BP_OK && i < p->n_inputs; i++)
    if (p->inputs[i]->data && !bp_failed(p->inputs[i]->node))
      s = bpi_eval_bind(e, p->inputs[i]->node, p->inputs[i]->data);
  return s;
}

/* Parameters of the body at work have the values of their arguments. */
static bp_status bind_lifts(bp_program *p, bpi_eval *e)
{
  bpi_env *env = p->env;
  bp_status s = BP_OK;
  for (size_t i = 0; s == BP_OK && i < env->n_lifts; i++) {
    p->env = env->caller;
    const bpi_larray *a = bpi_host(p, &env->lifts[i].outside);
    p->env = env;
    bp_type t = {0};
    bp_node_type(env->lifts[i].inside, &t);
    const void *data = a ? data_as(p, &p->temp, a, t.dtype, true) : NULL;
    s = data ? bpi_eval_bind(e, env->lifts[i].inside, data) : p->status;
  }
  return s;
}

bpi_larray *bpi_host(bp_program *p, const bpi_value *v)
{
  bpi_value packed = *v;
  if (v->kind == BPI_V_LIST) {
    if (bpi_pack(p, &packed) != BP_OK)
      return NULL;
    return bpi_host(p, &packed);
  }
  if (v->kind == BPI_V_ARRAY)
    return v->array;
  if (v->kind == BPI_V_INPUT) {
    v->input->read = true;
    p->env->once = true;
    return v->input->array;
  }
  if (v->kind == BPI_V_NUMBER) {
    bpi_larray *a = bpi_new_array(p, (bp_dtype)v->dtype, 0, NULL, false);
    if (a && v->dtype == BP_BOOL)
      *(uint8_t *)a->data = v->number != 0;
    else if (a)
      memcpy(a->data, &v->number, 8);
    return a;
  }
  if (v->kind != BPI_V_NODE) {
    bpi_wrong(p, BP_E_DTYPE, "an array or number is wanted here, not %s", kind_text(v));
    return NULL;
  }
  if (v->node.graph == p->scratch)
    return evaluate(p, v->node, NULL);
  if (v->node.graph == p->graph)
    return evaluate(p, v->node, bind_inputs);
  p->env->once = true;
  return evaluate(p, v->node, bind_lifts);
}

/* ---- into a graph ---- */

bp_graph *bpi_scratch(bp_program *p)
{
  if (!p->scratch && !(p->scratch = bp_graph_new(p->ctx)))
    bpi_lang_nomem(p);
  return p->scratch;
}

/* The array's data as another type; whole numbers only become int64. NULL: told. */
static const void *data_as(bp_program *p, bpi_arena *arena, const bpi_larray *a, bp_dtype t, bool expand)
{
  size_t n = a->splat && !expand ? 1 : (size_t)a->size;
  if (t == a->type.dtype && (!a->splat || !expand))
    return a->data;
  char *out = bpi_arena_alloc(arena, n, bytes_each(t));
  if (!out) {
    bpi_lang_nomem(p);
    return NULL;
  }
  for (size_t i = 0; i < n; i++) {
    int64_t k = a->splat ? 0 : (int64_t)i;
    double x = bpi_array_real(a, k);
    if (t == BP_INT64 && a->type.dtype == BP_REAL && !(x == floor(x) && fabs(x) <= 9007199254740992.0)) {
      bpi_wrong(p, BP_E_DTYPE, "whole numbers are wanted here, not %.17g", x);
      return NULL;
    }
    if (t == BP_REAL)
      ((double *)(void *)out)[i] = x;
    else if (t == BP_INT64)
      ((int64_t *)(void *)out)[i] = a->type.dtype == BP_INT64 ? ((const int64_t *)a->data)[k] : (int64_t)x;
    else
      out[i] = x != 0;
  }
  return out;
}

static bp_node array_node(bp_program *p, bp_graph *g, const bpi_larray *a, bp_dtype t)
{
  const void *data = data_as(p, &p->temp, a, t, false);
  if (!data)
    return BP_NO_NODE;
  if (!a->splat)
    return bp_array_constant(g, t, a->type.rank, a->type.dims, data);
  double x = t == BP_REAL    ? *(const double *)data
             : t == BP_INT64 ? (double)*(const int64_t *)data
                             : *(const uint8_t *)data;
  return bp_full(g, t, x, a->type.rank, a->type.dims);
}

/* Input names are unique in the graph; a name assigned anew gets a number. */
static const char *input_name(bp_program *p, const char *name)
{
  if (!bpi_name_taken(p->graph, name))
    return name;
  bpi_text t;
  bpi_text_init(&t, p->ctx);
  for (uint32_t i = 2; !t.failed && (!t.n || bpi_name_taken(p->graph, t.s)); i++) {
    t.n = 0;
    bpi_textf(&t, "%s.%u", name, i > 3 ? (unsigned)p->graph->count : i);
  }
  char *kept = t.failed ? NULL : bpi_arena_strdup(&p->arena, t.s);
  bpi_text_free(&t);
  return kept;
}

static bp_node input_node(bp_program *p, bpi_linput *in, bp_dtype t)
{
  if (!bp_failed(in->node))
    return in->node;
  const bpi_larray *a = in->array;
  const char *name = input_name(p, in->name->text);
  in->data = data_as(p, &p->arena, a, t, true);
  if (!in->data || !name)
    return BP_NO_NODE;
  uint32_t first = bp_graph_mark(p->graph);
  in->node = bp_input(p->graph, name, t, a->type.rank, a->type.dims);
  p->live_known = false;
  bpi_spot_nodes(p, first, &in->place);
  return in->node;
}

static bp_node cast_to(bp_program *p, bp_node n, bp_dtype t)
{
  bp_type type;
  if (t == BP_NONE || bp_failed(n) || bp_node_type(n, &type) != BP_OK || type.dtype == t)
    return n;
  uint32_t first = bp_graph_mark(n.graph);
  n = bp_cast(n, t);
  if (n.graph == p->graph)
    bpi_spot_nodes(p, first, &p->here);
  return n;
}

/* A node of the scratch graph, built again in g, with all that it needs: once for each meeting. */
static bp_node import_node(bp_program *p, bp_graph *g, bp_node n)
{
  const bp_graph *from = p->scratch;
  size_t most = 1;
  bp_node *map = bpi_arena_alloc(&p->temp, from->count, sizeof *map);
  bool *needed = bpi_arena_alloc(&p->temp, from->count, sizeof *needed);
  if (!map || !needed) {
    bpi_lang_nomem(p);
    return BP_NO_NODE;
  }
  uint32_t low = n.index - from->nodes[n.index].result;
  needed[low] = true;
  for (uint32_t i = n.index + 1; i-- > 1 && i >= low;) {
    const bpi_node *v = &from->nodes[i];
    if (v->result || !needed[i])
      continue;
    most = v->n_in > most ? v->n_in : most;
    for (int k = 0; k < v->n_in; k++) {
      uint32_t head = v->in[k] - from->nodes[v->in[k]].result;
      needed[head] = true;
      low = head < low ? head : low;
    }
  }
  bp_node *x = bpi_arena_alloc(&p->temp, most, sizeof *x);
  if (!x) {
    bpi_lang_nomem(p);
    return BP_NO_NODE;
  }
  for (uint32_t i = low; i <= n.index; i += from->nodes[i].n_out) {
    const bpi_node *v = &from->nodes[i];
    for (int k = 0; needed[i] && k < v->n_in; k++)
      x[k] = map[v->in[k]];
    if (needed[i] && bp_apply(g, v->op, x, v->n_in, v->attr, &map[i]) != BP_OK)
      return BP_NO_NODE;
  }
  return map[n.index];
}

static bp_node number_node(bp_program *p, bp_graph *g, const bpi_value *v, bp_dtype t)
{
  if (v->dtype == BP_INT64 && t == BP_INT64)
    return bp_constant_int(g, v->whole);
  double x = v->dtype == BP_INT64 ? (double)v->whole : v->number;
  if (t == BP_INT64 && !(x == floor(x) && fabs(x) <= 9007199254740992.0)) {
    bpi_wrong(p, BP_E_DTYPE, "a whole number is wanted here, not %.17g", x);
    return BP_NO_NODE;
  }
  return bp_full(g, t, x, 0, NULL);
}

bp_node bpi_to_node(bp_program *p, bp_graph *g, const bpi_value *v, bp_dtype dtype)
{
  bp_dtype own = (bp_dtype)v->dtype;
  bp_dtype t = dtype != BP_NONE ? dtype : v->flex ? BP_REAL : own;
  bp_node n = BP_NO_NODE;
  bpi_value packed = *v;
  if (!g)
    return n;
  switch (v->kind) {
  case BPI_V_NUMBER:
    n = number_node(p, g, v, t);
    break;
  case BPI_V_ARRAY:
    n = array_node(p, g, v->array, t);
    break;
  case BPI_V_LIST:
    return bpi_pack(p, &packed) == BP_OK ? bpi_to_node(p, g, &packed, dtype) : n;
  case BPI_V_INPUT:
    t = dtype != BP_NONE ? dtype : v->input->flex ? BP_REAL : v->input->array->type.dtype;
    n = cast_to(
        p,
        bpi_lift_node(p, p->env, input_node(p, v->input, v->input->flex ? t : v->input->array->type.dtype)),
        dtype);
    break;
  case BPI_V_NODE:
    if (v->node.graph == g)
      n = cast_to(p, v->node, dtype);
    else if (p->scratch && v->node.graph == p->scratch && v->flex && t != BP_INT64) {
      bpi_larray *a =
          bpi_host(p, v); /* whole numbers so far: their value becomes a constant of the type wanted */
      n = a ? array_node(p, g, a, t) : n;
    } else if (p->scratch && v->node.graph == p->scratch)
      n = cast_to(p, import_node(p, g, v->node), dtype);
    else
      n = cast_to(p, bpi_lift_node(p, p->env, v->node), dtype);
    break;
  default: {
    bp_type unused;
    bpi_type_of(p, &packed, &unused); /* says what is wrong */
    return n;
  }
  }
  if (bp_failed(n) && p->status == BP_OK)
    bpi_wrong_graph(p, bp_graph_status(g) != BP_OK ? g : p->graph);
  return n;
}

/* ---- lists ---- */

static bool plain_number(const bpi_value *v)
{
  return v->kind == BPI_V_NUMBER;
}

/* The type that holds all: real, if any is real and typed so; bool, if all are. */
static bp_dtype common_dtype(const bpi_value *items, uint32_t n, bool *flex)
{
  bool real = false, boolean = n > 0;
  *flex = n > 0;
  for (uint32_t i = 0; i < n; i++) {
    bp_dtype t = (bp_dtype)items[i].dtype;
    real = real || t == BP_REAL;
    boolean = boolean && t == BP_BOOL;
    *flex = *flex && items[i].flex;
  }
  return real || n == 0 ? BP_REAL : boolean ? BP_BOOL : BP_INT64;
}

static void put_element(bpi_larray *a, int64_t i, const bpi_value *v)
{
  double x = v->dtype == BP_INT64 ? (double)v->whole : v->number;
  if (a->type.dtype == BP_REAL)
    ((double *)a->data)[i] = x;
  else if (a->type.dtype == BP_INT64)
    ((int64_t *)a->data)[i] = v->dtype == BP_INT64 ? v->whole : (int64_t)x;
  else
    ((uint8_t *)a->data)[i] = x != 0;
}

static bp_status pack_numbers(bp_program *p, const bpi_value *items, uint32_t n, bpi_value *out)
{
  bool flex;
  int64_t dims[1] = {n};
  bpi_larray *a = bpi_new_array(p, common_dtype(items, n, &flex), 1, dims, false);
  if (!a)
    return p->status;
  for (uint32_t i = 0; i < n; i++)
    put_element(a, i, &items[i]);
  *out = bpi_v_array(a, flex);
  return BP_OK;
}

/* Rows of equal shape, one after another. */
static bp_status pack_rows(bp_program *p, const bpi_value *items, uint32_t n, bpi_value *out)
{
  bool flex;
  const bp_type *row = &items[0].array->type;
  int64_t dims[BP_MAX_RANK], each = items[0].array->size;
  if (row->rank == BP_MAX_RANK)
    return bpi_wrong(p, BP_E_LIMIT, "an array has at most %d axes", BP_MAX_RANK);
  dims[0] = n;
  memcpy(dims + 1, row->dims, sizeof dims - sizeof *dims);
  bpi_larray *a = bpi_new_array(p, common_dtype(items, n, &flex), row->rank + 1, dims, false);
  if (!a)
    return p->status;
  for (uint32_t i = 0; i < n; i++)
    for (int64_t k = 0; k < each; k++) {
      const bpi_larray *from = items[i].array;
      bpi_value v = bpi_v_number(bpi_array_real(from, k), from->type.dtype, false);
      if (from->type.dtype == BP_INT64)
        v.whole = ((const int64_t *)from->data)[from->splat ? 0 : k];
      put_element(a, i * each + k, &v);
    }
  *out = bpi_v_array(a, flex);
  return BP_OK;
}

static bool all_numbers(const bpi_value *items, uint32_t n)
{
  for (uint32_t i = 0; i < n; i++)
    if (!plain_number(&items[i]))
      return false;
  return true;
}

static bool equal_rows(const bpi_value *items, uint32_t n)
{
  for (uint32_t i = 0; i < n; i++)
    if (items[i].kind != BPI_V_ARRAY || !bpi_same_shape(&items[i].array->type, &items[0].array->type))
      return false;
  return n > 0;
}

/* What is asked of a list often is worked out once, from what its items know of themselves: a walk could meet each of them many times. */
static bp_status measure_list(bp_program *p, bpi_value *v)
{
  int depth = 0;
  int64_t leaves = 0;
  v->known = true;
  for (uint32_t i = 0; i < v->n; i++) {
    const bpi_value *item = &v->items[i];
    bool list = item->kind == BPI_V_LIST;
    depth = list && item->depth > depth ? item->depth : depth;
    leaves += list ? item->leaves : 1;
    v->known = v->known && bpi_known(p, item);
    v->nodes = v->nodes || bpi_has_nodes(p, item);
  }
  if (depth >= BPI_LIST_DEPTH)
    return bpi_wrong(p, BP_E_LIMIT, "lists in lists are over %d deep", BPI_LIST_DEPTH);
  if (leaves > BPI_LIST_LEAVES || leaves > p->options.max_elements)
    return bpi_wrong(
        p, BP_E_LIMIT, "a list of %lld values is over the limit of %lld", (long long)leaves,
        (long long)(p->options.max_elements < BPI_LIST_LEAVES ? p->options.max_elements : BPI_LIST_LEAVES));
  v->depth = (uint8_t)(depth + 1);
  v->leaves = (uint32_t)leaves;
  return BP_OK;
}

bp_status bpi_list(bp_program *p, const bpi_value *items, uint32_t n, bool tuple, bpi_value *out)
{
  if (!tuple && all_numbers(items, n))
    return pack_numbers(p, items, n, out);
  if (!tuple && equal_rows(items, n))
    return pack_rows(p, items, n, out);
  bpi_value *copy = bpi_arena_alloc(&p->temp, n, sizeof *copy);
  if (!copy)
    return bpi_lang_nomem(p);
  if (n)
    memcpy(copy, items, n * sizeof *copy);
  *out = (bpi_value){.kind = BPI_V_LIST, .items = copy, .n = n, .tuple = tuple};
  return measure_list(p, out);
}

/* [x, y, 1]: each item gets a new first axis, and they are joined along it. */
static bp_status stack_items(bp_program *p, bpi_value *v)
{
  bp_type first = {0}, t = {0};
  bpi_value *rows = bpi_arena_alloc(&p->temp, v->n, sizeof *rows);
  if (!rows)
    return bpi_lang_nomem(p);
  for (uint32_t i = 0; i < v->n; i++) {
    rows[i] = v->items[i];
    if (bpi_type_of(p, &rows[i], &t) != BP_OK)
      return p->status;
    if (i == 0)
      first = t;
    if (!bpi_same_shape(&first, &t) || t.rank == BP_MAX_RANK)
      return bpi_wrong(p, BP_E_SHAPE, "the items of this list have different shapes: %s and %s",
                       bpi_type_text(p, &v->items[0]), bpi_type_text(p, &v->items[i]));
    int64_t dims[BP_MAX_RANK] = {1};
    memcpy(dims + 1, t.dims, (size_t)t.rank * sizeof *dims);
    bp_attr attr = {.v = dims, .n = t.rank + 1};
    if (bpi_apply_row(p, bp_op_find("reshape"), &rows[i], 1, &attr, &rows[i]) != BP_OK)
      return p->status;
  }
  bp_attr axis = {.i = 0};
  return bpi_apply_row(p, bp_op_find("concat"), rows, v->n, &axis, v);
}

bp_status bpi_pack(bp_program *p, bpi_value *v)
{
  if (v->kind != BPI_V_LIST)
    return BP_OK;
  if (v->depth > BP_MAX_RANK)
    return bpi_wrong(p, BP_E_LIMIT, "an array has at most %d axes", BP_MAX_RANK);
  bpi_value *items = bpi_arena_alloc(&p->temp, v->n, sizeof *items);
  if (!items)
    return bpi_lang_nomem(p);
  for (uint32_t i = 0; i < v->n; i++) {
    items[i] = v->items[i];
    if (bpi_pack(p, &items[i]) != BP_OK)
      return p->status;
  }
  bpi_value list = *v;
  list.items = items;
  if (all_numbers(items, v->n))
    return pack_numbers(p, items, v->n, v);
  if (equal_rows(items, v->n))
    return pack_rows(p, items, v->n, v);
  *v = list;
  return stack_items(p, v);
}

/* Part i of a known array along its first axis. */
static bp_status part_of(bp_program *p, const bpi_value *v, int64_t i, bpi_value *out)
{
  const bpi_larray *a = v->array;
  bpi_larray *part = bpi_new_array(p, a->type.dtype, a->type.rank - 1, a->type.dims + 1, a->splat);
  if (!part)
    return p->status;
  size_t each = bytes_each(a->type.dtype), n = a->splat ? 1 : (size_t)part->size;
  if (n)
    memcpy(part->data, (const char *)a->data + (a->splat ? 0 : (size_t)i * n * each), n * each);
  *out = bpi_v_array(part, v->flex);
  if (part->type.rank == 0) {
    *out = bpi_v_number(bpi_array_real(part, 0), part->type.dtype, v->flex);
    if (part->type.dtype == BP_INT64)
      out->whole = *(const int64_t *)part->data;
  }
  return BP_OK;
}

bp_status bpi_spread(bp_program *p, const bpi_value *v, bpi_value **items, uint32_t *n)
{
  bpi_value self = *v;
  if (v->kind == BPI_V_INPUT)
    self = bpi_v_array(v->input->array, v->input->flex);
  bool list = self.kind == BPI_V_LIST;
  bool rows = self.kind == BPI_V_ARRAY && self.array->type.rank > 0 && self.array->type.dims[0] <= UINT16_MAX;
  *n = list ? self.n : rows ? (uint32_t)self.array->type.dims[0] : 1;
  *items = bpi_arena_alloc(&p->temp, *n, sizeof **items);
  if (!*items)
    return bpi_lang_nomem(p);
  if (list && *n)
    memcpy(*items, self.items, *n * sizeof **items);
  else if (!list && !rows)
    **items = *v;
  for (uint32_t i = 0; rows && i < *n; i++)
    if (part_of(p, &self, i, &(*items)[i]) != BP_OK)
      return p->status;
  return BP_OK;
}
