/* The quantized:: operators: layers over packed parameters, arithmetic, activations.
 *
 * Integers are exact in float64, so every layer is the float operator on centred integers, scaled at the
 * end as integer kernels do (quant_rescale.c). */
#include <math.h>

#include "ops/quant_packed.h"

static tsr_status invoke1(tsr_ctx *ctx, tsr_tensor **out, const char *name, const char *overload, tsr_val *args, uint32_t n) {
  tsr_val ret;
  TSR_TRY(tsr_invoke(ctx, tsr_op_get(name, overload), args, n, &ret, 1));
  *out = ret.t;
  return TSR_OK;
}

typedef enum after { PLAIN, RELU, LEAKY, TANH } after;
static const after do_plain = PLAIN, do_relu = RELU, do_leaky = LEAKY, do_tanh = TANH;

static tsr_status finish(tsr_ctx *ctx, tsr_tensor **y, after then, double slope) {
  if (then == RELU) return tsr_unary(ctx, y, "relu", *y);
  if (then == TANH) return tsr_unary(ctx, y, "tanh", *y);
  if (then != LEAKY) return TSR_OK;
  tsr_val args[] = {tsr_from_obj(*y), tsr_float(slope)};
  return invoke1(ctx, y, "aten::leaky_relu", "", args, 2);
}

/* ---- linear ---- */

static tsr_status check_width(tsr_ctx *ctx, const tsr_tensor *x, const tsr_tensor *w) {
  if (x->ndim >= 1 && x->size[x->ndim - 1] == w->size[1]) return TSR_OK;
  return tsr_op_fail(ctx, "The number of columns in the input (%lld) does not match the weight's %lld", x->ndim > 0 ? (long long)x->size[x->ndim - 1] : 0LL, (long long)w->size[1]);
}

static tsr_status linear_sums(tsr_ctx *ctx, tsr_tensor **y, tsr_tensor *qx, const tsr_qlinear *p) {
  tsr_tensor *x, *w;
  TSR_TRY(check_width(ctx, qx, p->weight));
  TSR_TRY(tsr_need_quantized(ctx, p->weight, "quantized::linear weight"));
  TSR_TRY(tsr_centred(ctx, &x, qx));
  TSR_TRY(tsr_centred(ctx, &w, p->weight));
  TSR_TRY(tsr_transpose(ctx, &w, w, 0, 1));
  return tsr_matmul(ctx, y, x, w);
}

/* A layer's sums to its output; scale and zero point are arguments at, at + 1. */
static tsr_status layer_output(tsr_call *c, tsr_tensor **y, int dim, const tsr_tensor *w, tsr_tensor *bias, uint32_t at, double slope, bool onednn) {
  const tsr_tensor *qx = tsr_arg_tensor(c, 0);
  after then = *(const after *)c->op->data;
  double scale = tsr_arg_float(c, at);
  int64_t zero = tsr_arg_int(c, at + 1);
  const tsr_requant r = {qx->quant->scale, scale, zero, (tsr_dtype)qx->dtype, then == RELU, onednn};
  if (then == PLAIN || then == RELU) return tsr_requantize(c->ctx, y, *y, dim, &r, w, bias);
  TSR_TRY(tsr_rescale(c->ctx, y, *y, dim, qx->quant->scale, w, bias));
  TSR_TRY(finish(c->ctx, y, then, slope));
  return tsr_quantize(c->ctx, y, *y, scale, zero, (tsr_dtype)qx->dtype);
}

TSR_KERNEL(linear) { /* (X, W, scale, zero_point[, slope]) */
  tsr_tensor *qx = tsr_arg_tensor(c, 0), *y;
  tsr_qlinear p;
  TSR_TRY(tsr_need_quantized(c->ctx, qx, "quantized::linear"));
  TSR_TRY(tsr_qlinear_read(c->ctx, &p, c->args[1]));
  TSR_TRY(linear_sums(c->ctx, &y, qx, &p));
  TSR_TRY(layer_output(c, &y, y->ndim - 1, p.weight, p.bias, 2, c->nargs > 4 ? tsr_scalar_of(c->args[4]).d : 0, false));
  return tsr_ret_tensor(c, 0, y);
}

static tsr_status number_of(tsr_ctx *ctx, tsr_tensor **t, const char *op, tsr_tensor *x, double *out) {
  TSR_TRY(tsr_reduce(ctx, t, op, x, -1, NULL, false, -1));
  *out = tsr_tensor_get(ctx->mem, *t, 0).d;
  return TSR_OK;
}

/* Quantize the activations of this call to 8 bits (7 with reduce_range). */
static tsr_status quantize_now(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, bool reduce) {
  double lo = 0, hi = 0, scale;
  int64_t zero;
  tsr_tensor *t;
  if (x->numel > 0) {
    TSR_TRY(number_of(ctx, &t, "amin", x, &lo));
    TSR_TRY(number_of(ctx, &t, "amax", x, &hi));
  }
  tsr_choose_qparams(lo, hi, 0, reduce ? 127 : 255, &scale, &zero);
  return tsr_quantize(ctx, out, x, scale, zero, TSR_QUINT8);
}

tsr_status tsr_qlinear_dynamic(tsr_ctx *ctx, tsr_tensor **y, tsr_tensor *x, const tsr_qlinear *p, bool reduce) {
  tsr_tensor *qx;
  TSR_TRY(check_width(ctx, x, p->weight));
  if (p->weight->quant == NULL) { /* the fp16 form: weights kept as float */
    TSR_TRY(tsr_to_dtype(ctx, &qx, p->weight, TSR_FLOAT32));
    return tsr_linear(ctx, y, x, qx, p->bias);
  }
  TSR_TRY(quantize_now(ctx, &qx, x, reduce));
  TSR_TRY(linear_sums(ctx, y, qx, p));
  return tsr_rescale(ctx, y, *y, (*y)->ndim - 1, qx->quant->scale, p->weight, p->bias);
}

TSR_KERNEL(linear_dynamic) {
  tsr_tensor *y;
  tsr_qlinear p;
  TSR_TRY(tsr_qlinear_read(c->ctx, &p, c->args[1]));
  TSR_TRY(tsr_qlinear_dynamic(c->ctx, &y, tsr_arg_tensor(c, 0), &p, c->nargs > 2 && tsr_arg_bool(c, 2)));
  TSR_TRY(finish(c->ctx, &y, *(const after *)c->op->data, 0));
  return tsr_ret_tensor(c, 0, y);
}

/* Weights in half precision: rounded, kept as float. */
TSR_KERNEL(linear_prepack_half) {
  tsr_val packed, args[] = {c->args[0], tsr_float(-65504), tsr_float(65504)}, w;
  tsr_tensor *half;
  TSR_TRY(tsr_invoke(c->ctx, tsr_op_get("aten::clamp", ""), args, 3, &w, 1));
  TSR_TRY(tsr_to_dtype(c->ctx, &half, w.t, TSR_FLOAT16));
  TSR_TRY(tsr_to_dtype(c->ctx, &half, half, TSR_FLOAT32));
  TSR_TRY(tsr_qlinear_make(c->ctx, &packed, half, tsr_arg_opt_tensor(c, 1)));
  return tsr_ret(c, 0, packed);
}

