/* Elementwise operators of three operands, bounds, and choices by a mask. */
#include <math.h>

#include "ops/pointwise.h"

/* The C++ name of an element type, as some of PyTorch's messages have it. */
static const char *cxx_name(tsr_dtype d) {
  switch (d) {
  case TSR_UINT8: return "unsigned char";
  case TSR_INT8: return "signed char";
  case TSR_INT16: return "short int";
  case TSR_INT32: return "int";
  case TSR_INT64: return "long int";
  case TSR_FLOAT16: return "c10::Half";
  case TSR_BFLOAT16: return "c10::BFloat16";
  case TSR_FLOAT32: return "float";
  case TSR_FLOAT64: return "double";
  case TSR_COMPLEX32: return "c10::complex<c10::Half>";
  case TSR_COMPLEX64: return "c10::complex<float>";
  case TSR_COMPLEX128: return "c10::complex<double>";
  default: return tsr_dtype_name(d);
  }
}

static tsr_status addcdiv_types(tsr_call *c, tsr_pw_state *s) {
  if (tsr_dtype_is_integral(s->it.op[2].dtype, true) && tsr_dtype_is_integral(s->it.op[3].dtype, true))
    return tsr_op_fail(c->ctx, "Integer division with addcdiv is no longer supported, and in a future  release addcdiv will perform a true "
                               "division of tensor1 and tensor2. The historic addcdiv behavior can be implemented as (input + value * "
                               "torch.trunc(tensor1 / tensor2)).to(input.dtype) for integer inputs and as (input + value * tensor1 / tensor2) "
                               "for float inputs. The future addcdiv behavior is just the latter implementation: (input + value * tensor1 / "
                               "tensor2), for all dtypes.");
  return TSR_OK;
}

static tsr_status lerp_types(tsr_call *c, tsr_pw_state *s) {
  tsr_dtype self = (tsr_dtype)c->args[0].t->dtype, end = (tsr_dtype)c->args[1].t->dtype;
  const char *text = "expected dtype %s for `%s` but got dtype %s";
  if (end != self) return tsr_op_fail(c->ctx, text, cxx_name(self), "end", cxx_name(end));
  if (c->args[2].tag == TSR_V_TENSOR && c->args[2].t->dtype != self)
    return tsr_op_fail(c->ctx, text, cxx_name(self), "weight", cxx_name((tsr_dtype)c->args[2].t->dtype));
  s->common = self;
  if (c->args[2].tag != TSR_V_TENSOR && tsr_dtype_is_float(self)) TSR_TRY(tsr_check_scalar_fits(c->ctx, tsr_arg_scalar(c, 2), self));
  if (self == TSR_BOOL || tsr_dtype_is_integral(self, false))
    return tsr_not_implemented(c->ctx, c->args[2].tag == TSR_V_TENSOR ? "lerp_kernel_tensor" : "lerp_kernel_scalar", self);
  return TSR_OK;
}

static tsr_status two_reals(tsr_call *c, tsr_pw_state *s) {
  tsr_dtype a = (tsr_dtype)c->args[0].t->dtype, b = (tsr_dtype)c->args[1].t->dtype;
  const char *an = tsr_dtype_get_info((int)a)->cpp_name, *bn = tsr_dtype_get_info((int)b)->cpp_name;
  if (!tsr_dtype_is_float(a) || !tsr_dtype_is_float(b) || a == TSR_BFLOAT16 || b == TSR_BFLOAT16)
    return tsr_op_fail(c->ctx, "Expected both inputs to be Half, Float or Double tensors but got %s and %s", an, bn);
  if (a != b) return tsr_op_fail(c->ctx, "Expected object of scalar type %s but got scalar type %s for second argument", an, bn);
  s->common = a;
  return tsr_out_expect(c, 0, tsr_dtype_complex_of(a));
}

static const tsr_pw pw_addcmul = {TSR_MAP_addcmul, "ooop", TSR_PROMO_SAME, TSR_NO_BOOL, .kernel = "addcmul_cpu_out"};
static const tsr_pw pw_addcdiv = {TSR_MAP_addcdiv, "ooop", TSR_PROMO_SAME, 0, .prepare = addcdiv_types};
static const tsr_pw pw_lerp = {TSR_MAP_lerp, "ooo", TSR_PROMO_SAME, TSR_NO_BOOL | TSR_NO_INT, .prepare = lerp_types};
static const tsr_pw pw_polar = {TSR_MAP_polar, "oo", TSR_PROMO_SAME, TSR_NO_HALF, .kernel = "polar_cpu", .prepare = two_reals};
static const tsr_pw pw_complex = {TSR_MAP_make_complex, "oo", TSR_PROMO_SAME, 0, .prepare = two_reals};

