/* Losses that are elementwise formulas and a reduction; see loss_class.c for those over classes. */
#include <math.h>
#include <stdio.h>

#include "ops/loss.h"
#include "ops/pointwise.h"

/* ---- expressions ---- */

tsr_tensor *tsr_x_bin(tsr_ctx *ctx, const char *op, tsr_tensor *a, tsr_tensor *b) {
  tsr_tensor *y = NULL;
  return a && b && tsr_binary(ctx, &y, op, a, b) == TSR_OK ? y : NULL;
}
tsr_tensor *tsr_x_num(tsr_ctx *ctx, const char *op, tsr_tensor *a, double b) {
  tsr_tensor *y = NULL;
  return a && tsr_binary_scalar(ctx, &y, op, a, tsr_scalar_float(b)) == TSR_OK ? y : NULL;
}
tsr_tensor *tsr_x_int(tsr_ctx *ctx, const char *op, tsr_tensor *a, int64_t b) {
  tsr_tensor *y = NULL;
  return a && tsr_binary_scalar(ctx, &y, op, a, tsr_scalar_int(b)) == TSR_OK ? y : NULL;
}
tsr_tensor *tsr_x_un(tsr_ctx *ctx, const char *op, tsr_tensor *a) {
  tsr_tensor *y = NULL;
  return a && tsr_unary(ctx, &y, op, a) == TSR_OK ? y : NULL;
}
tsr_tensor *tsr_x_sum(tsr_ctx *ctx, tsr_tensor *a, int64_t dim, bool keepdim) {
  tsr_tensor *y = NULL;
  return a && tsr_reduce(ctx, &y, "sum", a, 1, &dim, keepdim, -1) == TSR_OK ? y : NULL;
}
tsr_tensor *tsr_x_where(tsr_ctx *ctx, tsr_tensor *mask, tsr_tensor *a, tsr_tensor *b) {
  tsr_tensor *y = NULL;
  return mask && a && b && tsr_where(ctx, &y, mask, a, b) == TSR_OK ? y : NULL;
}
tsr_tensor *tsr_x_zero(tsr_ctx *ctx, const tsr_tensor *like) {
  tsr_tensor *y = NULL;
  return like && tsr_new_scalar(ctx, &y, (tsr_dtype)like->dtype, tsr_scalar_int(0)) == TSR_OK ? y : NULL;
}
tsr_tensor *tsr_x_reduce(tsr_ctx *ctx, tsr_tensor *a, int64_t reduction) {
  tsr_tensor *y = NULL;
  if (a == NULL || (reduction != TSR_LOSS_MEAN && reduction != TSR_LOSS_SUM)) return a;
  return tsr_reduce(ctx, &y, reduction == TSR_LOSS_MEAN ? "mean" : "sum", a, -1, NULL, false, -1) == TSR_OK ? y : NULL;
}
tsr_status tsr_x_ret(tsr_call *c, uint32_t i, tsr_tensor *a) {
  if (a) return tsr_ret_tensor(c, i, a);
  return c->ctx->err.status ? c->ctx->err.status : tsr_fail(&c->ctx->err, TSR_EINTERNAL, "an expression failed without a reason");
}

/* a.op_(b) on a value of the kernel's own: what PyTorch refuses of it (shapes, types) is refused here.  b NULL: of one operand. */
static tsr_tensor *into(tsr_ctx *ctx, const char *op, tsr_tensor *a, tsr_tensor *b) {
  char name[32];
  tsr_val args[3] = {tsr_none(), tsr_none(), tsr_int(1)}, ret; /* alpha of sub_ */
  if (a == NULL) return NULL;
  snprintf(name, sizeof name, "aten::%s_", op);
  args[0] = tsr_from_obj(a);
  if (b != NULL) args[1] = tsr_from_obj(b);
  const tsr_op *row = tsr_op_get(name, b != NULL ? "Tensor" : "");
  return tsr_invoke(ctx, row, args, b == NULL ? 1 : strcmp(op, "sub") == 0 ? 3 : 2, &ret, 1) == TSR_OK ? ret.t : NULL;
}

