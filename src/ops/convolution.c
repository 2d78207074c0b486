/* Convolution over images [batch, height, width, channels], and its two adjoints: three rows that are each other's gradients. */
#include "ops/sliding.h"
#include "kernels/cost.h"

/* ---- what they share ---- */

/* Attributes: of the adjoints one of their own first, then stride, pad, dilation, groups. */
typedef struct conv_terms {
  const int64_t *stride, *pad, *dilation;
  int64_t groups;
} conv_terms;

static conv_terms terms_of(const bp_attr *a)
{
  return (conv_terms){a[0].v, a[1].v, a[2].v, a[3].i};
}

#define IMAGE_WORDS   "[batch, height, width, channels]"
#define WEIGHTS_WORDS "[filters, height, width, channels / groups]"

static bp_status canon_terms(const bp_op_call *c, bp_attr *a)
{
  bp_status s = bpi_canon_pair(c, &a[0], "stride", 1, 1);
  if (s == BP_OK)
    s = bpi_canon_border(c, &a[1]);
  if (s == BP_OK)
    s = bpi_canon_pair(c, &a[2], "dilation", 1, 1);
  if (s == BP_OK && a[3].i < 1)
    s = bp_op_fail(c, BP_E_ARG, "groups is %lld", (long long)a[3].i);
  return s;
}

/* Geometry from the dims of an image and of weights. */
static bpi_window window_of(const int64_t *image, const int64_t *weights, const conv_terms *t)
{
  bpi_window w = {.batch = image[0]};
  for (int i = 0; i < 2; i++) {
    w.size[i] = image[1 + i];
    w.window[i] = weights[1 + i];
    w.stride[i] = t->stride[i];
    w.dilation[i] = t->dilation[i];
    w.before[i] = t->pad[2 * i];
  }
  return w;
}

static bp_status want_channels(const bp_op_call *c, const int64_t *weights, int64_t channels, int64_t groups)
{
  int64_t all;
  if (!bpi_mul(weights[3], groups, &all) || all != channels)
    return bp_op_fail(c, BP_E_SHAPE, "W takes %lld channels in %lld group%s where the image has %lld",
                      (long long)weights[3], (long long)groups, groups == 1 ? "" : "s", (long long)channels);
  if (weights[0] % groups)
    return bp_op_fail(c, BP_E_SHAPE, "%lld filters do not divide into %lld groups", (long long)weights[0],
                      (long long)groups);
  return BP_OK;
}

static bp_status checked(const bp_op_call *c, const int64_t *dims, bp_type *out)
{
  int64_t size;
  if (!bpi_size(4, dims, &size))
    return bp_op_fail(c, BP_E_LIMIT, "the result has too many elements");
  *out = bpi_type(BP_REAL, 4, dims);
  return BP_OK;
}

/* u must be what an image of these dims gives. */
static bp_status want_out(const bp_op_call *c, const bpi_window *w, const bp_type *u, int64_t filters)
{
  if (u->dims[0] != w->batch || u->dims[1] != w->places[0] || u->dims[2] != w->places[1] ||
      u->dims[3] != filters)
    return bp_op_fail(c, BP_E_SHAPE, "u must be [%lld,%lld,%lld,%lld], as an image of %lld by %lld gives it",
                      (long long)w->batch, (long long)w->places[0], (long long)w->places[1],
                      (long long)filters, (long long)w->size[0], (long long)w->size[1]);
  return BP_OK;
}

static bp_node conv_node(const bp_op *op, bp_node a, bp_node b, const int64_t *own, const bp_attr *terms)
{
  bp_node x[2] = {a, b};
  bp_attr attr[BP_MAX_ATTRS] = {{.v = own, .n = 2}};
  for (int i = 0; i < 4; i++)
    attr[i + (own != NULL)] = terms[i];
  return bpi_one(op, x, 2, attr);
}

static bp_node filtered(bp_node x, bp_node w, const bp_attr *terms)
{
  return conv_node(&bp_op_conv2d, x, w, NULL, terms);
}

/* size: the dims of the image. */
static bp_node carried_back(bp_node u, bp_node w, const bp_type *image, const bp_attr *terms)
{
  return conv_node(&bp_op_conv2d_transpose, u, w, image->dims + 1, terms);
}

static bp_node correlated(bp_node x, bp_node u, const bp_type *weights, const bp_attr *terms)
{
  return conv_node(&bp_op_conv2d_weight_grad, x, u, weights->dims + 1, terms);
}

