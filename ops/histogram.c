/* histc, histogram, histogramdd: counts of points in boxes.
 *
 * Points are compared in their own type: float32 data in float32, as bin edges are. */
#include <float.h>
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

/* Smallest and largest point of axis d; NaN wins. */
static void extremes(const double *v, int64_t points, int64_t step, double *low, double *high) {
  *low = *high = v[0];
  for (int64_t i = 1; i < points; i++) {
    double e = v[i * step];
    *low = isnan(e) || e < *low ? e : *low;
    *high = isnan(e) || e > *high ? e : *high;
  }
}

/* Outer edges: the range argument, else the data's own, half a step further out when they are one point. */
static tsr_status outer_edges(tsr_call *c, axes *a, const tsr_tensor *x, uint32_t range_at) {
  tsr_ctx *ctx = c->ctx;
  int64_t points = a->count > 0 ? x->numel / a->count : 0, n = 0;
  const double *range = NULL;
  if (!tsr_arg_is_none(c, range_at)) {
    range = tsr_arg_floats(c, range_at, &n);
    if (range == NULL) return tsr_op_nomem(ctx);
    if (n != 2 * a->count)
      return tsr_op_fail(ctx, "torch.histogramdd: for a %d-dimensional histogram range should have %d elements, but got %lld", a->count, 2 * a->count, (long long)n);
  } else if (points > 0 && a->dtype != TSR_FLOAT32 && a->dtype != TSR_FLOAT64) {
    return tsr_op_fail(ctx, "\"histogramdd\" not implemented for '%s'", tsr_dtype_get_info(a->dtype)->cpp_name);
  }
  for (int d = 0; d < a->count; d++) {
    double low = 0, high = 1;
    if (range != NULL) low = range[2 * d], high = range[2 * d + 1];
    else if (points > 0) extremes((const double *)tsr_tensor_data_ro(x) + d, points, a->count, &low, &high);
    if (!isfinite(low) || !isfinite(high)) return tsr_op_fail(ctx, "torch.histogramdd: dimension %d's range [%g, %g] is not finite", d, low, high);
    if (low > high) return tsr_op_fail(ctx, "torch.histogramdd: min should not exceed max, but got min %g max %g for dimension %d", low, high, d);
    if (low == high) low -= 0.5, high += 0.5;
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

/* Element types of the out arguments, if there are any that PyTorch writes to directly (hist, then edges), and numbers of bins. */
static tsr_status check_results(tsr_call *c, const axes *a) {
  bool direct = (c->op->flags & TSR_OUT_NEW) != TSR_OUT_NEW;
  tsr_dtype d;
  if (direct && tsr_out_dtype(c, 0, &d) && d != a->dtype)
    return tsr_op_fail(c->ctx, "torch.histogram: input tensor and hist tensor should have the same dtype, but got input %s and hist %s", tsr_dtype_c_name(a->dtype),
                       tsr_dtype_c_name(d));
  for (int i = 0; i < a->count; i++) {
    if (i == 0 && c->nrets > 1 && tsr_out_dtype(c, 1, &d) && d != a->dtype)
      return tsr_op_fail(c->ctx, "torch.histogram: input tensor and bin_edges tensor should have the same dtype, but got input %s and bin_edges %s for dimension 0",
                         tsr_dtype_c_name(a->dtype), tsr_dtype_c_name(d));
    if (a->bins[i] <= 0 || a->bins[i] > INT64_C(1) << 50)
      return tsr_op_fail(c->ctx, "torch.histogram(): bins must be > 0, but got %lld for dimension %d", (long long)a->bins[i], i);
  }
  return TSR_OK;
}

static tsr_status histc_range(tsr_ctx *ctx, axes *a, const tsr_tensor *x, double low, double high) {
  if (low == high && x->numel > 0) {
    extremes(tsr_tensor_data_ro(x), x->numel, 1, &low, &high);
    double top = a->dtype == TSR_FLOAT64 ? DBL_MAX : a->dtype == TSR_FLOAT32 ? (double)FLT_MAX : (double)INFINITY; /* where PyTorch's search begins */
    low = low > top ? top : low;
    high = high < -top ? -top : high;
    if (!(isfinite(low) && isfinite(high))) return tsr_op_fail(ctx, "torch.histc: range of [%g, %g] is not finite", low, high);
  }
  if (low > high) return tsr_op_fail(ctx, "torch.histc: max must be larger than min");
  if (!(isfinite(low) && isfinite(high))) return tsr_op_fail(ctx, "torch.histc: range of [%g, %g] is not finite", low, high);
  if (low == high) low -= 1, high += 1;
  a->low[0] = low;
  a->high[0] = high;
  return TSR_OK;
}

TSR_KERNEL(histc) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *x = tsr_arg_tensor(c, 0), *y;
  tsr_dtype dtype = (tsr_dtype)x->dtype;
  axes a = {.count = 1, .rule = EVEN, .dtype = dtype};
  a.bins[0] = tsr_arg_int(c, 1);
  TSR_TRY(check_results(c, &a));
  TSR_TRY(tsr_ready(ctx, &x, x, TSR_FLOAT64));
  TSR_TRY(histc_range(ctx, &a, x, tsr_arg_scalar(c, 2).z.re, tsr_arg_scalar(c, 3).z.re));
  TSR_TRY(even_edges(ctx, &a, dtype)); /* not needed, but they must fit the type */
  TSR_TRY(check_data(ctx, tsr_arg_tensor(c, 0)));
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
static tsr_status given_edges(tsr_ctx *ctx, axes *a, int d, tsr_tensor *edges) {
  if (edges->dtype != a->dtype)
    return tsr_op_fail(ctx, "torch.histogramdd: input tensor and bins tensors should have the same dtype, but got input with dtype %s and bins for dimension %d with dtype %s",
                       tsr_dtype_c_name(a->dtype), d, tsr_dtype_c_name((tsr_dtype)edges->dtype));
  if (edges->ndim != 1)
    return tsr_op_fail(ctx, "torch.histogramdd: bins tensor should have one dimension, but got %d dimensions in the bins tensor for dimension %d", edges->ndim, d);
  if (edges->numel < 1)
    return tsr_op_fail(ctx, "torch.histogramdd: bins tensor should have at least 1 element, but got %lld elements in the bins tensor for dimension %d",
                       (long long)edges->numel, d);
  TSR_TRY(tsr_clone(ctx, &a->edges[d], edges));
  tsr_tensor *wide;
  TSR_TRY(tsr_ready(ctx, &wide, edges, TSR_FLOAT64));
  const double *v = tsr_tensor_data_ro(wide);
  a->bins[d] = edges->numel - 1;
  a->low[d] = v[0];
  a->high[d] = v[edges->numel - 1];
  return TSR_OK;
}

/* One weight for each of the points, of shape x without its last dimension. */
static tsr_status check_weight(tsr_ctx *ctx, const tsr_tensor *w, tsr_dtype d, int ndim, const int64_t *size) {
  char xs[256], ws[256];
  if (w == NULL) return TSR_OK;
  if (w->dtype != d)
    return tsr_op_fail(ctx, "torch.histogramdd: if weight tensor is provided, input tensor and weight tensor should have the same dtype, but got input(%s), and weight(%s)",
                       tsr_dtype_c_name(d), tsr_dtype_c_name((tsr_dtype)w->dtype));
  bool same = w->ndim == 0 ? ndim == 2 && size[0] == 1 : w->ndim == ndim - 1 && memcmp(w->size, size, w->ndim * sizeof *size) == 0;
  if (same) return TSR_OK;
  tsr_sizes_print(xs, sizeof xs, ndim, size);
  tsr_sizes_print(ws, sizeof ws, w->ndim, w->size);
  return tsr_op_fail(ctx, "torch.histogramdd: if weight tensor is provided it should have the same shape as the input tensor excluding its innermost dimension, but got input with shape %s and weight with shape %s",
                     xs, ws);
}

/* Shared tail: x is [points, count] in double; density at argument `density`. */
static tsr_status histogram(tsr_call *c, axes *a, tsr_tensor *x, tsr_tensor *weights, uint32_t density, tsr_tensor **hist) {
  TSR_TRY(check_data(c->ctx, tsr_arg_tensor(c, 0)));
  if (weights != NULL) TSR_TRY(tsr_ready(c->ctx, &weights, weights, TSR_FLOAT64));
  TSR_TRY(widen_edges(c->ctx, a));
  TSR_TRY(count_points(c->ctx, a, x, weights, a->dtype, hist));
  return tsr_arg_bool(c, density) ? to_density(c->ctx, a, hist) : TSR_OK;
}

/* In one dimension: any shape, and weights of any shape. */
TSR_KERNEL(histogram) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *x = tsr_arg_tensor(c, 0), *wide, *hist, *bins = tsr_arg_opt_tensor(c, 1), *weights = tsr_arg_opt_tensor(c, bins != NULL ? 2 : 3);
  axes a = {.count = 1, .rule = bins != NULL ? SEARCH : EVEN_THEN_SEARCH, .dtype = (tsr_dtype)x->dtype};
  int64_t size[2] = {x->numel, 1};
  if (weights != NULL) TSR_TRY(tsr_reshape(ctx, &weights, weights, 1, &weights->numel));
  TSR_TRY(tsr_ready(ctx, &wide, x, TSR_FLOAT64));
  if (bins != NULL) {
    TSR_TRY(given_edges(ctx, &a, 0, bins));
    TSR_TRY(check_weight(ctx, weights, a.dtype, 2, size));
    TSR_TRY(check_results(c, &a));
  } else {
    a.bins[0] = tsr_arg_int(c, 1);
    TSR_TRY(check_results(c, &a));
    TSR_TRY(outer_edges(c, &a, wide, 2));
    TSR_TRY(even_edges(ctx, &a, a.dtype));
    TSR_TRY(check_weight(ctx, weights, a.dtype, 2, size));
  }
  TSR_TRY(histogram(c, &a, wide, weights, bins != NULL ? 3 : 4, &hist));
  TSR_TRY(tsr_ret_tensor(c, 0, hist));
  return tsr_ret_tensor(c, 1, a.edges[0]);
}

/* ---- several dimensions ---- */

static tsr_status open_axes(tsr_call *c, axes *a) {
  tsr_tensor *x = tsr_arg_tensor(c, 0);
  if (x->ndim < 2) return tsr_op_fail(c->ctx, "torch.histogramdd: input tensor should have at least 2 dimensions");
  int64_t count = x->size[x->ndim - 1];
  if (count > MAX_AXES) return tsr_op_fail(c->ctx, "torch.histogramdd: histograms of %lld dimensions are not supported", (long long)count);
  a->count = (int)count;
  a->dtype = (tsr_dtype)x->dtype;
  return TSR_OK;
}

/* Even edges for bins of argument 1 (int[] or int), range at argument 2; any number of bins that linspace takes. */
static tsr_status edges_by_count(tsr_call *c, axes *a, tsr_tensor **wide) {
  tsr_tensor *x = tsr_arg_tensor(c, 0);
  const int64_t *bins;
  int64_t n;
  bool one = c->args[1].tag == TSR_V_INT; /* the same number for each dimension */
  if (one && x->ndim == 0) return tsr_op_fail(c->ctx, "Dimension specified as -1 but tensor has no dimensions");
  TSR_TRY(open_axes(c, a));
  TSR_TRY(tsr_ints_arg(c, 1, &bins, &n));
  TSR_TRY(tsr_ready(c->ctx, wide, x, TSR_FLOAT64));
  TSR_TRY(outer_edges(c, a, *wide, 2));
  if (!one && n != a->count) return tsr_op_fail(c->ctx, "histogramdd: The size of bins must be equal to the innermost dimension of the input.");
  a->rule = EVEN_THEN_SEARCH;
  for (int d = 0; d < a->count; d++) a->bins[d] = bins[one ? 0 : d];
  return even_edges(c->ctx, a, a->dtype);
}

static tsr_status counts_by_number(tsr_call *c, axes *a, tsr_tensor **hist) {
  tsr_tensor *x = tsr_arg_tensor(c, 0), *wide, *weights = tsr_arg_opt_tensor(c, 3);
  TSR_TRY(edges_by_count(c, a, &wide));
  for (int d = 0; d < a->count; d++) TSR_TRY(given_edges(c->ctx, a, d, a->edges[d]));
  TSR_TRY(check_weight(c->ctx, weights, a->dtype, x->ndim, x->size));
  TSR_TRY(check_results(c, a));
  return histogram(c, a, wide, weights, 4, hist);
}

/* Edges are a list of tensors, weight and density the arguments at `opt`. */
static tsr_status counts_by_edges(tsr_call *c, axes *a, uint32_t opt, tsr_tensor **hist) {
  tsr_tensor *x = tsr_arg_tensor(c, 0), *wide, *weights = tsr_arg_opt_tensor(c, opt), **bins;
  int64_t n;
  bins = tsr_arg_tensors(c, 1, &n);
  if (bins == NULL) return tsr_op_nomem(c->ctx);
  TSR_TRY(open_axes(c, a));
  a->rule = SEARCH;
  if (n != a->count)
    return tsr_op_fail(c->ctx, "torch.histogramdd: expected %d sequences of bin edges for a %d-dimensional histogram but got %lld", a->count, a->count, (long long)n);
  for (int d = 0; d < a->count; d++) TSR_TRY(given_edges(c->ctx, a, d, bins[d]));
  TSR_TRY(check_weight(c->ctx, weights, a->dtype, x->ndim, x->size));
  TSR_TRY(check_results(c, a));
  TSR_TRY(tsr_ready(c->ctx, &wide, x, TSR_FLOAT64));
  return histogram(c, a, wide, weights, opt + 1, hist);
}

TSR_KERNEL(histogramdd) {
  axes a = {0};
  tsr_tensor *hist = NULL;
  TSR_TRY(counts_by_number(c, &a, &hist));
  TSR_TRY(tsr_ret_tensor(c, 0, hist));
  return tsr_ret_tensors(c, 1, a.edges, a.count);
}

TSR_KERNEL(histogramdd_given) { /* the edges given are the edges returned */
  axes a = {0};
  tsr_tensor *hist = NULL, **bins;
  int64_t n;
  TSR_TRY(counts_by_edges(c, &a, 3, &hist));
  TSR_TRY(tsr_ret_tensor(c, 0, hist));
  bins = tsr_arg_tensors(c, 1, &n);
  return bins == NULL ? tsr_op_nomem(c->ctx) : tsr_ret_tensors(c, 1, bins, n);
}

TSR_KERNEL(histogramdd_edges) {
  axes a = {0};
  tsr_tensor *wide;
  TSR_TRY(edges_by_count(c, &a, &wide));
  return tsr_ret_tensors(c, 0, a.edges, a.count);
}

TSR_KERNEL(histogramdd_counts) {
  axes a = {0};
  tsr_tensor *hist = NULL;
  TSR_TRY(counts_by_number(c, &a, &hist));
  return tsr_ret_tensor(c, 0, hist);
}

TSR_KERNEL(histogramdd_from_edges) {
  axes a = {0};
  tsr_tensor *hist = NULL;
  TSR_TRY(counts_by_edges(c, &a, 2, &hist));
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
     op_histogramdd_given, TSR_PURE},
    {"aten::_histogramdd_bin_edges(Tensor self, int[] bins, *, float[]? range=None, Tensor? weight=None, bool density=False) -> Tensor[]",
     op_histogramdd_edges, TSR_PURE},
    {"aten::_histogramdd_from_bin_cts(Tensor self, int[] bins, *, float[]? range=None, Tensor? weight=None, bool density=False) -> Tensor",
     op_histogramdd_counts, TSR_PURE},
    {"aten::_histogramdd_from_bin_cts.out(Tensor self, int[] bins, *, float[]? range=None, Tensor? weight=None, bool density=False, Tensor(a!) out) -> Tensor(a!)",
     op_histogramdd_counts, TSR_OUT_NEW},
    {"aten::_histogramdd_from_bin_tensors(Tensor self, Tensor[] bins, *, Tensor? weight=None, bool density=False) -> Tensor",
     op_histogramdd_from_edges, TSR_PURE},
    {"aten::_histogramdd_from_bin_tensors.out(Tensor self, Tensor[] bins, *, Tensor? weight=None, bool density=False, Tensor(a!) out) -> Tensor(a!)",
     op_histogramdd_from_edges, TSR_OUT_NEW},
    {0},
};
