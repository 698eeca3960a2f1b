/* Statistics composed of other operators: covariance, trapezoidal sums, and kin. */
#include <stdio.h>
#include <math.h>

#include "ops/loss.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"

static const char *cpp_name(int dtype) { return tsr_dtype_get_info(dtype)->cpp_name; }

/* log of the multivariate gamma function: sum over j < p of lgamma(x - j / 2), and a constant. */
TSR_KERNEL(mvlgamma) {
  tsr_tensor *x = tsr_arg_tensor(c, 0), *y = NULL;
  int64_t p = tsr_arg_int(c, 1);
  bool in_place = (c->op->flags & TSR_INPLACE) != 0;
  tsr_dtype own = (tsr_dtype)x->dtype, type = tsr_dtype_is_float(own) ? own : TSR_FLOAT32, got = own;
  if (own == TSR_BOOL) return tsr_op_fail(c->ctx, "The input tensor may not be a boolean tensor.");
  if (p < 1) return tsr_op_fail(c->ctx, "p has to be greater than or equal to 1");
  if (tsr_dtype_is_complex(own)) return tsr_op_fail(c->ctx, "\"arange_cpu\" not implemented for '%s'", cpp_name(own));
  if ((tsr_out_dtype(c, 0, &got) || in_place) && !tsr_dtype_can_cast(type, got)) /* PyTorch names the operand's type and the result's */
    return tsr_op_fail(c->ctx, "mvlgamma: result type %s can't be cast to the desired output type %s", cpp_name(own), cpp_name(type));
  TSR_TRY(tsr_ready(c->ctx, &x, x, type));
  for (int64_t j = 0; j < p; j++) {
    TSR_TRY(tsr_ctx_poll(c->ctx, 1));
    tsr_tensor *g = tsr_x_un(c->ctx, "lgamma", tsr_x_num(c->ctx, "sub", x, (double)j / 2));
    y = y ? tsr_x_bin(c->ctx, "add", y, g) : g;
    if (y == NULL) return tsr_x_ret(c, 0, NULL);
  }
  return tsr_x_ret(c, 0, tsr_x_num(c->ctx, "add", y, (double)p * (double)(p - 1) * log(M_PI) / 4));
}

/* ---- trapezoidal rule ---- */

/* Neighbours along dim: y[:-1] and y[1:]. */
static tsr_status neighbours(tsr_ctx *ctx, tsr_tensor *y, int64_t dim, tsr_tensor **left, tsr_tensor **right) {
  int64_t n = TSR_MAX(y->size[dim] - 1, 0);
  TSR_TRY(tsr_narrow(ctx, left, y, dim, 0, n));
  return tsr_narrow(ctx, right, y, dim, y->size[dim] - n, n);
}

/* The spacing of sample points x, shaped to broadcast with y's neighbours. */
static tsr_status spacing(tsr_ctx *ctx, tsr_tensor **dx, tsr_tensor *x, const tsr_tensor *y, int64_t dim, const char *name) {
  int64_t size[TSR_MAX_NDIM], at = dim;
  tsr_tensor *left, *right;
  if (x->ndim == 1) {
    if (x->size[0] != y->size[dim]) return tsr_op_fail(ctx, "%s: There must be one `x` value for each sample point", name);
    for (int d = 0; d < y->ndim; d++) size[d] = d == dim ? x->numel : 1;
    TSR_TRY(tsr_reshape(ctx, &x, x, y->ndim, size));
  } else if (x->ndim < y->ndim) {
    int lead = y->ndim - x->ndim;
    for (int d = 0; d < y->ndim; d++) size[d] = d < lead ? 1 : x->size[d - lead];
    TSR_TRY(tsr_reshape(ctx, &x, x, y->ndim, size));
  }
  if (x->ndim == 0 || at >= x->ndim) return tsr_op_fail(ctx, "%s: There must be one `x` value for each sample point", name);
  TSR_TRY(neighbours(ctx, x, at, &left, &right));
  return tsr_binary(ctx, dx, "sub", right, left);
}

typedef struct trap_args { const char *name; bool running; } trap_args;
static const trap_args trapezoid = {"trapezoid", false}, cumulative = {"cumulative_trapezoid", true};

