/* Programs as callers see them. */
#include "lang/lang.h"
#include "run/run.h"

#include <stdio.h>
#include <string.h>

bp_program *bp_program_new(bp_graph *g, const bp_program_options *options)
{
  if (!g) {
    bpi_bad_arg("bp_program_new", "g");
    return NULL;
  }
  bp_ctx *ctx = bp_graph_ctx(g);
  bp_program *p = bpi_zalloc(ctx, 1, sizeof *p);
  if (!p) {
    bpi_nomem();
    return NULL;
  }
  p->ctx = ctx;
  p->graph = g;
  if (options)
    p->options = *options;
  if (!p->options.seed)
    p->options.seed = 1;
  if (p->options.max_elements <= 0)
    p->options.max_elements = INT64_C(1) << 26;
  if (p->options.max_bytes <= 0)
    p->options.max_bytes = INT64_C(64) << 20;
  bpi_arena_init(&p->arena, ctx);
  bpi_arena_init(&p->temp, ctx);
  p->top.graph = g;
  p->env = &p->top;
  return p;
}

static void free_env(bp_program *p, bpi_env *env)
{
  bpi_scope_free(p, &env->scope);
  bpi_free(p->ctx, env->lifts);
  bpi_deps_free(p, env);
}

void bp_program_free(bp_program *p)
{
  if (!p)
    return;
  bp_ctx *ctx = p->ctx;
  bpi_statement_done(p);
  for (size_t i = 0; i < p->n_envs; i++)
    free_env(p, p->envs[i]);
  free_env(p, &p->top);
  for (size_t i = 0; i < p->n_codes; i++) {
    bpi_free(ctx, p->codes[i]->steps);
    bpi_free(ctx, p->codes[i]->params);
  }
  for (size_t i = 0; i < p->n_fns; i++)
    bp_fn_free(p->fns[i]);
  for (size_t i = 0; i < p->n_narrow; i++)
    bpi_free_aligned(ctx, p->narrow[i]);
  void *lists[] = {p->names, p->stack, p->spots, p->inputs, p->outputs, p->fns,
                   p->codes, p->envs,  p->live,  p->narrow, p->message};
  for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
    bpi_free(ctx, lists[i]);
  bpi_arena_free(&p->arena);
  bpi_arena_free(&p->temp);
  bpi_free(ctx, p);
}

const char *bp_program_error(const bp_program *p)
{
  return !p || p->status == BP_OK ? "" : p->message ? p->message : bp_error();
}

/* ---- reading ---- */

static bp_status ready(bp_program *p, const char *function)
{
  if (p->status != BP_OK)
    return bpi_fail(BP_E_ORDER, "%s: the program failed before", function);
  if (bp_graph_status(p->graph) != BP_OK)
    return bpi_fail(bp_graph_status(p->graph), "%s", bp_graph_error(p->graph));
  p->here = (bpi_place_in){0};
  return BP_OK;
}

static bpi_lsource *keep_source(bp_program *p, const char *source, const char *text, size_t n)
{
  bpi_lsource *s = bpi_arena_alloc(&p->arena, 1, sizeof *s);
  if ((int64_t)n > p->options.max_bytes || n > UINT32_MAX / 2) {
    p->status = bpi_fail(BP_E_LIMIT, "%s: the text has %zu bytes, over the limit of %lld", source, n,
                         (long long)p->options.max_bytes);
    return NULL;
  }
  char *copy = s ? bpi_arena_alloc(&p->arena, n + 1, 1) : NULL;
  if (!copy) {
    bpi_lang_nomem(p);
    return NULL;
  }
  if (n)
    memcpy(copy, text, n);
  *s = (bpi_lsource){bpi_arena_strdup(&p->arena, source), copy, n, NULL};
  if (!s->name || !bpi_mark_lines(&p->arena, s)) {
    bpi_lang_nomem(p);
    return NULL;
  }
  return s;
}

/* On failure the graph gets rid of what the text made. */
static bp_status settle_read(bp_program *p, uint32_t mark)
{
  p->setting = NULL;
  p->env = &p->top;
  bpi_statement_done(p);
  if (p->status != BP_OK) {
    while (p->n_spots && p->spots[p->n_spots - 1].first >= mark)
      p->n_spots--;
    bp_graph_rollback(p->graph, mark);
  }
  return p->status;
}

bp_status bp_program_read(bp_program *p, const char *source, const char *text, size_t n)
{
  if (!p || (n && !text))
    return bpi_bad_arg("bp_program_read", "the program or the text is NULL");
  bp_status s = ready(p, "bp_program_read");
  if (s != BP_OK)
    return s;
  uint32_t mark = bp_graph_mark(p->graph);
  const bpi_lsource *kept = keep_source(p, source ? source : "text", text ? text : "", n);
  if (kept)
    bpi_parse(p, kept);
  return settle_read(p, mark);
}

