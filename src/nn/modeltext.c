/* The text of a network, read into layers and written from them. */
#include "nn/stack.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MOST_WORD = 100 };

typedef struct reader {
  bpi_arena *arena;
  const char *text;
  size_t at;
  int depth, count;
  size_t wrong_at;
} reader;

/* A piece of the text. */
typedef struct word {
  const char *s;
  size_t n, at;
} word;

static bool is_word(word w, const char *name)
{
  return name && strlen(name) == w.n && memcmp(w.s, name, w.n) == 0;
}

/* ---- mistakes ---- */

static bp_status wrong(reader *r, size_t at, const char *fmt, ...) BP_PRINTF(3, 4);
static bp_status wrong(reader *r, size_t at, const char *fmt, ...)
{
  char why[400];
  va_list va;
  va_start(va, fmt);
  bpi_vformat(why, sizeof why, fmt, va);
  va_end(va);
  int column = 1;
  for (size_t i = 0; i < at; i++)
    column += ((unsigned char)r->text[i] & 0xc0) != 0x80;
  r->wrong_at = at;
  return bpi_fail(BP_E_PARSE, "the network's text, column %d: %s", column, why);
}

/* "; did you mean NAME?" for the name that is nearest, if one is near. */
typedef struct guess {
  char word[MOST_WORD];
  const char *best;
  int distance;
} guess;

static guess guess_of(word w)
{
  guess g = {.distance = 1 + (int)w.n / 4};
  snprintf(g.word, sizeof g.word, "%.*s", (int)w.n, w.s);
  return g;
}

static void try_name(guess *g, const char *name)
{
  int d = name ? bpi_edit_distance(g->word, name, g->distance) : g->distance + 1;
  if (d <= g->distance && d < (int)strlen(g->word)) {
    g->best = name;
    g->distance = d - 1; /* a later one must be nearer */
  }
}

static void try_activations(guess *g)
{
  const char *name;
  for (int i = 0; bpi_activation_at(i, &name); i++)
    try_name(g, name);
}

static bp_status unknown(reader *r, word w, guess *g, const char *what)
{
  return wrong(r, w.at, "'%s' is %s%s%s%s", g->word, what, g->best ? "; did you mean " : "",
               g->best ? g->best : "", g->best ? "?" : "");
}

/* What other libraries write at the end of a network. */
static bool is_along_axis(const guess *g)
{
  const bp_op *op = bp_op_find(g->word);
  return op && op->args && strcmp(op->args, "x") == 0 && op->attrs[0].name &&
         strcmp(op->attrs[0].name, "axis") == 0;
}

static bp_status along_axis(reader *r, word w, const guess *g)
{
  return wrong(
      r, w.at,
      "%s works along an axis, and is no activation; probabilities are made by the loss, of the last layer's "
      "answers",
      g->word);
}

static bp_status unknown_layer(reader *r, word w)
{
  guess g = guess_of(w);
  if (is_along_axis(&g))
    return along_axis(r, w, &g);
  for (int i = 0; bpi_layer_kind_at(i); i++)
    try_name(&g, bpi_layer_kind_at(i)->name);
  try_activations(&g);
  return unknown(r, w, &g, "no kind of layer and no activation");
}

static bp_status unknown_argument(reader *r, word w, const bpi_layer_kind *k)
{
  guess g = guess_of(w);
  if (is_along_axis(&g))
    return along_axis(r, w, &g);
  for (int i = 0; i < bpi_layer_args(k); i++) {
    try_name(&g, k->args[i].name);
    try_name(&g, k->args[i].word);
  }
  try_activations(&g);
  char what[80];
  snprintf(what, sizeof what, "no argument of %s and no activation", k->name);
  return unknown(r, w, &g, what);
}

/* ---- words ---- */

static void skip_blanks(reader *r)
{
  r->at += strspn(r->text + r->at, " \t\r\n");
}

