/* Losses. Cross-entropies and hinge give one loss an example, so that weights may follow; mean_squared_error, l1 and huber give the
   mean. */
#include "ops/family.h"
#include "kernels/rowwise.h"

#include <math.h>

/* ---- what they share ---- */

/* Scores [..., C] and labels int64 [...]: result shaped like the labels. */
static bp_status labelled_shape(const bp_op_call *c, int scores, bp_type *out)
{
  const bp_type *x = &c->x_type[scores], *labels = &c->x_type[scores + 1];
  bp_status s = bpi_want_dtype(c, scores, BP_REAL);
  if (s == BP_OK)
    s = bpi_want_dtype(c, scores + 1, BP_INT64);
  if (s != BP_OK)
    return s;
  *out = bpi_type(BP_REAL, labels->rank, labels->dims);
  bp_type lead = *x;
  lead.rank--;
  if (x->rank < 1 || !bpi_same_shape(&lead, labels))
    return bp_op_fail(c, BP_E_SHAPE, "needs scores [..., classes] and labels [...]");
  if (x->dims[x->rank - 1] < 1)
    return bp_op_fail(c, BP_E_SHAPE, "there is no class");
  return BP_OK;
}

static bp_status want_smoothing(const bp_op_call *c)
{
  double a = c->attr[0].r;
  return a >= 0 && a <= 1 ? BP_OK : bp_op_fail(c, BP_E_ARG, "smoothing is %g, outside 0..1", a);
}

static bp_status check_labels(bp_kernel_call *c, const int64_t *labels, int64_t classes)
{
  int64_t at = bpi_first_outside(labels, c->begin, c->end, classes);
  if (at == c->end)
    return BP_OK;
  c->fail_at = at;
  c->fail_why = "the label is negative or not below the number of classes";
  return BP_E_RANGE;
}

static bp_jac rows_jacobian(const bp_op_call *c, int input, int result)
{
  (void)result;
  return c->x_type[input].dtype == BP_REAL ? BP_JAC_BLOCK : BP_JAC_ZERO;
}

/* y [...] as [..., 1]. */
static bp_node with_last(bp_node y)
{
  const bpi_node *v = bpi_slot(y);
  return v ? bpi_insert_axis(y, v->type->rank) : y;
}

static bp_node sum_last(bp_node x, bool keep)
{
  int64_t last = -1;
  return bp_sum(x, &last, 1, keep);
}

/* The targets as probabilities: 1 - a at the label, and a shared by all. */
static bp_node smooth_targets(const bp_op_call *c, bp_node labels, int64_t classes)
{
  double a = c->attr[0].r;
  bp_node q = bp_one_hot(labels, classes);
  return a == 0 ? q : bp_add(bp_mul(q, bpi_num(c, 1 - a)), bpi_num(c, a / (double)classes));
}

static int64_t classes_of(const bp_type *x)
{
  return x->dims[x->rank - 1];
}

/* A unit is an example; scratch holds its log-probabilities or probabilities. */
static int64_t example_units(const bp_kernel_call *c, double *ns)
{
  const bp_array *labels = &c->in[c->n_in - 1], *x = &c->in[c->n_in - 2];
  *ns = 20 + 2 * (double)x->dims[x->rank - 1];
  return labels->size;
}

/* ---- softmax_cross_entropy_both: the loss, and what its gradient is made of, in one pass over the scores ----
 * Loss and gradient of a step are two calls on the same scores, which the compiler makes two results of this one. Only a result
 * that somebody reads is written. */

static bp_status both_shape(const bp_op_call *c, bp_type *out, int *n_out)
{
  bp_status s = want_smoothing(c);
  if (s == BP_OK)
    s = labelled_shape(c, 0, out);
  out[1] = c->x_type[0];
  *n_out = 2;
  return s;
}

#define BOTH(T, wide)                                                                                      \
  static void both_##T(const bp_kernel_call *c, int64_t i)                                                 \
  {                                                                                                        \
    const bpi_kernels *k = c->vec;                                                                         \
    const int64_t n = c->in[0].dims[c->in[0].rank - 1], label = ((const int64_t *)c->in[1].data)[i];       \
    const T *x = (const T *)c->in[0].data + i * n;                                                         \
    const double a = c->attr[0].r;                                                                         \
    const T other = (T)(c->attr[0].r / (double)n), own = (T)(1 - c->attr[0].r + c->attr[0].r / (double)n); \
    T *d = c->out[1].data, *p = d ? d + i * n : c->scratch, at[2], *log_p = (T *)c->scratch + n;           \
    k->softmax_parts[wide](n, x, p, at);                                                                   \
    for (int64_t j = a == 0 ? label : 0; j < (a == 0 ? label + 1 : n); j++)                                \
      log_p[j] = (x[j] - at[0]) - at[1];                                                                   \
    if (c->out[0].data)                                                                                    \
      bpi_label_loss(c->in[0].dtype, n, c->attr[0].r, label, log_p, (T *)c->out[0].data + i);              \
    for (int64_t j = 0; d && j < n; j++)                                                                   \
      p[j] -= j == label ? own : other;                                                                    \
  }
