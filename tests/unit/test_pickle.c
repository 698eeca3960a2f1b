/* The unpickler: values, tensors over storages, objects through hooks, and everything a hostile pickle may try. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "frontend/pickle.h"
#include "frontend/pickle_vm.h"

static tsr_mem *mem;
static tsr_types *types;
static tsr_errrec err;

static int setup(void **state) {
  mem = tsr_mem_new(0);
  types = tsr_types_new();
  return mem == NULL || types == NULL;
}

/* Whatever a test did, nothing is left: no value came to hold itself. */
static int teardown(void **state) {
  tsr_errrec_dispose(&err);
  tsr_types_release(types);
  uint64_t used = tsr_mem_used(mem);
  tsr_mem_close(mem);
  return used != 0;
}

static tsr_val none_val;

static tsr_status run(const char *bytes, size_t len, const tsr_pickle_hooks *hooks, tsr_val *out) {
  tsr_pickle_options opt = {.mem = mem, .types = types, .hooks = hooks, .what = "p.pkl"};
  char *exact = malloc(len + (len == 0)); /* a read past the end is seen by the sanitizer */
  memcpy(exact, bytes, len);
  tsr_errrec_dispose(&err);
  tsr_status st = tsr_unpickle(&opt, &err, exact, len, out);
  free(exact);
  return st;
}

#define LOAD(bytes) load(bytes, sizeof(bytes) - 1)
static tsr_val load(const char *bytes, size_t len) {
  tsr_val v;
  if (run(bytes, len, NULL, &v) != TSR_OK) fail_msg("%s", err.message);
  return v;
}

#define REFUSED(bytes, status, text) refused(bytes, sizeof(bytes) - 1, NULL, status, text)
static void refused(const char *bytes, size_t len, const tsr_pickle_hooks *hooks, tsr_status want, const char *text) {
  tsr_val v = none_val;
  tsr_status st = run(bytes, len, hooks, &v);
  if (st == TSR_OK) fail_msg("accepted, but should say \"%s\"", text);
  if (strstr(err.message, text) == NULL) fail_msg("\"%s\" does not say \"%s\"", err.message, text);
  assert_int_equal(st, want);
  assert_int_equal(v.tag, TSR_V_NONE);
}

static void prints(tsr_val v, const char *want) {
  tsr_buf b = {0};
  tsr_val_print(v, &b);
  assert_string_equal(b.data, want);
  tsr_buf_dispose(&b);
  tsr_release(v);
}

/* ---- values ---- */

static void numbers_of_every_opcode(void **state) {
  prints(LOAD("\x80\2(K\xffM\xff\xffJ\xff\xff\xff\xff\x8a\x01\x80\x8a\x00\x8a\x08\0\0\0\0\0\0\0\x80\x88\x89NG\x3f\xf8\0\0\0\0\0\0t."),
         "(255, 65535, -1, -128, 0, -9223372036854775808, True, False, None, 1.5)");
  prints(LOAD("(I12\nI-5\nI01\nI00\nL123L\nF2.5\nF-1e3\nt."), "(12, -5, True, False, 123, 2.5, -1000.)");
  prints(LOAD("\x8a\x09\xff\xff\xff\xff\xff\xff\xff\x7f\0."), "9223372036854775807"); /* sign bytes beyond the eighth */
  tsr_val wide = LOAD("\x80\2\x8a\x09\0\0\0\0\0\0\0\0\1.");
  assert_int_equal(wide.tag, TSR_V_OBJECT);
  assert_string_equal(wide.obj->cls->name, "builtins.int");
  tsr_release(wide);
}

static void strings_of_every_opcode(void **state) {
  prints(LOAD("(X\2\0\0\0\xc3\xa9S'a\\n\\x41\\'\\101'\nVb\\u00e9\nT\1\0\0\0cU\1d\x8c\1e\x8d\1\0\0\0\0\0\0\0fB\1\0\0\0gC\1ht."),
         "(\xc3\xa9, a\nA'A, b\xc3\xa9, c, d, e, f, g, h)");
  tsr_val nul = LOAD("\x80\2X\3\0\0\0a\0b.");
  assert_int_equal(nul.s->len, 3);
  tsr_release(nul);
  prints(LOAD("\x80\2" "c_codecs\nencode\n(X\4\0\0\0\xc3\xa9\xc3\xbfX\6\0\0\0latin1tR."), "\xe9\xff");
}

static void containers_of_every_opcode(void **state) {
  prints(LOAD("\x80\2](K\1K\2eK\3a."), "[1, 2, 3]");
  prints(LOAD("(lK\1a."), "[1]");
  prints(LOAD("(K\1K\2l."), "[1, 2]");
  prints(LOAD("\x80\2}(X\1\0\0\0bK\1X\1\0\0\0aK\2uX\1\0\0\0cK\3s."), "{b: 1, a: 2, c: 3}");
  prints(LOAD("(K\1K\2d."), "{1: 2}");
  prints(LOAD("\x80\2)K\1\x85K\1K\2\x86\x87K\1K\2K\3\x87\x86."), "(((), (1,), (1, 2)), (1, 2, 3))");
  prints(LOAD("\x80\2" "ccollections\nOrderedDict\n)R(X\1\0\0\0aK\1u}X\1\0\0\0_K\1sb."), "{a: 1}"); /* its state is dropped */
  prints(LOAD("\x80\2}K\1K\2\x86K\3s."), "{(1, 2): 3}"); /* keys TorchScript cannot have are shown */
}

static void devices_complex_and_dtypes(void **state) {
  prints(LOAD("\x80\2(ctorch\ndevice\nX\6\0\0\0cuda:1\x85Rctorch\ndevice\nX\3\0\0\0cpu\x85Rctorch\ndevice\nX\4\0\0\0cudaK\2\x86Rt."), "(cuda:1, cpu, cuda:2)");
  prints(LOAD("\x80\2" "c__builtin__\ncomplex\nG?\xf0\0\0\0\0\0\0G@\0\0\0\0\0\0\0\x86R."), "1.+2.j");
  prints(LOAD("\x80\2(ctorch\nfloat32\nctorch\nbfloat16\nctorch\nchannels_last\nctorch\nper_channel_affine\nt."), "(6, 15, 2, 1)");
}

