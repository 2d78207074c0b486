/* Gradients of a program against differences. */
#include "cmd.h"
#include "context.h"
#include "expression.h"
#include "wrt.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct checking {
  const settings *s;
  expression e;
  wrt_list by;
  bp_value *values;
  bp_type *types; /* of what is differentiated by */
  bp_gradient_input *inputs;
  bp_gradient_options o;
  bool several; /* outputs */
} checking;

/* ---- what is checked ---- */

/* The values of the program's inputs, as bp_run_bind takes them. */
static int take_values(checking *c)
{
  size_t n = bp_program_inputs(c->e.program);
  int end = expression_valued(&c->e);
  if (end)
    return end;
  c->values = calloc(n + 1, sizeof *c->values);
  if (!c->values)
    return fail_memory();
  for (size_t i = 0; i < n; i++) {
    bp_variable v;
    bp_status st = bp_program_input(c->e.program, i, &v);
    if (st != BP_OK)
      return expression_fail(&c->e, st);
    size_t each = v.type.dtype == BP_REAL ? sizeof(double) : bp_dtype_size(v.type.dtype);
    c->values[i] = (bp_value){v.name, v.data, (size_t)bp_node_size(v.node) * each};
  }
  c->o.values = c->values;
  c->o.n_values = n;
  return END_DONE;
}

/* Only what has a value of its own can be moved. */
static int take_wrt(checking *c)
{
  int end = wrt_open(&c->by, &c->e, c->s);
  if (end)
    return end;
  c->types = calloc(c->by.n, sizeof *c->types);
  c->inputs = calloc(c->by.n, sizeof *c->inputs);
  if (!c->types || !c->inputs)
    return fail_memory();
  for (size_t i = 0; i < c->by.n; i++) {
    bp_variable v;
    end = wrt_input(&c->by, i, &c->e, &v);
    if (end)
      return end;
    bp_node_type(c->by.nodes[i], &c->types[i]);
  }
  return END_DONE;
}

/* ---- words ---- */

/* 6e-6 for 6.06e-06: as a person writes it. */
static const char *short_number(double x, int digits, char text[32])
{
  snprintf(text, 32, "%.*g", digits, x);
  char *e = strchr(text, 'e');
  if (e) {
    char *from = e + 2;
    while (*from == '0' && from[1])
      from++;
    if (e[1] == '-')
      e++;
    memmove(e + 1, from, strlen(from) + 1);
  }
  return text;
}

/* -0 is 0 to a person, and a NaN has no sign. */
static double plain(double x)
{
  return x == 0 ? 0 : isnan(x) ? NAN : x;
}

/* W[3,2]. There is such an entry, so no dim is 0. */
static const char *entry_text(const checking *c, size_t i, int64_t entry, char text[160])
{
  const bp_type *t = &c->types[i];
  int64_t stride = bp_node_size(c->by.nodes[i]);
  int n = snprintf(text, 100, "%s", shown(c->by.names[i]));
  n = n < 100 ? n : 99;
  for (int k = 0; k < t->rank; k++) {
    stride /= t->dims[k];
    n += snprintf(text + n, 160 - (size_t)n, "%s%lld", k ? "," : "[",
                  (long long)(entry / stride % t->dims[k]));
    if (n > 130)
      break;
  }
  if (t->rank)
    snprintf(text + n, 160 - (size_t)n, "]");
  return text;
}

/* ---- for a person ---- */

static void tell_entries(const checking *c, const bp_gradient_check *r)
{
  char size[32], checked[32], h[32], error[32], at[160];
  const bp_gradient_input *in = &c->inputs[r->worst];
  if (r->checked < r->size)
    answer("%s of %s gradients, drawn by seed %lld, and random directions through all,",
           with_commas(r->checked, checked), with_commas(r->size, size), (long long)c->s->seed);
  else
    answer("%s gradient%s", with_commas(r->size, size), r->size == 1 ? "" : "s");
  answer(" against central differences, h=%s: ", short_number(r->step, c->s->step > 0 ? 3 : 1, h));
  if (in->worst < 0)
    answer("none can be compared\n");
  else
    answer("largest relative error %s (%s)   %s\n", short_number(r->error, 1, error),
           entry_text(c, r->worst, in->worst, at), r->wrong ? "WRONG" : "ok");
}

