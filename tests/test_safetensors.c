/* safetensors: every rule of the format, round trips, damage. */
#include "support/files.h"

#include <math.h>

static bp_status read_tensors(bp_ctx *ctx, bp_source *source)
{
  bp_tensors *t = NULL;
  bp_status s = bp_tensors_read(ctx, source, &t);
  if (s != BP_OK)
    assert_null(t);
  bp_tensors_free(t);
  return s;
}

/* A file of a header, padded with `pad`, and n bytes 0, 1, 2, ... of data. */
static size_t make_file(char *out, const char *header, size_t header_n, size_t n)
{
  for (int i = 0; i < 8; i++)
    out[i] = (char)(header_n >> 8 * i);
  memcpy(out + 8, header, header_n);
  for (size_t i = 0; i < n; i++)
    out[8 + header_n + i] = (char)i;
  return 8 + header_n + n;
}

#define HEADER(s) s, sizeof s - 1
#define T(dtype, shape, from, to) \
  "{\"dtype\":\"" dtype "\",\"shape\":[" shape "],\"data_offsets\":[" #from "," #to "]}"

static const struct good_file {
  const char *name, *header;
  size_t header_n, data;
  size_t tensors, meta;
} good_files
    [] =
        {
            {"empty", HEADER("{}"), 0, 0, 0},
            {"empty, padded", HEADER("{}      "), 0, 0, 0},
            {"one", HEADER("{\"a\":" T("F32", "2,3", 0, 24) "}"), 24, 1, 0},
            {"scalar", HEADER("{\"a\":" T("F64", "", 0, 8) "}"), 8, 1, 0},
            {"blanks and line ends inside",
             HEADER("{ \"a\" :\n{\"shape\":[ 1 , 2 ],\t\"data_offsets\":[0,2],\r\"dtype\":\"U8\"} }"), 2, 1,
             0},
            {"any order of the header",
             HEADER("{\"b\":" T("U8", "2", 4, 6) ",\"a\":" T("F32", "1", 0, 4) "}"), 6, 2, 0},
            {"metadata", HEADER("{\"__metadata__\":{\"k\":\"v\",\"l\":\"\"},\"a\":" T("U8", "1", 0, 1) "}"),
             1, 1, 2},
            {"metadata empty", HEADER("{\"__metadata__\":{}}"), 0, 0, 0},
            {"29 empty tensors share an offset",
             HEADER("{\"a\":" T("F32", "0", 4, 4) ",\"b\":" T("F32", "0,5", 4, 4) ",\"c\":" T(
                 "F32", "1", 0, 4) ",\"d\":" T("U8", "1", 4, 5) "}"),
             5, 4, 0},
            {"escapes", HEADER("{\"\\u00e9\\ud83d\\ude00\\n\\\"\\/\":" T("U8", "1", 0, 1) "}"), 1, 1, 0},
            {"eight dimensions", HEADER("{\"a\":" T("U8", "1,1,1,1,1,1,1,1", 0, 1) "}"), 1, 1, 0},
            {"half a byte each", HEADER("{\"a\":" T("F4", "4", 0, 2) "}"), 2, 1, 0},
            {"all dtypes",
             HEADER("{\"a\":" T("BOOL", "1", 0, 1) ",\"b\":" T("I8", "1", 1, 2) ",\"c\":" T("U16", "1", 2, 4) ",\"d\":" T("I16", "1", 4, 6) ",\"e\":" T("U32", "1", 6, 10) ",\"f\":" T(
                 "I32", "1", 10,
                 14) ",\"g\":" T("U64", "1", 14,
                                 22) ",\"h\":" T("I64", "1", 22,
                                                 30) ",\"i\":" T("F16", "1", 30,
                                                                 32) ",\"j\":" T("BF16", "1", 32,
                                                                                 34) ",\"k\""
                                                                                     ":" T(
                                                                                         "F"
                                                                                         "8"
                                                                                         "_"
                                                                                         "E"
                                                                                         "4"
                                                                                         "M"
                                                                                         "3",
                                                                                         "1", 34,
                                                                                         35) ",\"l\""
                                                                                             ":" T(
                                                                                                 "F"
                                                                                                 "8"
                                                                                                 "_"
                                                                                                 "E"
                                                                                                 "5"
                                                                                                 "M"
                                                                                                 "2",
                                                                                                 "1", 35,
                                                                                                 36) ",\"m\""
                                                                                                     ":" T(
                                                                                                         "C"
                                                                                                         "6"
                                                                                                         "4",
                                                                                                         "1",
                                                                                                         36,
                                                                                                         44) ",\"n\":" T("F8_E8M0",
                                                                                                                         "1",
                                                                                                                         44,
                                                                                                                         45) ",\"o\":" T("F6_E2M3",
                                                                                                                                         "4",
                                                                                                                                         45,
                                                                                                                                         48) ",\"p\":" T("F6_E3M2",
                                                                                                                                                         "4",
                                                                                                                                                         48,
                                                                                                                                                         51) "}"),
             51, 16, 0},
};

