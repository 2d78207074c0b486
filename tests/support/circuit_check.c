#include "support/circuit_check.h"
#include "support/picture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

enum { PARTS = 24, MOST_DEPTH = 32 };

/* A gate or box: its shapes taken together. */
typedef struct shape {
  bpi_box box;
  bpi_point centre;
  double radius; /* of a circle; else 0 */
  size_t group;  /* number of the innermost group around it */
  bool frame;
} shape;

typedef struct shapes {
  shape *shape;
  size_t n;
  size_t *group_of; /* by item: its innermost group, 0: none */
  size_t *parent;   /* by group */
} shapes;

static bool is_shape(const bpi_item *i)
{
  return (i->kind == BPI_ITEM_RECT || i->kind == BPI_ITEM_CIRCLE) && !i->look.wire;
}

static bpi_box joined(bpi_box a, bpi_box b)
{
  return (bpi_box){fmin(a.x0, b.x0), fmin(a.y0, b.y0), fmax(a.x1, b.x1), fmax(a.y1, b.y1)};
}

static shapes collect(const bp_picture *p)
{
  shapes s = {calloc(p->n + 1, sizeof(shape)), 0, calloc(p->n + 1, sizeof(size_t)),
              calloc(p->n + 2, sizeof(size_t))};
  size_t open[MOST_DEPTH], depth = 0, groups = 0;
  assert_true(s.shape && s.group_of && s.parent);
  open[0] = 0;
  for (size_t i = 0; i < p->n; i++) {
    const bpi_item *it = &p->item[i];
    if (it->kind == BPI_ITEM_OPEN) {
      s.parent[++groups] = open[depth];
      assert_true(depth + 1 < MOST_DEPTH);
      open[++depth] = groups;
    } else if (it->kind == BPI_ITEM_CLOSE) {
      depth--;
    }
    s.group_of[i] = open[depth];
    if (!is_shape(it))
      continue;
    if (s.n && s.shape[s.n - 1].group == open[depth]) { /* a pile of boxes */
      s.shape[s.n - 1].box = joined(s.shape[s.n - 1].box, it->box);
      continue;
    }
    s.shape[s.n++] =
        (shape){it->box, it->kind == BPI_ITEM_CIRCLE ? it->circle.at : (bpi_point){0, 0},
                it->kind == BPI_ITEM_CIRCLE ? it->circle.radius : 0, open[depth], it->look.dash != BPI_SOLID};
  }
  return s;
}

static void done(shapes *s)
{
  free(s->shape);
  free(s->group_of);
  free(s->parent);
}

/* Whether a group lies within another. */
static bool within(const shapes *s, size_t group, size_t outer)
{
  while (group && group != outer)
    group = s->parent[group];
  return group == outer;
}

static bool boxes_meet(bpi_box a, bpi_box b)
{
  const double slack = 0.5;
  return a.x0 + slack < b.x1 && b.x0 + slack < a.x1 && a.y0 + slack < b.y1 && b.y0 + slack < a.y1;
}

/* Whether a point lies well inside a shape. */
static bool is_inside(const shape *s, bpi_point at)
{
  const double deep = 1.8;
  if (s->radius > 0)
    return hypot(at.x - s->centre.x, at.y - s->centre.y) < s->radius - deep;
  return at.x > s->box.x0 + deep && at.x < s->box.x1 - deep && at.y > s->box.y0 + deep &&
         at.y < s->box.y1 - deep;
}

static void check_shapes(const shapes *s)
{
  for (size_t i = 0; i < s->n; i++)
    for (size_t k = i + 1; k < s->n; k++) {
      const shape *a = &s->shape[i], *b = &s->shape[k];
      bool held = a->frame && within(s, b->group, a->group);
      if (!held && boxes_meet(a->box, b->box))
        fail_msg("a gate at %g,%g overlaps one at %g,%g", a->box.x0, a->box.y0, b->box.x0, b->box.y0);
      if (held &&
          (b->box.x0 < a->box.x0 || b->box.x1 > a->box.x1 || b->box.y0 < a->box.y0 || b->box.y1 > a->box.y1))
        fail_msg("a gate at %g,%g leaves its frame at %g,%g", b->box.x0, b->box.y0, a->box.x0, a->box.y0);
    }
}

static bpi_point along(const bpi_point *c, double t)
{
  double u = 1 - t, w[4] = {u * u * u, 3 * u * u * t, 3 * u * t * t, t * t * t};
  return (bpi_point){w[0] * c[0].x + w[1] * c[1].x + w[2] * c[2].x + w[3] * c[3].x,
                     w[0] * c[0].y + w[1] * c[1].y + w[2] * c[2].y + w[3] * c[3].y};
}

static void check_wire(const shapes *s, const bpi_item *wire)
{
  const bpi_point *p = wire->path.point;
  bpi_point at = {0, 0};
  for (const char *step = wire->path.step; *step; step++) {
    bpi_point end = *step == 'C' ? p[2] : *p;
    bpi_point curve[4] = {at, *step == 'C' ? p[0] : at, *step == 'C' ? p[1] : end, end};
    for (size_t i = 0; i < s->n && *step != 'M'; i++) {
      const shape *of = &s->shape[i];
      double top = fmin(fmin(curve[0].y, curve[1].y), fmin(curve[2].y, curve[3].y));
      double bottom = fmax(fmax(curve[0].y, curve[1].y), fmax(curve[2].y, curve[3].y));
      if (of->frame || bottom < of->box.y0 || top > of->box.y1 || fmax(at.x, end.x) < of->box.x0 ||
          fmin(at.x, end.x) > of->box.x1)
        continue;
      for (int k = 0; k <= 4 * PARTS; k++)
        if (is_inside(of, along(curve, k / (4.0 * PARTS))))
          fail_msg("a wire from %g,%g runs through a gate at %g,%g", wire->path.point[0].x,
                   wire->path.point[0].y, of->box.x0, of->box.y0);
    }
    at = end;
    p += *step == 'C' ? 3 : 1;
  }
}

static void check_text(const shapes *s, const bpi_item *text, size_t group)
{
  for (size_t i = 0; i < s->n; i++) {
    const shape *of = &s->shape[i];
    bool own = of->group == group || (of->frame && within(s, group, of->group));
    if (own && (text->box.x0 < of->box.x0 || text->box.x1 > of->box.x1 || text->box.y0 < of->box.y0 - 1 ||
                text->box.y1 > of->box.y1 + 1))
      fail_msg("'%s' does not fit into its gate at %g,%g", text->text.s, of->box.x0, of->box.y0);
    if (!own && !of->frame && boxes_meet(of->box, text->box))
      fail_msg("'%s' lies on a gate at %g,%g", text->text.s, of->box.x0, of->box.y0);
  }
}

void circuit_is_clear(const bp_picture *p)
{
  shapes s = collect(p);
  check_shapes(&s);
  for (size_t i = 0; i < p->n; i++) {
    if (p->item[i].kind == BPI_ITEM_PATH && p->item[i].look.wire)
      check_wire(&s, &p->item[i]);
    if (p->item[i].kind == BPI_ITEM_TEXT)
      check_text(&s, &p->item[i], s.group_of[i]);
  }
  done(&s);
  picture_is_clear(p, 0.01);
}

size_t circuit_nodes(const bp_picture *p)
{
  shapes s = collect(p);
  size_t n = s.n;
  done(&s);
  return n;
}
