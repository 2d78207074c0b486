/* Values: where the result of each node lies, and which instructions make it. Traits decide; no row is named. */
#include "plan/draft.h"

#include <string.h>

typedef bp_status (*value_rule)(bpi_draft *d, uint32_t head);

static bool full_strides(const bp_type *t, const int64_t *strides)
{
  return bpi_type_size(t) <= 1 || bpi_contiguous(t->rank, t->dims, strides);
}

static bool splat_strides(const bp_type *t, const int64_t *strides)
{
  for (int i = 0; i < t->rank; i++)
    if (t->dims[i] > 1 && strides[i])
      return false;
  return true;
}

/* A reference through strides, in its simplest form. */
static bp_status strided_ref(bpi_draft *d, uint32_t root, int64_t offset, const bp_type *type,
                             const int64_t *strides, bpi_ref *out)
{
  *out = bpi_full_ref(root, type);
  out->offset = bpi_type_size(type) ? offset : 0;
  if (full_strides(type, strides))
    return BP_OK;
  if (splat_strides(type, strides)) {
    out->form = BPI_SPLAT;
    return BP_OK;
  }
  int64_t *kept = bpi_arena_alloc(&d->arena, (size_t)type->rank, sizeof *kept);
  if (!kept)
    return bpi_nomem();
  memcpy(kept, strides, (size_t)type->rank * sizeof *kept);
  out->form = BPI_STRIDED;
  out->strides = kept;
  if (bpi_faulty(d, BPI_FAULT_view_strides) && out->offset == 0 &&
      bpi_type_size(type) == d->roots[root].size) {
    out->form = BPI_FULL;
    out->strides = NULL;
  }
  return BP_OK;
}

/* ---- sources ---- */

static int param_number(const bpi_draft *d, uint32_t head)
{
  for (size_t i = 0; i < d->n_params; i++)
    if (d->params[i].index == d->origin[head])
      return (int)i;
  return -1;
}

static bp_status add_input(bpi_draft *d, const char *name, const bp_type *type)
{
  bp_plan *p = d->plan;
  bpi_plan_input *in = &p->inputs[p->n_inputs];
  in->name = bpi_arena_strdup(&p->arena, name);
  in->type = *type;
  in->type.dtype = bpi_storage(type->dtype, p->real);
  in->bytes = (size_t)bpi_type_size(type) * bp_dtype_size(in->type.dtype);
  uint32_t root = bpi_root_new(d, BPI_INPUT, in->type.dtype, bpi_type_size(type));
  if (!in->name || !root)
    return bpi_nomem();
  d->roots[root].index = (uint32_t)p->n_inputs;
  d->input_root[p->n_inputs++] = root;
  return BP_OK;
}

static bp_status input_value(bpi_draft *d, uint32_t head)
{
  const bpi_node *v = &d->h->nodes[head];
  int number = param_number(d, head);
  if (number < 0) {
    bp_status s = add_input(d, (const char *)v->attr[0].v, v->type);
    if (s != BP_OK)
      return s;
    number = (int)d->plan->n_inputs - 1;
  }
  d->at[head] = bpi_full_ref(d->input_root[number], v->type);
  return BP_OK;
}

/* Room in the tables of entries. */
static bool entry_tables(bpi_draft *d, uint32_t entry)
{
  size_t n = d->n_entry_root ? d->n_entry_root : 16;
  if (entry < d->n_entry_root)
    return true;
  while (n <= entry)
    n *= 2;
  uint32_t *root = bpi_arena_alloc(&d->arena, n, sizeof *root);
  const bp_type **type = bpi_arena_alloc(&d->arena, n, sizeof *type);
  if (!root || !type)
    return false;
  for (size_t i = 0; i < d->n_entry_root; i++) {
    root[i] = d->entry_root[i];
    type[i] = d->entry_type[i];
  }
  d->entry_root = root;
  d->entry_type = type;
  d->n_entry_root = n;
  return true;
}

