/* Rows that only move elements. */
#include "autodiff/moves.h"
#include "autodiff/reach.h"

#include <math.h>

/* The code of number j: j and, behind it, bits that look random and are not all 0. A sum or mean of several codes is no code but by a chance
 * of 2^-42, as two runs with other bits must agree. A double holds 53 bits. */
enum { CHECK_BITS = 22, NUMBER_BITS = 31 };

static uint64_t check_bits(uint64_t j, uint64_t salt)
{
  uint64_t h = (j + 1) * 0x9e3779b97f4a7c15u + salt * 0xbf58476d1ce4e5b9u;
  h = (h ^ (h >> 30)) * 0x94d049bb133111ebu;
  return (h ^ (h >> 31)) >> (64 - CHECK_BITS);
}

static double code_of(int64_t j, uint64_t salt)
{
  return (double)(((uint64_t)j << CHECK_BITS) | check_bits((uint64_t)j, salt) | 1);
}

/* -1 for 0, -2 for what is no code. */
static int64_t number_of(double code, int64_t n, uint64_t salt)
{
  if (code == 0)
    return -1;
  double j = floor(ldexp(code, -CHECK_BITS));
  return j >= 0 && j < (double)n && code_of((int64_t)j, salt) == code ? (int64_t)j : -2;
}

int64_t bpi_real_elements(const bp_op_call *c)
{
  int64_t n = 0;
  for (int i = 0; i < c->n_in; i++)
    n += c->x_type[i].dtype == BP_REAL ? bpi_type_size(&c->x_type[i]) : 0;
  return n;
}

bool bpi_may_move(const bp_op_call *c)
{
  uint32_t traits = c->op->traits;
  if (!(traits & BP_LINEAR) || (traits & (BP_REDUCTION | BP_VIEW | BP_RANDOM)) || !c->op->kernel ||
      c->n_out != 1 || bpi_real_elements(c) >= INT64_C(1) << NUMBER_BITS)
    return false;
  for (int i = 0; i < c->n_in; i++) {
    bp_jac jac = bpi_jac_of(c, i, 0);
    if (c->x_type[i].dtype == BP_REAL && jac != BP_JAC_SELECT && jac != BP_JAC_SPREAD &&
        jac != BP_JAC_PERMUTATION)
      return false;
  }
  return true;
}

/* Operands of one run: codes for reals, known values for others. */
static bool operands(bpi_fixed *f, const bp_op_call *c, uint64_t salt, double *codes, const void **x)
{
  int64_t at = 0;
  for (int i = 0; i < c->n_in; i++) {
    if (c->x_type[i].dtype != BP_REAL) {
      x[i] = bpi_fixed_values(f, c->x[i]);
      if (!x[i])
        return false;
      continue;
    }
    x[i] = codes + at;
    for (int64_t k = 0, n = bpi_type_size(&c->x_type[i]); k < n; k++, at++)
      codes[at] = code_of(at, salt);
  }
  return true;
}

bool bpi_moves(bpi_fixed *f, const bp_op_call *c, int64_t *from)
{
  bp_ctx *ctx = c->graph->ctx;
  int64_t n = bpi_real_elements(c), n_y = bpi_type_size(&c->y_type[0]);
  double *codes = bpi_alloc(ctx, (size_t)n + 1, sizeof *codes);
  double *y = bpi_alloc(ctx, (size_t)n_y + 1, sizeof *y);
  const void **x = bpi_alloc(ctx, (size_t)c->n_in, sizeof *x);
  bool good = codes && y && x;
  f->no_memory = f->no_memory || !good;
  for (uint64_t salt = 0; good && salt < 2; salt++) {
    void *out = y;
    good = operands(f, c, salt, codes, x) && bpi_kernel_once(c, x, &out);
    for (int64_t i = 0; good && i < n_y; i++) {
      int64_t j = number_of(y[i], n, salt);
      good = j != -2 && (salt == 0 || j == from[i]);
      from[i] = j;
    }
  }
  bpi_free(ctx, codes);
  bpi_free(ctx, y);
  bpi_free(ctx, x);
  return good;
}
