/* Columns and targets in the description of a model: a text for a column of numbers, which only has a name; else an object. */
#ifndef BPI_COLUMNS_JSON_H
#define BPI_COLUMNS_JSON_H

#include "base/text.h"
#include "io/json.h"
#include "train/encoding.h"

void bpi_json_text(bpi_text *t, const char *s);
/* codings: NULL for targets. */
void bpi_json_fields(bpi_text *t, const char *key, const bpi_field *fields, const bpi_coding *codings,
                     int64_t n);

/* A list while it is read. */
typedef struct bpi_field_list {
  bp_ctx *ctx;
  bpi_field *fields;
  bpi_coding *codings; /* as many */
  int64_t n;
  size_t fields_cap, codings_cap;
  bool coded;  /* some column is more than a number */
  bool memory; /* ran out */
} bpi_field_list;

bool bpi_json_read_fields(bpi_json *j, bpi_field_list *list);
bool bpi_json_read_texts(bpi_json *j, bpi_field_list *list, bpi_field *f);
/* A copy of a text. */
bool bpi_json_copy(bpi_json *j, bpi_field_list *list, char **to);
/* One more field, empty; NULL: false was returned. */
bpi_field *bpi_field_list_add(bpi_field_list *list);
void bpi_field_list_clear(bpi_field_list *list);

#endif
