/* Contours, templates and decision regions, of networks whose weights are set by hand. */
#include "draw/contour.h"
#include "support/failing.h"
#include "support/one_ctx.h"
#include "support/picture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* ---- contours ---- */

enum { SIDE = 41 };

static bp_picture *contour_of(double (*f)(double x, double y), double level)
{
  static double field[SIDE * SIDE];
  for (int j = 0; j < SIDE; j++)
    for (int i = 0; i < SIDE; i++)
      field[j * SIDE + i] = f((i - 20) / 10.0, (j - 20) / 10.0);
  bp_picture *p = bpi_scene_new(ctx);
  bpi_draw_contour(p, (bpi_look){.line = BPI_INK(BPI_EDGE), .width = 1}, (bpi_box){-2, -2, 2, 2}, field, SIDE,
                   SIDE, level);
  assert_int_equal(p->status, BP_OK);
  return p;
}

static double bowl(double x, double y)
{
  return x * x + y * y;
}

static double saddle(double x, double y)
{
  return x * y;
}

static double holed(double x, double y)
{
  return x > 0.55 && y > 0.55 ? NAN : x;
}

/* x^2 + y^2 = 1.7: one ring, every point on the circle to the error of linear interpolation, 1/8 h^2 f'' / |grad f| = 0.001. */
static void a_circle_is_one_ring(void **state)
{
  (void)state;
  bp_picture *p = contour_of(bowl, 1.7);
  assert_int_equal(p->n, 1);
  const char *steps = p->item[0].path.step;
  size_t n = strlen(steps);
  const bpi_point *at = p->item[0].path.point;
  for (size_t i = 0; i < n; i++)
    assert_float_equal(hypot(at[i].x, at[i].y), sqrt(1.7), 0.0015);
  assert_float_equal(at[0].x, at[n - 1].x, 1e-9);
  assert_float_equal(at[0].y, at[n - 1].y, 1e-9);
  assert_int_equal(strspn(steps, "ML"), n);
  assert_null(strchr(steps + 1, 'M'));
  bp_picture_free(p);
}

/* xy = 0.2 has two branches, xy = -0.2 two others; at a level that is nowhere, or everywhere, there is nothing. */
static void branches_are_apart(void **state)
{
  (void)state;
  const double levels[] = {0.2, -0.2, 5, -5};
  for (int i = 0; i < 4; i++) {
    bp_picture *p = contour_of(saddle, levels[i]);
    assert_int_equal(p->n, i < 2 ? 2 : 0);
    for (size_t k = 0; k < p->n; k++)
      for (size_t s = 0; s < strlen(p->item[k].path.step); s++)
        assert_float_equal(p->item[k].path.point[s].x * p->item[k].path.point[s].y, levels[i], 0.012);
    bp_picture_free(p);
  }
  bp_picture *p = contour_of(holed, 1); /* where the field is not finite the line stops */
  assert_int_equal(p->n, 1);
  assert_float_equal(p->item[0].box.y1 - 0.5, 0.5, 1e-9);
  bp_picture_free(p);
}

/* One cell, 1 and 0 at alternate corners: its middle, 0.5, lies over 0.4, so the corners of 1 hang together and those of 0 are cut off, by lines
 * from 0.6 along one side to 0.4 along the next; at 0.6 it is the other way round. */
static void a_saddle_is_cut_by_its_middle(void **state)
{
  (void)state;
  const double field[4] = {1, 0, 0, 1};
  for (int over = 0; over < 2; over++) {
    bp_picture *p = bpi_scene_new(ctx);
    bpi_draw_contour(p, (bpi_look){0}, (bpi_box){0, 0, 1, 1}, field, 2, 2, over ? 0.6 : 0.4);
    assert_int_equal(p->n, 2);
    for (size_t i = 0; i < 2; i++) {
      const bpi_point *at = p->item[i].path.point;
      assert_string_equal(p->item[i].path.step, "ML");
      assert_float_equal(fabs(at[0].x - at[1].x), 0.4, 1e-12);
      assert_float_equal(fabs(at[0].y - at[1].y), 0.4, 1e-12);
      bool falling = (at[0].x - at[1].x) * (at[0].y - at[1].y) > 0; /* parallel to the line of 1 and 1 */
      assert_int_equal(falling, !over);
    }
    bp_picture_free(p);
  }
}

