/* Row kernels of every instruction set against plain loops in double: norms, softmax, sums, recurrent gates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <math.h>
#include <cmocka.h>

#include "ops/kernels.h"
#include "ops/nn.h"

enum { MOST = 300 };
static const int64_t lengths[] = {1, 3, 4, 7, 8, 9, 15, 16, 17, 31, 33, 64, 65, 129, 300};

static uint32_t seed = 1;
static float number(void) {
  seed = seed * 1664525u + 1013904223u;
  return (float)(int32_t)seed / 1073741824.0f;
}

static void fill(float *p, int64_t n) {
  for (int64_t i = 0; i < n; i++) p[i] = number();
}

static void close_to(float got, double want, const char *what, int64_t n) {
  if (!(fabs((double)got - want) <= 3e-6 + 3e-6 * fabs(want))) fail_msg("%s of %ld: %.9g, expected %.9g", what, (long)n, (double)got, want);
}

static void norms(const tsr_nn_fns *f, int64_t n) {
  float x[MOST], y[MOST + 1], w[MOST], b[MOST], mean, rstd;
  double mu = 0, var = 0, sq = 0;
  fill(x, n), fill(w, n), fill(b, n);
  for (int64_t i = 0; i < n; i++) mu += (double)x[i] / (double)n, sq += (double)x[i] * (double)x[i] / (double)n;
  for (int64_t i = 0; i < n; i++) var += ((double)x[i] - mu) * ((double)x[i] - mu) / (double)n;
  y[n] = 42;
  f->layer_norm(y, x, w, b, n, 1e-3f, &mean, &rstd);
  close_to(mean, mu, "mean", n);
  close_to(rstd, 1 / sqrt(var + 1e-3), "rstd", n);
  for (int64_t i = 0; i < n; i++) close_to(y[i], ((double)x[i] - mu) / sqrt(var + 1e-3) * (double)w[i] + (double)b[i], "layer norm", n);
  f->rms_norm(y, x, w, n, 1e-3f);
  for (int64_t i = 0; i < n; i++) close_to(y[i], (double)x[i] / sqrt(sq + 1e-3) * (double)w[i], "rms norm", n);
  assert_true(y[n] == 42); /* nothing beyond the end */
}

/* Weights and their sum: no mask, one, two; NaN spreads, what is -inf or far below the largest is exactly 0. */
static void weights(const tsr_nn_fns *f, int64_t n) {
  float x[MOST], y[MOST], a[MOST], b[MOST];
  fill(x, n), fill(a, n), fill(b, n);
  for (int masks = 0; masks <= 2; masks++) {
    double v[MOST], most = -INFINITY, sum = 0;
    for (int64_t i = 0; i < n; i++) {
      v[i] = (double)x[i] * -2.5 + (masks > 0 ? (double)a[i] : 0) + (masks > 1 ? (double)b[i] : 0);
      most = fmax(most, v[i]);
    }
    for (int64_t i = 0; i < n; i++) sum += exp(v[i] - most);
    memcpy(y, x, sizeof y);
    close_to(f->weigh(y, masks > 0 ? a : NULL, masks > 1 ? b : NULL, -2.5f, n), sum, "sum of weights", n);
    for (int64_t i = 0; i < n; i++) close_to(y[i], exp(v[i] - most), "weight", n);
  }
  for (int64_t i = 0; i < n; i++) y[i] = i == n / 2 ? 0 : i % 2 == 0 ? -INFINITY : -100;
  assert_true(f->weigh(y, NULL, NULL, 1, n) == 1);
  for (int64_t i = 0; i < n; i++) assert_true(y[i] == (i == n / 2 ? 1 : 0));
  y[n / 2] = NAN;
  assert_true(isnan(f->weigh(y, NULL, NULL, 1, n)));
  for (int64_t i = 0; i < n; i++) y[i] = -INFINITY;
  assert_true(isnan(f->weigh(y, NULL, NULL, 1, n)));
}

