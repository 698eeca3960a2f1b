/* Distances between vectors: cdist, pdist, dist, pairwise_distance, cosine_similarity. */
#include <math.h>

#include "ops/native.h"

/* The p-norm of a - b over n elements. */
static double distance(const double *a, const double *b, int64_t n, double p) {
  double sum = 0;
  for (int64_t i = 0; i < n; i++) {
    double d = fabs(a[i] - b[i]);
    if (p == 2) sum += d * d;
    else if (p == 1) sum += d;
    else if (p == 0) sum += isnan(d) ? d : d != 0;
    else if (isinf(p)) sum = d > sum || isnan(d) ? d : sum;
    else sum += pow(d, p);
  }
  return p == 2 ? sqrt(sum) : p == 0 || p == 1 || isinf(p) ? sum : pow(sum, 1 / p);
}

typedef struct grid { const double *a, *b; double *out; int64_t rows, cols, n; double p; } grid;

static void grid_rows(void *arg, int64_t begin, int64_t end) {
  const grid *g = arg;
  for (int64_t r = begin; r < end; r++) {
    const double *b = g->b + r / g->rows * g->cols * g->n;
    for (int64_t c = 0; c < g->cols; c++) g->out[r * g->cols + c] = distance(g->a + r * g->n, b + c * g->n, g->n, g->p);
  }
}

/* sqrt(|a|² - 2 a·b + |b|²), not below zero, as one product of widened matrices. */
TSR_KERNEL(euclidean_dist) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *x[2] = {tsr_arg_tensor(c, 0), tsr_arg_tensor(c, 1)}, *parts[2][3], *y;
  int64_t last = -1;
  bool widen = x[0]->dtype == TSR_FLOAT32 && x[1]->dtype == TSR_FLOAT32; /* the difference of large squares */
  for (int k = 0; k < 2; k++) {
    if (widen) TSR_TRY(tsr_to_dtype(ctx, &x[k], x[k], TSR_FLOAT64));
    tsr_tensor **norm = &parts[k][1 + k], **ones = &parts[k][2 - k];
    TSR_TRY(tsr_binary(ctx, norm, "mul", x[k], x[k]));
    TSR_TRY(tsr_reduce(ctx, norm, "sum", *norm, 1, &last, true, -1));
    TSR_TRY(tsr_new(ctx, ones, (tsr_dtype)(*norm)->dtype, (*norm)->ndim, (*norm)->size));
    TSR_TRY(tsr_fill(ctx, *ones, tsr_scalar_int(1)));
    parts[k][0] = x[k];
    if (k == 0) TSR_TRY(tsr_binary_scalar(ctx, &parts[0][0], "mul", x[0], tsr_scalar_int(-2)));
    TSR_TRY(tsr_cat(ctx, &x[k], parts[k], 3, -1));
  }
  TSR_TRY(tsr_transpose(ctx, &x[1], x[1], -1, -2));
  TSR_TRY(tsr_matmul(ctx, &y, x[0], x[1]));
  tsr_val args[] = {tsr_from_obj(y), tsr_int(0)}, ret;
  TSR_TRY(tsr_invoke(ctx, tsr_op_get("aten::clamp_min", ""), args, 2, &ret, 1));
  TSR_TRY(tsr_unary(ctx, &y, "sqrt", ret.t));
  if (widen) TSR_TRY(tsr_to_dtype(ctx, &y, y, TSR_FLOAT32));
  return tsr_ret_tensor(c, 0, y);
}

static tsr_status need_float(tsr_ctx *ctx, const tsr_tensor *x, const char *name) {
  if (tsr_dtype_is_float((tsr_dtype)x->dtype)) return TSR_OK;
  return tsr_op_fail(ctx, "cdist only supports floating-point dtypes, %s got: %s", name, tsr_dtype_get_info(x->dtype)->cpp_name);
}

static tsr_status expand_batch(tsr_ctx *ctx, tsr_tensor **t, int n, const int64_t *batch) {
  int64_t size[TSR_MAX_NDIM];
  memcpy(size, batch, (size_t)n * sizeof *size);
  size[n] = (*t)->size[(*t)->ndim - 2];
  size[n + 1] = (*t)->size[(*t)->ndim - 1];
  return tsr_expand(ctx, t, *t, n + 2, size);
}

