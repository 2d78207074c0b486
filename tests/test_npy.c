/* npy: what NumPy writes, what it does not, and what we write. */
#include "support/files.h"

static bp_status read_npy(bp_ctx *ctx, bp_source *source)
{
  bp_ndarray a = {0};
  bp_status s = bp_npy_read(ctx, source, &a);
  if (s != BP_OK)
    assert_null(a.data);
  bp_ndarray_free(ctx, &a);
  return s;
}

#define BYTES(s) s, sizeof s - 1

/* A file: version, header, data. */
static size_t make_npy(char *out, int version, const char *header, const char *data, size_t n)
{
  size_t h = strlen(header), preamble = version == 1 ? 10 : 12;
  memcpy(out, "\x93NUMPY", 6);
  out[6] = (char)version;
  out[7] = 0;
  for (size_t i = 8; i < preamble; i++)
    out[i] = (char)(h >> 8 * (i - 8));
  memcpy(out + preamble, header, h);
  memcpy(out + preamble + h, data, n);
  return preamble + h + n;
}

#define DICT(descr, order, shape) \
  "{'descr': '" descr "', 'fortran_order': " order ", 'shape': (" shape "), }     \n"

static const struct good_npy {
  const char *name;
  int version;
  const char *header, *data;
  size_t n;
  bp_store store;
  int rank;
  int64_t dims[3];
  double values[6];
} good_npy[] = {
    {"bytes", 1, DICT("|u1", "False", "3,"), BYTES("\0\7\xff"), BP_STORE_UINT8, 1, {3}, {0, 7, 255}},
    {"scalar", 1, DICT("<f8", "False", ""), BYTES("\0\0\0\0\0\0\x04\x40"), BP_STORE_FLOAT64, 0, {0}, {2.5}},
    {"version 2", 2, DICT("<i2", "False", "2,"), BYTES("\1\0\xff\xff"), BP_STORE_INT16, 1, {2}, {1, -1}},
    {"version 3", 3, DICT("<i2", "False", "2,"), BYTES("\1\0\xff\xff"), BP_STORE_INT16, 1, {2}, {1, -1}},
    {"37 big-endian",
     1,
     DICT(">i4", "False", "2,"),
     BYTES("\0\0\1\2\xff\xff\xff\xfe"),
     BP_STORE_INT32,
     1,
     {2},
     {258, -2}},
    {"37 big-endian double",
     1,
     DICT(">f8", "False", "1,"),
     BYTES("\x40\x04\0\0\0\0\0\0"),
     BP_STORE_FLOAT64,
     1,
     {1},
     {2.5}},
    {"38 Fortran order",
     1,
     DICT("|u1", "True", "2, 3"),
     BYTES("\0\3\1\4\2\5"),
     BP_STORE_UINT8,
     2,
     {2, 3},
     {0, 1, 2, 3, 4, 5}},
    {"38 Fortran order, rank 3, big-endian",
     1,
     DICT(">i2", "True", "3, 1, 2"),
     BYTES("\0\0\0\2\0\4\0\1\0\3\0\5"),
     BP_STORE_INT16,
     3,
     {3, 1, 2},
     {0, 1, 2, 3, 4, 5}},
    {"38 Fortran order, empty", 1, DICT("|u1", "True", "2, 0"), BYTES(""), BP_STORE_UINT8, 2, {2, 0}, {0}},
    {"7 empty", 1, DICT("<f4", "False", "0, 3"), BYTES(""), BP_STORE_FLOAT32, 2, {0, 3}, {0}},
    {"bools", 1, DICT("|b1", "False", "2, 1"), BYTES("\1\0"), BP_STORE_BOOL, 2, {2, 1}, {1, 0}},
    {"half", 1, DICT("<f2", "False", "2,"), BYTES("\0\x3c\0\xc5"), BP_STORE_FLOAT16, 1, {2}, {1, -5}},
    {"unsigned",
     1,
     DICT("<u8", "False", "1,"),
     BYTES("\0\0\0\0\0\0\0\x80"),
     BP_STORE_UINT64,
     1,
     {1},
     {0x1p63}},
    {"other order, other quotes, Python 2",
     1,
     "{\"shape\":(2L,),\"fortran_order\":False,\"descr\":\"<u2\"}",
     BYTES("\1\0\2\0"),
     BP_STORE_UINT16,
     1,
     {2},
     {1, 2}},
};

