/* Calls of rows as expressions: operators, slices, functions with what attributes cannot be left out. */
#include "lang/printer.h"

#include <math.h>
#include <string.h>

/* How strongly operators bind; a call binds most. */
enum {
  LEVEL_COMPARE = 1,
  LEVEL_OR,
  LEVEL_XOR,
  LEVEL_AND,
  LEVEL_SUM,
  LEVEL_PRODUCT,
  LEVEL_SIGN,
  LEVEL_POWER,
  LEVEL_ATOM
};

static const struct {
  const char *row, *sign;
  int level, operands;
} operators[] = {
    {"add", " + ", LEVEL_SUM, 2},
    {"sub", " - ", LEVEL_SUM, 2},
    {"mul", "*", LEVEL_PRODUCT, 2},
    {"div", "/", LEVEL_PRODUCT, 2},
    {"pow", "**", LEVEL_POWER, 2},
    {"neg", "-", LEVEL_SIGN, 1},
    {"less", " < ", LEVEL_COMPARE, 2},
    {"greater", " > ", LEVEL_COMPARE, 2},
    {"less_equal", " <= ", LEVEL_COMPARE, 2},
    {"greater_equal", " >= ", LEVEL_COMPARE, 2},
    {"equal", " == ", LEVEL_COMPARE, 2},
    {"not_equal", " != ", LEVEL_COMPARE, 2},
    {"logical_and", " & ", LEVEL_AND, 2},
    {"logical_or", " | ", LEVEL_OR, 2},
    {"logical_xor", " ^ ", LEVEL_XOR, 2},
    {"logical_not", "~", LEVEL_SIGN, 1},
    {"matmul", " @ ", LEVEL_PRODUCT, 2},
};

const char *bpi_row_operator(const bp_op *op, int *level, int *operands)
{
  for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
    if (strcmp(operators[i].row, op->name) == 0 && bp_op_find(op->name) == op) {
      *level = operators[i].level;
      *operands = operators[i].operands;
      return operators[i].sign;
    }
  return NULL;
}

/* ---- broadcasts that need not be written ---- */

/* An operand as it was before the builder broadcast it: the input of a broadcast, or one number of a constant. */
static const bp_type *before_broadcast(const bp_graph *g, uint32_t index, uint32_t *operand, bool *scalar,
                                       bp_type *number)
{
  const bpi_node *v = &g->nodes[index];
  double unused;
  *operand = index;
  *scalar = false;
  if ((v->op->traits & BP_CONSTANT) && v->type->rank &&
      bpi_splat(bpi_handle((bp_graph *)g, index), &unused) && bpi_type_size(v->type) != 1) {
    *scalar = true;
    *number = (bp_type){.dtype = v->type->dtype};
    return number;
  }
  if ((v->op->traits & BP_VIEW) && v->op == bp_op_find("broadcast") && !(v->flags & BPI_NODE_NAMED) &&
      !bpi_same_shape(v->type, g->nodes[v->in[0]].type)) {
    *operand = v->in[0];
    return g->nodes[*operand].type;
  }
  return v->type;
}

/* True if the elementwise call at head is the same without the broadcasts of its operands; then operand i of it. */
bool bpi_stripped(const bp_graph *g, uint32_t head, int i, uint32_t *operand, bool *scalar)
{
  const bpi_node *v = &g->nodes[head];
  *operand = v->in[i];
  *scalar = false;
  if (!(v->op->traits & BP_ELEMENTWISE) || v->n_in < 2)
    return false;
  bp_type common = {0}, number;
  for (int k = 0; k < v->n_in; k++) {
    uint32_t at;
    bool one;
    const bp_type *t = before_broadcast(g, v->in[k], &at, &one, &number);
    if (k == 0)
      common = *t;
    else if (!bpi_broadcast(&common, t, &common))
      return false;
  }
  const bp_type *whole = g->nodes[v->in[0]].type;
  if (!bpi_same_shape(&common, whole))
    return false;
  before_broadcast(g, v->in[i], operand, scalar, &number);
  return *scalar || *operand != v->in[i];
}

/* ---- attributes ---- */

static bool same_attribute(bp_attr_kind kind, const bp_attr *a, const bp_attr *b)
{
  if (kind == BP_ATTR_INTS)
    return a->n == b->n && (a->n == 0 || memcmp(a->v, b->v, (size_t)a->n * sizeof *a->v) == 0);
  return a->i == b->i;
}

static bool preset_of(const bp_attr_def *def, bp_attr *a)
{
  static const int64_t none[1] = {0};
  *a = (bp_attr){{0}, 0};
  if (def->kind == BP_ATTR_INTS)
    a->v = none;
  else if (def->kind == BP_ATTR_REAL && !isnan(def->preset))
    a->r = def->preset;
  else if ((def->kind == BP_ATTR_INT || def->kind == BP_ATTR_BOOL) && !isnan(def->preset))
    a->i = (int64_t)def->preset;
  else
    return false;
  return true;
}

