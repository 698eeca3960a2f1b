/* The random engine gives PyTorch's numbers: expected values are PyTorch 2.13's for the same seeds. */
#include <math.h>

#include "op_fixture.h"
#include "ops/random.h"

static void seed(fixture *f, int64_t s) { assert_int_equal(fx_run(f, "aten::manual_seed", "", FX_ARGS(tsr_int(s)), 0), TSR_OK); }

static void check_near(const tsr_tensor *t, int64_t n, const double *values) {
  tsr_mem *mem = t->h.mem;
  assert_true(t->numel >= n);
  for (int64_t i = 0; i < n; i++) {
    double got = tsr_scalar_of(tsr_tensor_get(mem, t, i)).d;
    assert_true(fabs(got - values[i]) <= 1e-15 + 1e-15 * fabs(values[i]) || (t->dtype == TSR_FLOAT32 && (float)got == (float)values[i]));
  }
}

/* The engine's published check value: the 10,000th draw of seed 5489. */
static void engine(void **state) {
  (void)state;
  tsr_rng r;
  uint32_t last = 0;
  tsr_rng_init(&r, 5489);
  for (int i = 0; i < 10000; i++) last = tsr_rng_next32(&r);
  assert_int_equal(last, 4123659995u);
}

static void uniforms(void **state) {
  (void)state;
  fixture f;
  fx_open(&f);
  tsr_val n = tsr_none();
  check_near(fx_call(&f, "aten::rand", "", FX_ARGS(INTS(&f, 2), n, n, n, n)), 2, VALUES(0.267295241355896, 0.8725283145904541));
  seed(&f, 42);
  check_near(fx_call(&f, "aten::rand", "", FX_ARGS(INTS(&f, 4), n, n, n, n)), 4,
             VALUES(0.8822692632675171, 0.9150039553642273, 0.38286375999450684, 0.9593056440353394));
  seed(&f, 42);
  check_near(fx_call(&f, "aten::rand", "", FX_ARGS(INTS(&f, 2), tsr_int(TSR_FLOAT64), n, n, n)), 2, VALUES(0.05815448596142969, 0.06291016742457756));
  fx_close(&f);
}

static void normals(void **state) {
  (void)state;
  fixture f;
  fx_open(&f);
  tsr_val n = tsr_none();
  seed(&f, 42);
  check_near(fx_call(&f, "aten::randn", "", FX_ARGS(INTS(&f, 3), n, n, n, n)), 3, VALUES(0.33669036626815796, 0.12880940735340118, 0.23446236550807953));
  seed(&f, 42); /* 16 elements and more take another path, with the last 16 redrawn */
  tsr_tensor *y = fx_call(&f, "aten::randn", "", FX_ARGS(INTS(&f, 17), n, n, n, n));
  check_near(y, 2, VALUES(1.9269152879714966, -0.1595974713563919));
  assert_true(((const float *)tsr_tensor_data_ro(y))[16] == -0.3097267746925354f);
  fx_close(&f);
}

static void integers(void **state) {
  (void)state;
  fixture f;
  fx_open(&f);
  tsr_val n = tsr_none();
  seed(&f, 42);
  fx_check(&f, fx_call(&f, "aten::randperm", "", FX_ARGS(tsr_int(8), tsr_int(TSR_INT64), n, n, n)), 1, SIZES(8), VALUES(6, 3, 0, 7, 2, 1, 4, 5));
  fx_check(&f, fx_call(&f, "aten::randint", "", FX_ARGS(tsr_int(100), INTS(&f, 5), tsr_int(TSR_INT64), n, n, n)), 1, SIZES(5), VALUES(24, 50, 13, 78, 14));
  tsr_val x = fx_range(&f, TSR_FLOAT32, 1, SIZES(6));
  fx_call(&f, "aten::bernoulli_", "float", FX_ARGS(x, tsr_float(0.4), n));
  fx_check(&f, x.t, 1, SIZES(6), VALUES(0, 0, 1, 1, 1, 1));
  fx_refused(&f, "random_ expects 'from' to be less than 'to', but got from=0 >= to=0", "aten::randint", "",
             FX_ARGS(tsr_int(0), INTS(&f, 5), tsr_int(TSR_INT64), n, n, n));
  fx_close(&f);
}

static void sampling(void **state) {
  (void)state;
  fixture f;
  fx_open(&f);
  tsr_val p = fx_tensor(&f, TSR_FLOAT32, 1, SIZES(4), VALUES(.1, .2, .3, .4)), ones = fx_tensor(&f, TSR_FLOAT32, 1, SIZES(6), VALUES(1, 1, 1, 1, 1, 1));
  seed(&f, 42);
  fx_check(&f, fx_call(&f, "aten::multinomial", "", FX_ARGS(p, tsr_int(6), tsr_bool(true), tsr_none())), 1, SIZES(6), VALUES(0, 0, 1, 0, 2, 2));
  fx_check(&f, fx_call(&f, "aten::dropout", "", FX_ARGS(ones, tsr_float(.5), tsr_bool(true))), 1, SIZES(6), VALUES(0, 0, 2, 2, 2, 2));
  assert_ptr_equal(fx_call(&f, "aten::dropout", "", FX_ARGS(ones, tsr_float(.5), tsr_bool(false))), ones.t);
  fx_refused(&f, "cannot sample n_sample > prob_dist.size(-1) samples without replacement", "aten::multinomial", "",
             FX_ARGS(p, tsr_int(6), tsr_bool(false), tsr_none()));
  fx_close(&f);
}

/* A generator value has its own stream. */
static void generators(void **state) {
  (void)state;
  fixture f;
  fx_open(&f);
  tsr_val n = tsr_none();
  assert_int_equal(fx_run(&f, "aten::Generator", "", FX_ARGS(n, tsr_int(42)), 1), TSR_OK);
  tsr_val g = f.ret[0];
  seed(&f, 1);
  check_near(fx_call(&f, "aten::rand", "generator", FX_ARGS(INTS(&f, 1), g, n, n, n, n)), 1, VALUES(0.8822692632675171));
  assert_int_equal(fx_run(&f, "aten::initial_seed", "", FX_ARGS(g), 1), TSR_OK);
  assert_int_equal(f.ret[0].i, 42);
  fx_close(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(engine),   cmocka_unit_test(uniforms), cmocka_unit_test(normals),
      cmocka_unit_test(integers), cmocka_unit_test(sampling), cmocka_unit_test(generators),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
