/* Parameters: met in a first round of building, made, then read as views of one vector. Running values likewise, in a vector of their own.
 *
 * Matrices come before vectors in the vector, as weight decay is for matrices alone: the decay of a vector is then two constant runs. */
#include "nn/params.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

bp_params *bp_params_new(bp_ctx *ctx)
{
  bp_params *p = ctx ? bpi_zalloc(ctx, 1, sizeof *p) : NULL;
  if (!p) {
    if (ctx)
      bpi_nomem();
    else
      bpi_bad_arg("bp_params_new", "ctx is NULL");
    return NULL;
  }
  p->ctx = ctx;
  for (int k = 0; k < BPI_VECTORS; k++)
    p->entry[k] = -1;
  return p;
}

void bp_params_free(bp_params *p)
{
  if (!p)
    return;
  for (size_t i = 0; i < p->n; i++)
    bpi_free(p->ctx, p->list[i].name);
  bpi_free(p->ctx, p->list);
  bpi_free(p->ctx, p);
}

int bpi_param_find(const bp_params *p, const char *name)
{
  for (size_t i = 0; i < p->n; i++)
    if (strcmp(p->list[i].name, name) == 0)
      return (int)i;
  return -1;
}

static int vector_of(const bpi_parameter *w)
{
  return w->running ? BPI_RUNNING : w->frozen ? BPI_FROZEN : BPI_TRAINED;
}

/* Makes a parameter known; its number, or -1 with the graph's error set. */
static int declare(bp_params *p, bp_graph *g, const char *name, int rank, const int64_t *dims, bp_init init)
{
  int64_t size;
  if (!bpi_size(rank, dims, &size) || size < 1) {
    bpi_graph_fail(g, BP_E_SHAPE, "bp_param: '%s' has an impossible shape, or no elements", name);
    return -1;
  }
  if ((unsigned)init.kind >= BP_INIT_COUNT || !isfinite(init.scale)) {
    bpi_graph_fail(g, BP_E_ARG, "bp_param: '%s' has an unknown initialiser, or one whose scale is not finite",
                   name);
    return -1;
  }
  if (!bpi_grow(p->ctx, (void **)&p->list, &p->cap, p->n, sizeof *p->list)) {
    bpi_graph_fail(g, BP_E_NOMEM, "bp_param: out of memory");
    return -1;
  }
  char *copy = bpi_strdup(p->ctx, name);
  if (!copy) {
    bpi_graph_fail(g, BP_E_NOMEM, "bp_param: out of memory");
    return -1;
  }
  p->list[p->n] =
      (bpi_parameter){.name = copy, .type = bpi_type(BP_REAL, rank, dims), .init = init, .size = size};
  return (int)p->n++;
}

/* The value: a slice of the vector seen in the parameter's shape. */
static bp_node view_of(bp_params *p, bp_graph *g, const bpi_parameter *w)
{
  bp_node all = bp_read(g, p->state, p->entry[vector_of(w)]);
  int64_t start = w->offset, stop = w->offset + w->size, step = 1;
  return bp_reshape(bp_slice(all, &start, 1, &stop, 1, &step, 1), w->type.dims, w->type.rank);
}

bp_node bp_param(bp_params *p, bp_graph *g, const char *name, int rank, const int64_t *dims, bp_init init)
{
  if (!g)
    return BP_NO_NODE;
  if (!p || !name || !*name || (rank > 0 && !dims))
    return bpi_node_fail(g, BP_E_ARG, "bp_param: params, the name or dims is missing");
  int i = bpi_param_find(p, name);
  if (i < 0 && p->state)
    return bpi_node_fail(g, BP_E_NOTFOUND, "bp_param: '%s' was not met before bp_params_make", name);
  if (i < 0)
    i = declare(p, g, name, rank, dims, init);
  if (i < 0)
    return bpi_error_node(g);
  bpi_parameter *w = &p->list[i];
  bool rank_fits = rank == w->type.rank;
  bp_type asked = rank_fits ? bpi_type(BP_REAL, rank, dims) : (bp_type){0};
  if (!rank_fits || !bpi_same_shape(&asked, &w->type))
    return bpi_node_fail(g, BP_E_MISMATCH, "bp_param: '%s' is asked for with another shape than before",
                         name);
  /* In the first round the values do not exist; a placeholder has the shape. */
  return p->state ? view_of(p, g, w) : bpi_placeholder(g, &w->type);
}

