/* Model files: round trips, damage, descriptions that lie. */
#include "support/files.h"
#include "support/plain_model.h"
#include "support/training.h"
#include "train/net.h"

#include <sys/stat.h>

/* ---- nets to save ---- */

typedef enum shape { CLASSES, VALUES, LINEAR, DEEP, SHAPES } shape;

/* Two inputs a, b; hidden layers of 3; names that need escapes. Trained a little, so that every tensor is its own. */
static bp_net *small_net(bp_ctx *ctx, shape kind, bp_dtype real)
{
  static const char csv[] =
      "\"a \"\"1\"\"\",\"b\\\",\"\xc3\xa4\n\"\n0,5,low\n1,4,low\n9,5,high\n8,3,high\n0,-5,low\n";
  bp_source source;
  bp_table *t = NULL;
  SUCCEEDS(bp_source_memory(ctx, csv, sizeof csv - 1, "test.csv", &source));
  SUCCEEDS(bp_csv_read(ctx, &source, NULL, &t));
  bp_source_close(&source);
  bp_data *d = kind == VALUES || kind == LINEAR
                   ? linear_data(ctx)
                   : bp_data_from_table(ctx, t, &(bp_data_options){.target = "\xc3\xa4\n"});
  if (!d)
    fail_msg("%s", bp_error());
  bp_net_options o = {.hidden = {3}, .real = real, .activation = kind == DEEP ? "maxout(2)" : "tanh"};
  if (kind == LINEAR)
    o.hidden[0] = -1;
  if (kind == DEEP)
    memcpy(o.hidden, (int64_t[]){4, 6, 2}, 3 * sizeof *o.hidden);
  bp_net *net = make_net(ctx, d, &o);
  SUCCEEDS(bp_net_train(net, d, &(bp_train_options){.epochs = 2}, NULL));
  bp_table_free(t);
  bp_data_free(d);
  return net;
}

static bp_status read_net(bp_ctx *ctx, bp_source *source)
{
  bp_net *net = (bp_net *)source; /* must be overwritten */
  bp_status s = bpi_net_read(ctx, source, &net);
  float x[10 * 8] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, out[10 * 8];
  assert_int_equal(s == BP_OK, net != NULL);
  /* What was taken must also work. */
  if (net && bp_net_inputs(net) <= 8 && bp_net_outputs(net) <= 8)
    assert_int_equal(bp_net_predict(net, x, 10, out), BP_OK);
  bp_net_free(net);
  return s;
}

static bp_net *load_from(bp_ctx *ctx, const void *bytes, size_t n)
{
  bp_source source;
  bp_net *net;
  SUCCEEDS(bp_source_memory(ctx, bytes, n, "test.model", &source));
  SUCCEEDS(bpi_net_read(ctx, &source, &net));
  bp_source_close(&source);
  return net;
}

/* ---- round trips ---- */

