/* Order statistics along one dimension: median, mode, quantile. */
#include <math.h>
#include <stdlib.h>

#include "ops/pointwise.h"
#include "ops/reduce.h"
#include "ops/select.h"

/* One element of a line: its value as a number that orders it, and its place. */
typedef struct item { double d; int64_t i, at; } item;

/* NaN last; equal elements keep their order. */
static int by_float(const void *a_, const void *b_) {
  const item *a = a_, *b = b_;
  bool an = a->d != a->d, bn = b->d != b->d;
  if (an || bn) return an != bn ? (an ? 1 : -1) : a->at < b->at ? -1 : 1;
  return a->d < b->d ? -1 : a->d > b->d ? 1 : a->at < b->at ? -1 : 1;
}
static int by_int(const void *a_, const void *b_) {
  const item *a = a_, *b = b_;
  return a->i < b->i ? -1 : a->i > b->i ? 1 : a->at < b->at ? -1 : 1;
}

/* A tensor as lines of n elements, `inner` apart, in float64 or int64. */
typedef struct order_job {
  int64_t n, inner, lines;
  bool is_int;
  const void *x;
  item *line;
} order_job;

static tsr_status order_begin(tsr_ctx *ctx, order_job *j, tsr_tensor *x, int64_t dim) {
  tsr_tensor *in;
  *j = (order_job){.n = x->ndim ? x->size[dim] : 1, .inner = 1, .is_int = tsr_ct_of((tsr_dtype)x->dtype) == TSR_CT_I64};
  for (int d = (int)dim + 1; d < x->ndim; d++) j->inner *= x->size[d];
  j->lines = j->n ? x->numel / j->n : 0;
  TSR_TRY(tsr_ready(ctx, &in, x, j->is_int ? TSR_INT64 : TSR_FLOAT64));
  j->x = tsr_tensor_data_ro(in);
  j->line = tsr_scratch(ctx, (size_t)(j->n + 1) * sizeof(item));
  return j->line ? TSR_OK : tsr_ctx_nomem(ctx);
}

/* Line u into j->line, sorted; how many of it are not NaN. */
static int64_t order_line(const order_job *j, int64_t u) {
  int64_t base = u / j->inner * j->n * j->inner + u % j->inner, good = 0;
  for (int64_t k = 0; k < j->n; k++) {
    int64_t o = base + k * j->inner;
    item *it = &j->line[k];
    it->at = k;
    it->i = j->is_int ? ((const int64_t *)j->x)[o] : 0;
    it->d = j->is_int ? (double)it->i : ((const double *)j->x)[o];
    good += it->d == it->d;
  }
  qsort(j->line, (size_t)j->n, sizeof(item), j->is_int ? by_int : by_float);
  return good;
}

/* The sorted position of the median; with NaN the first NaN's, unless they are to be ignored. */
static int64_t median_place(const order_job *j, int64_t good, bool ignore_nan) {
  if (good < j->n && !ignore_nan) return good;
  return good ? (good - 1) / 2 : 0;
}

/* Values and places as tensors of x's kept shape. */
typedef struct picks { tsr_tensor *values, *places; void *v; int64_t *p; } picks;

static tsr_status picks_begin(tsr_ctx *ctx, picks *r, const tsr_tensor *x, int64_t dim, bool keepdim, tsr_dtype dtype) {
  bool mask[TSR_MAX_NDIM] = {false};
  int64_t size[TSR_MAX_NDIM];
  if (x->ndim) mask[dim] = true;
  int n = tsr_reduce_shape(x, mask, keepdim, size);
  TSR_TRY(tsr_new(ctx, &r->values, dtype, n, size));
  TSR_TRY(tsr_new(ctx, &r->places, TSR_INT64, n, size));
  r->v = r->values->storage->data;
  r->p = r->places->storage->data;
  return TSR_OK;
}

static void picks_put(const picks *r, const order_job *j, int64_t u, const item *it) {
  if (j->is_int) ((int64_t *)r->v)[u] = it->i;
  else ((double *)r->v)[u] = it->d;
  r->p[u] = it->at;
}

static tsr_status picks_return(tsr_call *c, const picks *r, tsr_dtype d) {
  tsr_tensor *v;
  TSR_TRY(tsr_to_dtype(c->ctx, &v, r->values, d));
  TSR_TRY(tsr_ret_tensor(c, 0, v));
  return c->nrets > 1 ? tsr_ret_tensor(c, 1, r->places) : TSR_OK;
}

