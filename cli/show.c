/* Arrays as text. */
#include "show.h"
#include "say.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MANY = 1000, EDGE = 3, DIGITS = 8, LINE = 76, CELL = 40 };

double show_element(const bp_type *t, const void *data, int64_t i)
{
  switch (t->dtype) {
  case BP_FLOAT32:
    return (double)((const float *)data)[i];
  case BP_FLOAT64:
    return ((const double *)data)[i];
  case BP_INT64:
    return (double)((const int64_t *)data)[i];
  default:
    return ((const uint8_t *)data)[i];
  }
}

int64_t show_size(const bp_type *t)
{
  int64_t n = 1;
  for (int i = 0; i < t->rank; i++)
    n *= t->dims[i];
  return n;
}

const char *number_text(double x, char text[NUMBER_TEXT])
{
  snprintf(text, NUMBER_TEXT, "%.12g", isnan(x) ? (double)NAN : x); /* printf writes the sign of a NaN */
  if (isfinite(x) && strtod(text, NULL) != x)
    snprintf(text, NUMBER_TEXT, "%#.12g", x);
  return text;
}

/* ---- columns of numbers ---- */

/* How all elements of an array are written: so many decimals, or with exponents. */
typedef struct style {
  int decimals;
  bool exponent;
  int width;
} style;

static void cell(char *out, const bp_type *t, const void *data, int64_t i, const style *s)
{
  double x = show_element(t, data, i);
  if (t->dtype == BP_BOOL)
    snprintf(out, CELL, "%s", x != 0 ? "True" : "False");
  else if (t->dtype == BP_INT64)
    snprintf(out, CELL, "%lld", (long long)((const int64_t *)data)[i]);
  else if (!isfinite(x))
    snprintf(out, CELL, "%s", isnan(x) ? "nan" : x > 0 ? "inf" : "-inf");
  else if (s->exponent)
    snprintf(out, CELL, "%.*e", s->decimals, x);
  else
    snprintf(out, CELL, "%.*f%s", s->decimals, x, s->decimals ? "" : ".");
}

/* Fewest decimals, at most 8, that tell all that 8 decimals tell. */
static int decimals_of(double x, bool exponent)
{
  char text[CELL];
  snprintf(text, sizeof text, exponent ? "%.*e" : "%.*f", DIGITS, x);
  char *end = exponent ? strchr(text, 'e') : text + strlen(text);
  int n = DIGITS;
  while (n > 0 && end && end[n - DIGITS - 1] == '0')
    n--;
  return n;
}

static bool is_edge(int64_t i, int64_t n, bool all)
{
  return all || i < EDGE || i >= n - EDGE;
}

/* Calls `see` for the elements that are shown. */
static void each_shown(const bp_type *t, int axis, int64_t at, int64_t stride, bool all,
                       void (*see)(void *, int64_t), void *user)
{
  if (axis == t->rank) {
    see(user, at);
    return;
  }
  int64_t n = t->dims[axis];
  stride = n ? stride / n : 0;
  for (int64_t i = 0; i < n; i++) {
    if (!is_edge(i, n, all))
      i = n - EDGE;
    each_shown(t, axis + 1, at + i * stride, stride, all, see, user);
  }
}

typedef struct survey {
  const bp_type *t;
  const void *data;
  style s;
  double largest, smallest;
} survey;

static void see_size(void *user, int64_t i)
{
  survey *v = user;
  double x = fabs(show_element(v->t, v->data, i));
  if (isfinite(x) && x > v->largest)
    v->largest = x;
  if (isfinite(x) && x > 0 && x < v->smallest)
    v->smallest = x;
}

static void see_decimals(void *user, int64_t i)
{
  survey *v = user;
  double x = show_element(v->t, v->data, i);
  int n = isfinite(x) ? decimals_of(x, v->s.exponent) : 0;
  v->s.decimals = n > v->s.decimals ? n : v->s.decimals;
}

static void see_width(void *user, int64_t i)
{
  survey *v = user;
  char text[CELL];
  cell(text, v->t, v->data, i, &v->s);
  int n = (int)strlen(text);
  v->s.width = n > v->s.width ? n : v->s.width;
}

static style style_of(const bp_type *t, const void *data, bool all)
{
  survey v = {t, data, {0, false, 0}, 0, INFINITY};
  int64_t n = show_size(t);
  if (t->dtype == BP_FLOAT32 || t->dtype == BP_FLOAT64) {
    each_shown(t, 0, 0, n, all, see_size, &v);
    v.s.exponent =
        v.largest >= 1e8 || v.smallest < 1e-4 || (v.smallest < INFINITY && v.largest / v.smallest > 1e6);
    each_shown(t, 0, 0, n, all, see_decimals, &v);
  }
  each_shown(t, 0, 0, n, all, see_width, &v);
  return v.s;
}

