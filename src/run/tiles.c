/* Tile programs: several elementwise steps over one tile of elements after another, so that what lies between stays in cache. */
#include "run/run.h"

#include <string.h>

/* A piece of the rectangle: rows and columns of the result that fit into a slot. */
typedef struct end_piece {
  int64_t row, rows, col, cols, width;
} end_piece;

typedef struct tile_place {
  const bpi_step *s;
  char *slots;
  size_t slot_bytes;
  int64_t first, n; /* elements of this tile */
  /* At the end of a product the elements are a rectangle of its result, which is itself operand number `product`. */
  bpi_rect rect;
  bool ends;
  int64_t rect_first; /* element of the result that its first one is */
  uint32_t product;
  /* Else NULL: operands of this piece are copied into slots of their own, row by row, and results out of them. */
  const end_piece *gathered;
} tile_place;

/* The slot of an operand that is gathered. */
static char *own_slot(const tile_place *p, uint32_t operand)
{
  return p->slots + (p->s->instr->tile->n_slots + operand) * p->slot_bytes;
}

static void *tile_at(const tile_place *p, const bpi_tile_ref *r)
{
  if (r->slot)
    return p->slots + r->index * p->slot_bytes;
  if (p->gathered && r->step)
    return own_slot(p, r->index);
  if (p->ends && r->index == p->product)
    return (char *)p->rect.c + (p->first - p->rect_first) * r->elem;
  return (char *)p->s->at[r->index] + (r->step ? p->first * r->elem : 0);
}

/* Loads of strided operands go row by row: between two rows of the piece lie elements that are not in it. */
static void load_rows(const tile_place *p, const bpi_tile_step *t)
{
  const end_piece *e = p->gathered;
  uint32_t k = t->in[0].index;
  char *to = tile_at(p, &t->out);
  for (int64_t i = 0; i < e->rows; i++, to += e->cols * t->out.elem) {
    int64_t first = (e->row + i) * e->width + e->col;
    bpi_gather_range(&p->s->instr->x[k], p->s->at[k], to, first, first + e->cols);
  }
}

static void tile_load(const tile_place *p, const bpi_tile_step *t)
{
  uint32_t k = t->in[0].index;
  bpi_gather_range(&p->s->instr->x[k], p->s->at[k], tile_at(p, &t->out), p->first, p->first + p->n);
}

/* The lanes of a sum. */
static void *lanes_of(const tile_place *p, const bpi_tile_step *t)
{
  const bpi_tile *tile = p->s->instr->tile;
  return p->slots + tile->n_slots * p->slot_bytes + (t->sum - 1) * bpi_lanes_bytes(tile);
}

static void tile_sum(const tile_place *p, const bpi_tile_step *t, int64_t begin)
{
  p->s->frame->plan->kernels->add_lanes[p->s->instr->tile->wide](
      p->first + begin, p->n - begin, (const char *)tile_at(p, &t->in[0]) + begin * t->in[0].elem,
      lanes_of(p, t));
}

/* A step over the elements of the tile from `begin` on. */
static void tile_step(const tile_place *p, const bpi_tile_step *t, int64_t begin)
{
  if (t->sum) {
    tile_sum(p, t, begin);
    return;
  }
  const void *x[BPI_MAX_BODY_IN];
  int64_t step[BPI_MAX_BODY_IN];
  for (int k = 0; k < t->n_in; k++) {
    step[k] = t->in[k].step;
    x[k] = (const char *)tile_at(p, &t->in[k]) + begin * step[k] * t->in[k].elem;
  }
  t->loop(p->n - begin, (char *)tile_at(p, &t->out) + begin * t->out.elem, x, step, t->params);
}

/* ---- relays ---- */

/* Load, body and store of each step, what is fetched, and the end. */
enum { FORESEEN = 2, MOST_FETCHED = 8, RELAY_CODES = 3 * BPI_RELAY_STEPS + MOST_FETCHED + 1 };

/* Whether a result lies over what the program reads. */
static bool lies_over(const bpi_step *s, uint32_t result)
{
  for (uint32_t k = 0; k < s->instr->n_in; k++)
    if (s->at[k] == s->at[result])
      return true;
  return false;
}

/* Results go past the caches where they are on whole lines; but lines that have been read are in the cache, and go no faster past it. */
static bool streams(const tile_place *p, const bpi_tile_step *t)
{
  return p->s->instr->tile->streams && !p->gathered && !t->out.slot &&
         (uintptr_t)tile_at(p, &t->out) % 64 == 0 && !lies_over(p->s, t->out.index);
}

