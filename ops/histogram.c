/* histc, histogram, histogramdd: counts of points in boxes.
 *
 * Points are compared in their own type: float32 data in float32, as bin edges are. */
#include <math.h>

#include "ops/native.h"
#include "ops/shape.h"

enum { MAX_AXES = TSR_MAX_NDIM };
typedef enum bin_rule { EVEN, EVEN_THEN_SEARCH, SEARCH } bin_rule;

typedef struct axes {
  int count;
  bin_rule rule;
  int64_t bins[MAX_AXES];
  double low[MAX_AXES], high[MAX_AXES];
  tsr_tensor *edges[MAX_AXES];    /* 1-D, bins + 1, in the data's type */
  const double *edge[MAX_AXES];   /* the same in double */
  tsr_dtype dtype;                /* of the data */
} axes;

/* Last edge in edge[lo, hi) that is <= v. */
static int64_t upper_edge(const double *edge, int64_t lo, int64_t hi, double v) {
  while (lo < hi) {
    int64_t mid = lo + (hi - lo) / 2;
    if (v < edge[mid]) hi = mid;
    else lo = mid + 1;
  }
  return lo - 1;
}

/* Every step is rounded to the data's type. */
static int64_t even_bin(tsr_dtype d, double v, double low, double high, int64_t n) {
  double up = tsr_dtype_round(d, tsr_dtype_round(d, v - low) * (double)n);
  return (int64_t)tsr_dtype_round(d, up / tsr_dtype_round(d, high - low));
}

/* Bin of v on axis d, or -1. */
static int64_t bin_of(const axes *a, int d, double v) {
  double low = a->low[d], high = a->high[d];
  int64_t n = a->bins[d], at;
  if (!(v >= low && v <= high)) return -1;
  if (a->rule == SEARCH) {
    at = upper_edge(a->edge[d], 0, n + 1, v);
  } else {
    at = even_bin(a->dtype, v, low, high, n);
    if (a->rule == EVEN_THEN_SEARCH) at = upper_edge(a->edge[d], TSR_MAX(at - 1, 0), TSR_MIN(at + 2, n + 1), v);
  }
  return TSR_MIN(at, n - 1); /* the last bin includes its right edge */
}

static tsr_status count_points(tsr_ctx *ctx, const axes *a, const tsr_tensor *x, const tsr_tensor *weights, tsr_dtype dtype, tsr_tensor **out) {
  tsr_tensor *y;
  void *p;
  TSR_TRY(tsr_new(ctx, &y, TSR_FLOAT64, a->count, a->bins));
  TSR_TRY(tsr_fill(ctx, y, tsr_scalar_int(0)));
  TSR_TRY(tsr_data_mut(ctx, y, &p));
  const double *v = tsr_tensor_data_ro(x), *w = weights != NULL ? tsr_tensor_data_ro(weights) : NULL;
  int64_t points = a->count > 0 ? x->numel / a->count : 0;
  for (int64_t i = 0; i < points; i++) {
    int64_t at = 0;
    for (int d = 0; d < a->count && at >= 0; d++) {
      int64_t bin = bin_of(a, d, v[i * a->count + d]);
      at = bin < 0 ? -1 : at * a->bins[d] + bin;
    }
    if (at >= 0) ((double *)p)[at] += w != NULL ? w[i] : 1;
  }
  return tsr_to_dtype(ctx, out, y, dtype);
}

