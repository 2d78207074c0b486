/* The data of a training: what was read, and its parts. */
#include "dataset.h"
#include "input.h"
#include "train_job.h"

#include <string.h>

enum { FEWEST_TO_HOLD_OUT = 30 };

static int hold_out(train_job *j, double fraction, uint64_t seed, bp_data **held)
{
  bp_data *rest;
  double wanted = fraction * (double)bp_data_rows(j->train);
  bp_status st = bp_data_split(j->train, fraction, seed, &rest, held);
  if (st != BP_OK)
    return fail_status(st, END_DATA);
  j->cut_short = j->cut_short || (double)bp_data_rows(*held) < wanted - 1;
  if (j->train != j->all)
    bp_data_free(j->train);
  j->train = rest;
  return END_DONE;
}

static int split_data(train_job *j)
{
  const settings *s = j->s;
  uint64_t seed = (uint64_t)s->seed;
  int end = END_DONE;
  if (bp_data_classes(j->all) == 1)
    return fail(END_DATA, "%s: every row is of one class; there is nothing to learn",
                path_name(s->inputs[0]));
  if (s->test.fraction > 0)
    end = hold_out(j, s->test.fraction, seed, &j->test);
  bool stratified = bp_data_classes(j->all) > 0;
  j->valid_how = stratified ? " (stratified)" : "";
  if (end || s->folds || s->valid.n || s->valid.fraction <= 0)
    return end;
  if (bp_data_rows(j->train) < FEWEST_TO_HOLD_OUT && !settings_given(s, "valid"))
    return END_DONE;
  /* Another shuffle than that of the test rows, or the same rows would come first again. */
  return hold_out(j, s->valid.fraction, seed + 1000003, &j->valid);
}

int train_read(train_job *j)
{
  int end = dataset_read(j->ctx, j->s, j->s->inputs, j->s->n_inputs, &j->all);
  j->train = j->all;
  if (end && j->s->resume && !strcmp(j->s->inputs[0], "-"))
    return fail(
        end,
        "the data of this training came from standard input, and are needed again: bprop train - --resume "
        "%s < DATA",
        j->s->resume);
  return end ? end : split_data(j);
}

/* Files of their own are read for the network, so that columns and classes go by name. What training cannot have seen counts as missing, as in rows held
 * out, unless --unknown asks for an error. */
int train_read_more(train_job *j)
{
  const settings *s = j->s;
  bool strict = settings_given(s, "unknown") && s->unknown == BP_UNKNOWN_ERROR;
  int end = END_DONE;
  bp_net_set_unknown(j->net, strict ? BP_UNKNOWN_ERROR : BP_UNKNOWN_MISSING);
  if (s->valid.n)
    end = dataset_read_for(j->ctx, s, j->net, s->valid.files, s->valid.n, s->target, &j->valid);
  if (!end && s->test.n)
    end = dataset_read_for(j->ctx, s, j->net, s->test.files, s->test.n, s->target, &j->test);
  if (s->valid.n)
    j->valid_how = "";
  bp_net_set_unknown(j->net, BP_UNKNOWN_MISSING); /* of rows that were held out */
  return end;
}