/* Rows in registers: as weigh has them, divided by their sums. */
static void few_weights(const tsr_nn_fns *f, int64_t n) {
  enum { ROWS = 3 };
  int64_t ld = (n + 15) / 16 * 16;
  float x[ROWS * MOST], y[MOST], a[ROWS * MOST], b[MOST], sums[ROWS];
  if (n > f->few || ld > MOST) return;
  memset(x, 0, sizeof x);
  for (int masks = 0; masks <= 2; masks++) {
    for (int r = 0; r < ROWS; r++) fill(x + r * ld, n);
    fill(a, ROWS * n), fill(b, n);
    tsr_weigh w = {x, ld, ROWS, n, masks > 0 ? a : NULL, masks > 1 ? b : NULL, n, 0, -2.5f, sums};
    float given[ROWS * MOST];
    memcpy(given, x, sizeof x);
    f->weigh_few(&w);
    for (int r = 0; r < ROWS; r++) {
      memcpy(y, given + r * ld, (size_t)n * sizeof *y);
      float sum = f->weigh(y, masks > 0 ? a + r * n : NULL, masks > 1 ? b : NULL, -2.5f, n);
      close_to(sums[r], (double)sum, "sum of few weights", n);
      for (int64_t i = 0; i < n; i++) close_to(x[r * ld + i], (double)(y[i] / sum), "few weights", n);
    }
  }
  x[ld + n - 1] = NAN;
  for (int64_t i = 0; i < n; i++) x[2 * ld + i] = -INFINITY;
  f->weigh_few(&(tsr_weigh){x, ld, ROWS, n, NULL, NULL, 0, 0, 1, sums});
  assert_true(!isnan(sums[0]) && isnan(sums[1]) && isnan(sums[2]));
}

static void rows(const tsr_nn_fns *f, int64_t n) {
  float x[MOST], y[MOST];
  double most = -INFINITY, all = 0;
  fill(x, n);
  for (int64_t i = 0; i < n; i++) all += (double)x[i], most = fmax(most, (double)x[i]);
  close_to(f->sum(x, n), all, "sum", n);
  assert_true((double)f->max(x, n) == most);
  f->scale_shift(y, x, 1.5f, -2, n);
  for (int64_t i = 0; i < n; i++) close_to(y[i], (double)x[i] * 1.5 - 2, "scale and shift", n);
  x[n / 2] = NAN;
  assert_true(isnan(f->max(x, n)));
}

static double sigmoid(double v) { return 1 / (1 + exp(-v)); }

static void gates(const tsr_nn_fns *f, int64_t n) {
  float g[4 * MOST], r[4 * MOST], c[MOST], before[MOST], h[MOST], out[MOST];
  fill(g, 4 * MOST), fill(r, 4 * MOST), fill(c, n), fill(h, n);
  memcpy(before, c, sizeof c);
  f->lstm_gates(g, MOST, c, out, n);
  for (int64_t i = 0; i < n; i++) {
    double next = sigmoid((double)g[MOST + i]) * (double)before[i] + sigmoid((double)g[i]) * tanh((double)g[2 * MOST + i]);
    close_to(c[i], next, "cell", n);
    close_to(out[i], sigmoid((double)g[3 * MOST + i]) * tanh(next), "hidden", n);
  }
  f->gru_gates(g, r, MOST, h, out, n);
  for (int64_t i = 0; i < n; i++) {
    double reset = sigmoid((double)g[i] + (double)r[i]), update = sigmoid((double)g[MOST + i] + (double)r[MOST + i]);
    double fresh = tanh((double)g[2 * MOST + i] + reset * (double)r[2 * MOST + i]);
    close_to(out[i], ((double)h[i] - fresh) * update + fresh, "gru", n);
  }
}

static void test_all(void **state) {
  for (int isa = 0; isa < TSR_ISA_COUNT; isa++) {
    if (!tsr_cpu_has((tsr_isa)isa)) continue;
    const tsr_nn_fns *f = tsr_kernels_get((tsr_isa)isa)->nn;
    for (size_t i = 0; i < TSR_COUNT(lengths); i++) {
      norms(f, lengths[i]);
      rows(f, lengths[i]);
      weights(f, lengths[i]);
      few_weights(f, lengths[i]);
      gates(f, lengths[i]);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_all)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
