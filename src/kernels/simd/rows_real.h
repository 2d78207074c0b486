/* The kernels of rows.c for element type T with suffix S; BITS is its unsigned integer, EXPONENT the exponent's mask.
 * Included by rows.c once for each type. */
#define N(name) BPI_PASTE(name, S)

/* ---- sum and product of contiguous elements ---- */

BPI_INLINE void N(halve)(T *acc, const int w)
{
  for (int j = 0; j < w; j++)
    acc[j] += acc[j + w];
}

/* Folds LANES partial sums in halves. */
static BPI_SHARED T N(fold)(T *acc)
{
  _Static_assert(LANES == 32, "a halving for each power of two below");
  N(halve)(acc, 16);
  N(halve)(acc, 8);
  N(halve)(acc, 4);
  N(halve)(acc, 2);
  return acc[0] + acc[1];
}

static T N(fold_product)(T *acc)
{
  for (int w = LANES / 2; w > 0; w /= 2)
    for (int j = 0; j < w; j++)
      acc[j] = acc[j] * acc[j + w];
  return acc[0];
}

BPI_INLINE T N(leaf)(int64_t n, const T *x, const bool product)
{
  T acc[LANES];
  for (int j = 0; j < LANES; j++)
    acc[j] = product;
  int64_t i = 0;
  for (; i + LANES <= n; i += LANES)
    for (int j = 0; j < LANES; j++)
      acc[j] = product ? acc[j] * x[i + j] : acc[j] + x[i + j];
  for (int j = 0; i + j < n; j++)
    acc[j] = product ? acc[j] * x[i + j] : acc[j] + x[i + j];
  return product ? N(fold_product)(acc) : N(fold)(acc);
}

static BPI_SHARED T N(sum_leaf)(int64_t n, const T *x)
{
  return N(leaf)(n, x, false);
}

static BPI_SHARED T N(prod_leaf)(int64_t n, const T *x)
{
  return N(leaf)(n, x, true);
}

/* The first half of a split: a power of two of chunks. */
static int64_t N(split)(int64_t n, int64_t chunk)
{
  int64_t half = chunk;
  while (2 * half < n)
    half *= 2;
  return half;
}

static T N(sum_of)(int64_t n, const T *x)
{
  if (n == 1)
    return *x; /* its sign too, if it is 0 */
  if (n <= LEAF)
    return N(sum_leaf)(n, x);
  const int64_t half = N(split)(n, LEAF);
  return N(sum_of)(half, x) + N(sum_of)(n - half, x + half);
}

void BPI_SYM(N(bpi_add_lanes))(int64_t first, int64_t n, const void *x, void *lanes)
{
  const T *from = x;
  T *acc = lanes, held[LANES];
  int64_t i = 0;
  for (; i < n && (first + i) % LANES; i++) {
    BPI_ONE_BY_ONE;
    acc[(first + i) % LANES] += from[i];
  }
  memcpy(held, acc, sizeof held);
  for (; i + LANES <= n; i += LANES)
    for (int j = 0; j < LANES; j++)
      held[j] += from[i + j];
  memcpy(acc, held, sizeof held);
  for (int j = 0; i + j < n; j++) {
    BPI_ONE_BY_ONE;
    acc[j] += from[i + j];
  }
}

void BPI_SYM(N(bpi_fold_lanes))(void *lanes, void *leaf)
{
  *(T *)leaf = N(fold)(lanes);
}

/* The tree of sum_of. */
static BPI_SHARED T N(joined)(int64_t n, const T *leaves)
{
  if (n == 1)
    return *leaves;
  const int64_t half = N(split)(n, 1);
  return N(joined)(half, leaves) + N(joined)(n - half, leaves + half);
}

void BPI_SYM(N(bpi_join_leaves))(int64_t n, const void *leaves, void *y)
{
  *(T *)y = N(joined)(n, leaves);
}