bool bpi_param_fits(const bpi_parameter *w, const char *name)
{
  size_t n = strlen(name);
  return strncmp(w->name, name, n) == 0 && (w->name[n] == 0 || w->name[n] == '.');
}

/* ---- running values ---- */

enum { NEXT_NAME = 160 };

/* The value that a step is to store is found by its name in the graph: nothing of a graph is kept here. Where a layer stands in a graph
 * twice, its second update starts from the first. `count`: how many there are already. */
static bp_node last_update(bp_graph *g, const char *name, int *count)
{
  char next[NEXT_NAME];
  bp_node last = BP_NO_NODE;
  for (*count = 0;; ++*count) {
    snprintf(next, sizeof next, "%s.next%d", name, *count + 1);
    if (!bpi_name_taken(g, next))
      return last;
    last = bp_find(g, next);
  }
}

bp_node bp_running(bp_params *p, bp_graph *g, const char *name, int rank, const int64_t *dims, bp_init init)
{
  bool sound = p && name, known = sound && bpi_param_find(p, name) >= 0;
  bp_node now = bp_param(p, g, name, rank, dims, init);
  if (bp_failed(now) || !sound)
    return now;
  bpi_parameter *w = &p->list[bpi_param_find(p, name)];
  if (known && !w->running)
    return bpi_node_fail(g, BP_E_MISMATCH, "bp_running: '%s' is a parameter", name);
  w->running = w->frozen = true;
  int count;
  bp_node next = last_update(g, name, &count);
  return count ? next : now;
}

bp_node bp_running_next(bp_params *p, const char *name, bp_node value)
{
  bp_type type;
  if (!p || !name || bp_failed(value))
    return value;
  bp_graph *g = value.graph;
  int i = bpi_param_find(p, name), count;
  if (i < 0 || !p->list[i].running)
    return bpi_node_fail(g, BP_E_NOTFOUND, "bp_running_next: there is no running value '%s'", name);
  if (bp_node_type(value, &type) != BP_OK || !bpi_same_shape(&type, &p->list[i].type))
    return bpi_node_fail(g, BP_E_SHAPE, "bp_running_next: the value is not shaped like '%s'", name);
  char next[NEXT_NAME];
  last_update(g, name, &count);
  if (snprintf(next, sizeof next, "%s.next%d", name, count + 1) >= (int)sizeof next)
    return bpi_node_fail(g, BP_E_ARG, "bp_running_next: the name is too long");
  return bp_name(value, next);
}

/* All running values in the order of their vector, those that get no new value as they are. False where none does. */
static bool gather_next(bp_params *p, bp_graph *g, bp_node *parts, size_t *n)
{
  int64_t all = -1;
  bool any = false;
  for (int vectors = 0; vectors < 2; vectors++)
    for (size_t i = 0; i < p->n; i++) {
      bpi_parameter *w = &p->list[i];
      int count;
      if (!w->running || (w->type.rank < 2) != vectors)
        continue;
      bp_node next = last_update(g, w->name, &count);
      any = any || count;
      parts[(*n)++] = bp_reshape(count ? next : view_of(p, g, w), &all, 1);
    }
  return any;
}

void bpi_running_update(bp_params *p, bp_graph *g, bp_update *updates, size_t *n)
{
  if (p->entry[BPI_RUNNING] < 0)
    return;
  size_t count = 0;
  bp_node *parts = bpi_alloc(p->ctx, p->n, sizeof *parts);
  if (!parts)
    bpi_graph_fail(g, BP_E_NOMEM, "bp_running: out of memory");
  else if (gather_next(p, g, parts, &count))
    updates[(*n)++] = (bp_update){p->entry[BPI_RUNNING], bp_concat(parts, count, 0)};
  bpi_free(p->ctx, parts);
}

bool bpi_param_frozen(const bp_params *p, const char *name)
{
  int i = bpi_param_find(p, name);
  return i >= 0 && p->list[i].frozen;
}

/* ---- making ---- */

