/* What is built in beside the rows: NumPy's names for rows, arrays made while reading, shapes as NumPy changes them. */
#include "lang/lang.h"

#include <math.h>
#include <string.h>

/* ---- NumPy's names for rows, and NumPy's order of arguments where it differs ---- */

static const bpi_alias aliases[] = {
    {"multiply", "mul", NULL, 0},
    {"subtract", "sub", NULL, 0},
    {"divide", "div", NULL, 0},
    {"true_divide", "div", NULL, 0},
    {"power", "pow", NULL, 0},
    {"negative", "neg", NULL, 0},
    {"absolute", "abs", NULL, 0},
    {"fabs", "abs", NULL, 0},
    {"arcsin", "asin", NULL, 0},
    {"arccos", "acos", NULL, 0},
    {"arctan", "atan", NULL, 0},
    {"arctan2", "atan2", NULL, 0},
    {"amax", "max", NULL, 0},
    {"amin", "min", NULL, 0},
    {"rint", "round", NULL, 0},
    {"concatenate", "concat", NULL, 0},
    {"take", "gather", NULL, BPI_FLAT},
    {"argmax", "argmax", NULL, BPI_FLAT},
    {"argmin", "argmin", NULL, BPI_FLAT},
    {"cumsum", "cumsum", NULL, BPI_FLAT},
    {"split", "split", "x, parts, axis", BPI_LISTED},
    {"broadcast_to", "broadcast", NULL, 0},
    {"swish", "silu", NULL, 0},
    {"mse", "mean_squared_error", NULL, 0},
    {"cross_entropy", "softmax_cross_entropy", NULL, 0},
};
enum { ALIASES = sizeof aliases / sizeof *aliases };

const bpi_alias *bpi_alias_find(const char *name)
{
  for (size_t i = 0; i < ALIASES; i++)
    if (strcmp(aliases[i].name, name) == 0)
      return &aliases[i];
  return NULL;
}

/* ---- constants and types ---- */

static const struct {
  const char *name;
  double value;
} numbers[] = {
    {"pi", 3.14159265358979323846}, {"e", 2.71828182845904523536}, {"inf", INFINITY}, {"nan", NAN}};

static const struct {
  const char *name;
  bp_dtype dtype;
} types[] = {{"real", BP_REAL},   {"float", BP_REAL},  {"float64", BP_REAL}, {"float32", BP_REAL},
             {"double", BP_REAL}, {"int64", BP_INT64}, {"int", BP_INT64},    {"int32", BP_INT64},
             {"bool", BP_BOOL},   {"bool_", BP_BOOL}};

static bool builtin_value(const bpi_lname *name, bpi_value *out)
{
  const char *text = name->text;
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
    if (strcmp(numbers[i].name, text) == 0) {
      *out = bpi_v_number(numbers[i].value, BP_REAL, false);
      return true;
    }
  for (size_t i = 0; i < sizeof types / sizeof *types; i++)
    if (strcmp(types[i].name, text) == 0) {
      *out = (bpi_value){.kind = BPI_V_DTYPE, .dtype = (uint8_t)types[i].dtype};
      return true;
    }
  if (strcmp(text, "None") == 0 || strcmp(text, "newaxis") == 0) {
    *out = (bpi_value){.kind = BPI_V_NONE};
    return true;
  }
  if (strcmp(text, "True") == 0 || strcmp(text, "False") == 0) {
    *out = bpi_v_number(text[0] == 'T', BP_BOOL, false);
    return true;
  }
  return false;
}

bool bpi_builtin_fn(const bpi_lname *name, bool random, bool method, bpi_lfn *fn)
{
  *fn = (bpi_lfn){0};
  fn->native = bpi_native_find(name->text, random, method);
  if (fn->native || random)
    return fn->native != NULL;
  fn->alias = bpi_alias_find(name->text);
  fn->op = bp_op_find(fn->alias ? fn->alias->row : name->text);
  return fn->op && !(fn->op->traits & (BP_INPUT | BP_STATE | BP_CONSTANT));
}

bool bpi_builtin(bp_program *p, const bpi_lname *name, bool random, bpi_value *out)
{
  bpi_lfn fn;
  if (!random && builtin_value(name, out))
    return true;
  if (!bpi_builtin_fn(name, random, false, &fn))
    return false;
  bpi_lfn *kept = bpi_arena_alloc(&p->arena, 1, sizeof *kept);
  if (!kept) {
    bpi_lang_nomem(p);
    return false;
  }
  *kept = fn;
  *out = (bpi_value){.kind = BPI_V_FN, .fn = kept};
  return true;
}

/* ---- arguments ---- */

