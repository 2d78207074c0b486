/* Reading ahead, checking bytes, and finding where records end.
 *
 * What is found must not depend on how the input comes in pieces. So whatever is wrong with the bytes waits until all records before it
 * were taken, and where a record is both wrong and too long, the same is told for every size of the window. */
#include "data/csv_window.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

enum { MARK = 3 }; /* bytes of a byte order mark */

/* ---- failures ----------------------------------------------------------------------- */

static int64_t count_feeds(const char *p, const char *end)
{
  int64_t n = 0;
  for (; p < end; p++)
    n += *p == '\n';
  return n;
}

bpi_csv_place bpi_csv_where(const bpi_csv *c, const char *place)
{
  const char *feed = memrchr(c->text, '\n', (size_t)(place - c->text));
  return (bpi_csv_place){c->line + count_feeds(c->text, place), place - (feed ? feed + 1 : c->text) + 1};
}

static bp_status fail_with(const bpi_csv *c, bp_status s, bpi_csv_place p, const char *fmt, va_list ap)
{
  char text[700];
  vsnprintf(text, sizeof text, fmt, ap);
  return bpi_fail(s, "%s:%lld:%lld: %s", c->name, (long long)p.line, (long long)p.column, text);
}

bp_status bpi_csv_fail(const bpi_csv *c, bp_status s, const char *place, const char *fmt, ...)
{
  va_list ap;
  va_start(ap, fmt);
  s = fail_with(c, s, bpi_csv_where(c, place), fmt, ap);
  va_end(ap);
  return s;
}

bp_status bpi_csv_fail_at(const bpi_csv *c, bp_status s, bpi_csv_place place, const char *fmt, ...)
{
  va_list ap;
  va_start(ap, fmt);
  s = fail_with(c, s, place, fmt, ap);
  va_end(ap);
  return s;
}

int bpi_csv_shown(size_t n, const char *s)
{
  if (n <= 40)
    return (int)n;
  n = 40;
  while (n && ((unsigned char)s[n] & 0xc0) == 0x80)
    n--;
  return (int)n;
}

/* ---- bytes -------------------------------------------------------------------------- */

/* How many bytes are valid UTF-8; a character that is cut by the end is left for later. *bad: something else stopped it. */
static size_t valid_utf8(const char *p, size_t n, bool *bad)
{
  size_t i = 0;
  *bad = false;
  while (i < n) {
    uint64_t w = 0;
    memcpy(&w, p + i, n - i < 8 ? n - i : 8);
    if (!(w & UINT64_C(0x8080808080808080))) {
      i = n - i < 8 ? n : i + 8;
      continue;
    }
    size_t m = bpi_utf8((const unsigned char *)p + i, n - i);
    if (m == 0) {
      *bad = !bpi_utf8_cut((const unsigned char *)p + i, n - i);
      break;
    }
    i += m;
  }
  return i;
}

/* Moves `valid` over the new bytes, up to what is wrong with them. */
static void check_bytes(bpi_csv *c)
{
  if (c->fault)
    return;
  size_t stop = c->used;
  if (c->max_bytes && c->before + (int64_t)stop > c->max_bytes) {
    c->fault = BPI_CSV_TOO_MANY;
    stop = c->max_bytes > c->before ? (size_t)(c->max_bytes - c->before) : 0;
  }
  const char *nul = memchr(c->text + c->valid, 0, stop - c->valid);
  if (nul) {
    c->fault = BPI_CSV_NUL;
    stop = (size_t)(nul - c->text);
  }
  bool bad;
  c->valid += valid_utf8(c->text + c->valid, stop - c->valid, &bad);
  if (bad || (c->valid < stop && (c->fault || c->ended)))
    c->fault = BPI_CSV_NOT_UTF8;
}

/* No UTF-8 begins with a byte of UTF-16's mark. */
static bool utf16_mark(const bpi_csv *c)
{
  return c->before == 0 && c->valid == 0 && (unsigned char)c->text[0] >= 0xfe;
}

static bp_status tell_fault(const bpi_csv *c)
{
  if (c->fault == BPI_CSV_TOO_MANY)
    return bpi_fail(BP_E_LIMIT, "%s: more than the %lld bytes allowed", c->name, (long long)c->max_bytes);
  return bpi_csv_fail(c, BP_E_FORMAT, c->text + c->valid,
                      c->fault == BPI_CSV_NUL
                          ? "a NUL byte: this is no CSV text (UTF-16 must be converted to UTF-8, compressed "
                            "files unpacked)"
                      : utf16_mark(c) ? "the text is UTF-16; convert it (iconv -f utf-16 -t utf-8)"
                                      : "the text is not UTF-8; convert it (iconv -f latin1 -t utf-8)");
}

/* ---- where records end -------------------------------------------------------------- */

/* A line feed ends a record where the number of quotes before it is even: a quote elsewhere than at both ends of a field is an error, which the
 * lexer finds before it comes to an end that was found wrongly. */
static void find_ends(bpi_csv *c)
{
  const char *p = c->text + c->scanned, *stop = c->text + c->valid;
  while (p < stop) {
    const char *quote = memchr(p, '"', (size_t)(stop - p)), *to = quote ? quote : stop;
    const char *feed = c->quoted ? NULL : memrchr(p, '\n', (size_t)(to - p));
    if (feed)
      c->end = feed + 1;
    c->quoted = c->quoted != (quote != NULL);
    p = quote ? quote + 1 : stop;
  }
  c->scanned = c->valid;
}

