/* State inside: arrays that outlive a run. */
#ifndef BPI_STATE_H
#define BPI_STATE_H

#include "base/shape.h"

typedef struct bpi_entry {
  char *name;
  bp_type type;
  void *data; /* 64-byte aligned */
} bpi_entry;

struct bp_state {
  bp_ctx *ctx;
  bp_dtype real;
  bpi_entry *entries;
  size_t count, cap;
  uint32_t *table; /* names: open addressing, entry + 1, 0 is empty */
  size_t table_cap;
};

/* What an entry's elements are stored as: BP_REAL becomes `real`, others stay. */
static inline bp_dtype bpi_storage(bp_dtype dtype, bp_dtype real)
{
  return dtype == BP_REAL ? real : dtype;
}

#endif
