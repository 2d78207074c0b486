/* Small matrix products and sums inside a run, with the additions of the kernels in their order.
 *
 * An element of a product that bpi_gemm_small() calls small is one chain of multiply-adds along the inner dimension, from 0, or as many as
 * bpi_gemm_lanes() says, and then the bias. A sum of contiguous elements is kept in BPI_SUM_LANES parts, folded in halves; a sum down columns goes row by row
 * (src/kernels/simd/rows.c). What is larger is left to the kernels, which cut it otherwise. */
#include "codegen/emit.h"
#include "kernels/gemmcut.h"

#include <stdio.h>
#include <string.h>

enum { MOST_SUMMED = 1024, MOST_ROWS = 64 };

static bp_kernel_call call_of(const bp_plan *p, const bpi_instr *i, bp_array *a)
{
  for (uint32_t k = 0; k < i->n_in + 1; k++) {
    const bpi_operand *x = &i->x[k];
    a[k] = (bp_array){NULL, x->dims, x->strides, x->size, (bp_dtype)x->dtype, x->rank};
  }
  return (bp_kernel_call){
      .in = a, .out = a + i->n_in, .attr = i->attr, .vec = p->kernels, .n_in = (int)i->n_in, .n_out = 1};
}

/* The product that an instruction is, without addresses. */
static bool product_of(const bp_plan *p, const bpi_instr *i, bpi_gemm *g)
{
  bp_array a[4];
  if (i->tile || !i->op || !i->op->product || i->n_in > 3 || i->n_in < 2 || i->n_out != 1)
    return false;
  const bp_kernel_call c = call_of(p, i, a);
  memset(g, 0, sizeof *g);
  return i->op->product(&c, g);
}

static bool sum_of(const bp_plan *p, const bpi_instr *i, bpi_reduction *r)
{
  bp_array a[2];
  if (i->tile || !i->op || !i->op->reduction || i->n_in != 1 || i->n_out != 1)
    return false;
  const bp_kernel_call c = call_of(p, i, a);
  return i->op->reduction(&c, r) && r->how == BPI_REDUCE_SUM;
}

static bool is_small_product(const bp_plan *p, const bpi_instr *i)
{
  bpi_gemm g;
  return product_of(p, i, &g) && g.m >= 1 && g.n >= 1 && g.k >= 1 && bpi_gemm_small(&g) && !g.accumulate;
}

static bool is_small_sum(const bp_plan *p, const bpi_instr *i)
{
  bpi_reduction r;
  return sum_of(p, i, &r) && r.outer >= 1 && r.inner >= 1 && r.n >= 1 && r.n <= MOST_ROWS &&
         r.outer * r.n * r.inner <= MOST_SUMMED;
}

bool bpi_code_is_row(const bp_plan *p, const bpi_instr *i)
{
  return is_small_product(p, i) || is_small_sum(p, i);
}

/* op(X) at (row, column), given as expressions. */
static void write_entry(bpi_emit *e, const bpi_operand *x, int64_t ld, bool turned, const char *row,
                        const char *column)
{
  char at[96];
  snprintf(at, sizeof at, "%s * %" PRId64 " + %s", turned ? column : row, ld, turned ? row : column);
  bpi_code_element(e, &e->t, x, at);
}

static const char *fma_of(const bpi_operand *y)
{
  return y->dtype == BP_FLOAT64 ? "bpv_fma_f64" : "bpv_fma_f32";
}

/* sum[] in halves, added up: of as many lanes as anything was added to. */
static void write_fold(bpi_text *t, int64_t most, int64_t lanes)
{
  for (int64_t w = most / 2; w > 0; w /= 2)
    if (w < lanes)
      bpi_textf(t, "for (int j = 0; j < %" PRId64 "; j++)\nsum[j] = sum[j] + sum[j + %" PRId64 "];\n",
                lanes - w < w ? lanes - w : w, w);
}

/* Lanes that a last step does not reach get 0 * 0 from the kernel, so one of them at least is not -0, and then neither is their sum. Here
 * they are left as they are, and 0 is added to the sum, which is the same. */
static void write_lanes_product(bpi_emit *e, const bpi_instr *i, const bpi_gemm *g)
{
  bpi_text *t = &e->t;
  const bpi_operand *y = &i->x[i->n_in];
  const int64_t lanes = g->k < BPI_SMALL_LANES ? g->k : BPI_SMALL_LANES;
  bpi_textf(t, "for (int i = 0; i < %" PRId64 "; i++)\nfor (int o = 0; o < %" PRId64 "; o++) {\n", g->m,
            g->n);
  bpi_textf(t, "%s sum[%" PRId64 "];\nfor (int j = 0; j < %" PRId64 "; j++)\nsum[j] = 0;\n",
            bpi_code_type(y->dtype), lanes, lanes);
  bpi_textf(t, "for (int p = 0; p < %" PRId64 "; p++)\nsum[p %% %d] = %s(", g->k, BPI_SMALL_LANES, fma_of(y));
  write_entry(e, &i->x[0], g->lda, g->ta, "i", "p");
  bpi_textf(t, ", ");
  write_entry(e, &i->x[1], g->ldb, g->tb, "p", "o");
  bpi_textf(t, ", sum[p %% %d]);\n", BPI_SMALL_LANES);
  write_fold(t, BPI_SMALL_LANES, lanes);
  write_entry(e, y, g->ldc, false, "i", "o");
  bpi_textf(t, g->k % BPI_SMALL_LANES ? " = sum[0] + 0" : " = sum[0]");
  if (i->n_in == 3) {
    bpi_textf(t, " + ");
    bpi_code_element(e, t, &i->x[2], "o");
  }
  bpi_textf(t, ";\n}\n");
}

