/* The convolution operators that PyTorch names after their kernels: slow_conv…, thnn_conv2d, mkldnn_convolution, conv_tbc.  Each has checks and
 * an order of checks of its own; the numbers come from where those of every convolution do. */
#include "ops/conv.h"
#include "ops/native.h"

#include <math.h>
#include <stdio.h>

/* ---- checks; of p: what the call says (kernel, stride, …), sizes of the operands are written into it ---- */

#define FAIL(...) return tsr_op_fail(ctx, __VA_ARGS__)

static const char *sizes(char *buf, size_t cap, const tsr_tensor *t) {
  tsr_sizes_print(buf, cap, t->ndim, t->size);
  return buf;
}

static tsr_status check_size(tsr_ctx *ctx, const tsr_tensor *t, int ndim, int d, int64_t size) {
  if (t->ndim == ndim && t->size[d] == size) return TSR_OK;
  FAIL("Expected a tensor of dimension %d and tensor.size[%d] == %lld but got: dimension %d and tensor.size[%d] = %lld", ndim, d, (long long)size,
       t->ndim, d, (long long)(d < t->ndim ? t->size[d] : 1));
}

static bool all_from(const tsr_conv *p, const int64_t *xs, int64_t least) {
  for (int d = 3 - p->nd; d < 3; d++)
    if (xs[d] < least) return false;
  return true;
}

/* "what_depth: 1 what_height: 2 what_width: 3", without depth in two dimensions */
static const char *named(char *buf, size_t cap, const tsr_conv *p, const char *what, const int64_t *xs, const char *sep) {
  static const char *const axes[] = {"depth", "height", "width"};
  size_t n = 0;
  for (int d = 3 - p->nd; d < 3; d++)
    n += (size_t)snprintf(buf + n, cap - n, "%s%s_%s: %lld", d > 3 - p->nd ? sep : "", what, axes[d], (long long)xs[d]);
  return buf;
}

static const char *listed(char *buf, size_t cap, const tsr_conv *p, const int64_t *xs) {
  tsr_sizes_print(buf, cap, p->nd, xs + 3 - p->nd);
  return buf;
}

/* Sizes of a batch x; without one n is 1. */
static tsr_status measure(tsr_ctx *ctx, tsr_conv *p, const tsr_tensor *x) {
  int at = x->ndim - p->nd;
  p->n = at > 1 ? x->size[0] : 1;
  p->c = x->size[at - 1];
  for (int d = 0; d < 3 - p->nd; d++) {
    p->in[d] = p->k[d] = p->stride[d] = p->dil[d] = 1;
    p->pad[d] = p->opad[d] = 0;
  }
  for (int d = 3 - p->nd; d < 3; d++) p->in[d] = x->size[at + d - (3 - p->nd)];
  return tsr_conv_sizes(ctx, p);
}

/* The kernels that dispatch on x's element type and then ask the weight for it. */
static tsr_status check_type(tsr_ctx *ctx, const char *name, bool small_integers, const tsr_tensor *x, const tsr_tensor *w) {
  tsr_dtype d = (tsr_dtype)x->dtype;
  bool known = d == TSR_FLOAT16 || d == TSR_BFLOAT16 || d == TSR_FLOAT32 || d == TSR_FLOAT64 || d == TSR_INT64 ||
               (small_integers && (d == TSR_UINT8 || d == TSR_INT8 || d == TSR_INT16 || d == TSR_INT32));
  if (!known) FAIL("\"%s\" not implemented for '%s'", name, tsr_dtype_get_info(d)->cpp_name);
  if (w->dtype != x->dtype) FAIL("expected scalar type %s but found %s", tsr_dtype_get_info(d)->cpp_name, tsr_dtype_get_info(w->dtype)->cpp_name);
  return TSR_OK;
}

