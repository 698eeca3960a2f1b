/* Reductions along one dimension that say where: max, min, argmax, argmin, aminmax. */
#include <math.h>
#include <stdio.h>

#include "ops/pointwise.h"
#include "ops/reduce.h"

/* A tensor as (outer, n, inner) around one dimension, contiguous in its compute type's dtype. */
typedef struct lines { int64_t outer, n, inner; } lines;

static lines lines_of(const tsr_tensor *x, int64_t dim) {
  lines l = {1, x->ndim ? x->size[dim] : 1, 1};
  for (int d = 0; d < x->ndim; d++) {
    if (d < dim) l.outer *= x->size[d];
    else if (d > dim) l.inner *= x->size[d];
  }
  return l;
}

typedef struct find_job {
  lines l;
  tsr_ct ct;
  const void *x;
  int64_t *index;
  bool max;
} find_job;

/* First position of the extreme among n elements `step` apart; a NaN beats everything. */
#define FIND(name, T)                                                                     \
  static int64_t name(const T *x, int64_t n, int64_t step, bool max) {                    \
    int64_t best = 0;                                                                     \
    T b = x[0];                                                                           \
    for (int64_t i = 1; i < n && b == b; i++) {                                           \
      T v = x[i * step];                                                                  \
      if (v != v || (max ? v > b : v < b)) {                                              \
        b = v;                                                                            \
        best = i;                                                                         \
      }                                                                                   \
    }                                                                                     \
    return best;                                                                          \
  }
FIND(find_f32, float)
FIND(find_f64, double)
FIND(find_i64, int64_t)

/* Long adjacent float32 lines: the extreme by vectors, then where it is. */
static int64_t find_f32_run(const float *x, int64_t n, bool max) {
  double v;
  tsr_red_get(max ? TSR_RED_max : TSR_RED_min, TSR_CT_F32)->run(&v, x, n, 0, 0);
  float f = (float)v;
  for (int64_t i = 0; i < n; i++)
    if (x[i] == f || (f != f && x[i] != x[i])) return i;
  return 0;
}

static void find_range(void *arg, int64_t begin, int64_t end) {
  const find_job *j = arg;
  for (int64_t u = begin; u < end; u++) {
    int64_t o = u / j->l.inner * j->l.n * j->l.inner + u % j->l.inner;
    if (j->ct == TSR_CT_F32)
      j->index[u] = j->l.inner == 1 && j->l.n >= 32 ? find_f32_run((const float *)j->x + o, j->l.n, j->max) : find_f32((const float *)j->x + o, j->l.n, j->l.inner, j->max);
    else if (j->ct == TSR_CT_F64) j->index[u] = find_f64((const double *)j->x + o, j->l.n, j->l.inner, j->max);
    else j->index[u] = find_i64((const int64_t *)j->x + o, j->l.n, j->l.inner, j->max);
  }
}

static tsr_dtype native_dtype(tsr_ct ct) { return ct == TSR_CT_F32 ? TSR_FLOAT32 : ct == TSR_CT_F64 ? TSR_FLOAT64 : TSR_INT64; }

/* idx[outer, inner] of x along dim; in is x as it was searched. */
static tsr_status find(tsr_ctx *ctx, tsr_tensor **idx, tsr_tensor *x, int64_t dim, bool keepdim, bool max) {
  bool mask[TSR_MAX_NDIM] = {false};
  int64_t size[TSR_MAX_NDIM];
  tsr_tensor *in;
  find_job j = {.l = lines_of(x, dim), .ct = tsr_ct_of((tsr_dtype)x->dtype), .max = max};
  if (x->ndim) mask[dim] = true;
  int n = tsr_reduce_shape(x, mask, keepdim, size);
  TSR_TRY(tsr_new(ctx, idx, TSR_INT64, n, size));
  if ((*idx)->numel == 0) return TSR_OK;
  TSR_TRY(tsr_ready(ctx, &in, x, native_dtype(j.ct)));
  j.x = tsr_tensor_data_ro(in);
  j.index = (*idx)->storage->data;
  int64_t grain = TSR_MAX(16384 / j.l.n, 1);
  if ((*idx)->numel <= grain) find_range(&j, 0, (*idx)->numel);
  else tsr_parallel_for(ctx, (*idx)->numel, grain, find_range, &j);
  return TSR_OK;
}

