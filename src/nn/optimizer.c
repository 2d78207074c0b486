/* Optimisers: one training step as nodes over one flat vector, so that the compiler makes one pass of it. */
#include "nn/params.h"
#include "ops/family.h"

#include <math.h>

static double or_else(double x, double preset)
{
  return x != 0 ? x : preset;
}

static bp_status check_options(const bp_optimizer *o)
{
  if ((unsigned)o->kind >= BP_OPTIMIZER_COUNT)
    return bpi_bad_arg("bp_optimizer_step", "kind is none of the list");
  if (!(o->lr >= 0 && isfinite(o->lr)))
    return bpi_bad_arg("bp_optimizer_step", "lr must be a finite number, not below 0");
  if (!(o->momentum >= 0 && o->momentum < 1) || !(o->beta1 >= 0 && o->beta1 < 1) ||
      !(o->beta2 >= 0 && o->beta2 < 1))
    return bpi_bad_arg("bp_optimizer_step", "momentum, beta1 and beta2 must lie in [0, 1)");
  if (!(o->epsilon >= 0 && isfinite(o->epsilon)) || !(o->weight_decay >= 0 && isfinite(o->weight_decay)) ||
      !(o->clip_norm >= 0 && isfinite(o->clip_norm)))
    return bpi_bad_arg("bp_optimizer_step",
                       "epsilon, weight_decay and clip_norm must be finite, and not below 0");
  return BP_OK;
}

/* An entry of the state by name, made at the first call. */
static bp_status slot(bp_state *s, const char *name, bp_dtype dtype, int rank, const int64_t *dims,
                      int *entry)
{
  *entry = bp_state_find(s, name);
  return *entry >= 0 ? BP_OK : bp_state_add(s, name, dtype, rank, dims, entry);
}

/* The gradient by all trained parameters as one vector, in the order of the vector. A parameter that the loss does not reach has zeros. */
static bp_node flat_gradient(bp_params *p, bp_graph *g, bp_node loss)
{
  bp_node *w = bpi_alloc(p->ctx, 2 * p->n + 1, sizeof *w), flat = bpi_error_node(g);
  if (!w)
    return bpi_node_fail(g, BP_E_NOMEM, "bp_optimizer_step: out of memory");
  bp_node *grads = w + p->n;
  size_t n = 0;
  for (int vectors = 0; vectors < 2; vectors++)
    for (size_t i = 0; i < p->n; i++) {
      bpi_parameter *q = &p->list[i];
      if (!q->frozen && (q->type.rank < 2) == vectors)
        w[n++] = bp_param(p, g, q->name, q->type.rank, q->type.dims, q->init);
    }
  bp_status s = bp_graph_status(g) == BP_OK ? bp_grad(loss, w, n, grads) : bp_graph_status(g);
  if (s == BP_OK) {
    int64_t all = -1;
    for (size_t i = 0; i < n; i++)
      grads[i] = bp_reshape(grads[i], &all, 1);
    flat = bp_concat(grads, n, 0);
  } else if (bp_graph_status(g) == BP_OK) {
    bpi_graph_fail(g, s, "%s", bp_error());
  }
  bpi_free(p->ctx, w);
  return flat;
}

/* Weight decay of each element: matrices come first. */
static bp_node decay_of(bp_params *p, bp_graph *g, double decay)
{
  int64_t matrices = 0, vectors = 0;
  for (size_t i = 0; i < p->n; i++)
    if (!p->list[i].frozen)
      *(p->list[i].type.rank < 2 ? &vectors : &matrices) += p->list[i].size;
  bp_node parts[2] = {bp_full(g, BP_REAL, decay, 1, &matrices), bp_full(g, BP_REAL, 0, 1, &vectors)};
  return !vectors ? parts[0] : !matrices ? parts[1] : bp_concat(parts, 2, 0);
}

/* Scaled so that the norm of all is at most `most`. The row `norm` does not overflow where squares would. */
static bp_node clip_by_norm(bp_graph *g, bp_node grad, double most)
{
  bp_node norm = bp_norm(grad, NULL, 0, false);
  /* Where the norm is below the limit the factor is exactly 1; 0 / 0 cannot be, as most > 0. */
  bp_node factor = bp_div(bp_constant(g, most), bp_maximum(norm, bp_constant(g, most)));
  return bp_mul(grad, factor);
}

