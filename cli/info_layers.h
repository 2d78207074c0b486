/* The layers of a network and what each costs. */
#ifndef CLI_INFO_LAYERS_H
#define CLI_INFO_LAYERS_H

#include "bprop.h"

/* A table, and its sums. Nothing for a network with its own build function. */
void info_layers(bp_net *net);
/* The same as members of an object that is begun: ,"model":...,"layers":[...],"flops":...,"bytes":... */
void info_layers_json(bp_net *net);

#endif
