/* Elements of a strided array in row-major order, any range of them. */
#include "plan/plan.h"

#include <string.h>

#define GATHER_RUN(T)                          \
  do {                                         \
    const T *s = (const T *)(const void *)src; \
    T *d = (T *)(void *)dst;                   \
    if (stride == 0)                           \
      for (int64_t i = 0; i < n; i++)          \
        d[i] = *s;                             \
    else                                       \
      for (int64_t i = 0; i < n; i++)          \
        d[i] = s[i * stride];                  \
  } while (0)

static void gather_run(int64_t n, size_t elem, const char *src, int64_t stride, char *dst)
{
  if (stride == 1)
    memcpy(dst, src, (size_t)n * elem);
  else if (elem == 4)
    GATHER_RUN(uint32_t);
  else if (elem == 8)
    GATHER_RUN(uint64_t);
  else
    GATHER_RUN(uint8_t);
}

/* Dims that lie one after another are one. Returns how many are left, at least 1. */
static int merge_dims(const bpi_operand *x, int64_t *dims, int64_t *strides)
{
  int n = 0;
  for (int i = 0; i < x->rank; i++) {
    if (x->dims[i] == 1)
      continue;
    if (n && strides[n - 1] == x->strides[i] * x->dims[i]) {
      dims[n - 1] *= x->dims[i];
      strides[n - 1] = x->strides[i];
    } else {
      dims[n] = x->dims[i];
      strides[n++] = x->strides[i];
    }
  }
  if (n == 0) {
    dims[0] = strides[0] = 1;
    n = 1;
  }
  return n;
}

void bpi_gather_range(const bpi_operand *x, const void *src, void *dst, int64_t begin, int64_t end)
{
  int64_t dims[BP_MAX_RANK + 1], strides[BP_MAX_RANK + 1], at[BP_MAX_RANK + 1];
  size_t elem = bp_dtype_size((bp_dtype)x->dtype);
  char *to = dst;
  if (begin >= end)
    return;
  int n = merge_dims(x, dims, strides);
  int64_t offset = 0, rest = begin;
  for (int i = n - 1; i >= 0; i--) {
    at[i] = rest % dims[i];
    rest /= dims[i];
    offset += at[i] * strides[i];
  }
  while (begin < end) {
    int64_t run = dims[n - 1] - at[n - 1];
    run = run < end - begin ? run : end - begin;
    gather_run(run, elem, (const char *)src + offset * (int64_t)elem, strides[n - 1], to);
    to += (size_t)run * elem;
    begin += run;
    offset += run * strides[n - 1];
    at[n - 1] += run;
    for (int i = n - 1; i > 0 && at[i] == dims[i]; i--) {
      offset += strides[i - 1] - dims[i] * strides[i];
      at[i] = 0;
      at[i - 1]++;
    }
  }
}
