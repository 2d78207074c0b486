/* Growing text, UTF-8, and how far two names are apart. */
#include "base/text.h"

#include <stdarg.h>
#include <string.h>

void bpi_text_init(bpi_text *t, bp_ctx *ctx)
{
  *t = (bpi_text){.ctx = ctx};
}

void bpi_text_free(bpi_text *t)
{
  bpi_free(t->ctx, t->s);
  *t = (bpi_text){.ctx = t->ctx};
}

/* Room for n more bytes and the NUL. */
static bool text_room(bpi_text *t, size_t n)
{
  if (t->failed)
    return false;
  if (t->s && n < t->cap - t->n)
    return true;
  size_t wanted;
  t->failed = __builtin_add_overflow(t->n, n, &wanted) || wanted > PTRDIFF_MAX / 2;
  if (t->failed)
    return false;
  size_t cap = wanted < 32 ? 64 : 2 * wanted;
  char *s = bpi_realloc(t->ctx, t->s, cap, 1);
  t->failed = !s;
  if (!s)
    return false;
  t->s = s;
  t->cap = cap;
  return true;
}

void bpi_textf(bpi_text *t, const char *fmt, ...)
{
  if (!text_room(t, 0))
    return;
  va_list ap;
  va_start(ap, fmt);
  int n = bpi_vformat(t->s + t->n, t->cap - t->n, fmt, ap);
  va_end(ap);
  if (n >= 0 && (size_t)n >= t->cap - t->n && text_room(t, (size_t)n)) {
    va_start(ap, fmt);
    n = bpi_vformat(t->s + t->n, t->cap - t->n, fmt, ap);
    va_end(ap);
  }
  t->failed = t->failed || n < 0;
  if (t->failed)
    t->s[t->n] = '\0';
  else
    t->n += (size_t)n;
}

void bpi_text_add(bpi_text *t, const char *bytes, size_t n)
{
  if (!text_room(t, n))
    return;
  if (n)
    memcpy(t->s + t->n, bytes, n);
  t->n += n;
  t->s[t->n] = '\0';
}

char *bpi_text_take(bpi_text *t)
{
  bpi_text_add(t, "", 0); /* taken before anything was added: an empty text */
  char *s = t->failed ? NULL : t->s;
  if (!s)
    bpi_free(t->ctx, t->s);
  *t = (bpi_text){.ctx = t->ctx};
  return s;
}

#define MAX_DISTANCE 31

static int smaller(int a, int b)
{
  return a < b ? a : b;
}

/* Two neighbouring letters have changed places, and nothing else. */
static bool is_swapped(const char *a, const char *b)
{
  while (*a && *a == *b)
    a++, b++;
  return *a && *b && a[0] == b[1] && a[1] == b[0] && strcmp(a + 2, b + 2) == 0;
}

/* Ukkonen (1985): entries further than `most` from the diagonal cannot matter, so a row is a band. row[k] is the
 * distance of a[0..i) and b[0..j), j = i + k - 1 - most; the two ends of the band are walls. */
int bpi_edit_distance(const char *a, const char *b, int most)
{
  if (most < 0)
    most = 0;
  most = smaller(most, MAX_DISTANCE);
  if (most > 0 && is_swapped(a, b))
    return 1;
  size_t na = strlen(a), nb = strlen(b);
  if ((na > nb ? na - nb : nb - na) > (size_t)most)
    return most + 1;
  int row[2 * MAX_DISTANCE + 3] = {0}, width = 2 * most + 1;
  for (int k = 0; k <= width + 1; k++) /* i = 0: j letters to insert */
    row[k] = k <= most ? most + 1 : k - 1 - most;
  for (size_t i = 1; i <= na; i++) {
    for (int k = 1; k <= width; k++) {
      ptrdiff_t j = (ptrdiff_t)i + k - 1 - most;
      if (j < 0 || j > (ptrdiff_t)nb) {
        row[k] = most + 1;
        continue;
      }
      int replace = j == 0 ? most + 1 : row[k] + (a[i - 1] != b[j - 1]);
      row[k] = smaller(replace, 1 + smaller(row[k + 1], row[k - 1]));
    }
  }
  return smaller(row[(ptrdiff_t)nb - (ptrdiff_t)na + most + 1], most + 1);
}

/* By the first byte: length, and the range of the second byte, which shuts out overlong forms, surrogates and
 * what lies past U+10FFFF (Unicode, table 3-7). */
static const struct {
  unsigned char first, last, length, low, high;
} utf8_table[] = {
    {0x00, 0x7f, 1, 0, 0},       {0xc2, 0xdf, 2, 0x80, 0xbf}, {0xe0, 0xe0, 3, 0xa0, 0xbf},
    {0xe1, 0xec, 3, 0x80, 0xbf}, {0xed, 0xed, 3, 0x80, 0x9f}, {0xee, 0xef, 3, 0x80, 0xbf},
    {0xf0, 0xf0, 4, 0x90, 0xbf}, {0xf1, 0xf3, 4, 0x80, 0xbf}, {0xf4, 0xf4, 4, 0x80, 0x8f},
};

/* Length that the first byte promises, 0 if none begins so; *sound: those of its bytes that are there are right. */
static size_t utf8_length(const unsigned char *s, size_t n, bool *sound)
{
  size_t row = 0, rows = sizeof utf8_table / sizeof utf8_table[0];
  while (row < rows && !(s[0] >= utf8_table[row].first && s[0] <= utf8_table[row].last))
    row++;
  if (row == rows)
    return 0;
  size_t length = utf8_table[row].length;
  *sound = length == 1 || n == 1 || (s[1] >= utf8_table[row].low && s[1] <= utf8_table[row].high);
  for (size_t i = 2; i < length && i < n; i++)
    *sound = *sound && (s[i] & 0xc0) == 0x80;
  return length;
}

size_t bpi_utf8(const unsigned char *s, size_t n)
{
  bool sound = false;
  size_t length = n ? utf8_length(s, n, &sound) : 0;
  return sound && length <= n ? length : 0;
}

bool bpi_utf8_cut(const unsigned char *s, size_t n)
{
  bool sound = false;
  size_t length = n ? utf8_length(s, n, &sound) : 0;
  return sound && length > n;
}