static void saved_and_loaded_is_the_same(void **state)
{
  (void)state;
  for (int kind = 0; kind < SHAPES; kind++)
    for (int wide = 0; wide < 2; wide++) {
      tally t;
      bp_ctx *ctx = tally_ctx(&t);
      bp_net *net = small_net(ctx, (shape)kind, wide ? BP_FLOAT64 : BP_FLOAT32);
      char path[64];
      bp_status s = BP_E_INTERNAL;
      temporary_path(path);
      SUCCEEDS(bp_net_save(net, path));
      bp_net *again = bp_net_load(ctx, path, &s);
      assert_int_equal(s, BP_OK);
      assert_non_null(again);
      size_t n[2];
      char *first = file_bytes(path, &n[0]), *second = saved_bytes(again, &n[1]);
      assert_int_equal(n[0], n[1]);
      assert_memory_equal(first, second, n[0]);
      float x[300], y[2][300];
      for (int i = 0; i < 300; i++)
        x[i] = (float)sin(i) * 10;
      memset(y, 0, sizeof y);
      SUCCEEDS(bp_net_predict(net, x, 150, y[0]));
      SUCCEEDS(bp_net_predict(again, x, 150, y[1]));
      assert_memory_equal(y[0], y[1], sizeof y[0]);
      assert_string_equal(bp_net_summary(net), bp_net_summary(again));
      assert_string_equal(bp_net_target(net), bp_net_target(again));
      assert_int_equal(bp_net_classes(net), bp_net_classes(again));
      for (int i = 0; i < 2; i++) {
        assert_string_equal(bp_net_class_name(net, i), bp_net_class_name(again, i));
        assert_string_equal(bp_net_col_name(net, i), bp_net_col_name(again, i));
      }
      if (kind == CLASSES) {
        assert_string_equal(bp_net_col_name(again, 0), "a \"1\"");
        assert_string_equal(bp_net_col_name(again, 1), "b\\");
        assert_string_equal(bp_net_target(again), "\xc3\xa4\n");
        assert_string_equal(bp_net_class_name(again, 1), "low");
      }
      /* And it can be trained on. */
      if (kind == VALUES || kind == LINEAR) {
        bp_data *d = linear_data(ctx);
        SUCCEEDS(bp_net_train(again, d, &(bp_train_options){.epochs = 1}, NULL));
        bp_data_free(d);
      }
      unlink(path);
      free(first);
      free(second);
      bp_net_free(net);
      bp_net_free(again);
      tally_end(&t, ctx);
    }
}

static void weights_that_are_not_finite_are_not_saved(void **state)
{
  bp_net *net = small_net(*state, CLASSES, BP_FLOAT32);
  char path[64];
  temporary_path(path);
  unlink(path);
  void *data;
  SUCCEEDS(bp_params_at(bp_net_params(net), 0, NULL, NULL, &data, NULL));
  ((float *)data)[2] = NAN;
  assert_int_equal(bp_net_save(net, path), BP_E_NOTFINITE);
  assert_int_not_equal(access(path, F_OK), 0);
  bp_net_free(net);
}

static void files_that_are_no_models(void **state)
{
  char csv[512], folder[64];
  snprintf(csv, sizeof csv, "%s/data/iris.csv", BPROP_SOURCE_DIR);
  snprintf(folder, sizeof folder, "/tmp/bprop-test-XXXXXX");
  assert_non_null(mkdtemp(folder));
  const struct {
    const char *path;
    bp_status status;
  } table[] = {{csv, BP_E_FORMAT},
               {"/no/such/model", BP_E_NOTFOUND},
               {folder, BP_E_IO},
               {"/dev/null", BP_E_FORMAT},
               {"", BP_E_NOTFOUND}};
  for (size_t i = 0; i < COUNT(table); i++) {
    bp_status s = BP_OK;
    assert_null(bp_net_load(*state, table[i].path, &s));
    if (s != table[i].status || !strstr(bp_error(), table[i].path))
      fail_msg("%s: %s: %s", table[i].path, bp_status_name(s), bp_error());
  }
  bp_net *net = small_net(*state, LINEAR, BP_FLOAT32);
  assert_int_equal(bp_net_save(net, folder), BP_E_IO);
  assert_int_equal(bp_net_save(net, "/no/such/folder/model"), BP_E_IO);
  bp_net_free(net);
  rmdir(folder);
}

/* ---- damage ---- */

static bp_tensors *parts_of(bp_ctx *ctx, const void *bytes, size_t n)
{
  bp_source source;
  bp_tensors *t = NULL;
  SUCCEEDS(bp_source_memory(ctx, bytes, n, "test.model", &source));
  SUCCEEDS(bp_tensors_read(ctx, &source, &t));
  bp_source_close(&source);
  return t;
}

/* Row 66, truncated at every byte, and row 67, every bit flipped: with the checksum always refused; without it never a crash, and what is
 * taken works. */
