/* "Did you mean": the nearest of some words. */
#ifndef CLI_NEAREST_H
#define CLI_NEAREST_H

typedef struct nearest {
  const char *word; /* as typed */
  const char *best; /* NULL: none is near */
  int distance;
} nearest;

nearest nearest_to(const char *word);
void nearest_try(nearest *n, const char *candidate);
/* " Did you mean 'x'?" or "", in a place that lasts until the next call. */
const char *nearest_hint(const nearest *n, const char *prefix);

#endif
