/* The hand-written C in float, and in double (-DBENCH_DOUBLE) as the reference. */
#ifndef BENCH_HANDWRITTEN_H
#define BENCH_HANDWRITTEN_H

#include "../house/house.h"

#ifdef BENCH_DOUBLE
typedef double REAL;
#else
typedef float REAL;
#endif

extern const work_kind straight_kind;

#endif
