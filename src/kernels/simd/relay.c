/* Relays: cheap bodies one after another on eight vectors that stay in registers. Each is a function that does its work and jumps to the
 * next one (threaded code), so what only the next body reads is neither stored nor loaded, and a body costs a few instructions
 * beside its own. A body is mapped over one vector by a loop over exactly its elements, which compilers turn into the vector
 * instructions themselves. */
#include "kernels/simd/bodyargs.h"
#include "kernels/simd/bodymath.h"
#include "kernels/simd/isa.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#pragma GCC diagnostic warning "-Wdouble-promotion"

#if defined(__AVX512F__)
enum { VECTOR = 64 };
#define STREAM_f32(y, v) _mm512_stream_ps(y, (__m512)(v))
#define STREAM_f64(y, v) _mm512_stream_pd(y, (__m512d)(v))
#elif defined(__AVX2__)
enum { VECTOR = 32 };
#define STREAM_f32(y, v) _mm256_stream_ps(y, (__m256)(v))
#define STREAM_f64(y, v) _mm256_stream_pd(y, (__m256d)(v))
#elif defined(__x86_64__)
enum { VECTOR = 16 };
#define STREAM_f32(y, v) _mm_stream_ps(y, (__m128)(v))
#define STREAM_f64(y, v) _mm_stream_pd(y, (__m128d)(v))
#else
enum { VECTOR = 16 };
#define STREAM_f32(y, v) memcpy(y, &(v), sizeof(v))
#define STREAM_f64(y, v) memcpy(y, &(v), sizeof(v))
#endif
enum { STRIP = 8 * VECTOR, AHEAD = 2 * STRIP }; /* bytes */

typedef float vector_f32 __attribute__((vector_size(VECTOR)));
typedef double vector_f64 __attribute__((vector_size(VECTOR)));

/* A body runs in a relay if it calls no function of bodymath.h, or a root alone, which is one instruction. */
#define FUNCTION(text)  __builtin_strstr(text "m_", "m_") /* the first, or the end */
#define IS_ROOT(at)     (__builtin_strncmp(at, "m_sqrt(", 7) == 0 && __builtin_strstr(at + 1, "m_")[2] == 0)
#define CAN_RELAY(text) (!BPI_PLAIN && (IS_CHEAP(text) || IS_ROOT(FUNCTION(text))))

#define N(name) BPI_PASTE(name, S)
#define V       N(vector)
#define CODE(name)                                                                                          \
  static __attribute__((unused)) void N(name)(const bpi_relay *s, int64_t at, V a0, V a1, V a2, V a3, V a4, \
                                              V a5, V a6, V a7)
#define NEXT ((N(relay_code))s[1].fn)(s + 1, at, a0, a1, a2, a3, a4, a5, a6, a7)
#define EIGHT(DO, ...) \
  DO(0, __VA_ARGS__)   \
  DO(1, __VA_ARGS__)   \
  DO(2, __VA_ARGS__)   \
  DO(3, __VA_ARGS__) DO(4, __VA_ARGS__) DO(5, __VA_ARGS__) DO(6, __VA_ARGS__) DO(7, __VA_ARGS__)

/* Part i of the operand in memory, which may lie at any address; and its only element. */
#define PLACE   N(loose) *const place = (N(loose) *)((char *)s->x + (at & s->along))
#define PART(i) (place[i])
#define NUMBER  (*(const T *)s->x - (V){0})

/* v: what the registers hold. w: the other operand; first: it is the body's first. */
#define MAP(name, ...)                                                     \
  BPI_INLINE V N(name##_map)(V v, V w, T p0, T p1, T p2, const bool first) \
  {                                                                        \
    enum { ELEMENTS = VECTOR / (int)sizeof(T) };                           \
    T left[ELEMENTS], right[ELEMENTS], result[ELEMENTS];                   \
    memcpy(left, first ? &w : &v, sizeof v);                               \
    memcpy(right, first ? &v : &w, sizeof v);                              \
    const int careful = 0;                                                 \
    int is_far = 0, *far = &is_far;                                        \
    (void)p0, (void)p1, (void)p2, (void)far, (void)careful;                \
    BPI_APART                                                              \
    for (int i = 0; i < ELEMENTS; i++) {                                   \
      const T a = left[i], b = right[i], x = a;                            \
      (void)a, (void)b, (void)x;                                           \
      result[i] = __VA_ARGS__;                                             \
    }                                                                      \
    memcpy(&v, result, sizeof v);                                          \
    return v;                                                              \
  }
#define APPLY(i, name, w, first)   a##i = N(name##_map)(a##i, w, p0, p1, p2, first);
#define APPLY_PART(i, name, first) a##i = N(name##_map)(a##i, PART(i), p0, p1, p2, first);

#define RELAY1(name, text, ...)       \
  MAP(name, __VA_ARGS__)              \
  CODE(name##_one)                    \
  {                                   \
    const double *const p = s->p;     \
    PARAMETERS(text);                 \
    EIGHT(APPLY, name, (V){0}, false) \
    NEXT;                             \
  }
#define RELAY2_OF(name, how, text, first) \
  CODE(name##_array##how)                 \
  {                                       \
    PLACE;                                \
    const double *const p = s->p;         \
    PARAMETERS(text);                     \
    EIGHT(APPLY_PART, name, first)        \
    NEXT;                                 \
  }                                       \
  CODE(name##_number##how)                \
  {                                       \
    const double *const p = s->p;         \
    PARAMETERS(text);                     \
    const V w = NUMBER;                   \
    EIGHT(APPLY, name, w, first)          \
    NEXT;                                 \
  }
#define RELAY2(name, text, ...)  \
  MAP(name, __VA_ARGS__)         \
  RELAY2_OF(name, , text, false) \
  RELAY2_OF(name, _first, text, true)

#define FIND1(name, text) \
  case BPI_BODY_##name:   \
    return CAN_RELAY(text) ? (bpi_relay_fn)N(name##_one) : NULL;
#define FIND2(name, text)                                                       \
  case BPI_BODY_##name:                                                         \
    return !CAN_RELAY(text)               ? NULL                                \
           : how == BPI_RELAY_ARRAY       ? (bpi_relay_fn)N(name##_array)       \
           : how == BPI_RELAY_ARRAY_FIRST ? (bpi_relay_fn)N(name##_array_first) \
           : how == BPI_RELAY_NUMBER      ? (bpi_relay_fn)N(name##_number)      \
                                          : (bpi_relay_fn)N(name##_number_first);

#define T float
#define S f32
#include "kernels/simd/relay_real.h"
#undef T
#undef S

#define T double
#define S f64
#include "kernels/simd/relay_real.h"
#undef T
#undef S
