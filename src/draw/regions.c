/* What a network of two inputs answers all over the plane: classes as grounds, stronger where it is surer, with a line where the answer
 * changes and a mark for each example; numbers as a ground that darkens, with lines of equal value.                               */
#include "draw/axis.h"
#include "draw/contour.h"
#include "draw/legend.h"
#include "train/net.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
  TITLE = 15,
  STEP = 2,      /* units between places that are asked */
  FAINT = 28,    /* strength of a ground where the network is not sure at all, */
  STRONG = 112,  /* where it is certain, */
  DARKEST = 190, /* and of the largest number */
  MOST_POINTS = 2000,
  MOST_CLASSES = 20, /* in the legend */
  SCALE_ROOM = 96    /* for the scale of numbers */
};

typedef struct regions {
  bp_picture *p;
  bp_net *net;
  const bp_data *data;
  const bp_regions_options *o;
  bpi_match match; /* of the data */
  double width, height;
  bpi_box frame;
  bpi_axis x, y, z; /* z: of numbers */
  int cols, rows, outputs;
  double *field; /* [outputs, rows, cols] */
  float *answer; /* [outputs], for one example */
  bpi_legend_entry entry[MOST_CLASSES + 1];
  int n_entries;
  bool wrong; /* an example is answered wrongly */
} regions;

/* ---- the plane ---- */

static int input_column(const regions *t, int input)
{
  return t->match.column ? t->match.column[input] : input;
}

/* Row i of the data, in the columns of the network. */
static bool example(const regions *t, int64_t i, float *row, float x[2])
{
  if (bp_data_row(t->data, i, row) != BP_OK)
    return false;
  for (int k = 0; k < 2; k++)
    x[k] = row[input_column(t, k)];
  return true;
}

/* What was asked for, else where the examples lie, else where the network was trained: three deviations around the mean. */
static bpi_range input_range(const regions *t, int input, float *row)
{
  bpi_range r = {0};
  double lo = input ? t->o->y_lo : t->o->x_lo, hi = input ? t->o->y_hi : t->o->x_hi;
  float x[2];
  if (lo < hi)
    return (bpi_range){lo, hi, true};
  for (int64_t i = 0; t->data && i < bp_data_rows(t->data); i++)
    if (example(t, i, row, x))
      bpi_range_add(&r, x[input], false);
  if (r.any)
    return r;
  double mean = t->net->encoding.mean[input], scale = t->net->encoding.scale[input];
  double by = scale > 0 ? 3 / scale : 1;
  return (bpi_range){mean - by, mean + by, true};
}

static void make_axes(regions *t, float *row)
{
  bool asked_x = t->o->x_lo < t->o->x_hi, asked_y = t->o->y_lo < t->o->y_hi;
  int wanted_x = (int)fmax(2, (t->frame.x1 - t->frame.x0) / 80),
      wanted_y = (int)fmax(2, (t->frame.y1 - t->frame.y0) / 50);
  bpi_axis_make(&t->x, input_range(t, 0, row), false, asked_x ? 0 : 0.08, wanted_x, t->frame.x0, t->frame.x1);
  bpi_axis_make(&t->y, input_range(t, 1, row), false, asked_y ? 0 : 0.08, wanted_y, t->frame.y1, t->frame.y0);
}

/* A row of places at a time. */
static bp_status ask_everywhere(regions *t)
{
  size_t all = (size_t)t->outputs * (size_t)t->rows * (size_t)t->cols;
  t->field = bpi_scene_alloc(t->p, all, sizeof *t->field);
  float *x = bpi_scene_alloc(t->p, 2 * (size_t)t->cols, sizeof *x);
  float *out = bpi_scene_alloc(t->p, (size_t)t->outputs * (size_t)t->cols, sizeof *out);
  bp_status s = t->p->status;
  for (int j = 0; j < t->rows && s == BP_OK; j++) {
    double y = t->y.hi + (j + 0.5) / t->rows * (t->y.lo - t->y.hi);
    for (int i = 0; i < t->cols; i++) {
      x[2 * i] = (float)(t->x.lo + (i + 0.5) / t->cols * (t->x.hi - t->x.lo));
      x[2 * i + 1] = (float)y;
    }
    s = bp_net_predict(t->net, x, t->cols, out);
    for (int i = 0; i < t->cols && s == BP_OK; i++)
      for (int k = 0; k < t->outputs; k++)
        t->field[((size_t)k * (size_t)t->rows + (size_t)j) * (size_t)t->cols + (size_t)i] =
            out[i * t->outputs + k];
  }
  return s;
}

