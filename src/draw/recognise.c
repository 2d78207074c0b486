/* Bundles of the operation table found among single operations: 1/(1+exp(-z)) is one sigmoid. Each bundle's definition is built on
 * placeholders in a graph of our own and compared with the circuit, node by node, operands of commutative rows in either order. Rows
 * whose scalar bodies say the same once constants are put in are equal forms (1/x as a division, and as a reciprocal). Nothing here knows
 * an operation by name. The longest match wins; what it hides may not be used elsewhere.                                      */
#include "draw/circuit.h"

#include <ctype.h>
#include <string.h>

enum {
  MOST_ARGS = 6,
  MOST_MATCHED = 64,
  MOST_STEPS = 4000, /* of one comparison */
  MOST_TYPES = 12,   /* for which definitions that depend on shapes are built */
  CONE_DEPTH = 4,    /* how far behind a node the type of a bundle's inputs is looked for */
  BODY_MOST = 160    /* bytes of a scalar body */
};

typedef struct pattern {
  const bp_op *op;
  bp_attr *attr;
  const bp_type *type; /* of its inputs; NULL: any (elementwise rows) */
  uint32_t out;        /* slot of the definition, 0: there is none for this type */
  uint32_t arg[MOST_ARGS];
  int n_args;
} pattern;

typedef struct recogniser {
  bpi_circuit *c;
  bp_graph *g; /* of the definitions */
  pattern *pattern;
  size_t n, cap;
  bp_type types[MOST_TYPES];
  int n_types;
  uint32_t *opened; /* by slot of g: the definition of a bundle within a definition; 0: none */
  size_t opened_cap, n_opened;
} recogniser;

/* One comparison. */
typedef struct matching {
  const recogniser *r;
  const pattern *p;
  uint32_t bound[MOST_ARGS]; /* slots of the circuit; 0: not yet */
  uint32_t set[MOST_MATCHED];
  int n_set, steps;
} matching;

/* ---- definitions ---- */

static int count_args(const bp_op *op)
{
  int n = op->args && *op->args ? 1 : 0;
  for (const char *s = op->args; s && *s; s++)
    n += *s == ',';
  return op->args && strstr(op->args, "...") ? 0 : n;
}

/* Attributes as the language presets them; false where one has no preset. */
static bool preset_attrs(const bp_op *op, bp_attr *attr)
{
  for (int i = 0; i < bpi_op_n_attrs(op); i++) {
    const bp_attr_def *def = &op->attrs[i];
    memset(&attr[i], 0, sizeof attr[i]);
    bool number = def->kind == BP_ATTR_INT || def->kind == BP_ATTR_REAL || def->kind == BP_ATTR_BOOL;
    if ((!number && def->kind != BP_ATTR_INTS) || (number && !(def->preset == def->preset)))
      return false;
    if (def->kind == BP_ATTR_REAL)
      attr[i].r = def->preset;
    else
      attr[i].i = number ? (int64_t)def->preset : 0;
  }
  return true;
}

static bool is_candidate(const bp_op *op)
{
  bp_attr attr[BP_MAX_ATTRS];
  int n = count_args(op);
  return bpi_is_bundle(op) && !(op->traits & BP_INTERNAL) && n >= 1 && n <= MOST_ARGS &&
         preset_attrs(op, attr);
}

/* Builds the definition; leaves p->out 0 where the row does not take these inputs. */
static bp_status define(recogniser *r, pattern *p, const bp_type *type)
{
  bp_node x[MOST_ARGS], y[BP_MAX_RESULTS];
  bp_attr attr[BP_MAX_ATTRS];
  bpi_call_room room;
  bp_op_call call;
  preset_attrs(p->op, attr);
  for (int i = 0; i < p->n_args; i++) {
    x[i] = bpi_placeholder(r->g, type);
    p->arg[i] = x[i].index;
  }
  bp_status s = bp_apply(r->g, p->op, x, (size_t)p->n_args, attr, y);
  const bpi_node *v = s == BP_OK ? bpi_slot(y[0]) : NULL;
  if (v && v->op == p->op && v->n_out == 1) {
    p->attr = (bp_attr *)v->attr;
    s = bpi_call_of(r->g, y[0].index, &room, &call);
    if (s == BP_OK) {
      s = p->op->expand(&call, y);
      bpi_call_done(&room);
    }
    if (s == BP_OK && bpi_slot(y[0]))
      p->out = y[0].index;
  }
  bool nomem = s == BP_E_NOMEM || r->g->status == BP_E_NOMEM;
  bp_graph_clear(r->g);
  return nomem ? bpi_nomem() : BP_OK;
}

