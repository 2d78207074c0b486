/* Random programs in the language over the whole operation table, made and worked out by tests/programs/generate.py with NumPy: values
 * agree, gradients are central differences, and reverse mode is forward mode. And the proof that this bites: a formula of NumPy's that
 * is a millionth off is noticed, whatever row it is of.
 *
 * An argument is the number of programs, a second one the seed. */
#include "bprop.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define SAME      1e-9 /* values, and forward against reverse mode */
#define DIFFERENT 1e-7 /* gradients against central differences */

enum { MOST = 24, NAME_MAX_BYTES = 64, SKIPPED = 77 };

static unsigned n_programs = 500, first_seed = 1;

/* ---- what the generator says of a program ---- */

typedef struct series {
  double *at;
  size_t n;
} series;

typedef struct trial {
  char head[NAME_MAX_BYTES]; /* number and star */
  char *text;
  size_t bytes;
  int n_outputs, n_inputs;
  series value[MOST], upstream[MOST]; /* of outputs */
  series slope[MOST];                 /* by inputs, */
  char input[MOST][NAME_MAX_BYTES];   /* of these names */
} trial;

static void trial_free(trial *t)
{
  for (int i = 0; i < t->n_outputs; i++)
    free(t->value[i].at), free(t->upstream[i].at);
  for (int i = 0; i < t->n_inputs; i++)
    free(t->slope[i].at);
  free(t->text);
  *t = (trial){0};
}

static series numbers(const char *s)
{
  series x = {malloc((strlen(s) / 2 + 1) * sizeof(double)), 0};
  assert_non_null(x.at);
  for (char *end; (void)(x.at[x.n] = strtod(s, &end)), end != s; s = end)
    x.n++;
  return x;
}

static void read_text(trial *t, FILE *in, const char *bytes)
{
  t->bytes = strtoul(bytes, NULL, 10);
  t->text = malloc(t->bytes + 1);
  assert_non_null(t->text);
  assert_int_equal(fread(t->text, 1, t->bytes, in), t->bytes);
  t->text[t->bytes] = 0;
  char point[8];
  assert_non_null(fgets(point, sizeof point, in));
  assert_string_equal(point, ".\n");
}

static void read_item(trial *t, FILE *in, char *line)
{
  char *colon = strchr(line, ':');
  if (strncmp(line, "text ", 5) == 0) {
    read_text(t, in, line + 5);
  } else if (strncmp(line, "output ", 7) == 0) {
    assert_true(t->n_outputs < MOST);
    t->value[t->n_outputs++] = numbers(colon + 1);
  } else if (strncmp(line, "upstream ", 9) == 0) {
    t->upstream[t->n_outputs - 1] = numbers(line + 9);
  } else {
    assert_true(t->n_inputs < MOST && sscanf(line, "input %63s", t->input[t->n_inputs]) == 1);
    t->slope[t->n_inputs++] = numbers(colon + 1);
  }
}

/* ---- the program as bprop has it ---- */

typedef struct made {
  bp_graph *g;
  bp_program *p;
  bp_plan *plan;
  bp_run *run;
  int n_real;                                 /* real outputs */
  bp_node y[MOST], real[MOST], up[MOST];      /* outputs; the real ones, and their weights */
  bp_node x[MOST], grad[MOST], tangent[MOST]; /* inputs; gradients; directions of forward mode */
  double *along[MOST];                        /* values of the directions */
  bp_node change;                             /* of the weighted sum of outputs in these directions */
} made;

static void made_free(made *m)
{
  bp_run_free(m->run);
  bp_plan_free(m->plan);
  bp_program_free(m->p);
  bp_graph_free(m->g);
  for (int i = 0; i < MOST; i++)
    free(m->along[i]);
}

static bool complain(const trial *t, const char *fmt, ...) BP_PRINTF(2, 3);
static char complaint[4096];

