/* Deflate: repeats of what stood up to 32 KiB before are written as length and distance; all is coded by the fixed Huffman codes. */
#include "draw/png.h"

#include <string.h>

enum {
  WINDOW = 32768,
  LEAST = 3, /* lengths of repeats */
  MOST = 258,
  HASHES = 32768,
  TRIES = 48 /* places looked at for the longest repeat */
};

typedef struct packer {
  unsigned char *out;
  size_t n;
  uint64_t bits; /* not yet written, the first at the right */
  int n_bits;
  const unsigned char *from;
  size_t size;
  uint32_t *head;   /* by hash: the last place of three bytes, plus 1; 0: none */
  uint32_t *before; /* by place in the window: the place before with the same hash, plus 1 */
} packer;

static void put_bits(packer *p, uint32_t value, int n)
{
  p->bits |= (uint64_t)value << p->n_bits;
  for (p->n_bits += n; p->n_bits >= 8; p->n_bits -= 8) {
    p->out[p->n++] = (unsigned char)p->bits;
    p->bits >>= 8;
  }
}

/* Huffman codes go out from their first bit. */
static void put_code(packer *p, uint32_t code, int n)
{
  uint32_t turned = 0;
  for (int i = 0; i < n; i++)
    turned |= (code >> i & 1) << (n - 1 - i);
  put_bits(p, turned, n);
}

/* RFC 1951, 3.2.6 */
static void put_symbol(packer *p, uint32_t s)
{
  if (s < 144)
    put_code(p, 0x30 + s, 8);
  else if (s < 256)
    put_code(p, 0x190 + s - 144, 9);
  else if (s < 280)
    put_code(p, s - 256, 7);
  else
    put_code(p, 0xc0 + s - 280, 8);
}

/* RFC 1951, 3.2.5: values in groups of 1 << shift symbols with as many extra bits, one more from group to group. The first two have none. */
static void group_value(uint32_t value, uint32_t shift, uint32_t *symbol, int *extra)
{
  uint32_t group = 0;
  while (value >= 2u << (shift + group))
    group++;
  *extra = (int)group;
  *symbol = value < 1u << shift ? value : (group << shift) + (value >> group);
}

static void put_repeat(packer *p, uint32_t length, uint32_t distance)
{
  uint32_t symbol;
  int extra = 0;
  group_value(length - LEAST, 2, &symbol, &extra);
  if (length == MOST) /* a symbol of its own, without extra bits */
    put_symbol(p, 285);
  else {
    put_symbol(p, 257 + symbol);
    put_bits(p, (length - LEAST) & ((1u << extra) - 1), extra);
  }
  group_value(distance - 1, 1, &symbol, &extra);
  put_code(p, symbol, 5);
  put_bits(p, (distance - 1) & ((1u << extra) - 1), extra);
}

static uint32_t hash_of(const unsigned char *b)
{
  return ((uint32_t)b[0] << 16 | (uint32_t)b[1] << 8 | b[2]) * 2654435761u >> 17;
}

static void remember(packer *p, size_t at)
{
  if (at + LEAST > p->size)
    return;
  uint32_t h = hash_of(p->from + at);
  p->before[at % WINDOW] = p->head[h];
  p->head[h] = (uint32_t)at + 1;
}

/* The longest repeat at a place; 0: none. */
static uint32_t find_repeat(const packer *p, size_t at, uint32_t *distance)
{
  uint32_t best = 0, most = (uint32_t)(p->size - at < MOST ? p->size - at : MOST);
  if (most < LEAST)
    return 0;
  uint32_t place = p->head[hash_of(p->from + at)];
  for (int i = 0; i < TRIES && place && at - (place - 1) <= WINDOW && best < most; i++) {
    const unsigned char *a = p->from + place - 1, *b = p->from + at;
    uint32_t n = 0;
    if (a[best] == b[best])
      while (n < most && a[n] == b[n])
        n++;
    if (n > best) {
      best = n;
      *distance = (uint32_t)(at - (place - 1));
    }
    uint32_t next = p->before[(place - 1) % WINDOW];
    if (next >= place) /* overwritten by a later place */
      break;
    place = next;
  }
  return best >= LEAST ? best : 0;
}

static void pack(packer *p)
{
  put_bits(p, 1, 1); /* the last block, */
  put_bits(p, 1, 2); /* in fixed codes */
  for (size_t at = 0; at < p->size;) {
    uint32_t distance = 0, length = find_repeat(p, at, &distance);
    if (length)
      put_repeat(p, length, distance);
    else
      put_symbol(p, p->from[at]);
    for (uint32_t i = 0; i < (length ? length : 1); i++)
      remember(p, at + i);
    at += length ? length : 1;
  }
  put_symbol(p, 256);
  put_bits(p, 0, 7); /* to a whole byte */
}

static uint32_t adler(const unsigned char *b, size_t n)
{
  uint32_t low = 1, high = 0;
  for (size_t i = 0; i < n; i++) {
    low = (low + b[i]) % 65521;
    high = (high + low) % 65521;
  }
  return high << 16 | low;
}

bp_status bpi_deflate(bp_ctx *ctx, const unsigned char *from, size_t n, unsigned char **data, size_t *out)
{
  packer p = {.from = from, .size = n};
  *data = NULL;
  if (n > UINT32_MAX / 2)
    return bpi_fail(BP_E_LIMIT, "an image of %zu bytes is too large", n);
  p.out = bpi_alloc(ctx, n + n / 8 + 32, 1); /* 9 bits a byte at most */
  p.head = bpi_zalloc(ctx, HASHES, sizeof *p.head);
  p.before = bpi_zalloc(ctx, WINDOW, sizeof *p.before);
  bool room = p.out && p.head && p.before;
  if (room) {
    p.out[p.n++] = 0x78; /* deflate, window of 32 KiB */
    p.out[p.n++] = 0x9c;
    pack(&p);
    uint32_t sum = adler(from, n);
    for (int shift = 24; shift >= 0; shift -= 8)
      p.out[p.n++] = (unsigned char)(sum >> shift);
  }
  bpi_free(ctx, p.head);
  bpi_free(ctx, p.before);
  if (!room)
    bpi_free(ctx, p.out);
  *data = room ? p.out : NULL;
  *out = p.n;
  return room ? BP_OK : bpi_nomem();
}
