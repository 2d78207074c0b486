/* Pooling over windows of images [batch, height, width, channels]: the largest, routed by its winners, and the mean. */
#include "ops/sliding.h"

#include <math.h>

/* ---- what they share ---- */

#define POOL_WORDS "an image [batch, height, width, channels]"

/* Windows that lie side by side unless a stride is given. */
static bp_status canon_window(const bp_op_call *c, bp_attr *a)
{
  if (a[0].n == 0)
    return bp_op_fail(c, BP_E_ARG, "window must be given: height and width");
  bp_status s = bpi_canon_pair(c, &a[0], "window", 1, 1);
  if (s == BP_OK && a[1].n == 0)
    a[1] = a[0];
  if (s == BP_OK)
    s = bpi_canon_pair(c, &a[1], "stride", 1, 1);
  return s == BP_OK ? bpi_canon_border(c, &a[2]) : s;
}

static bp_status pool_canon(bp_op_call *c, bp_attr *attr)
{
  return canon_window(c, attr);
}

static bpi_window window_at(const int64_t *image, const bp_attr *a)
{
  bpi_window w = {.batch = image[0], .dilation = {1, 1}};
  for (int i = 0; i < 2; i++) {
    w.size[i] = image[1 + i];
    w.window[i] = a[0].v[i];
    w.stride[i] = a[1].v[i];
    w.before[i] = a[2].v[2 * i];
  }
  return w;
}

/* dims: those of what an image is pooled to. Borders can make it larger than the image. */
static bp_status slide_pool(const bp_op_call *c, const int64_t *image, const bp_attr *a, bpi_window *w,
                            int64_t *dims)
{
  *w = window_at(image, a);
  bp_status s = bpi_slide(c, a[2].v, w);
  dims[0] = image[0];
  dims[1] = w->places[0];
  dims[2] = w->places[1];
  dims[3] = image[3];
  int64_t size;
  return s == BP_OK && !bpi_size(4, dims, &size)
             ? bp_op_fail(c, BP_E_LIMIT, "what the image is pooled to has too many elements")
             : s;
}

/* An image and what it is pooled to. */
static bp_status pooled(const bp_op_call *c, int image, int64_t *dims)
{
  bpi_window w;
  bp_status s = bpi_want_reals(c);
  if (s == BP_OK)
    s = bpi_want_rank4(c, image, POOL_WORDS);
  return s == BP_OK ? slide_pool(c, c->x_type[image].dims, c->attr, &w, dims) : s;
}

static bp_status pool_shape(const bp_op_call *c, bp_type *out, int *n_out)
{
  (void)n_out;
  int64_t dims[4];
  bp_status s = pooled(c, 0, dims);
  if (s == BP_OK)
    *out = bpi_type(BP_REAL, 4, dims);
  return s;
}

static bp_status want_pooled(const bp_op_call *c, const bp_type *u, const int64_t *dims)
{
  const bp_type want = bpi_type(BP_REAL, 4, dims);
  return bpi_same_shape(u, &want)
             ? BP_OK
             : bp_op_fail(c, BP_E_SHAPE, "u must be [%lld,%lld,%lld,%lld], as the image is pooled",
                          (long long)dims[0], (long long)dims[1], (long long)dims[2], (long long)dims[3]);
}

static bp_node pool_node(const bp_op *op, const bp_node *x, size_t n, const bp_attr *a)
{
  return bpi_one(op, x, n, a);
}

/* ---- kernels ---- */

/* The image is the input that is pooled or looked at; of spread, which has none, the result. */
static bpi_pool2d pool_of(const bp_kernel_call *c, bpi_pool_kind kind)
{
  const bool spread = kind == BPI_POOL_SPREAD, routed = kind == BPI_POOL_PICK || kind == BPI_POOL_PUT;
  const bp_array *image = spread ? &c->out[0] : &c->in[routed];
  bpi_pool2d p = {.kind = kind, .w = window_at(image->dims, c->attr + spread), .channels = image->dims[3]};
  const bool to_image = spread || kind == BPI_POOL_PUT;
  const bp_array *places = to_image ? &c->in[0] : &c->out[0];
  bpi_set_places(&p.w, places->dims + 1);
  p.x = spread ? NULL : image->data;
  p.v = spread || routed ? c->in[0].data : NULL;
  p.y = c->out[0].data;
  p.end = c->finish;
  return p;
}

