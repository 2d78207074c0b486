/* The table of operations: as a list, and row by row. */
#include "cmd.h"
#include "context.h"
#include "nearest.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* What is not said by the name of a class. */
static const char *class_note(bp_jac jac)
{
  return jac == BP_JAC_SELECT   ? " (at most one nonzero in a row)"
         : jac == BP_JAC_SPREAD ? " (at most one nonzero in a column)"
                                : "";
}

static const struct {
  uint32_t bit;
  const char *word;
} trait_words[] = {
    {BP_ELEMENTWISE, "elementwise"},
    {BP_LINEAR, "linear"},
    {BP_MULTILINEAR, "multilinear"},
    {BP_VIEW, "view"},
    {BP_REDUCTION, "reduction"},
    {BP_COMMUTATIVE, "commutative"},
    {BP_RANDOM, "random"},
    {BP_INPUT, "input"},
    {BP_STATE, "state"},
    {BP_STRIDED, "strided"},
    {BP_NAN_STOPS, "nan-stops"},
    {BP_CONSTANT, "constant"},
    {BP_STOPS, "stops-gradient"},
    {BP_JOIN, "join"},
    {BP_LOOP, "loop"},
    {BP_ROUTER, "router"},
    {BP_INTERNAL, "internal"},
};

static const char *kind_word(bp_attr_kind k)
{
  static const char *const words[] = {"",         "integer", "real",     "switch",
                                      "integers", "type",    "function", "data"};
  return (size_t)k < sizeof words / sizeof *words ? words[k] : "";
}

static const char *derivative(const bp_op *op)
{
  if (op->zero)
    return "none: zero everywhere";
  if (op->traits & BP_STOPS)
    return "none, by decree";
  if (op->slope)
    return "a slope for each input";
  if (op->vjp)
    return op->jvp || (op->traits & BP_LINEAR) ? "vjp and jvp" : "vjp; the jvp is its transpose";
  return op->expand ? "through its expansion" : "as the row is used";
}

/* ---- the list ---- */

static bool listed(const bp_op *op, const settings *s)
{
  return s->verbose || !(op->traits & (BP_INTERNAL | BP_INPUT | BP_STATE | BP_CONSTANT));
}

static int name_width(void)
{
  size_t widest = 0;
  for (size_t i = 0; i < bp_op_count(); i++) {
    size_t n = strlen(bp_op_at(i)->name);
    widest = n > widest ? n : widest;
  }
  return (int)widest;
}

static void list(const settings *s)
{
  int width = name_width();
  size_t n = 0;
  for (size_t i = 0; i < bp_op_count(); i++) {
    const bp_op *op = bp_op_at(i);
    if (!listed(op, s))
      continue;
    answer("%-*s  %s\n", width, op->name, op->math ? op->math : "");
    n++;
  }
  say("%zu operations; `bprop ops NAME` shows one in full", n);
}

/* ---- one row ---- */

static void line(const char *label, const char *text)
{
  if (text && *text)
    answer("  %-11s %s\n", label, text);
}

static void show_attributes(const bp_op *op)
{
  for (int i = 0; i < BP_MAX_ATTRS && op->attrs[i].kind != BP_ATTR_END; i++) {
    const bp_attr_def *a = &op->attrs[i];
    answer("  %-11s %s: %s", i ? "" : "attributes", a->name, kind_word(a->kind));
    if (!isnan(a->preset) && a->kind != BP_ATTR_INTS)
      answer(", %g if not given", a->preset);
    answer("\n");
  }
}

static void traits_of(const bp_op *op, char *text, size_t size)
{
  text[0] = 0;
  for (size_t i = 0; i < sizeof trait_words / sizeof *trait_words; i++)
    if (op->traits & trait_words[i].bit) {
      size_t n = strlen(text);
      snprintf(text + n, size - n, "%s%s", n ? ", " : "", trait_words[i].word);
    }
}

