/* Moving elements between strided arrays: dims that lie one after another in both are merged, then the innermost runs in a loop
 * of its own for each element size. */
#include "kernels/copy.h"

#include <string.h>

enum { MOST = 8 };

#define STRIDED_RUN(T)                \
  do {                                \
    const T *s = src;                 \
    T *d = dst;                       \
    if (ss == 0)                      \
      for (int64_t i = 0; i < n; i++) \
        d[i * ds] = *s;               \
    else                              \
      for (int64_t i = 0; i < n; i++) \
        d[i * ds] = s[i * ss];        \
  } while (0)

static void copy_run(int64_t n, size_t elem, const void *src, int64_t ss, void *dst, int64_t ds)
{
  if (ss == 1 && ds == 1)
    memcpy(dst, src, (size_t)n * elem);
  else if (elem == 4)
    STRIDED_RUN(uint32_t);
  else if (elem == 8)
    STRIDED_RUN(uint64_t);
  else
    STRIDED_RUN(uint8_t);
}

/* Copies what remains after merging; rank >= 1. */
static void copy_nested(int rank, const int64_t *dims, size_t elem, const char *src, const int64_t *ss,
                        char *dst, const int64_t *ds)
{
  if (rank == 1) {
    copy_run(dims[0], elem, src, ss[0], dst, ds[0]);
    return;
  }
  for (int64_t i = 0; i < dims[0]; i++)
    copy_nested(rank - 1, dims + 1, elem, src + i * ss[0] * (int64_t)elem, ss + 1,
                dst + i * ds[0] * (int64_t)elem, ds + 1);
}

void bpi_copy_strided(int rank, const int64_t *dims, size_t elem, const void *src, const int64_t *src_strides,
                      void *dst, const int64_t *dst_strides)
{
  int64_t d[MOST], a[MOST], b[MOST];
  int n = 0;
  for (int i = 0; i < rank; i++) {
    if (dims[i] == 0)
      return;
    if (dims[i] == 1)
      continue;
    if (n && a[n - 1] == src_strides[i] * dims[i] && b[n - 1] == dst_strides[i] * dims[i]) {
      d[n - 1] *= dims[i];
      a[n - 1] = src_strides[i];
      b[n - 1] = dst_strides[i];
    } else {
      d[n] = dims[i];
      a[n] = src_strides[i];
      b[n++] = dst_strides[i];
    }
  }
  if (n == 0)
    memcpy(dst, src, elem);
  else
    copy_nested(n, d, elem, src, a, dst, b);
}

void bpi_copy_rows(int rank, const int64_t *dims, size_t elem, const void *src, const int64_t *src_strides,
                   void *dst, const int64_t *dst_strides, int64_t begin, int64_t end)
{
  int64_t d[MOST];
  for (int i = 0; i < rank; i++)
    d[i] = dims[i];
  d[0] = end - begin;
  bpi_copy_strided(rank, d, elem, (const char *)src + begin * src_strides[0] * (int64_t)elem, src_strides,
                   (char *)dst + begin * dst_strides[0] * (int64_t)elem, dst_strides);
}

void bpi_fill(void *dst, int64_t n, size_t elem, const void *value)
{
  if (n > 0)
    copy_run(n, elem, value, 0, dst, 1);
}