/* Adds a code for what lies at r; field by field, for a whole struct would be read before its parts have been stored. */
static bpi_relay *put_code(const tile_place *p, bpi_relay *code, bpi_relay_fn fn, const bpi_tile_ref *r)
{
  code->fn = fn;
  code->x = r ? tile_at(p, r) : NULL;
  code->along = -!(r && r->slot && p->s->instr->tile->strips);
  return code + 1;
}

/* What every relay is made of beside the bodies. */
static bpi_relay_fn code_of(const tile_place *p, bpi_relay_how how)
{
  return p->s->frame->plan->kernels->relay_of[p->s->instr->tile->wide](0, how);
}

/* Whether operand k is an array of which each tile reads its own elements. */
static bool runs_along(const bpi_instr *i, uint32_t k)
{
  return i->x[k].size == i->tile->n && i->x[k].contiguous;
}

/* Asks for operands early that no cache holds, where they are more than the processor itself foresees. What was gathered has
 * just been written. */
static bpi_relay *put_fetches(const tile_place *p, bpi_relay *code)
{
  const bpi_instr *i = p->s->instr;
  bpi_relay *const first = code;
  if (p->gathered)
    return code;
  for (uint32_t k = 0; k < i->n_in && i->tile->far && i->tile->strips && code < first + MOST_FETCHED; k++) {
    const bpi_tile_ref r = {.elem = i->tile->wide ? 8 : 4, .step = 1, .index = k};
    if (runs_along(i, k))
      code = put_code(p, code, code_of(p, BPI_RELAY_FETCH), &r);
  }
  return code - first > FORESEEN ? code : first;
}

/* The relay of the steps from t on. True if it streams. */
static bool write_relay(const tile_place *p, const bpi_tile_step *t, bpi_relay *code)
{
  const bpi_relay_fn load = code_of(p, BPI_RELAY_LOAD), store = code_of(p, BPI_RELAY_STORE);
  bool past = false;
  code = put_fetches(p, code);
  for (const bpi_tile_step *end = t + t->relay.steps; t < end; t++) {
    const bpi_tile_relay *relay = &t->relay;
    if (relay->first >= 0)
      code = put_code(p, code, load, &t->in[relay->first]);
    code = put_code(p, code, relay->fn, relay->other < 0 ? NULL : &t->in[relay->other]);
    code[-1].p = t->params;
    if (t->sum)
      code[-1].x = lanes_of(p, t);
    if (!relay->keep)
      continue;
    bool stream = streams(p, t);
    past = past || stream;
    code = put_code(p, code, stream ? code_of(p, BPI_RELAY_STREAM) : store, &t->out);
  }
  code->fn = code_of(p, BPI_RELAY_END);
  return past;
}

/* The steps from t on as a relay; what is left of the tile, step by step. */
static void tile_relay(const tile_place *p, const bpi_tile_step *t)
{
  bpi_relay code[RELAY_CODES];
  bool past = write_relay(p, t, code);
  int64_t done = p->s->frame->plan->kernels->run_relay[p->s->instr->tile->wide](code, 0, p->n, past);
  for (int k = 0; k < t->relay.steps && done < p->n; k++)
    tile_step(p, &t[k], done);
}

/* ---- steps ---- */

/* The kernel of an elementwise row sees the tile as rows of elements. */
static void tile_kernel(const tile_place *p, const bpi_tile_step *t)
{
  static const int64_t strides[2] = {0, 1};
  bp_array a[BPI_MAX_BODY_IN + 1];
  double ns;
  for (int k = 0; k <= t->n_in; k++) {
    const bpi_tile_ref *r = k < t->n_in ? &t->in[k] : &t->out;
    a[k] = (bp_array){tile_at(p, r), &p->n, &strides[r->step], p->n, (bp_dtype)t->dtype[k], 1};
  }
  bp_kernel_call c = {.in = a,
                      .out = a + t->n_in,
                      .attr = t->attr,
                      .vec = p->s->frame->plan->kernels,
                      .end = 1,
                      .n_in = t->n_in,
                      .n_out = 1,
                      .fail_at = -1};
  if (t->op->units)
    c.end = t->op->units(&c, &ns);
  t->op->kernel(&c);
}

static void tile_steps(const tile_place *p, bool first)
{
  const bpi_tile *t = p->s->instr->tile;
  for (const bpi_tile_step *step = t->steps, *end = step + t->n_steps; step < end; step++) {
    if (step->relay.steps) {
      tile_relay(p, step);
      step += step->relay.steps - 1;
    } else if (step->loop || step->sum) {
      tile_step(p, step, 0);
    } else if (step->op) {
      tile_kernel(p, step);
    } else if (p->gathered) {
      load_rows(p, step);
    } else if (!step->once || first) {
      tile_load(p, step);
    }
  }
}

