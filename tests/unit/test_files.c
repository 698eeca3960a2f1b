/* Value files: npy, npz, safetensors, JSON, torch.save, atomic outputs, descriptions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "frontend/atomic.h"
#include "frontend/describe.h"
#include "frontend/formats.h"
#include "frontend/text.h"

static tsr_mem *mem;
static tsr_types *types;
static tsr_errrec err;
static tsr_file_env env;
static char dir[] = P_tmpdir "/tsrun-files-XXXXXX";

static int setup(void **state) {
  mem = tsr_mem_new(0);
  types = tsr_types_new();
  env = (tsr_file_env){mem, types, &err};
  return 0;
}

static int teardown(void **state) {
  tsr_errrec_dispose(&err);
  tsr_types_release(types);
  uint64_t used = tsr_mem_used(mem);
  tsr_mem_close(mem);
  return used != 0;
}

static int make_dir(void **state) { return mkdtemp(dir) == NULL; }

static const char *in_dir(const char *name) {
  static char path[2][400];
  static int turn;
  turn = !turn;
  snprintf(path[turn], sizeof path[turn], "%s/%s", dir, name);
  return path[turn];
}

static size_t files_in_dir(bool remove) {
  size_t n = 0;
  DIR *d = opendir(dir);
  for (struct dirent *e; (e = readdir(d)) != NULL;) {
    if (e->d_name[0] == '.') continue;
    n++;
    if (remove) unlink(in_dir(e->d_name));
  }
  closedir(d);
  return n;
}

static int remove_dir(void **state) {
  files_in_dir(true);
  return rmdir(dir);
}

/* ---- npy ---- */

static tsr_buf npy_of(const char *header, int version, const void *data, size_t len) {
  tsr_buf b = {0};
  size_t n = strlen(header);
  tsr_buf_puts(&b, "\x93NUMPY");
  tsr_buf_putc(&b, (char)version);
  tsr_buf_putc(&b, 0);
  for (int i = 0; i < (version == 1 ? 2 : 4); i++) tsr_buf_putc(&b, (char)(n >> (8 * i)));
  tsr_buf_put(&b, header, n);
  tsr_buf_put(&b, data, len);
  return b;
}

static tsr_status load_npy(tsr_buf *b, tsr_val *out) {
  tsr_archive *a;
  tsr_errrec_dispose(&err);
  *out = tsr_none();
  assert_int_equal(tsr_archive_open_memory(b->data, b->len, &err, &a), TSR_OK);
  tsr_status st = tsr_npy_load(&env, a, out);
  tsr_archive_release(a);
  return st;
}

static void npy_orders_and_bytes(void **state) {
  static const char data[] = "\0\0\0\1\0\2\0\3\0\4\0\5"; /* big-endian int16 0..5 */
  tsr_val v;
  tsr_buf b = npy_of("{'descr': '>i2', 'fortran_order': True, 'shape': (2, 3), }\n", 1, data, 12);
  assert_int_equal(load_npy(&b, &v), TSR_OK);
  assert_int_equal(v.t->dtype, TSR_INT16);
  assert_int_equal(v.t->stride[0], 1);
  assert_int_equal(v.t->stride[1], 2);
  assert_int_equal(tsr_tensor_get(mem, v.t, 1).i, 2); /* row 0, column 1 */
  tsr_release(v);
  tsr_buf_dispose(&b);
  for (int version = 1; version <= 4; version++) {
    b = npy_of("{\"shape\":(),'fortran_order':False,'descr':'|b1'}", version, "\7", 1);
    assert_int_equal(load_npy(&b, &v), version <= 3 ? TSR_OK : TSR_EUNSUPPORTED);
    if (version <= 3) assert_int_equal(*(const uint8_t *)tsr_tensor_data_ro(v.t), 1); /* a bool is 0 or 1 */
    tsr_release(v);
    tsr_buf_dispose(&b);
  }
}

