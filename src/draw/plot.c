/* Curves over axes. */
#include "draw/axis.h"
#include "draw/legend.h"
#include "base/sort.h"

#include <math.h>

enum { TITLE_SIZE = 15, MOST_ENTRIES = 24 };

typedef struct plot {
  bp_picture *p;
  const bp_plot_options *o;
  const bp_series *series;
  size_t n;
  double width, height;
  bpi_box frame;
  bpi_axis x, y;
  bpi_legend_entry entry[MOST_ENTRIES];
  int n_entries;
  bool marked;
} plot;

/* ---- ranges ---- */

static bool counts(const plot *t, const bp_series *s, size_t k, bool of_x)
{
  const bp_plot_options *o = t->o;
  double x = s->x[k], y = s->y[k];
  bool drawn = isfinite(x) && isfinite(y) && (!o->x_log || x > 0) && (!o->y_log || y > 0);
  return drawn && (of_x || o->x_lo >= o->x_hi || (x >= o->x_lo && x <= o->x_hi));
}

static int by_value(const void *a, const void *b, const void *arg)
{
  double x = *(const double *)a, y = *(const double *)b;
  (void)arg;
  return (x > y) - (x < y);
}

/* A few values far beyond all others, as at a pole, would press the rest flat: then the range is that of the middle half, and twice
 * as much on both sides. That it is a pole, and no steep curve, is told by the middle eight tenths. */
static void usual_range(plot *t, const bp_series *s, bpi_range *whole)
{
  enum { FAR = 15 };
  double *y = bpi_alloc(t->p->ctx, s->n + 1, sizeof *y);
  size_t n = 0;
  if (!y) {
    bpi_scene_fail(t->p, bpi_nomem());
    return;
  }
  for (size_t k = 0; k < s->n; k++)
    if (counts(t, s, k, false))
      y[n++] = s->y[k];
  bpi_sort(y, n, sizeof *y, by_value, NULL);
  if (n) {
    double most = y[n - 1 - n / 10] - y[n / 10], lo = y[n / 4], hi = y[n - 1 - n / 4], air = 2 * (hi - lo);
    bool poles = most > 0 && air > 0 && y[n - 1] / 2 - y[0] / 2 > FAR * (most / 2);
    bpi_range_add(whole, poles ? fmax(lo - air, y[0]) : y[0], false);
    bpi_range_add(whole, poles ? fmin(hi + air, y[n - 1]) : y[n - 1], false);
  }
  bpi_free(t->p->ctx, y);
}

static bpi_range data_range(plot *t, bool of_x)
{
  bpi_range r = {0};
  for (size_t i = 0; i < t->n; i++) {
    const bp_series *s = &t->series[i];
    if (!of_x && t->o->poles && !t->o->y_log) {
      usual_range(t, s, &r);
      continue;
    }
    for (size_t k = 0; k < s->n; k++)
      if (counts(t, s, k, of_x))
        bpi_range_add(&r, of_x ? s->x[k] : s->y[k], of_x ? t->o->x_log : t->o->y_log);
  }
  return r;
}

static bp_status check_range(const char *axis, double lo, double hi, bool log)
{
  if (!isfinite(lo) || !isfinite(hi) || lo > hi || fabs(lo) > 1e300 || fabs(hi) > 1e300)
    return bpi_fail(BP_E_RANGE, "bp_plot: the %s axis cannot go from %g to %g", axis, lo, hi);
  if (log && lo < hi && lo <= 0)
    return bpi_fail(BP_E_RANGE, "bp_plot: a logarithmic %s axis cannot begin at %g", axis, lo);
  return BP_OK;
}

static bp_status check_options(const bp_plot_options *o, double width, double height)
{
  if (!(width >= 200 && width <= 10000 && height >= 200 && height <= 10000))
    return bpi_fail(BP_E_RANGE, "bp_plot: a picture of %g by %g; each side may be 200 to 10,000", width,
                    height);
  bp_status s = check_range("x", o->x_lo, o->x_hi, o->x_log);
  return s == BP_OK ? check_range("y", o->y_lo, o->y_hi, o->y_log) : s;
}

