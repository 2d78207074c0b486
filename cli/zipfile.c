/* Zip (PKWARE's APPNOTE 6.3.10): the list of members at the end says where each begins, how it is packed, and how large it is. */
#include "zipfile.h"
#include "options.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum {
  END_SIZE = 22,
  END64_SIZE = 56,
  LOCATOR_SIZE = 20,
  ENTRY_SIZE = 46,
  LOCAL_SIZE = 30,
  MOST_COMMENT = 65535,
  MOST_MEMBERS = 100000,
  BUFFER = 1 << 16
};

/* ---- bytes ---- */

static uint64_t number(const unsigned char *b, int n)
{
  uint64_t v = 0;
  while (n--)
    v = v << 8 | b[n];
  return v;
}

static bool read_at(const zip *z, int64_t at, void *to, size_t n)
{
  unsigned char *p = to;
  if (at < 0 || (int64_t)n > z->bytes || at > z->bytes - (int64_t)n)
    return false;
  while (n) {
    ssize_t got = pread(z->file, p, n, at);
    if (got <= 0)
      return false;
    p += got;
    at += got;
    n -= (size_t)got;
  }
  return true;
}

static int damaged(const zip *z, const char *what)
{
  return fail(END_DATA, "%s: the zip archive is damaged: %s; was it copied completely?", z->path, what);
}

/* ---- the list ---- */

typedef struct directory {
  uint64_t count, size, at;
} directory;

/* Place of the last record that ends the archive, behind which only its comment stands; -1: none. */
static int64_t find_end(const zip *z, unsigned char *end)
{
  int64_t reach = z->bytes < END_SIZE + MOST_COMMENT ? z->bytes : END_SIZE + MOST_COMMENT, found = -1;
  unsigned char *tail = malloc((size_t)reach + 1);
  if (tail && read_at(z, z->bytes - reach, tail, (size_t)reach))
    for (int64_t i = reach - END_SIZE; i >= 0 && found < 0; i--)
      if (!memcmp(tail + i, "PK\5\6", 4) && (int64_t)number(tail + i + 20, 2) == reach - END_SIZE - i) {
        memcpy(end, tail + i, END_SIZE);
        found = z->bytes - reach + i;
      }
  free(tail);
  return found;
}

static int read_end(const zip *z, directory *d)
{
  unsigned char end[END_SIZE], locator[LOCATOR_SIZE], large[END64_SIZE];
  int64_t at = find_end(z, end);
  if (at < 0)
    return damaged(z, "its list of members is missing");
  *d = (directory){number(end + 10, 2), number(end + 12, 4), number(end + 16, 4)};
  if (d->count < 0xffff && d->size < 0xffffffff && d->at < 0xffffffff)
    return END_DONE;
  if (!read_at(z, at - LOCATOR_SIZE, locator, sizeof locator) || memcmp(locator, "PK\6\7", 4) != 0 ||
      !read_at(z, (int64_t)(number(locator + 8, 8) & INT64_MAX), large, sizeof large) ||
      memcmp(large, "PK\6\6", 4) != 0)
    return damaged(z, "the large form of its list of members is missing");
  *d = (directory){number(large + 32, 8), number(large + 40, 8), number(large + 48, 8)};
  return END_DONE;
}

/* Sizes of 4 GiB and more stand in an extra field (id 1), in this order, those alone that are all ones in the entry. */
static bool large_sizes(const unsigned char *extra, size_t n, uint64_t *value[3])
{
  while (n >= 4) {
    size_t size = number(extra + 2, 2);
    const unsigned char *at = extra + 4;
    if (size > n - 4)
      return false;
    if (number(extra, 2) == 1) {
      for (int i = 0; i < 3; i++)
        if (*value[i] == 0xffffffff) {
          if (at + 8 > extra + 4 + size)
            return false;
          *value[i] = number(at, 8);
          at += 8;
        }
      return true;
    }
    extra += 4 + size;
    n -= 4 + size;
  }
  return *value[0] != 0xffffffff && *value[1] != 0xffffffff && *value[2] != 0xffffffff;
}