static tsr_status refuse(tsr_ctx *ctx, const tsr_tensor *x, bool no_bool, const char *kernel) {
  tsr_dtype d = (tsr_dtype)x->dtype;
  return tsr_dtype_is_complex(d) || (no_bool && d == TSR_BOOL) ? tsr_not_implemented(ctx, kernel, d) : TSR_OK;
}

static tsr_status nonempty(tsr_ctx *ctx, const tsr_tensor *x, int64_t dim, const char *name) {
  if (x->ndim && x->size[dim] == 0) return tsr_op_fail(ctx, "%s(): Expected reduction dim %lld to have non-zero size.", name, (long long)dim);
  return TSR_OK;
}

static const bool ignore_nan = true, count_nan = false;

TSR_KERNEL(median) {
  bool ignore = *(const bool *)c->op->data;
  tsr_tensor *x = tsr_arg_tensor(c, 0), *y;
  order_job j;
  int64_t numel = x->numel;
  TSR_TRY(refuse(c->ctx, x, true, "median_cpu"));
  if (numel == 0) {
    TSR_TRY(tsr_new_scalar(c->ctx, &y, (tsr_dtype)x->dtype, tsr_dtype_is_float((tsr_dtype)x->dtype) ? tsr_scalar_float(NAN) : tsr_scalar_int(INT64_MIN)));
    return tsr_ret_tensor(c, 0, y);
  }
  TSR_TRY(tsr_reshape(c->ctx, &x, x, 1, &numel));
  TSR_TRY(order_begin(c->ctx, &j, x, 0));
  picks r;
  TSR_TRY(picks_begin(c->ctx, &r, x, 0, false, j.is_int ? TSR_INT64 : TSR_FLOAT64));
  int64_t good = order_line(&j, 0);
  picks_put(&r, &j, 0, &j.line[median_place(&j, good, ignore)]);
  TSR_TRY(tsr_to_dtype(c->ctx, &y, r.values, (tsr_dtype)x->dtype));
  return tsr_ret_tensor(c, 0, y);
}

/* What PyTorch says of out arguments of other element types. */
static tsr_status check_median_outs(const tsr_call *c, const tsr_tensor *x) {
  tsr_dtype out;
  char got[32];
  if (tsr_out_dtype(c, 0, &out) && out != (tsr_dtype)x->dtype) {
    return tsr_op_fail(c->ctx, "Expected tensor for 'values' to have the same type as tensor for argument #2 'self'; but type torch.%sTensor does not equal torch.%sTensor (while checking arguments for median)",
                       tsr_dtype_get_info(out)->cpp_name, tsr_dtype_get_info(x->dtype)->cpp_name);
  }
  if (!tsr_out_dtype(c, 1, &out) || out == TSR_INT64) return TSR_OK;
  return tsr_op_fail(c->ctx, "Expected tensor for argument #1 'indices' to have scalar type Long; but got %s instead (while checking arguments for median)", tsr_dtype_class_print(got, sizeof got, out));
}

static tsr_status check_mode_outs(const tsr_call *c, const tsr_tensor *x) {
  for (uint32_t i = 0; i < 2; i++) {
    tsr_dtype out, want = i == 0 ? (tsr_dtype)x->dtype : TSR_INT64;
    if (tsr_out_dtype(c, i, &out) && out != want) {
      return tsr_op_fail(c->ctx, "expected scalar type '%s' but got '%s' for %s output", tsr_dtype_get_info(want)->cpp_name, tsr_dtype_get_info(out)->cpp_name, i == 0 ? "values" : "indices");
    }
  }
  return TSR_OK;
}

TSR_KERNEL(median_dim) {
  bool ignore = *(const bool *)c->op->data;
  tsr_tensor *x = tsr_arg_tensor(c, 0);
  order_job j;
  picks r;
  int64_t dim;
  TSR_TRY(tsr_wrap_dim(c->ctx, tsr_arg_int(c, 1), x->ndim, &dim));
  TSR_TRY(nonempty(c->ctx, x, dim, "median"));
  TSR_TRY(check_median_outs(c, x));
  TSR_TRY(refuse(c->ctx, x, true, "median_out"));
  TSR_TRY(order_begin(c->ctx, &j, x, dim));
  TSR_TRY(picks_begin(c->ctx, &r, x, dim, tsr_arg_bool(c, 2), j.is_int ? TSR_INT64 : TSR_FLOAT64));
  for (int64_t u = 0; u < j.lines; u++) {
    int64_t good = order_line(&j, u);
    picks_put(&r, &j, u, &j.line[median_place(&j, good, ignore)]);
  }
  return picks_return(c, &r, (tsr_dtype)x->dtype);
}

