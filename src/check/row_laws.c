/* Laws of rows: what is stated, the kinds of derivative, integers, canonical attributes. */
#include "check/laws.h"

#include <string.h>

static bool said(const char *text)
{
  return text && *text;
}

/* A row without these cannot even be asked the other laws. */
bp_status bpi_law_described(bpi_law_case *c)
{
  const bp_op *op = c->op;
  if (!said(op->name) || !op->args)
    return bpi_fail(BP_E_CHECK, "name or args is missing");
  if (!op->shape)
    return bpi_fail(BP_E_CHECK, "has no rule for its shape");
  if (!op->body && !op->kernel && !op->expand && !op->view && !(op->traits & BP_LOOP))
    return bpi_fail(BP_E_CHECK, "has nothing to be evaluated by: kernel, expand or view");
  for (int i = 0; i < BP_MAX_ATTRS && op->attrs[i].kind != BP_ATTR_END; i++)
    if (!said(op->attrs[i].name))
      return bpi_fail(BP_E_CHECK, "attribute %d has no name", i);
  if (op->n_kinks < 0 || (op->n_kinks > 0 && !op->kinks))
    return bpi_fail(BP_E_CHECK, "n_kinks is %d", op->n_kinks);
  if (bpi_example_count(op) == 0)
    return bpi_fail(BP_E_CHECK, "has no example: state one, as in .examples = {\"x[7]\"}");
  return BP_OK;
}

/* Does any example map real to real? */
static bp_status maps_reals(bpi_law_case *c, bool *does)
{
  bp_status status = BP_OK;
  for (int e = 0; status == BP_OK && e < bpi_example_count(c->op); e++) {
    bpi_sample s;
    c->example = c->op->examples[e];
    status = bpi_sample_open(c, &s);
    if (status == BP_OK)
      *does = *does || (bpi_real_size(s.f.x, s.f.n_x) && bpi_real_size(s.f.y, s.f.n_y));
    status = bpi_sample_close(&s, status);
  }
  return status;
}

bp_status bpi_law_has_derivative(bpi_law_case *c)
{
  const bp_op *op = c->op;
  bool rule = op->slope || op->vjp || op->expand, needed = false;
  bp_status s = maps_reals(c, &needed);
  c->skipped = !needed;
  if (s == BP_OK && needed && !rule && !op->zero)
    s = bpi_fail(BP_E_CHECK, "maps real to real, has no slope, vjp or expand, and does not say zero");
  if (s == BP_OK && op->zero && (op->slope || op->vjp || op->jvp))
    s = bpi_fail(BP_E_CHECK, "says zero and has a rule");
  return s;
}

/* ---- integers ---- */

/* What a call of autodiff gave for an integer, and whether it left the graph as it was. */
typedef struct integer_calls {
  bpi_probe *f;
  bp_node sum, zero; /* of all real results */
  uint32_t mark;
} integer_calls;

static bp_status refused_as_integer(const integer_calls *k, bp_status s, const char *what)
{
  if (s == BP_E_NOMEM)
    return s;
  if (s != BP_E_DTYPE)
    return bpi_fail(BP_E_CHECK, "%s gives %s, not BP_E_DTYPE", what, bp_status_name(s));
  if (bp_graph_mark(k->f->g) != k->mark || bp_graph_status(k->f->g) != BP_OK)
    return bpi_fail(BP_E_CHECK, "%s leaves the graph changed", what);
  return BP_OK;
}

static bp_status no_gradient_by(const integer_calls *k, bp_node x)
{
  bp_node grad;
  bp_status s = refused_as_integer(k, bp_grad(k->sum, &x, 1, &grad), "bp_grad by an integer");
  return s == BP_OK ? refused_as_integer(k, bp_jvp(&k->sum, 1, &x, &x, 1, &grad), "bp_jvp along an integer")
                    : s;
}

static bp_status no_gradient_of(const integer_calls *k, bp_node y)
{
  bp_node grad;
  bp_status s = refused_as_integer(k, bp_vjp(&y, &y, 1, &k->zero, 1, &grad), "bp_vjp of an integer");
  if (s == BP_OK)
    s = refused_as_integer(k, bp_jvp(&y, 1, &k->zero, &k->zero, 1, &grad), "bp_jvp of an integer");
  if (s == BP_OK && bp_node_size(y) == 1)
    s = refused_as_integer(k, bp_grad(y, &k->zero, 1, &grad), "bp_grad of an integer");
  return s;
}

static bp_status integers_refused(bpi_probe *f, bool *any)
{
  integer_calls k = {.f = f, .zero = bp_constant(f->g, 0)};
  k.sum = k.zero;
  for (int i = 0; i < f->n_y; i++)
    if (bpi_is_real(f->y[i]))
      k.sum = bp_add(k.sum, bp_sum(f->y[i], NULL, 0, false));
  k.mark = bp_graph_mark(f->g);
  bp_status s = bp_graph_status(f->g);
  for (int i = 0; s == BP_OK && i < f->n_x; i++)
    if (!bpi_is_real(f->x[i])) {
      *any = true;
      s = no_gradient_by(&k, f->x[i]);
    }
  for (int i = 0; s == BP_OK && i < f->n_y; i++)
    if (!bpi_is_real(f->y[i])) {
      *any = true;
      s = no_gradient_of(&k, f->y[i]);
    }
  return s;
}

bp_status bpi_law_integers(bpi_law_case *c)
{
  bpi_sample s;
  bool any = false;
  bp_status status = bpi_sample_open(c, &s);
  if (status == BP_OK)
    status = integers_refused(&s.f, &any);
  c->skipped = !any;
  return bpi_sample_close(&s, status);
}

/* ---- canonical attributes ---- */

static bp_status same_again(bpi_probe *f, const bp_op *op, const bp_node *x, size_t n_in, const bp_attr *attr,
                            const char *what)
{
  bp_node y[BP_MAX_RESULTS];
  uint32_t mark = bp_graph_mark(f->g);
  bp_status s = bp_apply(f->g, op, x, n_in, attr, y);
  if (s != BP_OK)
    return bpi_explain(s, what);
  return bp_graph_mark(f->g) == mark && y[0].index == f->y[0].index
             ? BP_OK
             : bpi_fail(BP_E_CHECK, "%s makes another node", what);
}

static bp_status stays_itself(bpi_sample *s, const bp_op *op, const bp_op_call *call)
{
  if (call->op != op)
    return bpi_fail(BP_E_CHECK, "the example's result is a node of another row, %s", call->op->name);
  bp_status status =
      same_again(&s->f, op, call->x, (size_t)call->n_in, call->attr, "the call with its stored attributes");
  return status == BP_OK ? same_again(&s->f, op, s->f.x, (size_t)s->f.n_x, s->ex.attr, "the same call again")
                         : status;
}

bp_status bpi_law_canonical(bpi_law_case *c)
{
  bpi_sample s;
  bpi_call_room room;
  bp_op_call call;
  bp_status status = bpi_sample_open(c, &s);
  if (status == BP_OK)
    status = bpi_sample_call(&s, &room, &call);
  if (status == BP_OK) {
    status = stays_itself(&s, c->op, &call);
    bpi_call_done(&room);
  }
  return bpi_sample_close(&s, status);
}
