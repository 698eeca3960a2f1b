/* Quantizing, dequantizing, and running ordinary operators on quantized tensors. */
#include "ops/quant_packed.h"

#include <math.h>

tsr_dtype tsr_quant_int_type(tsr_dtype q) { return q == TSR_QINT8 ? TSR_INT8 : q == TSR_QINT32 ? TSR_INT32 : TSR_UINT8; }

static void limits(tsr_dtype q, double *lo, double *hi) {
  *lo = q == TSR_QINT8 ? -128 : q == TSR_QINT32 ? -2147483648.0 : 0;
  *hi = q == TSR_QINT8 ? 127 : q == TSR_QINT32 ? 2147483647.0 : q == TSR_QUINT4X2 ? 15 : q == TSR_QUINT2X4 ? 3 : 255;
}

tsr_status tsr_need_quantized(tsr_ctx *ctx, const tsr_tensor *t, const char *name) {
  if (t->quant != NULL) return TSR_OK;
  return tsr_op_fail(ctx, "%s: expected a quantized tensor, but got %s", name, tsr_dtype_get_info(t->dtype)->cpp_name);
}

tsr_status tsr_int_repr(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *q) {
  tsr_tensor *t = tsr_tensor_view(ctx->mem, q->storage, tsr_quant_int_type((tsr_dtype)q->dtype), q->offset, q->ndim, q->size, q->stride);
  if (t == NULL) return tsr_ctx_nomem(ctx);
  *out = t;
  return tsr_temp(ctx, tsr_from_obj(t));
}

tsr_status tsr_attach_quant(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *ints, const tsr_quant *quant, tsr_dtype dtype) {
  tsr_tensor *t = tsr_tensor_view(ctx->mem, ints->storage, dtype, ints->offset, ints->ndim, ints->size, ints->stride);
  if (t == NULL) return tsr_ctx_nomem(ctx);
  TSR_TRY(tsr_temp(ctx, tsr_from_obj(t)));
  t->quant = tsr_alloc(ctx->mem, sizeof *t->quant);
  if (t->quant == NULL) return tsr_ctx_nomem(ctx);
  *t->quant = *quant;
  if (quant->scales != NULL) tsr_obj_retain(quant->scales);
  if (quant->zero_points != NULL) tsr_obj_retain(quant->zero_points);
  *out = t;
  return TSR_OK;
}

/* A per-channel vector as float64, shaped to broadcast along axis. */
static tsr_status channel_vector(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *v, int64_t axis, int ndim) {
  int64_t size[TSR_MAX_NDIM];
  for (int d = 0; d < ndim; d++) size[d] = d == axis ? v->numel : 1;
  TSR_TRY(tsr_ready(ctx, out, v, TSR_FLOAT64));
  return tsr_view_as(ctx, out, *out, ndim, size);
}

tsr_status tsr_centred(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *q) {
  TSR_TRY(tsr_int_repr(ctx, out, q));
  TSR_TRY(tsr_to_dtype(ctx, out, *out, TSR_FLOAT64));
  if (q->quant->scales == NULL) return q->quant->zero_point == 0 ? TSR_OK : tsr_binary_scalar(ctx, out, "sub", *out, tsr_scalar_float((double)q->quant->zero_point));
  tsr_tensor *zero;
  TSR_TRY(channel_vector(ctx, &zero, q->quant->zero_points, q->quant->axis, q->ndim));
  return tsr_binary(ctx, out, "sub", *out, zero);
}

tsr_status tsr_dequantize(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *q) {
  if (q->quant == NULL) return tsr_to_dtype(ctx, out, q, TSR_FLOAT32);
  if (q->quant->scheme == 4) { /* float zero points: (q - zp) * scale with zp kept as float */
    tsr_tensor *zero;
    TSR_TRY(tsr_int_repr(ctx, out, q));
    TSR_TRY(tsr_to_dtype(ctx, out, *out, TSR_FLOAT64));
    TSR_TRY(channel_vector(ctx, &zero, q->quant->zero_points, q->quant->axis, q->ndim));
    TSR_TRY(tsr_binary(ctx, out, "sub", *out, zero));
  } else {
    TSR_TRY(tsr_centred(ctx, out, q));
  }
  if (q->quant->scales == NULL) {
    TSR_TRY(tsr_binary_scalar(ctx, out, "mul", *out, tsr_scalar_float((double)(float)q->quant->scale)));
  } else {
    tsr_tensor *scales;
    TSR_TRY(channel_vector(ctx, &scales, q->quant->scales, q->quant->axis, q->ndim));
    TSR_TRY(tsr_binary(ctx, out, "mul", *out, scales));
  }
  return tsr_to_dtype(ctx, out, *out, TSR_FLOAT32);
}

