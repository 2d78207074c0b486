/* A tile program as one loop over any range of its elements: what the interpreter keeps in slots stays in registers.
 *
 * A turn of the loop does a strip of some vectors, body after body (see STRIP in bodytext.c): so what one vector waits for is done while the
 * others are computed, which a processor does not find out by itself where many bodies follow one another. Programs with elements of
 * several sizes, with more values than registers would hold, or with sine and cosine of one angle (which have work in common that one loop does
 * once) do all bodies of an element in turn, and so does every program that clang compiles: it would keep the strips in memory.
 *
 * Strided operands are gathered into small arrays, a tile at a time, as the interpreter does it. Programs with sine and its kin
 * go piece by piece too: their loop is there twice, the second time for tiles in which an argument was far (see bodymath.h), and
 * writes into an array of its own first, for a result may lie over an operand that the second time still needs. */
#include "codegen/emit.h"

/* Bytes of gathered tiles and of results that wait: they are on the stack. */
enum { MOST_ROOM = 64 << 10, MOST_STEPS = 2000, CHUNK = 256, MOST_LIVE = 14 };

/* What a slot holds at this step. */
typedef struct slot_value {
  char kind; /* 't': a temporary, 'g': gathered */
  uint32_t number;
} slot_value;

typedef struct part {
  bpi_emit *e;
  const bpi_instr *i;
  const bpi_tile *tile;
  slot_value *slots, *results; /* results: of each operand that is one */
  int64_t chunk;               /* 0: the range in one loop */
  bool far, apart;             /* apart: results go into arrays of their own first */
  bool strips;                 /* body after body: temporaries are arrays of a strip */
} part;

static bool is_load(const bpi_tile_step *s)
{
  return !s->loop && !s->sum;
}

/* ---- which programs ---- */

static bool step_is_known(const bp_plan *p, const bpi_instr *i, const bpi_tile_step *s, int *gathered)
{
  if (s->loop)
    return bpi_code_body_type(p, s->op, s->loop) >= 0;
  if (s->sum)
    return true;
  if (s->op)
    return false;
  *gathered += 1;
  return s->n_in == 1 && !s->in[0].slot && s->in[0].index < i->n_in && s->out.slot;
}

bool bpi_code_is_part(const bp_plan *p, const bpi_instr *i)
{
  int gathered = 0;
  if (i->kind != BPI_DO_TILE || i->tile->n_steps > MOST_STEPS)
    return false;
  for (size_t k = 0; k < i->tile->n_steps; k++)
    if (!step_is_known(p, i, &i->tile->steps[k], &gathered))
      return false;
  return (gathered + (int)i->n_out + (int)i->tile->n_sums) * (gathered ? i->tile->tile : CHUNK) * 8 <=
         MOST_ROOM;
}

static int real_of(const part *w)
{
  return w->tile->wide ? BP_FLOAT64 : BP_FLOAT32;
}

/* ---- operands ---- */

void bpi_code_offset(bpi_text *t, const bpi_operand *x, const char *index)
{
  int64_t inner = 1;
  bool any = false;
  for (int k = x->rank - 1; k >= 0; inner *= x->dims[k], k--) {
    if (x->dims[k] < 2 || !x->strides[k])
      continue;
    bpi_textf(t, "%s%s", any ? " + " : "", index);
    if (inner > 1)
      bpi_textf(t, " / %" PRId64, inner);
    if (inner * x->dims[k] < x->size)
      bpi_textf(t, " %% %" PRId64, x->dims[k]);
    if (x->strides[k] != 1)
      bpi_textf(t, " * (%" PRId64 ")", x->strides[k]);
    any = true;
  }
  if (!any)
    bpi_textf(t, "0");
}

/* The operands as pointers to their first element of the range, or as their one element. */
static void write_operands(const part *w)
{
  bpi_text *t = &w->e->t;
  for (uint32_t k = 0; k < w->i->n_in + w->i->n_out; k++) {
    const bpi_operand *x = &w->i->x[k];
    const char *type = bpi_code_type(x->dtype);
    if (x->size < 0)
      continue;
    bpi_textf(t, "%s%s *x%u = (%s *)at[%u]%s;\n", k < w->i->n_in ? "const " : "", type, k, type, k,
              x->contiguous && x->size == w->i->n ? " + first" : "");
  }
  for (size_t s = 0; s < w->tile->n_steps; s++)
    for (int k = 0; w->tile->steps[s].loop && k < w->tile->steps[s].n_in; k++) {
      const bpi_tile_ref *r = &w->tile->steps[s].in[k];
      if (r->slot || r->step || w->results[r->index].kind)
        continue;
      bpi_textf(t, "const %s c%u = *x%u;\n", bpi_code_type(w->i->x[r->index].dtype), r->index, r->index);
      w->results[r->index].kind = 'c';
    }
}

