/* Which instruction set the kernels use.  The only place that asks the processor. */
#ifndef TSR_OPS_CPU_H
#define TSR_OPS_CPU_H

#include "core/base.h"

typedef enum tsr_isa { TSR_ISA_SCALAR, TSR_ISA_AVX2, TSR_ISA_AVX512, TSR_ISA_NEON, TSR_ISA_COUNT } tsr_isa;

const char *tsr_isa_name(tsr_isa isa);   /* borrow, static: what TSRUN_ISA accepts */
bool tsr_cpu_has(tsr_isa isa);           /* this processor (and operating system) can run it, and it was built */
/* The best one this processor has; the environment variable TSRUN_ISA may name a lower one. */
tsr_isa tsr_cpu_isa(void);

#endif
