/* Layer, RMS and group normalisation.  float32 by kernels, half types through float32, float64 by plain loops. */
#include "ops/norm.h"

#include <float.h>
#include <math.h>
#include <stdio.h>

#include "ops/native.h"
#include "ops/nn.h"

/* Run of n numbers with elementwise (or no) scale and shift: rows of a layer norm. */
typedef struct rows_job {
  const tsr_nn_fns *nn;
  bool f64, rms;
  void *y, *mean, *rstd; /* mean and rstd in the computing type, or NULL */
  const void *x, *w, *b;
  int64_t n;
  double eps;
} rows_job;

static void row_f64(const rows_job *j, int64_t r) {
  const double *x = (const double *)j->x + r * j->n, *w = j->w, *b = j->b;
  double *y = (double *)j->y + r * j->n, mean = 0, var = 0;
  if (!j->rms) {
    for (int64_t i = 0; i < j->n; i++) mean += x[i];
    mean /= (double)j->n;
  }
  for (int64_t i = 0; i < j->n; i++) var += (x[i] - mean) * (x[i] - mean);
  double rs = 1 / sqrt(var / (double)j->n + j->eps);
  for (int64_t i = 0; i < j->n; i++) {
    double v = (x[i] - mean) * rs;
    if (w != NULL) v *= w[i];
    if (b != NULL) v += b[i];
    y[i] = v;
  }
  if (j->mean != NULL) ((double *)j->mean)[r] = mean;
  if (j->rstd != NULL) ((double *)j->rstd)[r] = rs;
}

static void rows_task(void *arg, int64_t begin, int64_t end) {
  const rows_job *j = arg;
  for (int64_t r = begin; r < end; r++) {
    if (j->f64) {
      row_f64(j, r);
      continue;
    }
    const float *x = (const float *)j->x + r * j->n;
    float *y = (float *)j->y + r * j->n, *rstd = j->rstd == NULL ? NULL : (float *)j->rstd + r;
    if (!j->rms) {
      j->nn->layer_norm(y, x, j->w, j->b, j->n, (float)j->eps, j->mean == NULL ? NULL : (float *)j->mean + r, rstd);
    } else {
      j->nn->rms_norm(y, x, j->w, j->n, (float)j->eps);
      if (rstd != NULL) {
        float s = 0;
        for (int64_t i = 0; i < j->n; i++) s += x[i] * x[i];
        *rstd = 1.0f / sqrtf(s / (float)j->n + (float)j->eps);
      }
    }
  }
}

/* A parameter in the computing type, contiguous; NULL stays. */
static tsr_status param(tsr_ctx *ctx, const void **out, tsr_tensor *t, tsr_dtype d) {
  *out = NULL;
  if (t == NULL) return TSR_OK;
  TSR_TRY(tsr_ready(ctx, &t, t, d));
  *out = tsr_tensor_data_ro(t);
  return TSR_OK;
}

static bool is_narrow(const tsr_tensor *t) { return t->dtype == TSR_FLOAT16 || t->dtype == TSR_BFLOAT16; }

tsr_status tsr_norm_dtype(tsr_ctx *ctx, const tsr_tensor *x, const char *name, tsr_dtype *out) {
  *out = x->dtype == TSR_FLOAT64 ? TSR_FLOAT64 : TSR_FLOAT32;
  if (x->dtype == TSR_FLOAT32 || x->dtype == TSR_FLOAT64 || is_narrow(x)) return TSR_OK;
  return tsr_op_fail(ctx, "\"%s\" not implemented for '%s'", name, tsr_dtype_get_info(x->dtype)->cpp_name);
}

/* The first parameter's type decides whether types are mixed. */
tsr_status tsr_norm_mixed(tsr_ctx *ctx, const tsr_tensor *x, tsr_tensor *const *params, int n, bool *mixed) {
  int first = 0;
  while (first < n && params[first] == NULL) first++;
  *mixed = first < n && params[first]->dtype != x->dtype;
  for (int i = first; i < n && *mixed; i++)
    if (params[i] != NULL && params[i]->dtype != TSR_FLOAT32) return tsr_op_fail(ctx, "mixed dtype (CPU): expect parameter to have scalar type of Float");
  if (*mixed && !is_narrow(x)) return tsr_op_fail(ctx, "mixed dtype (CPU): all inputs must share same datatype.");
  for (int i = first; i < n && !*mixed; i++)
    if (params[i] != NULL && params[i]->dtype != x->dtype)
      return tsr_op_fail(ctx, "expected scalar type %s but found %s", tsr_dtype_get_info(x->dtype)->cpp_name, tsr_dtype_get_info(params[i]->dtype)->cpp_name);
  return TSR_OK;
}