/* ---- kernels: three arrays, of which one is made of the others ---- */

static bpi_conv conv_of(const bp_kernel_call *c, bpi_conv_kind kind)
{
  const bp_array *in = c->in, *y = c->out;
  const bp_array *image = kind == BPI_CONV_IMAGE ? y : &in[0];
  const bp_array *weights = kind == BPI_CONV_WEIGHTS ? y : &in[1];
  const bp_array *out = kind == BPI_CONV_OUT ? y : kind == BPI_CONV_IMAGE ? &in[0] : &in[1];
  const conv_terms t = terms_of(c->attr + (kind != BPI_CONV_OUT));
  bpi_conv v = {.kind = kind, .w = window_of(image->dims, weights->dims, &t), .groups = t.groups};
  bpi_set_places(&v.w, out->dims + 1);
  v.wide = y->dtype == BP_FLOAT64;
  v.channels = image->dims[3];
  v.filters = weights->dims[0];
  v.image = image->data;
  v.weights = weights->data;
  v.out = out->data;
  v.bias = c->n_in > 2 ? in[2].data : NULL;
  v.end = c->finish;
  return v;
}

static bp_status run_conv(const bp_kernel_call *c, bpi_conv_kind kind)
{
  const bpi_kernels *k = c->vec;
  const bpi_conv v = conv_of(c, kind);
  bpi_convolve(k->conv[v.wide], &v, c->begin, c->end, c->scratch);
  return BP_OK;
}

static int64_t units_of(const bp_kernel_call *c, bpi_conv_kind kind, double *ns)
{
  const bpi_kernels *k = c->vec;
  const bpi_conv v = conv_of(c, kind);
  const int64_t units = bpi_conv_units(k->conv[v.wide], &v);
  const double each = (double)v.w.window[0] * (double)v.w.window[1] * (double)v.channels / (double)v.groups;
  const double places = (double)v.w.batch * (double)v.w.places[0] * (double)v.w.places[1];
  *ns = units ? bpi_product_ns(places, (double)v.filters, each, (double)bp_dtype_size(c->out[0].dtype)) /
                    (double)units
              : 0;
  return units;
}

/* All places that the window takes, those outside the image too. */
static double flops_of(const bp_kernel_call *c, bpi_conv_kind kind)
{
  const bpi_conv v = conv_of(c, kind);
  const double each = (double)v.w.window[0] * (double)v.w.window[1] * (double)v.channels / (double)v.groups;
  return 2 * (double)v.w.batch * (double)v.w.places[0] * (double)v.w.places[1] * (double)v.filters * each;
}

static size_t scratch_of(const bp_kernel_call *c, bpi_conv_kind kind)
{
  const bpi_kernels *k = c->vec;
  const bpi_conv v = conv_of(c, kind);
  return bpi_conv_scratch(k->conv[v.wide], &v);
}

#define CONV_KERNEL(name, kind)                                    \
  static bp_status name##_kernel(bp_kernel_call *c)                \
  {                                                                \
    return run_conv(c, kind);                                      \
  }                                                                \
  static int64_t name##_units(const bp_kernel_call *c, double *ns) \
  {                                                                \
    return units_of(c, kind, ns);                                  \
  }                                                                \
  static size_t name##_scratch(const bp_kernel_call *c)            \
  {                                                                \
    return scratch_of(c, kind);                                    \
  }                                                                \
  static double name##_flops(const bp_kernel_call *c)              \
  {                                                                \
    return flops_of(c, kind);                                      \
  }
CONV_KERNEL(conv2d, BPI_CONV_OUT)
CONV_KERNEL(conv2d_transpose, BPI_CONV_IMAGE)
CONV_KERNEL(conv2d_weight_grad, BPI_CONV_WEIGHTS)

/* ---- where their Jacobians have entries ---- */

/* Axes: images, places, groups, filters of a group, the window, channels of a group; and how far apart each array lies along them. Only where no
 * window reaches over the edge: else this is no box, and the pattern says that everything may depend on everything of its image. */
typedef struct conv_axes {
  int64_t dims[8], image[8], weights[8], out[8];
} conv_axes;

