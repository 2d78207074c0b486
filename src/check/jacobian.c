/* Whole Jacobians and Hessians: the pattern, its colouring, the sweeps, and the entries read off them. */
#include "check/jacobian.h"
#include "autodiff/pattern.h"
#include "autodiff/sweep.h"
#include "graph/graph.h"
#include "plan/plan.h"

#include <string.h>

static const int64_t usual_entries = INT64_C(1) << 26;

/* ---- making one ---- */

static bp_status check_options(const char *function, const bp_jacobian_options *o)
{
  if (o->real != BP_NONE && o->real != BP_FLOAT32 && o->real != BP_FLOAT64)
    return bpi_fail(BP_E_DTYPE, "%s: values are float32 or float64, not %s", function,
                    bp_dtype_name(o->real));
  if ((unsigned)o->sweeps > BP_SWEEPS_BOTH || o->most_entries < 0)
    return bpi_fail(BP_E_ARG, "%s: options.sweeps is unknown, or most_entries negative", function);
  return BP_OK;
}

/* Inputs of the graph by name: also those that no entry depends on may be bound. */
static bp_status list_inputs(bp_jacobian *j, const bp_graph *g)
{
  for (size_t i = 1; i < g->count; i++)
    j->n_inputs += (g->nodes[i].op->traits & BP_INPUT) != 0;
  j->inputs = bpi_arena_alloc(&j->arena, j->n_inputs + 1, sizeof *j->inputs);
  if (!j->inputs)
    return bpi_nomem();
  j->n_inputs = 0;
  for (size_t i = 1; i < g->count; i++) {
    const bpi_node *v = &g->nodes[i];
    if (!(v->op->traits & BP_INPUT))
      continue;
    bpi_jacobian_input *in = &j->inputs[j->n_inputs++];
    in->name = bpi_arena_strdup(&j->arena, (const char *)(const void *)v->attr[0].v);
    bp_dtype dtype = v->type->dtype == BP_REAL ? j->info.real : v->type->dtype;
    in->bytes = (size_t)bpi_type_size(v->type) * bp_dtype_size(dtype);
    if (!in->name)
      return bpi_nomem();
  }
  return BP_OK;
}

static bp_status too_many(const bp_jacobian *j, int64_t most)
{
  return bpi_fail(BP_E_LIMIT, "a Jacobian of %lld x %lld with %lld entries, more than the %lld allowed",
                  (long long)j->info.rows, (long long)j->info.cols, (long long)j->info.entries,
                  (long long)most);
}

/* The pattern into j->p: of a Hessian, what either triangle says. */
static bp_status copy_pattern(bp_jacobian *j, const bpi_pattern *p, bpi_arena *room)
{
  bpi_csr given = {p->rows, p->cols, p->row_start, p->col}, both;
  if (p->rows > INT32_MAX)
    return bpi_fail(BP_E_LIMIT, "a Jacobian of %lld rows; 2^31 - 1 are the most", (long long)p->rows);
  bp_status s = j->info.hessian ? bpi_csr_symmetric(room, &given, &both) : BP_OK;
  if (s != BP_OK)
    return s;
  const bpi_csr *from = j->info.hessian ? &both : &given;
  size_t n = (size_t)bpi_csr_entries(from);
  j->p = (bpi_csr){.rows = p->rows, .cols = p->cols};
  j->p.start = bpi_arena_alloc(&j->arena, (size_t)p->rows + 1, sizeof *j->p.start);
  j->p.col = bpi_arena_alloc(&j->arena, n + 1, sizeof *j->p.col);
  if (!j->p.start || !j->p.col)
    return bpi_nomem();
  memcpy(j->p.start, from->start, ((size_t)p->rows + 1) * sizeof *j->p.start);
  if (n)
    memcpy(j->p.col, from->col, n * sizeof *j->p.col);
  return BP_OK;
}

