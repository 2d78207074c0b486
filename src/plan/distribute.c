/* Distributing: elementwise work on a concatenation is done part by part where nothing needs the whole.
 *
 * The gradients of a network are parts of one flat vector, and its optimiser is elementwise over that vector. Cut where the parts meet, the
 * update of each weight stands beside the product that makes its gradient, can run as the end of that product (epilogue.c), and the flat
 * gradient is never stored. Parts that no such product makes stay together, so that a hundred biases are one instruction and not a hundred.
 *
 * The region of a concatenation is what is connected with it through whole arrays of its length: all elementwise loops. It is cut only if
 * every value in it goes to others in it, or into state, where each piece becomes an update of its own. The concatenation itself may be needed
 * whole, by a guard for one. Then it stays, and the pieces read their parts of it: the threads that share out the update of a weight still
 * take those of its elements whose gradient they have made. */
#include "base/sort.h"
#include "plan/draft.h"

enum { MOST_PIECES = 256 };

typedef struct distributor {
  bpi_draft *d;
  bpi_readers readers;
  uint8_t *inside; /* of each instruction: in the region */
  uint32_t *todo;  /* instructions to look at */
  size_t n_todo;
  size_t n_roots;     /* when this began: what is added later is never cut again */
  uint32_t *piece_of; /* of each root of the region: its first piece; the others follow */
  int64_t *cut;       /* where each piece begins, and the end */
  bool kept;          /* the concatenation is needed whole */
  bpi_ref *part;      /* else what stands for each piece of it */
  size_t n_pieces;
} distributor;

static bool is_whole(const bpi_ref *r, int64_t n)
{
  return r->form == BPI_FULL && bpi_type_size(r->type) == n;
}

/* ---- which concatenations ---- */

/* A part that a product makes, large enough for an end of its own. */
static bool stands_alone(const bpi_draft *d, const bpi_ref *r)
{
  const bpi_root *root = &d->roots[r->root];
  return r->form == BPI_FULL && root->def && bpi_has_end(d, &d->ins[root->def]) && r->offset == 0 &&
         bpi_type_size(r->type) == root->size && root->size >= 4 * d->tuning.fuse_min;
}

static bool worth_cutting(const bpi_draft *d, const bpi_ins *ins)
{
  uint32_t alone = 0;
  if (ins->kind != BPI_DO_JOIN || ins->dead || d->roots[d->results[ins->out]].keep)
    return false;
  for (uint32_t k = 0; k < ins->n_in; k++)
    alone += stands_alone(d, &d->refs[ins->in + k]);
  return alone && 2 * alone < MOST_PIECES;
}

/* ---- the region ---- */

static bool distributor_init(distributor *t, bpi_draft *d)
{
  bpi_arena *a = &d->arena;
  *t = (distributor){.d = d, .n_roots = d->n_roots};
  t->inside = bpi_arena_alloc(a, d->n_ins, 1);
  t->todo = bpi_arena_alloc(a, d->n_ins, sizeof *t->todo);
  t->piece_of = bpi_arena_alloc(a, d->n_roots, sizeof *t->piece_of);
  t->cut = bpi_arena_alloc(a, MOST_PIECES + 1, sizeof *t->cut);
  t->part = bpi_arena_alloc(a, MOST_PIECES, sizeof *t->part);
  if (!t->inside || !t->todo || !t->piece_of || !t->cut || !t->part)
    return false;
  return bpi_readers_find(d, &t->readers);
}

static bool can_enter(const distributor *t, uint32_t i, int64_t n)
{
  const bpi_ins *ins = &t->d->ins[i];
  return !ins->dead && ins->kind == BPI_DO_LOOP && ins->n == n;
}

static void enter(distributor *t, uint32_t i)
{
  if (!t->inside[i]) {
    t->inside[i] = 1;
    t->todo[t->n_todo++] = i;
  }
}

/* Whether an instruction reads a room only as a whole, element by element. */
static bool reads_whole(const bpi_draft *d, const bpi_ins *ins, uint32_t root, int64_t n)
{
  for (uint32_t k = 0; k < ins->n_in; k++)
    if (d->refs[ins->in + k].root == root && !is_whole(&d->refs[ins->in + k], n))
      return false;
  return true;
}

/* Readers of a value of the region are in the region, or commit it, piece by piece; the concatenation is committed whole. False: somebody
 * needs the whole. */
static bool enter_readers(distributor *t, uint32_t root, int64_t n)
{
  const bpi_draft *d = t->d;
  bool all = !d->roots[root].keep, joined = d->ins[d->roots[root].def].kind == BPI_DO_JOIN;
  for (uint32_t k = t->readers.first[root]; k < t->readers.first[root + 1]; k++) {
    uint32_t i = t->readers.list[k];
    if (d->ins[i].kind == BPI_DO_COMMIT && !joined)
      continue;
    if (can_enter(t, i, n) && reads_whole(d, &d->ins[i], root, n))
      enter(t, i);
    else
      all = false;
  }
  return all;
}