/* An attribute may be left out if the row makes of its preset what stands there. */
static bool may_leave_out(bpi_pgraph *pg, uint32_t head, int k)
{
  const bpi_node *v = &pg->g->nodes[head];
  int n = bpi_op_n_attrs(v->op);
  bp_attr attr[BP_MAX_ATTRS];
  const bpi_alias *alias =
      bpi_alias_find(v->op->name); /* there the language may have another preset than the row */
  if (v->op->traits & (BP_RANDOM | BP_LOOP) || (alias && alias->flags & BPI_FLAT))
    return false;
  for (int i = 0; i < n; i++) {
    attr[i] = v->attr[i];
    if (v->op->attrs[i].kind == BP_ATTR_FN)
      return false;
  }
  if (!preset_of(&v->op->attrs[k], &attr[k]) || (v->op->attrs[k].kind == BP_ATTR_INTS && v->attr[k].n == 0))
    return false;
  if (v->op->canon) {
    bpi_call_room room;
    bp_op_call call;
    if (bpi_call_of(pg->g, head, &room, &call) != BP_OK)
      return false;
    /* What the row says, and the lists that it makes, are not kept. */
    bpi_arena_mark here = bpi_arena_here(&pg->g->arena);
    bool clean = bp_graph_status(pg->g) == BP_OK;
    call.attr = attr;
    bool same = v->op->canon(&call, attr) == BP_OK;
    for (int i = 0; same && i < n; i++)
      same = same_attribute(v->op->attrs[i].kind, &attr[i], &v->attr[i]);
    bpi_call_done(&room);
    if (clean)
      bp_graph_clear(pg->g);
    bpi_arena_rollback(&pg->g->arena, here);
    return same;
  }
  return same_attribute(v->op->attrs[k].kind, &attr[k], &v->attr[k]);
}

static void print_attribute(bpi_pgraph *pg, const bp_attr_def *def, const bp_attr *a)
{
  bpi_text *t = &pg->pr->t;
  bpi_textf(t, "%s=", def->name);
  switch (def->kind) {
  case BP_ATTR_INT:
    bpi_textf(t, "%lld", (long long)a->i);
    break;
  case BP_ATTR_REAL:
    bpi_print_real(t, a->r);
    break;
  case BP_ATTR_BOOL:
    bpi_textf(t, a->i ? "True" : "False");
    break;
  case BP_ATTR_INTS:
    bpi_print_ints(t, a->v, a->n);
    break;
  case BP_ATTR_DTYPE:
    bpi_textf(t, "%s", bp_dtype_name((bp_dtype)a->i));
    break;
  case BP_ATTR_FN: {
    const bpi_pfn *fn = bpi_pfn_of(pg->pr, a->fn);
    bpi_textf(t, "%s", fn ? fn->name : "?");
    break;
  }
  default:
    pg->pr->status = bpi_fail(BP_E_UNSUPPORTED, "the attribute %s cannot be written", def->name);
  }
}

/* ---- forms ---- */

static void print_operand(bpi_pgraph *pg, uint32_t head, int i, int level)
{
  uint32_t operand;
  bool scalar;
  bpi_stripped(pg->g, head, i, &operand, &scalar);
  if (scalar) {
    const bpi_node *v = &pg->g->nodes[operand];
    bp_type number = {.dtype = v->type->dtype};
    bpi_text *t = &pg->pr->t;
    size_t before = t->n;
    bpi_print_constant(t, &number, &v->attr[2]);
    if (!t->failed && t->s[before] == '-' && level > LEVEL_SIGN) { /* (-2.0)**x */
      bpi_text inner = *t;
      char copy[64];
      size_t n = inner.n - before;
      if (n < sizeof copy - 1) {
        memcpy(copy, t->s + before, n);
        t->n = before;
        bpi_textf(t, "(%.*s)", (int)n, copy);
      }
    }
    return;
  }
  bpi_print_use(pg, operand, level);
}

/* An operator between two numbers would be worked out while reading. */
static bool is_number(const bpi_pgraph *pg, uint32_t head, int i)
{
  uint32_t operand;
  bool scalar;
  bpi_stripped(pg->g, head, i, &operand, &scalar);
  const bpi_node *v = &pg->g->nodes[operand];
  return scalar || ((v->op->traits & BP_CONSTANT) && v->type->rank == 0);
}

static bool print_operator(bpi_pgraph *pg, uint32_t head, int outer)
{
  const bpi_node *v = &pg->g->nodes[head];
  int level, operands;
  const char *sign = bpi_row_operator(v->op, &level, &operands);
  if (!sign || v->n_in != operands)
    return false;
  if (is_number(pg, head, 0) && (operands == 1 || is_number(pg, head, 1)))
    return false;
  bpi_text *t = &pg->pr->t;
  bool brackets = level < outer || level == LEVEL_COMPARE;
  bpi_textf(t, brackets && outer > 0 ? "(" : "");
  if (operands == 1) {
    bpi_textf(t, "%s", sign);
    print_operand(pg, head, 0, level);
  } else {
    print_operand(pg, head, 0, level == LEVEL_POWER ? LEVEL_ATOM : level);
    bpi_textf(t, "%s", sign);
    print_operand(pg, head, 1, level == LEVEL_POWER ? LEVEL_SIGN : level + 1);
  }
  bpi_textf(t, brackets && outer > 0 ? ")" : "");
  return true;
}

