/* HTML in memory. */
#include "html.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void html_free(html *h)
{
  free(h->s);
  *h = (html){0};
}

static bool make_room(html *h, size_t more)
{
  size_t cap = h->cap ? h->cap : 1 << 16;
  while (cap - h->n <= more && cap < SIZE_MAX / 2)
    cap *= 2;
  if (cap > h->cap && !h->failed) {
    char *s = realloc(h->s, cap);
    h->failed = !s;
    h->s = s ? s : h->s;
    h->cap = s ? cap : h->cap;
  }
  return !h->failed;
}

static void add_bytes(html *h, const char *s, size_t n)
{
  if (!make_room(h, n))
    return;
  memcpy(h->s + h->n, s, n);
  h->n += n;
  h->s[h->n] = 0;
}

void html_raw(html *h, const char *fmt, ...)
{
  va_list va;
  va_start(va, fmt);
  int n = vsnprintf(NULL, 0, fmt, va);
  va_end(va);
  if (n < 0 || !make_room(h, (size_t)n))
    return;
  va_start(va, fmt);
  vsnprintf(h->s + h->n, h->cap - h->n, fmt, va);
  va_end(va);
  h->n += (size_t)n;
}

/* ---- text of others ---- */

/* Length of the sound UTF-8 sequence at s; 0: none. No surrogates, nothing over U+10FFFF, no overlong forms (RFC 3629). */
static int sequence(const unsigned char *s)
{
  int n = *s < 0x80                 ? 1
          : *s >= 0xC2 && *s < 0xE0 ? 2
          : *s >= 0xE0 && *s < 0xF0 ? 3
          : *s >= 0xF0 && *s < 0xF5 ? 4
                                    : 0;
  for (int i = 1; i < n; i++)
    if ((s[i] & 0xC0) != 0x80)
      return 0;
  bool bad = (*s == 0xE0 && s[1] < 0xA0) || (*s == 0xED && s[1] > 0x9F) || (*s == 0xF0 && s[1] < 0x90) ||
             (*s == 0xF4 && s[1] > 0x8F) || (*s == 0xC2 && s[1] < 0xA0); /* the last: C1 controls */
  return bad ? 0 : n;
}

static const char *entity(unsigned char c)
{
  return c == '&'    ? "&amp;"
         : c == '<'  ? "&lt;"
         : c == '>'  ? "&gt;"
         : c == '"'  ? "&quot;"
         : c == '\'' ? "&#39;"
                     : NULL;
}

void html_text(html *h, const char *text)
{
  for (const unsigned char *s = (const unsigned char *)text; *s;) {
    int n = sequence(s);
    const char *instead =
        n == 0 || (*s < 32 && *s != '\n' && *s != '\t') || *s == 127 ? "\xEF\xBF\xBD" : entity(*s);
    if (instead)
      add_bytes(h, instead, strlen(instead));
    else
      add_bytes(h, (const char *)s, (size_t)n);
    s += n ? n : 1;
  }
}

void html_textf(html *h, const char *fmt, ...)
{
  char text[1001];
  va_list va;
  va_start(va, fmt);
  vsnprintf(text, sizeof text, fmt, va);
  va_end(va);
  html_text(h, text);
}

void html_cell(html *h, const char *text)
{
  html_raw(h, "<td>");
  html_text(h, text);
  html_raw(h, "</td>");
}

void html_number_cell(html *h, const char *text)
{
  html_raw(h, "<td class=\"n\">");
  html_text(h, text);
  html_raw(h, "</td>");
}

/* ---- pictures ---- */

void html_picture(html *h, bp_ctx *ctx, bp_picture *p)
{
  for (int dark = 0; dark < 2 && p; dark++) {
    char *svg;
    if (bp_picture_svg(p, dark, &svg) != BP_OK) {
      h->failed = true;
      break;
    }
    html_raw(h, "<div class=\"picture %s\">", dark ? "dark" : "light");
    add_bytes(h, svg, strlen(svg));
    html_raw(h, "</div>\n");
    bp_free(ctx, svg);
  }
  bp_picture_free(p);
}

