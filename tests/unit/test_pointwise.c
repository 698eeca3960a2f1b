/* Elementwise operators: formulas of every instruction set against double precision, broadcasting and
 * strides, promotion, refusals, copies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <math.h>
#include <cmocka.h>

#include "ops/map.h"
#include "ops/native.h"

static tsr_mem *mem;
static tsr_pool *pool;
static tsr_ctx ctx;

static int setup(void **state) {
  (void)state;
  mem = tsr_mem_new(0);
  pool = tsr_pool_new(2);
  tsr_ctx_init(&ctx, mem, pool);
  return 0;
}
static int teardown(void **state) {
  (void)state;
  while (ctx.temp_count > 0) tsr_release(ctx.temps[--ctx.temp_count]);
  tsr_ctx_dispose(&ctx);
  tsr_pool_free(pool);
  assert_int_equal(tsr_mem_used(mem), 0);
  tsr_mem_close(mem);
  return 0;
}

static uint32_t seed = 1;
static double number(double lo, double hi) {
  seed = seed * 1664525u + 1013904223u;
  return lo + (hi - lo) * (double)(seed >> 8) / 16777216.0;
}

/* ---- formulas ---- */

static const tsr_map_kernels *table(tsr_isa isa) {
#if defined(__x86_64__)
  if (isa == TSR_ISA_AVX2) return &tsr_map_avx2;
  if (isa == TSR_ISA_AVX512) return &tsr_map_avx512;
#elif defined(__aarch64__)
  if (isa == TSR_ISA_NEON) return &tsr_map_neon;
#endif
  return isa == TSR_ISA_SCALAR ? &tsr_map_scalar : NULL;
}

/* Formulas whose value jumps: rounding the operands' last bit may change it. */
static bool jumps(tsr_map_id id) {
  switch (id) {
  case TSR_MAP_div_floor: case TSR_MAP_div_trunc: case TSR_MAP_remainder: case TSR_MAP_fmod: case TSR_MAP_nextafter: case TSR_MAP_lcm:
  case TSR_MAP_round_mul: case TSR_MAP_round_div: case TSR_MAP_isclose: case TSR_MAP_zeta: case TSR_MAP_polygamma: case TSR_MAP_where:
  case TSR_MAP_trigamma: case TSR_MAP_igamma: case TSR_MAP_igammac: case TSR_MAP_copy:
    return true;
  default: return false;
  }
}

#define LEN 67
/* Every float32 formula at every length up to LEN agrees with its double precision twin. */
static void check_formula(tsr_isa isa, tsr_map_id id) {
  tsr_map_fn f32 = table(isa)->f32[id], f64 = tsr_map_get(id, TSR_CT_F64);
  if (f32 == NULL || f64 == NULL || jumps(id) || tsr_map_out_kind(id) == TSR_MAP_OUT_Z) return;
  float in32[3][LEN], out32[LEN + 1];
  double in64[3][LEN], out64[LEN];
  uint8_t *b32 = (uint8_t *)out32, b64[LEN];
  bool truth = tsr_map_out_kind(id) == TSR_MAP_OUT_B;
  tsr_map_params p = {.d = {0.5, 2.25, 1.5, 0}, .i = {1, 2, 3, 0}, .bits = 64};
  for (int n = 0; n <= LEN; n += n < 20 ? 1 : 15) {
    for (int k = 0; k < 3; k++)
      for (int i = 0; i < n; i++) in64[k][i] = in32[k][i] = (float)number(-4, 4);
    for (int i = 0; i <= LEN; i++) out32[i] = -77;
    const void *a32[] = {in32[0], in32[1], in32[2]}, *a64[] = {in64[0], in64[1], in64[2]};
    f32(out32, a32, n, &p);
    f64(truth ? (void *)b64 : (void *)out64, a64, n, &p);
    for (int i = 0; i < n; i++) {
      double got = truth ? b32[i] : (double)out32[i], want = truth ? b64[i] : out64[i];
      bool same = (got != got && want != want) || got == want || fabs(got - want) <= 4e-5 * fabs(want) + 4e-6;
      if (!same) fail_msg("formula %d on %s, length %d: %g, expected %g (operands %g %g %g)", id, tsr_isa_name(isa), n, got, want, in64[0][i], in64[1][i], in64[2][i]);
    }
    if (!truth) assert_true(out32[n] == -77);
  }
}

