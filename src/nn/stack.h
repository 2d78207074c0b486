/* Layers to nodes. */
#ifndef BPI_STACK_H
#define BPI_STACK_H

#include "nn/modeltext.h"
#include "nn/params.h"

enum { BPI_STACK_PREFIXES = 4 };

/* What stands at the end of a network's rows: inputs that hold the number of a category. */
typedef struct bpi_stack_inputs {
  int64_t n;
  const int64_t *categories; /* [n]: how many */
} bpi_stack_inputs;

/* Told of a layer that is built, with the number of its first node. A layer that has others in it comes after those. */
typedef void (*bpi_layer_built)(void *user, const bpi_layer *l, int depth, const char *name, size_t first,
                                bp_node y);

typedef struct bpi_stack {
  bp_params *params;
  bp_graph *graph;
  bp_node key;
  bool training;
  bp_init init;              /* of weights */
  const bpi_layer *output;   /* the last layer of a network: its first answers are small; or NULL */
  bpi_stack_inputs embedded; /* of x, for an embedding */
  const char *prefix[BPI_STACK_PREFIXES]; /* of names given so far, and */
  int count[BPI_STACK_PREFIXES];          /* how many */
  bool follows;          /* the layer in hand reads what the one before gives, and nobody else does */
  bpi_layer_built built; /* may be NULL */
  void *user;
  int depth, layers; /* built so far */
  bool told;         /* the graph's error names the layer */
} bpi_stack;

/* What a layer takes: anything, images, or rows (which it makes of images). */
typedef enum bpi_layer_wants { BPI_WANTS_ANY, BPI_WANTS_IMAGES, BPI_WANTS_ROWS } bpi_layer_wants;

typedef struct bpi_layer_kind {
  const char *name, *what, *source;
  const char *prefix; /* its parameters are PREFIXn.W and so on; NULL: it has none */
  bool body;          /* has layers in it, in brackets */
  bool linear;        /* with no activation it can be the last layer of a network */
  bool passes;        /* can stand behind such a layer */
  bool embeds;        /* takes the numbers of categories away; stands first or nowhere */
  bpi_layer_wants wants;
  bp_layer_arg args[BP_LAYER_ARGS];
  bp_node (*build)(bpi_stack *s, const bpi_layer *l, const char *name, bp_node x);
} bpi_layer_kind;

const bpi_layer_kind *bpi_layer_kind_at(int i); /* NULL past the last */
const bpi_layer_kind *bpi_layer_kind_find(const char *name, size_t n);
/* An activation that stands alone. */
extern const bpi_layer_kind bpi_layer_activation;
int bpi_layer_args(const bpi_layer_kind *k);

/* Builds a list of layers on x, which is [batch, ...]. Error nodes; the graph's message then begins with the layer. */
bp_node bpi_stack_build(bpi_stack *s, const bpi_layer *first, bp_node x);
/* Whether the first layer that cares takes images. */
bool bpi_stack_wants_images(const bpi_layer *first);
/* Whether it begins with an embedding. */
bool bpi_stack_embeds(const bpi_layer *first);
/* Whether a list ends in a layer of the width of its answers, with nothing behind that bends them. */
bool bpi_stack_ends_open(const bpi_layer *first);

/* Floating-point operations of nodes number [from, to) of a graph; those known when compiling are not counted. */
double bpi_flops_between(const bp_graph *g, size_t from, size_t to);

/* Builds the layer's node by its row's own function: named so that rows of the table can share it. */
bp_node bpi_batch_norm(bpi_stack *s, const bpi_layer *l, const char *name, bp_node x);

#endif
