/* Optimisers: one training step as nodes over one flat vector, so that the compiler makes one pass of it. */
#include "nn/params.h"
#include "ops/family.h"

#include <math.h>

static double or_else(double x, double preset)
{
  return x != 0 ? x : preset;
}

static bool below_1(double x)
{
  return x >= 0 && x < 1;
}

static bool not_negative(double x)
{
  return x >= 0 && isfinite(x);
}

static bp_status check_rates(const bp_params *p, const bp_optimizer *o)
{
  for (size_t i = 0; i < o->n_rates; i++) {
    const bp_rate *r = &o->rates[i];
    bool fits = false;
    if (!r->name || !not_negative(r->rate))
      return bpi_bad_arg("bp_optimizer_step", "a rate has no name, or is not a finite number from 0 on");
    for (size_t k = 0; k < p->n; k++)
      fits = fits || bpi_param_fits(&p->list[k], r->name);
    if (!fits)
      return bpi_fail(BP_E_NOTFOUND, "bp_optimizer_step: no parameter is '%s' or begins with '%s.'", r->name,
                      r->name);
  }
  return BP_OK;
}

bp_status bpi_optimizer_check(const bp_params *p, const bp_optimizer *o)
{
  if ((unsigned)o->kind >= BP_OPTIMIZER_COUNT)
    return bpi_bad_arg("bp_optimizer_step", "kind is none of the list");
  if (!not_negative(o->lr))
    return bpi_bad_arg("bp_optimizer_step", "lr must be a finite number, not below 0");
  if (!below_1(o->momentum) || !below_1(o->beta1) || !below_1(o->beta2))
    return bpi_bad_arg("bp_optimizer_step", "momentum, beta1 and beta2 must lie in [0, 1)");
  const double sizes[] = {o->epsilon, o->weight_decay, o->clip_norm, o->clip_value, o->l1, o->max_norm};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    if (!not_negative(sizes[i]))
      return bpi_bad_arg(
          "bp_optimizer_step",
          "epsilon, weight_decay, clip_norm, clip_value, l1 and max_norm must be finite, and not below 0");
  return check_rates(p, o);
}

/* An entry of the state by name, made at the first call. */
static bp_status slot(bp_state *s, const char *name, bp_dtype dtype, int rank, const int64_t *dims,
                      int *entry)
{
  *entry = bp_state_find(s, name);
  return *entry >= 0 ? BP_OK : bp_state_add(s, name, dtype, rank, dims, entry);
}

struct step;
typedef struct preset {
  bp_node (*move)(struct step *t); /* what is taken from w */
  double lr, beta1, beta2, epsilon;
  bool decay_apart;
} preset;

