/* The table of losses, and expressions as losses. */
#include "train/losses.h"
#include "train/spool.h"
#include "base/named.h"
#include "graph/graph.h"
#include "train/examples.h"

#include <math.h>
#include <string.h>

/* ---- the loss of each element ---- */

typedef bp_node (*loss_of)(const bpi_loss *l, const bpi_loss_terms *t);

static bp_node num(const bpi_loss_terms *t, double x)
{
  return bp_constant(t->out.graph, x);
}

static bp_node off(const bpi_loss_terms *t)
{
  return bp_sub(t->out, t->target);
}

static bp_node softmax(const bpi_loss *l, const bpi_loss_terms *t)
{
  (void)l;
  bp_node own = bp_softmax_cross_entropy(t->out, t->target, t->smoothing);
  if (bp_absent(t->other))
    return own;
  bp_node other = bp_softmax_cross_entropy(t->out, t->other, t->smoothing);
  return bp_add(bp_mul(t->share, own), bp_mul(bp_sub(num(t, 1), t->share), other));
}

static bp_node multilabel(const bpi_loss *l, const bpi_loss_terms *t)
{
  (void)l;
  return bp_binary_cross_entropy_logits(t->out, t->target);
}

static bp_node mse(const bpi_loss *l, const bpi_loss_terms *t)
{
  (void)l;
  return bp_square(off(t));
}

static bp_node l1(const bpi_loss *l, const bpi_loss_terms *t)
{
  (void)l;
  return bp_abs(off(t));
}

/* With c = d held within +-delta: c (d - c / 2), which is d^2 / 2 within and delta (|d| - delta / 2) beyond. */
static bp_node huber(const bpi_loss *l, const bpi_loss_terms *t)
{
  bp_node d = off(t), c = bp_clip(d, -l->number, l->number);
  return bp_mul(c, bp_sub(d, bp_mul(num(t, 0.5), c)));
}

static bp_node quantile(const bpi_loss *l, const bpi_loss_terms *t)
{
  bp_node short_of = bp_sub(t->target, t->out);
  return bp_maximum(bp_mul(num(t, l->number), short_of), bp_mul(num(t, l->number - 1), short_of));
}

static bp_node poisson(const bpi_loss *l, const bpi_loss_terms *t)
{
  (void)l;
  return bp_sub(bp_exp(t->out), bp_mul(t->target, t->out));
}

/* ---- the table ---- */

static const struct {
  loss_of each;
  bpi_link link;
  bpi_standard standard;
  bpi_constant constant;
  double number, above,
      below; /* what stands in brackets, if nothing does; between which bounds. All 0: nothing */
  bool classes;
  double least, most; /* of the targets */
} table[BP_LOSS_COUNT] = {
    [BP_LOSS_SOFTMAX] = {softmax, BPI_LINK_SOFTMAX, .classes = true},
    [BP_LOSS_MULTILABEL] = {multilabel, BPI_LINK_SIGMOID, .constant = BPI_CONSTANT_MEAN, .most = 1},
    [BP_LOSS_MSE] = {mse, .standard = BPI_STANDARD_DEVIATION, .constant = BPI_CONSTANT_MEAN,
                     .least = -INFINITY, .most = INFINITY},
    [BP_LOSS_L1] = {l1, .standard = BPI_STANDARD_DEVIATION, .constant = BPI_CONSTANT_QUANTILE,
                    .least = -INFINITY, .most = INFINITY},
    [BP_LOSS_HUBER] = {huber, .standard = BPI_STANDARD_DEVIATION, .constant = BPI_CONSTANT_QUANTILE,
                       .number = 1, .below = INFINITY, .least = -INFINITY, .most = INFINITY},
    [BP_LOSS_QUANTILE] = {quantile, .standard = BPI_STANDARD_DEVIATION, .constant = BPI_CONSTANT_QUANTILE,
                          .number = 0.5, .below = 1, .least = -INFINITY, .most = INFINITY},
    [BP_LOSS_POISSON] = {poisson, BPI_LINK_EXP, .standard = BPI_STANDARD_MEAN, .constant = BPI_CONSTANT_MEAN,
                         .most = INFINITY},
};