/* Outer edges of axis d: the range argument, else the data's own, widened by `margin` when it is a point. */
static tsr_status outer_edges(tsr_ctx *ctx, axes *a, const tsr_tensor *x, const double *range, double margin, const char *op) {
  int64_t points = a->count > 0 ? x->numel / a->count : 0;
  const double *v = tsr_tensor_data_ro(x);
  for (int d = 0; d < a->count; d++) {
    double low = 0, high = 1;
    if (range != NULL) low = range[2 * d], high = range[2 * d + 1];
    else if (points > 0) {
      low = high = v[d];
      for (int64_t i = 1; i < points; i++) {
        double e = v[i * a->count + d];
        low = isnan(e) || e < low ? e : low;
        high = isnan(e) || e > high ? e : high;
      }
    }
    if (!isfinite(low) || !isfinite(high)) return tsr_op_fail(ctx, "%s: %s [%g, %g] is not finite", op, range != NULL ? "range" : "dimension's range", low, high);
    if (low > high) return tsr_op_fail(ctx, "%s: min should not exceed max, but got min %g max %g for dimension %d", op, low, high, d);
    if (low == high) low -= margin, high += margin;
    a->low[d] = low;
    a->high[d] = high;
  }
  return TSR_OK;
}

/* Even edges, formed as linspace forms them. */
static tsr_status even_edges(tsr_ctx *ctx, axes *a, tsr_dtype dtype) {
  for (int d = 0; d < a->count; d++) {
    tsr_val args[7] = {tsr_float(a->low[d]), tsr_float(a->high[d]), tsr_int(a->bins[d] + 1), tsr_int(dtype), tsr_none(), tsr_none(), tsr_none()}, ret;
    TSR_TRY(tsr_invoke(ctx, tsr_op_get("aten::linspace", ""), args, 7, &ret, 1));
    a->edges[d] = ret.t;
  }
  return TSR_OK;
}

static tsr_status widen_edges(tsr_ctx *ctx, axes *a) {
  for (int d = 0; d < a->count; d++) {
    tsr_tensor *wide;
    TSR_TRY(tsr_ready(ctx, &wide, a->edges[d], TSR_FLOAT64));
    a->edge[d] = tsr_tensor_data_ro(wide);
  }
  return TSR_OK;
}

static tsr_status check_data(tsr_ctx *ctx, const tsr_tensor *x) {
  if (tsr_dtype_is_float((tsr_dtype)x->dtype)) return TSR_OK;
  return tsr_op_fail(ctx, "\"histogram_cpu\" not implemented for '%s'", tsr_dtype_get_info(x->dtype)->cpp_name);
}

TSR_KERNEL(histc) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *x = tsr_arg_tensor(c, 0), *y;
  axes a = {.count = 1, .rule = EVEN, .dtype = (tsr_dtype)x->dtype};
  double range[2] = {tsr_arg_scalar(c, 2).z.re, tsr_arg_scalar(c, 3).z.re};
  bool data_range = range[0] == range[1] && x->numel > 0;
  tsr_dtype dtype = (tsr_dtype)x->dtype;
  a.bins[0] = tsr_arg_int(c, 1);
  if (!tsr_dtype_is_float(dtype)) return check_data(ctx, x);
  if (a.bins[0] <= 0) return tsr_op_fail(ctx, "torch.histogram(): bins must be > 0, but got %lld for dimension 0", (long long)a.bins[0]);
  TSR_TRY(tsr_ready(ctx, &x, x, TSR_FLOAT64));
  if (!data_range && range[0] > range[1]) return tsr_op_fail(ctx, "torch.histc: max must be larger than min");
  if (!data_range && !(isfinite(range[0]) && isfinite(range[1]))) return tsr_op_fail(ctx, "torch.histc: range of [%g, %g] is not finite", range[0], range[1]);
  if (data_range) {
    const double *v = tsr_tensor_data_ro(x);
    range[0] = range[1] = v[0];
    for (int64_t i = 1; i < x->numel; i++) {
      range[0] = isnan(v[i]) || v[i] < range[0] ? v[i] : range[0];
      range[1] = isnan(v[i]) || v[i] > range[1] ? v[i] : range[1];
    }
    if (!(isfinite(range[0]) && isfinite(range[1]))) return tsr_op_fail(ctx, "torch.histc: range of [%g, %g] is not finite", range[0], range[1]);
  }
  TSR_TRY(outer_edges(ctx, &a, x, range, 1, "torch.histc"));
  TSR_TRY(count_points(ctx, &a, x, NULL, dtype, &y));
  return tsr_ret_tensor(c, 0, y);
}

