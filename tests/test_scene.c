/* The list of things to draw, its metrics, its colours and its SVG. */
#include "draw/font.h"
#include "support/failing.h"
#include "support/one_ctx.h"
#include "support/picture.h"
#include "support/sampler.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

/* ---- metrics ---- */

/* Advances of DejaVu Sans 2.37 in 1/2048, read from the hmtx table of the font file: A 1401, B 1405, space 651, digit 1303, minus
 * (U+2212) 1716, alpha 1350, ellipsis 2048; bold A 1585, digit 1425. */
static void widths_are_those_of_the_font(void **state)
{
  (void)state;
  assert_float_equal(bpi_text_width("", 20, 0), 0, 0);
  assert_float_equal(bpi_text_width("AB", 2048, 0), 1401 + 1405, 1e-9);
  assert_float_equal(bpi_text_width("A B", 2048, 0), 1401 + 651 + 1405, 1e-9);
  assert_float_equal(bpi_text_width("0123456789", 2048, 0), 13030, 1e-9);
  assert_float_equal(bpi_text_width("\xe2\x88\x92\xce\xb1\xe2\x80\xa6", 2048, 0), 1716 + 1350 + 2048, 1e-9);
  assert_float_equal(bpi_text_width("A7", 2048, BPI_BOLD), 1585 + 1425, 1e-9);
  assert_float_equal(bpi_text_width("A7", 2048, BPI_ITALIC), 1401 + 1303, 1e-9);
}

typedef struct extent {
  bpi_box box;
  int contours;
} extent;

static void meet(extent *e, bpi_point p)
{
  e->box.x0 = fmin(e->box.x0, p.x);
  e->box.y0 = fmin(e->box.y0, p.y);
  e->box.x1 = fmax(e->box.x1, p.x);
  e->box.y1 = fmax(e->box.y1, p.y);
}
static void extent_move(void *user, bpi_point to)
{
  ((extent *)user)->contours++;
  meet(user, to);
}
static void extent_line(void *user, bpi_point to)
{
  meet(user, to);
}
static void extent_quad(void *user, bpi_point control, bpi_point to)
{
  (void)control;
  meet(user, to);
}

static extent extent_of(uint32_t code, unsigned style)
{
  extent e = {{1e9, 1e9, -1e9, -1e9}, 0};
  bpi_outline_sink sink = {&e, extent_move, extent_line, extent_quad};
  assert_true(bpi_glyph_outline(code, style, &sink));
  return e;
}

/* Boxes from the font's glyf table, in 1/2048: H (201,0)-(1339,1493), o (113,-29)-(1141,1147), p (186,-426)-..., i has two
 * contours, B three. */
static void outlines_are_those_of_the_font(void **state)
{
  (void)state;
  const double near = 1.0 / 1024;
  extent h = extent_of('H', 0), o = extent_of('o', 0), p = extent_of('p', 0);
  assert_float_equal(h.box.x0, 201 / 2048.0, near);
  assert_float_equal(h.box.x1, 1339 / 2048.0, near);
  assert_float_equal(h.box.y0, 0, near);
  assert_float_equal(h.box.y1, 1493 / 2048.0, near);
  assert_float_equal(o.box.x0, 113 / 2048.0, near);
  assert_float_equal(o.box.y0, -29 / 2048.0, near);
  assert_float_equal(o.box.y1, 1147 / 2048.0, near);
  assert_float_equal(p.box.y0, -426 / 2048.0, near);
  assert_int_equal(extent_of('i', 0).contours, 2);
  assert_int_equal(extent_of('B', 0).contours, 3);
  assert_int_equal(extent_of(' ', 0).contours, 0);
  extent slanted = extent_of('H', BPI_ITALIC);
  assert_float_equal(slanted.box.x1 - h.box.x1, tan(11 * 3.14159265358979 / 180) * (1493 / 2048.0 - 0.3),
                     near);
}

/* Every glyph decodes, stays within two sizes of the origin, and ends where the next begins. */
static void every_outline_is_sound(void **state)
{
  (void)state;
  int found = 0;
  for (uint32_t code = 1; code < 0x10000; code++)
    for (unsigned style = 0; style <= BPI_BOLD; style += BPI_BOLD) {
      extent e = {{0, 0, 0, 0}, 0};
      bpi_outline_sink sink = {&e, extent_move, extent_line, extent_quad};
      if (!bpi_glyph_outline(code, style, &sink))
        continue;
      found++;
      assert_true(e.box.x0 > -0.5 && e.box.x1 < 1.7 && e.box.y0 > -0.5 && e.box.y1 < 1.4);
      assert_true(bpi_glyph_advance(code, style) > 0.1);
    }
  assert_true(found > 500);
}