static void truncated_anywhere_and_every_bit_flipped(void **state)
{
  for (int kind = 0; kind < SHAPES; kind++) {
    bp_net *net = small_net(*state, (shape)kind, BP_FLOAT32);
    size_t n[2];
    char *bytes[2] = {saved_bytes(net, &n[0]), NULL};
    bp_tensors *t = parts_of(*state, bytes[0], n[0]);
    bytes[1] = plain_file(t, &n[1]);
    assert_int_equal(read_copy(read_net, bytes[1], n[1]),
                     BP_OK); /* so that refusals below have their own reason */
    for (int plain = 0; plain < 2; plain++) {
      truncate_everywhere(read_net, bytes[plain], n[plain]);
      size_t header = 8 + (unsigned char)bytes[plain][0] + 256u * (unsigned char)bytes[plain][1];
      assert_true(header > 200 && header < n[plain]);
      for (size_t i = 0; i < header; i++)
        for (int bit = 0; bit < 8; bit++) {
          bytes[plain][i] = (char)(bytes[plain][i] ^ 1 << bit);
          bp_status s = read_copy(read_net, bytes[plain], n[plain]);
          bytes[plain][i] = (char)(bytes[plain][i] ^ 1 << bit);
          if (s == BP_OK && !plain)
            fail_msg("kind %d: bit %d of byte %zu flipped was taken", kind, bit, i);
          if (s != BP_OK)
            assert_true(s == BP_E_FORMAT || s == BP_E_MISMATCH || s == BP_E_UNSUPPORTED || s == BP_E_LIMIT);
        }
    }
    bp_tensors_free(t);
    free(bytes[0]);
    free(bytes[1]);
    bp_net_free(net);
  }
}

/* ---- lies ---- */

/* What is done to the parts of a good file before it is put together again, with a good checksum. */
typedef struct lie {
  const char *description; /* NULL: as it was; "": none */
  const char *version;     /* likewise */
  const char *tensor;      /* this one is changed: */
  enum { KEEP, DROP, RENAME, BAD_VALUE, RESHAPE, AS_INT } change;
  double value;
  bp_status status;
  const char *says;
} lie;

#define D(inputs, outputs, classify, image, wide, hidden, rest)                               \
  "{\"inputs\":" inputs ",\"outputs\":" outputs ",\"classify\":" classify ",\"image\":" image \
  ",\"wide\":" wide ",\"hidden\":[" hidden "],\"activation\":" rest "}"
#define GOOD_END      "\"tanh\",\"columns\":[\"a\",\"b\"],\"classes\":[\"n\",\"p\"]"
#define GOOD          D("2", "2", "1", "0", "0", "3", GOOD_END)
#define CHANGED(rest) D("2", "2", "1", "0", "0", "3", rest)
#define WRONG         "the description of the network is wrong: "

