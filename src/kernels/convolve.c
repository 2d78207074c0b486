/* Convolution and its adjoints as matrix products that are never written out.
 *
 * All three run one tile: a few rows times two vectors of columns, summed over steps. Row i of step p is read at a[i][off[p]], so what a
 * matrix product would need laid out (patches of the image) is a list of offsets instead:
 *
 *   made of it   rows                         columns    steps                         also
 *   out          places                       filters    elements of a window          weights are packed, filters side by side
 *   image        places that one element      channels   filters                       a product for each element of the window, added
 *                of the window sees                                                    to the image where it lies: no border is multiplied
 *   weights      elements of a window         filters    places of a strip             strips are added in order
 *
 * Work is cut into strips: a few whole images, or a few rows of one, so that what a strip reads and makes stays in the second-level cache. Where
 * windows reach over the edge, the strip of the image is copied with its border of zeros; elsewhere it is read where it lies. Every element
 * is summed in one order, which depends on the shapes alone. */
#include "kernels/convolve.h"
#include "kernels/copy.h"
#include "kernels/kernels.h"

#include <string.h>

enum {
  STRIP = 256,      /* places of a strip */
  BLOCK_TILES = 4,  /* tiles in the rows of a unit of weights */
  LEAST_UNITS = 16, /* strips worth having where there are threads to share them */
  FEW_UNITS = 4     /* fewer units of weights are cut to half panels */
};

bpi_point bpi_grid_point(const bpi_grid *g, int64_t number)
{
  bpi_point p = {
      .at = {number / (g->dims[1] * g->dims[2]), number / g->dims[2] % g->dims[1], number % g->dims[2]}};
  for (int i = 0; i < 3; i++) {
    p.from += p.at[i] * g->from[i];
    p.to += p.at[i] * g->to[i];
  }
  return p;
}

static int64_t grid_size(const bpi_grid *g)
{
  return g->dims[0] * g->dims[1] * g->dims[2];
}

/* Where all points are read, in order. */
static void grid_offsets(const bpi_grid *g, int64_t *off)
{
  bpi_point p = {.from = 0};
  for (int64_t i = 0, n = grid_size(g); i < n; i++, bpi_grid_next(g, &p))
    off[i] = p.from;
}

/* ---- strips ---- */

/* Images cut into strips: `images` whole ones each, or, where bands > 1, `rows` rows of one. */
typedef struct strips {
  int64_t batch, height, images, rows, bands, count;
} strips;

typedef struct strip {
  int64_t image, images, row, rows;
} strip;

static int64_t ceil_div(int64_t a, int64_t b)
{
  return (a + b - 1) / b;
}

static strips strips_of(int64_t batch, int64_t height, int64_t width)
{
  strips s = {.batch = batch, .height = height, .images = 1, .rows = height, .bands = 1};
  if (batch == 0 || height == 0 || width == 0)
    return s;
  const int64_t share = ceil_div(batch * height * width, LEAST_UNITS), each = share < STRIP ? share : STRIP;
  if (height * width <= each)
    s.images = each / (height * width);
  else
    s.bands = ceil_div(height, each / width > 0 ? each / width : 1);
  s.rows = ceil_div(height, s.bands);
  s.bands = ceil_div(height, s.rows);
  s.count = s.bands * ceil_div(batch, s.images);
  return s;
}

static strip strip_at(const strips *s, int64_t number)
{
  strip t = {.image = number / s->bands * s->images, .row = number % s->bands * s->rows};
  t.images = s->batch - t.image < s->images ? s->batch - t.image : s->images;
  t.rows = s->height - t.row < s->rows ? s->height - t.row : s->rows;
  return t;
}

/* How much of the image, along one axis, so many places see. */
static int64_t seen(const bpi_window *w, int axis, int64_t places)
{
  return (places - 1) * w->stride[axis] + (w->window[axis] - 1) * w->dilation[axis] + 1;
}

/* True if no window reaches over the edge. */
static bool inside(const bpi_window *w)
{
  bool in = true;
  for (int i = 0; i < 2; i++)
    in = in && w->before[i] == 0 && seen(w, i, w->places[i]) <= w->size[i];
  return in;
}

/* ---- what the three have in common ---- */