static void identity_is_kept(void **state) {
  tsr_val v = LOAD("\x80\2(]q\0K\1ah\0}r\1\0\1\0X\1\0\0\0xh\0sj\1\0\1\0t.");
  assert_ptr_equal(v.u->items[0].l, v.u->items[1].l);
  assert_ptr_equal(v.u->items[2].m, v.u->items[3].m);
  assert_ptr_equal(tsr_dict_next(v.u->items[2].m, 0) == 0 ? v.u->items[2].m->entries[0].value.l : NULL, v.u->items[0].l);
  tsr_release(v);
}

static void protocol_4_memo_frames_and_globals(void **state) {
  prints(LOAD("\x80\4\x95\x10\0\0\0\0\0\0\0]\x94(\x8c\1a\x94h\1\x8c\5torch\x94\x8c\7float64\x94\x93\x94" "e."), "[a, a, 7]");
}

static void stack_opcodes(void **state) {
  prints(LOAD("(K\1" "2K\2" "0(K\3K\4" "1t."), "(1, 1)");
  prints(LOAD("(K\5K\6(0t."), "(5, 6)"); /* POP takes a mark off */
  prints(LOAD("(I7\np12\n0g12\ng12\nt."), "(7, 7)");
  REFUSED("g1x\n.", TSR_EFORMAT, "memo number");
  REFUSED("g\n.", TSR_EFORMAT, "memo number");
  REFUSED("1.", TSR_EFORMAT, "no mark");
  REFUSED("0.", TSR_EFORMAT, "not enough values");
  REFUSED("2.", TSR_EFORMAT, "not enough values");
  REFUSED("S'a\n.", TSR_EFORMAT, "not quoted");
  REFUSED("S'\\q'\n.", TSR_EFORMAT, "escape");
  REFUSED("S'\\x4'\n.", TSR_EFORMAT, "escape");
  REFUSED("V\\u00g0\n.", TSR_EFORMAT, "escape");
}

static void objects_of_every_opcode(void **state) {
  static const struct { const char *p; size_t len; size_t args; } made[] = {
#define P(text, args) {text, sizeof(text) - 1, args}
      P("cm\nA\n(K\1K\2tR.", 2), P("cm\nA\n(K\1t\x81.", 1), P("(cm\nA\nK\1o.", 1), P("(K\1K\2im\nA\n.", 2),
      P("cm\nA\n)}\x92.", 0), P("cm\nA\n(K\1t}X\1\0\0\0kK\2s\x92.", 2), /* keywords become one more argument */
#undef P
  };
  for (size_t i = 0; i < TSR_COUNT(made); i++) {
    tsr_val v = load(made[i].p, made[i].len);
    assert_string_equal(v.obj->cls->name, "m.A");
    assert_int_equal(v.obj->slots[0].u->len, made[i].args);
    tsr_release(v);
  }
  REFUSED("K\1)\x81.", TSR_EFORMAT, "not a class");
  REFUSED("cm\nA\nN}\x92.", TSR_EFORMAT, "not a class");
  REFUSED("(o.", TSR_EFORMAT, "without a class");
  REFUSED("cm\nA\n)RK\1aK\1K\2s.", TSR_EFORMAT, "as a list and as a dict");
  REFUSED("\x80\4X\1\0\0\0aK\1\x93.", TSR_EFORMAT, "not a string");
}

static void foreign_classes_are_only_named(void **state) {
  tsr_val v = LOAD("\x80\2" "cos\nsystem\nX\2\0\0\0ls\x85R.");
  assert_int_equal(v.tag, TSR_V_OBJECT);
  assert_string_equal(v.obj->cls->name, "os.system");
  assert_ptr_equal(v.obj->cls->impl, &tsr_opaque_marker);
  assert_int_equal(v.obj->slots[0].u->len, 1);
  tsr_release(v);
  v = LOAD("\x80\2" "cmodels\nNet\n)\x81}X\1\0\0\0aK\1sb."); /* NEWOBJ, BUILD */
  assert_int_equal(v.obj->slots[1].m->count, 1);
  tsr_release(v);
  v = LOAD("\x80\2" "ccollections\ndefaultdict\ncbuiltins\nlist\n\x85R(K\1K\2u."); /* items of a dict subclass */
  assert_int_equal(v.obj->slots[2].m->count, 1);
  tsr_release(v);
  v = LOAD("\x80\4\x8f(K\1K\2\x90."); /* a set */
  assert_string_equal(v.obj->cls->name, "builtins.set");
  assert_int_equal(v.obj->slots[2].l->len, 2);
  tsr_release(v);
  v = LOAD("\x80\2" "cmodels\nNet\n."); /* the class itself */
  assert_int_equal(v.obj->slots[0].tag, TSR_V_NONE);
  tsr_release(v);
}

/* ---- TorchScript ---- */

static char made_name[64];
static tsr_status make_object(void *user, tsr_errrec *e, const char *name, size_t len, tsr_val state, tsr_val *out) {
  snprintf(made_name, sizeof made_name, "%.*s", (int)len, name);
  *out = tsr_retain(state);
  return TSR_OK;
}
static tsr_status make_enum(void *user, tsr_errrec *e, const char *name, size_t len, tsr_val value, tsr_val *out) {
  snprintf(made_name, sizeof made_name, "%.*s", (int)len, name);
  *out = tsr_int(value.i * 100);
  return TSR_OK;
}
static const tsr_pickle_hooks hooks = {NULL, make_object, make_enum};

