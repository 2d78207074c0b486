/* Arrays in the cells of a table. */
#include "cells.h"
#include "say.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { FEW = 6 }; /* elements that a cell shows one by one */

array_view array_of(const void *data, const bp_type *type)
{
  return (array_view){data, *type, show_size(type)};
}

static bool whole_type(bp_dtype t)
{
  return t == BP_INT64 || t == BP_BOOL;
}

array_view output_of(bp_run *run, size_t i)
{
  const void *data = NULL;
  bp_type type = {0};
  bp_run_output(run, i, &data, &type);
  return array_of(data, &type);
}

double array_at(const array_view *a, int64_t i)
{
  return show_element(&a->type, a->data, i);
}

const char *places_text(double x, bp_dtype dtype, char text[NUMBER_TEXT])
{
  bool plain = x == 0 || (fabs(x) >= 1e-3 && fabs(x) < 1e6);
  if (!isfinite(x))
    snprintf(text, NUMBER_TEXT, "%s", isnan(x) ? "nan" : x > 0 ? "inf" : "-inf");
  else if (whole_type(dtype))
    snprintf(text, NUMBER_TEXT, "%.0f", x);
  else
    snprintf(text, NUMBER_TEXT, plain ? "%.4f" : "%.3e", x == 0 ? 0 : x); /* no -0.0000 */
  return text;
}

void dims_text(const bp_type *type, char *text, size_t size)
{
  size_t n = (size_t)snprintf(text, size, "[");
  for (int i = 0; i < type->rank && n < size; i++)
    n += (size_t)snprintf(text + n, size - n, i ? ",%" PRId64 : "%" PRId64, type->dims[i]);
  if (n < size)
    snprintf(text + n, size - n, "]");
}

const char *brief_text(double x, char text[NUMBER_TEXT])
{
  snprintf(text, NUMBER_TEXT, "%.4g", x == 0 ? 0 : isnan(x) ? fabs(x) : x);
  return text;
}

static const char *range_cell(const array_view *a, char *text, size_t size)
{
  double lo = INFINITY, hi = -INFINITY;
  bool nan = false;
  char number[2][NUMBER_TEXT];
  for (int64_t i = 0; i < a->size; i++) {
    double x = array_at(a, i);
    nan = nan || isnan(x);
    lo = x < lo ? x : lo;
    hi = x > hi ? x : hi;
  }
  if (lo > hi)
    snprintf(text, size, "nan");
  else if (lo == hi)
    snprintf(text, size, "all %s%s", brief_text(lo, number[0]), nan ? ", nan" : "");
  else
    snprintf(text, size, "%s..%s%s", brief_text(lo, number[0]), brief_text(hi, number[1]),
             nan ? ", nan" : "");
  return text;
}

const char *elements_cell(const array_view *a, char *text, size_t size)
{
  char number[NUMBER_TEXT];
  size_t n = 0;
  if (a->type.rank == 0) {
    snprintf(text, size, "%s", places_text(array_at(a, 0), a->type.dtype, number));
    return text;
  }
  if (a->size > FEW)
    return range_cell(a, text, size);
  snprintf(text, size, a->size ? "" : "empty");
  for (int64_t i = 0; i < a->size && n < size; i++)
    n += (size_t)snprintf(text + n, size - n, i ? " %s" : "%s", brief_text(array_at(a, i), number));
  return text;
}

const char *array_cell(const array_view *a, char *text, size_t size)
{
  size_t n = 0;
  if (a->type.rank > 0) {
    dims_text(&a->type, text, size);
    n = strlen(text);
    if (n + 1 < size)
      text[n++] = ' ';
  }
  elements_cell(a, text + n, size - n);
  return text;
}

void json_view(const array_view *a)
{
  if (a->data)
    json_array(&a->type, a->data);
  else
    answer("null");
}
