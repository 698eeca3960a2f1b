/* Norms of matrices and what else linear algebra makes of other operators: powers, exponential, cross
 * and dot products, tensor equations. */
#include <math.h>
#include <stdio.h>

#include "ops/linalg.h"

static tsr_status need(tsr_ctx *ctx, bool ok, const char *text) { return ok ? TSR_OK : tsr_op_fail(ctx, "%s", text); }

/* Call an operator with n arguments; its first result. */
static tsr_status call1(tsr_ctx *ctx, tsr_tensor **out, const char *name, const char *overload, tsr_val *args, uint32_t n) {
  tsr_val ret;
  TSR_TRY(tsr_invoke(ctx, tsr_op_get(name, overload), args, n, &ret, 1));
  *out = ret.t;
  return TSR_OK;
}

static tsr_status int_list(tsr_ctx *ctx, tsr_val *out, const int64_t *xs, int n) {
  tsr_list *l = tsr_list_new(ctx->mem, &tsr_type_int, (size_t)n);
  if (l == NULL) return tsr_ctx_nomem(ctx);
  for (int i = 0; i < n; i++) tsr_list_push_take(l, tsr_int(xs[i]));
  *out = tsr_from_obj(l);
  return tsr_temp(ctx, *out);
}

static tsr_status vector_norm(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, tsr_val ord, tsr_val dim, bool keepdim, tsr_val dtype) {
  tsr_val args[] = {tsr_from_obj(x), ord, dim, tsr_bool(keepdim), dtype};
  return call1(ctx, out, "aten::linalg_vector_norm", "", args, 5);
}

/* ---- matrix norms ---- */

typedef enum mat_norm { FRO, NUC, INF, NEG_INF, ONE, NEG_ONE, TWO, NEG_TWO } mat_norm;

/* The order that function (linalg.matrix_norm or linalg.cond) is asked for. */
static tsr_status norm_kind(tsr_ctx *ctx, tsr_val ord, bool cond, mat_norm *out) {
  char name[64];
  if (ord.tag == TSR_V_STR) {
    *out = ord.s->bytes[0] == 'f' ? FRO : NUC;
    if (strcmp(ord.s->bytes, *out == FRO ? "fro" : "nuc") == 0) return TSR_OK;
    snprintf(name, sizeof name, "%.40s", ord.s->bytes);
  } else {
    double p = tsr_scalar_of(ord).d, size = fabs(p);
    *out = isinf(p) ? (p > 0 ? INF : NEG_INF) : size == 1 ? (p > 0 ? ONE : NEG_ONE) : p > 0 ? TWO : NEG_TWO;
    if (isinf(p) || size == 1 || size == 2) return TSR_OK;
    snprintf(name, sizeof name, "%g", p);
  }
  return cond ? tsr_op_fail(ctx, "linalg.cond got an invalid norm type: %s", name) : tsr_op_fail(ctx, "linalg.matrix_norm: Order %s not supported.", name);
}

/* Singular values along dims d0 (rows), d1 (columns), in the last dimension of the result. */
static tsr_status values_along(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, int64_t d0, int64_t d1) {
  int64_t perm[TSR_MAX_NDIM];
  int n = 0;
  for (int d = 0; d < x->ndim; d++) {
    if (d != d0 && d != d1) perm[n++] = d;
  }
  perm[n] = d0;
  perm[n + 1] = d1;
  TSR_TRY(tsr_permute(ctx, &x, x, perm));
  tsr_val args[] = {tsr_from_obj(x), tsr_none()};
  return call1(ctx, out, "aten::linalg_svdvals", "", args, 2);
}

/* out= arguments of another element type than the norm has */
static tsr_status check_norm_out(const tsr_call *c, const tsr_tensor *y, const char *name) {
  tsr_dtype out;
  if (!tsr_out_dtype(c, 0, &out) || out == (tsr_dtype)y->dtype) return TSR_OK;
  return tsr_op_fail(c->ctx, "%s expected out tensor dtype %s but got: %s", name, tsr_dtype_get_info(y->dtype)->cpp_name, tsr_dtype_get_info(out)->cpp_name);
}

