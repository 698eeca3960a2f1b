/* frontend/archive, zipdir, detect: good archives, hostile ones, wrong kinds of files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <cmocka.h>

#include "frontend/archive.h"
#include "frontend/zipdir.h"

/* ---- a zip maker that can lie ---- */

typedef struct part {
  const char *name, *data;
  size_t len;               /* 0: strlen(data) */
  const char *local_name;   /* NULL: name */
  uint32_t usize;           /* declared when not 0 */
  uint16_t method, flags;
  uint32_t crc;             /* written as is; 0 means "no checksum" */
  int64_t header_off;       /* -1: this part shares the header of the part before it */
} part;

static void put16(tsr_buf *b, uint32_t x) {
  tsr_buf_putc(b, (char)x);
  tsr_buf_putc(b, (char)(x >> 8));
}
static void put32(tsr_buf *b, uint32_t x) {
  put16(b, x & 0xffff);
  put16(b, x >> 16);
}

static tsr_buf make_zip(const part *parts, size_t n) {
  tsr_buf b = {0};
  uint32_t off[16], dir;
  for (size_t i = 0; i < n; i++) {
    const part *p = &parts[i];
    const char *name = p->local_name != NULL ? p->local_name : p->name;
    size_t len = p->len != 0 ? p->len : strlen(p->data);
    off[i] = p->header_off == -1 ? off[i - 1] : (uint32_t)b.len;
    if (p->header_off == -1) continue;
    put32(&b, 0x04034b50);
    put16(&b, 20), put16(&b, p->flags), put16(&b, p->method), put32(&b, 0);
    put32(&b, p->crc), put32(&b, (uint32_t)len), put32(&b, p->usize != 0 ? p->usize : (uint32_t)len);
    put16(&b, (uint32_t)strlen(name)), put16(&b, 0);
    tsr_buf_puts(&b, name);
    tsr_buf_put(&b, p->data, len);
  }
  dir = (uint32_t)b.len;
  for (size_t i = 0; i < n; i++) {
    const part *p = &parts[i];
    size_t len = p->len != 0 ? p->len : strlen(p->data);
    put32(&b, 0x02014b50);
    put16(&b, 20), put16(&b, 20), put16(&b, p->flags), put16(&b, p->method), put32(&b, 0);
    put32(&b, p->crc), put32(&b, (uint32_t)len), put32(&b, p->usize != 0 ? p->usize : (uint32_t)len);
    put16(&b, (uint32_t)strlen(p->name)), put16(&b, 0), put16(&b, 0), put16(&b, 0), put16(&b, 0), put32(&b, 0);
    put32(&b, off[i]);
    tsr_buf_puts(&b, p->name);
  }
  uint32_t size = (uint32_t)b.len - dir;
  put32(&b, 0x06054b50);
  put16(&b, 0), put16(&b, 0), put16(&b, (uint32_t)n), put16(&b, (uint32_t)n), put32(&b, size), put32(&b, dir), put16(&b, 0);
  return b;
}

static tsr_status open_buf(const tsr_buf *b, tsr_errrec *e, tsr_archive **a) { return tsr_archive_open_memory(b->data, b->len, e, a); }

static void refused(const part *parts, size_t n, tsr_status want, const char *text) {
  tsr_buf b = make_zip(parts, n);
  tsr_errrec e = {0};
  tsr_archive *a;
  assert_int_equal(open_buf(&b, &e, &a), want);
  if (strstr(e.message, text) == NULL) fail_msg("\"%s\" does not say \"%s\"", e.message, text);
  tsr_errrec_dispose(&e);
  tsr_buf_dispose(&b);
}

/* "hello" deflated by hand: one stored block */
static const char hello_deflated[] = "\x01\x05\x00\xfa\xffhello";
#define HELLO_LEN 10

/* ---- good archives ---- */

