/* A table, or the blocks of a stream one after another, as comparable bytes: row by row, "-" for a missing value, "=" and the bits of a number, or "'"
 * and the text. */
#ifndef TEST_TABLEROWS_H
#define TEST_TABLEROWS_H

#include "bprop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct tablerows {
  char *s;
  size_t n, cap;
  int64_t rows;
  bp_status status;
  char message[1100];
} tablerows;

static inline void rows_put(tablerows *r, const void *bytes, size_t n)
{
  if (r->n + n + 1 > r->cap) {
    r->cap = 2 * r->cap + n + 64;
    r->s = realloc(r->s, r->cap);
    if (!r->s)
      abort();
  }
  memcpy(r->s + r->n, bytes, n);
  r->n += n;
  r->s[r->n] = 0;
}

static inline void rows_put_cell(tablerows *r, const bp_table *t, int c, int64_t row)
{
  bp_column col;
  const int32_t *codes;
  double x = 0;
  if (bp_table_column(t, c, &col) != BP_OK)
    abort();
  if (!col.text) {
    if (bp_table_numbers(t, c, row, 1, &x) != BP_OK)
      abort();
    rows_put(r, x != x ? "-" : "=", 1);
    rows_put(r, &x, x != x ? 0 : sizeof x);
    return;
  }
  if (bp_table_codes(t, c, &codes) != BP_OK)
    abort();
  const char *text = codes[row] < 0 ? "" : bp_table_category(t, c, codes[row], NULL);
  rows_put(r, codes[row] < 0 ? "-" : "'", 1);
  rows_put(r, text, strlen(text));
}

static inline void rows_add(tablerows *r, const bp_table *t)
{
  for (int64_t i = 0; i < bp_table_rows(t); i++) {
    for (int c = 0; c < bp_table_columns(t); c++)
      rows_put_cell(r, t, c, i);
    rows_put(r, "\n", 1);
  }
  r->rows += bp_table_rows(t);
}

static inline void rows_names(tablerows *r, const bp_table *t)
{
  for (int c = 0; c < bp_table_columns(t); c++) {
    bp_column col;
    if (bp_table_column(t, c, &col) != BP_OK)
      abort();
    rows_put(r, col.name, strlen(col.name) + 1);
  }
}

static inline void rows_end(tablerows *r, bp_status s)
{
  r->status = s;
  snprintf(r->message, sizeof r->message, "%s", s == BP_OK ? "" : bp_error());
}

static inline tablerows rows_of_table(bp_ctx *ctx, bp_source *source, const bp_csv_options *o)
{
  tablerows r = {0};
  bp_table *t = NULL;
  rows_end(&r, bp_csv_read(ctx, source, o, &t));
  if (r.status == BP_OK) {
    rows_names(&r, t);
    rows_add(&r, t);
  }
  bp_table_free(t);
  return r;
}

/* The rows of a stream, begun again where text came late; without them where it fails. */
static inline tablerows rows_of_stream(bp_ctx *ctx, bp_source *source, const bp_csv_options *o, int64_t most)
{
  tablerows r = {0};
  bp_csv *c = NULL;
  const bp_table *t = NULL;
  bp_status s = bp_csv_open(ctx, source, o, &c);
  if (s == BP_OK)
    rows_names(&r, bp_csv_table(c));
  size_t names = r.n;
  while (s == BP_OK) {
    s = bp_csv_block(c, most, &t);
    if (s == BP_E_DTYPE) {
      s = bp_csv_again(c);
      r.n = names;
      r.rows = 0;
    } else if (s == BP_OK && bp_table_first(t) != r.rows) {
      abort();
    } else if (s == BP_OK && bp_table_rows(t) == 0) {
      break;
    } else if (s == BP_OK) {
      rows_add(&r, t);
    }
  }
  rows_end(&r, s);
  if (s != BP_OK)
    r.n = 0;
  bp_csv_close(c);
  return r;
}

static inline bool rows_equal(const tablerows *a, const tablerows *b)
{
  return a->status == b->status && strcmp(a->message, b->message) == 0 && a->n == b->n &&
         (a->n == 0 || memcmp(a->s, b->s, a->n) == 0);
}

#endif