/* One entry of the list. Returns what it takes, 0 for one that is wrong, -1 without memory. */
static int64_t read_entry(const unsigned char *b, size_t n, zip_member *m)
{
  if (n < ENTRY_SIZE || memcmp(b, "PK\1\2", 4) != 0)
    return 0;
  size_t name = number(b + 28, 2), extra = number(b + 30, 2), comment = number(b + 32, 2);
  if (ENTRY_SIZE + name + extra + comment > n)
    return 0;
  uint64_t packed = number(b + 20, 4), size = number(b + 24, 4), at = number(b + 42, 4);
  uint64_t *large[3] = {&size, &packed, &at};
  if (!large_sizes(b + ENTRY_SIZE + name, extra, large) || (packed | size | at) > INT64_MAX)
    return 0;
  *m = (zip_member){.at = (int64_t)at,
                    .packed = (int64_t)packed,
                    .size = (int64_t)size,
                    .crc = (uint32_t)number(b + 16, 4),
                    .method = (int)number(b + 10, 2)};
  if (b[8] & 1)
    m->method = -1; /* encrypted */
  m->name = malloc(name + 1);
  if (!m->name)
    return -1;
  memcpy(m->name, b + ENTRY_SIZE, name);
  m->name[name] = 0;
  return (int64_t)(ENTRY_SIZE + name + extra + comment);
}

static int read_entries(zip *z, const directory *d, const unsigned char *b)
{
  size_t left = (size_t)d->size;
  z->members = calloc((size_t)d->count + 1, sizeof *z->members);
  if (!z->members)
    return fail_memory();
  for (; z->n < (int64_t)d->count; z->n++) {
    int64_t took = read_entry(b, left, &z->members[z->n]);
    if (took <= 0)
      return took < 0 ? fail_memory() : damaged(z, "an entry of its list is wrong");
    b += took;
    left -= (size_t)took;
  }
  return END_DONE;
}

static int read_directory(zip *z)
{
  directory d = {0};
  int end = read_end(z, &d);
  if (end)
    return end;
  if (d.count > MOST_MEMBERS)
    return fail(END_DATA, "%s: the zip archive has %llu members; 100,000 are the most", z->path,
                (unsigned long long)d.count);
  if (d.size > (uint64_t)z->bytes || d.at > (uint64_t)z->bytes - d.size || d.count > d.size / ENTRY_SIZE)
    return damaged(z, "its list of members lies outside of it");
  unsigned char *b = malloc((size_t)d.size + 1);
  if (!b)
    return fail_memory();
  end = read_at(z, (int64_t)d.at, b, (size_t)d.size) ? read_entries(z, &d, b)
                                                     : damaged(z, "its list of members cannot be read");
  free(b);
  return end;
}

int zip_open(zip *z, const char *path)
{
  struct stat st;
  *z = (zip){.path = path, .file = open(path, O_RDONLY | O_CLOEXEC)};
  if (z->file < 0 || fstat(z->file, &st))
    return fail(END_DATA, "%s: cannot be opened", path);
  z->bytes = st.st_size;
  return read_directory(z);
}

void zip_close(zip *z)
{
  for (int64_t i = 0; z->members && i <= z->n; i++)
    free(z->members[i].name);
  free(z->members);
  if (z->file >= 0)
    close(z->file);
  *z = (zip){.file = -1};
}

/* ---- a member ---- */

typedef struct member_source {
  const zip *z;
  int64_t at, left;   /* packed bytes to come */
  int64_t room;       /* unpacked bytes to come */
  uint32_t crc, want; /* of what came, of all */
  bool packed;
  z_stream s;
  unsigned char bytes[BUFFER];
} member_source;

