/* From words to settings, by the table. */
#include "options.h"
#include "filekind.h"
#include "nearest.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BY_CONFIG = 1, BY_WORD = 2, CONFIG_MOST = 1 << 20 };

/* Where a value came from, for messages: "--lr" or "file:3: lr". */
typedef struct origin {
  char text[512];
  int rank;
} origin;

const command *command_find(const char *name)
{
  for (size_t i = 0; i < command_count; i++)
    if (!strcmp(commands[i].name, name))
      return &commands[i];
  return NULL;
}

static bool is_named(const option *o, const char *name, size_t n)
{
  return strlen(o->name) == n && !strncmp(o->name, name, n);
}

static const option *by_name(const char *name, size_t n);

/* The command's own, else another's of that name. */
static const option *named(const command *c, const char *name, size_t n)
{
  for (size_t i = 0; i < option_count; i++)
    if (is_named(&options[i], name, n) && option_of(&options[i], c))
      return &options[i];
  return by_name(name, n);
}

static const option *by_name(const char *name, size_t n)
{
  for (size_t i = 0; i < option_count; i++)
    if (is_named(&options[i], name, n))
      return &options[i];
  return NULL;
}

static const option *by_letter(char letter)
{
  for (size_t i = 0; i < option_count; i++)
    if (letter && options[i].letter == letter)
      return &options[i];
  return NULL;
}

unsigned command_also(const command *c)
{
  return c->bit == TUNE ? TRAIN : 0;
}

bool option_of(const option *o, const command *c)
{
  return (o->commands & (c->bit | command_also(c))) != 0;
}

/* ---- what an option takes, in words ---- */

const char *option_choice(const option *o, int i)
{
  static char text[64];
  const char *from = o->choices ? o->choices : "";
  for (; i > 0 && *from; i--) {
    from += strcspn(from, "|");
    from += *from == '|';
  }
  snprintf(text, sizeof text, "%.*s", (int)strcspn(from, "|"), from);
  return text;
}

const char *choice_text(const char *option_name, int i)
{
  return option_choice(by_name(option_name, strlen(option_name)), i);
}

static void append(char *text, size_t size, const char *more)
{
  size_t n = strlen(text);
  snprintf(text + n, size - n, "%s", more);
}

static const char *choices_in_words(const option *o)
{
  static char text[512];
  text[0] = 0;
  for (int i = 0; *option_choice(o, i); i++) {
    char one[64];
    snprintf(one, sizeof one, "%s", option_choice(o, i));
    if (i > 0)
      append(text, sizeof text, *option_choice(o, i + 1) ? ", " : " or ");
    append(text, sizeof text, one);
  }
  return text;
}

const char *option_range(const option *o)
{
  static char text[256];
  const char *or_auto = o->preset && !strcmp(o->preset, "auto") ? ", or auto" : "";
  switch (o->kind) {
  case OPTION_CHOICE:
    return choices_in_words(o);
  case OPTION_COUNT:
    snprintf(text, sizeof text, "a whole number from %.0f to %.0f%s", o->lo, o->hi, or_auto);
    return text;
  case OPTION_REAL:
    snprintf(text, sizeof text, "a number %s %g%s %g%s", o->lo_out ? "over" : "from", o->lo,
             o->lo_out   ? ", at most"
             : o->hi_out ? " and under"
                         : " to",
             o->hi, or_auto);
    return text;
  case OPTION_WIDTHS:
    return "up to 15 widths, as 256,128, or none, or auto";
  case OPTION_DELIMITER:
    return ", or ; or | or tab";
  case OPTION_SIZE:
    snprintf(text, sizeof text, "bytes, as 512M or 2G, from 1M%s", or_auto);
    return text;
  case OPTION_RANGE:
    snprintf(text, sizeof text, "LOW..HIGH, or one number, %s %g%s %g%s", o->lo_out ? "over" : "from", o->lo,
             o->hi_out ? " and under" : " to", o->hi, or_auto);
    return text;
  case OPTION_TIME:
    return "a time, as 90s, 10m, 1.5h or 2d";
  case OPTION_EVERY:
    return "steps, as 1000, or a time, as 90s, 10m or 2h, or 0 for never";
  case OPTION_PART:
    return "a file, or a share over 0 and under 1, as 0.25 or 25%, or 0 for none";
  default:
    return o->argument ? o->argument : "no argument";
  }
}

