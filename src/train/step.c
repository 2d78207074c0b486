/* The plans of a training step, for each size of batch, and their runs over a batch. */
#include "train/step.h"

#include <string.h>

/* ---- what a batch is worth ---- */

static bp_status loss_of_batch(const bpi_stepper *s, bp_graph *g, int64_t batch, bp_program **program,
                               bp_node *loss)
{
  bp_net *net = s->net;
  bp_node x = bpi_feed_node(g, BPI_FEED_X, net, batch), key = bpi_feed_node(g, BPI_FEED_KEY, net, batch);
  bool classes = net->classes > 0, mixed = classes && s->mixed;
  bpi_loss_terms t = {.out = bpi_net_forward(net, g, x, key, true),
                      .target = bpi_feed_node(g, classes ? BPI_FEED_LABELS : BPI_FEED_Y, net, batch),
                      .other = mixed ? bpi_feed_node(g, BPI_FEED_OTHER, net, batch) : BP_NO_NODE,
                      .share = mixed ? bpi_feed_node(g, BPI_FEED_SHARE, net, batch) : BP_NO_NODE,
                      .weights = s->weighted ? bpi_feed_node(g, BPI_FEED_WEIGHTS, net, batch) : BP_NO_NODE,
                      .mean = net->y_mean,
                      .scale = net->y_scale,
                      .smoothing = s->o->label_smoothing};
  return bpi_loss_build(&net->loss, &t, program, loss);
}

/* ---- plans ---- */

/* Outputs are the loss; guards are the loss and the gradient. */
typedef struct draft {
  bp_graph *g;
  bp_program *program;
  bp_node guards[2];
  bp_update updates[BP_OPTIMIZER_UPDATES];
  bp_plan_options o;
} draft;

static bp_status draft_new(const bpi_stepper *s, draft *d)
{
  *d = (draft){.g = bp_graph_new(s->net->ctx)};
  d->o = (bp_plan_options){.real = bp_state_real(s->net->state), .updates = d->updates, .guards = d->guards};
  return d->g ? BP_OK : BP_E_NOMEM;
}

static bp_status gradient_of_batch(const bpi_stepper *s, draft *d, int64_t batch)
{
  bp_status st = loss_of_batch(s, d->g, batch, &d->program, &d->guards[0]);
  if (st != BP_OK)
    return st;
  d->guards[1] = bp_name(bp_params_gradient(s->net->params, bp_name(d->guards[0], "loss")), "gradient");
  d->o.outputs = d->guards;
  d->o.n_outputs = 1;
  d->o.n_guards = 2;
  return bpi_graph_status(d->g);
}

/* The whole step in one plan. */
static bp_status draft_step(const bpi_stepper *s, draft *d, int64_t batch)
{
  bp_status st = gradient_of_batch(s, d, batch);
  return st == BP_OK ? bp_optimizer_apply(s->net->params, s->net->state, &s->o->optimizer, d->guards[1],
                                          d->updates, &d->o.n_updates)
                     : st;
}

static bp_status sum_entry(const bpi_stepper *s, int *entry)
{
  bp_state *state = s->net->state;
  *entry = bp_state_find(state, "optimizer.sum");
  return *entry >= 0
             ? BP_OK
             : bp_state_add(state, "optimizer.sum", BP_REAL, 1, &s->net->params->size[BPI_TRAINED], entry);
}

/* The gradient of one part, added to the sum by its share of the batch. */
static bp_status draft_part(const bpi_stepper *s, draft *d, int64_t batch)
{
  int entry;
  bp_status st = gradient_of_batch(s, d, batch);
  if (st == BP_OK)
    st = sum_entry(s, &entry);
  if (st != BP_OK)
    return st;
  bp_node part = bp_mul(bpi_feed_node(d->g, BPI_FEED_PART, s->net, batch), d->guards[1]);
  d->updates[d->o.n_updates++] = (bp_update){entry, bp_add(bp_read(d->g, s->net->state, entry), part)};
  bpi_running_update(s->net->params, d->g, d->updates, &d->o.n_updates);
  return bpi_graph_status(d->g);
}

