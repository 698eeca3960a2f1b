/* Linear layers with int8 or half precision weights as PyTorch 1.0 to 1.2 quantized them: the weights stay tensors,
 * "packing" gives a tensor back.  Here that is the matrix itself. */
#include <math.h>

#include "ops/quant_packed.h"

/* Rows and columns of what should be a matrix; PyTorch does not look at further dimensions. */
static tsr_status matrix_sizes(tsr_ctx *ctx, const tsr_tensor *w, int64_t *rows, int64_t *cols) {
  int64_t dim;
  if (w->dtype != TSR_FLOAT32) return tsr_op_fail(ctx, "expected scalar type Float but found %s", tsr_dtype_get_info(w->dtype)->cpp_name);
  if (w->ndim == 0) return tsr_op_fail(ctx, "Dimension specified as 0 but tensor has no dimensions");
  TSR_TRY(tsr_wrap_dim(ctx, 1, w->ndim, &dim));
  *rows = w->size[0];
  *cols = w->size[1];
  return TSR_OK;
}

/* (input) -> int8 weight, sums of its rows, scale, zero point: over the whole matrix, symmetric in nothing */
TSR_KERNEL(quantize_weight) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *w, *m, *q, *sums;
  double lo = 0, hi = 0, scale;
  int64_t zero;
  int64_t rows, cols;
  TSR_TRY(matrix_sizes(ctx, tsr_arg_tensor(c, 0), &rows, &cols));
  TSR_TRY(tsr_ready(ctx, &w, tsr_arg_tensor(c, 0), TSR_FLOAT32));
  if (w->numel > 0) {
    TSR_TRY(tsr_reduce(ctx, &m, "amin", w, -1, NULL, false, -1));
    lo = tsr_tensor_get(ctx->mem, m, 0).d;
    TSR_TRY(tsr_reduce(ctx, &m, "amax", w, -1, NULL, false, -1));
    hi = tsr_tensor_get(ctx->mem, m, 0).d;
  }
  tsr_choose_qparams(lo, hi, -128, 127, &scale, &zero);
  TSR_TRY(tsr_quantize(ctx, &q, w, scale, zero, TSR_QINT8));
  TSR_TRY(tsr_int_repr(ctx, &q, q));
  TSR_TRY(tsr_reshape(ctx, &m, q, 1, &q->numel));
  TSR_TRY(tsr_narrow(ctx, &m, m, 0, 0, TSR_MIN(rows * cols, m->numel)));
  TSR_TRY(tsr_reshape(ctx, &m, m, 2, (int64_t[]){rows, m->numel == rows * cols ? cols : 0}));
  TSR_TRY(tsr_reduce(ctx, &sums, "sum", m, 1, (int64_t[]){1}, false, TSR_INT64));
  TSR_TRY(tsr_binary_scalar(ctx, &sums, "sub", sums, tsr_scalar_int(zero * cols)));
  TSR_TRY(tsr_to_dtype(ctx, &sums, sums, TSR_INT32));
  TSR_TRY(tsr_ret_tensor(c, 0, q));
  TSR_TRY(tsr_ret_tensor(c, 1, sums));
  c->rets[2] = tsr_float((double)(float)scale);
  c->rets[3] = tsr_int(zero);
  return TSR_OK;
}

TSR_KERNEL(pack) {
  tsr_tensor *w;
  TSR_TRY(tsr_clone(c->ctx, &w, tsr_arg_tensor(c, 0)));
  return tsr_ret_tensor(c, 0, w);
}

/* Weights beyond what half precision holds become its largest numbers. */
TSR_KERNEL(pack_half) {
  tsr_tensor *w;
  TSR_TRY(tsr_to_dtype(c->ctx, &w, tsr_arg_tensor(c, 0), TSR_FLOAT32));
  tsr_val args[] = {tsr_from_obj(w), tsr_float(-65504), tsr_float(65504)}, ret;
  TSR_TRY(tsr_invoke(c->ctx, tsr_op_get("aten::clamp", ""), args, 3, &ret, 1));
  TSR_TRY(tsr_ready(c->ctx, &w, ret.t, TSR_FLOAT16));
  return tsr_ret_tensor(c, 0, w);
}

