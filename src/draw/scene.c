/* The list of things to draw. */
#include "draw/font.h"
#include "base/text.h"

#include <math.h>
#include <string.h>

/* ---- colours ---- */

uint32_t bpi_colour(bpi_ink ink, bool dark)
{
  static const uint32_t palette[BPI_ROLE_COUNT][2] = {[BPI_NO_ROLE] = {0, 0},
#define PALETTE_ROW(name, light, dark_, contrast) [BPI_##name] = {light, dark_},
                                                      BPI_ROLE_LIST(PALETTE_ROW)
#undef PALETTE_ROW
  };
  uint32_t paper = palette[BPI_PAPER][dark], role = palette[ink.role][dark], colour = 0;
  for (int shift = 16; shift >= 0; shift -= 8) {
    uint32_t a = paper >> shift & 0xff, b = role >> shift & 0xff;
    colour |= (a * (255u - ink.strength) + b * ink.strength + 127) / 255 << shift;
  }
  return colour;
}

const bpi_dashes bpi_dash_table[] = {
    [BPI_SOLID] = {0},
    [BPI_DASHED] = {2, {6, 4}},
    [BPI_DOTTED] = {2, {1.5, 3}},
    [BPI_DASHDOT] = {4, {7, 3, 1.5, 3}},
};

/* ---- life ---- */

bp_picture *bpi_scene_new(bp_ctx *ctx)
{
  bp_picture *p = bpi_zalloc(ctx, 1, sizeof *p);
  if (!p) {
    bpi_nomem();
    return NULL;
  }
  p->ctx = ctx;
  bpi_arena_init(&p->arena, ctx);
  return p;
}

void bp_picture_free(bp_picture *p)
{
  if (!p)
    return;
  bpi_arena_free(&p->arena);
  bpi_free(p->ctx, p->item);
  bpi_free(p->ctx, p);
}

void bp_picture_size(const bp_picture *p, double *width, double *height)
{
  if (width)
    *width = p ? p->width : 0;
  if (height)
    *height = p ? p->height : 0;
}

bp_status bpi_scene_fail(bp_picture *p, bp_status s)
{
  if (p->status == BP_OK)
    p->status = s;
  return s;
}

void *bpi_scene_alloc(bp_picture *p, size_t n, size_t size)
{
  void *memory = p->status == BP_OK ? bpi_arena_alloc(&p->arena, n, size) : NULL;
  if (!memory && p->status == BP_OK)
    bpi_scene_fail(p, bpi_nomem());
  return memory;
}

/* Code points that XML does not allow, or that would turn, hide or join what stands beside them. */
static bool unwanted_code(uint32_t c)
{
  static const struct {
    uint32_t first, last;
  } ranges[] = {{0, 0x1f},        {0x7f, 0x9f},     {0xad, 0xad},      {0x61c, 0x61c},
                {0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f},  {0xfe00, 0xfe0f},
                {0xfeff, 0xfeff}, {0xfff0, 0xffff}, {0xe0000, 0xe0fff}};
  for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
    if (c >= ranges[i].first && c <= ranges[i].last)
      return true;
  return false;
}

char *bpi_clean_text(bpi_arena *arena, const char *text)
{
  size_t n = strlen(text), k = 0;
  char *clean = bpi_arena_alloc(arena, n + 1, 1);
  for (size_t i = 0; clean && i < n;) {
    const char *s = text + i;
    size_t length = bpi_utf8((const unsigned char *)s, n - i);
    bool bad = !length || unwanted_code(bpi_next_code(&s));
    if (bad)
      clean[k++] = '?';
    else
      memcpy(clean + k, text + i, length);
    k += bad ? 0 : length;
    i += length ? length : 1;
  }
  return clean;
}

static char *clean_text(bp_picture *p, const char *text)
{
  char *clean = p->status == BP_OK ? bpi_clean_text(&p->arena, text) : NULL;
  if (!clean && p->status == BP_OK)
    bpi_scene_fail(p, BP_E_NOMEM);
  return clean;
}

