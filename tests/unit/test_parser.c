/* The parser: dumps of the golden sources against the .ast beside each, error messages, limits, a small
 * stack, foreign locales, and every failing allocation. */
#include <dirent.h>
#include <locale.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "frontend/ast.h"

#define GOLDEN "tests/golden/parser"

typedef struct outcome {
  tsr_status status;
  char *text; /* dump or message */
} outcome;

static outcome parse(const char *name, const char *text, size_t len, bool expr) {
  tsr_arena *arena = tsr_arena_new();
  tsr_errrec e = {0};
  tsr_source src = {name, text, len, NULL};
  tsr_ast *tree = NULL;
  outcome o = {TSR_OK, NULL};
  o.status = (expr ? tsr_parse_expr : tsr_parse_file)(arena, &e, &src, &tree);
  if (o.status == TSR_OK) {
    tsr_buf b = {0};
    tsr_ast_print(tree, &b);
    o.text = tsr_buf_take(&b);
  } else {
    assert_int_equal(o.status, e.status);
    o.text = strdup(e.message == NULL ? "" : e.message);
  }
  tsr_errrec_dispose(&e);
  tsr_arena_free(arena);
  return o;
}

static char *read_file(const char *path, size_t *len) {
  FILE *f = fopen(path, "rb");
  if (f == NULL) return NULL;
  char *text = malloc(1 << 20);
  *len = fread(text, 1, (1 << 20) - 1, f);
  text[*len] = '\0';
  fclose(f);
  return text;
}

static void golden(void **state) {
  DIR *d = opendir(GOLDEN);
  struct dirent *entry;
  int seen = 0;
  assert_non_null(d);
  while ((entry = readdir(d)) != NULL) {
    char source[400], dump[400];
    size_t len = 0, want_len = 0, n = strlen(entry->d_name);
    if (n < 3 || strcmp(entry->d_name + n - 3, ".py") != 0) continue;
    snprintf(source, sizeof source, GOLDEN "/%s", entry->d_name);
    snprintf(dump, sizeof dump, GOLDEN "/%.*s.ast", (int)n - 3, entry->d_name);
    char *text = read_file(source, &len), *want = read_file(dump, &want_len);
    outcome o = parse(entry->d_name, text, len, false);
    if (getenv("TSRUN_UPDATE_GOLDEN") != NULL) {
      FILE *f = fopen(dump, "wb");
      fputs(o.text, f);
      fclose(f);
    } else {
      assert_non_null(want);
      assert_string_equal(o.text, want);
    }
    free(text);
    free(want);
    free(o.text);
    seen++;
  }
  closedir(d);
  assert_true(seen >= 10);
}

typedef struct refusal {
  const char *text, *message;
  tsr_status status;
} refusal;

