/* Columns as people know them: a name, and the texts of the categories. */
#ifndef BPI_FIELDS_H
#define BPI_FIELDS_H

#include "data/category.h"

enum { BPI_MOST_CATEGORIES = 1 << 24 }; /* floats tell that many apart */

typedef struct bpi_field {
  char *name;   /* NULL: none */
  char **texts; /* [n] categories; NULL: numbers */
  int64_t n;
  bool loose; /* of numbers: text that is none counts as missing */
} bpi_field;

bpi_field *bpi_fields_new(bp_ctx *ctx, int64_t n);
/* from NULL: *to is NULL. */
bp_status bpi_fields_copy(bp_ctx *ctx, const bpi_field *from, int64_t n, bpi_field **to);
void bpi_fields_free(bp_ctx *ctx, bpi_field *fields, int64_t n);
/* Texts by number, for looking them up: names of fields, categories of one; BP_E_FORMAT where two are the same. Freed with bpi_categories_free, also on failure. */
bp_status bpi_index_names(bp_ctx *ctx, const bpi_field *fields, int64_t n, bpi_categories *index);
bp_status bpi_index_texts(bp_ctx *ctx, const bpi_field *f, bpi_categories *index);
/* BP_E_FORMAT where two fields, or two categories of one, are called the same. */
bp_status bpi_fields_check(bp_ctx *ctx, const bpi_field *fields, int64_t n);
/* The name that is nearest, if it is near enough to be meant; else NULL. */
const char *bpi_fields_nearest(const bpi_field *fields, int64_t n, const char *name);

#endif
