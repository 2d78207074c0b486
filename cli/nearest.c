/* Distance of words: letters added, left out, changed or swapped with their neighbour. */
#include "nearest.h"

#include <stdio.h>
#include <string.h>

enum { LONGEST = 40 };

static int least(int a, int b)
{
  return a < b ? a : b;
}

static int distance(const char *a, const char *b)
{
  int n = (int)strlen(a), m = (int)strlen(b), d[LONGEST + 1][LONGEST + 1];
  if (n > LONGEST || m > LONGEST)
    return LONGEST;
  for (int i = 0; i <= n; i++)
    for (int j = 0; j <= m; j++) {
      if (i == 0 || j == 0) {
        d[i][j] = i + j;
        continue;
      }
      d[i][j] = least(least(d[i - 1][j], d[i][j - 1]) + 1, d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
    }
  return d[n][m];
}

nearest nearest_to(const char *word)
{
  return (nearest){word, NULL, 2 + (int)strlen(word) / 6};
}

void nearest_try(nearest *n, const char *candidate)
{
  int d = distance(n->word, candidate), most = (int)strlen(n->word);
  /* A word typed in part is near, however much is left out. */
  if (most >= 3 && strncmp(n->word, candidate, (size_t)most) == 0)
    d = 1;
  if (d < n->distance && d < most) {
    n->best = candidate;
    n->distance = d;
  }
}

const char *nearest_hint(const nearest *n, const char *prefix)
{
  static char text[128];
  text[0] = 0;
  if (n->best)
    snprintf(text, sizeof text, "; did you mean %s%s?", prefix, n->best);
  return text;
}
