#include "base/sort.h"

#include <string.h>

typedef struct heap {
  char *items;
  size_t size;
  bpi_compare compare;
  const void *arg;
} heap;

static char *heap_item(const heap *h, size_t i)
{
  return h->items + i * h->size;
}

static void heap_swap(const heap *h, size_t a, size_t b)
{
  char t[64];
  memcpy(t, heap_item(h, a), h->size);
  memcpy(heap_item(h, a), heap_item(h, b), h->size);
  memcpy(heap_item(h, b), t, h->size);
}

/* Lets item i sink until it is not less than those below it. */
static void sink_item(const heap *h, size_t i, size_t n)
{
  for (size_t child; (child = 2 * i + 1) < n; i = child) {
    if (child + 1 < n && h->compare(heap_item(h, child), heap_item(h, child + 1), h->arg) < 0)
      child++;
    if (h->compare(heap_item(h, i), heap_item(h, child), h->arg) >= 0)
      return;
    heap_swap(h, i, child);
  }
}

void bpi_sort(void *items, size_t n, size_t size, bpi_compare compare, const void *arg)
{
  heap h = {items, size, compare, arg};
  for (size_t i = n / 2; i-- > 0;)
    sink_item(&h, i, n);
  for (size_t i = n; i-- > 1;) {
    heap_swap(&h, 0, i);
    sink_item(&h, 0, i);
  }
}
