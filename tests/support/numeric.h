/* Functions between arrays as nodes of a graph, their Jacobians by differences, and what derivatives must agree on.
 * Nothing here asserts: a check returns whether it holds, and why not. */
#ifndef TEST_NUMERIC_H
#define TEST_NUMERIC_H

#include "base/arena.h"
#include "check/eval.h"

enum { FUN_MAX = 192, WHY_MAX = 600 };

/* y = f(x) at data. Inputs and results of any type; derivatives are between the real ones, flattened and joined in order. */
typedef struct fun {
  bp_graph *g; /* borrowed */
  int n_x, n_y;
  bp_node x[FUN_MAX], y[FUN_MAX];
  void *data[FUN_MAX]; /* of x: double, int64_t or uint8_t */
  uint64_t seed;
  bpi_arena room; /* for data and matrices; freed by fun_close */
  char why[WHY_MAX];
} fun;

/* Real Jacobian, and by how much each entry may be off. */
typedef struct matrix {
  int64_t rows, cols;
  double *at, *tol;
} matrix;

void fun_open(fun *f, bp_graph *g, uint64_t seed);
void fun_close(fun *f);
void fun_input(fun *f, bp_node x, void *data);
void fun_result(fun *f, bp_node y);
bool is_real(bp_node n);
int64_t real_size(const bp_node *n, int count);
/* Says why and returns false. */
bool fun_fails(fun *f, const char *fmt, ...) BP_PRINTF(2, 3);
/* Uniform in [lo, hi). */
double fun_uniform(fun *f, double lo, double hi);
double *fun_doubles(fun *f, int64_t n);

/* Values of all real results, joined; NULL to see only whether it runs. */
bool fun_values(fun *f, bp_dtype real, double *out);
/* Values of all results, integers too, and how many there are. */
bool fun_all_values(fun *f, bp_dtype real, double *out);
int64_t fun_all_size(const fun *f);
/* The Jacobian by central differences at steps 0.02, 0.01, 0.005, 0.0025, extrapolated to step 0 (Richardson); the last
 * correction and the rounding of f bound the error. */
bool fun_jacobian(fun *f, matrix *J);
/* bp_vjp and bp_jvp against J: with all real results (inputs) taking part, and with each alone. */
bool vjp_agrees(fun *f, const matrix *J);
bool jvp_agrees(fun *f, const matrix *J);
/* <u, Jv> = <J'u, v> to 1e-12. */
bool adjoint_agrees(fun *f);
/* df is the gradient of <up, y> for all real x, as a function of x and up; false if it cannot be built. */
bool fun_gradient(fun *f, fun *df);

#endif
