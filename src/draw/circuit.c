/* Circuits: a graph, or what some of its nodes need, as a picture or as text for Graphviz. */
#include "draw/circuit.h"

enum { MOST = 120 };
#define MARGIN 18.0
#define LEGEND 26.0 /* height of the line under the circuit */

size_t bpi_circuit_most(const bp_circuit_options *o)
{
  return o->most > 0 ? (size_t)o->most : MOST;
}

static bp_status check_trace(const bp_node *y, size_t n, const bp_trace *t)
{
  const void *data;
  size_t at, i = 0;
  while (i < n && bp_trace_locate(t, y[i], &at, NULL) != BP_OK)
    i++;
  if (i == n)
    return bpi_fail(BP_E_GRAPH, "bp_circuit: the trace is of other nodes than those to draw");
  return bp_trace_read(t, BP_TRACE_VALUE, at, 0, &data, NULL);
}

static bp_status check(const bp_node *y, size_t n, const bp_circuit_options *o)
{
  if (!y || !n || !y[0].graph)
    return bpi_bad_arg("bp_circuit", "there are no nodes to draw");
  if (!bpi_graph_alive(y[0].graph))
    return BP_E_GRAPH;
  if (bp_graph_status(y[0].graph) != BP_OK)
    return bpi_fail(bp_graph_status(y[0].graph), "%s", bp_graph_error(y[0].graph));
  for (size_t i = 0; i < n; i++)
    if (y[i].graph != y[0].graph || !bpi_slot(y[i]))
      return bpi_fail(BP_E_GRAPH, "bp_circuit: node %zu is stale, an error node, or of another graph", i + 1);
  if ((unsigned)o->bundles > BP_BUNDLES_OPEN)
    return bpi_bad_arg("bp_circuit", "options.bundles is none of bp_bundling");
  return o->trace ? check_trace(y, n, o->trace) : BP_OK;
}

/* ---- counting ---- */

static void count_inputs(const bpi_circuit *c, bp_circuit_size *size)
{
  for (size_t i = 1; i < c->g->count; i++)
    size->inputs += c->need[i] && (c->g->nodes[i].op->traits & (BP_INPUT | BP_STATE));
}

static void count_parts(const bpi_circuit *c, bp_circuit_size *size)
{
  const bpi_part *last = c->n_parts ? &c->part[c->n_parts - 1] : NULL;
  size->nodes = c->n_parts;
  size->drawn = bpi_circuit_parts(c);
  for (size_t i = 0; i < c->n_parts; i++) {
    const bpi_part *p = &c->part[i];
    if (p->into != BPI_NONE || p->n_nodes < 2)
      continue;
    size->bundle = size->bundles == 0 || size->bundle == p->op->name ? p->op->name : NULL;
    size->bundles++;
    size->bundled += p->n_nodes;
  }
  size->bundled_last = last && size->bundles == 1 && last->n_nodes == size->bundled;
}

/* ---- from the graph to the sheet ---- */

static bp_status prepare(bpi_circuit *c, bpi_sheet *s, bp_circuit_size *size)
{
  bp_status status = bpi_circuit_open(c);
  if (status == BP_OK && c->o->bundles == BP_BUNDLES_FOUND)
    status = bpi_circuit_recognise(c);
  if (status != BP_OK)
    return status;
  count_inputs(c, size);
  count_parts(c, size);
  if (!c->o->all)
    status = bpi_circuit_shorten(c, bpi_circuit_most(c->o));
  size->drawn = bpi_circuit_parts(c);
  return status == BP_OK ? bpi_circuit_wire(c, s) : status;
}

/* The sheet of a circuit, not laid out. The caller frees it, also on failure. */
static bp_status make_sheet(const bp_node *y, size_t n, const bp_circuit_options *o, bpi_sheet *s,
                            bp_circuit_size *size)
{
  bp_circuit_size counted = {0};
  bpi_circuit c = {.ctx = y[0].graph->ctx,
                   .g = y[0].graph,
                   .y = y,
                   .names = o->names,
                   .n_y = n,
                   .o = o,
                   .trace = o->trace,
                   .decimals = o->trace && bpi_whole_numbers(o->trace) ? 0 : 2};
  bpi_sheet_init(s, c.ctx);
  s->width = o->width;
  bp_status status = prepare(&c, s, &counted);
  bpi_circuit_close(&c);
  if (size)
    *size = counted;
  return status;
}

/* ---- the picture ---- */

/* Says how values and gradients are told apart, in their own hands. */
static void draw_legend(bp_picture *p, bpi_point at)
{
  const char *value = "value, above its wire", *gradient = "gradient, below it";
  bpi_draw_text(p, at, 11, BPI_START, BPI_VALUE, value);
  at.x += bpi_text_width(value, 11, BPI_START) + 18;
  bpi_draw_text(p, at, 11, BPI_START | BPI_ITALIC, BPI_GRADIENT, gradient);
}

static bp_status draw(bpi_sheet *s, const bp_circuit_options *o, bp_picture **picture)
{
  bp_picture *p = bpi_scene_new(s->ctx);
  double legend = o->trace ? LEGEND : 0;
  if (!p)
    return BP_E_NOMEM;
  bpi_sheet_draw(s, p, (bpi_point){MARGIN, MARGIN});
  if (o->trace)
    draw_legend(p, (bpi_point){MARGIN, s->bottom + 2 * MARGIN + LEGEND / 2});
  return bpi_scene_done(
      p, s->right + 2 * MARGIN, s->bottom + 2 * MARGIN + legend, o->title ? o->title : "circuit",
      "A circuit, read from left to right: inputs, operations in circles, outputs. Above a wire its value, "
      "below it the gradient.",
      picture);
}

static const bp_circuit_options defaults;

bp_status bp_circuit(const bp_node *y, size_t n, const bp_circuit_options *options, bp_picture **picture,
                     bp_circuit_size *size)
{
  const bp_circuit_options *o = options ? options : &defaults;
  bpi_sheet s;
  if (!picture)
    return bpi_bad_arg("bp_circuit", "picture is NULL");
  *picture = NULL;
  bp_status status = check(y, n, o);
  if (status != BP_OK)
    return status;
  status = make_sheet(y, n, o, &s, size);
  if (status == BP_OK)
    status = bpi_sheet_layout(&s);
  if (status == BP_OK)
    status = draw(&s, o, picture);
  bpi_sheet_free(&s);
  return status;
}

bp_status bp_circuit_dot(const bp_node *y, size_t n, const bp_circuit_options *options, char **text,
                         bp_circuit_size *size)
{
  const bp_circuit_options *o = options ? options : &defaults;
  bpi_sheet s;
  if (!text)
    return bpi_bad_arg("bp_circuit_dot", "text is NULL");
  *text = NULL;
  bp_status status = check(y, n, o);
  if (status != BP_OK)
    return status;
  status = make_sheet(y, n, o, &s, size);
  if (status == BP_OK)
    status = bpi_sheet_dot(&s, text);
  bpi_sheet_free(&s);
  return status;
}

bp_status bp_circuit_count(const bp_node *y, size_t n, const bp_circuit_options *options,
                           bp_circuit_size *size)
{
  bpi_sheet s;
  if (!size)
    return bpi_bad_arg("bp_circuit_count", "size is NULL");
  bp_status status = check(y, n, options ? options : &defaults);
  if (status != BP_OK)
    return status;
  status = make_sheet(y, n, options ? options : &defaults, &s, size);
  bpi_sheet_free(&s);
  return status;
}