static bp_status describe(bp_jacobian *j, const bpi_pattern *p, bpi_arena *room)
{
  bp_jacobian_info *info = &j->info;
  bpi_csr t;
  info->rows = p->rows;
  info->cols = p->cols;
  info->entries = bpi_csr_entries(&j->p);
  info->kind = info->entries == p->entries ? p->jac : BP_JAC_SPARSE;
  info->blocks = p->blocks;
  bpi_csr_band(&j->p, &info->below, &info->above);
  info->longest_row = bpi_csr_longest(&j->p);
  bp_status s = bpi_csr_transpose(room, &j->p, &t, NULL);
  if (s == BP_OK)
    info->longest_col = bpi_csr_longest(&t);
  return s;
}

static bp_status find_pattern(bp_jacobian *j, const bpi_function *f, int64_t most)
{
  bpi_pattern p;
  bpi_arena room;
  /* Patterns on the way may be larger than the last one. */
  bp_status s = bpi_pattern_of(f->g, f->y, f->n_y, f->x, f->n_x, most > usual_entries ? 2 * most : 0, &p);
  if (s != BP_OK)
    return s;
  bpi_arena_init(&room, j->ctx);
  s = copy_pattern(j, &p, &room);
  if (s == BP_OK)
    s = describe(j, &p, &room);
  bpi_arena_free(&room);
  bpi_pattern_free(&p);
  return s == BP_OK && j->info.entries > most ? too_many(j, most) : s;
}

/* Of these every entry is 1. */
static bool all_ones(bp_jac kind)
{
  return kind == BP_JAC_IDENTITY || kind == BP_JAC_PERMUTATION;
}

static bp_status find_sweeps(bp_jacobian *j, bp_sweeps sweeps, bpi_arena *room, bpi_colouring *c)
{
  *c = (bpi_colouring){0};
  if (j->info.entries == 0 || all_ones(j->info.kind))
    return BP_OK;
  bp_status s =
      j->info.hessian ? bpi_colour_hessian(room, &j->p, c) : bpi_colour_jacobian(room, &j->p, sweeps, c);
  j->info.forward = j->info.each_forward = c->forward;
  j->info.reverse = j->info.each_reverse = c->reverse;
  return s;
}

/* Where the plan leaves the values in the order of the entries, in memory of its own, they are read there. */
static bool values_in_place(const bp_jacobian *j)
{
  const bpi_pass *pass = &j->half.passes[0];
  if (j->half.n_passes != 1 || pass->to || pass->runs != 1 ||
      pass->plan->outputs[0].size != j->info.entries ||
      (pass->plan->outputs[0].segment != BPI_BLOCK && pass->plan->outputs[0].segment != BPI_CONSTANTS))
    return false;
  for (int64_t e = 0; e < j->info.entries; e++)
    if (pass->at[e] != (uint64_t)e)
      return false;
  return true;
}

static bp_status make_room(bp_jacobian *j)
{
  size_t n = (size_t)j->info.entries, real = bp_dtype_size(j->info.real);
  j->room = bpi_alloc_aligned(j->ctx, (n + 1) * real);
  if (!j->room)
    return bpi_nomem();
  for (size_t e = 0; e < n && all_ones(j->info.kind); e++)
    if (j->info.real == BP_FLOAT64)
      ((double *)j->room)[e] = 1;
    else
      ((float *)j->room)[e] = 1;
  j->value = j->room;
  return BP_OK;
}

/* ---- what changes with the inputs ---- */

/* Marks the entries that may change: those in both lists. */
static int64_t mark_varying(const bpi_csr *p, const bpi_pattern *v, uint8_t *varies)
{
  int64_t n = 0;
  for (int64_t i = 0; i < p->rows; i++)
    for (int64_t e = p->start[i], k = v->row_start[i]; e < p->start[i + 1]; e++) {
      while (k < v->row_start[i + 1] && v->col[k] < p->col[e])
        k++;
      varies[e] = k < v->row_start[i + 1] && v->col[k] == p->col[e];
      n += varies[e];
    }
  return n;
}

