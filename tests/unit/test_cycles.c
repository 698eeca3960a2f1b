/* Values that contain themselves are freed with the session that copied them, and not before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/value.h"
#include "interp/copy.h"
#include "interp/cycles.h"
#include "tsrun.h"

static tsr_list *list(tsr_mem *mem) {
  tsr_list *l = tsr_list_new(mem, &tsr_type_any, 0);
  assert_non_null(l);
  return l;
}

static void push(tsr_list *l, void *o) {
  tsr_obj_retain(o);
  assert_true(tsr_list_push_take(l, tsr_from_obj(o)));
}

static void a_ring_goes(void **state) {
  (void)state;
  tsr_mem *mem = tsr_mem_new(0);
  tsr_list *a = list(mem), *b = list(mem);
  push(a, b);
  push(b, a);
  push(a, a);
  tsr_obj_release(b);
  tsr_obj *held[] = {&a->h};
  tsr_cycles_break(held, 1);
  tsr_obj_release(a);
  assert_int_equal(tsr_mem_used(mem), 0);
  tsr_mem_close(mem);
}

static void what_is_held_outside_stays(void **state) {
  (void)state;
  tsr_mem *mem = tsr_mem_new(0);
  tsr_list *ring = list(mem), *kept = list(mem), *part = list(mem);
  push(ring, ring);
  push(ring, kept); /* the ring goes, what it held stays, with its parts */
  push(kept, part);
  tsr_obj_release(part);
  tsr_obj *held[] = {&ring->h};
  tsr_cycles_break(held, 1);
  tsr_obj_release(ring);
  assert_int_equal(kept->len, 1);
  assert_ptr_equal(kept->items[0].l, part);
  push(kept, kept); /* held from outside: not a part of it is emptied */
  tsr_obj *mine[] = {&part->h};
  tsr_obj_retain(part);
  tsr_cycles_break(mine, 1);
  tsr_obj_release(part);
  assert_int_equal(kept->len, 2);
  tsr_list_clear(kept);
  tsr_obj_release(kept);
  assert_int_equal(tsr_mem_used(mem), 0);
  tsr_mem_close(mem);
}

static void copies_of_a_ring_go(void **state) {
  (void)state;
  tsr_mem *mem = tsr_mem_new(0), *own = tsr_mem_new(0);
  tsr_list *a = list(mem);
  tsr_dict *d = tsr_dict_new(mem, &tsr_type_str, &tsr_type_any);
  tsr_str *key = tsr_str_new(mem, "back", 4);
  tsr_copier c = {.mem = own};
  tsr_val copy;
  push(a, d);
  tsr_obj_retain(a);
  assert_true(tsr_dict_set(d, tsr_from_obj(key), tsr_from_obj(a)));
  assert_true(tsr_copy_value(&c, tsr_from_obj(a), &copy));
  tsr_release(copy);
  tsr_copier_dispose(&c);
  assert_int_equal(tsr_mem_used(own), 0);
  tsr_mem_close(own);
  tsr_obj *held[] = {&a->h};
  tsr_obj_release(d);
  tsr_cycles_break(held, 1);
  tsr_obj_release(a);
  tsr_obj_release(key);
  assert_int_equal(tsr_mem_used(mem), 0);
  tsr_mem_close(mem);
}

static void what_a_heap_watches_is_collected(void **state) {
  (void)state;
  tsr_mem *mem = tsr_mem_new(0);
  tsr_mem_watch_all(mem);
  tsr_list *kept = list(mem), *inner = list(mem), *numbers = tsr_list_new(mem, &tsr_type_int, 0);
  assert_true(tsr_val_is_watched(tsr_from_obj(kept)) && !tsr_val_is_watched(tsr_from_obj(numbers)));
  push(kept, inner);
  push(inner, inner);
  tsr_obj_release(inner);
  uint64_t before = tsr_mem_used(mem);
  for (int i = 0; i < 100; i++) {
    tsr_list *a = list(mem);
    tsr_dict *d = tsr_dict_new(mem, &tsr_type_int, &tsr_type_any);
    push(a, numbers);
    push(a, kept);
    tsr_obj_retain(a);
    assert_true(tsr_dict_set(d, tsr_int(1), tsr_from_obj(a)));
    push(a, d);
    tsr_obj_release(d);
    tsr_obj_release(a);
  }
  assert_true(tsr_mem_used(mem) > before);
  tsr_cycles_collect(mem);
  assert_int_equal(tsr_mem_used(mem), before);
  assert_ptr_equal(kept->items[0].l, inner); /* held from outside, with all it reaches */
  assert_ptr_equal(inner->items[0].l, inner);
  assert_true(tsr_obj_is_unique(numbers) && tsr_obj_is_unique(kept));
  tsr_obj_release(numbers);
  tsr_obj_release(kept); /* the inner one still holds itself */
  assert_true(tsr_mem_share(mem)); /* a user has something */
  assert_false(tsr_mem_leave(mem)); /* the owner goes first */
  assert_true(tsr_mem_leave(mem));
  tsr_cycles_collect(mem);
  tsr_mem_unpin(mem);
  assert_int_equal(tsr_mem_used(mem), 0);
  tsr_mem_close(mem);
}

