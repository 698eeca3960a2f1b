/* Elementwise operators of one operand. */
#include <math.h>

#include "ops/pointwise.h"

static tsr_status bool_to_long(tsr_call *c, tsr_pw_state *s) {
  TSR_UNUSED(c);
  if (s->common == TSR_BOOL) s->common = TSR_INT64;
  return TSR_OK;
}

/* round(x, decimals): scaled by a power of ten that is exact in the tensor's type as far as it goes. */
static tsr_status round_decimals(tsr_call *c, tsr_pw_state *s) {
  if (c->nargs < 2 || s->p.i[0] == 0) return TSR_OK;
  if (!tsr_dtype_is_float(s->common)) return tsr_not_implemented(c->ctx, "round_cpu", s->common);
  s->id = s->p.i[0] > 0 ? TSR_MAP_round_mul : TSR_MAP_round_div;
  s->p.d[0] = pow(10, fabs((double)s->p.i[0]));
  return TSR_OK;
}

static tsr_status logit_eps(tsr_call *c, tsr_pw_state *s) {
  if (c->nargs > 1 && !tsr_arg_is_none(c, 1)) s->id = TSR_MAP_logit_eps;
  return TSR_OK;
}

static tsr_status deg2rad(tsr_call *c, tsr_pw_state *s) {
  TSR_UNUSED(c);
  s->p.d[0] = M_PI / 180;
  return TSR_OK;
}

static tsr_status rad2deg(tsr_call *c, tsr_pw_state *s) {
  TSR_UNUSED(c);
  s->p.d[0] = 180 / M_PI;
  return TSR_OK;
}

static tsr_status nan_to_num(tsr_call *c, tsr_pw_state *s) {
  double big = tsr_dtype_max(s->common);
  tsr_dtype out;
  if (tsr_out_dtype(c, 0, &out) && out != s->common)
    return tsr_op_fail(c->ctx, "nan_to_num: dtype of out: %s should be same as input: %s", tsr_dtype_get_info((int)out)->cpp_name, tsr_dtype_get_info((int)s->common)->cpp_name);
  if (tsr_arg_is_none(c, 2)) tsr_map_set_param(&s->p, 1, tsr_scalar_float(big));
  if (tsr_arg_is_none(c, 3)) tsr_map_set_param(&s->p, 2, tsr_scalar_float(-big));
  for (int i = 0; i < 3; i++) s->p.z[i] = (tsr_c128){s->p.d[i], 0};
  return TSR_OK;
}

static tsr_status polygamma(tsr_call *c, tsr_pw_state *s) {
  if (s->p.i[0] < 0) return tsr_op_fail(c->ctx, "polygamma(n, x) does not support negative n.");
  if (s->p.i[0] == 0) s->id = TSR_MAP_digamma;
  if (s->p.i[0] == 1) s->id = TSR_MAP_trigamma;
  if (s->p.i[0] == 1 && tsr_dtype_is_complex(s->common)) return tsr_not_implemented(c->ctx, "trigamma", s->common);
  return TSR_OK;
}

/* Magnitudes of complex numbers go where real ones can be cast to; any other result is of the operand's type. */
static tsr_status abs_types(tsr_call *c, tsr_pw_state *s) {
  tsr_dtype out;
  bool z = tsr_dtype_is_complex(s->common);
  if (s->it.op[0].t && z) return tsr_op_fail(c->ctx, "In-place abs is not supported for complex tensors.");
  return tsr_out_dtype(c, 0, &out) && !(z && !tsr_dtype_is_complex(out)) ? tsr_out_check(c, 0, s->common, TSR_OUT_FOUND) : TSR_OK;
}
static const tsr_pw pw_abs = {TSR_MAP_abs, "o", TSR_PROMO_SAME, TSR_NO_BOOL, .kernel = "abs_cpu", .prepare = abs_types};
static const tsr_pw pw_sign = {TSR_MAP_sign, "o", TSR_PROMO_SAME, TSR_NO_COMPLEX,
    .no_complex = "Unlike NumPy, torch.sign is not intended to support complex numbers. Please use torch.sgn instead."};
static const tsr_pw pw_sgn = {TSR_MAP_sgn, "o", TSR_PROMO_SAME, 0};
static const tsr_pw pw_neg = {TSR_MAP_neg, "o", TSR_PROMO_SAME, TSR_NO_BOOL,
    .no_bool = "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a mask, use the `~` or `logical_not()` operator instead."};
