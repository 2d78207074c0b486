/* Parts become cells, results become nets. */
#include "draw/circuit.h"

#include <math.h>
#include <string.h>

enum {
  MOST_PINS = 12, /* of a box; more are left out in the middle */
  MOST_ALIKE =
      3, /* inputs of one shape that one part alone uses; more are drawn as one (of a single operation: over MOST_PINS) */
  MOST_KINDS = 8 /* shapes that are told apart there */
};

/* A wire into a part. */
typedef struct wire {
  uint32_t slot;  /* where it comes from, or */
  uint32_t alike; /* number of the inputs drawn as one; else BPI_NONE */
  uint32_t input; /* of a single operation: which; else BPI_NONE */
} wire;

/* Inputs drawn as one: "W₁ … W₃₂". */
typedef struct alike {
  uint32_t first, last, n, net;
} alike;

typedef struct wiring {
  bpi_circuit *c;
  bpi_sheet *s;
  uint32_t *node, *node_first; /* heads by part */
  wire *wire;                  /* by part, wire_first[part] .. */
  uint32_t *wire_first;
  uint32_t *left_out; /* by part: wires that are not drawn */
  uint32_t *user;     /* of an input: the part that uses it; MANY */
  bool *used;         /* by slot: a wire leaves it, */
  bool *loose;        /* whose end is not shown */
  bool *goes_out;     /* by slot: it is an output, */
  bool *comes_in;     /* or what comes into a frame */
  uint32_t *net_of;   /* by slot */
  alike *alike;
  size_t n_alike, alike_cap, n_wires, wires_cap;
} wiring;

enum { MANY = 0xfffffffeu };

static bool stands(const wiring *w, uint32_t part)
{
  return w->c->part[part].into == BPI_NONE;
}

/* ---- nodes of each part ---- */

static bp_status list_nodes(wiring *w)
{
  bpi_circuit *c = w->c;
  w->node_first = bpi_sheet_alloc(w->s, c->n_parts + 2, sizeof *w->node_first);
  w->node = bpi_sheet_alloc(w->s, c->n_parts + 1, sizeof *w->node);
  if (w->s->status != BP_OK)
    return w->s->status;
  uint32_t *at = w->node_first + 1;
  for (size_t i = 0; i < c->n_parts; i++)
    at[bpi_part_at(c, c->part[i].head) + 1]++;
  for (size_t i = 0; i < c->n_parts; i++)
    at[i + 1] += at[i];
  for (size_t i = 0; i < c->n_parts; i++)
    w->node[at[bpi_part_at(c, c->part[i].head)]++] = c->part[i].head;
  return BP_OK;
}

/* ---- wires ---- */

static bool add_wire(wiring *w, wire one)
{
  if (w->s->status == BP_OK &&
      !bpi_grow(w->c->ctx, (void **)&w->wire, &w->wires_cap, w->n_wires, sizeof *w->wire))
    bpi_sheet_fail(w->s, bpi_nomem());
  if (w->s->status == BP_OK)
    w->wire[w->n_wires++] = one;
  return w->s->status == BP_OK;
}

static void wires_of(wiring *w, const bpi_part *p)
{
  for (uint32_t k = 0; k < p->n_args; k++)
    if (!bpi_is_folded(w->c, p, k) &&
        !add_wire(w, (wire){p->args[k], BPI_NONE, p->n_nodes == 1 ? k : BPI_NONE}))
      return;
}

static bp_status list_wires(wiring *w)
{
  bpi_circuit *c = w->c;
  w->wire_first = bpi_sheet_alloc(w->s, c->n_parts + 2, sizeof *w->wire_first);
  w->left_out = bpi_sheet_alloc(w->s, c->n_parts + 1, sizeof *w->left_out);
  for (uint32_t i = 0; i < c->n_parts && w->s->status == BP_OK; i++) {
    w->wire_first[i] = (uint32_t)w->n_wires;
    if (stands(w, i))
      wires_of(w, &c->part[i]);
  }
  if (w->s->status == BP_OK)
    w->wire_first[c->n_parts] = (uint32_t)w->n_wires;
  return w->s->status;
}

