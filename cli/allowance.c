#include "allowance.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static int64_t least(int64_t a, int64_t b)
{
  return a < b ? a : b;
}

static int64_t of_machine(void)
{
  long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
  return pages > 0 && size > 0 ? (int64_t)pages * size : INT64_MAX;
}

static int64_t of_process(int what)
{
  struct rlimit r;
  return getrlimit(what, &r) == 0 && r.rlim_cur != RLIM_INFINITY && r.rlim_cur < INT64_MAX
             ? (int64_t)r.rlim_cur
             : INT64_MAX;
}

/* The number in a file; "max" and what cannot be read are no limit. */
static int64_t number_in(const char *path)
{
  long long x = 0;
  FILE *f = fopen(path, "re");
  int n = f ? fscanf(f, "%lld", &x) : 0;
  if (f)
    fclose(f);
  return n == 1 && x > 0 ? x : INT64_MAX;
}

/* The group that a line of /proc/self/cgroup names, and those around it. Version 2 has one line, "0::/path"; of version 1 that of the memory counts. */
static int64_t of_line(char *line)
{
  char path[4400];
  bool second = strncmp(line, "0::", 3) == 0, first = strstr(line, ":memory:") != NULL;
  char *group = strrchr(line, ':');
  int64_t most = INT64_MAX;
  line[strcspn(line, "\n")] = 0;
  while ((first || second) && group && group[1]) {
    snprintf(path, sizeof path, "/sys/fs/cgroup%s%s/%s", second ? "" : "/memory", group + 1,
             second ? "memory.max" : "memory.limit_in_bytes");
    most = least(most, number_in(path));
    char *slash = strrchr(group + 1, '/');
    if (!slash || !slash[1])
      break;
    slash[slash == group + 1] = 0;
  }
  return most;
}

static int64_t of_group(void)
{
  char line[4200];
  int64_t most =
      least(number_in("/sys/fs/cgroup/memory.max"), number_in("/sys/fs/cgroup/memory/memory.limit_in_bytes"));
  FILE *f = fopen("/proc/self/cgroup", "re");
  while (f && fgets(line, sizeof line, f))
    most = least(most, of_line(line));
  if (f)
    fclose(f);
  return most;
}

int64_t memory_allowed(void)
{
  int64_t process = least(of_process(RLIMIT_AS), of_process(RLIMIT_DATA));
  return least(of_machine(), least(of_group(), process));
}
