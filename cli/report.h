/* A report: sections of a page, each where there is something to tell. */
#ifndef CLI_REPORT_H
#define CLI_REPORT_H

#include "html.h"
#include "options.h"

/* Some rows of the data, and what is predicted of them. */
typedef struct report_part {
  bp_data *data;
  bp_scores *scores;
  int64_t *at; /* [n]: their numbers in the whole */
  int n;
} report_part;

typedef struct report {
  const settings *s;
  bp_ctx *ctx;
  bp_net *net;
  const bp_data *data; /* NULL: none was given */
  bp_scores *scores;   /* of all of it, as sums */
  bp_metrics m;
  report_part worst, some; /* rows with the worst mistakes, the worst first; and rows spread evenly */
  bp_task task;
  int64_t image[3]; /* height, width, channels; 0: its rows are no images */
  html page;
} report;

/* A section writes what stands below its heading. BP_OK; a status with its message, which ends the report. */
typedef struct report_section {
  const char *id, *title;
  bool (*wanted)(const report *r);
  bp_status (*write)(report *r);
} report_section;

/* report_numbers.c: figures, metrics, classes; report_curves.c: pictures of training and predictions; report_rows.c: single rows;
 * report_network.c: what the network looks for, and the card. Ended by a section without title. */
extern const report_section report_numbers[], report_curves[], report_rows[], report_network[];

/* report_data.c: measures the network on r->data, and picks rows. The message of what failed is told. */
int report_measure(report *r);
void report_data_free(report *r);
/* The class that is predicted of a row, and whether any of its answers is wrong. */
int64_t report_said(const bp_scores *s, int64_t row);

/* The figures at the top; and how good it was when it was trained, in a sentence. */
void report_figures(report *r);
void report_after_training(report *r);
/* The names of what is predicted, with commas between. */
void report_targets(report *r);
/* Puts a picture into the page and frees it; or returns why there is none. */
bp_status report_draw(report *r, bp_status st, bp_picture **p);
/* Names of the classes, or targets: an array of texts that live as long as the network; freed by the caller. NULL: out of memory. */
const char **report_names(const report *r);
/* The confusion matrix, freed by the caller: of the scores, or as the card has it. NULL: there is none. */
double *report_confusion(const report *r);

#endif
