/* Dropout in all its forms.  Evaluation mode and p = 0 return the input itself, as PyTorch does. */
#include <math.h>

#include "ops/native.h"
#include "ops/random.h"

typedef struct dropout_kind { bool feature, alpha, in_place; } dropout_kind;
static const dropout_kind plain = {false, false, false}, plain_in = {false, false, true}, feature = {true, false, false},
                          feature_in = {true, false, true}, alpha = {false, true, false}, alpha_in = {false, true, true},
                          feature_alpha = {true, true, false}, feature_alpha_in = {true, true, true};

/* 0/1 noise: of the input's shape, or one number a channel. */
static tsr_status draw_noise(tsr_ctx *ctx, tsr_tensor *x, bool per_channel, double keep, tsr_tensor **noise) {
  tsr_rng *r = NULL;
  int64_t size[TSR_MAX_NDIM];
  TSR_TRY(tsr_rng_default(ctx, &r));
  if (per_channel) {
    if (x->ndim < 2) return tsr_op_fail(ctx, "Feature dropout requires at least 2 dimensions in the input");
    for (int d = 0; d < x->ndim; d++) size[d] = d < 2 ? x->size[d] : 1;
    TSR_TRY(tsr_new(ctx, noise, (tsr_dtype)x->dtype, x->ndim, size));
  } else {
    TSR_TRY(tsr_new_like(ctx, noise, x, (tsr_dtype)x->dtype));
  }
  return tsr_random_bernoulli(ctx, r, *noise, keep);
}

/* The affine correction that keeps mean and variance: y = x * (noise * a) + (noise - 1) * α a + α a p. */
static tsr_status apply_alpha(tsr_ctx *ctx, tsr_tensor *x, tsr_tensor *noise, double p, tsr_tensor **y) {
  const double alpha_prime = 1.7580993408473766;
  double a = 1.0 / sqrt((alpha_prime * alpha_prime * p + 1) * (1 - p));
  tsr_tensor *b;
  TSR_TRY(tsr_binary_scalar(ctx, &b, "add", noise, tsr_scalar_int(-1)));
  TSR_TRY(tsr_binary_scalar(ctx, &b, "mul", b, tsr_scalar_float(alpha_prime * a)));
  TSR_TRY(tsr_binary_scalar(ctx, &b, "add", b, tsr_scalar_float(alpha_prime * a * p)));
  TSR_TRY(tsr_binary_scalar(ctx, &noise, "mul", noise, tsr_scalar_float(a)));
  TSR_TRY(tsr_binary(ctx, y, "mul", x, noise));
  return tsr_binary(ctx, y, "add", *y, b);
}

static tsr_status dropout(tsr_ctx *ctx, const dropout_kind *k, tsr_tensor *x, double p, tsr_tensor **y) {
  tsr_tensor *noise;
  if (p == 1) {
    TSR_TRY(tsr_new_scalar(ctx, &noise, (tsr_dtype)x->dtype, tsr_scalar_int(0)));
    return tsr_binary(ctx, y, "mul", x, noise);
  }
  TSR_TRY(draw_noise(ctx, x, k->feature, 1 - p, &noise));
  if (!tsr_dtype_is_float((tsr_dtype)x->dtype) && !tsr_dtype_is_complex((tsr_dtype)x->dtype))
    return tsr_op_fail(ctx, "result type Float can't be cast to the desired output type %s", tsr_dtype_get_info(x->dtype)->cpp_name);
  if (k->alpha) return apply_alpha(ctx, x, noise, p, y);
  TSR_TRY(tsr_binary_scalar(ctx, &noise, "div", noise, tsr_scalar_float(1 - p)));
  return tsr_binary(ctx, y, "mul", x, noise);
}

TSR_KERNEL(dropout) {
  const dropout_kind *k = c->op->data;
  tsr_tensor *x = tsr_arg_tensor(c, 0), *y;
  double p = tsr_arg_float(c, 1);
  if (!(p >= 0 && p <= 1)) return tsr_op_fail(c->ctx, "dropout probability has to be between 0 and 1, but got %g", p);
  if (p == 0 || !tsr_arg_bool(c, 2) || x->numel == 0) return tsr_ret_tensor(c, 0, x);
  TSR_TRY(dropout(c->ctx, k, x, p, &y));
  if (k->in_place) {
    TSR_TRY(tsr_copy_into(c->ctx, x, y));
    y = x;
  }
  return tsr_ret_tensor(c, 0, y);
}

