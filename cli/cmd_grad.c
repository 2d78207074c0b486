/* Gradients of what a program computes. */
#include "cmd.h"
#include "cells.h"
#include "context.h"
#include "expression.h"
#include "show.h"
#include "steps.h"
#include "wrt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the answer ---- */

enum { BLOCK_ROWS = 10, BLOCK_COLS = 5, NUMBER_WIDE = 10 };

static double mean_of(const array_view *a)
{
  double sum = 0;
  for (int64_t i = 0; i < a->size; i++)
    sum += array_at(a, i);
  return sum / (double)a->size;
}

static void tell_summary(const char *what, const array_view *a)
{
  char cell[CELL_TEXT], mean[NUMBER_TEXT];
  answer("  %-9s %s, mean %s\n", what, elements_cell(a, cell, sizeof cell), brief_text(mean_of(a), mean));
}

/* Rows and columns of an array as it is printed: a short vector is a row. */
static void as_block(const array_view *a, int64_t *rows, int64_t *cols)
{
  *cols = a->type.rank == 0                           ? 1
          : a->type.rank == 1 && a->size > BLOCK_COLS ? 1
                                                      : a->type.dims[a->type.rank - 1];
  *rows = *cols ? a->size / *cols : 0;
}

static int at_least(int n, int width)
{
  return n > width ? n : width;
}

/* Of a column: as wide as its longest number, and a blank. */
static int column_width(const array_view *a)
{
  char number[NUMBER_TEXT];
  int width = NUMBER_WIDE;
  for (int64_t i = 0; i < a->size; i++)
    width = at_least((int)strlen(places_text(array_at(a, i), a->type.dtype, number)) + 1, width);
  return width;
}

static void tell_row(const array_view *a, int64_t row, int64_t cols, int width)
{
  char number[NUMBER_TEXT];
  for (int64_t k = 0; k < cols; k++)
    answer("%*s", width, places_text(array_at(a, row * cols + k), a->type.dtype, number));
}

/* Small arrays in full, value and gradient side by side; of others the range and mean. gradient may be NULL. */
static void tell_array(const char *name, const array_view *value, const array_view *gradient)
{
  char dims[CELL_TEXT];
  int64_t rows, cols;
  dims_text(&value->type, dims, sizeof dims);
  answer("%s %s\n", shown(name), dims);
  as_block(value, &rows, &cols);
  if (value->size == 0)
    return;
  if (value->type.rank > 2 || rows > BLOCK_ROWS || cols > BLOCK_COLS) {
    tell_summary("value", value);
    if (gradient)
      tell_summary("gradient", gradient);
    return;
  }
  int wide = column_width(value), other = gradient ? column_width(gradient) : 0;
  if (gradient)
    answer("%*s%*s\n", (int)cols * wide, "value", (int)cols * other + 4, "gradient");
  for (int64_t r = 0; r < rows; r++) {
    tell_row(value, r, cols, wide);
    if (gradient) {
      answer("    ");
      tell_row(gradient, r, cols, other);
    }
    answer("\n");
  }
}

static void tell_output(const char *name, const array_view *y)
{
  char number[NUMBER_TEXT];
  if (y->size == 1)
    answer("%s = %s\n", shown(name), number_text(array_at(y, 0), number));
  else
    tell_array(name, y, NULL);
}

/* Scalars: a line each. */
static void tell_scalars(const wrt_list *b, bp_run *run)
{
  int width = 4, wide = 8, other = 9;
  char number[2][NUMBER_TEXT];
  bool any = false;
  for (int printing = 0; printing <= (any ? 1 : 0); printing++) {
    if (printing)
      answer("%-*s %*s %*s\n", width, "name", wide - 1, "value", other + 2, "gradient");
    for (size_t i = 0; i < b->n && answer_goes_on(); i++) {
      array_view x = output_of(run, 1 + 2 * i), g = output_of(run, 2 + 2 * i);
      if (x.type.rank > 0)
        continue;
      const char *name = shown(b->names[i]), *value = places_text(array_at(&x, 0), x.type.dtype, number[0]),
                 *gradient = places_text(array_at(&g, 0), g.type.dtype, number[1]);
      any = true;
      width = at_least((int)strlen(name), width);
      wide = at_least((int)strlen(value), wide);
      other = at_least((int)strlen(gradient), other);
      if (printing)
        answer("%-*s %*s  %*s\n", width, name, wide, value, other, gradient);
    }
  }
}