/* What the kinds share. */
typedef struct step {
  bp_params *p;
  bp_state *s;
  bp_graph *g;
  const bp_optimizer *o;
  const preset *preset;
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

static bp_node root_plus(step *t, bp_node v, bp_node scale)
{
  return call(t, &bp_op_root_plus, v, scale, or_else(t->o->epsilon, t->preset->epsilon), 0);
}

static double beta1(const step *t)
{
  return or_else(t->o->beta1, t->preset->beta1);
}

static double beta2(const step *t)
{
  return or_else(t->o->beta2, t->preset->beta2);
}

static bp_node sgd(step *t)
{
  if (t->o->momentum == 0)
    return bp_mul(t->lr, t->grad);
  int entry;
  bp_node v = slot_vector(t, "optimizer.momentum", &entry);
  bp_node mu = num(t, t->o->momentum), now = bp_add(bp_mul(mu, v), t->grad);
  update(t, entry, now);
  bp_node by = t->o->nesterov ? bp_add(t->grad, bp_mul(mu, now)) : now;
  return bp_mul(t->lr, by);
}

/* 1 - b^k as -expm1(k ln b): in float32, 0.999 and its powers lie so close to 1 that the difference would keep 10 bits. */
static bp_node bias_left(step *t, double b, bp_node k)
{
  return bp_neg(bp_expm1(bp_mul(k, num(t, log(b)))));
}

/* w -= lr / (1 - beta1^t) * m / (sqrt(v / (1 - beta2^t)) + eps), the scalars taken together so that each element costs little. */
static bp_node adam(step *t)
{
  int first, second, count;
  double b1 = beta1(t), b2 = beta2(t);
  bp_node m = slot_vector(t, "optimizer.m", &first), v = slot_vector(t, "optimizer.v", &second);
  if (t->status != BP_OK)
    return bpi_error_node(t->g);
  t->status = slot(t->s, "optimizer.step", BP_INT64, 0, NULL, &count);
  if (t->status != BP_OK)
    return state_failed(t);
  bp_node now = bp_add(bp_read(t->g, t->s, count), bp_constant_int(t->g, 1)), k = bp_cast(now, BP_REAL);
  bp_node rate = bp_div(t->lr, bias_left(t, b1, k));
  bp_node scale = bp_reciprocal(bp_sqrt(bias_left(t, b2, k)));
  v = blend_square(t, b2, v, t->grad);
  bp_node under = root_plus(t, v, scale); /* before m, as roots take long */
  m = blend(t, b1, m, t->grad);
  update(t, first, m);
  update(t, second, v);
  update(t, count, now);
  return bp_div(bp_mul(rate, m), under);
}

static bp_node rmsprop(step *t)
{
  int entry;
  bp_node v = slot_vector(t, "optimizer.v", &entry);
  v = blend_square(t, beta2(t), v, t->grad);
  update(t, entry, v);
  return bp_div(bp_mul(t->lr, t->grad), root_plus(t, v, num(t, 1)));
}

/* Squares are summed, never forgotten. */
static bp_node adagrad(step *t)
{
  int entry;
  bp_node v = slot_vector(t, "optimizer.v", &entry);
  v = call(t, &bp_op_blend_square, v, t->grad, 1, 1);
  update(t, entry, v);
  return bp_div(bp_mul(t->lr, t->grad), root_plus(t, v, num(t, 1)));
}

/* The sign of one mean, while another, slower one is kept. */
static bp_node lion(step *t)
{
  int entry;
  bp_node m = slot_vector(t, "optimizer.m", &entry);
  bp_node by = bp_sign(blend(t, beta1(t), m, t->grad));
  update(t, entry, blend(t, beta2(t), m, t->grad));
  return bp_mul(t->lr, by);
}

static const preset presets[BP_OPTIMIZER_COUNT] = {
    [BP_OPTIMIZER_SGD] = {sgd, 0.1, 0, 0, 0, false},
    [BP_OPTIMIZER_ADAM] = {adam, 0.001, 0.9, 0.999, 1e-8, false},
    [BP_OPTIMIZER_ADAMW] = {adam, 0.003, 0.9, 0.999, 1e-8, true},
    [BP_OPTIMIZER_RMSPROP] = {rmsprop, 0.001, 0, 0.99, 1e-8, false},
    [BP_OPTIMIZER_ADAGRAD] = {adagrad, 0.01, 0, 0, 1e-10, false},
    [BP_OPTIMIZER_LION] = {lion, 0.0001, 0.9, 0.99, 0, true},
    [BP_OPTIMIZER_LBFGS] = {NULL, 1, 0, 0, 0, false},
};

double bp_optimizer_lr(const bp_optimizer *o)
{
  return (unsigned)o->kind < BP_OPTIMIZER_COUNT ? or_else(o->lr, presets[o->kind].lr) : o->lr;
}

/* The learning rate is state, so that a schedule can set it between steps. */
static bp_node learning_rate(step *t)
{
  int entry = bp_state_find(t->s, "optimizer.lr");
  if (entry < 0) {
    void *data;
    double lr = bp_optimizer_lr(t->o);
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

/* Each of the decays of the weights, where there are any; vectors have none. */
static bp_node pulled(step *t, double by, bp_node towards)
{
  return bp_mul(bpi_by_rank(t->p, t->g, by), towards);
}

/* The gradient as the kind is to see it: clipped, then with what pulls the weights. */
static bp_node shaped_gradient(step *t)
{
  const bp_optimizer *o = t->o;
  bp_node grad = t->grad;
  if (o->clip_value > 0)
    grad = bp_clip(grad, -o->clip_value, o->clip_value);
  if (o->clip_norm > 0)
    grad = bpi_clip_norm(grad, o->clip_norm);
  if (o->weight_decay > 0 && !t->preset->decay_apart)
    grad = bp_add(grad, pulled(t, o->weight_decay, t->w));
  if (o->l1 > 0)
    grad = bp_add(grad, pulled(t, o->l1, bp_sign(t->w)));
  return grad;
}

/* The new weights. */
static bp_node stepped(step *t)
{
  const bp_optimizer *o = t->o;
  bp_node rates = o->n_rates ? bpi_by_name(t->p, t->g, o->rates, o->n_rates) : BP_NO_NODE, decay = BP_NO_NODE;
  bp_node by = t->preset->move(t);
  if (o->weight_decay > 0 && t->preset->decay_apart)
    decay = bp_mul(t->lr, pulled(t, o->weight_decay, t->w));
  if (!bp_absent(rates)) {
    by = bp_mul(rates, by);
    decay = bp_absent(decay) ? decay : bp_mul(rates, decay);
  }
  bp_node w = bp_sub(t->w, bp_absent(decay) ? by : bp_add(by, decay));
  return o->max_norm > 0 ? bpi_max_norm(t->p, w, o->max_norm) : w;
}

bp_status bp_optimizer_apply(bp_params *p, bp_state *s, const bp_optimizer *o, bp_node grad,
                             bp_update *updates, size_t *n)
{
  if (!p || !s || !o || !updates || !n || !grad.graph)
    return bpi_bad_arg("bp_optimizer_step", "an argument is NULL");
  if (p->state != s || p->entry[0] < 0)
    return bpi_fail(BP_E_ORDER,
                    "bp_optimizer_step: bp_params_make comes first, and there must be a trained parameter");
  bp_status st = bpi_optimizer_check(p, o);
  if (st != BP_OK)
    return st;
  if (!presets[o->kind].move)
    return bpi_fail(BP_E_UNSUPPORTED,
                    "bp_optimizer_step: lbfgs is more than a step of a plan; call bp_minimize");
  step t = {.p = p, .s = s, .g = grad.graph, .o = o, .preset = &presets[o->kind], .updates = updates};
  t.w = bp_read(t.g, s, p->entry[0]);
  t.grad = grad;
  t.lr = learning_rate(&t);
  t.grad = shaped_gradient(&t);
  bp_node w = stepped(&t);
  update(&t, p->entry[0], w);
  bpi_running_update(p, t.g, updates, &t.n);
  *n = t.n;
  return bp_graph_status(t.g) == BP_OK ? BP_OK : bpi_fail(bp_graph_status(t.g), "%s", bp_graph_error(t.g));
}

bp_status bp_optimizer_step(bp_params *p, bp_state *s, const bp_optimizer *o, bp_node loss,
                            bp_update *updates, size_t *n, bp_node *grad)
{
  if (!p || !s || !o || !updates || !n || !loss.graph)
    return bpi_bad_arg("bp_optimizer_step", "an argument is NULL");
  if (p->state != s || p->entry[0] < 0)
    return bpi_fail(BP_E_ORDER,
                    "bp_optimizer_step: bp_params_make comes first, and there must be a trained parameter");
  bp_node g = bp_params_gradient(p, loss);
  if (grad)
    *grad = g;
  return bp_optimizer_apply(p, s, o, g, updates, n);
}