/* ---- clamp ---- */

typedef struct bounds { int min, max; } bounds; /* argument numbers, 0: none */
static const bounds both = {1, 2}, low = {1, 0}, high = {0, 1};

static bool scalar_is_nan(tsr_val v) { return v.tag == TSR_V_FLOAT && v.d != v.d; }
static bool has_bound(const tsr_call *c, int i) { return i > 0 && (uint32_t)i < c->nargs && !tsr_arg_is_none(c, (uint32_t)i); }

static tsr_status clamp_by_tensors(tsr_call *c, tsr_pw_state *s, int min, int max) {
  if (min) tsr_pw_operand(s, c->args[min]);
  if (max) tsr_pw_operand(s, c->args[max]);
  s->common = tsr_iter_result_type(&s->it);
  s->id = min && max ? TSR_MAP_clamp_tensor : min ? TSR_MAP_maximum : TSR_MAP_minimum;
  return TSR_OK;
}

/* Bounds are parameters: a missing one is infinite, NaN makes everything NaN. */
static tsr_status clamp_by_numbers(tsr_call *c, tsr_pw_state *s, int min, int max) {
  tsr_scalar lo = tsr_scalar_float(-INFINITY), hi = tsr_scalar_float(INFINITY);
  lo.i = INT64_MIN;
  hi.i = INT64_MAX;
  if (min) lo = tsr_arg_scalar(c, (uint32_t)min), tsr_pw_operand(s, c->args[min]);
  if (max) hi = tsr_arg_scalar(c, (uint32_t)max), tsr_pw_operand(s, c->args[max]);
  s->common = tsr_iter_result_type(&s->it);
  const tsr_tensor *out = s->it.op[0].t;
  if (out && !tsr_dtype_can_cast(s->common, (tsr_dtype)out->dtype))
    return tsr_op_fail(c->ctx, "result type %s can't be cast to the desired output type %s", tsr_dtype_get_info((int)s->common)->cpp_name,
                       cxx_name((tsr_dtype)out->dtype));
  if (tsr_dtype_is_integral(s->common, false)) { /* bounds take the tensor's own width */
    if (min) TSR_TRY(tsr_check_scalar_fits(c->ctx, lo, s->common));
    if (max) TSR_TRY(tsr_check_scalar_fits(c->ctx, hi, s->common));
    if (min) tsr_cvt_round(TSR_CT_I64, s->common, &lo.i, 1);
    if (max) tsr_cvt_round(TSR_CT_I64, s->common, &hi.i, 1);
  }
  s->it.count = 2;
  s->id = TSR_MAP_clamp;
  if ((min && scalar_is_nan(c->args[min])) || (max && scalar_is_nan(c->args[max]))) {
    s->id = TSR_MAP_fill;
    lo = tsr_scalar_float(NAN);
  }
  tsr_map_set_param(&s->p, 0, lo);
  tsr_map_set_param(&s->p, 1, hi);
  return TSR_OK;
}

static tsr_status clamp(tsr_call *c, tsr_tensor *out) {
  const bounds *b = c->op->data;
  int min = has_bound(c, b->min) ? b->min : 0, max = has_bound(c, b->max) ? b->max : 0;
  if (!min && !max) return tsr_op_fail(c->ctx, "torch.clamp: At least one of 'min' or 'max' must not be None");
  bool tensors = c->args[min ? min : max].tag == TSR_V_TENSOR;
  tsr_pw_state s;
  tsr_pw_begin(&s, c->ctx, out);
  tsr_pw_operand(&s, c->args[0]);
  TSR_TRY(tensors ? clamp_by_tensors(c, &s, min, max) : clamp_by_numbers(c, &s, min, max));
  if (tsr_dtype_is_complex(s.common)) return tsr_op_fail(c->ctx, "clamp is not supported for complex types");
  s.call = c;
  TSR_TRY(tsr_pw_finish(&s));
  return tsr_ret_tensor(c, 0, tsr_iter_out(&s.it, 0));
}
TSR_KERNEL(clamp) { return clamp(c, NULL); }
TSR_KERNEL(clamp_) { return clamp(c, tsr_arg_tensor(c, 0)); }

/* ---- where, masked_fill ---- */

static const tsr_pw pw_where = {TSR_MAP_where, "ooo"};

