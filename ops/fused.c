/* Operators of our own that the optimiser puts in place of several: linear and convolution with what follows. */
#include <math.h>

#include "ops/native.h"
#include "ops/product.h"
#include "ops/site.h"

typedef struct act_op { const char *name; int params; } act_op;

static const act_op act_ops[TSR_ACT_COUNT] = {
    [TSR_ACT_RELU] = {"aten::relu", 0},         [TSR_ACT_RELU6] = {"aten::relu6", 0},
    [TSR_ACT_SILU] = {"aten::silu", 0},         [TSR_ACT_HARDSWISH] = {"aten::hardswish", 0},
    [TSR_ACT_SIGMOID] = {"aten::sigmoid", 0},   [TSR_ACT_HARDSIGMOID] = {"aten::hardsigmoid", 0},
    [TSR_ACT_GELU] = {"aten::gelu", 0},         [TSR_ACT_GELU_TANH] = {"aten::gelu", 0},
    [TSR_ACT_TANH] = {"aten::tanh", 0},         [TSR_ACT_LEAKY] = {"aten::leaky_relu", 1},
    [TSR_ACT_CLAMP] = {"aten::hardtanh", 2},    [TSR_ACT_ELU] = {"aten::elu", 1},
    [TSR_ACT_MISH] = {"aten::mish", 0},
};

static tsr_status act_by_operator(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, const tsr_epi *epi) {
  const act_op *a = &act_ops[epi->act];
  const tsr_op *op = tsr_op_get(a->name, "");
  if (op == NULL) return tsr_fail(&ctx->err, TSR_EUNSUPPORTED, "%s is missing", a->name);
  tsr_val args[4] = {tsr_retain(tsr_from_obj(x)), tsr_float(epi->p0), tsr_float(epi->p1), tsr_none()}, ret = tsr_none();
  tsr_release(args[0]);
  uint32_t n = 1 + (uint32_t)a->params;
  if (epi->act == TSR_ACT_ELU) {
    args[2] = args[3] = tsr_int(1);
    n = 4;
  } else if (epi->act == TSR_ACT_GELU || epi->act == TSR_ACT_GELU_TANH) {
    const char *how = epi->act == TSR_ACT_GELU ? "none" : "tanh";
    tsr_str *s = tsr_str_new(ctx->mem, how, strlen(how));
    if (s == NULL) return tsr_op_nomem(ctx);
    TSR_TRY(tsr_temp(ctx, tsr_from_obj(s)));
    args[1] = tsr_from_obj(s);
    n = 2;
  }
  TSR_TRY(tsr_invoke(ctx, op, args, n, &ret, 1));
  *out = ret.t;
  return TSR_OK;
}

typedef struct act_job { const tsr_gemm_fns *f; const tsr_epi *epi; float *x; } act_job;

static void act_task(void *arg, int64_t begin, int64_t end) {
  const act_job *j = arg;
  j->f->act(j->epi->act, j->epi->p0, j->epi->p1, j->x + begin, end - begin);
}

/* x is a fresh tensor of ours: float32 is changed in place. */
tsr_status tsr_act_apply(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, const tsr_epi *epi) {
  *out = x;
  if (epi->act == TSR_ACT_NONE || x->numel == 0) return TSR_OK;
  if (x->dtype != TSR_FLOAT32 || !tsr_tensor_is_dense(x)) return act_by_operator(ctx, out, x, epi);
  void *p;
  TSR_TRY(tsr_data_mut(ctx, x, &p));
  act_job j = {ctx->kernels->gemm, epi, p};
  tsr_parallel_for(ctx, x->numel, 16384, act_task, &j);
  return TSR_OK;
}

tsr_status tsr_act_read(tsr_call *c, uint32_t at, tsr_epi *epi) {
  int64_t code = tsr_arg_int(c, at);
  if (code < 0 || code >= TSR_ACT_COUNT) return tsr_fail(&c->ctx->err, TSR_EINTERNAL, "activation %lld is unknown", (long long)code);
  *epi = (tsr_epi){.act = (tsr_act)code, .p0 = (float)tsr_arg_float(c, at + 1), .p1 = (float)tsr_arg_float(c, at + 2)};
  return TSR_OK;
}

TSR_KERNEL(linear_act) {
  tsr_epi epi;
  tsr_tensor *y, *x = tsr_arg_tensor(c, 0), *w = tsr_arg_tensor(c, 1);
  TSR_TRY(tsr_act_read(c, 4, &epi));
  if (x->ndim == 0 || w->ndim != 2)
    return tsr_op_fail(c->ctx, "both arguments to linear need to be at least 1D, but they are %dD and %dD", x->ndim, w->ndim);
  tsr_site *site = (c->constant & 2) != 0 ? c->site : NULL;
  TSR_TRY(tsr_affine(c->ctx, site, &y, x, w, tsr_arg_opt_tensor(c, 2), tsr_arg_opt_tensor(c, 3), &epi));
  return tsr_ret_tensor(c, 0, y);
}

