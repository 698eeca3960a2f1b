/* Weights through the public API: files of any size, sharing, models that outlive their weights. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "tsrun.h"

#define FOLDER "tests/weights/"
#define GIB ((uint64_t)1 << 30)

static tsr_weights *open_weights(const char *where, const tsr_weights_options *opt) {
  tsr_weights *w = NULL;
  tsr_error *err = NULL;
  if (tsr_weights_open(where, opt, &w, &err) != TSR_OK) fail_msg("%s: %s", where, tsr_error_message(err));
  return w;
}

static tsr_value *load_value(const char *path) {
  tsr_value *v = NULL;
  assert_int_equal(tsr_value_load(path, NULL, &v, NULL), TSR_OK);
  return v;
}

/* ---- large files: holes, in memory that is never touched ---- */

static void put(int fd, uint64_t at, const void *data, size_t len) { assert_int_equal(pwrite(fd, data, len, (off_t)at), (ssize_t)len); }

static void put_le(uint8_t *p, uint64_t x, int bytes) {
  for (int i = 0; i < bytes; i++) p[i] = (uint8_t)(x >> (8 * i));
}

static char *path_of(int fd) {
  static char path[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  return path;
}

static void safetensors_of_10_gib(void **state) {
  (void)state;
  char header[256];
  uint8_t len[8];
  int fd = memfd_create("large", 0), n = snprintf(header, sizeof header, "{\"a\":{\"dtype\":\"F32\",\"shape\":[65536,32768],\"data_offsets\":[0,%llu]},"
                  "\"b\":{\"dtype\":\"F16\",\"shape\":[1073741824],\"data_offsets\":[%llu,%llu]}}", (unsigned long long)(8 * GIB), (unsigned long long)(8 * GIB), (unsigned long long)(10 * GIB));
  put_le(len, (uint64_t)n, 8);
  put(fd, 0, len, 8);
  put(fd, 8, header, (size_t)n);
  if (ftruncate(fd, (off_t)(8 + (uint64_t)n + 10 * GIB)) != 0) skip();
  tsr_weights *w = open_weights(path_of(fd), NULL);
  tsr_weight_info a, b;
  assert_int_equal(tsr_weights_count(w), 2);
  assert_true(tsr_weights_info(w, 0, &a) && tsr_weights_info(w, 1, &b) && !tsr_weights_info(w, 2, &b));
  assert_string_equal(a.name, "a");
  assert_int_equal(a.nbytes, 8 * GIB);
  assert_int_equal(b.dtype, TSR_FLOAT16);
  tsr_weights_free(w);
  close(fd);
}

typedef struct zip { int fd; uint64_t at; uint8_t dir[1024]; size_t dir_len, count; } zip;

/* A stored entry; data NULL: a hole of size bytes. */
static void add_entry(zip *z, const char *name, const void *data, uint64_t size) {
  uint8_t local[30] = {0x50, 0x4b, 3, 4, 45}, extra[20] = {1, 0, 16}, *c = z->dir + z->dir_len;
  size_t n = strlen(name), wide = size >= UINT32_MAX ? sizeof extra : 0;
  uint64_t header = z->at;
  put_le(local + 18, wide ? UINT32_MAX : size, 4);
  put_le(local + 22, wide ? UINT32_MAX : size, 4);
  put_le(local + 26, n, 2);
  put_le(local + 28, wide, 2);
  put_le(extra + 4, size, 8);
  put_le(extra + 12, size, 8);
  put(z->fd, z->at, local, sizeof local);
  put(z->fd, z->at + 30, name, n);
  put(z->fd, z->at + 30 + n, extra, wide);
  z->at += 30 + n + wide;
  if (data != NULL) put(z->fd, z->at, data, size);
  z->at += size;
  memset(c, 0, 46);
  memcpy(c, "PK\1\2\x2d\0\x2d", 7);
  bool far = header >= UINT32_MAX;
  put_le(c + 20, wide ? UINT32_MAX : size, 4);
  put_le(c + 24, wide ? UINT32_MAX : size, 4);
  put_le(c + 28, n, 2);
  put_le(c + 30, (wide || far ? 4u : 0u) + (wide ? 16u : 0u) + (far ? 8u : 0u), 2);
  put_le(c + 42, far ? UINT32_MAX : header, 4);
  memcpy(c + 46, name, n);
  c += 46 + n;
  if (wide || far) {
    put_le(c, 1, 2);
    put_le(c + 2, (wide ? 16u : 0u) + (far ? 8u : 0u), 2);
    c += 4;
  }
  if (wide) put_le(c, size, 8), put_le(c + 8, size, 8), c += 16;
  if (far) put_le(c, header, 8), c += 8;
  z->dir_len = (size_t)(c - z->dir);
  z->count++;
}

static void finish_zip(zip *z) {
  uint8_t end[98] = {'P', 'K', 6, 6, 44};
  put(z->fd, z->at, z->dir, z->dir_len);
  uint64_t end_at = z->at + z->dir_len;
  put_le(end + 12, 45, 2), put_le(end + 14, 45, 2);
  put_le(end + 24, z->count, 8), put_le(end + 32, z->count, 8);
  put_le(end + 40, z->dir_len, 8), put_le(end + 48, z->at, 8);
  memcpy(end + 56, "PK\6\7", 4);
  put_le(end + 64, end_at, 8), put_le(end + 72, 1, 4);
  memcpy(end + 76, "PK\5\6", 4);
  put_le(end + 84, z->count, 2), put_le(end + 86, z->count, 2), put_le(end + 88, z->dir_len, 4), put_le(end + 92, UINT32_MAX, 4);
  put(z->fd, end_at, end, sizeof end);
}

/* {"big": float32[2^29 * 3], "small": float32[2]}: the second storage lies beyond 4 GiB. */
static void torch_zip_of_6_gib(void **state) {
  (void)state;
  static const char pickle[] =
      "\x80\x02}(X\3\0\0\0bigctorch._utils\n_rebuild_tensor_v2\n((X\7\0\0\0storagectorch\nFloatStorage\nX\1\0\0\0" "0X\6\0\0\0cuda:3J\0\0\0\x60tQK\0J\0\0\0\x60\x85K\1\x85\x89" "ccollections\nOrderedDict\n)RtR"
      "X\5\0\0\0smallctorch._utils\n_rebuild_tensor_v2\n((X\7\0\0\0storagectorch\nFloatStorage\nX\1\0\0\0" "1X\3\0\0\0cpuK\2tQK\0K\2\x85K\1\x85\x89" "ccollections\nOrderedDict\n)RtRu.";
  static const float small[2] = {1.5f, -2};
  zip z = {.fd = memfd_create("large", 0)};
  add_entry(&z, "a/data.pkl", pickle, sizeof pickle - 1);
  add_entry(&z, "a/data/0", NULL, 6 * GIB);
  add_entry(&z, "a/data/1", small, sizeof small);
  add_entry(&z, "a/version", "3\n", 2);
  finish_zip(&z);
  tsr_weights *w = open_weights(path_of(z.fd), NULL);
  tsr_weight_info x;
  tsr_value *v = NULL;
  assert_true(tsr_weights_info(w, 0, &x));
  assert_int_equal(x.nbytes, 6 * GIB);
  assert_string_equal(x.device, "cuda:3");
  assert_int_equal(tsr_weights_get(w, 1, &v, NULL), TSR_OK);
  assert_memory_equal(tsr_tensor_data(v), small, sizeof small);
  tsr_value_free(v);
  tsr_weights_free(w);
  close(z.fd);
}

/* ---- models ---- */

static tsr_value *run(tsr_model *m, tsr_value *in) {
  tsr_session *s = NULL;
  tsr_value *out = NULL;
  assert_int_equal(tsr_session_new(m, NULL, &s, NULL), TSR_OK);
  assert_int_equal(tsr_session_run(s, NULL, &in, NULL, 1, &out, NULL), TSR_OK);
  tsr_session_free(s);
  return out;
}

static void expect_equal(tsr_value *got, tsr_value *want) {
  bool equal = false;
  assert_int_equal(tsr_value_compare(got, want, 1e-5, 1e-5, &equal, NULL, NULL, NULL), TSR_OK);
  assert_true(equal);
}

static tsr_model *load_model(const tsr_weights *w) {
  tsr_load_options opt = {.struct_size = sizeof opt, .threads = 1, .weights = w};
  tsr_model *m = NULL;
  tsr_error *err = NULL;
  if (tsr_model_load(FOLDER "net.pt", &opt, &m, &err) != TSR_OK) fail_msg("%s", tsr_error_message(err));
  return m;
}

/* Two models take the same weights, which are freed before the first run; the first model before the second runs. */
static void models_outlive_their_weights(void **state) {
  (void)state;
  static const char *const files[] = {FOLDER "full.pth", FOLDER "packed.npz", FOLDER "full.safetensors", FOLDER "net.pt"};
  tsr_value *in = load_value(FOLDER "input.pt"), *want = load_value(FOLDER "expected.pt");
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    tsr_weights *w = open_weights(files[i], NULL);
    tsr_model *one = load_model(w), *two = load_model(w);
    tsr_weights_free(w);
    tsr_value *a = run(one, in);
    tsr_model_free(one);
    tsr_value *b = run(two, in);
    tsr_model_free(two);
    expect_equal(a, b);
    if (i < 3) expect_equal(a, want);
    tsr_value_free(a);
    tsr_value_free(b);
  }
  tsr_value_free(in);
  tsr_value_free(want);
}