/* ---- one formula ---- */

typedef struct loss_kind { tsr_pw pw; int reduction; int param; const char *bad_param; bool zero_ok; bool structured; } loss_kind;

/* Losses that PyTorch writes into a tensor like the first operand (of the out argument's type, if there is one). */
static tsr_status typed_losses(tsr_call *c, tsr_tensor *losses, tsr_tensor **out) {
  tsr_dtype d = (tsr_dtype)tsr_arg_tensor(c, 0)->dtype;
  tsr_out_dtype(c, 0, &d);
  TSR_TRY(tsr_check_result_cast(c->ctx, (tsr_dtype)losses->dtype, d));
  return tsr_to_dtype(c->ctx, out, losses, d);
}

/* The reduction of a structured operator reads the out argument's type. */
static tsr_status reduced_losses(tsr_call *c, tsr_tensor *losses, int64_t reduction, tsr_tensor **out) {
  tsr_dtype d = (tsr_dtype)losses->dtype;
  bool mean = reduction == TSR_LOSS_MEAN;
  if (!mean && reduction != TSR_LOSS_SUM)
    return tsr_op_fail(c->ctx, "reduction == Reduction::Mean || reduction == Reduction::Sum INTERNAL ASSERT FAILED: reduction is %lld", (long long)reduction);
  if (!tsr_out_dtype(c, 0, &d)) return tsr_reduce(c->ctx, out, mean ? "mean" : "sum", losses, -1, NULL, false, -1);
  TSR_TRY(tsr_check_result_cast(c->ctx, (tsr_dtype)losses->dtype, d));
  return tsr_reduce(c->ctx, out, mean ? "mean" : "sum", losses, -1, NULL, false, (int)d);
}

TSR_KERNEL(formula_loss) {
  const loss_kind *k = c->op->data;
  tsr_pw_state s;
  tsr_pw_begin(&s, c->ctx, NULL);
  tsr_pw_operand(&s, c->args[0]);
  tsr_pw_operand(&s, c->args[1]);
  if (k->param) {
    double p = tsr_arg_float(c, (uint32_t)k->param);
    if (p < 0 || (p == 0 && !k->zero_ok)) return tsr_op_fail(c->ctx, "%s", k->bad_param);
    tsr_map_set_param(&s.p, 0, tsr_scalar_float(p));
  }
  int64_t reduction = tsr_arg_int(c, (uint32_t)k->reduction);
  s.id = k->pw.id;
  s.common = tsr_iter_result_type(&s.it);
  TSR_TRY(tsr_pw_refuse(c->ctx, &k->pw, "loss", s.common));
  TSR_TRY(tsr_pw_finish(&s));
  tsr_tensor *y = tsr_iter_out(&s.it, 0);
  if (k->structured) {
    if (reduction != TSR_LOSS_NONE) TSR_TRY(reduced_losses(c, y, reduction, &y));
    return tsr_ret_tensor(c, 0, y);
  }
  TSR_TRY(typed_losses(c, y, &y));
  tsr_dtype d;
  if ((reduction < 0 || reduction > TSR_LOSS_SUM) && y->numel > 0 && tsr_out_dtype(c, 0, &d)) { /* an unknown reduction shrinks an out argument to what lies first in it */
    int64_t none = 0;
    TSR_TRY(tsr_new_view(c->ctx, &y, y, y->offset, 0, &none, &none));
    return tsr_ret_tensor(c, 0, y);
  }
  return tsr_x_ret(c, 0, tsr_x_reduce(c->ctx, y, reduction));
}

static const loss_kind mse = {{TSR_MAP_squared_error, "", TSR_PROMO_SAME, TSR_NO_BOOL | TSR_NO_INT, .kernel = "mse_cpu"}, 2, 0, NULL, false, true},
                       smooth = {{TSR_MAP_smooth_l1, "", TSR_PROMO_SAME, TSR_FLOAT_ONLY, .kernel = "smooth_l1_cpu"}, 2, 3,
                                 "smooth_l1_loss does not support negative values for beta.", true, true},
                       huber = {{TSR_MAP_huber, "", TSR_PROMO_SAME, TSR_FLOAT_ONLY, .kernel = "huber_cpu"}, 2, 3,
                                "huber_loss does not support non-positive values for delta.", false, false};

