/* Views, joining, factories, padding: values, strides, sharing of storage and refusals. */
#include "op_fixture.h"

static void view_shares_storage(void **state) {
  (void)state;
  fixture f;
  fx_open(&f);
  tsr_val x = fx_range(&f, TSR_FLOAT32, 2, SIZES(2, 3));
  tsr_tensor *v = fx_call(&f, "aten::view", "", FX_ARGS(x, INTS(&f, 3, -1)));
  fx_check(&f, v, 2, SIZES(3, 2), VALUES(0, 1, 2, 3, 4, 5));
  assert_ptr_equal(v->storage, x.t->storage);
  fx_call(&f, "aten::fill_", "Scalar", FX_ARGS(tsr_from_obj(v), tsr_int(7)));
  fx_check(&f, x.t, 2, SIZES(2, 3), VALUES(7, 7, 7, 7, 7, 7));
  fx_close(&f);
}

static void view_refuses_what_needs_a_copy(void **state) {
  (void)state;
  fixture f;
  fx_open(&f);
  tsr_val x = fx_range(&f, TSR_FLOAT32, 2, SIZES(2, 3));
  tsr_val t = tsr_from_obj(fx_call(&f, "aten::t", "", FX_ARGS(x)));
  fx_check_strides(t.t, SIZES(1, 3));
  fx_refused(&f,
             "view size is not compatible with input tensor's size and stride (at least one dimension spans across two contiguous "
             "subspaces). Use .reshape(...) instead.",
             "aten::view", "", FX_ARGS(t, INTS(&f, 6)));
  fx_check(&f, fx_call(&f, "aten::reshape", "", FX_ARGS(t, INTS(&f, 6))), 1, SIZES(6), VALUES(0, 3, 1, 4, 2, 5));
  fx_refused(&f, "shape '[4]' is invalid for input of size 6", "aten::view", "", FX_ARGS(x, INTS(&f, 4)));
  fx_refused(&f, "only one dimension can be inferred", "aten::view", "", FX_ARGS(x, INTS(&f, -1, -1)));
  fx_close(&f);
}

static void slices_and_selects(void **state) {
  (void)state;
  fixture f;
  fx_open(&f);
  tsr_val x = fx_range(&f, TSR_INT64, 2, SIZES(3, 4)), none = tsr_none();
  tsr_tensor *y = fx_call(&f, "aten::slice", "Tensor", FX_ARGS(x, tsr_int(-1), tsr_int(-3), none, tsr_int(2)));
  fx_check(&f, y, 2, SIZES(3, 2), VALUES(1, 3, 5, 7, 9, 11));
  fx_check_strides(y, SIZES(4, 2));
  fx_check(&f, fx_call(&f, "aten::select", "int", FX_ARGS(x, tsr_int(0), tsr_int(-1))), 1, SIZES(4), VALUES(8, 9, 10, 11));
  fx_refused(&f, "select(): index 5 out of range for tensor of size [3, 4] at dimension 0", "aten::select", "int", FX_ARGS(x, tsr_int(0), tsr_int(5)));
  fx_refused(&f, "slice step must be positive", "aten::slice", "Tensor", FX_ARGS(x, tsr_int(0), none, none, tsr_int(0)));
  fx_refused(&f, "start (1) + length (3) exceeds dimension size (3).", "aten::narrow", "", FX_ARGS(x, tsr_int(0), tsr_int(1), tsr_int(3)));
  fx_close(&f);
}

static void expand_uses_stride_zero(void **state) {
  (void)state;
  fixture f;
  fx_open(&f);
  tsr_val x = fx_range(&f, TSR_FLOAT32, 2, SIZES(2, 1)), no = tsr_bool(false);
  tsr_tensor *y = fx_call(&f, "aten::expand", "", FX_ARGS(x, INTS(&f, 3, -1, 2), no));
  fx_check(&f, y, 3, SIZES(3, 2, 2), VALUES(0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1));
  fx_check_strides(y, SIZES(0, 1, 0));
  fx_refused(&f,
             "The expanded size of the tensor (4) must match the existing size (2) at non-singleton dimension 0.  Target sizes: "
             "[4, 1].  Tensor sizes: [2, 1]",
             "aten::expand", "", FX_ARGS(x, INTS(&f, 4, 1), no));
  fx_close(&f);
}

