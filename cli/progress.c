/* The progress bar, the plain lines, and the signals. */
#include "progress.h"
#include "measured.h"

#include <langinfo.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { BAR = 10 };

/* ---- signals ---- */

static volatile sig_atomic_t came;

static void on_signal(int number)
{
  if (came) {
    signal(number, SIG_DFL);
    raise(number);
  }
  came = number;
}

void interrupt_watch(void)
{
  static const int numbers[] = {SIGINT, SIGTERM};
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    struct sigaction old, now = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    /* What the shell said to ignore stays ignored: a job in the background, or nohup. */
    if (!sigaction(numbers[i], NULL, &old) && old.sa_handler != SIG_IGN)
      sigaction(numbers[i], &now, NULL);
  }
}

_Static_assert(sizeof came == sizeof(int), "the flag is an int");

const volatile int *interrupt_flag(void)
{
  return (const volatile int *)&came;
}

int interrupt_came(void)
{
  return came;
}

void interrupt_hold(bool hold)
{
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigprocmask(hold ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
}

/* ---- lines ---- */

void progress_start(progress *p, const char *metric, bool keep)
{
  const char *term = getenv("TERM");
  *p = (progress){.metric = bp_metric_find(metric, NULL), .name = metric_title(metric), .keep = keep};
  p->bar = !say_quiet() && isatty(2) && term && strcmp(term, "dumb") != 0;
  p->blocks = !strcmp(nl_langinfo(CODESET), "UTF-8");
}

static int digits(int64_t n)
{
  return snprintf(NULL, 0, "%lld", (long long)n);
}

static void valid_text(const progress *p, const bp_progress *now, int places, char *text, size_t size)
{
  text[0] = 0;
  if (isnan(now->valid_loss))
    return;
  int n = snprintf(text, size, "  valid %.*f", places, now->valid_loss);
  bool share = p->metric && p->metric->share, large = fabs(now->valid_metric) >= 100;
  if (!isnan(now->valid_metric) && n > 0 && (size_t)n < size)
    snprintf(text + n, size - (size_t)n,
             share   ? "  %s %5.1f %%"
             : large ? "  %s %.6g"
                     : "  %s %.4f",
             p->name, share ? 100 * now->valid_metric : now->valid_metric);
}

static void clock_text(double seconds, char *text, size_t size)
{
  long t = seconds > 0 && seconds < 1e7 ? (long)(seconds + 0.5) : 0;
  if (t < 3600)
    snprintf(text, size, "%ld:%02ld", t / 60, t % 60);
  else
    snprintf(text, size, "%ld:%02ld:%02ld", t / 3600, t / 60 % 60, t % 60);
}

/* Eighths of a cell, where the terminal has them. */
static void bar_text(const progress *p, double share, char *text, size_t size)
{
  static const char *const part[] = {"",
                                     "\xE2\x96\x8F",
                                     "\xE2\x96\x8E",
                                     "\xE2\x96\x8D",
                                     "\xE2\x96\x8C",
                                     "\xE2\x96\x8B",
                                     "\xE2\x96\x8A",
                                     "\xE2\x96\x89"};
  int eighths = (int)(share * BAR * 8 + 0.5), full = eighths / 8, rest = p->blocks ? eighths % 8 : 0,
      blank = BAR - full - (rest > 0);
  size_t n = 0;
  for (int i = 0; i < full && n < size; i++)
    n += (size_t)snprintf(text + n, size - n, "%s", p->blocks ? "\xE2\x96\x88" : "#");
  if (n < size)
    n += (size_t)snprintf(text + n, size - n, "%s", part[rest]);
  for (; blank > 0 && n < size; blank--)
    n += (size_t)snprintf(text + n, size - n, "%s", p->blocks ? " " : ".");
}

/* The line must not wrap, or redrawing it would leave traces: cut at the terminal's width, whole characters. */
static void cut(char *text)
{
  struct winsize w;
  int width = !ioctl(2, TIOCGWINSZ, &w) && w.ws_col > 0 ? w.ws_col - 1 : 79;
  for (char *c = text; *c; c++)
    if (((unsigned char)*c & 0xC0) != 0x80 && width-- == 0) {
      *c = 0;
      return;
    }
}

static void draw_bar(progress *p, const bp_progress *now)
{
  char bar[4 * BAR + 1], metric[80], eta[32], line[320];
  bar_text(p, (double)now->epoch / (double)now->epochs, bar, sizeof bar);
  valid_text(p, now, 3, metric, sizeof metric);
  clock_text(now->eta, eta, sizeof eta);
  snprintf(line, sizeof line, "epoch %*lld/%lld  %s  train %.3f%s  ETA %s", digits(now->epochs),
           (long long)now->epoch, (long long)now->epochs, bar, now->train_loss, metric, eta);
  cut(line);
  fprintf(stderr, "\r%s\033[K", line);
  fflush(stderr);
  p->shown = true;
}

static void keep_epoch(progress *p, const bp_progress *now)
{
  if (p->n == p->room) {
    int64_t room = p->room ? 2 * p->room : 64;
    epoch *more = realloc(p->epochs, (size_t)room * sizeof *more);
    if (!more)
      return;
    p->epochs = more;
    p->room = room;
  }
  p->epochs[p->n++] = (epoch){now->train_loss, now->valid_loss, now->valid_metric};
}

bool progress_epoch(void *user, const bp_progress *now)
{
  progress *p = user;
  char metric[80];
  p->last = now->epoch;
  if (p->keep)
    keep_epoch(p, now);
  if (p->bar) {
    draw_bar(p, now);
  } else if (!say_quiet()) {
    valid_text(p, now, 4, metric, sizeof metric);
    say("epoch %*lld/%lld  train %.4f%s", digits(now->epochs), (long long)now->epoch, (long long)now->epochs,
        now->train_loss, metric);
  }
  return !came;
}

void progress_stop(progress *p)
{
  if (p->shown)
    fprintf(stderr, "\n");
  p->shown = false;
}

void progress_free(progress *p)
{
  free(p->epochs);
}
