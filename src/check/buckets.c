#include "check/colour.h"

bp_status bpi_buckets_init(bpi_arena *a, bpi_buckets *b, int64_t n_items, int64_t most_key)
{
  *b = (bpi_buckets){.n_keys = most_key + 1};
  b->head = bpi_arena_alloc(a, (size_t)b->n_keys, sizeof *b->head);
  b->next = bpi_arena_alloc(a, (size_t)n_items + 1, sizeof *b->next);
  b->prev = bpi_arena_alloc(a, (size_t)n_items + 1, sizeof *b->prev);
  b->key = bpi_arena_alloc(a, (size_t)n_items + 1, sizeof *b->key);
  if (!b->head || !b->next || !b->prev || !b->key)
    return bpi_nomem();
  for (int64_t k = 0; k < b->n_keys; k++)
    b->head[k] = -1;
  b->least = b->n_keys;
  return BP_OK;
}

void bpi_buckets_put(bpi_buckets *b, int64_t item, int64_t key)
{
  int64_t next = b->head[key];
  b->key[item] = key;
  b->next[item] = next;
  b->prev[item] = -1 - key;
  if (next >= 0)
    b->prev[next] = item;
  b->head[key] = item;
  b->least = key < b->least ? key : b->least;
}

void bpi_buckets_drop(bpi_buckets *b, int64_t item)
{
  int64_t next = b->next[item], prev = b->prev[item];
  if (next >= 0)
    b->prev[next] = prev;
  if (prev >= 0)
    b->next[prev] = next;
  else
    b->head[-1 - prev] = next;
}

int64_t bpi_buckets_least(bpi_buckets *b)
{
  while (b->least < b->n_keys && b->head[b->least] < 0)
    b->least++;
  return b->least < b->n_keys ? b->head[b->least] : -1;
}
