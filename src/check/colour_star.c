/* Star colouring of a symmetric matrix: neighbours differ, and every path of four vertices has at least three colours. Then an entry
 * (v, w) can be read off the sweep of w's colour in row v, or of v's colour in row w.
 * Sources: Coleman & Moré 1984; Gebremedhin, Manne & Pothen 2005; Gebremedhin, Tarafdar, Manne & Pothen 2007.
 *
 * Each vertex keeps a list of the colours among its neighbours, so that a vertex with very many neighbours is not looked through for
 * each of them: the cost is about the edges times the colours. */
#include "check/colour.h"

#include <string.h>

/* A colour among the neighbours of a vertex w. */
typedef struct hue {
  int64_t colour;
  int64_t one; /* a neighbour that has it */
  bool many;   /* there are others */
  /* w is coloured too, and a neighbour of this colour has another neighbour of w's colour: a new neighbour of w may not have it. */
  bool closed;
} hue;

typedef struct stars {
  const bpi_csr *p;
  int64_t *colour;
  hue *hues; /* of vertex v: hues[p->start[v]] and on */
  int64_t *n_hues;
  int64_t *taken; /* taken[c] == v + 1: v may not have c */
  int64_t *twice; /* twice[c] == v + 1: several neighbours of v have c */
  double work, most_work;
} stars;

static hue *find_hue(stars *s, int64_t v, int64_t colour)
{
  hue *h = s->hues + s->p->start[v];
  for (int64_t k = 0; k < s->n_hues[v]; k++)
    if (h[k].colour == colour)
      return &h[k];
  return NULL;
}

/* What the coloured neighbour w forbids v. */
static void forbid(stars *s, int64_t v, int64_t w)
{
  int64_t b = s->colour[w];
  const hue *h = s->hues + s->p->start[w];
  s->taken[b] = v + 1;
  for (int64_t k = 0; k < s->n_hues[w]; k++)
    if (h[k].closed || s->twice[b] == v + 1)
      s->taken[h[k].colour] = v + 1;
  s->work += (double)s->n_hues[w];
}

static int64_t star_fit(stars *s, int64_t v)
{
  const hue *h = s->hues + s->p->start[v];
  for (int64_t k = 0; k < s->n_hues[v]; k++)
    if (h[k].many)
      s->twice[h[k].colour] = v + 1;
  for (int64_t e = s->p->start[v]; e < s->p->start[v + 1]; e++)
    if (s->p->col[e] != v && s->colour[s->p->col[e]] >= 0)
      forbid(s, v, s->p->col[e]);
  int64_t c = 0;
  while (s->taken[c] == v + 1)
    c++;
  return c;
}

/* The neighbour w of v learns that v has the colour c. */
static void tell(stars *s, int64_t w, int64_t v, int64_t c)
{
  hue *h = find_hue(s, w, c);
  int64_t d = s->colour[w];
  s->work += (double)s->n_hues[w];
  if (!h) {
    s->hues[s->p->start[w] + s->n_hues[w]++] = (hue){c, v, false, false};
    return;
  }
  if (d >= 0) { /* w is between v and others of v's colour */
    find_hue(s, v, d)->closed = true;
    if (!h->many)
      find_hue(s, h->one, d)->closed = true;
  }
  h->many = true;
}

static void give_colour(stars *s, int64_t v, int64_t c)
{
  const bpi_csr *p = s->p;
  s->colour[v] = c;
  for (int64_t e = p->start[v]; e < p->start[v + 1]; e++)
    if (p->col[e] != v)
      tell(s, p->col[e], v, c);
  /* v is between neighbours of one colour. */
  for (int64_t e = p->start[v]; e < p->start[v + 1]; e++) {
    int64_t w = p->col[e];
    if (w != v && s->colour[w] >= 0 && s->twice[s->colour[w]] == v + 1)
      find_hue(s, w, c)->closed = true;
  }
}

/* Number of colours, or `most`: not enough, or too much work. */
static int64_t star_in_order(stars *s, const int64_t *order, int64_t most)
{
  size_t n = (size_t)s->p->rows;
  int64_t found = 0;
  memset(s->n_hues, 0, n * sizeof *s->n_hues);
  memset(s->taken, 0, (n + 1) * sizeof *s->taken);
  memset(s->twice, 0, (n + 1) * sizeof *s->twice);
  for (size_t v = 0; v < n; v++)
    s->colour[v] = -1;
  s->work = 0;
  for (size_t at = 0; at < n; at++) {
    int64_t v = order[at];
    if (s->p->start[v] == s->p->start[v + 1])
      continue;
    int64_t c = star_fit(s, v);
    if (c + 1 >= most || s->work > s->most_work)
      return most;
    give_colour(s, v, c);
    found = c + 1 > found ? c + 1 : found;
  }
  return found;
}