/* The step from the sum. */
static bp_status draft_update(const bpi_stepper *s, draft *d, int64_t batch)
{
  (void)batch;
  int entry;
  bp_status st = sum_entry(s, &entry);
  if (st != BP_OK)
    return st;
  d->guards[0] = bp_name(bp_read(d->g, s->net->state, entry), "gradient");
  d->o.n_guards = 1;
  return bp_optimizer_apply(s->net->params, s->net->state, &s->o->optimizer, d->guards[0], d->updates,
                            &d->o.n_updates);
}

typedef bp_status (*drafting)(const bpi_stepper *s, draft *d, int64_t batch);

static bp_status open_lane(bpi_stepper *s, bpi_lane *l, drafting make, int64_t batch)
{
  draft d;
  bp_status st = draft_new(s, &d);
  if (st == BP_OK)
    st = make(s, &d, batch);
  if (st == BP_OK)
    return bpi_lane_open(l, s->net, d.g, &d.o, batch, d.program);
  bp_program_free(d.program);
  bp_graph_free(d.g);
  return st;
}

/* ---- opening ---- */

static bool is_lbfgs(const bp_train_options *o)
{
  return o->optimizer.kind == BP_OPTIMIZER_LBFGS;
}

int64_t bpi_step_rows(const bp_train_options *o, int64_t rows)
{
  int64_t all;
  return is_lbfgs(o) || !bpi_mul(o->batch, o->accumulate, &all) || all > rows ? rows : all;
}

static bpi_lane *lane_for(bpi_stepper *s, int64_t batch)
{
  for (int i = 0; i < s->n_lanes; i++)
    if (s->lanes[i].batch == batch)
      return &s->lanes[i];
  return NULL;
}

static bp_status add_lane(bpi_stepper *s, int64_t batch)
{
  if (batch == 0 || lane_for(s, batch))
    return BP_OK;
  bpi_lane *l = &s->lanes[s->n_lanes++];
  bp_status st = open_lane(s, l, s->summed ? draft_part : draft_step, batch);
  if (st == BP_OK)
    st = bpi_lane_bind(l, BPI_FEED_KEY, s->key);
  return st == BP_OK ? bpi_lane_bind(l, BPI_FEED_PART, &s->part) : st;
}

/* Whole batches, what is left of an epoch, and what is left of the parts of either. */
static bp_status add_lanes(bpi_stepper *s, int64_t rows)
{
  int64_t whole = bpi_step_rows(s->o, rows), last = rows % whole, part = s->summed ? s->o->batch : whole;
  const int64_t sizes[] = {whole < part ? whole : part, whole < part ? 0 : whole % part,
                           last < part ? last : part, last < part ? 0 : last % part};
  bp_status st = BP_OK;
  for (int i = 0; st == BP_OK && i < BPI_LANES; i++)
    st = add_lane(s, sizes[i]);
  return st;
}

static bp_status find_entry(const bpi_stepper *s, const char *name, void **data)
{
  int entry = bp_state_find(s->net->state, name);
  return entry >= 0 ? bp_state_array(s->net->state, entry, NULL, NULL, data)
                    : bpi_fail(BP_E_ARG, "the network has no trained parameters");
}

bp_status bpi_stepper_open(bpi_stepper *s, bp_net *net, const bp_train_options *o, const bp_data *data)
{
  *s = (bpi_stepper){.net = net,
                     .o = o,
                     .weighted = bpi_rows_weighted(data, o),
                     .mixed = o->mixup > 0,
                     .summed = is_lbfgs(o) || (o->accumulate > 1 && o->batch < data->n),
                     .key = {(int64_t)net->seed, 0}};
  bp_status st = bpi_augment_check(net, o);
  if (st == BP_OK)
    st = add_lanes(s, data->n);
  if (st == BP_OK && s->summed)
    st = find_entry(s, "optimizer.sum", &s->sum);
  if (st == BP_OK && is_lbfgs(o))
    return bpi_lbfgs_open(&s->lbfgs, net->params, net->state, &o->optimizer);
  if (st == BP_OK && s->summed)
    st = open_lane(s, &s->update, draft_update, 0);
  return st == BP_OK ? find_entry(s, "optimizer.lr", &s->lr) : st;
}