/* ---- networks ---- */

/* A network over columns named so, its weights from a list, in the order of its parameters; inputs as they are. */
static bp_net *make_net(bp_ctx *c, const char *csv, int64_t hidden, const double *weights)
{
  bp_source source;
  bp_table *table = NULL;
  bp_net *net = NULL;
  if (bp_source_memory(c, csv, strlen(csv), "test", &source) != BP_OK)
    return NULL;
  bp_csv_read(c, &source, NULL, &table);
  bp_data *data = table ? bp_data_from_table(c, table, &(bp_data_options){.target = "t"}) : NULL;
  if (data)
    net = bp_net_new(c, data, &(bp_net_options){.hidden = {hidden}, .real = BP_FLOAT64, .raw = true});
  bp_data_free(data);
  bp_table_free(table);
  bp_source_close(&source);
  for (int i = 0; net && i < bp_params_count(bp_net_params(net)); i++) {
    bp_type type;
    void *at;
    assert_int_equal(bp_params_at(bp_net_params(net), i, NULL, &type, &at, NULL), BP_OK);
    int64_t n = type.dims[0] * (type.rank > 1 ? type.dims[1] : 1);
    for (int64_t k = 0; k < n; k++)
      ((double *)at)[k] = weights ? *weights++ : sin((double)(3 * k + 5 * i));
  }
  return net;
}

static bp_data *make_data(const char *csv)
{
  bp_source source;
  bp_table *table;
  assert_int_equal(bp_source_memory(ctx, csv, strlen(csv), "test", &source), BP_OK);
  assert_int_equal(bp_csv_read(ctx, &source, NULL, &table), BP_OK);
  bp_data *data = bp_data_from_table(ctx, table, &(bp_data_options){.target = "t"});
  assert_non_null(data);
  bp_table_free(table);
  bp_source_close(&source);
  return data;
}

static const char plane[] = "a,b,t\n0,0,no\n0,1,yes\n1,0,yes\n1,1,no\n";

/* Length of the widest bar in a role's colour. */
static double longest_bar(const bp_picture *p, bpi_role role)
{
  double longest = 0;
  for (size_t i = 0; i < p->n; i++)
    if (p->item[i].kind == BPI_ITEM_RECT && p->item[i].look.fill.role == role)
      longest = fmax(longest, p->item[i].box.x1 - p->item[i].box.x0);
  return longest;
}

static int bars(const bp_picture *p)
{
  int n = 0;
  for (size_t i = 0; i < p->n; i++)
    n += p->item[i].kind == BPI_ITEM_RECT &&
         (p->item[i].look.fill.role == BPI_POSITIVE || p->item[i].look.fill.role == BPI_NEGATIVE);
  return n;
}

/* W1 = [[2, -1], [0, 0.5]] (two units of two inputs), b1 = 0, W2 = [[4, 0], [-4, 1]], b2 = 0. Largest weights 2 and 4: a bar for 2 has the
 * full length, one for -1 half of it; those that are 0 have none, so 3 bars above and 3 below. */
