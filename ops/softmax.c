/* softmax and log_softmax along one dimension. */
#include <math.h>

#include "ops/map.h"
#include "ops/native.h"
#include "ops/pointwise.h"

#define COLS 64
#define GRAIN 16384 /* elements a task */

typedef struct soft_job {
  const void *x;
  void *y;
  int64_t n, inner; /* elements along the dimension; elements after it */
  int64_t bundles;  /* of columns */
  bool log;
} soft_job;

static void rows_f32(void *arg, int64_t begin, int64_t end) {
  const soft_job *j = arg;
  const tsr_map_kernels *k = tsr_map_kernels_best();
  for (int64_t r = begin; r < end; r++) k->softmax_row((float *)j->y + r * j->n, (const float *)j->x + r * j->n, j->n, j->log);
}

static void cols_f32(void *arg, int64_t begin, int64_t end) {
  const soft_job *j = arg;
  const tsr_map_kernels *k = tsr_map_kernels_best();
  for (int64_t u = begin; u < end; u++) {
    int64_t at = u % j->bundles * COLS, off = u / j->bundles * j->n * j->inner + at;
    k->softmax_cols((float *)j->y + off, (const float *)j->x + off, j->n, j->inner, TSR_MIN(COLS, j->inner - at), j->log);
  }
}

static void any_f64(void *arg, int64_t begin, int64_t end) {
  const soft_job *j = arg;
  for (int64_t u = begin; u < end; u++) {
    int64_t off = u / j->inner * j->n * j->inner + u % j->inner;
    const double *x = (const double *)j->x + off;
    double *y = (double *)j->y + off, m = -INFINITY, sum = 0;
    for (int64_t i = 0; i < j->n; i++) m = x[i * j->inner] > m ? x[i * j->inner] : m;
    for (int64_t i = 0; i < j->n; i++) sum += exp(x[i * j->inner] - m);
    double shift = log(sum);
    for (int64_t i = 0; i < j->n; i++) y[i * j->inner] = j->log ? x[i * j->inner] - m - shift : exp(x[i * j->inner] - m) / sum;
  }
}

/* x is float32 or float64, contiguous; so is the result. */
static tsr_status run(tsr_ctx *ctx, tsr_tensor *y, const tsr_tensor *x, int64_t dim, bool log) {
  soft_job j = {.x = tsr_tensor_data_ro(x), .n = x->ndim ? x->size[dim] : 1, .inner = 1, .log = log};
  void *out;
  if (x->numel == 0) return TSR_OK;
  TSR_TRY(tsr_data_mut(ctx, y, &out));
  j.y = out;
  for (int d = (int)dim + 1; d < x->ndim; d++) j.inner *= x->size[d];
  int64_t units = x->numel / j.n, each = j.n;
  void (*fn)(void *, int64_t, int64_t) = any_f64;
  if (x->dtype == TSR_FLOAT32) {
    fn = j.inner == 1 ? rows_f32 : cols_f32;
    j.bundles = (j.inner + COLS - 1) / COLS;
    if (j.inner > 1) {
      units = units / j.inner * j.bundles;
      each *= TSR_MIN(j.inner, COLS);
    }
  }
  int64_t grain = TSR_MAX(GRAIN / each, 1);
  if (units <= grain) fn(&j, 0, units);
  else tsr_parallel_for(ctx, units, grain, fn, &j);
  return TSR_OK;
}

static tsr_status softmax_into(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, int64_t dim, bool log, tsr_dtype result, bool reuse) {
  int64_t d;
  tsr_tensor *in, *y;
  TSR_TRY(tsr_wrap_dim(ctx, dim, x->ndim, &d));
  if (!tsr_dtype_is_float(result)) {
    bool last = d == x->ndim - 1 || x->ndim == 0;
    const char *names[2][2] = {{"softmax_kernel_impl", "softmax_lastdim_kernel_impl"}, {"log_softmax_kernel_impl", "log_softmax_lastdim_kernel_impl"}};
    return tsr_not_implemented(ctx, names[log][last], result);
  }
  tsr_dtype work = result == TSR_FLOAT64 ? TSR_FLOAT64 : TSR_FLOAT32;
  TSR_TRY(tsr_ready(ctx, &in, x, work));
  if (in != x || reuse) y = in;
  else TSR_TRY(tsr_new(ctx, &y, work, in->ndim, in->size));
  TSR_TRY(run(ctx, y, in, d, log));
  return tsr_to_dtype(ctx, out, y, result);
}

