/* The main job, on real data with default options: handwritten digits, a quarter held out, 10 seeds. Prints what it reached.
 * Too slow, and no other code, under sanitizers or without optimisation: skipped there (status 77). */
#include "support/training.h"

#include <time.h>

enum { SEEDS = 10, SKIPPED = 77 };

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define SLOW_BUILD 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__OPTIMIZE__) || \
    !defined(NDEBUG)
#define SLOW_BUILD 1
#endif

/* A tenth of what is not held out says when to stop. */
static double accuracy_of(bp_ctx *ctx, const bp_data *all, uint64_t seed)
{
  bp_data *rest, *test, *train, *valid;
  bp_train_result r;
  bp_metrics m;
  SUCCEEDS(bp_data_split(all, 0.25, seed, &rest, &test));
  SUCCEEDS(bp_data_split(rest, 0.1, seed, &train, &valid));
  bp_net *net = make_net(ctx, train, &(bp_net_options){.seed = seed});
  SUCCEEDS(bp_net_train(net, train, &(bp_train_options){.valid = valid}, &r));
  SUCCEEDS(bp_net_eval(net, test, &m));
  print_message("seed %2d: %.2f %% of %d, %d epochs, best %d, %.2f s\n", (int)seed, 100 * m.accuracy,
                (int)m.rows, (int)r.epochs, (int)r.best_epoch, r.seconds);
  bp_data *parts[] = {rest, test, train, valid};
  for (size_t i = 0; i < COUNT(parts); i++)
    bp_data_free(parts[i]);
  bp_net_free(net);
  return m.accuracy;
}

static void digits_reach_97_percent(void **state)
{
  bp_data *all = load_data(*state, "digits.csv", "digit");
  double sum = 0, first = 0;
  for (int seed = 1; seed <= SEEDS; seed++) {
    double a = accuracy_of(*state, all, (uint64_t)seed);
    first = seed == 1 ? a : first;
    sum += a;
  }
  print_message("mean of %d seeds: %.2f %%\n", SEEDS, 100 * sum / SEEDS);
  bp_data_free(all);
  assert_true(first >= 0.97);
  assert_true(sum / SEEDS >= 0.97);
}

int main(void)
{
#ifdef SLOW_BUILD
  return SKIPPED;
#endif
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(digits_reach_97_percent, fresh_ctx, free_ctx)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
