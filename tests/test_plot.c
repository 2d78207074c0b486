/* Axes, curves and plots. */
#include "draw/axis.h"
#include "support/failing.h"
#include "support/one_ctx.h"
#include "support/picture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

/* ---- axes ---- */

/* "0 0.5 1" and so on; small ticks without number are left out. */
static const char *ticks_of(const bpi_axis *a)
{
  static char text[512];
  text[0] = 0;
  for (int i = 0; i < a->n_ticks; i++)
    if (*a->text[i])
      snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", *text ? " " : "", a->text[i]);
  return text;
}

static void ticks_are_round(void **state)
{
  (void)state;
  static const struct {
    double lo, hi;
    bool log;
    const char *ticks, *factor;
  } rows[] = {
      {0, 1, false, "0.0 0.2 0.4 0.6 0.8 1.0", ""},
      {-5, 5, false, "−4 −2 0 2 4", ""},
      {-0.3, 0.3, false, "−0.3 −0.2 −0.1 0.0 0.1 0.2 0.3", ""},
      {17, 1234, false, "200 400 600 800 1000 1200", ""},
      {0, 3e6, false, "0.0 0.5 1.0 1.5 2.0 2.5 3.0", "×10⁶"},
      {0, 4e-9, false, "0 1 2 3 4", "×10⁻⁹"},
      {1, 1 + 1e-6, false, "1.0000000 1.0000002 1.0000004 1.0000006 1.0000008 1.0000010", ""},
      {1, 1000, true, "1 10 100 1000", ""},
      {0.5, 50, true, "0.5 1 2 5 10 20 50", ""},
      {1e-8, 1, true, "10⁻⁸ 10⁻⁶ 10⁻⁴ 10⁻² 10⁰", ""},
      {2, 3, true, "2.0 2.2 2.4 2.6 2.8 3.0", ""},
      {-1e300, 1e300, false, "−1.0 −0.5 0.0 0.5 1.0", "×10³⁰⁰"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    bpi_axis a;
    bpi_axis_make(&a, (bpi_range){rows[i].lo, rows[i].hi, true}, rows[i].log, 0, 5, 0, 100);
    assert_string_equal(ticks_of(&a), rows[i].ticks);
    assert_string_equal(a.factor, rows[i].factor);
    assert_float_equal(bpi_axis_at(&a, rows[i].lo), 0, 1e-9);
    assert_float_equal(bpi_axis_at(&a, rows[i].hi), 100, 1e-9);
  }
}

/* Whatever the range: at least two numbers, inside the axis, in order, all different. */
static void any_range_has_ticks(void **state)
{
  (void)state;
  const double ends[] = {-1e300, -1e9, -3.7, -1e-12,       -1e-320, 0,   1e-320, 1e-300,
                         1e-12,  0.1,  1,    1.0000000001, 2.5,     1e4, 1e300};
  enum { N = sizeof ends / sizeof *ends };
  for (int i = 0; i < N; i++)
    for (int k = i; k < N; k++)
      for (int log = 0; log < 2; log++) {
        bpi_axis a;
        bpi_range r = {0};
        bpi_range_add(&r, ends[i], log);
        bpi_range_add(&r, NAN, log);
        bpi_range_add(&r, ends[k], log);
        bpi_range_add(&r, INFINITY, log);
        bpi_axis_make(&a, r, log, 0.05, 6, 10, 310);
        int numbers = 0;
        const char *last = "";
        assert_true(a.lo < a.hi && isfinite(a.lo) && isfinite(a.hi));
        for (int t = 0; t < a.n_ticks; t++) {
          double at = bpi_axis_at(&a, a.tick[t]);
          assert_true(at > 9.9 && at < 310.1);
          assert_true(t == 0 || a.tick[t] > a.tick[t - 1]);
          if (!*a.text[t])
            continue;
          assert_string_not_equal(a.text[t], last);
          last = a.text[t];
          numbers++;
        }
        if (numbers < 2)
          fail_msg("%g to %g, log %d: '%s'", ends[i], ends[k], log, ticks_of(&a));
      }
}

/* ---- clipping ---- */

/* Every kept point lies in the box; every given point inside it lies within 0.1 of the path; gaps stay gaps. */
static double distance_to_path(const bpi_item *path, bpi_point p)
{
  double best = 1e9;
  const bpi_point *at = path->path.point;
  for (const char *s = path->path.step; *s; s++, at++) {
    if (*s != 'L')
      continue;
    double dx = at[0].x - at[-1].x, dy = at[0].y - at[-1].y, l = dx * dx + dy * dy;
    double t = l > 0 ? fmax(0, fmin(1, ((p.x - at[-1].x) * dx + (p.y - at[-1].y) * dy) / l)) : 0;
    best = fmin(best, hypot(p.x - at[-1].x - t * dx, p.y - at[-1].y - t * dy));
  }
  return best;
}

static double noise(int i)
{
  return fmod(i * 0.6180339887498949 * i, 1);
}

static void clipped_curves_stay_true(void **state)
{
  (void)state;
  enum { N = 4001 };
  static bpi_point line[N];
  const bpi_box box = {10, 10, 410, 210};
  for (int kind = 0; kind < 4; kind++) {
    for (int i = 0; i < N; i++) {
      double x = i / (double)(N - 1);
      line[i].x = 450 * x - 10;
      line[i].y = kind == 0   ? 110 + 150 * sin(20 * x)
                  : kind == 1 ? 110 + 300 * (noise(i) - 0.5)
                  : kind == 2 ? (i % 500 == 7 ? NAN : 1e30 * (x - 0.5))
                              : 20 / (x - 0.5);
    }
    bp_picture *p = bpi_scene_new(ctx);
    bpi_draw_clipped(p, (bpi_look){.line = BPI_INK(BPI_WIRE), .width = 1}, box, line, N);
    assert_int_equal(p->status, BP_OK);
    if (p->n != 1)
      fail_msg("kind %d", kind);
    const bpi_point *at = p->item[0].path.point;
    size_t n = strlen(p->item[0].path.step);
    for (size_t i = 0; i < n; i++)
      assert_true(at[i].x >= 10 && at[i].x <= 410 && at[i].y >= 10 && at[i].y <= 210);
    for (int i = 0; i < N; i++)
      if (line[i].x >= 10 && line[i].x <= 410 && line[i].y >= 10 && line[i].y <= 210)
        assert_true(distance_to_path(&p->item[0], line[i]) < (kind == 1 ? 0.6 : 0.1));
    if (kind == 0)
      assert_true(n < 600);
    bp_picture_free(p);
  }
}

/* A straight line of a thousand points needs two; one that goes out and back needs its far end too. */
static void straight_lines_need_two_points(void **state)
{
  (void)state;
  bpi_point line[1001];
  bp_picture *p = bpi_scene_new(ctx);
  for (int i = 0; i <= 1000; i++)
    line[i] = (bpi_point){i * 0.1, i * 0.05};
  bpi_draw_clipped(p, (bpi_look){0}, (bpi_box){0, 0, 200, 200}, line, 1001);
  assert_string_equal(p->item[0].path.step, "ML");
  for (int i = 0; i <= 1000; i++)
    line[i] = (bpi_point){50, i < 600 ? i * 0.1 : (1200 - i) * 0.1};
  bpi_draw_clipped(p, (bpi_look){0}, (bpi_box){0, 0, 200, 200}, line, 1001);
  assert_float_equal(p->item[1].box.y1, 60, 0.2);
  bp_picture_free(p);
}

/* ---- curves ---- */

typedef struct sampled {
  double *x, *y;
  size_t n;
} sampled;

static sampled sample(const char *text, double from, double to)
{
  sampled s;
  bp_graph *g = bp_graph_new(ctx);
  bp_program *program = bp_program_new(g, NULL);
  bp_variable y;
  assert_int_equal(bp_program_set(program, "x", "x", "0.5", 3), BP_OK);
  assert_int_equal(bp_program_read(program, "test", text, strlen(text)), BP_OK);
  assert_int_equal(bp_program_output(program, 0, &y), BP_OK);
  assert_int_equal(bp_curve(y.node, bp_program_find(program, "x"), program, from, to, 0, &s.x, &s.y, &s.n),
                   BP_OK);
  bp_program_free(program);
  bp_graph_free(g);
  return s;
}

static void drop(sampled *s)
{
  bp_free(ctx, s->x);
  bp_free(ctx, s->y);
}

/* Gaps with a finite value on both sides. */
static int jumps_of(const sampled *s)
{
  int jumps = 0;
  for (size_t i = 1; i + 1 < s->n; i++)
    jumps += !isfinite(s->y[i]) && isfinite(s->y[i - 1]) && isfinite(s->y[i + 1]);
  return jumps;
}

/* floor jumps at the ten integers inside -5.2..5.2 that are not its ends: -5..5 are eleven; a steep tanh does not jump, and neither
 * does a kink; tan has poles at odd multiples of pi/2, four of them in -5..5; 1/x one. */
static void jumps_are_found_and_steep_slopes_are_none(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    double from, to;
    int jumps;
  } rows[] = {
      {"floor(x)", -5.2, 5.2, 11}, {"tanh(1000*x)", -5, 5, 0},  {"tanh(100000000*x)", -5, 5, 0},
      {"abs(x - 0.3)", -5, 5, 0},  {"maximum(x, 0)", -5, 5, 0}, {"where(x > 0.123, x, x - 1)", -5, 5, 1},
      {"tan(x)", -5, 5, 4},        {"1/(x - 0.7)", -5, 5, 1},   {"x**2", -1e150, 1e150, 0},
      {"sin(50*x)", -5, 5, 0},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    sampled s = sample(rows[i].text, rows[i].from, rows[i].to);
    if (jumps_of(&s) != rows[i].jumps)
      fail_msg("%s: %d jumps, not %d", rows[i].text, jumps_of(&s), rows[i].jumps);
    for (size_t k = 1; k < s.n; k++)
      assert_true(s.x[k] >= s.x[k - 1]);
    assert_float_equal(s.x[0], rows[i].from, 0);
    assert_float_equal(s.x[s.n - 1], rows[i].to, 0);
    drop(&s);
  }
}