bp_status bp_params_freeze(bp_params *p, const char *name)
{
  if (!p || !name)
    return bpi_bad_arg("bp_params_freeze", "params or name is NULL");
  if (p->state)
    return bpi_fail(BP_E_ORDER, "bp_params_freeze: must come before bp_params_make");
  size_t found = 0;
  for (size_t i = 0; i < p->n; i++)
    if (bpi_param_fits(&p->list[i], name)) {
      p->list[i].frozen = true;
      found++;
    }
  return found ? BP_OK
               : bpi_fail(BP_E_NOTFOUND, "bp_params_freeze: no parameter is '%s' or begins with '%s.'", name,
                          name);
}

/* Offsets in each vector: matrices first. */
static bool lay_out(bp_params *p)
{
  memset(p->size, 0, sizeof p->size);
  for (int vectors = 0; vectors < 2; vectors++)
    for (size_t i = 0; i < p->n; i++) {
      bpi_parameter *w = &p->list[i];
      if ((w->type.rank < 2) != vectors)
        continue;
      int64_t *size = &p->size[vector_of(w)];
      w->offset = *size;
      if (!bpi_add(*size, w->size, size))
        return false;
    }
  return true;
}

static bp_status fill(bp_params *p, bp_state *state, uint64_t seed)
{
  for (size_t i = 0; i < p->n; i++) {
    const bpi_parameter *w = &p->list[i];
    double *values = bpi_alloc(p->ctx, (size_t)w->size, sizeof *values);
    void *data;
    bp_status s = values ? bp_state_array(state, p->entry[vector_of(w)], NULL, NULL, &data) : bpi_nomem();
    if (s == BP_OK)
      bpi_init_fill(w, seed, (uint32_t)i, values);
    for (int64_t k = 0; s == BP_OK && k < w->size; k++)
      if (bp_state_real(state) == BP_FLOAT32)
        ((float *)data)[w->offset + k] = (float)values[k];
      else
        ((double *)data)[w->offset + k] = values[k];
    bpi_free(p->ctx, values);
    if (s != BP_OK)
      return s;
  }
  return BP_OK;
}

/* Whether a call that ran out of memory has left this entry: then the next one takes it up. */
static bool left_over(const bp_params *p, bp_state *s, const char *name, int k)
{
  bp_type type;
  return p->entry[k] >= 0 && bp_state_find(s, name) == p->entry[k] &&
         bp_state_array(s, p->entry[k], NULL, &type, NULL) == BP_OK && bpi_type_size(&type) == p->size[k];
}

static bp_status make_entries(bp_params *p, bp_state *s)
{
  static const char *const names[BPI_VECTORS] = {"params", "frozen", "running"};
  if (!p || !s)
    return bpi_bad_arg("bp_params_make", "params or state is NULL");
  if (p->state)
    return bpi_fail(BP_E_ORDER, "bp_params_make: was called before");
  if (!lay_out(p))
    return bpi_fail(BP_E_LIMIT, "bp_params_make: too many parameters");
  bp_status st = BP_OK;
  for (int k = 0; st == BP_OK && k < BPI_VECTORS; k++)
    if (p->size[k] && !left_over(p, s, names[k], k))
      st = bp_state_add(s, names[k], BP_REAL, 1, &p->size[k], &p->entry[k]);
  return st;
}

bp_status bpi_params_place(bp_params *p, bp_state *s)
{
  bp_status st = make_entries(p, s);
  if (st == BP_OK)
    p->state = s;
  return st;
}

bp_status bp_params_make(bp_params *p, bp_state *s, uint64_t seed)
{
  bp_status st = make_entries(p, s);
  if (st == BP_OK)
    st = fill(p, s, seed);
  if (st == BP_OK)
    p->state = s;
  return st;
}

int bp_params_count(const bp_params *p)
{
  return p ? (int)p->n : 0;
}

int64_t bp_params_size(const bp_params *p, int64_t *frozen)
{
  int64_t size[2] = {0, 0};
  for (size_t i = 0; p && i < p->n; i++)
    if (!bpi_add(size[p->list[i].frozen], p->list[i].size, &size[p->list[i].frozen]))
      size[p->list[i].frozen] = INT64_MAX;
  if (frozen)
    *frozen = size[1];
  return size[0];
}

