/* The hand-written C: straight loops over OpenBLAS, as someone would write them who knows both. float; -DBENCH_DOUBLE gives the reference that
 * all contestants' numbers are compared with.
 *
 * Weights are [out, in]. Forward: product, then bias and ReLU in one pass. Backward: the loss's gradient takes the place of the logits, a
 * layer's activation gradient the place of its values; SGD's update is the product of the weights' gradient itself (alpha = -lr, beta = 1),
 * Adam's one loop. */
#include "handwritten.h"

#include <cblas.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef BENCH_DOUBLE
#define GEMM cblas_dgemm
#define GEMV cblas_dgemv
#else
#define GEMM cblas_sgemm
#define GEMV cblas_sgemv
#endif

typedef struct net {
  net_work w;
  REAL *x, *params, *grad, *m, *v;
  REAL *weight[NET_LAYERS], *bias[NET_LAYERS], *dweight[NET_LAYERS], *dbias[NET_LAYERS];
  REAL *value[NET_LAYERS]; /* of layer k: [batch, width[k + 1]]; its gradient later */
  int64_t at, t;
} net;

static void restart(net *n)
{
  for (int64_t i = 0; i < n->w.n_params; i++)
    n->params[i] = (REAL)n->w.params[i];
  memset(n->m, 0, (size_t)n->w.n_params * sizeof(REAL));
  memset(n->v, 0, (size_t)n->w.n_params * sizeof(REAL));
  n->at = n->t = 0;
}

static void close_net(void *work)
{
  net *n = work;
  for (int k = 0; k < n->w.layers; k++)
    free(n->value[k]);
  if ((void *)n->x != (void *)n->w.x)
    free(n->x);
  free(n->params);
  free(n->grad);
  free(n->m);
  free(n->v);
  net_work_close(&n->w);
  free(n);
}

static void *open_net(const request *r, const char **why)
{
  net *n = zeros(1, sizeof *n);
  if (!net_work_open(&n->w, r, why)) {
    free(n);
    return NULL;
  }
  size_t total = (size_t)n->w.n_params, inputs = (size_t)(n->w.rows * n->w.inputs);
  n->params = zeros_aligned(total, sizeof(REAL));
  n->grad = zeros_aligned(total, sizeof(REAL));
  n->m = zeros_aligned(total, sizeof(REAL));
  n->v = zeros_aligned(total, sizeof(REAL));
  n->x = sizeof(REAL) == sizeof(float) ? (REAL *)(void *)n->w.x : zeros_aligned(inputs, sizeof(REAL));
  for (size_t i = 0; i < inputs && (void *)n->x != (void *)n->w.x; i++)
    n->x[i] = (REAL)n->w.x[i];
  int64_t at = 0;
  for (int k = 0; k < n->w.layers; k++) {
    n->weight[k] = n->params + at;
    n->dweight[k] = n->grad + at;
    at += n->w.fan_in[k] * n->w.out[k];
    n->bias[k] = n->params + at;
    n->dbias[k] = n->grad + at;
    at += n->w.out[k];
    n->value[k] = zeros_aligned((size_t)(n->w.batch * n->w.out[k]), sizeof(REAL));
  }
  restart(n);
  return n;
}

/* ---- forward ---- */

static void add_bias(REAL *restrict y, const REAL *restrict b, int64_t rows, int64_t cols, bool relu)
{
  for (int64_t i = 0; i < rows; i++, y += cols)
    if (relu)
      for (int64_t j = 0; j < cols; j++) {
        REAL z = y[j] + b[j];
        y[j] = z > 0 ? z : 0;
      }
    else
      for (int64_t j = 0; j < cols; j++)
        y[j] += b[j];
}

static void forward(net *n, const REAL *x, int64_t batch)
{
  for (int k = 0; k < n->w.layers; k++) {
    int in = (int)n->w.fan_in[k], out = (int)n->w.out[k];
    if (batch == 1)
      GEMV(CblasRowMajor, CblasNoTrans, out, in, 1, n->weight[k], in, x, 1, 0, n->value[k], 1);
    else
      GEMM(CblasRowMajor, CblasNoTrans, CblasTrans, (int)batch, out, in, 1, x, in, n->weight[k], in, 0,
           n->value[k], out);
    add_bias(n->value[k], n->bias[k], batch, out, k + 1 < n->w.layers);
    x = n->value[k];
  }
}

