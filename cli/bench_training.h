/* What this machine can do, and how much of it training gets. */
#ifndef CLI_BENCH_TRAINING_H
#define CLI_BENCH_TRAINING_H

#include "options.h"

/* The limits: operations and bytes a second, with one thread and with all. Returns the exit status. */
int bench_machine(const settings *s);
/* Steps of two networks beside those limits. */
int bench_training(const settings *s);

#endif
