/* The public API against models of the corpus: loading, arguments, errors, state, limits, threads. */
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tsrun.h"

static tsr_model *load(const char *name, int opt_level) {
  char path[256];
  tsr_model *m = NULL;
  tsr_error *err = NULL;
  tsr_load_options opt = {.struct_size = sizeof opt, .opt_level = opt_level};
  snprintf(path, sizeof path, "tests/unit/data/%s.pt", name);
  if (tsr_model_load(path, &opt, &m, &err) != TSR_OK) fail_msg("%s: %s", path, tsr_error_message(err));
  return m;
}

static tsr_session *session(tsr_model *m, const tsr_session_options *opt) {
  tsr_session *s = NULL;
  tsr_error *err = NULL;
  if (tsr_session_new(m, opt, &s, &err) != TSR_OK) fail_msg("%s", tsr_error_message(err));
  return s;
}

static tsr_value *vec(float a, float b) {
  int64_t size = 2;
  float data[2] = {a, b};
  return tsr_value_tensor(TSR_FLOAT32, 1, &size, NULL, data);
}

static void count_fused(void *user, const tsr_profile_event *event) { *(int *)user += strncmp(event->op, "tsr::", 5) == 0; }

/* Options of which only the size is set are the defaults: the optimiser works, as it does without options. */
static void test_zero_is_the_default(void **state) {
  (void)state;
  tsr_load_options zero = {.struct_size = sizeof zero}, none = {.struct_size = sizeof none, .opt_level = TSR_OPT_NONE};
  const tsr_load_options *options[] = {NULL, &zero, &none};
  int fused[3] = {0};
  for (int i = 0; i < 3; i++) {
    tsr_model *m = NULL;
    tsr_value *in = NULL, *x, *out = NULL;
    assert_int_equal(tsr_model_load("corpus/nets-resnet/model.pt", options[i], &m, NULL), TSR_OK);
    assert_int_equal(tsr_value_load("corpus/nets-resnet/inputs.pt", NULL, &in, NULL), TSR_OK);
    tsr_session *s = session(m, NULL);
    tsr_session_profile(s, count_fused, &fused[i]);
    x = tsr_value_item(in, 0);
    assert_int_equal(tsr_session_run(s, NULL, &x, NULL, 1, &out, NULL), TSR_OK);
    tsr_value_free(out);
    tsr_value_free(x);
    tsr_value_free(in);
    tsr_session_free(s);
    tsr_model_free(m);
  }
  assert_true(fused[0] > 0);
  assert_int_equal(fused[0], fused[1]);
  assert_int_equal(fused[2], 0);
}

/* Runs and frees the arguments; NULL: failed with *status. */
static tsr_value *run(tsr_session *s, const char *method, size_t n, tsr_value **args, const char *const *names, tsr_status *status, char *message) {
  tsr_value *out = NULL;
  tsr_error *err = NULL;
  *status = tsr_session_run(s, method, args, names, n, &out, &err);
  for (size_t i = 0; i < n; i++) tsr_value_free(args[i]);
  if (message != NULL) snprintf(message, 512, "%s", tsr_error_message(err));
  tsr_error_free(err);
  return out;
}