tsr_status tsr_softmax(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor *x, int64_t dim, bool log) {
  return softmax_into(ctx, out, x, dim, log, (tsr_dtype)x->dtype, false);
}

static const bool plain = false, logarithm = true;

static bool may_reuse(const tsr_call *c) {
  const tsr_tensor *t = c->args[0].t;
  return (c->moved & 1) != 0 && tsr_obj_is_unique(t) && tsr_obj_is_unique(t->storage) && t->storage->owned && !t->requires_grad &&
         tsr_tensor_is_contiguous(t);
}

TSR_KERNEL(softmax) {
  tsr_tensor *x = tsr_arg_tensor(c, 0), *y;
  int64_t dim;
  if (c->outs != NULL) { /* before the kernel is asked */
    TSR_TRY(tsr_wrap_dim(c->ctx, tsr_arg_int(c, 1), x->ndim, &dim));
    TSR_TRY(tsr_out_expect(c, 0, tsr_arg_dtype_or(c, 2, (tsr_dtype)x->dtype)));
  }
  TSR_TRY(softmax_into(c->ctx, &y, x, tsr_arg_int(c, 1), *(const bool *)c->op->data, tsr_arg_dtype_or(c, 2, (tsr_dtype)x->dtype), may_reuse(c)));
  return tsr_ret_tensor(c, 0, y);
}

TSR_KERNEL(softmax_half) { /* third argument: half to float */
  tsr_tensor *x = tsr_arg_tensor(c, 0), *y;
  int64_t dim;
  TSR_TRY(tsr_wrap_dim(c->ctx, tsr_arg_int(c, 1), x->ndim, &dim));
  TSR_TRY(tsr_out_expect(c, 0, tsr_arg_bool(c, 2) ? TSR_FLOAT32 : (tsr_dtype)x->dtype));
  if (tsr_arg_bool(c, 2)) return tsr_op_fail(c->ctx, "softmax with half to float conversion is not supported on CPU");
  TSR_TRY(softmax_into(c->ctx, &y, x, tsr_arg_int(c, 1), *(const bool *)c->op->data, (tsr_dtype)x->dtype, may_reuse(c)));
  return tsr_ret_tensor(c, 0, y);
}

/* ---- masked: where the mask is true there is no probability ---- */

/* The mask of x's shape: 0 is of pairs of positions (L, L), 1 of padding (B, L), both for x of [B, heads, L, L]; 2 is a mask of x's own shape. */
static tsr_status full_mask(tsr_ctx *ctx, tsr_tensor **out, const tsr_tensor *x, tsr_tensor *mask, int64_t type) {
  bool two = mask->ndim == 2 && x->ndim == 4;
  if (mask->dtype != TSR_BOOL) return tsr_op_fail(ctx, "Mask should be a boolean tensor");
  *out = mask;
  if (!two || type == 2) {
    bool same = tsr_tensor_same_size(mask, x);
    return same ? TSR_OK : tsr_op_fail(ctx, "For mask_type == 2 mask shape should match input shape");
  }
  bool padding = type == 1;
  if (type < 0 || type > 2) return TSR_OK; /* refused later */
  if (padding && !(x->size[0] == mask->size[0] && x->size[2] == mask->size[1])) return tsr_op_fail(ctx, "For mask_type == 1 mask shape should be (B, L)");
  if (!padding && !(x->size[2] == mask->size[0] && x->size[2] == mask->size[1])) return tsr_op_fail(ctx, "For mask_type == 0 mask shape should be (L, L)");
  int64_t size[4] = {padding ? x->size[0] : 1, 1, padding ? 1 : x->size[2], x->size[2]};
  TSR_TRY(tsr_reshape(ctx, out, mask, 4, size));
  return tsr_expand(ctx, out, *out, 4, x->size);
}

