/* Model files: safetensors, with the network's description as JSON in the metadata.
 *
 * Tensors: every parameter by name in its shape; "input.mean", "input.scale", and for regression "target.mean", "target.scale".
 * Metadata: "bprop.version" and "bprop.net". What a file says is believed only after it was checked: a network is built from the
 * description, and each tensor must have the shape that the network gives it. */
#include "train/columns_json.h"
#include "train/notes.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* 1 had hidden widths and an activation instead of layers, no categories, missing values, several targets, shapes; it is read */
static const char version[] = "2";

/* ---- writing ---- */

/* Every number is a count, every switch 0 or 1, so that the reader needs no more of JSON than that. */
/* Names of the parameters that are not trained, with commas between them. */
static void describe_frozen(bpi_text *t, const bp_params *p)
{
  bool any = false;
  for (size_t i = 0; i < p->n; i++)
    if (p->list[i].frozen && !p->list[i].running) {
      bpi_textf(t, "%s%s", any ? "," : ",\"frozen\":\"", p->list[i].name);
      any = true;
    }
  if (any)
    bpi_textf(t, "\"");
}

static char *describe_net(const bp_net *net)
{
  bpi_text t;
  bpi_text_init(&t, net->ctx);
  const bpi_encoding *e = &net->encoding;
  bpi_textf(&t, "{\"inputs\":%lld,\"outputs\":%lld,\"classify\":%d,\"image\":%d,\"wide\":%d",
            (long long)e->cols, (long long)net->outputs, net->classes > 0, net->image,
            bp_state_real(net->state) == BP_FLOAT64);
  bpi_textf(&t, ",\"layers\":");
  bpi_json_text(&t, net->model);
  bpi_textf(&t, ",\"loss\":");
  bpi_json_text(&t, net->loss.text);
  if (bpi_loss_is_expression(&net->loss))
    bpi_textf(&t, ",\"link\":\"%s\"", bpi_link_name(net->loss.link));
  if (net->shape[0])
    bpi_textf(&t, ",\"shape\":[%lld,%lld,%lld]", (long long)net->shape[0], (long long)net->shape[1],
              (long long)net->shape[2]);
  if (e->refuse)
    bpi_textf(&t, ",\"refuse\":1");
  if (e->tails)
    bpi_textf(&t, ",\"tails\":1");
  describe_frozen(&t, net->params);
  bpi_json_fields(&t, "columns", e->fields, e->codings, e->cols);
  bpi_json_fields(&t, "targets", net->targets, NULL, net->n_targets);
  bpi_textf(&t, "}");
  return bpi_text_take(&t);
}

static bp_tensor vector_of(const char *name, const float *data, const int64_t *n)
{
  return (bp_tensor){name, BP_STORE_FLOAT32, 1, n, data, (size_t)*n * sizeof *data};
}

static bp_status list_tensors(const bp_net *net, bp_tensor *list, bp_type *types, size_t *count)
{
  size_t n = 0;
  bp_store store = bp_store_of(bp_state_real(net->state));
  for (int i = 0; i < bp_params_count(net->params); i++) {
    const char *name;
    void *data;
    bp_status s = bp_params_at(net->params, i, &name, &types[i], &data, NULL);
    if (s != BP_OK)
      return s;
    size_t bytes = (size_t)bpi_type_size(&types[i]) * bp_dtype_size(bp_state_real(net->state));
    list[n++] = (bp_tensor){name, store, types[i].rank, types[i].dims, data, bytes};
  }
  const bpi_encoding *e = &net->encoding;
  list[n++] = vector_of("input.mean", e->mean, &e->cols);
  list[n++] = vector_of("input.scale", e->scale, &e->cols);
  list[n++] = vector_of("input.fill", e->fill, &e->cols);
  if (!net->classes) {
    list[n++] = vector_of("target.mean", net->y_mean, &net->outputs);
    list[n++] = vector_of("target.scale", net->y_scale, &net->outputs);
  }
  *count = n;
  return BP_OK;
}

static bool tensor_finite(const void *data, int64_t n, bp_dtype real)
{
  for (int64_t i = 0; i < n; i++)
    if (!isfinite(real == BP_FLOAT32 ? (double)((const float *)data)[i] : ((const double *)data)[i]))
      return false;
  return true;
}

