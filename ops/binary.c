/* Elementwise operators of two operands: arithmetic, powers, bits, special functions. */
#include <math.h>

#include "ops/pointwise.h"

/* ---- add and its kin: self + alpha * other ---- */

static tsr_status check_alpha(tsr_call *c, const tsr_pw_state *s, tsr_scalar alpha) {
  if (alpha.tag == TSR_V_BOOL && s->common != TSR_BOOL) return tsr_op_fail(c->ctx, "Boolean alpha only supported for Boolean results.");
  if (alpha.tag == TSR_V_FLOAT && tsr_dtype_is_integral(s->common, true))
    return tsr_op_fail(c->ctx, "For integral input tensors, argument alpha must not be a floating point number.");
  if (alpha.tag == TSR_V_COMPLEX && !tsr_dtype_is_complex(s->common))
    return tsr_op_fail(c->ctx, "For non-complex input tensors, argument alpha must not be a complex number.");
  return TSR_OK;
}

static tsr_scalar alpha_of(const tsr_call *c) {
  return c->nargs > 2 && !tsr_arg_is_none(c, 2) ? tsr_arg_scalar(c, 2) : tsr_scalar_int(1);
}

static bool is_one(tsr_scalar a) { return a.d == 1 && (a.tag != TSR_V_COMPLEX || a.z.im == 0); }

static tsr_status add_alpha(tsr_call *c, tsr_pw_state *s) {
  tsr_scalar alpha = alpha_of(c);
  tsr_map_set_param(&s->p, 0, alpha);
  if (is_one(alpha)) s->id = TSR_MAP_plus;
  return check_alpha(c, s, alpha);
}

static tsr_status sub_alpha(tsr_call *c, tsr_pw_state *s) {
  tsr_scalar a = alpha_of(c);
  bool b0 = s->it.op[1].dtype == TSR_BOOL, b1 = s->it.op[2].dtype == TSR_BOOL;
  if (b0 && b1 && s->it.op[1].t && s->it.op[2].t)
    return tsr_op_fail(c->ctx, "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or `logical_xor()` operator instead.");
  if (b0 || b1)
    return tsr_op_fail(c->ctx, "Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying to invert a mask, use the `~` or `logical_not()` operator instead.");
  TSR_TRY(check_alpha(c, s, a));
  if (is_one(a)) {
    s->id = TSR_MAP_minus;
    return TSR_OK;
  }
  a.i = (int64_t)-(uint64_t)a.i;
  a.d = -a.d;
  a.z = (tsr_c128){-a.z.re, -a.z.im};
  tsr_map_set_param(&s->p, 0, a);
  return TSR_OK;
}

static tsr_status rsub_alpha(tsr_call *c, tsr_pw_state *s) {
  TSR_TRY(sub_alpha(c, s));
  tsr_pw_swap(s, 1, 2);
  return TSR_OK;
}

/* ---- division ---- */

/* Archives before version 4 divided integers by truncation where their program says div: not by its other names, nor inside of other operators. */
static tsr_status div_history(tsr_call *c, tsr_pw_state *s) {
  bool named = strncmp(c->op->schema, "aten::div.", 10) == 0 || strncmp(c->op->schema, "aten::div_.", 11) == 0;
  if (!named || c->ctx->depth > 1 || c->ctx->archive_version < 1 || c->ctx->archive_version > 3) return TSR_OK;
  for (int k = 0; k < s->it.count; k++) {
    const tsr_iter_operand *o = &s->it.op[k];
    if ((k > 0 || o->t) && !tsr_dtype_is_integral(o->dtype, true)) return TSR_OK;
  }
  s->id = TSR_MAP_div_trunc;
  s->common = tsr_iter_result_type(&s->it);
  return TSR_OK;
}

/* The quotient is rounded to half precision before it is truncated. */
static tsr_status trunc_of_half(tsr_call *c, tsr_pw_state *s) {
  tsr_val args[2] = {c->args[0], c->args[1]}, ret;
  bool tensor = c->args[1].tag == TSR_V_TENSOR;
  TSR_TRY(tsr_invoke(c->ctx, tsr_op_get("aten::div", tensor ? "Tensor" : "Scalar"), args, 2, &ret, 1));
  s->it.count = s->it.nout;
  s->it.offers = 0;
  tsr_iter_add_in(&s->it, ret.t);
  s->id = TSR_MAP_trunc;
  return TSR_OK;
}

static tsr_status div_mode(tsr_call *c, tsr_pw_state *s) {
  if (tsr_arg_is_none(c, 2)) return TSR_OK;
  const tsr_str *mode = tsr_arg_str(c, 2);
  bool floor_ = strcmp(mode->bytes, "floor") == 0;
  if (!floor_ && strcmp(mode->bytes, "trunc") != 0)
    return tsr_op_fail(c->ctx, "div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '%s'", mode->bytes);
  s->id = floor_ ? TSR_MAP_div_floor : TSR_MAP_div_trunc;
  s->common = tsr_iter_result_type(&s->it);
  if (!floor_ && (s->common == TSR_FLOAT16 || s->common == TSR_BFLOAT16)) return trunc_of_half(c, s);
  TSR_TRY(tsr_out_expect(c, 0, s->common));
  if (s->common == TSR_BOOL || tsr_dtype_is_complex(s->common)) return tsr_not_implemented(c->ctx, floor_ ? "div_floor_cpu" : "div_trunc_cpu", s->common);
  return TSR_OK;
}

/* ---- powers ---- */

static bool map_for_exponent(double e, bool real, tsr_map_id *id) {
  static const struct { double e; tsr_map_id id; bool real; } cases[] = {
      {0, TSR_MAP_one, false}, {1, TSR_MAP_copy, false}, {2, TSR_MAP_square, false}, {3, TSR_MAP_cube, false},
      {0.5, TSR_MAP_sqrt, true}, {-0.5, TSR_MAP_rsqrt, true}, {-1, TSR_MAP_reciprocal, true}};
  for (size_t i = 0; i < TSR_COUNT(cases); i++)
    if (cases[i].e == e && (real || !cases[i].real)) {
      *id = cases[i].id;
      return true;
    }
  return false;
}

static tsr_status new_result(tsr_ctx *ctx, tsr_pw_state *s, const tsr_tensor *like) {
  s->it.op[0].dtype = s->common;
  return tsr_new(ctx, &s->it.op[0].t, s->common, like->ndim, like->size);
}

/* A number as exponent: the common ones have formulas of their own. */
static tsr_status pow_special(tsr_call *c, tsr_pw_state *s) {
  tsr_val e = c->args[1];
  if (e.tag == TSR_V_TENSOR && c->args[0].tag != TSR_V_TENSOR && s->it.op[0].t == NULL) /* the result is in C order then */
    return new_result(c->ctx, s, e.t);
  if (e.tag == TSR_V_TENSOR || e.tag == TSR_V_COMPLEX) return TSR_OK;
  tsr_scalar x = tsr_scalar_of(e);
  if (e.tag == TSR_V_INT && e.i < 0 && tsr_dtype_is_integral(s->common, true))
    return tsr_op_fail(c->ctx, "Integers to negative integer powers are not allowed.");
  if (map_for_exponent(x.d, !tsr_dtype_is_integral(s->common, true), &s->id)) s->it.count = 2;
  return TSR_OK;
}

