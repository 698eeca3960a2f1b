/* Pieces the loss operators share: expressions over tensors, and the reduction argument. */
#ifndef TSR_OPS_LOSS_H
#define TSR_OPS_LOSS_H

#include "ops/native.h"

enum { TSR_LOSS_NONE, TSR_LOSS_MEAN, TSR_LOSS_SUM }; /* PyTorch's Reduction codes */

/* Expressions: NULL in gives NULL out, the error stays recorded; tsr_x_ret reports it. */
tsr_tensor *tsr_x_bin(tsr_ctx *ctx, const char *op, tsr_tensor *a, tsr_tensor *b);
tsr_tensor *tsr_x_num(tsr_ctx *ctx, const char *op, tsr_tensor *a, double b);
tsr_tensor *tsr_x_int(tsr_ctx *ctx, const char *op, tsr_tensor *a, int64_t b);
tsr_tensor *tsr_x_un(tsr_ctx *ctx, const char *op, tsr_tensor *a);
tsr_tensor *tsr_x_sum(tsr_ctx *ctx, tsr_tensor *a, int64_t dim, bool keepdim);
tsr_tensor *tsr_x_where(tsr_ctx *ctx, tsr_tensor *mask, tsr_tensor *a, tsr_tensor *b);
tsr_tensor *tsr_x_zero(tsr_ctx *ctx, const tsr_tensor *like);
tsr_tensor *tsr_x_reduce(tsr_ctx *ctx, tsr_tensor *a, int64_t reduction);
tsr_status tsr_x_ret(tsr_call *c, uint32_t i, tsr_tensor *a);

#endif