/* ---- composed ones ---- */

TSR_KERNEL(l1_loss) {
  tsr_tensor *d = tsr_x_bin(c->ctx, "sub", tsr_arg_tensor(c, 0), tsr_arg_tensor(c, 1));
  return tsr_x_ret(c, 0, tsr_x_reduce(c->ctx, tsr_x_un(c->ctx, "abs", d), tsr_arg_int(c, 2)));
}

/* log1p(exp(-input * target)) into the out argument or a tensor like the input, step by step: half precision overflows on the way. */
static tsr_status soft_margin(tsr_call *c, tsr_tensor *y) {
  tsr_ctx *x = c->ctx;
  int64_t reduction = tsr_arg_int(c, 2);
  tsr_tensor *t = tsr_arg_tensor(c, 1);
  tsr_val args[2] = {tsr_from_obj(tsr_arg_tensor(c, 0)), tsr_from_obj(y)}, ret;
  TSR_TRY(tsr_invoke(x, tsr_op_get("aten::neg", "out"), args, 2, &ret, 1));
  if (into(x, "log1p", into(x, "exp", into(x, "mul", y, t), NULL), NULL) == NULL) return tsr_x_ret(c, 0, NULL);
  if (reduction == TSR_LOSS_NONE) return tsr_ret_tensor(c, 0, y);
  tsr_tensor *r = tsr_x_reduce(x, y, reduction);
  if (r == NULL) return tsr_x_ret(c, 0, NULL);
  if (r == y && y->numel == 0) return tsr_op_fail(x, "soft_margin_loss: reduction %lld of nothing", (long long)reduction);
  int64_t none = 0; /* an unknown reduction shrinks the losses to one number: the first in memory */
  TSR_TRY(tsr_resize(x, y, 0, &none));
  if (r != y) TSR_TRY(tsr_copy_into(x, y, r));
  return tsr_ret_tensor(c, 0, y);
}

TSR_KERNEL(soft_margin) {
  tsr_tensor *y;
  int64_t none = 0;
  TSR_TRY(tsr_new(c->ctx, &y, (tsr_dtype)tsr_arg_tensor(c, 0)->dtype, 1, &none));
  return soft_margin(c, y);
}

TSR_KERNEL(soft_margin_out) { return soft_margin(c, tsr_arg_tensor(c, 3)); }

/* (1 - t) x - ((p - 1) t + 1) log sigmoid(x), in place where PyTorch works in place */
TSR_KERNEL(bce_with_logits) {
  tsr_ctx *x = c->ctx;
  tsr_tensor *in = tsr_arg_tensor(c, 0), *t = tsr_arg_tensor(c, 1), *w = tsr_arg_opt_tensor(c, 2), *p = tsr_arg_opt_tensor(c, 3);
  tsr_tensor *log_sig = tsr_x_un(x, "log_sigmoid", in);
  if (log_sig && p) {
    tsr_tensor *scale = tsr_x_int(x, "add", tsr_x_bin(x, "mul", tsr_x_int(x, "sub", p, 1), t), 1);
    log_sig = scale ? into(x, "mul", log_sig, scale) : NULL;
  }
  tsr_tensor *one;
  TSR_TRY(tsr_new_scalar(x, &one, (tsr_dtype)t->dtype, tsr_scalar_int(1)));
  tsr_tensor *y = log_sig ? into(x, "mul", tsr_x_bin(x, "sub", one, t), in) : NULL;
  if (y) y = into(x, "sub", y, log_sig);
  if (w) y = into(x, "mul", y, w);
  return tsr_x_ret(c, 0, tsr_x_reduce(x, y, tsr_arg_int(c, 4)));
}

