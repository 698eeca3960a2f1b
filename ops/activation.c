/* Activation functions. */
#include <float.h>
#include <math.h>

#include "ops/pointwise.h"
#include "ops/random.h"

static void set_params(tsr_pw_state *s, double a, double b, double c) {
  tsr_map_set_param(&s->p, 0, tsr_scalar_float(a));
  tsr_map_set_param(&s->p, 1, tsr_scalar_float(b));
  tsr_map_set_param(&s->p, 2, tsr_scalar_float(c));
}

static tsr_status relu6(tsr_call *c, tsr_pw_state *s) {
  TSR_UNUSED(c);
  set_params(s, 0, 6, 0);
  return TSR_OK;
}

static tsr_status hardtanh(tsr_call *c, tsr_pw_state *s) {
  if (s->common == TSR_UINT8 && (s->p.i[0] < 0 || s->p.i[1] < 0))
    return tsr_op_fail(c->ctx, "cannot do hardtanh on an unsigned type with negative limits");
  s->common = (tsr_dtype)c->args[0].t->dtype;
  return TSR_OK;
}

static tsr_status gelu_kind(tsr_call *c, tsr_pw_state *s) {
  if (c->nargs < 2 || tsr_arg_is_none(c, 1)) return TSR_OK;
  const char *kind = tsr_arg_str(c, 1)->bytes;
  if (strcmp(kind, "tanh") == 0) s->id = TSR_MAP_gelu_tanh;
  else if (strcmp(kind, "none") != 0) return tsr_op_fail(c->ctx, "approximate argument must be either none or tanh.");
  return TSR_OK;
}

static tsr_status selu(tsr_call *c, tsr_pw_state *s) {
  TSR_UNUSED(c);
  set_params(s, 1.6732632423543772848170429916717, 1.0507009873554804934193349852946, 1);
  return TSR_OK;
}

static tsr_status celu(tsr_call *c, tsr_pw_state *s) {
  double alpha = s->p.d[0];
  if (alpha == 0) return tsr_op_fail(c->ctx, "ZeroDivisionError: alpha cannot be 0 for CELU");
  set_params(s, alpha, 1, 1 / alpha);
  return TSR_OK;
}

static tsr_status softshrink(tsr_call *c, tsr_pw_state *s) {
  double most = tsr_dtype_max(s->common), x = s->p.d[0];
  if (!tsr_dtype_is_float(s->common)) return tsr_not_implemented(c->ctx, "softshrink_check", s->common);
  if (!(x >= 0 && x <= most))
    return tsr_op_fail(c->ctx, "lambda must be in range [0, %g] for input dtype %s, but found %g", most, tsr_dtype_get_info(s->common)->cpp_name, x);
  return TSR_OK;
}

/* The numbers become elements first; negative ones wrap around in unsigned types. */
static tsr_status threshold(tsr_call *c, tsr_pw_state *s) {
  s->common = (tsr_dtype)c->args[0].t->dtype;
  if (!tsr_dtype_is_integral(s->common, false)) return TSR_OK;
  for (uint32_t i = 0; i < 2; i++) {
    tsr_scalar v = tsr_arg_scalar(c, i + 1);
    TSR_TRY(tsr_check_scalar_fits(c->ctx, v, s->common));
    if (s->common == TSR_UINT8) tsr_map_set_param(&s->p, (int)i, tsr_scalar_int((uint8_t)v.i));
  }
  return TSR_OK;
}

static tsr_status rrelu_slope(tsr_call *c, tsr_pw_state *s) {
  TSR_UNUSED(c);
  set_params(s, (s->p.d[0] + s->p.d[1]) / 2, 0, 0);
  return TSR_OK;
}

static const tsr_pw pw_relu = {TSR_MAP_relu, "o", TSR_PROMO_SAME, TSR_NO_BOOL | TSR_NO_COMPLEX,
    .no_bool = "Boolean inputs not supported for relu", .no_complex = "clamp is not supported for complex types"};
static const tsr_pw pw_relu6 = {TSR_MAP_clamp, "o", TSR_PROMO_SAME, TSR_NO_BOOL | TSR_NO_COMPLEX,
    .no_bool = "Bool inputs not supported for hardtanh", .no_complex = "clamp is not supported for complex types", .prepare = relu6};
