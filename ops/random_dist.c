/* Distributions whose parameters lie in tensors, drawn by rejection: poisson, gamma, Dirichlet, binomial.
 *
 * The numbers are those of PyTorch's generator: which steps are taken in the element's own precision decides when a draw is rejected, and with it
 * every number after that.  Elements are drawn in C order. */
#include <float.h>
#include <math.h>

#include "ops/native.h"
#include "ops/random.h"
#include "ops/shape.h"

static tsr_status want_float(tsr_ctx *ctx, const tsr_tensor *t, const char *kernel) {
  if (tsr_dtype_is_float((tsr_dtype)t->dtype)) return TSR_OK;
  return tsr_op_fail(ctx, "\"%s\" not implemented for '%s'", kernel, tsr_dtype_get_info(t->dtype)->cpp_name);
}

/* ---- poisson ---- */

/* Hörmann's transformed rejection for large rates, products of uniforms for small ones. */
static double draw_poisson(tsr_rng *r, double rate) {
  if (rate == 0) return 0;
  if (rate < 10) {
    double limit = exp(-rate), product = 1;
    for (double k = 0;; k++) {
      product *= tsr_rng_uniform(r);
      if (!(product > limit)) return k;
    }
  }
  double root = sqrt(rate), log_rate = log(rate), b = 0.931 + 2.53 * root, a = -0.059 + 0.02483 * b;
  double inv_alpha = 1.1239 + 1.1328 / (b - 3.4), vr = 0.9277 - 3.6224 / (b - 2);
  for (;;) {
    double u = tsr_rng_uniform(r) - 0.5, v = tsr_rng_uniform(r), us = 0.5 - fabs(u);
    double k = floor((2 * a / us + b) * u + rate + 0.43);
    if (!(k >= -0x1p63 && k < 0x1p63)) k = -0x1p63; /* an int64 in PyTorch: of infinite rates it returns this */
    if (us >= 0.07 && v <= vr) return k;
    if (k < 0 || (us < 0.013 && v > us)) continue;
    if (log(v) + log(inv_alpha) - log(a / (us * us) + b) <= -rate + k * log_rate - lgamma(k + 1)) return k;
  }
}

TSR_KERNEL(poisson) {
  tsr_tensor *x = tsr_arg_tensor(c, 0), *rates, *y;
  tsr_rng *r = NULL;
  void *data;
  TSR_TRY(tsr_rng_arg(c, 1, &r));
  TSR_TRY(want_float(c->ctx, x, "poisson_cpu"));
  TSR_TRY(tsr_ready(c->ctx, &rates, x, TSR_FLOAT64));
  TSR_TRY(tsr_new(c->ctx, &y, TSR_FLOAT64, x->ndim, x->size));
  TSR_TRY(tsr_data_mut(c->ctx, y, &data));
  const double *rate = tsr_tensor_data_ro(rates);
  for (int64_t i = 0; i < x->numel; i++) {
    if (!(rate[i] >= 0)) return tsr_op_fail(c->ctx, "invalid Poisson rate, expected rate to be non-negative");
    ((double *)data)[i] = draw_poisson(r, rate[i]);
  }
  TSR_TRY(tsr_to_dtype(c->ctx, &y, y, (tsr_dtype)x->dtype));
  return tsr_ret_tensor(c, 0, y);
}

/* The others' numbers depend on every step's precision: there are none to agree with for half types. */
static tsr_status want_wide(tsr_ctx *ctx, const tsr_tensor *t, const char *kernel) {
  if (t->dtype == TSR_FLOAT32 || t->dtype == TSR_FLOAT64) return TSR_OK;
  return tsr_op_fail(ctx, "\"%s\" not implemented for '%s'", kernel, tsr_dtype_get_info(t->dtype)->cpp_name);
}

/* ---- gamma ---- */

/* Smallest normal number of the type: a sample is never less. */
static double smallest(tsr_dtype d) { return d == TSR_FLOAT64 ? DBL_MIN : (double)FLT_MIN; }

