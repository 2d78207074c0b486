/* A ring of batches. One thread at a time loads, some rows of the first batch that is not whole; it holds `loading` meanwhile. The training
 * takes whole batches in order and gives each back by asking for the next. */
#include "train/loader.h"
#include "train/rowwindow.h"
#include "base/pool.h"
#include "kernels/cost.h"

#include <sched.h>
#include <stdio.h>

enum {
  MOST_AHEAD = 8,        /* batches, */
  AHEAD_BYTES = 1 << 20, /* and what they may take, though two are allowed in any case */
  PIECE = 2048           /* numbers loaded at a time: the training may be waiting */
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
  atomic_bool broken;            /* reading failed */
  _Alignas(64) atomic_bool loading; /* what follows belongs to the thread that set it */
  bpi_batch *work;                  /* the batch at work, */
  int64_t row;                      /* and rows of it that are done */
  bpi_window window;                /* where rows come from, in which order, */
  int64_t at;                       /* and how many of it are taken */
  int64_t number;                   /* of the batch at work */
  int64_t epoch, left;              /* of which epoch it is; rows of that which are not taken */
  bp_status failed;                 /* once reading did */
  char why[1024];
};

/* ---- loading ---- */

/* Those of row `at` of the window, for row i of the batch. */
static void load_targets(const bpi_loader *l, const bpi_batch *b, int64_t at, int64_t i)
{
  const bp_net *net = l->what.net;
  const bpi_examples *e = l->window.rows->all;
  int64_t row = bpi_data_at(l->window.rows, at);
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

static void load_weight(const bpi_loader *l, const bpi_batch *b, int64_t at, int64_t i)
{
  double w = bpi_row_weight(l->what.weights, l->window.rows->all, bpi_data_at(l->window.rows, at));
  if (l->real == BP_FLOAT32)
    ((float *)b->weights)[i] = (float)w;
  else
    ((double *)b->weights)[i] = w;
}

/* Rows [begin, end) of the batch at work. */
static void load_part(void *arg, int64_t begin, int64_t end, int thread)
{
  (void)thread;
  const bpi_loader *l = arg;
  const bpi_batch *b = l->work;
  const int64_t *order = l->window.order + l->at;
  size_t row_bytes = (size_t)l->what.net->inputs * bp_dtype_size(l->real);
  bpi_data_gather(l->window.rows, order + begin, end - begin, &l->what.net->encoding, l->what.match, l->real,
                  (char *)b->x + (size_t)(l->row + begin) * row_bytes);
  for (int64_t i = begin; i < end; i++) {
    if (l->what.augment && bpi_augment_moves(l->what.augment))
      bpi_augment_row(l->what.augment, l->number, l->row + i,
                      (char *)b->x + (size_t)(l->row + i) * row_bytes);
    load_targets(l, b, order[i], l->row + i);
    if (l->what.weights)
      load_weight(l, b, order[i], l->row + i);
  }
}

/* Row i with the one as far from the other end: their order is random, so each meets another in every epoch. */
static void mix_batch(const bpi_loader *l, bpi_batch *b, int64_t number)
{
  const bpi_augment *a = l->what.augment;
  const bp_net *net = l->what.net;
  double share = bpi_mixup_share(a, number);
  const struct {
    char *rows;
    int64_t n;
  } parts[] = {{b->x, net->inputs},
               {net->classes ? NULL : b->y, net->outputs},
               {l->what.weights ? b->weights : NULL, 1}};
  for (size_t p = 0; p < sizeof parts / sizeof *parts; p++) {
    size_t bytes = (size_t)parts[p].n * bp_dtype_size(l->real);
    for (int64_t i = 0, j = b->rows - 1; parts[p].rows && i < j; i++, j--)
      bpi_mixup_rows(a, share, parts[p].n, parts[p].rows + (size_t)i * bytes,
                     parts[p].rows + (size_t)j * bytes);
  }
  for (int64_t i = 0; net->classes && i < b->rows; i++)
    b->other[i] = b->labels[b->rows - 1 - i];
  if (l->real == BP_FLOAT32)
    b->share.narrow = (float)share;
  else
    b->share.wide = share;
}

/* n rows at once, by the threads of the pool: each loads the rows that it will work on. */
static void load_together(bpi_loader *l, int64_t n)
{
  double worth = (double)(n * l->what.net->inputs) * BPI_NS_ELEMENT / BPI_NS_SHARE;
  int most = bp_ctx_threads(l->what.net->ctx);
  bpi_pool_run(l->what.net->ctx, worth < most ? (int)worth : most, n, load_part, l);
}

/* Goes on to the rows that the batch of that number needs: an epoch, or more of one. */
static void next_window(bpi_loader *l, int64_t number)
{
  bp_status s;
  if (l->left == 0) {
    int64_t passed = number % l->per_epoch * l->what.batch;
    l->left = l->what.data->n - passed;
    s = bpi_window_begin(&l->window, l->what.same_order ? 1 : l->epoch + 1, passed, &l->at);
    l->epoch++;
  } else {
    s = bpi_window_next(&l->window);
    l->at = 0;
  }
  if (s == BP_OK)
    return;
  snprintf(l->why, sizeof l->why, "%s", bp_error());
  l->failed = s;
}

/* Goes on with the batch of that number: a window, or some rows. */
static void load_more(bpi_loader *l, int64_t number)
{
  if (l->at == l->window.n) {
    next_window(l, number);
    return;
  }
  if (l->row == 0) {
    l->work = &l->ring[number % l->depth];
    l->work->rows = l->left < l->what.batch ? l->left : l->what.batch;
  }
  l->number = number;
  int64_t n = l->work->rows - l->row, here = l->window.n - l->at,
          piece = PIECE / (l->what.net->inputs + 1) + 1;
  n = n < here ? n : here;
  n = l->shared && n > piece ? piece : n;
  if (l->shared)
    load_part(l, 0, n, 0);
  else
    load_together(l, n);
  l->at += n;
  l->row += n;
  l->left -= n;
  if (l->row < l->work->rows)
    return;
  l->row = 0;
  if (l->what.augment && l->what.augment->mixup > 0)
    mix_batch(l, l->work, number);
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
  bool room = number < atomic_load_explicit(&l->free, memory_order_acquire) && l->failed == BP_OK;
  if (room)
    load_more(l, number);
  if (l->failed != BP_OK)
    atomic_store_explicit(&l->broken, true, memory_order_release);
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
  while (atomic_load_explicit(&l->whole, memory_order_acquire) <= number) {
    if (atomic_load_explicit(&l->broken, memory_order_acquire)) {
      bpi_fail(l->failed, "%s", l->why);
      return NULL;
    }
    if (!load_some(l))
      sched_yield();
  }
  return &l->ring[number % l->depth];
}

static bool ring_memory(bpi_loader *l)
{
  bp_ctx *ctx = l->what.net->ctx;
  size_t batch = (size_t)l->what.batch, real = bp_dtype_size(l->real);
  bool mixed = l->what.augment && l->what.augment->mixup > 0;
  for (int64_t i = 0; i < l->depth; i++) {
    bpi_batch *b = &l->ring[i];
    b->x = bpi_alloc(ctx, batch * (size_t)l->what.net->inputs, real);
    b->y = bpi_alloc(ctx, l->what.net->classes ? 0 : batch * (size_t)l->what.net->outputs, real);
    b->labels = bpi_alloc(ctx, l->what.net->classes ? batch : 0, sizeof *b->labels);
    b->weights = bpi_alloc(ctx, l->what.weights ? batch : 0, real);
    b->other = bpi_alloc(ctx, mixed && l->what.net->classes ? batch : 0, sizeof *b->other);
    if (!b->x || !b->y || !b->labels || !b->weights || !b->other)
      return false;
  }
  return bpi_window_open(&l->window, l->what.data, l->what.net->seed) == BP_OK;
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
    bpi_free(ctx, l->ring[i].other);
  }
  bpi_window_close(&l->window);
  bpi_free_aligned(ctx, l);
}
