/* The law of composition for compiled code: random graphs, run by the interpreter and by compiled code, have the same bits. Takes the
 * number of graphs and the first seed. */
#include "support/jitting.h"
#include "support/random_graph.h"

static uint64_t n_graphs = 5, first_seed = 1;
static jit_room room;

static bp_plan *plan_of(rgraph *r, int64_t fuse_min)
{
  bp_plan_options o = {.real = r->real,
                       .outputs = r->outputs,
                       .n_outputs = r->n_outputs,
                       .updates = r->updates,
                       .n_updates = r->n_updates,
                       .guards = r->guards,
                       .n_guards = r->n_guards};
  bpi_tuning t = {.tile = 3 + (int64_t)(r->seed % 6),
                  .fuse_min = fuse_min,
                  .split_ns = fuse_min > 100 ? 0 : 1,
                  .scalars = 1 + (int64_t)(r->seed % 3)};
  bp_plan *p;
  SUCCEEDS(bpi_plan_new(r->g, &o, &t, &p));
  return p;
}

/* Three steps: the first checks, the others use what was good. */
static void run_plan(rgraph *r, bp_plan *p)
{
  bp_run *run;
  rg_reset_state(r);
  SUCCEEDS(bp_run_new(p, r->state, &run));
  SUCCEEDS(rg_bind(r, run));
  for (int k = 0; k < 3; k++)
    bp_run_step(run);
  bp_run_free(run);
}

static void compiled_code_keeps_the_bits(void **state)
{
  (void)state;
  if (!have_compiler())
    skip();
  bp_ctx *ctx = bp_ctx_new(&(bp_ctx_options){.threads = 2, .jit = BP_JIT_WAIT, .jit_cache = room.cache});
  int compiled = 0, good = 0, bad = 0;
  for (uint64_t seed = first_seed; seed < first_seed + n_graphs; seed++) {
    rgraph r;
    assert_true(rg_open(&r, ctx, seed));
    for (int way = 0; way < 2; way++) {
      ctx->threads = 1 + way;
      bp_plan *p = plan_of(&r, way ? 2 : 1000);
      run_plan(&r, p);
      verdict v = verdict_of(p);
      if (v.bad && getenv("SHOW_PLAN")) {
        char *text;
        const bpi_jit *j = (const bpi_jit *)atomic_load(&p->extra);
        for (size_t k = 0; k < j->n_pieces; k++)
          if (atomic_load(&j->pieces[k].check) == BPI_BAD && j->pieces[k].where.kind != BPI_PIECE_STEPS)
            print_error("piece %zu: instructions %u + %u\n", k, j->pieces[k].where.first,
                        j->pieces[k].where.count);
        if (bp_plan_print(p, &text) == BP_OK)
          fputs(text, stderr);
        bp_free(ctx, text);
        if (bp_plan_c(p, &text) == BP_OK)
          fputs(strstr(text, "typedef struct env"), stderr);
        bp_free(ctx, text);
      }
      if (v.bad)
        print_error("seed %llu, way %d: %d of %d pieces have other bits\n", (unsigned long long)seed, way,
                    v.bad, v.compiled);
      compiled += v.compiled;
      good += v.good;
      bad += v.bad;
      bp_plan_free(p);
    }
    rg_close(&r);
  }
  bp_ctx_free(ctx);
  print_message("%llu graphs: %d pieces, %d good, %d bad\n", (unsigned long long)n_graphs, compiled, good,
                bad);
  assert_int_equal(bad, 0);
  assert_true(good * 2 > compiled);
}

static int open_room(void **state)
{
  (void)state;
  return !jit_room_open(&room);
}

static int close_room(void **state)
{
  (void)state;
  jit_room_close(&room);
  return 0;
}

int main(int argc, char **argv)
{
  if (argc > 1)
    n_graphs = strtoull(argv[1], NULL, 10);
  if (argc > 2)
    first_seed = strtoull(argv[2], NULL, 10);
  const struct CMUnitTest tests[] = {cmocka_unit_test(compiled_code_keeps_the_bits)};
  return cmocka_run_group_tests(tests, open_room, close_room);
}
