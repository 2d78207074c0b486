/* Networks inside. */
#ifndef BPI_NET_H
#define BPI_NET_H

#include "nn/stack.h"
#include "train/encoding.h"
#include "train/losses.h"

#include <pthread.h>

enum { BPI_MAX_HIDDEN = 16, BPI_BULK = 128 };

/* Runs of one plan for prediction, handed out to the threads that ask. */
typedef struct bpi_runs {
  bp_plan *plan;
  bp_run **idle;
  size_t n, cap;
} bpi_runs;

/* Text of the caller's in the file. */
typedef struct bpi_note {
  char *key, *text;
} bpi_note;

struct bp_net {
  bp_ctx *ctx;
  bp_params *params;
  bp_state *state;
  bpi_encoding encoding;
  int64_t inputs, outputs, classes; /* inputs: as they are encoded */
  bpi_arena arena;                  /* of the layers, */
  const bpi_layer *layers;
  char *model;          /* and their text; NULL for a build function */
  bp_layer_info *infos; /* what they are; the texts live in the arena */
  size_t n_infos, infos_cap;
  bp_init init;
  uint64_t seed;
  bp_build_fn build;
  void *user;
  bpi_loss loss;
  bool image;
  int64_t shape[3];        /* of images: height, width, channels; 0 where that is not known */
  float *y_mean, *y_scale; /* [outputs], regression: y = value / scale + mean */
  bpi_field *targets;      /* [n_targets]: one with the names of classes, or outputs; NULL: not known */
  int64_t n_targets;
  char *summary;
  bpi_note *notes;
  size_t n_notes, notes_room;
  bp_epoch *history;
  size_t n_history, history_room;
  char *history_metric;         /* NULL: the usual one */
  int64_t history_every;        /* epochs between two that are kept */
  struct bpi_loss_meter *meter; /* idle, or NULL */
  bpi_runs one, bulk;           /* prediction of 1 row, of BPI_BULK rows */
  pthread_mutex_t lock;         /* of the lists of idle runs, and the meter */
  atomic_bool busy;             /* being trained */
  bool lock_made;
};

bp_net *bpi_net_alloc(bp_ctx *ctx);
/* The first round: parameters are met, nothing is kept of the graph, no memory is taken for values. inputs, outputs and the rest must
 * be set. */
bp_status bpi_net_meet(bp_net *net);
/* Then, with the parameters made: plans for prediction, and the summary. */
bp_status bpi_net_make(bp_net *net);
/* A network from the bytes of a model file; `name` is for messages. */
bp_status bpi_net_read(bp_ctx *ctx, bp_source *source, bp_net **out);

/* What a save while training adds to a model file, or has instead. */
typedef struct bpi_more {
  const bp_tensor *tensors; /* further ones */
  size_t n;
  const char *training; /* "bprop.training" */
  const void *(*instead)(
      const void *arg,
      const void *value); /* where the value to be saved of a parameter lies; NULL: where it is */
  const void *arg;
} bpi_more;

/* The model file. more: may be NULL. */
bp_status bpi_net_write(const bp_net *net, const char *path, const bpi_more *more);

bp_status bpi_graph_status(const bp_graph *g);

/* The layers, kept with their text as it is written plainly: of a text that is whole; */
bp_status bpi_net_read_layers(bp_net *net, const char *text);
/* of dense layers (hidden ends with 0); inputs, outputs and shape must be set; */
bp_status bpi_net_dense_layers(bp_net *net, const int64_t *hidden, const char *activation, double dropout);
/* and of a text that may lack the shape of images before its first layer, and the last layer. */
bp_status bpi_net_complete_layers(bp_net *net, const char *text);
/* The layers on x, in either round. built: see bpi_stack; may be NULL. */
bp_node bpi_net_stack(bp_net *net, bp_node x, bp_node key, bool training, bpi_layer_built built, void *user);
/* With parameters made: the list of bp_net_layer. */
bp_status bpi_net_look(bp_net *net);
bp_status bpi_net_summarise(bp_net *net);

/* From x to logits or values, in either round; key is absent where not training. */
bp_node bpi_net_forward(bp_net *net, bp_graph *g, bp_node x, bp_node key, bool training);

/* How d answers to net; *m is freed with bpi_match_clear. need_target: its targets, and their classes, must be the network's. */
bp_status bpi_net_match(const bp_net *net, const bp_data *d, bool need_target, bpi_match *m);

/* As bp_data_for_net, with its status, and without a look at the weights together. */
bp_status bpi_net_data(const bp_net *net, const bp_table *t, const bp_data_options *options, bp_data **out);

/* Outputs of rows of x (encoded, in the state's storage, n * inputs): predictions (of numbers before they are scaled), and the outputs behind
 * them, of which the loss is taken. As doubles. n <= BPI_BULK; x may be overwritten past n rows. */
bp_status bpi_net_outputs(bp_net *net, void *x, int64_t n, double *out, double *raw);

#endif
