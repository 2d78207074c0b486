/* Sweeps as nodes, and nodes as plans. Every sweep is one bp_jvp or bp_vjp; the values and slopes that they share are the same nodes, so
 * they are computed once. What all sweeps of a plan give is joined into one vector, each part computed in its place. */
#include "check/jacobian.h"
#include "graph/graph.h"

#include <stdio.h>
#include <string.h>

typedef struct weaver {
  bp_jacobian *j;
  bpi_half *half;
  const bpi_function *f;
  const bpi_colouring *c;
  int64_t n, *entry; /* entries of the colouring, and which of the Jacobian they are */
  bpi_arena room;
  bp_node *node, *seed, *out; /* of one sweep: what is seeded, with what, and what comes of it */
  bp_node *part;              /* of the plan in hand: what its sweeps give */
  size_t n_parts, parts_cap;
} weaver;

static const bp_node *seeded_nodes(const bpi_function *f, bool forward, size_t *n)
{
  *n = forward ? f->n_x : f->n_y;
  return forward ? f->x : f->y;
}

/* ---- sweeps ---- */

static bp_status add_part(weaver *w, bp_node n)
{
  int64_t size = bp_node_size(n);
  if (!bpi_grow(w->j->ctx, (void **)&w->part, &w->parts_cap, w->n_parts, sizeof *w->part))
    return bpi_nomem();
  w->part[w->n_parts++] = bp_reshape(n, &size, 1);
  return bp_graph_status(w->f->g);
}

/* One sweep with the seeds in w->seed; absent ones are zeros. */
static bp_status add_sweep(weaver *w, bool forward)
{
  const bpi_function *f = w->f;
  size_t n, m = 0, n_out = forward ? f->n_y : f->n_x;
  const bp_node *from = seeded_nodes(f, forward, &n);
  for (size_t i = 0; i < n; i++)
    if (!bp_absent(w->seed[i])) {
      w->node[m] = from[i];
      w->seed[m++] = w->seed[i];
    }
  bp_status s = forward ? bpi_jvp_of(f->share, &f->varying, f->y, f->n_y, w->node, w->seed, m, w->out)
                        : bpi_vjp_of(f->share, &f->varying, w->node, w->seed, m, f->x, f->n_x, w->out);
  for (size_t i = 0; i < n_out && s == BP_OK; i++)
    s = add_part(w, w->out[i]);
  return s;
}

/* A vector of ones and zeros as a constant; absent if it is all zeros. */
static bp_node constant_seed(weaver *w, const bp_type *t, const int64_t *colour, int64_t size, int64_t mine,
                             double *data)
{
  int64_t ones = 0;
  for (int64_t k = 0; k < size; k++) {
    data[k] = colour[k] == mine;
    ones += colour[k] == mine;
  }
  if (ones == 0)
    return BP_NO_NODE;
  return ones == size ? bp_full(w->f->g, BP_REAL, 1, t->rank, t->dims)
                      : bp_array_constant(w->f->g, BP_REAL, t->rank, t->dims, data);
}

static bp_status add_constant_sweep(weaver *w, bool forward, int64_t mine, double *data)
{
  size_t n;
  const bp_node *from = seeded_nodes(w->f, forward, &n);
  const int64_t *colour = forward ? w->c->of_col : w->c->of_row;
  for (size_t i = 0; i < n; i++) {
    bp_type t;
    bp_node_type(from[i], &t);
    w->seed[i] = constant_seed(w, &t, colour, bp_node_size(from[i]), mine, data);
    colour += bp_node_size(from[i]);
  }
  bp_status s = bp_graph_status(w->f->g);
  return s == BP_OK ? add_sweep(w, forward) : s;
}