static bool axes_of(const bp_type *image, const bp_type *weights, const bp_type *out, const conv_terms *t,
                    conv_axes *a)
{
  const int64_t *x = image->dims, *w = weights->dims, *y = out->dims;
  const int64_t filters = w[0] / t->groups, line = x[2] * x[3], row = y[2] * y[3];
  for (int i = 0; i < 4; i++)
    if (t->pad[i])
      return false;
  bpi_window at = window_of(x, w, t);
  bpi_set_places(&at, y + 1);
  *a = (conv_axes){
      .dims = {x[0], y[1], y[2], t->groups, filters, w[1], w[2], w[3]},
      .image = {x[1] * line, at.stride[0] * line, at.stride[1] * x[3], w[3], 0, at.dilation[0] * line,
                at.dilation[1] * x[3], 1},
      .weights = {0, 0, 0, filters * w[1] * w[2] * w[3], w[1] * w[2] * w[3], w[2] * w[3], w[3], 1},
      .out = {y[1] * row, row, y[3], filters, 1, 0, 0, 0},
  };
  return true;
}

/* From input to result, the other input being the factor. */
static bool reach_along(const conv_axes *a, const int64_t *from, const int64_t *to, const int64_t *by,
                        int factor, bp_reach *r)
{
  r->rank = 8;
  r->factor = factor;
  for (int i = 0; i < 8; i++) {
    r->dims[i] = a->dims[i];
    r->x[i] = from[i];
    r->y[i] = to[i];
    r->w[i] = by[i];
  }
  return true;
}

/* Images stay apart. */
static bp_jac images_apart(const bp_op_call *c, int input, int result)
{
  (void)result;
  return input == 0 && c->x_type[0].dims[0] > 1 ? BP_JAC_BLOCK : BP_JAC_DENSE;
}

/* ---- conv2d ---- */

static bp_status conv2d_canon(bp_op_call *c, bp_attr *attr)
{
  return canon_terms(c, attr);
}

static bp_status conv2d_shape(const bp_op_call *c, bp_type *out, int *n_out)
{
  (void)n_out;
  const conv_terms t = terms_of(c->attr);
  bp_status s = bpi_want_reals(c);
  if (s == BP_OK)
    s = bpi_want_rank4(c, 0, "an image " IMAGE_WORDS);
  if (s == BP_OK)
    s = bpi_want_rank4(c, 1, "weights " WEIGHTS_WORDS);
  if (s != BP_OK)
    return s;
  const int64_t *x = c->x_type[0].dims, *w = c->x_type[1].dims;
  bpi_window at = window_of(x, w, &t);
  s = want_channels(c, w, x[3], t.groups);
  if (s == BP_OK)
    s = bpi_slide(c, t.pad, &at);
  const int64_t dims[4] = {x[0], at.places[0], at.places[1], w[0]};
  return s == BP_OK ? checked(c, dims, out) : s;
}

static bp_node conv2d_vjp(const bp_op_call *c, const bp_node *up, int input)
{
  return input ? correlated(c->x[0], up[0], &c->x_type[1], c->attr)
               : carried_back(up[0], c->x[1], &c->x_type[0], c->attr);
}

static bool conv2d_reach(const bp_op_call *c, int input, int result, bp_reach *r)
{
  (void)result;
  const conv_terms t = terms_of(c->attr);
  conv_axes a;
  return axes_of(&c->x_type[0], &c->x_type[1], &c->y_type[0], &t, &a) &&
         (input ? reach_along(&a, a.weights, a.out, a.image, 1, r)
                : reach_along(&a, a.image, a.out, a.weights, 2, r));
}

const bp_op bp_op_conv2d = {
    .name = "conv2d",
    .math = "y[n,i,j,f] = sum over k, l, c of x[n, i stride + k dilation - pad, j .., c] W[f,k,l,c], x being "
            "0 outside; "
            "x [batch, height, width, channels], W [filters, height, width, channels / groups]; pad: one "
            "number, height "
            "and width, or top, bottom, left, right",
    .symbol = "conv",
    .source = "LeCun et al. 1989; dilation: Yu & Koltun 2016; groups: Krizhevsky et al. 2012",
    .args = "x, W",
    .attrs = {{"stride", BP_ATTR_INTS, 0},
              {"pad", BP_ATTR_INTS, 0},
              {"dilation", BP_ATTR_INTS, 0},
              {"groups", BP_ATTR_INT, 1}},
    .traits = BP_MULTILINEAR | BP_TOTAL | BP_ENDED | BP_APART,
    .canon = conv2d_canon,
    .shape = conv2d_shape,
    .kernel = conv2d_kernel,
    .units = conv2d_units,
    .scratch = conv2d_scratch,
    .flops = conv2d_flops,
    .jacobian = images_apart,
    .reach = conv2d_reach,
    .vjp = conv2d_vjp,
    .examples = {"x[2,3,4,2], W[3,2,3,2]", "x[1,4,3,1], W[2,3,3,1]; pad=[1], stride=[2,1]",
                 "x[2,3,5,4], W[2,2,2,2]; dilation=[1,2], groups=2, pad=[1,0,0,2]", "x[0,3,3,2], W[2,2,2,2]",
                 "x[1,2,2,0], W[3,2,2,0]; pad=[1]", "x[1,2,3,2], W[0,1,1,2]"},
};

