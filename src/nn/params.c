/* Parameters: met in a first round of building, made, then read as views of one vector.
 *
 * Matrices come before vectors in the vector, as weight decay is for matrices alone: the decay of a vector is then two constant runs. */
#include "nn/params.h"

#include <math.h>
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
  p->entry[0] = p->entry[1] = -1;
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
  bp_node all = bp_read(g, p->state, p->entry[w->frozen]);
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

/* Offsets in the trained vector and in the frozen one: matrices first. */
static bool lay_out(bp_params *p)
{
  p->size[0] = p->size[1] = 0;
  for (int vectors = 0; vectors < 2; vectors++)
    for (size_t i = 0; i < p->n; i++) {
      bpi_parameter *w = &p->list[i];
      if ((w->type.rank < 2) != vectors)
        continue;
      w->offset = p->size[w->frozen];
      if (!bpi_add(p->size[w->frozen], w->size, &p->size[w->frozen]))
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
    bp_status s = values ? bp_state_array(state, p->entry[w->frozen], NULL, NULL, &data) : bpi_nomem();
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
  static const char *const names[2] = {"params", "frozen"};
  if (!p || !s)
    return bpi_bad_arg("bp_params_make", "params or state is NULL");
  if (p->state)
    return bpi_fail(BP_E_ORDER, "bp_params_make: was called before");
  if (!lay_out(p))
    return bpi_fail(BP_E_LIMIT, "bp_params_make: too many parameters");
  bp_status st = BP_OK;
  for (int k = 0; st == BP_OK && k < 2; k++)
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
    if (p->state && bp_state_array(p->state, p->entry[w->frozen], NULL, NULL, data) == BP_OK)
      *data = (char *)*data + (size_t)w->offset * bp_dtype_size(bp_state_real(p->state));
  }
  return BP_OK;
}