static bp_status run_pool(const bp_kernel_call *c, bpi_pool_kind kind)
{
  const bpi_kernels *k = c->vec;
  const bpi_pool2d p = pool_of(c, kind);
  k->pool[c->out[0].dtype == BP_FLOAT64](&p, c->begin, c->end, c->scratch);
  return BP_OK;
}

static int64_t pool_units(const bp_kernel_call *c, bpi_pool_kind kind, double *ns)
{
  const bpi_pool2d p = pool_of(c, kind);
  *ns = 20 + 0.2 * (double)p.w.places[1] * (double)p.channels * (double)p.w.window[0] * (double)p.w.window[1];
  return p.channels ? p.w.batch * p.w.places[0] : 0;
}

static size_t pool_room(const bp_kernel_call *c, bpi_pool_kind kind)
{
  const bpi_kernels *k = c->vec;
  const bpi_pool2d p = pool_of(c, kind);
  return k->pool_scratch[c->out[0].dtype == BP_FLOAT64](&p);
}

#define POOL_KERNEL(name, kind)                                    \
  static bp_status name##_kernel(bp_kernel_call *c)                \
  {                                                                \
    return run_pool(c, kind);                                      \
  }                                                                \
  static int64_t name##_units(const bp_kernel_call *c, double *ns) \
  {                                                                \
    return pool_units(c, kind, ns);                                \
  }                                                                \
  static size_t name##_room(const bp_kernel_call *c)               \
  {                                                                \
    return pool_room(c, kind);                                     \
  }
POOL_KERNEL(max_pool2d, BPI_POOL_MAX)
POOL_KERNEL(max_pool2d_pick, BPI_POOL_PICK)
POOL_KERNEL(max_pool2d_put, BPI_POOL_PUT)
POOL_KERNEL(avg_pool2d, BPI_POOL_MEAN)
POOL_KERNEL(avg_pool2d_grad, BPI_POOL_SPREAD)

/* ---- max_pool2d ---- */

static bp_node max_pool2d_vjp(const bp_op_call *c, const bp_node *up, int input)
{
  (void)input;
  bp_node x[2] = {up[0], c->x[0]};
  return pool_node(&bp_op_max_pool2d_put, x, 2, c->attr);
}

static bp_status max_pool2d_jvp(const bp_op_call *c, const bp_node *tangent, bp_node *out)
{
  bp_node x[2] = {tangent[0], c->x[0]};
  out[0] = bp_absent(tangent[0]) ? BP_NO_NODE : pool_node(&bp_op_max_pool2d_pick, x, 2, c->attr);
  return BP_OK;
}

const bp_op bp_op_max_pool2d = {
    .name = "max_pool2d",
    .math = "y[n,i,j,c] = largest of x [batch, height, width, channels] in window (i, j); windows lie side "
            "by side unless a "
            "stride is given; what a border of `pad` adds to x never wins",
    .symbol = "max",
    .source = "Ranzato et al. 2007",
    .kink = "the lowest row-major index among the largest takes the whole gradient; NaN wins",
    .args = "x",
    .attrs = {{"window", BP_ATTR_INTS, 0}, {"stride", BP_ATTR_INTS, 0}, {"pad", BP_ATTR_INTS, 0}},
    .traits = BP_ROUTER | BP_TOTAL | BP_ENDED | BP_APART,
    .canon = pool_canon,
    .shape = pool_shape,
    .kernel = max_pool2d_kernel,
    .units = max_pool2d_units,
    .scratch = max_pool2d_room,
    .jacobian = bpi_jac_select,
    .vjp = max_pool2d_vjp,
    .jvp = max_pool2d_jvp,
    .examples = {"x[1,1,3,1] distinct; window=[1,3]", "x[2,4,5,2] in -9..9 distinct; window=[2]",
                 "x[1,3,4,2] distinct; window=[3,2], stride=[1,2], pad=[1]",
                 "x[1,3,3,1] distinct; window=[2], stride=[1], pad=[0,1,1,0]", "x[0,4,4,2]; window=[2]",
                 "x[1,2,2,0]; window=[2]"},
    .kinks = (const bp_kink[]){{{1, 1, 0}, {1, 0, 0}}, {{0, 2, 2}, {0, 1, 0}}, {{3, NAN, NAN}, {0, 1, 0}}},
    .n_kinks = 3,
};

