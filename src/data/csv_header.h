/* The first record of a CSV file. */
#ifndef BPI_CSV_HEADER_H
#define BPI_CSV_HEADER_H

#include "data/csv_window.h"
#include "data/table.h"

/* Reads the names into t and makes its columns. Without a header c then stands before the first record again, which gave the number of columns. */
bp_status bpi_csv_header(bpi_csv *c, bp_table *t, bp_csv_header header);

#endif