static const struct {
  const char *name, *targets;
} names[BP_LOSS_COUNT] = {
#define NAMES(id, name, targets, what) {name, targets},
    BP_LOSS_LIST(NAMES)
#undef NAMES
};

static bp_node identity(bp_node out)
{
  return out;
}

static bp_node shares(bp_node out)
{
  return bp_softmax(out, -1);
}

static const struct {
  const char *name;
  bp_node (*node)(bp_node out);
} links[BPI_LINKS] = {
    {"identity", identity}, {"softmax", shares}, {"sigmoid", (bp_sigmoid)}, {"exp", (bp_exp)}};

const char *bpi_link_name(bpi_link link)
{
  return links[link].name;
}

bool bpi_loss_is_expression(const bpi_loss *l)
{
  return l->kind == BP_LOSS_COUNT;
}

bpi_standard bpi_loss_standard(const bpi_loss *l)
{
  /* An expression sees values in their own units, which costs it nothing: outputs are brought to them. */
  return !bpi_loss_is_expression(l)     ? table[l->kind].standard
         : l->link == BPI_LINK_IDENTITY ? BPI_STANDARD_DEVIATION
                                        : BPI_STANDARD_NONE;
}

bpi_constant bpi_loss_constant(const bpi_loss *l, double *q)
{
  *q = l->kind == BP_LOSS_QUANTILE ? l->number : 0.5;
  return bpi_loss_is_expression(l) ? l->link == BPI_LINK_SOFTMAX ? BPI_CONSTANT_CLASS : BPI_CONSTANT_MEAN
                                   : table[l->kind].constant;
}

bool bpi_loss_of_classes(const bpi_loss *l)
{
  return bpi_loss_is_expression(l) ? l->link == BPI_LINK_SOFTMAX : table[l->kind].classes;
}

bool bpi_loss_of_labels(const bpi_loss *l)
{
  return l->link == BPI_LINK_SIGMOID;
}

/* ---- choosing ---- */

static bp_status read_link(const char *name, bool labels, bpi_loss *l)
{
  int k = labels ? BPI_LINK_SOFTMAX : BPI_LINK_IDENTITY;
  if (name)
    for (k = 0; k < BPI_LINKS && strcmp(links[k].name, name) != 0; k++)
      ;
  if (k == BPI_LINKS)
    return bpi_fail(BP_E_NOTFOUND,
                    "loss: there is no link '%s'; there are identity, exp, sigmoid and softmax", name);
  l->link = (bpi_link)k;
  if (labels != (k == BPI_LINK_SOFTMAX))
    return bpi_fail(BP_E_ARG, "loss: the link of classes is softmax, and that of numbers another; this is %s",
                    links[k].name);
  return BP_OK;
}

static bp_status read_number(const bpi_named *n, bpi_loss *l)
{
  const char *name = names[l->kind].name;
  double below = table[l->kind].below;
  l->number = n->n ? n->number[0] : table[l->kind].number;
  if (n->n > (below > 0))
    return bpi_fail(BP_E_ARG, "loss %s takes %s in brackets", name, below > 0 ? "one number" : "nothing");
  if (below > 0 && !(l->number > 0 && l->number < below))
    return bpi_fail(BP_E_ARG, "loss %s: the number in brackets must be over 0%s, not %g", name,
                    below < INFINITY ? " and below 1" : "", l->number);
  return BP_OK;
}

static bp_status no_such_loss(const char *name)
{
#define LISTED(id, name, targets, what) name ", "
  return bpi_fail(BP_E_NOTFOUND,
                  "loss '%s': there is none of that name; there are " BP_LOSS_LIST(
                      LISTED) "or an expression, as 'mean((p - y)**2)'",
                  name);
#undef LISTED
}

