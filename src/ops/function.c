/* Functions as operations: call (a function applied) and scan (a function applied step by step). */
#include "ops/family.h"

#include <string.h>

enum { DERIVED_JVP, DERIVED_VJP };

/* What a call of a function must look like: argument types as the parameters', `from` arguments skipped. */
static bp_status match(const bp_op_call *c, const bp_type *got, const bp_type *want, int number)
{
  if (got->dtype == want->dtype && bpi_same_shape(got, want))
    return BP_OK;
  bpi_text t;
  bpi_text_init(&t, c->graph->ctx);
  bpi_text_shape(&t, want->rank, want->dims);
  bp_status s =
      bp_op_fail(c, got->dtype == want->dtype ? BP_E_SHAPE : BP_E_DTYPE, "argument %d should be %s%s",
                 number + 1, bp_dtype_name(want->dtype), t.s ? t.s : "");
  bpi_text_free(&t);
  return s;
}

static const bp_type *type_in(const bp_fn *fn, size_t i)
{
  return fn->body->nodes[fn->inputs[i].index].type;
}

static const bp_type *type_out(const bp_fn *fn, size_t i)
{
  return fn->body->nodes[fn->outputs[i].index].type;
}

/* ---- call: a bundle whose expansion is the function's body ---- */

static bp_status call_canon(bp_op_call *c, bp_attr *attr)
{
  if (!attr[0].fn)
    return bp_op_fail(c, BP_E_ARG, "the function is NULL");
  if (attr[1].i == 0 && bpi_fn_random(attr[0].fn))
    attr[1].i = (int64_t)c->graph->next_stream++;
  return BP_OK;
}

static bp_status call_shape(const bp_op_call *c, bp_type *out, int *n_out)
{
  const bp_fn *fn = c->attr[0].fn;
  bp_status s = BP_OK;
  if ((size_t)c->n_in != fn->n_inputs)
    return bp_op_fail(c, BP_E_ARG, "%s takes %zu arguments, got %d", fn->name, fn->n_inputs, c->n_in);
  for (int i = 0; s == BP_OK && i < c->n_in; i++)
    s = match(c, &c->x_type[i], type_in(fn, (size_t)i), i);
  for (size_t k = 0; k < fn->n_outputs; k++)
    out[k] = *type_out(fn, k);
  *n_out = (int)fn->n_outputs;
  return s;
}

static bp_status call_expand(const bp_op_call *c, bp_node *out)
{
  return bpi_fn_inline(c->attr[0].fn, c->graph, c->x, (uint32_t)c->attr[1].i, out);
}

/* f(a, b) = (b^2 a, a + b) */
static bp_fn *call_example(bp_ctx *ctx)
{
  bp_graph *g = bp_graph_new(ctx);
  int64_t dims[1] = {3};
  bp_node in[2] = {bp_input(g, "a", BP_REAL, 1, dims), bp_input(g, "b", BP_REAL, 1, dims)};
  bp_node out[2] = {bp_mul(bp_square(in[1]), in[0]), bp_add(in[0], in[1])};
  return bp_fn_new("polynomial", g, in, 2, out, 2);
}

const bp_op bp_op_call_fn = {
    .name = "call",
    .math = "y = fn(args): the function's body as one node",
    .source = "-",
    .args = "args...",
    .attrs = {{"fn", BP_ATTR_FN, 0}, {"stream", BP_ATTR_INT, 0}},
    .traits = BP_INTERNAL | BP_NAN_STOPS,
    .canon = call_canon,
    .shape = call_shape,
    .expand = call_expand,
    .example_fn = call_example,
    .examples = {"a[3], b[3]; stream=0"},
};

bp_status bp_call(bp_fn *fn, const bp_node *args, size_t n_args, bp_node *results)
{
  if (!fn || !args || !n_args || !results)
    return bpi_bad_arg("bp_call", "fn, args and results may not be NULL, and there must be an argument");
  bp_attr attr[2] = {{.fn = fn}, {.i = 0}};
  bp_node y[BP_MAX_RESULTS];
  bp_status s = bp_apply(NULL, &bp_op_call_fn, args, n_args, attr, y);
  for (size_t k = 0; k < fn->n_outputs; k++)
    results[k] = s == BP_OK ? y[k] : args[0].graph ? bpi_error_node(args[0].graph) : BP_NO_NODE;
  return s;
}