/* The room of an entry of the state; 0 when out of memory. */
static uint32_t entry_room(bpi_draft *d, uint32_t entry, const bp_type *type)
{
  if (!entry_tables(d, entry)) {
    bpi_nomem();
    return 0;
  }
  if (!d->entry_root[entry]) {
    uint32_t root = bpi_root_new(d, BPI_STATE, bpi_storage(type->dtype, d->plan->real), bpi_type_size(type));
    if (!root)
      return 0;
    d->roots[root].index = entry;
    d->entry_root[entry] = root;
    d->entry_type[entry] = type;
  }
  return d->entry_root[entry];
}

static bp_status state_fits(const bpi_draft *d)
{
  const bp_state *s = d->from->state;
  if (s && s->real != d->plan->real)
    return bpi_fail(BP_E_MISMATCH, "bp_plan_new: the state stores reals as %s, the plan wants %s",
                    bp_dtype_name(s->real), bp_dtype_name(d->plan->real));
  return BP_OK;
}

static bp_status state_value(bpi_draft *d, uint32_t head)
{
  const bpi_node *v = &d->h->nodes[head];
  bp_status s = state_fits(d);
  if (s != BP_OK)
    return s;
  uint32_t root = entry_room(d, (uint32_t)v->attr[0].i, v->type);
  d->at[head] = bpi_full_ref(root, v->type);
  return root ? BP_OK : BP_E_NOMEM;
}

static void store_constant(void *to, bp_dtype storage, const void *from, int64_t n)
{
  const double *x = from;
  if (storage == BP_FLOAT32)
    for (int64_t i = 0; i < n; i++)
      ((float *)to)[i] = (float)x[i];
  else
    memcpy(to, from, (size_t)n * bp_dtype_size(storage));
}

/* One element stands for all; without the pass `views`, or for a seeded fault, it gets a room as large as all. */
static bp_status constant_value(bpi_draft *d, uint32_t head)
{
  const bpi_node *v = &d->h->nodes[head];
  const bp_attr *data = &v->attr[2];
  int64_t size = bpi_type_size(v->type), given = data->n / (v->type->dtype == BP_BOOL ? 1 : 8);
  bool one = given == 1 && size > 1, spread = one && !bpi_pass_on(d, BP_PASS_views);
  bp_dtype storage = bpi_storage(v->type->dtype, d->plan->real);
  int64_t room = one && !spread && !bpi_faulty(d, BPI_FAULT_splat_stride) ? 1 : size;
  uint32_t root = bpi_root_new(d, BPI_CONSTANTS, storage, room);
  char *to = bpi_arena_alloc(&d->arena, (size_t)room + 1, bp_dtype_size(storage));
  if (!root || !to)
    return bpi_nomem();
  store_constant(to, storage, data->v, one ? 1 : size);
  for (int64_t i = 1, elem = (int64_t)bp_dtype_size(storage); spread && i < size; i++)
    memcpy(to + i * elem, to, (size_t)elem);
  d->roots[root].data = to;
  d->at[head] = bpi_full_ref(root, v->type);
  if (one && !spread)
    d->at[head].form = BPI_SPLAT;
  return BP_OK;
}

/* ---- views ---- */

/* Seeded faults stay inside the memory of their value. */
static bool forward_only(const bp_type *t, const int64_t *strides)
{
  for (int i = 0; i < t->rank; i++)
    if (strides[i] < 0)
      return false;
  return true;
}

/* Whether the last two axes lie as a transposed matrix does, which products take as it is. */
static bool is_turned(const bpi_ref *r)
{
  const int n = r->type->rank;
  return r->form == BPI_STRIDED && n >= 2 && r->type->dims[n - 2] > 1 && r->type->dims[n - 1] > 1 &&
         r->strides[n - 2] == 1 && r->strides[n - 1] >= r->type->dims[n - 2];
}

