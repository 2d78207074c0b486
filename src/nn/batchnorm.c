/* Batch normalisation: Ioffe & Szegedy 2015. */
#include "nn/stack.h"
#include "ops/family.h"

#include <stdio.h>

enum { MOMENTUM, EPS }; /* arguments, as its row in layertable.c has them */

/* One batch norm while it is built. Its vectors are [channels]. */
typedef struct norm {
  bpi_stack *s;
  bp_node x;
  int64_t axes[BP_MAX_RANK], n_axes, n; /* all but the last; elements of one channel */
  int64_t channels;
  double momentum, eps;
  char mean_name[64], var_name[64];
  bp_node gain, bias, mean, var; /* the last two are running values */
} norm;

static void measure(norm *t, const bp_type *x)
{
  t->n = 1;
  t->n_axes = x->rank - 1;
  for (int i = 0; i < t->n_axes; i++) {
    t->axes[i] = i;
    t->n *= x->dims[i];
  }
  t->channels = x->dims[x->rank - 1];
}

static bp_node running(norm *t, const char *name, double start)
{
  return bp_running(t->s->params, t->s->graph, name, 1, &t->channels, (bp_init){BP_INIT_CONSTANT, start});
}

/* momentum * running + (1 - momentum) * batch */
static void move_on(norm *t, const char *name, bp_node running, bp_node batch, double factor)
{
  bp_graph *g = t->s->graph;
  bp_node seen = bp_stop_gradient(bp_reshape(batch, &t->channels, 1));
  bp_node part = bp_mul(bp_constant(g, (1 - t->momentum) * factor), seen);
  bp_running_next(t->s->params, name, bp_add(bp_mul(bp_constant(g, t->momentum), running), part));
}

/* gain / sqrt(var + eps), for each channel */
static bp_node scale_of(norm *t, bp_node var)
{
  return bp_div(t->gain, bp_sqrt(bp_add(var, bp_constant(t->s->graph, t->eps))));
}

static bp_node normalised(norm *t, bp_node mean, bp_node var)
{
  return bp_add(bp_mul(bp_sub(t->x, mean), scale_of(t, var)), t->bias);
}

/* By the batch's own mean and variance, through which the gradient goes too. The running variance is the unbiased one, as in Ioffe &
 * Szegedy, algorithm 2. */
static bp_node by_batch(norm *t)
{
  bp_node mean = bp_mean(t->x, t->axes, t->n_axes, true), var = bp_var(t->x, t->axes, t->n_axes, false, 0);
  move_on(t, t->mean_name, t->mean, mean, 1);
  move_on(t, t->var_name, t->var, var, (double)t->n / (double)(t->n - 1));
  return normalised(t, mean, var);
}

/* ---- worked into the layer before ---- */

/* The rows that have weights [channels, ...] as input 1 and may have a bias [channels] as input 2. */
static const bp_op *with_bias(const bp_op *op)
{
  return op == &bp_op_conv2d                               ? &bp_op_conv2d_bias
         : op == &bp_op_conv2d_bias || op == &bp_op_linear ? op
                                                           : NULL;
}

/* Where it predicts, the norm of a linear layer is a scale and a shift of its outputs, and so can be one of its weights, which are fewer. The
 * layer's own outputs must be read by nobody else. */
static bool can_fold(const norm *t)
{
  const bpi_node *v = bpi_slot(t->x);
  return !t->s->training && t->s->follows && !t->s->built && v && with_bias(v->op);
}

static bp_node folded(norm *t)
{
  bp_graph *g = t->s->graph;
  const bpi_node *v = bpi_slot(t->x);
  const bp_op *op = with_bias(v->op);
  bp_attr attr[BP_MAX_ATTRS] = {{{0}, 0}};
  bp_node in[3] = {{0}}, y, scale = scale_of(t, t->var);
  bp_type w;
  int64_t dims[BP_MAX_RANK] = {t->channels, 1, 1, 1};
  for (int i = 0; i < v->n_in; i++)
    in[i] = bpi_handle(g, v->in[i]);
  bool bias = v->n_in == 3;
  for (int i = 0; i < bpi_op_n_attrs(op); i++)
    attr[i] = v->attr[i];
  if (bp_node_type(in[1], &w) != BP_OK)
    return bpi_error_node(g);
  in[1] = bp_mul(in[1], bp_reshape(scale, dims, w.rank));
  bp_node off = bias ? bp_sub(in[2], t->mean) : bp_neg(t->mean);
  in[2] = bp_add(bp_mul(off, scale), t->bias);
  return bp_apply(g, op, in, 3, attr, &y) == BP_OK ? y : bpi_error_node(g);
}

bp_node bpi_batch_norm(bpi_stack *s, const bpi_layer *l, const char *name, bp_node x)
{
  norm t = {.s = s, .x = x, .momentum = bpi_layer_number(l, MOMENTUM, 0), .eps = bpi_layer_number(l, EPS, 0)};
  bp_type type;
  if (bp_failed(x) || bp_node_type(x, &type) != BP_OK)
    return x;
  if (type.rank < 2)
    return bpi_node_fail(s->graph, BP_E_SHAPE, "needs a batch of rows or images");
  measure(&t, &type);
  snprintf(t.mean_name, sizeof t.mean_name, "%s.mean", name);
  snprintf(t.var_name, sizeof t.var_name, "%s.var", name);
  t.gain = bpi_layer_param(s->params, s->graph, name, "gain", 1, &t.channels, (bp_init){BP_INIT_CONSTANT, 1});
  t.bias = bpi_layer_param(s->params, s->graph, name, "bias", 1, &t.channels, (bp_init){0});
  t.mean = running(&t, t.mean_name, 0);
  t.var = running(&t, t.var_name, 1);
  char gain[64];
  snprintf(gain, sizeof gain, "%s.gain", name);
  /* One element has no variance, as the last row of an epoch may be; and what is frozen stays as it was. */
  bool learns = s->training && t.n > 1 && !bpi_param_frozen(s->params, gain);
  return learns ? by_batch(&t) : can_fold(&t) ? folded(&t) : normalised(&t, t.mean, t.var);
}
