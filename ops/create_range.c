/* Factories of number sequences: arange, range, linspace, logspace, eye, windows, triangle indices.
 *
 * The sums are formed in the order PyTorch forms them: floats in blocks of 16 whose first element is
 * rounded to the result type and whose steps are added in the accumulation type. */
#include <math.h>
#include <stdio.h>

#include "ops/create.h"
#include "ops/native.h"
#include "ops/shape.h"

enum { BLOCK = 16 }; /* float32 lanes of the widest vectors; float64 has half */

static double as_double(tsr_scalar s) { return s.z.re; }

static bool is_float_scalar(tsr_scalar s) { return s.tag == TSR_V_FLOAT || s.tag == TSR_V_COMPLEX; }

/* ---- arange ---- */

static void fill_arange_f32(float *y, int64_t n, double start, double step) {
  int64_t i = 0;
  for (; i + 2 * BLOCK <= n; i += 2 * BLOCK)
    for (int half = 0; half < 2; half++) {
      float base = (float)(start + step * (double)(i + half * BLOCK));
      for (int k = 0; k < BLOCK; k++) y[i + half * BLOCK + k] = (float)(base + k * step);
    }
  for (; i < n; i++) y[i] = (float)(start + step * (double)i);
}

static void fill_arange_f64(double *y, int64_t n, double start, double step) {
  const int lanes = BLOCK / 2;
  int64_t i = 0;
  for (; i + 2 * lanes <= n; i += 2 * lanes)
    for (int half = 0; half < 2; half++) {
      double base = start + step * (double)(i + half * lanes);
      for (int k = 0; k < lanes; k++) y[i + half * lanes + k] = base + k * step;
    }
  for (; i < n; i++) y[i] = start + step * (double)i;
}

static void fill_arange_i64(int64_t *y, int64_t n, int64_t start, int64_t step) {
  uint64_t v = (uint64_t)start;
  for (int64_t i = 0; i < n; i++, v += (uint64_t)step) y[i] = (int64_t)v;
}

/* y[i] = start + i * step through a wide buffer for the other types. */
static tsr_status fill_arange(tsr_ctx *ctx, tsr_tensor *y, tsr_scalar start, tsr_scalar step) {
  void *p;
  TSR_TRY(tsr_data_mut(ctx, y, &p));
  int64_t n = y->numel;
  tsr_dtype dtype = (tsr_dtype)y->dtype;
  if (dtype == TSR_FLOAT32) fill_arange_f32(p, n, as_double(start), as_double(step));
  else if (dtype == TSR_FLOAT64) fill_arange_f64(p, n, as_double(start), as_double(step));
  else if (dtype == TSR_INT64) fill_arange_i64(p, n, start.i, step.i);
  else {
    bool integral = tsr_dtype_is_integral(dtype, false);
    for (int64_t i = 0; i < n; i++) {
      char *at = (char *)p + (size_t)i * tsr_dtype_size(dtype);
      float f = (float)as_double(start) + (float)as_double(step) * (float)i;
      int64_t v = (int64_t)((uint64_t)start.i + (uint64_t)step.i * (uint64_t)i);
      tsr_convert(dtype, at, integral ? TSR_INT64 : TSR_FLOAT32, integral ? (void *)&v : (void *)&f, 1);
    }
  }
  return TSR_OK;
}

static tsr_status arange_count(tsr_ctx *ctx, tsr_dtype dtype, tsr_scalar start, tsr_scalar end, tsr_scalar step, int64_t *n) {
  double lo = as_double(start), hi = as_double(end), by = as_double(step), count;
  if (by == 0 || isnan(by)) return tsr_op_fail(ctx, "step must be nonzero");
  if (!isfinite(lo) || !isfinite(hi)) return tsr_op_fail(ctx, "unsupported range: %g -> %g", lo, hi);
  bool integral = dtype == TSR_INT64; /* the other integer types are counted in double */
  if (integral && step.i == 0) return tsr_op_fail(ctx, "step must be nonzero");
  bool up = integral ? step.i > 0 : by > 0;
  if (up ? (integral ? end.i < start.i : hi < lo) : (integral ? end.i > start.i : hi > lo))
    return tsr_op_fail(ctx, "upper bound and lower bound inconsistent with step sign");
  if (dtype == TSR_INT64) {
    int64_t span;
    if (__builtin_sub_overflow(end.i, start.i, &span)) return tsr_op_fail(ctx, "invalid size, possible overflow?");
    uint64_t width = step.i > 0 ? (uint64_t)span : 0 - (uint64_t)span, unit = step.i > 0 ? (uint64_t)step.i : 0 - (uint64_t)step.i;
    *n = (int64_t)(width / unit + (width % unit != 0));
    return TSR_OK;
  }
  count = ceil((hi - lo) / by);
  if (!(count >= 0 && count <= 9.2e18)) return tsr_op_fail(ctx, "invalid size, possible overflow?");
  *n = (int64_t)count;
  return TSR_OK;
}

static tsr_status refuse_dtype(tsr_ctx *ctx, const char *what, tsr_dtype dtype) {
  return tsr_op_fail(ctx, "\"%s\" not implemented for '%s'", what, tsr_dtype_get_info(dtype)->cpp_name);
}

