/* Convolutions of few input channels, read as planes: the first layer of most networks. */
#ifndef TSR_OPS_CONV_STEM_H
#define TSR_OPS_CONV_STEM_H

#include "ops/conv.h"

/* Of one image. */
typedef struct tsr_stem {
  const tsr_gemm_fns *f;
  const tsr_conv *p;
  const tsr_packed *b;  /* of a MERGED plan: terms are [kernel row][column][channel] */
  const float *x;       /* [c][height][width] */
  float *line;          /* tsr_stem_floats() of scratch */
  tsr_epi epi;          /* no residual */
} tsr_stem;

/* Plain, two-dimensional, and the rows fit. */
bool tsr_stem_fits(const tsr_conv *p);
int64_t tsr_stem_floats(const tsr_conv *p);
/* Row r of the result, one panel of its channels; positions y_step apart. */
void tsr_stem_row(const tsr_stem *s, int64_t r, int64_t panel, float *y, int64_t y_step);
/* All of the batch, channels last in memory. */
tsr_status tsr_stem_run(tsr_ctx *ctx, const tsr_conv *p, const tsr_packed *b, const float *x, float *y, const tsr_epi *epi);

#endif