/* The next word, up to a blank, a comma or a bracket. What is in brackets right behind the name of an operation belongs to it: maxout(2). */
static word next_word(reader *r)
{
  word w = {r->text + r->at, strcspn(r->text + r->at, " \t\r\n,()"), r->at};
  const bpi_layer_kind *k = bpi_layer_kind_find(w.s, w.n);
  bool letter = w.n && ((unsigned char)*w.s | 32) >= 'a' && ((unsigned char)*w.s | 32) <= 'z';
  if (w.s[w.n] == '(' && letter && !(k && k->body)) {
    size_t inside = strcspn(w.s + w.n, " \t\r\n,)");
    w.n += inside + (w.s[w.n + inside] == ')');
  }
  r->at += w.n;
  return w;
}

/* "3", "3x5" or "28x28x1". False where it is no such thing. */
static bool read_numbers(word w, bpi_layer_value *v)
{
  v->n = 0;
  for (size_t from = 0; v->n < BPI_LAYER_NUMBERS;) {
    const char *x = memchr(w.s + from, 'x', w.n - from);
    size_t n = x ? (size_t)(x - w.s) - from : w.n - from;
    if (!bpi_parse_double(w.s + from, n, &v->v[v->n++]))
      return false;
    if (!x)
      return true;
    from += n + 1;
  }
  return false;
}

static bool looks_like_number(word w)
{
  return w.n && strchr("0123456789.+-", *w.s);
}

/* ---- arguments ---- */

static bp_status check_number(reader *r, size_t at, const bpi_layer_kind *k, const bp_layer_arg *a, double x)
{
  bool whole = a->kind != BP_LAYER_REAL;
  if (x >= a->lo && x <= a->hi && (!whole || x == floor(x)))
    return BP_OK;
  return wrong(r, at, "%s: %s must be %s from %.15g to %.15g", k->name, a->name,
               whole ? "a whole number" : "a number", a->lo, a->hi);
}

static bp_status set_argument(reader *r, bpi_layer *l, int i, word w)
{
  const bp_layer_arg *a = &l->kind->args[i];
  bpi_layer_value v;
  if (l->value[i].n)
    return wrong(r, w.at, "%s: %s is given twice", l->kind->name, a->name);
  if (is_word(w, a->word)) {
    l->value[i] = (bpi_layer_value){{-1}, 1};
    return BP_OK;
  }
  if (!read_numbers(w, &v))
    return wrong(r, w.at, "%s: %s must be a number, not '%.*s'", l->kind->name, a->name,
                 w.n > MOST_WORD ? MOST_WORD : (int)w.n, w.s);
  if (v.n > (a->most ? a->most : 1))
    return wrong(r, w.at, "%s: %s takes %s%d number%s", l->kind->name, a->name, a->most > 1 ? "at most " : "",
                 a->most ? a->most : 1, a->most > 1 ? "s" : "");
  bp_status s = BP_OK;
  for (int k = 0; s == BP_OK && k < v.n; k++)
    s = check_number(r, w.at, l->kind, a, v.v[k]);
  l->value[i] = v;
  return s;
}

/* The argument that a bare number is for, or -1. */
static int next_place(const bpi_layer *l)
{
  for (int i = 0; i < bpi_layer_args(l->kind); i++)
    if (!l->kind->args[i].named && l->kind->args[i].kind != BP_LAYER_FLAG && !l->value[i].n)
      return i;
  return -1;
}

static bp_status read_named(reader *r, bpi_layer *l, word w, size_t name)
{
  word value = {w.s + name + 1, w.n - name - 1, w.at + name + 1};
  w.n = name;
  for (int i = 0; i < bpi_layer_args(l->kind); i++)
    if (is_word(w, l->kind->args[i].name) && l->kind->args[i].kind != BP_LAYER_FLAG)
      return set_argument(r, l, i, value);
  return unknown_argument(r, w, l->kind);
}

