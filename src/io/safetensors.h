/* What reader and writer of safetensors share. The format: 8 bytes, little-endian, the length of the header; the header, JSON,
 * padded with spaces; the data, tensor after tensor without holes. */
#ifndef BPI_SAFETENSORS_H
#define BPI_SAFETENSORS_H

#include "base/store.h"

#define BPI_HEADER_MOST 100000000 /* longest header that the format allows */

/* The checksum stands first, at a fixed place, and covers the whole file with its own eight digits as zeros. The second key says
 * that there must be one, so that damage to the first cannot switch the check off. */
#define BPI_CRC_KEY     "bprop.crc32c"
#define BPI_CHECK_KEY   "bprop.check"
#define BPI_CHECK_VALUE "crc32c"
#define BPI_CRC_PREFIX  "{\"__metadata__\":{\"" BPI_CRC_KEY "\":\""
#define BPI_CRC_DIGITS  8

/* Name of a storage in the header, or NULL. */
const char *bpi_tensor_dtype_name(bp_store s);

#endif
