/* One context for all tests of a program, with the plainest instruction set, so that golden pictures are the same bytes on every machine. */
#ifndef TEST_ONE_CTX_H
#define TEST_ONE_CTX_H

#include "bprop.h"

static bp_ctx *ctx;

static inline int open_ctx(void **state)
{
  (void)state;
  ctx = bp_ctx_new(&(bp_ctx_options){.limit_isa = true, .isa = BP_ISA_BASE});
  return !ctx;
}

static inline int close_ctx(void **state)
{
  (void)state;
  bp_ctx_free(ctx);
  return 0;
}

#endif
