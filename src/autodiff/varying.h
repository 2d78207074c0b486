/* Calls between x and y whose local Jacobians change with the inputs. */
#ifndef BPI_VARYING_H
#define BPI_VARYING_H

#include "autodiff/sweep.h"

typedef struct bpi_varying {
  bp_node *nodes; /* their real results, ascending */
  size_t n, cap;
} bpi_varying;

/* Adds nodes to the graph, which the caller takes away again. bpi_varying_free in every case. */
bp_status bpi_find_varying(bpi_sweeps *s, const bp_node *y, size_t n_y, const bp_node *x, size_t n_x,
                           bpi_varying *v);
/* A derivative taken apart: what goes through those nodes, and what goes past them, which is the same for every input. */
typedef enum bpi_share_of { BPI_ALL_OF_IT, BPI_VARYING_PART, BPI_CONSTANT_PART } bpi_share_of;

/* As bp_jvp and bp_vjp, of one part. (A path through such nodes is taken apart at the last of them: what arrives there by all paths goes on
 * from there by constant ones.) BPI_CONSTANT_PART asks for x without inputs of their own. */
bp_status bpi_jvp_of(bpi_share_of share, const bpi_varying *v, const bp_node *y, size_t n_y, const bp_node *x,
                     const bp_node *tangent, size_t n_x, bp_node *out);
bp_status bpi_vjp_of(bpi_share_of share, const bpi_varying *v, const bp_node *y, const bp_node *up,
                     size_t n_y, const bp_node *x, size_t n_x, bp_node *grads);
void bpi_varying_free(bp_ctx *ctx, bpi_varying *v);

#endif
