/* Standard streams, messages, and the last word on whether an answer arrived. */
#include "say.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool quiet;
static int stdout_errno; /* of the first write that failed */
static FILE *into;       /* instead of stdout; NULL: that */

void say_start(void)
{
  /* A closed stdout becomes one that cannot be written, so that losing the answer is still told. */
  static const int how[3] = {O_RDONLY, O_RDONLY, O_WRONLY};
  for (int fd = 0; fd < 3; fd++)
    if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/dev/null", how[fd]) != fd)
      _exit(END_RESOURCES);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);
}

void say_be_quiet(void)
{
  quiet = true;
}

bool say_quiet(void)
{
  return quiet;
}

/* C0 (but newline and tab), DEL, and C1 as UTF-8 writes it. */
static void clean(char *text)
{
  for (unsigned char *c = (unsigned char *)text; *c; c++)
    if ((*c < 32 && *c != '\n' && *c != '\t') || *c == 127)
      *c = '?';
    else if (*c == 0xC2 && c[1] >= 0x80 && c[1] < 0xA0)
      *c = c[1] = '?';
}

static void talk(const char *prefix, const char *fmt, va_list va)
{
  char text[8192];
  vsnprintf(text, sizeof text, fmt, va);
  clean(text);
  fprintf(stderr, "%s%s\n", prefix, text);
}

void say(const char *fmt, ...)
{
  va_list va;
  if (quiet)
    return;
  va_start(va, fmt);
  talk("", fmt, va);
  va_end(va);
}

int fail(int end, const char *fmt, ...)
{
  va_list va;
  va_start(va, fmt);
  talk("bprop: ", fmt, va);
  va_end(va);
  return end;
}

int fail_status(bp_status s, int end)
{
  const char *why = bp_error();
  return fail(s == BP_E_NOMEM ? END_RESOURCES : end, "%s", *why ? why : bp_status_text(s));
}

static void wrote(bool good)
{
  if (!good && !stdout_errno)
    stdout_errno = errno ? errno : EIO;
}

void answer(const char *fmt, ...)
{
  va_list va;
  va_start(va, fmt);
  if (into)
    vfprintf(into, fmt, va); /* the caller looks at its error */
  else
    wrote(vprintf(fmt, va) >= 0);
  va_end(va);
}

void answer_into(FILE *f)
{
  into = f;
}

const char *shown(const char *text)
{
  static char room[4][512];
  static unsigned next;
  char *to = room[next++ % 4];
  snprintf(to, sizeof room[0], "%s", text);
  clean(to);
  for (char *c = to; *c; c++)
    if (*c == '\n' || *c == '\t')
      *c = ' ';
  return to;
}

bool answer_goes_on(void)
{
  return stdout_errno == 0;
}

bool answer_in_colour(void)
{
  const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
  return isatty(1) && !(no && *no) && term && *term && strcmp(term, "dumb") != 0;
}

void answer_now(void)
{
  wrote(fflush(stdout) == 0);
}

int answer_end(int end)
{
  wrote(fflush(stdout) == 0);
  wrote(fclose(stdout) == 0);
  if (!stdout_errno || (stdout_errno == EPIPE && end == END_DONE))
    return end;
  if (stdout_errno == EPIPE)
    return end;
  fail(END_RESOURCES, "standard output: %s; the answer is not complete", strerror(stdout_errno));
  return end == END_DONE ? END_RESOURCES : end;
}

const char *with_commas(int64_t n, char *text)
{
  char digits[24];
  int length = snprintf(digits, sizeof digits, "%lld", (long long)n), to = 0;
  for (int i = 0; i < length; i++) {
    text[to++] = digits[i];
    if (digits[i] != '-' && i + 1 < length && (length - i - 1) % 3 == 0)
      text[to++] = ',';
  }
  text[to] = 0;
  return text;
}

const char *number_word(int64_t n, char *text)
{
  static const char *const words[] = {"no",    "one",   "two",  "three", "four",   "five",  "six",
                                      "seven", "eight", "nine", "ten",   "eleven", "twelve"};
  return n >= 0 && n < (int64_t)(sizeof words / sizeof *words) ? words[n] : with_commas(n, text);
}

void json_text(const char *text)
{
  if (!text) {
    answer("null");
    return;
  }
  answer("\"");
  for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
    if (*c == '"' || *c == '\\')
      answer("\\%c", *c);
    else if (*c < 32 || *c == 127)
      answer("\\u%04x", *c);
    else
      answer("%c", *c);
  }
  answer("\"");
}

/* Nine digits carry a float32, and what is measured is not better known. */
void json_number(double x)
{
  if (isfinite(x))
    answer("%.9g", x);
  else
    answer("null");
}