static void objects_and_enums_go_through_hooks(void **state) {
  tsr_val v;
  static const char object[] = "\x80\2" "c__torch__.a\nNet\nq\0)\x81}(X\1\0\0\0xK\5ubq\1.";
  assert_int_equal(run(object, sizeof object - 1, &hooks, &v), TSR_OK);
  assert_string_equal(made_name, "__torch__.a.Net");
  prints(v, "{x: 5}");
  static const char color[] = "\x80\2" "c__torch__\nColor\nK\3R.";
  assert_int_equal(run(color, sizeof color - 1, &hooks, &v), TSR_OK);
  assert_string_equal(made_name, "__torch__.Color");
  prints(v, "300");
  /* an object that never got its state must not reach the model as something else */
  static const char stateless[] = "\x80\2](c__torch__\nNet\n)\x81" "e.", bare[] = "\x80\2" "c__torch__\nNet\n)\x81.", cls[] = "\x80\2" "c__torch__\nNet\n.";
  refused(stateless, sizeof stateless - 1, &hooks, TSR_EFORMAT, "no state");
  refused(bare, sizeof bare - 1, &hooks, TSR_EFORMAT, "no state");
  refused(cls, sizeof cls - 1, &hooks, TSR_EFORMAT, "no state");
}

static void type_tags_are_believed_only_when_true(void **state) {
  tsr_val v = LOAD("\x80\2" "ctorch.jit._pickle\nbuild_intlist\n](K\1K\2e\x85R.");
  assert_ptr_equal(v.l->elem, &tsr_type_int);
  tsr_release(v);
  v = LOAD("\x80\2" "ctorch.jit._pickle\nrestore_type_tag\n](X\1\0\0\0aeX\x09\0\0\0List[str]\x86R.");
  assert_ptr_equal(v.l->elem, &tsr_type_str);
  tsr_release(v);
  v = LOAD("\x80\2" "ctorch.jit._pickle\nrestore_type_tag\n}X\1\0\0\0aK\1sX\x0e\0\0\0Dict[str, int]\x86R.");
  assert_ptr_equal(v.m->value_type, &tsr_type_int);
  tsr_release(v);
  REFUSED("\x80\2" "ctorch.jit._pickle\nbuild_intlist\n](K\1Ne\x85R.", TSR_EFORMAT, "list of one type");
  REFUSED("\x80\2" "ctorch.jit._pickle\nbuild_tensorlist\n](K\1e\x85R.", TSR_EFORMAT, "list of one type");
  REFUSED("\x80\2" "ctorch.jit._pickle\nrestore_type_tag\n](K\1eX\x09\0\0\0List[str]\x86R.", TSR_EFORMAT, "does not hold");
  REFUSED("\x80\2" "ctorch.jit._pickle\nrestore_type_tag\n}X\x09\0\0\0List[str]\x86R.", TSR_EFORMAT, "another type");
  REFUSED("\x80\2" "ctorch.jit._pickle\nbuild_intlist\n]q\0(K\1e\x85R0h\0Na.", TSR_EFORMAT, "itself"); /* changed after it was typed */
  REFUSED("\x80\2" "ctorch.jit._pickle\nbuild_intlist\n](K\1e\x85RNa.", TSR_EFORMAT, "itself");
}

/* ---- tensors ---- */

/* An archive of one pickle and the storages "0" (16 floats 0..15) and "1" (three bytes), then loaded. */
static tsr_status load_archive(const char *pickle, size_t len, const char *byteorder, tsr_val *out) {
  int fd = memfd_create("zip", 0);
  float numbers[16];
  tsr_zip_writer *w;
  tsr_archive *a;
  for (int i = 0; i < 16; i++) {
    uint32_t bits;
    numbers[i] = (float)i;
    memcpy(&bits, &numbers[i], 4);
    if (byteorder[0] == 'b') bits = __builtin_bswap32(bits);
    memcpy(&numbers[i], &bits, 4);
  }
  tsr_errrec_dispose(&err);
  *out = none_val;
  assert_int_equal(tsr_zip_writer_new(fd, "test.zip", &err, &w), TSR_OK);
  tsr_zip_writer_add(w, &err, "a/data.pkl", pickle, len);
  tsr_zip_writer_add(w, &err, "a/data/0", numbers, sizeof numbers);
  tsr_zip_writer_add(w, &err, "a/data/1", "\1\0\2", 3);
  tsr_zip_writer_add(w, &err, "a/byteorder", byteorder, strlen(byteorder));
  assert_int_equal(tsr_zip_writer_finish(w, &err), TSR_OK);
  assert_int_equal(tsr_archive_open_fd(fd, false, &err, &a), TSR_OK);
  close(fd);
  tsr_status st = tsr_torch_load(a, mem, types, &err, out);
  tsr_archive_release(a); /* tensors keep it */
  return st;
}

#define PID(type, key, numel) "(X\7\0\0\0storagectorch\n" type "\nX\1\0\0\0" key "X\3\0\0\0cpu" numel "tQ"
#define V2 "ctorch._utils\n_rebuild_tensor_v2\n"
#define END "\x89" "ccollections\nOrderedDict\n)RtR"
/* a tensor of storage 0 */
#define TENSOR(offset, sizes, strides) V2 "(" PID("FloatStorage", "0", "K\x10") offset "(" sizes "t(" strides "t" END

static void tensors_share_storages(void **state) {
  static const char p[] = "\x80\2(" TENSOR("K\0", "K\2K\3", "K\3K\1") "q\1" TENSOR("K\5", "K\2", "K\2") "h\1t.";
  tsr_val v;
  if (load_archive(p, sizeof p - 1, "little", &v) != TSR_OK) fail_msg("%s", err.message);
  tsr_tensor *a = v.u->items[0].t, *b = v.u->items[1].t;
  assert_ptr_equal(a, v.u->items[2].t);
  assert_ptr_equal(a->storage, b->storage);
  assert_true(a->storage->cow);
  assert_int_equal(a->storage->nbytes, 64);
  assert_int_equal((uintptr_t)a->storage->data % 64, 0);
  assert_int_equal((int)tsr_tensor_get(mem, a, 5).d, 5);
  assert_int_equal((int)tsr_tensor_get(mem, b, 1).d, 7);
  float *mine = tsr_tensor_data_mut(a); /* the mapping is never written to */
  mine[0] = 42;
  assert_int_equal((int)tsr_tensor_get(mem, a, 0).d, 42);
  tsr_release(v);
}

