/* core/: memory, values, dictionaries, types, schemas, printing, threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <math.h>
#include <cmocka.h>

#include "core/schema.h"
#include "core/spans.h"
#include "core/tensor.h"
#include "core/threads.h"

static void memory_is_metered(void **state) {
  tsr_mem *mem = tsr_mem_new(1000);
  void *a = tsr_alloc(mem, 600);
  assert_non_null(a);
  assert_null(tsr_alloc(mem, 401));
  assert_true(tsr_mem_hit_limit(mem));
  void *b = tsr_alloc(mem, 400);
  assert_non_null(b);
  assert_int_equal(tsr_mem_used(mem), 1000);
  tsr_free(mem, a, 600);
  assert_int_equal(tsr_mem_used(mem), 400);
  assert_int_equal(tsr_mem_peak(mem), 1000);
  tsr_mem_close(mem); /* b outlives its owner */
  tsr_free(mem, b, 400);
}

static void buffers_are_aligned_and_reused(void **state) {
  tsr_mem *mem = tsr_mem_new(0);
  void *a = tsr_buf_alloc(mem, 1000);
  assert_int_equal((uintptr_t)a % 64, 0);
  tsr_buf_free(mem, a, 1000);
  void *b = tsr_buf_alloc(mem, 1010); /* same size class */
  assert_ptr_equal(a, b);
  tsr_buf_free(mem, b, 1010);
  assert_null(tsr_buf_alloc(mem, SIZE_MAX - 10));
  tsr_mem_close(mem);
}

/* ---- spans */

static void spans_share_memory(void **state) {
  tsr_spans h = {0};
  char *a = tsr_spans_alloc(&h, 300000), *b = tsr_spans_alloc(&h, 500000), *c = tsr_spans_alloc(&h, 100000);
  assert_true(a != NULL && b != NULL && c != NULL);
  assert_int_equal((uintptr_t)a % 64, 0);
  tsr_spans_free(&h, a, SIZE_MAX);
  tsr_spans_free(&h, b, SIZE_MAX); /* one free span now */
  char *d = tsr_spans_alloc(&h, 790000);
  assert_ptr_equal(d, a);
  tsr_spans_free(&h, d, SIZE_MAX);
  char *e = tsr_spans_alloc(&h, 200000), *f = tsr_spans_alloc(&h, 550000); /* both fit where it was */
  assert_ptr_equal(e, a);
  assert_true(f > e && f < c);
  tsr_spans_free(&h, c, SIZE_MAX);
  char *g = tsr_spans_alloc(&h, 3000000); /* above, where c was */
  assert_true(g > f && g <= c);
  size_t mapped = h.mapped;
  tsr_spans_free(&h, e, SIZE_MAX), tsr_spans_free(&h, f, SIZE_MAX), tsr_spans_free(&h, g, SIZE_MAX);
  assert_int_equal(h.mapped, mapped);
  assert_true(h.idle > 3000000 && h.idle <= mapped);
  tsr_spans_trim(&h);
  assert_int_equal(h.idle, 0);
  assert_int_equal(h.mapped, 0);
  assert_null(h.regions);
}

static void spans_are_given_back(void **state) {
  tsr_spans h = {0};
  char *a = tsr_spans_alloc(&h, 1 << 20), *b = tsr_spans_alloc(&h, 1 << 20), *c = tsr_spans_alloc(&h, 1 << 20);
  memset(a, 1, 1 << 20);
  memset(c, 3, 1 << 20);
  tsr_spans_free(&h, b, 1 << 16); /* no more than this may stay idle */
  assert_true(h.idle <= (size_t)3 << 20);
  tsr_spans_trim(&h);
  assert_true(h.idle < 1 << 14);
  b = tsr_spans_alloc(&h, 1 << 19);
  memset(b, 2, 1 << 19);
  assert_true(b > a && b < c);
  for (int i = 0; i < 1 << 20; i += 4096) assert_true(a[i] == 1 && c[i] == 3);
  tsr_spans_free(&h, a, 0), tsr_spans_free(&h, b, 0), tsr_spans_free(&h, c, 0); /* the last one takes the region along */
  assert_int_equal(h.mapped, 0);
  assert_int_equal(h.idle, 0);
  tsr_spans_warm(&h, 1 << 20);
  assert_true(h.idle >= (1 << 20) - 64);
  assert_null(tsr_spans_alloc(&h, SIZE_MAX / 2));
  assert_null(tsr_spans_alloc(&h, (size_t)1 << 60));
  tsr_spans_trim(&h);
  assert_null(h.regions);
}