/* A view without the pass: a copy. Products add as their operands lie, so a transposed matrix stays one, and they keep their bits. */
static bp_status copied_as_it_lies(bpi_draft *d, uint32_t head, bpi_ref *r)
{
  const int rows = r->type->rank - 2, cols = rows + 1;
  bp_type *turned = bpi_arena_alloc(&d->arena, 1, sizeof *turned);
  int64_t strides[BP_MAX_RANK] = {0};
  bpi_ref lying;
  if (!turned)
    return bpi_nomem();
  if (!is_turned(r))
    return bpi_copied(d, head, r, r);
  *turned = *r->type;
  turned->dims[rows] = r->type->dims[cols];
  turned->dims[cols] = r->type->dims[rows];
  memcpy(strides, r->strides, (size_t)r->type->rank * sizeof *strides);
  strides[rows] = r->strides[cols];
  strides[cols] = 1;
  bp_status s = strided_ref(d, r->root, r->offset, turned, strides, &lying);
  if (s == BP_OK)
    s = bpi_copied(d, head, &lying, &lying);
  if (s != BP_OK)
    return s;
  bpi_strides(turned->rank, turned->dims, strides);
  strides[cols] = strides[rows];
  strides[rows] = 1;
  return strided_ref(d, lying.root, 0, r->type, strides, r);
}

static bp_status view_value(bpi_draft *d, uint32_t head)
{
  const bp_op *op = d->h->nodes[head].op;
  uint32_t slot = d->h->nodes[head].in[0];
  int64_t room[BP_MAX_RANK], strides[BP_MAX_RANK], offset = 0;
  bpi_call_room call_room;
  bp_op_call call;
  bool on = bpi_pass_on(d, BP_PASS_views);
  bpi_ref in = d->at[slot], out;
  bp_status s = bpi_call_of(d->h, head, &call_room, &call);
  if (s != BP_OK)
    return bpi_fail(s, "%s", bp_graph_error(d->h));
  if (!op->view(&call, bpi_ref_strides(&in, room), strides, &offset)) {
    s = bpi_whole(d, slot, &in);
    if (s == BP_OK && !op->view(&call, bpi_ref_strides(&in, room), strides, &offset))
      s = bpi_fail(BP_E_INTERNAL, "%s: no view of a contiguous array", op->name);
  }
  bpi_call_done(&call_room);
  if (bpi_faulty(d, BPI_FAULT_view_offset) && forward_only(d->h->nodes[head].type, strides))
    offset = 0;
  if (s == BP_OK)
    s = strided_ref(d, in.root, in.offset + offset, d->h->nodes[head].type, strides, &out);
  if (s == BP_OK && !on)
    s = copied_as_it_lies(d, head, &out);
  d->plan->done[BP_PASS_views] += on;
  d->at[head] = out;
  return s;
}

/* ---- elementwise rows with a body ---- */

static bpi_loop loop_of(const bpi_draft *d, const bpi_node *v)
{
  const bpi_body_loops *loops = &d->plan->kernels->body[v->op->body->id];
  for (int k = 0; k < v->n_in; k++) {
    bp_dtype t = d->h->nodes[v->in[k]].type->dtype;
    if (t == BP_REAL)
      return d->wide ? loops->f64 : loops->f32;
    if (t == BP_INT64)
      return loops->i64;
  }
  return loops->b8;
}

/* Arrays this small gain nothing from tiles. */
static bool worth_fusing(const bpi_draft *d, int64_t n)
{
  return bpi_pass_on(d, BP_PASS_fuse) && n >= d->tuning.fuse_min;
}

static bool all_constants(const bpi_draft *d, const bpi_node *v)
{
  for (int k = 0; k < v->n_in; k++)
    if (d->roots[d->at[v->in[k]].root].segment != BPI_CONSTANTS)
      return false;
  return true;
}