static tsr_status matrix_norm(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, tsr_val ord, const int64_t *dim, int64_t ndim, bool keepdim, tsr_val dtype) {
  int64_t d[2];
  mat_norm kind;
  TSR_TRY(norm_kind(ctx, ord, false, &kind));
  TSR_TRY(need(ctx, x->ndim >= 2, "linalg.matrix_norm: The input tensor A must have at least 2 dimensions."));
  if (tsr_dtype_is_integral((tsr_dtype)x->dtype, true) && dtype.tag == TSR_V_NONE) TSR_TRY(tsr_mats_check_dtype(ctx, x, "linalg.matrix_norm"));
  if (ndim != 2) {
    char dims[64];
    tsr_sizes_print(dims, sizeof dims, (int)TSR_MIN(ndim, 8), dim);
    dims[strlen(dims) - 1] = 0;
    return tsr_op_fail(ctx, "linalg.matrix_norm: dim must be a 2-tuple. Got %s", dims + 1);
  }
  for (int i = 0; i < 2; i++) TSR_TRY(tsr_wrap_dim(ctx, dim[i], x->ndim, &d[i]));
  if (d[0] == d[1]) return tsr_op_fail(ctx, "linalg.matrix_norm: dims must be different. Got (%lld, %lld)", (long long)d[0], (long long)d[1]);
  if (dtype.tag == TSR_V_NONE && (kind == NUC || kind == TWO || kind == NEG_TWO)) TSR_TRY(tsr_mats_check_dtype(ctx, x, "linalg.matrix_norm"));
  if (dtype.tag == TSR_V_INT) TSR_TRY(tsr_to_dtype(ctx, &x, x, (tsr_dtype)dtype.i));
  if (kind == FRO) {
    tsr_val dims;
    TSR_TRY(int_list(ctx, &dims, d, 2));
    return vector_norm(ctx, out, x, tsr_float(2), dims, keepdim, tsr_none());
  }
  bool spectral = kind == NUC || kind == TWO || kind == NEG_TWO;
  if (spectral) {
    int64_t last = -1;
    TSR_TRY(values_along(ctx, &x, x, d[0], d[1]));
    TSR_TRY(tsr_reduce(ctx, out, kind == NUC || (kind == TWO && x->size[x->ndim - 1] == 0) ? "sum" : kind == TWO ? "amax" : "amin", x, 1, &last, false, -1));
    if (!keepdim) return TSR_OK;
    TSR_TRY(tsr_unsqueeze(ctx, out, *out, TSR_MIN(d[0], d[1])));
    return tsr_unsqueeze(ctx, out, *out, TSR_MAX(d[0], d[1]));
  }
  bool columns = kind == ONE || kind == NEG_ONE; /* 1: largest column sum; inf: largest row sum */
  int64_t sum_dim = columns ? d[0] : d[1], max_dim = columns ? d[1] : d[0];
  TSR_TRY(tsr_unary(ctx, &x, "abs", x));
  TSR_TRY(tsr_reduce(ctx, &x, "sum", x, 1, &sum_dim, true, -1));
  const char *pick = x->size[max_dim] == 0 ? "sum" : kind == ONE || kind == INF ? "amax" : "amin"; /* of nothing: 0 */
  TSR_TRY(tsr_reduce(ctx, out, pick, x, 1, &max_dim, true, -1));
  if (keepdim) return TSR_OK;
  TSR_TRY(tsr_squeeze_dim(ctx, out, *out, TSR_MAX(d[0], d[1])));
  return tsr_squeeze_dim(ctx, out, *out, TSR_MIN(d[0], d[1]));
}

TSR_KERNEL(matrix_norm) {
  int64_t n;
  const int64_t *dim = tsr_arg_ints(c, 2, &n);
  tsr_tensor *out;
  if (dim == NULL) return c->ctx->err.status;
  TSR_TRY(matrix_norm(c->ctx, &out, tsr_arg_tensor(c, 0), c->args[1], dim, n, tsr_arg_bool(c, 3), c->args[4]));
  TSR_TRY(check_norm_out(c, out, "linalg.matrix_norm"));
  return tsr_ret_tensor(c, 0, out);
}

TSR_KERNEL(norm) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *x = tsr_arg_tensor(c, 0), *out;
  tsr_val ord = c->args[1];
  bool keepdim = tsr_arg_bool(c, 3);
  static const int64_t all_two[] = {0, 1};
  int64_t n;
  const int64_t *dim = tsr_arg_ints(c, 2, &n);
  if (ctx->err.status != TSR_OK) return ctx->err.status;
  TSR_TRY(need(ctx, n < 0 || n == 1 || n == 2 || ord.tag == TSR_V_NONE, "linalg.norm: If dim is specified, it must be of length 1 or 2."));
  TSR_TRY(need(ctx, n >= 0 || ord.tag == TSR_V_NONE || x->ndim == 1 || x->ndim == 2, "linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D."));
  bool is_matrix = ord.tag == TSR_V_STR || (ord.tag != TSR_V_NONE && (n == 2 || (n < 0 && x->ndim == 2)));
  if (is_matrix) {
    TSR_TRY(matrix_norm(ctx, &out, x, ord, n < 0 ? all_two : dim, n < 0 ? 2 : n, keepdim, c->args[4]));
  } else {
    TSR_TRY(vector_norm(ctx, &out, x, ord.tag == TSR_V_NONE ? tsr_float(2) : ord, c->args[2], keepdim, c->args[4]));
  }
  TSR_TRY(check_norm_out(c, out, "linalg.norm"));
  return tsr_ret_tensor(c, 0, out);
}