static const lie lies[] = {
    /* No lie: these must be taken, or the refusals below mean nothing. */
    {.status = BP_OK},
    {GOOD, .status = BP_OK},
    {GOOD "  \n", .status = BP_OK},
    {CHANGED("\"relu\""), .status = BP_OK},
    {CHANGED("\"relu\",\"target\":\"\""), .status = BP_OK},
    {D("2", "2", "1", "1", "1", "3", GOOD_END), .status = BP_OK},
    /* Not the grammar. */
    {"", .status = BP_E_FORMAT, .says = "not a model of bprop"},
    {.version = "", .status = BP_E_FORMAT, .says = "not a model of bprop"},
    {.version = "3", .status = BP_E_UNSUPPORTED, .says = "version 3; this bprop reads versions 1 and 2"},
    {.version = "1 ", .status = BP_E_UNSUPPORTED, .says = "version 1 ;"},
    {"{", .status = BP_E_FORMAT, .says = WRONG},
    {"{}", .status = BP_E_FORMAT, .says = WRONG},
    {"[]", .status = BP_E_FORMAT, .says = WRONG "'{' is expected"},
    {"null", .status = BP_E_FORMAT, .says = WRONG},
    {GOOD "}", .status = BP_E_FORMAT, .says = "something follows"},
    {GOOD GOOD, .status = BP_E_FORMAT, .says = "something follows"},
    {"{\"inputs\":2}", .status = BP_E_FORMAT, .says = "a key is missing"},
    {"{\"inputs\":2,\"inputs\":2}", .status = BP_E_FORMAT, .says = "a key stands twice"},
    {CHANGED("\"relu\",\"activation\":\"tanh\""), .status = BP_E_FORMAT, .says = "a key stands twice"},
    {CHANGED("\"relu\",\"hidden\":[3]"), .status = BP_E_FORMAT, .says = "a key stands twice"},
    {CHANGED(GOOD_END ",\"columns\":[\"a\",\"b\"]"), .status = BP_E_FORMAT, .says = "a key stands twice"},
    {CHANGED(GOOD_END ",\"classes\":[\"a\",\"b\"]"), .status = BP_E_FORMAT, .says = "a key stands twice"},
    {CHANGED("\"relu\",\"target\":\"a\",\"target\":\"b\""), .status = BP_E_FORMAT,
     .says = "a key stands twice"},
    {CHANGED("\"relu\",\"dropout\":1"), .status = BP_E_FORMAT, .says = "a key is unknown"},
    {CHANGED("\"relu\",\"\":1"), .status = BP_E_FORMAT, .says = "a key is unknown"},
    {CHANGED("\"relu\",\"columns\":[]"), .status = BP_E_FORMAT, .says = "a string is expected"},
    {CHANGED("\"relu\",\"columns\":[\"a\",[\"b\"]]"), .status = BP_E_FORMAT, .says = "a string is expected"},
    {CHANGED("\"relu\",\"columns\":{\"a\":1}"), .status = BP_E_FORMAT, .says = "'[' is expected"},
    {CHANGED("[[[[[[[[[[[[[["), .status = BP_E_FORMAT, .says = "a string is expected"},
    {CHANGED("{\"relu\":{\"relu\":{}}}"), .status = BP_E_FORMAT, .says = "a string is expected"},
    {CHANGED("3"), .status = BP_E_FORMAT, .says = "a string is expected"},
    {CHANGED("\"\\u0000\""), .status = BP_E_FORMAT, .says = "\\u0000"},
    /* Numbers. */
    {D("-2", "2", "1", "0", "0", "3", GOOD_END), .status = BP_E_FORMAT, .says = "whole number"},
    {D("2.0", "2", "1", "0", "0", "3", GOOD_END), .status = BP_E_FORMAT, .says = "whole number"},
    {D("2e0", "2", "1", "0", "0", "3", GOOD_END), .status = BP_E_FORMAT, .says = "whole number"},
    {D("\"2\"", "2", "1", "0", "0", "3", GOOD_END), .status = BP_E_FORMAT, .says = "whole number"},
    {D("99999999999999999999", "2", "1", "0", "0", "3", GOOD_END), .status = BP_E_FORMAT,
     .says = "too large"},
    {D("9223372036854775807", "2", "1", "0", "0", "3", GOOD_END), .status = BP_E_FORMAT, .says = "inputs"},
    {D("0", "2", "1", "0", "0", "3", "\"tanh\""), .status = BP_E_FORMAT, .says = "no inputs"},
    {D("2", "0", "1", "0", "0", "3", "\"tanh\""), .status = BP_E_FORMAT, .says = "no outputs"},
    {D("3", "2", "1", "0", "0", "3", "\"tanh\""), .status = BP_E_FORMAT, .says = "input.mean"},
    {D("2", "1", "1", "0", "0", "3", "\"tanh\""), .status = BP_E_FORMAT, .says = "one class only"},
    {D("2", "3", "1", "0", "0", "3", "\"tanh\""), .status = BP_E_MISMATCH, .says = "'layer2.W'"},
    {D("2", "9223372036854775807", "1", "0", "0", "3", "\"tanh\""), .status = BP_E_FORMAT, .says = WRONG},
    {D("2", "1000000", "1", "0", "0", "3", "\"tanh\""), .status = BP_E_MISMATCH, .says = "'layer2.W'"},
    {D("2", "2", "2", "0", "0", "3", "\"tanh\""), .status = BP_E_FORMAT, .says = "neither 0 nor 1"},
    {D("2", "2", "1", "7", "0", "3", "\"tanh\""), .status = BP_E_FORMAT, .says = "neither 0 nor 1"},
    {D("2", "2", "1", "0", "4294967297", "3", "\"tanh\""), .status = BP_E_FORMAT, .says = "neither 0 nor 1"},
    {D("2", "2", "1", "0", "0", "4", "\"tanh\""), .status = BP_E_MISMATCH, .says = "'layer1.W'"},
    {D("2", "2", "1", "0", "0", "3,3", "\"tanh\""), .status = BP_E_MISMATCH, .says = "'layer2.W'"},
    {D("2", "2", "1", "0", "0", "", "\"tanh\""), .status = BP_E_MISMATCH, .says = "'layer1.W'"},
    {D("2", "2", "1", "0", "0", "0", "\"tanh\""), .status = BP_E_FORMAT,
     .says = "hidden width is out of range"},
    {D("2", "2", "1", "0", "0", "10000001", "\"tanh\""), .status = BP_E_FORMAT, .says = "out of range"},
    {D("2", "2", "1", "0", "0", "10000000,10000000", "\"tanh\""), .status = BP_E_MISMATCH,
     .says = "'layer1.W'"},
    {D("2", "2", "1", "0", "0", "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1", "\"tanh\""), .status = BP_E_FORMAT,
     .says = "more hidden layers than 16"},
    {D("2", "2", "1", "0", "0", "[3]", "\"tanh\""), .status = BP_E_FORMAT, .says = "whole number"},
    /* Names. */
    {CHANGED("\"tanh\",\"columns\":[\"a\"]"), .status = BP_E_FORMAT, .says = "more or fewer"},
    {CHANGED("\"tanh\",\"columns\":[\"a\",\"b\",\"c\"]"), .status = BP_E_FORMAT, .says = "more or fewer"},
    {CHANGED("\"tanh\",\"classes\":[\"a\",\"b\",\"c\"]"), .status = BP_E_FORMAT, .says = "more or fewer"},
    {D("2", "2", "0", "0", "0", "3", GOOD_END), .status = BP_E_FORMAT, .says = "more or fewer"},
    {D("2", "2", "0", "0", "0", "3", "\"tanh\""), .status = BP_E_MISMATCH, .says = "no tensor 'target.mean'"},
    {CHANGED("\"rellu\""), .status = BP_E_FORMAT, .says = "'rellu' is no activation"},
    {CHANGED("\"%n%s\""), .status = BP_E_FORMAT, .says = "'%n%s' is no activation"},
    {CHANGED("\"maxout(3)\""), .status = BP_E_MISMATCH, .says = "'layer2.W'"},
    {CHANGED("\"maxout(2)\""), .status = BP_E_FORMAT, .says = WRONG},
    {CHANGED("\"maxout(1000000000)\""), .status = BP_E_FORMAT, .says = WRONG},
    /* Tensors. */
    {.tensor = "layer1.W", .change = DROP, .status = BP_E_MISMATCH, .says = "no tensor 'layer1.W'"},
    {.tensor = "layer1.b", .change = DROP, .status = BP_E_MISMATCH, .says = "no tensor 'layer1.b'"},
    {.tensor = "layer2.b", .change = RENAME, .status = BP_E_MISMATCH, .says = "no tensor 'layer2.b'"},
    {.tensor = "input.mean", .change = DROP, .status = BP_E_FORMAT, .says = "input.mean"},
    {.tensor = "input.scale", .change = DROP, .status = BP_E_MISMATCH, .says = "no tensor 'input.scale'"},
    {.tensor = "layer1.W",
     .change = RESHAPE,
     .status = BP_E_MISMATCH,
     .says = "'layer1.W' has another shape"},
    {.tensor = "layer2.W",
     .change = RESHAPE,
     .status = BP_E_MISMATCH,
     .says = "'layer2.W' has another shape"},
    {.tensor = "input.scale",
     .change = RESHAPE,
     .status = BP_E_MISMATCH,
     .says = "'input.scale' has another shape"},
    {.tensor = "layer1.W",
     .change = AS_INT,
     .status = BP_E_MISMATCH,
     .says = "'layer1.W' has another shape or element"},
    {.tensor = "input.scale", .change = AS_INT, .status = BP_E_MISMATCH, .says = "'input.scale'"},
    {.tensor = "input.scale",
     .change = BAD_VALUE,
     .value = (double)NAN,
     .status = BP_E_FORMAT,
     .says = "'input.scale' holds NaN"},
    {.tensor = "input.scale",
     .change = BAD_VALUE,
     .value = (double)INFINITY,
     .status = BP_E_FORMAT,
     .says = "'input.scale'"},
    {.tensor = "input.scale", .change = BAD_VALUE, .value = -1, .status = BP_E_FORMAT, .says = "negative"},
    {.tensor = "input.mean",
     .change = BAD_VALUE,
     .value = (double)NAN,
     .status = BP_E_FORMAT,
     .says = "'input.mean'"},
    {.tensor = "input.mean", .change = BAD_VALUE, .value = -1, .status = BP_OK},
    {.tensor = "layer1.W",
     .change = BAD_VALUE,
     .value = (double)NAN,
     .status = BP_E_FORMAT,
     .says = "'layer1.W'"},
    {.tensor = "layer2.b",
     .change = BAD_VALUE,
     .value = -(double)INFINITY,
     .status = BP_E_FORMAT,
     .says = "'layer2.b'"},
};