static tsr_status check_weight(tsr_call *c, const tsr_tensor *x, const tsr_tensor *w) {
  if (x->ndim > 0 && w->ndim == 2) return TSR_OK;
  return tsr_op_fail(c->ctx, "both arguments to linear need to be at least 1D, but they are %dD and %dD", x->ndim, w->ndim);
}

TSR_KERNEL(mlp) {
  tsr_tensor *y, *x = tsr_arg_tensor(c, 0);
  tsr_layer a = {.w = tsr_arg_tensor(c, 1), .bias = tsr_arg_opt_tensor(c, 2)};
  tsr_layer b = {.w = tsr_arg_tensor(c, 6), .bias = tsr_arg_opt_tensor(c, 7), .residual = tsr_arg_opt_tensor(c, 8)};
  TSR_TRY(tsr_act_read(c, 3, &a.epi));
  TSR_TRY(check_weight(c, x, a.w));
  TSR_TRY(check_weight(c, x, b.w));
  if ((c->constant & 2) != 0) a.site = tsr_site_sub(c->site, 2, 0);
  if ((c->constant & 1 << 6) != 0) b.site = tsr_site_sub(c->site, 2, 1);
  TSR_TRY(tsr_affine_pair(c->ctx, &y, x, &a, &b));
  return tsr_ret_tensor(c, 0, y);
}

static tsr_status prepare_mlp(tsr_call *c) {
  if ((c->constant & 2) != 0) TSR_TRY(tsr_affine_prepare_arg(c, tsr_site_sub(c->site, 2, 0), 1));
  return (c->constant & 1 << 6) != 0 ? tsr_affine_prepare_arg(c, tsr_site_sub(c->site, 2, 1), 6) : TSR_OK;
}

/* GELU that the program wrote out; for other dtypes than float32 step by step, rounding where it did. */
TSR_KERNEL(gelu) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *x = tsr_arg_tensor(c, 0), *y, *half;
  bool tanh_form = tsr_arg_bool(c, 1);
  if (x->dtype == TSR_FLOAT32) {
    TSR_TRY(act_by_operator(ctx, &y, x, &(tsr_epi){.act = tanh_form ? TSR_ACT_GELU_TANH : TSR_ACT_GELU}));
    return tsr_ret_tensor(c, 0, y);
  }
  TSR_TRY(tsr_binary_scalar(ctx, &half, "mul", x, tsr_scalar_float(0.5)));
  if (tanh_form) {
    TSR_TRY(tsr_binary_scalar(ctx, &y, "pow", x, tsr_arg_scalar(c, 2)));
    TSR_TRY(tsr_binary_scalar(ctx, &y, "mul", y, tsr_scalar_float(0.044715)));
    TSR_TRY(tsr_binary(ctx, &y, "add", x, y));
    TSR_TRY(tsr_binary_scalar(ctx, &y, "mul", y, tsr_scalar_float(sqrt(2 / M_PI))));
  } else {
    TSR_TRY(tsr_binary_scalar(ctx, &y, "div", x, tsr_scalar_float(sqrt(2))));
  }
  TSR_TRY(tsr_unary(ctx, &y, tanh_form ? "tanh" : "erf", y));
  TSR_TRY(tsr_binary_scalar(ctx, &y, "add", y, tsr_scalar_int(1)));
  TSR_TRY(tsr_binary(ctx, &y, "mul", half, y));
  return tsr_ret_tensor(c, 0, y);
}

const tsr_op tsr_ops_fused[] = {
    {"tsr::gelu(Tensor x, bool tanh_form, Scalar power) -> Tensor", op_gelu, TSR_PURE | TSR_HIDDEN},
    {"tsr::mlp(Tensor x, Tensor w1, Tensor? b1, int act, float p0, float p1, Tensor w2, Tensor? b2, Tensor? residual) -> Tensor",
     op_mlp, TSR_PURE | TSR_HIDDEN | TSR_MAKES, .prepare = prepare_mlp},
    {"tsr::linear_act(Tensor x, Tensor weight, Tensor? bias, Tensor? residual, int act, float p0=0., float p1=0.) -> Tensor",
     op_linear_act, TSR_PURE | TSR_HIDDEN | TSR_MAKES, .prepare = tsr_linear_prepare},
    {0},
};