/* Of a symmetric matrix, an entry changes if its mirror image does. */
static bp_status mark_mirrored(const bpi_csr *p, uint8_t *varies, int64_t *n, bpi_arena *room)
{
  bpi_csr t;
  int64_t *mate;
  bp_status s = bpi_csr_transpose(room, p, &t, &mate);
  for (int64_t e = 0; s == BP_OK && e < bpi_csr_entries(p); e++)
    if (varies[e] && !varies[mate[e]]) {
      varies[mate[e]] = 1;
      ++*n;
    }
  return s;
}

/* Entries that change: their pattern, which they are, and how they are coloured. */
typedef struct rest {
  bpi_csr p;
  int64_t n, *entry;
  bpi_colouring c;
} rest;

static bp_status take_varying(bp_jacobian *j, const uint8_t *varies, bpi_arena *room, rest *r)
{
  r->p = (bpi_csr){.rows = j->p.rows, .cols = j->p.cols};
  r->p.start = bpi_arena_alloc(room, (size_t)j->p.rows + 1, sizeof *r->p.start);
  r->p.col = bpi_arena_alloc(room, (size_t)r->n + 1, sizeof *r->p.col);
  r->entry = bpi_arena_alloc(&j->arena, (size_t)r->n + 1, sizeof *r->entry);
  if (!r->p.start || !r->p.col || !r->entry)
    return bpi_nomem();
  int64_t n = 0;
  for (int64_t i = 0; i < j->p.rows; i++) {
    for (int64_t e = j->p.start[i]; e < j->p.start[i + 1]; e++)
      if (varies[e]) {
        r->p.col[n] = j->p.col[e];
        r->entry[n++] = e;
      }
    r->p.start[i + 1] = n;
  }
  return BP_OK;
}

/* The constant part of every entry, worked out once: it depends on no input. */
static bp_status fill_constants(bp_jacobian *j, bpi_function *f, const bpi_colouring *c)
{
  bpi_half once = {0};
  f->share = BPI_CONSTANT_PART;
  bp_status s = bpi_jacobian_compile(j, &once, f, c, j->info.entries, NULL);
  if (s == BP_OK)
    s = bpi_half_run(j, &once);
  bpi_half_free(&once);
  return s;
}

/* Entries that have a part of both kinds are sums. */
static bp_status keep_bases(bp_jacobian *j, bpi_pass *pass)
{
  int64_t n = pass->from[pass->runs];
  bool any = false;
  size_t real = bp_dtype_size(j->info.real);
  char *base = bpi_arena_alloc(&j->arena, (size_t)n + 1, real);
  if (!base)
    return bpi_nomem();
  for (int64_t k = 0; k < n; k++) {
    const char *from = (const char *)j->room + (size_t)pass->to[k] * real;
    memcpy(base + (size_t)k * real, from, real);
    any = any || (j->info.real == BP_FLOAT64 ? *(const double *)(const void *)from != 0
                                             : *(const float *)(const void *)from != 0);
  }
  pass->base = any ? base : NULL;
  return BP_OK;
}

static bp_status make_rest(bp_jacobian *j, bpi_function *f, const bpi_colouring *whole, const rest *r)
{
  bpi_sweeps sweeps;
  bpi_sweeps_init(&sweeps, f->g);
  bp_status s = bpi_find_varying(&sweeps, f->y, f->n_y, f->x, f->n_x, &f->varying);
  bpi_sweeps_free(&sweeps);
  if (s == BP_OK)
    s = make_room(j);
  if (s == BP_OK)
    s = fill_constants(j, f, whole);
  f->share = BPI_VARYING_PART;
  if (s == BP_OK)
    s = bpi_jacobian_compile(j, &j->half, f, &r->c, r->n, r->entry);
  for (int k = 0; k < j->half.n_passes && s == BP_OK; k++)
    s = keep_bases(j, &j->half.passes[k]);
  bpi_varying_free(j->ctx, &f->varying);
  f->share = BPI_ALL_OF_IT;
  j->info.each_forward = r->c.forward;
  j->info.each_reverse = r->c.reverse;
  return s;
}

