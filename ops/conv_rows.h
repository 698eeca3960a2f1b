/* Convolutions of small maps: the taps that lie in the padding are left out, row by row. */
#ifndef TSR_OPS_CONV_ROWS_H
#define TSR_OPS_CONV_ROWS_H

#include "ops/conv.h"

/* This call gains by it. */
bool tsr_rows_wants(const tsr_conv *p, const tsr_packed *plan);

/* x and y channels last; plan: packed weights of all taps; epi: bias, residual (laid out as y), activation. */
tsr_status tsr_rows_run(tsr_ctx *ctx, const tsr_conv *p, const tsr_packed *plan, float *y, const float *x, const tsr_epi *epi);

#endif
