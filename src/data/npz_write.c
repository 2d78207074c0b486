/* NumPy's .npz: a zip archive (PKWARE APPNOTE 6.3, without compression) of .npy files. */
#include "base/crc.h"
#include "data/npy.h"

#include <string.h>

#define ZIP_VERSION 20
#define ZIP_DATE    0x21 /* 1 January 1980: the same array is the same bytes */
#define ZIP_MOST    UINT64_C(0xFFFFFFFF)

static void put(bpi_text *t, uint64_t value, int bytes)
{
  char b[8];
  for (int i = 0; i < bytes; i++)
    b[i] = (char)(value >> 8 * i & 255);
  bpi_text_add(t, b, (size_t)bytes);
}

/* What the local header and the directory have in common: from the version to the length of the extra field. */
static void put_member(bpi_text *t, const char *name, uint32_t crc, uint64_t bytes)
{
  put(t, ZIP_VERSION, 2);
  put(t, 0, 2); /* flags */
  put(t, 0, 2); /* stored */
  put(t, 0, 2); /* midnight */
  put(t, ZIP_DATE, 2);
  put(t, crc, 4);
  put(t, bytes, 4);
  put(t, bytes, 4);
  put(t, strlen(name), 2);
  put(t, 0, 2);
}

static void put_directory(bpi_npz *z, const char *name, uint32_t crc, uint64_t bytes)
{
  bpi_text *t = &z->central;
  bpi_text_add(t, "PK\1\2", 4);
  put(t, ZIP_VERSION, 2);
  put_member(t, name, crc, bytes);
  put(t, 0, 2); /* comment */
  put(t, 0, 2); /* disk */
  put(t, 0, 2); /* attributes */
  put(t, 0, 4);
  put(t, z->offset, 4);
  bpi_text_add(t, name, strlen(name));
  z->members++;
}

static void put_end(bpi_text *t, unsigned members, uint64_t directory, uint64_t offset)
{
  bpi_text_add(t, "PK\5\6", 4);
  put(t, 0, 4); /* disks */
  put(t, members, 2);
  put(t, members, 2);
  put(t, directory, 4);
  put(t, offset, 4);
  put(t, 0, 2); /* comment */
}

static bp_status too_large(const char *path)
{
  return bpi_fail(BP_E_LIMIT, "%s: an .npz file of 4 GiB or more; save as .mtx", path);
}

/* head: the local header, then the header of the .npy. */
static bp_status write_member(bpi_npz *z, const char *path, const bpi_npz_member *m, bpi_text *npy,
                              bpi_text *head)
{
  bpi_crc crc;
  bpi_npy_header(npy, m->descr, m->rank, m->dims);
  if (npy->failed)
    return bpi_nomem();
  uint64_t bytes = npy->n + (uint64_t)m->bytes;
  if (bytes > ZIP_MOST || z->offset > ZIP_MOST - bytes)
    return too_large(path);
  bpi_crc_begin(&crc, BPI_CRC32);
  bpi_crc_add(&crc, npy->s, npy->n);
  bpi_crc_add(&crc, m->data, m->bytes);
  bpi_text_add(head, "PK\3\4", 4);
  put_member(head, m->name, bpi_crc_end(&crc), bytes);
  bpi_text_add(head, m->name, strlen(m->name));
  bpi_text_add(head, npy->s, npy->n);
  put_directory(z, m->name, bpi_crc_end(&crc), bytes);
  if (head->failed || z->central.failed)
    return bpi_nomem();
  z->offset += head->n + (uint64_t)m->bytes;
  bp_status s = bpi_save_write(&z->save, head->s, head->n);
  return s == BP_OK ? bpi_save_write(&z->save, m->data, m->bytes) : s;
}

static bp_status add_member(bpi_npz *z, const char *path, const bpi_npz_member *m)
{
  bpi_text npy, head;
  bpi_text_init(&npy, z->save.ctx);
  bpi_text_init(&head, z->save.ctx);
  bp_status s = write_member(z, path, m, &npy, &head);
  bpi_text_free(&npy);
  bpi_text_free(&head);
  return s;
}

static bp_status write_end(bpi_npz *z, const char *path)
{
  uint64_t directory = z->central.n;
  if (z->offset > ZIP_MOST - directory)
    return too_large(path);
  put_end(&z->central, z->members, directory, z->offset);
  return z->central.failed ? bpi_nomem() : bpi_save_write(&z->save, z->central.s, z->central.n);
}

bp_status bpi_npz_save(bp_ctx *ctx, const char *path, const bpi_npz_member *members, size_t n)
{
  bpi_npz z = {.offset = 0};
  bp_status s = bpi_save_begin(ctx, path, &z.save);
  if (s != BP_OK)
    return s;
  bpi_text_init(&z.central, ctx);
  for (size_t i = 0; i < n && s == BP_OK; i++)
    s = add_member(&z, path, &members[i]);
  if (s == BP_OK)
    s = write_end(&z, path);
  bpi_text_free(&z.central);
  if (s == BP_OK)
    return bpi_save_commit(&z.save);
  bpi_save_abandon(&z.save);
  return s;
}