static void tell_wrong(const checking *c)
{
  enum { MOST = 5 };
  char at[160], h[32];
  int told = 0;
  for (size_t i = 0; i < c->by.n && told < MOST; i++) {
    const bp_gradient_input *in = &c->inputs[i];
    const bp_slope *s = &in->at_worst;
    if (in->wrong) {
      told++;
      answer("  %s = %.6g: gradient %.9g, differences %.9g (h=%s)", entry_text(c, i, in->worst, at),
             in->value, plain(s->gradient), plain(s->difference), short_number(s->step, 1, h));
      if (isnan(s->gradient))
        answer("; an infinite slope, as that of sqrt at 0, times 0 is NaN");
      answer(in->wrong > 1 ? "; %lld entries are wrong\n" : "\n", (long long)in->wrong);
    } else if (in->across.kind == BP_SLOPE_WRONG) {
      told++;
      answer("  along a random direction through all of %s: gradient %.9g, differences %.9g   WRONG\n",
             shown(c->by.names[i]), plain(in->across.gradient), plain(in->across.difference));
    }
  }
}

static void tell_kinks(const checking *c)
{
  for (size_t i = 0; i < c->by.n; i++) {
    const bp_gradient_input *in = &c->inputs[i];
    const bp_slope *s = &in->at_kink;
    char at[160], h[32];
    if (!in->kinks)
      continue;
    entry_text(c, i, in->kink, at);
    if (s->kind == BP_SLOPE_EDGE)
      answer("edge at %s: the function is not finite around it, or its slope has no bound (gradient %.6g)",
             at, plain(s->gradient));
    else if (s->kind == BP_SLOPE_ROUGH)
      answer("too rough around %s for h=%s: differences do not settle (gradient %.6g); try a smaller --step",
             at, short_number(in->at_kink.step, 1, h), plain(s->gradient));
    else
      answer("kink within h of %s: slope %.6g on the left, %.6g on the right (gradient %.6g)", at,
             plain(s->left), plain(s->right), plain(s->gradient));
    answer(in->kinks > 1 ? "; %lld more such entries of %s\n" : "\n", (long long)in->kinks - 1,
           shown(c->by.names[i]));
  }
}

static void tell_taylor(const bp_gradient_check *r)
{
  const bp_taylor *t = &r->taylor;
  char rate1[32] = "";
  if (!isnan(t->rate1))
    snprintf(rate1, sizeof rate1, "%.2f", t->rate1);
  answer("Taylor remainder along a random direction: ");
  if (!isfinite(t->along.gradient))
    answer("none, as the gradient along it is not finite\n");
  else if (t->along.kind == BP_SLOPE_KINK)
    answer("kink within h of the point%s%s\n", isnan(t->rate1) ? "" : ", rate ", rate1);
  else if (t->along.kind == BP_SLOPE_EDGE)
    answer("edge of the function's domain near the point\n");
  else if (t->along.kind == BP_SLOPE_ROUGH)
    answer("none, as the function is too rough near the point\n");
  else if (t->last < t->first)
    answer("nothing but rounding, as the function is linear along it   ok\n");
  else if (t->last == t->first)
    answer("too few steps between curvature and rounding for a rate\n");
  else
    answer("rate %.2f (%.2f without the gradient)   %s\n", t->rate1, t->rate0,
           t->along.kind == BP_SLOPE_WRONG ? "WRONG"
           : t->crossed                    ? "kinks crossed: it need not be 2"
           : t->rate1 < 1.8                ? "not settled"
                                           : "ok");
}