BOTH(float, 0)
BOTH(double, 1)

static bp_status both_kernel(bp_kernel_call *c)
{
  const bp_array *x = &c->in[0];
  bp_status s = check_labels(c, c->in[1].data, x->dims[x->rank - 1]);
  for (int64_t i = c->begin; s == BP_OK && i < c->end; i++)
    (x->dtype == BP_FLOAT64 ? both_double : both_float)(c, i);
  return s;
}

static size_t both_scratch(const bp_kernel_call *c)
{
  return 2 * (size_t)c->in[0].dims[c->in[0].rank - 1] * bp_dtype_size(c->in[0].dtype);
}

static int64_t both_units(const bp_kernel_call *c, double *ns)
{
  *ns = 20 + 5 * (double)c->in[0].dims[c->in[0].rank - 1];
  return c->in[1].size;
}

static bp_status both_expand(const bp_op_call *c, bp_node *out)
{
  bp_node q = smooth_targets(c, c->x[1], classes_of(&c->x_type[0]));
  out[0] = bp_neg(sum_last(bp_chain(q, bp_log_softmax(c->x[0], -1)), false));
  out[1] = bp_sub(bp_softmax(c->x[0], -1), q);
  return BP_OK;
}

static bp_jac both_jacobian(const bp_op_call *c, int input, int result)
{
  return rows_jacobian(c, input, result);
}

const bp_op bp_op_softmax_cross_entropy_both = {
    .name = "softmax_cross_entropy_both",
    .math = "loss as softmax_cross_entropy; d = softmax(logits) - q",
    .source = "Bridle 1990",
    .kink = "a label out of range stops the run",
    .args = "logits, labels",
    .attrs = {{"smoothing", BP_ATTR_REAL, 0}},
    .traits = BP_INTERNAL | BP_SPARING | BP_NAN_STOPS,
    .shape = both_shape,
    .jacobian = both_jacobian,
    .expand = both_expand,
    .kernel = both_kernel,
    .units = both_units,
    .scratch = both_scratch,
    .examples = {"logits[3,4], labels[3] int 0..3; smoothing=0",
                 "logits[2,2,3], labels[2,2] int 0..2; smoothing=0.1",
                 "logits[5], labels[] int 0..4; smoothing=0", "logits[0,3], labels[0] int 0..2; smoothing=0"},
    .ulp32 = 32,
};

/* Result k of the call on these scores and labels. */
static bp_node one_of_both(const bp_op_call *c, const bp_node *x, int k)
{
  bp_node y[2];
  return bp_apply(c->graph, &bp_op_softmax_cross_entropy_both, x, 2, c->attr, y) == BP_OK ? y[k] : BP_NO_NODE;
}

/* ---- softmax_cross_entropy: from labels ---- */

static bp_status cross_entropy_shape(const bp_op_call *c, bp_type *out, int *n_out)
{
  (void)n_out;
  bp_status s = want_smoothing(c);
  return s == BP_OK ? labelled_shape(c, 0, out) : s;
}

static bp_status cross_entropy_kernel(bp_kernel_call *c)
{
  const bp_array *x = &c->in[0], *y = &c->out[0];
  const bpi_kernels *k = c->vec;
  const int64_t *labels = c->in[1].data, n = x->dims[x->rank - 1];
  size_t elem = bp_dtype_size(x->dtype);
  bp_status s = check_labels(c, labels, n);
  for (int64_t i = c->begin; s == BP_OK && i < c->end; i++) {
    k->log_softmax[x->dtype == BP_FLOAT64](n, (const char *)x->data + (size_t)(i * n) * elem, c->scratch, 0,
                                           1);
    bpi_label_loss(x->dtype, n, c->attr[0].r, labels[i], c->scratch, (char *)y->data + (size_t)i * elem);
  }
  return s;
}

static size_t row_scratch(const bp_kernel_call *c)
{
  const bp_array *x = &c->in[0];
  return (size_t)x->dims[x->rank - 1] * bp_dtype_size(x->dtype);
}