/* ---- inputs that are alike, and wires that are too many ---- */

static void mark_ends(wiring *w)
{
  const bpi_circuit *c = w->c;
  for (size_t i = 0; i < c->n_y; i++)
    w->goes_out[c->y[i].index] = w->used[c->y[i].index] = true;
  for (size_t i = 0; c->params && i < c->n_params; i++)
    w->comes_in[c->params[i].index] = w->used[c->params[i].index] = true;
}

static void find_users(wiring *w)
{
  bpi_circuit *c = w->c;
  for (uint32_t i = 0; w->wire && i < c->n_parts; i++)
    for (uint32_t k = w->wire_first[i]; k < w->wire_first[i + 1]; k++) {
      uint32_t *user = &w->user[w->wire[k].slot];
      *user = *user == 0 || *user == i + 1 ? i + 1 : MANY;
    }
  for (uint32_t i = 0; i < c->g->count; i++)
    if (w->goes_out[i] || w->comes_in[i])
      w->user[i] = MANY;
}

/* Which of the groups of inputs begun for this part a slot belongs to; a new one where none fits and there is room. */
static alike *group_for(wiring *w, uint32_t slot, size_t first)
{
  const bpi_node *x = &w->c->g->nodes[slot];
  for (size_t i = first; i < w->n_alike; i++)
    if (w->c->g->nodes[w->alike[i].first].op == x->op &&
        bpi_same_shape(w->c->g->nodes[w->alike[i].first].type, x->type))
      return &w->alike[i];
  if (w->n_alike - first == MOST_KINDS)
    return NULL;
  if (!bpi_grow(w->c->ctx, (void **)&w->alike, &w->alike_cap, w->n_alike, sizeof *w->alike)) {
    bpi_sheet_fail(w->s, bpi_nomem());
    return NULL;
  }
  alike *a = w->alike + w->n_alike++;
  *a = (alike){.first = slot, .net = BPI_NONE};
  return a;
}

/* Draws inputs that only this part uses as one, where they are many. */
static void group_inputs(wiring *w, uint32_t part, uint32_t *n)
{
  const bpi_circuit *c = w->c;
  wire *wires = w->wire + w->wire_first[part];
  size_t first = w->n_alike;
  uint32_t most = c->part[part].op ? MOST_PINS : MOST_ALIKE, left = 0;
  for (uint32_t k = 0; k<*n && * n> most; k++) {
    if (w->user[wires[k].slot] != part + 1 ||
        !(c->g->nodes[wires[k].slot].op->traits & (BP_INPUT | BP_STATE)))
      continue;
    alike *a = group_for(w, wires[k].slot, first);
    if (!a)
      continue;
    wires[k].alike = (uint32_t)(a - w->alike);
    a->last = wires[k].slot;
    a->n++;
  }
  for (uint32_t k = 0; k < *n; k++) {
    alike *a = wires[k].alike == BPI_NONE ? NULL : &w->alike[wires[k].alike];
    bool drawn = !a || a->n <= MOST_ALIKE || a->first == wires[k].slot; /* of a group, the first alone */
    if (a && a->n <= MOST_ALIKE)
      wires[k].alike = BPI_NONE;
    if (drawn)
      wires[left++] = wires[k];
  }
  *n = left;
}

/* What stays of the wires into each part. */
static void thin_out(wiring *w, uint32_t *n_wires)
{
  for (uint32_t i = 0; i < w->c->n_parts && w->s->status == BP_OK; i++) {
    uint32_t n = w->wire_first[i + 1] - w->wire_first[i];
    group_inputs(w, i, &n);
    if (n > MOST_PINS && !w->c->o->all && !w->c->part[i].op) {
      wire *wires = w->wire + w->wire_first[i];
      w->left_out[i] = n - MOST_PINS;
      memmove(wires + MOST_PINS / 2, wires + n - MOST_PINS / 2, MOST_PINS / 2 * sizeof *wires);
      n = MOST_PINS;
    }
    n_wires[i] = n;
    for (uint32_t k = 0; k < n; k++)
      if (w->wire[w->wire_first[i] + k].alike == BPI_NONE)
        w->used[w->wire[w->wire_first[i] + k].slot] = true;
  }
}