/* Marsaglia and Tsang's squeeze of a cube of a normal.  alpha < 1 draws for alpha + 1 and scales by a power of a uniform. */
static tsr_status draw_gamma(tsr_ctx *ctx, tsr_rng *r, double alpha, tsr_dtype d, double *out) {
  bool wide = d == TSR_FLOAT64;
  double scale = 1, shape = alpha;
  *out = 0;
  if (shape == 0) return TSR_OK;
  if (shape < 1) {
    double power = wide ? 1 / shape : (double)(1.0f / (float)shape);
    scale = pow(1 - tsr_rng_uniform(r), power);
    shape = tsr_dtype_round(d, shape + 1);
  }
  double third = wide ? shape - (double)(1.0f / 3.0f) : (double)((float)shape - 1.0f / 3.0f);
  if (!(third >= 0)) return tsr_op_fail(ctx, "invalid gamma shape %g: it must not be negative or not a number", alpha); /* nothing would ever be accepted */
  double c = 1 / sqrt(9 * third);
  for (;;) {
    double x, y;
    do {
      x = tsr_rng_normal(r, 0, 1);
      y = 1 + c * x;
    } while (y <= 0);
    double v = y * y * y, u = 1 - tsr_rng_uniform(r), xx = x * x;
    *out = scale * third * v;
    if (u < 1 - (double)0.0331f * xx * xx) return TSR_OK;
    if (log(u) < 0.5 * xx + third * (1 - v + log(v))) return TSR_OK;
  }
}

/* A gamma sample for each of x's elements, in double, in C order; `d` is the precision that the sampler works in. */
static tsr_status gamma_samples(tsr_ctx *ctx, tsr_rng *r, tsr_tensor *x, tsr_dtype d, tsr_tensor **out) {
  tsr_tensor *shape;
  void *p;
  TSR_TRY(tsr_ready(ctx, &shape, x, TSR_FLOAT64));
  TSR_TRY(tsr_new(ctx, out, TSR_FLOAT64, x->ndim, x->size));
  TSR_TRY(tsr_data_mut(ctx, *out, &p));
  const double *alpha = tsr_tensor_data_ro(shape);
  double *y = p;
  for (int64_t i = 0; i < x->numel; i++) {
    TSR_TRY(draw_gamma(ctx, r, alpha[i], d, &y[i]));
    y[i] = fmax(smallest(d), tsr_dtype_round(d, y[i]));
  }
  return TSR_OK;
}

TSR_KERNEL(standard_gamma) {
  tsr_tensor *x = tsr_arg_tensor(c, 0), *y;
  tsr_rng *r = NULL;
  TSR_TRY(tsr_rng_arg(c, 1, &r));
  TSR_TRY(want_wide(c->ctx, x, "gamma_cpu"));
  TSR_TRY(gamma_samples(c->ctx, r, x, (tsr_dtype)x->dtype, &y));
  TSR_TRY(tsr_to_dtype(c->ctx, &y, y, (tsr_dtype)x->dtype));
  return tsr_ret_tensor(c, 0, y);
}

/* Gamma samples in double, divided by their sum along the last dimension; inside of (0, 1). */
TSR_KERNEL(sample_dirichlet) {
  tsr_tensor *x = tsr_arg_tensor(c, 0), *y;
  tsr_dtype d = (tsr_dtype)x->dtype;
  tsr_rng *r = NULL;
  void *p;
  TSR_TRY(tsr_rng_arg(c, 1, &r));
  TSR_TRY(want_wide(c->ctx, x, "dirichlet"));
  TSR_TRY(gamma_samples(c->ctx, r, x, TSR_FLOAT64, &y));
  TSR_TRY(tsr_data_mut(c->ctx, y, &p));
  double *v = p, below = 1 - (d == TSR_FLOAT64 ? 0x1p-53 : 0x1p-24);
  int64_t n = x->ndim > 0 ? x->size[x->ndim - 1] : 1;
  for (int64_t row = 0; n > 0 && row < x->numel / n; row++, v += n) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += v[i];
    for (int64_t i = 0; i < n; i++) v[i] = fmin(below, fmax(smallest(d), tsr_dtype_round(d, v[i] / sum)));
  }
  TSR_TRY(tsr_to_dtype(c->ctx, &y, y, d));
  return tsr_ret_tensor(c, 0, y);
}