static void big_endian_bytes_are_turned(void **state) {
  static const char p[] = "\x80\2" TENSOR("K\0", "K\x10", "K\1") ".";
  tsr_val v;
  assert_int_equal(load_archive(p, sizeof p - 1, "big", &v), TSR_OK);
  for (int i = 0; i < 16; i++) assert_int_equal((int)tsr_tensor_get(mem, v.t, i).d, i);
  tsr_release(v);
}

static void bools_are_zero_or_one(void **state) {
  static const char p[] = "\x80\2" V2 "(" PID("BoolStorage", "1", "K\3") "K\0(K\3t(K\1t" END ".";
  tsr_val v;
  assert_int_equal(load_archive(p, sizeof p - 1, "little", &v), TSR_OK);
  assert_memory_equal(tsr_tensor_data_ro(v.t), "\1\0\1", 3);
  tsr_release(v);
}

#define BAD_ARCHIVE(p, text) bad_archive(p, sizeof(p) - 1, text)
static void bad_archive(const char *p, size_t len, const char *text) {
  tsr_val v;
  if (load_archive(p, len, "little", &v) == TSR_OK) fail_msg("accepted, but should say \"%s\"", text);
  if (strstr(err.message, text) == NULL) fail_msg("\"%s\" does not say \"%s\"", err.message, text);
  assert_int_equal(err.status, TSR_EFORMAT);
}

#define HUGE_INT "\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f"
static void tensors_stay_inside_their_storage(void **state) {
  BAD_ARCHIVE("\x80\2" TENSOR("K\0", "K\x11", "K\1") ".", "a float32 tensor of sizes [17] does not fit its storage \"0\" of 64 bytes");
  BAD_ARCHIVE("\x80\2" TENSOR("K\1", "K\x10", "K\1") ".", "does not fit");
  BAD_ARCHIVE("\x80\2" TENSOR("K\0", "K\4K\4", "K\5K\1") ".", "does not fit");
  BAD_ARCHIVE("\x80\2" TENSOR("J\xff\xff\xff\xff", "K\1", "K\1") ".", "does not fit");
  BAD_ARCHIVE("\x80\2" TENSOR("K\0", "J\xff\xff\xff\xff", "K\1") ".", "negative size or stride");
  BAD_ARCHIVE("\x80\2" TENSOR("K\0", "K\2", "J\xff\xff\xff\xff") ".", "negative size or stride");
  BAD_ARCHIVE("\x80\2" TENSOR("K\0", HUGE_INT, HUGE_INT) ".", "does not fit");
  BAD_ARCHIVE("\x80\2" TENSOR(HUGE_INT, "K\2", "K\1") ".", "does not fit");
  BAD_ARCHIVE("\x80\2" TENSOR("K\0", HUGE_INT HUGE_INT, "K\0K\0") ".", "does not fit"); /* product wraps */
  BAD_ARCHIVE("\x80\2" TENSOR("K\0", "K\2K\2", "K\1") ".", "2 sizes and 1 strides");
  BAD_ARCHIVE("\x80\2" TENSOR("K\0", "N", "K\1") ".", "tuple of ints");
}

static void records_hold_what_is_claimed(void **state) {
  BAD_ARCHIVE("\x80\2" PID("FloatStorage", "1", "K\4") ".", "entry \"data/1\" has 3 bytes, but its storage of 4 float32 elements needs 16");
  BAD_ARCHIVE("\x80\2" PID("FloatStorage", "7", "K\4") ".", "entry \"data/7\" is missing");
  BAD_ARCHIVE("\x80\2" PID("DoubleStorage", "0", "\x8a\x08\1\0\0\0\0\0\0\x40") ".", "elements"); /* times 8 wraps to 8 */
  BAD_ARCHIVE("\x80\2" PID("FloatStorage", "0", "J\xff\xff\xff\xff") ".", "-1 elements");
  BAD_ARCHIVE("\x80\2" V2 "(" PID("QInt8Storage", "1", "K\3") "K\0(K\3t(K\1t" END ".", "without its parameters");
  BAD_ARCHIVE("\x80\2(NNNQ.", "cannot be read");
}

/* Protocol 0 has the text of the tuple for an id. */
static void ids_may_be_text(void **state) {
  static const char *const bad[] = {"", "'storage'", "('storage', ", "('storage', <class 'torch.FloatStorage'>, '0', 'cpu', 16", "('storage', <class 'torch.FloatStorage'>, '0', 'cpu', 16))",
                                    "('storage', <class 'torch.FloatStorage', '0', 'cpu', 16)", "('storage', <class 'FloatStorage'>, '0', 'cpu', 16)", "('storage', '0', 'cpu', 16)",
                                    "('storage', <class 'torch.FloatStorage'>, '0', 'cpu', 99999999999999999999)", "('storage', <class 'torch.FloatStorage'>, '0', 'cpu', -1)",
                                    "('storage', <class 'torch.FloatStorage'>, '0\\'', 'cpu', 16)", "('storage', ((((((1))))))", "('storage', 1, 1, 1, 1, 1, 1, 1, 1)"};
  tsr_val v;
  const char good[] = "(P('storage', <class 'torch.FloatStorage'>, '0', 'cpu', 16)\nP('storage', <class 'torch.FloatStorage'>, '0', 'cpu', 16, None)\nt.";
  assert_int_equal(load_archive(good, sizeof good - 1, "little", &v), TSR_OK);
  assert_int_equal(v.u->items[0].t->numel, 16);
  assert_ptr_equal(v.u->items[0].t->storage, v.u->items[1].t->storage);
  tsr_release(v);
  for (size_t i = 0; i < TSR_COUNT(bad); i++) {
    char text[200];
    bad_archive(text, (size_t)snprintf(text, sizeof text, "P%s\n.", bad[i]), "cannot be read");
  }
  BAD_ARCHIVE("P('storage', <class 'torch.FloatStorage'>, '7', 'cpu', 4)\n.", "entry \"data/7\" is missing");
}

