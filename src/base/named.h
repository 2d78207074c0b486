/* A choice as options write it: NAME, or NAME(NUMBER, NUMBER). */
#ifndef BPI_NAMED_H
#define BPI_NAMED_H

#include "base/text.h"

enum { BPI_NAMED_NUMBERS = 4 };

typedef struct bpi_named {
  char name[32];
  double number[BPI_NAMED_NUMBERS];
  int n;
} bpi_named;

/* False where the text is of another form, or a number is not finite. */
bool bpi_named_read(const char *text, bpi_named *out);

#endif
