/* Schedules of the learning rate: a table of functions of the step. */
#include "train/schedule.h"

#include <math.h>
#include <string.h>

static double constant(const bpi_schedule *s, int64_t step)
{
  (void)s;
  (void)step;
  return 1;
}

/* Half a period, to 0 over all steps (Loshchilov & Hutter 2017). */
static double cosine(const bpi_schedule *s, int64_t step)
{
  return 0.5 * (1 + cos(3.14159265358979323846 * (double)step / (double)s->steps));
}

static const struct {
  const char *name;
  double (*factor)(const bpi_schedule *s, int64_t step);
} kinds[] = {{"constant", constant}, {"cosine", cosine}};
enum { KINDS = sizeof kinds / sizeof *kinds };

bp_status bpi_schedule_open(bpi_schedule *s, const bp_train_options *o, double base, int64_t per_epoch)
{
  const char *name = o->schedule ? o->schedule : kinds[0].name;
  *s = (bpi_schedule){.base = base, .steps = o->epochs * per_epoch, .per_epoch = per_epoch};
  while (s->kind < KINDS && strcmp(kinds[s->kind].name, name) != 0)
    s->kind++;
  return s->kind < KINDS ? BP_OK : bpi_bad_arg("bp_net_train", "schedule must be constant or cosine");
}

double bpi_schedule_rate(const bpi_schedule *s, int64_t step)
{
  return s->base * kinds[s->kind].factor(s, step);
}
