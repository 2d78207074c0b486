/* Large circuits made short. Blocks that repeat one after another (layers of a network, steps of an unrolled loop, terms of a sum) become
 * one box "×32"; where that is not enough, the middle is left out. Parts are looked at in the order of the graph, so that consecutive ones
 * can be drawn as one without making a circle: a wire that leaves a stretch never comes back to it.
 *
 * A stretch repeats with period d if each of its parts is alike the one d before it: of the same row, attributes and types, and reading
 * from as far back, where that is within the block or the one before; what is read from elsewhere need only be of the same type. Every part
 * must have such a wire, so that a box holds what belongs together. Short blocks come first, then blocks of blocks.            */
#include "base/sort.h"
#include "draw/circuit.h"

#include <string.h>

enum {
  ROUNDS = 6,       /* blocks of blocks of ... */
  PERIODS = 24,     /* tried in a round: the most frequent distances between parts of one row */
  LEAST_TIMES = 3,  /* a block repeats to be worth a box, */
  LEAST_GAIN = 4,   /* and so many parts are saved; */
  TWICE_FROM = 12,  /* twice will do if it has so many parts */
  LEAVE_FACTOR = 2, /* the middle is left out of circuits with more than so many times the parts wanted */
  SYMBOLS = 4       /* of a block that are named */
};

typedef struct run {
  uint32_t first, period, times;
} run;

typedef struct shortening {
  bpi_circuit *c;
  bpi_arena arena; /* of a round */
  uint32_t *unit;  /* parts that stand for themselves, in order */
  uint32_t *place; /* by part: where it is among them */
  uint32_t n;
  uint64_t *look; /* by unit */
  uint64_t *row;  /* by unit: of its row, attributes and types alone */
  uint8_t *tied;  /* by unit: a wire joins it to its block or the next */
  run *runs;
  size_t n_runs, runs_cap;
  uint32_t *seen, stamp; /* by slot: the last stretch that it was found to come into */
} shortening;

static uint64_t mix(uint64_t h, uint64_t x)
{
  h = (h ^ x) * 0x9e3779b97f4a7c15u;
  return h ^ (h >> 29);
}

/* ---- how parts look ---- */

static uint64_t type_look(const bp_type *t)
{
  uint64_t h = mix(t->dtype, (uint64_t)t->rank);
  for (int i = 0; i < t->rank; i++)
    h = mix(h, (uint64_t)t->dims[i]);
  return h;
}

static uint64_t row_look(const shortening *s, uint32_t unit)
{
  const bpi_part *p = &s->c->part[s->unit[unit]];
  uint64_t h = mix(p->times, p->n_nodes);
  if (p->op && p->attr)
    h = mix(h, bpi_hash_call(p->op, p->attr, bpi_op_n_attrs(p->op), NULL, 0));
  for (const char *t = p->text; t && *t; t++)
    h = mix(h, (unsigned char)*t);
  return mix(h, type_look(s->c->g->nodes[p->head].type));
}

/* How parts look where blocks have `period` parts. */
static void look_at_all(shortening *s, uint32_t period)
{
  const bpi_circuit *c = s->c;
  memset(s->tied, 0, s->n);
  for (uint32_t i = 0; i < s->n; i++) {
    const bpi_part *p = &c->part[s->unit[i]];
    uint64_t h = s->row[i];
    for (uint32_t k = 0; k < p->n_args; k++) {
      uint32_t slot = p->args[k], from = bpi_part_at(c, slot);
      const bpi_node *v = &c->g->nodes[slot];
      if (from != BPI_NONE && i - s->place[from] < 2 * period) {
        h = mix(mix(mix(h, 1), i - s->place[from]), slot - c->part[from].head);
        s->tied[i] = s->tied[s->place[from]] = 1;
      } else {
        h = mix(mix(h, 2), v->op->traits & BP_CONSTANT ? slot : type_look(v->type));
      }
    }
    s->look[i] = h;
  }
}

/* ---- periods ---- */

typedef struct distance {
  uint32_t d, count;
} distance;

static int by_count(const void *a, const void *b, const void *arg)
{
  const distance *x = a, *y = b;
  (void)arg;
  if (x->count != y->count)
    return x->count > y->count ? -1 : 1;
  return x->d < y->d ? -1 : x->d > y->d;
}

