/* Checked arithmetic on sizes and shapes; element types. */
#include "base/shape.h"

#define MAX_ELEMENTS ((int64_t)1 << 48)

static const struct {
  const char *name;
  size_t size;
} dtype_table[BP_DTYPE_COUNT] = {
    [BP_NONE] = {"none", 0}, [BP_REAL] = {"real", 0},       [BP_INT64] = {"int64", 8},
    [BP_BOOL] = {"bool", 1}, [BP_FLOAT32] = {"float32", 4}, [BP_FLOAT64] = {"float64", 8},
};

const char *bp_dtype_name(bp_dtype t)
{
  return (unsigned)t < BP_DTYPE_COUNT ? dtype_table[t].name : "?";
}

size_t bp_dtype_size(bp_dtype t)
{
  return (unsigned)t < BP_DTYPE_COUNT ? dtype_table[t].size : 0;
}

bool bpi_mul(int64_t a, int64_t b, int64_t *out)
{
  return a >= 0 && b >= 0 && !__builtin_mul_overflow(a, b, out);
}

bool bpi_add(int64_t a, int64_t b, int64_t *out)
{
  return a >= 0 && b >= 0 && !__builtin_add_overflow(a, b, out);
}

bool bpi_align_up(size_t n, size_t to, size_t *out)
{
  if (to == 0 || (to & (to - 1)) != 0 || __builtin_add_overflow(n, to - 1, out))
    return false;
  *out &= ~(to - 1);
  return true;
}

bool bpi_size(int rank, const int64_t *dims, int64_t *size)
{
  if (rank < 0 || rank > BP_MAX_RANK)
    return false;
  int64_t product = 1;
  bool empty = false;
  for (int i = 0; i < rank; i++) {
    empty = empty || dims[i] == 0;
    if (!bpi_mul(product, dims[i] ? dims[i] : 1, &product) || product > MAX_ELEMENTS)
      return false;
  }
  *size = empty ? 0 : product;
  return true;
}

int64_t bpi_type_size(const bp_type *t)
{
  int64_t size = 1;
  for (int i = 0; i < t->rank; i++)
    size *= t->dims[i];
  return size;
}

/* A dim of 0 counts as 1, so that stride 0 always means a broadcast axis. */
void bpi_strides(int rank, const int64_t *dims, int64_t *strides)
{
  int64_t step = 1;
  for (int i = rank - 1; i >= 0; i--) {
    strides[i] = step;
    step *= dims[i] ? dims[i] : 1;
  }
}

bool bpi_contiguous(int rank, const int64_t *dims, const int64_t *strides)
{
  int64_t step = 1;
  bool dense = true;
  for (int i = rank - 1; i >= 0; i--) {
    if (dims[i] == 0)
      return true;
    dense = dense && (dims[i] == 1 || strides[i] == step);
    step *= dims[i];
  }
  return dense;
}

bool bpi_same_shape(const bp_type *a, const bp_type *b)
{
  if (a->rank != b->rank)
    return false;
  for (int i = 0; i < a->rank; i++)
    if (a->dims[i] != b->dims[i])
      return false;
  return true;
}

/* Dim i counted from the right; a shape that is too short has ones there. */
static int64_t dim_from_right(const bp_type *t, int i)
{
  return i < t->rank ? t->dims[t->rank - 1 - i] : 1;
}

bool bpi_broadcast(const bp_type *a, const bp_type *b, bp_type *out)
{
  bp_type t = {.dtype = a->dtype, .rank = a->rank > b->rank ? a->rank : b->rank};
  for (int i = 0; i < t.rank; i++) {
    int64_t x = dim_from_right(a, i), y = dim_from_right(b, i);
    if (x != y && x != 1 && y != 1)
      return false;
    t.dims[t.rank - 1 - i] = x == 1 ? y : x;
  }
  *out = t; /* out may be a or b */
  return true;
}

void bpi_text_shape(bpi_text *t, int rank, const int64_t *dims)
{
  bpi_text_add(t, "[", 1);
  for (int i = 0; i < rank; i++)
    bpi_textf(t, i ? ",%lld" : "%lld", (long long)dims[i]);
  bpi_text_add(t, "]", 1);
}

bp_type bpi_type(bp_dtype dtype, int rank, const int64_t *dims)
{
  bp_type t = {.dtype = dtype, .rank = rank};
  for (int i = 0; i < rank && i < BP_MAX_RANK; i++)
    t.dims[i] = dims[i];
  return t;
}