static const tsr_pw pw_hardtanh = {TSR_MAP_clamp, "opp", TSR_PROMO_SAME, TSR_NO_BOOL | TSR_NO_COMPLEX,
    .no_bool = "Bool inputs not supported for hardtanh", .no_complex = "clamp is not supported for complex types", .prepare = hardtanh};
static const tsr_pw pw_silu = {TSR_MAP_silu, "o", TSR_PROMO_SAME, TSR_NO_BOOL | TSR_NO_INT};
static const tsr_pw pw_gelu = {TSR_MAP_gelu, "o", TSR_PROMO_SAME, TSR_FLOAT_ONLY, .kernel = "GeluKernelImpl", .prepare = gelu_kind};
static const tsr_pw pw_hardswish = {TSR_MAP_hardswish, "o", TSR_PROMO_SAME, TSR_FLOAT_ONLY};
static const tsr_pw pw_hardsigmoid = {TSR_MAP_hardsigmoid, "o", TSR_PROMO_SAME, TSR_FLOAT_ONLY};
static const tsr_pw pw_leaky_relu = {TSR_MAP_leaky_relu, "op", TSR_PROMO_SAME, TSR_FLOAT_ONLY};
static const tsr_pw pw_elu = {TSR_MAP_elu, "oppp", TSR_PROMO_SAME, TSR_FLOAT_ONLY};
static const tsr_pw pw_selu = {TSR_MAP_elu, "o", TSR_PROMO_SAME, TSR_FLOAT_ONLY, .kernel = "elu_cpu", .prepare = selu};
static const tsr_pw pw_celu = {TSR_MAP_elu, "op", TSR_PROMO_SAME, TSR_FLOAT_ONLY, .kernel = "elu_cpu", .prepare = celu};
static const tsr_pw pw_softplus = {TSR_MAP_softplus, "opp", TSR_PROMO_SAME, TSR_FLOAT_ONLY};
static const tsr_pw pw_mish = {TSR_MAP_mish, "o", TSR_PROMO_SAME, TSR_FLOAT_ONLY};
static const tsr_pw pw_hardshrink = {TSR_MAP_hardshrink, "op", TSR_PROMO_SAME, TSR_FLOAT_ONLY};
static const tsr_pw pw_softshrink = {TSR_MAP_softshrink, "op", TSR_PROMO_SAME, TSR_FLOAT_ONLY,
    .kernel = "softshrink_check", .prepare = softshrink};
static const tsr_pw pw_threshold = {TSR_MAP_threshold, "opp", TSR_PROMO_SAME, TSR_NO_BOOL | TSR_NO_COMPLEX, .kernel = "threshold_cpu", .prepare = threshold};
static const tsr_pw pw_log_sigmoid = {TSR_MAP_log_sigmoid, "o", TSR_PROMO_SAME, TSR_FLOAT_ONLY};
static const tsr_pw pw_rrelu = {TSR_MAP_rrelu, "opp", TSR_PROMO_SAME, TSR_FLOAT_ONLY,
    .kernel = "leaky_relu_cpu", .prepare = rrelu_slope};
static const tsr_pw pw_rrelu_noise = {TSR_MAP_rrelu, "o.pp", TSR_PROMO_SAME, TSR_FLOAT_ONLY,
    .kernel = "leaky_relu_cpu", .prepare = rrelu_slope};
static const tsr_pw pw_prelu_kernel = {TSR_MAP_prelu, "oo", TSR_PROMO_SAME, TSR_FLOAT_ONLY, .kernel = "prelu_cpu"};

static tsr_status rrelu_bounds(tsr_call *c) { return tsr_op_fail(c->ctx, "Lower bound should be less than or equal to the upper bound"); }

/* What PyTorch's training kernel has, and what it asks of noise and out. */
static tsr_status rrelu_check(tsr_call *c, const tsr_tensor *noise) {
  tsr_dtype d = (tsr_dtype)tsr_arg_tensor(c, 0)->dtype, other;
  if (d != TSR_FLOAT32 && d != TSR_FLOAT64 && d != TSR_BFLOAT16) return tsr_not_implemented(c->ctx, "rrelu_with_noise_out_cpu", d);
  bool bad = noise != NULL && noise->dtype != d;
  if (bad) other = (tsr_dtype)noise->dtype;
  else if (!tsr_out_dtype(c, 0, &other) || other == d) return TSR_OK;
  return tsr_op_fail(c->ctx, "expected scalar type %s but found %s", tsr_dtype_get_info(d)->cpp_name, tsr_dtype_get_info(other)->cpp_name);
}