tsr_status tsr_quantize(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, double scale, int64_t zero_point, tsr_dtype dtype) {
  double lo, hi;
  float inverse = 1.0f / (float)scale;
  tsr_quant quant = {.scheme = 0, .scale = scale, .zero_point = zero_point};
  tsr_tensor *wide, *ints;
  if (!tsr_dtype_is_quantized(dtype)) return tsr_op_fail(ctx, "quantize: %s is not a quantized dtype", tsr_dtype_name(dtype));
  if (!(scale > 0)) return tsr_op_fail(ctx, "quantize_tensor_per_tensor_affine: scale %g should be positive", scale);
  limits(dtype, &lo, &hi);
  if ((double)zero_point < lo || (double)zero_point > hi) {
    return tsr_op_fail(ctx, "quantize_tensor_per_tensor_affine: zero_point %lld is %s", (long long)zero_point, (double)zero_point < lo ? "below lower bound." : "above upper bound.");
  }
  TSR_TRY(tsr_to_dtype(ctx, &wide, x, TSR_FLOAT64));
  TSR_TRY(tsr_new_like(ctx, &ints, wide, tsr_quant_int_type(dtype)));
  if (wide->numel > 0 && !(tsr_tensor_is_dense(wide) && memcmp(wide->stride, ints->stride, wide->ndim * sizeof *wide->stride) == 0)) {
    TSR_TRY(tsr_contiguous(ctx, &wide, wide));
    TSR_TRY(tsr_new(ctx, &ints, tsr_quant_int_type(dtype), wide->ndim, wide->size));
  }
  const double *s = tsr_tensor_data_ro(wide);
  for (int64_t i = 0; i < wide->numel; i++) { /* PyTorch adds the zero point first and rounds once */
    double v = (double)nearbyintf(fmaf((float)s[i], inverse, (float)zero_point));
    v = isnan(v) ? lo : fmin(fmax(v, lo), hi);
    if (dtype == TSR_QINT8) ((int8_t *)ints->storage->data)[i] = (int8_t)v;
    else if (dtype == TSR_QINT32) ((int32_t *)ints->storage->data)[i] = (int32_t)v;
    else ((uint8_t *)ints->storage->data)[i] = (uint8_t)v;
  }
  return tsr_attach_quant(ctx, out, ints, &quant, dtype);
}

static tsr_status quantize_channels(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, tsr_tensor *scales, tsr_tensor *zeros, int64_t axis, tsr_dtype dtype) {
  double lo, hi;
  if (axis < 0 || axis >= x->ndim) return tsr_op_fail(ctx, "quantize_per_channel: axis %lld is out of range", (long long)axis);
  if (scales->numel != x->size[axis] || zeros->numel != x->size[axis]) return tsr_op_fail(ctx, "length of scales must equal to channel, expected %lld got, %lld", (long long)x->size[axis], (long long)scales->numel);
  limits(dtype, &lo, &hi);
  bool float_zero = tsr_dtype_is_float((tsr_dtype)zeros->dtype);
  if (!float_zero && tsr_dtype_packed(dtype) > 1) return tsr_op_fail(ctx, "\"quantize_tensor_per_channel_affine\" not implemented for '%s'", tsr_dtype_get_info(dtype)->cpp_name);
  tsr_quant quant = {.scheme = float_zero ? 4 : 1, .axis = axis};
  TSR_TRY(tsr_ready(ctx, &quant.scales, scales, float_zero ? TSR_FLOAT32 : TSR_FLOAT64));
  TSR_TRY(tsr_ready(ctx, &quant.zero_points, zeros, float_zero ? TSR_FLOAT32 : TSR_INT64));
  tsr_tensor *s, *z, *y;
  TSR_TRY(channel_vector(ctx, &s, quant.scales, axis, x->ndim));
  TSR_TRY(channel_vector(ctx, &z, quant.zero_points, axis, x->ndim));
  TSR_TRY(tsr_to_dtype(ctx, &y, x, TSR_FLOAT64));
  TSR_TRY(tsr_binary(ctx, &y, "div", y, s));
  TSR_TRY(tsr_binary(ctx, &y, "add", y, z));
  TSR_TRY(tsr_unary(ctx, &y, "round", y));
  tsr_val args[] = {tsr_from_obj(y), tsr_float(lo), tsr_float(hi)}, ret;
  TSR_TRY(tsr_invoke(ctx, tsr_op_get("aten::clamp", ""), args, 3, &ret, 1));
  TSR_TRY(tsr_to_dtype(ctx, &y, ret.t, tsr_quant_int_type(dtype)));
  return tsr_attach_quant(ctx, out, y, &quant, dtype);
}

tsr_status tsr_quantize_like(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, const tsr_tensor *like) {
  const tsr_quant *q = like->quant;
  if (q->scales != NULL) return quantize_channels(ctx, out, x, q->scales, q->zero_points, q->axis, (tsr_dtype)like->dtype);
  return tsr_quantize(ctx, out, x, q->scale, q->zero_point, (tsr_dtype)like->dtype);
}

void tsr_choose_qparams(double lo, double hi, int64_t qmin, int64_t qmax, double *scale, int64_t *zero_point) {
  const double least = 6.1e-5;
  float min = fminf((float)lo, 0), max = fmaxf((float)hi, 0);
  double s = ((double)max - (double)min) / (double)(qmax - qmin), q0 = (double)qmin, q1 = (double)qmax;
  if ((float)s == 0 || isinf(1.0f / (float)s)) s = 0.1;
  if (s < least) {
    float amplifier = (float)(least / s);
    if (min == 0) max = (float)(least * (q1 - q0));
    else if (max == 0) min = (float)(-least * (q1 - q0));
    else min *= amplifier, max *= amplifier;
    s = least;
  }
  double from_min = q0 - (double)min / s, from_max = q1 - (double)max / s;
  double min_error = fabs(q0) - fabs((double)min / s), max_error = fabs(q1) - fabs((double)max / s);
  double zero = min_error < max_error ? from_min : from_max;
  *zero_point = zero < q0 ? qmin : zero > q1 ? qmax : isnan(zero) ? INT32_MIN : (int64_t)nearbyint(zero); /* as x86 makes an int of NaN */
  *scale = s;
}

