/* Running sums, products, extremes and log-sum-exps along one dimension. */
#include <math.h>

#include "ops/cplx.h"
#include "ops/pointwise.h"

typedef struct run_job {
  int64_t n, inner;
  tsr_ct ct;
  const void *x;
  void *y;
  int64_t *index;  /* extremes only */
  int kind;
} run_job;

enum { SUM, PROD, LOGSUMEXP, MAX, MIN };

/* Sums and products of float32 run in double and are rounded once an element. */
#define RUN(name, T, A, from, add, mul)                                                   \
  static void name(const run_job *j, int64_t o) {                                         \
    const T *x = (const T *)j->x + o;                                                     \
    T *y = (T *)j->y + o;                                                                 \
    A s = j->kind == PROD ? 1 : 0;                                                        \
    for (int64_t i = 0; i < j->n; i++) {                                                  \
      A a = from(x[i * j->inner]);                                                        \
      s = j->kind == PROD ? (A)(mul) : (A)(add);                                          \
      y[i * j->inner] = (T)s;                                                             \
    }                                                                                     \
  }
RUN(run_f32, float, double, (double), s + a, s *a)
RUN(run_f64, double, double, (double), s + a, s *a)
RUN(run_i64, int64_t, uint64_t, (uint64_t), s + a, s *a)
typedef double _Complex cplx;
RUN(run_c128, cplx, cplx, , s + a, s *a)

static void run_lse(const run_job *j, int64_t o) {
  const double *x = (const double *)j->x + o;
  double *y = (double *)j->y + o, m = -INFINITY;
  for (int64_t i = 0; i < j->n; i++) {
    double a = x[i * j->inner], hi = a > m || a != a ? a : m, lo = a > m || a != a ? m : a;
    m = isinf(hi) && hi == lo ? hi : hi + log1p(exp(lo - hi));
    if (a != a) m = a;
    y[i * j->inner] = m;
  }
}

static void run_lse_c128(const run_job *j, int64_t o) {
  const cplx *x = (const cplx *)j->x + o;
  cplx *y = (cplx *)j->y + o, m = -INFINITY;
  for (int64_t i = 0; i < j->n; i++) {
    cplx a = x[i * j->inner], hi = creal(a) > creal(m) ? a : m, lo = creal(a) > creal(m) ? m : a;
    m = creal(lo) == -INFINITY ? hi : hi + clog(1 + cexp(lo - hi));
    y[i * j->inner] = m;
  }
}

/* The latest of equal elements wins; once a NaN is met it stays. */
#define EXTREME(name, T)                                                                  \
  static void name(const run_job *j, int64_t o) {                                         \
    const T *x = (const T *)j->x + o;                                                     \
    T *y = (T *)j->y + o, b = x[0];                                                       \
    int64_t at = 0;                                                                       \
    for (int64_t i = 0; i < j->n; i++) {                                                  \
      T v = x[i * j->inner];                                                              \
      if (v != v || (b == b && (j->kind == MAX ? v >= b : v <= b))) {                     \
        b = v;                                                                            \
        at = i;                                                                           \
      }                                                                                   \
      y[i * j->inner] = b;                                                                \
      j->index[o + i * j->inner] = at;                                                    \
    }                                                                                     \
  }
EXTREME(extreme_f64, double)
EXTREME(extreme_i64, int64_t)

static void run_range(void *arg, int64_t begin, int64_t end) {
  const run_job *j = arg;
  for (int64_t u = begin; u < end; u++) {
    int64_t o = u / j->inner * j->n * j->inner + u % j->inner;
    if (j->kind == LOGSUMEXP) (j->ct == TSR_CT_C128 ? run_lse_c128 : run_lse)(j, o);
    else if (j->kind >= MAX) (j->ct == TSR_CT_F64 ? extreme_f64 : extreme_i64)(j, o);
    else if (j->ct == TSR_CT_F32) run_f32(j, o);
    else if (j->ct == TSR_CT_F64) run_f64(j, o);
    else if (j->ct == TSR_CT_C128) run_c128(j, o);
    else run_i64(j, o);
  }
}