static tsr_status float_power(tsr_call *c, tsr_pw_state *s) {
  char name[64];
  bool z = tsr_dtype_is_complex(s->it.op[1].dtype) || tsr_dtype_is_complex(s->it.op[2].dtype);
  s->common = z ? TSR_COMPLEX128 : TSR_FLOAT64;
  const tsr_tensor *self = s->it.op[0].t;
  if (self && self->dtype != s->common)
    return tsr_op_fail(c->ctx, "the base given to %s_ has dtype %s but the operation's result requires dtype %s", tsr_op_short_name(c->op, name, sizeof name),
                       tsr_dtype_get_info(self->dtype)->cpp_name, tsr_dtype_get_info((int)s->common)->cpp_name);
  tsr_dtype out;
  if (tsr_out_dtype(c, 0, &out) && out != s->common) {
    return tsr_op_fail(c->ctx, "the output given to float_power has dtype %s but the operation's result requires dtype %s", tsr_dtype_get_info(out)->cpp_name, tsr_dtype_get_info((int)s->common)->cpp_name);
  }
  return pow_special(c, s);
}

static tsr_status ldexp_castable(const tsr_call *c, const tsr_pw_state *s) {
  const tsr_tensor *self = s->it.op[0].t;
  tsr_dtype real = tsr_dtype_real_of(s->common); /* the iterator refuses complex results for real tensors */
  if (self && !tsr_dtype_can_cast(real, (tsr_dtype)self->dtype)) return tsr_op_fail(c->ctx, "ldexp can't be cast to the desired output type %s", tsr_dtype_get_info(self->dtype)->cpp_name);
  return tsr_out_cast(c, 0, real, "ldexp%.0s can't be cast to the desired output type %s");
}

/* Floats with whole exponents are scaled exactly; otherwise ldexp(x, e) is x * 2.0^e in PyTorch's types. */
static tsr_status ldexp_power(tsr_call *c, tsr_pw_state *s) {
  tsr_dtype self = s->it.op[1].dtype, e = s->it.op[2].dtype;
  if (tsr_dtype_is_float(self) && tsr_dtype_is_integral(e, true)) {
    if (e == TSR_BOOL) return tsr_not_implemented(c->ctx, "ldexp_cpu_exp", TSR_BOOL);
    s->id = TSR_MAP_ldexp;
    s->common = self;
    return ldexp_castable(c, s);
  }
  tsr_val args[2] = {tsr_float(2.0), c->args[1]}, ret;
  tsr_tensor *two;
  bool number = self == TSR_FLOAT32 || tsr_dtype_is_integral(self, true); /* others have a tensor of 2: its powers lie in memory like the exponents */
  if (!number) {
    TSR_TRY(tsr_new_scalar(c->ctx, &two, self, tsr_scalar_float(2)));
    args[0] = tsr_from_obj(two);
  }
  TSR_TRY(tsr_invoke(c->ctx, tsr_op_get("aten::pow", number ? "Scalar" : "Tensor_Tensor"), args, 2, &ret, 1));
  s->it.op[2].t = ret.t;
  s->it.op[2].dtype = (tsr_dtype)ret.t->dtype;
  s->it.op[2].wrapped = false;
  s->common = tsr_iter_result_type(&s->it);
  return ldexp_castable(c, s);
}

static tsr_status heaviside_types(tsr_call *c, tsr_pw_state *s) {
  if (s->it.op[1].dtype != s->it.op[2].dtype && !tsr_dtype_is_complex(s->it.op[1].dtype) && !tsr_dtype_is_complex(s->it.op[2].dtype))
    return tsr_op_fail(c->ctx, "heaviside is not yet implemented for tensors with different dtypes.");
  tsr_dtype out;
  if (tsr_out_dtype(c, 0, &out) && out != s->it.op[1].dtype) return tsr_op_fail(c->ctx, "heaviside is not yet implemented for tensors with different dtypes.");
  return TSR_OK;
}

static const tsr_pw pw_add = {TSR_MAP_add, "oop", TSR_PROMO_SAME, 0, .prepare = add_alpha};
static const tsr_pw pw_sub = {TSR_MAP_add, "oop", TSR_PROMO_SAME, 0, .prepare = sub_alpha};
static const tsr_pw pw_rsub = {TSR_MAP_add, "oop", TSR_PROMO_SAME, 0, .prepare = rsub_alpha};
static const tsr_pw pw_mul = {TSR_MAP_mul, "oo", TSR_PROMO_SAME, 0};
static const tsr_pw pw_div = {TSR_MAP_div, "oo", TSR_PROMO_FLOAT, 0, .prepare = div_history};
static const tsr_pw pw_div_mode = {TSR_MAP_div, "oo", TSR_PROMO_FLOAT, 0, .prepare = div_mode};
static const tsr_pw pw_floor_divide = {TSR_MAP_div_floor, "oo", TSR_PROMO_SAME, TSR_NO_BOOL | TSR_NO_COMPLEX, .kernel = "div_floor_cpu"};
static const tsr_pw pw_remainder = {TSR_MAP_remainder, "oo", TSR_PROMO_SAME, TSR_NO_BOOL | TSR_NO_COMPLEX, .kernel = "remainder_cpu"};
static const tsr_pw pw_fmod = {TSR_MAP_fmod, "oo", TSR_PROMO_SAME, TSR_NO_BOOL | TSR_NO_COMPLEX, .kernel = "fmod_cpu"};
static const tsr_pw pw_pow = {TSR_MAP_pow, "oo", TSR_PROMO_SAME, TSR_NO_BOOL, .kernel = "pow", .prepare = pow_special};
static const tsr_pw pw_float_power = {TSR_MAP_pow, "oo", TSR_PROMO_SAME, 0, .prepare = float_power};
static const tsr_pw pw_atan2 = {TSR_MAP_atan2, "oo", TSR_PROMO_FLOAT, TSR_NO_COMPLEX, .kernel = "atan2_cpu"};
static const tsr_pw pw_hypot = {TSR_MAP_hypot, "oo", TSR_PROMO_SAME, TSR_FLOAT_ONLY};
static const tsr_pw pw_copysign = {TSR_MAP_copysign, "oo", TSR_PROMO_FLOAT, TSR_NO_COMPLEX};
static const tsr_pw pw_nextafter = {TSR_MAP_nextafter, "oo", TSR_PROMO_SAME, TSR_FLOAT_ONLY};
static const tsr_pw pw_maximum = {TSR_MAP_maximum, "oo", TSR_PROMO_SAME, TSR_NO_COMPLEX,
    .no_complex = "maximum not implemented for complex tensors."};
static const tsr_pw pw_minimum = {TSR_MAP_minimum, "oo", TSR_PROMO_SAME, TSR_NO_COMPLEX,
    .no_complex = "minimum not implemented for complex tensors."};
static const tsr_pw pw_fmax = {TSR_MAP_fmax, "oo", TSR_PROMO_SAME, TSR_NO_COMPLEX,
    .no_complex = "fmax not implemented for complex tensors."};
static const tsr_pw pw_fmin = {TSR_MAP_fmin, "oo", TSR_PROMO_SAME, TSR_NO_COMPLEX,
    .no_complex = "fmin not implemented for complex tensors."};
