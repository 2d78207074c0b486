/* Local Jacobians as nodes: which class, and what computes the numbers. */
#ifndef BPI_LOCAL_H
#define BPI_LOCAL_H

#include "autodiff/pattern.h"
#include "autodiff/sweep.h"

/* A local Jacobian d y / d x[input] on its way to nodes. */
typedef struct bpi_local_form {
  bp_op_call
      call; /* of the graph; with a stand-in at `input` where the row is known by its definition alone */
  bpi_call_room room;
  bpi_sweeps sweeps;
  bp_node y, *x;
  int input, result;
  int64_t most;
  bp_local_info info;
  bpi_pattern pattern; /* unless the class says where entries are */
  bool placed;         /* the pattern says where every entry is; else values must */
} bpi_local_form;

bp_status bpi_local_open(bpi_local_form *f, bp_node y, int input, int64_t most);
void bpi_local_close(bpi_local_form *f);

/* J v and J' u as nodes; v like the input, u like the result. Zeros where nothing comes through. */
bp_node bpi_local_forward(bpi_local_form *f, bp_node v);
bp_node bpi_local_reverse(bpi_local_form *f, bp_node u);

/* Values of all entries of the pattern, in its order. */
bp_node bpi_local_entries(bpi_local_form *f);

#endif
