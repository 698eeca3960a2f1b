/* The convolution operators: shape checks with PyTorch's messages, dtypes and layouts. */
#include "ops/conv.h"
#include "ops/layout.h"
#include "ops/native.h"
#include "ops/product.h"

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
  for (int d = 2; d < w->ndim; d++)
    if (w->size[d] <= 0)
      return tsr_op_fail(ctx, "kernel size should be greater than zero, but got kernel_height: %lld kernel_width: %lld",
                         w->ndim > 3 ? (long long)w->size[w->ndim - 2] : 1, (long long)w->size[w->ndim - 1]);
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

static tsr_status out_plain(tsr_ctx *ctx, tsr_conv *p) {
  int64_t padded[3] = {0};
  bool small = false;
  for (int d = 0; d < 3; d++) {
    int64_t reach;
    if (tsr_mul_overflow(p->dil[d], p->k[d] - 1, &reach) || tsr_add_overflow(reach, 1, &reach) ||
        tsr_mul_overflow(p->pad[d], 2, &padded[d]) || tsr_add_overflow(padded[d], p->in[d], &padded[d]))
      return tsr_op_fail(ctx, "convolution sizes overflow");
    small = small || padded[d] < reach;
    p->out[d] = (padded[d] - reach) / p->stride[d] + 1;
  }
  if (!small) return TSR_OK;
  char ps[96], ks[96];
  int64_t reach[3];
  for (int d = 0; d < 3; d++) reach[d] = p->dil[d] * (p->k[d] - 1) + 1;
  return tsr_op_fail(ctx, "Calculated padded input size per channel: %s. Kernel size: %s. Kernel size can't be greater than actual input size",
                     by(ps, sizeof ps, p->nd, padded), by(ks, sizeof ks, p->nd, reach));
}

static tsr_status out_transposed(tsr_ctx *ctx, tsr_conv *p) {
  bool small = false, wide = false;
  for (int d = 0; d < 3; d++) {
    int64_t a, b, c, e;
    if (tsr_mul_overflow(p->in[d] - 1, p->stride[d], &a) || tsr_mul_overflow(p->pad[d], 2, &b) ||
        tsr_mul_overflow(p->dil[d], p->k[d] - 1, &c) || tsr_add_overflow(a - b, c, &e) || tsr_add_overflow(e, p->opad[d] + 1, &p->out[d]))
      return tsr_op_fail(ctx, "convolution sizes overflow");
    small = small || p->out[d] < 1;
    wide = wide || (p->opad[d] >= p->stride[d] && p->opad[d] >= p->dil[d]);
  }
  if (wide && p->nd == 3)
    return tsr_op_fail(ctx, "output padding must be smaller than either stride or dilation, but got output_padding_depth: %lld output_padding_height: %lld "
                       "output_padding_width: %lld stride_depth: %lld stride_height: %lld stride_width: %lld dilation_depth: %lld dilation_height: %lld dilation_width: %lld",
                       (long long)p->opad[0], (long long)p->opad[1], (long long)p->opad[2], (long long)p->stride[0], (long long)p->stride[1],
                       (long long)p->stride[2], (long long)p->dil[0], (long long)p->dil[1], (long long)p->dil[2]);
  if (wide)
    return tsr_op_fail(ctx, "output padding must be smaller than either stride or dilation, but got output_padding_height: %lld output_padding_width: %lld "
                       "stride_height: %lld stride_width: %lld dilation_height: %lld dilation_width: %lld",
                       (long long)p->opad[1], (long long)p->opad[2], (long long)p->stride[1], (long long)p->stride[2], (long long)p->dil[1],
                       (long long)p->dil[2]);
  if (!small) return TSR_OK;
  char is[96], os[96];
  int nd = TSR_MAX(p->nd, 2);
  return tsr_op_fail(ctx, "Given input size per channel: %s. Calculated output size per channel: %s. Output size is too small",
                     by(is, sizeof is, nd, p->in), by(os, sizeof os, nd, p->out));
}

