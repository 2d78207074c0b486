/* 2-8-1 (tanh, linear output, squared error) on XOR, one example a step: straight scalar C with libm, compiled without -ffast-math, which would make eight exponentials at a time of
 * it. */
#include "handwritten.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct tiny {
  REAL w[8][2], b[8], v[8], c, first[33];
  int at;
} tiny;

static void tiny_restart(tiny *t)
{
  memcpy(t->w, t->first, sizeof t->w);
  memcpy(t->b, t->first + 16, sizeof t->b);
  memcpy(t->v, t->first + 24, sizeof t->v);
  t->c = t->first[32];
  t->at = 0;
}

static void *open_tiny(const request *r, const char **why)
{
  tiny *t = zeros(1, sizeof *t);
  float *first = read_raw(request_text(r, "file", ""), 33, sizeof *first);
  *why = "its data cannot be read";
  for (int i = 0; first && i < 33; i++)
    t->first[i] = first[i];
  if (!first) {
    free(t);
    return NULL;
  }
  free(first);
  tiny_restart(t);
  return t;
}

static REAL hyperbolic(REAL x)
{
  return sizeof(REAL) == sizeof(float) ? (REAL)tanhf((float)x) : (REAL)tanh((double)x);
}

static double tiny_step(tiny *t)
{
  static const REAL examples[4][3] = {{0, 0, 0}, {0, 1, 1}, {1, 0, 1}, {1, 1, 0}};
  const REAL *e = examples[t->at++ & 3], lr = (REAL)0.05;
  REAL h[8], z = t->c;
  for (int j = 0; j < 8; j++) {
    h[j] = hyperbolic(t->w[j][0] * e[0] + t->w[j][1] * e[1] + t->b[j]);
    z += t->v[j] * h[j];
  }
  REAL d = z - e[2], dz = 2 * d;
  for (int j = 0; j < 8; j++) {
    REAL dh = dz * t->v[j] * (1 - h[j] * h[j]);
    t->v[j] -= lr * dz * h[j];
    t->w[j][0] -= lr * dh * e[0];
    t->w[j][1] -= lr * dh * e[1];
    t->b[j] -= lr * dh;
  }
  t->c -= lr * dz;
  return (double)(d * d);
}

static double run_tiny(void *work, long times)
{
  volatile double loss = 0;
  tiny_restart(work);
  double start = now();
  for (long i = 0; i < times; i++)
    loss = tiny_step(work);
  (void)loss;
  return now() - start;
}

static void put_weights(const tiny *t, REAL *after)
{
  memcpy(after, t->w, sizeof t->w);
  memcpy(after + 16, t->b, sizeof t->b);
  memcpy(after + 24, t->v, sizeof t->v);
  after[32] = t->c;
}

/* The weights after one step, the mean loss of the four of the first pass. */
static bool check_tiny(void *work, const char *path, char *said, size_t room)
{
  tiny *t = work;
  double sum = 0;
  REAL after[33];
  tiny_restart(t);
  sum = tiny_step(t);
  put_weights(t, after);
  for (int i = 1; i < 4; i++)
    sum += tiny_step(t);
  snprintf(said, room, "loss=%.9g", sum / 4);
  return write_raw(path, after, 33, sizeof *after);
}

const work_kind straight_kind = {"tiny", open_tiny, run_tiny, check_tiny, free};