static T N(prod_of)(int64_t n, const T *x)
{
  if (n <= LEAF)
    return N(prod_leaf)(n, x);
  const int64_t half = N(split)(n, LEAF);
  return N(prod_of)(half, x) * N(prod_of)(n - half, x + half);
}

/* ---- sum and product down columns: w of them, rows `stride` apart ---- */

BPI_INLINE void N(columns)(int64_t n, int64_t w, int64_t stride, const T *x, T *y, const bool product)
{
  for (int64_t j = 0; j < w; j++)
    y[j] = x[j];
  for (int64_t i = 1; i < n; i++) {
    BPI_APART
    for (int64_t j = 0; j < w; j++)
      y[j] = product ? y[j] * x[i * stride + j] : y[j] + x[i * stride + j];
  }
}

static void N(fold_columns)(bool product, int64_t n, int64_t w, int64_t stride, const T *x, T *y)
{
  if (n <= ROWS) {
    if (product)
      N(columns)(n, w, stride, x, y, true);
    else if (w == COLUMNS)
      N(columns)(n, COLUMNS, stride, x, y, false);
    else
      N(columns)(n, w, stride, x, y, false);
    return;
  }
  const int64_t half = N(split)(n, ROWS);
  T rest[COLUMNS];
  N(fold_columns)(product, half, w, stride, x, y);
  N(fold_columns)(product, n - half, w, stride, x + half * stride, rest);
  for (int64_t j = 0; j < w; j++)
    y[j] = product ? y[j] * rest[j] : y[j] + rest[j];
}

/* ---- maximum and minimum ---- */

/* The better of two, or the one that is NaN. */
BPI_INLINE T N(better)(T a, T b, const bool least)
{
  return ((least ? a < b : a > b) | (a != a)) ? a : b;
}

/* Lanes of w, then folded; the last w elements may meet twice, which changes nothing. n >= w. */
BPI_INLINE T N(extreme_lanes)(const int w, int64_t n, const T *x, const bool least)
{
  T acc[LANES];
  for (int j = 0; j < w; j++)
    acc[j] = x[n - w + j];
  for (int64_t i = 0; i + w <= n; i += w)
    for (int j = 0; j < w; j++)
      acc[j] = N(better)(x[i + j], acc[j], least);
  for (int h = w / 2; h > 0; h /= 2)
    for (int j = 0; j < h; j++)
      acc[j] = N(better)(acc[j], acc[j + h], least);
  return acc[0];
}

BPI_INLINE T N(extreme)(int64_t n, const T *x, const bool least)
{
  if (n >= 2 * LANES)
    return N(extreme_lanes)(LANES, n, x, least);
  if (n >= TAIL)
    return N(extreme_lanes)(TAIL, n, x, least);
  T best = x[0];
  for (int64_t i = 1; i < n; i++)
    best = N(better)(x[i], best, least);
  return best;
}

static BPI_SHARED T N(max_of)(int64_t n, const T *x)
{
  return N(extreme)(n, x, false);
}

static BPI_SHARED T N(min_of)(int64_t n, const T *x)
{
  return N(extreme)(n, x, true);
}

/* Index of the first element equal to v, or of the first NaN if v is one. It is there. */
static int64_t N(first_of)(int64_t n, const T *x, T v)
{
  int64_t at = 0;
  for (; at + COLUMNS <= n; at += COLUMNS) {
    int found = 0;
    for (int j = 0; j < COLUMNS; j++)
      found |= (x[at + j] == v) | ((x[at + j] != x[at + j]) & (v != v));
    if (found)
      break;
  }
  while (at < n - 1 && !(x[at] == v || (x[at] != x[at] && v != v)))
    at++;
  return at;
}

/* Zeros of both signs compare equal: the lowest index decides which one is given. */
static T N(exact)(int64_t n, const T *x, T v)
{
  return v == 0 ? x[N(first_of)(n, x, v)] : v;
}