/* The tensor to fill in order: the out argument when it has n elements in whatever shape, in memory of its own when its strides are of another order. */
static tsr_status sequence_new(tsr_call *c, uint32_t opt, tsr_dtype dtype, int64_t n, tsr_tensor **y) {
  *y = tsr_factory_out(c, opt);
  if (*y == NULL || (*y)->numel != n) TSR_TRY(tsr_factory_new(c, opt, dtype, 1, &n, y));
  return tsr_tensor_is_contiguous(*y) ? TSR_OK : tsr_new(c->ctx, y, dtype, (*y)->ndim, (*y)->size);
}

static tsr_status sequence_ret(tsr_call *c, uint32_t opt, tsr_tensor *y) {
  tsr_tensor *out = tsr_factory_out(c, opt);
  if (out == NULL || out == y) return tsr_ret_tensor(c, 0, y);
  TSR_TRY(tsr_copy_into(c->ctx, out, y));
  return tsr_ret_tensor(c, 0, out);
}

/* start, end, step are arguments `at`, at + 1, at + 2 as far as the row has them; opt follows. */
static tsr_status arange(tsr_call *c, tsr_scalar start, tsr_scalar end, tsr_scalar step, uint32_t opt) {
  tsr_ctx *ctx = c->ctx;
  if (start.tag == TSR_V_COMPLEX || end.tag == TSR_V_COMPLEX || step.tag == TSR_V_COMPLEX)
    return tsr_op_fail(ctx, "value cannot be converted to type double without overflow");
  bool floating = is_float_scalar(start) || is_float_scalar(end) || is_float_scalar(step);
  tsr_dtype dtype;
  int64_t n = 0;
  tsr_tensor *y;
  TSR_TRY(tsr_factory_dtype(c, opt, floating ? TSR_FLOAT32 : TSR_INT64, &dtype));
  if (dtype == TSR_BOOL || tsr_dtype_is_complex(dtype)) return refuse_dtype(ctx, "arange_cpu", dtype);
  TSR_TRY(arange_count(ctx, dtype, start, end, step, &n));
  TSR_TRY(sequence_new(c, opt, dtype, n, &y));
  TSR_TRY(fill_arange(ctx, y, start, step));
  return sequence_ret(c, opt, y);
}

TSR_KERNEL(arange_end) { return arange(c, tsr_scalar_int(0), tsr_arg_scalar(c, 0), tsr_scalar_int(1), 1); }
TSR_KERNEL(arange_start) { return arange(c, tsr_arg_scalar(c, 0), tsr_arg_scalar(c, 1), tsr_scalar_int(1), 2); }
TSR_KERNEL(arange_step) { return arange(c, tsr_arg_scalar(c, 0), tsr_arg_scalar(c, 1), tsr_arg_scalar(c, 2), 3); }

static tsr_status range(tsr_call *c, tsr_scalar step, uint32_t opt) {
  tsr_ctx *ctx = c->ctx;
  tsr_scalar start = tsr_arg_scalar(c, 0), end = tsr_arg_scalar(c, 1);
  tsr_dtype dtype;
  tsr_tensor *y;
  TSR_TRY(tsr_factory_dtype(c, opt, TSR_FLOAT32, &dtype));
  bool whole = tsr_dtype_is_integral(dtype, false); /* counted in integers */
  double lo = whole ? (double)start.i : as_double(start), hi = whole ? (double)end.i : as_double(end), by = whole ? (double)step.i : as_double(step);
  if (dtype == TSR_BOOL || tsr_dtype_is_complex(dtype)) return refuse_dtype(ctx, "range_cpu", dtype);
  if (by == 0 || isnan(by)) return tsr_op_fail(ctx, "step must be nonzero");
  if (!isfinite(lo) || !isfinite(hi)) return tsr_op_fail(ctx, "unsupported range: %g -> %g", lo, hi);
  if (by > 0 ? hi < lo : hi > lo) return tsr_op_fail(ctx, "upper bound and lower bound inconsistent with step sign");
  double count = floor((hi - lo) / by) + 1;
  if (!(count >= 0 && count <= 9.2e18)) return tsr_op_fail(ctx, "invalid size, possible overflow?");
  int64_t n = (int64_t)count;
  TSR_TRY(sequence_new(c, opt, dtype, n, &y));
  void *p;
  TSR_TRY(tsr_data_mut(ctx, y, &p));
  for (int64_t i = 0; i < n; i++) {
    double v = lo + (double)i * by;
    int64_t k = (int64_t)((uint64_t)start.i + (uint64_t)i * (uint64_t)step.i);
    tsr_convert(dtype, (char *)p + (size_t)i * tsr_dtype_size(dtype), whole ? TSR_INT64 : TSR_FLOAT64, whole ? (void *)&k : (void *)&v, 1);
  }
  return sequence_ret(c, opt, y);
}

TSR_KERNEL(range) { return range(c, tsr_scalar_int(1), 2); }
TSR_KERNEL(range_step) { return range(c, tsr_arg_scalar(c, 2), 3); }

/* ---- linspace, logspace ---- */