static bp_status stars_init(bpi_arena *a, stars *s, const bpi_csr *p)
{
  size_t n = (size_t)p->rows + 1;
  *s = (stars){.p = p, .most_work = 1e8 + 256.0 * (double)bpi_csr_entries(p)};
  s->colour = bpi_arena_alloc(a, n, sizeof *s->colour);
  s->hues = bpi_arena_alloc(a, (size_t)bpi_csr_entries(p) + 1, sizeof *s->hues);
  s->n_hues = bpi_arena_alloc(a, n, sizeof *s->n_hues);
  s->taken = bpi_arena_alloc(a, n, sizeof *s->taken);
  s->twice = bpi_arena_alloc(a, n, sizeof *s->twice);
  return s->colour && s->hues && s->n_hues && s->taken && s->twice ? BP_OK : bpi_nomem();
}

/* Each vertex is on one line, which holds its neighbours: so the orders count plain degrees. */
static bp_status neighbours(bpi_arena *a, const bpi_csr *p, bpi_lines *l)
{
  size_t n = (size_t)p->rows;
  *l = (bpi_lines){.n_items = p->rows, .n_lines = p->rows};
  l->start = bpi_arena_alloc(a, n + 1, sizeof *l->start);
  l->item = bpi_arena_alloc(a, (size_t)bpi_csr_entries(p) + 1, sizeof *l->item);
  l->own = bpi_arena_alloc(a, n + 1, sizeof *l->own);
  l->first = bpi_arena_alloc(a, n + 1, sizeof *l->first);
  l->line = bpi_arena_alloc(a, n + 1, sizeof *l->line);
  if (!l->start || !l->item || !l->own || !l->first || !l->line)
    return bpi_nomem();
  for (int64_t v = 0, to = 0; v < p->rows; v++) {
    for (int64_t e = p->start[v]; e < p->start[v + 1]; e++)
      if (p->col[e] != v)
        l->item[to++] = p->col[e];
    l->own[v] = to - l->start[v];
    l->start[v + 1] = to;
    l->line[v] = 2 * v;
    l->first[v + 1] = v + 1;
  }
  return BP_OK;
}

/* Colouring by columns alone serves too, and is cheap where rows are alike: blocks, a dense matrix. */
static bp_status by_columns(bpi_arena *a, const bpi_csr *p, int64_t most, int64_t *colour, int64_t *n)
{
  bpi_arena_mark here = bpi_arena_here(a);
  bpi_lines l;
  bp_status s = bpi_lines_new(a, p, NULL, 0, &l);
  if (s == BP_OK)
    s = bpi_lines_colour(a, &l, bpi_csr_longest(p), most, colour, n);
  bpi_arena_rollback(a, here);
  return s;
}

static bp_status best_star(bpi_arena *a, const bpi_csr *p, int64_t *best, int64_t *n)
{
  bpi_lines l;
  stars st;
  int64_t *order = bpi_arena_alloc(a, (size_t)p->rows + 1, sizeof *order);
  bp_status s = order ? neighbours(a, p, &l) : bpi_nomem();
  if (s == BP_OK)
    s = stars_init(a, &st, p);
  int64_t least = s == BP_OK && l.start[p->rows] ? 2 : 1;
  for (int kind = BPI_NATURAL; s == BP_OK && kind<BPI_ORDERS && * n> least; kind++) {
    s = bpi_lines_order(a, &l, (bpi_order)kind, order);
    int64_t got = s == BP_OK ? star_in_order(&st, order, *n) : *n;
    if (got < *n)
      memcpy(best, st.colour, (size_t)p->rows * sizeof *best);
    *n = got;
    if (st.work > st.most_work)
      break;
  }
  return s;
}

/* ---- reading off ---- */

typedef struct reading {
  const bpi_csr *p;
  const int64_t *colour;
  int64_t *count;   /* of the row in hand: entries of each colour */
  uint8_t *alone;   /* of entry (v, w): no other entry of row v has w's colour */
  int64_t *partner; /* of entry (v, w): the number of (w, v) */
  int64_t *number;  /* of each colour in use, from 1; 0: not in use (yet) */
} reading;