/* Bundles within definitions, by their own definitions, and so on. */
static bp_status open_definitions(recogniser *r)
{
  bpi_call_room room;
  bp_op_call call;
  for (; r->n_opened < r->g->count; r->n_opened++) {
    const bpi_node *v = &r->g->nodes[r->n_opened];
    bp_node y[BP_MAX_RESULTS];
    if (!bpi_grow(r->c->ctx, (void **)&r->opened, &r->opened_cap, r->n_opened, sizeof *r->opened))
      return bpi_nomem();
    r->opened[r->n_opened] = 0;
    if (!r->n_opened || !bpi_is_bundle(v->op) || v->n_out != 1)
      continue;
    bp_status s = bpi_call_of(r->g, (uint32_t)r->n_opened, &room, &call);
    if (s != BP_OK)
      return s;
    s = call.op->expand(&call, y);
    bpi_call_done(&room);
    if (s == BP_E_NOMEM || r->g->status == BP_E_NOMEM)
      return bpi_nomem();
    if (s == BP_OK && bpi_slot(y[0]))
      r->opened[r->n_opened] = y[0].index;
    bp_graph_clear(r->g);
  }
  return BP_OK;
}

static bp_status define_all(recogniser *r, const bp_type *type)
{
  const bp_type scalar = {.dtype = BP_REAL};
  for (size_t i = 0; i < bp_op_count(); i++) {
    const bp_op *op = bp_op_at(i);
    bool any = (op->traits & BP_ELEMENTWISE) != 0;
    if (!is_candidate(op) || any != (type == NULL))
      continue;
    if (!bpi_grow(r->c->ctx, (void **)&r->pattern, &r->cap, r->n, sizeof *r->pattern))
      return bpi_nomem();
    pattern *p = &r->pattern[r->n++];
    *p = (pattern){.op = op, .type = type, .n_args = count_args(op)};
    bp_status s = define(r, p, type ? type : &scalar);
    if (s != BP_OK)
      return s;
  }
  return open_definitions(r);
}

/* Definitions for inputs of the types found a few nodes behind v, if they are not there yet. */
static bp_status define_around(recogniser *r, uint32_t slot, int depth)
{
  const bpi_node *v = &r->c->g->nodes[slot];
  bool known = v->type->rank == 0 || v->type->dtype != BP_REAL;
  for (int i = 0; i < r->n_types && !known; i++)
    known = bpi_same_shape(&r->types[i], v->type);
  if (!known && r->n_types < MOST_TYPES) {
    r->types[r->n_types] = *v->type;
    bp_status s = define_all(r, &r->types[r->n_types++]);
    if (s != BP_OK)
      return s;
  }
  for (int k = 0; k < v->n_in && k < 2 && depth; k++) {
    bp_status s = define_around(r, v->in[k], depth - 1);
    if (s != BP_OK)
      return s;
  }
  return BP_OK;
}

/* ---- equal forms ---- */

/* A constant as a scalar body would have it; how long that is, 0 where it has no room. */
static size_t put_number(const bp_graph *g, double value, char *text)
{
  enum { MOST_DIGITS = 24 };
  bpi_text t;
  bpi_text_init(&t, g->ctx);
  bpi_text_double(&t, value);
  size_t n = t.failed || t.n >= MOST_DIGITS ? 0 : t.n;
  memcpy(text, n ? t.s : "", n);
  bpi_text_free(&t);
  return n;
}

/* A variable as "$" and its number, in the order in which they come. */
static size_t put_variable(uint32_t slot, char *text, uint32_t *var, int *n_var)
{
  int k = 0;
  while (k < *n_var && var[k] != slot)
    k++;
  if (k == *n_var)
    var[(*n_var)++] = slot;
  text[0] = '$';
  text[1] = (char)('0' + k);
  return 2;
}