static void bars_are_as_long_as_weights(void **state)
{
  (void)state;
  const double weights[] = {2, -1, 0, 0.5, 0, 0, 4, 0, -4, 1, 0, 0};
  bp_net *net = make_net(ctx, plane, 2, weights);
  bp_picture *p;
  assert_int_equal(bp_templates(net, NULL, &p), BP_OK);
  assert_int_equal(bars(p), 6);
  assert_float_equal(longest_bar(p, BPI_POSITIVE), 26, 1e-9);
  assert_float_equal(longest_bar(p, BPI_NEGATIVE), 26, 1e-9); /* -4 of 4 */
  assert_int_equal(picture_says(p, "a"), 1);
  assert_int_equal(picture_says(p, "no"), 1);
  assert_int_equal(picture_says(p, "yes"), 1);
  picture_is_clear(p, 0.5);
  picture_is_golden(p, "templates-bars");
  bp_picture_free(p);
  assert_int_equal(bp_templates(net, &(bp_templates_options){.most = 1}, &p), BP_OK);
  assert_int_equal(picture_says(p, "1"), 1); /* the stronger unit */
  assert_int_equal(picture_says(p, "2"), 0);
  bp_picture_free(p);
  bp_net_free(net);
}

/* 25 columns p0..p24 are a picture of 5 by 5. */
static char *pixel_csv(void)
{
  static char csv[2000];
  csv[0] = 0;
  for (int line = 0; line < 3; line++) {
    for (int i = 0; i < 25; i++)
      snprintf(csv + strlen(csv), sizeof csv - strlen(csv), line ? "%d," : "p%d,",
               line ? (line * 7 + i * i) % 11 : i);
    snprintf(csv + strlen(csv), sizeof csv - strlen(csv), "%s\n", line ? line == 1 ? "left" : "right" : "t");
  }
  return csv;
}

/* A weight of w on a largest of 1.5: strength 255 |w| / 1.5, red over 0, blue under it; grey: dark for -1.5, paper for 1.5. */
static void images_show_weights_on_one_scale(void **state)
{
  (void)state;
  double weights[2 * 25 + 2 + 2 * 2 + 2] = {0};
  weights[0] = 1.5;
  weights[7] = -0.75;
  weights[25 + 24] = 0.3;
  bp_net *net = make_net(ctx, pixel_csv(), 2, weights);
  bp_picture *p;
  for (int grey = 0; grey < 2; grey++) {
    const bpi_ink *pixel[3];
    int images = 0;
    assert_int_equal(bp_templates(net, &(bp_templates_options){.grey = grey}, &p), BP_OK);
    for (size_t i = 0; i < p->n; i++)
      if (p->item[i].kind == BPI_ITEM_IMAGE && images < 3)
        pixel[images++] = p->item[i].image.pixel;
    assert_int_equal(images, 3); /* and the scale */
    if (grey) {
      assert_int_equal(pixel[0][0].strength, 0);
      assert_int_equal(pixel[0][7].strength, 191); /* 127.5 + 127.5 / 2 */
      assert_int_equal(pixel[0][1].strength, 128);
    } else {
      assert_memory_equal(&pixel[0][0], &((bpi_ink){BPI_POSITIVE, 255}), sizeof(bpi_ink));
      assert_memory_equal(&pixel[0][7], &((bpi_ink){BPI_NEGATIVE, 128}), sizeof(bpi_ink));
      assert_memory_equal(&pixel[1][24], &((bpi_ink){BPI_POSITIVE, 51}), sizeof(bpi_ink));
      assert_int_equal(pixel[1][0].strength, 0);
      picture_is_golden(p, "templates-images");
    }
    picture_is_clear(p, 0.5);
    bp_picture_free(p);
  }
  assert_int_equal(bp_templates(net, &(bp_templates_options){.rows = 1, .cols = 25}, &p), BP_OK);
  bp_picture_free(p);
  const bp_templates_options bad[] = {
      {.rows = 5}, {.rows = 5, .cols = 4}, {.rows = -5, .cols = -5}, {.rows = INT64_MAX, .cols = 25}};
  for (int i = 0; i < 4; i++)
    assert_int_equal(bp_templates(net, &bad[i], &p), BP_E_SHAPE);
  assert_int_equal(bp_templates(net, &(bp_templates_options){.most = -1}, &p), BP_E_RANGE);
  assert_int_equal(bp_templates(NULL, NULL, &p), BP_E_ARG);
  bp_net_free(net);
}