static bool tensors_finite(const bp_tensor *list, int n, bp_dtype real)
{
  for (int i = 0; i < n; i++)
    if (!tensor_finite(list[i].data, (int64_t)(list[i].bytes / bp_dtype_size(real)), real))
      return false;
  return true;
}

static void add_tensors(const bpi_more *more, bp_tensor *list, size_t *n)
{
  for (size_t i = 0; more->instead && i < *n; i++)
    list[i].data = more->instead(more->arg, list[i].data);
  for (size_t i = 0; i < more->n; i++)
    list[(*n)++] = more->tensors[i];
}

enum { OWN_METAS = 4 };

/* room: for OWN_METAS and all notes. */
static size_t list_metas(const bp_net *net, const char *description, const char *training,
                         const char *history, bp_meta *metas)
{
  const bp_meta own[OWN_METAS] = {{"bprop.version", version},
                                  {"bprop.net", description},
                                  {"bprop.training", training},
                                  {"bprop.history", history}};
  size_t n = 0;
  for (size_t i = 0; i < OWN_METAS; i++)
    if (own[i].value)
      metas[n++] = own[i];
  for (size_t i = 0; i < net->n_notes; i++)
    metas[n++] = (bp_meta){net->notes[i].key, net->notes[i].text};
  return n;
}

static bp_status save_metas(const bp_net *net, const char *path, const bp_tensor *list, size_t n,
                            const char *training)
{
  char *description = describe_net(net), *history = net->n_history ? bpi_history_text(net) : NULL;
  bp_meta *metas = bpi_alloc(net->ctx, net->n_notes + OWN_METAS, sizeof *metas);
  bool good = metas && description && (history || !net->n_history);
  bp_status s = good ? bp_tensors_save(net->ctx, path, list, n, metas,
                                       list_metas(net, description, training, history, metas))
                     : bpi_nomem();
  bpi_free(net->ctx, metas);
  bpi_free(net->ctx, history);
  bpi_free(net->ctx, description);
  return s;
}

bp_status bpi_net_write(const bp_net *net, const char *path, const bpi_more *more)
{
  if (net->build)
    return bpi_fail(BP_E_UNSUPPORTED, "bp_net_save: a network with its own build function has no description "
                                      "to save; save its parameters with bp_tensors_save");
  int parameters = bp_params_count(net->params);
  size_t most = (size_t)parameters + 5 + (more ? more->n : 0), n = 0;
  bp_tensor *list = bpi_alloc(net->ctx, most, sizeof *list);
  bp_type *types = bpi_alloc(net->ctx, most, sizeof *types);
  bp_status s = list && types ? list_tensors(net, list, types, &n) : bpi_nomem();
  if (s == BP_OK && more)
    add_tensors(more, list, &n);
  if (s == BP_OK && !tensors_finite(list, parameters, bp_state_real(net->state)))
    s = bpi_fail(BP_E_NOTFINITE, "bp_net_save: a parameter is NaN or infinite; such a file would not load");
  if (s == BP_OK)
    s = save_metas(net, path, list, n, more ? more->training : NULL);
  bpi_free(net->ctx, types);
  bpi_free(net->ctx, list);
  return s;
}

bp_status bp_net_save(const bp_net *net, const char *path)
{
  return net && path ? bpi_net_write(net, path, NULL) : bpi_bad_arg("bp_net_save", "net or path is NULL");
}

/* ---- reading ---- */

/* A description while it is read. */
typedef struct reading {
  bp_net *net;
  bpi_json j;
  const char *path;
  const bp_tensors *file;
  int64_t inputs, classify, image, wide, refuse, tails;
  bpi_field_list columns, targets;
  char *layers, *activation; /* version 1: the activation and */
  int64_t hidden[BPI_MAX_HIDDEN + 1];
  char *frozen;      /* NULL: none is */
  char *loss, *link; /* NULL: the usual ones */
  bool plain;        /* hidden is given */
  uint32_t seen;     /* keys met: bit i for key i of the table */
} reading;

static bool read_hidden(reading *r)
{
  r->plain = true;
  if (!bpi_json_expect(&r->j, '['))
    return false;
  if (bpi_json_accept(&r->j, ']'))
    return true;
  int n = 0;
  do {
    int64_t width;
    if (n == BPI_MAX_HIDDEN)
      return bpi_json_fail(&r->j, "more hidden layers than 16");
    if (!bpi_json_count(&r->j, &width))
      return false;
    if (width < 1 || width > 10000000)
      return bpi_json_fail(&r->j, "a hidden width is out of range");
    r->hidden[n++] = width;
  } while (bpi_json_accept(&r->j, ','));
  return bpi_json_expect(&r->j, ']');
}