static void npy_lies_are_refused(void **state) {
  static const struct { const char *header; tsr_status want; const char *text; } bad[] = {
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (65536, 65536), }", TSR_EFORMAT, "needs 17179869184 bytes"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }", TSR_EFORMAT, "too large"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }", TSR_EFORMAT, "shape cannot be read"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", TSR_EFORMAT, "shape cannot be read"},
      {"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", TSR_EUNSUPPORTED, "Python objects"},
      {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", TSR_EUNSUPPORTED, "records"},
      {"{'descr': '<U4', 'fortran_order': False, 'shape': (1,), }", TSR_EUNSUPPORTED, "type <U4"},
      {"{'descr': '<f4', 'shape': (1,), }", TSR_EFORMAT, "not complete"},
      {"{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", TSR_EFORMAT, "another key"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,), } x", TSR_EFORMAT, "not complete"},
      {"{'descr': '<f4', 'fortran_order': Maybe, 'shape': (1,), }", TSR_EFORMAT, "cannot be read"},
      {"{", TSR_EFORMAT, "cannot be read"},
      {"", TSR_EFORMAT, "not a dict"},
  };
  for (size_t i = 0; i < TSR_COUNT(bad); i++) {
    tsr_val v;
    tsr_buf b = npy_of(bad[i].header, 1, "1234567", 3);
    assert_int_equal(load_npy(&b, &v), bad[i].want);
    if (strstr(err.message, bad[i].text) == NULL) fail_msg("\"%s\" does not say \"%s\"", err.message, bad[i].text);
    tsr_buf_dispose(&b);
  }
  for (int over = 0; over < 2; over++) {
    char *header = malloc(10002);
    tsr_val v;
    memset(header, ' ', 10001);
    memcpy(header, "{'descr': '|u1', 'fortran_order': False, 'shape': (1,), }", 57);
    header[10000 + over] = '\0';
    tsr_buf b = npy_of(header, 1, "x", 1);
    assert_int_equal(load_npy(&b, &v), over ? TSR_ELIMIT : TSR_OK);
    tsr_release(v);
    tsr_buf_dispose(&b);
    free(header);
  }
}

/* ---- safetensors ---- */

static tsr_status load_safetensors(const char *header, size_t data_len, tsr_val *out) {
  tsr_buf b = {0};
  tsr_archive *a;
  size_t n = strlen(header);
  for (int i = 0; i < 8; i++) tsr_buf_putc(&b, (char)(n >> (8 * i)));
  tsr_buf_puts(&b, header);
  for (size_t i = 0; i < data_len; i++) tsr_buf_putc(&b, (char)i);
  tsr_errrec_dispose(&err);
  *out = tsr_none();
  assert_int_equal(tsr_archive_open_memory(b.data, b.len, &err, &a), TSR_OK);
  tsr_status st = tsr_safetensors_load(&env, a, out);
  if (st == TSR_OK) {
    tsr_val copy = *out; /* used before the bytes go away */
    tsr_buf text = {0};
    tsr_json_write(&env, copy, &text);
    tsr_buf_dispose(&text);
  }
  tsr_release(*out);
  tsr_archive_release(a);
  tsr_buf_dispose(&b);
  return st;
}

static void safetensors_rules_hold(void **state) {
  static const struct { const char *header; size_t data; tsr_status want; const char *text; } files[] = {
      {"{}", 0, TSR_OK, ""},
      {"{\"a\":{\"dtype\":\"I16\",\"shape\":[2],\"data_offsets\":[0,4]},\"b\":{\"shape\":[],\"dtype\":\"U8\",\"data_offsets\":[4,5]}}  ", 5, TSR_OK, ""},
      {"{\"__metadata__\":{\"k\":\"v\"},\"a\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}", 0, TSR_OK, ""},
      {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 2, TSR_EFORMAT, "1 bytes after the last"},
      {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]}}", 2, TSR_EFORMAT, "hole"},
      {"{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]},\"b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]}}", 2, TSR_EFORMAT, "overlaps"},
      {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]}}", 2, TSR_EFORMAT, "a key twice"},
      {"{\"a\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[0,3]}}", 2, TSR_EFORMAT, "outside the file"},
      {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,0]}}", 2, TSR_EFORMAT, "outside the file"},
      {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,2]}}", 2, TSR_EFORMAT, "does not match"},
      {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]}}", 0, TSR_EFORMAT, "too large"},
      {"{\"a\":{\"dtype\":\"U8\",\"shape\":[-1],\"data_offsets\":[0,0]}}", 0, TSR_EFORMAT, ">= 0"},
      {"{\"a\":{\"dtype\":\"X9\",\"shape\":[0],\"data_offsets\":[0,0]}}", 0, TSR_EUNSUPPORTED, "X9"},
      {"{\"a\":{\"shape\":[0],\"data_offsets\":[0,0]}}", 0, TSR_EFORMAT, "missing"},
      {"{\"a\":{\"dtype\":\"U8\",\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}", 0, TSR_EFORMAT, "twice"},
      {"{\"a\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0,0]}}", 0, TSR_EFORMAT, "two ints"},
      {"{\"__metadata__\":{\"k\":1}}", 0, TSR_EFORMAT, "strings"},
      {"{\"a\":1}", 0, TSR_EFORMAT, "object"},
      {"{\"a\":", 0, TSR_EFORMAT, "too early"},
      {"{} x", 0, TSR_EFORMAT, "after the end"},
  };
  for (size_t i = 0; i < TSR_COUNT(files); i++) {
    tsr_val v;
    tsr_status st = load_safetensors(files[i].header, files[i].data, &v);
    if (st != files[i].want) fail_msg("header %zu: %s (%s)", i, tsr_status_name(st), err.message);
    if (st != TSR_OK && strstr(err.message, files[i].text) == NULL) fail_msg("\"%s\" does not say \"%s\"", err.message, files[i].text);
  }
}