static void reads_what_is_right(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT(good_files); i++) {
    const struct good_file *g = &good_files[i];
    char file[2048];
    size_t n = make_file(file, g->header, g->header_n, g->data);
    tally ta;
    bp_ctx *ctx = tally_ctx(&ta);
    bp_source s;
    bp_tensors *t = NULL;
    assert_int_equal(bp_source_memory(ctx, file, n, "f", &s), BP_OK);
    if (bp_tensors_read(ctx, &s, &t) != BP_OK)
      fail_msg("%s: %s", g->name, bp_error());
    bp_source_close(&s);
    assert_int_equal(bp_tensors_count(t), g->tensors);
    assert_int_equal(bp_tensors_meta_count(t), g->meta);
    bp_tensors_free(t);
    tally_end(&ta, ctx);
    truncate_everywhere(read_tensors, file, n); /* 25, 66 */
    fail_every_allocation(read_tensors, file, n);
    read_slowly(read_tensors, file, n);
  }
}

#define ONE "{\"a\":" T("F32", "1", 0, 4) "}"
static const struct bad_file {
  const char *name, *header;
  size_t header_n, data;
  bp_status status;
  const char *says;
} bad_files[] = {
    {"17 no header", HEADER(""), 0, BP_E_FORMAT, "does not begin with '{'"},
    {"20 not an object", HEADER("[]"), 0, BP_E_FORMAT, "does not begin with '{'"},
    {"20 begins with a blank", HEADER(" {}"), 0, BP_E_FORMAT, "does not begin with '{'"},
    {"20 not JSON", HEADER("{a:1}"), 0, BP_E_FORMAT, "a string is expected"},
    {"20 ends early", HEADER("{\"a\":"), 0, BP_E_FORMAT, "the text ends too early"},
    {"20 comma at the end", HEADER("{\"a\":" T("F32", "1", 0, 4) ",}"), 4, BP_E_FORMAT,
     "a string is expected"},
    {"20 text after it", HEADER("{} x"), 0, BP_E_FORMAT, "only spaces may follow"},
    {"20 padded with something else", HEADER("{}\n"), 0, BP_E_FORMAT, "only spaces may follow"},
    {"20 padded with NUL", HEADER("{}\0\0"), 0, BP_E_FORMAT, "only spaces may follow"},
    {"20 string not closed", HEADER("{\"a"), 0, BP_E_FORMAT, "never closed"},
    {"20 bad escape", HEADER("{\"\\x\":1}"), 0, BP_E_FORMAT, "bad escape"},
    {"20 bad \\u", HEADER("{\"\\u12g4\":1}"), 0, BP_E_FORMAT, "bad \\u"},
    {"20 half a pair", HEADER("{\"\\ud83d\":1}"), 0, BP_E_FORMAT, "half a surrogate"},
    {"20 second half alone", HEADER("{\"\\ude00\":1}"), 0, BP_E_FORMAT, "bad \\u"},
    {"20 high half twice", HEADER("{\"\\ud83d\\ud83d\":1}"), 0, BP_E_FORMAT, "half a surrogate"},
    {"20 NUL in a name", HEADER("{\"\\u0000\":1}"), 0, BP_E_FORMAT, "\\u0000"},
    {"20 control character", HEADER("{\"a\tb\":1}"), 0, BP_E_FORMAT, "control character"},
    {"19 not UTF-8", HEADER("{\"\xff\":1}"), 0, BP_E_FORMAT, "not UTF-8"},
    {"19 overlong", HEADER("{\"\xc0\xaf\":1}"), 0, BP_E_FORMAT, "not UTF-8"},
    {"19 surrogate in UTF-8", HEADER("{\"\xed\xa0\x80\":1}"), 0, BP_E_FORMAT, "not UTF-8"},
    {"19 cut", HEADER("{\"\xe2\x82"), 0, BP_E_FORMAT, "not UTF-8"},
    {"21 tensor twice", HEADER("{\"a\":" T("U8", "1", 0, 1) ",\"a\":" T("U8", "1", 1, 2) "}"), 2, BP_E_FORMAT,
     "two tensors named \"a\""},
    {"21 tensor twice, escaped", HEADER("{\"a\":" T("U8", "1", 0, 1) ",\"\\u0061\":" T("U8", "1", 1, 2) "}"),
     2, BP_E_FORMAT, "two tensors named \"a\""},
    {"21 metadata twice", HEADER("{\"__metadata__\":{},\"__metadata__\":{}}"), 0, BP_E_FORMAT,
     "__metadata__ is in the header twice"},
    {"21 metadata key twice", HEADER("{\"__metadata__\":{\"k\":\"1\",\"j\":\"\",\"k\":\"2\"}}"), 0,
     BP_E_FORMAT, "the key \"k\" twice"},
    {"21 key twice",
     HEADER("{\"a\":{\"dtype\":\"U8\",\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,1]}}"), 1,
     BP_E_FORMAT, "the key \"dtype\" twice"},
    {"22 overlap", HEADER("{\"a\":" T("U8", "4", 0, 4) ",\"b\":" T("U8", "4", 3, 7) "}"), 7, BP_E_FORMAT,
     "\"b\" begins at byte 3 of the data; it overlaps"},
    {"22 the same place", HEADER("{\"a\":" T("U8", "4", 0, 4) ",\"b\":" T("U8", "4", 0, 4) "}"), 4,
     BP_E_FORMAT, "overlaps"},
    {"23 hole", HEADER("{\"a\":" T("U8", "4", 0, 4) ",\"b\":" T("U8", "4", 5, 9) "}"), 9, BP_E_FORMAT,
     "there is a hole"},
    {"23 hole at the start", HEADER("{\"a\":" T("U8", "4", 1, 5) "}"), 5, BP_E_FORMAT, "there is a hole"},
    {"24 trailing byte", HEADER(ONE), 5, BP_E_FORMAT, "bytes follow the last tensor"},
    {"25 truncated data", HEADER(ONE), 3, BP_E_FORMAT, "ends inside the data: 3 of 4 bytes"},
    {"25 data that cannot be", HEADER("{\"a\":" T("U8", "200000000000000", 0, 200000000000000) "}"), 3,
     BP_E_FORMAT, "ends inside the data"},
    {"26 bytes too few", HEADER("{\"a\":" T("F32", "2", 0, 4) "}"), 4, BP_E_FORMAT,
     "has 4 bytes, but its shape and dtype make 8"},
    {"26 half bytes", HEADER("{\"a\":" T("F4", "3", 0, 2) "}"), 2, BP_E_FORMAT, "a shape that cannot be"},
    {"26 product overflows", HEADER("{\"a\":" T("F32", "4194305,4194305,211106198978564", 0, 16) "}"), 16,
     BP_E_FORMAT, "a shape that cannot be"},
    {"27 ends before it begins", HEADER("{\"a\":" T("U8", "0", 4, 0) "}"), 4, BP_E_FORMAT,
     "before it begins"},
    {"28 unknown dtype", HEADER("{\"a\":" T("F33", "1", 0, 4) "}"), 4, BP_E_FORMAT, "unknown dtype \"F33\""},
    {"28 small letters", HEADER("{\"a\":" T("f32", "1", 0, 4) "}"), 4, BP_E_FORMAT, "unknown dtype"},
    {"31 nesting", HEADER("{\"a\":{\"shape\":[[[[[[[[[[[[[[[["), 0, BP_E_FORMAT, "a whole number"},
    {"31 nested metadata", HEADER("{\"__metadata__\":{\"a\":{}}}"), 0, BP_E_FORMAT, "a string is expected"},
    {"32 float", HEADER("{\"a\":" T("U8", "1.0", 0, 1) "}"), 1, BP_E_FORMAT, "a whole number"},
    {"32 exponent", HEADER("{\"a\":" T("U8", "1e0", 0, 1) "}"), 1, BP_E_FORMAT, "a whole number"},
    {"32 negative", HEADER("{\"a\":" T("U8", "-1", 0, 1) "}"), 1, BP_E_FORMAT, "a whole number"},
    {"32 minus zero", HEADER("{\"a\":" T("U8", "0", -0, 0) "}"), 0, BP_E_FORMAT, "a whole number"},
    {"32 leading zero", HEADER("{\"a\":" T("U8", "01", 0, 1) "}"), 1, BP_E_FORMAT, "a whole number"},
    {"32 huge", HEADER("{\"a\":" T("U8", "9223372036854775808", 0, 1) "}"), 1, BP_E_FORMAT, "too large"},
    {"32 huge offset", HEADER("{\"a\":" T("U8", "1", 0, 99999999999999999999) "}"), 1, BP_E_FORMAT,
     "too large"},
    {"32 text", HEADER("{\"a\":" T("U8", "\"1\"", 0, 1) "}"), 1, BP_E_FORMAT, "a whole number"},
    {"three offsets", HEADER("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1,1]}}"), 1,
     BP_E_FORMAT, "']' is expected"},
    {"one offset", HEADER("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0]}}"), 1, BP_E_FORMAT,
     "',' is expected"},
    {"a key is missing", HEADER("{\"a\":{\"dtype\":\"U8\",\"shape\":[1]}}"), 1, BP_E_FORMAT,
     "lacks dtype, shape or data_offsets"},
    {"no keys", HEADER("{\"a\":{}}"), 0, BP_E_FORMAT, "a string is expected"},
    {"unknown key", HEADER("{\"a\":{\"dtype\":\"U8\",\"shapes\":[1],\"data_offsets\":[0,1]}}"), 1,
     BP_E_FORMAT, "unknown key \"shapes\""},
    {"nine dimensions", HEADER("{\"a\":" T("U8", "1,1,1,1,1,1,1,1,1", 0, 1) "}"), 1, BP_E_LIMIT,
     "more than 8 dimensions"},
    {"metadata that is no text", HEADER("{\"__metadata__\":{\"a\":1}}"), 0, BP_E_FORMAT,
     "a string is expected"},
    {"checksum elsewhere", HEADER("{\"__metadata__\":{\"a\":\"\",\"bprop.crc32c\":\"00000000\"}}"), 0,
     BP_E_FORMAT, "the checksum is not where"},
    {"checksum missing", HEADER("{\"__metadata__\":{\"bprop.check\":\"crc32c\"}}"), 0, BP_E_FORMAT,
     "the checksum is not where"},
    {"checksum wrong", HEADER("{\"__metadata__\":{\"bprop.crc32c\":\"00000000\"}}"), 0, BP_E_FORMAT,
     "the checksum is wrong"},
};

