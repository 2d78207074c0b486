/* Threads: the same training gives the same file for any number of them; one network predicts for many at once. */
#include "support/training.h"
#include "base/ctx.h"

#include <pthread.h>

typedef struct task {
  const char *file, *target;
  bp_net_options net;
  bp_train_options train;
  double share; /* of the rows that are used */
} task;

static bool go_on(void *user, const bp_progress *p)
{
  (void)p;
  return ++*(int *)user > 0;
}

/* Threads of the context, and processors that it reckons with: as many as there are threads, so that all of them run, one more, so that
 * one does nothing but load batches, or one alone. */
typedef struct team {
  int threads, processors;
} team;

static char *train_and_save(const task *t, team who, size_t *n)
{
  bp_ctx *ctx = bp_ctx_new(&(bp_ctx_options){.threads = who.threads});
  ctx->processors = who.processors;
  bp_data *all = t->file ? load_data(ctx, t->file, t->target) : linear_data(ctx), *used, *unused, *train,
          *valid;
  int calls = 0;
  SUCCEEDS(bp_data_split(all, t->share, 2, &unused, &used));
  SUCCEEDS(bp_data_split(used, 0.2, 1, &train, &valid));
  bp_net *net = make_net(ctx, train, &t->net);
  bp_train_options o = t->train;
  o.valid = valid;
  o.progress = go_on;
  o.user = &calls;
  SUCCEEDS(bp_net_train(net, train, &o, NULL));
  assert_true(calls > 0);
  char *bytes = saved_bytes(net, n);
  bp_data *parts[] = {train, valid, used, unused, all};
  for (size_t i = 0; i < COUNT(parts); i++)
    bp_data_free(parts[i]);
  bp_net_free(net);
  bp_ctx_free(ctx);
  return bytes;
}

static void assert_same_for_every_team(const task *t, const char *what)
{
  static const team teams[] = {{1, 1}, {1, 1}, {1, 2}, {2, 1}, {2, 2}, {2, 3}, {3, 3}, {4, 4}, {8, 8}};
  char *first = NULL;
  size_t size = 0;
  for (size_t k = 0; k < COUNT(teams); k++) {
    size_t n;
    char *bytes = train_and_save(t, teams[k], &n);
    if (k > 0 && (n != size || memcmp(bytes, first, n) != 0))
      fail_msg("%s: %d threads on %d processors give other bytes", what, teams[k].threads,
               teams[k].processors);
    if (k > 0) {
      free(bytes);
      continue;
    }
    first = bytes;
    size = n;
  }
  free(first);
}

/* Wide enough that the pool is used; a partial last batch; dropout; double precision; regression. */
static void the_same_file_twice_and_for_any_number_of_threads(void **state)
{
  static const bp_optimizer adam = {
      .kind = BP_OPTIMIZER_ADAM, .lr = 0.005, .clip_norm = 1, .weight_decay = 1e-4};
  static const bp_optimizer sgd = {.kind = BP_OPTIMIZER_SGD, .lr = 0.05, .momentum = 0.9, .nesterov = true};
  const task tasks[] = {
      {"digits.csv",
       "digit",
       {.hidden = {256}, .dropout = 0.2},
       {.epochs = 2, .batch = 100, .optimizer = adam},
       0.3},
      {"digits.csv",
       "digit",
       {.hidden = {130, 40}, .real = BP_FLOAT64},
       {.epochs = 1, .batch = 64, .optimizer = sgd},
       0.3},
      {NULL, NULL, {.hidden = {64}, .activation = "gelu"}, {.epochs = 4, .schedule = "cosine"}, 0.9},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(tasks); i++) {
    char what[32];
    snprintf(what, sizeof what, "task %zu", i);
    assert_same_for_every_team(&tasks[i], what);
  }
}

/* Every optimiser, and every activation with it in turn. */
static void the_same_file_for_every_optimiser(void **state)
{
  static const char *const activations[] = {"relu", "tanh", "gelu", "sigmoid", "elu"};
  (void)state;
  for (int kind = 0; kind < BP_OPTIMIZER_COUNT; kind++) {
    task t = {"digits.csv",
              "digit",
              {.hidden = {200, 96}, .activation = activations[kind % 5]},
              {.epochs = 1, .batch = 96, .optimizer = {.kind = (bp_optimizer_kind)kind, .lr = 0.01}},
              0.15};
    char what[32];
    snprintf(what, sizeof what, "optimiser %d", kind);
    assert_same_for_every_team(&t, what);
  }
}

/* ---- the loader's end ---- */

static bool stop_at_once(void *user, const bp_progress *p)
{
  (void)user;
  return p->epoch < 2;
}

