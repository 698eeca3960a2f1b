/* What the factory operators (empty, arange, rand, …) share: dtype, layout and out= arguments. */
#ifndef TSR_OPS_CREATE_H
#define TSR_OPS_CREATE_H

#include "ops/op.h"

#define TSR_FACTORY_OPTIONS "ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None"

/* opt: index of the ScalarType? parameter, which layout, device and pin_memory follow; the out= forms
 * have no options but a last tensor argument at opt or later. */
tsr_tensor *tsr_factory_out(const tsr_call *c, uint32_t opt); /* NULL: not an out= form */
/* A ScalarType? argument: dflt for None, an error for codes of no plain type. */
tsr_status tsr_dtype_arg(tsr_call *c, uint32_t i, tsr_dtype dflt, tsr_dtype *out);
/* dtype of out=, else the dtype argument, else dflt. */
tsr_status tsr_factory_dtype(tsr_call *c, uint32_t opt, tsr_dtype dflt, tsr_dtype *out);
/* The tensor to fill, C order: out= resized, or a new one. */
tsr_status tsr_factory_new(tsr_call *c, uint32_t opt, tsr_dtype dflt, int64_t ndim, const int64_t *size, tsr_tensor **out);
/* Same for X_like forms, whose memory format argument follows the options (or precedes out=). */
tsr_status tsr_factory_like(tsr_call *c, uint32_t opt, tsr_tensor **out);
/* Strides of a MemoryFormat code (0, 2, 3); PyTorch's errors for ranks that do not fit. */
tsr_status tsr_format_strides(tsr_ctx *ctx, int64_t format, int ndim, const int64_t *size, int64_t *stride);
/* Scalar::to: refuses numbers the type cannot hold (unsigned types take their negative range too). */
tsr_status tsr_scalar_check(tsr_ctx *ctx, tsr_scalar s, tsr_dtype dtype);

#endif