/* Training: a slope of its own for every element that is not positive, drawn in C order. */
static tsr_status rrelu_train(tsr_call *c, tsr_tensor *noise, uint32_t lower, tsr_tensor **out) {
  tsr_tensor *x = tsr_arg_tensor(c, 0), *in, *slopes;
  tsr_rng *rng;
  double lo = tsr_arg_scalar(c, lower).d, hi = tsr_arg_scalar(c, lower + 1).d;
  TSR_TRY(rrelu_check(c, noise));
  TSR_TRY(tsr_rng_arg(c, lower + 3, &rng));
  TSR_TRY(tsr_ready(c->ctx, &in, x, TSR_FLOAT64));
  TSR_TRY(tsr_new(c->ctx, &slopes, TSR_FLOAT64, x->ndim, x->size));
  const double *a = tsr_tensor_data_ro(in);
  double *r = slopes->storage->data;
  for (int64_t i = 0; i < x->numel && lo > hi; i++)
    if (a[i] <= 0) return rrelu_bounds(c);
  for (int64_t i = 0; i < x->numel; i++) r[i] = a[i] <= 0 ? lo + tsr_rng_uniform(rng) * (hi - lo) : 1;
  TSR_TRY(tsr_to_dtype(c->ctx, &slopes, slopes, (tsr_dtype)x->dtype));
  if (noise) TSR_TRY(tsr_copy_into(c->ctx, noise, slopes));
  TSR_TRY(tsr_contiguous(c->ctx, &x, x));
  return tsr_binary(c->ctx, out, "mul", x, slopes);
}

typedef struct rrelu_row { bool noise, inplace; } rrelu_row;
static const rrelu_row rrelu_plain = {false, false}, rrelu_plain_ = {false, true}, rrelu_noisy = {true, false}, rrelu_noisy_ = {true, true};

/* A pointwise call whose result is in C order. */
static tsr_status in_order(tsr_call *c) {
  tsr_tensor *y;
  TSR_TRY(tsr_pw_call(c));
  if (tsr_tensor_is_contiguous(c->rets[0].t)) return TSR_OK;
  TSR_TRY(tsr_contiguous(c->ctx, &y, c->rets[0].t));
  TSR_TRY(tsr_temp(c->ctx, c->rets[0]));
  c->rets[0] = tsr_none();
  return tsr_ret_tensor(c, 0, y);
}

TSR_KERNEL(rrelu) {
  const rrelu_row *k = c->op->data;
  uint32_t lower = k->noise ? 2 : 1;
  tsr_tensor *y;
  bool train = tsr_arg_bool(c, lower + 2);
  if (k->noise) {
    const tsr_tensor *x = tsr_arg_tensor(c, 0), *noise = tsr_arg_tensor(c, 1);
    char a[256], b[256];
    tsr_sizes_print(a, sizeof a, x->ndim, x->size);
    tsr_sizes_print(b, sizeof b, noise->ndim, noise->size);
    if (strcmp(a, b) != 0) return tsr_op_fail(c->ctx, "noise tensor shape must match self tensor shape. Got self.shape = %s noise.shape = %s", a, b);
  }
  if (!k->noise && tsr_arg_scalar(c, lower).d > tsr_arg_scalar(c, lower + 1).d) return rrelu_bounds(c);
  if (!train) {
    tsr_op row = *c->op;
    tsr_call inner = *c;
    row.data = k->noise ? &pw_rrelu_noise : &pw_rrelu;
    inner.op = &row;
    return k->inplace ? tsr_pw_inplace(&inner) : c->outs != NULL ? tsr_pw_call(&inner) : in_order(&inner);
  }
  TSR_TRY(rrelu_train(c, k->noise ? tsr_arg_tensor(c, 1) : NULL, lower, &y));
  if (!k->inplace) return tsr_ret_tensor(c, 0, y);
  TSR_TRY(tsr_copy_into(c->ctx, tsr_arg_tensor(c, 0), y));
  return tsr_ret_tensor(c, 0, tsr_arg_tensor(c, 0));
}

TSR_KERNEL(log_sigmoid) { return in_order(c); }