/* Strided operands stay where a tile program can gather them; else they are copied. */
static bp_status body_operands(bpi_draft *d, const bpi_node *v, int64_t n, bpi_ref *x, bool *single)
{
  bool gathers = worth_fusing(d, n) && !(all_constants(d, v) && bpi_pass_on(d, BP_PASS_simplify));
  *single = n > 1 && bpi_pass_on(d, BP_PASS_simplify);
  for (int k = 0; k < v->n_in; k++) {
    x[k] = d->at[v->in[k]];
    *single = *single && x[k].form == BPI_SPLAT;
    if (x[k].form == BPI_STRIDED && !gathers) {
      bp_status s = bpi_whole(d, v->in[k], &x[k]);
      if (s != BP_OK)
        return s;
    }
  }
  return BP_OK;
}

/* Where every operand is one element for all, so is the result. */
static bp_status body_value(bpi_draft *d, uint32_t head)
{
  const bpi_node *v = &d->h->nodes[head];
  bpi_ref x[BPI_MAX_BODY_IN];
  bool single;
  int64_t size = bpi_type_size(v->type);
  bpi_loop loop = loop_of(d, v);
  if (!loop || v->n_in > BPI_MAX_BODY_IN)
    return bpi_fail(BP_E_DTYPE, "%s: no loop for inputs of this type", v->op->name);
  bp_status s = body_operands(d, v, size, x, &single);
  if (s != BP_OK)
    return s;
  uint32_t root = bpi_root_new(d, BPI_BLOCK, bpi_storage(v->type->dtype, d->plan->real), single ? 1 : size);
  uint32_t id = root ? bpi_ins_new(d, BPI_DO_LOOP, head, x, v->n_in, &root, 1) : 0;
  if (!id)
    return BP_E_NOMEM;
  bpi_ins *ins = &d->ins[id];
  ins->n = single ? 1 : size;
  ins->loop = loop;
  ins->dead = size == 0;
  bpi_fold(d, ins);
  d->at[head] = bpi_full_ref(root, v->type);
  if (single)
    d->at[head].form = BPI_SPLAT;
  return BP_OK;
}

/* ---- rows with a kernel ---- */

bool bpi_has_end(const bpi_draft *d, const bpi_ins *ins)
{
  return ins->kind == BPI_DO_KERNEL && !ins->dead && !ins->may_fail && !ins->tile && ins->n_out == 1 &&
         (d->h->nodes[ins->head].op->traits & BP_ENDED);
}

/* Inputs as the kernel takes them. */
static bp_status kernel_operands(bpi_draft *d, const bpi_node *v, bpi_ref *x)
{
  bool strided = v->op->traits & BP_STRIDED;
  bp_array *a = bpi_arena_alloc(&d->arena, v->n_in, sizeof *a);
  int64_t *room = bpi_arena_alloc(&d->arena, (size_t)v->n_in * BP_MAX_RANK, sizeof *room);
  if (!a || !room)
    return bpi_nomem();
  for (int k = 0; k < v->n_in; k++) {
    x[k] = d->at[v->in[k]];
    a[k] = bpi_ref_array(d, &x[k], room + k * BP_MAX_RANK);
  }
  bp_kernel_call c = {.in = a, .attr = v->attr, .vec = d->plan->kernels, .n_in = v->n_in};
  for (int k = 0; k < v->n_in; k++) {
    if (x[k].form == BPI_FULL || (strided && (!v->op->accepts || v->op->accepts(&c, k))))
      continue;
    bp_status s = bpi_whole(d, v->in[k], &x[k]);
    if (s != BP_OK)
      return s;
    a[k] = bpi_ref_array(d, &x[k], room + k * BP_MAX_RANK);
  }
  return BP_OK;
}