void bpi_stepper_close(bpi_stepper *s)
{
  for (int i = 0; i < s->n_lanes; i++)
    bpi_lane_close(&s->lanes[i]);
  bpi_lane_close(&s->update);
  bpi_lbfgs_close(&s->lbfgs);
}

/* ---- steps ---- */

static size_t real_bytes(const bpi_stepper *s)
{
  return bp_dtype_size(bp_state_real(s->net->state));
}

static void set_real(const bpi_stepper *s, void *to, double x)
{
  if (bp_state_real(s->net->state) == BP_FLOAT32)
    *(float *)to = (float)x;
  else
    *(double *)to = x;
}

/* Rows [first, first + rows) of the batch through their plan. */
static bp_status run_rows(bpi_stepper *s, int64_t first, int64_t rows, double *loss)
{
  const bpi_batch *b = s->batch;
  const bp_net *net = s->net;
  bpi_lane *l = lane_for(s, rows);
  size_t real = real_bytes(s), row = (size_t)first;
  const struct {
    bpi_feed feed;
    const void *data;
    size_t bytes; /* of a row */
  } feeds[] = {{BPI_FEED_X, b->x, (size_t)net->inputs * real},
               {BPI_FEED_Y, b->y, (size_t)net->outputs * real},
               {BPI_FEED_LABELS, b->labels, sizeof *b->labels},
               {BPI_FEED_OTHER, b->other, sizeof *b->other},
               {BPI_FEED_WEIGHTS, b->weights, real},
               {BPI_FEED_SHARE, &b->share, 0}};
  bp_status st = BP_OK;
  for (size_t i = 0; st == BP_OK && i < sizeof feeds / sizeof *feeds; i++)
    st = bpi_lane_bind(l, feeds[i].feed, (const char *)feeds[i].data + row * feeds[i].bytes);
  if (st == BP_OK)
    st = bp_run_step(l->run);
  return st == BP_OK ? bp_run_get(l->run, 0, loss, 1) : st;
}

/* The loss of the whole batch, and its gradient in the sum. */
static bp_status sum_parts(bpi_stepper *s, double *loss)
{
  int64_t rows = s->batch->rows, part = s->o->batch, n;
  bp_status st = BP_OK;
  double one;
  *loss = 0;
  memset(s->sum, 0, (size_t)s->net->params->size[BPI_TRAINED] * real_bytes(s));
  for (int64_t i = 0; st == BP_OK && i < rows; i += n) {
    n = rows - i < part ? rows - i : part;
    set_real(s, &s->part, (double)n / (double)rows);
    st = run_rows(s, i, n, &one);
    *loss += st == BP_OK ? one * ((double)n / (double)rows) : 0;
  }
  return st;
}

static bp_status objective(void *user, double *loss, double *grad)
{
  bpi_stepper *s = user;
  bool narrow = bp_state_real(s->net->state) == BP_FLOAT32;
  bp_status st = sum_parts(s, loss);
  for (int64_t i = 0; st == BP_OK && i < s->lbfgs.n; i++)
    grad[i] = narrow ? (double)((const float *)s->sum)[i] : ((const double *)s->sum)[i];
  return st;
}

static bp_status step_of_parts(bpi_stepper *s, double *loss)
{
  bp_status st = sum_parts(s, loss);
  return st == BP_OK ? bp_run_step(s->update.run) : st;
}

bp_status bpi_stepper_take(bpi_stepper *s, const bpi_batch *b, int64_t number, double rate, double *loss)
{
  s->key[1] = number;
  s->batch = b;
  if (is_lbfgs(s->o) && (s->o->shift || s->o->flip || s->mixed || s->lanes[0].input[BPI_FEED_KEY] >= 0))
    s->lbfgs.known = false; /* the loss is another function at each step */
  if (is_lbfgs(s->o))
    return bpi_lbfgs_step(&s->lbfgs, objective, s, rate, loss, &s->done);
  set_real(s, s->lr, rate);
  return s->summed ? step_of_parts(s, loss) : run_rows(s, 0, b->rows, loss);
}