/* Parts whose every wire was left out get one that ends in "…". */
static void note_loose_ends(wiring *w)
{
  const bpi_circuit *c = w->c;
  for (uint32_t i = 0; i < c->n_parts; i++) {
    bool any = !stands(w, i);
    for (uint32_t k = w->node_first[i]; k < w->node_first[i + 1]; k++)
      for (uint32_t r = 0; r < c->g->nodes[w->node[k]].n_out; r++)
        any = any || w->used[w->node[k] + r];
    if (!any)
      w->used[c->part[i].head] = w->loose[c->part[i].head] = true;
  }
}

/* ---- cells and nets ---- */

/* What comes into a frame and what goes out of it has its labels outside. */
static bool goes_through_frame(const wiring *w, uint32_t slot)
{
  return w->c->params && (w->comes_in[slot] || w->goes_out[slot]);
}

/* Intermediate values that the user gave a name show it: "h = 0.73", "h  4×1". */
static void put_name(wiring *w, uint32_t net, uint32_t slot)
{
  bpi_net *n = &w->s->net[net];
  bpi_text t;
  if (!n->name || w->goes_out[slot] || bpi_is_leaf(&w->c->g->nodes[slot]))
    return;
  bpi_text_init(&t, w->c->ctx);
  if (n->above[0])
    bpi_textf(&t, "%s%s%s", n->name, w->c->g->nodes[slot].type->rank ? "  " : " = ", n->above[0]);
  else
    bpi_textf(&t, "%s", n->name);
  n->above[0] = bpi_sheet_keep(w->s, &t);
}

static void label_net(wiring *w, uint32_t net, uint32_t slot)
{
  bpi_circuit *c = w->c;
  bp_node n = bpi_handle(c->g, slot);
  const bp_type *declared = c->g->nodes[slot].type;
  size_t i;
  int k;
  bp_type type;
  const void *data = NULL;
  const char *lines[BPI_LABEL_LINES] = {NULL};
  const char *name = bp_node_name(n);
  if (name && w->s->status == BP_OK)
    w->s->net[net].name = bpi_pretty_name(w->s, name);
  if (goes_through_frame(w, slot))
    return;
  bool located = c->trace && bp_trace_locate(c->trace, n, &i, &k) == BP_OK;
  if (located && bp_trace_read(c->trace, BP_TRACE_VALUE, i, k, &data, &type) == BP_OK && data)
    bpi_figure_lines(c, w->s, data, &type, false, w->s->net[net].above);
  else if (declared->rank)
    bpi_figure_lines(c, w->s, NULL, declared, false, w->s->net[net].above);
  put_name(w, net, slot);
  if (located && bp_trace_read(c->trace, BP_TRACE_GRADIENT, i, k, &data, &type) == BP_OK && data) {
    bpi_figure_lines(c, w->s, data, &type, true, lines);
    w->s->net[net].below = lines[0];
  }
}

static uint32_t add_net(wiring *w, uint32_t slot)
{
  uint32_t net = bpi_sheet_net(w->s);
  if (w->s->status == BP_OK) {
    w->net_of[slot] = net;
    label_net(w, net, slot);
  }
  return net;
}

static const char *leaf_text(wiring *w, uint32_t slot)
{
  const char *name = bp_node_name(bpi_handle(w->c->g, slot));
  const bpi_node *v = &w->c->g->nodes[slot];
  double value;
  bpi_text t;
  if (name)
    return bpi_pretty_name(w->s, name);
  bpi_text_init(&t, w->c->ctx);
  if ((v->op->traits & BP_CONSTANT) && bpi_splat(bpi_handle(w->c->g, slot), &value))
    bpi_text_figure(&t, value, value == floor(value) ? 0 : 2);
  else
    bpi_textf(&t, "%s", v->op->name);
  return bpi_sheet_keep(w->s, &t);
}

