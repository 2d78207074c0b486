/* NumPy's .npy: magic, version, length of the header, a Python dict as text, the elements. Source: numpy.lib.format. */
#include "data/npy.h"
#include "base/shape.h"
#include "base/store.h"

#include <stdio.h>
#include <string.h>

#define NPY_MAGIC       "\x93NUMPY"
#define NPY_HEADER_MOST 10000 /* NumPy's own limit */

static const struct npy_type {
  const char *code;
  bp_store store;
} npy_types[] = {{"b1", BP_STORE_BOOL},    {"u1", BP_STORE_UINT8},   {"i1", BP_STORE_INT8},
                 {"u2", BP_STORE_UINT16},  {"i2", BP_STORE_INT16},   {"u4", BP_STORE_UINT32},
                 {"i4", BP_STORE_INT32},   {"u8", BP_STORE_UINT64},  {"i8", BP_STORE_INT64},
                 {"f2", BP_STORE_FLOAT16}, {"f4", BP_STORE_FLOAT32}, {"f8", BP_STORE_FLOAT64}};

/* ---- the header's dict -------------------------------------------------------------- */

typedef struct npy_header {
  const char *name; /* of the file */
  const char *at, *end;
  bp_ndarray a;
  bool big, fortran;
} npy_header;

static bp_status bad_dict(const npy_header *h, const char *why)
{
  return bpi_fail(BP_E_FORMAT, "%s: the header is not as NumPy writes it: %s", h->name, why);
}

static void skip_spaces(npy_header *h)
{
  while (h->at < h->end && (*h->at == ' ' || *h->at == '\n'))
    h->at++;
}

static bool take(npy_header *h, char c)
{
  skip_spaces(h);
  bool there = h->at < h->end && *h->at == c;
  h->at += there;
  return there;
}

static bool take_word(npy_header *h, const char *word)
{
  size_t n = strlen(word);
  skip_spaces(h);
  bool there = (size_t)(h->end - h->at) >= n && memcmp(h->at, word, n) == 0;
  h->at += there ? n : 0;
  return there;
}

/* Text in quotes of either kind, without escapes. */
static bool take_string(npy_header *h, const char **s, size_t *n)
{
  char quote = take(h, '\'') ? '\'' : take(h, '"') ? '"' : 0;
  const char *close = quote ? memchr(h->at, quote, (size_t)(h->end - h->at)) : NULL;
  if (!close || memchr(h->at, '\\', (size_t)(close - h->at)))
    return false;
  *s = h->at;
  *n = (size_t)(close - h->at);
  h->at = close + 1;
  return true;
}

static bp_status read_descr(npy_header *h)
{
  const char *s;
  size_t n;
  if (take(h, '['))
    return bpi_fail(BP_E_UNSUPPORTED,
                    "%s: the array is of records (a structured dtype); save its fields one by one", h->name);
  if (!take_string(h, &s, &n))
    return bad_dict(h, "descr is no string");
  if (n >= 2 && *s && strchr("|<>=", *s)) {
    h->big = *s == '>' || (*s != '<' && bpi_big_endian());
    for (size_t i = 0; i < sizeof npy_types / sizeof *npy_types; i++)
      if (n == 3 && memcmp(s + 1, npy_types[i].code, 2) == 0)
        h->a.store = npy_types[i].store;
    if (s[1] == 'O')
      return bpi_fail(BP_E_UNSUPPORTED,
                      "%s: the array is of Python objects (dtype object), which are not read; save it with a "
                      "number dtype",
                      h->name);
  }
  if (h->a.store == BP_STORE_NONE)
    return bpi_fail(BP_E_UNSUPPORTED,
                    "%s: the dtype \"%.*s\" is not read; bool, int, uint and float of 1 to 8 bytes are",
                    h->name, n < 40 ? (int)n : 40, s);
  return BP_OK;
}

static bp_status read_order(npy_header *h)
{
  h->fortran = take_word(h, "True");
  return h->fortran || take_word(h, "False") ? BP_OK : bad_dict(h, "fortran_order is neither True nor False");
}

static bp_status read_dim(npy_header *h)
{
  skip_spaces(h);
  const char *s = h->at;
  while (h->at < h->end && *h->at >= '0' && *h->at <= '9')
    h->at++;
  if (h->a.rank == BP_MAX_RANK)
    return bpi_fail(BP_E_UNSUPPORTED, "%s: the array has more than %d dimensions", h->name, BP_MAX_RANK);
  if (!bpi_parse_int(s, (size_t)(h->at - s), &h->a.dims[h->a.rank]))
    return bad_dict(h, "a dimension is no whole number that fits");
  h->a.rank++;
  (void)take(h, 'L'); /* Python 2 */
  return BP_OK;
}

static bp_status read_npy_shape(npy_header *h)
{
  if (!take(h, '('))
    return bad_dict(h, "shape is no tuple");
  while (!take(h, ')')) {
    bp_status s = read_dim(h);
    if (s != BP_OK)
      return s;
    bool comma = take(h, ',');
    if (!comma && (h->a.rank == 1 || h->at == h->end || *h->at != ')'))
      return bad_dict(h, "shape is no tuple");
  }
  return BP_OK;
}