static void test_state_and_reset(void **state) {
  (void)state;
  for (int level = TSR_OPT_NONE; level <= 0; level++) {
    tsr_model *m = load("counter", level);
    tsr_session *a = session(m, NULL), *b = session(m, NULL);
    tsr_status st;
    for (int i = 1; i <= 3; i++) {
      tsr_value *x[] = {vec(1, 2)}, *y = run(a, NULL, 1, x, NULL, &st, NULL);
      assert_int_equal(st, TSR_OK);
      assert_int_equal(tsr_value_count(y), 2);
      tsr_value *t = tsr_value_item(y, 0), *n = tsr_value_item(y, 1);
      assert_float_equal(((const float *)tsr_tensor_data(t))[1], 2.0 * i, 0); /* the buffer accumulates */
      assert_int_equal(tsr_value_get_int(n), i);
      tsr_value_free(t);
      tsr_value_free(n);
      tsr_value_free(y);
    }
    tsr_value *x[] = {vec(1, 2)}, *y = run(b, "forward", 1, x, NULL, &st, NULL), *n = tsr_value_item(y, 1);
    assert_int_equal(tsr_value_get_int(n), 1); /* sessions do not see each other */
    tsr_value_free(n);
    tsr_value_free(y);
    assert_int_equal(tsr_session_reset(a, NULL), TSR_OK);
    tsr_value *x2[] = {vec(1, 2)};
    y = run(a, NULL, 1, x2, NULL, &st, NULL);
    n = tsr_value_item(y, 1);
    assert_int_equal(tsr_value_get_int(n), 1);
    tsr_value_free(n);
    tsr_session_free(a);
    tsr_session_free(b);
    tsr_model_free(m);
    tsr_value *t = tsr_value_item(y, 0); /* outputs outlive session and model */
    assert_float_equal(((const float *)tsr_tensor_data(t))[0], 1.0, 0);
    tsr_value_free(t);
    tsr_value_free(y);
  }
}

static void test_arguments(void **state) {
  (void)state;
  tsr_model *m = load("args", 0);
  tsr_session *s = session(m, NULL);
  tsr_status st;
  char msg[512];
  assert_string_equal(tsr_model_method_signature(m, "forward"), "(Tensor x, int n=3, float f=0.5, str[]? names=None) -> (Tensor, int, float, int)");
  assert_int_equal(tsr_model_method_arg_count(m, NULL), 4);
  assert_string_equal(tsr_model_method_arg_name(m, NULL, 3), "names");
  assert_string_equal(tsr_model_method_arg_type(m, NULL, 3), "Optional[List[str]]");
  assert_true(tsr_model_method_arg_has_default(m, NULL, 1));
  assert_false(tsr_model_method_arg_has_default(m, NULL, 0));
  assert_null(run(s, NULL, 0, NULL, NULL, &st, msg));
  assert_int_equal(st, TSR_EUSAGE);
  assert_non_null(strstr(msg, "forward() is missing value for argument 'x'. Declaration: forward(__torch__.Args self, Tensor x, int n=3"));
  assert_null(run(s, NULL, 2, (tsr_value *[]){vec(0, 1), tsr_value_float(1.5)}, NULL, &st, msg));
  assert_non_null(strstr(msg, "forward() Expected a value of type 'int' for argument 'n' but instead found type 'float'. Position: 2."));
  assert_null(run(s, NULL, 2, (tsr_value *[]){vec(0, 1), tsr_value_int(1)}, (const char *const[]){NULL, "q"}, &st, msg));
  assert_non_null(strstr(msg, "Unknown keyword argument 'q' for operator 'forward'. Schema: "));
  assert_null(run(s, NULL, 2, (tsr_value *[]){vec(0, 1), vec(0, 1)}, (const char *const[]){NULL, "x"}, &st, msg));
  assert_non_null(strstr(msg, "Argument 'x' specified both as positional and keyword argument."));
  assert_null(run(s, "nothing", 0, NULL, NULL, &st, msg));
  assert_int_equal(st, TSR_EUSAGE);
  tsr_value *a = tsr_value_str("a", 1), *list = tsr_value_list((tsr_value *[]){a, a}, 2);
  tsr_value *y = run(s, NULL, 3, (tsr_value *[]){vec(1, 2), tsr_value_int(4), list}, (const char *const[]){NULL, "f", "names"}, &st, msg);
  assert_int_equal(st, TSR_OK);
  tsr_value *f = tsr_value_item(y, 2), *n = tsr_value_item(y, 3);
  assert_float_equal(tsr_value_get_float(f), 4.0, 0); /* an int where a float is declared */
  assert_int_equal(tsr_value_get_int(n), 2);
  tsr_value_free(a);
  tsr_value_free(f);
  tsr_value_free(n);
  tsr_value_free(y);
  tsr_session_free(s);
  tsr_model_free(m);
}

