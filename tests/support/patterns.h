/* Patterns of sparse matrices for tests: made by hand, banded, random. */
#ifndef TEST_PATTERNS_H
#define TEST_PATTERNS_H

#include "check/csr.h"

#include <stdlib.h>
#include <string.h>

/* A small generator of its own, so that failures can be repeated from their seed. */
static inline uint64_t pattern_random(uint64_t *state)
{
  uint64_t z = (*state += 0x9E3779B97F4A7C15u);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

/* The pattern of a grid of bytes. */
static inline bpi_csr pattern_of_grid(bpi_arena *a, const char *grid, int64_t rows, int64_t cols)
{
  bpi_csr p = {.rows = rows, .cols = cols};
  int64_t n = 0;
  p.start = bpi_arena_alloc(a, (size_t)rows + 1, sizeof *p.start);
  for (int64_t k = 0; k < rows * cols; k++)
    n += grid[k] != 0;
  p.col = bpi_arena_alloc(a, (size_t)n + 1, sizeof *p.col);
  n = 0;
  for (int64_t i = 0; i < rows; i++) {
    for (int64_t j = 0; j < cols; j++)
      if (grid[i * cols + j])
        p.col[n++] = (int32_t)j;
    p.start[i + 1] = n;
  }
  return p;
}

typedef int (*pattern_rule)(int64_t i, int64_t j, int64_t n);

static inline bpi_csr pattern_by_rule(bpi_arena *a, pattern_rule rule, int64_t rows, int64_t cols, int64_t n)
{
  char *grid = calloc((size_t)(rows * cols) + 1, 1);
  for (int64_t i = 0; i < rows; i++)
    for (int64_t j = 0; j < cols; j++)
      grid[i * cols + j] = rule(i, j, n) != 0;
  bpi_csr p = pattern_of_grid(a, grid, rows, cols);
  free(grid);
  return p;
}

/* Random: any density, some rows and columns much fuller than the rest. */
static inline bpi_csr pattern_at_random(bpi_arena *a, uint64_t seed, bool symmetric)
{
  uint64_t s = seed;
  int64_t rows = (int64_t)(pattern_random(&s) % 24),
          cols = symmetric ? rows : (int64_t)(pattern_random(&s) % 24);
  uint64_t density = pattern_random(&s) % 100, full = pattern_random(&s) % 4;
  char *grid = calloc((size_t)(rows * cols) + 1, 1);
  for (int64_t i = 0; i < rows; i++)
    for (int64_t j = 0; j < cols; j++) {
      bool dense = full && (pattern_random(&s) % 2 ? i : j) % 11 < (int64_t)full;
      grid[i * cols + j] = pattern_random(&s) % 100 < (dense ? 90 : density / 2);
    }
  for (int64_t i = 0; symmetric && i < rows; i++)
    for (int64_t j = 0; j < i; j++)
      grid[i * cols + j] = grid[j * cols + i];
  bpi_csr p = pattern_of_grid(a, grid, rows, cols);
  free(grid);
  return p;
}

static inline int rule_band(int64_t i, int64_t j, int64_t n)
{
  return i - j <= n && j - i <= n;
}

/* First row, first column and the diagonal. */
static inline int rule_arrow(int64_t i, int64_t j, int64_t n)
{
  (void)n;
  return i == j || i == 0 || j == 0;
}

static inline int rule_blocks(int64_t i, int64_t j, int64_t n)
{
  return i / n == j / n;
}

static inline int rule_dense(int64_t i, int64_t j, int64_t n)
{
  (void)i;
  (void)j;
  (void)n;
  return 1;
}

/* The five-point stencil on a grid of n columns. */
static inline int rule_stencil(int64_t i, int64_t j, int64_t n)
{
  int64_t far =
      (i / n > j / n ? i / n - j / n : j / n - i / n) + (i % n > j % n ? i % n - j % n : j % n - i % n);
  return far <= 1;
}

#endif
