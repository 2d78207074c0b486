#include "io/safetensors.h"
#include "io/json.h"
#include "base/crc.h"
#include "base/shape.h"
#include "base/sort.h"

#include <stdio.h>
#include <string.h>

/* A tensor as the header tells of it. */
typedef struct entry {
  char *name;
  size_t dims_at; /* in bp_tensors.dims */
  int64_t begin, end;
  bp_store store;
  int rank;
} entry;

struct bp_tensors {
  bp_ctx *ctx;
  char *header; /* names and metadata stand in it */
  void *data;
  bp_tensor *tensors; /* in the order of their data */
  size_t n;
  size_t *by_name; /* their numbers in the order of their names */
  int64_t *dims;
  size_t dims_n, dims_cap;
  bp_meta *meta; /* sorted by key */
  size_t meta_n, meta_cap;
};

typedef struct reader {
  bp_ctx *ctx;
  const char *name;
  bp_tensors *t;
  bpi_json json;
  entry *entries;
  size_t n, cap;
  size_t header_n;
  bool has_meta;
  bool has_crc; /* the checksum stands where ours does */
  char digits[BPI_CRC_DIGITS];
  bpi_crc crc; /* of the header, then of all */
} reader;

static const struct dtype_row {
  const char *name;
  bp_store store;
} dtype_rows[] = {
    {"BOOL", BP_STORE_BOOL},
    {"U8", BP_STORE_UINT8},
    {"I8", BP_STORE_INT8},
    {"U16", BP_STORE_UINT16},
    {"I16", BP_STORE_INT16},
    {"U32", BP_STORE_UINT32},
    {"I32", BP_STORE_INT32},
    {"U64", BP_STORE_UINT64},
    {"I64", BP_STORE_INT64},
    {"F16", BP_STORE_FLOAT16},
    {"BF16", BP_STORE_BFLOAT16},
    {"F32", BP_STORE_FLOAT32},
    {"F64", BP_STORE_FLOAT64},
    {"F4", BP_STORE_FLOAT4},
    {"F6_E2M3", BP_STORE_FLOAT6_E2M3},
    {"F6_E3M2", BP_STORE_FLOAT6_E3M2},
    {"F8_E4M3", BP_STORE_FLOAT8_E4M3},
    {"F8_E5M2", BP_STORE_FLOAT8_E5M2},
    {"F8_E8M0", BP_STORE_FLOAT8_E8M0},
    {"C64", BP_STORE_COMPLEX64},
};

const char *bpi_tensor_dtype_name(bp_store s)
{
  for (size_t i = 0; i < sizeof dtype_rows / sizeof *dtype_rows; i++)
    if (dtype_rows[i].store == s)
      return dtype_rows[i].name;
  return NULL;
}

static bp_store dtype_by_name(const char *name)
{
  for (size_t i = 0; i < sizeof dtype_rows / sizeof *dtype_rows; i++)
    if (strcmp(dtype_rows[i].name, name) == 0)
      return dtype_rows[i].store;
  return BP_STORE_NONE;
}

/* ---- the header's JSON -------------------------------------------------------------- */

static bp_status bad_json(const reader *r)
{
  return bpi_fail(BP_E_FORMAT, "%s: the header is not as JSON should be, at byte %zu: %s", r->name,
                  (size_t)(r->json.at - r->t->header) + 8, r->json.bad);
}

static bp_status read_meta(reader *r)
{
  bp_tensors *t = r->t;
  bpi_json *j = &r->json;
  if (r->has_meta)
    return bpi_fail(BP_E_FORMAT, "%s: __metadata__ is in the header twice", r->name);
  r->has_meta = true;
  if (!bpi_json_expect(j, '{'))
    return bad_json(r);
  if (bpi_json_accept(j, '}'))
    return BP_OK;
  do {
    char *key, *value;
    if (!bpi_json_string(j, &key) || !bpi_json_expect(j, ':') || !bpi_json_string(j, &value))
      return bad_json(r);
    if (!bpi_grow(r->ctx, (void **)&t->meta, &t->meta_cap, t->meta_n, sizeof *t->meta))
      return bpi_nomem();
    t->meta[t->meta_n++] = (bp_meta){key, value};
  } while (bpi_json_accept(j, ','));
  return bpi_json_expect(j, '}') ? BP_OK : bad_json(r);
}