/* The place of a jump and both values are exact: floor at 1. */
static void jumps_are_found_to_the_last_bit(void **state)
{
  (void)state;
  sampled s = sample("floor(x)", 0.3, 1.9);
  for (size_t i = 1; i + 1 < s.n; i++)
    if (isnan(s.y[i])) {
      assert_true(s.x[i - 1] < 1 && s.x[i - 1] > 1 - 1e-12 && s.x[i + 1] >= 1 && s.x[i + 1] < 1 + 1e-12);
      assert_float_equal(s.y[i - 1], 0, 0);
      assert_float_equal(s.y[i + 1], 1, 0);
    }
  drop(&s);
  s = sample("sqrt(x)", -1, 1); /* begins at 0 */
  for (size_t i = 0; i < s.n; i++)
    if (isfinite(s.y[i])) {
      assert_true(s.x[i] < 1e-12);
      break;
    }
  drop(&s);
}

static void curves_refuse_what_makes_no_sense(void **state)
{
  (void)state;
  double *xs, *ys;
  size_t n;
  const int64_t three = 3;
  bp_graph *g = bp_graph_new(ctx);
  bp_node x = bp_input(g, "x", BP_REAL, 0, NULL), v = bp_input(g, "v", BP_REAL, 1, &three),
          k = bp_input(g, "k", BP_INT64, 0, NULL);
  assert_int_equal(bp_curve(x, x, NULL, 1, 1, 0, &xs, &ys, &n), BP_E_RANGE);
  assert_int_equal(bp_curve(x, x, NULL, 0, INFINITY, 0, &xs, &ys, &n), BP_E_RANGE);
  assert_int_equal(bp_curve(x, x, NULL, NAN, 1, 0, &xs, &ys, &n), BP_E_RANGE);
  assert_int_equal(bp_curve(x, x, NULL, 0, 1, 2000000, &xs, &ys, &n), BP_E_RANGE);
  assert_int_equal(bp_curve(v, x, NULL, 0, 1, 0, &xs, &ys, &n), BP_E_SHAPE);
  assert_int_equal(bp_curve(k, x, NULL, 0, 1, 0, &xs, &ys, &n), BP_E_DTYPE);
  assert_int_equal(bp_curve(bp_sum(v, NULL, 0, false), x, NULL, 0, 1, 0, &xs, &ys, &n), BP_E_UNBOUND);
  assert_int_equal(bp_curve(x, x, NULL, 0, 1, 0, NULL, &ys, &n), BP_E_ARG);
  assert_int_equal(bp_curve(bp_square(x), x, NULL, 0, 1, 10, &xs, &ys, &n), BP_OK);
  assert_int_equal(n, 11);
  assert_float_equal(ys[5], 0.25, 0);
  bp_free(ctx, xs);
  bp_free(ctx, ys);
  bp_graph_free(g);
}

