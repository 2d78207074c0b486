/* A picture with everything that can be drawn, for the tests of what writes pictures. */
#ifndef TESTS_SAMPLER_H
#define TESTS_SAMPLER_H

#include "draw/scene.h"

static inline bp_status draw_sampler(bp_ctx *c, bp_picture **out)
{
  bp_picture *p = bpi_scene_new(c);
  if (!p)
    return BP_E_NOMEM;
  bpi_look gate = {.fill = BPI_INK(BPI_GATE), .line = BPI_INK(BPI_EDGE), .width = 1.5};
  bpi_look wire = {.line = BPI_INK(BPI_WIRE), .width = 1.5, .wire = true};
  bpi_look dashed = {.line = BPI_INK(BPI_SERIES2), .width = 2, .dash = BPI_DASHED};
  bpi_look head = {.fill = BPI_INK(BPI_WIRE)};
  bpi_draw_open(p, "a gate & its <wire>");
  bpi_draw_path(p, wire, "MC", (bpi_point[]){{20, 100}, {70, 100}, {60, 50}, {98, 50}});
  bpi_draw_arrow(p, head, (bpi_point){60, 50}, (bpi_point){100, 50}, 9);
  bpi_draw_circle(p, gate, (bpi_point){120, 50}, 20);
  bpi_draw_text(p, (bpi_point){120, 57}, 20, BPI_MIDDLE, BPI_TEXT, "\xc3\x97");
  bpi_draw_close(p);
  bpi_draw_rect(p, (bpi_look){.fill = BPI_INK(BPI_BUNDLE), .line = BPI_INK(BPI_EDGE), .width = 1},
                (bpi_box){180, 30, 280, 70}, 8);
  bpi_draw_text(p, (bpi_point){230, 55}, 14, BPI_MIDDLE | BPI_BOLD, BPI_TEXT, "sigmoid");
  bpi_draw_text(p, (bpi_point){24, 70}, 13, 0, BPI_VALUE, "2.00");
  bpi_draw_text(p, (bpi_point){30, 124}, 13, BPI_ITALIC, BPI_GRADIENT,
                "\xe2\x88\x92"
                "0.53");
  bpi_draw_text(p, (bpi_point){100, 124}, 13, 0, BPI_MUTED, "<&\"'>");
  bpi_draw_text(p, (bpi_point){310, 120}, 12, BPI_TURNED, BPI_MUTED, "turned 10\xe2\x81\xbb\xc2\xb3");
  bpi_draw_text(p, (bpi_point){280, 125}, 12, BPI_END | BPI_BOLD | BPI_ITALIC, BPI_SERIES4,
                "\xce\xb1 \xe2\x88\x82L/\xe2\x88\x82W");
  bpi_draw_polyline(p, dashed, (bpi_point[]){{20, 150}, {100, 140}, {180, 155}, {290, 145}}, 4, false);
  bpi_draw_polyline(p, (bpi_look){.fill = {BPI_SERIES3, 90}, .line = BPI_INK(BPI_SERIES3), .width = 1.5},
                    (bpi_point[]){{20, 170}, {80, 170}, {50, 195}}, 3, true);
  bpi_ink *pixel = bpi_scene_alloc(p, 12, sizeof *pixel);
  for (int i = 0; pixel && i < 12; i++)
    pixel[i] = (bpi_ink){i < 6 ? BPI_NEGATIVE : BPI_POSITIVE, (uint8_t)(i < 6 ? 250 - 50 * i : 50 * (i - 6))};
  bpi_draw_image(p, (bpi_box){120, 165, 200, 195}, 4, 3, pixel, false);
  bpi_draw_image(p, (bpi_box){220, 165, 300, 195}, 4, 3, pixel, true);
  return bpi_scene_done(p, 330, 210, "Sampler", "Everything that can be drawn, once: < > & \"", out);
}

#endif
