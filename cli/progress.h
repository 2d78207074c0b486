/* Epochs told as they pass, and Ctrl-C noticed between them. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include "say.h"

/* One epoch, for the answer as JSON. */
typedef struct epoch {
  double train_loss, valid_loss, valid_metric;
} epoch;

typedef struct progress {
  bool bar;                /* redraw one line; else one line an epoch */
  bool blocks;             /* the terminal shows UTF-8 */
  bool shown;              /* a bar stands on the line */
  const bp_metric *metric; /* that is told, */
  const char *name;        /* as */
  epoch *epochs;           /* kept if `keep` */
  int64_t n, room;
  bool keep;
  int64_t last; /* number of the last epoch */
} progress;

/* metric: by its name, which must live as long. */
void progress_start(progress *p, const char *metric, bool keep);
/* For bp_train_options; user is the progress. */
bool progress_epoch(void *user, const bp_progress *now);
/* Ends the line of the bar. */
void progress_stop(progress *p);
void progress_free(progress *p);

/* From here Ctrl-C and SIGTERM only ask for an end, which progress_epoch passes on. A second one ends at once. */
void interrupt_watch(void);
/* The signal that came, or 0; */
int interrupt_came(void);
/* where it is kept, for bp_train_options. */
const volatile int *interrupt_flag(void);
/* Around saving: no signal may end the program half-way. */
void interrupt_hold(bool hold);

#endif