/* Outputs of the run: y, then values and gradients by turns. Scalars make a table, arrays follow. */
static void tell_gradients(const wrt_list *b, bp_run *run)
{
  tell_scalars(b, run);
  for (size_t i = 0; i < b->n && answer_goes_on(); i++) {
    array_view x = output_of(run, 1 + 2 * i), g = output_of(run, 2 + 2 * i);
    if (x.type.rank > 0)
      tell_array(b->names[i], &x, &g);
  }
}

static void json_value(const char *kind, const char *of, const char *name, const array_view *value,
                       const array_view *gradient)
{
  answer("{\"schema\":1,\"kind\":\"%s\"", kind);
  if (of) {
    answer(",\"of\":");
    json_text(of);
  }
  answer(",\"name\":");
  json_text(name);
  answer(",\"shape\":");
  json_shape(&value->type);
  answer(",\"value\":");
  json_view(value);
  if (gradient) {
    answer(",\"gradient\":");
    json_view(gradient);
  }
  answer("}\n");
}

static void json_gradients(const char *of, const wrt_list *b, bp_run *run)
{
  array_view y = output_of(run, 0);
  json_value("output", NULL, of, &y, NULL);
  for (size_t i = 0; i < b->n && answer_goes_on(); i++) {
    array_view x = output_of(run, 1 + 2 * i), g = output_of(run, 2 + 2 * i);
    json_value("gradient", of, b->names[i], &x, &g);
  }
}

/* ---- one output ---- */

/* What NumPy's rules make of a shape: equal dims or 1, counted from the right. */
static bool broadcasts(const bp_type *from, const bp_type *to)
{
  if (from->rank > to->rank)
    return false;
  for (int i = 1; i <= from->rank; i++)
    if (from->dims[from->rank - i] != 1 && from->dims[from->rank - i] != to->dims[to->rank - i])
      return false;
  return true;
}

static int read_upstream(expression *e, const settings *s, const bp_variable *y, bp_node *up)
{
  static const char name[] = "upstream__";
  char is[CELL_TEXT], wants[CELL_TEXT];
  bp_type type;
  bp_status st = bp_program_set(e->program, name, "--upstream", s->upstream, strlen(s->upstream));
  if (st != BP_OK)
    return expression_fail(e, st);
  *up = bp_program_find(e->program, name);
  st = bp_node_type(*up, &type);
  if (st != BP_OK)
    return fail_status(st, END_DATA);
  dims_text(&type, is, sizeof is);
  dims_text(&y->type, wants, sizeof wants);
  if (type.dtype != BP_REAL)
    return fail(END_USAGE, "--upstream is %s; it takes real numbers", bp_dtype_name(type.dtype));
  if (!broadcasts(&type, &y->type))
    return fail(END_USAGE, "--upstream has shape %s, which does not broadcast to that of %s, %s", is, y->name,
                wants);
  *up = bp_broadcast(*up, y->type.dims, y->type.rank);
  return END_DONE;
}

/* A gradient belongs to one number. */
static int check_output(const settings *s, const bp_variable *y)
{
  char dims[CELL_TEXT];
  int64_t size = array_of(NULL, &y->type).size;
  dims_text(&y->type, dims, sizeof dims);
  if (y->type.dtype != BP_REAL)
    return fail(END_USAGE, "%s is %s, and only real values have gradients", y->name,
                bp_dtype_name(y->type.dtype));
  if (size != 1 && !s->upstream)
    return fail(
        END_USAGE,
        "%s has shape %s: a gradient belongs to one number. Take sum(...) or one element, or say with "
        "--upstream how much each element counts (--upstream 1: all the same); bprop jacobian shows every "
        "derivative of every element",
        y->name, dims);
  return END_DONE;
}

static int trace_steps(expression *e, const settings *s, const char *of, const bp_node *y, const bp_node *up,
                       const bp_node *wrt, size_t n)
{
  bp_trace *t = NULL;
  bp_trace_options o = {.real = expression_dtype(s), .wrt = wrt, .n_wrt = n, .upstream = up};
  int end = expression_valued(e);
  if (end)
    return end;
  bp_status st = bp_trace_new(y, 1, &o, &t);
  if (st == BP_OK)
    st = bp_program_bind(e->program, bp_trace_plan_run(t));
  if (st == BP_OK)
    st = bp_trace_run(t);
  end = st != BP_OK ? fail_status(st, END_DATA)
        : s->json   ? steps_json(t, e->program, of)
                    : steps_tell(t, e->program, of);
  bp_trace_free(t);
  return end;
}