TSR_KERNEL(kl_div) {
  tsr_ctx *x = c->ctx;
  tsr_tensor *in = tsr_arg_tensor(c, 0), *t = tsr_arg_tensor(c, 1), *y;
  if (tsr_dtype_is_complex((tsr_dtype)in->dtype) || tsr_dtype_is_complex((tsr_dtype)t->dtype)) return tsr_op_fail(x, "kl_div: Complex inputs not supported.");
  if (tsr_dtype_is_integral((tsr_dtype)in->dtype, true) || tsr_dtype_is_integral((tsr_dtype)t->dtype, true))
    return tsr_op_fail(x, "kl_div: Integral inputs not supported.");
  if (tsr_arg_bool(c, 3)) y = tsr_x_bin(x, "mul", tsr_x_un(x, "exp", t), tsr_x_bin(x, "sub", t, in));
  else y = tsr_x_bin(x, "sub", tsr_x_bin(x, "xlogy", t, t), tsr_x_bin(x, "mul", t, in));
  return tsr_x_ret(c, 0, tsr_x_reduce(x, y, tsr_arg_int(c, 2)));
}

TSR_KERNEL(poisson_nll) {
  tsr_ctx *x = c->ctx;
  tsr_tensor *in = tsr_arg_tensor(c, 0), *t = tsr_arg_tensor(c, 1), *y;
  if (tsr_arg_bool(c, 2)) y = tsr_x_bin(x, "sub", tsr_x_un(x, "exp", in), tsr_x_bin(x, "mul", t, in));
  else y = tsr_x_bin(x, "sub", in, tsr_x_bin(x, "mul", t, tsr_x_un(x, "log", tsr_x_num(x, "add", in, tsr_arg_float(c, 4)))));
  if (tsr_arg_bool(c, 3)) { /* Stirling's approximation of log t! */
    tsr_tensor *s = tsr_x_bin(x, "sub", tsr_x_bin(x, "mul", t, tsr_x_un(x, "log", t)), t);
    s = tsr_x_bin(x, "add", s, tsr_x_num(x, "mul", tsr_x_un(x, "log", tsr_x_num(x, "mul", t, 2 * M_PI)), 0.5));
    y = tsr_x_bin(x, "add", y, tsr_x_where(x, tsr_x_int(x, "le", t, 1), tsr_x_zero(x, s), s));
  }
  return tsr_x_ret(c, 0, tsr_x_reduce(x, y, tsr_arg_int(c, 5)));
}

static tsr_tensor *clamp0(tsr_ctx *ctx, tsr_tensor *a) {
  tsr_val args[2], ret;
  if (a == NULL) return NULL;
  args[0] = tsr_from_obj(a);
  args[1] = tsr_int(0);
  return tsr_invoke(ctx, tsr_op_get("aten::clamp_min", ""), args, 2, &ret, 1) == TSR_OK ? ret.t : NULL;
}

TSR_KERNEL(margin_ranking) {
  tsr_ctx *x = c->ctx;
  tsr_tensor *a = tsr_arg_tensor(c, 0), *b = tsr_arg_tensor(c, 1), *t = tsr_arg_tensor(c, 2);
  tsr_tensor *y = tsr_x_bin(x, "mul", tsr_x_un(x, "neg", t), tsr_x_bin(x, "sub", a, b));
  return tsr_x_ret(c, 0, tsr_x_reduce(x, clamp0(x, tsr_x_num(x, "add", y, tsr_arg_float(c, 3))), tsr_arg_int(c, 4)));
}

/* margin - x where target != 1, x where target != -1; the margin is a number of x's type. */
TSR_KERNEL(hinge_embedding) {
  tsr_ctx *x = c->ctx;
  tsr_tensor *in = tsr_arg_tensor(c, 0), *t = tsr_arg_tensor(c, 1), *margin;
  TSR_TRY(tsr_new_scalar(x, &margin, (tsr_dtype)in->dtype, tsr_scalar_float(tsr_arg_float(c, 2))));
  tsr_tensor *far = clamp0(x, tsr_x_bin(x, "sub", margin, in)), *zero = tsr_x_zero(x, in);
  tsr_tensor *y = tsr_x_bin(x, "add", tsr_x_where(x, tsr_x_int(x, "ne", t, 1), far, zero), tsr_x_where(x, tsr_x_int(x, "ne", t, -1), in, zero));
  return tsr_x_ret(c, 0, tsr_x_reduce(x, y, tsr_arg_int(c, 3)));
}