static const refusal refusals[] = {
    {"def f():\n  x = = 1\n", "t.py:2:7: unexpected \"=\"", TSR_EFORMAT},
    {"def f():\n  x = (1,\n", "t.py:3:1: unexpected end of file", TSR_EFORMAT},
    {"def f():\n  x = [1}\n", "t.py:2:9: unexpected \"}\"", TSR_EFORMAT},
    {"def f():\n", "t.py:1:9: unexpected end of file", TSR_EFORMAT},
    {"def f():\n  x = \"abc\n", "t.py:2:7: unterminated string", TSR_EFORMAT},
    {"def f():\n  x = \"\"\"abc\n", "t.py:2:9: unterminated string", TSR_EFORMAT},
    {"def f():\n  x = \"\\q\"\n", "t.py:2:7: malformed escape in a string", TSR_EFORMAT},
    {"def f():\n  x = \"\\777\"\n", "t.py:2:7: malformed escape in a string", TSR_EFORMAT},
    {"def f():\n  x = 08\n", "t.py:2:7: malformed number \"08\"", TSR_EFORMAT},
    {"def f():\n  x = 1_0\n", "t.py:2:8: unexpected \"_0\"", TSR_EFORMAT},
    {"def f():\n  x = 9223372036854775808\n",
     "t.py:2:7: integer constant out of range (must fit in a signed 64 bit integer)", TSR_EFORMAT},
    {"def f():\n  x = 1 - 9223372036854775808\n",
     "t.py:2:11: integer constant out of range (must fit in a signed 64 bit integer)", TSR_EFORMAT},
    {"def f():\n  x = 99999999999999999999\n",
     "t.py:2:7: integer constant out of range (must fit in a signed 64 bit integer)", TSR_EFORMAT},
    {"def f():\n    x = 1\n  y = 2\n", "t.py:3:3: unindent does not match any outer level", TSR_EFORMAT},
    {"def f():\n  x = 1\n    y = 2\n", "t.py:3:5: unexpected indent", TSR_EFORMAT},
    {"def f():\n  1 = x\n", "t.py:2:3: cannot assign to this expression", TSR_EFORMAT},
    {"def f():\n  () = x\n", "t.py:2:3: cannot assign to this expression", TSR_EFORMAT},
    {"def f():\n  a.b = c.d = x\n", "t.py:2:3: a chained assignment needs a plain name among its targets", TSR_EFORMAT},
    {"def f(*, *):\n  pass\n", "t.py:1:10: a second bare *", TSR_EFORMAT},
    {"x = 1\n", "t.py:1:1: expected a class, a function or op_version_set", TSR_EFORMAT},
    {"class A(Module):\n  b[\"0\"] = T\n", "t.py:2:3: expected __annotations__", TSR_EFORMAT},
    {"class A(Enum):\n  B = \"open\n", "t.py:2:7: unterminated string", TSR_EFORMAT},
    {"def f():\n  x = y $ z\n", "t.py:2:9: unexpected \"$\"", TSR_EFORMAT},
    {"def f():\n  global x\n", "t.py:2:3: unexpected \"global\"", TSR_EFORMAT},
};

static void refused(void **state) {
  for (size_t i = 0; i < TSR_COUNT(refusals); i++) {
    outcome o = parse("t.py", refusals[i].text, strlen(refusals[i].text), false);
    assert_int_equal(o.status, refusals[i].status);
    free(o.text);
  }
}

static void bad_bytes(void **state) {
  static const struct {
    const char *text;
    size_t len;
    const char *message;
  } bad[] = {
      {"def f():\n  a\0b\n", 15, "t.py:2:4: a NUL byte"}, {"x\xff", 2, "t.py:1:2: invalid UTF-8"},
      {"\xc0\x80", 2, "t.py:1:1: invalid UTF-8"},         {"\xed\xa0\x80", 3, "t.py:1:1: invalid UTF-8"},
      {"\xe2\x98", 2, "t.py:1:1: invalid UTF-8"},         {"\xf4\x90\x80\x80", 4, "t.py:1:1: invalid UTF-8"},
  };
  for (size_t i = 0; i < TSR_COUNT(bad); i++) {
    outcome o = parse("t.py", bad[i].text, bad[i].len, false);
    assert_int_equal(o.status, TSR_EFORMAT);
    assert_string_equal(o.text, bad[i].message);
    free(o.text);
  }
}

/* before + count times unit + after */
static char *repeated(const char *before, const char *unit, size_t count, const char *after, size_t *len) {
  size_t a = strlen(before), u = strlen(unit), z = strlen(after);
  char *text = malloc(a + u * count + z + 1), *p = text;
  memcpy(p, before, a), p += a;
  for (size_t i = 0; i < count; i++, p += u) memcpy(p, unit, u);
  memcpy(p, after, z + 1);
  *len = a + u * count + z;
  return text;
}

typedef struct pile {
  const char *before, *unit;
  size_t count;
  const char *after;
  tsr_status status;
} pile;

