#include "textgrid.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void grid_cell(textgrid *g, const char *fmt, ...)
{
  char text[512];
  va_list va;
  va_start(va, fmt);
  vsnprintf(text, sizeof text, fmt, va);
  va_end(va);
  if (g->n == g->room) {
    size_t room = g->room ? 2 * g->room : 64;
    char **more = realloc(g->cell, room * sizeof *more);
    if (!more) {
      g->failed = true;
      return;
    }
    g->cell = more;
    g->room = room;
  }
  g->cell[g->n] = strdup(shown(text));
  if (g->cell[g->n])
    g->n++;
  else
    g->failed = true;
}

/* Characters, not bytes. */
static int width_of(const char *text)
{
  int n = 0;
  for (; *text; text++)
    n += ((unsigned char)*text & 0xC0) != 0x80;
  return n;
}

static void print_row(const textgrid *g, char *const *cell, const int *wide)
{
  size_t rights = g->right ? strlen(g->right) : 0;
  for (int c = 0; c < g->columns; c++) {
    bool right = (size_t)c < rights && g->right[c] == 'r', last = c == g->columns - 1;
    int pad = wide[c] - width_of(cell[c]);
    answer("%s%*s%s%*s", c ? "  " : "", right ? pad : 0, "", cell[c], right || last ? 0 : pad, "");
  }
  answer("\n");
}

int grid_print(const textgrid *g)
{
  int wide[GRID_COLUMNS] = {0};
  size_t columns = (size_t)g->columns;
  for (size_t i = 0; i < g->n; i++)
    if (width_of(g->cell[i]) > wide[i % columns])
      wide[i % columns] = width_of(g->cell[i]);
  for (size_t i = 0; i + columns <= g->n && !g->failed && answer_goes_on(); i += columns)
    print_row(g, g->cell + i, wide);
  return g->failed ? fail_memory() : END_DONE;
}

void grid_free(textgrid *g)
{
  for (size_t i = 0; i < g->n; i++)
    free(g->cell[i]);
  free(g->cell);
  *g = (textgrid){0};
}
