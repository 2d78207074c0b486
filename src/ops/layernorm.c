/* Normalisation. */
#include "ops/family.h"
#include "kernels/kernels.h"

#include <math.h>

/* ---- layer_norm: every row of the last axis brought to mean 0 and variance 1, then scaled and moved ---- */

static bp_status layer_norm_shape(const bp_op_call *c, bp_type *out, int *n_out)
{
  const bp_type *x = &c->x_type[0], *gain = &c->x_type[1];
  bp_status s = bpi_shape_real(c, out, n_out);
  if (s != BP_OK)
    return s;
  if (x->rank < 1 || gain->rank != 1 || gain->dims[0] != x->dims[x->rank - 1] ||
      !bpi_same_shape(gain, &c->x_type[2]))
    return bp_op_fail(c, BP_E_SHAPE, "needs x [..., n], gain [n] and bias [n]");
  if (!(c->attr[0].r >= 0 && c->attr[0].r < INFINITY))
    return bp_op_fail(c, BP_E_ARG, "eps is %g; it must be a number from 0 on", c->attr[0].r);
  return BP_OK;
}

static bp_status layer_norm_kernel(bp_kernel_call *c)
{
  const bp_array *x = &c->in[0];
  const bpi_kernels *k = c->vec;
  k->layer_norm[x->dtype == BP_FLOAT64](x->dims[x->rank - 1], c->attr[0].r, x->data, c->in[1].data,
                                        c->in[2].data, c->out[0].data, c->begin, c->end);
  return BP_OK;
}

static int64_t layer_norm_units(const bp_kernel_call *c, double *ns)
{
  const bp_array *x = &c->in[0];
  int64_t n = x->dims[x->rank - 1];
  *ns = 20 + 0.5 * (double)n;
  return n ? x->size / n : 0;
}

/* The row normalised, and what it was divided by. */
static bp_node normalised(const bp_op_call *c, bp_node *deviation)
{
  int64_t last = c->x_type[0].rank - 1;
  bp_node low = bp_sub(c->x[0], bp_mean(c->x[0], &last, 1, true));
  *deviation = bp_sqrt(bp_add(bp_mean(bp_square(low), &last, 1, true), bpi_num(c, c->attr[0].r)));
  return bp_div(low, *deviation);
}

static bp_status layer_norm_expand(const bp_op_call *c, bp_node *out)
{
  bp_node deviation;
  *out = c->x[0];
  if (c->x_type[1].dims[0])
    *out = bp_add(bp_mul(normalised(c, &deviation), c->x[1]), c->x[2]);
  return BP_OK;
}

/* Sums a gradient over all axes but the last. */
static bp_node sum_rows(bp_node g, const bp_type *x)
{
  int64_t axes[BP_MAX_RANK];
  for (int i = 0; i < x->rank - 1; i++)
    axes[i] = i;
  return x->rank > 1 ? bp_sum(g, axes, x->rank - 1, false) : g;
}

/* Ba, Kiros & Hinton 2016, supplement: with h = u gain and z = normalised x, (h - mean h - z mean(h z)) / deviation. */
static bp_node layer_norm_vjp(const bp_op_call *c, const bp_node *up, int input)
{
  const bp_type *x = &c->x_type[0];
  bp_node deviation;
  int64_t last = x->rank - 1;
  if (input == 2)
    return sum_rows(up[0], x);
  if (x->dims[last] == 0)
    return BP_NO_NODE;
  bp_node z = normalised(c, &deviation);
  if (input == 1)
    return sum_rows(bp_mul(up[0], z), x);
  bp_node h = bp_mul(up[0], c->x[1]);
  bp_node along = bp_mul(z, bp_mean(bp_mul(h, z), &last, 1, true));
  return bp_div(bp_sub(bp_sub(h, bp_mean(h, &last, 1, true)), along), deviation);
}

static bp_jac layer_norm_jacobian(const bp_op_call *c, int input, int result)
{
  (void)result;
  if (input == 0)
    return BP_JAC_BLOCK;
  return c->x_type[0].rank == 1 ? BP_JAC_DIAGONAL : BP_JAC_SELECT;
}

const bp_op bp_op_layer_norm = {
    .name = "layer_norm",
    .math = "y = (x - mean x) / sqrt(var x + eps) gain + bias over the last axis",
    .source = "Ba, Kiros & Hinton 2016",
    .args = "x, gain, bias",
    .attrs = {{"eps", BP_ATTR_REAL, 1e-5}},
    .traits = BP_TOTAL,
    .shape = layer_norm_shape,
    .jacobian = layer_norm_jacobian,
    .vjp = layer_norm_vjp,
    .expand = layer_norm_expand,
    .kernel = layer_norm_kernel,
    .units = layer_norm_units,
    .overwrites = 1,
    .examples = {"x[3,4] distinct, gain[4], bias[4]; eps=1e-5",
                 "x[2,2,5] distinct, gain[5], bias[5]; eps=0.1", "x[6] distinct, gain[6], bias[6]; eps=0",
                 "x[0,3], gain[3], bias[3]; eps=1e-5", "x[2,0], gain[0], bias[0]; eps=1e-5"},
    .ulp32 = 64,
};