BPI_INLINE void N(extreme_columns)(int64_t n, int64_t w, int64_t stride, const T *x, T *y, const bool least)
{
  for (int64_t j = 0; j < w; j++)
    y[j] = x[j];
  for (int64_t i = 1; i < n; i++) {
    BPI_APART
    for (int64_t j = 0; j < w; j++) {
      const T v = x[i * stride + j];
      y[j] = ((least ? v < y[j] : v > y[j]) | ((v != v) & (y[j] == y[j]))) ? v : y[j];
    }
  }
}

/* Lowest index of the best, or of the first NaN. */
static BPI_SHARED void N(arg_columns)(int64_t n, int64_t w, int64_t stride, const T *x, int64_t *y,
                                      const bool least)
{
  T best[COLUMNS];
  for (int64_t j = 0; j < w; j++) {
    best[j] = x[j];
    y[j] = 0;
  }
  for (int64_t i = 1; i < n; i++) {
    BPI_APART
    for (int64_t j = 0; j < w; j++) {
      const T v = x[i * stride + j];
      const bool better = (least ? v < best[j] : v > best[j]) | ((v != v) & (best[j] == best[j]));
      best[j] = better ? v : best[j];
      y[j] = better ? i : y[j];
    }
  }
}

/* ---- all of them ---- */

static void N(reduce_row)(bpi_reduce how, int64_t n, const T *x, void *y, int64_t at)
{
  T *value = (T *)y + at;
  switch (how) {
  case BPI_REDUCE_SUM:
    *value = N(sum_of)(n, x);
    break;
  case BPI_REDUCE_PROD:
    *value = N(prod_of)(n, x);
    break;
  case BPI_REDUCE_MAX:
    *value = N(exact)(n, x, N(max_of)(n, x));
    break;
  case BPI_REDUCE_MIN:
    *value = N(exact)(n, x, N(min_of)(n, x));
    break;
  case BPI_REDUCE_ARGMAX:
    ((int64_t *)y)[at] = N(first_of)(n, x, N(max_of)(n, x));
    break;
  case BPI_REDUCE_ARGMIN:
    ((int64_t *)y)[at] = N(first_of)(n, x, N(min_of)(n, x));
    break;
  }
}

static void N(reduce_columns)(bpi_reduce how, int64_t n, int64_t w, int64_t stride, const T *x, void *y,
                              int64_t at)
{
  T *value = (T *)y + at;
  int64_t *index = (int64_t *)y + at;
  switch (how) {
  case BPI_REDUCE_SUM:
    N(fold_columns)(false, n, w, stride, x, value);
    break;
  case BPI_REDUCE_PROD:
    N(fold_columns)(true, n, w, stride, x, value);
    break;
  case BPI_REDUCE_MAX:
    N(extreme_columns)(n, w, stride, x, value, false);
    break;
  case BPI_REDUCE_MIN:
    N(extreme_columns)(n, w, stride, x, value, true);
    break;
  case BPI_REDUCE_ARGMAX:
    N(arg_columns)(n, w, stride, x, index, false);
    break;
  case BPI_REDUCE_ARGMIN:
    N(arg_columns)(n, w, stride, x, index, true);
    break;
  }
}

void BPI_SYM(N(bpi_reduce))(bpi_reduce how, int64_t n, int64_t inner, const void *x, void *y, int64_t begin,
                            int64_t end)
{
  if (n <= 0) {
    for (int64_t i = begin; i < end; i++)
      ((T *)y)[i] = how == BPI_REDUCE_PROD;
    return;
  }
  if (inner == 1) {
    for (int64_t i = begin; i < end; i++)
      N(reduce_row)(how, n, (const T *)x + i * n, y, i);
    return;
  }
  for (int64_t at = begin; at < end;) {
    const int64_t outer = at / inner, column = at % inner;
    int64_t w = inner - column;
    w = w < end - at ? w : end - at;
    w = w < COLUMNS ? w : COLUMNS;
    N(reduce_columns)(how, n, w, inner, (const T *)x + outer * n * inner + column, y, at);
    at += w;
  }
}