/* The range that was asked for, else the data's, with some air. */
static void make_axis(plot *t, bpi_axis *a, bool is_x, double from, double to)
{
  const bp_plot_options *o = t->o;
  double lo = is_x ? o->x_lo : o->y_lo, hi = is_x ? o->x_hi : o->y_hi, length = fabs(to - from);
  bool log = is_x ? o->x_log : o->y_log, asked = lo < hi;
  int wanted = (int)fmax(2, fmin(10, length / (is_x ? 80 : 50)));
  bpi_axis_make(a, asked ? (bpi_range){lo, hi, true} : data_range(t, is_x), log, asked || is_x ? 0 : 0.05,
                wanted, from, to);
}

/* ---- looks ---- */

/* Number of the colour of series i, from 0; its mark has the same number. */
static int colour_of(const plot *t, size_t i)
{
  int chosen = t->series[i].colour;
  return chosen >= 1 && chosen <= BPI_SERIES ? chosen - 1 : (int)(i % BPI_SERIES);
}

static bool of_points(const plot *t, size_t i)
{
  return t->series[i].stroke == BP_STROKE_POINTS;
}

static bpi_look line_look(const plot *t, size_t i)
{
  static const int dashes[] = {BPI_SOLID, BPI_DASHED, BPI_DOTTED, BPI_SOLID};
  bpi_look look = {.line = BPI_INK(bpi_series_role(colour_of(t, i))), .width = 2};
  look.dash = dashes[t->series[i].stroke];
  return look;
}

/* Hollow on lines that are not solid. */
static bpi_look mark_look(const plot *t, size_t i)
{
  bpi_ink ink = BPI_INK(bpi_series_role(colour_of(t, i)));
  bool full = of_points(t, i) || t->series[i].stroke == BP_STROKE_LINE;
  return full ? (bpi_look){.fill = ink, .line = BPI_INK(BPI_PAPER), .width = 0.75}
              : (bpi_look){.fill = BPI_INK(BPI_PAPER), .line = ink, .width = 1.25};
}

/* Lines carry marks where colour alone would tell two of them apart. */
static void choose_marks(plot *t)
{
  int colour[BP_STROKE_POINTS + 1] = {-1, -1, -1, -1}; /* of the last series of each stroke */
  for (size_t i = 0; i < t->n; i++) {
    int *last = &colour[t->series[i].stroke], here = colour_of(t, i);
    t->marked = t->marked || (*last >= 0 && *last != here && !of_points(t, i));
    *last = here;
  }
}

static void collect_entries(plot *t, double most)
{
  for (size_t i = 0; i < t->n && t->n_entries < MOST_ENTRIES; i++) {
    const bp_series *s = &t->series[i];
    if (!s->label || !*s->label)
      continue;
    bpi_legend_entry e = {.label = bpi_text_fit(t->p, s->label, BPI_LEGEND_SIZE, 0, most),
                          .shape = colour_of(t, i)};
    if (!of_points(t, i))
      e.line = line_look(t, i);
    if (of_points(t, i) || t->marked)
      e.mark = mark_look(t, i);
    t->entry[t->n_entries++] = e;
  }
}

/* ---- drawing ---- */

static bool in_frame(const plot *t, bpi_point at, double inside)
{
  return at.x >= t->frame.x0 + inside && at.x <= t->frame.x1 - inside && at.y >= t->frame.y0 + inside &&
         at.y <= t->frame.y1 - inside;
}

/* A mark at every point, or on a line now and then: about every 90 across, each line at places of its own. */
static void draw_marks(plot *t, size_t i, const bpi_point *at)
{
  enum { APART = 90 };
  bool all = of_points(t, i);
  double until = APART * (0.3 + 0.13 * (double)(i % 6));
  for (size_t k = 0; k < t->series[i].n; k++) {
    double step = k ? fabs(at[k].x - at[k - 1].x) : 0;
    until -= isfinite(step) ? step : 0;
    if (!in_frame(t, at[k], all ? 0 : 6) || (!all && until > 0))
      continue;
    bpi_draw_mark(t->p, colour_of(t, i), mark_look(t, i), at[k], all ? 3.2 : 3.8);
    until = APART;
  }
}

