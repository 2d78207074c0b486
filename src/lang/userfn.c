/* Functions that a text defines. A call with nodes among its arguments becomes one node: the body is read once for each list of types,
 * into a graph of its own, with parameters for what it takes from outside (lambda lifting). A call that knows all its arguments is
 * read where it stands. */
#include "lang/lang.h"

#include <string.h>

enum {
  MAX_ACTIVE = 4,        /* calls of a function inside itself: more is recursion */
  MAX_LIFTS = 1000,      /* values that a body takes from outside */
  MAX_WORK = 1000000,    /* steps in bodies, of one program */
  MAX_BUILT = 10000,     /* bodies read, of one program */
  MAX_EXPANDED = 1 << 24 /* nodes that a call stands for */
};

static const char *title_of(const bpi_lcode *c)
{
  return c->name ? c->name->text : "lambda";
}

/* ---- arguments ---- */

static uint32_t default_count(const bpi_lcode *c)
{
  uint32_t n = 0;
  for (uint32_t i = 0; i < c->n_params; i++)
    n += c->params[i].has_default;
  return n;
}

static bp_status bind_params(bp_program *p, const bpi_lfn *fn, const bpi_value *args, uint32_t n,
                             bpi_value *argv)
{
  const bpi_lcode *c = fn->code;
  uint32_t n_defaults = default_count(c);
  memset(argv, 0, c->n_params * sizeof *argv);
  for (uint32_t i = 0; i < n; i++) {
    uint32_t to = i;
    if (args[i].keyword)
      for (to = 0; to < c->n_params && c->params[to].name != args[i].keyword;)
        to++;
    if (to >= c->n_params)
      return args[i].keyword
                 ? bpi_wrong(p, BP_E_ARG, "%s has no parameter '%s'", title_of(c), args[i].keyword->text)
                 : bpi_wrong(p, BP_E_ARG, "%s takes %u arguments, and is given %u", title_of(c), c->n_params,
                             n);
    if (argv[to].kind != BPI_V_ABSENT)
      return bpi_wrong(p, BP_E_ARG, "%s: the argument '%s' is given twice", title_of(c),
                       c->params[to].name->text);
    argv[to] = args[i];
    argv[to].keyword = NULL;
  }
  for (uint32_t i = 0; i < c->n_params; i++) {
    if (argv[i].kind == BPI_V_ABSENT && c->params[i].has_default)
      argv[i] = fn->defaults[i + n_defaults - c->n_params];
    if (argv[i].kind == BPI_V_ABSENT)
      return bpi_wrong(p, BP_E_ARG, "%s: the argument '%s' is missing", title_of(c), c->params[i].name->text);
  }
  return BP_OK;
}

/* Nodes become parameters of the function made, of the types in `types`; there BP_NONE says that an argument is none. A name whose type is still open is taken from outside instead, as its use decides. */
static bool becomes_parameter(const bp_program *p, const bpi_value *v)
{
  if (v->kind == BPI_V_INPUT)
    return !v->input->flex || !bp_failed(v->input->node);
  return v->kind == BPI_V_NODE && !(p->scratch && v->node.graph == p->scratch);
}

/* ---- what was built before ---- */

static bool same_known(const bpi_value *a, const bpi_value *b)
{
  if (a->kind != b->kind || a->flex != b->flex || a->dtype != b->dtype)
    return false;
  switch (a->kind) {
  case BPI_V_NUMBER:
    return a->whole == b->whole; /* bit for bit */
  case BPI_V_FN:
    return a->fn == b->fn;
  case BPI_V_TEXT:
    return a->text == b->text;
  case BPI_V_NONE:
  case BPI_V_ELLIPSIS:
  case BPI_V_DTYPE:
    return true;
  default:
    return false;
  }
}

static bool is_open(const bpi_value *v)
{
  return v->kind == BPI_V_INPUT && v->input->flex && bp_failed(v->input->node);
}

