/* Checkpoints: model files that a training can go on from.
 *
 * Beside the best weights, which are the model's own tensors, such a file has every entry of the state as "training.NAME" (current weights,
 * the optimiser's vectors and counters, running values), and "training.numbers". The metadata "bprop.training" say where the training stands,
 * and what it was made with. Order of the rows and random nodes are functions of seed, epoch and step, so there is nothing else to keep. */
#include "train/trainer.h"
#include "base/text.h"
#include "io/json.h"

#include <math.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum { NAME_ROOM = 64 }; /* of a tensor; the entries of a network's state have short names */
static const char prefix[] = "training.", numbers_name[] = "training.numbers";

/* ---- what a training is made with ---- */

typedef enum field_kind { COUNT, NUMBER, SWITCH, TEXT, KIND } field_kind;
#define FIELD(name, field, kind) \
  {                              \
    name, OFFSET(field), kind    \
  }
#define OFFSET(field) offsetof(bp_train_options, field)

/* Every option that changes what comes out. Not epochs: more of them are allowed. */
static const struct {
  const char *name;
  size_t at;
  field_kind kind;
} fields[] = {
    FIELD("batch", batch, COUNT),
    FIELD("patience", patience, COUNT),
    FIELD("metric", metric, TEXT),
    FIELD("label smoothing", label_smoothing, NUMBER),
    FIELD("schedule", schedule, TEXT),
    FIELD("averaging", averaging, NUMBER),
    FIELD("refit", refit, SWITCH),
    FIELD("optimizer", optimizer.kind, KIND),
    FIELD("learning rate", optimizer.lr, NUMBER),
    FIELD("momentum", optimizer.momentum, NUMBER),
    FIELD("nesterov", optimizer.nesterov, SWITCH),
    FIELD("beta1", optimizer.beta1, NUMBER),
    FIELD("beta2", optimizer.beta2, NUMBER),
    FIELD("epsilon", optimizer.epsilon, NUMBER),
    FIELD("weight decay", optimizer.weight_decay, NUMBER),
    FIELD("clip norm", optimizer.clip_norm, NUMBER),
    FIELD("clip value", optimizer.clip_value, NUMBER),
    FIELD("l1", optimizer.l1, NUMBER),
    FIELD("max norm", optimizer.max_norm, NUMBER),
    FIELD("memory", optimizer.memory, COUNT),
    FIELD("warm-up", warmup, COUNT),
    FIELD("accumulate", accumulate, COUNT),
    FIELD("balanced", balanced, SWITCH),
    FIELD("mixup", mixup, NUMBER),
    FIELD("shift", shift, COUNT),
    FIELD("flip", flip, SWITCH),
};

static void add_field(bpi_text *text, const void *at, field_kind kind)
{
  switch (kind) {
  case COUNT:
    bpi_textf(text, "%lld", (long long)*(const int64_t *)at);
    break;
  case NUMBER:
    bpi_text_double(text, *(const double *)at);
    break;
  case SWITCH:
    bpi_textf(text, "%s", *(const bool *)at ? "yes" : "no");
    break;
  case TEXT:
    bpi_textf(text, "%s", *(const char *const *)at ? *(const char *const *)at : "default");
    break;
  case KIND:
    bpi_textf(text, "%d", (int)*(const bp_optimizer_kind *)at);
    break;
  }
}

static void add_lists(bpi_text *text, const bpi_trainer *t)
{
  const bp_train_options *o = &t->o;
  bpi_textf(text, "; class weights");
  for (int64_t k = 0; o->class_weights && k < t->net->classes; k++) {
    bpi_textf(text, " ");
    bpi_text_double(text, o->class_weights[k]);
  }
  bpi_textf(text, "; rates");
  for (size_t i = 0; i < o->optimizer.n_rates; i++) {
    bpi_textf(text, " %s=", o->optimizer.rates[i].name);
    bpi_text_double(text, o->optimizer.rates[i].rate);
  }
}

/* "batch 32; patience 16; ..." with the rows that it is trained on. */
static char *made_with(const bpi_trainer *t)
{
  bpi_text text;
  bpi_text_init(&text, t->net->ctx);
  bpi_textf(&text, "training rows %lld; validation rows %lld; training data %016llx; validation data %016llx",
            (long long)t->data->n, (long long)(t->o.valid ? t->o.valid->n : 0),
            (unsigned long long)t->data_hash, (unsigned long long)t->valid_hash);
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
    bpi_textf(&text, "; %s ", fields[i].name);
    add_field(&text, (const char *)&t->o + fields[i].at, fields[i].kind);
  }
  add_lists(&text, t);
  return bpi_text_take(&text);
}

