/* Help, the manual page and completion, all from the tables of commands and options. */
#include "cmd.h"
#include "nearest.h"

#include <stdio.h>
#include <string.h>

enum { WIDE = 80, INDENT = 26 };

static const char *const endings[][2] = {
    {"0", "done"},
    {"1", "a check failed"},
    {"2", "usage: an option, command or value that does not exist or make sense"},
    {"3", "data: a file that cannot be read or does not fit"},
    {"4", "model file: it cannot be read, is damaged, or does not fit"},
    {"5", "training diverged: a loss or gradient was NaN or infinite"},
    {"6", "out of memory, disk full, or a path that cannot be written"},
    {"130", "interrupted by Ctrl-C, and saved (143: by SIGTERM)"},
};

static const char *const variables[][2] = {
    {"BPROP_LOG",
     "0 to 5: how much the library tells on standard error of what it does; 0 is nothing, 5 is everything"},
    {"BPROP_ISA",
     "base, avx2, avx512 or neon: instruction set to use instead of the best one that the machine has"},
    {"BPROP_PASSES", "passes of the compiler that are on, by commas: all or none, then names to add or, with "
                     "a minus, to take away, as in "
                     "all,-fuse. For finding faults: results have the same bits either way"},
    {"NO_COLOR", "if it is set, no colours on a terminal"},
    {"CC",
     "compiler of --jit, as a name or a whole path without arguments; else cc, gcc or clang is looked for"},
    {"PATH", "where --jit looks for the compiler; without it nothing is compiled"},
    {"XDG_CACHE_HOME", "where the folder bprop with the compiled code lies, instead of ~/.cache"},
    {"XDG_DATA_HOME", "where the folder bprop with the history of runs lies, instead of ~/.local/share"},
    {"TMPDIR", "where --jit compiles if there is no such folder, instead of /tmp"},
};

static const char *const files[][2] = {
    {"~/.local/share/bprop/runs.db",
     "the history of runs, an SQLite database; it may be removed at any time (bprop runs)"},
    {"~/.cache/bprop",
     "code that --jit compiled, at most 256 files and 256 MB; it may be removed at any time"},
};

/* ---- help ---- */

/* Text with lines of at most WIDE columns; `at` is the column that the first begins in. */
static void wrap(const char *text, int indent, int at)
{
  for (const char *word = text; *word;) {
    int n = (int)strcspn(word, " ");
    if (at > indent && at + 1 + n > WIDE) {
      answer("\n%*s", indent, "");
      at = indent;
    }
    answer("%s%.*s", at > indent ? " " : "", n, word);
    at += n + (at > indent);
    word += n + strspn(word + n, " ");
  }
  answer("\n");
}

static void paragraphs(const char *text)
{
  while (*text) {
    const char *end = strstr(text, "\n\n");
    char one[2048];
    snprintf(one, sizeof one, "%.*s", end ? (int)(end - text) : (int)strlen(text), text);
    wrap(one, 0, 0);
    answer("\n");
    text = end ? end + 2 : text + strlen(text);
  }
}

static void full_help(const option *o, char *text, size_t size)
{
  bool tells = o->preset && o->kind != OPTION_FLAG && strcmp(o->preset, "0") != 0;
  snprintf(text, size, "%s%s%s%s", o->help, tells ? " [" : "", tells ? o->preset : "", tells ? "]" : "");
  if (o->kind == OPTION_CHOICE && strlen(option_range(o)) < 200) {
    size_t n = strlen(text);
    snprintf(text + n, size - n, ": %s", option_range(o));
  }
}

static void help_option(const option *o)
{
  char left[64], text[1024];
  int n = o->letter ? snprintf(left, sizeof left, "  -%c", o->letter) : snprintf(left, sizeof left, "    ");
  n += snprintf(left + n, sizeof left - (size_t)n, "%s --%s%s%s%s", o->letter ? "," : " ", o->name,
                o->alone      ? "[="
                : o->argument ? " "
                              : "",
                o->argument ? o->argument : "", o->alone ? "]" : "");
  answer("%s", left);
  if (n >= INDENT)
    answer("\n");
  answer("%*s", n >= INDENT ? INDENT : INDENT - n, "");
  full_help(o, text, sizeof text);
  wrap(text, INDENT, INDENT);
}

