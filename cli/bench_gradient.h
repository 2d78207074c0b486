/* One backward pass against differentiating each parameter apart. */
#ifndef CLI_BENCH_GRADIENT_H
#define CLI_BENCH_GRADIENT_H

#include "options.h"

/* Of the program in the inputs, or, without inputs, of a network that grows. Returns the exit status. */
int bench_gradient(const settings *s);

#endif