/* ---- colours: contrast as WCAG 2.1 defines it ---- */

static double channel(uint32_t colour, int shift)
{
  double c = (colour >> shift & 0xff) / 255.0;
  return c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4);
}

static double luminance(uint32_t colour)
{
  return 0.2126 * channel(colour, 16) + 0.7152 * channel(colour, 8) + 0.0722 * channel(colour, 0);
}

static double contrast(bpi_role a, bpi_role b, bool dark)
{
  double x = luminance(bpi_colour(BPI_INK(a), dark)), y = luminance(bpi_colour(BPI_INK(b), dark));
  return (fmax(x, y) + 0.05) / (fmin(x, y) + 0.05);
}

static void colours_can_be_told_from_their_ground(void **state)
{
  (void)state;
  static const struct {
    const char *name;
    double promised;
  } roles[] = {{"", 0},
#define ROLE_ROW(name, light, dark, promised) {#name, promised},
               BPI_ROLE_LIST(ROLE_ROW)
#undef ROLE_ROW
  };
  const bpi_role grounds[] = {BPI_PAPER, BPI_GATE, BPI_BUNDLE, BPI_INPUT};
  for (int role = 1; role < BPI_ROLE_COUNT; role++)
    for (int dark = 0; dark < 2; dark++)
      for (size_t g = 0; g < sizeof grounds / sizeof *grounds; g++) {
        /* What is promised on paper holds on the other grounds but for a tenth. */
        double least = roles[role].promised * (g ? 0.9 : 1), got = contrast((bpi_role)role, grounds[g], dark);
        if (got < least)
          fail_msg("%s on ground %zu, %s: contrast %.2f, not %.2f", roles[role].name, g,
                   dark ? "dark" : "light", got, least);
      }
}

static void strength_mixes_into_the_paper(void **state)
{
  (void)state;
  for (int dark = 0; dark < 2; dark++) {
    assert_int_equal(bpi_colour((bpi_ink){BPI_VALUE, 0}, dark), bpi_colour(BPI_INK(BPI_PAPER), dark));
    uint32_t full = bpi_colour(BPI_INK(BPI_VALUE), dark), half = bpi_colour((bpi_ink){BPI_VALUE, 128}, dark);
    assert_true(full != half && half != bpi_colour(BPI_INK(BPI_PAPER), dark));
  }
  /* 0x00691a at 51/255 = a fifth over white: ff - ff/5 = cc, ff - (ff - 69)/5 = e1, ff - (ff - 1a)/5 = d1 */
  assert_int_equal(bpi_colour((bpi_ink){BPI_VALUE, 51}, false), 0xcce1d1);
}

/* ---- texts ---- */

static const char *drawn(bp_picture *p, const char *text)
{
  bpi_draw_text(p, (bpi_point){10, 20}, 12, 0, BPI_TEXT, text);
  assert_int_equal(p->status, BP_OK);
  return p->n ? p->item[p->n - 1].text.s : "";
}

static void texts_are_cleaned(void **state)
{
  (void)state;
  bp_picture *p = bpi_scene_new(ctx);
  assert_string_equal(drawn(p, "plain \xc3\xa9"), "plain \xc3\xa9");
  assert_string_equal(drawn(p, "a\tb\nc\x1b[0m\x7f"), "a?b?c?[0m?");
  assert_string_equal(drawn(p, "\xff\xc3(\xc0\x80"), "?\?(?\?");
  assert_string_equal(drawn(p, "a\xe2\x80\xae"
                               "b\xef\xbf\xbf"),
                      "a?b?"); /* right-to-left override, U+FFFF */
  size_t n = p->n;
  bpi_draw_text(p, (bpi_point){0, 0}, 12, 0, BPI_TEXT, "");
  bpi_draw_text(p, (bpi_point){0, 0}, 12, 0, BPI_TEXT, NULL);
  assert_int_equal(p->n, n);
  bp_picture_free(p);
}

static void long_texts_are_cut(void **state)
{
  (void)state;
  bp_picture *p = bpi_scene_new(ctx);
  char name[2000];
  assert_string_equal(bpi_text_fit(p, "short", 12, 0, 100), "short");
  assert_string_equal(bpi_text_fit(p, "exact", 12, 0, bpi_text_width("exact", 12, 0)), "exact");
  assert_string_equal(
      bpi_text_fit(p, "sepal length (cm)", 2048, 0, bpi_text_width("sepal l", 2048, 0) + 2048),
      "sepal l\xe2\x80\xa6");
  assert_string_equal(bpi_text_fit(p, "sepal length", 2048, 0, bpi_text_width("sepal ", 2048, 0) + 2048),
                      "sepal\xe2\x80\xa6");
  assert_string_equal(bpi_text_fit(p, "anything", 12, 0, 0), "\xe2\x80\xa6");
  memset(name, 'W', sizeof name - 1);
  name[sizeof name - 1] = 0;
  for (double width = 20; width < 300; width += 7)
    assert_true(bpi_text_width(bpi_text_fit(p, name, 12, BPI_BOLD, width), 12, BPI_BOLD) <= width);
  bp_picture_free(p);
}

