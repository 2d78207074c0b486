/* The choices were made by measuring; docs/performance.md has the figures. A formula says how many multiply-adds of vectors would take as
 * long as each way of doing the product, and the shortest way is taken. */
#include "kernels/gemmcut.h"

enum {
  UNIT_WORK = 16384,        /* least multiply-adds of vectors of a unit: 2 microseconds or so */
  UNIT_AREA = 4096,         /* least elements of a unit, and */
  MOST_UNITS = 8,           /* number of units wanted if both are kept; */
  ROW_WORK = 2048,          /* where C is one row or column, least work: half a microsecond */
  FEW_UNITS = 4,            /* below so many, short rows of C are cut, too */
  TOGETHER_ROWS = 256,      /* done together: an inner block stays in the second-level cache, */
  TOGETHER_BYTES = 1 << 20, /* and of C, until blocks are added up and units handed over */
  WHOLE_BYTES = 65536,      /* panels packed together: they stay near the first-level cache */
  UNIT_BYTES = 65536,       /* of C in a unit: near when it is handed over */
  ROW_BYTES = 4096,         /* of C, short: what comes after the product likes rows whole */
  GROUP_BYTES = 524288,     /* panels of a group, where rows are longer */
  FAR_BYTES = 1 << 20,      /* larger than the second-level cache: better packed, thus fetched ahead */
  SHORT_STEPS = 32,         /* a panel as short as that is read as it lies */
  DOT_BYTES = 4096          /* inner block of dot products: a few rows stay in the first-level cache */
};

typedef struct problem {
  const bpi_gemm *g;
  const bpi_tiles *t;
  int64_t size, vn, nr; /* bytes of an element; elements of a vector, of a panel */
} problem;

static int64_t up(int64_t x, int64_t by)
{
  return (x + by - 1) / by;
}

static int64_t least(int64_t a, int64_t b)
{
  return a < b ? a : b;
}

/* Tiles of r times panels of l, and what packing and turning add. Fewer than 4 or 5 rows hide no latency. */
static double panels_cost(const problem *p, const bpi_side *r, const bpi_side *l, bool turned)
{
  const int64_t k = p->g->k, tiles = up(r->count, p->t->rows), panels = up(l->count, p->nr),
                height = up(r->count, tiles);
  const double tile = (double)(2 * height > 9 ? 2 * height : 9) * (double)k + 40;
  const double pack = l->flat ? 5 : r->count > 2 * p->t->rows ? 2.5 : 0;
  const double bytes = (double)(r->count * k * p->size), far = bytes > FAR_BYTES ? bytes / p->t->wide * 8 : 0;
  /* Rows that do not lie flat are copied, for each group again where there are several inner blocks. */
  const double again = turned && k * p->size > p->t->kc_bytes ? (double)panels : 1;
  const double copy = r->flat ? 0 : 4 * again * bytes / p->t->wide;
  const double home = turned ? 8 * (double)(r->count * l->count) / (double)p->vn : 0;
  return (double)(tiles * panels) * tile + pack * (double)(panels * 2 * k) + home + far + copy;
}

/* Small tiles read more than they compute. */
static double dots_cost(const problem *p)
{
  const bpi_gemm *g = p->g;
  const double steps = (double)up(g->k, p->vn), folds = (double)up(g->k * p->size, DOT_BYTES);
  const double each = g->m == 1 || g->n == 1 ? 1.2 : p->t->dots < 4 ? 1.3 : 1.05;
  const double fold = p->t->dots < 4 ? 7 : 2;
  return (double)(g->m * g->n) * (steps * each + fold * folds);
}

/* As many units as there is work for, not smaller than is good for what follows them. A row or column of C is short, whatever matrix is read
 * for it: its units are a power of two, so that threads get equal parts of the matrix. */
static int64_t units_wanted(const bpi_gemm *g, double cost)
{
  if (g->m == 1 || g->n == 1) {
    int64_t units = 1;
    while (2 * units <= MOST_UNITS && (double)(2 * units) * ROW_WORK <= cost)
      units *= 2;
    return units;
  }
  const double by_work = cost / UNIT_WORK, by_area = (double)(g->m * g->n) / UNIT_AREA;
  const double most = by_work < by_area ? by_work : by_area;
  return most > MOST_UNITS ? MOST_UNITS : most < 1 ? 1 : (int64_t)most;
}

/* Inner blocks of equal length, a multiple of `round`. */
static int64_t steps_of(int64_t k, int64_t most, int64_t round)
{
  return up(k > most ? up(k, up(k, most)) : k, round) * round;
}

static void cut_rows(bpi_cut *u, int64_t blocks, int64_t round)
{
  u->rows = up(up(u->r.count, blocks), round) * round;
  u->row_blocks = up(u->r.count, u->rows);
}

static void cut_lanes(bpi_cut *u, int64_t groups, int64_t grain)
{
  const int64_t grains = up(u->l.count, grain);
  u->groups = least(groups, grains);
  u->grain = grain;
  u->lanes = least(up(grains, u->groups) * grain, u->l.count);
}

