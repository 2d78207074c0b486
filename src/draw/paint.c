/* A picture as pixels. */
#include "draw/font.h"
#include "draw/png.h"
#include "draw/polygon.h"

#include <math.h>
#include <string.h>

typedef struct painter {
  const bp_picture *p;
  bool dark;
  double scale;
  bpi_pixels to;
  bpi_lines shape, line; /* what is drawn now, and its line made wide */
} painter;

static bpi_point scaled(const painter *t, bpi_point at)
{
  return (bpi_point){at.x * t->scale, at.y * t->scale};
}

static bp_status fill_shape(painter *t, const bpi_lines *l, bpi_ink ink)
{
  return ink.role ? bpi_fill_lines(l, &t->to, bpi_colour(ink, t->dark)) : BP_OK;
}

/* Ground and line of what is in t->shape. */
static bp_status paint_shape(painter *t, bpi_look look)
{
  const bpi_dashes *d = &bpi_dash_table[look.dash];
  double dash[BPI_MOST_DASHES];
  bp_status s = fill_shape(t, &t->shape, look.fill);
  if (s != BP_OK || !look.line.role)
    return s;
  for (int i = 0; i < d->n; i++)
    dash[i] = d->length[i] * t->scale;
  bpi_lines_clear(&t->line);
  bpi_stroke(&t->shape, look.width * t->scale, dash, d->n, &t->line);
  return fill_shape(t, &t->line, look.line);
}

/* A quarter of a circle is a cubic with its control points this far along the tangents (error 0.03 %). */
#define QUARTER 0.5522847498

static void quarter_to(bpi_lines *l, bpi_point from, bpi_point corner, bpi_point to)
{
  bpi_cubic_to(l, (bpi_point){from.x + QUARTER * (corner.x - from.x), from.y + QUARTER * (corner.y - from.y)},
               (bpi_point){to.x + QUARTER * (corner.x - to.x), to.y + QUARTER * (corner.y - to.y)}, to);
}

/* A box with round corners of radius r. */
static void round_box(bpi_lines *l, bpi_box b, double r)
{
  bpi_move_to(l, (bpi_point){b.x0 + r, b.y0});
  bpi_line_to(l, (bpi_point){b.x1 - r, b.y0});
  quarter_to(l, (bpi_point){b.x1 - r, b.y0}, (bpi_point){b.x1, b.y0}, (bpi_point){b.x1, b.y0 + r});
  bpi_line_to(l, (bpi_point){b.x1, b.y1 - r});
  quarter_to(l, (bpi_point){b.x1, b.y1 - r}, (bpi_point){b.x1, b.y1}, (bpi_point){b.x1 - r, b.y1});
  bpi_line_to(l, (bpi_point){b.x0 + r, b.y1});
  quarter_to(l, (bpi_point){b.x0 + r, b.y1}, (bpi_point){b.x0, b.y1}, (bpi_point){b.x0, b.y1 - r});
  bpi_line_to(l, (bpi_point){b.x0, b.y0 + r});
  quarter_to(l, (bpi_point){b.x0, b.y0 + r}, (bpi_point){b.x0, b.y0}, (bpi_point){b.x0 + r, b.y0});
  bpi_close(l);
}

static bp_status paint_rect(painter *t, const bpi_item *i)
{
  bpi_box b = bpi_item_inside(i);
  double k = t->scale, r = fmin(i->rect.radius, fmin(b.x1 - b.x0, b.y1 - b.y0) / 2);
  round_box(&t->shape, (bpi_box){b.x0 * k, b.y0 * k, b.x1 * k, b.y1 * k}, fmax(r, 0) * k);
  return paint_shape(t, i->look);
}

static bp_status paint_circle(painter *t, const bpi_item *i)
{
  bpi_point at = scaled(t, i->circle.at);
  double r = i->circle.radius * t->scale;
  round_box(&t->shape, (bpi_box){at.x - r, at.y - r, at.x + r, at.y + r}, r);
  return paint_shape(t, i->look);
}

static bp_status paint_path(painter *t, const bpi_item *i)
{
  const bpi_point *p = i->path.point;
  for (const char *s = i->path.step; *s; s++) {
    if (*s == 'M')
      bpi_move_to(&t->shape, scaled(t, *p++));
    else if (*s == 'L')
      bpi_line_to(&t->shape, scaled(t, *p++));
    else if (*s == 'C') {
      bpi_cubic_to(&t->shape, scaled(t, p[0]), scaled(t, p[1]), scaled(t, p[2]));
      p += 3;
    } else
      bpi_close(&t->shape);
  }
  return paint_shape(t, i->look);
}

/* ---- text ---- */

typedef struct scribe {
  bpi_lines *to;
  bpi_point at; /* where the letter in hand stands, in pixels */
  double size;
  bool turned;
} scribe;