static bool read_inputs(reading *r)
{
  return bpi_json_count(&r->j, &r->inputs);
}

static bool read_outputs(reading *r)
{
  return bpi_json_count(&r->j, &r->net->outputs);
}

static bool read_switch(reading *r, int64_t *to)
{
  return bpi_json_count(&r->j, to) && (*to <= 1 || bpi_json_fail(&r->j, "a switch is neither 0 nor 1"));
}

static bool read_classify(reading *r)
{
  return read_switch(r, &r->classify);
}

static bool read_image(reading *r)
{
  return read_switch(r, &r->image);
}

static bool read_wide(reading *r)
{
  return read_switch(r, &r->wide);
}

static bool read_refuse(reading *r)
{
  return read_switch(r, &r->refuse);
}

static bool read_tails(reading *r)
{
  return read_switch(r, &r->tails);
}

static bool read_shape(reading *r)
{
  int64_t *shape = r->net->shape;
  for (int i = 0; i < 3; i++)
    if (!bpi_json_expect(&r->j, i ? ',' : '[') || !bpi_json_count(&r->j, &shape[i]))
      return false;
  return bpi_json_expect(&r->j, ']');
}

static bool read_activation(reading *r)
{
  return bpi_json_copy(&r->j, &r->columns, &r->activation);
}

static bool read_layers(reading *r)
{
  return bpi_json_copy(&r->j, &r->columns, &r->layers);
}

static bool read_loss(reading *r)
{
  return bpi_json_copy(&r->j, &r->columns, &r->loss);
}

static bool read_frozen(reading *r)
{
  return bpi_json_copy(&r->j, &r->columns, &r->frozen);
}

static bool read_link(reading *r)
{
  return bpi_json_copy(&r->j, &r->columns, &r->link);
}

static bool read_columns(reading *r)
{
  return bpi_json_read_fields(&r->j, &r->columns);
}

static bool read_targets(reading *r)
{
  if (r->targets.n)
    return bpi_json_fail(&r->j, "the target stands twice");
  return bpi_json_read_fields(&r->j, &r->targets);
}

/* Version 1 had one target, with its name and its classes under keys of their own. */
static bpi_field *only_target(reading *r)
{
  if (r->targets.n > 1) {
    bpi_json_fail(&r->j, "the target stands twice");
    return NULL;
  }
  return r->targets.n ? r->targets.fields : bpi_field_list_add(&r->targets);
}

static bool read_target(reading *r)
{
  bpi_field *f = only_target(r);
  if (f && f->name && !*f->name) { /* the classes stood before it */
    bpi_free(r->net->ctx, f->name);
    f->name = NULL;
  }
  return f && bpi_json_copy(&r->j, &r->targets, &f->name);
}

static bool read_classes(reading *r)
{
  bpi_field *f = only_target(r);
  if (f && !f->name && !(f->name = bpi_strdup(r->net->ctx, ""))) {
    r->targets.memory = true;
    return false;
  }
  return f && bpi_json_read_texts(&r->j, &r->targets, f);
}

static const struct {
  const char *key;
  bool (*read)(reading *r);
  bool needed;
} keys[] = {{"inputs", read_inputs, true},
            {"outputs", read_outputs, true},
            {"classify", read_classify, true},
            {"image", read_image, true},
            {"wide", read_wide, true},
            {"hidden", read_hidden, false},
            {"activation", read_activation, false},
            {"layers", read_layers, false},
            {"loss", read_loss, false},
            {"link", read_link, false},
            {"target", read_target, false},
            {"columns", read_columns, false},
            {"classes", read_classes, false},
            {"targets", read_targets, false},
            {"shape", read_shape, false},
            {"refuse", read_refuse, false},
            {"tails", read_tails, false},
            {"frozen", read_frozen, false}};
enum { N_KEYS = sizeof keys / sizeof *keys };

static bool read_value(reading *r, const char *key)
{
  for (size_t i = 0; i < N_KEYS; i++)
    if (strcmp(key, keys[i].key) == 0) {
      if (r->seen & 1u << i)
        return bpi_json_fail(&r->j, "a key stands twice");
      r->seen |= 1u << i;
      return keys[i].read(r);
    }
  return bpi_json_fail(&r->j, "a key is unknown to this version");
}