static bool in_word(char c)
{
  return isalnum((unsigned char)c) || c == '_';
}

/* Which input the letter at s stands for: x, or a, b, c, alone; -1: none. */
static int input_at(const char *body, const char *s, int n_in)
{
  bool alone = !(s > body && in_word(s[-1])) && !in_word(s[1]);
  int input = !alone ? -1 : *s == 'x' ? 0 : *s >= 'a' && *s <= 'c' ? *s - 'a' : -1;
  return input < n_in ? input : -1;
}

/* A scalar body with constants put in and variables numbered as they come; of each, the slot. False where there is none, or it is long. */
static bool instantiate(const bp_graph *g, uint32_t slot, char *text, uint32_t *var, int *n_var)
{
  enum { ROOM = 32 }; /* for what one letter may become */
  const bpi_node *v = &g->nodes[slot];
  size_t at = 0, n;
  *n_var = 0;
  if (!v->op->body || !(v->op->traits & BP_ELEMENTWISE) || v->n_in > 3)
    return false;
  for (const char *s = v->op->body->text; *s && at + ROOM < BODY_MOST; s++) {
    int input = input_at(v->op->body->text, s, v->n_in);
    double value;
    if (isspace((unsigned char)*s))
      continue;
    if (input < 0)
      text[at++] = *s;
    else if (!bpi_splat(bpi_handle((bp_graph *)g, v->in[input]), &value))
      at += put_variable(v->in[input], text + at, var, n_var);
    else if ((n = put_number(g, value, text + at)) > 0)
      at += n;
    else
      return false;
  }
  text[at] = 0;
  return at + ROOM < BODY_MOST && bpi_op_n_attrs(v->op) == 0;
}

/* Whether a node may be another's equal form: constants or an operand used twice. */
static bool may_be_other(const bp_graph *g, const bpi_node *v)
{
  for (int k = 0; k < v->n_in; k++)
    if ((g->nodes[v->in[k]].op->traits & BP_CONSTANT) || (k && v->in[k] == v->in[0]))
      return true;
  return false;
}

/* ---- comparison ---- */

static bool match(matching *m, uint32_t p, uint32_t v);

static bool match_operands(matching *m, const uint32_t *p, const uint32_t *v, int n, bool swapped)
{
  for (int i = 0; i < n; i++)
    if (!match(m, p[i], v[swapped ? n - 1 - i : i]))
      return false;
  return true;
}

static bool same_row(const bpi_node *p, const bpi_node *v, bool *swappable)
{
  bool both =
      p->n_in == 2 && (p->op->traits & BP_ROUTER) && bpi_op_n_attrs(p->op) == 1; /* its winner of ties */
  if (p->op != v->op || p->n_in != v->n_in)
    return false;
  *swappable = p->n_in == 2 && ((p->op->traits & BP_COMMUTATIVE) || both);
  for (int i = 0; i < bpi_op_n_attrs(p->op) && !both; i++)
    if (!bpi_same_attr(p->op->attrs[i].kind, &p->attr[i], &v->attr[i]))
      return false;
  return true;
}

static bool match_node(matching *m, uint32_t p, uint32_t v)
{
  const bp_graph *pg = m->r->g, *g = m->r->c->g;
  const bpi_node *a = &pg->nodes[p], *b = &g->nodes[v];
  matching before = *m;
  bool swappable;
  if (same_row(a, b, &swappable)) {
    if (match_operands(m, a->in, b->in, a->n_in, false))
      return true;
    *m = before;
    return swappable && match_operands(m, a->in, b->in, a->n_in, true);
  }
  if (m->r->opened[p] && match(m, m->r->opened[p], v))
    return true;
  *m = before;
  char ta[BODY_MOST], tb[BODY_MOST];
  uint32_t va[3], vb[3];
  int na, nb;
  return (may_be_other(g, b) || may_be_other(pg, a)) && instantiate(pg, p, ta, va, &na) &&
         instantiate(g, v, tb, vb, &nb) && na == nb && strcmp(ta, tb) == 0 &&
         match_operands(m, va, vb, na, false);
}