/* One end point: a Scalar, or a 0-dim tensor. */
static tsr_status end_point(tsr_call *c, uint32_t i, const char *op, tsr_scalar *out) {
  const tsr_tensor *t = tsr_arg_opt_tensor(c, i);
  if (t == NULL) {
    *out = tsr_arg_scalar(c, i);
    return TSR_OK;
  }
  if (t->ndim != 0)
    return tsr_op_fail(c->ctx, "%s only supports 0-dimensional start and end tensors, but got %s with %d dimension(s).", op,
                       i == 0 ? "start" : "end", t->ndim);
  tsr_val v = tsr_tensor_get(c->ctx->mem, t, 0);
  if (v.tag == TSR_V_NONE) return tsr_op_nomem(c->ctx);
  *out = tsr_scalar_of(v);
  return tsr_temp(c->ctx, v);
}

static void linspace_f32(float *y, int64_t n, float lo, float hi) {
  float step = (hi - lo) / (float)(n - 1);
  int64_t half = n / 2, i = 0;
  for (; i + 2 * BLOCK <= n; i += 2 * BLOCK)
    for (int64_t b = i; b < i + 2 * BLOCK; b += BLOCK) {
      float base = b < half ? lo + step * (float)b : hi - step * (float)(n - b - 1);
      for (int k = 0; k < BLOCK; k++) y[b + k] = base + (float)k * step;
    }
  for (; i < n; i++) y[i] = i < half ? lo + step * (float)i : hi - step * (float)(n - i - 1);
}

static void linspace_f64(double *y, int64_t n, double lo, double hi) {
  double step = (hi - lo) / (double)(n - 1);
  int64_t half = n / 2, i = 0;
  for (; i + BLOCK <= n; i += BLOCK)
    for (int64_t b = i; b < i + BLOCK; b += BLOCK / 2) {
      double base = b < half ? lo + step * (double)b : hi - step * (double)(n - b - 1);
      for (int k = 0; k < BLOCK / 2; k++) y[b + k] = base + (double)k * step;
    }
  for (; i < n; i++) y[i] = i < half ? lo + step * (double)i : hi - step * (double)(n - i - 1);
}

static tsr_c128 lerp_point(tsr_c128 lo, tsr_c128 hi, int64_t i, int64_t n) {
  double s = (double)(n - 1), k = (double)i, back = (double)(n - 1 - i);
  tsr_c128 step = {(hi.re - lo.re) / s, (hi.im - lo.im) / s};
  if (i < n / 2) return (tsr_c128){lo.re + step.re * k, lo.im + step.im * k};
  return (tsr_c128){hi.re - step.re * back, hi.im - step.im * back};
}

/* The number as dtype holds it: -5 is 251 in uint8. */
static tsr_c128 in_dtype(tsr_dtype dtype, tsr_scalar s) {
  uint64_t raw[2];
  tsr_c128 z;
  bool integral = tsr_dtype_is_integral(dtype, false);
  tsr_convert(dtype, raw, integral ? TSR_INT64 : TSR_COMPLEX128, integral ? (void *)&s.i : (void *)&s.z, 1);
  tsr_convert(TSR_COMPLEX128, &z, dtype, raw, 1);
  return z;
}

static tsr_status fill_linspace(tsr_ctx *ctx, tsr_tensor *y, tsr_scalar start, tsr_scalar end) {
  void *p;
  int64_t n = y->numel;
  tsr_dtype dtype = (tsr_dtype)y->dtype;
  TSR_TRY(tsr_data_mut(ctx, y, &p));
  if (n == 1) return tsr_fill(ctx, y, start);
  if (dtype == TSR_FLOAT32) linspace_f32(p, n, (float)start.z.re, (float)end.z.re);
  else if (dtype == TSR_FLOAT64) linspace_f64(p, n, start.z.re, end.z.re);
  else {
    tsr_c128 lo = in_dtype(dtype, start), hi = in_dtype(dtype, end);
    for (int64_t i = 0; i < n; i++) {
      tsr_c128 v = lerp_point(lo, hi, i, n);
      tsr_convert(dtype, (char *)p + (size_t)i * tsr_dtype_size(dtype), TSR_COMPLEX128, &v, 1);
    }
  }
  return TSR_OK;
}

static tsr_status space(tsr_call *c, uint32_t opt, const char *op, tsr_scalar *start, tsr_scalar *end, tsr_tensor **y) {
  int64_t n = tsr_arg_int(c, 2);
  const tsr_tensor *a = tsr_arg_opt_tensor(c, 0), *b = tsr_arg_opt_tensor(c, 1);
  if (a != NULL && b != NULL && a->ndim + b->ndim > 0)
    return tsr_op_fail(c->ctx, "%s only supports 0-dimensional start and end tensors, but got start with %d dimension(s) and end with %d dimension(s).", op, a->ndim, b->ndim);
  TSR_TRY(end_point(c, 0, op, start));
  TSR_TRY(end_point(c, 1, op, end));
  if (n < 0) return tsr_op_fail(c->ctx, "number of steps must be non-negative");
  bool complex = start->tag == TSR_V_COMPLEX || end->tag == TSR_V_COMPLEX;
  tsr_dtype dtype;
  TSR_TRY(tsr_factory_dtype(c, opt, complex ? TSR_COMPLEX64 : TSR_FLOAT32, &dtype));
  if (dtype == TSR_BOOL && n > 1) return refuse_dtype(c->ctx, op[1] == 'i' ? "linspace_cpu" : "logspace_cpu", dtype);
  if (complex && !tsr_dtype_is_complex(dtype))
    return tsr_op_fail(c->ctx, "torch.%s(): inferred dtype ComplexFloat can't be safely cast to passed dtype %s", op,
                       tsr_dtype_get_info(dtype)->cpp_name);
  return sequence_new(c, opt, dtype, n, y);
}

