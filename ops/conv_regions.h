/* Output positions sorted by the taps that lie inside the input. */
#ifndef TSR_OPS_CONV_REGIONS_H
#define TSR_OPS_CONV_REGIONS_H

#include "ops/gemm.h"

/* Position q of dimension d sees input index q * step[d] + the tap's offset. */
typedef struct tsr_conv_grid {
  int64_t n, counts[3], step[3], in[3];
  const int64_t *tap; int64_t taps;  /* [taps][4]: offsets in depth, height, width; one more */
  int mr;                            /* most rows of a tile */
} tsr_conv_grid;

typedef struct tsr_conv_regions {
  tsr_row_tile *tiles; int64_t tile_count; /* 0: leaving taps out would gain nothing */
  int64_t *order;                          /* row of the product: its position in C order of [n][counts...] */
} tsr_conv_regions;

/* In scratch memory of the call. */
tsr_status tsr_conv_regions_make(tsr_ctx *ctx, const tsr_conv_grid *g, tsr_conv_regions *out);

#endif