static bp_status new_results(bpi_draft *d, uint32_t head, uint32_t *out, int64_t *total)
{
  const bpi_node *v = &d->h->nodes[head];
  int n_out = v->n_out;
  *total = 0;
  for (int k = 0; k < n_out; k++) {
    const bp_type *t = d->h->nodes[head + (uint32_t)k].type;
    out[k] = 0;
    if ((v->op->traits & BP_SPARING) && !(d->need[head + (uint32_t)k] & 1))
      continue;
    out[k] = bpi_root_new(d, BPI_BLOCK, bpi_storage(t->dtype, d->plan->real), bpi_type_size(t));
    if (!out[k])
      return BP_E_NOMEM;
    *total += bpi_type_size(t);
    d->at[head + (uint32_t)k] = bpi_full_ref(out[k], t);
  }
  return BP_OK;
}

static bp_status kernel_value(bpi_draft *d, uint32_t head)
{
  const bpi_node *v = &d->h->nodes[head];
  uint32_t out[BP_MAX_RESULTS];
  int64_t total;
  bpi_ref *x = bpi_arena_alloc(&d->arena, v->n_in, sizeof *x);
  bp_status s = x ? kernel_operands(d, v, x) : bpi_nomem();
  if (s == BP_OK)
    s = new_results(d, head, out, &total);
  uint32_t id = s == BP_OK ? bpi_ins_new(d, BPI_DO_KERNEL, head, x, v->n_in, out, v->n_out) : 0;
  if (!id)
    return s == BP_OK ? BP_E_NOMEM : s;
  d->ins[id].n = total;
  d->ins[id].dead = total == 0;
  d->ins[id].may_fail = !(v->op->traits & BP_TOTAL);
  bpi_fold(d, &d->ins[id]);
  return BP_OK;
}

/* ---- concatenations whose parts are contiguous in the result ---- */

static bool joins(const bpi_draft *d, const bpi_node *v)
{
  if (!(v->op->traits & BP_JOIN) || !bpi_pass_on(d, BP_PASS_concat))
    return false;
  for (int64_t i = 0; i < v->attr[0].i; i++)
    if (v->type->dims[i] != 1)
      return false;
  return bpi_type_size(v->type) > 0 && !(all_constants(d, v) && bpi_pass_on(d, BP_PASS_simplify));
}

static bp_status join_value(bpi_draft *d, uint32_t head)
{
  const bpi_node *v = &d->h->nodes[head];
  uint32_t root;
  int64_t total;
  bpi_ref *x = bpi_arena_alloc(&d->arena, v->n_in, sizeof *x);
  if (!x)
    return bpi_nomem();
  for (int k = 0; k < v->n_in; k++)
    x[k] = d->at[v->in[k]];
  bp_status s = new_results(d, head, &root, &total);
  uint32_t id = s == BP_OK ? bpi_ins_new(d, BPI_DO_JOIN, head, x, v->n_in, &root, 1) : 0;
  if (!id)
    return s == BP_OK ? BP_E_NOMEM : s;
  d->ins[id].n = total;
  return BP_OK;
}

/* ---- loops over steps ---- */

/* Compiles the body with the outputs that are read: all carries, and some of y. */
static bp_status scan_body(bpi_draft *d, uint32_t head, bpi_scan *scan, bp_fn *fn)
{
  bp_node wanted[BP_MAX_RESULTS];
  size_t n = (size_t)scan->n_carry;
  int *output = bpi_arena_alloc(&d->plan->arena, (size_t)scan->n_y + 1, sizeof *output);
  if (!output || !bpi_grow(d->ctx, (void **)&d->plan->bodies, &d->plan->bodies_cap, d->plan->n_bodies,
                           sizeof(bp_plan *)))
    return bpi_nomem();
  memcpy(wanted, fn->outputs, n * sizeof *wanted);
  for (int j = 0; j < scan->n_y; j++) {
    bool read = d->need[head + (uint32_t)(scan->n_carry + j)] & 1;
    output[j] = read ? (int)n : -1;
    if (read)
      wanted[n++] = fn->outputs[scan->n_carry + j];
  }
  scan->output = output;
  bpi_tuning tuning = d->tuning;
  if (scan->lanes > 1)
    tuning.split_ns = INT64_MAX;
  bp_plan_options o = {
      .real = d->plan->real, .outputs = wanted, .n_outputs = n, .passes_off = d->o->passes_off};
  bp_status s = bpi_compile(fn->body, fn->inputs, fn->n_inputs, &o, &tuning, d->depth + 1, &scan->body);
  if (s == BP_OK)
    d->plan->bodies[d->plan->n_bodies++] = scan->body;
  return s;
}