/* hist / (sum * volume of each box) */
static tsr_status to_density(tsr_ctx *ctx, const axes *a, tsr_tensor **hist) {
  tsr_tensor *total, *y = *hist;
  TSR_TRY(tsr_reduce(ctx, &total, "sum", y, -1, NULL, false, -1));
  TSR_TRY(tsr_binary(ctx, &y, "div", y, total));
  for (int d = 0; d < a->count; d++) {
    tsr_tensor *upper, *lower, *width;
    int64_t shape[MAX_AXES];
    TSR_TRY(tsr_narrow(ctx, &upper, a->edges[d], 0, 1, a->bins[d]));
    TSR_TRY(tsr_narrow(ctx, &lower, a->edges[d], 0, 0, a->bins[d]));
    TSR_TRY(tsr_binary(ctx, &width, "sub", upper, lower));
    for (int k = 0; k < a->count; k++) shape[k] = k == d ? a->bins[d] : 1;
    TSR_TRY(tsr_reshape(ctx, &width, width, a->count, shape));
    TSR_TRY(tsr_binary(ctx, &y, "div", y, width));
  }
  *hist = y;
  return TSR_OK;
}

/* Edges from a tensor argument. */
static tsr_status given_edges(tsr_ctx *ctx, axes *a, int d, tsr_tensor *edges, const tsr_tensor *x) {
  if (edges->dtype != x->dtype)
    return tsr_op_fail(ctx, "torch.histogramdd: input tensor and bins tensors should have the same dtype, but got input with dtype %s and bins for dimension %d with dtype %s",
                       tsr_dtype_get_info(x->dtype)->cpp_name, d, tsr_dtype_get_info(edges->dtype)->cpp_name);
  if (edges->ndim != 1 || edges->numel < 1)
    return tsr_op_fail(ctx, "torch.histogramdd: bins tensor should have one dimension and at least 1 element for dimension %d", d);
  TSR_TRY(tsr_clone(ctx, &a->edges[d], edges));
  tsr_tensor *wide;
  TSR_TRY(tsr_ready(ctx, &wide, edges, TSR_FLOAT64));
  const double *v = tsr_tensor_data_ro(wide);
  a->bins[d] = edges->numel - 1;
  a->low[d] = v[0];
  a->high[d] = v[edges->numel - 1];
  return TSR_OK;
}

/* Shared tail: x is [points, count] in double; options at argument `opt` (weight, density). */
static tsr_status histogram(tsr_call *c, axes *a, tsr_tensor *wide, tsr_dtype dtype, uint32_t opt, tsr_tensor **hist) {
  tsr_tensor *weights = tsr_arg_opt_tensor(c, opt);
  if (weights != NULL) {
    if (weights->dtype != dtype) return tsr_op_fail(c->ctx, "torch.histogramdd: if weight tensor is provided, input tensor and weight tensor should have the same dtype");
    if (a->count > 0 && weights->numel != wide->numel / a->count)
      return tsr_op_fail(c->ctx, "torch.histogramdd: if weight tensor is provided it should have the same shape as the input tensor excluding its innermost dimension");
    TSR_TRY(tsr_ready(c->ctx, &weights, weights, TSR_FLOAT64));
  }
  TSR_TRY(widen_edges(c->ctx, a));
  TSR_TRY(count_points(c->ctx, a, wide, weights, dtype, hist));
  return tsr_arg_bool(c, opt + 1) ? to_density(c->ctx, a, hist) : TSR_OK;
}