/* (y, x or dx, dim) */
TSR_KERNEL(trapezoid) {
  const trap_args *a = c->op->data;
  tsr_tensor *y = tsr_arg_tensor(c, 0), *x = tsr_arg_opt_tensor(c, 1), *left, *right, *dx, *s;
  int64_t dim;
  TSR_TRY(tsr_wrap_dim(c->ctx, tsr_arg_int(c, 2), y->ndim, &dim));
  if (y->dtype == TSR_BOOL || (x && x->dtype == TSR_BOOL) || c->args[1].tag == TSR_V_BOOL)
    return tsr_op_fail(c->ctx, x ? "%s: received a bool input for `x` or `y`, but bool is not supported" : "%s: received a bool input for `y`, but bool is not supported", a->name);
  if (c->args[1].tag == TSR_V_COMPLEX) return tsr_op_fail(c->ctx, "%s: Currently, we only support dx as a real number.", a->name);
  if (y->ndim == 0) return tsr_op_fail(c->ctx, "%s: y must have at least one dimension", a->name);
  int64_t n = y->size[dim];
  if (!a->running && n == 0) return tsr_x_ret(c, 0, tsr_reduce(c->ctx, &s, "sum", y, 1, &dim, false, x ? -1 : (int)y->dtype) == TSR_OK ? s : NULL); /* of no samples: 0 */
  if (!a->running && !x) { /* the sum less half of both ends, which may be infinite */
    TSR_TRY(tsr_select(c->ctx, &left, y, dim, 0));
    TSR_TRY(tsr_select(c->ctx, &right, y, dim, -1));
    s = tsr_x_num(c->ctx, "mul", tsr_x_bin(c->ctx, "add", left, right), 0.5);
    s = tsr_x_bin(c->ctx, "sub", tsr_x_sum(c->ctx, y, dim, false), s);
    if (s) TSR_TRY(tsr_binary_scalar(c->ctx, &s, "mul", s, tsr_arg_scalar(c, 1)));
    return tsr_x_ret(c, 0, s);
  }
  TSR_TRY(neighbours(c->ctx, y, dim, &left, &right));
  s = tsr_x_bin(c->ctx, "add", left, right);
  if (x) {
    TSR_TRY(spacing(c->ctx, &dx, x, y, dim, a->name));
    s = tsr_x_bin(c->ctx, "mul", s, dx);
  } else {
    tsr_scalar d = tsr_arg_scalar(c, 1);
    tsr_tensor *scaled = NULL;
    d.d /= 2;
    if (s) TSR_TRY(tsr_binary_scalar(c->ctx, &scaled, "mul", s, tsr_scalar_float(d.d)));
    s = scaled;
  }
  if (a->running && s) {
    tsr_val args[3] = {tsr_from_obj(s), tsr_int(dim), tsr_none()}, ret;
    TSR_TRY(tsr_invoke(c->ctx, tsr_op_get("aten::cumsum", ""), args, 3, &ret, 1));
    s = ret.t;
  } else s = tsr_x_sum(c->ctx, s, dim, false);
  return tsr_x_ret(c, 0, x ? tsr_x_num(c->ctx, "div", s, 2) : s);
}

/* ---- renorm: every slice along dim is scaled down to at most maxnorm ---- */

TSR_KERNEL(renorm) {
  tsr_tensor *x = tsr_arg_tensor(c, 0), *norm, *scale, *y;
  tsr_scalar p = tsr_arg_scalar(c, 1), max = tsr_arg_scalar(c, 3);
  int64_t dim;
  if (p.d <= 0) return tsr_op_fail(c->ctx, "renorm: non-positive-norm not supported");
  if (max.d < 0) return tsr_op_fail(c->ctx, "renorm: expected maxnorm to be >= 0 but got %g", max.d);
  if (x->ndim < 2) return tsr_op_fail(c->ctx, "renorm: input needs at least 2 dimensions, got %d dimensions", x->ndim);
  TSR_TRY(tsr_wrap_dim(c->ctx, tsr_arg_int(c, 2), x->ndim, &dim));
  TSR_TRY(tsr_contiguous(c->ctx, &x, x));
  tsr_list *dims = tsr_list_new(c->ctx->mem, &tsr_type_int, x->ndim);
  if (dims == NULL) return tsr_ctx_nomem(c->ctx);
  TSR_TRY(tsr_temp(c->ctx, tsr_from_obj(dims)));
  for (int d = 0; d < x->ndim; d++)
    if (d != dim && !tsr_list_push_take(dims, tsr_int(d))) return tsr_ctx_nomem(c->ctx);
  bool half = x->dtype == TSR_FLOAT16 || x->dtype == TSR_BFLOAT16;
  tsr_val args[5] = {tsr_from_obj(x), c->args[1], tsr_from_obj(dims), tsr_bool(true), half ? tsr_int(TSR_FLOAT32) : tsr_none()}, ret;
  TSR_TRY(tsr_invoke(c->ctx, tsr_op_get("aten::linalg_vector_norm", ""), args, 5, &ret, 1));
  TSR_TRY(tsr_ready(c->ctx, &norm, ret.t, TSR_FLOAT64));
  TSR_TRY(tsr_new(c->ctx, &scale, TSR_FLOAT64, norm->ndim, norm->size));
  const double *n = tsr_tensor_data_ro(norm);
  double *s = scale->storage->data;
  for (int64_t i = 0; i < norm->numel; i++) s[i] = n[i] > max.d ? max.d / (n[i] + 1e-7) : 1;
  TSR_TRY(tsr_to_dtype(c->ctx, &scale, scale, tsr_dtype_real_of((tsr_dtype)x->dtype)));
  TSR_TRY(tsr_binary(c->ctx, &y, "mul", x, scale));
  return tsr_ret_tensor(c, 0, y);
}