/* Training that is stopped, or fails, while batches are loaded ahead: no thread reads the data afterwards, and the next training works. */
static void the_loader_ends_with_the_training(void **state)
{
  (void)state;
  for (int processors = 1; processors <= 3; processors++) {
    bp_ctx *ctx = bp_ctx_new(&(bp_ctx_options){.threads = processors > 1 ? processors - 1 : 1});
    ctx->processors = processors;
    for (int round = 0; round < 4; round++) {
      bp_data *d = load_data(ctx, "digits.csv", "digit");
      bp_net *net = make_net(ctx, d, &(bp_net_options){.hidden = {24}});
      bp_train_options stopped = {.epochs = 50, .progress = stop_at_once},
                       diverging = {.epochs = 50, .optimizer = {.kind = BP_OPTIMIZER_SGD, .lr = 1e30}},
                       good = {.epochs = 1};
      assert_int_equal(bp_net_train(net, d, &stopped, NULL), BP_E_STOPPED);
      SUCCEEDS(bp_net_train(net, d, &good, NULL));
      assert_int_equal(bp_net_train(net, d, &diverging, NULL), BP_E_NOTFINITE);
      bp_net_free(net);
      bp_data_free(d);
    }
    bp_ctx_free(ctx);
  }
}

/* ---- prediction by many threads ---- */

enum { THREADS = 4, ROUNDS = 6, COLS = 64 };

typedef struct asker {
  bp_net *net;
  const float *x;
  const float *want;
  int64_t rows;
  int number;
  bool good;
} asker;

static void *ask(void *user)
{
  asker *a = user;
  int64_t classes = bp_net_outputs(a->net);
  float *out = malloc((size_t)(a->rows * classes) * sizeof *out);
  a->good = true;
  for (int round = 0; round < ROUNDS && a->good; round++) {
    /* Blocks of many sizes: whole ones, a few rows, one row. */
    int64_t n = round == 0 ? a->rows : 1 + (a->number * 37 + round * 53) % a->rows;
    a->good = bp_net_predict(a->net, a->x, n, out) == BP_OK;
    if (n == a->rows)
      a->good = a->good && memcmp(out, a->want, (size_t)(n * classes) * sizeof *out) == 0;
    for (int64_t i = 0; n > 4 && i < n / 128 * 128; i++)
      a->good =
          a->good && memcmp(out + i * classes, a->want + i * classes, (size_t)classes * sizeof *out) == 0;
    a->good = a->good && bp_net_classify(a->net, a->x + a->number * COLS) >= 0;
  }
  free(out);
  return NULL;
}

static void one_network_predicts_for_many_threads(void **state)
{
  (void)state;
  for (int pool = 1; pool < 4; pool += 2) {
    bp_ctx *ctx = bp_ctx_new(&(bp_ctx_options){.threads = pool});
    bp_data *d = load_data(ctx, "digits.csv", "digit");
    bp_net *net = make_net(ctx, d, &(bp_net_options){.hidden = {32}});
    int64_t rows = 300;
    float *x = malloc((size_t)(rows * COLS) * sizeof *x), *want = malloc((size_t)rows * 10 * sizeof *want);
    for (int64_t i = 0; i < rows; i++)
      SUCCEEDS(bp_data_row(d, i, x + i * COLS));
    SUCCEEDS(bp_net_predict(net, x, rows, want));
    asker a[THREADS];
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
      a[i] = (asker){.net = net, .x = x, .want = want, .rows = rows, .number = i};
      assert_int_equal(pthread_create(&threads[i], NULL, ask, &a[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
      assert_int_equal(pthread_join(threads[i], NULL), 0);
      assert_true(a[i].good);
    }
    free(x);
    free(want);
    bp_net_free(net);
    bp_data_free(d);
    bp_ctx_free(ctx);
  }
}

/* Two networks of one context, trained at once on the same data: each gives what it gives alone. */
typedef struct job {
  bp_ctx *ctx;
  const bp_data *data;
  int64_t width;
  char *bytes;
  size_t n;
} job;

static void *train_one(void *user)
{
  job *j = user;
  bp_net *net = bp_net_new(j->ctx, j->data, &(bp_net_options){.hidden = {j->width}});
  if (net && bp_net_train(net, j->data, &(bp_train_options){.epochs = 2, .batch = 50}, NULL) == BP_OK)
    j->bytes = copy_weights(net, &j->n);
  bp_net_free(net);
  return NULL;
}

static void two_trainings_at_once(void **state)
{
  (void)state;
  bp_ctx *ctx = bp_ctx_new(&(bp_ctx_options){.threads = 2});
  ctx->processors = 3;
  bp_data *d = load_data(ctx, "iris.csv", "species");
  job alone[2], both[2];
  pthread_t threads[2];
  for (int i = 0; i < 2; i++) {
    alone[i] = both[i] = (job){.ctx = ctx, .data = d, .width = 20 + i};
    train_one(&alone[i]);
  }
  for (int i = 0; i < 2; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, train_one, &both[i]), 0);
  for (int i = 0; i < 2; i++) {
    assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_true(both[i].bytes && both[i].n == alone[i].n);
    assert_memory_equal(both[i].bytes, alone[i].bytes, alone[i].n);
    free(both[i].bytes);
    free(alone[i].bytes);
  }
  bp_data_free(d);
  bp_ctx_free(ctx);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_same_file_twice_and_for_any_number_of_threads),
      cmocka_unit_test(the_same_file_for_every_optimiser),
      cmocka_unit_test(the_loader_ends_with_the_training),
      cmocka_unit_test(one_network_predicts_for_many_threads),
      cmocka_unit_test(two_trainings_at_once),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
