/* A matrix as a field of cells, each with its number, stronger where it is larger. */
#include "draw/axis.h"

#include <math.h>
#include <stdio.h>

enum { MOST = 400, TITLE = 15, NAMES = 12, LEAST_CELL = 5, LARGEST_CELL = 56, LABEL_MOST = 160, MARGIN = 16 };

typedef struct heatmap {
  bp_picture *p;
  const bp_heatmap_options *o;
  const double *v;
  int rows, cols;
  double cell, top, left, names; /* names: size of their letters; 0: too small to be read */
  double most;                   /* largest value, where the scale is one for all */
} heatmap;

static const char *name_of(const char *const *names, int i, char text[16])
{
  if (names && names[i])
    return names[i];
  snprintf(text, 16, "%d", i + 1);
  return text;
}

static double widest(const char *const *names, int n, double size)
{
  double width = 0;
  char text[16];
  for (int i = 0; i < n; i++)
    width = fmax(width, bpi_text_width(name_of(names, i, text), size, 0));
  return fmin(width, LABEL_MOST);
}

/* ---- where things stand ---- */

/* Names of columns stand upright where they fit over their cells, else turned. */
static bool names_lie(const heatmap *t)
{
  return widest(t->o->col_names, t->cols, t->names) <= t->cell - 4;
}

static void lay_out(heatmap *t, double width)
{
  double names = widest(t->o->row_names, t->rows, NAMES);
  bool title = t->o->title && *t->o->title, label = t->o->x_label && *t->o->x_label;
  t->left = MARGIN + (t->o->y_label && *t->o->y_label ? 22 : 0) + names + 8;
  t->cell = floor(fmin(LARGEST_CELL, (width - t->left - MARGIN) / t->cols));
  t->cell = fmax(t->cell, LEAST_CELL);
  t->names = t->cell >= 11 ? fmin(NAMES, t->cell - 1) : 0;
  t->top = MARGIN + (title ? 28 : 0) + (label ? 22 : 0);
  if (t->names > 0)
    t->top += names_lie(t) ? t->names + 8 : widest(t->o->col_names, t->cols, t->names) + 12;
}

/* ---- cells ---- */

static double at(const heatmap *t, int row, int col)
{
  return t->v[row * t->cols + col];
}

/* Shares of a row, or of the largest. */
static double scale_of(const heatmap *t, int row)
{
  double sum = 0;
  if (!t->o->by_row)
    return t->most;
  for (int c = 0; c < t->cols; c++)
    sum += isfinite(at(t, row, c)) ? fabs(at(t, row, c)) : 0;
  return sum;
}

/* Small shares are still to be seen: the root of it, and a little for anything that is not 0. */
static uint8_t strength_of(double value, double scale)
{
  double share = scale > 0 && isfinite(value) ? fmin(1, fabs(value) / scale) : 0;
  return share > 0 ? (uint8_t)lround(25 + 230 * sqrt(share)) : 0;
}