static void note(void *user, const char *line) {
  ++*(int *)user;
  assert_non_null(line);
}

static void errors_have_lines(void **state) {
  (void)state;
  tsr_weights *w = open_weights(FOLDER "parallel.pth", NULL);
  int notes = 0;
  tsr_load_options opt = {.struct_size = sizeof opt, .threads = 1, .weights = w, .note = note, .note_user = &notes};
  tsr_model *m = NULL;
  tsr_error *err = NULL;
  assert_int_equal(tsr_model_load(FOLDER "plain.pt", &opt, &m, &err), TSR_EFORMAT);
  static const char head[] = "Error(s) in loading state_dict for Plain:\n\tMissing key(s) in state_dict: \"fc1.weight\", \"fc1.bias\", \"fc2.weight\", \"fc2.bias\". "
                             "\n\tUnexpected key(s) in state_dict: \"module.fc1.weight\", ";
  assert_memory_equal(tsr_error_message(err), head, sizeof head - 1);
  assert_non_null(strstr(tsr_error_message(err), "--strip-prefix module."));
  tsr_error_free(err);
  opt.weights_no_strict = true;
  assert_int_equal(tsr_model_load(FOLDER "plain.pt", &opt, &m, NULL), TSR_OK);
  assert_int_equal(notes, 2);
  tsr_model_free(m);
  tsr_weights_free(w);
}