/* ---- scan ---------------------------------------------------------------
 * Results: final carries; y stacked; then the carries before each step, stacked ("history"), which the backward loop reads. A result nobody
 * reads costs nothing.
 *
 * Backwards, with d for gradients: the loop runs the other way over (dy_t, dh_t, c_t, x_t), carries (dc, dk) and does
 *   dc, dx_t, dk_t = vjp of fn at (c_t, x_t, k) applied to (dc, dy_t);  dc += dh_t;  dk += dk_t.
 * Source: Werbos, Backpropagation through time, 1990. */

typedef struct scan_parts {
  bp_fn *fn;
  int n_carry, n_xs, n_consts, n_y;
  int64_t length;
  bool reverse;
} scan_parts;

static scan_parts parts_of(const bp_op_call *c)
{
  scan_parts p = {.fn = c->attr[0].fn,
                  .n_carry = (int)c->attr[1].i,
                  .n_xs = (int)c->attr[2].i,
                  .length = c->attr[3].i,
                  .reverse = c->attr[4].i != 0};
  p.n_consts = c->n_in - p.n_carry - p.n_xs;
  p.n_y = (int)p.fn->n_outputs - p.n_carry;
  return p;
}

static bp_status scan_canon(bp_op_call *c, bp_attr *attr)
{
  if (!attr[0].fn)
    return bp_op_fail(c, BP_E_ARG, "the function is NULL");
  if (attr[1].i < 0 || attr[2].i < 0 || attr[1].i > c->n_in || attr[2].i > c->n_in - attr[1].i)
    return bp_op_fail(c, BP_E_ARG, "%lld carries and %lld sequences are more than the inputs",
                      (long long)attr[1].i, (long long)attr[2].i);
  if (attr[2].i) {
    const bp_type *first = &c->x_type[attr[1].i];
    if (first->rank == 0)
      return bp_op_fail(c, BP_E_SHAPE, "a sequence needs a first axis to step along");
    if (attr[3].i > 0 && attr[3].i != first->dims[0])
      return bp_op_fail(c, BP_E_SHAPE, "length is %lld, the first sequence has %lld steps",
                        (long long)attr[3].i, (long long)first->dims[0]);
    attr[3].i = first->dims[0];
  }
  if (attr[3].i < 0 || (attr[3].i == 0 && !attr[2].i))
    return bp_op_fail(c, BP_E_ARG, "without a sequence, length must be at least 1");
  /* Two loops over one function with random nodes draw different numbers: each gets a copy with streams of its own. */
  if (!attr[0].fn->streamed && bpi_fn_random(attr[0].fn))
    attr[0].fn = bpi_fn_restreamed(attr[0].fn, (uint32_t)c->graph->next_stream++);
  return attr[0].fn ? BP_OK : bp_op_fail(c, BP_E_NOMEM, "out of memory");
}

/* The type of a sequence's element. */
static bp_type step_type(const bp_type *xs)
{
  bp_type t = *xs;
  t.rank--;
  for (int i = 0; i < t.rank; i++)
    t.dims[i] = xs->dims[i + 1];
  return t;
}

static bp_status stacked_type(const bp_op_call *c, const bp_type *t, int64_t length, bp_type *out)
{
  int64_t size;
  if (t->rank == BP_MAX_RANK)
    return bp_op_fail(c, BP_E_LIMIT, "a result of rank %d cannot be stacked", t->rank);
  *out = *t;
  out->rank++;
  for (int i = t->rank; i > 0; i--)
    out->dims[i] = t->dims[i - 1];
  out->dims[0] = length;
  return bpi_size(out->rank, out->dims, &size)
             ? BP_OK
             : bp_op_fail(c, BP_E_LIMIT, "a stacked result has too many elements");
}