static tsr_status check_plain2(tsr_ctx *ctx, const tsr_tensor *x, const tsr_tensor *w, const tsr_tensor *bias, tsr_conv *p) {
  char text[256];
  int64_t row = 1, area = p->k[1] * p->k[2];
  for (int d = 1; d < w->ndim; d++) row *= w->size[d];
  if (!all_from(p, p->k, 1)) FAIL("kernel size should be greater than zero, but got %s", named(text, sizeof text, p, "kernel", p->k, " "));
  if (!all_from(p, p->stride, 1)) FAIL("stride should be greater than zero, but got %s", named(text, sizeof text, p, "stride", p->stride, " "));
  if (w->numel == 0 || (w->ndim != 2 && w->ndim != 4)) {
    tsr_sizes_print(text, sizeof text, w->ndim == 4 ? 2 : w->ndim, w->ndim == 4 ? (int64_t[]){w->size[0], row} : w->size);
    FAIL("non-empty 2D or 4D weight tensor expected, but got: %s", text);
  }
  if (bias != NULL) TSR_TRY(check_size(ctx, bias, 1, 0, w->size[0]));
  if (x->ndim != 4) FAIL("Expected 4D input tensor, but got: %s", sizes(text, sizeof text, x));
  for (int d = 2; d < 4; d++)
    if (x->size[d] == 0)
      FAIL("Expected non-zero size for input dimension %d, but got input shape: %s. Only the batch and channel dimensions support size 0.", d,
           sizes(text, sizeof text, x));
  TSR_TRY(measure(ctx, p, x));
  TSR_TRY(tsr_conv_check_reach(ctx, p));
  return p->c != 0 ? check_size(ctx, x, 4, 1, row / area) : TSR_OK;
}

static tsr_status check_plain3(tsr_ctx *ctx, const tsr_tensor *x, const tsr_tensor *w, const tsr_tensor *bias, tsr_conv *p) {
  char text[256];
  if (!all_from(p, p->k, 1))
    FAIL("kernel size should be greater than zero, but got: %lld x %lld x %lld (TxHxW)", (long long)p->k[0], (long long)p->k[1], (long long)p->k[2]);
  if (!all_from(p, p->stride, 1))
    FAIL("stride should be greater than zero, but got: %lld x %lld x %lld (TxHxW)", (long long)p->stride[0], (long long)p->stride[1], (long long)p->stride[2]);
  if (w->numel == 0 || (w->ndim != 2 && w->ndim != 5)) FAIL("non-empty 2D or 5D weight tensor expected, but got: %s", sizes(text, sizeof text, w));
  if (bias != NULL) TSR_TRY(check_size(ctx, bias, 1, 0, w->size[0]));
  bool filled = x->ndim == 5;
  for (int d = 1; d < x->ndim; d++) filled = filled && x->size[d] != 0;
  if (!filled) FAIL("non-empty 5D input tensor expected but got: %s", sizes(text, sizeof text, x));
  TSR_TRY(measure(ctx, p, x));
  TSR_TRY(tsr_conv_check_reach(ctx, p));
  int64_t channels = w->ndim == 2 ? w->size[1] / (p->k[1] * p->k[2]) : w->size[1], groups = p->c / w->size[1];
  if (groups <= 0) FAIL("none zero group size expected");
  TSR_TRY(check_size(ctx, x, 5, 1, channels * groups));
  p->groups = groups;
  return TSR_OK;
}

/* A plain product: PyTorch does not unfold the input. */
static bool is_single(const tsr_conv *p) {
  static const int64_t none[3] = {0};
  return tsr_conv_taps(p) == 1 && p->groups == 1 && memcmp(p->pad, none, sizeof none) == 0 && p->stride[0] * p->stride[1] * p->stride[2] == 1;
}

static tsr_status check_dilated(tsr_ctx *ctx, const tsr_tensor *x, const tsr_tensor *w, const tsr_tensor *bias, tsr_conv *p) {
  char text[256], other[96];
  if (!all_from(p, p->k, 1)) FAIL("kernel size should be greater than zero, but got %s", listed(text, sizeof text, p, p->k));
  if (!all_from(p, p->stride, 1)) FAIL("stride should be greater than zero, but got %s", listed(text, sizeof text, p, p->stride));
  if (!all_from(p, p->dil, 1)) FAIL("dilation should be greater than zero, but got %s", listed(text, sizeof text, p, p->dil));
  if (x->ndim != p->nd + 1 && x->ndim != p->nd + 2) FAIL("input must be 4D or 5D tensor but got %dD tensor", x->ndim);
  TSR_TRY(measure(ctx, p, x));
  if (!all_from(p, p->out, 0)) {
    size_t n = 0;
    for (int d = 3 - p->nd; d < 3; d++) n += (size_t)snprintf(text + n, sizeof text - n, "%s%lld", d > 3 - p->nd ? " " : "", (long long)p->out[d]);
    FAIL("calculated output size %s is too small (all sizes must be non-negative)", text);
  }
  if (w->ndim != p->nd + 2) FAIL("weight must be %dD tensor but got %dD tensor dim=%d", p->nd + 2, w->ndim, p->nd);
  if (memcmp(w->size + 2, p->k + 3 - p->nd, (size_t)p->nd * sizeof *p->k) != 0) {
    tsr_sizes_print(text, sizeof text, p->nd, w->size + 2);
    FAIL("weight[2:] shape %s must be equal to kernel_size %s", text, listed(other, sizeof other, p, p->k));
  }
  if (p->c != w->size[1])
    FAIL("Need input of dimension %d and input.size[%d] == %lld but got input to be of shape %s", x->ndim, x->ndim - p->nd - 1, (long long)w->size[1],
         sizes(text, sizeof text, x));
  if (bias != NULL && bias->ndim != 1) FAIL("bias must be 1D tensor but got %dD tensor", bias->ndim);
  if (bias != NULL && bias->size[0] != w->size[0])
    FAIL("Need bias of dimension 1 and bias.size[0] == %lld but got input to be of shape %s", (long long)w->size[0], sizes(text, sizeof text, bias));
  return TSR_OK;
}

