/* The convolution operators: element types, layouts, rows. */
#include "ops/conv.h"
#include "ops/layout.h"
#include "ops/native.h"
#include "ops/product.h"

/* PyTorch's suggest_memory_format() == channels last: by strides alone, so 1x1 kernels may count. */
bool tsr_conv_suggests_last(int ndim, const int64_t *size, const int64_t *stride) {
  static const int order4[] = {1, 3, 2, 0}, order5[] = {1, 4, 3, 2, 0};
  if (ndim != 4 && ndim != 5) return false;
  const int *order = ndim == 4 ? order4 : order5;
  int64_t least = 0;
  if (stride[1] == 0) return false;
  for (int i = 0; i < ndim; i++) {
    int d = order[i];
    if (size[d] == 0 || stride[d] < least || (d == 0 && least == stride[1])) return false;
    least = stride[d];
    if (size[d] > 1) least *= size[d];
  }
  return true;
}

static bool suggests_last(const tsr_tensor *t) {
  if (t->ndim != 3) return tsr_conv_suggests_last(t->ndim, t->size, t->stride);
  int64_t size[4] = {t->size[0], t->size[1], 1, t->size[2]}, stride[4] = {t->stride[0], t->stride[1], t->size[2] * t->stride[2], t->stride[2]};
  return tsr_conv_suggests_last(4, size, stride);
}

/* Is the result channels last?  Inputs of one dimension are put in order first. */
static bool result_last(const tsr_conv *p, const tsr_tensor *x, const tsr_tensor *w, tsr_dtype d) {
  if (p->nd == 3 && !tsr_conv_is_native(p, d)) return false;
  return !tsr_conv_is_empty(p) && ((p->nd > 1 && suggests_last(x) && !x->hidden) || suggests_last(w));
}

static tsr_status new_result(tsr_ctx *ctx, tsr_tensor **y, const tsr_conv *p, tsr_dtype dtype, bool last) {
  int64_t size[5] = {p->n, p->oc}, stride[5];
  memcpy(size + 2, p->out + 3 - p->nd, (size_t)p->nd * sizeof *size);
  if (!last) return tsr_new(ctx, y, dtype, p->nd + 2, size);
  if (p->nd == 1) return tsr_new_strided(ctx, y, dtype, 3, size, (int64_t[]){p->oc * p->out[2], 1, p->oc});
  tsr_strides_channels_last(p->nd + 2, size, stride);
  return tsr_new_strided(ctx, y, dtype, p->nd + 2, size, stride);
}

/* Contiguous or channels-last operand of the float32 kernels. */
static tsr_status settle(tsr_ctx *ctx, tsr_tensor **t) {
  if ((*t)->ndim >= 4 && tsr_tensor_is_channels_last(*t)) return TSR_OK;
  return tsr_contiguous(ctx, t, *t);
}