static void write_product(bpi_emit *e, const bpi_instr *i)
{
  bpi_gemm g = {0};
  bpi_text *t = &e->t;
  const bpi_operand *y = &i->x[i->n_in];
  const char *type = bpi_code_type(y->dtype), *fma = fma_of(y);
  product_of(e->p, i, &g);
  bpi_code_declare(e, y);
  if (bpi_gemm_lanes(&g)) {
    write_lanes_product(e, i, &g);
    return;
  }
  bpi_textf(t, "for (int i = 0; i < %" PRId64 "; i++) {\n%s sum[%" PRId64 "];\n", g.m, type, g.n);
  bpi_textf(t, "for (int j = 0; j < %" PRId64 "; j++)\nsum[j] = 0;\n", g.n);
  bpi_textf(t, "for (int p = 0; p < %" PRId64 "; p++)\nfor (int j = 0; j < %" PRId64 "; j++)\nsum[j] = %s(",
            g.k, g.n, fma);
  write_entry(e, &i->x[0], g.lda, g.ta, "i", "p");
  bpi_textf(t, ", ");
  write_entry(e, &i->x[1], g.ldb, g.tb, "p", "j");
  bpi_textf(t, ", sum[j]);\nfor (int j = 0; j < %" PRId64 "; j++)\n", g.n);
  write_entry(e, y, g.ldc, false, "i", "j");
  bpi_textf(t, " = sum[j]");
  if (i->n_in == 3) {
    bpi_textf(t, " + ");
    bpi_code_element(e, t, &i->x[2], "j");
  }
  bpi_textf(t, ";\n}\n");
}

/* Lanes that no element reaches stay 0, and adding 0 changes no sum that began with 0 + x. */
static void write_row_sum(bpi_emit *e, const bpi_instr *i, const bpi_reduction *r)
{
  bpi_text *t = &e->t;
  const int64_t n = r->n, lanes = n < BPI_SUM_LANES ? n : BPI_SUM_LANES;
  const char *type = bpi_code_type(i->x[0].dtype);
  bpi_textf(t, "for (int o = 0; o < %" PRId64 "; o++) {\n%s sum[%" PRId64 "];\n", r->outer, type, lanes);
  bpi_textf(t, "for (int j = 0; j < %" PRId64 "; j++)\nsum[j] = 0;\n", lanes);
  bpi_textf(t, "for (int j = 0; j < %" PRId64 "; j++)\nsum[j %% %d] = sum[j %% %d] + ", n, BPI_SUM_LANES,
            BPI_SUM_LANES);
  char at[64];
  snprintf(at, sizeof at, "o * %" PRId64 " + j", n);
  bpi_code_element(e, t, &i->x[0], at);
  bpi_textf(t, ";\n");
  write_fold(t, BPI_SUM_LANES, lanes);
  bpi_code_element(e, t, &i->x[1], "o");
  bpi_textf(t, " = sum[0];\n}\n");
}

/* Begins with the first row: so a sum of one element is that element, be it -0. */
static void write_column_sum(bpi_emit *e, const bpi_instr *i, const bpi_reduction *r)
{
  bpi_text *t = &e->t;
  char at[128];
  bpi_textf(t, "for (int o = 0; o < %" PRId64 "; o++)\nfor (int j = 0; j < %" PRId64 "; j++) {\n%s sum = ",
            r->outer, r->inner, bpi_code_type(i->x[0].dtype));
  snprintf(at, sizeof at, "o * %" PRId64 " + j", r->n * r->inner);
  bpi_code_element(e, t, &i->x[0], at);
  bpi_textf(t, ";\nfor (int r = 1; r < %" PRId64 "; r++)\nsum = sum + ", r->n);
  snprintf(at, sizeof at, "o * %" PRId64 " + r * %" PRId64 " + j", r->n * r->inner, r->inner);
  bpi_code_element(e, t, &i->x[0], at);
  bpi_textf(t, ";\n");
  snprintf(at, sizeof at, "o * %" PRId64 " + j", r->inner);
  bpi_code_element(e, t, &i->x[1], at);
  bpi_textf(t, " = sum;\n}\n");
}

void bpi_code_write_row(bpi_emit *e, const bpi_instr *i)
{
  bpi_reduction r;
  if (!sum_of(e->p, i, &r)) {
    write_product(e, i);
    return;
  }
  bpi_code_declare(e, &i->x[1]);
  if (r.inner == 1 && r.n > 1)
    write_row_sum(e, i, &r);
  else
    write_column_sum(e, i, &r);
}
