/* Whose run it is, and whether that process still lives. */
#include "history_db.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { A_DAY = 86400 };

double clock_now(void)
{
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* When a process was started, in ticks since the machine was: a number given again to another process has another. 0: it is gone. */
static int64_t born(int64_t pid)
{
  char path[64], text[1024];
  snprintf(path, sizeof path, "/proc/%lld/stat", (long long)pid);
  FILE *f = fopen(path, "re");
  size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;
  if (f)
    fclose(f);
  text[n] = 0;
  char *at = strrchr(text, ')'); /* the name before it may hold anything */
  if (!at || strlen(at) < 3 || at[2] == 'Z' || at[2] == 'X')
    return 0;
  for (int field = 2; field < 22 && at; field++)
    at = strchr(at + 1, ' ');
  return at ? strtoll(at, NULL, 10) : 0;
}

process_id process_self(void)
{
  process_id p = {.pid = getpid(), .born = born(getpid())};
  struct stat space = {0};
  char boot[64] = "";
  FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");
  if (f && !fgets(boot, sizeof boot, f))
    boot[0] = 0;
  if (f)
    fclose(f);
  boot[strcspn(boot, "\n")] = 0;
  stat("/proc/self/ns/pid", &space);
  snprintf(p.machine, sizeof p.machine, "%s/%llu", boot, (unsigned long long)space.st_ino);
  if (gethostname(p.host, sizeof p.host))
    p.host[0] = 0;
  p.host[sizeof p.host - 1] = 0;
  return p;
}

bool process_lives(const process_id *p, double heard)
{
  process_id self = process_self();
  if (!strcmp(p->machine, self.machine))
    return p->born > 0 && born(p->pid) == p->born;
  return strcmp(p->host, self.host) != 0 && clock_now() - heard < A_DAY;
}