static bp_status read_dtype(reader *r, entry *e)
{
  char *name;
  if (!bpi_json_string(&r->json, &name))
    return bad_json(r);
  e->store = dtype_by_name(name);
  if (e->store == BP_STORE_NONE)
    return bpi_fail(BP_E_FORMAT, "%s: tensor \"%.200s\" has the unknown dtype \"%.40s\"", r->name, e->name,
                    name);
  return BP_OK;
}

static bp_status read_shape(reader *r, entry *e)
{
  bp_tensors *t = r->t;
  bpi_json *j = &r->json;
  e->dims_at = t->dims_n;
  if (!bpi_json_expect(j, '['))
    return bad_json(r);
  if (bpi_json_accept(j, ']'))
    return BP_OK;
  do {
    int64_t dim;
    if (!bpi_json_count(j, &dim))
      return bad_json(r);
    if (e->rank == BP_MAX_RANK)
      return bpi_fail(BP_E_LIMIT, "%s: tensor \"%.200s\" has more than %d dimensions", r->name, e->name,
                      BP_MAX_RANK);
    if (!bpi_grow(r->ctx, (void **)&t->dims, &t->dims_cap, t->dims_n, sizeof *t->dims))
      return bpi_nomem();
    t->dims[t->dims_n++] = dim;
    e->rank++;
  } while (bpi_json_accept(j, ','));
  return bpi_json_expect(j, ']') ? BP_OK : bad_json(r);
}

static bp_status read_offsets(reader *r, entry *e)
{
  bpi_json *j = &r->json;
  bool ok = bpi_json_expect(j, '[') && bpi_json_count(j, &e->begin) &&
            (bpi_json_accept(j, ',') || bpi_json_fail(j, "',' is expected")) && bpi_json_count(j, &e->end) &&
            bpi_json_expect(j, ']');
  return ok ? BP_OK : bad_json(r);
}

static const struct tensor_key {
  const char *name;
  bp_status (*read)(reader *r, entry *e);
} tensor_keys[] = {{"dtype", read_dtype}, {"shape", read_shape}, {"data_offsets", read_offsets}};
enum { TENSOR_KEYS = sizeof tensor_keys / sizeof *tensor_keys };

static bp_status read_tensor_key(reader *r, entry *e, unsigned *seen)
{
  char *key;
  if (!bpi_json_string(&r->json, &key) || !bpi_json_expect(&r->json, ':'))
    return bad_json(r);
  for (unsigned i = 0; i < TENSOR_KEYS; i++)
    if (strcmp(tensor_keys[i].name, key) == 0) {
      if (*seen & 1u << i)
        return bpi_fail(BP_E_FORMAT, "%s: tensor \"%.200s\" has the key \"%s\" twice", r->name, e->name, key);
      *seen |= 1u << i;
      return tensor_keys[i].read(r, e);
    }
  return bpi_fail(BP_E_FORMAT, "%s: tensor \"%.200s\" has the unknown key \"%.40s\"", r->name, e->name, key);
}

/* Bytes as shape and dtype say. */
static bp_status check_bytes(const reader *r, const entry *e)
{
  int64_t size;
  size_t bytes;
  if (e->end < e->begin)
    return bpi_fail(BP_E_FORMAT, "%s: tensor \"%.200s\" ends at byte %lld, before it begins at %lld", r->name,
                    e->name, (long long)e->end, (long long)e->begin);
  if (!bpi_size(e->rank, r->t->dims ? r->t->dims + e->dims_at : NULL, &size) ||
      !bpi_store_bytes(e->store, size, &bytes))
    return bpi_fail(BP_E_FORMAT, "%s: tensor \"%.200s\" has a shape that cannot be", r->name, e->name);
  if (bytes != (uint64_t)(e->end - e->begin))
    return bpi_fail(BP_E_FORMAT, "%s: tensor \"%.200s\" has %lld bytes, but its shape and dtype make %zu",
                    r->name, e->name, (long long)(e->end - e->begin), bytes);
  return BP_OK;
}