void html_image(html *h, bp_ctx *ctx, const unsigned char *pixels, const int64_t shape[3], const char *alt)
{
  char *url;
  if (bp_image_url(ctx, pixels, shape[0], shape[1], shape[2], &url) != BP_OK) {
    h->failed = true;
    return;
  }
  html_raw(h, "<img class=\"pixels\" alt=\"");
  html_text(h, alt);
  html_raw(h, "\" src=\"%s\">", url);
  bp_free(ctx, url);
}

/* ---- the page ---- */

static const char style[] =
    ":root{color-scheme:light "
    "dark;--paper:#fff;--text:#1b1d21;--muted:#565d68;--line:#dde1e6;--ground:#f5f7fa;--good:#0b62b0;"
    "--bad:#b04303}\n"
    "@media "
    "(prefers-color-scheme:dark){:root{--paper:#15181d;--text:#e9ebee;--muted:#a3abb6;--line:#333a44;--"
    "ground:#1d2229;"
    "--good:#62a8f0;--bad:#f79a5c}}\n"
    "body{margin:0 auto;padding:1.5rem;max-width:60rem;background:var(--paper);color:var(--text);"
    "font:1rem/1.5 system-ui,\"DejaVu Sans\",Verdana,sans-serif}\n"
    "h1{font-size:1.7rem;margin:.5rem 0;overflow-wrap:anywhere}h2{font-size:1.25rem;margin:2.5rem 0 "
    ".75rem;padding-top:.75rem;"
    "border-top:1px solid var(--line)}\n"
    "p{max-width:44rem}.note{color:var(--muted);font-size:.9rem}nav{font-size:.9rem;margin:1rem 0}nav "
    "a{margin-right:1rem;"
    "display:inline-block}a{color:var(--good)}\n"
    ".figures{display:flex;flex-wrap:wrap;gap:.75rem;margin:1.25rem "
    "0}.figure{background:var(--ground);border-radius:.5rem;"
    "padding:.6rem 1rem;min-width:7rem}.figure "
    "b{display:block;font-size:1.5rem;font-weight:600;line-height:1.3}\n"
    ".figure "
    "span{color:var(--muted);font-size:.85rem}.bad{color:var(--bad);font-weight:600}.wide{overflow-x:auto;"
    "max-width:100%}\n"
    "table{border-collapse:collapse;font-size:.9rem;margin:.75rem 0;font-variant-numeric:tabular-nums}"
    "th,td{text-align:left;padding:.25rem .75rem .25rem 0;border-bottom:1px solid "
    "var(--line);vertical-align:top;overflow-wrap:break-word;max-width:22rem}"
    "th{color:var(--muted);font-weight:600}td.n,th.n{text-align:right}td.n{white-space:nowrap}th{vertical-"
    "align:bottom}\n"
    ".picture{margin:.5rem 0;overflow-x:auto}.picture svg{max-width:100%;height:auto}.dark{display:none}"
    "@media (prefers-color-scheme:dark){.dark{display:block}.light{display:none}}\n"
    ".two{display:flex;flex-wrap:wrap;gap:0 "
    "1.5rem}.tiles{display:flex;flex-wrap:wrap;gap:.75rem;margin:.75rem 0}"
    ".tile{width:6.5rem;font-size:.78rem;line-height:1.35;margin:0}td.note{max-width:44rem}.tile "
    ".note{font-size:inherit}.tile figcaption{overflow-wrap:anywhere}"
    ".tile.pair{width:13.5rem}\n"
    ".pixels{width:6.5rem;height:6.5rem;object-fit:contain;image-rendering:pixelated;background:#000;border-"
    "radius:3px}"
    ".pair .pixels{margin-right:.25rem}\n"
    "@media print{.dark{display:none!important}.light{display:block!important}h2{break-after:avoid}}\n";

void html_begin(html *h, const char *title)
{
  html_raw(h,
           "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
           "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
           "<meta name=\"generator\" content=\"bprop %s\">\n<title>",
           BP_VERSION);
  html_text(h, title);
  html_raw(h, "</title>\n<style>\n%s</style>\n</head>\n<body>\n", style);
}

void html_end(html *h)
{
  html_raw(h, "</body>\n</html>\n");
}
