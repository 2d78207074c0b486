/* Legends. */
#include "draw/legend.h"

#include <math.h>

bpi_role bpi_series_role(int i)
{
  return (bpi_role)(BPI_SERIES1 + i % BPI_SERIES);
}

/* Outlines of marks in a circle of radius 1, y down; a disc has none. */
static const struct mark {
  int n;
  bpi_point corner[12];
} marks[BPI_MARKS] = {
    {0, {{0, 0}}},
    {3, {{0, -1.15}, {1.1, 0.8}, {-1.1, 0.8}}},
    {4, {{-0.85, -0.85}, {0.85, -0.85}, {0.85, 0.85}, {-0.85, 0.85}}},
    {4, {{0, -1.25}, {1.1, 0}, {0, 1.25}, {-1.1, 0}}},
    {3, {{0, 1.15}, {1.1, -0.8}, {-1.1, -0.8}}},
    {12,
     {{-0.4, -1.15},
      {0.4, -1.15},
      {0.4, -0.4},
      {1.15, -0.4},
      {1.15, 0.4},
      {0.4, 0.4},
      {0.4, 1.15},
      {-0.4, 1.15},
      {-0.4, 0.4},
      {-1.15, 0.4},
      {-1.15, -0.4},
      {-0.4, -0.4}}},
    {12,
     {{0, -0.55},
      {0.6, -1.1},
      {1.1, -0.6},
      {0.55, 0},
      {1.1, 0.6},
      {0.6, 1.1},
      {0, 0.55},
      {-0.6, 1.1},
      {-1.1, 0.6},
      {-0.55, 0},
      {-1.1, -0.6},
      {-0.6, -1.1}}},
    {10,
     {{0, -1.3},
      {0.31, -0.43},
      {1.24, -0.4},
      {0.5, 0.16},
      {0.76, 1.05},
      {0, 0.53},
      {-0.76, 1.05},
      {-0.5, 0.16},
      {-1.24, -0.4},
      {-0.31, -0.43}}},
};

void bpi_draw_mark(bp_picture *p, int shape, bpi_look look, bpi_point at, double size)
{
  const struct mark *m = &marks[shape % BPI_MARKS];
  bpi_point corner[12];
  if (!m->n) {
    bpi_draw_circle(p, look, at, size);
    return;
  }
  for (int i = 0; i < m->n; i++)
    corner[i] = (bpi_point){at.x + size * m->corner[i].x, at.y + size * m->corner[i].y};
  bpi_draw_polyline(p, look, corner, (size_t)m->n, true);
}

double bpi_legend_width(const bpi_legend_entry *e, int n, double most)
{
  double width = 0;
  for (int i = 0; i < n; i++)
    width = fmax(width, fmin(most, bpi_text_width(e[i].label, BPI_LEGEND_SIZE, 0)));
  return width + BPI_LEGEND_SAMPLE;
}

static void draw_entry(bp_picture *p, const bpi_legend_entry *e, bpi_point at, double width)
{
  double y = at.y + BPI_LEGEND_LINE / 2.0;
  if (e->ground.role)
    bpi_draw_rect(p, (bpi_look){.fill = e->ground}, (bpi_box){at.x, y - 7, at.x + 24, y + 7}, 2);
  if (e->line.width > 0)
    bpi_draw_line(p, e->line, (bpi_point){at.x, y}, (bpi_point){at.x + 24, y});
  if (e->mark.fill.role || e->mark.line.role)
    bpi_draw_mark(p, e->shape, e->mark, (bpi_point){at.x + 12, y}, 4.2);
  bpi_draw_text(p, (bpi_point){at.x + BPI_LEGEND_SAMPLE, y + 0.36 * BPI_LEGEND_SIZE}, BPI_LEGEND_SIZE, 0,
                BPI_TEXT, bpi_text_fit(p, e->label, BPI_LEGEND_SIZE, 0, width - BPI_LEGEND_SAMPLE));
}

void bpi_draw_legend(bp_picture *p, const bpi_legend_entry *e, int n, bpi_point at, double width)
{
  for (int i = 0; i < n; i++)
    draw_entry(p, &e[i], (bpi_point){at.x, at.y + i * BPI_LEGEND_LINE}, width);
}

/* Where entry i comes to stand, from where the one before it does; p NULL: only counts rows. */
static int legend_rows(bp_picture *p, const bpi_legend_entry *e, int n, bpi_point at, double width)
{
  enum { APART = 18 };
  int row = 0;
  double x = 0;
  for (int i = 0; i < n; i++) {
    double wide = fmin(width, bpi_legend_width(&e[i], 1, width));
    if (x > 0 && x + wide > width) {
      row++;
      x = 0;
    }
    if (p)
      draw_entry(p, &e[i], (bpi_point){at.x + x, at.y + row * BPI_LEGEND_LINE}, wide);
    x += wide + APART;
  }
  return n ? row + 1 : 0;
}

int bpi_legend_rows(const bpi_legend_entry *e, int n, double width)
{
  return legend_rows(NULL, e, n, (bpi_point){0, 0}, width);
}

void bpi_draw_legend_rows(bp_picture *p, const bpi_legend_entry *e, int n, bpi_point at, double width)
{
  legend_rows(p, e, n, at, width);
}
