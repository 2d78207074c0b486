/* Sorted lists of columns, kept once and shared: a list is a number, and rows that depend on the same columns have the same one. The first
 * items count the columns, and a list whose columns follow one another is a part of them: so runs, and rows that are full, take no room. */
#ifndef BPI_LISTS_H
#define BPI_LISTS_H

#include "base/ctx.h"

typedef struct bpi_column_list {
  int64_t start;
  int32_t n;
} bpi_column_list;

typedef struct bpi_lists {
  bp_ctx *ctx;
  int32_t *item;
  int64_t n_items, items_cap, limit;
  int64_t crowded_at;    /* so many items, or lists, that it pays to look for those without a user */
  bpi_column_list *list; /* list 0 is empty; list 1 + j is {j} */
  size_t n_lists, lists_cap;
  int32_t cols;
  bp_status status; /* the first failure: BP_E_NOMEM or BP_E_LIMIT; then joins give list 0 */
  /* The join being made. */
  uint32_t *seen, now; /* stamp of each column */
  uint32_t held, largest;
  int64_t run_lo, run_hi; /* run_hi > 0: all that was added is the columns run_lo .. run_hi - 1 */
  int32_t joined;         /* columns behind n_items so far */
  bool ascending;
  uint32_t last_a, last_b, last_join; /* of bpi_lists_join */
  bool last_overlap;
  bool overlap; /* lists that were joined had a column in common; cleared by whoever wants to know */
} bpi_lists;

/* Opens with the empty list and the lists of one column each. On failure nothing is left to close. */
bp_status bpi_lists_open(bpi_lists *l, bp_ctx *ctx, int64_t cols, int64_t limit);
void bpi_lists_close(bpi_lists *l);

static inline const int32_t *bpi_list_items(const bpi_lists *l, uint32_t id, int32_t *n)
{
  *n = l->list[id].n;
  return l->item + l->list[id].start;
}

/* Fails for want of room within the limit. */
bp_status bpi_lists_full(bpi_lists *l);
/* Is it time to look which lists are still used? */
bool bpi_lists_crowded(const bpi_lists *l);
/* Keeps the lists marked in new_id, and sets their new numbers there. Lists of one column keep theirs. */
void bpi_lists_keep(bpi_lists *l, uint32_t *new_id);
/* The union of two lists. */
uint32_t bpi_lists_join(bpi_lists *l, uint32_t a, uint32_t b);
/* The union of many: begin, add each, end. */
void bpi_join_begin(bpi_lists *l);
void bpi_join_add(bpi_lists *l, uint32_t id);
uint32_t bpi_join_end(bpi_lists *l);
/* Columns joined so far. */
int64_t bpi_join_count(const bpi_lists *l);

#endif
