/* What a picture is made of: a list of things to draw, in order, in colours by their role. Layouts (plots, circuits, grids) append to
 * it; writers (SVG, PNG) read it; tests walk it.
 *
 * One unit is a CSS pixel; x goes right, y down; the first thing appended lies lowest. Nothing is transparent: a colour is a role,
 * mixed into the paper by a strength, and which colours those are is chosen when writing (light or dark).
 *
 * Calls return nothing: the picture keeps its first failure (memory, a coordinate that is not finite) and then ignores calls, so
 * that a layout needs one check, of p->status, at its end.                                                                    */
#ifndef BPI_SCENE_H
#define BPI_SCENE_H

#include "base/arena.h"

/** Roles: X(NAME, light, dark, contrast that is promised on the paper: 4.5 for text, 3 for lines, 0 for grounds). */
#define BPI_ROLE_LIST(X)                                                                               \
  X(PAPER, 0xffffff, 0x15181d, 0)                                                                      \
  X(TEXT, 0x1b1d21, 0xe9ebee, 7)                                                                       \
  X(MUTED, 0x565d68, 0xa3abb6, 4.5) /* axes' numbers, captions */                                      \
  X(GRID, 0xe4e7eb, 0x2b3038, 0)                                                                       \
  X(AXIS, 0x767d88, 0x858d98, 3)                                                                       \
  X(WIRE, 0x4b525c, 0xa9b1bc, 4.5)                                                                     \
  X(GATE, 0xf3f5f8, 0x232830, 0)   /* ground of an operation */                                        \
  X(BUNDLE, 0xe8f0fb, 0x1b2a3d, 0) /* ground of a bundle */                                            \
  X(INPUT, 0xfdf6e3, 0x2e2a1c, 0)  /* ground of an input */                                            \
  X(EDGE, 0x363b43, 0xc3cad3, 7)   /* outline of a gate */                                             \
  X(VALUE, 0x00691a, 0x62d58c, 4.5)                                                                    \
  X(GRADIENT, 0xb80000, 0xff8f85, 4.5)                                                                 \
  X(POSITIVE, 0xb2182b, 0xf4705c, 4.5) /* ends of the diverging scale, */                              \
  X(NEGATIVE, 0x1f5fa8, 0x5ea5f2, 4.5) /* whose middle is the paper */                                 \
  X(SERIES1, 0x0b62b0, 0x62a8f0, 4.5)  /* series of plots, classes: told apart by shape or dash too */ \
  X(SERIES2, 0xc04a06, 0xf79a5c, 4.5)                                                                  \
  X(SERIES3, 0x137a4b, 0x55c993, 4.5)                                                                  \
  X(SERIES4, 0x8a3aa0, 0xd18ce6, 4.5)                                                                  \
  X(SERIES5, 0x8a6400, 0xdcb44a, 4.5)                                                                  \
  X(SERIES6, 0x007886, 0x4cc3d1, 4.5)                                                                  \
  X(SERIES7, 0xb8296f, 0xf786b9, 4.5)                                                                  \
  X(SERIES8, 0x5b5f66, 0xb0b6bf, 4.5)

typedef enum bpi_role {
  BPI_NO_ROLE,
#define BPI_ROLE_ENUM(name, light, dark, contrast) BPI_##name,
  BPI_ROLE_LIST(BPI_ROLE_ENUM)
#undef BPI_ROLE_ENUM
      BPI_ROLE_COUNT
} bpi_role;
enum { BPI_SERIES = 8 };

/** A colour: a role, and how much of it is mixed into the paper (255: all). Zeros: nothing is drawn. */
typedef struct bpi_ink {
  uint8_t role, strength;
} bpi_ink;
#define BPI_INK(role_) ((bpi_ink){(uint8_t)(role_), 255})

typedef struct bpi_point {
  double x, y;
} bpi_point;
typedef struct bpi_box {
  double x0, y0, x1, y1;
} bpi_box;

/** How a shape is drawn: the ground inside, then the line along it. Joins are round, ends are cut straight. */
typedef struct bpi_look {
  bpi_ink fill, line;
  double width; /* of the line */
  enum { BPI_SOLID, BPI_DASHED, BPI_DOTTED, BPI_DASHDOT } dash;
  bool wire; /* no text may touch it: what the tests of circuits look for */
} bpi_look;

/** How a text is set: where it is held, and style. */
enum {
  BPI_START = 0,
  BPI_MIDDLE = 1,
  BPI_END = 2,
  BPI_BOLD = 4,
  BPI_ITALIC = 8,
  BPI_TURNED = 16 /* reads upwards; held at its baseline as ever */
};

typedef enum bpi_item_kind {
  BPI_ITEM_RECT,
  BPI_ITEM_CIRCLE,
  BPI_ITEM_PATH,
  BPI_ITEM_TEXT,
  BPI_ITEM_IMAGE,
  BPI_ITEM_OPEN,
  BPI_ITEM_CLOSE
} bpi_item_kind;