bp_status bpi_scene_done(bp_picture *p, double width, double height, const char *title, const char *about,
                         bp_picture **out)
{
  p->width = ceil(width);
  p->height = ceil(height);
  p->title = title ? clean_text(p, title) : NULL;
  p->about = about ? clean_text(p, about) : NULL;
  if (p->status == BP_OK && !(p->width >= 1 && p->height >= 1 && p->width <= 1e6 && p->height <= 1e6))
    bpi_scene_fail(p, bpi_fail(BP_E_LIMIT, "the picture would be %.6g by %.6g", width, height));
  bp_status s = p->status;
  *out = s == BP_OK ? p : NULL;
  if (s == BP_E_NOMEM)
    bpi_nomem();
  if (s != BP_OK)
    bp_picture_free(p);
  return s;
}

/* ---- appending ---- */

static bool finite_box(bpi_box b)
{
  return isfinite(b.x0) && isfinite(b.y0) && isfinite(b.x1) && isfinite(b.y1);
}

static void append(bp_picture *p, const bpi_item *item)
{
  if (p->status != BP_OK)
    return;
  if (!finite_box(item->box)) {
    bpi_scene_fail(p, bpi_fail(BP_E_NOTFINITE, "a picture would need a coordinate that is not finite"));
    return;
  }
  if (!bpi_grow(p->ctx, (void **)&p->item, &p->cap, p->n, sizeof *p->item)) {
    bpi_scene_fail(p, bpi_nomem());
    return;
  }
  p->item[p->n++] = *item;
}

static double half_line(bpi_look look)
{
  return look.line.role ? look.width / 2 : 0;
}

static bpi_box grown(bpi_box b, double by)
{
  return (bpi_box){b.x0 - by, b.y0 - by, b.x1 + by, b.y1 + by};
}

bpi_box bpi_item_inside(const bpi_item *i)
{
  return grown(i->box, -half_line(i->look));
}

void bpi_draw_rect(bp_picture *p, bpi_look look, bpi_box box, double radius)
{
  append(p, &(bpi_item){
                .kind = BPI_ITEM_RECT, .look = look, .box = grown(box, half_line(look)), .rect = {radius}});
}

void bpi_draw_circle(bp_picture *p, bpi_look look, bpi_point at, double radius)
{
  bpi_box box = {at.x - radius, at.y - radius, at.x + radius, at.y + radius};
  append(p, &(bpi_item){.kind = BPI_ITEM_CIRCLE,
                        .look = look,
                        .box = grown(box, half_line(look)),
                        .circle = {at, radius}});
}

static void include_point(bpi_box *b, bpi_point at)
{
  b->x0 = fmin(b->x0, at.x);
  b->y0 = fmin(b->y0, at.y);
  b->x1 = fmax(b->x1, at.x);
  b->y1 = fmax(b->y1, at.y);
}

static size_t points_of(const char *steps)
{
  size_t n = 0;
  for (; *steps; steps++)
    n += *steps == 'C' ? 3 : *steps != 'Z';
  return n;
}

/* Takes over steps and points, which live as long as the picture. */
static void add_path(bp_picture *p, bpi_look look, const char *steps, const bpi_point *points, size_t n)
{
  if (!steps || !points || !n)
    return;
  bpi_box box = {points[0].x, points[0].y, points[0].x, points[0].y};
  double sum = 0; /* NaN if any is, which fmin would pass over */
  for (size_t i = 0; i < n; i++) {
    include_point(&box, points[i]);
    sum += points[i].x * 0 + points[i].y * 0;
  }
  box.x0 += sum;
  append(p, &(bpi_item){.kind = BPI_ITEM_PATH,
                        .look = look,
                        .box = grown(box, half_line(look)),
                        .path = {steps, points}});
}

static bpi_point *copy_points(bp_picture *p, const bpi_point *points, size_t n)
{
  bpi_point *copy = bpi_scene_alloc(p, n, sizeof *copy);
  if (copy && n)
    memcpy(copy, points, n * sizeof *copy);
  return copy;
}

void bpi_draw_path(bp_picture *p, bpi_look look, const char *steps, const bpi_point *points)
{
  size_t n = points_of(steps), length = strlen(steps);
  char *copy = bpi_scene_alloc(p, length + 1, 1);
  if (copy)
    memcpy(copy, steps, length + 1);
  add_path(p, look, copy, copy_points(p, points, n), n);
}

