/* Event files of TensorBoard, read back here by the letter of their formats; disks that fill up; no memory. */
#include "support/failing.h"
#include "support/training.h"

#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

static char folder[64];

static int make_folder(void **state)
{
  strcpy(folder, "/tmp/bprop-events-XXXXXX");
  return !mkdtemp(folder) || fresh_ctx(state);
}

/* All files of the folder and of the folder "runs" in it. */
static void empty_folder(const char *path)
{
  DIR *d = opendir(path);
  for (struct dirent *e; d && (e = readdir(d));) {
    char name[512];
    snprintf(name, sizeof name, "%s/%s", path, e->d_name);
    if (e->d_name[0] != '.' && unlink(name)) {
      empty_folder(name);
      rmdir(name);
    }
  }
  if (d)
    closedir(d);
}

static int drop_folder(void **state)
{
  empty_folder(folder);
  rmdir(folder);
  return free_ctx(state);
}

/* ---- reading back ---- */

/* CRC-32C bit by bit (RFC 3720, appendix B.4: polynomial 0x1EDC6F41, here reflected), masked as TensorFlow does. */
static uint32_t slow_crc(const unsigned char *p, size_t n)
{
  uint32_t crc = ~0u;
  for (size_t i = 0; i < n; i++) {
    crc ^= p[i];
    for (int bit = 0; bit < 8; bit++)
      crc = crc & 1 ? crc >> 1 ^ 0x82F63B78u : crc >> 1;
  }
  crc = ~crc;
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
}

static uint64_t little(const unsigned char *p, int n)
{
  uint64_t x = 0;
  for (int i = n - 1; i >= 0; i--)
    x = x << 8 | p[i];
  return x;
}

/* One scalar as it stands in the file. */
typedef struct read_scalar {
  int64_t step;
  double time;
  char tag[64];
  float value;
} read_scalar;

static uint64_t varint(const unsigned char **p)
{
  uint64_t x = 0;
  for (int shift = 0;; shift += 7) {
    x |= (uint64_t)(**p & 0x7f) << shift;
    if (!(*(*p)++ & 0x80))
      return x;
  }
}

/* A field of a message: the bytes of a length-delimited one, or the bits of a number. */
typedef struct field {
  unsigned number, kind;
  uint64_t bits;
  const unsigned char *bytes;
} field;

static field next_field(const unsigned char **p)
{
  uint64_t key = varint(p);
  field f = {(unsigned)(key >> 3), (unsigned)(key & 7), 0, NULL};
  assert_true(f.kind == 0 || f.kind == 1 || f.kind == 2 || f.kind == 5);
  if (f.kind == 0 || f.kind == 2)
    f.bits = varint(p);
  if (f.kind == 1 || f.kind == 5) {
    f.bits = little(*p, f.kind == 1 ? 8 : 4);
    *p += f.kind == 1 ? 8 : 4;
  }
  if (f.kind == 2) {
    f.bytes = *p;
    *p += f.bits;
  }
  return f;
}

/* Summary.Value: tag 1, simple_value 2. */
static void read_value(const unsigned char *p, size_t n, read_scalar *s)
{
  const unsigned char *end = p + n;
  while (p < end) {
    field f = next_field(&p);
    uint32_t bits = (uint32_t)f.bits;
    if (f.number == 1)
      snprintf(s->tag, sizeof s->tag, "%.*s", (int)f.bits, (const char *)f.bytes);
    if (f.number == 2)
      memcpy(&s->value, &bits, sizeof bits);
  }
  assert_ptr_equal(p, end);
}

/* Event: wall_time 1, step 2, file_version 3, summary 5 (value 1, repeated). Returns how many scalars it had. */
static size_t read_event(const unsigned char *p, size_t n, bool first, read_scalar *out)
{
  const unsigned char *end = p + n;
  read_scalar event = {0};
  size_t count = 0;
  bool version = false;
  while (p < end) {
    field f = next_field(&p);
    if (f.number == 1)
      memcpy(&event.time, &f.bits, sizeof event.time);
    if (f.number == 2)
      event.step = (int64_t)f.bits;
    if (f.number == 3)
      version = f.bits == 13 && !memcmp(f.bytes, "brain.Event:2", 13);
    for (const unsigned char *v = f.bytes; f.number == 5 && v < f.bytes + f.bits;) {
      field value = next_field(&v);
      assert_int_equal(value.number, 1);
      out[count] = event;
      read_value(value.bytes, value.bits, &out[count++]);
    }
  }
  assert_ptr_equal(p, end);
  assert_int_equal(version, first);
  return count;
}

static size_t read_file(const char *path, read_scalar *out)
{
  size_t n, at = 0, count = 0;
  unsigned char *bytes = (unsigned char *)file_bytes(path, &n);
  assert_non_null(bytes);
  while (at < n) {
    assert_true(n - at >= 16);
    uint64_t length = little(bytes + at, 8);
    assert_true(length <= n - at - 16);
    assert_int_equal(little(bytes + at + 8, 4), slow_crc(bytes + at, 8));
    assert_int_equal(little(bytes + at + 12 + length, 4), slow_crc(bytes + at + 12, length));
    count += read_event(bytes + at + 12, length, at == 0, out + count);
    at += length + 16;
  }
  free(bytes);
  return count;
}