/* x in `work` type, contiguous; the result replaces a copy's contents or is new. */
static tsr_status run_along(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor **index, tsr_tensor *x, int64_t dim, tsr_dtype work, int kind) {
  run_job j = {.n = x->ndim ? x->size[dim] : 1, .inner = 1, .ct = tsr_ct_of(work), .kind = kind};
  tsr_tensor *in;
  TSR_TRY(tsr_ready(ctx, &in, x, work));
  TSR_TRY(tsr_new(ctx, out, work, x->ndim, x->size));
  if (index) TSR_TRY(tsr_new(ctx, index, TSR_INT64, x->ndim, x->size));
  if (x->numel == 0) return TSR_OK;
  for (int d = (int)dim + 1; d < x->ndim; d++) j.inner *= x->size[d];
  j.x = tsr_tensor_data_ro(in);
  j.y = (*out)->storage->data;
  j.index = index ? (*index)->storage->data : NULL;
  int64_t units = x->numel / j.n, grain = TSR_MAX(16384 / j.n, 1);
  if (units <= grain) run_range(&j, 0, units);
  else tsr_parallel_for(ctx, units, grain, run_range, &j);
  return TSR_OK;
}

static const int sum_ = SUM, prod_ = PROD, max_ = MAX, min_ = MIN;

static tsr_dtype work_type(tsr_dtype d) {
  switch (tsr_ct_of(d)) {
  case TSR_CT_F32: return TSR_FLOAT32;
  case TSR_CT_F64: return TSR_FLOAT64;
  case TSR_CT_C128: return TSR_COMPLEX128;
  default: return TSR_INT64;
  }
}

TSR_KERNEL(cumulate) {
  tsr_tensor *x = tsr_arg_tensor(c, 0), *y;
  int64_t dim;
  TSR_TRY(tsr_wrap_dim(c->ctx, tsr_arg_int(c, 1), x->ndim, &dim));
  bool whole = tsr_dtype_is_integral((tsr_dtype)x->dtype, true);
  bool inplace = (c->op->flags & TSR_INPLACE) != 0;
  if (inplace && tsr_arg_dtype_or(c, 2, (tsr_dtype)x->dtype) != (tsr_dtype)x->dtype) {
    return tsr_op_fail(c->ctx, "Bad in-place call: input tensor dtype %s and output tensor dtype %s should match", tsr_dtype_c_name((tsr_dtype)x->dtype), tsr_dtype_c_name(tsr_arg_dtype_or(c, 2, (tsr_dtype)x->dtype)));
  }
  tsr_dtype d = whole && !inplace ? TSR_INT64 : (tsr_dtype)x->dtype, work;
  tsr_out_dtype(c, 0, &d); /* an out argument says the type, unless dtype does */
  d = tsr_arg_dtype_or(c, 2, d);
  work = work_type(d);
  TSR_TRY(tsr_to_dtype(c->ctx, &x, x, d));
  TSR_TRY(run_along(c->ctx, &y, NULL, x, dim, work, *(const int *)c->op->data));
  TSR_TRY(tsr_to_dtype(c->ctx, &y, y, d));
  return tsr_ret_tensor(c, 0, y);
}

TSR_KERNEL(cumulate_extreme) {
  int kind = *(const int *)c->op->data;
  tsr_tensor *x = tsr_arg_tensor(c, 0), *y, *i;
  int64_t dim = tsr_arg_int(c, 1);
  if (x->ndim == 0 && dim != 0 && dim != -1)
    return tsr_op_fail(c->ctx, "%s(): Expected reduction dim -1 or 0 for scalar but got %lld", kind == MAX ? "cummax" : "cummin", (long long)dim);
  TSR_TRY(tsr_wrap_dim(c->ctx, tsr_arg_int(c, 1), x->ndim, &dim));
  tsr_ct ct = tsr_ct_of((tsr_dtype)x->dtype);
  if (ct == TSR_CT_C128) return tsr_not_implemented(c->ctx, kind == MAX ? "cummax_cpu" : "cummin_cpu", (tsr_dtype)x->dtype);
  tsr_dtype out;
  if (tsr_out_dtype(c, 0, &out) && out != (tsr_dtype)x->dtype) return tsr_op_fail(c->ctx, "expected scalar_type %s but found %s", tsr_dtype_get_info(x->dtype)->cpp_name, tsr_dtype_get_info(out)->cpp_name);
  if (tsr_out_dtype(c, 1, &out) && out != TSR_INT64) return tsr_op_fail(c->ctx, "expected scalar_type Long but found %s", tsr_dtype_get_info(out)->cpp_name);
  TSR_TRY(run_along(c->ctx, &y, &i, x, dim, ct == TSR_CT_I64 ? TSR_INT64 : TSR_FLOAT64, kind));
  TSR_TRY(tsr_to_dtype(c->ctx, &y, y, (tsr_dtype)x->dtype));
  TSR_TRY(tsr_ret_tensor(c, 0, y));
  return tsr_ret_tensor(c, 1, i);
}

