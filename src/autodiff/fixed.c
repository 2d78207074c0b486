/* Values of nodes that depend on constants alone. */
#include "autodiff/fixed.h"
#include "kernels/copy.h"
#include "kernels/kernels.h"

#include <string.h>

enum { MOST_ELEMENTS = 1 << 24 };

static const char unknown; /* its address stands for a value that was tried for in vain */

void bpi_fixed_init(bpi_fixed *f, bp_graph *g)
{
  *f = (bpi_fixed){.g = g};
  bpi_arena_init(&f->room, g->ctx);
}

void bpi_fixed_free(bpi_fixed *f)
{
  bpi_free(f->g->ctx, f->value);
  bpi_arena_free(&f->room);
}

static size_t element(bp_dtype t)
{
  return t == BP_BOOL ? 1 : 8;
}

/* ---- one call on arrays ---- */

static bp_array array_of(const bp_type *t, void *data, int64_t *strides)
{
  bpi_strides(t->rank, t->dims, strides);
  return (bp_array){.data = data,
                    .dims = t->dims,
                    .strides = strides,
                    .size = bpi_type_size(t),
                    .dtype = t->dtype == BP_REAL ? BP_FLOAT64 : t->dtype,
                    .rank = t->rank};
}

static bool run_units(const bp_op *op, bp_kernel_call *k, bp_ctx *ctx)
{
  double ns;
  k->end = op->units ? op->units(k, &ns) : 1;
  size_t scratch = op->scratch ? op->scratch(k) : 0;
  k->scratch = scratch ? bpi_alloc_aligned(ctx, scratch) : NULL;
  bool good = (!scratch || k->scratch) && op->kernel(k) == BP_OK;
  bpi_free_aligned(ctx, k->scratch);
  return good;
}

bool bpi_kernel_once(const bp_op_call *c, const void *const *x, void *const *y)
{
  bp_ctx *ctx = c->graph->ctx;
  if (!c->op->kernel)
    return false;
  size_t n = (size_t)c->n_in + (size_t)c->n_out;
  bp_array *a = bpi_alloc(ctx, n, sizeof *a);
  int64_t(*strides)[BP_MAX_RANK] = bpi_alloc(ctx, n, sizeof *strides);
  bool good = a && strides;
  for (int i = 0; good && i < c->n_in; i++)
    a[i] = array_of(&c->x_type[i], (void *)x[i], strides[i]);
  for (int k = 0; good && k < c->n_out; k++)
    a[c->n_in + k] = array_of(&c->y_type[k], y[k], strides[c->n_in + k]);
  if (good) {
    bp_kernel_call k = {.in = a,
                        .out = a + c->n_in,
                        .attr = c->attr,
                        .vec = bpi_kernels_for(ctx->isa),
                        .n_in = c->n_in,
                        .n_out = c->n_out,
                        .fail_at = -1};
    good = run_units(c->op, &k, ctx);
  }
  bpi_free(ctx, a);
  bpi_free(ctx, strides);
  return good;
}

/* ---- one node, its inputs being known ---- */

static bool read_constant(const bpi_node *v, char *to)
{
  size_t elem = element(v->type->dtype), bytes = (size_t)v->attr[2].n;
  int64_t n = bpi_type_size(v->type);
  if (n && bytes == elem)
    bpi_fill(to, n, elem, v->attr[2].v);
  else if (n)
    memcpy(to, v->attr[2].v, bytes);
  return true;
}

static bool read_view(const bp_op_call *c, const char *from, char *to)
{
  const bp_type *x = &c->x_type[0], *y = &c->y_type[0];
  int64_t in[BP_MAX_RANK], strides[BP_MAX_RANK], flat[BP_MAX_RANK], offset;
  size_t elem = element(x->dtype);
  bpi_strides(x->rank, x->dims, in);
  bpi_strides(y->rank, y->dims, flat);
  if (!c->op->view(c, in, strides, &offset))
    return false;
  bpi_copy_strided(y->rank, y->dims, elem, from + offset * (int64_t)elem, strides, to, flat);
  return true;
}

static bpi_loop loop_of(const bp_op_call *c)
{
  const bpi_body_loops *loops = &bpi_kernels_for(c->graph->ctx->isa)->body[c->op->body->id];
  for (int i = 0; i < c->n_in; i++)
    if (c->x_type[i].dtype != BP_BOOL)
      return c->x_type[i].dtype == BP_REAL ? loops->f64 : loops->i64;
  return loops->b8;
}