static void show_jacobian(bp_ctx *ctx, const bp_op *op)
{
  bool first = true;
  for (int result = 0; result < 4; result++)
    for (int input = 0; input < 8; input++) {
      bp_jac jac;
      if (!op->examples[0] || bp_op_jacobian(ctx, op, 0, input, result, &jac) != BP_OK)
        continue;
      answer("  %-11s d result", first ? "jacobian" : "");
      if (result)
        answer(" %d", result + 1);
      answer(" / d input %d: %s%s\n", input + 1, bp_jac_name(jac), class_note(jac));
      first = false;
    }
}

static void show_examples(const bp_op *op)
{
  for (size_t i = 0; i < sizeof op->examples / sizeof *op->examples && op->examples[i]; i++)
    line(i ? "" : "examples", op->examples[i]);
}

static void show(bp_ctx *ctx, const bp_op *op)
{
  char traits[256];
  traits_of(op, traits, sizeof traits);
  answer("%s\n", op->name);
  line("formula", op->math);
  line("source", op->source);
  line("kinks", op->kink ? op->kink : "none: smooth where it is defined");
  line("arguments", op->args && *op->args ? op->args : "none");
  show_attributes(op);
  line("traits", traits);
  show_jacobian(ctx, op);
  line("derivative", derivative(op));
  line("expansion", op->expand ? "yes: a bundle of simpler operations" : "no");
  if (op->body)
    line("body", op->body->text);
  show_examples(op);
}

/* ---- JSON ---- */

static void member(const char *name, const char *text)
{
  answer(",\"%s\":", name);
  json_text(text);
}

static void show_json(bp_ctx *ctx, const bp_op *op)
{
  bp_jac jac;
  bool has_jac = op->examples[0] && bp_op_jacobian(ctx, op, 0, 0, 0, &jac) == BP_OK, first = true;
  answer("{\"schema\":1");
  member("name", op->name);
  member("formula", op->math);
  member("source", op->source);
  member("kinks", op->kink);
  member("arguments", op->args);
  answer(",\"attributes\":[");
  for (int i = 0; i < BP_MAX_ATTRS && op->attrs[i].kind != BP_ATTR_END; i++) {
    answer("%s{\"name\":", i ? "," : "");
    json_text(op->attrs[i].name);
    member("kind", kind_word(op->attrs[i].kind));
    answer(",\"preset\":");
    json_number(op->attrs[i].preset);
    answer("}");
  }
  answer("],\"traits\":[");
  for (size_t i = 0; i < sizeof trait_words / sizeof *trait_words; i++)
    if (op->traits & trait_words[i].bit) {
      answer("%s\"%s\"", first ? "" : ",", trait_words[i].word);
      first = false;
    }
  answer("]");
  member("jacobian", has_jac ? bp_jac_name(jac) : NULL);
  member("derivative", derivative(op));
  answer(",\"expansion\":%s", op->expand ? "true" : "false");
  member("example", op->examples[0]);
  answer("}\n");
}

/* ---- the command ---- */

static int unknown_op(const char *name)
{
  nearest n = nearest_to(name);
  for (size_t i = 0; i < bp_op_count(); i++)
    nearest_try(&n, bp_op_at(i)->name);
  return fail(END_USAGE, "no operation is called '%s'%s", name, nearest_hint(&n, ""));
}

static int show_named(bp_ctx *ctx, const settings *s)
{
  for (int i = 0; i < s->n_inputs; i++)
    if (!bp_op_find(s->inputs[i]))
      return unknown_op(s->inputs[i]);
  for (int i = 0; i < s->n_inputs; i++) {
    if (s->json)
      show_json(ctx, bp_op_find(s->inputs[i]));
    else
      show(ctx, bp_op_find(s->inputs[i]));
    if (!s->json && i + 1 < s->n_inputs)
      answer("\n");
  }
  return END_DONE;
}

int cmd_ops(const settings *s)
{
  bp_ctx *ctx = context_new(s);
  int end = END_DONE;
  if (!ctx)
    return END_RESOURCES;
  if (s->n_inputs)
    end = show_named(ctx, s);
  else if (!s->json)
    list(s);
  else
    for (size_t i = 0; i < bp_op_count(); i++)
      if (listed(bp_op_at(i), s))
        show_json(ctx, bp_op_at(i));
  bp_ctx_free(ctx);
  return end;
}