static void refuses_what_is_wrong(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT(bad_files); i++) {
    const struct bad_file *b = &bad_files[i];
    char file[1024];
    size_t n = make_file(file, b->header, b->header_n, b->data);
    bp_status s = read_copy(read_tensors, file, n);
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
      {"16 nothing", HEADER(""), "ends inside the length of the header: 0 of 8"},
      {"16 seven bytes", HEADER("\2\0\0\0\0\0\0"), "7 of 8 bytes"},
      {"17 past the end", HEADER("\3\0\0\0\0\0\0\0{}"), "ends inside the header: 2 of 3"},
      {"18 over 100 MB", HEADER("\1\xe1\xf5\5\0\0\0\0{}"), "claims 100000001 bytes"},
      {"18 all ones", HEADER("\xff\xff\xff\xff\xff\xff\xff\xff{}"), "claims 18446744073709551615 bytes"},
      {"17 100 MB exactly, not there", HEADER("\0\xe1\xf5\5\0\0\0\0{}"),
       "ends inside the header: 2 of 100000000"},
  };
  for (size_t i = 0; i < COUNT(rows); i++) {
    assert_int_equal(read_copy(read_tensors, rows[i].bytes, rows[i].n), BP_E_FORMAT);
    if (!strstr(bp_error(), rows[i].says))
      fail_msg("%s: %s", rows[i].name, bp_error());
  }
}