/* A model without hidden layers has a template for each class, named so; one of many units is cut to the strongest. */
static void other_shapes_have_templates(void **state)
{
  (void)state;
  bp_picture *p;
  bp_net *net = make_net(ctx, pixel_csv(), -1, NULL);
  assert_int_equal(bp_templates(net, NULL, &p), BP_OK);
  assert_int_equal(picture_says(p, "left"), 1);
  assert_int_equal(picture_says(p, "right"), 1);
  picture_is_clear(p, 0.5);
  bp_picture_free(p);
  bp_net_free(net);
  net = make_net(ctx, plane, 90, NULL);
  assert_int_equal(bp_templates(net, NULL, &p), BP_OK);
  assert_int_equal(picture_says(p, "The 40 strongest of 90 units of the first layer"), 1);
  picture_is_clear(p, 0.5);
  bp_picture_free(p);
  assert_int_equal(bp_templates(net, &(bp_templates_options){.most = 10000}, &p), BP_OK);
  picture_is_clear(p, 0.5);
  bp_picture_free(p);
  bp_net_free(net);
  net = make_net(ctx,
                 "<b>&amp;,a very long name of a column that nobody would want to read in full "
                 "anywhere,t\n1,2,3.5\n2,3,4.25\n3,1,5.75\n",
                 3, NULL);
  assert_int_equal(bp_templates(net, NULL, &p), BP_OK); /* numbers: the output is the target */
  assert_int_equal(picture_says(p, "t"), 1);
  picture_is_clear(p, 0.5);
  bp_picture_free(p);
  bp_net_free(net);
}

/* ---- regions ---- */

/* Without hidden layers: logits 0 and 8 (a - 0.5), so that yes is likelier right of a = 0.5: W = [[0, 0], [8, 0]], b = [0, -4]. Classes
 * are in the order of their names. */
static const double upright[] = {0, 0, 8, 0, 0, -4};

static const bpi_item *image_of(const bp_picture *p)
{
  for (size_t i = 0; i < p->n; i++)
    if (p->item[i].kind == BPI_ITEM_IMAGE)
      return &p->item[i];
  fail_msg("no image");
  return NULL;
}

/* Filters [2, 2, 3, 2] over 4 by 4 pixels of two channels: each an image of 2 rows, its channels side by side. Weight k of filter f is (k + 1) / 12,
 * or minus that; in a row, places of the filter's columns come before channels. */
static void filters_have_templates(void **state)
{
  (void)state;
  float x[2 * 32] = {0};
  int64_t labels[2] = {0, 1};
  x[1] = 1;
  bp_picture *p;
  bp_data *d = bp_data_new(ctx, 2, 32, x, labels, NULL, 0);
  bp_net *net =
      bp_net_new(ctx, d, &(bp_net_options){.model = "conv 2 2x3 relu", .shape = {4, 4, 2}, .raw = true});
  void *data;
  assert_non_null(net);
  assert_int_equal(bp_params_at(bp_net_params(net), 0, NULL, NULL, &data, NULL), BP_OK);
  for (int i = 0; i < 24; i++)
    ((float *)data)[i] = (i < 12 ? 1 : -1) * (float)(i % 12 + 1) / 12;
  assert_int_equal(bp_templates(net, NULL, &p), BP_OK);
  const bpi_item *image = image_of(p);
  assert_true(image->image.rows == 2 && image->image.cols == 6);
  /* Row 1, channel 0 holds weights 1, 3, 5 (from 1), channel 1 weights 2, 4, 6. */
  static const int weight[12] = {1, 3, 5, 2, 4, 6, 7, 9, 11, 8, 10, 12};
  for (int i = 0; i < 12; i++) {
    assert_int_equal(image->image.pixel[i].role, BPI_POSITIVE);
    assert_float_equal(image->image.pixel[i].strength, 255.0 * weight[i] / 12, 0.51);
  }
  picture_is_clear(p, 0.5);
  bp_picture_free(p);
  bp_net_free(net);
  bp_data_free(d);
}

