/* Pooling over windows of up to three dimensions: the plan that all pooling operators reduce to. */
#ifndef TSR_OPS_POOL_H
#define TSR_OPS_POOL_H

#include "ops/op.h"

typedef struct tsr_pool_plan {
  int nd;                  /* pooled dimensions: the last nd */
  int64_t n, c;            /* the others: batch and channels (1 when absent) */
  int64_t in[3], out[3];   /* leading ones when nd < 3 */
  int64_t *lo[3], *hi[3];  /* window of each output index: first, end (clipped to the input) */
  int64_t *count[3];       /* what the window counts for in an average: its length with padding, or clipped */
  int64_t step[3];         /* dilation */
  int64_t divisor;         /* of an average; 0: the product of counts */
  bool last;               /* channels-last data */
} tsr_pool_plan;

/* y = max or mean of each window of x; same layout as the plan says; index (may be NULL) int64. */
tsr_status tsr_pool_max(tsr_ctx *ctx, const tsr_pool_plan *p, tsr_tensor *y, tsr_tensor *index, tsr_tensor *x);
tsr_status tsr_pool_avg(tsr_ctx *ctx, const tsr_pool_plan *p, tsr_tensor *y, tsr_tensor *x);
tsr_status tsr_pool_tables(tsr_ctx *ctx, tsr_pool_plan *p); /* allocates lo, hi, count for out */

#endif
