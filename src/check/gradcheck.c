/* bp_check_gradient: every entry (or a random part), random directions, Taylor's remainders, forward against reverse mode. */
#include "base/rng.h"
#include "base/text.h"
#include "check/point.h"
#include "graph/graph.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

enum { DEFAULT_ENTRIES = 1000, STREAM_DRAW = 0x64726177u, STREAM_ACROSS = 0x616372u, STREAM_V = 0x746179u };

typedef struct gradient_check {
  bpi_point p;
  double *v; /* room for a direction through all numbers */
  bp_gradient_check *r;
  bp_gradient_input *inputs;
  char why[600]; /* the first contradiction; "": none */
} gradient_check;

/* h, or h times |x| where that is over 1; what the caller gave is taken as it is. */
static double step_at(const bpi_point *p, double x)
{
  static const double cube_root = 6.0554544523933429e-6; /* of 2^-52 */
  return p->o->step > 0 ? p->o->step : cube_root * fmax(1, fabs(x));
}

/* ---- saying what is wrong ---- */

/* "'w'[2,3]". */
static void label_entry(const bpi_point *p, size_t i, int64_t entry, char *buf, size_t size)
{
  bp_type type;
  char label[100];
  bp_node_type(p->wrt[i], &type);
  int used = snprintf(buf, size, "%s", bpi_node_label(p->g, p->wrt[i].index, label, sizeof label));
  int64_t stride = bpi_type_size(&type);
  for (int k = 0; k < type.rank; k++) {
    stride /= type.dims[k];
    used += snprintf(buf + used, size - (size_t)used, "%s%lld", k ? "," : "[",
                     (long long)(entry / stride % type.dims[k]));
  }
  if (type.rank)
    snprintf(buf + used, size - (size_t)used, "]");
}

/* Keeps the first contradiction. */
BP_PRINTF(2, 3) static void contradict(gradient_check *c, const char *fmt, ...)
{
  va_list va;
  if (*c->why)
    return;
  va_start(va, fmt);
  bpi_vformat(c->why, sizeof c->why, fmt, va);
  va_end(va);
}

static void contradict_slope(gradient_check *c, const char *what, const char *where, const bp_slope *s)
{
  if (s->kind == BP_SLOPE_WRONG)
    contradict(c, "%s%s is %.9g by autodiff, %.9g by differences (h = %.2g): relative error %.2g", what,
               where, isnan(s->gradient) ? NAN : s->gradient, s->difference, s->step, s->error);
}

/* ---- entries ---- */

/* A wrong entry counts as worse than any that is not. */
static bool is_worse(const bp_slope *a, const bp_slope *b)
{
  bool wrong = a->kind == BP_SLOPE_WRONG, other = b->kind == BP_SLOPE_WRONG;
  return wrong != other ? wrong : a->error > b->error;
}

static void note_entry(gradient_check *c, size_t i, int64_t entry, const bp_slope *s)
{
  bp_gradient_input *in = &c->inputs[i];
  in->checked++;
  in->wrong += s->kind == BP_SLOPE_WRONG;
  if (s->kind != BP_SLOPE_RIGHT && s->kind != BP_SLOPE_WRONG) {
    if (in->kinks++ == 0) {
      in->kink = entry;
      in->at_kink = *s;
    }
    return;
  }
  if (in->worst < 0 || is_worse(s, &in->at_worst)) {
    in->worst = entry;
    in->at_worst = *s;
    in->value = c->p.x0[c->p.first[i] + entry];
  }
}

static bp_status check_entry(gradient_check *c, size_t i, int64_t entry)
{
  bpi_point *p = &c->p;
  int64_t at = p->first[i] + entry;
  bpi_line l = {.begin = at, .end = at + 1, .h = step_at(p, p->x0[at]), .slope = p->grad[at]};
  bp_slope slope;
  char name[400];
  bp_status s = bpi_slope_of(p, &l, &slope);
  if (s != BP_OK)
    return s;
  note_entry(c, i, entry, &slope);
  if (slope.kind != BP_SLOPE_WRONG || *c->why)
    return BP_OK;
  label_entry(p, i, entry, name, sizeof name);
  contradict_slope(c, "the gradient by ", name, &slope);
  return BP_OK;
}

/* `wanted` of n entries, each part of it as likely as any other, in ascending order (Fan, Muller & Rezucha 1962). */
static bp_status check_some(gradient_check *c, size_t i, int64_t n, int64_t wanted)
{
  bpi_key key = {.seed = c->p.o->seed, .stream = STREAM_DRAW + (uint32_t)i};
  bp_status s = BP_OK;
  for (int64_t k = 0; s == BP_OK && k < n && wanted > 0; k++)
    if (n - k <= wanted || bpi_uniform(key, (uint64_t)k) * (double)(n - k) < (double)wanted) {
      s = check_entry(c, i, k);
      wanted--;
    }
  return s;
}

/* Along a random direction through all entries of one input: an error in any of them shows. */
static bp_status check_across(gradient_check *c, size_t i)
{
  bpi_point *p = &c->p;
  bpi_key key = {.seed = p->o->seed, .stream = STREAM_ACROSS + (uint32_t)i};
  bpi_line l = {.begin = p->first[i], .end = p->first[i + 1], .v = c->v, .h = step_at(p, 0)};
  for (int64_t k = 0; k < l.end - l.begin; k++) {
    double size = p->o->step > 0 ? 1 : fmax(1, fabs(p->x0[l.begin + k]));
    c->v[k] = bpi_uniform(key, (uint64_t)k) < 0.5 ? -size : size;
    l.slope += c->v[k] * p->grad[l.begin + k];
  }
  bp_status s = bpi_slope_of(p, &l, &c->inputs[i].across);
  char label[100];
  if (s == BP_OK)
    contradict_slope(c, "the gradient along a random direction through all entries of ",
                     bpi_node_label(p->g, p->wrt[i].index, label, sizeof label), &c->inputs[i].across);
  return s;
}

