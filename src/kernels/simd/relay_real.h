/* The relays of element type T with suffix S. Included by relay.c once for each. */
typedef void (*N(relay_code))(const bpi_relay *s, int64_t at, V a0, V a1, V a2, V a3, V a4, V a5, V a6, V a7);
typedef T N(loose) __attribute__((vector_size(VECTOR), aligned(sizeof(T)), may_alias));

/* ---- to and from memory ---- */

#define LOAD(i, ...)   a##i = PART(i);
#define FETCH(i, ...)  __builtin_prefetch((const char *)(place + i) + AHEAD, 1);
#define STORE(i, ...)  PART(i) = a##i;
#define STREAM(i, ...) BPI_PASTE(STREAM, S)((T *)(place + i), a##i);

CODE(load)
{
  PLACE;
  EIGHT(LOAD, )
  NEXT;
}

CODE(load_number)
{
  a0 = a1 = a2 = a3 = a4 = a5 = a6 = a7 = NUMBER;
  NEXT;
}

/* Asks for what comes some strips later. */
CODE(fetch)
{
  PLACE;
  EIGHT(FETCH, )
  NEXT;
}

CODE(store)
{
  PLACE;
  EIGHT(STORE, )
  NEXT;
}

/* Past the caches: they could not hold the array, and so its lines need not be read before they are written. */
CODE(stream)
{
  PLACE;
  EIGHT(STREAM, )
  NEXT;
}

/* Lane l of the sum gets elements l, l + 32, ... in their order: vector i of the strip goes to its place among the vectors of the lanes. */
#define PER_LANES   ((int)(BPI_SUM_LANES * sizeof(T) / VECTOR))
#define ADD(i, ...) lanes[(PER_LANES > 8 ? at / STRIP * 8 + i : i) % PER_LANES] += a##i;

CODE(sum)
{
  V *lanes = s->x;
  EIGHT(ADD, )
  NEXT;
}

CODE(end)
{
  (void)s, (void)at, (void)a0, (void)a1, (void)a2, (void)a3, (void)a4, (void)a5, (void)a6, (void)a7;
}

#undef LOAD
#undef FETCH
#undef STORE
#undef STREAM
#undef ADD
#undef PER_LANES

/* ---- bodies ---- */

#define REAL_BODY1(name, ...) RELAY1(name, #__VA_ARGS__, __VA_ARGS__)
#define REAL_BODY2(name, ...) RELAY2(name, #__VA_ARGS__, __VA_ARGS__)
#define REAL_BODY3(name, ...)
#define NUM_BODY1(name, ...) RELAY1(name, #__VA_ARGS__, __VA_ARGS__)
#define NUM_BODY2(name, ...) RELAY2(name, #__VA_ARGS__, __VA_ARGS__)
#define TEST_BODY1(name, ...)
#define TEST_BODY2(name, ...)
#define BOOL_BODY1(name, ...)
#define BOOL_BODY2(name, ...)
#define PICK_BODY3(name, ...)
#include "bodies.inc"
#include "kernels/simd/bodies_none.h"

#define REAL_BODY1(name, ...) FIND1(name, #__VA_ARGS__)
#define REAL_BODY2(name, ...) FIND2(name, #__VA_ARGS__)
#define REAL_BODY3(name, ...)
#define NUM_BODY1(name, ...) FIND1(name, #__VA_ARGS__)
#define NUM_BODY2(name, ...) FIND2(name, #__VA_ARGS__)
#define TEST_BODY1(name, ...)
#define TEST_BODY2(name, ...)
#define BOOL_BODY1(name, ...)
#define BOOL_BODY2(name, ...)
#define PICK_BODY3(name, ...)

bpi_relay_fn BPI_SYM(N(bpi_relay_of))(int body, bpi_relay_how how)
{
#define MOVE(how, name) [how - BPI_RELAY_LOAD] = (bpi_relay_fn)N(name)
  static const bpi_relay_fn moves[] = {
      MOVE(BPI_RELAY_LOAD, load),   MOVE(BPI_RELAY_LOAD_NUMBER, load_number), MOVE(BPI_RELAY_FETCH, fetch),
      MOVE(BPI_RELAY_STORE, store), MOVE(BPI_RELAY_STREAM, stream),           MOVE(BPI_RELAY_SUM, sum),
      MOVE(BPI_RELAY_END, end)};
#undef MOVE
  if (how >= BPI_RELAY_LOAD)
    return moves[how - BPI_RELAY_LOAD];
  switch (body) {
#include "bodies.inc"
  default:
    return NULL;
  }
}
#include "kernels/simd/bodies_none.h"

int64_t BPI_SYM(N(bpi_run_relay))(const bpi_relay *program, int64_t first, int64_t n, bool streams)
{
  const int64_t begin = first * (int64_t)sizeof(T), whole = n * (int64_t)sizeof(T) / STRIP * STRIP;
  const V none = {0};
  for (int64_t at = begin; at < begin + whole; at += STRIP)
    ((N(relay_code))program->fn)(program, at, none, none, none, none, none, none, none, none);
#if defined(__x86_64__)
  if (streams)
    _mm_sfence(); /* others may read it as soon as they are told */
#endif
  (void)streams;
  return whole / (int64_t)sizeof(T);
}
