/* Jacobians and Hessians of programs, evaluated, told and saved. */
#ifndef CLI_MATRIX_H
#define CLI_MATRIX_H

#include "wrt.h"

typedef struct matrix {
  bp_jacobian *j;
  bp_jacobian_info info;
  const int64_t *start;
  const int32_t *col;
  const void *value;
  bp_node *of; /* what is differentiated, */
  const char **names;
  size_t n_of;
  wrt_list by;   /* and by what */
  void **copies; /* float32 copies of inputs */
  size_t n_copies;
} matrix;

/* bp_jacobian_new, or bp_hessian_new, for the outputs of a program. */
typedef bp_status (*matrix_maker)(const matrix *m, const bp_jacobian_options *o, bp_jacobian **j);

/* Both commands, from the program to the answer. `passes` says how it was made, in words. */
typedef struct matrix_command {
  matrix_maker make;
  void (*passes)(const bp_jacobian_info *info);
  bool one_scalar; /* takes one output of one element */
} matrix_command;
int matrix_run(const settings *s, const matrix_command *c);

/* One element of the matrix. */
double matrix_value(const matrix *m, int64_t entry);
/* The matrix itself, rows and columns named, where it is small; else nothing. */
void matrix_print(const matrix *m);

#endif
