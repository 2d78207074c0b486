/* Columns of a table from which nothing can be learned. */
#ifndef BPI_TABLEJUDGE_H
#define BPI_TABLEJUDGE_H

#include "base/ctx.h"

/* Why, in words; NULL: something may. */
const char *bpi_useless_column(const bp_table *t, int column);
/* The same from what is known of it: texts: different ones, 0 for numbers; one of them. */
const char *bpi_useless(int64_t rows, int64_t missing, int64_t texts, const char *example);
/* Whether it only counts the rows: no reason where it is the only column. */
bool bpi_counts_rows(const bp_table *t, int column);

#endif
