/* What a data set holds, as one number: to tell whether two are the same. */
#include "train/spool.h"

#include <string.h>

/* FNV-1a by 64-bit words, each mixed once more as its high bits hardly matter to FNV (Fowler, Noll & Vo; Stafford's mix 13). */
static uint64_t mix(uint64_t h, uint64_t x)
{
  x ^= x >> 30;
  x *= UINT64_C(0xbf58476d1ce4e5b9);
  x ^= x >> 27;
  x *= UINT64_C(0x94d049bb133111eb);
  return (h ^ x ^ x >> 31) * UINT64_C(0x100000001b3);
}

static uint64_t mix_bytes(uint64_t h, const void *data, size_t n)
{
  const unsigned char *p = data;
  uint64_t word;
  for (; n >= sizeof word; n -= sizeof word, p += sizeof word) {
    memcpy(&word, p, sizeof word);
    h = mix(h, word);
  }
  word = n;
  memcpy(&word, p, n);
  return mix(h, word ^ (uint64_t)n << 56);
}

static uint64_t mix_text(uint64_t h, const char *text)
{
  return text ? mix_bytes(h, text, strlen(text)) : mix(h, 0);
}

static uint64_t mix_fields(uint64_t h, const bpi_field *f, int64_t n)
{
  for (int64_t i = 0; f && i < n; i++) {
    h = mix_text(h, f[i].name);
    for (int64_t k = 0; f[i].texts && k < f[i].n; k++)
      h = mix_text(h, f[i].texts[k]);
  }
  return h;
}

static uint64_t mix_inputs(uint64_t h, const bpi_examples *e, int64_t row)
{
  if (e->x)
    h = mix_bytes(h, e->x + row * e->cols, (size_t)e->cols * sizeof *e->x);
  return e->pixels ? mix_bytes(h, e->pixels + row * e->cols, (size_t)e->cols) : h;
}

uint64_t bpi_row_hash(const bpi_examples *e, int64_t row)
{
  return mix_inputs(0, e, row);
}

static uint64_t mix_row(uint64_t h, const bpi_examples *e, int64_t row)
{
  h = mix_inputs(h, e, row);
  if (e->labels)
    h = mix(h, (uint64_t)e->labels[row]);
  if (e->y)
    h = mix_bytes(h, e->y + row * e->n_y, (size_t)e->n_y * sizeof *e->y);
  return e->weights ? mix_bytes(h, e->weights + row, sizeof *e->weights) : h;
}

static uint64_t worked_out(const bp_data *d)
{
  const bpi_examples *e = d->all;
  uint64_t h = mix(UINT64_C(0xcbf29ce484222325), (uint64_t)d->n);
  h = mix(h, (uint64_t)e->cols);
  h = mix(h, (uint64_t)e->classes);
  h = mix_fields(h, e->fields, e->cols);
  h = mix_fields(h, e->targets, e->n_targets);
  const bp_data *some;
  bpi_blocks blocks;
  bpi_blocks_begin(&blocks, d);
  while (bpi_blocks_next(&blocks, &some) == BP_OK && some)
    for (int64_t i = 0; i < some->n; i++)
      h = mix_row(h, some->all, bpi_data_at(some, i));
  bpi_blocks_end(&blocks);
  return h;
}

/* Of all rows it is worked out once: several ask, and it reads everything. */
uint64_t bp_data_hash(const bp_data *d)
{
  if (!d)
    return 0;
  if (d->rows || d->held.n)
    return worked_out(d);
  uint64_t h = atomic_load_explicit(&d->all->hash, memory_order_relaxed);
  if (!h)
    atomic_store_explicit(&d->all->hash, h = worked_out(d), memory_order_relaxed);
  return h;
}