/* ---- JSON ---- */

static void json_reads_and_writes(void **state) {
  static const char *const texts[] = {"null", "true", "[]", "{}", "[1,-2,2.5,\"a\\n\\u0001\\\"\\\\\",{\"k\":[null,false]}]", "9223372036854775807",
                                      "-9223372036854775808", "[NaN,Infinity,-Infinity,1e+300,0.1]", "\"\xc3\xa9\xf0\x9f\x98\x80\""};
  for (size_t i = 0; i < TSR_COUNT(texts); i++) {
    tsr_val v;
    tsr_buf b = {0};
    if (tsr_json_parse(&env, texts[i], strlen(texts[i]), &v) != TSR_OK) fail_msg("%s: %s", texts[i], err.message);
    assert_int_equal(tsr_json_write(&env, v, &b), TSR_OK);
    assert_string_equal(b.data, texts[i]);
    tsr_buf_dispose(&b);
    tsr_release(v);
  }
  tsr_val v;
  static const char text[] = " [ \"\\ud83d\\ude00\\u00e9\\/\" , 1E2 , 18446744073709551616 ] ";
  assert_int_equal(tsr_json_parse(&env, text, sizeof text - 1, &v), TSR_OK);
  assert_string_equal(v.l->items[0].s->bytes, "\xf0\x9f\x98\x80\xc3\xa9/");
  assert_true(v.l->items[1].tag == TSR_V_FLOAT && v.l->items[1].d == 100);
  assert_true(v.l->items[2].tag == TSR_V_FLOAT && v.l->items[2].d == 18446744073709551616.0);
  tsr_release(v);
}

static void json_mistakes_are_refused(void **state) {
  static const char *const texts[] = {"", "[", "[1", "[1,]", "[,1]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{1:2}", "{\"a\":1 \"b\":2}", "[1 2]", "01", "1.", ".5", "-", "+1", "1e",
                                      "\"", "\"\\x\"", "\"\\u12\"", "\"\\ud800\"", "\"\\udc00\"", "\"\xff\"", "\"\n\"", "nul", "truex", "1 2", "{\"a\":1,\"a\":2}", "]", "[}", "'a'", "0x10"};
  for (size_t i = 0; i < TSR_COUNT(texts); i++) {
    tsr_val v;
    tsr_errrec_dispose(&err);
    if (tsr_json_parse(&env, texts[i], strlen(texts[i]), &v) != TSR_EFORMAT) fail_msg("accepted: %s", texts[i]);
    assert_non_null(strstr(err.message, "JSON: offset "));
  }
  for (int depth = 63; depth <= 65; depth++) {
    tsr_buf b = {0};
    tsr_val v;
    for (int i = 0; i < depth; i++) tsr_buf_putc(&b, '[');
    for (int i = 0; i < depth; i++) tsr_buf_putc(&b, ']');
    tsr_errrec_dispose(&err);
    assert_int_equal(tsr_json_parse(&env, b.data, b.len, &v), depth <= 64 ? TSR_OK : TSR_ELIMIT);
    tsr_release(v);
    tsr_buf_dispose(&b);
  }
}

static void numbers_know_no_locale(void **state) {
  if (setlocale(LC_ALL, "de_DE.UTF-8") == NULL) skip();
  tsr_val v;
  tsr_buf b = {0};
  assert_int_equal(tsr_json_parse(&env, "2.5", 3, &v), TSR_OK);
  assert_int_equal(tsr_json_write(&env, v, &b), TSR_OK);
  setlocale(LC_ALL, "C");
  assert_string_equal(b.data, "2.5");
  tsr_buf_dispose(&b);
}

