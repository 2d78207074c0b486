/* The table of layers: what a text can say, and what each kind builds. Presets never change: they are part of what model files mean. */
#include "nn/stack.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define MUST NAN
enum { MOST = 10000000, MOST_ACROSS = 4096 };

/* ---- what several kinds share ---- */

static const int64_t *dims_of(bp_node x, int *rank)
{
  const bpi_node *v = bpi_slot(x);
  *rank = v ? v->type->rank : 0;
  return v ? v->type->dims : NULL;
}

static bool has_rank(bp_node x, int rank)
{
  int have;
  dims_of(x, &have);
  return have == rank;
}

static bp_node as_rows(bp_node x)
{
  return has_rank(x, 4) ? bp_flatten(x) : x;
}

static bp_node no_images(bpi_stack *s, bp_node x)
{
  int rank;
  const int64_t *d = dims_of(x, &rank);
  if (!d)
    return x;
  int64_t n = d[rank - 1], side = (int64_t)sqrt((double)n);
  char example[40] = "HEIGHTxWIDTHxCHANNELS";
  if (side * side == n)
    snprintf(example, sizeof example, "%lldx%lldx1", (long long)side, (long long)side);
  return bpi_node_fail(
      s->graph, BP_E_SHAPE,
      "takes images, and here are rows of %lld; say what images they are: 'reshape %s' before "
      "it, or the shape of the data (bprop train: --shape)",
      (long long)n, example);
}

/* How a layer's weights start: those of the network's last layer small, so that the first loss is that of knowing nothing, and no step is
 * spent on unlearning a random answer. */
static bp_init start_of(const bpi_stack *s, const bpi_layer *l, const char *name)
{
  bool first = strcmp(name, "layer1") == 0;
  return l == s->output && !first ? (bp_init){BP_INIT_LECUN, 0.1} : s->init;
}

static bp_node linear(bpi_stack *s, const char *name, bp_node x, int64_t units, bool bias, bp_init init)
{
  if (bias)
    return bp_dense(s->params, x, name, units, init);
  int rank;
  const int64_t *d = dims_of(x, &rank);
  if (!d)
    return x;
  int64_t dims[2] = {units, d[rank - 1]};
  bp_node w = bpi_layer_param(s->params, s->graph, name, "W", 2, dims, init);
  return bp_matmul(x, bp_transpose(w, NULL, 0));
}

/* ---- dense, maxout ---- */

enum { UNITS, DENSE_NOBIAS, PIECES = 1 };

static bp_node build_dense(bpi_stack *s, const bpi_layer *l, const char *name, bp_node x)
{
  return linear(s, name, as_rows(x), bpi_layer_whole(l, UNITS, 0), !l->value[DENSE_NOBIAS].n,
                start_of(s, l, name));
}

static bp_node build_maxout(bpi_stack *s, const bpi_layer *l, const char *name, bp_node x)
{
  int64_t pieces = bpi_layer_whole(l, PIECES, 0);
  return bp_maxout(linear(s, name, as_rows(x), bpi_layer_whole(l, UNITS, 0) * pieces, true, s->init), pieces);
}

/* ---- what slides over images ---- */

/* Window, stride and border of both axes. Border "same": as TensorFlow has it, so that ceil(size / stride) places come out. */
typedef struct slide {
  int64_t window[2], stride[2], dilation[2], pad[4];
} slide;

static void pair(const bpi_layer *l, int i, int64_t *to)
{
  to[0] = bpi_layer_whole(l, i, 0);
  to[1] = bpi_layer_whole(l, i, 1);
}

static void set_border(const bpi_layer *l, int i, const int64_t *size, slide *w)
{
  bool same = bpi_layer_number(l, i, 0) == -1;
  for (int k = 0; k < 2; k++) {
    int64_t extent = (w->window[k] - 1) * w->dilation[k] + 1, places = (size[k] - 1) / w->stride[k] + 1,
            all = (places - 1) * w->stride[k] + extent - size[k];
    all = all > 0 ? all : 0;
    w->pad[2 * k] = same ? all / 2 : bpi_layer_whole(l, i, k);
    w->pad[2 * k + 1] = same ? all - all / 2 : bpi_layer_whole(l, i, k);
  }
}