static void ranks_are_limited(void **state) {
  for (int rank = 63; rank <= 65; rank++) {
    tsr_buf b = {0};
    tsr_val v;
    tsr_buf_puts(&b, "\x80\2" V2);
    static const char head[] = "(" PID("FloatStorage", "0", "K\x10");
    tsr_buf_put(&b, head, sizeof head - 1);
    tsr_buf_put(&b, "K\0", 2);
    for (int k = 0; k < 2; k++) {
      tsr_buf_putc(&b, '(');
      for (int i = 0; i < rank; i++) tsr_buf_put(&b, "K\1", 2);
      tsr_buf_putc(&b, 't');
    }
    static const char tail[] = END ".";
    tsr_buf_put(&b, tail, sizeof tail - 1);
    tsr_status st = load_archive(b.data, b.len, "little", &v);
    assert_int_equal(st, rank <= TSR_MAX_NDIM ? TSR_OK : TSR_EFORMAT);
    tsr_release(v);
    tsr_buf_dispose(&b);
  }
}

/* ---- tensors of every builder ---- */

static tsr_val load_from_archive(const char *p, size_t len) {
  tsr_val v;
  if (load_archive(p, len, "little", &v) != TSR_OK) fail_msg("%s", err.message);
  return v;
}
#define LOAD_ARCHIVE(p) load_from_archive(p, sizeof(p) - 1)

#define Q(type, params) "ctorch._utils\n_rebuild_qtensor\n(" PID(type, "1", "K\3") "K\0(K\3t(K\1t(" params "t" END
#define HALF "G\x3f\xe0\0\0\0\0\0\0"
static void quantized_tensors_have_their_parameters(void **state) {
  tsr_val v = LOAD_ARCHIVE("\x80\2" Q("QUInt8Storage", "ctorch\nper_tensor_affine\n" HALF "K\1") ".");
  assert_int_equal(v.t->dtype, TSR_QUINT8);
  assert_true(v.t->quant->scale == 0.5 && v.t->quant->zero_point == 1);
  assert_true(tsr_tensor_get(mem, v.t, 2).d == 0.5);
  tsr_release(v);
  v = LOAD_ARCHIVE("\x80\2" Q("QInt8Storage", "ctorch\nper_channel_affine\n" TENSOR("K\1", "K\3", "K\1") TENSOR("K\0", "K\3", "K\1") "K\0") ".");
  assert_int_equal(v.t->quant->scheme, 4); /* points that are floats: per_channel_affine_float_qparams */
  assert_int_equal(v.t->quant->scales->numel, 3);
  assert_int_equal(v.t->quant->axis, 0);
  tsr_release(v);
  v = LOAD_ARCHIVE("\x80\2" PID("QInt8Storage", "1", "K\3") "."); /* a bare storage */
  assert_non_null(v.t->quant);
  tsr_release(v);
  BAD_ARCHIVE("\x80\2" Q("QInt8Storage", "ctorch\nper_tensor_affine\nK\1K\1") ".", "float scale");
  BAD_ARCHIVE("\x80\2" Q("QInt8Storage", "ctorch\nper_tensor_affine\n") ".", "parameters are missing");
  BAD_ARCHIVE("\x80\2" Q("QInt8Storage", "ctorch\nper_channel_affine\n" TENSOR("K\1", "K\2", "K\1") TENSOR("K\0", "K\2", "K\1") "K\0") ".", "do not match");
  BAD_ARCHIVE("\x80\2" Q("QInt8Storage", "ctorch\nper_channel_affine\n" TENSOR("K\1", "K\3", "K\1") TENSOR("K\0", "K\3", "K\1") "K\1") ".", "do not match");
  BAD_ARCHIVE("\x80\2" Q("QInt8Storage", "ctorch\nper_channel_affine\nNNK\0") ".", "wants scales");
  BAD_ARCHIVE("\x80\2" Q("FloatStorage", "ctorch\nper_tensor_affine\n" HALF "K\1") ".", "entry \"data/1\"");
}

/* Indices are the first four bytes of storage 0, zero, repeated by strides of 0; its second four are 1.0f. */
#define COO(indices, values, sizes) "ctorch._utils\n_rebuild_sparse_tensor\nctorch.serialization\n_get_layout\nX\x10\0\0\0torch.sparse_coo\x85R(" indices values "ctorch\nSize\n(" sizes "t\x85R\x88t\x86R"
#define CSR_SCRIPT(rows, columns, values, sizes) "ctorch._utils\n_rebuild_sparse_tensor\n(K\2(" sizes "t\x89" rows columns values "Nt" "R"
static void sparse_tensors_are_checked(void **state) {
  tsr_val v = LOAD_ARCHIVE("\x80\2" COO(V2 "(" PID("LongStorage", "0", "K\x08") "K\0(K\2K\0t(K\0K\1t" END, TENSOR("K\0", "K\0", "K\1"), "K\3K\3") ".");
  assert_int_equal(v.t->layout, 1);
  assert_true(v.t->sparse->coalesced);
  assert_int_equal(v.t->size[1], 3);
  tsr_release(v);
  BAD_ARCHIVE("\x80\2" COO(TENSOR("K\0", "K\2K\1", "K\0K\0"), TENSOR("K\0", "K\1", "K\1"), "K\3K\3") ".", "int64 or int32");
  BAD_ARCHIVE("\x80\2" COO(V2 "(" PID("IntStorage", "0", "K\x10") "K\1(K\2K\1t(K\0K\0t" END, TENSOR("K\0", "K\1", "K\1"), "K\3K\3") ".", "do not match");
  BAD_ARCHIVE("\x80\2" COO(V2 "(" PID("IntStorage", "0", "K\x10") "K\0(K\2K\2t(K\0K\0t" END, TENSOR("K\0", "K\1", "K\1"), "K\3K\3") ".", "do not match");
  v = LOAD_ARCHIVE("\x80\2" COO(V2 "(" PID("IntStorage", "0", "K\x10") "K\0(K\2K\1t(K\0K\0t" END, TENSOR("K\0", "K\1", "K\1"), "K\3K\3") ".");
  tsr_release(v);
  v = LOAD_ARCHIVE("\x80\2" CSR_SCRIPT(V2 "(" PID("IntStorage", "0", "K\x10") "K\0(K\4t(K\0t" END, V2 "(" PID("IntStorage", "0", "K\x10") "K\0(K\0t(K\1t" END, TENSOR("K\0", "K\0", "K\1"), "K\3K\3") ".");
  assert_int_equal(v.t->layout, 2);
  tsr_release(v);
  BAD_ARCHIVE("\x80\2" CSR_SCRIPT(V2 "(" PID("IntStorage", "0", "K\x10") "K\0(K\4t(K\1t" END, V2 "(" PID("IntStorage", "0", "K\x10") "K\0(K\0t(K\1t" END, TENSOR("K\0", "K\0", "K\1"), "K\3K\3") ".", "do not match");
  REFUSED("\x80\2" "ctorch._utils\n_rebuild_sparse_tensor\nK\3)\x86R.", TSR_EUNSUPPORTED, "layout 3");
}