static tsr_status check_line(tsr_ctx *ctx, const tsr_tensor *x, int64_t dim, const char *name, const char *paren) {
  if (x->ndim && x->size[dim] == 0) return tsr_op_fail(ctx, "%s%s: Expected reduction dim %lld to have non-zero size.", name, paren, (long long)dim);
  return TSR_OK;
}

/* The elements at those positions. */
static tsr_status pick(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, int64_t dim, const tsr_tensor *idx) {
  lines l = lines_of(x, dim);
  tsr_tensor *in;
  TSR_TRY(tsr_contiguous(ctx, &in, x));
  TSR_TRY(tsr_new(ctx, out, (tsr_dtype)x->dtype, idx->ndim, idx->size));
  size_t item = tsr_tensor_itemsize(x);
  const int64_t *at = tsr_tensor_data_ro(idx);
  const char *src = tsr_tensor_data_ro(in);
  char *dst = (*out)->storage->data;
  for (int64_t u = 0; u < idx->numel; u++)
    memcpy(dst + (size_t)u * item, src + (size_t)(u / l.inner * l.n * l.inner + at[u] * l.inner + u % l.inner) * item, item);
  return TSR_OK;
}

static const bool is_max = true, is_min = false;

TSR_KERNEL(extreme_dim) {
  bool max = *(const bool *)c->op->data;
  const char *name = max ? "max" : "min";
  tsr_tensor *x = tsr_arg_tensor(c, 0), *v, *i;
  int64_t dim;
  TSR_TRY(tsr_wrap_dim(c->ctx, tsr_arg_int(c, 1), x->ndim, &dim));
  if (tsr_dtype_is_complex((tsr_dtype)x->dtype)) return tsr_op_fail(c->ctx, "%s(): does not support complex input", name);
  TSR_TRY(check_line(c->ctx, x, dim, name, "()"));
  TSR_TRY(find(c->ctx, &i, x, dim, tsr_arg_bool(c, 2), max));
  TSR_TRY(pick(c->ctx, &v, x, dim, i));
  TSR_TRY(tsr_ret_tensor(c, 0, v));
  return tsr_ret_tensor(c, 1, i);
}

TSR_KERNEL(arg_extreme) {
  bool max = *(const bool *)c->op->data;
  const char *name = max ? "argmax" : "argmin";
  tsr_tensor *x = tsr_arg_tensor(c, 0), *i;
  int64_t dim = 0, numel = x->numel;
  bool whole = tsr_arg_is_none(c, 1), keepdim = tsr_arg_bool(c, 2);
  if (!whole) TSR_TRY(tsr_wrap_dim(c->ctx, tsr_arg_int(c, 1), x->ndim, &dim));
  if (x->dtype == TSR_BOOL || tsr_dtype_is_complex((tsr_dtype)x->dtype))
    return tsr_op_fail(c->ctx, "%s(): does not support %s input", name, x->dtype == TSR_BOOL ? "bool" : "complex");
  if (!whole) TSR_TRY(check_line(c->ctx, x, dim, name, "()"));
  else if (x->numel == 0) return tsr_op_fail(c->ctx, "%s(): Expected reduction dim to be specified for input.numel() == 0.", name);
  if (!whole) TSR_TRY(find(c->ctx, &i, x, dim, keepdim, max));
  else {
    int64_t ones[TSR_MAX_NDIM];
    tsr_tensor *flat;
    TSR_TRY(tsr_reshape(c->ctx, &flat, x, 1, &numel));
    TSR_TRY(find(c->ctx, &i, flat, 0, false, max));
    for (int d = 0; d < x->ndim; d++) ones[d] = 1;
    if (keepdim) TSR_TRY(tsr_reshape(c->ctx, &i, i, x->ndim, ones));
  }
  return tsr_ret_tensor(c, 0, i);
}

