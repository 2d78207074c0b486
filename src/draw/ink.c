/* A sheet that was laid out, drawn: wires first, then cells, then labels. */
#include "draw/sheet.h"

#include <math.h>

#define WIRE_WIDTH   1.5
#define STRONG_WIDTH 3.2
#define FORK_RADIUS  2.6
#define PILE         5.0 /* how far the boxes of a pile stick out */

typedef struct inker {
  const bpi_sheet *s;
  bp_picture *p;
  bpi_point at;        /* of the sheet on the picture */
  bool *net_drawn;     /* by net: the wire from its cell to where it may fork */
  bool *passing_drawn; /* by passing slot: the wire up to where it may fork */
  char *step;          /* of the path being made */
  bpi_point *point;
  uint32_t *back; /* links from a pin back to where its wire is drawn already */
  size_t n_step, n_point;
} inker;

/* ---- wires ---- */

static void path_to(inker *k, char step, double x, double y)
{
  if (step == 'L' && k->n_step > 1 && k->step[k->n_step - 1] == 'L' &&
      k->point[k->n_point - 1].y == k->at.y + y && k->point[k->n_point - 2].y == k->at.y + y) {
    k->point[k->n_point - 1].x = k->at.x + x; /* straight on */
    return;
  }
  k->step[k->n_step++] = step;
  k->point[k->n_point++] = (bpi_point){k->at.x + x, k->at.y + y};
}

static void bend_to(inker *k, double x0, double y0, double x1, double y1, bpi_point towards)
{
  if (fabs(y1 - y0) < 0.05) {
    path_to(k, 'L', x1, y1);
    return;
  }
  k->step[k->n_step++] = 'C';
  k->point[k->n_point++] = (bpi_point){k->at.x + (x0 + x1) / 2, k->at.y + y0};
  k->point[k->n_point++] = (bpi_point){k->at.x + towards.x, k->at.y + towards.y};
  k->point[k->n_point++] = (bpi_point){k->at.x + x1, k->at.y + y1};
}

/* Where the wires that leave a slot begin to bend. */
static double bends_at(const bpi_sheet *s, uint32_t slot)
{
  const bpi_sheet_column *c = &s->column[s->slot[slot].layer];
  return c->x + c->w + c->labels;
}

/* Into a pin: where wires keep apart for their labels, they draw together in front of a circle. */
static void enter(inker *k, const bpi_pin *pin)
{
  const bpi_cell *c = &k->s->cell[pin->cell];
  double y = c->y + pin->dy, left = c->x - c->w / 2;
  if (!bpi_cell_is_circle(c)) {
    path_to(k, 'L', left, y);
    return;
  }
  double r = c->w / 2, most = fmax(fabs(k->s->pin[c->first_pin].dy), 1e-9);
  if (most <= r / 2) {
    path_to(k, 'L', c->x - sqrt(r * r - pin->dy * pin->dy), y);
    return;
  }
  double port = pin->dy / most * 0.55 * r, x = c->x - sqrt(r * r - port * port);
  path_to(k, 'L', left - BPI_FAN_IN, y);
  bend_to(k, left - BPI_FAN_IN, y, x, c->y + port,
          (bpi_point){c->x - (c->x - x) * (1 + 5 / r), c->y + port * (1 + 5 / r)});
}

/* One link: bends to the height of its end, and goes straight on there. */
static void follow(inker *k, uint32_t link)
{
  const bpi_sheet *s = k->s;
  const bpi_link *l = &s->link[link];
  double x0 = bends_at(s, l->left), y0 = s->slot[l->left].y + bpi_link_from(s, l);
  double x1 = x0 + s->column[s->slot[l->left].layer].bend, y1 = s->slot[l->right].y + bpi_link_to(s, link);
  bend_to(k, x0, y0, x1, y1, (bpi_point){(x0 + x1) / 2, y1});
  if (link < s->n_pins)
    enter(k, &s->pin[link]);
  else
    path_to(k, 'L', bends_at(s, l->right), y1);
}

