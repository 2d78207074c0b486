/* What this machine's processor can do. */
#ifndef BPI_CPU_H
#define BPI_CPU_H

#include "bprop.h"

/* True if kernels for this instruction set are built in and can run here (avx2 means avx2 and fma; avx512 means f, bw, dq, vl). */
bool bpi_cpu_has(bp_isa isa);
bp_isa bpi_cpu_best(void);

#endif