/* The line of a series, or its marks. */
static void draw_series(plot *t, size_t i, bool marks)
{
  const bp_series *s = &t->series[i];
  if (marks ? !of_points(t, i) && !t->marked : of_points(t, i))
    return;
  bpi_point *at = bpi_alloc(t->p->ctx, s->n + 1, sizeof *at);
  if (!at) {
    bpi_scene_fail(t->p, bpi_nomem());
    return;
  }
  for (size_t k = 0; k < s->n; k++)
    at[k] = (bpi_point){bpi_axis_at(&t->x, s->x[k]), bpi_axis_at(&t->y, s->y[k])};
  bpi_draw_open(t->p, s->label);
  if (marks)
    draw_marks(t, i, at);
  else
    bpi_draw_clipped(t->p, line_look(t, i), t->frame, at, s->n);
  bpi_draw_close(t->p);
  bpi_free(t->p->ctx, at);
}

/* ---- where things stand ---- */

/* The frame: as large as title, numbers, labels and legend leave it. The y axis is made twice, as the width of its numbers is known only
 * when its height is, and whether it needs a line for their factor. */
static void lay_out(plot *t, double right, double below)
{
  const bp_plot_options *o = t->o;
  bool y_label = o->y_label && *o->y_label, x_label = o->x_label && *o->x_label,
       title = o->title && *o->title;
  t->frame.x1 = t->width - (right > 0 ? right + 28 : 20);
  for (int round = 0; round < 2; round++) {
    bool label_line = y_label || *t->y.factor;
    t->frame.y0 = 16 + (title ? 28 : 0) + (label_line ? 22 : title ? 0 : 8);
    t->frame.y1 = t->height - below - (x_label || *t->x.factor ? 52 : 34);
    make_axis(t, &t->y, false, t->frame.y1, t->frame.y0);
    t->frame.x0 = ceil(16 + bpi_axis_width(&t->y) + 9);
    make_axis(t, &t->x, true, t->frame.x0, t->frame.x1);
  }
}

static void draw_plot(plot *t)
{
  enum { WIDE = 480 }; /* from here on the legend stands beside the frame, else below it */
  const bp_plot_options *o = t->o;
  bool beside = t->width >= WIDE;
  choose_marks(t);
  collect_entries(t, beside ? t->width / 3 : t->width - 32 - BPI_LEGEND_SAMPLE);
  int n = t->n_entries > 1 ? t->n_entries : 0;
  double right = n && beside ? bpi_legend_width(t->entry, n, t->width / 3) : 0;
  double below = n && !beside ? bpi_legend_rows(t->entry, n, t->width - 32) * BPI_LEGEND_LINE + 6 : 0;
  lay_out(t, right, below);
  bpi_draw_text(t->p, (bpi_point){16, 30}, TITLE_SIZE, BPI_BOLD, BPI_TEXT,
                bpi_text_fit(t->p, o->title ? o->title : "", TITLE_SIZE, BPI_BOLD, t->width - 32));
  bpi_draw_axes(t->p, &t->x, &t->y, o->x_label, o->y_label, true);
  for (int marks = 0; marks < 2; marks++)
    for (size_t i = t->n; i-- > 0;) /* the first on top */
      draw_series(t, i, marks);
  if (right > 0)
    bpi_draw_legend(t->p, t->entry, n, (bpi_point){t->frame.x1 + 14, t->frame.y0}, right);
  if (below > 0)
    bpi_draw_legend_rows(t->p, t->entry, n, (bpi_point){16, t->height - below}, t->width - 32);
}

bp_status bp_plot(bp_ctx *ctx, const bp_plot_options *options, const bp_series *series, size_t n,
                  bp_picture **picture)
{
  static const bp_plot_options defaults;
  if (!ctx || !picture || (!series && n))
    return bpi_bad_arg("bp_plot", "ctx, series or picture is NULL");
  *picture = NULL;
  for (size_t i = 0; i < n; i++)
    if ((series[i].n && (!series[i].x || !series[i].y)) || (unsigned)series[i].stroke > BP_STROKE_POINTS)
      return bpi_bad_arg("bp_plot", "a series has no x, no y, or a stroke that there is not");
  const bp_plot_options *o = options ? options : &defaults;
  plot t = {.o = o,
            .series = series,
            .n = n,
            .width = o->width != 0 ? o->width : 640,
            .height = o->height != 0 ? o->height : 420};
  bp_status s = check_options(o, t.width, t.height);
  if (s != BP_OK)
    return s;
  t.p = bpi_scene_new(ctx);
  if (!t.p)
    return BP_E_NOMEM;
  draw_plot(&t);
  return bpi_scene_done(t.p, t.width, t.height, o->title && *o->title ? o->title : "Plot", NULL, picture);
}
