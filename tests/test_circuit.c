/* Circuits as pictures: the lecture's, golden to the byte; and hundreds of random ones, of which no text may touch another, a wire or a gate,
 * no wire may run through a gate, no gate overlap another. */
#include "draw/circuit.h"
#include "support/circuit_check.h"
#include "support/failing.h"
#include "support/picture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

enum { MOST_INPUTS = 700 };

/* A graph with values for its inputs. */
typedef struct made {
  bp_graph *g;
  bp_node y;
  const char *name[MOST_INPUTS];
  char made_name[MOST_INPUTS][12];
  const double *value[MOST_INPUTS];
  int64_t size[MOST_INPUTS];
  int n;
} made;

static bp_node input(made *m, const char *name, int rank, const int64_t *dims, const double *value)
{
  bp_node x = bp_input(m->g, name, BP_REAL, rank, dims);
  m->name[m->n] = name;
  m->value[m->n] = value;
  m->size[m->n++] = bp_node_size(x);
  return x;
}

static bp_node scalar(made *m, const char *name, const double *value)
{
  return input(m, name, 0, NULL, value);
}

static bp_node numbered(made *m, char letter, int number, int rank, const int64_t *dims, const double *value)
{
  char *name = m->made_name[m->n];
  snprintf(name, sizeof m->made_name[0], "%c%d", letter, number);
  return input(m, name, rank, dims, value);
}

/* Numbers in -1..1, the same everywhere. */
static const double *numbers(void)
{
  static double x[4096];
  for (int i = 0; i < 4096; i++)
    x[i] = (i * 7919 % 201) / 100.0 - 1;
  return x;
}

/* ---- the circuits ---- */

/* (x + y) z at -2, 5, -4: f = 3 * -4 = -12; df/dz = x + y = 3, df/dx = df/dy = z = -4. */
static void product(made *m)
{
  static const double v[] = {-2, 5, -4};
  bp_node x = scalar(m, "x", v), y = scalar(m, "y", v + 1), z = scalar(m, "z", v + 2);
  m->y = bp_mul(bp_add(x, y), z);
}

/* The sigmoid neuron of the lecture (CS231n): 0.73, and gradients 0.20 0.20 0.20 0.20 -0.20 -0.53 -0.53 1.00 along the way. */
static bp_node neuron_sum(made *m)
{
  static const double v[] = {2, -1, -3, -2, -3};
  static const char *const names[] = {"w0", "x0", "w1", "x1", "w2"};
  bp_node x[5];
  for (int i = 0; i < 5; i++)
    x[i] = scalar(m, names[i], v + i);
  return bp_add(bp_add(bp_mul(x[0], x[1]), bp_mul(x[2], x[3])), x[4]);
}

static bp_node logistic(bp_graph *g, bp_node z)
{
  return bp_div(bp_constant(g, 1), bp_add(bp_constant(g, 1), bp_exp(bp_neg(z))));
}

static void neuron(made *m)
{
  m->y = logistic(m->g, neuron_sum(m));
}

/* (x y + max(z, w)) * 2 at 3, -4, 2, -1 (CS231n): -20; max sends its 2 to z. */
static void max_gate(made *m)
{
  static const double v[] = {3, -4, 2, -1};
  bp_node x = scalar(m, "x", v), y = scalar(m, "y", v + 1), z = scalar(m, "z", v + 2),
          w = scalar(m, "w", v + 3);
  m->y = bp_mul(bp_add(bp_mul(x, y), bp_maximum(z, w)), bp_constant(m->g, 2));
}

/* s = x + y; f = s x + max(0, s s) at 3, -4: s = -1, f = -3 + 1 = -2. ds: x (3) from the product, s + s (-2) from the square: 1. dx: s
 * from the product (-1) plus ds (1): 0. dy = ds = 1. */
static void fork(made *m)
{
  static const double v[] = {3, -4};
  bp_node x = scalar(m, "x", v), y = scalar(m, "y", v + 1), s = bp_add(x, y);
  m->y = bp_add(bp_mul(s, x), bp_maximum(bp_constant(m->g, 0), bp_mul(s, s)));
}

static void network(made *m)
{
  const double *v = numbers();
  bp_node x = input(m, "x", 2, (int64_t[]){3, 1}, v), w1 = input(m, "W1", 2, (int64_t[]){4, 3}, v + 3);
  bp_node b1 = input(m, "b1", 2, (int64_t[]){4, 1}, v + 30),
          w2 = input(m, "W2", 2, (int64_t[]){1, 4}, v + 40);
  bp_node b2 = input(m, "b2", 2, (int64_t[]){1, 1}, v + 60);
  bp_node h = bp_name(bp_sigmoid(bp_add(bp_matmul(w1, x), b1)), "h");
  m->y = bp_add(bp_matmul(w2, h), b2);
}