static void write_ref(const part *w, const bpi_tile_ref *r)
{
  bpi_text *t = &w->e->t;
  const slot_value *v = r->slot ? &w->slots[r->index] : &w->results[r->index];
  if (v->kind == 't')
    bpi_textf(t, "OF(t%u)", v->number);
  else if (v->kind == 'g')
    bpi_textf(t, "g%u[i + j]", v->number);
  else if (v->kind == 'c' && !r->step)
    bpi_textf(t, "c%u", r->index);
  else
    bpi_textf(t, "x%u[%si + j]", r->index, w->chunk ? "at_ + " : "");
}

/* ---- the loop ---- */

/* What the text of a turn is made of. By strips each body is a loop of its own, which gcc lays side by side in registers; clang keeps the
 * temporaries of such loops in memory, and gets one loop. Element l of a leaf goes to lane l % RUN of a sum. */
static const char style[] =
    "#if defined(__clang__)\n#undef STRIPS\n#define STRIPS 0\n#endif\n"
    "#undef TURN\n#undef EACH\n#undef OF\n#undef ROOM\n#undef ADD\n#undef ADD_LEFT\n"
    "#if STRIPS\n"
    "#define TURN(n)\n#define EACH(n) APART for (int j = 0; j < n; j++)\n#define OF(t) t[j]\n#define ROOM(t) "
    "t[W]\n"
    "#define ADD(l, v) for (int k = 0; k < W; k += MOST) APART for (int q = 0; q < MOST; q++)\\\n"
    "{ const int j = k + q; l[(W < RUN ? i % RUN : 0) + q] += v; }\n"
    "#define ADD_LEFT(l, v) for (int j = 0; j < w; j++) l[(i + j) % RUN] += v;\n"
    "#else\n"
    "#define TURN(n) APART for (int j = 0; j < n; j++)\n#define EACH(n)\n#define OF(t) t\n#define ROOM(t) t\n"
    "#define ADD(l, v) l[j] += v;\n#define ADD_LEFT(l, v) ADD(l, v)\n"
    "#endif\n";

static void write_style(const part *w)
{
  bpi_textf(&w->e->t, "#undef STRIPS\n#define STRIPS %d\n", w->strips);
  bpi_text_add(&w->e->t, style, sizeof style - 1);
}

/* W: elements of a turn. */
static void write_width(const part *w)
{
  bpi_textf(&w->e->t, "enum { RUN = %d, W = STRIPS ? STRIP / sizeof(%s) : RUN, MOST = W < RUN ? W : RUN };\n",
            BPI_SUM_LANES, bpi_code_type(real_of(w)));
}

static void write_step(const part *w, const bpi_tile_step *s, const char *count)
{
  bpi_emit *e = w->e;
  int type = bpi_code_body_type(e->p, s->op, s->loop);
  uint32_t name = e->temps++;
  bpi_textf(&e->t, "%s ROOM(t%u);\nEACH(%s) OF(t%u) = ", bpi_code_type(s->dtype[s->n_in]), name, count, name);
  bpi_code_call(e, &e->t, s->op->body->id, type);
  for (int k = 0; k < s->n_in; k++) {
    bpi_textf(&e->t, k ? ", " : "");
    write_ref(w, &s->in[k]);
  }
  bpi_code_call_end(e, &e->t, s->op->body->id, type, s->params);
  bpi_textf(&e->t, ";\n");
  *(s->out.slot ? &w->slots[s->out.index] : &w->results[s->out.index]) = (slot_value){'t', name};
  if (!s->out.slot)
    bpi_textf(&e->t,
              w->apart   ? "EACH(%s) o%u[i + j] = OF(t%u);\n"
              : w->chunk ? "EACH(%s) x%u[at_ + i + j] = OF(t%u);\n"
                         : "EACH(%s) x%u[i + j] = OF(t%u);\n",
              count, s->out.index, name);
}

static void write_summand(const part *w, const bpi_tile_step *s, bool whole)
{
  bpi_textf(&w->e->t, whole ? "ADD(l%u, " : "ADD_LEFT(l%u, ", s->sum);
  write_ref(w, &s->in[0]);
  bpi_textf(&w->e->t, ")\n");
}

/* The bodies of a turn: of a whole one, or of the w elements that are left. */
static void write_turn(const part *w, bool whole)
{
  bpi_textf(&w->e->t, "{\n");
  for (size_t k = 0; k < w->tile->n_steps; k++) {
    const bpi_tile_step *s = &w->tile->steps[k];
    if (s->loop)
      write_step(w, s, whole ? "W" : "w");
    else if (s->sum)
      write_summand(w, s, whole);
    else
      w->slots[s->out.index] = (slot_value){'g', (uint32_t)k};
  }
  bpi_textf(&w->e->t, "}\n");
  for (uint32_t k = 0; k < w->i->n_in + w->i->n_out; k++)
    if (w->results[k].kind == 't')
      w->results[k].kind = 0;
}

