/* A plan over batches of one size, its run, and which of its inputs a batch feeds. */
#ifndef BPI_LANE_H
#define BPI_LANE_H

#include "train/net.h"

/* F(NAME, text, dtype, shape): what a batch may feed. */
#define BPI_FEED_LIST(F)                                                                 \
  F(X, "x", BP_REAL, INPUTS)                                                             \
  F(Y, "y", BP_REAL, OUTPUTS)                                                            \
  F(LABELS, "labels", BP_INT64, ROWS)                                                    \
  F(OTHER, "other labels", BP_INT64, ROWS) /* of the rows that each is mixed with */     \
  F(SHARE, "share", BP_REAL, ONE)          /* which its own labels keep */               \
  F(WEIGHTS, "weights", BP_REAL, COLUMN)                                                 \
  F(PART, "part", BP_REAL, ONE)       /* of a larger batch that this one is */           \
  F(RAW, "outputs", BP_REAL, OUTPUTS) /* of the network, where they are known already */ \
  F(KEY, "key", BP_INT64, PAIR)       /* of random nodes: seed, step */

typedef enum bpi_feed {
#define BPI_FEED_ENUM(name, text, dtype, shape) BPI_FEED_##name,
  BPI_FEED_LIST(BPI_FEED_ENUM)
#undef BPI_FEED_ENUM
      BPI_FEEDS
} bpi_feed;

typedef struct bpi_lane {
  int64_t batch; /* 0: not opened */
  bp_plan *plan;
  bp_run *run;
  bp_program *program;  /* inputs of a loss that is an expression; NULL: none. With it: */
  bp_graph *graph;      /* which it is of */
  int input[BPI_FEEDS]; /* of the plan; -1: it has none such */
} bpi_lane;

/* The input of a graph for batches of so many rows. */
bp_node bpi_feed_node(bp_graph *g, bpi_feed f, const bp_net *net, int64_t batch);
/* Compiles what g computes. g and program are taken over, also on failure; program may be NULL. */
bp_status bpi_lane_open(bpi_lane *l, const bp_net *net, bp_graph *g, const bp_plan_options *o, int64_t batch,
                        bp_program *program);
/* What the plan has no input for is not bound. */
bp_status bpi_lane_bind(bpi_lane *l, bpi_feed f, const void *data);
void bpi_lane_close(bpi_lane *l);

#endif