static void test_formulas(void **state) {
  (void)state;
  for (int isa = 0; isa < TSR_ISA_COUNT; isa++)
    for (int id = 0; id < TSR_MAP_COUNT && tsr_cpu_has((tsr_isa)isa); id++) check_formula((tsr_isa)isa, (tsr_map_id)id);
}

static double ulp_of(double x) {
  float f = fabsf((float)x);
  return f < 1.2e-38f ? 1.4e-45 : (double)(nextafterf(f, INFINITY) - f);
}

typedef struct accuracy { tsr_map_id id; double (*exact)(double); double lo, hi, ulps; } accuracy;
static double sigmoid(double x) { return 1 / (1 + exp(-x)); }

/* The errors the comments of the vector functions promise (without fused multiply-add a little more). */
static void test_accuracy(void **state) {
  (void)state;
  static const accuracy cases[] = {
      {TSR_MAP_exp, exp, -87, 88, 2}, {TSR_MAP_log, log, 1e-30, 1e30, 2}, {TSR_MAP_log, log, 0.5, 2, 2}, {TSR_MAP_log1p, log1p, -0.9, 10, 4},
      {TSR_MAP_expm1, expm1, -5, 5, 4}, {TSR_MAP_tanh, tanh, -9, 9, 4}, {TSR_MAP_sigmoid, sigmoid, -20, 20, 4}, {TSR_MAP_erf, erf, -4, 4, 4},
      {TSR_MAP_erf, erf, -1e-3, 1e-3, 3}};
  for (int isa = 0; isa < TSR_ISA_COUNT; isa++)
    for (size_t c = 0; c < TSR_COUNT(cases) && tsr_cpu_has((tsr_isa)isa); c++) {
      float x[4096], y[4096];
      tsr_map_params p = {.bits = 64};
      for (int i = 0; i < 4096; i++) x[i] = (float)number(cases[c].lo, cases[c].hi);
      const void *in[] = {x, x, x};
      table((tsr_isa)isa)->f32[cases[c].id](y, in, 4096, &p);
      for (int i = 0; i < 4096; i++) {
        double want = cases[c].exact((double)x[i]), err = fabs((double)y[i] - want) / ulp_of(want);
        if (err > cases[c].ulps + (isa == TSR_ISA_SCALAR)) fail_msg("formula %d on %s at %g: %g ulp", cases[c].id, tsr_isa_name((tsr_isa)isa), (double)x[i], err);
      }
    }
}

static void test_trigonometry(void **state) {
  (void)state;
  float x[2048], s[2048], k[2048];
  tsr_map_params p = {.bits = 64};
  for (int i = 0; i < 2048; i++) x[i] = (float)number(-8000, 8000);
  x[7] = 1e9f; /* beyond the reduction: libm */
  const void *in[] = {x, x, x};
  for (int isa = 0; isa < TSR_ISA_COUNT; isa++) {
    if (!tsr_cpu_has((tsr_isa)isa)) continue;
    table((tsr_isa)isa)->f32[TSR_MAP_sin](s, in, 2048, &p);
    table((tsr_isa)isa)->f32[TSR_MAP_cos](k, in, 2048, &p);
    for (int i = 0; i < 2048; i++) {
      assert_true(fabs((double)s[i] - sin((double)x[i])) < 3e-7);
      assert_true(fabs((double)k[i] - cos((double)x[i])) < 3e-7);
    }
  }
}