static bool match(matching *m, uint32_t p, uint32_t v)
{
  const recogniser *r = m->r;
  const bpi_node *a = &r->g->nodes[p], *b = &r->c->g->nodes[v];
  double x, y;
  if (++m->steps > MOST_STEPS)
    return false;
  if (a->op->traits & BP_INPUT) {
    int i = 0;
    while (i < m->p->n_args && m->p->arg[i] != p)
      i++;
    if (i == m->p->n_args || (m->bound[i] && m->bound[i] != v))
      return false;
    m->bound[i] = v;
    return true;
  }
  if (a->op->traits & BP_CONSTANT)
    return bpi_splat(bpi_handle(r->g, p), &x) && bpi_splat(bpi_handle(r->c->g, v), &y) && x == y;
  if (bpi_is_leaf(b) || a->n_out != 1 || b->n_out != 1 || r->c->part[r->c->part_of[v]].into != BPI_NONE)
    return false;
  bool known = false;
  for (int i = 0; i < m->n_set; i++)
    known = known || m->set[i] == v;
  if (!known && m->n_set == MOST_MATCHED)
    return false;
  if (!known)
    m->set[m->n_set++] = v;
  return match_node(m, p, v);
}

/* Whether what the match hides is used by it alone, and what comes in comes from outside. */
static bool is_closed(const matching *m)
{
  const bpi_circuit *c = m->r->c;
  if (m->n_set < 2)
    return false;
  for (int i = 0; i < m->p->n_args; i++)
    for (int k = 0; k < m->n_set; k++)
      if (!m->bound[i] || m->bound[i] == m->set[k])
        return false;
  for (int i = 1; i < m->n_set; i++) { /* the root is set[0] */
    uint32_t uses = 0;
    for (int k = 0; k < m->n_set; k++)
      for (int j = 0; j < c->g->nodes[m->set[k]].n_in; j++)
        uses += c->g->nodes[m->set[k]].in[j] == m->set[i];
    if (uses != c->uses[m->set[i]] || c->part[c->part_of[m->set[i]]].n_nodes != 1)
      return false;
  }
  return true;
}

static bp_status merge(bpi_circuit *c, const matching *m)
{
  uint32_t root = c->part_of[m->set[0]],
           *args = bpi_arena_alloc(&c->arena, (size_t)m->p->n_args, sizeof *args);
  bp_attr *attr = bpi_arena_alloc(&c->arena, BP_MAX_ATTRS, sizeof *attr);
  if (!args || !attr)
    return bpi_nomem();
  memcpy(args, m->bound, (size_t)m->p->n_args * sizeof *args);
  preset_attrs(m->p->op, attr);
  bpi_part *p = &c->part[root];
  p->op = m->p->op;
  p->attr = attr;
  p->args = args;
  p->n_args = (uint32_t)m->p->n_args;
  p->n_nodes = (uint32_t)m->n_set;
  for (int i = 1; i < m->n_set; i++)
    c->part[c->part_of[m->set[i]]].into = root;
  return BP_OK;
}

static bp_status recognise_at(recogniser *r, uint32_t slot)
{
  matching best = {.n_set = 0};
  bp_status s = define_around(r, slot, CONE_DEPTH);
  for (size_t i = 0; i < r->n && s == BP_OK; i++) {
    matching m = {.r = r, .p = &r->pattern[i]};
    if (m.p->out && match(&m, m.p->out, slot) && is_closed(&m) && m.n_set > best.n_set)
      best = m;
  }
  return s == BP_OK && best.n_set ? merge(r->c, &best) : s;
}

bp_status bpi_circuit_recognise(bpi_circuit *c)
{
  recogniser r = {.c = c, .g = bp_graph_new(c->ctx)};
  bp_status s = r.g ? define_all(&r, NULL) : bpi_nomem();
  for (size_t i = c->n_parts; i-- > 0 && s == BP_OK;)
    if (c->part[i].into == BPI_NONE && c->part[i].n_nodes == 1 && c->g->nodes[c->part[i].head].n_out == 1)
      s = recognise_at(&r, c->part[i].head);
  bpi_free(c->ctx, r.pattern);
  bpi_free(c->ctx, r.opened);
  bp_graph_free(r.g);
  return s;
}