/* The row of that name; what is no name and no NAME(NUMBER) is an expression. */
static bp_status find_kind(const char *text, bpi_loss *l)
{
  bpi_named n;
  bool named = bpi_named_read(text, &n);
  for (l->kind = 0; named && l->kind < BP_LOSS_COUNT; l->kind++)
    if (strcmp(names[l->kind].name, n.name) == 0)
      return read_number(&n, l);
  l->kind = BP_LOSS_COUNT;
  return named ? no_such_loss(n.name) : BP_OK;
}

bp_status bp_loss_check(const char *loss)
{
  bpi_loss l;
  return loss ? find_kind(loss, &l) : BP_OK;
}

bp_status bpi_loss_read(bp_ctx *ctx, const char *text, const char *link, bool labels, bool several,
                        bpi_loss *l)
{
  *l = (bpi_loss){.kind = BP_LOSS_COUNT};
  if (!text)
    text = names[labels ? BP_LOSS_SOFTMAX : several ? BP_LOSS_MULTILABEL : BP_LOSS_MSE].name;
  bp_status s = find_kind(text, l);
  if (s == BP_OK && bpi_loss_is_expression(l))
    s = read_link(link, labels, l);
  else if (s == BP_OK && table[l->kind].classes != labels)
    s = bpi_fail(BP_E_MISMATCH, "loss %s takes %s, and the target is %s", names[l->kind].name,
                 names[l->kind].targets, labels ? "classes" : "numbers");
  else if (s == BP_OK && link)
    s = bpi_fail(BP_E_ARG, "loss %s has a link of its own; a link goes with an expression",
                 names[l->kind].name);
  else if (s == BP_OK)
    l->link = table[l->kind].link;
  if (s != BP_OK)
    return s;
  l->text = bpi_strdup(ctx, text);
  return l->text ? BP_OK : bpi_nomem();
}

void bpi_loss_clear(bp_ctx *ctx, bpi_loss *l)
{
  bpi_free(ctx, l->text);
  l->text = NULL;
}

/* ---- targets ---- */

static bp_status check_block(const bpi_loss *l, const bp_data *d)
{
  const bpi_examples *e = d->all;
  double least = table[l->kind].least, most = table[l->kind].most;
  for (int64_t i = 0; i < d->n; i++)
    for (int64_t k = 0; k < e->n_y; k++) {
      double y = (double)e->y[bpi_data_at(d, i) * e->n_y + k];
      if (!(y >= least && y <= most))
        return bpi_fail(BP_E_RANGE, "row %lld: the target%s%s is %g, and loss %s takes %s",
                        bpi_row_number(d, i), e->targets ? " " : "", e->targets ? e->targets[k].name : "", y,
                        names[l->kind].name, names[l->kind].targets);
    }
  return BP_OK;
}

static bp_status check_values(const bpi_loss *l, const bp_data *d)
{
  const bp_data *some;
  bpi_blocks blocks;
  bpi_blocks_begin(&blocks, d);
  bp_status s = bpi_blocks_next(&blocks, &some);
  while (s == BP_OK && some) {
    s = check_block(l, some);
    if (s == BP_OK)
      s = bpi_blocks_next(&blocks, &some);
  }
  bpi_blocks_end(&blocks);
  return s;
}

bp_status bpi_loss_suits(const bpi_loss *l, const bp_data *d)
{
  bool any = bpi_loss_is_expression(l) || d->all->n_y == 0 || table[l->kind].least == -INFINITY;
  return any ? BP_OK : check_values(l, d);
}

/* ---- building ---- */

/* value / scale + mean of each column. */
static bp_node in_units(const bpi_loss_terms *t, bp_node value, int64_t n)
{
  bp_graph *g = value.graph;
  double *both = bpi_alloc(g->ctx, 2 * (size_t)n, sizeof *both);
  if (!both)
    return bpi_node_fail(g, BP_E_NOMEM, "out of memory");
  for (int64_t k = 0; k < n; k++) {
    both[k] = 1 / (double)t->scale[k];
    both[n + k] = (double)t->mean[k];
  }
  bp_node scale = bp_array_constant(g, BP_REAL, 1, &n, both),
          mean = bp_array_constant(g, BP_REAL, 1, &n, both + n);
  bpi_free(g->ctx, both);
  return bp_add(bp_mul(value, scale), mean);
}

