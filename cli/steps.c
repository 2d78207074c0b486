/* Two tables: forward, a line for each node; backward, a line for each wire, upstream * local = product, and the sum where wires fork.
 * Columns are as wide as what is in them, so each table is gone through twice: once to measure, once to print. */
#include "steps.h"
#include "cells.h"
#include "say.h"
#include "show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 9, WIDEST = 44, LABEL = 64, SEVERAL = 4 };

typedef struct table {
  int width[COLUMNS];
  int columns, rows; /* rows without the head */
  bool measuring;
  bool right[COLUMNS];         /* numbers stand to the right */
  const char *colour[COLUMNS]; /* on a terminal: values are green and gradients red, as in the pictures */
  bool coloured;
} table;

typedef struct telling {
  const bp_trace *t;
  const bp_program *p;
  const char *output; /* what the output is called */
  size_t *step;       /* of each node: its number, from 1; 0: it is called by its name or value */
  table table;
} telling;

/* ---- tables ---- */

/* Characters, not bytes. */
static int columns_of(const char *text)
{
  int n = 0;
  for (; *text; text++)
    n += (*text & 0xC0) != 0x80;
  return n;
}

static void table_row(table *t, const char *const *cell)
{
  t->rows++;
  int pending = 0; /* blanks that are printed once something follows */
  for (int i = 0; i < t->columns; i++) {
    int n = columns_of(cell[i]);
    if (t->measuring) {
      t->width[i] = n > t->width[i] ? n : t->width[i];
      continue;
    }
    int blanks = t->width[i] - n;
    pending += i ? 2 : 0;
    if (t->right[i])
      pending += blanks;
    if (n) {
      const char *colour = t->coloured ? t->colour[i] : NULL;
      answer("%*s%s%s%s", pending, "", colour ? colour : "", cell[i], colour ? "\033[0m" : "");
      pending = 0;
    }
    if (!t->right[i])
      pending += blanks;
  }
  if (!t->measuring)
    answer("\n");
}

/* ---- what nodes are called ---- */

static array_view part_of(const telling *w, bp_trace_part part, size_t i, int k)
{
  const void *data = NULL;
  bp_type type = {0};
  bp_trace_read(w->t, part, i, k, &data, &type);
  return array_of(data, &type);
}

/* A constant whose elements are all equal is called by its value. */
static bool called_by_value(const telling *w, const bp_traced *n, size_t i)
{
  if (!(n->op->traits & BP_CONSTANT) || n->name)
    return false;
  array_view v = part_of(w, BP_TRACE_VALUE, i, 0);
  int64_t same = 0;
  while (v.data && same < v.size && array_at(&v, same) == array_at(&v, 0))
    same++;
  return v.size && same == v.size;
}

/* A name, a value, or a number; of a node with several results also which. */
static const char *label(const telling *w, size_t i, int result, char *text)
{
  const bp_traced *n = bp_trace_at(w->t, i);
  array_view value;
  if (n->name)
    snprintf(text, LABEL, "%.40s", shown(n->name));
  else if (n->output && w->output)
    snprintf(text, LABEL, "%.40s", shown(w->output));
  else if (!w->step[i]) {
    value = part_of(w, BP_TRACE_VALUE, i, 0);
    snprintf(text, LABEL, "%g", array_at(&value, 0));
  } else
    snprintf(text, LABEL, "#%zu", w->step[i]);
  if (n->n_out > 1)
    snprintf(text + strlen(text), LABEL - strlen(text), "[%d]", result);
  return text;
}

static bool number_nodes(telling *w)
{
  size_t n = bp_trace_count(w->t), number = 0;
  w->step = calloc(n ? n : 1, sizeof *w->step);
  for (size_t i = 0; w->step && i < n; i++) {
    const bp_traced *node = bp_trace_at(w->t, i);
    if (!node->name && !(node->output && w->output) && !called_by_value(w, node, i))
      w->step[i] = ++number;
  }
  return w->step != NULL;
}

