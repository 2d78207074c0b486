/* DejaVu Sans, as far as pictures need it. */
#include "draw/font.h"
#include "base/pairs.h"

#include <string.h>

typedef struct glyph {
  uint16_t code, advance, at;
} glyph;

#include "font_dejavu.inc"

#define EM   2048.0 /* of advances */
#define FINE 1024.0 /* of outlines */
/* Of DejaVu Sans Oblique: tan 11°, and the height that stays in place (it lies between 0.27 for small letters and 0.37 for capitals). */
#define SHEAR 0.1943803
#define STAYS (0.3 * FINE)

static const struct face {
  const glyph *index;
  size_t n; /* the last stands for everything else */
  const unsigned char (*pairs)[2], *outlines;
} faces[] = {{regular_index, sizeof regular_index / sizeof *regular_index, regular_pairs, regular_packed},
             {bold_index, sizeof bold_index / sizeof *bold_index, bold_pairs, bold_packed}};

static const struct face *face_of(unsigned style)
{
  return &faces[(style & BPI_BOLD) != 0];
}

/* The glyph of a code, or the last. */
static const glyph *find_glyph(const struct face *f, uint32_t code)
{
  size_t lo = 0, hi = f->n - 1;
  while (lo < hi) {
    size_t mid = (lo + hi) / 2;
    if (f->index[mid].code < code)
      lo = mid + 1;
    else
      hi = mid;
  }
  return f->index[lo].code == code ? &f->index[lo] : &f->index[f->n - 1];
}

uint32_t bpi_next_code(const char **s)
{
  const unsigned char *p = (const unsigned char *)*s;
  static const unsigned char lead_bits[] = {0x7f, 0x1f, 0x0f, 0x07};
  int more = p[0] < 0x80 ? 0 : p[0] < 0xe0 ? 1 : p[0] < 0xf0 ? 2 : 3;
  uint32_t code = p[0] & lead_bits[more];
  for (int i = 1; i <= more; i++)
    code = code << 6 | (p[i] & 0x3f);
  *s += code ? 1 + more : 0;
  return code;
}

double bpi_glyph_advance(uint32_t code, unsigned style)
{
  return find_glyph(face_of(style), code)->advance / EM;
}

double bpi_text_width(const char *text, double size, unsigned style)
{
  double width = 0;
  for (uint32_t code; (code = bpi_next_code(&text)) != 0;)
    width += bpi_glyph_advance(code, style);
  return width * size;
}

/* ---- outlines: packed text made by tools/make-font, a character stands for its code less 32 ---- */

enum { LONGEST = 1024 };

static int next_char(const char **s)
{
  return *(*s)++ - 32;
}

/* -36..36 in one character, more in two. */
static int next_number(const char **s)
{
  int c = next_char(s);
  if (c < 73)
    return c - 36;
  int v = (c - 73) * 95 + next_char(s);
  return v < 1044 ? v + 37 : -(v - 1044) - 37;
}

typedef struct pen {
  const bpi_outline_sink *sink;
  double shear;
  int x, y; /* where the pen is */
} pen;

static bpi_point pen_point(const pen *p, double x, double y)
{
  return (bpi_point){(x + p->shear * (y - STAYS)) / FINE, y / FINE};
}

/* A contour of TrueType: between two points off the curve there is one on it, halfway. */
static void read_contour(pen *p, const char **s)
{
  enum { MOST = 256 };
  bool on[MOST] = {false};
  int n = next_number(s), x0 = 0, y0 = 0;
  bool pending = false; /* the last point was off the curve */
  double cx = 0, cy = 0;
  for (int i = 0; i < n; i += 6)
    for (int k = 0, bits = next_char(s); k < 6; k++)
      on[i + k] = bits >> k & 1;
  for (int i = 0; i <= n; i++) {
    bool is_on = i == n || on[i]; /* it ends where it began, on the curve */
    double x, y;
    if (i < n) {
      p->x += next_number(s);
      p->y += next_number(s);
    }
    x = i < n ? p->x : x0;
    y = i < n ? p->y : y0;
    if (i == 0) {
      x0 = p->x;
      y0 = p->y;
      p->sink->move(p->sink->user, pen_point(p, x, y));
      continue;
    }
    if (pending)
      p->sink->quad(p->sink->user, pen_point(p, cx, cy),
                    is_on ? pen_point(p, x, y) : pen_point(p, (cx + x) / 2, (cy + y) / 2));
    else if (is_on)
      p->sink->line(p->sink->user, pen_point(p, x, y));
    pending = !is_on;
    cx = x;
    cy = y;
  }
}

bool bpi_glyph_outline(uint32_t code, unsigned style, const bpi_outline_sink *sink)
{
  const struct face *f = face_of(style);
  const glyph *g = find_glyph(f, code);
  if (g == &f->index[f->n - 1])
    return false;
  pen p = {sink, style & BPI_ITALIC ? SHEAR : 0, 0, 0};
  char text[LONGEST], *end = text;
  for (const unsigned char *s = f->outlines + g->at; *s; s++)
    end = bpi_unpack(f->pairs, *s, end);
  for (const char *s = text; s < end;)
    read_contour(&p, &s);
  return true;
}
