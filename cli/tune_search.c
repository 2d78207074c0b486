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

/* What is to be low: the loss, or the metric that was asked for, turned round where more is better. What is not defined is worst. */
static double cost(const tuning *t, trial_score x)
{
  double c = !t->metric ? x.loss : t->metric->higher ? -x.metric : x.metric;
  return isnan(c) ? INFINITY : c;
}

/* Of equals the lower loss, then the earlier. */
static bool is_better(const tuning *t, const trial *a, trial_score x, const trial *b, trial_score y)
{
  double p = cost(t, x), q = cost(t, y);
  return p != q ? p < q : x.loss != y.loss ? x.loss < y.loss : a->number < b->number;
}

/* The best first; failed ones go. Returns how many are left. */
static int64_t put_in_order(const tuning *t, trial **list, int64_t n, int rung)
{
  int64_t left = 0;
  for (int64_t i = 0; i < n; i++) {
    trial *x = list[i];
    if (x->failed || x->rungs <= rung)
      continue;
    int64_t k = left++;
    for (; k > 0 && is_better(t, x, x->reached[rung], list[k - 1], list[k - 1]->reached[rung]); k--)
      list[k] = list[k - 1];
    list[k] = x;
  }
  return left;
}

static void prefer(tuning *t, trial *x)
{
  bool known = !x->failed && !isnan(x->report.score.loss);
  if (known && (!t->best || is_better(t, x, x->report.score, t->best, t->best->report.score)))
    t->best = x;
}

static void choose_best(tuning *t, trial *const *list, int64_t n)
{
  for (int64_t i = 0; i < n; i++)
    if (!access(list[i]->file, R_OK))
      prefer(t, list[i]);
}

void tuning_choose(tuning *t)
{
  for (int64_t i = 1; i <= t->n; i++)
    prefer(t, t->trial[i]);
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
    n = put_in_order(t, list, n, rung);
    if (rung + 1 < rungs)
      n = a_third(n);
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