static bp_status read_tensor(reader *r, char *name)
{
  entry e = {.name = name};
  unsigned seen = 0;
  if (!bpi_json_expect(&r->json, '{'))
    return bad_json(r);
  do {
    bp_status s = read_tensor_key(r, &e, &seen);
    if (s != BP_OK)
      return s;
  } while (bpi_json_accept(&r->json, ','));
  if (!bpi_json_expect(&r->json, '}'))
    return bad_json(r);
  if (seen != (1u << TENSOR_KEYS) - 1)
    return bpi_fail(BP_E_FORMAT, "%s: tensor \"%.200s\" lacks dtype, shape or data_offsets", r->name, name);
  bp_status s = check_bytes(r, &e);
  if (s == BP_OK && !bpi_grow(r->ctx, (void **)&r->entries, &r->cap, r->n, sizeof e))
    s = bpi_nomem();
  if (s == BP_OK)
    r->entries[r->n++] = e;
  return s;
}

static bp_status read_members(reader *r)
{
  bpi_json *j = &r->json;
  if (bpi_json_accept(j, '}'))
    return BP_OK;
  do {
    char *name;
    if (!bpi_json_string(j, &name) || !bpi_json_expect(j, ':'))
      return bad_json(r);
    bp_status s = strcmp(name, "__metadata__") == 0 ? read_meta(r) : read_tensor(r, name);
    if (s != BP_OK)
      return s;
  } while (bpi_json_accept(j, ','));
  return bpi_json_expect(j, '}') ? BP_OK : bad_json(r);
}

static bp_status parse_header(reader *r)
{
  bpi_json *j = &r->json;
  *j = (bpi_json){r->t->header, r->t->header + r->header_n, NULL};
  if (j->at == j->end || *j->at != '{')
    return bpi_fail(BP_E_FORMAT, "%s: the header does not begin with '{'; this is no safetensors file",
                    r->name);
  j->at++;
  bp_status s = read_members(r);
  if (s != BP_OK)
    return s;
  while (j->at < j->end && *j->at == ' ')
    j->at++;
  if (j->at < j->end) {
    bpi_json_fail(j, "only spaces may follow");
    return bad_json(r);
  }
  return BP_OK;
}

/* ---- order, names and metadata ------------------------------------------------------ */

static int by_place(const void *a, const void *b, const void *arg)
{
  const entry *x = a, *y = b;
  (void)arg; /* entries say it all */
  if (x->begin != y->begin)
    return x->begin < y->begin ? -1 : 1;
  if (x->end != y->end)
    return x->end < y->end ? -1 : 1;
  return strcmp(x->name, y->name); /* empty tensors may share a place */
}

static int by_tensor_name(const void *a, const void *b, const void *arg)
{
  const bp_tensor *tensors = arg;
  return strcmp(tensors[*(const size_t *)a].name, tensors[*(const size_t *)b].name);
}

static int by_key(const void *a, const void *b, const void *arg)
{
  (void)arg; /* entries say it all */
  return strcmp(((const bp_meta *)a)->key, ((const bp_meta *)b)->key);
}

/* Sorted by place, each must begin where the one before ended. *total: bytes of data. */
static bp_status check_places(reader *r, int64_t *total)
{
  bpi_sort(r->entries, r->n, sizeof *r->entries, by_place, NULL);
  *total = 0;
  for (size_t i = 0; i < r->n; i++) {
    const entry *e = &r->entries[i];
    if (e->begin != *total)
      return bpi_fail(BP_E_FORMAT, "%s: tensor \"%.200s\" begins at byte %lld of the data; %s", r->name,
                      e->name, (long long)e->begin,
                      e->begin < *total ? "it overlaps the one before" : "there is a hole before it");
    *total = e->end;
  }
  return BP_OK;
}

