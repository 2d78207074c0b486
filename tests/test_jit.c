/* Compiled code of plans: that it is used and right, kept and found again, and never needed. */
#include "support/failing.h"
#include "support/jitting.h"

#include <math.h>
#include <time.h>

/* ---- a network 2-8-1 that learns XOR ---- */

typedef struct tiny {
  bp_ctx *ctx;
  bp_params *params;
  bp_state *state;
  bp_plan *plan;
  bp_run *run;
  float x[2], y;
} tiny;

static bp_status build_tiny(tiny *t, bool first)
{
  const int64_t two[2] = {1, 2}, one[2] = {1, 1};
  bp_graph *g = bp_graph_new(t->ctx);
  if (!g)
    return BP_E_NOMEM;
  bp_node x = bp_input(g, "x", BP_REAL, 2, two), y = bp_input(g, "y", BP_REAL, 2, one);
  bp_node h = bp_tanh(bp_dense(t->params, x, "a", 8, (bp_init){0}));
  bp_node loss =
      bp_mean(bp_square(bp_sub(bp_sigmoid(bp_dense(t->params, h, "b", 1, (bp_init){0})), y)), NULL, 0, false);
  bp_update updates[BP_OPTIMIZER_UPDATES];
  size_t n;
  bp_optimizer sgd = {.kind = BP_OPTIMIZER_SGD};
  bp_plan_options o = {.real = BP_FLOAT32,
                       .outputs = &loss,
                       .n_outputs = 1,
                       .updates = updates,
                       .guards = &loss,
                       .n_guards = 1};
  bp_status s = bp_graph_status(g);
  if (s == BP_OK && first)
    s = bp_params_make(t->params, t->state, 1);
  else if (s == BP_OK)
    s = bp_optimizer_step(t->params, t->state, &sgd, loss, updates, &n, NULL);
  if (s == BP_OK && !first) {
    o.n_updates = n;
    s = bp_plan_new(g, &o, &t->plan);
  }
  bp_graph_free(g);
  return s;
}

static bp_status open_tiny(tiny *t, bp_ctx *ctx)
{
  *t = (tiny){.ctx = ctx};
  t->params = bp_params_new(ctx);
  t->state = bp_state_new(ctx, BP_FLOAT32);
  bp_status s = t->params && t->state ? build_tiny(t, true) : BP_E_NOMEM;
  if (s == BP_OK)
    s = build_tiny(t, false);
  if (s == BP_OK)
    s = bp_run_new(t->plan, t->state, &t->run);
  if (s == BP_OK)
    s = bp_run_bind(t->run, "x", t->x, sizeof t->x);
  return s == BP_OK ? bp_run_bind(t->run, "y", &t->y, sizeof t->y) : s;
}

static void close_tiny(tiny *t)
{
  bp_run_free(t->run);
  bp_plan_free(t->plan);
  bp_state_free(t->state);
  bp_params_free(t->params);
}

static bp_status step_tiny(tiny *t, int i)
{
  t->x[0] = (float)(i & 1);
  t->x[1] = (float)(i >> 1 & 1);
  t->y = (float)((i & 1) ^ (i >> 1 & 1));
  return bp_run_step(t->run);
}

enum { STEPS = 300, WEIGHTS = 33 };

/* All losses and the last weights. */
typedef struct trail {
  double loss[STEPS];
  float weights[WEIGHTS];
} trail;

static void follow(tiny *t, trail *out)
{
  for (int i = 0; i < STEPS; i++) {
    SUCCEEDS(step_tiny(t, i));
    SUCCEEDS(bp_run_get(t->run, 0, &out->loss[i], 1));
  }
  void *data;
  SUCCEEDS(bp_state_array(t->state, 0, NULL, NULL, &data));
  memcpy(out->weights, data, sizeof out->weights);
}

static trail interpreted;

static bp_ctx *jit_ctx(bp_jit jit, const char *cache)
{
  bp_ctx *ctx = bp_ctx_new(&(bp_ctx_options){.jit = jit, .jit_cache = cache});
  assert_non_null(ctx);
  return ctx;
}

/* Trains in a context of its own. What the plan's code was like is told. */
typedef struct told {
  bp_jit_state state;
  verdict pieces;
  bool cached;
} told;