static void entries_are_found_by_name(void **state) {
  const part parts[] = {{"m/extra/note", "x"}, {"m/data.pkl", "pickle"}, {"m/version", "3\n"}, {"m/constants.pkl", "c"},
                        {"m/code/__torch__.py", hello_deflated, HELLO_LEN, NULL, 5, 8}, {"stranger", "s"}};
  tsr_buf b = make_zip(parts, 6);
  tsr_errrec e = {0};
  tsr_archive *a;
  size_t i, len;
  const void *data;
  assert_int_equal(open_buf(&b, &e, &a), TSR_OK);
  assert_int_equal(tsr_archive_kind(a), TSR_FILE_TORCHSCRIPT);
  assert_true(tsr_archive_has_code(a));
  assert_string_equal(tsr_archive_root(a), "m");
  assert_int_equal(tsr_archive_version(a), 3);
  assert_int_equal(tsr_archive_entry_count(a), 6);
  assert_true(tsr_archive_find(a, "data.pkl", &i));
  assert_int_equal(tsr_archive_read(a, i, &e, &data, &len), TSR_OK);
  assert_int_equal(len, 6);
  assert_memory_equal(data, "pickle", 6);
  assert_in_range((uintptr_t)data, (uintptr_t)b.data, (uintptr_t)b.data + b.len); /* not copied */
  assert_true(tsr_archive_find(a, "code/__torch__.py", &i));
  assert_int_equal(tsr_archive_read(a, i, &e, &data, &len), TSR_OK);
  assert_int_equal(len, 5);
  assert_memory_equal(data, "hello", 5);
  assert_false(tsr_archive_find(a, "stranger", &i));
  assert_false(tsr_archive_find(a, "m/data.pkl", &i));
  tsr_entry_info info;
  tsr_archive_entry(a, 5, &info);
  assert_true(info.outside);
  tsr_archive_release(a);
  tsr_buf_dispose(&b);
}

static void a_root_is_not_needed(void **state) {
  const part parts[] = {{"code/a.py", "x"}, {"data.pkl", "p"}, {"constants.pkl", "c"}, {"version", "2"}};
  tsr_buf b = make_zip(parts, 4);
  tsr_errrec e = {0};
  tsr_archive *a;
  size_t i;
  assert_int_equal(open_buf(&b, &e, &a), TSR_OK);
  assert_string_equal(tsr_archive_root(a), "");
  assert_int_equal(tsr_archive_version(a), 2);
  assert_true(tsr_archive_find(a, "code/a.py", &i));
  tsr_archive_release(a);
  tsr_buf_dispose(&b);
}

static void a_file_and_a_descriptor_read_the_same(void **state) {
  const part parts[] = {{"m/data.pkl", "pickle"}, {"m/byteorder", "big"}, {"m/version", "10\n"}};
  tsr_buf b = make_zip(parts, 3);
  char path[] = P_tmpdir "/tsrun-test-XXXXXX";
  int fd = mkstemp(path), ends[2];
  assert_int_equal(write(fd, b.data, b.len), (ssize_t)b.len);
  assert_int_equal(pipe(ends), 0);
  assert_int_equal(write(ends[1], b.data, b.len), (ssize_t)b.len);
  close(ends[1]);
  for (int way = 0; way < 5; way++) {
    tsr_errrec e = {0};
    tsr_archive *a;
    tsr_status st = way < 2 ? tsr_archive_open(path, way == 1, &e, &a) : way < 4 ? tsr_archive_open_fd(fd, way == 3, &e, &a) : tsr_archive_open_fd(ends[0], false, &e, &a);
    assert_int_equal(st, TSR_OK);
    assert_int_equal(tsr_archive_kind(a), TSR_FILE_TORCH_ZIP);
    assert_int_equal(tsr_archive_version(a), 10);
    assert_true(tsr_archive_is_big_endian(a));
    tsr_archive_release(a);
  }
  close(ends[0]);
  close(fd);
  unlink(path);
  tsr_buf_dispose(&b);
}

