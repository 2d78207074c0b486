/* Parser of the examples of rows, and the sampler of their inputs. */
#include "check/example.h"
#include "base/rng.h"
#include "graph/graph.h"
#include "base/text.h"

#include <math.h>
#include <string.h>

enum { MAX_ARGS = 64, MAX_DIGITS = 40, MAX_TRIES = 100000 };

/* ---- reading ---- */

typedef struct ex_reader {
  bpi_example *e;
  const char *text, *at;
} ex_reader;

static bp_status ex_fail(const ex_reader *r, const char *what)
{
  return bpi_fail(BP_E_PARSE, "%s: example \"%s\", column %d: %s", r->e->op->name, r->text,
                  (int)(r->at - r->text) + 1, what);
}

static void ex_space(ex_reader *r)
{
  while (*r->at == ' ')
    r->at++;
}

static bool ex_take(ex_reader *r, char c)
{
  ex_space(r);
  if (*r->at != c)
    return false;
  r->at++;
  return true;
}

static bool is_letter(char c)
{
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
  return c >= '0' && c <= '9';
}

/* A name of at most size - 1 bytes; false if there is none here. */
static bool ex_name(ex_reader *r, char *name, size_t size)
{
  ex_space(r);
  size_t n = 0;
  while (is_letter(r->at[n]) || (n && is_digit(r->at[n])))
    n++;
  if (n == 0 || n >= size)
    return false;
  memcpy(name, r->at, n);
  name[n] = '\0';
  r->at += n;
  return true;
}

/* The next word without taking it. */
static bool ex_peek(ex_reader *r, const char *word)
{
  ex_space(r);
  size_t n = strlen(word);
  return strncmp(r->at, word, n) == 0 && !is_letter(r->at[n]) && !is_digit(r->at[n]);
}

static bool ex_word(ex_reader *r, const char *word)
{
  bool here = ex_peek(r, word);
  if (here)
    r->at += strlen(word);
  return here;
}

/* A number ends where a range's ".." starts. */
static bool ex_number(ex_reader *r, double *x)
{
  ex_space(r);
  size_t n = 0;
  while (n < MAX_DIGITS && r->at[n] && !strchr(" ,;]", r->at[n]) && strncmp(r->at + n, "..", 2) != 0)
    n++;
  if (n == 0 || !bpi_parse_double(r->at, n, x))
    return false;
  r->at += n;
  return true;
}

static bool ex_int(ex_reader *r, int64_t *x)
{
  ex_space(r);
  size_t n = *r->at == '-';
  while (is_digit(r->at[n]))
    n++;
  if (n == 0 || !bpi_parse_int(r->at, n, x))
    return false;
  r->at += n;
  return true;
}

/* "lo..hi"; false if it is malformed. */
static bool ex_range(ex_reader *r, bpi_arg *a)
{
  if (!ex_number(r, &a->lo) || strncmp(r->at, "..", 2) != 0)
    return false;
  r->at += 2;
  a->ranged = true;
  return ex_number(r, &a->hi) && a->lo <= a->hi && isfinite(a->lo) && isfinite(a->hi);
}

static bool starts_number(ex_reader *r)
{
  ex_space(r);
  return is_digit(*r->at) || *r->at == '-' || *r->at == '.';
}

/* "[1,2,3]" of at most `most` entries. */
static bool ex_ints(ex_reader *r, int64_t *list, int most, int *n)
{
  *n = 0;
  if (!ex_take(r, '['))
    return false;
  if (ex_take(r, ']'))
    return true;
  do {
    if (*n == most || !ex_int(r, &list[(*n)++]))
      return false;
  } while (ex_take(r, ','));
  return ex_take(r, ']');
}

/* ---- inputs ---- */

static bp_status ex_int_words(ex_reader *r, bpi_arg *a)
{
  a->type.dtype = BP_INT64;
  a->lo = -9;
  a->hi = 9;
  return !starts_number(r) || ex_range(r, a) ? BP_OK : ex_fail(r, "a range is lo..hi");
}