/* A function is called by its own name. */
static const char *operation(const bp_traced *n)
{
  for (int i = 0; i < BP_MAX_ATTRS && n->op->attrs[i].kind != BP_ATTR_END; i++)
    if (n->op->attrs[i].kind == BP_ATTR_FN && !(n->op->traits & BP_LOOP))
      return bp_fn_name(n->attr[i].fn);
  return n->op->name;
}

static bool span_of(const telling *w, size_t i, bp_span *span)
{
  return bp_program_span(w->p, bp_trace_at(w->t, i)->node, span) == BP_OK;
}

/* The piece of text that made the node, where it is the node's own (an operator may make several, as where shapes are broadcast) and
 * short; else the operation and what goes into it. */
static const char *formula(const telling *w, size_t i, char *text, size_t size)
{
  const bp_traced *n = bp_trace_at(w->t, i);
  bp_span span, other;
  char name[LABEL];
  bool own = span_of(w, i, &span) && span.length <= WIDEST;
  for (size_t u = 0; own && u < n->n_uses; u++)
    own = !(span_of(w, n->uses[u].to, &other) && other.text == span.text && other.length == span.length);
  if (n->n_in == 0) {
    snprintf(text, size, "%s", "");
  } else if (own) {
    char piece[WIDEST + 1];
    snprintf(piece, sizeof piece, "%.*s", (int)span.length, span.text);
    snprintf(text, size, "%s", shown(piece));
  } else {
    size_t at = (size_t)snprintf(text, size, "%s(", shown(operation(n)));
    for (int k = 0; k < n->n_in && at < WIDEST && at < size; k++)
      at += (size_t)snprintf(text + at, size - at, k ? ", %s" : "%s",
                             label(w, n->in[k].from, n->in[k].result, name));
    if (at < size)
      snprintf(text + at, size - at, at < WIDEST ? ")" : ", ...)");
  }
  return text;
}

/* ---- forward ---- */

static bool forward_row(telling *w, size_t i, int result, bool first)
{
  const bp_traced *n = bp_trace_at(w->t, i);
  char name[LABEL], op[LABEL], value[CELL_TEXT], text[2 * CELL_TEXT];
  array_view v = part_of(w, BP_TRACE_VALUE, i, result);
  if (!v.data)
    return false; /* nothing reads it */
  snprintf(op, sizeof op, "%.40s", first ? shown(operation(n)) : "");
  const char *const cell[COLUMNS] = {label(w, i, result, name), op, array_cell(&v, value, sizeof value),
                                     first ? formula(w, i, text, sizeof text) : ""};
  table_row(&w->table, cell);
  return true;
}

static void forward_rows(telling *w, size_t i)
{
  const bp_traced *n = bp_trace_at(w->t, i);
  bool first = true;
  for (int k = 0; k < n->n_out && !called_by_value(w, n, i); k++)
    first = !forward_row(w, i, k, first) && first;
}

/* ---- backward ---- */

/* How a router decided about its input k: how many elements of the result it won, and which of its own elements did. */
typedef struct verdict {
  int64_t count, of;
  int by;                 /* who won the first element; -1: nobody */
  int64_t first[SEVERAL]; /* of the elements that won */
} verdict;

/* False: not a router, or nothing is known. */
static bool judge(const telling *w, size_t i, int k, verdict *v)
{
  array_view y = part_of(w, BP_TRACE_VALUE, i, 0);
  *v = (verdict){.of = y.size, .by = -1};
  if (!(bp_trace_at(w->t, i)->op->traits & BP_ROUTER) || y.size == 0)
    return false;
  int *won = malloc((size_t)y.size * sizeof *won);
  int64_t *at = malloc((size_t)y.size * sizeof *at);
  bool known = won && at && bp_trace_winners(w->t, i, won, at, (size_t)y.size) == BP_OK;
  for (int64_t e = 0; known && e < y.size; e++) {
    if (won[e] == k && v->count < SEVERAL)
      v->first[v->count] = at[e];
    v->count += won[e] == k;
  }
  v->by = known ? won[0] : -1;
  free(won);
  free(at);
  return known;
}

