/* Benchmarks, by subject. */
#include "bench_gradient.h"
#include "cmd.h"
#include "nearest.h"

#include <string.h>

static const struct {
  const char *name;
  int (*run)(const settings *s);
} subjects[] = {{"gradient", bench_gradient}};

int cmd_bench(const settings *s)
{
  nearest n = nearest_to(s->inputs[0]);
  for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++) {
    settings rest = *s;
    rest.inputs++;
    rest.n_inputs--;
    if (!strcmp(s->inputs[0], subjects[i].name))
      return subjects[i].run(&rest);
    nearest_try(&n, subjects[i].name);
  }
  return fail(END_USAGE, "there is no benchmark of '%s'%s: bprop bench gradient", s->inputs[0],
              nearest_hint(&n, ""));
}