TSR_KERNEL(cdist) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *a = tsr_arg_tensor(c, 0), *b = tsr_arg_tensor(c, 1), *out;
  double p = tsr_arg_float(c, 2);
  int64_t batch[TSR_MAX_NDIM];
  int n;
  tsr_dtype dtype = (tsr_dtype)a->dtype;
  if (a->ndim < 2) return tsr_op_fail(ctx, "cdist only supports at least 2D tensors, X1 got: %dD", a->ndim);
  if (b->ndim < 2) return tsr_op_fail(ctx, "cdist only supports at least 2D tensors, X2 got: %dD", b->ndim);
  if (a->size[a->ndim - 1] != b->size[b->ndim - 1]) {
    return tsr_op_fail(ctx, "X1 and X2 must have the same number of columns. X1: %lld X2: %lld", (long long)a->size[a->ndim - 1], (long long)b->size[b->ndim - 1]);
  }
  TSR_TRY(need_float(ctx, a, "X1"));
  TSR_TRY(need_float(ctx, b, "X2"));
  if (p < 0) return tsr_op_fail(ctx, "cdist only supports non-negative p values");
  int64_t mode = tsr_arg_int_or(c, 3, 0), rows = TSR_MAX(a->size[a->ndim - 2], b->size[b->ndim - 2]);
  if (mode < 0 || mode > 2) return tsr_op_fail(ctx, "possible modes: 0, 1, 2, but was: %lld", (long long)mode);
  bool product = p == 2 && (mode == 1 || (mode == 0 && rows > 25));
  TSR_TRY(tsr_broadcast_sizes(ctx, a->ndim - 2, a->size, b->ndim - 2, b->size, &n, batch));
  TSR_TRY(expand_batch(ctx, &a, n, batch));
  TSR_TRY(expand_batch(ctx, &b, n, batch));
  bool empty = a->numel == 0 || b->numel == 0;
  if (!empty && a->dtype != b->dtype) {
    if (!product && dtype != TSR_FLOAT32 && dtype != TSR_FLOAT64) return tsr_op_fail(ctx, "\"cdist\" not implemented for '%s'", tsr_dtype_get_info(dtype)->cpp_name);
    return product ? tsr_op_fail(ctx, "expected m1 and m2 to have the same dtype, but got: %s != %s", tsr_dtype_c_name(dtype), tsr_dtype_c_name((tsr_dtype)b->dtype))
                   : tsr_op_fail(ctx, "expected scalar type %s but found %s", tsr_dtype_get_info(dtype)->cpp_name, tsr_dtype_get_info(b->dtype)->cpp_name);
  }
  if (product && !empty && (dtype == TSR_FLOAT16 || dtype == TSR_BFLOAT16)) { /* whose sums of squares overflow or round as PyTorch's; wider ones are more exact below */
    tsr_val args[] = {tsr_from_obj(a), tsr_from_obj(b)}, ret;
    TSR_TRY(tsr_invoke(ctx, tsr_op_get("aten::_euclidean_dist", ""), args, 2, &ret, 1));
    return tsr_ret_tensor(c, 0, ret.t);
  }
  TSR_TRY(tsr_ready(ctx, &a, a, TSR_FLOAT64));
  TSR_TRY(tsr_ready(ctx, &b, b, TSR_FLOAT64));
  batch[n] = a->size[n];
  batch[n + 1] = b->size[n];
  TSR_TRY(tsr_new(ctx, &out, TSR_FLOAT64, n + 2, batch));
  grid g = {tsr_tensor_data_ro(a), tsr_tensor_data_ro(b), out->storage->data, a->size[n], b->size[n], a->size[n + 1], p};
  if (out->numel > 0) tsr_parallel_for(ctx, out->numel / g.cols, TSR_MAX((int64_t)1, 20000 / (g.cols * TSR_MAX(g.n, (int64_t)1) + 1)), grid_rows, &g);
  TSR_TRY(tsr_to_dtype(ctx, &out, out, dtype));
  return tsr_ret_tensor(c, 0, out);
}

