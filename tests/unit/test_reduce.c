/* Reductions against plain loops, over every set of dimensions and several layouts; independence of
 * the thread count; positions, NaN and empty tensors; softmax; running sums. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <math.h>
#include <cmocka.h>

#include "ops/native.h"

static tsr_mem *mem;
static tsr_pool *pool;
static tsr_ctx ctx;

static void open_ctx(int threads) {
  mem = tsr_mem_new(0);
  pool = tsr_pool_new(threads);
  tsr_ctx_init(&ctx, mem, pool);
}
static void close_ctx(void) {
  while (ctx.temp_count > 0) tsr_release(ctx.temps[--ctx.temp_count]);
  tsr_ctx_dispose(&ctx);
  tsr_pool_free(pool);
  assert_int_equal(tsr_mem_used(mem), 0);
  tsr_mem_close(mem);
}
static int setup(void **state) { (void)state; open_ctx(2); return 0; }
static int teardown(void **state) { (void)state; close_ctx(); return 0; }

static uint32_t seed = 1;
static double number(double lo, double hi) {
  seed = seed * 1664525u + 1013904223u;
  return lo + (hi - lo) * (double)(seed >> 8) / 16777216.0;
}

static tsr_tensor *random_tensor(tsr_dtype d, int ndim, const int64_t *size, double lo, double hi) {
  tsr_tensor *t;
  assert_int_equal(tsr_new(&ctx, &t, d, ndim, size), TSR_OK);
  for (int64_t i = 0; i < t->numel; i++) {
    double v = number(lo, hi);
    tsr_convert(d, (char *)t->storage->data + (size_t)i * tsr_tensor_itemsize(t), TSR_FLOAT64, &v, 1);
  }
  return t;
}
static tsr_tensor *vector(tsr_dtype d, int64_t n, const double *values) {
  tsr_tensor *t;
  assert_int_equal(tsr_new(&ctx, &t, d, 1, &n), TSR_OK);
  if (n) tsr_convert(d, t->storage->data, TSR_FLOAT64, values, n);
  return t;
}
static double get(const tsr_tensor *t, int64_t i) {
  tsr_val v = tsr_tensor_get(mem, t, i);
  double d = v.tag == TSR_V_FLOAT ? v.d : v.tag == TSR_V_BOOL ? v.b : (double)v.i;
  tsr_release(v);
  return d;
}
static tsr_status call(const char *name, const char *overload, tsr_val *args, uint32_t n, tsr_tensor **out, uint32_t nrets) {
  tsr_val rets[2] = {tsr_none(), tsr_none()};
  const tsr_op *op = tsr_op_get(name, overload);
  assert_non_null(op);
  tsr_call c = {.ctx = &ctx, .op = op, .args = args, .nargs = n, .rets = rets, .nrets = nrets};
  tsr_status s = tsr_call_run(&c);
  for (uint32_t i = 0; i < nrets && s == TSR_OK; i++) {
    tsr_temp(&ctx, rets[i]);
    out[i] = rets[i].t;
  }
  return s;
}
static void refused(tsr_status s, const char *text) {
  assert_int_equal(s, TSR_ERAISED);
  assert_string_equal(ctx.err.message, text);
  tsr_errrec_dispose(&ctx.err);
}

/* What each output should be, by walking all elements. */
static void check_subset(tsr_tensor *x, int subset, const char *op) {
  int64_t dims[4], step[4], nout = 1;
  int n = 0;
  tsr_tensor *y;
  for (int d = 3; d >= 0; d--) {
    step[d] = subset >> d & 1 ? 0 : nout;
    nout *= subset >> d & 1 ? 1 : x->size[d];
  }
  for (int d = 0; d < 4; d++)
    if (subset >> d & 1) dims[n++] = d;
  if (n == 0) return;
  assert_int_equal(tsr_reduce(&ctx, &y, op, x, n, dims, false, -1), TSR_OK);
  assert_int_equal(y->numel, nout);
  double *want = malloc((size_t)nout * sizeof *want);
  bool sum = strcmp(op, "sum") == 0;
  for (int64_t i = 0; i < nout; i++) want[i] = sum ? 0 : -INFINITY;
  for (int64_t i = 0; i < x->numel; i++) {
    int64_t rest = i, o = 0;
    for (int d = 3; d >= 0; d--) {
      o += rest % x->size[d] * step[d];
      rest /= x->size[d];
    }
    double v = get(x, i);
    want[o] = sum ? want[o] + v : v > want[o] ? v : want[o];
  }
  for (int64_t i = 0; i < nout; i++)
    if (fabs(get(y, i) - want[i]) > 1e-6 * fabs(want[i]) + 1e-5) fail_msg("%s over %d: output %ld is %g, expected %g", op, subset, (long)i, get(y, i), want[i]);
  free(want);
}