static void cut_dots(bpi_cut *u, const problem *p, int64_t wanted)
{
  const bool tall = u->r.count > u->l.count;
  u->steps = steps_of(p->g->k, DOT_BYTES / p->size, p->vn);
  cut_rows(u, tall ? wanted : 1, 4);
  cut_lanes(u, tall ? 1 : wanted, 8);
}

/* Units of straight products are some rows of C, of turned ones too: so l is cut there, and each thread packs what is its own. But a B that is
 * the largest of the three is read and packed in parts, each by one thread: then units are some columns. */
static void cut_panels(bpi_cut *u, const problem *p, int64_t wanted)
{
  const int64_t m = p->g->m, n = p->g->n, k = p->g->k, low = 2 * p->t->rows,
                most = u->r.count < 2 * low ? 1 : u->r.count / low;
  u->steps = steps_of(k, p->t->kc_bytes / p->size, 16 / p->size);
  int64_t across = m < n && m < k ? up(n, wanted) : n; /* columns of a unit */
  if (n * p->size > ROW_BYTES)
    across = u->turned || u->steps < k ? ROW_BYTES / p->size
                                       : GROUP_BYTES / p->size / (u->steps > 128 ? u->steps : 128);
  int64_t down = up(UNIT_BYTES, across * p->size); /* and rows */
  int64_t groups = up(u->l.count, u->turned ? (down < p->nr ? p->nr : down) : across);
  int64_t blocks = up(u->r.count, u->turned ? across : down);
  if (u->turned)
    groups = groups * blocks < wanted ? least(up(wanted, blocks), up(u->l.count, p->nr)) : groups;
  const int64_t few = least(wanted, FEW_UNITS); /* what rows are cut for */
  if (groups * blocks < (u->turned ? few : wanted))
    blocks = least(up(wanted, groups), most);
  if (groups * blocks < (u->turned ? wanted : few))
    groups = up(wanted, blocks);
  cut_rows(u, blocks, p->t->rows);
  cut_lanes(u, groups, p->nr);
  const int64_t apart = u->r.ld * p->size, width = up(u->lanes, p->nr) * p->nr * p->size;
  u->pad = 64 / p->size;
  u->pack_l = u->l.flat || (u->r.count > 2 * p->t->rows && (k > SHORT_STEPS || u->l.ld * p->size >= 4096));
  u->whole =
      u->pack_l && !u->turned && u->steps >= k && u->steps * width <= WHOLE_BYTES && n * p->size >= 2048;
  const int64_t room = least(TOGETHER_ROWS, TOGETHER_BYTES / width);
  u->together = u->rows < room ? room / u->rows : 1;
  /* Rows a power of two apart share a few sets of the caches; inner steps apart make no stream that is foreseen. */
  u->copy_r = u->r.count > low && u->l.count > 2 * p->nr && (!u->r.flat || apart % 4096 == 0);
}

/* A vector is both flat and not. */
static bpi_side side_of(const void *x, int64_t count, int64_t k, int64_t ld, bool flat)
{
  if (count == 1 && !flat && ld == 1)
    return (bpi_side){x, count, k, true};
  return (bpi_side){x, count, ld, flat};
}

static void turn(bpi_cut *u)
{
  const bpi_side r = u->r;
  u->r = u->l;
  u->l = r;
  u->turned = true;
}

bpi_cut bpi_cut_of(const bpi_gemm *g, const bpi_tiles *tiles, int64_t size)
{
  const problem p = {g, tiles, size, tiles->wide / size, 2 * tiles->wide / size};
  bpi_cut u = {.way = BPI_WAY_PANELS, .grain = 1, .together = 1};
  u.r = side_of(g->a, g->m, g->k, g->lda, !g->ta);
  u.l = side_of(g->b, g->n, g->k, g->ldb, g->tb);
  if (g->m <= 0 || g->n <= 0)
    return u;
  const double straight = panels_cost(&p, &u.r, &u.l, false), turned = panels_cost(&p, &u.l, &u.r, true);
  const double panels = straight < turned ? straight : turned, dots = dots_cost(&p);
  if (u.r.flat && u.l.flat && dots < panels) {
    u.way = BPI_WAY_DOTS;
    cut_dots(&u, &p, units_wanted(g, dots));
  } else if (g->m == 1 && !u.l.flat) {
    u.way = BPI_WAY_ROW;
  } else if (g->n == 1 && !u.r.flat && g->ldc == 1) {
    u.way = BPI_WAY_ROW;
    turn(&u);
  } else {
    if (turned < straight)
      turn(&u);
    cut_panels(&u, &p, units_wanted(g, panels));
  }
  if (u.way == BPI_WAY_ROW) {
    cut_rows(&u, 1, 1);
    cut_lanes(&u, units_wanted(g, (double)(u.l.count * g->k) / (double)p.vn), 8 * p.vn);
  }
  return u;
}
