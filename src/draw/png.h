/* PNG (ISO/IEC 15948), and the zlib stream (RFC 1950, 1951) inside. */
#ifndef BPI_PNG_H
#define BPI_PNG_H

#include "draw/scene.h"

/** An RGB image as the bytes of a PNG file. rgb: width * height * 3 bytes, rows from the top. per_metre: pixels, for its size on paper; 0: not
 *  said. *data is freed with bpi_free. */
bp_status bpi_png(bp_ctx *ctx, const unsigned char *rgb, int width, int height, int per_metre,
                  unsigned char **data, size_t *n);
/** A zlib stream. *data is freed with bpi_free. */
bp_status bpi_deflate(bp_ctx *ctx, const unsigned char *from, size_t n, unsigned char **data, size_t *out);
/** The pixels of an image item as PNG: one for each of its own where it is smooth, else squares of equal ones. *data is freed with bpi_free. */
bp_status bpi_image_png(bp_ctx *ctx, const bpi_item *i, bool dark, unsigned char **data, size_t *n);

#endif
