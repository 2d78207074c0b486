/* Schedules of the learning rate: a table of functions of the step. */
#include "train/schedule.h"

#include <math.h>
#include <string.h>

static const double PI = 3.14159265358979323846;

/* What is done with the learning rate asked for, at a step; step and steps without those of the warm-up. */
typedef double (*factor_of)(const bpi_schedule *s, const bpi_plateau *p, int64_t step, int64_t steps);

static double constant(const bpi_schedule *s, const bpi_plateau *p, int64_t step, int64_t steps)
{
  (void)s;
  (void)p;
  (void)step;
  (void)steps;
  return 1;
}

/* From `from` to `to`, as half a period. */
static double half_cosine(double from, double to, double share)
{
  return to + (from - to) * 0.5 * (1 + cos(PI * share));
}

static double cosine(const bpi_schedule *s, const bpi_plateau *p, int64_t step, int64_t steps)
{
  (void)s;
  (void)p;
  return half_cosine(1, 0, (double)step / (double)steps);
}

/* Epochs are counted from the first step of all, so that the rate changes between two of them. */
static double step_down(const bpi_schedule *s, const bpi_plateau *p, int64_t step, int64_t steps)
{
  (void)p;
  (void)steps;
  double epoch = floor((double)(step + s->warmup) / (double)s->per_epoch);
  return pow(s->asked.number[1], floor(epoch / s->asked.number[0]));
}

static double plateau(const bpi_schedule *s, const bpi_plateau *p, int64_t step, int64_t steps)
{
  (void)s;
  (void)step;
  (void)steps;
  return p->factor;
}

/* PyTorch's OneCycleLR, with its defaults: the highest rate is that of step 0.3 steps - 1. */
static double one_cycle(const bpi_schedule *s, const bpi_plateau *p, int64_t step, int64_t steps)
{
  (void)s;
  (void)p;
  double first = 1.0 / 25, last = first / 1e4, top = 0.3 * (double)steps - 1, end = (double)steps - 1;
  if ((double)step <= top && top > 0)
    return half_cosine(first, 1, (double)step / top);
  top = top > 0 ? top : 0;
  return end > top ? half_cosine(1, last, ((double)step - top) / (end - top)) : 1;
}

static const struct {
  const char *name;
  factor_of factor;
  int numbers;
  double preset[2]; /* epochs and factor */
} kinds[] = {
    {"constant", constant, 0, {0}},    {"cosine", cosine, 0, {0}},      {"step", step_down, 2, {30, 0.1}},
    {"plateau", plateau, 2, {5, 0.1}}, {"onecycle", one_cycle, 0, {0}},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

static bp_status take_numbers(bpi_schedule *s)
{
  bpi_named *a = &s->asked;
  if (a->n > kinds[s->kind].numbers)
    return bpi_fail(BP_E_ARG, "schedule %s takes %s in brackets", a->name,
                    kinds[s->kind].numbers ? "two numbers" : "nothing");
  for (; a->n < kinds[s->kind].numbers; a->n++)
    a->number[a->n] = kinds[s->kind].preset[a->n];
  if (a->n &&
      !(a->number[0] >= 1 && a->number[0] == floor(a->number[0]) && a->number[1] > 0 && a->number[1] <= 1))
    return bpi_fail(
        BP_E_ARG,
        "schedule %s(E,F): E is a whole number of epochs from 1 on, and F a factor over 0, at most 1",
        a->name);
  return BP_OK;
}

static bp_status no_such_schedule(const char *text)
{
  return bpi_fail(
      BP_E_ARG,
      "schedule '%s': there is none of that name; there are constant, cosine, step(E,F), plateau(E,F) "
      "and onecycle",
      text);
}

static bp_status read_schedule(const char *text, int64_t warmup, bpi_schedule *s)
{
  text = text ? text : kinds[0].name;
  bool read = bpi_named_read(text, &s->asked);
  for (s->kind = 0; read && s->kind < KINDS && strcmp(kinds[s->kind].name, s->asked.name) != 0; s->kind++)
    ;
  if (!read || s->kind == KINDS)
    return no_such_schedule(text);
  if (warmup < 0)
    return bpi_fail(BP_E_ARG, "schedule: warmup may not be negative");
  if (warmup && kinds[s->kind].factor == one_cycle)
    return bpi_fail(BP_E_ARG, "schedule onecycle has a warm-up of its own; leave warmup out");
  return take_numbers(s);
}

bp_status bp_schedule_check(const char *schedule, int64_t warmup)
{
  bpi_schedule s;
  return read_schedule(schedule, warmup, &s);
}

bp_status bpi_schedule_open(bpi_schedule *s, const bp_train_options *o, double base, int64_t per_epoch)
{
  *s = (bpi_schedule){
      .base = base, .steps = o->epochs * per_epoch, .per_epoch = per_epoch, .warmup = o->warmup};
  return read_schedule(o->schedule, o->warmup, s);
}

double bpi_schedule_rate(const bpi_schedule *s, const bpi_plateau *p, int64_t step)
{
  bool warming = step < s->warmup;
  int64_t steps = s->steps > s->warmup ? s->steps - s->warmup : 1;
  double rate = s->base * kinds[s->kind].factor(s, p, warming ? 0 : step - s->warmup, steps);
  return warming ? rate * (double)(step + 1) / (double)s->warmup : rate;
}

/* Better by a part in 10,000, as PyTorch's ReduceLROnPlateau wants it. */
void bpi_schedule_judge(const bpi_schedule *s, bpi_plateau *p, double loss)
{
  if (kinds[s->kind].factor != plateau)
    return;
  bool better = !(loss >= p->best - 1e-4 * fabs(p->best));
  p->best = better ? loss : p->best;
  p->bad = better ? 0 : p->bad + 1;
  if ((double)p->bad <= s->asked.number[0])
    return;
  p->factor *= s->asked.number[1];
  p->bad = 0;
}
