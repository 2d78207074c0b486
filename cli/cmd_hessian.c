/* The Hessian of a number that a program computes. */
#include "cmd.h"
#include "matrix.h"

static bp_status make_hessian(const matrix *m, const bp_jacobian_options *o, bp_jacobian **j)
{
  return bp_hessian_new(m->of[0], m->by.nodes, m->by.n, o, j);
}

static void tell_passes(const bp_jacobian_info *i)
{
  char many[32];
  if (i->forward)
    answer("%s Hessian-vector product%s", number_word(i->forward, many), i->forward == 1 ? "" : "s");
  else
    answer("no pass, as every entry is known");
}

int cmd_hessian(const settings *s)
{
  static const matrix_command hessian = {make_hessian, tell_passes, true};
  return matrix_run(s, &hessian);
}