/* ---- values ---- */

/* A whole text as a number in the form that people write: no blanks, no hexadecimal, no nan. */
static bool a_number(const char *text, double *x)
{
  char *end;
  if (!*text || text[strspn(text, "0123456789+-.eE")])
    return false;
  *x = strtod(text, &end);
  return *end == 0 && end != text;
}

static bool in_range(const option *o, double x)
{
  return isfinite(x) && (o->lo_out ? x > o->lo : x >= o->lo) && (o->hi_out ? x < o->hi : x <= o->hi);
}

static bool whole(const char *text, double lo, double hi, int64_t *out)
{
  char *end;
  if (!*text || text[strspn(text, "0123456789+-")])
    return false;
  errno = 0;
  long long x = strtoll(text, &end, 10);
  *out = x;
  return !errno && *end == 0 && end != text && (double)x >= lo && (double)x <= hi;
}

static bool widths(const option *o, const char *text, int64_t *out)
{
  memset(out, 0, WIDTHS * sizeof *out);
  if (!strcmp(text, "none") || !strcmp(text, "0")) {
    out[0] = -1;
    return true;
  }
  for (int i = 0; i < WIDTHS - 1; i++) {
    char one[32];
    size_t n = strcspn(text, ",");
    if (n >= sizeof one)
      return false;
    snprintf(one, sizeof one, "%.*s", (int)n, text);
    if (!whole(one, o->lo, o->hi, &out[i]))
      return false;
    if (!text[n])
      return true;
    text += n + 1;
  }
  return false;
}

static bool choice(const option *o, const char *text, int *out)
{
  for (int i = 0; *option_choice(o, i); i++)
    if (!strcmp(option_choice(o, i), text)) {
      *out = i;
      return true;
    }
  return false;
}

/* Bytes, with K, M, G or T for powers of 1024. */
static bool a_size(const char *text, const option *o, int64_t *to)
{
  static const char letters[] = "KMGT";
  char number[64];
  double x;
  size_t n = strlen(text);
  const char *letter = n ? strchr(letters, text[n - 1] & ~0x20) : NULL;
  n -= letter != NULL;
  if (n == 0 || n >= sizeof number)
    return false;
  memcpy(number, text, n);
  number[n] = 0;
  if (!a_number(number, &x))
    return false;
  x = ldexp(x, letter ? 10 * (int)(letter - letters + 1) : 0);
  *to = x >= o->lo && x <= o->hi ? (int64_t)x : 0;
  return x >= o->lo && x <= o->hi;
}

static bool delimiter(const char *text, char *out)
{
  if (!strcmp(text, "tab") || !strcmp(text, "\\t"))
    text = "\t";
  *out = text[0];
  return text[0] && !text[1] && strchr(",;|\t", text[0]);
}

/* What looks like a number is a share; a file of such a name is written ./0.25. */
static bool a_part(const option *o, const char *text, part *out)
{
  char number[64];
  size_t n = strlen(text);
  double scale = n && text[n - 1] == '%' ? 0.01 : 1, x;
  if (n < sizeof number && snprintf(number, sizeof number, "%.*s", (int)(n - (scale < 1)), text) > 0 &&
      a_number(number, &x)) {
    out->fraction = x * scale;
    return out->n == 0 && in_range(o, out->fraction);
  }
  if (!n || out->n >= 2)
    return false;
  out->fraction = 0;
  out->files[out->n++] = text;
  return true;
}

static bool a_range(const option *o, const char *text, span *out)
{
  char low[64];
  const char *dots = strstr(text, "..");
  size_t n = dots ? (size_t)(dots - text) : strlen(text);
  if (n >= sizeof low)
    return false;
  snprintf(low, sizeof low, "%.*s", (int)n, text);
  return a_number(low, &out->lo) && a_number(dots ? dots + 2 : low, &out->hi) && in_range(o, out->lo) &&
         in_range(o, out->hi) && out->lo <= out->hi;
}