static void test_subsets(void **state) {
  (void)state;
  static const int64_t sizes[][4] = {{3, 4, 5, 6}, {2, 1, 300, 3}, {2, 40, 3, 3}, {1, 1, 1, 70}};
  static const int64_t perms[][4] = {{0, 1, 2, 3}, {0, 3, 1, 2}, {3, 2, 1, 0}};
  static const tsr_dtype types[] = {TSR_FLOAT32, TSR_FLOAT64, TSR_INT32, TSR_BFLOAT16};
  for (size_t s = 0; s < TSR_COUNT(sizes); s++)
    for (size_t p = 0; p < TSR_COUNT(perms); p++)
      for (size_t t = 0; t < TSR_COUNT(types); t++) {
        tsr_tensor *x = random_tensor(types[t], 4, sizes[s], -9, 9);
        assert_int_equal(tsr_permute(&ctx, &x, x, perms[p]), TSR_OK);
        for (int subset = 1; subset < 16; subset++) {
          if (types[t] != TSR_BFLOAT16) check_subset(x, subset, "sum");
          check_subset(x, subset, "amax");
        }
      }
}

/* The sum of a million float32 numbers is the double precision sum rounded once. */
static void test_accuracy(void **state) {
  (void)state;
  int64_t n = 1000003;
  tsr_tensor *x = random_tensor(TSR_FLOAT32, 1, &n, 0, 1), *y;
  const float *v = tsr_tensor_data_ro(x);
  double sum = 0;
  for (int64_t i = 0; i < n; i++) sum += (double)v[i];
  assert_int_equal(tsr_reduce(&ctx, &y, "sum", x, -1, NULL, false, -1), TSR_OK);
  assert_true(fabs(get(y, 0) - sum) <= 0.0313); /* half a unit in the last place of 500,000 */
}

static void many_results(int threads, float *out) {
  open_ctx(threads);
  static const int64_t shapes[][2] = {{700000, 1}, {300000, 3}, {2000, 500}, {3, 300000}};
  seed = 5;
  for (size_t s = 0; s < TSR_COUNT(shapes); s++) {
    tsr_tensor *x = random_tensor(TSR_FLOAT32, 2, shapes[s], -1, 1), *y;
    for (int64_t d = 0; d < 2; d++) {
      assert_int_equal(tsr_reduce(&ctx, &y, "mean", x, 1, &d, false, -1), TSR_OK);
      *out++ = ((const float *)tsr_tensor_data_ro(y))[0];
      tsr_val args[3] = {tsr_from_obj(x), tsr_bool(true)};
      assert_int_equal(call("aten::var", "", args, 2, &y, 1), TSR_OK);
      *out++ = ((const float *)tsr_tensor_data_ro(y))[0];
    }
  }
  close_ctx();
}

static void test_threads(void **state) {
  (void)state;
  float a[16], b[16], c[16];
  many_results(1, a);
  many_results(2, b);
  many_results(5, c);
  assert_memory_equal(a, b, sizeof a);
  assert_memory_equal(a, c, sizeof a);
}