static bp_status cross_entropy_expand(const bp_op_call *c, bp_node *out)
{
  bp_node q = smooth_targets(c, c->x[1], classes_of(&c->x_type[0]));
  *out = bp_neg(sum_last(bp_chain(q, bp_log_softmax(c->x[0], -1)), false));
  return BP_OK;
}

static bp_node cross_entropy_simplify(const bp_op_call *c)
{
  return one_of_both(c, c->x, 0);
}

static bp_node cross_entropy_vjp(const bp_op_call *c, const bp_node *up, int input)
{
  bp_node x[3] = {up[0], c->x[0], c->x[1]};
  return input ? BP_NO_NODE : bpi_one(&bp_op_softmax_cross_entropy_grad, x, 3, c->attr);
}

const bp_op bp_op_softmax_cross_entropy = {
    .name = "softmax_cross_entropy",
    .math = "loss of each example = -sum of q ln softmax(logits); q = 1 - smoothing at the label, + "
            "smoothing / classes",
    .source = "Bridle 1990; label smoothing: Szegedy et al. 2016",
    .kink = "a label out of range stops the run",
    .args = "logits, labels",
    .attrs = {{"smoothing", BP_ATTR_REAL, 0}},
    .shape = cross_entropy_shape,
    .jacobian = rows_jacobian,
    .vjp = cross_entropy_vjp,
    .expand = cross_entropy_expand,
    .simplify = cross_entropy_simplify,
    .kernel = cross_entropy_kernel,
    .units = example_units,
    .scratch = row_scratch,
    .examples = {"logits[3,4], labels[3] int 0..3; smoothing=0",
                 "logits[2,2,3], labels[2,2] int 0..2; smoothing=0.1",
                 "logits[5], labels[] int 0..4; smoothing=0", "logits[0,3], labels[0] int 0..2; smoothing=0",
                 "logits[2,1], labels[2] int 0..0; smoothing=0"},
    .ulp32 = 32,
};

/* ---- its gradient: u (softmax - q), in one pass ---- */

static bp_status cross_entropy_grad_shape(const bp_op_call *c, bp_type *out, int *n_out)
{
  (void)n_out;
  bp_type loss;
  bp_status s = want_smoothing(c);
  if (s == BP_OK)
    s = bpi_want_dtype(c, 0, BP_REAL);
  if (s == BP_OK)
    s = labelled_shape(c, 1, &loss);
  if (s == BP_OK && !bpi_same_shape(&c->x_type[0], &loss))
    return bp_op_fail(c, BP_E_SHAPE, "u must have the shape of the labels");
  *out = c->x_type[1];
  return s;
}

static bp_status cross_entropy_grad_kernel(bp_kernel_call *c)
{
  const bp_array *u = &c->in[0], *x = &c->in[1], *y = &c->out[0];
  const bpi_kernels *k = c->vec;
  const int64_t *labels = c->in[2].data, n = x->dims[x->rank - 1];
  size_t elem = bp_dtype_size(x->dtype);
  bp_status s = check_labels(c, labels, n);
  if (s != BP_OK)
    return s;
  k->softmax[x->dtype == BP_FLOAT64](n, x->data, y->data, c->begin, c->end);
  for (int64_t i = c->begin; i < c->end; i++)
    bpi_label_grad(x->dtype, n, c->attr[0].r, labels[i], (const char *)u->data + (size_t)i * elem,
                   (char *)y->data + (size_t)(i * n) * elem);
  return BP_OK;
}

static bp_status cross_entropy_grad_expand(const bp_op_call *c, bp_node *out)
{
  bp_node q = smooth_targets(c, c->x[2], classes_of(&c->x_type[1]));
  *out = bp_chain(with_last(c->x[0]), bp_sub(bp_softmax(c->x[1], -1), q));
  return BP_OK;
}

static bp_node cross_entropy_grad_simplify(const bp_op_call *c)
{
  bp_node d = one_of_both(c, c->x + 1, 1);
  return bp_absent(d) ? d : bp_chain(with_last(c->x[0]), d);
}

const bp_op bp_op_softmax_cross_entropy_grad = {
    .name = "softmax_cross_entropy_grad",
    .math = "y = u (softmax(logits) - q), 0 where u is 0; q as in softmax_cross_entropy",
    .source = "derivative of softmax_cross_entropy",
    .kink = "at u = 0 the slope for u is as elsewhere; a label out of range stops the run",
    .args = "u, logits, labels",
    .attrs = {{"smoothing", BP_ATTR_REAL, 0}},
    .traits = BP_INTERNAL | BP_NAN_STOPS,
    .shape = cross_entropy_grad_shape,
    .jacobian = rows_jacobian,
    .expand = cross_entropy_grad_expand,
    .simplify = cross_entropy_grad_simplify,
    .kernel = cross_entropy_grad_kernel,
    .units = example_units,
    .overwrites = 2,
    .examples = {"u[3] not 0, logits[3,4], labels[3] int 0..3; smoothing=0",
                 "u[2,2] not 0, logits[2,2,3], labels[2,2] int 0..2; smoothing=0.1",
                 "u[] not 0, logits[5], labels[] int 0..4; smoothing=0",
                 "u[0], logits[0,3], labels[0] int 0..2; smoothing=0"},
    .ulp32 = 32,
};

