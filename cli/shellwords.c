#include "shellwords.h"

#include <stdbool.h>

#include <stdlib.h>
#include <string.h>

void shell_word(FILE *out, const char *word)
{
  static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=.,:/@%^";
  if (*word && !word[strspn(word, plain)]) {
    fputs(word, out);
    return;
  }
  putc('\'', out);
  for (; *word; word++)
    if (*word == '\'')
      fputs("'\\''", out);
    else
      putc(*word, out);
  putc('\'', out);
}

char *shell_line(const char *first, const char *const *words, int n)
{
  char *text = NULL;
  size_t size;
  FILE *out = open_memstream(&text, &size);
  if (!out)
    return NULL;
  if (first)
    fputs(first, out);
  for (int i = 0; i < n; i++) {
    if (i || first)
      putc(' ', out);
    shell_word(out, words[i]);
  }
  bool bad = ferror(out);
  if (fclose(out) || bad) {
    free(text);
    return NULL;
  }
  return text;
}