static void help_examples(const char *text)
{
  answer("Examples\n");
  for (const char *line = text; *line;) {
    int n = (int)strcspn(line, "\n");
    answer("  %.*s\n", n, line);
    line += n + (line[n] == '\n');
  }
}

static void help_command(const command *c)
{
  answer("usage: bprop %s [options] %s\n\n", c->name, c->inputs);
  paragraphs(c->text);
  answer("Options\n");
  for (size_t i = 0; i < option_count; i++)
    if ((options[i].commands & c->bit) && options[i].help)
      help_option(&options[i]);
  for (size_t i = 0; i < command_count; i++)
    if (commands[i].bit & command_also(c))
      answer("\nAnd all options of bprop %s.\n", commands[i].name);
  answer("\n");
  help_examples(c->examples);
}

static void pairs(const char *title, const char *const (*list)[2], size_t n)
{
  int indent = 8;
  for (size_t i = 0; i < n; i++)
    indent = (int)strlen(list[i][0]) + 4 > indent ? (int)strlen(list[i][0]) + 4 : indent;
  answer("\n%s\n", title);
  for (size_t i = 0; i < n; i++) {
    answer("  %-*s", indent - 2, list[i][0]);
    wrap(list[i][1], indent, indent);
  }
}

#define PAIRS(title, list) pairs(title, list, sizeof list / sizeof *list)

void help_print(const command *c)
{
  if (c) {
    help_command(c);
    return;
  }
  answer("bprop %s: train neural networks by backpropagation, and look inside\n\nusage: bprop COMMAND "
         "[options] INPUT...\n\nCommands\n",
         bp_version());
  for (size_t i = 0; i < command_count; i++)
    answer("  %-10s%s\n", commands[i].name, commands[i].summary);
  answer("\nbprop help COMMAND explains one.\n");
  PAIRS("Exit status", endings);
  PAIRS("Environment", variables);
  PAIRS("Files", files);
}

/* ---- the manual page ---- */

static void roff(const char *text)
{
  for (const char *c = text; *c; c++) {
    if (*c == '\\')
      answer("\\e");
    else if (*c == '-')
      answer("\\-");
    else if ((*c == '.' || *c == '\'') && (c == text || c[-1] == '\n'))
      answer("\\&%c", *c);
    else if (*c == '\n' && c[1] == '\n')
      answer("\n.PP\n"), c++;
    else
      answer("%c", *c);
  }
}

static void man_option(const option *o)
{
  char text[1024];
  answer(".TP\n");
  if (o->letter)
    answer("\\fB\\-%c\\fR, ", o->letter);
  answer("\\fB\\-\\-");
  roff(o->name);
  answer("\\fR");
  if (o->argument)
    answer("%s\\fI%s\\fR%s", o->alone ? "[=" : " ", o->argument, o->alone ? "]" : "");
  answer("\n");
  full_help(o, text, sizeof text);
  roff(text);
  answer(".\n");
}

static void man_command(const command *c)
{
  answer(".SS bprop %s [options] ", c->name);
  roff(c->inputs);
  answer("\n");
  roff(c->text);
  answer("\n");
  for (size_t i = 0; i < option_count; i++)
    if ((options[i].commands & c->bit) && options[i].help && options[i].commands != EVERY)
      man_option(&options[i]);
  for (size_t i = 0; i < command_count; i++)
    if (commands[i].bit & command_also(c))
      answer(".PP\nAnd all options of bprop %s.\n", commands[i].name);
  answer(".PP\nExamples:\n.PP\n.nf\n");
  roff(c->examples);
  answer("\n.fi\n");
}

static void man_pairs(const char *title, const char *const (*list)[2], size_t n)
{
  answer(".SH %s\n", title);
  for (size_t i = 0; i < n; i++) {
    answer(".TP\n\\fB%s\\fR\n", list[i][0]);
    roff(list[i][1]);
    answer(".\n");
  }
}