/* Where there is nothing to gain from turns, it is a plain loop. */
static void write_loop(const part *w, const char *count)
{
  bpi_text *t = &w->e->t;
  if (!w->strips && !w->tile->n_sums) {
    bpi_textf(t, "enum { j = 0 };\nAPART\nfor (int64_t i = 0; i < %s; i++)\n", count);
    write_turn(w, true);
    return;
  }
  bpi_textf(t, "int64_t i = 0;\nfor (; i + W <= %s; i += W)\nTURN(W)\n", count);
  write_turn(w, true);
  bpi_textf(t, "const int w = (int)(%s - i);\nTURN(w)\n", count);
  write_turn(w, false);
}

/* ---- tile by tile ---- */

/* Runs along the last axis; what lies before it is worked out once for each. */
static void write_gather(const part *w, size_t step)
{
  bpi_text *t = &w->e->t;
  const bpi_tile_step *s = &w->tile->steps[step];
  const bpi_operand *x = &w->i->x[s->in[0].index];
  int last = x->rank - 1;
  while (last > 0 && x->dims[last] == 1)
    last--;
  int64_t width = last >= 0 ? x->dims[last] : 1, stride = last >= 0 ? x->strides[last] : 0;
  if (s->once)
    bpi_textf(t, "if (at_ == 0)\n");
  bpi_textf(t, "for (int64_t j = 0, q = first + at_; j < m;) {\n");
  bpi_textf(t,
            "const int64_t r = q %% %" PRId64 ", w = %" PRId64 " - r < m - j ? %" PRId64
            " - r : m - j, z = q - r;\n",
            width, width, width);
  bpi_textf(t, "const %s *from = x%u + (", bpi_code_type(x->dtype), s->in[0].index);
  bpi_code_offset(t, x, "z");
  bpi_textf(t, ") + r * (%" PRId64 ");\n", width > 1 ? stride : 0);
  bpi_textf(t,
            "for (int64_t k = 0; k < w; k++)\ng%zu[j + k] = from[k * (%" PRId64 ")];\nj += w;\nq += w;\n}\n",
            step, width > 1 ? stride : 0);
}

static void write_arrays(const part *w)
{
  bpi_text *t = &w->e->t;
  for (size_t k = 0; k < w->tile->n_steps; k++)
    if (is_load(&w->tile->steps[k]))
      bpi_textf(t, "%s g%zu[%" PRId64 "];\n", bpi_code_type(w->i->x[w->tile->steps[k].in[0].index].dtype), k,
                w->chunk);
  for (uint32_t k = w->i->n_in; w->apart && k < w->i->n_in + w->i->n_out; k++)
    bpi_textf(t, "%s o%u[%" PRId64 "];\n", bpi_code_type(w->i->x[k].dtype), k, w->chunk);
  for (uint32_t k = 1; k <= w->tile->n_sums; k++)
    bpi_textf(t, "%s l%u[%d];\n", bpi_code_type(real_of(w)), k, BPI_SUM_LANES);
}

/* ---- sums: leaves begin and end with chunks ---- */

static void write_begin_sums(const part *w)
{
  for (uint32_t k = 1; k <= w->tile->n_sums; k++)
    bpi_textf(&w->e->t, "if ((first + at_) %% %d == 0)\nfor (int j = 0; j < %d; j++)\nl%u[j] = 0;\n",
              BPI_SUM_LEAF, BPI_SUM_LANES, k);
}

/* The additions of bpi_fold_lanes. */
static void write_end_sums(const part *w)
{
  bpi_text *t = &w->e->t;
  for (uint32_t k = 1; k <= w->tile->n_sums; k++) {
    bpi_textf(t, "if (at_ + m == n || (first + at_ + m) %% %d == 0) {\n", BPI_SUM_LEAF);
    bpi_textf(t, "for (int w = %d; w > 0; w /= 2)\nfor (int j = 0; j < w; j++)\nl%u[j] += l%u[j + w];\n",
              BPI_SUM_LANES / 2, k, k);
    bpi_textf(t, "((%s *)leaves)[%" PRId64 " + (first + at_) / %d] = l%u[0];\n}\n", bpi_code_type(real_of(w)),
              (k - 1) * w->i->units, BPI_SUM_LEAF, k);
  }
}

