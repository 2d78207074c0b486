/* Steps to values: a stack machine. Outside of functions each step runs as soon as it is parsed. */
#include "lang/lang.h"

#include <math.h>
#include <string.h>

bp_status bpi_push(bp_program *p, bpi_value v)
{
  if (!bpi_grow(p->ctx, (void **)&p->stack, &p->stack_cap, p->n_stack, sizeof *p->stack))
    return bpi_lang_nomem(p);
  p->stack[p->n_stack++] = v;
  return BP_OK;
}

bpi_value bpi_pop(bp_program *p)
{
  return p->n_stack ? p->stack[--p->n_stack] : (bpi_value){.kind = BPI_V_NONE};
}

/* The last n values. */
static bpi_value *top_values(bp_program *p, uint32_t n)
{
  return n ? p->stack + p->n_stack - n : p->stack;
}

void bpi_statement_done(bp_program *p)
{
  p->n_stack = 0;
  bpi_arena_free(&p->temp);
  bpi_arena_init(&p->temp, p->ctx);
  bp_graph_free(p->scratch);
  p->scratch = NULL;
}

/* ---- operators ---- */

static const struct {
  int op;
  const char *row;
} binary_rows[] = {
    {'+', "add"},
    {'-', "sub"},
    {'*', "mul"},
    {'/', "div"},
    {BPI_OP2('*', '*'), "pow"},
    {'<', "less"},
    {'>', "greater"},
    {BPI_OP2('<', '='), "less_equal"},
    {BPI_OP2('>', '='), "greater_equal"},
    {BPI_OP2('=', '='), "equal"},
    {BPI_OP2('!', '='), "not_equal"},
    {'&', "logical_and"},
    {'|', "logical_or"},
    {'^', "logical_xor"},
};

static bool fold_whole(int op, int64_t a, int64_t b, bpi_value *out)
{
  int64_t r;
  if (op == '+'   ? __builtin_add_overflow(a, b, &r)
      : op == '-' ? __builtin_sub_overflow(a, b, &r)
                  : __builtin_mul_overflow(a, b, &r))
    return false;
  *out = bpi_v_whole(r);
  return true;
}

/* Operators between two numbers are worked out at once, as in Python; whole numbers stay whole. */
static bool fold_numbers(int op, const bpi_value *a, const bpi_value *b, bpi_value *out)
{
  if (a->kind != BPI_V_NUMBER || b->kind != BPI_V_NUMBER || a->fixed || b->fixed ||
      (op != '+' && op != '-' && op != '*' && op != '/'))
    return false;
  if ((a->dtype != BP_REAL && !a->flex) || (b->dtype != BP_REAL && !b->flex))
    return false;
  if (a->flex && b->flex && op != '/' && fold_whole(op, a->whole, b->whole, out))
    return true;
  double x = a->flex ? (double)a->whole : a->number, y = b->flex ? (double)b->whole : b->number;
  *out = bpi_v_number(op == '+' ? x + y : op == '-' ? x - y : op == '*' ? x * y : x / y, BP_REAL, false);
  return true;
}

/* a @ b: matrices, batches of them, and vectors as NumPy takes them. */
static bp_status matrix_product(bp_program *p, bpi_value *x, bpi_value *out)
{
  bp_type a, b;
  if (bpi_type_of(p, &x[0], &a) != BP_OK || bpi_type_of(p, &x[1], &b) != BP_OK)
    return p->status;
  return bpi_apply_named(p, a.rank == 1 || b.rank == 1 ? "dot" : "matmul", x, 2, out);
}

static bp_status floor_quotient(bp_program *p, bpi_value *x, bpi_value *out)
{
  return bpi_apply_named(p, "div", x, 2, out) == BP_OK ? bpi_apply_named(p, "floor", out, 1, out) : p->status;
}

/* a - b floor(a / b), as in Python. */
static bp_status remainder_of(bp_program *p, bpi_value *x, bpi_value *out)
{
  bpi_value part[2] = {x[1]}, both[2] = {x[0]};
  if (floor_quotient(p, x, &part[1]) != BP_OK || bpi_apply_named(p, "mul", part, 2, &both[1]) != BP_OK)
    return p->status;
  return bpi_apply_named(p, "sub", both, 2, out);
}

/* x^2 is most often meant as a power. */
static bp_status check_exclusive_or(bp_program *p, bpi_value *x)
{
  bp_type t;
  for (int i = 0; i < 2; i++)
    if (bpi_type_of(p, &x[i], &t) == BP_OK && t.dtype != BP_BOOL)
      return bpi_wrong(p, BP_E_DTYPE, "^ is 'either, but not both' of truths; the power is **");
  return p->status;
}