TSR_KERNEL(linspace) {
  tsr_scalar start, end;
  tsr_tensor *y;
  TSR_TRY(space(c, 3, "linspace", &start, &end, &y));
  bool half = y->dtype == TSR_FLOAT16 || y->dtype == TSR_BFLOAT16; /* one of these is filled, which rounds */
  for (int i = 0; i < (y->numel > 1 ? 2 : half ? 0 : y->numel) && !tsr_dtype_is_complex((tsr_dtype)y->dtype); i++) { /* both ends fit the type */
    tsr_scalar v = i == 0 ? start : end;
    if (y->dtype == TSR_UINT8 && v.tag == TSR_V_FLOAT && v.d <= -1) return tsr_op_fail(c->ctx, "value cannot be converted to type uint8_t without overflow");
    TSR_TRY(tsr_scalar_check(c->ctx, v, (tsr_dtype)y->dtype));
  }
  if (y->numel > 0) TSR_TRY(fill_linspace(c->ctx, y, start, end));
  return sequence_ret(c, 3, y);
}

/* base ** z for a complex z. */
static tsr_c128 complex_power(double base, tsr_c128 z) {
  double log_abs = log(fabs(base)), arg = base < 0 ? M_PI : 0;
  double mag = exp(z.re * log_abs - z.im * arg), phase = z.im * log_abs + z.re * arg;
  if (z.im == 0 && arg == 0) return (tsr_c128){pow(base, z.re), 0};
  return (tsr_c128){mag * cos(phase), mag * sin(phase)};
}

static void fill_logspace(tsr_dtype dtype, void *p, int64_t n, tsr_c128 lo, tsr_c128 hi, double base) {
  bool complex = tsr_dtype_is_complex(dtype), wide = dtype == TSR_FLOAT64 || !tsr_dtype_is_float(dtype);
  float step = n > 1 ? (float)(hi.re - lo.re) / (float)(n - 1) : 0;
  double step_d = n > 1 ? (hi.re - lo.re) / (double)(n - 1) : 0;
  for (int64_t i = 0; i < n; i++) {
    tsr_c128 v = {0, 0};
    if (complex) v = complex_power(base, n > 1 ? lerp_point(lo, hi, i, n) : lo);
    else if (wide && n > 1) v.re = pow(base, i < n / 2 ? lo.re + step_d * (double)i : hi.re - step_d * (double)(n - 1 - i));
    else if (n > 1) v.re = pow(base, i < n / 2 ? (float)lo.re + step * (float)i : (float)hi.re - step * (float)(n - 1 - i));
    else v.re = pow(base, lo.re);
    tsr_convert(dtype, (char *)p + (size_t)i * tsr_dtype_size(dtype), TSR_COMPLEX128, &v, 1);
  }
}

TSR_KERNEL(logspace) {
  tsr_scalar start, end;
  tsr_tensor *y;
  void *p;
  TSR_TRY(space(c, 4, "logspace", &start, &end, &y));
  TSR_TRY(tsr_data_mut(c->ctx, y, &p));
  fill_logspace((tsr_dtype)y->dtype, p, y->numel, start.z, end.z, tsr_arg_float(c, 3));
  return sequence_ret(c, 4, y);
}

/* ---- eye, triangle indices ---- */

static tsr_status eye(tsr_call *c, int64_t n, int64_t m, uint32_t opt) {
  tsr_tensor *y, *diagonal;
  int64_t size[2] = {n, m};
  if (n < 0) return tsr_op_fail(c->ctx, "n must be greater or equal to 0, got %lld", (long long)n);
  if (m < 0) return tsr_op_fail(c->ctx, "m must be greater or equal to 0, got %lld", (long long)m);
  TSR_TRY(tsr_factory_new(c, opt, TSR_FLOAT32, 2, size, &y));
  TSR_TRY(tsr_fill(c->ctx, y, tsr_scalar_int(0)));
  TSR_TRY(tsr_diagonal(c->ctx, &diagonal, y, 0, 0, 1));
  TSR_TRY(tsr_fill(c->ctx, diagonal, tsr_scalar_int(1)));
  return tsr_ret_tensor(c, 0, y);
}

TSR_KERNEL(eye) { return eye(c, tsr_arg_int(c, 0), tsr_arg_int(c, 0), 1); }
TSR_KERNEL(eye_m) { return eye(c, tsr_arg_int(c, 0), tsr_arg_int(c, 1), 2); }

static const char lower = 1, upper = 2;

