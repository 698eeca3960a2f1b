/* Indexing, gather and scatter, sorting and searching. */
#include "op_fixture.h"

/* A list of Tensor? with None gaps. */
static tsr_val index_list(fixture *f, int n, const tsr_val *ts) { return fx_tensors(f, n, ts); }

static void adjacent_and_separated(void **state) {
  (void)state;
  fixture f;
  fx_open(&f);
  tsr_val x = fx_range(&f, TSR_INT64, 3, SIZES(2, 3, 4)), none = tsr_none();
  tsr_val i = fx_tensor(&f, TSR_INT64, 1, SIZES(2), VALUES(0, -1));
  tsr_tensor *y = fx_call(&f, "aten::index", "Tensor", FX_ARGS(x, index_list(&f, 3, (tsr_val[]){none, i, i})));
  fx_check(&f, y, 2, SIZES(2, 2), VALUES(0, 11, 12, 23));
  y = fx_call(&f, "aten::index", "Tensor", FX_ARGS(x, index_list(&f, 3, (tsr_val[]){i, none, i})));
  fx_check(&f, y, 2, SIZES(2, 3), VALUES(0, 4, 8, 15, 19, 23));
  fx_close(&f);
}

static void masks(void **state) {
  (void)state;
  fixture f;
  fx_open(&f);
  tsr_val x = fx_range(&f, TSR_FLOAT32, 2, SIZES(2, 3)), m = fx_tensor(&f, TSR_BOOL, 2, SIZES(2, 3), VALUES(1, 0, 1, 0, 1, 0));
  fx_check(&f, fx_call(&f, "aten::index", "Tensor", FX_ARGS(x, index_list(&f, 1, &m))), 1, SIZES(3), VALUES(0, 2, 4));
  fx_check(&f, fx_call(&f, "aten::masked_select", "", FX_ARGS(x, m)), 1, SIZES(3), VALUES(0, 2, 4));
  fx_check(&f, fx_call(&f, "aten::nonzero", "", FX_ARGS(m)), 2, SIZES(3, 2), VALUES(0, 0, 0, 2, 1, 1));
  tsr_val bad = fx_range(&f, TSR_BOOL, 1, SIZES(3));
  fx_refused(&f, "The shape of the mask [3] at index 0 does not match the shape of the indexed tensor [2, 3] at index 0", "aten::index", "Tensor",
             FX_ARGS(x, index_list(&f, 1, &bad)));
  fx_close(&f);
}

static void index_put_forms(void **state) {
  (void)state;
  fixture f;
  fx_open(&f);
  tsr_val x = fx_range(&f, TSR_FLOAT32, 1, SIZES(4)), i = fx_tensor(&f, TSR_INT64, 1, SIZES(3), VALUES(1, 1, 3)), one = fx_tensor(&f, TSR_FLOAT32, 0, NULL, VALUES(10));
  tsr_val list = index_list(&f, 1, &i);
  fx_check(&f, fx_call(&f, "aten::index_put", "", FX_ARGS(x, list, one, tsr_bool(true))), 1, SIZES(4), VALUES(0, 21, 2, 13));
  fx_call(&f, "aten::index_put_", "", FX_ARGS(x, list, one, tsr_bool(false)));
  fx_check(&f, x.t, 1, SIZES(4), VALUES(0, 10, 2, 10));
  tsr_val wide = fx_range(&f, TSR_FLOAT32, 1, SIZES(5));
  fx_refused(&f, "shape mismatch: value tensor of shape [5] cannot be broadcast to indexing result of shape [3]", "aten::index_put", "",
             FX_ARGS(x, list, wide, tsr_bool(false)));
  fx_close(&f);
}

