/* Philox4x32-10, and what is made of it. */
#include "base/rng.h"

#include <math.h>
#include <string.h>

#define PHILOX_ROUNDS 10
#define PHILOX_MUL0   0xD2511F53u
#define PHILOX_MUL1   0xCD9E8D57u
#define PHILOX_WEYL0  0x9E3779B9u
#define PHILOX_WEYL1  0xBB67AE85u

void bpi_philox(bpi_key k, uint64_t block, uint32_t out[4])
{
  uint32_t key0 = (uint32_t)k.seed, key1 = (uint32_t)(k.seed >> 32);
  uint32_t c0 = (uint32_t)block, c1 = (uint32_t)(block >> 32), c2 = k.stream, c3 = k.step;
  for (int round = 0; round < PHILOX_ROUNDS; round++) {
    uint64_t p0 = (uint64_t)PHILOX_MUL0 * c0, p1 = (uint64_t)PHILOX_MUL1 * c2;
    c0 = (uint32_t)(p1 >> 32) ^ c1 ^ key0;
    c1 = (uint32_t)p1;
    c2 = (uint32_t)(p0 >> 32) ^ c3 ^ key1;
    c3 = (uint32_t)p0;
    key0 += PHILOX_WEYL0;
    key1 += PHILOX_WEYL1;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

static uint64_t random_bits(bpi_key k, uint64_t i)
{
  uint32_t w[4];
  bpi_philox(k, i / 2, w);
  const uint32_t *pair = w + 2 * (i % 2);
  return pair[0] | (uint64_t)pair[1] << 32;
}

double bpi_uniform(bpi_key k, uint64_t i)
{
  return (double)(random_bits(k, i) >> 11) * 0x1p-53;
}

/* One block is a chain of multiplications, each waiting for the last; several blocks side by side keep the processor busy. */
enum { SIDE_BY_SIDE = 8 };

static void philox_blocks(bpi_key k, uint64_t block, uint32_t c[4][SIDE_BY_SIDE])
{
  uint32_t key0 = (uint32_t)k.seed, key1 = (uint32_t)(k.seed >> 32);
  for (int j = 0; j < SIDE_BY_SIDE; j++) {
    c[0][j] = (uint32_t)(block + (uint64_t)j);
    c[1][j] = (uint32_t)((block + (uint64_t)j) >> 32);
    c[2][j] = k.stream;
    c[3][j] = k.step;
  }
  for (int round = 0; round < PHILOX_ROUNDS; round++) {
    for (int j = 0; j < SIDE_BY_SIDE; j++) {
      uint64_t p0 = (uint64_t)PHILOX_MUL0 * c[0][j], p1 = (uint64_t)PHILOX_MUL1 * c[2][j];
      c[0][j] = (uint32_t)(p1 >> 32) ^ c[1][j] ^ key0;
      c[1][j] = (uint32_t)p1;
      c[2][j] = (uint32_t)(p0 >> 32) ^ c[3][j] ^ key1;
      c[3][j] = (uint32_t)p0;
    }
    key0 += PHILOX_WEYL0;
    key1 += PHILOX_WEYL1;
  }
}

void bpi_uniform_run(bpi_key k, uint64_t first, int64_t n, double *out)
{
  int64_t i = 0;
  uint32_t c[4][SIDE_BY_SIDE];
  if (n > 0 && first % 2)
    out[i++] = bpi_uniform(k, first);
  for (; i + 2 * SIDE_BY_SIDE <= n; i += 2 * SIDE_BY_SIDE) {
    philox_blocks(k, (first + (uint64_t)i) / 2, c);
    for (int j = 0; j < SIDE_BY_SIDE; j++) {
      out[i + 2 * j] = (double)((c[0][j] | (uint64_t)c[1][j] << 32) >> 11) * 0x1p-53;
      out[i + 2 * j + 1] = (double)((c[2][j] | (uint64_t)c[3][j] << 32) >> 11) * 0x1p-53;
    }
  }
  for (; i < n; i++)
    out[i] = bpi_uniform(k, first + (uint64_t)i);
}

/* ---- the normal distribution ------------------------------------------------------------------------------ */

/* log of a positive normal double, for numbers well below 1. x = 2^e * m with m in [sqrt(1/2), sqrt(2)), and
 * log m = 2 atanh(s), s = (m-1)/(m+1), |s| < 0.1716: the series to s^23 is past the last bit. The libm's log differs
 * in the last bit from machine to machine; this one cannot. */
static double portable_log(double x)
{
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  const uint64_t root_half = 0x3FE6A09E667F3BCD; /* sqrt(1/2) */
  int64_t e = (int64_t)((bits - root_half + (1024ull << 52)) >> 52) - 1024;
  bits -= (uint64_t)e << 52;
  double m;
  memcpy(&m, &bits, sizeof m);
  double s = (m - 1) / (m + 1), z = s * s, series = 0;
  for (int odd = 23; odd >= 3; odd -= 2)
    series = (series + 1.0 / odd) * z;
  const double ln2_high = 0x1.62e42fefa38p-1; /* 42 bits, so that e * ln2_high is exact */
  const double ln2_low = 0x1.ef35793c7673p-45;
  return (double)e * ln2_high + (2 * s + (2 * s * series + (double)e * ln2_low));
}

/* Numerator and denominator of AS 241's PPND16, highest power first: near the middle, in the tails, far out. */
static const double normal_ratio[3][2][8] = {
    {{2.5090809287301226727e+3, 3.3430575583588128105e+4, 6.7265770927008700853e+4, 4.5921953931549871457e+4,
      1.3731693765509461125e+4, 1.9715909503065514427e+3, 1.3314166789178437745e+2, 3.3871328727963666080e+0},
     {5.2264952788528545610e+3, 2.8729085735721942674e+4, 3.9307895800092710610e+4, 2.1213794301586595867e+4,
      5.3941960214247511077e+3, 6.8718700749205790830e+2, 4.2313330701600911252e+1, 1.0}},
    {{7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1,
      1.27045825245236838258e+0, 3.64784832476320460504e+0, 5.76949722146069140550e+0,
      4.63033784615654529590e+0, 1.42343711074968357734e+0},
     {1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2,
      1.48103976427480074590e-1, 6.89767334985100004550e-1, 1.67638483018380384940e+0,
      2.05319162663775882187e+0, 1.0}},
    {{2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3,
      2.65321895265761230930e-2, 2.96560571828504891230e-1, 1.78482653991729133580e+0,
      5.46378491116411436990e+0, 6.65790464350110377720e+0},
     {2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5,
      7.86869131145613259100e-4, 1.48753612908506148525e-2, 1.36929880922735805310e-1,
      5.99832206555887937690e-1, 1.0}},
};

static double ratio_at(int region, double r)
{
  double part[2];
  for (int i = 0; i < 2; i++) {
    part[i] = normal_ratio[region][i][0];
    for (int power = 1; power < 8; power++)
      part[i] = part[i] * r + normal_ratio[region][i][power];
  }
  return part[0] / part[1];
}

/* With u = cell * 2^-53 the middle of the cell is u + 2^-54. Its distance q from 1/2 and, in the tails, 1/2 - |q| are
 * exact, so the distribution is symmetric to the last bit and no cell gives infinity. */
double bpi_normal(bpi_key k, uint64_t i)
{
  int64_t cell = (int64_t)(random_bits(k, i) >> 11);
  double q = ((double)(cell - ((int64_t)1 << 52)) + 0.5) * 0x1p-53;
  double side = q < 0 ? -q : q;
  if (side <= 0.425)
    return q * ratio_at(0, 0.180625 - q * q);
  double r = sqrt(-portable_log(0.5 - side));
  double x = r <= 5 ? ratio_at(1, r - 1.6) : ratio_at(2, r - 5);
  return q < 0 ? -x : x;
}

/* ---- integers -------------------------------------------------------------------------------------------- */

/* The upper 64 bits of a * b. */
static uint64_t high_product(uint64_t a, uint64_t b)
{
  uint64_t al = (uint32_t)a, ah = a >> 32, bl = (uint32_t)b, bh = b >> 32;
  uint64_t cross = ah * bl + (al * bl >> 32);
  uint64_t other = al * bh + (uint32_t)cross;
  return ah * bh + (cross >> 32) + (other >> 32);
}

/* Some numbers are likelier than others by at most n / 2^64, which no experiment sees; rejecting would make the
 * count of words used depend on their values. */
uint64_t bpi_below(bpi_key k, uint64_t i, uint64_t n)
{
  return high_product(random_bits(k, i), n);
}

void bpi_permutation(bpi_key k, int64_t n, int64_t *p)
{
  for (int64_t i = 0; i < n; i++)
    p[i] = i;
  for (int64_t i = n - 1; i > 0; i--) {
    int64_t j = (int64_t)bpi_below(k, (uint64_t)i, (uint64_t)i + 1);
    int64_t t = p[i];
    p[i] = p[j];
    p[j] = t;
  }
}
