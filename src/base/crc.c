#include "base/crc.h"

/* The tables are made for each checksum: 2,048 steps, and no constants to mistype nor state to share. */
void bpi_crc_begin(bpi_crc *c, uint32_t polynomial)
{
  c->value = ~(uint32_t)0;
  for (uint32_t i = 0; i < 256; i++) {
    uint32_t v = i;
    for (int bit = 0; bit < 8; bit++)
      v = v >> 1 ^ (v & 1 ? polynomial : 0);
    c->table[0][i] = v;
  }
  for (int k = 1; k < 8; k++)
    for (int i = 0; i < 256; i++)
      c->table[k][i] = c->table[k - 1][i] >> 8 ^ c->table[0][c->table[k - 1][i] & 255];
}

/* Eight bytes a step (Kounavis & Berry 2005). */
void bpi_crc_add(bpi_crc *c, const void *data, size_t n)
{
  const unsigned char *p = data;
  uint32_t v = c->value;
  for (; n >= 8; n -= 8, p += 8) {
    v ^= (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
    v = c->table[7][v & 255] ^ c->table[6][v >> 8 & 255] ^ c->table[5][v >> 16 & 255] ^ c->table[4][v >> 24] ^
        c->table[3][p[4]] ^ c->table[2][p[5]] ^ c->table[1][p[6]] ^ c->table[0][p[7]];
  }
  for (; n; n--, p++)
    v = v >> 8 ^ c->table[0][(v ^ *p) & 255];
  c->value = v;
}

uint32_t bpi_crc_end(const bpi_crc *c)
{
  return ~c->value;
}