static void a_claim_costs_what_is_there(void **state)
{
  (void)state;
  char file[256];
  static const char header[] = "{\"a\":" T("U8", "200000000000000", 0, 200000000000000) "}";
  size_t n = make_file(file, header, sizeof header - 1, 9);
  tally t;
  bp_ctx *ctx = tally_ctx(&t);
  assert_int_equal(read_from(ctx, read_tensors, file, n), BP_E_FORMAT);
  assert_true(t.most < 2 << 20);
  slow s = {"\0\xe1\xf5\5\0\0\0\0{}", 10, 0, 3, SIZE_MAX};
  bp_source source = {slow_read, NULL, &s, "slow", -1, NULL};
  assert_int_equal(read_tensors(ctx, &source), BP_E_FORMAT);
  assert_true(t.most < 2 << 20);
  tally_end(&t, ctx);
}

/* ---- our own files ---- */

static const float weights[6] = {1, -2, 3.5f, 0, -0.0f, 1e-40f};
static const double bias[2] = {3.25, -1e300};
static const int64_t steps[1] = {INT64_MIN};
static const uint8_t bytes3[3] = {1, 0, 255};
static const int64_t d23[] = {2, 3}, d2[] = {2}, d3[] = {3}, d0[] = {0, 4};

static const bp_tensor samples[] = {
    {"bytes", BP_STORE_UINT8, 1, d3, bytes3, 3},
    {"weights \"1\"\n\xc3\xa9", BP_STORE_FLOAT32, 2, d23, weights, 24},
    {"steps", BP_STORE_INT64, 0, NULL, steps, 8},
    {"bias", BP_STORE_FLOAT64, 1, d2, bias, 16},
    {"none", BP_STORE_FLOAT32, 2, d0, NULL, 0},
    {"flags", BP_STORE_BOOL, 1, d2, bytes3, 2},
};
static const bp_meta notes[] = {
    {"model", "dense(64, 10)\n\"\\\x01"}, {"", "empty key"}, {"made by", "b\xc3\xbcprop"}};

static void encode(bp_ctx *ctx, void **bytes, size_t *n)
{
  if (bp_tensors_encode(ctx, samples, COUNT(samples), notes, COUNT(notes), bytes, n) != BP_OK)
    fail_msg("%s", bp_error());
}

