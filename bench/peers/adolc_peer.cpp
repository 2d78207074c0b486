/* ADOL-C as a contestant: gradients of scalar programs, recorded once, then gradient() at the same point again and again, which is its
 * fastest way; and sparse Jacobians by ColPack (-DCOLPACK), with tape, pattern and colouring made beforehand, by columns or by rows. */
extern "C" {
#include "../house/house.h"
}

#include <adolc/adolc.h>
#ifdef COLPACK
#include <adolc/adolc_sparse.h>
#endif

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

static short next_tape = 1;

struct circuit {
  short tape;
  double value;
  std::vector<double> x, g;
};

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

static bool record(circuit *c, FILE *f)
{
  size_t inputs, nodes;
  if (!f || fscanf(f, "%zu %zu", &inputs, &nodes) != 2)
    return false;
  c->x.resize(inputs);
  c->g.resize(inputs);
  for (double &v : c->x)
    if (fscanf(f, "%lf ", &v) != 1)
      return false;
  /* Buffers large enough for the tape to stay in memory. */
  trace_on(c->tape, 0, 1u << 24, 1u << 24, 1u << 24, 1u << 24);
  {
    std::vector<adouble> at(inputs + nodes);
    for (size_t i = 0; i < inputs; i++)
      at[i] <<= c->x[i];
    char line[128], name[32];
    for (size_t i = inputs; i < inputs + nodes && fgets(line, sizeof line, f); i++) {
      size_t a = 0, b = 0;
      if (sscanf(line, "%31s %zu %zu", name, &a, &b) >= 2)
        at[i] = node(name, at[a], at[b]);
    }
    at[inputs + nodes - 1] >>= c->value;
  }
  trace_off();
  return true;
}

static void *open_circuit(const request *r, const char **why)
{
  circuit *c = new circuit;
  c->tape = next_tape++;
  FILE *f = fopen(request_text(r, "file", ""), "r");
  bool good = record(c, f);
  if (f)
    fclose(f);
  *why = "its program cannot be read";
  if (good)
    return c;
  delete c;
  return nullptr;
}

static double run_circuit(void *work, long times)
{
  circuit *c = static_cast<circuit *>(work);
  double start = now();
  for (long i = 0; i < times; i++)
    gradient(c->tape, (int)c->x.size(), c->x.data(), c->g.data());
  return now() - start;
}

static bool check_circuit(void *work, const char *path, char *said, size_t room)
{
  circuit *c = static_cast<circuit *>(work);
  run_circuit(work, 1);
  snprintf(said, room, "loss=%.17g", c->value);
  return write_raw(path, c->g.data(), c->g.size(), sizeof(double));
}

static void close_circuit(void *work)
{
  delete static_cast<circuit *>(work);
}

#ifdef COLPACK
enum { N = 2048 };

template <class T> static T broyden(const T &left, const T &x, const T &right)
{
  return (3 - 2 * x) * x - left - 2 * right + 1;
}

template <class T> static T trigexp(const T &left, const T &x, const T &right)
{
  return x * (4 + 3 * x * x) + 2 * right + sin(x - right) * sin(x + right) - left * exp(left - x) - 8;
}

struct sparse {
  short tape;
  std::vector<double> at;
  int nnz, options[4];
  unsigned *row, *col;
  double *value;
};

static void *open_sparse(const request *r, const char **why)
{
  sparse *s = new sparse{
      next_tape++, std::vector<double>(N), 0, {0, 0, 0, (int)request_count(r, "rows", 0)}, nullptr, nullptr,
      nullptr};
  bool waves = !strcmp(request_text(r, "case", ""), "trigexp");
  (void)why;
  for (int i = 0; i < N; i++)
    s->at[i] = (double)(i % 17) / 16 - 0.45;
  std::vector<adouble> x(N), y(N);
  double out;
  trace_on(s->tape);
  for (int i = 0; i < N; i++)
    x[i] <<= s->at[i];
  for (int i = 0; i < N; i++) {
    adouble left = i ? x[i - 1] : adouble(0), right = i + 1 < N ? x[i + 1] : adouble(0);
    y[i] = waves ? trigexp(left, x[i], right) : broyden(left, x[i], right);
    y[i] >>= out;
  }
  trace_off();
  sparse_jac(s->tape, N, N, 0, s->at.data(), &s->nnz, &s->row, &s->col, &s->value, s->options);
  return s;
}

static double run_sparse(void *work, long times)
{
  sparse *s = static_cast<sparse *>(work);
  double start = now();
  for (long i = 0; i < times; i++)
    sparse_jac(s->tape, N, N, 1, s->at.data(), &s->nnz, &s->row, &s->col, &s->value, s->options);
  return now() - start;
}

static bool check_sparse(void *work, const char *path, char *said, size_t room)
{
  sparse *s = static_cast<sparse *>(work);
  (void)said;
  (void)room;
  run_sparse(work, 1);
  return write_raw(path, s->value, (size_t)s->nnz, sizeof(double));
}

static void close_sparse(void *work)
{
  sparse *s = static_cast<sparse *>(work);
  free(s->row);
  free(s->col);
  free(s->value);
  delete s;
}
#else
static void *open_sparse(const request *, const char **why)
{
  *why = "is built without ColPack: bench/install-peers colpack";
  return nullptr;
}
static double run_sparse(void *, long)
{
  return 0;
}
static bool check_sparse(void *, const char *, char *, size_t)
{
  return false;
}
static void close_sparse(void *) {}
#endif

int main()
{
  static const work_kind kinds[] = {
      {"circuit", open_circuit, run_circuit, check_circuit, close_circuit},
      {"sparse", open_sparse, run_sparse, check_sparse, close_sparse},
  };
  return serve("ADOL-C", kinds, sizeof kinds / sizeof *kinds);
}