static void a_missing_file_says_why(void **state) {
  tsr_errrec e = {0};
  tsr_archive *a;
  assert_int_equal(tsr_archive_open("/no/such/file.pt", false, &e, &a), TSR_EIO);
  assert_string_equal(e.message, "cannot open /no/such/file.pt: No such file or directory");
  tsr_errrec_dispose(&e);
}

/* ---- hostile archives ---- */

static void lies_are_refused(void **state) {
  const part overlap[] = {{"m/data.pkl", "pickle"}, {"m/data.pkl2", "pickle", 0, NULL, 0, 0, 0, 0, -1}};
  refused(overlap, 2, TSR_EFORMAT, "another name");
  const part same[] = {{"m/data.pkl", "pickle"}, {"m/data.pkl", "pickle", 0, NULL, 0, 0, 0, 0, -1}};
  refused(same, 2, TSR_EFORMAT, "overlaps");
  const part twice[] = {{"m/data.pkl", "one"}, {"m/data.pkl", "two"}};
  refused(twice, 2, TSR_EFORMAT, "two of this name");
  const part names[] = {{"m/data.pkl", "one", 0, "m/other.pk"}};
  refused(names, 1, TSR_EFORMAT, "another name");
  const part sizes[] = {{"m/data.pkl", "one", 0, NULL, 4}};
  refused(sizes, 1, TSR_EFORMAT, "two sizes differ");
  const part bomb[] = {{"m/data.pkl", hello_deflated, HELLO_LEN, NULL, 2200000000u, 8}};
  refused(bomb, 1, TSR_EFORMAT, "more than deflate can pack");
  const part secret[] = {{"m/data.pkl", "one", 0, NULL, 0, 0, 1}};
  refused(secret, 1, TSR_EUNSUPPORTED, "encrypted");
  const part bzip[] = {{"m/data.pkl", "one", 0, NULL, 0, 12}};
  refused(bzip, 1, TSR_EUNSUPPORTED, "method 12");
}

static tsr_status read_first(const part *p, tsr_errrec *e) {
  tsr_buf b = make_zip(p, 1);
  tsr_archive *a;
  const void *data;
  size_t len;
  char copy[64];
  tsr_status st = open_buf(&b, e, &a);
  assert_int_equal(st, TSR_OK);
  st = tsr_archive_read(a, 0, e, &data, &len);
  tsr_errrec second = {0};
  tsr_entry_info info;
  tsr_archive_entry(a, 0, &info);
  if (info.size <= sizeof copy) assert_int_equal(tsr_archive_read_into(a, 0, &second, copy, info.size), st);
  tsr_errrec_dispose(&second);
  tsr_archive_release(a);
  tsr_buf_dispose(&b);
  return st;
}

/* libzip alone would hand out five bytes for each of these. */
static void sizes_are_held_to(void **state) {
  tsr_errrec e = {0};
  const part right = {"x", hello_deflated, HELLO_LEN, NULL, 5, 8}, longer = {"x", hello_deflated, HELLO_LEN, NULL, 4, 8},
             shorter = {"x", hello_deflated, HELLO_LEN, NULL, 6, 8}, damaged = {"x", "\xff\xff\xff\xff", 4, NULL, 5, 8};
  assert_int_equal(read_first(&right, &e), TSR_OK);
  assert_int_equal(read_first(&longer, &e), TSR_EFORMAT);
  assert_non_null(strstr(e.message, "longer than it says"));
  tsr_errrec_dispose(&e);
  assert_int_equal(read_first(&shorter, &e), TSR_EFORMAT);
  assert_non_null(strstr(e.message, "shorter than it says"));
  tsr_errrec_dispose(&e);
  assert_int_equal(read_first(&damaged, &e), TSR_EFORMAT);
  tsr_errrec_dispose(&e);
}

