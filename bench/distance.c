/* How far the numbers of one file are from those of another: prints rms and largest difference, both over the rms of the reference.
 *
 *   distance REFERENCE FILE     each of .f32 or .f64, by its name */
#include "house/house.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static double *load(const char *path, size_t *n)
{
  bool wide = strlen(path) > 4 && strcmp(path + strlen(path) - 4, ".f64") == 0;
  size_t size = wide ? sizeof(double) : sizeof(float);
  FILE *f = fopen(path, "rb");
  if (!f || fseek(f, 0, SEEK_END))
    return NULL;
  *n = (size_t)ftell(f) / size;
  fclose(f);
  void *raw = read_raw(path, *n, size);
  if (wide || !raw)
    return raw;
  double *x = zeros(*n, sizeof *x);
  for (size_t i = 0; i < *n; i++)
    x[i] = ((float *)raw)[i];
  free(raw);
  return x;
}

int main(int argc, char **argv)
{
  size_t n = 0, m = 0;
  double *ref = argc == 3 ? load(argv[1], &n) : NULL, *x = ref ? load(argv[2], &m) : NULL;
  if (!x || n != m) {
    fputs("distance: needs two files of as many numbers\n", stderr);
    return 1;
  }
  double sum = 0, all = 0, most = 0;
  for (size_t i = 0; i < n; i++) {
    double d = fabs(x[i] - ref[i]);
    sum += d * d;
    all += ref[i] * ref[i];
    most = d <= most ? most : d; /* NaN wins */
  }
  double rms = sqrt(all / (double)n);
  printf("%.6g %.6g\n", sqrt(sum / (double)n) / rms, most / rms);
  free(ref);
  free(x);
  return 0;
}