static void user_function(made *m)
{
  bp_graph *body = bp_graph_new(bp_graph_ctx(m->g));
  bp_node z = bp_input(body, "z", BP_REAL, 0, NULL), y = logistic(body, z), sum = neuron_sum(m);
  bp_fn *fn = bp_fn_new("f", body, &z, 1, &y, 1);
  assert_non_null(fn);
  assert_int_equal(bp_call(fn, &sum, 1, &m->y), BP_OK);
  bp_fn_free(fn);
}

static void layers(made *m)
{
  const double *v = numbers();
  bp_node h = input(m, "x", 2, (int64_t[]){8, 4}, v);
  for (int i = 1; i <= 40; i++) {
    bp_node w = numbered(m, 'W', i, 2, (int64_t[]){4, 4}, v + 16 * i);
    bp_node b = numbered(m, 'b', i, 1, (int64_t[]){4}, v + 3 * i);
    h = bp_tanh(bp_add(bp_matmul(h, w), b));
  }
  m->y = bp_mean(bp_square(h), NULL, 0, false);
}

/* A random circuit of about n nodes, all of which f depends on. */
static void random_circuit(made *m, int n, unsigned seed)
{
  bp_node *v = calloc((size_t)n + MOST_INPUTS, sizeof *v);
  unsigned r = seed;
  int n_in = n / 8 + 2 < 60 ? n / 8 + 2 : 60, end = n_in, loose;
  bool *used = calloc((size_t)n + MOST_INPUTS, sizeof *used);
  assert_true(v && used);
  for (int i = 0; i < n_in; i++)
    v[i] = numbered(m, 'x', i, 0, NULL, numbers() + (i * 37 + (int)(seed % 97)) % 4000);
  for (; end < n_in + n; end++) {
    int from[2], lo = end > 25 ? end - 25 : 0;
    for (int k = 0; k < 2; k++) {
      r = r * 1664525 + 1013904223;
      from[k] = lo + (int)((r >> 8) % (unsigned)(end - lo));
    }
    if (end < 2 * n_in)
      from[0] = end - n_in; /* every input is used */
    bp_node a = v[from[0]], b = v[from[1]];
    unsigned op = (r >> 20) % 8;
    bp_node y[] = {bp_add(a, b),
                   bp_mul(a, b),
                   bp_tanh(a),
                   bp_maximum(a, b),
                   bp_sub(a, b),
                   bp_sin(a),
                   bp_mul(a, bp_constant(m->g, 0.5)),
                   bp_maximum(a, bp_constant(m->g, 0))};
    v[end] = y[op];
    used[from[0]] = true;
    used[from[1]] = used[from[1]] || op < 2 || op == 3 || op == 4;
  }
  m->y = v[end - 1];
  for (loose = n_in; loose < end - 1; loose++)
    if (!used[loose])
      m->y = bp_add(m->y, v[loose]);
  free(v);
  free(used);
}

/* A network of scalars, 11-11-11 tanh, and the sum of its squares: 506 nodes. */
static void scalar_network(made *m)
{
  enum { WIDTH = 11 };
  bp_node x[WIDTH], h[WIDTH];
  int n = 0;
  for (int i = 0; i < WIDTH; i++)
    x[i] = numbered(m, 'x', i, 0, NULL, numbers() + i);
  for (int layer = 0; layer < 2; layer++) {
    for (int i = 0; i < WIDTH; i++) {
      for (int k = 0; k < WIDTH; k++, n++) {
        bp_node p = bp_mul(numbered(m, 'w', n, 0, NULL, numbers() + 50 + n), x[k]);
        h[i] = k ? bp_add(h[i], p) : p;
      }
      h[i] = bp_tanh(h[i]);
    }
    memcpy(x, h, sizeof h);
  }
  m->y = bp_square(x[0]);
  for (int i = 1; i < WIDTH; i++)
    m->y = bp_add(m->y, bp_square(x[i]));
}

static void fifty(made *m)
{
  random_circuit(m, 42, 5);
}

static void five_hundred(made *m)
{
  random_circuit(m, 400, 2);
}

/* ---- drawing them ---- */

static bp_trace *trace_of(const made *m)
{
  bp_trace *t;
  assert_int_equal(bp_trace_new(&m->y, 1, NULL, &t), BP_OK);
  for (int i = 0; i < m->n; i++) {
    bp_status s = bp_trace_bind(t, m->name[i], m->value[i], (size_t)m->size[i] * sizeof(double));
    assert_true(s == BP_OK || s == BP_E_NOTFOUND);
  }
  assert_int_equal(bp_trace_run(t), BP_OK);
  return t;
}

static bp_picture *draw(const made *m, bp_circuit_options o, bool traced, bp_circuit_size *size)
{
  bp_picture *p;
  bp_trace *t = traced ? trace_of(m) : NULL;
  o.trace = t;
  bp_status s = bp_circuit(&m->y, 1, &o, &p, size);
  if (s != BP_OK)
    fail_msg("%s", bp_error());
  bp_trace_free(t);
  return p;
}

