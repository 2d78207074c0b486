/* A graph as a program. Values that are used once, and have no name, are written where they are used, so that formulas look like
 * formulas; the others get statements, in the order of the graph. Text and time are linear in the graph, and nothing here follows its
 * depth but along one line. */
#include "lang/printer.h"

#include <string.h>

enum { LARGE = 16 /* elements of a constant that is written but once */ };

/* ---- functions ---- */

static size_t fn_slot(const bpi_printer *pr, const bp_fn *fn)
{
  size_t at = ((uintptr_t)fn >> 4) * 0x9e3779b97f4a7c15u >> 7 & (pr->fns_cap - 1);
  while (pr->fns[at].fn && pr->fns[at].fn != fn)
    at = (at + 1) & (pr->fns_cap - 1);
  return at;
}

bpi_pfn *bpi_pfn_of(bpi_printer *pr, const bp_fn *fn)
{
  bpi_pfn *found = pr->fns_cap ? &pr->fns[fn_slot(pr, fn)] : NULL;
  return found && found->fn ? found : NULL;
}

static bpi_pfn *add_fn(bpi_printer *pr, const bp_fn *fn)
{
  if ((pr->n_fns + 1) * 2 > pr->fns_cap) {
    size_t cap = pr->fns_cap ? 2 * pr->fns_cap : 32, old_cap = pr->fns_cap;
    bpi_pfn *old = pr->fns;
    pr->fns = bpi_zalloc(pr->ctx, cap, sizeof *pr->fns);
    if (!pr->fns) {
      pr->fns = old;
      return NULL;
    }
    pr->fns_cap = cap;
    for (size_t i = 0; i < old_cap; i++)
      if (old[i].fn)
        pr->fns[fn_slot(pr, old[i].fn)] = old[i];
    bpi_free(pr->ctx, old);
  }
  bpi_pfn *made = &pr->fns[fn_slot(pr, fn)];
  made->fn = fn;
  pr->n_fns++;
  return made;
}

/* "_sigmoid_3": no name of a node begins so. */
static const char *fn_name(bpi_printer *pr, const bp_fn *fn)
{
  bpi_text t;
  bpi_text_init(&t, pr->ctx);
  bpi_textf(&t, "_");
  for (const char *c = fn->name; c && *c && t.n < 40; c++)
    bpi_textf(&t, "%c", bpi_is_word((char[]){'a', *c, 0}) ? *c : '_');
  bpi_textf(&t, "_%zu", pr->n_fns);
  char *kept = t.failed ? NULL : bpi_arena_strdup(&pr->arena, t.s);
  bpi_text_free(&t);
  return kept;
}

/* ---- what is needed, and what gets a name ---- */

static const char *numbered(bpi_printer *pr, uint32_t index)
{
  bpi_text t;
  bpi_text_init(&t, pr->ctx);
  bpi_textf(&t, "_%u", index);
  char *kept = t.failed ? NULL : bpi_arena_strdup(&pr->arena, t.s);
  bpi_text_free(&t);
  if (!kept)
    pr->status = bpi_nomem();
  return kept;
}

/* From the outputs back: a node needs what its text mentions. */
static void mark_used(bpi_pgraph *pg)
{
  const bp_graph *g = pg->g;
  for (uint32_t i = (uint32_t)g->count - 1; i > 0; i--) {
    const bpi_node *v = &g->nodes[i];
    if (v->result || !pg->v[i].needed)
      continue;
    for (int k = 0; k < v->n_in; k++) {
      uint32_t operand;
      bool scalar;
      bpi_stripped(g, i, k, &operand, &scalar);
      if (scalar)
        continue;
      pg->v[operand].uses++;
      pg->v[operand - g->nodes[operand].result].needed = true;
    }
  }
}

