/* The folder of a search: made, locked, removed. */
#include "tuning.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* "wine.tune-3" of the third study; without a history "wine.tune". */
int tuning_folder_name(tuning *t)
{
  size_t n = strlen(t->output), ending = strlen(".safetensors");
  char number[32] = "";
  if (n > ending && !strcmp(t->output + n - ending, ".safetensors"))
    n -= ending;
  if (t->id)
    snprintf(number, sizeof number, "-%lld", (long long)t->id);
  bool fits =
      snprintf(t->folder, sizeof t->folder, "%.*s.tune%s", (int)n, t->output, number) < (int)sizeof t->folder;
  return fits ? END_DONE : fail(END_USAGE, "-o: the name is too long");
}

/* A trial of a process that was killed ends by itself, once it has saved. */
static int lock(tuning *t)
{
  t->lock = open(t->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (t->lock < 0)
    return fail(END_RESOURCES, "%s: %s", t->folder, strerror(errno));
  if (flock(t->lock, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK) {
    say("%s: waiting for trials that are still at work", t->folder);
    while (flock(t->lock, LOCK_EX) && errno == EINTR)
      ;
  } /* a file system that has no locks does without */
  return END_DONE;
}

int tuning_folder_make(tuning *t)
{
  int end = tuning_folder_name(t);
  if (end)
    return end;
  if (!mkdir(t->folder, 0777) || (t->old.id && errno == EEXIST))
    return lock(t);
  return errno == EEXIST
             ? fail(END_RESOURCES,
                    "%s: is there already, from another search; remove it, or name another model with -o",
                    t->folder)
             : fail(END_RESOURCES, "%s: %s", t->folder, strerror(errno));
}

void tuning_folder_remove(tuning *t)
{
  for (int64_t i = 1; i <= t->n; i++)
    unlink(t->trial[i]->file);
  rmdir(t->folder);
  if (t->lock >= 0)
    close(t->lock);
  t->lock = -1;
}