/* Any sizes in any order: buffers never overlap, and memory is not much more than was in use at once. */
static void spans_at_random(void **state) {
  enum { SLOTS = 200 };
  tsr_spans h = {0};
  unsigned char *p[SLOTS] = {0};
  size_t size[SLOTS] = {0}, used = 0, most = 0;
  uint64_t x = 88172645463325252u;
  for (int step = 0; step < 60000; step++) {
    x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    size_t i = x % SLOTS;
    if (p[i] != NULL) {
      assert_int_equal(p[i][0], i);
      assert_int_equal(p[i][size[i] - 1], i);
      tsr_spans_free(&h, p[i], step % 3 == 0 ? 1 << 20 : SIZE_MAX);
      used -= size[i];
      p[i] = NULL;
    } else {
      size[i] = (size_t)1 + (x >> 20) % (size_t)(1 << (4 + (x >> 10) % 15));
      p[i] = tsr_spans_alloc(&h, size[i]);
      assert_non_null(p[i]);
      assert_int_equal((uintptr_t)p[i] % 64, 0);
      p[i][0] = p[i][size[i] - 1] = (unsigned char)i;
      used += size[i];
      most = TSR_MAX(most, used);
    }
    if (step % 10000 == 0) tsr_spans_trim(&h);
  }
  assert_true(h.mapped <= 2 * most + ((size_t)16 << 20));
  for (int i = 0; i < SLOTS; i++)
    if (p[i] != NULL) tsr_spans_free(&h, p[i], SIZE_MAX);
  tsr_spans_trim(&h);
  assert_int_equal(h.mapped, 0);
  assert_int_equal(h.idle, 0);
}

/* Buffers of a heap outlive it, small and large ones. */
static void warmed_heaps(void **state) {
  tsr_mem *mem = tsr_mem_new((uint64_t)1 << 20);
  tsr_mem_warm(mem, (size_t)1 << 18);
  assert_int_equal(tsr_mem_used(mem), 0); /* what is there for later is nobody's */
  char *small = tsr_buf_alloc(mem, 100), *large = tsr_buf_alloc(mem, 100000), *edge = tsr_buf_alloc(mem, 16383);
  assert_true(small != NULL && large != NULL && edge != NULL);
  memset(small, 1, 100), memset(large, 2, 100000), memset(edge, 3, 16383);
  assert_null(tsr_buf_alloc(mem, 1 << 20));
  assert_int_equal(tsr_mem_used(mem), 100 + 100000 + 16383);
  tsr_buf_free(mem, edge, 16383);
  tsr_mem_close(mem);
  assert_true(small[99] == 1 && large[99999] == 2);
  tsr_buf_free(mem, large, 100000);
  tsr_buf_free(mem, small, 100);
}

static tsr_val str_val(tsr_mem *mem, const char *s) { return tsr_from_obj(tsr_str_new(mem, s, strlen(s))); }

static void dictionaries_keep_order(void **state) {
  tsr_mem *mem = tsr_mem_new(0);
  tsr_dict *d = tsr_dict_new(mem, &tsr_type_int, &tsr_type_int);
  for (int64_t i = 0; i < 1000; i++) assert_true(tsr_dict_set(d, tsr_int(i * 7), tsr_int(i)));
  for (int64_t i = 0; i < 1000; i += 2) assert_true(tsr_dict_erase(d, tsr_int(i * 7)));
  assert_false(tsr_dict_erase(d, tsr_int(0)));
  for (int round = 0; round < 3000; round++) { /* erase and set again: the index must not fill with tombstones */
    assert_true(tsr_dict_erase(d, tsr_int(7)));
    assert_true(tsr_dict_set(d, tsr_int(7), tsr_int(round)));
  }
  assert_int_equal(d->count, 500);
  size_t i = tsr_dict_next(d, 0);
  assert_int_equal(d->entries[i].key.i, 21); /* 7 went to the end */
  assert_null(tsr_dict_get(d, tsr_int(14)));
  assert_int_equal(tsr_dict_get(d, tsr_int(7))->i, 2999);
  tsr_obj_release(d);
  assert_int_equal(tsr_mem_used(mem), 0);
  tsr_mem_close(mem);
}

