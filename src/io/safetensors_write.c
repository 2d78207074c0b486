#include "io/safetensors.h"
#include "base/crc.h"
#include "base/save.h"
#include "base/shape.h"
#include "base/sort.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

typedef struct writer {
  bp_ctx *ctx;
  const bp_tensor *tensors;
  size_t *order; /* of the tensors in the file */
  size_t n;
  const bp_meta *meta;
  size_t meta_n;
  bpi_text header;
  size_t data_bytes;
  unsigned char length[8];
} writer;

/* Where the bytes go. */
typedef struct target {
  bp_status (*put)(void *user, const void *data, size_t n);
  void *user;
} target;

/* ---- checks ------------------------------------------------------------------------- */

static bool valid_text(const char *s)
{
  size_t n = s ? strlen(s) : 0, step;
  for (; n; s += step, n -= step)
    if (!(step = bpi_utf8((const unsigned char *)s, n)))
      return false;
  return s != NULL;
}

static bp_status check_tensor(const bp_tensor *t)
{
  int64_t size;
  size_t bytes;
  if (!valid_text(t->name) || strcmp(t->name, "__metadata__") == 0)
    return bpi_fail(BP_E_ARG,
                    "a tensor to save has no name, or one that is not UTF-8 or is \"__metadata__\"");
  if (!bpi_tensor_dtype_name(t->store))
    return bpi_fail(BP_E_ARG, "tensor \"%.200s\" has no element type", t->name);
  if (t->rank < 0 || (t->rank && !t->dims) || !bpi_size(t->rank, t->dims, &size) ||
      !bpi_store_bytes(t->store, size, &bytes) || bytes != t->bytes || (bytes && !t->data))
    return bpi_fail(BP_E_ARG, "tensor \"%.200s\" has a bad shape, or %zu bytes that do not fit it", t->name,
                    t->bytes);
  return BP_OK;
}

/* Large elements first: each tensor then begins at a multiple of its element size. */
static int by_alignment(const void *a, const void *b, const void *arg)
{
  const bp_tensor *x = (const bp_tensor *)arg + *(const size_t *)a,
                  *y = (const bp_tensor *)arg + *(const size_t *)b;
  unsigned p = bp_store_bits(x->store), q = bp_store_bits(y->store);
  return p != q ? (p > q ? -1 : 1) : strcmp(x->name, y->name);
}

static int by_name_only(const void *a, const void *b, const void *arg)
{
  const bp_tensor *tensors = arg;
  return strcmp(tensors[*(const size_t *)a].name, tensors[*(const size_t *)b].name);
}

static bp_status order_tensors(writer *w)
{
  for (size_t i = 0; i < w->n; i++) {
    bp_status s = check_tensor(&w->tensors[i]);
    if (s != BP_OK)
      return s;
    w->order[i] = i;
    w->data_bytes += w->tensors[i].bytes;
  }
  bpi_sort(w->order, w->n, sizeof *w->order, by_name_only, w->tensors);
  for (size_t i = 1; i < w->n; i++)
    if (by_name_only(&w->order[i - 1], &w->order[i], w->tensors) == 0)
      return bpi_fail(BP_E_EXISTS, "two tensors to save are named \"%.200s\"", w->tensors[w->order[i]].name);
  bpi_sort(w->order, w->n, sizeof *w->order, by_alignment, w->tensors);
  return BP_OK;
}

/* Entries are few. */
static bp_status check_meta_entries(const writer *w)
{
  for (size_t i = 0; i < w->meta_n; i++) {
    if (!valid_text(w->meta[i].key) || !valid_text(w->meta[i].value))
      return bpi_fail(BP_E_ARG, "metadata %zu to save are missing or not UTF-8", i);
    for (size_t j = 0; j < i; j++)
      if (strcmp(w->meta[i].key, w->meta[j].key) == 0)
        return bpi_fail(BP_E_EXISTS, "the metadata to save have the key \"%.200s\" twice", w->meta[i].key);
  }
  return BP_OK;
}

/* ---- the header --------------------------------------------------------------------- */

static void put_string(bpi_text *t, const char *s)
{
  bpi_text_add(t, "\"", 1);
  while (*s) {
    size_t n = 0;
    while ((unsigned char)s[n] >= 0x20 && s[n] != '"' && s[n] != '\\')
      n++;
    bpi_text_add(t, s, n);
    s += n;
    if (*s)
      bpi_textf(t, "\\u%04x", (unsigned)(unsigned char)*s++);
  }
  bpi_text_add(t, "\"", 1);
}

static bool our_key(const char *key)
{
  return strcmp(key, BPI_CRC_KEY) == 0 || strcmp(key, BPI_CHECK_KEY) == 0;
}

static void put_meta(writer *w)
{
  bpi_text *t = &w->header;
  bpi_textf(t, BPI_CRC_PREFIX "00000000\",\"" BPI_CHECK_KEY "\":\"" BPI_CHECK_VALUE "\"");
  for (size_t i = 0; i < w->meta_n; i++) {
    if (our_key(w->meta[i].key))
      continue; /* from a file read before */
    bpi_text_add(t, ",", 1);
    put_string(t, w->meta[i].key);
    bpi_text_add(t, ":", 1);
    put_string(t, w->meta[i].value);
  }
  bpi_text_add(t, "}", 1);
}

static void put_entry(bpi_text *t, const bp_tensor *x, size_t begin)
{
  bpi_text_add(t, ",", 1);
  put_string(t, x->name);
  bpi_textf(t, ":{\"dtype\":\"%s\",\"shape\":[", bpi_tensor_dtype_name(x->store));
  for (int i = 0; i < x->rank; i++)
    bpi_textf(t, "%s%lld", i ? "," : "", (long long)x->dims[i]);
  bpi_textf(t, "],\"data_offsets\":[%zu,%zu]}", begin, begin + x->bytes);
}