TSR_KERNEL(linear_prepack) {
  tsr_val packed;
  TSR_TRY(tsr_qlinear_make(c->ctx, &packed, tsr_arg_tensor(c, 0), tsr_arg_opt_tensor(c, 1)));
  return tsr_ret(c, 0, packed);
}

static tsr_status ret_pair(tsr_call *c, tsr_tensor *w, tsr_tensor *b) {
  tsr_val wb[] = {tsr_from_obj(w), b == NULL ? tsr_none() : tsr_from_obj(b)};
  if (c->nrets == 2) {
    TSR_TRY(tsr_ret(c, 0, wb[0]));
    return tsr_ret(c, 1, wb[1]);
  }
  tsr_tuple *u = tsr_tuple_new(c->ctx->mem, NULL, 2);
  if (u == NULL) return tsr_ctx_nomem(c->ctx);
  for (int i = 0; i < 2; i++) u->items[i] = tsr_retain(wb[i]);
  c->rets[0] = tsr_from_obj(u);
  return TSR_OK;
}

static tsr_status ret_optional(tsr_call *c, tsr_tensor *t) { return t == NULL ? TSR_OK : tsr_ret_tensor(c, 0, t); }

TSR_KERNEL(linear_bias) {
  tsr_qlinear p;
  TSR_TRY(tsr_qlinear_read(c->ctx, &p, c->args[0]));
  return ret_optional(c, p.bias);
}

TSR_KERNEL(linear_unpack) {
  tsr_qlinear p;
  TSR_TRY(tsr_qlinear_read(c->ctx, &p, c->args[0]));
  return ret_pair(c, p.weight, p.bias);
}

/* ---- convolution ---- */

static tsr_status int_list(tsr_ctx *ctx, tsr_val *out, const int64_t *xs, int n) {
  tsr_list *l = tsr_list_new(ctx->mem, &tsr_type_int, (size_t)n);
  if (l == NULL) return tsr_ctx_nomem(ctx);
  for (int i = 0; i < n; i++) tsr_list_push_take(l, tsr_int(xs[i]));
  *out = tsr_from_obj(l);
  return tsr_temp(ctx, *out);
}

/* Which of its two libraries PyTorch takes, where the processor has the instructions for both. */
static tsr_status uses_onednn(tsr_ctx *ctx, const tsr_qconv *p, bool *out) {
  const tsr_quant *q = p->weight->quant;
  *out = p->groups <= 100 && (q->zero_points != NULL || q->zero_point == 0);
  for (int i = 0; i < p->dims && p->transposed; i++) *out = *out && p->output_padding[i] == 0;
  if (!*out || q->zero_points == NULL) return TSR_OK;
  tsr_tensor *zero_points;
  TSR_TRY(tsr_ready(ctx, &zero_points, q->zero_points, TSR_INT64));
  const int64_t *z = tsr_tensor_data_ro(zero_points);
  for (int64_t i = 0; i < zero_points->numel; i++) *out = *out && z[i] == 0;
  return TSR_OK;
}

static tsr_status conv_sums(tsr_ctx *ctx, tsr_tensor **y, tsr_tensor *qx, tsr_qconv *p, bool *onednn) {
  tsr_tensor *x, *w;
  bool done = false;
  int dims = p->dims, skip = 0;
  TSR_TRY(tsr_need_quantized(ctx, p->weight, "quantized::conv weight"));
  if (qx->ndim == 3 && dims == 2) skip = 1; /* conv1d: packed as conv2d of height 1 */
  else if (qx->ndim != dims + 2) return tsr_op_fail(ctx, "Expected a %dD input of a quantized convolution, but got %dD", dims + 2, qx->ndim);
  TSR_TRY(uses_onednn(ctx, p, onednn));
  if (!*onednn) TSR_TRY(tsr_quant_depthwise(ctx, y, qx, p, &done));
  if (done) return TSR_OK;
  TSR_TRY(tsr_centred(ctx, &x, qx));
  TSR_TRY(tsr_centred(ctx, &w, p->weight));
  if (skip) TSR_TRY(tsr_unsqueeze(ctx, &x, x, 2));
  tsr_val stride, padding, dilation, extra;
  TSR_TRY(int_list(ctx, &stride, p->stride, dims));
  TSR_TRY(int_list(ctx, &padding, p->padding, dims));
  TSR_TRY(int_list(ctx, &dilation, p->dilation, dims));
  TSR_TRY(int_list(ctx, &extra, p->output_padding, dims));
  tsr_val args[] = {tsr_from_obj(x), tsr_from_obj(w), tsr_none(), stride, padding, dilation, tsr_bool(p->transposed), extra, tsr_int(p->groups)};
  TSR_TRY(invoke1(ctx, y, "aten::convolution", "", args, 9));
  TSR_TRY(tsr_channels_last(ctx, y, *y)); /* whatever the input's order: means and pools go by it */
  return skip ? tsr_squeeze_dim(ctx, y, *y, 2) : TSR_OK;
}

TSR_KERNEL(conv) { /* (X, W, scale, zero_point), or the older form with four arguments between */
  tsr_tensor *qx = tsr_arg_tensor(c, 0), *y;
  tsr_qconv p;
  bool onednn;
  uint32_t at = c->nargs >= 8 ? 6 : 2;
  TSR_TRY(tsr_need_quantized(c->ctx, qx, "quantized::conv"));
  TSR_TRY(tsr_qconv_read(c->ctx, &p, c->args[1]));
  TSR_TRY(conv_sums(c->ctx, &y, qx, &p, &onednn));
  TSR_TRY(layer_output(c, &y, 1, p.weight, p.bias, at, 0, onednn));
  return tsr_ret_tensor(c, 0, y);
}

/* The result is quantized in between, with what was chosen for the input: PyTorch's own saturation. */
TSR_KERNEL(conv_dynamic) {
  tsr_tensor *qx, *y;
  tsr_qconv p;
  bool onednn;
  TSR_TRY(tsr_qconv_read(c->ctx, &p, c->args[1]));
  TSR_TRY(quantize_now(c->ctx, &qx, tsr_arg_tensor(c, 0), tsr_arg_bool(c, 2)));
  const tsr_quant *q = qx->quant;
  TSR_TRY(conv_sums(c->ctx, &y, qx, &p, &onednn));
  const tsr_requant r = {q->scale, q->scale, q->zero_point, TSR_QUINT8, false, onednn};
  TSR_TRY(tsr_requantize(c->ctx, &y, y, 1, &r, p.weight, p.bias));
  TSR_TRY(tsr_dequantize(c->ctx, &y, y));
  return tsr_ret_tensor(c, 0, y);
}

