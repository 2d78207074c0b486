/* CRC-32C (Castagnoli, polynomial 0x1EDC6F41, reflected), the checksum of iSCSI and of our files. */
#ifndef BPI_CRC_H
#define BPI_CRC_H

#include <stddef.h>
#include <stdint.h>

typedef struct bpi_crc {
  uint32_t value;
  uint32_t table[8][256];
} bpi_crc;

void bpi_crc_begin(bpi_crc *c);
void bpi_crc_add(bpi_crc *c, const void *data, size_t n);
uint32_t bpi_crc_end(const bpi_crc *c);

#endif