/* The first part that is different, told; both begin with the same names. */
static bp_status differs(const char *path, const char *then, const char *now)
{
  for (;;) {
    size_t n = strcspn(then, ";"), m = strcspn(now, ";");
    if (n != m || strncmp(then, now, n) != 0)
      return bpi_fail(BP_E_MISMATCH,
                      "%s: cannot go on: it was made with %.*s, and here it is %.*s. Data and options must "
                      "be those of the "
                      "first call",
                      path, (int)n, then, (int)m, now);
    if (!then[n] && !now[m])
      return BP_OK;
    if (!then[n] || !now[m])
      return bpi_fail(BP_E_MISMATCH, "%s: cannot go on: it was made by another version", path);
    then += n + 2;
    now += m + 2;
  }
}

/* ---- numbers that a place has ---- */

static const size_t reals[] = {
    offsetof(bpi_stand, sum),        offsetof(bpi_stand, best_loss),      offsetof(bpi_stand, best_metric),
    offsetof(bpi_stand, best_train), offsetof(bpi_stand, plateau.factor), offsetof(bpi_stand, plateau.best),
    offsetof(bpi_stand, most)};
static const struct {
  const char *name;
  size_t at;
} counts[] = {{"epoch", offsetof(bpi_stand, epoch)},
              {"step", offsetof(bpi_stand, step)},
              {"best_epoch", offsetof(bpi_stand, best_epoch)},
              {"better_epoch", offsetof(bpi_stand, better_epoch)},
              {"bad_epochs", offsetof(bpi_stand, plateau.bad)}};
enum { REALS = sizeof reals / sizeof *reals, COUNTS = sizeof counts / sizeof *counts };

static double *real_at(bpi_stand *p, size_t i)
{
  return (double *)(void *)((char *)p + reals[i]);
}

static int64_t *count_at(bpi_stand *p, size_t i)
{
  return (int64_t *)(void *)((char *)p + counts[i].at);
}

/* ---- writing ---- */

/* Of data that are trained on there is one hash, however often it is saved. */
static void hash_data(bpi_trainer *t)
{
  if (t->hashed)
    return;
  t->data_hash = bp_data_hash(t->data);
  t->valid_hash = bp_data_hash(t->o.valid);
  t->hashed = true;
}

static char *training_text(bpi_trainer *t)
{
  hash_data(t);
  char *with = made_with(t);
  bpi_text text;
  bpi_text_init(&text, t->net->ctx);
  bpi_textf(&text, "{\"seed\":%llu", (unsigned long long)t->net->seed);
  for (size_t i = 0; i < COUNTS; i++)
    bpi_textf(&text, ",\"%s\":%lld", counts[i].name, (long long)*count_at(&t->at, i));
  bpi_textf(&text, ",\"with\":\"%s\"}", with ? with : "");
  char *out = bpi_text_take(&text);
  if (with)
    bpi_free(t->net->ctx, with);
  else
    bpi_free(t->net->ctx, out);
  return with ? out : NULL;
}

/* The best weights instead of the current ones. */
static const void *best_instead(const void *arg, const void *value)
{
  const bpi_trainer *t = arg;
  return bpi_params_kept(t->net->params, t->best, value);
}

/* The entries of the state. names: room for one name each. */
static bp_status list_state(bpi_trainer *t, bp_tensor *list, bp_type *types, char (*names)[NAME_ROOM])
{
  bp_state *state = t->net->state;
  for (int i = 0; i < bp_state_count(state); i++) {
    const char *name;
    void *data;
    bp_status s = bp_state_array(state, i, &name, &types[i], &data);
    if (s != BP_OK)
      return s;
    bool whole = types[i].dtype == BP_INT64;
    snprintf(names[i], sizeof *names, "%s%s", prefix, name);
    list[i] = (bp_tensor){
        names[i],      whole ? BP_STORE_INT64 : bp_store_of(bp_state_real(state)),
        types[i].rank, types[i].dims,
        data,          (size_t)bpi_type_size(&types[i]) * (whole ? 8 : bp_dtype_size(bp_state_real(state)))};
  }
  return BP_OK;
}

