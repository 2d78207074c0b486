/* Which table of kernels a processor gets. */
#include "kernels/kernels.h"
#include "base/cpu.h"

extern const bpi_kernels bpi_kernels_base, bpi_kernels_avx2, bpi_kernels_avx512, bpi_kernels_neon;

static const bpi_kernels *const tables[BP_ISA_COUNT] = {
    [BP_ISA_BASE] = &bpi_kernels_base,
#if defined(__x86_64__) && !defined(BPI_NO_AVX2)
    [BP_ISA_AVX2] = &bpi_kernels_avx2,
#endif
#if defined(__x86_64__) && !defined(BPI_NO_AVX512)
    [BP_ISA_AVX512] = &bpi_kernels_avx512,
#endif
#if defined(__aarch64__)
    [BP_ISA_NEON] = &bpi_kernels_neon,
#endif
};

const bpi_kernels *bpi_kernels_for(bp_isa isa)
{
  if (isa == BP_ISA_BEST)
    isa = bpi_cpu_best();
  return bpi_cpu_has(isa) && tables[isa] ? tables[isa] : &bpi_kernels_base;
}