static void deep_values_are_freed_without_stack(void **state) {
  tsr_mem *mem = tsr_mem_new(0);
  tsr_val v = tsr_none();
  for (int i = 0; i < 1000000; i++) {
    tsr_list *l = tsr_list_new(mem, NULL, 1);
    tsr_list_push_take(l, v);
    v = tsr_from_obj(l);
  }
  tsr_release(v);
  assert_int_equal(tsr_mem_used(mem), 0);
  tsr_mem_close(mem);
}

static void views_stay_inside(void **state) {
  int64_t size[] = {2, 3}, stride[] = {3, 1}, big[] = {INT64_MAX, 4}, back[] = {-3, 1};
  assert_true(tsr_view_fits(24, TSR_FLOAT32, 0, 2, size, stride));
  assert_false(tsr_view_fits(23, TSR_FLOAT32, 0, 2, size, stride));
  assert_false(tsr_view_fits(24, TSR_FLOAT32, 1, 2, size, stride));
  assert_false(tsr_view_fits(24, TSR_FLOAT32, 0, 2, size, big));
  assert_false(tsr_view_fits(24, TSR_FLOAT32, 0, 2, size, back));
  assert_true(tsr_view_fits(24, TSR_FLOAT32, 3, 2, size, back));
  assert_false(tsr_view_fits(24, TSR_FLOAT32, -1, 0, NULL, NULL));
  int64_t numel, zero_big[] = {0, INT64_MAX, INT64_MAX};
  assert_true(tsr_numel(3, zero_big, &numel));
  assert_int_equal(numel, 0);
  assert_false(tsr_numel(2, zero_big + 1, &numel));
}

static void writes_copy_borrowed_bytes(void **state) {
  tsr_mem *mem = tsr_mem_new(0);
  float data[] = {1, 2, 3, 4};
  int64_t size[] = {4}, one[] = {2};
  tsr_storage *s = tsr_storage_borrow(mem, data, sizeof data, NULL, NULL);
  tsr_tensor *a = tsr_tensor_view(mem, s, TSR_FLOAT32, 0, 1, size, NULL), *b = tsr_tensor_view(mem, s, TSR_FLOAT32, 1, 1, one, NULL);
  float *p = tsr_tensor_data_mut(b);
  p[0] = 20;
  assert_true(data[1] == 2);                                   /* the owner's bytes are untouched */
  assert_true(((const float *)tsr_tensor_data_ro(a))[1] == 20); /* the other view sees the write */
  tsr_obj_release(a);
  tsr_obj_release(b);
  tsr_obj_release(s);
  assert_int_equal(tsr_mem_used(mem), 0);
  tsr_mem_close(mem);
}

static void assert_type_round_trip(tsr_types *t, const char *text, const char *expected) {
  tsr_errrec e = {0};
  const tsr_type *type;
  tsr_buf out = {0};
  assert_int_equal(tsr_type_parse(t, &e, text, strlen(text), &type), TSR_OK);
  tsr_type_print(type, &out);
  assert_string_equal(out.data, expected);
  tsr_buf_dispose(&out);
}

static void types_are_interned(void **state) {
  tsr_types *t = tsr_types_new();
  tsr_errrec e = {0};
  const tsr_type *a, *b;
  assert_type_round_trip(t, "Dict[str, List[Optional[Tensor]]]", "Dict[str, List[Optional[Tensor]]]");
  assert_type_round_trip(t, "Tuple[()]", "Tuple[()]");
  assert_type_round_trip(t, "Optional[Optional[int]]", "Optional[int]");
  assert_type_round_trip(t, "Union[int, NoneType]", "Optional[int]");
  assert_type_round_trip(t, "Dict[str,int]", "Dict[str, int]");
  assert_int_equal(tsr_type_parse(t, &e, "Union[int, str, float]", 22, &a), TSR_OK);
  assert_int_equal(tsr_type_parse(t, &e, "Union[float, int, str]", 22, &b), TSR_OK);
  assert_ptr_equal(a, b);
  static const char *const wrong[] = {"", "List[", "List[int", "Dict[int]", "List[int]]", "Foo[int]", "int int", "Tuple[(int)]"};
  for (size_t i = 0; i < TSR_COUNT(wrong); i++) {
    assert_int_equal(tsr_type_parse(t, &e, wrong[i], strlen(wrong[i]), &a), TSR_EFORMAT);
    tsr_errrec_dispose(&e);
  }
  char deep[4096];
  size_t n = 0;
  while (n < 4000) n += (size_t)sprintf(deep + n, "List[");
  assert_int_equal(tsr_type_parse(t, &e, deep, n, &a), TSR_EFORMAT);
  tsr_errrec_dispose(&e);
  assert_true(tsr_type_is_subtype(&tsr_type_int, tsr_type_optional(t, &tsr_type_int)));
  assert_true(tsr_type_is_subtype(&tsr_type_none, tsr_type_optional(t, &tsr_type_int)));
  assert_false(tsr_type_is_subtype(tsr_type_optional(t, &tsr_type_int), &tsr_type_int));
  assert_false(tsr_type_is_subtype(tsr_type_list(t, &tsr_type_int), tsr_type_list(t, &tsr_type_any)));
  assert_true(tsr_type_is_subtype(&tsr_type_float, &tsr_type_number));
  assert_false(tsr_type_is_subtype(&tsr_type_bool, &tsr_type_number));
  assert_ptr_equal(tsr_type_unify(t, &tsr_type_none, &tsr_type_str), tsr_type_optional(t, &tsr_type_str));
  tsr_types_release(t);
}

