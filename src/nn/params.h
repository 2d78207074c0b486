/* Parameters inside. */
#ifndef BPI_PARAMS_H
#define BPI_PARAMS_H

#include "base/arena.h"
#include "base/shape.h"
#include "graph/graph.h"
#include "graph/state.h"

typedef struct bpi_parameter {
  char *name;
  bp_type type;
  bp_init init;
  int64_t size;
  int64_t offset; /* in its vector, once made */
  bool frozen;
  bool running; /* no parameter: see bp_running */
} bpi_parameter;

/* The vectors that parameters lie in: trained, not trained, and what a step changes without a gradient. Each is an entry of the state. */
enum { BPI_TRAINED, BPI_FROZEN, BPI_RUNNING, BPI_VECTORS };

struct bp_params {
  bp_ctx *ctx;
  bpi_parameter *list;
  size_t n, cap;
  bp_state *state;        /* NULL in the first round */
  int entry[BPI_VECTORS]; /* -1 where there is none */
  int64_t size[BPI_VECTORS];
};

/* Number of a parameter, or -1. */
int bpi_param_find(const bp_params *p, const char *name);
/* Fills n values as the initialiser says. */
void bpi_init_fill(const bpi_parameter *p, uint64_t seed, uint32_t stream, double *out);
/* bp_params_make without drawing: zeros, for values that come from a file. */
bp_status bpi_params_place(bp_params *p, bp_state *s);
/* Whether `name` is the parameter, or what its name begins with before a point. */
bool bpi_param_fits(const bpi_parameter *w, const char *name);
/* What training changes, as bytes: to keep the best of it, and to put it back. */
size_t bpi_params_bytes(const bp_params *p);
void bpi_params_keep(const bp_params *p, void *to);
void bpi_params_put_back(bp_params *p, const void *from);
/* The two change places. */
void bpi_params_swap(bp_params *p, void *with);
/* mean += share * (what training changes - mean), in the state's storage. */
void bpi_params_blend(const bp_params *p, double share, void *mean);
/* The name of the first of them with a value that is not finite; NULL: all are. */
const char *bpi_params_not_finite(const bp_params *p);
/* Where in what was kept a value is that lies at `value` in the state; `value` itself where training does not change it. */
const void *bpi_params_kept(const bp_params *p, const void *kept, const void *value);

/* Appends the update of running values that the layers of g ask for: at most one. */
void bpi_running_update(bp_params *p, bp_graph *g, bp_update *updates, size_t *n);
bool bpi_param_frozen(const bp_params *p, const char *name);

bp_status bpi_optimizer_check(const bp_params *p, const bp_optimizer *o);

/* One number for each element of the vector of the trained: `x` for those of matrices, 0 for those of vectors; or what the rates say. */
bp_node bpi_by_rank(const bp_params *p, bp_graph *g, double x);
bp_node bpi_by_name(const bp_params *p, bp_graph *g, const bp_rate *rates, size_t n);
/* grad, scaled so that its norm is at most `most`. */
bp_node bpi_clip_norm(bp_node grad, double most);
/* The vector w, with rows of matrices scaled so that the norm of each is at most `most`. */
bp_node bpi_max_norm(const bp_params *p, bp_node w, double most);

/* Parameter LAYER.WHAT; the error node if the name gets too long. */
bp_node bpi_layer_param(bp_params *p, bp_graph *g, const char *layer, const char *what, int rank,
                        const int64_t *dims, bp_init init);
/* The row of an activation by its text, "maxout(2)", and its attributes. BP_E_NOTFOUND, BP_E_ARG: see bp_error(). */
bp_status bpi_activation_read(const char *text, const bp_op **op, bp_attr *attr);
/* Row i of the table of operations: its name if it is an activation, else NULL. False past the last row. */
bool bpi_activation_at(int i, const char **name);
/* How biases start beside such weights: see bp_dense. */
bp_init bpi_bias_init(bp_init weights);

#endif