static void json_of_tensors(void **state) {
  static const int64_t size[] = {2, 2};
  tsr_tensor *t = tsr_tensor_new(mem, TSR_FLOAT32, 2, size);
  static const float data[] = {0.1f, -1, 3e10f, 16777216};
  memcpy(tsr_tensor_data_mut(t), data, sizeof data);
  tsr_buf b = {0};
  assert_int_equal(tsr_json_write(&env, tsr_from_obj(t), &b), TSR_OK);
  assert_string_equal(b.data, "[[0.1,-1.0],[3e+10,16777216.0]]");
  tsr_buf_dispose(&b);
  tsr_obj_release(t);
}

static void json_of_other_values(void **state) {
  tsr_tuple *u = tsr_tuple_new(mem, NULL, 3);
  tsr_dict *d = tsr_dict_new(mem, &tsr_type_int, &tsr_type_any);
  u->items[0] = tsr_from_obj(tsr_complex_new(mem, 1, -2));
  u->items[1] = tsr_device_val((tsr_device){1, 3});
  tsr_dict_set(d, tsr_int(5), tsr_bool(true));
  u->items[2] = tsr_from_obj(d);
  tsr_val v = tsr_from_obj(u);
  tsr_buf b = {0};
  assert_int_equal(tsr_json_write(&env, v, &b), TSR_OK);
  assert_string_equal(b.data, "[[1.0,-2.0],\"cuda:3\",{\"5\":true}]");
  tsr_buf_dispose(&b);
  tsr_release(v);
}

/* 64 levels, each twice in the next: what JSON would unfold is refused, what keeps sharing is not. */
static void shared_values_do_not_unfold(void **state) {
  tsr_val v = tsr_from_obj(tsr_list_new(mem, &tsr_type_any, 0));
  for (int i = 0; i < 64; i++) {
    tsr_list *l = tsr_list_new(mem, &tsr_type_any, 2);
    tsr_list_push_take(l, tsr_retain(v));
    tsr_list_push_take(l, v);
    v = tsr_from_obj(l);
  }
  assert_int_equal(tsr_file_save(&env, in_dir("u.npz"), NULL, v), TSR_ELIMIT);
  tsr_errrec_dispose(&err);
  assert_int_equal(tsr_file_save(&env, in_dir("u.pt"), NULL, v), TSR_OK);
  tsr_release(v);
  assert_int_equal(tsr_file_load(&env, in_dir("u.pt"), NULL, &v), TSR_OK);
  assert_ptr_equal(v.l->items[0].l, v.l->items[1].l);
  tsr_release(v);
}

/* ---- round trips ---- */

/* {"x": float32 [2, 3] transposed, "n": [int64 scalar, bool tensor]} */
static tsr_val sample(void) {
  static const int64_t size[] = {2, 3}, stride[] = {1, 2}, three[] = {3};
  tsr_dict *d = tsr_dict_new(mem, &tsr_type_str, &tsr_type_any);
  tsr_list *l = tsr_list_new(mem, &tsr_type_any, 0);
  tsr_tensor *base = tsr_tensor_new(mem, TSR_FLOAT32, 2, (int64_t[]){3, 2}), *flags = tsr_tensor_new(mem, TSR_BOOL, 1, three);
  for (int i = 0; i < 6; i++) ((float *)tsr_tensor_data_mut(base))[i] = (float)i;
  memcpy(tsr_tensor_data_mut(flags), "\1\0\1", 3);
  tsr_tensor *x = tsr_tensor_view(mem, base->storage, TSR_FLOAT32, 0, 2, size, stride);
  tsr_obj_release(base);
  tsr_str *kx = tsr_str_new(mem, "x", 1), *kn = tsr_str_new(mem, "n", 1);
  tsr_list_push_take(l, tsr_int(7));
  tsr_list_push_take(l, tsr_from_obj(flags));
  tsr_dict_set(d, tsr_from_obj(kx), tsr_from_obj(x));
  tsr_dict_set(d, tsr_from_obj(kn), tsr_from_obj(l));
  tsr_obj_release(kx);
  tsr_obj_release(kn);
  return tsr_from_obj(d);
}

static const tsr_val *member(tsr_val dict, const char *name) {
  tsr_str *s = tsr_str_new(mem, name, strlen(name));
  tsr_val *v = tsr_dict_get(dict.m, tsr_from_obj(s));
  tsr_obj_release(s);
  if (v == NULL) fail_msg("no %s", name);
  return v;
}