static void assert_is_sample(bp_tensors *t)
{
  assert_int_equal(bp_tensors_count(t), COUNT(samples));
  for (size_t i = 0; i < COUNT(samples); i++) {
    const bp_tensor *x = bp_tensors_find(t, samples[i].name);
    assert_non_null(x);
    assert_int_equal(x->store, samples[i].store);
    assert_int_equal(x->rank, samples[i].rank);
    assert_int_equal(x->bytes, samples[i].bytes);
    assert_int_equal((uintptr_t)x->data % (bp_store_bits(x->store) / 8), 0); /* ours are aligned */
    if (x->rank)
      assert_memory_equal(x->dims, samples[i].dims, (size_t)x->rank * sizeof *x->dims);
    if (x->bytes)
      assert_memory_equal(x->data, samples[i].data, x->bytes);
  }
  for (size_t i = 0; i < COUNT(notes); i++)
    assert_string_equal(bp_tensors_meta(t, notes[i].key), notes[i].value);
  assert_null(bp_tensors_find(t, "nothing"));
  assert_null(bp_tensors_meta(t, "nothing"));
  assert_null(bp_tensors_at(t, COUNT(samples)));
}

static void what_is_written_is_read(void **state)
{
  (void)state;
  tally ta;
  bp_ctx *ctx = tally_ctx(&ta);
  void *bytes, *again;
  size_t n, n2;
  bp_source s;
  bp_tensors *t = NULL;
  encode(ctx, &bytes, &n);
  assert_int_equal(bp_source_memory(ctx, bytes, n, NULL, &s), BP_OK);
  if (bp_tensors_read(ctx, &s, &t) != BP_OK)
    fail_msg("%s", bp_error());
  bp_source_close(&s);
  assert_is_sample(t);

  /* Written again from what was read, metadata of ours and all: the same bytes. */
  bp_tensor tensors[COUNT(samples)];
  bp_meta meta[COUNT(notes) + 2];
  assert_int_equal(bp_tensors_meta_count(t), COUNT(meta));
  for (size_t i = 0; i < COUNT(samples); i++)
    tensors[i] = *bp_tensors_at(t, i);
  meta[0] = *bp_tensors_meta_at(t, 1);
  for (size_t i = 0; i < COUNT(notes); i++)
    meta[i + 1] = notes[i];
  meta[COUNT(notes) + 1] = *bp_tensors_meta_at(t, 2);
  assert_int_equal(bp_tensors_encode(ctx, tensors, COUNT(tensors), meta, COUNT(meta), &again, &n2), BP_OK);
  assert_int_equal(n, n2);
  assert_memory_equal(bytes, again, n);
  bp_free(ctx, bytes);
  bp_free(ctx, again);
  bp_tensors_free(t);
  tally_end(&ta, ctx);
}

/* 66, 67: our own file cut at every byte, or with any bit flipped, is refused. */
static void damage_is_found(void **state)
{
  (void)state;
  tally ta;
  bp_ctx *ctx = tally_ctx(&ta);
  void *bytes;
  size_t n;
  encode(ctx, &bytes, &n);
  char *file = bytes;
  assert_int_equal(read_copy(read_tensors, file, n), BP_OK);
  truncate_everywhere(read_tensors, file, n);
  for (size_t i = 0; i < n; i++)
    for (int bit = 0; bit < 8; bit++) {
      file[i] = (char)(file[i] ^ 1 << bit);
      if (read_copy(read_tensors, file, n) == BP_OK)
        fail_msg("bit %d of byte %zu was flipped, and nothing was said", bit, i);
      file[i] = (char)(file[i] ^ 1 << bit);
    }
  fail_every_allocation(read_tensors, file, n);
  read_slowly(read_tensors, file, n);
  bp_free(ctx, bytes);
  tally_end(&ta, ctx);
}

static void writing_fails_cleanly_without_memory(void **state)
{
  (void)state;
  for (int from_then_on = 0; from_then_on < 2; from_then_on++)
    for (long at = 1;; at++) {
      tally t;
      bp_ctx *ctx = tally_ctx(&t);
      void *bytes = NULL;
      size_t n;
      t.calls = 0;
      t.fail_at = at;
      t.from_then_on = from_then_on;
      bp_status s = bp_tensors_encode(ctx, samples, COUNT(samples), notes, COUNT(notes), &bytes, &n);
      bool reached = t.calls >= at;
      assert_int_equal(s, reached ? BP_E_NOMEM : BP_OK);
      bp_free(ctx, bytes);
      tally_end(&t, ctx);
      if (!reached)
        break;
    }
}