static void checksums_count_unless_they_are_zero(void **state) {
  tsr_errrec e = {0};
  const part none = {"x", "hello"}, right = {"x", "hello", 0, NULL, 0, 0, 0, 0x3610a686}, wrong = {"x", "hello", 0, NULL, 0, 0, 0, 0x3610a687};
  assert_int_equal(read_first(&none, &e), TSR_OK);
  assert_int_equal(read_first(&right, &e), TSR_OK);
  assert_int_equal(read_first(&wrong, &e), TSR_EFORMAT);
  assert_non_null(strstr(e.message, "checksum"));
  tsr_errrec_dispose(&e);
}

/* Every prefix and every changed byte of an archive: refused or read, never worse (under sanitizers). */
static void damage_is_survived(void **state) {
  const part parts[] = {{"m/data.pkl", "pickle"}, {"m/code/a.py", hello_deflated, HELLO_LEN, NULL, 5, 8}, {"m/version", "3\n"}};
  tsr_buf b = make_zip(parts, 3);
  char *copy = malloc(b.len);
  for (size_t cut = 0; cut <= b.len; cut++) {
    tsr_errrec e = {0};
    tsr_archive *a = NULL;
    char *exact = malloc(cut + (cut == 0));
    memcpy(exact, b.data, cut);
    tsr_status st = tsr_archive_open_memory(exact, cut, &e, &a);
    if (cut < b.len && st == TSR_OK) assert_true(tsr_archive_kind(a) != TSR_FILE_TORCH_ZIP);
    if (cut == b.len) assert_int_equal(st, TSR_OK);
    tsr_archive_release(a);
    tsr_errrec_dispose(&e);
    free(exact);
  }
  for (size_t at = 0; at < b.len; at++)
    for (int bit = 0; bit < 8; bit++) {
      tsr_errrec e = {0};
      tsr_archive *a = NULL;
      const void *data;
      size_t len;
      memcpy(copy, b.data, b.len);
      copy[at] = (char)(copy[at] ^ 1 << bit);
      if (tsr_archive_open_memory(copy, b.len, &e, &a) == TSR_OK)
        for (size_t i = 0; i < tsr_archive_entry_count(a); i++) tsr_archive_read(a, i, &e, &data, &len);
      tsr_archive_release(a);
      tsr_errrec_dispose(&e);
    }
  free(copy);
  tsr_buf_dispose(&b);
}

static void limits_hold(void **state) {
  tsr_buf b = {0};
  tsr_errrec e = {0};
  tsr_archive *a;
  /* 65,537 entries in the zip64 record, and a directory that could hold them */
  size_t dir = (TSR_ZIP_MAX_ENTRIES + 1) * 46u;
  for (size_t i = 0; i < dir; i++) tsr_buf_putc(&b, i < 4 ? "PK\3\4"[i] : 0);
  size_t end64 = b.len;
  put32(&b, 0x06064b50);
  put32(&b, 44), put32(&b, 0), put16(&b, 0), put16(&b, 0), put32(&b, 0), put32(&b, 0);
  for (int k = 0; k < 2; k++) put32(&b, TSR_ZIP_MAX_ENTRIES + 1), put32(&b, 0);
  put32(&b, (uint32_t)dir), put32(&b, 0), put32(&b, 0), put32(&b, 0);
  put32(&b, 0x07064b50);
  put32(&b, 0), put32(&b, (uint32_t)end64), put32(&b, 0), put32(&b, 1);
  put32(&b, 0x06054b50);
  put16(&b, 0), put16(&b, 0), put16(&b, 0xffff), put16(&b, 0xffff), put32(&b, 0xffffffff), put32(&b, 0xffffffff), put16(&b, 0);
  assert_int_equal(open_buf(&b, &e, &a), TSR_ELIMIT);
  assert_string_equal(e.message, "zip file with 65537 entries (limit 65536)");
  tsr_errrec_dispose(&e);
  tsr_buf_dispose(&b);
  char *name = malloc(TSR_ZIP_MAX_NAME + 2);
  for (int over = 0; over < 2; over++) {
    memset(name, 'n', TSR_ZIP_MAX_NAME + 1);
    name[TSR_ZIP_MAX_NAME + over] = '\0';
    const part p = {name, "x"};
    b = make_zip(&p, 1);
    assert_int_equal(open_buf(&b, &e, &a), over ? TSR_ELIMIT : TSR_OK);
    if (!over) tsr_archive_release(a);
    tsr_errrec_dispose(&e);
    tsr_buf_dispose(&b);
  }
  free(name);
}