TSR_KERNEL(log_sigmoid_forward) {
  tsr_tensor *x = tsr_arg_tensor(c, 0), *y, *z;
  TSR_TRY(tsr_unary(c->ctx, &y, "log_sigmoid", x));
  for (uint32_t i = 0; i < 2; i++) TSR_TRY(tsr_out_expect(c, i, (tsr_dtype)x->dtype));
  TSR_TRY(tsr_unary(c->ctx, &z, "abs", x));
  TSR_TRY(tsr_unary(c->ctx, &z, "neg", z));
  TSR_TRY(tsr_unary(c->ctx, &z, "exp", z));
  TSR_TRY(tsr_contiguous(c->ctx, &z, z));
  TSR_TRY(tsr_ret_tensor(c, 0, y));
  return tsr_ret_tensor(c, 1, z);
}

/* The weight stands for dimension 1, or for everything when it has one element. */
TSR_KERNEL(prelu) {
  tsr_tensor *x = tsr_arg_tensor(c, 0), *w = tsr_arg_tensor(c, 1);
  if (x->dtype != w->dtype)
    return tsr_op_fail(c->ctx, "prelu: Type promoting not supported. Got %s and %s", tsr_dtype_get_info(x->dtype)->cpp_name,
                       tsr_dtype_get_info(w->dtype)->cpp_name);
  if (w->numel != 1) {
    if (x->ndim == 0) return tsr_op_fail(c->ctx, "Not allow zero-dim input tensor.");
    int64_t channels = x->ndim > 1 ? x->size[1] : 1;
    if (channels != w->numel)
      return tsr_op_fail(c->ctx, "Mismatch of parameter numbers and input channel size. Found parameter numbers = %lld and channel size = %lld.",
                         (long long)w->numel, (long long)channels);
  }
  if (w->ndim > 1) return tsr_op_fail(c->ctx, "prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = %d", w->ndim);
  int64_t size[TSR_MAX_NDIM];
  for (int i = 0; i < x->ndim; i++) size[i] = i == 1 ? w->numel : 1;
  if (x->ndim != 1) TSR_TRY(tsr_reshape(c->ctx, &w, w, x->ndim, size));
  tsr_pw_state s;
  tsr_pw_begin(&s, c->ctx, NULL);
  tsr_iter_add_in(&s.it, x);
  tsr_iter_add_in(&s.it, w);
  s.id = TSR_MAP_prelu;
  s.common = (tsr_dtype)x->dtype;
  TSR_TRY(tsr_pw_refuse(c->ctx, &pw_prelu_kernel, "prelu", s.common));
  TSR_TRY(tsr_pw_finish(&s));
  return tsr_ret_tensor(c, 0, tsr_iter_out(&s.it, 0));
}

/* The step inside: the result is laid out as the input. */
TSR_KERNEL(prelu_kernel) {
  tsr_tensor *x = tsr_arg_tensor(c, 0), *w = tsr_arg_tensor(c, 1), *y, *laid;
  if (w->dtype != x->dtype)
    return tsr_op_fail(c->ctx, "Found dtype %s but expected %s", tsr_dtype_get_info(w->dtype)->cpp_name, tsr_dtype_get_info(x->dtype)->cpp_name);
  TSR_TRY(tsr_pw_call(c));
  y = c->rets[0].t;
  if (!tsr_tensor_same_size(y, x)) return TSR_OK;
  TSR_TRY(tsr_new_like(c->ctx, &laid, x, (tsr_dtype)x->dtype));
  if (memcmp(laid->stride, y->stride, y->ndim * sizeof *y->stride) == 0) return TSR_OK;
  TSR_TRY(tsr_copy_into(c->ctx, laid, y));
  TSR_TRY(tsr_temp(c->ctx, c->rets[0]));
  c->rets[0] = tsr_none();
  return tsr_ret_tensor(c, 0, laid);
}

static const tsr_pw pw_glu = {TSR_MAP_glu, "oo", TSR_PROMO_SAME, TSR_FLOAT_ONLY};

