/* What the units of a network's first layer look for: its rows of weights as images (or bars, by the names of columns), or the filters of its
 * first convolution, and below each, class
 * by class, the weight that the next layer gives it. One scale for all images, one for all bars.                                  */
#include "draw/axis.h"
#include "base/sort.h"
#include "train/net.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
  TITLE = 15,
  SMALL = 12,
  MARGIN = 16,
  ROW = 14,         /* height of a row of bars */
  LONGEST_BAR = 26, /* to either side of its middle */
  CELL = 2 * LONGEST_BAR + 14,
  LABEL_MOST = 150,
  WIDE = 900, /* about how wide the picture gets */
  IMAGE = 56, /* about how wide an image gets */
  SHOWN = 40, /* units, where nothing else is asked */
  MOST_ROWS = 60
};

typedef struct templates {
  bp_picture *p;
  const bp_net *net;
  bool grey, image;
  bool filters;   /* units are filters of a convolution, and what they look at its window */
  int rows, cols; /* of an image */
  double *first,
      *second; /* [units, inputs] and [outputs, units], NULL where there is no second layer that fits */
  int64_t units, inputs, outputs;
  int64_t *unit, *input; /* which are shown */
  int n, n_inputs;
  double first_most, second_most; /* largest weights shown, as distances from 0 */
  double side_x, side_y;          /* of an image */
  double label_width;
  int in_band;
} templates;

/* ---- weights ---- */

static double *copy_weights(bp_picture *p, const bp_net *net, int param, bp_type *type)
{
  void *data;
  if (bp_params_at(net->params, param, NULL, type, &data, NULL) != BP_OK)
    return NULL;
  int64_t n = bpi_type_size(type);
  double *w = bpi_scene_alloc(p, (size_t)n, sizeof *w);
  bool wide = bp_state_real(net->state) == BP_FLOAT64;
  for (int64_t i = 0; w && i < n; i++)
    w[i] = wide ? ((const double *)data)[i] : (double)((const float *)data)[i];
  return w;
}

/* The next matrix from parameter `at` on that has so many columns; its rows are what it makes of them. -1: none. */
static int find_matrix(const bp_net *net, int at, int64_t columns)
{
  for (; at < bp_params_count(net->params); at++) {
    bp_type type;
    if (bp_params_at(net->params, at, NULL, &type, NULL, NULL) == BP_OK && type.rank == 2 &&
        type.dims[1] == columns)
      return at;
  }
  return -1;
}

/* A column that was constant in training is 0 for the network: what weights it has do not matter. */
static void clear_constant_columns(templates *t)
{
  const bpi_encoding *e = &t->net->encoding;
  for (int64_t c = 0; c < e->cols; c++)
    for (int64_t u = 0; u < t->units && e->scale[c] == 0; u++)
      t->first[u * t->inputs + bpi_encoding_input(e, c)] = 0;
}

/* The first convolution, where images of few channels come in. -1: none. */
static int find_filters(const bp_net *net)
{
  enum { CHANNELS = 4 };
  for (int i = 0; i < bp_params_count(net->params); i++) {
    bp_type type;
    if (bp_params_at(net->params, i, NULL, &type, NULL, NULL) == BP_OK && type.rank == 4)
      return type.dims[3] <= CHANNELS ? i : -1;
  }
  return -1;
}

/* Filters [n, height, width, channels] with the channels side by side: [n, height, channels, width]. */
static void part_channels(templates *t, const bp_type *type)
{
  int64_t height = type->dims[1], width = type->dims[2], channels = type->dims[3];
  double *w = bpi_scene_alloc(t->p, (size_t)bpi_type_size(type), sizeof *w);
  for (int64_t row = 0; w && row < type->dims[0] * height; row++)
    for (int64_t k = 0; k < width * channels; k++)
      w[(row * channels + k % channels) * width + k / channels] = t->first[row * width * channels + k];
  t->first = w;
  t->rows = (int)height;
  t->cols = (int)(width * channels);
}

