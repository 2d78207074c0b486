/* Operations of the table: which types their inputs take, how arguments are bound to inputs and attributes, how a node is made.
 * Everything is asked of the row: names from `args` and `attrs`, types from its examples. */
#include "lang/lang.h"
#include "check/example.h"

#include <math.h>
#include <string.h>

/* ---- which types a row's inputs take ---- */

enum { MAX_WANTS = 8, REALS = 1, INTS = 2, BOOLS = 4 };

static int bit_of(bp_dtype t)
{
  return t == BP_REAL ? REALS : t == BP_INT64 ? INTS : BOOLS;
}

/* Places for rows by their addresses: many more than there are rows. */
enum { ROW_TABLE = 512 };
struct bpi_row_wants {
  const bp_op *op;
  uint8_t wants[MAX_WANTS];
  enum {
    UNKNOWN,
    FOLLOWS,
    ALWAYS_WHOLE
  } result; /* whether reals give a real where whole numbers give whole ones */
};

static bp_status learn_wants(bp_program *p, struct bpi_row_wants *row)
{
  const bp_op *op = row->op;
  for (size_t k = 0; k < sizeof op->examples / sizeof *op->examples && op->examples[k]; k++) {
    bpi_example e;
    bp_status s = bpi_example_open(&e, p->ctx, op, op->examples[k]);
    if (s != BP_OK)
      return bpi_wrong(p, s, "%s", bp_error());
    for (int i = 0; i < MAX_WANTS && e.n_args; i++)
      row->wants[i] |= (uint8_t)bit_of(e.args[i < e.n_args ? i : e.n_args - 1].type.dtype);
    bpi_example_close(&e);
  }
  return BP_OK;
}

/* An input takes the types that the row's examples give it; inputs past the eighth are as the eighth. NULL: told. */
static struct bpi_row_wants *wants_of(bp_program *p, const bp_op *op)
{
  if (!p->wants && !(p->wants = bpi_arena_alloc(&p->arena, ROW_TABLE, sizeof *p->wants))) {
    bpi_lang_nomem(p);
    return NULL;
  }
  size_t at = ((uintptr_t)op >> 4) % ROW_TABLE;
  while (p->wants[at].op && p->wants[at].op != op)
    at = (at + 1) % ROW_TABLE;
  if (!p->wants[at].op) {
    p->wants[at].op = op;
    if (learn_wants(p, &p->wants[at]) != BP_OK)
      return NULL;
  }
  return &p->wants[at];
}

/* ---- promotion ---- */

static uint8_t want_of(const uint8_t *wants, uint32_t i)
{
  return wants ? wants[i < MAX_WANTS ? i : MAX_WANTS - 1] & (REALS | INTS | BOOLS) : REALS;
}

/* Indices, labels, keys and tests: their type is not open to promotion. */
static bool is_special(uint8_t w)
{
  return w == INTS || w == BOOLS;
}

/* NumPy's: bool, then int64, then real. Whole numbers without a type give way to any type; among themselves, where all is known,
 * they stay whole: 2*[1,2] is still a list of labels. */
static bp_dtype promoted(bp_program *p, bpi_value *x, const uint8_t *wants, uint32_t n, bool known,
                         bool *flex)
{
  bool real = false, whole = false, boolean = false, open = false;
  *flex = known && n > 0;
  for (uint32_t i = 0; i < n && p->status == BP_OK; i++) {
    bp_type t;
    *flex = *flex && x[i].flex;
    if (is_special(want_of(wants, i)) || bpi_type_of(p, &x[i], &t) != BP_OK)
      continue;
    bool untyped = bpi_untyped(&x[i]);
    open = open || untyped;
    real = real || (!untyped && t.dtype == BP_REAL);
    whole = whole || (!untyped && t.dtype == BP_INT64);
    boolean = boolean || (!untyped && t.dtype == BP_BOOL);
  }
  return real ? BP_REAL : whole || (open && *flex) ? BP_INT64 : open ? BP_REAL : boolean ? BP_BOOL : BP_REAL;
}

/* A typed real is not taken for an index, and numbers are not taken for truths: then the row says what is wrong. */
static bp_dtype special_type(bp_program *p, bpi_value *x, uint8_t w)
{
  bp_type t;
  if (w == BOOLS || bpi_type_of(p, x, &t) != BP_OK)
    return BP_NONE;
  bool whole = x->flex || (x->kind == BPI_V_INPUT && x->input->flex) || t.dtype == BP_INT64;
  return whole ? BP_INT64 : BP_NONE;
}