static bp_status write_file(bpi_trainer *t, bp_tensor *list, bp_type *types, char (*names)[NAME_ROOM],
                            const char *training)
{
  int n = bp_state_count(t->net->state);
  double numbers[REALS];
  int64_t dims = REALS;
  for (size_t i = 0; i < REALS; i++)
    numbers[i] = *real_at(&t->at, i);
  bp_status s = list_state(t, list, types, names);
  if (s != BP_OK)
    return s;
  list[n] = (bp_tensor){numbers_name, BP_STORE_FLOAT64, 1, &dims, numbers, sizeof numbers};
  bpi_more more = {.tensors = list,
                   .n = (size_t)n + 1,
                   .training = training,
                   .instead = t->at.best_epoch ? best_instead : NULL,
                   .arg = t};
  return bpi_net_write(t->net, t->o.checkpoint, &more);
}

static bp_status write_checkpoint(bpi_trainer *t)
{
  bp_ctx *ctx = t->net->ctx;
  size_t n = (size_t)bp_state_count(t->net->state);
  bp_tensor *list = bpi_alloc(ctx, n + 1, sizeof *list);
  bp_type *types = bpi_alloc(ctx, n, sizeof *types);
  char(*names)[NAME_ROOM] = bpi_alloc(ctx, n, sizeof *names);
  char *training = training_text(t);
  bp_status s =
      list && types && names && training ? write_file(t, list, types, names, training) : bpi_nomem();
  void *own[] = {training, names, types, list};
  for (size_t i = 0; i < sizeof own / sizeof *own; i++)
    bpi_free(ctx, own[i]);
  return s;
}

bool bpi_checkpoint_due(const bpi_trainer *t)
{
  enum { LOOK_AT_THE_CLOCK = 16 }; /* steps: of small networks a step takes less than asking for the time */
  if (!t->o.checkpoint)
    return false;
  if (t->o.checkpoint_steps && t->at.step % t->o.checkpoint_steps == 0)
    return true;
  return t->o.checkpoint_seconds > 0 && t->at.step % LOOK_AT_THE_CLOCK == 0 &&
         bpi_now() - t->saved >= t->o.checkpoint_seconds;
}

/* Signals that end a program wait, so that none leaves a temporary file. */
static bp_status write_undisturbed(bpi_trainer *t)
{
  sigset_t ends, before;
  sigemptyset(&ends);
  sigaddset(&ends, SIGINT);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGHUP);
  bool held = pthread_sigmask(SIG_BLOCK, &ends, &before) == 0;
  bp_status s = write_checkpoint(t);
  if (held)
    pthread_sigmask(SIG_SETMASK, &before, NULL);
  return s;
}

bool bpi_checkpoint_save(bpi_trainer *t)
{
  bp_saved told = {.path = t->o.checkpoint,
                   .status = write_undisturbed(t),
                   .epoch = t->at.epoch,
                   .step = bpi_step_of_epoch(t)};
  t->saved = bpi_now();
  if (told.status != BP_OK)
    bpi_log(t->net->ctx, BP_LOG_WARN, "the training was not saved: %s", bp_error());
  return !t->o.saved || t->o.saved(t->o.user, &told);
}

/* ---- reading ---- */

/* Of the text that a file has about its training. */
typedef struct told {
  bpi_stand at;
  int64_t seed;
  char *with; /* in the text */
} told;

static bool read_key(bpi_json *j, char before, const char *want)
{
  char *key;
  return bpi_json_expect(j, before) && bpi_json_string(j, &key) && strcmp(key, want) == 0 &&
         bpi_json_expect(j, ':');
}

/* Written by this file alone, so the keys come in this order. */
static bool read_training(bpi_json *j, told *to)
{
  if (!read_key(j, '{', "seed") || !bpi_json_count(j, &to->seed))
    return false;
  for (size_t i = 0; i < COUNTS; i++)
    if (!read_key(j, ',', counts[i].name) || !bpi_json_count(j, count_at(&to->at, i)))
      return false;
  return read_key(j, ',', "with") && bpi_json_string(j, &to->with) && bpi_json_expect(j, '}');
}

/* A place that this training can stand at. */
static bool possible(const bpi_trainer *t, const bpi_stand *p)
{
  if (p->epoch < 1 || p->epoch > 100000000 + 1 || p->best_epoch < 0 || p->best_epoch >= p->epoch ||
      p->better_epoch < 0 || p->better_epoch >= p->epoch)
    return false;
  int64_t step = p->step - (p->epoch - 1) * t->per_epoch;
  return p->step >= 0 && step >= 0 && step <= t->per_epoch;
}

