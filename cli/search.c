#include "search.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- numbers drawn ---- */

/* splitmix64 (Steele, Lea & Flood 2014): the finaliser makes each counter a number of its own. */
static uint64_t mixed(uint64_t x)
{
  x += 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

/* Evenly in [0, 1). Each question of each trial has a number of its own, so that fixing one answer changes no other. */
static double drawn(const settings *s, int64_t trial, int question)
{
  uint64_t bits = mixed(mixed(mixed((uint64_t)s->seed) + (uint64_t)trial) + (uint64_t)question);
  return (double)(bits >> 11) / 9007199254740992.0;
}

/* Three digits, so that what is told is what was tried. */
static double rounded(double x)
{
  char text[32];
  snprintf(text, sizeof text, "%.2e", x);
  return strtod(text, NULL);
}

static double evenly(const span *r, double u)
{
  return r->lo + (r->hi - r->lo) * u;
}

/* Each factor as likely as another; from 0 on evenly, as 0 has no logarithm. */
static double by_factor(const span *r, double u)
{
  return r->lo > 0 ? r->lo * pow(r->hi / r->lo, u) : evenly(r, u);
}

/* ---- what is searched ---- */

static void draw_hidden(const settings *s, int64_t i, settings *out)
{
  double depth = floor(evenly(&s->search_depth, drawn(s, i, 1)) + 0.5);
  double width = floor(by_factor(&s->search_width, drawn(s, i, 2)) + 0.5);
  memset(out->hidden, 0, sizeof out->hidden);
  for (int k = 0; k < (int)depth && k < WIDTHS - 1; k++)
    out->hidden[k] = (int64_t)width;
  if (depth < 1)
    out->hidden[0] = -1;
}

/* A tenth to ten times the rate that the optimiser has by itself, where no range is given. */
static void draw_lr(const settings *s, int64_t i, settings *out)
{
  double own = bp_optimizer_lr(&(bp_optimizer){.kind = (bp_optimizer_kind)s->optimizer});
  span r = span_is_auto(&s->search_lr) ? (span){own / 10, own * 10} : s->search_lr;
  out->lr = rounded(by_factor(&r, drawn(s, i, 3)));
}

/* A decay that is apart from the gradient is that of a step as long as the learning rate, not of the gradient's size: so it is larger. */
static void draw_decay(const settings *s, int64_t i, settings *out)
{
  bool apart = s->optimizer == BP_OPTIMIZER_ADAMW || s->optimizer == BP_OPTIMIZER_LION;
  span r = span_is_auto(&s->search_decay) ? apart ? (span){1e-3, 2} : (span){1e-6, 1e-2} : s->search_decay;
  out->weight_decay = rounded(by_factor(&r, drawn(s, i, 4)));
}

static void draw_dropout(const settings *s, int64_t i, settings *out)
{
  bool layers = out->hidden[0] != -1;
  out->dropout = layers ? rounded(evenly(&s->search_dropout, drawn(s, i, 5))) : 0;
}

/* What is given as for `bprop train` is not searched. */
static const struct question {
  const char *option;
  bool layers; /* --model and --from answer it as well */
  void (*draw)(const settings *s, int64_t i, settings *out);
} questions[] = {
    {"hidden", true, draw_hidden},
    {"lr", false, draw_lr},
    {"weight-decay", false, draw_decay},
    {"dropout", true, draw_dropout},
};
enum { QUESTIONS = sizeof questions / sizeof *questions };

static bool is_open(const settings *s, const struct question *q)
{
  bool layers = settings_given(s, "model") || settings_given(s, "from");
  return !settings_given(s, q->option) && !(q->layers && layers);
}

enum { AUTO, HALVING, RANDOM }; /* --search */

int search_check(const settings *s)
{
  int open = 0;
  if (s->folds && s->search == HALVING)
    return fail(END_USAGE,
                "--search: with --folds each trial is trained to its end; halving goes by one split");
  for (int k = 0; k < QUESTIONS; k++)
    open += is_open(s, &questions[k]);
  return open ? END_DONE
              : fail(END_USAGE,
                     "nothing is left to search: --hidden, --lr, --weight-decay and --dropout are all given");
}

void search_draw(const settings *s, int64_t i, settings *out, unsigned char *given)
{
  *out = *s;
  out->given = given;
  memcpy(given, s->given, option_count);
  for (int k = 0; k < QUESTIONS && i > 1; k++)
    if (is_open(s, &questions[k])) {
      questions[k].draw(s, i, out);
      settings_mark(out, questions[k].option, true);
    }
}

/* ---- how long ---- */

int search_rungs(const settings *s)
{
  int n = 1;
  if (s->search == RANDOM || (s->search == AUTO && s->folds))
    return n;
  for (int64_t epochs = s->epochs; n < RUNGS && epochs > 1; n++)
    epochs = a_third(epochs);
  return n;
}

int64_t rung_epochs(const settings *s, int rung)
{
  int64_t epochs = s->epochs;
  for (int k = search_rungs(s) - 1; k > rung; k--)
    epochs = a_third(epochs);
  return epochs;
}