/* ---- covariance ---- */

static double total(tsr_ctx *ctx, tsr_tensor *t) {
  tsr_tensor *s = tsr_x_reduce(ctx, t, TSR_LOSS_SUM), *d = NULL;
  return s && tsr_ready(ctx, &d, s, TSR_FLOAT64) == TSR_OK ? *(const double *)tsr_tensor_data_ro(d) : 0;
}

static tsr_status check_weights(tsr_ctx *ctx, tsr_tensor *w, int64_t n, const char *name, bool whole) {
  if (w->ndim > 1) return tsr_op_fail(ctx, "cov(): expected %s to have one or fewer dimensions but got %s with %d dimensions", name, name, w->ndim);
  if (whole && !tsr_dtype_is_integral((tsr_dtype)w->dtype, false))
    return tsr_op_fail(ctx, "cov(): expected fweights to have integral dtype but got fweights with %s dtype", cpp_name(w->dtype));
  if (!whole && !tsr_dtype_is_float((tsr_dtype)w->dtype))
    return tsr_op_fail(ctx, "cov(): expected aweights to have floating point dtype but got aweights with %s dtype", cpp_name(w->dtype));
  tsr_tensor *values;
  if (w->numel != n)
    return tsr_op_fail(ctx, "cov(): expected %s to have the same numel as there are observations in the input but got %lld != %lld", name, (long long)w->numel, (long long)n);
  TSR_TRY(tsr_ready(ctx, &values, w, TSR_FLOAT64));
  const double *v = tsr_tensor_data_ro(values);
  for (int64_t i = 0; i < n; i++)
    if (!(v[i] >= 0)) return tsr_op_fail(ctx, "cov(): %s cannot be negative", name);
  return TSR_OK;
}

/* What is left of the sum of weights: in the precision of the weights, where it may cancel. */
static double weight_norm(double sum, double squares, int64_t correction, tsr_dtype d) {
  if (d == TSR_FLOAT64) return sum - (double)correction * squares / sum;
  return (float)sum - (float)correction * (float)squares / (float)sum;
}

static tsr_status covariance(tsr_ctx *x, tsr_tensor **out, tsr_tensor *in, int64_t correction, tsr_tensor *fw, tsr_tensor *aw) {
  tsr_tensor *w = NULL, *t, *right;
  int64_t row[2] = {1, in->numel};
  if (in->ndim > 2) return tsr_op_fail(x, "cov(): expected input to have two or fewer dimensions but got an input with %d dimensions", in->ndim);
  if (in->dtype == TSR_BOOL) return tsr_op_fail(x, "cov(): bool dtype is not supported for input");
  if (in->ndim < 2) TSR_TRY(tsr_reshape(x, &in, in, 2, row));
  int64_t n = in->size[1];
  if (fw) TSR_TRY(check_weights(x, fw, n, "fweights", true));
  if (aw) TSR_TRY(check_weights(x, aw, n, "aweights", false));
  if (fw) w = fw;
  if (aw) w = w ? tsr_x_bin(x, "mul", w, aw) : aw;
  double weight = w ? total(x, w) : (double)n;
  if (w && weight == 0) return tsr_op_fail(x, "cov(): weights sum to zero, can't be normalized");
  double norm = correction != 0 && aw ? weight_norm(weight, total(x, tsr_x_bin(x, "mul", w, aw)), correction, (tsr_dtype)aw->dtype) : weight - (double)correction;
  tsr_tensor *mean = tsr_x_num(x, "div", tsr_x_sum(x, w ? tsr_x_bin(x, "mul", in, w) : in, 1, true), weight);
  in = tsr_x_bin(x, "sub", in, mean);
  right = w ? tsr_x_bin(x, "mul", in, w) : in;
  if (right == NULL) return x->err.status;
  TSR_TRY(tsr_transpose(x, &t, right, 0, 1));
  if (tsr_dtype_is_complex((tsr_dtype)t->dtype)) TSR_TRY(tsr_unary(x, &t, "conj_physical", t));
  TSR_TRY(tsr_to_dtype(x, &in, in, (tsr_dtype)t->dtype));
  TSR_TRY(tsr_matmul(x, &t, in, t));
  TSR_TRY(tsr_binary_scalar(x, &t, "div", t, tsr_scalar_float(fmax(norm, 0))));
  for (int d = 1; d >= 0; d--)
    if (t->size[d] == 1) TSR_TRY(tsr_squeeze_dim(x, &t, t, d));
  *out = t;
  return TSR_OK;
}

