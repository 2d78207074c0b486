/* Event files of TensorBoard: records of a length, its checksum, a protocol buffer and its checksum. */
#include "base/crc.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct bp_events {
  bp_ctx *ctx;
  int fd;
  char *path;
};

enum { TAG_MOST = 1000, TRIES = 1000 };

/* ---- protocol buffers: fields are a number and a kind, then the value (developers.google.com/protocol-buffers, encoding) ---- */

typedef enum wire { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 } wire;
enum { EVENT_TIME = 1, EVENT_STEP = 2, EVENT_VERSION = 3, EVENT_SUMMARY = 5 };
enum { SUMMARY_VALUE = 1, VALUE_TAG = 1, VALUE_SIMPLE = 2 };

static void put_varint(bpi_text *t, uint64_t x)
{
  char bytes[10];
  size_t n = 0;
  for (; x >= 0x80; x >>= 7)
    bytes[n++] = (char)(x | 0x80);
  bytes[n++] = (char)x;
  bpi_text_add(t, bytes, n);
}

static void put_key(bpi_text *t, unsigned field, wire kind)
{
  put_varint(t, field << 3 | (unsigned)kind);
}

/* The n lower bytes of bits, lowest first. */
static void put_little(bpi_text *t, uint64_t bits, size_t n)
{
  char bytes[8];
  for (size_t i = 0; i < n; i++)
    bytes[i] = (char)(bits >> 8 * i);
  bpi_text_add(t, bytes, n);
}

static void put_bytes(bpi_text *t, unsigned field, const void *bytes, size_t n)
{
  put_key(t, field, WIRE_BYTES);
  put_varint(t, n);
  bpi_text_add(t, bytes, n);
}

