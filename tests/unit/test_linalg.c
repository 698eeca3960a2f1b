/* Linear algebra of what no library is asked for. */
#include "op_fixture.h"

#include <math.h>

/* LAPACK's divide and conquer does not come to an end with these infinities. */
static void least_squares_of_infinities_end(void **state) {
  (void)state;
  fixture f;
  fx_open(&f);
  tsr_val a = fx_tensor(&f, TSR_FLOAT64, 2, SIZES(3, 6), VALUES(1, 2, 3, 4, INFINITY, 5, 2, 1, 0, 1, 3, INFINITY, 1, 1, 2, 3, 5, 8));
  tsr_val b = fx_tensor(&f, TSR_FLOAT64, 2, SIZES(3, 1), VALUES(1, 1, 1)), driver = fx_keep(&f, tsr_str_new(f.mem, "gelsd", 5));
  assert_int_equal(fx_run(&f, "aten::linalg_lstsq", "", FX_ARGS(a, b, tsr_none(), driver), 4), TSR_OK);
  const tsr_tensor *x = f.ret[0].t;
  assert_int_equal(x->numel, 6);
  for (int64_t i = 0; i < 6; i++) assert_true(isnan(tsr_tensor_get(f.mem, x, i).d));
  fx_close(&f);
}

/* The matrix keeps its rank whatever is to be solved. */
static void rank_does_not_depend_on_the_other_side(void **state) {
  (void)state;
  fixture f;
  fx_open(&f);
  tsr_val a = fx_tensor(&f, TSR_FLOAT64, 2, SIZES(2, 2), VALUES(3, 0, 0, 2)), b = fx_tensor(&f, TSR_FLOAT64, 2, SIZES(2, 1), VALUES(INFINITY, 1));
  for (int i = 0; i < 2; i++) {
    tsr_val driver = fx_keep(&f, tsr_str_new(f.mem, i == 0 ? "gelsd" : "gelsy", 5));
    assert_int_equal(fx_run(&f, "aten::linalg_lstsq", "", FX_ARGS(a, b, tsr_none(), driver), 4), TSR_OK);
    assert_true(isnan(tsr_tensor_get(f.mem, f.ret[0].t, 0).d));
    fx_check(&f, f.ret[2].t, 0, NULL, VALUES(2));
    if (i == 0) fx_check(&f, f.ret[3].t, 1, SIZES(2), VALUES(3, 2));
  }
  fx_close(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(least_squares_of_infinities_end), cmocka_unit_test(rank_does_not_depend_on_the_other_side)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
