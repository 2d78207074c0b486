/* The scalar program of bench/scalar.c by ADOL-C: recorded once, then gradient() at the same point again and again, which is its fastest
 * way (a forward sweep that keeps what the reverse sweep needs). Usage and output as bench/scalar.c. */
#include <adolc/adolc.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

enum { BATCHES = 31 };

static double seconds()
{
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

static adouble node(const std::string &name, const adouble &a, const adouble &b)
{
  if (name == "add")
    return a + b;
  if (name == "sub")
    return a - b;
  if (name == "mul")
    return a * b;
  if (name == "div")
    return a / b;
  if (name == "sin")
    return sin(a);
  if (name == "exp")
    return exp(a);
  if (name == "tanh")
    return tanh(a);
  return sqrt(a);
}

template <class F> static void report(const char *name, size_t nodes, F run)
{
  std::vector<double> took(BATCHES);
  for (int k = -3; k < BATCHES; k++) {
    double start = seconds();
    run();
    took[k < 0 ? 0 : k] = seconds() - start;
  }
  std::sort(took.begin(), took.end());
  printf("%-18s %12.3f %12.3f\n", name, 1e9 * took[BATCHES / 2] / nodes, 1e9 * took[0] / nodes);
}

int main(int argc, char **argv)
{
  size_t inputs, nodes;
  FILE *f = argc > 1 ? fopen(argv[1], "r") : nullptr;
  if (!f || fscanf(f, "%zu %zu", &inputs, &nodes) != 2)
    return 2;
  std::vector<double> x(inputs), g(inputs);
  for (double &v : x)
    if (fscanf(f, "%lf ", &v) != 1)
      return 2;
  /* Buffers large enough for the tape to stay in memory. */
  trace_on(1, 0, 1u << 24, 1u << 24, 1u << 24, 1u << 24);
  double value;
  {
    std::vector<adouble> at(inputs + nodes);
    for (size_t i = 0; i < inputs; i++)
      at[i] <<= x[i];
    char line[128], name[32];
    for (size_t i = inputs; i < inputs + nodes && fgets(line, sizeof line, f); i++) {
      size_t a = 0, b = 0;
      if (sscanf(line, "%31s %zu %zu", name, &a, &b) < 2)
        return 2;
      at[i] = node(name, at[a], at[b]);
    }
    at[inputs + nodes - 1] >>= value;
  }
  trace_off();
  fclose(f);
  if (argc > 2) {
    gradient(1, (int)inputs, x.data(), g.data());
    printf("0 %.17g\n", value);
    for (size_t i = 0; i < inputs; i++)
      printf("%zu %.17g\n", i + 1, g[i]);
    return 0;
  }
  report("gradient-f64", nodes, [&] { gradient(1, (int)inputs, x.data(), g.data()); });
  return 0;
}