typedef struct conv_kind { int dims; bool transposed; } conv_kind;
static const conv_kind k1 = {1, false}, k2 = {2, false}, k3 = {3, false}, t1 = {1, true}, t2 = {2, true}, t3 = {3, true};

static tsr_status dims_arg(tsr_call *c, uint32_t i, int dims, int64_t *out, int64_t fill, bool one_d) {
  int64_t n;
  const int64_t *v = tsr_arg_ints(c, i, &n);
  if (v == NULL) return c->ctx->err.status;
  if (n != dims) return tsr_op_fail(c->ctx, "quantized convolution: expected %d values, but got %lld", dims, (long long)n);
  if (one_d) out[0] = fill; /* height of the 2-D convolution that stands for it */
  for (int d = 0; d < dims; d++) out[d + one_d] = v[d];
  return TSR_OK;
}

TSR_KERNEL(conv_prepack) { /* (W, B, stride, padding, [output_padding,] dilation, groups) */
  const conv_kind *k = c->op->data;
  bool one_d = k->dims == 1;
  tsr_qconv p = {.weight = tsr_arg_tensor(c, 0), .bias = tsr_arg_opt_tensor(c, 1), .dims = one_d ? 2 : k->dims, .transposed = k->transposed};
  tsr_val packed;
  uint32_t i = 2;
  TSR_TRY(dims_arg(c, i++, k->dims, p.stride, 1, one_d));
  TSR_TRY(dims_arg(c, i++, k->dims, p.padding, 0, one_d));
  if (k->transposed) TSR_TRY(dims_arg(c, i++, k->dims, p.output_padding, 0, one_d));
  TSR_TRY(dims_arg(c, i++, k->dims, p.dilation, 1, one_d));
  p.groups = tsr_arg_int(c, i);
  if (one_d && p.weight->ndim == 3) TSR_TRY(tsr_unsqueeze(c->ctx, &p.weight, p.weight, 2));
  if (p.weight->ndim != p.dims + 2) return tsr_op_fail(c->ctx, "Weights are expected to have %d dimensions", k->dims + 2);
  TSR_TRY(tsr_qconv_make(c->ctx, &packed, &p));
  return tsr_ret(c, 0, packed);
}

TSR_KERNEL(conv_unpack) {
  tsr_qconv p;
  TSR_TRY(tsr_qconv_read(c->ctx, &p, c->args[0]));
  if (((const conv_kind *)c->op->data)->dims == 1) TSR_TRY(tsr_squeeze_dim(c->ctx, &p.weight, p.weight, 2));
  return ret_pair(c, p.weight, p.bias);
}

typedef enum field { STRIDE, PADDING, OUTPUT_PADDING, DILATION, GROUPS, TRANSPOSED, IS_TRANSPOSED, WEIGHT, BIAS } field;
static const field f_stride = STRIDE, f_padding = PADDING, f_output_padding = OUTPUT_PADDING, f_dilation = DILATION, f_groups = GROUPS, f_transposed = TRANSPOSED,
                   f_is_transposed = IS_TRANSPOSED, f_weight = WEIGHT, f_bias = BIAS;
TSR_KERNEL(conv_field) {
  tsr_qconv p;
  TSR_TRY(tsr_qconv_read(c->ctx, &p, c->args[0]));
  const int64_t *lists[] = {p.stride, p.padding, p.output_padding, p.dilation};
  field f = *(const field *)c->op->data;
  if (f == GROUPS) return tsr_ret_int(c, p.groups);
  if (f == TRANSPOSED) return tsr_ret_int(c, p.transposed);
  if (f == IS_TRANSPOSED) return tsr_ret_bool(c, p.transposed);
  if (f == WEIGHT) return tsr_ret_tensor(c, 0, p.weight);
  if (f == BIAS) return ret_optional(c, p.bias);
  return tsr_ret_ints(c, 0, lists[f], p.dims);
}

/* ---- arithmetic ---- */

typedef struct arith { const char *op; after then; } arith;
static const arith a_add = {"add", PLAIN}, a_add_relu = {"add", RELU}, a_mul = {"mul", PLAIN}, a_mul_relu = {"mul", RELU};

/* Integers about zero times factor, rounded before the zero point is added. */
static tsr_status from_integers(tsr_call *c, tsr_tensor *y, float factor, after then, double scale, int64_t zero, tsr_dtype dtype) {
  tsr_quant quant = {.scale = scale, .zero_point = zero};
  TSR_TRY(finish(c->ctx, &y, then, 0));
  TSR_TRY(tsr_to_dtype(c->ctx, &y, y, TSR_FLOAT32));
  TSR_TRY(tsr_binary_scalar(c->ctx, &y, "mul", y, tsr_scalar_float((double)factor)));
  TSR_TRY(tsr_unary(c->ctx, &y, "round", y));
  TSR_TRY(tsr_quantize(c->ctx, &y, y, 1.0, zero, dtype));
  TSR_TRY(tsr_int_repr(c->ctx, &y, y));
  TSR_TRY(tsr_attach_quant(c->ctx, &y, y, &quant, dtype));
  return tsr_ret_tensor(c, 0, y);
}

static tsr_status product(tsr_call *c, const arith *a) {
  tsr_tensor *qa = tsr_arg_tensor(c, 0), *qb = tsr_arg_tensor(c, 1), *x, *y;
  double scale = tsr_arg_float(c, 2);
  if (!(scale > 0)) return tsr_op_fail(c->ctx, "output scale %g should be positive", scale);
  TSR_TRY(tsr_centred(c->ctx, &x, qa));
  TSR_TRY(tsr_centred(c->ctx, &y, qb));
  TSR_TRY(tsr_binary(c->ctx, &y, "mul", x, y));
  return from_integers(c, y, (float)qa->quant->scale * (float)qb->quant->scale * (1.0f / (float)scale), a->then, scale, tsr_arg_int(c, 3), (tsr_dtype)qa->dtype);
}

TSR_KERNEL(arith) { /* (qa, qb, scale, zero_point) */
  const arith *a = c->op->data;
  tsr_tensor *x, *y;
  TSR_TRY(tsr_need_quantized(c->ctx, tsr_arg_tensor(c, 1), c->op->schema));
  if (a->op[0] == 'm' && tsr_arg_tensor(c, 0)->quant != NULL) return product(c, a);
  TSR_TRY(tsr_need_quantized(c->ctx, tsr_arg_tensor(c, 0), c->op->schema));
  TSR_TRY(tsr_kernel_dequantize(c->ctx, &x, tsr_arg_tensor(c, 0), false));
  TSR_TRY(tsr_kernel_dequantize(c->ctx, &y, tsr_arg_tensor(c, 1), false));
  TSR_TRY(tsr_binary(c->ctx, &y, a->op, x, y));
  TSR_TRY(finish(c->ctx, &y, a->then, 0));
  TSR_TRY(tsr_kernel_quantize(c->ctx, &y, y, tsr_arg_float(c, 2), tsr_arg_int(c, 3), (tsr_dtype)tsr_arg_tensor(c, 0)->dtype, false));
  return tsr_ret_tensor(c, 0, y);
}