static void refuses_to_write_nonsense(void **state)
{
  (void)state;
  static const int64_t negative[] = {-2}, cancels[] = {4194305, 4194305, 211106198978564};
  static const struct {
    const char *name;
    bp_tensor tensor;
    bp_status status;
  } rows[] = {
      {"no name", {NULL, BP_STORE_UINT8, 1, d3, bytes3, 3}, BP_E_ARG},
      {"reserved name", {"__metadata__", BP_STORE_UINT8, 1, d3, bytes3, 3}, BP_E_ARG},
      {"name not UTF-8", {"\xff", BP_STORE_UINT8, 1, d3, bytes3, 3}, BP_E_ARG},
      {"no dtype", {"a", BP_STORE_NONE, 1, d3, bytes3, 3}, BP_E_ARG},
      {"bad dtype", {"a", (bp_store)999, 1, d3, bytes3, 3}, BP_E_ARG},
      {"wrong bytes", {"a", BP_STORE_UINT8, 1, d3, bytes3, 4}, BP_E_ARG},
      {"no data", {"a", BP_STORE_UINT8, 1, d3, NULL, 3}, BP_E_ARG},
      {"6 negative", {"a", BP_STORE_UINT8, 1, negative, bytes3, 2}, BP_E_ARG},
      {"3 overflow that cancels", {"a", BP_STORE_UINT8, 3, cancels, bytes3, 4}, BP_E_ARG},
      {"9 dims", {"a", BP_STORE_UINT8, 9, d3, bytes3, 3}, BP_E_ARG},
      {"negative rank", {"a", BP_STORE_UINT8, -1, d3, bytes3, 3}, BP_E_ARG},
      {"a name twice", {"bias", BP_STORE_UINT8, 1, d3, bytes3, 3}, BP_E_EXISTS},
  };
  tally t;
  bp_ctx *ctx = tally_ctx(&t);
  void *bytes;
  size_t n;
  for (size_t i = 0; i < COUNT(rows); i++) {
    bp_tensor two[2] = {samples[3], rows[i].tensor};
    if (bp_tensors_encode(ctx, two, 2, NULL, 0, &bytes, &n) != rows[i].status)
      fail_msg("%s: %s", rows[i].name, bp_error());
  }
  const bp_meta twice[] = {{"k", "1"}, {"k", "2"}}, broken[] = {{"k", "\xc0"}}, missing[] = {{"k", NULL}};
  assert_int_equal(bp_tensors_encode(ctx, NULL, 0, twice, 2, &bytes, &n), BP_E_EXISTS);
  assert_int_equal(bp_tensors_encode(ctx, NULL, 0, broken, 1, &bytes, &n), BP_E_ARG);
  assert_int_equal(bp_tensors_encode(ctx, NULL, 0, missing, 1, &bytes, &n), BP_E_ARG);
  assert_int_equal(bp_tensors_encode(NULL, NULL, 0, NULL, 0, &bytes, &n), BP_E_ARG);
  tally_end(&t, ctx);
}

/* 31: brackets a million deep end at the first one that has no place there; nothing is put on the stack for them. */
static void nesting_needs_no_stack(void **state)
{
  (void)state;
  static const char *const starts[] = {"{\"a\":{\"shape\":", "{\"a\":", "{\"__metadata__\":{\"a\":"};
  enum { DEEP = 1000000 };
  char *header = malloc(DEEP), *file = malloc(DEEP + 8);
  for (size_t i = 0; i < 2 * COUNT(starts); i++) {
    memset(header, i % 2 ? '{' : '[', DEEP);
    memcpy(header, starts[i / 2], strlen(starts[i / 2]));
    size_t n = make_file(file, header, DEEP, 0);
    assert_int_equal(read_copy(read_tensors, file, n), BP_E_FORMAT);
  }
  free(header);
  free(file);
}

/* 30: 100,000 tensors, in shuffled order, are read in no more than n log n. */
static void many_tensors(void **state)
{
  (void)state;
  enum { N = 100000 };
  tally ta;
  bp_ctx *ctx = tally_ctx(&ta);
  bp_tensor *tensors = calloc(N, sizeof *tensors);
  char(*names)[16] = calloc(N, sizeof *names);
  for (int i = 0; i < N; i++) {
    sprintf(names[i], "t%d", i * 7919 % N);
    tensors[i] = (bp_tensor){names[i], BP_STORE_UINT8, 0, NULL, bytes3, 1};
  }
  void *bytes;
  size_t n;
  bp_source s;
  bp_tensors *t;
  assert_int_equal(bp_tensors_encode(ctx, tensors, N, NULL, 0, &bytes, &n), BP_OK);
  assert_int_equal(bp_source_memory(ctx, bytes, n, NULL, &s), BP_OK);
  size_t before = ta.bytes;
  ta.most = before;
  assert_int_equal(bp_tensors_read(ctx, &s, &t), BP_OK);
  assert_true(ta.most - before < 3 * n + (16 << 20));
  for (int i = 0; i < N; i++)
    assert_non_null(bp_tensors_find(t, names[i]));
  bp_source_close(&s);
  bp_tensors_free(t);
  bp_free(ctx, bytes);
  tally_end(&ta, ctx);
  free(tensors);
  free(names);
}

