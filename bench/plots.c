/* Draws one of the plots of docs/performance.md, with bprop's own plotter. On standard input: a line "title|x label|y label|x log|y log"
 * (the last two 0 or 1), then for each series a line "= label|line, dashed, dotted or points", and its points, a line "x y" each.
 * Usage: plots FILE.svg */
#include "bprop.h"
#include "house/house.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SERIES = 8, POINTS = 100000, LINE = 1024 };

static char head[LINE], label[SERIES][LINE];
static bp_series series[SERIES];

/* The part of a line up to the next '|'; NULL at its end. */
static char *part(char **line)
{
  return strsep(line, "|");
}

static bp_stroke stroke_of(const char *word)
{
  static const char *const names[] = {"line", "dashed", "dotted", "points"};
  for (int i = 0; i < 4; i++)
    if (word && strcmp(word, names[i]) == 0)
      return (bp_stroke)i;
  return BP_STROKE_LINE;
}

static size_t read_series(void)
{
  char line[LINE];
  size_t n = 0;
  while (fgets(line, sizeof line, stdin)) {
    line[strcspn(line, "\n")] = 0;
    if (line[0] == '=' && n < SERIES) {
      strcpy(label[n], line + 2);
      char *rest = label[n];
      const char *name = part(&rest);
      series[n++] = (bp_series){.label = name,
                                .x = zeros(POINTS, sizeof(double)),
                                .y = zeros(POINTS, sizeof(double)),
                                .stroke = stroke_of(rest)};
      continue;
    }
    bp_series *s = n ? &series[n - 1] : NULL;
    if (s && s->n < POINTS && sscanf(line, "%lf %lf", (double *)s->x + s->n, (double *)s->y + s->n) == 2)
      s->n++;
  }
  return n;
}

int main(int argc, char **argv)
{
  if (argc != 2 || !fgets(head, sizeof head, stdin)) {
    fputs("usage: plots FILE.svg <POINTS\n", stderr);
    return 2;
  }
  head[strcspn(head, "\n")] = 0;
  char *rest = head;
  bp_plot_options o = {.width = 860, .height = 440};
  o.title = part(&rest);
  o.x_label = part(&rest);
  o.y_label = part(&rest);
  o.x_log = rest && atoi(part(&rest));
  o.y_log = rest && atoi(part(&rest));
  bp_ctx *ctx = bp_ctx_new(NULL);
  bp_picture *p = NULL;
  size_t n = read_series();
  bool good = bp_plot(ctx, &o, series, n, &p) == BP_OK && bp_picture_save(p, false, 1, argv[1]) == BP_OK;
  if (!good)
    fprintf(stderr, "plots: %s\n", bp_error());
  bp_picture_free(p);
  for (size_t i = 0; i < n; i++) {
    free((double *)series[i].x);
    free((double *)series[i].y);
  }
  bp_ctx_free(ctx);
  return good ? 0 : 1;
}