static bp_status read_weights(templates *t)
{
  bp_type type;
  int first = find_matrix(t->net, 0, t->net->inputs);
  if (first < 0) {
    first = find_filters(t->net);
    t->filters = true;
  }
  if (first < 0)
    return bpi_fail(BP_E_UNSUPPORTED,
                    "the network has no matrix of weights with a column for each input, and no "
                    "convolution of its images");
  t->first = copy_weights(t->p, t->net, first, &type);
  t->units = type.dims[0];
  t->inputs = bpi_type_size(&type) / t->units;
  if (t->first && t->filters)
    part_channels(t, &type);
  int second = find_matrix(t->net, first + 1, t->units);
  if (second >= 0) {
    t->second = copy_weights(t->p, t->net, second, &type);
    t->outputs = type.dims[0];
  }
  if (t->p->status != BP_OK)
    return t->p->status;
  if (!t->filters)
    clear_constant_columns(t);
  return BP_OK;
}

/* ---- what is shown ---- */

/* What unit u adds to the next layer, at most about: the norm of its weights times that of the weights it gets. */
static double strength(const templates *t, int64_t u)
{
  double in = 0, out = 0;
  for (int64_t i = 0; i < t->inputs; i++)
    in += t->first[u * t->inputs + i] * t->first[u * t->inputs + i];
  for (int64_t k = 0; t->second && k < t->outputs; k++)
    out += t->second[k * t->units + u] * t->second[k * t->units + u];
  return sqrt(in) * (t->second ? sqrt(out) : 1);
}

static double largest_weight(const templates *t, int64_t input)
{
  double most = 0;
  for (int64_t u = 0; u < t->units; u++)
    most = fmax(most, fabs(t->first[u * t->inputs + input]));
  return most;
}

typedef struct scored {
  double score;
  int64_t i;
} scored;

static int by_score(const void *a, const void *b, const void *arg)
{
  const scored *x = a, *y = b;
  (void)arg;
  return x->score != y->score ? (x->score < y->score) - (x->score > y->score) : (x->i > y->i) - (x->i < y->i);
}

static int by_number(const void *a, const void *b, const void *arg)
{
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  (void)arg;
  return (x > y) - (x < y);
}

/* Numbers of the `most` of n that score highest, in their own order. */
static int64_t *choose(templates *t, int64_t n, int most, double (*score)(const templates *t, int64_t i),
                       int *chosen)
{
  scored *all = bpi_scene_alloc(t->p, (size_t)n, sizeof *all);
  int64_t *which = bpi_scene_alloc(t->p, (size_t)n, sizeof *which);
  *chosen = n < most ? (int)n : most;
  if (!all || !which)
    return NULL;
  for (int64_t i = 0; i < n; i++)
    all[i] = (scored){score(t, i), i};
  bpi_sort(all, (size_t)n, sizeof *all, by_score, NULL);
  for (int i = 0; i < *chosen; i++)
    which[i] = all[i].i;
  bpi_sort(which, (size_t)*chosen, sizeof *which, by_number, NULL);
  return which;
}

static void find_scales(templates *t)
{
  for (int c = 0; c < t->n; c++) {
    for (int64_t i = 0; i < t->inputs; i++)
      t->first_most = fmax(t->first_most, fabs(t->first[t->unit[c] * t->inputs + i]));
    for (int64_t k = 0; t->second && k < t->outputs; k++)
      t->second_most = fmax(t->second_most, fabs(t->second[k * t->units + t->unit[c]]));
  }
}

/* ---- names ---- */

static const char *numbered(templates *t, const char *what, int64_t i)
{
  char text[40];
  snprintf(text, sizeof text, "%s%lld", what, (long long)i + 1);
  return bpi_text_fit(t->p, text, SMALL, 0, LABEL_MOST);
}

/* Of output k of the network, or of unit k of the layer before it. */
static const char *output_name(templates *t, int64_t k, int64_t outputs)
{
  const char *name = outputs == t->net->outputs ? bp_net_class_name(t->net, k) : "";
  if (!*name && outputs == t->net->outputs && outputs == 1)
    name = bp_net_target(t->net);
  if (*name)
    return bpi_text_fit(t->p, name, SMALL, 0, LABEL_MOST);
  if (outputs == t->net->outputs && t->net->classes)
    return numbered(t, "", k - 1); /* classes without names count from 0 */
  return numbered(t, outputs == t->net->outputs ? "output " : "unit ", k);
}