/* The parts changed as the lie says, put together. */
static void *tell(bp_ctx *ctx, const bp_tensors *t, const lie *l, size_t *size)
{
  bp_tensor list[16];
  bp_meta meta[2];
  size_t n = 0, n_meta = 0;
  float values[64];
  int64_t flat[2] = {1, 0};
  const char *description = l->description ? l->description : bp_tensors_meta(t, "bprop.net");
  const char *version = l->version ? l->version : bp_tensors_meta(t, "bprop.version");
  if (*description)
    meta[n_meta++] = (bp_meta){"bprop.net", description};
  if (*version)
    meta[n_meta++] = (bp_meta){"bprop.version", version};
  for (size_t i = 0; i < bp_tensors_count(t); i++) {
    bp_tensor x = *bp_tensors_at(t, i);
    if (l->tensor && strcmp(x.name, l->tensor) == 0) {
      if (l->change == DROP)
        continue;
      if (l->change == RENAME)
        x.name = "something";
      if (l->change == AS_INT)
        x.store = BP_STORE_INT32;
      if (l->change == RESHAPE) {
        flat[1] = (int64_t)(x.bytes / 4);
        x.dims = x.rank == 1 ? flat : flat + 1;
        x.rank = x.rank == 1 ? 2 : 1;
      }
      if (l->change == BAD_VALUE) {
        memcpy(values, x.data, x.bytes);
        values[1] = (float)l->value;
        x.data = values;
      }
    }
    list[n++] = x;
  }
  void *bytes = NULL;
  SUCCEEDS(bp_tensors_encode(ctx, list, n, meta, n_meta, &bytes, size));
  return bytes;
}

