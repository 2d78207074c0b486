/* What was typed for a training, as what the library takes. */
#include "imageshape.h"
#include "input.h"
#include "nearest.h"
#include "outfile.h"
#include "train_job.h"

#include <stdio.h>
#include <string.h>

enum { MOST_SHOWN = 160 }; /* of a text, with a caret under it */

/* ---- what may be asked for ---- */

/* An activation that `bp_activation` takes: an elementwise row of one input. */
static bool is_activation(const bp_op *op)
{
  return op && (op->traits & BP_ELEMENTWISE) && !op->zero && op->args && *op->args &&
         !strchr(op->args, ',') && !(op->traits & BP_INTERNAL);
}

static int check_activation(const char *name)
{
  nearest n = nearest_to(name);
  if (!strcmp(name, "none") || !strncmp(name, "maxout(", 7) || is_activation(bp_op_find(name)))
    return END_DONE;
  for (size_t i = 0; i < bp_op_count(); i++)
    if (is_activation(bp_op_at(i)))
      nearest_try(&n, bp_op_at(i)->name);
  return fail(END_USAGE, "--activation: no elementwise operation of one input is called '%s'%s", name,
              nearest_hint(&n, ""));
}

static bool scale_is_all(int init)
{
  return init == BP_INIT_CONSTANT || init == BP_INIT_UNIFORM || init == BP_INIT_NORMAL;
}

/* --model says them all. */
static int check_model(const settings *s)
{
  static const char *const instead[] = {"hidden", "activation", "dropout"};
  int64_t shape[3];
  for (size_t i = 0; s->model && i < sizeof instead / sizeof *instead; i++)
    if (settings_given(s, instead[i]))
      return fail(END_USAGE, "--%s: --model says all layers; give one of the two", instead[i]);
  return image_shape(s, shape);
}

/* The text, and a caret under that column, from 1; of a short text in one line. */
static void show_place(const char *text, int column)
{
  if (strlen(text) <= MOST_SHOWN && !strpbrk(text, "\n\r\t"))
    fprintf(stderr, "  %s\n  %*s\n", shown(text), column, "^");
}

int train_model(train_job *j)
{
  const char *text = j->s->model;
  size_t at;
  if (!text)
    return END_DONE;
  bp_status st = bp_layers_check(j->ctx, text, NULL, &at);
  if (st != BP_E_PARSE)
    return st == BP_OK ? END_DONE : fail_status(st, END_USAGE);
  int end = fail(END_USAGE, "--model: %s", bp_error()), column = 0;
  for (size_t i = 0; i < at; i++)
    column += ((unsigned char)text[i] & 0xc0) != 0x80;
  show_place(text, column + 1);
  return end;
}

int train_check(const settings *s)
{
  bool sgd = s->optimizer == BP_OPTIMIZER_SGD;
  if (s->folds && settings_given(s, "valid") && s->valid.n)
    return fail(END_USAGE, "--folds: takes its validation rows from the data; leave --valid %s out",
                s->valid.files[0]);
  if (s->n_inputs == 2 && settings_given(s, "target"))
    return fail(END_USAGE,
                "--target: names a column of a CSV file, and two files are examples and their answers");
  if (s->momentum > 0 && !sgd)
    return fail(END_USAGE, "--momentum: is for --optimizer sgd; %s has its own",
                choice_text("optimizer", s->optimizer));
  if (s->nesterov && !(sgd && s->momentum > 0))
    return fail(END_USAGE, "--nesterov: needs --optimizer sgd and a --momentum");
  if (scale_is_all(s->init) && s->init_scale == 0)
    return fail(END_USAGE, "--init: %s needs an --init-scale", choice_text("init", s->init));
  if (s->dropout > 0 && s->hidden[0] == -1)
    return fail(END_USAGE, "--dropout: there is no hidden layer to drop values of (--hidden none)");
  int end = check_model(s);
  if (!end && (bp_loss_check(s->loss) != BP_OK || bp_schedule_check(s->schedule, s->warmup) != BP_OK))
    end = train_option_wrong(END_USAGE);
  if (!end)
    end = train_metric_check(s);
  return end ? end : check_activation(s->activation);
}

/* ---- the model file ---- */

/* The name of the data without its endings. */
static void default_output(const char *path, char *out, size_t size)
{
  static const char *const endings[] = {".gz",    ".csv",  ".tsv",  ".txt",  ".data", ".npy",
                                        "-ubyte", "-idx3", "-idx2", "-idx1", ".idx3", ".idx"};
  const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
  char stem[2048];
  snprintf(stem, sizeof stem, "%s", strcmp(path, "-") ? base : "model");
  for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
    size_t n = strlen(stem), m = strlen(endings[i]);
    if (n > m && !strcmp(stem + n - m, endings[i]))
      stem[n - m] = 0;
  }
  snprintf(out, size, "%s.safetensors", stem);
}

static int output_is_input(const train_job *j, const char *file)
{
  if (!same_path(file, j->output))
    return END_DONE;
  return fail(END_USAGE, "%s: is both input and output; name the model file with -o", file);
}

int train_output(train_job *j)
{
  const settings *s = j->s;
  int end = END_DONE;
  const char *name = j->order ? j->order->file : s->output ? s->output : s->resume;
  if (name && strlen(name) >= sizeof j->output)
    return fail(END_USAGE, "-o: the name is too long");
  if (name)
    snprintf(j->output, sizeof j->output, "%s", name);
  else
    default_output(s->inputs[0], j->output, sizeof j->output);
  for (int i = 0; i < s->n_inputs && !end; i++)
    end = output_is_input(j, s->inputs[i]);
  for (int i = 0; i < s->test.n && !end; i++)
    end = output_is_input(j, s->test.files[i]);
  for (int i = 0; i < s->valid.n && !end; i++)
    end = output_is_input(j, s->valid.files[i]);
  /* Found before an hour of training, not after it. */
  if (!end)
    end = trace_is_not(s, j->output);
  return end ? end : out_check(j->output, "a model file");
}