static const char *winner_note(const telling *w, size_t i, int k, char *text, size_t size)
{
  const bp_traced *n = bp_trace_at(w->t, i);
  verdict v;
  char name[LABEL];
  size_t at;
  *text = 0;
  if (!judge(w, i, k, &v))
    return text;
  if (n->n_in > 1 && v.of > 1)
    snprintf(text, size, "wins %lld of %lld", (long long)v.count, (long long)v.of);
  else if (n->n_in > 1 && v.count)
    snprintf(text, size, "wins");
  else if (n->n_in > 1 && v.by >= 0)
    snprintf(text, size, "%s wins", label(w, n->in[v.by].from, n->in[v.by].result, name));
  else if (n->n_in == 1 && v.count && v.count <= SEVERAL) {
    at = (size_t)snprintf(text, size, v.count > 1 ? "elements" : "element");
    for (int64_t e = 0; e < v.count && at < size; e++)
      at += (size_t)snprintf(text + at, size - at, " %lld", (long long)v.first[e]);
    if (at < size)
      snprintf(text + at, size - at, v.count > 1 ? " win" : " wins");
  }
  return text;
}

enum { MOST_ENTRIES = 1 << 22 }; /* of a local Jacobian that is looked at only to name its class */

/* The local gradient: a number; of arrays the class of the local Jacobian, with its size, or its entries where it has one for each
 * element of the input. */
static const char *local_cell(const telling *w, size_t i, int k, char *text, size_t size)
{
  const bp_traced *n = bp_trace_at(w->t, i);
  array_view local = part_of(w, BP_TRACE_LOCAL, i, k);
  bp_local_info j;
  bp_status st = BP_OK;
  char entries[CELL_TEXT - LABEL / 2] = "", number[NUMBER_TEXT];
  if (local.data)
    elements_cell(&local, entries, sizeof entries);
  if (local.data && local.size == 1)
    snprintf(text, size, "%s", entries);
  else if (n->n_out > 1 || (st = bp_trace_local(w->t, i, k, 0, MOST_ENTRIES, &j)) != BP_OK)
    snprintf(text, size, "%s",
             local.data         ? entries
             : st == BP_E_LIMIT ? "(too large to look at)"
                                : "(no class)");
  else if (j.jac == BP_JAC_IDENTITY)
    snprintf(text, size, "%s", bp_jac_name(j.jac));
  else if (j.jac == BP_JAC_SCALED && local.data && local.size)
    snprintf(text, size, "%s times identity", places_text(array_at(&local, 0), local.type.dtype, number));
  else if (j.jac == BP_JAC_BLOCK)
    snprintf(text, size, "%lld blocks %lldx%lld", (long long)j.blocks, (long long)j.block_rows,
             (long long)j.block_cols);
  else if (!local.data || j.jac == BP_JAC_PERMUTATION || j.jac == BP_JAC_SPARSE)
    snprintf(text, size, "%s %lldx%lld", bp_jac_name(j.jac), (long long)j.rows, (long long)j.cols);
  else
    snprintf(text, size, "%s %s", bp_jac_name(j.jac), entries);
  return text;
}

/* The first result at which a gradient arrives. */
static int upstream_result(const telling *w, size_t i)
{
  int n = bp_trace_at(w->t, i)->n_out, result = 0;
  while (result + 1 < n && !part_of(w, BP_TRACE_GRADIENT, i, result).data)
    result++;
  return result;
}