static void a_border_lies_where_answers_change(void **state)
{
  (void)state;
  bp_net *net = make_net(ctx, plane, -1, upright);
  bp_data *data = make_data("b,extra,a,t\n0.2,7,0.1,no\n0.8,7,0.9,yes\n0.3,7,0.3,yes\n0.6,7,0.7,yes\n");
  bp_picture *p;
  bp_regions_options o = {.x_lo = -1, .x_hi = 2, .y_lo = 0, .y_hi = 1};
  assert_int_equal(bp_regions(net, data, &o, &p), BP_OK);
  const bpi_item *image = image_of(p);
  int cols = image->image.cols;
  double middle = (image->box.x0 + image->box.x1) / 2; /* a = 0.5 */
  assert_int_equal(image->image.pixel[cols / 2 - 5].role, BPI_SERIES1);
  assert_int_equal(image->image.pixel[cols / 2 + 5].role, BPI_SERIES2);
  assert_true(image->image.pixel[0].strength > image->image.pixel[cols / 2 - 5].strength);
  int borders = 0, marks = 0;
  for (size_t i = 0; i < p->n; i++) {
    const bpi_item *at = &p->item[i];
    if (at->kind == BPI_ITEM_PATH && at->look.line.role == BPI_EDGE) {
      borders++;
      assert_float_equal(at->box.x0 + 0.75, middle, 0.2);
      assert_float_equal(at->box.x1 - 0.75, middle, 0.2);
      assert_true(at->box.y1 - at->box.y0 > image->box.y1 - image->box.y0 - 4);
    }
    marks += at->kind == BPI_ITEM_PATH &&
             at->look.line.role == BPI_TEXT; /* a triangle with a dark edge: yes, but answered no */
  }
  assert_int_equal(borders, 1);
  assert_int_equal(marks, 1);
  assert_int_equal(picture_says(p, "wrong"), 1);
  assert_int_equal(picture_says(p, "b"), 1);
  picture_is_clear(p, 0.5);
  picture_is_golden(p, "regions-classes");
  bp_picture_free(p);
  assert_int_equal(bp_regions(net, NULL, NULL, &p), BP_OK);
  assert_int_equal(picture_says(p, "wrong"), 0);
  bp_picture_free(p);
  bp_data_free(data);
  bp_net_free(net);
}

/* y = 2 a + 3 b: lines of equal value are straight and parallel. */
static void numbers_have_lines(void **state)
{
  (void)state;
  const double slope[] = {2, 3, 0};
  static const char csv[] = "a,b,t\n0,0,0.5\n1,1,5.25\n0,1,3.5\n1,0,2.75\n";
  bp_net *net = make_net(ctx, csv, -1, slope);
  bp_data *data = make_data(csv);
  bp_picture *p;
  assert_int_equal(bp_regions(net, data, &(bp_regions_options){.width = 400, .height = 300}, &p), BP_OK);
  int lines = 0;
  for (size_t i = 0; i < p->n; i++)
    if (p->item[i].kind == BPI_ITEM_PATH && p->item[i].look.line.role == BPI_EDGE &&
        strlen(p->item[i].path.step) == 2)
      lines++;
  assert_true(lines >= 8); /* lines in the plane and on the scale */
  picture_is_clear(p, 0.5);
  picture_is_golden(p, "regions-numbers");
  bp_picture_free(p);
  bp_data_free(data);
  bp_net_free(net);
}

