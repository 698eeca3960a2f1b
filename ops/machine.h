/* What this machine can do at most, measured: the yardstick of profiles and benchmarks. */
#ifndef TSR_OPS_MACHINE_H
#define TSR_OPS_MACHINE_H

#include "ops/op.h"

/* float32 multiply-adds a second times two, and bytes read from main memory a second, by all threads of the pool
 * together.  Takes about a quarter of a second; false: out of memory. */
bool tsr_machine_measure(tsr_pool *pool, double *flops, double *bandwidth);

/* Floating-point operations (a multiply-add is two) and bytes of operands and results of a call that has run.
 * Products, convolutions, attention and recurrent layers are counted by their formulas, other operators as one
 * operation a result element; views cost nothing. */
void tsr_call_cost(const tsr_call *c, double *flops, double *bytes);

#endif