static bp_status do_binary(bp_program *p, int op)
{
  bpi_value x[2], out;
  x[1] = bpi_pop(p);
  x[0] = bpi_pop(p);
  x[0].keyword = x[1].keyword = NULL;
  if (fold_numbers(op, &x[0], &x[1], &out))
    return bpi_push(p, out);
  bp_status s = BP_E_INTERNAL;
  if (op == '^' && check_exclusive_or(p, x) != BP_OK)
    return p->status;
  if (op == '@')
    s = matrix_product(p, x, &out);
  else if (op == BPI_OP2('/', '/'))
    s = floor_quotient(p, x, &out);
  else if (op == '%')
    s = remainder_of(p, x, &out);
  for (size_t i = 0; s == BP_E_INTERNAL && i < sizeof binary_rows / sizeof *binary_rows; i++)
    if (binary_rows[i].op == op)
      s = bpi_apply_named(p, binary_rows[i].row, x, 2, &out);
  return s == BP_OK ? bpi_push(p, out) : p->status;
}

static bp_status do_unary(bp_program *p, int op)
{
  bpi_value x = bpi_pop(p), out;
  if (x.kind == BPI_V_NUMBER && op == '-' && x.dtype != BP_BOOL && !x.fixed) {
    if (x.dtype == BP_INT64 && (x.whole != 0 || !x.flex))
      x.whole = x.whole == INT64_MIN ? x.whole : -x.whole;
    else
      x = bpi_v_number(x.dtype == BP_INT64 ? -0.0 : -x.number, BP_REAL, false);
    return bpi_push(p, x);
  }
  if (op == '+')
    return bpi_push(p, x);
  return bpi_apply_named(p, op == '-' ? "neg" : "logical_not", &x, 1, &out) == BP_OK ? bpi_push(p, out)
                                                                                     : p->status;
}

/* ---- names, calls, attributes ---- */

static bp_status do_name(bp_program *p, const bpi_lstep *s)
{
  bpi_symbol *symbol = s->random ? NULL : bpi_lookup(p, s->name);
  bpi_value v;
  if (p->status != BP_OK)
    return p->status;
  if (symbol)
    return bpi_push(p, symbol->value);
  if (bpi_builtin(p, s->name, s->random, &v))
    return p->status == BP_OK ? bpi_push(p, v) : p->status;
  return p->status == BP_OK ? bpi_unknown(p, s->name, false) : p->status;
}

/* *list at the end of arguments: its items. */
static bp_status spread_last(bp_program *p, uint32_t *n)
{
  bpi_value last = bpi_pop(p), *items;
  uint32_t more;
  if (bpi_spread(p, &last, &items, &more) != BP_OK)
    return p->status;
  for (uint32_t i = 0; i < more; i++)
    if (bpi_push(p, items[i]) != BP_OK)
      return p->status;
  *n += more - 1;
  return BP_OK;
}

/* Replaces the top n values, and `below` under them, by the result of the call. */
static bp_status call_top(bp_program *p, const bpi_lfn *fn, uint32_t n, uint32_t below)
{
  bpi_value *args = bpi_arena_alloc(&p->temp, n, sizeof *args), out = {.kind = BPI_V_NONE};
  if (!args)
    return bpi_lang_nomem(p);
  if (n)
    memcpy(args, top_values(p, n), n * sizeof *args);
  size_t base = p->n_stack - n - below;
  if (bpi_call_value(p, fn, args, n, &out) != BP_OK)
    return p->status;
  p->n_stack = base;
  return bpi_push(p, out);
}

/* f(...): a function that the text defined comes before one that is built in; a name that means an array does not hide a function. */
static bp_status do_call(bp_program *p, const bpi_lstep *s)
{
  bpi_symbol *symbol = s->random || s->method ? NULL : bpi_lookup(p, s->name);
  bpi_lfn builtin = {0};
  const bpi_lfn *fn = NULL;
  uint32_t n = s->n;
  if (p->status != BP_OK)
    return p->status;
  if (symbol && symbol->value.kind == BPI_V_FN)
    fn = symbol->value.fn;
  else if (bpi_builtin_fn(s->name, s->random, s->method, &builtin))
    fn = &builtin;
  if (!fn && symbol)
    return bpi_wrong(p, BP_E_DTYPE, "'%s' is %s, and cannot be called", s->name->text,
                     bpi_type_text(p, &symbol->value));
  if (!fn && s->random)
    return bpi_wrong(p, BP_E_NOTFOUND,
                     "np.random has no '%s' here; it has rand, randn, random, normal, uniform, "
                     "standard_normal, randint, seed",
                     s->name->text);
  if (!fn)
    return bpi_unknown(p, s->name, true);
  if (s->spread && spread_last(p, &n) != BP_OK)
    return p->status;
  return call_top(p, fn, n, 0);
}

