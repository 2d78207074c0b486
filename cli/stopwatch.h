/* Time, for commands that measure it. */
#ifndef CLI_STOPWATCH_H
#define CLI_STOPWATCH_H

#include <stddef.h>

/* Seconds on a clock that never goes back. */
double stopwatch_now(void);
/* Median of n numbers, which are put in order. */
double median_of(double *x, size_t n);
/* "3.2 us", "41 ms", "2.5 h". */
const char *duration_text(double seconds, char text[32]);

#endif
