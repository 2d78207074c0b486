#include "matrix.h"
#include "context.h"
#include "show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what is differentiated ---- */

static int take_output(matrix *m, const matrix_command *c, const bp_variable *v)
{
  if (v->type.dtype != BP_REAL)
    return fail(END_USAGE, "%s is %s, and only real values have derivatives", v->name,
                bp_dtype_name(v->type.dtype));
  if (c->one_scalar && bp_node_size(v->node) != 1)
    return fail(END_USAGE, "%s has %lld elements; a Hessian is that of one number, as sum(%s)", v->name,
                (long long)bp_node_size(v->node), v->name);
  m->of[m->n_of] = v->node;
  m->names[m->n_of++] = v->name;
  return END_DONE;
}

static int take_outputs(matrix *m, expression *e, const matrix_command *c)
{
  size_t n = bp_program_outputs(e->program);
  m->of = calloc(n + 1, sizeof *m->of);
  m->names = calloc(n + 1, sizeof *m->names);
  if (!m->of || !m->names)
    return fail_memory();
  if (c->one_scalar && n > 1)
    return fail(END_USAGE, "a Hessian is that of one number, and there are %zu outputs", n);
  int end = END_DONE;
  for (size_t i = 0; i < n && !end; i++) {
    bp_variable v;
    bp_status st = bp_program_output(e->program, i, &v);
    end = st == BP_OK ? take_output(m, c, &v) : expression_fail(e, st);
  }
  return end;
}

/* ---- values of inputs ---- */

/* The value as the Jacobian reads it: a float32 copy where it computes in float32. */
static int input_data(matrix *m, const bp_variable *v, const void **data, size_t *bytes)
{
  int64_t n = bp_node_size(v->node);
  bool narrow = v->type.dtype == BP_REAL && m->info.real == BP_FLOAT32;
  *data = v->data;
  *bytes = (size_t)n * bp_dtype_size(v->type.dtype == BP_REAL ? m->info.real : v->type.dtype);
  if (!narrow || !v->data)
    return END_DONE;
  void *copy = malloc(*bytes + 1);
  if (!copy)
    return fail_memory();
  m->copies[m->n_copies++] = copy;
  *data = copy;
  bp_status st = bp_convert(v->data, BP_STORE_FLOAT64, n, BP_FLOAT32, copy);
  return st == BP_OK ? END_DONE : fail_status(st, END_DATA);
}

static int bind_inputs(matrix *m, expression *e)
{
  size_t n = bp_program_inputs(e->program);
  m->copies = calloc(n + 1, sizeof *m->copies);
  int end = m->copies ? END_DONE : fail_memory();
  for (size_t i = 0; i < n && !end; i++) {
    bp_variable v;
    const void *data = NULL;
    size_t bytes = 0;
    bp_status st = bp_program_input(e->program, i, &v);
    end = st == BP_OK ? input_data(m, &v, &data, &bytes) : expression_fail(e, st);
    if (!end && data && (st = bp_jacobian_bind(m->j, v.name, data, bytes)) != BP_OK)
      end = fail_status(st, END_DATA);
  }
  return end;
}

/* ---- making and evaluating ---- */

static int evaluate(matrix *m, expression *e, const settings *s, const matrix_command *c)
{
  bp_jacobian_options o = {.real = expression_dtype(s), .sweeps = (bp_sweeps)s->sweeps};
  int end = take_outputs(m, e, c);
  if (!end)
    end = wrt_open(&m->by, e, s);
  if (end)
    return end;
  if ((end = expression_valued(e)))
    return end;
  bp_status st = c->make(m, &o, &m->j);
  if (st == BP_OK)
    st = bp_jacobian_info_of(m->j, &m->info);
  if (st != BP_OK)
    return fail_status(st, END_DATA);
  if ((end = bind_inputs(m, e)))
    return end;
  st = bp_jacobian_run(m->j);
  if (st == BP_OK)
    st = bp_jacobian_csr(m->j, &m->start, &m->col, &m->value);
  return st == BP_OK ? END_DONE : fail_status(st, END_DATA);
}

static int save(const matrix *m, const char *path)
{
  bp_status st = path ? bp_jacobian_save(m->j, path) : BP_OK;
  if (st != BP_OK)
    return fail_status(st, st == BP_E_UNSUPPORTED || st == BP_E_LIMIT ? END_USAGE : END_RESOURCES);
  if (path)
    say("%s: %lld x %lld, %lld entries", path, (long long)m->info.rows, (long long)m->info.cols,
        (long long)m->info.entries);
  return END_DONE;
}

double matrix_value(const matrix *m, int64_t entry)
{
  return m->info.real == BP_FLOAT64 ? ((const double *)m->value)[entry]
                                    : (double)((const float *)m->value)[entry];
}