static const struct npy_key {
  const char *name;
  bp_status (*read)(npy_header *h);
} npy_keys[] = {{"descr", read_descr}, {"fortran_order", read_order}, {"shape", read_npy_shape}};
enum { NPY_KEYS = sizeof npy_keys / sizeof *npy_keys };

static bp_status read_pair(npy_header *h, unsigned *seen)
{
  const char *key;
  size_t n;
  if (!take_string(h, &key, &n) || !take(h, ':'))
    return bad_dict(h, "a key is expected");
  for (unsigned i = 0; i < NPY_KEYS; i++)
    if (n == strlen(npy_keys[i].name) && memcmp(key, npy_keys[i].name, n) == 0) {
      if (*seen & 1u << i)
        return bad_dict(h, "a key is there twice");
      *seen |= 1u << i;
      return npy_keys[i].read(h);
    }
  return bad_dict(h, "there is an unknown key");
}

static bp_status read_dict(npy_header *h)
{
  unsigned seen = 0;
  if (!take(h, '{'))
    return bad_dict(h, "it does not begin with '{'");
  while (!take(h, '}')) {
    bp_status s = read_pair(h, &seen);
    if (s != BP_OK)
      return s;
    if (!take(h, ',') && (h->at == h->end || *h->at != '}'))
      return bad_dict(h, "',' or '}' is expected");
  }
  skip_spaces(h);
  if (h->at != h->end)
    return bad_dict(h, "something follows the dict");
  return seen == (1u << NPY_KEYS) - 1 ? BP_OK : bad_dict(h, "descr, fortran_order or shape is missing");
}

/* ---- reading ------------------------------------------------------------------------ */

/* Magic and version; *n: bytes of the header. */
static bp_status read_preamble(bp_source *source, size_t *n)
{
  unsigned char m[12];
  const char *name = bpi_source_name(source);
  bp_status s = bpi_read_exactly(source, m, 8, "the first eight bytes");
  if (s != BP_OK)
    return s;
  if (memcmp(m, NPY_MAGIC, 6) != 0)
    return bpi_fail(BP_E_FORMAT, "%s: an .npy file begins with \\x93NUMPY, this one does not", name);
  if (m[6] < 1 || m[6] > 3 || m[7] != 0)
    return bpi_fail(BP_E_FORMAT, "%s: version %d.%d of the .npy format is unknown; 1.0, 2.0 and 3.0 are read",
                    name, m[6], m[7]);
  size_t width = m[6] == 1 ? 2 : 4;
  s = bpi_read_exactly(source, m, width, "the length of the header");
  *n = (size_t)m[0] | (size_t)m[1] << 8;
  if (width == 4)
    *n |= (size_t)m[2] << 16 | (size_t)m[3] << 24;
  if (s == BP_OK && *n > NPY_HEADER_MOST)
    s = bpi_fail(BP_E_FORMAT, "%s: the header claims %zu bytes; at most %d are read", name, *n,
                 NPY_HEADER_MOST);
  return s;
}

static bp_status read_npy_header(bp_ctx *ctx, bp_source *source, npy_header *h)
{
  size_t n = 0;
  void *text;
  bp_status s = read_preamble(source, &n);
  if (s == BP_OK)
    s = bpi_read_new(ctx, source, n, "the header", &text);
  if (s != BP_OK)
    return s;
  h->at = text;
  h->end = h->at + n;
  s = read_dict(h);
  bpi_free_aligned(ctx, text);
  return s;
}

/* Element i of the row-major result comes from the place that its index has in column-major order. The index is counted up like
 * an odometer, the place along with it. */
static void to_row_major(const bp_ndarray *a, const char *from, char *out)
{
  size_t width = bp_store_bits(a->store) / 8, stride[BP_MAX_RANK] = {0}, place = 0;
  int64_t index[BP_MAX_RANK] = {0};
  for (int d = 0; d < a->rank; d++)
    stride[d] = d ? stride[d - 1] * (size_t)a->dims[d - 1] : width;
  for (int64_t i = 0; i < a->size; i++, out += width) {
    memcpy(out, from + place, width);
    int d = a->rank - 1;
    place += stride[d];
    for (; d > 0 && ++index[d] == a->dims[d]; d--) {
      place -= stride[d] * (size_t)a->dims[d];
      index[d] = 0;
      place += stride[d - 1];
    }
  }
}

static bp_status undo_fortran(bp_ctx *ctx, bp_ndarray *a)
{
  if (a->rank < 2 || a->size == 0)
    return BP_OK;
  char *data = bpi_alloc_aligned(ctx, (size_t)a->size * (bp_store_bits(a->store) / 8));
  if (!data)
    return bpi_nomem();
  to_row_major(a, a->data, data);
  bpi_free_aligned(ctx, a->data);
  a->data = data;
  return BP_OK;
}