/* What the kinds share. */
typedef struct step {
  bp_params *p;
  bp_state *s;
  bp_graph *g;
  const bp_optimizer *o;
  bp_node w, grad, lr;
  bp_update *updates;
  size_t n;
  bp_status status;
} step;

static bp_node num(step *t, double x)
{
  return bp_constant(t->g, x);
}

static void update(step *t, int entry, bp_node value)
{
  t->updates[t->n++] = (bp_update){entry, value};
}

/* The state failed. The graph keeps the message: builders that meet the error node have others to say. */
static bp_node state_failed(step *t)
{
  return bpi_node_fail(t->g, t->status, "%s", bp_error());
}

/* A vector of the optimiser, shaped like the parameters. */
static bp_node slot_vector(step *t, const char *name, int *entry)
{
  *entry = -1;
  if (t->status != BP_OK)
    return bpi_error_node(t->g);
  t->status = slot(t->s, name, BP_REAL, 1, &t->p->size[0], entry);
  return t->status == BP_OK ? bp_read(t->g, t->s, *entry) : state_failed(t);
}

/* A row of src/ops/blend.c. */
static bp_node call(step *t, const bp_op *op, bp_node a, bp_node b, double first, double second)
{
  bp_node x[2] = {a, b}, y = bpi_error_node(t->g);
  bp_attr attr[2] = {{.r = first}, {.r = second}};
  return bp_apply(t->g, op, x, 2, attr, &y) == BP_OK ? y : bpi_error_node(t->g);
}

/* a * old + (1 - a) * new */
static bp_node blend(step *t, double a, bp_node old, bp_node value)
{
  return call(t, &bp_op_blend, old, value, a, 1 - a);
}

/* a * old + (1 - a) * new^2 */
static bp_node blend_square(step *t, double a, bp_node old, bp_node value)
{
  return call(t, &bp_op_blend_square, old, value, a, 1 - a);
}

/* What is taken from w: a, or a / b. */
typedef struct move {
  bp_node a, b;
} move;

static bp_node root_plus(step *t, bp_node v, bp_node scale)
{
  return call(t, &bp_op_root_plus, v, scale, or_else(t->o->epsilon, 1e-8), 0);
}

static move failed_move(step *t)
{
  return (move){bpi_error_node(t->g), BP_NO_NODE};
}

static move sgd(step *t)
{
  if (t->o->momentum == 0)
    return (move){bp_mul(t->lr, t->grad), BP_NO_NODE};
  int entry;
  bp_node v = slot_vector(t, "optimizer.momentum", &entry);
  bp_node mu = num(t, t->o->momentum), now = bp_add(bp_mul(mu, v), t->grad);
  update(t, entry, now);
  bp_node by = t->o->nesterov ? bp_add(t->grad, bp_mul(mu, now)) : now;
  return (move){bp_mul(t->lr, by), BP_NO_NODE};
}

/* 1 - b^k as -expm1(k ln b): in float32, 0.999 and its powers lie so close to 1 that the difference would keep 10 bits. */
static bp_node bias_left(step *t, double b, bp_node k)
{
  return bp_neg(bp_expm1(bp_mul(k, num(t, log(b)))));
}

/* w -= lr / (1 - beta1^t) * m / (sqrt(v / (1 - beta2^t)) + eps), the scalars taken together so that each element costs little. */
static move adam(step *t)
{
  int first, second, count;
  double b1 = or_else(t->o->beta1, 0.9), b2 = or_else(t->o->beta2, 0.999);
  bp_node m = slot_vector(t, "optimizer.m", &first), v = slot_vector(t, "optimizer.v", &second);
  if (t->status != BP_OK)
    return failed_move(t);
  t->status = slot(t->s, "optimizer.step", BP_INT64, 0, NULL, &count);
  if (t->status != BP_OK)
    return (move){state_failed(t), BP_NO_NODE};
  bp_node now = bp_add(bp_read(t->g, t->s, count), bp_constant_int(t->g, 1)), k = bp_cast(now, BP_REAL);
  m = blend(t, b1, m, t->grad);
  v = blend_square(t, b2, v, t->grad);
  bp_node rate = bp_div(t->lr, bias_left(t, b1, k));
  bp_node scale = bp_reciprocal(bp_sqrt(bias_left(t, b2, k)));
  update(t, first, m);
  update(t, second, v);
  update(t, count, now);
  return (move){bp_mul(rate, m), root_plus(t, v, scale)};
}