static told train(bp_jit jit, const char *cache)
{
  bp_ctx *ctx = jit_ctx(jit, cache);
  tiny t;
  trail got = {.loss = {0}};
  SUCCEEDS(open_tiny(&t, ctx));
  follow(&t, &got);
  told s = {bp_plan_jit(t.plan), verdict_of(t.plan), from_cache(t.plan)};
  close_tiny(&t);
  bp_ctx_free(ctx);
  assert_memory_equal(&got, &interpreted, sizeof got);
  return s;
}

/* ---- it works ---- */

static void a_small_network_is_one_piece(void **state)
{
  (void)state;
  told s = train(BP_JIT_WAIT, "");
  assert_int_equal(s.state, BP_JIT_USED);
  assert_int_equal(s.pieces.compiled, 1);
  assert_int_equal(s.pieces.good, 1);
  assert_int_equal(count_files(room.temp, NULL, 0), 0);
}

static void off_is_off(void **state)
{
  (void)state;
  told s = train(BP_JIT_OFF, room.cache);
  assert_int_equal(s.state, BP_JIT_NONE);
  assert_int_equal(s.pieces.compiled, 0);
  assert_int_equal(count_files(room.cache, NULL, 0), -1);
}

static void a_guard_stops_compiled_code_too(void **state)
{
  (void)state;
  bp_ctx *ctx = jit_ctx(BP_JIT_WAIT, "");
  tiny t;
  trail before, after;
  SUCCEEDS(open_tiny(&t, ctx));
  for (int round = 0; round < 2; round++) { /* before the code is checked, and after */
    void *data;
    SUCCEEDS(bp_state_array(t.state, 0, NULL, NULL, &data));
    memcpy(before.weights, data, sizeof before.weights);
    t.x[0] = NAN;
    assert_int_equal(bp_run_step(t.run), BP_E_NOTFINITE);
    assert_non_null(strstr(bp_error(), "is NaN"));
    memcpy(after.weights, data, sizeof after.weights);
    assert_memory_equal(before.weights, after.weights, sizeof after.weights);
    SUCCEEDS(step_tiny(&t, 1));
    SUCCEEDS(step_tiny(&t, 2));
    assert_int_equal(bp_plan_jit(t.plan), BP_JIT_USED);
  }
  close_tiny(&t);
  bp_ctx_free(ctx);
}

/* y = 2 x + 1, again and again on its own result. */
static void an_input_may_be_the_output_of_before(void **state)
{
  (void)state;
  bp_ctx *ctx = jit_ctx(BP_JIT_WAIT, "");
  bp_graph *g = bp_graph_new(ctx);
  const int64_t five = 5;
  bp_node x = bp_input(g, "x", BP_REAL, 1, &five),
          y = bp_add(bp_mul(x, bp_constant(g, 2)), bp_constant(g, 1));
  bp_plan *p;
  bp_run *r;
  const double start[5] = {0, 1, 2, 3, 4};
  const void *out;
  SUCCEEDS(bp_plan_new(g, &(bp_plan_options){.real = BP_FLOAT64, .outputs = &y, .n_outputs = 1}, &p));
  SUCCEEDS(bp_run_new(p, NULL, &r));
  SUCCEEDS(bp_run_bind(r, "x", start, sizeof start));
  SUCCEEDS(bp_run_step(r));
  SUCCEEDS(bp_run_output(r, 0, &out, NULL));
  SUCCEEDS(bp_run_bind(r, "x", out, sizeof start));
  for (int k = 0; k < 3; k++)
    SUCCEEDS(bp_run_step(r));
  for (int k = 0; k < 5; k++) /* 2^4 x + 2^4 - 1 */
    assert_true(((const double *)out)[k] == 16 * k + 15);
  bp_run_free(r);
  bp_plan_free(p);
  bp_graph_free(g);
  bp_ctx_free(ctx);
}

/* ---- the cache ---- */

static void flip_byte(const char *path, long at)
{
  FILE *f = fopen(path, "r+b");
  assert_non_null(f);
  fseek(f, at, SEEK_SET);
  int c = fgetc(f);
  fseek(f, at, SEEK_SET);
  fputc(c ^ 1, f);
  fclose(f);
}

static void code_is_kept_and_found(void **state)
{
  (void)state;
  char name[700];
  struct stat st;
  assert_false(train(BP_JIT_WAIT, room.cache).cached);
  assert_int_equal(count_files(room.cache, name, sizeof name), 1);
  assert_int_equal(stat(room.cache, &st), 0);
  assert_int_equal(st.st_mode & 077, 0);
  assert_int_equal(stat(name, &st), 0);
  assert_int_equal(st.st_mode & 077, 0);
  told s = train(BP_JIT_WAIT, room.cache);
  assert_true(s.cached);
  assert_int_equal(s.state, BP_JIT_USED);
}