/* No index reaches memory outside the tensor. */
static void bounds(void **state) {
  (void)state;
  fixture f;
  fx_open(&f);
  tsr_val x = fx_range(&f, TSR_FLOAT32, 2, SIZES(2, 3)), one = fx_range(&f, TSR_FLOAT32, 2, SIZES(1, 1)), no = tsr_bool(false);
  static const double bad[] = {2, -3, 9e15, -9e15};
  for (int k = 0; k < 4; k++) {
    tsr_val i = fx_tensor(&f, TSR_INT64, 1, SIZES(1), bad + k), i2 = fx_tensor(&f, TSR_INT64, 2, SIZES(1, 1), bad + k);
    tsr_val row = fx_range(&f, TSR_FLOAT32, 2, SIZES(1, 3));
    tsr_val flat = fx_tensor(&f, TSR_INT64, 1, SIZES(1), k == 0 ? VALUES(6) : k == 1 ? VALUES(-7) : bad + k);
    assert_int_equal(fx_run(&f, "aten::index", "Tensor", FX_ARGS(x, index_list(&f, 1, &i)), 1), TSR_ERAISED);
    assert_int_equal(fx_run(&f, "aten::index_select", "", FX_ARGS(x, tsr_int(0), i), 1), TSR_ERAISED);
    assert_int_equal(fx_run(&f, "aten::gather", "", FX_ARGS(x, tsr_int(0), i2, no), 1), TSR_ERAISED);
    assert_int_equal(fx_run(&f, "aten::scatter", "src", FX_ARGS(x, tsr_int(0), i2, one), 1), TSR_ERAISED);
    assert_int_equal(fx_run(&f, "aten::scatter_add", "", FX_ARGS(x, tsr_int(0), i2, one), 1), TSR_ERAISED);
    assert_int_equal(fx_run(&f, "aten::index_add", "", FX_ARGS(x, tsr_int(0), i, row, tsr_int(1)), 1), TSR_ERAISED);
    assert_int_equal(fx_run(&f, "aten::index_copy", "", FX_ARGS(x, tsr_int(0), i, row), 1), TSR_ERAISED);
    assert_int_equal(fx_run(&f, "aten::index_fill", "int_Scalar", FX_ARGS(x, tsr_int(0), i, tsr_int(1)), 1), TSR_ERAISED);
    assert_int_equal(fx_run(&f, "aten::take", "", FX_ARGS(x, flat), 1), TSR_ERAISED);
    assert_int_equal(fx_run(&f, "aten::embedding", "", FX_ARGS(x, i, tsr_int(-1), no, no), 1), TSR_ERAISED);
  }
  fx_close(&f);
}

static void gather_and_scatter(void **state) {
  (void)state;
  fixture f;
  fx_open(&f);
  tsr_val x = fx_range(&f, TSR_FLOAT32, 2, SIZES(2, 3)), no = tsr_bool(false), yes = tsr_bool(true);
  tsr_val i = fx_tensor(&f, TSR_INT64, 2, SIZES(1, 3), VALUES(1, 0, 1)), src = fx_tensor(&f, TSR_FLOAT32, 2, SIZES(1, 3), VALUES(10, 20, 30));
  fx_check(&f, fx_call(&f, "aten::gather", "", FX_ARGS(x, tsr_int(0), i, no)), 2, SIZES(1, 3), VALUES(3, 1, 5));
  fx_check(&f, fx_call(&f, "aten::scatter", "src", FX_ARGS(x, tsr_int(0), i, src)), 2, SIZES(2, 3), VALUES(0, 20, 2, 10, 4, 30));
  fx_check(&f, fx_call(&f, "aten::scatter_add", "", FX_ARGS(x, tsr_int(0), i, src)), 2, SIZES(2, 3), VALUES(0, 21, 2, 13, 4, 35));
  tsr_val mean = fx_keep(&f, tsr_str_new(f.mem, "mean", 4));
  fx_check(&f, fx_call(&f, "aten::scatter_reduce", "two", FX_ARGS(x, tsr_int(0), i, src, mean, yes)), 2, SIZES(2, 3), VALUES(0, 10.5, 2, 6.5, 4, 17.5));
  fx_check(&f, fx_call(&f, "aten::scatter_reduce", "two", FX_ARGS(x, tsr_int(0), i, src, mean, no)), 2, SIZES(2, 3), VALUES(0, 20, 2, 10, 4, 30));
  fx_close(&f);
}

static void sort_is_stable_and_puts_nan_last(void **state) {
  (void)state;
  fixture f;
  fx_open(&f);
  tsr_val x = fx_tensor(&f, TSR_FLOAT32, 1, SIZES(6), VALUES(2, __builtin_nan(""), -1, 2, -0.0, 0.0)), args[] = {x, tsr_int(-1), tsr_bool(false)};
  assert_int_equal(fx_run(&f, "aten::sort", "", 3, args, 2), TSR_OK);
  fx_check(&f, f.ret[1].t, 1, SIZES(6), VALUES(2, 4, 5, 0, 3, 1));
  args[2] = tsr_bool(true);
  assert_int_equal(fx_run(&f, "aten::sort", "", 3, args, 2), TSR_OK);
  fx_check(&f, f.ret[1].t, 1, SIZES(6), VALUES(1, 0, 3, 4, 5, 2));
  fx_close(&f);
}

