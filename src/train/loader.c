/* A ring of batches. One thread at a time loads, some rows of the first batch that is not whole; it holds `loading` meanwhile. The training
 * takes whole batches in order and gives each back by asking for the next. */
#include "train/loader.h"
#include "base/pool.h"
#include "base/rng.h"
#include "kernels/cost.h"

#include <sched.h>

enum {
  ORDER_STREAM = 0x20000000, /* of shuffles, apart from random nodes and initialisers */
  MOST_AHEAD = 8,            /* batches, */
  AHEAD_BYTES = 1 << 20,     /* and what they may take, though two are allowed in any case */
  PIECE = 2048               /* numbers loaded at a time: the training may be waiting */
};

struct bpi_loader {
  bpi_load what;
  bp_dtype real;
  bool shared; /* with a thread that loads ahead */
  int64_t depth, per_epoch, total, taken;
  bpi_batch ring[MOST_AHEAD];
  _Alignas(64) atomic_int_least64_t whole; /* batches loaded */
  _Alignas(64)
      atomic_int_least64_t free; /* batches that may have been loaded: taken and given back, and the ring */
  _Alignas(64) atomic_bool loading; /* what follows belongs to the thread that set it */
  bpi_batch *work;                  /* the batch at work, */
  int64_t row;                      /* and rows of it that are done */
  int64_t at, epoch;                /* where in the order it begins; of which epoch the order is */
  int64_t *order;
};

/* ---- loading ---- */

static void load_targets(const bpi_loader *l, const bpi_batch *b, int64_t i)
{
  const bp_net *net = l->what.net;
  const bpi_examples *e = l->what.data->all;
  int64_t row = bpi_data_at(l->what.data, l->order[l->at + i]);
  if (net->classes) {
    b->labels[i] = bpi_match_label(l->what.match, e->labels[row]);
    return;
  }
  for (int64_t k = 0; k < net->outputs; k++) {
    float y = (e->y[row * net->outputs + k] - net->y_mean[k]) * net->y_scale[k];
    if (l->real == BP_FLOAT32)
      ((float *)b->y)[i * net->outputs + k] = y;
    else
      ((double *)b->y)[i * net->outputs + k] = y;
  }
}

static void load_weights(const bpi_loader *l, const bpi_batch *b, int64_t begin, int64_t end)
{
  for (int64_t i = begin; i < end; i++) {
    double w = bpi_row_weight(l->what.weights, bpi_data_at(l->what.data, l->order[l->at + i]));
    if (l->real == BP_FLOAT32)
      ((float *)b->weights)[i] = (float)w;
    else
      ((double *)b->weights)[i] = w;
  }
}

/* Rows [begin, end) of the batch at work. */
static void load_part(void *arg, int64_t begin, int64_t end, int thread)
{
  (void)thread;
  const bpi_loader *l = arg;
  const bpi_batch *b = l->work;
  size_t row_bytes = (size_t)l->what.net->inputs * bp_dtype_size(l->real);
  bpi_data_gather(l->what.data, l->order + l->at + begin, end - begin, &l->what.net->encoding, l->what.match,
                  l->real, (char *)b->x + (size_t)begin * row_bytes);
  for (int64_t i = begin; i < end; i++)
    load_targets(l, b, i);
  if (l->what.weights)
    load_weights(l, b, begin, end);
}

/* number: of the first batch wanted in this order. */
static void shuffle(bpi_loader *l, int64_t number)
{
  l->epoch++;
  l->at = number % l->per_epoch * l->what.batch;
  bpi_key key = {.seed = l->what.net->seed, .step = (uint32_t)l->epoch, .stream = ORDER_STREAM};
  bpi_permutation(key, l->what.data->n, l->order);
}

/* A whole batch at once, by the threads of the pool: each loads the rows that it will work on. */
static int64_t load_together(bpi_loader *l)
{
  double worth = (double)(l->work->rows * l->what.net->inputs) * BPI_NS_ELEMENT / BPI_NS_SHARE;
  int most = bp_ctx_threads(l->what.net->ctx);
  bpi_pool_run(l->what.net->ctx, worth < most ? (int)worth : most, l->work->rows, load_part, l);
  return l->work->rows;
}

static int64_t load_piece(bpi_loader *l)
{
  int64_t n = PIECE / (l->what.net->inputs + 1) + 1, left = l->work->rows - l->row;
  n = n < left ? n : left;
  load_part(l, l->row, l->row + n, 0);
  return n;
}

