/* Operators that PyTorch's own Python and C++ call: scripted torch.nn.functional and torch.nn.init leave them in archives. */
#include <stdio.h>

#include "ops/iter.h"
#include "ops/native.h"

/* ---- checks ---- */

static tsr_status truth(tsr_call *c, bool *yes) {
  tsr_val args[1] = {c->args[0]}, ret;
  TSR_TRY(tsr_invoke(c->ctx, tsr_op_get("aten::is_nonzero", ""), args, 1, &ret, 1));
  *yes = ret.b;
  return TSR_OK;
}

TSR_KERNEL(assert_async) {
  bool yes;
  TSR_TRY(truth(c, &yes));
  if (yes) return TSR_OK;
  return c->nargs > 1 ? tsr_op_fail(c->ctx, "%.*s", (int)tsr_arg_str(c, 1)->len, tsr_arg_str(c, 1)->bytes)
                      : tsr_op_fail(c->ctx, "Expected Tensor with single nonzero value, but got zero");
}

static tsr_status metadata_list(tsr_call *c, uint32_t at, const char *what, const tsr_tensor *x, const int64_t *have) {
  int64_t n;
  const int64_t *want = tsr_arg_ints(c, at, &n);
  if (want == NULL) return c->ctx->err.status;
  bool same = n == x->ndim && memcmp(want, have, (size_t)n * sizeof *want) == 0;
  char got[256], expected[256];
  if (same) return TSR_OK;
  tsr_sizes_print(got, sizeof got, x->ndim, have);
  tsr_sizes_print(expected, sizeof expected, (int)(n > 16 ? 16 : n), want);
  return tsr_op_fail(c->ctx, "Tensor %s mismatch! Expected: %s, Got: %s", what, expected, got);
}

TSR_KERNEL(assert_metadata) {
  const tsr_tensor *x = tsr_arg_tensor(c, 0);
  TSR_TRY(metadata_list(c, 1, "sizes", x, x->size));
  TSR_TRY(metadata_list(c, 2, "strides", x, x->stride));
  tsr_dtype want = tsr_arg_dtype_or(c, 3, (tsr_dtype)x->dtype);
  if (want == x->dtype) return TSR_OK;
  return tsr_op_fail(c->ctx, "Tensor dtype mismatch! Expected: %s, Got: %s", tsr_dtype_get_info((int)want)->cpp_name, tsr_dtype_get_info(x->dtype)->cpp_name);
}

TSR_KERNEL(linalg_check_errors) {
  tsr_tensor *info;
  const tsr_str *api = tsr_arg_str(c, 1);
  TSR_TRY(tsr_ready(c->ctx, &info, tsr_arg_tensor(c, 0), TSR_INT64));
  const int64_t *v = tsr_tensor_data_ro(info);
  for (int64_t i = 0; i < info->numel; i++) {
    if (v[i] == 0) continue;
    char batch[64] = "";
    if (!tsr_arg_bool(c, 2)) snprintf(batch, sizeof batch, "(Batch element %lld): ", (long long)i);
    if (v[i] < 0) return tsr_op_fail(c->ctx, "%.*s: %sArgument %lld has illegal value. Most certainly there is a bug in the implementation calling the backend library.", (int)api->len, api->bytes, batch, (long long)-v[i]);
    return tsr_op_fail(c->ctx, "%.*s: %sThe factorization or solution could not be completed because the input matrix is singular or not positive-definite (%lld).", (int)api->len, api->bytes, batch, (long long)v[i]);
  }
  return TSR_OK;
}

TSR_KERNEL(has_overlap) { /* 0: no, 1: yes, 2: too hard to say */
  const tsr_tensor *x = tsr_arg_tensor(c, 0);
  bool expanded = false;
  for (int d = 0; d < x->ndim; d++) expanded = expanded || (x->size[d] > 1 && x->stride[d] == 0);
  return tsr_ret_int(c, x->numel == 0 || tsr_tensor_is_dense(x) ? 0 : expanded ? 1 : 2);
}

/* ---- another operator, then one more step ---- */

typedef struct steps { const char *name, *overload; uint32_t nargs; const char *then; } steps;

/* The operator of the same arguments (missing ones None), then a function of its result. */
static tsr_status run_steps(tsr_call *c, const steps *s, tsr_val *out) {
  tsr_val args[16], ret;
  for (uint32_t i = 0; i < TSR_COUNT(args); i++) args[i] = i < c->nargs ? c->args[i] : tsr_none();
  TSR_TRY(tsr_invoke(c->ctx, tsr_op_get(s->name, s->overload), args, s->nargs, &ret, 1));
  *out = ret;
  if (s->then == NULL) return TSR_OK;
  TSR_TRY(tsr_unary(c->ctx, &out->t, s->then, ret.t));
  return TSR_OK;
}

