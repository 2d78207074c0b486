/* Limited-memory BFGS over the vector of the trained parameters: Liu & Nocedal 1989; Nocedal & Wright 2006, algorithms 7.4, 3.5 and 3.6. */
#ifndef BPI_LBFGS_H
#define BPI_LBFGS_H

#include "nn/params.h"

/* What is minimised, at the weights as they are in the state: its value, and its gradient (n numbers). BP_E_NOTFINITE where it is not finite, which
 * a shorter step may mend. */
typedef bp_status (*bpi_objective)(void *user, double *loss, double *grad);

/* The pairs that it remembers are entries of the state: "optimizer.s", "optimizer.y" [memory, n] and "optimizer.pairs" (how many, and where the next
 * goes). Nothing else lasts from step to step: loss and gradient are only kept as long as nobody else moves the weights. */
typedef struct bpi_lbfgs {
  bp_ctx *ctx;
  bool narrow; /* float32 */
  int64_t n, matrices, memory;
  double decay, tolerance;
  void *w, *s, *y; /* in the state */
  int64_t *pairs;
  double *from, *grad, *trial, *direction, *alpha; /* [n] each, [memory] the last */
  double plain, value;                             /* the loss, and with the decay of weights */
  bool known;                                      /* they, and grad, are of the weights as they are */
} bpi_lbfgs;

/* BP_E_ARG: options that do not go with it; BP_E_NOMEM. To be closed also on failure. */
bp_status bpi_lbfgs_open(bpi_lbfgs *l, bp_params *p, bp_state *s, const bp_optimizer *o);
/* One iteration. first: the first step length that is tried. *loss: before it. *done: the gradient is at most `tolerance` everywhere, or no
 * lower value was found; then nothing was changed. */
bp_status bpi_lbfgs_step(bpi_lbfgs *l, bpi_objective objective, void *user, double first, double *loss,
                         bool *done);
void bpi_lbfgs_close(bpi_lbfgs *l);

#endif
