/* With all threads or alone: what serves a run better here and now.
 *
 * The cost model knows how long work takes, not how far apart the processors lie: data that another core has written come quickly on one machine
 * and slowly on the next, and a virtual machine may become the other while it runs. So a run whose plan shares work out tries a few steps
 * either way, keeps to the faster one, and tries again from time to time. Bits do not depend on it. */
#ifndef BPI_PACE_H
#define BPI_PACE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct bpi_pace {
  bool shares;     /* the plan shares work out: there is something to try */
  bool alone;      /* what is tried, or was found to be faster */
  bool second;     /* the second of the two ways is tried */
  int tries;       /* of this way, */
  int64_t steps;   /* with those that do not count, */
  int64_t spent;   /* and what all of them took, ns */
  int64_t left;    /* steps until the next trial */
  int64_t since;   /* when the trial of this way began; 0: it has not */
  int64_t last;    /* when the step tried before ended */
  int64_t best[2]; /* least time of a step, ns: shared out, alone */
} bpi_pace;

void bpi_pace_init(bpi_pace *p, bool shares);
/* Before a step: 0 where none is tried, else to be handed to bpi_pace_end behind it. */
int64_t bpi_pace_begin(bpi_pace *p);
void bpi_pace_end(bpi_pace *p, int64_t begun);
/* The same with a clock of the caller's, for tests. */
void bpi_pace_tell(bpi_pace *p, int64_t begun, int64_t now);

#endif