static size_t places(const regions *t)
{
  return (size_t)t->rows * (size_t)t->cols;
}

/* ---- classes ---- */

static int winner(const regions *t, size_t at)
{
  int best = 0;
  for (int k = 1; k < t->outputs; k++)
    if (t->field[(size_t)k * places(t) + at] > t->field[(size_t)best * places(t) + at])
      best = k;
  return best;
}

static bpi_ink class_ground(const regions *t, int k, double p)
{
  double least = 1.0 / t->outputs, sure = isfinite(p) ? fmax(0, fmin(1, (p - least) / (1 - least))) : 0;
  return (bpi_ink){(uint8_t)bpi_series_role(k), (uint8_t)lround(FAINT + sure * (STRONG - FAINT))};
}

/* How far class k is ahead of all others: 0 on its border. */
static void lead_of(const regions *t, int k, double *lead)
{
  for (size_t at = 0; at < places(t); at++) {
    double other = -INFINITY;
    for (int m = 0; m < t->outputs; m++)
      if (m != k)
        other = fmax(other, t->field[(size_t)m * places(t) + at]);
    lead[at] = t->field[(size_t)k * places(t) + at] - other;
  }
}

/* The middles of the first and last places: where the field is known. */
static bpi_box field_box(const regions *t)
{
  double dx = (t->frame.x1 - t->frame.x0) / t->cols / 2, dy = (t->frame.y1 - t->frame.y0) / t->rows / 2;
  return (bpi_box){t->frame.x0 + dx, t->frame.y0 + dy, t->frame.x1 - dx, t->frame.y1 - dy};
}

static void draw_classes(regions *t)
{
  bpi_look border = {.line = BPI_INK(BPI_EDGE), .width = 1.5};
  bpi_ink *pixel = bpi_scene_alloc(t->p, places(t), sizeof *pixel);
  double *lead = bpi_scene_alloc(t->p, places(t), sizeof *lead);
  if (!pixel || !lead)
    return;
  for (size_t at = 0; at < places(t); at++) {
    int k = winner(t, at);
    pixel[at] = class_ground(t, k, t->field[(size_t)k * places(t) + at]);
  }
  bpi_draw_image(t->p, t->frame, t->cols, t->rows, pixel, true);
  for (int k = t->outputs == 2; k < t->outputs; k++) { /* two classes have one border */
    lead_of(t, k, lead);
    bpi_draw_contour(t->p, border, field_box(t), lead, t->cols, t->rows, 0);
  }
}

/* ---- numbers ---- */

static bpi_ink number_ground(const regions *t, double value)
{
  double share = isfinite(value) ? (value - t->z.lo) / (t->z.hi - t->z.lo) : 0;
  return (bpi_ink){BPI_SERIES1, (uint8_t)lround(DARKEST * fmax(0, fmin(1, share)))};
}

static void draw_numbers(regions *t)
{
  bpi_look line = {.line = BPI_INK(BPI_EDGE), .width = 1};
  bpi_ink *pixel = bpi_scene_alloc(t->p, places(t), sizeof *pixel);
  for (size_t at = 0; pixel && at < places(t); at++)
    pixel[at] = number_ground(t, t->field[at]);
  bpi_draw_image(t->p, t->frame, t->cols, t->rows, pixel, true);
  for (int i = 0; i < t->z.n_ticks; i++)
    bpi_draw_contour(t->p, line, field_box(t), t->field, t->cols, t->rows, t->z.tick[i]);
}