/* A name whose type was open was used as a type by the body; another such name can be so too. */
static bool same_open(const bpi_value *a, const bpi_value *b)
{
  return a->kind == BPI_V_INPUT && is_open(b) &&
         bpi_same_shape(&a->input->array->type, &b->input->array->type);
}

static bool same_arguments(const bpi_built *b, const bpi_value *argv, const bp_type *types, uint32_t n)
{
  for (uint32_t i = 0; i < n; i++) {
    bool node = types[i].dtype != BP_NONE;
    if (node != (b->args[i].kind == BPI_V_NODE))
      return false;
    if (node ? b->types[i].dtype != types[i].dtype || !bpi_same_shape(&b->types[i], &types[i])
             : !same_known(&b->args[i], &argv[i]) && !same_open(&b->args[i], &argv[i]))
      return false;
  }
  for (size_t i = 0; i < b->n_deps; i++)
    if (b->deps[i].symbol->version != b->deps[i].version)
      return false;
  return true;
}

static bpi_built *built_before(const bpi_lfn *fn, const bpi_value *argv, const bp_type *types)
{
  for (bpi_built *b = fn->built; b; b = b->next)
    if (same_arguments(b, argv, types, fn->code->n_params))
      return b;
  return NULL;
}

/* ---- taking nodes from outside ---- */

static bp_node add_lift(bp_program *p, bpi_env *env, const char *name, const bp_type *t,
                        const bpi_value *outside, bp_node origin)
{
  char numbered[32];
  bpi_text text;
  bpi_text_init(&text, p->ctx);
  if (!name || bpi_name_taken(env->graph, name)) {
    bpi_textf(&text, ".%zu", env->n_lifts);
    name = text.s && strlen(text.s) < sizeof numbered ? memcpy(numbered, text.s, strlen(text.s) + 1) : ".";
  }
  bpi_text_free(&text);
  bp_node inside = bp_input(env->graph, name, t->dtype, t->rank, t->dims);
  if (bp_failed(inside)) {
    bpi_wrong_graph(p, env->graph);
    return inside;
  }
  if (env->n_lifts >= MAX_LIFTS) {
    bpi_wrong(p, BP_E_LIMIT, "a function takes over %d values from outside", MAX_LIFTS);
    return BP_NO_NODE;
  }
  if (!bpi_grow(p->ctx, (void **)&env->lifts, &env->lifts_cap, env->n_lifts, sizeof *env->lifts)) {
    bpi_lang_nomem(p);
    return BP_NO_NODE;
  }
  env->lifts[env->n_lifts++] = (bpi_lift){inside, *outside, origin};
  return inside;
}

bp_node bpi_lift_node(bp_program *p, bpi_env *env, bp_node n)
{
  if (bp_failed(n) || n.graph == env->graph)
    return n;
  if (!env->caller) {
    bpi_wrong(p, BP_E_GRAPH, "this value belongs to a function that has ended");
    return BP_NO_NODE;
  }
  bp_node outside = bpi_lift_node(p, env->caller, n);
  if (bp_failed(outside) || outside.graph == env->graph)
    return outside;
  for (size_t i = 0; i < env->n_lifts; i++)
    if (env->lifts[i].outside.kind == BPI_V_NODE && env->lifts[i].outside.node.index == outside.index &&
        !bp_absent(env->lifts[i].origin))
      return env->lifts[i].inside;
  bp_type t;
  bp_node_type(outside, &t);
  bpi_value v = bpi_v_node(outside);
  return add_lift(p, env, bp_node_name(outside), &t, &v, n);
}

/* ---- reading a body ---- */