/* A tensor that was taken out lives on its own. */
static void tensors_outlive_their_weights(void **state) {
  (void)state;
  const char *rules[] = {"^fc([0-9])\\.=layer\\1_"};
  tsr_weights_options opt = {.struct_size = sizeof opt, .renames = rules, .rename_count = 1};
  tsr_weights *w = open_weights(FOLDER "checkpoint.tar", &opt);
  tsr_value *v = NULL;
  size_t at;
  assert_string_equal(tsr_weights_key(w), "model_state_dict");
  assert_false(tsr_weights_is_archive(w));
  assert_true(tsr_weights_find(w, "layer2_bias", 11, &at));
  assert_int_equal(at, 3);
  assert_int_equal(tsr_weights_get(w, at, &v, NULL), TSR_OK);
  assert_int_not_equal(tsr_weights_get(w, 99, &v, NULL), TSR_OK);
  tsr_weights_forget(w, at);
  tsr_weights_free(w);
  float x = ((const float *)tsr_tensor_data(v))[2];
  assert_true(isfinite(x) && x > 0);
  tsr_value_free(v);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(safetensors_of_10_gib),       cmocka_unit_test(torch_zip_of_6_gib),
      cmocka_unit_test(models_outlive_their_weights), cmocka_unit_test(errors_have_lines),
      cmocka_unit_test(tensors_outlive_their_weights),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
