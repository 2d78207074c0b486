/* Draws functions of x and their derivatives. */
#include "cmd.h"
#include "context.h"
#include "expression.h"
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

/* "relu" means relu(x); anything else is an expression in x. */
static bp_status read_function(bp_program *program, const char *word)
{
  char call[160];
  if (!bp_op_find(word))
    return bp_program_read(program, "expression", word, strlen(word));
  snprintf(call, sizeof call, "%s(x)", word);
  return bp_program_read(program, "operation", call, strlen(call));
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
  if (st == BP_OK) {
    y.node = bp_cast(y.node,
                     BP_REAL); /* 3 is a whole number, and x > 0 a truth: both are drawn, with the slope 0 */
    st = curve_of(p, program, y.node, false, "", word, "");
  }
  if (st == BP_OK)
    st = bp_grad(y.node, &x, 1, &slope);
  if (st == BP_OK)
    st = curve_of(p, program, bp_add(slope, bp_sub(y.node, y.node)), true, name ? "" : "d/dx ", word,
                  name ? "\xe2\x80\xb2" : "");
  p->functions++;
  return st;
}

/* x first; then words name=value, which are for every function that uses the name; then the function. */
static int read_words(plotting *p, expression *e, const char *word)
{
  bp_status st = bp_program_set(e->program, "x", "x", "0.5", 3); /* an input; its value is never used */
  int end = st == BP_OK ? END_DONE : expression_fail(e, st);
  for (int i = 0; i < p->s->n_inputs && !end; i++)
    if (is_value(p->s->inputs[i]))
      end = expression_value(e, p->s, p->s->inputs[i]);
  if (!end && (st = read_function(e->program, word)) != BP_OK)
    end = expression_fail(e, st);
  return end;
}

static int add_function(plotting *p, const char *word)
{
  expression e;
  if (p->functions == MOST_FUNCTIONS)
    return fail(END_USAGE, "at most %d functions go into one picture", MOST_FUNCTIONS);
  int end = expression_begin(&e, p->ctx, p->s);
  if (!end)
    end = read_words(p, &e, word);
  bp_variable y;
  if (!end && bp_program_output(e.program, bp_program_outputs(e.program) - 1, &y) == BP_OK && y.type.rank > 0)
    end = fail(END_DATA, "%s: it is an array at each x; a curve is of one number, as sum(...) or one element",
               word);
  if (!end) {
    bp_status st = add_curves(p, e.program, word);
    end = st == BP_OK        ? END_DONE
          : st == BP_E_NOMEM ? fail_memory()
                             : fail(END_DATA, "%s: %s", word, bp_error());
  }
  expression_close(&e);
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
