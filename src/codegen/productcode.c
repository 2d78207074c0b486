/* Small matrix products inside a run: the sums of the kernels, each one chain of multiply-adds along the inner dimension, from 0,
 * then the bias, then what was there (src/kernels/gemm). */
#include "codegen/emit.h"

#include <stdio.h>
#include <string.h>

/* Longer chains may be cut by the kernels; larger products are faster there. */
enum { MOST_INNER = 64, MOST_OUTER = 64, MOST_PRODUCTS = 1024 };

/* The product that an instruction is, without addresses. */
static bool product_of(const bp_plan *p, const bpi_instr *i, bpi_gemm *g)
{
  bp_array a[4];
  if (!i->op || !i->op->product || i->n_in > 3 || i->n_in < 2 || i->n_out != 1)
    return false;
  for (uint32_t k = 0; k < i->n_in + 1; k++) {
    const bpi_operand *x = &i->x[k];
    a[k] = (bp_array){NULL, x->dims, x->strides, x->size, (bp_dtype)x->dtype, x->rank};
  }
  const bp_kernel_call c = {
      .in = a, .out = a + i->n_in, .attr = i->attr, .vec = p->kernels, .n_in = (int)i->n_in, .n_out = 1};
  memset(g, 0, sizeof *g);
  return i->op->product(&c, g);
}

bool bpi_code_is_product(const bp_plan *p, const bpi_instr *i)
{
  bpi_gemm g;
  return product_of(p, i, &g) && g.m >= 1 && g.n >= 1 && g.k >= 1 && g.k <= MOST_INNER && g.m <= MOST_OUTER &&
         g.n <= MOST_OUTER && g.m * g.n * g.k <= MOST_PRODUCTS && !g.accumulate;
}

/* op(X) at (row, column), given as expressions. */
static void write_entry(bpi_emit *e, const bpi_operand *x, int64_t ld, bool turned, const char *row,
                        const char *column)
{
  char at[96];
  snprintf(at, sizeof at, turned ? "%s * %" PRId64 " + %s" : "%s * %" PRId64 " + %s", turned ? column : row,
           ld, turned ? row : column);
  bpi_code_element(e, &e->t, x, at);
}

void bpi_code_write_product(bpi_emit *e, const bpi_instr *i)
{
  bpi_gemm g;
  bpi_text *t = &e->t;
  const bpi_operand *y = &i->x[i->n_in];
  const char *type = bpi_code_type(y->dtype), *fma = y->dtype == BP_FLOAT64 ? "bpv_fma_f64" : "bpv_fma_f32";
  product_of(e->p, i, &g);
  bpi_code_declare(e, y);
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
  e->code->weight += (double)(g.m * g.n * g.k);
}