static move rmsprop(step *t)
{
  int entry;
  bp_node v = slot_vector(t, "optimizer.v", &entry);
  v = blend_square(t, or_else(t->o->beta2, 0.99), v, t->grad);
  update(t, entry, v);
  return (move){bp_mul(t->lr, t->grad), root_plus(t, v, num(t, 1))};
}

static const struct {
  move (*move)(step *t);
  double lr;
  bool decay_apart;
} kinds[BP_OPTIMIZER_COUNT] = {
    [BP_OPTIMIZER_SGD] = {sgd, 0.1, false},
    [BP_OPTIMIZER_ADAM] = {adam, 0.001, false},
    [BP_OPTIMIZER_ADAMW] = {adam, 0.001, true},
    [BP_OPTIMIZER_RMSPROP] = {rmsprop, 0.001, false},
};

double bpi_optimizer_lr(const bp_optimizer *o)
{
  return (unsigned)o->kind < BP_OPTIMIZER_COUNT ? or_else(o->lr, kinds[o->kind].lr) : o->lr;
}

/* The learning rate is state, so that a schedule can set it between steps. */
static bp_node learning_rate(step *t)
{
  int entry = bp_state_find(t->s, "optimizer.lr");
  if (entry < 0) {
    void *data;
    double lr = bpi_optimizer_lr(t->o);
    t->status = bp_state_add(t->s, "optimizer.lr", BP_REAL, 0, NULL, &entry);
    if (t->status == BP_OK)
      t->status = bp_state_array(t->s, entry, NULL, NULL, &data);
    if (t->status != BP_OK)
      return state_failed(t);
    if (bp_state_real(t->s) == BP_FLOAT32)
      *(float *)data = (float)lr;
    else
      *(double *)data = lr;
  }
  return bp_read(t->g, t->s, entry);
}

/* w - a / b, or w - a; and less the decay, where it is apart. */
static bp_node moved(step *t, move by, bp_node decay)
{
  if (!bp_absent(decay))
    return bp_sub(t->w, bp_add(bp_absent(by.b) ? by.a : bp_div(by.a, by.b), decay));
  bp_node x[3] = {t->w, by.a, by.b}, y = bpi_error_node(t->g);
  if (bp_absent(by.b))
    return bp_sub(t->w, by.a);
  return bp_apply(t->g, &bp_op_sub_ratio, x, 3, NULL, &y) == BP_OK ? y : bpi_error_node(t->g);
}

bp_status bp_optimizer_step(bp_params *p, bp_state *s, const bp_optimizer *o, bp_node loss,
                            bp_update *updates, size_t *n, bp_node *grad)
{
  if (!p || !s || !o || !updates || !n || !loss.graph)
    return bpi_bad_arg("bp_optimizer_step", "an argument is NULL");
  if (p->state != s || p->entry[0] < 0)
    return bpi_fail(BP_E_ORDER,
                    "bp_optimizer_step: bp_params_make comes first, and there must be a trained parameter");
  bp_status st = check_options(o);
  if (st != BP_OK)
    return st;
  step t = {.p = p, .s = s, .g = loss.graph, .o = o, .updates = updates};
  t.w = bp_read(t.g, s, p->entry[0]);
  t.grad = flat_gradient(p, t.g, loss);
  if (grad)
    *grad = t.grad;
  t.lr = learning_rate(&t);
  if (o->clip_norm > 0)
    t.grad = clip_by_norm(t.g, t.grad, o->clip_norm);
  if (o->weight_decay > 0 && !kinds[o->kind].decay_apart)
    t.grad = bp_add(t.grad, bp_mul(decay_of(p, t.g, o->weight_decay), t.w));
  move by = kinds[o->kind].move(&t);
  bool decays = o->weight_decay > 0 && kinds[o->kind].decay_apart;
  update(&t, p->entry[0],
         moved(&t, by, decays ? bp_mul(t.lr, bp_mul(decay_of(p, t.g, o->weight_decay), t.w)) : BP_NO_NODE));
  *n = t.n;
  return bp_graph_status(t.g) == BP_OK ? BP_OK : bpi_fail(bp_graph_status(t.g), "%s", bp_graph_error(t.g));
}
