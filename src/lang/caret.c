/* What is wrong, and where: source:line:column, the line of the text, a caret under the place. */
#include "lang/lang.h"

#include <stdarg.h>
#include <string.h>

enum { MESSAGE = 900 };

/* Past byte i. */
static void pass_byte(const bpi_lsource *s, uint32_t i, bpi_lmark *m)
{
  if (s->text[i] == '\n')
    *m = (bpi_lmark){m->line + 1, 1, i + 1};
  else
    m->column += ((unsigned char)s->text[i] & 0xc0) != 0x80;
}

bool bpi_mark_lines(bpi_arena *a, bpi_lsource *s)
{
  bpi_lmark m = {1, 1, 0};
  s->marks = bpi_arena_alloc(a, s->n / BPI_LINE_STEP + 1, sizeof *s->marks);
  for (uint32_t i = 0; s->marks && i <= s->n; i++) {
    if (i % BPI_LINE_STEP == 0)
      s->marks[i / BPI_LINE_STEP] = m;
    if (i < s->n)
      pass_byte(s, i, &m);
  }
  return s->marks != NULL;
}

void bpi_line_of(const bpi_lsource *s, uint32_t at, bpi_lmark *m)
{
  uint32_t from = s->marks ? at / BPI_LINE_STEP : 0;
  *m = s->marks ? s->marks[from] : (bpi_lmark){1, 1, 0};
  for (uint32_t i = from * BPI_LINE_STEP; i < at; i++)
    pass_byte(s, i, m);
}

/* Bytes of the text as a line that steers no terminal: what is not printable is a '?', tabs are blanks. One column each. */
static void add_plain(bpi_text *t, const char *s, size_t n)
{
  for (size_t i = 0; i < n;) {
    size_t length = bpi_utf8((const unsigned char *)s + i, n - i);
    unsigned char c = (unsigned char)s[i];
    if (c == '\t')
      bpi_text_add(t, " ", 1);
    else if (length == 1 && c >= 0x20 && c != 0x7f)
      bpi_text_add(t, s + i, 1);
    else if (length > 1 && c != 0xc2)
      bpi_text_add(t, s + i, length);
    else
      bpi_text_add(t, "?", 1);
    i += length ? length : 1;
  }
}

/* The line and the caret; of a long line the part around the caret. */
static void add_caret(bpi_text *t, const bpi_place_in *at, uint32_t begin)
{
  const char *text = at->source->text, *stop = memchr(text + at->at, '\n', at->source->n - at->at);
  uint32_t end = stop ? (uint32_t)(stop - text) : (uint32_t)at->source->n;
  uint32_t from = begin;
  if (end - begin > BPI_CARET_LINE && at->at - begin > BPI_CARET_LINE / 2)
    from = at->at - BPI_CARET_LINE / 2;
  while (from > begin && ((unsigned char)text[from] & 0xc0) == 0x80)
    from--;
  uint32_t to = end - from > BPI_CARET_LINE ? from + BPI_CARET_LINE : end;
  while (to < end && ((unsigned char)text[to] & 0xc0) == 0x80)
    to++;
  while (to > from && (text[to - 1] == '\r' || text[to - 1] == ' '))
    to--;
  bpi_textf(t, "\n  %s", from > begin ? "..." : "");
  if (to > from)
    add_plain(t, text + from, to - from);
  bpi_textf(t, "%s\n  %s", to < end && end - from > BPI_CARET_LINE ? "..." : "", from > begin ? "   " : "");
  for (uint32_t i = from; i < at->at; i++)
    if (((unsigned char)text[i] & 0xc0) != 0x80)
      bpi_text_add(t, " ", 1);
  bpi_text_add(t, "^", 1);
}

void bpi_tell_place(bp_program *p, const bpi_place_in *at, bp_status s, const char *what)
{
  bpi_lmark m;
  bpi_line_of(at->source, at->at, &m);
  bpi_fail(s, "%s:%d:%d: %s", at->source->name, m.line, m.column, what);
  bpi_text t;
  bpi_text_init(&t, p->ctx);
  bpi_textf(&t, "%s", bp_error());
  add_caret(&t, at, m.begin);
  bpi_free(p->ctx, p->message);
  p->message = bpi_text_take(&t); /* without memory for it, bp_error() has the first line */
}

bp_status bpi_mistake(bp_program *p, const bpi_place_in *at, bp_status s, const char *fmt, ...)
{
  char what[MESSAGE];
  if (p->status != BP_OK)
    return p->status;
  p->status = s;
  va_list ap;
  va_start(ap, fmt);
  bpi_vformat(what, sizeof what, fmt, ap);
  va_end(ap);
  if (!at->source)
    return bpi_fail(s, "%s", what);
  bpi_tell_place(p, at, s, what);
  return s;
}

bp_status bpi_wrong(bp_program *p, bp_status s, const char *fmt, ...)
{
  char what[MESSAGE];
  va_list ap;
  va_start(ap, fmt);
  bpi_vformat(what, sizeof what, fmt, ap);
  va_end(ap);
  return bpi_mistake(p, &p->here, s, "%s", what);
}

bp_status bpi_wrong_graph(bp_program *p, bp_graph *g)
{
  bp_status s = bp_graph_status(g);
  if (p->status == BP_OK)
    bpi_wrong(p, s == BP_OK ? BP_E_INTERNAL : s, "%s", bp_graph_error(g));
  bp_graph_clear(g);
  return p->status;
}

bp_status bpi_lang_nomem(bp_program *p)
{
  if (p->status == BP_OK)
    p->status = BP_E_NOMEM;
  return bpi_nomem();
}