static void as_strided_stays_inside(void **state) {
  (void)state;
  fixture f;
  fx_open(&f);
  tsr_val x = fx_range(&f, TSR_FLOAT32, 1, SIZES(6)), none = tsr_none();
  fx_check(&f, fx_call(&f, "aten::as_strided", "", FX_ARGS(x, INTS(&f, 2, 2), INTS(&f, 1, 3), tsr_int(1))), 2, SIZES(2, 2), VALUES(1, 4, 2, 5));
  fx_refused(&f,
             "setStorage: sizes [3, 3], strides [3, 1], storage offset 0, and itemsize 4 requiring a storage size of 36 are out of "
             "bounds for storage of size 24",
             "aten::as_strided", "", FX_ARGS(x, INTS(&f, 3, 3), INTS(&f, 3, 1), none));
  fx_refused(&f, "Storage size calculation overflowed with sizes=[4611686018427387904, 4] and strides=[1, 1]", "aten::as_strided", "",
             FX_ARGS(x, INTS(&f, INT64_C(1) << 62, 4), INTS(&f, 1, 1), none));
  fx_close(&f);
}

static void in_place_metadata(void **state) {
  (void)state;
  fixture f;
  fx_open(&f);
  tsr_val x = fx_range(&f, TSR_FLOAT32, 2, SIZES(2, 3));
  assert_ptr_equal(fx_call(&f, "aten::unsqueeze_", "", FX_ARGS(x, tsr_int(0))), x.t);
  assert_int_equal(x.t->ndim, 3);
  fx_call(&f, "aten::squeeze_", "dim", FX_ARGS(x, tsr_int(0)));
  fx_call(&f, "aten::t_", "", FX_ARGS(x));
  fx_check(&f, x.t, 2, SIZES(3, 2), VALUES(0, 3, 1, 4, 2, 5));
  fx_close(&f);
}

static void splits_cover_the_whole(void **state) {
  (void)state;
  fixture f;
  fx_open(&f);
  tsr_val x = fx_range(&f, TSR_FLOAT32, 1, SIZES(7)), args[] = {x, tsr_int(3), tsr_int(0)};
  assert_int_equal(fx_run(&f, "aten::chunk", "", 3, args, 1), TSR_OK);
  tsr_list *l = f.ret[0].l;
  assert_int_equal(l->len, 3);
  fx_check(&f, l->items[0].t, 1, SIZES(3), VALUES(0, 1, 2));
  fx_check(&f, l->items[2].t, 1, SIZES(1), VALUES(6));
  fx_refused(&f, "split_with_sizes expects split_sizes to sum exactly to 7 (input tensor's size at dimension 0), but got split_sizes=[3, 3]",
             "aten::split_with_sizes", "", FX_ARGS(x, INTS(&f, 3, 3), tsr_int(0)));
  fx_close(&f);
}

static void complex_views(void **state) {
  (void)state;
  fixture f;
  fx_open(&f);
  tsr_val x = fx_range(&f, TSR_FLOAT32, 2, SIZES(3, 2));
  tsr_tensor *z = fx_call(&f, "aten::view_as_complex", "", FX_ARGS(x));
  assert_int_equal(z->dtype, TSR_COMPLEX64);
  tsr_tensor *im = fx_call(&f, "aten::imag", "", FX_ARGS(tsr_from_obj(z)));
  fx_check(&f, im, 1, SIZES(3), VALUES(1, 3, 5));
  assert_ptr_equal(im->storage, x.t->storage);
  fx_close(&f);
}

static void cat_promotes_and_skips_empties(void **state) {
  (void)state;
  fixture f;
  fx_open(&f);
  tsr_val a = fx_range(&f, TSR_FLOAT32, 2, SIZES(2, 2)), b = fx_range(&f, TSR_INT64, 2, SIZES(2, 1)), e = fx_range(&f, TSR_FLOAT32, 1, SIZES(0));
  tsr_val list = fx_tensors(&f, 3, (tsr_val[]){a, e, b});
  tsr_tensor *y = fx_call(&f, "aten::cat", "", FX_ARGS(list, tsr_int(1)));
  assert_int_equal(y->dtype, TSR_FLOAT32);
  fx_check(&f, y, 2, SIZES(2, 3), VALUES(0, 1, 0, 2, 3, 1));
  fx_refused(&f, "Sizes of tensors must match except in dimension 0. Expected size 2 but got size 1 for tensor number 2 in the list.",
             "aten::cat", "", FX_ARGS(list, tsr_int(0)));
  fx_close(&f);
}

