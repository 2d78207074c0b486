/* What a model file tells beside the network. */
#ifndef BPI_NOTES_H
#define BPI_NOTES_H

#include "train/net.h"

/* All metadata of a file that are not the library's own become notes; and the history is read. */
bp_status bpi_notes_read(bp_net *net, const bp_tensors *file);
/* Notes and history. */
void bpi_notes_free(bp_net *net);

/* Forgets the epochs. */
void bpi_history_clear(bp_net *net);
/* Name of their valid_metric; NULL: the usual one. BP_E_NOMEM. */
bp_status bpi_history_name(bp_net *net, const char *metric);
/* The next epoch. */
bp_status bpi_history_add(bp_net *net, const bp_epoch *e);
/* As JSON, for "bprop.history"; NULL when out of memory. Freed with bpi_free. */
char *bpi_history_text(const bp_net *net);
/* BP_E_FORMAT, BP_E_NOMEM: the history is empty then. */
bp_status bpi_history_read(bp_net *net, const char *text);

#endif