static bp_status set_names(const bpi_loss *l, const bpi_loss_terms *t, bp_program *p)
{
  bp_type out;
  bp_status s = bp_node_type(t->out, &out);
  bool units = s == BP_OK && t->mean && l->link == BPI_LINK_IDENTITY;
  bp_node ones = bp_full(t->out.graph, BP_REAL, 1, 2, (int64_t[]){out.dims[0], 1});
  if (s == BP_OK)
    s = bp_program_set_node(p, "p", units ? in_units(t, t->out, out.dims[1]) : t->out);
  if (s == BP_OK)
    s = bp_program_set_node(p, "y", units ? in_units(t, t->target, out.dims[1]) : t->target);
  return s == BP_OK ? bp_program_set_node(p, "w", bp_absent(t->weights) ? ones : t->weights) : s;
}

static bp_status one_number(bp_program *p, bp_node *loss)
{
  bp_variable v;
  size_t n = bp_program_outputs(p);
  if (n != 1)
    return *bp_program_error(p)
               ? BP_E_PARSE
               : bpi_fail(BP_E_SHAPE, "loss: it must be one number, and the expression gives %zu results", n);
  bp_status s = bp_program_output(p, 0, &v);
  if (s != BP_OK)
    return s;
  if (v.type.dtype != BP_REAL || v.type.rank != 0) {
    bpi_text shape;
    bpi_text_init(&shape, bp_graph_ctx(v.node.graph));
    bpi_text_shape(&shape, v.type.rank, v.type.dims);
    s = bpi_fail(BP_E_SHAPE,
                 "loss: it must be one real number, and the expression gives %s %s; take its mean(), say",
                 bp_dtype_name(v.type.dtype), shape.s ? shape.s : "numbers");
    bpi_text_free(&shape);
    return s;
  }
  *loss = v.node;
  return BP_OK;
}

static bp_status build_expression(const bpi_loss *l, const bpi_loss_terms *t, bp_program **program,
                                  bp_node *loss)
{
  bp_program *p = *program = bp_program_new(t->out.graph, NULL);
  if (!p)
    return BP_E_NOMEM;
  bp_status s = set_names(l, t, p);
  if (s == BP_OK) {
    s = bp_program_read(p, "loss", l->text, strlen(l->text));
    s = s == BP_OK ? one_number(p, loss) : s;
  }
  return s;
}

/* The mean over all elements, rows counting by their weights. */
static bp_node mean_of(const bpi_loss_terms *t, bp_node each)
{
  bp_type type;
  if (!bp_absent(t->weights) && bp_node_type(each, &type) == BP_OK)
    each = bp_mul(each, bp_reshape(t->weights, (int64_t[]){type.dims[0], 1}, type.rank));
  return bp_mean(each, NULL, 0, false);
}

bp_status bpi_loss_build(const bpi_loss *l, const bpi_loss_terms *t, bp_program **program, bp_node *loss)
{
  bp_graph *g = t->out.graph;
  *program = NULL;
  *loss = bpi_error_node(g);
  if (bp_graph_status(g) != BP_OK)
    return bpi_fail(bp_graph_status(g), "%s", bp_graph_error(g));
  if (bpi_loss_is_expression(l))
    return build_expression(l, t, program, loss);
  *loss = mean_of(t, table[l->kind].each(l, t));
  return bp_graph_status(g) == BP_OK ? BP_OK : bpi_fail(bp_graph_status(g), "%s", bp_graph_error(g));
}

bp_node bpi_link_node(const bpi_loss *l, bp_node out)
{
  return links[l->link].node(out);
}