TSR_KERNEL(nuclear_norm) {
  static const int64_t last_two[] = {-2, -1};
  bool keepdim = tsr_arg_bool(c, c->nargs > 2 && c->args[1].tag == TSR_V_LIST ? 2 : 1);
  int64_t n = 2;
  const int64_t *dim = c->args[1].tag == TSR_V_LIST ? tsr_arg_ints(c, 1, &n) : last_two;
  tsr_str *nuc = tsr_str_new(c->ctx->mem, "nuc", 3);
  tsr_tensor *out;
  if (dim == NULL || nuc == NULL) return tsr_ctx_nomem(c->ctx);
  TSR_TRY(tsr_temp(c->ctx, tsr_from_obj(nuc)));
  TSR_TRY(matrix_norm(c->ctx, &out, tsr_arg_tensor(c, 0), tsr_from_obj(nuc), dim, n, keepdim, tsr_none()));
  TSR_TRY(check_norm_out(c, out, "linalg.matrix_norm"));
  return tsr_ret_tensor(c, 0, out);
}

static tsr_status need_square_for(tsr_ctx *ctx, const tsr_tensor *x, tsr_val ord) {
  char name[64];
  if (ord.tag == TSR_V_STR) snprintf(name, sizeof name, "linalg.cond(ord=%.16s)", ord.s->bytes);
  else if (ord.tag == TSR_V_FLOAT) snprintf(name, sizeof name, "linalg.cond(ord=%f)", ord.d);
  else snprintf(name, sizeof name, "linalg.cond(ord=%lld)", (long long)ord.i);
  return tsr_mats_check_square(ctx, x, name);
}

TSR_KERNEL(cond) {
  tsr_ctx *ctx = c->ctx;
  static const int64_t last_two[] = {-2, -1};
  int64_t last = -1;
  tsr_tensor *x = tsr_arg_tensor(c, 0), *a, *b, *info, *bad;
  tsr_val p = c->args[1];
  tsr_dtype real = tsr_dtype_real_of((tsr_dtype)x->dtype);
  mat_norm kind = TWO;
  TSR_TRY(tsr_out_castable(c, 0, p.tag == TSR_V_STR ? (tsr_dtype)x->dtype : real, "linalg.cond", "result"));
  TSR_TRY(need(ctx, p.tag == TSR_V_STR || x->ndim >= 2, "linalg.cond: The input tensor must have at least 2 dimensions."));
  if (p.tag == TSR_V_STR) TSR_TRY(need_square_for(ctx, x, p));
  if (p.tag != TSR_V_NONE) TSR_TRY(norm_kind(ctx, p, true, &kind));
  if (x->numel == 0) {
    TSR_TRY(tsr_new(ctx, &a, real, x->ndim - 2, x->size));
    TSR_TRY(tsr_fill(ctx, a, tsr_scalar_int(0)));
    return tsr_ret_tensor(c, 0, a);
  }
  if (kind == TWO || kind == NEG_TWO || kind == NUC) {
    TSR_TRY(values_along(ctx, &x, x, x->ndim - 2, x->ndim - 1));
    if (kind == NUC) {
      TSR_TRY(tsr_unary(ctx, &b, "reciprocal", x));
      TSR_TRY(tsr_reduce(ctx, &a, "sum", x, 1, &last, false, -1));
      TSR_TRY(tsr_reduce(ctx, &b, "sum", b, 1, &last, false, -1));
    } else { /* sorted, the largest first */
      TSR_TRY(tsr_select(ctx, &a, x, -1, 0));
      TSR_TRY(tsr_select(ctx, &b, x, -1, -1));
    }
    TSR_TRY(tsr_binary(ctx, &a, kind == NUC ? "mul" : "div", kind == NEG_TWO ? b : a, kind == NEG_TWO ? a : b));
    return tsr_ret_tensor(c, 0, a);
  }
  TSR_TRY(need_square_for(ctx, x, p));
  tsr_val args[] = {tsr_from_obj(x), tsr_bool(false)}, rets[2];
  TSR_TRY(tsr_invoke(ctx, tsr_op_get("aten::linalg_inv_ex", ""), args, 2, rets, 2));
  TSR_TRY(matrix_norm(ctx, &a, x, p, last_two, 2, false, tsr_none()));
  TSR_TRY(matrix_norm(ctx, &b, rets[0].t, p, last_two, 2, false, tsr_none()));
  TSR_TRY(tsr_binary(ctx, &a, "mul", a, b));
  TSR_TRY(tsr_to_dtype(ctx, &info, rets[1].t, TSR_BOOL)); /* singular, or zero times infinity: infinity */
  TSR_TRY(tsr_binary(ctx, &b, "ne", a, a));
  TSR_TRY(tsr_binary(ctx, &info, "logical_or", info, b));
  TSR_TRY(tsr_new_scalar(ctx, &bad, (tsr_dtype)a->dtype, tsr_scalar_float(INFINITY)));
  TSR_TRY(tsr_where(ctx, &a, info, bad, a));
  return tsr_ret_tensor(c, 0, a);
}

