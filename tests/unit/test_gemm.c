/* Matrix tiles of every instruction set against plain loops in double, at awkward sizes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <math.h>
#include <cmocka.h>

#include "ops/gemm.h"

static tsr_mem *mem;
static tsr_pool *pool;

static uint32_t seed = 1;
static float number(void) { /* in [-1, 1) */
  seed = seed * 1664525u + 1013904223u;
  return (float)(int32_t)seed / 2147483648.0f;
}

static float *numbers(int64_t n) {
  float *p = malloc((size_t)(n + 1) * sizeof *p);
  assert_non_null(p);
  for (int64_t i = 0; i < n; i++) p[i] = number();
  return p;
}

static void begin(tsr_ctx *ctx, tsr_isa isa) {
  tsr_ctx_init(ctx, mem, pool);
  ctx->kernels = tsr_kernels_get(isa);
  assert_non_null(ctx->kernels);
}

static void end(tsr_ctx *ctx) {
  while (ctx->temp_count > 0) tsr_release(ctx->temps[--ctx->temp_count]);
  tsr_ctx_dispose(ctx);
}

static void check_close(const float *got, const double *want, int64_t n, int64_t terms) {
  for (int64_t i = 0; i < n; i++)
    if (!(fabs((double)got[i] - want[i]) <= 1e-6 * (double)(terms + 4))) fail_msg("element %ld: %g, expected %g", (long)i, (double)got[i], want[i]);
}

/* act(a . b + bias + residual), every stride of a and b. */
static void product_case(tsr_isa isa, int64_t m, int64_t n, int64_t k, bool at, bool bt) {
  tsr_ctx ctx;
  float *a = numbers(m * k), *b = numbers(k * n), *bias = numbers(n), *res = numbers(m * n), *c = numbers(m * n);
  double *want = malloc((size_t)(m * n + 1) * sizeof *want);
  tsr_epi epi = {.bias = bias, .residual = res, .act = TSR_ACT_RELU};
  tsr_product p = {m, n, k, 1, {a, at ? 1 : k, at ? m : 1}, {b, bt ? 1 : n, bt ? k : 1}, c, n, 0, 0, 0, &epi};
  for (int64_t i = 0; i < m; i++)
    for (int64_t j = 0; j < n; j++) {
      double s = (double)bias[j] + (double)res[i * n + j];
      for (int64_t e = 0; e < k; e++) s += (double)a[i * p.a.rs + e * p.a.cs] * (double)b[e * p.b.rs + j * p.b.cs];
      want[i * n + j] = s > 0 ? s : 0;
    }
  begin(&ctx, isa);
  assert_int_equal(tsr_gemm_product(&ctx, &p), TSR_OK);
  check_close(c, want, m * n, k);
  end(&ctx);
  free(a), free(b), free(bias), free(res), free(c), free(want);
}

static void each_isa(void (*fn)(tsr_isa)) {
  for (int i = 0; i < TSR_ISA_COUNT; i++)
    if (tsr_cpu_has((tsr_isa)i)) fn((tsr_isa)i);
}

static void products(tsr_isa isa) {
  static const int64_t sizes[][3] = {{1, 1, 1}, {1, 64, 300}, {2, 17, 3}, {5, 63, 64}, {6, 65, 65}, {7, 48, 33}, {8, 96, 1}, {13, 130, 7},
                                     {31, 16, 769}, {64, 200, 385}, {49, 15, 1600}, {3, 1, 50}, {50, 1, 9},
                                     /* large enough to fetch rows and results ahead */ {197, 96, 131}, {169, 70, 521}};
  for (size_t i = 0; i < TSR_COUNT(sizes); i++)
    for (int t = 0; t < 4; t++) product_case(isa, sizes[i][0], sizes[i][1], sizes[i][2], (t & 1) != 0, (t & 2) != 0);
}
static void test_products(void **state) { each_isa(products); }