/* ---- boxes ---- */

static void boxes_hold_what_is_drawn(void **state)
{
  (void)state;
  bpi_box b = bpi_text_box((bpi_point){100, 50}, 20, BPI_MIDDLE, "AA");
  double width = 2 * 1401 * 20 / 2048.0;
  assert_float_equal(b.x0, 100 - width / 2, 1e-9);
  assert_float_equal(b.x1, 100 + width / 2, 1e-9);
  assert_float_equal(b.y0, 50 - 0.76 * 20, 1e-9);
  b = bpi_text_box((bpi_point){100, 50}, 20, BPI_END | BPI_TURNED, "AA");
  assert_float_equal(b.y1, 50 + width, 1e-9);
  assert_float_equal(b.y0, 50, 1e-9);
  assert_float_equal(b.x0, 100 - 0.76 * 20, 1e-9);
  bp_picture *p = bpi_scene_new(ctx);
  bpi_draw_line(p, (bpi_look){.line = BPI_INK(BPI_WIRE), .width = 4}, (bpi_point){10, 10},
                (bpi_point){30, 10});
  assert_float_equal(p->item[0].box.y0, 8, 1e-9);
  assert_float_equal(p->item[0].box.x1, 32, 1e-9);
  bp_picture_free(p);
}

/* ---- failures ---- */

static void coordinates_that_are_not_finite_are_refused(void **state)
{
  (void)state;
  const double bad[] = {NAN, INFINITY, -INFINITY};
  for (int i = 0; i < 3; i++) {
    bp_picture *p = bpi_scene_new(ctx), *out = p;
    bpi_draw_polyline(p, (bpi_look){0}, (bpi_point[]){{0, 0}, {1, bad[i]}, {2, 2}}, 3, false);
    bpi_draw_circle(p, (bpi_look){0}, (bpi_point){0, 0}, 3);
    assert_int_equal(p->n, 0);
    assert_int_equal(bpi_scene_done(p, 10, 10, NULL, NULL, &out), BP_E_NOTFINITE);
    assert_null(out);
    p = bpi_scene_new(ctx);
    assert_int_equal(bpi_scene_done(p, 10, bad[i], NULL, NULL, &out), BP_E_LIMIT);
  }
  char *svg;
  assert_int_equal(bp_picture_svg(NULL, false, &svg), BP_E_ARG);
  bp_picture_free(NULL);
}

static void the_sampler_is_golden(void **state)
{
  (void)state;
  bp_picture *p;
  double w, h;
  assert_int_equal(draw_sampler(ctx, &p), BP_OK);
  bp_picture_size(p, &w, &h);
  assert_float_equal(w, 330, 0);
  assert_float_equal(h, 210, 0);
  picture_is_clear(p, 0);
  assert_int_equal(picture_texts(p), 7);
  assert_int_equal(picture_says(p, "sigmoid"), 1);
  picture_is_golden(p, "sampler");
  bp_picture_free(p);
}

static bp_status draw_and_write(bp_ctx *c)
{
  bp_picture *p = NULL;
  char *data = NULL;
  bp_status s = draw_sampler(c, &p);
  if (s == BP_OK)
    s = bp_picture_svg(p, false, &data);
  bp_free(c, data);
  bp_picture_free(p);
  return s;
}

static void every_allocation_may_fail(void **state)
{
  (void)state;
  assert_true(fail_in_turn(draw_and_write) > 20);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(widths_are_those_of_the_font),
      cmocka_unit_test(outlines_are_those_of_the_font),
      cmocka_unit_test(every_outline_is_sound),
      cmocka_unit_test(colours_can_be_told_from_their_ground),
      cmocka_unit_test(strength_mixes_into_the_paper),
      cmocka_unit_test(texts_are_cleaned),
      cmocka_unit_test(long_texts_are_cut),
      cmocka_unit_test(boxes_hold_what_is_drawn),
      cmocka_unit_test(coordinates_that_are_not_finite_are_refused),
      cmocka_unit_test(the_sampler_is_golden),
      cmocka_unit_test(every_allocation_may_fail),
  };
  return cmocka_run_group_tests(tests, open_ctx, close_ctx);
}
