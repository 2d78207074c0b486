/* IDX, labels, shuffles and splits. */
#include "support/files.h"

static bp_status read_idx(bp_ctx *ctx, bp_source *source)
{
  bp_ndarray a = {0};
  bp_status s = bp_idx_read(ctx, source, &a);
  if (s != BP_OK)
    assert_null(a.data);
  bp_ndarray_free(ctx, &a);
  return s;
}

#define BYTES(s) s, sizeof s - 1

static const struct good_idx {
  const char *name, *bytes;
  size_t n;
  bp_store store;
  int rank;
  int64_t dims[4];
  double values[4];
} good_idx[] = {
    {"labels", BYTES("\0\0\x08\1\0\0\0\3\0\7\xff"), BP_STORE_UINT8, 1, {3}, {0, 7, 255}},
    {"images", BYTES("\0\0\x08\3\0\0\0\1\0\0\0\2\0\0\0\1\5\6"), BP_STORE_UINT8, 3, {1, 2, 1}, {5, 6}},
    {"rank 4", BYTES("\0\0\x08\4\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1\5"), BP_STORE_UINT8, 4, {1, 1, 1, 1}, {5}},
    {"int8", BYTES("\0\0\x09\1\0\0\0\1\xff"), BP_STORE_INT8, 1, {1}, {-1}},
    {"int16", BYTES("\0\0\x0b\1\0\0\0\2\1\2\xff\xfe"), BP_STORE_INT16, 1, {2}, {258, -2}},
    {"int32", BYTES("\0\0\x0c\1\0\0\0\1\0\1\0\2"), BP_STORE_INT32, 1, {1}, {65538}},
    {"float", BYTES("\0\0\x0d\1\0\0\0\1\xc0\x20\0\0"), BP_STORE_FLOAT32, 1, {1}, {-2.5}},
    {"double", BYTES("\0\0\x0e\1\0\0\0\1\x40\x04\0\0\0\0\0\0"), BP_STORE_FLOAT64, 1, {1}, {2.5}},
    {"7 nothing in it", BYTES("\0\0\x08\2\0\0\0\0\0\0\0\5"), BP_STORE_UINT8, 2, {0, 5}, {0}},
};

static void reads_what_is_right(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT(good_idx); i++) {
    const struct good_idx *g = &good_idx[i];
    tally t;
    bp_ctx *ctx = tally_ctx(&t);
    bp_source s;
    bp_ndarray a;
    double x[4];
    assert_int_equal(bp_source_memory(ctx, g->bytes, g->n, "f", &s), BP_OK);
    if (bp_idx_read(ctx, &s, &a) != BP_OK)
      fail_msg("%s: %s", g->name, bp_error());
    bp_source_close(&s);
    assert_int_equal(a.store, g->store);
    assert_int_equal(a.rank, g->rank);
    for (int d = 0; d < a.rank; d++)
      assert_int_equal(a.dims[d], g->dims[d]);
    assert_int_equal(bp_convert(a.data, a.store, a.size, BP_FLOAT64, x), BP_OK);
    for (int64_t k = 0; k < a.size; k++)
      assert_true(x[k] == g->values[k]);
    bp_ndarray_free(ctx, &a);
    tally_end(&t, ctx);
    truncate_everywhere(read_idx, g->bytes, g->n); /* 41, 104 */
    fail_every_allocation(read_idx, g->bytes, g->n);
    read_slowly(read_idx, g->bytes, g->n);
  }
}

static const struct bad_idx {
  const char *name, *bytes;
  size_t n;
  const char *says;
} bad_idx[] = {
    {"empty", BYTES(""), "ends inside the first four bytes"},
    {"no zeros", BYTES("\1\0\x08\1\0\0\0\0"), "begins with two zero bytes"},
    {"gzip", BYTES("\x1f\x8b\x08\1\0\0\0\0"), "compressed by gzip"},
    {"40 type code", BYTES("\0\0\x0a\1\0\0\0\1\0"), "is 0x0a"},
    {"40 type code 0", BYTES("\0\0\0\1\0\0\0\1\0"), "is 0x00"},
    {"rank 0", BYTES("\0\0\x08\0"), "number of dimensions, is 0"},
    {"rank 5", BYTES("\0\0\x08\5\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1\1"), "number of dimensions, is 5"},
    {"41 dims cut", BYTES("\0\0\x08\2\0\0\0\1\0\0"), "ends inside the dimensions"},
    {"41 count past the file", BYTES("\0\0\x08\1\0\0\0\4\1\2\3"), "ends inside the elements: 3 of 4"},
    {"41 count far past the file", BYTES("\0\0\x08\1\xff\xff\xff\xff\1\2\3"),
     "ends inside the elements: 3 of 4294967295"},
    {"1 product overflows", BYTES("\0\0\x08\3\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
     "larger than any"},
    {"3 overflow that cancels", BYTES("\0\0\x08\4\x80\0\0\0\x80\0\0\0\0\0\0\4\0\0\0\0"), "larger than any"},
    {"trailing bytes", BYTES("\0\0\x08\1\0\0\0\1\1\2"), "bytes follow the last element"},
};

static void refuses_what_is_wrong(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT(bad_idx); i++) {
    bp_status s = read_copy(read_idx, bad_idx[i].bytes, bad_idx[i].n);
    if (s != BP_E_FORMAT || !strstr(bp_error(), bad_idx[i].says))
      fail_msg("%s: %s: %s", bad_idx[i].name, bp_status_name(s), bp_error());
  }
}