/* ---- distances ---- */

static tsr_tensor *norm_along(tsr_ctx *ctx, tsr_tensor *a, double p, int64_t dim, bool keepdim) {
  tsr_val args[4], ret;
  if (a == NULL) return NULL;
  tsr_list *dims = tsr_list_new(ctx->mem, &tsr_type_int, 1);
  if (dims == NULL || !tsr_list_push_take(dims, tsr_int(dim)) || tsr_temp(ctx, tsr_from_obj(dims)) != TSR_OK) return NULL;
  args[0] = tsr_from_obj(a);
  args[1] = tsr_float(p);
  args[2] = tsr_from_obj(dims);
  args[3] = tsr_bool(keepdim);
  return tsr_invoke(ctx, tsr_op_get("aten::norm", "ScalarOpt_dim"), args, 4, &ret, 1) == TSR_OK ? ret.t : NULL;
}

static tsr_tensor *pair_distance(tsr_ctx *x, tsr_tensor *a, tsr_tensor *b, double p, double eps, bool keepdim) {
  tsr_tensor *d = tsr_x_num(x, "add", tsr_x_bin(x, "sub", a, b), eps);
  return norm_along(x, d, p, -1, keepdim);
}

TSR_KERNEL(triplet_margin) {
  tsr_ctx *x = c->ctx;
  tsr_tensor *a = tsr_arg_tensor(c, 0), *p = tsr_arg_tensor(c, 1), *n = tsr_arg_tensor(c, 2);
  double margin = tsr_arg_float(c, 3), order = tsr_arg_float(c, 4), eps = tsr_arg_float(c, 5);
  if (a->ndim != p->ndim || a->ndim != n->ndim)
    return tsr_op_fail(x, "The anchor, positive, and negative tensors are expected to have the same number of dimensions, but got: anchor %dD, positive %dD, and negative %dD inputs",
                       a->ndim, p->ndim, n->ndim);
  tsr_tensor *dp = pair_distance(x, a, p, order, eps, false), *dn = pair_distance(x, a, n, order, eps, false);
  if (tsr_arg_bool(c, 6)) dn = tsr_x_bin(x, "minimum", dn, pair_distance(x, p, n, order, eps, false));
  tsr_tensor *y = clamp0(x, tsr_x_bin(x, "sub", tsr_x_num(x, "add", dp, margin), dn));
  return tsr_x_ret(c, 0, tsr_x_reduce(x, y, tsr_arg_int(c, 7)));
}

TSR_KERNEL(cosine_embedding) {
  tsr_ctx *x = c->ctx;
  tsr_tensor *a = tsr_arg_tensor(c, 0), *b = tsr_arg_tensor(c, 1), *t = tsr_arg_tensor(c, 2);
  int64_t dim = t->ndim;
  char sa[128], sb[128];
  tsr_sizes_print(sa, sizeof sa, a->ndim, a->size);
  tsr_sizes_print(sb, sizeof sb, b->ndim, b->size);
  if (dim > 1) return tsr_op_fail(x, "0D or 1D target tensor expected, multi-target not supported");
  if (a->ndim != dim + 1 || b->ndim != dim + 1)
    return tsr_op_fail(x, "%lldD target tensor expects %lldD input tensors, but found inputs with sizes %s and %s.", (long long)dim, (long long)dim + 1, sa, sb);
  tsr_tensor *ab = tsr_x_sum(x, tsr_x_bin(x, "mul", a, b), dim, false);
  tsr_tensor *aa = tsr_x_num(x, "add", tsr_x_sum(x, tsr_x_bin(x, "mul", a, a), dim, false), 1e-12);
  tsr_tensor *bb = tsr_x_num(x, "add", tsr_x_sum(x, tsr_x_bin(x, "mul", b, b), dim, false), 1e-12);
  tsr_tensor *cosine = tsr_x_bin(x, "div", ab, tsr_x_un(x, "sqrt", tsr_x_bin(x, "mul", aa, bb)));
  tsr_tensor *zero = tsr_x_zero(x, cosine);
  tsr_tensor *far = clamp0(x, tsr_x_num(x, "sub", cosine, tsr_arg_float(c, 3)));
  tsr_tensor *y = tsr_x_bin(x, "add", tsr_x_where(x, tsr_x_int(x, "eq", t, 1), tsr_x_num(x, "rsub", cosine, 1), zero),
                            tsr_x_where(x, tsr_x_int(x, "eq", t, -1), far, zero));
  return tsr_x_ret(c, 0, tsr_x_reduce(x, y, tsr_arg_int(c, 4)));
}