/* ---- powers and exponential ---- */

static tsr_status identity_like(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x) {
  tsr_tensor *diagonal;
  TSR_TRY(tsr_new(ctx, out, (tsr_dtype)x->dtype, x->ndim, x->size));
  TSR_TRY(tsr_fill(ctx, *out, tsr_scalar_int(0)));
  int64_t size[TSR_MAX_NDIM], stride[TSR_MAX_NDIM];
  memcpy(size, (*out)->size, (size_t)(x->ndim - 1) * sizeof *size);
  memcpy(stride, (*out)->stride, (size_t)(x->ndim - 1) * sizeof *stride);
  stride[x->ndim - 2] = (*out)->stride[x->ndim - 2] + (*out)->stride[x->ndim - 1];
  TSR_TRY(tsr_new_view(ctx, &diagonal, *out, 0, x->ndim - 1, size, stride));
  return tsr_fill(ctx, diagonal, tsr_scalar_int(1));
}

TSR_KERNEL(matrix_power) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *x = tsr_arg_tensor(c, 0), *r = NULL;
  int64_t n = tsr_arg_int(c, 1);
  TSR_TRY(tsr_mats_check_square(ctx, x, "linalg.matrix_power"));
  TSR_TRY(tsr_out_castable(c, 0, (tsr_dtype)x->dtype, "matrix_power", "result"));
  if (n > 1 || n < 0) TSR_TRY(tsr_out_same(c, 0, (tsr_dtype)x->dtype));
  if (n < 0) {
    tsr_val args[] = {tsr_from_obj(x)};
    TSR_TRY(call1(ctx, &x, "aten::linalg_inv", "", args, 1));
    n = n == INT64_MIN ? INT64_MAX : -n;
  }
  if (n == 0) TSR_TRY(identity_like(ctx, &r, x));
  if (n == 3) { /* (x x) x, not x (x x) */
    TSR_TRY(tsr_matmul(ctx, &r, x, x));
    TSR_TRY(tsr_matmul(ctx, &r, r, x));
    n = 0;
  }
  for (; n > 0; n >>= 1) {
    if ((n & 1) != 0) {
      if (r == NULL) r = x;
      else TSR_TRY(tsr_matmul(ctx, &r, r, x));
    }
    if (n > 1) TSR_TRY(tsr_matmul(ctx, &x, x, x));
  }
  if (r == tsr_arg_tensor(c, 0)) { /* a copy, in order */
    tsr_tensor *copy;
    TSR_TRY(tsr_new(ctx, &copy, (tsr_dtype)r->dtype, r->ndim, r->size));
    TSR_TRY(tsr_copy_into(ctx, copy, r));
    r = copy;
  }
  return tsr_ret_tensor(c, 0, r);
}