TSR_KERNEL(logcumsumexp) {
  tsr_tensor *x = tsr_arg_tensor(c, 0), *y;
  int64_t dim;
  TSR_TRY(tsr_out_access(c, 0, (tsr_dtype)x->dtype));
  TSR_TRY(tsr_wrap_dim(c->ctx, tsr_arg_int(c, 1), x->ndim, &dim));
  bool z = tsr_dtype_is_complex((tsr_dtype)x->dtype);
  if (!z && !tsr_dtype_is_float((tsr_dtype)x->dtype)) return tsr_not_implemented(c->ctx, "logcumsumexp_out_cpu", (tsr_dtype)x->dtype);
  TSR_TRY(run_along(c->ctx, &y, NULL, x, dim, z ? TSR_COMPLEX128 : TSR_FLOAT64, LOGSUMEXP));
  TSR_TRY(tsr_to_dtype(c->ctx, &y, y, (tsr_dtype)x->dtype));
  return tsr_ret_tensor(c, 0, y);
}

const tsr_op tsr_ops_cumulative[] = {
    {"aten::cumsum(Tensor self, int dim, *, ScalarType? dtype=None) -> Tensor", op_cumulate, TSR_PURE, &sum_},
    {"aten::cumsum.out(Tensor self, int dim, *, ScalarType? dtype=None, Tensor(a!) out) -> Tensor(a!)", op_cumulate, TSR_OUT_SAME, &sum_},
    {"aten::cumsum_(Tensor(a!) self, int dim, *, ScalarType? dtype=None) -> Tensor(a!)", op_cumulate, TSR_INPLACE, &sum_},
    {"aten::cumprod(Tensor self, int dim, *, ScalarType? dtype=None) -> Tensor", op_cumulate, TSR_PURE, &prod_},
    {"aten::cumprod.out(Tensor self, int dim, *, ScalarType? dtype=None, Tensor(a!) out) -> Tensor(a!)", op_cumulate, TSR_OUT_SAME, &prod_},
    {"aten::cumprod_(Tensor(a!) self, int dim, *, ScalarType? dtype=None) -> Tensor(a!)", op_cumulate, TSR_INPLACE, &prod_},
    {"aten::cummax(Tensor self, int dim) -> (Tensor values, Tensor indices)", op_cumulate_extreme, TSR_PURE, &max_},
    {"aten::cummax.out(Tensor self, int dim, *, Tensor(a!) values, Tensor(b!) indices) -> (Tensor(a!) values, Tensor(b!) indices)",
     op_cumulate_extreme, TSR_OUT, &max_},
    {"aten::cummin(Tensor self, int dim) -> (Tensor values, Tensor indices)", op_cumulate_extreme, TSR_PURE, &min_},
    {"aten::cummin.out(Tensor self, int dim, *, Tensor(a!) values, Tensor(b!) indices) -> (Tensor(a!) values, Tensor(b!) indices)",
     op_cumulate_extreme, TSR_OUT, &min_},
    {"aten::logcumsumexp(Tensor self, int dim) -> Tensor", op_logcumsumexp, TSR_PURE},
    {"aten::logcumsumexp.out(Tensor self, int dim, *, Tensor(a!) out) -> Tensor(a!)", op_logcumsumexp, TSR_OUT},
    {"aten::_logcumsumexp(Tensor self, int dim) -> Tensor", op_logcumsumexp, TSR_PURE},
    {"aten::_logcumsumexp.out(Tensor self, int dim, *, Tensor(a!) out) -> Tensor(a!)", op_logcumsumexp, TSR_OUT},
    {0},
};
