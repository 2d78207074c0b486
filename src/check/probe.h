/* A probe: nodes y as a function of nodes x, at data. It can be run and differentiated by differences, and what autodiff makes of it is
 * compared with those. The laws of operations are made of probes. */
#ifndef BPI_PROBE_H
#define BPI_PROBE_H

#include "base/arena.h"
#include "check/eval.h"

/* An example has at most 64 inputs and 64 results; a second derivative adds an upstream value for each result and a tangent for each of both. */
enum { BPI_PROBE_MAX = 320 };

/* Inputs and results of any type; derivatives are between the real ones, flattened and joined in order. Everything that fails returns
 * BP_E_CHECK for numbers that do not agree, or the status of what failed; bp_error() says what is wrong, and where. */
typedef struct bpi_probe {
  bp_graph *g; /* borrowed */
  int n_x, n_y;
  bp_node x[BPI_PROBE_MAX], y[BPI_PROBE_MAX];
  void *data[BPI_PROBE_MAX]; /* of x: double, int64_t or uint8_t */
  uint64_t seed;
  bpi_arena room; /* for data and Jacobians; freed by bpi_probe_close */
} bpi_probe;

/* A real Jacobian, and by how much each entry may be off. */
typedef struct bpi_measured {
  int64_t rows, cols;
  double *at, *tol;
} bpi_measured;

void bpi_probe_open(bpi_probe *f, bp_graph *g, uint64_t seed);
void bpi_probe_close(bpi_probe *f);
/* BP_E_LIMIT where there are too many, BP_E_GRAPH for an error node. */
bp_status bpi_probe_input(bpi_probe *f, bp_node x, void *data);
bp_status bpi_probe_result(bpi_probe *f, bp_node y);
bool bpi_is_real(bp_node n);
/* Elements of the real ones of n nodes; of all results. */
int64_t bpi_real_size(const bp_node *n, int count);
int64_t bpi_probe_size(const bpi_probe *f);
/* The real ones of n nodes; returns how many. */
int bpi_only_real(const bp_node *n, int count, bp_node *out);
/* Has it a real input and a real result? */
bool bpi_probe_differentiable(const bpi_probe *f);
/* Uniform in [lo, hi). */
double bpi_probe_uniform(bpi_probe *f, double lo, double hi);
/* Room for n numbers, zeros; NULL when out of memory. */
double *bpi_probe_doubles(bpi_probe *f, int64_t n);
/* `s` again, with bp_error() put behind `what` and a colon; BP_OK and BP_E_NOMEM pass as they are. */
bp_status bpi_explain(bp_status s, const char *what);

/* ---- values ---- */

/* Of all real results, joined; NULL to see only whether it runs. */
bp_status bpi_probe_values(bpi_probe *f, bp_dtype real, double *out);
/* Of all results, integers too. */
bp_status bpi_probe_all_values(bpi_probe *f, bp_dtype real, double *out);
/* Of other nodes at the same data. */
bp_status bpi_probe_values_of(bpi_probe *f, bp_dtype real, const bp_node *y, int n_y, double *out);
/* Compiled with its inputs bound, to be run many times: bpi_probe_run runs and joins the values of y. On error e is closed already. */
bp_status bpi_probe_ready(bpi_probe *f, bpi_eval *e, bp_dtype real, const bp_node *y, int n_y);
bp_status bpi_probe_run(bpi_eval *e, const bp_node *y, int n_y, double *out);

/* ---- derivatives ---- */

/* The Jacobian by central differences at steps 0.02, 0.01, 0.005, 0.0025, extrapolated to step 0 (Richardson); the last
 * correction and the rounding of f bound the error. BP_E_CHECK where they do not settle: then a kink or an edge is near. */
bp_status bpi_probe_measure(bpi_probe *f, bpi_measured *J);
/* bp_vjp and bp_jvp against J: with all real results (inputs) taking part, and with each alone. */
bp_status bpi_probe_vjp_agrees(bpi_probe *f, const bpi_measured *J);
bp_status bpi_probe_jvp_agrees(bpi_probe *f, const bpi_measured *J);
/* <u, Jv> = <J'u, v> to 1e-12. */
bp_status bpi_probe_adjoint_agrees(bpi_probe *f);
/* df is the gradient of <up, y> for all real x, as a function of x and up. bpi_probe_close(df) must follow, also on failure. */
bp_status bpi_probe_gradient(bpi_probe *f, bpi_probe *df);

#endif