static bool a_time(const option *o, const char *text, double *out)
{
  static const char units[] = "smhd";
  static const double seconds[] = {1, 60, 3600, 86400};
  char number[64];
  size_t n = strlen(text);
  const char *unit = n ? strchr(units, text[n - 1]) : NULL;
  if (n >= sizeof number)
    return false;
  snprintf(number, sizeof number, "%.*s", (int)(n - (unit != NULL)), text);
  if (!a_number(number, out))
    return false;
  *out *= unit ? seconds[unit - units] : 1;
  return in_range(o, *out);
}

static bool an_every(const option *o, const char *text, how_often *out)
{
  *out = (how_often){0};
  return whole(text, o->lo, o->hi, &out->steps) || a_time(o, text, &out->seconds);
}

static bool store(settings *s, const option *o, const char *text)
{
  void *to = (char *)s + o->at;
  if (o->preset && !strcmp(text, "auto") && !strcmp(o->preset, "auto")) {
    if (o->kind == OPTION_REAL)
      *(double *)to = o->automatic;
    else if (o->kind == OPTION_RANGE)
      *(span *)to = AUTO_SPAN;
    else
      memset(to, 0,
             o->kind == OPTION_WIDTHS   ? WIDTHS * sizeof(int64_t)
             : o->kind == OPTION_CHOICE ? sizeof(int)
                                        : sizeof(int64_t));
    return true;
  }
  switch (o->kind) {
  case OPTION_FLAG:
    *(bool *)to = !strcmp(text, "yes");
    return *(bool *)to || !strcmp(text, "no");
  case OPTION_COUNT:
    return whole(text, o->lo, o->hi, to);
  case OPTION_REAL:
    return a_number(text, to) && in_range(o, *(double *)to);
  case OPTION_TEXT:
    *(const char **)to = text;
    return *text != 0;
  case OPTION_CHOICE:
    return choice(o, text, to);
  case OPTION_WIDTHS:
    return widths(o, text, to);
  case OPTION_DELIMITER:
    return delimiter(text, to);
  case OPTION_SIZE:
    return a_size(text, o, to);
  case OPTION_PART:
    return a_part(o, text, to);
  case OPTION_RANGE:
    return a_range(o, text, to);
  case OPTION_TIME:
    return a_time(o, text, to);
  case OPTION_EVERY:
    return an_every(o, text, to);
  }
  return false;
}

static int bad_value(const option *o, const origin *from, const char *text)
{
  nearest n = nearest_to(text);
  for (int i = 0; o->choices && *option_choice(o, i); i++) {
    static char words[32][64];
    snprintf(words[i % 32], sizeof words[0], "%s", option_choice(o, i));
    nearest_try(&n, words[i % 32]);
  }
  return fail(END_USAGE, "%s: '%s' is not what it takes: %s%s", from->text, text, option_range(o),
              nearest_hint(&n, ""));
}

static int set(settings *s, const option *o, const char *text, const origin *from)
{
  unsigned char *given = &s->given[o - options];
  part *p = o->kind == OPTION_PART ? (part *)(void *)((char *)s + o->at) : NULL;
  if (*given > from->rank)
    return 0;
  bool second_file = *given == from->rank && from->rank == BY_CONFIG && p && p->n == 1;
  if (*given == from->rank && !second_file)
    return fail(END_USAGE, "%s: given twice", from->text);
  if (p && !second_file)
    *p = (part){0};
  *given = (unsigned char)from->rank;
  return store(s, o, text) ? 0 : bad_value(o, from, text);
}

/* ---- words ---- */

/* Which commands have an option, as words. */
static const char *owners(const option *o)
{
  static char text[128];
  text[0] = 0;
  for (size_t i = 0; i < command_count; i++)
    if (option_of(o, &commands[i])) {
      append(text, sizeof text, *text ? ", " : "");
      append(text, sizeof text, commands[i].name);
    }
  return text;
}