static int64_t nonzeros(const matrix *m)
{
  int64_t n = 0;
  for (int64_t k = 0; k < m->info.entries; k++)
    n += matrix_value(m, k) != 0;
  return n;
}

/* ---- the answer ---- */

/* One row or one column that is full is dense to a person, whatever narrower class it has. */
static const char *class_text(const bp_jacobian_info *i)
{
  bool full = i->entries && i->entries == i->rows * i->cols && i->entries > 1;
  return bp_jac_name(full ? BP_JAC_DENSE : i->kind);
}

static void tell_class(const bp_jacobian_info *i)
{
  if (i->kind == BP_JAC_BLOCK)
    answer("block-diagonal (%lld blocks of %lld x %lld)", (long long)i->blocks,
           (long long)(i->rows / i->blocks), (long long)(i->cols / i->blocks));
  else if (i->kind == BP_JAC_SPARSE && i->below == 1 && i->above == 1)
    answer("tridiagonal");
  else if (i->kind == BP_JAC_SPARSE && i->below + i->above == 1)
    answer("bidiagonal");
  else if (i->kind == BP_JAC_SPARSE && i->below + i->above + 1 <= i->cols / 4)
    answer("banded (%lld below the diagonal, %lld above)", (long long)i->below, (long long)i->above);
  else
    answer("%s", class_text(i));
}

/* "4096 x 4096, diagonal: 4096 entries stored, 2031 nonzero (seed 1); one backward pass" */
static void tell(const matrix *m, expression *e, const matrix_command *c)
{
  uint64_t seed;
  answer("%lld x %lld, ", (long long)m->info.rows, (long long)m->info.cols);
  tell_class(&m->info);
  answer(": %lld entr%s stored, %lld nonzero", (long long)m->info.entries, m->info.entries == 1 ? "y" : "ies",
         (long long)nonzeros(m));
  if (bp_program_drew(e->program, &seed))
    answer(" (seed %llu)", (unsigned long long)seed);
  answer("; ");
  c->passes(&m->info);
  answer("\n");
  matrix_print(m);
}

static void json_names(const char *key, const char *const *names, size_t n)
{
  answer(",\"%s\":[", key);
  for (size_t i = 0; i < n; i++) {
    answer(i ? "," : "");
    json_text(names[i]);
  }
  answer("]");
}

static void json_matrix(const matrix *m)
{
  answer(",\"row_start\":[");
  for (int64_t i = 0; i <= m->info.rows && answer_goes_on(); i++)
    answer(i ? ",%lld" : "%lld", (long long)m->start[i]);
  answer("],\"col\":[");
  for (int64_t k = 0; k < m->info.entries && answer_goes_on(); k++)
    answer(k ? ",%d" : "%d", (int)m->col[k]);
  bp_type t = {m->info.real, 1, {m->info.entries}};
  answer("],\"value\":");
  json_array(&t, m->value);
}

static void tell_json(const matrix *m, expression *e, const settings *s)
{
  uint64_t seed;
  answer("{\"schema\":1,\"rows\":%lld,\"cols\":%lld,\"class\":\"%s\",\"entries\":%lld,\"nonzero\":%lld",
         (long long)m->info.rows, (long long)m->info.cols, class_text(&m->info), (long long)m->info.entries,
         (long long)nonzeros(m));
  answer(",\"below\":%lld,\"above\":%lld,\"forward\":%lld,\"reverse\":%lld", (long long)m->info.below,
         (long long)m->info.above, (long long)m->info.forward, (long long)m->info.reverse);
  if (bp_program_drew(e->program, &seed))
    answer(",\"seed\":%llu", (unsigned long long)seed);
  json_names("of", m->names, m->n_of);
  json_names("wrt", m->by.names, m->by.n);
  if (!s->output)
    json_matrix(m);
  answer("}\n");
}

static void matrix_close(matrix *m)
{
  bp_jacobian_free(m->j);
  for (size_t i = 0; i < m->n_copies; i++)
    free(m->copies[i]);
  free(m->copies);
  free(m->of);
  free(m->names);
  wrt_close(&m->by);
}

int matrix_run(const settings *s, const matrix_command *c)
{
  bp_ctx *ctx = context_new(s);
  if (!ctx)
    return END_RESOURCES;
  expression e;
  matrix m = {0};
  int end = expression_open(&e, ctx, s);
  if (!end)
    end = evaluate(&m, &e, s, c);
  if (!end)
    end = save(&m, s->output);
  if (!end && s->json)
    tell_json(&m, &e, s);
  else if (!end)
    tell(&m, &e, c);
  matrix_close(&m);
  expression_close(&e);
  return context_free(ctx, s, end);
}