static tsr_status check_shape(tsr_ctx *ctx, const tsr_tensor *x, const int64_t *shape, int64_t n, const tsr_tensor *w, const tsr_tensor *b, bool rms) {
  char ss[256], ts[256];
  tsr_sizes_print(ss, sizeof ss, (int)TSR_MIN(n, TSR_MAX_NDIM), shape);
  if (n < 1)
    return tsr_op_fail(ctx, "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, but got normalized_shape = %s", ss);
  const tsr_tensor *ps[2] = {w, b};
  for (int i = 0; i < 2; i++) {
    if (ps[i] == NULL) continue;
    if (ps[i]->ndim == n && memcmp(ps[i]->size, shape, (size_t)n * sizeof *shape) == 0) continue;
    tsr_sizes_print(ts, sizeof ts, ps[i]->ndim, ps[i]->size);
    return tsr_op_fail(ctx, "Expected %s to be of same shape as normalized_shape, but got %s of shape %s and normalized_shape = %s",
                       i == 0 ? "weight" : "bias", i == 0 ? "weight" : "bias", ts, ss);
  }
  if (x->ndim >= n && memcmp(x->size + x->ndim - n, shape, (size_t)n * sizeof *shape) == 0) return TSR_OK;
  char want[300];
  size_t at = (size_t)snprintf(want, sizeof want, "[*");
  for (int64_t i = 0; i < n && at < sizeof want; i++)
    at += (size_t)snprintf(want + at, sizeof want - at, rms ? "%s%lld" : ", %s%lld", rms && i > 0 ? ", " : "", (long long)shape[i]);
  tsr_sizes_print(ts, sizeof ts, x->ndim, x->size);
  return tsr_op_fail(ctx, "Given normalized_shape=%s, expected input with shape %s], but got input of size%s", ss, want, ts);
}

/* mean, rstd (may be NULL) get shape [leading dimensions, 1, …] in dtype `stats`. */
static tsr_status norm_rows(tsr_ctx *ctx, tsr_tensor **out, tsr_tensor **mean, tsr_tensor **rstd, tsr_tensor *x, int64_t nshape, tsr_tensor *w,
                            tsr_tensor *b, double eps, bool rms, tsr_dtype compute, tsr_dtype stats) {
  int64_t n = 1, rows = 1, size[TSR_MAX_NDIM];
  tsr_tensor *xc, *y, *m = NULL, *r = NULL;
  tsr_dtype d = (tsr_dtype)x->dtype;
  void *data;
  for (int i = 0; i < x->ndim; i++) {
    bool lead = i < x->ndim - nshape;
    size[i] = lead ? x->size[i] : 1;
    if (lead) rows *= x->size[i];
    else n *= x->size[i];
  }
  TSR_TRY(tsr_ready(ctx, &xc, x, compute));
  TSR_TRY(tsr_new(ctx, &y, compute, x->ndim, x->size));
  rows_job j = {.nn = ctx->kernels->nn, .f64 = compute == TSR_FLOAT64, .rms = rms, .x = tsr_tensor_data_ro(xc), .n = n, .eps = eps};
  TSR_TRY(tsr_data_mut(ctx, y, &j.y));
  if (mean != NULL) {
    TSR_TRY(tsr_new(ctx, &m, compute, x->ndim, size));
    TSR_TRY(tsr_data_mut(ctx, m, &j.mean));
  }
  if (rstd != NULL) {
    TSR_TRY(tsr_new(ctx, &r, compute, x->ndim, size));
    TSR_TRY(tsr_data_mut(ctx, r, &data));
    j.rstd = data;
  }
  TSR_TRY(param(ctx, &j.w, w, compute));
  TSR_TRY(param(ctx, &j.b, b, compute));
  if (n == 0 && rms && r != NULL) TSR_TRY(tsr_fill(ctx, r, tsr_scalar_float((double)NAN))); /* the mean of nothing */
  if (x->numel > 0) tsr_parallel_for(ctx, rows, TSR_MAX(1, 8192 / TSR_MAX(1, n)), rows_task, &j);
  TSR_TRY(tsr_to_dtype(ctx, out, y, d));
  if (mean != NULL) TSR_TRY(tsr_to_dtype(ctx, mean, m, stats));
  if (rstd != NULL) TSR_TRY(tsr_to_dtype(ctx, rstd, r, stats));
  return TSR_OK;
}