/* ---- pick and put: what the winners of x let through, forward and back; linear in v, and constant in x but at kinks ---- */

static bp_jac pick_jacobian(const bp_op_call *c, int input, int result)
{
  (void)c, (void)result;
  return input ? BP_JAC_ZERO : BP_JAC_SELECT;
}

static bp_status pick_shape(const bp_op_call *c, bp_type *out, int *n_out)
{
  (void)n_out;
  int64_t dims[4];
  bp_status s = pooled(c, 1, dims);
  if (s == BP_OK && !bpi_same_shape(&c->x_type[0], &c->x_type[1]))
    s = bp_op_fail(c, BP_E_SHAPE, "v must have the shape of x");
  if (s == BP_OK)
    *out = bpi_type(BP_REAL, 4, dims);
  return s;
}

static bp_node pick_vjp(const bp_op_call *c, const bp_node *up, int input)
{
  bp_node x[2] = {up[0], c->x[1]};
  return input ? BP_NO_NODE : pool_node(&bp_op_max_pool2d_put, x, 2, c->attr);
}

static bp_status pick_jvp(const bp_op_call *c, const bp_node *tangent, bp_node *out)
{
  bp_node x[2] = {tangent[0], c->x[1]};
  out[0] = bp_absent(tangent[0]) ? BP_NO_NODE : pool_node(c->op, x, 2, c->attr);
  return BP_OK;
}

const bp_op bp_op_max_pool2d_pick = {
    .name = "max_pool2d_pick",
    .math = "y = v where x is largest in each window: max_pool2d(x) is max_pool2d_pick(x, x)",
    .source = "derivative of max_pool2d",
    .kink = "the lowest row-major index among the largest of x wins, NaN before all; no gradient for x",
    .args = "v, x",
    .attrs = {{"window", BP_ATTR_INTS, 0}, {"stride", BP_ATTR_INTS, 0}, {"pad", BP_ATTR_INTS, 0}},
    .traits = BP_NAN_STOPS | BP_TOTAL | BP_ENDED,
    .canon = pool_canon,
    .shape = pick_shape,
    .kernel = max_pool2d_pick_kernel,
    .units = max_pool2d_pick_units,
    .scratch = max_pool2d_pick_room,
    .jacobian = pick_jacobian,
    .vjp = pick_vjp,
    .jvp = pick_jvp,
    .examples = {"v[2,4,5,2], x[2,4,5,2] in -9..9 distinct; window=[2]",
                 "v[1,3,4,2], x[1,3,4,2] distinct; window=[3,2], stride=[1,2], pad=[1]",
                 "v[0,4,4,2], x[0,4,4,2]; window=[2]"},
};

static bp_status put_shape(const bp_op_call *c, bp_type *out, int *n_out)
{
  (void)n_out;
  int64_t dims[4];
  bp_status s = pooled(c, 1, dims);
  if (s == BP_OK)
    s = want_pooled(c, &c->x_type[0], dims);
  *out = c->x_type[1];
  return s;
}

