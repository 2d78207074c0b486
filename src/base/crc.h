/* Checksums of 32 bits: CRC-32C (Castagnoli), of iSCSI and of our files, and CRC-32, of PNG, zip and gzip. */
#ifndef BPI_CRC_H
#define BPI_CRC_H

#include <stddef.h>
#include <stdint.h>

/* Polynomials, reflected. */
#define BPI_CRC32C UINT32_C(0x82f63b78)
#define BPI_CRC32  UINT32_C(0xedb88320)

typedef struct bpi_crc {
  uint32_t value;
  uint32_t table[8][256];
} bpi_crc;

void bpi_crc_begin(bpi_crc *c, uint32_t polynomial);
void bpi_crc_add(bpi_crc *c, const void *data, size_t n);
uint32_t bpi_crc_end(const bpi_crc *c);

#endif
