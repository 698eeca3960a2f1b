/* Average pools and means of quantized tensors: sums of integers, then one multiplication and one rounding.  A
 * mean that lies halfway between two steps goes where the rounded reciprocal of the window's size sends it. */
#include <math.h>

#include "ops/quant_packed.h"

#define MAX_DIMS 3

typedef struct windows {
  int dims;                     /* spatial; the last ones */
  bool adaptive, count_padding; /* count_padding: cells of the padding count as zeros */
  int64_t kernel[MAX_DIMS], stride[MAX_DIMS], padding[MAX_DIMS], in[MAX_DIMS], out[MAX_DIMS], divisor; /* divisor: 0, or instead of the size */
} windows;

static tsr_status read_list(tsr_call *c, uint32_t i, int dims, int64_t *out) {
  int64_t n;
  const int64_t *v = tsr_arg_ints(c, i, &n);
  if (v == NULL) return c->ctx->err.status;
  for (int d = 0; d < dims; d++) out[d] = n == 0 ? 0 : v[n == 1 ? 0 : d < n ? d : n - 1];
  return TSR_OK;
}

static tsr_status read_windows(tsr_call *c, windows *w, const tsr_tensor *x, const tsr_tensor *y) {
  for (int d = 0; d < w->dims; d++) w->in[d] = x->size[x->ndim - w->dims + d], w->out[d] = y->size[y->ndim - w->dims + d];
  if (w->adaptive) return TSR_OK;
  TSR_TRY(read_list(c, 1, w->dims, w->kernel));
  TSR_TRY(read_list(c, 2, w->dims, w->stride));
  TSR_TRY(read_list(c, 3, w->dims, w->padding));
  for (int d = 0; d < w->dims; d++) w->stride[d] = w->stride[d] > 0 ? w->stride[d] : w->kernel[d];
  w->count_padding = tsr_arg_bool(c, 5);
  w->divisor = tsr_arg_is_none(c, 6) ? 0 : tsr_arg_int(c, 6);
  return TSR_OK;
}

static int64_t min64(int64_t a, int64_t b) { return a < b ? a : b; }

/* How many elements a window has along d; *counted: how many it is divided by. */
static int64_t extent(const windows *w, int d, int64_t at, int64_t *counted) {
  int64_t n;
  if (w->adaptive) {
    n = ((at + 1) * w->in[d] + w->out[d] - 1) / w->out[d] - at * w->in[d] / w->out[d];
    *counted = n;
    return n;
  }
  int64_t from = at * w->stride[d] - w->padding[d], to = min64(from + w->kernel[d], w->in[d] + w->padding[d]);
  n = min64(to, w->in[d]) - (from > 0 ? from : 0);
  *counted = w->count_padding ? to - from : n;
  return n;
}

typedef enum order { PLANES, PIXEL_VECTOR, PIXEL_REST } order;

/* One window's sum, of integers minus the zero point, to a step of the output. */
static double mean_step(const windows *w, order how, double sum, int64_t size, int64_t counted, float share, double zero) {
  float multiplier = 1.0f / (float)counted;
  if (how == PIXEL_VECTOR) return (double)nearbyintf((float)sum * multiplier) + zero;
  float inverse = 1.0f / (1.0f / multiplier);
  if (how == PIXEL_REST && w->adaptive) return (double)nearbyintf(fmaf((float)sum, inverse, (float)zero));
  if (how == PIXEL_REST) return (double)nearbyintf((float)sum * inverse + (float)zero);
  if (!w->adaptive) return (double)nearbyintf((float)sum * (float)(1.0 / (double)counted) + (float)zero);
  return (double)nearbyintf((float)(sum + zero * (double)size) * share);
}

static void write_steps(const windows *w, const tsr_tensor *y, void *out, bool is_signed, order how, double zero, int64_t base) {
  const double *s = tsr_tensor_data_ro(y);
  int64_t count = 1, first = y->ndim - w->dims;
  for (int d = 0; d < w->dims; d++) count *= w->out[d];
  for (int64_t i = 0; i < count; i++) {
    int64_t at = base, rest = i, size = 1, counted = 1, extents[MAX_DIMS];
    for (int d = w->dims - 1; d >= 0; d--) {
      int64_t k = rest % w->out[d], by;
      rest /= w->out[d];
      at += k * y->stride[first + d];
      extents[d] = extent(w, d, k, &by);
      size *= extents[d], counted *= by;
    }
    float share = 1;
    for (int d = 0; d < w->dims; d++) share /= (float)extents[d];
    double sum = w->adaptive ? nearbyint(s[at] * (double)size) : s[at];
    double v = mean_step(w, how, sum, size, w->divisor > 0 ? w->divisor : counted, share, zero);
    v = fmin(fmax(v, is_signed ? -128 : 0), is_signed ? 127 : 255);
    if (is_signed) ((int8_t *)out)[at] = (int8_t)v;
    else ((uint8_t *)out)[at] = (uint8_t)v;
  }
}