/* ---- softmax_cross_entropy_probs: from probabilities ---- */

static bp_status probs_shape(const bp_op_call *c, bp_type *out, int *n_out)
{
  const bp_type *x = &c->x_type[0];
  bp_status s = bpi_shape_real(c, out, n_out);
  if (s != BP_OK)
    return s;
  if (x->rank < 1 || !bpi_same_shape(x, &c->x_type[1]))
    return bp_op_fail(c, BP_E_SHAPE, "needs logits [..., classes] and probabilities of the same shape");
  out->rank--;
  return BP_OK;
}

/* chain: a class of probability 0 costs nothing, also where its logarithm is -inf. */
static bp_status probs_expand(const bp_op_call *c, bp_node *out)
{
  *out = bp_neg(sum_last(bp_chain(c->x[1], bp_log_softmax(c->x[0], -1)), false));
  return BP_OK;
}

const bp_op bp_op_softmax_cross_entropy_probs = {
    .name = "softmax_cross_entropy_probs",
    .math = "loss of each example = -sum of p ln softmax(logits)",
    .source = "Bridle 1990",
    .kink = "a class with p = 0 adds nothing",
    .args = "logits, p",
    .traits = BP_NAN_STOPS,
    .shape = probs_shape,
    .jacobian = rows_jacobian,
    .expand = probs_expand,
    .examples = {"logits[3,4], p[3,4] simplex", "logits[2,2,3], p[2,2,3] simplex", "logits[5], p[5] simplex",
                 "logits[0,3], p[0,3]"},
    .ulp32 = 32,
};

/* ---- hinge: the multi-class support vector machine ---- */

static bp_status hinge_shape(const bp_op_call *c, bp_type *out, int *n_out)
{
  (void)n_out;
  if (!(c->attr[0].r > 0 && c->attr[0].r < INFINITY))
    return bp_op_fail(c, BP_E_ARG, "margin is %g; it must be positive", c->attr[0].r);
  return labelled_shape(c, 0, out);
}

static bp_status hinge_expand(const bp_op_call *c, bp_node *out)
{
  const bp_type *x = &c->x_type[0];
  int64_t last = x->rank - 1;
  bp_attr axes = {.v = &last, .n = 1};
  bp_node right = with_last(bp_pick(c->x[0], c->x[1], last));
  bp_node over = bp_relu(bp_add(bp_sub(c->x[0], right), bpi_num(c, c->attr[0].r)));
  bp_node own = bp_equal(bpi_positions(c, x, &axes), with_last(c->x[1]));
  *out = sum_last(bp_where(own, bpi_num(c, 0), over), false);
  return BP_OK;
}

const bp_op bp_op_hinge = {
    .name = "hinge",
    .math = "loss of each example = sum over classes but its own of max(0, score - own score + margin)",
    .source = "Weston & Watkins 1999",
    .kink = "slope 0 where a class is just a margin away; a label out of range stops the run",
    .args = "scores, labels",
    .attrs = {{"margin", BP_ATTR_REAL, 1}},
    .shape = hinge_shape,
    .jacobian = rows_jacobian,
    .expand = hinge_expand,
    .examples = {"scores[3,4] in -0.4..0.4 distinct, labels[3] int 0..3; margin=1",
                 "scores[2,2,3] in 0..8 distinct, labels[2,2] int 0..2; margin=0.01",
                 "scores[5] in -0.4..0.4, labels[] int 0..4; margin=1",
                 "scores[0,3], labels[0] int 0..2; margin=1", "scores[2,1], labels[2] int 0..0; margin=1"},
};

/* ---- binary_cross_entropy_logits ---- */