static bool read_description(reading *r)
{
  if (!bpi_json_expect(&r->j, '{'))
    return false;
  do {
    char *key;
    if (!bpi_json_string(&r->j, &key) || !bpi_json_expect(&r->j, ':') || !read_value(r, key))
      return false;
  } while (bpi_json_accept(&r->j, ','));
  if (!bpi_json_expect(&r->j, '}'))
    return false;
  for (size_t i = 0; i < N_KEYS; i++)
    if (keys[i].needed && !(r->seen & 1u << i))
      return bpi_json_fail(&r->j, "a key is missing");
  bpi_json_accept(&r->j, 0); /* steps over blanks */
  return r->j.at == r->j.end || bpi_json_fail(&r->j, "something follows the description");
}

static bool right_targets(const reading *r)
{
  return !r->targets.n || r->targets.n == (r->classify ? 1 : r->net->outputs);
}

static bool right_shape(const reading *r)
{
  const int64_t *shape = r->net->shape;
  int64_t n;
  return shape[0] == 0 || (bpi_mul(shape[0], shape[1], &n) && bpi_mul(n, shape[2], &n) && n == r->inputs);
}

/* What the description claims, beside the tensors that are really there: no size is believed that no tensor bears out. Those of the
 * layers are compared once the network's parameters are known, which takes no memory for their values. */
static const char *check_description(const reading *r)
{
  const bp_net *net = r->net;
  const bp_tensor *mean = bp_tensors_find(r->file, "input.mean");
  const bpi_field *target = r->targets.fields;
  if (r->inputs < 1 || net->outputs < 1)
    return "there are no inputs or no outputs";
  if (!mean || mean->rank != 1 || mean->dims[0] != r->inputs)
    return "the number of inputs is not that of input.mean";
  if ((r->columns.n && r->columns.n != r->inputs) || !right_targets(r) || !right_shape(r))
    return "there are more or fewer columns, targets or classes than inputs and outputs";
  if (r->classify && target && target->texts && target->n != net->outputs)
    return "there are more or fewer names than classes";
  if (r->layers ? r->plain || r->activation : !r->plain || !r->activation)
    return "a key is missing, or layers and hidden widths are both there";
  return r->classify && net->outputs < 2 ? "there is one class only" : NULL;
}

static bool is_float(bp_store s)
{
  return s == BP_STORE_FLOAT16 || s == BP_STORE_BFLOAT16 || s == BP_STORE_FLOAT32 || s == BP_STORE_FLOAT64;
}

/* The tensor of that name, if it has this shape and holds reals. */
static const bp_tensor *tensor_of(const reading *r, const char *name, const bp_type *type)
{
  const bp_tensor *t = bp_tensors_find(r->file, name);
  if (!t) {
    bpi_fail(BP_E_MISMATCH, "%s: the model has no tensor '%s'", r->path, name);
    return NULL;
  }
  bp_type got = bpi_type(BP_REAL, t->rank, t->dims);
  if (bpi_same_shape(&got, type) && is_float(t->store))
    return t;
  bpi_fail(BP_E_MISMATCH,
           "%s: the model's tensor '%s' has another shape or element type than the description says", r->path,
           name);
  return NULL;
}

static bp_status take_tensor(const reading *r, const char *name, const bp_type *type, bp_dtype to, void *out)
{
  const bp_tensor *t = tensor_of(r, name, type);
  bp_status s = t ? bp_convert(t->data, t->store, bpi_type_size(type), to, out) : BP_E_MISMATCH;
  if (s == BP_OK && !tensor_finite(out, bpi_type_size(type), to))
    s = bpi_fail(BP_E_FORMAT, "%s: the model's tensor '%s' holds NaN or infinity", r->path, name);
  return s;
}

/* What a scale may be: of an input 0 too, which leaves a column out; of a target not. */
enum { ANY_VALUE, NOT_NEGATIVE, ABOVE_0 };

