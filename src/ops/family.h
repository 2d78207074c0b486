/* What the families of operations share: body macros, shape rules, small helpers for derivative rules. */
#ifndef BPI_FAMILY_H
#define BPI_FAMILY_H

#include "graph/graph.h"
#include "kernels/kernels.h"

/* A scalar body, stated once. tools/gen-builders collects these lines, and src/kernels/simd/ compiles them for every dtype and
 * instruction set; here only the text and the number remain. T is the element type; p0, p1, p2 are the real attributes.
 *   REAL_BODY1(name, expr of x), REAL_BODY2(a, b), REAL_BODY3(a, b, c)   real -> real
 *   NUM_BODY1, NUM_BODY2     the same for int64 too
 *   TEST_BODY1, TEST_BODY2   real or int64 -> bool
 *   BOOL_BODY1, BOOL_BODY2   bool -> bool
 *   PICK_BODY3               bool a, and b, c of any one type -> that type */
#define BPI_BODY(name, ...)   static const bp_body name##_body = {#__VA_ARGS__, BPI_BODY_##name};
#define REAL_BODY1(name, ...) BPI_BODY(name, __VA_ARGS__)
#define REAL_BODY2(name, ...) BPI_BODY(name, __VA_ARGS__)
#define REAL_BODY3(name, ...) BPI_BODY(name, __VA_ARGS__)
#define NUM_BODY1(name, ...)  BPI_BODY(name, __VA_ARGS__)
#define NUM_BODY2(name, ...)  BPI_BODY(name, __VA_ARGS__)
#define TEST_BODY1(name, ...) BPI_BODY(name, __VA_ARGS__)
#define TEST_BODY2(name, ...) BPI_BODY(name, __VA_ARGS__)
#define BOOL_BODY1(name, ...) BPI_BODY(name, __VA_ARGS__)
#define BOOL_BODY2(name, ...) BPI_BODY(name, __VA_ARGS__)
#define PICK_BODY3(name, ...) BPI_BODY(name, __VA_ARGS__)

/* Every row there is. */
#define OP(name) extern const bp_op bp_op_##name;
#include "ops/ops.def"
#undef OP

/* ---- shape rules ---- */
bp_status bpi_shape_real(const bp_op_call *c, bp_type *out,
                         int *n_out); /* all real -> real, shape of the first */
bp_status bpi_shape_number(const bp_op_call *c, bp_type *out,
                           int *n_out); /* all real or all int64 -> the same */
bp_status bpi_shape_test(const bp_op_call *c, bp_type *out, int *n_out); /* all of one type -> bool */
bp_status bpi_shape_bool(const bp_op_call *c, bp_type *out, int *n_out); /* all bool -> bool */

/* ---- Jacobian classes ---- */
bp_jac bpi_jac_zero(const bp_op_call *c, int input, int result);
bp_jac bpi_jac_identity(const bp_op_call *c, int input, int result);
bp_jac bpi_jac_scaled(const bp_op_call *c, int input, int result);
bp_jac bpi_jac_diagonal(const bp_op_call *c, int input, int result);
bp_jac bpi_jac_select(const bp_op_call *c, int input, int result);
bp_jac bpi_jac_spread(const bp_op_call *c, int input, int result);
bp_jac bpi_jac_permutation(const bp_op_call *c, int input, int result);
bp_jac bpi_jac_block(const bp_op_call *c, int input, int result);

/* ---- attributes ---- */
/* Axes brought to 0..rank-1, ascending, each once; an empty list means all. */
bp_status bpi_canon_axes(bp_op_call *c, bp_attr *axes, int rank);
/* One axis, negative counts from the end; `slots` axes there are. */
bp_status bpi_canon_axis(bp_op_call *c, bp_attr *axis, int slots);
bool bpi_has_axis(const bp_attr *axes, int axis);
/* A result type with the dims of an attribute, checked. */
bp_status bpi_dims_type(const bp_op_call *c, const bp_attr *dims, bp_dtype dtype, bp_type *out);
/* BP_E_DTYPE unless input i is of that type. */
bp_status bpi_want_dtype(const bp_op_call *c, int input, bp_dtype dtype);

/* ---- nodes for rules ---- */
bp_node bpi_num(const bp_op_call *c, double value);             /* scalar constant in the call's graph */
bp_node bpi_like(const bp_op_call *c, bp_node n, double value); /* constant shaped like n */
bp_node bpi_to_real(bp_node test);                              /* bool -> 0 or 1 */
bp_node bpi_reshape_to(bp_node x, const bp_type *t);
bp_node bpi_one(const bp_op *op, const bp_node *x, size_t n,
                const bp_attr *attr); /* bp_apply with one result */
/* x with `axes` of its result kept as 1, given a value y reduced over them. */
bp_node bpi_keep_axes(bp_node y, const bp_type *x, const bp_attr *axes);

/* y with an axis of size 1 put in front of its axis number `axis`. */
bp_node bpi_insert_axis(bp_node y, int axis);
/* int64 numbers 0, 1, ... along the axes named, 1 along the others of x: for comparing with places. */
bp_node bpi_positions(const bp_op_call *c, const bp_type *x, const bp_attr *axes);

/* Index arithmetic for kernels that move data. */
static inline int64_t bpi_product(const int64_t *dims, int from, int to)
{
  int64_t n = 1;
  for (int i = from; i < to; i++)
    n *= dims[i];
  return n;
}

#endif
