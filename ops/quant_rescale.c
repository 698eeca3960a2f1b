/* From sums of integer products to results, in the float32 steps of PyTorch's integer kernels: a layer's
 * output must not be one step of its scale away.
 *
 * Quantized: round((acc + bias / (sx sw)) (sx sw / sy)) + zero point.  Float: acc (sx sw) + bias. */
#include <math.h>

#include "ops/quant_packed.h"

/* One channel's factors; equal for all when the weight has one scale. */
typedef struct channel { float scale, bias; } channel;

static tsr_status read_channels(tsr_ctx *ctx, const channel **out, int64_t count, double x_scale, const tsr_tensor *w, tsr_tensor *bias, bool divide) {
  tsr_tensor *scales = NULL;
  channel *c = tsr_scratch(ctx, ((size_t)count + 1) * sizeof *c);
  if (c == NULL) return ctx->err.status;
  if (w->quant->scales != NULL) TSR_TRY(tsr_ready(ctx, &scales, w->quant->scales, TSR_FLOAT64));
  if (bias != NULL) TSR_TRY(tsr_ready(ctx, &bias, bias, TSR_FLOAT32));
  if ((scales != NULL && scales->numel != count) || (bias != NULL && bias->numel != count))
    return tsr_op_fail(ctx, "quantized layer: expected %lld scales and biases, one for each output channel", (long long)count);
  for (int64_t i = 0; i < count; i++) {
    double ws = scales != NULL ? ((const double *)tsr_tensor_data_ro(scales))[i] : w->quant->scale;
    c[i].scale = (float)x_scale * (float)ws;
    c[i].bias = bias == NULL ? 0 : ((const float *)tsr_tensor_data_ro(bias))[i];
    if (divide && bias != NULL) c[i].bias = scales != NULL ? c[i].bias / c[i].scale : c[i].bias * (1.0f / c[i].scale);
  }
  *out = c;
  return TSR_OK;
}

/* The sums and a result of the same layout: in memory, the channel is (position / step) % count. */
static tsr_status prepare(tsr_ctx *ctx, tsr_tensor **acc, tsr_tensor **out, int dim, tsr_dtype dtype, int64_t *step) {
  TSR_TRY(tsr_new_like(ctx, out, *acc, dtype));
  if (!tsr_tensor_is_dense(*acc) || memcmp((*acc)->stride, (*out)->stride, (size_t)(*acc)->ndim * sizeof *(*acc)->stride) != 0) {
    TSR_TRY(tsr_contiguous(ctx, acc, *acc));
    TSR_TRY(tsr_new(ctx, out, dtype, (*acc)->ndim, (*acc)->size));
  }
  *step = (*out)->stride[dim] > 0 ? (*out)->stride[dim] : 1;
  return TSR_OK;
}

static float clamped(float v, float lo, float hi) { return v < lo ? lo : v > hi ? hi : v; }

tsr_status tsr_requantize(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *acc, int dim, double x_scale, const tsr_tensor *w, tsr_tensor *bias,
                          bool relu, double scale, int64_t zero_point, tsr_dtype dtype) {
  tsr_tensor *ints;
  const channel *c;
  int64_t step, count = acc->size[dim];
  tsr_quant quant = {.scale = scale, .zero_point = zero_point};
  bool is_signed = dtype == TSR_QINT8;
  if (dtype != TSR_QINT8 && dtype != TSR_QUINT8) return tsr_op_fail(ctx, "quantized layers take 8-bit activations, but got %s", tsr_dtype_name(dtype));
  if (!(scale > 0)) return tsr_op_fail(ctx, "output scale %g should be positive", scale);
  float zero = (float)zero_point, lo = is_signed ? -128 : 0, hi = is_signed ? 127 : 255;
  if (relu) lo = fmaxf(lo, zero);
  TSR_TRY(read_channels(ctx, &c, count, x_scale, w, bias, true));
  TSR_TRY(prepare(ctx, &acc, &ints, dim, is_signed ? TSR_INT8 : TSR_UINT8, &step));
  const double *s = tsr_tensor_data_ro(acc);
  void *d;
  TSR_TRY(tsr_data_mut(ctx, ints, &d));
  for (int64_t i = 0; i < acc->numel; i++) {
    const channel *k = &c[i / step % count];
    float v = clamped(nearbyintf(((float)s[i] + k->bias) * (k->scale / (float)scale)) + zero, lo, hi);
    if (is_signed) ((int8_t *)d)[i] = (int8_t)v;
    else ((uint8_t *)d)[i] = (uint8_t)v;
  }
  return tsr_attach_quant(ctx, out, ints, &quant, dtype);
}

tsr_status tsr_rescale(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *acc, int dim, double x_scale, const tsr_tensor *w, tsr_tensor *bias) {
  const channel *c;
  int64_t step, count = acc->size[dim];
  void *d;
  TSR_TRY(read_channels(ctx, &c, count, x_scale, w, bias, false));
  TSR_TRY(prepare(ctx, &acc, out, dim, TSR_FLOAT32, &step));
  const double *s = tsr_tensor_data_ro(acc);
  TSR_TRY(tsr_data_mut(ctx, *out, &d));
  for (int64_t i = 0; i < acc->numel; i++) {
    const channel *k = &c[i / step % count];
    ((float *)d)[i] = (float)s[i] * k->scale + k->bias;
  }
  return TSR_OK;
}
