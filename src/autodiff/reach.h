/* Local structure: which elements of an input reach which of a result of one call, and rows of lists led through it. */
#ifndef BPI_REACH_H
#define BPI_REACH_H

#include "autodiff/lists.h"
#include "graph/graph.h"

/* What a row states of d result / d input; zero between types that have no derivative. */
bp_jac bpi_jac_of(const bp_op_call *c, int input, int result);

/* The reach of a view, or as the row states it. False where neither says. */
bool bpi_reach_of(const bp_op_call *c, int input, int result, bp_reach *r);
/* True if element i of the result is element i of the input, for every i. */
bool bpi_reach_is_identity(const bp_reach *r, int64_t n_x, int64_t n_y);
/* to[i] joins from[j] for all j that reach i. factor: the other input of a product, where its elements are known: no entry where 0; else NULL. */
void bpi_reach_lead(bpi_lists *l, const bp_reach *r, const double *factor, const uint32_t *from,
                    uint32_t *to);

/* For each entry of a pattern of so many rows: the place in the factor of the element that it is. False if an entry is none, or more. */
bool bpi_reach_factors(const bp_reach *r, int64_t rows, const int64_t *row_start, const int32_t *col,
                       int64_t *from);

#endif
