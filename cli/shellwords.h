/* Words as a shell takes them. */
#ifndef CLI_SHELLWORDS_H
#define CLI_SHELLWORDS_H

#include <stdio.h>

/* A word, quoted where a shell would not take it as one as it stands. */
void shell_word(FILE *out, const char *word);
/* n words with blanks between them, after `first` where that is not NULL: to be freed. NULL: out of memory. */
char *shell_line(const char *first, const char *const *words, int n);

#endif
