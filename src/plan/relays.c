/* Relays in tile programs: neighbouring steps whose bodies are cheap enough to be passed through in registers (kernels.h). What one
 * leaves in the registers for the next is stored only where another step, or somebody outside, reads it. */
#include "plan/draft.h"

static bool same_place(const bpi_tile_ref *a, const bpi_tile_ref *b)
{
  return a->slot == b->slot && a->index == b->index;
}

/* What a step leaves in the registers: its result; a sum, what it has added. */
static const bpi_tile_ref *left_by(const bpi_tile_step *t)
{
  return t->sum ? &t->in[0] : &t->out;
}

/* Number of the input that is in the registers; -1 if none. */
static int held_by(const bpi_tile_step *t, const bpi_tile_ref *left)
{
  for (int k = 0; left && k < t->n_in; k++)
    if (same_place(&t->in[k], left))
      return k;
  return -1;
}

static bool set_sum(const bpi_draft *d, const bpi_tile *tile, bpi_tile_step *t, int held)
{
  t->relay = (bpi_tile_relay){.fn = d->plan->kernels->relay_of[tile->wide](0, BPI_RELAY_SUM),
                              .first = (int8_t)(held >= 0 ? -1 : 0),
                              .other = -1};
  return true;
}

/* Fills in how a step runs behind the one that left something in the registers; NULL: nothing. False where it cannot run in a relay. */
static bool set_relay(const bpi_draft *d, const bpi_tile *tile, bpi_tile_step *t, const bpi_tile_ref *left)
{
  bp_dtype real = d->wide ? BP_FLOAT64 : BP_FLOAT32;
  if (t->sum)
    return set_sum(d, tile, t, held_by(t, left));
  if (!t->loop || !t->op->body || t->n_in > 2)
    return false;
  for (int k = 0; k <= t->n_in; k++)
    if (t->dtype[k] != real)
      return false;
  int held = held_by(t, left), first = held >= 0 ? held : t->n_in == 2 && !t->in[0].step;
  int other = t->n_in == 2 ? 1 - first : -1;
  if (!t->in[first].step)
    return false;
  int how =
      other < 0 ? BPI_RELAY_ARRAY : (t->in[other].step ? BPI_RELAY_ARRAY : BPI_RELAY_NUMBER) + (other == 0);
  bpi_relay_fn fn = d->plan->kernels->relay_of[tile->wide](t->op->body->id, (bpi_relay_how)how);
  t->relay = (bpi_tile_relay){
      .fn = fn, .first = (int8_t)(held >= 0 ? -1 : first), .other = (int8_t)other, .keep = !t->out.slot};
  return fn != NULL;
}

/* Sets keep where a slot is read otherwise than from the registers. writer: the last step that wrote to each slot, + 1. */
static void set_kept(bpi_tile *tile, uint32_t *writer)
{
  for (size_t i = 0; i < tile->n_steps; i++) {
    bpi_tile_step *t = &tile->steps[i];
    bool behind = t->relay.fn && t->relay.first < 0;
    for (int k = 0; k < t->n_in; k++) {
      bool held = behind && k != t->relay.other;
      if (t->in[k].slot && writer[t->in[k].index] && !held)
        tile->steps[writer[t->in[k].index] - 1].relay.keep = true;
    }
    if (t->out.slot)
      writer[t->out.index] = (uint32_t)i + 1;
  }
}

bp_status bpi_find_relays(bpi_draft *d, bpi_tile *tile)
{
  uint32_t *writer = bpi_arena_alloc(&d->arena, tile->n_slots + 1, sizeof *writer);
  if (!writer)
    return bpi_nomem();
  tile->wide = d->wide;
  for (size_t i = 0, n = 0; i < tile->n_steps; i += n ? n : 1) {
    for (n = 0; n < BPI_RELAY_STEPS && i + n < tile->n_steps; n++)
      if (!set_relay(d, tile, &tile->steps[i + n], n ? left_by(&tile->steps[i + n - 1]) : NULL))
        break;
    if (n == 1) /* alone, it is a loop */
      tile->steps[i].relay = (bpi_tile_relay){0};
    else if (n > 1)
      tile->steps[i].relay.steps = (uint8_t)n;
    if (i + n < tile->n_steps && n < BPI_RELAY_STEPS)
      tile->steps[i + n].relay = (bpi_tile_relay){0};
  }
  set_kept(tile, writer);
  tile->strips = tile->n_steps > 0 && tile->steps[0].relay.steps == tile->n_steps;
  return BP_OK;
}