/* The strip that says which ground is which number, with the same lines. */
static void draw_scale(regions *t)
{
  enum { PARTS = 64, BROAD = 14 };
  double x = t->frame.x1 + 20;
  bpi_ink *pixel = bpi_scene_alloc(t->p, PARTS, sizeof *pixel);
  for (int i = 0; pixel && i < PARTS; i++)
    pixel[i] = number_ground(t, t->z.hi + (i + 0.5) / PARTS * (t->z.lo - t->z.hi));
  bpi_draw_image(t->p, (bpi_box){x, t->frame.y0, x + BROAD, t->frame.y1}, 1, PARTS, pixel, true);
  bpi_draw_rect(t->p, (bpi_look){.line = BPI_INK(BPI_AXIS), .width = 1},
                (bpi_box){x - 0.5, t->frame.y0 - 0.5, x + BROAD + 0.5, t->frame.y1 + 0.5}, 0);
  for (int i = 0; i < t->z.n_ticks; i++) {
    double y = floor(bpi_axis_at(&t->z, t->z.tick[i])) + 0.5;
    bpi_draw_line(t->p, (bpi_look){.line = BPI_INK(BPI_EDGE), .width = 1}, (bpi_point){x, y},
                  (bpi_point){x + BROAD, y});
    bpi_draw_text(t->p, (bpi_point){x + BROAD + 6, y + 0.36 * BPI_TICK_SIZE}, BPI_TICK_SIZE, 0, BPI_MUTED,
                  t->z.text[i]);
  }
}

/* ---- examples ---- */

/* Every so many rows, so that at most MOST_POINTS are drawn. */
static int64_t stride(const regions *t)
{
  return (bp_data_rows(t->data) + MOST_POINTS - 1) / MOST_POINTS;
}

/* The class of the network that row i has; -1: none. */
static int64_t class_of(const regions *t, int64_t i)
{
  int64_t label = bp_data_label(t->data, i);
  return label >= 0 ? bpi_match_label(&t->match, label) : label;
}

/* Whether the network answers another class than k; of equal ones it takes the first, and NaN is none. */
static bool is_wrong(regions *t, const float *x, int64_t k)
{
  bool right = true;
  bp_status s = bp_net_predict(t->net, x, 1, t->answer);
  if (s != BP_OK) {
    bpi_scene_fail(t->p, s);
    return false;
  }
  for (int64_t c = 0; c < t->outputs; c++)
    right = right && (c < k ? t->answer[k] > t->answer[c] : t->answer[k] >= t->answer[c]);
  return !right;
}

static void draw_example(regions *t, int64_t i, float *row)
{
  float x[2];
  if (!example(t, i, row, x))
    return;
  bpi_point at = {bpi_axis_at(&t->x, x[0]), bpi_axis_at(&t->y, x[1])};
  if (!(at.x >= t->frame.x0 && at.x <= t->frame.x1 && at.y >= t->frame.y0 && at.y <= t->frame.y1))
    return;
  int64_t k = t->net->classes ? class_of(t, i) : -1;
  bool wrong = k >= 0 && is_wrong(t, x, k);
  bpi_look look = {.fill = BPI_INK(k >= 0 ? bpi_series_role((int)k) : BPI_TEXT),
                   .line = BPI_INK(BPI_PAPER),
                   .width = 0.75};
  if (!t->net->classes && bp_data_classes(t->data) == 0 && t->data->all->y)
    look.fill = number_ground(t, (double)t->data->all->y[bpi_data_at(t->data, i) * t->data->all->n_y]);
  if (wrong || (!t->net->classes))
    look.line = BPI_INK(BPI_TEXT);
  look.width = wrong ? 1.6 : 0.75;
  t->wrong = t->wrong || wrong;
  bpi_draw_mark(t->p, k >= 0 ? (int)(k % BPI_MARKS) : 0, look, at, wrong ? 4.2 : 3.6);
}