/* A number mostly changes the quantizer only: PyTorch's own choice of output range. */
static tsr_status scalar_result(tsr_call *c, tsr_tensor *qa, const arith *a, double b) {
  const tsr_quant *q = qa->quant;
  double scale = q->scale, add = 0, times = 1;
  int64_t zero = q->zero_point, qmin = qa->dtype == TSR_QINT8 ? -128 : 0, qmax = qa->dtype == TSR_QINT8 ? 127 : 255;
  float factor = 1;
  tsr_tensor *y;
  if (a->op[0] == 'm') {
    times = b > 0 ? 1 : b < 0 ? -1 : 0;
    scale = b == 0 ? 1 : scale * fabs(b);
    zero = b == 0 ? 0 : b < 0 ? qmax - (zero - qmin) : zero;
  } else {
    add = nearbyint(b / scale);
    double moved = (double)zero - add;
    if (moved < (double)qmin) scale *= ((double)qmax - moved) / (double)(qmax - qmin), zero = qmin;
    else if (moved > (double)qmax) scale *= (moved - (double)qmin) / (double)(qmax - qmin), zero = qmax;
    else zero = (int64_t)moved;
    factor = (float)(q->scale / scale);
  }
  TSR_TRY(tsr_centred(c->ctx, &y, qa));
  TSR_TRY(tsr_binary_scalar(c->ctx, &y, "mul", y, tsr_scalar_float(times)));
  TSR_TRY(tsr_binary_scalar(c->ctx, &y, "add", y, tsr_scalar_float(add)));
  return from_integers(c, y, factor, a->then, scale, zero, (tsr_dtype)qa->dtype);
}

TSR_KERNEL(arith_scalar) {
  uint32_t t = c->args[0].tag == TSR_V_TENSOR ? 0 : 1;
  tsr_val b = c->args[1 - t];
  TSR_TRY(tsr_need_quantized(c->ctx, tsr_arg_tensor(c, t), c->op->schema));
  if (b.tag == TSR_V_TENSOR) {
    if (b.t->numel != 1) return tsr_op_fail(c->ctx, "a quantized tensor and a number: the tensor given for the number has %lld elements", (long long)b.t->numel);
    b = tsr_tensor_get(c->ctx->mem, b.t, 0);
  }
  return scalar_result(c, tsr_arg_tensor(c, t), c->op->data, tsr_scalar_of(b).d);
}

/* Tensors that lie channels last are joined pixel by pixel, values read and written as kernels do. */
static bool joins_pixels(tsr_tensor *const *ts, int64_t n, int64_t dim) {
  for (int64_t i = 0; i < n; i++) {
    if (ts[i]->quant == NULL || ts[i]->quant->scales != NULL || ts[i]->ndim != 4 || !tsr_tensor_is_channels_last(ts[i])) return false;
  }
  return dim == 1;
}

static tsr_status join_pixels(tsr_call *c, tsr_tensor **out, tsr_tensor **ts, int64_t n, const tsr_quant *quant, tsr_dtype dtype) {
  tsr_tensor *y;
  for (int64_t i = 0; i < n; i++) {
    TSR_TRY(tsr_kernel_dequantize(c->ctx, &y, ts[i], true));
    TSR_TRY(finish(c->ctx, &y, *(const after *)c->op->data, 0));
    TSR_TRY(tsr_kernel_quantize(c->ctx, &y, y, quant->scale, quant->zero_point, dtype, true));
    TSR_TRY(tsr_int_repr(c->ctx, &ts[i], y));
  }
  TSR_TRY(tsr_cat(c->ctx, &y, ts, n, 1));
  return tsr_attach_quant(c->ctx, out, y, quant, dtype);
}

TSR_KERNEL(cat) {
  int64_t n;
  tsr_tensor **ts = tsr_arg_tensors(c, 0, &n), *y;
  if (ts == NULL) return c->ctx->err.status;
  if (n == 0 || ts[0]->quant == NULL) return tsr_op_fail(c->ctx, "quantized::cat: expected a non-empty list of quantized tensors");
  tsr_dtype dtype = (tsr_dtype)ts[0]->dtype;
  tsr_quant quant = {.scheme = 0, .scale = tsr_arg_is_none(c, 2) ? ts[0]->quant->scale : tsr_arg_float(c, 2), .zero_point = tsr_arg_int_or(c, 3, ts[0]->quant->zero_point)};
  if (joins_pixels(ts, n, tsr_arg_int(c, 1))) {
    TSR_TRY(join_pixels(c, &y, ts, n, &quant, dtype));
    return tsr_ret_tensor(c, 0, y);
  }
  for (int64_t i = 0; i < n; i++) TSR_TRY(tsr_dequantize(c->ctx, &ts[i], ts[i]));
  TSR_TRY(tsr_cat(c->ctx, &y, ts, n, tsr_arg_int(c, 1)));
  TSR_TRY(finish(c->ctx, &y, *(const after *)c->op->data, 0));
  TSR_TRY(tsr_quantize(c->ctx, &y, y, quant.scale, quant.zero_point, dtype));
  return tsr_ret_tensor(c, 0, y);
}

TSR_KERNEL(matmul) {
  tsr_tensor *a = tsr_arg_tensor(c, 0), *b = tsr_arg_tensor(c, 1), *x, *y;
  TSR_TRY(tsr_need_quantized(c->ctx, a, "quantized::matmul"));
  TSR_TRY(tsr_need_quantized(c->ctx, b, "quantized::matmul"));
  TSR_TRY(tsr_dequantize(c->ctx, &x, a));
  TSR_TRY(tsr_dequantize(c->ctx, &y, b));
  TSR_TRY(tsr_matmul(c->ctx, &y, x, y));
  TSR_TRY(tsr_quantize(c->ctx, &y, y, tsr_arg_float(c, 2), tsr_arg_int(c, 3), (tsr_dtype)a->dtype));
  return tsr_ret_tensor(c, 0, y);
}

/* out= forms: the quantizer of the result is that of `out`. */
TSR_KERNEL(into) {
  const char *const *target = c->op->data; /* name, overload of the operator that takes scale and zero point; NULL: none taken */
  tsr_tensor *out = tsr_arg_tensor(c, c->nargs - 1), *from, *to;
  tsr_val args[8], ret;
  uint32_t n = c->nargs - 1;
  TSR_TRY(tsr_need_quantized(c->ctx, out, c->op->schema));
  for (uint32_t i = 0; i < n; i++) args[i] = c->args[i];
  if (target[2] != NULL) {
    args[n++] = tsr_float(out->quant->scale);
    args[n++] = tsr_int(out->quant->zero_point);
  }
  TSR_TRY(tsr_invoke(c->ctx, tsr_op_get(target[0], target[1]), args, n, &ret, 1));
  TSR_TRY(tsr_int_repr(c->ctx, &from, ret.t));
  if (!tsr_tensor_same_size(out, from)) TSR_TRY(tsr_resize(c->ctx, out, from->ndim, from->size));
  if (target[2] == NULL) out->quant->scale = ret.t->quant->scale, out->quant->zero_point = ret.t->quant->zero_point;
  TSR_TRY(tsr_int_repr(c->ctx, &to, out));
  TSR_TRY(tsr_copy_into(c->ctx, to, from));
  return tsr_ret_tensor(c, 0, out);
}

