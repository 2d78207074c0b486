/* Runs a program and prints what it computes. */
#include "cmd.h"
#include "context.h"
#include "expression.h"
#include "show.h"

#include <stdlib.h>

/* Inputs first, then outputs; `values` are in the same order. */
typedef struct listing {
  bp_node *nodes;
  const char **names;
  size_t n_inputs, n;
} listing;

static int list_nodes(expression *e, bool inputs, listing *l)
{
  l->n_inputs = inputs ? bp_program_inputs(e->program) : 0;
  l->n = l->n_inputs + bp_program_outputs(e->program);
  l->nodes = calloc(l->n, sizeof *l->nodes);
  l->names = calloc(l->n, sizeof *l->names);
  if (!l->nodes || !l->names)
    return fail_memory();
  for (size_t i = 0; i < l->n; i++) {
    bp_variable v;
    bp_status st = i < l->n_inputs ? bp_program_input(e->program, i, &v)
                                   : bp_program_output(e->program, i - l->n_inputs, &v);
    if (st != BP_OK)
      return expression_fail(e, st);
    l->nodes[i] = v.node;
    l->names[i] = v.name;
  }
  return END_DONE;
}

static void print_json(bp_run *run, const listing *l)
{
  answer("{\"schema\":1");
  for (size_t i = 0; i < l->n && answer_goes_on(); i++) {
    const void *data;
    bp_type t;
    if (bp_run_output(run, i, &data, &t) != BP_OK)
      break;
    if (i == 0 || i == l->n_inputs)
      answer(",\"%s\":[", i < l->n_inputs ? "inputs" : "outputs");
    else
      answer(",");
    answer("{\"name\":");
    json_text(l->names[i]);
    answer(",\"dtype\":\"%s\",\"shape\":", bp_dtype_name(t.dtype));
    json_shape(&t);
    answer(",\"value\":");
    json_array(&t, data);
    answer("}");
    if (i + 1 == l->n_inputs || i + 1 == l->n)
      answer("]");
  }
  answer("}\n");
}

static void print_plain(bp_run *run, const listing *l)
{
  for (size_t i = 0; i < l->n && answer_goes_on(); i++) {
    const void *data;
    bp_type t;
    if (bp_run_output(run, i, &data, &t) == BP_OK)
      show_array(l->names[i], &t, data);
  }
}

static int print_text(expression *e, const listing *l)
{
  char *text = NULL;
  bp_status st = bp_program_print(e->graph, l->nodes, l->n, e->program, &text);
  if (st != BP_OK)
    return fail_status(st, END_DATA);
  answer("%s", text);
  bp_free(e->ctx, text);
  return END_DONE;
}

static int run_program(expression *e, const settings *s)
{
  listing l = {0};
  bp_plan *plan = NULL;
  bp_run *run = NULL;
  int end = list_nodes(e, s->json && !s->print_program, &l);
  if (!end && s->print_program)
    end = print_text(e, &l);
  else if (!end)
    end = expression_run(e, expression_dtype(s), l.nodes, l.n, &plan, &run);
  if (run && !end && s->json)
    print_json(run, &l);
  else if (run && !end)
    print_plain(run, &l);
  bp_run_free(run);
  bp_plan_free(plan);
  free(l.nodes);
  free(l.names);
  return end;
}

int cmd_run(const settings *s)
{
  bp_ctx *ctx = context_new(s);
  if (!ctx)
    return END_RESOURCES;
  expression e;
  int end = expression_open(&e, ctx, s);
  if (!end)
    end = run_program(&e, s);
  expression_close(&e);
  return context_free(ctx, s, end);
}