static tsr_status layer_norm(tsr_call *c, bool stats) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *x = tsr_arg_tensor(c, 0), *y, *mean, *rstd, *ps[2] = {tsr_arg_opt_tensor(c, 2), tsr_arg_opt_tensor(c, 3)};
  int64_t n;
  tsr_dtype compute;
  bool mixed;
  const int64_t *shape = tsr_arg_ints(c, 1, &n);
  if (shape == NULL) return tsr_op_nomem(ctx);
  TSR_TRY(check_shape(ctx, x, shape, n, ps[0], ps[1], false));
  TSR_TRY(tsr_norm_mixed(ctx, x, ps, 2, &mixed));
  TSR_TRY(tsr_norm_dtype(ctx, x, "LayerNormKernelImpl", &compute));
  tsr_dtype sd = mixed ? TSR_FLOAT32 : (tsr_dtype)x->dtype;
  TSR_TRY(norm_rows(ctx, &y, stats ? &mean : NULL, stats ? &rstd : NULL, x, n, ps[0], ps[1], tsr_arg_float(c, 4), false, compute, sd));
  if (stats) {
    TSR_TRY(tsr_ret_tensor(c, 1, mean));
    TSR_TRY(tsr_ret_tensor(c, 2, rstd));
  }
  return tsr_ret_tensor(c, 0, y);
}

TSR_KERNEL(layer_norm) { return layer_norm(c, false); }
TSR_KERNEL(native_layer_norm) { return layer_norm(c, true); }

/* Complex: x / sqrt(mean(x^2) + eps) by operators; a square, not an absolute value, as in PyTorch. */
static tsr_status rms_norm_complex(tsr_call *c, tsr_tensor *x, tsr_tensor *w, int64_t n) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *m;
  int64_t dims[TSR_MAX_NDIM];
  double eps = !tsr_arg_is_none(c, 3) ? tsr_arg_float(c, 3) : x->dtype == TSR_COMPLEX128 ? DBL_EPSILON : (double)FLT_EPSILON;
  for (int64_t i = 0; i < n; i++) dims[i] = x->ndim - n + i;
  TSR_TRY(tsr_binary(ctx, &m, "mul", x, x));
  TSR_TRY(tsr_reduce(ctx, &m, "mean", m, (int)n, dims, true, -1));
  TSR_TRY(tsr_binary_scalar(ctx, &m, "add", m, tsr_scalar_float(eps)));
  TSR_TRY(tsr_unary(ctx, &m, "rsqrt", m));
  TSR_TRY(tsr_binary(ctx, &m, "mul", x, m));
  if (w != NULL) TSR_TRY(tsr_binary(ctx, &m, "mul", m, w));
  return tsr_ret_tensor(c, 0, m);
}

static tsr_status rms_norm(tsr_call *c, bool stats) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *x = tsr_arg_tensor(c, 0), *w = tsr_arg_opt_tensor(c, 2), *y, *rstd;
  int64_t n;
  tsr_dtype compute, d = (tsr_dtype)x->dtype;
  const int64_t *shape = tsr_arg_ints(c, 1, &n);
  if (shape == NULL) return tsr_op_nomem(ctx);
  bool fits = n >= 1 && x->ndim >= n && memcmp(x->size + x->ndim - n, shape, (size_t)n * sizeof *shape) == 0 &&
              (w == NULL || (w->ndim == n && memcmp(w->size, shape, (size_t)n * sizeof *shape) == 0));
  if (stats && n == 0) n = x->ndim; /* no dimensions: all of them */
  if (!stats || x->ndim < n) TSR_TRY(check_shape(ctx, x, shape, n, w, NULL, true));
  if (!stats && (d == TSR_COMPLEX64 || d == TSR_COMPLEX128)) return rms_norm_complex(c, x, w, n);
  TSR_TRY(tsr_norm_dtype(ctx, x, "rms_norm", &compute));
  double eps = !tsr_arg_is_none(c, 3) ? tsr_arg_float(c, 3) : compute == TSR_FLOAT64 ? DBL_EPSILON : (double)FLT_EPSILON;
  /* the fused form broadcasts weights of any shape */
  TSR_TRY(norm_rows(ctx, &y, NULL, stats ? &rstd : NULL, x, n, fits ? w : NULL, NULL, eps, true, compute, compute));
  if (!fits && w != NULL) {
    TSR_TRY(tsr_binary(ctx, &y, "mul", y, w));
    TSR_TRY(tsr_to_dtype(ctx, &y, y, d));
  }
  if (stats) TSR_TRY(tsr_ret_tensor(c, 1, rstd));
  return tsr_ret_tensor(c, 0, y);
}