static const tsr_pw pw_square = {TSR_MAP_square, "o", TSR_PROMO_SAME, 0, .prepare = bool_to_long};
static const tsr_pw pw_conj = {TSR_MAP_conj, "o", TSR_PROMO_SAME, 0};
static const tsr_pw pw_reciprocal = {TSR_MAP_reciprocal, "o", TSR_PROMO_FLOAT, 0};
static const tsr_pw pw_sqrt = {TSR_MAP_sqrt, "o", TSR_PROMO_FLOAT, 0};
static const tsr_pw pw_rsqrt = {TSR_MAP_rsqrt, "o", TSR_PROMO_FLOAT, 0};
static const tsr_pw pw_exp = {TSR_MAP_exp, "o", TSR_PROMO_FLOAT, 0};
static const tsr_pw pw_exp2 = {TSR_MAP_exp2, "o", TSR_PROMO_FLOAT, 0};
static const tsr_pw pw_expm1 = {TSR_MAP_expm1, "o", TSR_PROMO_FLOAT, 0};
static const tsr_pw pw_log = {TSR_MAP_log, "o", TSR_PROMO_FLOAT, 0};
static const tsr_pw pw_log2 = {TSR_MAP_log2, "o", TSR_PROMO_FLOAT, 0};
static const tsr_pw pw_log10 = {TSR_MAP_log10, "o", TSR_PROMO_FLOAT, 0};
static const tsr_pw pw_log1p = {TSR_MAP_log1p, "o", TSR_PROMO_FLOAT, 0};
static const tsr_pw pw_sin = {TSR_MAP_sin, "o", TSR_PROMO_FLOAT, 0};
static const tsr_pw pw_cos = {TSR_MAP_cos, "o", TSR_PROMO_FLOAT, 0};
static const tsr_pw pw_tan = {TSR_MAP_tan, "o", TSR_PROMO_FLOAT, 0};
static const tsr_pw pw_sinh = {TSR_MAP_sinh, "o", TSR_PROMO_FLOAT, 0};
static const tsr_pw pw_cosh = {TSR_MAP_cosh, "o", TSR_PROMO_FLOAT, 0};
static const tsr_pw pw_tanh = {TSR_MAP_tanh, "o", TSR_PROMO_FLOAT, 0};
static const tsr_pw pw_asin = {TSR_MAP_asin, "o", TSR_PROMO_FLOAT, 0};
static const tsr_pw pw_acos = {TSR_MAP_acos, "o", TSR_PROMO_FLOAT, 0};
static const tsr_pw pw_atan = {TSR_MAP_atan, "o", TSR_PROMO_FLOAT, 0};
static const tsr_pw pw_asinh = {TSR_MAP_asinh, "o", TSR_PROMO_FLOAT, 0};
static const tsr_pw pw_acosh = {TSR_MAP_acosh, "o", TSR_PROMO_FLOAT, 0};
static const tsr_pw pw_atanh = {TSR_MAP_atanh, "o", TSR_PROMO_FLOAT, 0};
static const tsr_pw pw_erf = {TSR_MAP_erf, "o", TSR_PROMO_FLOAT, TSR_NO_COMPLEX, .kernel = "erf_vml_cpu"};
static const tsr_pw pw_erfc = {TSR_MAP_erfc, "o", TSR_PROMO_FLOAT, TSR_NO_COMPLEX, .kernel = "erfc_vml_cpu"};
static const tsr_pw pw_erfinv = {TSR_MAP_erfinv, "o", TSR_PROMO_FLOAT, TSR_NO_COMPLEX, .kernel = "erfinv_vml_cpu"};
static const tsr_pw pw_ceil = {TSR_MAP_ceil, "o", TSR_PROMO_SAME, TSR_NO_BOOL | TSR_NO_COMPLEX,
    .kernel = "ceil_vml_cpu", .no_complex = "ceil is not supported for complex inputs"};
static const tsr_pw pw_floor = {TSR_MAP_floor, "o", TSR_PROMO_SAME, TSR_NO_BOOL | TSR_NO_COMPLEX,
    .kernel = "floor_vml_cpu", .no_complex = "floor is not supported for complex inputs"};
static const tsr_pw pw_trunc = {TSR_MAP_trunc, "o", TSR_PROMO_SAME, TSR_NO_BOOL | TSR_NO_COMPLEX,
    .kernel = "trunc_vml_cpu", .no_complex = "trunc is not supported for complex inputs"};
static const tsr_pw pw_round = {TSR_MAP_round, "op", TSR_PROMO_SAME, TSR_NO_BOOL | TSR_NO_COMPLEX,
    .kernel = "round_vml_cpu", .prepare = round_decimals};