/* Elements of a rows × cols matrix on or below diagonal `offset`. */
static __int128 count_lower(int64_t rows, int64_t cols, int64_t offset) {
  int64_t first = TSR_MIN(TSR_MAX(-offset, 0), rows);                  /* rows before it are empty */
  int64_t full = TSR_MIN(TSR_MAX(cols - offset - 1, first), rows);     /* rows from it on are whole */
  __int128 ramp = (__int128)(full - first) * (first + offset + 1) + (__int128)(full - first) * (full - first - 1) / 2;
  return ramp + (__int128)(rows - full) * cols;
}

TSR_KERNEL(triangle_indices) {
  bool low = c->op->data == &lower;
  int64_t rows = tsr_arg_int(c, 0), cols = tsr_arg_int(c, 1), offset = tsr_arg_int(c, 2), k = 0, most = INT64_C(1) << 56;
  if (rows < 0) return tsr_op_fail(c->ctx, "row must be non-negative, got%lld", (long long)rows);
  if (cols < 0) return tsr_op_fail(c->ctx, "col must be non-negative, got%lld", (long long)cols);
  if (rows > most || cols > most) return tsr_op_nomem(c->ctx);
  offset = TSR_MIN(TSR_MAX(offset, -rows - 1), cols + 1);
  __int128 total = low ? count_lower(rows, cols, offset) : (__int128)rows * cols - count_lower(rows, cols, offset - 1);
  if (total > most) return tsr_op_nomem(c->ctx);
  int64_t count = (int64_t)total, size[2] = {2, count};
  tsr_tensor *wide, *y;
  void *p;
  TSR_TRY(tsr_new(c->ctx, &wide, TSR_INT64, 2, size));
  TSR_TRY(tsr_data_mut(c->ctx, wide, &p));
  int64_t *at = p;
  for (int64_t i = low ? TSR_MAX(-offset, 0) : 0; k < count; i++) {
    int64_t edge = TSR_MIN(TSR_MAX(low ? i + offset + 1 : i + offset, 0), cols);
    for (int64_t j = low ? 0 : edge; j < (low ? edge : cols); j++, k++) {
      at[k] = i;
      at[count + k] = j;
    }
  }
  TSR_TRY(tsr_factory_new(c, 3, TSR_INT64, 2, size, &y));
  TSR_TRY(tsr_copy_into(c->ctx, y, wide));
  return tsr_ret_tensor(c, 0, y);
}

/* ---- windows ---- */

typedef enum window_kind { HANN, HAMMING, BLACKMAN, BARTLETT, KAISER } window_kind;
typedef struct window { const char *name; window_kind kind; uint32_t opt; } window;
#define WINDOW(id, word, kind, opt) static const window id = {word, kind, opt}
WINDOW(hann1, "hann_window", HANN, 1);
WINDOW(hann2, "hann_window", HANN, 2);
WINDOW(hamming1, "hamming_window", HAMMING, 1);
WINDOW(hamming2, "hamming_window", HAMMING, 2);
WINDOW(hamming3, "hamming_window", HAMMING, 3);
WINDOW(hamming4, "hamming_window", HAMMING, 4);
WINDOW(blackman1, "blackman_window", BLACKMAN, 1);
WINDOW(blackman2, "blackman_window", BLACKMAN, 2);
WINDOW(bartlett1, "bartlett_window", BARTLETT, 1);
WINDOW(bartlett2, "bartlett_window", BARTLETT, 2);
WINDOW(kaiser1, "kaiser_window", KAISER, 1);
WINDOW(kaiser2, "kaiser_window", KAISER, 2);
WINDOW(kaiser3, "kaiser_window", KAISER, 3);

/* Modified Bessel function of order 0, by its series for small x and its integral form's
 * asymptotic series (x > 30, terms fall below 1e-16 before they grow). */
static double bessel_i0(double x) {
  double sum = 1, term = 1;
  x = fabs(x);
  if (x > 30) {
    for (int k = 1; k < 30; k++) {
      term *= (2.0 * k - 1) * (2.0 * k - 1) / (8.0 * k * x);
      sum += term;
    }
    return exp(x) / sqrt(2 * M_PI * x) * sum;
  }
  for (int k = 1; k < 200 && term > sum * 1e-18; k++) {
    term *= (x / 2 / k) * (x / 2 / k);
    sum += term;
  }
  return sum;
}

/* Sample i of an n-point symmetric window; float32's rounding steps where single is set. */
static double window_at(window_kind kind, int64_t i, int64_t n, double a, double b, bool single) {
  double x = (double)i, last = (double)(n - 1), arg;
#define ROUND(v) (single ? (double)(float)(v) : (v))
  switch (kind) {
  case HANN:
  case HAMMING:
    arg = ROUND(x * ROUND(2 * M_PI / last));
    return ROUND(ROUND(ROUND(cos(arg)) * ROUND(-b)) + ROUND(a));
  case BLACKMAN:
    arg = ROUND(x * ROUND(M_PI / last));
    return ROUND(ROUND(ROUND(ROUND(cos(ROUND(arg * 4))) * ROUND(0.08)) - ROUND(ROUND(cos(ROUND(arg * 2))) * 0.5)) + ROUND(0.42));
  case BARTLETT:
    arg = ROUND(x * ROUND(2 / last));
    return i > (n - 1) / 2 ? ROUND(2 - arg) : arg;
  default:
    arg = (x - last / 2) / (last / 2);
    return bessel_i0(b * sqrt(TSR_MAX(1 - arg * arg, 0))) / bessel_i0(b);
  }
#undef ROUND
}

