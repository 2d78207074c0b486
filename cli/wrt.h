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
/* Input i of the list with its value, as the program has it; END_USAGE where it is none, as differences move inputs only. */
int wrt_input(const wrt_list *w, size_t i, expression *e, bp_variable *v);

#endif