static bpi_env *new_env(bp_program *p, bp_graph *g, const bpi_lfn *fn)
{
  if (p->n_envs >= MAX_BUILT) {
    bpi_wrong(p, BP_E_LIMIT, "the functions of this program are called over %d times", MAX_BUILT);
    return NULL;
  }
  bpi_env *env = bpi_arena_alloc(&p->arena, 1, sizeof *env);
  if (!env || !bpi_grow(p->ctx, (void **)&p->envs, &p->envs_cap, p->n_envs, sizeof *p->envs)) {
    bpi_lang_nomem(p);
    return NULL;
  }
  p->envs[p->n_envs++] = env;
  *env = (bpi_env){.graph = g, .around = fn->scope, .caller = p->env};
  return env;
}

static bp_status run_steps(bp_program *p, bpi_env *env, bpi_lcode *c)
{
  bpi_env *before = p->env;
  bpi_place_in here = p->here;
  size_t base = p->n_stack;
  p->env = env;
  for (size_t i = 0; i < c->n_steps && !env->returned && p->status == BP_OK; i++) {
    if (++p->work > MAX_WORK)
      bpi_wrong(p, BP_E_LIMIT, "the functions of this program take over a million steps");
    else
      bpi_do(p, c->source, &c->steps[i]);
  }
  p->env = before;
  p->n_stack = base;
  if (p->status != BP_OK)
    return p->status;
  p->here = here;
  return env->returned ? BP_OK : bpi_wrong(p, BP_E_ARG, "%s returns nothing", title_of(c));
}

static bp_status read_body(bp_program *p, bpi_env *env, bpi_lcode *c)
{
  if (c->active >= MAX_ACTIVE)
    return bpi_wrong(p, BP_E_UNSUPPORTED, "%s calls itself; recursion has no end here, as there is no if",
                     title_of(c));
  if (p->calls >= BPI_CALL_DEPTH)
    return bpi_wrong(p, BP_E_LIMIT, "functions call one another over %d deep", BPI_CALL_DEPTH);
  c->active++;
  p->calls++;
  bp_status s = run_steps(p, env, c);
  p->calls--;
  c->active--;
  return s;
}

static bp_status define_params(bp_program *p, bpi_env *env, const bpi_lcode *c, const bpi_value *argv,
                               const bp_type *types)
{
  for (uint32_t i = 0; i < c->n_params; i++) {
    bpi_symbol *symbol = bpi_define(p, env, c->params[i].name);
    if (!symbol)
      return p->status;
    symbol->value = argv[i];
    symbol->value.keyword = NULL;
    if (types && types[i].dtype != BP_NONE) {
      bp_node inside = add_lift(p, env, c->params[i].name->text, &types[i], &argv[i], BP_NO_NODE);
      if (p->status != BP_OK)
        return p->status;
      symbol->value = bpi_v_node(inside);
    }
    symbol->version++;
  }
  return BP_OK;
}

/* ---- making the function ---- */

static uint64_t weight_of(const bp_graph *g)
{
  uint64_t w = g->count;
  for (uint32_t i = 1; i < g->count; i += g->nodes[i].n_out)
    for (int k = 0; k < bpi_op_n_attrs(g->nodes[i].op); k++)
      if (g->nodes[i].op->attrs[k].kind == BP_ATTR_FN)
        w += g->nodes[i].attr[k].fn->weight;
  return w;
}

static bp_status outputs_of(bp_program *p, bpi_env *env, bpi_value *result, bp_node *out, uint32_t *n)
{
  bpi_value *items = result;
  *n = 1;
  if (result->kind == BPI_V_LIST && result->tuple) {
    items = result->items;
    *n = result->n;
  }
  if (*n < 1 || *n > BP_MAX_RESULTS)
    return bpi_wrong(p, BP_E_LIMIT, "a function returns 1 to %d values", BP_MAX_RESULTS);
  bpi_env *before = p->env;
  p->env = env;
  for (uint32_t k = 0; k < *n && p->status == BP_OK; k++)
    out[k] = bpi_to_node(p, env->graph, &items[k], BP_NONE);
  p->env = before;
  return p->status;
}