static void a_claim_costs_what_is_there(void **state)
{
  (void)state;
  tally t;
  bp_ctx *ctx = tally_ctx(&t);
  slow s = {"\0\0\x0e\2\xff\xff\0\0\0\0\xff\xff"
            "123",
            15, 0, 4, SIZE_MAX};
  bp_source source = {slow_read, NULL, &s, "slow", -1, NULL};
  assert_int_equal(read_idx(ctx, &source), BP_E_FORMAT);
  assert_true(t.most < 2 << 20);
  tally_end(&t, ctx);
}

static void every_flipped_bit_is_survived(void **state)
{
  (void)state;
  char bytes[] = "\0\0\x08\2\0\0\0\2\0\0\0\2\1\2\3\4";
  for (size_t i = 0; i < sizeof bytes - 1; i++)
    for (int bit = 0; bit < 8; bit++) {
      bytes[i] = (char)(bytes[i] ^ 1 << bit);
      read_copy(read_idx, bytes, sizeof bytes - 1);
      bytes[i] = (char)(bytes[i] ^ 1 << bit);
    }
}

/* ---- labels ---- */

static bp_ndarray vector(bp_store store, int64_t n, const void *data)
{
  return (bp_ndarray){store, 1, {n}, n, (void *)(uintptr_t)data};
}

static void labels_are_checked(void **state)
{
  (void)state;
  static const uint8_t bytes[] = {0, 2, 1};
  static const int64_t longs[] = {0, -1, 1};
  static const double reals[] = {0, 1.5, 1}, whole[] = {2, 1, 0};
  const struct {
    const char *name;
    bp_ndarray labels;
    int64_t examples, classes;
    bp_status status;
    const char *says;
  } rows[] = {
      {"right", vector(BP_STORE_UINT8, 3, bytes), 3, 3, BP_OK, NULL},
      {"any number of classes", vector(BP_STORE_UINT8, 3, bytes), 3, 0, BP_OK, NULL},
      {"whole reals", vector(BP_STORE_FLOAT64, 3, whole), 3, 3, BP_OK, NULL},
      {"42 images are not labels", vector(BP_STORE_UINT8, 3, bytes), 4, 3, BP_E_MISMATCH,
       "4 examples but 3 labels"},
      {"43 label too large", vector(BP_STORE_UINT8, 3, bytes), 3, 2, BP_E_RANGE, "label 1 is 2"},
      {"43 label negative", vector(BP_STORE_INT64, 3, longs), 3, 0, BP_E_RANGE, "label 1 is -1"},
      {"43 label and a half", vector(BP_STORE_FLOAT64, 3, reals), 3, 0, BP_E_RANGE,
       "label 1 is not a whole number"},
  };
  for (size_t i = 0; i < COUNT(rows); i++) {
    bp_ndarray examples = {BP_STORE_UINT8, 2, {rows[i].examples, 1}, rows[i].examples, NULL};
    int64_t found = -1;
    bp_status s = bp_labels_check(&examples, &rows[i].labels, rows[i].classes, &found);
    if (s != rows[i].status || (rows[i].says && !strstr(bp_error(), rows[i].says)))
      fail_msg("%s: %s: %s", rows[i].name, bp_status_name(s), bp_error());
    assert_int_equal(found, s == BP_OK ? 3 : -1);
  }
  bp_ndarray square = {BP_STORE_UINT8, 2, {3, 1}, 3, NULL};
  assert_int_equal(bp_labels_check(&square, &square, 0, NULL), BP_E_SHAPE);
  assert_int_equal(bp_labels_check(&square, NULL, 0, NULL), BP_E_ARG);
}

/* ---- shuffles and splits ---- */

static void assert_is_permutation(const int64_t *p, int64_t n)
{
  char *seen = calloc((size_t)n + 1, 1);
  for (int64_t i = 0; i < n; i++) {
    assert_in_range(p[i], 0, n - 1);
    assert_int_equal(seen[p[i]]++, 0);
  }
  free(seen);
}

static void shuffles_are_seeded_permutations(void **state)
{
  (void)state;
  int64_t a[100], b[100], c[100], d[100];
  assert_int_equal(bp_shuffle_rows(1, 0, 100, a), BP_OK);
  assert_int_equal(bp_shuffle_rows(1, 0, 100, b), BP_OK);
  assert_int_equal(bp_shuffle_rows(1, 1, 100, c), BP_OK);
  assert_int_equal(bp_shuffle_rows(2, 0, 100, d), BP_OK);
  assert_is_permutation(a, 100);
  assert_is_permutation(c, 100);
  assert_memory_equal(a, b, sizeof a);
  assert_memory_not_equal(a, c, sizeof a);
  assert_memory_not_equal(a, d, sizeof a);
  assert_int_equal(bp_shuffle_rows(1, 0, 0, NULL), BP_OK);
  assert_int_equal(bp_shuffle_rows(1, 0, -1, a), BP_E_ARG);
}

