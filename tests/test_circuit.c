/* Circuits as pictures: the lecture's, golden to the byte; and hundreds of random ones, of which no text may touch another, a wire or a gate,
 * no wire may run through a gate, no gate overlap another. */
#include "draw/circuit.h"
#include "support/circuit_check.h"
#include "support/failing.h"
#include "support/picture.h"

#include <math.h>
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

/* ---- the circuits: node by node, as C leaves open which argument of a call is made first, and pictures follow the order ---- */

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
  bp_node first = bp_mul(x[0], x[1]), second = bp_mul(x[2], x[3]);
  return bp_add(bp_add(first, second), x[4]);
}

static bp_node logistic(bp_graph *g, bp_node z)
{
  bp_node one = bp_constant(g, 1);
  return bp_div(one, bp_add(one, bp_exp(bp_neg(z))));
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
  bp_node xy = bp_mul(x, y), most = bp_maximum(z, w), sum = bp_add(xy, most);
  m->y = bp_mul(sum, bp_constant(m->g, 2));
}

/* s = x + y; f = s x + max(0, s s) at 3, -4: s = -1, f = -3 + 1 = -2. ds: x (3) from the product, s + s (-2) from the square: 1. dx: s
 * from the product (-1) plus ds (1): 0. dy = ds = 1. */
