/* A page being written: HTML in memory, for one file that needs no other. */
#ifndef CLI_HTML_H
#define CLI_HTML_H

#include "say.h"

#include <stddef.h>

typedef struct html {
  char *s;
  size_t n, cap;
  bool failed; /* out of memory: later calls do nothing */
} html;

/* Markup as it stands, as printf. Names of others never go in here. */
void html_raw(html *h, const char *fmt, ...) BP_PRINTF(2, 3);
/* Text of anybody's: what has a meaning in HTML is escaped, control characters and bytes that are no UTF-8 are replaced. */
void html_text(html *h, const char *text);
/* The same, formatted first, cut at 1,000 bytes. */
void html_textf(html *h, const char *fmt, ...) BP_PRINTF(2, 3);
/* A picture, once for a light page and once for a dark one; the page's style shows one of them. The picture is freed. */
void html_picture(html *h, bp_ctx *ctx, bp_picture *p);
/* An image of bytes [height, width, channels], alt for those who do not see it. */
void html_image(html *h, bp_ctx *ctx, const unsigned char *pixels, const int64_t shape[3], const char *alt);
/* <td>, to the right where it is a number. */
void html_cell(html *h, const char *text);
void html_number_cell(html *h, const char *text);
/* Head and end of a page: style, title. */
void html_begin(html *h, const char *title);
void html_end(html *h);
void html_free(html *h);

#endif