static const tsr_pw pw_logaddexp = {TSR_MAP_logaddexp, "oo", TSR_PROMO_SAME, TSR_NO_BOOL | TSR_NO_INT};
static const tsr_pw pw_logaddexp2 = {TSR_MAP_logaddexp2, "oo", TSR_PROMO_SAME, TSR_FLOAT_ONLY};
static const tsr_pw pw_xlogy = {TSR_MAP_xlogy, "oo", TSR_PROMO_FLOAT, TSR_NO_COMPLEX, .kernel = "xlogy_cpu"};
static const tsr_pw pw_xlog1py = {TSR_MAP_xlog1py, "oo", TSR_PROMO_FLOAT, TSR_NO_COMPLEX, .kernel = "xlog1py_cpu"};
static const tsr_pw pw_zeta = {TSR_MAP_zeta, "oo", TSR_PROMO_FLOAT, TSR_NO_COMPLEX | TSR_NO_HALF, .kernel = "zeta_cpu"};
static const tsr_pw pw_chebyshev_t = {TSR_MAP_chebyshev_t, "oo", TSR_PROMO_FLOAT, TSR_NO_COMPLEX | TSR_NO_HALF,
    .kernel = "chebyshev_polynomial_t_cpu"};
static const tsr_pw pw_chebyshev_u = {TSR_MAP_chebyshev_u, "oo", TSR_PROMO_FLOAT, TSR_NO_COMPLEX | TSR_NO_HALF,
    .kernel = "chebyshev_polynomial_u_cpu"};
static const tsr_pw pw_chebyshev_v = {TSR_MAP_chebyshev_v, "oo", TSR_PROMO_FLOAT, TSR_NO_COMPLEX | TSR_NO_HALF,
    .kernel = "chebyshev_polynomial_v_cpu"};
static const tsr_pw pw_chebyshev_w = {TSR_MAP_chebyshev_w, "oo", TSR_PROMO_FLOAT, TSR_NO_COMPLEX | TSR_NO_HALF,
    .kernel = "chebyshev_polynomial_w_cpu"};
static const tsr_pw pw_hermite_h = {TSR_MAP_hermite_h, "oo", TSR_PROMO_FLOAT, TSR_NO_COMPLEX | TSR_NO_HALF,
    .kernel = "hermite_polynomial_h_cpu"};
static const tsr_pw pw_hermite_he = {TSR_MAP_hermite_he, "oo", TSR_PROMO_FLOAT, TSR_NO_COMPLEX | TSR_NO_HALF,
    .kernel = "hermite_polynomial_he_cpu"};
static const tsr_pw pw_laguerre_l = {TSR_MAP_laguerre_l, "oo", TSR_PROMO_FLOAT, TSR_NO_COMPLEX | TSR_NO_HALF,
    .kernel = "laguerre_polynomial_l_cpu"};
static const tsr_pw pw_legendre_p = {TSR_MAP_legendre_p, "oo", TSR_PROMO_FLOAT, TSR_NO_COMPLEX | TSR_NO_HALF,
    .kernel = "legendre_polynomial_p_cpu"};
static const tsr_pw pw_shifted_chebyshev_t = {TSR_MAP_shifted_chebyshev_t, "oo", TSR_PROMO_FLOAT, TSR_NO_COMPLEX | TSR_NO_HALF,
    .kernel = "shifted_chebyshev_polynomial_t_cpu"};
static const tsr_pw pw_shifted_chebyshev_u = {TSR_MAP_shifted_chebyshev_u, "oo", TSR_PROMO_FLOAT, TSR_NO_COMPLEX | TSR_NO_HALF,
    .kernel = "shifted_chebyshev_polynomial_u_cpu"};
static const tsr_pw pw_shifted_chebyshev_v = {TSR_MAP_shifted_chebyshev_v, "oo", TSR_PROMO_FLOAT, TSR_NO_COMPLEX | TSR_NO_HALF,
    .kernel = "shifted_chebyshev_polynomial_v_cpu"};
static const tsr_pw pw_shifted_chebyshev_w = {TSR_MAP_shifted_chebyshev_w, "oo", TSR_PROMO_FLOAT, TSR_NO_COMPLEX | TSR_NO_HALF,
    .kernel = "shifted_chebyshev_polynomial_w_cpu"};
static const tsr_pw pw_gcd = {TSR_MAP_gcd, "oo", TSR_PROMO_SAME, TSR_NO_BOOL | TSR_INT_ONLY};
static const tsr_pw pw_lcm = {TSR_MAP_lcm, "oo", TSR_PROMO_SAME, TSR_NO_BOOL | TSR_INT_ONLY};
static const tsr_pw pw_heaviside = {TSR_MAP_heaviside, "oo", TSR_PROMO_SAME, TSR_NO_COMPLEX,
    .no_complex = "heaviside is not yet implemented for complex tensors.", .prepare = heaviside_types};
static const tsr_pw pw_igamma = {TSR_MAP_igamma, "oo", TSR_PROMO_SAME, TSR_FLOAT_ONLY, .kernel = "igamma_cpu"};
static const tsr_pw pw_igammac = {TSR_MAP_igammac, "oo", TSR_PROMO_SAME, TSR_FLOAT_ONLY, .kernel = "igammac_cpu"};
static const tsr_pw pw_ldexp = {TSR_MAP_mul, "oo", TSR_PROMO_SAME, 0, .prepare = ldexp_power};
static const tsr_pw pw_bitwise_and = {TSR_MAP_bitwise_and, "oo", TSR_PROMO_SAME, TSR_INT_ONLY, .kernel = "bitwise_and_cpu"};
static const tsr_pw pw_bitwise_or = {TSR_MAP_bitwise_or, "oo", TSR_PROMO_SAME, TSR_INT_ONLY, .kernel = "bitwise_or_cpu"};
static const tsr_pw pw_bitwise_xor = {TSR_MAP_bitwise_xor, "oo", TSR_PROMO_SAME, TSR_INT_ONLY, .kernel = "bitwise_xor_cpu"};
static const tsr_pw pw_shift_left = {TSR_MAP_shift_left, "oo", TSR_PROMO_SAME, TSR_NO_BOOL | TSR_INT_ONLY, .kernel = "lshift_cpu"};
static const tsr_pw pw_lshift = {TSR_MAP_shift_left, "oo", TSR_PROMO_SAME, TSR_NO_BOOL | TSR_INT_ONLY, .kernel = "lshift_cpu"};
static const tsr_pw pw_shift_right = {TSR_MAP_shift_right, "oo", TSR_PROMO_SAME, TSR_NO_BOOL | TSR_INT_ONLY, .kernel = "rshift_cpu"};
static const tsr_pw pw_rshift = {TSR_MAP_shift_right, "oo", TSR_PROMO_SAME, TSR_NO_BOOL | TSR_INT_ONLY, .kernel = "rshift_cpu"};