static const tsr_pw pw_frac = {TSR_MAP_frac, "o", TSR_PROMO_SAME, TSR_FLOAT_ONLY};
static const tsr_pw pw_sigmoid = {TSR_MAP_sigmoid, "o", TSR_PROMO_FLOAT, 0};
static const tsr_pw pw_sinc = {TSR_MAP_sinc, "o", TSR_PROMO_FLOAT, 0};
static const tsr_pw pw_digamma = {TSR_MAP_digamma, "o", TSR_PROMO_FLOAT, TSR_NO_COMPLEX, .kernel = "digamma"};
static const tsr_pw pw_lgamma = {TSR_MAP_lgamma, "o", TSR_PROMO_FLOAT, TSR_NO_COMPLEX, .kernel = "lgamma_vml_cpu"};
static const tsr_pw pw_logit = {TSR_MAP_logit, "op", TSR_PROMO_FLOAT, TSR_NO_COMPLEX, .prepare = logit_eps};
static const tsr_pw pw_i0 = {TSR_MAP_i0, "o", TSR_PROMO_FLOAT, TSR_NO_COMPLEX, .kernel = "i0_vml_cpu"};
static const tsr_pw pw_i0e = {TSR_MAP_i0e, "o", TSR_PROMO_FLOAT, TSR_NO_COMPLEX, .kernel = "i0e_cpu"};
static const tsr_pw pw_i1 = {TSR_MAP_i1, "o", TSR_PROMO_FLOAT, TSR_NO_COMPLEX, .kernel = "i1_cpu"};
static const tsr_pw pw_i1e = {TSR_MAP_i1e, "o", TSR_PROMO_FLOAT, TSR_NO_COMPLEX, .kernel = "i1e_cpu"};
static const tsr_pw pw_entr = {TSR_MAP_entr, "o", TSR_PROMO_FLOAT, TSR_NO_COMPLEX, .kernel = "entr_cpu"};
static const tsr_pw pw_ndtr = {TSR_MAP_ndtr, "o", TSR_PROMO_FLOAT, TSR_NO_COMPLEX, .kernel = "erf_vml_cpu"};
static const tsr_pw pw_log_ndtr = {TSR_MAP_log_ndtr, "o", TSR_PROMO_FLOAT, TSR_NO_COMPLEX | TSR_NO_HALF, .kernel = "log_ndtr_cpu"};
static const tsr_pw pw_ndtri = {TSR_MAP_ndtri, "o", TSR_PROMO_FLOAT, TSR_NO_COMPLEX | TSR_NO_HALF, .kernel = "ndtri_cpu"};
static const tsr_pw pw_erfcx = {TSR_MAP_erfcx, "o", TSR_PROMO_FLOAT, TSR_NO_COMPLEX | TSR_NO_HALF, .kernel = "erfcx_cpu"};
static const tsr_pw pw_airy_ai = {TSR_MAP_airy_ai, "o", TSR_PROMO_FLOAT, TSR_NO_COMPLEX | TSR_NO_HALF, .kernel = "airy_ai_cpu"};
static const tsr_pw pw_bessel_j0 = {TSR_MAP_bessel_j0, "o", TSR_PROMO_FLOAT, TSR_NO_COMPLEX | TSR_NO_HALF, .kernel = "bessel_j0_cpu"};
static const tsr_pw pw_bessel_j1 = {TSR_MAP_bessel_j1, "o", TSR_PROMO_FLOAT, TSR_NO_COMPLEX | TSR_NO_HALF, .kernel = "bessel_j1_cpu"};
static const tsr_pw pw_bessel_y0 = {TSR_MAP_bessel_y0, "o", TSR_PROMO_FLOAT, TSR_NO_COMPLEX | TSR_NO_HALF, .kernel = "bessel_y0_cpu"};
static const tsr_pw pw_bessel_y1 = {TSR_MAP_bessel_y1, "o", TSR_PROMO_FLOAT, TSR_NO_COMPLEX | TSR_NO_HALF, .kernel = "bessel_y1_cpu"};
static const tsr_pw pw_bessel_k0 = {TSR_MAP_bessel_k0, "o", TSR_PROMO_FLOAT, TSR_NO_COMPLEX | TSR_NO_HALF,
    .kernel = "modified_bessel_k0_cpu"};
static const tsr_pw pw_bessel_k1 = {TSR_MAP_bessel_k1, "o", TSR_PROMO_FLOAT, TSR_NO_COMPLEX | TSR_NO_HALF,
    .kernel = "modified_bessel_k1_cpu"};
static const tsr_pw pw_bessel_k0e = {TSR_MAP_bessel_k0e, "o", TSR_PROMO_FLOAT, TSR_NO_COMPLEX | TSR_NO_HALF,
    .kernel = "scaled_modified_bessel_k0_cpu"};
static const tsr_pw pw_bessel_k1e = {TSR_MAP_bessel_k1e, "o", TSR_PROMO_FLOAT, TSR_NO_COMPLEX | TSR_NO_HALF,
    .kernel = "scaled_modified_bessel_k1_cpu"};
static const tsr_pw pw_spherical_j0 = {TSR_MAP_spherical_j0, "o", TSR_PROMO_FLOAT, TSR_NO_COMPLEX | TSR_NO_HALF,
    .kernel = "spherical_bessel_j0_cpu"};