static void fork(made *m)
{
  static const double v[] = {3, -4};
  bp_node x = scalar(m, "x", v), y = scalar(m, "y", v + 1), s = bp_add(x, y);
  bp_node sx = bp_mul(s, x), square = bp_mul(s, s), positive = bp_maximum(bp_constant(m->g, 0), square);
  m->y = bp_add(sx, positive);
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

/* ---- bundles ---- */

/* Counts boxes for f built by `build`, with bundles to be found. */
static bp_circuit_size found(void (*build)(made *m))
{
  bp_ctx *ctx = bp_ctx_new(NULL);
  made *m = make(ctx, build);
  bp_circuit_size size;
  bp_circuit_options o = {.bundles = BP_BUNDLES_FOUND};
  assert_int_equal(bp_circuit_count(&m->y, 1, &o, &size), BP_OK);
  unmake(m);
  bp_ctx_free(ctx);
  return size;
}

static void neuron_by_reciprocal(made *m)
{
  bp_node z = neuron_sum(m);
  m->y = bp_reciprocal(bp_add(bp_exp(bp_neg(z)), bp_constant(m->g, 1))); /* operands the other way round */
}

static void neuron_shared(made *m)
{
  bp_node e = bp_exp(bp_neg(neuron_sum(m)));
  m->y = bp_add(bp_div(bp_constant(m->g, 1), bp_add(bp_constant(m->g, 1), e)), e); /* e is used outside */
}

static void neuron_of_two(made *m)
{
  bp_node e = bp_exp(bp_neg(neuron_sum(m)));
  m->y = bp_div(bp_constant(m->g, 2), bp_add(bp_constant(m->g, 1), e)); /* 2 / (1 + e^-z) is no sigmoid */
}

static void silu(made *m)
{
  bp_node z = neuron_sum(m);
  m->y = bp_mul(z, logistic(m->g, z)); /* longer than the sigmoid in it */
}

static void sigmoid_of_array(made *m)
{
  m->y = logistic(m->g, input(m, "x", 2, (int64_t[]){3, 2}, numbers()));
}

static void two_sigmoids(made *m)
{
  m->y = bp_mul(logistic(m->g, neuron_sum(m)), logistic(m->g, scalar(m, "q", numbers())));
}

static void bundles_are_recognised_by_their_parts(void **state)
{
  (void)state;
  bp_circuit_size s = found(neuron);
  assert_int_equal(s.bundles, 1);
  assert_int_equal(s.bundled, 4);
  assert_true(s.bundled_last);
  assert_string_equal(s.bundle, "sigmoid");
  s = found(neuron_by_reciprocal);
  assert_int_equal(s.bundled, 4);
  assert_string_equal(s.bundle, "sigmoid");
  assert_int_equal(found(neuron_shared).bundles, 0);
  assert_int_equal(found(neuron_of_two).bundles, 0);
  s = found(silu);
  assert_int_equal(s.bundles, 1);
  assert_string_equal(s.bundle, "silu");
  assert_string_equal(found(sigmoid_of_array).bundle, "sigmoid");
  s = found(two_sigmoids);
  assert_int_equal(s.bundles, 2);
  assert_int_equal(s.bundled, 8);
  assert_false(s.bundled_last);
}

/* Every bundle of the table, opened by its row's definition, is recognised as itself, or as a longer one. */
static void every_bundle_is_recognised(void **state)
{
  (void)state;
  bp_ctx *ctx = bp_ctx_new(NULL);
  int tried = 0, seen = 0;
  for (size_t i = 0; i < bp_op_count(); i++) {
    const bp_op *op = bp_op_at(i);
    if (!bpi_is_bundle(op) || !(op->traits & BP_ELEMENTWISE) || bpi_op_n_attrs(op) || !op->args ||
        strchr(op->args, ','))
      continue;
    bp_graph *g = bp_graph_new(ctx), *opened;
    bp_node x = bp_input(g, "x", BP_REAL, 1, (int64_t[]){5}), y, parts;
    assert_int_equal(bp_apply(g, op, &x, 1, NULL, &y), BP_OK);
    assert_int_equal(bp_unbundle(&y, 1, 1, NULL, NULL, &opened, &parts), BP_OK);
    bp_circuit_size all, less;
    bp_circuit_options o = {.bundles = BP_BUNDLES_FOUND};
    assert_int_equal(bp_circuit_count(&parts, 1, NULL, &all), BP_OK);
    assert_int_equal(bp_circuit_count(&parts, 1, &o, &less), BP_OK);
    tried += all.nodes > 1;
    seen += all.nodes > 1 && less.drawn == 1;
    bp_graph_free(opened);
    bp_graph_free(g);
  }
  assert_true(tried >= 5);
  assert_int_equal(seen, tried);
  bp_ctx_free(ctx);
}

/* ---- names from anywhere ---- */

static void hostile_names_are_drawn_as_text(void **state)
{
  (void)state;
  static const char *const names[] = {
      "<b>&\"'", "]]>", "%n%s", "a\xff\xfe", "x\x01\x1b[31m", "name\nof two lines", "−×√", "</svg>"};
  bp_ctx *ctx = bp_ctx_new(NULL);
  bp_graph *g = bp_graph_new(ctx);
  bp_node sum = BP_NO_NODE;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    bp_node x = bp_input(g, names[i], BP_REAL, 0, NULL);
    sum = i ? bp_add(sum, x) : x;
  }
  const char *const f = "</text><script>";
  bp_circuit_options o = {.names = &f, .title = "<&>"};
  bp_picture *p;
  char *svg, *dot;
  assert_int_equal(bp_circuit(&sum, 1, &o, &p, NULL), BP_OK);
  circuit_is_clear(p);
  assert_int_equal(bp_picture_svg(p, false, &svg), BP_OK);
  assert_null(strstr(svg, "<script>"));
  assert_null(strstr(svg, "\x1b"));
  assert_non_null(strstr(svg, "&lt;b&gt;&amp;&quot;'"));
  assert_int_equal(bp_circuit_dot(&sum, 1, &o, &dot, NULL), BP_OK);
  assert_non_null(strstr(dot, "<b>&\\\"'"));
  for (const char *c = dot; *c; c++) /* every line of it is one of ours */
    if (*c == '\n' && c[1])
      assert_true(strchr("rnedg}s", c[1]) != NULL);
  bp_free(ctx, svg);
  bp_free(ctx, dot);
  bp_picture_free(p);
  bp_graph_free(g);
  bp_ctx_free(ctx);
}

/* ---- large ones ---- */

/* n nodes, and the outputs among them. */
typedef size_t maker(bp_graph *g, int n, bp_node *y);