/* Finds and colours the entries that change. r->n == j->info.entries where all may. */
static bp_status find_rest(bp_jacobian *j, const bpi_function *f, bp_sweeps sweeps, bpi_arena *room, rest *r)
{
  bpi_pattern v;
  r->n = j->info.entries;
  bp_status s = bpi_pattern_varying(f->g, f->y, f->n_y, f->x, f->n_x, 0, &v);
  if (s != BP_OK)
    return s == BP_E_LIMIT ? BP_OK : s; /* more lists on the way than is worth it */
  uint8_t *varies = bpi_arena_alloc(room, (size_t)j->info.entries + 1, 1);
  if (varies)
    r->n = mark_varying(&j->p, &v, varies);
  bpi_pattern_free(&v);
  if (!varies)
    return bpi_nomem();
  if (j->info.hessian)
    s = mark_mirrored(&j->p, varies, &r->n, room);
  if (s == BP_OK && r->n < j->info.entries)
    s = take_varying(j, varies, room, r);
  if (s != BP_OK || r->n == j->info.entries || r->n == 0)
    return s;
  return j->info.hessian ? bpi_colour_hessian(room, &r->p, &r->c)
                         : bpi_colour_jacobian(room, &r->p, sweeps, &r->c);
}

/* An x that is computed may depend on another x. */
static bool all_leaves(const bpi_function *f)
{
  for (size_t i = 0; i < f->n_x; i++)
    if (bpi_slot(f->x[i])->n_in)
      return false;
  return true;
}

/* The plans of every evaluation: for the entries that change, if there are others and it takes fewer sweeps; else for all. */
static bp_status make_plans(bp_jacobian *j, bpi_function *f, bp_sweeps sweeps, const bpi_colouring *c,
                            bpi_arena *room)
{
  rest r = {.n = j->info.entries};
  bp_status s = c->forward + c->reverse && all_leaves(f) ? find_rest(j, f, sweeps, room, &r) : BP_OK;
  j->info.varying = r.n;
  if (s != BP_OK)
    return s;
  if (r.n < j->info.entries && r.c.forward + r.c.reverse < c->forward + c->reverse)
    return make_rest(j, f, c, &r);
  s = bpi_jacobian_compile(j, &j->half, f, c, j->info.entries, NULL);
  return s == BP_OK && !values_in_place(j) ? make_room(j) : s;
}

/* ---- all of it ---- */

/* The graph has more nodes then. */
static bp_status make(bp_jacobian *j, bpi_function *f, const bp_jacobian_options *o)
{
  bpi_arena room;
  bpi_colouring c;
  bpi_arena_init(&room, j->ctx);
  bp_status s = find_pattern(j, f, o->most_entries ? o->most_entries : usual_entries);
  if (s == BP_OK)
    s = find_sweeps(j, o->sweeps, &room, &c);
  if (s == BP_OK)
    s = make_plans(j, f, o->sweeps, &c, &room);
  if (s == BP_OK && o->products)
    s = bpi_jacobian_compile_products(j, f);
  bpi_arena_free(&room);
  return s;
}

static bp_jacobian *new_for(bp_ctx *ctx, const bp_jacobian_options *o, bool hessian)
{
  bp_jacobian *j = bpi_zalloc(ctx, 1, sizeof *j);
  if (!j)
    return NULL;
  j->ctx = ctx;
  j->info.real = o->real ? o->real : BP_FLOAT64;
  j->info.hessian = hessian;
  bpi_arena_init(&j->arena, ctx);
  return j;
}