/* ---- conv2d_bias: with a number added for each filter, as a layer has it ---- */

static bp_status conv2d_bias_shape(const bp_op_call *c, bp_type *out, int *n_out)
{
  bp_status s = conv2d_shape(c, out, n_out);
  if (s == BP_OK && (c->x_type[2].rank != 1 || c->x_type[2].dims[0] != c->x_type[1].dims[0]))
    return bp_op_fail(c, BP_E_SHAPE, "b must be [%lld], a number for each filter",
                      (long long)c->x_type[1].dims[0]);
  return s;
}

static bp_status conv2d_bias_expand(const bp_op_call *c, bp_node *out)
{
  *out = bp_add(filtered(c->x[0], c->x[1], c->attr), c->x[2]);
  return BP_OK;
}

static bp_node conv2d_bias_vjp(const bp_op_call *c, const bp_node *up, int input)
{
  const int64_t axes[3] = {0, 1, 2};
  return input < 2 ? conv2d_vjp(c, up, input) : bp_sum(up[0], axes, 3, false);
}

static bp_jac conv2d_bias_jacobian(const bp_op_call *c, int input, int result)
{
  return input < 2 ? images_apart(c, input, result) : BP_JAC_SELECT;
}

/* The bias is added to every place. */
static bool conv2d_bias_reach(const bp_op_call *c, int input, int result, bp_reach *r)
{
  const bp_type *y = &c->y_type[0];
  if (input < 2)
    return conv2d_reach(c, input, result, r);
  *r = (bp_reach){
      .rank = 2, .dims = {bpi_product(y->dims, 0, 3), y->dims[3]}, .x = {0, 1}, .y = {y->dims[3], 1}};
  return true;
}

const bp_op bp_op_conv2d_bias = {
    .name = "conv2d_bias",
    .math = "y = conv2d(x, W) + b, b [filters]",
    .symbol = "conv",
    .source = "LeCun et al. 1989",
    .args = "x, W, b",
    .attrs = {{"stride", BP_ATTR_INTS, 0},
              {"pad", BP_ATTR_INTS, 0},
              {"dilation", BP_ATTR_INTS, 0},
              {"groups", BP_ATTR_INT, 1}},
    .traits = BP_TOTAL | BP_ENDED | BP_APART,
    .canon = conv2d_canon,
    .shape = conv2d_bias_shape,
    .kernel = conv2d_kernel,
    .units = conv2d_units,
    .scratch = conv2d_scratch,
    .flops = conv2d_flops,
    .jacobian = conv2d_bias_jacobian,
    .reach = conv2d_bias_reach,
    .vjp = conv2d_bias_vjp,
    .expand = conv2d_bias_expand,
    .examples = {"x[2,3,4,2], W[3,2,3,2], b[3]", "x[1,4,3,2], W[2,2,3,1], b[2]; stride=[2,1], groups=2",
                 "x[0,3,3,2], W[2,2,2,2], b[2]", "x[1,2,3,2], W[0,1,1,2], b[0]"},
};

/* ---- conv2d_transpose: its adjoint in x ---- */