/* What an instruction of the region reads is cut with it where it can be. */
static bool enter_inputs(distributor *t, const bpi_ins *ins, int64_t n)
{
  const bpi_draft *d = t->d;
  for (uint32_t k = 0; k < ins->n_in; k++) {
    const bpi_ref *r = &d->refs[ins->in + k];
    uint32_t def = d->roots[r->root].def;
    if (r->form == BPI_SPLAT)
      continue;
    if (!is_whole(r, n))
      return false;
    if (def && r->offset == 0 && can_enter(t, def, n))
      enter(t, def);
  }
  return true;
}

static bool grow_region(distributor *t, uint32_t join)
{
  const bpi_draft *d = t->d;
  uint32_t root = d->results[d->ins[join].out];
  int64_t n = d->roots[root].size;
  t->n_todo = 0;
  t->kept = !enter_readers(t, root, n);
  bool good = true;
  for (size_t k = 0; good && k < t->n_todo; k++) {
    const bpi_ins *ins = &d->ins[t->todo[k]];
    good = enter_inputs(t, ins, n) && enter_readers(t, d->results[ins->out], n);
  }
  good = good && t->n_todo;
  for (size_t k = 0; !good && k < t->n_todo; k++)
    t->inside[t->todo[k]] = 0;
  return good;
}

/* ---- pieces ---- */

static bp_type *row_type(bpi_draft *d, bp_dtype dtype, int64_t n)
{
  bp_type *t = bpi_arena_alloc(&d->arena, 1, sizeof *t);
  if (t)
    *t = (bp_type){.dtype = dtype, .rank = 1, .dims = {n}};
  return t;
}

/* Parts [first, last) of the concatenation as one piece. */
static bp_status add_piece(distributor *t, uint32_t join, uint32_t first, uint32_t last)
{
  bpi_draft *d = t->d;
  const bpi_ins ins = d->ins[join];
  int64_t n = 0;
  for (uint32_t k = first; k < last; k++)
    n += bpi_type_size(d->refs[ins.in + k].type);
  t->cut[t->n_pieces + 1] = t->cut[t->n_pieces] + n;
  bpi_ref *piece = &t->part[t->n_pieces++];
  *piece = d->refs[ins.in + first];
  if (last - first == 1 || t->kept)
    return BP_OK;
  bpi_ref *x = bpi_arena_alloc(&d->arena, last - first, sizeof *x);
  bp_type *type = row_type(d, (bp_dtype)piece->type->dtype, n);
  uint32_t root = bpi_root_new(d, BPI_BLOCK, (bp_dtype)d->roots[d->results[ins.out]].dtype, n);
  if (!x || !type || !root)
    return bpi_nomem();
  for (uint32_t k = first; k < last; k++)
    x[k - first] = d->refs[ins.in + k];
  uint32_t id = bpi_ins_new(d, BPI_DO_JOIN, ins.head, x, last - first, &root, 1);
  if (!id)
    return BP_E_NOMEM;
  d->ins[id].n = n;
  *piece = bpi_full_ref(root, type);
  return BP_OK;
}

static bp_status cut_parts(distributor *t, uint32_t join)
{
  bpi_draft *d = t->d;
  uint32_t n = d->ins[join].n_in, first = 0;
  bp_status s = BP_OK;
  t->n_pieces = 0;
  t->cut[0] = 0;
  for (uint32_t k = 0; k < n && s == BP_OK; k++) {
    bool alone = stands_alone(d, &d->refs[d->ins[join].in + k]);
    if (alone && first < k)
      s = add_piece(t, join, first, k);
    if (alone && s == BP_OK)
      s = add_piece(t, join, k, k + 1);
    first = alone ? k + 1 : first;
  }
  return s == BP_OK && first < n ? add_piece(t, join, first, n) : s;
}

static int64_t length(const distributor *t, size_t piece)
{
  return t->cut[piece + 1] - t->cut[piece];
}

static bool is_cut(const distributor *t, uint32_t root)
{
  return root < t->n_roots && t->piece_of[root];
}

/* The part of an operand that piece k of an instruction reads. */
static bp_status piece_ref(distributor *t, const bpi_ref *r, uint32_t whole, size_t k, bpi_ref *out)
{
  bpi_draft *d = t->d;
  *out = *r;
  if (r->form != BPI_SPLAT && r->root == whole && !t->kept) {
    *out = t->part[k];
    return BP_OK;
  }
  bp_type *type = row_type(d, (bp_dtype)r->type->dtype, length(t, k));
  if (!type)
    return bpi_nomem();
  out->type = type;
  if (r->form == BPI_SPLAT)
    return BP_OK;
  if (is_cut(t, r->root)) {
    out->root = t->piece_of[r->root] + (uint32_t)k;
    return BP_OK;
  }
  out->offset += t->cut[k];
  if (bpi_faulty(d, BPI_FAULT_piece_offset) && t->cut[k])
    out->offset--;
  return BP_OK;
}