TSR_KERNEL(cov) {
  tsr_tensor *y;
  TSR_TRY(covariance(c->ctx, &y, tsr_arg_tensor(c, 0), tsr_arg_int(c, 1), tsr_arg_opt_tensor(c, 2), tsr_arg_opt_tensor(c, 3)));
  return tsr_ret_tensor(c, 0, y);
}

static tsr_tensor *part(tsr_ctx *ctx, const char *which, tsr_tensor *z) {
  tsr_val v, ret;
  if (z == NULL) return NULL;
  v = tsr_from_obj(z);
  return tsr_invoke(ctx, tsr_op_get(which, ""), &v, 1, &ret, 1) == TSR_OK ? ret.t : NULL;
}

static tsr_tensor *clip1(tsr_ctx *ctx, tsr_tensor *x) {
  tsr_val args[3], ret;
  if (x == NULL) return NULL;
  args[0] = tsr_from_obj(x), args[1] = tsr_int(-1), args[2] = tsr_int(1);
  return tsr_invoke(ctx, tsr_op_get("aten::clamp", ""), args, 3, &ret, 1) == TSR_OK ? ret.t : NULL;
}

/* Covariance over the product of standard deviations, clipped to [-1, 1]. */
TSR_KERNEL(corrcoef) {
  tsr_ctx *x = c->ctx;
  tsr_tensor *in = tsr_arg_tensor(c, 0), *v, *d, *col, *row;
  if (in->ndim > 2) return tsr_op_fail(x, "corrcoef(): expected input to have two or fewer dimensions but got an input with %d dimensions", in->ndim);
  TSR_TRY(covariance(x, &v, in, 1, NULL, NULL));
  if (v->ndim == 0) return tsr_x_ret(c, 0, tsr_x_bin(x, "div", v, v));
  int64_t n = v->size[0], as_col[2] = {n, 1}, as_row[2] = {1, n}, step = v->stride[0] + v->stride[1];
  TSR_TRY(tsr_new_view(x, &d, v, v->offset, 1, &n, &step));
  bool z = tsr_dtype_is_complex((tsr_dtype)v->dtype);
  d = tsr_x_un(x, "sqrt", z ? part(x, "aten::real", d) : d);
  if (d == NULL) return tsr_x_ret(c, 0, NULL);
  TSR_TRY(tsr_reshape(x, &col, d, 2, as_col));
  TSR_TRY(tsr_reshape(x, &row, d, 2, as_row));
  tsr_tensor *y = tsr_x_bin(x, "div", tsr_x_bin(x, "div", v, col), row);
  if (!z) return tsr_x_ret(c, 0, clip1(x, y));
  return tsr_x_ret(c, 0, tsr_x_bin(x, "complex", clip1(x, part(x, "aten::real", y)), clip1(x, part(x, "aten::imag", y))));
}

/* ---- hash_tensor: exclusive or of the elements' 64-bit patterns ---- */