static void test_borrowed_input_is_not_written(void **state) {
  (void)state;
  tsr_model *m = load("inplace", 0);
  tsr_session *s = session(m, NULL);
  float data[2] = {1, 2};
  int64_t size = 2;
  tsr_status st;
  tsr_value *x = tsr_value_tensor_borrow(TSR_FLOAT32, 1, &size, NULL, data, NULL, NULL);
  tsr_value *y = run(s, NULL, 1, &x, NULL, &st, NULL);
  assert_int_equal(st, TSR_OK);
  assert_float_equal(((const float *)tsr_tensor_data(y))[0], 6, 0);
  assert_float_equal(data[0], 1, 0);
  tsr_value_free(y);
  tsr_session_free(s);
  tsr_model_free(m);
}

static void test_errors_carry_a_traceback(void **state) {
  (void)state;
  for (int level = TSR_OPT_NONE; level <= 0; level++) {
    tsr_model *m = load("fails", level);
    tsr_session *s = session(m, NULL);
    tsr_value *x = vec(1, 2), *out = NULL;
    tsr_error *err = NULL;
    assert_int_equal(tsr_session_run(s, NULL, &x, NULL, 1, &out, &err), TSR_ERAISED);
    const char *t = tsr_error_traceback(err);
    assert_non_null(strstr(t, "Traceback of TorchScript, serialized code (most recent call last):\n  File \"code/__torch__.py\", line "));
    assert_non_null(strstr(t, "Traceback of TorchScript, original code (most recent call last):\n"));
    assert_non_null(strstr(t, "~~~~~~~~~~~~ <--- HERE\n"));
    assert_non_null(strstr(t, "in module inner.deep"));
    assert_non_null(strstr(t, "self=float32[2], other=float32[3, 3]"));
    tsr_error_free(err);
    err = NULL;
    assert_int_equal(tsr_session_run(s, "checked", &x, NULL, 1, &out, &err), TSR_ERAISED);
    assert_string_equal(tsr_error_message(err), "builtins.ValueError: bad value 2");
    tsr_error_free(err);
    err = NULL; /* __exit__ ran although the block raised */
    assert_int_equal(tsr_session_run(s, "entries", NULL, NULL, 0, &out, &err), TSR_OK);
    assert_int_equal(tsr_value_count(out), 2);
    tsr_value_free(out);
    tsr_value_free(x);
    tsr_session_free(s);
    tsr_model_free(m);
  }
}

static void *cancel_later(void *s) {
  usleep(50000);
  tsr_session_cancel(s);
  return NULL;
}

static void test_limits(void **state) {
  (void)state;
  tsr_model *m = load("spin", 0);
  tsr_status st;
  char msg[512];
  tsr_session_options opt = {.struct_size = sizeof opt, .max_steps = 100000};
  tsr_session *s = session(m, &opt);
  assert_null(run(s, NULL, 1, (tsr_value *[]){tsr_value_int(INT64_MAX)}, NULL, &st, msg));
  assert_int_equal(st, TSR_ELIMIT);
  tsr_value *y = run(s, NULL, 1, (tsr_value *[]){tsr_value_int(10)}, NULL, &st, NULL); /* usable afterwards */
  assert_int_equal(st, TSR_OK);
  tsr_value_free(y);
  tsr_session_free(s);
  opt = (tsr_session_options){.struct_size = sizeof opt, .timeout = 0.05};
  s = session(m, &opt);
  assert_null(run(s, NULL, 1, (tsr_value *[]){tsr_value_int(INT64_MAX)}, NULL, &st, msg));
  assert_int_equal(st, TSR_ELIMIT);
  tsr_session_free(s);
  s = session(m, NULL);
  pthread_t thread;
  pthread_create(&thread, NULL, cancel_later, s);
  assert_null(run(s, NULL, 1, (tsr_value *[]){tsr_value_int(INT64_MAX)}, NULL, &st, msg));
  assert_int_equal(st, TSR_ECANCELLED);
  pthread_join(thread, NULL);
  tsr_session_free(s);
  opt = (tsr_session_options){.struct_size = sizeof opt, .max_memory = 1 << 20};
  s = session(m, &opt);
  assert_null(run(s, "grow", 1, (tsr_value *[]){tsr_value_int(1 << 24)}, NULL, &st, msg));
  assert_int_equal(st, TSR_ELIMIT);
  tsr_session_free(s);
  tsr_model_free(m);
}