static const char *input_name(templates *t, int64_t i)
{
  char name[200];
  bpi_encoding_name(&t->net->encoding, i, name, sizeof name);
  return *name ? bpi_text_fit(t->p, name, SMALL, 0, LABEL_MOST) : numbered(t, "input ", i);
}

static bp_status choose_shape(templates *t, const bp_templates_options *o)
{
  int64_t rows = o->rows, cols = o->cols, shape[3];
  bool given = rows != 0 || cols != 0;
  if (!given && t->filters) {
    rows = t->rows;
    cols = t->cols;
  } else if (!given && bp_net_image(t->net, shape) && shape[0] * shape[1] == t->inputs) {
    rows = shape[0];
    cols = shape[1];
  }
  if (rows == 0 && cols == 0)
    return BP_OK;
  if (rows < 1 || cols < 1 || rows > t->inputs || cols > t->inputs || rows * cols != t->inputs)
    return bpi_fail(BP_E_SHAPE, "images of %lld by %lld do not have the %lld pixels that the network takes",
                    (long long)rows, (long long)cols, (long long)t->inputs);
  double pixel = fmax(1, round(IMAGE / (double)(rows > cols ? rows : cols)));
  t->image = true;
  t->rows = (int)rows;
  t->cols = (int)cols;
  t->side_x = fmin(pixel * (double)cols, 4 * IMAGE);
  t->side_y = fmin(pixel * (double)rows, 4 * IMAGE);
  return BP_OK;
}

/* ---- drawing ---- */

/* Weight w on a scale of -1 to 1. Grey: dark to light. */
static bpi_ink weight_ink(const templates *t, double w)
{
  double strength = fmin(fabs(w), 1) * 255;
  if (t->grey)
    return (bpi_ink){BPI_TEXT, (uint8_t)lround(127.5 - fmax(-1, fmin(w, 1)) * 127.5)};
  return (bpi_ink){w < 0 ? BPI_NEGATIVE : BPI_POSITIVE, (uint8_t)lround(strength)};
}

static double share(double w, double most)
{
  return most > 0 ? w / most : 0;
}

static void draw_image(templates *t, int64_t u, double x, double y)
{
  bpi_ink *pixel = bpi_scene_alloc(t->p, (size_t)t->inputs, sizeof *pixel);
  for (int64_t i = 0; pixel && i < t->inputs; i++)
    pixel[i] = weight_ink(t, share(t->first[u * t->inputs + i], t->first_most));
  double left = x + (CELL - t->side_x) / 2;
  if (t->side_x > CELL)
    left = x;
  bpi_box box = {floor(left), y, floor(left) + t->side_x, y + t->side_y};
  bpi_draw_image(t->p, box, t->cols, t->rows, pixel, false);
  bpi_draw_rect(t->p, (bpi_look){.line = BPI_INK(BPI_GRID), .width = 1},
                (bpi_box){box.x0 - 0.5, box.y0 - 0.5, box.x1 + 0.5, box.y1 + 0.5}, 0);
}

static double cell_width(const templates *t)
{
  return t->image ? fmax(CELL, t->side_x + 14) : CELL;
}

/* A bar to the right for a weight over 0, to the left for one under it. */
static void draw_bar(templates *t, double w, double most, double middle, double y)
{
  double length = LONGEST_BAR * share(w, most);
  bpi_ink ink = BPI_INK(w < 0 ? BPI_NEGATIVE : BPI_POSITIVE);
  if (fabs(length) >= 0.05)
    bpi_draw_rect(t->p, (bpi_look){.fill = ink},
                  (bpi_box){fmin(middle, middle + length), y + 3, fmax(middle, middle + length), y + ROW - 3},
                  0);
}

static void draw_baseline(templates *t, double middle, double y, int rows)
{
  bpi_draw_line(t->p, (bpi_look){.line = BPI_INK(BPI_AXIS), .width = 1}, (bpi_point){middle, y},
                (bpi_point){middle, y + rows * ROW});
}

/* Labels of rows, and bands of ground so that the eye keeps to a row. */
static void draw_row_labels(templates *t, double y, int rows, bool inputs)
{
  double right = MARGIN + t->label_width + 8 + t->in_band * cell_width(t);
  for (int i = 0; i < rows; i++) {
    double top = y + i * ROW;
    if (i % 2 == 0)
      bpi_draw_rect(t->p, (bpi_look){.fill = BPI_INK(BPI_GATE)}, (bpi_box){MARGIN, top, right, top + ROW}, 0);
    bpi_draw_text(t->p, (bpi_point){MARGIN + t->label_width, top + 10.8}, SMALL, BPI_END, BPI_TEXT,
                  inputs ? input_name(t, t->input[i]) : output_name(t, i, t->outputs));
  }
}