/* Scaling and squaring of a Taylor polynomial in double precision: degree 18 at norm 1/2 is below 1e-22. */
TSR_KERNEL(matrix_exp) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *x = tsr_arg_tensor(c, 0), *sum, *term, *norm;
  tsr_dtype dtype = (tsr_dtype)x->dtype;
  static const int64_t last_two[] = {-2, -1};
  TSR_TRY(tsr_mats_check_square(ctx, x, "linalg.matrix_exp"));
  if (tsr_dtype_is_integral(dtype, true)) return tsr_op_fail(ctx, "linalg.matrix_exp: Expected a floating point or complex tensor as input. Got %s", tsr_dtype_get_info(dtype)->cpp_name);
  int64_t n = x->size[x->ndim - 1], flat[] = {-1, n, n};
  if (n > 1 && x->ndim > 3) TSR_TRY(tsr_view_as(ctx, &term, x, 3, flat)); /* PyTorch views the batch as one dimension, or refuses */
  TSR_TRY(tsr_to_dtype(ctx, &x, x, tsr_dtype_is_complex(dtype) ? TSR_COMPLEX128 : TSR_FLOAT64));
  int squarings = 0;
  if (x->numel > 0) {
    double l = 0;
    TSR_TRY(matrix_norm(ctx, &norm, x, tsr_float(1), last_two, 2, false, tsr_none()));
    TSR_TRY(tsr_ready(ctx, &norm, norm, TSR_FLOAT64));
    for (int64_t i = 0; i < norm->numel; i++) { /* the largest of those that have one */
      double v = ((const double *)tsr_tensor_data_ro(norm))[i];
      if (isfinite(v) && v > l) l = v;
    }
    if (l > 0.5) squarings = TSR_MIN((int)ceil(log2(l * 2)), 1100);
    TSR_TRY(tsr_binary_scalar(ctx, &x, "mul", x, tsr_scalar_float(ldexp(1, -squarings))));
  }
  TSR_TRY(identity_like(ctx, &sum, x));
  term = sum;
  for (int k = 1; k <= 18; k++) {
    TSR_TRY(tsr_matmul(ctx, &term, term, x));
    TSR_TRY(tsr_binary_scalar(ctx, &term, "mul", term, tsr_scalar_float(1.0 / k)));
    TSR_TRY(tsr_binary(ctx, &sum, "add", sum, term));
  }
  for (; squarings > 0; squarings--) TSR_TRY(tsr_matmul(ctx, &sum, sum, sum));
  TSR_TRY(tsr_to_dtype(ctx, &sum, sum, dtype));
  return tsr_ret_tensor(c, 0, sum);
}

/* ---- products ---- */

static tsr_status cross(tsr_call *c, tsr_tensor *a, tsr_tensor *b, int64_t dim) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *x[3], *y[3], *out[3], *all;
  for (int k = 0; k < 3; k++) {
    TSR_TRY(tsr_select(ctx, &x[k], a, dim, k));
    TSR_TRY(tsr_select(ctx, &y[k], b, dim, k));
  }
  for (int k = 0; k < 3; k++) {
    tsr_tensor *p, *q;
    TSR_TRY(tsr_binary(ctx, &p, "mul", x[(k + 1) % 3], y[(k + 2) % 3]));
    TSR_TRY(tsr_binary(ctx, &q, "mul", x[(k + 2) % 3], y[(k + 1) % 3]));
    TSR_TRY(tsr_binary(ctx, &out[k], "sub", p, q));
  }
  TSR_TRY(tsr_stack(ctx, &all, out, 3, dim));
  return tsr_ret_tensor(c, 0, all);
}

static tsr_status broadcast_two(tsr_ctx *ctx, tsr_tensor **a, tsr_tensor **b) {
  int64_t size[TSR_MAX_NDIM];
  int n;
  TSR_TRY(tsr_broadcast_sizes(ctx, (*a)->ndim, (*a)->size, (*b)->ndim, (*b)->size, &n, size));
  TSR_TRY(tsr_expand(ctx, a, *a, n, size));
  return tsr_expand(ctx, b, *b, n, size);
}

/* cross has None for the first dimension of length 3 */
TSR_KERNEL(linalg_cross) {
  tsr_tensor *a = tsr_arg_tensor(c, 0), *b = tsr_arg_tensor(c, 1);
  const char *type = tsr_dtype_get_info(a->dtype)->cpp_name;
  int64_t given = tsr_arg_int(c, 2), dim;
  if (tsr_arg_is_none(c, 2)) {
    for (given = 0; given < a->ndim && a->size[given] != 3; given++) {}
    if (given == a->ndim) return tsr_op_fail(c->ctx, "no dimension of size 3 in input");
  }
  TSR_TRY(need(c->ctx, a->ndim == b->ndim, "linalg.cross: inputs must have the same number of dimensions."));
  TSR_TRY(tsr_wrap_dim(c->ctx, given, a->ndim, &dim));
  if (a->ndim == 0 || a->size[dim] != 3 || b->size[dim] != 3) {
    return tsr_op_fail(c->ctx, "linalg.cross: inputs dimension %lld must have length 3. Got %lld and %lld", (long long)given, a->ndim == 0 ? 0LL : (long long)a->size[dim], b->ndim == 0 ? 0LL : (long long)b->size[dim]);
  }
  TSR_TRY(broadcast_two(c->ctx, &a, &b));
  TSR_TRY(tsr_out_same(c, 0, (tsr_dtype)a->dtype));
  if (a->dtype == TSR_BOOL) return tsr_op_fail(c->ctx, "\"cross\" not implemented for '%s'", type);
  if (b->dtype != a->dtype) return tsr_op_fail(c->ctx, "expected scalar type %s but found %s", type, tsr_dtype_get_info(b->dtype)->cpp_name);
  return cross(c, a, b, dim);
}