const tsr_op tsr_ops_binary[] = {
    {"aten::add.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor", tsr_pw_call, TSR_PURE, &pw_add},
    {"aten::add.Scalar(Tensor self, Scalar other, Scalar alpha=1) -> Tensor", tsr_pw_call, TSR_PURE, &pw_add},
    {"aten::add.out(Tensor self, Tensor other, *, Scalar alpha=1, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_add},
    {"aten::add.Scalar_out(Tensor self, Scalar other, Scalar alpha=1, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT_NEW, &pw_add},
    {"aten::add_.Tensor(Tensor(a!) self, Tensor other, *, Scalar alpha=1) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_add},
    {"aten::add_.Scalar(Tensor(a!) self, Scalar other, Scalar alpha=1) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_add},
    {"aten::sub.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor", tsr_pw_call, TSR_PURE, &pw_sub},
    {"aten::sub.Scalar(Tensor self, Scalar other, Scalar alpha=1) -> Tensor", tsr_pw_call, TSR_PURE, &pw_sub},
    {"aten::sub.out(Tensor self, Tensor other, *, Scalar alpha=1, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_sub},
    {"aten::sub.Scalar_out(Tensor self, Scalar other, Scalar alpha=1, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT_NEW, &pw_sub},
    {"aten::sub_.Tensor(Tensor(a!) self, Tensor other, *, Scalar alpha=1) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_sub},
    {"aten::sub_.Scalar(Tensor(a!) self, Scalar other, Scalar alpha=1) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_sub},
    {"aten::subtract.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor", tsr_pw_call, TSR_PURE, &pw_sub},
    {"aten::subtract.out(Tensor self, Tensor other, *, Scalar alpha=1, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_sub},
    {"aten::subtract.Scalar(Tensor self, Scalar other, Scalar alpha=1) -> Tensor", tsr_pw_call, TSR_PURE, &pw_sub},
    {"aten::subtract_.Tensor(Tensor(a!) self, Tensor other, *, Scalar alpha=1) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_sub},
    {"aten::subtract_.Scalar(Tensor(a!) self, Scalar other, Scalar alpha=1) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_sub},
    {"aten::rsub.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor", tsr_pw_call, TSR_PURE, &pw_rsub},
    {"aten::rsub.Scalar(Tensor self, Scalar other, Scalar alpha=1) -> Tensor", tsr_pw_call, TSR_PURE, &pw_rsub},
    {"aten::rsub.Tensor_out(Tensor self, Tensor other, *, Scalar alpha=1, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT_NEW, &pw_rsub},
    {"aten::rsub.Scalar_out(Tensor self, Scalar other, Scalar alpha=1, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT_NEW, &pw_rsub},
    {"aten::mul.Tensor(Tensor self, Tensor other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_mul},
    {"aten::mul.Scalar(Tensor self, Scalar other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_mul},
    {"aten::mul.out(Tensor self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_mul},
    {"aten::mul.Scalar_out(Tensor self, Scalar other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT_NEW, &pw_mul},
    {"aten::mul_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_mul},
    {"aten::mul_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_mul},
    {"aten::multiply.Tensor(Tensor self, Tensor other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_mul},
    {"aten::multiply.Scalar(Tensor self, Scalar other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_mul},
    {"aten::multiply.out(Tensor self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_mul},
    {"aten::multiply_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_mul},
    {"aten::multiply_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_mul},
    {"aten::div.Tensor(Tensor self, Tensor other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_div},
    {"aten::div.Scalar(Tensor self, Scalar other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_div},
    {"aten::div.out(Tensor self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_div},
    {"aten::div.Scalar_out(Tensor self, Scalar other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT_NEW, &pw_div},
    {"aten::div_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_div},
    {"aten::div_.Tensor_mode(Tensor(a!) self, Tensor other, *, str? rounding_mode) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_div_mode},
    {"aten::divide.Tensor(Tensor self, Tensor other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_div},
    {"aten::divide.Scalar(Tensor self, Scalar other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_div},
    {"aten::divide.out(Tensor self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_div},
    {"aten::divide_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_div},
    {"aten::divide_.Tensor_mode(Tensor(a!) self, Tensor other, *, str? rounding_mode) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_div_mode},
    {"aten::true_divide.Tensor(Tensor self, Tensor other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_div},
    {"aten::true_divide.Scalar(Tensor self, Scalar other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_div},
    {"aten::true_divide.out(Tensor self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_div},
    {"aten::true_divide_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_div},
    {"aten::true_divide_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_div},
    {"aten::div.Tensor_mode(Tensor self, Tensor other, *, str? rounding_mode) -> Tensor", tsr_pw_call, TSR_PURE, &pw_div_mode},
    {"aten::div.Scalar_mode(Tensor self, Scalar other, *, str? rounding_mode) -> Tensor", tsr_pw_call, TSR_PURE, &pw_div_mode},
    {"aten::div.out_mode(Tensor self, Tensor other, *, str? rounding_mode, Tensor(a!) out) -> Tensor(a!)",
     tsr_pw_call, TSR_OUT, &pw_div_mode},
    {"aten::div.Scalar_mode_out(Tensor self, Scalar other, *, str? rounding_mode, Tensor(a!) out) -> Tensor(a!)",
     tsr_pw_call, TSR_OUT_NEW, &pw_div_mode},
    {"aten::div_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_div},
    {"aten::div_.Scalar_mode(Tensor(a!) self, Scalar other, *, str? rounding_mode) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_div_mode},
    {"aten::divide.Tensor_mode(Tensor self, Tensor other, *, str? rounding_mode) -> Tensor", tsr_pw_call, TSR_PURE, &pw_div_mode},
    {"aten::divide.Scalar_mode(Tensor self, Scalar other, *, str? rounding_mode) -> Tensor", tsr_pw_call, TSR_PURE, &pw_div_mode},
    {"aten::divide.out_mode(Tensor self, Tensor other, *, str? rounding_mode, Tensor(a!) out) -> Tensor(a!)",
     tsr_pw_call, TSR_OUT, &pw_div_mode},
    {"aten::divide_.Scalar_mode(Tensor(a!) self, Scalar other, *, str? rounding_mode) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_div_mode},
    {"aten::divide_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_div},
    {"aten::floor_divide(Tensor self, Tensor other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_floor_divide},
    {"aten::floor_divide.Scalar(Tensor self, Scalar other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_floor_divide},
    {"aten::floor_divide.out(Tensor self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_floor_divide},
    {"aten::floor_divide.Scalar_out(Tensor self, Scalar other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT_NEW, &pw_floor_divide},
    {"aten::floor_divide_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_floor_divide},
    {"aten::floor_divide_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_floor_divide},
    {"aten::remainder.Tensor(Tensor self, Tensor other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_remainder},
    {"aten::remainder.Scalar(Tensor self, Scalar other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_remainder},
    {"aten::remainder.Scalar_Tensor(Scalar self, Tensor other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_remainder},
    {"aten::remainder.Tensor_out(Tensor self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_remainder},
    {"aten::remainder.Scalar_out(Tensor self, Scalar other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_remainder},
    {"aten::remainder.Scalar_Tensor_out(Scalar self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT_NEW, &pw_remainder},
    {"aten::remainder_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_remainder},
    {"aten::remainder_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_remainder},
    {"aten::fmod.Tensor(Tensor self, Tensor other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_fmod},
    {"aten::fmod.Scalar(Tensor self, Scalar other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_fmod},
    {"aten::fmod.Tensor_out(Tensor self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_fmod},
    {"aten::fmod.Scalar_out(Tensor self, Scalar other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_fmod},
    {"aten::fmod_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_fmod},
    {"aten::fmod_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_fmod},
    {"aten::pow.Tensor_Tensor(Tensor self, Tensor exponent) -> Tensor", tsr_pw_call, TSR_PURE, &pw_pow},
    {"aten::pow.Tensor_Scalar(Tensor self, Scalar exponent) -> Tensor", tsr_pw_call, TSR_PURE, &pw_pow},
    {"aten::pow.Scalar(Scalar self, Tensor exponent) -> Tensor", tsr_pw_call, TSR_PURE, &pw_pow},
    {"aten::pow.Tensor_Tensor_out(Tensor self, Tensor exponent, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_pow},
    {"aten::pow.Scalar_out(Scalar self, Tensor exponent, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_pow},
    {"aten::pow.Tensor_Scalar_out(Tensor self, Scalar exponent, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_pow},
    {"aten::pow_.Scalar(Tensor(a!) self, Scalar exponent) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_pow},
    {"aten::pow_.Tensor(Tensor(a!) self, Tensor exponent) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_pow},
    {"aten::float_power.Tensor_Tensor(Tensor self, Tensor exponent) -> Tensor", tsr_pw_call, TSR_PURE, &pw_float_power},
    {"aten::float_power.Tensor_Scalar(Tensor self, Scalar exponent) -> Tensor", tsr_pw_call, TSR_PURE, &pw_float_power},
    {"aten::float_power.Scalar(Scalar self, Tensor exponent) -> Tensor", tsr_pw_call, TSR_PURE, &pw_float_power},
    {"aten::float_power.Tensor_Tensor_out(Tensor self, Tensor exponent, *, Tensor(a!) out) -> Tensor(a!)",
     tsr_pw_call, TSR_OUT, &pw_float_power},
    {"aten::float_power.Scalar_out(Scalar self, Tensor exponent, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_float_power},
    {"aten::float_power.Tensor_Scalar_out(Tensor self, Scalar exponent, *, Tensor(a!) out) -> Tensor(a!)",
     tsr_pw_call, TSR_OUT, &pw_float_power},
    {"aten::float_power_.Tensor(Tensor(a!) self, Tensor exponent) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_float_power},
    {"aten::float_power_.Scalar(Tensor(a!) self, Scalar exponent) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_float_power},
    {"aten::atan2(Tensor self, Tensor other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_atan2},
    {"aten::atan2.out(Tensor self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_atan2},
    {"aten::atan2_(Tensor(a!) self, Tensor other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_atan2},
    {"aten::arctan2(Tensor self, Tensor other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_atan2},
    {"aten::arctan2.out(Tensor self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_atan2},
    {"aten::arctan2_(Tensor(a!) self, Tensor other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_atan2},
    {"aten::hypot(Tensor self, Tensor other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_hypot},
    {"aten::hypot.out(Tensor self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_hypot},
    {"aten::hypot_(Tensor(a!) self, Tensor other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_hypot},
    {"aten::copysign.Tensor(Tensor self, Tensor other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_copysign},
    {"aten::copysign.Scalar(Tensor self, Scalar other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_copysign},
    {"aten::copysign.out(Tensor self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_copysign},
    {"aten::copysign.Scalar_out(Tensor self, Scalar other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_copysign},
    {"aten::copysign_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_copysign},
    {"aten::copysign_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_copysign},
    {"aten::nextafter(Tensor self, Tensor other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_nextafter},
    {"aten::nextafter.out(Tensor self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_nextafter},
    {"aten::nextafter_(Tensor(a!) self, Tensor other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_nextafter},
    {"aten::maximum(Tensor self, Tensor other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_maximum},
    {"aten::maximum.out(Tensor self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_maximum},
    {"aten::max.other(Tensor self, Tensor other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_maximum},
    {"aten::max.out(Tensor self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_maximum},
    {"aten::minimum(Tensor self, Tensor other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_minimum},
    {"aten::minimum.out(Tensor self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_minimum},
    {"aten::min.other(Tensor self, Tensor other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_minimum},
    {"aten::min.out(Tensor self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_minimum},
    {"aten::fmax(Tensor self, Tensor other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_fmax},
    {"aten::fmax.out(Tensor self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_fmax},
    {"aten::fmin(Tensor self, Tensor other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_fmin},
    {"aten::fmin.out(Tensor self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_fmin},
    {"aten::logaddexp(Tensor self, Tensor other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_logaddexp},
    {"aten::logaddexp.out(Tensor self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_logaddexp},
    {"aten::logaddexp2(Tensor self, Tensor other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_logaddexp2},
    {"aten::logaddexp2.out(Tensor self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_logaddexp2},
    {"aten::xlogy.Tensor(Tensor self, Tensor other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_xlogy},
    {"aten::xlogy.Scalar_Other(Tensor self, Scalar other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_xlogy},
    {"aten::xlogy.Scalar_Self(Scalar self, Tensor other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_xlogy},
    {"aten::xlogy.OutTensor(Tensor self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_xlogy},
    {"aten::xlogy.OutScalar_Self(Scalar self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_xlogy},
    {"aten::xlogy.OutScalar_Other(Tensor self, Scalar other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_xlogy},
    {"aten::xlogy_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_xlogy},
    {"aten::xlogy_.Scalar_Other(Tensor(a!) self, Scalar other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_xlogy},
    {"aten::special_xlogy(Tensor self, Tensor other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_xlogy},
    {"aten::special_xlogy.other_scalar(Tensor self, Scalar other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_xlogy},
    {"aten::special_xlogy.self_scalar(Scalar self, Tensor other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_xlogy},
    {"aten::special_xlogy.out(Tensor self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_xlogy},
    {"aten::special_xlogy.self_scalar_out(Scalar self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_xlogy},
    {"aten::special_xlogy.other_scalar_out(Tensor self, Scalar other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_xlogy},
    {"aten::special_xlog1py(Tensor self, Tensor other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_xlog1py},
    {"aten::special_xlog1py.other_scalar(Tensor self, Scalar other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_xlog1py},
    {"aten::special_xlog1py.self_scalar(Scalar self, Tensor other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_xlog1py},
    {"aten::special_xlog1py.out(Tensor self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_xlog1py},
    {"aten::special_xlog1py.self_scalar_out(Scalar self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)",
     tsr_pw_call, TSR_OUT, &pw_xlog1py},
    {"aten::special_xlog1py.other_scalar_out(Tensor self, Scalar other, *, Tensor(a!) out) -> Tensor(a!)",
     tsr_pw_call, TSR_OUT, &pw_xlog1py},
    {"aten::special_zeta(Tensor self, Tensor other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_zeta},
    {"aten::special_zeta.other_scalar(Tensor self, Scalar other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_zeta},
    {"aten::special_zeta.self_scalar(Scalar self, Tensor other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_zeta},
    {"aten::special_zeta.out(Tensor self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_zeta},
    {"aten::special_zeta.self_scalar_out(Scalar self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_zeta},
    {"aten::special_zeta.other_scalar_out(Tensor self, Scalar other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_zeta},
    {"aten::special_chebyshev_polynomial_t(Tensor x, Tensor n) -> Tensor", tsr_pw_call, TSR_PURE, &pw_chebyshev_t},
    {"aten::special_chebyshev_polynomial_t.out(Tensor x, Tensor n, *, Tensor(a!) out) -> Tensor(a!)",
     tsr_pw_call, TSR_OUT, &pw_chebyshev_t},
    {"aten::special_chebyshev_polynomial_t.x_scalar(Scalar x, Tensor n) -> Tensor", tsr_pw_call, TSR_PURE, &pw_chebyshev_t},
    {"aten::special_chebyshev_polynomial_t.x_scalar_out(Scalar x, Tensor n, *, Tensor(a!) out) -> Tensor(a!)",
     tsr_pw_call, TSR_OUT, &pw_chebyshev_t},
    {"aten::special_chebyshev_polynomial_t.n_scalar(Tensor x, Scalar n) -> Tensor", tsr_pw_call, TSR_PURE, &pw_chebyshev_t},
    {"aten::special_chebyshev_polynomial_t.n_scalar_out(Tensor x, Scalar n, *, Tensor(a!) out) -> Tensor(a!)",
     tsr_pw_call, TSR_OUT, &pw_chebyshev_t},
    {"aten::special_chebyshev_polynomial_u(Tensor x, Tensor n) -> Tensor", tsr_pw_call, TSR_PURE, &pw_chebyshev_u},
    {"aten::special_chebyshev_polynomial_u.out(Tensor x, Tensor n, *, Tensor(a!) out) -> Tensor(a!)",
     tsr_pw_call, TSR_OUT, &pw_chebyshev_u},
    {"aten::special_chebyshev_polynomial_u.x_scalar(Scalar x, Tensor n) -> Tensor", tsr_pw_call, TSR_PURE, &pw_chebyshev_u},
    {"aten::special_chebyshev_polynomial_u.x_scalar_out(Scalar x, Tensor n, *, Tensor(a!) out) -> Tensor(a!)",
     tsr_pw_call, TSR_OUT, &pw_chebyshev_u},
    {"aten::special_chebyshev_polynomial_u.n_scalar(Tensor x, Scalar n) -> Tensor", tsr_pw_call, TSR_PURE, &pw_chebyshev_u},
    {"aten::special_chebyshev_polynomial_u.n_scalar_out(Tensor x, Scalar n, *, Tensor(a!) out) -> Tensor(a!)",
     tsr_pw_call, TSR_OUT, &pw_chebyshev_u},
    {"aten::special_chebyshev_polynomial_v(Tensor x, Tensor n) -> Tensor", tsr_pw_call, TSR_PURE, &pw_chebyshev_v},
    {"aten::special_chebyshev_polynomial_v.out(Tensor x, Tensor n, *, Tensor(a!) out) -> Tensor(a!)",
     tsr_pw_call, TSR_OUT, &pw_chebyshev_v},
    {"aten::special_chebyshev_polynomial_v.x_scalar(Scalar x, Tensor n) -> Tensor", tsr_pw_call, TSR_PURE, &pw_chebyshev_v},
    {"aten::special_chebyshev_polynomial_v.x_scalar_out(Scalar x, Tensor n, *, Tensor(a!) out) -> Tensor(a!)",
     tsr_pw_call, TSR_OUT, &pw_chebyshev_v},
    {"aten::special_chebyshev_polynomial_v.n_scalar(Tensor x, Scalar n) -> Tensor", tsr_pw_call, TSR_PURE, &pw_chebyshev_v},
    {"aten::special_chebyshev_polynomial_v.n_scalar_out(Tensor x, Scalar n, *, Tensor(a!) out) -> Tensor(a!)",
     tsr_pw_call, TSR_OUT, &pw_chebyshev_v},
    {"aten::special_chebyshev_polynomial_w(Tensor x, Tensor n) -> Tensor", tsr_pw_call, TSR_PURE, &pw_chebyshev_w},
    {"aten::special_chebyshev_polynomial_w.out(Tensor x, Tensor n, *, Tensor(a!) out) -> Tensor(a!)",
     tsr_pw_call, TSR_OUT, &pw_chebyshev_w},
    {"aten::special_chebyshev_polynomial_w.x_scalar(Scalar x, Tensor n) -> Tensor", tsr_pw_call, TSR_PURE, &pw_chebyshev_w},
    {"aten::special_chebyshev_polynomial_w.x_scalar_out(Scalar x, Tensor n, *, Tensor(a!) out) -> Tensor(a!)",
     tsr_pw_call, TSR_OUT, &pw_chebyshev_w},
    {"aten::special_chebyshev_polynomial_w.n_scalar(Tensor x, Scalar n) -> Tensor", tsr_pw_call, TSR_PURE, &pw_chebyshev_w},
    {"aten::special_chebyshev_polynomial_w.n_scalar_out(Tensor x, Scalar n, *, Tensor(a!) out) -> Tensor(a!)",
     tsr_pw_call, TSR_OUT, &pw_chebyshev_w},
    {"aten::special_hermite_polynomial_h(Tensor x, Tensor n) -> Tensor", tsr_pw_call, TSR_PURE, &pw_hermite_h},
    {"aten::special_hermite_polynomial_h.out(Tensor x, Tensor n, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_hermite_h},
    {"aten::special_hermite_polynomial_h.x_scalar(Scalar x, Tensor n) -> Tensor", tsr_pw_call, TSR_PURE, &pw_hermite_h},
    {"aten::special_hermite_polynomial_h.x_scalar_out(Scalar x, Tensor n, *, Tensor(a!) out) -> Tensor(a!)",
     tsr_pw_call, TSR_OUT, &pw_hermite_h},
    {"aten::special_hermite_polynomial_h.n_scalar(Tensor x, Scalar n) -> Tensor", tsr_pw_call, TSR_PURE, &pw_hermite_h},
    {"aten::special_hermite_polynomial_h.n_scalar_out(Tensor x, Scalar n, *, Tensor(a!) out) -> Tensor(a!)",
     tsr_pw_call, TSR_OUT, &pw_hermite_h},
    {"aten::special_hermite_polynomial_he(Tensor x, Tensor n) -> Tensor", tsr_pw_call, TSR_PURE, &pw_hermite_he},
    {"aten::special_hermite_polynomial_he.out(Tensor x, Tensor n, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_hermite_he},
    {"aten::special_hermite_polynomial_he.x_scalar(Scalar x, Tensor n) -> Tensor", tsr_pw_call, TSR_PURE, &pw_hermite_he},
    {"aten::special_hermite_polynomial_he.x_scalar_out(Scalar x, Tensor n, *, Tensor(a!) out) -> Tensor(a!)",
     tsr_pw_call, TSR_OUT, &pw_hermite_he},
    {"aten::special_hermite_polynomial_he.n_scalar(Tensor x, Scalar n) -> Tensor", tsr_pw_call, TSR_PURE, &pw_hermite_he},
    {"aten::special_hermite_polynomial_he.n_scalar_out(Tensor x, Scalar n, *, Tensor(a!) out) -> Tensor(a!)",
     tsr_pw_call, TSR_OUT, &pw_hermite_he},
    {"aten::special_laguerre_polynomial_l(Tensor x, Tensor n) -> Tensor", tsr_pw_call, TSR_PURE, &pw_laguerre_l},
    {"aten::special_laguerre_polynomial_l.out(Tensor x, Tensor n, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_laguerre_l},
    {"aten::special_laguerre_polynomial_l.x_scalar(Scalar x, Tensor n) -> Tensor", tsr_pw_call, TSR_PURE, &pw_laguerre_l},
    {"aten::special_laguerre_polynomial_l.x_scalar_out(Scalar x, Tensor n, *, Tensor(a!) out) -> Tensor(a!)",
     tsr_pw_call, TSR_OUT, &pw_laguerre_l},
    {"aten::special_laguerre_polynomial_l.n_scalar(Tensor x, Scalar n) -> Tensor", tsr_pw_call, TSR_PURE, &pw_laguerre_l},
    {"aten::special_laguerre_polynomial_l.n_scalar_out(Tensor x, Scalar n, *, Tensor(a!) out) -> Tensor(a!)",
     tsr_pw_call, TSR_OUT, &pw_laguerre_l},
    {"aten::special_legendre_polynomial_p(Tensor x, Tensor n) -> Tensor", tsr_pw_call, TSR_PURE, &pw_legendre_p},
    {"aten::special_legendre_polynomial_p.out(Tensor x, Tensor n, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_legendre_p},
    {"aten::special_legendre_polynomial_p.x_scalar(Scalar x, Tensor n) -> Tensor", tsr_pw_call, TSR_PURE, &pw_legendre_p},
    {"aten::special_legendre_polynomial_p.x_scalar_out(Scalar x, Tensor n, *, Tensor(a!) out) -> Tensor(a!)",
     tsr_pw_call, TSR_OUT, &pw_legendre_p},
    {"aten::special_legendre_polynomial_p.n_scalar(Tensor x, Scalar n) -> Tensor", tsr_pw_call, TSR_PURE, &pw_legendre_p},
    {"aten::special_legendre_polynomial_p.n_scalar_out(Tensor x, Scalar n, *, Tensor(a!) out) -> Tensor(a!)",
     tsr_pw_call, TSR_OUT, &pw_legendre_p},
    {"aten::special_shifted_chebyshev_polynomial_t(Tensor x, Tensor n) -> Tensor", tsr_pw_call, TSR_PURE, &pw_shifted_chebyshev_t},
    {"aten::special_shifted_chebyshev_polynomial_t.out(Tensor x, Tensor n, *, Tensor(a!) out) -> Tensor(a!)",
     tsr_pw_call, TSR_OUT, &pw_shifted_chebyshev_t},
    {"aten::special_shifted_chebyshev_polynomial_t.x_scalar(Scalar x, Tensor n) -> Tensor", tsr_pw_call, TSR_PURE, &pw_shifted_chebyshev_t},
    {"aten::special_shifted_chebyshev_polynomial_t.x_scalar_out(Scalar x, Tensor n, *, Tensor(a!) out) -> Tensor(a!)",
     tsr_pw_call, TSR_OUT, &pw_shifted_chebyshev_t},
    {"aten::special_shifted_chebyshev_polynomial_t.n_scalar(Tensor x, Scalar n) -> Tensor", tsr_pw_call, TSR_PURE, &pw_shifted_chebyshev_t},
    {"aten::special_shifted_chebyshev_polynomial_t.n_scalar_out(Tensor x, Scalar n, *, Tensor(a!) out) -> Tensor(a!)",
     tsr_pw_call, TSR_OUT, &pw_shifted_chebyshev_t},
    {"aten::special_shifted_chebyshev_polynomial_u(Tensor x, Tensor n) -> Tensor", tsr_pw_call, TSR_PURE, &pw_shifted_chebyshev_u},
    {"aten::special_shifted_chebyshev_polynomial_u.out(Tensor x, Tensor n, *, Tensor(a!) out) -> Tensor(a!)",
     tsr_pw_call, TSR_OUT, &pw_shifted_chebyshev_u},
    {"aten::special_shifted_chebyshev_polynomial_u.x_scalar(Scalar x, Tensor n) -> Tensor", tsr_pw_call, TSR_PURE, &pw_shifted_chebyshev_u},
    {"aten::special_shifted_chebyshev_polynomial_u.x_scalar_out(Scalar x, Tensor n, *, Tensor(a!) out) -> Tensor(a!)",
     tsr_pw_call, TSR_OUT, &pw_shifted_chebyshev_u},
    {"aten::special_shifted_chebyshev_polynomial_u.n_scalar(Tensor x, Scalar n) -> Tensor", tsr_pw_call, TSR_PURE, &pw_shifted_chebyshev_u},
    {"aten::special_shifted_chebyshev_polynomial_u.n_scalar_out(Tensor x, Scalar n, *, Tensor(a!) out) -> Tensor(a!)",
     tsr_pw_call, TSR_OUT, &pw_shifted_chebyshev_u},
    {"aten::special_shifted_chebyshev_polynomial_v(Tensor x, Tensor n) -> Tensor", tsr_pw_call, TSR_PURE, &pw_shifted_chebyshev_v},
    {"aten::special_shifted_chebyshev_polynomial_v.out(Tensor x, Tensor n, *, Tensor(a!) out) -> Tensor(a!)",
     tsr_pw_call, TSR_OUT, &pw_shifted_chebyshev_v},
    {"aten::special_shifted_chebyshev_polynomial_v.x_scalar(Scalar x, Tensor n) -> Tensor", tsr_pw_call, TSR_PURE, &pw_shifted_chebyshev_v},
    {"aten::special_shifted_chebyshev_polynomial_v.x_scalar_out(Scalar x, Tensor n, *, Tensor(a!) out) -> Tensor(a!)",
     tsr_pw_call, TSR_OUT, &pw_shifted_chebyshev_v},
    {"aten::special_shifted_chebyshev_polynomial_v.n_scalar(Tensor x, Scalar n) -> Tensor", tsr_pw_call, TSR_PURE, &pw_shifted_chebyshev_v},
    {"aten::special_shifted_chebyshev_polynomial_v.n_scalar_out(Tensor x, Scalar n, *, Tensor(a!) out) -> Tensor(a!)",
     tsr_pw_call, TSR_OUT, &pw_shifted_chebyshev_v},
    {"aten::special_shifted_chebyshev_polynomial_w(Tensor x, Tensor n) -> Tensor", tsr_pw_call, TSR_PURE, &pw_shifted_chebyshev_w},
    {"aten::special_shifted_chebyshev_polynomial_w.out(Tensor x, Tensor n, *, Tensor(a!) out) -> Tensor(a!)",
     tsr_pw_call, TSR_OUT, &pw_shifted_chebyshev_w},
    {"aten::special_shifted_chebyshev_polynomial_w.x_scalar(Scalar x, Tensor n) -> Tensor", tsr_pw_call, TSR_PURE, &pw_shifted_chebyshev_w},
    {"aten::special_shifted_chebyshev_polynomial_w.x_scalar_out(Scalar x, Tensor n, *, Tensor(a!) out) -> Tensor(a!)",
     tsr_pw_call, TSR_OUT, &pw_shifted_chebyshev_w},
    {"aten::special_shifted_chebyshev_polynomial_w.n_scalar(Tensor x, Scalar n) -> Tensor", tsr_pw_call, TSR_PURE, &pw_shifted_chebyshev_w},
    {"aten::special_shifted_chebyshev_polynomial_w.n_scalar_out(Tensor x, Scalar n, *, Tensor(a!) out) -> Tensor(a!)",
     tsr_pw_call, TSR_OUT, &pw_shifted_chebyshev_w},
    {"aten::gcd(Tensor self, Tensor other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_gcd},
    {"aten::gcd.out(Tensor self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_gcd},
    {"aten::gcd_(Tensor(a!) self, Tensor other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_gcd},
    {"aten::lcm(Tensor self, Tensor other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_lcm},
    {"aten::lcm.out(Tensor self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_lcm},
    {"aten::lcm_(Tensor(a!) self, Tensor other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_lcm},
    {"aten::heaviside(Tensor self, Tensor values) -> Tensor", tsr_pw_call, TSR_PURE, &pw_heaviside},
    {"aten::heaviside.out(Tensor self, Tensor values, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_heaviside},
    {"aten::heaviside_(Tensor(a!) self, Tensor values) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_heaviside},
    {"aten::igamma(Tensor self, Tensor other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_igamma},
    {"aten::igamma.out(Tensor self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_igamma},
    {"aten::igamma_(Tensor(a!) self, Tensor other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_igamma},
    {"aten::special_gammainc(Tensor self, Tensor other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_igamma},
    {"aten::special_gammainc.out(Tensor self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_igamma},
    {"aten::igammac(Tensor self, Tensor other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_igammac},
    {"aten::igammac.out(Tensor self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_igammac},
    {"aten::igammac_(Tensor(a!) self, Tensor other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_igammac},
    {"aten::special_gammaincc(Tensor self, Tensor other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_igammac},
    {"aten::special_gammaincc.out(Tensor self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_igammac},
    {"aten::ldexp.Tensor(Tensor self, Tensor other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_ldexp},
    {"aten::ldexp.out(Tensor self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_ldexp},
    {"aten::ldexp_(Tensor(a!) self, Tensor other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_ldexp},
    {"aten::bitwise_and.Tensor(Tensor self, Tensor other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_bitwise_and},
    {"aten::bitwise_and.Scalar(Tensor self, Scalar other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_bitwise_and},
    {"aten::bitwise_and.Scalar_Tensor(Scalar self, Tensor other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_bitwise_and},
    {"aten::bitwise_and.Tensor_out(Tensor self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_bitwise_and},
    {"aten::bitwise_and.Scalar_out(Tensor self, Scalar other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_bitwise_and},
    {"aten::bitwise_and.Scalar_Tensor_out(Scalar self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)",
     tsr_pw_call, TSR_OUT_NEW, &pw_bitwise_and},
    {"aten::bitwise_and_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_bitwise_and},
    {"aten::bitwise_and_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_bitwise_and},
    {"aten::__and__.Scalar(Tensor self, Scalar other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_bitwise_and},
    {"aten::__and__.Tensor(Tensor self, Tensor other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_bitwise_and},
    {"aten::__iand__.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_bitwise_and},
    {"aten::__iand__.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_bitwise_and},
    {"aten::bitwise_or.Tensor(Tensor self, Tensor other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_bitwise_or},
    {"aten::bitwise_or.Scalar(Tensor self, Scalar other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_bitwise_or},
    {"aten::bitwise_or.Scalar_Tensor(Scalar self, Tensor other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_bitwise_or},
    {"aten::bitwise_or.Tensor_out(Tensor self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_bitwise_or},
    {"aten::bitwise_or.Scalar_out(Tensor self, Scalar other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_bitwise_or},
    {"aten::bitwise_or.Scalar_Tensor_out(Scalar self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)",
     tsr_pw_call, TSR_OUT_NEW, &pw_bitwise_or},
    {"aten::bitwise_or_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_bitwise_or},
    {"aten::bitwise_or_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_bitwise_or},
    {"aten::__or__.Tensor(Tensor self, Tensor other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_bitwise_or},
    {"aten::__or__.Scalar(Tensor self, Scalar other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_bitwise_or},
    {"aten::__ior__.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_bitwise_or},
    {"aten::__ior__.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_bitwise_or},
    {"aten::bitwise_xor.Tensor(Tensor self, Tensor other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_bitwise_xor},
    {"aten::bitwise_xor.Scalar(Tensor self, Scalar other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_bitwise_xor},
    {"aten::bitwise_xor.Scalar_Tensor(Scalar self, Tensor other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_bitwise_xor},
    {"aten::bitwise_xor.Tensor_out(Tensor self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_bitwise_xor},
    {"aten::bitwise_xor.Scalar_out(Tensor self, Scalar other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT, &pw_bitwise_xor},
    {"aten::bitwise_xor.Scalar_Tensor_out(Scalar self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)",
     tsr_pw_call, TSR_OUT_NEW, &pw_bitwise_xor},
    {"aten::bitwise_xor_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_bitwise_xor},
    {"aten::bitwise_xor_.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_bitwise_xor},
    {"aten::__xor__.Tensor(Tensor self, Tensor other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_bitwise_xor},
    {"aten::__xor__.Scalar(Tensor self, Scalar other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_bitwise_xor},
    {"aten::__ixor__.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_bitwise_xor},
    {"aten::__ixor__.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_bitwise_xor},
    {"aten::bitwise_left_shift.Tensor(Tensor self, Tensor other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_shift_left},
    {"aten::bitwise_left_shift.Tensor_Scalar(Tensor self, Scalar other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_shift_left},
    {"aten::bitwise_left_shift.Scalar_Tensor(Scalar self, Tensor other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_shift_left},
    {"aten::bitwise_left_shift.Tensor_out(Tensor self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)",
     tsr_pw_call, TSR_OUT, &pw_shift_left},
    {"aten::bitwise_left_shift.Tensor_Scalar_out(Tensor self, Scalar other, *, Tensor(a!) out) -> Tensor(a!)",
     tsr_pw_call, TSR_OUT, &pw_shift_left},
    {"aten::bitwise_left_shift.Scalar_Tensor_out(Scalar self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)",
     tsr_pw_call, TSR_OUT_NEW, &pw_shift_left},
    {"aten::bitwise_left_shift_.Tensor_Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_shift_left},
    {"aten::bitwise_left_shift_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_shift_left},
    {"aten::__lshift__.Tensor(Tensor self, Tensor other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_lshift},
    {"aten::__lshift__.Scalar(Tensor self, Scalar other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_lshift},
    {"aten::__lshift__.Scalar_out(Tensor self, Scalar other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT_NEW, &pw_lshift},
    {"aten::__lshift__.Tensor_out(Tensor self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT_NEW, &pw_lshift},
    {"aten::__ilshift__.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_lshift},
    {"aten::__ilshift__.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_lshift},
    {"aten::bitwise_right_shift.Tensor(Tensor self, Tensor other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_shift_right},
    {"aten::bitwise_right_shift.Tensor_Scalar(Tensor self, Scalar other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_shift_right},
    {"aten::bitwise_right_shift.Scalar_Tensor(Scalar self, Tensor other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_shift_right},
    {"aten::bitwise_right_shift.Tensor_out(Tensor self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)",
     tsr_pw_call, TSR_OUT, &pw_shift_right},
    {"aten::bitwise_right_shift.Tensor_Scalar_out(Tensor self, Scalar other, *, Tensor(a!) out) -> Tensor(a!)",
     tsr_pw_call, TSR_OUT, &pw_shift_right},
    {"aten::bitwise_right_shift.Scalar_Tensor_out(Scalar self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)",
     tsr_pw_call, TSR_OUT_NEW, &pw_shift_right},
    {"aten::bitwise_right_shift_.Tensor_Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_shift_right},
    {"aten::bitwise_right_shift_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_shift_right},
    {"aten::__rshift__.Tensor(Tensor self, Tensor other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_rshift},
    {"aten::__rshift__.Scalar(Tensor self, Scalar other) -> Tensor", tsr_pw_call, TSR_PURE, &pw_rshift},
    {"aten::__rshift__.Scalar_out(Tensor self, Scalar other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT_NEW, &pw_rshift},
    {"aten::__rshift__.Tensor_out(Tensor self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT_NEW, &pw_rshift},
    {"aten::__irshift__.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_rshift},
    {"aten::__irshift__.Scalar(Tensor(a!) self, Scalar other) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_rshift},
    {0},
};