TSR_KERNEL(rms_norm) { return rms_norm(c, false); }
TSR_KERNEL(fused_rms_norm) { return rms_norm(c, true); }

/* ---- group norm ---- */

typedef struct group_job {
  const tsr_nn_fns *nn;
  bool f64, last;               /* channels last */
  void *y, *mean, *rstd;
  const void *x, *w, *b;
  int64_t c, s, groups;         /* channels, positions, groups */
  double eps;
} group_job;

static void group_f64(const group_job *j, int64_t at) {
  int64_t cg = j->c / j->groups, n = at / j->groups, g = at % j->groups;
  int64_t sc = j->last ? 1 : j->s, ss = j->last ? j->c : 1, base = n * j->c * j->s + g * cg * sc;
  const double *x = (const double *)j->x + base, *w = j->w, *b = j->b;
  double *y = (double *)j->y + base, mean = 0, var = 0;
  for (int64_t k = 0; k < cg; k++)
    for (int64_t i = 0; i < j->s; i++) mean += x[k * sc + i * ss];
  mean /= (double)(cg * j->s);
  for (int64_t k = 0; k < cg; k++)
    for (int64_t i = 0; i < j->s; i++) var += (x[k * sc + i * ss] - mean) * (x[k * sc + i * ss] - mean);
  double rs = 1 / sqrt(var / (double)(cg * j->s) + j->eps);
  for (int64_t k = 0; k < cg; k++)
    for (int64_t i = 0; i < j->s; i++) {
      double v = (x[k * sc + i * ss] - mean) * rs;
      if (w != NULL) v *= w[g * cg + k];
      if (b != NULL) v += b[g * cg + k];
      y[k * sc + i * ss] = v;
    }
  ((double *)j->mean)[at] = mean;
  ((double *)j->rstd)[at] = rs;
}

/* Mean and variance of a group from the moments of its runs (Chan's update). */
static void group_moments(const group_job *j, const float *x, int64_t runs, int64_t len, int64_t step, float *mean, float *var) {
  double mu = 0, m2 = 0, count = 0;
  for (int64_t i = 0; i < runs; i++) {
    float m, q;
    j->nn->moments(x + i * step, len, &m, &q);
    double delta = (double)m - mu, total = count + (double)len;
    mu += delta * (double)len / total;
    m2 += (double)q + delta * delta * count * (double)len / total;
    count = total;
  }
  *mean = (float)mu;
  *var = (float)(m2 / count);
}

static void group_f32(const group_job *j, int64_t at) {
  int64_t cg = j->c / j->groups, n = at / j->groups, g = at % j->groups, base = n * j->c * j->s + (j->last ? g * cg : g * cg * j->s);
  const float *x = (const float *)j->x + base, *w = j->w, *b = j->b;
  float *y = (float *)j->y + base, mean, var;
  if (j->last) group_moments(j, x, j->s, cg, j->c, &mean, &var);
  else group_moments(j, x, 1, cg * j->s, 0, &mean, &var);
  float rs = 1.0f / sqrtf(var + (float)j->eps);
  ((float *)j->mean)[at] = mean;
  ((float *)j->rstd)[at] = rs;
  if (!j->last) {
    for (int64_t k = 0; k < cg; k++) {
      float scale = w != NULL ? rs * w[g * cg + k] : rs, shift = (b != NULL ? b[g * cg + k] : 0) - mean * scale;
      j->nn->scale_shift(y + k * j->s, x + k * j->s, scale, shift, j->s);
    }
    return;
  }
  float scale[256], shift[256];
  for (int64_t k0 = 0; k0 < cg; k0 += 256) {
    int64_t k = TSR_MIN(256, cg - k0);
    for (int64_t i = 0; i < k; i++) {
      scale[i] = w != NULL ? rs * w[g * cg + k0 + i] : rs;
      shift[i] = (b != NULL ? b[g * cg + k0 + i] : 0) - mean * scale[i];
    }
    for (int64_t i = 0; i < j->s; i++) j->nn->scale_shift_v(y + i * j->c + k0, x + i * j->c + k0, scale, shift, k);
  }
}