/* ---- operators ---- */

static tsr_status one_number(tsr_ctx *ctx, const tsr_tensor *t, double *out) {
  if (t->numel != 1) return tsr_op_fail(ctx, "quantize: expected one number, but got %lld", (long long)t->numel);
  tsr_val v = tsr_tensor_get(ctx->mem, t, 0);
  *out = v.tag == TSR_V_INT ? (double)v.i : v.tag == TSR_V_BOOL ? v.b : v.d;
  return TSR_OK;
}

TSR_KERNEL(quantize_per_tensor) {
  tsr_tensor *out;
  double scale = 0, zero = 0;
  if (c->args[1].tag == TSR_V_TENSOR) {
    TSR_TRY(one_number(c->ctx, tsr_arg_tensor(c, 1), &scale));
    TSR_TRY(one_number(c->ctx, tsr_arg_tensor(c, 2), &zero));
  } else {
    scale = tsr_arg_float(c, 1);
    zero = (double)tsr_arg_int(c, 2);
  }
  if (tsr_arg_tensor(c, 0)->dtype != TSR_FLOAT32) return tsr_op_fail(c->ctx, "Quantize only works on Float Tensor, got %s", tsr_dtype_get_info(tsr_arg_tensor(c, 0)->dtype)->cpp_name);
  TSR_TRY(tsr_quantize(c->ctx, &out, tsr_arg_tensor(c, 0), scale, (int64_t)zero, (tsr_dtype)tsr_arg_int(c, 3)));
  return tsr_ret_tensor(c, 0, out);
}

TSR_KERNEL(quantize_per_channel) {
  tsr_tensor *out;
  TSR_TRY(quantize_channels(c->ctx, &out, tsr_arg_tensor(c, 0), tsr_arg_tensor(c, 1), tsr_arg_tensor(c, 2), tsr_arg_int(c, 3), (tsr_dtype)tsr_arg_int(c, 4)));
  return tsr_ret_tensor(c, 0, out);
}

static tsr_status range_of(tsr_ctx *ctx, tsr_tensor *x, double *lo, double *hi) {
  tsr_tensor *m;
  *lo = *hi = 0;
  if (x->numel == 0) return TSR_OK;
  TSR_TRY(tsr_reduce(ctx, &m, "amin", x, -1, NULL, false, -1));
  TSR_TRY(one_number(ctx, m, lo));
  TSR_TRY(tsr_reduce(ctx, &m, "amax", x, -1, NULL, false, -1));
  return one_number(ctx, m, hi);
}

TSR_KERNEL(quantize_dynamic) {
  tsr_tensor *x = tsr_arg_tensor(c, 0), *out;
  tsr_dtype dtype = (tsr_dtype)tsr_arg_int(c, 1);
  double lo, hi, scale;
  int64_t zero, half = tsr_arg_bool(c, 2) ? 2 : 1;
  if (dtype != TSR_QINT8 && dtype != TSR_QUINT8) return tsr_op_fail(c->ctx, "dtype %snot supported", tsr_dtype_is_known((int64_t)dtype) ? tsr_dtype_get_info((int)dtype)->cpp_name : "?");
  TSR_TRY(range_of(c->ctx, x, &lo, &hi));
  tsr_choose_qparams(lo, hi, (dtype == TSR_QINT8 ? -128 : 0) / half, (dtype == TSR_QINT8 ? 127 : 255) / half, &scale, &zero);
  TSR_TRY(tsr_quantize(c->ctx, &out, x, scale, zero, dtype));
  return tsr_ret_tensor(c, 0, out);
}

TSR_KERNEL(choose_qparams) { /* (x, reduce_range): for 8 bits, or 7 */
  double lo, hi, scale;
  int64_t zero;
  if (tsr_arg_tensor(c, 0)->numel == 0)
    return tsr_op_fail(c->ctx, "min(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with the 'dim' argument.");
  TSR_TRY(range_of(c->ctx, tsr_arg_tensor(c, 0), &lo, &hi));
  if (!(lo <= hi)) return tsr_op_fail(c->ctx, "In ChooseQuantizationParams, min should be less than or equal to max");
  tsr_choose_qparams(lo, hi, 0, tsr_arg_bool(c, 1) ? 127 : 255, &scale, &zero);
  c->rets[0] = tsr_float(scale);
  c->rets[1] = tsr_int(zero);
  return TSR_OK;
}

TSR_KERNEL(dequantize) {
  tsr_tensor *out;
  TSR_TRY(tsr_dequantize(c->ctx, &out, tsr_arg_tensor(c, 0)));
  return tsr_ret_tensor(c, 0, out);
}

TSR_KERNEL(dequantize_list) {
  int64_t n;
  tsr_tensor **ts = tsr_arg_tensors(c, 0, &n);
  if (ts == NULL) return c->ctx->err.status;
  for (int64_t i = 0; i < n; i++) TSR_TRY(tsr_dequantize(c->ctx, &ts[i], ts[i]));
  return tsr_ret_tensors(c, 0, ts, n);
}