/* aminmax(self, *, dim, keepdim) */
TSR_KERNEL(aminmax) {
  static const char *const ops[2] = {"amin", "amax"};
  tsr_tensor *x = tsr_arg_tensor(c, 0), *y;
  bool whole = c->nargs < 2 || tsr_arg_is_none(c, 1), keepdim = c->nargs > 2 && tsr_arg_bool(c, 2);
  int64_t dim = 0, all[TSR_MAX_NDIM];
  if (!whole) {
    TSR_TRY(tsr_wrap_dim(c->ctx, tsr_arg_int(c, 1), x->ndim, &dim));
    TSR_TRY(check_line(c->ctx, x, dim, "aminmax", ""));
  } else if (x->numel == 0) return tsr_op_fail(c->ctx, "aminmax(): cannot compute aminmax over an empty dimension as the operation has no identity.");
  if (tsr_dtype_is_complex((tsr_dtype)x->dtype)) return tsr_not_implemented(c->ctx, whole ? "aminmax_cpu" : "aminmax_cpu", (tsr_dtype)x->dtype);
  for (int d = 0; d < x->ndim; d++) all[d] = d;
  for (uint32_t k = 0; k < 2; k++) {
    TSR_TRY(tsr_reduce(c->ctx, &y, ops[k], x, whole ? x->ndim : x->ndim ? 1 : 0, whole ? all : &dim, keepdim, -1));
    TSR_TRY(tsr_ret_tensor(c, k, y));
  }
  return TSR_OK;
}

const tsr_op tsr_ops_reduce_index[] = {
    {"aten::max.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)", op_extreme_dim, TSR_PURE, &is_max},
    {"aten::max.dim_max(Tensor self, int dim, bool keepdim=False, *, Tensor(a!) max, Tensor(b!) max_values) -> (Tensor(a!) values, Tensor(b!) indices)",
     op_extreme_dim, TSR_OUT_SAME, &is_max},
    {"aten::min.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)", op_extreme_dim, TSR_PURE, &is_min},
    {"aten::min.dim_min(Tensor self, int dim, bool keepdim=False, *, Tensor(a!) min, Tensor(b!) min_indices) -> (Tensor(a!) values, Tensor(b!) indices)",
     op_extreme_dim, TSR_OUT_SAME, &is_min},
    {"aten::argmax(Tensor self, int? dim=None, bool keepdim=False) -> Tensor", op_arg_extreme, TSR_PURE, &is_max},
    {"aten::argmax.out(Tensor self, int? dim=None, bool keepdim=False, *, Tensor(a!) out) -> Tensor(a!)", op_arg_extreme, TSR_OUT_SAME, &is_max},
    {"aten::argmin(Tensor self, int? dim=None, bool keepdim=False) -> Tensor", op_arg_extreme, TSR_PURE, &is_min},
    {"aten::argmin.out(Tensor self, int? dim=None, bool keepdim=False, *, Tensor(a!) out) -> Tensor(a!)", op_arg_extreme, TSR_OUT_SAME, &is_min},
    {"aten::aminmax(Tensor self, *, int? dim=None, bool keepdim=False) -> (Tensor min, Tensor max)", op_aminmax, TSR_PURE},
    {"aten::aminmax.out(Tensor self, *, int? dim=None, bool keepdim=False, Tensor(a!) min, Tensor(b!) max) -> (Tensor(a!) min, Tensor(b!) max)",
     op_aminmax, TSR_OUT_SAME},
    {"aten::_aminmax(Tensor self) -> (Tensor, Tensor)", op_aminmax, TSR_PURE},
    {"aten::_aminmax.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor, Tensor)", op_aminmax, TSR_PURE},
    {"aten::_aminmax.out(Tensor self, *, Tensor(a!) out0, Tensor(b!) out1) -> (Tensor(a!), Tensor(b!))", op_aminmax, TSR_OUT_NEW},
    {"aten::_aminmax.dim_out(Tensor self, int dim, bool keepdim=False, *, Tensor(a!) out0, Tensor(b!) out1) -> (Tensor(a!), Tensor(b!))",
     op_aminmax, TSR_OUT_NEW},
    {0},
};