static tsr_status describe(tsr_ctx *ctx, const tsr_conv_args *a, const tsr_tensor *x, tsr_conv *p) {
  const tsr_tensor *w = a->w;
  char text[256];
  int nd = p->nd = w->ndim - 2;
  if (nd < 1 || nd > 3) return tsr_op_fail(ctx, "weight should have at least three dimensions");
  if (a->groups <= 0) return tsr_op_fail(ctx, "non-positive groups is not supported");
  TSR_TRY(read_list(ctx, "stride", nd, a->stride, a->stride_n, p->stride));
  TSR_TRY(read_list(ctx, "padding", nd, a->pad, a->pad_n, p->pad));
  TSR_TRY(read_list(ctx, "dilation", nd, a->dil, a->dil_n, p->dil));
  int64_t none = 0;
  TSR_TRY(read_list(ctx, "output_padding", nd, a->opad_n > 0 ? a->opad : &none, a->opad_n > 0 ? a->opad_n : 1, p->opad));
  if (x->ndim != w->ndim) {
    tsr_sizes_print(text, sizeof text, x->ndim, x->size);
    char ws[256];
    tsr_sizes_print(ws, sizeof ws, w->ndim, w->size);
    return tsr_op_fail(ctx, "Expected %d-dimensional input for %d-dimensional weight %s, but got %d-dimensional input of size %s instead", w->ndim,
                       w->ndim, ws, x->ndim, text);
  }
  if (any_below(nd, p->pad, 0)) return tsr_op_fail(ctx, "negative padding is not supported");
  if (any_below(nd, p->opad, 0)) return tsr_op_fail(ctx, "negative output_padding is not supported");
  if (any_below(nd, p->stride, 1)) return tsr_op_fail(ctx, "non-positive stride is not supported");
  if (any_below(nd, p->dil, 1)) {
    tsr_sizes_print(text, sizeof text, nd, p->dil + 3 - nd);
    return tsr_op_fail(ctx, "dilation should be greater than zero, but got %s", text);
  }
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
  return a->transposed ? out_transposed(ctx, p) : out_plain(ctx, p);
}

/* PyTorch's suggest_memory_format() == channels last: by strides alone, so 1x1 kernels may count. */
static bool suggests_last(const tsr_tensor *t) {
  static const int order4[] = {1, 3, 2, 0}, order5[] = {1, 4, 3, 2, 0};
  if (t->ndim != 4 && t->ndim != 5) return false;
  const int *order = t->ndim == 4 ? order4 : order5;
  int64_t least = 0;
  if (t->stride[1] == 0) return false;
  for (int i = 0; i < t->ndim; i++) {
    int d = order[i];
    if (t->size[d] == 0 || t->stride[d] < least || (d == 0 && least == t->stride[1])) return false;
    least = t->stride[d];
    if (t->size[d] > 1) least *= t->size[d];
  }
  return true;
}

static tsr_status new_result(tsr_ctx *ctx, tsr_tensor **y, const tsr_conv *p, tsr_dtype dtype, bool last) {
  int64_t size[5] = {p->n, p->oc}, stride[5];
  memcpy(size + 2, p->out + 3 - p->nd, (size_t)p->nd * sizeof *size);
  if (!last) return tsr_new(ctx, y, dtype, p->nd + 2, size);
  tsr_strides_channels_last(p->nd + 2, size, stride);
  return tsr_new_strided(ctx, y, dtype, p->nd + 2, size, stride);
}

/* The smaller integers have no transposed or dilated kernels in PyTorch. */
static tsr_status check_integer(tsr_ctx *ctx, const tsr_conv *p, tsr_dtype d) {
  bool dilated = p->dil[0] > 1 || p->dil[1] > 1 || p->dil[2] > 1;
  if (!tsr_dtype_is_integral(d, false) || d == TSR_INT64 || !(p->transposed || dilated)) return TSR_OK;
  const char *name = !p->transposed ? "slow_conv_dilated<>" : p->nd == 3 ? "slow_conv_transpose3d_out_cpu" : "slow_conv_transpose2d_out_cpu";
  return tsr_op_fail(ctx, "\"%s\" not implemented for '%s'", name, tsr_dtype_get_info(d)->cpp_name);
}

static tsr_status check_dtypes(tsr_ctx *ctx, const tsr_conv_args *a) {
  const char *x = tsr_cxx_name((tsr_dtype)a->x->dtype);
  if (a->bias != NULL && a->bias->dtype != a->x->dtype)
    return tsr_op_fail(ctx, "Input type (%s) and bias type (%s) should be the same", x, tsr_cxx_name((tsr_dtype)a->bias->dtype));
  if (a->w->dtype != a->x->dtype)
    return tsr_op_fail(ctx, "expected scalar type %s but found %s", tsr_dtype_get_info(a->x->dtype)->cpp_name,
                       tsr_dtype_get_info(a->w->dtype)->cpp_name);
  if (!tsr_dtype_is_known(a->x->dtype) || a->x->dtype == TSR_BOOL || tsr_dtype_is_quantized((tsr_dtype)a->x->dtype) ||
      a->x->dtype == TSR_COMPLEX32 || (a->x->dtype > TSR_BFLOAT16))
    return tsr_op_fail(ctx, "\"slow_conv2d_cpu\" not implemented for '%s'", tsr_dtype_get_info(a->x->dtype)->cpp_name);
  return TSR_OK;
}

/* Contiguous or channels-last operand of the float32 kernels. */
static tsr_status settle(tsr_ctx *ctx, tsr_tensor **t) {
  if ((*t)->ndim >= 4 && tsr_tensor_is_channels_last(*t)) return TSR_OK;
  return tsr_contiguous(ctx, t, *t);
}