/* What both transposed kernels ask of the numbers. */
static tsr_status check_steps(tsr_ctx *ctx, const tsr_conv *p) {
  char text[256], more[256], dil[256];
  if (!all_from(p, p->stride, 1)) FAIL("stride should be greater than zero, but got %s", named(text, sizeof text, p, "stride", p->stride, " "));
  if (!all_from(p, p->dil, 1)) FAIL("dilation should be greater than zero, but got %s", named(text, sizeof text, p, "dilation", p->dil, ", "));
  for (int d = 3 - p->nd; d < 3; d++)
    if (p->opad[d] >= p->stride[d] && p->opad[d] >= p->dil[d])
      FAIL("output padding must be smaller than either stride or dilation, but got %s %s %s", named(text, sizeof text, p, "output_padding", p->opad, " "),
           named(more, sizeof more, p, "stride", p->stride, " "), named(dil, sizeof dil, p, "dilation", p->dil, " "));
  return TSR_OK;
}

static tsr_status check_transposed2(tsr_ctx *ctx, const tsr_tensor *x, const tsr_tensor *w, const tsr_tensor *bias, tsr_conv *p) {
  char text[256];
  if (!all_from(p, p->k, 1)) FAIL("kernel size should be greater than zero, but got %s", named(text, sizeof text, p, "kernel", p->k, " "));
  TSR_TRY(check_steps(ctx, p));
  if (w->numel == 0 || (w->ndim != 2 && w->ndim != 4)) FAIL("non-empty 2D or 4D weight tensor expected, but got: %s", sizes(text, sizeof text, w));
  if (bias != NULL) TSR_TRY(check_size(ctx, bias, 1, 0, w->size[1]));
  if (x->numel == 0 || (x->ndim != 3 && x->ndim != 4))
    FAIL("non-empty 3D or 4D input tensor expected but got a tensor with size %s", sizes(text, sizeof text, x));
  TSR_TRY(measure(ctx, p, x));
  TSR_TRY(tsr_conv_check_out(ctx, p));
  return check_size(ctx, x, x->ndim, x->ndim - 3, w->size[0]);
}

static tsr_status check_transposed3(tsr_ctx *ctx, const tsr_tensor *x, const tsr_tensor *w, const tsr_tensor *bias, tsr_conv *p) {
  char text[256];
  if (x->numel == 0 || (x->ndim != 4 && x->ndim != 5))
    FAIL("non-empty 4D or 5D (batch mode) tensor expected for input, but got: %s", sizes(text, sizeof text, x));
  TSR_TRY(check_steps(ctx, p));
  if (w->numel == 0 || w->ndim != 5)
    FAIL("non-empty 5D (n_output_plane x n_input_plane x kernel_depth x kernel_height x kernel_width) tensor expected for weight, but got: %s",
         sizes(text, sizeof text, w));
  if (bias != NULL) TSR_TRY(check_size(ctx, bias, 1, 0, w->size[1]));
  TSR_TRY(measure(ctx, p, x));
  TSR_TRY(check_size(ctx, x, x->ndim, x->ndim - 4, w->size[0]));
  TSR_TRY(tsr_conv_check_out(ctx, p));
  int64_t rows = w->size[1] * tsr_conv_taps(p);
  if (rows < 0)
    FAIL("Trying to create tensor with negative dimension %lld: [%lld, %lld]", (long long)rows, (long long)rows, (long long)tsr_conv_in(p));
  return TSR_OK;
}

