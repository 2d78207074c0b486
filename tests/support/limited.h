/* An allocator that gives 64 MiB in all; user is a size_t with what lives. */
#ifndef TESTS_LIMITED_H
#define TESTS_LIMITED_H

#include "bprop.h"

#include <stdlib.h>

enum { MOST_MEMORY = 64 << 20 };

/* Fails past a limit on all that lives. */
static inline void *limited(void *user, void *p, size_t n)
{
  size_t *live = user, *block = p ? (size_t *)p - 2 : NULL, old = p ? *block : 0;
  if (n == 0) {
    *live -= old;
    free(block);
    return NULL;
  }
  if (n > MOST_MEMORY || *live - old + n > MOST_MEMORY)
    return NULL;
  block = realloc(block, n + 16);
  if (!block)
    return NULL;
  *live += n - old;
  *block = n;
  return block + 2;
}

#endif