typedef struct conv_work {
  const bpi_conv *c;
  const bpi_conv_tiles *tiles;
  size_t elem;
  strips strips;
  int64_t channels, filters; /* of one group */
  int64_t taps, inner;       /* elements of a window, without and with its channels */
  int64_t columns, width, panels,
      packed;            /* columns of one group, and of a panel; panels of a group, and of all */
  int64_t block, blocks; /* rows of a unit of weights; units of one panel */
} conv_work;

static conv_work work_of(const bpi_conv_tiles *t, const bpi_conv *c)
{
  const bpi_window *w = &c->w;
  const int64_t groups = c->groups ? c->groups : 1;
  const bool image = c->kind == BPI_CONV_IMAGE;
  conv_work s = {.c = c,
                 .tiles = t,
                 .channels = c->channels / groups,
                 .filters = c->filters / groups,
                 .width = t->columns};
  s.elem = c->wide ? sizeof(double) : sizeof(float);
  s.strips = strips_of(w->batch, image ? w->size[0] : w->places[0], image ? w->size[1] : w->places[1]);
  s.taps = w->window[0] * w->window[1];
  s.inner = s.taps * s.channels;
  s.columns = image ? s.channels : s.filters;
  s.block = (int64_t)BLOCK_TILES * t->rows;
  s.blocks = ceil_div(s.inner, s.block);
  if (c->kind == BPI_CONV_WEIGHTS && groups * s.blocks * ceil_div(s.columns, t->columns) < FEW_UNITS)
    s.width = t->columns / 2;
  s.panels = ceil_div(s.columns, s.width);
  s.packed = c->groups * s.panels;
  return s;
}

/* Panel number p of all groups. */
typedef struct share {
  int64_t group, first; /* the group, and its first column here */
  int columns;
} share;

static share share_of(const conv_work *s, int64_t p)
{
  const int64_t first = p % s->panels * s->width, left = s->columns - first;
  return (share){p / s->panels, first, (int)(left < s->width ? left : s->width)};
}

int64_t bpi_conv_units(const bpi_conv_tiles *t, const bpi_conv *c)
{
  const conv_work s = work_of(t, c);
  return c->kind == BPI_CONV_WEIGHTS ? s.packed * s.blocks : s.strips.count;
}

static void *moved(const conv_work *s, const void *p, int64_t elements)
{
  return (char *)p + elements * (int64_t)s->elem;
}

/* A matrix moved to where its columns lie one after another in rows `ld` apart. */
static void copy_matrix(const conv_work *s, int64_t rows, int64_t columns, const void *from, int64_t row,
                        int64_t column, void *to, int64_t ld)
{
  const int64_t dims[2] = {rows, columns}, read[2] = {row, column}, write[2] = {ld, 1};
  bpi_copy_strided(2, dims, s->elem, from, read, to, write);
}

/* ---- scratch ---- */

typedef struct conv_room {
  void *packed; /* weights, or the sums that become weights */
  int64_t *off;
  void *border; /* a strip of the image with its border */
  void *
      region; /* a strip that is made, where it may not be stored; for weights, a panel of `out` that ends inside a vector */
} conv_room;

/* Bytes of each. */
static void room_sizes(const conv_work *s, size_t *bytes)
{
  const bpi_conv *c = s->c;
  const bpi_window *w = &c->w;
  const int64_t places = s->strips.images * s->strips.rows * w->places[1], nr = s->tiles->columns;
  const int64_t packed[] = {[BPI_CONV_OUT] = s->inner * nr,
                            [BPI_CONV_IMAGE] = s->taps * s->filters * nr,
                            [BPI_CONV_WEIGHTS] = s->blocks * s->block * nr};
  const int64_t steps[] = {
      [BPI_CONV_OUT] = s->inner, [BPI_CONV_IMAGE] = s->filters, [BPI_CONV_WEIGHTS] = places};
  const int64_t region[] = {[BPI_CONV_OUT] = c->end ? places * c->filters : 0,
                            [BPI_CONV_IMAGE] =
                                c->end ? s->strips.images * s->strips.rows * w->size[1] * c->channels : 0,
                            [BPI_CONV_WEIGHTS] = places * nr};
  const bool border = c->kind != BPI_CONV_IMAGE && !inside(w) && s->strips.count > 0;
  bytes[0] = (size_t)(s->packed * packed[c->kind]) * s->elem;
  bytes[1] = (size_t)steps[c->kind] * sizeof(int64_t);
  bytes[2] =
      border
          ? (size_t)(s->strips.images * seen(w, 0, s->strips.rows) * seen(w, 1, w->places[1]) * c->channels) *
                s->elem
          : 0;
  bytes[3] = (size_t)region[c->kind] * s->elem;
  for (int i = 0; i < 4; i++)
    bytes[i] = (bytes[i] + 63) / 64 * 64;
}