/* ---- tests ---- */

static void scalars_come_back(void **state)
{
  read_scalar got[8];
  bp_events *e;
  char path[512], runs[128];
  time_t before = time(NULL);
  assert_int_equal(slow_crc((const unsigned char *)"123456789", 9),
                   ((0xE3069283u >> 15) | (0xE3069283u << 17)) +
                       0xa282ead8u); /* the check value of CRC-32C */
  snprintf(runs, sizeof runs, "%s/runs/of today", folder);
  SUCCEEDS(bp_events_open(*state, runs, &e));
  snprintf(path, sizeof path, "%s", bp_events_path(e));
  assert_true(strstr(path, "/of today/events.out.tfevents.") != NULL);
  SUCCEEDS(bp_events_write(e, 1, (bp_scalar[]){{"loss/train", 0.1}, {"\xC3\xA9", INFINITY}}, 2));
  SUCCEEDS(bp_events_write(e, INT64_C(1) << 40, (bp_scalar[]){{"loss/train", -2.5}}, 1));
  SUCCEEDS(bp_events_write(e, 3, NULL, 0));
  SUCCEEDS(bp_events_close(e));
  assert_int_equal(read_file(path, got), 3);
  assert_string_equal(got[0].tag, "loss/train");
  assert_true(got[0].value == 0.1f && got[0].step == 1);
  assert_true(got[0].time >= (double)before && got[0].time <= (double)time(NULL) + 1);
  assert_string_equal(got[1].tag, "\xC3\xA9");
  assert_true(isinf(got[1].value) && got[1].step == 1);
  assert_true(got[2].value == -2.5f && got[2].step == INT64_C(1) << 40);
}

static void two_files_of_one_second(void **state)
{
  bp_events *a, *b;
  SUCCEEDS(bp_events_open(*state, folder, &a));
  SUCCEEDS(bp_events_open(*state, folder, &b));
  assert_string_not_equal(bp_events_path(a), bp_events_path(b));
  SUCCEEDS(bp_events_close(a));
  SUCCEEDS(bp_events_close(b));
  SUCCEEDS(bp_events_close(NULL));
}

static void what_is_refused(void **state)
{
  bp_events *e;
  char file[128], tag[1002];
  memset(tag, 'x', sizeof tag);
  tag[sizeof tag - 1] = 0;
  snprintf(file, sizeof file, "%s/plain", folder);
  fclose(fopen(file, "w"));
  assert_int_equal(bp_events_open(*state, file, &e), BP_E_IO);
  assert_non_null(strstr(bp_error(), "plain/events.out"));
  assert_null(e);
  assert_int_equal(bp_events_open(*state, "", &e), BP_E_ARG);
  SUCCEEDS(bp_events_open(*state, folder, &e));
  const char *const bad[] = {"", NULL, "\xFF", tag};
  for (size_t i = 0; i < COUNT(bad); i++)
    assert_int_equal(bp_events_write(e, 1, &(bp_scalar){bad[i], 1}, 1), BP_E_ARG);
  SUCCEEDS(bp_events_write(e, 1, &(bp_scalar){tag + 1, 1}, 1));
  SUCCEEDS(bp_events_close(e));
}

/* A file that may not grow any more stands for a disk that is full. */
static void a_full_disk(void **state)
{
  struct rlimit old, few = {0};
  bp_events *e;
  SUCCEEDS(bp_events_open(*state, folder, &e));
  getrlimit(RLIMIT_FSIZE, &old);
  signal(SIGXFSZ, SIG_IGN);
  few = (struct rlimit){100, old.rlim_max};
  setrlimit(RLIMIT_FSIZE, &few);
  bp_status s = BP_OK;
  for (int i = 0; i < 10 && s == BP_OK; i++)
    s = bp_events_write(e, i, &(bp_scalar){"loss", 1}, 1);
  setrlimit(RLIMIT_FSIZE, &old);
  assert_int_equal(s, BP_E_IO);
  assert_non_null(strstr(bp_error(), bp_events_path(e)));
  SUCCEEDS(bp_events_close(e));
}

static bp_status write_some(bp_ctx *ctx)
{
  bp_events *e = NULL;
  bp_status s = bp_events_open(ctx, folder, &e);
  if (s == BP_OK)
    s = bp_events_write(e, 1, (bp_scalar[]){{"a", 1}, {"b", 2}}, 2);
  bp_status closed = bp_events_close(e);
  return s == BP_OK ? closed : s;
}

static void out_of_memory(void **state)
{
  (void)state;
  assert_true(fail_in_turn(write_some) >= 6);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(scalars_come_back, make_folder, drop_folder),
      cmocka_unit_test_setup_teardown(two_files_of_one_second, make_folder, drop_folder),
      cmocka_unit_test_setup_teardown(what_is_refused, make_folder, drop_folder),
      cmocka_unit_test_setup_teardown(a_full_disk, make_folder, drop_folder),
      cmocka_unit_test_setup_teardown(out_of_memory, make_folder, drop_folder),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