/* Rooms for final carries, for what is read of stacked y and carries, and for the body's block. */
static bp_status scan_results(bpi_draft *d, uint32_t head, const bpi_scan *scan, uint32_t *out, size_t *n_out)
{
  size_t n = 2 * (size_t)scan->n_carry + (size_t)scan->n_y;
  for (size_t k = 0; k < n; k++) {
    uint32_t slot = head + (uint32_t)k;
    const bp_type *t = d->h->nodes[slot].type;
    out[k] = 0;
    if (k >= (size_t)scan->n_carry && !(d->need[slot] & 1))
      continue;
    out[k] = bpi_root_new(d, BPI_BLOCK, bpi_storage(t->dtype, d->plan->real), bpi_type_size(t));
    if (!out[k])
      return BP_E_NOMEM;
    d->at[slot] = bpi_full_ref(out[k], t);
  }
  out[n] = bpi_root_new(d, BPI_BLOCK, BP_BOOL, (int64_t)scan->apart * scan->lanes);
  *n_out = n + 1;
  return out[n] ? BP_OK : BP_E_NOMEM;
}

/* Threads that may share out the steps of a loop: only where none waits for another, and none fails. Its steps are then done by one thread
 * each, so there must be enough of them. */
static int lanes_of(const bpi_draft *d, const bpi_scan *scan, const bp_fn *fn)
{
  const int threads = bp_ctx_threads(d->ctx);
  const uint32_t never_fails = BP_TOTAL | BP_ELEMENTWISE | BP_VIEW | BP_INPUT | BP_CONSTANT;
  if (scan->n_carry || scan->length < 2 * (int64_t)threads)
    return 1;
  for (uint32_t i = 1; i < fn->body->count; i++)
    if (fn->body->nodes[i].op && !(fn->body->nodes[i].op->traits & never_fails))
      return 1;
  return threads;
}

static bool body_may_fail(const bp_plan *body)
{
  for (size_t i = 0; i < body->n_instrs; i++)
    if (body->instrs[i].may_fail)
      return true;
  return false;
}

static bp_status scan_value(bpi_draft *d, uint32_t head)
{
  const bpi_node *v = &d->h->nodes[head];
  bp_fn *fn = v->attr[0].fn;
  uint32_t out[BP_MAX_RESULTS + 1];
  size_t n_out;
  bpi_scan *scan = bpi_arena_alloc(&d->plan->arena, 1, sizeof *scan);
  bpi_ref *x = bpi_arena_alloc(&d->arena, v->n_in, sizeof *x);
  if (!scan || !x)
    return bpi_nomem();
  scan->n_carry = (int)v->attr[1].i;
  scan->n_xs = (int)v->attr[2].i;
  scan->n_consts = v->n_in - scan->n_carry - scan->n_xs;
  scan->n_y = v->n_out - 2 * scan->n_carry;
  scan->length = v->attr[3].i;
  scan->reverse = v->attr[4].i;
  scan->lanes = lanes_of(d, scan, fn);
  bp_status s = scan_body(d, head, scan, fn);
  if (s == BP_OK)
    scan->apart = (scan->body->block_bytes + 63) & ~(size_t)63;
  if (s == BP_OK && body_may_fail(scan->body))
    scan->lanes = 1;
  for (int k = 0; k < v->n_in && s == BP_OK; k++)
    s = bpi_whole(d, v->in[k], &x[k]);
  if (s == BP_OK)
    s = scan_results(d, head, scan, out, &n_out);
  uint32_t id = s == BP_OK ? bpi_ins_new(d, BPI_DO_SCAN, head, x, v->n_in, out, n_out) : 0;
  if (!id)
    return s == BP_OK ? BP_E_NOMEM : s;
  d->ins[id].scan = scan;
  d->ins[id].n = scan->length;
  d->ins[id].may_fail = body_may_fail(scan->body);
  return BP_OK;
}