static tsr_status even_axes(tsr_call *c, axes *a, tsr_tensor *wide, tsr_dtype dtype, uint32_t range_at) {
  int64_t n = 0;
  const double *range = NULL;
  if (!tsr_arg_is_none(c, range_at)) {
    range = tsr_arg_floats(c, range_at, &n);
    if (range == NULL) return tsr_op_nomem(c->ctx);
    if (n != 2 * a->count) return tsr_op_fail(c->ctx, "torch.histogramdd: for a %d-dimensional histogram range should have %d elements, but got %lld", a->count, 2 * a->count, (long long)n);
  }
  for (int d = 0; d < a->count; d++)
    if (a->bins[d] <= 0 || a->bins[d] > INT64_C(1) << 50)
      return tsr_op_fail(c->ctx, "torch.histogram(): bins must be > 0, but got %lld for dimension %d", (long long)a->bins[d], d);
  TSR_TRY(outer_edges(c->ctx, a, wide, range, 0.5, "torch.histogram(): dimension"));
  return even_edges(c->ctx, a, dtype);
}

TSR_KERNEL(histogram) {
  tsr_tensor *x = tsr_arg_tensor(c, 0), *wide, *hist, *bins = tsr_arg_opt_tensor(c, 1);
  axes a = {.count = 1, .rule = bins != NULL ? SEARCH : EVEN_THEN_SEARCH, .dtype = (tsr_dtype)x->dtype};
  TSR_TRY(check_data(c->ctx, x));
  TSR_TRY(tsr_ready(c->ctx, &wide, x, TSR_FLOAT64));
  if (bins != NULL) {
    TSR_TRY(given_edges(c->ctx, &a, 0, bins, x));
  } else {
    a.bins[0] = tsr_arg_int(c, 1);
    TSR_TRY(even_axes(c, &a, wide, (tsr_dtype)x->dtype, 2));
  }
  TSR_TRY(histogram(c, &a, wide, (tsr_dtype)x->dtype, bins != NULL ? 2 : 3, &hist));
  TSR_TRY(tsr_ret_tensor(c, 0, hist));
  return tsr_ret_tensor(c, 1, a.edges[0]);
}

static tsr_status open_axes(tsr_call *c, axes *a, tsr_tensor **wide) {
  tsr_tensor *x = tsr_arg_tensor(c, 0);
  TSR_TRY(check_data(c->ctx, x));
  if (x->ndim < 2) return tsr_op_fail(c->ctx, "torch.histogramdd: input tensor should have at least 2 dimensions, but got %d", x->ndim);
  int64_t count = x->size[x->ndim - 1];
  if (count < 1 || count > MAX_AXES) return tsr_op_fail(c->ctx, "torch.histogramdd: input of %lld dimensions is not supported", (long long)count);
  a->count = (int)count;
  a->dtype = (tsr_dtype)x->dtype;
  return tsr_ready(c->ctx, wide, x, TSR_FLOAT64);
}

/* bins: int[], int or Tensor[]; range, weight, density follow. */
static tsr_status histogramdd(tsr_call *c, axes *a, tsr_tensor **hist) {
  tsr_tensor *x = tsr_arg_tensor(c, 0), *wide = NULL;
  int64_t n = 0;
  TSR_TRY(open_axes(c, a, &wide));
  const tsr_list *list = c->args[1].tag == TSR_V_LIST ? c->args[1].l : NULL;
  bool tensors = list != NULL && list->len > 0 && list->items[0].tag == TSR_V_TENSOR;
  a->rule = tensors ? SEARCH : EVEN_THEN_SEARCH;
  if (list != NULL && (int64_t)list->len != a->count)
    return tsr_op_fail(c->ctx, "torch.histogramdd: expected %d sequences of bin edges for a %d-dimensional histogram but got %zu", a->count, a->count, list->len);
  if (tensors) {
    for (int d = 0; d < a->count; d++) TSR_TRY(given_edges(c->ctx, a, d, list->items[d].t, x));
  } else {
    const int64_t *bins;
    TSR_TRY(tsr_ints_arg(c, 1, &bins, &n));
    for (int d = 0; d < a->count; d++) a->bins[d] = bins[n == 1 ? 0 : d];
    TSR_TRY(even_axes(c, a, wide, (tsr_dtype)x->dtype, 2));
  }
  return histogram(c, a, wide, (tsr_dtype)x->dtype, 3, hist);
}

