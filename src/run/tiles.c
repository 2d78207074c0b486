/* Tile programs: several elementwise steps over one tile of elements after another, so that what lies between stays in cache. */
#include "base/pool.h"
#include "run/run.h"

typedef struct tile_place {
  const bpi_step *s;
  char *slots;
  size_t slot_bytes;
  int64_t first, n; /* elements of this tile */
} tile_place;

static void *tile_at(const tile_place *p, const bpi_tile_ref *r)
{
  if (r->slot)
    return p->slots + r->index * p->slot_bytes;
  return (char *)p->s->at[r->index] + (r->step ? p->first * r->elem : 0);
}

static void tile_load(const tile_place *p, const bpi_tile_step *t)
{
  uint32_t k = t->in[0].index;
  bpi_gather_range(&p->s->instr->x[k], p->s->at[k], tile_at(p, &t->out), p->first, p->first + p->n);
}

static void tile_step(const tile_place *p, const bpi_tile_step *t)
{
  const void *x[BPI_MAX_BODY_IN];
  int64_t step[BPI_MAX_BODY_IN];
  for (int k = 0; k < t->n_in; k++) {
    x[k] = tile_at(p, &t->in[k]);
    step[k] = t->in[k].step;
  }
  t->loop(p->n, tile_at(p, &t->out), x, step, t->params);
}

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

static void tile_part(void *arg, int64_t begin, int64_t end, int thread)
{
  const bpi_step *s = arg;
  const bpi_tile *t = s->instr->tile;
  const bp_run *run = s->frame->run;
  tile_place p = {
      .s = s, .slots = run->scratch + (size_t)thread * run->scratch_stride, .slot_bytes = t->slot_bytes};
  for (int64_t u = begin; u < end; u++) {
    p.first = u * t->tile;
    p.n = t->n - p.first < t->tile ? t->n - p.first : t->tile;
    for (size_t k = 0; k < t->n_steps; k++) {
      const bpi_tile_step *step = &t->steps[k];
      if (step->loop)
        tile_step(&p, step);
      else if (step->op)
        tile_kernel(&p, step);
      else if (!step->once || u == begin)
        tile_load(&p, step);
    }
  }
}

/* What repeats in every tile is gathered with the first one of a thread, which must then be a whole one. */
bp_status bpi_run_tile(bpi_step *s)
{
  const bpi_instr *i = s->instr;
  if (i->threads > 1)
    bpi_pool_run(s->frame->run->ctx, i->threads, i->units, tile_part, s);
  else
    tile_part(s, 0, i->units, 0);
  return BP_OK;
}
