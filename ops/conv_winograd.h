/* Winograd's F(4x4, 3x3) and F(2x2, 3x3) for float32 convolutions with channels last. */
#ifndef TSR_OPS_CONV_WINOGRAD_H
#define TSR_OPS_CONV_WINOGRAD_H

#include "ops/conv.h"

/* By hyperparameters alone: weights are packed for it. */
bool tsr_wino_wants(const tsr_conv *p);
/* By the sizes of the data: this call gains by it. */
bool tsr_wino_fits(const tsr_conv *p);
/* Results along a side of a tile, 2 or 4, for packed weights: by their size. */
int tsr_wino_side(const tsr_conv *p);
/* Products of a tile: the elements of its transform. */
static inline int tsr_wino_elements(const tsr_conv *p) { return (tsr_wino_side(p) + 2) * (tsr_wino_side(p) + 2); }
/* The same for weights that are packed for direct summation (a plan of nine taps) and transformed as they are
 * needed, which pays for many tiles: 0, 2 or 4. */
int tsr_wino_side_direct(const tsr_conv *p);

/* Weights: a matrix [c][oc] an element, packed by one plan, tsr_wino_step floats apart. */
tsr_packed tsr_wino_plan(const tsr_gemm_fns *g, const tsr_conv *p);
int64_t tsr_wino_step(const tsr_packed *plan);
tsr_status tsr_wino_pack(tsr_ctx *ctx, const tsr_conv *p, const tsr_packed *plan, float *data, const tsr_supply *w /* [oc][c][3][3] */);
/* The weights that were packed, but for rounding: for calls that do not fit when the originals are gone. */
tsr_status tsr_wino_unpack(tsr_ctx *ctx, const tsr_conv *p, const tsr_packed *plan, const float *data, float *w);

/* Nine runs of weights g[tap] of a plan for direct summation: input channels from c on (*count of them, at most; they end with
 * a block), one panel. */
void tsr_wino_taps(const tsr_packed *plan, int lanes, int64_t c, int64_t panel, const float *g[9], int64_t *count);

/* x and y channels last; side: of a tile; epi: bias, residual (laid out as y), activation. */
tsr_status tsr_wino_run(tsr_ctx *ctx, const tsr_conv *p, const tsr_packed *plan, const float *data, int side, float *y, const float *x,
                        const tsr_epi *epi);

#endif