void bpi_draw_polyline(bp_picture *p, bpi_look look, const bpi_point *points, size_t n, bool closed)
{
  char *steps = n < 2 ? NULL : bpi_scene_alloc(p, n + 2, 1);
  if (!steps)
    return;
  memset(steps, 'L', n);
  steps[0] = 'M';
  if (closed)
    steps[n] = 'Z';
  add_path(p, look, steps, copy_points(p, points, n), n);
}

void bpi_draw_line(bp_picture *p, bpi_look look, bpi_point a, bpi_point b)
{
  bpi_draw_polyline(p, look, (bpi_point[]){a, b}, 2, false);
}

void bpi_draw_arrow(bp_picture *p, bpi_look look, bpi_point from, bpi_point tip, double length)
{
  double dx = tip.x - from.x, dy = tip.y - from.y, d = sqrt(dx * dx + dy * dy);
  if (d == 0)
    return;
  dx *= length / d;
  dy *= length / d;
  bpi_point head[] = {tip,
                      {tip.x - dx - 0.4 * dy, tip.y - dy + 0.4 * dx},
                      {tip.x - 0.75 * dx, tip.y - 0.75 * dy},
                      {tip.x - dx + 0.4 * dy, tip.y - dy - 0.4 * dx}};
  bpi_draw_polyline(p, look, head, 4, true);
}

bpi_box bpi_text_box(bpi_point at, double size, unsigned style, const char *text)
{
  double width = bpi_text_width(text, size, style);
  double before = style & BPI_MIDDLE ? width / 2 : style & BPI_END ? width : 0, after = width - before;
  double up = BPI_FONT_ASCENT * size, down = BPI_FONT_DESCENT * size;
  return style & BPI_TURNED ? (bpi_box){at.x - up, at.y - after, at.x + down, at.y + before}
                            : (bpi_box){at.x - before, at.y - up, at.x + after, at.y + down};
}

void bpi_draw_text(bp_picture *p, bpi_point at, double size, unsigned style, bpi_role role, const char *text)
{
  const char *s = text && *text ? clean_text(p, text) : NULL;
  if (s)
    append(p, &(bpi_item){.kind = BPI_ITEM_TEXT,
                          .look = {.fill = BPI_INK(role)},
                          .box = bpi_text_box(at, size, style, s),
                          .text = {at, size, style, s}});
}

const char *bpi_text_fit(bp_picture *p, const char *text, double size, unsigned style, double width)
{
  static const char dots[] = "…";
  char *s = text ? clean_text(p, text) : NULL;
  if (!s)
    return "";
  double used = 0, most = width - bpi_text_width(dots, size, style);
  char *cut = NULL; /* where the text must end if the dots follow */
  for (const char *at = s;;) {
    const char *here = at;
    uint32_t code = bpi_next_code(&at);
    if (!code)
      return s;
    used += size * bpi_glyph_advance(code, style);
    if (!cut && used > most)
      cut = s + (here - s);
    if (used > width)
      break;
  }
  size_t n = (size_t)(cut - s);
  while (n && s[n - 1] == ' ')
    n--;
  char *fitted = bpi_scene_alloc(p, n + sizeof dots, 1);
  if (!fitted)
    return "";
  memcpy(fitted, s, n);
  memcpy(fitted + n, dots, sizeof dots);
  return fitted;
}

void bpi_draw_image(bp_picture *p, bpi_box box, int cols, int rows, const bpi_ink *pixels, bool smooth)
{
  if (pixels && cols > 0 && rows > 0)
    append(p, &(bpi_item){.kind = BPI_ITEM_IMAGE, .box = box, .image = {cols, rows, smooth, pixels}});
}

void bpi_draw_open(bp_picture *p, const char *title)
{
  append(p, &(bpi_item){.kind = BPI_ITEM_OPEN, .group = {title ? clean_text(p, title) : NULL}});
}

void bpi_draw_close(bp_picture *p)
{
  append(p, &(bpi_item){.kind = BPI_ITEM_CLOSE});
}