static bool same_layout(const tsr_tensor *a, const tsr_tensor *b) {
  if (a->ndim != b->ndim || memcmp(a->size, b->size, a->ndim * sizeof *a->size) != 0 || a->dtype != b->dtype) return false;
  if (tsr_tensor_is_contiguous(b)) return tsr_tensor_is_contiguous(a);
  return tsr_tensor_is_channels_last(a);
}

static tsr_status run_f32(tsr_ctx *ctx, const tsr_conv *p, const tsr_conv_args *a, tsr_tensor *y, tsr_tensor *x, tsr_tensor *residual) {
  tsr_epi epi = a->epi;
  tsr_tensor *bias = a->bias;
  if (bias != NULL) {
    TSR_TRY(tsr_ready(ctx, &bias, bias, TSR_FLOAT32));
    epi.bias = tsr_tensor_data_ro(bias);
  }
  if (residual != NULL) epi.residual = tsr_tensor_data_ro(residual);
  TSR_TRY(settle(ctx, &x));
  return tsr_conv_f32(ctx, a->site, p, y, x, a->w, &epi);
}

static tsr_status run_plain(tsr_ctx *ctx, const tsr_conv *p, const tsr_conv_args *a, tsr_tensor **y, tsr_tensor *x) {
  tsr_tensor *w, *z;
  int64_t shape[5] = {1, p->oc, 1, 1, 1};
  TSR_TRY(tsr_contiguous(ctx, &x, x));
  TSR_TRY(tsr_contiguous(ctx, &w, a->w));
  TSR_TRY(new_result(ctx, &z, p, (tsr_dtype)x->dtype, false));
  TSR_TRY(tsr_conv_plain(ctx, p, z, x, w));
  if (a->bias != NULL) {
    tsr_tensor *b;
    TSR_TRY(tsr_reshape(ctx, &b, a->bias, p->nd + 2, shape));
    TSR_TRY(tsr_binary(ctx, &z, "add", z, b));
  }
  return tsr_copy_into(ctx, *y, z);
}

/* Half and bfloat16: in float32, rounded once. */
static tsr_status run_narrow(tsr_ctx *ctx, const tsr_conv *p, const tsr_conv_args *a, tsr_tensor *y, tsr_tensor *x) {
  tsr_conv_args wide = *a;
  tsr_tensor *z, *xf;
  TSR_TRY(tsr_ready(ctx, &xf, x, TSR_FLOAT32));
  TSR_TRY(tsr_ready(ctx, &wide.w, a->w, TSR_FLOAT32));
  TSR_TRY(new_result(ctx, &z, p, TSR_FLOAT32, false));
  wide.epi = (tsr_epi){0};
  TSR_TRY(run_f32(ctx, p, &wide, z, xf, NULL));
  return tsr_copy_into(ctx, y, z);
}

/* What is added to a hidden result is turned as it is; to another, revealed. */
static tsr_status meet_layout(tsr_ctx *ctx, tsr_tensor **residual, const tsr_tensor *y) {
  tsr_tensor *r = *residual;
  if (!y->hidden) return tsr_layout_reveal(ctx, r);
  bool turn = !r->hidden && r->dtype == TSR_FLOAT32 && r->ndim == 4 && memcmp(r->size, y->size, 4 * sizeof *r->size) == 0 && tsr_tensor_is_contiguous(r);
  return turn ? tsr_layout_hide(ctx, residual, r) : TSR_OK;
}

tsr_status tsr_conv_describe(tsr_ctx *ctx, const tsr_conv_args *a, const tsr_tensor *x, tsr_conv *p) { return describe(ctx, a, x, p); }

tsr_status tsr_convolution(tsr_ctx *ctx, tsr_tensor **out, const tsr_conv_args *a) {
  tsr_conv p;
  tsr_tensor *x = a->x, *y;
  TSR_TRY(describe(ctx, a, x, &p));
  TSR_TRY(check_dtypes(ctx, a));
  tsr_dtype d = (tsr_dtype)x->dtype;
  TSR_TRY(check_integer(ctx, &p, d));
  bool native5 = d == TSR_FLOAT32 || d == TSR_BFLOAT16 || tsr_dtype_is_complex(d);
  bool last = (p.nd == 2 || (p.nd == 3 && native5)) && ((suggests_last(x) && !x->hidden) || suggests_last(a->w));
  bool hide = a->hide && !last && p.nd == 2 && d == TSR_FLOAT32 && p.c > 0;
  if (hide) TSR_TRY(tsr_layout_new(ctx, &y, (int64_t[]){p.n, p.oc, p.out[1], p.out[2]}));
  else TSR_TRY(new_result(ctx, &y, &p, d, last));
  *out = y;
  if (y->numel == 0) return TSR_OK;
  tsr_tensor *residual = a->residual;
  if (residual != NULL) TSR_TRY(meet_layout(ctx, &residual, y));
  bool fused = d == TSR_FLOAT32 && p.c > 0 && (residual == NULL || same_layout(residual, y));
  if (fused) return run_f32(ctx, &p, a, y, x, residual);
  if (d == TSR_FLOAT32 && p.c > 0) {
    tsr_conv_args bare = *a;
    bare.epi = (tsr_epi){0};
    TSR_TRY(run_f32(ctx, &p, &bare, y, x, NULL));
  } else if (d == TSR_FLOAT16 || d == TSR_BFLOAT16) {
    TSR_TRY(run_narrow(ctx, &p, a, y, x));
  } else {
    TSR_TRY(run_plain(ctx, &p, a, out, x));
  }
  if (residual != NULL) {
    TSR_TRY(tsr_layout_reveal(ctx, *out));
    TSR_TRY(tsr_layout_reveal(ctx, residual));
    TSR_TRY(tsr_binary(ctx, out, "add", *out, residual));
  }
  return tsr_act_apply(ctx, out, *out, &a->epi);
}