/* ---- softmax ---- */

/* One vector's worth: y = exp(x - top), added to acc. */
BPI_INLINE void N(exp_lanes)(const int w, const T *x, T *y, T top, T *acc)
{
  T e[LANES];
  for (int j = 0; j < w; j++)
    e[j] = N(bpv_exp)(x[j] - top);
  for (int j = 0; j < w; j++)
    acc[j] += e[j];
  if (y)
    memcpy(y, e, (size_t)w * sizeof(T));
}

/* y = exp(x - top) unless y is NULL, and their sum; y may be x. The last lanes are taken before anything is written, and
 * written last; those among them that the loop has done already give the same y and add nothing. */
static BPI_SHARED T N(exp_row)(int64_t n, const T *x, T *y, T top)
{
  T acc[LANES] = {0}, last[TAIL], lanes[TAIL];
  const int left = (int)(n % TAIL);
  for (int j = 0; j < TAIL; j++)
    last[j] = x[n >= TAIL ? n - TAIL + j : j < n ? j : 0];
  int64_t i = 0;
  for (; i + LANES <= n; i += LANES)
    N(exp_lanes)(LANES, x + i, y ? y + i : NULL, top, acc);
  for (; i + TAIL <= n; i += TAIL)
    N(exp_lanes)(TAIL, x + i, y ? y + i : NULL, top, acc);
  for (int j = 0; j < TAIL; j++)
    lanes[j] = N(bpv_exp)(last[j] - top);
  const int first = n >= TAIL ? TAIL - left : 0, end = n >= TAIL ? TAIL : left;
  for (int j = 0; j < TAIL; j++)
    acc[j] += ((j >= first) & (j < end)) ? lanes[j] : 0;
  if (y && n >= TAIL)
    memcpy(y + n - TAIL, lanes, sizeof lanes);
  for (int j = 0; y && n < TAIL && j < left; j++)
    y[j] = lanes[j];
  return N(fold)(acc);
}

/* A row of -inf, or with +inf or NaN, has no softmax: all NaN. */
void BPI_SYM(N(bpi_softmax))(int64_t n, const void *x, void *y, int64_t begin, int64_t end)
{
  for (int64_t r = begin; r < end && n > 0; r++) {
    const T *from = (const T *)x + r * n;
    T *to = (T *)y + r * n;
    const T total = N(exp_row)(n, from, to, N(max_of)(n, from));
    for (int64_t i = 0; i < n; i++)
      to[i] = to[i] / total;
  }
}

void BPI_SYM(N(bpi_log_softmax))(int64_t n, const void *x, void *y, int64_t begin, int64_t end)
{
  for (int64_t r = begin; r < end && n > 0; r++) {
    const T *from = (const T *)x + r * n;
    T *to = (T *)y + r * n;
    const T top = N(max_of)(n, from);
    const T log_total = N(bpv_log)(N(exp_row)(n, from, NULL, top));
    BPI_APART
    for (int64_t i = 0; i < n; i++)
      to[i] = (from[i] - top) - log_total;
  }
}

void BPI_SYM(N(bpi_softmax_parts))(int64_t n, const void *x, void *y, void *at)
{
  T *to = y, *parts = at;
  const T top = N(max_of)(n, x), total = N(exp_row)(n, x, to, top);
  for (int64_t i = 0; i < n; i++)
    to[i] = to[i] / total;
  parts[0] = top;
  parts[1] = N(bpv_log)(total);
}

/* ---- finite ---- */

bool BPI_SYM(N(bpi_finite))(int64_t n, const void *x)
{
  const T *from = x;
  for (int64_t at = 0; at < n; at += LEAF) {
    const int64_t m = n - at < LEAF ? n - at : LEAF;
    BITS bad = 0;
    for (int64_t i = 0; i < m; i++)
      bad |= (BITS)((N(bpv_bits)(from[at + i]) & EXPONENT) == EXPONENT);
    if (bad)
      return false;
  }
  return true;
}

#undef N
