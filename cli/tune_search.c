/* The search: brackets of trials, of which the best go on. */
#include "tuning.h"
#include "stopwatch.h"

#include <math.h>
#include <unistd.h>

static void trial_ended(void *user, trial *x)
{
  tuning *t = user;
  tuning_tell_trial(t, x);
  study_tell(&t->s, t->id, "running", tuning_seconds(t));
}

/* ---- which are good ---- */

static bool is_better(const trial *a, double x, const trial *b, double y)
{
  return x < y || (x == y && a->number < b->number);
}

/* The lowest loss first, the earlier of equals; failed ones go. Returns how many are left. */
static int64_t put_in_order(trial **list, int64_t n, int rung)
{
  int64_t left = 0;
  for (int64_t i = 0; i < n; i++) {
    trial *x = list[i];
    if (x->failed || x->rungs <= rung)
      continue;
    int64_t k = left++;
    for (; k > 0 && is_better(x, x->rung_loss[rung], list[k - 1], list[k - 1]->rung_loss[rung]); k--)
      list[k] = list[k - 1];
    list[k] = x;
  }
  return left;
}

static void choose_best(tuning *t, trial *const *list, int64_t n)
{
  for (int64_t i = 0; i < n; i++) {
    trial *x = list[i];
    if (x->failed || isnan(x->report.loss) || x == t->best || access(x->file, R_OK))
      continue;
    if (t->best && !is_better(x, x->report.loss, t->best, t->best->report.loss))
      continue;
    t->best = x;
  }
}

/* Trains those that have not done the rung. */
static int climb(tuning *t, trial *const *list, int64_t n, int rung)
{
  trials_order o = {.s = &t->s,
                    .study = t->id,
                    .rung = rung,
                    .parallel = t->s.parallel ? t->s.parallel : bp_processors(),
                    .until = t->s.budget > 0 ? t->began + t->s.budget - t->before : INFINITY,
                    .ended = trial_ended,
                    .user = t};
  trial *todo[BRACKET];
  int64_t m = 0;
  for (int64_t i = 0; i < n; i++)
    if (list[i]->rungs <= rung)
      todo[m++] = list[i];
  return trials_run(&o, todo, m, &t->late);
}

/* Removes the files of all that are neither in the list nor the best; `before` was the best before this rung. */
static void leave_behind(const tuning *t, trial *const *list, int64_t n, int64_t first, const trial *before)
{
  for (int64_t i = 1; i <= t->n; i++) {
    const trial *x = t->trial[i];
    bool stays = x == t->best || (i < first && x != before);
    for (int64_t k = 0; k < n; k++)
      stays = stays || x == list[k];
    if (!stays)
      unlink(x->file);
  }
}

static int bracket(tuning *t, int64_t first, int64_t n)
{
  trial *list[BRACKET];
  int rungs = search_rungs(&t->s);
  for (int64_t i = 0; i < n; i++)
    list[i] = t->trial[first + i];
  for (int rung = 0; rung < rungs && n; rung++) {
    const trial *before = t->best;
    int end = climb(t, list, n, rung);
    choose_best(t, list, n);
    if (end || t->late)
      return end;
    n = put_in_order(list, n, rung);
    if (rung + 1 < rungs)
      n = rung_keeps(n);
    leave_behind(t, list, n, first, before);
  }
  return END_DONE;
}

int tuning_search(tuning *t)
{
  int64_t most = t->s.trials ? t->s.trials : t->s.budget > 0 ? MOST_TRIALS : BRACKET;
  int end = END_DONE;
  for (int64_t first = 1; first <= most && !end && !t->late; first += BRACKET) {
    int64_t n = most - first + 1 < BRACKET ? most - first + 1 : BRACKET;
    end = tuning_reach(t, first + n - 1) ? bracket(t, first, n) : fail_memory();
  }
  return end;
}
