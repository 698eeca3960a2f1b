/* Comparison and logic: truth values out of any type. */
#include "ops/pointwise.h"

static tsr_status isclose(tsr_call *c, tsr_pw_state *s) {
  if (c->args[0].t->dtype != c->args[1].t->dtype) {
    return tsr_op_fail(c->ctx, "%s did not match %s", tsr_dtype_get_info(c->args[0].t->dtype)->cpp_name,
                       tsr_dtype_get_info(c->args[1].t->dtype)->cpp_name);
  }
  if (s->p.d[0] < 0) return tsr_op_fail(c->ctx, "rtol must be greater than or equal to zero, but got %g", s->p.d[0]);
  if (s->p.d[1] < 0) return tsr_op_fail(c->ctx, "atol must be greater than or equal to zero, but got %g", s->p.d[1]);
  s->p.i[0] = tsr_arg_bool(c, 4);
  return TSR_OK;
}

static const tsr_pw pw_eq = {TSR_MAP_eq, "oo", TSR_PROMO_SAME, 0};
static const tsr_pw pw_ne = {TSR_MAP_ne, "oo", TSR_PROMO_SAME, 0};
static const tsr_pw pw_lt = {TSR_MAP_lt, "oo", TSR_PROMO_SAME, TSR_NO_COMPLEX, .kernel = "lt_cpu"};
static const tsr_pw pw_le = {TSR_MAP_le, "oo", TSR_PROMO_SAME, TSR_NO_COMPLEX, .kernel = "le_cpu"};
static const tsr_pw pw_gt = {TSR_MAP_gt, "oo", TSR_PROMO_SAME, TSR_NO_COMPLEX, .kernel = "gt_cpu"};
static const tsr_pw pw_ge = {TSR_MAP_ge, "oo", TSR_PROMO_SAME, TSR_NO_COMPLEX, .kernel = "ge_cpu"};
static const tsr_pw pw_logical_and = {TSR_MAP_logical_and, "oo", TSR_PROMO_SAME, 0};
static const tsr_pw pw_logical_or = {TSR_MAP_logical_or, "oo", TSR_PROMO_SAME, 0};
static const tsr_pw pw_logical_xor = {TSR_MAP_logical_xor, "oo", TSR_PROMO_SAME, 0};
static const tsr_pw pw_isclose = {TSR_MAP_isclose, "oopp", TSR_PROMO_SAME, 0, .prepare = isclose};

/* Same shape and every element equal. */
TSR_KERNEL(equal) {
  tsr_tensor *a = tsr_arg_tensor(c, 0), *b = tsr_arg_tensor(c, 1), *eq, *all;
  if (!tsr_tensor_same_size(a, b)) return tsr_ret_bool(c, false);
  TSR_TRY(tsr_binary(c->ctx, &eq, "eq", a, b));
  TSR_TRY(tsr_reduce(c->ctx, &all, "all", eq, -1, NULL, false, -1));
  return tsr_ret_bool(c, *(const uint8_t *)tsr_tensor_data_ro(all) != 0);
}

TSR_KERNEL(allclose) {
  tsr_val ret;
  tsr_tensor *all;
  TSR_TRY(tsr_invoke(c->ctx, tsr_op_get("aten::isclose", ""), c->args, c->nargs, &ret, 1));
  TSR_TRY(tsr_reduce(c->ctx, &all, "all", ret.t, -1, NULL, false, -1));
  return tsr_ret_bool(c, *(const uint8_t *)tsr_tensor_data_ro(all) != 0);
}