static bp_status make_tensors(reader *r)
{
  bp_tensors *t = r->t;
  t->tensors = bpi_alloc(r->ctx, r->n, sizeof *t->tensors);
  t->by_name = bpi_alloc(r->ctx, r->n, sizeof *t->by_name);
  if (!t->tensors || !t->by_name)
    return bpi_nomem();
  t->n = r->n;
  for (size_t i = 0; i < r->n; i++) {
    const entry *e = &r->entries[i];
    const int64_t *dims = e->rank ? t->dims + e->dims_at : NULL;
    t->tensors[i] = (bp_tensor){e->name, e->store, e->rank, dims, NULL, (size_t)(e->end - e->begin)};
    t->by_name[i] = i;
  }
  bpi_sort(t->by_name, t->n, sizeof *t->by_name, by_tensor_name, t->tensors);
  for (size_t i = 1; i < t->n; i++)
    if (by_tensor_name(&t->by_name[i - 1], &t->by_name[i], t->tensors) == 0)
      return bpi_fail(BP_E_FORMAT, "%s: there are two tensors named \"%.200s\"", r->name,
                      t->tensors[t->by_name[i]].name);
  return BP_OK;
}

static bp_status check_meta(const reader *r)
{
  bp_tensors *t = r->t;
  bpi_sort(t->meta, t->meta_n, sizeof *t->meta, by_key, NULL);
  for (size_t i = 1; i < t->meta_n; i++)
    if (by_key(&t->meta[i - 1], &t->meta[i], NULL) == 0)
      return bpi_fail(BP_E_FORMAT, "%s: the metadata have the key \"%.200s\" twice", r->name, t->meta[i].key);
  if (!r->has_crc && (bp_tensors_meta(t, BPI_CHECK_KEY) || bp_tensors_meta(t, BPI_CRC_KEY)))
    return bpi_fail(BP_E_FORMAT,
                    "%s: the checksum is not where it was written: the file is damaged, or another program "
                    "rewrote it and must "
                    "leave out the metadata " BPI_CRC_KEY " and " BPI_CHECK_KEY,
                    r->name);
  return BP_OK;
}

/* ---- the checksum ------------------------------------------------------------------- */

/* Of the header, before parsing changes it. */
static void begin_checksum(reader *r, const unsigned char length[8])
{
  const size_t at = sizeof BPI_CRC_PREFIX - 1, after = at + BPI_CRC_DIGITS;
  const char *h = r->t->header;
  r->has_crc = r->header_n >= after && memcmp(h, BPI_CRC_PREFIX, at) == 0;
  if (!r->has_crc)
    return;
  memcpy(r->digits, h + at, BPI_CRC_DIGITS);
  bpi_crc_begin(&r->crc, BPI_CRC32C);
  bpi_crc_add(&r->crc, length, 8);
  bpi_crc_add(&r->crc, h, at);
  bpi_crc_add(&r->crc, "00000000", BPI_CRC_DIGITS);
  bpi_crc_add(&r->crc, h + after, r->header_n - after);
}

static bp_status check_checksum(reader *r, size_t bytes)
{
  char digits[BPI_CRC_DIGITS + 1];
  if (!r->has_crc)
    return BP_OK;
  bpi_crc_add(&r->crc, r->t->data, bytes);
  snprintf(digits, sizeof digits, "%08x", (unsigned)bpi_crc_end(&r->crc));
  if (memcmp(digits, r->digits, BPI_CRC_DIGITS) == 0)
    return BP_OK;
  return bpi_fail(BP_E_FORMAT,
                  "%s: the checksum is wrong: the file is damaged (or was changed by a program that left the "
                  "metadata " BPI_CRC_KEY " as they were)",
                  r->name);
}

/* ---- the whole ---------------------------------------------------------------------- */

static bp_status read_header_bytes(reader *r, bp_source *source)
{
  unsigned char length[8];
  uint64_t n = 0;
  void *p;
  bp_status s = bpi_read_exactly(source, length, sizeof length, "the length of the header");
  if (s != BP_OK)
    return s;
  for (int i = 0; i < 8; i++)
    n |= (uint64_t)length[i] << 8 * i;
  if (n > BPI_HEADER_MOST)
    return bpi_fail(
        BP_E_FORMAT,
        "%s: the header claims %llu bytes, over the %d that are allowed; this is no safetensors file",
        r->name, (unsigned long long)n, BPI_HEADER_MOST);
  s = bpi_read_new(r->ctx, source, (size_t)n, "the header", &p);
  if (s != BP_OK)
    return s;
  r->t->header = p;
  r->header_n = (size_t)n;
  begin_checksum(r, length);
  return BP_OK;
}