/* ---- which rule ---- */

static bp_status no_way(bpi_draft *d, uint32_t head)
{
  return bpi_fail(BP_E_UNSUPPORTED, "%s: the row has no kernel, body or definition to run",
                  d->h->nodes[head].op->name);
}

static value_rule rule_of(const bpi_draft *d, const bpi_node *v)
{
  static const struct {
    uint32_t trait;
    value_rule rule;
  } by_trait[] = {
      {BP_INPUT, input_value}, {BP_STATE, state_value}, {BP_CONSTANT, constant_value}, {BP_LOOP, scan_value}};
  for (size_t i = 0; i < sizeof by_trait / sizeof *by_trait; i++)
    if (v->op->traits & by_trait[i].trait)
      return by_trait[i].rule;
  if ((v->op->traits & BP_VIEW) && v->op->view)
    return view_value;
  if ((v->op->traits & BP_ELEMENTWISE) && v->op->body)
    return body_value;
  if (joins(d, v))
    return join_value;
  return v->op->kernel ? kernel_value : no_way;
}

/* ---- what leaves the plan ---- */

/* An output lies contiguous in the block or in the constants. What it shows of state or inputs is copied: both may have changed
 * when it is read. */
static bp_status keep_output(bpi_draft *d, size_t i)
{
  uint32_t slot = d->wanted[i].index;
  bpi_ref *r = &d->at[slot];
  uint8_t segment = d->roots[r->root].segment;
  bool body_input = bpi_faulty(d, BPI_FAULT_carry_early) && d->depth && segment == BPI_INPUT;
  if (r->form == BPI_FULL && (segment == BPI_BLOCK || segment == BPI_CONSTANTS || body_input)) {
    d->outputs[i] = *r;
  } else {
    if (!d->copy_of[slot]) {
      bpi_ref copy;
      bp_status s = bpi_copied(d, slot, r, &copy);
      if (s != BP_OK)
        return s;
      d->copy_of[slot] = copy.root;
    }
    d->outputs[i] = bpi_full_ref(d->copy_of[slot], d->at[slot].type);
  }
  d->roots[d->outputs[i].root].keep = !bpi_faulty(d, BPI_FAULT_output_dies);
  return BP_OK;
}

static bp_status make_guard(bpi_draft *d)
{
  size_t n = d->o->n_guards, first = d->o->n_outputs + d->o->n_updates;
  bpi_ref *x = bpi_arena_alloc(&d->arena, n, sizeof *x);
  if (!x)
    return bpi_nomem();
  for (size_t i = 0; i < n; i++) {
    uint32_t slot = d->wanted[first + i].index;
    x[i] = d->at[slot];
    bp_status s = x[i].form == BPI_STRIDED ? bpi_whole(d, slot, &x[i]) : BP_OK;
    if (s != BP_OK)
      return s;
  }
  d->guard = bpi_ins_new(d, BPI_DO_GUARD, d->wanted[first].index, x, n, NULL, 0);
  if (!d->guard)
    return BP_E_NOMEM;
  d->ins[d->guard].may_fail = true;
  d->ins[d->guard].dead = bpi_faulty(d, BPI_FAULT_guard_ignored);
  return BP_OK;
}

/* The new value gets a room of its own in the block, unless it has one: what shows state, inputs or a part of something else is
 * copied. */