static void reads_what_is_right(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT(good_npy); i++) {
    const struct good_npy *g = &good_npy[i];
    char file[512];
    size_t n = make_npy(file, g->version, g->header, g->data, g->n);
    tally t;
    bp_ctx *ctx = tally_ctx(&t);
    bp_source s;
    bp_ndarray a;
    double x[6];
    assert_int_equal(bp_source_memory(ctx, file, n, "f", &s), BP_OK);
    if (bp_npy_read(ctx, &s, &a) != BP_OK)
      fail_msg("%s: %s", g->name, bp_error());
    bp_source_close(&s);
    assert_int_equal(a.store, g->store);
    assert_int_equal(a.rank, g->rank);
    for (int d = 0; d < a.rank; d++)
      assert_int_equal(a.dims[d], g->dims[d]);
    assert_int_equal(bp_convert(a.data, a.store, a.size, BP_FLOAT64, x), BP_OK);
    for (int64_t k = 0; k < a.size; k++)
      if (x[k] != g->values[k])
        fail_msg("%s: element %d is %g", g->name, (int)k, x[k]);
    bp_ndarray_free(ctx, &a);
    tally_end(&t, ctx);
    truncate_everywhere(read_npy, file, n); /* 104 */
    fail_every_allocation(read_npy, file, n);
    read_slowly(read_npy, file, n);
    for (size_t at = 0; at < n; at++)
      for (int bit = 0; bit < 8; bit++) {
        file[at] = (char)(file[at] ^ 1 << bit);
        read_copy(read_npy, file, n);
        file[at] = (char)(file[at] ^ 1 << bit);
      }
  }
}