enum { FILTERS, CONV_WINDOW, CONV_STRIDE, CONV_PAD, DILATION, GROUPS, CONV_NOBIAS };

static bp_node build_conv(bpi_stack *s, const bpi_layer *l, const char *name, bp_node x)
{
  int rank;
  const int64_t *d = dims_of(x, &rank);
  if (rank != 4)
    return no_images(s, x);
  int64_t channels = d[3], filters = bpi_layer_whole(l, FILTERS, 0), groups = bpi_layer_whole(l, GROUPS, 0);
  if (channels % groups || filters % groups)
    return bpi_node_fail(s->graph, BP_E_SHAPE, "%lld groups do not divide %lld channels and %lld filters",
                         (long long)groups, (long long)channels, (long long)filters);
  slide w = {0};
  pair(l, CONV_WINDOW, w.window);
  pair(l, CONV_STRIDE, w.stride);
  pair(l, DILATION, w.dilation);
  set_border(l, CONV_PAD, d + 1, &w);
  int64_t dims[4] = {filters, w.window[0], w.window[1], channels / groups};
  bp_init init = start_of(s, l, name);
  bp_node W = bpi_layer_param(s->params, s->graph, name, "W", 4, dims, init);
  if (l->value[CONV_NOBIAS].n)
    return bp_conv2d(x, W, w.stride, 2, w.pad, 4, w.dilation, 2, groups);
  bp_node b = bpi_layer_param(s->params, s->graph, name, "b", 1, dims, bpi_bias_init(init));
  return bp_conv2d_bias(x, W, b, w.stride, 2, w.pad, 4, w.dilation, 2, groups);
}

enum { POOL_WINDOW, POOL_STRIDE, POOL_PAD };

static void pool_window(const bpi_layer *l, bp_node x, slide *w)
{
  int rank;
  const int64_t *d = dims_of(x, &rank);
  pair(l, POOL_WINDOW, w->window);
  pair(l, l->value[POOL_STRIDE].n ? POOL_STRIDE : POOL_WINDOW, w->stride);
  w->dilation[0] = w->dilation[1] = 1;
  set_border(l, POOL_PAD, d + 1, w);
}

static bp_node build_maxpool(bpi_stack *s, const bpi_layer *l, const char *name, bp_node x)
{
  (void)name;
  slide w = {0};
  if (!has_rank(x, 4))
    return no_images(s, x);
  pool_window(l, x, &w);
  return bp_max_pool2d(x, w.window, 2, w.stride, 2, w.pad, 4);
}

static bp_node build_avgpool(bpi_stack *s, const bpi_layer *l, const char *name, bp_node x)
{
  (void)name;
  slide w = {0};
  if (!has_rank(x, 4))
    return no_images(s, x);
  pool_window(l, x, &w);
  return bp_avg_pool2d(x, w.window, 2, w.stride, 2, w.pad, 4);
}

static bp_node build_globalpool(bpi_stack *s, const bpi_layer *l, const char *name, bp_node x)
{
  (void)name;
  static const int64_t axes[2] = {1, 2};
  if (!has_rank(x, 4))
    return no_images(s, x);
  return l->value[0].n ? bp_max(x, axes, 2, false) : bp_mean(x, axes, 2, false);
}

/* ---- shapes ---- */

static bp_node build_flatten(bpi_stack *s, const bpi_layer *l, const char *name, bp_node x)
{
  (void)s, (void)l, (void)name;
  return bp_flatten(x);
}

static bp_node build_reshape(bpi_stack *s, const bpi_layer *l, const char *name, bp_node x)
{
  (void)s, (void)name;
  int rank;
  const int64_t *d = dims_of(x, &rank);
  if (!d)
    return x;
  int64_t dims[1 + BPI_LAYER_NUMBERS] = {d[0]}, n = l->value[0].n, have = 1, want = 1;
  for (int i = 1; i < rank; i++)
    have *= d[i];
  for (int i = 0; i < n; i++)
    want *= dims[i + 1] = bpi_layer_whole(l, 0, i);
  if (n == 2) /* one channel */
    dims[++n] = 1;
  if (have != want)
    return bpi_node_fail(s->graph, BP_E_SHAPE, "%lld values are no %lld", (long long)have, (long long)want);
  return bp_reshape(x, dims, n + 1);
}