bp_status bp_params_at(const bp_params *p, int i, const char **name, bp_type *type, void **data, bool *frozen)
{
  if (!p || i < 0 || (size_t)i >= p->n)
    return bpi_fail(BP_E_RANGE, "bp_params_at: there is no parameter %d", i);
  const bpi_parameter *w = &p->list[i];
  if (name)
    *name = w->name;
  if (type)
    *type = w->type;
  if (frozen)
    *frozen = w->frozen;
  if (data) {
    *data = NULL;
    if (p->state && bp_state_array(p->state, p->entry[vector_of(w)], NULL, NULL, data) == BP_OK)
      *data = (char *)*data + (size_t)w->offset * bp_dtype_size(bp_state_real(p->state));
  }
  return BP_OK;
}

/* ---- what training changes ---- */

/* A vector's storage; NULL where it is not changed, or is none. */
static void *changing(const bp_params *p, int k, size_t *bytes)
{
  void *data = NULL;
  *bytes = 0;
  if (k == BPI_FROZEN || !p->state || p->entry[k] < 0 ||
      bp_state_array(p->state, p->entry[k], NULL, NULL, &data) != BP_OK)
    return NULL;
  *bytes = (size_t)p->size[k] * bp_dtype_size(bp_state_real(p->state));
  return data;
}

size_t bpi_params_bytes(const bp_params *p)
{
  size_t all = 0, bytes;
  for (int k = 0; k < BPI_VECTORS; k++) {
    changing(p, k, &bytes);
    all += bytes;
  }
  return all;
}

void bpi_params_keep(const bp_params *p, void *to)
{
  size_t bytes;
  for (int k = 0; k < BPI_VECTORS; k++) {
    const void *from = changing(p, k, &bytes);
    if (bytes)
      memcpy(to, from, bytes);
    to = (char *)to + bytes;
  }
}

void bpi_params_put_back(bp_params *p, const void *from)
{
  size_t bytes;
  for (int k = 0; k < BPI_VECTORS; k++) {
    void *to = changing(p, k, &bytes);
    if (bytes)
      memcpy(to, from, bytes);
    from = (const char *)from + bytes;
  }
}

void bpi_params_swap(bp_params *p, void *with)
{
  char piece[512], *other = with;
  for (int k = 0; k < BPI_VECTORS; k++) {
    size_t bytes;
    char *own = changing(p, k, &bytes);
    for (size_t at = 0, n; at < bytes; at += n, other += n) {
      n = bytes - at < sizeof piece ? bytes - at : sizeof piece;
      memcpy(piece, own + at, n);
      memcpy(own + at, other, n);
      memcpy(other, piece, n);
    }
  }
}

static void blend_float(float share, int64_t n, const float *x, float *mean)
{
  for (int64_t i = 0; i < n; i++)
    mean[i] += share * (x[i] - mean[i]);
}

static void blend_double(double share, int64_t n, const double *x, double *mean)
{
  for (int64_t i = 0; i < n; i++)
    mean[i] += share * (x[i] - mean[i]);
}

void bpi_params_blend(const bp_params *p, double share, void *mean)
{
  for (int k = 0; k < BPI_VECTORS; k++) {
    size_t bytes;
    const void *x = changing(p, k, &bytes);
    if (bytes && bp_state_real(p->state) == BP_FLOAT32)
      blend_float((float)share, p->size[k], x, mean);
    else if (bytes)
      blend_double(share, p->size[k], x, mean);
    mean = (char *)mean + bytes;
  }
}

static bool values_finite(const void *x, int64_t n, bool narrow)
{
  for (int64_t i = 0; i < n; i++)
    if (!isfinite(narrow ? (double)((const float *)x)[i] : ((const double *)x)[i]))
      return false;
  return true;
}

const char *bpi_params_not_finite(const bp_params *p)
{
  bool narrow = p->state && bp_state_real(p->state) == BP_FLOAT32;
  for (size_t i = 0; i < p->n; i++) {
    void *data;
    const bpi_parameter *w = &p->list[i];
    if ((!w->frozen || w->running) && bp_params_at(p, (int)i, NULL, NULL, &data, NULL) == BP_OK && data &&
        !values_finite(data, w->size, narrow))
      return w->name;
  }
  return NULL;
}

const void *bpi_params_kept(const bp_params *p, const void *kept, const void *value)
{
  const char *to = kept, *at = value;
  for (int k = 0; k < BPI_VECTORS; k++) {
    size_t bytes;
    const char *from = changing(p, k, &bytes);
    if (bytes && at >= from && at < from + bytes)
      return to + (at - from);
    to += bytes;
  }
  return value;
}