static const tsr_pw pw_mod_i0 = {TSR_MAP_i0, "o", TSR_PROMO_FLOAT, TSR_NO_COMPLEX | TSR_NO_HALF, .kernel = "modified_bessel_i0_cpu"};
static const tsr_pw pw_mod_i1 = {TSR_MAP_i1, "o", TSR_PROMO_FLOAT, TSR_NO_COMPLEX | TSR_NO_HALF, .kernel = "modified_bessel_i1_cpu"};
static const tsr_pw pw_deg2rad = {TSR_MAP_scale, "o", TSR_PROMO_FLOAT, TSR_NO_COMPLEX,
    .no_complex = "deg2rad is not supported for complex tensors.", .prepare = deg2rad};
static const tsr_pw pw_rad2deg = {TSR_MAP_scale, "o", TSR_PROMO_FLOAT, TSR_NO_COMPLEX,
    .no_complex = "rad2deg is not supported for complex tensors.", .prepare = rad2deg};
static const tsr_pw pw_angle = {TSR_MAP_angle, "o", TSR_PROMO_FLOAT, 0};
static const tsr_pw pw_nan_to_num = {TSR_MAP_nan_to_num, "oppp", TSR_PROMO_SAME, 0, .prepare = nan_to_num};
static const tsr_pw pw_bitwise_not = {TSR_MAP_bitwise_not, "o", TSR_PROMO_SAME, TSR_INT_ONLY};
static const tsr_pw pw_logical_not = {TSR_MAP_logical_not, "o", TSR_PROMO_SAME, 0};
static const tsr_pw pw_isnan = {TSR_MAP_isnan, "o", TSR_PROMO_SAME, 0};
static const tsr_pw pw_isinf = {TSR_MAP_isinf, "o", TSR_PROMO_SAME, 0};
static const tsr_pw pw_isfinite = {TSR_MAP_isfinite, "o", TSR_PROMO_SAME, 0};
static const tsr_pw pw_isreal = {TSR_MAP_isreal, "o", TSR_PROMO_SAME, 0};

static tsr_status truth_out(tsr_call *c, tsr_pw_state *s) {
  tsr_dtype out;
  if (!tsr_out_dtype(c, 0, &out) || out == TSR_BOOL || tsr_dtype_is_complex(s->common)) return TSR_OK;
  return tsr_op_fail(c->ctx, "%s does not support non-boolean outputs.", s->id == TSR_MAP_isposinf ? "isposinf" : s->id == TSR_MAP_isneginf ? "isneginf" : "signbit");
}
static const tsr_pw pw_isposinf = {TSR_MAP_isposinf, "o", TSR_PROMO_SAME, TSR_NO_COMPLEX,
    .no_complex = "isposinf does not support complex inputs.", .prepare = truth_out};
static const tsr_pw pw_isneginf = {TSR_MAP_isneginf, "o", TSR_PROMO_SAME, TSR_NO_COMPLEX,
    .no_complex = "isneginf does not support complex inputs.", .prepare = truth_out};
static const tsr_pw pw_signbit = {TSR_MAP_signbit, "o", TSR_PROMO_SAME, TSR_NO_COMPLEX,
    .no_complex = "signbit is not implemented for complex tensors.", .prepare = truth_out};
static const tsr_pw pw_polygamma = {TSR_MAP_polygamma, "po", TSR_PROMO_FLOAT, TSR_NO_COMPLEX, .kernel = "polygamma", .prepare = polygamma};
static const tsr_pw pw_polygamma_ = {TSR_MAP_polygamma, "op", TSR_PROMO_FLOAT, TSR_NO_COMPLEX, .kernel = "polygamma", .prepare = polygamma};

static const tsr_pw pw_conj_view = {TSR_MAP_conj, "o", TSR_PROMO_SAME, 0};

/* Real tensors are their own conjugate. */
TSR_KERNEL(conj) {
  tsr_tensor *x = tsr_arg_tensor(c, 0);
  return tsr_dtype_is_complex((tsr_dtype)x->dtype) ? tsr_pw_call(c) : tsr_ret_tensor(c, 0, x);
}

TSR_KERNEL(conj_inplace) { /* real numbers are left alone, wherever they lie */
  tsr_tensor *x = tsr_arg_tensor(c, 0);
  return tsr_dtype_is_complex((tsr_dtype)x->dtype) ? tsr_pw_inplace(c) : tsr_ret_tensor(c, 0, x);
}

TSR_KERNEL(positive) {
  tsr_tensor *x = tsr_arg_tensor(c, 0);
  if (x->dtype == TSR_BOOL) return tsr_op_fail(c->ctx, "The `+` operator, on a bool tensor is not supported.");
  return tsr_ret_tensor(c, 0, x);
}