/* A place in a letter, in units of the size and y upwards, in pixels. */
static bpi_point on_page(const scribe *w, bpi_point p)
{
  return w->turned ? (bpi_point){w->at.x - p.y * w->size, w->at.y - p.x * w->size}
                   : (bpi_point){w->at.x + p.x * w->size, w->at.y - p.y * w->size};
}

static void write_move(void *user, bpi_point to)
{
  scribe *w = user;
  bpi_move_to(w->to, on_page(w, to));
}

static void write_line(void *user, bpi_point to)
{
  scribe *w = user;
  bpi_line_to(w->to, on_page(w, to));
}

static void write_quad(void *user, bpi_point control, bpi_point to)
{
  scribe *w = user;
  bpi_quad_to(w->to, on_page(w, control), on_page(w, to));
}

/* For a letter that the font lacks: an empty box. */
static void write_box(scribe *w, double advance)
{
  const double out[2][4] = {{0.06, -0.12, advance - 0.06, 0.72}, {advance - 0.11, -0.07, 0.11, 0.67}};
  for (int k = 0; k < 2; k++) {
    const double *b = out[k];
    write_move(w, (bpi_point){b[0], b[1]});
    write_line(w, (bpi_point){b[2], b[1]});
    write_line(w, (bpi_point){b[2], b[3]});
    write_line(w, (bpi_point){b[0], b[3]});
  }
}

static bp_status paint_text(painter *t, const bpi_item *i)
{
  unsigned style = i->text.style;
  scribe w = {&t->shape, scaled(t, i->text.at), i->text.size * t->scale, style & BPI_TURNED};
  bpi_outline_sink sink = {&w, write_move, write_line, write_quad};
  double width = bpi_text_width(i->text.s, w.size, style);
  double before = style & BPI_MIDDLE ? width / 2 : style & BPI_END ? width : 0;
  double *along = w.turned ? &w.at.y : &w.at.x, forward = w.turned ? -1 : 1;
  const char *s = i->text.s;
  *along -= forward * before;
  for (uint32_t code; (code = bpi_next_code(&s)) != 0;) {
    double advance = bpi_glyph_advance(code, style);
    if (!bpi_glyph_outline(code, style, &sink))
      write_box(&w, advance);
    *along += forward * advance * w.size;
  }
  return fill_shape(t, &t->shape, i->look.fill);
}

/* ---- images ---- */

static int clamped(double x, int n)
{
  return x < 0 ? 0 : x > n - 1 ? n - 1 : (int)x;
}

/* Colour at u, v, in pixels of the image; between their middles they blend. */
static uint32_t blended(const bpi_item *i, bool dark, double u, double v)
{
  u -= 0.5;
  v -= 0.5;
  int x0 = clamped(floor(u), i->image.cols), y0 = clamped(floor(v), i->image.rows);
  int x1 = clamped(floor(u) + 1, i->image.cols), y1 = clamped(floor(v) + 1, i->image.rows);
  double fx = u - floor(u), fy = v - floor(v);
  const bpi_ink *p = i->image.pixel;
  uint32_t corner[4] = {
      bpi_colour(p[y0 * i->image.cols + x0], dark), bpi_colour(p[y0 * i->image.cols + x1], dark),
      bpi_colour(p[y1 * i->image.cols + x0], dark), bpi_colour(p[y1 * i->image.cols + x1], dark)};
  const double weight[4] = {(1 - fx) * (1 - fy), fx * (1 - fy), (1 - fx) * fy, fx * fy};
  uint32_t colour = 0;
  for (int shift = 16; shift >= 0; shift -= 8) {
    double sum = 0.5;
    for (int k = 0; k < 4; k++)
      sum += weight[k] * (corner[k] >> shift & 0xff);
    colour |= (uint32_t)sum << shift;
  }
  return colour;
}

static uint32_t image_colour(const bpi_item *i, bool dark, double u, double v)
{
  if (i->image.smooth)
    return blended(i, dark, u, v);
  int x = clamped(u, i->image.cols), y = clamped(v, i->image.rows);
  return bpi_colour(i->image.pixel[y * i->image.cols + x], dark);
}

static void put_pixel(unsigned char *to, uint32_t colour)
{
  to[0] = (unsigned char)(colour >> 16);
  to[1] = (unsigned char)(colour >> 8);
  to[2] = (unsigned char)colour;
}