TSR_KERNEL(int_repr) {
  tsr_tensor *out;
  TSR_TRY(tsr_need_quantized(c->ctx, tsr_arg_tensor(c, 0), "int_repr"));
  TSR_TRY(tsr_int_repr(c->ctx, &out, tsr_arg_tensor(c, 0)));
  int64_t each = tsr_dtype_packed((tsr_dtype)tsr_arg_tensor(c, 0)->dtype), n = out->numel / each + (out->numel % each != 0);
  if (each == 1) {
    TSR_TRY(tsr_clone(c->ctx, &out, out));
  } else { /* several elements to a byte, in one row */
    tsr_tensor *wide;
    TSR_TRY(tsr_contiguous(c->ctx, &wide, out));
    TSR_TRY(tsr_new(c->ctx, &out, TSR_UINT8, 1, &n));
    TSR_TRY(tsr_fill(c->ctx, out, tsr_scalar_int(0)));
    for (int64_t i = 0; i < wide->numel; i++) ((uint8_t *)out->storage->data)[i / each] |= (uint8_t)(((const uint8_t *)tsr_tensor_data_ro(wide))[i] << (i % each * (8 / each)));
  }
  return tsr_ret_tensor(c, 0, out);
}

#define QUERY(name, text, result)                                    \
  TSR_KERNEL(name) {                                                 \
    const tsr_tensor *t = tsr_arg_tensor(c, 0);                      \
    TSR_TRY(tsr_need_quantized(c->ctx, t, text));                    \
    return result;                                                   \
  }
QUERY(q_scale, "q_scale", tsr_ret_float(c, t->quant->scale))
QUERY(q_zero_point, "q_zero_point", tsr_ret_int(c, t->quant->zero_point))
QUERY(q_axis, "q_per_channel_axis", tsr_ret_int(c, t->quant->axis))
QUERY(qscheme, "qscheme", tsr_ret_int(c, t->quant->scheme))
QUERY(q_scales, "q_per_channel_scales", t->quant->scales == NULL ? tsr_op_fail(c->ctx, "Expected quantizer->qscheme() == kPerChannelAffine to be true, but got false.") : tsr_ret_tensor(c, 0, t->quant->scales))
QUERY(q_zero_points, "q_per_channel_zero_points", t->quant->zero_points == NULL ? tsr_op_fail(c->ctx, "Expected quantizer->qscheme() == kPerChannelAffine to be true, but got false.") : tsr_ret_tensor(c, 0, t->quant->zero_points))

static tsr_dtype quantized_of(tsr_dtype ints) { return ints == TSR_INT8 ? TSR_QINT8 : ints == TSR_UINT8 ? TSR_QUINT8 : TSR_QINT32; }

TSR_KERNEL(make_per_tensor) {
  tsr_tensor *x = tsr_arg_tensor(c, 0), *out;
  tsr_quant q = {.scale = tsr_arg_float(c, 1), .zero_point = tsr_arg_int(c, 2)};
  TSR_TRY(tsr_clone(c->ctx, &x, x));
  TSR_TRY(tsr_attach_quant(c->ctx, &out, x, &q, quantized_of((tsr_dtype)x->dtype)));
  return tsr_ret_tensor(c, 0, out);
}

TSR_KERNEL(make_per_channel) {
  tsr_tensor *x = tsr_arg_tensor(c, 0), *out;
  tsr_quant q = {.scheme = 1, .axis = tsr_arg_int(c, 3)};
  TSR_TRY(tsr_ready(c->ctx, &q.scales, tsr_arg_tensor(c, 1), TSR_FLOAT64));
  TSR_TRY(tsr_ready(c->ctx, &q.zero_points, tsr_arg_tensor(c, 2), TSR_INT64));
  if (q.axis < 0 || q.axis >= x->ndim || q.scales->numel != x->size[q.axis] || q.zero_points->numel != x->size[q.axis]) return tsr_op_fail(c->ctx, "_make_per_channel_quantized_tensor: scales do not match the axis");
  TSR_TRY(tsr_clone(c->ctx, &x, x));
  TSR_TRY(tsr_attach_quant(c->ctx, &out, x, &q, quantized_of((tsr_dtype)x->dtype)));
  return tsr_ret_tensor(c, 0, out);
}

/* ---- ordinary operators on quantized operands ---- */

/* On the integers; on the values, same quantizer; on integers minus zero point as floats, rounded; own output quantizer;
 * on the values as kernels read them (quant_kernel.c), same quantizer. */