static tsr_status steps(tsr_call *c, tsr_tensor **out, const windows *w, tsr_tensor *y, tsr_tensor *qx) {
  tsr_tensor *ints;
  void *d;
  bool channels_last = w->dims == 3 ? !w->adaptive || tsr_tensor_is_channels_last(qx) : qx->ndim == 4 && tsr_tensor_is_channels_last(qx);
  TSR_TRY(tsr_new_like(c->ctx, &ints, y, tsr_quant_int_type((tsr_dtype)qx->dtype)));
  if (!tsr_tensor_is_dense(y) || memcmp(y->stride, ints->stride, y->ndim * sizeof *y->stride) != 0) {
    TSR_TRY(tsr_contiguous(c->ctx, &y, y));
    TSR_TRY(tsr_new(c->ctx, &ints, (tsr_dtype)ints->dtype, y->ndim, y->size));
  }
  TSR_TRY(tsr_data_mut(c->ctx, ints, &d));
  int first = y->ndim - w->dims;
  int64_t channels = y->size[first - 1], batch = first > 1 ? y->size[0] : 1;
  for (int64_t n = 0; n < batch; n++) {
    for (int64_t k = 0; k < channels; k++) {
      int64_t base = (first > 1 ? n * y->stride[0] : 0) + k * y->stride[first - 1];
      order how = !channels_last ? PLANES : !w->adaptive && k < channels / 16 * 16 ? PIXEL_VECTOR : PIXEL_REST;
      write_steps(w, y, d, qx->dtype == TSR_QINT8, how, (double)qx->quant->zero_point, base);
    }
  }
  return tsr_attach_quant(c->ctx, out, ints, qx->quant, (tsr_dtype)qx->dtype);
}

tsr_status tsr_quant_pool(tsr_call *c, bool *handled) {
  static const struct { const char *name; int dims; bool adaptive; } pools[] = {
      {"aten::avg_pool2d(", 2, false}, {"aten::avg_pool3d(", 3, false}, {"aten::adaptive_avg_pool2d(", 2, true}, {"aten::adaptive_avg_pool3d(", 3, true}};
  windows w = {0};
  for (size_t i = 0; i < TSR_COUNT(pools); i++) {
    if (strncmp(c->op->schema, pools[i].name, strlen(pools[i].name)) == 0) w.dims = pools[i].dims, w.adaptive = pools[i].adaptive;
  }
  if (w.dims == 0 || c->args[0].tag != TSR_V_TENSOR) return TSR_OK;
  tsr_tensor *qx = tsr_arg_tensor(c, 0), *x, *y;
  if (qx->quant == NULL || qx->quant->scales != NULL || qx->dtype == TSR_QINT32) return TSR_OK;
  *handled = true;
  tsr_val args[8] = {tsr_none()}, ret[1];
  TSR_TRY(tsr_centred(c->ctx, &x, qx));
  for (uint32_t i = 0; i < c->nargs && i < TSR_COUNT(args); i++) args[i] = c->args[i];
  args[0] = tsr_from_obj(x);
  bool divides_by_zero = !w.adaptive && !tsr_arg_is_none(c, 6) && tsr_arg_int(c, 6) == 0; /* the operator says so */
  if (!w.adaptive && !divides_by_zero) args[6] = tsr_int(1);                              /* sums */
  TSR_TRY(tsr_invoke(c->ctx, c->op, args, c->nargs, ret, 1));
  y = ret[0].t;
  TSR_TRY(read_windows(c, &w, qx, y));
  TSR_TRY(steps(c, &y, &w, y, qx));
  return tsr_ret_tensor(c, 0, y);
}

/* ---- means ---- */

/* In the order of PyTorch's sums down columns: by sixteens (more when there are very many), these by sixteens, and so on. */
static float column_sum(const float *p, int64_t n, int64_t stride) {
  enum { LEVELS = 4 };
  float acc[LEVELS] = {0};
  int bits = 0, power;
  while (((int64_t)1 << bits) < n) bits++;
  power = bits / LEVELS > 4 ? bits / LEVELS : 4;
  int64_t i = 0, run = (int64_t)1 << power;
  while (i + run <= n) {
    for (int64_t k = 0; k < run; k++, i++) acc[0] += p[i * stride];
    for (int j = 1; j < LEVELS; j++) {
      acc[j] += acc[j - 1], acc[j - 1] = 0;
      if ((i & ((run - 1) << (j * power))) != 0) break;
    }
  }
  for (; i < n; i++) acc[0] += p[i * stride];
  for (int j = 1; j < LEVELS; j++) acc[0] += acc[j];
  return acc[0];
}