static bp_status scan_arguments(const bp_op_call *c, const scan_parts *p)
{
  bp_status s = BP_OK;
  if ((size_t)c->n_in != p->fn->n_inputs)
    return bp_op_fail(c, BP_E_ARG, "%s takes %zu parameters, got %d carries, sequences and constants",
                      p->fn->name, p->fn->n_inputs, c->n_in);
  if (p->n_y < 0 || 2 * p->n_carry + p->n_y > BP_MAX_RESULTS)
    return bp_op_fail(c, BP_E_ARG, "%s has %zu outputs for %d carries, or too many", p->fn->name,
                      p->fn->n_outputs, p->n_carry);
  for (int i = 0; s == BP_OK && i < c->n_in; i++) {
    bp_type t = c->x_type[i];
    if (i >= p->n_carry && i < p->n_carry + p->n_xs) {
      if (t.rank == 0 || t.dims[0] != p->length)
        return bp_op_fail(c, BP_E_SHAPE, "sequence %d does not have %lld steps", i - p->n_carry + 1,
                          (long long)p->length);
      t = step_type(&t);
    }
    s = match(c, &t, type_in(p->fn, (size_t)i), i);
  }
  for (int k = 0; s == BP_OK && k < p->n_carry; k++)
    if (type_out(p->fn, (size_t)k)->dtype != c->x_type[k].dtype ||
        !bpi_same_shape(type_out(p->fn, (size_t)k), &c->x_type[k]))
      return bp_op_fail(c, BP_E_SHAPE, "output %d of %s must be of the type of carry %d", k + 1, p->fn->name,
                        k + 1);
  return s;
}

static bp_status scan_shape(const bp_op_call *c, bp_type *out, int *n_out)
{
  scan_parts p = parts_of(c);
  bp_status s = scan_arguments(c, &p);
  int n = 0;
  for (int k = 0; s == BP_OK && k < p.n_carry; k++)
    out[n++] = c->x_type[k];
  for (int k = 0; s == BP_OK && k < p.n_y; k++)
    s = stacked_type(c, type_out(p.fn, (size_t)p.n_carry + (size_t)k), p.length, &out[n++]);
  for (int k = 0; s == BP_OK && k < p.n_carry; k++)
    s = stacked_type(c, &c->x_type[k], p.length, &out[n++]);
  *n_out = n;
  return s;
}

/* New graph with inputs of given types, for a derived function. */
static bp_node derived_input(bp_graph *g, const bp_type *t, bp_node *list, size_t *n)
{
  bp_node x = bpi_placeholder(g, t);
  list[(*n)++] = x;
  return x;
}

static bool is_real(const bp_type *t)
{
  return t->dtype == BP_REAL;
}

/* Lists that a derived function is made with. */
typedef struct derived {
  bp_graph *g;
  bp_node *in, *out, *args, *y, *from, *up, *wrt, *grads;
  size_t n_in, n_out;
} derived;

static bool derived_open(derived *d, bp_fn *fn, bpi_arena *room)
{
  size_t most = 4 * (fn->n_inputs + fn->n_outputs) + 4;
  memset(d, 0, sizeof *d);
  d->g = bp_graph_new(fn->body->ctx);
  bp_node **lists[8] = {&d->in, &d->out, &d->args, &d->y, &d->from, &d->up, &d->wrt, &d->grads};
  bool ok = d->g != NULL;
  for (int i = 0; i < 8; i++) {
    *lists[i] = bpi_arena_alloc(room, most, sizeof(bp_node));
    ok = ok && *lists[i];
  }
  return ok;
}

/* The backward step. in: dcarry (real ones), dconsts so far (real), dy present, dh present, carry, x, consts.
 * out: dcarry, dconsts, dx (real). mask: bit k: upstream of result k is present. */