/* Mean loss of the batch; the logits become their gradient. */
static double loss_gradient(net *n, const int64_t *labels)
{
  int64_t classes = n->w.out[n->w.layers - 1], batch = n->w.batch;
  REAL *z = n->value[n->w.layers - 1], scale = (REAL)1 / (REAL)batch;
  double loss = 0;
  for (int64_t i = 0; i < batch; i++, z += classes) {
    REAL most = z[0], sum = 0, label = z[labels[i]];
    for (int64_t j = 1; j < classes; j++)
      most = z[j] > most ? z[j] : most;
    for (int64_t j = 0; j < classes; j++) {
      z[j] =
          sizeof(REAL) == sizeof(float) ? (REAL)expf((float)(z[j] - most)) : (REAL)exp((double)(z[j] - most));
      sum += z[j];
    }
    loss += log((double)sum) + (double)(most - label);
    for (int64_t j = 0; j < classes; j++)
      z[j] *= scale / sum;
    z[labels[i]] -= scale;
  }
  return loss / (double)batch;
}

/* ---- backward and update ---- */

static void column_sums(const REAL *restrict g, REAL *restrict sum, int64_t rows, int64_t cols)
{
  memset(sum, 0, (size_t)cols * sizeof(REAL));
  for (int64_t i = 0; i < rows; i++, g += cols)
    for (int64_t j = 0; j < cols; j++)
      sum[j] += g[j];
}

/* dx = (g W) where x > 0, into x. */
static void input_gradient(net *n, int k, REAL *scratch)
{
  int in = (int)n->w.fan_in[k], out = (int)n->w.out[k];
  REAL *x = n->value[k - 1];
  int64_t size = n->w.batch * in;
  GEMM(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)n->w.batch, in, out, 1, n->value[k], out, n->weight[k],
       in, 0, scratch, in);
  for (int64_t i = 0; i < size; i++)
    x[i] = x[i] > 0 ? scratch[i] : 0;
}

static void adam(net *n)
{
  REAL b1 = (REAL)0.9, b2 = (REAL)0.999, eps = (REAL)1e-8;
  REAL c1 = (REAL)(n->w.lr / (1 - pow(0.9, (double)n->t))), c2 = (REAL)(1 / (1 - pow(0.999, (double)n->t)));
  REAL *restrict p = n->params, *restrict m = n->m, *restrict v = n->v;
  const REAL *restrict g = n->grad;
  for (int64_t i = 0; i < n->w.n_params; i++) {
    m[i] = b1 * m[i] + (1 - b1) * g[i];
    v[i] = b2 * v[i] + (1 - b2) * g[i] * g[i];
    p[i] -=
        c1 * m[i] /
        ((sizeof(REAL) == sizeof(float) ? (REAL)sqrtf((float)(c2 * v[i])) : (REAL)sqrt((double)(c2 * v[i]))) +
         eps);
  }
}

/* The layer below must see the weights from before the step, and its values are needed for this gradient: so the product with the values comes
 * first where the update is apart, and goes through scratch where it is not. */
static void weight_product(net *n, int k, const REAL *below, REAL factor, REAL keep, REAL *to)
{
  int in = (int)n->w.fan_in[k], out = (int)n->w.out[k];
  GEMM(CblasRowMajor, CblasTrans, CblasNoTrans, out, in, (int)n->w.batch, factor, n->value[k], out, below, in,
       keep, to, in);
}

static void layer_adam(net *n, int k, const REAL *below, REAL *scratch)
{
  weight_product(n, k, below, 1, 0, n->dweight[k]);
  if (k)
    input_gradient(n, k, scratch);
}

/* The gradient of the weights is added to them as it is made. */
static void layer_sgd(net *n, int k, const REAL *below, REAL *scratch)
{
  int in = (int)n->w.fan_in[k], out = (int)n->w.out[k];
  REAL lr = (REAL)n->w.lr;
  if (k)
    GEMM(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)n->w.batch, in, out, 1, n->value[k], out,
         n->weight[k], in, 0, scratch, in);
  weight_product(n, k, below, -lr, 1, n->weight[k]);
  REAL *restrict y = k ? n->value[k - 1] : NULL;
  for (int64_t i = 0; y && i < n->w.batch * in; i++)
    y[i] = y[i] > 0 ? scratch[i] : 0;
  for (int64_t j = 0; j < out; j++)
    n->bias[k][j] -= lr * n->dbias[k][j];
}

/* Of one activation gradient: the largest so far. */
static REAL *scratch_of(size_t need)
{
  static REAL *scratch;
  static size_t room;
  if (need > room) {
    free(scratch);
    scratch = zeros_aligned(room = need, sizeof(REAL));
  }
  return scratch;
}

static double step(net *n)
{
  const REAL *x = n->x + n->at * n->w.inputs;
  forward(n, x, n->w.batch);
  double loss = loss_gradient(n, n->w.labels + n->at);
  n->t++;
  for (int k = n->w.layers - 1; k >= 0; k--) {
    REAL *scratch = scratch_of((size_t)(n->w.batch * n->w.fan_in[k]));
    column_sums(n->value[k], n->dbias[k], n->w.batch, (int)n->w.out[k]);
    (n->w.adam ? layer_adam : layer_sgd)(n, k, k ? n->value[k - 1] : x, scratch);
  }
  if (n->w.adam)
    adam(n);
  n->at = n->at + 2 * n->w.batch > n->w.rows ? 0 : n->at + n->w.batch;
  return loss;
}

