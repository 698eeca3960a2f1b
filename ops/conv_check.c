/* What a convolution is asked to do: the checks, in PyTorch's words and order, and the sizes. */
#include "ops/conv.h"
#include "ops/native.h"

#include <stdio.h>

static tsr_status read_list(tsr_ctx *ctx, const char *what, int nd, const int64_t *xs, int64_t n, int64_t *out) {
  char text[256];
  for (int i = 0; i < 3; i++) out[i] = -1;
  if (n != 1 && n != nd) {
    tsr_sizes_print(text, sizeof text, (int)TSR_MIN(n, 30), xs);
    return tsr_op_fail(ctx, "expected %s to be a single integer value or a list of %d values to match the convolution dimensions, but got %s=%s",
                       what, nd, what, text);
  }
  for (int i = 0; i < nd; i++) out[3 - nd + i] = xs[n == 1 ? 0 : i];
  return TSR_OK;
}

static bool any_below(int nd, const int64_t *xs, int64_t least) {
  for (int i = 3 - nd; i < 3; i++)
    if (xs[i] < least) return true;
  return false;
}

static tsr_status check_weight(tsr_ctx *ctx, const tsr_conv_args *a, const tsr_tensor *x, const tsr_tensor *w) {
  char ws[256], xs[256], bs[256];
  tsr_sizes_print(ws, sizeof ws, w->ndim, w->size);
  tsr_sizes_print(xs, sizeof xs, x->ndim, x->size);
  if (x->ndim != w->ndim)
    return tsr_op_fail(ctx, "Expected %d-dimensional input for %d-dimensional weight %s, but got %d-dimensional input of size %s instead", w->ndim,
                       w->ndim, ws, x->ndim, xs);
  if (w->size[0] < a->groups)
    return tsr_op_fail(ctx, "Given groups=%lld, expected weight to be at least %lld at dimension 0, but got weight of size %s instead",
                       (long long)a->groups, (long long)a->groups, ws);
  if (w->size[0] % a->groups != 0)
    return tsr_op_fail(ctx, "Given groups=%lld, expected weight to be divisible by %lld at dimension 0, but got weight of size [%s] instead",
                       (long long)a->groups, (long long)a->groups, ws);
  if (a->transposed && x->size[1] != w->size[0])
    return tsr_op_fail(ctx, "Given transposed=1, weight of size %s, expected input%s to have %lld channels, but got %lld channels instead", ws,
                       xs, (long long)w->size[0], (long long)x->size[1]);
  if (!a->transposed && x->size[1] != w->size[1] * a->groups)
    return tsr_op_fail(ctx, "Given groups=%lld, weight of size %s, expected input%s to have %lld channels, but got %lld channels instead",
                       (long long)a->groups, ws, xs, (long long)(w->size[1] * a->groups), (long long)x->size[1]);
  int64_t oc = a->transposed ? w->size[1] * a->groups : w->size[0];
  if (a->bias != NULL && (a->bias->ndim != 1 || a->bias->size[0] != oc)) {
    tsr_sizes_print(bs, sizeof bs, a->bias->ndim, a->bias->size);
    return tsr_op_fail(ctx, "Given %sweight of size %s, expected bias to be 1-dimensional with %lld elements, but got bias of size %s instead",
                       a->transposed ? "transposed=1, " : "", ws, (long long)oc, bs);
  }
  return TSR_OK;
}

/* "(2 x 8)" */
static const char *by(char *buf, size_t cap, int nd, const int64_t *xs) {
  size_t n = (size_t)snprintf(buf, cap, "(");
  for (int i = 3 - nd; i < 3; i++) n += (size_t)snprintf(buf + n, cap - n, "%s%lld", i > 3 - nd ? " x " : "", (long long)xs[i]);
  snprintf(buf + n, cap - n, ")");
  return buf;
}

tsr_status tsr_conv_sizes(tsr_ctx *ctx, tsr_conv *p) {
  for (int d = 0; d < 3; d++) {
    int64_t reach, padded, back, all;
    if (tsr_mul_overflow(p->dil[d], p->k[d] - 1, &reach) || tsr_add_overflow(reach, 1, &reach) || tsr_mul_overflow(p->pad[d], 2, &padded) ||
        tsr_add_overflow(padded, p->in[d], &all) || tsr_mul_overflow(p->in[d] - 1, p->stride[d], &back) || tsr_add_overflow(back, reach + p->opad[d], &back) ||
        tsr_add_overflow(back, -padded, &back) || all - reach < INT64_MIN / 2)
      return tsr_op_fail(ctx, "convolution sizes overflow");
    int64_t steps = all - reach;
    p->out[d] = p->transposed ? back : (steps - (steps < 0 ? p->stride[d] - 1 : 0)) / p->stride[d] + 1; /* rounded down */
  }
  return TSR_OK;
}

