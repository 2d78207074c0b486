/* What a model file tells beside the network: the caller's notes, and the epochs of its training. */
#include "train/notes.h"
#include "base/text.h"
#include "io/json.h"

#include <math.h>
#include <string.h>

/* ---- notes ---- */

static const char *const reserved[] = {"bprop.version", "bprop.net",   "bprop.training",
                                       "bprop.history", "bprop.check", "bprop.crc32c"};

static bool is_reserved(const char *key)
{
  for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
    if (strcmp(key, reserved[i]) == 0)
      return true;
  return false;
}

static bpi_note *find_note(const bp_net *net, const char *key)
{
  for (size_t i = 0; i < net->n_notes; i++)
    if (strcmp(net->notes[i].key, key) == 0)
      return &net->notes[i];
  return NULL;
}

static void remove_note(bp_net *net, bpi_note *note)
{
  bpi_free(net->ctx, note->key);
  bpi_free(net->ctx, note->text);
  net->n_notes--;
  memmove(note, note + 1, (size_t)(net->notes + net->n_notes - note) * sizeof *note);
}

/* In the order of their keys, so that equal notes give equal files however they came. */
static bp_status add_note(bp_net *net, const char *key, const char *text)
{
  if (!bpi_grow(net->ctx, (void **)&net->notes, &net->notes_room, net->n_notes, sizeof *net->notes))
    return bpi_nomem();
  bpi_note note = {bpi_strdup(net->ctx, key), bpi_strdup(net->ctx, text)};
  if (!note.key || !note.text) {
    bpi_free(net->ctx, note.key);
    bpi_free(net->ctx, note.text);
    return bpi_nomem();
  }
  size_t at = net->n_notes++;
  for (; at > 0 && strcmp(net->notes[at - 1].key, key) > 0; at--)
    net->notes[at] = net->notes[at - 1];
  net->notes[at] = note;
  return BP_OK;
}

static bool is_utf8(const char *text)
{
  const unsigned char *s = (const unsigned char *)text;
  for (size_t left = strlen(text), n; left; left -= n, s += n)
    if ((n = bpi_utf8(s, left)) == 0)
      return false;
  return true;
}

bp_status bp_net_set_note(bp_net *net, const char *key, const char *text)
{
  if (!net || !key || !*key)
    return bpi_bad_arg("bp_net_set_note", "net is NULL, or the key is missing");
  if (is_reserved(key) || !is_utf8(key) || (text && !is_utf8(text)))
    return bpi_bad_arg("bp_net_set_note",
                       "the key is one that the library writes, or key or text is not UTF-8");
  bpi_note *old = find_note(net, key);
  if (!text) {
    if (old)
      remove_note(net, old);
    return BP_OK;
  }
  if (!old)
    return add_note(net, key, text);
  char *copy = bpi_strdup(net->ctx, text);
  if (!copy)
    return bpi_nomem();
  bpi_free(net->ctx, old->text);
  old->text = copy;
  return BP_OK;
}

const char *bp_net_note(const bp_net *net, const char *key)
{
  const bpi_note *note = net && key ? find_note(net, key) : NULL;
  return note ? note->text : NULL;
}

bp_status bpi_notes_read(bp_net *net, const bp_tensors *file)
{
  bp_status s = BP_OK;
  for (size_t i = 0; s == BP_OK && i < bp_tensors_meta_count(file); i++) {
    const bp_meta *m = bp_tensors_meta_at(file, i);
    if (*m->key && !is_reserved(m->key))
      s = add_note(net, m->key, m->value);
  }
  const char *history = bp_tensors_meta(file, "bprop.history");
  return s == BP_OK && history ? bpi_history_read(net, history) : s;
}

void bpi_notes_free(bp_net *net)
{
  while (net->n_notes)
    remove_note(net, &net->notes[net->n_notes - 1]);
  bpi_free(net->ctx, net->notes);
  bpi_free(net->ctx, net->history);
  bpi_free(net->ctx, net->history_metric);
}

/* ---- history ---- */

enum { MOST_EPOCHS = 8192 };

void bpi_history_clear(bp_net *net)
{
  net->n_history = 0;
  net->history_every = 1;
}

bp_status bpi_history_name(bp_net *net, const char *metric)
{
  char *copy = metric ? bpi_strdup(net->ctx, metric) : NULL;
  bpi_free(net->ctx, net->history_metric);
  net->history_metric = copy;
  return metric && !copy ? bpi_nomem() : BP_OK;
}

/* Of a long training only epochs 1, 1 + every, 1 + 2 every, ... */
static void thin_out(bp_net *net)
{
  net->history_every *= 2;
  for (size_t i = 0; 2 * i < net->n_history; i++)
    net->history[i] = net->history[2 * i];
  net->n_history = (net->n_history + 1) / 2;
}

/* Six digits are enough for a curve, and short in the file; the same numbers come back from it. */
static double rounded(double x)
{
  char text[32];
  int n = bpi_format(text, sizeof text, "%.6g", x);
  return isfinite(x) && n > 0 && bpi_parse_double(text, (size_t)n, &x) ? x : NAN;
}