static bp_status check_bools(const npy_header *h)
{
  const unsigned char *p = h->a.data;
  for (int64_t i = 0; h->a.store == BP_STORE_BOOL && i < h->a.size; i++)
    if (p[i] > 1)
      return bpi_fail(BP_E_FORMAT, "%s: element %lld is a bool of value %d", h->name, (long long)i, p[i]);
  return BP_OK;
}

static bp_status read_npy(bp_ctx *ctx, bp_source *source, npy_header *h)
{
  bp_status s = read_npy_header(ctx, source, h);
  if (s == BP_OK)
    s = bpi_read_array(ctx, source, "the elements", &h->a);
  if (s == BP_OK)
    s = bpi_read_end(source, "the last element");
  if (s == BP_OK)
    s = check_bools(h);
  if (s == BP_OK && h->big != bpi_big_endian())
    bpi_swap_bytes(h->a.data, h->a.store, h->a.size);
  if (s == BP_OK && h->fortran)
    s = undo_fortran(ctx, &h->a);
  return s;
}

bp_status bp_npy_read(bp_ctx *ctx, bp_source *source, bp_ndarray *out)
{
  if (!ctx || !source || !source->read || !out)
    return bpi_bad_arg("bp_npy_read", "ctx, source or out is NULL");
  npy_header h = {.name = bpi_source_name(source)};
  bp_status s = read_npy(ctx, source, &h);
  if (s == BP_OK)
    *out = h.a;
  else
    bp_ndarray_free(ctx, &h.a);
  return s;
}

bp_status bp_npy_load(bp_ctx *ctx, const char *path, bp_ndarray *out)
{
  bp_source source;
  bp_status s = bp_source_file(ctx, path, &source);
  if (s != BP_OK)
    return s;
  s = bp_npy_read(ctx, &source, out);
  bp_source_close(&source);
  return s;
}

/* ---- writing ------------------------------------------------------------------------ */

static const char *npy_code(bp_store s)
{
  for (size_t i = 0; i < sizeof npy_types / sizeof *npy_types; i++)
    if (npy_types[i].store == s)
      return npy_types[i].code;
  return NULL;
}

void bpi_npy_header(bpi_text *t, const char *descr, int rank, const int64_t *dims)
{
  enum { PREAMBLE = 10 };
  bpi_text_add(t, NPY_MAGIC "\1\0\0\0", PREAMBLE);
  bpi_textf(t, "{'descr': '%s', 'fortran_order': False, 'shape': (", descr);
  for (int i = 0; i < rank; i++)
    bpi_textf(t, "%lld%s", (long long)dims[i], i + 1 < rank ? ", " : rank == 1 ? "," : "");
  bpi_textf(t, "), }");
  while ((t->n + 1) % 64 && !t->failed)
    bpi_text_add(t, " ", 1);
  bpi_text_add(t, "\n", 1);
  if (t->failed)
    return;
  t->s[8] = (char)((t->n - PREAMBLE) & 255);
  t->s[9] = (char)((t->n - PREAMBLE) >> 8);
}

void bpi_npy_descr(bp_store store, char descr[BPI_NPY_DESCR])
{
  char order = bp_store_bits(store) == 8 ? '|' : bpi_big_endian() ? '>' : '<';
  const char *code = npy_code(store);
  snprintf(descr, BPI_NPY_DESCR, "%c%s", order, code ? code : "");
}

static bp_status check_npy(const bp_ndarray *a, size_t *bytes)
{
  int64_t size;
  if (!npy_code(a->store))
    return bpi_fail(BP_E_UNSUPPORTED, "elements of type %s cannot be saved as .npy", bp_store_name(a->store));
  if (!bpi_size(a->rank, a->dims, &size) || size != a->size || !bpi_store_bytes(a->store, size, bytes) ||
      (*bytes && !a->data))
    return bpi_bad_arg("bp_npy_save", "the array's rank, dims, size and data do not fit together");
  return BP_OK;
}

bp_status bp_npy_save(bp_ctx *ctx, const char *path, const bp_ndarray *a)
{
  if (!ctx || !path || !a)
    return bpi_bad_arg("bp_npy_save", "ctx, path or the array is NULL");
  size_t bytes;
  char descr[BPI_NPY_DESCR];
  bpi_save save;
  bpi_text header;
  bp_status s = check_npy(a, &bytes);
  if (s != BP_OK)
    return s;
  bpi_text_init(&header, ctx);
  bpi_npy_descr(a->store, descr);
  bpi_npy_header(&header, descr, a->rank, a->dims);
  s = header.failed ? bpi_nomem() : bpi_save_begin(ctx, path, &save);
  if (s == BP_OK) {
    s = bpi_save_write(&save, header.s, header.n);
    if (s == BP_OK)
      s = bpi_save_write(&save, a->data, bytes);
    if (s == BP_OK)
      s = bpi_save_commit(&save);
    else
      bpi_save_abandon(&save);
  }
  bpi_text_free(&header);
  return s;
}