static bp_status make_update(bpi_draft *d, size_t i)
{
  uint32_t slot = d->wanted[d->o->n_outputs + i].index;
  bpi_ref r = d->at[slot], value = r;
  bpi_draft_update *u = &d->updates[d->n_updates];
  u->entry = (uint32_t)d->o->updates[i].entry;
  u->root = entry_room(d, u->entry, r.type);
  if (!u->root)
    return BP_E_NOMEM;
  const bpi_root *root = &d->roots[r.root];
  if (r.root == u->root && r.form == BPI_FULL)
    return BP_OK; /* the entry keeps its value */
  bool own = r.form == BPI_FULL && root->size == bpi_type_size(r.type) &&
             (root->segment == BPI_BLOCK || root->segment == BPI_CONSTANTS);
  bool direct = bpi_faulty(d, BPI_FAULT_swap_direct) && root->segment == BPI_STATE && r.form == BPI_FULL;
  if (!own && !direct) {
    bp_status s = bpi_copied(d, slot, &r, &value);
    if (s != BP_OK)
      return s;
  }
  u->value = value.root;
  u->ins = bpi_ins_new(d, BPI_DO_COMMIT, slot, &value, 1, NULL, 0);
  if (!u->ins)
    return BP_E_NOMEM;
  d->ins[u->ins].n = u->size = bpi_type_size(value.type);
  d->n_updates++;
  return BP_OK;
}

static bp_status make_rooms(bpi_draft *d)
{
  bp_plan *p = d->plan;
  size_t slots = d->h->count;
  d->at = bpi_arena_alloc(&d->arena, slots, sizeof *d->at);
  d->copy_of = bpi_arena_alloc(&d->arena, slots, sizeof *d->copy_of);
  d->outputs = bpi_arena_alloc(&d->arena, d->o->n_outputs + 1, sizeof *d->outputs);
  d->updates = bpi_arena_alloc(&d->arena, d->o->n_updates + 1, sizeof *d->updates);
  size_t inputs = d->n_params;
  for (uint32_t i = 1; i < slots; i++)
    inputs += (d->need[i] && (d->h->nodes[i].op->traits & BP_INPUT)) ? 1 : 0;
  p->inputs = bpi_arena_alloc(&p->arena, inputs + 1, sizeof *p->inputs);
  d->input_root = bpi_arena_alloc(&d->arena, inputs + 1, sizeof *d->input_root);
  if (!d->at || !d->copy_of || !d->outputs || !d->updates || !p->inputs || !d->input_root)
    return bpi_nomem();
  /* Number 0 means none, of rooms and of instructions. */
  if (!bpi_grow(d->ctx, (void **)&d->roots, &d->roots_cap, 0, sizeof *d->roots) ||
      !bpi_grow(d->ctx, (void **)&d->ins, &d->ins_cap, 0, sizeof *d->ins))
    return bpi_nomem();
  memset(&d->roots[0], 0, sizeof d->roots[0]);
  memset(&d->ins[0], 0, sizeof d->ins[0]);
  d->ins[0].dead = true;
  d->n_roots = d->n_ins = 1;
  for (size_t i = 0; i < d->n_params; i++) {
    const bpi_node *v = &d->from->nodes[d->params[i].index];
    bp_status s = add_input(d, (const char *)v->attr[0].v, v->type);
    if (s != BP_OK)
      return s;
  }
  return BP_OK;
}

bp_status bpi_make_values(bpi_draft *d)
{
  bp_status s = make_rooms(d);
  for (uint32_t i = 1; i < d->h->count && s == BP_OK; i += d->h->nodes[i].n_out)
    if (d->need[i])
      s = rule_of(d, &d->h->nodes[i])(d, i);
  for (size_t i = 0; i < d->o->n_outputs && s == BP_OK; i++)
    s = keep_output(d, i);
  if (s == BP_OK && d->o->n_guards)
    s = make_guard(d);
  if (s == BP_OK && d->o->n_updates)
    s = state_fits(d);
  for (size_t i = 0; i < d->o->n_updates && s == BP_OK; i++)
    s = make_update(d, i);
  return s;
}