/* ---- plots ---- */

static void plots_of_functions_are_golden(void **state)
{
  (void)state;
  sampled s[4] = {sample("relu(x)", -3, 3), sample("where(x > 0, 1, 0)", -3, 3), sample("elu(x)", -3, 3),
                  sample("where(x > 0, 1, exp(x))", -3, 3)};
  bp_series series[4];
  static const char *const labels[] = {"relu", "relu′", "elu", "elu′"};
  for (int i = 0; i < 4; i++)
    series[i] =
        (bp_series){labels[i], s[i].x, s[i].y, s[i].n, i % 2 ? BP_STROKE_DASHED : BP_STROKE_LINE, i / 2 + 1};
  bp_plot_options o = {.title = "relu and elu", .x_label = "x", .y_label = "f(x), f′(x)", .poles = true};
  bp_picture *p;
  assert_int_equal(bp_plot(ctx, &o, series, 4, &p), BP_OK);
  picture_is_clear(p, 0.5);
  assert_int_equal(picture_says(p, "elu′"), 1);
  picture_is_golden(p, "relu-elu");
  bp_picture_free(p);
  for (int i = 0; i < 4; i++)
    drop(&s[i]);
}

/* tan goes to 1.6e16 at its poles and its derivative to the square of that; of sec^2 a quarter is over 6.8. So the picture ends far under 100,
 * and tan is seen. A steep curve without a pole is drawn whole: x^5 at 5 is 3125. */
