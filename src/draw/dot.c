/* A sheet as text for Graphviz. Frames are clusters; a wire into one ends at the input of that place inside. */
#include "draw/circuit.h"

typedef struct dot {
  bpi_text t;
  unsigned next; /* number of the next sheet */
} dot;

/* Inside a label in quotes. */
static void put_quoted(bpi_text *t, const char *s)
{
  for (; s && *s; s++) {
    if (*s == '"' || *s == '\\')
      bpi_textf(t, "\\");
    bpi_text_add(t, s, 1);
  }
}

/* Inside an HTML-like label. */
static void put_escaped(bpi_text *t, const char *s)
{
  for (; s && *s; s++)
    switch (*s) {
    case '&':
      bpi_textf(t, "&amp;");
      break;
    case '<':
      bpi_textf(t, "&lt;");
      break;
    case '>':
      bpi_textf(t, "&gt;");
      break;
    default:
      bpi_text_add(t, s, 1);
    }
}

static const char *const shapes[] = {
    [BPI_CELL_INPUT] = "shape=plaintext",
    [BPI_CELL_GATE] = "shape=circle",
    [BPI_CELL_BUNDLE] = "shape=box style=rounded",
    [BPI_CELL_STACK] = "shape=box3d",
    [BPI_CELL_FRAME] = "",
    [BPI_CELL_TAG] = "shape=plaintext",
    [BPI_CELL_OUTPUT] = "shape=plaintext",
};

static void put_cells(dot *d, const bpi_sheet *s, unsigned *sheets);

static void put_cell(dot *d, const bpi_sheet *s, uint32_t i, unsigned number, unsigned *inner)
{
  const bpi_cell *c = &s->cell[i];
  if (c->inner) {
    bpi_textf(&d->t, "subgraph cluster_%u_%u { style=\"rounded,dashed\" label=\"", number, i);
    put_quoted(&d->t, c->line[0]);
    bpi_textf(&d->t, "\"\n");
    put_cells(d, c->inner, inner);
    bpi_textf(&d->t, "}\n");
    return;
  }
  bpi_textf(&d->t, "n%u_%u [%s label=\"", number, i, shapes[c->kind]);
  for (int k = 0; k < BPI_CELL_LINES && c->line[k]; k++) {
    bpi_textf(&d->t, "%s", k ? "\\n" : "");
    put_quoted(&d->t, c->line[k]);
  }
  bpi_textf(&d->t, "\"]\n");
}

/* The node of a frame's inside where its input or output number k is. */
static uint32_t inside(const bpi_sheet *s, bpi_cell_kind kind, uint32_t k)
{
  for (uint32_t i = 0; i < s->n_cells; i++)
    if (s->cell[i].kind == kind && k-- == 0)
      return i;
  return 0;
}

static void put_label(dot *d, const bpi_net *net, const bpi_pin *pin)
{
  const char *below = pin->below ? pin->below : net->below;
  if (!net->above[0] && !below)
    return;
  bpi_textf(&d->t, " [label=<");
  for (int i = 0; i < BPI_LABEL_LINES && net->above[i]; i++) {
    bpi_textf(&d->t, "%s<font color=\"#%06x\">", i ? "<br/>" : "",
              (unsigned)bpi_colour(BPI_INK(BPI_VALUE), false));
    put_escaped(&d->t, net->above[i]);
    bpi_textf(&d->t, "</font>");
  }
  if (below) {
    bpi_textf(&d->t, "%s<font color=\"#%06x\"><i>", net->above[0] ? "<br/>" : "",
              (unsigned)bpi_colour(BPI_INK(BPI_GRADIENT), false));
    put_escaped(&d->t, below);
    bpi_textf(&d->t, "</i></font>");
  }
  bpi_textf(&d->t, ">%s]", pin->strong ? " penwidth=3" : "");
}

static void put_wires(dot *d, const bpi_sheet *s, unsigned number, const unsigned *inner)
{
  for (uint32_t i = 0; i < s->n_pins; i++) {
    const bpi_pin *pin = &s->pin[i];
    const bpi_net *net = &s->net[pin->net];
    const bpi_cell *from = &s->cell[net->cell], *to = &s->cell[pin->cell];
    unsigned from_sheet = from->inner ? inner[net->cell] : number,
             to_sheet = to->inner ? inner[pin->cell] : number;
    uint32_t a = from->inner ? inside(from->inner, BPI_CELL_OUTPUT, pin->net - from->first_net) : net->cell;
    uint32_t b = to->inner ? inside(to->inner, BPI_CELL_INPUT, i - to->first_pin) : pin->cell;
    bpi_textf(&d->t, "n%u_%u -> n%u_%u", from_sheet, a, to_sheet, b);
    put_label(d, net, pin);
    bpi_textf(&d->t, "\n");
  }
}

static void put_cells(dot *d, const bpi_sheet *s, unsigned *number)
{
  *number = d->next++;
  unsigned *inner = bpi_alloc(s->ctx, s->n_cells + 1, sizeof *inner);
  if (!inner) {
    d->t.failed = true;
    return;
  }
  for (uint32_t i = 0; i < s->n_cells; i++)
    put_cell(d, s, i, *number, &inner[i]);
  put_wires(d, s, *number, inner);
  bpi_free(s->ctx, inner);
}

bp_status bpi_sheet_dot(bpi_sheet *s, char **text)
{
  dot d = {.next = 0};
  unsigned number;
  bpi_text_init(&d.t, s->ctx);
  bpi_textf(&d.t, "digraph circuit {\nrankdir=LR\nnode [fontname=\"DejaVu Sans\" fontsize=13]\nedge "
                  "[fontname=\"DejaVu Sans\" "
                  "fontsize=11 arrowsize=0.6]\n");
  put_cells(&d, s, &number);
  bpi_textf(&d.t, "}\n");
  *text = bpi_text_take(&d.t);
  return *text ? BP_OK : bpi_nomem();
}
