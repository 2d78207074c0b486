/* A stream that may become a whole table. */
#ifndef BPI_CSV_H
#define BPI_CSV_H

#include "bprop.h"

/* Reads all rows into a table of its own, as bp_csv_read does; the source must be able to go back. *over: there are more than `most` values, rows times columns
 * (0: any number); then the stream stands before its first row again, *table is NULL, and nothing has failed. */
bp_status bpi_csv_whole(bp_csv *c, int64_t most, bool *over, bp_table **table);

#endif