/* Sweep number `slot` of the input `seeds`, in which each node's seed is a piece. */
static bp_status add_bound_sweep(weaver *w, bool forward, bp_node seeds, int64_t at)
{
  size_t n;
  const bp_node *from = seeded_nodes(w->f, forward, &n);
  for (size_t i = 0; i < n; i++) {
    bp_type t;
    int64_t end = at + bp_node_size(from[i]), step = 1;
    bp_node_type(from[i], &t);
    w->seed[i] = bp_reshape(bp_slice(seeds, &at, 1, &end, 1, &step, 1), t.dims, t.rank);
    at = end;
  }
  bp_status s = bp_graph_status(w->f->g);
  return s == BP_OK ? add_sweep(w, forward) : s;
}

/* ---- plans ---- */

static bp_status compile_parts(weaver *w, bpi_pass *pass)
{
  bp_node all = w->n_parts == 1 ? w->part[0] : bp_concat(w->part, w->n_parts, 0);
  bp_plan_options o = {.real = w->j->info.real, .outputs = &all, .n_outputs = 1};
  bp_status s = bp_graph_status(w->f->g);
  if (s == BP_OK)
    s = bp_plan_new(w->f->g, &o, &pass->plan);
  return s == BP_OK ? bp_run_new(pass->plan, w->f->state, &pass->run) : s;
}

/* The input that seeds are bound to: a name that the graph does not have. */
static bp_node seed_input(weaver *w, bpi_pass *pass, int64_t length)
{
  char name[32];
  int number = 0;
  do
    snprintf(name, sizeof name, "seeds %d", number++);
  while (bpi_name_taken(w->f->g, name));
  pass->name = bpi_arena_strdup(&w->j->arena, name);
  if (!pass->name)
    return bpi_node_fail(w->f->g, BP_E_NOMEM, "out of memory");
  return bp_input(w->f->g, name, BP_REAL, 1, &length);
}

/* at_once sweeps of one direction with seeds as input. */
static bp_status compile_bound(weaver *w, bpi_pass *pass, bool forward)
{
  pass->seed_length = forward ? w->j->info.cols : w->j->info.rows;
  bp_node seeds = seed_input(w, pass, pass->at_once * pass->seed_length);
  bp_status s = bp_graph_status(w->f->g);
  w->n_parts = 0;
  for (int64_t k = 0; k < pass->at_once && s == BP_OK; k++)
    s = add_bound_sweep(w, forward, seeds, k * pass->seed_length);
  return s == BP_OK ? compile_parts(w, pass) : s;
}

static bp_status compile_constant(weaver *w, bpi_pass *pass)
{
  int64_t rows = w->j->info.rows, cols = w->j->info.cols;
  double *data = bpi_arena_alloc(&w->room, (size_t)(rows > cols ? rows : cols) + 1, sizeof *data);
  bp_status s = data ? BP_OK : bpi_nomem();
  for (int64_t k = 0; k < w->c->forward && s == BP_OK; k++)
    s = add_constant_sweep(w, true, k, data);
  for (int64_t k = 0; k < w->c->reverse && s == BP_OK; k++)
    s = add_constant_sweep(w, false, k, data);
  pass->at_once = w->c->forward + w->c->reverse;
  pass->runs = 1;
  return s == BP_OK ? compile_parts(w, pass) : s;
}

/* ---- seeds of plans that run several times ---- */

/* Which elements each sweep is seeded at. */
static bp_status set_members(weaver *w, bpi_pass *pass, const int64_t *colour)
{
  bpi_arena *a = &w->j->arena;
  size_t real = bp_dtype_size(w->j->info.real);
  pass->first = bpi_arena_alloc(a, (size_t)pass->sweeps + 2, sizeof *pass->first);
  pass->member = bpi_arena_alloc(a, (size_t)pass->seed_length + 1, sizeof *pass->member);
  pass->seeds = bpi_arena_alloc(a, (size_t)(pass->at_once * pass->seed_length) + 1, real);
  if (!pass->first || !pass->member || !pass->seeds)
    return bpi_nomem();
  int64_t *next = pass->first + 1;
  for (int64_t k = 0; k < pass->seed_length; k++)
    if (colour[k] >= 0)
      next[colour[k] + 1]++;
  for (int64_t s = 0; s < pass->sweeps; s++)
    next[s + 1] += next[s];
  for (int64_t k = 0; k < pass->seed_length; k++)
    if (colour[k] >= 0)
      pass->member[next[colour[k]]++] = k;
  bp_status s =
      bp_run_bind(pass->run, pass->name, pass->seeds, (size_t)(pass->at_once * pass->seed_length) * real);
  return s == BP_E_NOTFOUND ? BP_OK : s; /* where no sweep depends on its seed */
}