typedef enum way { RAW, FLOATS, CENTRED, FIXED, KERNEL } way;
static const struct { const char *name; way how; double scale; int64_t zero; } known[] = {
    {"clone", RAW, 0, 0},       {"contiguous", RAW, 0, 0},    {"reshape", RAW, 0, 0},      {"flatten", RAW, 0, 0},        {"index_select", RAW, 0, 0},
    {"index", RAW, 0, 0},       {"stack", RAW, 0, 0},         {"gather", RAW, 0, 0},       {"take", RAW, 0, 0},           {"roll", RAW, 0, 0},
    {"eq", FLOATS, 0, 0},       {"ne", FLOATS, 0, 0},         {"lt", FLOATS, 0, 0},        {"le", FLOATS, 0, 0},          {"gt", FLOATS, 0, 0},
    {"ge", FLOATS, 0, 0},       {"max", FLOATS, 0, 0},        {"min", FLOATS, 0, 0},       {"masked_fill", FLOATS, 0, 0}, {"masked_fill_", FLOATS, 0, 0},
    {"repeat", RAW, 0, 0},      {"flip", RAW, 0, 0},          {"detach", RAW, 0, 0},       {"to", RAW, 0, 0},             {"view", RAW, 0, 0},
    {"relu", FLOATS, 0, 0},     {"relu_", FLOATS, 0, 0},      {"relu6", FLOATS, 0, 0},     {"hardtanh", FLOATS, 0, 0},    {"hardtanh_", FLOATS, 0, 0},
    {"clamp", FLOATS, 0, 0},    {"threshold", FLOATS, 0, 0},  {"max_pool1d", FLOATS, 0, 0}, {"max_pool2d", FLOATS, 0, 0}, {"max_pool3d", FLOATS, 0, 0},
    {"quantized_max_pool1d", FLOATS, 0, 0}, {"quantized_max_pool2d", FLOATS, 0, 0}, {"quantized_max_pool3d", FLOATS, 0, 0}, {"avg_pool2d", CENTRED, 0, 0}, {"avg_pool3d", CENTRED, 0, 0}, {"adaptive_avg_pool2d", CENTRED, 0, 0},
    {"adaptive_avg_pool3d", CENTRED, 0, 0}, {"mean", FLOATS, 0, 0}, {"upsample_nearest1d", FLOATS, 0, 0}, {"upsample_nearest2d", FLOATS, 0, 0},
    {"upsample_nearest3d", FLOATS, 0, 0}, {"upsample_bilinear2d", CENTRED, 0, 0}, {"leaky_relu", KERNEL, 0, 0}, {"elu", KERNEL, 0, 0},
    {"cat", FLOATS, 0, 0},      {"pixel_shuffle", FLOATS, 0, 0}, {"channel_shuffle", FLOATS, 0, 0}, {"pad", FLOATS, 0, 0}, {"topk", FLOATS, 0, 0}, {"sort", FLOATS, 0, 0},
    {"sigmoid", FIXED, 1.0 / 256, 0}, {"hardsigmoid", FIXED, 1.0 / 256, 0}, {"tanh", FIXED, 2.0 / 256, 128}};

static int find_known(const char *schema) {
  if (strncmp(schema, "aten::", 6) != 0) return -1;
  for (size_t i = 0; i < TSR_COUNT(known); i++) {
    size_t n = strlen(known[i].name);
    if (strncmp(schema + 6, known[i].name, n) == 0 && (schema[6 + n] == '(' || schema[6 + n] == '.')) return (int)i;
  }
  return -1;
}

static tsr_status plain_value(tsr_ctx *ctx, tsr_val v, way how, tsr_val *out, const tsr_tensor **first) {
  *out = v;
  if (v.tag == TSR_V_TENSOR && v.t->quant != NULL) {
    tsr_tensor *t;
    if (*first == NULL) *first = v.t;
    if (how == CENTRED) TSR_TRY(tsr_centred(ctx, &t, v.t));
    else if (how == KERNEL || how == FIXED) TSR_TRY(tsr_kernel_dequantize(ctx, &t, v.t, false));
    else TSR_TRY(how == RAW ? tsr_int_repr(ctx, &t, v.t) : tsr_dequantize(ctx, &t, v.t));
    if (how == CENTRED) TSR_TRY(tsr_to_dtype(ctx, &t, t, TSR_FLOAT32));
    *out = tsr_from_obj(t);
  } else if (v.tag == TSR_V_LIST && v.l->len > 0 && v.l->items[0].tag == TSR_V_TENSOR) {
    tsr_list *l = tsr_list_new(ctx->mem, v.l->elem, v.l->len);
    if (l == NULL) return tsr_ctx_nomem(ctx);
    TSR_TRY(tsr_temp(ctx, tsr_from_obj(l)));
    for (size_t i = 0; i < v.l->len; i++) {
      tsr_val item;
      TSR_TRY(plain_value(ctx, v.l->items[i], how, &item, first));
      tsr_list_push_take(l, tsr_retain(item));
    }
    *out = tsr_from_obj(l);
  }
  return TSR_OK;
}

/* x holds integers minus first's zero point, with fractions. */
static tsr_status quantize_centred(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, const tsr_tensor *first) {
  tsr_tensor *q;
  if (first->quant->scales != NULL) return tsr_op_fail(ctx, "this operator is not defined for tensors quantized by channel");
  TSR_TRY(tsr_quantize(ctx, &q, x, 1.0, first->quant->zero_point, (tsr_dtype)first->dtype));
  TSR_TRY(tsr_int_repr(ctx, &q, q));
  return tsr_attach_quant(ctx, out, q, first->quant, (tsr_dtype)first->dtype);
}

