/* Dependence flowing through a loop: its function, laid into the graph once, is led through step by step. */
#include "autodiff/flow.h"

#include <string.h>

typedef struct loop {
  const bp_op_call *c;
  bp_fn *fn;
  size_t n_carry, n_xs, n_y;
  int64_t length;
  bool reverse;
  bp_node *args;    /* of the function, */
  bp_node *results; /* and what it gives for them */
  uint32_t *given;  /* rows of the arguments */
  uint32_t *found;  /* rows of its results */
} loop;

static bool open_loop(loop *l, bpi_flow *f, const bp_op_call *c, bpi_arena *room)
{
  *l = (loop){.c = c,
              .fn = c->attr[0].fn,
              .n_carry = (size_t)c->attr[1].i,
              .n_xs = (size_t)c->attr[2].i,
              .length = c->attr[3].i,
              .reverse = c->attr[4].i != 0};
  size_t n_in = l->fn->n_inputs, n_out = l->fn->n_outputs;
  l->n_y = n_out - l->n_carry;
  l->args = bpi_arena_alloc(room, n_in, sizeof *l->args);
  l->results = bpi_arena_alloc(room, n_out, sizeof *l->results);
  l->given = bpi_arena_alloc(room, n_in, sizeof *l->given);
  l->found = bpi_arena_alloc(room, n_out, sizeof *l->found);
  if (!l->args || !l->results || !l->given || !l->found)
    return false;
  for (size_t i = 0; i < n_in; i++)
    l->args[i] = bpi_placeholder(f->g, bpi_slot(l->fn->inputs[i])->type);
  return bpi_fn_inline(l->fn, f->g, l->args, 0, l->results) == BP_OK;
}

/* Element t of a sequence. */
static uint32_t step_of(bpi_flow *f, uint32_t rows, int64_t t, int64_t length)
{
  if (!rows)
    return 0;
  int64_t n = f->rows[rows].n / length;
  uint32_t r = bpi_flow_empty(f, n);
  if (r) {
    memcpy(f->rows[r].lists->id, f->rows[rows].lists->id + t * n, (size_t)n * sizeof(uint32_t));
    f->rows[r].known = f->rows[rows].known;
  }
  return r;
}

/* Rows of one step go to their place in what is stacked. */
static bp_status stack(bpi_flow *f, uint32_t rows, int64_t t, int64_t length, uint32_t *stacked)
{
  if (!rows)
    return BP_OK;
  int64_t n = f->rows[rows].n;
  if (!*stacked)
    *stacked = bpi_flow_empty(f, n * length);
  if (!*stacked)
    return f->l.status;
  bpi_rows *s = &f->rows[*stacked];
  memcpy(s->lists->id + t * n, f->rows[rows].lists->id, (size_t)n * sizeof(uint32_t));
  s->known = s->known == BPI_ONE && f->rows[rows].known == BPI_ONE ? BPI_ONE : BPI_ANY;
  return BP_OK;
}

/* given[0 .. n_carry) are the carries, which the step replaces. */
static bp_status one_step(loop *l, bpi_flow *f, const uint32_t *in, int64_t t, uint32_t *out)
{
  size_t n_c = l->n_carry, history = n_c + l->n_y;
  bp_status s = BP_OK;
  for (size_t k = 0; s == BP_OK && k < n_c; k++)
    s = stack(f, l->given[k], t, l->length, &out[history + k]);
  for (size_t i = 0; s == BP_OK && i < l->n_xs; i++) {
    l->given[n_c + i] = step_of(f, in[n_c + i], t, l->length);
    s = f->l.status;
  }
  if (s == BP_OK)
    s = bpi_flow_sweep(f, l->results, l->fn->n_outputs, l->args, l->given, l->fn->n_inputs, true, l->found);
  for (size_t i = 0; i < n_c + l->n_xs; i++) {
    bpi_flow_drop(f, l->given[i]);
    l->given[i] = s == BP_OK && i < n_c ? l->found[i] : 0;
  }
  for (size_t k = 0; s == BP_OK && k < l->n_y; k++) {
    s = stack(f, l->found[n_c + k], t, l->length, &out[n_c + k]);
    bpi_flow_drop(f, l->found[n_c + k]);
  }
  return s;
}

bp_status bpi_flow_through_loop(bpi_flow *f, const bp_op_call *c, const uint32_t *in, uint32_t *out)
{
  loop l;
  bpi_arena room;
  bpi_arena_init(&room, f->g->ctx);
  bp_status s = BP_OK;
  if (!open_loop(&l, f, c, &room))
    s = f->g->status != BP_OK ? f->g->status : bpi_nomem();
  for (size_t i = 0; s == BP_OK && i < l.fn->n_inputs; i++) {
    bool carry = i < l.n_carry, sequence = !carry && i < l.n_carry + l.n_xs;
    l.given[i] = sequence || !in[i] ? 0 : carry ? bpi_flow_again(f, in[i], BPI_ONE) : in[i];
    s = f->l.status;
  }
  for (int64_t i = 0; s == BP_OK && i < l.length; i++)
    s = one_step(&l, f, in, l.reverse ? l.length - 1 - i : i, out);
  for (size_t k = 0; s == BP_OK && k < l.n_carry; k++)
    out[k] = l.given[k];
  bpi_arena_free(&room);
  return s;
}
