/* A report: sections of a page, each where there is something to tell. */
#ifndef CLI_REPORT_H
#define CLI_REPORT_H

#include "html.h"
#include "options.h"

typedef struct report {
  const settings *s;
  bp_ctx *ctx;
  bp_net *net;
  const bp_data *data;     /* NULL: none was given */
  const bp_scores *scores; /* of all of it */
  bp_metrics m;
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

/* The figures at the top. */
void report_figures(report *r);
/* Puts a picture into the page and frees it; or returns why there is none. */
bp_status report_draw(report *r, bp_status st, bp_picture **p);
/* Names of the classes, or targets: an array of texts that live as long as the network; freed by the caller. NULL: out of memory. */
const char **report_names(const report *r);
/* The confusion matrix, freed by the caller: of the scores, or as the card has it. NULL: there is none. */
double *report_confusion(const report *r);

#endif