static void descriptions_that_lie(void **state)
{
  bp_net *net = small_net(*state, CLASSES, BP_FLOAT32);
  size_t n;
  char *bytes = saved_bytes(net, &n);
  bp_tensors *t = parts_of(*state, bytes, n);
  for (size_t i = 0; i < COUNT(lies); i++) {
    size_t size;
    void *told = tell(*state, t, &lies[i], &size);
    bp_status s = read_copy(read_net, told, size);
    if (s != lies[i].status ||
        (s != BP_OK && (!strstr(bp_error(), lies[i].says) || !strstr(bp_error(), "test"))))
      fail_msg("row %zu: %s: %s (expected %s)", i, bp_status_name(s), bp_error(),
               bp_status_name(lies[i].status));
    bp_free(*state, told);
  }
  bp_tensors_free(t);
  free(bytes);
  bp_net_free(net);
}

static void targets_scales_are_checked(void **state)
{
  bp_net *net = small_net(*state, VALUES, BP_FLOAT32);
  size_t n;
  char *bytes = saved_bytes(net, &n);
  bp_tensors *t = parts_of(*state, bytes, n);
  static const lie table[] = {
      {.tensor = "target.scale", .change = DROP, .status = BP_E_MISMATCH, .says = "'target.scale'"},
      {.tensor = "target.mean", .change = RESHAPE, .status = BP_E_MISMATCH, .says = "'target.mean'"},
  };
  for (size_t i = 0; i < COUNT(table); i++) {
    size_t size;
    void *told = tell(*state, t, &table[i], &size);
    assert_int_equal(read_copy(read_net, told, size), table[i].status);
    assert_non_null(strstr(bp_error(), table[i].says));
    bp_free(*state, told);
  }
  bp_tensors_free(t);
  free(bytes);
  bp_net_free(net);
}

