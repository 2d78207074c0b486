/* The Jacobian of what a program computes. */
#include "cmd.h"
#include "matrix.h"

static bp_status make_jacobian(const matrix *m, const bp_jacobian_options *o, bp_jacobian **j)
{
  return bp_jacobian_new(m->of, m->n_of, m->by.nodes, m->by.n, o, j);
}

static void tell_passes(const bp_jacobian_info *i)
{
  char many[32];
  if (!i->forward && !i->reverse)
    answer("no pass, as every entry is known");
  if (i->forward)
    answer("%s forward pass%s", number_word(i->forward, many), i->forward == 1 ? "" : "es");
  if (i->forward && i->reverse)
    answer(" and ");
  if (i->reverse)
    answer("%s backward pass%s", number_word(i->reverse, many), i->reverse == 1 ? "" : "es");
}

int cmd_jacobian(const settings *s)
{
  static const matrix_command jacobian = {make_jacobian, tell_passes, false};
  return matrix_run(s, &jacobian);
}