/* An absent size is the smallest that gives u. */
static bp_status conv2d_transpose_canon(bp_op_call *c, bp_attr *attr)
{
  bp_status s = canon_terms(c, attr + 1);
  if (s == BP_OK)
    s = bpi_want_rank4(c, 0, "u [batch, height, width, filters]");
  if (s == BP_OK)
    s = bpi_want_rank4(c, 1, "weights " WEIGHTS_WORDS);
  if (s != BP_OK || attr[0].n)
    return s == BP_OK ? bpi_canon_pair(c, &attr[0], "size", 0, 0) : s;
  int64_t *size = bp_op_ints(c, 2);
  if (!size)
    return bp_op_fail(c, BP_E_NOMEM, "out of memory");
  const conv_terms t = terms_of(attr + 1);
  for (int i = 0; i < 2; i++) {
    const int64_t places = c->x_type[0].dims[1 + i], window = c->x_type[1].dims[1 + i];
    int64_t steps = 0, extent = 0;
    const bool fits = bpi_mul(places - 1, t.stride[i], &steps) &&
                      bpi_mul(window - 1, t.dilation[i], &extent) && bpi_add(steps, extent, &steps);
    size[i] = fits ? steps + 1 - t.pad[2 * i] - t.pad[2 * i + 1] : -1;
  }
  attr[0] = (bp_attr){.v = size, .n = 2};
  return size[0] >= 0 && size[1] >= 0
             ? bpi_canon_pair(c, &attr[0], "size", 0, 0)
             : bp_op_fail(c, BP_E_SHAPE, "no image gives u with this window and border");
}

static bp_status conv2d_transpose_shape(const bp_op_call *c, bp_type *out, int *n_out)
{
  (void)n_out;
  const conv_terms t = terms_of(c->attr + 1);
  const int64_t *w = c->x_type[1].dims, *size = c->attr[0].v;
  int64_t dims[4] = {c->x_type[0].dims[0], size[0], size[1], 0};
  bp_status s = bpi_want_reals(c);
  if (s == BP_OK && !bpi_mul(w[3], t.groups, &dims[3]))
    s = bp_op_fail(c, BP_E_LIMIT, "the result has too many elements");
  if (s == BP_OK)
    s = want_channels(c, w, dims[3], t.groups);
  bpi_window at = window_of(dims, w, &t);
  if (s == BP_OK)
    s = bpi_slide(c, t.pad, &at);
  if (s == BP_OK)
    s = want_out(c, &at, &c->x_type[0], w[0]);
  return s == BP_OK ? checked(c, dims, out) : s;
}

static bp_node conv2d_transpose_vjp(const bp_op_call *c, const bp_node *up, int input)
{
  const bp_attr *terms = c->attr + 1;
  return input ? correlated(up[0], c->x[0], &c->x_type[1], terms) : filtered(up[0], c->x[1], terms);
}

static bool conv2d_transpose_reach(const bp_op_call *c, int input, int result, bp_reach *r)
{
  (void)result;
  const conv_terms t = terms_of(c->attr + 1);
  conv_axes a;
  return axes_of(&c->y_type[0], &c->x_type[1], &c->x_type[0], &t, &a) &&
         (input ? reach_along(&a, a.weights, a.image, a.out, 1, r)
                : reach_along(&a, a.out, a.image, a.weights, 2, r));
}

const bp_op bp_op_conv2d_transpose = {
    .name = "conv2d_transpose",
    .math = "the adjoint of conv2d in x: u [batch, height, width, filters] carried back to an image of "
            "`size`, by default the "
            "smallest that gives u; W and the rest as for conv2d",
    .symbol = "conv'",
    .source = "Zeiler et al., Deconvolutional Networks, 2010",
    .args = "u, W",
    .attrs = {{"size", BP_ATTR_INTS, 0},
              {"stride", BP_ATTR_INTS, 0},
              {"pad", BP_ATTR_INTS, 0},
              {"dilation", BP_ATTR_INTS, 0},
              {"groups", BP_ATTR_INT, 1}},
    .traits = BP_MULTILINEAR | BP_TOTAL | BP_ENDED | BP_APART,
    .canon = conv2d_transpose_canon,
    .shape = conv2d_transpose_shape,
    .kernel = conv2d_transpose_kernel,
    .units = conv2d_transpose_units,
    .scratch = conv2d_transpose_scratch,
    .flops = conv2d_transpose_flops,
    .jacobian = images_apart,
    .reach = conv2d_transpose_reach,
    .vjp = conv2d_transpose_vjp,
    .examples = {"u[2,2,2,3], W[3,2,3,2]", "u[1,2,3,2], W[2,3,3,1]; size=[4,3], pad=[1], stride=[2,1]",
                 "u[2,3,3,2], W[2,2,2,2]; dilation=[1,2], groups=2, pad=[1,0,0,2]", "u[0,2,2,2], W[2,2,2,2]",
                 "u[1,3,3,0], W[0,2,2,1]; pad=[1]", "u[1,2,3,2], W[2,1,1,0]"},
};

