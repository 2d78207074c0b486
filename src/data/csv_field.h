/* CSV, field by field: the lexer, and numbers. */
#ifndef BPI_CSV_FIELD_H
#define BPI_CSV_FIELD_H

#include "data/csv_window.h"

/* MARK: a text that says that a value is missing, as NA; BAD: inf, or too large for a double. */
typedef enum bpi_csv_kind {
  BPI_CSV_MISSING,
  BPI_CSV_NUMBER,
  BPI_CSV_MARK,
  BPI_CSV_BAD,
  BPI_CSV_TEXT
} bpi_csv_kind;

/* "a comma"; NULL: it separates no fields. */
const char *bpi_csv_delimiter_name(char c);
/* Whether a text says that a value is missing: hardly anything else, or a word that may also be a category, as none. */
typedef enum bpi_csv_mark { BPI_NO_MARK, BPI_MARK, BPI_MARK_WORD } bpi_csv_mark;
bpi_csv_mark bpi_csv_mark_of(const char *s, size_t n);

typedef struct bpi_csv_field {
  const char *s; /* its text, without quotes; not NUL-terminated */
  size_t n;
  const char *start; /* in the input */
  bool quoted;
  bool last; /* of its record */
} bpi_csv_field;

/* Steps over empty lines of the window. */
void bpi_csv_skip(bpi_csv *c);
/* Goes to the next record, reading on if need be; *found is false at the end of the input. */
bp_status bpi_csv_record(bpi_csv *c, bool *found);
/* Takes the next field of the record. */
bp_status bpi_csv_next(bpi_csv *c, bpi_csv_field *f);
/* What the text of a field is; *x is set for a number. */
bpi_csv_kind bpi_csv_classify(const bpi_csv_field *f, double *x);
/* Whether it is MISSING, the one thing that text can be besides. */
bool bpi_csv_is_blank(const bpi_csv_field *f);
/* If a plain number stands at c->at, takes it as the next field: the quick way past bpi_csv_next and bpi_csv_classify,
 * with the same result. */
bool bpi_csv_quick_number(bpi_csv *c, double *x, bool *last);
#endif