TSR_KERNEL(vecdot) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *a = tsr_arg_tensor(c, 0), *b = tsr_arg_tensor(c, 1), *out;
  int64_t dim = tsr_arg_int(c, 2);
  tsr_dtype got;
  if (tsr_dtype_is_integral((tsr_dtype)a->dtype, true)) TSR_TRY(tsr_mats_check_dtype(ctx, a, "linalg.vecdot"));
  if (a->dtype != b->dtype)
    return tsr_op_fail(ctx, "linalg.vecdot: Expected x and y to have the same dtype, but found x of type %s and y of type %s instead",
                       tsr_dtype_get_info(a->dtype)->cpp_name, tsr_dtype_get_info(b->dtype)->cpp_name);
  if (tsr_out_dtype(c, 0, &got) && got != a->dtype) return tsr_op_fail(ctx, "linalg.vecdot: Expected out of dtype%s but found %s", tsr_dtype_get_info(a->dtype)->cpp_name, tsr_dtype_get_info(got)->cpp_name);
  if (a->ndim == 1 && b->ndim == 1) { /* a plain dot product: dim is not looked at */
    if (a->numel != b->numel)
      return tsr_op_fail(ctx, "inconsistent tensor size, expected tensor [%lld] and src [%lld] to have the same number of elements, but got %lld and %lld elements respectively",
                         (long long)a->numel, (long long)b->numel, (long long)a->numel, (long long)b->numel);
    dim = 0;
  }
  if (tsr_dtype_is_complex((tsr_dtype)a->dtype)) TSR_TRY(tsr_unary(ctx, &a, "conj_physical", a));
  TSR_TRY(tsr_binary(ctx, &out, "mul", a, b));
  TSR_TRY(tsr_reduce(ctx, &out, "sum", out, 1, &dim, false, -1));
  return tsr_ret_tensor(c, 0, out);
}

/* ---- equations of tensors, flattened to matrices ---- */

static int64_t product(const int64_t *xs, int n) {
  int64_t p = 1;
  for (int i = 0; i < n; i++) p *= xs[i];
  return p;
}

TSR_KERNEL(tensorsolve) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *a = tsr_arg_tensor(c, 0), *b = tsr_arg_tensor(c, 1), *out;
  int64_t n, to[TSR_MAX_NDIM];
  const int64_t *dims = tsr_arg_ints(c, 2, &n);
  if (ctx->err.status != TSR_OK) return ctx->err.status;
  TSR_TRY(tsr_out_castable(c, 0, (tsr_dtype)a->dtype, "tensorsolve", "result"));
  if (dims != NULL) { /* move them to the end */
    if (n > TSR_MAX_NDIM) return tsr_op_fail(ctx, "tensorsolve: more dims than a tensor can have");
    for (int64_t k = 0; k < n; k++) to[k] = a->ndim - n + k;
    tsr_val args[] = {tsr_from_obj(a), c->args[2], tsr_none()};
    TSR_TRY(int_list(ctx, &args[2], to, (int)n));
    TSR_TRY(call1(ctx, &a, "aten::movedim", "intlist", args, 3));
  }
  TSR_TRY(need(ctx, a->ndim >= b->ndim, "Expected self.ndim >= other.ndim"));
  int nx = a->ndim - b->ndim;
  const int64_t *x_size = a->size + b->ndim;
  int64_t cols = product(x_size, nx), square[] = {cols, cols};
  if (cols != b->numel) return tsr_op_fail(ctx, "Expected self to satisfy the requirement prod(self.shape[other.ndim:]) == prod(self.shape[:other.ndim]), but got %lld != %lld", (long long)cols, (long long)b->numel);
  tsr_val args[] = {tsr_none(), tsr_none(), tsr_bool(true)};
  TSR_TRY(tsr_reshape(ctx, &args[0].t, a, 2, square));
  TSR_TRY(tsr_reshape(ctx, &args[1].t, b, 1, &cols));
  args[0] = tsr_from_obj(args[0].t), args[1] = tsr_from_obj(args[1].t);
  TSR_TRY(call1(ctx, &out, "aten::linalg_solve", "", args, 3));
  TSR_TRY(tsr_reshape(ctx, &out, out, nx, x_size));
  return tsr_ret_tensor(c, 0, out);
}

