/* Products: matrix product, and what is made of it. */
#include "ops/family.h"
#include "kernels/cost.h"

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
    return bp_op_fail(c, BP_E_SHAPE, "a has %lld columns, b %lld rows", (long long)a->dims[a->rank - 1],
                      (long long)b->dims[b->rank - 2]);
  bp_type la = *a, lb = *b;
  la.rank -= 2;
  lb.rank -= 2;
  int64_t size;
  if (!bpi_broadcast(&la, &lb, out))
    return bp_op_fail(c, BP_E_SHAPE, "the leading axes do not broadcast");
  out->dtype = BP_REAL;
  out->dims[out->rank++] = a->dims[a->rank - 2];
  out->dims[out->rank++] = b->dims[b->rank - 1];
  return bpi_size(out->rank, out->dims, &size)
             ? BP_OK
             : bp_op_fail(c, BP_E_LIMIT, "the result has too many elements");
}

/* Row-major or transposed: one of the last two strides is 1, the other long enough. A single row or column lies side by side, as else the
 * way of adding, and with it the bits, would depend on where it comes from. */
static bool matrix_form(const bp_array *x, int64_t *ld, bool *transposed)
{
  int64_t rows = x->dims[x->rank - 2], cols = x->dims[x->rank - 1];
  int64_t rs = x->strides[x->rank - 2], cs = x->strides[x->rank - 1];
  if ((cs == 1 || cols == 1) && (rows == 1 || cols == 0 || rs == cols || (rs > cols && cols > 1))) {
    *ld = rows == 1 ? cols : rs;
    *transposed = false;
    return true;
  }
  if ((rs == 1 || rows == 1) && (cols == 1 || rows == 0 || cs == rows || (cs > rows && rows > 1))) {
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

/* What a product's shapes say, worked out once a run. Of small products a run brings only those in batches or with an end here: the others are
 * loops, found when it binds (find_loop). */
typedef struct kept_product {
  bpi_gemm g;
  int64_t each; /* units of one product */
  bool known;
} kept_product;
_Static_assert(sizeof(kept_product) <= BP_KERNEL_KEPT, "a product fits what is kept for it");

static kept_product *keep_product(const bp_kernel_call *c, bpi_gemm (*of)(const bp_kernel_call *c),
                                  kept_product *room)
{
  kept_product *kept = c->kept ? c->kept : room;
  if (!c->kept)
    room->known = false;
  const bpi_kernels *k = c->vec;
  if (!kept->known) {
    kept->g = of(c);
    kept->each = k->gemm_units[c->out[0].dtype == BP_FLOAT64](&kept->g);
    kept->known = true;
  }
  return kept;
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

static bp_status many_products(const bp_kernel_call *c, const kept_product *kept)
{
  const bp_array *y = &c->out[0];
  const bpi_kernels *k = c->vec;
  bpi_gemm g = kept->g;
  bpi_end end = {0};
  if (c->finish) {
    end = *(const bpi_end *)c->finish;
    g.end = &end;
  }
  int64_t each = kept->each;
  for (int64_t u = c->begin; u < c->end;) {
    int64_t batch = u / each, first = u % each, last = first + (c->end - u);
    last = last > each ? each : last;
    g.a = batch_at(&c->in[0], y, batch);
    g.b = batch_at(&c->in[1], y, batch);
    g.c = y->data ? (char *)y->data + batch * g.m * g.n * (int64_t)bp_dtype_size(y->dtype) : NULL;
    end.row = batch * g.m;
    k->gemm[y->dtype == BP_FLOAT64](&g, first, last, c->scratch);
    u += last - first;
  }
  return BP_OK;
}

/* One product, or as many as the leading axes say. */
static bp_status matmul_kernel(bp_kernel_call *c)
{
  const bp_array *y = &c->out[0];
  const bpi_kernels *k = c->vec;
  kept_product room, *kept = keep_product(c, matmul_of, &room);
  if (y->rank > 2)
    return many_products(c, kept);
  bpi_gemm *g = &kept->g;
  g->a = c->in[0].data;
  g->b = c->in[1].data;
  g->c = y->data;
  g->end = c->finish;
  k->gemm[y->dtype == BP_FLOAT64](g, c->begin, c->end, c->scratch);
  return BP_OK;
}

static int64_t matmul_units(const bp_kernel_call *c, double *ns)
{
  const bpi_kernels *k = c->vec;
  bpi_gemm g = matmul_of(c);
  int64_t each = k->gemm_units[c->out[0].dtype == BP_FLOAT64](&g);
  double elem = (double)bp_dtype_size(c->out[0].dtype);
  *ns = each ? bpi_product_ns((double)g.m, (double)g.n, (double)g.k, elem) / (double)each : 0;
  return each * batch_of(&c->out[0]);
}

/* A product and a sum for each element and each inner step. */
static double matmul_flops(const bp_kernel_call *c)
{
  const bp_array *a = &c->in[0];
  return 2.0 * (double)c->out[0].size * (double)a->dims[a->rank - 1];
}

static size_t matmul_scratch(const bp_kernel_call *c)
{
  const bpi_kernels *k = c->vec;
  bpi_gemm g = matmul_of(c);
  g.c = c->finish ? NULL : &g; /* regions may have to be kept */
  return k->gemm_scratch[c->out[0].dtype == BP_FLOAT64](&g);
}

static bool matmul_product(const bp_kernel_call *c, bpi_gemm *g)
{
  *g = matmul_of(c);
  return batch_of(&c->out[0]) == 1;
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

/* Rows of a, or matrices of b, each make their own part of the result, unless they are used again along the leading axes. */
static bp_jac matmul_jacobian(const bp_op_call *c, int input, int result)
{
  (void)result;
  const bp_type *x = &c->x_type[input], *y = &c->y_type[0];
  int64_t parts = bpi_product(y->dims, 0, y->rank - 2);
  if (bpi_product(x->dims, 0, x->rank - 2) != parts)
    return BP_JAC_DENSE;
  return parts * (input ? 1 : y->dims[y->rank - 2]) > 1 ? BP_JAC_BLOCK : BP_JAC_DENSE;
}

/* Axes of the result, the one summed over before the last: a has stride 0 along the columns, b along the rows. */
static bool matmul_reach(const bp_op_call *c, int input, int result, bp_reach *r)
{
  (void)result;
  const bp_type *a = &c->x_type[0], *b = &c->x_type[1], *y = &c->y_type[0];
  int64_t sa[BP_MAX_RANK], sb[BP_MAX_RANK], sy[BP_MAX_RANK];
  int lead = y->rank - 2, n = 0;
  bpi_strides(a->rank, a->dims, sa);
  bpi_strides(b->rank, b->dims, sb);
  bpi_strides(y->rank, y->dims, sy);
  for (int i = 0; i < lead; i++, n++) {
    int ia = i - (y->rank - a->rank), ib = i - (y->rank - b->rank);
    r->dims[n] = y->dims[i];
    r->y[n] = sy[i];
    r->x[n] = ia < 0 || a->dims[ia] == 1 ? 0 : sa[ia];
    r->w[n] = ib < 0 || b->dims[ib] == 1 ? 0 : sb[ib];
  }
  int64_t dims[3] = {y->dims[lead], a->dims[a->rank - 1], y->dims[lead + 1]};
  int64_t of_a[3] = {dims[1], 1, 0}, of_b[3] = {0, dims[2], 1}, of_y[3] = {dims[2], 0, 1};
  for (int i = 0; i < 3; i++, n++) {
    r->dims[n] = dims[i];
    r->y[n] = of_y[i];
    r->x[n] = of_a[i];
    r->w[n] = of_b[i];
  }
  for (int i = 0; input == 1 && i < n; i++) {
    int64_t x = r->x[i];
    r->x[i] = r->w[i];
    r->w[i] = x;
  }
  r->rank = n;
  r->factor = 2 - input;
  return true;
}

const bp_op bp_op_matmul = {
    .name = "matmul",
    .math = "y = a b, matrix product over the last two axes; leading axes broadcast",
    .symbol = "@",
    .source = "Goto & van de Geijn, Anatomy of High-Performance Matrix Multiplication, 2008",
    .args = "a, b",
    .traits = BP_MULTILINEAR | BP_STRIDED | BP_TOTAL | BP_ENDED,
    .shape = matmul_shape,
    .accepts = matmul_accepts,
    .kernel = matmul_kernel,
    .units = matmul_units,
    .flops = matmul_flops,
    .scratch = matmul_scratch,
    .product = matmul_product,
    .jacobian = matmul_jacobian,
    .reach = matmul_reach,
    .vjp = matmul_vjp,
    .examples = {"a[2,3], b[3,4]", "a[2,2,3], b[3,2]", "a[3,1,2,3], b[2,3,1]", "a[1,5], b[5,1]",
                 "a[2,0], b[0,3]", "a[0,2], b[2,3]"},
};

/* ---- linear: the layer x W' + b; rows of W, of shape [out, in], are the templates that x is compared with ---- */

static bp_status linear_shape(const bp_op_call *c, bp_type *out, int *n_out)
{
  const bp_type *x = &c->x_type[0], *w = &c->x_type[1], *b = &c->x_type[2];
  int64_t size;
  bp_status s = bpi_shape_real(c, out, n_out);
  if (s != BP_OK)
    return s;
  if (x->rank < 1 || w->rank != 2 || b->rank != 1)
    return bp_op_fail(c, BP_E_SHAPE, "needs x [..., in], W [out, in] and b [out]");
  if (x->dims[x->rank - 1] != w->dims[1] || b->dims[0] != w->dims[0])
    return bp_op_fail(
        c, BP_E_SHAPE, "x gives %lld features where W takes %lld, or W makes %lld where b has %lld",
        (long long)x->dims[x->rank - 1], (long long)w->dims[1], (long long)w->dims[0], (long long)b->dims[0]);
  out->dims[out->rank - 1] = w->dims[0];
  return bpi_size(out->rank, out->dims, &size)
             ? BP_OK
             : bp_op_fail(c, BP_E_LIMIT, "the result has too many elements");
}

/* One matrix product: the leading axes of x are its rows. W may be a transposed view; x and b lie contiguous. */
static bpi_gemm linear_of(const bp_kernel_call *c)
{
  const bp_array *x = &c->in[0], *w = &c->in[1], *y = &c->out[0];
  bool stored_transposed = false;
  bpi_gemm g = {.m = bpi_product(x->dims, 0, x->rank - 1), .n = w->dims[0], .k = w->dims[1]};
  matrix_form(w, &g.ldb, &stored_transposed);
  g.a = x->data;
  g.b = w->data;
  g.bias = c->in[2].data;
  g.c = y->data;
  g.end = c->finish;
  g.lda = g.k;
  g.ldc = g.n;
  g.tb = !stored_transposed;
  return g;
}

static bool linear_accepts(const bp_kernel_call *c, int input)
{
  const bp_array *x = &c->in[input];
  return input == 1 ? matmul_accepts(c, 1) : bpi_contiguous(x->rank, x->dims, x->strides);
}

static bp_status linear_kernel(bp_kernel_call *c)
{
  const bpi_kernels *k = c->vec;
  kept_product room, *kept = keep_product(c, linear_of, &room);
  bpi_gemm *g = &kept->g;
  g->a = c->in[0].data;
  g->b = c->in[1].data;
  g->bias = c->in[2].data;
  g->c = c->out[0].data;
  g->end = c->finish;
  k->gemm[c->out[0].dtype == BP_FLOAT64](g, c->begin, c->end, c->scratch);
  return BP_OK;
}

static int64_t linear_units(const bp_kernel_call *c, double *ns)
{
  const bpi_kernels *k = c->vec;
  bpi_gemm g = linear_of(c);
  int64_t units = k->gemm_units[c->out[0].dtype == BP_FLOAT64](&g);
  double elem = (double)bp_dtype_size(c->out[0].dtype);
  *ns = units ? bpi_product_ns((double)g.m, (double)g.n, (double)g.k, elem) / (double)units : 0;
  return units;
}

static size_t linear_scratch(const bp_kernel_call *c)
{
  const bpi_kernels *k = c->vec;
  bpi_gemm g = linear_of(c);
  g.c = c->finish ? NULL : &g;
  return k->gemm_scratch[c->out[0].dtype == BP_FLOAT64](&g);
}

static bool linear_product(const bp_kernel_call *c, bpi_gemm *g)
{
  *g = linear_of(c);
  return true;
}

/* A node of any rank from 1 as a matrix: its leading axes are one. */
static bp_node as_rows(bp_node x)
{
  const bpi_node *v = bpi_slot(x);
  if (!v || v->type->rank == 2)
    return x;
  int64_t dims[2] = {bpi_product(v->type->dims, 0, v->type->rank - 1), v->type->dims[v->type->rank - 1]};
  return bp_reshape(x, dims, 2);
}

static bp_status linear_expand(const bp_op_call *c, bp_node *out)
{
  bp_node y = bp_add(bp_matmul(as_rows(c->x[0]), swap_last(c->x[1])), c->x[2]);
  *out = bpi_reshape_to(y, &c->y_type[0]);
  return BP_OK;
}

static bp_node linear_vjp(const bp_op_call *c, const bp_node *up, int input)
{
  bp_node u = as_rows(up[0]);
  int64_t rows = 0;
  if (input == 0)
    return bpi_reshape_to(bp_matmul(u, c->x[1]), &c->x_type[0]);
  return input == 1 ? bp_matmul(swap_last(u), as_rows(c->x[0])) : bp_sum(u, &rows, 1, false);
}

static bp_jac linear_jacobian(const bp_op_call *c, int input, int result)
{
  (void)result;
  bool one = bpi_product(c->x_type[0].dims, 0, c->x_type[0].rank - 1) == 1;
  if (input == 2)
    return one ? BP_JAC_IDENTITY : BP_JAC_SELECT;
  return input == 0 && !one ? BP_JAC_BLOCK : BP_JAC_DENSE;
}

/* Over rows of x, outputs, features; the bias has no features. */
static bool linear_reach(const bp_op_call *c, int input, int result, bp_reach *r)
{
  (void)result;
  const bp_type *x = &c->x_type[0];
  int64_t out = c->x_type[1].dims[0], in = c->x_type[1].dims[1];
  const bp_reach by_x = {.x = {in, 0, 1}, .w = {0, in, 1}, .factor = 2};
  const bp_reach by_w = {.x = {0, in, 1}, .w = {in, 0, 1}, .factor = 1}, by_b = {.x = {0, 1}};
  *r = input == 0 ? by_x : input == 1 ? by_w : by_b;
  r->rank = input == 2 ? 2 : 3;
  r->dims[0] = bpi_product(x->dims, 0, x->rank - 1);
  r->dims[1] = out;
  r->dims[2] = in;
  r->y[0] = out;
  r->y[1] = 1;
  return true;
}

const bp_op bp_op_linear = {
    .name = "linear",
    .math = "y = x W' + b for x [..., in], W [out, in], b [out]",
    .source = "Rosenblatt 1958",
    .args = "x, W, b",
    .traits = BP_STRIDED | BP_TOTAL | BP_ENDED,
    .shape = linear_shape,
    .accepts = linear_accepts,
    .kernel = linear_kernel,
    .units = linear_units,
    .flops = matmul_flops,
    .scratch = linear_scratch,
    .product = linear_product,
    .jacobian = linear_jacobian,
    .reach = linear_reach,
    .vjp = linear_vjp,
    .expand = linear_expand,
    .examples = {"x[2,3], W[4,3], b[4]", "x[3], W[2,3], b[2]", "x[2,2,3], W[1,3], b[1]",
                 "x[0,3], W[2,3], b[2]", "x[2,0], W[3,0], b[3]"},
};

/* ---- dot: NumPy's, for vectors and matrices ---- */

static bp_status dot_shape(const bp_op_call *c, bp_type *out, int *n_out)
{
  const bp_type *a = &c->x_type[0], *b = &c->x_type[1];
  int64_t size;
  bp_status s = bpi_shape_real(c, out, n_out);
  if (s != BP_OK)
    return s;
  if (a->rank < 1 || a->rank > 2 || b->rank < 1 || b->rank > 2)
    return bp_op_fail(c, BP_E_SHAPE,
                      "takes vectors and matrices; scalars multiply by mul, batches by matmul");
  if (a->dims[a->rank - 1] != b->dims[0])
    return bp_op_fail(c, BP_E_SHAPE, "the last axis of a has %lld elements, the first of b %lld",
                      (long long)a->dims[a->rank - 1], (long long)b->dims[0]);
  *out = (bp_type){.dtype = BP_REAL};
  if (a->rank == 2)
    out->dims[out->rank++] = a->dims[0];
  if (b->rank == 2)
    out->dims[out->rank++] = b->dims[1];
  return bpi_size(out->rank, out->dims, &size)
             ? BP_OK
             : bp_op_fail(c, BP_E_LIMIT, "the result has too many elements");
}

static bp_status dot_expand(const bp_op_call *c, bp_node *out)
{
  bp_node a = c->x_type[0].rank == 1 ? bpi_insert_axis(c->x[0], 0) : c->x[0];
  bp_node b = c->x_type[1].rank == 1 ? bpi_insert_axis(c->x[1], 1) : c->x[1];
  *out = bpi_reshape_to(bp_matmul(a, b), &c->y_type[0]);
  return BP_OK;
}

const bp_op bp_op_dot = {
    .name = "dot",
    .math = "y = sum of a b over the last axis of a and the first of b, for vectors and matrices",
    .symbol = "dot",
    .source = "NumPy dot, ranks 1 and 2",
    .args = "a, b",
    .traits = BP_MULTILINEAR,
    .shape = dot_shape,
    .expand = dot_expand,
    .examples = {"a[5], b[5]", "a[2,3], b[3]", "a[3], b[3,2]", "a[2,3], b[3,2]", "a[0], b[0]"},
};

/* ---- outer ---- */

static bp_status outer_shape(const bp_op_call *c, bp_type *out, int *n_out)
{
  const bp_type *a = &c->x_type[0], *b = &c->x_type[1];
  int64_t size;
  bp_status s = bpi_shape_number(c, out, n_out);
  if (s != BP_OK)
    return s;
  if (a->rank != 1 || b->rank != 1)
    return bp_op_fail(c, BP_E_SHAPE, "takes two vectors");
  *out = (bp_type){.dtype = a->dtype, .rank = 2, .dims = {a->dims[0], b->dims[0]}};
  return bpi_size(2, out->dims, &size) ? BP_OK
                                       : bp_op_fail(c, BP_E_LIMIT, "the result has too many elements");
}

static bp_status outer_expand(const bp_op_call *c, bp_node *out)
{
  *out = bp_mul(bpi_insert_axis(c->x[0], 1), c->x[1]);
  return BP_OK;
}

const bp_op bp_op_outer = {
    .name = "outer",
    .math = "y[i,j] = a[i] b[j]",
    .source = "NumPy outer",
    .args = "a, b",
    .traits = BP_MULTILINEAR,
    .shape = outer_shape,
    .jacobian = bpi_jac_select,
    .expand = outer_expand,
    .examples = {"a[3], b[4]", "a[1], b[2]", "a[0], b[3]", "a[2] int -5..5, b[3] int -5..5"},
};