tsr_status tsr_convolution_prepare(tsr_ctx *ctx, const tsr_conv_args *a, bool *packed) {
  const tsr_tensor *w = a->w;
  tsr_conv p;
  *packed = false;
  if (a->site == NULL || w->dtype != TSR_FLOAT32 || w->layout != 0 || w->ndim < 3 || w->ndim > 5 ||
      w->numel == 0 || a->groups <= 0)
    return TSR_OK;
  int64_t size[5] = {1, a->transposed ? w->size[0] : w->size[1] * a->groups}, most = 32;
  for (int i = 0; i < 3; i++) most = TSR_MAX(most, a->dil_n > 0 && i < a->dil_n ? a->dil[i] : 1);
  for (int d = 2; d < w->ndim; d++)
    if (tsr_mul_overflow(most, w->size[d], &size[d])) return TSR_OK;
  tsr_tensor x = {.dtype = TSR_FLOAT32, .ndim = w->ndim, .size = size};
  if (describe(ctx, a, &x, &p) != TSR_OK) { /* the call will say so */
    tsr_errrec_dispose(&ctx->err);
    return TSR_OK;
  }
  TSR_TRY(tsr_conv_f32_prepare(ctx, a->site, &p, a->w));
  *packed = true;
  return TSR_OK;
}

/* All of `hyper` are constants. */
static tsr_status prepare(tsr_call *c, tsr_conv_args *a, uint64_t hyper) {
  bool packed;
  if ((c->constant & hyper) != hyper) return TSR_OK;
  TSR_TRY(tsr_convolution_prepare(c->ctx, a, &packed));
  if (packed) c->released |= 2;
  return TSR_OK;
}

/* ---- rows ---- */

static void int_list(tsr_call *c, uint32_t i, const int64_t **xs, int64_t *n) { *xs = tsr_arg_ints(c, i, n); }

/* Run with a batch dimension added when the input has none; name is what PyTorch calls the operator there. */
static tsr_status run_batched(tsr_call *c, tsr_conv_args *a, int nd, const char *name) {
  tsr_tensor *y, *x = a->x;
  bool batched = x->ndim == nd + 2;
  if (nd > 0 && !batched && x->ndim != nd + 1) {
    char text[256];
    tsr_sizes_print(text, sizeof text, x->ndim, x->size);
    return tsr_op_fail(c->ctx, "Expected %dD (unbatched) or %dD (batched) input to %s, but got input of size: %s", nd + 1, nd + 2, name, text);
  }
  if (nd > 0 && !batched) TSR_TRY(tsr_unsqueeze(c->ctx, &a->x, x, 0));
  TSR_TRY(tsr_convolution(c->ctx, &y, a));
  if (nd > 0 && !batched) TSR_TRY(tsr_squeeze_dim(c->ctx, &y, y, 0));
  return tsr_ret_tensor(c, 0, y);
}

static tsr_conv_args operands(tsr_call *c) {
  return (tsr_conv_args){.x = tsr_arg_tensor(c, 0), .w = tsr_arg_tensor(c, 1), .bias = tsr_arg_opt_tensor(c, 2),
                         .site = (c->constant & 2) != 0 ? c->site : NULL};
}

typedef struct conv_row { int nd; const char *name; } conv_row;

static tsr_conv_args conv_args(tsr_call *c) { /* input, weight, bias, stride, padding, dilation, groups */
  tsr_conv_args a = operands(c);
  int_list(c, 3, &a.stride, &a.stride_n);
  int_list(c, 4, &a.pad, &a.pad_n);
  int_list(c, 5, &a.dil, &a.dil_n);
  a.groups = tsr_arg_int(c, 6);
  return a;
}