static bp_fn *close_function(bp_program *p, bpi_env *env, const bpi_lcode *c, bp_node *out, uint32_t n_out)
{
  bp_node *in = bpi_arena_alloc(&p->temp, env->n_lifts, sizeof *in);
  if (!in || !bpi_grow(p->ctx, (void **)&p->fns, &p->fns_cap, p->n_fns, sizeof *p->fns)) {
    bpi_lang_nomem(p);
    return NULL;
  }
  for (size_t i = 0; i < env->n_lifts; i++)
    in[i] = env->lifts[i].inside;
  uint64_t weight = weight_of(env->graph);
  bp_graph *g = env->graph;
  env->graph = NULL; /* the function's from now on */
  env->closed = g;
  if (weight > MAX_EXPANDED) {
    bp_graph_free(g);
    bpi_wrong(p, BP_E_LIMIT, "%s stands for over %d operations", title_of(c), MAX_EXPANDED);
    return NULL;
  }
  bp_fn *fn;
  bp_status s = bpi_fn_make(c->title, g, in, env->n_lifts, out, n_out, &fn);
  if (s != BP_OK) {
    bpi_wrong(p, s, "%s", bp_error());
    return NULL;
  }
  fn->weight = weight;
  fn->streamed = env->streamed;
  p->fns[p->n_fns++] = fn;
  return fn;
}

/* Whether no input is two arguments, or both an argument and taken from outside: then its uses could not be told apart later. */
static bool tells_inputs_apart(const bpi_env *env, const bpi_value *argv, uint32_t n)
{
  for (uint32_t k = 0; k < n; k++) {
    if (argv[k].kind != BPI_V_INPUT)
      continue;
    for (uint32_t i = 0; i < k; i++)
      if (argv[i].kind == BPI_V_INPUT && argv[i].input == argv[k].input)
        return false;
    for (size_t i = 0; i < env->n_deps; i++)
      if (env->deps[i].symbol->value.kind == BPI_V_INPUT && env->deps[i].symbol->value.input == argv[k].input)
        return false;
  }
  return true;
}

static bpi_built *remember(bp_program *p, const bpi_lfn *fn, bpi_env *env, const bpi_value *argv,
                           const bp_type *types)
{
  uint32_t n = fn->code->n_params;
  bpi_built *b = bpi_arena_alloc(&p->arena, 1, sizeof *b);
  if (b) {
    b->args = bpi_arena_alloc(&p->arena, n, sizeof *b->args);
    b->types = bpi_arena_alloc(&p->arena, n, sizeof *b->types);
    b->lifts = bpi_arena_alloc(&p->arena, env->n_lifts, sizeof *b->lifts);
    b->deps = bpi_arena_alloc(&p->arena, env->n_deps, sizeof *b->deps);
  }
  if (!b || !b->args || !b->types || !b->lifts || !b->deps) {
    bpi_lang_nomem(p);
    return NULL;
  }
  bool cacheable = !env->once && tells_inputs_apart(env, argv, n);
  for (uint32_t i = 0; i < n; i++) {
    b->args[i] = argv[i];
    b->types[i] = types[i];
    if (types[i].dtype != BP_NONE)
      b->args[i].kind = BPI_V_NODE;
    else
      cacheable = cacheable && (same_known(&argv[i], &argv[i]) || argv[i].kind == BPI_V_INPUT);
  }
  if (env->n_lifts)
    memcpy(b->lifts, env->lifts, env->n_lifts * sizeof *b->lifts);
  if (env->n_deps)
    memcpy(b->deps, env->deps, env->n_deps * sizeof *b->deps);
  b->n_args = n;
  b->n_lifts = env->n_lifts;
  b->n_deps = env->n_deps;
  if (cacheable) {
    b->next = fn->built;
    ((bpi_lfn *)fn)->built = b; /* a memory, not a meaning */
  }
  return b;
}

