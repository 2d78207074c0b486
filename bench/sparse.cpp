/* The tridiagonal functions of bench/sparse.c by ADOL-C with ColPack: sparse_jac with repeat = 1, so that the tape, the pattern and the
 * colouring are made beforehand, by columns and by rows. Output as that of bench/sparse.c. */
#include <adolc/adolc.h>
#include <adolc/adolc_sparse.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <vector>

enum { N = 2048, BATCHES = 31 };

static double seconds()
{
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

template <class T> static T broyden(const T &left, const T &x, const T &right)
{
  return (3 - 2 * x) * x - left - 2 * right + 1;
}

template <class T> static T trigexp(const T &left, const T &x, const T &right)
{
  return x * (4 + 3 * x * x) + 2 * right + sin(x - right) * sin(x + right) - left * exp(left - x) - 8;
}

template <class F> static void tape(int tag, const std::vector<double> &at, F f)
{
  std::vector<adouble> x(N), y(N);
  double out;
  trace_on(tag);
  for (int i = 0; i < N; i++)
    x[i] <<= at[i];
  for (int i = 0; i < N; i++)
    y[i] = f(i ? x[i - 1] : adouble(0), x[i], i + 1 < N ? x[i + 1] : adouble(0));
  for (int i = 0; i < N; i++)
    y[i] >>= out;
  trace_off();
}

/* by_rows: row compression, by the vector reverse mode; else column compression, by the vector forward mode. */
static void measure(const char *name, int tag, std::vector<double> at, int by_rows, bool values)
{
  int nnz, options[4] = {0, 0, 0, by_rows};
  unsigned *row = nullptr, *col = nullptr;
  double *value = nullptr;
  sparse_jac(tag, N, N, 0, at.data(), &nnz, &row, &col, &value, options);
  std::vector<double> took(BATCHES);
  for (double &t : took) {
    double start = seconds();
    int each = 0;
    for (; seconds() - start < 2e-3; each++)
      sparse_jac(tag, N, N, 1, at.data(), &nnz, &row, &col, &value, options);
    t = (seconds() - start) / each;
  }
  std::sort(took.begin(), took.end());
  char full[64];
  snprintf(full, sizeof full, "%s-%s", name, by_rows ? "rows" : "columns");
  printf("%-18s %12.3f %12.3f  %d entries\n", full, 1e6 * took[BATCHES / 2], 1e6 * took[0], nnz);
  for (int k = 0; values && !by_rows && k < nnz; k++)
    printf("%s %u %u %.17g\n", name, row[k], col[k], value[k]);
}

int main(int argc, char **argv)
{
  bool values = argc > 1 && !strcmp(argv[1], "--values");
  std::vector<double> at(N);
  for (int i = 0; i < N; i++)
    at[i] = (double)(i % 17) / 16 - 0.45;
  tape(1, at, broyden<adouble>);
  tape(2, at, trigexp<adouble>);
  for (int by_rows = 0; by_rows < 2; by_rows++) {
    measure("broyden", 1, at, by_rows, values);
    measure("trigexp", 2, at, by_rows, values);
  }
}