static void add_leaves(wiring *w)
{
  const bp_graph *g = w->c->g;
  for (uint32_t i = 1; i < g->count && w->s->status == BP_OK; i++) {
    if (!w->used[i] || !bpi_is_leaf(&g->nodes[i]))
      continue;
    bpi_sheet_cell(w->s, BPI_CELL_INPUT, leaf_text(w, i));
    add_net(w, i);
  }
  for (size_t i = 0; i < w->n_alike && w->s->status == BP_OK; i++) {
    alike *a = &w->alike[i];
    if (a->n <= MOST_ALIKE)
      continue;
    bpi_text t;
    bpi_text_init(&t, w->c->ctx);
    const char *from = leaf_text(w, a->first), *to = leaf_text(w, a->last);
    bpi_textf(&t, "%s … %s", from ? from : "", to ? to : "");
    uint32_t cell = bpi_sheet_cell(w->s, BPI_CELL_INPUT, t.failed ? NULL : t.s);
    bpi_text_free(&t);
    a->net = bpi_sheet_net(w->s);
    if (w->s->status != BP_OK)
      return;
    w->s->net[a->net].name = w->s->cell[cell].line[0];
    if (g->nodes[a->first].type->rank)
      bpi_figure_lines(w->c, w->s, NULL, g->nodes[a->first].type, false, w->s->net[a->net].above);
  }
}

static bpi_cell_kind kind_of(const bpi_part *p)
{
  return !p->op || (p->op->traits & BP_LOOP) ? BPI_CELL_STACK
         : bpi_is_bundle(p->op)              ? BPI_CELL_BUNDLE
                                             : BPI_CELL_GATE;
}

static void fill_cell(wiring *w, uint32_t cell, uint32_t part)
{
  const bpi_part *p = &w->c->part[part];
  bpi_cell *of = &w->s->cell[cell];
  of->line[1] = bpi_gate_note(w->c, p, w->s);
  of->title = bpi_gate_title(w->c, p, w->s);
  if (w->left_out[part]) {
    bpi_text t;
    bpi_text_init(&t, w->c->ctx);
    bpi_textf(&t, "and %u more wires in", w->left_out[part]);
    of->line[of->line[1] ? 2 : 1] = bpi_sheet_keep(w->s, &t);
  }
  if (w->c->o->bundles == BP_BUNDLES_OPEN && p->op && bpi_is_bundle(p->op) && w->s->status == BP_OK) {
    bpi_sheet *inner = NULL;
    bpi_sheet_fail(w->s, bpi_circuit_frame(w->c, p, w->s, &inner));
    if (!inner)
      return;
    of->inner = inner;
    of->kind = BPI_CELL_FRAME;
  }
}

static void add_parts(wiring *w, const uint32_t *n_wires)
{
  bpi_circuit *c = w->c;
  for (uint32_t i = 0; i < c->n_parts && w->s->status == BP_OK; i++) {
    if (!stands(w, i))
      continue;
    uint32_t cell = bpi_sheet_cell(w->s, kind_of(&c->part[i]), bpi_gate_text(c, &c->part[i], w->s));
    for (uint32_t k = 0; k < n_wires[i]; k++)
      bpi_sheet_pin(w->s, w->wire_first[i] + k); /* for now the wire; its net is told at the end */
    for (uint32_t k = w->node_first[i]; k < w->node_first[i + 1]; k++)
      for (uint32_t r = 0; r < c->g->nodes[w->node[k]].n_out; r++)
        if (w->used[w->node[k] + r] && w->s->status == BP_OK)
          add_net(w, w->node[k] + r);
    if (w->s->status == BP_OK)
      fill_cell(w, cell, i);
  }
}

