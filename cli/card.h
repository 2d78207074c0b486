/* The model card: what the program keeps in a model file of how it came to be, as lines of a name and a value. */
#ifndef CLI_CARD_H
#define CLI_CARD_H

#include "say.h"

#include <stddef.h>

/* Notes of the model file (bp_net_set_note). */
#define CARD_NOTE   "bprop.card"
#define JUDGED_NOTE "bprop.judged"

/* Lines NAME<tab>VALUE; tabs and line breaks in a value become blanks. */
typedef struct card {
  char *text; /* NULL: empty, or out of memory */
  size_t n;
  bool failed;
} card;
void card_add(card *c, const char *name, const char *fmt, ...) BP_PRINTF(3, 4);
/* Kept with the network; frees the card. False: out of memory. */
bool card_keep(card *c, bp_net *net, const char *note);

/* Line after line of a note: both texts are freed with the next call, or at the end. */
typedef struct card_line {
  const char *rest;
  char *name, *value;
} card_line;
/* False at the end. Begin with a line whose rest is the note (NULL: no lines). */
bool card_next(card_line *l);
/* The value of a name, freed by the caller; NULL where it has none. */
char *card_value(const bp_net *net, const char *note, const char *name);

#endif