TSR_KERNEL(histogramdd) {
  axes a = {0};
  tsr_tensor *hist = NULL;
  TSR_TRY(histogramdd(c, &a, &hist));
  TSR_TRY(tsr_ret_tensor(c, 0, hist));
  if (c->args[1].tag == TSR_V_LIST && c->args[1].l->len > 0 && c->args[1].l->items[0].tag == TSR_V_TENSOR) { /* the edges given are the edges returned */
    for (int i = 0; i < a.count; i++) a.edges[i] = c->args[1].l->items[i].t;
  }
  return tsr_ret_tensors(c, 1, a.edges, a.count);
}

TSR_KERNEL(histogramdd_edges) {
  axes a = {0};
  tsr_tensor *hist = NULL;
  TSR_TRY(histogramdd(c, &a, &hist));
  return tsr_ret_tensors(c, 0, a.edges, a.count);
}

TSR_KERNEL(histogramdd_counts) {
  axes a = {0};
  tsr_tensor *hist = NULL;
  TSR_TRY(histogramdd(c, &a, &hist));
  return tsr_ret_tensor(c, 0, hist);
}

const tsr_op tsr_ops_histogram[] = {
    {"aten::histc(Tensor self, int bins=100, Scalar min=0, Scalar max=0) -> Tensor",
     op_histc, TSR_PURE},
    {"aten::histc.out(Tensor self, int bins=100, Scalar min=0, Scalar max=0, *, Tensor(a!) out) -> Tensor(a!)",
     op_histc, TSR_OUT},
    {"aten::histogram.bins_tensor(Tensor self, Tensor bins, *, Tensor? weight=None, bool density=False) -> (Tensor hist, Tensor bin_edges)",
     op_histogram, TSR_PURE},
    {"aten::histogram.bins_tensor_out(Tensor self, Tensor bins, *, Tensor? weight=None, bool density=False, Tensor(a!) hist, Tensor(b!) bin_edges) -> (Tensor(a!) hist, Tensor(b!) bin_edges)",
     op_histogram, TSR_OUT},
    {"aten::histogram.bin_ct(Tensor self, int bins=100, *, float[]? range=None, Tensor? weight=None, bool density=False) -> (Tensor hist, Tensor bin_edges)",
     op_histogram, TSR_PURE},
    {"aten::histogram.bin_ct_out(Tensor self, int bins=100, *, float[]? range=None, Tensor? weight=None, bool density=False, Tensor(a!) hist, Tensor(b!) bin_edges) -> (Tensor(a!) hist, Tensor(b!) bin_edges)",
     op_histogram, TSR_OUT},
    {"aten::histogramdd(Tensor self, int[] bins, float[]? range=None, Tensor? weight=None, bool density=False) -> (Tensor hist, Tensor[] bin_edges)",
     op_histogramdd, TSR_PURE},
    {"aten::histogramdd.int_bins(Tensor self, int bins, float[]? range=None, Tensor? weight=None, bool density=False) -> (Tensor hist, Tensor[] bin_edges)",
     op_histogramdd, TSR_PURE},
    {"aten::histogramdd.TensorList_bins(Tensor self, Tensor[] bins, float[]? range=None, Tensor? weight=None, bool density=False) -> (Tensor hist, Tensor[] bin_edges)",
     op_histogramdd, TSR_PURE},
    {"aten::_histogramdd_bin_edges(Tensor self, int[] bins, *, float[]? range=None, Tensor? weight=None, bool density=False) -> Tensor[]",
     op_histogramdd_edges, TSR_PURE},
    {"aten::_histogramdd_from_bin_cts(Tensor self, int[] bins, *, float[]? range=None, Tensor? weight=None, bool density=False) -> Tensor",
     op_histogramdd_counts, TSR_PURE},
    {"aten::_histogramdd_from_bin_cts.out(Tensor self, int[] bins, *, float[]? range=None, Tensor? weight=None, bool density=False, Tensor(a!) out) -> Tensor(a!)",
     op_histogramdd_counts, TSR_OUT_NEW},
    {0},
};