TSR_KERNEL(tensorinv) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *a = tsr_arg_tensor(c, 0), *out;
  int64_t ind = tsr_arg_int(c, 1), size[TSR_MAX_NDIM];
  TSR_TRY(tsr_out_castable(c, 0, (tsr_dtype)a->dtype, "tensorinv", "result"));
  if (ind <= 0) return tsr_op_fail(ctx, "Expected a strictly positive integer for 'ind', but got %lld", (long long)ind);
  if (ind > a->ndim) return tsr_op_fail(ctx, "ArrayRef: invalid slice, N = %lld; size = %d", (long long)ind, a->ndim);
  int64_t rows = product(a->size, (int)ind), cols = product(a->size + ind, a->ndim - (int)ind), square[] = {rows, cols};
  if (rows != cols) return tsr_op_fail(ctx, "Expected self to satisfy the requirement prod(self.shape[ind:]) == prod(self.shape[:ind]), but got %lld != %lld", (long long)cols, (long long)rows);
  for (int d = 0; d < a->ndim; d++) size[d] = a->size[(d + ind) % a->ndim];
  TSR_TRY(tsr_reshape(ctx, &out, a, 2, square));
  tsr_val args[] = {tsr_from_obj(out), tsr_bool(false)}, rets[2];
  TSR_TRY(tsr_invoke(ctx, tsr_op_get("aten::linalg_inv_ex", ""), args, 2, rets, 2));
  TSR_TRY(tsr_mats_info(ctx, out, 0, *(const int *)tsr_tensor_data_ro(rets[1].t), "inv", "The diagonal element %d is zero, the inversion could not be completed because the input matrix is singular."));
  TSR_TRY(tsr_reshape(ctx, &out, rets[0].t, a->ndim, size));
  return tsr_ret_tensor(c, 0, out);
}

/* ---- weight normalisation ---- */

/* The norm over every dimension but dim, kept as size 1; dim -1: over all of them. */
static tsr_status norm_except(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *v, double p, int64_t dim) {
  if (!tsr_dtype_is_float((tsr_dtype)v->dtype) && !tsr_dtype_is_complex((tsr_dtype)v->dtype))
    return tsr_op_fail(ctx, "norm(): input dtype should be either floating point or complex. Got %s instead.", tsr_dtype_get_info(v->dtype)->cpp_name);
  int64_t dims[TSR_MAX_NDIM], keep;
  int n = 0;
  if (dim == -1) return vector_norm(ctx, out, v, tsr_float(p), tsr_none(), false, tsr_none());
  TSR_TRY(tsr_wrap_dim(ctx, dim, v->ndim, &keep));
  for (int d = 0; d < v->ndim; d++) {
    if (d != keep) dims[n++] = d;
  }
  if (n == 0) { /* nothing to sum over: absolute values */
    return tsr_unary(ctx, out, "abs", v);
  }
  tsr_val list;
  TSR_TRY(int_list(ctx, &list, dims, n));
  return vector_norm(ctx, out, v, tsr_float(p), list, true, tsr_none());
}

TSR_KERNEL(norm_except_dim) {
  tsr_tensor *out;
  TSR_TRY(norm_except(c->ctx, &out, tsr_arg_tensor(c, 0), (double)tsr_arg_int(c, 1), tsr_arg_int(c, 2)));
  return tsr_ret_tensor(c, 0, out);
}