static void put_time(bpi_text *t)
{
  struct timespec now = {0};
  clock_gettime(CLOCK_REALTIME, &now);
  double seconds = (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
  uint64_t bits;
  memcpy(&bits, &seconds, sizeof bits);
  put_key(t, EVENT_TIME, WIRE_64);
  put_little(t, bits, sizeof bits);
}

static void put_scalar(bpi_text *summary, const bp_scalar *s)
{
  bpi_text value;
  float x = (float)s->value;
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  bpi_text_init(&value, summary->ctx);
  put_bytes(&value, VALUE_TAG, s->tag, strlen(s->tag));
  put_key(&value, VALUE_SIMPLE, WIRE_32);
  put_little(&value, bits, sizeof bits);
  summary->failed = summary->failed || value.failed;
  if (!summary->failed)
    put_bytes(summary, SUMMARY_VALUE, value.s, value.n);
  bpi_text_free(&value);
}

/* ---- records ---- */

/* Masked, so that a checksum of data which holds checksums is not weak. */
static uint32_t masked_crc(const void *data, size_t n)
{
  bpi_crc c;
  bpi_crc_begin(&c, BPI_CRC32C);
  bpi_crc_add(&c, data, n);
  uint32_t crc = bpi_crc_end(&c);
  return (crc >> 15 | crc << 17) + UINT32_C(0xa282ead8);
}

static bp_status cannot_write(const bp_events *e, const char *what)
{
  char text[128];
  int number = errno;
  return bpi_fail(BP_E_IO, "%s: cannot %s: %s", e->path, what, strerror_r(number, text, sizeof text));
}

static bp_status write_whole(bp_events *e, const char *bytes, size_t n)
{
  while (n) {
    ssize_t wrote = write(e->fd, bytes, n);
    if (wrote < 0 && errno == EINTR)
      continue;
    if (wrote < 0)
      return cannot_write(e, "be written");
    bytes += wrote;
    n -= (size_t)wrote;
  }
  return BP_OK;
}

static bp_status write_record(bp_events *e, const bpi_text *event)
{
  bpi_text record;
  if (event->failed)
    return bpi_nomem();
  bpi_text_init(&record, e->ctx);
  put_little(&record, event->n, 8);
  if (!record.failed)
    put_little(&record, masked_crc(record.s, record.n), 4);
  bpi_text_add(&record, event->s, event->n);
  put_little(&record, masked_crc(event->s, event->n), 4);
  bp_status s = record.failed ? bpi_nomem() : write_whole(e, record.s, record.n);
  bpi_text_free(&record);
  return s;
}

/* What a file begins with. */
static bp_status write_version(bp_events *e)
{
  static const char version[] = "brain.Event:2";
  bpi_text t;
  bpi_text_init(&t, e->ctx);
  put_time(&t);
  put_bytes(&t, EVENT_VERSION, version, sizeof version - 1);
  bp_status s = write_record(e, &t);
  bpi_text_free(&t);
  return s;
}

/* ---- the file ---- */

/* With its parents. What is not made here is seen when the file is. */
static void make_folder(char *path)
{
  for (char *c = path + 1; *c; c++)
    if (*c == '/') {
      *c = 0;
      mkdir(path, 0777);
      *c = '/';
    }
  mkdir(path, 0777);
}

/* A name of its own: two runs may begin in one second, of processes with one number on two machines that share the folder. */
static bp_status open_file(bp_events *e, size_t folder, size_t room)
{
  char host[128] = "";
  gethostname(host, sizeof host - 1);
  for (char *c = host; *c; c++)
    *c = *c == '/' ? '-' : *c;
  for (int i = 0; i < TRIES; i++) {
    snprintf(e->path + folder, room, "/events.out.tfevents.%010lld.%s.%ld.%d", (long long)time(NULL), host,
             (long)getpid(), i);
    e->fd = open(e->path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
    if (e->fd >= 0)
      return BP_OK;
    if (errno != EEXIST && errno != EINTR)
      break;
  }
  return cannot_write(e, "be made");
}

bp_status bp_events_open(bp_ctx *ctx, const char *folder, bp_events **out)
{
  enum { ROOM = 256 };
  if (!ctx || !folder || !*folder || !out)
    return bpi_bad_arg("bp_events_open", "ctx, folder or out is NULL, or folder is empty");
  *out = NULL;
  size_t n = strlen(folder);
  bp_events *e = bpi_zalloc(ctx, 1, sizeof *e);
  char *path = bpi_alloc(ctx, n + ROOM, 1);
  if (!e || !path) {
    bpi_free(ctx, e);
    bpi_free(ctx, path);
    return bpi_nomem();
  }
  *e = (bp_events){ctx, -1, path};
  memcpy(path, folder, n + 1);
  make_folder(path);
  bp_status s = open_file(e, n, ROOM);
  if (s == BP_OK)
    s = write_version(e);
  if (s != BP_OK) {
    if (e->fd >= 0)
      close(e->fd);
    bpi_free(ctx, path);
    bpi_free(ctx, e);
    return s;
  }
  *out = e;
  return BP_OK;
}

const char *bp_events_path(const bp_events *e)
{
  return e ? e->path : "";
}

static bool good_tag(const char *tag)
{
  size_t n = tag ? strlen(tag) : 0;
  for (size_t i = 0, step; i < n; i += step)
    if ((step = bpi_utf8((const unsigned char *)tag + i, n - i)) == 0)
      return false;
  return n > 0 && n <= TAG_MOST;
}

bp_status bp_events_write(bp_events *e, int64_t step, const bp_scalar *scalars, size_t n)
{
  if (!e || (n && !scalars))
    return bpi_bad_arg("bp_events_write", "events or scalars is NULL");
  for (size_t i = 0; i < n; i++)
    if (!good_tag(scalars[i].tag))
      return bpi_bad_arg("bp_events_write", "a tag is NULL, empty, too long or not UTF-8");
  bpi_text summary, event;
  bpi_text_init(&summary, e->ctx);
  bpi_text_init(&event, e->ctx);
  for (size_t i = 0; i < n; i++)
    put_scalar(&summary, &scalars[i]);
  put_time(&event);
  put_key(&event, EVENT_STEP, WIRE_VARINT);
  put_varint(&event, (uint64_t)step);
  put_bytes(&event, EVENT_SUMMARY, summary.s ? summary.s : "", summary.n);
  event.failed = event.failed || summary.failed;
  bp_status s = write_record(e, &event);
  bpi_text_free(&summary);
  bpi_text_free(&event);
  return s;
}

bp_status bp_events_close(bp_events *e)
{
  if (!e)
    return BP_OK;
  bp_status s = close(e->fd) == 0 || errno == EINTR ? BP_OK : cannot_write(e, "be closed");
  bpi_free(e->ctx, e->path);
  bpi_free(e->ctx, e);
  return s;
}
