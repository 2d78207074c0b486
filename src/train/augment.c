/* Images moved and mirrored; rows mixed. */
#include "train/augment.h"
#include "base/rng.h"

#include <math.h>
#include <string.h>

/* Apart from random nodes, initialisers and orders. */
enum { MOVE_STREAM = 0x20000010, MIX_STREAM };

bool bpi_augment_wanted(bpi_augment *a, const bp_net *net, const bp_train_options *o)
{
  *a = (bpi_augment){net, o->shift, o->flip, o->mixup};
  return o->shift > 0 || o->flip || o->mixup > 0;
}

/* Whether a pixel means the same wherever it is moved. */
static bool scaled_alike(const bpi_encoding *e)
{
  for (int64_t c = 1; c < e->cols; c++)
    if (e->mean[c] != e->mean[0] || e->scale[c] != e->scale[0])
      return false;
  return e->codings == NULL;
}

bp_status bpi_augment_check(const bp_net *net, const bp_train_options *o)
{
  const int64_t *s = net->shape;
  if (o->shift < 0 || !(o->mixup >= 0 && o->mixup <= 1000))
    return bpi_bad_arg("bp_net_train", "shift must not be negative, and mixup lie in [0, 1000]");
  if ((o->shift || o->flip) && (!s[0] || s[0] * s[1] * s[2] != net->inputs))
    return bpi_fail(BP_E_ARG,
                    "augment: shift and flip are for images, and the shape of these examples is not known; "
                    "bp_net_options.shape (bprop train: --shape) says it");
  if ((o->shift || o->flip) && !scaled_alike(&net->encoding))
    return bpi_fail(
        BP_E_ARG,
        "augment: shift and flip are for images whose pixels are scaled alike, and these are columns of "
        "a table");
  if (o->shift && (o->shift >= s[0] || o->shift >= s[1]))
    return bpi_fail(BP_E_ARG, "augment: shift is %lld, and the images are %lldx%lld", (long long)o->shift,
                    (long long)s[0], (long long)s[1]);
  if (o->mixup > 0 && net->encoding.n_embedded)
    return bpi_fail(BP_E_ARG,
                    "bp_net_train: mixup cannot mix columns that are embedded: what they hold are numbers "
                    "of categories");
  if (o->mixup > 0 && net->classes && bpi_loss_is_expression(&net->loss))
    return bpi_fail(BP_E_ARG, "bp_net_train: mixup of classes needs the loss softmax");
  return BP_OK;
}

/* ---- moving ---- */

/* What fills the border: a pixel of 0, as it is encoded. */
static double border(const bp_net *net)
{
  const bpi_encoding *e = &net->encoding;
  return (0 - (double)e->mean[0]) * (double)e->scale[0];
}

static void fill(void *row, int64_t from, int64_t n, bool narrow, double x)
{
  for (int64_t i = from; i < from + n; i++)
    if (narrow)
      ((float *)row)[i] = (float)x;
    else
      ((double *)row)[i] = x;
}

static void mirror_line(char *line, int64_t pixels, size_t bytes)
{
  char one[64];
  for (int64_t i = 0, j = pixels - 1; i < j; i++, j--)
    for (size_t at = 0; at < bytes; at += sizeof one) {
      size_t n = bytes - at < sizeof one ? bytes - at : sizeof one;
      memcpy(one, line + (size_t)i * bytes + at, n);
      memcpy(line + (size_t)i * bytes + at, line + (size_t)j * bytes + at, n);
      memcpy(line + (size_t)j * bytes + at, one, n);
    }
}

/* Down by dy and right by dx, which may be negative. Lines are taken in the order in which none is overwritten before it is moved. */
static void move(const bp_net *net, void *row, int64_t dy, int64_t dx)
{
  const int64_t *s = net->shape, line = s[1] * s[2];
  bool narrow = bp_state_real(net->state) == BP_FLOAT32;
  size_t real = narrow ? sizeof(float) : sizeof(double);
  double empty = border(net);
  int64_t kept = (s[1] - (dx < 0 ? -dx : dx)) * s[2], to = dx > 0 ? dx * s[2] : 0,
          from = dx < 0 ? -dx * s[2] : 0;
  for (int64_t k = 0; k < s[0]; k++) {
    int64_t y = dy > 0 ? s[0] - 1 - k : k, source = y - dy;
    if (source < 0 || source >= s[0]) {
      fill(row, y * line, line, narrow, empty);
      continue;
    }
    memmove((char *)row + (size_t)(y * line + to) * real, (char *)row + (size_t)(source * line + from) * real,
            (size_t)kept * real);
    fill(row, y * line + (dx > 0 ? 0 : kept), line - kept, narrow, empty);
  }
}

void bpi_augment_row(const bpi_augment *a, int64_t batch, int64_t i, void *row)
{
  const bp_net *net = a->net;
  bpi_key key = {.seed = net->seed, .step = (uint32_t)batch, .stream = MOVE_STREAM};
  uint64_t at = 3 * (uint64_t)i, places = 2 * (uint64_t)a->shift + 1;
  int64_t dy = (int64_t)bpi_below(key, at, places) - a->shift,
          dx = (int64_t)bpi_below(key, at + 1, places) - a->shift;
  if (a->flip && bpi_below(key, at + 2, 2)) {
    size_t pixel = (size_t)net->shape[2] * bp_dtype_size(bp_state_real(net->state));
    for (int64_t y = 0; y < net->shape[0]; y++)
      mirror_line((char *)row + (size_t)(y * net->shape[1]) * pixel, net->shape[1], pixel);
  }
  if (dy || dx)
    move(net, row, dy, dx);
}

/* ---- mixing ---- */

/* Draws of a key, one after another. */
typedef struct draws {
  bpi_key key;
  uint64_t next;
} draws;

/* Marsaglia & Tsang 2000; below 1 by a power of a uniform number. */
static double gamma_draw(draws *d, double alpha)
{
  double boost = 1;
  if (alpha < 1) {
    boost = pow(bpi_uniform(d->key, d->next++), 1 / alpha);
    alpha += 1;
  }
  double shape = alpha - 1.0 / 3, width = 1 / sqrt(9 * shape);
  for (;;) {
    double x = bpi_normal(d->key, d->next++), v = 1 + width * x, u = bpi_uniform(d->key, d->next++);
    v = v * v * v;
    if (v > 0 && log(u) < 0.5 * x * x + shape - shape * v + shape * log(v))
      return boost * shape * v;
  }
}

double bpi_mixup_share(const bpi_augment *a, int64_t batch)
{
  draws d = {{.seed = a->net->seed, .step = (uint32_t)batch, .stream = MIX_STREAM}, 0};
  double one = gamma_draw(&d, a->mixup), other = gamma_draw(&d, a->mixup), sum = one + other;
  /* Both may be too small for a number: then one of them had all but all of it. */
  return sum > 0 ? one / sum : (double)bpi_below(d.key, d.next, 2);
}

#define MIX(T, name)                                                 \
  static void name(T share, int64_t n, T *restrict a, T *restrict b) \
  {                                                                  \
    for (int64_t i = 0; i < n; i++) {                                \
      T x = a[i], y = b[i];                                          \
      a[i] = share * x + (1 - share) * y;                            \
      b[i] = share * y + (1 - share) * x;                            \
    }                                                                \
  }
MIX(float, mix_float)
MIX(double, mix_double)

void bpi_mixup_rows(const bpi_augment *a, double share, int64_t n, void *first, void *second)
{
  if (bp_state_real(a->net->state) == BP_FLOAT32)
    mix_float((float)share, n, first, second);
  else
    mix_double(share, n, first, second);
}