/* Mantissa in [0.5, 1) with the sign, and the power of two. */
TSR_KERNEL(frexp) {
  tsr_tensor *x = tsr_arg_tensor(c, 0), *wide, *m, *e;
  if (!tsr_dtype_is_float((tsr_dtype)x->dtype)) return tsr_op_fail(c->ctx, "torch.frexp() only supports floating-point dtypes");
  tsr_dtype out;
  if (tsr_out_dtype(c, 0, &out) && out != (tsr_dtype)x->dtype)
    return tsr_op_fail(c->ctx, "torch.frexp() expects mantissa to have dtype %s but got %s", tsr_dtype_c_name((tsr_dtype)x->dtype), tsr_dtype_c_name(out));
  if (tsr_out_dtype(c, 1, &out) && out != TSR_INT32) return tsr_op_fail(c->ctx, "torch.frexp() expects exponent to have int dtype but got %s", tsr_dtype_c_name(out));
  TSR_TRY(tsr_new_like(c->ctx, &wide, x, TSR_FLOAT64)); /* all three in one order of memory */
  TSR_TRY(tsr_copy_into(c->ctx, wide, x));
  TSR_TRY(tsr_new_like(c->ctx, &m, wide, TSR_FLOAT64));
  TSR_TRY(tsr_new_like(c->ctx, &e, wide, TSR_INT32));
  const double *a = tsr_tensor_data_ro(wide);
  double *mant = m->storage->data;
  int32_t *expo = e->storage->data;
  for (int64_t i = 0; i < x->numel; i++) {
    int k = 0;
    mant[i] = frexp(a[i], &k);
    expo[i] = k;
  }
  TSR_TRY(tsr_to_dtype(c->ctx, &m, m, (tsr_dtype)x->dtype));
  TSR_TRY(tsr_ret_tensor(c, 0, m));
  return tsr_ret_tensor(c, 1, e);
}

/* Angles of complex numbers come from a complex tensor: C order whatever the operand's. */
TSR_KERNEL(angle) {
  TSR_TRY(tsr_pw_call(c));
  if (!tsr_dtype_is_complex((tsr_dtype)tsr_arg_tensor(c, 0)->dtype)) return TSR_OK;
  tsr_tensor *y = c->rets[0].t;
  if (tsr_tensor_is_contiguous(y)) return TSR_OK;
  TSR_TRY(tsr_temp(c->ctx, c->rets[0]));
  c->rets[0] = tsr_none();
  TSR_TRY(tsr_contiguous(c->ctx, &y, y));
  return tsr_ret_tensor(c, 0, y);
}