static void group_task(void *arg, int64_t begin, int64_t end) {
  const group_job *j = arg;
  for (int64_t i = begin; i < end; i++) {
    if (j->f64) group_f64(j, i);
    else group_f32(j, i);
  }
}

static tsr_status group_norm(tsr_call *c, tsr_tensor *x, tsr_tensor *w, tsr_tensor *b, int64_t n, int64_t ch, int64_t s, int64_t groups, double eps, bool stats) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *xc = x, *y, *mean, *rstd, *ps[2] = {w, b};
  tsr_dtype compute, d = (tsr_dtype)x->dtype;
  bool mixed, last = x->ndim >= 4 && x->ndim <= 5 && tsr_tensor_is_channels_last(x) && !tsr_tensor_is_contiguous(x);
  int64_t size[2] = {n, groups};
  TSR_TRY(tsr_norm_mixed(ctx, x, ps, 2, &mixed));
  TSR_TRY(tsr_norm_dtype(ctx, x, "GroupNormKernelImpl", &compute));
  if (last) TSR_TRY(tsr_to_dtype(ctx, &xc, x, compute));
  else TSR_TRY(tsr_ready(ctx, &xc, x, compute));
  TSR_TRY(tsr_new_like(ctx, &y, xc, compute));
  if (!last) TSR_TRY(tsr_new(ctx, &y, compute, x->ndim, x->size));
  TSR_TRY(tsr_new(ctx, &mean, compute, 2, size));
  TSR_TRY(tsr_new(ctx, &rstd, compute, 2, size));
  group_job j = {.nn = ctx->kernels->nn, .f64 = compute == TSR_FLOAT64, .last = last, .x = tsr_tensor_data_ro(xc), .c = ch, .s = s, .groups = groups, .eps = eps};
  TSR_TRY(tsr_data_mut(ctx, y, &j.y));
  TSR_TRY(tsr_data_mut(ctx, mean, &j.mean));
  TSR_TRY(tsr_data_mut(ctx, rstd, &j.rstd));
  TSR_TRY(param(ctx, &j.w, w, compute));
  TSR_TRY(param(ctx, &j.b, b, compute));
  if (x->numel > 0) {
    tsr_parallel_for(ctx, n * groups, TSR_MAX(1, 8192 / (ch / groups * s)), group_task, &j);
  } else {
    TSR_TRY(tsr_fill(ctx, mean, tsr_scalar_float(0)));
    TSR_TRY(tsr_fill(ctx, rstd, tsr_scalar_float(NAN)));
  }
  TSR_TRY(tsr_to_dtype(ctx, &y, y, d));
  if (stats) {
    TSR_TRY(tsr_to_dtype(ctx, &mean, mean, mixed ? TSR_FLOAT32 : d));
    TSR_TRY(tsr_to_dtype(ctx, &rstd, rstd, mixed ? TSR_FLOAT32 : d));
    TSR_TRY(tsr_ret_tensor(c, 1, mean));
    TSR_TRY(tsr_ret_tensor(c, 2, rstd));
  }
  return tsr_ret_tensor(c, 0, y);
}