static bp_status do_apply(bp_program *p, const bpi_lstep *s)
{
  const bpi_value *f = &p->stack[p->n_stack - s->n - 1];
  if (f->kind != BPI_V_FN)
    return bpi_wrong(p, BP_E_DTYPE, "this is not a function, and cannot be called");
  return call_top(p, f->fn, s->n, 1);
}

static bp_status dims_value(bp_program *p, const bp_type *t, bpi_value *out)
{
  bpi_value dims[BP_MAX_RANK];
  for (int i = 0; i < t->rank; i++)
    dims[i] = bpi_v_whole(t->dims[i]);
  return bpi_list(p, dims, (uint32_t)t->rank, true, out);
}

static bp_status do_attribute(bp_program *p, const bpi_lname *name)
{
  bpi_value x = bpi_pop(p), out;
  bp_type t;
  x.keyword = NULL;
  if (bpi_type_of(p, &x, &t) != BP_OK)
    return p->status;
  if (x.kind == BPI_V_INPUT)
    x.input->read = true;
  if (strcmp(name->text, "T") == 0) {
    bpi_apply_named(p, "transpose", &x, 1, &out);
  } else if (strcmp(name->text, "shape") == 0) {
    dims_value(p, &t, &out);
  } else if (strcmp(name->text, "ndim") == 0) {
    out = bpi_v_whole(t.rank);
  } else if (strcmp(name->text, "size") == 0) {
    out = bpi_v_whole(bpi_type_size(&t));
  } else if (strcmp(name->text, "dtype") == 0) {
    out = (bpi_value){.kind = BPI_V_DTYPE, .dtype = (uint8_t)t.dtype};
  } else {
    return bpi_wrong(
        p, BP_E_NOTFOUND,
        "an array has no '.%s'; it has .T, .shape, .ndim, .size, .dtype, and operations as .sum(...)",
        name->text);
  }
  return p->status == BP_OK ? bpi_push(p, out) : p->status;
}

/* ---- lists, functions, statements ---- */

static bp_status do_list(bp_program *p, const bpi_lstep *s, bool tuple)
{
  bpi_value out;
  if (bpi_list(p, top_values(p, s->n), s->n, tuple, &out) != BP_OK)
    return p->status;
  p->n_stack -= s->n;
  return bpi_push(p, out);
}

static bp_status do_slice(bp_program *p)
{
  bpi_value *items = bpi_arena_alloc(&p->temp, 3, sizeof *items);
  if (!items)
    return bpi_lang_nomem(p);
  memcpy(items, top_values(p, 3), 3 * sizeof *items);
  p->n_stack -= 3;
  return bpi_push(p, (bpi_value){.kind = BPI_V_SLICE, .items = items, .n = 3});
}

static bp_status do_index(bp_program *p, const bpi_lstep *s)
{
  bpi_value *top = top_values(p, s->n + 1), out;
  bpi_value *at = bpi_arena_alloc(&p->temp, s->n + 1, sizeof *at);
  if (!at)
    return bpi_lang_nomem(p);
  memcpy(at, top, (s->n + 1) * sizeof *at);
  if (bpi_index(p, &at[0], at + 1, s->n, &out) != BP_OK)
    return p->status;
  p->n_stack -= s->n + 1;
  return bpi_push(p, out);
}

static bp_status do_function(bp_program *p, const bpi_lstep *s)
{
  bpi_lfn *fn = bpi_arena_alloc(&p->arena, 1, sizeof *fn);
  bpi_value *defaults = bpi_arena_alloc(&p->arena, s->n, sizeof *defaults);
  if (!fn || !defaults)
    return bpi_lang_nomem(p);
  if (s->n)
    memcpy(defaults, top_values(p, s->n), s->n * sizeof *defaults);
  for (uint32_t i = 0; i < s->n; i++)
    if (bpi_keep_value(p, &defaults[i]) != BP_OK)
      return p->status;
  p->n_stack -= s->n;
  *fn = (bpi_lfn){.code = s->code, .scope = p->env, .defaults = defaults};
  return bpi_push(p, (bpi_value){.kind = BPI_V_FN, .fn = fn});
}