static tsr_status check_shapes(tsr_ctx *ctx, tsr_slow_kind kind, const tsr_tensor *x, const tsr_tensor *w, const tsr_tensor *bias, tsr_conv *p) {
  p->transposed = kind == TSR_SLOW_TRANSPOSED;
  if (kind == TSR_SLOW_DILATED) return check_dilated(ctx, x, w, bias, p);
  if (p->transposed) return p->nd == 2 ? check_transposed2(ctx, x, w, bias, p) : check_transposed3(ctx, x, w, bias, p);
  return p->nd == 2 ? check_plain2(ctx, x, w, bias, p) : check_plain3(ctx, x, w, bias, p);
}

static tsr_status check_types(tsr_ctx *ctx, tsr_slow_kind kind, const tsr_tensor *x, const tsr_tensor *w, const tsr_tensor *bias, const tsr_conv *p) {
  if (kind == TSR_SLOW_DILATED) return check_type(ctx, "slow_conv_dilated<>", false, x, w);
  if (kind == TSR_SLOW_PLAIN) return check_type(ctx, p->nd == 2 ? "slow_conv2d_cpu" : is_single(p) ? "slow_conv3d_cpu" : "compute_columns3d", true, x, w);
  TSR_TRY(check_type(ctx, p->nd == 2 ? "slow_conv_transpose2d_out_cpu" : "slow_conv_transpose3d_out_cpu", false, x, w));
  if (bias == NULL || bias->dtype == x->dtype) return TSR_OK;
  const char *xs = tsr_dtype_get_info(x->dtype)->cpp_name;
  if (p->nd == 3) FAIL("expected scalar type %s but found %s", xs, tsr_dtype_get_info(bias->dtype)->cpp_name);
  tsr_tensor some[2] = {{.dtype = x->dtype, .ndim = 1}, {.dtype = bias->dtype, .ndim = 1}};
  tsr_dtype sum = tsr_result_type((tsr_tensor *[]){&some[0], &some[1]}, 2); /* the bias is added in place */
  if (!tsr_dtype_can_cast(sum, (tsr_dtype)x->dtype)) FAIL("result type %s can't be cast to the desired output type %s", tsr_dtype_get_info(sum)->cpp_name, xs);
  return TSR_OK;
}

tsr_status tsr_conv_slow_check(tsr_ctx *ctx, tsr_slow_kind kind, const tsr_tensor *x, const tsr_tensor *w, const tsr_tensor *bias, tsr_conv *p) {
  TSR_TRY(check_shapes(ctx, kind, x, w, bias, p));
  return check_types(ctx, kind, x, w, bias, p);
}

/* ---- slow_conv…, thnn_conv2d: self, weight, kernel_size, bias, stride, padding, output_padding, dilation ---- */

typedef struct slow_row { tsr_slow_kind kind; int nd; bool opad, dilation; } slow_row;

static const slow_row plain2 = {TSR_SLOW_PLAIN, 2, false, false}, plain3 = {TSR_SLOW_PLAIN, 3, false, false}, dilated2 = {TSR_SLOW_DILATED, 2, false, true},
                      dilated3 = {TSR_SLOW_DILATED, 3, false, true}, turned2 = {TSR_SLOW_TRANSPOSED, 2, true, true}, turned3 = {TSR_SLOW_TRANSPOSED, 3, true, true};

static tsr_status read_sizes(tsr_call *c, uint32_t i, const slow_row *r, const char *what, int64_t *out) {
  static const char *const words[] = {"kernel", "stride", "pad", "dilation"};
  int64_t n;
  const int64_t *xs = tsr_arg_ints(c, i, &n);
  if (n == r->nd) {
    memcpy(out + 3 - r->nd, xs, (size_t)r->nd * sizeof *xs);
    return TSR_OK;
  }
  if (r->kind != TSR_SLOW_DILATED)
    return r->nd == 2 && r->kind == TSR_SLOW_PLAIN ? tsr_op_fail(c->ctx, "2D %s expected", what)
                                                   : tsr_op_fail(c->ctx, "It is expected %s equals to %d, but got size %lld", what, r->nd, (long long)n);
  int k = what[0] == 'k' ? 0 : what[0] == 's' ? 1 : what[0] == 'p' ? 2 : 3;
  return tsr_op_fail(c->ctx, "%s%s length should be %d, but got %lld", words[k], k == 0 ? " sizes" : "s", r->nd, (long long)n);
}

