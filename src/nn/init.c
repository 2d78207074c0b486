/* Initialisers. Each parameter draws from a stream of its own. */
#include "nn/params.h"
#include "base/rng.h"

#include <math.h>
#include <string.h>

/* Of a shape: [out, in] and more axes; a vector counts as [n, 1]. */
static void fans(const bp_type *t, double *in, double *out)
{
  *out = t->rank ? (double)t->dims[0] : 1;
  *in = 1;
  for (int i = 1; i < t->rank; i++)
    *in *= (double)t->dims[i];
}

static void draw_normal(bpi_key k, int64_t n, double scale, double *out)
{
  for (int64_t i = 0; i < n; i++)
    out[i] = scale * bpi_normal(k, (uint64_t)i);
}

static void draw_uniform(bpi_key k, int64_t n, double scale, double *out)
{
  for (int64_t i = 0; i < n; i++)
    out[i] = scale * (2 * bpi_uniform(k, (uint64_t)i) - 1);
}

static void draw_same(int64_t n, double value, double *out)
{
  for (int64_t i = 0; i < n; i++)
    out[i] = value;
}

/* Row 2k+1 is minus row 2k. */
static void mirror(int64_t rows, int64_t cols, double *w)
{
  for (int64_t r = 1; r < rows; r += 2)
    for (int64_t c = 0; c < cols; c++)
      w[r * cols + c] = -w[(r - 1) * cols + c];
}

static double dot_of(int64_t n, const double *a, const double *b, int64_t step)
{
  double s = 0;
  for (int64_t i = 0; i < n; i++)
    s += a[i * step] * b[i * step];
  return s;
}

/* Gram-Schmidt, twice for accuracy, over the rows, or over the columns where there are fewer. A vector that vanishes (never, for
 * normal draws, in practice) stays zero rather than become NaN. */
static void orthogonalise(int64_t rows, int64_t cols, double scale, double *w)
{
  int64_t count = rows < cols ? rows : cols, length = rows < cols ? cols : rows;
  int64_t step = rows < cols ? 1 : cols, next = rows < cols ? cols : 1;
  for (int64_t k = 0; k < count; k++) {
    double *v = w + k * next;
    for (int round = 0; round < 2; round++)
      for (int64_t j = 0; j < k; j++) {
        const double *u = w + j * next;
        double along = dot_of(length, u, v, step);
        for (int64_t i = 0; i < length; i++)
          v[i * step] -= along * u[i * step];
      }
    double norm = sqrt(dot_of(length, v, v, step));
    for (int64_t i = 0; i < length && norm > 0; i++)
      v[i * step] /= norm;
  }
  for (int64_t i = 0; i < rows * cols; i++)
    w[i] *= scale;
}

/* Streams of initialisers lie apart from those of random nodes, which count up from 1. */
enum { INIT_STREAMS = 0x40000000 };

void bpi_init_fill(const bpi_parameter *p, uint64_t seed, uint32_t stream, double *out)
{
  bpi_key k = {.seed = seed, .stream = INIT_STREAMS + stream};
  double in, rows, scale = p->init.scale != 0 ? p->init.scale : 1;
  fans(&p->type, &in, &rows);
  int64_t n = p->size, first = p->type.rank ? p->type.dims[0] : 1;
  bp_init_kind kind = p->init.kind != BP_INIT_DEFAULT ? p->init.kind
                      : p->type.rank < 2              ? BP_INIT_ZEROS
                                                      : BP_INIT_MIRRORED;
  switch (kind) {
  case BP_INIT_GLOROT:
    draw_uniform(k, n, scale * sqrt(6 / (in + rows)), out);
    break;
  case BP_INIT_HE:
  case BP_INIT_MIRRORED:
    draw_normal(k, n, scale * sqrt(2 / in), out);
    if (kind == BP_INIT_MIRRORED)
      mirror(first, n / first, out);
    break;
  case BP_INIT_LECUN:
    draw_normal(k, n, scale * sqrt(1 / in), out);
    break;
  case BP_INIT_ORTHOGONAL:
    draw_normal(k, n, 1, out);
    orthogonalise(first, n / first, scale, out);
    break;
  case BP_INIT_UNIFORM:
    draw_uniform(k, n, scale, out);
    break;
  case BP_INIT_NORMAL:
    draw_normal(k, n, scale, out);
    break;
  default:
    draw_same(n, kind == BP_INIT_CONSTANT ? p->init.scale : 0, out);
  }
}