typedef struct bpi_item {
  bpi_item_kind kind;
  bpi_look look;
  bpi_box
      box; /* what it covers: a path with its control points and width, a text with ascenders and descenders */
  union {
    struct {
      double radius; /* of the corners; the rest is the box, less half the line's width */
    } rect;
    struct {
      bpi_point at;
      double radius;
    } circle;
    struct {
      const char *step; /* M L: 1 point, C: 3, Z: none */
      const bpi_point *point;
    } path;
    struct {
      bpi_point at; /* on the baseline */
      double size;
      unsigned style;
      const char *s; /* valid UTF-8 without control characters */
    } text;
    struct {
      int cols, rows;
      bool smooth;
      const bpi_ink *pixel; /* row by row from the top */
    } image;
    struct {
      const char *title; /* NULL: none */
    } group;
  };
} bpi_item;

/** The box that a rectangle was drawn with: its own, less half the line. */
bpi_box bpi_item_inside(const bpi_item *i);

/** Lengths on and off in turn. */
enum { BPI_MOST_DASHES = 4 };
typedef struct bpi_dashes {
  int n; /* 0: solid */
  double length[BPI_MOST_DASHES];
} bpi_dashes;
extern const bpi_dashes bpi_dash_table[]; /* by look.dash */

/** Public as bp_picture. */
struct bp_picture {
  bp_ctx *ctx;
  double width, height;
  const char *title, *about; /* for those who cannot see it; NULL: none */
  bp_status status;          /* first failure; its message is kept for bpi_scene_done */
  bpi_item *item;
  size_t n, cap;
  bpi_arena arena; /* what items point to */
};

/** New empty picture. NULL: BP_E_NOMEM. Freed with bp_picture_free. */
bp_picture *bpi_scene_new(bp_ctx *ctx);
/** Ends a layout: the picture gets its size, or is freed and the first failure told. title and about are copied. *out NULL on error. */
bp_status bpi_scene_done(bp_picture *p, double width, double height, const char *title, const char *about,
                         bp_picture **out);
/** The first failure of a layout of its own kind, for p->status; told by bpi_scene_done. Returns s. */
bp_status bpi_scene_fail(bp_picture *p, bp_status s);

void bpi_draw_rect(bp_picture *p, bpi_look look, bpi_box box, double radius);
void bpi_draw_circle(bp_picture *p, bpi_look look, bpi_point at, double radius);
/** steps: a text of M, L, C, Z; points in their order. Both are copied. */
void bpi_draw_path(bp_picture *p, bpi_look look, const char *steps, const bpi_point *points);
/** An open line through n >= 2 points; closed: a polygon. */
void bpi_draw_polyline(bp_picture *p, bpi_look look, const bpi_point *points, size_t n, bool closed);
void bpi_draw_line(bp_picture *p, bpi_look look, bpi_point a, bpi_point b);
/** A filled arrow head with its tip at `tip`, coming from `from`. */
void bpi_draw_arrow(bp_picture *p, bpi_look look, bpi_point from, bpi_point tip, double length);
/** Control characters and bytes that are not UTF-8 become '?'. NULL and "" draw nothing. */
void bpi_draw_text(bp_picture *p, bpi_point at, double size, unsigned style, bpi_role role, const char *text);
/** pixels: cols * rows inks, not copied if they come from bpi_scene_alloc: they must live as long as the picture. smooth: between the
 *  pixels' centres colours blend; else pixels have edges. */
void bpi_draw_image(bp_picture *p, bpi_box box, int cols, int rows, const bpi_ink *pixels, bool smooth);
/** What is drawn until the matching bpi_draw_close belongs together; title is what a viewer shows for it, NULL: none. */
void bpi_draw_open(bp_picture *p, const char *title);
void bpi_draw_close(bp_picture *p);

/** Memory that lives as long as the picture; NULL when it failed. */
void *bpi_scene_alloc(bp_picture *p, size_t n, size_t size);
/** The text as bpi_draw_text would draw it, copied; NULL when out of memory. */
char *bpi_clean_text(bpi_arena *arena, const char *text);
/** The same, cut to a width with "…" where it is longer. Lives as long as the picture; "" on failure. */
const char *bpi_text_fit(bp_picture *p, const char *text, double size, unsigned style, double width);

/** Colour of an ink as 0xRRGGBB. */
uint32_t bpi_colour(bpi_ink ink, bool dark);

/* ---- metrics: DejaVu Sans, the font that is named first in the SVG; its advance widths without kerning ---- */
#define BPI_FONT_ASCENT  0.76  /* of letters as b, d, l, over the baseline, times the size */
#define BPI_FONT_DESCENT 0.24  /* below it, p and g */
#define BPI_FONT_CAP     0.729 /* capitals and digits */
double bpi_text_width(const char *text, double size, unsigned style);
/** The box of a text drawn there. */
bpi_box bpi_text_box(bpi_point at, double size, unsigned style, const char *text);

#endif
