/* How well a network does, told: for a person as tables, for a program as JSON. */
#ifndef CLI_EVAL_TELL_H
#define CLI_EVAL_TELL_H

#include "grouping.h"

typedef struct judgement {
  const settings *s;
  bp_net *net;
  bp_scores *scores; /* of all rows */
  bp_metrics m;
  grouping groups; /* n 0: none */
  bp_scores **of;  /* [groups.n] */
} judgement;

/* Above so many classes no confusion matrix is made. */
enum { CONFUSION_MOST = 1000 };
/* END_DONE, END_RESOURCES. */
int eval_tell(const judgement *j);
int eval_json(const judgement *j);

#endif