/* "shape, dtype?, *rest" is walked word by word. */
static const char *next_param(const char *at, const char **name, size_t *n, bool *optional, bool *rest)
{
  *rest = *at == '*';
  at += *rest;
  *name = at;
  *n = strcspn(at, ",?");
  at += *n;
  *optional = *at == '?';
  at += *optional;
  return at + strspn(at, ", ");
}

static int native_param(const char *params, const bpi_lname *keyword)
{
  const char *name;
  size_t n;
  bool optional, rest;
  static const char *const same[][2] = {
      {"axes", "axis"},      {"perm", "axes"}, {"keep", "keepdims"}, {"size", "shape"},    {"dims", "shape"},
      {"newshape", "shape"}, {"object", "x"},  {"perm", "axes"},     {"keep", "keepdims"}, {"a", "x"}};
  for (int round = 0; round < 2; round++) {
    int number = 0;
    for (const char *at = params; *at; number++) {
      at = next_param(at, &name, &n, &optional, &rest);
      if (round == 0 ? n == keyword->n && strncmp(name, keyword->text, n) == 0 : false)
        return number;
      for (size_t i = 0; round == 1 && i < sizeof same / sizeof *same; i++)
        if (strcmp(same[i][0], keyword->text) == 0 && strlen(same[i][1]) == n &&
            strncmp(name, same[i][1], n) == 0)
          return number;
    }
  }
  return -1;
}

bp_status bpi_bind_args(bp_program *p, const char *function, const char *params, bpi_value *args, uint32_t n,
                        bpi_value *argv)
{
  const char *at = params, *name;
  size_t length;
  bool optional, rest = false;
  uint32_t k = 0, number = 0, n_positional = 0;
  while (n_positional < n && !args[n_positional].keyword)
    n_positional++;
  memset(argv, 0, 8 * sizeof *argv);
  for (; *at; number++) {
    at = next_param(at, &name, &length, &optional, &rest);
    if (rest && bpi_list(p, args + k, n_positional - k, true, &argv[number]) != BP_OK)
      return p->status;
    if (rest)
      k = n_positional;
    else if (k < n_positional)
      argv[number] = args[k++];
  }
  if (k < n_positional)
    return bpi_wrong(p, BP_E_ARG, "%s takes fewer arguments: %s(%s)%s", function, function, params,
                     strncmp(params, "shape", 5) == 0 ? "; several dims are one argument: (3, 4)" : "");
  for (uint32_t i = n_positional; i < n; i++) {
    int to = native_param(params, args[i].keyword);
    if (to < 0)
      return bpi_wrong(p, BP_E_ARG, "%s has no argument '%s': %s(%s)", function, args[i].keyword->text,
                       function, params);
    if (argv[to].kind != BPI_V_ABSENT && !(argv[to].kind == BPI_V_LIST && argv[to].n == 0))
      return bpi_wrong(p, BP_E_ARG, "%s: the argument '%s' is given twice", function, args[i].keyword->text);
    argv[to] = args[i];
    argv[to].keyword = NULL;
  }
  number = 0;
  for (at = params; *at; number++) {
    at = next_param(at, &name, &length, &optional, &rest);
    if (!optional && !rest && argv[number].kind == BPI_V_ABSENT)
      return bpi_wrong(p, BP_E_ARG, "%s: '%.*s' is missing: %s(%s)", function, (int)length, name, function,
                       params);
  }
  return BP_OK;
}

bool bpi_absent(const bpi_value *v)
{
  return v->kind == BPI_V_ABSENT || v->kind == BPI_V_NONE;
}

/* One list of dims, or dims as arguments of their own. */
bp_status bpi_dims_of(bp_program *p, const bpi_value *v, int *rank, int64_t *dims)
{
  const bpi_value *shape =
      v->kind == BPI_V_LIST && v->n == 1 && v->items[0].kind != BPI_V_NUMBER ? &v->items[0] : v;
  return bpi_static_dims(p, shape, rank, dims);
}

bp_status bpi_dtype_of(bp_program *p, const bpi_value *v, bp_dtype preset, bp_dtype *t)
{
  *t = preset;
  return bpi_absent(v) ? BP_OK : bpi_static_dtype(p, v, t);
}

/* ---- products, extremes ---- */

static bp_status run_dot(bp_program *p, bpi_value *v, bpi_value *out)
{
  bp_type a, b;
  if (bpi_type_of(p, &v[0], &a) != BP_OK || bpi_type_of(p, &v[1], &b) != BP_OK)
    return p->status;
  return bpi_apply_named(p, a.rank == 0 || b.rank == 0 ? "mul" : "dot", v, 2, out);
}