TSR_KERNEL(conv_add) { /* (qx, other, W, scale, zero_point): the sum is made before rounding */
  tsr_tensor *qx = tsr_arg_tensor(c, 0), *other, *y;
  tsr_qconv p;
  bool onednn;
  TSR_TRY(tsr_need_quantized(c->ctx, qx, "quantized::conv2d_add"));
  TSR_TRY(tsr_need_quantized(c->ctx, tsr_arg_tensor(c, 1), "quantized::conv2d_add"));
  TSR_TRY(tsr_qconv_read(c->ctx, &p, c->args[2]));
  TSR_TRY(conv_sums(c->ctx, &y, qx, &p, &onednn));
  TSR_TRY(tsr_rescale(c->ctx, &y, y, 1, qx->quant->scale, p.weight, p.bias));
  TSR_TRY(tsr_dequantize(c->ctx, &other, tsr_arg_tensor(c, 1)));
  TSR_TRY(tsr_binary(c->ctx, &y, "add", y, other));
  TSR_TRY(finish(c->ctx, &y, *(const after *)c->op->data, 0));
  TSR_TRY(tsr_quantize(c->ctx, &y, y, tsr_arg_float(c, 3), tsr_arg_int(c, 4), (tsr_dtype)qx->dtype));
  return tsr_ret_tensor(c, 0, y);
}

/* (X float, scale, zero_point, W): the input is quantized with what is given, the result stays float */
TSR_KERNEL(linear_float) {
  tsr_tensor *qx, *y;
  tsr_qlinear p;
  TSR_TRY(tsr_qlinear_read(c->ctx, &p, c->args[3]));
  TSR_TRY(tsr_quantize(c->ctx, &qx, tsr_arg_tensor(c, 0), tsr_arg_float(c, 1), tsr_arg_int(c, 2), TSR_QUINT8));
  TSR_TRY(linear_sums(c->ctx, &y, qx, &p));
  TSR_TRY(tsr_rescale(c->ctx, &y, y, y->ndim - 1, qx->quant->scale, p.weight, p.bias));
  TSR_TRY(finish(c->ctx, &y, *(const after *)c->op->data, 0));
  TSR_TRY(tsr_to_dtype(c->ctx, &y, y, TSR_FLOAT32));
  return tsr_ret_tensor(c, 0, y);
}

/* ---- an ordinary operator between dequantizing and quantizing ---- */

typedef struct around {
  const char *name;
  uint32_t args;       /* arguments of the float operator, the tensor included */
  int scale_at;        /* where scale and zero point stand; -1: as the input's */
  const char *tail;    /* further arguments of the float operator: f false, t true, n None */
  bool kernel;         /* PyTorch has a kernel for it */
} around;

TSR_KERNEL(around) {
  const around *a = c->op->data;
  tsr_tensor *qx = tsr_arg_tensor(c, 0), *y;
  tsr_val args[16];
  uint32_t n = a->args;
  TSR_TRY(tsr_need_quantized(c->ctx, qx, a->name));
  TSR_TRY(a->kernel ? tsr_kernel_dequantize(c->ctx, &y, qx, false) : tsr_dequantize(c->ctx, &y, qx));
  for (uint32_t i = 0; i < n; i++) args[i] = c->args[i];
  args[0] = tsr_from_obj(y);
  for (const char *t = a->tail; *t != 0; t++) args[n++] = *t == 'n' ? tsr_none() : tsr_bool(*t == 't');
  TSR_TRY(invoke1(c->ctx, &y, a->name, strcmp(a->name, "aten::softmax") == 0 ? "int" : "", args, n));
  if (a->scale_at < 0) TSR_TRY(tsr_quantize_like(c->ctx, &y, y, qx));
  else {
    double scale = tsr_arg_float(c, (uint32_t)a->scale_at);
    int64_t zero = tsr_arg_int(c, (uint32_t)a->scale_at + 1);
    TSR_TRY(a->kernel ? tsr_kernel_quantize(c->ctx, &y, y, scale, zero, (tsr_dtype)qx->dtype, false) : tsr_quantize(c->ctx, &y, y, scale, zero, (tsr_dtype)qx->dtype));
  }
  return tsr_ret_tensor(c, 0, y);
}

static const around r_hardswish = {"aten::hardswish", 1, 1, "", true}, r_leaky = {"aten::leaky_relu", 2, 3, "", true}, r_sigmoid = {"aten::sigmoid", 1, 1, "", true},
                    r_relu6 = {"aten::relu6", 1, -1, "", false}, r_softmax = {"aten::softmax", 2, 2, "n", false},
                    r_clamp = {"aten::clamp", 3, -1, "", false}, r_threshold = {"aten::threshold", 3, -1, "", false},
                    r_layer_norm = {"aten::layer_norm", 5, 5, "f", false}, r_max_pool2d = {"aten::max_pool2d", 6, -1, "", false},
                    r_max_pool1d = {"aten::max_pool1d", 6, -1, "", false};

/* (qx, weight, scale, zero_point).  Positive values are multiplied by 1 as the weight's quantizer has it. */
TSR_KERNEL(prelu) {
  tsr_tensor *qx = tsr_arg_tensor(c, 0), *qw = tsr_arg_tensor(c, 1), *x, *w, *pos, *neg;
  int64_t size[TSR_MAX_NDIM];
  TSR_TRY(tsr_need_quantized(c->ctx, qx, "quantized::prelu"));
  TSR_TRY(tsr_need_quantized(c->ctx, qw, "quantized::prelu weight"));
  if (qx->dtype != qw->dtype)
    return tsr_op_fail(c->ctx, "Found dtype %s but expected %s", tsr_dtype_get_info((tsr_dtype)qw->dtype)->cpp_name, tsr_dtype_get_info((tsr_dtype)qx->dtype)->cpp_name);
  if (qw->numel != 1 && (qx->ndim < 2 || qx->size[1] != qw->numel))
    return tsr_op_fail(c->ctx, "quantized::prelu: %lld weights for %lld channels", (long long)qw->numel, (long long)(qx->ndim < 2 ? 1 : qx->size[1]));
  double scale = tsr_arg_float(c, 2), low = qw->dtype == TSR_QINT8 ? -128 : 0, zero = (double)qw->quant->zero_point;
  double one = TSR_MIN(TSR_MAX((double)nearbyintf(1.0f / (float)qw->quant->scale + (float)zero), low), low + 255) - zero;
  TSR_TRY(tsr_centred(c->ctx, &x, qx));
  TSR_TRY(tsr_centred(c->ctx, &w, qw));
  for (int d = 0; d < qx->ndim; d++) size[d] = d == 1 ? w->numel : 1;
  if (qx->ndim > 1) TSR_TRY(tsr_reshape(c->ctx, &w, w, qx->ndim, size));
  TSR_TRY(tsr_unary(c->ctx, &pos, "relu", x));
  TSR_TRY(tsr_binary(c->ctx, &neg, "sub", x, pos));
  TSR_TRY(tsr_binary(c->ctx, &neg, "mul", neg, w));
  TSR_TRY(tsr_binary_scalar(c->ctx, &x, "mul", pos, tsr_scalar_float(one)));
  TSR_TRY(tsr_binary(c->ctx, &x, "add", x, neg));
  return from_integers(c, x, (float)qx->quant->scale * (float)qw->quant->scale * (1.0f / (float)scale), PLAIN, scale, tsr_arg_int(c, 3), (tsr_dtype)qx->dtype);
}

