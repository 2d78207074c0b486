/* Batches on their way to a training: shuffled, gathered, converted and standardised ahead of the step that needs them.
 *
 * Where the context leaves a processor free, a thread of its own loads ahead. Where all of them compute, one more thread would only take
 * turns with them: then the threads of the pool load each batch together when it is asked for. Batches are the same whoever loads them. */
#ifndef BPI_LOADER_H
#define BPI_LOADER_H

#include "train/augment.h"
#include "train/rowweights.h"

typedef struct bpi_batch {
  int64_t rows;
  void *x;         /* [rows, inputs], in the state's storage */
  void *y;         /* [rows, outputs], likewise; of regressions */
  int64_t *labels; /* [rows], of classifications */
  int64_t *other;  /* [rows]: labels that they are mixed with, */
  union {          /* and the share that their own keep; as they are stored */
    float narrow;
    double wide;
  } share;
  void *weights; /* [rows], of mean 1 over all, likewise; where rows differ in them */
} bpi_batch;

typedef struct bpi_loader bpi_loader;

/* What is loaded: `epochs` times all rows of data, each time in another order, in batches of `batch` rows; the last of an epoch has what
 * is left. All of it must outlive the loader. */
typedef struct bpi_load {
  bp_net *net;
  const bp_data *data;
  const bpi_match *match;
  int64_t batch, epochs;
  const bpi_row_weights *weights; /* NULL: rows count the same */
  const bpi_augment *augment;     /* NULL: examples as they are */
  bool same_order;                /* in every epoch */
  int64_t
      first; /* batch to begin with, of all, from 0: those before it are passed over without being loaded */
} bpi_load;

/* NULL when out of memory. */
bpi_loader *bpi_loader_open(const bpi_load *what);
/* The next batch, which may be read until the next call. NULL where rows come from a file that cannot be read: bp_error() says why. */
const bpi_batch *bpi_loader_next(bpi_loader *l);
/* Also in the middle: waits until no thread loads any more. */
void bpi_loader_close(bpi_loader *l);

#endif
