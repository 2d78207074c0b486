/* Seeded shuffles and splits. */
#include "base/ctx.h"
#include "base/rng.h"
#include "base/sort.h"
#include "base/source.h"
#include "data/strata.h"

/* Streams of the generator, so that a shuffle and a split of one seed have nothing in common. */
enum { SHUFFLE_STREAM = 0x53485546, SPLIT_STREAM = 0x53504c54, FOLD_STREAM = 0x464f4c44 };

bp_status bp_shuffle_rows(uint64_t seed, uint32_t round, int64_t n, int64_t *out)
{
  if (n < 0 || (n && !out))
    return bpi_bad_arg("bp_shuffle_rows", "n is negative or out is NULL");
  bpi_permutation((bpi_key){.seed = seed, .step = round, .stream = SHUFFLE_STREAM}, n, out);
  return BP_OK;
}

/* By label, then by place in the permutation: within a label the order stays random. */
typedef struct labelled {
  int64_t label, place, index;
} labelled;

static int by_label(const void *a, const void *b, const void *arg)
{
  const labelled *x = a, *y = b;
  (void)arg; /* the items say it all */
  if (x->label != y->label)
    return x->label < y->label ? -1 : 1;
  return (x->place > y->place) - (x->place < y->place);
}

static int by_rest(const void *a, const void *b, const void *arg)
{
  const bpi_stratum *x = a, *y = b;
  (void)arg; /* the items say it all */
  if (x->rest != y->rest)
    return x->rest > y->rest ? -1 : 1;
  return (x->id > y->id) - (x->id < y->id);
}

static int by_id(const void *a, const void *b, const void *arg)
{
  const bpi_stratum *x = a, *y = b;
  (void)arg; /* the items say it all */
  return (x->id > y->id) - (x->id < y->id);
}

static int by_value(const void *a, const void *b, const void *arg)
{
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  (void)arg; /* the items say it all */
  return (x > y) - (x < y);
}

/* Runs of one label; id: where each begins. */
static size_t find_strata(const labelled *items, int64_t n, bpi_stratum *strata)
{
  size_t count = 0;
  for (int64_t i = 0; i < n; i++) {
    if (i == 0 || items[i].label != items[i - 1].label)
      strata[count++] = (bpi_stratum){.id = i};
    strata[count - 1].n++;
  }
  return count;
}

/* Hands out what rounding left over, to the largest remainders first. */
static void share_out(bpi_stratum *strata, size_t count, int64_t first)
{
  for (size_t g = 0; g < count; g++)
    first -= strata[g].take;
  bpi_sort(strata, count, sizeof *strata, by_rest, NULL);
  for (size_t g = 0; g < count && first > 0; g++)
    if (strata[g].take < strata[g].n) {
      strata[g].take++;
      first--;
    }
}

/* A label with nothing in one part gets one there from a label that can spare it, so that the size of the part stays. */
static void cover(bpi_stratum *strata, size_t count, bool first_part)
{
  size_t donor = 0;
  for (size_t g = 0; g < count; g++) {
    int64_t here = first_part ? strata[g].take : strata[g].n - strata[g].take;
    if (here > 0 || strata[g].n < 2)
      continue;
    while (donor < count && (first_part ? strata[donor].take : strata[donor].n - strata[donor].take) < 2)
      donor++;
    if (donor == count)
      return;
    strata[g].take += first_part ? 1 : -1;
    strata[donor].take -= first_part ? 1 : -1;
  }
}

void bpi_strata_share(bpi_stratum *strata, size_t count, double fraction, int64_t first)
{
  int64_t all = 0;
  for (size_t g = 0; g < count; g++) {
    double share = (double)strata[g].n * fraction;
    strata[g].take = (int64_t)share;
    strata[g].rest = share - (double)strata[g].take;
    all += strata[g].n;
  }
  share_out(strata, count, first);
  if (first > 0 && first < all) {
    cover(strata, count, true);
    cover(strata, count, false);
  }
  bpi_sort(strata, count, sizeof *strata, by_id, NULL);
}