static void draw_examples(regions *t, float *row)
{
  t->answer = t->data ? bpi_scene_alloc(t->p, (size_t)t->outputs, sizeof *t->answer) : NULL;
  if (!t->answer)
    return;
  bpi_draw_open(t->p, "examples");
  for (int64_t i = 0; i < bp_data_rows(t->data); i += stride(t))
    draw_example(t, i, row);
  bpi_draw_close(t->p);
}

/* ---- legend and layout ---- */

static void collect_classes(regions *t)
{
  for (int k = 0; k < t->net->classes && k < MOST_CLASSES; k++) {
    char number[24];
    const char *name = bp_net_class_name(t->net, k);
    snprintf(number, sizeof number, "%d", k);
    t->entry[t->n_entries++] = (bpi_legend_entry){
        .label = bpi_text_fit(t->p, *name ? name : number, BPI_LEGEND_SIZE, 0, t->width / 4),
        .ground = class_ground(t, k, 1),
        .mark =
            t->data
                ? (bpi_look){.fill = BPI_INK(bpi_series_role(k)), .line = BPI_INK(BPI_PAPER), .width = 0.75}
                : (bpi_look){.width = 0},
        .shape = k % BPI_MARKS};
  }
}

static const char *column_name(const regions *t, int k)
{
  const char *name = bp_net_col_name(t->net, k);
  return *name ? name : k ? "input 2" : "input 1";
}

static void lay_out(regions *t, float *row)
{
  double legend = t->n_entries ? fmax(bpi_legend_width(t->entry, t->n_entries, t->width / 4),
                                      BPI_LEGEND_SAMPLE + bpi_text_width("wrong", BPI_LEGEND_SIZE, 0))
                               : 0;
  t->frame = (bpi_box){60, 66, t->width - (legend > 0 ? legend + 28 : SCALE_ROOM), t->height - 52};
  for (int round = 0; round < 2; round++) { /* the numbers of the y axis say how broad they are */
    make_axes(t, row);
    t->frame.x0 = ceil(16 + bpi_axis_width(&t->y) + 9);
  }
  make_axes(t, row);
  t->cols = (int)fmax(2, (t->frame.x1 - t->frame.x0) / STEP);
  t->rows = (int)fmax(2, (t->frame.y1 - t->frame.y0) / STEP);
}

static void find_numbers(regions *t)
{
  bpi_range r = {0};
  for (size_t at = 0; at < places(t); at++)
    bpi_range_add(&r, t->field[at], false);
  bpi_axis_make(&t->z, r, false, 0, 8, t->frame.y1, t->frame.y0);
}

static const char *title_of(regions *t)
{
  char text[400];
  const char *target = bp_net_target(t->net);
  snprintf(text, sizeof text, "%.200s%s%.150s", target, *target ? ", " : "", bp_net_summary(t->net));
  return bpi_text_fit(t->p, text, TITLE, BPI_BOLD, t->width - 32);
}

static void draw_numbers_label(regions *t)
{
  const char *target = bp_net_target(t->net);
  bpi_draw_text(t->p, (bpi_point){t->frame.x1 + 20, t->frame.y0 - 12}, BPI_LABEL_SIZE, 0, BPI_TEXT,
                bpi_text_fit(t->p, *t->z.factor ? t->z.factor : target, BPI_LABEL_SIZE, 0, SCALE_ROOM - 24));
}

