/* Lists of columns, as a person writes them: names, or numbers from 1, separated by commas. */
#ifndef BPI_COLUMNLIST_H
#define BPI_COLUMNLIST_H

#include "data/table.h"

/* Calls visit with each column of the list, in order, until it fails. list NULL: none. BP_E_NOTFOUND. */
typedef bp_status (*bpi_column_visit)(void *arg, int column);
bp_status bpi_each_column(bp_ctx *ctx, const bp_table *t, const char *list, bpi_column_visit visit,
                          void *arg);
/* Column of exactly that name, or -1. */
int bpi_column_named(const bp_table *t, const char *name);
const char *bpi_column_name(const bp_table *t, int column);

#endif
