/* An allocator that counts what lives and fails the n-th allocation: once, or from then on. */
#ifndef TEST_FAILING_H
#define TEST_FAILING_H

#include "bprop.h"

#include <stdlib.h>

typedef struct failing {
  long live, calls; /* blocks alive; allocations asked for since the last failing_arm */
  long at;          /* this one fails, counted from 1; 0: none */
  bool onwards;     /* and all after it */
} failing;

static inline void *failing_alloc(void *user, void *p, size_t size)
{
  failing *f = user;
  if (size == 0) {
    f->live -= p != NULL;
    free(p);
    return NULL;
  }
  f->calls++;
  if (f->at && (f->onwards ? f->calls >= f->at : f->calls == f->at))
    return NULL;
  void *q = realloc(p, size);
  f->live += q && !p;
  return q;
}

static inline void failing_arm(failing *f, long at, bool onwards)
{
  f->calls = 0;
  f->at = at;
  f->onwards = onwards;
}

static inline bp_ctx *failing_ctx(failing *f)
{
  bp_ctx_options o = {.alloc = failing_alloc, .alloc_user = f};
  return bp_ctx_new(&o);
}

/* Does the work with its n-th allocation failing, for every n: once, and then with all after it. It must be BP_E_NOMEM with its message or,
 * where one allocation could be done without, BP_OK; nothing may leak, and the context works afterwards. Returns how many there are. */
long fail_in_turn(bp_status (*work)(bp_ctx *ctx));

#endif