static bool row_is_known(const bpi_pgraph *pg, uint32_t i)
{
  const bpi_node *v = &pg->g->nodes[i];
  if (v->op->traits & (BP_INPUT | BP_STATE | BP_RANDOM | BP_LOOP))
    return false;
  for (int k = 0; k < bpi_op_n_attrs(v->op); k++)
    if (v->op->attrs[k].kind == BP_ATTR_FN)
      return false;
  for (int k = 0; k < v->n_in; k++)
    if (!pg->v[v->in[k]].known)
      return false;
  return true;
}

/* Names that nodes have, where they are names of the language too. */
static void take_names(bpi_pgraph *pg)
{
  const bp_graph *g = pg->g;
  for (size_t i = 0; i < g->n_names; i++) {
    bpi_pvalue *v = &pg->v[g->names[i].index];
    if (!v->name && bpi_is_word(g->names[i].name))
      v->name = g->names[i].name;
  }
}

static void choose_names(bpi_pgraph *pg)
{
  const bp_graph *g = pg->g;
  for (uint32_t i = 1; i < g->count; i++) {
    const bpi_node *v = &g->nodes[i];
    bpi_pvalue *p = &pg->v[i];
    p->known = row_is_known(pg, i);
    bool constant = (v->op->traits & BP_CONSTANT) != 0, leaf = (v->op->traits & (BP_INPUT | BP_STATE)) != 0;
    int height = 0;
    for (int k = 0; k < v->n_in; k++)
      if (!pg->v[v->in[k]].name && pg->v[v->in[k]].height + 1 > height)
        height = pg->v[v->in[k]].height + 1;
    if (!pg->v[i - v->result].needed)
      continue;
    bool plain = constant ? (size_t)v->attr[2].n <= LARGE * 8 : p->uses <= 1;
    if (!p->name && (leaf || v->n_out > 1 || !plain || height > BPI_INLINE || (v->flags & BPI_NODE_NAMED)))
      p->name = numbered(pg->pr, i);
    p->height = (uint8_t)(p->name ? 0 : height);
  }
}

bp_status bpi_pgraph_open(bpi_pgraph *pg, bpi_printer *pr, bp_graph *g, const bp_node *outputs, size_t n)
{
  *pg = (bpi_pgraph){.pr = pr, .g = g, .margin = ""};
  pg->v = bpi_zalloc(pr->ctx, g->count, sizeof *pg->v);
  if (!pg->v)
    return pr->status = bpi_nomem();
  for (size_t i = 0; i < n; i++) {
    pg->v[outputs[i].index].output = true;
    pg->v[outputs[i].index].uses++;
    pg->v[outputs[i].index - g->nodes[outputs[i].index].result].needed = true;
  }
  mark_used(pg);
  return BP_OK;
}

/* ---- statements ---- */

static void print_dims(bpi_text *t, const bp_type *type)
{
  bpi_text_shape(t, type->rank, type->dims);
}

static void print_leaf(bpi_pgraph *pg, uint32_t i)
{
  const bpi_node *v = &pg->g->nodes[i];
  bpi_text *t = &pg->pr->t;
  const bpi_linput *in =
      (v->op->traits & BP_INPUT) && pg->pr->inputs && !pg->v[i].input ? pg->pr->inputs[i] : NULL;
  const char *name = NULL;
  bpi_textf(t, "%s = ", pg->v[i].name);
  if (in && in->data && strcmp(pg->v[i].name, (const char *)v->attr[0].v) == 0) {
    if (v->type->dtype == BP_BOOL)
      bpi_textf(t, "bool(");
    bpi_print_array(t, v->type, in->data);
    bpi_textf(t, v->type->dtype == BP_BOOL ? ")" : "");
    return;
  }
  if (v->op->traits & BP_STATE)
    bp_state_array(pg->g->state, (int)v->attr[0].i, &name, NULL, NULL);
  else
    name = (const char *)v->attr[0].v;
  bpi_textf(t, v->op->traits & BP_STATE ? "state(" : "input(");
  bpi_print_string(t, name ? name : "");
  if (v->op->traits & BP_INPUT) {
    bpi_textf(t, ", ");
    print_dims(t, v->type);
    bpi_textf(t, ", %s", bp_dtype_name(v->type->dtype));
  }
  bpi_textf(t, ")");
}