static bp_dtype next_type(bp_dtype t)
{
  return t == BP_BOOL ? BP_INT64 : t == BP_INT64 ? BP_REAL : BP_NONE;
}

/* ---- making the node ---- */

static bool takes_function(const bp_op *op)
{
  for (int i = 0; i < bpi_op_n_attrs(op); i++)
    if (op->attrs[i].kind == BP_ATTR_FN)
      return true;
  return false;
}

static bool stays_known(bp_program *p, const bp_op *op, const bpi_value *x, uint32_t n)
{
  if ((op->traits & (BP_RANDOM | BP_LOOP)) || takes_function(op))
    return false;
  for (uint32_t i = 0; i < n; i++)
    if (!bpi_known(p, &x[i]))
      return false;
  return true;
}

void bpi_spot_nodes(bp_program *p, uint32_t first, const bpi_place_in *place)
{
  bp_graph *g = p->graph;
  if (p->n_spots && p->spots[p->n_spots - 1].after > first)
    first = p->spots[p->n_spots - 1].after;
  if (!place->source || first >= g->count)
    return;
  /* Places are a help: without memory for one the node is as good. */
  if (!bpi_grow(p->ctx, (void **)&p->spots, &p->spots_cap, p->n_spots, sizeof *p->spots))
    return;
  p->spots[p->n_spots++] =
      (bpi_spot){first, (uint32_t)g->count, g->nodes[first].serial, place->begin, place->end, place->source};
}

static bp_status deliver_results(bp_program *p, bp_node *y, bool flex, bpi_value *out)
{
  const bpi_node *v = bpi_slot(y[0]);
  if (v->n_out == 1) {
    *out = bpi_v_node(y[0]);
    out->flex = flex && v->type->dtype == BP_INT64;
    return BP_OK;
  }
  bpi_value items[BP_MAX_RESULTS];
  uint32_t n = v->n_out;
  bool results = (v->op->traits & BP_LOOP) != 0;
  for (uint32_t k = 0; k < n; k++)
    items[k] = bpi_v_node(y[k]);
  bpi_list(p, items, n, true, out);
  out->results = results;
  return p->status;
}

/* One try with the inputs as type `common`. */
static bp_status try_row(bp_program *p, bp_graph *g, const bp_op *op, bpi_value *x, uint32_t n,
                         const uint8_t *wants, bp_dtype common, const bp_attr *attr, bp_node *in, bp_node *y)
{
  for (uint32_t i = 0; i < n; i++) {
    uint8_t w = want_of(wants, i);
    in[i] = bpi_to_node(p, g, &x[i], is_special(w) ? special_type(p, &x[i], w) : common);
    if (p->status != BP_OK)
      return p->status;
  }
  return bp_apply(g, op, in, n, attr, y);
}

/* Whole numbers of no type that a row made of others have no type either, unless the row counts: argmax gives int64 of reals too. */
static bool stays_flexible(bp_program *p, bp_graph *g, struct bpi_row_wants *row, const bpi_value *x,
                           uint32_t n, const bp_attr *attr, bp_node *in)
{
  bp_node y[BP_MAX_RESULTS];
  if (row->result == UNKNOWN) {
    bp_status s = try_row(p, g, row->op, (bpi_value *)x, n, row->wants, BP_REAL, attr, in, y);
    const bpi_node *v = s == BP_OK ? bpi_slot(y[0]) : NULL;
    row->result = v && v->type->dtype == BP_REAL ? FOLLOWS : ALWAYS_WHOLE;
    bp_graph_clear(g);
  }
  return row->result == FOLLOWS;
}