static void test_special_values(void **state) {
  (void)state;
  const float in[8] = {NAN, INFINITY, -INFINITY, 0, -0.0f, 1e-42f, -1, 200};
  tsr_map_params p = {.bits = 64};
  float y[8];
  const void *a[] = {in, in, in};
  for (int isa = 0; isa < TSR_ISA_COUNT; isa++) {
    if (!tsr_cpu_has((tsr_isa)isa)) continue;
    const tsr_map_kernels *t = table((tsr_isa)isa);
    t->f32[TSR_MAP_exp](y, a, 8, &p);
    assert_true(isnan(y[0]) && y[1] == INFINITY && y[2] == 0 && y[3] == 1 && y[7] == INFINITY);
    t->f32[TSR_MAP_log](y, a, 8, &p);
    assert_true(isnan(y[0]) && y[1] == INFINITY && isnan(y[2]) && y[3] == -INFINITY && fabsf(y[5] - logf(1e-42f)) < 1e-4f && isnan(y[6]));
    t->f32[TSR_MAP_tanh](y, a, 8, &p);
    assert_true(isnan(y[0]) && y[1] == 1 && y[2] == -1 && y[3] == 0 && y[7] == 1);
    t->f32[TSR_MAP_erf](y, a, 8, &p);
    assert_true(isnan(y[0]) && y[1] == 1 && y[2] == -1 && y[3] == 0);
    t->f32[TSR_MAP_maximum](y, (const void *[]){in, (float[8]){1, 1, 1, NAN, 1, 1, 1, 1}, in}, 8, &p);
    assert_true(isnan(y[0]) && y[1] == INFINITY && y[2] == 1 && isnan(y[3]));
    t->f32[TSR_MAP_relu](y, a, 8, &p);
    assert_true(isnan(y[0]) && y[1] == INFINITY && y[2] == 0 && y[6] == 0);
  }
}

/* ---- operators ---- */

static tsr_tensor *tensor(tsr_dtype d, int ndim, const int64_t *size, const double *values) {
  tsr_tensor *t;
  assert_int_equal(tsr_new(&ctx, &t, d, ndim, size), TSR_OK);
  if (t->numel) tsr_convert(d, t->storage->data, TSR_FLOAT64, values, t->numel);
  return t;
}
static tsr_tensor *vector(tsr_dtype d, int64_t n, const double *values) { return tensor(d, 1, &n, values); }

static double get(const tsr_tensor *t, int64_t i) {
  tsr_val v = tsr_tensor_get(mem, t, i);
  double d = v.tag == TSR_V_FLOAT ? v.d : v.tag == TSR_V_BOOL ? v.b : (double)v.i;
  tsr_release(v);
  return d;
}

static tsr_status call(const char *name, const char *overload, tsr_val *args, uint32_t n, uint64_t moved, tsr_tensor **out) {
  tsr_val ret = tsr_none();
  const tsr_op *op = tsr_op_get(name, overload);
  assert_non_null(op);
  tsr_call c = {.ctx = &ctx, .op = op, .args = args, .nargs = n, .rets = &ret, .nrets = 1, .moved = moved};
  tsr_status s = tsr_call_run(&c);
  if (s == TSR_OK) {
    tsr_temp(&ctx, ret);
    *out = ret.t;
  }
  return s;
}

static void refused(tsr_status s, const char *text) {
  assert_int_equal(s, TSR_ERAISED);
  assert_string_equal(ctx.err.message, text);
  tsr_errrec_dispose(&ctx.err);
}

static void test_broadcast(void **state) {
  (void)state;
  const double v[6] = {1, 2, 3, 4, 5, 6};
  tsr_tensor *a = tensor(TSR_FLOAT32, 2, (int64_t[]){2, 3}, v), *row = vector(TSR_FLOAT32, 3, v), *col = tensor(TSR_FLOAT32, 2, (int64_t[]){2, 1}, v), *y;
  assert_int_equal(tsr_binary(&ctx, &y, "add", a, row), TSR_OK);
  for (int i = 0; i < 6; i++) assert_true(get(y, i) == v[i] + v[i % 3]);
  assert_int_equal(tsr_binary(&ctx, &y, "mul", col, row), TSR_OK);
  assert_int_equal(y->numel, 6);
  for (int i = 0; i < 6; i++) assert_true(get(y, i) == v[i / 3] * v[i % 3]);
  refused(tsr_binary(&ctx, &y, "add", row, vector(TSR_FLOAT32, 4, v)),
          "The size of tensor a (3) must match the size of tensor b (4) at non-singleton dimension 0");
  tsr_val args[3] = {tsr_from_obj(row), tsr_from_obj(a), tsr_int(1)};
  refused(call("aten::add_", "Tensor", args, 3, 0, &y), "output with shape [3] doesn't match the broadcast shape [2, 3]");
  assert_int_equal(tsr_binary(&ctx, &y, "add", tensor(TSR_FLOAT32, 2, (int64_t[]){0, 3}, v), row), TSR_OK);
  assert_int_equal(y->numel, 0);
}

