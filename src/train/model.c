/* Model files: safetensors, with the network's description as JSON in the metadata.
 *
 * Tensors: every parameter by name in its shape; "input.mean", "input.scale", and for regression "target.mean", "target.scale".
 * Metadata: "bprop.version" and "bprop.net". What a file says is believed only after it was checked: a network is built from the
 * description, and each tensor must have the shape that the network gives it. */
#include "train/net.h"
#include "io/json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char version[] = "1";
enum { MOST_NAMES = 1000000 };

/* ---- writing ---- */

static void json_text(bpi_text *t, const char *s)
{
  bpi_textf(t, "\"");
  for (; *s; s++) {
    unsigned char c = (unsigned char)*s;
    if (c == '"' || c == '\\')
      bpi_textf(t, "\\%c", c);
    else if (c < 0x20)
      bpi_textf(t, "\\u%04x", c);
    else
      bpi_text_add(t, s, 1);
  }
  bpi_textf(t, "\"");
}

static void json_names(bpi_text *t, const char *key, char **names, int64_t n)
{
  if (!names)
    return;
  bpi_textf(t, ",\"%s\":[", key);
  for (int64_t i = 0; i < n; i++) {
    bpi_textf(t, "%s", i ? "," : "");
    json_text(t, names[i]);
  }
  bpi_textf(t, "]");
}

/* Every number is a count, every switch 0 or 1, so that the reader needs no more of JSON than that. */
static char *describe_net(const bp_net *net)
{
  bpi_text t;
  bpi_text_init(&t, net->ctx);
  bpi_textf(&t, "{\"inputs\":%lld,\"outputs\":%lld,\"classify\":%d,\"image\":%d,\"wide\":%d,\"hidden\":[",
            (long long)net->inputs, (long long)net->outputs, net->classes > 0, net->image,
            bp_state_real(net->state) == BP_FLOAT64);
  for (int k = 0; net->hidden[k] > 0; k++)
    bpi_textf(&t, "%s%lld", k ? "," : "", (long long)net->hidden[k]);
  bpi_textf(&t, "],\"activation\":");
  json_text(&t, net->activation);
  if (net->target) {
    bpi_textf(&t, ",\"target\":");
    json_text(&t, net->target);
  }
  json_names(&t, "columns", net->col_names, net->inputs);
  json_names(&t, "classes", net->class_names, net->classes);
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
  list[n++] = vector_of("input.mean", net->mean, &net->inputs);
  list[n++] = vector_of("input.scale", net->scale, &net->inputs);
  if (!net->classes) {
    list[n++] = vector_of("target.mean", net->y_mean, &net->outputs);
    list[n++] = vector_of("target.scale", net->y_scale, &net->outputs);
  }
  *count = n;
  return BP_OK;
}

bp_status bp_net_save(const bp_net *net, const char *path)
{
  if (!net || !path)
    return bpi_bad_arg("bp_net_save", "net or path is NULL");
  if (net->build)
    return bpi_fail(BP_E_UNSUPPORTED, "bp_net_save: a network with its own build function has no description "
                                      "to save; save its parameters with bp_tensors_save");
  size_t most = (size_t)bp_params_count(net->params) + 4, n = 0;
  bp_tensor *list = bpi_alloc(net->ctx, most, sizeof *list);
  bp_type *types = bpi_alloc(net->ctx, most, sizeof *types);
  char *text = describe_net(net);
  bp_status s = list && types && text ? list_tensors(net, list, types, &n) : bpi_nomem();
  bp_meta meta[2] = {{"bprop.version", version}, {"bprop.net", text}};
  if (s == BP_OK)
    s = bp_tensors_save(net->ctx, path, list, n, meta, 2);
  bpi_free(net->ctx, text);
  bpi_free(net->ctx, types);
  bpi_free(net->ctx, list);
  return s;
}

/* ---- reading ---- */

/* A description while it is read. */
typedef struct reading {
  bp_net *net;
  bpi_json j;
  int64_t n_columns, n_classes, classify, image, wide;
  bp_status status; /* of what is no mistake in the JSON: memory */
} reading;

static bool read_copy(reading *r, char **to)
{
  char *s;
  if (*to)
    return bpi_json_fail(&r->j, "a key stands twice");
  if (!bpi_json_string(&r->j, &s))
    return false;
  *to = bpi_strdup(r->net->ctx, s);
  if (!*to)
    r->status = bpi_nomem();
  return *to != NULL;
}