static tsr_status read_call(tsr_call *c, const slow_row *r, tsr_conv *p) {
  *p = (tsr_conv){.nd = r->nd, .groups = 1, .dil = {1, 1, 1}};
  TSR_TRY(read_sizes(c, 2, r, "kernel_size", p->k));
  if (r->dilation) TSR_TRY(read_sizes(c, r->opad ? 7 : 6, r, "dilation", p->dil));
  TSR_TRY(read_sizes(c, 5, r, "padding", p->pad));
  TSR_TRY(read_sizes(c, 4, r, "stride", p->stride));
  if (r->opad) TSR_TRY(read_sizes(c, 6, r, "stride", p->opad));
  return TSR_OK;
}

/* The weight as the kernel reads it: its elements in memory's order are those of filters of kernel_size, which need not be the weight's own. */
static tsr_status reshape_weight(tsr_ctx *ctx, tsr_tensor **w, const tsr_conv *p, bool last) {
  int64_t outer = p->transposed ? p->c : p->oc, inner = p->transposed ? p->oc : p->c / p->groups, taps = tsr_conv_taps(p), need;
  bool same = (*w)->ndim == p->nd + 2 && memcmp((*w)->size + 2, p->k + 3 - p->nd, (size_t)p->nd * sizeof *p->k) == 0;
  if (same || inner == 0) return TSR_OK;
  if (tsr_mul_overflow(outer * inner, taps, &need) || need > (*w)->numel || (p->transposed && need != (*w)->numel)) {
    char ws[256], ks[96];
    return tsr_op_fail(ctx, "kernel_size %s does not fit the weight of size %s", listed(ks, sizeof ks, p, p->k), sizes(ws, sizeof ws, *w));
  }
  bool turned = last && (*w)->ndim == 4;
  int64_t size[5] = {outer, inner}, stride[5] = {inner * taps, turned ? 1 : taps}, step = turned ? inner : 1;
  TSR_TRY(turned ? tsr_channels_last(ctx, w, *w) : tsr_contiguous(ctx, w, *w));
  for (int d = p->nd + 1; d > 1; d--) {
    size[d] = p->k[d - 2 + 3 - p->nd];
    stride[d] = step;
    step *= size[d];
  }
  if (p->groups == 1) return tsr_new_view(ctx, w, *w, (*w)->offset, p->nd + 2, size, stride);
  tsr_tensor **part = tsr_scratch(ctx, (size_t)p->groups * sizeof *part); /* each group begins at its rows of the whole weight */
  int64_t row = (*w)->numel / (*w)->size[0];
  if (part == NULL) return tsr_op_nomem(ctx);
  size[0] = outer / p->groups;
  for (int64_t g = 0; g < p->groups; g++) TSR_TRY(tsr_new_view(ctx, &part[g], *w, (*w)->offset + g * size[0] * row, p->nd + 2, size, stride));
  return tsr_cat(ctx, w, part, p->groups, 0);
}

/* thnn_conv2d takes padding below zero off one end, unless it pads the other dimension. */
static tsr_status crop(tsr_ctx *ctx, tsr_tensor **x, tsr_conv *p) {
  if (p->pad[1] > 0 || p->pad[2] > 0) return TSR_OK;
  for (int d = 1; d < 3; d++) {
    p->in[d] += 2 * p->pad[d];
    p->pad[d] = 0;
    TSR_TRY(tsr_narrow(ctx, x, *x, d + 1, 0, p->in[d]));
  }
  return TSR_OK;
}

/* What PyTorch asks of an out argument before it writes there. */
static tsr_status check_out(tsr_call *c, const slow_row *r, const tsr_conv *p) {
  if (c->outs == NULL || r->nd != 3 || r->kind != TSR_SLOW_PLAIN || c->outs[0].tag != TSR_V_TENSOR) return TSR_OK;
  const tsr_tensor *out = c->outs[0].t;
  int64_t size[5] = {p->n, p->oc, p->out[0], p->out[1], p->out[2]};
  if (out->ndim == 5 && memcmp(out->size, size, sizeof size) == 0 && !tsr_tensor_is_contiguous(out))
    return tsr_op_fail(c->ctx, "slow_conv3d output must be contiguous");
  return TSR_OK;
}