/* The same in a graph without bundles. */
static int trace_parts(expression *e, const settings *s, const char *of, const bp_node *y, const bp_node *up,
                       const wrt_list *b)
{
  bp_graph *g = NULL;
  bp_node *nodes = calloc(2 * (b->n + 2), sizeof *nodes), *parts = nodes ? nodes + b->n + 2 : NULL;
  if (!nodes)
    return fail_memory();
  nodes[0] = *y;
  nodes[1] = *up;
  memcpy(nodes + 2, b->nodes, b->n * sizeof *nodes);
  bp_status st = bp_unbundle(nodes, b->n + 2, 0, NULL, NULL, &g, parts);
  int end =
      st == BP_OK ? trace_steps(e, s, of, &parts[0], &parts[1], parts + 2, b->n) : fail_status(st, END_DATA);
  bp_graph_free(g);
  free(nodes);
  return end;
}

static int tell_steps(expression *e, const settings *s, const bp_variable *y, const wrt_list *b, bp_node up)
{
  return s->unbundle ? trace_parts(e, s, y->name, &y->node, &up, b)
                     : trace_steps(e, s, y->name, &y->node, &up, b->nodes, b->n);
}

static int grad_of(expression *e, const settings *s, const bp_variable *y, const wrt_list *b)
{
  bp_plan *plan = NULL;
  bp_run *run = NULL;
  bp_node *outputs = calloc(3 * b->n + 1, sizeof *outputs), *grads = outputs + 2 * b->n + 1;
  bp_node up = BP_NO_NODE;
  uint32_t mark = bp_graph_mark(e->graph);
  int end = !outputs ? fail_memory() : END_DONE;
  if (!end && s->upstream)
    end = read_upstream(e, s, y, &up);
  else if (!end)
    up = bp_full(e->graph, BP_REAL, 1, y->type.rank, y->type.dims);
  if (!end && bp_vjp(&y->node, &up, 1, b->nodes, b->n, grads) != BP_OK)
    end = fail(END_DATA, "%s", bp_error());
  if (!end) {
    outputs[0] = y->node;
    for (size_t i = 0; i < b->n; i++) {
      outputs[1 + 2 * i] = b->nodes[i];
      outputs[2 + 2 * i] = grads[i];
    }
    end = expression_run(e, expression_dtype(s), outputs, 2 * b->n + 1, &plan, &run);
  }
  if (!end) {
    array_view value = output_of(run, 0);
    if (s->json)
      json_gradients(y->name, b, run);
    else
      tell_output(y->name, &value);
    end = s->steps ? tell_steps(e, s, y, b, up) : END_DONE;
    if (!end && !s->json)
      tell_gradients(b, run);
  }
  bp_run_free(run);
  bp_plan_free(plan);
  free(outputs);
  if (!s->upstream) /* the program keeps what --upstream is; that belongs to one output */
    bp_graph_rollback(e->graph, mark);
  return end;
}

static int grad_all(expression *e, const settings *s)
{
  wrt_list b;
  bp_variable y;
  size_t n = bp_program_outputs(e->program);
  int end = wrt_open(&b, e, s);
  if (!end && n > 1 && s->upstream)
    end = fail(END_USAGE, "--upstream belongs to one output, and there are %zu", n);
  for (size_t i = 0; i < n && !end; i++)
    end = bp_program_output(e->program, i, &y) == BP_OK ? check_output(s, &y)
                                                        : fail_status(BP_E_INTERNAL, END_DATA);
  for (size_t i = 0; i < n && !end && answer_goes_on(); i++) {
    if (i && !s->json)
      answer("\n");
    end = bp_program_output(e->program, i, &y) == BP_OK ? grad_of(e, s, &y, &b)
                                                        : fail_status(BP_E_INTERNAL, END_DATA);
  }
  wrt_close(&b);
  return end;
}

int cmd_grad(const settings *s)
{
  bp_ctx *ctx = context_new(s);
  expression e;
  if (!ctx)
    return END_RESOURCES;
  int end = expression_open(&e, ctx, s);
  if (!end)
    end = grad_all(&e, s);
  expression_close(&e);
  return context_free(ctx, s, end);
}