/* Random strides, sizes with ones, long and short rows: element by element against tsr_tensor_get. */
static void test_layouts(void **state) {
  (void)state;
  static const int64_t shapes[][4] = {{2, 3, 5, 7}, {1, 70, 1, 3}, {4, 1, 40, 2}, {3, 2, 2, 600}, {1, 1, 1, 1}, {2, 65, 3, 3}};
  static const int64_t perms[][4] = {{0, 1, 2, 3}, {0, 2, 3, 1}, {3, 2, 1, 0}, {1, 0, 3, 2}};
  for (size_t s = 0; s < TSR_COUNT(shapes); s++)
    for (size_t p = 0; p < TSR_COUNT(perms); p++)
      for (size_t q = 0; q < TSR_COUNT(perms); q++) {
        tsr_tensor *t[2], *y;
        for (int k = 0; k < 2; k++) { /* a permuted view of a C-order tensor, with the shape wanted */
          const int64_t *perm = perms[k ? q : p];
          int64_t base[4], n = 1, inverse[4];
          for (int d = 0; d < 4; d++) base[d] = shapes[s][perm[d]], n *= base[d], inverse[perm[d]] = d;
          double *v = malloc((size_t)n * sizeof *v);
          for (int64_t i = 0; i < n; i++) v[i] = (double)(int)number(-100, 100);
          tsr_tensor *c = tensor(k ? TSR_FLOAT32 : TSR_INT32, 4, base, v);
          free(v);
          assert_int_equal(tsr_permute(&ctx, &t[k], c, inverse), TSR_OK);
        }
        assert_int_equal(tsr_binary(&ctx, &y, "sub", t[0], t[1]), TSR_OK);
        assert_int_equal(y->dtype, TSR_FLOAT32);
        for (int64_t i = 0; i < y->numel; i++) assert_true(get(y, i) == get(t[0], i) - get(t[1], i));
        assert_int_equal(tsr_contiguous(&ctx, &y, t[0]), TSR_OK);
        for (int64_t i = 0; i < y->numel; i++) assert_true(get(y, i) == get(t[0], i));
      }
}

static void test_channels_last(void **state) {
  (void)state;
  double v[120] = {0};
  tsr_tensor *x = tensor(TSR_FLOAT32, 4, (int64_t[]){2, 3, 4, 5}, v), *cl, *y;
  assert_int_equal(tsr_channels_last(&ctx, &cl, x), TSR_OK);
  assert_int_equal(tsr_unary(&ctx, &y, "relu", cl), TSR_OK);
  assert_true(tsr_tensor_is_channels_last(y));
  assert_int_equal(tsr_binary(&ctx, &y, "add", cl, tensor(TSR_FLOAT32, 3, (int64_t[]){3, 1, 1}, v)), TSR_OK);
  assert_true(tsr_tensor_is_channels_last(y));
  assert_int_equal(tsr_binary(&ctx, &y, "add", x, cl), TSR_OK);
  assert_true(tsr_tensor_is_contiguous(y));
}

static void promotes(tsr_dtype a, int64_t na, tsr_dtype b, int64_t nb, tsr_dtype want) { /* n 0: 0-dim */
  const double v[2] = {1, 2};
  tsr_tensor *y, *x = tensor(a, na > 0, &na, v), *z = tensor(b, nb > 0, &nb, v);
  assert_int_equal(tsr_binary(&ctx, &y, "mul", x, z), TSR_OK);
  assert_int_equal(y->dtype, want);
}