TSR_KERNEL(conv_slow) {
  const slow_row *r = c->op->data;
  tsr_ctx *ctx = c->ctx;
  tsr_conv_args a = {.x = tsr_arg_tensor(c, 0), .w = tsr_arg_tensor(c, 1), .bias = tsr_arg_opt_tensor(c, 3), .site = (c->constant & 2) != 0 ? c->site : NULL, .groups = 1};
  tsr_tensor *x = a.x, *y;
  tsr_conv p;
  TSR_TRY(read_call(c, r, &p));
  TSR_TRY(check_shapes(ctx, r->kind, x, a.w, a.bias, &p));
  if (r == &turned2) TSR_TRY(tsr_out_expect(c, 0, (tsr_dtype)x->dtype));
  TSR_TRY(check_types(ctx, r->kind, x, a.w, a.bias, &p));
  p.oc = p.transposed ? a.w->size[1] : a.w->size[0];
  TSR_TRY(check_out(c, r, &p));
  bool batched = x->ndim == r->nd + 2;
  bool last = r->nd == 2 && ((batched && tsr_conv_suggests_last(4, x->size, x->stride)) || (a.w->ndim == 4 && tsr_conv_suggests_last(4, a.w->size, a.w->stride)));
  if (last && !batched) return tsr_op_fail(ctx, "required rank 4 tensor to use channels_last format");
  TSR_TRY(reshape_weight(ctx, &a.w, &p, last));
  if (!batched) TSR_TRY(tsr_unsqueeze(ctx, &x, x, 0));
  if (r == &plain2) TSR_TRY(crop(ctx, &x, &p));
  TSR_TRY(tsr_conv_compute(ctx, &y, &p, &a, x, last));
  bool keeps = r == &turned2 && tsr_tensor_is_contiguous(a.x); /* PyTorch gives that one its batch of one in place */
  if (!batched && !keeps) TSR_TRY(tsr_squeeze_dim(ctx, &y, y, 0));
  return tsr_ret_tensor(c, 0, y);
}

/* ---- mkldnn_convolution: self, weight, bias, padding, stride, dilation, groups ---- */

/* What oneDNN takes at all, and as the operand at hand. */
static tsr_status check_dense(tsr_ctx *ctx, const tsr_tensor *t, const char *role, bool bytes) {
  tsr_dtype d = (tsr_dtype)t->dtype;
  if (d == TSR_FLOAT32 || d == TSR_FLOAT16 || d == TSR_BFLOAT16) return TSR_OK;
  if (d != TSR_INT8 && d != TSR_UINT8) FAIL("itensor_view_from_dense expects float/bfloat16/half/int8/fp8 tensor input%s", tsr_dtype_get_info(d)->cpp_name);
  if (bytes) return TSR_OK;
  FAIL("mkldnn_convolution has no kernel for %s of type %s", role, tsr_dtype_get_info(d)->cpp_name);
}

/* Rounded to whole numbers that a byte holds. */
static tsr_status to_bytes(tsr_ctx *ctx, tsr_tensor **t, double lo, double hi) {
  void *data;
  TSR_TRY(tsr_to_dtype(ctx, t, *t, TSR_FLOAT64));
  TSR_TRY(tsr_clone(ctx, t, *t));
  TSR_TRY(tsr_data_mut(ctx, *t, &data));
  double *x = data;
  for (int64_t i = 0; i < (*t)->numel; i++) x[i] = fmin(fmax(nearbyint(x[i]), lo), hi);
  return TSR_OK;
}

/* Bytes: the exact sums, rounded and cut to the range of the result. */
static tsr_status convolve_bytes(tsr_ctx *ctx, tsr_tensor **y, const tsr_conv *p, const tsr_conv_args *a, bool last) {
  tsr_conv_args wide = *a;
  bool whole = a->x->dtype == TSR_UINT8;
  wide.site = NULL;
  TSR_TRY(tsr_to_dtype(ctx, &wide.x, a->x, TSR_FLOAT64));
  TSR_TRY(tsr_to_dtype(ctx, &wide.w, a->w, TSR_FLOAT64));
  TSR_TRY(tsr_conv_compute(ctx, y, p, &wide, wide.x, last));
  TSR_TRY(to_bytes(ctx, y, whole ? 0 : -128, whole ? 255 : 127));
  return tsr_to_dtype(ctx, y, *y, (tsr_dtype)a->x->dtype);
}