static tsr_status wrap_result(tsr_call *c, tsr_val *v, int k, const tsr_tensor *first) {
  tsr_tensor *out, *t = v->t;
  if (v->tag != TSR_V_TENSOR) return TSR_OK;
  bool same_kind = known[k].how == RAW ? t->dtype == tsr_quant_int_type((tsr_dtype)first->dtype) : t->dtype == TSR_FLOAT32;
  if (!same_kind) return TSR_OK; /* indices of topk, … */
  TSR_TRY(tsr_temp(c->ctx, *v));
  *v = tsr_none();
  if (known[k].how == RAW) TSR_TRY(tsr_attach_quant(c->ctx, &out, t, first->quant, (tsr_dtype)first->dtype));
  else if (known[k].how == FLOATS) TSR_TRY(tsr_quantize_like(c->ctx, &out, t, first));
  else if (known[k].how == KERNEL) TSR_TRY(tsr_kernel_quantize(c->ctx, &out, t, first->quant->scale, first->quant->zero_point, (tsr_dtype)first->dtype, false));
  else if (known[k].how == CENTRED) TSR_TRY(quantize_centred(c->ctx, &out, t, first));
  else {
    int64_t zero = first->dtype == TSR_QINT8 ? known[k].zero - 128 : known[k].zero;
    TSR_TRY(tsr_kernel_quantize(c->ctx, &out, t, known[k].scale, zero, (tsr_dtype)first->dtype, false));
  }
  tsr_obj_retain(out);
  *v = tsr_from_obj(out);
  return TSR_OK;
}

tsr_status tsr_quant_call(tsr_call *c, bool *handled) {
  int k = find_known(c->op->schema);
  *handled = false;
  if (k < 0 || c->nargs > 32) return TSR_OK;
  TSR_TRY(tsr_quant_pool(c, handled));
  if (!*handled) TSR_TRY(tsr_quant_mean(c, handled));
  if (*handled) return TSR_OK;
  *handled = true;
  tsr_val args[32];
  const tsr_tensor *first = NULL;
  for (uint32_t i = 0; i < c->nargs; i++) TSR_TRY(plain_value(c->ctx, c->args[i], known[k].how, &args[i], &first));
  tsr_call inner = *c;
  inner.args = args;
  inner.moved = 0;
  inner.site = NULL;
  TSR_TRY(c->op->kernel(&inner));
  for (uint32_t i = 0; i < c->nrets && first != NULL; i++) TSR_TRY(wrap_result(c, &c->rets[i], k, first));
  const char *paren = strpbrk(c->op->schema, ".(");
  if (paren[-1] == '_' && c->rets[0].tag == TSR_V_TENSOR) { /* in place */
    tsr_tensor *from, *to;
    TSR_TRY(tsr_int_repr(c->ctx, &from, c->rets[0].t));
    TSR_TRY(tsr_int_repr(c->ctx, &to, c->args[0].t));
    TSR_TRY(tsr_copy_into(c->ctx, to, from));
    TSR_TRY(tsr_temp(c->ctx, c->rets[0]));
    return tsr_ret(c, 0, c->args[0]);
  }
  return TSR_OK;
}

/* ---- simulated quantization ---- */

/* In float32, or in float64 where x is.  Zero points that are fractions (late) are added before the rounding.  mask, unless NULL: where the value was not cut off */
static tsr_status fake(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor **mask, tsr_tensor *x, tsr_tensor *scale, tsr_tensor *zero, bool late, int64_t qmin, int64_t qmax) {
  tsr_tensor *y, *low, *high, *inverse, *shift;
  tsr_dtype wide = x->dtype == TSR_FLOAT64 ? TSR_FLOAT64 : TSR_FLOAT32;
  TSR_TRY(tsr_to_dtype(ctx, &scale, scale, TSR_FLOAT32));
  TSR_TRY(tsr_unary(ctx, &inverse, "reciprocal", scale));
  TSR_TRY(tsr_to_dtype(ctx, &shift, zero, wide));
  TSR_TRY(tsr_to_dtype(ctx, &y, x, wide));
  TSR_TRY(tsr_binary(ctx, &y, "mul", y, inverse));
  if (!late) TSR_TRY(tsr_unary(ctx, &y, "round", y));
  TSR_TRY(tsr_binary(ctx, &y, "add", y, shift));
  if (late) TSR_TRY(tsr_unary(ctx, &y, "round", y));
  TSR_TRY(tsr_to_dtype(ctx, &y, y, TSR_FLOAT64));
  double *v = y->storage->data; /* of our own making; what is no number becomes the least, and is cut off */
  for (int64_t i = 0; i < y->numel; i++)
    if (isnan(v[i]) || (late && v[i] > 9.2e18)) v[i] = -INFINITY;
  if (mask != NULL) {
    tsr_val a[] = {tsr_from_obj(y), tsr_int(qmin)}, b[] = {tsr_from_obj(y), tsr_int(qmax)}, r;
    TSR_TRY(tsr_invoke(ctx, tsr_op_get("aten::ge", "Scalar"), a, 2, &r, 1));
    low = r.t;
    TSR_TRY(tsr_invoke(ctx, tsr_op_get("aten::le", "Scalar"), b, 2, &r, 1));
    high = r.t;
    TSR_TRY(tsr_binary(ctx, mask, "logical_and", low, high));
  }
  tsr_val args[] = {tsr_from_obj(y), tsr_float((double)qmin), tsr_float((double)qmax)}, ret;
  TSR_TRY(tsr_invoke(ctx, tsr_op_get("aten::clamp", ""), args, 3, &ret, 1));
  TSR_TRY(tsr_binary(ctx, &y, "sub", ret.t, zero));
  TSR_TRY(tsr_to_dtype(ctx, &y, y, TSR_FLOAT32));
  TSR_TRY(tsr_binary(ctx, &y, "mul", y, scale));
  return tsr_to_dtype(ctx, out, y, (tsr_dtype)x->dtype);
}