static void wire_row(telling *w, size_t i, int k, bool first)
{
  const bp_traced *n = bp_trace_at(w->t, i);
  array_view product = part_of(w, BP_TRACE_PRODUCT, i, k);
  char name[LABEL], op[LABEL], to[LABEL], upstream[CELL_TEXT], local[CELL_TEXT], passed[CELL_TEXT],
      note[LABEL];
  int result = upstream_result(w, i);
  array_view up = part_of(w, BP_TRACE_GRADIENT, i, result);
  snprintf(op, sizeof op, "%.40s", first ? shown(operation(n)) : "");
  const char *const cell[COLUMNS] = {first ? label(w, i, result, name) : "",
                                     op,
                                     label(w, n->in[k].from, n->in[k].result, to),
                                     array_cell(&up, upstream, sizeof upstream),
                                     "*",
                                     local_cell(w, i, k, local, sizeof local),
                                     "=",
                                     array_cell(&product, passed, sizeof passed),
                                     winner_note(w, i, k, note, sizeof note)};
  table_row(&w->table, cell);
}

enum { MOST_TERMS = 4, TERMS = 400 };

/* One more term of a sum: " - 2.0000 (#1)"; of arrays only where it came from. Returns the length. */
static size_t add_term(char *terms, size_t at, const array_view *term, const char *from, int number)
{
  char one[CELL_TEXT];
  bool scalar = term->size == 1, minus = scalar && number && array_at(term, 0) < 0;
  if (number > MOST_TERMS || at >= TERMS)
    return at;
  at += (size_t)snprintf(terms + at, TERMS - at, "%s", !number ? "" : minus ? " - " : " + ");
  if (at < TERMS && number == MOST_TERMS)
    at += (size_t)snprintf(terms + at, TERMS - at, "...");
  else if (at < TERMS && scalar)
    at += (size_t)snprintf(terms + at, TERMS - at, "%s (%s)", elements_cell(term, one, sizeof one) + minus,
                           from);
  else if (at < TERMS)
    at += (size_t)snprintf(terms + at, TERMS - at, "(%s)", from);
  return at;
}

/* Where a wire forks, the products that came back along its branches add up; of an output, with what was given. */
static void fork_row(telling *w, size_t i, int result)
{
  const bp_traced *n = bp_trace_at(w->t, i);
  array_view seed = part_of(w, BP_TRACE_SEED, i, result), total = part_of(w, BP_TRACE_GRADIENT, i, result);
  char terms[TERMS] = "", name[LABEL], sum[CELL_TEXT];
  size_t at = 0;
  int count = 0;
  if (seed.data)
    at = add_term(terms, at, &seed, "upstream", count++);
  for (size_t u = 0; u < n->n_uses; u++) {
    const bp_wire *use = &n->uses[u];
    array_view product = part_of(w, BP_TRACE_PRODUCT, use->to, use->input);
    if (use->result == result && product.data)
      at = add_term(terms, at, &product, label(w, use->to, 0, name), count++);
  }
  if (count > 1 && !w->table.measuring)
    answer("%-*s  %-*s  %s  =  %s\n", w->table.width[0], label(w, i, result, name), w->table.width[1],
           "total", terms, array_cell(&total, sum, sizeof sum));
}

static void backward_rows(telling *w, size_t i)
{
  const bp_traced *n = bp_trace_at(w->t, i);
  bool first = true;
  for (int r = 0; r < n->n_out; r++)
    fork_row(w, i, r);
  for (int k = 0; k < n->n_in; k++)
    if (part_of(w, BP_TRACE_PRODUCT, i, k).data) {
      wire_row(w, i, k, first);
      first = false;
    }
}

/* ---- both ---- */

static void each_node(telling *w, bool forward)
{
  size_t n = bp_trace_count(w->t);
  for (size_t at = 0; at < n && answer_goes_on(); at++)
    if (forward)
      forward_rows(w, at);
    else
      backward_rows(w, n - 1 - at);
}

static void tell_pass(telling *w, bool forward, const table *layout, const char *const *head)
{
  w->table = *layout;
  w->table.coloured = answer_in_colour();
  w->table.measuring = true;
  table_row(&w->table, head);
  w->table.rows = 0;
  each_node(w, forward);
  w->table.measuring = false;
  answer("\n");
  if (!w->table.rows) {
    answer("backward: nothing flows back\n");
    return;
  }
  table_row(&w->table, head);
  each_node(w, forward);
}

