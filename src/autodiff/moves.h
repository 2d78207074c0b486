/* Rows that only move elements: which one goes where, found by moving numbers. */
#ifndef BPI_MOVES_H
#define BPI_MOVES_H

#include "autodiff/fixed.h"

/* A linear row of one result whose real inputs each have at most one entry in a row or in a column. */
bool bpi_may_move(const bp_op_call *c);
/* For such a row: from[i] is the number, among the elements of all real inputs one after another, of the one that element i of the result
 * is; -1 where it is none of them. The row's own kernel is run on codes of these numbers. False where it does more than move, where an
 * index is not known, or for want of memory (f->no_memory). */
bool bpi_moves(bpi_fixed *f, const bp_op_call *c, int64_t *from);
/* Elements of all real inputs of a call. */
int64_t bpi_real_elements(const bp_op_call *c);

#endif