static tsr_status check_group(tsr_ctx *ctx, const tsr_tensor *x, const tsr_tensor *w, const tsr_tensor *b, int64_t ch, int64_t groups) {
  char xs[256], ps[256];
  tsr_sizes_print(xs, sizeof xs, x->ndim, x->size);
  if (groups <= 0) return tsr_op_fail(ctx, "Expected num groups to be greater than 0, got %lld", (long long)groups);
  if (ch % groups != 0)
    return tsr_op_fail(ctx, "Expected number of channels in input to be divisible by num_groups, but got input of shape %s and num_groups=%lld", xs,
                       (long long)groups);
  if (w != NULL && !(w->ndim == 1 && w->numel == ch)) {
    tsr_sizes_print(ps, sizeof ps, w->ndim, w->size);
    return tsr_op_fail(ctx, "Expected weight to be a vector of size equal to the number of channels in input, but got weight of shape %s and input of shape %s",
                       ps, xs);
  }
  if (b != NULL && !(b->ndim == 1 && b->numel == ch)) {
    tsr_sizes_print(ps, sizeof ps, w != NULL ? w->ndim : b->ndim, w != NULL ? w->size : b->size); /* as PyTorch prints it */
    return tsr_op_fail(ctx, "Expected bias to be a vector of size equal to the number of channels in input, but got bias of shape %s and input of shape %s",
                       ps, xs);
  }
  return TSR_OK;
}

TSR_KERNEL(group_norm) {
  tsr_tensor *x = tsr_arg_tensor(c, 0), *w = tsr_arg_opt_tensor(c, 2), *b = tsr_arg_opt_tensor(c, 3);
  int64_t groups = tsr_arg_int(c, 1), s = 1;
  if (x->ndim < 2) {
    int64_t dim;
    return tsr_wrap_dim(c->ctx, 1, x->ndim, &dim);
  }
  for (int d = 2; d < x->ndim; d++) s *= x->size[d];
  TSR_TRY(check_group(c->ctx, x, w, b, x->size[1], groups));
  return group_norm(c, x, w, b, x->size[0], x->size[1], s, groups, tsr_arg_float(c, 4), false);
}

TSR_KERNEL(native_group_norm) {
  tsr_tensor *x = tsr_arg_tensor(c, 0), *w = tsr_arg_opt_tensor(c, 1), *b = tsr_arg_opt_tensor(c, 2);
  int64_t n = tsr_arg_int(c, 3), ch = tsr_arg_int(c, 4), s = tsr_arg_int(c, 5), groups = tsr_arg_int(c, 6), total;
  TSR_TRY(check_group(c->ctx, x, w, b, ch, groups));
  if (!tsr_tensor_is_contiguous(x) && !tsr_tensor_is_channels_last(x))
    return tsr_op_fail(c->ctx, "Expected X.is_contiguous(memory_format) to be true, but got false.  (Could this error message be improved?  If so, please report an enhancement request to PyTorch.)");
  if (n < 0) return tsr_op_fail(c->ctx, "Trying to create tensor with negative dimension %lld: [%lld, %lld]", (long long)n, (long long)n, (long long)groups);
  if (s < 0 || tsr_mul_overflow(n, ch, &total) || tsr_mul_overflow(total, s, &total) || total != x->numel)
    return tsr_op_fail(c->ctx, "Expected input.numel() == N * C * HxW");
  return group_norm(c, x, w, b, n, ch, s, groups, tsr_arg_float(c, 7), true);
}

const tsr_op tsr_ops_norm[] = {
    {"aten::layer_norm(Tensor input, SymInt[] normalized_shape, Tensor? weight=None, Tensor? bias=None, float eps=1.0000000000000001e-05, "
     "bool cudnn_enable=True) -> Tensor", op_layer_norm, TSR_PURE},
    {"aten::native_layer_norm(Tensor input, SymInt[] normalized_shape, Tensor? weight, Tensor? bias, float eps) -> (Tensor, Tensor, Tensor)",
     op_native_layer_norm, TSR_PURE},
    {"aten::rms_norm(Tensor input, SymInt[] normalized_shape, Tensor? weight=None, float? eps=None) -> Tensor", op_rms_norm, TSR_PURE},
    {"aten::_fused_rms_norm(Tensor input, int[] normalized_shape, Tensor? weight, float? eps) -> (Tensor, Tensor)", op_fused_rms_norm, TSR_PURE},
    {"aten::group_norm(Tensor input, int num_groups, Tensor? weight=None, Tensor? bias=None, float eps=1.0000000000000001e-05, "
     "bool cudnn_enabled=True) -> Tensor", op_group_norm, TSR_PURE},
    {"aten::native_group_norm(Tensor input, Tensor? weight, Tensor? bias, SymInt N, SymInt C, SymInt HxW, int group, float eps) -> (Tensor, Tensor, Tensor)",
     op_native_group_norm, TSR_PURE},
    {0},
};
