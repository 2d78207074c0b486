/* Programs from the command line. */
#include "expression.h"
#include "filekind.h"
#include "input.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { TEXT_MOST = 64 << 20 };

int expression_fail(const expression *e, bp_status st)
{
  const char *why = bp_program_error(e->program);
  if (st == BP_E_NOMEM || !*why)
    return fail_status(st, END_DATA);
  /* Several lines, and each is clean already. */
  fprintf(stderr, "bprop: %s\n", why);
  return END_DATA;
}

/* ---- values ---- */

/* An empty cell is NaN, and so is all that is computed from it. */
static void tell_missing(const char *path, const bp_ndarray *a, int64_t cols)
{
  int64_t first = -1, n = 0;
  for (int64_t i = 0; i < a->size; i++)
    if (isnan(((const double *)a->data)[i])) {
      first = n ? first : i;
      n++;
    }
  if (n)
    say(n > 1 ? "%s: row %lld, column %lld has no number and is taken as nan; so are %lld more"
              : "%s: row %lld, column %lld has no number and is taken as nan",
        path_name(path), (long long)first / cols + 1, (long long)first % cols + 1, (long long)n - 1);
}

/* One column is a vector, several are a matrix. */
static int table_array(bp_ctx *ctx, const char *path, const bp_table *t, bp_ndarray *a)
{
  int64_t rows = bp_table_rows(t), cols = bp_table_columns(t);
  double *all = malloc((size_t)(rows * cols) * sizeof *all + 1),
         *one = malloc((size_t)rows * sizeof *one + 1);
  int end = all && one ? END_DONE : fail_memory();
  (void)ctx;
  for (int k = 0; !end && k < cols; k++) {
    bp_status st = bp_table_numbers(t, k, 0, rows, one);
    if (st != BP_OK)
      end = fail_status(st, END_DATA); /* which names the file */
    for (int64_t i = 0; !end && i < rows; i++)
      all[i * cols + k] = one[i];
  }
  free(one);
  *a = (bp_ndarray){.store = BP_STORE_FLOAT64,
                    .rank = cols == 1 ? 1 : 2,
                    .dims = {rows, cols},
                    .size = rows * cols,
                    .data = all};
  if (!end)
    tell_missing(path, a, cols);
  return end;
}

/* Whether the first line of a table read without a header is one all the same: words over numbers. */
static bool has_header(const bp_table *t)
{
  bp_column c;
  for (int k = 0; k < bp_table_columns(t); k++)
    if (bp_table_column(t, k, &c) != BP_OK || c.text)
      return true;
  return false;
}

static int csv_value(expression *e, const settings *s, const char *name, const char *path)
{
  bp_table *t = NULL;
  bp_ndarray a = {0};
  settings plain = *s;
  if (s->header == BP_CSV_HEADER_AUTO)
    plain.header = BP_CSV_HEADER_NO; /* an array has no names */
  int end = table_read(e->ctx, &plain, path, &t);
  if (!end && s->header == BP_CSV_HEADER_AUTO && has_header(t)) {
    bp_table_free(t);
    t = NULL;
    end = table_read(e->ctx, s, path, &t);
  }
  if (!end)
    end = table_array(e->ctx, path, t, &a);
  if (!end) {
    bp_status st = bp_program_set_array(e->program, name, &a);
    end = st == BP_OK ? END_DONE : expression_fail(e, st);
  }
  free(a.data);
  bp_table_free(t);
  return end;
}

static int file_value(expression *e, const settings *s, const char *name, const char *path)
{
  file_kind kind = file_kind_of(path);
  bp_ndarray a = {0};
  if (kind == FILE_MODEL || kind == FILE_NPZ)
    return fail(END_DATA, "%s: a value is read from .npy, IDX or CSV files", path);
  if (kind == FILE_CSV)
    return csv_value(e, s, name, path);
  int end = array_read(e->ctx, kind, path, &a);
  if (end)
    return end;
  bp_status st = bp_program_set_array(e->program, name, &a);
  bp_ndarray_free(e->ctx, &a);
  return st == BP_OK ? END_DONE : expression_fail(e, st);
}

/* A name given twice is most often one of two names mistyped. */
static bool given_before(const settings *s, int i)
{
  size_t n = strcspn(s->inputs[i], "=") + 1;
  for (int k = 1; k < i; k++)
    if (!strncmp(s->inputs[k], s->inputs[i], n)) {
      fail(END_USAGE, "%.*s is given a value twice", (int)n - 1, s->inputs[i]);
      return true;
    }
  return false;
}

/* name=value; the text of the whole word is what messages show. */
int expression_value(expression *e, const settings *s, const char *word)
{
  const char *equal = strchr(word, '=');
  char name[128];
  if (!equal || equal == word || (size_t)(equal - word) >= sizeof name || equal[1] == '=')
    return fail(END_USAGE, "'%s' is no value; write name=value, as x=-2, W='[[1,2],[3,4]]' or x=@data.npy",
                word);
  snprintf(name, sizeof name, "%.*s", (int)(equal - word), word);
  if (equal[1] == '@')
    return file_value(e, s, name, equal + 2);
  bp_status st = bp_program_set(e->program, name, word, equal + 1, strlen(equal + 1));
  return st == BP_OK ? END_DONE : expression_fail(e, st);
}

/* ---- the text ---- */

static bool is_directory(const char *word)
{
  struct stat st;
  return !stat(word, &st) && S_ISDIR(st.st_mode);
}