tsr_status tsr_conv_check_reach(tsr_ctx *ctx, const tsr_conv *p) {
  char ps[96], ks[96];
  int64_t reach[3], padded[3];
  bool small = false;
  for (int d = 0; d < 3; d++) {
    reach[d] = p->dil[d] * (p->k[d] - 1) + 1;
    padded[d] = p->in[d] + 2 * p->pad[d];
    small = small || padded[d] < reach[d];
  }
  if (!small) return TSR_OK;
  return tsr_op_fail(ctx, "Calculated padded input size per channel: %s. Kernel size: %s. Kernel size can't be greater than actual input size",
                     by(ps, sizeof ps, p->nd, padded), by(ks, sizeof ks, p->nd, reach));
}

tsr_status tsr_conv_check_out(tsr_ctx *ctx, const tsr_conv *p) {
  char is[96], os[96];
  int nd = TSR_MAX(p->nd, 2);
  if (p->out[0] >= 1 && p->out[1] >= 1 && p->out[2] >= 1) return TSR_OK;
  return tsr_op_fail(ctx, "Given input size per channel: %s. Calculated output size per channel: %s. Output size is too small",
                     by(is, sizeof is, nd, p->in), by(os, sizeof os, nd, p->out));
}

/* What is to be computed, by the rules that hold for every kernel; x->stride may be NULL. */
static tsr_status describe(tsr_ctx *ctx, const tsr_conv_args *a, const tsr_tensor *x, tsr_conv *p, bool native) {
  const tsr_tensor *w = a->w;
  int nd = p->nd = w->ndim - 2;
  if (nd < 1 || nd > 3) return tsr_op_fail(ctx, "weight should have at least three dimensions");
  if (a->groups <= 0) return tsr_op_fail(ctx, "non-positive groups is not supported");
  TSR_TRY(read_list(ctx, "stride", nd, a->stride, a->stride_n, p->stride));
  TSR_TRY(read_list(ctx, "padding", nd, a->pad, a->pad_n, p->pad));
  TSR_TRY(read_list(ctx, "dilation", nd, a->dil, a->dil_n, p->dil));
  int64_t none = 0;
  TSR_TRY(read_list(ctx, "output_padding", nd, a->opad_n > 0 ? a->opad : &none, a->opad_n > 0 ? a->opad_n : 1, p->opad));
  if (any_below(nd, p->pad, 0)) return tsr_op_fail(ctx, "negative padding is not supported");
  if (any_below(nd, p->opad, 0)) return tsr_op_fail(ctx, "negative output_padding is not supported");
  if (any_below(nd, p->stride, 1)) return tsr_op_fail(ctx, "non-positive stride is not supported");
  if (native && any_below(nd, p->dil, 1)) return tsr_op_fail(ctx, "non-positive dilation is not supported");
  if (any_below(nd, p->dil, 0)) return tsr_op_fail(ctx, "dilation should be greater than zero");
  TSR_TRY(check_weight(ctx, a, x, w));
  p->transposed = a->transposed;
  p->groups = a->groups;
  p->n = x->size[0];
  p->c = x->size[1];
  p->oc = a->transposed ? w->size[1] * a->groups : w->size[0];
  for (int d = 0; d < 3 - nd; d++) {
    p->in[d] = p->k[d] = p->stride[d] = p->dil[d] = 1;
    p->pad[d] = p->opad[d] = 0;
  }
  for (int d = 3 - nd; d < 3; d++) {
    p->in[d] = x->size[d - 1 + nd];
    p->k[d] = w->size[d - 1 + nd];
  }
  TSR_TRY(tsr_conv_sizes(ctx, p));
  return a->transposed ? TSR_OK : tsr_conv_check_reach(ctx, p);
}

bool tsr_conv_is_native(const tsr_conv *p, tsr_dtype d) {
  if (p->transposed)
    for (int i = 0; i < 3; i++)
      if (p->opad[i] >= p->stride[i]) return false;
  if (d == TSR_FLOAT16 || d == TSR_BFLOAT16) return true;
  if (d != TSR_FLOAT32 && d != TSR_COMPLEX64) return false;
  bool plain = true;
  for (int i = 0; i < 3; i++) plain = plain && p->stride[i] == 1 && p->dil[i] == 1;
  if (plain && p->n < 16 && p->k[2] == 1 && p->k[1] == 1) return false;
  int64_t deep = p->nd == 3 ? p->in[0] : p->in[1], high = p->nd == 3 ? p->in[1] : p->in[2]; /* sizes 2 and 3 of the input */
  return p->groups > 1 || (p->k[2] > 3 && p->k[1] > 3) || p->n > 1 || (double)p->n * (double)p->c * (double)deep * (double)high > 20480;
}

/* The types of the operands of a convolution by oneDNN, or of complex numbers. */
static tsr_status check_types(tsr_ctx *ctx, const tsr_conv_args *a, const tsr_tensor *x, bool native) {
  char xs[48], other[48];
  tsr_dtype_class_print(xs, sizeof xs, (tsr_dtype)x->dtype);
  if (a->w->dtype != x->dtype)
    return tsr_op_fail(ctx, "Input type (%s) and weight type (%s) should be the same%s", xs, tsr_dtype_class_print(other, sizeof other, (tsr_dtype)a->w->dtype),
                       native ? " or input should be a MKLDNN tensor and weight is a dense tensor" : "");
  if (a->bias != NULL && a->bias->dtype != x->dtype)
    return tsr_op_fail(ctx, "Input type (%s) and bias type (%s) should be the same%s", xs, tsr_dtype_class_print(other, sizeof other, (tsr_dtype)a->bias->dtype),
                       native ? " or input should be a MKLDNN tensor and bias is a dense tensor" : "");
  return TSR_OK;
}

