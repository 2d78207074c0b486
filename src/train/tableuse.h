/* What the columns of a table are for. */
#ifndef BPI_TABLEUSE_H
#define BPI_TABLEUSE_H

#include "base/ctx.h"

typedef enum bpi_role { BPI_INPUT, BPI_TARGET, BPI_WEIGHTS, BPI_IGNORED, BPI_LEFT_OUT } bpi_role;

/* What a column is for, and what it was asked to be taken for. */
typedef struct bpi_use {
  bpi_role role;
  bool categorical, numeric;
} bpi_use;

/* Fills use[columns], which must be zero, and target[columns] with the columns to predict, in the order asked for. BP_E_NOTFOUND, BP_E_ARG: a list that contradicts another. */
bp_status bpi_table_uses(bp_ctx *ctx, const bp_table *t, const bp_data_options *o, bpi_use *use, int *target,
                         int *n_targets);

#endif
