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

/* Kernel, stride, padding, dilation by dimension; leading ones (padding: zeros) when there are fewer than three. */
typedef struct tsr_pool_window { int64_t k[3], s[3], p[3], d[3]; bool ceil_mode; } tsr_pool_window;

/* pool.c: the window of a call, from argument first on (kernel_size, stride, padding[, dilation], ceil_mode), and PyTorch's checks, in the order in
 * which its operators make them: each dimension by itself, then all numbers, the input, padding again (dilation does not count there), sizes. */
tsr_status tsr_pool_read_window(tsr_call *c, uint32_t first, int nd, const char *name, bool dilated, tsr_pool_window *w);
tsr_status tsr_pool_check_steps(tsr_ctx *ctx, int nd, const tsr_pool_window *w);
tsr_status tsr_pool_check_positive(tsr_ctx *ctx, int nd, const tsr_pool_window *w);
tsr_status tsr_pool_check_input(tsr_ctx *ctx, int nd, const char *name3 /* PyTorch's, for three dimensions */, const tsr_tensor *x);
tsr_status tsr_pool_check_padding(tsr_ctx *ctx, int nd, const tsr_pool_window *w);
void tsr_pool_describe(const tsr_tensor *x, int nd, tsr_pool_plan *p);       /* n, c, in of x, whose last nd dimensions are pooled */
tsr_status tsr_pool_sizes(tsr_ctx *ctx, tsr_pool_plan *p, const tsr_pool_window *w); /* out */

/* y = max or mean of each window of x; same layout as the plan says; index (may be NULL) int64. */
tsr_status tsr_pool_max(tsr_ctx *ctx, const tsr_pool_plan *p, tsr_tensor *y, tsr_tensor *index, tsr_tensor *x);
tsr_status tsr_pool_avg(tsr_ctx *ctx, const tsr_pool_plan *p, tsr_tensor *y, tsr_tensor *x);
tsr_status tsr_pool_tables(tsr_ctx *ctx, tsr_pool_plan *p); /* allocates lo, hi, count for out */

#endif
