/* Convolutions in groups so narrow that a vector has several: depthwise, and of 2, 4, … channels. */
#ifndef TSR_OPS_CONV_NARROW_H
#define TSR_OPS_CONV_NARROW_H

#include "ops/conv.h"
#include "ops/gemm.h"

bool tsr_conv_is_depthwise(const tsr_conv *p);
/* For vectors of so many lanes. */
bool tsr_conv_is_narrow(const tsr_conv *p, int lanes);
/* Floats of packed weights, and the packing. */
int64_t tsr_narrow_floats(const tsr_conv *p);
tsr_status tsr_narrow_pack(tsr_ctx *ctx, const tsr_conv *p, float *data, const tsr_supply *w);
/* x, y: channels last; zero: p->c zeros. */
void tsr_narrow_run(tsr_ctx *ctx, const tsr_conv *p, const float *data, float *y, const float *x, const float *zero, const tsr_epi *epi);

#endif