static void other_builders(void **state) {
  tsr_val v = LOAD_ARCHIVE("\x80\2" "ctorch._utils\n_rebuild_parameter\n" TENSOR("K\0", "K\2", "K\1") "\x88N\x87R.");
  assert_true(v.t->requires_grad);
  tsr_release(v);
  v = LOAD_ARCHIVE("\x80\2" "ctorch._tensor\n_rebuild_from_type_v2\n(" V2 "cm\nMine\n(" PID("FloatStorage", "0", "K\x10") "K\3(K\2t(K\1t\x89Nt}tR.");
  assert_int_equal((int)tsr_tensor_get(mem, v.t, 1).d, 4);
  tsr_release(v);
  v = LOAD_ARCHIVE("\x80\2" "ctorch._utils\n_rebuild_tensor_v3\n((X\7\0\0\0storagectorch.storage\nUntypedStorage\nX\1\0\0\0" "0X\3\0\0\0cpuK\x40tQK\1(K\2t(K\1t\x89Nctorch\nuint32\ntR.");
  assert_int_equal(v.t->dtype, TSR_UINT32);
  assert_int_equal(tsr_tensor_get(mem, v.t, 0).i, 0x3f800000);
  tsr_release(v);
  v = LOAD_ARCHIVE("\x80\2" "ctorch._utils\n_rebuild_meta_tensor_no_storage\n(ctorch\nfloat32\n(" HUGE_INT "K\0t(K\1K\1t\x89tR.");
  assert_int_equal(v.t->numel, 0);
  tsr_release(v);
  v = LOAD_ARCHIVE("\x80\2" V2 "((X\7\0\0\0storagectorch\nFloatStorage\nX\1\0\0\0" "9X\4\0\0\0metaK\6tQK\0(K\2K\3t(K\3K\1t" END ".");
  assert_int_equal(v.t->numel, 6);
  assert_true(tsr_tensor_get(mem, v.t, 5).d == 0);
  tsr_release(v);
  v = LOAD_ARCHIVE("\x80\2" V2 "(" PID("ComplexFloatStorage", "0", "K\x8") "K\1(K\1t(K\1t\x89N}(X\4\0\0\0conj\x88X\3\0\0\0neg\x88utR.");
  tsr_val z = tsr_tensor_get(mem, v.t, 0);
  assert_true(z.c->z.re == -2 && z.c->z.im == 3); /* -(conj(2 + 3i)) */
  tsr_release(z);
  tsr_release(v);
  prints(LOAD("\x80\2" "ctorch\nSize\n(K\2K\3t\x85R."), "[2, 3]");
  prints(LOAD("\x80\2" "ccollections\nOrderedDict\n](](K\1K\2eK\3K\4\x86" "e\x85R."), "{1: 2, 3: 4}");
  prints(LOAD("\x80\2" "c__builtin__\nbytearray\nX\2\0\0\0abX\7\0\0\0latin-1\x86R."), "ab");
  prints(LOAD("\x80\2" "c__builtin__\nbytes\n)R."), "");
  v = LOAD("\x80\2" "c__builtin__\nfrozenset\n](K\1e\x85R.");
  assert_int_equal(v.obj->slots[2].l->len, 1);
  tsr_release(v);
}

/* A key may be named again with another type or length. */
static void storages_may_be_seen_in_two_ways(void **state) {
  tsr_val v = LOAD_ARCHIVE("\x80\2" TENSOR("K\0", "K\2", "K\1") V2 "(" PID("IntStorage", "0", "K\x10") "K\1(K\1t(K\1t" END "\x86.");
  assert_ptr_equal(v.u->items[0].t->storage, v.u->items[1].t->storage);
  assert_int_equal(tsr_tensor_get(mem, v.u->items[1].t, 0).i, 0x3f800000);
  tsr_release(v);
  BAD_ARCHIVE("\x80\2" TENSOR("K\0", "K\2", "K\1") PID("DoubleStorage", "0", "K\x10") "\x86.", "outside its storage");
  BAD_ARCHIVE("\x80\2" PID("CharStorage", "1", "K\3") PID("BoolStorage", "1", "K\3") "\x86.", "used as bool");
}

/* ---- hostile pickles ---- */