/* ---- kinds ---- */

static void kinds_are_told_apart(void **state) {
  static const struct { const char *bytes; size_t len; tsr_file_kind kind; } files[] = {
      {"", 0, TSR_FILE_EMPTY},
      {"<!DOCTYPE html><html>", 21, TSR_FILE_HTML},
      {"\n  <HTML>", 9, TSR_FILE_HTML},
      {"version https://git-lfs.github.com/spec/v1\n", 43, TSR_FILE_LFS_POINTER},
      {"PK\3\4 and no more", 17, TSR_FILE_TRUNCATED_ZIP},
      {"\x93NUMPY\1\0", 8, TSR_FILE_NPY},
      {"GGUF\3\0\0\0", 8, TSR_FILE_GGUF},
      {"\x89HDF\r\n\x1a\n", 8, TSR_FILE_HDF5},
      {"\x02\0\0\0\0\0\0\0{}", 10, TSR_FILE_SAFETENSORS},
      {"\x80\2]q\0.", 6, TSR_FILE_PICKLE},
      {"\x80\2\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 15, TSR_FILE_TORCH_STREAM},
      {"\x18\0\0\0PTMF", 8, TSR_FILE_FLATBUFFER},
      {"\x1f\x8b\x08\0\0", 5, TSR_FILE_PACKED},
      {"\xff\xd8\xff\xe0\0\x10JFIF", 10, TSR_FILE_MEDIA},
      {"RIFF\x24\0\0\0WAVE", 12, TSR_FILE_MEDIA},
      {"hello", 5, TSR_FILE_UNKNOWN},
  };
  for (size_t i = 0; i < TSR_COUNT(files); i++) {
    tsr_errrec e = {0};
    tsr_archive *a;
    assert_int_equal(tsr_archive_open_memory(files[i].bytes, files[i].len, &e, &a), TSR_OK);
    if (tsr_archive_kind(a) != files[i].kind) fail_msg("file %zu is taken for %s", i, tsr_file_kind_name(tsr_archive_kind(a)));
    assert_int_equal(tsr_archive_fail_kind(a, &e), TSR_EFORMAT);
    assert_null(strchr(e.message, '\n'));
    tsr_errrec_dispose(&e);
    tsr_archive_release(a);
  }
}

static void zips_are_told_apart(void **state) {
  static const struct { part p[4]; tsr_file_kind kind; } zips[] = {
      {{{"a.npy", "x"}, {"b.npy", "y"}}, TSR_FILE_NPZ},
      {{{"readme", "x"}}, TSR_FILE_ZIP},
      {{{"a/data.pkl", "x"}}, TSR_FILE_TORCH_ZIP},
      {{{"a/model.json", "{}"}, {"a/version", "1"}}, TSR_FILE_TORCHSCRIPT_LEGACY},
      {{{"a/archive_format", "pt2"}, {"a/models/model.json", "{}"}}, TSR_FILE_PT2},
      {{{"MAR-INF/MANIFEST.json", "{}"}, {"a.pt", "x"}}, TSR_FILE_MAR},
      {{{"a/.data/extern_modules", "x"}, {"a/x.py", "x"}}, TSR_FILE_TORCH_PACKAGE},
      {{{"a/data.pkl", "x"}, {"a/constants.pkl", "x"}, {"a/bytecode.pkl", "x"}}, TSR_FILE_LITE},
      {{{"__MACOSX/._m", "x"}, {"m/constants.pkl", "x"}, {"m/data.pkl", "x"}}, TSR_FILE_TORCHSCRIPT},
  };
  for (size_t i = 0; i < TSR_COUNT(zips); i++) {
    size_t n = 0;
    while (n < 4 && zips[i].p[n].name != NULL) n++;
    tsr_buf b = make_zip(zips[i].p, n);
    tsr_errrec e = {0};
    tsr_archive *a;
    assert_int_equal(open_buf(&b, &e, &a), TSR_OK);
    if (tsr_archive_kind(a) != zips[i].kind) fail_msg("zip %zu is taken for %s", i, tsr_file_kind_name(tsr_archive_kind(a)));
    tsr_archive_release(a);
    tsr_buf_dispose(&b);
  }
}

static void a_pickled_object_is_named(void **state) {
  static const struct { part p; const char *said; } files[] = {
      {{"m/data.pkl", "\x80\2cmodels.net\nMyNet\nq\1)\x81q\2."}, "of class models.net.MyNet: load it in Python"},
      {{"m/data.pkl", "\x80\2cposix\nsystem\nX\4\1\1\1date\x85R."}, "calls posix.system in Python: do not load it there"},
  };
  for (size_t i = 0; i < TSR_COUNT(files); i++) {
    tsr_buf b = make_zip(&files[i].p, 1);
    tsr_errrec e = {0};
    tsr_archive *a;
    assert_int_equal(open_buf(&b, &e, &a), TSR_OK);
    tsr_archive_fail_kind(a, &e);
    assert_non_null(strstr(e.message, files[i].said));
    tsr_errrec_dispose(&e);
    tsr_archive_release(a);
    tsr_buf_dispose(&b);
  }
}

/* ---- writing ---- */

static void written_zips_read_back_aligned(void **state) {
  tsr_errrec e = {0};
  tsr_zip_writer *w;
  tsr_archive *a;
  int fd = memfd_create("zip", 0);
  static const char *const names[] = {"archive/data.pkl", "archive/data/0", "archive/data/1", "archive/version"};
  static const char *const data[] = {"pickle", "0123456789", "", "3\n"};
  assert_int_equal(tsr_zip_writer_new(fd, "test.zip", &e, &w), TSR_OK);
  for (int i = 0; i < 4; i++) assert_int_equal(tsr_zip_writer_add(w, &e, names[i], data[i], strlen(data[i])), TSR_OK);
  assert_int_equal(tsr_zip_writer_finish(w, &e), TSR_OK);
  assert_int_equal(tsr_archive_open_fd(fd, false, &e, &a), TSR_OK);
  assert_int_equal(tsr_archive_version(a), 3);
  size_t whole;
  const char *bytes = tsr_archive_bytes(a, &whole);
  for (size_t i = 0; i < 4; i++) {
    const void *p;
    size_t len;
    assert_int_equal(tsr_archive_read(a, i, &e, &p, &len), TSR_OK);
    assert_int_equal(len, strlen(data[i]));
    assert_memory_equal(p, data[i], len);
    assert_int_equal((size_t)((const char *)p - bytes) % 64, 0);
  }
  tsr_archive_release(a);
  close(fd);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(entries_are_found_by_name), cmocka_unit_test(a_root_is_not_needed), cmocka_unit_test(a_file_and_a_descriptor_read_the_same),
      cmocka_unit_test(a_missing_file_says_why),   cmocka_unit_test(lies_are_refused),     cmocka_unit_test(sizes_are_held_to),
      cmocka_unit_test(checksums_count_unless_they_are_zero), cmocka_unit_test(damage_is_survived), cmocka_unit_test(limits_hold),
      cmocka_unit_test(kinds_are_told_apart),      cmocka_unit_test(zips_are_told_apart),  cmocka_unit_test(a_pickled_object_is_named),
      cmocka_unit_test(written_zips_read_back_aligned)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
