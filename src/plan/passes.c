/* Which passes are on, as text. */
#include "base/ctx.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

static const char *const names[] = {
#define PASS_NAME(name, text) #name,
    BP_PASS_LIST(PASS_NAME)
#undef PASS_NAME
};

enum { EVERY = (1 << BP_PASS_COUNT) - 1 };

const char *bp_pass_name(bp_pass pass)
{
  return (unsigned)pass < BP_PASS_COUNT ? names[pass] : "";
}

/* Bits that a word of the list stands for; 0: it is none of them. */
static uint32_t bits_of(const char *word, size_t n)
{
  uint32_t bits = (n == 3 && !memcmp(word, "all", n)) || (n == 4 && !memcmp(word, "none", n)) ? EVERY : 0;
  for (int k = 0; k < BP_PASS_COUNT; k++)
    if (strlen(names[k]) == n && !memcmp(word, names[k], n))
      bits = 1u << k;
  return bits;
}

static bp_status no_such_pass(const char *word, size_t n)
{
  char list[512];
  size_t at = 0;
  list[0] = 0;
  for (int k = 0; k < BP_PASS_COUNT; k++)
    at += (size_t)snprintf(list + at, sizeof list - at, ", %s", names[k]);
  return bpi_fail(BP_E_ARG, "bp_passes_read: there is no pass '%.*s'; there are all, none%s",
                  (int)(n < 80 ? n : 80), word, list);
}

bp_status bp_passes_read(const char *text, uint32_t *off)
{
  if (!text || !off)
    return bpi_bad_arg("bp_passes_read", "text or off");
  uint32_t result = *text && *text != '-' ? EVERY : 0;
  for (const char *word = text; *word;) {
    bool minus = *word == '-';
    word += minus;
    size_t n = strcspn(word, ",");
    uint32_t bits = bits_of(word, n);
    if (!bits)
      return no_such_pass(word, n);
    minus ^= n == 4 && bits == EVERY && !memcmp(word, "none", n);
    result = minus ? result | bits : result & ~bits;
    word += n + (word[n] == ',');
  }
  *off = result;
  return BP_OK;
}