static bp_fn *make_backward(const scan_parts *p, const uint64_t *mask)
{
  bpi_arena room;
  derived d;
  bp_fn *fn = p->fn, *made = NULL;
  bpi_arena_init(&room, fn->body->ctx);
  if (!derived_open(&d, fn, &room)) {
    bp_graph_free(d.g);
    bpi_arena_free(&room);
    return NULL;
  }
  bp_node dc[BP_MAX_RESULTS] = {{0}}, dh[BP_MAX_RESULTS] = {{0}}, *dk = d.grads + fn->n_inputs;
  size_t n_from = 0, n_wrt = 0;
  int n_state = p->n_carry, first_const = n_state + p->n_xs;
  for (int k = 0; k < n_state; k++)
    dc[k] = is_real(type_in(fn, (size_t)k)) ? derived_input(d.g, type_in(fn, (size_t)k), d.in, &d.n_in)
                                            : BP_NO_NODE;
  for (size_t i = (size_t)first_const; i < fn->n_inputs; i++)
    dk[i] = is_real(type_in(fn, i)) ? derived_input(d.g, type_in(fn, i), d.in, &d.n_in) : BP_NO_NODE;
  bp_node dy[BP_MAX_RESULTS] = {{0}};
  for (int k = 0; k < p->n_y; k++)
    dy[k] = *mask >> (n_state + k) & 1
                ? derived_input(d.g, type_out(fn, (size_t)n_state + (size_t)k), d.in, &d.n_in)
                : BP_NO_NODE;
  for (int k = 0; k < n_state; k++)
    dh[k] = *mask >> (n_state + p->n_y + k) & 1 ? derived_input(d.g, type_in(fn, (size_t)k), d.in, &d.n_in)
                                                : BP_NO_NODE;
  for (size_t i = 0; i < fn->n_inputs; i++) {
    d.args[i] = derived_input(d.g, type_in(fn, i), d.in, &d.n_in);
    if (is_real(type_in(fn, i)))
      d.wrt[n_wrt++] = d.args[i];
  }
  bool ok = bpi_fn_inline(fn, d.g, d.args, 0, d.y) == BP_OK;
  for (size_t k = 0; k < fn->n_outputs; k++) {
    bp_node up = k < (size_t)n_state ? dc[k] : dy[k - (size_t)n_state];
    if (!bp_absent(up)) {
      d.from[n_from] = d.y[k];
      d.up[n_from++] = up;
    }
  }
  bp_node *grads = dk + fn->n_inputs;
  for (size_t i = 0; i < n_wrt && !n_from; i++)
    grads[i] = bp_full(d.g, BP_REAL, 0, bpi_slot(d.wrt[i])->type->rank, bpi_slot(d.wrt[i])->type->dims);
  if (ok && n_from)
    ok = bp_vjp(d.from, d.up, n_from, d.wrt, n_wrt, grads) == BP_OK;
  size_t at = 0;
  bp_node *dx = d.grads;
  for (size_t i = 0; ok && i < fn->n_inputs; i++) {
    if (!is_real(type_in(fn, i)))
      continue;
    bp_node g = grads[at++];
    if (i < (size_t)n_state)
      d.out[d.n_out++] = bp_absent(dh[i]) ? g : bp_add(g, dh[i]);
    else if (i < (size_t)first_const)
      *dx++ = g;
    else
      d.out[d.n_out++] = bp_add(dk[i], g);
  }
  for (bp_node *x = d.grads; ok && x < dx; x++)
    d.out[d.n_out++] = *x;
  if (ok && bp_graph_status(d.g) == BP_OK)
    made = bp_fn_new("backward step", d.g, d.in, d.n_in, d.out, d.n_out);
  else
    bp_graph_free(d.g);
  bpi_arena_free(&room);
  return made;
}

/* The tangent step. Carries, sequences and constants are followed by tangents of the real ones; so are the outputs. */
static bp_fn *make_forward(const scan_parts *p)
{
  bpi_arena room;
  derived d;
  bp_fn *fn = p->fn, *made = NULL;
  bpi_arena_init(&room, fn->body->ctx);
  if (!derived_open(&d, fn, &room)) {
    bp_graph_free(d.g);
    bpi_arena_free(&room);
    return NULL;
  }
  size_t bounds[4] = {0, (size_t)p->n_carry, (size_t)(p->n_carry + p->n_xs), fn->n_inputs}, n = 0;
  for (int part = 0; part < 3; part++) {
    for (size_t i = bounds[part]; i < bounds[part + 1]; i++)
      d.args[i] = derived_input(d.g, type_in(fn, i), d.in, &d.n_in);
    for (size_t i = bounds[part]; i < bounds[part + 1]; i++)
      if (is_real(type_in(fn, i))) {
        d.wrt[n] = d.args[i];
        d.up[n++] = derived_input(d.g, type_in(fn, i), d.in, &d.n_in);
      }
  }
  bool ok = bpi_fn_inline(fn, d.g, d.args, 0, d.y) == BP_OK;
  size_t n_real = 0, outs[3] = {0, (size_t)p->n_carry, fn->n_outputs};
  for (size_t k = 0; ok && k < fn->n_outputs; k++)
    if (is_real(type_out(fn, k)))
      d.from[n_real++] = d.y[k];
  ok = ok && (!n_real || bp_jvp(d.from, n_real, d.wrt, d.up, n, d.grads) == BP_OK);
  size_t at = 0;
  for (int part = 0; ok && part < 2; part++) {
    for (size_t k = outs[part]; k < outs[part + 1]; k++)
      d.out[d.n_out++] = d.y[k];
    for (size_t k = outs[part]; k < outs[part + 1]; k++)
      if (is_real(type_out(fn, k)))
        d.out[d.n_out++] = d.grads[at++];
  }
  if (ok && bp_graph_status(d.g) == BP_OK)
    made = bp_fn_new("tangent step", d.g, d.in, d.n_in, d.out, d.n_out);
  else
    bp_graph_free(d.g);
  bpi_arena_free(&room);
  return made;
}