static void files_on_disk(void **state)
{
  (void)state;
  tally ta;
  bp_ctx *ctx = tally_ctx(&ta);
  bp_tensors *t;
  char *folder = make_folder(), path[128];
  snprintf(path, sizeof path, "%s/m.safetensors", folder);
  assert_int_equal(bp_tensors_save(ctx, path, samples, COUNT(samples), notes, COUNT(notes)), BP_OK);
  assert_int_equal(bp_tensors_load(ctx, path, &t), BP_OK);
  assert_is_sample(t);
  bp_tensors_free(t);
  assert_int_equal(bp_tensors_load(ctx, "/nonexistent", &t), BP_E_NOTFOUND);
  assert_int_equal(bp_tensors_save(ctx, folder, samples, 1, NULL, 0), BP_E_IO);
  unlink(path);
  rmdir(folder);
  tally_end(&ta, ctx);
}

/* ---- golden files ---- */

static size_t read_corpus(const char *name, char *out, size_t size)
{
  char path[512];
  snprintf(path, sizeof path, "%s/tests/fuzz/corpus/safetensors/%s", BPROP_SOURCE_DIR, name);
  FILE *f = fopen(path, "rb");
  assert_non_null(f);
  size_t n = fread(out, 1, size, f);
  fclose(f);
  return n;
}

/* Written by Hugging Face's safetensors 0.8 from NumPy arrays. */
static void a_file_of_the_python_package_is_read(void **state)
{
  (void)state;
  char file[2048];
  size_t n = read_corpus("numpy", file, sizeof file);
  tally ta;
  bp_ctx *ctx = tally_ctx(&ta);
  bp_source s;
  bp_tensors *t;
  assert_int_equal(bp_source_memory(ctx, file, n, NULL, &s), BP_OK);
  assert_int_equal(bp_tensors_read(ctx, &s, &t), BP_OK);
  bp_source_close(&s);
  assert_int_equal(bp_tensors_count(t), 5);
  const bp_tensor *w = bp_tensors_find(t, "w");
  float x[6];
  assert_true(w && w->store == BP_STORE_FLOAT32 && w->rank == 2 && w->dims[0] == 2 && w->dims[1] == 3);
  assert_int_equal(bp_convert(w->data, w->store, 6, BP_FLOAT32, x), BP_OK);
  for (int i = 0; i < 6; i++)
    assert_true(x[i] == (float)i);
  assert_string_equal(bp_tensors_meta(t, "k"), "v \"x\"\n");
  bp_tensors_free(t);
  tally_end(&ta, ctx);
}

/* The bytes of a file of ours, which that package was seen to read, are still the bytes that we write. */
static void our_bytes_have_not_changed(void **state)
{
  (void)state;
  const bp_tensor tensors[] = {{"u", BP_STORE_UINT8, 1, d3, bytes3, 3},
                               {"w", BP_STORE_FLOAT32, 2, d23, weights, 24},
                               {"b", BP_STORE_FLOAT64, 1, d2, bias, 16},
                               {"n", BP_STORE_INT64, 0, NULL, steps, 8},
                               {"f", BP_STORE_BOOL, 1, d2, bytes3, 2}};
  const bp_meta meta[] = {{"model", "x \"\xc3\xa9\"\n"}};
  char file[2048];
  size_t n = read_corpus("ours", file, sizeof file), size;
  tally ta;
  bp_ctx *ctx = tally_ctx(&ta);
  void *bytes;
  assert_int_equal(bp_tensors_encode(ctx, tensors, COUNT(tensors), meta, 1, &bytes, &size), BP_OK);
  assert_int_equal(size, n);
  assert_memory_equal(bytes, file, n);
  bp_free(ctx, bytes);
  tally_end(&ta, ctx);
}

/* ---- conversion of what files hold ---- */

