/* Convolutions of few input channels: pictures, sound. */
#ifndef TSR_OPS_CONV_FEW_H
#define TSR_OPS_CONV_FEW_H

#include "ops/conv.h"
#include "ops/conv_kernels.h"

bool tsr_few_wants(const tsr_conv *p);
/* Weights: one block of panels, terms in the order of the weight itself. */
tsr_packed tsr_few_plan(const tsr_gemm_fns *g, const tsr_conv *p);
tsr_status tsr_few_pack(tsr_ctx *ctx, const tsr_packed *plan, const tsr_supply *w);

/* x and y: channels last or contiguous, each as its flag says; epi's residual is laid out as y. */
tsr_status tsr_few_run(tsr_ctx *ctx, const tsr_conv *p, const tsr_packed *plan, float *y, bool y_last, const float *x, bool x_last, const tsr_epi *epi);

/* For operators that use the results row by row: one image, its planes as they are. */
typedef struct tsr_few_image {
  const tsr_conv_fns *f; int lanes;
  const tsr_conv *p;
  const tsr_packed *b;
  const float *x;       /* [c][height][width] */
  float *line;          /* tsr_few_floats() of scratch */
  tsr_epi epi;          /* no residual */
} tsr_few_image;

bool tsr_few_fits_rows(const tsr_conv *p);
int64_t tsr_few_floats(const tsr_conv *p);
/* Row r of the result, one panel of its channels; positions y_step apart. */
void tsr_few_make_row(const tsr_few_image *s, int64_t r, int64_t panel, float *y, int64_t y_step);

#endif