bp_status bpi_apply_row(bp_program *p, const bp_op *op, bpi_value *x, uint32_t n, const bp_attr *attr,
                        bpi_value *out)
{
  struct bpi_row_wants *row = op->examples[0] ? wants_of(p, op) : NULL;
  const uint8_t *wants = row ? row->wants : NULL;
  bool known = stays_known(p, op, x, n), flex = false;
  bp_graph *g = known ? bpi_scratch(p) : p->env->graph;
  bp_node few[8], y[BP_MAX_RESULTS];
  bp_node *in = n <= 8 ? few : bpi_arena_alloc(&p->temp, n, sizeof *in);
  if (!in || !g)
    return bpi_lang_nomem(p);
  /* A function has types of its own: its arguments go to it as they are. */
  bp_dtype t = takes_function(op) ? BP_NONE : promoted(p, x, wants, n, known, &flex);
  uint32_t first = bp_graph_mark(p->graph);
  bp_status s;
  /* The row knows what types it takes: where it refuses one, the next in NumPy's order is tried. */
  for (s = try_row(p, g, op, x, n, wants, t, attr, in, y);
       s == BP_E_DTYPE && p->status == BP_OK && next_type(t) != BP_NONE;
       s = try_row(p, g, op, x, n, wants, t, attr, in, y)) {
    bp_graph_clear(g);
    t = next_type(t);
  }
  if (p->status != BP_OK)
    return p->status;
  if (s != BP_OK)
    return bpi_wrong_graph(p, g);
  if (g == p->graph)
    bpi_spot_nodes(p, first, &p->here);
  if (flex && row && bpi_slot(y[0])->type->dtype == BP_INT64)
    flex = stays_flexible(p, g, row, x, n, attr, in);
  return p->status == BP_OK ? deliver_results(p, y, flex, out) : p->status;
}

static bp_status preset_attrs(bp_program *p, const bp_op *op, bp_attr *attr, const bool *given);

bp_status bpi_apply_named(bp_program *p, const char *row, bpi_value *x, uint32_t n, bpi_value *out)
{
  const bp_op *op = bp_op_find(row);
  bp_attr attr[BP_MAX_ATTRS] = {{{0}, 0}};
  bool given[BP_MAX_ATTRS] = {false};
  if (!op)
    return bpi_wrong(p, BP_E_INTERNAL, "no operation is called '%s'", row);
  if (preset_attrs(p, op, attr, given) != BP_OK)
    return p->status;
  return bpi_apply_row(p, op, x, n, attr, out);
}

/* ---- arguments as written ---- */

static bp_status preset_attrs(bp_program *p, const bp_op *op, bp_attr *attr, const bool *given)
{
  static const int64_t none[1] = {0};
  for (int i = 0; i < bpi_op_n_attrs(op); i++) {
    const bp_attr_def *def = &op->attrs[i];
    if (given[i])
      continue;
    if (def->kind == BP_ATTR_INTS)
      attr[i].v = none;
    else if (def->kind == BP_ATTR_FN || def->kind == BP_ATTR_DATA ||
             (def->kind != BP_ATTR_DTYPE && isnan(def->preset)))
      return bpi_wrong(p, BP_E_ARG, "%s: %s is missing", op->name, def->name);
    else if (def->kind == BP_ATTR_REAL)
      attr[i].r = def->preset;
    else
      attr[i].i = def->kind == BP_ATTR_DTYPE && def->preset == 0 ? BP_REAL : (int64_t)def->preset;
  }
  return BP_OK;
}

static bp_status fn_attr(bp_program *p, const bpi_value *v, const char *what, bp_attr *a)
{
  if (v->kind != BPI_V_FN || !v->fn->code)
    return bpi_wrong(p, BP_E_DTYPE, "%s is a function defined by def, with types: def f(x: real[3]): ...",
                     what);
  a->fn = bpi_typed_fn(p, v->fn);
  return p->status;
}

static bp_status set_attr(bp_program *p, const bp_attr_def *def, const bpi_value *v, bp_attr *a)
{
  switch (def->kind) {
  case BP_ATTR_INT:
    return bpi_static_int(p, v, def->name, &a->i);
  case BP_ATTR_REAL:
    return bpi_static_real(p, v, def->name, &a->r);
  case BP_ATTR_BOOL:
    return bpi_static_bool(p, v, def->name, &a->i);
  case BP_ATTR_INTS:
    return bpi_static_ints(p, v, def->name, &a->v, &a->n);
  case BP_ATTR_DTYPE: {
    bp_dtype t = BP_REAL;
    bpi_static_dtype(p, v, &t);
    a->i = t;
    return p->status;
  }
  case BP_ATTR_FN:
    return fn_attr(p, v, def->name, a);
  default:
    return bpi_wrong(p, BP_E_DTYPE, "%s cannot be written", def->name);
  }
}