/* Any sizes: a permutation, parts ascending, the first as large as asked, labels in proportion. */
static void splits_are_fair(void **state)
{
  (void)state;
  static const double fractions[] = {0, 0.01, 0.1, 0.25, 0.5, 0.75, 1};
  tally t;
  bp_ctx *ctx = tally_ctx(&t);
  for (int64_t n = 0; n < 60; n++)
    for (size_t f = 0; f < COUNT(fractions); f++)
      for (int kind = 0; kind < 4; kind++) {
        int64_t labels[60], out[60], first = -1, all[8] = {0}, part[8] = {0};
        for (int64_t i = 0; i < n; i++)
          labels[i] = kind == 1 ? i % 3 : kind == 2 ? i * i % 7 : -(i > 5);
        assert_int_equal(bp_split_rows(ctx, 7, n, kind ? labels : NULL, fractions[f], out, &first), BP_OK);
        assert_int_equal(first, (int64_t)((double)n * fractions[f] + 0.5));
        assert_is_permutation(out, n);
        for (int64_t i = 1; i < n; i++)
          assert_true(i == first || out[i] > out[i - 1]);
        for (int64_t i = 0; i < n && kind; i++) {
          all[labels[out[i]] + 1]++;
          part[labels[out[i]] + 1] += i < first;
        }
        for (int k = 0; k < 8; k++)
          if (part[k] > (double)all[k] * fractions[f] + 2 || part[k] < (double)all[k] * fractions[f] - 2)
            fail_msg("n %d, fraction %g: %d of %d of a label", (int)n, fractions[f], (int)part[k],
                     (int)all[k]);
      }
  tally_end(&t, ctx);
}

static void rare_labels_are_in_both_parts(void **state)
{
  (void)state;
  int64_t labels[100], out[100], first;
  tally t;
  bp_ctx *ctx = tally_ctx(&t);
  for (int i = 0; i < 100; i++)
    labels[i] = i < 2 ? 1 : i < 4 ? 2 : 0;
  for (int half = 0; half < 2; half++) {
    int64_t count[2][3] = {{0}};
    assert_int_equal(bp_split_rows(ctx, 3, 100, labels, half ? 0.95 : 0.05, out, &first), BP_OK);
    for (int i = 0; i < 100; i++)
      count[i >= first][labels[out[i]]]++;
    for (int label = 0; label < 3; label++)
      assert_true(count[0][label] >= 1 && count[1][label] >= 1);
  }
  assert_int_equal(bp_split_rows(ctx, 3, 10, NULL, -0.1, out, &first), BP_E_ARG);
  assert_int_equal(bp_split_rows(ctx, 3, 10, NULL, 1.1, out, &first), BP_E_ARG);
  assert_int_equal(bp_split_rows(ctx, 3, 10, NULL, 0.0 / 0.0, out, &first), BP_E_ARG);
  for (long at = 1; at <= 2; at++) {
    t.calls = 0;
    t.fail_at = at;
    assert_int_equal(bp_split_rows(ctx, 3, 100, labels, 0.5, out, &first), BP_E_NOMEM);
  }
  t.fail_at = 0;
  tally_end(&t, ctx);
}

/* Golden: numbers once given out, which any machine must give again. */
static void splits_are_the_same_everywhere(void **state)
{
  (void)state;
  static const int64_t labels[12] = {0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1};
  static const int64_t plain[12] = {1, 3, 4, 0, 2, 5, 6, 7, 8, 9, 10, 11};
  static const int64_t fair[12] = {1, 4, 6, 0, 2, 3, 5, 7, 8, 9, 10, 11};
  static const int64_t shuffled[8] = {3, 7, 6, 0, 1, 5, 2, 4};
  tally t;
  bp_ctx *ctx = tally_ctx(&t);
  int64_t out[12], first;
  assert_int_equal(bp_split_rows(ctx, 1, 12, NULL, 0.25, out, &first), BP_OK);
  assert_memory_equal(out, plain, sizeof plain);
  assert_int_equal(bp_split_rows(ctx, 1, 12, labels, 0.25, out, &first), BP_OK);
  assert_memory_equal(out, fair, sizeof fair);
  assert_int_equal(bp_shuffle_rows(1, 2, 8, out), BP_OK);
  assert_memory_equal(out, shuffled, sizeof shuffled);
  tally_end(&t, ctx);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reads_what_is_right),
      cmocka_unit_test(refuses_what_is_wrong),
      cmocka_unit_test(a_claim_costs_what_is_there),
      cmocka_unit_test(every_flipped_bit_is_survived),
      cmocka_unit_test(labels_are_checked),
      cmocka_unit_test(shuffles_are_seeded_permutations),
      cmocka_unit_test(splits_are_fair),
      cmocka_unit_test(rare_labels_are_in_both_parts),
      cmocka_unit_test(splits_are_the_same_everywhere),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
