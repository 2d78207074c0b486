#include "train/tablejudge.h"

#include <math.h>
#include <string.h>

enum { FEW_TEXTS = 10, FEWEST_COUNTED = 10, BLOCK = 256 };

/* Digits with two signs between them: 2024-01-31, 31/1/24 10:00. */
static bool looks_like_a_date(const char *s)
{
  int digits = 0, signs = 0;
  for (; *s; s++) {
    bool sign = strchr("-/.:", *s) != NULL;
    if (!sign && !(*s >= '0' && *s <= '9') && !strchr(" TZ+", *s))
      return false;
    digits += *s >= '0' && *s <= '9';
    signs += sign;
  }
  return digits >= 4 && signs >= 2;
}

const char *bpi_useless_column(const bp_table *t, int column)
{
  bp_column info;
  if (bp_table_column(t, column, &info) != BP_OK)
    return NULL;
  return bpi_useless(bp_table_rows(t), info.missing, info.text ? info.categories : 0,
                     bp_table_category(t, column, 0, NULL));
}

const char *bpi_useless(int64_t rows, int64_t missing, int64_t texts, const char *example)
{
  int64_t filled = rows - missing;
  if (filled == 0)
    return "it is empty";
  if (texts == 1 && missing == 0)
    return "it is the same in all rows";
  if (texts <= FEW_TEXTS || 2 * texts <= filled)
    return NULL;
  return looks_like_a_date(example)
             ? "it holds dates; their parts as numbers (month, weekday, days since) could be learned from"
             : "its text is nearly always another, as names and numbers of things are";
}

bool bpi_counts_rows(const bp_table *t, int column)
{
  bp_column info;
  double v[BLOCK], start = 0;
  int64_t rows = bp_table_rows(t);
  if (rows < FEWEST_COUNTED || bp_table_column(t, column, &info) != BP_OK || info.text || info.missing)
    return false;
  for (int64_t first = 0; first < rows; first += BLOCK) {
    int64_t n = rows - first < BLOCK ? rows - first : BLOCK;
    if (bp_table_numbers(t, column, first, n, v) != BP_OK)
      return false;
    start = first ? start : v[0];
    for (int64_t i = 0; i < n; i++)
      if (v[i] != start + (double)(first + i) || fabs(v[i]) > 1e15)
        return false;
  }
  return true;
}
