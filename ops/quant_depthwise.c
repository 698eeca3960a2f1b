/* Depthwise convolutions of many channels as FBGEMM computes them: products of neighbouring taps are added in 16
 * bits, which saturate.  Weights trained for that (activations of 7 bits) never reach the limit; others do. */
#include "ops/quant_packed.h"

static bool fits(const tsr_qconv *p, const tsr_tensor *qx) {
  const tsr_tensor *w = p->weight;
  if (p->dims != 2 || p->transposed || qx->ndim != 4 || qx->dtype != TSR_QUINT8 || w->dtype != TSR_QINT8 || w->quant == NULL) return false;
  int64_t channels = qx->size[1], k = w->size[2];
  if (p->groups != channels || channels % 8 != 0 || (w->size[0] != channels && w->size[0] != 2 * channels) || w->size[1] != 1) return false;
  if (w->size[3] != k || (k != 3 && k != 5 && k != 7)) return false;
  for (int d = 0; d < 2; d++) {
    if (p->padding[d] != (k - 1) / 2 || p->dilation[d] != 1 || (p->stride[d] != 1 && p->stride[d] != 2) || qx->size[2 + d] < 1) return false;
  }
  return true;
}

typedef struct depthwise {
  int64_t height, width, channels, outs, k, stride[2];
  const uint8_t *x;     /* channels last */
  const int16_t *w;     /* by tap, then by output channel; one tap of zeros at the end */
  const int64_t *w_zero; /* zero points of the output channels */
  const uint8_t *padding; /* a pixel of zero points */
  int64_t x_zero;
} depthwise;

static const uint8_t *pixel(const depthwise *s, const uint8_t *image, int64_t y, int64_t x) {
  return y < 0 || x < 0 || y >= s->height || x >= s->width ? s->padding : image + (y * s->width + x) * s->channels;
}

/* The sums of one output pixel, zero points taken out. */
static void sum_pixel(const depthwise *s, const uint8_t *image, int64_t y, int64_t x, double *out) {
  int64_t taps = s->k * s->k, each = s->outs / s->channels;
  const uint8_t *in[50] = {NULL};
  for (int64_t t = 0; t < taps; t++) in[t] = pixel(s, image, y * s->stride[0] - s->k / 2 + t / s->k, x * s->stride[1] - s->k / 2 + t % s->k);
  in[taps] = s->padding; /* its weights are zeros */
  for (int64_t o = 0; o < s->outs; o++) {
    int64_t c = o / each, sum = 0, of_w = 0, of_x = 0;
    for (int64_t t = 0; t < taps; t += 2) {
      int32_t a = in[t][c], b = in[t + 1][c], v = s->w[t * s->outs + o], u = s->w[(t + 1) * s->outs + o], pair = a * v + b * u;
      sum += pair > INT16_MAX ? INT16_MAX : pair < INT16_MIN ? INT16_MIN : pair;
      of_w += v + u;
      of_x += a + (t + 1 < taps ? b : 0);
    }
    out[o] = (double)(sum - s->x_zero * of_w - s->w_zero[o] * of_x + taps * s->x_zero * s->w_zero[o]);
  }
}

static tsr_status read_weights(tsr_ctx *ctx, depthwise *s, const tsr_qconv *p) {
  tsr_tensor *w, *zeros = NULL;
  int64_t taps = s->k * s->k;
  int16_t *d = tsr_scratch(ctx, (size_t)((taps + 1) * s->outs) * sizeof *d);
  int64_t *z = tsr_scratch(ctx, (size_t)s->outs * sizeof *z);
  uint8_t *blank = tsr_scratch(ctx, (size_t)s->channels);
  if (d == NULL || z == NULL || blank == NULL) return ctx->err.status;
  TSR_TRY(tsr_int_repr(ctx, &w, p->weight));
  TSR_TRY(tsr_contiguous(ctx, &w, w));
  if (p->weight->quant->zero_points != NULL) TSR_TRY(tsr_ready(ctx, &zeros, p->weight->quant->zero_points, TSR_INT64));
  if (zeros != NULL && zeros->numel != s->outs) return tsr_op_fail(ctx, "quantized::conv2d: %lld zero points for %lld channels of the weight", (long long)zeros->numel, (long long)s->outs);
  const int8_t *from = tsr_tensor_data_ro(w);
  for (int64_t o = 0; o < s->outs; o++) {
    for (int64_t t = 0; t < taps; t++) d[t * s->outs + o] = from[o * taps + t];
    d[taps * s->outs + o] = 0;
    z[o] = zeros != NULL ? ((const int64_t *)tsr_tensor_data_ro(zeros))[o] : p->weight->quant->zero_point;
  }
  memset(blank, (int)s->x_zero, (size_t)s->channels);
  s->w = d, s->w_zero = z, s->padding = blank;
  return TSR_OK;
}

tsr_status tsr_quant_depthwise(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *qx, const tsr_qconv *p, bool *handled) {
  *handled = fits(p, qx);
  if (!*handled) return TSR_OK;
  depthwise s = {.height = qx->size[2], .width = qx->size[3], .channels = qx->size[1], .outs = p->weight->size[0], .k = p->weight->size[2],
                 .stride = {p->stride[0], p->stride[1]}, .x_zero = qx->quant->zero_point};
  tsr_tensor *x;
  int64_t size[4] = {qx->size[0], s.outs, (s.height - 1) / s.stride[0] + 1, (s.width - 1) / s.stride[1] + 1}, strides[4];
  void *d;
  TSR_TRY(tsr_int_repr(ctx, &x, qx));
  TSR_TRY(tsr_channels_last(ctx, &x, x));
  s.x = tsr_tensor_data_ro(x);
  TSR_TRY(read_weights(ctx, &s, p));
  tsr_strides_channels_last(4, size, strides);
  TSR_TRY(tsr_new_strided(ctx, out, TSR_FLOAT64, 4, size, strides));
  TSR_TRY(tsr_data_mut(ctx, *out, &d));
  for (int64_t i = 0; i < size[0] * size[2] * size[3]; i++) {
    int64_t rest = i % (size[2] * size[3]);
    const uint8_t *image = s.x + i / (size[2] * size[3]) * s.height * s.width * s.channels;
    sum_pixel(&s, image, rest / size[3], rest % size[3], (double *)d + i * s.outs);
  }
  return TSR_OK;
}
