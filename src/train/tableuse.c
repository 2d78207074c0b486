/* What the columns of a table are for, as callers say it. */
#include "train/tableuse.h"
#include "train/columnlist.h"

typedef struct marking {
  const bp_table *t;
  bpi_use *use;
  int *target;
  int n_targets;
} marking;

static bp_status set_role(marking *m, int c, bpi_role r)
{
  static const char *const words[] = {"an input", "the target", "the weights", "ignored"};
  bpi_use *u = &m->use[c];
  if (u->role == r && r == BPI_TARGET)
    return bpi_fail(BP_E_ARG, "column '%s' stands twice among the targets", bpi_column_name(m->t, c));
  if (u->role != BPI_INPUT && u->role != r)
    return bpi_fail(BP_E_ARG, "column '%s' is asked for as %s and as %s", bpi_column_name(m->t, c),
                    words[u->role], words[r]);
  u->role = r;
  if (r == BPI_TARGET)
    m->target[m->n_targets++] = c;
  return BP_OK;
}

static bp_status mark_target(void *m, int c)
{
  return set_role(m, c, BPI_TARGET);
}

static bp_status mark_weights(void *m, int c)
{
  return set_role(m, c, BPI_WEIGHTS);
}

static bp_status mark_ignored(void *m, int c)
{
  return set_role(m, c, BPI_IGNORED);
}

static bp_status set_kind(marking *m, int c, bool categorical)
{
  bpi_use *u = &m->use[c];
  u->categorical = u->categorical || categorical;
  u->numeric = u->numeric || !categorical;
  if (u->categorical && u->numeric)
    return bpi_fail(BP_E_ARG, "column '%s' is asked for as categories and as numbers",
                    bpi_column_name(m->t, c));
  return BP_OK;
}

static bp_status mark_categorical(void *m, int c)
{
  return set_kind(m, c, true);
}

static bp_status mark_numeric(void *m, int c)
{
  return set_kind(m, c, false);
}

bp_status bpi_table_uses(bp_ctx *ctx, const bp_table *t, const bp_data_options *o, bpi_use *use, int *target,
                         int *n_targets)
{
  marking m = {t, use, target, 0};
  const struct {
    const char *list;
    bpi_column_visit mark;
  } lists[] = {{o->target, mark_target},
               {o->weights, mark_weights},
               {o->ignore, mark_ignored},
               {o->categorical, mark_categorical},
               {o->numeric, mark_numeric}};
  bp_status s = BP_OK;
  for (size_t i = 0; s == BP_OK && i < sizeof lists / sizeof *lists; i++)
    s = bpi_each_column(ctx, t, lists[i].list, lists[i].mark, &m);
  *n_targets = m.n_targets;
  return s;
}