size_t bpi_conv_scratch(const bpi_conv_tiles *t, const bpi_conv *c)
{
  const conv_work s = work_of(t, c);
  size_t bytes[4];
  room_sizes(&s, bytes);
  return bytes[0] + bytes[1] + bytes[2] + bytes[3];
}

static conv_room room_of(const conv_work *s, char *scratch)
{
  size_t bytes[4];
  room_sizes(s, bytes);
  return (conv_room){scratch, (int64_t *)(void *)(scratch + bytes[0]), scratch + bytes[0] + bytes[1],
                     scratch + bytes[0] + bytes[1] + bytes[2]};
}

/* ---- what a strip's places see ---- */

/* A row of the image with its border: what lies outside is 0. NULL: all of it lies outside. */
static void copy_row(const conv_work *s, const char *row, int64_t width, char *to)
{
  const bpi_window *w = &s->c->w;
  const int64_t left = w->before[1], most = width - left, mid = most < w->size[1] ? most : w->size[1];
  const size_t each = (size_t)s->c->channels * s->elem;
  if (!row) {
    memset(to, 0, (size_t)width * each);
    return;
  }
  memset(to, 0, (size_t)left * each);
  memcpy(to + (size_t)left * each, row, (size_t)mid * each);
  memset(to + (size_t)(left + mid) * each, 0, (size_t)(most - mid) * each);
}

/* step: elements between images, rows and columns there. */
static const void *strip_seen(const conv_work *s, const strip *t, void *border, int64_t *step)
{
  const bpi_conv *c = s->c;
  const bpi_window *w = &c->w;
  const int64_t line = w->size[1] * c->channels, top = t->row * w->stride[0] - w->before[0];
  step[0] = w->size[0] * line;
  step[1] = line;
  step[2] = c->channels;
  if (inside(w))
    return moved(s, c->image, t->image * step[0] + top * line);
  const int64_t rows = seen(w, 0, t->rows), width = seen(w, 1, w->places[1]);
  char *to = border;
  for (int64_t n = t->image; n < t->image + t->images; n++)
    for (int64_t r = top; r < top + rows; r++, to += (size_t)(width * c->channels) * s->elem)
      copy_row(s, r >= 0 && r < w->size[0] ? moved(s, c->image, (n * w->size[0] + r) * line) : NULL, width,
               to);
  step[1] = width * c->channels;
  step[0] = rows * step[1];
  return border;
}

/* The places of a strip, as they lie in what they see and in `out`. */
static bpi_grid places_of(const conv_work *s, const strip *t, const int64_t *step)
{
  const bpi_window *w = &s->c->w;
  const int64_t filters = s->c->filters;
  return (bpi_grid){.dims = {t->images, t->rows, w->places[1]},
                    .from = {step[0], step[1] * w->stride[0], step[2] * w->stride[1]},
                    .to = {w->places[0] * w->places[1] * filters, w->places[1] * filters, filters}};
}

/* The elements of a window, as they lie in what a strip sees and in rows `ld` apart. */
static bpi_grid window_of(const conv_work *s, const int64_t *step, int64_t ld)
{
  const bpi_window *w = &s->c->w;
  return (bpi_grid){.dims = {w->window[0], w->window[1], s->channels},
                    .from = {step[1] * w->dilation[0], step[2] * w->dilation[1], 1},
                    .to = {w->window[1] * s->channels * ld, s->channels * ld, ld}};
}

/* Hands a strip over that is made: pixels of so many channels, from pixel `row` on. */
static void end_strip(const bpi_conv *c, void *made, int64_t row, int64_t rows, int64_t channels)
{
  if (!c->end)
    return;
  const bpi_rect r = {.c = made, .ldc = channels, .row = c->end->row + row, .rows = rows, .cols = channels};
  c->end->fn(c->end->arg, &r);
}

/* ---- out ---- */

