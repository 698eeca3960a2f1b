/* Quantized tensors and the packed weights of quantized layers. */
#ifndef TSR_OPS_QUANT_H
#define TSR_OPS_QUANT_H

#include "ops/native.h"

/* The integers of a quantized tensor: an int8, uint8 or int32 view of its bytes. */
tsr_status tsr_int_repr(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *q);
/* Values as float32, per tensor or per channel. */
tsr_status tsr_dequantize(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *q);
/* Integers minus zero points as float64: exact. */
tsr_status tsr_centred(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *q);
/* dtype: a quantized one; value / scale + zero point in float32, rounded to nearest even, saturated.  x is float of any width. */
tsr_status tsr_quantize(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, double scale, int64_t zero_point, tsr_dtype dtype);
tsr_status tsr_quantize_like(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, const tsr_tensor *like);
/* Attach a copy of like's quantizer to t, an integer tensor that becomes quantized. */
tsr_status tsr_attach_quant(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *ints, const tsr_quant *quant, tsr_dtype dtype);
tsr_dtype tsr_quant_int_type(tsr_dtype q); /* qint8 -> int8 … */
/* Scale and zero point for values in [lo, hi], as dynamic quantization chooses them. */
void tsr_choose_qparams(double lo, double hi, int64_t qmin, int64_t qmax, double *scale, int64_t *zero_point);
tsr_status tsr_need_quantized(tsr_ctx *ctx, const tsr_tensor *t, const char *name);

/* Run an operator that knows nothing of quantizers on quantized operands; *handled is false when it
 * may see them as they are. */
tsr_status tsr_quant_call(tsr_call *c, bool *handled);

#endif
