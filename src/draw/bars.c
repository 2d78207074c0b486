/* Values with names, as bars from left to right, one below the other. */
#include "draw/axis.h"

#include <math.h>
#include <stdio.h>

enum { MOST = 200, TITLE = 15, NAMES = 12, LINE = 20, BAR = 13, LABEL_MOST = 220, MARGIN = 16, FIGURE = 64 };

typedef struct bars {
  bp_picture *p;
  const bp_bars_options *o;
  const bp_bar *bar;
  int n;
  bpi_axis x, y; /* y has no ticks: it is only where the frame stands */
  double width;
} bars;

static bpi_range range_of(const bars *t)
{
  bpi_range r = {0};
  bpi_range_add(&r, 0, false);
  for (int i = 0; i < t->n; i++) {
    double spread = isfinite(t->bar[i].spread) ? fabs(t->bar[i].spread) : 0;
    bpi_range_add(&r, t->bar[i].value - spread, false);
    bpi_range_add(&r, t->bar[i].value + spread, false);
  }
  return r;
}

static void lay_out(bars *t)
{
  double names = 0;
  for (int i = 0; i < t->n; i++)
    names = fmax(names, bpi_text_width(t->bar[i].label ? t->bar[i].label : "", NAMES, 0));
  double top = MARGIN + (t->o->title && *t->o->title ? 28 : 0), left = MARGIN + fmin(names, LABEL_MOST) + 8;
  t->y = (bpi_axis){.lo = 0, .hi = 1, .from = top + t->n * LINE + 8, .to = top};
  double room = t->width - left - MARGIN - FIGURE;
  bpi_axis_make(&t->x, range_of(t), false, 0.02, (int)fmax(2, fmin(8, room / 80)), left,
                t->width - MARGIN - FIGURE);
}

/* The spread as a line with ends, over the bar. */
static void draw_spread(bars *t, double y, double value, double spread)
{
  bpi_look line = {.line = BPI_INK(BPI_TEXT), .width = 1.2};
  double a = bpi_axis_at(&t->x, value - spread), b = bpi_axis_at(&t->x, value + spread);
  bpi_draw_line(t->p, line, (bpi_point){a, y}, (bpi_point){b, y});
  bpi_draw_line(t->p, line, (bpi_point){a, y - 3}, (bpi_point){a, y + 3});
  bpi_draw_line(t->p, line, (bpi_point){b, y - 3}, (bpi_point){b, y + 3});
}

static void draw_bar(bars *t, int i)
{
  const bp_bar *b = &t->bar[i];
  double y = t->y.to + 4 + (i + 0.5) * LINE, zero = bpi_axis_at(&t->x, 0);
  bool spread = isfinite(b->spread) && b->spread > 0;
  char figure[64];
  bpi_draw_text(t->p, (bpi_point){t->x.from - 8, y + 0.36 * NAMES}, NAMES, BPI_END, BPI_TEXT,
                bpi_text_fit(t->p, b->label ? b->label : "", NAMES, 0, LABEL_MOST));
  if (!isfinite(b->value))
    return;
  double end = bpi_axis_at(&t->x, b->value);
  bpi_look look = {.fill = {(uint8_t)(b->value < 0 ? BPI_SERIES2 : BPI_SERIES1), 200}};
  snprintf(figure, sizeof figure, "%.3g", b->value);
  bpi_draw_open(t->p, b->label);
  bpi_draw_rect(t->p, look, (bpi_box){fmin(zero, end), y - BAR / 2.0, fmax(zero, end), y + BAR / 2.0}, 0);
  if (spread)
    draw_spread(t, y, b->value, b->spread);
  bpi_draw_text(t->p, (bpi_point){t->x.to + 8, y + 0.36 * NAMES}, NAMES, 0, BPI_MUTED, figure);
  bpi_draw_close(t->p);
}

bp_status bp_bars(bp_ctx *ctx, const bp_bars_options *options, const bp_bar *bar, size_t n,
                  bp_picture **picture)
{
  static const bp_bars_options defaults;
  if (!ctx || !bar || !picture)
    return bpi_bad_arg("bp_bars", "ctx, bars or picture is NULL");
  *picture = NULL;
  bars t = {.o = options ? options : &defaults, .bar = bar, .n = (int)n};
  t.width = t.o->width != 0 ? t.o->width : 640;
  if (n < 1 || n > MOST || !(t.width >= 400 && t.width <= 10000))
    return bpi_fail(BP_E_RANGE, "bp_bars: 1 to %d bars are drawn, 400 to 10,000 wide", MOST);
  t.p = bpi_scene_new(ctx);
  if (!t.p)
    return BP_E_NOMEM;
  lay_out(&t);
  bpi_draw_text(t.p, (bpi_point){MARGIN, 30}, TITLE, BPI_BOLD, BPI_TEXT,
                bpi_text_fit(t.p, t.o->title ? t.o->title : "", TITLE, BPI_BOLD, t.width - 2 * MARGIN));
  bpi_draw_axes(t.p, &t.x, &t.y, t.o->label, NULL, true);
  for (int i = 0; i < t.n; i++)
    draw_bar(&t, i);
  double below = (t.o->label && *t.o->label) || *t.x.factor ? 52 : 34;
  return bpi_scene_done(t.p, t.width, t.y.from + below, t.o->title && *t.o->title ? t.o->title : "Bars", NULL,
                        picture);
}