/* word: the option as messages tell it; name: without dashes. */
static int unknown(const command *cmd, const char *word, const char *name, const option *of_others)
{
  bool dashes = word[0] == '-';
  nearest n = nearest_to(name);
  if (of_others)
    return fail(END_USAGE, "%s: no option of `bprop %s`, but of: %s", word, cmd->name, owners(of_others));
  for (size_t i = 0; i < option_count; i++)
    if (option_of(&options[i], cmd) && options[i].help)
      nearest_try(&n, options[i].name);
  const char *hint = nearest_hint(&n, dashes ? "--" : "");
  if (!*hint && dashes && word[1] != '-' && cmd->bit & EXPRESSIONS)
    return fail(END_USAGE,
                "%s: unknown option; a formula that begins with - comes after --: bprop %s -- '%s'", word,
                cmd->name, word);
  return fail(END_USAGE, "%s: unknown option%s (bprop help %s)", word, hint, cmd->name);
}

typedef struct words {
  int n, at;
  char **word;
} words;

static bool looks_like_option(const char *word)
{
  if (word[0] != '-' || !word[1])
    return false;
  if (word[1] != '-')
    return word[2] == 0 && by_letter(word[1]);
  size_t n = strcspn(word + 2, "=");
  return !n || by_name(word + 2, n);
}

/* The file of labels that goes with a file of images, `--test IMAGES LABELS`. */
static void second_file(settings *s, const option *o, words *w)
{
  part *p = (part *)(void *)((char *)s + o->at);
  if (p->n == 1 && w->at < w->n && file_kind_of(p->files[0]) != FILE_CSV &&
      (w->word[w->at][0] != '-' || !w->word[w->at][1]))
    p->files[p->n++] = w->word[w->at++];
}

static int with_argument(settings *s, const option *o, const char *argument, words *w, const origin *from)
{
  if (!argument && o->alone)
    return set(s, o, o->alone, from);
  if (!argument) {
    if (w->at >= w->n || looks_like_option(w->word[w->at]))
      return fail(END_USAGE, "%s: %s is missing: %s", from->text, o->argument, option_range(o));
    argument = w->word[w->at++];
  }
  int end = set(s, o, argument, from);
  if (!end && o->kind == OPTION_PART)
    second_file(s, o, w);
  return end;
}

static int long_option(settings *s, const char *word, words *w)
{
  size_t n = strcspn(word + 2, "=");
  const option *o = named(s->command, word + 2, n);
  const char *argument = word[2 + n] ? word + 2 + n + 1 : NULL;
  origin from = {.rank = BY_WORD};
  snprintf(from.text, sizeof from.text, "--%.*s", (int)n, word + 2);
  if (!o || !option_of(o, s->command))
    return unknown(s->command, from.text, from.text + 2, o);
  if (o->kind == OPTION_FLAG)
    return argument ? fail(END_USAGE, "%s: takes no argument", from.text) : set(s, o, "yes", &from);
  return with_argument(s, o, argument, w, &from);
}

/* -q, -j4, -qv: flags may share a dash; the first that takes an argument takes the rest. */
static int short_options(settings *s, const char *word, words *w)
{
  int end = 0;
  for (const char *c = word + 1; *c && !end; c++) {
    const option *o = by_letter(*c);
    origin from = {.rank = BY_WORD};
    snprintf(from.text, sizeof from.text, "-%c", *c);
    if (!o || !option_of(o, s->command))
      return unknown(s->command, c == word + 1 && !o ? word : from.text, word + 1, o);
    if (o->kind != OPTION_FLAG)
      return with_argument(s, o, c[1] ? c + 1 : NULL, w, &from);
    end = set(s, o, "yes", &from);
  }
  return end;
}

/* ---- configuration files ---- */

static char *trimmed(char *text)
{
  text += strspn(text, " \t\r");
  size_t n = strlen(text);
  while (n > 0 && strchr(" \t\r", text[n - 1]))
    text[--n] = 0;
  return text;
}