static void damaged_code_is_made_again(void **state)
{
  (void)state;
  char name[700];
  struct stat st;
  empty_directory(room.cache);
  train(BP_JIT_WAIT, room.cache);
  assert_int_equal(count_files(room.cache, name, sizeof name), 1);
  assert_int_equal(stat(name, &st), 0);
  const long places[] = {0, 700, (long)st.st_size / 2, (long)st.st_size - 3};
  for (size_t k = 0; k < COUNT(places); k++) {
    flip_byte(name, places[k]);
    assert_false(train(BP_JIT_WAIT, room.cache).cached);
    assert_true(train(BP_JIT_WAIT, room.cache).cached);
  }
  for (int k = 0; k < 3; k++) {
    assert_int_equal(truncate(name, (off_t)(k * st.st_size / 3)), 0);
    told s = train(BP_JIT_WAIT, room.cache);
    assert_false(s.cached);
    assert_int_equal(s.state, BP_JIT_USED);
  }
}

static void code_that_others_could_write_is_not_loaded(void **state)
{
  (void)state;
  char name[700];
  empty_directory(room.cache);
  train(BP_JIT_WAIT, room.cache);
  assert_int_equal(count_files(room.cache, name, sizeof name), 1);
  assert_int_equal(chmod(name, 0666), 0);
  assert_false(train(BP_JIT_WAIT, room.cache).cached);
  assert_true(train(BP_JIT_WAIT, room.cache).cached);
  assert_int_equal(chmod(room.cache, 0777), 0);
  told s = train(BP_JIT_WAIT, room.cache);
  assert_false(s.cached);
  assert_int_equal(s.state, BP_JIT_USED);
  assert_int_equal(count_files(room.temp, NULL, 0), 0);
  assert_int_equal(chmod(room.cache, 0700), 0);
}

static void a_cache_that_cannot_be_is_done_without(void **state)
{
  (void)state;
  told s = train(BP_JIT_WAIT, "/dev/null/code");
  assert_int_equal(s.state, BP_JIT_USED);
  assert_int_equal(count_files(room.temp, NULL, 0), 0);
}

/* ---- compilers that are none ---- */

/* A script in the place of the compiler. */
static void set_compiler(const char *script)
{
  char path[300];
  snprintf(path, sizeof path, "%s/compiler", room.path);
  FILE *f = fopen(path, "w");
  assert_non_null(f);
  fprintf(f, "#!/bin/sh\n%s\n", script);
  fclose(f);
  assert_int_equal(chmod(path, 0700), 0);
  setenv("CC", path, 1);
}

static void without_a_compiler_plans_are_interpreted(void **state)
{
  (void)state;
  char path[4096];
  snprintf(path, sizeof path, "%s", getenv("PATH"));
  unsetenv("CC");
  setenv("PATH", room.temp, 1);
  told s = train(BP_JIT_WAIT, room.cache);
  setenv("PATH", path, 1);
  assert_int_equal(s.state, BP_JIT_NONE);
}

static void bad_compilers_do_no_harm(void **state)
{
  (void)state;
  static const char *const scripts[] = {
      "exit 1",
      "echo nonsense; echo more >&2; exit 0",
      "kill -SEGV $$",
      "for a; do case $a in *.so) echo 'no code' > $a; esac; done",
      "for a; do case $a in *.so) : > $a; esac; done",
  };
  for (size_t k = 0; k < COUNT(scripts); k++) {
    set_compiler(scripts[k]);
    told s = train(BP_JIT_WAIT, "");
    assert_int_equal(s.state, BP_JIT_NONE);
    assert_int_equal(count_files(room.temp, NULL, 0), 0);
  }
  unsetenv("CC");
}

/* The body of `sub` put off in the source, as if it were compiled wrongly: the check of the first use must see it. */
static void wrong_code_is_not_used(void **state)
{
  (void)state;
  bpi_compiler cc;
  char script[5000];
  assert_true(find_compiler(&cc));
  snprintf(script, sizeof script,
           "for a; do case $a in *.c) sed -i 's/^return a - b;/return a - b * 1.0000002f;/' $a; esac; "
           "done\nexec %s \"$@\"",
           cc.path);
  set_compiler(script);
  told s = train(BP_JIT_WAIT, "");
  unsetenv("CC");
  assert_int_equal(s.state, BP_JIT_NONE);
  assert_int_equal(s.pieces.bad, 1);
}

