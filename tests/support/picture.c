#include "support/picture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static bool boxes_overlap(bpi_box a, bpi_box b, double slack)
{
  return a.x0 + slack < b.x1 && b.x0 + slack < a.x1 && a.y0 + slack < b.y1 && b.y0 + slack < a.y1;
}

/* Liang & Barsky (1984): does the segment enter the box? */
static bool segment_meets(bpi_point a, bpi_point b, bpi_box box)
{
  double t0 = 0, t1 = 1;
  const double d[4] = {a.x - b.x, b.x - a.x, a.y - b.y, b.y - a.y};
  const double q[4] = {a.x - box.x0, box.x1 - a.x, a.y - box.y0, box.y1 - a.y};
  for (int i = 0; i < 4; i++) {
    if (d[i] == 0 && q[i] < 0)
      return false;
    if (d[i] < 0)
      t0 = fmax(t0, q[i] / d[i]);
    if (d[i] > 0)
      t1 = fmin(t1, q[i] / d[i]);
  }
  return t0 < t1;
}

static bpi_point on_cubic(const bpi_point *c, double t)
{
  double u = 1 - t, w[4] = {u * u * u, 3 * u * u * t, 3 * u * t * t, t * t * t};
  return (bpi_point){w[0] * c[0].x + w[1] * c[1].x + w[2] * c[2].x + w[3] * c[3].x,
                     w[0] * c[0].y + w[1] * c[1].y + w[2] * c[2].y + w[3] * c[3].y};
}

/* Does the line of a path, half as wide on each side, enter the box? */
static bool path_meets(const bpi_item *i, bpi_box box)
{
  enum { PARTS = 32 };
  double half = i->look.width / 2;
  bpi_box wide = {box.x0 - half, box.y0 - half, box.x1 + half, box.y1 + half};
  bpi_point at = {0, 0}, start = {0, 0};
  const bpi_point *p = i->path.point;
  for (const char *s = i->path.step; *s; s++) {
    bpi_point from = at;
    int n = *s == 'C' ? 3 : *s != 'Z';
    at = n ? p[n - 1] : start;
    if (*s == 'M')
      start = at;
    if ((*s == 'L' || *s == 'Z') && segment_meets(from, at, wide))
      return true;
    for (int k = 0; *s == 'C' && k < PARTS; k++) {
      const bpi_point curve[4] = {from, p[0], p[1], p[2]};
      if (segment_meets(on_cubic(curve, (double)k / PARTS), on_cubic(curve, (k + 1.0) / PARTS), wide))
        return true;
    }
    p += n;
  }
  return false;
}

static void check_text(const bp_picture *p, size_t at, double slack)
{
  const bpi_item *t = &p->item[at];
  bpi_box b = t->box, inside = {b.x0 + slack, b.y0 + slack, b.x1 - slack, b.y1 - slack};
  if (inside.x0 < 0 || inside.y0 < 0 || inside.x1 > p->width || inside.y1 > p->height)
    fail_msg("'%s' leaves the picture", t->text.s);
  for (size_t k = 0; k < p->n; k++) {
    const bpi_item *o = &p->item[k];
    if (k > at && o->kind == BPI_ITEM_TEXT && boxes_overlap(b, o->box, slack))
      fail_msg("'%s' at %g,%g and '%s' at %g,%g overlap", t->text.s, t->text.at.x, t->text.at.y, o->text.s,
               o->text.at.x, o->text.at.y);
    if (o->look.wire && o->kind == BPI_ITEM_PATH && path_meets(o, inside))
      fail_msg("a wire from %g,%g runs through '%s' at %g,%g", o->path.point[0].x, o->path.point[0].y,
               t->text.s, t->text.at.x, t->text.at.y);
  }
}

void picture_is_clear(const bp_picture *p, double slack)
{
  for (size_t i = 0; i < p->n; i++)
    if (p->item[i].kind == BPI_ITEM_TEXT)
      check_text(p, i, slack);
}

size_t picture_says(const bp_picture *p, const char *text)
{
  size_t n = 0;
  for (size_t i = 0; i < p->n; i++)
    n += p->item[i].kind == BPI_ITEM_TEXT && (!text || !strcmp(text, p->item[i].text.s));
  return n;
}

size_t picture_texts(const bp_picture *p)
{
  return picture_says(p, NULL);
}

/* ---- golden files ---- */

static char *read_whole(const char *path)
{
  FILE *f = fopen(path, "rb");
  if (!f)
    return NULL;
  fseek(f, 0, SEEK_END);
  long n = ftell(f);
  rewind(f);
  char *s = malloc((size_t)n + 1);
  assert_non_null(s);
  s[fread(s, 1, (size_t)n, f)] = 0;
  fclose(f);
  return s;
}

static void svg_is_golden(const bp_picture *p, const char *name, bool dark)
{
  char path[512], *svg;
  snprintf(path, sizeof path, "%s/tests/golden/pictures/%s%s.svg", BPROP_SOURCE_DIR, name,
           dark ? "-dark" : "");
  assert_int_equal(bp_picture_svg(p, dark, &svg), BP_OK);
  const char *mode = getenv("BPROP_GOLDEN");
  if (mode && !strcmp(mode, "write")) {
    assert_int_equal(bp_save_file(p->ctx, path, svg, strlen(svg)), BP_OK);
  } else {
    char *golden = read_whole(path);
    if (!golden || strcmp(golden, svg) != 0)
      fail_msg("the picture is not %s (look at what changed; BPROP_GOLDEN=write %s writes it)", path,
               "ctest -R test_NAME");
    free(golden);
  }
  bp_free(p->ctx, svg);
}

void picture_is_golden(const bp_picture *p, const char *name)
{
  svg_is_golden(p, name, false);
  svg_is_golden(p, name, true);
}