static void check_x(tsr_val loaded, bool same_strides) {
  const tsr_tensor *x = member(loaded, "x")->t;
  assert_int_equal(x->ndim, 2);
  assert_int_equal(x->size[1], 3);
  if (same_strides) assert_int_equal(x->stride[0], 1);
  for (int i = 0; i < 6; i++) assert_true(tsr_tensor_get(mem, x, i).d == (double)(i % 3 * 2 + i / 3));
}

static void flat_formats_name_what_is_nested(void **state) {
  static const char *const names[] = {"v.npz", "v.safetensors"};
  for (int i = 0; i < 2; i++) {
    tsr_val v = sample(), back;
    if (tsr_file_save(&env, in_dir(names[i]), NULL, v) != TSR_OK) fail_msg("%s", err.message);
    if (tsr_file_load(&env, in_dir(names[i]), NULL, &back) != TSR_OK) fail_msg("%s", err.message);
    check_x(back, false);
    assert_int_equal(member(back, "n.0")->t->dtype, TSR_INT64);
    assert_int_equal(tsr_tensor_get(mem, member(back, "n.0")->t, 0).i, 7);
    assert_int_equal(member(back, "n.1")->t->dtype, TSR_BOOL);
    tsr_release(back);
    tsr_release(v);
  }
}

static void torch_files_keep_strides_and_nesting(void **state) {
  tsr_val v = sample(), back;
  assert_int_equal(tsr_file_save(&env, in_dir("v.pt"), NULL, v), TSR_OK);
  if (tsr_file_load(&env, in_dir("v.pt"), NULL, &back) != TSR_OK) fail_msg("%s", err.message);
  check_x(back, true);
  assert_int_equal(member(back, "n")->l->items[0].i, 7);
  assert_int_equal(member(back, "n")->l->items[1].t->dtype, TSR_BOOL);
  tsr_release(back);
  tsr_release(v);
}

static void formats_refuse_what_they_cannot_hold(void **state) {
  tsr_str *s = tsr_str_new(mem, "text", 4);
  tsr_val v = tsr_from_obj(s);
  files_in_dir(true);
  assert_int_equal(tsr_file_save(&env, in_dir("v.npy"), NULL, v), TSR_EUNSUPPORTED);
  tsr_errrec_dispose(&err);
  assert_int_equal(tsr_file_save(&env, in_dir("v.npz"), NULL, v), TSR_EUNSUPPORTED);
  tsr_errrec_dispose(&err);
  assert_int_equal(tsr_file_save(&env, in_dir("v.xyz"), NULL, v), TSR_EUSAGE);
  tsr_errrec_dispose(&err);
  assert_int_equal(tsr_file_save(&env, in_dir("v.npy"), "xyz", v), TSR_EUSAGE);
  tsr_errrec_dispose(&err);
  assert_int_equal(tsr_file_save(&env, in_dir("none/v.json"), NULL, v), TSR_EIO);
  assert_int_equal(files_in_dir(false), 0); /* no remains */
  tsr_release(v);
}

/* ---- atomic outputs ---- */

static void a_failed_write_leaves_the_old_file(void **state) {
  tsr_outfile o;
  struct stat s;
  char text[8] = {0};
  files_in_dir(true);
  char path[400];
  snprintf(path, sizeof path, "%s", in_dir("out"));
  assert_int_equal(tsr_outfile_open(&o, &err, path), TSR_OK);
  tsr_outfile_write(&o, &err, "old", 3);
  assert_int_not_equal(stat(path, &s), 0); /* nothing is seen before the end */
  assert_int_equal(tsr_outfile_commit(&o, &err), TSR_OK);
  chmod(path, 0640);
  assert_int_equal(tsr_outfile_open(&o, &err, path), TSR_OK);
  tsr_outfile_write(&o, &err, "new", 3);
  tsr_outfile_abort(&o);
  FILE *f = fopen(path, "r");
  assert_int_equal(fread(text, 1, 8, f), 3);
  fclose(f);
  assert_string_equal(text, "old");
  assert_int_equal(files_in_dir(false), 1);
  assert_int_equal(tsr_outfile_open(&o, &err, path), TSR_OK);
  tsr_outfile_write(&o, &err, "newer", 5);
  assert_int_equal(tsr_outfile_commit(&o, &err), TSR_OK);
  stat(path, &s);
  assert_int_equal(s.st_size, 5);
  assert_int_equal(s.st_mode & 0777, 0640);
  assert_int_equal(files_in_dir(true), 1);
}

