/* Small matrices, with what their rows and columns are. Entries that are not stored, and so are 0 for every input, are dots. */
#include "matrix.h"
#include "show.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ROWS = 24, WIDEST = 100, LABEL = 48 };

/* "x[1,2]" for element k of a node. */
static void element_label(char *out, const char *name, bp_node n, int64_t k)
{
  bp_type t;
  int64_t at[BP_MAX_RANK] = {0};
  bp_node_type(n, &t);
  for (int i = t.rank - 1; i >= 0; i--) {
    at[i] = k % t.dims[i];
    k /= t.dims[i];
  }
  int used = snprintf(out, LABEL, "%.20s%s", name, t.rank ? "[" : "");
  for (int i = 0; i < t.rank; i++)
    used += snprintf(out + used, LABEL - (size_t)used, i ? ",%lld" : "%lld", (long long)at[i]);
  if (t.rank)
    snprintf(out + used, LABEL - (size_t)used, "]");
}

/* Labels of all elements of some nodes, joined. NULL when out of memory. */
static char (*labels_of(const bp_node *nodes, const char *const *names, size_t n, int64_t all))[LABEL]
{
  char(*label)[LABEL] = calloc((size_t)all + 1, sizeof *label);
  int64_t to = 0;
  for (size_t i = 0; label && i < n; i++)
    for (int64_t k = 0; k < bp_node_size(nodes[i]); k++)
      element_label(label[to++], names[i], nodes[i], k);
  return label;
}

static int widest(char (*label)[LABEL], int64_t n)
{
  int most = 0;
  for (int64_t i = 0; i < n; i++)
    most = (int)strlen(label[i]) > most ? (int)strlen(label[i]) : most;
  return most;
}

/* A NaN has no sign to a person. */
static const char *entry_text(const matrix *m, int64_t entry, char text[NUMBER_TEXT])
{
  double x = matrix_value(m, entry);
  snprintf(text, NUMBER_TEXT, "%.6g", isnan(x) ? fabs(x) : x);
  return text;
}

static int width_of(const matrix *m)
{
  int most = 1;
  char text[NUMBER_TEXT];
  for (int64_t k = 0; k < m->info.entries; k++) {
    int n = (int)strlen(entry_text(m, k, text));
    most = n > most ? n : most;
  }
  return most;
}

static void print_cells(const matrix *m, char (*row)[LABEL], char (*col)[LABEL], int left, int width)
{
  char text[NUMBER_TEXT];
  answer("%*s", left, "");
  for (int64_t j = 0; j < m->info.cols; j++)
    answer("  %*s", width, shown(col[j]));
  answer("\n");
  for (int64_t i = 0; i < m->info.rows; i++) {
    int64_t k = m->start[i];
    answer("%-*s", left, shown(row[i]));
    for (int64_t j = 0; j < m->info.cols; j++)
      if (k < m->start[i + 1] && m->col[k] == j)
        answer("  %*s", width, entry_text(m, k++, text));
      else
        answer("  %*s", width, ".");
    answer("\n");
  }
}

void matrix_print(const matrix *m)
{
  int64_t rows = m->info.rows, cols = m->info.cols;
  if (rows == 0 || cols == 0 || rows > MOST_ROWS || cols > WIDEST)
    return;
  bool square = m->info.hessian;
  char(*row)[LABEL] =
      square ? labels_of(m->by.nodes, m->by.names, m->by.n, rows) : labels_of(m->of, m->names, m->n_of, rows);
  char(*col)[LABEL] = labels_of(m->by.nodes, m->by.names, m->by.n, cols);
  if (row && col) {
    int left = widest(row, rows), width = width_of(m), wide = widest(col, cols);
    width = wide > width ? wide : width;
    if (left + cols * (width + 2) <= WIDEST)
      print_cells(m, row, col, left, width);
  }
  free(row);
  free(col);
}