const tsr_op tsr_ops_unary[] = {
    {"aten::abs(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_abs},
    {"aten::abs.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_abs},
    {"aten::abs_(Tensor(a!) self) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_abs},
    {"aten::absolute(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_abs},
    {"aten::absolute.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_abs},
    {"aten::absolute_(Tensor(a!) self) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_abs},
    {"aten::sign(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_sign},
    {"aten::sign.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT_FOUND, &pw_sign},
    {"aten::sign_(Tensor(a!) self) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_sign},
    {"aten::sgn(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_sgn},
    {"aten::sgn.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT_FOUND, &pw_sgn},
    {"aten::sgn_(Tensor(a!) self) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_sgn},
    {"aten::neg(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_neg},
    {"aten::neg.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT_FOUND, &pw_neg},
    {"aten::neg_(Tensor(a!) self) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_neg},
    {"aten::negative(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_neg},
    {"aten::negative.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT_FOUND, &pw_neg},
    {"aten::negative_(Tensor(a!) self) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_neg},
    {"aten::square(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_square},
    {"aten::square.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_square},
    {"aten::square_(Tensor(a!) self) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_square},
    {"aten::conj_physical(Tensor self) -> Tensor", op_conj, TSR_PURE, &pw_conj},
    {"aten::conj_physical.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT_FOUND, &pw_conj},
    {"aten::conj_physical_(Tensor(a!) self) -> Tensor(a!)", op_conj_inplace, 0, &pw_conj},
    {"aten::_conj_physical(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_conj},
    {"aten::_conj_physical.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT_NEW, &pw_conj},
    {"aten::reciprocal(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_reciprocal},
    {"aten::reciprocal.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_reciprocal},
    {"aten::reciprocal_(Tensor(a!) self) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_reciprocal},
    {"aten::sqrt(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_sqrt},
    {"aten::sqrt.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_sqrt},
    {"aten::sqrt_(Tensor(a!) self) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_sqrt},
    {"aten::rsqrt(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_rsqrt},
    {"aten::rsqrt.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_rsqrt},
    {"aten::rsqrt_(Tensor(a!) self) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_rsqrt},
    {"aten::exp(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_exp},
    {"aten::exp.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_exp},
    {"aten::exp_(Tensor(a!) self) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_exp},
    {"aten::exp2(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_exp2},
    {"aten::exp2.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_exp2},
    {"aten::exp2_(Tensor(a!) self) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_exp2},
    {"aten::expm1(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_expm1},
    {"aten::expm1.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_expm1},
    {"aten::expm1_(Tensor(a!) self) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_expm1},
    {"aten::log(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_log},
    {"aten::log.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_log},
    {"aten::log_(Tensor(a!) self) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_log},
    {"aten::log2(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_log2},
    {"aten::log2.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_log2},
    {"aten::log2_(Tensor(a!) self) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_log2},
    {"aten::log10(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_log10},
    {"aten::log10.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_log10},
    {"aten::log10_(Tensor(a!) self) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_log10},
    {"aten::log1p(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_log1p},
    {"aten::log1p.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_log1p},
    {"aten::log1p_(Tensor(a!) self) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_log1p},
    {"aten::sin(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_sin},
    {"aten::sin.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_sin},
    {"aten::sin_(Tensor(a!) self) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_sin},
    {"aten::cos(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_cos},
    {"aten::cos.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_cos},
    {"aten::cos_(Tensor(a!) self) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_cos},
    {"aten::tan(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_tan},
    {"aten::tan.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_tan},
    {"aten::tan_(Tensor(a!) self) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_tan},
    {"aten::sinh(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_sinh},
    {"aten::sinh.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_sinh},
    {"aten::sinh_(Tensor(a!) self) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_sinh},
    {"aten::cosh(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_cosh},
    {"aten::cosh.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_cosh},
    {"aten::cosh_(Tensor(a!) self) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_cosh},
    {"aten::tanh(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_tanh},
    {"aten::tanh.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_tanh},
    {"aten::tanh_(Tensor(a!) self) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_tanh},
    {"aten::special_exp2(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_exp2},
    {"aten::special_exp2.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_exp2},
    {"aten::special_expm1(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_expm1},
    {"aten::special_expm1.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_expm1},
    {"aten::special_log1p(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_log1p},
    {"aten::special_log1p.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_log1p},
    {"aten::asin(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_asin},
    {"aten::asin.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_asin},
    {"aten::asin_(Tensor(a!) self) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_asin},
    {"aten::arcsin(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_asin},
    {"aten::arcsin.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_asin},
    {"aten::arcsin_(Tensor(a!) self) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_asin},
    {"aten::acos(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_acos},
    {"aten::acos.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_acos},
    {"aten::acos_(Tensor(a!) self) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_acos},
    {"aten::arccos(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_acos},
    {"aten::arccos.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_acos},
    {"aten::arccos_(Tensor(a!) self) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_acos},
    {"aten::atan(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_atan},
    {"aten::atan.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_atan},
    {"aten::atan_(Tensor(a!) self) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_atan},
    {"aten::arctan(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_atan},
    {"aten::arctan.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_atan},
    {"aten::arctan_(Tensor(a!) self) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_atan},
    {"aten::asinh(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_asinh},
    {"aten::asinh.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_asinh},
    {"aten::asinh_(Tensor(a!) self) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_asinh},
    {"aten::arcsinh(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_asinh},
    {"aten::arcsinh.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_asinh},
    {"aten::arcsinh_(Tensor(a!) self) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_asinh},
    {"aten::acosh(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_acosh},
    {"aten::acosh.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_acosh},
    {"aten::acosh_(Tensor(a!) self) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_acosh},
    {"aten::arccosh(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_acosh},
    {"aten::arccosh.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_acosh},
    {"aten::arccosh_(Tensor(a!) self) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_acosh},
    {"aten::atanh(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_atanh},
    {"aten::atanh.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_atanh},
    {"aten::atanh_(Tensor(a!) self) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_atanh},
    {"aten::arctanh(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_atanh},
    {"aten::arctanh.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_atanh},
    {"aten::arctanh_(Tensor(a!) self) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_atanh},
    {"aten::erf(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_erf},
    {"aten::erf.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_erf},
    {"aten::erf_(Tensor(a!) self) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_erf},
    {"aten::special_erf(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_erf},
    {"aten::special_erf.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_erf},
    {"aten::erfc(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_erfc},
    {"aten::erfc.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_erfc},
    {"aten::erfc_(Tensor(a!) self) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_erfc},
    {"aten::special_erfc(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_erfc},
    {"aten::special_erfc.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_erfc},
    {"aten::erfinv(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_erfinv},
    {"aten::erfinv.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_erfinv},
    {"aten::erfinv_(Tensor(a!) self) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_erfinv},
    {"aten::special_erfinv(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_erfinv},
    {"aten::special_erfinv.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_erfinv},
    {"aten::ceil(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_ceil},
    {"aten::ceil.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT_FOUND, &pw_ceil},
    {"aten::ceil_(Tensor(a!) self) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_ceil},
    {"aten::floor(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_floor},
    {"aten::floor.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT_FOUND, &pw_floor},
    {"aten::floor_(Tensor(a!) self) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_floor},
    {"aten::trunc(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_trunc},
    {"aten::trunc.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT_FOUND, &pw_trunc},
    {"aten::trunc_(Tensor(a!) self) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_trunc},
    {"aten::fix(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_trunc},
    {"aten::fix.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT_FOUND, &pw_trunc},
    {"aten::fix_(Tensor(a!) self) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_trunc},
    {"aten::round(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_round},
    {"aten::round.decimals(Tensor self, *, int decimals) -> Tensor", tsr_pw_call, TSR_PURE, &pw_round},
    {"aten::round.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT_FOUND, &pw_round},
    {"aten::round.decimals_out(Tensor self, *, int decimals, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT_FOUND, &pw_round},
    {"aten::round_(Tensor(a!) self) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_round},
    {"aten::round_.decimals(Tensor(a!) self, *, int decimals) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_round},
    {"aten::special_round(Tensor self, *, int decimals=0) -> Tensor", tsr_pw_call, TSR_PURE, &pw_round},
    {"aten::special_round.out(Tensor self, *, int decimals=0, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT_FOUND, &pw_round},
    {"aten::frac(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_frac},
    {"aten::frac.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT_FOUND, &pw_frac},
    {"aten::frac_(Tensor(a!) self) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_frac},
    {"aten::sigmoid(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_sigmoid},
    {"aten::sigmoid.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_sigmoid},
    {"aten::sigmoid_(Tensor(a!) self) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_sigmoid},
    {"aten::special_expit(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_sigmoid},
    {"aten::special_expit.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_sigmoid},
    {"aten::sinc(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_sinc},
    {"aten::sinc.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_sinc},
    {"aten::sinc_(Tensor(a!) self) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_sinc},
    {"aten::special_sinc(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_sinc},
    {"aten::special_sinc.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_sinc},
    {"aten::digamma(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_digamma},
    {"aten::digamma.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_digamma},
    {"aten::digamma_(Tensor(a!) self) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_digamma},
    {"aten::special_digamma(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_digamma},
    {"aten::special_digamma.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_digamma},
    {"aten::special_psi(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_digamma},
    {"aten::special_psi.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_digamma},
    {"aten::lgamma(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_lgamma},
    {"aten::lgamma.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_lgamma},
    {"aten::lgamma_(Tensor(a!) self) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_lgamma},
    {"aten::special_gammaln(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_lgamma},
    {"aten::special_gammaln.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_lgamma},
    {"aten::logit(Tensor self, float? eps=None) -> Tensor", tsr_pw_call, TSR_PURE, &pw_logit},
    {"aten::logit.out(Tensor self, float? eps=None, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_logit},
    {"aten::logit_(Tensor(a!) self, float? eps=None) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_logit},
    {"aten::special_logit(Tensor self, float? eps=None) -> Tensor", tsr_pw_call, TSR_PURE, &pw_logit},
    {"aten::special_logit.out(Tensor self, float? eps=None, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_logit},
    {"aten::i0(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_i0},
    {"aten::i0.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_i0},
    {"aten::i0_(Tensor(a!) self) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_i0},
    {"aten::special_i0(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_i0},
    {"aten::special_i0.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_i0},
    {"aten::special_i0e(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_i0e},
    {"aten::special_i0e.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_i0e},
    {"aten::special_i1(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_i1},
    {"aten::special_i1.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_i1},
    {"aten::special_i1e(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_i1e},
    {"aten::special_i1e.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_i1e},
    {"aten::special_entr(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_entr},
    {"aten::special_entr.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_entr},
    {"aten::special_ndtr(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_ndtr},
    {"aten::special_ndtr.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_ndtr},
    {"aten::special_log_ndtr(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_log_ndtr},
    {"aten::special_log_ndtr.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_log_ndtr},
    {"aten::special_ndtri(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_ndtri},
    {"aten::special_ndtri.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_ndtri},
    {"aten::special_erfcx(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_erfcx},
    {"aten::special_erfcx.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_erfcx},
    {"aten::special_airy_ai(Tensor x) -> Tensor", tsr_pw_call, TSR_PURE, &pw_airy_ai},
    {"aten::special_airy_ai.out(Tensor x, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_airy_ai},
    {"aten::special_bessel_j0(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_bessel_j0},
    {"aten::special_bessel_j0.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_bessel_j0},
    {"aten::special_bessel_j1(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_bessel_j1},
    {"aten::special_bessel_j1.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_bessel_j1},
    {"aten::special_bessel_y0(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_bessel_y0},
    {"aten::special_bessel_y0.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_bessel_y0},
    {"aten::special_bessel_y1(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_bessel_y1},
    {"aten::special_bessel_y1.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_bessel_y1},
    {"aten::special_modified_bessel_k0(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_bessel_k0},
    {"aten::special_modified_bessel_k0.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_bessel_k0},
    {"aten::special_modified_bessel_k1(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_bessel_k1},
    {"aten::special_modified_bessel_k1.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_bessel_k1},
    {"aten::special_scaled_modified_bessel_k0(Tensor x) -> Tensor", tsr_pw_call, TSR_PURE, &pw_bessel_k0e},
    {"aten::special_scaled_modified_bessel_k0.out(Tensor x, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_bessel_k0e},
    {"aten::special_scaled_modified_bessel_k1(Tensor x) -> Tensor", tsr_pw_call, TSR_PURE, &pw_bessel_k1e},
    {"aten::special_scaled_modified_bessel_k1.out(Tensor x, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_bessel_k1e},
    {"aten::special_spherical_bessel_j0(Tensor x) -> Tensor", tsr_pw_call, TSR_PURE, &pw_spherical_j0},
    {"aten::special_spherical_bessel_j0.out(Tensor x, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_spherical_j0},
    {"aten::special_modified_bessel_i0(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_mod_i0},
    {"aten::special_modified_bessel_i0.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_mod_i0},
    {"aten::special_modified_bessel_i1(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_mod_i1},
    {"aten::special_modified_bessel_i1.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_mod_i1},
    {"aten::deg2rad(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_deg2rad},
    {"aten::deg2rad.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_deg2rad},
    {"aten::deg2rad_(Tensor(a!) self) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_deg2rad},
    {"aten::rad2deg(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_rad2deg},
    {"aten::rad2deg.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_rad2deg},
    {"aten::rad2deg_(Tensor(a!) self) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_rad2deg},
    {"aten::angle(Tensor self) -> Tensor", op_angle, TSR_PURE, &pw_angle},
    {"aten::angle.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", op_angle, TSR_OUT, &pw_angle},
    {"aten::nan_to_num(Tensor self, float? nan=None, float? posinf=None, float? neginf=None) -> Tensor",
     tsr_pw_call, TSR_PURE, &pw_nan_to_num},
    {"aten::nan_to_num.out(Tensor self, float? nan=None, float? posinf=None, float? neginf=None, *, Tensor(a!) out) -> Tensor(a!)",
     tsr_pw_call, TSR_OUT, &pw_nan_to_num},
    {"aten::nan_to_num_(Tensor(a!) self, float? nan=None, float? posinf=None, float? neginf=None) -> Tensor(a!)",
     tsr_pw_inplace, 0, &pw_nan_to_num},
    {"aten::bitwise_not(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_bitwise_not},
    {"aten::bitwise_not.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT_FOUND, &pw_bitwise_not},
    {"aten::bitwise_not_(Tensor(a!) self) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_bitwise_not},
    {"aten::logical_not(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_logical_not},
    {"aten::logical_not.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_logical_not},
    {"aten::logical_not_(Tensor(a!) self) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_logical_not},
    {"aten::isnan(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_isnan},
    {"aten::isnan.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT_NEW, &pw_isnan},
    {"aten::isinf(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_isinf},
    {"aten::isinf.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT_NEW, &pw_isinf},
    {"aten::isfinite(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_isfinite},
    {"aten::isreal(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_isreal},
    {"aten::isposinf(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_isposinf},
    {"aten::isposinf.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_isposinf},
    {"aten::isneginf(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_isneginf},
    {"aten::isneginf.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_isneginf},
    {"aten::signbit(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_signbit},
    {"aten::signbit.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_signbit},
    {"aten::polygamma(int n, Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_polygamma},
    {"aten::polygamma.out(int n, Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_polygamma},
    {"aten::special_polygamma(int n, Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_polygamma},
    {"aten::special_polygamma.out(int n, Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_polygamma},
    {"aten::polygamma_(Tensor(a!) self, int n) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_polygamma_},
    {"aten::conj(Tensor(a) self) -> Tensor(a)", op_conj, TSR_PURE, &pw_conj_view},
    {"aten::_conj(Tensor(a) self) -> Tensor(a)", op_conj, TSR_PURE, &pw_conj_view},
    {"aten::positive(Tensor(a) self) -> Tensor(a)", op_positive, TSR_PURE},
    {"aten::frexp.Tensor(Tensor self) -> (Tensor mantissa, Tensor exponent)", op_frexp, TSR_PURE},
    {"aten::frexp.Tensor_out(Tensor self, *, Tensor(a!) mantissa, Tensor(b!) exponent) -> (Tensor(a!) mantissa, Tensor(b!) exponent)",
     op_frexp, TSR_OUT},
    {0},
};