TSR_KERNEL(glu) {
  tsr_tensor *x = tsr_arg_tensor(c, 0), *a, *b;
  int64_t d;
  if (x->ndim == 0) return tsr_op_fail(c->ctx, "glu does not support 0-dimensional tensors");
  TSR_TRY(tsr_wrap_dim(c->ctx, tsr_arg_int(c, 1), x->ndim, &d));
  int64_t n = x->size[d];
  if (n % 2) return tsr_op_fail(c->ctx, "Halving dimension must be even, but dimension %lld is size %lld", (long long)d, (long long)n);
  TSR_TRY(tsr_out_expect(c, 0, (tsr_dtype)x->dtype));
  TSR_TRY(tsr_pw_refuse(c->ctx, &pw_glu, "glu", (tsr_dtype)x->dtype));
  TSR_TRY(tsr_narrow(c->ctx, &a, x, d, 0, n / 2));
  TSR_TRY(tsr_narrow(c->ctx, &b, x, d, n / 2, n / 2));
  tsr_pw_state s;
  tsr_pw_begin(&s, c->ctx, NULL);
  tsr_iter_add_in(&s.it, a);
  tsr_iter_add_in(&s.it, b);
  s.id = TSR_MAP_glu;
  s.common = (tsr_dtype)x->dtype;
  TSR_TRY(tsr_pw_finish(&s));
  return tsr_ret_tensor(c, 0, tsr_iter_out(&s.it, 0));
}

