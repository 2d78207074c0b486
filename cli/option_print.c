/* What is in force, as text: a configuration file, or a command line. */
#include "options.h"
#include "shellwords.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* ---- values ---- */

static void print_widths(FILE *out, const int64_t *w)
{
  if (w[0] <= 0)
    fprintf(out, "%s", w[0] ? "none" : "auto");
  for (int i = 0; i < WIDTHS && w[i] > 0; i++)
    fprintf(out, i ? ",%lld" : "%lld", (long long)w[i]);
}

static void print_part(FILE *out, const option *o, const part *p)
{
  if (p->n == 0)
    fprintf(out, "%.15g", p->fraction);
  else
    fprintf(out, "%s", p->files[0]);
  if (p->n > 1)
    fprintf(out, "\n%s = %s", o->name, p->files[1]);
}

static void print_value(FILE *out, const settings *s, const option *o)
{
  const void *at = (const char *)s + o->at;
  bool may_auto = o->preset && !strcmp(o->preset, "auto");
  if (o->kind == OPTION_FLAG)
    fprintf(out, "%s", *(const bool *)at ? "yes" : "no");
  else if (o->kind == OPTION_COUNT && may_auto && *(const int64_t *)at == 0)
    fprintf(out, "auto");
  else if (o->kind == OPTION_COUNT)
    fprintf(out, "%lld", (long long)*(const int64_t *)at);
  else if (o->kind == OPTION_REAL && may_auto && *(const double *)at == o->automatic)
    fprintf(out, "auto");
  else if (o->kind == OPTION_REAL)
    fprintf(out, "%.15g", *(const double *)at);
  else if (o->kind == OPTION_CHOICE)
    fprintf(out, "%s", option_choice(o, *(const int *)at));
  else if (o->kind == OPTION_WIDTHS)
    print_widths(out, at);
  else if (o->kind == OPTION_SIZE && *(const int64_t *)at == 0)
    fprintf(out, "auto");
  else if (o->kind == OPTION_SIZE)
    fprintf(out, "%lld", (long long)*(const int64_t *)at);
  else if (o->kind == OPTION_DELIMITER)
    fprintf(out, *(const char *)at == '\t' ? "tab" : "%c", *(const char *)at);
  else if (o->kind == OPTION_PART)
    print_part(out, o, at);
  else if (o->kind == OPTION_RANGE && span_is_auto(at))
    fprintf(out, "auto");
  else if (o->kind == OPTION_RANGE)
    fprintf(out, "%.15g..%.15g", ((const span *)at)->lo, ((const span *)at)->hi);
  else if (o->kind == OPTION_EVERY && ((const how_often *)at)->seconds > 0)
    fprintf(out, "%.15gs", ((const how_often *)at)->seconds);
  else if (o->kind == OPTION_EVERY)
    fprintf(out, "%lld", (long long)((const how_often *)at)->steps);
  else if (o->kind == OPTION_TIME)
    fprintf(out, "%.15g", *(const double *)at);
  else
    fprintf(out, "%s", *(const char *const *)at);
}

/* ---- a configuration file ---- */

static bool is_setting(const option *o, const command *c)
{
  bool about_this_run = o->at == offsetof(settings, help) || o->at == offsetof(settings, config) ||
                        o->at == offsetof(settings, print_config);
  return option_of(o, c) && o->help && !about_this_run;
}

static void write_settings(const settings *s, const command *c, FILE *out)
{
  for (size_t i = 0; i < option_count; i++) {
    const option *o = &options[i];
    if (!is_setting(o, c))
      continue;
    if (o->kind == OPTION_TEXT && !*(const char *const *)(const void *)((const char *)s + o->at)) {
      fprintf(out, "# %s =\n", o->name);
      continue;
    }
    fprintf(out, "%s = ", o->name);
    print_value(out, s, o);
    fprintf(out, "\n");
  }
}

static void write_line(FILE *out, const settings *s, const option *o)
{
  fprintf(out, "%s = ", o->name);
  print_value(out, s, o);
  fprintf(out, "\n");
}

static void write_given(const settings *s, const command *c, FILE *out)
{
  for (size_t i = 0; i < option_count; i++)
    if (s->given[i] && is_setting(&options[i], c))
      write_line(out, s, &options[i]);
}

/* Not the presets: they are the program's, and may be others in another version, which then does not go on with this training. */
static void write_kept(const settings *s, const command *c, FILE *out)
{
  for (size_t i = 0; i < option_count; i++)
    if (s->given[i] && is_setting(&options[i], c) && !options[i].aside)
      write_line(out, s, &options[i]);
}

/* ---- a command line ---- */

static void write_words(FILE *out, const char *const *words, int n)
{
  for (int i = 0; i < n; i++) {
    fputc(' ', out);
    shell_word(out, words[i]);
  }
}

static void write_option(FILE *out, const settings *s, const option *o)
{
  char *value = NULL;
  size_t size;
  const part *p = (const part *)(const void *)((const char *)s + o->at);
  if (o->kind == OPTION_FLAG && !*(const bool *)((const char *)s + o->at))
    return;
  fprintf(out, " --%s", o->name);
  if (o->kind == OPTION_PART && p->n) {
    write_words(out, p->files, p->n);
    return;
  }
  FILE *text = o->kind == OPTION_FLAG ? NULL : open_memstream(&value, &size);
  if (!text)
    return;
  print_value(text, s, o);
  if (!fclose(text)) {
    fputc(o->alone ? '=' : ' ', out);
    shell_word(out, value);
  }
  free(value);
}

/* Files go before options, which could take them for theirs (`--test IMAGES LABELS`); a name that looks like an option goes last. */
static void write_command(const settings *s, const command *c, FILE *out)
{
  bool dashes = false;
  for (int i = 0; i < s->n_inputs; i++)
    dashes = dashes || (s->inputs[i][0] == '-' && s->inputs[i][1]);
  fprintf(out, "bprop %s", c->name);
  if (!dashes)
    write_words(out, s->inputs, s->n_inputs);
  for (size_t i = 0; i < option_count; i++)
    if (s->given[i] && option_of(&options[i], c) && options[i].at != offsetof(settings, config))
      write_option(out, s, &options[i]);
  if (dashes) {
    fputs(" --", out);
    write_words(out, s->inputs, s->n_inputs);
  }
}

/* ---- to a text ---- */

static char *to_text(const settings *s, const command *c,
                     void (*write)(const settings *s, const command *c, FILE *out))
{
  char *text = NULL;
  size_t n;
  FILE *out = open_memstream(&text, &n);
  if (!out)
    return NULL;
  write(s, c, out);
  bool good = !ferror(out);
  if (fclose(out) || !good) {
    free(text);
    return NULL;
  }
  return text;
}

char *settings_text(const settings *s)
{
  return to_text(s, s->command, write_settings);
}

char *settings_given_text(const settings *s)
{
  return to_text(s, s->command, write_given);
}

char *settings_kept(const settings *s)
{
  return to_text(s, s->command, write_kept);
}

char *settings_command(const settings *s, const command *c)
{
  return to_text(s, c, write_command);
}
