/* A picture as SVG 1.1. Numbers are written by whole-number arithmetic, so that the same picture is the same bytes everywhere. */
#include "draw/png.h"
#include "base/text.h"

#include <math.h>
#include <string.h>

/* At most two digits behind the point, and none that are zeros. */
static void put_number(bpi_text *t, double x)
{
  long long hundredths = llround(x * 100), whole = hundredths / 100;
  int rest = (int)(hundredths % 100);
  if (rest < 0)
    rest = -rest;
  bpi_textf(t, "%s%lld", hundredths < 0 && whole == 0 ? "-" : "", whole);
  if (rest)
    bpi_textf(t, rest % 10 ? ".%02d" : ".%d", rest % 10 ? rest : rest / 10);
}

static void put_attribute(bpi_text *t, const char *name, double x)
{
  bpi_textf(t, " %s=\"", name);
  put_number(t, x);
  bpi_textf(t, "\"");
}

static void put_escaped(bpi_text *t, const char *s)
{
  static const struct {
    char c;
    const char *entity;
  } entities[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}};
  while (*s) {
    size_t plain = strcspn(s, "&<>\"");
    bpi_text_add(t, s, plain);
    s += plain;
    for (size_t i = 0; i < sizeof entities / sizeof *entities; i++)
      if (*s == entities[i].c)
        bpi_textf(t, "%s", entities[i].entity);
    s += *s != 0;
  }
}

static void put_colour(bpi_text *t, const char *name, bpi_ink ink, bool dark)
{
  if (ink.role)
    bpi_textf(t, " %s=\"#%06x\"", name, (unsigned)bpi_colour(ink, dark));
  else
    bpi_textf(t, " %s=\"none\"", name);
}

/* Black is what SVG fills with by itself, and no line is what it draws. */
static void put_look(bpi_text *t, const bpi_look *look, bool dark)
{
  const bpi_dashes *d = &bpi_dash_table[look->dash];
  put_colour(t, "fill", look->fill, dark);
  if (!look->line.role)
    return;
  put_colour(t, "stroke", look->line, dark);
  if (look->width != 1)
    put_attribute(t, "stroke-width", look->width);
  for (int i = 0; i < d->n; i++) {
    bpi_textf(t, i ? " " : " stroke-dasharray=\"");
    put_number(t, d->length[i]);
  }
  if (d->n)
    bpi_textf(t, "\"");
}

static void put_box(bpi_text *t, bpi_box b)
{
  put_attribute(t, "x", b.x0);
  put_attribute(t, "y", b.y0);
  put_attribute(t, "width", b.x1 - b.x0);
  put_attribute(t, "height", b.y1 - b.y0);
}

static void put_rect(bpi_text *t, const bpi_item *i, bool dark)
{
  bpi_textf(t, "<rect");
  put_box(t, bpi_item_inside(i));
  if (i->rect.radius > 0)
    put_attribute(t, "rx", i->rect.radius);
  put_look(t, &i->look, dark);
  bpi_textf(t, "/>\n");
}

static void put_circle(bpi_text *t, const bpi_item *i, bool dark)
{
  bpi_textf(t, "<circle");
  put_attribute(t, "cx", i->circle.at.x);
  put_attribute(t, "cy", i->circle.at.y);
  put_attribute(t, "r", i->circle.radius);
  put_look(t, &i->look, dark);
  bpi_textf(t, "/>\n");
}

static void put_path(bpi_text *t, const bpi_item *i, bool dark)
{
  const bpi_point *at = i->path.point;
  char last = 0;
  bpi_textf(t, "<path d=\"");
  for (const char *s = i->path.step; *s; s++) {
    if (*s != last || *s == 'M' || *s == 'Z')
      bpi_text_add(t, s, 1);
    else
      bpi_text_add(t, " ", 1);
    last = *s;
    for (int k = *s == 'C' ? 3 : *s != 'Z'; k > 0; k--, at++) {
      put_number(t, at->x);
      bpi_text_add(t, ",", 1);
      put_number(t, at->y);
      if (k > 1)
        bpi_text_add(t, " ", 1);
    }
  }
  bpi_textf(t, "\"");
  put_look(t, &i->look, dark);
  bpi_textf(t, "/>\n");
}

static void put_text(bpi_text *t, const bpi_item *i, bool dark)
{
  unsigned style = i->text.style;
  bpi_textf(t, "<text");
  put_attribute(t, "x", i->text.at.x);
  put_attribute(t, "y", i->text.at.y);
  put_attribute(t, "font-size", i->text.size);
  if (style & (BPI_MIDDLE | BPI_END))
    bpi_textf(t, " text-anchor=\"%s\"", style & BPI_MIDDLE ? "middle" : "end");
  if (style & BPI_BOLD)
    bpi_textf(t, " font-weight=\"bold\"");
  if (style & BPI_ITALIC)
    bpi_textf(t, " font-style=\"italic\"");
  if (style & BPI_TURNED) {
    bpi_textf(t, " transform=\"rotate(-90 ");
    put_number(t, i->text.at.x);
    bpi_text_add(t, " ", 1);
    put_number(t, i->text.at.y);
    bpi_textf(t, ")\"");
  }
  put_colour(t, "fill", i->look.fill, dark);
  bpi_textf(t, ">");
  put_escaped(t, i->text.s);
  bpi_textf(t, "</text>\n");
}