/* ---- binomial ---- */

/* What Stirling's formula lacks of log k!. */
static double stirling_tail(double k) {
  static const double exact[] = {0.0810614667953272, 0.0413406959554092, 0.0276779256849983, 0.02079067210376509, 0.0166446911898211,
                                 0.0138761288230707, 0.0118967099458917, 0.0104112652619720, 0.00925546218271273, 0.00833056343336287};
  if (k >= 0 && k <= 9) return exact[(int)k];
  double square = (k + 1) * (k + 1);
  return (1.0 / 12 - (1.0 / 360 - 1.0 / 1260 / square) / square) / (k + 1);
}

/* Sums geometric waiting times until they exceed the count: for few expected successes. */
static double binomial_by_waiting(tsr_rng *r, double count, double p, bool single) {
  double sum = 0, n = 0, log_miss = single ? (double)log1pf(-(float)p) : log1p(-p);
  for (;;) {
    sum += ceil(log(tsr_rng_uniform(r)) / log_miss);
    if (sum > count) return n;
    n = single ? (double)((float)n + 1) : n + 1;
  }
}

#define STEP(v) (single ? (double)(float)(v) : (v)) /* a step in the element's own precision */

/* Hörmann's transformed rejection with squeeze. */
static double binomial_by_rejection(tsr_rng *r, double count, double p, bool single) {
  double product = STEP(count * p), miss = STEP(1 - p), variance = STEP(product * miss);
  double dev = single ? (double)sqrtf((float)variance) : sqrt(variance), b = 1.15 + 2.53 * dev, a = -0.0873 + 0.0248 * b + 0.01 * p, center = product + 0.5;
  double v_r = 0.92 - 4.2 / b, odds = STEP(p / miss), alpha = (2.83 + 5.1 / b) * dev, mode = floor(STEP(STEP(count + 1) * p));
  for (;;) {
    double u = tsr_rng_uniform(r) - 0.5, v = tsr_rng_uniform(r), us = 0.5 - fabs(u), k = STEP(floor((2 * a / us + b) * u + center));
    if (k < 0 || k > count) continue;
    if (us >= 0.07 && v <= v_r) return k;
    v = log(v * alpha / (a / (us * us) + b));
    double rest = STEP(STEP(count - k) + 1), next = STEP(k + 1);
    double bound = (mode + 0.5) * log((mode + 1) / (odds * (count - mode + 1))) + STEP(count + 1) * log((count - mode + 1) / rest) +
                   (k + 0.5) * log(odds * rest / next) + stirling_tail(mode) + stirling_tail(count - mode) - stirling_tail(k) - stirling_tail(STEP(count - k));
    if (v <= bound) return k;
  }
}

static double binomial_below_half(tsr_rng *r, double count, double p, bool single) {
  return STEP(count * p) >= 10 ? binomial_by_rejection(r, count, p, single) : binomial_by_waiting(r, count, p, single);
}

static tsr_status draw_binomial(tsr_ctx *ctx, tsr_rng *r, double count, double p, bool single, double *out) {
  if (count <= 0 || p <= 0) *out = 0;
  else if (p >= 1) *out = count;
  else if (isnan(p)) *out = NAN;
  else if (isnan(count)) return tsr_op_fail(ctx, "invalid binomial count nan"); /* no waiting time would ever exceed it */
  else if (p <= 0.5) *out = binomial_below_half(r, count, p, single);
  else *out = STEP(count - binomial_below_half(r, count, STEP(1 - p), single));
  return TSR_OK;
}