static bp_node put_vjp(const bp_op_call *c, const bp_node *up, int input)
{
  bp_node x[2] = {up[0], c->x[1]};
  return input ? BP_NO_NODE : pool_node(&bp_op_max_pool2d_pick, x, 2, c->attr);
}

static bp_jac put_jacobian(const bp_op_call *c, int input, int result)
{
  (void)c, (void)result;
  return input ? BP_JAC_ZERO : BP_JAC_SPREAD;
}

const bp_op bp_op_max_pool2d_put = {
    .name = "max_pool2d_put",
    .math = "zeros shaped like x, to which u is added where x is largest in each window",
    .source = "derivative of max_pool2d",
    .kink = "the lowest row-major index among the largest of x wins, NaN before all; no gradient for x",
    .args = "u, x",
    .attrs = {{"window", BP_ATTR_INTS, 0}, {"stride", BP_ATTR_INTS, 0}, {"pad", BP_ATTR_INTS, 0}},
    .traits = BP_NAN_STOPS | BP_TOTAL | BP_ENDED,
    .canon = pool_canon,
    .shape = put_shape,
    .kernel = max_pool2d_put_kernel,
    .units = max_pool2d_put_units,
    .scratch = max_pool2d_put_room,
    .jacobian = put_jacobian,
    .vjp = put_vjp,
    .jvp = pick_jvp,
    .examples = {"u[2,2,2,2], x[2,4,5,2] in -9..9 distinct; window=[2]",
                 "u[1,3,3,2], x[1,3,4,2] distinct; window=[3,2], stride=[1,2], pad=[1]",
                 "u[0,2,2,2], x[0,4,4,2]; window=[2]"},
};

/* ---- avg_pool2d, and its adjoint ---- */

static bp_jac image_jacobian(const bp_op_call *c, int input, int result)
{
  (void)input, (void)result;
  return c->x_type[0].dims[0] > 1 ? BP_JAC_BLOCK : BP_JAC_DENSE;
}

static bp_node avg_pool2d_vjp(const bp_op_call *c, const bp_node *up, int input)
{
  (void)input;
  bp_attr attr[BP_MAX_ATTRS] = {{.v = c->x_type[0].dims + 1, .n = 2}, c->attr[0], c->attr[1], c->attr[2]};
  return pool_node(&bp_op_avg_pool2d_grad, up, 1, attr);
}

/* Where windows lie inside: images, places, the window, channels. */
static bool mean_axes(const bp_type *image, const bp_type *places, const bp_attr *a, int64_t *dims,
                      int64_t *x, int64_t *y)
{
  const int64_t line = image->dims[2] * image->dims[3], row = places->dims[2] * places->dims[3],
                ch = image->dims[3];
  bpi_window at = window_at(image->dims, a);
  bpi_set_places(&at, places->dims + 1);
  const int64_t all[6] = {image->dims[0], places->dims[1], places->dims[2], a[0].v[0], a[0].v[1], ch};
  const int64_t of_x[6] = {image->dims[1] * line, at.stride[0] * line, at.stride[1] * ch, line, ch, 1};
  const int64_t of_y[6] = {places->dims[1] * row, row, ch, 0, 0, 1};
  for (int i = 0; i < 4; i++)
    if (a[2].v[i])
      return false;
  for (int i = 0; i < 6; i++) {
    dims[i] = all[i];
    x[i] = of_x[i];
    y[i] = of_y[i];
  }
  return true;
}

static bool avg_pool2d_reach(const bp_op_call *c, int input, int result, bp_reach *r)
{
  (void)input, (void)result;
  r->rank = 6;
  return mean_axes(&c->x_type[0], &c->y_type[0], c->attr, r->dims, r->x, r->y);
}