static void test_promotion(void **state) {
  (void)state;
  promotes(TSR_INT64, 2, TSR_FLOAT64, 0, TSR_FLOAT64);
  promotes(TSR_FLOAT16, 2, TSR_FLOAT64, 0, TSR_FLOAT16);
  promotes(TSR_INT8, 2, TSR_UINT8, 2, TSR_INT16);
  promotes(TSR_FLOAT16, 2, TSR_BFLOAT16, 2, TSR_FLOAT32);
  promotes(TSR_BOOL, 2, TSR_INT32, 0, TSR_INT32);
  promotes(TSR_INT32, 2, TSR_INT64, 0, TSR_INT32);
  promotes(TSR_FLOAT32, 2, TSR_COMPLEX128, 0, TSR_COMPLEX64);
  const double v[1] = {1};
  tsr_tensor *y;
  assert_int_equal(tsr_binary_scalar(&ctx, &y, "mul", vector(TSR_INT64, 1, v), tsr_scalar_float(1.5)), TSR_OK);
  assert_int_equal(y->dtype, TSR_FLOAT32);
  assert_true(get(y, 0) == 1.5);
  assert_int_equal(tsr_binary_scalar(&ctx, &y, "add", vector(TSR_UINT8, 1, v), tsr_scalar_int(300)), TSR_OK);
  assert_int_equal(y->dtype, TSR_UINT8);
  assert_true(get(y, 0) == 45);
  assert_int_equal(tsr_binary(&ctx, &y, "div", vector(TSR_INT64, 1, v), vector(TSR_INT64, 1, (double[]){4})), TSR_OK);
  assert_int_equal(y->dtype, TSR_FLOAT32);
  assert_true(get(y, 0) == 0.25);
}

static void test_refusals(void **state) {
  (void)state;
  const double v[4] = {1, 2, 3, 0};
  tsr_tensor *i = vector(TSR_INT64, 3, v), *f = vector(TSR_FLOAT32, 3, v), *b = vector(TSR_BOOL, 3, v), *y;
  tsr_val args[3] = {tsr_from_obj(i), tsr_from_obj(f), tsr_int(1)};
  refused(call("aten::add_", "Tensor", args, 3, 0, &y), "result type Float can't be cast to the desired output type Long");
  args[2] = tsr_float(1.5);
  args[1] = args[0];
  refused(call("aten::add", "Tensor", args, 3, 0, &y), "For integral input tensors, argument alpha must not be a floating point number.");
  refused(tsr_unary(&ctx, &y, "abs", b), "\"abs_cpu\" not implemented for 'Bool'");
  refused(tsr_binary(&ctx, &y, "floor_divide", i, vector(TSR_INT64, 3, (double[]){1, 0, 1})), "ZeroDivisionError");
  refused(tsr_binary_scalar(&ctx, &y, "pow", i, tsr_scalar_int(-1)), "Integers to negative integer powers are not allowed.");
  tsr_tensor *head, *tail;
  assert_int_equal(tsr_narrow(&ctx, &head, f, 0, 0, 2), TSR_OK);
  assert_int_equal(tsr_narrow(&ctx, &tail, f, 0, 1, 2), TSR_OK);
  tsr_val over[3] = {tsr_from_obj(tail), tsr_from_obj(head), tsr_int(1)};
  refused(call("aten::add_", "Tensor", over, 3, 0, &y),
          "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single memory location. Please clone() the tensor before performing the operation.");
  tsr_tensor *wide;
  assert_int_equal(tsr_expand(&ctx, &wide, vector(TSR_FLOAT32, 1, v), 1, (int64_t[]){3}), TSR_OK);
  tsr_val grown[3] = {tsr_from_obj(wide), tsr_int(1), tsr_int(1)};
  refused(call("aten::add_", "Scalar", grown, 3, 0, &y),
          "unsupported operation: more than one element of the written-to tensor refers to a single memory location. Please clone() the tensor before performing the operation.");
}

/* A dying operand's buffer becomes the result's; one that others hold does not. */
static void test_reuse(void **state) {
  (void)state;
  const double v[3] = {-1, 0, 2};
  tsr_tensor *x = vector(TSR_FLOAT32, 3, v), *y;
  tsr_val args[1] = {tsr_from_obj(x)};
  assert_int_equal(call("aten::relu", "", args, 1, 1, &y), TSR_OK);
  assert_ptr_equal(y, x);
  assert_true(get(y, 0) == 0 && get(y, 2) == 2);
  x = vector(TSR_FLOAT32, 3, v);
  tsr_obj_retain(x);
  args[0] = tsr_from_obj(x);
  assert_int_equal(call("aten::relu", "", args, 1, 1, &y), TSR_OK);
  assert_ptr_not_equal(y, x);
  assert_true(get(x, 0) == -1);
  tsr_obj_release(x);
  x = vector(TSR_FLOAT32, 3, v); /* the result has another type */
  args[0] = tsr_from_obj(x);
  assert_int_equal(call("aten::isnan", "", args, 1, 1, &y), TSR_OK);
  assert_ptr_not_equal(y, x);
}

