/* Writing NumPy's .npy and .npz, for those who save more than one array. */
#ifndef BPI_NPY_H
#define BPI_NPY_H

#include "base/save.h"
#include "base/text.h"

enum { BPI_NPY_DESCR = 8 };

/* "<f8" for elements as this machine stores them; of storage that NumPy has. */
void bpi_npy_descr(bp_store store, char descr[BPI_NPY_DESCR]);
/* Magic to the line feed, a multiple of 64 bytes, so that the elements are aligned in the file. */
void bpi_npy_header(bpi_text *t, const char *descr, int rank, const int64_t *dims);

/* A .npz file in the making: a zip archive of stored .npy members. */
typedef struct bpi_npz {
  bpi_save save;
  bpi_text central; /* the directory, which goes behind the members */
  uint64_t offset;
  unsigned members;
} bpi_npz;

/* An array: descr as in .npy; bytes of data, contiguous. */
typedef struct bpi_npz_member {
  const char *name; /* "data.npy" */
  const char *descr;
  int rank;
  int64_t dims[2];
  const void *data;
  size_t bytes;
} bpi_npz_member;

/* Saves all members, with the promises of bp_save_file. BP_E_LIMIT where the file would be 4 GiB or more. */
bp_status bpi_npz_save(bp_ctx *ctx, const char *path, const bpi_npz_member *members, size_t n);

#endif