const tsr_op tsr_ops_loss[] = {
    {"aten::mse_loss(Tensor self, Tensor target, int reduction=1) -> Tensor", op_formula_loss, TSR_PURE, &mse},
    {"aten::mse_loss.out(Tensor self, Tensor target, int reduction=1, *, Tensor(a!) out) -> Tensor(a!)", op_formula_loss, TSR_OUT, &mse},
    {"aten::smooth_l1_loss(Tensor self, Tensor target, int reduction=1, float beta=1.) -> Tensor", op_formula_loss, TSR_PURE, &smooth},
    {"aten::smooth_l1_loss.out(Tensor self, Tensor target, int reduction=1, float beta=1., *, Tensor(a!) out) -> Tensor(a!)",
     op_formula_loss, TSR_OUT, &smooth},
    {"aten::huber_loss(Tensor self, Tensor target, int reduction=1, float delta=1.) -> Tensor", op_formula_loss, TSR_PURE, &huber},
    {"aten::huber_loss.out(Tensor self, Tensor target, int reduction=1, float delta=1., *, Tensor(a!) out) -> Tensor(a!)",
     op_formula_loss, TSR_OUT, &huber},
    {"aten::soft_margin_loss(Tensor self, Tensor target, int reduction=1) -> Tensor", op_soft_margin, TSR_PURE},
    {"aten::soft_margin_loss.out(Tensor self, Tensor target, int reduction=1, *, Tensor(a!) out) -> Tensor(a!)",
     op_soft_margin_out, 0},
    {"aten::l1_loss(Tensor self, Tensor target, int reduction=1) -> Tensor", op_l1_loss, TSR_PURE},
    {"aten::binary_cross_entropy_with_logits(Tensor self, Tensor target, Tensor? weight=None, Tensor? pos_weight=None, int reduction=1) -> Tensor",
     op_bce_with_logits, TSR_PURE},
    {"aten::binary_cross_entropy_with_logits.out(Tensor self, Tensor target, Tensor? weight=None, Tensor? pos_weight=None, int reduction=1, *, Tensor(a!) out) -> Tensor(a!)",
     op_bce_with_logits, TSR_OUT_NEW},
    {"aten::kl_div(Tensor self, Tensor target, int reduction=1, *, bool log_target=False) -> Tensor", op_kl_div, TSR_PURE},
    {"aten::poisson_nll_loss(Tensor input, Tensor target, bool log_input, bool full, float eps, int reduction) -> Tensor",
     op_poisson_nll, TSR_PURE},
    {"aten::margin_ranking_loss(Tensor input1, Tensor input2, Tensor target, float margin=0., int reduction=1) -> Tensor",
     op_margin_ranking, TSR_PURE},
    {"aten::hinge_embedding_loss(Tensor self, Tensor target, float margin=1., int reduction=1) -> Tensor", op_hinge_embedding, TSR_PURE},
    {"aten::triplet_margin_loss(Tensor anchor, Tensor positive, Tensor negative, float margin=1., float p=2., float eps=9.9999999999999995e-07, bool swap=False, int reduction=1) -> Tensor",
     op_triplet_margin, TSR_PURE},
    {"aten::cosine_embedding_loss(Tensor input1, Tensor input2, Tensor target, float margin=0., int reduction=1) -> Tensor",
     op_cosine_embedding, TSR_PURE},
    {0},
};