enum { THREADS = 8, RUNS = 40 };

static void *worker(void *model) {
  float last = 0;
  for (int round = 0; round < 2; round++) {
    tsr_session *s = session(model, NULL);
    tsr_status st;
    for (int i = 1; i <= RUNS; i++) {
      tsr_value *x[] = {vec(1, 2)}, *y = run(s, NULL, 1, x, NULL, &st, NULL);
      if (y == NULL) break;
      tsr_value *t = tsr_value_item(y, 0);
      last = ((const float *)tsr_tensor_data(t))[1];
      tsr_value_free(t);
      tsr_value_free(y);
    }
    tsr_session_free(s);
  }
  return (void *)(intptr_t)last;
}

static void test_threads_share_a_model(void **state) {
  (void)state;
  tsr_model *m = load("counter", 0);
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++) assert_int_equal(pthread_create(&threads[i], NULL, worker, m), 0);
  for (int i = 0; i < THREADS; i++) {
    void *last = NULL;
    pthread_join(threads[i], &last);
    assert_int_equal((intptr_t)last, 2 * RUNS);
  }
  tsr_model_free(m);
}

static void test_values(void **state) {
  (void)state;
  int64_t sizes[] = {2, 3}, strides[] = {1, 2};
  float data[6] = {0, 1, 2, 3, 4, 5};
  tsr_value *t = tsr_value_tensor(TSR_FLOAT32, 2, sizes, strides, data), *c = tsr_tensor_contiguous(t);
  assert_float_equal(((const float *)tsr_tensor_data(c))[1], 2, 0);
  assert_int_equal(tsr_tensor_strides(c)[0], 3);
  assert_null(tsr_value_tensor(TSR_FLOAT32, 2, (int64_t[]){-1, 2}, NULL, data));
  assert_null(tsr_value_tensor(TSR_FLOAT32, 2, (int64_t[]){INT64_MAX, 8}, NULL, NULL));
  tsr_value *k = tsr_value_str("k", 1), *d = tsr_value_dict(&k, &t, 1), *item = tsr_value_item(d, 0), *key = tsr_value_key(d, 0);
  assert_string_equal(tsr_value_get_str(key, NULL), "k");
  assert_int_equal(tsr_value_kind(item), TSR_KIND_TENSOR);
  assert_null(tsr_value_item(d, 1));
  bool equal = true;
  double diff = 0;
  char *report = NULL;
  assert_int_equal(tsr_value_compare(t, c, 0, 0, &equal, &diff, &report, NULL), TSR_OK);
  assert_true(equal);
  assert_string_equal(report, "");
  tsr_string_free(report);
  data[3] = NAN;
  tsr_value *n = tsr_value_tensor(TSR_FLOAT32, 2, sizes, strides, data);
  assert_int_equal(tsr_value_compare(t, n, 0, 1, &equal, &diff, &report, NULL), TSR_OK);
  assert_false(equal);
  tsr_string_free(report);
  tsr_value *all[] = {t, c, k, d, item, key, n};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) tsr_value_free(all[i]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_zero_is_the_default), cmocka_unit_test(test_values), cmocka_unit_test(test_state_and_reset), cmocka_unit_test(test_arguments),
      cmocka_unit_test(test_borrowed_input_is_not_written), cmocka_unit_test(test_errors_carry_a_traceback),
      cmocka_unit_test(test_limits), cmocka_unit_test(test_threads_share_a_model)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