static void draw_wire(inker *k, uint32_t pin)
{
  const bpi_sheet *s = k->s;
  uint32_t n = 0, link = pin;
  bool fresh = true; /* from the cell; else from a fork */
  k->n_step = k->n_point = 0;
  for (;; link = bpi_first_in(s, s->link[link].left)) {
    k->back[n++] = link;
    uint32_t left = s->link[link].left;
    bool *drawn = left < s->n_cells ? &k->net_drawn[s->link[link].net] : &k->passing_drawn[left - s->n_cells];
    fresh = !*drawn;
    *drawn = true;
    if (!fresh || left < s->n_cells)
      break;
  }
  const bpi_link *first = &s->link[link];
  double y = s->slot[first->left].y + bpi_link_from(s, first);
  if (fresh)
    path_to(k, 'M', s->cell[first->left].x + s->cell[first->left].w / 2, y);
  path_to(k, fresh ? 'L' : 'M', bends_at(s, first->left), y);
  while (n)
    follow(k, k->back[--n]);
  k->step[k->n_step] = 0;
  bpi_look look = {
      .line = BPI_INK(BPI_WIRE), .width = s->pin[pin].strong ? STRONG_WIDTH : WIRE_WIDTH, .wire = true};
  bpi_draw_path(k->p, look, k->step, k->point);
}

/* A dot where a wire forks. */
static void draw_forks(const inker *k)
{
  const bpi_sheet *s = k->s;
  for (uint32_t i = 0; i < s->n_slots; i++)
    for (uint32_t m = s->out_first[i]; m + 1 < s->out_first[i + 1]; m++) {
      const bpi_link *l = &s->link[s->out[m]];
      if (s->link[s->out[m + 1]].net != l->net ||
          (m > s->out_first[i] && s->link[s->out[m - 1]].net == l->net))
        continue;
      bpi_point at = {k->at.x + bends_at(s, i), k->at.y + s->slot[i].y + bpi_link_from(s, l)};
      bpi_draw_circle(k->p, (bpi_look){.fill = BPI_INK(BPI_WIRE), .wire = true}, at, FORK_RADIUS);
    }
}

/* ---- cells ---- */

static const struct {
  bpi_role fill, line;
  double radius, width;
  int dash;
} look_of[] = {
    [BPI_CELL_GATE] = {BPI_GATE, BPI_EDGE, 99, 1.5, BPI_SOLID},
    [BPI_CELL_BUNDLE] = {BPI_BUNDLE, BPI_EDGE, 9, 1.5, BPI_SOLID},
    [BPI_CELL_STACK] = {BPI_BUNDLE, BPI_EDGE, 7, 1.5, BPI_SOLID},
    [BPI_CELL_FRAME] = {BPI_PAPER, BPI_AXIS, 12, 1.5, BPI_DASHED},
    [BPI_CELL_TAG] = {BPI_INPUT, BPI_AXIS, 99, 1, BPI_SOLID},
    [BPI_CELL_INPUT] = {0},
    [BPI_CELL_OUTPUT] = {0},
};

static void draw_shape(const inker *k, const bpi_cell *c)
{
  bpi_role fill = look_of[c->kind].fill;
  if (!fill)
    return;
  bpi_look look = {.fill = BPI_INK(fill),
                   .line = BPI_INK(look_of[c->kind].line),
                   .width = look_of[c->kind].width,
                   .dash = look_of[c->kind].dash};
  bpi_point at = {k->at.x + c->x, k->at.y + c->y};
  bpi_box box = {at.x - c->w / 2, at.y - c->h / 2, at.x + c->w / 2, at.y + c->h / 2};
  double radius = fmin(look_of[c->kind].radius, c->h / 2);
  if (bpi_cell_is_circle(c)) {
    bpi_draw_circle(k->p, look, at, c->w / 2);
    return;
  }
  for (int i = c->kind == BPI_CELL_STACK ? 2 : 0; i > 0; i--) /* the boxes behind */
    bpi_draw_rect(k->p, look,
                  (bpi_box){box.x0 + i * PILE / 2, box.y0 + (2 - i) * PILE / 2, box.x1 - (2 - i) * PILE / 2,
                            box.y1 - i * PILE / 2},
                  radius);
  if (c->kind == BPI_CELL_STACK)
    box = (bpi_box){box.x0, box.y0 + PILE, box.x1 - PILE, box.y1};
  bpi_draw_rect(k->p, look, box, radius);
}

static void draw_cell_text(const inker *k, const bpi_cell *c)
{
  double height = 0, shift = c->kind == BPI_CELL_STACK ? PILE / 2 : 0;
  for (int i = 0; i < BPI_CELL_LINES && c->line[i]; i++)
    height += bpi_cell_text_size(c, i) + (i ? 3 : 0);
  double top = k->at.y + c->y + shift - height / 2;
  for (int i = 0; i < BPI_CELL_LINES && c->line[i]; i++) {
    double size = bpi_cell_text_size(c, i);
    top += (i ? 3 : 0) + size;
    bpi_draw_text(k->p, (bpi_point){k->at.x + c->x - shift, top - size * (1 - BPI_FONT_CAP) / 2}, size,
                  BPI_MIDDLE | bpi_cell_text_style(c, i), i ? BPI_MUTED : BPI_TEXT, c->line[i]);
  }
}

