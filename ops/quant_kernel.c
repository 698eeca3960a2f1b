/* Values of quantized tensors as PyTorch's kernels of a single pass see them.  A vector holds x scale - zero
 * scale, rounded once, where the operator dequantize has (x - zero) scale, and is rounded before the zero point is
 * added; what is left over is as in quantize and dequantize.  Slopes of a tenth make halves of every fifth value: the difference is a whole step. */
#include <math.h>

#include "ops/quant_packed.h"

typedef struct reader { float scale, zero, shift; } reader;

static void read_run(float *d, const tsr_tensor *ints, int64_t from, int64_t n, int64_t vectors, reader r) {
  for (int64_t i = 0; i < n; i++) {
    const void *p = (const char *)tsr_tensor_data_ro(ints) + (from + i) * (int64_t)tsr_dtype_size((tsr_dtype)ints->dtype);
    float q = ints->dtype == TSR_INT32 ? (float)*(const int32_t *)p : ints->dtype == TSR_INT8 ? (float)*(const int8_t *)p : (float)*(const uint8_t *)p;
    d[from + i] = i < vectors ? fmaf(r.scale, q, r.shift) : (q - r.zero) * r.scale;
  }
}

/* Rows of memory, in each as many elements in vectors as fill units: all of it in two vectors of 32 bytes at a
 * time, or the channels of a pixel by eights. */
typedef struct lanes { int64_t row, vectors; } lanes;

static lanes lanes_of(const tsr_tensor *t, bool pixels) {
  int64_t row = pixels ? t->size[1] : t->numel, unit = pixels ? 8 : 64;
  return (lanes){row > 0 ? row : 1, row / unit * unit};
}

tsr_status tsr_kernel_dequantize(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *q, bool pixels) {
  tsr_tensor *ints;
  void *d;
  lanes l = lanes_of(q, pixels);
  if (q->quant->scales != NULL) return tsr_dequantize(ctx, out, q);
  TSR_TRY(tsr_int_repr(ctx, &ints, q));
  TSR_TRY(tsr_new_like(ctx, out, ints, TSR_FLOAT32));
  if (!tsr_tensor_is_dense(ints) || memcmp(ints->stride, (*out)->stride, ints->ndim * sizeof *ints->stride) != 0) {
    TSR_TRY(tsr_contiguous(ctx, &ints, ints));
    TSR_TRY(tsr_new(ctx, out, TSR_FLOAT32, ints->ndim, ints->size));
  }
  TSR_TRY(tsr_data_mut(ctx, *out, &d));
  float scale = (float)q->quant->scale, zero = (float)q->quant->zero_point, shift = scale * -zero;
  for (int64_t i = 0; i < ints->numel; i += l.row) read_run(d, ints, i, l.row, l.vectors, (reader){scale, zero, shift});
  return TSR_OK;
}

tsr_status tsr_kernel_quantize(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, double scale, int64_t zero_point, tsr_dtype dtype, bool pixels) {
  tsr_tensor *t;
  void *d;
  tsr_quant quant = {.scheme = 0, .scale = scale, .zero_point = zero_point};
  if (!(scale > 0)) return tsr_op_fail(ctx, "quantize_tensor_per_tensor_affine: scale %g should be positive", scale);
  TSR_TRY(tsr_to_dtype(ctx, &t, x, TSR_FLOAT32));
  float inverse = pixels ? (float)(1.0 / scale) : 1.0f / (float)scale;
  TSR_TRY(tsr_binary_scalar(ctx, &t, "mul", t, tsr_scalar_float((double)inverse)));
  if (!tsr_tensor_is_dense(t)) TSR_TRY(tsr_contiguous(ctx, &t, t));
  TSR_TRY(tsr_data_mut(ctx, t, &d));
  lanes l = lanes_of(t, pixels);
  for (int64_t i = 0; i < t->numel; i += l.row) {
    float *v = (float *)d + i;
    for (int64_t k = 0; k < l.vectors; k++) v[k] = nearbyintf(v[k]);
  }
  TSR_TRY(tsr_quantize(ctx, &t, t, 1.0, zero_point, dtype));
  TSR_TRY(tsr_int_repr(ctx, &t, t));
  return tsr_attach_quant(ctx, out, t, &quant, dtype);
}