/* max(a, b) is maximum(a, b); max(x), and with an axis, reduces. */
static bp_status extreme(bp_program *p, const char *reduce, const char *choose, bpi_value *v, bpi_value *out)
{
  const bp_op *op = bp_op_find(reduce);
  bpi_value args[4];
  uint32_t n = 0;
  args[n++] = v[0];
  bool list = v[1].kind == BPI_V_NONE || v[1].kind == BPI_V_LIST;
  if (!bpi_absent(&v[1]) && !list && bpi_absent(&v[2]) && bpi_absent(&v[3])) {
    bpi_value x[2] = {v[0], v[1]};
    return bpi_apply_named(p, choose, x, 2, out);
  }
  const bpi_value *axis = bpi_absent(&v[2]) ? &v[1] : &v[2];
  static const bpi_lname axes = {"axes", 4, 0}, keep = {"keep", 4, 0};
  if (!bpi_absent(axis)) {
    args[n] = *axis;
    args[n++].keyword = &axes;
  }
  if (!bpi_absent(&v[3])) {
    args[n] = v[3];
    args[n++].keyword = &keep;
  }
  return bpi_call_row(p, op, NULL, args, n, out);
}

static bp_status run_max(bp_program *p, bpi_value *v, bpi_value *out)
{
  return extreme(p, "max", "maximum", v, out);
}

static bp_status run_min(bp_program *p, bpi_value *v, bpi_value *out)
{
  return extreme(p, "min", "minimum", v, out);
}

static bp_status run_std(bp_program *p, bpi_value *v, bpi_value *out)
{
  static const bpi_lname names[3] = {{"axes", 4, 0}, {"keep", 4, 0}, {"ddof", 4, 0}};
  bpi_value args[4] = {v[0]};
  uint32_t n = 1;
  for (int i = 0; i < 3; i++)
    if (!bpi_absent(&v[i + 1])) {
      args[n] = v[i + 1];
      args[n++].keyword = &names[i];
    }
  if (bpi_call_row(p, bp_op_find("var"), NULL, args, n, out) != BP_OK)
    return p->status;
  bpi_value x = *out;
  return bpi_apply_named(p, "sqrt", &x, 1, out);
}

static bp_status log_base(bp_program *p, bpi_value *v, double base, bpi_value *out)
{
  bpi_value x[2];
  if (bpi_apply_named(p, "log", &v[0], 1, &x[0]) != BP_OK)
    return p->status;
  x[1] = bpi_v_number(log(base), BP_REAL, false);
  return bpi_apply_named(p, "div", x, 2, out);
}

static bp_status run_log2(bp_program *p, bpi_value *v, bpi_value *out)
{
  return log_base(p, v, 2, out);
}

static bp_status run_log10(bp_program *p, bpi_value *v, bpi_value *out)
{
  return log_base(p, v, 10, out);
}

/* ---- inputs, constants, state, names, output ---- */

/* The value that was set for the name of an input, as one of the type that is declared here. */
static bp_status given_input(bp_program *p, const bpi_symbol *given, const bp_type *t, bpi_value *out)
{
  bp_type own;
  *out = given->value;
  if (bpi_type_of(p, out, &own) != BP_OK)
    return p->status;
  bool open = out->kind == BPI_V_INPUT && bp_failed(out->input->node);
  bool fits = own.dtype == t->dtype || (open && own.dtype != BP_BOOL && t->dtype != BP_BOOL);
  if (!fits || !bpi_same_shape(&own, t)) {
    bpi_larray like = {.type = *t};
    bpi_value declared = bpi_v_array(&like, false);
    return bpi_wrong(p, fits ? BP_E_SHAPE : BP_E_DTYPE, "'%s' is given as %s, but is declared as %s",
                     given->name->text, bpi_type_text(p, out), bpi_type_text(p, &declared));
  }
  if (open)
    out->input->flex = true; /* of the type that its first use wants, which is this one */
  bpi_to_node(p, p->graph, out, t->dtype);
  return p->status;
}

static bp_status new_input(bp_program *p, const bpi_lname *name, const bp_type *t, bpi_value *out)
{
  uint32_t first = bp_graph_mark(p->graph);
  bpi_linput *in = bpi_arena_alloc(&p->arena, 1, sizeof *in);
  if (!in || !bpi_grow(p->ctx, (void **)&p->inputs, &p->inputs_cap, p->n_inputs, sizeof *p->inputs))
    return bpi_lang_nomem(p);
  *in = (bpi_linput){.name = name, .node = bp_input(p->graph, name->text, t->dtype, t->rank, t->dims)};
  if (bp_failed(in->node))
    return bpi_wrong_graph(p, p->graph);
  p->inputs[p->n_inputs++] = in;
  bpi_spot_nodes(p, first, &p->here);
  *out = bpi_v_node(in->node);
  return BP_OK;
}