/* The second time, sums begin with what their lanes were before the first. */
static void write_far_loops(part *w)
{
  bpi_text *t = &w->e->t;
  for (uint32_t k = 1; k <= w->tile->n_sums; k++)
    bpi_textf(t, "%s k%u[%d];\nmemcpy(k%u, l%u, sizeof k%u);\n", bpi_code_type(real_of(w)), k, BPI_SUM_LANES,
              k, k, k);
  bpi_textf(t, "int far = 0;\n{\nconst int careful = 0;\n");
  write_loop(w, "m");
  bpi_textf(t, "}\nif (far) {\nconst int careful = 1;\n");
  for (uint32_t k = 1; k <= w->tile->n_sums; k++)
    bpi_textf(t, "memcpy(l%u, k%u, sizeof k%u);\n", k, k, k);
  write_loop(w, "m");
  bpi_textf(t, "}\n");
}

/* What is larger than the caches is stored past them. */
static void write_results(const part *w)
{
  for (uint32_t k = w->i->n_in; k < w->i->n_in + w->i->n_out; k++)
    if (w->i->x[k].size == w->i->n)
      bpi_textf(&w->e->t, "%s(x%u + at_, o%u, (uint64_t)m * sizeof *o%u);\n",
                w->tile->streams ? "stream" : "memcpy", k, k, k);
}

static void write_chunks(part *w)
{
  bpi_text *t = &w->e->t;
  write_arrays(w);
  bpi_textf(t, "for (int64_t at_ = 0; at_ < n; at_ += %" PRId64 ") {\n", w->chunk);
  bpi_textf(t, "const int64_t m = n - at_ < %" PRId64 " ? n - at_ : %" PRId64 ";\n", w->chunk, w->chunk);
  for (size_t k = 0; k < w->tile->n_steps; k++)
    if (is_load(&w->tile->steps[k]))
      write_gather(w, k);
  write_begin_sums(w);
  if (w->far)
    write_far_loops(w);
  else
    write_loop(w, "m");
  if (w->apart)
    write_results(w);
  write_end_sums(w);
  bpi_textf(t, w->tile->streams ? "}\nSTREAMED;\n" : "}\n");
}

/* ---- all of it ---- */

/* Sine and cosine of one angle have work in common that one loop does once. */
static bool shares_work(const part *w, size_t step)
{
  const bpi_tile_ref *x = &w->tile->steps[step].in[0];
  if (!w->tile->steps[step].loop || !bpi_code_body_far(w->tile->steps[step].op->body->id))
    return false;
  for (size_t k = step; k-- > 0;) {
    const bpi_tile_step *o = &w->tile->steps[k];
    if (o->out.slot && x->slot && o->out.index == x->index)
      return false;
    if (o->loop && bpi_code_body_far(o->op->body->id) && o->in[0].slot == x->slot &&
        o->in[0].index == x->index)
      return true;
  }
  return false;
}

/* Whether a loop for each body is as good as one for all: their vectors have equally many elements, and stay in registers. */
static bool has_strips(const part *w)
{
  for (size_t k = 0; k < w->tile->n_steps; k++) {
    const bpi_tile_step *s = &w->tile->steps[k];
    for (int i = 0; s->loop && i <= s->n_in; i++)
      if (s->dtype[i] != real_of(w))
        return false;
    if (shares_work(w, k))
      return false;
  }
  return w->tile->n_slots <= MOST_LIVE;
}

static void survey_part(part *w)
{
  w->strips = has_strips(w);
  for (size_t k = 0; k < w->tile->n_steps; k++) {
    const bpi_tile_step *s = &w->tile->steps[k];
    if (is_load(s))
      w->chunk = w->tile->tile;
    else if (s->loop && bpi_code_body_far(s->op->body->id))
      w->far = true;
  }
  w->apart = w->far || w->tile->streams;
  if (!w->chunk)
    w->chunk = w->apart ? CHUNK : w->tile->n_sums ? BPI_SUM_LEAF : 0;
}

void bpi_code_write_part(bpi_emit *e, uint32_t instr)
{
  const bpi_instr *i = &e->p->instrs[instr];
  part w = {.e = e, .i = i, .tile = i->tile};
  w.slots = bpi_zalloc(e->p->ctx, i->tile->n_slots + (size_t)1, sizeof *w.slots);
  w.results = bpi_zalloc(e->p->ctx, (size_t)i->n_in + i->n_out + 1, sizeof *w.results);
  if (!w.slots || !w.results)
    e->t.failed = true;
  else {
    survey_part(&w);
    write_style(&w);
    bpi_textf(&e->t,
              "EXPORT void " BPI_CODE_NAME "%u(void *const *at, int64_t first, int64_t n, void *leaves)\n{\n",
              e->piece);
    write_width(&w);
    write_operands(&w);
    if (w.chunk)
      write_chunks(&w);
    else
      write_loop(&w, "n");
    bpi_textf(&e->t, "(void)leaves;\n}\n");
  }
  bpi_free(e->p->ctx, w.slots);
  bpi_free(e->p->ctx, w.results);
}
