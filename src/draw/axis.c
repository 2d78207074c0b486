/* Axes and their ticks. */
#include "draw/axis.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Past this, differences of numbers could overflow; below its reciprocal, quotients. */
#define HUGE_VALUE 1e300

void bpi_range_add(bpi_range *r, double value, bool log)
{
  if (!isfinite(value) || (log && value <= 0))
    return;
  value = fmax(log ? 1 / HUGE_VALUE : -HUGE_VALUE, fmin(value, HUGE_VALUE));
  r->lo = r->any ? fmin(r->lo, value) : value;
  r->hi = r->any ? fmax(r->hi, value) : value;
  r->any = true;
}

static void format(char *out, size_t size, const char *fmt, ...) BP_PRINTF(3, 4);
static void format(char *out, size_t size, const char *fmt, ...)
{
  va_list ap;
  va_start(ap, fmt);
  bpi_vformat(out, size, fmt, ap);
  va_end(ap);
}

/* Puts the minus sign (U+2212) where a hyphen begins the number. */
static void true_minus(char text[BPI_TICK_TEXT])
{
  char number[BPI_TICK_TEXT];
  if (text[0] != '-')
    return;
  snprintf(number, sizeof number, "%s", text + 1);
  snprintf(text, BPI_TICK_TEXT, "−%.36s", number);
}

void bpi_number_text(double value, double step, char text[BPI_TICK_TEXT])
{
  int places = (int)fmax(0, -floor(log10(step) + 1e-9));
  double biggest = fabs(value) / step;
  if (fabs(value) < step * 1e-6)
    value = 0; /* no -0, no remainder of a sum */
  if (!isfinite(biggest) || places > 12 || fabs(value) >= 1e7)
    format(text, BPI_TICK_TEXT, "%.3g", value);
  else
    format(text, BPI_TICK_TEXT, "%.*f", places, value);
  true_minus(text);
}