static bool complain(const trial *t, const char *fmt, ...)
{
  char what[2048];
  va_list args;
  va_start(args, fmt);
  vsnprintf(what, sizeof what, fmt, args);
  va_end(args);
  snprintf(complaint, sizeof complaint, "%s%s: %s\n", t->text, t->head, what);
  return false;
}

static bool find_outputs(made *m, const trial *t)
{
  if (bp_program_outputs(m->p) != (size_t)t->n_outputs)
    return complain(t, "%zu outputs instead of %d", bp_program_outputs(m->p), t->n_outputs);
  for (int i = 0; i < t->n_outputs; i++) {
    bp_variable v;
    if (bp_program_output(m->p, (size_t)i, &v) || bp_node_size(v.node) != (int64_t)t->value[i].n)
      return complain(t, "output %d has another shape", i + 1);
    m->y[i] = v.node;
    if (v.type.dtype != BP_REAL)
      continue;
    m->real[m->n_real] = v.node;
    m->up[m->n_real++] = bp_array_constant(m->g, BP_REAL, v.type.rank, v.type.dims, t->upstream[i].at);
  }
  return true;
}

static bool find_inputs(made *m, const trial *t)
{
  for (int i = 0; i < t->n_inputs; i++) {
    char name[NAME_MAX_BYTES + 16];
    bp_type type;
    m->x[i] = bp_program_find(m->p, t->input[i]);
    if (bp_failed(m->x[i]) || bp_node_type(m->x[i], &type) || bp_node_size(m->x[i]) != (int64_t)t->slope[i].n)
      return complain(t, "%s is no input of its shape", t->input[i]);
    snprintf(name, sizeof name, "along %s", t->input[i]);
    m->tangent[i] = bp_input(m->g, name, BP_REAL, type.rank, type.dims);
    m->along[i] = calloc(t->slope[i].n + 1, sizeof(double));
    assert_non_null(m->along[i]);
  }
  return true;
}

static bool differentiate(made *m, const trial *t)
{
  bp_node forward[MOST];
  if (bp_vjp(m->real, m->up, (size_t)m->n_real, m->x, (size_t)t->n_inputs, m->grad) ||
      bp_jvp(m->real, (size_t)m->n_real, m->x, m->tangent, (size_t)t->n_inputs, forward))
    return complain(t, "%s", bp_error());
  for (int i = 0; i < m->n_real; i++)
    m->change = bp_add(m->change, bp_sum(bp_mul(m->up[i], forward[i]), NULL, 0, false));
  return true;
}

/* Values, gradients of reverse mode and the change in a direction, in one plan. */
static bool build(made *m, const trial *t)
{
  bp_node outputs[2 * MOST + 1];
  size_t n = 0;
  m->change = bp_constant(m->g, 0);
  if (m->n_real && t->n_inputs && !differentiate(m, t))
    return false;
  for (int i = 0; i < t->n_outputs; i++)
    outputs[n++] = m->y[i];
  for (int i = 0; i < t->n_inputs; i++)
    outputs[n++] = m->grad[i];
  outputs[n++] = m->change;
  bp_plan_options o = {.real = BP_FLOAT64, .outputs = outputs, .n_outputs = n};
  if (bp_plan_new(m->g, &o, &m->plan) || bp_run_new(m->plan, NULL, &m->run) || bp_program_bind(m->p, m->run))
    return complain(t, "%s", bp_error());
  for (int i = 0; i < t->n_inputs; i++) {
    char name[NAME_MAX_BYTES + 16];
    snprintf(name, sizeof name, "along %s", t->input[i]);
    bp_status s = bp_run_bind(m->run, name, m->along[i], t->slope[i].n * sizeof(double));
    if (s != BP_OK && s != BP_E_NOTFOUND) /* nothing real depends on it */
      return complain(t, "%s", bp_error());
  }
  return bp_run_step(m->run) == BP_OK || complain(t, "%s", bp_error());
}