static bool same_layout(const tsr_tensor *a, const tsr_tensor *b) {
  if (!tsr_tensor_same_size(a, b) || a->dtype != b->dtype) return false;
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

/* By unfolding, of any element type but half: *y = x * w + bias, rounded to y's type. */
static tsr_status run_plain(tsr_ctx *ctx, const tsr_conv *p, const tsr_conv_args *a, tsr_tensor **y, tsr_tensor *x) {
  tsr_tensor *w, *z;
  int64_t shape[5] = {1, p->oc, 1, 1, 1};
  TSR_TRY(tsr_contiguous(ctx, &x, x));
  TSR_TRY(tsr_contiguous(ctx, &w, a->w));
  TSR_TRY(new_result(ctx, &z, p, (tsr_dtype)x->dtype, false));
  TSR_TRY(tsr_conv_plain(ctx, p, z, x, w));
  if (a->bias != NULL) {
    tsr_tensor *b;
    TSR_TRY(tsr_to_dtype(ctx, &b, a->bias, (tsr_dtype)x->dtype));
    TSR_TRY(tsr_reshape(ctx, &b, b, p->nd + 2, shape));
    TSR_TRY(tsr_binary(ctx, &z, "add", z, b));
  }
  return tsr_copy_into(ctx, *y, z);
}

/* Padding below zero leaves out what lies at the border; the packed kernels know nothing of it. */
static bool is_cut(const tsr_conv *p) {
  for (int d = 0; d < 3; d++)
    if (p->pad[d] < 0 || p->opad[d] < 0) return true;
  return false;
}

/* Half and bfloat16: in float32, rounded once. */
static tsr_status run_narrow(tsr_ctx *ctx, const tsr_conv *p, const tsr_conv_args *a, tsr_tensor *y, tsr_tensor *x) {
  tsr_conv_args wide = *a;
  tsr_tensor *z, *xf;
  TSR_TRY(tsr_ready(ctx, &xf, x, TSR_FLOAT32));
  TSR_TRY(tsr_ready(ctx, &wide.w, a->w, TSR_FLOAT32));
  if (is_cut(p)) return run_plain(ctx, p, &wide, &y, xf);
  TSR_TRY(new_result(ctx, &z, p, TSR_FLOAT32, false));
  wide.epi = (tsr_epi){0};
  TSR_TRY(run_f32(ctx, p, &wide, z, xf, NULL));
  return tsr_copy_into(ctx, y, z);
}

/* float32 without what is fused: into a result of any layout. */
static tsr_status run_bare(tsr_ctx *ctx, const tsr_conv *p, const tsr_conv_args *a, tsr_tensor *y, tsr_tensor *x) {
  tsr_conv_args bare = *a;
  tsr_tensor *z = y;
  bare.epi = (tsr_epi){0};
  bool odd = p->nd == 1 && !tsr_tensor_is_contiguous(y);
  if (odd) TSR_TRY(new_result(ctx, &z, p, TSR_FLOAT32, false));
  TSR_TRY(run_f32(ctx, p, &bare, z, x, NULL));
  return odd ? tsr_copy_into(ctx, y, z) : TSR_OK;
}

/* y = x * w + bias */
static tsr_status fill(tsr_ctx *ctx, const tsr_conv *p, const tsr_conv_args *a, tsr_tensor **y, tsr_tensor *x) {
  tsr_dtype d = (tsr_dtype)x->dtype;
  if ((*y)->numel == 0) return TSR_OK;
  if (d == TSR_FLOAT16 || d == TSR_BFLOAT16) return run_narrow(ctx, p, a, *y, x);
  return d == TSR_FLOAT32 && p->c > 0 && !is_cut(p) ? run_bare(ctx, p, a, *y, x) : run_plain(ctx, p, a, y, x);
}

tsr_status tsr_conv_compute(tsr_ctx *ctx, tsr_tensor **y, const tsr_conv *p, const tsr_conv_args *a, tsr_tensor *x, bool last) {
  TSR_TRY(new_result(ctx, y, p, (tsr_dtype)x->dtype, last));
  return fill(ctx, p, a, y, x);
}

/* What PyTorch makes of no batch or no channels: the product's type, no elements. */
static tsr_status empty_result(tsr_ctx *ctx, tsr_tensor **y, const tsr_conv *p, const tsr_conv_args *a) {
  tsr_tensor one = {.dtype = a->w->dtype, .ndim = p->c == 0}, b = {.dtype = a->bias != NULL ? a->bias->dtype : 0};
  tsr_conv q = *p;
  if (p->c == 0) q.oc = 0;
  tsr_dtype d = tsr_result_type((tsr_tensor *[]){a->x, &one}, 2);
  tsr_tensor product = {.dtype = (uint8_t)d, .ndim = 1};
  if (a->bias != NULL) {
    tsr_dtype sum = tsr_result_type((tsr_tensor *[]){&product, &b}, 2);
    if (!tsr_dtype_can_cast(sum, d))
      return tsr_op_fail(ctx, "result type %s can't be cast to the desired output type %s", tsr_dtype_get_info(sum)->cpp_name, tsr_dtype_get_info(d)->cpp_name);
  }
  return new_result(ctx, y, &q, d, false);
}

/* What is added to a hidden result is turned as it is; to another, revealed. */
static tsr_status meet_layout(tsr_ctx *ctx, tsr_tensor **residual, const tsr_tensor *y) {
  tsr_tensor *r = *residual;
  if (!y->hidden) return tsr_layout_reveal(ctx, r);
  bool turn = !r->hidden && r->dtype == TSR_FLOAT32 && r->ndim == 4 && memcmp(r->size, y->size, 4 * sizeof *r->size) == 0 && tsr_tensor_is_contiguous(r);
  return turn ? tsr_layout_hide(ctx, residual, r) : TSR_OK;
}

/* Can the hidden result lie where the residual does?  That saves reading memory only to write it. */
static bool takes_residual(const tsr_ctx *ctx, const tsr_conv_args *a, const tsr_conv *p) {
  const tsr_tensor *r = a->residual;
  int64_t size[4] = {p->n, p->oc, p->out[1], p->out[2]};
  return a->take && r->hidden && r != a->x && memcmp(r->size, size, sizeof size) == 0 && tsr_conv_f32_in_place(ctx, a->site, p);
}

tsr_status tsr_convolution(tsr_ctx *ctx, tsr_tensor **out, const tsr_conv_args *a) {
  tsr_conv p;
  tsr_tensor *x = a->x, *y, *residual = a->residual;
  TSR_TRY(tsr_conv_describe(ctx, a, x, &p));
  if (tsr_conv_is_empty(&p)) return empty_result(ctx, out, &p, a);
  tsr_dtype d = (tsr_dtype)x->dtype;
  bool last = result_last(&p, x, a->w, d), hide = a->hide && !last && p.nd == 2 && d == TSR_FLOAT32;
  if (hide && takes_residual(ctx, a, &p)) y = residual;
  else if (hide) TSR_TRY(tsr_layout_new(ctx, &y, (int64_t[]){p.n, p.oc, p.out[1], p.out[2]}));
  else TSR_TRY(new_result(ctx, &y, &p, d, last));
  *out = y;
  if (y->numel == 0) return TSR_OK;
  if (residual != NULL) TSR_TRY(meet_layout(ctx, &residual, y));
  if (d == TSR_FLOAT32 && !(last && p.nd == 1) && (residual == NULL || same_layout(residual, y))) return run_f32(ctx, &p, a, y, x, residual);
  TSR_TRY(fill(ctx, &p, a, out, x));
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
  if (tsr_conv_describe(ctx, a, &x, &p) != TSR_OK) { /* the call will say so */
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
  if (a.bias != NULL && a.bias->dtype != a.x->dtype)
    return tsr_op_fail(c->ctx, "Input type (%s) and bias type (%s) should be the same", tsr_dtype_c_name((tsr_dtype)a.x->dtype), tsr_dtype_c_name((tsr_dtype)a.bias->dtype));
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
  for (int d = 0; d < nd; d++) uneven = uneven && pad[d] >= 0; /* the checks that follow complain */
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

/* self, weight, kernel_size, bias, stride, padding, dilation: the kernel size repeats the weight's; PyTorch has them on other devices. */
TSR_KERNEL(conv_depthwise) {
  const conv_row *r = c->op->data;
  tsr_conv_args a = {.x = tsr_arg_tensor(c, 0), .w = tsr_arg_tensor(c, 1), .bias = tsr_arg_opt_tensor(c, 3), .site = (c->constant & 2) != 0 ? c->site : NULL};
  int_list(c, 4, &a.stride, &a.stride_n);
  int_list(c, 5, &a.pad, &a.pad_n);
  int_list(c, 6, &a.dil, &a.dil_n);
  a.groups = a.x->ndim == r->nd + 2 ? a.x->size[1] : 1;
  return run_batched(c, &a, r->nd, r->name);
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
  a.take = a.residual != NULL && tsr_arg_moved(c, 7);
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
   ", SymInt[" #n "] dilation=" ones ", SymInt groups=1) -> Tensor", op_conv, TSR_PURE | TSR_MAKES, &d, prepare_conv},                                   \
  {"aten::conv" #n "d.padding(Tensor input, Tensor weight, Tensor? bias=None, SymInt[" #n "] stride=" ones                     \
   ", str padding=\"valid\", SymInt[" #n "] dilation=" ones ", SymInt groups=1) -> Tensor", op_conv_mode, TSR_PURE, &d}
#define TRANSPOSE_ROW(n, over, zeros, ones, t)                                                                                 \
  {"aten::conv_transpose" #n "d" over "(Tensor input, Tensor weight, Tensor? bias=None, SymInt[" #n "] stride=" ones          \
   ", SymInt[" #n "] padding=" zeros ", SymInt[" #n "] output_padding=" zeros ", SymInt groups=1, SymInt[" #n "] dilation=" ones \
   ") -> Tensor", op_conv_transpose, TSR_PURE | TSR_MAKES, &t, prepare_transpose}

const tsr_op tsr_ops_conv[] = {
    CONV_ROWS(1, "[0]", "[1]", d1),
    CONV_ROWS(2, "[0, 0]", "[1, 1]", d2),
    CONV_ROWS(3, "[0, 0, 0]", "[1, 1, 1]", d3),
    TRANSPOSE_ROW(1, "", "[0]", "[1]", t1),
    TRANSPOSE_ROW(2, ".input", "[0, 0]", "[1, 1]", t2),
    TRANSPOSE_ROW(3, ".input", "[0, 0, 0]", "[1, 1, 1]", t3),
    {"aten::convolution(Tensor input, Tensor weight, Tensor? bias, SymInt[] stride, SymInt[] padding, SymInt[] dilation, bool transposed, "
     "SymInt[] output_padding, SymInt groups) -> Tensor", op_convolution, TSR_PURE | TSR_MAKES, .prepare = prepare_convolution},
    {"aten::_convolution.deprecated(Tensor input, Tensor weight, Tensor? bias, SymInt[] stride, SymInt[] padding, SymInt[] dilation, bool transposed, "
     "int[] output_padding, SymInt groups, bool benchmark, bool deterministic, bool cudnn_enabled) -> Tensor", op_convolution, TSR_PURE | TSR_MAKES, .prepare = prepare_convolution},
    {"aten::_convolution(Tensor input, Tensor weight, Tensor? bias, SymInt[] stride, SymInt[] padding, SymInt[] dilation, bool transposed, "
     "SymInt[] output_padding, SymInt groups, bool benchmark, bool deterministic, bool cudnn_enabled, bool allow_tf32) -> Tensor", op_convolution, TSR_PURE | TSR_MAKES, .prepare = prepare_convolution},
    {"aten::convolution_overrideable(Tensor input, Tensor weight, Tensor? bias, SymInt[] stride, SymInt[] padding, SymInt[] dilation, bool transposed, "
     "SymInt[] output_padding, SymInt groups) -> Tensor", op_convolution, TSR_PURE | TSR_MAKES, .prepare = prepare_convolution},
    {"aten::_convolution_mode(Tensor input, Tensor weight, Tensor? bias, SymInt[] stride, str padding, SymInt[] dilation, SymInt groups) -> Tensor",
     op_conv_mode, TSR_PURE, &any},
    {"aten::_conv_depthwise2d(Tensor self, Tensor weight, SymInt[2] kernel_size, Tensor? bias, SymInt[2] stride, SymInt[2] padding, "
     "SymInt[2] dilation) -> Tensor", op_conv_depthwise, TSR_PURE, &d2},
    {"aten::conv_depthwise3d(Tensor self, Tensor weight, SymInt[3] kernel_size, Tensor? bias, SymInt[3] stride, SymInt[3] padding, "
     "SymInt[3] dilation) -> Tensor", op_conv_depthwise, TSR_PURE, &d3},
    {"tsr::conv_act(Tensor x, Tensor weight, Tensor? bias, int[] stride, int[] padding, int[] dilation, int groups, Tensor? residual, int act, "
     "float p0=0., float p1=0.) -> Tensor", op_conv_act, TSR_PURE | TSR_HIDDEN | TSR_MAKES, .prepare = prepare_conv},
    {"tsr::conv_last(Tensor x, Tensor weight, Tensor? bias, int[] stride, int[] padding, int[] dilation, int groups, Tensor? residual, int act, "
     "float p0=0., float p1=0.) -> Tensor", op_conv_last, TSR_PURE | TSR_HIDDEN | TSR_OWN_ORDER | TSR_MAKES, .prepare = prepare_conv},
    {0},
};
