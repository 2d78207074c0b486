/* Counter-based random numbers: Philox4x32-10 (Salmon et al., Parallel Random Numbers: As Easy as 1, 2, 3, 2011).
 * A number is a pure function of (seed, step, stream, index): the same on every machine and for every number of threads. */
#ifndef BPI_RNG_H
#define BPI_RNG_H

#include <stdint.h>

typedef struct bpi_key {
  uint64_t seed;   /* the two key words */
  uint32_t step;   /* counter word 3 */
  uint32_t stream; /* counter word 2 */
} bpi_key;

/* The 4 words of block `block` (counter words 0 and 1). */
void bpi_philox(bpi_key k, uint64_t block, uint32_t out[4]);
/* Element i: 53-bit uniform in [0, 1): from words 2*(i%2) (low half) and 2*(i%2)+1 (high half) of block i/2: the upper 53
 * of these 64 bits. */
double bpi_uniform(bpi_key k, uint64_t i);
/* Elements first to first + n - 1, the same numbers; several times as fast as one at a time. */
void bpi_uniform_run(bpi_key k, uint64_t first, int64_t n, double *out);
/* Element i: standard normal, inverse distribution function (Wichura, AS 241, 1988) at the uniform moved to the middle of its cell;
 * only +, -, *, /, sqrt of IEEE doubles and our own log, so the bits are the same everywhere. */
double bpi_normal(bpi_key k, uint64_t i);
/* Element i: integer in [0, n), n > 0 (multiply-shift of 64 bits). */
uint64_t bpi_below(bpi_key k, uint64_t i, uint64_t n);
/* Seeded permutation of 0..n-1 (Fisher-Yates). */
void bpi_permutation(bpi_key k, int64_t n, int64_t *p);

#endif