static void find_alone(reading *r)
{
  const bpi_csr *p = r->p;
  for (int64_t v = 0; v < p->rows; v++) {
    for (int64_t e = p->start[v]; e < p->start[v + 1]; e++)
      r->count[r->colour[p->col[e]]]++;
    for (int64_t e = p->start[v]; e < p->start[v + 1]; e++)
      r->alone[e] = r->count[r->colour[p->col[e]]] == 1;
    for (int64_t e = p->start[v]; e < p->start[v + 1]; e++)
      r->count[r->colour[p->col[e]]] = 0;
  }
}

/* An entry of the upper triangle is read off where it must be; where there is a choice, from a sweep that is made anyhow. */
static void read_pairs(reading *r, bool forced, bpi_colouring *out)
{
  const bpi_csr *p = r->p;
  for (int64_t v = 0; v < p->rows; v++)
    for (int64_t e = p->start[v]; e < p->start[v + 1]; e++) {
      int64_t w = p->col[e], mate = r->partner[e];
      bool here = r->alone[e], there = r->alone[mate];
      if (w < v || forced != (w == v || !here || !there))
        continue;
      if (here && there)
        here = r->number[r->colour[w]] || !r->number[r->colour[v]];
      int64_t c = here ? r->colour[w] : r->colour[v];
      r->number[c] = 1;
      out->sweep[e] = out->sweep[mate] = (int32_t)c;
      out->element[e] = out->element[mate] = (int32_t)(here ? v : w);
    }
}

/* Colours that nothing is read off are dropped. */
static void renumber(reading *r, int64_t n, bpi_colouring *out)
{
  int64_t used = 0;
  for (int64_t c = 0; c < n; c++)
    r->number[c] = r->number[c] ? ++used : 0;
  for (int64_t e = 0; e < bpi_csr_entries(r->p); e++)
    out->sweep[e] = (int32_t)r->number[out->sweep[e]] - 1;
  for (int64_t v = 0; v < r->p->rows; v++)
    out->of_col[v] = out->of_col[v] < 0 ? -1 : r->number[out->of_col[v]] - 1;
  out->forward = used;
}

static bp_status read_off(bpi_arena *a, const bpi_csr *p, int64_t n, bpi_colouring *out)
{
  size_t entries = (size_t)bpi_csr_entries(p) + 1;
  bpi_csr t;
  reading r = {.p = p, .colour = out->of_col};
  out->sweep = bpi_arena_alloc(a, entries, sizeof *out->sweep);
  out->element = bpi_arena_alloc(a, entries, sizeof *out->element);
  r.count = bpi_arena_alloc(a, (size_t)n + 1, sizeof *r.count);
  r.number = bpi_arena_alloc(a, (size_t)n + 1, sizeof *r.number);
  r.alone = bpi_arena_alloc(a, entries, 1);
  /* Of a symmetric pattern the transpose is itself: what it says of entry (v, w) is the number of (w, v). */
  bp_status s = bpi_csr_transpose(a, p, &t, &r.partner);
  if (s != BP_OK || !out->sweep || !out->element || !r.count || !r.number || !r.alone)
    return bpi_nomem();
  find_alone(&r);
  read_pairs(&r, true, out);
  read_pairs(&r, false, out);
  renumber(&r, n, out);
  return BP_OK;
}

bp_status bpi_colour_hessian(bpi_arena *a, const bpi_csr *p, bpi_colouring *out)
{
  int64_t n = p->rows + 1, by_col = n;
  size_t room = (size_t)p->rows + 1;
  *out = (bpi_colouring){0};
  out->of_col = bpi_arena_alloc(a, room, sizeof *out->of_col);
  out->of_row = bpi_arena_alloc(a, room, sizeof *out->of_row);
  if (!out->of_col || !out->of_row)
    return bpi_nomem();
  bpi_arena_mark here = bpi_arena_here(a);
  bp_status s = best_star(a, p, out->of_col, &n);
  bpi_arena_rollback(a, here);
  if (s == BP_OK && n > 2 && n > p->rows) /* the stars were too much work */
    s = by_columns(a, p, n, out->of_col, &by_col);
  n = by_col < n ? by_col : n;
  for (size_t v = 0; v + 1 < room; v++)
    out->of_row[v] = -1;
  return s == BP_OK ? read_off(a, p, n, out) : s;
}
