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

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(a_ring_goes), cmocka_unit_test(what_is_held_outside_stays), cmocka_unit_test(copies_of_a_ring_go)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