TSR_KERNEL(dropout) { /* (x, scale, zero_point, p, training): in evaluation x itself */
  TSR_TRY(tsr_need_quantized(c->ctx, tsr_arg_tensor(c, 0), "quantized::dropout"));
  if (tsr_arg_bool(c, 4)) return tsr_fail(&c->ctx->err, TSR_EUNSUPPORTED, "quantized::dropout in training mode");
  return tsr_ret_tensor(c, 0, tsr_arg_tensor(c, 0));
}

TSR_KERNEL(elu) { /* (x, scale, zero_point, alpha, scale, input_scale) */
  tsr_tensor *qx = tsr_arg_tensor(c, 0), *y;
  TSR_TRY(tsr_need_quantized(c->ctx, qx, "quantized::elu"));
  TSR_TRY(tsr_kernel_dequantize(c->ctx, &y, qx, false));
  tsr_val args[] = {tsr_from_obj(y), c->args[3], c->args[4], c->args[5]};
  TSR_TRY(invoke1(c->ctx, &y, "aten::elu", "", args, 4));
  TSR_TRY(tsr_kernel_quantize(c->ctx, &y, y, tsr_arg_float(c, 1), tsr_arg_int(c, 2), (tsr_dtype)qx->dtype, false));
  return tsr_ret_tensor(c, 0, y);
}

TSR_KERNEL(celu) { /* (x, scale, zero_point, alpha) */
  tsr_tensor *qx = tsr_arg_tensor(c, 0), *y;
  TSR_TRY(tsr_need_quantized(c->ctx, qx, "quantized::celu"));
  TSR_TRY(tsr_kernel_dequantize(c->ctx, &y, qx, false));
  tsr_val args[] = {tsr_from_obj(y), c->args[3]};
  TSR_TRY(invoke1(c->ctx, &y, "aten::celu", "", args, 2));
  TSR_TRY(tsr_kernel_quantize(c->ctx, &y, y, tsr_arg_float(c, 1), tsr_arg_int(c, 2), (tsr_dtype)qx->dtype, false));
  return tsr_ret_tensor(c, 0, y);
}

TSR_KERNEL(batch_norm) { return tsr_quant_batch_norm(c, *(const after *)c->op->data == RELU); }

TSR_KERNEL(group_norm) { /* (x, groups, w?, b?, eps, scale, zero_point); instance norm lacks groups */
  bool instance = *(const after *)c->op->data == RELU; /* the row's mark */
  tsr_tensor *qx = tsr_arg_tensor(c, 0), *y;
  uint32_t at = instance ? 1 : 2;
  TSR_TRY(tsr_need_quantized(c->ctx, qx, "quantized::group_norm"));
  if (qx->ndim < 2) return tsr_op_fail(c->ctx, "quantized::group_norm: expected at least 2 dimensions");
  TSR_TRY(tsr_dequantize(c->ctx, &y, qx));
  tsr_val args[] = {tsr_from_obj(y), instance ? tsr_int(qx->size[1]) : c->args[1], c->args[at], c->args[at + 1], c->args[at + 2], tsr_bool(false)};
  TSR_TRY(invoke1(c->ctx, &y, "aten::group_norm", "", args, 6));
  TSR_TRY(tsr_quantize(c->ctx, &y, y, tsr_arg_float(c, at + 3), tsr_arg_int(c, at + 4), (tsr_dtype)qx->dtype));
  return tsr_ret_tensor(c, 0, y);
}

#define P TSR_PURE
#define LIN "__torch__.torch.classes.quantized.LinearPackedParamsBase"
#define CONV2 "__torch__.torch.classes.quantized.Conv2dPackedParamsBase"
#define CONV3 "__torch__.torch.classes.quantized.Conv3dPackedParamsBase"
#define OUTQ "float output_scale, int output_zero_point"
#define CONV_ROWS(n, W)                                                                                                                   \
  {"quantized::conv" n "(Tensor qx, " W " packed_weight, " OUTQ ") -> Tensor", op_conv, P, &do_plain},                                    \
      {"quantized::conv" n "_relu(Tensor qx, " W " packed_weight, " OUTQ ") -> Tensor", op_conv, P, &do_relu},                            \
      {"quantized::conv" n "_dynamic(Tensor qx, " W " packed_weight, bool reduce_range=False) -> Tensor", op_conv_dynamic, P},            \
      {"quantized::conv_transpose" n "(Tensor qx, " W " packed_weight, " OUTQ ") -> Tensor", op_conv, P, &do_plain},                      \
      {"quantized::conv_transpose" n "_dynamic(Tensor qx, " W " packed_weight, bool reduce_range=False) -> Tensor", op_conv_dynamic, P}
#define CONV_OLD(n, W) /* with the four arguments that packing now holds */                                                              \
  {"quantized::conv" n ".new(Tensor qx, " W " packed_weight, " OUTQ ") -> Tensor", op_conv, P, &do_plain},                                \
      {"quantized::conv" n "(Tensor qx, " W " weight, int[] stride, int[] padding, int[] dilation, int groups, " OUTQ ") -> Tensor", op_conv, P, &do_plain}, \
      {"quantized::conv" n "_relu.new(Tensor qx, " W " packed_weight, " OUTQ ") -> Tensor", op_conv, P, &do_relu},                        \
      {"quantized::conv" n "_relu(Tensor qx, " W " weight, int[] stride, int[] padding, int[] dilation, int groups, " OUTQ ") -> Tensor", op_conv, P, &do_relu}, \
      {"quantized::conv" n "_dynamic(Tensor qx, " W " packed_weight, bool reduce_range=False) -> Tensor", op_conv_dynamic, P},            \
      {"quantized::conv_transpose" n "(Tensor qx, " W " packed_weight, " OUTQ ") -> Tensor", op_conv, P, &do_plain},                      \
      {"quantized::conv_transpose" n "_dynamic(Tensor qx, " W " packed_weight, bool reduce_range=False) -> Tensor", op_conv_dynamic, P}