static void fill_stratified(const labelled *items, const bpi_stratum *strata, size_t count, int64_t first,
                            int64_t *out)
{
  int64_t a = 0, b = first;
  for (size_t g = 0; g < count; g++)
    for (int64_t i = 0; i < strata[g].n; i++) {
      int64_t *to = i < strata[g].take ? &a : &b;
      out[(*to)++] = items[strata[g].id + i].index;
    }
}

/* out: a permutation on entry. */
static bp_status stratify(bp_ctx *ctx, int64_t n, const int64_t *labels, double fraction, int64_t first,
                          int64_t *out)
{
  labelled *items = bpi_alloc(ctx, (size_t)n, sizeof *items);
  bpi_stratum *strata = bpi_alloc(ctx, (size_t)n, sizeof *strata);
  bp_status s = items && strata ? BP_OK : bpi_nomem();
  if (s == BP_OK) {
    for (int64_t i = 0; i < n; i++)
      items[i] = (labelled){labels[out[i]], i, out[i]};
    bpi_sort(items, (size_t)n, sizeof *items, by_label, NULL);
    size_t count = find_strata(items, n, strata);
    bpi_strata_share(strata, count, fraction, first);
    fill_stratified(items, strata, count, first, out);
  }
  bpi_free(ctx, items);
  bpi_free(ctx, strata);
  return s;
}

bp_status bp_split_rows(bp_ctx *ctx, uint64_t seed, int64_t n, const int64_t *labels, double fraction,
                        int64_t *out, int64_t *n_first)
{
  if (!ctx || n < 0 || (n && !out) || !n_first || !(fraction >= 0 && fraction <= 1))
    return bpi_bad_arg("bp_split_rows",
                       "ctx, out or n_first is NULL, n is negative, or fraction is not from 0 to 1");
  int64_t first = (int64_t)((double)n * fraction + 0.5);
  bpi_permutation((bpi_key){.seed = seed, .stream = SPLIT_STREAM}, n, out);
  if (labels) {
    bp_status s = stratify(ctx, n, labels, fraction, first, out);
    if (s != BP_OK)
      return s;
  }
  bpi_sort(out, (size_t)first, sizeof *out, by_value, NULL);
  bpi_sort(out + first, (size_t)(n - first), sizeof *out, by_value, NULL);
  *n_first = first;
  return BP_OK;
}

/* Rows go round the folds in a random order, label after label: so that each fold has its share of every label, and of all. */
bp_status bp_fold_rows(bp_ctx *ctx, uint64_t seed, int64_t n, const int64_t *labels, int folds, int fold,
                       int64_t *out, int64_t *n_first)
{
  if (!ctx || !out || !n_first || folds < 2 || folds > n || fold < 0 || fold >= folds)
    return bpi_bad_arg("bp_fold_rows",
                       "ctx, out or n_first is NULL, folds is not from 2 to n, or fold is none of them");
  labelled *items = bpi_alloc(ctx, (size_t)n, sizeof *items);
  if (!items)
    return bpi_nomem();
  bpi_permutation((bpi_key){.seed = seed, .stream = FOLD_STREAM}, n, out);
  for (int64_t i = 0; i < n; i++)
    items[i] = (labelled){labels ? labels[out[i]] : 0, i, out[i]};
  bpi_sort(items, (size_t)n, sizeof *items, by_label, NULL);
  int64_t first = (n - fold + folds - 1) / folds, a = 0, b = first;
  for (int64_t i = 0; i < n; i++)
    out[i % folds == fold ? a++ : b++] = items[i].index;
  bpi_free(ctx, items);
  bpi_sort(out, (size_t)first, sizeof *out, by_value, NULL);
  bpi_sort(out + first, (size_t)(n - first), sizeof *out, by_value, NULL);
  *n_first = first;
  return BP_OK;
}
