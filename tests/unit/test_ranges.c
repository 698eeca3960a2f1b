/* Source ranges: both forms written by hand here, look-ups, damage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "frontend/ranges.h"

/* ---- a tiny pickle writer */

static void op(tsr_buf *b, int c) { tsr_buf_putc(b, (char)c); }
static void num(tsr_buf *b, uint32_t v) {
  op(b, 'J');
  for (int i = 0; i < 4; i++) op(b, (int)(v >> (8 * i)) & 255);
}
static void text(tsr_buf *b, const char *s) {
  uint32_t n = (uint32_t)strlen(s);
  op(b, 'X');
  for (int i = 0; i < 4; i++) op(b, (int)(n >> (8 * i)) & 255);
  tsr_buf_puts(b, s);
}
static void put(tsr_buf *b, int id) { op(b, 'q'), op(b, id); }
static void get(tsr_buf *b, int id) { op(b, 'h'), op(b, id); }

static const char source_text[] = "def f(x):\n    y = x + 1\n    return y @ x\n";

/* (offset, (memo 0 | new source, begin, end), tag) */
static void record(tsr_buf *b, uint32_t offset, uint32_t begin, uint32_t end, bool first, bool tag) {
  num(b, offset);
  if (first) {
    text(b, source_text), text(b, "/home/u/net.py"), num(b, 7), op(b, 0x87), put(b, 0);
  } else {
    get(b, 0);
  }
  num(b, begin), num(b, end), op(b, 0x87);
  if (tag)
    num(b, UINT32_MAX), op(b, 0x87);
  else
    op(b, 0x86);
}

static tsr_buf plain(bool tag) {
  tsr_buf b = {0};
  op(&b, 0x80), op(&b, 2), op(&b, '(');
  record(&b, 10, 14, 23, true, tag);
  record(&b, 20, 35, 40, false, tag);
  record(&b, 20, 28, 40, false, tag);
  op(&b, 't'), op(&b, '.');
  return b;
}

static void intlist(tsr_buf *b, const uint32_t *ids, int count) {
  tsr_buf_puts(b, "ctorch.jit._pickle\nbuild_intlist\n");
  op(b, '('), op(b, ']'), op(b, '(');
  for (int i = 0; i < count; i++) num(b, ids[i]);
  op(b, 'e'), op(b, 't'), op(b, 'R');
}

static tsr_buf table(uint32_t last_id) {
  tsr_buf b = {0};
  op(&b, 0x80), op(&b, 2), text(&b, "FORMAT_WITH_STRING_TABLE"), op(&b, '(');
  text(&b, ""), text(&b, "def f(x):\n"), text(&b, "    y = x + 1\n"), text(&b, "    return y @ x\n"),
      text(&b, "/home/u/net.py");
  op(&b, 't'), op(&b, '(');
  num(&b, 10), intlist(&b, (uint32_t[]){1, 2, last_id}, 3), num(&b, 4), num(&b, 7), op(&b, 0x87);
  num(&b, 14), num(&b, 23), op(&b, 0x87), num(&b, 1), op(&b, 0x87);
  num(&b, 30), intlist(&b, NULL, 0), num(&b, 0), num(&b, 0), op(&b, 0x87);
  num(&b, 0), num(&b, 0), op(&b, 0x87), num(&b, 0), op(&b, 0x87);
  op(&b, 't'), op(&b, 0x87), op(&b, '.');
  return b;
}

/* ---- tests */

static bool find(const tsr_buf *b, uint32_t offset, int line, const char *want) {
  tsr_arena *arena = tsr_arena_new();
  tsr_ranges *r = tsr_ranges_parse(arena, b->data, b->len);
  tsr_origin o;
  assert_non_null(r);
  bool found = tsr_ranges_find(r, offset, &o);
  if (found && want != NULL) {
    assert_int_equal(o.line, line);
    assert_int_equal(o.file_len, strlen("/home/u/net.py"));
    assert_memory_equal(o.file, "/home/u/net.py", o.file_len);
    assert_int_equal(o.end - o.begin, strlen(want));
    assert_memory_equal(o.text + o.begin, want, strlen(want));
    assert_int_equal(o.text_len, strlen(source_text));
    assert_memory_equal(o.text, source_text, o.text_len);
  }
  tsr_ranges_free(r);
  tsr_arena_free(arena);
  return found;
}

static void plain_form(void **state) {
  for (int tag = 0; tag < 2; tag++) {
    tsr_buf b = plain(tag != 0);
    assert_false(find(&b, 9, 0, NULL));
    assert_true(find(&b, 10, 8, "y = x + 1"));
    assert_true(find(&b, 19, 8, "y = x + 1"));
    assert_true(find(&b, 20, 9, "return y @ x")); /* the last of equal offsets */
    assert_true(find(&b, 4000000000u, 9, "return y @ x"));
    tsr_buf_dispose(&b);
  }
}

static void table_form(void **state) {
  tsr_buf b = table(3);
  assert_true(find(&b, 12, 8, "y = x + 1"));
  assert_false(find(&b, 31, 0, NULL)); /* a record without origin */
  tsr_buf_dispose(&b);
  b = table(99); /* no such line */
  assert_false(find(&b, 12, 0, NULL));
  tsr_buf_dispose(&b);
}

static void truncated(void **state) {
  tsr_buf forms[] = {plain(true), table(3)};
  for (size_t k = 0; k < 2; k++) {
    for (size_t len = 0; len < forms[k].len; len++) {
      char *copy = malloc(len + 1); /* so that an overrun is seen */
      memcpy(copy, forms[k].data, len);
      tsr_buf cut = {copy, len, len, false};
      assert_false(find(&cut, 15, 0, NULL));
      free(copy);
    }
    tsr_buf_dispose(&forms[k]);
  }
}

static void flipped(void **state) {
  tsr_buf forms[] = {plain(true), table(3)};
  for (size_t k = 0; k < 2; k++) {
    for (size_t i = 0; i < forms[k].len; i++) {
      char keep = forms[k].data[i];
      for (int v = 0; v < 256; v += 5) {
        forms[k].data[i] = (char)v;
        find(&forms[k], 15, 0, NULL); /* must not crash; the answer is free */
      }
      forms[k].data[i] = keep;
    }
    tsr_buf_dispose(&forms[k]);
  }
}

/* Memo and mark games: sharing must not multiply memory, depth must not use the stack. */
static void hostile(void **state) {
  tsr_buf b = {0};
  op(&b, ')'), put(&b, 0);
  for (int i = 0; i < 100000; i++) op(&b, 0x85);
  op(&b, '.');
  assert_false(find(&b, 0, 0, NULL));
  tsr_buf_dispose(&b);
  b = (tsr_buf){0};
  op(&b, '('), op(&b, 'r'), tsr_buf_put(&b, "\xff\xff\xff\x7f", 4), op(&b, 't'), op(&b, '.');
  assert_false(find(&b, 0, 0, NULL));
  tsr_buf_dispose(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(plain_form), cmocka_unit_test(table_form), cmocka_unit_test(truncated),
      cmocka_unit_test(flipped),    cmocka_unit_test(hostile),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