/* A chain that never repeats exactly: each node reads a constant of its own. */
static size_t long_chain(bp_graph *g, int n, bp_node *y)
{
  bp_node x = bp_input(g, "x", BP_REAL, 0, NULL);
  *y = x;
  for (int i = 0; i < n; i++)
    *y = i % 7 % 3 ? bp_add(*y, bp_constant(g, i + 0.5)) : bp_mul(*y, x);
  return 1;
}

static size_t many_outputs(bp_graph *g, int n, bp_node *y)
{
  char name[16];
  bp_node x = bp_input(g, "x", BP_REAL, 0, NULL);
  for (int i = 0; i < n; i++) {
    snprintf(name, sizeof name, "out%d", i);
    y[i] = bp_name(bp_add(x, bp_constant(g, i + 0.5)), name);
  }
  return (size_t)n;
}

/* Seconds of this processor's work for one picture, which others on the machine do not add to. */
static double time_of(maker *make_y, int n, bool all, double *width)
{
  bp_ctx *ctx = bp_ctx_new(NULL);
  bp_graph *g = bp_graph_new(ctx);
  bp_node *y = calloc((size_t)n, sizeof *y);
  bp_picture *p;
  bp_circuit_options o = {.all = all, .width = 2000};
  assert_non_null(y);
  size_t n_y = make_y(g, n, y);
  clock_t start = clock();
  assert_int_equal(bp_circuit(y, n_y, &o, &p, NULL), BP_OK);
  clock_t took = clock() - start;
  bp_picture_size(p, width, NULL);
  bp_picture_free(p);
  bp_graph_free(g);
  bp_ctx_free(ctx);
  free(y);
  return (double)took / CLOCKS_PER_SEC;
}

/* Four times the nodes: 4 times the time where it is in proportion, 16 times where it goes with the square. */
static bool grows_in_proportion(maker *make_y, int n, double *width)
{
  for (int tries = 0; tries < 3; tries++) {
    double small = time_of(make_y, n, true, width), large = time_of(make_y, 4 * n, true, width);
    if (large < 8 * small)
      return true;
  }
  return false;
}

static void large_circuits_take_time_in_proportion(void **state)
{
  (void)state;
  double width;
  assert_true(grows_in_proportion(long_chain, 5000, &width));
  assert_true(width < 3000); /* broken into rows */
  assert_true(grows_in_proportion(many_outputs, 1500, &width));
  time_of(long_chain, 200000, false, &width);
  assert_true(width < 6000);
}

/* ---- constants of any size ---- */

static void constants_of_any_size_are_drawn(void **state)
{
  (void)state;
  static const struct {
    double value;
    const char *text;
  } of[] = {{2, "2"},        {0.5, "0.50"},     {1e300, "1.0e300"}, {-1e19, "−1.0e19"},
            {INFINITY, "∞"}, {-INFINITY, "−∞"}, {NAN, "NaN"}};
  bp_ctx *ctx = bp_ctx_new(NULL);
  for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
    bp_graph *g = bp_graph_new(ctx);
    bp_node both[] = {bp_input(g, "x", BP_REAL, 0, NULL), bp_constant(g, of[i].value)};
    bp_picture *p;
    assert_int_equal(bp_circuit(both, 2, NULL, &p, NULL), BP_OK); /* an output: so it stands for itself */
    assert_int_equal(picture_says(p, of[i].text), 1);
    bp_picture_free(p);
    bp_graph_free(g);
  }
  bp_ctx_free(ctx);
}

/* ---- misuse and faults ---- */