/* Where the first of the longest runs ends, after the sort of the standard library: the order of equal elements decides which index that is, and
 * every NaN is a run of its own. */
static int64_t most_frequent(tsr_pair *line, int64_t n, bool floating) {
  int64_t best = 0, best_run = 0, run = 0;
  if (floating) tsr_pair_sort_nan(line, n);
  else tsr_pair_sort(line, n);
  for (int64_t k = 0; k < n; k++) {
    run++;
    if (k + 1 < n && line[k].key == line[k + 1].key && !(floating && line[k].key == UINT64_MAX)) continue;
    if (run > best_run) {
      best_run = run;
      best = k;
    }
    run = 0;
  }
  return line[best].idx;
}

TSR_KERNEL(mode) {
  tsr_tensor *x = tsr_arg_tensor(c, 0);
  tsr_dtype d = (tsr_dtype)x->dtype;
  bool floating = tsr_dtype_is_float(d);
  picks r;
  int64_t dim, inner = 1;
  TSR_TRY(tsr_wrap_dim(c->ctx, tsr_arg_int(c, 1), x->ndim, &dim));
  TSR_TRY(nonempty(c->ctx, x, dim, "mode"));
  TSR_TRY(check_mode_outs(c, x));
  TSR_TRY(refuse(c->ctx, x, false, "mode_cpu"));
  TSR_TRY(picks_begin(c->ctx, &r, x, dim, tsr_arg_bool(c, 2), d));
  TSR_TRY(tsr_contiguous(c->ctx, &x, x));
  for (int k = (int)dim + 1; k < x->ndim; k++) inner *= x->size[k];
  int64_t n = x->ndim ? x->size[dim] : 1, lines = x->numel / n;
  size_t width = tsr_tensor_itemsize(x);
  tsr_pair *line = tsr_scratch(c->ctx, (size_t)n * sizeof *line);
  if (line == NULL) return tsr_ctx_nomem(c->ctx);
  for (int64_t u = 0; u < lines; u++) {
    const char *first = (const char *)tsr_tensor_data_ro(x) + (size_t)(u / inner * n * inner + u % inner) * width;
    tsr_pair_fill(line, d, first, (ptrdiff_t)((size_t)inner * width), n, false);
    for (int64_t k = 0; floating && d != TSR_FLOAT64 && k < n; k++) line[k].key = line[k].key == UINT32_MAX ? UINT64_MAX : line[k].key; /* NaN */
    r.p[u] = most_frequent(line, n, floating);
    memcpy((char *)r.v + (size_t)u * width, first + (size_t)(r.p[u] * inner) * width, width);
  }
  TSR_TRY(tsr_ret_tensor(c, 0, r.values));
  return tsr_ret_tensor(c, 1, r.places);
}

/* ---- quantiles ---- */

typedef enum between { LINEAR, LOWER, HIGHER, MIDPOINT, NEAREST } between;

static tsr_status parse_between(tsr_ctx *ctx, const char *s, between *out) {
  static const char *const names[] = {"linear", "lower", "higher", "midpoint", "nearest"};
  for (size_t i = 0; i < TSR_COUNT(names); i++)
    if (strcmp(names[i], s) == 0) {
      *out = (between)i;
      return TSR_OK;
    }
  return tsr_op_fail(ctx, "quantile() interpolation must be one of linear, lower, higher, midpoint or nearest, but got %s", s);
}

