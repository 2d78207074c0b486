/* Values, names and strings as text that reads back to the same bits. */
#include "lang/printer.h"

#include <math.h>
#include <string.h>

void bpi_print_real(bpi_text *t, double x)
{
  if (isnan(x)) {
    bpi_textf(t, signbit(x) ? "-nan" : "nan");
    return;
  }
  size_t before = t->n;
  bpi_text_double(t, x);
  if (!t->failed && isfinite(x) && !strpbrk(t->s + before, ".e"))
    bpi_textf(t, ".0");
}

static void print_int(bpi_text *t, int64_t x)
{
  if (x == INT64_MIN)
    bpi_textf(t, "-9223372036854775807 - 1");
  else
    bpi_textf(t, "%lld", (long long)x);
}

static void print_element(bpi_text *t, bp_dtype dtype, const void *data, int64_t i)
{
  if (dtype == BP_REAL)
    bpi_print_real(t, ((const double *)data)[i]);
  else if (dtype == BP_INT64)
    print_int(t, ((const int64_t *)data)[i]);
  else
    bpi_textf(t, ((const uint8_t *)data)[i] ? "True" : "False");
}

static void print_nested(bpi_text *t, const bp_type *type, const void *data, int axis, int64_t *at)
{
  if (axis == type->rank) {
    print_element(t, type->dtype, data, (*at)++);
    return;
  }
  bpi_textf(t, "[");
  for (int64_t i = 0; i < type->dims[axis]; i++) {
    if (i)
      bpi_textf(t, ", ");
    print_nested(t, type, data, axis + 1, at);
  }
  bpi_textf(t, "]");
}

void bpi_print_ints(bpi_text *t, const int64_t *list, int64_t n)
{
  bpi_textf(t, "[");
  for (int64_t i = 0; i < n; i++) {
    if (i)
      bpi_textf(t, ", ");
    print_int(t, list[i]);
  }
  bpi_textf(t, "]");
}

void bpi_print_array(bpi_text *t, const bp_type *type, const void *data)
{
  int64_t at = 0;
  if (bpi_type_size(type) == 0) { /* nested brackets would not tell the dims behind the 0 */
    bpi_textf(t, "empty(");
    bpi_print_ints(t, type->dims, type->rank);
    bpi_textf(t, ", %s)", bp_dtype_name(type->dtype));
    return;
  }
  if (type->dtype == BP_INT64)
    bpi_textf(t, "int64(");
  print_nested(t, type, data, 0, &at);
  if (type->dtype == BP_INT64)
    bpi_textf(t, ")");
}

void bpi_print_constant(bpi_text *t, const bp_type *type, const bp_attr *data)
{
  int64_t size = bpi_type_size(type), stored = data->n / (type->dtype == BP_BOOL ? 1 : 8);
  if (type->rank == 0 || stored == size) {
    bpi_print_array(t, type, data->v);
    return;
  }
  bpi_textf(t, "full(");
  bpi_print_ints(t, type->dims, type->rank);
  bpi_textf(t, ", ");
  print_element(t, type->dtype, data->v, 0);
  bpi_textf(t, ", %s)", bp_dtype_name(type->dtype));
}

void bpi_print_string(bpi_text *t, const char *s)
{
  bpi_textf(t, "'");
  for (; *s; s++) {
    unsigned char c = (unsigned char)*s;
    if (c == '\'' || c == '\\')
      bpi_textf(t, "\\%c", c);
    else if (c < 0x20 || c == 0x7f)
      bpi_textf(t, "\\x%02x", c);
    else
      bpi_text_add(t, s, 1);
  }
  bpi_textf(t, "'");
}

static bool means_something(const char *s)
{
  static const char *const words[] = {
      "np",      "numpy",  "math",  "random", "linalg",  "lambda", "def",   "return", "import", "and",
      "or",      "not",    "if",    "else",   "for",     "while",  "class", "is",     "in",     "pi",
      "e",       "inf",    "nan",   "None",   "newaxis", "True",   "False", "real",   "float",  "float64",
      "float32", "double", "int64", "int",    "int32",   "bool",   "bool_"};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (strcmp(words[i], s) == 0)
      return true;
  return false;
}

/* Letters of ASCII alone: others need the lexer's table, and may go as strings. */
bool bpi_is_word(const char *s)
{
  if (!((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z')))
    return false;
  for (const char *c = s; *c; c++)
    if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') || *c == '_'))
      return false;
  return !means_something(s);
}
