/* Losses: what training makes small, what makes predictions of outputs, and what targets must be for it. */
#ifndef BPI_LOSSES_H
#define BPI_LOSSES_H

#include "base/ctx.h"

typedef enum bpi_link {
  BPI_LINK_IDENTITY,
  BPI_LINK_SOFTMAX,
  BPI_LINK_SIGMOID,
  BPI_LINK_EXP,
  BPI_LINKS
} bpi_link;

/* What targets are divided by, after their mean was taken off or not. */
typedef enum bpi_standard {
  BPI_STANDARD_NONE,
  BPI_STANDARD_MEAN,     /* mean 1: for targets from 0 on, whose 0 must stay where it is */
  BPI_STANDARD_DEVIATION /* mean 0, deviation 1 */
} bpi_standard;

/* The constant that makes the loss smallest: what a network must beat. */
typedef enum bpi_constant { BPI_CONSTANT_CLASS, BPI_CONSTANT_MEAN, BPI_CONSTANT_QUANTILE } bpi_constant;

/* A loss as it was chosen. Cleared with bpi_loss_clear. */
typedef struct bpi_loss {
  int kind;      /* of BP_LOSS_LIST; BP_LOSS_COUNT: an expression */
  double number; /* behind the name, in brackets */
  bpi_link link;
  char *text; /* as it is saved */
} bpi_loss;

/* text and link: as in bp_net_options; NULL: the usual one. labels: the targets are classes; several: each is true or not.
 * BP_E_NOTFOUND, BP_E_ARG, BP_E_NOMEM; BP_E_MISMATCH: it takes other targets; whether an expression is right is told by bpi_loss_build. */
bp_status bpi_loss_read(bp_ctx *ctx, const char *text, const char *link, bool labels, bool several,
                        bpi_loss *out);
void bpi_loss_clear(bp_ctx *ctx, bpi_loss *l);

bpi_standard bpi_loss_standard(const bpi_loss *l);
/* *q: which quantile, where it is one. */
bpi_constant bpi_loss_constant(const bpi_loss *l, double *q);
bool bpi_loss_is_expression(const bpi_loss *l);
/* Whether it takes classes, or each target as true or not. */
bool bpi_loss_of_classes(const bpi_loss *l);
bool bpi_loss_of_labels(const bpi_loss *l);

struct bp_data;
/* BP_E_RANGE for the first target that the loss cannot learn, which it names. */
bp_status bpi_loss_suits(const bpi_loss *l, const struct bp_data *d);

/* What a loss is taken of. */
typedef struct bpi_loss_terms {
  bp_node out;    /* [batch, outputs]: as the network gives them */
  bp_node target; /* labels [batch], or values [batch, outputs] as they are learnt */
  bp_node other,
      share; /* labels that rows are mixed with, and the share [] that their own keep; absent: they are not mixed */
  bp_node weights;           /* [batch, 1]; absent: 1 */
  const float *mean, *scale; /* of the targets: value = target / scale + mean; NULL: of classes */
  double smoothing;          /* of labels */
} bpi_loss_terms;

/* The loss as one number. *program: what an expression's own inputs live in; NULL for others. To be bound to runs (bp_program_bind), and freed
 * after them. On error *loss is the error node: BP_E_SHAPE and what an expression fails with, told with a caret. */
bp_status bpi_loss_build(const bpi_loss *l, const bpi_loss_terms *t, bp_program **program, bp_node *loss);
/* Predictions: of classes probabilities, of numbers what is divided by the scale. */
bp_node bpi_link_node(const bpi_loss *l, bp_node out);
const char *bpi_link_name(bpi_link link);

#endif