static bp_status malformed(const bpi_trainer *t)
{
  return bpi_fail(BP_E_FORMAT, "%s: what it says about its training is malformed", t->o.resume);
}

static bp_status take_told(bpi_trainer *t, const told *from)
{
  hash_data(t);
  char *now = made_with(t);
  if (!now)
    return bpi_nomem();
  bp_status s = differs(t->o.resume, from->with, now);
  bpi_free(t->net->ctx, now);
  if (s == BP_OK && !possible(t, &from->at))
    s = malformed(t);
  if (s != BP_OK)
    return s;
  t->at = from->at;
  t->net->seed = (uint64_t)from->seed;
  t->plan.key[0] = from->seed;
  return BP_OK;
}

static bp_status take_training(bpi_trainer *t, const bp_tensors *file)
{
  const char *text = bp_tensors_meta(file, "bprop.training");
  if (!text)
    return bpi_fail(
        BP_E_ORDER,
        "%s: its training is finished, and it has nothing to go on from; a new training may start from it",
        t->o.resume);
  char *copy = bpi_strdup(t->net->ctx, text);
  if (!copy)
    return bpi_nomem();
  bpi_json j = {copy, copy + strlen(copy), NULL};
  told from = {0};
  bp_status s = read_training(&j, &from) ? take_told(t, &from) : malformed(t);
  bpi_free(t->net->ctx, copy);
  return s;
}

/* The tensor of that name into memory for values of that type. */
static bp_status take(const bpi_trainer *t, const bp_tensors *file, const char *name, const bp_type *type,
                      void *to)
{
  const bp_tensor *tensor = bp_tensors_find(file, name);
  bool whole = type->dtype == BP_INT64, fits = false;
  bp_dtype real = whole ? BP_INT64 : bp_state_real(t->net->state);
  if (tensor) {
    bp_type got = bpi_type(type->dtype, tensor->rank, tensor->dims);
    fits = bpi_same_shape(&got, type) && tensor->store == (whole ? BP_STORE_INT64 : bp_store_of(real));
  }
  if (!fits)
    return bpi_fail(BP_E_MISMATCH, "%s: cannot go on: the tensor '%s' is %s", t->o.resume, name,
                    tensor ? "of another shape or element type" : "missing");
  return bp_convert(tensor->data, tensor->store, bpi_type_size(type), real, to);
}

/* The model's own tensors are the best weights. */
static bp_status take_best(bpi_trainer *t, const bp_tensors *file)
{
  bp_status s = BP_OK;
  for (int i = 0; s == BP_OK && i < bp_params_count(t->net->params); i++) {
    const char *name;
    bp_type type;
    void *data;
    s = bp_params_at(t->net->params, i, &name, &type, &data, NULL);
    if (s == BP_OK)
      s = take(t, file, name, &type, data);
  }
  if (s == BP_OK)
    bpi_params_keep(t->net->params, t->best);
  return s;
}

static bp_status take_state(bpi_trainer *t, const bp_tensors *file)
{
  bp_state *state = t->net->state;
  bp_status s = BP_OK;
  for (int i = 0; s == BP_OK && i < bp_state_count(state); i++) {
    const char *name;
    char full[NAME_ROOM];
    bp_type type;
    void *data;
    s = bp_state_array(state, i, &name, &type, &data);
    if (s != BP_OK)
      break;
    snprintf(full, sizeof full, "%s%s", prefix, name);
    s = take(t, file, full, &type, data);
  }
  return s;
}

static bp_status take_numbers(bpi_trainer *t, const bp_tensors *file)
{
  const bp_tensor *tensor = bp_tensors_find(file, numbers_name);
  double numbers[REALS];
  if (!tensor || tensor->store != BP_STORE_FLOAT64 || tensor->rank != 1 || tensor->dims[0] != REALS)
    return malformed(t);
  bp_status s = bp_convert(tensor->data, tensor->store, REALS, BP_FLOAT64, numbers);
  for (size_t i = 0; s == BP_OK && i < REALS; i++)
    *real_at(&t->at, i) = numbers[i];
  return s;
}

bp_status bpi_checkpoint_restore(bpi_trainer *t)
{
  bp_tensors *file = NULL;
  bp_status s = bp_tensors_load(t->net->ctx, t->o.resume, &file);
  if (s == BP_OK)
    s = take_training(t, file);
  if (s == BP_OK)
    s = take_numbers(t, file);
  if (s == BP_OK)
    s = take_best(t, file);
  if (s == BP_OK)
    s = take_state(t, file);
  bp_tensors_free(file);
  return s;
}