/* The order of the terms keeps small losses: for x > 0 and t = 1 the first two cancel without rounding. */
REAL_BODY2(binary_cross_entropy_logits, (a > 0 ? a : a != a ? a : 0) - a * b + m_log1p(m_exp(a > 0 ? -a : a)))
static bp_node binary_slope(const bp_op_call *c, int input)
{
  return input ? bp_neg(c->x[0]) : bp_sub(bp_sigmoid(c->x[0]), c->x[1]);
}
static bp_status binary_expand(const bp_op_call *c, bp_node *out)
{
  *out = bp_sub(bp_softplus(c->x[0]), bp_mul(c->x[0], c->x[1]));
  return BP_OK;
}
const bp_op bp_op_binary_cross_entropy_logits = {
    .name = "binary_cross_entropy_logits",
    .math = "loss = max(x, 0) - x t + ln(1 + e^-|x|), that is -t ln p - (1 - t) ln(1 - p) for p = sigmoid(x)",
    .source = "Good 1952",
    .args = "x, t",
    .traits = BP_ELEMENTWISE,
    .shape = bpi_shape_real,
    .slope = binary_slope,
    .expand = binary_expand,
    .body = &binary_cross_entropy_logits_body,
    .examples = {"x[7] in -4..4, t[7] in 0..1", "x[2,1], t[3] in 0..1", "x[0], t[0]"},
    .safe_lo = -30,
    .safe_hi = 30,
};

/* ---- mean_squared_error, l1, huber: means over all elements ---- */

/* Shapes must be equal: broadcasting [n] against [n,1] here has cost many an evening. */
static bp_status error_shape(const bp_op_call *c, bp_type *out, int *n_out)
{
  bp_status s = bpi_shape_real(c, out, n_out);
  if (s != BP_OK)
    return s;
  if (!bpi_same_shape(&c->x_type[0], &c->x_type[1]))
    return bp_op_fail(c, BP_E_SHAPE, "prediction and target must have the same shape");
  *out = bpi_type(BP_REAL, 0, NULL);
  return BP_OK;
}

/* An empty batch costs nothing. */
static bp_node mean_all(bp_node x)
{
  return bp_node_size(x) ? bp_mean(x, NULL, 0, false) : bp_sum(x, NULL, 0, false);
}

static bp_status squared_expand(const bp_op_call *c, bp_node *out)
{
  *out = mean_all(bp_square(bp_sub(c->x[0], c->x[1])));
  return BP_OK;
}

const bp_op bp_op_mean_squared_error = {
    .name = "mean_squared_error",
    .math = "y = mean of (p - t)^2 over all elements; 0 where there are none",
    .source = "Legendre 1805",
    .args = "p, t",
    .shape = error_shape,
    .expand = squared_expand,
    .examples = {"p[3,4], t[3,4]", "p[5], t[5]", "p[], t[]", "p[0], t[0]"},
};

static bp_status l1_expand(const bp_op_call *c, bp_node *out)
{
  *out = mean_all(bp_abs(bp_sub(c->x[0], c->x[1])));
  return BP_OK;
}

const bp_op bp_op_l1 = {
    .name = "l1",
    .math = "y = mean of |p - t| over all elements; 0 where there are none",
    .source = "Laplace 1774",
    .kink = "slope 0 where p = t",
    .args = "p, t",
    .shape = error_shape,
    .expand = l1_expand,
    .examples = {"p[3,4] distinct, t[3,4] distinct", "p[5] distinct, t[5] distinct",
                 "p[] distinct, t[] distinct", "p[0], t[0]"},
};

static bp_status huber_shape(const bp_op_call *c, bp_type *out, int *n_out)
{
  if (!(c->attr[0].r > 0 && c->attr[0].r < INFINITY))
    return bp_op_fail(c, BP_E_ARG, "delta is %g; it must be positive", c->attr[0].r);
  return error_shape(c, out, n_out);
}

/* With q = min(|d|, delta) both branches are q (|d| - q / 2). */
static bp_status huber_expand(const bp_op_call *c, bp_node *out)
{
  bp_node d = bp_abs(bp_sub(c->x[0], c->x[1]));
  bp_node q = bp_minimum(d, bpi_num(c, c->attr[0].r));
  *out = mean_all(bp_mul(q, bp_sub(d, bp_mul(q, bpi_num(c, 0.5)))));
  return BP_OK;
}

const bp_op bp_op_huber = {
    .name = "huber",
    .math =
        "y = mean over all elements of d^2 / 2 where |d| <= delta, else delta (|d| - delta / 2); d = p - t",
    .source = "Huber 1964",
    .args = "p, t",
    .attrs = {{"delta", BP_ATTR_REAL, 1}},
    .shape = huber_shape,
    .expand = huber_expand,
    .examples = {"p[3,4] in -3..-1.7, t[3,4] in 0..2; delta=1.5", "p[5] in 0..1, t[5] in 0..1; delta=2",
                 "p[] in 1..2, t[] in -2..-1; delta=1", "p[0], t[0]; delta=1"},
};