static bool read_names(reading *r, char ***names, int64_t *n)
{
  size_t cap = 0;
  if (*names)
    return bpi_json_fail(&r->j, "a key stands twice");
  if (!bpi_json_expect(&r->j, '['))
    return false;
  do {
    if (*n >= MOST_NAMES)
      return bpi_json_fail(&r->j, "a list is too long");
    if (!bpi_grow(r->net->ctx, (void **)names, &cap, (size_t)*n, sizeof **names)) {
      r->status = bpi_nomem();
      return false;
    }
    (*names)[*n] = NULL;
    if (!read_copy(r, &(*names)[*n]))
      return false;
    ++*n;
  } while (bpi_json_accept(&r->j, ','));
  return bpi_json_expect(&r->j, ']');
}

static bool read_hidden(reading *r)
{
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
    r->net->hidden[n++] = width;
  } while (bpi_json_accept(&r->j, ','));
  return bpi_json_expect(&r->j, ']');
}

static bool read_value(reading *r, const char *key)
{
  const struct {
    const char *key;
    int64_t *to;
  } counts[] = {{"inputs", &r->net->inputs},
                {"outputs", &r->net->outputs},
                {"classify", &r->classify},
                {"image", &r->image},
                {"wide", &r->wide}};
  for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
    if (strcmp(key, counts[i].key) == 0)
      return bpi_json_count(&r->j, counts[i].to);
  if (strcmp(key, "hidden") == 0)
    return read_hidden(r);
  if (strcmp(key, "activation") == 0)
    return read_copy(r, &r->net->activation);
  if (strcmp(key, "target") == 0)
    return read_copy(r, &r->net->target);
  if (strcmp(key, "columns") == 0)
    return read_names(r, &r->net->col_names, &r->n_columns);
  if (strcmp(key, "classes") == 0)
    return read_names(r, &r->net->class_names, &r->n_classes);
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
  return bpi_json_expect(&r->j, '}');
}

/* What the description claims, beside the tensors that are really there: no size is believed that no tensor bears out. */
static const char *check_description(reading *r, const bp_tensors *file)
{
  bp_net *net = r->net;
  const bp_tensor *mean = bp_tensors_find(file, "input.mean");
  if (net->inputs < 1 || net->outputs < 1 || r->classify > 1 || r->image > 1 || r->wide > 1 ||
      !net->activation)
    return "inputs, outputs or activation is missing or out of range";
  if (!mean || mean->rank != 1 || mean->dims[0] != net->inputs)
    return "the number of inputs is not that of input.mean";
  if ((r->n_columns && r->n_columns != net->inputs) ||
      (r->n_classes && (!r->classify || r->n_classes != net->outputs)))
    return "there are more or fewer names than columns or classes";
  if (r->classify && net->outputs < 2)
    return "there is one class only";
  int64_t in = net->inputs;
  for (int k = 0;; k++) {
    char name[32];
    int64_t out = net->hidden[k] > 0 ? net->hidden[k] : net->outputs;
    snprintf(name, sizeof name, "layer%d.b", k + 1);
    const bp_tensor *b = bp_tensors_find(file, name);
    if (!b || b->rank != 1 || b->dims[0] != out)
      return "a layer is not as wide as its tensors";
    snprintf(name, sizeof name, "layer%d.W", k + 1);
    const bp_tensor *w = bp_tensors_find(file, name);
    /* maxout narrows what the next layer sees, so only the rows are certain before the network is built. */
    if (!w || w->rank != 2 || w->dims[0] != out || (k == 0 && w->dims[1] != in))
      return "a layer is not as wide as its tensors";
    if (net->hidden[k] <= 0)
      return NULL;
  }
}

static bp_status take_tensor(bp_net *net, const bp_tensors *file, const char *name, const bp_type *type,
                             bp_dtype to, void *out)
{
  const bp_tensor *t = bp_tensors_find(file, name);
  if (!t)
    return bpi_fail(BP_E_MISMATCH, "the model has no tensor '%s'", name);
  bp_type got = bpi_type(BP_REAL, t->rank, t->dims);
  if (!bpi_same_shape(&got, type))
    return bpi_fail(BP_E_MISMATCH, "the model's tensor '%s' has another shape than its description says",
                    name);
  (void)net;
  return bp_convert(t->data, t->store, bpi_type_size(type), to, out);
}