/* A row stride of a multiple of 4096 bytes and rows that lie apart. */
static void strided(tsr_isa isa) {
  enum { M = 11, N = 70, K = 1024 };
  tsr_ctx ctx;
  float *a = numbers(M * 2 * K), *b = numbers(N * K), *c = numbers(M * 3 * N);
  double *want = malloc(M * N * sizeof *want);
  begin(&ctx, isa);
  tsr_packed plan = tsr_packed_plan(ctx.kernels->gemm, N, 1, K);
  plan.data = malloc((size_t)tsr_packed_floats(&plan) * sizeof(float));
  tsr_packed_fill(&ctx, &plan, b, 0, 1, K);
  tsr_gemm g = {.b = &plan, .m = M, .a = a, .lda = 2 * K, .c = c, .ldc = 3 * N};
  tsr_gemm_run(&ctx, &g);
  for (int i = 0; i < M; i++) {
    for (int j = 0; j < N; j++) {
      double s = 0;
      for (int e = 0; e < K; e++) s += (double)a[i * 2 * K + e] * (double)b[j * K + e];
      want[j] = s;
    }
    check_close(c + i * 3 * N, want, N, K);
  }
  end(&ctx);
  free(a), free(b), free(c), free(plan.data), free(want);
}
static void test_strided(void **state) { each_isa(strided); }

/* The bits of a result do not depend on the number of threads, nor on what is fetched meanwhile. */
static void threads_case(tsr_pool *eight, int64_t m, int64_t n, int64_t k) {
  tsr_ctx ctx;
  float *a = numbers(m * k), *b = numbers(k * n), *one = numbers(m * n), *many = numbers(m * n);
  begin(&ctx, tsr_cpu_isa());
  ctx.pool = eight;
  tsr_packed plan = tsr_packed_plan(ctx.kernels->gemm, n, 1, k);
  plan.data = malloc((size_t)tsr_packed_floats(&plan) * sizeof(float));
  tsr_packed_fill(&ctx, &plan, b, 0, 1, k);
  tsr_gemm g = {.b = &plan, .m = m, .a = a, .lda = k, .ldc = n};
  for (int threads = 1; threads <= 8; threads++) {
    ctx.max_threads = threads;
    g.c = threads == 1 ? one : many;
    g.next = threads == 1 ? NULL : &plan;
    tsr_gemm_run(&ctx, &g);
    if (threads > 1) assert_memory_equal(one, many, (size_t)(m * n) * sizeof *one);
  }
  end(&ctx);
  free(a), free(b), free(one), free(many), free(plan.data);
}
static void test_threads(void **state) {
  static const int64_t sizes[][3] = {{200, 300, 900}, {32, 384, 384}, {33, 385, 700}, {1, 500, 64}, {20, 65, 384}, {700, 64, 96}};
  tsr_pool *eight = tsr_pool_new(8);
  for (size_t i = 0; i < TSR_COUNT(sizes); i++) threads_case(eight, sizes[i][0], sizes[i][1], sizes[i][2]);
  tsr_pool_free(eight);
}

/* ---- weights that are computed while they are packed ---- */

typedef struct doubled { const float *w; int64_t length; int calls; } doubled;

static void twice(const void *recipe, int64_t row, int64_t rows, float *out) {
  doubled *d = (doubled *)(uintptr_t)recipe;
  __atomic_add_fetch(&d->calls, 1, __ATOMIC_RELAXED);
  for (int64_t i = 0; i < rows * d->length; i++) out[i] = 2 * d->w[row * d->length + i];
}

static void made(tsr_isa isa) {
  static const int64_t shapes[][3] = {{70, 1, 300}, {33, 9, 40}, {5, 3, 700}, {96, 25, 7}}; /* rows, taps, channels */
  for (size_t s = 0; s < TSR_COUNT(shapes); s++) {
    int64_t n = shapes[s][0], taps = shapes[s][1], c = shapes[s][2], at[25];
    tsr_ctx ctx;
    begin(&ctx, isa);
    tsr_packed p = tsr_packed_plan(ctx.kernels->gemm, n, taps, c), q = p;
    float *w = numbers(n * taps * c), *w2 = numbers(n * taps * c);
    for (int64_t i = 0; i < n * taps * c; i++) w2[i] = 2 * w[i];
    for (int64_t t = 0; t < taps; t++) at[t] = taps - 1 - t;
    p.data = malloc((size_t)tsr_packed_floats(&p) * sizeof(float));
    q.data = malloc((size_t)tsr_packed_floats(&p) * sizeof(float));
    doubled d = {w, taps * c, 0};
    tsr_maker m = {NULL, twice, &d};
    tsr_supply stored = {w2, NULL, taps * c}, computed = {NULL, &m, taps * c};
    assert_int_equal(tsr_packed_fill_rows(&ctx, &p, &stored, 0, at, taps), TSR_OK);
    assert_int_equal(tsr_packed_fill_rows(&ctx, &q, &computed, 0, at, taps), TSR_OK);
    assert_memory_equal(p.data, q.data, (size_t)tsr_packed_floats(&p) * sizeof(float));
    assert_int_equal(d.calls, p.panels); /* each row once */
    end(&ctx);
    free(w), free(w2), free(p.data), free(q.data);
  }
}
static void test_made(void **state) { each_isa(made); }

