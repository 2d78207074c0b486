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
  j->info.forward = c->forward;
  j->info.reverse = c->reverse;
  return s;
}

/* Where the plan leaves the values in the order of the entries, in memory of its own, they are read there. */
static bool values_in_place(const bp_jacobian *j)
{
  const bpi_pass *pass = &j->passes[0];
  if (j->n_passes != 1 || pass->runs != 1 || pass->plan->outputs[0].size != j->info.entries ||
      (pass->plan->outputs[0].segment != BPI_BLOCK && pass->plan->outputs[0].segment != BPI_CONSTANTS))
    return false;
  for (int64_t e = 0; e < j->info.entries; e++)
    if (pass->at[e] != (uint64_t)e)
      return false;
  return true;
}

static bp_status make_room(bp_jacobian *j)
{
  if (values_in_place(j))
    return BP_OK;
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

/* Makes all of it; the graph has more nodes then. */
static bp_status make(bp_jacobian *j, const bpi_function *f, const bp_jacobian_options *o)
{
  bpi_arena room;
  bpi_colouring c;
  bpi_arena_init(&room, j->ctx);
  bp_status s = find_pattern(j, f, o->most_entries ? o->most_entries : usual_entries);
  if (s == BP_OK)
    s = find_sweeps(j, o->sweeps, &room, &c);
  if (s == BP_OK)
    s = bpi_jacobian_compile(j, f, &c, o->products);
  if (s == BP_OK)
    s = make_room(j);
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
  for (int i = 0; i < 2; i++) {
    bpi_pass_free(&j->passes[i]);
    bpi_pass_free(&j->product[i]);
  }
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