static bp_status cut_ins(distributor *t, uint32_t i, uint32_t whole)
{
  bpi_draft *d = t->d;
  const bpi_ins ins = d->ins[i];
  uint32_t result = d->results[ins.out], first = 0;
  bpi_ref x[BPI_MAX_BODY_IN];
  for (size_t k = 0; k < t->n_pieces; k++) {
    uint32_t root = bpi_root_new(d, BPI_BLOCK, (bp_dtype)d->roots[result].dtype, length(t, k));
    if (!root)
      return BP_E_NOMEM;
    first = k ? first : root;
  }
  for (size_t k = 0; k < t->n_pieces; k++) {
    uint32_t root = first + (uint32_t)k;
    bp_status s = BP_OK;
    for (uint32_t j = 0; j < ins.n_in && s == BP_OK; j++)
      s = piece_ref(t, &d->refs[ins.in + j], whole, k, &x[j]);
    uint32_t id = s == BP_OK ? bpi_ins_new(d, BPI_DO_LOOP, ins.head, x, ins.n_in, &root, 1) : 0;
    if (!id)
      return s == BP_OK ? BP_E_NOMEM : s;
    d->ins[id].n = length(t, k);
    d->ins[id].loop = ins.loop;
  }
  t->piece_of[result] = first;
  d->ins[i].dead = true;
  d->plan->done[BP_PASS_distribute]++;
  return BP_OK;
}

/* ---- updates ---- */

static bp_status cut_update(distributor *t, const bpi_draft_update *u, bpi_draft_update *out)
{
  bpi_draft *d = t->d;
  uint32_t head = d->ins[u->ins].head;
  for (size_t k = 0; k < t->n_pieces; k++) {
    bp_type *type = row_type(d, (bp_dtype)d->refs[d->ins[u->ins].in].type->dtype, length(t, k));
    if (!type)
      return bpi_nomem();
    out[k] = *u;
    out[k].value = t->piece_of[u->value] + (uint32_t)k;
    out[k].at = u->at + t->cut[k];
    out[k].size = length(t, k);
    bpi_ref value = bpi_full_ref(out[k].value, type);
    out[k].ins = bpi_ins_new(d, BPI_DO_COMMIT, head, &value, 1, NULL, 0);
    if (!out[k].ins)
      return BP_E_NOMEM;
    d->ins[out[k].ins].n = out[k].size;
  }
  d->ins[u->ins].dead = true;
  return BP_OK;
}

static bp_status cut_updates(distributor *t)
{
  bpi_draft *d = t->d;
  size_t most = 0, n = 0;
  for (size_t i = 0; i < d->n_updates; i++)
    most += is_cut(t, d->updates[i].value) ? t->n_pieces : 1;
  bpi_draft_update *all = bpi_arena_alloc(&d->arena, most + 1, sizeof *all);
  if (!all)
    return bpi_nomem();
  for (size_t i = 0; i < d->n_updates; i++) {
    const bpi_draft_update *u = &d->updates[i];
    if (!is_cut(t, u->value)) {
      all[n++] = *u;
      continue;
    }
    bp_status s = cut_update(t, u, all + n);
    if (s != BP_OK)
      return s;
    n += t->n_pieces;
  }
  d->updates = all;
  d->n_updates = n;
  return BP_OK;
}

/* ---- all of it ---- */

static int by_number(const void *a, const void *b, const void *arg)
{
  (void)arg;
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

static bp_status distribute_one(distributor *t, uint32_t join)
{
  bpi_draft *d = t->d;
  uint32_t whole = d->results[d->ins[join].out];
  bp_status s = cut_parts(t, join);
  /* In the order in which they were made, so that what a piece reads is made before it. */
  bpi_sort(t->todo, t->n_todo, sizeof *t->todo, by_number, NULL);
  for (size_t k = 0; k < t->n_todo && s == BP_OK; k++)
    s = cut_ins(t, t->todo[k], whole);
  if (s == BP_OK)
    s = cut_updates(t);
  d->ins[join].dead = !t->kept;
  return s;
}

bp_status bpi_distribute(bpi_draft *d)
{
  distributor t;
  bool ready = false;
  size_t n = d->n_ins;
  if (!bpi_pass_on(d, BP_PASS_distribute) || !bpi_pass_on(d, BP_PASS_fuse))
    return BP_OK;
  for (uint32_t i = 1; i < n; i++) {
    if (!worth_cutting(d, &d->ins[i]))
      continue;
    if (!ready && !(ready = distributor_init(&t, d)))
      return bpi_nomem();
    bp_status s = grow_region(&t, i) ? distribute_one(&t, i) : BP_OK;
    if (s != BP_OK)
      return s;
  }
  return BP_OK;
}