static const struct bad_npy {
  const char *name;
  int version;
  const char *header, *data;
  size_t n;
  bp_status status;
  const char *says;
} bad_npy[] = {
    {"33 version 0", 0, DICT("<f4", "False", "1,"), BYTES("1234"), BP_E_FORMAT, "version 0.0"},
    {"33 version 4", 4, DICT("<f4", "False", "1,"), BYTES("1234"), BP_E_FORMAT, "version 4.0"},
    {"35 32 GiB claimed", 1, DICT("<f8", "False", "65536, 65536"), BYTES("1234"), BP_E_FORMAT,
     "ends inside the elements: 4 of 34359738368 bytes"},
    {"1 product overflows", 1, DICT("<f8", "False", "4294967296, 4294967296"), BYTES(""), BP_E_FORMAT,
     "larger than any"},
    {"3 overflow that cancels", 1, DICT("|u1", "False", "4194305, 4194305, 211106198978564"), BYTES("1234"),
     BP_E_FORMAT, "larger than any"},
    {"36 object", 1, DICT("|O", "False", "1,"), BYTES("1234"), BP_E_UNSUPPORTED, "Python objects"},
    {"36 object8", 1, DICT("|O8", "False", "1,"), BYTES("1234"), BP_E_UNSUPPORTED, "Python objects"},
    {"structured", 1, "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", BYTES("1234"),
     BP_E_UNSUPPORTED, "structured"},
    {"text", 1, DICT("<U4", "False", "1,"), BYTES("1234"), BP_E_UNSUPPORTED, "dtype \"<U4\" is not read"},
    {"complex", 1, DICT("<c8", "False", "1,"), BYTES("12345678"), BP_E_UNSUPPORTED, "dtype \"<c8\""},
    {"f16", 1, DICT("<f16", "False", "1,"), BYTES("12345678"), BP_E_UNSUPPORTED, "dtype \"<f16\""},
    {"no byte order", 1, DICT("f4", "False", "1,"), BYTES("1234"), BP_E_UNSUPPORTED, "dtype \"f4\""},
    {"empty dtype", 1, DICT("", "False", "1,"), BYTES("1234"), BP_E_UNSUPPORTED, "dtype \"\""},
    {"fortran_order 1", 1, DICT("<f4", "1", "1,"), BYTES("1234"), BP_E_FORMAT, "fortran_order"},
    {"shape is a number", 1, "{'descr': '<f4', 'fortran_order': False, 'shape': 1, }", BYTES("1234"),
     BP_E_FORMAT, "shape is no tuple"},
    {"shape in brackets", 1, DICT("<f4", "False", "1"), BYTES("1234"), BP_E_FORMAT, "shape is no tuple"},
    {"6 negative", 1, DICT("<f4", "False", "-1,"), BYTES("1234"), BP_E_FORMAT, "no whole number"},
    {"9 dim over 64 bits", 1, DICT("<f4", "False", "18446744073709551617,"), BYTES("1234"), BP_E_FORMAT,
     "no whole number"},
    {"two commas", 1, DICT("<f4", "False", "1,,"), BYTES("1234"), BP_E_FORMAT, "no whole number"},
    {"8 nine dimensions", 1, DICT("|u1", "False", "1,1,1,1,1,1,1,1,1"), BYTES("1"), BP_E_UNSUPPORTED,
     "more than 8"},
    {"a key twice", 1, "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,), }",
     BYTES("1234"), BP_E_FORMAT, "twice"},
    {"a key missing", 1, "{'descr': '<f4', 'fortran_order': False, }", BYTES("1234"), BP_E_FORMAT, "missing"},
    {"unknown key", 1, "{'descr': '<f4', 'order': False, 'shape': (1,), }", BYTES("1234"), BP_E_FORMAT,
     "unknown key"},
    {"no dict", 1, "['descr']", BYTES("1234"), BP_E_FORMAT, "begin with '{'"},
    {"not closed", 1, "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), ", BYTES("1234"), BP_E_FORMAT,
     "a key is expected"},
    {"string not closed", 1, "{'descr': '<f4", BYTES("1234"), BP_E_FORMAT, "descr is no string"},
    {"escape in a string", 1, "{'descr': '<\\x66\\x34', 'fortran_order': False, 'shape': (1,), }",
     BYTES("1234"), BP_E_FORMAT, "descr is no string"},
    {"something behind", 1, "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), } + 1", BYTES("1234"),
     BP_E_FORMAT, "follows the dict"},
    {"no header", 1, "", BYTES(""), BP_E_FORMAT, "begin with '{'"},
    {"trailing bytes", 1, DICT("<f4", "False", "1,"), BYTES("12345"), BP_E_FORMAT,
     "bytes follow the last element"},
    {"a bool of 2", 1, DICT("|b1", "False", "2,"), BYTES("\1\2"), BP_E_FORMAT,
     "element 1 is a bool of value 2"},
};

static void refuses_what_is_wrong(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT(bad_npy); i++) {
    const struct bad_npy *b = &bad_npy[i];
    char file[512];
    bp_status s = read_copy(read_npy, file, make_npy(file, b->version, b->header, b->data, b->n));
    if (s != b->status || !strstr(bp_error(), b->says))
      fail_msg("%s: %s: %s", b->name, bp_status_name(s), bp_error());
  }
}

