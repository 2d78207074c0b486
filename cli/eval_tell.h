/* How well a network does, told: for a person as tables, for a program as JSON. */
#ifndef CLI_EVAL_TELL_H
#define CLI_EVAL_TELL_H

#include "grouping.h"

typedef struct judgement {
  const settings *s;
  const bp_net *net;
  const bp_scores *scores;
  bp_metrics m;
  const grouping *groups; /* NULL: none */
} judgement;

/* Above so many classes no confusion matrix is made. */
enum { CONFUSION_MOST = 1000 };
/* The rows of group k, freed with bp_scores_free; NULL on failure: END_RESOURCES, told. */
int group_scores(const judgement *j, int k, bp_scores **some);

/* END_DONE, END_RESOURCES. */
int eval_tell(const judgement *j);
int eval_json(const judgement *j);

#endif