static bp_status read_data(reader *r, bp_source *source, int64_t total)
{
  bp_tensors *t = r->t;
  bp_status s = bpi_read_new(r->ctx, source, (size_t)total, "the data", &t->data);
  if (s == BP_OK)
    s = bpi_read_end(source, "the last tensor");
  if (s == BP_OK)
    s = check_checksum(r, (size_t)total);
  for (size_t i = 0; i < t->n && s == BP_OK; i++) {
    char *data = (char *)t->data + r->entries[i].begin;
    unsigned bits = bp_store_bits(t->tensors[i].store);
    bpi_from_little(data, t->tensors[i].store, bits < 8 ? 0 : (int64_t)(t->tensors[i].bytes / (bits / 8)));
    t->tensors[i].data = data;
  }
  return s;
}

static bp_status read_file(reader *r, bp_source *source)
{
  int64_t total = 0;
  bp_status s = read_header_bytes(r, source);
  if (s == BP_OK)
    s = parse_header(r);
  if (s == BP_OK)
    s = check_places(r, &total);
  if (s == BP_OK)
    s = make_tensors(r);
  if (s == BP_OK)
    s = check_meta(r);
  return s == BP_OK ? read_data(r, source, total) : s;
}

bp_status bp_tensors_read(bp_ctx *ctx, bp_source *source, bp_tensors **out)
{
  if (!ctx || !source || !source->read || !out)
    return bpi_bad_arg("bp_tensors_read", "ctx, source or out is NULL");
  bp_tensors *t = bpi_zalloc(ctx, 1, sizeof *t);
  if (!t)
    return bpi_nomem();
  t->ctx = ctx;
  reader r = {.ctx = ctx, .name = bpi_source_name(source), .t = t};
  bp_status s = read_file(&r, source);
  bpi_free(ctx, r.entries);
  if (s == BP_OK)
    *out = t;
  else
    bp_tensors_free(t);
  return s;
}

bp_status bp_tensors_load(bp_ctx *ctx, const char *path, bp_tensors **out)
{
  bp_source source;
  bp_status s = bp_source_file(ctx, path, &source);
  if (s != BP_OK)
    return s;
  s = bp_tensors_read(ctx, &source, out);
  bp_source_close(&source);
  return s;
}

void bp_tensors_free(bp_tensors *t)
{
  if (!t)
    return;
  bpi_free_aligned(t->ctx, t->header);
  bpi_free_aligned(t->ctx, t->data);
  bpi_free(t->ctx, t->tensors);
  bpi_free(t->ctx, t->by_name);
  bpi_free(t->ctx, t->dims);
  bpi_free(t->ctx, t->meta);
  bpi_free(t->ctx, t);
}

/* ---- access ------------------------------------------------------------------------- */

size_t bp_tensors_count(const bp_tensors *t)
{
  return t ? t->n : 0;
}

const bp_tensor *bp_tensors_at(const bp_tensors *t, size_t i)
{
  return t && i < t->n ? &t->tensors[i] : NULL;
}

const bp_tensor *bp_tensors_find(const bp_tensors *t, const char *name)
{
  size_t low = 0, high = t && name ? t->n : 0;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    const bp_tensor *x = &t->tensors[t->by_name[middle]];
    int order = strcmp(name, x->name);
    if (order == 0)
      return x;
    if (order < 0)
      high = middle;
    else
      low = middle + 1;
  }
  return NULL;
}

size_t bp_tensors_meta_count(const bp_tensors *t)
{
  return t ? t->meta_n : 0;
}

const bp_meta *bp_tensors_meta_at(const bp_tensors *t, size_t i)
{
  return t && i < t->meta_n ? &t->meta[i] : NULL;
}

const char *bp_tensors_meta(const bp_tensors *t, const char *key)
{
  size_t low = 0, high = t && key ? t->meta_n : 0;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    int order = strcmp(key, t->meta[middle].key);
    if (order == 0)
      return t->meta[middle].value;
    if (order < 0)
      high = middle;
    else
      low = middle + 1;
  }
  return NULL;
}