/* The q-th quantile of `good` sorted numbers.  The rank is computed in the tensor's own precision. */
static double quantile_of(const item *line, int64_t good, double q, between mode, bool single) {
  double rank = single ? (double)((float)q * (float)(good - 1)) : q * (double)(good - 1);
  if (mode == LOWER) rank = floor(rank);
  else if (mode == HIGHER) rank = ceil(rank);
  else if (mode == NEAREST) rank = nearbyint(rank);
  int64_t lo = (int64_t)rank, hi = TSR_MIN((int64_t)ceil(rank), good - 1);
  double w = mode == MIDPOINT ? 0.5 : rank - (double)lo, a = line[lo].d, b = line[hi].d;
  if (mode == MIDPOINT && lo == hi) return a;
  if (w == 0) return a;
  return w < 0.5 ? a + w * (b - a) : b - (b - a) * (1 - w);
}

static tsr_status check_quantile(tsr_call *c, const tsr_tensor *x, const tsr_tensor *q) {
  tsr_dtype into;
  if (q == NULL && !(tsr_arg_float(c, 1) >= 0 && tsr_arg_float(c, 1) <= 1)) return tsr_op_fail(c->ctx, "quantile() q must be in the range [0, 1] but got %g", tsr_arg_float(c, 1));
  if (x->numel == 0) return tsr_op_fail(c->ctx, "quantile() input tensor must be non-empty");
  if (q && q->ndim > 1) return tsr_op_fail(c->ctx, "quantile() q must be a scalar or 1D tensor");
  if (x->dtype != TSR_FLOAT32 && x->dtype != TSR_FLOAT64) return tsr_op_fail(c->ctx, "quantile() input tensor must be either float or double dtype");
  if (q && q->dtype != x->dtype) return tsr_op_fail(c->ctx, "quantile() q tensor must be same dtype as the input tensor");
  if (tsr_out_dtype(c, 0, &into) && into != (tsr_dtype)x->dtype) return tsr_op_fail(c->ctx, "quantile() out tensor must be same dtype as the input tensor");
  return TSR_OK;
}

static tsr_status quantile_points(tsr_call *c, const tsr_tensor *qt, const double **q, int64_t *nq) {
  tsr_tensor *wide;
  if (qt == NULL) {
    double *one = tsr_scratch(c->ctx, sizeof *one);
    if (one == NULL) return tsr_ctx_nomem(c->ctx);
    *one = tsr_arg_float(c, 1);
    *q = one;
    *nq = 1;
    return TSR_OK;
  }
  TSR_TRY(tsr_ready(c->ctx, &wide, (tsr_tensor *)(uintptr_t)qt, TSR_FLOAT64));
  *q = tsr_tensor_data_ro(wide);
  *nq = wide->numel;
  for (int64_t i = 0; i < *nq; i++)
    if (!((*q)[i] >= 0 && (*q)[i] <= 1)) return tsr_op_fail(c->ctx, "quantile() q values must be in the range [0, 1]");
  return TSR_OK;
}

/* quantile(self, q, dim, keepdim, *, interpolation) */
TSR_KERNEL(quantile) {
  bool ignore = *(const bool *)c->op->data, keepdim = tsr_arg_bool(c, 3), whole = tsr_arg_is_none(c, 2);
  tsr_tensor *x = tsr_arg_tensor(c, 0), *qt = tsr_arg_opt_tensor(c, 1), *y, *flat = x;
  int64_t dim = 0, numel = x->numel, nq = 0, size[TSR_MAX_NDIM + 1];
  const double *q = NULL;
  between mode = LINEAR;
  order_job j;
  bool mask[TSR_MAX_NDIM];
  TSR_TRY(check_quantile(c, x, qt));
  TSR_TRY(parse_between(c->ctx, tsr_arg_str(c, 4)->bytes, &mode));
  if (!whole) TSR_TRY(tsr_wrap_dim(c->ctx, tsr_arg_int(c, 2), x->ndim, &dim));
  else TSR_TRY(tsr_reshape(c->ctx, &flat, x, 1, &numel));
  TSR_TRY(quantile_points(c, qt, &q, &nq));
  for (int d = 0; d < TSR_MAX_NDIM; d++) mask[d] = whole || d == dim;
  int lead = qt && qt->ndim == 1 ? 1 : 0, n = tsr_reduce_shape(x, mask, keepdim, size + lead);
  if (lead) size[n + 1] = nq; /* the quantiles of one line lie together */
  if (n + lead > TSR_MAX_NDIM) return tsr_op_fail(c->ctx, "too many dimensions");
  TSR_TRY(order_begin(c->ctx, &j, flat, dim));
  TSR_TRY(tsr_new(c->ctx, &y, TSR_FLOAT64, n + lead, size + lead));
  double *out = y->storage->data;
  for (int64_t u = 0; u < j.lines; u++) {
    int64_t good = order_line(&j, u);
    bool none = ignore ? good == 0 : good < j.n;
    for (int64_t k = 0; k < nq; k++) out[u * nq + k] = none ? NAN : quantile_of(j.line, good, q[k], mode, x->dtype == TSR_FLOAT32);
  }
  TSR_TRY(tsr_to_dtype(c->ctx, &y, y, (tsr_dtype)x->dtype));
  if (lead) {
    int64_t order[TSR_MAX_NDIM + 1] = {n};
    for (int d = 0; d < n; d++) order[d + 1] = d;
    TSR_TRY(tsr_permute(c->ctx, &y, y, order));
  }
  return tsr_ret_tensor(c, 0, y);
}