static void add_outputs(wiring *w)
{
  bpi_circuit *c = w->c;
  for (size_t i = 0; i < c->n_y && w->s->status == BP_OK; i++) {
    const char *name = c->names && c->names[i] ? c->names[i] : bp_node_name(c->y[i]);
    char number[32] = "f";
    if (!name && c->n_y > 1) {
      bpi_text t;
      bpi_text_init(&t, c->ctx);
      bpi_textf(&t, "f%zu", i + 1);
      strncpy(number, t.s ? t.s : "f", sizeof number - 1);
      bpi_text_free(&t);
    }
    bpi_sheet_cell(w->s, BPI_CELL_OUTPUT, c->params ? "" : bpi_pretty_name(w->s, name ? name : number));
    bpi_sheet_pin(w->s, w->net_of[c->y[i].index]);
  }
}

static void add_loose_ends(wiring *w)
{
  for (uint32_t i = 1; i < w->c->g->count && w->s->status == BP_OK; i++)
    if (w->loose[i]) {
      bpi_sheet_cell(w->s, BPI_CELL_TAG, "…");
      bpi_sheet_pin(w->s, w->net_of[i]);
    }
}

/* ---- what comes back along the branches of a fork ---- */

/* What a part passes back to a slot: the sum over its nodes that use it (input: that one alone). */
static const char *passed_back(wiring *w, uint32_t part, uint32_t slot, uint32_t input)
{
  bpi_circuit *c = w->c;
  int64_t n = bpi_type_size(c->g->nodes[slot].type);
  double *sum = bpi_zalloc(c->ctx, (size_t)n + 1, sizeof *sum),
         *one = bpi_zalloc(c->ctx, (size_t)n + 1, sizeof *one);
  bool any = false;
  const char *lines[BPI_LABEL_LINES] = {NULL};
  if (!sum || !one) {
    bpi_free(c->ctx, sum);
    bpi_free(c->ctx, one);
    bpi_sheet_fail(w->s, bpi_nomem());
    return NULL;
  }
  for (uint32_t m = w->node_first[part]; m < w->node_first[part + 1] && w->s->status == BP_OK; m++) {
    const bpi_node *v = &c->g->nodes[w->node[m]];
    size_t i;
    if (bp_trace_locate(c->trace, bpi_handle(c->g, w->node[m]), &i, NULL) != BP_OK)
      continue;
    for (uint32_t k = 0; k < v->n_in; k++) {
      const void *data;
      if (v->in[k] != slot || (input != BPI_NONE && k != input) ||
          bp_trace_read(c->trace, BP_TRACE_PRODUCT, i, (int)k, &data, NULL) != BP_OK || !data ||
          bp_trace_get(c->trace, BP_TRACE_PRODUCT, i, (int)k, one, (size_t)n) != BP_OK)
        continue;
      any = true;
      for (int64_t e = 0; e < n; e++)
        sum[e] += one[e];
    }
  }
  if (any) {
    bp_type type = *c->g->nodes[slot].type;
    type.dtype = BP_FLOAT64;
    bpi_figure_lines(c, w->s, sum, &type, true, lines);
  }
  bpi_free(c->ctx, sum);
  bpi_free(c->ctx, one);
  return lines[0];
}

/* Where a result goes out of the circuit, what was given for it from outside. */
static const char *given_for(wiring *w, bp_node y)
{
  size_t i;
  int k;
  const void *data;
  bp_type type;
  const char *lines[BPI_LABEL_LINES] = {NULL};
  if (bp_trace_locate(w->c->trace, y, &i, &k) == BP_OK &&
      bp_trace_read(w->c->trace, BP_TRACE_SEED, i, k, &data, &type) == BP_OK && data)
    bpi_figure_lines(w->c, w->s, data, &type, true, lines);
  return lines[0];
}

static uint32_t net_of_wire(const wiring *w, const wire *one)
{
  return one->alike == BPI_NONE ? w->net_of[one->slot] : w->alike[one->alike].net;
}