TSR_KERNEL(where) {
  tsr_tensor *cond = tsr_arg_tensor(c, 0);
  tsr_dtype out;
  if (tsr_out_dtype(c, 0, &out)) {
    tsr_dtype want = tsr_result_type((tsr_tensor *[]){c->args[1].t, c->args[2].t}, 2);
    if (out != want) return tsr_op_fail(c->ctx, "Expected out type to be %s but got %s", tsr_dtype_get_info((int)want)->cpp_name, tsr_dtype_get_info((int)out)->cpp_name);
  }
  if (cond->dtype != TSR_BOOL && cond->dtype != TSR_UINT8)
    return tsr_op_fail(c->ctx, "where expected condition to be a boolean tensor, but got a tensor with dtype %s", tsr_dtype_get_info(cond->dtype)->cpp_name);
  tsr_pw_state s;
  tsr_pw_begin(&s, c->ctx, NULL);
  tsr_pw_operand(&s, c->args[1]);
  tsr_pw_operand(&s, c->args[2]);
  s.common = tsr_iter_result_type(&s.it);
  s.it.count = s.it.nout;
  for (int i = 0; i < 3; i++) tsr_pw_operand(&s, c->args[i]);
  s.id = TSR_MAP_where;
  TSR_TRY(tsr_pw_refuse(c->ctx, &pw_where, "where", s.common));
  for (uint32_t i = 1; i < 3; i++) {
    if (c->args[i].tag != TSR_V_TENSOR && (s.common == TSR_FLOAT32 || tsr_dtype_is_integral(s.common, false)))
      TSR_TRY(tsr_check_scalar_fits(c->ctx, tsr_arg_scalar(c, i), s.common));
  }
  TSR_TRY(tsr_pw_finish(&s));
  return tsr_ret_tensor(c, 0, tsr_iter_out(&s.it, 0));
}

static tsr_status check_masked_fill(tsr_call *c) {
  const tsr_tensor *self = tsr_arg_tensor(c, 0), *mask = tsr_arg_tensor(c, 1);
  if (mask->dtype != TSR_BOOL)
    return tsr_op_fail(c->ctx, "masked_fill_ only supports boolean masks, but got mask with dtype %s", cxx_name((tsr_dtype)mask->dtype));
  if (c->args[2].tag == TSR_V_TENSOR && c->args[2].t->ndim > 0)
    return tsr_op_fail(c->ctx, "masked_fill_ only supports a 0-dimensional value tensor, but got tensor with %d dimension(s).", c->args[2].t->ndim);
  if (c->args[2].tag != TSR_V_TENSOR) return tsr_check_scalar_fits(c->ctx, tsr_arg_scalar(c, 2), (tsr_dtype)self->dtype);
  if (tsr_dtype_is_complex((tsr_dtype)c->args[2].t->dtype) && !tsr_dtype_is_complex((tsr_dtype)self->dtype))
    return tsr_op_fail(c->ctx, "value cannot be converted to type %s without overflow", self->dtype == TSR_INT64 ? "int64_t" : cxx_name((tsr_dtype)self->dtype));
  return TSR_OK;
}

static tsr_status masked_fill(tsr_call *c, tsr_tensor *out) {
  tsr_pw_state s;
  tsr_pw_begin(&s, c->ctx, out);
  s.it.overlap_ok = true;
  tsr_pw_operand(&s, c->args[1]);
  tsr_pw_operand(&s, c->args[2]);
  tsr_pw_operand(&s, c->args[0]);
  s.id = TSR_MAP_where;
  s.common = (tsr_dtype)c->args[0].t->dtype;
  TSR_TRY(tsr_pw_finish(&s));
  return tsr_ret_tensor(c, 0, tsr_iter_out(&s.it, 0));
}

TSR_KERNEL(masked_fill_) {
  const tsr_tensor *self = tsr_arg_tensor(c, 0), *mask = tsr_arg_tensor(c, 1);
  int n;
  int64_t size[TSR_MAX_NDIM];
  TSR_TRY(tsr_broadcast_sizes(c->ctx, self->ndim, self->size, mask->ndim, mask->size, &n, size));
  TSR_TRY(check_masked_fill(c));
  tsr_val args[3] = {c->args[0], c->args[1], c->args[2]}, ret;
  for (int d = 0; d < self->ndim; d++) { /* an element that repeats is filled where any of its places is */
    int m = d - self->ndim + mask->ndim;
    if (self->stride[d] != 0 || self->size[d] < 2) continue;
    TSR_TRY(tsr_narrow(c->ctx, &args[0].t, args[0].t, d, 0, 1));
    if (m < 0 || mask->size[m] < 2) continue;
    TSR_TRY(tsr_reduce(c->ctx, &args[1].t, "any", args[1].t, 1, &(int64_t){m}, true, -1));
  }
  if (args[0].t == self) return masked_fill(c, args[0].t);
  TSR_TRY(tsr_invoke(c->ctx, c->op, args, 3, &ret, 1));
  return tsr_ret_tensor(c, 0, tsr_arg_tensor(c, 0));
}

