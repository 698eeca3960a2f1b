/* Detection of the processor's instruction sets, and the TSRUN_ISA override. */
#include "ops/cpu.h"

#include <stdlib.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

static const char *const names[TSR_ISA_COUNT] = {"scalar", "avx2", "avx512", "neon"};

const char *tsr_isa_name(tsr_isa isa) { return names[isa]; }

#if defined(__x86_64__)
/* Asked directly: clang 14 does not know the word. */
static bool has_f16c(void) {
  unsigned a, b, c, d;
  return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_F16C) != 0;
}
#endif

bool tsr_cpu_has(tsr_isa isa) {
  if (isa == TSR_ISA_SCALAR) return true;
#if defined(__aarch64__)
  return isa == TSR_ISA_NEON; /* part of every 64-bit ARM */
#elif defined(__x86_64__)
  if (isa == TSR_ISA_NEON) return false;
  /* __builtin_cpu_supports also asks whether the operating system saves the wide registers. */
  __builtin_cpu_init();
  bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c();
  if (isa == TSR_ISA_AVX2) return avx2;
  return avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
#else
  return false;
#endif
}

static tsr_isa detect(void) {
  tsr_isa best = TSR_ISA_SCALAR;
  const char *wanted = getenv("TSRUN_ISA");
  for (int i = 0; i < TSR_ISA_COUNT; i++) {
    if (!tsr_cpu_has((tsr_isa)i)) continue;
    best = (tsr_isa)i;
    if (wanted != NULL && strcmp(wanted, names[i]) == 0) break;
  }
  return best;
}

tsr_isa tsr_cpu_isa(void) {
  static int cached; /* isa + 1; racing threads compute the same number */
  int got = __atomic_load_n(&cached, __ATOMIC_RELAXED);
  if (got == 0) {
    got = (int)detect() + 1;
    __atomic_store_n(&cached, got, __ATOMIC_RELAXED);
  }
  return (tsr_isa)(got - 1);
}