static const pile piles[] = {
    {"def f():\n  x = ", "(", 900, "", TSR_EFORMAT},
    {"def f():\n  x = ", "(", 1000000, "", TSR_ELIMIT},
    {"def f():\n  x = ", "[", 1000000, "", TSR_ELIMIT},
    {"def f():\n  x = ", "-", 1000000, "1\n", TSR_ELIMIT},
    {"def f():\n  x = ", "not ", 1000000, "1\n", TSR_ELIMIT},
    {"def f():\n  x = ", "a ** ", 1000000, "1\n", TSR_ELIMIT},
    {"def f():\n  x = a", " + a", 1000000, "\n", TSR_ELIMIT},
    {"def f():\n  x = a", ".a", 1000000, "\n", TSR_ELIMIT},
    {"def f():\n  x = a", "()", 1000000, "\n", TSR_ELIMIT},
    {"def f():\n  x = a", " if b else c", 100000, "\n", TSR_ELIMIT},
    {"def f():\n  if a:\n    b\n", "  elif c:\n    d\n", 100000, "", TSR_ELIMIT},
    {"def f():\n  x = ", "f(", 1000000, "", TSR_ELIMIT},
    {"def f():\n  x = a", " + a", 990, "\n", TSR_OK},
    {"def f():\n  x = ", "[", 900, "]", TSR_EFORMAT},
    {"def f():\n  x = \"", "a", (1 << 20) + 1, "\"\n", TSR_ELIMIT},
    {"", "a", (1 << 20) + 1, "\n", TSR_ELIMIT},
    {"", " ", (64 << 20) + 1, "\n", TSR_ELIMIT},
    {"def f():\n  x = ", "\"\"\"", 100001, "\n", TSR_EFORMAT},
    {"class A(Module):\n", "  x : T\n", 100000, "", TSR_OK},
    {"def f():\n  x = \"", "a", 1000000, "\"\n", TSR_OK},
};

static void *run_piles(void *arg) {
  for (size_t i = 0; i < TSR_COUNT(piles); i++) {
    size_t len;
    char *text = repeated(piles[i].before, piles[i].unit, piles[i].count, piles[i].after, &len);
    outcome o = parse("t.py", text, len, false);
    if (o.status != piles[i].status) {
      fprintf(stderr, "pile %zu: status %d, %.200s\n", i, o.status, o.text);
      *(bool *)arg = false;
    }
    free(o.text);
    free(text);
  }
  return NULL;
}

/* Whatever is piled up, 256 KiB of stack are enough. */
static void limits(void **state) {
  pthread_attr_t attr;
  pthread_t thread;
  bool ok = true;
  pthread_attr_init(&attr);
  pthread_attr_setstacksize(&attr, 256 << 10);
  assert_int_equal(pthread_create(&thread, &attr, run_piles, &ok), 0);
  pthread_join(thread, NULL);
  pthread_attr_destroy(&attr);
  assert_true(ok);
}

static double seconds_of(size_t lines) {
  size_t len;
  char *text =
      repeated("def f():\n", "  _1 = torch.add(x, torch.mul(y, [1, 2.5, \"a\"], alpha=1), )\n", lines, "", &len);
  clock_t start = clock();
  tsr_arena *arena = tsr_arena_new();
  tsr_errrec e = {0};
  tsr_source src = {"t.py", text, len, NULL};
  tsr_ast *tree = NULL;
  assert_int_equal(tsr_parse_file(arena, &e, &src, &tree), TSR_OK);
  double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
  tsr_arena_free(arena);
  free(text);
  return seconds;
}

static void linear_time(void **state) {
  double small = seconds_of(8000), large = seconds_of(80000); /* 0.5 and 5 MB */
  assert_true(large < 40 * small + 0.5);
}

static void expressions(void **state) {
  static const struct {
    const char *text, *dump;
  } cases[] = {
      {"Dict[str, Tuple[()]]", "(subscript\n  (name Dict)\n  (name str)\n  (subscript (name Tuple) (tuple)))\n"},
      {"-1.5", "(float -1.5)\n"},
      {"\"a\"", "(str \"a\")\n"},
      {"(1, 2)", "(tuple (int 1) (int 2))\n"},
      {"x y", NULL},
      {"", NULL},
      {"x = 1", NULL},
  };
  for (size_t i = 0; i < TSR_COUNT(cases); i++) {
    outcome o = parse("e", cases[i].text, strlen(cases[i].text), true);
    if (cases[i].dump == NULL)
      assert_int_equal(o.status, TSR_EFORMAT);
    else
      assert_string_equal(o.text, cases[i].dump);
    free(o.text);
  }
}