static bp_status ex_avoid(ex_reader *r, bpi_arg *a)
{
  do {
    if (a->n_avoid == (int)(sizeof a->avoid / sizeof *a->avoid) || !ex_number(r, &a->avoid[a->n_avoid++]))
      return ex_fail(r, "`not` takes 1 to 8 numbers");
  } while (starts_number(r));
  return BP_OK;
}

static bp_status ex_words(ex_reader *r, bpi_arg *a)
{
  bp_status s = BP_OK;
  for (ex_space(r); s == BP_OK && *r->at && *r->at != ',' && *r->at != ';'; ex_space(r)) {
    if (ex_word(r, "in"))
      s = ex_range(r, a) ? BP_OK : ex_fail(r, "a range is lo..hi");
    else if (ex_word(r, "int"))
      s = ex_int_words(r, a);
    else if (ex_word(r, "not"))
      s = ex_avoid(r, a);
    else if (ex_word(r, "bool"))
      a->type.dtype = BP_BOOL;
    else if (ex_word(r, "distinct"))
      a->distinct = true;
    else if (ex_word(r, "simplex"))
      a->simplex = true;
    else if (ex_word(r, "key"))
      a->key = true;
    else
      s = ex_fail(r, "expected in, int, bool, not, distinct, simplex, key, ',' or ';'");
  }
  if (a->key)
    a->type.dtype = BP_INT64;
  return s;
}

static bp_status ex_arg(ex_reader *r, bpi_arg *a)
{
  int64_t size;
  *a = (bpi_arg){.type = {.dtype = BP_REAL}, .lo = -2, .hi = 2};
  if (!ex_name(r, a->name, sizeof a->name))
    return ex_fail(r, "an input starts with its name");
  if (!ex_ints(r, a->type.dims, BP_MAX_RANK, &a->type.rank) || !bpi_size(a->type.rank, a->type.dims, &size))
    return ex_fail(r, "the dims of an input are [d, ...], at most 8");
  return ex_words(r, a);
}

static bp_status ex_args(ex_reader *r)
{
  bpi_example *e = r->e;
  if (ex_space(r), *r->at == '\0' || *r->at == ';')
    return BP_OK;
  do {
    if (e->n_args == MAX_ARGS)
      return ex_fail(r, "more than 64 inputs");
    bp_status s = ex_arg(r, &e->args[e->n_args++]);
    if (s != BP_OK)
      return s;
  } while (ex_take(r, ','));
  return BP_OK;
}

/* ---- attributes ---- */

static bool ex_flag(ex_reader *r, int64_t *x)
{
  if (ex_word(r, "true"))
    *x = 1;
  else if (ex_word(r, "false"))
    *x = 0;
  else
    return ex_int(r, x) && (*x == 0 || *x == 1);
  return true;
}

static bool ex_dtype(ex_reader *r, int64_t *x)
{
  for (int t = BP_NONE + 1; t < BP_DTYPE_COUNT; t++)
    if (ex_word(r, bp_dtype_name((bp_dtype)t))) {
      *x = t;
      return true;
    }
  return false;
}

static bp_status ex_list(ex_reader *r, bp_attr *a)
{
  enum { MOST = 64 };
  int64_t list[MOST];
  int n;
  if (!ex_ints(r, list, MOST, &n))
    return ex_fail(r, "a list of integers is [i, ...], at most 64");
  int64_t *kept = bpi_arena_alloc(&r->e->arena, (size_t)n, sizeof *kept);
  if (!kept)
    return bpi_nomem();
  memcpy(kept, list, (size_t)n * sizeof *kept);
  a->v = kept;
  a->n = n;
  return BP_OK;
}

static bool ex_value(ex_reader *r, bp_attr_kind kind, bp_attr *a)
{
  switch (kind) {
  case BP_ATTR_INT:
    return ex_int(r, &a->i);
  case BP_ATTR_REAL:
    return ex_number(r, &a->r);
  case BP_ATTR_BOOL:
    return ex_flag(r, &a->i);
  case BP_ATTR_DTYPE:
    return ex_dtype(r, &a->i);
  default:
    return false;
  }
}