static void misuse_is_refused(void **state)
{
  (void)state;
  bp_ctx *ctx = bp_ctx_new(NULL);
  made *m = make(ctx, product), *other = make(ctx, neuron);
  bp_picture *p = (bp_picture *)&p;
  char *text;
  bp_circuit_size size;
  assert_int_equal(bp_circuit(NULL, 1, NULL, &p, NULL), BP_E_ARG);
  assert_null(p);
  assert_int_equal(bp_circuit(&m->y, 0, NULL, &p, NULL), BP_E_ARG);
  assert_int_equal(bp_circuit(&m->y, 1, NULL, NULL, NULL), BP_E_ARG);
  assert_int_equal(bp_circuit_dot(&m->y, 1, NULL, NULL, NULL), BP_E_ARG);
  assert_int_equal(bp_circuit_count(&m->y, 1, NULL, NULL), BP_E_ARG);
  bp_node two[2] = {m->y, other->y};
  assert_int_equal(bp_circuit(two, 2, NULL, &p, NULL), BP_E_GRAPH);
  bp_circuit_options o = {.bundles = (bp_bundling)7};
  assert_int_equal(bp_circuit_dot(&m->y, 1, &o, &text, &size), BP_E_ARG);
  bp_trace *t;
  assert_int_equal(bp_trace_new(&m->y, 1, NULL, &t), BP_OK);
  o = (bp_circuit_options){.trace = t};
  assert_int_equal(bp_circuit(&m->y, 1, &o, &p, NULL), BP_E_ORDER); /* it was not run */
  assert_int_equal(bp_circuit(&other->y, 1, &o, &p, NULL), BP_E_GRAPH);
  bp_trace_free(t);
  unmake(m);
  unmake(other);
  bp_ctx_free(ctx);
}

/* The neuron by a function, opened, with values; and its text. */
static bp_status all_of_it(bp_ctx *ctx, const made *m)
{
  bp_trace *t = NULL;
  bp_picture *p = NULL;
  char *svg = NULL, *dot = NULL;
  bp_status s = bp_trace_new(&m->y, 1, NULL, &t);
  for (int i = 0; i < m->n && s == BP_OK; i++)
    s = bp_trace_bind(t, m->name[i], m->value[i], (size_t)m->size[i] * sizeof(double));
  if (s == BP_OK)
    s = bp_trace_run(t);
  for (int bundles = 0; bundles < 3 && s == BP_OK; bundles++) {
    bp_circuit_options o = {.trace = t, .bundles = (bp_bundling)bundles, .width = 300, .most = 4};
    s = bp_circuit(&m->y, 1, &o, &p, NULL);
    if (s == BP_OK)
      s = bp_picture_svg(p, false, &svg);
    if (s == BP_OK)
      s = bp_circuit_dot(&m->y, 1, &o, &dot, NULL);
    bp_free(ctx, svg);
    bp_free(ctx, dot);
    bp_picture_free(p);
    svg = dot = NULL;
    p = NULL;
  }
  bp_trace_free(t);
  return s;
}

static void every_allocation_may_fail(void **state)
{
  (void)state;
  failing f = {0};
  bp_ctx *ctx = failing_ctx(&f);
  made *m = make(ctx, user_function);
  m->y = bp_maximum(logistic(m->g, bp_mul(m->y, m->y)), bp_constant(m->g, 0));
  assert_int_equal(all_of_it(ctx, m), BP_OK);
  for (int onwards = 0; onwards < 2; onwards++)
    for (long n = 1;; n += 1 + n / 40) {
      long before = f.live;
      failing_arm(&f, n, onwards);
      bp_status s = all_of_it(ctx, m);
      bool reached = f.calls >= n;
      failing_arm(&f, 0, false);
      if (s != BP_OK)
        assert_int_equal(s, BP_E_NOMEM);
      bp_graph_clear(m->g);
      assert_int_equal(f.live - before <= 2, true); /* the graph may have grown */
      if (!reached)
        break;
    }
  assert_int_equal(all_of_it(ctx, m), BP_OK);
  unmake(m);
  bp_ctx_free(ctx);
  assert_int_equal(f.live, 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_lecture_is_drawn_to_the_byte),
      cmocka_unit_test(numbers_of_the_lecture_stand_at_the_wires),
      cmocka_unit_test(nothing_touches_in_random_circuits),
      cmocka_unit_test(bundles_are_recognised_by_their_parts),
      cmocka_unit_test(every_bundle_is_recognised),
      cmocka_unit_test(hostile_names_are_drawn_as_text),
      cmocka_unit_test(large_circuits_take_time_in_proportion),
      cmocka_unit_test(constants_of_any_size_are_drawn),
      cmocka_unit_test(misuse_is_refused),
      cmocka_unit_test(every_allocation_may_fail),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