TSR_KERNEL(steps) {
  tsr_val out;
  TSR_TRY(run_steps(c, c->op->data, &out));
  return tsr_ret(c, 0, out);
}

static const steps add_relu = {"aten::add", "Tensor", 3, "relu"}, add_relu_number = {"aten::add", "Scalar", 3, "relu"},
                   uniform = {"aten::uniform_", "", 4, NULL}, normal = {"aten::normal_", "", 4, NULL}, fill = {"aten::fill_", "Scalar", 2, NULL},
                   zero = {"aten::zero_", "", 1, NULL}, renorm = {"aten::embedding_renorm_", "", 4, NULL}, cholesky = {"aten::cholesky_solve", "", 3, NULL};

/* No element is above the type's largest number. */
TSR_KERNEL(add_relu) {
  tsr_val args[2], ret;
  TSR_TRY(run_steps(c, c->op->data, &args[0]));
  ret = args[0];
  tsr_dtype d = (tsr_dtype)args[0].t->dtype;
  args[1] = tsr_float(tsr_dtype_max(d));
  if (tsr_dtype_is_float(d)) TSR_TRY(tsr_invoke(c->ctx, tsr_op_get("aten::clamp_max", ""), args, 2, &ret, 1));
  return tsr_ret(c, 0, ret);
}

TSR_KERNEL(renorm_copy) {
  tsr_tensor *copy;
  TSR_TRY(tsr_clone(c->ctx, &copy, tsr_arg_tensor(c, 0)));
  tsr_val args[4] = {tsr_from_obj(copy), c->args[1], c->args[2], c->args[3]}, ret;
  TSR_TRY(tsr_invoke(c->ctx, tsr_op_get("aten::embedding_renorm_", ""), args, 4, &ret, 1));
  return tsr_ret(c, 0, ret);
}

TSR_KERNEL(int_mm) {
  tsr_tensor *a = tsr_arg_tensor(c, 0), *b = tsr_arg_tensor(c, 1), *y;
  if (a->ndim != 2 || b->ndim != 2) return tsr_op_fail(c->ctx, "Expected %s to be of dimension 2 but got %d", a->ndim != 2 ? "self" : "mat2", a->ndim != 2 ? a->ndim : b->ndim);
  if (a->size[1] != b->size[0]) return tsr_op_fail(c->ctx, "int_mm_out_cpu: self.size(1) needs to match mat2.size(0) but got %lld and %lld", (long long)a->size[1], (long long)b->size[0]);
  if (a->dtype != TSR_INT8 && a->dtype != TSR_UINT8) return tsr_op_fail(c->ctx, "int_mm_out_cpu: Expected self dtype to be int8 or uint8 but got %s", tsr_dtype_c_name((tsr_dtype)a->dtype));
  if (b->dtype != TSR_INT8) return tsr_op_fail(c->ctx, "int_mm_out_cpu: Expected mat2 dtype to be of type int8 but got %s", tsr_dtype_c_name((tsr_dtype)b->dtype));
  TSR_TRY(tsr_to_dtype(c->ctx, &a, a, TSR_INT32));
  TSR_TRY(tsr_to_dtype(c->ctx, &b, b, TSR_INT32));
  TSR_TRY(tsr_matmul(c->ctx, &y, a, b));
  return tsr_ret_tensor(c, 0, y);
}

TSR_KERNEL(dim_arange) {
  int64_t dim;
  const tsr_tensor *like = tsr_arg_tensor(c, 0);
  TSR_TRY(tsr_wrap_dim(c->ctx, tsr_arg_int(c, 1), like->ndim, &dim));
  tsr_val args[5] = {tsr_int(like->ndim > 0 ? like->size[dim] : 1), tsr_int(TSR_INT64), tsr_none(), tsr_none(), tsr_none()}, ret;
  TSR_TRY(tsr_invoke(c->ctx, tsr_op_get("aten::arange", ""), args, 5, &ret, 1));
  return tsr_ret(c, 0, ret);
}