static bp_status make_header(writer *w)
{
  bpi_text *t = &w->header;
  size_t begin = 0;
  put_meta(w);
  for (size_t i = 0; i < w->n; i++) {
    const bp_tensor *x = &w->tensors[w->order[i]];
    put_entry(t, x, begin);
    begin += x->bytes;
  }
  bpi_text_add(t, "}", 1);
  while (t->n % 8 && !t->failed)
    bpi_text_add(t, " ", 1);
  if (t->failed)
    return bpi_nomem();
  if (t->n > BPI_HEADER_MOST)
    return bpi_fail(BP_E_LIMIT, "the header would be of %zu bytes; the format allows %d", t->n,
                    BPI_HEADER_MOST);
  for (int i = 0; i < 8; i++)
    w->length[i] = (unsigned char)((uint64_t)t->n >> 8 * i);
  return BP_OK;
}

/* ---- the bytes ---------------------------------------------------------------------- */

/* In pieces where bytes must change their order. */
static bp_status put_swapped(target out, const bp_tensor *x)
{
  char piece[4096];
  const char *p = x->data;
  size_t width = bp_store_bits(x->store) / 8;
  for (size_t left = x->bytes; left;) {
    size_t n = left < sizeof piece ? left : sizeof piece;
    memcpy(piece, p, n);
    bpi_from_little(piece, x->store, width ? (int64_t)(n / width) : 0);
    bp_status s = out.put(out.user, piece, n);
    if (s != BP_OK)
      return s;
    p += n;
    left -= n;
  }
  return BP_OK;
}

static bp_status put_all(const writer *w, target out)
{
  bp_status s = out.put(out.user, w->length, sizeof w->length);
  if (s == BP_OK)
    s = out.put(out.user, w->header.s, w->header.n);
  for (size_t i = 0; i < w->n && s == BP_OK; i++) {
    const bp_tensor *x = &w->tensors[w->order[i]];
    s = bpi_big_endian() ? put_swapped(out, x) : out.put(out.user, x->data, x->bytes);
  }
  return s;
}

static bp_status put_in_checksum(void *user, const void *data, size_t n)
{
  if (n)
    bpi_crc_add(user, data, n);
  return BP_OK;
}

static bp_status put_in_file(void *user, const void *data, size_t n)
{
  return bpi_save_write(user, data, n);
}

static bp_status put_in_memory(void *user, const void *data, size_t n)
{
  char **at = user;
  if (n)
    memcpy(*at, data, n);
  *at += n;
  return BP_OK;
}

static void fill_in_checksum(writer *w)
{
  bpi_crc crc;
  char digits[BPI_CRC_DIGITS + 1];
  bpi_crc_begin(&crc, BPI_CRC32C);
  (void)put_all(w, (target){put_in_checksum, &crc}); /* cannot fail */
  snprintf(digits, sizeof digits, "%08x", (unsigned)bpi_crc_end(&crc));
  memcpy(w->header.s + sizeof BPI_CRC_PREFIX - 1, digits, BPI_CRC_DIGITS);
}

static void end_writer(writer *w)
{
  bpi_text_free(&w->header);
  bpi_free(w->ctx, w->order);
}

/* Everything but the writing. end_writer in any case. */
static bp_status begin_writer(writer *w)
{
  bpi_text_init(&w->header, w->ctx);
  w->order = bpi_alloc(w->ctx, w->n, sizeof *w->order);
  if (!w->order)
    return bpi_nomem();
  bp_status s = order_tensors(w);
  if (s == BP_OK)
    s = check_meta_entries(w);
  if (s == BP_OK)
    s = make_header(w);
  if (s == BP_OK)
    fill_in_checksum(w);
  return s;
}

static bp_status write_file(const writer *w, const char *path)
{
  bpi_save save;
  bp_status s = bpi_save_begin(w->ctx, path, &save);
  if (s != BP_OK)
    return s;
  s = put_all(w, (target){put_in_file, &save});
  if (s == BP_OK)
    return bpi_save_commit(&save);
  bpi_save_abandon(&save);
  return s;
}

bp_status bp_tensors_save(bp_ctx *ctx, const char *path, const bp_tensor *tensors, size_t n,
                          const bp_meta *meta, size_t n_meta)
{
  if (!ctx || !path || (n && !tensors) || (n_meta && !meta))
    return bpi_bad_arg("bp_tensors_save", "ctx, path, tensors or meta is NULL");
  writer w = {.ctx = ctx, .tensors = tensors, .n = n, .meta = meta, .meta_n = n_meta};
  bp_status s = begin_writer(&w);
  if (s == BP_OK)
    s = write_file(&w, path);
  end_writer(&w);
  return s;
}

bp_status bp_tensors_encode(bp_ctx *ctx, const bp_tensor *tensors, size_t n, const bp_meta *meta,
                            size_t n_meta, void **bytes, size_t *size)
{
  if (!ctx || (n && !tensors) || (n_meta && !meta) || !bytes || !size)
    return bpi_bad_arg("bp_tensors_encode", "ctx, tensors, meta, bytes or size is NULL");
  writer w = {.ctx = ctx, .tensors = tensors, .n = n, .meta = meta, .meta_n = n_meta};
  bp_status s = begin_writer(&w);
  size_t total = sizeof w.length + w.header.n + w.data_bytes;
  char *memory = s == BP_OK ? bpi_alloc(ctx, total, 1) : NULL;
  if (s == BP_OK && !memory)
    s = bpi_nomem();
  if (s == BP_OK) {
    char *at = memory;
    s = put_all(&w, (target){put_in_memory, &at});
    *bytes = memory;
    *size = total;
  }
  end_writer(&w);
  return s;
}