/* Distances from each part to the last of its row, the most frequent first. Returns how many, at most PERIODS. */
static uint32_t find_periods(shortening *s, distance *out)
{
  size_t cap = 16;
  while (cap < 2 * (size_t)s->n)
    cap *= 2;
  uint32_t *last = bpi_arena_alloc(&s->arena, cap, sizeof *last); /* place + 1, by look: open addressing */
  distance *all = bpi_arena_alloc(&s->arena, s->n + 1, sizeof *all);
  if (!last || !all)
    return 0;
  for (uint32_t i = 0; i < s->n; i++)
    all[i].d = i;
  for (uint32_t i = 0; i < s->n; i++) {
    size_t at = s->row[i] & (cap - 1);
    while (last[at] && s->row[last[at] - 1] != s->row[i])
      at = (at + 1) & (cap - 1);
    if (last[at])
      all[i + 1 - last[at]].count++;
    last[at] = i + 1;
  }
  bpi_sort(all, s->n, sizeof *all, by_count, NULL);
  uint32_t n = 0;
  while (n < PERIODS && n < s->n && all[n].count)
    n++;
  memcpy(out, all, n * sizeof *out);
  return n;
}

/* alike: parts, from first + period on, that look like the one a period before. */
static bool add_run(shortening *s, uint32_t first, uint32_t period, uint32_t alike)
{
  for (uint32_t k = 1; first && k < period && s->row[first - 1] == s->row[first - 1 + period]; k++) {
    first--; /* the first block reads from elsewhere */
    alike++;
  }
  run r = {first, period, alike / period + 1};
  bool enough =
      r.times >= LEAST_TIMES ? (r.times - 1) * period >= LEAST_GAIN : r.times == 2 && period >= TWICE_FROM;
  if (!enough)
    return true;
  if (!bpi_grow(s->c->ctx, (void **)&s->runs, &s->runs_cap, s->n_runs, sizeof *s->runs))
    return false;
  s->runs[s->n_runs++] = r;
  return true;
}

static bool find_runs(shortening *s, uint32_t period)
{
  uint32_t alike = 0;
  if (!period)
    return true;
  for (uint32_t i = period; i <= s->n; i++) {
    if (i < s->n && s->look[i] == s->look[i - period] && s->tied[i]) {
      alike++;
      continue;
    }
    if (alike >= period && !add_run(s, i - alike - period, period, alike))
      return false;
    alike = 0;
  }
  return true;
}

static int by_gain(const void *a, const void *b, const void *arg)
{
  const run *x = a, *y = b;
  uint64_t gx = (uint64_t)x->period * x->times, gy = (uint64_t)y->period * y->times;
  (void)arg;
  if (x->period != y->period)
    return x->period < y->period ? -1 : 1;
  if (gx != gy)
    return gx > gy ? -1 : 1;
  return x->first < y->first ? -1 : x->first > y->first;
}

/* ---- many parts as one ---- */

/* "@ + relu", of the first parts. */
static const char *symbols_of(const shortening *s, uint32_t first, uint32_t n)
{
  bpi_text t;
  bpi_text_init(&t, s->c->ctx);
  for (uint32_t i = 0; i < n && i < SYMBOLS; i++) {
    const bpi_part *p = &s->c->part[s->unit[first + i]];
    bpi_textf(&t, "%s", i ? "  " : "");
    if (p->op)
      bpi_textf(&t, "%s", bpi_row_text(p));
    else
      bpi_textf(&t, "×%u(%s)", p->times, p->text ? p->text : "");
  }
  if (n > SYMBOLS)
    bpi_textf(&t, "  … %u", n);
  const char *text = t.failed ? NULL : bpi_arena_strdup(&s->c->arena, t.s);
  bpi_text_free(&t);
  return text;
}

/* What comes into a stretch from outside, each once. */
static bool collect_inputs(shortening *s, uint32_t first, uint32_t last, bpi_part *into)
{
  bpi_circuit *c = s->c;
  size_t most = 0, n = 0;
  for (uint32_t i = first; i <= last; i++)
    most += c->part[s->unit[i]].n_args;
  uint32_t *args = bpi_arena_alloc(&c->arena, most + 1, sizeof *args);
  s->stamp++;
  for (uint32_t i = first; args && i <= last; i++) {
    const bpi_part *p = &c->part[s->unit[i]];
    for (uint32_t k = 0; k < p->n_args; k++) {
      double value;
      uint32_t slot = p->args[k], from = bpi_part_at(c, slot);
      bool inside = from != BPI_NONE && s->place[from] >= first && s->place[from] <= last;
      if (inside || s->seen[slot] == s->stamp)
        continue;
      s->seen[slot] = s->stamp;
      if (!((c->g->nodes[slot].op->traits & BP_CONSTANT) && bpi_splat(bpi_handle(c->g, slot), &value)))
        args[n++] = slot;
    }
  }
  into->args = args;
  into->n_args = (uint32_t)n;
  return args != NULL;
}

