/* Making and freeing a context. */
#include "base/ctx.h"
#include "base/cpu.h"
#include "base/pool.h"

#include <stdlib.h>

static void *default_alloc(void *user, void *p, size_t size)
{
  (void)user;
  if (size)
    return realloc(p, size);
  free(p);
  return NULL;
}

static bp_status check_ctx_options(const bp_ctx_options *o)
{
  if (o->threads < 0)
    return bpi_fail(BP_E_ARG, "bp_ctx_new: `threads` is %d; give at least 1, or 0 for the default",
                    o->threads);
  if ((unsigned)o->jit > BP_JIT_WAIT)
    return bpi_fail(BP_E_ARG, "bp_ctx_new: `jit` is %d; it takes BP_JIT_OFF, _AUTO or _WAIT", (int)o->jit);
  if (o->limit_isa && (unsigned)o->isa > BP_ISA_BEST)
    return bpi_fail(BP_E_ARG, "bp_ctx_new: `isa` is %d, which is no instruction set", (int)o->isa);
  return BP_OK;
}

static bp_isa choose_isa(const bp_ctx_options *o)
{
  if (!o->limit_isa || o->isa == BP_ISA_BEST)
    return bpi_cpu_best();
  return bpi_cpu_has(o->isa) ? o->isa : BP_ISA_BASE;
}

bp_ctx *bp_ctx_new(const bp_ctx_options *options)
{
  static const bp_ctx_options defaults;
  const bp_ctx_options *o = options ? options : &defaults;
  if (check_ctx_options(o) != BP_OK)
    return NULL;
  int threads = o->threads > BPI_MAX_THREADS ? BPI_MAX_THREADS : o->threads;
  bp_ctx seed = {
      .alloc = o->alloc ? o->alloc : default_alloc,
      .alloc_user = o->alloc_user,
      .log = o->log,
      .log_user = o->log_user,
      .log_level = o->log_level,
      .threads = threads ? threads : 1,
      .isa = choose_isa(o),
      .passes_off = o->passes_off,
      .jit = o->jit,
  };
  seed.jit_cache = o->jit_cache ? bpi_strdup(&seed, o->jit_cache) : NULL;
  bp_ctx *ctx = o->jit_cache && !seed.jit_cache ? NULL : bpi_alloc(&seed, 1, sizeof *ctx);
  if (ctx) {
    *ctx = seed;
    return ctx;
  }
  bpi_free(&seed, seed.jit_cache);
  bpi_nomem();
  return NULL;
}

void bp_ctx_free(bp_ctx *ctx)
{
  if (!ctx)
    return;
  bpi_pool_free(ctx->pool);
  bpi_free(ctx, ctx->jit_cache);
  bpi_free(ctx, ctx);
}

int bp_ctx_threads(const bp_ctx *ctx)
{
  if (!ctx)
    bpi_bad_arg("bp_ctx_threads", "ctx");
  return ctx ? ctx->threads : 0;
}

bp_isa bp_ctx_isa(const bp_ctx *ctx)
{
  if (!ctx)
    bpi_bad_arg("bp_ctx_isa", "ctx");
  return ctx ? ctx->isa : BP_ISA_BASE;
}