TSR_KERNEL(mkldnn_convolution) {
  tsr_ctx *ctx = c->ctx;
  tsr_conv_args a = {.x = tsr_arg_tensor(c, 0), .w = tsr_arg_tensor(c, 1), .bias = tsr_arg_opt_tensor(c, 2), .site = (c->constant & 2) != 0 ? c->site : NULL};
  tsr_tensor *y;
  tsr_conv p;
  a.pad = tsr_arg_ints(c, 3, &a.pad_n);
  a.stride = tsr_arg_ints(c, 4, &a.stride_n);
  a.dil = tsr_arg_ints(c, 5, &a.dil_n);
  a.groups = tsr_arg_int(c, 6);
  TSR_TRY(tsr_conv_describe_native(ctx, &a, &p));
  TSR_TRY(check_dense(ctx, a.x, "an input", true));
  TSR_TRY(check_dense(ctx, a.w, "a weight", true));
  if (a.bias != NULL) TSR_TRY(check_dense(ctx, a.bias, "a bias", false));
  if (a.bias != NULL && a.bias->dtype != TSR_FLOAT32 && a.bias->dtype != a.x->dtype)
    FAIL("mkldnn_convolution has no kernel for an input of type %s and a bias of type %s", tsr_dtype_get_info(a.x->dtype)->cpp_name, tsr_dtype_get_info(a.bias->dtype)->cpp_name);
  TSR_TRY(tsr_conv_check_native(ctx, &a, &p));
  bool last = tsr_conv_suggests_last(a.x->ndim, a.x->size, a.x->stride) || tsr_conv_suggests_last(a.w->ndim, a.w->size, a.w->stride);
  if (a.x->dtype == TSR_INT8 || a.x->dtype == TSR_UINT8) {
    TSR_TRY(convolve_bytes(ctx, &y, &p, &a, last));
    return tsr_ret_tensor(c, 0, y);
  }
  if (a.w->dtype != a.x->dtype) {
    TSR_TRY(tsr_to_dtype(ctx, &a.w, a.w, (tsr_dtype)a.x->dtype));
    a.site = NULL;
  }
  TSR_TRY(tsr_conv_compute(ctx, &y, &p, &a, a.x, last));
  return tsr_ret_tensor(c, 0, y);
}

/* ---- conv_tbc: x [time, batch, channel], w [width, in, out], bias, pad ---- */

static tsr_status tbc_check(tsr_ctx *ctx, const tsr_tensor *x, const tsr_tensor *w, const tsr_tensor *bias, int64_t pad, int64_t *len) {
  int64_t twice;
  if (x->ndim != 3) FAIL("Input must have 3 dims: time, batch, in_channel");
  if (w->ndim != 3) FAIL("Weight tensor must have 3 dims: kernel_width, in_channels, out_channels.");
  if (bias->ndim != 1) FAIL("Bias must be 1-D");
  if (x->size[2] != w->size[1]) FAIL("Input dim 2 (input channels) is not == dim 1 in the weight tensor");
  if (w->size[2] != bias->size[0]) FAIL("Bias size must equal dim 2 in the weight tensor (output channels).");
  if (tsr_mul_overflow(pad, 2, &twice) || tsr_add_overflow(x->size[0] - w->size[0] + 1, twice, len)) FAIL("convolution sizes overflow");
  return TSR_OK;
}

/* PyTorch's own steps: a product for each element of the kernel, of the rows that it sees, added in the result's type. */
TSR_KERNEL(conv_tbc) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *x = tsr_arg_tensor(c, 0), *w = tsr_arg_tensor(c, 1), *bias = tsr_arg_tensor(c, 2), *y;
  int64_t pad = tsr_arg_int(c, 3), len = 0;
  const tsr_op *add = tsr_op_get("aten::addmm_", "");
  TSR_TRY(tbc_check(ctx, x, w, bias, pad, &len));
  int64_t batch = x->size[1], in = x->size[2], out = w->size[2], size[3] = {len, batch, out};
  if (len < 0) FAIL("Trying to create tensor with negative dimension %lld: [%lld, %lld, %lld]", (long long)len, (long long)len, (long long)batch, (long long)out);
  TSR_TRY(tsr_new(ctx, &y, (tsr_dtype)x->dtype, 3, size));
  TSR_TRY(tsr_copy_into(ctx, y, bias));
  for (int64_t k = 0; k < w->size[0]; k++) {
    int64_t from = TSR_MAX(0, k - pad), to = TSR_MAX(0, pad - k), t = TSR_MIN(x->size[0] + pad - k, len) - to;
    tsr_tensor *wk, *xk, *yk;
    tsr_val ret;
    if (t <= 0) continue;
    TSR_TRY(tsr_select(ctx, &wk, w, 0, k));
    TSR_TRY(tsr_narrow(ctx, &xk, x, 0, from, t));
    TSR_TRY(tsr_view_as(ctx, &xk, xk, 2, (int64_t[]){t * batch, in}));
    TSR_TRY(tsr_narrow(ctx, &yk, y, 0, to, t));
    TSR_TRY(tsr_view_as(ctx, &yk, yk, 2, (int64_t[]){t * batch, out}));
    tsr_val args[5] = {tsr_from_obj(yk), tsr_from_obj(xk), tsr_from_obj(wk), tsr_int(1), tsr_int(1)};
    TSR_TRY(tsr_invoke(ctx, add, args, 5, &ret, 1));
  }
  return tsr_ret_tensor(c, 0, y);
}