/* A body that is not a graph's any more: everything about it is freed but its names. */
static void leave_env(bp_program *p, bpi_env *env)
{
  if (env->graph && env->graph != env->caller->graph)
    bp_graph_free(env->graph);
  env->graph = NULL;
  bpi_free(p->ctx, env->lifts);
  bpi_deps_free(p, env);
  env->lifts = NULL;
  env->n_lifts = env->lifts_cap = 0;
}

/* b NULL: the result is known; where `known` is NULL, a function is made of that too. */
static bp_status build(bp_program *p, const bpi_lfn *fn, const bpi_value *argv, const bp_type *types,
                       bpi_built **b, bpi_value *known)
{
  bp_graph *g = bp_graph_new(p->ctx);
  bpi_env *env = g ? new_env(p, g, fn) : NULL;
  bp_node out[BP_MAX_RESULTS];
  uint32_t n_out;
  *b = NULL;
  if (!env) {
    bp_graph_free(g);
    return p->status != BP_OK ? p->status : bpi_lang_nomem(p);
  }
  bp_status s = define_params(p, env, fn->code, argv, types);
  if (s == BP_OK)
    s = read_body(p, env, fn->code);
  if (s == BP_OK && known &&
      !bpi_has_nodes(p, &env->result)) { /* numbers, functions: they come back as they are */
    *known = env->result;
  } else if (s == BP_OK && outputs_of(p, env, &env->result, out, &n_out) == BP_OK) {
    bp_fn *made = close_function(p, env, fn->code, out, n_out);
    *b = made ? remember(p, fn, env, argv, types) : NULL;
    if (*b) {
      (*b)->fn = made;
      (*b)->tuple = env->result.kind == BPI_V_LIST && env->result.tuple;
    }
  }
  bpi_env *caller = p->env;
  caller->once = caller->once || (env->once && caller != &p->top);
  leave_env(p, env);
  return p->status;
}

/* ---- calling ---- */

/* What a body takes from outside: the node that it took, or, where that was an argument, the argument of this call. */
static bp_node origin_node(bp_program *p, const bpi_built *b, const bpi_lift *lift, const bpi_value *argv)
{
  bp_type t;
  for (uint32_t i = 0; i < b->n_args; i++)
    if (b->args[i].kind == BPI_V_INPUT && b->args[i].input->node.index == lift->origin.index &&
        bp_node_type(lift->origin, &t) == BP_OK)
      return bpi_to_node(p, p->env->graph, &argv[i], t.dtype);
  return bpi_lift_node(p, p->env, lift->origin);
}

static bp_status call_built(bp_program *p, const bpi_built *b, const bpi_value *argv, bpi_value *out)
{
  bp_node y[BP_MAX_RESULTS];
  bp_node *x = bpi_arena_alloc(&p->temp, b->n_lifts, sizeof *x);
  uint32_t first = bp_graph_mark(p->graph), at = 0;
  if (!x)
    return bpi_lang_nomem(p);
  for (size_t i = 0; i < b->n_lifts && p->status == BP_OK; i++) {
    if (!bp_absent(b->lifts[i].origin)) {
      x[i] = origin_node(p, b, &b->lifts[i], argv);
      continue;
    }
    while (b->types[at].dtype == BP_NONE)
      at++;
    x[i] = bpi_to_node(p, p->env->graph, &argv[at++], BP_NONE);
  }
  if (p->status != BP_OK)
    return p->status;
  if (b->n_lifts == 0)
    return bpi_wrong(p, BP_E_UNSUPPORTED, "this function depends on nothing, and draws; give it an argument");
  if (bp_call(b->fn, x, b->n_lifts, y) != BP_OK)
    return bpi_wrong_graph(p, p->env->graph);
  if (p->env->graph == p->graph)
    bpi_spot_nodes(p, first, &p->here);
  if (!b->tuple) {
    *out = bpi_v_node(y[0]);
    return BP_OK;
  }
  bpi_value items[BP_MAX_RESULTS];
  for (size_t k = 0; k < b->fn->n_outputs; k++)
    items[k] = bpi_v_node(y[k]);
  return bpi_list(p, items, (uint32_t)b->fn->n_outputs, true, out);
}