/* ---- in the background ---- */

static double seconds(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* However long the compiler takes here; the test has its limit. */
static bp_jit_state run_until(tiny *t, bp_jit_state least)
{
  bp_jit_state s = BP_JIT_IDLE;
  while (s < least && s != BP_JIT_NONE) {
    for (int i = 0; i < 1000; i++)
      SUCCEEDS(step_tiny(t, i));
    s = bp_plan_jit(t->plan);
  }
  return s;
}

static void hot_plans_are_compiled_beside_their_runs(void **state)
{
  (void)state;
  bp_ctx *ctx = jit_ctx(BP_JIT_AUTO, "");
  tiny t;
  SUCCEEDS(open_tiny(&t, ctx));
  SUCCEEDS(step_tiny(&t, 0));
  assert_int_equal(bp_plan_jit(t.plan), BP_JIT_IDLE);
  assert_int_equal(run_until(&t, BP_JIT_USED), BP_JIT_USED);
  close_tiny(&t);
  bp_ctx_free(ctx);
}

static void a_plan_is_freed_while_its_code_is_made(void **state)
{
  (void)state;
  set_compiler("sleep 1000 & wait");
  bp_ctx *ctx = jit_ctx(BP_JIT_AUTO, "");
  tiny t;
  SUCCEEDS(open_tiny(&t, ctx));
  assert_int_equal(run_until(&t, BP_JIT_COMPILING), BP_JIT_COMPILING);
  double start = seconds();
  close_tiny(&t);
  bp_ctx_free(ctx);
  unsetenv("CC");
  assert_true(seconds() - start < 300);
  assert_int_equal(count_files(room.temp, NULL, 0), 0);
}

/* ---- memory ---- */

static bp_status train_a_little(bp_ctx *ctx)
{
  tiny t;
  ctx->jit = BP_JIT_WAIT;
  bp_status s = open_tiny(&t, ctx);
  for (int i = 0; i < 3 && s == BP_OK; i++)
    s = step_tiny(&t, i);
  char *text;
  if (s == BP_OK && (s = bp_plan_c(t.plan, &text)) == BP_OK)
    bp_free(ctx, text);
  close_tiny(&t);
  return s;
}

/* The code is in the cache, so that no compiler runs for each allocation. */
static void any_allocation_may_fail(void **state)
{
  (void)state;
  setenv("XDG_CACHE_HOME", room.path, 1);
  bp_ctx *ctx = bp_ctx_new(NULL);
  SUCCEEDS(train_a_little(ctx));
  bp_ctx_free(ctx);
  assert_in_range(fail_in_turn(train_a_little), 100, 10000);
  char name[300];
  snprintf(name, sizeof name, "%s/bprop", room.path);
  assert_int_equal(count_files(name, NULL, 0), 1);
  empty_directory(name);
  unsetenv("XDG_CACHE_HOME");
}

static int open_with_interpreted(void **state)
{
  unsetenv("CC");
  if (open_room(state))
    return 1;
  bp_ctx *ctx = jit_ctx(BP_JIT_OFF, NULL);
  tiny t;
  SUCCEEDS(open_tiny(&t, ctx));
  follow(&t, &interpreted);
  close_tiny(&t);
  bp_ctx_free(ctx);
  return 0;
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(off_is_off),
      cmocka_unit_test(a_small_network_is_one_piece),
      cmocka_unit_test(a_guard_stops_compiled_code_too),
      cmocka_unit_test(an_input_may_be_the_output_of_before),
      cmocka_unit_test(code_is_kept_and_found),
      cmocka_unit_test(damaged_code_is_made_again),
      cmocka_unit_test(code_that_others_could_write_is_not_loaded),
      cmocka_unit_test(a_cache_that_cannot_be_is_done_without),
      cmocka_unit_test(without_a_compiler_plans_are_interpreted),
      cmocka_unit_test(bad_compilers_do_no_harm),
      cmocka_unit_test(wrong_code_is_not_used),
      cmocka_unit_test(hot_plans_are_compiled_beside_their_runs),
      cmocka_unit_test(a_plan_is_freed_while_its_code_is_made),
      cmocka_unit_test(any_allocation_may_fail),
  };
  unsetenv("CC");
  if (!have_compiler())
    return 77;
  return cmocka_run_group_tests(tests, open_with_interpreted, close_room);
}
