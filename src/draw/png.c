/* An RGB image as PNG: header, size on paper, one chunk of data. */
#include "draw/png.h"
#include "base/crc.h"

#include <string.h>

static void put_word(unsigned char *to, uint32_t v)
{
  for (int i = 0; i < 4; i++)
    to[i] = (unsigned char)(v >> (24 - 8 * i));
}

static size_t put_chunk(unsigned char *to, const char *type, const unsigned char *data, size_t n)
{
  put_word(to, (uint32_t)n);
  memcpy(to + 4, type, 4);
  if (n)
    memcpy(to + 8, data, n);
  bpi_crc crc; /* of type and data */
  bpi_crc_begin(&crc, BPI_CRC32);
  bpi_crc_add(&crc, to + 4, n + 4);
  put_word(to + 8 + n, bpi_crc_end(&crc));
  return n + 12;
}

/* Row y as the difference from the row above, or as it is, whichever has more zeros to pack: a row that repeats is nothing then. */
static void filter_row(unsigned char *to, const unsigned char *row, const unsigned char *above, size_t n)
{
  size_t same = 0, left = 0;
  for (size_t i = 0; above && i < n; i++) {
    same += row[i] == above[i];
    left += i >= 3 && row[i] == row[i - 3];
  }
  bool up = above && same > left;
  *to++ = up ? 2 : 0;
  for (size_t i = 0; i < n; i++)
    to[i] = (unsigned char)(row[i] - (up ? above[i] : 0));
}

static unsigned char *filter_rows(bp_ctx *ctx, const unsigned char *rgb, size_t row, size_t height)
{
  unsigned char *rows = bpi_alloc(ctx, height, row + 1);
  for (size_t y = 0; rows && y < height; y++)
    filter_row(rows + y * (row + 1), rgb + y * row, y ? rgb + (y - 1) * row : NULL, row);
  return rows;
}

static size_t put_file(unsigned char *to, uint32_t width, uint32_t height, uint32_t per_metre,
                       const unsigned char *packed, size_t n)
{
  static const unsigned char signature[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
  unsigned char head[13] = {0}, size[9] = {0};
  size_t k = 8;
  memcpy(to, signature, sizeof signature);
  put_word(head, width);
  put_word(head + 4, height);
  head[8] = 8; /* bits of a sample */
  head[9] = 2; /* RGB */
  k += put_chunk(to + k, "IHDR", head, sizeof head);
  put_word(size, per_metre);
  put_word(size + 4, per_metre);
  size[8] = 1; /* the unit is the metre */
  if (per_metre)
    k += put_chunk(to + k, "pHYs", size, sizeof size);
  k += put_chunk(to + k, "IDAT", packed, n);
  return k + put_chunk(to + k, "IEND", NULL, 0);
}

bp_status bpi_png(bp_ctx *ctx, const unsigned char *rgb, int width, int height, int per_metre,
                  unsigned char **data, size_t *n)
{
  unsigned char *rows = filter_rows(ctx, rgb, 3 * (size_t)width, (size_t)height), *packed = NULL;
  size_t n_packed = 0;
  *data = NULL;
  bp_status s = rows ? bpi_deflate(ctx, rows, (3 * (size_t)width + 1) * (size_t)height, &packed, &n_packed)
                     : bpi_nomem();
  if (s == BP_OK && !(*data = bpi_alloc(ctx, n_packed + 128, 1)))
    s = bpi_nomem();
  if (s == BP_OK)
    *n = put_file(*data, (uint32_t)width, (uint32_t)height, (uint32_t)per_metre, packed, n_packed);
  bpi_free(ctx, packed);
  bpi_free(ctx, rows);
  return s;
}

bp_status bp_image_png(bp_ctx *ctx, const unsigned char *pixels, int64_t height, int64_t width,
                       int64_t channels, unsigned char **data, size_t *n)
{
  enum { MOST = 1 << 28 };
  if (!ctx || !pixels || !data || !n || height < 1 || width < 1 || (channels != 1 && channels != 3))
    return bpi_bad_arg(
        "bp_image_png",
        "ctx, pixels, data or n is NULL, a side is not over 0, or channels is neither 1 nor 3");
  *data = NULL;
  if (width > MOST / height)
    return bpi_fail(BP_E_LIMIT, "bp_image_png: over 2^28 pixels");
  unsigned char *rgb = bpi_alloc(ctx, (size_t)(height * width), 3);
  if (!rgb)
    return bpi_nomem();
  for (int64_t i = 0; i < height * width * 3; i++)
    rgb[i] = pixels[channels == 3 ? i : i / 3];
  bp_status s = bpi_png(ctx, rgb, (int)width, (int)height, 0, data, n);
  bpi_free(ctx, rgb);
  return s;
}
