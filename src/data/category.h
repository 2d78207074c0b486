/* A set of texts, numbered in the order of their first appearance, with counts. */
#ifndef BPI_CATEGORY_H
#define BPI_CATEGORY_H

#include "base/ctx.h"

typedef struct bpi_category {
  size_t at; /* its text in `texts` */
  int64_t count;
} bpi_category;

typedef struct bpi_categories {
  bp_ctx *ctx;
  char *texts; /* NUL-terminated, one after another */
  size_t texts_n, texts_cap;
  bpi_category *items;
  size_t n, cap;
  uint32_t *slots; /* open addressing: number + 1, 0 free */
  size_t mask;     /* slots - 1 */
} bpi_categories;

void bpi_categories_init(bpi_categories *c, bp_ctx *ctx);
void bpi_categories_free(bpi_categories *c);
/* Empty again; the memory is kept. */
void bpi_categories_clear(bpi_categories *c);
/* Number of s[0..n), which holds no NUL; added if new. Counts it. -1 when out of memory or there are 2^31 - 2. */
int32_t bpi_categories_add(bpi_categories *c, const char *s, size_t n);
/* Number of a text, or -1. */
int32_t bpi_categories_find(const bpi_categories *c, const char *s, size_t n);
const char *bpi_categories_text(const bpi_categories *c, int32_t i);

#endif