TSR_KERNEL(conv) {
  const conv_row *r = c->op->data;
  tsr_conv_args a = conv_args(c);
  return run_batched(c, &a, r->nd, r->name);
}

static tsr_status prepare_conv(tsr_call *c) {
  if ((c->constant & 0x7a) != 0x7a) return TSR_OK;
  tsr_conv_args a = conv_args(c);
  return prepare(c, &a, 0x7e);
}

static tsr_conv_args transpose_args(tsr_call *c) { /* input, weight, bias, stride, padding, output_padding, groups, dilation */
  tsr_conv_args a = operands(c);
  a.transposed = true;
  int_list(c, 3, &a.stride, &a.stride_n);
  int_list(c, 4, &a.pad, &a.pad_n);
  int_list(c, 5, &a.opad, &a.opad_n);
  a.groups = tsr_arg_int(c, 6);
  int_list(c, 7, &a.dil, &a.dil_n);
  return a;
}

static tsr_status prepare_transpose(tsr_call *c) {
  if ((c->constant & 0xfa) != 0xfa) return TSR_OK;
  tsr_conv_args a = transpose_args(c);
  return prepare(c, &a, 0xfe);
}

TSR_KERNEL(conv_transpose) {
  const conv_row *r = c->op->data;
  tsr_conv_args a = transpose_args(c);
  return run_batched(c, &a, r->nd, r->name);
}

static tsr_conv_args convolution_args(tsr_call *c) { /* …, stride, padding, dilation, transposed, output_padding, groups, … */
  tsr_conv_args a = operands(c);
  int_list(c, 3, &a.stride, &a.stride_n);
  int_list(c, 4, &a.pad, &a.pad_n);
  int_list(c, 5, &a.dil, &a.dil_n);
  a.transposed = tsr_arg_bool(c, 6);
  int_list(c, 7, &a.opad, &a.opad_n);
  a.groups = tsr_arg_int(c, 8);
  return a;
}

static tsr_status prepare_convolution(tsr_call *c) {
  if ((c->constant & 0x1fa) != 0x1fa) return TSR_OK;
  tsr_conv_args a = convolution_args(c);
  return prepare(c, &a, 0x1fe);
}

TSR_KERNEL(convolution) {
  tsr_conv_args a = convolution_args(c);
  if (a.w->ndim >= 3 && a.x->ndim + 1 == a.w->ndim) { /* as PyTorch: no batch dimension */
    return run_batched(c, &a, a.w->ndim - 2, "convolution");
  }
  return run_batched(c, &a, 0, NULL);
}

/* padding="same" of an even kernel pads one more at the end: the input is extended there by zeros. */
static tsr_status extend(tsr_ctx *ctx, tsr_tensor **x, int nd, const int64_t *extra) {
  int64_t size[5];
  tsr_tensor *wide, *inner;
  memcpy(size, (*x)->size, (size_t)(nd + 2) * sizeof *size);
  for (int d = 0; d < nd; d++) size[d + 2] += extra[d];
  TSR_TRY(tsr_new(ctx, &wide, (tsr_dtype)(*x)->dtype, nd + 2, size));
  TSR_TRY(tsr_fill(ctx, wide, tsr_scalar_int(0)));
  inner = wide;
  for (int d = 0; d < nd; d++) TSR_TRY(tsr_narrow(ctx, &inner, inner, d + 2, 0, (*x)->size[d + 2]));
  TSR_TRY(tsr_copy_into(ctx, inner, *x));
  *x = wide;
  return TSR_OK;
}

static tsr_status same_padding(tsr_ctx *ctx, tsr_conv_args *a, int nd, int64_t *pad) {
  int64_t extra[3] = {0};
  bool uneven = false;
  if (a->x->ndim != nd + 2 || a->w->ndim != nd + 2) return TSR_OK; /* the checks that follow complain */
  for (int d = 0; d < nd; d++) {
    int64_t s = a->stride[a->stride_n == 1 ? 0 : d], dil = a->dil[a->dil_n == 1 ? 0 : d], total;
    if (s != 1) return tsr_op_fail(ctx, "padding='same' is not supported for strided convolutions");
    if (tsr_mul_overflow(dil, a->w->size[d + 2] - 1, &total)) return tsr_op_fail(ctx, "convolution sizes overflow");
    pad[d] = total / 2;
    extra[d] = total - 2 * pad[d];
    uneven = uneven || extra[d] != 0;
  }
  a->pad = pad;
  a->pad_n = nd;
  return uneven ? extend(ctx, &a->x, nd, extra) : TSR_OK;
}