static void broken_pickles_are_refused(void **state) {
  REFUSED("", TSR_EFORMAT, "p.pkl: offset 0: bad pickle: it ends without STOP");
  REFUSED("\x80\2", TSR_EFORMAT, "offset 2");
  REFUSED("\x80\2\xff.", TSR_EFORMAT, "unknown opcode 0xff");
  REFUSED("\x80\x09N.", TSR_EUNSUPPORTED, "protocol 9");
  REFUSED(".", TSR_EFORMAT, "one value");
  REFUSED("NN.", TSR_EFORMAT, "one value");
  REFUSED("(N.", TSR_EFORMAT, "one value");
  REFUSED("t.", TSR_EFORMAT, "no mark");
  REFUSED("Na.", TSR_EFORMAT, "not enough values");
  REFUSED("](a.", TSR_EFORMAT, "not enough values"); /* a mark is a floor */
  REFUSED("(K\1e.", TSR_EFORMAT, "not enough values");
  REFUSED("N(K\1e.", TSR_EFORMAT, "not a list");
  REFUSED("](K\1K\2u.", TSR_EFORMAT, "not a dict"); /* CVE-2026-24747 */
  REFUSED("}(K\1u.", TSR_EFORMAT, "without a value");
  REFUSED("h\0.", TSR_EFORMAT, "number 0");
  REFUSED("j\xff\xff\xff\xff.", TSR_EFORMAT, "number 4294967295");
  REFUSED("X\xff\xff\xff\xffy.", TSR_EFORMAT, "past the end");
  REFUSED("\x8d\xff\xff\xff\xff\xff\xff\xff\xffy.", TSR_EFORMAT, "past the end");
  REFUSED("\x8b\xff\xff\xff\x7f\1.", TSR_EFORMAT, "past the end");
  REFUSED("cabc\n", TSR_EFORMAT, "past the end");
  REFUSED("K\1)R.", TSR_EFORMAT, "called");
  REFUSED("cos\nsystem\nK\1R.", TSR_EFORMAT, "argument tuple");
  REFUSED("K\1}b.", TSR_EFORMAT, "plain value");
  REFUSED("cos\nsystem\n}b.", TSR_EFORMAT, "to a class");
  REFUSED("\x80\2NQ.", TSR_EFORMAT, "data outside");
  REFUSED("\x82\1.", TSR_EUNSUPPORTED, "EXT1");
  REFUSED("F1,5\n.", TSR_EFORMAT, "float");
  REFUSED("I1x\n.", TSR_EFORMAT, "digit");
  REFUSED("\x80\2" "ctorch\ndevice\nX\4\0\0\0nope\x85R.", TSR_EFORMAT, "unknown device");
  REFUSED("\x80\2" V2 "(K\1K\0))" END ".", TSR_EFORMAT, "argument 1 must be a tensor or storage");
  REFUSED("\x80\2" V2 ")R.", TSR_EFORMAT, "with 0 arguments");
  REFUSED("\x80\2" "ctorch._tensor\n_rebuild_from_type_v2\nq\0(h\0N)NtR.", TSR_EFORMAT, "of itself");
}

static void nothing_contains_itself(void **state) {
  REFUSED("]q\0h\0a.", TSR_EFORMAT, "contains itself");
  REFUSED("}q\0K\1h\0s.", TSR_EFORMAT, "contains itself");
  REFUSED("]q\0]q\1h\0ah\1a.", TSR_EFORMAT, "contains itself");
  REFUSED("]q\0(h\0tq\1" "0h\0h\1a.", TSR_EFORMAT, "contains itself");
  /* among opaque objects the back reference becomes a bare reference to the class */
  tsr_val v = LOAD("\x80\2" "cm\nNode\n)\x81q\0}(X\1\0\0\0ph\0X\1\0\0\0l](h\0eub.");
  tsr_dict *d = v.obj->slots[1].m;
  assert_int_equal(d->entries[0].value.tag, TSR_V_OBJECT);
  assert_int_equal(d->entries[0].value.obj->slots[0].tag, TSR_V_NONE);
  assert_int_equal(d->entries[1].value.l->items[0].obj->slots[0].tag, TSR_V_NONE);
  tsr_release(v);
}

static void nesting_is_limited(void **state) {
  static const char *const opens[] = {"](", "(", "}("}, *const closes[] = {"e", "t", "u"};
  for (int kind = 0; kind < 3; kind++)
    for (int depth = TSR_MAX_DEPTH - 1; depth <= TSR_MAX_DEPTH + 1; depth++) {
      tsr_buf b = {0};
      tsr_val v = none_val;
      for (int i = 0; i < depth; i++) {
        tsr_buf_puts(&b, opens[kind]);
        if (kind == 2) tsr_buf_put(&b, "K\1", 2);
      }
      tsr_buf_putc(&b, 'N');
      for (int i = 0; i < depth; i++) tsr_buf_puts(&b, closes[kind]);
      tsr_buf_putc(&b, '.');
      tsr_status st = run(b.data, b.len, NULL, &v);
      assert_int_equal(st, depth <= TSR_MAX_DEPTH ? TSR_OK : TSR_ELIMIT);
      tsr_release(v);
      tsr_buf_dispose(&b);
    }
}

/* 200 levels, each twice in the next: 2^200 paths, 200 objects. */
static void shared_values_are_cheap(void **state) {
  tsr_buf b = {0};
  tsr_val v;
  tsr_buf_puts(&b, "]q");
  tsr_buf_putc(&b, 0);
  for (int i = 0; i < 200; i++) {
    tsr_buf_puts(&b, "](h");
    tsr_buf_putc(&b, (char)i);
    tsr_buf_putc(&b, 'h');
    tsr_buf_putc(&b, (char)i);
    tsr_buf_puts(&b, "eq");
    tsr_buf_putc(&b, (char)(i + 1));
  }
  tsr_buf_putc(&b, '.');
  assert_int_equal(run(b.data, b.len, NULL, &v), TSR_EFORMAT); /* values are left below the last */
  b.data[b.len - 1] = 'h';
  tsr_buf_putc(&b, (char)200);
  tsr_buf_puts(&b, "q\1");
  for (int i = 0; i < 202; i++) tsr_buf_putc(&b, '0');
  tsr_buf_puts(&b, "h");
  tsr_buf_putc(&b, (char)200);
  tsr_buf_putc(&b, '.');
  if (run(b.data, b.len, NULL, &v) != TSR_OK) fail_msg("%s", err.message);
  assert_int_equal(v.l->len, 2);
  tsr_release(v);
  tsr_buf_dispose(&b);
}