static const bpi_lname *check_name(bp_program *p, const char *name)
{
  size_t n = strlen(name);
  bpi_lsource s = {.name = "name", .text = name, .n = n};
  bpi_lexer lx = {.p = p, .source = &s};
  bpi_token t;
  if (n && n < UINT32_MAX && bpi_lex(&lx, &t) && t.kind == BPI_T_NAME && t.end == n)
    return t.name;
  if (p->status == BP_E_NOMEM)
    return NULL;
  bpi_free(p->ctx, p->message);
  p->message = NULL;
  p->status = bpi_fail(BP_E_ARG, "'%s' is no name: a letter, then letters, digits and _", name);
  return NULL;
}

bp_status bp_program_set(bp_program *p, const char *name, const char *source, const char *text, size_t n)
{
  if (!p || !name || (n && !text))
    return bpi_bad_arg("bp_program_set", "the program, the name or the text is NULL");
  bp_status s = ready(p, "bp_program_set");
  if (s != BP_OK)
    return s;
  uint32_t mark = bp_graph_mark(p->graph);
  const bpi_lname *kept_name = check_name(p, name);
  const bpi_lsource *kept = kept_name ? keep_source(p, source ? source : name, text ? text : "", n) : NULL;
  if (kept && bpi_parse_expression(p, kept) == BP_OK) {
    p->setting = kept_name;
    bpi_value v = bpi_pop(p);
    p->here = (bpi_place_in){kept, 0, 0, (uint32_t)n};
    bool array =
        v.kind == BPI_V_LIST && v.known && !v.tuple; /* that it is none is told here, not where it is used */
    if (!array || bpi_pack(p, &v) == BP_OK)
      bpi_assign(p, kept_name, &v);
  }
  return settle_read(p, mark);
}

bp_status bp_program_set_array(bp_program *p, const char *name, const bp_ndarray *a)
{
  if (!p || !name || !a || (a->size && !a->data))
    return bpi_bad_arg("bp_program_set_array", "the program, the name or the array is NULL");
  bp_status s = ready(p, "bp_program_set_array");
  if (s != BP_OK)
    return s;
  bool whole = a->store >= BP_STORE_UINT8 && a->store <= BP_STORE_INT64;
  bp_dtype t = whole ? BP_INT64 : a->store == BP_STORE_BOOL ? BP_BOOL : BP_REAL;
  const bpi_lname *kept = check_name(p, name);
  bpi_larray *array = kept ? bpi_new_array(p, t, a->rank, a->dims, false) : NULL;
  if (array &&
      (s = bp_convert(a->data, a->store, a->size, t == BP_REAL ? BP_FLOAT64 : t, array->data)) != BP_OK)
    p->status = s;
  if (array && s == BP_OK) {
    bpi_value v = bpi_v_array(array, whole);
    p->setting = kept;
    bpi_assign(p, kept, &v);
  }
  return settle_read(p, bp_graph_mark(p->graph));
}

bp_status bp_program_set_node(bp_program *p, const char *name, bp_node node)
{
  if (!p || !name)
    return bpi_bad_arg("bp_program_set_node", "the program or the name is NULL");
  bp_status s = ready(p, "bp_program_set_node");
  if (s != BP_OK)
    return s;
  if (node.graph != p->graph || bp_failed(node))
    return bpi_fail(BP_E_GRAPH, "bp_program_set_node: '%s' is no node of the program's graph", name);
  const bpi_lname *kept = check_name(p, name);
  bpi_symbol *symbol = kept ? bpi_define(p, &p->top, kept) : NULL;
  if (!symbol)
    return p->status;
  symbol->value = bpi_v_node(node);
  symbol->version++;
  symbol->set = true;
  return BP_OK;
}

/* ---- inputs and outputs ---- */

/* Without a bare expression, the name assigned last is the output. */
static bp_status last_as_output(bp_program *p)
{
  bpi_symbol *symbol = p->n_outputs || !p->last ? NULL : bpi_symbol_in(&p->top.scope, p->last);
  if (!symbol || symbol->value.kind == BPI_V_FN || symbol->value.kind == BPI_V_DTYPE)
    return BP_OK;
  p->implied = bpi_to_node(p, p->graph, &symbol->value, BP_NONE);
  bpi_statement_done(p);
  return p->status;
}

size_t bp_program_outputs(bp_program *p)
{
  if (!p || p->status != BP_OK)
    return 0;
  if (p->n_outputs)
    return p->n_outputs;
  return last_as_output(p) == BP_OK && !bp_absent(p->implied) ? 1 : 0;
}