/* self, mask, dim, mask_type */
TSR_KERNEL(masked_softmax) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *x = tsr_arg_tensor(c, 0), *mask, *least, *y, *like;
  int64_t dim;
  bool two = tsr_arg_tensor(c, 1)->ndim == 2 && x->ndim == 4;
  int64_t type = two ? tsr_arg_int_or(c, 3, -1) : 2;
  TSR_TRY(full_mask(ctx, &mask, x, tsr_arg_tensor(c, 1), type));
  TSR_TRY(tsr_wrap_dim(ctx, tsr_arg_int_or(c, 2, x->ndim - 1), x->ndim, &dim));
  if (!tsr_dtype_is_float((tsr_dtype)x->dtype)) return tsr_op_fail(ctx, "\"masked_softmax\" not implemented for '%s'", tsr_dtype_get_info(x->dtype)->cpp_name);
  if (two && tsr_arg_is_none(c, 3)) return tsr_op_fail(ctx, "Mask Type should be defined");
  if (type < 0 || type > 2) return tsr_op_fail(ctx, "Mask Type should be 0 (src_mask) or 1 (src_key_padding_mask), or 2 (default_mask)");
  TSR_TRY(tsr_new_scalar(ctx, &least, (tsr_dtype)x->dtype, tsr_scalar_float(-INFINITY)));
  TSR_TRY(tsr_where(ctx, &y, mask, least, x));
  TSR_TRY(tsr_softmax(ctx, &y, y, dim, false));
  TSR_TRY(tsr_new_like(ctx, &like, x, (tsr_dtype)x->dtype));
  TSR_TRY(tsr_copy_into(ctx, like, y));
  return tsr_ret_tensor(c, 0, like);
}

const tsr_op tsr_ops_softmax[] = {
    {"aten::softmax.int(Tensor self, int dim, ScalarType? dtype=None) -> Tensor", op_softmax, TSR_PURE, &plain},
    {"aten::softmax.int_out(Tensor self, int dim, ScalarType? dtype=None, *, Tensor(a!) out) -> Tensor(a!)", op_softmax, TSR_OUT_SAME, &plain},
    {"aten::log_softmax.int(Tensor self, int dim, ScalarType? dtype=None) -> Tensor", op_softmax, TSR_PURE, &logarithm},
    {"aten::log_softmax.int_out(Tensor self, int dim, ScalarType? dtype=None, *, Tensor(a!) out) -> Tensor(a!)", op_softmax, TSR_OUT_SAME, &logarithm},
    {"aten::special_softmax(Tensor self, int dim, ScalarType? dtype=None) -> Tensor", op_softmax, TSR_PURE, &plain},
    {"aten::special_log_softmax(Tensor self, int dim, *, ScalarType? dtype=None) -> Tensor", op_softmax, TSR_PURE, &logarithm},
    {"aten::_softmax(Tensor self, int dim, bool half_to_float) -> Tensor", op_softmax_half, TSR_PURE, &plain},
    {"aten::_softmax.out(Tensor self, int dim, bool half_to_float, *, Tensor(a!) out) -> Tensor(a!)", op_softmax_half, TSR_OUT_SAME, &plain},
    {"aten::_log_softmax(Tensor self, int dim, bool half_to_float) -> Tensor", op_softmax_half, TSR_PURE, &logarithm},
    {"aten::_log_softmax.out(Tensor self, int dim, bool half_to_float, *, Tensor(a!) out) -> Tensor(a!)", op_softmax_half, TSR_OUT_SAME, &logarithm},
    {"aten::_masked_softmax(Tensor self, Tensor mask, int? dim=None, int? mask_type=None) -> Tensor", op_masked_softmax, TSR_PURE},
    {"aten::_masked_softmax.out(Tensor self, Tensor mask, int? dim=None, int? mask_type=None, *, Tensor(a!) out) -> Tensor(a!)", op_masked_softmax, TSR_OUT_NEW},
    {0},
};