static void poles_are_cut_and_steep_curves_are_whole(void **state)
{
  (void)state;
  sampled s[3] = {sample("tan(x)", -5, 5), sample("1/square(cos(x))", -5, 5), sample("x**5", -5, 5)};
  bp_series two[2] = {{"tan", s[0].x, s[0].y, s[0].n, BP_STROKE_LINE, 1},
                      {"tan′", s[1].x, s[1].y, s[1].n, BP_STROKE_DASHED, 1}};
  bp_series steep = {"x^5", s[2].x, s[2].y, s[2].n, BP_STROKE_LINE, 1};
  bp_plot_options o = {.poles = true};
  bp_picture *p;
  assert_int_equal(bp_plot(ctx, &o, two, 2, &p), BP_OK);
  assert_int_equal(picture_says(p, "20"), 1);
  assert_int_equal(picture_says(p, "40") + picture_says(p, "50") + picture_says(p, "100"), 0);
  bp_picture_free(p);
  assert_int_equal(bp_plot(ctx, &o, &steep, 1, &p), BP_OK);
  assert_int_equal(picture_says(p, "3,000") + picture_says(p, "3000"), 1);
  bp_picture_free(p);
  for (int i = 0; i < 3; i++)
    drop(&s[i]);
}

static bp_status draw_learning(bp_ctx *c, bp_picture **p)
{
  enum { EPOCHS = 60 };
  double epoch[EPOCHS], train[EPOCHS], valid[EPOCHS];
  for (int i = 0; i < EPOCHS; i++) {
    epoch[i] = i + 1;
    train[i] = 2.3 / (1 + 0.9 * i) + 0.004;
    valid[i] = i % 17 == 9 ? NAN : 2.3 / (1 + 0.8 * i) + 0.03 + 0.0006 * i; /* not measured in some epochs */
  }
  const bp_series series[] = {{"training", epoch, train, EPOCHS, BP_STROKE_LINE, 0},
                              {"validation", epoch, valid, EPOCHS, BP_STROKE_DASHED, 0},
                              {"best", &epoch[24], &valid[24], 1, BP_STROKE_POINTS, 2}};
  bp_plot_options o = {
      .title = "Learning curve", .x_label = "epoch", .y_label = "cross-entropy / nats", .y_log = true};
  return bp_plot(c, &o, series, 3, p);
}

static void learning_curves_are_golden(void **state)
{
  (void)state;
  bp_picture *p;
  assert_int_equal(draw_learning(ctx, &p), BP_OK);
  picture_is_clear(p, 0.5);
  picture_is_golden(p, "learning");
  bp_picture_free(p);
}