TSR_KERNEL(conv_mode) { /* input, weight, bias, stride, padding: str, dilation, groups */
  const conv_row *r = c->op->data;
  tsr_conv_args a = operands(c);
  int64_t pad[3] = {0};
  tsr_tensor *x = a.x, *y;
  int nd = r->nd > 0 ? r->nd : a.w->ndim - 2;
  bool batched = x->ndim == nd + 2;
  const char *mode = tsr_arg_str(c, 4)->bytes;
  int_list(c, 3, &a.stride, &a.stride_n);
  int_list(c, 5, &a.dil, &a.dil_n);
  a.groups = tsr_arg_int(c, 6);
  a.pad = pad;
  a.pad_n = 1;
  if (nd < 1 || nd > 3 || (!batched && x->ndim != nd + 1)) return run_batched(c, &a, TSR_MAX(nd, 1), r->name);
  if (!batched) TSR_TRY(tsr_unsqueeze(c->ctx, &a.x, x, 0));
  if (strcmp(mode, "same") == 0) TSR_TRY(same_padding(c->ctx, &a, nd, pad));
  else if (strcmp(mode, "valid") != 0) return tsr_op_fail(c->ctx, "Invalid padding string: '%s'", mode);
  TSR_TRY(tsr_convolution(c->ctx, &y, &a));
  if (!batched) TSR_TRY(tsr_squeeze_dim(c->ctx, &y, y, 0));
  return tsr_ret_tensor(c, 0, y);
}

/* self, weight, kernel_size, bias, stride, padding[, dilation]: the kernel size repeats the weight's. */
TSR_KERNEL(conv_sized) {
  const conv_row *r = c->op->data;
  static const int64_t one = 1;
  tsr_conv_args a = {.x = tsr_arg_tensor(c, 0), .w = tsr_arg_tensor(c, 1), .bias = tsr_arg_opt_tensor(c, 3),
                     .site = (c->constant & 2) != 0 ? c->site : NULL, .groups = 1, .dil = &one, .dil_n = 1};
  int_list(c, 4, &a.stride, &a.stride_n);
  int_list(c, 5, &a.pad, &a.pad_n);
  if (c->nargs > 6) int_list(c, 6, &a.dil, &a.dil_n);
  if (strstr(c->op->schema, "depthwise") != NULL && a.x->ndim == r->nd + 2) a.groups = a.x->size[1];
  return run_batched(c, &a, r->nd, r->name);
}

/* self, weight, kernel_size, bias, stride, padding, output_padding, dilation */
TSR_KERNEL(conv_transpose_sized) {
  const conv_row *r = c->op->data;
  tsr_conv_args a = {.x = tsr_arg_tensor(c, 0), .w = tsr_arg_tensor(c, 1), .bias = tsr_arg_opt_tensor(c, 3), .transposed = true,
                     .site = (c->constant & 2) != 0 ? c->site : NULL, .groups = 1};
  int_list(c, 4, &a.stride, &a.stride_n);
  int_list(c, 5, &a.pad, &a.pad_n);
  int_list(c, 6, &a.opad, &a.opad_n);
  int_list(c, 7, &a.dil, &a.dil_n);
  return run_batched(c, &a, r->nd, r->name);
}

TSR_KERNEL(mkldnn_convolution) { /* self, weight, bias, padding, stride, dilation, groups */
  tsr_conv_args a = operands(c);
  int_list(c, 3, &a.pad, &a.pad_n);
  int_list(c, 4, &a.stride, &a.stride_n);
  int_list(c, 5, &a.dil, &a.dil_n);
  a.groups = tsr_arg_int(c, 6);
  return run_batched(c, &a, 0, NULL);
}

/* x [time, batch, channel], w [width, in, out]. */
TSR_KERNEL(conv_tbc) {
  static const int64_t one = 1;
  tsr_conv_args a = operands(c);
  tsr_tensor *y;
  int64_t pad = tsr_arg_int(c, 3);
  if (a.x->ndim != 3) return tsr_op_fail(c->ctx, "Input must have 3 dims: time, batch, in_channel");
  if (a.w->ndim != 3) return tsr_op_fail(c->ctx, "Weight tensor must have 3 dims: kernel_width, in_channels, out_channels.");
  if (a.bias->ndim != 1) return tsr_op_fail(c->ctx, "Bias must be 1-D");
  a.site = NULL;
  a.stride = a.dil = &one;
  a.pad = &pad;
  a.stride_n = a.dil_n = a.pad_n = a.groups = 1;
  TSR_TRY(tsr_permute(c->ctx, &a.x, a.x, (int64_t[]){1, 2, 0}));
  TSR_TRY(tsr_permute(c->ctx, &a.w, a.w, (int64_t[]){2, 1, 0}));
  TSR_TRY(tsr_convolution(c->ctx, &y, &a));
  TSR_TRY(tsr_permute(c->ctx, &y, y, (int64_t[]){2, 0, 1}));
  TSR_TRY(tsr_contiguous(c->ctx, &y, y));
  return tsr_ret_tensor(c, 0, y);
}

/* ---- fused with what follows ---- */