static bp_status check_input(gradient_check *c, size_t i)
{
  int64_t n = c->p.first[i + 1] - c->p.first[i],
          most = c->p.o->entries > 0 ? c->p.o->entries : DEFAULT_ENTRIES;
  c->inputs[i] = (bp_gradient_input){.size = n, .worst = -1, .kink = -1};
  bp_status s = check_some(c, i, n, n < most ? n : most);
  return s == BP_OK && n > most ? check_across(c, i) : s;
}

static void add_up(gradient_check *c)
{
  bp_gradient_check *r = c->r;
  r->size = c->p.n;
  for (size_t i = 0; i < c->p.n_wrt; i++) {
    const bp_gradient_input *in = &c->inputs[i];
    r->checked += in->checked;
    r->wrong += in->wrong;
    r->kinks += in->kinks;
    if (in->worst >= 0 &&
        (c->inputs[r->worst].worst < 0 || is_worse(&in->at_worst, &c->inputs[r->worst].at_worst)))
      r->worst = i;
  }
  if (c->inputs[r->worst].worst >= 0)
    r->error = c->inputs[r->worst].at_worst.error;
}

/* ---- along one direction through everything ---- */

static void draw_direction(gradient_check *c)
{
  bpi_key key = {.seed = c->p.o->seed, .stream = STREAM_V};
  double square = 0;
  for (int64_t i = 0; i < c->p.n; i++) {
    double r = 2 * bpi_uniform(key, (uint64_t)i) - 1;
    c->v[i] = copysign(0.5 + fabs(r), r);
    square += c->v[i] * c->v[i];
  }
  for (int64_t i = 0; i < c->p.n; i++)
    c->v[i] /= sqrt(square);
}

static bp_status check_direction(gradient_check *c)
{
  bp_gradient_check *r = c->r;
  draw_direction(c);
  bp_status s = bpi_taylor_of(&c->p, c->v, &r->taylor);
  if (s == BP_OK)
    s = bpi_modes_of(&c->p, c->v, &r->forward, &r->reverse, &r->modes_agree);
  if (s != BP_OK)
    return s;
  contradict_slope(c, "the derivative along ", "a random direction", &r->taylor.along);
  /* At an edge a slope may be infinite: times 0 that is 0 in one mode and NaN in the other. */
  if (!r->modes_agree && (r->kinks == 0 || (isfinite(r->forward) && isfinite(r->reverse))))
    contradict(c, "forward mode gives %.17g along a random direction, reverse mode %.17g", r->forward,
               r->reverse);
  return BP_OK;
}

/* ---- all of it ---- */

static bp_status check_point(gradient_check *c)
{
  bp_status s = BP_OK;
  c->v = bpi_arena_alloc(&c->p.room, (size_t)c->p.n + 1, sizeof *c->v);
  if (!c->inputs)
    c->inputs = bpi_arena_alloc(&c->p.room, c->p.n_wrt + 1, sizeof *c->inputs);
  if (!c->v || !c->inputs)
    return bpi_nomem();
  c->r->value = c->p.f0;
  c->r->step = step_at(&c->p, 0);
  for (size_t i = 0; s == BP_OK && i < c->p.n_wrt; i++)
    s = check_input(c, i);
  if (s == BP_OK)
    add_up(c);
  return s == BP_OK ? check_direction(c) : s;
}

static bp_status bad_options(const bp_gradient_options *o)
{
  if (o->n_values && !o->values)
    return bpi_bad_arg("bp_check_gradient", "options->values");
  if (!(o->step >= 0 && o->step < INFINITY))
    return bpi_bad_arg("bp_check_gradient", "options->step");
  if (!(o->tolerance >= 0 && o->tolerance < 1))
    return bpi_bad_arg("bp_check_gradient", "options->tolerance");
  return o->entries < 0 ? bpi_bad_arg("bp_check_gradient", "options->entries") : BP_OK;
}

bp_status bp_check_gradient(bp_node y, const bp_node *wrt, size_t n, const bp_gradient_options *options,
                            bp_gradient_check *result, bp_gradient_input *inputs)
{
  static const bp_gradient_options none;
  gradient_check c = {.r = result, .inputs = inputs};
  if (!n || !wrt || !result)
    return bpi_bad_arg("bp_check_gradient", result ? "wrt, or n, the number of its nodes" : "result");
  *result = (bp_gradient_check){0};
  bp_status s = bad_options(options ? options : &none);
  if (s != BP_OK)
    return s;
  uint32_t mark = bp_graph_mark(y.graph);
  s = bpi_point_open(&c.p, y, wrt, n, options ? options : &none);
  if (s == BP_OK)
    s = check_point(&c);
  bpi_point_close(&c.p);
  if (c.p.room.ctx)
    bp_graph_rollback(y.graph, mark);
  if (s != BP_OK)
    return s;
  result->right = !*c.why;
  return result->right ? BP_OK : bpi_fail(BP_E_CHECK, "%s", c.why);
}
