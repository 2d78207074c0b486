/* All memory goes through the allocator of the context. */
#include "base/ctx.h"

#include <string.h>
#if defined(__linux__)
#include <sys/mman.h>
#endif

#define ALIGNMENT 64

enum { LARGE_PAGE = 2 << 20, LARGE = 4 * LARGE_PAGE };

/* No object may be larger than PTRDIFF_MAX: differences of pointers into it must be representable. */
static bool total_bytes(size_t n, size_t size, size_t *out)
{
  return !__builtin_mul_overflow(n, size, out) && *out <= PTRDIFF_MAX;
}

/* Asks for large pages where whole ones fit: passes over large arrays are held up by address translation otherwise, and so are those that
 * gather rows from all over them. No more than a hint; memory that is not the system's own pages refuses it. */
static void large_pages(char *p, size_t bytes)
{
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  size_t skipped = (LARGE_PAGE - (uintptr_t)p % LARGE_PAGE) % LARGE_PAGE;
  if (bytes >= LARGE)
    (void)madvise(p + skipped, (bytes - skipped) / LARGE_PAGE * LARGE_PAGE, MADV_HUGEPAGE);
#else
  (void)p, (void)bytes;
#endif
}

void *bpi_alloc(bp_ctx *ctx, size_t n, size_t size)
{
  return bpi_realloc(ctx, NULL, n, size);
}

void *bpi_zalloc(bp_ctx *ctx, size_t n, size_t size)
{
  void *p = bpi_alloc(ctx, n, size);
  return p ? memset(p, 0, n * size) : NULL;
}

void *bpi_realloc(bp_ctx *ctx, void *p, size_t n, size_t size)
{
  size_t bytes;
  if (!total_bytes(n, size, &bytes))
    return NULL;
  char *q = ctx->alloc(ctx->alloc_user, p, bytes ? bytes : 1); /* size 0 would free */
  if (q)
    large_pages(q, bytes);
  return q;
}

void bpi_free(bp_ctx *ctx, void *p)
{
  if (p)
    ctx->alloc(ctx->alloc_user, p, 0);
}

/* The allocator's own pointer is kept just below the aligned address. */
static char *aligned_place(char *raw)
{
  char *p = raw + sizeof(void *);
  return p + (ALIGNMENT - (uintptr_t)p % ALIGNMENT) % ALIGNMENT;
}

static char *raw_block(const void *p)
{
  char *raw;
  memcpy(&raw, (const char *)p - sizeof(void *), sizeof raw);
  return raw;
}

void *bpi_alloc_aligned(bp_ctx *ctx, size_t bytes)
{
  return bpi_realloc_aligned(ctx, NULL, 0, bytes);
}

/* The system's realloc moves large blocks without copying; only where the new block is aligned otherwise do its
 * bytes have to move. */
void *bpi_realloc_aligned(bp_ctx *ctx, void *p, size_t used, size_t bytes)
{
  size_t total;
  if (__builtin_add_overflow(bytes, ALIGNMENT + sizeof(void *), &total))
    return NULL;
  char *old = p ? raw_block(p) : NULL;
  size_t at = p ? (size_t)((char *)p - old) : 0;
  char *raw = bpi_realloc(ctx, old, total, 1);
  if (!raw)
    return NULL;
  char *q = aligned_place(raw);
  if (p && q != raw + at)
    memmove(q, raw + at, used);
  memcpy(q - sizeof(void *), &raw, sizeof raw);
  return q;
}

void bpi_free_aligned(bp_ctx *ctx, void *p)
{
  if (!p)
    return;
  bpi_free(ctx, raw_block(p));
}

char *bpi_strdup(bp_ctx *ctx, const char *s)
{
  size_t n = strlen(s) + 1;
  char *copy = bpi_alloc(ctx, n, 1);
  return copy ? memcpy(copy, s, n) : NULL;
}

/* The pointer is copied in and out by bytes, since *items is in truth a pointer of another type. */
bool bpi_grow(bp_ctx *ctx, void **items, size_t *cap, size_t count, size_t size)
{
  if (count < *cap)
    return true;
  if (count > SIZE_MAX / 2 - 8)
    return false;
  void *p;
  memcpy(&p, items, sizeof p);
  size_t wanted = count < 8 ? 8 : 2 * count;
  p = bpi_realloc(ctx, p, wanted, size);
  if (!p)
    return false;
  memcpy(items, &p, sizeof p);
  *cap = wanted;
  return true;
}

void bp_free(bp_ctx *ctx, void *p)
{
  if (!ctx)
    bpi_bad_arg("bp_free", "ctx");
  else
    bpi_free(ctx, p);
}