#define PACK_ROWS(n, W, k, t)                                                                                                             \
  {"quantized::conv" n "_prepack(Tensor weight, Tensor? bias, int[] stride, int[] padding, int[] dilation, int groups) -> " W, op_conv_prepack, P, &k}, \
      {"quantized::conv_transpose" n "_prepack(Tensor weight, Tensor? bias, int[] stride, int[] padding, int[] output_padding, int[] dilation, int groups) -> " W, op_conv_prepack, P, &t}, \
      {"quantized::conv" n "_unpack(" W " packed_weights) -> (Tensor unpacked_weights, Tensor? B_origin)", op_conv_unpack, P, &k},        \
      {"quantized::conv_transpose" n "_unpack(" W " packed_weights) -> (Tensor unpacked_weights, Tensor? B_origin)", op_conv_unpack, P, &k}
#define FIELD_ROWS(n, W)                                                                                                                  \
  {"quantized::" n "_stride(" W " packed_weights) -> int[]", op_conv_field, P, &f_stride}, {"quantized::" n "_padding(" W " packed_weights) -> int[]", op_conv_field, P, &f_padding}, \
      {"quantized::" n "_output_padding(" W " packed_weights) -> int[]", op_conv_field, P, &f_output_padding},                            \
      {"quantized::" n "_dilation(" W " packed_weights) -> int[]", op_conv_field, P, &f_dilation}, {"quantized::" n "_groups(" W " packed_weights) -> int", op_conv_field, P, &f_groups}, \
      {"quantized::" n "_transpose(" W " packed_weights) -> int", op_conv_field, P, &f_transposed}
#define ARITH_ROWS(n, a)                                                                                                                  \
  {"quantized::" n "(Tensor qa, Tensor qb, float scale, int zero_point) -> Tensor", op_arith, P, &a}, {"quantized::" n ".Scalar(Tensor qa, Scalar b) -> Tensor", op_arith_scalar, P, &a}, \
      {"quantized::" n ".Scalar2(Scalar b, Tensor qa) -> Tensor", op_arith_scalar, P, &a}
#define SCALAR_ROWS(n, a)                                                                                                                 \
  {"quantized::" n "(Tensor qa, Scalar b) -> Tensor", op_arith_scalar, P, &a}, {"quantized::" n ".Tensor(Tensor qa, Tensor b) -> Tensor", op_arith_scalar, P, &a}
#define INTO(...) &(const char *const[]){__VA_ARGS__}
#define OUT_ROWS(n) /* the names with _out and the overloads .out */                                                                        \
  {"quantized::" n ".out(Tensor qa, Tensor qb, Tensor(a!) out) -> Tensor(a!) out", op_into, 0, INTO("quantized::" n, "", "q")},              \
      {"quantized::" n "_out(Tensor qa, Tensor qb, Tensor(a!) out) -> Tensor(a!) out", op_into, 0, INTO("quantized::" n, "", "q")},          \
      {"quantized::" n ".Scalar_out(Tensor qa, Scalar b, Tensor(a!) out) -> Tensor(a!) out", op_into, 0, INTO("quantized::" n, "Scalar", NULL)}
#define SCALAR_OUT_ROWS(n, of)                                                                                                              \
  {"quantized::" n "_out(Tensor qa, Scalar b, Tensor(a!) out) -> Tensor(a!) out", op_into, 0, INTO("quantized::" of, "Scalar", NULL)},       \
      {"quantized::" n "_out.Tensor(Tensor qa, Tensor b, Tensor(a!) out) -> Tensor(a!) out", op_into, 0, INTO("quantized::" n, "Tensor", NULL)}
#define BN_ROW(n, mark) {"quantized::batch_norm" n "(Tensor qx, Tensor? weight, Tensor? bias, Tensor mean, Tensor var, float eps, " OUTQ ") -> Tensor", op_batch_norm, P, &mark}

/* Methods of the classes of packed parameters. */
#define METHOD_ROWS(cls, W, k)                                                                                                   \
  {cls "_unpack(" W " self) -> (Tensor, Tensor?)", op_conv_unpack, P, &k}, {cls "_weight(" W " self) -> Tensor", op_conv_field, P, &f_weight}, \
      {cls "_bias(" W " self) -> Tensor?", op_conv_field, P, &f_bias}, {cls "_stride(" W " self) -> int[]", op_conv_field, P, &f_stride},     \
      {cls "_padding(" W " self) -> int[]", op_conv_field, P, &f_padding}, {cls "_dilation(" W " self) -> int[]", op_conv_field, P, &f_dilation}, \
      {cls "_output_padding(" W " self) -> int[]", op_conv_field, P, &f_output_padding}, {cls "_groups(" W " self) -> int", op_conv_field, P, &f_groups}, \
      {cls "_transpose(" W " self) -> bool", op_conv_field, P, &f_is_transposed}

