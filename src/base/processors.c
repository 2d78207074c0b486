/* How many processors this process may use. */
#include "bprop.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

enum { MOST = 256, LINE = 1024, MOST_POSSIBLE = 1 << 20 };

/* First line of a file; "" where there is none. */
static const char *first_line(const char *path, char *line)
{
  FILE *f = fopen(path, "re");
  line[0] = 0;
  if (f && !fgets(line, LINE, f))
    line[0] = 0;
  if (f)
    fclose(f);
  return line;
}

/* Whole processors of a quota; MOST where there is no limit. What is left of a processor is not worth a thread: it would be stopped for the rest
 * of every period. */
static int whole(long long quota, long long period)
{
  if (quota <= 0 || period <= 0)
    return MOST;
  return quota / period < 1 ? 1 : quota / period < MOST ? (int)(quota / period) : MOST;
}

/* The quota of one group, in the files of the second version of control groups or the first. */
static int quota_of(const char *group, bool second)
{
  char path[LINE], line[LINE];
  long long quota = 0, period = 0;
  const char *root = second ? "/sys/fs/cgroup" : "/sys/fs/cgroup/cpu";
  if (second) {
    snprintf(path, sizeof path, "%s%s/cpu.max", root, group);
    return sscanf(first_line(path, line), "%lld %lld", &quota, &period) == 2 ? whole(quota, period) : MOST;
  }
  snprintf(path, sizeof path, "%s%s/cpu.cfs_quota_us", root, group);
  if (sscanf(first_line(path, line), "%lld", &quota) != 1)
    return MOST;
  snprintf(path, sizeof path, "%s%s/cpu.cfs_period_us", root, group);
  return sscanf(first_line(path, line), "%lld", &period) == 1 ? whole(quota, period) : MOST;
}

/* A group and those that it lies in: the least counts. */
static int least_quota(char *group, bool second)
{
  int least = MOST;
  for (;;) {
    int n = quota_of(group, second);
    least = n < least ? n : least;
    char *slash = strrchr(group, '/');
    if (!slash)
      return least;
    *slash = 0;
  }
}

/* Lines of /proc/self/cgroup are number:controllers:group. The second version has no controllers there. */
static int quota(void)
{
  char line[512];
  int least = MOST;
  FILE *f = fopen("/proc/self/cgroup", "re");
  while (f && fgets(line, sizeof line, f)) {
    char *controllers = strchr(line, ':'), *group = controllers ? strchr(controllers + 1, ':') : NULL;
    if (!group)
      continue;
    *group++ = 0;
    group[strcspn(group, "\n")] = 0;
    controllers++;
    if (*controllers && strncmp(controllers, "cpu", 3) != 0)
      continue;
    int n = least_quota(group, !*controllers);
    least = n < least ? n : least;
  }
  if (f)
    fclose(f);
  return least;
}

/* The kernel refuses a set that is smaller than its own, of all processors that the machine could have: a fixed cpu_set_t has room for 1,024. */
static int allowed(void)
{
  for (int room = CPU_SETSIZE; room <= MOST_POSSIBLE; room *= 2) {
    cpu_set_t *set = CPU_ALLOC((size_t)room);
    if (!set)
      return 1;
    const size_t bytes = CPU_ALLOC_SIZE((size_t)room);
    const bool known = sched_getaffinity(0, bytes, set) == 0, again = !known && errno == EINVAL;
    const int n = known ? CPU_COUNT_S(bytes, set) : 1;
    CPU_FREE(set);
    if (!again)
      return n;
  }
  return 1;
}

int bp_processors(void)
{
  int n = allowed(), most = quota();
  n = n > most ? most : n;
  return n < 1 ? 1 : n > MOST ? MOST : n;
}