static void tell_modes(const bp_gradient_check *r)
{
  char text[32];
  double scale = fmax(fabs(r->forward), fabs(r->reverse));
  double apart = scale > 0 ? fabs(r->forward - r->reverse) / scale : 0;
  if (r->modes_agree && apart > 1e-6)
    answer("forward mode against reverse mode: both 0 but for rounding   ok\n");
  else if (isfinite(r->forward) && isfinite(r->reverse))
    answer("forward mode against reverse mode: relative difference %s   %s\n", short_number(apart, 1, text),
           r->modes_agree ? "ok" : "WRONG");
}

/* A line an input. */
static void tell_table(const checking *c)
{
  answer("%-12s %9s %9s %9s %7s  %-16s %14s %14s %9s\n", "input", "elements", "checked", "error", "kinks",
         "worst at", "gradient", "difference", "h");
  for (size_t i = 0; i < c->by.n; i++) {
    const bp_gradient_input *in = &c->inputs[i];
    const bp_slope *s = &in->at_worst;
    char at[160], error[32], h[32];
    answer("%-12s %9lld %9lld ", shown(c->by.names[i]), (long long)in->size, (long long)in->checked);
    if (in->worst < 0)
      answer("%9s %7lld\n", "-", (long long)in->kinks);
    else
      answer("%9s %7lld  %-16s %14.8g %14.8g %9s\n", short_number(s->error, 1, error), (long long)in->kinks,
             entry_text(c, i, in->worst, at), plain(s->gradient), plain(s->difference),
             short_number(s->step, 1, h));
  }
}

static void tell_levels(const bp_taylor *t)
{
  answer("%12s %14s %14s\n", "h", "|f(x+hv)-f|", "less h g.v");
  for (int k = 0; k < BP_TAYLOR_LEVELS; k++)
    answer("%12.4g %14.4g %14.4g%s\n", t->h[k], t->r0[k], t->r1[k],
           k >= t->first && k <= t->last ? "  *" : "");
}

static void tell(const checking *c, const bp_variable *v, const bp_gradient_check *r)
{
  if (c->several)
    answer("%s: ", shown(v->name));
  tell_entries(c, r);
  if (!r->right)
    tell_wrong(c);
  tell_kinks(c);
  tell_taylor(r);
  tell_modes(r);
  if (c->s->verbose) {
    tell_table(c);
    tell_levels(&r->taylor);
  }
}

/* ---- as JSON ---- */

static void json_slope(const char *key, const bp_slope *s)
{
  static const char *const kinds[] = {"right", "kink", "edge", "wrong", "rough"};
  answer(",\"%s\":{\"kind\":\"%s\",\"gradient\":", key, kinds[s->kind]);
  json_number(s->gradient);
  answer(",\"difference\":");
  json_number(s->difference);
  answer(",\"left\":");
  json_number(s->left);
  answer(",\"right\":");
  json_number(s->right);
  answer(",\"h\":");
  json_number(s->step);
  answer(",\"error\":");
  json_number(s->error);
  answer("}");
}

static void json_inputs(const checking *c)
{
  char at[160];
  answer(",\"inputs\":[");
  for (size_t i = 0; i < c->by.n; i++) {
    const bp_gradient_input *in = &c->inputs[i];
    answer("%s{\"name\":", i ? "," : "");
    json_text(c->by.names[i]);
    answer(",\"size\":%lld,\"checked\":%lld,\"wrong\":%lld,\"kinks\":%lld", (long long)in->size,
           (long long)in->checked, (long long)in->wrong, (long long)in->kinks);
    if (in->worst >= 0) {
      answer(",\"worst_at\":");
      json_text(entry_text(c, i, in->worst, at));
      json_slope("worst", &in->at_worst);
    }
    if (in->kink >= 0) {
      answer(",\"kink_at\":");
      json_text(entry_text(c, i, in->kink, at));
      json_slope("kink", &in->at_kink);
    }
    if (in->checked < in->size)
      json_slope("across", &in->across);
    answer("}");
  }
  answer("]");
}

