/* Colouring: which columns (rows) of a sparse matrix can be made by one sweep together, so that every entry can be read off.
 *
 * A forward sweep seeded with the columns of one colour gives, in each row, the sum of that row's entries in these columns; a
 * reverse sweep the same for rows. An entry can be read off a sweep if it is the only one of its row (column) there. */
#ifndef BPI_COLOUR_H
#define BPI_COLOUR_H

#include "check/csr.h"

typedef struct bpi_colouring {
  int64_t forward, reverse; /* numbers of colours */
  int64_t *of_col;          /* 0..forward-1; -1: the column is in no forward sweep */
  int64_t *of_row;          /* 0..reverse-1; -1 */
  /* Of each entry, where it is read off: the sweep (forward ones first, then reverse ones) and the element of what it gives. */
  int32_t *sweep, *element;
} bpi_colouring;

/* Colours a matrix with as few sweeps as are found. t: its transpose. Everything is allocated in `a`. Only BP_E_NOMEM.
 * Forward and reverse: partial distance-2 colouring. Both: entries are shared out first (star bicolouring). */
bp_status bpi_colour_jacobian(bpi_arena *a, const bpi_csr *p, bp_sweeps sweeps, bpi_colouring *out);
/* Colours a symmetric matrix: forward sweeps alone, but an entry may be read off as (i, j) or as (j, i). */
bp_status bpi_colour_hessian(bpi_arena *a, const bpi_csr *p, bpi_colouring *out);

/* ---- between the files of the colouring ---- */

/* Items to be coloured, and the lines on which they meet: columns and rows, or rows and columns. Of the items of a line the first
 * `own` must differ from every other item there; the others may agree among each other. */
typedef struct bpi_lines {
  int64_t n_items, n_lines;
  int64_t *start;
  int32_t *item; /* items of line i: item[start[i]] to item[start[i + 1] - 1] */
  int64_t *own;
  int64_t *first, *line; /* lines of item j, as 2 * line + (the item is one of its own) */
  uint8_t *in;           /* whether item j owns an entry; others are left uncoloured */
} bpi_lines;

/* Lines of p's columns meeting on its rows; of p's entries only those with by[e] == mine are read off (by NULL: all). Lines that say the
 * same are kept once, and lines of one item not at all. */
bp_status bpi_lines_new(bpi_arena *a, const bpi_csr *p, const uint8_t *by, uint8_t mine, bpi_lines *l);
/* Sum over lines of own times length: about what one greedy colouring costs. */
double bpi_lines_work(const bpi_lines *l);
/* A greedy colouring with fewer than `most` colours, the best of several orders; colour[j] is -1 for items left out. *n is `most` when
 * there is none so good. Stops at `least`, which is known to be the best possible. */
bp_status bpi_lines_colour(bpi_arena *a, const bpi_lines *l, int64_t least, int64_t most, int64_t *colour,
                           int64_t *n);

/* Orders for greedy colouring. Degrees are counted with their multiplicity, as sums over lines. */
typedef enum bpi_order {
  BPI_NATURAL,
  BPI_LARGEST_FIRST,
  BPI_SMALLEST_LAST,
  BPI_INCIDENCE,
  BPI_ORDERS
} bpi_order;
bp_status bpi_lines_order(bpi_arena *a, const bpi_lines *l, bpi_order kind, int64_t *order);

/* A pattern, its transpose, and the number in p of each entry of t. */
typedef struct bpi_crossed {
  const bpi_csr *p, *t;
  const int64_t *entry;
} bpi_crossed;

typedef enum bpi_sharing {
  BPI_ROWS_BY_LENGTH,
  BPI_COLS_BY_LENGTH,
  BPI_ROWS_IN_TURN,
  BPI_COLS_IN_TURN,
  BPI_SHARINGS
} bpi_sharing;

/* Shares the entries out: by[e] is 1 where entry e is left to reverse sweeps. Gives bounds of the colours that either side needs at
 * least. (In turns: Coleman & Verma 1998, minimum nonzero count.) */
bp_status bpi_share_out(bpi_arena *a, const bpi_crossed *m, bpi_sharing kind, uint8_t *by, int64_t *forward,
                        int64_t *reverse);

/* A queue of items by small whole keys, from which the least comes out; keys may go down by one. */
typedef struct bpi_buckets {
  int64_t *head;        /* of each key: first item, or -1 */
  int64_t *next, *prev; /* of each item; prev of the first is -1 - key */
  int64_t *key;
  int64_t least, n_keys;
} bpi_buckets;

bp_status bpi_buckets_init(bpi_arena *a, bpi_buckets *b, int64_t n_items, int64_t most_key);
void bpi_buckets_put(bpi_buckets *b, int64_t item, int64_t key);
void bpi_buckets_drop(bpi_buckets *b, int64_t item);
/* An item of the least key, which stays in; -1 when empty. */
int64_t bpi_buckets_least(bpi_buckets *b);

#endif