static void assert_schema_round_trip(tsr_types *t, const char *text) {
  tsr_errrec e = {0};
  tsr_schema *s;
  tsr_buf out = {0};
  assert_int_equal(tsr_schema_parse(t, &e, text, &s), TSR_OK);
  tsr_schema_print(s, &out);
  assert_string_equal(out.data, text);
  tsr_buf_dispose(&out);
}

static void schemas_parse(void **state) {
  tsr_types *t = tsr_types_new();
  tsr_errrec e = {0};
  tsr_schema *s;
  assert_schema_round_trip(t, "aten::add.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor");
  assert_schema_round_trip(t, "aten::size(Tensor self) -> int[]");
  assert_schema_round_trip(t, "aten::max.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor, Tensor)");
  assert_schema_round_trip(t, "prim::Print(...) -> ()");
  assert_schema_round_trip(t, "aten::relu_(Tensor(a!) self) -> Tensor(a!)");
  assert_int_equal(tsr_schema_parse(t, &e, "aten::conv2d(Tensor input, Tensor weight, Tensor? bias=None, SymInt[2] stride=[1, 1], str padding=\"valid\", float eps=1e-05, int[2] d=1) -> Tensor(a)[]", &s), TSR_OK);
  assert_int_equal(s->param_count, 7);
  assert_int_equal(s->params[3].list_size, 2);
  assert_int_equal(s->params[3].dflt.l->len, 2);
  assert_string_equal(s->params[4].dflt.s->bytes, "valid");
  assert_true(s->params[5].dflt.d == 1e-05);
  assert_int_equal(tsr_schema_parse(t, &e, "aten::items.str(Dict(str, t) self) -> ((str, t)[])", &s), TSR_OK);
  assert_int_equal(s->ret_count, 1);
  assert_int_equal(s->rets[0].type->kind, TSR_T_LIST);
  assert_int_equal(tsr_schema_parse(t, &e, "aten::sum.out(Tensor self, *, Tensor(a!) out) -> Tensor(a!)", &s), TSR_OK);
  assert_true(s->params[1].is_out && s->has_mut);
  tsr_types_release(t);
}

static void assert_prints(tsr_val v, const char *expected) {
  tsr_buf out = {0};
  tsr_val_print(v, &out);
  assert_string_equal(out.data, expected);
  tsr_buf_dispose(&out);
}

static tsr_val tensor_val(tsr_mem *mem, tsr_dtype d, int ndim, const int64_t *size, const void *data) {
  tsr_tensor *t = tsr_tensor_new(mem, d, ndim, size);
  if (t->numel > 0) memcpy(t->storage->data, data, (size_t)t->numel * tsr_dtype_size(d));
  return tsr_from_obj(t);
}

