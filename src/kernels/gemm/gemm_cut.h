/* How a product is done and how it is cut, by its shape and the size of its elements alone; included by gemm.c. */

/* One operand, of m or n rows. flat: the inner steps of a row lie side by side; else the rows of an inner step do. */
typedef struct side {
  const void *x;
  int64_t count, ld;
  bool flat;
} side;

typedef enum way {
  WAY_DOTS,  /* dot products */
  WAY_ROW,   /* the only row of r times a matrix */
  WAY_PANELS /* rows of r times panels of l */
} way;

typedef struct cut {
  way way;
  bool turned; /* r is B and l is A: C is computed transposed */
  side r, l;
  int64_t k, vn;              /* inner steps; elements of a vector */
  int64_t steps;              /* of an inner block */
  int64_t rows, row_blocks;   /* of r, in a unit; units */
  int64_t lanes, groups;      /* of l, in a unit; units */
  int64_t together;           /* row blocks that one thread does at once, for packed panels serve them all */
  int64_t pad;                /* elements between packed rows */
  bool pack_l, pack_r, whole; /* whole: a group's panels are all packed before its tiles run */
  double cost;                /* multiply-adds of vectors that would take as long */
} cut;

enum {
  SMALL_WORK = 256,  /* multiply-adds that are done without ado */
  UNIT_WORK = 16384, /* least multiply-adds of vectors of a unit: 2 microseconds or so */
  UNIT_AREA = 2048,  /* least elements of a unit, and */
  MOST_UNITS = 8,    /* number of units wanted if both are kept */
  MOST_ROWS = 256,   /* rows done together: so many rows of an inner block stay in the second-level cache */
  ROW_BYTES = 1024,  /* of a unit of C: long enough for whatever loops come after the product */
  BLOCK_ROWS = 64,   /* of a unit, then */
  FAR_BYTES =
      1 << 20, /* an operand larger than the second-level cache: better packed, which fetches it ahead */
  WHOLE_BYTES = 32768, /* most packed panels that stay in the first-level cache together */
  DOT_BYTES = 4096     /* inner block of dot products, so that a few rows stay in the first-level cache */
};

static inline int64_t up(int64_t x, int64_t by)
{
  return (x + by - 1) / by;
}

/* Tiles of r times panels of l, and what packing and turning add. Fewer than 4 or 5 rows hide no latency. */
static double panels_cost(const side *r, const side *l, int64_t k, int64_t vn, bool turned)
{
  const int64_t tiles = up(r->count, BPI_MR), panels = up(l->count, 2 * vn), height = up(r->count, tiles);
  const double tile = (double)(2 * height > 9 ? 2 * height : 9) * (double)k + 40;
  const double pack = l->flat ? 5 : r->count > 2 * BPI_MR ? 2.5 : 0;
  const double bytes = (double)(r->count * k) * (double)(BPI_WIDE / vn),
               far = bytes > FAR_BYTES ? bytes / BPI_WIDE * 8 : 0;
  const double home = turned ? 8 * (double)(r->count * l->count) / (double)vn : 0;
  return (double)(tiles * panels) * tile + pack * (double)(panels * 2 * k) + home + far;
}

static double dots_cost(const bpi_gemm *g, int64_t vn)
{
  const double steps = (double)up(g->k, vn), folds = (double)up(g->k * (BPI_WIDE / vn), DOT_BYTES);
  return (double)(g->m * g->n) * (steps * (g->m == 1 ? 1.2 : 1) + 7 * folds);
}

/* As many units as there is work for, not smaller than is good for what follows them. */
static int64_t units_wanted(const bpi_gemm *g, double cost)
{
  const double by_work = cost / UNIT_WORK, by_area = (double)(g->m * g->n) / UNIT_AREA;
  const double most = by_work < by_area ? by_work : by_area;
  return most > MOST_UNITS ? MOST_UNITS : most < 1 ? 1 : (int64_t)most;
}

/* Inner blocks of equal length, a multiple of `round`. */
static int64_t steps_of(int64_t k, int64_t most, int64_t round)
{
  return up(k > most ? up(k, up(k, most)) : k, round) * round;
}

static void cut_dots(cut *u, const bpi_gemm *g)
{
  const int64_t wanted = units_wanted(g, u->cost);
  u->steps = steps_of(g->k, DOT_BYTES * u->vn / BPI_WIDE, u->vn);
  if (g->m > g->n)
    u->rows = up(up(g->m, wanted), BPI_DOTS) * BPI_DOTS;
  else
    u->lanes = up(up(g->n, wanted), 8) * 8;
  u->row_blocks = up(g->m, u->rows);
  u->groups = up(g->n, u->lanes);
}