static bool run_body(const bp_op_call *c, const void *const *x, void *y)
{
  double p[BP_MAX_ATTRS];
  int64_t step[BPI_MAX_BODY_IN] = {1, 1, 1, 1};
  bpi_loop loop = c->n_in <= BPI_MAX_BODY_IN ? loop_of(c) : NULL;
  for (int i = 0, k = 0, n = bpi_op_n_attrs(c->op); i < n; i++)
    if (c->op->attrs[i].kind == BP_ATTR_REAL)
      p[k++] = c->attr[i].r;
  if (loop)
    loop(bpi_type_size(&c->y_type[0]), y, x, step, p);
  return loop != NULL;
}

/* Fills in the values of all results of a call; `unknown` where there are none. */
static void work_out(bpi_fixed *f, uint32_t head)
{
  bpi_call_room room;
  bp_op_call c;
  const void **x;
  void *y[BP_MAX_RESULTS] = {0};
  int n_out = f->g->nodes[head].n_out;
  bool called = bpi_call_of(f->g, head, &room, &c) == BP_OK, good;
  if (!called)
    bp_graph_clear(f->g);
  x = called ? bpi_arena_alloc(&f->room, (size_t)c.n_in, sizeof *x) : NULL;
  f->no_memory = f->no_memory || !x;
  good = x != NULL;
  for (int i = 0; good && i < c.n_in; i++) {
    x[i] = f->value[c.x[i].index];
    good = x[i] != &unknown;
  }
  for (int k = 0; good && k < n_out; k++) {
    int64_t n = bpi_type_size(&c.y_type[k]);
    good = n <= MOST_ELEMENTS;
    y[k] = good ? bpi_arena_alloc(&f->room, (size_t)n + 1, element(c.y_type[k].dtype)) : NULL;
    f->no_memory = f->no_memory || (good && !y[k]);
    good = y[k] != NULL;
  }
  good = good && y[0];
  if (good && (c.op->traits & BP_CONSTANT))
    good = read_constant(&f->g->nodes[head], y[0]);
  else if (good && (c.op->traits & BP_VIEW) && c.op->view)
    good = read_view(&c, x[0], y[0]);
  else if (good)
    good = c.op->body ? run_body(&c, x, y[0]) : bpi_kernel_once(&c, x, y);
  for (int k = 0; k < n_out; k++)
    f->value[head + (uint32_t)k] = good ? y[k] : &unknown;
  if (called)
    bpi_call_done(&room);
}

/* ---- all that a node depends on ---- */

static bool slots_room(bpi_fixed *f)
{
  size_t count = f->g->count;
  if (count <= f->cap)
    return true;
  const void **value = bpi_realloc(f->g->ctx, f->value, count + count / 2, sizeof *value);
  if (!value)
    return false;
  memset(value + f->cap, 0, (count + count / 2 - f->cap) * sizeof *value);
  f->value = value;
  f->cap = count + count / 2;
  return true;
}

/* An input of the call that was not worked out yet, or 0. */
static uint32_t missing_input(const bpi_fixed *f, uint32_t head)
{
  const bpi_node *v = &f->g->nodes[head];
  for (int i = 0; i < v->n_in; i++)
    if (!f->value[v->in[i]])
      return v->in[i];
  return 0;
}

/* Depth first, on a stack of our own: a call is worked out when its inputs are. */
static void work_out_all(bpi_fixed *f, uint32_t slot)
{
  uint32_t *stack = NULL;
  size_t n = 0, cap = 0;
  for (;;) {
    uint32_t head = slot - f->g->nodes[slot].result, below = missing_input(f, head);
    if (below && bpi_grow(f->g->ctx, (void **)&stack, &cap, n, sizeof *stack)) {
      stack[n++] = head;
      slot = below;
      continue;
    }
    if (below) {
      f->no_memory = true;
      f->value[slot] = &unknown;
      break;
    }
    work_out(f, head);
    if (n == 0)
      break;
    slot = stack[--n]; /* looked at again: another input may be missing */
  }
  bpi_free(f->g->ctx, stack);
}

const void *bpi_fixed_values(bpi_fixed *f, bp_node n)
{
  if (!bpi_is_fixed(n))
    return NULL;
  if (!slots_room(f)) {
    f->no_memory = true;
    return NULL;
  }
  if (!f->value[n.index])
    work_out_all(f, n.index);
  return f->no_memory || f->value[n.index] == &unknown ? NULL : f->value[n.index];
}