/* One scale and zero point for each tensor of a list. */
TSR_KERNEL(quantize_list) {
  int64_t n;
  tsr_tensor **xs = tsr_arg_tensors(c, 0, &n), *scales, *zeros;
  if (xs == NULL) return c->ctx->err.status;
  TSR_TRY(tsr_ready(c->ctx, &scales, tsr_arg_tensor(c, 1), TSR_FLOAT64));
  TSR_TRY(tsr_ready(c->ctx, &zeros, tsr_arg_tensor(c, 2), TSR_INT64));
  if (scales->numel < n || zeros->numel < n) return tsr_op_fail(c->ctx, "quantize_per_tensor: %lld tensors, but %lld scales and %lld zero points", (long long)n, (long long)scales->numel, (long long)zeros->numel);
  for (int64_t i = 0; i < n; i++) {
    tsr_val args[4] = {tsr_from_obj(xs[i]), tsr_float(((const double *)tsr_tensor_data_ro(scales))[i]), tsr_int(((const int64_t *)tsr_tensor_data_ro(zeros))[i]), c->args[3]}, ret;
    TSR_TRY(tsr_invoke(c->ctx, tsr_op_get("aten::quantize_per_tensor", ""), args, 4, &ret, 1));
    xs[i] = ret.t;
  }
  return tsr_ret_tensors(c, 0, xs, n);
}

#define P TSR_PURE
const tsr_op tsr_ops_internal[] = {
    {"aten::_assert_async(Tensor self) -> ()", op_assert_async, TSR_EFFECT},
    {"aten::_assert_async.msg(Tensor self, str assert_msg) -> ()", op_assert_async, TSR_EFFECT},
    {"aten::_assert_tensor_metadata(Tensor a, SymInt[]? size=None, SymInt[]? stride=None, ScalarType? dtype=None, *, Device? device=None, Layout? layout=None) -> ()", op_assert_metadata, TSR_EFFECT},
    {"aten::_linalg_check_errors(Tensor info, str api_name, *, bool is_matrix) -> ()", op_linalg_check_errors, TSR_EFFECT},
    {"aten::_debug_has_internal_overlap(Tensor self) -> int", op_has_overlap, P},
    {"aten::_add_relu.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor", op_add_relu, P, &add_relu},
    {"aten::_add_relu.out(Tensor self, Tensor other, *, Scalar alpha=1, Tensor(a!) out) -> Tensor(a!)", op_add_relu, TSR_OUT, &add_relu},
    {"aten::_add_relu_.Tensor(Tensor(a!) self, Tensor other, *, Scalar alpha=1) -> Tensor(a!)", op_add_relu, TSR_INPLACE, &add_relu},
    {"aten::_add_relu.Scalar(Tensor self, Scalar other, Scalar alpha=1) -> Tensor", op_add_relu, P, &add_relu_number},
    {"aten::_add_relu_.Scalar(Tensor(a!) self, Scalar other, Scalar alpha=1) -> Tensor(a!)", op_add_relu, TSR_INPLACE, &add_relu_number},
    {"aten::_no_grad_uniform_(Tensor(a!) tensor, float a, float b, Generator? generator=None) -> Tensor(a!)", op_steps, TSR_EFFECT, &uniform},
    {"aten::_no_grad_normal_(Tensor(a!) tensor, float mean, float std, Generator? generator=None) -> Tensor(a!)", op_steps, TSR_EFFECT, &normal},
    {"aten::_no_grad_fill_(Tensor(a!) tensor, float val) -> Tensor(a!)", op_steps, 0, &fill},
    {"aten::_no_grad_zero_(Tensor(a!) tensor) -> Tensor(a!)", op_steps, 0, &zero},
    {"aten::_no_grad_embedding_renorm_(Tensor weight, Tensor input, float max_norm, float norm_type) -> Tensor", op_steps, TSR_EFFECT, &renorm},
    {"aten::embedding_renorm(Tensor self, Tensor indices, float max_norm, float norm_type) -> Tensor", op_renorm_copy, P},
    {"aten::embedding_renorm.out(Tensor self, Tensor indices, float max_norm, float norm_type, *, Tensor(a!) out) -> Tensor(a!)", op_renorm_copy, TSR_OUT_NEW},
    {"aten::_cholesky_solve_helper(Tensor self, Tensor A, bool upper) -> Tensor", op_steps, P, &cholesky},
    {"aten::_int_mm(Tensor self, Tensor mat2) -> Tensor", op_int_mm, P},
    {"aten::_int_mm.out(Tensor self, Tensor mat2, *, Tensor(a!) out) -> Tensor(a!)", op_int_mm, TSR_OUT},
    {"aten::_dim_arange(Tensor like, int dim) -> Tensor", op_dim_arange, P},
    {"aten::quantize_per_tensor.tensors(Tensor[] tensors, Tensor scales, Tensor zero_points, ScalarType dtype) -> Tensor[]", op_quantize_list, P},
    {0},
};