/* A file that is not there is read as an expression; then its name makes no sense, and that is to be told. */
static int text_fail(const expression *e, bp_status st)
{
  if (is_directory(e->text))
    return fail(END_DATA, "%s is a directory; give a file of program text, or a formula", shown(e->text));
  int end = expression_fail(e, st);
  const char *dot = strrchr(e->text, '.');
  bool name =
      e->text[strspn(e->text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-")] == 0;
  if (name && ((dot && dot[1]) || strchr(e->text, '/')))
    say("there is no file %s either", shown(e->text));
  return end;
}

static bool is_file(const char *word)
{
  struct stat st;
  return !strcmp(word, "-") || (*word && !stat(word, &st) && !S_ISDIR(st.st_mode));
}

/* All of a file; compressed ones too. */
static int read_text(bp_ctx *ctx, const char *path, char **text, size_t *n)
{
  bp_source source;
  const char *why = "";
  size_t cap = 1 << 16;
  int end = source_open(ctx, path, &source);
  if (end)
    return end;
  *text = malloc(cap);
  *n = 0;
  while (*text && *n < TEXT_MOST) {
    int64_t got = source.read(source.user, *text + *n, cap - *n, &why);
    if (got < 0)
      end = fail(END_DATA, "%s: %s", path_name(path), why);
    if (got <= 0)
      break;
    *n += (size_t)got;
    if (*n == cap) {
      char *more = realloc(*text, cap *= 2);
      if (!more)
        free(*text);
      *text = more;
    }
  }
  bp_source_close(&source);
  return end ? end : *text ? END_DONE : fail_memory();
}

static int read_program(expression *e, const settings *s)
{
  const char *word = s->inputs[0];
  bp_status st;
  e->from_file = is_file(word);
  e->text = word;
  if (!e->from_file) {
    st = bp_program_read(e->program, "expression", word, strlen(word));
    return st == BP_OK ? END_DONE : text_fail(e, st);
  }
  char *text = NULL;
  size_t n = 0;
  int end = read_text(e->ctx, word, &text, &n);
  if (!end && (st = bp_program_read(e->program, path_name(word), text, n)) != BP_OK)
    end = expression_fail(e, st);
  free(text);
  return end;
}

/* A value that nothing asks for is most often a name mistyped. */
static void tell_unused(const expression *e, const settings *s)
{
  for (int i = 1; i < s->n_inputs; i++) {
    char name[128];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(s->inputs[i], "="), s->inputs[i]);
    if (!bp_program_uses(e->program, name))
      say("%s is given a value, but nothing depends on it", name);
  }
}

int expression_begin(expression *e, bp_ctx *ctx, const settings *s)
{
  bp_program_options o = {.seed = (uint64_t)s->seed};
  *e = (expression){.ctx = ctx};
  e->graph = bp_graph_new(ctx);
  e->program = e->graph ? bp_program_new(e->graph, &o) : NULL;
  return e->program ? END_DONE : fail_memory();
}

int expression_open(expression *e, bp_ctx *ctx, const settings *s)
{
  int end = expression_begin(e, ctx, s);
  for (int i = 1; !end && i < s->n_inputs; i++)
    end = given_before(s, i) ? END_USAGE : expression_value(e, s, s->inputs[i]);
  if (!end)
    end = read_program(e, s);
  if (!end && !bp_program_outputs(e->program))
    end =
        *bp_program_error(e->program)
            ? expression_fail(e, BP_E_ARG)
            : fail(END_DATA, "%s: there is nothing to compute: no expression, and no name assigned", e->text);
  if (!end)
    tell_unused(e, s);
  return end;
}

void expression_close(expression *e)
{
  bp_program_free(e->program);
  bp_graph_free(e->graph);
  memset(e, 0, sizeof *e);
}

bp_dtype expression_dtype(const settings *s)
{
  return s->dtype == DTYPE_FLOAT32 ? BP_FLOAT32 : BP_FLOAT64;
}

const char *expression_unvalued(const expression *e)
{
  bp_variable v;
  for (size_t i = 0; i < bp_program_inputs(e->program); i++)
    if (bp_program_input(e->program, i, &v) == BP_OK && !v.data)
      return v.name;
  return NULL;
}

int expression_valued(const expression *e)
{
  const char *name = expression_unvalued(e);
  return name ? fail(END_DATA, "%s has no value; give it one, as %s=3", name, name) : END_DONE;
}

/* An index out of range, say: the text shows where. */
static int run_fail(const expression *e, const bp_run *run, bp_status st)
{
  const char *why = bp_program_run_error(e->program, run);
  if (st == BP_E_NOMEM)
    return fail_status(st, END_DATA);
  fprintf(stderr, "bprop: %s\n", why);
  return END_DATA;
}

int expression_run(expression *e, bp_dtype real, const bp_node *nodes, size_t n, bp_plan **plan, bp_run **run)
{
  bp_plan_options o = {.real = real, .outputs = nodes, .n_outputs = n};
  *run = NULL;
  *plan = NULL;
  int end = expression_valued(e);
  if (end)
    return end;
  bp_status st = bp_plan_new(e->graph, &o, plan);
  if (st == BP_OK)
    st = bp_run_new(*plan, NULL, run);
  if (st == BP_OK)
    st = bp_program_bind(e->program, *run);
  if (st == BP_OK && (st = bp_run_step(*run)) != BP_OK)
    return run_fail(e, *run, st);
  return st == BP_OK ? END_DONE : fail_status(st, END_DATA);
}
