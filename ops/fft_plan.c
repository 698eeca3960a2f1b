/* Mixed-radix decimation in time; lengths with a prime factor above 61 go through Bluestein's
 * convolution, so the cost stays n log n for every length.
 *
 * A library would do more than is wanted here: inputs are short, double precision makes float32
 * results correctly rounded but for the last bit, and the whole is two hundred lines. */
#include "ops/fft_plan.h"

#include <math.h>

enum { LARGEST_RADIX = 61 };

static tsr_c128 mul(tsr_c128 a, tsr_c128 b) { return (tsr_c128){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re}; }
static tsr_c128 add(tsr_c128 a, tsr_c128 b) { return (tsr_c128){a.re + b.re, a.im + b.im}; }
static tsr_c128 sub(tsr_c128 a, tsr_c128 b) { return (tsr_c128){a.re - b.re, a.im - b.im}; }
static tsr_c128 swap(tsr_c128 a) { return (tsr_c128){a.im, a.re}; }

/* exp(-pi i k / n), k reduced to keep the angle small */
static tsr_c128 half_root(int64_t k, int64_t n) {
  double angle = M_PI * (double)(k % (2 * n)) / (double)n;
  return (tsr_c128){cos(angle), -sin(angle)};
}

static bool factorise(tsr_fft_plan *p) {
  int64_t n = p->n;
  for (int64_t f = 4; n > 1;) {
    while (n % f == 0) {
      p->factors[p->factor_count++] = (int)f;
      n /= f;
    }
    f = f == 4 ? 2 : f == 2 ? 3 : f + 2;
    if (f > LARGEST_RADIX && n > 1) return false;
  }
  return true;
}

static tsr_status plan_bluestein(tsr_ctx *ctx, tsr_fft_plan *p) {
  int64_t n = p->n, m = 1;
  while (m < 2 * n - 1) m *= 2;
  TSR_TRY(tsr_fft_plan_new(ctx, m, &p->conv));
  p->chirp = tsr_scratch(ctx, (size_t)n * sizeof *p->chirp);
  p->kernel = tsr_scratch(ctx, (size_t)m * sizeof *p->kernel);
  tsr_c128 *b = tsr_scratch(ctx, (size_t)m * sizeof *b), *work = tsr_scratch(ctx, (size_t)tsr_fft_work_size(p->conv) * sizeof *work + 1);
  if (p->chirp == NULL || p->kernel == NULL || b == NULL || work == NULL) return ctx->err.status;
  for (int64_t k = 0; k < n; k++) {
    p->chirp[k] = half_root((int64_t)((unsigned __int128)k * (uint64_t)k % (uint64_t)(2 * n)), n);
    b[k] = (tsr_c128){p->chirp[k].re, -p->chirp[k].im};
    if (k > 0) b[m - k] = b[k];
  }
  tsr_fft_run(p->conv, true, b, p->kernel, work);
  return TSR_OK;
}

tsr_status tsr_fft_plan_new(tsr_ctx *ctx, int64_t n, tsr_fft_plan **out) {
  if (n > (int64_t)1 << 36) return tsr_ctx_nomem(ctx);
  tsr_fft_plan *p = tsr_scratch(ctx, sizeof *p);
  if (p == NULL) return ctx->err.status;
  p->n = n;
  *out = p;
  if (!factorise(p)) return plan_bluestein(ctx, p);
  p->roots = tsr_scratch(ctx, (size_t)n * sizeof *p->roots);
  if (p->roots == NULL) return ctx->err.status;
  for (int64_t k = 0; k < n; k++) p->roots[k] = half_root(2 * k, n);
  return TSR_OK;
}

int64_t tsr_fft_work_size(const tsr_fft_plan *p) { return p->conv != NULL ? 2 * p->conv->n : 0; }

static void butterfly2(tsr_c128 *t) {
  tsr_c128 a = t[0];
  t[0] = add(a, t[1]);
  t[1] = sub(a, t[1]);
}

static void butterfly4(tsr_c128 *t) {
  tsr_c128 a = add(t[0], t[2]), b = sub(t[0], t[2]), c = add(t[1], t[3]), d = sub(t[1], t[3]);
  tsr_c128 e = {d.im, -d.re}; /* -i d */
  t[0] = add(a, c);
  t[1] = add(b, e);
  t[2] = sub(a, c);
  t[3] = sub(b, e);
}

static void butterfly_any(const tsr_fft_plan *p, int r, tsr_c128 *t) {
  tsr_c128 s[LARGEST_RADIX + 1];
  int64_t step = p->n / r;
  for (int k = 0; k < r; k++) {
    s[k] = t[0];
    for (int q = 1; q < r; q++) s[k] = add(s[k], mul(t[q], p->roots[(int64_t)(q * k % r) * step]));
  }
  for (int k = 0; k < r; k++) t[k] = s[k];
}

static void transform(const tsr_fft_plan *p, const int *factors, int64_t n, const tsr_c128 *x, int64_t stride, tsr_c128 *out) {
  if (n == 1) {
    out[0] = x[0];
    return;
  }
  int r = factors[0];
  int64_t m = n / r, step = p->n / n;
  for (int q = 0; q < r; q++) transform(p, factors + 1, m, x + q * stride, stride * r, out + q * m);
  for (int64_t k = 0; k < m; k++) {
    tsr_c128 t[LARGEST_RADIX + 1];
    t[0] = out[k];
    for (int q = 1; q < r; q++) t[q] = mul(out[q * m + k], p->roots[q * k * step]);
    if (r == 2) butterfly2(t);
    else if (r == 4) butterfly4(t);
    else butterfly_any(p, r, t);
    for (int q = 0; q < r; q++) out[q * m + k] = t[q];
  }
}

static void run_bluestein(const tsr_fft_plan *p, const tsr_c128 *x, tsr_c128 *out, tsr_c128 *work) {
  int64_t n = p->n, m = p->conv->n;
  tsr_c128 *a = work, *b = work + m;
  for (int64_t k = 0; k < m; k++) a[k] = k < n ? mul(x[k], p->chirp[k]) : (tsr_c128){0, 0};
  transform(p->conv, p->conv->factors, m, a, 1, b);
  for (int64_t k = 0; k < m; k++) a[k] = swap(mul(b[k], p->kernel[k])); /* swapped: the forward transform inverts */
  transform(p->conv, p->conv->factors, m, a, 1, b);
  for (int64_t k = 0; k < n; k++) {
    tsr_c128 y = swap(b[k]);
    out[k] = mul((tsr_c128){y.re / (double)m, y.im / (double)m}, p->chirp[k]);
  }
}

static void run_forward(const tsr_fft_plan *p, const tsr_c128 *x, tsr_c128 *out, tsr_c128 *work) {
  if (p->conv != NULL) run_bluestein(p, x, out, work);
  else transform(p, p->factors, p->n, x, 1, out);
}

void tsr_fft_run(const tsr_fft_plan *p, bool forward, tsr_c128 *x, tsr_c128 *out, tsr_c128 *work) {
  if (forward) {
    run_forward(p, x, out, work);
    return;
  }
  /* The inverse is the forward transform between two exchanges of real and imaginary part. */
  for (int64_t k = 0; k < p->n; k++) x[k] = swap(x[k]);
  run_forward(p, x, out, work);
  for (int64_t k = 0; k < p->n; k++) out[k] = swap(out[k]);
}
