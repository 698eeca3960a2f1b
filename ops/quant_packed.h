/* Packed parameters of quantized layers: objects of custom classes whose slot 0 is what archives store. */
#ifndef TSR_OPS_QUANT_PACKED_H
#define TSR_OPS_QUANT_PACKED_H

#include "ops/custom.h"
#include "ops/quant.h"

typedef struct tsr_qlinear { tsr_tensor *weight, *bias; /* weight quantized [out, in], or float for the fp16 form; bias or NULL */ } tsr_qlinear;
typedef struct tsr_qconv {
  tsr_tensor *weight, *bias;
  int dims;
  int64_t stride[3], padding[3], dilation[3], output_padding[3], groups;
  bool transposed;
} tsr_qconv;

tsr_status tsr_qlinear_read(tsr_ctx *ctx, tsr_qlinear *out, tsr_val packed);
tsr_status tsr_qconv_read(tsr_ctx *ctx, tsr_qconv *out, tsr_val packed);
tsr_status tsr_qlinear_make(tsr_ctx *ctx, tsr_val *out, tsr_tensor *weight, tsr_tensor *bias); /* a temp */
tsr_status tsr_qconv_make(tsr_ctx *ctx, tsr_val *out, const tsr_qconv *conv);

/* x . w^T + b in float32, x quantized for this call when the weight is; reduce: to 7 bits. */
tsr_status tsr_qlinear_dynamic(tsr_ctx *ctx, tsr_tensor **y, tsr_tensor *x, const tsr_qlinear *p, bool reduce);

/* As PyTorch's elementwise kernels read and write; pixels: of a 4-D tensor that lies channels last, pixel by pixel (quant_kernel.c). */
tsr_status tsr_kernel_dequantize(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *q, bool pixels);
tsr_status tsr_kernel_quantize(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, double scale, int64_t zero_point, tsr_dtype dtype, bool pixels);
/* Sums of a depthwise convolution's products, saturated as FBGEMM's are; *handled is false for shapes that it computes otherwise. */
tsr_status tsr_quant_depthwise(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *qx, const tsr_qconv *p, bool *handled);
tsr_status tsr_quant_batch_norm(tsr_call *c, bool relu);
tsr_status tsr_quant_pool(tsr_call *c, bool *handled); /* average pools; *handled stays false for others */
tsr_status tsr_quant_mean(tsr_call *c, bool *handled); /* means, the same way */

/* Sums of products of integers (float64) to the output of a layer, in the float32 steps of PyTorch's integer
 * kernels.  Channels lie along dim. */
typedef struct tsr_requant {
  double x_scale, scale; /* of the input, of the output */
  int64_t zero_point;
  tsr_dtype dtype;
  bool relu, onednn; /* onednn: the steps of its kernels, not those of FBGEMM's */
} tsr_requant;
tsr_status tsr_requantize(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *acc, int dim, const tsr_requant *r, const tsr_tensor *w, tsr_tensor *bias);
/* The same to float32 values. */
tsr_status tsr_rescale(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *acc, int dim, double x_scale, const tsr_tensor *w, tsr_tensor *bias);

#endif
