/* Loading compiles and packs: the first run finds nothing left to pack, and gives what a lazily loaded model gives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "interp/model.h"
#include "ops/site.h"

static tsr_model *load(const char *name, bool lazy) {
  char path[256];
  tsr_model *m = NULL;
  tsr_error *err = NULL;
  tsr_load_options opt = {.struct_size = sizeof opt, .threads = 2, .lazy = lazy};
  snprintf(path, sizeof path, "corpus/%s/model.pt", name);
  if (tsr_model_load(path, &opt, &m, &err) != TSR_OK) fail_msg("%s: %s", path, tsr_error_message(err));
  return m;
}

static tsr_load_stats stats(const tsr_model *m) {
  tsr_load_stats s = {.struct_size = sizeof s};
  tsr_model_load_stats(m, &s);
  return s;
}

static tsr_value *run(tsr_model *m, const char *name) {
  char path[256];
  tsr_session *s = NULL;
  tsr_value *in = NULL, *out = NULL, *args[16];
  tsr_error *err = NULL;
  snprintf(path, sizeof path, "corpus/%s/inputs.pt", name);
  assert_int_equal(tsr_value_load(path, NULL, &in, NULL), TSR_OK);
  size_t n = tsr_value_count(in);
  assert_true(n <= 16);
  for (size_t i = 0; i < n; i++) args[i] = tsr_value_item(in, i);
  assert_int_equal(tsr_session_new(m, NULL, &s, NULL), TSR_OK);
  if (tsr_session_run(s, NULL, args, NULL, n, &out, &err) != TSR_OK) fail_msg("%s: %s", name, tsr_error_message(err));
  for (size_t i = 0; i < n; i++) tsr_value_free(args[i]);
  tsr_value_free(in);
  tsr_session_free(s);
  return out;
}

static void test_nothing_left_to_pack(void **state) {
  (void)state;
  static const char *const names[] = {"nets-lenet", "nets-resnet", "nets-resnet-frozen", "nets-mobilenet-traced", "nets-lstm-tagger",
                                      "nets-gru-classifier-traced", "nets-transformer-encoder", "nets-vision-transformer"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    tsr_model *m = load(names[i], false), *lazy = load(names[i], true);
    uint64_t packed = stats(m).packed_bytes;
    if (packed == 0) fail_msg("%s: nothing was packed", names[i]);
    assert_int_equal(stats(lazy).packed_bytes, 0);
    tsr_value *a = run(m, names[i]), *b = run(lazy, names[i]);
    if (stats(m).packed_bytes != packed)
      fail_msg("%s: the first run packed %llu bytes more", names[i], (unsigned long long)(stats(m).packed_bytes - packed));
    bool equal = false;
    char *report = NULL;
    assert_int_equal(tsr_value_compare(a, b, 0, 0, &equal, NULL, &report, NULL), TSR_OK);
    if (!equal) fail_msg("%s: %s", names[i], report);
    tsr_string_free(report);
    tsr_value_free(a);
    tsr_value_free(b);
    tsr_model_free(m);
    tsr_model_free(lazy);
  }
}

/* Weights with a normalisation or a layer's scale folded in are only needed until they are packed; a second session still runs. */
static void test_folded_weights_are_freed(void **state) {
  (void)state;
  static const char *const names[] = {"nets-resnet", "layout-layer-scale"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    tsr_model *m = load(names[i], false);
    if (stats(m).freed_bytes == 0) fail_msg("%s: nothing was freed", names[i]);
    for (int k = 0; k < 2; k++) tsr_value_free(run(m, names[i]));
    tsr_model_free(m);
  }
}

/* Whole layers and the steps that they consist of stand in branches of one network: both read the same packed weights. */
static void test_weights_are_packed_once(void **state) {
  (void)state;
  tsr_model *m = load("nets-transformer-encoder", false);
  size_t weights = 0;
  tsr_weights *w = NULL;
  assert_int_equal(tsr_weights_open("corpus/nets-transformer-encoder/model.pt", NULL, &w, NULL), TSR_OK);
  for (size_t i = 0; i < tsr_weights_count(w); i++) {
    tsr_weight_info info;
    assert_true(tsr_weights_info(w, i, &info));
    weights += info.nbytes;
  }
  tsr_weights_free(w);
  assert_true(stats(m).packed_bytes > weights / 2);
  assert_true(stats(m).packed_bytes < weights * 3 / 2);
  tsr_model_free(m);
}

/* Once there is bytecode, nothing needs the intermediate form. */
static void test_intermediate_form_is_freed(void **state) {
  (void)state;
  tsr_model *m = load("nets-lenet", false), *lazy = load("nets-lenet", true);
  const tsr_method *done = tsr_model_find_method(m, "forward"), *later = tsr_model_find_method(lazy, "forward");
  assert_true(done->code != NULL && done->entry->body == NULL);
  assert_null(later->entry);
  tsr_value_free(run(m, "nets-lenet"));
  tsr_value_free(run(lazy, "nets-lenet"));
  assert_true(later->code != NULL && later->entry->body != NULL);
  tsr_model_free(m);
  tsr_model_free(lazy);
}

static void test_other_method(void **state) {
  (void)state;
  tsr_model *m = NULL;
  tsr_load_options opt = {.struct_size = sizeof opt, .method = "no_such_method"};
  assert_int_equal(tsr_model_load("corpus/nets-lenet/model.pt", &opt, &m, NULL), TSR_OK); /* the run will complain */
  assert_int_equal(stats(m).packed_bytes, 0);
  tsr_model_free(m);
}

/* Room that was mapped ahead: blocks come from it, also after its rest went back, and its last block may go before that. */
static void test_reserved_room(void **state) {
  (void)state;
  const size_t mb = (size_t)1 << 20;
  tsr_ctx ctx = {.heap = tsr_site_heap_new()};
  int stop = 0;
  assert_non_null(ctx.heap);
  tsr_site_heap_trim(ctx.heap); /* nothing was reserved */
  tsr_site_heap_reserve(ctx.heap, 32 * mb);
  tsr_site_heap_enter(ctx.heap, 4 * mb, &stop);
  char *a = tsr_site_alloc(&ctx, 9 * mb), *b = tsr_site_alloc(&ctx, 1000), *c = tsr_site_alloc(&ctx, 40 * mb);
  assert_true(a != NULL && b > a && b < a + 10 * mb && c != NULL); /* c has a mapping of its own */
  memset(a, 1, 9 * mb);
  memset(c, 1, 40 * mb);
  tsr_site_free(a);
  tsr_site_free(b);
  tsr_site_heap_trim(ctx.heap);
  char *d = tsr_site_alloc(&ctx, 1000), *e = tsr_site_alloc(&ctx, 20 * mb);
  memset(d, 1, 1000);
  memset(e, 1, 20 * mb);
  tsr_site_free(c);
  tsr_site_free(d);
  tsr_site_free(e);
  tsr_site_heap_reserve(ctx.heap, 32 * mb); /* freed without being trimmed */
  tsr_site_heap_free(ctx.heap);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_nothing_left_to_pack),
      cmocka_unit_test(test_folded_weights_are_freed),
      cmocka_unit_test(test_weights_are_packed_once),
      cmocka_unit_test(test_intermediate_form_is_freed),
      cmocka_unit_test(test_other_method),
      cmocka_unit_test(test_reserved_room),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