const tsr_op tsr_ops_quant_layers[] = {
    {"quantized::linear(Tensor X, " LIN " W_prepack, float Y_scale_i, int Y_zero_point_i) -> Tensor", op_linear, P, &do_plain},
    {"quantized::linear_relu(Tensor X, " LIN " W_prepack, float Y_scale_i, int Y_zero_point_i) -> Tensor", op_linear, P, &do_relu},
    {"quantized::linear_tanh(Tensor X, " LIN " W_prepack, float Y_scale_i, int Y_zero_point_i) -> Tensor", op_linear, P, &do_tanh},
    {"quantized::linear_leaky_relu(Tensor X, " LIN " W_prepack, float Y_scale_i, int Y_zero_point_i, float negative_slope) -> Tensor", op_linear, P, &do_leaky},
    {"quantized::linear_dynamic(Tensor X, " LIN " W_prepack, bool reduce_range=False) -> Tensor", op_linear_dynamic, P, &do_plain},
    {"quantized::linear_relu_dynamic(Tensor X, " LIN " W_prepack, bool reduce_range=False) -> Tensor", op_linear_dynamic, P, &do_relu},
    {"quantized::linear_dynamic_fp16(Tensor X, " LIN " W_prepack) -> Tensor", op_linear_dynamic, P, &do_plain},
    {"quantized::linear_relu_dynamic_fp16(Tensor X, " LIN " W_prepack) -> Tensor", op_linear_dynamic, P, &do_relu},
    {"quantized::linear_prepack(Tensor W, Tensor? B=None) -> " LIN, op_linear_prepack, P}, {"quantized::linear_prepack_fp16(Tensor W, Tensor? B=None) -> " LIN, op_linear_prepack_half, P},
    {"quantized::linear_unpack(" LIN " W_prepack) -> (Tensor W_origin, Tensor? B_origin)", op_linear_unpack, P},
    {"quantized::linear_unpack_fp16(" LIN " W_prepack) -> (Tensor W_origin, Tensor? B_origin)", op_linear_unpack, P},
    {"quantized::LinearPackedParamsBase_unpack(" LIN " self) -> (Tensor, Tensor?)", op_linear_unpack, P},
    {"quantized::LinearPackedParamsBase_bias(" LIN " self) -> Tensor?", op_linear_bias, P},
    METHOD_ROWS("quantized::Conv2dPackedParamsBase", CONV2, k2), METHOD_ROWS("quantized::Conv3dPackedParamsBase", CONV3, k3),
    CONV_ROWS("1d", CONV2), CONV_OLD("2d", CONV2), CONV_OLD("3d", CONV3), PACK_ROWS("1d", CONV2, k1, t1), PACK_ROWS("2d", CONV2, k2, t2), PACK_ROWS("3d", CONV3, k3, t3),
    FIELD_ROWS("conv2d", CONV2), FIELD_ROWS("conv3d", CONV3), FIELD_ROWS("conv_transpose2d", CONV2), FIELD_ROWS("conv_transpose3d", CONV3),
    ARITH_ROWS("add", a_add), ARITH_ROWS("add_relu", a_add_relu), ARITH_ROWS("mul", a_mul), ARITH_ROWS("mul_relu", a_mul_relu),
    SCALAR_ROWS("add_scalar", a_add), SCALAR_ROWS("add_scalar_relu", a_add_relu), SCALAR_ROWS("mul_scalar", a_mul), SCALAR_ROWS("mul_scalar_relu", a_mul_relu),
    OUT_ROWS("add"), OUT_ROWS("add_relu"), OUT_ROWS("mul"), OUT_ROWS("mul_relu"),
    SCALAR_OUT_ROWS("add_scalar", "add"), SCALAR_OUT_ROWS("add_scalar_relu", "add_relu"), SCALAR_OUT_ROWS("mul_scalar", "mul"), SCALAR_OUT_ROWS("mul_scalar_relu", "mul_relu"),
    {"quantized::cat_out(Tensor[] qx, int dim, Tensor(a!) out) -> Tensor(a!)", op_into, 0, INTO("quantized::cat", "", "q")},
    {"quantized::cat_relu_out(Tensor[] qx, int dim, Tensor(a!) out) -> Tensor(a!)", op_into, 0, INTO("quantized::cat_relu", "", "q")},
    {"quantized::conv2d_add(Tensor qx, Tensor qaccum, " CONV2 " packed_weight, " OUTQ ") -> Tensor", op_conv_add, P, &do_plain},
    {"quantized::conv2d_add_relu(Tensor qx, Tensor qaccum, " CONV2 " packed_weight, " OUTQ ") -> Tensor", op_conv_add, P, &do_relu},
    {"quantized::conv_prepack(Tensor weight, Tensor? bias, int[] stride, int[] padding, int[] dilation, int groups) -> " CONV2, op_conv_prepack, P, &k2},
    {"quantized::conv_unpack(" CONV2 " packed_weights) -> (Tensor unpacked_weights, Tensor? B_origin)", op_conv_unpack, P, &k2},
    {"quantized::linear_with_input_q_dq_qweight_dq_output_fp32(Tensor X, float X_scale, int X_zero_point, " LIN " W_prepack) -> Tensor Y", op_linear_float, P, &do_plain},
    {"quantized::linear_with_input_q_dq_qweight_dq_relu_output_fp32(Tensor X, float X_scale, int X_zero_point, " LIN " W_prepack) -> Tensor Y", op_linear_float, P, &do_relu},
    {"quantized::cat(Tensor[] qx, int dim, float? scale, int? zero_point) -> Tensor", op_cat, P, &do_plain},
    {"quantized::cat_relu(Tensor[] qx, int dim, float? scale, int? zero_point) -> Tensor", op_cat, P, &do_relu},
    {"quantized::matmul(Tensor qa, Tensor qb, float scale, int zero_point) -> Tensor", op_matmul, P},
    BN_ROW("", do_plain), BN_ROW("1d", do_plain), BN_ROW("2d", do_plain), BN_ROW("3d", do_plain), BN_ROW("_relu", do_relu), BN_ROW("1d_relu", do_relu), BN_ROW("2d_relu", do_relu), BN_ROW("3d_relu", do_relu),
    {"aten::quantized_batch_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor mean, Tensor var, float eps, float output_scale, int output_zero_point) -> Tensor", op_batch_norm, P, &do_plain},
    {"quantized::layer_norm(Tensor input, int[] normalized_shape, Tensor? weight, Tensor? bias, float eps, " OUTQ ") -> Tensor", op_around, P, &r_layer_norm},
    {"quantized::group_norm(Tensor input, int num_groups, Tensor? weight, Tensor? bias, float eps, " OUTQ ") -> Tensor", op_group_norm, P, &do_plain},
    {"quantized::instance_norm(Tensor input, Tensor? weight, Tensor? bias, float eps, " OUTQ ") -> Tensor", op_group_norm, P, &do_relu},
    {"quantized::dropout(Tensor self, " OUTQ ", Scalar p=0.5, bool training=False) -> Tensor", op_dropout, P},
    {"quantized::hardswish(Tensor input, " OUTQ ") -> Tensor", op_around, P, &r_hardswish}, {"quantized::sigmoid(Tensor qx, " OUTQ ") -> Tensor", op_around, P, &r_sigmoid},
    {"quantized::leaky_relu(Tensor qx, Scalar negative_slope, bool inplace, " OUTQ ") -> Tensor", op_around, P, &r_leaky}, {"quantized::relu6(Tensor qx, bool inplace=False) -> Tensor", op_around, P, &r_relu6},
    {"quantized::elu(Tensor self, " OUTQ ", Scalar alpha=1, Scalar scale=1, Scalar input_scale=1) -> Tensor", op_elu, P}, {"quantized::celu(Tensor self, " OUTQ ", Scalar alpha=1) -> Tensor", op_celu, P},
    {"quantized::prelu(Tensor qx, Tensor weight, " OUTQ ") -> Tensor", op_prelu, P}, {"quantized::softmax(Tensor qx, int dim, " OUTQ ") -> Tensor", op_around, P, &r_softmax},
    {"quantized::clamp(Tensor qx, Scalar? min=None, Scalar? max=None) -> Tensor", op_around, P, &r_clamp}, {"quantized::threshold(Tensor qx, Scalar threshold, Scalar value) -> Tensor", op_around, P, &r_threshold},
    {"quantized::max_pool2d(Tensor qx, int[] kernel_size, int[] stride, int[] padding, int[] dilation, bool ceil_mode) -> Tensor", op_around, P, &r_max_pool2d},
    {"quantized::max_pool1d(Tensor qx, int[] kernel_size, int[] stride, int[] padding, int[] dilation, bool ceil_mode) -> Tensor", op_around, P, &r_max_pool1d},
    {0}};
