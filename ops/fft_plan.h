/* One-dimensional discrete Fourier transforms in double precision, any length. */
#ifndef TSR_OPS_FFT_PLAN_H
#define TSR_OPS_FFT_PLAN_H

#include "ops/op.h"

typedef struct tsr_fft_plan {
  int64_t n;
  int factor_count, factors[64];
  tsr_c128 *roots;            /* exp(-2 pi i k / n), k < n */
  /* Bluestein's convolution, for lengths with a large prime factor */
  struct tsr_fft_plan *conv;  /* of length >= 2n - 1, or NULL */
  tsr_c128 *chirp, *kernel;   /* n, conv->n */
} tsr_fft_plan;

/* Scratch memory of ctx: nothing to free. */
tsr_status tsr_fft_plan_new(tsr_ctx *ctx, int64_t n, tsr_fft_plan **out);
int64_t tsr_fft_work_size(const tsr_fft_plan *p); /* elements of work below */
/* out[k] = sum x[j] exp(∓2 pi i jk/n) (forward: minus); no scaling; x is overwritten; x and out must not overlap. */
void tsr_fft_run(const tsr_fft_plan *p, bool forward, tsr_c128 *x, tsr_c128 *out, tsr_c128 *work);

#endif