/* A derived function from the cache of fn, or made now. */
static bp_fn *derived_fn(const bp_op_call *c, const scan_parts *p, int kind, uint64_t mask)
{
  bp_fn *fn = bpi_fn_derived(p->fn, kind, &mask, 1);
  if (!fn)
    fn = bpi_fn_remember(p->fn, kind, &mask, 1,
                         kind == DERIVED_VJP ? make_backward(p, &mask) : make_forward(p));
  if (fn)
    fn->streamed = true; /* it draws what the loop itself drew */
  else
    bp_op_fail(c, BP_E_NOMEM, "its derivative could not be made: %s", bp_error());
  return fn;
}

static bp_node zeros_of(const bp_op_call *c, const bp_type *t)
{
  return bp_full(c->graph, BP_REAL, 0, t->rank, t->dims);
}

static bp_status apply_scan(const bp_op_call *c, bp_fn *fn, const bp_node *in, size_t n_in, int n_carry,
                            int n_xs, bool reverse, bp_node *out)
{
  bp_attr attr[5] = {{.fn = fn}, {.i = n_carry}, {.i = n_xs}, {.i = c->attr[3].i}, {.i = reverse}};
  return bp_apply(c->graph, c->op, in, n_in, attr, out);
}

static bp_node scan_vjp(const bp_op_call *c, const bp_node *up, int input)
{
  scan_parts p = parts_of(c);
  uint64_t mask = 0;
  for (int k = p.n_carry; k < c->n_out; k++)
    mask |= (uint64_t)!bp_absent(up[k]) << k;
  bp_fn *fn = derived_fn(c, &p, DERIVED_VJP, mask);
  bp_node *in = fn ? bpi_arena_alloc(&c->graph->arena, fn->n_inputs, sizeof *in) : NULL, out[BP_MAX_RESULTS];
  if (!in)
    return bpi_error_node(c->graph);
  int n = 0, n_carry, n_xs = 0, want = -1, first_const = p.n_carry + p.n_xs, history = p.n_carry + p.n_y;
  for (int k = 0; k < p.n_carry; k++)
    if (is_real(&c->x_type[k])) {
      want = k == input ? n : want;
      in[n++] = bp_absent(up[k]) ? zeros_of(c, &c->x_type[k]) : up[k];
    }
  for (int i = first_const; i < c->n_in; i++)
    if (is_real(&c->x_type[i])) {
      want = i == input ? n : want;
      in[n++] = zeros_of(c, &c->x_type[i]);
    }
  n_carry = n;
  for (int k = p.n_carry; k < c->n_out; k++)
    if (!bp_absent(up[k]))
      in[n++] = up[k];
  for (int k = 0; k < p.n_carry; k++)
    in[n++] = bpi_handle(c->graph, c->y.index + (uint32_t)(history + k));
  for (int i = p.n_carry, real = 0; i < first_const; i++) {
    in[n++] = c->x[i];
    if (is_real(&c->x_type[i])) {
      want = i == input ? n_carry + real : want;
      real++;
    }
  }
  n_xs = n - n_carry;
  for (int i = first_const; i < c->n_in; i++)
    in[n++] = c->x[i];
  bp_status s = apply_scan(c, fn, in, (size_t)n, n_carry, n_xs, !p.reverse, out);
  return s == BP_OK && want >= 0 ? out[want] : bpi_error_node(c->graph);
}