static void json_taylor(const bp_taylor *t)
{
  answer(",\"taylor\":{\"rate\":");
  json_number(t->rate1);
  answer(",\"rate_without_gradient\":");
  json_number(t->rate0);
  answer(",\"kinks_crossed\":%s,\"levels\":[", t->crossed ? "true" : "false");
  for (int k = 0; k < BP_TAYLOR_LEVELS; k++) {
    answer("%s[", k ? "," : "");
    json_number(t->h[k]);
    answer(",");
    json_number(t->r0[k]);
    answer(",");
    json_number(t->r1[k]);
    answer("]");
  }
  answer("]");
  json_slope("along", &t->along);
  answer("}");
}

static void tell_json(const checking *c, const bp_variable *v, const bp_gradient_check *r)
{
  answer("{\"schema\":1,\"output\":");
  json_text(v->name);
  answer(",\"value\":");
  json_number(r->value);
  answer(",\"h\":");
  json_number(r->step);
  answer(",\"gradients\":%lld,\"checked\":%lld,\"wrong\":%lld,\"kinks\":%lld,\"largest_error\":",
         (long long)r->size, (long long)r->checked, (long long)r->wrong, (long long)r->kinks);
  json_number(r->error);
  json_taylor(&r->taylor);
  answer(",\"forward\":");
  json_number(r->forward);
  answer(",\"reverse\":");
  json_number(r->reverse);
  answer(",\"right\":%s", r->right ? "true" : "false");
  json_inputs(c);
  answer("}\n");
}

/* ---- all outputs ---- */

static int check_output(checking *c, const bp_variable *v)
{
  bp_gradient_check r;
  if (v->type.rank > 0)
    say("%s is an array: it is multiplied by random numbers (seed %lld) and summed", v->name,
        (long long)c->s->seed);
  bp_status st = bp_check_gradient(v->node, c->by.nodes, c->by.n, &c->o, &r, c->inputs);
  if (st != BP_OK && st != BP_E_CHECK)
    return st == BP_E_NOTFINITE
               ? fail(END_DIVERGED, "%s is not finite at these values: there is no gradient to check",
                      v->name)
               : fail_status(st, END_DATA);
  if (c->s->json)
    tell_json(c, v, &r);
  else
    tell(c, v, &r);
  return st == BP_OK
             ? END_DONE
             : fail(END_CHECK, "%s%s%s", c->several ? v->name : "", c->several ? ": " : "", bp_error());
}

/* Every real output; a wrong one does not keep the others from being checked. */
static int check_outputs(checking *c)
{
  size_t n = bp_program_outputs(c->e.program), real = 0;
  int end = END_DONE;
  c->several = n > 1;
  for (size_t i = 0; i < n && (!end || end == END_CHECK); i++) {
    bp_variable v;
    bp_status st = bp_program_output(c->e.program, i, &v);
    if (st != BP_OK)
      return expression_fail(&c->e, st);
    if (v.type.dtype != BP_REAL) {
      say("%s is %s, which has no gradient", v.name, bp_dtype_name(v.type.dtype));
      continue;
    }
    real++;
    int one = check_output(c, &v);
    end = one ? one : end;
  }
  return end || real ? end : fail(END_USAGE, "no output is real: there is no gradient to check");
}

int cmd_check(const settings *s)
{
  checking c = {.s = s, .o = {.step = s->step, .entries = s->entries, .seed = (uint64_t)s->seed}};
  bp_ctx *ctx = context_new(s);
  if (!ctx)
    return END_RESOURCES;
  int end = expression_open(&c.e, ctx, s);
  if (!end)
    end = take_values(&c);
  if (!end)
    end = take_wrt(&c);
  if (!end)
    end = check_outputs(&c);
  free(c.inputs);
  free(c.types);
  free(c.values);
  wrt_close(&c.by);
  expression_close(&c.e);
  return context_free(ctx, s, end);
}