static void devices_are_written_directly(void **state) {
  tsr_outfile o;
  assert_int_equal(tsr_outfile_open(&o, &err, "/dev/null"), TSR_OK);
  assert_int_equal(tsr_outfile_write(&o, &err, "x", 1), TSR_OK);
  assert_int_equal(tsr_outfile_commit(&o, &err), TSR_OK);
  assert_int_equal(tsr_outfile_open(&o, &err, dir), TSR_EIO);
  assert_non_null(strstr(err.message, "Is a directory"));
}

static void full_disks_are_errors(void **state) {
  tsr_val v = sample();
  assert_int_equal(tsr_file_save(&env, "/dev/full", "json", v), TSR_EIO);
  tsr_errrec_dispose(&err);
  assert_int_equal(tsr_file_save(&env, "/dev/full", "npz", v), TSR_EIO);
  tsr_release(v);
}

static void a_dash_is_stdout(void **state) {
  tsr_val v = tsr_int(42);
  char text[64] = {0};
  int saved = dup(1), ends[2];
  assert_int_equal(pipe(ends), 0);
  dup2(ends[1], 1);
  tsr_status st = tsr_file_save(&env, "-", "json", v), zip = tsr_file_save(&env, "-", "npz", v);
  dup2(saved, 1);
  close(saved);
  close(ends[1]);
  assert_int_equal(st, TSR_OK);
  assert_int_equal(zip, TSR_OK);
  assert_true(read(ends[0], text, sizeof text) > 7);
  assert_memory_equal(text, "42\nPK\3\4", 7); /* a zip, too, though a pipe cannot seek */
  close(ends[0]);
}

/* ---- descriptions ---- */

static void descriptions_show_the_tree(void **state) {
  tsr_val v = sample(), parsed;
  tsr_archive *a;
  tsr_buf b = {0};
  assert_int_equal(tsr_file_save(&env, in_dir("d.pt"), NULL, v), TSR_OK);
  assert_int_equal(tsr_archive_open(in_dir("d.pt"), false, &err, &a), TSR_OK);
  assert_int_equal(tsr_describe(a, false, &err, &b), TSR_OK);
  assert_non_null(strstr(b.data, "float32 [2, 3] strided"));
  assert_non_null(strstr(b.data, "tensors   2, 9 elements, 27 B"));
  tsr_buf_dispose(&b);
  assert_int_equal(tsr_describe(a, true, &err, &b), TSR_OK);
  assert_int_equal(tsr_json_parse(&env, b.data, b.len, &parsed), TSR_OK);
  assert_string_equal(member(parsed, "kind")->s->bytes, "torch_zip");
  assert_int_equal(member(parsed, "tensors")->i, 2);
  tsr_release(parsed);
  tsr_buf_dispose(&b);
  tsr_archive_release(a);
  tsr_release(v);
  files_in_dir(true);
}

static void texts_from_files_are_made_harmless(void **state) {
  assert_string_equal(tsr_show("a\x1b[31m\n\xc3\xa9\xff", 10).text, "a\\x1b[31m\\x0a\xc3\xa9\\xff");
  char longer[400];
  memset(longer, 'x', sizeof longer);
  assert_int_equal(strlen(tsr_show(longer, sizeof longer).text), 120);
  memset(longer, 1, sizeof longer);
  assert_true(strlen(tsr_show(longer, sizeof longer).text) <= 131);
  assert_string_equal(tsr_show_bytes(999).text, "999 B");
  assert_string_equal(tsr_show_bytes(102400000).text, "102 MB");
  assert_string_equal(tsr_show_bytes(999600).text, "1.00 MB");
  assert_string_equal(tsr_show_bytes(1230).text, "1.23 kB");
  assert_string_equal(tsr_show_bytes(UINT64_MAX).text, "18.4 EB");
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void) {
  const struct CMUnitTest tests[] = {
      T(npy_orders_and_bytes), T(npy_lies_are_refused), T(safetensors_rules_hold), T(json_reads_and_writes), T(json_mistakes_are_refused),
      T(numbers_know_no_locale), T(json_of_tensors), T(json_of_other_values), T(shared_values_do_not_unfold), T(a_dash_is_stdout), T(flat_formats_name_what_is_nested), T(torch_files_keep_strides_and_nesting),
      T(formats_refuse_what_they_cannot_hold), T(a_failed_write_leaves_the_old_file), T(devices_are_written_directly), T(full_disks_are_errors),
      T(descriptions_show_the_tree), T(texts_from_files_are_made_harmless)};
  return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