static made *make(bp_ctx *ctx, void (*build)(made *m))
{
  made *m = calloc(1, sizeof *m);
  assert_non_null(m);
  m->g = bp_graph_new(ctx);
  build(m);
  assert_int_equal(bp_graph_status(m->g), BP_OK);
  return m;
}

static void unmake(made *m)
{
  bp_graph_free(m->g);
  free(m);
}

static const struct {
  const char *name;
  void (*build)(made *m);
  bp_bundling bundles;
  size_t inputs, nodes, drawn;
} golden[] = {
    {"product", product, BP_BUNDLES_GIVEN, 3, 2, 2},
    {"neuron", neuron, BP_BUNDLES_GIVEN, 5, 8, 8},
    {"neuron-bundle", neuron, BP_BUNDLES_FOUND, 5, 8, 5},
    {"max", max_gate, BP_BUNDLES_GIVEN, 4, 4, 4},
    {"fork", fork, BP_BUNDLES_GIVEN, 2, 5, 5},
    {"network", network, BP_BUNDLES_GIVEN, 5, 5, 5},
    {"network-unbundle", network, BP_BUNDLES_OPEN, 5, 5, 5},
    {"function", user_function, BP_BUNDLES_GIVEN, 5, 5, 5},
    {"function-unbundle", user_function, BP_BUNDLES_OPEN, 5, 5, 5},
    {"layers", layers, BP_BUNDLES_GIVEN, 81, 162, 3},
    {"scalar-network", scalar_network, BP_BUNDLES_GIVEN, 0, 0, 0},
    {"nodes-50", fifty, BP_BUNDLES_GIVEN, 0, 0, 0},
    {"nodes-500", five_hundred, BP_BUNDLES_GIVEN, 0, 0, 0},
};

static void the_lecture_is_drawn_to_the_byte(void **state)
{
  (void)state;
  bp_ctx *ctx = bp_ctx_new(NULL);
  for (size_t i = 0; i < sizeof golden / sizeof *golden; i++) {
    made *m = make(ctx, golden[i].build);
    bp_circuit_size size;
    bp_picture *p =
        draw(m, (bp_circuit_options){.bundles = golden[i].bundles, .title = golden[i].name}, true, &size);
    circuit_is_clear(p);
    if (golden[i].nodes) {
      assert_int_equal(size.inputs, golden[i].inputs);
      assert_int_equal(size.nodes, golden[i].nodes);
      assert_int_equal(size.drawn, golden[i].drawn);
    }
    char name[64];
    snprintf(name, sizeof name, "circuit-%s", golden[i].name);
    picture_is_golden(p, name);
    bp_picture_free(p);
    unmake(m);
  }
  bp_ctx_free(ctx);
}

static void numbers_of_the_lecture_stand_at_the_wires(void **state)
{
  (void)state;
  bp_ctx *ctx = bp_ctx_new(NULL);
  made *m = make(ctx, neuron);
  bp_picture *p = draw(m, (bp_circuit_options){0}, true, NULL);
  /* Twice among the eight gradients, and once as the gradient of w0. */
  assert_int_equal(picture_says(p, "−0.20"), 2);
  assert_int_equal(picture_says(p, "0.20"), 5); /* four of the eight, and w2 */
  assert_int_equal(picture_says(p, "−0.53"), 2);
  assert_int_equal(picture_says(p, "0.73"), 1);
  assert_int_equal(picture_says(p, "+1"), 1);
  assert_int_equal(picture_says(p, "×−1"), 1);
  assert_int_equal(picture_says(p, "1/x"), 1);
  assert_int_equal(picture_says(p, "w₀"), 1);
  bp_picture_free(p);
  unmake(m);
  bp_ctx_free(ctx);
}

/* ---- random circuits ---- */

static void nothing_touches_in_random_circuits(void **state)
{
  (void)state;
  static const int sizes[] = {3, 5, 8, 12, 20, 35};
  bp_ctx *ctx = bp_ctx_new(NULL);
  for (unsigned seed = 1; seed <= 240; seed++) {
    made *m = calloc(1, sizeof *m);
    m->g = bp_graph_new(ctx);
    random_circuit(m, sizes[seed % 6], seed);
    bp_circuit_options o = {.bundles = (bp_bundling)(seed % 3),
                            .all = seed % 5 == 0,
                            .most = seed % 7 == 0 ? 6 : 0,
                            .width = seed % 11 == 0 ? 500 : 0};
    bp_picture *p = draw(m, o, seed % 4 != 0, NULL);
    circuit_is_clear(p);
    bp_picture_free(p);
    unmake(m);
  }
  bp_ctx_free(ctx);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_lecture_is_drawn_to_the_byte),
      cmocka_unit_test(numbers_of_the_lecture_stand_at_the_wires),
      cmocka_unit_test(nothing_touches_in_random_circuits),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
