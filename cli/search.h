/* What `bprop tune` tries: settings drawn at random, and how long each is trained before the worse are left. */
#ifndef CLI_SEARCH_H
#define CLI_SEARCH_H

#include "options.h"

/* END_USAGE, told, where options leave nothing to search. */
int search_check(const settings *s);
/* Trial number i, from 1, of a study: `s` with what is searched put in and marked as given, `given` being room for the marks. The first
 * is `s` as it stands. A function of the options, the seed and i alone. */
void search_draw(const settings *s, int64_t i, settings *out, unsigned char *given);

/* Successive halving (Jamieson & Talwalkar 2016) with a third kept, in brackets of at most 27 as in the first of Hyperband (Li et al.
 * 2018): all are trained for 1/27 of the epochs, the best third of them go on to 1/9, the best third of those to 1/3, one to the end. */
enum { BRACKET = 27, RUNGS = 4, KEPT = 3 };
/* Rungs of this search: 1 if it is random, and fewer than RUNGS where the epochs are too few to be parted so often. */
int search_rungs(const settings *s);
/* After how many epochs, in all, rung 0.. ends. */
int64_t rung_epochs(const settings *s, int rung);
/* Rounded up: of the trials on a rung those that go on to the next, of its epochs those of the rung before. */
static inline int64_t a_third(int64_t n)
{
  return (n + KEPT - 1) / KEPT;
}

#endif