static bp_status take_vector(const reading *r, const char *name, int64_t n, int sign, float **to)
{
  bp_type type = bpi_type(BP_REAL, 1, &n);
  if (!tensor_of(r, name, &type))
    return BP_E_MISMATCH;
  *to = bpi_alloc(r->net->ctx, (size_t)n, sizeof **to);
  if (!*to)
    return bpi_nomem();
  bp_status s = take_tensor(r, name, &type, BP_FLOAT32, *to);
  for (int64_t i = 0; s == BP_OK && sign != ANY_VALUE && i < n; i++)
    if ((*to)[i] < 0 || (sign == ABOVE_0 && (*to)[i] == 0))
      s = bpi_fail(BP_E_FORMAT, "%s: the model's tensor '%s' holds a scale that is %s", r->path, name,
                   sign == ABOVE_0 ? "not above 0" : "negative");
  return s;
}

static bp_status take_vectors(const reading *r)
{
  bp_net *net = r->net;
  bpi_encoding *e = &net->encoding;
  const char *fill = bp_tensors_find(r->file, "input.fill") ? "input.fill" : "input.mean"; /* version 1 */
  bp_status s = take_vector(r, "input.mean", e->cols, ANY_VALUE, &e->mean);
  if (s == BP_OK)
    s = take_vector(r, "input.scale", e->cols, NOT_NEGATIVE, &e->scale);
  if (s == BP_OK)
    s = take_vector(r, fill, e->cols, ANY_VALUE, &e->fill);
  if (s == BP_OK && !net->classes)
    s = take_vector(r, "target.mean", net->outputs, ANY_VALUE, &net->y_mean);
  if (s == BP_OK && !net->classes)
    s = take_vector(r, "target.scale", net->outputs, ABOVE_0, &net->y_scale);
  return s;
}

/* Every parameter, first (fill false) only seen to be there in its shape, so that no memory is taken for what a description makes up. */
static bp_status take_parameters(const reading *r, bool fill)
{
  bp_net *net = r->net;
  bp_status s = BP_OK;
  for (int i = 0; s == BP_OK && i < bp_params_count(net->params); i++) {
    const char *name;
    bp_type type;
    void *data;
    s = bp_params_at(net->params, i, &name, &type, &data, NULL);
    if (s == BP_OK && !fill)
      s = tensor_of(r, name, &type) ? BP_OK : BP_E_MISMATCH;
    else if (s == BP_OK)
      s = take_tensor(r, name, &type, bp_state_real(net->state), data);
  }
  return s;
}

static bp_status wrong_description(const reading *r, const char *why)
{
  return bpi_fail(BP_E_FORMAT, "%s: the description of the network is wrong: %s", r->path, why);
}

static bp_status parse_description(reading *r, const char *text)
{
  bp_net *net = r->net;
  char *copy = bpi_strdup(net->ctx, text); /* the reader unescapes in place */
  if (!copy)
    return bpi_nomem();
  r->j = (bpi_json){copy, copy + strlen(copy), NULL};
  const char *why = read_description(r) ? check_description(r) : r->j.bad;
  bpi_free(net->ctx, copy);
  if (r->columns.memory || r->targets.memory)
    return bpi_nomem();
  return why ? wrong_description(r, why) : BP_OK;
}

/* Names must tell columns and categories apart, and the most common category must be one. */
static bp_status check_fields(const reading *r)
{
  const bpi_encoding *e = &r->net->encoding;
  bp_status s = bpi_fields_check(e->ctx, e->fields, e->cols);
  if (s == BP_OK)
    s = bpi_fields_check(e->ctx, r->net->targets, r->net->n_targets);
  if (s != BP_OK)
    return s == BP_E_NOMEM ? s : wrong_description(r, bp_error());
  for (int64_t c = 0; e->fields && c < e->cols; c++)
    if (e->fields[c].texts &&
        !(e->fill[c] >= 0 && e->fill[c] < (float)(e->fields[c].n ? e->fields[c].n : 1) &&
          e->fill[c] == floorf(e->fill[c])))
      return wrong_description(r, "the category that stands for a missing one does not exist");
  return BP_OK;
}

/* The columns that were read become the network's. */
static bp_status take_encoding(reading *r)
{
  bp_net *net = r->net;
  bpi_encoding *e = &net->encoding;
  *e = (bpi_encoding){.ctx = net->ctx, .cols = r->inputs, .refuse = r->refuse, .tails = r->tails};
  e->fields = r->columns.fields;
  if (r->columns.coded)
    e->codings = r->columns.codings;
  else
    bpi_free(net->ctx, r->columns.codings);
  net->targets = r->targets.fields;
  net->n_targets = r->targets.n;
  bpi_free(net->ctx, r->targets.codings);
  r->columns = r->targets = (bpi_field_list){.ctx = net->ctx};
  bp_status s = take_vectors(r);
  if (s == BP_OK)
    s = check_fields(r);
  if (s == BP_OK)
    s = bpi_encoding_layout(e);
  if (s == BP_E_ARG)
    s = wrong_description(r, bp_error());
  net->inputs = e->inputs;
  return s;
}