TSR_KERNEL(pdist) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *a = tsr_arg_tensor(c, 0), *out;
  double p = tsr_arg_float(c, 1);
  tsr_dtype dtype = (tsr_dtype)a->dtype;
  bool inner = c->op->data != NULL;
  if (inner && !tsr_tensor_is_contiguous(a)) return tsr_op_fail(ctx, "_pdist_forward requires contiguous input");
  if (!inner && a->ndim != 2) return tsr_op_fail(ctx, "pdist only supports 2D tensors, got: %dD", a->ndim);
  if (a->ndim == 0) return tsr_op_fail(ctx, "Dimension specified as 0 but tensor has no dimensions");
  int64_t rows = a->size[0], n = rows < 2 ? 1 : a->ndim > 1 ? a->size[1] : -1, count = rows > 1 ? rows * (rows - 1) / 2 : 0;
  if (n < 0) return tsr_op_fail(ctx, "Dimension out of range (expected to be in range of [-1, 0], but got 1)");
  if (inner && count == 0) {
    TSR_TRY(tsr_new(ctx, &out, dtype, 1, &count));
    return tsr_ret_tensor(c, 0, out);
  }
  if (!tsr_dtype_is_float(dtype)) return inner ? tsr_op_fail(ctx, "\"pdist\" not implemented for '%s'", tsr_dtype_get_info(dtype)->cpp_name) : tsr_op_fail(ctx, "pdist only supports floating-point dtypes");
  if (p < 0 && !inner) return tsr_op_fail(ctx, "pdist only supports non-negative p values");
  TSR_TRY(tsr_ready(ctx, &a, a, TSR_FLOAT64));
  TSR_TRY(tsr_new(ctx, &out, TSR_FLOAT64, 1, &count));
  const double *x = tsr_tensor_data_ro(a);
  double *y = out->storage->data;
  int64_t all = n > 0 ? a->numel / n : rows; /* more rows than counted when there are more dimensions */
  for (int64_t i = 0, done = 0; done < count; i++) {
    for (int64_t j = i + 1; j < all && done < count; j++) y[done++] = distance(x + i * n, x + j * n, n, p);
  }
  TSR_TRY(tsr_to_dtype(ctx, &out, out, dtype));
  return tsr_ret_tensor(c, 0, out);
}

static tsr_status vector_norm(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, tsr_val p, tsr_val dims, bool keepdim) {
  tsr_val args[] = {tsr_from_obj(x), p, dims, tsr_bool(keepdim), tsr_none()}, ret;
  TSR_TRY(tsr_invoke(ctx, tsr_op_get("aten::linalg_vector_norm", ""), args, 5, &ret, 1));
  *out = ret.t;
  return TSR_OK;
}

static tsr_status one_dim(tsr_ctx *ctx, tsr_val *out, int64_t dim) {
  tsr_list *l = tsr_list_new(ctx->mem, &tsr_type_int, 1);
  if (l == NULL) return tsr_ctx_nomem(ctx);
  tsr_list_push_take(l, tsr_int(dim));
  *out = tsr_from_obj(l);
  return tsr_temp(ctx, *out);
}

TSR_KERNEL(dist) {
  tsr_tensor *d;
  TSR_TRY(tsr_binary(c->ctx, &d, "sub", tsr_arg_tensor(c, 0), tsr_arg_tensor(c, 1)));
  TSR_TRY(vector_norm(c->ctx, &d, d, c->args[2], tsr_none(), false));
  return tsr_ret_tensor(c, 0, d);
}

TSR_KERNEL(pairwise_distance) {
  tsr_tensor *d;
  tsr_val dims;
  TSR_TRY(one_dim(c->ctx, &dims, -1));
  TSR_TRY(tsr_binary(c->ctx, &d, "sub", tsr_arg_tensor(c, 0), tsr_arg_tensor(c, 1)));
  TSR_TRY(tsr_binary_scalar(c->ctx, &d, "add", d, tsr_scalar_float(tsr_arg_float(c, 3))));
  TSR_TRY(vector_norm(c->ctx, &d, d, c->args[2], dims, tsr_arg_bool(c, 4)));
  return tsr_ret_tensor(c, 0, d);
}