/* Scale and zero point of the second and third argument: numbers, or tensors (zero points that are not whole are rounded). */
static tsr_status fake_qparams(tsr_call *c, tsr_tensor **scale, tsr_tensor **zero) {
  if (c->args[1].tag == TSR_V_TENSOR) {
    TSR_TRY(tsr_ready(c->ctx, scale, tsr_arg_tensor(c, 1), TSR_FLOAT64));
    return tsr_ready(c->ctx, zero, tsr_arg_tensor(c, 2), TSR_FLOAT64);
  }
  TSR_TRY(tsr_new_scalar(c->ctx, scale, TSR_FLOAT64, tsr_scalar_float((double)(float)tsr_arg_float(c, 1))));
  return tsr_new_scalar(c->ctx, zero, TSR_FLOAT64, tsr_scalar_int(tsr_arg_int(c, 2)));
}

static tsr_status ret_fake(tsr_call *c, tsr_tensor *y, tsr_tensor *mask) {
  TSR_TRY(tsr_ret_tensor(c, 0, y));
  return c->nrets > 1 ? tsr_ret_tensor(c, 1, mask) : TSR_OK;
}

TSR_KERNEL(fake_per_tensor) {
  tsr_tensor *scale, *zero, *y, *mask = NULL;
  int64_t qmin = tsr_arg_int(c, 3), qmax = tsr_arg_int(c, 4);
  if (qmin > qmax) return tsr_op_fail(c->ctx, "`quant_min` should be less than or         equal to `quant_max`.");
  if (c->args[2].tag == TSR_V_INT && (c->args[2].i < qmin || c->args[2].i > qmax)) return tsr_op_fail(c->ctx, "`zero_point` must be between `quant_min` and `quant_max`.");
  TSR_TRY(fake_qparams(c, &scale, &zero));
  TSR_TRY(fake(c->ctx, &y, c->nrets > 1 ? &mask : NULL, tsr_arg_tensor(c, 0), scale, zero, false, qmin, qmax));
  return ret_fake(c, y, mask);
}

/* (x, scale, zero_point, enabled, qmin, qmax): a switch decides at run time */
TSR_KERNEL(fake_switched) {
  tsr_tensor *scale, *zero, *y, *mask, *x = tsr_arg_tensor(c, 0), *on = tsr_arg_tensor(c, 3);
  double enabled;
  TSR_TRY(fake_qparams(c, &scale, &zero));
  TSR_TRY(one_number(c->ctx, on, &enabled));
  if (enabled != 0) {
    TSR_TRY(fake(c->ctx, &y, &mask, x, scale, zero, false, tsr_arg_int(c, 4), tsr_arg_int(c, 5)));
  } else {
    TSR_TRY(tsr_clone(c->ctx, &y, x));
    TSR_TRY(tsr_new_like(c->ctx, &mask, x, TSR_BOOL));
    TSR_TRY(tsr_fill(c->ctx, mask, tsr_scalar_int(1)));
  }
  return ret_fake(c, y, mask);
}

static tsr_status fake_channels(tsr_call *c, tsr_tensor *scales, tsr_tensor *zeros, bool late, int64_t axis, int64_t qmin, int64_t qmax) {
  tsr_tensor *x = tsr_arg_tensor(c, 0), *scale, *zero, *y, *mask = NULL;
  if (axis < 0 || axis >= x->ndim || scales->numel != x->size[axis] || zeros->numel != x->size[axis]) return tsr_op_fail(c->ctx, "dimensions of scale and zero-point are not consistent with input tensor");
  TSR_TRY(channel_vector(c->ctx, &scale, scales, axis, x->ndim));
  TSR_TRY(channel_vector(c->ctx, &zero, zeros, axis, x->ndim));
  TSR_TRY(fake(c->ctx, &y, c->nrets > 1 ? &mask : NULL, x, scale, zero, late, qmin, qmax));
  return ret_fake(c, y, mask);
}
TSR_KERNEL(fake_per_channel) {
  return fake_channels(c, tsr_arg_tensor(c, 1), tsr_arg_tensor(c, 2), tsr_dtype_is_float((tsr_dtype)tsr_arg_tensor(c, 2)->dtype), tsr_arg_int(c, 3), tsr_arg_int(c, 4), tsr_arg_int(c, 5));
}

/* Zero points that were learnt are numbers: rounded and kept within the range. */
static tsr_status whole_zeros(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *zeros, int64_t qmin, int64_t qmax) {
  TSR_TRY(tsr_ready(ctx, out, zeros, TSR_FLOAT64));
  TSR_TRY(tsr_unary(ctx, out, "round", *out));
  tsr_val args[] = {tsr_from_obj(*out), tsr_float((double)qmin), tsr_float((double)qmax)}, ret;
  TSR_TRY(tsr_invoke(ctx, tsr_op_get("aten::clamp", ""), args, 3, &ret, 1));
  *out = ret.t;
  return TSR_OK;
}

