/* An arena: many small allocations, freed together, or rolled back to a mark. */
#ifndef BPI_ARENA_H
#define BPI_ARENA_H

#include "base/ctx.h"

typedef struct bpi_chunk bpi_chunk;
typedef struct bpi_arena {
  bp_ctx *ctx;
  bpi_chunk *top;
} bpi_arena;
typedef struct bpi_arena_mark {
  bpi_chunk *chunk;
  size_t used;
} bpi_arena_mark;

void bpi_arena_init(bpi_arena *a, bp_ctx *ctx);
void bpi_arena_free(bpi_arena *a);
/* n * size bytes, 16-byte aligned, zeroed; NULL when out of memory or overflowing. */
void *bpi_arena_alloc(bpi_arena *a, size_t n, size_t size);
char *bpi_arena_strdup(bpi_arena *a, const char *s);
bpi_arena_mark bpi_arena_here(const bpi_arena *a);
void bpi_arena_rollback(bpi_arena *a, bpi_arena_mark m);

#endif