/* sum((x1 / max(|x1|, eps)) * (x2 / max(|x2|, eps))) */
TSR_KERNEL(cosine_similarity) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *x[2] = {tsr_arg_tensor(c, 0), tsr_arg_tensor(c, 1)}, *norm, *out;
  int64_t dim = tsr_arg_int(c, 2), size[TSR_MAX_NDIM];
  int n;
  tsr_val dims;
  tsr_dtype dtype = tsr_result_type(x, 2);
  if (tsr_arg_float(c, 3) < 0) return tsr_op_fail(ctx, "eps must be non-negative, got: %g", tsr_arg_float(c, 3));
  if (!tsr_dtype_is_float(dtype) && !tsr_dtype_is_complex(dtype)) return tsr_op_fail(ctx, "expected common dtype to be floating point, yet common dtype is %s", tsr_dtype_get_info((int)dtype)->cpp_name);
  TSR_TRY(tsr_broadcast_sizes(ctx, x[0]->ndim, x[0]->size, x[1]->ndim, x[1]->size, &n, size));
  TSR_TRY(one_dim(ctx, &dims, dim));
  for (int k = 0; k < 2; k++) {
    TSR_TRY(tsr_to_dtype(ctx, &x[k], x[k], dtype));
    TSR_TRY(tsr_expand(ctx, &x[k], x[k], n, size));
    TSR_TRY(vector_norm(ctx, &norm, x[k], tsr_float(2), dims, true));
    tsr_val args[] = {tsr_from_obj(norm), tsr_float(tsr_arg_float(c, 3))}, ret;
    TSR_TRY(tsr_invoke(ctx, tsr_op_get("aten::clamp_min", ""), args, 2, &ret, 1));
    TSR_TRY(tsr_binary(ctx, &x[k], "div", x[k], ret.t));
  }
  TSR_TRY(tsr_binary(ctx, &out, "mul", x[0], x[1]));
  TSR_TRY(tsr_reduce(ctx, &out, "sum", out, 1, &dim, false, -1));
  return tsr_ret_tensor(c, 0, out);
}

/* ---- the cheapest order of a chain of products ---- */

static tsr_status multiply_chain(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor **ts, const int *split, int n, int i, int j) {
  tsr_tensor *a, *b;
  if (i == j) {
    *out = ts[i];
    return TSR_OK;
  }
  int k = split[i * n + j];
  TSR_TRY(multiply_chain(ctx, &a, ts, split, n, i, k));
  TSR_TRY(multiply_chain(ctx, &b, ts, split, n, k + 1, j));
  return tsr_matmul(ctx, out, a, b);
}

TSR_KERNEL(multi_dot) {
  tsr_ctx *ctx = c->ctx;
  int64_t count;
  tsr_tensor **ts = tsr_arg_tensors(c, 0, &count), *out;
  if (ts == NULL) return ctx->err.status;
  bool chain = strncmp(c->op->schema, "aten::chain", 11) == 0;
  for (int64_t i = 0; chain && i < count; i++) {
    if (ts[i]->ndim != 2) return tsr_op_fail(ctx, "Tensor dimension is %d, expected 2 instead.", ts[i]->ndim);
  }
  if (chain && count == 0) return tsr_op_fail(ctx, "chain_matmul(): Expected one or more matrices");
  if (chain && count == 1) {
    TSR_TRY(tsr_clone(ctx, &out, ts[0]));
    return tsr_ret_tensor(c, 0, out);
  }
  if (count < 2) return tsr_op_fail(ctx, "multi_dot(): expected at least 2 tensors but got %lld", (long long)count);
  if (count > 500) return tsr_op_fail(ctx, "multi_dot(): too many tensors");
  int n = (int)count;
  bool first = ts[0]->ndim == 1, last = ts[n - 1]->ndim == 1;
  for (int i = 0; i < n; i = i + TSR_MAX(n - 1, 1)) {
    if (ts[i]->ndim < 1 || ts[i]->ndim > 2) return tsr_op_fail(ctx, "multi_dot(): the %s tensor must be 1D or 2D but got %dD", i == 0 ? "first" : "last", ts[i]->ndim);
  }
  if (first) TSR_TRY(tsr_unsqueeze(ctx, &ts[0], ts[0], 0));
  if (last) TSR_TRY(tsr_unsqueeze(ctx, &ts[n - 1], ts[n - 1], -1));
  double *size = tsr_scratch(ctx, ((size_t)n + 1) * sizeof *size), *cost = tsr_scratch(ctx, (size_t)n * (size_t)n * sizeof *cost);
  int *split = tsr_scratch(ctx, (size_t)n * (size_t)n * sizeof *split);
  if (size == NULL || cost == NULL || split == NULL) return ctx->err.status;
  for (int i = 0; i < n; i++) {
    if (ts[i]->ndim != 2) return tsr_op_fail(ctx, "multi_dot(): tensor %d must be 2D but got %dD", i, ts[i]->ndim);
    if (ts[i]->dtype != ts[0]->dtype) {
      return tsr_op_fail(ctx, "multi_dot(): all tensors must have be the same dtype but tensor 0 is %s and tensor %d %s", tsr_dtype_c_name((tsr_dtype)ts[0]->dtype), i, tsr_dtype_c_name((tsr_dtype)ts[i]->dtype));
    }
    if (i > 0 && ts[i - 1]->size[1] != ts[i]->size[0]) {
      tsr_tensor **given = tsr_arg_tensors(c, 0, &count);
      char sizes[2][64];
      for (int k = 0; k < 2 && given != NULL; k++) tsr_sizes_print(sizes[k], sizeof sizes[k], given[i - 1 + k]->ndim, given[i - 1 + k]->size);
      return given == NULL ? ctx->err.status : tsr_op_fail(ctx, "multi_dot(): tensors %d and %d with shapes %s and %s cannot be multiplied", i - 1, i, sizes[0], sizes[1]);
    }
    size[i] = (double)ts[i]->size[0];
    size[i + 1] = (double)ts[i]->size[1];
  }
  tsr_dtype got;
  if (tsr_out_dtype(c, 0, &got) && got != (tsr_dtype)ts[0]->dtype)
    return tsr_op_fail(ctx, "multi_dot(): expected out tensor to have dtype %s but got %s", tsr_dtype_c_name((tsr_dtype)ts[0]->dtype), tsr_dtype_c_name(got));
  for (int len = 2; len <= n; len++) {
    for (int i = 0; i + len <= n; i++) {
      int j = i + len - 1;
      cost[i * n + j] = INFINITY;
      for (int k = i; k < j; k++) {
        double total = cost[i * n + k] + cost[(k + 1) * n + j] + size[i] * size[k + 1] * size[j + 1];
        if (total < cost[i * n + j]) cost[i * n + j] = total, split[i * n + j] = k;
      }
    }
  }
  TSR_TRY(multiply_chain(ctx, &out, ts, split, n, 0, n - 1));
  if (first) TSR_TRY(tsr_squeeze_dim(ctx, &out, out, 0));
  if (last) TSR_TRY(tsr_squeeze_dim(ctx, &out, out, -1));
  return tsr_ret_tensor(c, 0, out);
}