#define P TSR_PURE
#define O TSR_OUT
#define REST "int[1]? dim=None, bool keepdim=False, *, ScalarType? dtype=None"
#define MREST "int[] dim=[-2, -1], bool keepdim=False, *, ScalarType? dtype=None"
const tsr_op tsr_ops_linalg_norm[] = {
    {"aten::norm_except_dim(Tensor v, int pow=2, int dim=0) -> Tensor", op_norm_except_dim, P},
    {"aten::linalg_norm(Tensor self, Scalar? ord=None, " REST ") -> Tensor", op_norm, P},
    {"aten::linalg_norm.ord_str(Tensor self, str ord, " REST ") -> Tensor", op_norm, P},
    {"aten::linalg_norm.out(Tensor self, Scalar? ord=None, " REST ", Tensor(a!) out) -> Tensor(a!)", op_norm, O},
    {"aten::linalg_norm.ord_str_out(Tensor self, str ord, " REST ", Tensor(a!) out) -> Tensor(a!)", op_norm, O},
    {"aten::linalg_matrix_norm(Tensor self, Scalar ord, " MREST ") -> Tensor", op_matrix_norm, P},
    {"aten::linalg_matrix_norm.str_ord(Tensor self, str ord=\"fro\", " MREST ") -> Tensor", op_matrix_norm, P},
    {"aten::linalg_matrix_norm.out(Tensor self, Scalar ord, " MREST ", Tensor(a!) out) -> Tensor(a!)", op_matrix_norm, O},
    {"aten::linalg_matrix_norm.str_ord_out(Tensor self, str ord=\"fro\", " MREST ", Tensor(a!) out) -> Tensor(a!)", op_matrix_norm, O},
    {"aten::nuclear_norm(Tensor self, bool keepdim=False) -> Tensor", op_nuclear_norm, P},
    {"aten::nuclear_norm.dim(Tensor self, int[2] dim, bool keepdim=False) -> Tensor", op_nuclear_norm, P},
    {"aten::nuclear_norm.out(Tensor self, bool keepdim=False, *, Tensor(a!) out) -> Tensor(a!)", op_nuclear_norm, O},
    {"aten::nuclear_norm.dim_out(Tensor self, int[2] dim, bool keepdim=False, *, Tensor(a!) out) -> Tensor(a!)", op_nuclear_norm, O},
    {"aten::linalg_cond(Tensor self, Scalar? p=None) -> Tensor", op_cond, P}, {"aten::linalg_cond.p_str(Tensor self, str p) -> Tensor", op_cond, P},
    {"aten::linalg_cond.out(Tensor self, Scalar? p=None, *, Tensor(a!) out) -> Tensor(a!)", op_cond, TSR_OUT_PLAIN},
    {"aten::linalg_cond.p_str_out(Tensor self, str p, *, Tensor(a!) out) -> Tensor(a!)", op_cond, TSR_OUT_PLAIN},
    {"aten::linalg_matrix_power(Tensor self, int n) -> Tensor", op_matrix_power, P}, {"aten::matrix_power(Tensor self, int n) -> Tensor", op_matrix_power, P},
    {"aten::linalg_matrix_power.out(Tensor self, int n, *, Tensor(a!) out) -> Tensor(a!)", op_matrix_power, TSR_OUT_PLAIN},
    {"aten::matrix_power.out(Tensor self, int n, *, Tensor(a!) out) -> Tensor(a!)", op_matrix_power, TSR_OUT_PLAIN},
    {"aten::linalg_matrix_exp(Tensor self) -> Tensor", op_matrix_exp, P}, {"aten::matrix_exp(Tensor self) -> Tensor", op_matrix_exp, P},
    {"aten::linalg_matrix_exp.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", op_matrix_exp, TSR_OUT_NEW},
    {"aten::linalg_cross(Tensor self, Tensor other, *, int dim=-1) -> Tensor", op_linalg_cross, P},
    {"aten::linalg_cross.out(Tensor self, Tensor other, *, int dim=-1, Tensor(a!) out) -> Tensor(a!)", op_linalg_cross, TSR_OUT_SAME},
    {"aten::cross(Tensor self, Tensor other, int? dim=None) -> Tensor", op_linalg_cross, P}, {"aten::cross.out(Tensor self, Tensor other, int? dim=None, *, Tensor(a!) out) -> Tensor(a!)", op_linalg_cross, TSR_OUT_SAME},
    {"aten::linalg_vecdot(Tensor x, Tensor y, *, int dim=-1) -> Tensor", op_vecdot, P}, {"aten::linalg_vecdot.out(Tensor x, Tensor y, *, int dim=-1, Tensor(a!) out) -> Tensor(a!)", op_vecdot, O},
    {"aten::linalg_tensorsolve(Tensor self, Tensor other, int[]? dims=None) -> Tensor", op_tensorsolve, P},
    {"aten::linalg_tensorsolve.out(Tensor self, Tensor other, int[]? dims=None, *, Tensor(a!) out) -> Tensor(a!)", op_tensorsolve, TSR_OUT_PLAIN},
    {"aten::linalg_tensorinv(Tensor self, int ind=2) -> Tensor", op_tensorinv, P}, {"aten::linalg_tensorinv.out(Tensor self, int ind=2, *, Tensor(a!) out) -> Tensor(a!)", op_tensorinv, TSR_OUT_PLAIN},
    {0}};