static bp_status merge(shortening *s, uint32_t first, uint32_t last, uint32_t times, const char *text)
{
  bpi_circuit *c = s->c;
  uint32_t root = s->unit[last];
  bpi_part whole = c->part[root];
  whole.op = NULL;
  whole.attr = NULL;
  whole.times = times;
  whole.text = text;
  whole.n_nodes = 0;
  if (!text || !collect_inputs(s, first, last, &whole))
    return bpi_nomem();
  for (uint32_t i = first; i <= last; i++)
    whole.n_nodes += c->part[s->unit[i]].n_nodes;
  for (uint32_t i = first; i < last; i++)
    c->part[s->unit[i]].into = root;
  c->part[root] = whole;
  return BP_OK;
}

/* ---- rounds ---- */

static bp_status list_units(shortening *s)
{
  bpi_circuit *c = s->c;
  s->n = 0;
  s->unit = bpi_arena_alloc(&s->arena, c->n_parts + 1, sizeof *s->unit);
  s->place = bpi_arena_alloc(&s->arena, c->n_parts + 1, sizeof *s->place);
  s->look = bpi_arena_alloc(&s->arena, c->n_parts + 1, sizeof *s->look);
  s->row = bpi_arena_alloc(&s->arena, c->n_parts + 1, sizeof *s->row);
  s->tied = bpi_arena_alloc(&s->arena, c->n_parts + 1, sizeof *s->tied);
  if (!s->unit || !s->place || !s->look || !s->row || !s->tied)
    return bpi_nomem();
  for (uint32_t i = 0; i < c->n_parts; i++)
    if (c->part[i].into == BPI_NONE) {
      s->place[i] = s->n;
      s->unit[s->n++] = i;
    }
  return BP_OK;
}

/* Draws the best runs that do not overlap as one part each. *left: parts that stay. */
static bp_status merge_runs(shortening *s, size_t *left)
{
  bool *taken = bpi_arena_alloc(&s->arena, s->n + 1, sizeof *taken);
  if (!taken)
    return bpi_nomem();
  bpi_sort(s->runs, s->n_runs, sizeof *s->runs, by_gain, NULL);
  for (size_t i = 0; i < s->n_runs; i++) {
    const run *r = &s->runs[i];
    uint32_t last = r->first + r->period * r->times - 1;
    bool free = !taken[r->first] && !taken[last];
    for (uint32_t k = r->first; k <= last && free; k++)
      free = !taken[k];
    if (!free)
      continue;
    memset(taken + r->first, true, last - r->first + 1);
    bp_status status = merge(s, r->first, last, r->times, symbols_of(s, r->first, r->period));
    if (status != BP_OK)
      return status;
    *left -= last - r->first;
  }
  return BP_OK;
}

static bp_status one_round(shortening *s, size_t *left)
{
  distance periods[PERIODS];
  bp_status status = list_units(s);
  if (status != BP_OK)
    return status;
  for (uint32_t i = 0; i < s->n; i++)
    s->row[i] = row_look(s, i);
  s->n_runs = 0;
  uint32_t n = find_periods(s, periods);
  for (uint32_t i = 0; i < n; i++) {
    look_at_all(s, periods[i].d);
    if (!find_runs(s, periods[i].d))
      return bpi_nomem();
  }
  *left = s->n;
  return merge_runs(s, left);
}

/* Keeps the beginning and twice as much of the end. */
static bp_status leave_middle_out(shortening *s, size_t most)
{
  bpi_text t;
  bp_status status = list_units(s);
  if (status != BP_OK || s->n <= LEAVE_FACTOR * most)
    return status;
  uint32_t first = (uint32_t)(most / 3), last = s->n - (uint32_t)(most - most / 3), nodes = 0;
  for (uint32_t i = first; i <= last; i++)
    nodes += s->c->part[s->unit[i]].n_nodes;
  bpi_text_init(&t, s->c->ctx);
  bpi_textf(&t, "%u nodes", nodes);
  const char *text = t.failed ? NULL : bpi_arena_strdup(&s->c->arena, t.s);
  bpi_text_free(&t);
  return merge(s, first, last, 0, text);
}

bp_status bpi_circuit_shorten(bpi_circuit *c, size_t most)
{
  shortening s = {.c = c, .seen = bpi_arena_alloc(&c->arena, c->g->count, sizeof *s.seen)};
  size_t left = bpi_circuit_parts(c), before = left + 1;
  bp_status status = s.seen ? BP_OK : bpi_nomem();
  for (int round = 0; round < ROUNDS && status == BP_OK && (round || left > most) && left < before; round++) {
    before = left;
    bpi_arena_init(&s.arena, c->ctx);
    status = one_round(&s, &left);
    bpi_arena_free(&s.arena);
  }
  if (status == BP_OK && left > most) {
    bpi_arena_init(&s.arena, c->ctx);
    status = leave_middle_out(&s, most);
    bpi_arena_free(&s.arena);
  }
  bpi_free(c->ctx, s.runs);
  return status;
}
