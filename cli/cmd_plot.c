/* Draws functions of x and their derivatives. */
#include "cmd.h"
#include "context.h"
#include "picfile.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_FUNCTIONS = 8 };

typedef struct plotting {
  bp_ctx *ctx;
  const settings *s;
  bp_series series[2 * MOST_FUNCTIONS];
  char *label[2 * MOST_FUNCTIONS];
  size_t n;
  int functions;
} plotting;

/* name=value, but not a == b. */
static bool is_value(const char *word)
{
  size_t n = 0;
  while (isalnum((unsigned char)word[n]) || word[n] == '_')
    n++;
  return n && !isdigit((unsigned char)word[0]) && word[n] == '=' && word[n + 1] != '=';
}

/* Words name=value are for every function that uses the name. */
static bp_status set_values(const settings *s, bp_program *program)
{
  bp_status st = BP_OK;
  for (int i = 0; i < s->n_inputs && st == BP_OK; i++) {
    const char *word = s->inputs[i], *equal = strchr(word, '=');
    char name[128];
    if (!is_value(word))
      continue;
    snprintf(name, sizeof name, "%.*s", (int)(equal - word), word);
    st = bp_program_set(program, name, word, equal + 1, strlen(equal + 1));
  }
  return st;
}

/* "relu" means relu(x); anything else is an expression in x. */
static bp_status read_function(bp_program *program, const char *word)
{
  char call[160];
  if (!bp_op_find(word))
    return bp_program_read(program, "expression", word, strlen(word));
  snprintf(call, sizeof call, "%s(x)", word);
  return bp_program_read(program, "operation", call, strlen(call));
}

static int told(const bp_program *program, const char *word, bp_status st)
{
  const char *why = program ? bp_program_error(program) : "";
  if (st == BP_E_NOMEM)
    return fail_memory();
  if (!*why)
    return fail(END_DATA, "%s: %s", word, bp_error());
  fprintf(stderr, "bprop: %s\n", why); /* several lines, and each is clean already */
  return END_DATA;
}

/* One curve; its label is before, word, after. */
static bp_status curve_of(plotting *p, bp_program *program, bp_node y, bool derivative, const char *before,
                          const char *word, const char *after)
{
  double *xs, *ys;
  size_t n, room = strlen(before) + strlen(word) + strlen(after) + 1;
  bp_status st = bp_curve(y, bp_program_find(program, "x"), program, p->s->from, p->s->to, 0, &xs, &ys, &n);
  if (st != BP_OK)
    return st;
  char *label = malloc(room);
  if (label)
    snprintf(label, room, "%s%s%s", before, word, after);
  p->series[p->n] =
      (bp_series){label, xs, ys, n, derivative ? BP_STROKE_DASHED : BP_STROKE_LINE, p->functions + 1};
  p->label[p->n++] = label;
  return label ? BP_OK : BP_E_NOMEM;
}

/* The function and, dashed, its derivative, which has a gap wherever the function has none. */
static bp_status add_curves(plotting *p, bp_program *program, const char *word)
{
  bp_variable y;
  bp_node slope, x = bp_program_find(program, "x");
  bool name = bp_op_find(word) != NULL;
  bp_status st = bp_program_output(program, bp_program_outputs(program) - 1, &y);
  if (st == BP_OK)
    st = curve_of(p, program, y.node, false, "", word, "");
  if (st == BP_OK)
    st = bp_grad(y.node, &x, 1, &slope);
  if (st == BP_OK)
    st = curve_of(p, program, bp_add(slope, bp_sub(y.node, y.node)), true, name ? "" : "d/dx ", word,
                  name ? "\xe2\x80\xb2" : "");
  p->functions++;
  return st;
}

static int add_function(plotting *p, const char *word)
{
  if (p->functions == MOST_FUNCTIONS)
    return fail(END_USAGE, "at most %d functions go into one picture", MOST_FUNCTIONS);
  bp_graph *g = bp_graph_new(p->ctx);
  bp_program *program = g ? bp_program_new(g, NULL) : NULL;
  bp_status st = program ? BP_OK : BP_E_NOMEM;
  if (st == BP_OK)
    st = bp_program_set(program, "x", "x", "0.5", 3); /* an input; its value is never used */
  if (st == BP_OK)
    st = set_values(p->s, program);
  if (st == BP_OK)
    st = read_function(program, word);
  if (st == BP_OK)
    st = add_curves(p, program, word);
  int end = st == BP_OK ? END_DONE : told(program, word, st);
  bp_program_free(program);
  bp_graph_free(g);
  return end;
}

static int draw_curves(plotting *p)
{
  char what[96];
  bool one = p->functions == 1;
  bp_picture *picture = NULL;
  bp_plot_options o = {.title = one ? p->series[0].label : NULL,
                       .x_label = "x",
                       .y_label = "f(x), f\xe2\x80\xb2(x)",
                       .x_lo = p->s->from,
                       .x_hi = p->s->to,
                       .poles = true};
  bp_status st = bp_plot(p->ctx, &o, p->series, p->n, &picture);
  snprintf(what, sizeof what, "%d function%s of x from %g to %g, with derivative%s", p->functions,
           one ? "" : "s", p->s->from, p->s->to, one ? "" : "s");
  return picture_done(p->ctx, p->s, st, picture, END_DATA, what);
}

int cmd_plot(const settings *s)
{
  plotting p = {.s = s};
  int end = END_DONE;
  for (int i = 0; i < s->n_inputs; i++)
    if (is_value(s->inputs[i]) && !strncmp(s->inputs[i], "x=", 2))
      return fail(END_USAGE, "x runs from --from to --to; it has no value of its own");
  if (!(s->from < s->to))
    return fail(END_USAGE, "--from: %g is not under --to, %g", s->from, s->to);
  p.ctx = context_new(s);
  if (!p.ctx)
    return END_RESOURCES;
  for (int i = 0; i < s->n_inputs && !end; i++)
    if (!is_value(s->inputs[i]))
      end = add_function(&p, s->inputs[i]);
  if (!end && !p.n)
    end = fail(END_USAGE, "no function is named: bprop plot relu 'x*sin(x)'");
  if (!end)
    end = draw_curves(&p);
  for (size_t i = 0; i < p.n; i++) {
    bp_free(p.ctx, (void *)p.series[i].x);
    bp_free(p.ctx, (void *)p.series[i].y);
    free(p.label[i]);
  }
  bp_ctx_free(p.ctx);
  return end;
}