/* About how many nodes and elements one plan may have for the sake of more sweeps in it. */
enum { NODES_AT_ONCE = 100000, ELEMENTS_AT_ONCE = 1 << 24, SWEEPS_AT_ONCE = 16, FEW_SWEEPS = 4 };

static int64_t smaller(int64_t a, int64_t b)
{
  return a < b ? a : b;
}

static int64_t sweeps_at_once(const weaver *w)
{
  int64_t nodes = (int64_t)bp_graph_mark(w->f->g) + 1;
  int64_t elements = smaller(w->j->info.rows, w->j->info.cols) + 1; /* of the two, the larger may be sparse */
  elements = w->j->info.rows + w->j->info.cols - elements + 2;
  int64_t n = smaller(NODES_AT_ONCE / nodes, ELEMENTS_AT_ONCE / elements);
  return n < 1 ? 1 : smaller(n, SWEEPS_AT_ONCE);
}

static bp_status compile_runs(weaver *w, bpi_pass *pass, bool forward)
{
  pass->sweeps = forward ? w->c->forward : w->c->reverse;
  pass->runs = (pass->sweeps + sweeps_at_once(w) - 1) / sweeps_at_once(w);
  pass->at_once = (pass->sweeps + pass->runs - 1) / pass->runs;
  bp_status s = compile_bound(w, pass, forward);
  return s == BP_OK ? set_members(w, pass, forward ? w->c->of_col : w->c->of_row) : s;
}

/* ---- where entries are read off ---- */

/* Where the result of a sweep begins in the output of the only plan. */
static int64_t sweep_begins(const weaver *w, int64_t sweep)
{
  int64_t forward = smaller(sweep, w->c->forward);
  return forward * w->j->info.rows + (sweep - forward) * w->j->info.cols;
}

static bp_status read_at_once(weaver *w, bpi_pass *pass)
{
  int64_t n = w->n;
  pass->to = w->entry;
  pass->at = bpi_arena_alloc(&w->j->arena, (size_t)n + 1, sizeof *pass->at);
  pass->from = bpi_arena_alloc(&w->j->arena, 2, sizeof *pass->from);
  if (!pass->at || !pass->from)
    return bpi_nomem();
  pass->from[1] = n;
  for (int64_t e = 0; e < n; e++)
    pass->at[e] = (uint32_t)(sweep_begins(w, w->c->sweep[e]) + w->c->element[e]);
  return BP_OK;
}