/* By hand, as transposing the backward loop would run the loop three times. */
static bp_status scan_jvp(const bp_op_call *c, const bp_node *t, bp_node *out)
{
  scan_parts p = parts_of(c);
  bp_fn *fn = derived_fn(c, &p, DERIVED_JVP, 0);
  bp_node *in = fn ? bpi_arena_alloc(&c->graph->arena, fn->n_inputs, sizeof *in) : NULL, y[BP_MAX_RESULTS];
  if (!in)
    return c->graph->status;
  int bounds[4] = {0, p.n_carry, p.n_carry + p.n_xs, c->n_in}, count[3] = {0}, n = 0;
  for (int part = 0; part < 3; part++) {
    int before = n;
    for (int i = bounds[part]; i < bounds[part + 1]; i++)
      in[n++] = c->x[i];
    for (int i = bounds[part]; i < bounds[part + 1]; i++)
      if (is_real(&c->x_type[i]))
        in[n++] = bp_absent(t[i]) ? zeros_of(c, &c->x_type[i]) : t[i];
    count[part] = n - before;
  }
  bp_status s = apply_scan(c, fn, in, (size_t)n, count[0], count[1], p.reverse, y);
  /* Results: carries, their tangents; y, their tangents; histories of both. Pick the tangents. */
  int at = 0, groups[3] = {p.n_carry, p.n_y, p.n_carry}, k = 0;
  for (int part = 0; s == BP_OK && part < 3; part++) {
    int first = k;
    at += groups[part];
    for (; k < first + groups[part]; k++)
      out[k] = is_real(&c->y_type[k]) ? y[at++] : BP_NO_NODE;
  }
  return s;
}

/* One step of a small recurrent network: h' = tanh(h w + x), y = h' x. */
static bp_fn *scan_example(bp_ctx *ctx)
{
  bp_graph *g = bp_graph_new(ctx);
  int64_t dims[1] = {2};
  bp_node in[3] = {bp_input(g, "h", BP_REAL, 1, dims), bp_input(g, "x", BP_REAL, 1, dims),
                   bp_input(g, "w", BP_REAL, 1, dims)};
  bp_node h = bp_tanh(bp_add(bp_mul(in[0], in[2]), in[1]));
  bp_node out[2] = {h, bp_mul(h, in[1])};
  return bp_fn_new("step", g, in, 3, out, 2);
}

const bp_op bp_op_scan = {
    .name = "scan",
    .math = "(carry, y_t) = fn(carry, x_t, constants) for each step t",
    .source = "Werbos, Backpropagation through time, 1990",
    .args = "args...",
    .attrs = {{"fn", BP_ATTR_FN, 0},
              {"n_carry", BP_ATTR_INT, 0},
              {"n_xs", BP_ATTR_INT, 0},
              {"length", BP_ATTR_INT, 0},
              {"reverse", BP_ATTR_BOOL, 0}},
    .traits = BP_LOOP | BP_INTERNAL | BP_NAN_STOPS,
    .canon = scan_canon,
    .shape = scan_shape,
    .vjp = scan_vjp,
    .jvp = scan_jvp,
    .example_fn = scan_example,
    .examples = {"h[2], x[3,2], w[2]; n_carry=1, n_xs=1, length=0, reverse=0",
                 "h[2], x[3,2], w[2]; n_carry=1, n_xs=1, length=3, reverse=1",
                 "h[2], x[2], w[2]; n_carry=1, n_xs=0, length=3, reverse=0"},
};

bp_status bp_scan(bp_fn *fn, const bp_node *carry, size_t n_carry, const bp_node *xs, size_t n_xs,
                  const bp_node *consts, size_t n_consts, int64_t length, bool reverse, bp_node *results)
{
  size_t n = n_carry + n_xs + n_consts;
  if (!fn || !results || n == 0 || (n_carry && !carry) || (n_xs && !xs) || (n_consts && !consts) ||
      n > UINT16_MAX)
    return bpi_bad_arg("bp_scan", "fn, results or a list is NULL, or there are no arguments");
  bp_node few[16], y[BP_MAX_RESULTS];
  bp_ctx *ctx = fn->body->ctx;
  bp_node *in = n <= 16 ? few : bpi_alloc(ctx, n, sizeof *in);
  if (!in)
    return bpi_nomem();
  for (size_t i = 0; i < n; i++)
    in[i] = i < n_carry ? carry[i] : i < n_carry + n_xs ? xs[i - n_carry] : consts[i - n_carry - n_xs];
  bp_attr attr[5] = {
      {.fn = fn}, {.i = (int64_t)n_carry}, {.i = (int64_t)n_xs}, {.i = length}, {.i = reverse}};
  bp_status s = bp_apply(NULL, &bp_op_scan, in, n, attr, y);
  for (size_t k = 0; k < fn->n_outputs; k++)
    results[k] = s == BP_OK ? y[k] : in[0].graph ? bpi_error_node(in[0].graph) : BP_NO_NODE;
  if (in != few)
    bpi_free(ctx, in);
  return s;
}