typedef struct affine { float factor, shift; } affine;

/* A factor and a shift of each channel, in steps of the output. */
static tsr_status channel_affines(tsr_call *c, const affine **out, int64_t channels, double x_scale, double scale) {
  static const float otherwise[4] = {1, 0, 0, 1};
  const float *v[4];
  for (uint32_t i = 0; i < 4; i++) { /* weight, bias, mean, variance */
    tsr_tensor *t = tsr_arg_opt_tensor(c, i + 1);
    v[i] = NULL;
    if (t == NULL) continue;
    TSR_TRY(tsr_ready(c->ctx, &t, t, TSR_FLOAT32));
    if (t->numel != channels) return tsr_op_fail(c->ctx, "quantized::batch_norm: expected %lld values, one a channel, but got %lld", (long long)channels, (long long)t->numel);
    v[i] = tsr_tensor_data_ro(t);
  }
  affine *a = tsr_scratch(c->ctx, ((size_t)channels + 1) * sizeof *a);
  if (a == NULL) return c->ctx->err.status;
  float eps = (float)tsr_arg_float(c, 5);
  for (int64_t k = 0; k < channels; k++) {
    float p[4];
    for (int i = 0; i < 4; i++) p[i] = v[i] == NULL ? otherwise[i] : v[i][k];
    float inverse = (float)(1.0 / (double)sqrtf(p[3] + eps)), moved = p[2] * inverse * p[0];
    a[k] = (affine){(float)((double)(inverse * p[0]) * (x_scale / scale)), (float)((double)(p[1] - moved) / scale)};
  }
  *out = a;
  return TSR_OK;
}

/* (x, w?, b?, mean, var, eps, scale, zero_point) */
tsr_status tsr_quant_batch_norm(tsr_call *c, bool relu) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *qx = tsr_arg_tensor(c, 0), *x;
  TSR_TRY(tsr_need_quantized(ctx, qx, "quantized::batch_norm"));
  tsr_quant quant = {.scheme = 0, .scale = tsr_arg_float(c, 6), .zero_point = tsr_arg_int(c, 7)};
  const affine *a = NULL;
  void *d;
  if (qx->ndim < 2 || qx->quant->scales != NULL) return tsr_op_fail(ctx, "quantized::batch_norm: expected at least 2 dimensions and one scale, but got %d dimensions", qx->ndim);
  if (!(quant.scale > 0)) return tsr_op_fail(ctx, "quantized::batch_norm: output scale %g should be positive", quant.scale);
  TSR_TRY(channel_affines(c, &a, qx->size[1], qx->quant->scale, quant.scale));
  TSR_TRY(tsr_centred(ctx, &x, qx));
  TSR_TRY(tsr_to_dtype(ctx, &x, x, TSR_FLOAT32));
  if (!tsr_tensor_is_dense(x)) TSR_TRY(tsr_contiguous(ctx, &x, x));
  TSR_TRY(tsr_data_mut(ctx, x, &d));
  int64_t step = x->stride[1] > 0 ? x->stride[1] : 1;
  float *y = d;
  for (int64_t i = 0; i < x->numel; i++) {
    const affine *k = &a[i / step % qx->size[1]];
    y[i] = nearbyintf(fmaf(k->factor, y[i], k->shift));
    if (relu && y[i] < 0) y[i] = 0;
  }
  TSR_TRY(tsr_quantize(ctx, &x, x, 1.0, quant.zero_point, (tsr_dtype)qx->dtype));
  TSR_TRY(tsr_int_repr(ctx, &x, x));
  TSR_TRY(tsr_attach_quant(ctx, &x, x, &quant, (tsr_dtype)qx->dtype));
  return tsr_ret_tensor(c, 0, x);
}