static void test_positions(void **state) {
  (void)state;
  tsr_tensor *r[2];
  tsr_tensor *x = vector(TSR_FLOAT32, 5, (double[]){1, 3, 2, 3, 0});
  tsr_val args[3] = {tsr_from_obj(x), tsr_int(0), tsr_bool(false)};
  assert_int_equal(call("aten::max", "dim", args, 3, r, 2), TSR_OK);
  assert_true(get(r[0], 0) == 3 && get(r[1], 0) == 1);
  args[0] = tsr_from_obj(vector(TSR_FLOAT32, 4, (double[]){1, NAN, 2, NAN}));
  assert_int_equal(call("aten::min", "dim", args, 3, r, 2), TSR_OK);
  assert_true(isnan(get(r[0], 0)) && get(r[1], 0) == 1);
  int64_t n = 1000;
  x = random_tensor(TSR_FLOAT32, 1, &n, 0, 1);
  ((float *)x->storage->data)[777] = 5;
  args[0] = tsr_from_obj(x);
  args[1] = tsr_none();
  assert_int_equal(call("aten::argmax", "", args, 3, r, 1), TSR_OK);
  assert_true(get(r[0], 0) == 777);
  ((float *)x->storage->data)[500] = NAN;
  assert_int_equal(call("aten::argmax", "", args, 3, r, 1), TSR_OK);
  assert_true(get(r[0], 0) == 500);
}

/* The largest of nothing is the least number, where there is an out argument to hold it. */
static void test_extremes_of_nothing(void **state) {
  (void)state;
  static const struct { tsr_dtype d; double max, min; } rows[] = {{TSR_BOOL, 0, 1}, {TSR_UINT8, 0, 255}, {TSR_INT8, -128, 127}, {TSR_INT32, -2147483648.0, 2147483647}, {TSR_FLOAT16, -INFINITY, INFINITY}, {TSR_FLOAT64, -INFINITY, INFINITY}};
  int64_t size[2] = {0, 3};
  for (size_t i = 0; i < TSR_COUNT(rows); i++) {
    tsr_tensor *x = random_tensor(rows[i].d, 2, size, 0, 1), *y = random_tensor(rows[i].d, 0, NULL, 0, 1), *out[2];
    tsr_val args[] = {tsr_from_obj(x), tsr_from_obj(y)};
    assert_int_equal(call("aten::max", "unary_out", args, 2, out, 1), TSR_OK);
    assert_true(get(y, 0) == rows[i].max);
    assert_int_equal(call("aten::min", "unary_out", args, 2, out, 1), TSR_OK);
    assert_true(get(y, 0) == rows[i].min);
  }
}

static void test_empty(void **state) {
  (void)state;
  int64_t size[2] = {0, 3}, dim = 0;
  tsr_tensor *x = random_tensor(TSR_FLOAT32, 2, size, 0, 1), *y;
  assert_int_equal(tsr_reduce(&ctx, &y, "sum", x, 1, &dim, false, -1), TSR_OK);
  assert_true(y->numel == 3 && get(y, 0) == 0);
  assert_int_equal(tsr_reduce(&ctx, &y, "prod", x, -1, NULL, false, -1), TSR_OK);
  assert_true(get(y, 0) == 1);
  assert_int_equal(tsr_reduce(&ctx, &y, "mean", x, -1, NULL, false, -1), TSR_OK);
  assert_true(isnan(get(y, 0)));
  refused(tsr_reduce(&ctx, &y, "amax", x, 1, &dim, false, -1), "amax(): Expected reduction dim 0 to have non-zero size.");
  tsr_val args[1] = {tsr_from_obj(x)};
  refused(call("aten::max", "", args, 1, &y, 1),
          "max(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with the 'dim' argument.");
  int64_t twice[2] = {0, 0}, far = 4;
  refused(tsr_reduce(&ctx, &y, "sum", x, 2, twice, false, -1), "dim 0 appears multiple times in the list of dims");
  refused(tsr_reduce(&ctx, &y, "sum", x, 1, &far, false, -1), "Dimension out of range (expected to be in range of [-2, 1], but got 4)");
}

static void test_types(void **state) {
  (void)state;
  tsr_tensor *y;
  assert_int_equal(tsr_reduce(&ctx, &y, "sum", vector(TSR_UINT8, 2, (double[]){200, 100}), -1, NULL, false, -1), TSR_OK);
  assert_int_equal(y->dtype, TSR_INT64);
  assert_true(get(y, 0) == 300);
  assert_int_equal(tsr_reduce(&ctx, &y, "all", vector(TSR_UINT8, 2, (double[]){2, 1}), -1, NULL, false, -1), TSR_OK);
  assert_int_equal(y->dtype, TSR_UINT8);
  assert_true(get(y, 0) == 1);
  refused(tsr_reduce(&ctx, &y, "mean", vector(TSR_INT64, 1, (double[]){1}), -1, NULL, false, -1),
          "mean(): could not infer output dtype. Input dtype must be either a floating point or complex dtype. Got: Long");
}

