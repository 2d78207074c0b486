/* The gradient of a scalar program by all its inputs, in float64, on a warm plan. bench/scalar.c says what the file looks like. */
#include "ours.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct circuit {
  planned p;
  double *x;
  bp_node *at;
  size_t n_inputs, n_nodes;
} circuit;

static void close_circuit(void *work)
{
  circuit *c = work;
  planned_close(&c->p);
  free(c->x);
  free(c->at);
  free(c);
}

static bool read_head(circuit *c, FILE *f)
{
  if (!f || fscanf(f, "%zu %zu", &c->n_inputs, &c->n_nodes) != 2 || c->n_inputs + c->n_nodes > 100000000)
    return false;
  c->x = zeros(c->n_inputs, sizeof *c->x);
  c->at = zeros(c->n_inputs + c->n_nodes, sizeof *c->at);
  for (size_t i = 0; i < c->n_inputs; i++)
    if (fscanf(f, "%lf ", &c->x[i]) != 1)
      return false;
  return true;
}

static bp_status read_nodes(circuit *c, FILE *f, bp_graph *g)
{
  char name[32], line[128];
  for (size_t i = 0; i < c->n_inputs; i++) {
    snprintf(name, sizeof name, "x%zu", i);
    c->at[i] = bp_input(g, name, BP_REAL, 0, NULL);
  }
  for (size_t i = c->n_inputs; i < c->n_inputs + c->n_nodes && fgets(line, sizeof line, f); i++) {
    size_t operand[2] = {0, 0};
    int arity = sscanf(line, "%31s %zu %zu", name, &operand[0], &operand[1]) - 1;
    if (arity < 1 || operand[0] >= i || operand[1] >= i)
      return BP_E_FORMAT;
    bp_node in[2] = {c->at[operand[0]], c->at[operand[1]]};
    bp_status s = bp_apply(NULL, bp_op_find(name), in, (size_t)arity, NULL, &c->at[i]);
    if (s != BP_OK)
      return s;
  }
  return BP_OK;
}

static bp_status bind_all(circuit *c)
{
  char name[32];
  bp_status s = bp_run_new(c->p.plan, NULL, &c->p.run);
  for (size_t i = 0; i < c->n_inputs && s == BP_OK; i++) {
    snprintf(name, sizeof name, "x%zu", i);
    s = bp_run_bind(c->p.run, name, &c->x[i], sizeof *c->x);
    s = s == BP_E_NOTFOUND ? BP_OK : s;
  }
  return s;
}

static bp_status compile(circuit *c, FILE *f)
{
  bp_graph *g = bp_graph_new(c->p.ctx);
  bp_node *out = zeros(c->n_inputs + 1, sizeof *out);
  bp_status s = read_nodes(c, f, g);
  out[0] = c->at[c->n_inputs + c->n_nodes - 1];
  if (s == BP_OK)
    s = bp_grad(out[0], c->at, c->n_inputs, out + 1);
  bp_plan_options o = {.real = BP_FLOAT64, .outputs = out, .n_outputs = c->n_inputs + 1};
  if (s == BP_OK)
    s = bp_plan_new(g, &o, &c->p.plan);
  bp_graph_free(g);
  free(out);
  return s == BP_OK ? bind_all(c) : s;
}

static void *open_circuit(const request *r, const char **why)
{
  circuit *c = zeros(1, sizeof *c);
  FILE *f = fopen(request_text(r, "file", ""), "r");
  bool good = read_head(c, f);
  c->p.ctx = context_of(r);
  bp_status s = good ? compile(c, f) : BP_E_FORMAT;
  if (f)
    fclose(f);
  if (s == BP_OK)
    return c;
  *why = good ? because() : "its program cannot be read";
  close_circuit(c);
  return NULL;
}

static double run_circuit(void *work, long times)
{
  circuit *c = work;
  return run_planned(&c->p, times);
}

static bool check_circuit(void *work, const char *path, char *said, size_t room)
{
  circuit *c = work;
  double *g = zeros(c->n_inputs, sizeof *g), value;
  bool good = bp_run_step(c->p.run) == BP_OK && bp_run_get(c->p.run, 0, &value, 1) == BP_OK;
  for (size_t i = 0; i < c->n_inputs && good; i++)
    good = bp_run_get(c->p.run, i + 1, &g[i], 1) == BP_OK;
  snprintf(said, room, "loss=%.17g", value);
  good = good && write_raw(path, g, c->n_inputs, sizeof *g);
  free(g);
  return good;
}

const work_kind circuit_kind = {"circuit", open_circuit, run_circuit, check_circuit, close_circuit};