static void memory_is_metered(void **state) {
  tsr_mem *small = tsr_mem_new(100000);
  tsr_pickle_options opt = {.mem = small, .types = types, .what = "p.pkl"};
  tsr_buf b = {0};
  tsr_val v;
  tsr_buf_putc(&b, '(');
  for (int i = 0; i < 20000; i++) tsr_buf_putc(&b, 'N');
  tsr_buf_puts(&b, "t.");
  assert_int_equal(tsr_unpickle(&opt, &err, b.data, b.len, &v), TSR_ELIMIT);
  assert_int_equal(tsr_mem_used(small), 0);
  tsr_mem_close(small);
  tsr_buf_dispose(&b);
}

/* The nth allocation fails, for every n: an error each time, and nothing is left. */
static void allocation_failures_are_errors(void **state) {
  static const char p[] = "\x80\2(" TENSOR("K\0", "K\2K\3", "K\3K\1") "q\1](K\1X\1\0\0\0ae}X\1\0\0\0bh\1scm\nNode\n)\x81}bt.";
  for (int nth = 1; nth < 500; nth++) {
    tsr_val v = none_val;
    tsr_errrec_dispose(&err);
    tsr_mem_fail_at((uint64_t)nth, false);
    tsr_status st = load_archive(p, sizeof p - 1, "little", &v);
    tsr_mem_fail_at(0, false);
    tsr_release(v);
    if (st == TSR_OK) {
      assert_true(nth > 10);
      return;
    }
    assert_true(st == TSR_ENOMEM || st == TSR_ELIMIT);
    assert_int_equal(tsr_mem_used(mem), 0);
  }
  fail_msg("it never succeeds");
}

/* ---- files before 1.6 ---- */

#define STREAM_HEAD "\x80\2\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\2M\xe9\3.\x80\2}X\x0d\0\0\0little_endian\x88s."
#define OLD_PID "(X\7\0\0\0storagectorch\nFloatStorage\nX\1\0\0\0kX\3\0\0\0cpuK\2NtQ"
#define OLD_TENSOR "\x80\2" V2 "(" OLD_PID "K\0(K\2t(K\1t" END "."

static tsr_status load_bytes(const char *p, size_t len, tsr_val *out) {
  tsr_archive *a;
  char *exact = malloc(len);
  memcpy(exact, p, len);
  tsr_errrec_dispose(&err);
  assert_int_equal(tsr_archive_open_memory(exact, len, &err, &a), TSR_OK);
  tsr_status st = tsr_torch_load(a, mem, types, &err, out);
  if (st == TSR_OK && out->tag == TSR_V_TENSOR) {
    assert_int_equal((int)tsr_tensor_get(mem, out->t, 0).d, 1);
    assert_int_equal((int)tsr_tensor_get(mem, out->t, 1).d, 2);
  }
  tsr_release(*out);
  tsr_archive_release(a);
  free(exact);
  return st;
}

static void streams_of_pickles_are_read(void **state) {
  static const char good[] = STREAM_HEAD OLD_TENSOR "\x80\2](X\1\0\0\0ke.\2\0\0\0\0\0\0\0\0\0\x80\x3f\0\0\0\x40";
  static const char cut[] = STREAM_HEAD OLD_TENSOR "\x80\2](X\1\0\0\0ke.\2\0\0\0\0\0\0\0\0\0\x80\x3f\0\0\0";
  static const char other[] = STREAM_HEAD OLD_TENSOR "\x80\2](X\1\0\0\0ke.\3\0\0\0\0\0\0\0\0\0\x80\x3f\0\0\0\x40";
  static const char none[] = STREAM_HEAD OLD_TENSOR "\x80\2].";
  tsr_val v;
  if (load_bytes(good, sizeof good - 1, &v) != TSR_OK) fail_msg("%s", err.message);
  assert_int_equal(load_bytes(cut, sizeof cut - 1, &v), TSR_EFORMAT);
  assert_non_null(strstr(err.message, "cut short"));
  assert_int_equal(load_bytes(other, sizeof other - 1, &v), TSR_EFORMAT);
  assert_non_null(strstr(err.message, "not as long"));
  assert_int_equal(load_bytes(none, sizeof none - 1, &v), TSR_EFORMAT);
  assert_non_null(strstr(err.message, "missing"));
  for (size_t n = sizeof STREAM_HEAD; n < sizeof good - 1; n++) assert_int_equal(load_bytes(good, n, &v), TSR_EFORMAT);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void) {
  const struct CMUnitTest tests[] = {
      T(numbers_of_every_opcode), T(strings_of_every_opcode), T(containers_of_every_opcode), T(devices_complex_and_dtypes), T(identity_is_kept),
      T(protocol_4_memo_frames_and_globals), T(stack_opcodes), T(objects_of_every_opcode), T(foreign_classes_are_only_named), T(objects_and_enums_go_through_hooks),
      T(type_tags_are_believed_only_when_true), T(tensors_share_storages), T(big_endian_bytes_are_turned), T(bools_are_zero_or_one),
      T(tensors_stay_inside_their_storage), T(records_hold_what_is_claimed), T(ids_may_be_text), T(ranks_are_limited), T(quantized_tensors_have_their_parameters), T(sparse_tensors_are_checked), T(other_builders),
      T(storages_may_be_seen_in_two_ways), T(broken_pickles_are_refused),
      T(nothing_contains_itself), T(nesting_is_limited), T(shared_values_are_cheap), T(memory_is_metered), T(allocation_failures_are_errors),
      T(streams_of_pickles_are_read)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