static double run_train(void *work, long times)
{
  net *n = work;
  restart(n);
  double start = now();
  for (long i = 0; i < times; i++)
    step(n);
  return now() - start;
}

/* Weights after one step, and the mean loss of the first pass. */
static bool check_train(void *work, const char *path, char *said, size_t room)
{
  net *n = work;
  restart(n);
  double sum = step(n);
  bool good = write_raw(path, n->params, (size_t)n->w.n_params, sizeof(REAL));
  int64_t steps = n->w.rows / n->w.batch;
  for (int64_t i = 1; i < steps; i++)
    sum += step(n);
  snprintf(said, room, "loss=%.9g", sum / (double)steps);
  restart(n);
  return good;
}

/* ---- inference: logits ---- */

static double run_infer(void *work, long times)
{
  net *n = work;
  double start = now();
  for (long i = 0; i < times; i++) {
    forward(n, n->x + n->at * n->w.inputs, n->w.batch);
    n->at = n->at + 2 * n->w.batch > n->w.rows ? 0 : n->at + n->w.batch;
  }
  return now() - start;
}

static bool check_infer(void *work, const char *path, char *said, size_t room)
{
  net *n = work;
  (void)said;
  (void)room;
  forward(n, n->x, n->w.batch);
  return write_raw(path, n->value[n->w.layers - 1], (size_t)(n->w.batch * n->w.out[n->w.layers - 1]),
                   sizeof(REAL));
}

/* ---- the chain of bench/ours/chain.c: the loop that a compiler makes of the whole formula ---- */

typedef struct chain {
  REAL *x, *y;
  int64_t n;
  bool gradient;
} chain;

static void close_chain(void *work)
{
  chain *c = work;
  free(c->x);
  free(c->y);
  free(c);
}

static void *open_chain(const request *r, const char **why)
{
  chain *c = zeros(1, sizeof *c);
  c->n = request_count(r, "n", 4096);
  c->gradient = request_count(r, "gradient", 0);
  float *x = read_raw(request_text(r, "file", ""), (size_t)c->n, sizeof *x);
  c->x = zeros_aligned((size_t)c->n, sizeof *c->x);
  c->y = zeros_aligned((size_t)c->n, sizeof *c->y);
  for (int64_t i = 0; x && i < c->n; i++)
    c->x[i] = (REAL)x[i];
  free(x);
  if (x)
    return c;
  *why = "its data cannot be read";
  close_chain(c);
  return NULL;
}

static void chain_forward(int64_t n, const REAL *restrict x, REAL *restrict y)
{
  for (int64_t i = 0; i < n; i++) {
    REAL t = x[i] * (REAL)1.5 + (REAL)0.25;
    t = (t > 0 ? t : 0) * x[i] - (REAL)0.5;
    y[i] = t * t * (REAL)0.125 + x[i];
  }
}

static REAL chain_gradient(int64_t n, const REAL *restrict x, REAL *restrict g)
{
  REAL sum = 0;
  for (int64_t i = 0; i < n; i++) {
    REAL a = x[i] * (REAL)1.5 + (REAL)0.25, r = a > 0 ? a : 0, t = r * x[i] - (REAL)0.5;
    sum += t * t * (REAL)0.125 + x[i];
    g[i] = 1 + (REAL)0.25 * t * (r + (a > 0 ? (REAL)1.5 * x[i] : 0));
  }
  return sum;
}

static double run_chain(void *work, long times)
{
  chain *c = work;
  volatile REAL sum = 0;
  double start = now();
  for (long i = 0; i < times; i++) {
    if (c->gradient)
      sum = chain_gradient(c->n, c->x, c->y);
    else
      chain_forward(c->n, c->x, c->y);
    __asm__ volatile("" ::: "memory");
  }
  (void)sum;
  return now() - start;
}

static bool check_chain(void *work, const char *path, char *said, size_t room)
{
  chain *c = work;
  (void)said;
  (void)room;
  run_chain(work, 1);
  return write_raw(path, c->y, (size_t)c->n, sizeof *c->y);
}

int main(void)
{
  const work_kind kinds[] = {{"train", open_net, run_train, check_train, close_net},
                             {"infer", open_net, run_infer, check_infer, close_net},
                             {"chain", open_chain, run_chain, check_chain, close_chain},
                             straight_kind};
  char note[256];
  snprintf(note, sizeof note, "hand-written C over %s, %s", openblas_get_config(), openblas_get_corename());
  return serve(note, kinds, sizeof kinds / sizeof *kinds);
}
