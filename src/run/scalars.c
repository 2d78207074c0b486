/* Programs over single elements: runs of equal steps, each row of which names the places of its operands in the block. Plain arithmetic is
 * done where the elements lie; for the rest a run's operands are gathered, so that its loop has whole vectors to compute. */
#include "run/run.h"

#include <string.h>

enum { GATHERED = 64, VECTOR = 8 };

#define EACH_ELEMENT(T, to, from)             \
  for (size_t i = 0; i < n; i++, at += width) \
  *(T *)(void *)(to) = *(const T *)(const void *)(from)

/* Elements at every width-th offset, one after another. */
static void gather(size_t elem, char *room, const char *base, const uint32_t *at, size_t n, size_t width)
{
  if (elem == 8)
    EACH_ELEMENT(uint64_t, room + i * 8, base + *at);
  else if (elem == 4)
    EACH_ELEMENT(uint32_t, room + i * 4, base + *at);
  else
    EACH_ELEMENT(uint8_t, room + i, base + *at);
}

static void scatter(size_t elem, const char *room, char *base, const uint32_t *at, size_t n, size_t width)
{
  if (elem == 8)
    EACH_ELEMENT(uint64_t, base + *at, room + i * 8);
  else if (elem == 4)
    EACH_ELEMENT(uint32_t, base + *at, room + i * 4);
  else
    EACH_ELEMENT(uint8_t, base + *at, room + i);
}

/* The last vector is filled up with its last element. */
static size_t fill_up(size_t elem, char *room, size_t n)
{
  size_t whole = (n + VECTOR - 1) / VECTOR * VECTOR;
  for (size_t i = n; i < whole; i++)
    memcpy(room + i * elem, room + (n - 1) * elem, elem);
  return whole;
}

static void run_gathered(const bpi_scalar_step *s, char *base, const uint32_t *at, size_t n)
{
  static const int64_t step[BPI_MAX_BODY_IN] = {1, 1, 1, 1};
  _Alignas(64) char in[BPI_MAX_BODY_IN][GATHERED * 8], out[GATHERED * 8];
  const void *x[BPI_MAX_BODY_IN];
  size_t width = s->n_in + (size_t)1;
  for (size_t m; n; n -= m, at += m * width) {
    size_t whole = m = n < GATHERED ? n : GATHERED;
    for (size_t k = 0; k < s->n_in; k++) {
      gather(s->elem[k], in[k], base, at + k, m, width);
      whole = fill_up(s->elem[k], in[k], m);
      x[k] = in[k];
    }
    s->loop((int64_t)whole, out, x, step, s->params);
    scatter(s->elem[s->n_in], out, base, at + s->n_in, m, width);
  }
}

static void run_alone(const bpi_scalar_step *s, char *base, const uint32_t *at)
{
  static const int64_t step[BPI_MAX_BODY_IN] = {1, 1, 1, 1};
  const void *x[BPI_MAX_BODY_IN];
  for (size_t k = 0; k < s->n_in; k++)
    x[k] = base + at[k];
  s->loop(1, base + at[s->n_in], x, step, s->params);
}

/* Elements from elsewhere: the first word of a row is the number of an operand. */
static void take_in(const bpi_scalar_step *s, const bpi_step *of, char *base, const uint32_t *at, size_t n)
{
  const size_t width = 2;
  if (s->elem[0] == 8)
    EACH_ELEMENT(uint64_t, base + at[1], of->at[*at]);
  else if (s->elem[0] == 4)
    EACH_ELEMENT(uint32_t, base + at[1], of->at[*at]);
  else
    EACH_ELEMENT(uint8_t, base + at[1], of->at[*at]);
}

bp_status bpi_run_scalars(bpi_step *of)
{
  const bpi_scalars *p = of->instr->scalars;
  char *base = of->frame->block;
  for (const uint32_t *at = p->code; at < p->end;) {
    const bpi_scalar_step *s = bpi_run_step_of(p, *at);
    size_t n = bpi_run_length(*at++);
    if (s->picks)
      s->picks(base, at, n, s->params);
    else if (!s->loop)
      take_in(s, of, base, at, n);
    else if (n == 1)
      run_alone(s, base, at);
    else
      run_gathered(s, base, at, n);
    at += n * (s->n_in + (size_t)1);
  }
  return BP_OK;
}