/* Expectations: print() of PyTorch 2.13 in a scripted function. */
static void values_print_as_torchscript(void **state) {
  tsr_mem *mem = tsr_mem_new(0);
  assert_prints(tsr_float(1), "1.");
  assert_prints(tsr_float(0.1), "0.10000000000000001");
  assert_prints(tsr_float(1e10), "10000000000.");
  assert_prints(tsr_float(-INFINITY), "-inf");
  assert_prints(tsr_bool(true), "True");
  int64_t two[] = {2}, m[] = {2, 3}, cube[] = {2, 1, 2};
  float f[] = {1.5f, -2.25f, 1000, 0.001f, 5, 6};
  int64_t n[] = {1, 20, 300, 4, 5, 6};
  tsr_val v = tensor_val(mem, TSR_FLOAT32, 1, two, f);
  assert_prints(v, " 1.5000\n-2.2500\n[ CPUFloatType{2} ]");
  tsr_release(v);
  v = tensor_val(mem, TSR_INT64, 2, m, n);
  assert_prints(v, "   1   20  300\n   4    5    6\n[ CPULongType{2,3} ]");
  tsr_release(v);
  v = tensor_val(mem, TSR_INT64, 3, cube, n);
  assert_prints(v, "(1,.,.) = \n  1  20\n\n(2,.,.) = \n 300    4\n[ CPULongType{2,1,2} ]");
  tsr_release(v);
  int64_t three = 3;
  v = tensor_val(mem, TSR_INT64, 0, NULL, &three);
  assert_prints(v, "3\n[ CPULongType{} ]");
  tsr_release(v);
  tsr_list *l = tsr_list_new(mem, &tsr_type_str, 2);
  tsr_list_push_take(l, str_val(mem, "a"));
  tsr_list_push_take(l, str_val(mem, "b"));
  assert_prints(tsr_from_obj(l), "[a, b]");
  tsr_obj_release(l);
  assert_int_equal(tsr_mem_used(mem), 0);
  tsr_mem_close(mem);
}

static void half_conversion_is_exact(void **state) {
  for (uint32_t h = 0; h < 65536; h++) {
    float f = tsr_half_to_float((uint16_t)h);
    if (isnan(f)) assert_true(isnan(tsr_half_to_float(tsr_float_to_half(f))));
    else assert_int_equal(tsr_float_to_half(f), h);
    float g = tsr_bf16_to_float((uint16_t)h);
    if (!isnan(g)) assert_int_equal(tsr_float_to_bf16(g), h);
  }
  assert_int_equal(tsr_float_to_half(65519.0f), 0x7bff);
  assert_int_equal(tsr_float_to_half(65520.0f), 0x7c00);
  assert_int_equal(tsr_float_to_half(2049.0f), 0x6800); /* ties to even */
}

static void promotion(void **state) {
  assert_int_equal(tsr_dtype_promote(TSR_UINT8, TSR_INT8), TSR_INT16);
  assert_int_equal(tsr_dtype_promote(TSR_FLOAT16, TSR_BFLOAT16), TSR_FLOAT32);
  assert_int_equal(tsr_dtype_promote(TSR_INT64, TSR_FLOAT16), TSR_FLOAT16);
  assert_int_equal(tsr_dtype_promote(TSR_COMPLEX64, TSR_FLOAT64), TSR_COMPLEX128);
  assert_int_equal(tsr_dtype_promote(TSR_BOOL, TSR_UINT8), TSR_UINT8);
  assert_false(tsr_dtype_can_cast(TSR_FLOAT32, TSR_INT64));
  assert_true(tsr_dtype_can_cast(TSR_INT64, TSR_UINT8));
}

static void add_task(void *arg, int64_t task, int worker) { __atomic_add_fetch((int64_t *)arg, task, __ATOMIC_RELAXED); }

static void pool_runs_every_task_once(void **state) {
  tsr_pool *p = tsr_pool_new(4);
  for (int round = 0; round < 2000; round++) {
    int64_t sum = 0;
    tsr_pool_run(p, 0, 100, add_task, &sum);
    assert_int_equal(sum, 4950);
  }
  tsr_pool_free(p);
}

static void nested_job(void *arg, int64_t task, int worker) { tsr_pool_run(arg, 0, 3, add_task, &(int64_t){0}); }

static void nested_jobs_run_in_place(void **state) {
  tsr_pool *p = tsr_pool_new(2);
  tsr_pool_run(p, 0, 8, nested_job, p);
  tsr_pool_free(p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(memory_is_metered), cmocka_unit_test(spans_share_memory), cmocka_unit_test(spans_are_given_back),
      cmocka_unit_test(spans_at_random), cmocka_unit_test(warmed_heaps), cmocka_unit_test(buffers_are_aligned_and_reused), cmocka_unit_test(dictionaries_keep_order),
      cmocka_unit_test(deep_values_are_freed_without_stack), cmocka_unit_test(views_stay_inside), cmocka_unit_test(writes_copy_borrowed_bytes),
      cmocka_unit_test(types_are_interned), cmocka_unit_test(schemas_parse), cmocka_unit_test(values_print_as_torchscript),
      cmocka_unit_test(half_conversion_is_exact), cmocka_unit_test(promotion), cmocka_unit_test(pool_runs_every_task_once),
      cmocka_unit_test(nested_jobs_run_in_place),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