/* Results do not depend on where the work is cut: a long row over many parts. */
static void cat_of_many_parts(void **state) {
  (void)state;
  fixture f;
  fx_open(&f);
  tsr_val parts[40];
  int64_t total = 0;
  for (int i = 0; i < 40; i++) {
    parts[i] = fx_range(&f, TSR_FLOAT32, 2, SIZES(30, i * 7));
    total += i * 7;
  }
  tsr_tensor *y = fx_call(&f, "aten::cat", "", FX_ARGS(fx_tensors(&f, 40, parts), tsr_int(1)));
  assert_int_equal(y->size[1], total);
  const float *v = tsr_tensor_data_ro(y);
  for (int64_t r = 0; r < 30; r++)
    for (int64_t i = 0, at = 0; i < 40; i++)
      for (int64_t k = 0; k < i * 7; k++, at++) assert_true(v[r * total + at] == (float)(r * i * 7 + k));
  fx_close(&f);
}

static void stack_names_both_sizes(void **state) {
  (void)state;
  fixture f;
  fx_open(&f);
  tsr_val a = fx_range(&f, TSR_FLOAT32, 1, SIZES(2)), b = fx_range(&f, TSR_FLOAT32, 1, SIZES(3));
  fx_check(&f, fx_call(&f, "aten::stack", "", FX_ARGS(fx_tensors(&f, 2, (tsr_val[]){a, a}), tsr_int(1))), 2, SIZES(2, 2), VALUES(0, 0, 1, 1));
  fx_refused(&f, "stack expects each tensor to be equal size, but got [2] at entry 0 and [3] at entry 1", "aten::stack", "",
             FX_ARGS(fx_tensors(&f, 2, (tsr_val[]){a, b}), tsr_int(0)));
  fx_close(&f);
}

static void arange_counts(void **state) {
  (void)state;
  fixture f;
  fx_open(&f);
  tsr_val n = tsr_none();
  tsr_tensor *y = fx_call(&f, "aten::arange", "start_step", FX_ARGS(tsr_int(10), tsr_int(1), tsr_int(-4), n, n, n, n));
  assert_int_equal(y->dtype, TSR_INT64);
  fx_check(&f, y, 1, SIZES(3), VALUES(10, 6, 2));
  y = fx_call(&f, "aten::arange", "", FX_ARGS(tsr_float(2.5), n, n, n, n));
  assert_int_equal(y->dtype, TSR_FLOAT32);
  fx_check(&f, y, 1, SIZES(3), VALUES(0, 1, 2));
  fx_refused(&f, "upper bound and lower bound inconsistent with step sign", "aten::arange", "", FX_ARGS(tsr_int(-1), n, n, n, n));
  fx_refused(&f, "invalid size, possible overflow?", "aten::arange", "start_step", FX_ARGS(tsr_int(INT64_MIN), tsr_int(INT64_MAX), tsr_int(1), n, n, n, n));
  fx_close(&f);
}

static void factories_refuse_nonsense(void **state) {
  (void)state;
  fixture f;
  fx_open(&f);
  tsr_val n = tsr_none();
  fx_refused(&f, "zeros: Dimension size must be non-negative.", "aten::zeros", "", FX_ARGS(INTS(&f, 2, -3), n, n, n, n));
  fx_refused(&f, "value cannot be converted to type uint8_t without overflow", "aten::full", "",
             FX_ARGS(INTS(&f, 2), tsr_int(300), tsr_int(TSR_UINT8), n, n, n));
  assert_int_equal(fx_run(&f, "aten::zeros", "", FX_ARGS(INTS(&f, INT64_C(1) << 40, INT64_C(1) << 40), n, n, n, n), 1), TSR_ERAISED);
  fx_close(&f);
}