/* loss NULL: the Jacobian of f; else its Hessian, whose y are found here. */
static bp_status jacobian_new(const char *function, bpi_function *f, const bp_node *loss,
                              const bp_jacobian_options *options, bp_jacobian **out)
{
  bp_jacobian_options o = options ? *options : (bp_jacobian_options){0};
  bp_status s = check_options(function, &o);
  if (s != BP_OK)
    return s;
  bp_jacobian *j = new_for(f->g->ctx, &o, loss != NULL);
  bp_node *grads = loss ? bpi_alloc(f->g->ctx, f->n_x, sizeof *grads) : NULL;
  s = !j || (loss && !grads) ? bpi_nomem() : list_inputs(j, f->g);
  uint32_t mark = bp_graph_mark(f->g);
  f->state = o.state;
  if (s == BP_OK && loss) {
    s = bp_grad(*loss, f->x, f->n_x, grads);
    f->y = grads;
    f->n_y = f->n_x;
  }
  if (s == BP_OK)
    s = make(j, f, &o);
  if (f->g->status != BP_OK)
    s = bpi_undo(f->g, mark, NULL, 0);
  else if (bp_graph_mark(f->g) > mark)
    bp_graph_rollback(f->g, mark);
  bpi_free(f->g->ctx, grads);
  if (s == BP_OK)
    *out = j;
  else
    bp_jacobian_free(j);
  return s;
}

static bp_status check_nodes(const char *function, const bp_node *list, size_t n, bp_graph **g)
{
  if (!list || !n || !list[0].graph)
    return bpi_bad_arg(function, "a list of nodes is NULL or empty, or a node is absent");
  *g = list[0].graph;
  if (!bpi_graph_alive(*g))
    return BP_E_GRAPH;
  return (*g)->status == BP_OK ? BP_OK : bpi_fail((*g)->status, "%s", bp_graph_error(*g));
}

bp_status bp_jacobian_new(const bp_node *y, size_t n_y, const bp_node *x, size_t n_x,
                          const bp_jacobian_options *options, bp_jacobian **jacobian)
{
  bpi_function f = {.y = y, .x = x, .n_y = n_y, .n_x = n_x};
  if (!jacobian)
    return bpi_bad_arg("bp_jacobian_new", "jacobian is NULL");
  *jacobian = NULL;
  bp_status s = check_nodes("bp_jacobian_new", x, n_x, &f.g);
  if (s == BP_OK)
    s = check_nodes("bp_jacobian_new", y, n_y, &f.g);
  return s == BP_OK ? jacobian_new("bp_jacobian_new", &f, NULL, options, jacobian) : s;
}

bp_status bp_hessian_new(bp_node loss, const bp_node *x, size_t n_x, const bp_jacobian_options *options,
                         bp_jacobian **hessian)
{
  bpi_function f = {.x = x, .n_x = n_x};
  if (!hessian)
    return bpi_bad_arg("bp_hessian_new", "hessian is NULL");
  *hessian = NULL;
  bp_status s = check_nodes("bp_hessian_new", x, n_x, &f.g);
  if (s == BP_OK)
    s = check_nodes("bp_hessian_new", &loss, 1, &f.g);
  return s == BP_OK ? jacobian_new("bp_hessian_new", &f, &loss, options, hessian) : s;
}

void bp_jacobian_free(bp_jacobian *j)
{
  if (!j)
    return;
  bpi_half_free(&j->half);
  for (int i = 0; i < 2; i++)
    bpi_pass_free(&j->product[i]);
  bpi_free_aligned(j->ctx, j->room);
  bpi_arena_free(&j->arena);
  bpi_free(j->ctx, j);
}

bp_status bp_jacobian_info_of(const bp_jacobian *j, bp_jacobian_info *info)
{
  if (!j || !info)
    return bpi_bad_arg("bp_jacobian_info_of", "jacobian or info is NULL");
  *info = j->info;
  return BP_OK;
}