tsr_status tsr_conv_check_native(tsr_ctx *ctx, const tsr_conv_args *a, const tsr_conv *p) {
  if (any_below(3, p->dil, 1)) return tsr_op_fail(ctx, "non-positive dilation is not supported");
  if (a->w->numel == 0) {
    char ws[256];
    tsr_sizes_print(ws, sizeof ws, a->w->ndim, a->w->size);
    return tsr_op_fail(ctx, "kernel size should be greater than zero, but got a weight of size %s", ws);
  }
  return tsr_conv_check_out(ctx, p);
}

/* Complex numbers are convolved as their parts. */
static uint8_t part_of(const tsr_tensor *t) {
  return t->dtype == TSR_COMPLEX64 ? TSR_FLOAT32 : t->dtype == TSR_COMPLEX128 ? TSR_FLOAT64 : t->dtype;
}

/* The kernels that PyTorch falls back to: each group by itself, but for those of three dimensions. */
static tsr_status check_slow(tsr_ctx *ctx, const tsr_conv_args *a, const tsr_tensor *x, const tsr_conv *p) {
  int64_t xs[5], ws[5], bs[1] = {0};
  bool dilated = p->dil[0] != 1 || p->dil[1] != 1 || p->dil[2] != 1;
  int nd = TSR_MAX(p->nd, 2), skip = nd - p->nd; /* one dimension: a picture of height 1 */
  tsr_slow_kind kind = p->transposed ? TSR_SLOW_TRANSPOSED : dilated ? TSR_SLOW_DILATED : TSR_SLOW_PLAIN;
  int64_t parts = p->nd == 3 && kind == TSR_SLOW_PLAIN ? 1 : p->groups;
  tsr_conv q = *p;
  q.nd = nd;
  tsr_tensor part = {.dtype = part_of(x), .ndim = (uint8_t)(nd + 2), .size = xs, .numel = 1}, w = {.dtype = part_of(a->w), .ndim = (uint8_t)(nd + 2), .size = ws, .numel = 1};
  xs[2] = ws[2] = 1;
  for (int d = 0; d < p->nd + 2; d++) {
    xs[d < 2 ? d : d + skip] = d == 1 ? x->size[d] / parts : x->size[d];
    ws[d < 2 ? d : d + skip] = d == 0 ? a->w->size[d] / parts : a->w->size[d];
  }
  for (int d = 0; d < nd + 2; d++) {
    part.numel *= xs[d];
    w.numel *= ws[d];
  }
  tsr_tensor bias = {.dtype = a->bias != NULL ? part_of(a->bias) : 0, .ndim = 1, .size = bs};
  if (a->bias != NULL) bs[0] = a->bias->size[0] / parts;
  return tsr_conv_slow_check(ctx, kind, &part, &w, a->bias != NULL ? &bias : NULL, &q);
}

static tsr_status check_kernel(tsr_ctx *ctx, const tsr_conv_args *a, const tsr_tensor *x, const tsr_conv *p) {
  if (tsr_dtype_is_complex((tsr_dtype)x->dtype)) TSR_TRY(check_types(ctx, a, x, false));
  if (tsr_conv_is_empty(p)) {
    for (int d = 0; d < 3; d++)
      if (p->out[d] < 0) return tsr_conv_check_out(ctx, p);
    return p->c > 0 && a->w->numel == 0 ? tsr_op_fail(ctx, "select(): index 0 out of range for tensor of size [0] at dimension 0") : TSR_OK;
  }
  if (p->in[0] == 0 || p->in[1] == 0 || p->in[2] == 0) {
    char text[256];
    int64_t size[5] = {p->n, p->c, p->in[1], p->in[2]};
    if (p->nd == 3) memcpy(size + 2, p->in, sizeof p->in);
    tsr_sizes_print(text, sizeof text, p->nd == 3 ? 5 : 4, size);
    return tsr_op_fail(ctx, "Only zero batch or zero channel inputs are supported, but got input shape: %s", text);
  }
  if (!tsr_conv_is_native(p, (tsr_dtype)x->dtype)) return check_slow(ctx, a, x, p);
  TSR_TRY(check_types(ctx, a, x, true));
  return tsr_conv_check_native(ctx, a, p);
}

tsr_status tsr_conv_describe(tsr_ctx *ctx, const tsr_conv_args *a, const tsr_tensor *x, tsr_conv *p) {
  TSR_TRY(describe(ctx, a, x, p, false));
  return check_kernel(ctx, a, x, p);
}

tsr_status tsr_conv_describe_native(tsr_ctx *ctx, const tsr_conv_args *a, tsr_conv *p) {
  return describe(ctx, a, a->x, p, true);
}
