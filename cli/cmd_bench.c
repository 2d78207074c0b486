/* Benchmarks, by subject. */
#include "bench_gradient.h"
#include "bench_training.h"
#include "cmd.h"
#include "nearest.h"

#include <string.h>

static const struct {
  const char *name;
  int (*run)(const settings *s);
} subjects[] = {{"machine", bench_machine}, {"training", bench_training}, {"gradient", bench_gradient}};

/* All of them, where no subject is named. */
static int every_subject(const settings *s)
{
  int end = END_DONE;
  for (size_t i = 0; i < sizeof subjects / sizeof *subjects && !end; i++) {
    if (i && !s->json)
      answer("\n");
    end = subjects[i].run(s);
  }
  return end;
}

int cmd_bench(const settings *s)
{
  if (!s->n_inputs)
    return every_subject(s);
  nearest n = nearest_to(s->inputs[0]);
  for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++) {
    settings rest = *s;
    rest.inputs++;
    rest.n_inputs--;
    if (!strcmp(s->inputs[0], subjects[i].name))
      return subjects[i].run(&rest);
    nearest_try(&n, subjects[i].name);
  }
  return fail(END_USAGE, "there is no benchmark of '%s'%s: bprop bench [machine|training|gradient]",
              s->inputs[0], nearest_hint(&n, ""));
}