/* ---- what the library takes ---- */

bp_net_options train_net_options(const settings *s)
{
  bp_net_options o = {.activation = s->activation,
                      .dropout = s->dropout,
                      .init = {(bp_init_kind)s->init, s->init_scale},
                      .real = s->dtype == DTYPE_FLOAT64 ? BP_FLOAT64 : BP_FLOAT32,
                      .missing = (bp_missing)s->missing,
                      .embed_above = s->embed_above,
                      .seed = (uint64_t)s->seed,
                      .loss = s->loss,
                      .link = s->link ? choice_text("link", s->link) : NULL};
  if (s->model) {
    o.model = s->model;
    o.activation = NULL;
  } else {
    memcpy(o.hidden, s->hidden, sizeof o.hidden);
  }
  image_shape(s, o.shape);
  return o;
}

/* Settings have -1 for auto and 0 for none, the library 0 for its default and -1 for none. */
static double or_default(double x)
{
  return x < 0 ? 0 : x > 0 ? x : -1;
}

/* Under an expression that does not fit: what its names are. */
static void tell_names(const train_job *j)
{
  int64_t k = bp_data_classes(j->all);
  if (k)
    fprintf(
        stderr,
        "  p: outputs [rows, %lld]; y: classes [rows], whole numbers from 0 (arange(%lld) == y[:,None] are "
        "rows of 0 and 1); w: weights [rows, 1]\n",
        (long long)k, (long long)k);
  else
    fprintf(stderr, "  p: outputs, y: targets, both [rows, targets]; w: weights [rows, 1]\n");
}

int train_option_wrong(int end)
{
  static const char *const names[] = {"loss", "schedule", "augment"};
  const char *why = bp_error();
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (!strncmp(why, names[i], strlen(names[i])))
      return fail(END_USAGE, "--%s", why);
  return end;
}

int train_net_failed(const train_job *j)
{
  const char *why = bp_error();
  int column = 0;
  if (train_option_wrong(END_DONE)) {
    if (sscanf(why, "loss:1:%d:", &column) != 1)
      return END_USAGE;
    show_place(j->s->loss, column);
    tell_names(j);
    return END_USAGE;
  }
  if (j->s->freeze && strstr(why, "bp_params_freeze: no parameter"))
    return fail(END_USAGE, "--freeze: %s", strchr(why, ':') + 2);
  bool data = strstr(why, "missing values are refused") || strstr(why, "of the training data");
  return fail_null(j->s->start ? j->s->start : j->s->inputs[0], data ? END_DATA : END_USAGE);
}

static bp_optimizer optimizer_of(const train_job *j)
{
  const settings *s = j->s;
  return (bp_optimizer){.kind = (bp_optimizer_kind)s->optimizer,
                        .lr = s->lr,
                        .momentum = s->momentum,
                        .nesterov = s->nesterov,
                        .weight_decay = or_default(s->weight_decay),
                        .clip_norm = s->clip_norm,
                        .clip_value = s->clip_value,
                        .l1 = s->l1,
                        .max_norm = s->max_norm,
                        .rates = j->lists.rates,
                        .n_rates = j->lists.n_rates};
}

double train_rate(const settings *s)
{
  return bp_optimizer_lr(&(bp_optimizer){.kind = (bp_optimizer_kind)s->optimizer, .lr = s->lr});
}

/* By the validation rows, unless there are others for that, a network can be judged only before it learns from them. */
static void judge_before(void *user)
{
  const train_job *j = user;
  if (!j->test)
    train_card_judged(user);
}

/* Whether rows that were held out for validation are learned from in the end: of small tables every row counts. */
static bool wants_refit(const train_job *j)
{
  enum { AUTO, YES, FEW = 10000 };
  const settings *s = j->s;
  bool ours = j->valid && !s->valid.n, few = bp_data_rows(j->train) < FEW;
  return ours && !bp_data_file_bytes(j->all) && s->optimizer != BP_OPTIMIZER_LBFGS &&
         (s->refit == YES || (s->refit == AUTO && few));
}

bp_train_options train_options(train_job *j)
{
  const settings *s = j->s;
  return (bp_train_options){.epochs = j->fold_epochs ? j->fold_epochs : s->epochs,
                            .batch = s->batch,
                            .optimizer = optimizer_of(j),
                            .schedule = s->schedule,
                            .warmup = s->warmup,
                            .accumulate = s->accumulate,
                            .class_weights = j->lists.class_weights,
                            .balanced = j->lists.balanced,
                            .mixup = s->mixup,
                            .shift = j->lists.shift,
                            .flip = j->lists.flip,
                            .label_smoothing = or_default(s->label_smoothing),
                            .averaging = or_default(s->averaging),
                            .valid = j->valid,
                            .metric = j->valid ? s->metric : NULL,
                            .patience = s->patience,
                            .refit = wants_refit(j),
                            .refit_begins = judge_before,
                            .progress = train_epoch,
                            .checkpoint = j->output,
                            .checkpoint_steps = s->checkpoint.steps,
                            .checkpoint_seconds = s->checkpoint.seconds,
                            .saved = train_tell_checkpoint,
                            .stop = interrupt_flag(),
                            .resume = s->resume,
                            .user = j};
}
