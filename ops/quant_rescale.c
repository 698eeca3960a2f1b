/* From sums of integer products to results, in the float32 steps of PyTorch's integer kernels: a layer's
 * output must not be one step of its scale away, or a network of fifty layers ends somewhere else.
 *
 * FBGEMM (linear layers): round((acc + bias / (sx sw)) (sx sw / sy)) + zero point.  oneDNN (convolutions, on
 * processors with its instructions): round((acc (sx sw) + bias) / sy + zero point).  Float: acc (sx sw) + bias. */
#include <math.h>

#include "ops/quant_packed.h"

/* One channel's factors; equal for all when the weight has one scale. */
typedef struct channel { float scale, bias; } channel;

static tsr_status read_channels(tsr_ctx *ctx, const channel **out, int64_t count, float x_scale, const tsr_tensor *w, tsr_tensor *bias) {
  tsr_tensor *scales = NULL;
  channel *c = tsr_scratch(ctx, ((size_t)count + 1) * sizeof *c);
  if (c == NULL) return ctx->err.status;
  if (w->quant->scales != NULL) TSR_TRY(tsr_ready(ctx, &scales, w->quant->scales, TSR_FLOAT64));
  if (bias != NULL) TSR_TRY(tsr_ready(ctx, &bias, bias, TSR_FLOAT32));
  if ((scales != NULL && scales->numel != count) || (bias != NULL && bias->numel != count))
    return tsr_op_fail(ctx, "quantized layer: expected %lld scales and biases, one for each output channel", (long long)count);
  for (int64_t i = 0; i < count; i++) {
    double ws = scales != NULL ? ((const double *)tsr_tensor_data_ro(scales))[i] : w->quant->scale;
    c[i].scale = x_scale * (float)ws;
    c[i].bias = bias == NULL ? 0 : ((const float *)tsr_tensor_data_ro(bias))[i];
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

/* A sum in steps of the output's scale, from the zero point. */
typedef struct steps { float scale, inverse, zero; bool one_scale, relu; } steps;

static float fbgemm_step(const steps *q, const channel *k, float sum) {
  float biased = q->one_scale ? fmaf(k->bias, 1.0f / k->scale, sum) : sum + k->bias / k->scale;
  return nearbyintf(biased * (k->scale / q->scale)) + q->zero;
}

static float onednn_step(const steps *q, const channel *k, float sum) {
  float scaled = sum * k->scale, value = scaled + k->bias;
  if (q->relu && value < 0) value = 0;
  float step = value * q->inverse;
  return nearbyintf(step + q->zero);
}

tsr_status tsr_requantize(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *acc, int dim, const tsr_requant *r, const tsr_tensor *w, tsr_tensor *bias) {
  tsr_tensor *ints;
  const channel *c;
  int64_t step, count = acc->size[dim];
  tsr_quant quant = {.scale = r->scale, .zero_point = r->zero_point};
  bool is_signed = r->dtype == TSR_QINT8;
  if (!is_signed && r->dtype != TSR_QUINT8) return tsr_op_fail(ctx, "quantized layers take 8-bit activations, but got %s", tsr_dtype_name(r->dtype));
  if (!(r->scale > 0)) return tsr_op_fail(ctx, "output scale %g should be positive", r->scale);
  const steps q = {(float)r->scale, 1.0f / (float)r->scale, (float)r->zero_point, w->quant->scales == NULL, r->relu};
  float lo = is_signed ? -128 : 0, hi = is_signed ? 127 : 255;
  if (r->relu) lo = fmaxf(lo, q.zero);
  /* oneDNN is given the inverse of the input's scale, and inverts it */
  float x_scale = r->onednn ? 1.0f / (float)(1.0 / (double)(float)r->x_scale) : (float)r->x_scale;
  TSR_TRY(read_channels(ctx, &c, count, x_scale, w, bias));
  TSR_TRY(prepare(ctx, &acc, &ints, dim, is_signed ? TSR_INT8 : TSR_UINT8, &step));
  const double *s = tsr_tensor_data_ro(acc);
  void *d;
  TSR_TRY(tsr_data_mut(ctx, ints, &d));
  for (int64_t i = 0; i < acc->numel; i++) {
    const channel *k = &c[i / step % count];
    float v = clamped(r->onednn ? onednn_step(&q, k, (float)s[i]) : fbgemm_step(&q, k, (float)s[i]), lo, hi);
    if (is_signed) ((int8_t *)d)[i] = (int8_t)v;
    else ((uint8_t *)d)[i] = (uint8_t)v;
  }
  return tsr_attach_quant(ctx, out, ints, &quant, r->dtype);
}

tsr_status tsr_rescale(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *acc, int dim, double x_scale, const tsr_tensor *w, tsr_tensor *bias) {
  const channel *c;
  int64_t step, count = acc->size[dim];
  void *d;
  TSR_TRY(read_channels(ctx, &c, count, (float)x_scale, w, bias));
  TSR_TRY(prepare(ctx, &acc, out, dim, TSR_FLOAT32, &step));
  const double *s = tsr_tensor_data_ro(acc);
  TSR_TRY(tsr_data_mut(ctx, *out, &d));
  for (int64_t i = 0; i < acc->numel; i++) {
    const channel *k = &c[i / step % count];
    ((float *)d)[i] = fmaf((float)s[i], k->scale, k->bias);
  }
  return TSR_OK;
}