static void regions_refuse_what_makes_no_sense(void **state)
{
  (void)state;
  bp_picture *p;
  bp_net *net = make_net(ctx, plane, 3, NULL), *wide = make_net(ctx, pixel_csv(), 2, NULL);
  bp_data *other = make_data("c,d,t\n1,2,yes\n2,3,no\n");
  const bp_regions_options bad[] = {{.width = 100},         {.height = NAN}, {.width = 1e9},
                                    {.x_lo = 2, .x_hi = 1}, {.y_lo = NAN},   {.y_hi = INFINITY},
                                    {.x_hi = 1e300}};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert_int_equal(bp_regions(net, NULL, &bad[i], &p), BP_E_RANGE);
  assert_int_equal(bp_regions(wide, NULL, NULL, &p), BP_E_UNSUPPORTED);
  assert_int_equal(bp_regions(net, other, NULL, &p), BP_E_MISMATCH);
  assert_int_equal(bp_regions(NULL, NULL, NULL, &p), BP_E_ARG);
  assert_null(p);
  bp_data_free(other);
  bp_net_free(net);
  bp_net_free(wide);
}

/* Data far from one another, all in one place, and weights that answer NaN. */
static void odd_regions_are_drawn(void **state)
{
  (void)state;
  static const char *const rows[] = {"a,b,t\n5,5,yes\n5,5,no\n", "a,b,t\n-3e38,0,yes\n3e38,1e-38,no\n",
                                     "a,b,t\n1e-30,0,yes\n0,1e-30,no\n"};
  double poor[] = {NAN, 1, 1, 1, 1, 1};
  for (int bad = 0; bad < 2; bad++)
    for (int i = 0; i < 3; i++) {
      bp_net *net = make_net(ctx, plane, -1, bad ? poor : upright);
      bp_data *data = make_data(rows[i]);
      bp_picture *p;
      char *svg;
      bp_status s = bp_regions(net, data, NULL, &p);
      if (s == BP_OK) {
        picture_is_clear(p, 0.5);
        assert_int_equal(bp_picture_svg(p, false, &svg), BP_OK);
        assert_null(strstr(svg, "nan"));
        bp_free(ctx, svg);
      } else
        assert_int_equal(s, BP_E_NOTFINITE);
      bp_picture_free(p);
      bp_data_free(data);
      bp_net_free(net);
    }
}

/* ---- faults ---- */

static bp_status draw_templates(bp_ctx *c)
{
  bp_picture *p = NULL;
  bp_net *net = make_net(c, plane, -1, upright);
  bp_status s = net ? bp_templates(net, NULL, &p) : BP_E_NOMEM;
  bp_picture_free(p);
  bp_net_free(net);
  return s;
}

static bp_status draw_regions(bp_ctx *c)
{
  bp_picture *p = NULL;
  bp_net *net = make_net(c, plane, -1, upright);
  bp_data *data = net ? bp_data_new(c, 2, 2, (float[]){0, 0, 1, 1}, (int64_t[]){0, 1}, NULL, 0) : NULL;
  bp_regions_options o = {.width = 240, .height = 200};
  bp_status s = data ? bp_regions(net, data, &o, &p) : BP_E_NOMEM;
  bp_picture_free(p);
  bp_data_free(data);
  bp_net_free(net);
  return s;
}

static void every_allocation_may_fail(void **state)
{
  (void)state;
  assert_true(fail_in_turn(draw_templates) > 100);
  assert_true(fail_in_turn(draw_regions) > 100);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_circle_is_one_ring),
      cmocka_unit_test(branches_are_apart),
      cmocka_unit_test(a_saddle_is_cut_by_its_middle),
      cmocka_unit_test(bars_are_as_long_as_weights),
      cmocka_unit_test(images_show_weights_on_one_scale),
      cmocka_unit_test(other_shapes_have_templates),
      cmocka_unit_test(filters_have_templates),
      cmocka_unit_test(a_border_lies_where_answers_change),
      cmocka_unit_test(numbers_have_lines),
      cmocka_unit_test(regions_refuse_what_makes_no_sense),
      cmocka_unit_test(odd_regions_are_drawn),
      cmocka_unit_test(every_allocation_may_fail),
  };
  return cmocka_run_group_tests(tests, open_ctx, close_ctx);
}