static bp_status all_finite(const char *name, const float *v, int64_t n, bool positive)
{
  for (int64_t i = 0; i < n; i++)
    if (!isfinite(v[i]) || (positive && v[i] <= 0))
      return bpi_fail(BP_E_FORMAT, "the model's tensor '%s' has an impossible value", name);
  return BP_OK;
}

static bp_status take_vector(bp_net *net, const bp_tensors *file, const char *name, int64_t n, bool positive,
                             float **to)
{
  bp_type type = bpi_type(BP_REAL, 1, &n);
  *to = bpi_alloc(net->ctx, (size_t)n, sizeof **to);
  if (!*to)
    return bpi_nomem();
  bp_status s = take_tensor(net, file, name, &type, BP_FLOAT32, *to);
  return s == BP_OK ? all_finite(name, *to, n, positive) : s;
}

static bp_status take_parameters(bp_net *net, const bp_tensors *file)
{
  bp_status s = BP_OK;
  for (int i = 0; s == BP_OK && i < bp_params_count(net->params); i++) {
    const char *name;
    bp_type type;
    void *data;
    s = bp_params_at(net->params, i, &name, &type, &data, NULL);
    if (s == BP_OK)
      s = take_tensor(net, file, name, &type, bp_state_real(net->state), data);
  }
  return s;
}

static bp_status read_net(bp_net *net, const bp_tensors *file, const char *path)
{
  const char *text = bp_tensors_meta(file, "bprop.net"), *had = bp_tensors_meta(file, "bprop.version");
  if (!text || !had)
    return bpi_fail(BP_E_FORMAT,
                    "%s: is a safetensors file, but not a model of bprop (no bprop.net in its metadata)",
                    path);
  if (strcmp(had, version) != 0)
    return bpi_fail(BP_E_UNSUPPORTED, "%s: is a model of version %s; this bprop reads version %s", path, had,
                    version);
  char *copy = bpi_strdup(net->ctx, text); /* the reader unescapes in place */
  if (!copy)
    return bpi_nomem();
  reading r = {.net = net, .j = {copy, copy + strlen(copy), NULL}};
  bool good = read_description(&r);
  net->classes = r.n_classes; /* so that names are freed, whatever comes */
  const char *why = r.j.bad ? r.j.bad : good ? check_description(&r, file) : "?";
  bpi_free(net->ctx, copy);
  int64_t named_columns = r.n_columns;
  if (net->col_names && named_columns != net->inputs) {
    bpi_free_names(net->ctx, net->col_names, named_columns);
    net->col_names = NULL;
  }
  if (r.status != BP_OK)
    return r.status;
  if (why)
    return bpi_fail(BP_E_FORMAT, "%s: the description of the network is wrong: %s", path, why);
  net->classes = r.classify ? net->outputs : 0;
  net->image = r.image;
  net->seed = 1;
  net->state = bp_state_new(net->ctx, r.wide ? BP_FLOAT64 : BP_FLOAT32);
  bp_status s =
      net->state ? take_vector(net, file, "input.mean", net->inputs, false, &net->mean) : BP_E_NOMEM;
  if (s == BP_OK)
    s = take_vector(net, file, "input.scale", net->inputs, true, &net->scale);
  if (s == BP_OK && !net->classes)
    s = take_vector(net, file, "target.mean", net->outputs, false, &net->y_mean);
  if (s == BP_OK && !net->classes)
    s = take_vector(net, file, "target.scale", net->outputs, true, &net->y_scale);
  if (s == BP_OK)
    s = bpi_net_make(net);
  return s == BP_OK ? take_parameters(net, file) : s;
}

bp_net *bp_net_load(bp_ctx *ctx, const char *path, bp_status *status)
{
  bp_tensors *file = NULL;
  bp_net *net = NULL;
  bp_status s =
      ctx && path ? bp_tensors_load(ctx, path, &file) : bpi_bad_arg("bp_net_load", "ctx or path is NULL");
  if (s == BP_OK) {
    net = bpi_net_alloc(ctx);
    s = net ? read_net(net, file, path) : BP_E_NOMEM;
  }
  bp_tensors_free(file);
  if (status)
    *status = s;
  if (s == BP_OK)
    return net;
  bp_net_free(net);
  return NULL;
}
