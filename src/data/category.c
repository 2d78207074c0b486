#include "data/category.h"

#include <string.h>

void bpi_categories_init(bpi_categories *c, bp_ctx *ctx)
{
  *c = (bpi_categories){.ctx = ctx};
}

void bpi_categories_free(bpi_categories *c)
{
  bpi_free(c->ctx, c->texts);
  bpi_free(c->ctx, c->items);
  bpi_free(c->ctx, c->slots);
  bpi_categories_init(c, c->ctx);
}

void bpi_categories_clear(bpi_categories *c)
{
  if (c->n)
    memset(c->slots, 0, (c->mask + 1) * sizeof *c->slots);
  c->n = c->texts_n = 0;
}

const char *bpi_categories_text(const bpi_categories *c, int32_t i)
{
  return c->texts + c->items[i].at;
}

/* Eight bytes a step. The address of the set goes in, so that a file made to collide would have to know it; the numbers given
 * out never depend on the hash. */
static uint64_t hash(const bpi_categories *c, const char *s, size_t n)
{
  uint64_t h = (uint64_t)(uintptr_t)c ^ n * UINT64_C(0x9e3779b97f4a7c15);
  for (; n; n -= n < 8 ? n : 8, s += 8) {
    uint64_t w = 0;
    memcpy(&w, s, n < 8 ? n : 8);
    h = (h ^ w) * UINT64_C(0xd6e8feb86659fd93);
    h ^= h >> 32;
  }
  h *= UINT64_C(0xd6e8feb86659fd93);
  return h ^ h >> 32;
}

/* Slot of the text: the one that holds it, or the free one where it belongs. */
static size_t slot_of(const bpi_categories *c, const char *s, size_t n)
{
  size_t i = hash(c, s, n) & c->mask;
  for (; c->slots[i]; i = (i + 1) & c->mask) {
    const char *t = bpi_categories_text(c, (int32_t)c->slots[i] - 1);
    if (strncmp(t, s, n) == 0 && t[n] == 0)
      break;
  }
  return i;
}

static bool more_slots(bpi_categories *c)
{
  size_t size = c->slots ? 2 * (c->mask + 1) : 16;
  uint32_t *slots = bpi_zalloc(c->ctx, size, sizeof *slots);
  if (!slots)
    return false;
  bpi_free(c->ctx, c->slots);
  c->slots = slots;
  c->mask = size - 1;
  for (size_t i = 0; i < c->n; i++) {
    const char *t = bpi_categories_text(c, (int32_t)i);
    slots[slot_of(c, t, strlen(t))] = (uint32_t)i + 1;
  }
  return true;
}

static bool more_texts(bpi_categories *c, size_t n)
{
  size_t wanted = c->texts_n + n;
  if (wanted <= c->texts_cap)
    return true;
  size_t cap = wanted < 32 ? 64 : wanted + wanted / 2;
  char *p = bpi_realloc(c->ctx, c->texts, cap, 1);
  if (!p)
    return false;
  c->texts = p;
  c->texts_cap = cap;
  return true;
}

int32_t bpi_categories_find(const bpi_categories *c, const char *s, size_t n)
{
  return c->slots ? (int32_t)c->slots[slot_of(c, s, n)] - 1 : -1;
}

int32_t bpi_categories_add(bpi_categories *c, const char *s, size_t n)
{
  int32_t i = bpi_categories_find(c, s, n);
  if (i >= 0) {
    c->items[i].count++;
    return i;
  }
  if (c->n >= INT32_MAX - 1 || (4 * (c->n + 1) > 3 * (c->mask + 1) && !more_slots(c)) ||
      !more_texts(c, n + 1) || !bpi_grow(c->ctx, (void **)&c->items, &c->cap, c->n, sizeof *c->items))
    return -1;
  size_t slot = slot_of(c, s, n);
  memcpy(c->texts + c->texts_n, s, n);
  c->texts[c->texts_n + n] = 0;
  c->items[c->n] = (bpi_category){c->texts_n, 1};
  c->texts_n += n + 1;
  c->slots[slot] = (uint32_t)++c->n;
  return (int32_t)c->n - 1;
}