const bp_op bp_op_avg_pool2d = {
    .name = "avg_pool2d",
    .math = "y[n,i,j,c] = mean of x [batch, height, width, channels] in window (i, j); windows lie side by "
            "side unless a stride is "
            "given; a border of `pad` moves them, and what it adds to x is not counted",
    .symbol = "mean",
    .source = "LeCun et al. 1989",
    .args = "x",
    .attrs = {{"window", BP_ATTR_INTS, 0}, {"stride", BP_ATTR_INTS, 0}, {"pad", BP_ATTR_INTS, 0}},
    .traits = BP_LINEAR | BP_TOTAL | BP_ENDED | BP_APART,
    .canon = pool_canon,
    .shape = pool_shape,
    .kernel = avg_pool2d_kernel,
    .units = avg_pool2d_units,
    .scratch = avg_pool2d_room,
    .jacobian = image_jacobian,
    .reach = avg_pool2d_reach,
    .vjp = avg_pool2d_vjp,
    .examples = {"x[2,4,5,2]; window=[2]", "x[1,3,4,2]; window=[3,2], stride=[1,2], pad=[1]",
                 "x[1,3,3,1]; window=[2], stride=[1], pad=[0,1,1,0]", "x[0,4,4,2]; window=[2]",
                 "x[1,2,2,0]; window=[2]"},
};

static bp_status spread_canon(bp_op_call *c, bp_attr *attr)
{
  if (attr[0].n == 0)
    return bp_op_fail(c, BP_E_ARG, "size must be given: height and width of the image");
  bp_status s = bpi_canon_pair(c, &attr[0], "size", 0, 0);
  return s == BP_OK ? canon_window(c, attr + 1) : s;
}

static bp_status spread_shape(const bp_op_call *c, bp_type *out, int *n_out)
{
  (void)n_out;
  bp_status s = bpi_want_reals(c);
  if (s == BP_OK)
    s = bpi_want_rank4(c, 0, "u [batch, height, width, channels]");
  if (s != BP_OK)
    return s;
  const bp_type *u = &c->x_type[0];
  const int64_t image[4] = {u->dims[0], c->attr[0].v[0], c->attr[0].v[1], u->dims[3]};
  int64_t dims[4], size;
  bpi_window w;
  if (!bpi_size(4, image, &size))
    return bp_op_fail(c, BP_E_LIMIT, "the result has too many elements");
  s = slide_pool(c, image, c->attr + 1, &w, dims);
  if (s == BP_OK)
    s = want_pooled(c, u, dims);
  *out = bpi_type(BP_REAL, 4, image);
  return s;
}

static bp_node spread_vjp(const bp_op_call *c, const bp_node *up, int input)
{
  (void)input;
  return pool_node(&bp_op_avg_pool2d, up, 1, c->attr + 1);
}

static bool spread_reach(const bp_op_call *c, int input, int result, bp_reach *r)
{
  (void)input, (void)result;
  r->rank = 6;
  return mean_axes(&c->y_type[0], &c->x_type[0], c->attr + 1, r->dims, r->y, r->x);
}

const bp_op bp_op_avg_pool2d_grad = {
    .name = "avg_pool2d_grad",
    .math = "the adjoint of avg_pool2d: an image of `size`, each element the sum of its shares of u",
    .source = "derivative of avg_pool2d",
    .args = "u",
    .attrs = {{"size", BP_ATTR_INTS, 0},
              {"window", BP_ATTR_INTS, 0},
              {"stride", BP_ATTR_INTS, 0},
              {"pad", BP_ATTR_INTS, 0}},
    .traits = BP_LINEAR | BP_TOTAL | BP_ENDED | BP_APART,
    .canon = spread_canon,
    .shape = spread_shape,
    .kernel = avg_pool2d_grad_kernel,
    .units = avg_pool2d_grad_units,
    .scratch = avg_pool2d_grad_room,
    .jacobian = image_jacobian,
    .reach = spread_reach,
    .vjp = spread_vjp,
    .examples = {"u[2,2,2,2]; size=[4,5], window=[2]",
                 "u[1,3,3,2]; size=[3,4], window=[3,2], stride=[1,2], pad=[1]",
                 "u[0,2,2,2]; size=[4,4], window=[2]"},
};
