/* Sparse matrices as files of others: Matrix Market (Boisvert, Pozo & Remington 1996), SciPy's .npz, and dense .npy. */
#include "check/jacobian.h"
#include "base/shape.h"
#include "data/npy.h"

#include <string.h>
#include <strings.h>

static double entry(const bp_jacobian *j, int64_t e)
{
  return j->info.real == BP_FLOAT64 ? ((const double *)j->value)[e] : (double)((const float *)j->value)[e];
}

/* ---- Matrix Market: coordinates from 1; of a symmetric matrix the lower triangle ---- */

enum { FLUSH = 1 << 16 };

static int64_t written_entries(const bp_jacobian *j)
{
  int64_t n = 0;
  if (!j->info.hessian)
    return j->info.entries;
  for (int64_t i = 0; i < j->p.rows; i++)
    for (int64_t e = j->p.start[i]; e < j->p.start[i + 1]; e++)
      n += j->p.col[e] <= i;
  return n;
}

static bp_status flush(bpi_save *save, bpi_text *t, size_t most)
{
  if (t->failed)
    return bpi_nomem();
  if (t->n < most)
    return BP_OK;
  bp_status s = bpi_save_write(save, t->s, t->n);
  t->n = 0;
  return s;
}

static bp_status write_mtx(const bp_jacobian *j, bpi_save *save, bpi_text *t)
{
  bpi_textf(t, "%%%%MatrixMarket matrix coordinate real %s\n%% bprop %s\n%lld %lld %lld\n",
            j->info.hessian ? "symmetric" : "general", BP_VERSION, (long long)j->info.rows,
            (long long)j->info.cols, (long long)written_entries(j));
  bp_status s = BP_OK;
  for (int64_t i = 0; i < j->p.rows && s == BP_OK; i++)
    for (int64_t e = j->p.start[i]; e < j->p.start[i + 1] && s == BP_OK; e++) {
      if (j->info.hessian && j->p.col[e] > i)
        break;
      bpi_textf(t, "%lld %lld ", (long long)i + 1, (long long)j->p.col[e] + 1);
      bpi_text_double(t, entry(j, e));
      bpi_text_add(t, "\n", 1);
      s = flush(save, t, FLUSH);
    }
  return s == BP_OK ? flush(save, t, 1) : s;
}

static bp_status save_mtx(const bp_jacobian *j, const char *path)
{
  bpi_save save;
  bpi_text t;
  bp_status s = bpi_save_begin(j->ctx, path, &save);
  if (s != BP_OK)
    return s;
  bpi_text_init(&t, j->ctx);
  s = write_mtx(j, &save, &t);
  bpi_text_free(&t);
  if (s == BP_OK)
    return bpi_save_commit(&save);
  bpi_save_abandon(&save);
  return s;
}

/* ---- .npz as scipy.sparse.save_npz writes a csr_matrix ---- */

static bp_status save_npz(const bp_jacobian *j, const char *path)
{
  size_t n = (size_t)j->info.entries, real = bp_dtype_size(j->info.real);
  const int64_t shape[2] = {j->info.rows, j->info.cols};
  char long_index[BPI_NPY_DESCR], index[BPI_NPY_DESCR], value[BPI_NPY_DESCR];
  bpi_npy_descr(BP_STORE_INT64, long_index);
  bpi_npy_descr(BP_STORE_INT32, index);
  bpi_npy_descr(bp_store_of(j->info.real), value);
  const bpi_npz_member members[] = {
      {"indices.npy", index, 1, {j->info.entries}, j->p.col, n * sizeof *j->p.col},
      {"indptr.npy", long_index, 1, {j->info.rows + 1}, j->p.start, (size_t)(j->info.rows + 1) * 8},
      {"format.npy", "|S3", 0, {0}, "csr", 3},
      {"shape.npy", long_index, 1, {2}, shape, sizeof shape},
      {"data.npy", value, 1, {j->info.entries}, j->value, n * real},
  };
  return bpi_npz_save(j->ctx, path, members, sizeof members / sizeof *members);
}

/* ---- dense .npy ---- */

static const int64_t dense_most = INT64_C(1) << 27;

static bp_status save_npy(const bp_jacobian *j, const char *path)
{
  const int64_t dims[2] = {j->info.rows, j->info.cols};
  int64_t n;
  if (!bpi_size(2, dims, &n) || n > dense_most)
    return bpi_fail(BP_E_LIMIT, "%s: %lld x %lld is too large to be saved dense; save as .npz or .mtx", path,
                    (long long)dims[0], (long long)dims[1]);
  double *dense = bpi_alloc(j->ctx, (size_t)n, sizeof *dense);
  if (!dense)
    return bpi_nomem();
  bp_status s = bp_jacobian_dense(j, dense, (size_t)n);
  bp_ndarray a = {.store = BP_STORE_FLOAT64, .rank = 2, .dims = {dims[0], dims[1]}, .size = n, .data = dense};
  if (s == BP_OK)
    s = bp_npy_save(j->ctx, path, &a);
  bpi_free(j->ctx, dense);
  return s;
}

/* ---- by the end of the name ---- */

static const struct file_form {
  const char *end;
  bp_status (*save)(const bp_jacobian *j, const char *path);
} forms[] = {{".mtx", save_mtx}, {".npz", save_npz}, {".npy", save_npy}};

bp_status bp_jacobian_save(const bp_jacobian *j, const char *path)
{
  if (!j || !path)
    return bpi_bad_arg("bp_jacobian_save", "jacobian or path is NULL");
  if (!j->ran)
    return bpi_fail(BP_E_ORDER, "bp_jacobian_save: no run has succeeded yet, or the last one failed");
  size_t n = strlen(path);
  for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
    if (n > strlen(forms[i].end) && strcasecmp(path + n - strlen(forms[i].end), forms[i].end) == 0)
      return forms[i].save(j, path);
  return bpi_fail(BP_E_UNSUPPORTED, "%s: the end of the name says the format: .mtx, .npz, or .npy (dense)",
                  path);
}
