/* Files that a command writes: looked at before the work begins. */
#include "outfile.h"
#include "filekind.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_ROOM = 4096 };

static const char *split_path(const char *path, char *folder)
{
  const char *slash = strrchr(path, '/');
  snprintf(folder, PATH_ROOM, "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
  return slash ? slash + 1 : path;
}

bool same_path(const char *a, const char *b)
{
  char in[PATH_ROOM], to[PATH_ROOM];
  const char *x = split_path(a, in), *y = split_path(b, to);
  return !strcmp(a, b) || same_file(a, b) || (!strcmp(x, y) && same_file(in, to));
}

int out_check(const char *path, const char *what)
{
  struct stat st;
  char folder[PATH_ROOM];
  split_path(path, folder);
  if (!lstat(path, &st) && !S_ISREG(st.st_mode))
    return fail(END_RESOURCES, "%s: is %s, and will not be replaced by %s", path,
                S_ISDIR(st.st_mode)   ? "a folder"
                : S_ISLNK(st.st_mode) ? "a symbolic link"
                                      : "no regular file",
                what);
  if (stat(folder, &st))
    return fail(END_RESOURCES, "%s: %s: %s", path, folder, strerror(errno));
  if (!S_ISDIR(st.st_mode) || access(folder, W_OK | X_OK))
    return fail(END_RESOURCES, "%s: %s cannot be written to", path, folder);
  return END_DONE;
}

const char *trace_path(const settings *s)
{
  return s->profile && strcmp(s->profile, PROFILE_TABLE) != 0 ? s->profile : NULL;
}

/* `file` may be an input as it was typed: a path, - for standard input, or NAME=@FILE. */
static int trace_is_input(const char *trace, const char *file)
{
  const char *at = strstr(file, "=@");
  if (!same_path(trace, strcmp(file, "-") ? file : "/dev/stdin") && !(at && same_path(trace, at + 2)))
    return END_DONE;
  return fail(END_USAGE, "%s: is both input and output; name another file with --profile", trace);
}

int trace_is_not(const settings *s, const char *output)
{
  const char *trace = trace_path(s);
  if (!trace || !output || !same_path(trace, output))
    return END_DONE;
  return fail(END_USAGE, "%s: is both -o and --profile; name another file with one of them", trace);
}

int trace_check(const settings *s)
{
  const char *trace = trace_path(s);
  int end = trace_is_not(s, s->output);
  if (!trace)
    return END_DONE;
  for (int i = 0; i < s->n_inputs && !end; i++)
    end = trace_is_input(trace, s->inputs[i]);
  for (int i = 0; i < s->test.n && !end; i++)
    end = trace_is_input(trace, s->test.files[i]);
  for (int i = 0; i < s->valid.n && !end; i++)
    end = trace_is_input(trace, s->valid.files[i]);
  if (!end && s->config)
    end = trace_is_input(trace, s->config);
  return end ? end : out_check(trace, "a trace");
}