static void elements_are_converted(void **state)
{
  (void)state;
  static const struct {
    bp_store store;
    uint64_t bits;
    bp_dtype to;
    bp_status status;
    double value; /* of reals; whole numbers as reals */
  } rows[] = {
      {BP_STORE_BOOL, 1, BP_FLOAT32, BP_OK, 1},
      {BP_STORE_UINT8, 255, BP_FLOAT32, BP_OK, 255},
      {BP_STORE_INT8, 0x80, BP_FLOAT64, BP_OK, -128},
      {BP_STORE_UINT16, 0xffff, BP_INT64, BP_OK, 65535},
      {BP_STORE_INT16, 0xffff, BP_INT64, BP_OK, -1},
      {BP_STORE_UINT32, 0xffffffff, BP_FLOAT64, BP_OK, 4294967295.0},
      {BP_STORE_INT32, 0xfffffffe, BP_FLOAT32, BP_OK, -2},
      {BP_STORE_UINT64, UINT64_MAX, BP_FLOAT64, BP_OK, 0x1p64},
      {BP_STORE_UINT64, UINT64_MAX, BP_INT64, BP_E_RANGE, 0},
      {BP_STORE_UINT64, INT64_MAX, BP_INT64, BP_OK, 0x1p63},
      {BP_STORE_INT64, 0x4000000000000001 + 0x2000000000, BP_FLOAT32, BP_OK,
       0x1p62}, /* rounds once, not twice */
      {BP_STORE_INT64, (uint64_t)INT64_MIN, BP_FLOAT64, BP_OK, -0x1p63},
      {BP_STORE_FLOAT16, 0x3c00, BP_FLOAT32, BP_OK, 1},
      {BP_STORE_FLOAT16, 0xc500, BP_FLOAT64, BP_OK, -5},
      {BP_STORE_FLOAT16, 0x0001, BP_FLOAT32, BP_OK, 0x1p-24},
      {BP_STORE_FLOAT16, 0x83ff, BP_FLOAT32, BP_OK, -1023 * 0x1p-24},
      {BP_STORE_FLOAT16, 0x7bff, BP_FLOAT32, BP_OK, 65504},
      {BP_STORE_FLOAT16, 0xfc00, BP_FLOAT32, BP_OK, -INFINITY},
      {BP_STORE_FLOAT16, 0x7e00, BP_FLOAT32, BP_OK, NAN},
      {BP_STORE_BFLOAT16, 0x3f80, BP_FLOAT32, BP_OK, 1},
      {BP_STORE_BFLOAT16, 0xc0a0, BP_FLOAT64, BP_OK, -5},
      {BP_STORE_FLOAT32, 0x40490fdb, BP_FLOAT64, BP_OK, 3.1415927410125732},
      {BP_STORE_FLOAT32, 0x40400000, BP_INT64, BP_OK, 3},
      {BP_STORE_FLOAT32, 0x40490fdb, BP_INT64, BP_E_RANGE, 0},
      {BP_STORE_FLOAT32, 0x7fc00000, BP_INT64, BP_E_RANGE, 0},
      {BP_STORE_FLOAT64, 0x43e0000000000000, BP_INT64, BP_E_RANGE, 0},
      {BP_STORE_FLOAT64, 0xc3e0000000000000, BP_INT64, BP_OK, -0x1p63},
      {BP_STORE_FLOAT64, 0x3ff0000000000000, BP_BOOL, BP_OK, 1},
      {BP_STORE_INT8, 2, BP_BOOL, BP_E_RANGE, 0},
      {BP_STORE_INT8, 0xff, BP_BOOL, BP_E_RANGE, 0},
      {BP_STORE_FLOAT8_E4M3, 0, BP_FLOAT32, BP_E_UNSUPPORTED, 0},
      {BP_STORE_FLOAT4, 0, BP_FLOAT32, BP_E_UNSUPPORTED, 0},
      {BP_STORE_UINT8, 0, BP_REAL, BP_E_DTYPE, 0},
      {BP_STORE_UINT8, 0, (bp_dtype)99, BP_E_DTYPE, 0},
      {(bp_store)99, 0, BP_FLOAT32, BP_E_UNSUPPORTED, 0},
  };
  for (size_t i = 0; i < COUNT(rows); i++) {
    unsigned char in[9] = {0};
    union {
      float f;
      double d;
      int64_t i;
      bool b;
    } out = {.i = 0};
    for (size_t b = 0; b < 8; b++)
      in[1 + b] =
          (unsigned char)(rows[i].bits >> 8 * b); /* not aligned; this test's machine is little-endian */
    if (bp_convert(in + 1, rows[i].store, 1, rows[i].to, &out) != rows[i].status)
      fail_msg("row %zu: %s", i, bp_error());
    if (rows[i].status != BP_OK)
      continue;
    double x = rows[i].to == BP_FLOAT32   ? (double)out.f
               : rows[i].to == BP_FLOAT64 ? out.d
               : rows[i].to == BP_INT64   ? (double)out.i
                                          : (double)out.b;
    if (x != rows[i].value && !(isnan(x) && isnan(rows[i].value)))
      fail_msg("row %zu: %.17g", i, x);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reads_what_is_right),
      cmocka_unit_test(refuses_what_is_wrong),
      cmocka_unit_test(refuses_wrong_lengths),
      cmocka_unit_test(a_claim_costs_what_is_there),
      cmocka_unit_test(what_is_written_is_read),
      cmocka_unit_test(damage_is_found),
      cmocka_unit_test(writing_fails_cleanly_without_memory),
      cmocka_unit_test(refuses_to_write_nonsense),
      cmocka_unit_test(nesting_needs_no_stack),
      cmocka_unit_test(many_tensors),
      cmocka_unit_test(files_on_disk),
      cmocka_unit_test(a_file_of_the_python_package_is_read),
      cmocka_unit_test(our_bytes_have_not_changed),
      cmocka_unit_test(elements_are_converted),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