static bool fill(member_source *m, const char **why)
{
  size_t n = m->left < BUFFER ? (size_t)m->left : BUFFER;
  if (n == 0 || !read_at(m->z, m->at, m->bytes, n)) {
    *why = "a member of the zip archive ends too early";
    return false;
  }
  m->at += (int64_t)n;
  m->left -= (int64_t)n;
  m->s.next_in = m->bytes;
  m->s.avail_in = (uInt)n;
  return true;
}

/* At least one byte, or a failure: more are to come by the list. */
static int64_t unpack(member_source *m, unsigned char *to, size_t n, const char **why)
{
  m->s.next_out = to;
  m->s.avail_out = (uInt)n;
  while (m->s.next_out == to) {
    if (m->s.avail_in == 0 && !fill(m, why))
      return -1;
    int status = inflate(&m->s, Z_NO_FLUSH);
    if (m->s.next_out == to && status != Z_OK && status != Z_BUF_ERROR) {
      *why = status == Z_MEM_ERROR ? "out of memory" : "a member of the zip archive is damaged";
      return -1;
    }
  }
  return m->s.next_out - to;
}

static int64_t copy(member_source *m, unsigned char *to, size_t n, const char **why)
{
  if (m->s.avail_in == 0 && !fill(m, why))
    return -1;
  n = n < m->s.avail_in ? n : m->s.avail_in;
  memcpy(to, m->s.next_in, n);
  m->s.next_in += n;
  m->s.avail_in -= (uInt)n;
  return (int64_t)n;
}

static int64_t member_read(void *user, void *buffer, size_t n, const char **why)
{
  member_source *m = user;
  n = n < (size_t)m->room ? n : (size_t)m->room;
  n = n < 1u << 30 ? n : 1u << 30;
  if (n == 0)
    return 0;
  int64_t got = m->packed ? unpack(m, buffer, n, why) : copy(m, buffer, n, why);
  if (got < 0)
    return -1;
  m->room -= got;
  m->crc = (uint32_t)crc32(m->crc, buffer, (uInt)got);
  if (m->room > 0 || m->crc == m->want)
    return got;
  *why = "a member of the zip archive is damaged: its checksum is wrong";
  return -1;
}

static void member_close(void *user)
{
  member_source *m = user;
  if (m->packed)
    inflateEnd(&m->s);
  free(m);
}

/* Behind the local header, whose name and extra field may have other lengths than those of the list. */
static int64_t data_at(const zip *z, const zip_member *m)
{
  unsigned char b[LOCAL_SIZE];
  if (!read_at(z, m->at, b, sizeof b) || memcmp(b, "PK\3\4", 4) != 0)
    return -1;
  int64_t at = m->at + LOCAL_SIZE + (int64_t)(number(b + 26, 2) + number(b + 28, 2));
  return at <= z->bytes && m->packed <= z->bytes - at ? at : -1;
}

int zip_source(const zip *z, const zip_member *member, const char *name, bp_source *out)
{
  int64_t at = data_at(z, member);
  if (member->method != 0 && member->method != Z_DEFLATED)
    return fail(END_DATA, "%s: '%s' is %s; stored and deflated members are read", z->path, member->name,
                member->method < 0 ? "encrypted" : "packed in another way");
  if (at < 0 || (member->method == 0 && member->packed != member->size))
    return damaged(z, "a member lies outside of it");
  member_source *m = calloc(1, sizeof *m);
  if (!m)
    return fail_memory();
  m->z = z;
  m->at = at;
  m->left = member->packed;
  m->room = member->size;
  m->want = member->crc;
  m->packed = member->method == Z_DEFLATED;
  if (m->packed && inflateInit2(&m->s, -15) != Z_OK) {
    free(m);
    return fail_memory();
  }
  *out =
      (bp_source){.read = member_read, .close = member_close, .user = m, .name = name, .size = member->size};
  return END_DONE;
}