TSR_KERNEL(fake_learnt_tensor) { /* (x, scale, zero_point, qmin, qmax, grad_factor) */
  tsr_tensor *scale, *zero, *y;
  TSR_TRY(tsr_ready(c->ctx, &scale, tsr_arg_tensor(c, 1), TSR_FLOAT64));
  TSR_TRY(whole_zeros(c->ctx, &zero, tsr_arg_tensor(c, 2), tsr_arg_int(c, 3), tsr_arg_int(c, 4)));
  TSR_TRY(fake(c->ctx, &y, NULL, tsr_arg_tensor(c, 0), scale, zero, false, tsr_arg_int(c, 3), tsr_arg_int(c, 4)));
  return tsr_ret_tensor(c, 0, y);
}

TSR_KERNEL(fake_learnt_channels) { /* (x, scale, zero_point, axis, qmin, qmax, grad_factor) */
  tsr_tensor *zero;
  TSR_TRY(whole_zeros(c->ctx, &zero, tsr_arg_tensor(c, 2), tsr_arg_int(c, 4), tsr_arg_int(c, 5)));
  return fake_channels(c, tsr_arg_tensor(c, 1), zero, false, tsr_arg_int(c, 3), tsr_arg_int(c, 4), tsr_arg_int(c, 5));
}

#define P TSR_PURE
const tsr_op tsr_ops_quant[] = {
    {"aten::quantize_per_tensor(Tensor self, float scale, int zero_point, ScalarType dtype) -> Tensor", op_quantize_per_tensor, P},
    {"aten::quantize_per_tensor.tensor_qparams(Tensor self, Tensor scale, Tensor zero_point, ScalarType dtype) -> Tensor", op_quantize_per_tensor, P},
    {"aten::quantize_per_tensor_dynamic(Tensor self, ScalarType dtype, bool reduce_range) -> Tensor", op_quantize_dynamic, P},
    {"aten::quantize_per_channel(Tensor self, Tensor scales, Tensor zero_points, int axis, ScalarType dtype) -> Tensor", op_quantize_per_channel, P},
    {"aten::dequantize.self(Tensor self) -> Tensor", op_dequantize, P}, {"aten::dequantize.tensors(Tensor[] tensors) -> Tensor[]", op_dequantize_list, P},
    {"aten::dequantize.tensor(Tensor qtensor) -> Tensor", op_dequantize, P}, {"aten::dequantize.list(Tensor[] qtensors) -> Tensor[]", op_dequantize_list, P},
    {"aten::int_repr(Tensor self) -> Tensor", op_int_repr, P}, {"aten::q_scale(Tensor self) -> float", op_q_scale, P}, {"aten::q_zero_point(Tensor self) -> int", op_q_zero_point, P},
    {"aten::q_per_channel_axis(Tensor self) -> int", op_q_axis, P}, {"aten::q_per_channel_scales(Tensor self) -> Tensor", op_q_scales, P},
    {"aten::q_per_channel_zero_points(Tensor self) -> Tensor", op_q_zero_points, P}, {"aten::qscheme(Tensor self) -> QScheme", op_qscheme, P},
    {"aten::_make_per_tensor_quantized_tensor(Tensor self, float scale, int zero_point) -> Tensor", op_make_per_tensor, P},
    {"aten::_make_per_channel_quantized_tensor(Tensor self, Tensor scale, Tensor zero_point, int axis) -> Tensor", op_make_per_channel, P},
    {"aten::fake_quantize_per_tensor_affine(Tensor self, float scale, int zero_point, int quant_min, int quant_max) -> Tensor", op_fake_per_tensor, P},
    {"aten::fake_quantize_per_tensor_affine.tensor_qparams(Tensor self, Tensor scale, Tensor zero_point, int quant_min, int quant_max) -> Tensor", op_fake_per_tensor, P},
    {"aten::fake_quantize_per_channel_affine(Tensor self, Tensor scale, Tensor zero_point, int axis, int quant_min, int quant_max) -> Tensor", op_fake_per_channel, P},
    {"aten::fake_quantize_per_tensor_affine_cachemask(Tensor self, float scale, int zero_point, int quant_min, int quant_max) -> (Tensor output, Tensor mask)", op_fake_per_tensor, P},
    {"aten::fake_quantize_per_channel_affine_cachemask(Tensor self, Tensor scale, Tensor zero_point, int axis, int quant_min, int quant_max) -> (Tensor output, Tensor mask)", op_fake_per_channel, P},
    {"aten::_fake_quantize_per_tensor_affine_cachemask_tensor_qparams(Tensor self, Tensor scale, Tensor zero_point, Tensor fake_quant_enabled, int quant_min, int quant_max) -> (Tensor output, Tensor mask)", op_fake_switched, P},
    {"aten::_fake_quantize_learnable_per_tensor_affine(Tensor self, Tensor scale, Tensor zero_point, int quant_min, int quant_max, float grad_factor=1.) -> Tensor", op_fake_learnt_tensor, P},
    {"aten::_fake_quantize_learnable_per_channel_affine(Tensor self, Tensor scale, Tensor zero_point, int axis, int quant_min, int quant_max, float grad_factor=1.) -> Tensor", op_fake_learnt_channels, P},
    {"aten::_choose_qparams_per_tensor(Tensor self, bool reduce_range=False) -> (float, int)", op_choose_qparams, P},
    {0}};
