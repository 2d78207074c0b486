/* Writes the data and the first weights that all contestants get: random, the same on every machine with the same libm.
 *
 *   makedata DIR ROWS SEED INPUTS LAYERS     LAYERS as 784x128,128x10: inputs of a unit and units, of each layer with weights
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

static bool make_network(const char *dir, size_t rows, size_t inputs, const char *spec)
{
  int64_t fan_in[NET_LAYERS], out[NET_LAYERS];
  int layers = read_layers(spec, fan_in, out, NET_LAYERS);
  if (layers < 1)
    return false;
  size_t total = 0;
  for (int k = 0; k < layers; k++)
    total += (size_t)((fan_in[k] + 1) * out[k]);
  float *x = zeros(rows * inputs, sizeof *x), *params = zeros(total, sizeof *params), *p = params;
  int64_t *labels = zeros(rows, sizeof *labels);
  normal(x, rows * inputs, 1);
  for (size_t i = 0; i < rows; i++)
    labels[i] = (int64_t)(draw() % (uint64_t)out[layers - 1]);
  for (int k = 0; k < layers; k++) {
    size_t weights = (size_t)(fan_in[k] * out[k]);
    normal(p, weights, sqrt((k + 1 < layers ? 2.0 : 0.1) / (double)fan_in[k]));
    p += weights + (size_t)out[k];
  }
  bool good = save(dir, "x.f32", x, rows * inputs, sizeof *x) &&
              save(dir, "labels.i64", labels, rows, sizeof *labels) &&
              save(dir, "params.f32", params, total, sizeof *params);
  free(x);
  free(labels);
  free(params);
  return good;
}

int main(int argc, char **argv)
{
  if (argc < 4) {
    fputs("usage: makedata DIR ROWS SEED INPUTS LAYERS | FILE.f32 COUNT SEED\n", stderr);
    return 2;
  }
  size_t n = strtoull(argv[2], NULL, 10);
  state = strtoull(argv[3], NULL, 10);
  if (argc > 5)
    return make_network(argv[1], n, strtoull(argv[4], NULL, 10), argv[5]) ? 0 : 1;
  float *x = zeros(n, sizeof *x);
  normal(x, n, 1);
  bool good = write_raw(argv[1], x, n, sizeof *x);
  free(x);
  return good ? 0 : 1;
}
