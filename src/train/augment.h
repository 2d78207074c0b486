/* Examples that differ each time they are seen: images moved and mirrored, rows mixed with others. All of it is a function of the seed, the number
 * of the batch and the row in it, whoever loads it and when. */
#ifndef BPI_AUGMENT_H
#define BPI_AUGMENT_H

#include "train/net.h"

typedef struct bpi_augment {
  const bp_net *net;
  int64_t shift;
  bool flip;
  double mixup;
} bpi_augment;

/* Fills *a from the options. False: nothing is asked for. */
bool bpi_augment_wanted(bpi_augment *a, const bp_net *net, const bp_train_options *o);
/* BP_E_ARG: what is asked for does not go with such data. */
bp_status bpi_augment_check(const bp_net *net, const bp_train_options *o);
static inline bool bpi_augment_moves(const bpi_augment *a)
{
  return a->shift > 0 || a->flip;
}
/* Row i of a batch, an encoded image, moved and mirrored in place. */
void bpi_augment_row(const bpi_augment *a, int64_t batch, int64_t i, void *row);
/* The share that rows of a batch keep of themselves when they are mixed. */
double bpi_mixup_share(const bpi_augment *a, int64_t batch);
/* n numbers in the net's storage, of two rows: a = share a + (1 - share) b, and b likewise. */
void bpi_mixup_rows(const bpi_augment *a, double share, int64_t n, void *first, void *second);

#endif