/* A model goes on being trained as it was. */
static bp_status freeze(reading *r)
{
  bp_status s = BP_OK;
  for (char *name = r->frozen, *next; s == BP_OK && name; name = next) {
    next = strchr(name, ',');
    if (next)
      *next++ = 0;
    s = bp_params_freeze(r->net->params, name);
  }
  return s == BP_E_NOTFOUND ? wrong_description(r, bp_error()) : s;
}

static bp_status build_net(reading *r)
{
  bp_net *net = r->net;
  net->classes = r->classify ? net->outputs : 0;
  net->image = r->image;
  net->seed = 1;
  bp_status s = bpi_loss_read(net->ctx, r->loss, r->link, r->classify, false, &net->loss);
  if (s != BP_OK)
    return s == BP_E_NOMEM ? s : wrong_description(r, bp_error());
  s = take_encoding(r);
  if (s != BP_OK)
    return s;
  s = r->layers ? bpi_net_read_layers(net, r->layers)
                : bpi_net_dense_layers(net, r->hidden, r->activation, 0);
  if (s == BP_OK)
    s = bpi_net_meet(net);
  if (s != BP_OK)
    return s == BP_E_NOMEM ? s : wrong_description(r, bp_error());
  s = take_parameters(r, false);
  if (s == BP_OK)
    s = freeze(r);
  if (s != BP_OK)
    return s;
  net->state = bp_state_new(net->ctx, r->wide ? BP_FLOAT64 : BP_FLOAT32);
  s = net->state ? bpi_params_place(net->params, net->state) : BP_E_NOMEM;
  if (s == BP_OK)
    s = take_parameters(r, true);
  if (s == BP_OK)
    s = bpi_notes_read(net, r->file);
  return s == BP_OK ? bpi_net_make(net) : s;
}

static bp_status read_net(reading *r)
{
  const char *text = bp_tensors_meta(r->file, "bprop.net"), *had = bp_tensors_meta(r->file, "bprop.version");
  if (!text || !had)
    return bpi_fail(BP_E_FORMAT,
                    "%s: is a safetensors file, but not a model of bprop (no bprop.net in its metadata)",
                    r->path);
  if (strcmp(had, version) != 0 && strcmp(had, "1") != 0)
    return bpi_fail(BP_E_UNSUPPORTED, "%s: is a model of version %s; this bprop reads versions 1 and %s",
                    r->path, had, version);
  bp_status s = parse_description(r, text);
  return s == BP_OK ? build_net(r) : s;
}

bp_status bpi_net_read(bp_ctx *ctx, bp_source *source, bp_net **out)
{
  bp_tensors *file = NULL;
  bp_net *net = NULL;
  *out = NULL;
  bp_status s = bp_tensors_read(ctx, source, &file);
  if (s == BP_OK) {
    net = bpi_net_alloc(ctx);
    reading r = {.net = net,
                 .path = source->name ? source->name : "input",
                 .file = file,
                 .columns = {.ctx = ctx},
                 .targets = {.ctx = ctx}};
    s = net ? read_net(&r) : BP_E_NOMEM;
    bpi_field_list_clear(&r.columns);
    bpi_field_list_clear(&r.targets);
    bpi_free(ctx, r.layers);
    bpi_free(ctx, r.activation);
    bpi_free(ctx, r.loss);
    bpi_free(ctx, r.link);
    bpi_free(ctx, r.frozen);
  }
  bp_tensors_free(file);
  if (s == BP_OK)
    *out = net;
  else
    bp_net_free(net);
  return s;
}

bp_net *bp_net_load(bp_ctx *ctx, const char *path, bp_status *status)
{
  bp_source source;
  bp_net *net = NULL;
  bp_status s =
      ctx && path ? bp_source_file(ctx, path, &source) : bpi_bad_arg("bp_net_load", "ctx or path is NULL");
  if (s == BP_OK) {
    s = bpi_net_read(ctx, &source, &net);
    bp_source_close(&source);
  }
  if (status)
    *status = s;
  return net;
}