static int output_rows(const templates *t)
{
  return t->second ? (int)(t->outputs < MOST_ROWS ? t->outputs : MOST_ROWS) : 0;
}

static double first_height(const templates *t)
{
  return t->image ? t->side_y : t->n_inputs * ROW;
}

static double band_height(const templates *t)
{
  int outputs = output_rows(t);
  return 18 + first_height(t) + (outputs ? 8 + outputs * ROW : 0) + 22;
}

static void draw_unit(templates *t, int c, double x, double y)
{
  int64_t u = t->unit[c];
  double middle = floor(x + cell_width(t) / 2) + 0.5;
  const char *name =
      t->second || t->units != t->net->outputs ? numbered(t, "", u) : output_name(t, u, t->units);
  bpi_draw_text(t->p, (bpi_point){middle, y + 11}, SMALL, BPI_MIDDLE, BPI_MUTED,
                bpi_text_fit(t->p, name, SMALL, 0, cell_width(t) - 6));
  y += 18;
  if (t->image)
    draw_image(t, u, x + (cell_width(t) - CELL) / 2, y);
  for (int i = 0; !t->image && i < t->n_inputs; i++)
    draw_bar(t, t->first[u * t->inputs + t->input[i]], t->first_most, middle, y + i * ROW);
  if (!t->image)
    draw_baseline(t, middle, y, t->n_inputs);
  y += first_height(t) + 8;
  for (int k = 0; k < output_rows(t); k++)
    draw_bar(t, t->second[k * t->units + u], t->second_most, middle, y + k * ROW);
  if (output_rows(t))
    draw_baseline(t, middle, y, output_rows(t));
}

static void draw_band(templates *t, int first, double y)
{
  if (!t->image)
    draw_row_labels(t, y + 18, t->n_inputs, true);
  draw_row_labels(t, y + 18 + first_height(t) + 8, output_rows(t), false);
  for (int c = first; c < first + t->in_band && c < t->n; c++)
    draw_unit(t, c, MARGIN + t->label_width + 8 + (c - first) * cell_width(t), y);
}

/* The scale of the images: a strip from the least to the largest weight. */
static void draw_scale(templates *t, double x, double y)
{
  enum { STEPS = 64, LENGTH = 160 };
  char text[BPI_TICK_TEXT];
  bpi_ink *pixel = bpi_scene_alloc(t->p, STEPS, sizeof *pixel);
  for (int i = 0; pixel && i < STEPS; i++)
    pixel[i] = weight_ink(t, 2.0 * i / (STEPS - 1) - 1);
  bpi_draw_image(t->p, (bpi_box){x, y, x + LENGTH, y + 10}, STEPS, 1, pixel, true);
  double step = t->first_most > 0 ? pow(10, floor(log10(t->first_most)) - 1) : 1;
  const double values[] = {-t->first_most, 0, t->first_most};
  for (int i = 0; i < 3; i++) {
    bpi_number_text(values[i], i == 1 ? 1 : step, text);
    bpi_draw_text(t->p, (bpi_point){x + i * LENGTH / 2.0, y + 24}, SMALL, BPI_MIDDLE, BPI_MUTED, text);
  }
}

/* Says what the lengths of bars mean. */
static const char *scale_text(templates *t)
{
  char first[BPI_TICK_TEXT], second[BPI_TICK_TEXT], text[200];
  double one = t->first_most > 0 ? pow(10, floor(log10(t->first_most)) - 1) : 1;
  double two = t->second_most > 0 ? pow(10, floor(log10(t->second_most)) - 1) : 1;
  bpi_number_text(t->first_most, one, first);
  bpi_number_text(t->second_most, two, second);
  if (t->image && !t->second)
    return "";
  if (t->image)
    snprintf(text, sizeof text, "Bars: what the next layer gives each; the longest is %s", second);
  else if (!t->second)
    snprintf(text, sizeof text, "Bars to the right are over 0, to the left under it; the longest is %s",
             first);
  else
    snprintf(text, sizeof text,
             "Above, weights of the inputs, the longest bar %s; below, what the next layer gives each unit, "
             "the longest %s",
             first, second);
  return bpi_text_fit(t->p, text, SMALL, 0, WIDE);
}