/* ---- sums ---- */

void *bpi_tile_leaves(const bpi_step *s, uint32_t sum)
{
  const bpi_tile *t = s->instr->tile;
  char *leaves = s->frame->scratch + t->n_slots * t->slot_bytes + t->n_sums * bpi_lanes_bytes(t);
  return leaves + sum * (size_t)s->instr->units * (t->wide ? 8 : 4);
}

void bpi_tile_join(const bpi_step *s)
{
  const bpi_tile *t = s->instr->tile;
  for (const bpi_tile_step *step = t->steps, *end = step + t->n_steps; step < end && t->n_sums; step++)
    if (step->sum)
      s->frame->plan->kernels->join_leaves[t->wide](s->instr->units, bpi_tile_leaves(s, step->sum - 1),
                                                    s->at[step->out.index]);
}

/* The lanes of unit u are folded. */
static void end_leaf(const tile_place *p, int64_t u)
{
  const bpi_tile *t = p->s->instr->tile;
  char *lanes = p->slots + t->n_slots * p->slot_bytes;
  for (uint32_t k = 0; k < t->n_sums; k++, lanes += bpi_lanes_bytes(t))
    p->s->frame->plan->kernels->fold_lanes[t->wide](lanes, (char *)bpi_tile_leaves(p->s, k) +
                                                               (size_t)u * (t->wide ? 8 : 4));
}

/* ---- units ---- */

/* Elements [first, last), tile by tile. What repeats in every tile is gathered with the first one, which must then be a whole one. */
static void tiles_of(tile_place *p, int64_t first, int64_t last, bool fresh)
{
  int64_t most = p->s->instr->tile->tile;
  for (p->first = first; p->first < last; p->first += most, fresh = false) {
    p->n = last - p->first < most ? last - p->first : most;
    tile_steps(p, fresh);
  }
}

/* The same where all steps are one relay, which is written once; behind its strips, the rest step by step. */
static void strips_of(tile_place *p, const bpi_relay *code, int64_t first, int64_t last, bool past)
{
  const bpi_tile *t = p->s->instr->tile;
  int64_t done = p->s->frame->plan->kernels->run_relay[t->wide](code, first, last - first, past);
  if (first + done < last)
    tiles_of(p, first + done, last, false);
}

static void tile_part(void *arg, int64_t begin, int64_t end, int thread)
{
  const bpi_step *s = arg;
  const bpi_tile *t = s->instr->tile;
  tile_place p = {.s = s,
                  .slots = s->frame->scratch + (size_t)thread * s->frame->run->scratch_stride,
                  .slot_bytes = t->slot_bytes};
  bpi_relay code[RELAY_CODES];
  bool past = t->strips && begin < end && write_relay(&p, t->steps, code);
  int64_t each = t->n_sums || !t->strips ? 1 : end - begin;
  for (int64_t u = begin; u < end; u += each) {
    int64_t last = (u + each) * t->unit < t->n ? (u + each) * t->unit : t->n;
    memset(p.slots + t->n_slots * t->slot_bytes, 0, t->n_sums * bpi_lanes_bytes(t));
    if (t->strips)
      strips_of(&p, code, u * t->unit, last, past && u + each >= end);
    else
      tiles_of(&p, u * t->unit, last, u == begin);
    end_leaf(&p, u);
  }
}

void bpi_tile_units(bpi_step *s, int64_t begin, int64_t end)
{
  tile_part(s, begin, end, 0);
}

bp_status bpi_run_tile(bpi_step *s)
{
  const bpi_instr *i = s->instr;
  if (i->threads > 1)
    bpi_share(s, tile_part, s);
  else
    tile_part(s, 0, i->units, 0);
  bpi_tile_join(s);
  return BP_OK;
}

/* ---- at the end of a product ---- */

enum { LONG_ROW = 128, ROWS_AHEAD = 4, LINE = 64 };

/* Elements [p->first, end) of the result, which lie one after another in all operands. */
static void end_run(tile_place *p, int64_t end)
{
  int64_t most = p->s->instr->tile->tile;
  for (; p->first < end; p->first += p->n) {
    p->n = end - p->first < most ? end - p->first : most;
    tile_steps(p, true);
  }
}

