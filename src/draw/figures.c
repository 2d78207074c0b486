/* What is written at a wire: numbers, and what can be said of arrays in a line or two. */
#include "draw/circuit.h"

#include <math.h>

enum { FEW = 3 }; /* elements of a vector that are written out */

void bpi_text_figure(bpi_text *t, double x, int decimals)
{
  if (isnan(x)) {
    bpi_textf(t, "NaN");
    return;
  }
  double size = fabs(x), least = 0.5 * pow(10, -decimals);
  if (signbit(x) && size != 0)
    bpi_textf(t, "−");
  if (isinf(x))
    bpi_textf(t, "∞");
  else if (size != 0 && (size < least || size >= 1e6)) {
    int exponent = (int)floor(log10(size));
    bpi_textf(t, "%.1fe%s%d", size / pow(10, exponent), exponent < 0 ? "−" : "",
              exponent < 0 ? -exponent : exponent);
  } else
    bpi_textf(t, "%.*f", decimals, size);
}

/* ---- elements, whatever the plan stores ---- */

static double element(const void *data, bp_dtype dtype, int64_t i)
{
  switch (dtype) {
  case BP_FLOAT32:
    return (double)((const float *)data)[i];
  case BP_INT64:
    return (double)((const int64_t *)data)[i];
  case BP_BOOL:
    return ((const uint8_t *)data)[i];
  default:
    return ((const double *)data)[i];
  }
}

static void put_element(bpi_text *t, const void *data, bp_dtype dtype, int64_t i, int decimals)
{
  double x = element(data, dtype, i);
  if (dtype == BP_BOOL)
    bpi_textf(t, "%s", x != 0 ? "true" : "false");
  else
    bpi_text_figure(t, x, dtype == BP_INT64 ? 0 : decimals);
}

/* ---- lines ---- */

static void put_shape(bpi_text *t, const bp_type *type)
{
  for (int i = 0; i < type->rank; i++)
    bpi_textf(t, "%s%lld", i ? "×" : "", (long long)type->dims[i]);
}

static void put_list(bpi_text *t, const void *data, const bp_type *type, int64_t n, int decimals)
{
  bpi_textf(t, "[");
  for (int64_t i = 0; i < n; i++) {
    bpi_textf(t, "%s", i ? "  " : "");
    put_element(t, data, type->dtype, i, decimals);
  }
  bpi_textf(t, "]");
}

static void put_summary(bpi_text *t, const void *data, const bp_type *type, int64_t n, int decimals)
{
  double sum = 0, most = 0;
  for (int64_t i = 0; i < n; i++) {
    double x = element(data, type->dtype, i);
    sum += x;
    most = fabs(x) > most || isnan(x) ? fabs(x) : most;
  }
  if (type->dtype == BP_BOOL) {
    bpi_textf(t, "%lld true", (long long)sum);
    return;
  }
  bpi_textf(t, "mean ");
  bpi_text_figure(t, sum / (double)n, decimals ? decimals : 2);
  bpi_textf(t, "  |max| ");
  bpi_text_figure(t, most, decimals);
}

void bpi_figure_lines(const bpi_circuit *c, bpi_sheet *s, const void *data, const bp_type *type,
                      bool one_line, const char **lines)
{
  int64_t n = bpi_type_size(type);
  bpi_text shape, rest;
  bpi_text_init(&shape, c->ctx);
  bpi_text_init(&rest, c->ctx);
  put_shape(&shape, type);
  if (!data)
    ; /* the shape is all there is */
  else if (type->rank == 0)
    put_element(&rest, data, type->dtype, 0, c->decimals);
  else if (n == 0)
    bpi_textf(&rest, "empty");
  else if (n <= FEW)
    put_list(&rest, data, type, n, c->decimals);
  else
    put_summary(&rest, data, type, n, c->decimals);
  int at = 0;
  if (type->rank && !(one_line && data))
    lines[at++] = bpi_sheet_keep(s, &shape);
  if (data)
    lines[at] = bpi_sheet_keep(s, &rest);
  bpi_text_free(&shape);
  bpi_text_free(&rest);
}

/* ---- decimals ---- */

static bool is_whole(const bp_trace *t, bp_trace_part part, size_t i, int k)
{
  const void *data;
  bp_type type;
  if (bp_trace_read(t, part, i, k, &data, &type) != BP_OK || !data)
    return true;
  int64_t n = bpi_type_size(&type);
  for (int64_t m = 0; m < n && n <= FEW; m++) {
    double x = element(data, type.dtype, m);
    if (isfinite(x) && (x != round(x) || fabs(x) >= 1e6))
      return false;
  }
  return n <= FEW;
}

bool bpi_whole_numbers(const bp_trace *t)
{
  for (size_t i = 0; i < bp_trace_count(t); i++) {
    const bp_traced *v = bp_trace_at(t, i);
    for (int k = 0; k < v->n_out; k++)
      if (!is_whole(t, BP_TRACE_VALUE, i, k) || !is_whole(t, BP_TRACE_GRADIENT, i, k))
        return false;
    for (int k = 0; k < v->n_in; k++)
      if (!is_whole(t, BP_TRACE_PRODUCT, i, k))
        return false;
  }
  return true;
}