static void print_statement(bpi_pgraph *pg, uint32_t head)
{
  const bpi_node *v = &pg->g->nodes[head];
  bpi_text *t = &pg->pr->t;
  bpi_textf(t, "%s", pg->margin);
  if (v->op->traits & (BP_INPUT | BP_STATE)) {
    print_leaf(pg, head);
  } else {
    for (uint32_t k = 0; k < v->n_out; k++)
      bpi_textf(t, "%s%s", k ? ", " : "", pg->v[head + k].name);
    bool fixed = pg->v[head].known;
    bpi_textf(t, fixed ? " = constant(" : " = ");
    if (v->op->traits & BP_CONSTANT)
      bpi_print_constant(t, v->type, &v->attr[2]);
    else
      bpi_print_call(pg, head, 0);
    bpi_textf(t, fixed ? ")" : "");
  }
  bpi_textf(t, "\n");
}

/* Names that are no names of the language, and second names. */
static void print_other_names(bpi_pgraph *pg)
{
  const bp_graph *g = pg->g;
  for (size_t i = 0; i < g->n_names; i++) {
    uint32_t index = g->names[i].index;
    const bpi_node *v = &g->nodes[index];
    if (!pg->v[index - v->result].needed || !pg->v[index].name ||
        strcmp(pg->v[index].name, g->names[i].name) == 0)
      continue;
    if ((v->op->traits & BP_INPUT) && strcmp((const char *)v->attr[0].v, g->names[i].name) == 0)
      continue;
    bpi_textf(&pg->pr->t, "_ = named(%s, ", pg->v[index].name);
    bpi_print_string(&pg->pr->t, g->names[i].name);
    bpi_textf(&pg->pr->t, ")\n");
  }
}

static void print_body(bpi_pgraph *pg)
{
  const bp_graph *g = pg->g;
  for (uint32_t i = 1; i < g->count && pg->pr->status == BP_OK; i += g->nodes[i].n_out)
    if (pg->v[i].needed && pg->v[i].name && !pg->v[i].input)
      print_statement(pg, i);
}

/* ---- functions ---- */

static void print_params(bpi_pgraph *pg, const bp_fn *fn)
{
  bpi_text *t = &pg->pr->t;
  for (size_t i = 0; i < fn->n_inputs; i++) {
    uint32_t index = fn->inputs[i].index;
    bpi_pvalue *v = &pg->v[index];
    v->input = true;
    if (!v->name)
      v->name = numbered(pg->pr, index);
    const bp_type *type = pg->g->nodes[index].type;
    bpi_textf(t, "%s%s: %s", i ? ", " : "", v->name ? v->name : "", bp_dtype_name(type->dtype));
    print_dims(t, type);
  }
}

static bp_status print_fn(bpi_printer *pr, const bp_fn *fn)
{
  bpi_pgraph pg;
  bpi_pfn *mine = add_fn(pr, fn);
  const char *name = mine ? fn_name(pr, fn) : NULL;
  if (!name)
    return pr->status = bpi_nomem();
  mine->name = name;
  if (bpi_pgraph_open(&pg, pr, fn->body, fn->outputs, fn->n_outputs) != BP_OK)
    return pr->status;
  pg.margin = "  ";
  take_names(&pg);
  bpi_textf(&pr->t, "def %s(", name);
  print_params(&pg, fn);
  choose_names(&pg);
  bpi_textf(&pr->t, "): ");
  bpi_print_string(&pr->t, fn->name ? fn->name : "");
  bpi_textf(&pr->t, "\n");
  print_body(&pg);
  bpi_textf(&pr->t, "  return ");
  bool known = true;
  for (size_t k = 0; k < fn->n_outputs; k++) {
    bpi_textf(&pr->t, k ? ", " : "");
    bpi_print_use(&pg, fn->outputs[k].index, 0);
    known = known && pg.v[fn->outputs[k].index].known;
  }
  bpi_textf(&pr->t, "\n\n");
  mine->known_result = known;
  bpi_free(pr->ctx, pg.v);
  return pr->status;
}

