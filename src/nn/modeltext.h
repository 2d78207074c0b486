/* Networks as text: "conv 32 3 same relu, maxpool, dense 10" is a list of layers.
 *
 *   layers  layer, layer, ...
 *   layer   NAME ARGUMENT ... [(layers)] [ACTIVATION], or ACTIVATION alone
 *
 * Kinds of layers are rows of one table (layertable.c), which says what arguments they take; a number goes to the next argument, NAME=NUMBER
 * to the one of that name. Activations are rows of the table of operations. */
#ifndef BPI_MODELTEXT_H
#define BPI_MODELTEXT_H

#include "base/arena.h"
#include "base/text.h"

enum {
  BPI_LAYER_NUMBERS = 3,  /* of one argument: 28x28x1 */
  BPI_LAYER_DEPTH = 16,   /* of layers in layers */
  BPI_LAYERS_MOST = 10000 /* in one text */
};

/* Numbers of an argument; n is 0 where it is not given. */
typedef struct bpi_layer_value {
  double v[BPI_LAYER_NUMBERS];
  int n;
} bpi_layer_value;

typedef struct bpi_layer {
  const struct bpi_layer_kind *kind;
  bpi_layer_value value[BP_LAYER_ARGS];
  const char *activation; /* NULL: none */
  const struct bpi_layer *body, *next;
} bpi_layer;

/* Reads a text. Layers live in the arena. @param at Out, may be NULL: the byte where it is wrong.
 * BP_E_PARSE, with a message that says the column and the nearest name; BP_E_LIMIT; BP_E_NOMEM. */
bp_status bpi_model_read(bpi_arena *a, const char *text, const bpi_layer **first, size_t *at);
/* The text that reads back as the same layers: one layer (with the layers in it, or without), or a whole list. */
void bpi_model_layer_text(bpi_text *t, const bpi_layer *l, bool whole);
void bpi_model_text(bpi_text *t, const bpi_layer *first);

/* Argument number i of a layer, its number k: as given, where fewer were given the last of them, else the preset. */
double bpi_layer_number(const bpi_layer *l, int i, int k);
int64_t bpi_layer_whole(const bpi_layer *l, int i, int k);

#endif
