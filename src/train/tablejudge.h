/* What can be learned from the columns of a table, and what of that a person should know. */
#ifndef BPI_TABLEJUDGE_H
#define BPI_TABLEJUDGE_H

#include "base/text.h"
#include "data/category.h"
#include "train/examples.h"
#include "train/tableuse.h"

/* Why nothing can be learned from a column; and how to have it all the same, or "". */
typedef struct bpi_reason {
  const char *why, *otherwise;
} bpi_reason;

/* A column, once all rows are read. */
typedef struct bpi_column_facts {
  const char *name;
  const bpi_use *use;
  int64_t rows, missing, marks;
  const bpi_categories *texts; /* the different ones; NULL: numbers, or they are not known */
  bool unnamed;                /* by the header */
  bool counts;                 /* the rows, and no more */
  const bpi_reason *scattered; /* its texts were too many to keep; else NULL */
} bpi_column_facts;

/* Goes over the inputs one by one; what it finds becomes notes of e. */
typedef struct bpi_judging {
  bpi_examples *e;
  int64_t inputs; /* that are left */
  bpi_text marked;
  int64_t n_marked;
} bpi_judging;
void bpi_judging_begin(bpi_judging *j, bpi_examples *e, int64_t inputs);
/* Whether to keep an input. */
bp_status bpi_judge_input(bpi_judging *j, const bpi_column_facts *f, bool *keep);
/* The notes that are about several columns; or the failure when no input is left. Needed after bpi_judging_begin in any case. */
bp_status bpi_judging_end(bpi_judging *j, bp_status s);
/* BP_E_FORMAT: text that makes no classes. */
bp_status bpi_judge_target(bp_ctx *ctx, const bpi_column_facts *f);

/* Notes rows that were left out for want of a target; none if there are none. */
bp_status bpi_note_unanswered(bpi_examples *e, int64_t rows);

/* Whether so many different texts say another thing in nearly every row. */
bool bpi_texts_scatter(int64_t texts, int64_t filled);
/* What such texts are. */
const bpi_reason *bpi_scattered(const bpi_categories *texts);
/* Whether different numbers, ascending, are few whole ones from 0, so that they number classes: few also for so many rows, or one would learn 50 classes
 * of three rows each where a count or a price is meant. */
bool bpi_counts_classes(const double *keys, int64_t n, int64_t rows);
enum { BPI_MOST_NUMBER_CLASSES = 64 };
/* Whether different texts, else numbers, say yes or no. */
bool bpi_two_valued(int64_t texts, const double *keys, int64_t n_keys);

#endif