/* The options of a factory call as PyTorch prints them; what the caller left out is "(default)". */
static void print_options(tsr_call *c, const window *w, tsr_dtype dtype, char *text, size_t cap) {
  uint32_t opt = w->opt;
  bool out = tsr_factory_out(c, opt) != NULL;
  const char *given[4]; /* dtype, layout, device, pin_memory */
  for (uint32_t i = 0; i < 4; i++) given[i] = out || (opt + i < c->nargs && !tsr_arg_is_none(c, opt + i)) ? "" : " (default)";
  if (w->kind != HANN && w->kind != HAMMING) given[0] = ""; /* the others settle the type before they look */
  bool sparse = *given[1] == '\0' && !out && tsr_arg_int(c, opt + 1) == 1, pinned = *given[3] == '\0' && !out && tsr_arg_bool(c, opt + 3);
  snprintf(text, cap, "TensorOptions(dtype=%s%s, device=cpu%s, layout=%s%s, requires_grad=false (default), pinned_memory=%s%s, memory_format=(nullopt))",
           tsr_dtype_c_name(dtype), given[0], given[2], sparse ? "Sparse" : "Strided", given[1], pinned ? "true" : "false", out ? " (default)" : given[3]);
}

static tsr_status check_window(tsr_call *c, const window *w, int64_t n, tsr_dtype *dtype) {
  char text[256];
  bool sparse = tsr_factory_out(c, w->opt) == NULL && w->opt + 1 < c->nargs && tsr_arg_int_or(c, w->opt + 1, 0) == 1;
  if (sparse) TSR_TRY(tsr_dtype_arg(c, w->opt, TSR_FLOAT32, dtype));
  else TSR_TRY(tsr_factory_dtype(c, w->opt, TSR_FLOAT32, dtype));
  print_options(c, w, *dtype, text, sizeof text);
  if (sparse) return tsr_op_fail(c->ctx, "%s is not implemented for sparse types, got: %s", w->name, text);
  bool complex = tsr_dtype_is_complex(*dtype);
  if (!tsr_dtype_is_float(*dtype) && !complex) return tsr_op_fail(c->ctx, "%s expects floating point dtypes, got: %s", w->name, text);
  if (n < 0) return tsr_op_fail(c->ctx, "%s requires non-negative window_length, got window_length=%lld", w->name, (long long)n);
  if (complex && n > 1) return tsr_op_fail(c->ctx, "\"arange_cpu\" not implemented for '%s'", tsr_dtype_get_info(*dtype)->cpp_name);
  return TSR_OK;
}

TSR_KERNEL(window) {
  const window *w = c->op->data;
  int64_t n = tsr_arg_int(c, 0), length = n;
  bool periodic = w->opt < 2 || tsr_arg_bool(c, 1);
  double a = w->kind == HANN ? 0.5 : 0.54, b = w->kind == HANN ? 0.5 : w->kind == KAISER ? 12 : 0.46;
  if (w->kind == HAMMING && w->opt > 2) a = tsr_arg_float(c, 2);
  if (w->kind == HAMMING && w->opt > 3) b = tsr_arg_float(c, 3);
  if (w->kind == KAISER && w->opt > 2) b = tsr_arg_float(c, 2);
  tsr_dtype dtype;
  tsr_tensor *y;
  void *p;
  TSR_TRY(check_window(c, w, n, &dtype));
  TSR_TRY(tsr_factory_new(c, w->opt, dtype, 1, &n, &y));
  TSR_TRY(tsr_data_mut(c->ctx, y, &p));
  if (periodic && n < INT64_MAX) length = n + 1;
  for (int64_t i = 0; i < n; i++) {
    double v = n == 1 ? 1 : window_at(w->kind, i, length, a, b, dtype != TSR_FLOAT64);
    tsr_convert(dtype, (char *)p + (size_t)i * tsr_dtype_size(dtype), TSR_FLOAT64, &v, 1);
  }
  return tsr_ret_tensor(c, 0, y);
}

