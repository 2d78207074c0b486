/* Trials of a run: see pace.h. */
#include "run/pace.h"

#include <time.h>

enum {
  TRIES = 4,            /* steps that count; the fastest does, as others are disturbed */
  WARM_NS = 200000,     /* steps within this from the first do not: threads wake and data move */
  KEEP_NS = 30000000,   /* how long the faster way is kept, at least, */
  COST = 100,           /* and so many times as long as was lost by trying the slower one, */
  MOST_NS = 1000000000, /* at most */
  LONG_NS = 5000000,    /* steps that are not tried: so much work is worth its threads */
  KEEP_LEAST = 100,
  KEEP_MOST = 1000000
};

static int64_t clock_now(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void bpi_pace_init(bpi_pace *p, bool shares)
{
  *p = (bpi_pace){.shares = shares, .best = {INT64_MAX, INT64_MAX}};
}

int64_t bpi_pace_begin(bpi_pace *p)
{
  return !p->shares || --p->left > 0 ? 0 : clock_now();
}

static void settle(bpi_pace *p, bool alone, int64_t steps)
{
  bpi_pace_init(p, true);
  p->alone = alone;
  p->left = steps < KEEP_LEAST ? KEEP_LEAST : steps > KEEP_MOST ? KEEP_MOST : steps;
}

/* Tries the other way from the next step on. */
static void turn(bpi_pace *p)
{
  p->second = true;
  p->alone = !p->alone;
  p->tries = 0;
  p->steps = p->spent = p->since = 0;
}

/* Both ways are known. */
static void choose(bpi_pace *p)
{
  /* Alone only where it is clearly faster. */
  bool alone = p->best[true] < p->best[false] - p->best[false] / 50;
  int64_t lost = alone == p->alone ? 0 : p->spent - p->steps * p->best[alone], keep = KEEP_NS;
  if (lost > KEEP_NS / COST)
    keep = lost < MOST_NS / COST ? lost * COST : MOST_NS;
  settle(p, alone, keep / (p->best[alone] + 1));
}

void bpi_pace_tell(bpi_pace *p, int64_t begun, int64_t now)
{
  int64_t took = now - begun, *best = &p->best[p->alone], other = p->best[!p->alone];
  p->left = 0;
  if (!p->since || begun - p->last > WARM_NS) /* after a pause threads are asleep again */
    p->since = begun;
  p->last = now;
  p->spent += took;
  p->steps++;
  if (took > LONG_NS) {
    settle(p, false, KEEP_LEAST);
    return;
  }
  if (now - p->since <= WARM_NS)
    return;
  *best = took < *best ? took : *best;
  bool hopeless = p->second && p->tries && *best > other + other / 4;
  if (++p->tries < TRIES && !hopeless)
    return;
  if (p->second)
    choose(p);
  else
    turn(p);
}

void bpi_pace_end(bpi_pace *p, int64_t begun)
{
  bpi_pace_tell(p, begun, clock_now());
}
