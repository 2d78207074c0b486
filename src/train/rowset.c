#include "train/rowset.h"

#include <string.h>

enum { BLOCK_WORDS = 64 };

void bpi_rowset_free(bp_ctx *ctx, bpi_rowset *s)
{
  bpi_free(ctx, s->bits);
  bpi_free(ctx, s->before);
  *s = (bpi_rowset){0};
}

static bool has_room(bp_ctx *ctx, bpi_rowset *s, size_t words)
{
  if (words <= s->words)
    return true;
  size_t wanted = words + words / 2;
  uint64_t *p = bpi_realloc(ctx, s->bits, wanted, sizeof *p);
  if (!p)
    return false;
  memset(p + s->words, 0, (wanted - s->words) * sizeof *p);
  s->bits = p;
  s->words = wanted;
  return true;
}

bool bpi_rowset_add(bp_ctx *ctx, bpi_rowset *s, int64_t row)
{
  if (!has_room(ctx, s, (size_t)row / 64 + 1))
    return false;
  s->n += !bpi_rowset_has(s, row);
  s->bits[row / 64] |= UINT64_C(1) << (row % 64);
  return true;
}

/* Bits of a word, two, four and eight at a time. */
static int64_t members_of(uint64_t w)
{
  w -= w >> 1 & UINT64_C(0x5555555555555555);
  w = (w & UINT64_C(0x3333333333333333)) + (w >> 2 & UINT64_C(0x3333333333333333));
  w = (w + (w >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
  return (int64_t)(w * UINT64_C(0x0101010101010101) >> 56);
}

bool bpi_rowset_join(bp_ctx *ctx, bpi_rowset *s, const bpi_rowset *more)
{
  if (!has_room(ctx, s, more->words))
    return false;
  s->n = 0;
  for (size_t w = 0; w < more->words; w++)
    s->bits[w] |= more->bits[w];
  for (size_t w = 0; w < s->words; w++)
    s->n += members_of(s->bits[w]);
  return true;
}

bool bpi_rowset_index(bp_ctx *ctx, bpi_rowset *s)
{
  int64_t *before = bpi_realloc(ctx, s->before, s->words / BLOCK_WORDS + 1, sizeof *before), n = 0;
  if (!before)
    return false;
  s->before = before;
  for (size_t w = 0; w < s->words; w++) {
    if (w % BLOCK_WORDS == 0)
      before[w / BLOCK_WORDS] = n;
    n += members_of(s->bits[w]);
  }
  if (s->words % BLOCK_WORDS == 0)
    before[s->words / BLOCK_WORDS] = n;
  return true;
}

int64_t bpi_rowset_before(const bpi_rowset *s, int64_t row)
{
  size_t word = (size_t)row / 64;
  if (word >= s->words)
    return s->n;
  int64_t n = s->before[word / BLOCK_WORDS];
  for (size_t w = word / BLOCK_WORDS * BLOCK_WORDS; w < word; w++)
    n += members_of(s->bits[w]);
  return n + members_of(s->bits[word] & ((UINT64_C(1) << (row % 64)) - 1));
}

int64_t bpi_rowset_outside(const bpi_rowset *s, int64_t i)
{
  int64_t low = i, high = i + s->n;
  while (low < high) {
    int64_t middle = low + (high - low) / 2;
    if (middle + 1 - bpi_rowset_before(s, middle + 1) > i)
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}
