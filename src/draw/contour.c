/* Marching squares. A line crosses the grid's edges; each crossing is one node, and each cell joins two of them, or four. So nodes have one or
 * two neighbours, and lines are chains.                                                                                             */
#include "draw/contour.h"
#include "draw/axis.h"

#include <math.h>

typedef struct contour {
  const double *field;
  int cols, rows;
  double level;
  bpi_box box;
  /* By edge: 2 * corner + 0 goes right from the corner, + 1 goes down. Neighbours are edges + 1; 0: none. */
  uint32_t (*link)[2];
} contour;

static bool above(const contour *c, size_t corner)
{
  return c->field[corner] >= c->level;
}

static void join_edges(contour *c, size_t a, size_t b)
{
  c->link[a][c->link[a][0] != 0] = (uint32_t)b + 1;
  c->link[b][c->link[b][0] != 0] = (uint32_t)a + 1;
}

/* Edges of the cell below and right of a corner, in turn: top, right, bottom, left. A line is cut off where the field changes sides; where all
 * four edges are crossed, the middle says which pairs belong together. */
static void join_cell(contour *c, size_t corner)
{
  size_t w = (size_t)c->cols, at[4] = {corner, corner + 1, corner + w + 1, corner + w};
  const size_t edge[4] = {2 * corner, 2 * (corner + 1) + 1, 2 * (corner + w), 2 * corner + 1};
  size_t crossed[4];
  int n = 0;
  double sum = 0;
  for (int i = 0; i < 4; i++) {
    if (!isfinite(c->field[at[i]]))
      return;
    sum += c->field[at[i]] / 4;
    if (above(c, at[i]) != above(c, at[(i + 1) % 4]))
      crossed[n++] = edge[i];
  }
  if (n == 2)
    join_edges(c, crossed[0], crossed[1]);
  if (n == 4) {
    bool around = (sum >= c->level) == above(c, at[0]); /* the other two corners are cut off */
    join_edges(c, crossed[0], crossed[around ? 1 : 3]);
    join_edges(c, crossed[2], crossed[around ? 3 : 1]);
  }
}

/* Where the line crosses an edge. */
static bpi_point crossing(const contour *c, size_t edge)
{
  size_t from = edge / 2, to = from + (edge % 2 ? (size_t)c->cols : 1);
  double a = c->field[from], b = c->field[to], t = b == a ? 0.5 : (c->level - a) / (b - a);
  size_t row = from / (size_t)c->cols, col = from % (size_t)c->cols;
  double x = (double)col + (edge % 2 ? 0 : t), y = (double)row + (edge % 2 ? t : 0);
  return (bpi_point){c->box.x0 + x / (c->cols - 1) * (c->box.x1 - c->box.x0),
                     c->box.y0 + y / (c->rows - 1) * (c->box.y1 - c->box.y0)};
}

/* Follows a line from one of its edges to its end, or round, and takes its nodes away. Returns how many points it has. */
static size_t follow(contour *c, size_t start, bpi_point *line)
{
  size_t n = 0, at = start;
  for (;;) {
    line[n++] = crossing(c, at);
    uint32_t next = c->link[at][0] ? c->link[at][0] : c->link[at][1];
    c->link[at][0] = c->link[at][1] = 0;
    if (!next)
      break;
    size_t to = next - 1;
    for (int k = 0; k < 2; k++)
      if (c->link[to][k] == at + 1)
        c->link[to][k] = 0;
    at = to;
  }
  return n;
}

static void draw_lines(bp_picture *p, bpi_look look, contour *c, bpi_point *line)
{
  size_t edges = 2 * (size_t)c->cols * (size_t)c->rows;
  for (int closed = 0; closed < 2; closed++) /* first those with ends, then rings */
    for (size_t e = 0; e < edges; e++) {
      bool one = c->link[e][0] != 0, two = c->link[e][1] != 0;
      if ((one || two) && (closed || one != two)) {
        size_t n = follow(c, e, line);
        bpi_draw_clipped(p, look, c->box, line, n);
      }
    }
}

void bpi_draw_contour(bp_picture *p, bpi_look look, bpi_box box, const double *field, int cols, int rows,
                      double level)
{
  size_t corners = (size_t)cols * (size_t)rows;
  contour c = {field, cols, rows, level, box, bpi_zalloc(p->ctx, 2 * corners, sizeof *c.link)};
  bpi_point *line = bpi_alloc(p->ctx, 2 * corners + 1, sizeof *line);
  if (c.link && line) {
    for (int y = 0; y + 1 < rows; y++)
      for (int x = 0; x + 1 < cols; x++)
        join_cell(&c, (size_t)y * (size_t)cols + (size_t)x);
    draw_lines(p, look, &c, line);
  } else
    bpi_scene_fail(p, bpi_nomem());
  bpi_free(p->ctx, line);
  bpi_free(p->ctx, c.link);
}