static void put_base64(bpi_text *t, const unsigned char *b, size_t n)
{
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (size_t i = 0; i < n; i += 3) {
    uint32_t v =
        (uint32_t)b[i] << 16 | (i + 1 < n ? (uint32_t)b[i + 1] << 8 : 0) | (i + 2 < n ? b[i + 2] : 0);
    char four[4] = {digits[v >> 18], digits[v >> 12 & 63], i + 1 < n ? digits[v >> 6 & 63] : '=',
                    i + 2 < n ? digits[v & 63] : '='};
    bpi_text_add(t, four, 4);
  }
}

/* RFC 2397 */
static void put_png(bpi_text *t, const unsigned char *png, size_t n)
{
  bpi_textf(t, "data:image/png;base64,");
  put_base64(t, png, n);
}

bp_status bp_image_url(bp_ctx *ctx, const unsigned char *pixels, int64_t height, int64_t width,
                       int64_t channels, char **url)
{
  unsigned char *png;
  size_t n;
  bpi_text t;
  if (!url)
    return bpi_bad_arg("bp_image_url", "url is NULL");
  *url = NULL;
  bp_status s = bp_image_png(ctx, pixels, height, width, channels, &png, &n);
  if (s != BP_OK)
    return s;
  bpi_text_init(&t, ctx);
  put_png(&t, png, n);
  bpi_free(ctx, png);
  *url = bpi_text_take(&t);
  return *url ? BP_OK : bpi_nomem();
}

static void put_image(bpi_text *t, const bpi_item *i, bool dark)
{
  unsigned char *png;
  size_t n = 0;
  if (bpi_image_png(t->ctx, i, dark, &png, &n) != BP_OK) {
    t->failed = true;
    return;
  }
  bpi_textf(t, "<image");
  put_box(t, i->box);
  bpi_textf(t, " preserveAspectRatio=\"none\" href=\"");
  put_png(t, png, n);
  bpi_textf(t, "\"/>\n");
  bpi_free(t->ctx, png);
}

static void put_group(bpi_text *t, const bpi_item *i, bool dark)
{
  (void)dark;
  bpi_textf(t, "<g>");
  if (i->group.title) {
    bpi_textf(t, "<title>");
    put_escaped(t, i->group.title);
    bpi_textf(t, "</title>");
  }
  bpi_textf(t, "\n");
}

static void put_close(bpi_text *t, const bpi_item *i, bool dark)
{
  (void)i;
  (void)dark;
  bpi_textf(t, "</g>\n");
}

static void put_head(bpi_text *t, const bp_picture *p, bool dark)
{
  bpi_textf(t, "<svg xmlns=\"http://www.w3.org/2000/svg\"");
  put_attribute(t, "width", p->width);
  put_attribute(t, "height", p->height);
  bpi_textf(t, " viewBox=\"0 0 ");
  put_number(t, p->width);
  bpi_textf(t, " ");
  put_number(t, p->height);
  bpi_textf(t, "\" role=\"img\" xml:space=\"preserve\" font-family=\"DejaVu Sans, Verdana, Geneva, "
               "sans-serif\" stroke-linejoin=\"round\">\n");
  if (p->title) {
    bpi_textf(t, "<title>");
    put_escaped(t, p->title);
    bpi_textf(t, "</title>\n");
  }
  if (p->about) {
    bpi_textf(t, "<desc>");
    put_escaped(t, p->about);
    bpi_textf(t, "</desc>\n");
  }
  bpi_textf(t, "<rect width=\"100%%\" height=\"100%%\"");
  put_colour(t, "fill", BPI_INK(BPI_PAPER), dark);
  bpi_textf(t, "/>\n");
}

bp_status bp_picture_svg(const bp_picture *p, bool dark, char **text)
{
  if (!p || !text)
    return bpi_bad_arg("bp_picture_svg", "p or text is NULL");
  static void (*const put[])(bpi_text * t, const bpi_item *i, bool dark) = {
      [BPI_ITEM_RECT] = put_rect,  [BPI_ITEM_CIRCLE] = put_circle, [BPI_ITEM_PATH] = put_path,
      [BPI_ITEM_TEXT] = put_text,  [BPI_ITEM_IMAGE] = put_image,   [BPI_ITEM_OPEN] = put_group,
      [BPI_ITEM_CLOSE] = put_close};
  bpi_text t;
  bpi_text_init(&t, p->ctx);
  put_head(&t, p, dark);
  for (size_t i = 0; i < p->n && !t.failed; i++)
    put[p->item[i].kind](&t, &p->item[i], dark);
  bpi_textf(&t, "</svg>\n");
  *text = bpi_text_take(&t);
  return *text ? BP_OK : bpi_nomem();
}