TSR_KERNEL(hash_tensor) {
  tsr_tensor *x = tsr_arg_tensor(c, 0), *in, *y;
  bool mask[TSR_MAX_NDIM];
  int64_t n, size[TSR_MAX_NDIM], step[TSR_MAX_NDIM], next = 1;
  const int64_t *dims = tsr_arg_ints(c, 1, &n);
  if (dims == NULL) return tsr_ctx_nomem(c->ctx);
  tsr_dtype into;
  if (tsr_out_dtype(c, 0, &into) && into != TSR_UINT64) return tsr_op_fail(c->ctx, "Expected result to be of dtype uint64, but got %s", tsr_dtype_get_info(into)->cpp_name);
  TSR_TRY(tsr_reduce_dims(c->ctx, x, dims, n, mask));
  if (tsr_arg_int(c, 3) != 0) return tsr_op_fail(c->ctx, "Unknown hash_tensor mode: %lld", (long long)tsr_arg_int(c, 3));
  if (tsr_dtype_is_complex((tsr_dtype)x->dtype)) return tsr_not_implemented(c->ctx, "hash_tensor_cpu", (tsr_dtype)x->dtype);
  if (x->numel == 0 && n == 0)
    return tsr_op_fail(c->ctx, "hash_tensor: Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with the 'dim' argument.");
  TSR_TRY(tsr_reduce_nonempty(c->ctx, x, mask, "hash_tensor"));
  TSR_TRY(tsr_ready(c->ctx, &in, x, tsr_dtype_is_float((tsr_dtype)x->dtype) ? TSR_FLOAT64 : TSR_INT64));
  int rank = tsr_reduce_shape(x, mask, tsr_arg_bool(c, 2), size);
  TSR_TRY(tsr_new(c->ctx, &y, TSR_UINT64, rank, size));
  TSR_TRY(tsr_fill(c->ctx, y, tsr_scalar_int(0)));
  for (int d = x->ndim - 1; d >= 0; d--) {
    step[d] = mask[d] ? 0 : next;
    next *= mask[d] ? 1 : x->size[d];
  }
  const uint64_t *bits = tsr_tensor_data_ro(in);
  uint64_t *out = y->storage->data;
  for (int64_t i = 0; i < x->numel; i++) {
    int64_t rest = i, o = 0;
    for (int d = x->ndim - 1; d >= 0; d--) {
      o += rest % x->size[d] * step[d];
      rest /= x->size[d];
    }
    out[o] ^= bits[i];
  }
  return tsr_ret_tensor(c, 0, y);
}

/* ---- derivatives that archives call by name ---- */

/* (grad - sum(grad * output)) * output; of the logarithm: grad - exp(output) * sum(grad) */
TSR_KERNEL(softmax_backward) {
  tsr_ctx *x = c->ctx;
  tsr_tensor *g = tsr_arg_tensor(c, 0), *out = tsr_arg_tensor(c, 1), *y;
  int64_t dim = tsr_arg_int(c, 2);
  bool log = c->op->data != NULL;
  if (!tsr_tensor_same_size(g, out)) {
    char a[256], b[256];
    tsr_sizes_print(a, sizeof a, g->ndim, g->size);
    tsr_sizes_print(b, sizeof b, out->ndim, out->size);
    return tsr_op_fail(x, "Expected tensor for argument #1 'grad' to have same size as tensor for argument #2 'output'; but %s does not equal %s (while checking arguments for %s)", a, b, log ? "log_softmax_backward" : "softmax_backward");
  }
  TSR_TRY(tsr_wrap_dim(x, dim, g->ndim, &dim));
  tsr_dtype d = (tsr_dtype)g->dtype;
  TSR_TRY(tsr_out_expect(c, 0, d));
  if (!tsr_dtype_is_float(d)) {
    char name[64];
    snprintf(name, sizeof name, "%ssoftmax_backward_%skernel_impl", log ? "log_" : "", dim == g->ndim - 1 || g->ndim == 0 ? "lastdim_" : "");
    return tsr_not_implemented(x, name, d);
  }
  if (out->dtype != d) return tsr_op_fail(x, "expected scalar type %s but found %s", tsr_dtype_get_info(d)->cpp_name, tsr_dtype_get_info(out->dtype)->cpp_name);
  if (d != TSR_FLOAT64) { /* halves are rounded once */
    TSR_TRY(tsr_to_dtype(x, &g, g, TSR_FLOAT32));
    TSR_TRY(tsr_to_dtype(x, &out, out, TSR_FLOAT32));
  }
  if (log) y = tsr_x_bin(x, "sub", g, tsr_x_bin(x, "mul", tsr_x_un(x, "exp", out), tsr_x_sum(x, g, dim, true)));
  else y = tsr_x_bin(x, "mul", tsr_x_bin(x, "sub", g, tsr_x_sum(x, tsr_x_bin(x, "mul", g, out), dim, true)), out);
  if (y == NULL) return tsr_x_ret(c, 0, NULL);
  TSR_TRY(tsr_to_dtype(x, &y, y, d));
  if (tsr_arg_int(c, 3) == TSR_FLOAT16) { /* the only conversion there is: of a half input whose softmax was taken in float */
    if (y->dtype != TSR_FLOAT32 && y->dtype != TSR_FLOAT16) return tsr_op_fail(x, "expected input and grad types to match, or input to be at::Half and grad to be at::Float");
    TSR_TRY(tsr_to_dtype(x, &y, y, TSR_FLOAT16));
  }
  TSR_TRY(tsr_contiguous(x, &y, y));
  return tsr_ret_tensor(c, 0, y);
}

