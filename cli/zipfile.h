/* Zip archives, as NumPy's savez and savez_compressed write them: stored and deflated members, read as a stream each. */
#ifndef CLI_ZIPFILE_H
#define CLI_ZIPFILE_H

#include "bprop.h"

typedef struct zip_member {
  char *name;
  int64_t at;           /* of its local header in the file */
  int64_t packed, size; /* bytes in the file, and unpacked */
  uint32_t crc;         /* CRC-32 of it */
  int method;           /* 0: stored; 8: deflated */
} zip_member;

typedef struct zip {
  const char *path;
  int file;
  int64_t bytes;
  zip_member *members;
  int64_t n;
} zip;

/* Reads the list of members. END_DATA, END_RESOURCES, told. To be closed also on failure. */
int zip_open(zip *z, const char *path);
void zip_close(zip *z);
/* A member as a source: never more than its size comes of it, and the last bytes only if its checksum is right. `name` for messages, to outlive it.
 * END_DATA, END_RESOURCES, told. */
int zip_source(const zip *z, const zip_member *m, const char *name, bp_source *out);

#endif