static void mark_winner(wiring *w, uint32_t part, bpi_cell *cell, const uint32_t *uses)
{
  const bpi_part *p = &w->c->part[part];
  size_t i;
  int won;
  if (!w->c->trace || !p->op || p->n_nodes != 1 || !(p->op->traits & BP_ROUTER) ||
      bpi_type_size(w->c->g->nodes[p->head].type) != 1 ||
      bp_trace_locate(w->c->trace, bpi_handle(w->c->g, p->head), &i, NULL) != BP_OK ||
      bp_trace_winners(w->c->trace, i, &won, NULL, 1) != BP_OK || won < 0)
    return;
  if (bpi_is_folded(w->c, p, (uint32_t)won)) {
    cell->strong = true;
    return;
  }
  uint32_t pin = cell->first_pin;
  for (uint32_t k = 0; k < (uint32_t)won; k++)
    pin += !bpi_is_folded(w->c, p, k);
  w->s->pin[pin].strong = cell->n_pins > 1;
  if (uses[w->s->pin[pin].net] == 1 && cell->n_pins > 1)
    w->s->net[w->s->pin[pin].net].strong = true;
}

static void finish_wires(wiring *w)
{
  bpi_circuit *c = w->c;
  bpi_sheet *s = w->s;
  uint32_t *uses = bpi_sheet_alloc(s, s->n_nets + 1, sizeof *uses), cell = 0;
  if (s->status != BP_OK)
    return;
  while (cell < s->n_cells && s->cell[cell].kind == BPI_CELL_INPUT)
    cell++;
  uint32_t first = cell;
  for (size_t i = 0; i < s->n_pins; i++) {
    bpi_cell_kind kind = s->cell[s->pin[i].cell].kind;
    if (w->wire && kind != BPI_CELL_OUTPUT && kind != BPI_CELL_TAG) /* those know their net */
      s->pin[i].net = net_of_wire(w, &w->wire[s->pin[i].net]);
    uses[s->pin[i].net]++;
  }
  cell = first;
  for (uint32_t i = 0; i < c->n_parts && s->status == BP_OK; i++) {
    if (!stands(w, i))
      continue;
    bpi_cell *at = &s->cell[cell++];
    for (uint32_t k = 0; k < at->n_pins && c->trace && w->wire; k++) {
      bpi_pin *pin = &s->pin[at->first_pin + k];
      const wire *one = &w->wire[w->wire_first[i] + k];
      if (uses[pin->net] > 1 && one->alike == BPI_NONE)
        pin->below = passed_back(w, i, one->slot, one->input);
    }
    mark_winner(w, i, at, uses);
  }
  for (size_t i = 0; i < c->n_y && c->trace && s->status == BP_OK; i++, cell++) {
    bpi_pin *pin = &s->pin[s->cell[cell].first_pin];
    if (uses[pin->net] > 1)
      pin->below = given_for(w, c->y[i]);
  }
}

/* ---- together ---- */

static bp_status wire_all(wiring *w)
{
  bpi_circuit *c = w->c;
  size_t n = c->g->count;
  uint32_t *n_wires = bpi_sheet_alloc(w->s, c->n_parts + 1, sizeof *n_wires);
  w->user = bpi_sheet_alloc(w->s, n, sizeof *w->user);
  w->used = bpi_sheet_alloc(w->s, n, sizeof *w->used);
  w->loose = bpi_sheet_alloc(w->s, n, sizeof *w->loose);
  w->goes_out = bpi_sheet_alloc(w->s, n, sizeof *w->goes_out);
  w->comes_in = bpi_sheet_alloc(w->s, n, sizeof *w->comes_in);
  w->net_of = bpi_sheet_alloc(w->s, n, sizeof *w->net_of);
  if (w->s->status != BP_OK || list_nodes(w) != BP_OK || list_wires(w) != BP_OK)
    return w->s->status;
  mark_ends(w);
  find_users(w);
  thin_out(w, n_wires);
  note_loose_ends(w);
  add_leaves(w);
  add_parts(w, n_wires);
  add_outputs(w);
  add_loose_ends(w);
  if (w->s->status == BP_OK)
    finish_wires(w);
  return w->s->status;
}

bp_status bpi_circuit_wire(bpi_circuit *c, bpi_sheet *s)
{
  wiring w = {.c = c, .s = s};
  s->framed = c->params != NULL;
  bpi_sheet_fail(s, wire_all(&w));
  bpi_free(c->ctx, w.wire);
  bpi_free(c->ctx, w.alike);
  return s->status;
}