static void cut_row(cut *u)
{
  const int64_t work = u->l.count * u->k / u->vn / UNIT_WORK;
  u->lanes = up(up(u->l.count, work > MOST_UNITS ? MOST_UNITS : work < 1 ? 1 : work), 8 * u->vn) * 8 * u->vn;
  u->groups = up(u->l.count, u->lanes);
  u->row_blocks = 1;
  u->rows = 1;
}

/* Straight products have units of few rows and many columns: so row blocks are cut finer. Turned ones are cut by the rows of C
 * first, so that each thread packs what is its own. */
static void cut_units(cut *u, int64_t wanted)
{
  const int64_t nr = 2 * u->vn, panels = up(u->l.count, nr), size = BPI_WIDE / u->vn, low = 4 * BPI_MR;
  const int64_t most = u->r.count < 2 * low ? 1 : u->r.count / low;
  const bool far = u->k * size > BPI_KC_BYTES && u->l.count * u->k * size > 4 * FAR_BYTES;
  u->groups = up(panels, (far ? 4 : 1) * ROW_BYTES / size / nr);
  u->row_blocks = up(u->r.count, BLOCK_ROWS);
  if (u->turned && u->groups < wanted)
    u->groups = wanted;
  if (u->groups > panels)
    u->groups = panels;
  if (u->groups * u->row_blocks < wanted)
    u->row_blocks = up(wanted, u->groups) < most ? up(wanted, u->groups) : most;
  if (u->groups * u->row_blocks < wanted)
    u->groups = up(wanted, u->row_blocks) < panels ? up(wanted, u->row_blocks) : panels;
  u->lanes = up(panels, u->groups) * nr;
  u->groups = up(u->l.count, u->lanes);
  u->rows = up(up(u->r.count, u->row_blocks), BPI_MR) * BPI_MR;
  u->row_blocks = up(u->r.count, u->rows);
  u->together = u->rows < MOST_ROWS ? MOST_ROWS / u->rows : 1;
}

/* What is packed: panels whenever more than two tiles pass them, and rows that lie a power of two or pages apart, which would share a
 * few sets of the caches and take an entry of the TLB each. */
static void cut_panels(cut *u, const bpi_gemm *g)
{
  const int64_t size = BPI_WIDE / u->vn, apart = u->r.ld * size;
  cut_units(u, units_wanted(g, u->cost));
  u->steps = steps_of(u->k, BPI_KC_BYTES / size, 16 / size);
  u->pad = 64 / size;
  u->pack_r = u->r.count > 2 * BPI_MR && u->l.count > 4 * u->vn &&
              (u->r.flat ? apart % 4096 == 0 : apart % 1024 == 0 || apart >= 4096);
  u->pack_l = u->l.flat || u->r.count > 2 * BPI_MR;
  u->whole = u->pack_l && u->steps * u->lanes * size <= WHOLE_BYTES && g->n * size >= 2048;
}

/* A vector is both flat and not. */
static side side_of(const void *x, int64_t count, int64_t k, int64_t ld, bool flat)
{
  if (count == 1 && !flat && ld == 1)
    return (side){x, count, k, true};
  return (side){x, count, ld, flat};
}

static inline bool is_small(const bpi_gemm *g)
{
  return (g->m | g->n | g->k) <= SMALL_WORK - 1 && g->m * g->n * g->k <= SMALL_WORK;
}

/* Of products that are not small, and have elements. */
static cut cut_of(const bpi_gemm *g, int64_t size)
{
  cut u = {.rows = g->m, .lanes = g->n, .k = g->k, .vn = BPI_WIDE / size, .together = 1, .way = WAY_PANELS};
  u.r = side_of(g->a, g->m, g->k, g->lda, !g->ta);
  u.l = side_of(g->b, g->n, g->k, g->ldb, g->tb);
  if (g->m <= 0 || g->n <= 0)
    return u;
  const double straight = panels_cost(&u.r, &u.l, g->k, u.vn, false),
               turned = panels_cost(&u.l, &u.r, g->k, u.vn, true);
  u.cost = straight < turned ? straight : turned;
  const double dots = dots_cost(g, u.vn);
  if (u.r.flat && u.l.flat && dots < u.cost) {
    u.way = WAY_DOTS;
    u.cost = dots;
    cut_dots(&u, g);
    return u;
  }
  u.turned = g->m == 1 ? false : g->n == 1 && !u.r.flat && g->ldc == 1 ? true : turned < straight;
  if (u.turned) {
    const side r = u.r;
    u.r = u.l;
    u.l = r;
  }
  if (u.r.count == 1 && !u.l.flat && (!u.turned || g->ldc == 1)) {
    u.way = WAY_ROW;
    cut_row(&u);
  } else
    cut_panels(&u, g);
  return u;
}