static const char *numbered_output(bp_program *p, size_t i)
{
  bpi_text t;
  bpi_text_init(&t, p->ctx);
  bpi_textf(&t, "f%zu", i + 1);
  char *kept = t.failed ? NULL : bpi_arena_strdup(&p->arena, t.s);
  bpi_text_free(&t);
  return kept;
}

bp_status bp_program_output(bp_program *p, size_t i, bp_variable *out)
{
  if (!p || !out || i >= bp_program_outputs(p))
    return bpi_bad_arg("bp_program_output", "there is no such output");
  memset(out, 0, sizeof *out);
  if (!p->n_outputs) {
    out->node = p->implied;
    out->name = p->last->text;
  } else {
    if (!p->outputs[i].name)
      p->outputs[i].name = p->n_outputs == 1 ? "f" : numbered_output(p, i);
    out->node = p->outputs[i].node;
    out->name = p->outputs[i].name;
    if (!out->name)
      return bpi_nomem();
  }
  return bp_node_type(out->node, &out->type);
}

static void mark_needed(bp_program *p, bool *needed)
{
  const bp_graph *g = p->graph;
  for (size_t i = 0; i < p->n_outputs; i++)
    needed[p->outputs[i].node.index] = true;
  if (!p->n_outputs && !bp_absent(p->implied))
    needed[p->implied.index] = true;
  for (uint32_t i = (uint32_t)g->count - 1; i > 0; i--)
    for (int k = 0; needed[i] && k < g->nodes[i].n_in; k++)
      needed[g->nodes[i].in[k]] = true;
}

static bp_status find_live(bp_program *p)
{
  bp_program_outputs(p);
  if (p->live_known || p->status != BP_OK)
    return p->status;
  bool *needed = bpi_zalloc(p->ctx, p->graph->count, sizeof *needed);
  bpi_linput **live = bpi_alloc(p->ctx, p->n_inputs, sizeof *live);
  if (!needed || !live) {
    bpi_free(p->ctx, needed);
    bpi_free(p->ctx, live);
    return bpi_nomem();
  }
  mark_needed(p, needed);
  bpi_free(p->ctx, p->live);
  p->live = live;
  p->n_live = 0;
  for (size_t i = 0; i < p->n_inputs; i++)
    if (!bp_failed(p->inputs[i]->node) && needed[p->inputs[i]->node.index])
      live[p->n_live++] = p->inputs[i];
  bpi_free(p->ctx, needed);
  p->live_known = true;
  return BP_OK;
}

size_t bp_program_inputs(bp_program *p)
{
  return p && find_live(p) == BP_OK ? p->n_live : 0;
}

bp_status bp_program_input(bp_program *p, size_t i, bp_variable *out)
{
  if (!p || !out || i >= bp_program_inputs(p))
    return bpi_bad_arg("bp_program_input", "there is no such input");
  const bpi_linput *in = p->live[i];
  *out = (bp_variable){.name = bp_node_name(in->node), .node = in->node, .data = in->data};
  return bp_node_type(in->node, &out->type);
}

bool bp_program_drew(const bp_program *p, uint64_t *seed)
{
  if (p && seed)
    *seed = p->options.seed;
  return p && p->draws > 0;
}

bool bp_program_uses(bp_program *p, const char *name)
{
  const bpi_lname *known = p && name && p->status == BP_OK ? bpi_intern(p, name, strlen(name)) : NULL;
  bpi_symbol *symbol = known ? bpi_symbol_in(&p->top.scope, known) : NULL;
  if (!symbol || symbol->value.kind != BPI_V_INPUT)
    return symbol != NULL;
  for (size_t i = 0; i < bp_program_inputs(p); i++)
    if (p->live[i] == symbol->value.input)
      return true;
  return symbol->value.input->read;
}

bp_node bp_program_find(bp_program *p, const char *name)
{
  if (!p || !name) {
    bpi_bad_arg("bp_program_find", "the program or the name is NULL");
    return BP_NO_NODE;
  }
  if (ready(p, "bp_program_find") != BP_OK)
    return BP_NO_NODE;
  const bpi_lname *known = bpi_intern(p, name, strlen(name));
  bpi_symbol *symbol = known ? bpi_symbol_in(&p->top.scope, known) : NULL;
  bool array = symbol && (symbol->value.kind == BPI_V_NUMBER || symbol->value.kind == BPI_V_ARRAY ||
                          symbol->value.kind == BPI_V_INPUT || symbol->value.kind == BPI_V_NODE);
  if (!array) {
    if (known)
      bpi_unknown(p, known, false);
    p->status = BP_OK; /* a question, not a mistake of the program */
    return BP_NO_NODE;
  }
  bp_node n = bpi_to_node(p, p->graph, &symbol->value, BP_NONE);
  bpi_statement_done(p);
  return n;
}