/* Where the record that begins at p ends, if before `stop`; else stop. */
static const char *record_stop(const char *p, const char *stop)
{
  while (p < stop) {
    const char *feed = memchr(p, '\n', (size_t)(stop - p)), *to = feed ? feed : stop;
    const char *quote = memchr(p, '"', (size_t)(to - p));
    if (!quote)
      return to;
    quote = memchr(quote + 1, '"', (size_t)(stop - quote - 1));
    p = quote ? quote + 1 : stop;
  }
  return stop;
}

static void cut_record(bpi_csv *c)
{
  char *stop = c->text + (c->at - c->text) + c->max_line;
  *stop = '\n';
  c->end = stop + 1;
  c->cut = true;
}

void bpi_csv_measure(bpi_csv *c)
{
  if (c->end - c->at > c->max_line && record_stop(c->at, c->at + c->max_line + 1) - c->at > c->max_line)
    cut_record(c);
}

/* ---- reading on --------------------------------------------------------------------- */

/* What was taken goes; the rest moves to the front. */
static void drop_taken(bpi_csv *c)
{
  size_t taken = (size_t)(c->at - c->text);
  c->line += count_feeds(c->text, c->at);
  c->before += (int64_t)taken;
  memmove(c->text, c->text + taken, c->used - taken);
  c->used -= taken;
  c->valid -= taken;
  c->scanned -= taken;
  c->at = c->record = c->end = c->text;
}

/* Room for more, and for a line feed at the end. A long record doubles the window, so that moving it costs as much as reading it. */
static bool window_room(bpi_csv *c)
{
  if (c->cap - c->used > c->chunk)
    return true;
  size_t at = (size_t)(c->at - c->text), cap = c->used + (c->used > c->chunk ? c->used : c->chunk) + 1;
  char *p = bpi_realloc(c->ctx, c->text, cap, 1);
  if (!p)
    return false;
  c->text = p;
  c->cap = cap;
  c->at = c->record = c->end = p + at;
  return true;
}

/* The last record may lack its line feed, and be in quotes still: the lexer will say so. */
static void finish_input(bpi_csv *c)
{
  if (c->fault || c->used == 0 || c->end == c->text + c->used)
    return;
  if (c->text[c->used - 1] != '\n')
    c->text[c->used++] = '\n';
  c->valid = c->scanned = c->used;
  c->end = c->text + c->used;
}

/* A byte order mark goes as soon as it is whole; what does not begin like one is the first record's. */
static void skip_mark(bpi_csv *c)
{
  size_t n = c->valid < MARK ? c->valid : MARK;
  bool like = memcmp(c->text, "\xef\xbb\xbf", n) == 0;
  if (c->begun || (like && n < MARK && !c->ended && !c->fault))
    return;
  c->begun = true;
  if (!like || n < MARK)
    return;
  memmove(c->text, c->text + MARK, c->used - MARK);
  c->used -= MARK;
  c->valid -= MARK;
  c->before = MARK;
}

static bp_status read_chunk(bpi_csv *c)
{
  size_t room = c->cap - c->used - 1, got;
  bp_status s = bpi_read_some(c->source, c->text + c->used, room, &got);
  if (s != BP_OK)
    return s;
  c->used += got;
  c->ended = got == 0;
  check_bytes(c);
  skip_mark(c);
  find_ends(c);
  if (c->ended)
    finish_input(c);
  return BP_OK;
}

/* Whether the record at the front is past its limit, and not even whole. */
static bool past_limit(const bpi_csv *c)
{
  return c->end == c->at && c->begun && c->valid > (size_t)c->max_line;
}

bp_status bpi_csv_fill(bpi_csv *c)
{
  if (c->at > c->text)
    drop_taken(c);
  while (c->end == c->at && !past_limit(c) && !c->ended && !c->fault) {
    bp_status s = window_room(c) ? read_chunk(c) : bpi_nomem();
    if (s != BP_OK)
      return s;
  }
  if (past_limit(c))
    cut_record(c);
  return c->end == c->at && c->fault ? tell_fault(c) : BP_OK;
}

static void clear_window(bpi_csv *c)
{
  c->used = c->valid = c->scanned = 0;
  c->quoted = c->ended = c->cut = c->begun = false;
  c->fault = BPI_CSV_SOUND;
  c->before = 0;
  c->line = 1;
  c->at = c->record = c->end = c->text;
}

void bpi_csv_begin(bpi_csv *c)
{
  clear_window(c);
}

bp_status bpi_csv_rewind(bpi_csv *c)
{
  const char *why = NULL;
  if (!c->source->rewind)
    return bpi_fail(BP_E_UNSUPPORTED, "%s: cannot be read twice", c->name);
  if (!c->source->rewind(c->source->user, &why))
    return bpi_fail(BP_E_IO, "%s: cannot be read again from the start: %s", c->name,
                    why ? why : "the reader failed without saying why");
  clear_window(c);
  return BP_OK;
}

void bpi_csv_free(bpi_csv *c)
{
  bpi_free(c->ctx, c->text);
  bpi_free(c->ctx, c->scratch);
}