static bp_status read_activation(reader *r, bpi_layer *l, word w)
{
  const bp_op *op;
  bp_attr attr[BP_MAX_ATTRS] = {{{0}, 0}};
  char text[MOST_WORD];
  snprintf(text, sizeof text, "%.*s", (int)(w.n < sizeof text ? w.n : sizeof text - 1), w.s);
  if (l->activation)
    return wrong(r, w.at, "a layer has one activation; a comma begins a layer");
  if (is_word(w, "none"))
    return BP_OK;
  bp_status s = bpi_activation_read(text, &op, attr);
  if (s == BP_E_NOTFOUND)
    return l->kind == &bpi_layer_activation ? unknown_layer(r, w) : unknown_argument(r, w, l->kind);
  if (s != BP_OK)
    return wrong(r, w.at, "%s", bp_error());
  l->activation = bpi_arena_strdup(r->arena, text);
  return l->activation ? BP_OK : bpi_nomem();
}

/* A word behind the name: a number, NAME=VALUE, a flag or the word of an argument, an activation. */
static bp_status read_argument(reader *r, bpi_layer *l, word w)
{
  const char *equals = memchr(w.s, '=', w.n);
  if (equals)
    return read_named(r, l, w, (size_t)(equals - w.s));
  if (looks_like_number(w)) {
    int i = next_place(l);
    return i >= 0 ? set_argument(r, l, i, w)
                  : wrong(r, w.at, "%s takes no number here; a comma begins the next layer", l->kind->name);
  }
  for (int i = 0; i < bpi_layer_args(l->kind); i++) {
    const bp_layer_arg *a = &l->kind->args[i];
    if (is_word(w, a->word) || (a->kind == BP_LAYER_FLAG && is_word(w, a->name))) {
      if (l->value[i].n)
        return wrong(r, w.at, "%s: %s is given twice", l->kind->name, a->name);
      l->value[i] = (bpi_layer_value){{a->kind == BP_LAYER_FLAG ? 1 : -1}, 1};
      return BP_OK;
    }
  }
  return read_activation(r, l, w);
}

static bp_status check_complete(reader *r, const bpi_layer *l, size_t at)
{
  const bpi_layer_kind *k = l->kind;
  for (int i = 0; i < bpi_layer_args(k); i++)
    if (!l->value[i].n && isnan(k->args[i].preset))
      return wrong(r, at, "%s needs %s: %s", k->name, k->args[i].name, k->args[i].what);
  return k->body && !l->body
             ? wrong(r, at, "%s needs layers in brackets: %s(dense 64 relu, dense 64)", k->name, k->name)
             : BP_OK;
}

/* ---- layers ---- */

static bp_status read_list(reader *r, bool inside, const bpi_layer **first);

static bp_status read_body(reader *r, bpi_layer *l)
{
  size_t at = r->at++;
  if (!l->kind->body)
    return wrong(r, at, "%s has no layers in brackets", l->kind->name);
  if (l->body)
    return wrong(r, at, "%s has its layers already", l->kind->name);
  if (r->depth == BPI_LAYER_DEPTH)
    return wrong(r, at, "more than %d brackets in brackets", BPI_LAYER_DEPTH);
  r->depth++;
  bp_status s = read_list(r, true, &l->body);
  r->depth--;
  if (s == BP_OK && r->text[r->at] != ')')
    return wrong(r, at, "this bracket is not closed");
  r->at += s == BP_OK;
  return s;
}

static bp_status read_words(reader *r, bpi_layer *l)
{
  for (;;) {
    skip_blanks(r);
    char c = r->text[r->at];
    if (c == '\0' || c == ',' || c == ')')
      return BP_OK;
    bp_status s = c == '(' ? read_body(r, l) : read_argument(r, l, next_word(r));
    if (s != BP_OK)
      return s;
  }
}

