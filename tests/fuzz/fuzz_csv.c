/* The first byte chooses delimiter and header, and how small the pieces are; the rest is the file. What is read must be consistent, and a
 * stream of small blocks through a small window must be the same, to the words of a failure. */
#include "base/source.h"
#include "support/tablerows.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool ok)
{
  if (!ok)
    abort();
}

static void walk(const bp_table *t)
{
  for (int c = 0; c < bp_table_columns(t) && c < 100; c++) {
    bp_column col;
    int found = -1;
    expect(bp_table_column(t, c, &col) == BP_OK && col.name && *col.name);
    expect(bp_table_find(t, col.name, &found) == BP_OK && found == c);
    int64_t missing = 0, counted = 0;
    const int32_t *codes = NULL;
    if (col.text)
      expect(bp_table_codes(t, c, &codes) == BP_OK);
    for (int64_t r = 0; r < bp_table_rows(t); r++) {
      double x = 0;
      expect(col.text || bp_table_numbers(t, c, r, 1, &x) == BP_OK);
      expect(!col.text || (codes[r] >= -1 && codes[r] < col.categories));
      missing += col.text ? codes[r] < 0 : x != x;
    }
    for (int32_t k = 0; k < col.categories; k++) {
      int64_t n = 0;
      expect(bp_table_category(t, c, k, &n) && n > 0);
      counted += n;
    }
    expect(missing == col.missing && (!col.text || counted + missing == bp_table_rows(t)));
  }
}

static void stream(bp_ctx *ctx, const uint8_t *data, size_t size, bp_csv_options o, unsigned pieces)
{
  bp_source source;
  expect(bp_source_memory(ctx, data, size, "fuzz", &source) == BP_OK);
  tablerows whole = rows_of_table(ctx, &source, &o);
  source.rewind(source.user, NULL);
  o.buffer = 1 + pieces % 13;
  tablerows parts = rows_of_stream(ctx, &source, &o, 1 + pieces % 7);
  expect(rows_equal(&whole, &parts));
  bp_source_close(&source);
  free(whole.s);
  free(parts.s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  bp_ctx *ctx = bp_ctx_new(NULL);
  unsigned first = size ? data[0] : 0;
  bp_csv_options o = {
      .delimiter = ",;|\t"[first & 3], .header = (bp_csv_header)((first >> 2) % 3), .max_line = 4096};
  if (size)
    stream(ctx, data + 1, size - 1, o, first >> 2);
  bp_source source;
  bp_table *t = NULL;
  if (size && bp_source_memory(ctx, data + 1, size - 1, "fuzz", &source) == BP_OK) {
    if (bp_csv_read(ctx, &source, &o, &t) == BP_OK)
      walk(t);
    else
      expect(t == NULL && strlen(bp_error()) > 4);
    bp_source_close(&source);
  }
  bp_table_free(t);
  bp_ctx_free(ctx);
  return 0;
}