/* Within half precision, still float.  What is not in order in memory is given back as it is: PyTorch saturates a copy of it that it drops. */
TSR_KERNEL(saturate) {
  tsr_tensor *w = tsr_arg_tensor(c, 0), *y;
  int64_t rows, cols;
  TSR_TRY(matrix_sizes(c->ctx, w, &rows, &cols));
  if (!tsr_tensor_is_contiguous(w)) return tsr_ret_tensor(c, 0, w);
  TSR_TRY(tsr_clone(c->ctx, &y, w));
  float *v = y->storage->data;
  for (int64_t i = 0; i < rows * cols && i < y->numel; i++) {
    if (v[i] > 65504) v[i] = 65504;
    else if (v[i] < -65504) v[i] = -65504;
  }
  return tsr_ret_tensor(c, 0, y);
}

/* (input, weight, packed, col_offsets, scale, zero point, bias): the input is quantized for this call */
TSR_KERNEL(linear_int8) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *w = tsr_arg_tensor(c, 1), *y;
  tsr_quant q = {.scale = tsr_arg_scalar(c, 4).d, .zero_point = tsr_arg_scalar(c, 5).i};
  tsr_qlinear p = {.bias = tsr_arg_opt_tensor(c, 6)};
  if (w->dtype != TSR_INT8 || w->ndim != 2) return tsr_op_fail(ctx, "fbgemm_linear_int8_weight: expected a matrix of int8 weights");
  TSR_TRY(tsr_attach_quant(ctx, &p.weight, w, &q, TSR_QINT8));
  TSR_TRY(tsr_qlinear_dynamic(ctx, &y, tsr_arg_tensor(c, 0), &p, false));
  return tsr_ret_tensor(c, 0, y);
}

static tsr_status linear_of(tsr_ctx *ctx, tsr_tensor **y, tsr_tensor *x, tsr_tensor *w, tsr_tensor *bias) {
  TSR_TRY(tsr_to_dtype(ctx, &w, w, TSR_FLOAT32));
  return tsr_linear(ctx, y, x, w, bias);
}

TSR_KERNEL(linear_half) { /* (input, packed weight, bias) */
  tsr_tensor *y;
  TSR_TRY(linear_of(c->ctx, &y, tsr_arg_tensor(c, 0), tsr_arg_tensor(c, 1), tsr_arg_opt_tensor(c, 2)));
  return tsr_ret_tensor(c, 0, y);
}

TSR_KERNEL(linear_unpacked) { /* (X, weight, bias): the weight is rounded to half precision here */
  tsr_tensor *w, *y;
  TSR_TRY(tsr_to_dtype(c->ctx, &w, tsr_arg_tensor(c, 1), TSR_FLOAT16));
  TSR_TRY(linear_of(c->ctx, &y, tsr_arg_tensor(c, 0), w, tsr_arg_opt_tensor(c, 2)));
  return tsr_ret_tensor(c, 0, y);
}

#define P TSR_PURE
#define INT8 "Tensor input, Tensor weight, Tensor packed, Tensor col_offsets, Scalar weight_scale, Scalar weight_zero_point, Tensor bias"
const tsr_op tsr_ops_quant_fbgemm[] = {
    {"aten::fbgemm_linear_quantize_weight(Tensor input) -> (Tensor, Tensor, float, int)", op_quantize_weight, P},
    {"aten::fbgemm_pack_quantized_matrix(Tensor input) -> Tensor", op_pack, P},
    {"aten::fbgemm_pack_quantized_matrix.KN(Tensor input, int K, int N) -> Tensor", op_pack, P},
    {"aten::fbgemm_pack_gemm_matrix_fp16(Tensor input) -> Tensor", op_pack_half, P},
    {"aten::_saturate_weight_to_fp16(Tensor weight) -> Tensor", op_saturate, P},
    {"aten::fbgemm_linear_int8_weight(" INT8 ") -> Tensor", op_linear_int8, P},
    {"aten::fbgemm_linear_int8_weight_fp32_activation(" INT8 ") -> Tensor", op_linear_int8, P},
    {"aten::fbgemm_linear_fp16_weight(Tensor input, Tensor packed_weight, Tensor bias) -> Tensor", op_linear_half, P},
    {"aten::fbgemm_linear_fp16_weight_fp32_activation(Tensor input, Tensor packed_weight, Tensor? bias) -> Tensor", op_linear_half, P},
    {"quantized::linear_dynamic_fp16_unpacked_weight(Tensor X, Tensor weight, Tensor? bias) -> Tensor Y", op_linear_unpacked, P},
    {0},
};