/* input('x', [3,4]): a value that whoever runs the program gives. */
static bp_status run_input(bp_program *p, bpi_value *v, bpi_value *out)
{
  bp_type t = {.dtype = BP_REAL};
  if ((!bpi_absent(&v[1]) && bpi_static_dims(p, &v[1], &t.rank, t.dims) != BP_OK) ||
      bpi_dtype_of(p, &v[2], BP_REAL, &t.dtype) != BP_OK)
    return p->status;
  if (v[0].kind != BPI_V_TEXT)
    return bpi_wrong(p, BP_E_ARG, "an input has a name: x = input('x', [3,4])");
  if (p->env != &p->top)
    return bpi_wrong(p, BP_E_ARG, "a function has parameters, and no inputs");
  const bpi_symbol *given = bpi_symbol_in(&p->top.scope, v[0].text);
  return given && given->set ? given_input(p, given, &t, out) : new_input(p, v[0].text, &t, out);
}

/* A value whose name is no input. */
static bool constant_of(bp_program *p, bpi_value *v)
{
  if (v->kind == BPI_V_INPUT)
    *v = bpi_v_array(v->input->array, v->input->flex);
  v->fixed = bpi_known(p, v) || (v->kind == BPI_V_NODE && bpi_is_fixed(v->node));
  return v->fixed;
}

/* Of several results of an operation, each is one. */
static bp_status run_constant(bp_program *p, bpi_value *v, bpi_value *out)
{
  *out = v[0];
  bool fixed = constant_of(p, out), several = !fixed && out->kind == BPI_V_LIST && out->n > 0;
  for (uint32_t i = 0; several && i < out->n; i++)
    several = constant_of(p, &out->items[i]);
  return fixed || several ? BP_OK : bpi_wrong(p, BP_E_ARG, "constant(...) takes what is known while reading");
}

static bp_status run_state(bp_program *p, bpi_value *v, bpi_value *out)
{
  bp_state *s = p->options.state;
  int entry = v[0].kind == BPI_V_TEXT && s ? bp_state_find(s, v[0].text->text) : -1;
  if (entry < 0)
    return bpi_wrong(p, BP_E_NOTFOUND,
                     !s ? "there is no state to read from" : "the state has no entry of this name");
  uint32_t first = bp_graph_mark(p->graph);
  bp_node n = bp_read(p->graph, s, entry);
  if (bp_failed(n))
    return bpi_wrong_graph(p, p->graph);
  bpi_spot_nodes(p, first, &p->here);
  *out = bpi_v_node(n);
  return BP_OK;
}

/* named(x, "layer1.W"): a name that is no word of the language. */
static bp_status run_named(bp_program *p, bpi_value *v, bpi_value *out)
{
  bp_node n = bpi_to_node(p, p->graph, &v[0], BP_NONE);
  if (p->status != BP_OK)
    return p->status;
  if (v[1].kind != BPI_V_TEXT || p->env != &p->top)
    return bpi_wrong(p, BP_E_ARG, "named(x, 'name') names a node outside of functions");
  if (bp_failed(bp_name(n, v[1].text->text)))
    return bpi_wrong_graph(p, p->graph);
  *out = bpi_v_node(n);
  out->fixed = true;
  return BP_OK;
}

static bp_status run_print(bp_program *p, bpi_value *v, bpi_value *out)
{
  (void)p;
  *out = v[0];
  return BP_OK;
}

const bpi_native bpi_other_natives[] = {
    {"dot", "a, b", run_dot, 0},
    {"max", "x, b?, axis?, keepdims?", run_max, BPI_NO_METHOD},
    {"min", "x, b?, axis?, keepdims?", run_min, BPI_NO_METHOD},
    {"std", "x, axis?, keepdims?, ddof?", run_std, 0},
    {"log2", "x", run_log2, 0},
    {"log10", "x", run_log10, 0},
    {"input", "name, shape?, dtype?", run_input, 0},
    {"constant", "x", run_constant, 0},
    {"state", "name", run_state, 0},
    {"named", "x, name", run_named, 0},
    {"print", "*x", run_print, 0},
    {0},
};

/* ---- finding them ---- */

static const bpi_native *const tables[] = {bpi_array_natives, bpi_shape_natives, bpi_other_natives};

const bpi_native *bpi_native_find(const char *name, bool random, bool method)
{
  for (size_t k = 0; k < sizeof tables / sizeof *tables; k++)
    for (const bpi_native *f = tables[k]; f->name; f++)
      if (!(f->flags & BPI_OF_RANDOM) == !random && !(method && f->flags & BPI_NO_METHOD) &&
          strcmp(f->name, name) == 0)
        return f;
  return NULL;
}

const char *bpi_builtin_name(size_t i)
{
  for (size_t k = 0; k < sizeof tables / sizeof *tables; k++)
    for (const bpi_native *f = tables[k]; f->name; f++)
      if (i-- == 0)
        return f->name;
  if (i < ALIASES)
    return aliases[i].name;
  i -= ALIASES;
  return i < bp_op_count() ? bp_op_at(i)->name : NULL;
}