static bp_status note_deps(bp_program *p, const bpi_built *b)
{
  for (size_t i = 0; p->env != &p->top && i < b->n_deps; i++)
    if (!bpi_note_dep(p, p->env, b->deps[i]))
      return p->status;
  return BP_OK;
}

/* Everything is known: the body is read in the graph at hand. */
static bp_status call_known(bp_program *p, const bpi_lfn *fn, const bpi_value *argv, bpi_value *out)
{
  bpi_env *env = new_env(p, p->env->graph, fn);
  if (!env)
    return p->status;
  if (define_params(p, env, fn->code, argv, NULL) == BP_OK && read_body(p, env, fn->code) == BP_OK)
    *out = env->result;
  p->env->once = p->env->once || env->once;
  leave_env(p, env);
  return p->status;
}

static bp_status call_code(bp_program *p, const bpi_lfn *fn, const bpi_value *args, uint32_t n,
                           bpi_value *out)
{
  uint32_t n_params = fn->code->n_params;
  bpi_value *argv = bpi_arena_alloc(&p->temp, n_params, sizeof *argv);
  bp_type *types = bpi_arena_alloc(&p->temp, n_params, sizeof *types);
  bool nodes = false;
  if (!argv || !types)
    return bpi_lang_nomem(p);
  if (bind_params(p, fn, args, n, argv) != BP_OK)
    return p->status;
  for (uint32_t i = 0; i < n_params; i++) {
    nodes = nodes || bpi_has_nodes(p, &argv[i]);
    if (becomes_parameter(p, &argv[i]) && bpi_type_of(p, &argv[i], &types[i]) != BP_OK)
      return p->status;
  }
  if (!nodes)
    return call_known(p, fn, argv, out);
  bpi_built *b = built_before(fn, argv, types);
  if (!b && build(p, fn, argv, types, &b, out) != BP_OK)
    return p->status;
  if (!b || note_deps(p, b) != BP_OK)
    return p->status;
  return call_built(p, b, argv, out);
}

bp_status bpi_call_value(bp_program *p, const bpi_lfn *fn, bpi_value *args, uint32_t n, bpi_value *out)
{
  if (fn->code)
    return call_code(p, fn, args, n, out);
  if (fn->op)
    return bpi_call_row(p, fn->op, fn->alias, args, n, out);
  bpi_value argv[8];
  if (bpi_bind_args(p, fn->native->name, fn->native->params, args, n, argv) != BP_OK)
    return p->status;
  return fn->native->run(p, argv, out);
}

bp_fn *bpi_typed_fn(bp_program *p, const bpi_lfn *fn)
{
  const bpi_lcode *c = fn->code;
  bpi_value *argv = bpi_arena_alloc(&p->temp, c->n_params, sizeof *argv);
  bp_type *types = bpi_arena_alloc(&p->temp, c->n_params, sizeof *types);
  if (!argv || !types) {
    bpi_lang_nomem(p);
    return NULL;
  }
  for (uint32_t i = 0; i < c->n_params; i++) {
    if (!c->params[i].typed) {
      bpi_wrong(p, BP_E_ARG, "%s needs a type for each parameter here: def %s(%s: real[3], ...)", title_of(c),
                title_of(c), c->params[i].name->text);
      return NULL;
    }
    argv[i] = bpi_v_node((bp_node){p->env->graph, 0, 0});
    types[i] = c->params[i].type;
  }
  bpi_built *b = built_before(fn, argv, types);
  if (!b && build(p, fn, argv, types, &b, NULL) != BP_OK)
    return NULL;
  if (!b || b->n_lifts != c->n_params) {
    bpi_wrong(p, BP_E_ARG, "%s takes values from outside its parameters; pass them as arguments",
              title_of(c));
    return NULL;
  }
  return b->fn;
}
