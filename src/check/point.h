/* A scalar function of many numbers at a point: moved along lines, and its gradient compared with what the differences say. */
#ifndef BPI_POINT_H
#define BPI_POINT_H

#include "base/arena.h"
#include "check/eval.h"

/* f at x, and its gradient there. The numbers of all nodes that it is differentiated by lie one after another. */
typedef struct bpi_point {
  bp_ctx *ctx;
  bp_graph *g;    /* borrowed; gets nodes, which the owner rolls back */
  bp_node f;      /* of shape [] */
  bp_node *grads; /* of f, by wrt */
  const bp_node *wrt;
  size_t n_wrt;
  const bp_gradient_options *o;
  bp_state *state; /* a copy of what the graph reads; NULL: none */
  bpi_arena room;
  bpi_eval value; /* computes f */
  int64_t n;
  int64_t *first; /* of each node of wrt; one more */
  double **home;  /* of each: where a state keeps its numbers; NULL: the run reads x itself */
  double *x;      /* where f is computed: x0 but while it is moved */
  double *x0, *grad;
  double f0, tolerance;
  double magnitude;              /* 0: not asked for yet */
  struct bpi_switches *switches; /* made when first asked for */
} bpi_point;

/* A direction through the numbers [begin, end). */
typedef struct bpi_line {
  int64_t begin, end;
  const double *v; /* of these numbers; NULL: 1 */
  double h;        /* the step that is looked at first */
  double slope;    /* the gradient along it */
} bpi_line;

/* y, wrt and o as bp_check_gradient takes them. bpi_point_close must follow, also on failure. */
bp_status bpi_point_open(bpi_point *p, bp_node y, const bp_node *wrt, size_t n, const bp_gradient_options *o);
void bpi_point_close(bpi_point *p);
/* f at x0 + t v. f may be NaN or infinite. *moved: how far it was in truth, rounded; may be NULL. */
bp_status bpi_point_at(bpi_point *p, const bpi_line *l, double t, double *f, double *moved);
/* Moves x to x0 + t v; the next bpi_point_rest undoes it. */
void bpi_point_move(bpi_point *p, const bpi_line *l, double t);
void bpi_point_rest(bpi_point *p, const bpi_line *l);
/* A plan of other nodes bound to the point. On error e is closed already. */
bp_status bpi_point_ready(bpi_point *p, bpi_eval *e, const bp_node *y, size_t n_y);
/* Marks the nodes of the graph: what moves with x, and what f (and its gradient) needs: magnitude.c. */
enum { BPI_MOVES = 1, BPI_NEEDED = 2 };
void bpi_point_mark(const bpi_point *p, bool gradient, uint8_t *mark);
/* The largest number inside f at x0. */
bp_status bpi_point_magnitude(bpi_point *p, double *magnitude);
/* Compares the gradient along a line with differences: slope.c. */
bp_status bpi_slope_of(bpi_point *p, const bpi_line *l, bp_slope *s);
/* Whether the value of a comparison, an index of a winner or the like is another within h of x0 along the line: switches.c. */
bp_status bpi_switched(bpi_point *p, const bpi_line *l, double h, bool *switched);
void bpi_switches_free(bpi_point *p);
/* Taylor's remainders along v, and forward against reverse mode: taylor.c. */
bp_status bpi_taylor_of(bpi_point *p, const double *v, bp_taylor *t);
bp_status bpi_modes_of(bpi_point *p, const double *v, double *forward, double *reverse, bool *agree);

#endif