const tsr_op tsr_ops_compare[] = {
    {"aten::eq.Tensor(Tensor self, Tensor other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_eq},
    {"aten::eq.Scalar(Tensor self, Scalar other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_eq},
    {"aten::eq.Scalar_out(Tensor self, Scalar other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_eq},
    {"aten::eq.Tensor_out(Tensor self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_eq},
    {"aten::eq_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_eq},
    {"aten::eq_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_eq},
    {"aten::ne.Tensor(Tensor self, Tensor other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_ne},
    {"aten::ne.Scalar(Tensor self, Scalar other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_ne},
    {"aten::ne.Scalar_out(Tensor self, Scalar other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_ne},
    {"aten::ne.Tensor_out(Tensor self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_ne},
    {"aten::ne_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_ne},
    {"aten::ne_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_ne},
    {"aten::not_equal.Tensor(Tensor self, Tensor other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_ne},
    {"aten::not_equal.Scalar(Tensor self, Scalar other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_ne},
    {"aten::not_equal.Scalar_out(Tensor self, Scalar other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_ne},
    {"aten::not_equal.Tensor_out(Tensor self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_ne},
    {"aten::not_equal_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_ne},
    {"aten::not_equal_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_ne},
    {"aten::lt.Tensor(Tensor self, Tensor other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_lt},
    {"aten::lt.Scalar(Tensor self, Scalar other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_lt},
    {"aten::lt.Scalar_out(Tensor self, Scalar other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_lt},
    {"aten::lt.Tensor_out(Tensor self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_lt},
    {"aten::lt_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_lt},
    {"aten::lt_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_lt},
    {"aten::less.Tensor(Tensor self, Tensor other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_lt},
    {"aten::less.Scalar(Tensor self, Scalar other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_lt},
    {"aten::less.Scalar_out(Tensor self, Scalar other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_lt},
    {"aten::less.Tensor_out(Tensor self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_lt},
    {"aten::less_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_lt},
    {"aten::less_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_lt},
    {"aten::le.Tensor(Tensor self, Tensor other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_le},
    {"aten::le.Scalar(Tensor self, Scalar other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_le},
    {"aten::le.Scalar_out(Tensor self, Scalar other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_le},
    {"aten::le.Tensor_out(Tensor self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_le},
    {"aten::le_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_le},
    {"aten::le_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_le},
    {"aten::less_equal.Tensor(Tensor self, Tensor other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_le},
    {"aten::less_equal.Scalar(Tensor self, Scalar other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_le},
    {"aten::less_equal.Scalar_out(Tensor self, Scalar other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_le},
    {"aten::less_equal.Tensor_out(Tensor self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_le},
    {"aten::less_equal_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_le},
    {"aten::less_equal_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_le},
    {"aten::gt.Tensor(Tensor self, Tensor other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_gt},
    {"aten::gt.Scalar(Tensor self, Scalar other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_gt},
    {"aten::gt.Scalar_out(Tensor self, Scalar other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_gt},
    {"aten::gt.Tensor_out(Tensor self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_gt},
    {"aten::gt_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_gt},
    {"aten::gt_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_gt},
    {"aten::greater.Tensor(Tensor self, Tensor other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_gt},
    {"aten::greater.Scalar(Tensor self, Scalar other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_gt},
    {"aten::greater.Scalar_out(Tensor self, Scalar other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_gt},
    {"aten::greater.Tensor_out(Tensor self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_gt},
    {"aten::greater_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_gt},
    {"aten::greater_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_gt},
    {"aten::ge.Tensor(Tensor self, Tensor other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_ge},
    {"aten::ge.Scalar(Tensor self, Scalar other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_ge},
    {"aten::ge.Scalar_out(Tensor self, Scalar other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_ge},
    {"aten::ge.Tensor_out(Tensor self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_ge},
    {"aten::ge_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_ge},
    {"aten::ge_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_ge},
    {"aten::greater_equal.Tensor(Tensor self, Tensor other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_ge},
    {"aten::greater_equal.Scalar(Tensor self, Scalar other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_ge},
    {"aten::greater_equal.Scalar_out(Tensor self, Scalar other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_ge},
    {"aten::greater_equal.Tensor_out(Tensor self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_ge},
    {"aten::greater_equal_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_ge},
    {"aten::greater_equal_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_ge},
    {"aten::logical_and(Tensor self, Tensor other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_logical_and},
    {"aten::logical_and.out(Tensor self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_logical_and},
    {"aten::logical_and_(Tensor(a!) self, Tensor other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_logical_and},
    {"aten::logical_or(Tensor self, Tensor other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_logical_or},
    {"aten::logical_or.out(Tensor self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_logical_or},
    {"aten::logical_or_(Tensor(a!) self, Tensor other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_logical_or},
    {"aten::logical_xor(Tensor self, Tensor other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_logical_xor},
    {"aten::logical_xor.out(Tensor self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_logical_xor},
    {"aten::logical_xor_(Tensor(a!) self, Tensor other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_logical_xor},
    {"aten::isclose(Tensor self, Tensor other, float rtol=1.0000000000000001e-05, float atol=1e-08, bool equal_nan=False) -> Tensor",
     tsr_pw_call, TSR_PURE, &pw_isclose},
    {"aten::equal(Tensor self, Tensor other) -> bool", op_equal, TSR_PURE},
    {"aten::allclose(Tensor self, Tensor other, float rtol=1.0000000000000001e-05, float atol=1e-08, bool equal_nan=False) -> bool",
     op_allclose, TSR_PURE},
    {0},
};