static double act_exact(tsr_act act, double x) {
  switch (act) {
  case TSR_ACT_RELU: return x > 0 ? x : 0;
  case TSR_ACT_RELU6: return x < 0 ? 0 : x > 6 ? 6 : x;
  case TSR_ACT_SILU: return x / (1 + exp(-x));
  case TSR_ACT_HARDSWISH: return x * fmin(6, fmax(0, x + 3)) / 6;
  case TSR_ACT_SIGMOID: return 1 / (1 + exp(-x));
  case TSR_ACT_HARDSIGMOID: return fmin(6, fmax(0, x + 3)) / 6;
  case TSR_ACT_GELU: return 0.5 * x * erfc(-x / sqrt(2));
  case TSR_ACT_GELU_TANH: return 0.5 * x * (1 + tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)));
  case TSR_ACT_TANH: return tanh(x);
  case TSR_ACT_LEAKY: return x > 0 ? x : 0.1 * x;
  case TSR_ACT_CLAMP: return fmin(2.5, fmax(0.1, x));
  case TSR_ACT_ELU: return x > 0 ? x : 0.1 * (exp(x) - 1);
  case TSR_ACT_MISH: return x * tanh(log1p(exp(x)));
  default: return x;
  }
}

static void activations(tsr_isa isa) {
  enum { N = 1001 };
  float x[N];
  for (int act = 0; act < TSR_ACT_COUNT; act++) {
    for (int i = 0; i < N; i++) x[i] = (float)(i - N / 2) * 0.025f;
    tsr_kernels_get(isa)->gemm->act((tsr_act)act, 0.1f, 2.5f, x, N);
    for (int i = 0; i < N; i++) {
      double in = (double)((float)(i - N / 2) * 0.025f), want = act_exact((tsr_act)act, in);
      double slack = act == TSR_ACT_GELU ? 2e-7 * fmax(2, fabs(in)) : 4e-7; /* vf_gelu_near */
      if (!(fabs((double)x[i] - want) <= slack + 2e-6 * fabs(want))) fail_msg("activation %d at %g: %g, expected %g", act, in, (double)x[i], want);
    }
  }
  x[0] = NAN;
  for (int act = TSR_ACT_RELU; act < TSR_ACT_COUNT; act++) {
    float y = x[0];
    tsr_kernels_get(isa)->gemm->act((tsr_act)act, 0.1f, 2.5f, &y, 1);
    if (!isnan(y)) fail_msg("activation %d lost a NaN", act);
  }
}
static void test_activations(void **state) { each_isa(activations); }

static void transposes(tsr_isa isa) {
  static const int64_t sizes[][2] = {{1, 1}, {16, 16}, {17, 15}, {33, 50}, {3, 100}};
  for (size_t s = 0; s < TSR_COUNT(sizes); s++) {
    int64_t r = sizes[s][0], c = sizes[s][1];
    float *a = numbers(r * c), *b = numbers(r * c);
    tsr_kernels_get(isa)->gemm->transpose(b, r, a, c, r, c);
    for (int64_t i = 0; i < r; i++)
      for (int64_t j = 0; j < c; j++) assert_true(b[j * r + i] == a[i * c + j]);
    free(a), free(b);
  }
}
static void test_transposes(void **state) { each_isa(transposes); }

int main(void) {
  mem = tsr_mem_new(0);
  pool = tsr_pool_new(2);
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_products), cmocka_unit_test(test_strided), cmocka_unit_test(test_threads), cmocka_unit_test(test_made),
                                     cmocka_unit_test(test_activations), cmocka_unit_test(test_transposes)};
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  tsr_pool_free(pool);
  tsr_mem_close(mem);
  return failed;
}
