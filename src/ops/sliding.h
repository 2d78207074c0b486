/* What rows share whose windows slide over images [batch, height, width, channels]: attributes and shapes. */
#ifndef BPI_SLIDING_H
#define BPI_SLIDING_H

#include "ops/family.h"

/* Windows are at most so far across, so that nothing that is made of them overflows. */
#define BPI_SLIDING_MOST 65536

/* Brings a list to two numbers, at least `least` each: none is `preset` twice, one is taken twice. */
bp_status bpi_canon_pair(const bp_op_call *c, bp_attr *a, const char *name, int64_t least, int64_t preset);
/* Brings a border to before and after in height, before and after in width; from none, one for all, or one for each direction. */
bp_status bpi_canon_border(const bp_op_call *c, bp_attr *a);
/* BP_E_SHAPE unless input i has four axes; `what` it is, in words. */
bp_status bpi_want_rank4(const bp_op_call *c, int input, const char *what);
/* BP_E_DTYPE unless all inputs are real. */
bp_status bpi_want_reals(const bp_op_call *c);

/* Fills in w->places from the rest and the border; says what is wrong. */
bp_status bpi_slide(const bp_op_call *c, const int64_t *border, bpi_window *w);

/* Along one axis: places of windows that reach `extent` across, 0 where not even one fits. */
static inline int64_t bpi_places(int64_t size, int64_t borders, int64_t extent, int64_t stride)
{
  return size + borders < extent ? 0 : (size + borders - extent) / stride + 1;
}

/* Fills in how many windows there are. Steps that are never taken, from the only place and to the only element of a window, are no longer than the
 * image, so that no distance made of them overflows. */
static inline void bpi_set_places(bpi_window *w, const int64_t *places)
{
  for (int i = 0; i < 2; i++) {
    const int64_t most = w->size[i] > 1 ? w->size[i] : 1;
    w->places[i] = places[i];
    if (places[i] < 2 && w->stride[i] > most)
      w->stride[i] = most;
    if (w->window[i] < 2 && w->dilation[i] > most)
      w->dilation[i] = most;
  }
}

#endif