const tsr_op tsr_ops_activation[] = {
    {"aten::relu(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_relu},
    {"aten::relu.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT_NEW, &pw_relu},
    {"aten::relu_(Tensor(a!) self) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_relu},
    {"aten::relu6(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_relu6},
    {"aten::relu6_(Tensor(a!) self) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_relu6},
    {"aten::hardtanh(Tensor self, Scalar min_val=-1, Scalar max_val=1) -> Tensor", tsr_pw_call, TSR_PURE, &pw_hardtanh},
    {"aten::hardtanh.out(Tensor self, Scalar min_val=-1, Scalar max_val=1, *, Tensor(a!) out) -> Tensor(a!)",
     tsr_pw_call, TSR_OUT_FOUND, &pw_hardtanh},
    {"aten::hardtanh_(Tensor(a!) self, Scalar min_val=-1, Scalar max_val=1) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_hardtanh},
    {"aten::silu(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_silu},
    {"aten::silu.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT_FOUND, &pw_silu},
    {"aten::silu_(Tensor(a!) self) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_silu},
    {"aten::gelu(Tensor self, *, str approximate=\"none\") -> Tensor", tsr_pw_call, TSR_PURE, &pw_gelu},
    {"aten::gelu.out(Tensor self, *, str approximate=\"none\", Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT_FOUND, &pw_gelu},
    {"aten::gelu_(Tensor(a!) self, *, str approximate=\"none\") -> Tensor(a!)", tsr_pw_inplace, 0, &pw_gelu},
    {"aten::hardswish(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_hardswish},
    {"aten::hardswish.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT_FOUND, &pw_hardswish},
    {"aten::hardswish_(Tensor(a!) self) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_hardswish},
    {"aten::hardsigmoid(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_hardsigmoid},
    {"aten::hardsigmoid.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT_FOUND, &pw_hardsigmoid},
    {"aten::hardsigmoid_(Tensor(a!) self) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_hardsigmoid},
    {"aten::leaky_relu(Tensor self, Scalar negative_slope=0.01) -> Tensor", tsr_pw_call, TSR_PURE, &pw_leaky_relu},
    {"aten::leaky_relu.out(Tensor self, Scalar negative_slope=0.01, *, Tensor(a!) out) -> Tensor(a!)",
     tsr_pw_call, TSR_OUT_FOUND, &pw_leaky_relu},
    {"aten::leaky_relu_(Tensor(a!) self, Scalar negative_slope=0.01) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_leaky_relu},
    {"aten::elu(Tensor self, Scalar alpha=1, Scalar scale=1, Scalar input_scale=1) -> Tensor", tsr_pw_call, TSR_PURE, &pw_elu},
    {"aten::elu.out(Tensor self, Scalar alpha=1, Scalar scale=1, Scalar input_scale=1, *, Tensor(a!) out) -> Tensor(a!)",
     tsr_pw_call, TSR_OUT_FOUND, &pw_elu},
    {"aten::elu_(Tensor(a!) self, Scalar alpha=1, Scalar scale=1, Scalar input_scale=1) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_elu},
    {"aten::selu(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_selu},
    {"aten::selu_(Tensor(a!) self) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_selu},
    {"aten::celu(Tensor self, Scalar alpha=1.) -> Tensor", tsr_pw_call, TSR_PURE, &pw_celu},
    {"aten::celu.out(Tensor self, Scalar alpha=1., *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT_NEW, &pw_celu},
    {"aten::celu_(Tensor(a!) self, Scalar alpha=1.) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_celu},
    {"aten::softplus(Tensor self, Scalar beta=1, Scalar threshold=20) -> Tensor", tsr_pw_call, TSR_PURE, &pw_softplus},
    {"aten::softplus.out(Tensor self, Scalar beta=1, Scalar threshold=20, *, Tensor(a!) out) -> Tensor(a!)",
     tsr_pw_call, TSR_OUT_FOUND, &pw_softplus},
    {"aten::mish(Tensor self) -> Tensor", tsr_pw_call, TSR_PURE, &pw_mish},
    {"aten::mish.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT_FOUND, &pw_mish},
    {"aten::mish_(Tensor(a!) self) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_mish},
    {"aten::hardshrink(Tensor self, Scalar lambd=0.5) -> Tensor", tsr_pw_call, TSR_PURE, &pw_hardshrink},
    {"aten::hardshrink.out(Tensor self, Scalar lambd=0.5, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT_FOUND, &pw_hardshrink},
    {"aten::softshrink(Tensor self, Scalar lambd=0.5) -> Tensor", tsr_pw_call, TSR_PURE, &pw_softshrink},
    {"aten::softshrink.out(Tensor self, Scalar lambd=0.5, *, Tensor(a!) out) -> Tensor(a!)", tsr_pw_call, TSR_OUT_FOUND, &pw_softshrink},
    {"aten::threshold(Tensor self, Scalar threshold, Scalar value) -> Tensor", tsr_pw_call, TSR_PURE, &pw_threshold},
    {"aten::threshold.out(Tensor self, Scalar threshold, Scalar value, *, Tensor(a!) out) -> Tensor(a!)",
     tsr_pw_call, TSR_OUT, &pw_threshold},
    {"aten::threshold_(Tensor(a!) self, Scalar threshold, Scalar value) -> Tensor(a!)", tsr_pw_inplace, 0, &pw_threshold},
    {"aten::log_sigmoid(Tensor self) -> Tensor", op_log_sigmoid, TSR_PURE, &pw_log_sigmoid},
    {"aten::log_sigmoid.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", op_log_sigmoid, TSR_OUT_ACCESS, &pw_log_sigmoid},
    {"aten::rrelu(Tensor self, Scalar lower=0.125, Scalar upper=0.33333333333333331, bool training=False, Generator? generator=None) -> Tensor",
     op_rrelu, TSR_EFFECT, &rrelu_plain},
    {"aten::rrelu_(Tensor(a!) self, Scalar lower=0.125, Scalar upper=0.33333333333333331, bool training=False, Generator? generator=None) -> Tensor(a!)",
     op_rrelu, TSR_EFFECT, &rrelu_plain_},
    {"aten::rrelu_with_noise(Tensor self, Tensor(b!) noise, Scalar lower=0.125, Scalar upper=0.33333333333333331, bool training=False, Generator? generator=None) -> Tensor",
     op_rrelu, TSR_EFFECT, &rrelu_noisy},
    {"aten::rrelu_with_noise.out(Tensor self, Tensor(b!) noise, Scalar lower=0.125, Scalar upper=0.33333333333333331, bool training=False, Generator? generator=None, *, Tensor(a!) out) -> Tensor(a!)",
     op_rrelu, TSR_OUT_FOUND | TSR_EFFECT, &rrelu_noisy},
    {"aten::rrelu_with_noise_(Tensor(a!) self, Tensor(b!) noise, Scalar lower=0.125, Scalar upper=0.33333333333333331, bool training=False, Generator? generator=None) -> Tensor(a!)",
     op_rrelu, TSR_EFFECT, &rrelu_noisy_},
    {"aten::_prelu_kernel(Tensor self, Tensor weight) -> Tensor", op_prelu_kernel, TSR_PURE, &pw_prelu_kernel},
    {"aten::log_sigmoid_forward(Tensor self) -> (Tensor output, Tensor buffer)", op_log_sigmoid_forward, TSR_PURE},
    {"aten::log_sigmoid_forward.output(Tensor self, *, Tensor(a!) output, Tensor(b!) buffer) -> (Tensor(a!), Tensor(b!))", op_log_sigmoid_forward, TSR_OUT_ACCESS},
    {"aten::prelu(Tensor self, Tensor weight) -> Tensor", op_prelu, TSR_PURE},
    {"aten::glu(Tensor self, int dim=-1) -> Tensor", op_glu, TSR_PURE},
    {"aten::glu.out(Tensor self, int dim=-1, *, Tensor(a!) out) -> Tensor(a!)", op_glu, TSR_OUT},
    {0},
};
