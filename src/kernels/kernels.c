/* Which table of kernels a processor gets. */
#include "kernels/kernels.h"
#include "base/cpu.h"

extern const bpi_kernels bpi_kernels_base;

#if defined(__x86_64__)
extern const bpi_kernels bpi_kernels_avx2, bpi_kernels_avx512;
static const bpi_kernels *const tables[BP_ISA_COUNT] = {
    [BP_ISA_AVX2] = &bpi_kernels_avx2, [BP_ISA_AVX512] = &bpi_kernels_avx512};
#elif defined(__aarch64__)
extern const bpi_kernels bpi_kernels_neon;
static const bpi_kernels *const tables[BP_ISA_COUNT] = {[BP_ISA_NEON] = &bpi_kernels_neon};
#else
static const bpi_kernels *const tables[BP_ISA_COUNT] = {0};
#endif

const bpi_kernels *bpi_kernels_for(bp_isa isa)
{
  if (isa == BP_ISA_BEST)
    isa = bpi_cpu_best();
  return bpi_cpu_has(isa) && tables[isa] ? tables[isa] : &bpi_kernels_base;
}
