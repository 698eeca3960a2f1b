/* The random engine: mt19937 and the transforms of PyTorch's CPU generator, so that a seed gives the same numbers. */
#ifndef TSR_OPS_RANDOM_H
#define TSR_OPS_RANDOM_H

#include "ops/op.h"

#define TSR_RNG_DEFAULT_SEED UINT64_C(67280421310721)

struct tsr_rng {
  uint32_t state[624];
  int next;              /* index into state; 624: make the next block first */
  bool has_normal;       /* the second number of the last pair of normals is still unused */
  double normal;
  uint64_t seed;
};

void tsr_rng_init(tsr_rng *r, uint64_t seed);
uint32_t tsr_rng_next32(tsr_rng *r);
uint64_t tsr_rng_next64(tsr_rng *r);              /* two 32-bit draws, the first in the high half */
double tsr_rng_uniform(tsr_rng *r);               /* [0, 1), 53 bits of a 64-bit draw */
float tsr_rng_uniform_float(tsr_rng *r);          /* [0, 1), 24 bits of a 32-bit draw */
double tsr_rng_normal(tsr_rng *r, double mean, double std); /* Box-Muller pairs, the second one kept */

/* The generator that argument i names, or the context's own, made on first use. */
tsr_status tsr_rng_arg(tsr_call *c, uint32_t i, tsr_rng **out);
tsr_status tsr_rng_default(tsr_ctx *ctx, tsr_rng **out);
void tsr_rng_free(tsr_rng *r);

/* In-place fills in memory order (C order unless t is dense in another order), as cpu kernels visit t. */
tsr_status tsr_random_uniform(tsr_ctx *ctx, tsr_rng *r, tsr_tensor *t, double from, double to);
tsr_status tsr_random_normal(tsr_ctx *ctx, tsr_rng *r, tsr_tensor *t, double mean, double std);
tsr_status tsr_random_bernoulli(tsr_ctx *ctx, tsr_rng *r, tsr_tensor *t, double p);
tsr_status tsr_random_exponential(tsr_ctx *ctx, tsr_rng *r, tsr_tensor *t, double lambda);

#endif
