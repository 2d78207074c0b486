/* The program: finds the command, reads the options, sees the answer off. */
#include "cmd.h"
#include "context.h"
#include "nearest.h"
#include "outfile.h"

#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

static const command *named(const char *word)
{
  if (!strcmp(word, "--help") || !strcmp(word, "-h"))
    return command_find("help");
  if (!strcmp(word, "--version") || !strcmp(word, "-V"))
    return command_find("version");
  return command_find(word);
}

static int unknown_command(const char *word)
{
  nearest n = nearest_to(word);
  for (size_t i = 0; i < command_count; i++)
    nearest_try(&n, commands[i].name);
  if (word[0] == '-')
    return fail(END_USAGE, "the command comes first: bprop COMMAND [options] INPUT... (bprop help)");
  return fail(END_USAGE, "no command is called '%s'%s (bprop help)", word, nearest_hint(&n, ""));
}

static int print_settings(const settings *s)
{
  char *text = settings_text(s);
  if (!text)
    return fail_memory();
  answer("%s", text);
  free(text);
  return END_DONE;
}

static int run(const command *cmd, int argc, char **argv)
{
  settings s;
  int end = settings_parse(&s, cmd, argc, argv);
  if (s.quiet)
    say_be_quiet();
  if (!end && s.help)
    help_print(cmd);
  else if (!end && s.print_config)
    end = print_settings(&s);
  else if (!end && !(end = context_check()) && !(end = trace_check(&s)))
    end = cmd->run(&s);
  settings_free(&s);
  return end;
}

int main(int argc, char **argv)
{
  say_start();
  setlocale(LC_CTYPE,
            ""); /* for the look of the progress bar alone: numbers are written and read as in C everywhere */
  if (argc < 2)
    return fail(END_USAGE, "which command? bprop help lists them");
  const command *cmd = named(argv[1]);
  return answer_end(cmd ? run(cmd, argc - 2, argv + 2) : unknown_command(argv[1]));
}