/* Pixels whose middle lies in the image's box. */
static bp_status paint_image(painter *t, const bpi_item *i)
{
  double k = t->scale, x0 = i->box.x0 * k, y0 = i->box.y0 * k;
  double w = (i->box.x1 - i->box.x0) * k / i->image.cols, h = (i->box.y1 - i->box.y0) * k / i->image.rows;
  int left = (int)fmax(ceil(x0 - 0.5), 0), right = (int)fmin(ceil(i->box.x1 * k - 0.5), t->to.width);
  int top = (int)fmax(ceil(y0 - 0.5), 0), bottom = (int)fmin(ceil(i->box.y1 * k - 0.5), t->to.height);
  for (int y = top; y < bottom; y++)
    for (int x = left; x < right; x++)
      put_pixel(t->to.rgb + 3 * ((size_t)y * (size_t)t->to.width + (size_t)x),
                image_colour(i, t->dark, (x + 0.5 - x0) / w, (y + 0.5 - y0) / h));
  return BP_OK;
}

/* Viewers smooth what they magnify, and not all can be told otherwise: so pixels with edges are magnified here, to about two for
 * each unit of the picture. */
static int magnification(const bpi_item *i)
{
  enum { MOST = 1 << 22 }; /* pixels */
  double wanted = i->image.smooth ? 1 : ceil(2 * (i->box.x1 - i->box.x0) / i->image.cols);
  double most = floor(sqrt((double)MOST / i->image.cols / i->image.rows));
  return (int)fmax(1, fmin(wanted, most));
}

bp_status bpi_image_png(bp_ctx *ctx, const bpi_item *i, bool dark, unsigned char **data, size_t *n)
{
  int m = magnification(i), width = i->image.cols * m, height = i->image.rows * m;
  unsigned char *rgb = bpi_alloc(ctx, (size_t)width * (size_t)height, 3);
  *data = NULL;
  if (!rgb)
    return bpi_nomem();
  for (int y = 0; y < height; y++)
    for (int x = 0; x < width; x++)
      put_pixel(rgb + 3 * ((size_t)y * (size_t)width + (size_t)x),
                bpi_colour(i->image.pixel[y / m * i->image.cols + x / m], dark));
  bp_status s = bpi_png(ctx, rgb, width, height, 0, data, n);
  bpi_free(ctx, rgb);
  return s;
}

/* ---- the picture ---- */

static bp_status paint_items(painter *t)
{
  static bp_status (*const paint[])(painter * t, const bpi_item *i) = {
      [BPI_ITEM_RECT] = paint_rect, [BPI_ITEM_CIRCLE] = paint_circle, [BPI_ITEM_PATH] = paint_path,
      [BPI_ITEM_TEXT] = paint_text, [BPI_ITEM_IMAGE] = paint_image,   [BPI_ITEM_CLOSE] = NULL};
  bp_status s = BP_OK;
  for (size_t i = 0; i < t->p->n && s == BP_OK; i++) {
    bpi_lines_clear(&t->shape);
    if (paint[t->p->item[i].kind])
      s = paint[t->p->item[i].kind](t, &t->p->item[i]);
  }
  return s;
}

bp_status bpi_paint(const bp_picture *p, bool dark, double scale, bpi_pixels *to)
{
  enum { MOST = 1 << 28 };
  double w = ceil(p->width * scale), h = ceil(p->height * scale);
  *to = (bpi_pixels){0};
  if (!(scale > 0) || !(w * h <= MOST))
    return bpi_fail(BP_E_LIMIT,
                    "a picture of %.6g by %.6g pixels: at most 2^28 pixels are allowed, at a scale over 0", w,
                    h);
  painter t = {.p = p, .dark = dark, .scale = scale, .to = {.width = (int)w, .height = (int)h}};
  size_t pixels = (size_t)t.to.width * (size_t)t.to.height;
  t.to.rgb = bpi_alloc(p->ctx, pixels, 3);
  if (!t.to.rgb)
    return bpi_nomem();
  for (size_t k = 0; k < pixels; k++)
    put_pixel(t.to.rgb + 3 * k, bpi_colour(BPI_INK(BPI_PAPER), dark));
  bpi_lines_init(&t.shape, p->ctx);
  bpi_lines_init(&t.line, p->ctx);
  bp_status s = paint_items(&t);
  bpi_lines_free(&t.shape);
  bpi_lines_free(&t.line);
  if (s != BP_OK)
    bpi_free(p->ctx, t.to.rgb);
  else
    *to = t.to;
  return s;
}

bp_status bp_picture_png(const bp_picture *p, bool dark, double scale, unsigned char **data, size_t *n)
{
  bpi_pixels pixels;
  if (!p || !data || !n)
    return bpi_bad_arg("bp_picture_png", "p, data or n is NULL");
  *data = NULL;
  bp_status s = bpi_paint(p, dark, scale, &pixels);
  if (s != BP_OK)
    return s;
  /* at scale 1, 96 pixels an inch, as CSS has it */
  s = bpi_png(p->ctx, pixels.rgb, pixels.width, pixels.height, (int)(scale * 96 / 0.0254 + 0.5), data, n);
  bpi_free(p->ctx, pixels.rgb);
  return s;
}