/* NumPy's words for attributes. */
static const char *const synonyms[][2] = {
    {"axis", "axes"}, {"axes", "axis"},     {"keepdims", "keep"},  {"shape", "dims"}, {"newshape", "dims"},
    {"size", "dims"}, {"axes", "perm"},     {"a_min", "lo"},       {"a_max", "hi"},   {"min", "lo"},
    {"max", "hi"},    {"indices", "index"}, {"condition", "test"}, {"ddof", "ddof"}};

/* Number of a row's parameter: inputs, then attributes; -1 if there is none of that name. */
static int param_number(const bp_op *op, const char *name, size_t n)
{
  int number = 0;
  const char *at = op->args ? op->args : "";
  while (*at) {
    size_t length = strcspn(at, ",");
    if (length == n && strncmp(at, name, n) == 0)
      return number;
    number++;
    at += length + strspn(at + length, ", ");
  }
  for (int i = 0; i < bpi_op_n_attrs(op); i++)
    if (strlen(op->attrs[i].name) == n && strncmp(op->attrs[i].name, name, n) == 0)
      return number + i;
  return -1;
}

static int keyword_number(const bp_op *op, const bpi_lname *keyword)
{
  int number = param_number(op, keyword->text, keyword->n);
  for (size_t i = 0; number < 0 && i < sizeof synonyms / sizeof *synonyms; i++)
    if (strcmp(synonyms[i][0], keyword->text) == 0)
      number = param_number(op, synonyms[i][1], strlen(synonyms[i][1]));
  return number;
}

static int input_count(const bp_op *op)
{
  int n = 0;
  for (const char *at = op->args ? op->args : ""; *at; n++) {
    size_t length = strcspn(at, ",");
    at += length + strspn(at + length, ", ");
  }
  return n;
}

static bool variadic(const bp_op *op)
{
  return op->args && strstr(op->args, "...") != NULL;
}

/* "reshape(x, dims)". */
static const char *signature(bp_program *p, const bp_op *op)
{
  bpi_text t;
  bpi_text_init(&t, p->ctx);
  bpi_textf(&t, "%s(%s", op->name, op->args ? op->args : "");
  for (int i = 0; i < bpi_op_n_attrs(op); i++)
    bpi_textf(&t, "%s%s", i || (op->args && *op->args) ? ", " : "", op->attrs[i].name);
  bpi_textf(&t, ")");
  char *kept = t.failed ? NULL : bpi_arena_strdup(&p->temp, t.s);
  bpi_text_free(&t);
  return kept ? kept : op->name;
}

/* Parameter that a positional argument means: the row's order without its stream, or an order of NumPy's. */
static int positional(const bp_op *op, const bpi_alias *alias, uint32_t k)
{
  int n_in = input_count(op);
  if (alias && alias->params) {
    const char *at = alias->params;
    for (; k && *at; k--) {
      at += strcspn(at, ",");
      at += strspn(at, ", ");
    }
    return *at ? param_number(op, at, strcspn(at, ",")) : -1;
  }
  int number = (int)k;
  if (op->traits & BP_RANDOM && number >= n_in)
    number++;
  return number < n_in + bpi_op_n_attrs(op) ? number : -1;
}

typedef struct row_call {
  bpi_value *x;
  uint32_t n;
  bp_attr attr[BP_MAX_ATTRS];
  bool given[BP_MAX_ATTRS];
  bpi_value attr_value[BP_MAX_ATTRS];
} row_call;

/* The table says how many parameters there are: past them none is written. */
static bp_status place_argument(bp_program *p, const bp_op *op, row_call *c, int number, bpi_value *v,
                                bool *have)
{
  int n_in = input_count(op);
  const char *said = v->keyword ? v->keyword->text : op->name;
  if (number < 0 || number >= n_in + bpi_op_n_attrs(op))
    return v->keyword ? bpi_wrong(p, BP_E_ARG, "%s has no argument '%s'; it is called as %s", op->name, said,
                                  signature(p, op))
                      : bpi_wrong(p, BP_E_ARG, "%s takes fewer arguments: %s", op->name, signature(p, op));
  if (have[number])
    return bpi_wrong(p, BP_E_ARG, "%s: the argument '%s' is given twice", op->name, said);
  have[number] = true;
  if (number < n_in) {
    c->x[number] = *v;
    c->x[number].keyword = NULL;
    return BP_OK;
  }
  c->attr_value[number - n_in] = *v;
  return BP_OK;
}

