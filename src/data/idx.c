/* IDX, the format of MNIST: two zero bytes, a type code, the rank, the dims as big-endian uint32, the elements. */
#include "base/store.h"

#include <string.h>

static const struct idx_type {
  unsigned char code;
  bp_store store;
} idx_types[] = {{0x08, BP_STORE_UINT8}, {0x09, BP_STORE_INT8},    {0x0b, BP_STORE_INT16},
                 {0x0c, BP_STORE_INT32}, {0x0d, BP_STORE_FLOAT32}, {0x0e, BP_STORE_FLOAT64}};

static bp_store idx_store(unsigned char code)
{
  for (size_t i = 0; i < sizeof idx_types / sizeof *idx_types; i++)
    if (idx_types[i].code == code)
      return idx_types[i].store;
  return BP_STORE_NONE;
}

static bp_status idx_magic(const unsigned char m[4], const char *name, bp_ndarray *a)
{
  if (m[0] == 0x1f && m[1] == 0x8b)
    return bpi_fail(BP_E_FORMAT,
                    "%s: the file is compressed by gzip, which this reader does not undo; unpack it first",
                    name);
  if (m[0] || m[1])
    return bpi_fail(BP_E_FORMAT, "%s: an IDX file begins with two zero bytes, this one with %02x %02x", name,
                    m[0], m[1]);
  a->store = idx_store(m[2]);
  if (a->store == BP_STORE_NONE)
    return bpi_fail(BP_E_FORMAT,
                    "%s: byte 2, the type of the elements, is 0x%02x; IDX has 08, 09, 0b, 0c, 0d and 0e",
                    name, m[2]);
  if (m[3] < 1 || m[3] > 4)
    return bpi_fail(BP_E_FORMAT, "%s: byte 3, the number of dimensions, is %d; 1 to 4 can be read", name,
                    m[3]);
  a->rank = m[3];
  return BP_OK;
}

static bp_status idx_header(bp_source *source, bp_ndarray *a)
{
  unsigned char magic[4], dims[16];
  bp_status s = bpi_read_exactly(source, magic, sizeof magic, "the first four bytes");
  if (s == BP_OK)
    s = idx_magic(magic, bpi_source_name(source), a);
  if (s == BP_OK)
    s = bpi_read_exactly(source, dims, 4 * (size_t)a->rank, "the dimensions");
  for (int i = 0; s == BP_OK && i < a->rank; i++) {
    const unsigned char *d = dims + 4 * i;
    a->dims[i] = (int64_t)d[0] << 24 | d[1] << 16 | d[2] << 8 | d[3];
  }
  return s;
}

bp_status bp_idx_read(bp_ctx *ctx, bp_source *source, bp_ndarray *out)
{
  if (!ctx || !source || !source->read || !out)
    return bpi_bad_arg("bp_idx_read", "ctx, source or out is NULL");
  bp_ndarray a = {0};
  bp_status s = idx_header(source, &a);
  if (s == BP_OK)
    s = bpi_read_array(ctx, source, "the elements", &a);
  if (s == BP_OK)
    s = bpi_read_end(source, "the last element");
  if (s != BP_OK) {
    bp_ndarray_free(ctx, &a);
    return s;
  }
  bpi_from_big(a.data, a.store, a.size);
  *out = a;
  return BP_OK;
}

bp_status bp_idx_load(bp_ctx *ctx, const char *path, bp_ndarray *out)
{
  bp_source source;
  bp_status s = bp_source_file(ctx, path, &source);
  if (s != BP_OK)
    return s;
  s = bp_idx_read(ctx, &source, out);
  bp_source_close(&source);
  return s;
}

/* ---- labels ------------------------------------------------------------------------- */

static bp_status check_one_label(const bp_ndarray *labels, int64_t i, int64_t classes, int64_t *most)
{
  int64_t label;
  size_t step = bp_store_bits(labels->store) / 8;
  bp_status s = bp_convert((const char *)labels->data + (size_t)i * step, labels->store, 1, BP_INT64, &label);
  if (s == BP_E_RANGE)
    return bpi_fail(s, "label %lld is not a whole number", (long long)i);
  if (s == BP_OK && (label < 0 || (classes && label >= classes) || label == INT64_MAX))
    return bpi_fail(BP_E_RANGE,
                    "label %lld is %lld; labels go from 0 to one less than the number of classes, %lld",
                    (long long)i, (long long)label, (long long)classes);
  if (s == BP_OK && label >= *most)
    *most = label + 1;
  return s;
}

bp_status bp_labels_check(const bp_ndarray *examples, const bp_ndarray *labels, int64_t classes,
                          int64_t *found)
{
  if (!examples || !labels || classes < 0)
    return bpi_bad_arg("bp_labels_check", "examples or labels is NULL, or classes is negative");
  if (labels->rank != 1 || examples->rank < 1)
    return bpi_fail(BP_E_SHAPE,
                    "labels have %d dimensions and examples %d; labels need 1 and examples at least 1",
                    labels->rank, examples->rank);
  if (labels->dims[0] != examples->dims[0])
    return bpi_fail(BP_E_MISMATCH,
                    "there are %lld examples but %lld labels; do the two files belong together?",
                    (long long)examples->dims[0], (long long)labels->dims[0]);
  int64_t most = 0;
  for (int64_t i = 0; i < labels->size; i++) {
    bp_status s = check_one_label(labels, i, classes, &most);
    if (s != BP_OK)
      return s;
  }
  if (found)
    *found = most;
  return BP_OK;
}