static bp_status draw_regions(regions *t, float *row)
{
  bp_status s = ask_everywhere(t);
  if (s != BP_OK)
    return bpi_scene_fail(t->p, s);
  bpi_draw_text(t->p, (bpi_point){16, 30}, TITLE, BPI_BOLD, BPI_TEXT, title_of(t));
  if (t->net->classes)
    draw_classes(t);
  else {
    find_numbers(t);
    draw_numbers(t);
    draw_scale(t);
    draw_numbers_label(t);
  }
  bpi_draw_axes(t->p, &t->x, &t->y, column_name(t, 0), column_name(t, 1), false);
  draw_examples(t, row);
  if (t->wrong)
    t->entry[t->n_entries++] =
        (bpi_legend_entry){.label = "wrong",
                           .mark = {.fill = BPI_INK(BPI_PAPER), .line = BPI_INK(BPI_TEXT), .width = 1.6},
                           .shape = 0};
  double width = t->width - t->frame.x1 - 28;
  bpi_draw_legend(t->p, t->entry, t->n_entries, (bpi_point){t->frame.x1 + 14, t->frame.y0}, width);
  return BP_OK;
}

static bp_status check_regions(const bp_net *net, const bp_regions_options *o, double width, double height)
{
  const double range[] = {o->x_lo, o->x_hi, o->y_lo, o->y_hi};
  const bpi_encoding *e = &net->encoding;
  if (e->cols != 2)
    return bpi_fail(BP_E_UNSUPPORTED, "regions are drawn of networks with two inputs; this one has %lld",
                    (long long)e->cols);
  if (e->fields && (e->fields[0].texts || e->fields[1].texts))
    return bpi_fail(BP_E_UNSUPPORTED, "regions are drawn over two numbers, and '%s' has categories",
                    e->fields[e->fields[0].texts ? 0 : 1].name);
  if (!(width >= 240 && width <= 4000 && height >= 200 && height <= 4000))
    return bpi_fail(BP_E_RANGE,
                    "bp_regions: a picture of %g by %g; 240 by 200 to 4,000 by 4,000 are possible", width,
                    height);
  for (int i = 0; i < 4; i++)
    if (!isfinite(range[i]) || fabs(range[i]) > 1e30 || (i % 2 && range[i] < range[i - 1]))
      return bpi_fail(BP_E_RANGE, "bp_regions: an axis cannot go from %g to %g", range[i / 2 * 2],
                      range[i / 2 * 2 + 1]);
  return BP_OK;
}

/* Of rows in a file, those that are drawn are brought into memory. */
static bp_status take_examples(regions *t, bp_data **own)
{
  int64_t at[MOST_POINTS], n = 0, every = t->data && t->data->all->spool ? stride(t) : 0;
  for (int64_t i = 0; every && i < bp_data_rows(t->data); i += every)
    at[n++] = i;
  bp_status s = every ? bp_data_part(t->data, at, n, own) : BP_OK;
  t->data = *own ? *own : t->data;
  return s;
}

bp_status bp_regions(bp_net *net, const bp_data *data, const bp_regions_options *options,
                     bp_picture **picture)
{
  static const bp_regions_options defaults;
  if (!net || !picture)
    return bpi_bad_arg("bp_regions", "net or picture is NULL");
  *picture = NULL;
  regions t = {.net = net, .data = data, .o = options ? options : &defaults, .outputs = (int)net->outputs};
  t.width = t.o->width != 0 ? t.o->width : 640;
  t.height = t.o->height != 0 ? t.o->height : 460;
  bp_data *own = NULL;
  bp_status s = check_regions(net, t.o, t.width, t.height);
  if (s == BP_OK)
    s = take_examples(&t, &own);
  if (s == BP_OK && data)
    s = bpi_net_match(net, t.data, false, &t.match);
  if (s != BP_OK) {
    bp_data_free(own);
    return s;
  }
  float *row = bpi_alloc(net->ctx, data ? (size_t)bp_data_cols(data) : 1, sizeof *row);
  t.p = row ? bpi_scene_new(net->ctx) : NULL;
  s = t.p ? BP_OK : bpi_nomem();
  if (s == BP_OK) {
    collect_classes(&t);
    lay_out(&t, row);
    draw_regions(&t, row);
    s = bpi_scene_done(t.p, t.width, t.height, bp_net_summary(net),
                       "What the network answers for every pair of inputs", picture);
  }
  bpi_free(net->ctx, row);
  bpi_match_clear(&t.match);
  bp_data_free(own);
  return s;
}