TSR_KERNEL(native_dropout) {
  tsr_tensor *x = tsr_arg_tensor(c, 0), *y, *mask;
  double keep = 1 - tsr_arg_float(c, 1), scale = keep == 0 ? 0 : 1 / keep;
  bool train = tsr_arg_is_none(c, 2) || tsr_arg_bool(c, 2);
  if (train && x->numel > 0 && !(keep >= 0 && keep <= 1)) return tsr_op_fail(c->ctx, "bernoulli_ expects p to be in [0, 1], but got p=%g", keep);
  if (train && x->numel > 0 && !tsr_dtype_is_float((tsr_dtype)x->dtype) && !tsr_dtype_is_complex((tsr_dtype)x->dtype))
    return tsr_op_fail(c->ctx, "result type Float can't be cast to the desired output type %s", tsr_dtype_get_info(x->dtype)->cpp_name);
  tsr_rng *r = NULL;
  TSR_TRY(tsr_rng_default(c->ctx, &r));
  if (x->numel == 0) { /* two of the input's type */
    TSR_TRY(tsr_clone(c->ctx, &y, x));
    TSR_TRY(tsr_clone(c->ctx, &mask, x));
    TSR_TRY(tsr_ret_tensor(c, 0, y));
    return tsr_ret_tensor(c, 1, mask);
  }
  TSR_TRY(tsr_to_dtype(c->ctx, &mask, x, TSR_BOOL)); /* laid out as x is */
  if (mask == x) TSR_TRY(tsr_clone(c->ctx, &mask, x));
  if (train && x->numel > 0) {
    TSR_TRY(tsr_random_bernoulli(c->ctx, r, mask, keep));
    TSR_TRY(tsr_binary(c->ctx, &y, "mul", x, mask));
    TSR_TRY(tsr_binary_scalar(c->ctx, &y, "mul", y, tsr_scalar_float(scale)));
  } else {
    TSR_TRY(tsr_fill(c->ctx, mask, tsr_scalar_int(1)));
    TSR_TRY(tsr_clone(c->ctx, &y, x));
  }
  TSR_TRY(tsr_ret_tensor(c, 0, y));
  return tsr_ret_tensor(c, 1, mask);
}

const tsr_op tsr_ops_dropout[] = {
    {"aten::dropout(Tensor input, float p, bool train) -> Tensor",
     op_dropout, TSR_EFFECT, &plain},
    {"aten::dropout_(Tensor(a!) self, float p, bool train) -> Tensor(a!)",
     op_dropout, TSR_EFFECT, &plain_in},
    {"aten::feature_dropout(Tensor input, float p, bool train) -> Tensor",
     op_dropout, TSR_EFFECT, &feature},
    {"aten::feature_dropout_(Tensor(a!) self, float p, bool train) -> Tensor(a!)",
     op_dropout, TSR_EFFECT, &feature_in},
    {"aten::alpha_dropout(Tensor input, float p, bool train) -> Tensor",
     op_dropout, TSR_EFFECT, &alpha},
    {"aten::alpha_dropout_(Tensor(a!) self, float p, bool train) -> Tensor(a!)",
     op_dropout, TSR_EFFECT, &alpha_in},
    {"aten::feature_alpha_dropout(Tensor input, float p, bool train) -> Tensor",
     op_dropout, TSR_EFFECT, &feature_alpha},
    {"aten::feature_alpha_dropout_(Tensor(a!) self, float p, bool train) -> Tensor(a!)",
     op_dropout, TSR_EFFECT, &feature_alpha_in},
    {"aten::native_dropout(Tensor input, float p, bool? train) -> (Tensor, Tensor)",
     op_native_dropout, TSR_EFFECT},
    {"aten::native_dropout.out(Tensor input, float p, bool? train, *, Tensor(a!) out0, Tensor(b!) out1) -> (Tensor(a!), Tensor(b!))",
     op_native_dropout, TSR_EFFECT | TSR_OUT_NEW},
    {0},
};