/* The next function that a body calls, from node i on, whose text is not written yet. */
static const bp_fn *next_fn(bpi_printer *pr, const bp_graph *g, uint32_t *i)
{
  for (; *i < g->count; ++*i) {
    const bpi_node *v = &g->nodes[*i];
    for (int k = 0; !v->result && k < bpi_op_n_attrs(v->op); k++)
      if (v->op->attrs[k].kind == BP_ATTR_FN && !bpi_pfn_of(pr, v->attr[k].fn))
        return v->attr[k].fn;
  }
  return NULL;
}

typedef struct visit {
  const bp_fn *fn; /* NULL: the graph itself */
  uint32_t at;
} visit;

/* Functions before those that call them. */
static bp_status print_functions(bpi_printer *pr, const bp_graph *g)
{
  visit *stack = NULL;
  size_t n = 0, cap = 0;
  if (!bpi_grow(pr->ctx, (void **)&stack, &cap, n, sizeof *stack))
    return pr->status = bpi_nomem();
  stack[n++] = (visit){NULL, 1};
  while (n && pr->status == BP_OK) {
    visit *top = &stack[n - 1];
    const bp_fn *inner = next_fn(pr, top->fn ? top->fn->body : g, &top->at);
    if (!inner) {
      if (top->fn && !bpi_pfn_of(pr, top->fn))
        print_fn(pr, top->fn);
      n--;
    } else if (!bpi_grow(pr->ctx, (void **)&stack, &cap, n, sizeof *stack)) {
      pr->status = bpi_nomem();
    } else {
      stack[n++] = (visit){inner, 1};
    }
  }
  bpi_free(pr->ctx, stack);
  return pr->status;
}

/* ---- the whole ---- */

static bp_status print_graph(bpi_printer *pr, bp_graph *g, const bp_node *outputs, size_t n)
{
  bpi_pgraph pg;
  if (print_functions(pr, g) != BP_OK || bpi_pgraph_open(&pg, pr, g, outputs, n) != BP_OK)
    return pr->status;
  take_names(&pg);
  choose_names(&pg);
  print_body(&pg);
  print_other_names(&pg);
  for (size_t i = 0; i < n && pr->status == BP_OK; i++) {
    bpi_print_use(&pg, outputs[i].index, 0);
    bpi_textf(&pr->t, "\n");
  }
  bpi_free(pr->ctx, pg.v);
  return pr->status;
}

static bp_status check_outputs(const bp_graph *g, const bp_node *outputs, size_t n)
{
  for (size_t i = 0; i < n; i++)
    if (outputs[i].graph != g || !bpi_slot(outputs[i]))
      return bpi_fail(BP_E_GRAPH, "bp_program_print: output %zu is no node of the graph", i + 1);
  return BP_OK;
}

bp_status bp_program_print(bp_graph *g, const bp_node *outputs, size_t n, bp_program *values, char **text)
{
  if (!g || !text || (n && !outputs) || n == 0)
    return bpi_bad_arg("bp_program_print", "the graph, outputs or text is NULL, or there are no outputs");
  *text = NULL;
  if (check_outputs(g, outputs, n) != BP_OK)
    return BP_E_GRAPH;
  bpi_printer pr = {.ctx = g->ctx, .values = values && values->graph == g ? values : NULL};
  bpi_text_init(&pr.t, g->ctx);
  bpi_arena_init(&pr.arena, g->ctx);
  if (pr.values)
    pr.inputs = bpi_inputs_by_node(pr.values);
  if (pr.values && !pr.inputs)
    pr.status = bpi_nomem();
  if (pr.status == BP_OK)
    print_graph(&pr, g, outputs, n);
  bpi_free(g->ctx, pr.fns);
  bpi_free(g->ctx, pr.inputs);
  bpi_arena_free(&pr.arena);
  if (pr.status == BP_OK && !(*text = bpi_text_take(&pr.t)))
    pr.status = bpi_nomem();
  bpi_text_free(&pr.t);
  return pr.status;
}