/* ---- memory ---- */

/* Biases as wide as claimed, matrices that are not: the network would take 400 MB, the file 240 kB. */
static void memory_follows_the_file_not_the_description(void **state)
{
  enum { WIDE = 10000 };
  static float zeros[2 * WIDE], ones[2 * WIDE];
  for (int i = 0; i < 2 * WIDE; i++)
    ones[i] = 1;
  const int64_t two = 2, wide = WIDE, w1[2] = {WIDE, 2}, w2[2] = {WIDE, 1}, w3[2] = {2, WIDE};
  const bp_tensor list[] = {
      {"input.mean", BP_STORE_FLOAT32, 1, &two, zeros, 8},
      {"input.scale", BP_STORE_FLOAT32, 1, &two, ones, 8},
      {"layer1.W", BP_STORE_FLOAT32, 2, w1, zeros, 8 * WIDE},
      {"layer1.b", BP_STORE_FLOAT32, 1, &wide, zeros, 4 * WIDE},
      {"layer2.W", BP_STORE_FLOAT32, 2, w2, zeros, 4 * WIDE},
      {"layer2.b", BP_STORE_FLOAT32, 1, &wide, zeros, 4 * WIDE},
      {"layer3.W", BP_STORE_FLOAT32, 2, w3, zeros, 8 * WIDE},
      {"layer3.b", BP_STORE_FLOAT32, 1, &two, zeros, 8},
  };
  const bp_meta meta[] = {{"bprop.version", "1"},
                          {"bprop.net", D("2", "2", "1", "0", "0", "10000,10000", "\"relu\"")}};
  void *bytes;
  size_t n;
  SUCCEEDS(bp_tensors_encode(*state, list, COUNT(list), meta, 2, &bytes, &n));
  tally t;
  bp_ctx *ctx = tally_ctx(&t);
  assert_int_equal(read_from(ctx, read_net, bytes, n), BP_E_MISMATCH);
  assert_non_null(strstr(bp_error(), "'layer2.W' has another shape"));
  assert_true(t.most <= n + (16 << 20));
  tally_end(&t, ctx);
  bp_free(*state, bytes);
}

static void memory_of_an_honest_file(void **state)
{
  (void)state;
  enum { IN = 2000, ROWS = 4 };
  tally t;
  bp_ctx *ctx = tally_ctx(&t);
  float *x = calloc(IN * ROWS, sizeof *x);
  x[3] = 1;
  bp_data *d = bp_data_new(ctx, ROWS, IN, x, (int64_t[ROWS]){0, 1, 0, 1}, NULL, 0);
  bp_net *net = make_net(ctx, d, &(bp_net_options){.hidden = {1500}});
  size_t n;
  char *bytes = saved_bytes(net, &n);
  assert_true(n > 4 * IN * 1500);
  bp_net_free(net);
  bp_data_free(d);
  t.most = t.bytes;
  net = load_from(ctx, bytes, n);
#ifdef BPI_DEBUG
  const size_t verifier = 4 * n; /* debug builds keep a word for each byte of the state */
#else
  const size_t verifier = 0;
#endif
  assert_true(t.most <= 2 * n + verifier + (16 << 20)); /* the file, and the network made of it */
  bp_net_free(net);
  free(bytes);
  free(x);
  tally_end(&t, ctx);
}

