/* Curves over axes. */
#include "draw/axis.h"
#include "draw/legend.h"

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
} plot;

/* ---- ranges ---- */

static bpi_range data_range(const plot *t, bool of_x)
{
  bpi_range r = {0};
  for (size_t i = 0; i < t->n; i++)
    for (size_t k = 0; k < t->series[i].n; k++) {
      double x = t->series[i].x[k], y = t->series[i].y[k];
      bool counts = isfinite(x) && isfinite(y) && (!t->o->x_log || x > 0) && (!t->o->y_log || y > 0);
      if (counts && !of_x && t->o->x_lo < t->o->x_hi)
        counts = x >= t->o->x_lo && x <= t->o->x_hi;
      if (counts)
        bpi_range_add(&r, of_x ? x : y, of_x ? t->o->x_log : t->o->y_log);
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
static void make_axis(const plot *t, bpi_axis *a, bool is_x, double from, double to)
{
  const bp_plot_options *o = t->o;
  double lo = is_x ? o->x_lo : o->y_lo, hi = is_x ? o->x_hi : o->y_hi, length = fabs(to - from);
  bool log = is_x ? o->x_log : o->y_log, asked = lo < hi;
  int wanted = (int)fmax(2, fmin(10, length / (is_x ? 80 : 50)));
  bpi_axis_make(a, asked ? (bpi_range){lo, hi, true} : data_range(t, is_x), log, asked || is_x ? 0 : 0.05,
                wanted, from, to);
}

/* ---- looks ---- */

static bpi_role colour_of(const plot *t, size_t i)
{
  int chosen = t->series[i].colour;
  return bpi_series_role(chosen >= 1 && chosen <= BPI_SERIES ? chosen - 1 : (int)(i % BPI_SERIES));
}

/* Series of the same stroke that lie beyond the first get a dash of their own. */
static bpi_look look_of(const plot *t, size_t i)
{
  bpi_look look = {.line = BPI_INK(colour_of(t, i)), .width = 2};
  static const int dashes[] = {BPI_SOLID, BPI_DASHED, BPI_DOTTED};
  if (t->series[i].stroke == BP_STROKE_POINTS)
    return (bpi_look){.fill = look.line, .line = BPI_INK(BPI_PAPER), .width = 0.75};
  look.dash = dashes[t->series[i].stroke];
  return look;
}

static void collect_entries(plot *t)
{
  for (size_t i = 0; i < t->n && t->n_entries < MOST_ENTRIES; i++) {
    const bp_series *s = &t->series[i];
    if (!s->label || !*s->label)
      continue;
    bpi_look look = look_of(t, i);
    bpi_legend_entry e = {.label = bpi_text_fit(t->p, s->label, BPI_LEGEND_SIZE, 0, t->width / 3),
                          .shape = (int)(i % BPI_MARKS)};
    if (s->stroke == BP_STROKE_POINTS)
      e.mark = look;
    else
      e.line = look;
    t->entry[t->n_entries++] = e;
  }
}

/* ---- drawing ---- */

static void draw_marks(plot *t, size_t i)
{
  const bp_series *s = &t->series[i];
  for (size_t k = 0; k < s->n; k++) {
    bpi_point at = {bpi_axis_at(&t->x, s->x[k]), bpi_axis_at(&t->y, s->y[k])};
    if (at.x >= t->frame.x0 && at.x <= t->frame.x1 && at.y >= t->frame.y0 && at.y <= t->frame.y1)
      bpi_draw_mark(t->p, (int)(i % BPI_MARKS), look_of(t, i), at, 3.2);
  }
}

static void draw_series(plot *t, size_t i)
{
  const bp_series *s = &t->series[i];
  if (s->stroke == BP_STROKE_POINTS) {
    draw_marks(t, i);
    return;
  }
  bpi_point *at = s->n ? bpi_alloc(t->p->ctx, s->n, sizeof *at) : NULL;
  if (!at) {
    if (s->n)
      bpi_scene_fail(t->p, bpi_nomem());
    return;
  }
  for (size_t k = 0; k < s->n; k++)
    at[k] = (bpi_point){bpi_axis_at(&t->x, s->x[k]), bpi_axis_at(&t->y, s->y[k])};
  bpi_draw_clipped(t->p, look_of(t, i), t->frame, at, s->n);
  bpi_free(t->p->ctx, at);
}

/* ---- where things stand ---- */

/* The frame: as large as title, numbers, labels and legend leave it. The width of the y numbers is known only when the height is. */
static void lay_out(plot *t, double legend)
{
  const bp_plot_options *o = t->o;
  bool y_label = o->y_label && *o->y_label, x_label = o->x_label && *o->x_label,
       title = o->title && *o->title;
  t->frame.y0 = 16 + (title ? 28 : 0) + 22;
  if (!y_label && !title)
    t->frame.y0 = 24;
  t->frame.y1 = t->height - (x_label ? 52 : 34);
  make_axis(t, &t->y, false, t->frame.y1, t->frame.y0);
  t->frame.x0 = ceil(16 + bpi_axis_width(&t->y) + 9);
  t->frame.x1 = t->width - (legend > 0 ? legend + 28 : 20);
  make_axis(t, &t->x, true, t->frame.x0, t->frame.x1);
  if (*t->y.factor && t->frame.y0 < 40) { /* the factor needs its line */
    t->frame.y0 = 40;
    make_axis(t, &t->y, false, t->frame.y1, t->frame.y0);
  }
  if (*t->x.factor && !x_label) {
    t->frame.y1 = t->height - 52;
    make_axis(t, &t->y, false, t->frame.y1, t->frame.y0);
  }
}

static void draw_plot(plot *t)
{
  const bp_plot_options *o = t->o;
  collect_entries(t);
  double legend = t->n_entries > 1 ? bpi_legend_width(t->entry, t->n_entries, t->width / 3) : 0;
  lay_out(t, legend);
  bpi_draw_text(t->p, (bpi_point){16, 30}, TITLE_SIZE, BPI_BOLD, BPI_TEXT,
                bpi_text_fit(t->p, o->title ? o->title : "", TITLE_SIZE, BPI_BOLD, t->width - 32));
  bpi_draw_axes(t->p, &t->x, &t->y, o->x_label, o->y_label, true);
  for (size_t i = t->n; i-- > 0;) { /* the first series on top */
    bpi_draw_open(t->p, t->series[i].label);
    draw_series(t, i);
    bpi_draw_close(t->p);
  }
  if (legend > 0)
    bpi_draw_legend(t->p, t->entry, t->n_entries, (bpi_point){t->frame.x1 + 14, t->frame.y0}, legend);
}

bp_status bp_plot(bp_ctx *ctx, const bp_plot_options *options, const bp_series *series, size_t n,
                  bp_picture **picture)
{
  static const bp_plot_options defaults;
  if (!ctx || !picture || (!series && n))
    return bpi_bad_arg("bp_plot", "ctx, series or picture is NULL");
  *picture = NULL;
  for (size_t i = 0; i < n; i++)
    if (series[i].n && (!series[i].x || !series[i].y))
      return bpi_bad_arg("bp_plot", "a series has no x or no y");
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