static void make_out(const conv_work *s, int64_t begin, int64_t end, const conv_room *room)
{
  const bpi_conv *c = s->c;
  const int64_t each = s->inner * s->tiles->columns;
  for (int64_t p = 0; p < s->packed; p++) {
    const share h = share_of(s, p);
    s->tiles->pack(s->inner, h.columns, moved(s, c->weights, (h.group * s->filters + h.first) * s->inner),
                   moved(s, room->packed, p * each));
  }
  for (int64_t u = begin; u < end; u++) {
    const strip t = strip_at(&s->strips, u);
    int64_t step[3];
    const void *image = strip_seen(s, &t, room->border, step);
    const bpi_grid rows = places_of(s, &t, step), window = window_of(s, step, 0);
    const int64_t place = (t.image * c->w.places[0] + t.row) * c->w.places[1];
    void *out = c->out ? moved(s, c->out, place * c->filters) : room->region;
    if (u == begin)
      grid_offsets(&window, room->off);
    for (int64_t p = 0; p < s->packed; p++) {
      const share h = share_of(s, p);
      const int64_t first = h.group * s->filters + h.first;
      const bpi_panel panel = {.steps = s->inner,
                               .off = room->off,
                               .b = moved(s, room->packed, p * each),
                               .bs = s->tiles->columns,
                               .columns = h.columns,
                               .bias = c->bias ? moved(s, c->bias, first) : NULL};
      s->tiles->run(&panel, &rows, 0, grid_size(&rows), moved(s, image, h.group * s->channels),
                    moved(s, out, first));
    }
    end_strip(c, out, place, grid_size(&rows), c->filters);
  }
}

/* ---- image ---- */

/* The first place whose element of the window, `ahead` past the place's own, is at `at` or behind. */
static int64_t first_place(int64_t at, int64_t ahead, int64_t stride, int64_t places)
{
  const int64_t place = at > ahead ? ceil_div(at - ahead, stride) : 0;
  return place < places ? place : places;
}

/* Adds what element (k, l) of the window carries back to a strip of the image. */
static void carry_back(const conv_work *s, const strip *t, const int64_t *tap, const conv_room *room,
                       void *made)
{
  const bpi_conv *c = s->c;
  const bpi_window *w = &c->w;
  const int64_t begin[2] = {t->row, 0}, end[2] = {t->row + t->rows, w->size[1]}, nr = s->tiles->columns;
  int64_t ahead[2], from[2], count[2];
  for (int i = 0; i < 2; i++) {
    ahead[i] = tap[i] * w->dilation[i] - w->before[i];
    from[i] = first_place(begin[i], ahead[i], w->stride[i], w->places[i]);
    count[i] = first_place(end[i], ahead[i], w->stride[i], w->places[i]) - from[i];
  }
  if (count[0] <= 0 || count[1] <= 0)
    return;
  const int64_t line = w->size[1] * c->channels, out_line = w->places[1] * c->filters;
  const bpi_grid rows = {.dims = {t->images, count[0], count[1]},
                         .from = {w->places[0] * out_line, out_line, c->filters},
                         .to = {w->size[0] * line, w->stride[0] * line, w->stride[1] * c->channels}};
  const int64_t read = (t->image * w->places[0] + from[0]) * out_line + from[1] * c->filters;
  const int64_t write =
      (from[0] * w->stride[0] + ahead[0] - t->row) * line + (from[1] * w->stride[1] + ahead[1]) * c->channels;
  for (int64_t p = 0; p < s->packed; p++) {
    const share h = share_of(s, p);
    const int64_t at = (p * s->taps + tap[0] * w->window[1] + tap[1]) * s->filters * nr;
    const bpi_panel panel = {.steps = s->filters,
                             .off = room->off,
                             .b = moved(s, room->packed, at),
                             .bs = nr,
                             .columns = h.columns,
                             .add = true};
    s->tiles->run(&panel, &rows, 0, grid_size(&rows), moved(s, c->out, read + h.group * s->filters),
                  moved(s, made, write + h.group * s->channels + h.first));
  }
}

/* For each element of the window: channels side by side, a filter after another. */
static void pack_channels(const conv_work *s, void *packed)
{
  const int64_t nr = s->tiles->columns;
  memset(packed, 0, (size_t)(s->packed * s->taps * s->filters * nr) * s->elem);
  for (int64_t p = 0; p < s->packed; p++) {
    const share h = share_of(s, p);
    for (int64_t tap = 0; tap < s->taps; tap++)
      copy_matrix(s, s->filters, h.columns,
                  moved(s, s->c->weights, h.group * s->filters * s->inner + tap * s->channels + h.first),
                  s->inner, 1, moved(s, packed, (p * s->taps + tap) * s->filters * nr), nr);
  }
}

