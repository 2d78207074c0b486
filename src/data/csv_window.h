/* The window that the CSV reader sees of its input: some whole records at a time, which are valid UTF-8 without NUL. */
#ifndef BPI_CSV_WINDOW_H
#define BPI_CSV_WINDOW_H

#include "base/source.h"

/* What ends the valid bytes of the window before those that were read. */
typedef enum bpi_csv_fault { BPI_CSV_SOUND, BPI_CSV_NUL, BPI_CSV_NOT_UTF8, BPI_CSV_TOO_MANY } bpi_csv_fault;

typedef struct bpi_csv {
  bp_ctx *ctx;
  bp_source *source;
  const char *name;
  char delimiter;
  int64_t max_line, max_bytes;
  size_t chunk; /* bytes read at a time */

  char *text; /* the window; it begins where a line does */
  size_t cap, used;
  size_t valid;   /* bytes of it that are text; more of it when more of the last character is there */
  size_t scanned; /* of these, bytes that were looked through for the ends of records, */
  bool quoted;    /* which ended inside of quotes */
  bool begun;     /* past the place of a byte order mark */
  bool ended;     /* the input has */
  bpi_csv_fault fault;
  int64_t before; /* bytes of the input that went out of the window */
  int64_t line;   /* of the window's first byte, from 1 */

  const char *at;     /* where the lexer is */
  const char *record; /* where its record began */
  const char *end;    /* behind the last whole record: there is a line feed before it */
  bool cut;
  char *scratch; /* text of a quoted field with doubled quotes */
  size_t scratch_cap;
} bpi_csv;

/* A place in the input, for messages: line and byte of it, from 1. */
typedef struct bpi_csv_place {
  int64_t line, column;
} bpi_csv_place;

/* The fields before `text` must be set, those from it on zero; bpi_csv_free in any case. */
void bpi_csv_begin(bpi_csv *c);
void bpi_csv_free(bpi_csv *c);
/* Back to the first byte of a source that can do so. */
bp_status bpi_csv_rewind(bpi_csv *c);

/* Called where c->at == c->end. Drops what is before, and reads on until a whole record is in the window, or the input ends: then at == end still.
 * c->cut: the record is longer than max_line, and what follows that many bytes of it is replaced by a line feed. */
bp_status bpi_csv_fill(bpi_csv *c);
/* The same of a record that is in the window already: notices that it is too long. */
void bpi_csv_measure(bpi_csv *c);

bpi_csv_place bpi_csv_where(const bpi_csv *c, const char *place);
/* A failure at a place of the window, or at one kept from before: "NAME:LINE:COLUMN: ...". */
bp_status bpi_csv_fail(const bpi_csv *c, bp_status s, const char *place, const char *fmt, ...)
    BP_PRINTF(4, 5);
bp_status bpi_csv_fail_at(const bpi_csv *c, bp_status s, bpi_csv_place place, const char *fmt, ...)
    BP_PRINTF(4, 5);
/* How much of a text to show in a message: at most 40 bytes, whole characters. */
int bpi_csv_shown(size_t n, const char *s);

#endif