static bp_status read_layer(reader *r, bpi_layer **out)
{
  skip_blanks(r);
  word w = next_word(r);
  if (w.n == 0)
    return wrong(r, w.at,
                 r->text[w.at] == '(' ? "a bracket without a layer's name before it"
                                      : "a layer is missing here");
  if (r->count++ == BPI_LAYERS_MOST)
    return wrong(r, w.at, "more than %d layers", BPI_LAYERS_MOST);
  bpi_layer *l = *out = bpi_arena_alloc(r->arena, 1, sizeof *l);
  if (!l)
    return bpi_nomem();
  l->kind = bpi_layer_kind_find(w.s, w.n);
  bp_status s = BP_OK;
  if (!l->kind) {
    l->kind = &bpi_layer_activation;
    s = read_activation(r, l, w);
  }
  if (s == BP_OK)
    s = read_words(r, l);
  return s == BP_OK ? check_complete(r, l, w.at) : s;
}

static bp_status read_list(reader *r, bool inside, const bpi_layer **first)
{
  const bpi_layer **to = first;
  for (;;) {
    bpi_layer *l = NULL;
    bp_status s = read_layer(r, &l);
    if (s != BP_OK || !l)
      return s;
    *to = l;
    to = &l->next;
    char c = r->text[r->at];
    if (c == '\0' || (c == ')' && inside))
      return BP_OK;
    if (c == ')')
      return wrong(r, r->at, "a bracket is closed that was not opened");
    r->at++; /* the comma */
  }
}

bp_status bpi_model_read(bpi_arena *a, const char *text, const bpi_layer **first, size_t *at)
{
  reader r = {.arena = a, .text = text};
  *first = NULL;
  bp_status s = read_list(&r, false, first);
  if (at)
    *at = r.wrong_at;
  return s;
}

/* ---- written ---- */

static void add_value(bpi_text *t, const bp_layer_arg *a, const bpi_layer_value *v)
{
  if (a->word && v->v[0] == -1) {
    bpi_textf(t, "%s", a->word);
    return;
  }
  for (int k = 0; k < v->n; k++) {
    bpi_textf(t, "%s", k ? "x" : "");
    bpi_text_double(t, v->v[k]);
  }
}

static void add_argument(bpi_text *t, const bp_layer_arg *a, const bpi_layer_value *v, bool by_place)
{
  bpi_textf(t, " ");
  if (a->kind == BP_LAYER_FLAG) {
    bpi_textf(t, "%s", a->name);
    return;
  }
  if (!by_place && !(a->word && v->v[0] == -1))
    bpi_textf(t, "%s=", a->name);
  add_value(t, a, v);
}

void bpi_model_layer_text(bpi_text *t, const bpi_layer *l, bool whole)
{
  const bpi_layer_kind *k = l->kind;
  bool places = true; /* so far each argument stands in its place */
  if (k == &bpi_layer_activation) {
    bpi_textf(t, "%s", l->activation ? l->activation : "none");
    return;
  }
  bpi_textf(t, "%s", k->name);
  for (int i = 0; i < bpi_layer_args(k); i++) {
    places = places && !k->args[i].named && l->value[i].n;
    if (l->value[i].n)
      add_argument(t, &k->args[i], &l->value[i], places);
  }
  if (l->body && whole) {
    bpi_textf(t, "(");
    bpi_model_text(t, l->body);
    bpi_textf(t, ")");
  }
  if (l->activation)
    bpi_textf(t, " %s", l->activation);
}

void bpi_model_text(bpi_text *t, const bpi_layer *first)
{
  for (const bpi_layer *l = first; l; l = l->next) {
    bpi_model_layer_text(t, l, true);
    bpi_textf(t, "%s", l->next ? ", " : "");
  }
}

/* ---- numbers ---- */

double bpi_layer_number(const bpi_layer *l, int i, int k)
{
  const bpi_layer_value *v = &l->value[i];
  return v->n == 0 ? l->kind->args[i].preset : v->v[k < v->n ? k : v->n - 1];
}

int64_t bpi_layer_whole(const bpi_layer *l, int i, int k)
{
  return (int64_t)bpi_layer_number(l, i, k);
}