/* ten to a whole power, in superscript: "10⁻³" */
static void power_text(int exponent, char text[BPI_TICK_TEXT])
{
  static const char *const digits[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
  char plain[8];
  size_t n = 2;
  memcpy(text, "10", 3);
  format(plain, sizeof plain, "%d", exponent);
  for (const char *c = plain; *c; c++) {
    const char *s = *c == '-' ? "⁻" : digits[*c - '0'];
    memcpy(text + n, s, strlen(s) + 1);
    n += strlen(s);
  }
}

/* ---- ticks ---- */

/* The round step (1, 2, 5 times a power of ten) that makes about `wanted` parts of the range. */
static double round_step(double range, int wanted)
{
  double raw = range / wanted, power = pow(10, floor(log10(raw))), head = raw / power;
  return power * (head < 1.5 ? 1 : head < 3.5 ? 2 : head < 7.5 ? 5 : 10);
}

/* Numbers of over five digits, or with many zeros behind the point, are written as multiples of a power of ten. */
static int common_power(const bpi_axis *a, double step)
{
  double biggest = fmax(fabs(a->lo), fabs(a->hi));
  int power = (int)floor(log10(biggest) + 1e-9);
  return biggest >= 1e5 || (biggest < 1e-3 && step < 1e-3) ? power : 0;
}

static void linear_ticks(bpi_axis *a, int wanted)
{
  double step = round_step(a->hi - a->lo, wanted), first = ceil(a->lo / step - 1e-9);
  int power = common_power(a, step);
  double unit = pow(10, power);
  if (power) {
    char text[BPI_TICK_TEXT];
    power_text(power, text);
    snprintf(a->factor, sizeof a->factor, "×%.20s", text);
  }
  for (int i = 0; i < BPI_MOST_TICKS && (first + i) * step <= a->hi + step * 1e-9; i++) {
    a->tick[i] = (first + i) * step;
    bpi_number_text(a->tick[i] / unit, step / unit, a->text[i]);
    a->n_ticks = i + 1;
  }
}

typedef enum tick_text { NO_TEXT, NUMBER, POWER } tick_text;

static void add_log_tick(bpi_axis *a, int head, int exponent, tick_text how)
{
  double value = head * pow(10, exponent);
  if (a->n_ticks == BPI_MOST_TICKS || value < a->lo * (1 - 1e-9) || value > a->hi * (1 + 1e-9))
    return;
  char *text = a->text[a->n_ticks];
  a->tick[a->n_ticks++] = value;
  if (how == NUMBER)
    bpi_number_text(value, pow(10, exponent), text);
  else if (how == POWER) {
    char power[BPI_TICK_TEXT];
    power_text(exponent, power);
    if (head > 1)
      snprintf(text, BPI_TICK_TEXT, "%d·%.20s", head, power);
    else
      memcpy(text, power, sizeof power);
  }
}

/* Powers of ten have numbers, or every so many of them; small ticks stand between where there are few. 2 and 5 have numbers where there are
 * less than three powers; round steps do where there is not one. */
static void log_ticks(bpi_axis *a, int wanted)
{
  enum { SMALL = 6, MANY = 24 };
  double range = log10(a->hi) - log10(a->lo);
  int first = (int)floor(log10(a->lo) + 1e-9), last = (int)ceil(log10(a->hi) - 1e-9);
  int every = (last - first) / (wanted + 1) + 1;
  if (range < 0.7) {
    linear_ticks(a, wanted);
    return;
  }
  bool plain = first >= -4 && last <= 5, fine = range < 0.5 * wanted;
  tick_text number = plain ? NUMBER : POWER;
  for (int e = first; e <= last; e += last - first > MANY ? every : 1) {
    add_log_tick(a, 1, e, (e - first) % every ? NO_TEXT : number);
    for (int head = 2; head < 10 && last - first <= SMALL; head++)
      add_log_tick(a, head, e, fine && (head == 2 || head == 5) ? number : NO_TEXT);
  }
}

/* ---- axes ---- */

/* A range that can be drawn: not a point, not so narrow that numbers cannot be told apart. */
static bpi_range drawable(bpi_range r, bool log)
{
  if (!r.any)
    return (bpi_range){log ? 0.1 : 0, log ? 10 : 1, true};
  double size = fmax(fabs(r.lo), fabs(r.hi));
  if (log && r.hi <= r.lo * (1 + 1e-9))
    return (bpi_range){fmax(r.lo / 3, 1e-307), r.hi * 3, true};
  if (!log && r.hi - r.lo <= fmax(size * 1e-9, 1e-290)) {
    double by = size < 1e-280 ? 1 : size / 2;
    return (bpi_range){r.lo - by, r.hi + by, true};
  }
  return r;
}

void bpi_axis_make(bpi_axis *a, bpi_range r, bool log, double pad, int wanted, double from, double to)
{
  r = drawable(r, log);
  *a = (bpi_axis){.lo = r.lo, .hi = r.hi, .log = log, .from = from, .to = to};
  if (pad > 0 && log) {
    double factor = pow(10, pad * (log10(r.hi) - log10(r.lo)));
    a->lo = fmax(r.lo / factor, 1e-307);
    a->hi = fmin(r.hi * factor, 1e307);
  } else if (pad > 0) {
    a->lo -= pad * (r.hi - r.lo);
    a->hi += pad * (r.hi - r.lo);
  }
  (log ? log_ticks : linear_ticks)(a, wanted);
}

double bpi_axis_at(const bpi_axis *a, double value)
{
  double share = a->log ? value > 0 ? (log10(value) - log10(a->lo)) / (log10(a->hi) - log10(a->lo)) : NAN
                        : (value - a->lo) / (a->hi - a->lo);
  return a->from + share * (a->to - a->from);
}

double bpi_axis_width(const bpi_axis *a)
{
  double width = 0;
  for (int i = 0; i < a->n_ticks; i++)
    width = fmax(width, bpi_text_width(a->text[i], BPI_TICK_SIZE, 0));
  return width;
}

/* The middle of a pixel, so that a line of width 1 is sharp. */
static double sharp(double x)
{
  return floor(x) + 0.5;
}

static void draw_grid(bp_picture *p, const bpi_axis *x, const bpi_axis *y)
{
  bpi_look line = {.line = BPI_INK(BPI_GRID), .width = 1}, zero = {.line = BPI_INK(BPI_AXIS), .width = 1};
  for (int i = 0; i < x->n_ticks; i++) {
    double at = sharp(bpi_axis_at(x, x->tick[i]));
    if (*x->text[i])
      bpi_draw_line(p, x->tick[i] == 0 ? zero : line, (bpi_point){at, y->from}, (bpi_point){at, y->to});
  }
  for (int i = 0; i < y->n_ticks; i++) {
    double at = sharp(bpi_axis_at(y, y->tick[i]));
    if (*y->text[i])
      bpi_draw_line(p, y->tick[i] == 0 ? zero : line, (bpi_point){x->from, at}, (bpi_point){x->to, at});
  }
}

enum { TICK = 5, SMALL_TICK = 3, GAP = 4 };

/* A number is left out where the one before it, or the edge of the picture, leaves no room. */
static void draw_x_ticks(bp_picture *p, const bpi_axis *x, double y)
{
  bpi_look line = {.line = BPI_INK(BPI_AXIS), .width = 1};
  double end = -INFINITY;
  for (int i = 0; i < x->n_ticks; i++) {
    double at = bpi_axis_at(x, x->tick[i]), half = bpi_text_width(x->text[i], BPI_TICK_SIZE, 0) / 2;
    bpi_draw_line(p, line, (bpi_point){sharp(at), y},
                  (bpi_point){sharp(at), y + (half > 0 ? TICK : SMALL_TICK)});
    if (half == 0 || at - half < fmax(end + GAP, 1) || at + half > x->to + 18)
      continue;
    bpi_draw_text(p, (bpi_point){at, y + 18}, BPI_TICK_SIZE, BPI_MIDDLE, BPI_MUTED, x->text[i]);
    end = at + half;
  }
}

static void draw_y_ticks(bp_picture *p, const bpi_axis *y, double x)
{
  bpi_look line = {.line = BPI_INK(BPI_AXIS), .width = 1};
  double end = INFINITY;
  for (int i = 0; i < y->n_ticks; i++) {
    double at = bpi_axis_at(y, y->tick[i]);
    bool number = *y->text[i] && end - at >= BPI_TICK_SIZE + 1;
    bpi_draw_line(p, line, (bpi_point){x - (*y->text[i] ? TICK : SMALL_TICK), sharp(at)},
                  (bpi_point){x, sharp(at)});
    if (!number)
      continue;
    bpi_draw_text(p, (bpi_point){x - 9, at + 0.36 * BPI_TICK_SIZE}, BPI_TICK_SIZE, BPI_END, BPI_MUTED,
                  y->text[i]);
    end = at;
  }
}

/* A label with the factor of its axis behind it. */
static const char *with_factor(bp_picture *p, const bpi_axis *a, const char *label, double width)
{
  if (!*a->factor)
    return bpi_text_fit(p, label, BPI_LABEL_SIZE, 0, width);
  double room = width - bpi_text_width(a->factor, BPI_LABEL_SIZE, 0) - 8;
  const char *fitted = bpi_text_fit(p, label, BPI_LABEL_SIZE, 0, room);
  size_t n = strlen(fitted) + strlen(a->factor) + 2;
  char *text = bpi_scene_alloc(p, n, 1);
  if (!text)
    return "";
  snprintf(text, n, "%s%s%s", fitted, *fitted ? " " : "", a->factor);
  return text;
}

void bpi_draw_axes(bp_picture *p, const bpi_axis *x, const bpi_axis *y, const char *x_label,
                   const char *y_label, bool grid)
{
  bpi_look frame = {.line = BPI_INK(BPI_AXIS), .width = 1};
  double left = x->from - 9 - bpi_axis_width(y);
  if (grid)
    draw_grid(p, x, y);
  draw_x_ticks(p, x, y->from);
  draw_y_ticks(p, y, x->from);
  bpi_draw_rect(p, frame, (bpi_box){sharp(x->from), sharp(y->to), sharp(x->to), sharp(y->from)}, 0);
  bpi_draw_text(p, (bpi_point){(x->from + x->to) / 2, y->from + 38}, BPI_LABEL_SIZE, BPI_MIDDLE, BPI_TEXT,
                with_factor(p, x, x_label ? x_label : "", x->to - x->from));
  /* above the axis, to be read without turning one's head */
  bpi_draw_text(p, (bpi_point){left, y->to - 12}, BPI_LABEL_SIZE, 0, BPI_TEXT,
                with_factor(p, y, y_label ? y_label : "", x->to - left));
}