static void draw_number(heatmap *t, double value, bpi_box box, bool strong)
{
  char text[32];
  double size = fmin(12, t->cell * 0.38);
  snprintf(text, sizeof text, value == floor(value) && fabs(value) < 1e6 ? "%.0f" : "%.4g",
           value); /* counts are whole */
  if (value == 0 || !isfinite(value) || size < 6)
    return;
  while (size >= 6 && bpi_text_width(text, size, 0) > t->cell - 3)
    size -= 0.5;
  if (size >= 6)
    bpi_draw_text(t->p, (bpi_point){(box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2 + 0.36 * size}, size,
                  BPI_MIDDLE, strong ? BPI_PAPER : BPI_TEXT, text);
}

static void draw_cell(heatmap *t, int row, int col, double scale)
{
  double value = at(t, row, col), x = t->left + col * t->cell, y = t->top + row * t->cell;
  bpi_box box = {x, y, x + t->cell, y + t->cell};
  bool off = t->o->diagonal ? row != col : value < 0;
  uint8_t strength = strength_of(value, scale);
  char title[500], names[2][16];
  bpi_look look = {.fill = {(uint8_t)(off ? BPI_SERIES2 : BPI_SERIES1), strength},
                   .line = BPI_INK(BPI_GRID),
                   .width = t->cell >= 10 ? 1 : 0.5};
  snprintf(title, sizeof title, "%.200s, %.200s: %.6g", name_of(t->o->row_names, row, names[0]),
           name_of(t->o->col_names, col, names[1]), value);
  bpi_draw_open(t->p, value != 0 ? title : NULL);
  bpi_draw_rect(t->p, look, box, 0);
  draw_number(t, value, box, strength > 150);
  bpi_draw_close(t->p);
}

static void draw_names(heatmap *t)
{
  char text[16];
  bool lie = names_lie(t);
  for (int r = 0; r < t->rows && t->names > 0; r++)
    bpi_draw_text(t->p, (bpi_point){t->left - 8, t->top + (r + 0.5) * t->cell + 0.36 * t->names}, t->names,
                  BPI_END, BPI_TEXT,
                  bpi_text_fit(t->p, name_of(t->o->row_names, r, text), t->names, 0, LABEL_MOST));
  for (int c = 0; c < t->cols && t->names > 0; c++) {
    double x = t->left + (c + 0.5) * t->cell;
    const char *name = bpi_text_fit(t->p, name_of(t->o->col_names, c, text), t->names, 0, LABEL_MOST);
    bpi_draw_text(t->p, (bpi_point){lie ? x : x + 0.36 * t->names, t->top - 8}, t->names,
                  lie ? BPI_MIDDLE : BPI_TURNED, BPI_TEXT, name);
  }
}

static void draw_labels(heatmap *t)
{
  const bp_heatmap_options *o = t->o;
  double right = t->left + t->cols * t->cell, title = o->title && *o->title ? 28 : 0;
  bpi_draw_text(t->p, (bpi_point){MARGIN, 30}, TITLE, BPI_BOLD, BPI_TEXT,
                bpi_text_fit(t->p, o->title ? o->title : "", TITLE, BPI_BOLD, fmax(right, 200) - MARGIN));
  bpi_draw_text(t->p, (bpi_point){(t->left + right) / 2, MARGIN + title + 13}, BPI_LABEL_SIZE, BPI_MIDDLE,
                BPI_MUTED, o->x_label);
  bpi_draw_text(t->p, (bpi_point){MARGIN + 12, t->top + t->rows * t->cell / 2}, BPI_LABEL_SIZE,
                BPI_TURNED | BPI_MIDDLE, BPI_MUTED, o->y_label);
}

bp_status bp_heatmap(bp_ctx *ctx, const bp_heatmap_options *options, const double *values, int64_t rows,
                     int64_t cols, bp_picture **picture)
{
  static const bp_heatmap_options defaults;
  if (!ctx || !values || !picture)
    return bpi_bad_arg("bp_heatmap", "ctx, values or picture is NULL");
  *picture = NULL;
  heatmap t = {.o = options ? options : &defaults, .v = values, .rows = (int)rows, .cols = (int)cols};
  double width = t.o->width != 0 ? t.o->width : 640;
  if (rows < 1 || cols < 1 || rows > MOST || cols > MOST || !(width >= 200 && width <= 10000))
    return bpi_fail(BP_E_RANGE, "bp_heatmap: 1 to %d rows and columns are drawn, 200 to 10,000 wide", MOST);
  for (int64_t i = 0; i < rows * cols; i++)
    t.most = isfinite(values[i]) ? fmax(t.most, fabs(values[i])) : t.most;
  t.p = bpi_scene_new(ctx);
  if (!t.p)
    return BP_E_NOMEM;
  lay_out(&t, width);
  draw_labels(&t);
  draw_names(&t);
  for (int r = 0; r < t.rows; r++)
    for (int c = 0; c < t.cols; c++)
      draw_cell(&t, r, c, scale_of(&t, r));
  return bpi_scene_done(t.p, fmax(t.left + t.cols * t.cell + MARGIN, 200), t.top + t.rows * t.cell + MARGIN,
                        t.o->title && *t.o->title ? t.o->title : "Matrix", NULL, picture);
}