bp_status bpi_history_add(bp_net *net, const bp_epoch *e)
{
  if (net->n_history == MOST_EPOCHS)
    thin_out(net);
  if ((e->epoch - 1) % net->history_every != 0)
    return BP_OK;
  if (!bpi_grow(net->ctx, (void **)&net->history, &net->history_room, net->n_history, sizeof *net->history))
    return bpi_nomem();
  net->history[net->n_history++] = (bp_epoch){.epoch = e->epoch,
                                              .train_loss = rounded(e->train_loss),
                                              .valid_loss = rounded(e->valid_loss),
                                              .valid_metric = rounded(e->valid_metric)};
  return BP_OK;
}

int64_t bp_net_history(const bp_net *net, const bp_epoch **epochs)
{
  if (epochs)
    *epochs = net ? net->history : NULL;
  return net ? (int64_t)net->n_history : 0;
}

const char *bp_net_history_metric(const bp_net *net)
{
  return net && net->history_metric                   ? net->history_metric
         : net && bp_net_task(net) != BP_TASK_NUMBERS ? "accuracy"
                                                      : "r2";
}

/* JSON has no NaN. */
static void add_number(bpi_text *t, double x)
{
  if (isfinite(x))
    bpi_text_double(t, x);
  else
    bpi_textf(t, "null");
}

char *bpi_history_text(const bp_net *net)
{
  bpi_text t;
  bpi_text_init(&t, net->ctx);
  bpi_textf(&t, "{\"every\":%lld,", (long long)net->history_every);
  if (net->history_metric) /* a name of the table: nothing to escape */
    bpi_textf(&t, "\"metric\":\"%s\",", net->history_metric);
  bpi_textf(&t, "\"train_loss\":[");
  static const struct {
    const char *before;
    size_t at;
  } columns[] = {{"", offsetof(bp_epoch, train_loss)},
                 {"],\"valid_loss\":[", offsetof(bp_epoch, valid_loss)},
                 {"],\"valid_metric\":[", offsetof(bp_epoch, valid_metric)}};
  for (size_t c = 0; c < sizeof columns / sizeof *columns; c++) {
    bpi_textf(&t, "%s", columns[c].before);
    for (size_t i = 0; i < net->n_history; i++) {
      bpi_textf(&t, "%s", i ? "," : "");
      add_number(&t, *(const double *)(const void *)((const char *)&net->history[i] + columns[c].at));
    }
  }
  bpi_textf(&t, "]}");
  return bpi_text_take(&t);
}

typedef struct reading {
  bp_net *net;
  bpi_json j;
  bp_status status; /* of what is no mistake in the text: memory */
} reading;

/* One of the lists. The first says how many there are, the others must have as many. */
static bool read_list(reading *r, size_t at, bool first)
{
  bp_net *net = r->net;
  bpi_json *j = &r->j;
  size_t n = 0;
  if (!bpi_json_expect(j, '['))
    return false;
  if (bpi_json_accept(j, ']'))
    return first || net->n_history == 0;
  do {
    double x;
    if (!bpi_json_real(j, &x) || n == (first ? MOST_EPOCHS : net->n_history))
      return false;
    if (first)
      r->status = bpi_history_add(net, &(bp_epoch){.epoch = 1 + (int64_t)n * net->history_every});
    if (r->status != BP_OK)
      return false;
    *(double *)(void *)((char *)&net->history[n++] + at) = x;
  } while (bpi_json_accept(j, ','));
  return bpi_json_expect(j, ']') && n == net->n_history;
}

static bool read_key(bpi_json *j, char before, const char *want)
{
  char *key;
  return bpi_json_expect(j, before) && bpi_json_string(j, &key) && strcmp(key, want) == 0 &&
         bpi_json_expect(j, ':');
}

/* The metric, where it is not the usual one; then the first list. */
static bool read_metric(reading *r)
{
  char *key, *name;
  bpi_json *j = &r->j;
  if (!bpi_json_expect(j, ',') || !bpi_json_string(j, &key) || !bpi_json_expect(j, ':'))
    return false;
  if (strcmp(key, "metric") != 0)
    return strcmp(key, "train_loss") == 0;
  if (!bpi_json_string(j, &name) || !bp_metric_find(name, NULL))
    return false;
  r->status = bpi_history_name(r->net, name);
  return r->status == BP_OK && read_key(j, ',', "train_loss");
}

static bool read_history(reading *r)
{
  bp_net *net = r->net;
  bpi_json *j = &r->j;
  int64_t every;
  if (!read_key(j, '{', "every") || !bpi_json_count(j, &every) || every < 1 || every > 1 << 20 ||
      !read_metric(r))
    return false;
  net->history_every = every;
  return read_list(r, offsetof(bp_epoch, train_loss), true) && read_key(j, ',', "valid_loss") &&
         read_list(r, offsetof(bp_epoch, valid_loss), false) && read_key(j, ',', "valid_metric") &&
         read_list(r, offsetof(bp_epoch, valid_metric), false) && bpi_json_expect(j, '}');
}

bp_status bpi_history_read(bp_net *net, const char *text)
{
  char *copy = bpi_strdup(net->ctx, text); /* the reader unescapes in place */
  if (!copy)
    return bpi_nomem();
  reading r = {.net = net, .j = {copy, copy + strlen(copy), NULL}};
  bpi_history_clear(net);
  bool good = read_history(&r);
  bpi_free(net->ctx, copy);
  if (good)
    return BP_OK;
  bpi_history_clear(net);
  return r.status != BP_OK
             ? r.status
             : bpi_fail(BP_E_FORMAT, "the history of the training (bprop.history) is malformed");
}