/* ---- binding ---- */

static const void *narrow(bp_program *p, const double *x, int64_t n)
{
  if (!bpi_grow(p->ctx, (void **)&p->narrow, &p->narrow_cap, p->n_narrow, sizeof *p->narrow))
    return NULL;
  float *y = bpi_alloc_aligned(p->ctx, (size_t)n * sizeof *y);
  if (!y)
    return NULL;
  p->narrow[p->n_narrow++] = y;
  for (int64_t i = 0; i < n; i++)
    y[i] = (float)x[i];
  return y;
}

bpi_linput **bpi_inputs_by_node(bp_program *p)
{
  bpi_linput **by_node = bpi_zalloc(p->ctx, p->graph->count, sizeof *by_node);
  for (size_t i = 0; by_node && i < p->n_inputs; i++)
    if (!bp_failed(p->inputs[i]->node))
      by_node[p->inputs[i]->node.index] = p->inputs[i];
  return by_node;
}

static bp_status bind_one(bp_program *p, bp_run *r, size_t i, const bpi_linput *in)
{
  const bpi_plan_input *want = &r->plan->inputs[i];
  int64_t n = bp_node_size(in->node);
  bool real = want->type.dtype == BP_FLOAT32 || want->type.dtype == BP_FLOAT64;
  if (!in->data) /* the caller's */
    return BP_OK;
  const void *data = want->type.dtype == BP_FLOAT32 ? narrow(p, in->data, n) : in->data;
  size_t each = real ? bp_dtype_size(want->type.dtype) : want->type.dtype == BP_BOOL ? 1 : 8;
  return data ? bp_run_bind_at(r, i, data, (size_t)n * each) : bpi_nomem();
}

bp_status bp_program_bind(bp_program *p, bp_run *r)
{
  if (!p || !r)
    return bpi_bad_arg("bp_program_bind", "the program or the run is NULL");
  bpi_linput **by_node = bpi_inputs_by_node(p);
  bp_status s = by_node ? BP_OK : bpi_nomem();
  for (size_t i = 0; s == BP_OK && i < r->plan->n_inputs; i++) {
    bp_node n = bpi_name_taken(p->graph, r->plan->inputs[i].name) ? bp_find(p->graph, r->plan->inputs[i].name)
                                                                  : BP_NO_NODE;
    const bpi_linput *in = bp_failed(n) ? NULL : by_node[n.index];
    if (in)
      s = bind_one(p, r, i, in);
  }
  bpi_free(p->ctx, by_node);
  return s;
}

/* ---- places ---- */

static const bpi_spot *find_spot(const bp_program *p, uint32_t node)
{
  size_t lo = 0, hi = p->n_spots;
  while (lo < hi) {
    size_t mid = lo + (hi - lo) / 2;
    if (p->spots[mid].first <= node)
      lo = mid + 1;
    else
      hi = mid;
  }
  const bpi_spot *s = lo ? &p->spots[lo - 1] : NULL;
  bool made =
      s && node < s->after && s->first < p->graph->count && p->graph->nodes[s->first].serial == s->serial;
  return made ? s : NULL;
}

bp_status bp_program_span(const bp_program *p, bp_node n, bp_span *out)
{
  if (!p || !out)
    return bpi_bad_arg("bp_program_span", "the program or out is NULL");
  const bpi_spot *s = n.graph == p->graph && !bp_failed(n) ? find_spot(p, n.index) : NULL;
  if (!s)
    return bpi_fail(BP_E_NOTFOUND, "no text of this program made the node");
  bpi_lmark m;
  bpi_line_of(s->source, s->begin, &m);
  out->line = m.line;
  out->column = m.column;
  out->source = s->source->name;
  out->text = s->source->text + s->begin;
  out->length = s->end > s->begin ? s->end - s->begin : 0;
  return BP_OK;
}

const char *bp_program_run_error(bp_program *p, const bp_run *r)
{
  const bpi_instr *failed = p && r ? r->frame.failed : NULL;
  const bpi_spot *s = failed ? find_spot(p, failed->source) : NULL;
  if (!s || p->status != BP_OK)
    return bp_error();
  char what[1024];
  snprintf(what, sizeof what, "%s", bp_error());
  bpi_free(p->ctx, p->message);
  p->message = NULL;
  bpi_tell_place(p, &(bpi_place_in){s->source, s->begin, s->begin, s->end}, BP_E_RANGE, what);
  return p->message ? p->message : bp_error();
}
