/* Writes the data and the first weights that all contestants get: random, the same on every machine with the same libm.
 *
 *   makedata DIR ROWS SEED WIDTHS     WIDTHS as 784,128,10: inputs first, classes last
 *   makedata FILE.f32 COUNT SEED      numbers of a normal distribution alone */
#include "house/house.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state;

/* splitmix64 (Steele, Lea & Flood 2014) */
static uint64_t draw(void)
{
  uint64_t z = state += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

static double unit(void)
{
  return ((double)(draw() >> 11) + 0.5) * 0x1p-53;
}

static void normal(float *x, size_t n, double scale)
{
  for (size_t i = 0; i < n; i++)
    x[i] = (float)(scale * sqrt(-2 * log(unit())) * cos(6.283185307179586 * unit()));
}

static bool save(const char *dir, const char *name, const void *data, size_t n, size_t size)
{
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", dir, name);
  return write_raw(path, data, n, size);
}

static bool make_network(const char *dir, size_t rows, const char *widths)
{
  int64_t width[NET_LAYERS + 1];
  request r = {.n = 1, .key = {"widths"}, .value = {widths}};
  int layers = request_list(&r, "widths", width, NET_LAYERS + 1) - 1;
  if (layers < 1)
    return false;
  size_t n = rows * (size_t)width[0], total = 0;
  for (int k = 0; k < layers; k++)
    total += (size_t)((width[k] + 1) * width[k + 1]);
  float *x = zeros(n, sizeof *x), *params = zeros(total, sizeof *params), *p = params;
  int64_t *labels = zeros(rows, sizeof *labels);
  normal(x, n, 1);
  for (size_t i = 0; i < rows; i++)
    labels[i] = (int64_t)(draw() % (uint64_t)width[layers]);
  for (int k = 0; k < layers; k++) {
    size_t weights = (size_t)(width[k] * width[k + 1]);
    normal(p, weights, sqrt((k + 1 < layers ? 2.0 : 0.1) / (double)width[k]));
    p += weights + (size_t)width[k + 1];
  }
  bool good = save(dir, "x.f32", x, n, sizeof *x) && save(dir, "labels.i64", labels, rows, sizeof *labels) &&
              save(dir, "params.f32", params, total, sizeof *params);
  free(x);
  free(labels);
  free(params);
  return good;
}

int main(int argc, char **argv)
{
  if (argc < 4) {
    fputs("usage: makedata DIR ROWS SEED WIDTHS | FILE.f32 COUNT SEED\n", stderr);
    return 2;
  }
  size_t n = strtoull(argv[2], NULL, 10);
  state = strtoull(argv[3], NULL, 10);
  if (argc > 4)
    return make_network(argv[1], n, argv[4]) ? 0 : 1;
  float *x = zeros(n, sizeof *x);
  normal(x, n, 1);
  bool good = write_raw(argv[1], x, n, sizeof *x);
  free(x);
  return good ? 0 : 1;
}