/* Rows far from zero: the variance survives the mean. */
static void test_variance(void **state) {
  (void)state;
  tsr_tensor *r[2];
  tsr_tensor *x = vector(TSR_FLOAT32, 4, (double[]){100001, 100002, 100003, 100004});
  tsr_val args[4] = {tsr_from_obj(x), tsr_none(), tsr_int(1), tsr_bool(false)};
  assert_int_equal(call("aten::var_mean", "correction", args, 4, r, 2), TSR_OK);
  assert_true(fabs(get(r[0], 0) - 5.0 / 3) < 1e-6 && get(r[1], 0) == 100002.5);
}

static void check_softmax(const int64_t *size, int64_t dim, bool log, tsr_dtype type) {
  tsr_tensor *x = random_tensor(type, 3, size, -30, 30), *y;
  assert_int_equal(tsr_softmax(&ctx, &y, x, dim, log), TSR_OK);
  int64_t inner = 1;
  for (int64_t d = dim + 1; d < 3; d++) inner *= size[d];
  for (int64_t u = 0; u < x->numel / size[dim]; u++) {
    int64_t o = u / inner * inner * size[dim] + u % inner;
    double m = -INFINITY, sum = 0;
    for (int64_t i = 0; i < size[dim]; i++) m = fmax(m, get(x, o + i * inner));
    for (int64_t i = 0; i < size[dim]; i++) sum += exp(get(x, o + i * inner) - m);
    for (int64_t i = 0; i < size[dim]; i++) {
      double e = get(x, o + i * inner) - m, want = log ? e - log1p(sum - 1) : exp(e) / sum;
      assert_true(fabs(get(y, o + i * inner) - want) < 2e-6 + 2e-6 * fabs(want));
    }
  }
}

static void test_softmax(void **state) {
  (void)state;
  static const int64_t sizes[][3] = {{2, 3, 5}, {1, 1, 257}, {3, 33, 70}, {2, 1, 16}, {4, 100, 1}};
  for (size_t s = 0; s < TSR_COUNT(sizes); s++)
    for (int64_t d = 0; d < 3; d++)
      for (int log = 0; log < 2; log++) {
        check_softmax(sizes[s], d, log != 0, TSR_FLOAT32);
        check_softmax(sizes[s], d, log != 0, TSR_FLOAT64);
      }
}

static void test_running(void **state) {
  (void)state;
  tsr_tensor *r[2];
  tsr_tensor *x = vector(TSR_BOOL, 3, (double[]){1, 0, 1});
  tsr_val args[3] = {tsr_from_obj(x), tsr_int(0), tsr_none()};
  assert_int_equal(call("aten::cumsum", "", args, 3, r, 1), TSR_OK);
  assert_int_equal(r[0]->dtype, TSR_INT64);
  assert_true(get(r[0], 0) == 1 && get(r[0], 2) == 2);
  args[0] = tsr_from_obj(vector(TSR_FLOAT32, 4, (double[]){1, 3, 3, NAN}));
  assert_int_equal(call("aten::cummax", "", args, 2, r, 2), TSR_OK);
  assert_true(get(r[0], 2) == 3 && get(r[1], 2) == 2 && isnan(get(r[0], 3)) && get(r[1], 3) == 3);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_subsets, setup, teardown),
      cmocka_unit_test_setup_teardown(test_accuracy, setup, teardown),
      cmocka_unit_test(test_threads),
      cmocka_unit_test_setup_teardown(test_positions, setup, teardown),
      cmocka_unit_test_setup_teardown(test_extremes_of_nothing, setup, teardown),
      cmocka_unit_test_setup_teardown(test_empty, setup, teardown),
      cmocka_unit_test_setup_teardown(test_types, setup, teardown),
      cmocka_unit_test_setup_teardown(test_variance, setup, teardown),
      cmocka_unit_test_setup_teardown(test_softmax, setup, teardown),
      cmocka_unit_test_setup_teardown(test_running, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
