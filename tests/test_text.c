/* base: text, numbers from and to text, UTF-8, names that are near. */
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static uint64_t seed_bits = 1;

static uint64_t next_bits(void) /* SplitMix64 */
{
  uint64_t z = seed_bits += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

static double from_bits(uint64_t bits)
{
  double x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

static uint64_t to_bits(double x)
{
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

static void text_grows_and_is_taken(void **state)
{
  (void)state;
  bp_ctx *ctx = bp_ctx_new(NULL);
  bpi_text t;
  bpi_text_init(&t, ctx);
  assert_null(t.s);
  char *s = bpi_text_take(&t);
  assert_string_equal(s, "");
  bp_free(ctx, s);
  static char want[30000];
  size_t n = 0;
  for (int i = 0; i < 2000; i++) {
    bpi_textf(&t, "%d,", i);
    n += (size_t)snprintf(want + n, sizeof want - n, "%d,", i);
    assert_int_equal(t.n, n);
  }
  bpi_textf(&t, "%s", want); /* one piece longer than all the room */
  bpi_text_add(&t, "a\0b", 3);
  assert_int_equal(t.n, 2 * n + 3);
  s = bpi_text_take(&t);
  assert_memory_equal(s, want, n);
  assert_memory_equal(s + n, want, n);
  assert_memory_equal(s + 2 * n, "a\0b", 4);
  bp_free(ctx, s);
  bpi_textf(&t, "again");
  assert_string_equal(t.s, "again");
  bpi_text_free(&t);
  assert_null(t.s);
  bp_ctx_free(ctx);
}

static void assert_parses(const char *s, double want)
{
  size_t n = strlen(s);
  char *exact = malloc(n ? n : 1); /* no NUL at the end, so that a read past it is seen */
  memcpy(exact, s, n);
  double x = 12345;
  errno = 77;
  bool ok = bpi_parse_double(exact, n, &x);
  free(exact);
  assert_int_equal(errno, 77);
  if (!ok || (to_bits(x) != to_bits(want) && !(isnan(x) && isnan(want))))
    fail_msg("'%.60s' gives %.17g (%d), not %.17g", s, x, ok, want);
}

static void numbers_are_read(void **state)
{
  (void)state;
  static const struct {
    const char *s;
    double x;
  } rows[] = {
      {"0", 0},
      {"-0", -0.0},
      {"-0.000e5", -0.0},
      {"007", 7},
      {"+1.5", 1.5},
      {"1e3", 1000},
      {"1E+3", 1000},
      {"-2.5e-1", -0.25},
      {"9007199254740993", 9007199254740992.0}, /* halfway: to even */
      {"9007199254740995", 9007199254740996.0},
      {"9007199254740993.0000000000000000000000000000000000000000000000001", 9007199254740994.0},
      {"5264083705611613773e-27", 0x1.69bebd6a40087p-28}, /* past halfway by less than 2^-115 of it */
      {"5958336085650723710e-27", 0x1.9974282cd25b3p-28},
      {"0.1", 0.1},
      {"0.30000000000000004", 0.30000000000000004},
      {"1.7976931348623157e308", 1.7976931348623157e308},
      {"1.7976931348623158e308", 1.7976931348623157e308},
      {"1.7976931348623159e308", INFINITY},
      {"1e999", INFINITY},
      {"-1e999", -INFINITY},
      {"1e-999", 0},
      {"4.9e-324", 4.9e-324},
      {"2.4703282292062327e-324", 0},
      {"2.4703282292062328e-324", 4.9e-324},
      {"2.2250738585072011e-308", 2.2250738585072011e-308}, /* the one that hung PHP */
      {"2.2250738585072014e-308", 2.2250738585072014e-308},
      {"1234567890123456789012345678901234567890", 1234567890123456789012345678901234567890.0},
      {"0.1234567890123456789012345678901234567890", 0.1234567890123456789012345678901234567890},
      {"1e99999999999999999999999999", INFINITY},
      {"1e-99999999999999999999999999", 0},
      {"0e99999999999999999999999999", 0},
      {"inf", INFINITY},
      {"-INF", -INFINITY},
      {"+Infinity", INFINITY},
      {"nan", NAN},
      {"-NaN", NAN},
  };
  for (size_t i = 0; i < COUNT(rows); i++)
    assert_parses(rows[i].s, rows[i].x);
}

static void what_is_no_number_is_refused(void **state)
{
  (void)state;
  static const char *const rows[] = {
      "",     "-",    "+",    ".",      "-.",        ".5",  "1.",  "1..2", "1.2.3", "e5",  "1e",   "1e+",
      "1e-",  "1ee5", "--1",  "+-1",    " 1",        "1 ",  "1,5", "0x1",  "0x1p3", "1f",  "1e5.", "1.e5",
      "infi", "in",   "nan0", "nan(1)", "infinityy", "1\n", "1_0", "١",    "1e1e1", "- 1", "i",    "1d5",
  };
  for (size_t i = 0; i < COUNT(rows); i++) {
    double x = 5;
    if (bpi_parse_double(rows[i], strlen(rows[i]), &x))
      fail_msg("'%s' was read as %g", rows[i], x);
    assert_true(x == 5);
  }
  double x;
  assert_false(bpi_parse_double("1\0", 2, &x));
  assert_false(bpi_parse_double("1\0002", 3, &x));
  assert_true(bpi_parse_double("123", 2, &x) && x == 12);
}

static void long_numbers_round_correctly(void **state)
{
  (void)state;
  static char s[20000];
  int n = snprintf(s, sizeof s, "%.1074f", 4.9e-324 / 1); /* the exact value of the smallest double */
  assert_parses(s, 4.9e-324);
  /* Halfway between 1 and the next double, all 53 digits of it; then a 1 five thousand places later. */
  n = snprintf(s, sizeof s, "1.00000000000000011102230246251565404236316680908203125");
  assert_parses(s, 1.0);
  memset(s + n, '0', 5000);
  s[n + 5000] = '\0';
  assert_parses(s, 1.0);
  strcpy(s + n + 5000, "1");
  assert_parses(s, 1.0000000000000002);
  /* Halfway below the smallest normal has 768 digits: the longest there is. */
  strcpy(
      s,
      "2.2250738585072011360574097967091319759348195463516456480234261097248222220210769455165295239081350879"
      "14149158913039621106870086438694594645527657207407820621743379988141063267329253552286881372149012981"
      "12245145188984905722230728525513315575501591439747639798341180199932396254828901710708185069063066665"
      "59949382757725720157630626906633326475653000092458883164330377797918696120494973903778297049050510806"
      "09940730262937128958950003583799967207254304360284078895771796150945516748243471030702609144621572289"
      "88025818254518032570701886087211312807951223342628836862232150377566662250398253433597456888442390026"
      "54981983854879482922068947216898310996983658468140228542433306603398508864458040010349339704275671864"
      "43383770486037861622771738545623065874679014086723327636718751234567890123456789012345678901e-308");
  assert_parses(s, strtod(s, NULL));
  /* As many zeros as the exponent takes back. */
  memset(s, '0', 10003);
  s[1] = '.';
  strcpy(s + 10002, "15e10000"); /* 0.<10000 zeros>15e10000 */
  assert_parses(s, 0.15);
  s[0] = '3';
  memset(s + 1, '0', 10000);
  strcpy(s + 10001, "e-10000");
  assert_parses(s, 3);
}

static void random_texts_are_read_as_the_c_library_does(void **state)
{
  (void)state;
  char s[200];
  for (int i = 0; i < 200000; i++) {
    int digits = 1 + (int)(next_bits() % 24), n = 0, point = (int)(next_bits() % 25);
    for (int d = 0; d < digits; d++) {
      s[n++] = (char)('0' + next_bits() % 10);
      if (d == point && d + 1 < digits)
        s[n++] = '.';
    }
    s[n] = '\0';
    uint64_t how = next_bits() % 4;
    int range = how == 0 ? 350 : how == 1 ? 30 : 5;
    if (how < 3)
      snprintf(s + n, sizeof s - (size_t)n, "e%d", (int)(next_bits() % (2u * (unsigned)range)) - range);
    assert_parses(s, strtod(s, NULL));
  }
  for (int i = 0; i < 20000; i++) { /* the middle between two neighbours, exactly, and just beside it */
    double x = from_bits((next_bits() % (2046ull << 52)) | 1), low = from_bits(to_bits(x) - 1);
    long double middle = ((long double)x + (long double)low) / 2;
    char big[1300];
    int n = snprintf(big, sizeof big, "%.800Le", middle);
    assert_true(n > 0 && n < (int)sizeof big);
    assert_parses(big, strtod(big, NULL));
  }
}

static void assert_round_trip(bpi_text *t, double x)
{
  t->n = 0;
  bpi_text_double(t, x);
  double back;
  assert_true(bpi_parse_double(t->s, t->n, &back));
  if (to_bits(back) != to_bits(x))
    fail_msg("%a became %s", x, t->s);
}

static void doubles_round_trip(void **state)
{
  (void)state;
  bp_ctx *ctx = bp_ctx_new(NULL);
  bpi_text t;
  bpi_text_init(&t, ctx);
  for (int i = 0; i < 100000; i++) {
    double x = from_bits(next_bits());
    if (isfinite(x))
      assert_round_trip(&t, x);
    assert_round_trip(&t, (double)(int64_t)(next_bits() >> 40) / 1000);
  }
  static const struct {
    double x;
    const char *s;
  } rows[] = {
      {0, "0"},
      {-0.0, "-0"},
      {0.1, "0.1"},
      {1.0 / 3, "0.3333333333333333"},
      {-1.5, "-1.5"},
      {1e300, "1e+300"},
      {INFINITY, "inf"},
      {-INFINITY, "-inf"},
      {NAN, "nan"},
      {-NAN, "nan"},
      {123456789, "123456789"},
      {0.1 + 0.2, "0.30000000000000004"},
  };
  for (size_t i = 0; i < COUNT(rows); i++) {
    t.n = 0;
    bpi_text_double(&t, rows[i].x);
    assert_string_equal(t.s, rows[i].s);
  }
  bpi_text_free(&t);
  bp_ctx_free(ctx);
}

static void integers_are_read(void **state)
{
  (void)state;
  static const struct {
    const char *s;
    bool ok;
    int64_t x;
  } rows[] = {
      {"0", true, 0},
      {"-0", true, 0},
      {"+12", true, 12},
      {"0012", true, 12},
      {"9223372036854775807", true, INT64_MAX},
      {"-9223372036854775808", true, INT64_MIN},
      {"9223372036854775808", false, 0},
      {"-9223372036854775809", false, 0},
      {"18446744073709551616", false, 0},
      {"99999999999999999999999", false, 0},
      {"", false, 0},
      {"-", false, 0},
      {"1.0", false, 0},
      {"1e3", false, 0},
      {" 1", false, 0},
      {"0x10", false, 0},
      {"1,000", false, 0},
  };
  for (size_t i = 0; i < COUNT(rows); i++) {
    int64_t x = -77;
    assert_int_equal(bpi_parse_int(rows[i].s, strlen(rows[i].s), &x), rows[i].ok);
    assert_int_equal(x, rows[i].ok ? rows[i].x : -77);
  }
}

/* A locale with a decimal comma, made here if the machine has none. */
static bool comma_locale(void)
{
  static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "pt_BR.UTF-8"};
  for (size_t i = 0; i < COUNT(names); i++)
    if (setlocale(LC_ALL, names[i]))
      return strcmp(localeconv()->decimal_point, ",") == 0;
  char dir[] = "/tmp/bprop-locale-XXXXXX", command[300];
  if (!mkdtemp(dir))
    return false;
  snprintf(command, sizeof command, "localedef -i de_DE -f UTF-8 %s/de_DE.UTF-8 >/dev/null 2>&1", dir);
  int made = system(command);
  setenv("LOCPATH", dir, 1);
  bool ok = made == 0 && setlocale(LC_ALL, "de_DE.UTF-8") && strcmp(localeconv()->decimal_point, ",") == 0;
  snprintf(command, sizeof command, "rm -r %s", dir);
  return system(command) == 0 && ok;
}

static void the_locale_never_matters(void **state)
{
  (void)state;
  if (!comma_locale())
    skip();
  char s[20];
  snprintf(s, sizeof s, "%.1f", 1.5);
  assert_string_equal(s, "1,5"); /* the C library does what we must not */
  bp_ctx *ctx = bp_ctx_new(NULL);
  bpi_text t;
  bpi_text_init(&t, ctx);
  bpi_textf(&t, "%.2f a,b %g", 1234567.25, 0.5);
  bpi_text_add(&t, "|", 1);
  bpi_text_double(&t, 2.5);
  assert_string_equal(t.s, "1234567.25 a,b 0.5|2.5");
  bpi_text_free(&t);
  bpi_fail(BP_E_ARG, "%g", 0.25);
  assert_string_equal(bp_error(), "0.25");
  double x;
  assert_true(bpi_parse_double("1.5", 3, &x) && x == 1.5);
  assert_true(bpi_parse_double("1.5e300", 7, &x) && x == 1.5e300);
  assert_parses("1234567890.1234567890123456789012345678901234567890", 1234567890.12345678901234567890);
  assert_false(bpi_parse_double("1,5", 3, &x)); /* bad input 51 */
  snprintf(s, sizeof s, "%.1f", 1.5);
  assert_string_equal(s, "1,5"); /* the caller's locale is as it was */
  bp_ctx_free(ctx);
  setlocale(LC_ALL, "C");
}

static void distances_of_names(void **state)
{
  (void)state;
  static const struct {
    const char *a, *b;
    int most, distance;
  } rows[] = {
      {"", "", 3, 0},
      {"relu", "relu", 3, 0},
      {"relu", "rely", 3, 1},
      {"relu", "elu", 3, 1},
      {"elu", "relu", 3, 1},
      {"sigmod", "sigmoid", 3, 1},
      {"kitten", "sitting", 3, 3},
      {"kitten", "sitting", 2, 3},
      {"kitten", "sitting", 1, 2},
      {"abc", "xyz", 0, 1},
      {"abc", "abc", 0, 0},
      {"", "abc", 3, 3},
      {"abc", "", 2, 3},
      {"flaw", "lawn", 5, 2},
      {"a", "b", -4, 1},
      {"intention", "execution", 31, 5},
      {"intention", "execution", 9999, 5},
  };
  for (size_t i = 0; i < COUNT(rows); i++) {
    assert_int_equal(bpi_edit_distance(rows[i].a, rows[i].b, rows[i].most), rows[i].distance);
    assert_int_equal(bpi_edit_distance(rows[i].b, rows[i].a, rows[i].most), rows[i].distance);
  }
  char a[5001], b[5001];
  memset(a, 'x', 5000);
  memset(b, 'x', 5000);
  a[5000] = b[5000] = '\0';
  b[2500] = 'y';
  assert_int_equal(bpi_edit_distance(a, b, 3), 1);
}

/* The whole table, against the plain one, on random words. */
static int plain_distance(const char *a, const char *b)
{
  int d[20][20], na = (int)strlen(a), nb = (int)strlen(b);
  for (int i = 0; i <= na; i++)
    for (int j = 0; j <= nb; j++) {
      d[i][j] = i == 0 ? j : j == 0 ? i : d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
      if (i > 0 && d[i - 1][j] + 1 < d[i][j])
        d[i][j] = d[i - 1][j] + 1;
      if (j > 0 && d[i][j - 1] + 1 < d[i][j])
        d[i][j] = d[i][j - 1] + 1;
    }
  return d[na][nb];
}

/* Two words that a swap of neighbours makes equal are one step apart. */
static bool swapped(const char *a, const char *b)
{
  size_t n = strlen(a), i = 0;
  while (i < n && a[i] == b[i])
    i++;
  return n == strlen(b) && i + 1 < n && a[i] == b[i + 1] && a[i + 1] == b[i] && !strcmp(a + i + 2, b + i + 2);
}

static void the_band_is_wide_enough(void **state)
{
  (void)state;
  for (int round = 0; round < 20000; round++) {
    char word[2][16];
    for (int w = 0; w < 2; w++) {
      size_t n = next_bits() % 12;
      for (size_t i = 0; i < n; i++)
        word[w][i] = (char)('a' + next_bits() % 3);
      word[w][n] = '\0';
    }
    int plain = swapped(word[0], word[1]) ? 1 : plain_distance(word[0], word[1]);
    int most = (int)(next_bits() % 13);
    assert_int_equal(bpi_edit_distance(word[0], word[1], most), plain > most ? most + 1 : plain);
  }
}

static void utf8_sequences(void **state)
{
  (void)state;
  static const struct {
    const char *s;
    size_t n, length;
  } rows[] = {
      {"a", 1, 1},
      {"\0", 1, 1},
      {"", 0, 0},
      {"\xc3\xa9", 2, 2},
      {"\xc3\xa9", 1, 0},
      {"\xe2\x82\xac", 3, 3},
      {"\xe2\x82\xac", 2, 0},
      {"\xf0\x9f\x98\x80", 4, 4},
      {"\xf0\x9f\x98\x80", 3, 0},
      {"\x80", 1, 0},
      {"\xc0\x80", 2, 0}, /* overlong */
      {"\xc1\xbf", 2, 0},
      {"\xe0\x9f\xbf", 3, 0},
      {"\xe0\xa0\x80", 3, 3},
      {"\xf0\x8f\xbf\xbf", 4, 0},
      {"\xed\x9f\xbf", 3, 3},
      {"\xed\xa0\x80", 3, 0}, /* surrogate */
      {"\xf4\x8f\xbf\xbf", 4, 4},
      {"\xf4\x90\x80\x80", 4, 0}, /* past U+10FFFF */
      {"\xf5\x80\x80\x80", 4, 0},
      {"\xff", 1, 0},
      {"\xe2\x28\xa1", 3, 0},
      {"\xe2\x82\x28", 3, 0},
      {"\xf0\x9f\x98\x28", 4, 0},
  };
  for (size_t i = 0; i < COUNT(rows); i++)
    assert_int_equal(bpi_utf8((const unsigned char *)rows[i].s, rows[i].n), rows[i].length);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(text_grows_and_is_taken),
      cmocka_unit_test(numbers_are_read),
      cmocka_unit_test(what_is_no_number_is_refused),
      cmocka_unit_test(long_numbers_round_correctly),
      cmocka_unit_test(random_texts_are_read_as_the_c_library_does),
      cmocka_unit_test(doubles_round_trip),
      cmocka_unit_test(integers_are_read),
      cmocka_unit_test(the_locale_never_matters),
      cmocka_unit_test(distances_of_names),
      cmocka_unit_test(the_band_is_wide_enough),
      cmocka_unit_test(utf8_sequences),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