/* ---- dropout and norms ---- */

static bp_node build_dropout(bpi_stack *s, const bpi_layer *l, const char *name, bp_node x)
{
  (void)name;
  double rate = bpi_layer_number(l, 0, 0);
  return s->training && rate > 0 ? bp_dropout(x, s->key, rate) : x;
}

static bp_node build_layernorm(bpi_stack *s, const bpi_layer *l, const char *name, bp_node x)
{
  int rank;
  const int64_t *d = dims_of(x, &rank);
  if (!d)
    return x;
  bp_node gain =
      bpi_layer_param(s->params, s->graph, name, "gain", 1, d + rank - 1, (bp_init){BP_INIT_CONSTANT, 1});
  bp_node bias = bpi_layer_param(s->params, s->graph, name, "bias", 1, d + rank - 1, (bp_init){0});
  return bp_layer_norm(x, gain, bias, bpi_layer_number(l, 0, 0));
}

/* ---- categories ---- */

static int64_t embedding_width(const bpi_layer *l, int64_t categories)
{
  int64_t width = bpi_layer_whole(l, 0, 0), half = (categories + 1) / 2;
  return width ? width : half < 50 ? half : 50;
}

/* One column of the numbers of categories, as rows of its matrix. */
static bp_node embed(bpi_stack *s, const bpi_layer *l, int64_t k, const int64_t *d, bp_node x)
{
  char name[32];
  snprintf(name, sizeof name, "embed%lld", (long long)k + 1);
  int64_t first = d[1] - s->embedded.n + k;
  int64_t start[2] = {0, first}, stop[2] = {d[0], first + 1}, step[2] = {1, 1},
          count = s->embedded.categories[k];
  bp_node code = bp_reshape(bp_slice(x, start, 2, stop, 2, step, 2), d, 1);
  return bp_embedding(s->params, bp_cast(code, BP_INT64), name, count, embedding_width(l, count),
                      (bp_init){0});
}

static bp_node build_embedding(bpi_stack *s, const bpi_layer *l, const char *name, bp_node x)
{
  (void)name;
  int rank;
  const int64_t *d = dims_of(x, &rank);
  if (!d)
    return x;
  if (s->layers > 1)
    return bpi_node_fail(s->graph, BP_E_ARG, "must be the first layer");
  if (s->embedded.n == 0 || rank != 2)
    return bpi_node_fail(s->graph, BP_E_ARG,
                         "there are no inputs to embed: no column has that many categories");
  int64_t numbers = d[1] - s->embedded.n, start[2] = {0, 0}, stop[2] = {d[0], numbers}, step[2] = {1, 1};
  bp_node *parts = bpi_alloc(s->graph->ctx, (size_t)s->embedded.n + 1, sizeof *parts);
  if (!parts)
    return bpi_node_fail(s->graph, BP_E_NOMEM, "out of memory");
  size_t n = 0;
  if (numbers)
    parts[n++] = bp_slice(x, start, 2, stop, 2, step, 2);
  for (int64_t k = 0; k < s->embedded.n; k++)
    parts[n++] = embed(s, l, k, d, x);
  x = bp_concat(parts, n, 1);
  bpi_free(s->graph->ctx, parts);
  return x;
}

/* ---- layers in layers ---- */

/* x in the shape of y: by a dense layer, or a convolution with windows of 1 whose stride is what the sizes are apart. */
static bp_node project(bpi_stack *s, const char *name, bp_node x, bp_node y)
{
  int rank, want;
  const int64_t *from = dims_of(x, &rank), *to = dims_of(y, &want);
  if (rank == 2 && want == 2)
    return linear(s, name, x, to[1], false, s->init);
  if (rank != 4 || want != 4 || to[1] > from[1] || to[2] > from[2])
    return bpi_node_fail(s->graph, BP_E_SHAPE,
                         "what comes out cannot be added to what goes in: neither both rows, nor images that "
                         "became no larger");
  int64_t stride[2] = {(from[1] - 1) / to[1] + 1, (from[2] - 1) / to[2] + 1};
  int64_t dims[4] = {to[3], 1, 1, from[3]};
  bp_node w = bpi_layer_param(s->params, s->graph, name, "W", 4, dims, s->init);
  return bp_conv2d(x, w, stride, 2, NULL, 0, NULL, 0, 1);
}

