/* What the normalisation families share. */
#ifndef TSR_OPS_NORM_H
#define TSR_OPS_NORM_H

#include "ops/op.h"

/* The type to compute in: float64 for itself, float32 for float32 and the half types; else name is "not implemented for". */
tsr_status tsr_norm_dtype(tsr_ctx *ctx, const tsr_tensor *x, const char *name, tsr_dtype *out);
/* Parameters (NULL allowed) have x's dtype, or float32 beside a half type: *mixed. */
tsr_status tsr_norm_mixed(tsr_ctx *ctx, const tsr_tensor *x, tsr_tensor *const *params, int n, bool *mixed);

#endif
