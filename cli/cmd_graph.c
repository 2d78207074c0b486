/* Draws a program as a circuit. */
#include "cmd.h"
#include "context.h"
#include "expression.h"
#include "picfile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { STORY = 200 };

typedef struct drawing {
  expression *e;
  const settings *s;
  bp_node *y, *real; /* outputs; those that have gradients */
  const char **names;
  size_t n, n_real;
  bp_trace *trace;
  bp_circuit_options options;
} drawing;

/* ---- what is drawn ---- */

static int list_outputs(drawing *d)
{
  d->n = bp_program_outputs(d->e->program);
  d->y = calloc(d->n + 1, sizeof *d->y);
  d->real = calloc(d->n + 1, sizeof *d->real);
  d->names = calloc(d->n + 1, sizeof *d->names);
  if (!d->y || !d->real || !d->names)
    return fail_memory();
  for (size_t i = 0; i < d->n; i++) {
    bp_variable v;
    bp_status st = bp_program_output(d->e->program, i, &v);
    if (st != BP_OK)
      return expression_fail(d->e, st);
    d->y[i] = v.node;
    d->names[i] = v.name;
    if (v.type.dtype == BP_REAL)
      d->real[d->n_real++] = v.node;
  }
  return d->n ? END_DONE : fail(END_DATA, "%s computes nothing", d->e->text);
}

/* Values and gradients; none where an input has no value. */
static int trace_outputs(drawing *d)
{
  bp_trace_options o = {.real = expression_dtype(d->s)};
  const char *unvalued = expression_unvalued(d->e);
  if (!d->n_real)
    return END_DONE;
  if (unvalued) {
    say("drawn without values: %s has no value; give it one, as %s=3", unvalued, unvalued);
    return END_DONE;
  }
  bp_trace *t = NULL;
  bp_status st = bp_trace_new(d->real, d->n_real, &o, &t);
  d->trace = t;
  if (st == BP_OK)
    st = bp_program_bind(d->e->program, bp_trace_plan_run(d->trace));
  if (st == BP_OK)
    st = bp_trace_run(d->trace);
  return st == BP_OK ? END_DONE : fail_status(st, END_DATA);
}

static void set_options(drawing *d)
{
  const settings *s = d->s;
  d->options = (bp_circuit_options){
      .trace = d->trace,
      .bundles = s->bundle     ? BP_BUNDLES_FOUND
                 : s->unbundle ? BP_BUNDLES_OPEN
                               : BP_BUNDLES_GIVEN,
      .names = d->names,
      .title = d->e->from_file ? NULL : d->e->text,
      .most = s->most,
      .all = s->all,
  };
}

/* ---- what is told of it ---- */

/* "the last four drawn as one sigmoid" */
static void tell_bundles(const bp_circuit_size *z, char *text, size_t size)
{
  char many[32], boxes[32];
  snprintf(text, size, "%s%s drawn as %s %s", z->bundled_last ? "the last " : "",
           number_word((int64_t)z->bundled, many), number_word((int64_t)z->bundles, boxes),
           z->bundle ? z->bundle : "bundles");
}

static void tell(const drawing *d, const bp_circuit_size *z, char *story)
{
  bp_circuit_size found = {0};
  bp_circuit_options o = d->options;
  char bundles[96], in[32], nodes[32];
  o.bundles = BP_BUNDLES_FOUND;
  o.trace = NULL;
  int at =
      snprintf(story, STORY, "%s input%s, %s node%s", with_commas((int64_t)z->inputs, in),
               z->inputs == 1 ? "" : "s", with_commas((int64_t)z->nodes, nodes), z->nodes == 1 ? "" : "s");
  bool known = bp_circuit_count(d->y, d->n, &o, &found) == BP_OK && found.bundles;
  size_t drawn = z->nodes - z->bundled + z->bundles;
  if (known)
    tell_bundles(&found, bundles, sizeof bundles);
  if (known && d->s->bundle)
    at += snprintf(story + at, STORY - (size_t)at, "; with --bundle %zu, %s", drawn, bundles);
  else if (known && !d->s->unbundle)
    at += snprintf(story + at, STORY - (size_t)at, " (with --bundle: %zu, %s)",
                   found.nodes - found.bundled + found.bundles, bundles);
  if (z->drawn < drawn)
    snprintf(story + at, STORY - (size_t)at, "; drawn in %zu box%s (--all draws every node)", z->drawn,
             z->drawn == 1 ? "" : "es");
}

static void tell_json(const bp_circuit_size *z, const char *file)
{
  answer("{\"schema\":1,\"file\":");
  json_text(file);
  answer(",\"inputs\":%zu,\"nodes\":%zu,\"drawn\":%zu,\"bundles\":%zu,\"bundled\":%zu}\n", z->inputs,
         z->nodes, z->drawn, z->bundles, z->bundled);
}

/* ---- where it goes ---- */

static int write_dot(const drawing *d, bp_circuit_size *z)
{
  char *text = NULL;
  bp_status st = bp_circuit_dot(d->y, d->n, &d->options, &text, z);
  if (st == BP_OK && d->s->output)
    st = bp_save_file(d->e->ctx, d->s->output, text, strlen(text));
  else if (st == BP_OK)
    answer("%s", text);
  bp_free(d->e->ctx, text);
  return st == BP_OK ? END_DONE : fail_status(st, st == BP_E_IO ? END_RESOURCES : END_DATA);
}

static int write_picture(const drawing *d, bp_circuit_size *z)
{
  bp_picture *p = NULL;
  bp_status st = bp_circuit(d->y, d->n, &d->options, &p, z);
  int end = st == BP_OK ? END_DONE : fail_status(st, END_DATA);
  if (!end && !(d->s->json && !d->s->output))
    end = picture_out(d->e->ctx, d->s, p);
  bp_picture_free(p);
  return end;
}

static int draw(drawing *d)
{
  char story[STORY] = "";
  bp_circuit_size z = {0};
  int end = list_outputs(d);
  if (!end)
    end = trace_outputs(d);
  if (end)
    return end;
  set_options(d);
  end = d->s->dot ? write_dot(d, &z) : write_picture(d, &z);
  if (end)
    return end;
  tell(d, &z, story);
  if (d->s->json)
    tell_json(&z, d->s->output);
  else if (d->s->output)
    answer("%s: %s\n", shown(d->s->output), story);
  else
    say("%s", story);
  return END_DONE;
}

static bool named_as_picture(const char *path)
{
  size_t n = strlen(path);
  return n > 4 && (strcasecmp(path + n - 4, ".svg") == 0 || strcasecmp(path + n - 4, ".png") == 0);
}

int cmd_graph(const settings *s)
{
  if (s->bundle && s->unbundle)
    return fail(END_USAGE, "--bundle and --unbundle are opposites; give one of them");
  if (s->dot && s->output && named_as_picture(s->output))
    return fail(END_USAGE, "%s: --dot writes text for Graphviz, not a picture; call it NAME.dot", s->output);
  bp_ctx *ctx = context_new(s);
  expression e;
  if (!ctx)
    return END_RESOURCES;
  drawing d = {.e = &e, .s = s};
  int end = expression_open(&e, ctx, s);
  if (!end)
    end = draw(&d);
  bp_trace_free(d.trace);
  free(d.y);
  free(d.real);
  free(d.names);
  expression_close(&e);
  bp_ctx_free(ctx);
  return end;
}