static void refuses_wrong_lengths(void **state)
{
  (void)state;
  static const struct {
    const char *name, *bytes;
    size_t n;
    const char *says;
  } rows[] = {
      {"33 empty", BYTES(""), "ends inside the first eight bytes"},
      {"33 magic", BYTES("\x93NUMPX\1\0\0\0"), "begins with"},
      {"33 zip", BYTES("PK\3\4\0\0\0\0\0\0"), "begins with"},
      {"33 version 1.1", BYTES("\x93NUMPY\1\1\0\0"), "version 1.1"},
      {"34 header cut", BYTES("\x93NUMPY\1\0\x76\0{'descr'"), "ends inside the header: 8 of 118"},
      {"34 length cut", BYTES("\x93NUMPY\2\0\x76\0\0"), "ends inside the length of the header"},
      {"39 header of 10,001 bytes", BYTES("\x93NUMPY\1\0\x11\x27{"), "claims 10001 bytes"},
      {"39 header of 4 GiB", BYTES("\x93NUMPY\2\0\xff\xff\xff\xff{"), "claims 4294967295 bytes"},
  };
  for (size_t i = 0; i < COUNT(rows); i++) {
    assert_int_equal(read_copy(read_npy, rows[i].bytes, rows[i].n), BP_E_FORMAT);
    if (!strstr(bp_error(), rows[i].says))
      fail_msg("%s: %s", rows[i].name, bp_error());
  }
}

/* 35: an 80-byte file that claims 32 GiB costs next to nothing, whether or not its size is known. */
static void a_claim_costs_what_is_there(void **state)
{
  (void)state;
  char file[128];
  size_t n = make_npy(file, 1, DICT("<f8", "False", "65536, 65536"), "", 0);
  tally t;
  bp_ctx *ctx = tally_ctx(&t);
  assert_true(n < 100);
  assert_int_equal(read_from(ctx, read_npy, file, n), BP_E_FORMAT);
  slow s = {file, n, 0, 16, SIZE_MAX};
  bp_source source = {slow_read, NULL, &s, "slow", -1, NULL};
  assert_int_equal(read_npy(ctx, &source), BP_E_FORMAT);
  assert_true(t.most < 2 << 20);
  tally_end(&t, ctx);
}

/* Larger than the first buffer, from a source that does not know its size. */
static void memory_grows_with_the_data(void **state)
{
  (void)state;
  enum { N = 5000000 };
  char *file = malloc(N + 200), *data = malloc(N);
  for (int i = 0; i < N; i++)
    data[i] = (char)(i * 7);
  size_t n = make_npy(file, 1, DICT("|i1", "False", "5000000,"), data, N);
  tally t;
  bp_ctx *ctx = tally_ctx(&t);
  slow s = {file, n, 0, 100000, SIZE_MAX};
  bp_source source = {slow_read, NULL, &s, "slow", -1, NULL};
  bp_ndarray a;
  assert_int_equal(bp_npy_read(ctx, &source, &a), BP_OK);
  assert_memory_equal(a.data, data, N);
  assert_true(t.most < N + (1 << 16));
  bp_ndarray_free(ctx, &a);
  bp_status status = BP_E_NOMEM;
  for (t.fail_at = 1; status == BP_E_NOMEM; t.fail_at++) {
    t.calls = 0;
    s.at = 0;
    status = read_npy(ctx, &source);
  }
  assert_int_equal(status, BP_OK);
  assert_true(t.fail_at > 4); /* growing was among what failed */
  t.fail_at = 0;
  tally_end(&t, ctx);
  free(file);
  free(data);
}

/* ---- writing ---- */

static size_t read_back(const char *path, char *out, size_t size)
{
  FILE *f = fopen(path, "rb");
  assert_non_null(f);
  size_t n = fread(out, 1, size, f);
  fclose(f);
  return n;
}