/* x[1:3, ::-1] */
static bool print_slice(bpi_pgraph *pg, uint32_t head)
{
  const bpi_node *v = &pg->g->nodes[head];
  bpi_text *t = &pg->pr->t;
  if (v->op != bp_op_find("slice"))
    return false;
  const bp_type *x = pg->g->nodes[v->in[0]].type;
  if (x->rank == 0 || bpi_same_shape(x, v->type))
    return false;
  bpi_print_use(pg, v->in[0], LEVEL_ATOM);
  bpi_textf(t, "[");
  for (int i = 0; i < x->rank; i++) {
    int64_t start = v->attr[0].v[i], stop = v->attr[1].v[i], step = v->attr[2].v[i];
    bool all = start == 0 && stop == x->dims[i] && step == 1;
    bpi_textf(t, i ? ", " : "");
    if (!all)
      bpi_textf(t, "%lld", (long long)start);
    bpi_textf(t, ":");
    if (!all && stop >= 0)
      bpi_textf(t, "%lld", (long long)stop);
    if (step != 1)
      bpi_textf(t, ":%lld", (long long)step);
  }
  bpi_textf(t, "]");
  return true;
}

static bool print_transpose(bpi_pgraph *pg, uint32_t head)
{
  const bpi_node *v = &pg->g->nodes[head];
  if (v->op != bp_op_find("transpose") || v->type->rank < 2)
    return false;
  for (int i = 0; i < v->type->rank; i++)
    if (v->attr[0].v[i] != v->type->rank - 1 - i)
      return false;
  bpi_print_use(pg, v->in[0], LEVEL_ATOM);
  bpi_textf(&pg->pr->t, ".T");
  return true;
}

/* f(x), where the language makes the same call of it: no argument that it would put into the body, no stream. */
static bool print_user_call(bpi_pgraph *pg, uint32_t head)
{
  const bpi_node *v = &pg->g->nodes[head];
  if (v->op != bp_op_find("call") || v->attr[1].i != 0 || v->n_in == 0)
    return false;
  const bpi_pfn *fn = bpi_pfn_of(pg->pr, v->attr[0].fn);
  if (!fn || fn->known_result)
    return false;
  for (int i = 0; i < v->n_in; i++)
    if (pg->v[v->in[i]].known)
      return false;
  bpi_textf(&pg->pr->t, "%s(", fn->name);
  for (int i = 0; i < v->n_in; i++) {
    bpi_textf(&pg->pr->t, i ? ", " : "");
    bpi_print_use(pg, v->in[i], 0);
  }
  bpi_textf(&pg->pr->t, ")");
  return true;
}

static void print_function_form(bpi_pgraph *pg, uint32_t head)
{
  const bpi_node *v = &pg->g->nodes[head];
  bpi_text *t = &pg->pr->t;
  const char *comma = "";
  bool list = (v->op->traits & BP_JOIN) != 0;
  if (bp_op_find(v->op->name) != v->op) {
    pg->pr->status = bpi_fail(
        BP_E_UNSUPPORTED, "%s is no operation of the table, and has no name in the language", v->op->name);
    return;
  }
  bpi_textf(t, "%s(%s", v->op->name, list ? "(" : "");
  for (int i = 0; i < v->n_in; i++, comma = ", ") {
    bpi_textf(t, "%s", comma);
    print_operand(pg, head, i, 0);
  }
  bpi_textf(t, list ? ",)" : "");
  for (int k = 0; k < bpi_op_n_attrs(v->op); k++) {
    if (may_leave_out(pg, head, k))
      continue;
    bpi_textf(t, "%s", list ? ", " : comma);
    comma = ", ";
    print_attribute(pg, &v->op->attrs[k], &v->attr[k]);
  }
  bpi_textf(t, ")");
}

void bpi_print_call(bpi_pgraph *pg, uint32_t head, int level)
{
  if (print_operator(pg, head, level) || print_slice(pg, head) || print_transpose(pg, head) ||
      print_user_call(pg, head))
    return;
  print_function_form(pg, head);
}

void bpi_print_use(bpi_pgraph *pg, uint32_t index, int level)
{
  const bpi_node *v = &pg->g->nodes[index];
  bpi_text *t = &pg->pr->t;
  if (pg->v[index].name) {
    bpi_textf(t, "%s", pg->v[index].name);
    return;
  }
  if (!(v->op->traits & BP_CONSTANT)) {
    bpi_print_call(pg, index, level);
    return;
  }
  double x;
  bool sign =
      v->type->rank == 0 && bpi_splat(bpi_handle(pg->g, index), &x) && signbit(x) && level > LEVEL_SIGN;
  bpi_textf(t, sign ? "(" : "");
  bpi_print_constant(t, v->type, &v->attr[2]);
  bpi_textf(t, sign ? ")" : "");
}