/* Entries by the run that gives them. Sweeps of this pass have the numbers from `base`. */
static bp_status read_by_run(weaver *w, bpi_pass *pass, int64_t base, int64_t length)
{
  bpi_arena *a = &w->j->arena;
  const int32_t *sweep = w->c->sweep;
  int64_t n = w->n, mine = 0, end = base + pass->sweeps;
  for (int64_t e = 0; e < n; e++)
    mine += sweep[e] >= base && sweep[e] < end;
  pass->from = bpi_arena_alloc(a, (size_t)pass->runs + 2, sizeof *pass->from);
  pass->to = bpi_arena_alloc(a, (size_t)mine + 1, sizeof *pass->to);
  pass->at = bpi_arena_alloc(a, (size_t)mine + 1, sizeof *pass->at);
  if (!pass->from || !pass->to || !pass->at)
    return bpi_nomem();
  int64_t *next = pass->from + 1;
  for (int64_t e = 0; e < n; e++)
    if (sweep[e] >= base && sweep[e] < end)
      next[(sweep[e] - base) / pass->at_once + 1]++;
  for (int64_t r = 0; r < pass->runs; r++)
    next[r + 1] += next[r];
  for (int64_t e = 0; e < n; e++)
    if (sweep[e] >= base && sweep[e] < end) {
      int64_t k = next[(sweep[e] - base) / pass->at_once]++;
      pass->to[k] = w->entry ? w->entry[e] : e;
      pass->at[k] = (uint32_t)((sweep[e] - base) % pass->at_once * length + w->c->element[e]);
    }
  return BP_OK;
}

/* ---- all of it ---- */

static bp_status compile_sweeps(weaver *w)
{
  bp_jacobian *j = w->j;
  int64_t k = w->c->forward + w->c->reverse;
  if (k == 0)
    return BP_OK;
  bool few = k <= sweeps_at_once(w) || k <= FEW_SWEEPS;
  if (few && sweep_begins(w, k) <= UINT32_MAX) { /* their results, joined, as bpi_pass counts them */
    bpi_pass *pass = &w->half->passes[w->half->n_passes++];
    bp_status s = compile_constant(w, pass);
    return s == BP_OK ? read_at_once(w, pass) : s;
  }
  bp_status s = BP_OK;
  for (int forward = 1; forward >= 0 && s == BP_OK; forward--) {
    if (!(forward ? w->c->forward : w->c->reverse))
      continue;
    bpi_pass *pass = &w->half->passes[w->half->n_passes++];
    s = compile_runs(w, pass, forward);
    if (s == BP_OK)
      s = read_by_run(w, pass, forward ? 0 : w->c->forward, forward ? j->info.rows : j->info.cols);
  }
  return s;
}

static bp_status compile_products(weaver *w)
{
  bp_status s = BP_OK;
  for (int reverse = 0; reverse < 2 && s == BP_OK; reverse++) {
    w->j->product[reverse].at_once = 1;
    s = compile_bound(w, &w->j->product[reverse], !reverse);
  }
  return s;
}

static bp_status with_weaver(weaver *w, bp_status (*weave)(weaver *))
{
  size_t n = (w->f->n_x > w->f->n_y ? w->f->n_x : w->f->n_y) + 1;
  bpi_arena_init(&w->room, w->j->ctx);
  w->node = bpi_arena_alloc(&w->room, n, sizeof *w->node);
  w->seed = bpi_arena_alloc(&w->room, n, sizeof *w->seed);
  w->out = bpi_arena_alloc(&w->room, n, sizeof *w->out);
  bp_status s = w->node && w->seed && w->out ? weave(w) : bpi_nomem();
  bpi_free(w->j->ctx, w->part);
  bpi_arena_free(&w->room);
  return s;
}

bp_status bpi_jacobian_compile(bp_jacobian *j, bpi_half *half, const bpi_function *f, const bpi_colouring *c,
                               int64_t n, int64_t *entry)
{
  weaver w = {.j = j, .half = half, .f = f, .c = c, .n = n, .entry = entry};
  return with_weaver(&w, compile_sweeps);
}

bp_status bpi_jacobian_compile_products(bp_jacobian *j, const bpi_function *f)
{
  weaver w = {.j = j, .f = f};
  return j->info.rows && j->info.cols ? with_weaver(&w, compile_products) : BP_OK;
}

void bpi_half_free(bpi_half *half)
{
  for (int i = 0; i < half->n_passes; i++)
    bpi_pass_free(&half->passes[i]);
  half->n_passes = 0;
}

void bpi_pass_free(bpi_pass *pass)
{
  bp_run_free(pass->run);
  bp_plan_free(pass->plan);
}