static bp_status ex_attr(ex_reader *r, bool *given)
{
  char name[32];
  if (!ex_name(r, name, sizeof name) || !ex_take(r, '='))
    return ex_fail(r, "an attribute is name=value");
  for (int i = 0; i < BP_MAX_ATTRS && r->e->op->attrs[i].kind != BP_ATTR_END; i++) {
    const bp_attr_def *def = &r->e->op->attrs[i];
    if (strcmp(def->name, name) != 0)
      continue;
    if (given[i])
      return ex_fail(r, "the attribute is given twice");
    given[i] = true;
    if (def->kind == BP_ATTR_INTS)
      return ex_list(r, &r->e->attr[i]);
    return ex_value(r, def->kind, &r->e->attr[i]) ? BP_OK
                                                  : ex_fail(r, "the value does not fit the attribute's kind");
  }
  return ex_fail(r, "the row has no attribute of that name");
}

/* What was not given: presets, empty lists, the row's example function. A random row's stream is 1. */
static bp_status ex_preset(ex_reader *r, int i)
{
  bpi_example *e = r->e;
  const bp_attr_def *def = &e->op->attrs[i];
  static const int64_t none[1] = {0};
  if (i == 0 && (e->op->traits & BP_RANDOM)) {
    e->attr[i].i = 1;
  } else if (def->kind == BP_ATTR_INTS) {
    e->attr[i].v = none;
  } else if (def->kind == BP_ATTR_FN) {
    if (!e->op->example_fn)
      return ex_fail(r, "the row has no example_fn");
    e->fn = e->op->example_fn(e->ctx);
    if (!e->fn)
      return bpi_fail(BP_E_NOMEM, "%s: example_fn gave no function: %s", e->op->name, bp_error());
    e->attr[i].fn = e->fn;
  } else if (def->kind == BP_ATTR_DTYPE || def->kind == BP_ATTR_DATA || isnan(def->preset)) {
    return ex_fail(r, "an attribute without a preset is missing");
  } else if (def->kind == BP_ATTR_REAL) {
    e->attr[i].r = def->preset;
  } else {
    e->attr[i].i = (int64_t)def->preset;
  }
  return BP_OK;
}

static bp_status ex_attrs(ex_reader *r)
{
  bool given[BP_MAX_ATTRS] = {false};
  bp_status s = BP_OK;
  if (ex_take(r, ';') && (ex_space(r), *r->at))
    do
      s = ex_attr(r, given);
    while (s == BP_OK && ex_take(r, ','));
  if (s == BP_OK && (ex_space(r), *r->at))
    return ex_fail(r, "expected ',' or the end");
  for (int i = 0; s == BP_OK && i < BP_MAX_ATTRS && r->e->op->attrs[i].kind != BP_ATTR_END; i++)
    if (!given[i])
      s = ex_preset(r, i);
  return s;
}

int bpi_example_count(const bp_op *op)
{
  int n = 0, most = (int)(sizeof op->examples / sizeof *op->examples);
  while (n < most && op->examples[n])
    n++;
  return n;
}

bp_status bpi_example_open(bpi_example *e, bp_ctx *ctx, const bp_op *op, const char *text)
{
  memset(e, 0, sizeof *e);
  e->ctx = ctx;
  e->op = op;
  bpi_arena_init(&e->arena, ctx);
  ex_reader r = {e, text, text};
  e->args = bpi_arena_alloc(&e->arena, MAX_ARGS, sizeof *e->args);
  bp_status s = e->args ? ex_args(&r) : bpi_nomem();
  if (s == BP_OK)
    s = ex_attrs(&r);
  if (s != BP_OK)
    bpi_example_close(e);
  return s;
}

void bpi_example_close(bpi_example *e)
{
  bp_fn_free(e->fn);
  e->fn = NULL;
  bpi_arena_free(&e->arena);
}

/* ---- drawing ---- */

typedef struct ex_sampler {
  bpi_key key;
  uint64_t next;
  double *apart; /* values of distinct inputs so far */
  int64_t n_apart;
} ex_sampler;

static bool ex_refused(const ex_sampler *d, const bpi_arg *a, double x)
{
  for (int i = 0; i < a->n_avoid; i++)
    if (fabs(x - a->avoid[i]) < BPI_EXAMPLE_AWAY)
      return true;
  for (int64_t i = 0; a->distinct && i < d->n_apart; i++)
    if (fabs(x - d->apart[i]) < BPI_EXAMPLE_APART)
      return true;
  return false;
}