const tsr_op tsr_ops_create_range[] = {
    {"aten::arange(Scalar end, *, " TSR_FACTORY_OPTIONS ") -> Tensor",
     op_arange_end, TSR_PURE | TSR_NOOPT},
    {"aten::arange.start(Scalar start, Scalar end, *, " TSR_FACTORY_OPTIONS ") -> Tensor",
     op_arange_start, TSR_PURE | TSR_NOOPT},
    {"aten::arange.start_step(Scalar start, Scalar end, Scalar step=1, *, " TSR_FACTORY_OPTIONS ") -> Tensor",
     op_arange_step, TSR_PURE | TSR_NOOPT},
    {"aten::arange.start_out(Scalar start, Scalar end, Scalar step=1, *, Tensor(a!) out) -> Tensor(a!)",
     op_arange_step, 0},
    {"aten::arange.out(Scalar end, *, Tensor(a!) out) -> Tensor(a!)",
     op_arange_end, 0},
    {"aten::range.step(Scalar start, Scalar end, Scalar step=1, *, " TSR_FACTORY_OPTIONS ") -> Tensor",
     op_range_step, TSR_PURE | TSR_NOOPT},
    {"aten::range(Scalar start, Scalar end, *, " TSR_FACTORY_OPTIONS ") -> Tensor",
     op_range, TSR_PURE | TSR_NOOPT},
    {"aten::range.out(Scalar start, Scalar end, Scalar step=1, *, Tensor(a!) out) -> Tensor(a!)",
     op_range_step, 0},
    {"aten::range.out_(Scalar start, Scalar end, *, Tensor(a!) out) -> Tensor(a!)",
     op_range, 0},
    {"aten::linspace.Tensor_Tensor(Tensor start, Tensor end, int steps, *, " TSR_FACTORY_OPTIONS ") -> Tensor",
     op_linspace, TSR_PURE | TSR_NOOPT},
    {"aten::linspace.Tensor_Scalar(Tensor start, Scalar end, int steps, *, " TSR_FACTORY_OPTIONS ") -> Tensor",
     op_linspace, TSR_PURE | TSR_NOOPT},
    {"aten::linspace.Scalar_Tensor(Scalar start, Tensor end, int steps, *, " TSR_FACTORY_OPTIONS ") -> Tensor",
     op_linspace, TSR_PURE | TSR_NOOPT},
    {"aten::linspace(Scalar start, Scalar end, int steps, *, " TSR_FACTORY_OPTIONS ") -> Tensor",
     op_linspace, TSR_PURE | TSR_NOOPT},
    {"aten::linspace.out(Scalar start, Scalar end, int steps, *, Tensor(a!) out) -> Tensor(a!)",
     op_linspace, 0},
    {"aten::linspace.Tensor_Tensor_out(Tensor start, Tensor end, int steps, *, Tensor(a!) out) -> Tensor(a!)",
     op_linspace, 0},
    {"aten::linspace.Tensor_Scalar_out(Tensor start, Scalar end, int steps, *, Tensor(a!) out) -> Tensor(a!)",
     op_linspace, 0},
    {"aten::linspace.Scalar_Tensor_out(Scalar start, Tensor end, int steps, *, Tensor(a!) out) -> Tensor(a!)",
     op_linspace, 0},
    {"aten::logspace.Tensor_Tensor(Tensor start, Tensor end, int steps, float base=10., *, " TSR_FACTORY_OPTIONS ") -> Tensor",
     op_logspace, TSR_PURE | TSR_NOOPT},
    {"aten::logspace.Tensor_Scalar(Tensor start, Scalar end, int steps, float base=10., *, " TSR_FACTORY_OPTIONS ") -> Tensor",
     op_logspace, TSR_PURE | TSR_NOOPT},
    {"aten::logspace.Scalar_Tensor(Scalar start, Tensor end, int steps, float base=10., *, " TSR_FACTORY_OPTIONS ") -> Tensor",
     op_logspace, TSR_PURE | TSR_NOOPT},
    {"aten::logspace(Scalar start, Scalar end, int steps, float base=10., *, " TSR_FACTORY_OPTIONS ") -> Tensor",
     op_logspace, TSR_PURE | TSR_NOOPT},
    {"aten::logspace.out(Scalar start, Scalar end, int steps, float base=10., *, Tensor(a!) out) -> Tensor(a!)",
     op_logspace, 0},
    {"aten::logspace.Tensor_Tensor_out(Tensor start, Tensor end, int steps, float base=10., *, Tensor(a!) out) -> Tensor(a!)",
     op_logspace, 0},
    {"aten::logspace.Tensor_Scalar_out(Tensor start, Scalar end, int steps, float base=10., *, Tensor(a!) out) -> Tensor(a!)",
     op_logspace, 0},
    {"aten::logspace.Scalar_Tensor_out(Scalar start, Tensor end, int steps, float base=10., *, Tensor(a!) out) -> Tensor(a!)",
     op_logspace, 0},
    {"aten::eye(SymInt n, *, " TSR_FACTORY_OPTIONS ") -> Tensor",
     op_eye, TSR_PURE | TSR_NOOPT},
    {"aten::eye.m(SymInt n, SymInt m, *, " TSR_FACTORY_OPTIONS ") -> Tensor",
     op_eye_m, TSR_PURE | TSR_NOOPT},
    {"aten::eye.out(SymInt n, *, Tensor(a!) out) -> Tensor(a!)",
     op_eye, 0},
    {"aten::eye.m_out(SymInt n, SymInt m, *, Tensor(a!) out) -> Tensor(a!)",
     op_eye_m, 0},
    {"aten::tril_indices(int row, int col, int offset=0, *, ScalarType? dtype=4, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor",
     op_triangle_indices, TSR_PURE | TSR_NOOPT, &lower},
    {"aten::tril_indices.out(int row, int col, int offset=0, *, Tensor(a!) out) -> Tensor(a!)",
     op_triangle_indices, 0, &lower},
    {"aten::triu_indices(int row, int col, int offset=0, *, ScalarType? dtype=4, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor",
     op_triangle_indices, TSR_PURE | TSR_NOOPT, &upper},
    {"aten::triu_indices.out(int row, int col, int offset=0, *, Tensor(a!) out) -> Tensor(a!)",
     op_triangle_indices, 0, &upper},
    {"aten::hann_window(int window_length, *, " TSR_FACTORY_OPTIONS ") -> Tensor",
     op_window, TSR_PURE | TSR_NOOPT, &hann1},
    {"aten::hann_window.out(int window_length, *, Tensor(a!) out) -> Tensor(a!)",
     op_window, 0, &hann1},
    {"aten::hann_window.periodic(int window_length, bool periodic, *, " TSR_FACTORY_OPTIONS ") -> Tensor",
     op_window, TSR_PURE | TSR_NOOPT, &hann2},
    {"aten::hann_window.periodic_out(int window_length, bool periodic, *, Tensor(a!) out) -> Tensor(a!)",
     op_window, 0, &hann2},
    {"aten::hamming_window(int window_length, *, " TSR_FACTORY_OPTIONS ") -> Tensor",
     op_window, TSR_PURE | TSR_NOOPT, &hamming1},
    {"aten::hamming_window.out(int window_length, *, Tensor(a!) out) -> Tensor(a!)",
     op_window, 0, &hamming1},
    {"aten::hamming_window.periodic(int window_length, bool periodic, *, " TSR_FACTORY_OPTIONS ") -> Tensor",
     op_window, TSR_PURE | TSR_NOOPT, &hamming2},
    {"aten::hamming_window.periodic_out(int window_length, bool periodic, *, Tensor(a!) out) -> Tensor(a!)",
     op_window, 0, &hamming2},
    {"aten::hamming_window.periodic_alpha(int window_length, bool periodic, float alpha, *, " TSR_FACTORY_OPTIONS ") -> Tensor",
     op_window, TSR_PURE | TSR_NOOPT, &hamming3},
    {"aten::hamming_window.periodic_alpha_out(int window_length, bool periodic, float alpha, *, Tensor(a!) out) -> Tensor(a!)",
     op_window, 0, &hamming3},
    {"aten::hamming_window.periodic_alpha_beta(int window_length, bool periodic, float alpha, float beta, *, " TSR_FACTORY_OPTIONS ") -> Tensor",
     op_window, TSR_PURE | TSR_NOOPT, &hamming4},
    {"aten::hamming_window.periodic_alpha_beta_out(int window_length, bool periodic, float alpha, float beta, *, Tensor(a!) out) -> Tensor(a!)",
     op_window, 0, &hamming4},
    {"aten::blackman_window(int window_length, *, " TSR_FACTORY_OPTIONS ") -> Tensor",
     op_window, TSR_PURE | TSR_NOOPT, &blackman1},
    {"aten::blackman_window.out(int window_length, *, Tensor(a!) out) -> Tensor(a!)",
     op_window, 0, &blackman1},
    {"aten::blackman_window.periodic(int window_length, bool periodic, *, " TSR_FACTORY_OPTIONS ") -> Tensor",
     op_window, TSR_PURE | TSR_NOOPT, &blackman2},
    {"aten::blackman_window.periodic_out(int window_length, bool periodic, *, Tensor(a!) out) -> Tensor(a!)",
     op_window, 0, &blackman2},
    {"aten::bartlett_window(int window_length, *, " TSR_FACTORY_OPTIONS ") -> Tensor",
     op_window, TSR_PURE | TSR_NOOPT, &bartlett1},
    {"aten::bartlett_window.out(int window_length, *, Tensor(a!) out) -> Tensor(a!)",
     op_window, 0, &bartlett1},
    {"aten::bartlett_window.periodic(int window_length, bool periodic, *, " TSR_FACTORY_OPTIONS ") -> Tensor",
     op_window, TSR_PURE | TSR_NOOPT, &bartlett2},
    {"aten::bartlett_window.periodic_out(int window_length, bool periodic, *, Tensor(a!) out) -> Tensor(a!)",
     op_window, 0, &bartlett2},
    {"aten::kaiser_window(int window_length, *, " TSR_FACTORY_OPTIONS ") -> Tensor",
     op_window, TSR_PURE | TSR_NOOPT, &kaiser1},
    {"aten::kaiser_window.periodic(int window_length, bool periodic, *, " TSR_FACTORY_OPTIONS ") -> Tensor",
     op_window, TSR_PURE | TSR_NOOPT, &kaiser2},
    {"aten::kaiser_window.beta(int window_length, bool periodic, float beta, *, " TSR_FACTORY_OPTIONS ") -> Tensor",
     op_window, TSR_PURE | TSR_NOOPT, &kaiser3},
    {"aten::kaiser_window.out(int window_length, *, Tensor(a!) out) -> Tensor(a!)",
     op_window, 0, &kaiser1},
    {"aten::kaiser_window.periodic_out(int window_length, bool periodic, *, Tensor(a!) out) -> Tensor(a!)",
     op_window, 0, &kaiser2},
    {"aten::kaiser_window.beta_out(int window_length, bool periodic, float beta, *, Tensor(a!) out) -> Tensor(a!)",
     op_window, 0, &kaiser3},
    {0},
};