static bool make(made *m, const trial *t, bp_ctx *ctx)
{
  *m = (made){.g = bp_graph_new(ctx)};
  m->p = bp_program_new(m->g, NULL);
  assert_non_null(m->p);
  if (bp_program_read(m->p, t->head, t->text, t->bytes))
    return complain(t, "%s", bp_program_error(m->p));
  return find_outputs(m, t) && find_inputs(m, t) && build(m, t);
}

/* ---- agreement ---- */

typedef struct tally {
  unsigned programs, wrong;
  unsigned long values, slopes;
  double far_value, far_slope, far_mode; /* largest disagreements of those that agree */
} tally;

/* |a - b| in units of the larger of 1 and |b|. */
static double distance(double a, double b)
{
  return fabs(a - b) / fmax(1, fabs(b));
}

static bool near(double far, double bound, double *farthest)
{
  *farthest = fmax(*farthest, far);
  return far <= bound; /* false for NaN */
}

static bool same_values(made *m, const trial *t, tally *sum)
{
  for (int i = 0; i < t->n_outputs; i++) {
    double got[512];
    size_t n = t->value[i].n;
    assert_true(n <= sizeof got / sizeof *got);
    assert_int_equal(bp_run_get(m->run, (size_t)i, got, n), BP_OK);
    for (size_t k = 0; k < n; k++)
      if (!near(distance(got[k], t->value[i].at[k]), SAME, &sum->far_value))
        return complain(t, "output %d[%zu] is %.17g; NumPy: %.17g", i + 1, k, got[k], t->value[i].at[k]);
    sum->values += n;
  }
  return true;
}

/* The element's own direction through forward mode, against its place in the gradient of reverse mode. */
static bool same_modes(made *m, const trial *t, int i, size_t k, double reverse, tally *sum)
{
  double forward;
  m->along[i][k] = 1;
  assert_int_equal(bp_run_step(m->run), BP_OK);
  m->along[i][k] = 0;
  assert_int_equal(bp_run_get(m->run, (size_t)(t->n_outputs + t->n_inputs), &forward, 1), BP_OK);
  return near(distance(forward, reverse), SAME, &sum->far_mode) ||
         complain(t, "d / d %s[%zu]: forward mode says %.17g, reverse mode %.17g", t->input[i], k, forward,
                  reverse);
}

static bool same_slopes(made *m, const trial *t, tally *sum)
{
  for (int i = 0; i < t->n_inputs; i++) {
    double got[512];
    size_t n = t->slope[i].n;
    assert_true(n <= sizeof got / sizeof *got);
    assert_int_equal(bp_run_get(m->run, (size_t)(t->n_outputs + i), got, n), BP_OK);
    for (size_t k = 0; k < n; k++) {
      double numeric = t->slope[i].at[k];
      if (!near(distance(got[k], numeric), DIFFERENT, &sum->far_slope))
        return complain(t, "d / d %s[%zu] is %.17g; differences: %.17g", t->input[i], k, got[k], numeric);
      if (!same_modes(m, t, i, k, got[k], sum))
        return false;
    }
    sum->slopes += n;
  }
  return true;
}

/* A program must run in any case; that it agrees with NumPy is what is expected, or is not. */
static void try_program(const trial *t, bp_ctx *ctx, tally *sum, bool expected)
{
  made m;
  tally mine = *sum;
  bool runs = make(&m, t, ctx), right = runs && same_values(&m, t, &mine) && same_slopes(&m, t, &mine);
  made_free(&m);
  if (right)
    *sum = mine;
  sum->programs++;
  if (!runs || right != expected) {
    sum->wrong++;
    print_error("%s\n", right ? "A wrong formula went unnoticed:" : "");
    print_error("%s\n", right ? t->text : complaint);
  }
}

/* ---- all programs of the generator ---- */

static FILE *generator(unsigned count, const char *how)
{
  char command[1024];
  const char *python = getenv("PYTHON");
  snprintf(command, sizeof command, "'%s' '" BPROP_SOURCE_DIR "/tests/programs/generate.py' %u %u %s",
           python ? python : "/usr/bin/python3", count, first_seed, how);
  FILE *in = popen(command, "r");
  assert_non_null(in);
  return in;
}