/* ---- files of an older version ---- */

enum { OLD_ROWS = 3 };

/* tests/models/version1-*.safetensors were written by the library as it was at commit c5739e9, from rows of data/iris.csv, and of wine.csv (alcohol, of the
 * four columns behind it); these are its own predictions of the rows numbered 1, 61 and 121. */
static const struct old_model {
  const char *name, *summary;
  float x[OLD_ROWS * 4], want[OLD_ROWS * 3];
} old_models[] = {
#define IRIS                                                      \
  {                                                               \
    5.1f, 3.5f, 1.4f, 0.2f, 5, 2, 3.5f, 1, 6.9f, 3.2f, 5.7f, 2.3f \
  }
    {"classes",
     "4-4-3-3 tanh",
     IRIS,
     {0.699178994f, 0.142925367f, 0.157895654f, 0.120388702f, 0.448342949f, 0.431268364f, 0.107533172f,
      0.454097778f, 0.438369036f}},
    {"linear",
     "4-3",
     IRIS,
     {0.777620316f, 0.202462927f, 0.0199167766f, 0.0858485922f, 0.560070932f, 0.354080439f, 0.0837492719f,
      0.126829445f, 0.78942126f}},
    {"number",
     "4-2-1 maxout(2)",
     {1.71f, 2.43f, 15.6f, 127, 1.1f, 2.28f, 16, 101, 2.4f, 2.42f, 20, 96},
     {13.0665855f, 12.9557838f, 12.9956446f}},
};

static bp_net *load_model(bp_ctx *ctx, const char *path)
{
  bp_status s;
  bp_net *net = bp_net_load(ctx, path, &s);
  if (!net)
    fail_msg("%s: %s", path, bp_error());
  return net;
}

/* They load, predict what they did, and say the same bits when they were saved anew. */
static void old_files_predict_as_they_did(void **state)
{
  bp_ctx *ctx = *state;
  for (size_t i = 0; i < COUNT(old_models); i++) {
    const struct old_model *m = &old_models[i];
    char path[512], again[] = "/tmp/bprop-test-XXXXXX";
    float out[OLD_ROWS * 3], same[OLD_ROWS * 3];
    snprintf(path, sizeof path, "%s/tests/models/version1-%s.safetensors", BPROP_SOURCE_DIR, m->name);
    bp_net *net = load_model(ctx, path);
    int64_t n = bp_net_outputs(net) * OLD_ROWS;
    assert_string_equal(bp_net_summary(net), m->summary);
    SUCCEEDS(bp_net_predict(net, m->x, OLD_ROWS, out));
    for (int64_t k = 0; k < n; k++)
      if (!(fabsf(out[k] - m->want[k]) <= 2e-6f * fabsf(m->want[k])))
        fail_msg("%s: prediction %lld is %.9g, not %.9g", m->name, (long long)k, (double)out[k],
                 (double)m->want[k]);
    int fd = mkstemp(again);
    assert_true(fd >= 0);
    close(fd);
    SUCCEEDS(bp_net_save(net, again));
    bp_net_free(net);
    net = load_model(ctx, again);
    SUCCEEDS(bp_net_predict(net, m->x, OLD_ROWS, same));
    assert_memory_equal(out, same, (size_t)n * sizeof *out);
    bp_net_free(net);
    unlink(again);
  }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, fresh_ctx, free_ctx)
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(saved_and_loaded_is_the_same),
      TEST(old_files_predict_as_they_did),
      TEST(weights_that_are_not_finite_are_not_saved),
      TEST(files_that_are_no_models),
      TEST(truncated_anywhere_and_every_bit_flipped),
      TEST(descriptions_that_lie),
      TEST(targets_scales_are_checked),
      TEST(memory_follows_the_file_not_the_description),
      cmocka_unit_test(memory_of_an_honest_file),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
