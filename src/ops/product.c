/* Products: matrix product, and what is made of it. */
#include "ops/family.h"

/* ---- matmul: batched over leading axes; a transposed operand is a view, which the kernel takes as it is ---- */

static bp_status matmul_shape(const bp_op_call *c, bp_type *out, int *n_out)
{
  const bp_type *a = &c->x_type[0], *b = &c->x_type[1];
  bp_status s = bpi_shape_real(c, out, n_out);
  if (s != BP_OK)
    return s;
  if (a->rank < 2 || b->rank < 2)
    return bp_op_fail(c, BP_E_SHAPE, "needs matrices; reshape a vector to [n,1] or [1,n], or use dot");
  if (a->dims[a->rank - 1] != b->dims[b->rank - 2])
    return bp_op_fail(c, BP_E_SHAPE, "a has %lld columns, b %lld rows", (long long)a->dims[a->rank - 1], (long long)b->dims[b->rank - 2]);
  bp_type la = *a, lb = *b;
  la.rank -= 2;
  lb.rank -= 2;
  int64_t size;
  if (!bpi_broadcast(&la, &lb, out))
    return bp_op_fail(c, BP_E_SHAPE, "the leading axes do not broadcast");
  out->dtype = BP_REAL;
  out->dims[out->rank++] = a->dims[a->rank - 2];
  out->dims[out->rank++] = b->dims[b->rank - 1];
  return bpi_size(out->rank, out->dims, &size) ? BP_OK : bp_op_fail(c, BP_E_LIMIT, "the result has too many elements");
}

/* Row-major or transposed: one of the last two strides is 1 (or never used), the other long enough. */
static bool matrix_form(const bp_array *x, int64_t *ld, bool *transposed)
{
  int64_t rows = x->dims[x->rank - 2], cols = x->dims[x->rank - 1];
  int64_t rs = x->strides[x->rank - 2], cs = x->strides[x->rank - 1];
  if ((cs == 1 || cols == 1) && (rows == 1 || rs >= cols)) {
    *ld = rows == 1 ? cols : rs;
    *transposed = false;
    return true;
  }
  if ((rs == 1 || rows == 1) && (cols == 1 || cs >= rows)) {
    *ld = cols == 1 ? rows : cs;
    *transposed = true;
    return true;
  }
  return false;
}

static bool matmul_accepts(const bp_kernel_call *c, int input)
{
  int64_t ld;
  bool t;
  return matrix_form(&c->in[input], &ld, &t);
}

/* The product of one pair of matrices, without its addresses. */
static bpi_gemm matmul_of(const bp_kernel_call *c)
{
  const bp_array *a = &c->in[0], *b = &c->in[1], *y = &c->out[0];
  bpi_gemm g = {.m = y->dims[y->rank - 2], .n = y->dims[y->rank - 1], .k = a->dims[a->rank - 1]};
  matrix_form(a, &g.lda, &g.ta);
  matrix_form(b, &g.ldb, &g.tb);
  g.ldc = g.n;
  return g;
}

static int64_t batch_of(const bp_array *y)
{
  return bpi_product(y->dims, 0, y->rank - 2);
}

/* Address of the matrix of x that belongs to number `batch` of the result's leading axes. */
static const void *batch_at(const bp_array *x, const bp_array *y, int64_t batch)
{
  int64_t offset = 0;
  for (int i = y->rank - 3; i >= 0; i--) {
    int64_t at = batch % y->dims[i];
    int k = i - (y->rank - x->rank);
    batch /= y->dims[i];
    if (k >= 0 && x->dims[k] != 1)
      offset += at * x->strides[k];
  }
  return (const char *)x->data + offset * (int64_t)bp_dtype_size(x->dtype);
}

static bp_status matmul_kernel(bp_kernel_call *c)
{
  const bp_array *y = &c->out[0];
  const bpi_kernels *k = c->vec;
  int wide = y->dtype == BP_FLOAT64;
  bpi_gemm g = matmul_of(c);
  int64_t each = k->gemm_units[wide](&g);
  for (int64_t u = c->begin; u < c->end;) {
    int64_t batch = u / each, first = u % each, last = first + (c->end - u);
    last = last > each ? each : last;
    g.a = batch_at(&c->in[0], y, batch);
    g.b = batch_at(&c->in[1], y, batch);
    g.c = (char *)y->data + batch * g.m * g.n * (int64_t)bp_dtype_size(y->dtype);
    k->gemm[wide](&g, first, last, c->scratch);
    u += last - first;
  }
  return BP_OK;
}

static int64_t matmul_units(const bp_kernel_call *c, double *ns)
{
  const bpi_kernels *k = c->vec;
  bpi_gemm g = matmul_of(c);
  int64_t each = k->gemm_units[c->out[0].dtype == BP_FLOAT64](&g);
  *ns = each ? 2.0 * (double)g.m * (double)g.n * (double)g.k / (double)each / 50.0 : 0;
  return each * batch_of(&c->out[0]);
}

static size_t matmul_scratch(const bp_kernel_call *c)
{
  const bpi_kernels *k = c->vec;
  bpi_gemm g = matmul_of(c);
  return k->gemm_scratch[c->out[0].dtype == BP_FLOAT64](&g);
}

static bp_node swap_last(bp_node x)
{
  const bpi_node *v = bpi_slot(x);
  int64_t perm[BP_MAX_RANK];
  if (!v)
    return x;
  int rank = v->type->rank;
  for (int i = 0; i < rank; i++)
    perm[i] = i;
  perm[rank - 1] = rank - 2;
  perm[rank - 2] = rank - 1;
  return bp_transpose(x, perm, rank);
}

/* Sums a gradient over the leading axes along which x was repeated. */
static bp_node sum_leading(bp_node g, const bp_type *x)
{
  const bpi_node *v = bpi_slot(g);
  int64_t axes[BP_MAX_RANK], n = 0;
  if (!v)
    return g;
  int lead = v->type->rank - x->rank;
  for (int i = 0; i < v->type->rank - 2; i++)
    if (i < lead || (x->dims[i - lead] == 1 && v->type->dims[i] != 1))
      axes[n++] = i;
  return n ? bpi_reshape_to(bp_sum(g, axes, n, false), x) : g;
}

static bp_node matmul_vjp(const bp_op_call *c, const bp_node *up, int input)
{
  bp_node g = input ? bp_matmul(swap_last(c->x[0]), up[0]) : bp_matmul(up[0], swap_last(c->x[1]));
  return sum_leading(g, &c->x_type[input]);
}

const bp_op bp_op_matmul = {
    .name = "matmul",
    .math = "y = a b, matrix product over the last two axes; leading axes broadcast",
    .source = "Goto & van de Geijn, Anatomy of High-Performance Matrix Multiplication, 2008",
    .args = "a, b",
    .traits = BP_MULTILINEAR | BP_STRIDED,
    .shape = matmul_shape,
    .accepts = matmul_accepts,
    .kernel = matmul_kernel,
    .units = matmul_units,
    .scratch = matmul_scratch,
    .vjp = matmul_vjp,
    .examples = {"a[2,3], b[3,4]", "a[2,2,3], b[3,2]", "a[3,1,2,3], b[2,3,1]", "a[1,5], b[5,1]", "a[2,0], b[0,3]", "a[0,2], b[2,3]"},
};