static void make_image(const conv_work *s, int64_t begin, int64_t end, const conv_room *room)
{
  const bpi_conv *c = s->c;
  const bpi_window *w = &c->w;
  pack_channels(s, room->packed);
  for (int64_t f = 0; f < s->filters; f++)
    room->off[f] = f;
  for (int64_t u = begin; u < end; u++) {
    const strip t = strip_at(&s->strips, u);
    const int64_t row = (t.image * w->size[0] + t.row) * w->size[1], rows = t.images * t.rows * w->size[1];
    void *made = c->image ? moved(s, c->image, row * c->channels) : room->region;
    memset(made, 0, (size_t)(rows * c->channels) * s->elem);
    for (int64_t tap[2] = {0}; tap[0] < w->window[0]; tap[0]++)
      for (tap[1] = 0; tap[1] < w->window[1]; tap[1]++)
        carry_back(s, &t, tap, room, made);
    end_strip(c, made, row, rows, c->channels);
  }
}

/* ---- weights ---- */

/* Where the columns of a unit lie in `out`; a panel that ends inside a vector is copied, so that whole vectors can be read. */
static void columns_of(const conv_work *s, const share *h, const void *out, const conv_room *room,
                       bpi_panel *panel)
{
  const int64_t nr = s->tiles->columns;
  panel->columns = h->columns;
  panel->b = moved(s, out, h->group * s->filters + h->first);
  panel->bs = s->c->filters;
  if (h->columns == s->width)
    return;
  memset(room->region, 0, (size_t)(panel->steps * nr) * s->elem);
  copy_matrix(s, panel->steps, h->columns, panel->b, panel->bs, 1, room->region, nr);
  panel->b = room->region;
  panel->bs = nr;
}

/* Adds one strip to the sums of units [begin, end). */
static void add_strip(const conv_work *s, const strip *t, int64_t begin, int64_t end, const conv_room *room,
                      bool first)
{
  const bpi_conv *c = s->c;
  int64_t step[3];
  const void *image = strip_seen(s, t, room->border, step);
  const bpi_grid places = places_of(s, t, step), window = window_of(s, step, s->tiles->columns);
  const void *out = moved(s, c->out, (t->image * c->w.places[0] + t->row) * c->w.places[1] * c->filters);
  bpi_panel panel = {.steps = grid_size(&places), .off = room->off, .add = !first};
  grid_offsets(&places, room->off);
  for (int64_t u = begin; u < end; u++) {
    const share h = share_of(s, u / s->blocks);
    const int64_t row = u % s->blocks * s->block, left = s->inner - row;
    if (row == 0 || u == begin)
      columns_of(s, &h, out, room, &panel);
    s->tiles->run(&panel, &window, row, left < s->block ? left : s->block,
                  moved(s, image, h.group * s->channels),
                  moved(s, room->packed, ((u - begin) * s->block - row) * s->tiles->columns));
  }
}

static void make_weights(const conv_work *s, int64_t begin, int64_t end, const conv_room *room)
{
  const int64_t nr = s->tiles->columns;
  if (s->strips.count == 0)
    memset(room->packed, 0, (size_t)((end - begin) * s->block * nr) * s->elem);
  for (int64_t n = 0; n < s->strips.count; n++) {
    const strip t = strip_at(&s->strips, n);
    add_strip(s, &t, begin, end, room, n == 0);
  }
  /* Sums have the filters side by side, weights have them one after another. */
  for (int64_t u = begin; u < end; u++) {
    const share h = share_of(s, u / s->blocks);
    const int64_t row = u % s->blocks * s->block, left = s->inner - row;
    copy_matrix(s, h.columns, left < s->block ? left : s->block,
                moved(s, room->packed, (u - begin) * s->block * nr), 1, nr,
                moved(s, s->c->weights, (h.group * s->filters + h.first) * s->inner + row), s->inner);
  }
}

void bpi_convolve(const bpi_conv_tiles *t, const bpi_conv *c, int64_t begin, int64_t end, void *scratch)
{
  static void (*const make[])(const conv_work *, int64_t, int64_t, const conv_room *) = {
      [BPI_CONV_OUT] = make_out, [BPI_CONV_IMAGE] = make_image, [BPI_CONV_WEIGHTS] = make_weights};
  const conv_work s = work_of(t, c);
  const conv_room r = room_of(&s, scratch);
  make[c->kind](&s, begin, end, &r);
}
