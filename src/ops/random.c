/* Random numbers: pure functions of key and stream. The key is state, {seed, step}; the stream is fresh at every call of a
   builder, so two calls never share their numbers; equal key and stream give equal numbers on every machine. */
#include "ops/family.h"
#include "base/rng.h"

#include <math.h>

/* ---- what they share ---- */

/* 0 asks for a fresh stream; a number stays, so that a node that is built again is the same. */
static bp_status stream_canon(bp_op_call *c, bp_attr *attr)
{
  uint64_t *next = &c->graph->next_stream;
  if (attr[0].i < 0 || attr[0].i > UINT32_MAX || (attr[0].i == 0 && *next >= BPI_OWN_STREAMS))
    return bp_op_fail(c, BP_E_LIMIT, "a stream is a number of 1 to 4294967295; 0 asks for a fresh one");
  if (attr[0].i == 0)
    attr[0].i = (int64_t)*next;
  if ((uint64_t)attr[0].i >= *next && attr[0].i < (int64_t)BPI_OWN_STREAMS)
    *next = (uint64_t)attr[0].i + 1;
  return BP_OK;
}

static bp_status want_key(const bp_op_call *c, int input)
{
  const bp_type *key = &c->x_type[input];
  if (key->dtype != BP_INT64 || key->rank != 1 || key->dims[0] != 2)
    return bp_op_fail(c, BP_E_DTYPE, "the key is int64[2]: seed and step");
  return BP_OK;
}

static bpi_key key_of(const bp_kernel_call *c)
{
  const int64_t *key = c->in[0].data;
  return (bpi_key){.seed = (uint64_t)key[0], .step = (uint32_t)key[1], .stream = (uint32_t)c->attr[0].i};
}

static bp_status draw_shape(const bp_op_call *c, bp_type *out, int *n_out)
{
  (void)n_out;
  bp_status s = want_key(c, 0);
  return s == BP_OK ? bpi_dims_type(c, &c->attr[1], BP_REAL, out) : s;
}

/* ---- uniform ---- */

/* The largest doubles below 1 would round to 1 in float32, which is not in [0, 1). */
static float narrow_unit(double u)
{
  float f = (float)u;
  return f < 1 ? f : 0x1.fffffep-1f;
}

/* Elements [begin, end) in pieces that fit the stack; y counts from element 0. */
enum { PIECE = 256 };

static bp_status uniform_kernel(bp_kernel_call *c)
{
  const bp_array *y = &c->out[0];
  bpi_key k = key_of(c);
  double u[PIECE];
  if (y->dtype == BP_FLOAT64) {
    bpi_uniform_run(k, (uint64_t)c->begin, c->end - c->begin, (double *)y->data + c->begin);
    return BP_OK;
  }
  for (int64_t at = c->begin; at < c->end; at += PIECE) {
    int64_t n = c->end - at < PIECE ? c->end - at : PIECE;
    bpi_uniform_run(k, (uint64_t)at, n, u);
    for (int64_t i = 0; i < n; i++)
      ((float *)y->data)[at + i] = narrow_unit(u[i]);
  }
  return BP_OK;
}

static int64_t uniform_units(const bp_kernel_call *c, double *ns)
{
  *ns = 6;
  return c->out[0].size;
}

const bp_op bp_op_uniform = {
    .name = "uniform",
    .math = "y uniform in [0, 1)",
    .source = "Salmon et al., Parallel Random Numbers: As Easy as 1, 2, 3, 2011 (Philox4x32-10)",
    .args = "key",
    .attrs = {{"stream", BP_ATTR_INT, 0}, {"dims", BP_ATTR_INTS, 0}},
    .traits = BP_RANDOM | BP_TOTAL,
    .canon = stream_canon,
    .shape = draw_shape,
    .jacobian = bpi_jac_zero,
    .zero = true,
    .kernel = uniform_kernel,
    .units = uniform_units,
    .examples = {"key[2] key; stream=7, dims=[5]", "key[2] key; stream=1, dims=[2,3]",
                 "key[2] key; stream=1, dims=[0]", "key[2] key; stream=4, dims=[]"},
};

/* ---- normal ---- */

#define DRAW(T, EXPR)                         \
  for (int64_t i = c->begin; i < c->end; i++) \
    ((T *)y->data)[i] = (T)(EXPR);

static bp_status normal_kernel(bp_kernel_call *c)
{
  const bp_array *y = &c->out[0];
  bpi_key k = key_of(c);
  if (y->dtype == BP_FLOAT32)
    DRAW(float, bpi_normal(k, (uint64_t)i))
  else
    DRAW(double, bpi_normal(k, (uint64_t)i))
  return BP_OK;
}

static int64_t normal_units(const bp_kernel_call *c, double *ns)
{
  *ns = 45;
  return c->out[0].size;
}