static bp_node build_residual(bpi_stack *s, const bpi_layer *l, const char *name, bp_node x)
{
  bp_node y = bpi_stack_build(s, l->body, x);
  if (bp_failed(x) || bp_failed(y))
    return y;
  if (has_rank(y, 2))
    x = as_rows(x);
  const bpi_node *a = bpi_slot(x), *b = bpi_slot(y);
  return bp_add(bpi_same_shape(a->type, b->type) ? x : project(s, name, x, y), y);
}

static bp_node build_repeat(bpi_stack *s, const bpi_layer *l, const char *name, bp_node x)
{
  (void)name;
  for (int64_t i = 0; i < bpi_layer_whole(l, 0, 0) && !bp_failed(x); i++)
    x = bpi_stack_build(s, l->body, x);
  return x;
}

static bp_node build_nothing(bpi_stack *s, const bpi_layer *l, const char *name, bp_node x)
{
  (void)s, (void)l, (void)name;
  return x;
}

/* ---- the table ---- */

#define WHOLE(name_, lo_, hi_, preset_, what_)                                                              \
  {                                                                                                         \
    .name = (name_), .kind = BP_LAYER_WHOLE, .lo = (lo_), .hi = (hi_), .preset = (preset_), .what = (what_) \
  }
#define PAIR(name_, lo_, preset_, named_, what_)                                                             \
  {                                                                                                          \
    .name = (name_), .kind = BP_LAYER_WHOLE, .lo = (lo_), .hi = MOST_ACROSS, .preset = (preset_), .most = 2, \
    .named = (named_), .what = (what_)                                                                       \
  }
#define BORDER                                                                                          \
  {                                                                                                     \
    .name = "pad", .kind = BP_LAYER_WHOLE, .hi = MOST_ACROSS, .most = 2, .named = true, .word = "same", \
    .what = "border of zeros; same: as many places as pixels, divided by the stride"                    \
  }
#define REAL(name_, hi_, preset_, named_, what_)                                                 \
  {                                                                                              \
    .name = (name_), .kind = BP_LAYER_REAL, .hi = (hi_), .preset = (preset_), .named = (named_), \
    .what = (what_)                                                                              \
  }
#define FLAG(name_, what_)                                  \
  {                                                         \
    .name = (name_), .kind = BP_LAYER_FLAG, .what = (what_) \
  }