#define P TSR_PURE
#define O TSR_OUT
const tsr_op tsr_ops_distance[] = {
    {"aten::cdist(Tensor x1, Tensor x2, float p=2., int? compute_mode=None) -> Tensor", op_cdist, P}, {"aten::_cdist_forward(Tensor x1, Tensor x2, float p, int? compute_mode) -> Tensor", op_cdist, P},
    {"aten::pdist(Tensor self, float p=2.) -> Tensor", op_pdist, P}, {"aten::_pdist_forward(Tensor self, float p=2.) -> Tensor", op_pdist, P, "inner"},
    {"aten::_euclidean_dist(Tensor x1, Tensor x2) -> Tensor", op_euclidean_dist, P}, {"aten::_euclidean_dist.out(Tensor x1, Tensor x2, *, Tensor(a!) out) -> Tensor(a!)", op_euclidean_dist, TSR_OUT_NEW},
    {"aten::dist(Tensor self, Tensor other, Scalar p=2) -> Tensor", op_dist, P}, {"aten::dist.out(Tensor self, Tensor other, Scalar p=2, *, Tensor(a!) out) -> Tensor(a!)", op_dist, TSR_OUT_NEW},
    {"aten::pairwise_distance(Tensor x1, Tensor x2, float p=2., float eps=9.9999999999999995e-07, bool keepdim=False) -> Tensor", op_pairwise_distance, P},
    {"aten::cosine_similarity(Tensor x1, Tensor x2, int dim=1, float eps=1e-08) -> Tensor", op_cosine_similarity, P},
    {"aten::linalg_multi_dot(Tensor[] tensors) -> Tensor", op_multi_dot, P}, {"aten::linalg_multi_dot.out(Tensor[] tensors, *, Tensor(a!) out) -> Tensor(a!)", op_multi_dot, O},
    {"aten::chain_matmul(Tensor[] matrices) -> Tensor", op_multi_dot, P}, {"aten::chain_matmul.out(Tensor[] matrices, *, Tensor(a!) out) -> Tensor(a!)", op_multi_dot, O},
    {0}};