/* Goes on with the batch of that number: the order of an epoch, or some rows. */
static void load_more(bpi_loader *l, int64_t number)
{
  int64_t rows = l->what.data->n;
  if (l->at == rows) {
    shuffle(l, number);
    return;
  }
  l->work = &l->ring[number % l->depth];
  l->work->rows = rows - l->at < l->what.batch ? rows - l->at : l->what.batch;
  l->row += l->shared ? load_piece(l) : load_together(l);
  if (l->row < l->work->rows)
    return;
  l->at += l->work->rows;
  l->row = 0;
  atomic_store_explicit(&l->whole, number + 1, memory_order_release);
}

/* The chore of the loading thread, and the training's own where a batch is not ready. */
static bool load_some(void *arg)
{
  bpi_loader *l = arg;
  if (atomic_load_explicit(&l->whole, memory_order_relaxed) >=
          atomic_load_explicit(&l->free, memory_order_acquire) ||
      atomic_exchange_explicit(&l->loading, true, memory_order_acquire))
    return false;
  int64_t number = atomic_load_explicit(&l->whole, memory_order_relaxed);
  bool room = number < atomic_load_explicit(&l->free, memory_order_acquire);
  if (room)
    load_more(l, number);
  atomic_store_explicit(&l->loading, false, memory_order_release);
  return room;
}

/* ---- the training's side ---- */

static void allow(bpi_loader *l, int64_t batches)
{
  atomic_store_explicit(&l->free, batches < l->total ? batches : l->total, memory_order_release);
}

const bpi_batch *bpi_loader_next(bpi_loader *l)
{
  int64_t number = l->taken++;
  allow(l, number + l->depth);
  while (atomic_load_explicit(&l->whole, memory_order_acquire) <= number)
    if (!load_some(l))
      sched_yield();
  return &l->ring[number % l->depth];
}

static bool ring_memory(bpi_loader *l)
{
  bp_ctx *ctx = l->what.net->ctx;
  size_t batch = (size_t)l->what.batch, real = bp_dtype_size(l->real);
  for (int64_t i = 0; i < l->depth; i++) {
    bpi_batch *b = &l->ring[i];
    b->x = bpi_alloc(ctx, batch * (size_t)l->what.net->inputs, real);
    b->y = bpi_alloc(ctx, l->what.net->classes ? 0 : batch * (size_t)l->what.net->outputs, real);
    b->labels = bpi_alloc(ctx, l->what.net->classes ? batch : 0, sizeof *b->labels);
    b->weights = bpi_alloc(ctx, l->what.weights ? batch : 0, real);
    if (!b->x || !b->y || !b->labels || !b->weights)
      return false;
  }
  l->order = bpi_alloc(ctx, (size_t)l->what.data->n, sizeof *l->order);
  return l->order != NULL;
}

/* Batches of a ring that is loaded ahead: as many as are of use. */
static int64_t ring_depth(const bpi_loader *l)
{
  int64_t bytes =
      l->what.batch * (l->what.net->inputs + l->what.net->outputs) * (int64_t)bp_dtype_size(l->real);
  int64_t depth = AHEAD_BYTES / (bytes + 1);
  return depth < 2 ? 2 : depth > MOST_AHEAD ? MOST_AHEAD : depth;
}

bpi_loader *bpi_loader_open(const bpi_load *what)
{
  bp_net *net = what->net;
  bpi_loader *l = bpi_alloc_aligned(net->ctx, sizeof *l);
  if (!l) {
    bpi_nomem();
    return NULL;
  }
  *l = (bpi_loader){.what = *what, .real = bp_state_real(net->state)};
  l->per_epoch = (what->data->n + what->batch - 1) / what->batch;
  l->total = what->epochs * l->per_epoch;
  l->epoch = what->first / l->per_epoch;
  l->at = what->data->n; /* an order is wanted */
  l->taken = what->first;
  atomic_init(&l->whole, what->first);
  atomic_init(&l->free, what->first);
  l->shared = bpi_pool_chore(net->ctx, load_some, l);
  l->depth = l->shared ? ring_depth(l) : 1; /* one batch where nobody loads ahead */
  if (!ring_memory(l)) {
    bpi_loader_close(l);
    bpi_nomem();
    return NULL;
  }
  return l;
}

void bpi_loader_close(bpi_loader *l)
{
  if (!l)
    return;
  bp_ctx *ctx = l->what.net->ctx;
  if (l->shared)
    bpi_pool_leave(ctx);
  for (int64_t i = 0; i < l->depth; i++) {
    bpi_free(ctx, l->ring[i].x);
    bpi_free(ctx, l->ring[i].y);
    bpi_free(ctx, l->ring[i].labels);
    bpi_free(ctx, l->ring[i].weights);
  }
  bpi_free(ctx, l->order);
  bpi_free_aligned(ctx, l);
}
