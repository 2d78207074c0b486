/* Packing and turning for element type T with suffix S; included by gemm.c. */

/* Panel of an operand whose columns lie side by side: x at its first step and column. Columns past the last are zero: their
 * sums are never stored. */
static void N(pack_plain)(int64_t k, int columns, const T *x, int64_t ld, T *to)
{
  if (columns != NR)
    memset(to, 0, (size_t)(k * NR) * sizeof(T));
  for (int64_t p = 0; p < k; p++, x += ld, to += NR) {
    if (columns == NR) {
      *(U *)to = *(const U *)x;
      *(U *)(to + VN) = *(const U *)(x + VN);
    } else {
      for (int j = 0; j < columns; j++)
        to[j] = x[j];
    }
  }
}

/* The first VN columns of an operand whose inner steps lie side by side; steps: a multiple of TURN. */
BPI_INLINE void N(pack_half)(int64_t steps, const T *x, int64_t ld, T *to)
{
  for (int64_t p = 0; p < steps; p += TURN) {
    V v[TURN];
    N(bpi_turn)(x + p, ld, v);
#pragma GCC unroll 4
    for (int q = 0; q < TURN; q++)
      *(U *)(to + (p + q) * NR) = v[q];
  }
}

/* Panel of an operand whose inner steps lie side by side. */
static void N(pack_turned)(int64_t k, int columns, const T *x, int64_t ld, T *to)
{
  const int64_t whole = k / TURN * TURN;
  int done = 0;
  if (columns != NR)
    memset(to, 0, (size_t)(k * NR) * sizeof(T));
  for (; done + VN <= columns; done += VN) {
    N(pack_half)(whole, x + done * ld, ld, to + done);
    for (int64_t p = whole; p < k; p++)
      for (int j = done; j < done + VN; j++)
        to[p * NR + j] = x[j * ld + p];
  }
  for (int j = done; j < columns; j++)
    for (int64_t p = 0; p < k; p++)
      to[p * NR + j] = x[j * ld + p];
}

/* Rows that lie badly are copied to a block whose rows lie well. */
static void N(copy_rows)(int64_t rows, int64_t width, const T *x, int64_t ld, T *to, int64_t to_ld)
{
  for (int64_t i = 0; i < rows; i++, x += ld, to += to_ld)
    memcpy(to, x, (size_t)width * sizeof(T));
}

/* Rows whose elements of one inner step lie side by side, in tiles of MR one after another: [steps][MR]. x is gone through a few
 * steps at a time, so that its lines are read once. */
static void N(copy_tiles)(int64_t rows, int64_t k, const T *x, int64_t ld, T *to)
{
  enum { FEW = 8 };
  for (int64_t p = 0; p < k; p += FEW)
    for (int64_t i = 0; i < rows; i += MR)
      for (int64_t q = p; q < p + FEW && q < k; q++) {
        if (rows - i >= MR)
          memcpy(to + i * k + q * MR, x + q * ld + i, MR * sizeof(T));
        else
          memcpy(to + i * k + q * MR, x + q * ld + i, (size_t)(rows - i) * sizeof(T));
      }
}

/* C[j, i] = x[i, j] (+ bias[i]) (+ C[j, i]) for i < rows, j < columns: what was computed transposed comes home. x has whole
 * vectors of rows and columns, whatever is in the rest of them. */
static void N(turn_out)(int64_t rows, int64_t columns, const T *x, int64_t ld, const N(tile) * t)
{
  for (int64_t i = 0; i < rows; i += VN)
    for (int64_t j = 0; j < columns; j += TURN) {
      V v[TURN];
      N(bpi_turn)(x + i * ld + j, ld, v);
      for (int64_t q = 0; q < TURN && j + q < columns; q++) {
        T *c = t->c + (j + q) * t->ldc;
        if (i + VN <= rows)
          N(put)(t, c, (int)i, v[q]);
        else
          N(put_some)(t, c, i, rows - i, (const T *)&v[q]);
      }
    }
}
