#include "support/failing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static bool fail_one(bp_status (*work)(bp_ctx *ctx), long at, bool onwards)
{
  failing f = {0};
  bp_ctx *ctx = failing_ctx(&f);
  const char *how = onwards ? " and all after it" : "";
  assert_non_null(ctx);
  failing_arm(&f, at, onwards);
  bp_status s = work(ctx);
  bool last = f.calls<at, several = f.calls> at;
  failing_arm(&f, 0, false);
  if (s != BP_OK && (last || s != BP_E_NOMEM || !strstr(bp_error(), "out of memory")))
    fail_msg("allocation %ld fails%s: %s: %s", at, how, bp_status_name(s), bp_error());
  if (s == BP_OK && onwards && several) /* one may be for something to keep for the next time */
    fail_msg("it succeeds without memory from allocation %ld on", at);
  if (at % 16 == 0 || last)
    assert_int_equal(work(ctx), BP_OK); /* the context still works */
  bp_ctx_free(ctx);
  if (f.live)
    fail_msg("allocation %ld fails%s: %ld blocks leak", at, how, f.live);
  return last;
}

long fail_in_turn(bp_status (*work)(bp_ctx *ctx))
{
  long at = 0;
  for (int onwards = 0; onwards < 2; onwards++)
    for (at = 1; !fail_one(work, at, onwards); at++)
      ;
  print_message("%ld allocations, each failed once and from then on\n", at - 1);
  return at - 1;
}