static const bpi_layer_kind kinds[] = {
    {.name = "dense",
     .what = "x W' + b; images as rows",
     .source = "Rosenblatt 1958",
     .prefix = "layer",
     .linear = true,
     .wants = BPI_WANTS_ROWS,
     .args = {WHOLE("units", 1, MOST, MUST, "outputs"), FLAG("nobias", "without b")},
     .build = build_dense},
    {.name = "conv",
     .what = "convolution of images",
     .source = "LeCun et al. 1989",
     .prefix = "layer",
     .linear = true,
     .wants = BPI_WANTS_IMAGES,
     .args = {WHOLE("filters", 1, MOST, MUST, "channels of the result"),
              PAIR("window", 1, MUST, false, "height and width of a filter, 3 or 3x5"),
              PAIR("stride", 1, 1, true, "pixels from window to window"),
              BORDER,
              PAIR("dilation", 1, 1, true, "distance of neighbours in a window"),
              {.name = "groups",
               .lo = 1,
               .hi = MOST,
               .preset = 1,
               .named = true,
               .what = "of channels, each with its own filters"},
              FLAG("nobias", "without b")},
     .build = build_conv},
    {.name = "maxpool",
     .what = "the largest of each window",
     .source = "Zhou & Chellappa 1988",
     .wants = BPI_WANTS_IMAGES,
     .args = {PAIR("window", 1, 2, false, "height and width"),
              PAIR("stride", 1, 0, true, "pixels from window to window; 0: as the window"), BORDER},
     .build = build_maxpool},
    {.name = "avgpool",
     .what = "the mean of each window; of a border nothing is counted",
     .source = "LeCun et al. 1989",
     .passes = true,
     .wants = BPI_WANTS_IMAGES,
     .args = {PAIR("window", 1, 2, false, "height and width"),
              PAIR("stride", 1, 0, true, "pixels from window to window; 0: as the window"), BORDER},
     .build = build_avgpool},
    {.name = "globalpool",
     .what = "the mean of each channel of an image",
     .source = "Lin, Chen & Yan 2014",
     .passes = true,
     .wants = BPI_WANTS_IMAGES,
     .args = {FLAG("max", "the largest instead")},
     .build = build_globalpool},
    {.name = "flatten",
     .what = "images as rows; dense and maxout do it by themselves",
     .passes = true,
     .wants = BPI_WANTS_ROWS,
     .build = build_flatten},
    {.name = "reshape",
     .what = "rows as images",
     .passes = true,
     .wants = BPI_WANTS_ROWS,
     .args = {{.name = "to",
               .lo = 1,
               .hi = MOST,
               .preset = MUST,
               .most = 3,
               .what = "height, width and channels: 28x28x1"}},
     .build = build_reshape},
    {.name = "dropout",
     .what = "while training, values set to 0 by chance, and the others scaled up",
     .source = "Srivastava et al. 2014",
     .args = {REAL("rate", 0.9999, MUST, false, "share of the values")},
     .build = build_dropout},
    {.name = "batchnorm",
     .what =
         "each column, or channel, brought to mean 0 and variance 1 over the batch, then scaled and moved",
     .source = "Ioffe & Szegedy 2015",
     .prefix = "norm",
     .args = {REAL("momentum", 1, 0.9, true, "of the running mean and variance, used for prediction"),
              REAL("eps", 1, 1e-5, true, "added to the variance")},
     .build = bpi_batch_norm},
    {.name = "layernorm",
     .what = "each row, or pixel, brought to mean 0 and variance 1 over its columns, or channels, then "
             "scaled and moved",
     .source = "Ba, Kiros & Hinton 2016",
     .prefix = "norm",
     .args = {REAL("eps", 1, 1e-5, true, "added to the variance")},
     .build = build_layernorm},
    {.name = "embedding",
     .what = "a learned vector for each category, in the place of its number; put in front by itself where "
             "it is needed",
     .source = "Bengio et al. 2003; Guo & Berkhahn 2016",
     .embeds = true,
     .args = {WHOLE("width", 0, 10000, 0,
                    "of a vector; 0: half as wide as there are categories, at most 50")},
     .build = build_embedding},
    {.name = "maxout",
     .what = "units that are the largest of several linear pieces",
     .source = "Goodfellow et al. 2013",
     .prefix = "layer",
     .wants = BPI_WANTS_ROWS,
     .args = {WHOLE("units", 1, MOST, MUST, "outputs"), WHOLE("pieces", 2, 100, 2, "of each unit")},
     .build = build_maxout},
    {.name = "residual",
     .what =
         "the layers in brackets, and what went in added to what comes out; projected where shapes differ",
     .source = "He et al. 2016",
     .prefix = "residual",
     .body = true,
     .build = build_residual},
    {.name = "repeat",
     .what = "the layers in brackets several times over, each time with parameters of their own",
     .body = true,
     .args = {WHOLE("times", 1, 1000, MUST, "how often")},
     .build = build_repeat},
};

const bpi_layer_kind bpi_layer_activation = {
    .name = "activation", .what = "any elementwise operation of one input", .build = build_nothing};

const bpi_layer_kind *bpi_layer_kind_at(int i)
{
  return i >= 0 && i < (int)(sizeof kinds / sizeof *kinds) ? &kinds[i] : NULL;
}

const bpi_layer_kind *bpi_layer_kind_find(const char *name, size_t n)
{
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
    if (strlen(kinds[i].name) == n && memcmp(kinds[i].name, name, n) == 0)
      return &kinds[i];
  return NULL;
}

int bpi_layer_args(const bpi_layer_kind *k)
{
  int n = 0;
  while (n < BP_LAYER_ARGS && k->args[n].name)
    n++;
  return n;
}