const tsr_op tsr_ops_reduce_order[] = {
    {"aten::median(Tensor self) -> Tensor", op_median, TSR_PURE, &count_nan},
    {"aten::median.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", op_median, TSR_OUT_NEW, &count_nan},
    {"aten::median.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)", op_median_dim, TSR_PURE, &count_nan},
    {"aten::median.dim_values(Tensor self, int dim, bool keepdim=False, *, Tensor(a!) values, Tensor(b!) indices) -> (Tensor(a!) values, Tensor(b!) indices)",
     op_median_dim, TSR_OUT, &count_nan},
    {"aten::nanmedian(Tensor self) -> Tensor", op_median, TSR_PURE, &ignore_nan},
    {"aten::nanmedian.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", op_median, TSR_OUT_NEW, &ignore_nan},
    {"aten::nanmedian.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)",
     op_median_dim, TSR_PURE, &ignore_nan},
    {"aten::nanmedian.dim_values(Tensor self, int dim, bool keepdim=False, *, Tensor(a!) values, Tensor(b!) indices) -> (Tensor(a!) values, Tensor(b!) indices)",
     op_median_dim, TSR_OUT, &ignore_nan},
    {"aten::mode(Tensor self, int dim=-1, bool keepdim=False) -> (Tensor values, Tensor indices)", op_mode, TSR_PURE},
    {"aten::mode.values(Tensor self, int dim=-1, bool keepdim=False, *, Tensor(a!) values, Tensor(b!) indices) -> (Tensor(a!) values, Tensor(b!) indices)",
     op_mode, TSR_OUT},
    {"aten::quantile(Tensor self, Tensor q, int? dim=None, bool keepdim=False, *, str interpolation=\"linear\") -> Tensor",
     op_quantile, TSR_PURE, &count_nan},
    {"aten::quantile.scalar(Tensor self, float q, int? dim=None, bool keepdim=False, *, str interpolation=\"linear\") -> Tensor",
     op_quantile, TSR_PURE, &count_nan},
    {"aten::quantile.out(Tensor self, Tensor q, int? dim=None, bool keepdim=False, *, str interpolation=\"linear\", Tensor(a!) out) -> Tensor(a!)",
     op_quantile, TSR_OUT, &count_nan},
    {"aten::quantile.scalar_out(Tensor self, float q, int? dim=None, bool keepdim=False, *, str interpolation=\"linear\", Tensor(a!) out) -> Tensor(a!)",
     op_quantile, TSR_OUT, &count_nan},
    {"aten::nanquantile(Tensor self, Tensor q, int? dim=None, bool keepdim=False, *, str interpolation=\"linear\") -> Tensor",
     op_quantile, TSR_PURE, &ignore_nan},
    {"aten::nanquantile.scalar(Tensor self, float q, int? dim=None, bool keepdim=False, *, str interpolation=\"linear\") -> Tensor",
     op_quantile, TSR_PURE, &ignore_nan},
    {"aten::nanquantile.out(Tensor self, Tensor q, int? dim=None, bool keepdim=False, *, str interpolation=\"linear\", Tensor(a!) out) -> Tensor(a!)",
     op_quantile, TSR_OUT, &ignore_nan},
    {"aten::nanquantile.scalar_out(Tensor self, float q, int? dim=None, bool keepdim=False, *, str interpolation=\"linear\", Tensor(a!) out) -> Tensor(a!)",
     op_quantile, TSR_OUT, &ignore_nan},
    {0},
};