/* ---- the brackets ---- */

typedef struct writing {
  const bp_type *t;
  const void *data;
  style s;
  bool all;
  int column, indent;
} writing;

static void write_row(writing *w, int64_t at, int64_t n)
{
  char text[CELL];
  for (int64_t i = 0; i < n; i++) {
    bool gap = !is_edge(i, n, w->all);
    int width = gap ? 3 : w->s.width;
    if (i && w->column + 1 + width > LINE) {
      answer("\n%*s", w->indent, "");
      w->column = w->indent;
    } else if (i) {
      answer(" ");
      w->column++;
    }
    if (gap) {
      answer("...");
      i = n - EDGE - 1;
    } else {
      cell(text, w->t, w->data, at + i, &w->s);
      answer("%*s", w->s.width, text);
    }
    w->column += width;
  }
}

static void write_axis(writing *w, int axis, int64_t at, int64_t stride)
{
  int64_t n = w->t->dims[axis];
  stride = n ? stride / n : 0;
  answer("[");
  w->column++;
  w->indent++;
  for (int64_t i = 0; i < n && axis + 1 < w->t->rank; i++) {
    if (i) {
      answer("\n%*s", w->indent, "");
      w->column = w->indent;
    }
    if (!is_edge(i, n, w->all)) {
      answer("...");
      i = n - EDGE - 1;
    } else {
      write_axis(w, axis + 1, at + i * stride, stride);
    }
  }
  if (axis + 1 == w->t->rank)
    write_row(w, at, n);
  answer("]");
  w->column++;
  w->indent--;
}

void show_array(const char *name, const bp_type *t, const void *data)
{
  answer("%s", shown(name));
  if (t->rank == 0) {
    char text[CELL];
    if (t->dtype == BP_FLOAT32 || t->dtype == BP_FLOAT64)
      answer(" = %s\n", number_text(show_element(t, data, 0), text));
    else {
      cell(text, t, data, 0, &(style){0});
      answer(" = %s\n", text);
    }
    return;
  }
  answer(" ");
  json_shape(t);
  answer(" =%s", t->rank == 1 ? " " : "\n  ");
  writing w = {.t = t, .data = data, .all = show_size(t) <= MANY};
  w.s = style_of(t, data, w.all);
  w.indent = w.column = 2;
  if (t->rank == 1 && (w.s.width + 1) * show_size(t) + (int)strlen(name) + 10 > LINE)
    answer("\n  ");
  write_axis(&w, 0, 0, show_size(t));
  answer("\n");
}

/* ---- JSON ---- */

void json_shape(const bp_type *t)
{
  answer("[");
  for (int i = 0; i < t->rank; i++)
    answer(i ? ",%lld" : "%lld", (long long)t->dims[i]);
  answer("]");
}

static void json_element(const bp_type *t, const void *data, int64_t i)
{
  double x = show_element(t, data, i);
  char text[CELL];
  if (t->dtype == BP_BOOL)
    answer(x != 0 ? "true" : "false");
  else if (t->dtype == BP_INT64)
    answer("%lld", (long long)((const int64_t *)data)[i]);
  else if (!isfinite(x))
    answer(isnan(x) ? "\"nan\"" : x > 0 ? "\"inf\"" : "\"-inf\"");
  else {
    for (int digits = t->dtype == BP_FLOAT32 ? 6 : 15; digits <= 17; digits++) {
      snprintf(text, sizeof text, "%.*g", digits, x);
      double back = strtod(text, NULL);
      if (t->dtype == BP_FLOAT32 ? (float)back == (float)x : back == x)
        break;
    }
    answer("%s", text);
  }
}

static void json_axis(const bp_type *t, const void *data, int axis, int64_t at, int64_t stride)
{
  if (axis == t->rank) {
    json_element(t, data, at);
    return;
  }
  int64_t n = t->dims[axis];
  stride = n ? stride / n : 0;
  answer("[");
  for (int64_t i = 0; i < n && answer_goes_on(); i++) {
    if (i)
      answer(",");
    json_axis(t, data, axis + 1, at + i * stride, stride);
  }
  answer("]");
}

void json_array(const bp_type *t, const void *data)
{
  json_axis(t, data, 0, 0, show_size(t));
}