/* Without a batch dimension: convolution, sum and activation one after the other. */
static tsr_status unbatched_act(tsr_ctx *ctx, tsr_conv_args *a, tsr_tensor **y) {
  tsr_conv_args bare = *a;
  bare.epi = (tsr_epi){0};
  bare.residual = NULL;
  TSR_TRY(tsr_unsqueeze(ctx, &bare.x, a->x, 0));
  TSR_TRY(tsr_convolution(ctx, y, &bare));
  TSR_TRY(tsr_squeeze_dim(ctx, y, *y, 0));
  if (a->residual != NULL) {
    TSR_TRY(tsr_layout_reveal(ctx, a->residual));
    TSR_TRY(tsr_binary(ctx, y, "add", *y, a->residual));
  }
  return tsr_act_apply(ctx, y, *y, &a->epi);
}

static tsr_status conv_act(tsr_call *c, bool hide) {
  tsr_conv_args a = conv_args(c);
  tsr_tensor *y;
  a.residual = tsr_arg_opt_tensor(c, 7);
  TSR_TRY(tsr_act_read(c, 8, &a.epi));
  a.hide = hide;
  if (a.x->ndim + 1 == a.w->ndim && a.w->ndim >= 3 && a.w->ndim <= 5) TSR_TRY(unbatched_act(c->ctx, &a, &y));
  else TSR_TRY(tsr_convolution(c->ctx, &y, &a));
  return tsr_ret_tensor(c, 0, y);
}

TSR_KERNEL(conv_act) { return conv_act(c, false); }
TSR_KERNEL(conv_last) { return conv_act(c, true); }

static const conv_row d1 = {1, "conv1d"}, d2 = {2, "conv2d"}, d3 = {3, "conv3d"}, any = {0, "convolution"};
static const conv_row t1 = {1, "conv_transpose1d"}, t2 = {2, "conv_transpose2d"}, t3 = {3, "conv_transpose3d"};

