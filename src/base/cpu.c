/* What the processor can do. BPI_NO_AVX2 and BPI_NO_AVX512 tell of a build whose kernels lack these sets. */
#include "base/cpu.h"

static const char *const isa_names[BP_ISA_COUNT] = {"base", "avx2", "avx512", "neon"};

const char *bp_isa_name(bp_isa isa)
{
  return (unsigned)isa < BP_ISA_COUNT ? isa_names[isa] : "?";
}

/* __builtin_cpu_supports asks both the processor and whether the system saves the wide registers. */
static bool has_avx2(void)
{
#if defined(__x86_64__) && !defined(BPI_NO_AVX2)
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
  return false;
#endif
}

static bool has_avx512(void)
{
#if defined(__x86_64__) && !defined(BPI_NO_AVX512)
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") && has_avx2();
#else
  return false;
#endif
}

static bool has_neon(void)
{
#if defined(__aarch64__)
  return true; /* part of the architecture */
#else
  return false;
#endif
}

static bool has_base(void)
{
  return true;
}

bool bpi_cpu_has(bp_isa isa)
{
  static bool (*const has[BP_ISA_COUNT])(void) = {
      [BP_ISA_BASE] = has_base,
      [BP_ISA_AVX2] = has_avx2,
      [BP_ISA_AVX512] = has_avx512,
      [BP_ISA_NEON] = has_neon,
  };
  return (unsigned)isa < BP_ISA_COUNT && has[isa]();
}

bp_isa bpi_cpu_best(void)
{
  for (int isa = BP_ISA_COUNT - 1; isa > BP_ISA_BASE; isa--)
    if (bpi_cpu_has((bp_isa)isa))
      return (bp_isa)isa;
  return BP_ISA_BASE;
}
