/* Values inside of a network, as it predicts: what its operations give for some rows. */
#ifndef BPI_NETVALUES_H
#define BPI_NETVALUES_H

#include "train/net.h"

/* One operation's values. */
typedef struct bpi_look {
  const bp_graph *g;
  uint32_t index;
  const bpi_node *node;
  const char *layer; /* "layer2 (dense 64 relu)"; "" where that is not known */
  const void *values;
  bool narrow; /* they are float32, else float64 */
} bpi_look;

static inline double bpi_look_at(const bpi_look *l, int64_t i)
{
  return l->narrow ? (double)((const float *)l->values)[i] : ((const double *)l->values)[i];
}

/* Runs n encoded rows [n, inputs] and visits, in the order of computing, the operations that are wanted. A visit that gives false is the last. */
bp_status bpi_inside(bp_net *net, const void *x, int64_t n, bool (*wanted)(const bpi_node *node),
                     bool (*visit)(void *user, const bpi_look *l), void *user);

/* Where a number that is not finite comes from, or, if the outputs are finite, how far they reach: in words, for a message. Encoded rows. */
void bpi_not_finite(bp_net *net, const void *x, int64_t n, char *text, size_t size);

#endif