/* The result is contiguous whatever the operands are. */
TSR_KERNEL(masked_fill) {
  tsr_tensor *self = tsr_arg_tensor(c, 0), *mask = tsr_arg_tensor(c, 1), *out;
  int n;
  int64_t size[TSR_MAX_NDIM];
  TSR_TRY(tsr_broadcast_sizes(c->ctx, mask->ndim, mask->size, self->ndim, self->size, &n, size));
  TSR_TRY(check_masked_fill(c));
  bool same = n == self->ndim && memcmp(size, self->size, (size_t)n * sizeof *size) == 0;
  if (same && tsr_tensor_is_contiguous(self)) TSR_TRY(tsr_out_like(c, 0, &out));
  else TSR_TRY(tsr_new(c->ctx, &out, (tsr_dtype)self->dtype, n, size));
  return masked_fill(c, out);
}

const tsr_op tsr_ops_ternary[] = {
    {"aten::addcmul(Tensor self, Tensor tensor1, Tensor tensor2, *, Scalar value=1) -> Tensor", tsr_pw_call, TSR_PURE, &pw_addcmul},
    {"aten::addcmul.out(Tensor self, Tensor tensor1, Tensor tensor2, *, Scalar value=1, Tensor(a!) out) -> Tensor(a!)",
     tsr_pw_call, TSR_OUT, &pw_addcmul},
    {"aten::addcmul_(Tensor(a!) self, Tensor tensor1, Tensor tensor2, *, Scalar value=1) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_addcmul},
    {"aten::addcdiv(Tensor self, Tensor tensor1, Tensor tensor2, *, Scalar value=1) -> Tensor", tsr_pw_call, TSR_PURE, &pw_addcdiv},
    {"aten::addcdiv.out(Tensor self, Tensor tensor1, Tensor tensor2, *, Scalar value=1, Tensor(a!) out) -> Tensor(a!)",
     tsr_pw_call, TSR_OUT, &pw_addcdiv},
    {"aten::addcdiv_(Tensor(a!) self, Tensor tensor1, Tensor tensor2, *, Scalar value=1) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_addcdiv},
    {"aten::lerp.Scalar(Tensor self, Tensor end, Scalar weight) -> Tensor", tsr_pw_call, TSR_PURE, &pw_lerp},
    {"aten::lerp.Tensor(Tensor self, Tensor end, Tensor weight) -> Tensor", tsr_pw_call, TSR_PURE, &pw_lerp},
    {"aten::lerp.Scalar_out(Tensor self, Tensor end, Scalar weight, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_lerp},
    {"aten::lerp.Tensor_out(Tensor self, Tensor end, Tensor weight, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_lerp},
    {"aten::lerp_.Scalar(Tensor(a!) self, Tensor end, Scalar weight) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_lerp},
    {"aten::lerp_.Tensor(Tensor(a!) self, Tensor end, Tensor weight) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_lerp},
    {"aten::polar(Tensor abs, Tensor angle) -> Tensor", tsr_pw_call, TSR_PURE, &pw_polar},
    {"aten::polar.out(Tensor abs, Tensor angle, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT_OBJECT, &pw_polar},
    {"aten::complex(Tensor real, Tensor imag) -> Tensor", tsr_pw_call, TSR_PURE, &pw_complex},
    {"aten::complex.out(Tensor real, Tensor imag, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT_OBJECT, &pw_complex},
    {"aten::where.self(Tensor condition, Tensor self, Tensor other) -> Tensor", op_where, TSR_PURE},
    {"aten::where.ScalarOther(Tensor condition, Tensor self, Scalar other) -> Tensor", op_where, TSR_PURE},
    {"aten::where.ScalarSelf(Tensor condition, Scalar self, Tensor other) -> Tensor", op_where, TSR_PURE},
    {"aten::where.Scalar(Tensor condition, Scalar self, Scalar other) -> Tensor", op_where, TSR_PURE},
    {"aten::where.self_out(Tensor condition, Tensor self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)", op_where, TSR_OUT},
    {"aten::masked_fill.Scalar(Tensor self, Tensor mask, Scalar value) -> Tensor", op_masked_fill, TSR_PURE},
    {"aten::masked_fill.Scalar_out(Tensor self, Tensor mask, Scalar value, *, Tensor(a!) out) -> Tensor(a!)", op_masked_fill, TSR_OUT_NEW},
    {"aten::masked_fill.Tensor(Tensor self, Tensor mask, Tensor value) -> Tensor", op_masked_fill, TSR_PURE},
    {"aten::masked_fill.Tensor_out(Tensor self, Tensor mask, Tensor value, *, Tensor(a!) out) -> Tensor(a!)", op_masked_fill, TSR_OUT_NEW},
    {"aten::masked_fill_.Scalar(Tensor(a!) self, Tensor mask, Scalar value) -> Tensor(a!)", op_masked_fill_, 0},
    {"aten::masked_fill_.Tensor(Tensor(a!) self, Tensor mask, Tensor value) -> Tensor(a!)", op_masked_fill_, 0},
    {"aten::clamp(Tensor self, Scalar? min=None, Scalar? max=None) -> Tensor", op_clamp, TSR_PURE, &both},
    {"aten::clamp.Tensor(Tensor self, Tensor? min=None, Tensor? max=None) -> Tensor", op_clamp, TSR_PURE, &both},
    {"aten::clamp.out(Tensor self, Scalar? min=None, Scalar? max=None, *, Tensor(a!) out) -> Tensor(a!)", op_clamp, TSR_OUT_FOUND, &both},
    {"aten::clamp.Tensor_out(Tensor self, Tensor? min=None, Tensor? max=None, *, Tensor(a!) out) -> Tensor(a!)", op_clamp, TSR_OUT, &both},
    {"aten::clamp_(Tensor(a!) self, Scalar? min=None, Scalar? max=None) -> Tensor(a!)", op_clamp_, 0, &both},
    {"aten::clamp_.Tensor(Tensor(a!) self, Tensor? min=None, Tensor? max=None) -> Tensor(a!)", op_clamp_, 0, &both},
    {"aten::clip(Tensor self, Scalar? min=None, Scalar? max=None) -> Tensor", op_clamp, TSR_PURE, &both},
    {"aten::clip.Tensor(Tensor self, Tensor? min=None, Tensor? max=None) -> Tensor", op_clamp, TSR_PURE, &both},
    {"aten::clip.out(Tensor self, Scalar? min=None, Scalar? max=None, *, Tensor(a!) out) -> Tensor(a!)", op_clamp, TSR_OUT_FOUND, &both},
    {"aten::clip.Tensor_out(Tensor self, Tensor? min=None, Tensor? max=None, *, Tensor(a!) out) -> Tensor(a!)", op_clamp, TSR_OUT, &both},
    {"aten::clip_(Tensor(a!) self, Scalar? min=None, Scalar? max=None) -> Tensor(a!)", op_clamp_, 0, &both},
    {"aten::clip_.Tensor(Tensor(a!) self, Tensor? min=None, Tensor? max=None) -> Tensor(a!)", op_clamp_, 0, &both},
    {"aten::clamp_min(Tensor self, Scalar min) -> Tensor", op_clamp, TSR_PURE, &low},
    {"aten::clamp_min.Tensor(Tensor self, Tensor min) -> Tensor", op_clamp, TSR_PURE, &low},
    {"aten::clamp_min.out(Tensor self, Scalar min, *, Tensor(a!) out) -> Tensor(a!)", op_clamp, TSR_OUT_FOUND, &low},
    {"aten::clamp_min.Tensor_out(Tensor self, Tensor min, *, Tensor(a!) out) -> Tensor(a!)", op_clamp, TSR_OUT, &low},
    {"aten::clamp_min_(Tensor(a!) self, Scalar min) -> Tensor(a!)", op_clamp_, 0, &low},
    {"aten::clamp_min_.Tensor(Tensor(a!) self, Tensor min) -> Tensor(a!)", op_clamp_, 0, &low},
    {"aten::clamp_max(Tensor self, Scalar max) -> Tensor", op_clamp, TSR_PURE, &high},
    {"aten::clamp_max.Tensor(Tensor self, Tensor max) -> Tensor", op_clamp, TSR_PURE, &high},
    {"aten::clamp_max.out(Tensor self, Scalar max, *, Tensor(a!) out) -> Tensor(a!)", op_clamp, TSR_OUT_FOUND, &high},
    {"aten::clamp_max.Tensor_out(Tensor self, Tensor max, *, Tensor(a!) out) -> Tensor(a!)", op_clamp, TSR_OUT, &high},
    {"aten::clamp_max_(Tensor(a!) self, Scalar max) -> Tensor(a!)", op_clamp_, 0, &high},
    {"aten::clamp_max_.Tensor(Tensor(a!) self, Tensor max) -> Tensor(a!)", op_clamp_, 0, &high},
    {0},
};