static void what_contains_itself_is_printed_once(void **state) {
  (void)state;
  tsr_mem *mem = tsr_mem_new(0);
  tsr_list *l = list(mem);
  tsr_dict *d = tsr_dict_new(mem, &tsr_type_int, &tsr_type_any);
  tsr_buf text = {0};
  push(l, l);
  push(l, d);
  push(l, l);
  tsr_obj_retain(l);
  assert_true(tsr_dict_set(d, tsr_int(1), tsr_from_obj(l)));
  tsr_val_print(tsr_from_obj(l), &text);
  assert_string_equal(text.data, "[[...], {1: [...]}, [...]]");
  tsr_buf_dispose(&text);
  tsr_obj_release(d);
  tsr_list_clear(l);
  tsr_obj_release(l);
  assert_int_equal(tsr_mem_used(mem), 0);
  tsr_mem_close(mem);
}

static void nothing_is_due_while_users_hold_some(void **state) {
  (void)state;
  tsr_mem *mem = tsr_mem_new(0);
  tsr_mem_watch_all(mem);
  tsr_list *all[5000];
  for (size_t i = 0; i < TSR_COUNT(all); i++) all[i] = list(mem);
  assert_true(tsr_mem_cycles_due(mem));
  assert_true(tsr_mem_share(mem));
  assert_false(tsr_mem_cycles_due(mem));
  assert_false(tsr_mem_leave(mem));
  tsr_mem_unpin(mem);
  assert_true(tsr_mem_cycles_due(mem));
  tsr_cycles_collect(mem);
  assert_false(tsr_mem_cycles_due(mem)); /* nothing was found: not before there are twice as many */
  for (size_t i = 0; i < TSR_COUNT(all); i++) tsr_obj_release(all[i * 7 % TSR_COUNT(all)]);
  assert_null(tsr_mem_watched(mem, 0));
  tsr_mem_share_for_good(mem);
  assert_false(tsr_mem_leave(mem));
  assert_int_equal(tsr_mem_used(mem), 0);
  tsr_mem_close(mem);
}

/* A loop of rings that nobody holds: 16 million bytes of tensors, and more of the rest. */
static void a_session_stays_small(void **state) {
  (void)state;
  tsr_model *m = NULL;
  tsr_session *s = NULL;
  int64_t sizes[2] = {8, 8};
  uint64_t peak = 0;
  tsr_session_options opt = {.struct_size = sizeof opt, .max_memory = 4 << 20};
  assert_int_equal(tsr_model_load("corpus/classes-values-that-contain-themselves/model.pt", NULL, &m, NULL), TSR_OK);
  assert_int_equal(tsr_session_new(m, &opt, &s, NULL), TSR_OK);
  tsr_value *in[2] = {tsr_value_int(20000), tsr_value_tensor(TSR_FLOAT32, 2, sizes, NULL, NULL)}, *out = NULL;
  for (int i = 0; i < 3; i++) {
    assert_int_equal(tsr_session_run(s, NULL, in, NULL, 2, &out, NULL), TSR_OK);
    tsr_value *alike = tsr_value_item(out, 1);
    assert_int_equal(tsr_value_get_int(alike), 20);
    tsr_value_free(alike);
    tsr_value_free(out);
  }
  tsr_session_memory(s, &peak);
  assert_true(peak <= 4 << 20);
  tsr_value_free(in[0]);
  tsr_value_free(in[1]);
  tsr_session_free(s);
  tsr_model_free(m);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(a_ring_goes), cmocka_unit_test(what_is_held_outside_stays), cmocka_unit_test(copies_of_a_ring_go),
                                     cmocka_unit_test(what_a_heap_watches_is_collected), cmocka_unit_test(nothing_is_due_while_users_hold_some),
                                     cmocka_unit_test(what_contains_itself_is_printed_once),
                                     cmocka_unit_test(a_session_stays_small)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