/* ---- conv2d_weight_grad: its adjoint in W ---- */

static bp_status conv2d_weight_grad_canon(bp_op_call *c, bp_attr *attr)
{
  if (attr[0].n == 0)
    return bp_op_fail(c, BP_E_ARG, "window must be given: height and width");
  bp_status s = bpi_canon_pair(c, &attr[0], "window", 1, 1);
  return s == BP_OK ? canon_terms(c, attr + 1) : s;
}

static bp_status conv2d_weight_grad_shape(const bp_op_call *c, bp_type *out, int *n_out)
{
  (void)n_out;
  const conv_terms t = terms_of(c->attr + 1);
  bp_status s = bpi_want_reals(c);
  if (s == BP_OK)
    s = bpi_want_rank4(c, 0, "an image " IMAGE_WORDS);
  if (s == BP_OK)
    s = bpi_want_rank4(c, 1, "u [batch, height, width, filters]");
  if (s != BP_OK)
    return s;
  const int64_t *x = c->x_type[0].dims, *u = c->x_type[1].dims, *window = c->attr[0].v;
  if (x[3] % t.groups)
    return bp_op_fail(c, BP_E_SHAPE, "%lld channels do not divide into %lld groups", (long long)x[3],
                      (long long)t.groups);
  const int64_t dims[4] = {u[3], window[0], window[1], x[3] / t.groups};
  s = want_channels(c, dims, x[3], t.groups);
  bpi_window at = window_of(x, dims, &t);
  if (s == BP_OK)
    s = bpi_slide(c, t.pad, &at);
  if (s == BP_OK)
    s = want_out(c, &at, &c->x_type[1], u[3]);
  return s == BP_OK ? checked(c, dims, out) : s;
}

static bp_node conv2d_weight_grad_vjp(const bp_op_call *c, const bp_node *up, int input)
{
  const bp_attr *terms = c->attr + 1;
  return input ? filtered(c->x[0], up[0], terms) : carried_back(c->x[1], up[0], &c->x_type[0], terms);
}

static bool conv2d_weight_grad_reach(const bp_op_call *c, int input, int result, bp_reach *r)
{
  (void)result;
  const conv_terms t = terms_of(c->attr + 1);
  conv_axes a;
  return axes_of(&c->x_type[0], &c->y_type[0], &c->x_type[1], &t, &a) &&
         (input ? reach_along(&a, a.out, a.weights, a.image, 1, r)
                : reach_along(&a, a.image, a.weights, a.out, 2, r));
}

const bp_op bp_op_conv2d_weight_grad = {
    .name = "conv2d_weight_grad",
    .math = "the adjoint of conv2d in W: [filters, window, channels / groups] from x and u [batch, height, "
            "width, filters]; the "
            "rest as for conv2d",
    .symbol = "conv'",
    .source = "LeCun et al. 1989",
    .args = "x, u",
    .attrs = {{"window", BP_ATTR_INTS, 0},
              {"stride", BP_ATTR_INTS, 0},
              {"pad", BP_ATTR_INTS, 0},
              {"dilation", BP_ATTR_INTS, 0},
              {"groups", BP_ATTR_INT, 1}},
    .traits = BP_MULTILINEAR | BP_TOTAL,
    .canon = conv2d_weight_grad_canon,
    .shape = conv2d_weight_grad_shape,
    .kernel = conv2d_weight_grad_kernel,
    .units = conv2d_weight_grad_units,
    .scratch = conv2d_weight_grad_scratch,
    .flops = conv2d_weight_grad_flops,
    .reach = conv2d_weight_grad_reach,
    .vjp = conv2d_weight_grad_vjp,
    .examples = {"x[2,3,4,2], u[2,2,2,3]; window=[2,3]",
                 "x[1,4,3,1], u[1,2,3,2]; window=[3], pad=[1], stride=[2,1]",
                 "x[2,3,5,4], u[2,3,5,2]; window=[2,2], dilation=[1,2], groups=2, pad=[1,0,0,2]",
                 "x[0,3,3,2], u[0,2,2,2]; window=[2]", "x[1,2,2,0], u[1,3,3,3]; window=[2], pad=[1]"},
};