/* axis=None asks for the preset, which is all axes. */
static bp_status take_attrs(bp_program *p, const bp_op *op, row_call *c)
{
  for (int i = 0; i < bpi_op_n_attrs(op); i++) {
    if (c->attr_value[i].kind == BPI_V_ABSENT || c->attr_value[i].kind == BPI_V_NONE)
      continue;
    if (set_attr(p, &op->attrs[i], &c->attr_value[i], &c->attr[i]) != BP_OK)
      return p->status;
    c->given[i] = true;
    if ((op->traits & BP_RANDOM) && i == 0)
      p->env->streamed = true;
  }
  return preset_attrs(p, op, c->attr, c->given);
}

/* Inputs of "parts...": all positional arguments, or the items of one list. */
static bp_status take_parts(bp_program *p, const bp_op *op, row_call *c, bpi_value *args, uint32_t n,
                            bool *have)
{
  uint32_t n_positional = 0;
  while (n_positional < n && !args[n_positional].keyword)
    n_positional++;
  if ((op->traits & BP_JOIN) && n_positional >= 1 && (args[0].kind == BPI_V_LIST || n_positional == 1)) {
    if (bpi_spread(p, &args[0], &c->x, &c->n) != BP_OK)
      return p->status;
    for (uint32_t i = 1; i < n_positional; i++)
      if (place_argument(p, op, c, (int)i, &args[i], have) != BP_OK)
        return p->status;
  } else {
    c->x = args;
    c->n = n_positional;
  }
  for (uint32_t i = n_positional; i < n; i++)
    if (place_argument(p, op, c, keyword_number(op, args[i].keyword), &args[i], have) != BP_OK)
      return p->status;
  return BP_OK;
}

static bp_status take_fixed(bp_program *p, const bp_op *op, const bpi_alias *alias, row_call *c,
                            bpi_value *args, uint32_t n, bool *have)
{
  c->n = (uint32_t)input_count(op);
  c->x = bpi_arena_alloc(&p->temp, c->n, sizeof *c->x);
  if (!c->x)
    return bpi_lang_nomem(p);
  for (uint32_t i = 0; i < n; i++) {
    int number = args[i].keyword ? keyword_number(op, args[i].keyword) : positional(op, alias, i);
    if (place_argument(p, op, c, number, &args[i], have) != BP_OK)
      return p->status;
  }
  for (uint32_t i = 0; i < c->n; i++)
    if (c->x[i].kind == BPI_V_ABSENT)
      return bpi_wrong(p, BP_E_ARG, "%s: an argument is missing; it is called as %s", op->name,
                       signature(p, op));
  return BP_OK;
}

/* Without an axis, NumPy's argmax and cumsum mean the elements of the whole array. */
static bp_status flatten_first(bp_program *p, const bp_op *op, row_call *c)
{
  static const int64_t all[1] = {-1};
  for (int i = 0; i < bpi_op_n_attrs(op); i++)
    if (strcmp(op->attrs[i].name, "axis") == 0 &&
        (c->attr_value[i].kind == BPI_V_ABSENT || c->attr_value[i].kind == BPI_V_NONE)) {
      bp_attr dims = {.v = all, .n = 1};
      bp_type t;
      if (bpi_type_of(p, &c->x[0], &t) != BP_OK || t.rank == 1)
        return p->status;
      return bpi_apply_row(p, bp_op_find("reshape"), &c->x[0], 1, &dims, &c->x[0]);
    }
  return BP_OK;
}

bp_status bpi_call_row(bp_program *p, const bp_op *op, const bpi_alias *alias, bpi_value *args, uint32_t n,
                       bpi_value *out)
{
  row_call c;
  bool have[BPI_MAX_PARAMS] = {false};
  memset(&c, 0, sizeof c);
  bp_status s =
      variadic(op) ? take_parts(p, op, &c, args, n, have) : take_fixed(p, op, alias, &c, args, n, have);
  if (s == BP_OK && alias && alias->flags & BPI_FLAT)
    s = flatten_first(p, op, &c);
  if (s == BP_OK)
    s = take_attrs(p, op, &c);
  if (s == BP_OK)
    s = bpi_apply_row(p, op, c.x, c.n, c.attr, out);
  if (s == BP_OK && alias && alias->flags & BPI_LISTED && out->kind != BPI_V_LIST)
    s = bpi_list(p, &(bpi_value[]){*out}[0], 1, true, out);
  return s;
}
