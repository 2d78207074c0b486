/* base: random numbers. */
#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdbool.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define DRAWS    200000

/* Random123 1.14, examples/kat_vectors, philox4x32 with 10 rounds: counter, key, result. */
static const struct {
  uint32_t counter[4], key[2], out[4];
} known[] = {
    {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
    {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
     {0xffffffff, 0xffffffff},
     {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
    {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
     {0xa4093822, 0x299f31d0},
     {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
};

static void philox_gives_the_published_numbers(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT(known); i++) {
    const uint32_t *c = known[i].counter, *key = known[i].key;
    bpi_key k = {.seed = key[0] | (uint64_t)key[1] << 32, .stream = c[2], .step = c[3]};
    uint32_t out[4];
    bpi_philox(k, c[0] | (uint64_t)c[1] << 32, out);
    assert_memory_equal(out, known[i].out, sizeof out);
  }
}

static void uniforms_are_made_of_the_words(void **state)
{
  (void)state;
  bpi_key zero = {0};
  assert_true(bpi_uniform(zero, 0) == (double)(0xe169c58d6627e8d5 >> 11) * 0x1p-53);
  assert_true(bpi_uniform(zero, 1) == (double)(0x9b00dbd8bc57ac4c >> 11) * 0x1p-53);
  bpi_key k = {.seed = 42, .step = 3, .stream = 9};
  double first = bpi_uniform(k, 5);
  for (int what = 0; what < 3; what++) {
    bpi_key other = k;
    other.seed ^= what == 0;
    other.step ^= what == 1;
    other.stream ^= what == 2;
    assert_true(bpi_uniform(other, 5) != first);
  }
  assert_true(bpi_uniform(k, 5) == first);
  assert_true(bpi_uniform(k, 5 + ((uint64_t)1 << 40)) != first);
}

/* Mean, variance, skewness and kurtosis of n draws: each within 5 standard errors of what it should be. */
static void assert_moments(double (*draw)(bpi_key, uint64_t), double mean, double variance, double kurtosis)
{
  bpi_key k = {.seed = 2024, .stream = 7};
  double m[5] = {0};
  for (uint64_t i = 0; i < DRAWS; i++) {
    double d = (draw(k, i) - mean) / sqrt(variance), power = 1;
    for (int j = 1; j <= 4; j++)
      m[j] += (power *= d) / DRAWS;
  }
  double unit = 5 / sqrt((double)DRAWS);
  assert_true(fabs(m[1]) < unit);
  assert_true(fabs(m[2] - 1) < unit * sqrt(kurtosis - 1));
  assert_true(fabs(m[3]) < unit * sqrt(15));
  assert_true(fabs(m[4] - kurtosis) < unit * sqrt(96));
}

static void moments(void **state)
{
  (void)state;
  assert_moments(bpi_uniform, 0.5, 1.0 / 12, 1.8);
  assert_moments(bpi_normal, 0, 1, 3);
}

static void uniforms_lie_in_their_range_evenly(void **state)
{
  (void)state;
  bpi_key k = {.seed = 1};
  int bins[64] = {0};
  for (uint64_t i = 0; i < DRAWS; i++) {
    double u = bpi_uniform(k, i);
    assert_true(u >= 0 && u < 1);
    bins[(int)(u * 64)]++;
  }
  double chi2 = 0, want = DRAWS / 64.0;
  for (int i = 0; i < 64; i++)
    chi2 += (bins[i] - want) * (bins[i] - want) / want;
  assert_true(chi2 > 30 && chi2 < 115); /* 63 degrees of freedom: 1 in 10,000 on either side */
}

/* The inverse of the distribution function, turned back by the C library's erfc. */
static void normals_are_quantiles_of_uniforms(void **state)
{
  (void)state;
  for (uint64_t i = 0; i < DRAWS; i++) {
    bpi_key k = {.seed = i, .step = 5};
    double u = bpi_uniform(k, i) + 0x1p-54, x = bpi_normal(k, i);
    double p = u < 0.5 ? u : 1 - u, back = 0.5 * erfc(fabs(x) / sqrt(2));
    assert_true((x < 0) == (u < 0.5));
    assert_true(fabs(back - p) <= 1e-14 * (1 + x * x) * p + 2e-16);
  }
}

/* Golden bits: they must be the same with every compiler, at every level of optimisation, on every machine. */
static void normals_have_the_same_bits_everywhere(void **state)
{
  (void)state;
  bpi_key k = {.seed = 12345, .step = 6, .stream = 7};
  uint64_t hash = 14695981039346656037u; /* FNV-1a */
  for (uint64_t i = 0; i < DRAWS; i++) {
    double x = bpi_normal(k, i);
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    for (int shift = 0; shift < 64; shift += 8)
      hash = (hash ^ (bits >> shift & 0xff)) * 1099511628211u;
  }
  assert_true(bpi_normal(k, 0) == 0x1.03a5e8094ee88p+0);
  assert_true(hash == 0x6892cdd428dfaf2e);
}

/* The rounds of Philox backwards, so that a test can have the words it wants. */
static void unphilox(const uint32_t words[4], const uint32_t key[2], uint32_t counter[4])
{
  uint32_t c[4], inverse[2] = {1, 1};
  static const uint32_t mul[2] = {0xD2511F53, 0xCD9E8D57}, weyl[2] = {0x9E3779B9, 0xBB67AE85};
  for (int i = 0; i < 5; i++) /* Newton: each step doubles the bits that are right */
    for (int j = 0; j < 2; j++)
      inverse[j] *= 2 - mul[j] * inverse[j];
  memcpy(c, words, sizeof c);
  for (uint32_t round = 10; round-- > 0;) {
    uint32_t c0 = c[3] * inverse[0], c2 = c[1] * inverse[1];
    uint32_t c1 = c[0] ^ (uint32_t)((uint64_t)mul[1] * c2 >> 32) ^ (key[0] + round * weyl[0]);
    uint32_t c3 = c[2] ^ (uint32_t)((uint64_t)mul[0] * c0 >> 32) ^ (key[1] + round * weyl[1]);
    c[0] = c0;
    c[1] = c1;
    c[2] = c2;
    c[3] = c3;
  }
  memcpy(counter, c, sizeof c);
}

/* The normal that belongs to the uniform cell * 2^-53. */
static double normal_of_cell(uint64_t cell)
{
  uint64_t bits = cell << 11;
  uint32_t counter[4] = {0, UINT32_MAX, 0, 0};
  for (uint32_t vary = 0; counter[1] >> 31; vary++) /* an element's number holds blocks below 2^63 */
    unphilox((uint32_t[]){(uint32_t)bits, (uint32_t)(bits >> 32), vary, 0}, (uint32_t[]){0, 0}, counter);
  bpi_key k = {.stream = counter[2], .step = counter[3]};
  uint64_t i = 2 * (counter[0] | (uint64_t)counter[1] << 32);
  assert_true(bpi_uniform(k, i) == (double)cell * 0x1p-53);
  return bpi_normal(k, i);
}

/* Quantiles of (cell + 1/2) * 2^-53 from mpmath, with the formula's two seams (2^53 * 0.075 and 2^53 * exp(-25)) and ends. */
static void normals_far_out(void **state)
{
  (void)state;
  static const struct {
    uint64_t cell;
    double x;
  } rows[] = {
      {0, -8.2923610758135955382},
      {1, -8.1607078408585831755},
      {2, -8.0987842043543016312},
      {3, -8.0577436030132230171},
      {10, -7.9223053836949764526},
      {1000, -7.3347380140439433241},
      {65536, -6.7522993248226052526},
      {100000, -6.6907394422836883253},
      {124000, -6.6591923384175282009},
      {125000, -6.6580116046151291052},
      {125091, -6.6579046172108323392},
      {125092, -6.6579034419482992734},
      {126000, -6.6568400806107406889},
      {130000, -6.6522432495758915841},
      {200000, -6.5885675093556464973},
      {1000000, -6.3452637406857323492},
      {1000000000, -5.1798666228140721202},
      {1000000000000, -3.6925180166482462082},
      {100000000000000, -2.2868520450190278992},
      {600000000000000, -1.5014981572492657449},
      {675539944105573, -1.4395314709384566212},
      {675539944105575, -1.4395314709384550526},
      {1000000000000000, -1.2211093898974060341},
      {2000000000000000, -0.7653062388706812574},
      {4000000000000000, -0.14060952935476188417},
      {4503599627370494, -4.1743746370076503834e-16},
      {4503599627370495, -1.3914582123358834611e-16},
  };
  for (size_t i = 0; i < COUNT(rows); i++) {
    double x = normal_of_cell(rows[i].cell);
    if (!(fabs(x - rows[i].x) <= 1e-15 * fabs(rows[i].x)))
      fail_msg("cell %llu: %.17g, not %.17g", (unsigned long long)rows[i].cell, x, rows[i].x);
    assert_true(normal_of_cell(((uint64_t)1 << 53) - 1 - rows[i].cell) == -x);
  }
}

static void integers_below(void **state)
{
  (void)state;
  bpi_key k = {.seed = 3};
  int count[7] = {0};
  for (uint64_t i = 0; i < 70000; i++) {
    uint64_t x = bpi_below(k, i, 7);
    assert_true(x < 7);
    count[x]++;
  }
  for (int i = 0; i < 7; i++)
    assert_true(count[i] > 9500 && count[i] < 10500);
  static const uint64_t bounds[] = {1, 2, 3, 1u << 31, 4294967297, 1ull << 63, UINT64_MAX};
  for (size_t b = 0; b < COUNT(bounds); b++) {
    uint64_t most = 0;
    for (uint64_t i = 0; i < 1000; i++) {
      uint64_t x = bpi_below(k, i, bounds[b]);
      assert_true(x < bounds[b]);
      most = x > most ? x : most;
    }
    assert_true(most >= (bounds[b] - 1) / 100 * 98);
  }
  assert_true(bpi_below((bpi_key){0}, 0, 1ull << 32) == 0xe169c58d); /* the upper half of the first 64 bits */
  assert_true(bpi_below((bpi_key){0}, 0, UINT64_MAX) == 0xe169c58d6627e8d4);
}

static void permutations(void **state)
{
  (void)state;
  enum { N = 1000 };
  int64_t p[N], q[N];
  bool seen[N] = {false};
  bpi_permutation((bpi_key){.seed = 1}, N, p);
  int fixed = 0;
  for (int i = 0; i < N; i++) {
    assert_true(p[i] >= 0 && p[i] < N && !seen[p[i]]);
    seen[p[i]] = true;
    fixed += p[i] == i;
  }
  assert_true(fixed < 10);
  bpi_permutation((bpi_key){.seed = 1}, N, q);
  assert_memory_equal(p, q, sizeof p);
  bpi_permutation((bpi_key){.seed = 1, .step = 1}, N, q);
  assert_memory_not_equal(p, q, sizeof p);
  int64_t untouched = -5;
  bpi_permutation((bpi_key){0}, 0, &untouched);
  assert_int_equal(untouched, -5);
  bpi_permutation((bpi_key){0}, 1, &untouched);
  assert_int_equal(untouched, 0);
  int orders[6] = {0}; /* all orders of three, evenly */
  for (uint32_t s = 0; s < 12000; s++) {
    bpi_permutation((bpi_key){.seed = 8, .stream = s}, 3, p);
    orders[p[0] * 2 + (p[1] > p[2])]++;
  }
  for (int i = 0; i < 6; i++)
    assert_true(orders[i] > 1800 && orders[i] < 2200);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(philox_gives_the_published_numbers),
      cmocka_unit_test(uniforms_are_made_of_the_words),
      cmocka_unit_test(moments),
      cmocka_unit_test(uniforms_lie_in_their_range_evenly),
      cmocka_unit_test(normals_are_quantiles_of_uniforms),
      cmocka_unit_test(normals_have_the_same_bits_everywhere),
      cmocka_unit_test(normals_far_out),
      cmocka_unit_test(integers_below),
      cmocka_unit_test(permutations),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