static bp_status do_unpack(bp_program *p, const bpi_lstep *s)
{
  bpi_value v = bpi_pop(p), *items;
  uint32_t n;
  if (bpi_spread(p, &v, &items, &n) != BP_OK)
    return p->status;
  if (v.kind == BPI_V_NODE)
    return bpi_wrong(p, BP_E_ARG,
                     "an array is not taken apart by an assignment; index it: a, b = x[0], x[1]");
  if (n != s->n && !(v.results && n > s->n))
    return bpi_wrong(p, BP_E_ARG, "%u names for %u values", s->n, n);
  for (uint32_t i = 0; i < s->n; i++) {
    bpi_value item = items[i];
    item.fixed = item.fixed || v.fixed;
    if (bpi_assign(p, s->names[i], &item) != BP_OK)
      return p->status;
  }
  return BP_OK;
}

static bp_status add_output(bp_program *p, const bpi_value *value, const bpi_lname *name)
{
  bpi_value v = *value;
  if (bpi_pack(p, &v) != BP_OK)
    return p->status;
  bool whole = v.flex && bpi_known(p, &v); /* x.shape is shown as whole numbers */
  bp_node n = bpi_to_node(p, p->graph, &v, whole ? BP_INT64 : BP_NONE);
  if (p->status != BP_OK)
    return p->status;
  if (!bpi_grow(p->ctx, (void **)&p->outputs, &p->outputs_cap, p->n_outputs, sizeof *p->outputs))
    return bpi_lang_nomem(p);
  bool assigned = name && bpi_symbol_in(&p->top.scope, name); /* inf is no name of a result */
  p->outputs[p->n_outputs].name = assigned ? name->text : NULL;
  p->outputs[p->n_outputs++].node = n;
  p->live_known = false;
  return BP_OK;
}

/* A bare expression. A whole list gives an output an item; what is no array gives none. */
static bp_status do_output(bp_program *p, const bpi_lstep *s)
{
  bpi_value v = bpi_pop(p);
  if (v.kind == BPI_V_LIST && v.tuple) {
    for (uint32_t i = 0; i < v.n; i++) {
      const bpi_lname *name = s->names && i < s->n ? s->names[i] : NULL;
      if (v.items[i].kind != BPI_V_TEXT && add_output(p, &v.items[i], name) != BP_OK)
        return p->status;
    }
    return BP_OK;
  }
  if (v.kind == BPI_V_NONE || v.kind == BPI_V_TEXT)
    return BP_OK;
  if (v.kind == BPI_V_FN)
    return bpi_wrong(p, BP_E_DTYPE, "this is a function; call it: f(...)");
  return add_output(p, &v, s->names ? s->names[0] : NULL);
}

bp_status bpi_do(bp_program *p, const bpi_lsource *source, const bpi_lstep *s)
{
  p->here = (bpi_place_in){source, s->at, s->begin, s->end};
  switch ((bpi_step_kind)s->kind) {
  case BPI_S_VALUE:
    return bpi_push(p, *s->value);
  case BPI_S_NAME:
    return do_name(p, s);
  case BPI_S_UNARY:
    return do_unary(p, s->op);
  case BPI_S_BINARY:
    return do_binary(p, s->op);
  case BPI_S_KEYWORD:
    p->stack[p->n_stack - 1].keyword = s->name;
    return BP_OK;
  case BPI_S_CALL:
    return do_call(p, s);
  case BPI_S_APPLY:
    return do_apply(p, s);
  case BPI_S_LIST:
    return do_list(p, s, false);
  case BPI_S_TUPLE:
    return do_list(p, s, true);
  case BPI_S_SLICE:
    return do_slice(p);
  case BPI_S_INDEX:
    return do_index(p, s);
  case BPI_S_ATTRIBUTE:
    return do_attribute(p, s->name);
  case BPI_S_FUNCTION:
    return do_function(p, s);
  case BPI_S_ASSIGN: {
    bpi_value v = bpi_pop(p);
    return bpi_assign(p, s->name, &v);
  }
  case BPI_S_UNPACK:
    return do_unpack(p, s);
  case BPI_S_OUTPUT:
    return do_output(p, s);
  case BPI_S_RETURN:
    p->env->result = bpi_pop(p);
    p->env->returned = true;
    return BP_OK;
  }
  return bpi_wrong(p, BP_E_INTERNAL, "unknown step");
}