const tsr_op tsr_ops_statistics[] = {
    {"aten::mvlgamma(Tensor self, int p) -> Tensor", op_mvlgamma, TSR_PURE},
    {"aten::mvlgamma.out(Tensor self, int p, *, Tensor(a!) out) -> Tensor(a!)", op_mvlgamma, TSR_OUT_PLAIN},
    {"aten::mvlgamma_(Tensor(a!) self, int p) -> Tensor(a!)", op_mvlgamma, TSR_INPLACE},
    {"aten::special_multigammaln(Tensor self, int p) -> Tensor", op_mvlgamma, TSR_PURE},
    {"aten::special_multigammaln.out(Tensor self, int p, *, Tensor(a!) out) -> Tensor(a!)", op_mvlgamma, TSR_OUT_PLAIN},
    {"aten::trapz.x(Tensor y, Tensor x, *, int dim=-1) -> Tensor", op_trapezoid, TSR_PURE, &trapezoid},
    {"aten::trapz.dx(Tensor y, *, float dx=1., int dim=-1) -> Tensor", op_trapezoid, TSR_PURE, &trapezoid},
    {"aten::trapezoid.x(Tensor y, Tensor x, *, int dim=-1) -> Tensor", op_trapezoid, TSR_PURE, &trapezoid},
    {"aten::trapezoid.dx(Tensor y, *, Scalar dx=1, int dim=-1) -> Tensor", op_trapezoid, TSR_PURE, &trapezoid},
    {"aten::cumulative_trapezoid.x(Tensor y, Tensor x, *, int dim=-1) -> Tensor", op_trapezoid, TSR_PURE, &cumulative},
    {"aten::cumulative_trapezoid.dx(Tensor y, *, Scalar dx=1, int dim=-1) -> Tensor", op_trapezoid, TSR_PURE, &cumulative},
    {"aten::renorm(Tensor self, Scalar p, int dim, Scalar maxnorm) -> Tensor", op_renorm, TSR_PURE},
    {"aten::renorm.out(Tensor self, Scalar p, int dim, Scalar maxnorm, *, Tensor(a!) out) -> Tensor(a!)", op_renorm, TSR_OUT_SAME},
    {"aten::renorm_(Tensor(a!) self, Scalar p, int dim, Scalar maxnorm) -> Tensor(a!)", op_renorm, TSR_INPLACE},
    {"aten::cov(Tensor self, *, int correction=1, Tensor? fweights=None, Tensor? aweights=None) -> Tensor", op_cov, TSR_PURE},
    {"aten::corrcoef(Tensor self) -> Tensor", op_corrcoef, TSR_PURE},
    {"aten::hash_tensor(Tensor self, int[1] dim=[], *, bool keepdim=False, int mode=0) -> Tensor", op_hash_tensor, TSR_PURE},
    {"aten::hash_tensor.out(Tensor self, int[1] dim=[], *, bool keepdim=False, int mode=0, Tensor(a!) out) -> Tensor(a!)",
     op_hash_tensor, TSR_OUT},
    {"aten::_softmax_backward_data(Tensor grad_output, Tensor output, int dim, ScalarType input_dtype) -> Tensor",
     op_softmax_backward, TSR_PURE},
    {"aten::_softmax_backward_data.out(Tensor grad_output, Tensor output, int dim, ScalarType input_dtype, *, Tensor(a!) grad_input) -> Tensor(a!)",
     op_softmax_backward, TSR_OUT_SAME},
    {"aten::_log_softmax_backward_data(Tensor grad_output, Tensor output, int dim, ScalarType input_dtype) -> Tensor",
     op_softmax_backward, TSR_PURE, "log"},
    {"aten::_log_softmax_backward_data.out(Tensor grad_output, Tensor output, int dim, ScalarType input_dtype, *, Tensor(a!) out) -> Tensor(a!)",
     op_softmax_backward, TSR_OUT_SAME, "log"},
    {0},
};