TSR_KERNEL(binomial) {
  tsr_ctx *ctx = c->ctx;
  tsr_tensor *count = tsr_arg_tensor(c, 0), *prob = tsr_arg_tensor(c, 1), *y;
  tsr_dtype d = (tsr_dtype)count->dtype;
  int64_t size[TSR_MAX_NDIM];
  int n;
  tsr_rng *r = NULL;
  void *p;
  TSR_TRY(tsr_rng_arg(c, 2, &r));
  for (int i = 0; i < 2; i++) {
    const tsr_tensor *t = i == 0 ? count : prob;
    if (!tsr_dtype_is_float((tsr_dtype)t->dtype))
      return tsr_op_fail(ctx, "binomial only supports floating-point dtypes for %s, got: %s", i == 0 ? "count" : "prob", tsr_dtype_get_info(t->dtype)->cpp_name);
  }
  TSR_TRY(tsr_broadcast_sizes(ctx, count->ndim, count->size, prob->ndim, prob->size, &n, size));
  if (prob->dtype != d) return tsr_op_fail(ctx, "Found dtype %s but expected %s", tsr_dtype_get_info(prob->dtype)->cpp_name, tsr_dtype_get_info(d)->cpp_name);
  TSR_TRY(want_wide(ctx, count, "binomial_cpu"));
  TSR_TRY(tsr_expand(ctx, &count, count, n, size));
  TSR_TRY(tsr_expand(ctx, &prob, prob, n, size));
  TSR_TRY(tsr_ready(ctx, &count, count, TSR_FLOAT64));
  TSR_TRY(tsr_ready(ctx, &prob, prob, TSR_FLOAT64));
  TSR_TRY(tsr_new(ctx, &y, TSR_FLOAT64, n, size));
  TSR_TRY(tsr_data_mut(ctx, y, &p));
  const double *counts = tsr_tensor_data_ro(count), *probs = tsr_tensor_data_ro(prob);
  for (int64_t i = 0; i < y->numel; i++) TSR_TRY(draw_binomial(ctx, r, counts[i], probs[i], d != TSR_FLOAT64, (double *)p + i));
  TSR_TRY(tsr_to_dtype(ctx, &y, y, d));
  return tsr_ret_tensor(c, 0, y);
}

const tsr_op tsr_ops_random_dist[] = {
    {"aten::poisson(Tensor self, Generator? generator=None) -> Tensor",
     op_poisson, TSR_EFFECT},
    {"aten::poisson.out(Tensor self, Generator? generator=None, *, Tensor(a!) out) -> Tensor(a!)",
     op_poisson, TSR_EFFECT | TSR_OUT_NEW},
    {"aten::_standard_gamma(Tensor self, Generator? generator=None) -> Tensor",
     op_standard_gamma, TSR_EFFECT},
    {"aten::_standard_gamma.out(Tensor self, Generator? generator=None, *, Tensor(a!) out) -> Tensor(a!)",
     op_standard_gamma, TSR_EFFECT | TSR_OUT_NEW},
    {"aten::_sample_dirichlet(Tensor self, Generator? generator=None) -> Tensor",
     op_sample_dirichlet, TSR_EFFECT},
    {"aten::_sample_dirichlet.out(Tensor self, Generator? generator=None, *, Tensor(a!) out) -> Tensor(a!)",
     op_sample_dirichlet, TSR_EFFECT | TSR_OUT_NEW},
    {"aten::binomial(Tensor count, Tensor prob, Generator? generator=None) -> Tensor",
     op_binomial, TSR_EFFECT},
    {"aten::binomial.out(Tensor count, Tensor prob, Generator? generator=None, *, Tensor(a!) out) -> Tensor(a!)",
     op_binomial, TSR_EFFECT | TSR_OUT_NEW},
    {0},
};