static void repeat_and_roll(void **state) {
  (void)state;
  fixture f;
  fx_open(&f);
  tsr_val x = fx_range(&f, TSR_FLOAT32, 2, SIZES(2, 2));
  fx_check(&f, fx_call(&f, "aten::repeat", "", FX_ARGS(x, INTS(&f, 2, 1, 2))), 3, SIZES(2, 2, 4), VALUES(0, 1, 0, 1, 2, 3, 2, 3, 0, 1, 0, 1, 2, 3, 2, 3));
  tsr_val y = fx_range(&f, TSR_FLOAT32, 2, SIZES(3, 3));
  fx_check(&f, fx_call(&f, "aten::roll", "", FX_ARGS(y, INTS(&f, 1, -1), INTS(&f, 0, 1))), 2, SIZES(3, 3), VALUES(7, 8, 6, 1, 2, 0, 4, 5, 3));
  fx_check(&f, fx_call(&f, "aten::flip", "", FX_ARGS(x, INTS(&f, 0, 1))), 2, SIZES(2, 2), VALUES(3, 2, 1, 0));
  fx_close(&f);
}

static void pads_of_every_mode(void **state) {
  (void)state;
  fixture f;
  fx_open(&f);
  tsr_val x = fx_range(&f, TSR_FLOAT32, 2, SIZES(1, 3)), p = INTS(&f, 2, 1);
  fx_check(&f, fx_call(&f, "aten::reflection_pad1d", "", FX_ARGS(x, p)), 2, SIZES(1, 6), VALUES(2, 1, 0, 1, 2, 1));
  fx_check(&f, fx_call(&f, "aten::replication_pad1d", "", FX_ARGS(x, p)), 2, SIZES(1, 6), VALUES(0, 0, 0, 1, 2, 2));
  tsr_val h = fx_range(&f, TSR_FLOAT16, 2, SIZES(1, 3));
  fx_check(&f, fx_call(&f, "aten::replication_pad1d", "", FX_ARGS(h, INTS(&f, -1, 1))), 2, SIZES(1, 3), VALUES(1, 2, 2));
  fx_check(&f, fx_call(&f, "aten::_pad_circular", "", FX_ARGS(x, p)), 2, SIZES(1, 6), VALUES(1, 2, 0, 1, 2, 0));
  fx_check(&f, fx_call(&f, "aten::constant_pad_nd", "", FX_ARGS(x, INTS(&f, -1, 2), tsr_int(9))), 2, SIZES(1, 4), VALUES(1, 2, 9, 9));
  fx_refused(&f,
             "Argument #4: Padding size should be less than the corresponding input dimension, but got: padding (3, 0) at dimension 1 "
             "of input [1, 3]",
             "aten::reflection_pad1d", "", FX_ARGS(x, INTS(&f, 3, 0)));
  fx_close(&f);
}

static void numbers_out_of_tensors(void **state) {
  (void)state;
  fixture f;
  fx_open(&f);
  tsr_val x = fx_tensor(&f, TSR_FLOAT32, 0, NULL, VALUES(3.75)), two = fx_range(&f, TSR_FLOAT32, 1, SIZES(2));
  assert_int_equal(fx_run(&f, "aten::Int", "Tensor", FX_ARGS(x), 1), TSR_OK);
  assert_int_equal(f.ret[0].i, 3);
  fx_refused(&f, "a Tensor with 2 elements cannot be converted to Scalar", "aten::item", "", FX_ARGS(two));
  fx_refused(&f, "Boolean value of Tensor with more than one value is ambiguous", "aten::Bool", "Tensor", FX_ARGS(two));
  fx_refused(&f, "Cannot input a tensor of type Float as an integral argument", "aten::IntImplicit", "", FX_ARGS(x));
  fx_close(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(view_shares_storage),       cmocka_unit_test(view_refuses_what_needs_a_copy),
      cmocka_unit_test(slices_and_selects),        cmocka_unit_test(expand_uses_stride_zero),
      cmocka_unit_test(as_strided_stays_inside),   cmocka_unit_test(in_place_metadata),
      cmocka_unit_test(splits_cover_the_whole),    cmocka_unit_test(complex_views),
      cmocka_unit_test(cat_promotes_and_skips_empties), cmocka_unit_test(cat_of_many_parts),
      cmocka_unit_test(stack_names_both_sizes),    cmocka_unit_test(arange_counts),
      cmocka_unit_test(factories_refuse_nonsense), cmocka_unit_test(repeat_and_roll),
      cmocka_unit_test(pads_of_every_mode),        cmocka_unit_test(numbers_out_of_tensors),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