static bool ex_real(ex_sampler *d, const bpi_arg *a, double *x)
{
  for (int i = 0; i < MAX_TRIES; i++) {
    *x = a->lo + (a->hi - a->lo) * bpi_uniform(d->key, d->next++);
    if (ex_refused(d, a, *x))
      continue;
    if (a->distinct)
      d->apart[d->n_apart++] = *x;
    return true;
  }
  return false;
}

/* Positive entries, no smaller than a tenth of the largest, so that logarithms of them are tame. */
static void ex_simplex(ex_sampler *d, const bpi_arg *a, double *x, int64_t size)
{
  int64_t n = a->type.rank ? a->type.dims[a->type.rank - 1] : 1;
  for (int64_t row = 0; n > 0 && row < size; row += n) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
      sum += x[row + i] = 0.1 + 0.9 * bpi_uniform(d->key, d->next++);
    for (int64_t i = 0; i < n; i++)
      x[row + i] /= sum;
  }
}

static bool ex_reals(ex_sampler *d, const bpi_arg *a, double *x, int64_t size)
{
  if (a->simplex) {
    ex_simplex(d, a, x, size);
    return true;
  }
  for (int64_t i = 0; i < size; i++)
    if (!ex_real(d, a, &x[i]))
      return false;
  return true;
}

static void ex_integers(ex_sampler *d, const bpi_arg *a, int64_t *x, int64_t size)
{
  uint64_t span = a->key ? UINT64_C(1) << 62 : (uint64_t)(a->hi - a->lo) + 1;
  int64_t first = a->key ? 0 : (int64_t)a->lo;
  for (int64_t i = 0; i < size; i++)
    x[i] = first + (int64_t)bpi_below(d->key, d->next++, span);
}

/* How many values must be kept apart. */
static int64_t ex_count_distinct(const bpi_example *e)
{
  int64_t n = 0;
  for (int i = 0; i < e->n_args; i++)
    if (e->args[i].distinct && e->args[i].type.dtype == BP_REAL)
      n += bpi_type_size(&e->args[i].type);
  return n;
}

bp_status bpi_example_draw(bpi_example *e, uint64_t seed, void **data)
{
  ex_sampler d = {.key = {.seed = seed, .stream = 0x6578616du}};
  d.apart = bpi_arena_alloc(&e->arena, (size_t)ex_count_distinct(e), sizeof *d.apart);
  if (!d.apart)
    return bpi_nomem();
  for (int i = 0; i < e->n_args; i++) {
    const bpi_arg *a = &e->args[i];
    int64_t size = bpi_type_size(&a->type);
    data[i] = bpi_arena_alloc(&e->arena, (size_t)size, 8);
    if (!data[i])
      return bpi_nomem();
    if (a->type.dtype == BP_INT64)
      ex_integers(&d, a, data[i], size);
    else if (a->type.dtype == BP_REAL && !ex_reals(&d, a, data[i], size))
      return bpi_fail(BP_E_RANGE,
                      "%s: input '%s' of an example cannot be drawn: what it avoids fills its range",
                      e->op->name, a->name);
    for (int64_t k = 0; a->type.dtype == BP_BOOL && k < size; k++)
      ((uint8_t *)data[i])[k] = (uint8_t)bpi_below(d.key, d.next++, 2);
  }
  return BP_OK;
}

bp_status bpi_example_build(const bpi_example *e, bp_graph *g, bp_node *x, bp_node *y, int *n_y)
{
  for (int i = 0; i < e->n_args; i++) {
    x[i] = bp_input(g, e->args[i].name, e->args[i].type.dtype, e->args[i].type.rank, e->args[i].type.dims);
    if (bp_failed(x[i]))
      return bp_graph_status(g);
  }
  bp_status s = bp_apply(g, e->op, x, (size_t)e->n_args, e->attr, y);
  *n_y = s == BP_OK ? g->nodes[y[0].index].n_out : 0;
  return s;
}