static void foreign_locale(void **state) {
  char *old = strdup(setlocale(LC_ALL, NULL));
  const char *const names[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE.utf8", "C.UTF-8"};
  for (size_t i = 0; i < TSR_COUNT(names); i++) {
    if (setlocale(LC_ALL, names[i]) == NULL) continue;
    tsr_arena *arena = tsr_arena_new();
    tsr_errrec e = {0};
    tsr_source src = {"e", "1.5", 3, NULL};
    tsr_ast *tree = NULL;
    assert_int_equal(tsr_parse_expr(arena, &e, &src, &tree), TSR_OK);
    assert_int_equal(tree->kind, TSR_AST_FLOAT);
    assert_true(tree->fval == 1.5);
    tsr_arena_free(arena);
  }
  setlocale(LC_ALL, old);
  free(old);
}

static void positions(void **state) {
  const char *text = "a\néb\n";
  tsr_source src = {"t", text, strlen(text), NULL};
  int line, column;
  tsr_source_position(&src, 0, &line, &column);
  assert_int_equal(line, 1);
  assert_int_equal(column, 1);
  tsr_source_position(&src, 4, &line, &column); /* b: behind one character of two bytes */
  assert_int_equal(line, 2);
  assert_int_equal(column, 2);
  tsr_source_position(&src, 1000, &line, &column);
  assert_int_equal(line, 3);
}

static void ranges_cover_text(void **state) {
  const char *text = "def f():\n  y = torch.add(x, 1)\n";
  tsr_arena *arena = tsr_arena_new();
  tsr_errrec e = {0};
  tsr_source src = {"t", text, strlen(text), NULL};
  tsr_ast *tree = NULL;
  assert_int_equal(tsr_parse_file(arena, &e, &src, &tree), TSR_OK);
  const tsr_ast *assign = tree->kids[0]->kids[2]->kids[0], *call = assign->kids[1];
  assert_int_equal(call->kind, TSR_AST_CALL);
  assert_int_equal(call->end - call->begin, strlen("torch.add(x, 1)"));
  assert_memory_equal(text + call->begin, "torch.add(x, 1)", call->end - call->begin);
  assert_memory_equal(text + call->kids[0]->begin, "torch.add", call->kids[0]->end - call->kids[0]->begin);
  assert_true(tsr_ast_is_absent(assign->kids[2]));
  tsr_arena_free(arena);
}

static void arena_limit(void **state) {
  const char *text = "class A(Enum):\n  B = \"x\"\n  C = 1\ndef f(x: int=1) -> str:\n  if x:\n    return \"a\\n\" "
                     "\"b\"\n  else:\n    pass\n";
  bool done = false;
  for (uint64_t limit = 64; !done && limit < 65536; limit += 64) {
    tsr_arena *arena = tsr_arena_new();
    tsr_errrec e = {0};
    tsr_source src = {"t", text, strlen(text), NULL};
    tsr_ast *tree = NULL;
    tsr_arena_set_limit(arena, limit);
    tsr_status status = tsr_parse_file(arena, &e, &src, &tree);
    done = status == TSR_OK;
    if (!done) assert_true(status == TSR_ENOMEM || status == TSR_ELIMIT);
    tsr_errrec_dispose(&e);
    tsr_arena_free(arena);
  }
  assert_true(done);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(golden),         cmocka_unit_test(refused),     cmocka_unit_test(bad_bytes),
      cmocka_unit_test(limits),         cmocka_unit_test(linear_time), cmocka_unit_test(expressions),
      cmocka_unit_test(foreign_locale), cmocka_unit_test(positions),   cmocka_unit_test(ranges_cover_text),
      cmocka_unit_test(arena_limit),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