static void test_conversions(void **state) {
  (void)state;
  const double v[6] = {-1.7, 0, 2.5, 300, NAN, 1e10};
  tsr_tensor *x = vector(TSR_FLOAT32, 6, v), *y;
  assert_int_equal(tsr_to_dtype(&ctx, &y, x, TSR_INT64), TSR_OK);
  assert_true(get(y, 0) == -1 && get(y, 2) == 2 && get(y, 3) == 300 && get(y, 4) == (double)INT64_MIN && get(y, 5) == 1e10);
  assert_int_equal(tsr_to_dtype(&ctx, &y, x, TSR_UINT8), TSR_OK);
  assert_true(get(y, 0) == 255 && get(y, 2) == 2 && get(y, 3) == 44);
  assert_int_equal(tsr_to_dtype(&ctx, &y, x, TSR_BOOL), TSR_OK);
  assert_true(get(y, 0) == 1 && get(y, 1) == 0 && get(y, 4) == 1);
  assert_int_equal(tsr_to_dtype(&ctx, &y, x, TSR_FLOAT16), TSR_OK);
  assert_true(get(y, 2) == 2.5 && isnan(get(y, 4)) && isinf(get(y, 5)));
  assert_int_equal(tsr_to_dtype(&ctx, &y, x, TSR_FLOAT32), TSR_OK);
  assert_ptr_equal(y, x);
  assert_int_equal(tsr_to_dtype(&ctx, &y, vector(TSR_INT64, 1, (double[]){16777217}), TSR_FLOAT32), TSR_OK);
  assert_true(get(y, 0) == 16777216);
  assert_int_equal(tsr_fill(&ctx, y, tsr_scalar_float(1.5)), TSR_OK);
  assert_true(get(y, 0) == 1.5);
}

/* Half and bfloat16 blocks of every instruction set agree with the scalar conversions, for all bit patterns. */
static void test_half_blocks(void **state) {
  (void)state;
  static uint16_t bits[65536], back[65536];
  static float wide[65536];
  for (int i = 0; i < 65536; i++) bits[i] = (uint16_t)i;
  for (int isa = 0; isa < TSR_ISA_COUNT; isa++) {
    if (!tsr_cpu_has((tsr_isa)isa)) continue;
    const tsr_map_kernels *t = table((tsr_isa)isa);
    t->half_to_f32(wide, bits, 65536);
    t->f32_to_half(back, wide, 65536);
    for (int i = 0; i < 65536; i++) {
      float want = tsr_half_to_float(bits[i]);
      assert_true(wide[i] == want || (want != want && wide[i] != wide[i]));
      if (want == want) assert_int_equal(back[i], bits[i]);
    }
    t->bf16_to_f32(wide, bits, 65536);
    t->f32_to_bf16(back, wide, 65536);
    for (int i = 0; i < 65536; i++)
      if (wide[i] == wide[i]) assert_int_equal(back[i], bits[i]);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_formulas),
      cmocka_unit_test(test_accuracy),
      cmocka_unit_test(test_trigonometry),
      cmocka_unit_test(test_special_values),
      cmocka_unit_test(test_half_blocks),
      cmocka_unit_test_setup_teardown(test_broadcast, setup, teardown),
      cmocka_unit_test_setup_teardown(test_layouts, setup, teardown),
      cmocka_unit_test_setup_teardown(test_channels_last, setup, teardown),
      cmocka_unit_test_setup_teardown(test_promotion, setup, teardown),
      cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
      cmocka_unit_test_setup_teardown(test_reuse, setup, teardown),
      cmocka_unit_test_setup_teardown(test_conversions, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