/* ---- rows ---- */

#define DEFAULTS2 "Tensor? bias=None, SymInt[2] stride=[1, 1], SymInt[2] padding=[0, 0]"
#define DEFAULTS3 "Tensor? bias=None, SymInt[3] stride=[1, 1, 1], SymInt[3] padding=[0, 0, 0]"
#define GIVEN2 "Tensor? bias, SymInt[2] stride, SymInt[2] padding"
#define GIVEN3 "Tensor? bias, SymInt[3] stride, SymInt[3] padding"
/* An operator and its out= form; flag: what that says to an out argument of another element type. */
#define SLOW(name, over, n, params, out, flag, data)                                                                                           \
  {"aten::" name "(Tensor self, Tensor weight, SymInt[" n "] kernel_size, " params ") -> Tensor", op_conv_slow, TSR_PURE, &data},              \
  {"aten::" name "." over "(Tensor self, Tensor weight, SymInt[" n "] kernel_size, " params ", *, Tensor(a!) " out ") -> Tensor(a!)", op_conv_slow, flag, &data}
#define MKLDNN "Tensor self, Tensor weight, Tensor? bias, SymInt[] padding, SymInt[] stride, SymInt[] dilation, SymInt groups"

const tsr_op tsr_ops_conv_slow[] = {
    SLOW("thnn_conv2d", "out", "2", DEFAULTS2, "out", TSR_OUT_ACCESS | TSR_OUT_ANEW4, plain2),
    SLOW("_slow_conv2d_forward", "output", "2", GIVEN2, "output", TSR_OUT_ACCESS | TSR_OUT_ANEW4, plain2),
    SLOW("slow_conv3d", "out", "3", DEFAULTS3, "out", TSR_OUT_ACCESS, plain3),
    SLOW("slow_conv3d_forward", "output", "3", GIVEN3, "output", TSR_OUT_ACCESS, plain3),
    SLOW("slow_conv_dilated2d", "out", "2", DEFAULTS2 ", SymInt[2] dilation=[1, 1]", "out", TSR_OUT_NEW, dilated2),
    SLOW("slow_conv_dilated3d", "out", "3", DEFAULTS3 ", SymInt[3] dilation=[1, 1, 1]", "out", TSR_OUT_NEW, dilated3),
    SLOW("slow_conv_transpose2d", "out", "2", DEFAULTS2 ", SymInt[2] output_padding=[0, 0], SymInt[2] dilation=[1, 1]", "out", TSR_OUT_SAME, turned2),
    SLOW("slow_conv_transpose3d", "out", "3", DEFAULTS3 ", SymInt[3] output_padding=[0, 0, 0], SymInt[3] dilation=[1, 1, 1]", "out", TSR_OUT_ACCESS, turned3),
    {"aten::mkldnn_convolution(" MKLDNN ") -> Tensor", op_mkldnn_convolution, TSR_PURE},
    {"aten::mkldnn_convolution.out(" MKLDNN ", *, Tensor(a!) out) -> Tensor(a!)", op_mkldnn_convolution, TSR_OUT_NEW},
    {"aten::conv_tbc(Tensor self, Tensor weight, Tensor bias, int pad=0) -> Tensor", op_conv_tbc, TSR_PURE},
    {"aten::conv_tbc.out(Tensor self, Tensor weight, Tensor bias, int pad=0, *, Tensor(a!) out) -> Tensor(a!)", op_conv_tbc, TSR_OUT_NEW},
    {0},
};
