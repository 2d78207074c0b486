/* Greedy colouring of items that meet on lines: each takes the first colour that nothing it must differ from has. */
#include "check/colour.h"

#include <string.h>

/* What item j meets by its k-th line is item[start[line]] up to here: all of the line for one of its own, else the own. */
static int64_t met_until(const bpi_lines *l, int64_t k)
{
  int64_t i = l->line[k] / 2;
  return l->line[k] & 1 ? l->start[i + 1] : l->start[i] + l->own[i];
}

/* ---- orders ---- */

static int64_t degree(const bpi_lines *l, int64_t j)
{
  int64_t sum = 0;
  for (int64_t k = l->first[j]; k < l->first[j + 1]; k++)
    sum += met_until(l, k) - l->start[l->line[k] / 2] - (l->line[k] & 1);
  return sum;
}

/* Least key first; each item that comes out lowers the keys of those it meets. With degrees as keys, this is smallest-last
 * from its end; with equal keys, an item that meets most of those before it is next: incidence degree. */
static void drain(const bpi_lines *l, bpi_buckets *b, int64_t *order)
{
  int64_t j;
  for (int64_t at = 0; (j = bpi_buckets_least(b)) >= 0; at++) {
    bpi_buckets_drop(b, j);
    b->key[j] = -1;
    order[at] = j;
    for (int64_t k = l->first[j]; k < l->first[j + 1]; k++)
      for (int64_t m = l->start[l->line[k] / 2]; m < met_until(l, k); m++) {
        int64_t other = l->item[m], key = b->key[other];
        if (key <= 0)
          continue;
        bpi_buckets_drop(b, other);
        bpi_buckets_put(b, other, key - 1);
      }
  }
}

static void reverse(int64_t *order, int64_t n)
{
  for (int64_t i = 0; i < n / 2; i++) {
    int64_t keep = order[i];
    order[i] = order[n - 1 - i];
    order[n - 1 - i] = keep;
  }
}

static bp_status by_buckets(bpi_arena *a, const bpi_lines *l, bpi_order kind, int64_t *order)
{
  int64_t most = 0;
  bpi_buckets b;
  for (int64_t j = 0; j < l->n_items; j++) {
    int64_t d = degree(l, j);
    most = d > most ? d : most;
  }
  bp_status s = bpi_buckets_init(a, &b, l->n_items, most);
  if (s != BP_OK)
    return s;
  for (int64_t j = l->n_items - 1; j >= 0; j--)
    bpi_buckets_put(&b, j,
                    kind == BPI_INCIDENCE       ? most
                    : kind == BPI_LARGEST_FIRST ? most - degree(l, j)
                                                : degree(l, j));
  if (kind != BPI_LARGEST_FIRST)
    drain(l, &b, order);
  else
    for (int64_t at = 0, j; (j = bpi_buckets_least(&b)) >= 0; at++) {
      bpi_buckets_drop(&b, j);
      order[at] = j;
    }
  if (kind == BPI_SMALLEST_LAST)
    reverse(order, l->n_items);
  return BP_OK;
}

bp_status bpi_lines_order(bpi_arena *a, const bpi_lines *l, bpi_order kind, int64_t *order)
{
  for (int64_t j = 0; j < l->n_items; j++)
    order[j] = j;
  if (kind == BPI_NATURAL)
    return BP_OK;
  bpi_arena_mark here = bpi_arena_here(a);
  bp_status s = by_buckets(a, l, kind, order);
  bpi_arena_rollback(a, here);
  return s;
}

/* ---- colours ---- */

/* The first colour that item j may have. taken[c] == j + 1: it may not have c. */
static int64_t first_fit(const bpi_lines *l, int64_t j, const int64_t *colour, int64_t *taken)
{
  for (int64_t k = l->first[j]; k < l->first[j + 1]; k++)
    for (int64_t m = l->start[l->line[k] / 2]; m < met_until(l, k); m++)
      if (colour[l->item[m]] >= 0)
        taken[colour[l->item[m]]] = j + 1;
  int64_t c = 0;
  while (taken[c] == j + 1)
    c++;
  return c;
}

/* Number of colours, or `most` when they were not enough. taken: most zeros. */
static int64_t colour_in_order(const bpi_lines *l, const int64_t *order, int64_t most, int64_t *colour,
                               int64_t *taken)
{
  int64_t n = 0;
  for (int64_t j = 0; j < l->n_items; j++)
    colour[j] = -1;
  for (int64_t at = 0; at < l->n_items; at++) {
    int64_t j = order[at];
    if (!l->in[j])
      continue;
    int64_t c = first_fit(l, j, colour, taken);
    if (c + 1 >= most)
      return most;
    colour[j] = c;
    n = c + 1 > n ? c + 1 : n;
  }
  return n;
}

/* Beyond this the natural order must do: the others cost several times as much. */
static bool worth_more_orders(const bpi_lines *l)
{
  return bpi_lines_work(l) < 1e7 + 64.0 * (double)l->start[l->n_lines];
}

bp_status bpi_lines_colour(bpi_arena *a, const bpi_lines *l, int64_t least, int64_t most, int64_t *colour,
                           int64_t *n)
{
  bpi_arena_mark here = bpi_arena_here(a);
  size_t room = (size_t)l->n_items + 1;
  int64_t *order = bpi_arena_alloc(a, room, sizeof *order), *trial = bpi_arena_alloc(a, room, sizeof *trial);
  int64_t *taken = bpi_arena_alloc(a, (size_t)most + 1, sizeof *taken);
  bp_status s = order && trial && taken ? BP_OK : bpi_nomem();
  *n = most;
  for (int kind = BPI_NATURAL; s == BP_OK && kind<BPI_ORDERS && * n> least; kind++) {
    if (kind > BPI_NATURAL && !worth_more_orders(l))
      break;
    s = bpi_lines_order(a, l, (bpi_order)kind, order);
    if (s != BP_OK)
      break;
    memset(taken, 0, ((size_t)most + 1) * sizeof *taken);
    int64_t got = colour_in_order(l, order, *n, trial, taken);
    if (got < *n)
      memcpy(colour, trial, (size_t)l->n_items * sizeof *colour);
    *n = got;
  }
  bpi_arena_rollback(a, here);
  return s;
}