int steps_tell(const bp_trace *t, const bp_program *p, const char *of)
{
  static const table forward = {.columns = 4, .right = {[2] = true}, .colour = {[2] = "\033[32m"}};
  static const table backward = {.columns = 9,
                                 .right = {[3] = true, [5] = true, [7] = true},
                                 .colour = {[3] = "\033[31m", [7] = "\033[31m"}};
  static const char *const forward_head[COLUMNS] = {"forward", "", "value", "from"};
  static const char *const backward_head[COLUMNS] = {"backward", "",  "to",      "upstream", "*",
                                                     "local",    "=", "product", ""};
  telling w = {.t = t, .p = p, .output = of};
  if (!number_nodes(&w))
    return fail_memory();
  tell_pass(&w, true, &forward, forward_head);
  tell_pass(&w, false, &backward, backward_head);
  answer("\n");
  free(w.step);
  return END_DONE;
}

/* ---- JSON ---- */

static void json_part(const char *key, const telling *w, bp_trace_part part, size_t i, int k)
{
  array_view a = part_of(w, part, i, k);
  answer(",\"%s\":", key);
  json_view(&a);
}

static void json_node(const telling *w, size_t i, int result, const char *of)
{
  const bp_traced *n = bp_trace_at(w->t, i);
  char text[2 * CELL_TEXT];
  array_view value = part_of(w, BP_TRACE_VALUE, i, result);
  answer("{\"schema\":1,\"kind\":\"node\",\"of\":");
  json_text(of);
  answer(",\"node\":%zu,\"result\":%d,\"name\":", i, result);
  json_text(n->name);
  answer(",\"operation\":");
  json_text(operation(n));
  answer(",\"text\":");
  json_text(formula(w, i, text, sizeof text));
  answer(",\"inputs\":[");
  for (int k = 0; k < n->n_in; k++)
    answer(k ? ",%zu" : "%zu", n->in[k].from);
  answer("],\"shape\":");
  json_shape(&value.type);
  json_part("value", w, BP_TRACE_VALUE, i, result);
  json_part("gradient", w, BP_TRACE_GRADIENT, i, result);
  answer("}\n");
}

static void json_wire(const telling *w, size_t i, int k, const char *of)
{
  const bp_wire *wire = &bp_trace_at(w->t, i)->in[k];
  array_view product = part_of(w, BP_TRACE_PRODUCT, i, k);
  bp_local_info j;
  verdict v;
  if (!product.data)
    return;
  answer("{\"schema\":1,\"kind\":\"wire\",\"of\":");
  json_text(of);
  answer(",\"from\":%zu,\"to\":%zu,\"input\":%d,\"shape\":", wire->from, wire->to, k);
  json_shape(&product.type);
  json_part("upstream", w, BP_TRACE_GRADIENT, i, upstream_result(w, i));
  if (bp_trace_at(w->t, i)->n_out == 1 && bp_trace_local(w->t, i, k, 0, MOST_ENTRIES, &j) == BP_OK)
    answer(",\"class\":\"%s\"", bp_jac_name(j.jac));
  json_part("local", w, BP_TRACE_LOCAL, i, k);
  json_part("product", w, BP_TRACE_PRODUCT, i, k);
  if (judge(w, i, k, &v))
    answer(",\"wins\":%lld", (long long)v.count);
  answer("}\n");
}

int steps_json(const bp_trace *t, const bp_program *p, const char *of)
{
  telling w = {.t = t, .p = p, .output = of};
  size_t n = bp_trace_count(t);
  if (!number_nodes(&w))
    return fail_memory();
  for (size_t i = 0; i < n && answer_goes_on(); i++)
    for (int k = 0; k < bp_trace_at(t, i)->n_out; k++)
      json_node(&w, i, k, of);
  for (size_t i = n; i-- > 0 && answer_goes_on();)
    for (int k = 0; k < bp_trace_at(t, i)->n_in; k++)
      json_wire(&w, i, k, of);
  free(w.step);
  return END_DONE;
}
