/* Layers for images: convolution with its bias, pools of square windows, and images as rows. */
#include "nn/params.h"

static bp_node conv_of(bp_params *p, bp_node x, const char *name, const bp_conv_options *o, int64_t channels,
                       bp_init init)
{
  const int64_t groups = o->groups ? o->groups : 1, stride = o->stride ? o->stride : 1;
  const int64_t dilation = o->dilation ? o->dilation : 1;
  const int64_t dims[4] = {o->filters, o->window[0], o->window[1] ? o->window[1] : o->window[0],
                           channels / groups};
  bp_node w = bpi_layer_param(p, x.graph, name, "W", 4, dims, init);
  bp_node b = bpi_layer_param(p, x.graph, name, "b", 1, dims, bpi_bias_init(init));
  return bp_conv2d_bias(x, w, b, &stride, 1, &o->pad, 1, &dilation, 1, groups);
}

bp_node bp_conv(bp_params *p, bp_node x, const char *name, bp_conv_options options, bp_init init)
{
  const bpi_node *v = bpi_slot(x);
  if (!v)
    return x;
  const int64_t channels = v->type->rank == 4 ? v->type->dims[3] : 0,
                groups = options.groups ? options.groups : 1;
  if (!p || !name || channels < 1)
    return bpi_node_fail(x.graph, BP_E_ARG,
                         "bp_conv: params or name is missing, or x is not [batch, height, width, channels]");
  if (options.filters < 1 || options.window[0] < 1 || options.window[1] < 0 || groups < 1 ||
      channels % groups)
    return bpi_node_fail(x.graph, BP_E_ARG,
                         "bp_conv: %lld filters %lld by %lld in %lld groups over %lld channels",
                         (long long)options.filters, (long long)options.window[0],
                         (long long)options.window[1], (long long)groups, (long long)channels);
  return conv_of(p, x, name, &options, channels, init);
}

bp_node bp_max_pool(bp_node x, int64_t window)
{
  return bp_max_pool2d(x, &window, 1, NULL, 0, NULL, 0);
}

bp_node bp_avg_pool(bp_node x, int64_t window)
{
  return bp_avg_pool2d(x, &window, 1, NULL, 0, NULL, 0);
}

bp_node bp_flatten(bp_node x)
{
  const bpi_node *v = bpi_slot(x);
  if (!v)
    return x;
  if (v->type->rank < 1)
    return bpi_node_fail(x.graph, BP_E_SHAPE, "bp_flatten: a scalar is no batch");
  int64_t dims[2] = {v->type->dims[0], 1};
  for (int i = 1; i < v->type->rank; i++)
    dims[1] *= v->type->dims[i];
  return bp_reshape(x, dims, 2);
}