static void what_is_written_is_read(void **state)
{
  (void)state;
  static const float reals[6] = {1, -2.5f, 3e38f, 1e-40f, 0, -0.0f};
  static const uint8_t bytes[6] = {0, 1, 1, 0, 1, 1};
  static const int64_t longs[6] = {INT64_MIN, INT64_MAX, 0, -1, 1, 2};
  const bp_ndarray arrays[] = {
      {BP_STORE_FLOAT32, 2, {2, 3}, 6, (void *)(uintptr_t)reals},
      {BP_STORE_BOOL, 1, {6}, 6, (void *)(uintptr_t)bytes},
      {BP_STORE_UINT8, 3, {1, 6, 1}, 6, (void *)(uintptr_t)bytes},
      {BP_STORE_INT64, 0, {0}, 1, (void *)(uintptr_t)longs},
      {BP_STORE_INT64, 2, {3, 2}, 6, (void *)(uintptr_t)longs},
      {BP_STORE_FLOAT64, 2, {0, 4}, 0, NULL},
  };
  tally t;
  bp_ctx *ctx = tally_ctx(&t);
  char path[128];
  snprintf(path, sizeof path, "%s/a.npy", make_folder());
  for (size_t i = 0; i < COUNT(arrays); i++) {
    bp_ndarray a;
    if (bp_npy_save(ctx, path, &arrays[i]) != BP_OK || bp_npy_load(ctx, path, &a) != BP_OK)
      fail_msg("%zu: %s", i, bp_error());
    assert_int_equal(a.store, arrays[i].store);
    assert_int_equal(a.rank, arrays[i].rank);
    assert_int_equal(a.size, arrays[i].size);
    for (int d = 0; d < a.rank; d++)
      assert_int_equal(a.dims[d], arrays[i].dims[d]);
    if (a.size)
      assert_memory_equal(a.data, arrays[i].data, (size_t)a.size * bp_store_bits(a.store) / 8);
    bp_ndarray_free(ctx, &a);
  }
  unlink(path);
  *strrchr(path, '/') = 0;
  rmdir(path);
  tally_end(&t, ctx);
}

/* Byte for byte what NumPy 1.24 writes for np.array([[1, 2, 3], [4, 5, 6]], np.float32). */
static void writes_what_numpy_writes(void **state)
{
  (void)state;
  static const float reals[6] = {1, 2, 3, 4, 5, 6};
  tally t;
  bp_ctx *ctx = tally_ctx(&t);
  char path[128], got[256], expected[256];
  snprintf(path, sizeof path, "%s/a.npy", make_folder());
  bp_ndarray a = {BP_STORE_FLOAT32, 2, {2, 3}, 6, (void *)(uintptr_t)reals};
  assert_int_equal(bp_npy_save(ctx, path, &a), BP_OK);
  size_t n = read_back(path, got, sizeof got);
  assert_int_equal(n, 128 + sizeof reals);
  snprintf(expected, sizeof expected, "\x93NUMPY%c%c%c%c%-117s\n", 1, 'x', 118, 'x',
           "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }");
  expected[7] = expected[9] = 0;
  memcpy(expected + 128, reals, sizeof reals);
  assert_memory_equal(got, expected, n);
  unlink(path);
  *strrchr(path, '/') = 0;
  rmdir(path);
  tally_end(&t, ctx);
}

static void refuses_to_write_nonsense(void **state)
{
  (void)state;
  static const float reals[6] = {0};
  void *data = (void *)(uintptr_t)reals;
  const bp_ndarray rows[] = {
      {BP_STORE_BFLOAT16, 1, {6}, 6, data}, {BP_STORE_NONE, 1, {6}, 6, data},
      {BP_STORE_FLOAT32, 1, {5}, 6, data},  {BP_STORE_FLOAT32, 9, {6}, 6, data},
      {BP_STORE_FLOAT32, 1, {-6}, 6, data}, {BP_STORE_FLOAT32, 1, {6}, 6, NULL},
  };
  tally t;
  bp_ctx *ctx = tally_ctx(&t);
  for (size_t i = 0; i < COUNT(rows); i++)
    assert_int_equal(bp_npy_save(ctx, "/nonexistent/a.npy", &rows[i]), i < 2 ? BP_E_UNSUPPORTED : BP_E_ARG);
  assert_int_equal(bp_npy_save(ctx, NULL, &rows[0]), BP_E_ARG);
  tally_end(&t, ctx);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reads_what_is_right),        cmocka_unit_test(refuses_what_is_wrong),
      cmocka_unit_test(refuses_wrong_lengths),      cmocka_unit_test(a_claim_costs_what_is_there),
      cmocka_unit_test(memory_grows_with_the_data), cmocka_unit_test(what_is_written_is_read),
      cmocka_unit_test(writes_what_numpy_writes),   cmocka_unit_test(refuses_to_write_nonsense),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