const bp_op bp_op_normal = {
    .name = "normal",
    .math = "y normal with mean 0 and variance 1",
    .source = "Wichura, AS 241, 1988, on Philox4x32-10",
    .args = "key",
    .attrs = {{"stream", BP_ATTR_INT, 0}, {"dims", BP_ATTR_INTS, 0}},
    .traits = BP_RANDOM | BP_TOTAL,
    .canon = stream_canon,
    .shape = draw_shape,
    .jacobian = bpi_jac_zero,
    .zero = true,
    .kernel = normal_kernel,
    .units = normal_units,
    .examples = {"key[2] key; stream=7, dims=[5]", "key[2] key; stream=1, dims=[2,3]",
                 "key[2] key; stream=1, dims=[0]", "key[2] key; stream=4, dims=[]"},
};

/* ---- bernoulli ---- */

static bp_status bernoulli_shape(const bp_op_call *c, bp_type *out, int *n_out)
{
  (void)n_out;
  bp_status s = want_key(c, 0);
  if (s != BP_OK)
    return s;
  if (!(c->attr[1].r >= 0 && c->attr[1].r <= 1))
    return bp_op_fail(c, BP_E_ARG, "p is %g, outside 0..1", c->attr[1].r);
  return bpi_dims_type(c, &c->attr[2], BP_BOOL, out);
}

static bp_status bernoulli_kernel(bp_kernel_call *c)
{
  uint8_t *y = c->out[0].data;
  bpi_key k = key_of(c);
  double u[PIECE], p = c->attr[1].r;
  for (int64_t at = c->begin; at < c->end; at += PIECE) {
    int64_t n = c->end - at < PIECE ? c->end - at : PIECE;
    bpi_uniform_run(k, (uint64_t)at, n, u);
    for (int64_t i = 0; i < n; i++)
      y[at + i] = u[i] < p;
  }
  return BP_OK;
}

const bp_op bp_op_bernoulli = {
    .name = "bernoulli",
    .math = "y = true with probability p",
    .source = "Philox4x32-10: uniform < p",
    .args = "key",
    .attrs = {{"stream", BP_ATTR_INT, 0}, {"p", BP_ATTR_REAL, 0.5}, {"dims", BP_ATTR_INTS, 0}},
    .traits = BP_RANDOM | BP_TOTAL,
    .canon = stream_canon,
    .shape = bernoulli_shape,
    .jacobian = bpi_jac_zero,
    .zero = true,
    .kernel = bernoulli_kernel,
    .units = uniform_units,
    .examples = {"key[2] key; stream=7, p=0.3, dims=[9]", "key[2] key; stream=1, p=1, dims=[2,3]",
                 "key[2] key; stream=1, p=0, dims=[0]"},
};

/* ---- dropout: what is kept is scaled up, so that the mean stays ---- */

static bp_status dropout_shape(const bp_op_call *c, bp_type *out, int *n_out)
{
  (void)n_out;
  bp_status s = bpi_want_dtype(c, 0, BP_REAL);
  if (s == BP_OK)
    s = want_key(c, 1);
  if (s == BP_OK && !(c->attr[1].r >= 0 && c->attr[1].r < 1))
    return bp_op_fail(c, BP_E_ARG, "rate is %g, outside 0 <= rate < 1", c->attr[1].r);
  *out = c->x_type[0];
  return s;
}

/* x kept or dropped by the mask of this call: the stream is an attribute by now, so every use draws the same one. */
static bp_node dropped(const bp_op_call *c, bp_node x)
{
  double keep = 1 - c->attr[1].r;
  const bp_type *t = &c->x_type[0];
  bp_attr attr[3] = {{.i = c->attr[0].i}, {.r = keep}, {.v = t->dims, .n = t->rank}};
  bp_node mask = bpi_one(&bp_op_bernoulli, &c->x[1], 1, attr);
  return bp_mul(x, bp_mul(bpi_to_real(mask), bpi_num(c, 1 / keep)));
}

static bp_status dropout_expand(const bp_op_call *c, bp_node *out)
{
  *out = dropped(c, c->x[0]);
  return BP_OK;
}

static bp_node dropout_vjp(const bp_op_call *c, const bp_node *up, int input)
{
  return input ? BP_NO_NODE : dropped(c, up[0]);
}

static bp_jac dropout_jacobian(const bp_op_call *c, int input, int result)
{
  (void)c, (void)result;
  return input ? BP_JAC_ZERO : BP_JAC_DIAGONAL;
}

const bp_op bp_op_dropout = {
    .name = "dropout",
    .math = "y = x m / (1 - rate), m = 0 with probability rate, else 1",
    .source = "Srivastava et al. 2014, scaled at training time",
    .args = "x, key",
    .attrs = {{"stream", BP_ATTR_INT, 0}, {"rate", BP_ATTR_REAL, 0.5}},
    .traits = BP_RANDOM | BP_LINEAR,
    .canon = stream_canon,
    .shape = dropout_shape,
    .jacobian = dropout_jacobian,
    .vjp = dropout_vjp,
    .expand = dropout_expand,
    .examples = {"x[3,4], key[2] key; stream=3, rate=0.4", "x[5], key[2] key; stream=2, rate=0",
                 "x[0], key[2] key; stream=2, rate=0.5"},
};