static const char *heading(templates *t)
{
  char text[300];
  const char *what = t->second || t->units != t->net->outputs ? "units of the first layer" : "outputs";
  if (t->n < t->units)
    snprintf(text, sizeof text, "The %d strongest of %lld %s", t->n, (long long)t->units, what);
  else
    snprintf(text, sizeof text, "Weights of the %lld %s", (long long)t->units, what);
  return bpi_text_fit(t->p, text, TITLE, BPI_BOLD, WIDE);
}

static double label_width(templates *t)
{
  double width = 0;
  for (int k = 0; k < output_rows(t); k++)
    width = fmax(width, bpi_text_width(output_name(t, k, t->outputs), SMALL, 0));
  for (int i = 0; !t->image && i < t->n_inputs; i++)
    width = fmax(width, bpi_text_width(input_name(t, t->input[i]), SMALL, 0));
  return ceil(width);
}

/* Bands of equal length, as few as fit. */
static bp_status draw_all(templates *t, bp_picture **out)
{
  t->label_width = label_width(t);
  int fit = (int)fmax(1, (WIDE - 2 * MARGIN - t->label_width) / cell_width(t)),
      bands = (t->n + fit - 1) / fit;
  t->in_band = (t->n + bands - 1) / bands;
  const char *title = heading(t), *below = scale_text(t), *summary = bp_net_summary(t->net);
  double width = 2 * MARGIN + t->label_width + 8 + t->in_band * cell_width(t);
  double text = fmax(bpi_text_width(title, TITLE, BPI_BOLD), bpi_text_width(below, SMALL, 0));
  width = fmax(width, 2 * MARGIN + fmax(text, t->image ? 210 : 0));
  double y = 44;
  bpi_draw_text(t->p, (bpi_point){MARGIN, 30}, TITLE, BPI_BOLD, BPI_TEXT, title);
  bpi_draw_text(t->p, (bpi_point){MARGIN, y + 6}, SMALL, 0, BPI_MUTED,
                bpi_text_fit(t->p, summary, SMALL, 0, width - 2 * MARGIN));
  y += 20;
  for (int b = 0; b < bands; b++, y += band_height(t))
    draw_band(t, b * t->in_band, y);
  if (*below) {
    bpi_draw_text(t->p, (bpi_point){MARGIN, y + 4}, SMALL, 0, BPI_MUTED, below);
    y += 18;
  }
  if (t->image) {
    draw_scale(t, MARGIN + 22, y + 2);
    y += 36;
  }
  return bpi_scene_done(t->p, width, y + 4, title,
                        "A row of weights for each unit; below it, what the next layer makes of the unit.",
                        out);
}

bp_status bp_templates(const bp_net *net, const bp_templates_options *options, bp_picture **picture)
{
  static const bp_templates_options defaults;
  const bp_templates_options *o = options ? options : &defaults;
  if (!net || !picture)
    return bpi_bad_arg("bp_templates", "net or picture is NULL");
  *picture = NULL;
  if (o->most < 0 || o->most > 10000)
    return bpi_fail(BP_E_RANGE, "bp_templates: %lld units; 1 to 10,000 can be shown", (long long)o->most);
  templates t = {.p = bpi_scene_new(net->ctx), .net = net, .grey = o->grey};
  if (!t.p)
    return BP_E_NOMEM;
  bp_status s = read_weights(&t);
  if (s == BP_OK)
    s = choose_shape(&t, o);
  if (s != BP_OK) {
    bp_picture_free(t.p);
    return s;
  }
  t.unit = choose(&t, t.units, o->most ? (int)o->most : SHOWN, strength, &t.n);
  t.input = choose(&t, t.inputs, t.image ? 1 : MOST_ROWS, largest_weight, &t.n_inputs);
  if (t.unit && t.input)
    find_scales(&t);
  if (t.p->status == BP_OK)
    return draw_all(&t, picture);
  return bpi_scene_done(t.p, 1, 1, NULL, NULL, picture);
}