/* Asks for a row of what the program reads, a few rows before it is wanted: the processor does not see it coming. */
static void fetch_row(const tile_place *p, int64_t first, int64_t n)
{
  const bpi_instr *i = p->s->instr;
  for (uint32_t k = i->n_row; k < i->n_in; k++) {
    size_t elem = bp_dtype_size((bp_dtype)i->x[k].dtype);
    const char *at = (const char *)p->s->at[k] + (size_t)first * elem;
    if (i->x[k].size == i->tile->n && i->x[k].contiguous)
      for (size_t b = 0; b < (size_t)n * elem; b += LINE)
        __builtin_prefetch(at + b, 1);
  }
}

/* Long rows one by one. */
static void end_rows(tile_place *p, int64_t width)
{
  const bpi_rect r = p->rect;
  size_t apart = (size_t)r.ldc * bp_dtype_size((bp_dtype)p->s->instr->x[p->product].dtype);
  for (int64_t i = 0; i < r.rows; i++) {
    p->rect.c = (char *)r.c + (size_t)i * apart;
    p->first = p->rect_first = (r.row + i) * width + r.col;
    if (i + ROWS_AHEAD < r.rows)
      fetch_row(p, p->first + ROWS_AHEAD * width, r.cols);
    end_run(p, p->first + r.cols);
  }
}

/* Short rows, so a call for each would cost more than the copying. */
static void copy_rows(int64_t rows, size_t bytes, const char *from, size_t from_apart, char *to,
                      size_t to_apart)
{
  for (int64_t i = 0; i < rows; i++, from += from_apart, to += to_apart) {
    size_t at = 0;
    for (; at + 64 <= bytes; at += 64)
      memcpy(to + at, from + at, 64);
    if (at < bytes)
      memcpy(to + at, from + at, bytes - at);
  }
}

static void move_operand(const tile_place *p, const end_piece *e, uint32_t k, bool out)
{
  const bpi_instr *i = p->s->instr;
  const bpi_operand *x = &i->x[k];
  size_t elem = bp_dtype_size((bp_dtype)x->dtype), bytes = (size_t)e->cols * elem;
  size_t apart = (size_t)e->width * elem;
  char *at = (char *)p->s->at[k] + (size_t)(e->row * e->width + e->col) * elem;
  if (k == p->product) {
    apart = (size_t)p->rect.ldc * elem;
    at = (char *)p->rect.c + (size_t)(e->row - p->rect.row) * apart + (size_t)(e->col - p->rect.col) * elem;
  }
  if (out)
    copy_rows(e->rows, bytes, own_slot(p, k), bytes, at, apart);
  else
    copy_rows(e->rows, bytes, at, apart, own_slot(p, k), bytes);
}

static void end_gathered(tile_place *p, const end_piece *e)
{
  const bpi_instr *i = p->s->instr;
  const bpi_tile *t = i->tile;
  p->gathered = e;
  p->n = e->rows * e->cols;
  for (uint32_t k = i->n_row; k <= i->n_in; k++)
    if (i->x[k].contiguous || k == i->n_in)
      if (i->x[k].size == t->n || k == i->n_in)
        move_operand(p, e, k, false);
  tile_steps(p, true);
  for (uint32_t k = i->n_in + 1; k < i->n_in + i->n_out; k++)
    move_operand(p, e, k, true);
}

void bpi_run_ending(void *arg, const bpi_rect *r)
{
  const bpi_ending *ending = arg;
  const bpi_step *s = ending->s;
  const bpi_instr *i = s->instr;
  const bpi_operand *c = &i->x[i->n_in];
  tile_place p = {.s = s,
                  .slots = ending->slots,
                  .slot_bytes = i->tile->slot_bytes,
                  .rect = *r,
                  .ends = true,
                  .product = i->n_in};
  int64_t width = c->dims[c->rank - 1], most = i->tile->tile;
  p.first = p.rect_first = r->row * width + r->col;
  if (r->cols == width && r->ldc == width) {
    end_run(&p, p.first + r->rows * width);
    return;
  }
  if (r->cols >= LONG_ROW) {
    end_rows(&p, width);
    return;
  }
  for (int64_t col = 0; col < r->cols; col += most) {
    end_piece e = {.col = r->col + col, .cols = r->cols - col < most ? r->cols - col : most, .width = width};
    int64_t rows = most / e.cols;
    for (int64_t row = 0; row < r->rows; row += rows) {
      e.row = r->row + row;
      e.rows = r->rows - row < rows ? r->rows - row : rows;
      end_gathered(&p, &e);
    }
  }
}
