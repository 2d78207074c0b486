/* Statuses, and the message of the last failure. */
#include "base/ctx.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MESSAGE_BYTES 1024

/* One message a thread: a failure in one thread never shows in another, and no lock is needed. */
static _Thread_local char message_text[MESSAGE_BYTES];

static const char *const status_names[] = {
#define STATUS_NAME(name, text) "BP_" #name,
    BP_STATUS_LIST(STATUS_NAME)
#undef STATUS_NAME
};

static const char *const status_texts[] = {
#define STATUS_TEXT(name, text) text,
    BP_STATUS_LIST(STATUS_TEXT)
#undef STATUS_TEXT
};

const char *bp_status_name(bp_status s)
{
  return (unsigned)s < BP_STATUS_COUNT ? status_names[s] : "BP_E_?";
}

const char *bp_status_text(bp_status s)
{
  return (unsigned)s < BP_STATUS_COUNT ? status_texts[s] : "no status of bprop";
}

const char *bp_version(void)
{
  return BP_VERSION;
}

const char *bp_error(void)
{
  return message_text;
}

static bool shown_as_it_is(const unsigned char *s, size_t length)
{
  if (length == 1)
    return s[0] >= 0x20 && s[0] != 0x7f;
  return length > 2 || (length == 2 && !(s[0] == 0xc2 && s[1] < 0xa0)); /* C1 controls are C2 80 to C2 9F */
}

/* Names and paths in a message come from outside: what could steer a terminal or forge a second line becomes '?'. */
static void hide_controls(char *text)
{
  unsigned char *s = (unsigned char *)text;
  for (size_t n = strlen(text); n > 0;) {
    size_t length = bpi_utf8(s, n);
    size_t step = length ? length : 1;
    if (!shown_as_it_is(s, length))
      memset(s, '?', step);
    s += step;
    n -= step;
  }
}

/* A cut in the middle of a UTF-8 sequence takes the whole sequence. */
static void drop_cut_sequence(char *text)
{
  size_t n = strlen(text), back = 0;
  while (back < 3 && back < n && ((unsigned char)text[n - 1 - back] & 0xc0) == 0x80)
    back++;
  if (back < n && (unsigned char)text[n - 1 - back] >= 0xc0 &&
      !bpi_utf8((unsigned char *)text + n - 1 - back, back + 1))
    text[n - 1 - back] = '\0';
}

static void format_line(char out[MESSAGE_BYTES], const char *fmt, va_list ap)
{
  int n = bpi_vformat(out, MESSAGE_BYTES, fmt, ap);
  if (n < 0)
    out[0] = '\0';
  else if (n >= MESSAGE_BYTES)
    drop_cut_sequence(out);
  hide_controls(out);
}

bp_status bpi_fail(bp_status s, const char *fmt, ...)
{
  char line[MESSAGE_BYTES]; /* the arguments may point into the message before */
  va_list ap;
  va_start(ap, fmt);
  format_line(line, fmt, ap);
  va_end(ap);
  memcpy(message_text, line, strlen(line) + 1);
  return s;
}

bp_status bpi_nomem(void)
{
  return bpi_fail(BP_E_NOMEM, "out of memory");
}

bp_status bpi_bad_arg(const char *function, const char *what)
{
  /* A bare name is an argument; a sentence says itself what is wrong. */
  return strchr(what, ' ') ? bpi_fail(BP_E_ARG, "%s: %s", function, what)
                           : bpi_fail(BP_E_ARG, "%s: `%s` is NULL or out of its range", function, what);
}

void bpi_log(bp_ctx *ctx, bp_log_level level, const char *fmt, ...)
{
  if (!ctx || !ctx->log || level <= BP_LOG_OFF || level > ctx->log_level)
    return;
  char line[MESSAGE_BYTES];
  va_list ap;
  va_start(ap, fmt);
  format_line(line, fmt, ap);
  va_end(ap);
  ctx->log(ctx->log_user, level, line);
}