#define CONV_ROWS(n, zeros, ones, d)                                                                                          \
  {"aten::conv" #n "d(Tensor input, Tensor weight, Tensor? bias=None, SymInt[" #n "] stride=" ones ", SymInt[" #n "] padding=" zeros \
   ", SymInt[" #n "] dilation=" ones ", SymInt groups=1) -> Tensor", op_conv, TSR_PURE, &d, prepare_conv},                                   \
  {"aten::conv" #n "d.padding(Tensor input, Tensor weight, Tensor? bias=None, SymInt[" #n "] stride=" ones                     \
   ", str padding=\"valid\", SymInt[" #n "] dilation=" ones ", SymInt groups=1) -> Tensor", op_conv_mode, TSR_PURE, &d}
#define TRANSPOSE_ROW(n, over, zeros, ones, t)                                                                                 \
  {"aten::conv_transpose" #n "d" over "(Tensor input, Tensor weight, Tensor? bias=None, SymInt[" #n "] stride=" ones          \
   ", SymInt[" #n "] padding=" zeros ", SymInt[" #n "] output_padding=" zeros ", SymInt groups=1, SymInt[" #n "] dilation=" ones \
   ") -> Tensor", op_conv_transpose, TSR_PURE, &t, prepare_transpose}

const tsr_op tsr_ops_conv[] = {
    CONV_ROWS(1, "[0]", "[1]", d1),
    CONV_ROWS(2, "[0, 0]", "[1, 1]", d2),
    CONV_ROWS(3, "[0, 0, 0]", "[1, 1, 1]", d3),
    TRANSPOSE_ROW(1, "", "[0]", "[1]", t1),
    TRANSPOSE_ROW(2, ".input", "[0, 0]", "[1, 1]", t2),
    TRANSPOSE_ROW(3, ".input", "[0, 0, 0]", "[1, 1, 1]", t3),
    {"aten::convolution(Tensor input, Tensor weight, Tensor? bias, SymInt[] stride, SymInt[] padding, SymInt[] dilation, bool transposed, "
     "SymInt[] output_padding, SymInt groups) -> Tensor", op_convolution, TSR_PURE, .prepare = prepare_convolution},
    {"aten::_convolution.deprecated(Tensor input, Tensor weight, Tensor? bias, SymInt[] stride, SymInt[] padding, SymInt[] dilation, bool transposed, "
     "int[] output_padding, SymInt groups, bool benchmark, bool deterministic, bool cudnn_enabled) -> Tensor", op_convolution, TSR_PURE, .prepare = prepare_convolution},
    {"aten::_convolution(Tensor input, Tensor weight, Tensor? bias, SymInt[] stride, SymInt[] padding, SymInt[] dilation, bool transposed, "
     "SymInt[] output_padding, SymInt groups, bool benchmark, bool deterministic, bool cudnn_enabled, bool allow_tf32) -> Tensor", op_convolution, TSR_PURE, .prepare = prepare_convolution},
    {"aten::convolution_overrideable(Tensor input, Tensor weight, Tensor? bias, SymInt[] stride, SymInt[] padding, SymInt[] dilation, bool transposed, "
     "SymInt[] output_padding, SymInt groups) -> Tensor", op_convolution, TSR_PURE, .prepare = prepare_convolution},
    {"aten::_convolution_mode(Tensor input, Tensor weight, Tensor? bias, SymInt[] stride, str padding, SymInt[] dilation, SymInt groups) -> Tensor",
     op_conv_mode, TSR_PURE, &any},
    {"aten::mkldnn_convolution(Tensor self, Tensor weight, Tensor? bias, SymInt[] padding, SymInt[] stride, SymInt[] dilation, SymInt groups) -> Tensor",
     op_mkldnn_convolution, TSR_PURE},
    {"aten::thnn_conv2d(Tensor self, Tensor weight, SymInt[2] kernel_size, Tensor? bias=None, SymInt[2] stride=[1, 1], SymInt[2] padding=[0, 0]) -> Tensor",
     op_conv_sized, TSR_PURE, &d2},
    {"aten::_slow_conv2d_forward(Tensor self, Tensor weight, SymInt[2] kernel_size, Tensor? bias, SymInt[2] stride, SymInt[2] padding) -> Tensor",
     op_conv_sized, TSR_PURE, &d2},
    {"aten::slow_conv3d(Tensor self, Tensor weight, SymInt[3] kernel_size, Tensor? bias=None, SymInt[3] stride=[1, 1, 1], SymInt[3] padding=[0, 0, 0]) -> Tensor",
     op_conv_sized, TSR_PURE, &d3},
    {"aten::slow_conv3d_forward(Tensor self, Tensor weight, SymInt[3] kernel_size, Tensor? bias, SymInt[3] stride, SymInt[3] padding) -> Tensor",
     op_conv_sized, TSR_PURE, &d3},
    {"aten::slow_conv_dilated2d(Tensor self, Tensor weight, SymInt[2] kernel_size, Tensor? bias=None, SymInt[2] stride=[1, 1], SymInt[2] padding=[0, 0], "
     "SymInt[2] dilation=[1, 1]) -> Tensor", op_conv_sized, TSR_PURE, &d2},
    {"aten::slow_conv_dilated3d(Tensor self, Tensor weight, SymInt[3] kernel_size, Tensor? bias=None, SymInt[3] stride=[1, 1, 1], "
     "SymInt[3] padding=[0, 0, 0], SymInt[3] dilation=[1, 1, 1]) -> Tensor", op_conv_sized, TSR_PURE, &d3},
    {"aten::_conv_depthwise2d(Tensor self, Tensor weight, SymInt[2] kernel_size, Tensor? bias, SymInt[2] stride, SymInt[2] padding, "
     "SymInt[2] dilation) -> Tensor", op_conv_sized, TSR_PURE, &d2},
    {"aten::conv_depthwise3d(Tensor self, Tensor weight, SymInt[3] kernel_size, Tensor? bias, SymInt[3] stride, SymInt[3] padding, "
     "SymInt[3] dilation) -> Tensor", op_conv_sized, TSR_PURE, &d3},
    {"aten::slow_conv_transpose2d(Tensor self, Tensor weight, SymInt[2] kernel_size, Tensor? bias=None, SymInt[2] stride=[1, 1], "
     "SymInt[2] padding=[0, 0], SymInt[2] output_padding=[0, 0], SymInt[2] dilation=[1, 1]) -> Tensor", op_conv_transpose_sized, TSR_PURE, &t2},
    {"aten::slow_conv_transpose3d(Tensor self, Tensor weight, SymInt[3] kernel_size, Tensor? bias=None, SymInt[3] stride=[1, 1, 1], "
     "SymInt[3] padding=[0, 0, 0], SymInt[3] output_padding=[0, 0, 0], SymInt[3] dilation=[1, 1, 1]) -> Tensor", op_conv_transpose_sized, TSR_PURE, &t3},
    {"aten::conv_tbc(Tensor self, Tensor weight, Tensor bias, int pad=0) -> Tensor", op_conv_tbc, TSR_PURE},
    {"tsr::conv_act(Tensor x, Tensor weight, Tensor? bias, int[] stride, int[] padding, int[] dilation, int groups, Tensor? residual, int act, "
     "float p0=0., float p1=0.) -> Tensor", op_conv_act, TSR_PURE | TSR_HIDDEN, .prepare = prepare_conv},
    {"tsr::conv_last(Tensor x, Tensor weight, Tensor? bias, int[] stride, int[] padding, int[] dilation, int groups, Tensor? residual, int act, "
     "float p0=0., float p1=0.) -> Tensor", op_conv_last, TSR_PURE | TSR_HIDDEN | TSR_OWN_ORDER, .prepare = prepare_conv},
    {0},
};