static void draw_frame(const inker *k, const bpi_cell *c)
{
  bpi_point inset = bpi_frame_inset(), corner = {k->at.x + c->x - c->w / 2, k->at.y + c->y - c->h / 2};
  bpi_draw_text(k->p, (bpi_point){corner.x + inset.x, corner.y + 15}, bpi_cell_text_size(c, 0),
                BPI_START | BPI_BOLD, BPI_MUTED, c->line[0]);
  for (size_t i = 0; i < c->inner->n_cells; i++) { /* wires go on to the frame */
    const bpi_cell *out = &c->inner->cell[i];
    bpi_point from = {corner.x + inset.x + out->x - out->w / 2, corner.y + inset.y + out->y};
    if (out->kind == BPI_CELL_OUTPUT)
      bpi_draw_line(k->p, (bpi_look){.line = BPI_INK(BPI_WIRE), .width = WIRE_WIDTH, .wire = true}, from,
                    (bpi_point){corner.x + c->w, from.y});
  }
  bpi_sheet_draw(c->inner, k->p, (bpi_point){corner.x + inset.x, corner.y + inset.y});
}

/* ---- labels ---- */

static void draw_net_labels(const inker *k, const bpi_net *n)
{
  const bpi_cell *c = &k->s->cell[n->cell];
  const bpi_sheet_column *col = &k->s->column[c->layer];
  double x = k->at.x + col->x + col->w + col->labels / 2, y = k->at.y + c->y + n->dy;
  int lines = 0;
  while (lines < BPI_LABEL_LINES && n->above[lines])
    lines++;
  for (int i = 0; i < lines; i++)
    bpi_draw_text(k->p, (bpi_point){x, y - BPI_OVER - (lines - 1 - i) * BPI_LINE_STEP}, BPI_LABEL_SIZE,
                  BPI_MIDDLE | (n->strong ? BPI_BOLD : 0), BPI_VALUE, n->above[i]);
  bpi_draw_text(k->p, (bpi_point){x, y + BPI_UNDER}, BPI_LABEL_SIZE, BPI_MIDDLE | BPI_ITALIC, BPI_GRADIENT,
                n->below);
}

static void draw_branch_label(const inker *k, const bpi_pin *pin)
{
  const bpi_cell *c = &k->s->cell[pin->cell];
  if (!pin->below || !c->layer)
    return;
  const bpi_sheet_column *next = &k->s->column[c->layer], *col = next - 1;
  double x = k->at.x + next->x - BPI_FAN_IN - (col->pins - BPI_FAN_IN) / 2;
  bpi_draw_text(k->p, (bpi_point){x, k->at.y + c->y + pin->dy + BPI_UNDER}, BPI_LABEL_SIZE,
                BPI_MIDDLE | BPI_ITALIC, BPI_GRADIENT, pin->below);
}

/* ---- together ---- */

static bool inker_open(inker *k)
{
  const bpi_sheet *s = k->s;
  k->net_drawn = bpi_scene_alloc(k->p, s->n_nets + 1, sizeof *k->net_drawn);
  k->passing_drawn = bpi_scene_alloc(k->p, s->n_slots - s->n_cells + 1, sizeof *k->passing_drawn);
  k->step = bpi_scene_alloc(k->p, 3 * (size_t)s->n_columns + 8, sizeof *k->step);
  k->point = bpi_scene_alloc(k->p, 5 * (size_t)s->n_columns + 12, sizeof *k->point);
  k->back = bpi_scene_alloc(k->p, (size_t)s->n_columns + 1, sizeof *k->back);
  return k->net_drawn && k->passing_drawn && k->step && k->point && k->back;
}

void bpi_sheet_draw(bpi_sheet *s, bp_picture *p, bpi_point at)
{
  inker k = {.s = s, .p = p, .at = at};
  if (!inker_open(&k))
    return;
  for (size_t i = 0; i < s->n_pins; i++)
    draw_wire(&k, (uint32_t)i);
  draw_forks(&k);
  for (size_t i = 0; i < s->n_cells; i++) {
    bpi_draw_open(p, s->cell[i].title);
    draw_shape(&k, &s->cell[i]);
    if (s->cell[i].inner)
      draw_frame(&k, &s->cell[i]);
    else
      draw_cell_text(&k, &s->cell[i]);
    bpi_draw_close(p);
  }
  for (size_t i = 0; i < s->n_nets; i++)
    draw_net_labels(&k, &s->net[i]);
  for (size_t i = 0; i < s->n_pins; i++)
    draw_branch_label(&k, &s->pin[i]);
}
