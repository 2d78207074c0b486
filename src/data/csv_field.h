/* CSV, field by field: the lexer, and numbers. */
#ifndef BPI_CSV_FIELD_H
#define BPI_CSV_FIELD_H

#include "base/source.h"

/* The whole input as valid UTF-8 without NUL and byte order mark, ended by a line feed (and a NUL). */
typedef struct bpi_csv {
  bp_ctx *ctx;
  const char *name;
  char *memory;
  const char *text, *end; /* end: behind the last line feed */
  int64_t lines;          /* line feeds */
  const char *at;         /* where the lexer is */
  const char *record;     /* where its record began */
  char *scratch;          /* text of a quoted field with doubled quotes */
  size_t scratch_cap;
  char delimiter;
  int64_t max_line, max_bytes;
} bpi_csv;

typedef enum bpi_csv_kind { BPI_CSV_MISSING, BPI_CSV_NUMBER, BPI_CSV_BAD, BPI_CSV_TEXT } bpi_csv_kind;

typedef struct bpi_csv_field {
  const char *s; /* its text, without quotes; not NUL-terminated */
  size_t n;
  const char *start; /* in the input */
  bool quoted;
  bool last; /* of its record */
} bpi_csv_field;

/* Reads the input. The fields from `memory` on are set by it; bpi_csv_free in any case. */
bp_status bpi_csv_open(bpi_csv *c, bp_source *source);
void bpi_csv_free(bpi_csv *c);

/* A failure at a place of the input: "NAME:LINE:COLUMN: ...". */
bp_status bpi_csv_fail(const bpi_csv *c, bp_status s, const char *place, const char *fmt, ...)
    BP_PRINTF(4, 5);

/* Steps over empty lines. False at the end of the input. */
bool bpi_csv_record(bpi_csv *c);
/* Takes the next field of the record. */
bp_status bpi_csv_next(bpi_csv *c, bpi_csv_field *f);
/* After the last field: checks the length of the record. */
bp_status bpi_csv_record_end(const bpi_csv *c);
/* What the text of a field is; *x is set for a number. BAD: nan, inf, or too large for a double. */
bpi_csv_kind bpi_csv_classify(const bpi_csv_field *f, double *x);
/* If a plain number stands at c->at, takes it as the next field: the quick way past bpi_csv_next and bpi_csv_classify,
 * with the same result. */
bool bpi_csv_quick_number(bpi_csv *c, double *x, bool *last);
/* How much of a text to show in a message: at most 40 bytes, whole characters. */
int bpi_csv_shown(size_t n, const char *s);

#endif
