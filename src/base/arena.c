/* Chunks in a list, the newest on top; each at least twice as large as the one below, up to 1 MiB. */
#include "base/arena.h"

#include <string.h>

#define FIRST_CHUNK ((size_t)4096)
#define LAST_CHUNK  ((size_t)1 << 20)
#define ARENA_ALIGN ((size_t)16)

/* Under AddressSanitizer what is not handed out is poisoned, with a gap after each piece, so that overruns
 * inside a chunk are found as those of malloc are. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_POISONS 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define ARENA_POISONS 1
#endif
#ifdef ARENA_POISONS
#include <sanitizer/asan_interface.h>
#define ARENA_GAP            ((size_t)16)
#define arena_poison(p, n)   __asan_poison_memory_region(p, n)
#define arena_unpoison(p, n) __asan_unpoison_memory_region(p, n)
#else
#define ARENA_GAP            ((size_t)0)
#define arena_poison(p, n)   ((void)(p))
#define arena_unpoison(p, n) ((void)(p))
#endif

struct bpi_chunk {
  bpi_chunk *below;
  char *data; /* 16-byte aligned */
  size_t size;
  size_t used; /* a multiple of 16 */
};

void bpi_arena_init(bpi_arena *a, bp_ctx *ctx)
{
  *a = (bpi_arena){.ctx = ctx};
}

static void drop_chunk(bpi_arena *a)
{
  bpi_chunk *c = a->top;
  a->top = c->below;
  arena_unpoison(c->data, c->size);
  bpi_free(a->ctx, c);
}

void bpi_arena_free(bpi_arena *a)
{
  while (a->top)
    drop_chunk(a);
}

static bool push_chunk(bpi_arena *a, size_t at_least)
{
  size_t size = a->top ? 2 * a->top->size : FIRST_CHUNK;
  if (size > LAST_CHUNK)
    size = LAST_CHUNK;
  if (size < at_least)
    size = at_least;
  size_t total;
  if (__builtin_add_overflow(size, sizeof(bpi_chunk) + ARENA_ALIGN, &total))
    return false;
  bpi_chunk *c = bpi_alloc(a->ctx, total, 1);
  if (!c)
    return false;
  char *data = (char *)(c + 1);
  data += (ARENA_ALIGN - (uintptr_t)data % ARENA_ALIGN) % ARENA_ALIGN;
  *c = (bpi_chunk){.below = a->top, .data = data, .size = size};
  arena_poison(data, size);
  a->top = c;
  return true;
}

/* What n * size bytes take from a chunk. */
static bool piece_bytes(size_t n, size_t size, size_t *bytes, size_t *piece)
{
  if (__builtin_mul_overflow(n, size, bytes) || *bytes > PTRDIFF_MAX)
    return false;
  size_t rounded = (*bytes ? *bytes : 1) + ARENA_ALIGN - 1;
  *piece = rounded / ARENA_ALIGN * ARENA_ALIGN + ARENA_GAP;
  return true;
}

void *bpi_arena_alloc(bpi_arena *a, size_t n, size_t size)
{
  size_t bytes, piece;
  if (!piece_bytes(n, size, &bytes, &piece))
    return NULL;
  if ((!a->top || a->top->size - a->top->used < piece) && !push_chunk(a, piece))
    return NULL;
  char *p = a->top->data + a->top->used;
  a->top->used += piece;
  arena_unpoison(p, bytes);
  return memset(p, 0, bytes);
}

char *bpi_arena_strdup(bpi_arena *a, const char *s)
{
  size_t n = strlen(s) + 1;
  char *copy = bpi_arena_alloc(a, n, 1);
  return copy ? memcpy(copy, s, n) : NULL;
}

bpi_arena_mark bpi_arena_here(const bpi_arena *a)
{
  return (bpi_arena_mark){.chunk = a->top, .used = a->top ? a->top->used : 0};
}

void bpi_arena_rollback(bpi_arena *a, bpi_arena_mark m)
{
  while (a->top && a->top != m.chunk)
    drop_chunk(a);
  if (!a->top)
    return;
  a->top->used = m.used;
  arena_poison(a->top->data + m.used, a->top->size - m.used);
}