/* Long rows take the radix path, short ones insertion: both against a plain check. */
static void sort_orders_long_rows(void **state) {
  (void)state;
  fixture f;
  fx_open(&f);
  static const tsr_dtype dtypes[] = {TSR_FLOAT32, TSR_FLOAT64, TSR_INT64, TSR_INT16, TSR_UINT8, TSR_FLOAT16, TSR_BFLOAT16};
  for (size_t k = 0; k < TSR_COUNT(dtypes); k++) {
    double values[1000];
    uint32_t seed = 1;
    for (int i = 0; i < 1000; i++) values[i] = (double)((seed = seed * 1664525 + 1013904223) >> 24) - (dtypes[k] == TSR_UINT8 ? 0 : 128);
    tsr_val x = fx_tensor(&f, dtypes[k], 1, SIZES(1000), values), args[] = {x, tsr_bool(true), tsr_int(0), tsr_bool(false)};
    assert_int_equal(fx_run(&f, "aten::sort", "stable", 4, args, 2), TSR_OK);
    const int64_t *at = tsr_tensor_data_ro(f.ret[1].t);
    for (int i = 1; i < 1000; i++) assert_true(values[at[i - 1]] < values[at[i]] || (values[at[i - 1]] == values[at[i]] && at[i - 1] < at[i]));
  }
  fx_close(&f);
}

static void topk_and_kth(void **state) {
  (void)state;
  fixture f;
  fx_open(&f);
  tsr_val x = fx_tensor(&f, TSR_FLOAT32, 2, SIZES(2, 4), VALUES(1, 4, 3, 2, 8, 5, 7, 6)), yes = tsr_bool(true), args[] = {x, tsr_int(2), tsr_int(-1), yes, yes};
  assert_int_equal(fx_run(&f, "aten::topk", "", 5, args, 2), TSR_OK);
  fx_check(&f, f.ret[0].t, 2, SIZES(2, 2), VALUES(4, 3, 8, 7));
  fx_check(&f, f.ret[1].t, 2, SIZES(2, 2), VALUES(1, 2, 0, 2));
  args[3] = tsr_bool(false);
  assert_int_equal(fx_run(&f, "aten::kthvalue", "", 4, args, 2), TSR_OK);
  fx_check(&f, f.ret[0].t, 1, SIZES(2), VALUES(2, 6));
  fx_close(&f);
}

static void unique_groups(void **state) {
  (void)state;
  fixture f;
  fx_open(&f);
  tsr_val x = fx_tensor(&f, TSR_INT64, 2, SIZES(2, 3), VALUES(3, 1, 3, 2, 1, 3)), yes = tsr_bool(true), args[] = {x, yes, yes, yes};
  assert_int_equal(fx_run(&f, "aten::_unique2", "", 4, args, 3), TSR_OK);
  fx_check(&f, f.ret[0].t, 1, SIZES(3), VALUES(1, 2, 3));
  fx_check(&f, f.ret[1].t, 2, SIZES(2, 3), VALUES(2, 0, 2, 1, 0, 2));
  fx_check(&f, f.ret[2].t, 1, SIZES(3), VALUES(2, 1, 3));
  fx_close(&f);
}

static void search_edges(void **state) {
  (void)state;
  fixture f;
  fx_open(&f);
  tsr_val edges = fx_tensor(&f, TSR_FLOAT32, 1, SIZES(3), VALUES(1, 2, 2)), v = fx_tensor(&f, TSR_FLOAT32, 1, SIZES(4), VALUES(0, 1, 2, __builtin_nan("")));
  tsr_val no = tsr_bool(false), yes = tsr_bool(true);
  fx_check(&f, fx_call(&f, "aten::bucketize", "Tensor", FX_ARGS(v, edges, no, no)), 1, SIZES(4), VALUES(0, 0, 1, 3));
  fx_check(&f, fx_call(&f, "aten::bucketize", "Tensor", FX_ARGS(v, edges, no, yes)), 1, SIZES(4), VALUES(0, 1, 3, 3));
  tsr_val counts = fx_tensor(&f, TSR_INT64, 1, SIZES(3), VALUES(0, 2, 2));
  fx_check(&f, fx_call(&f, "aten::bincount", "", FX_ARGS(counts, tsr_none(), tsr_int(4))), 1, SIZES(4), VALUES(1, 0, 2, 0));
  fx_close(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(adjacent_and_separated), cmocka_unit_test(masks),
      cmocka_unit_test(index_put_forms),        cmocka_unit_test(bounds),
      cmocka_unit_test(gather_and_scatter),     cmocka_unit_test(sort_is_stable_and_puts_nan_last),
      cmocka_unit_test(sort_orders_long_rows),  cmocka_unit_test(topk_and_kth),
      cmocka_unit_test(unique_groups),          cmocka_unit_test(search_edges),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
