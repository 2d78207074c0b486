/* What to differentiate by: --wrt, or every real input. */
#ifndef CLI_WRT_H
#define CLI_WRT_H

#include "expression.h"

typedef struct wrt_list {
  const char **names;
  bp_node *nodes;
  size_t n;
  char *list; /* names cut out of --wrt */
} wrt_list;

/* END_USAGE, END_RESOURCES, told. Closed by the caller in every case. */
int wrt_open(wrt_list *w, expression *e, const settings *s);
void wrt_close(wrt_list *w);

#endif