/* Sizes, labels and data nobody would choose: the picture is drawn, its texts touch nothing and its SVG is sound. */
static void odd_plots_are_drawn(void **state)
{
  (void)state;
  enum { N = 50 };
  char long_name[3000];
  memset(long_name, 'm', sizeof long_name - 1);
  long_name[sizeof long_name - 1] = 0;
  const char *names[] = {
      NULL,     "", "</svg><script>alert('1')</script>", "a & b < c > d \"e\"", "tab\tnewline\n\x01\x7f\xff",
      long_name};
  const double scales[] = {0, 1, 1e-310, 1e-9, 1e9, 1e308};
  double x[N], y[N];
  for (size_t n = 0; n < sizeof names / sizeof *names; n++)
    for (size_t k = 0; k < sizeof scales / sizeof *scales; k++)
      for (int odd = 0; odd < 3; odd++) {
        for (int i = 0; i < N; i++) {
          x[i] = (i - 20) * scales[k] / 30;
          y[i] = odd && i % 7 == 0 ? (const double[]){NAN, INFINITY, -INFINITY}[i % 3] : sin(i) * scales[k];
        }
        bp_series s[2] = {{names[n], x, y, odd == 2 ? 0 : N, BP_STROKE_LINE, 0},
                          {"other", x, y, 3, BP_STROKE_POINTS, 0}};
        for (int size = 0; size < 3; size++) {
          const double sizes[] = {200, 640, 2000};
          bp_plot_options o = {names[n],
                               names[n],
                               names[n],
                               sizes[size],
                               sizes[size] / 2 + 100,
                               .x_log = odd == 1,
                               .y_log = odd == 1 && k % 2};
          bp_picture *p;
          char *svg;
          assert_int_equal(bp_plot(ctx, &o, s, 2, &p), BP_OK);
          picture_is_clear(p, 0.5);
          assert_int_equal(bp_picture_svg(p, size == 1, &svg), BP_OK);
          assert_null(strstr(svg, "<script"));
          assert_null(strstr(svg, "nan"));
          assert_null(strstr(svg, "inf"));
          bp_free(ctx, svg);
          bp_picture_free(p);
        }
      }
  bp_picture *p;
  assert_int_equal(bp_plot(ctx, NULL, NULL, 0, &p), BP_OK); /* an empty frame */
  bp_picture_free(p);
}

static void plots_refuse_what_makes_no_sense(void **state)
{
  (void)state;
  bp_picture *p;
  const bp_plot_options rows[] = {{.width = 100},
                                  {.height = 1e9},
                                  {.width = NAN},
                                  {.x_lo = 2, .x_hi = 1},
                                  {.x_lo = NAN, .x_hi = 1},
                                  {.y_lo = 0, .y_hi = INFINITY},
                                  {.x_lo = -1, .x_hi = 1, .x_log = true}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    assert_int_equal(bp_plot(ctx, &rows[i], NULL, 0, &p), BP_E_RANGE);
    assert_null(p);
  }
  assert_int_equal(bp_plot(ctx, NULL, &(bp_series){.n = 3}, 1, &p), BP_E_ARG);
  assert_int_equal(bp_plot(ctx, NULL, &(bp_series){.stroke = (bp_stroke)9}, 1, &p), BP_E_ARG);
  assert_int_equal(bp_plot(NULL, NULL, NULL, 0, &p), BP_E_ARG);
}

static bp_status learning_curve(bp_ctx *c)
{
  bp_picture *p = NULL;
  bp_status s = draw_learning(c, &p);
  bp_picture_free(p);
  return s;
}

static bp_status curve_with_jumps(bp_ctx *c)
{
  bp_picture *p = NULL;
  double *xs = NULL, *ys = NULL;
  size_t n = 0;
  bp_graph *g = bp_graph_new(c);
  if (!g)
    return BP_E_NOMEM;
  bp_node x = bp_input(g, "x", BP_REAL, 0, NULL);
  bp_status s = bp_graph_status(g);
  if (s == BP_OK)
    s = bp_curve(bp_floor(x), x, NULL, 0, 3, 40, &xs, &ys, &n);
  bp_series series[2] = {{"a", xs, ys, n, BP_STROKE_LINE, 1}, {"b", xs, ys, n, BP_STROKE_LINE, 2}};
  if (s == BP_OK)
    s = bp_plot(c, &(bp_plot_options){.poles = true}, series, 2, &p);
  bp_free(c, xs);
  bp_free(c, ys);
  bp_graph_free(g);
  bp_picture_free(p);
  return s;
}

static void every_allocation_may_fail(void **state)
{
  (void)state;
  assert_true(fail_in_turn(learning_curve) > 10);
  assert_true(fail_in_turn(curve_with_jumps) > 50);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ticks_are_round),
      cmocka_unit_test(any_range_has_ticks),
      cmocka_unit_test(clipped_curves_stay_true),
      cmocka_unit_test(straight_lines_need_two_points),
      cmocka_unit_test(jumps_are_found_and_steep_slopes_are_none),
      cmocka_unit_test(jumps_are_found_to_the_last_bit),
      cmocka_unit_test(curves_refuse_what_makes_no_sense),
      cmocka_unit_test(plots_of_functions_are_golden),
      cmocka_unit_test(poles_are_cut_and_steep_curves_are_whole),
      cmocka_unit_test(learning_curves_are_golden),
      cmocka_unit_test(odd_plots_are_drawn),
      cmocka_unit_test(plots_refuse_what_makes_no_sense),
      cmocka_unit_test(every_allocation_may_fail),
  };
  return cmocka_run_group_tests(tests, open_ctx, close_ctx);
}