static int config_line(settings *s, char *line, const char *path, int number)
{
  origin from = {.rank = BY_CONFIG};
  char *equals = strchr(line, '=');
  line = trimmed(line);
  if (!*line || *line == '#')
    return 0;
  if (!equals)
    return fail(END_USAGE, "%s:%d: a line is `name = value`, and this one has no =", path, number);
  *equals = 0;
  char *name = trimmed(line);
  const option *o = named(s->command, name, strlen(name));
  snprintf(from.text, sizeof from.text, "%s:%d: %s", path, number, name);
  if (!o || !option_of(o, s->command) || !o->help || o->at == offsetof(settings, config))
    return unknown(s->command, from.text, name, NULL);
  return set(s, o, trimmed(equals + 1), &from);
}

static char *whole_file(const char *path)
{
  FILE *f = fopen(path, "re");
  char *text = f ? malloc(CONFIG_MOST + 1) : NULL;
  size_t n = text ? fread(text, 1, CONFIG_MOST + 1, f) : 0;
  bool good = text && !ferror(f) && n <= CONFIG_MOST && !memchr(text, 0, n);
  if (!good)
    fail(0, "%s: %s", path,
         !f || ferror(f) ? strerror(errno)
         : !text         ? "out of memory"
                         : "this is no configuration file");
  if (good)
    text[n] = 0;
  if (f)
    fclose(f);
  if (!good)
    free(text);
  return good ? text : NULL;
}

int settings_read(settings *s, char *text, const char *name)
{
  int end = 0, number = 0;
  for (char *line = text, *next; line && !end; line = next) {
    next = strchr(line, '\n');
    if (next)
      *next++ = 0;
    end = config_line(s, line, name, ++number);
  }
  return end;
}

static int read_config(settings *s)
{
  s->config_text = whole_file(s->config);
  return s->config_text ? settings_read(s, s->config_text, s->config) : END_USAGE;
}

int settings_adopt(settings *s, char *text, const char *name)
{
  for (size_t i = 0; i < option_count; i++)
    if (s->given[i] && !options[i].aside && !options[i].anew)
      return fail(
          END_USAGE,
          "--%s: a training that goes on keeps its options; --from %s begins another one from its weights",
          options[i].name, name);
  return settings_read(s, text, name);
}

/* ---- all of it ---- */

static int inputs_fit(const settings *s)
{
  const command *c = s->command;
  if (s->help || s->print_config)
    return 0;
  if (s->n_inputs < c->least && !s->resume) /* which brings its own */
    return fail(END_USAGE, "%s. usage: bprop %s [options] %s",
                s->n_inputs ? "an input is missing" : "nothing to work on", c->name, c->inputs);
  if (c->most >= 0 && s->n_inputs > c->most)
    return fail(END_USAGE, "'%s' is one input too many. usage: bprop %s [options] %s", s->inputs[c->most],
                c->name, c->inputs);
  return 0;
}

int settings_parse(settings *s, const command *cmd, int argc, char **argv)
{
  words w = {argc, 0, argv};
  int end = 0;
  bool only_inputs = false;
  *s = (settings){.command = cmd, .words = argv, .n_words = argc};
  s->inputs = calloc((size_t)argc + 1, sizeof *s->inputs);
  s->given = calloc(option_count, 1);
  if (!s->inputs || !s->given)
    return fail_memory();
  for (size_t i = 0; i < option_count; i++)
    if (options[i].preset)
      store(s, &options[i], options[i].preset);
  while (w.at < w.n && !end) {
    const char *word = w.word[w.at++];
    if (only_inputs || word[0] != '-' || !word[1])
      s->inputs[s->n_inputs++] = word;
    else if (!strcmp(word, "--"))
      only_inputs = true;
    else
      end = word[1] == '-' ? long_option(s, word, &w) : short_options(s, word, &w);
  }
  if (!end && s->config)
    end = read_config(s);
  return end ? end : inputs_fit(s);
}

void settings_free(settings *s)
{
  free(s->inputs);
  free(s->given);
  free(s->config_text);
}

void settings_mark(settings *s, const char *name, bool given)
{
  s->given[named(s->command, name, strlen(name)) - options] = given ? BY_WORD : 0;
}

bool settings_given(const settings *s, const char *name)
{
  const option *o = named(s->command, name, strlen(name));
  return o && s->given[o - options] != 0;
}