static void man_page(void)
{
  answer(
      ".\\\" Made by `bprop help --man`; do not edit.\n.TH BPROP 1 \"\" \"bprop %s\" \"bprop\"\n.SH NAME\n",
      bp_version());
  answer("bprop \\- train neural networks by backpropagation, and look inside\n.SH SYNOPSIS\n\\fBbprop\\fR "
         "\\fICOMMAND\\fR [options] "
         "\\fIINPUT\\fR...\n.SH DESCRIPTION\n");
  roff("The answer goes to standard output, talk and progress to standard error. A progress bar is shown "
       "only where standard error is a terminal, "
       "else one line for each epoch. No command touches the network or asks a question.");
  answer("\n.SH COMMANDS\n");
  for (size_t i = 0; i < command_count; i++)
    man_command(&commands[i]);
  answer(".SH OPTIONS OF EVERY COMMAND\n");
  for (size_t i = 0; i < option_count; i++)
    if (options[i].commands == EVERY)
      man_option(&options[i]);
  man_pairs("EXIT STATUS", endings, sizeof endings / sizeof *endings);
  man_pairs("ENVIRONMENT", variables, sizeof variables / sizeof *variables);
  answer(".PP\nThe passes, in the order they run:");
  for (int i = 0; i < BP_PASS_COUNT; i++)
    answer("%s %s", i ? "," : "", bp_pass_name((bp_pass)i));
  answer(".\n");
  man_pairs("FILES", files, sizeof files / sizeof *files);
  answer(".PP\nModels are safetensors files; the network is described in their metadata.\n");
}

/* ---- completion ---- */

static void bash_choices(const command *c)
{
  for (size_t i = 0; i < option_count; i++) {
    const option *o = &options[i];
    if (!option_of(o, c) || o->kind != OPTION_CHOICE)
      continue;
    answer("    %s:--%s) words='", c->name, o->name);
    for (int k = 0; *option_choice(o, k); k++)
      answer(k ? " %s" : "%s", option_choice(o, k));
    answer("' ;;\n");
  }
}

static void bash_words(const command *c)
{
  answer("    %s:-*) words='", c->name);
  bool first = true;
  for (size_t i = 0; i < option_count; i++)
    if (option_of(&options[i], c) && options[i].help) {
      answer(first ? "--%s" : " --%s", options[i].name);
      first = false;
    }
  answer("' ;;\n");
}

static void bash_completion(void)
{
  answer("# Completion of bprop for bash. Made by `bprop help --completion bash`.\n_bprop()\n{\n");
  answer(
      "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} words=\n  COMPREPLY=()\n");
  answer("  case $COMP_CWORD in\n  1)\n    words='");
  for (size_t i = 0; i < command_count; i++)
    answer(i ? " %s" : "%s", commands[i].name);
  answer("'\n    ;;\n  *)\n    case ${COMP_WORDS[1]}:$before in\n");
  for (size_t i = 0; i < command_count; i++)
    bash_choices(&commands[i]);
  answer("    *)\n      case ${COMP_WORDS[1]}:$word in\n");
  for (size_t i = 0; i < command_count; i++)
    bash_words(&commands[i]);
  answer("    ops:*) words=$(bprop ops -q 2>/dev/null | cut -d' ' -f1) ;;\n    help:*) words='");
  for (size_t i = 0; i < command_count; i++)
    answer(i ? " %s" : "%s", commands[i].name);
  answer("' ;;\n      esac\n      ;;\n    esac\n    ;;\n  esac\n");
  answer("  [ -z \"$words\" ] || mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n}\n");
  answer("complete -o default -F _bprop bprop\n");
}

int cmd_help(const settings *s)
{
  const command *c = NULL;
  if (s->man || s->completion) {
    if (s->man)
      man_page();
    else
      bash_completion();
    return END_DONE;
  }
  if (s->n_inputs && !(c = command_find(s->inputs[0]))) {
    nearest n = nearest_to(s->inputs[0]);
    for (size_t i = 0; i < command_count; i++)
      nearest_try(&n, commands[i].name);
    return fail(END_USAGE, "no command is called '%s'%s", s->inputs[0], nearest_hint(&n, ""));
  }
  help_print(c);
  return END_DONE;
}