/* Over height and width of a tensor that lies channels last; y has the shape of the result. */
static tsr_status mean_of_pixels(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *y, tsr_tensor *qx) {
  tsr_tensor *x, *means;
  int64_t channels = qx->size[1], n = qx->size[2] * qx->size[3];
  TSR_TRY(tsr_dequantize(ctx, &x, qx));
  TSR_TRY(tsr_channels_last(ctx, &x, x));
  TSR_TRY(tsr_new(ctx, &means, TSR_FLOAT32, y->ndim, y->size));
  void *d;
  TSR_TRY(tsr_data_mut(ctx, means, &d));
  const float *s = tsr_tensor_data_ro(x);
  for (int64_t i = 0; i < qx->size[0] * channels; i++) ((float *)d)[i] = column_sum(s + i / channels * n * channels + i % channels, n, channels) / (float)n;
  return tsr_quantize_like(ctx, out, means, qx);
}

/* Of the innermost dimensions: of the integers as they are. */
static tsr_status mean_of_rows(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *y, tsr_tensor *qx) {
  tsr_tensor *t, *ints;
  double n = y->numel > 0 ? (double)(qx->numel / y->numel) : 1, zero = (double)qx->quant->zero_point;
  TSR_TRY(tsr_contiguous(ctx, &t, y));
  TSR_TRY(tsr_new(ctx, &ints, tsr_quant_int_type((tsr_dtype)qx->dtype), y->ndim, y->size));
  void *d;
  TSR_TRY(tsr_data_mut(ctx, ints, &d));
  const double *s = tsr_tensor_data_ro(t);
  for (int64_t i = 0; i < t->numel; i++) {
    float v = nearbyintf((float)(nearbyint(s[i] * n) + zero * n) / (float)n);
    if (qx->dtype == TSR_QINT8) ((int8_t *)d)[i] = (int8_t)v;
    else ((uint8_t *)d)[i] = (uint8_t)v;
  }
  return tsr_attach_quant(ctx, out, ints, qx->quant, (tsr_dtype)qx->dtype);
}

/* The dimensions as bits; all when none are named. */
static tsr_status named_dims(tsr_call *c, int ndim, uint64_t *out) {
  int64_t n = 0;
  *out = ((uint64_t)1 << ndim) - 1;
  if (strncmp(c->op->schema, "aten::mean.dim(", 15) != 0 || tsr_arg_is_none(c, 1)) return TSR_OK;
  const int64_t *v = tsr_arg_ints(c, 1, &n);
  if (v == NULL) return c->ctx->err.status;
  if (n > 0) *out = 0;
  for (int64_t i = 0; i < n; i++) *out |= (uint64_t)1 << ((v[i] + ndim) % ndim);
  return TSR_OK;
}

tsr_status tsr_quant_mean(tsr_call *c, bool *handled) {
  bool by_dim = strncmp(c->op->schema, "aten::mean.dim(", 15) == 0;
  if ((!by_dim && strncmp(c->op->schema, "aten::mean(", 11) != 0) || c->args[0].tag != TSR_V_TENSOR) return TSR_OK;
  tsr_tensor *qx = tsr_arg_tensor(c, 0), *x, *y;
  if (qx->quant == NULL || qx->quant->scales != NULL || qx->dtype == TSR_QINT32 || qx->ndim == 0 || qx->numel == 0 || !tsr_arg_is_none(c, by_dim ? 3 : 1)) return TSR_OK;
  tsr_val args[4] = {tsr_none()}, ret[1];
  uint64_t dims, inner;
  TSR_TRY(tsr_centred(c->ctx, &x, qx));
  for (uint32_t i = 1; i < c->nargs && i < TSR_COUNT(args); i++) args[i] = c->args[i];
  args[0] = tsr_from_obj(x);
  TSR_TRY(tsr_invoke(c->ctx, c->op, args, c->nargs, ret, 1)); /* checks the dimensions */
  y = ret[0].t;
  TSR_TRY(named_dims(c, qx->ndim, &dims));
  inner = dims >> __builtin_ctzll(dims);
  bool rows = tsr_tensor_is_contiguous(qx) && (dims >> (qx->ndim - 1)) == 1 && (inner & (inner + 1)) == 0;
  bool pixels = !rows && qx->ndim == 4 && dims == 12 && tsr_tensor_is_channels_last(qx);
  *handled = rows || pixels;
  if (rows) TSR_TRY(mean_of_rows(c->ctx, &y, y, qx));
  else if (pixels) TSR_TRY(mean_of_pixels(c->ctx, &y, y, qx));
  return *handled ? tsr_ret_tensor(c, 0, y) : TSR_OK;
}
