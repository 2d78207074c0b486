/* What is written in a gate: the row's symbol or name, with constants folded in: "+1", "1/x", "max(0,·)". */
#include "draw/circuit.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

enum { NOTE_MOST = 22, NAME_MOST = 32 }; /* characters of attributes, and of a name */

/* The function that a row applies, if it does. */
static const bp_fn *function_of(const bpi_part *p)
{
  for (int i = 0; p->op && p->attr && i < bpi_op_n_attrs(p->op); i++)
    if (p->op->attrs[i].kind == BP_ATTR_FN)
      return p->attr[i].fn;
  return NULL;
}

const char *bpi_row_text(const bpi_part *p)
{
  const bp_fn *fn = function_of(p);
  return fn ? bp_fn_name(fn) : p->op->symbol ? p->op->symbol : p->op->name;
}

/* Symbols that are no words stand between operands. */
static bool is_infix(const char *symbol)
{
  return !isalpha((unsigned char)symbol[0]);
}

/* A constant as a person would write it. */
static void put_constant(const bpi_circuit *c, uint32_t slot, bpi_text *t)
{
  double value = 0;
  bpi_splat(bpi_handle(c->g, slot), &value);
  if (signbit(value) && !isnan(value))
    bpi_textf(t, "−");
  double size = fabs(value);
  if (size != 0 && isfinite(size) &&
      (size < 1e-4 || size >= 1e6 || fabs(size * 1e4 - round(size * 1e4)) > 1e-6))
    bpi_textf(t, "%.3g", size); /* not every digit of 1/3 */
  else
    bpi_text_double(t, size);
}

static void put_infix(const bpi_circuit *c, const bpi_part *p, const char *symbol, bpi_text *t)
{
  bool right = bpi_is_folded(c, p, 1);
  if (right || (p->op->traits & BP_COMMUTATIVE)) {
    bpi_textf(t, "%s", symbol);
    put_constant(c, p->args[right ? 1 : 0], t);
  } else {
    put_constant(c, p->args[0], t);
    bpi_textf(t, "%sx", symbol);
  }
}

static void put_call(const bpi_circuit *c, const bpi_part *p, const char *symbol, bpi_text *t)
{
  bpi_textf(t, "%s(", symbol);
  for (uint32_t k = 0; k < p->n_args; k++) {
    bpi_textf(t, "%s", k ? "," : "");
    if (bpi_is_folded(c, p, k))
      put_constant(c, p->args[k], t);
    else
      bpi_textf(t, "·");
  }
  bpi_textf(t, ")");
}

const char *bpi_gate_text(const bpi_circuit *c, const bpi_part *p, bpi_sheet *s)
{
  bpi_text t;
  uint32_t folded = 0;
  bpi_text_init(&t, c->ctx);
  for (uint32_t k = 0; p->op && k < p->n_args; k++)
    folded += bpi_is_folded(c, p, k);
  if (!p->op && p->times)
    bpi_textf(&t, "×%u", p->times);
  else if (!p->op)
    bpi_textf(&t, "…");
  else if (!folded)
    bpi_textf(&t, "%s", bpi_row_text(p));
  else if (p->n_args == 2 && is_infix(bpi_row_text(p)))
    put_infix(c, p, bpi_row_text(p), &t);
  else
    put_call(c, p, bpi_row_text(p), &t);
  return bpi_sheet_keep(s, &t);
}

/* ---- attributes ---- */

static bool same_dims(const bp_attr *a, const bp_type *type)
{
  return a->n == type->rank && (a->n == 0 || memcmp(a->v, type->dims, (size_t)a->n * sizeof *a->v) == 0);
}

/* Lists that say what is seen anyway: the shape that comes out, all axes, or the usual order of axes. */
static bool is_plain(const bpi_circuit *c, const bpi_part *p, const bp_attr *a)
{
  const bp_type *in = p->n_args ? c->g->nodes[p->args[0]].type : NULL;
  return a->n == 0 || same_dims(a, c->g->nodes[p->head].type) || (in && a->n == in->rank);
}

static bool is_told(const bpi_circuit *c, const bpi_part *p, int i)
{
  const bp_attr_def *def = &p->op->attrs[i];
  const bp_attr *a = &p->attr[i];
  if (p->op->traits & (BP_ROUTER | BP_RANDOM | BP_CONSTANT))
    return (p->op->traits & BP_ROUTER) && def->kind == BP_ATTR_INTS && !is_plain(c, p, a);
  return (def->kind == BP_ATTR_INTS && !is_plain(c, p, a)) ||
         (def->kind == BP_ATTR_REAL && !(a->r == def->preset)) ||
         (def->kind == BP_ATTR_INT && !((double)a->i == def->preset));
}

const char *bpi_gate_note(const bpi_circuit *c, const bpi_part *p, bpi_sheet *s)
{
  bpi_text t;
  bpi_text_init(&t, c->ctx);
  if (!p->op)
    bpi_textf(&t, "%s", p->text ? p->text : "");
  else if ((p->op->traits & BP_LOOP) && p->attr)
    bpi_textf(&t, "×%lld", (long long)p->attr[3].i);
  else
    for (int i = 0; p->attr && !function_of(p) && i < bpi_op_n_attrs(p->op); i++)
      if (is_told(c, p, i)) {
        bpi_textf(&t, "%s", t.n ? " " : "");
        bpi_text_attr(&t, &p->op->attrs[i], &p->attr[i]);
      }
  if (p->op && t.n > NOTE_MOST) {
    bpi_text_free(&t);
    return NULL;
  }
  const char *text = bpi_sheet_keep(s, &t);
  return text && *text ? text : NULL;
}

/* ---- what a viewer shows when pointed at ---- */

const char *bpi_gate_title(const bpi_circuit *c, const bpi_part *p, bpi_sheet *s)
{
  bpi_text t;
  bpi_text_init(&t, c->ctx);
  if (!p->op)
    bpi_textf(&t, "%u nodes", p->n_nodes);
  else if (function_of(p))
    bpi_textf(&t, "%s: a function", bp_fn_name(function_of(p)));
  else
    bpi_textf(&t, "%s: %s", p->op->name, p->op->math ? p->op->math : "");
  return bpi_sheet_keep(s, &t);
}

/* The first characters of a long name, and "…". */
static const char *cut_name(bpi_sheet *s, const char *name, size_t n)
{
  bpi_text t;
  bpi_text_init(&t, s->ctx);
  bpi_text_add(&t, name, n);
  bpi_textf(&t, "…");
  return bpi_sheet_keep(s, &t);
}

const char *bpi_pretty_name(bpi_sheet *s, const char *name)
{
  size_t end = 0, characters = 0;
  for (; name[end] && characters <= NAME_MOST; end++)
    characters += ((unsigned char)name[end] & 0xc0) != 0x80;
  if (characters > NAME_MOST)
    return cut_name(s, name, end - 1);
  size_t n = strlen(name), digits = 0;
  while (digits < n && isdigit((unsigned char)name[n - 1 - digits]))
    digits++;
  if (n - digits != 1 || !isalpha((unsigned char)name[0]) || !digits)
    return bpi_sheet_text(s, name);
  bpi_text t;
  bpi_text_init(&t, s->ctx);
  bpi_text_add(&t, name, 1);
  for (size_t i = 1; i < n; i++) {
    char index[4] = {'\xe2', '\x82', (char)(0x80 + name[i] - '0'), 0}; /* U+2080 and on */
    bpi_text_add(&t, index, 3);
  }
  return bpi_sheet_keep(s, &t);
}