/* A line "row NAME COUNT". */
static void count_row(const char *line, bool *have, unsigned *calls)
{
  char name[NAME_MAX_BYTES];
  unsigned called;
  size_t i = 0;
  assert_int_equal(sscanf(line, "row %63s %u", name, &called), 2);
  while (i < bp_op_count() && strcmp(bp_op_at(i)->name, name) != 0)
    i++;
  if (i == bp_op_count())
    fail_msg("tests/programs/rows.py has a formula for %s, which is no row of the table", name);
  if (called == 0)
    fail_msg("no program calls %s", name);
  have[i] = true;
  *calls += called;
}

static unsigned every_row_is_there(const bool *have)
{
  unsigned rows = 0;
  for (size_t i = 0; i < bp_op_count(); i++) {
    bool wanted = !(bp_op_at(i)->traits & BP_INTERNAL);
    if (wanted && !have[i])
      fail_msg("tests/programs/rows.py has no formula for %s", bp_op_at(i)->name);
    rows += wanted;
  }
  return rows;
}

static tally try_all(unsigned count, const char *how, bool expected)
{
  FILE *in = generator(count, how);
  bp_ctx *ctx = bp_ctx_new(NULL);
  trial t = {0};
  tally sum = {0};
  char *line = NULL;
  size_t cap = 0;
  unsigned rows, calls = 0;
  bool *have = calloc(bp_op_count(), sizeof *have);
  assert_non_null(have);
  while (getline(&line, &cap, in) > 0) {
    line[strcspn(line, "\n")] = 0;
    if (strncmp(line, "program ", 8) == 0) {
      snprintf(t.head, sizeof t.head, "%s", line);
    } else if (strncmp(line, "row ", 4) == 0) {
      count_row(line, have, &calls);
    } else if (strcmp(line, "end") == 0) {
      try_program(&t, ctx, &sum, expected);
      trial_free(&t);
    } else {
      read_item(&t, in, line);
    }
  }
  free(line);
  assert_int_equal(pclose(in), 0);
  bp_ctx_free(ctx);
  rows = every_row_is_there(have);
  free(have);
  if (!expected)
    return sum;
  print_message(
      "%u programs, %u rows called %u times, %lu values, %lu derivatives; farthest from NumPy %.1e, "
      "from differences %.1e, forward from reverse mode %.1e\n",
      sum.programs, rows, calls, sum.values, sum.slopes, sum.far_value, sum.far_slope, sum.far_mode);
  return sum;
}

static void programs_agree_with_numpy(void **state)
{
  (void)state;
  tally sum = try_all(n_programs, "", true);
  assert_int_equal(sum.programs, n_programs);
  assert_int_equal(sum.wrong, 0);
}

/* A program for each row, whose formula is wrong there. */
static void wrong_formulas_are_noticed(void **state)
{
  (void)state;
  unsigned rows = 0;
  for (size_t i = 0; i < bp_op_count(); i++)
    rows += !(bp_op_at(i)->traits & BP_INTERNAL);
  tally sum = try_all(rows, "wrong", false);
  assert_int_equal(sum.programs, rows);
  assert_int_equal(sum.wrong, 0);
}

static bool numpy_is_there(void)
{
  char command[1024];
  const char *python = getenv("PYTHON");
  snprintf(command, sizeof command, "'%s' -c 'import numpy' 2>/dev/null",
           python ? python : "/usr/bin/python3");
  return system(command) == 0;
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(programs_agree_with_numpy),
                                     cmocka_unit_test(wrong_formulas_are_noticed)};
  if (!numpy_is_there()) {
    puts("Python has no numpy (Debian: python3-numpy)");
    return SKIPPED;
  }
  if (argc > 1)
    n_programs = (unsigned)strtoul(argv[1], NULL, 10);
  if (argc > 2)
    first_seed = (unsigned)strtoul(argv[2], NULL, 10);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
