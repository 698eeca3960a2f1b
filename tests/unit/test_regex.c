/* Regular expressions of --rename: what matches, what is refused, and that nothing takes long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "frontend/regex.h"

/* The first match and its groups as "[whole|1|2]", "-" for a group that took no part; "no" for no match. */
static const char *match(const char *pattern, const char *text) {
  static char out[256];
  const char *why = NULL;
  size_t slots[TSR_REGEX_SLOTS], n = 0;
  tsr_regex *re = tsr_regex_new(pattern, strlen(pattern), &why);
  if (re == NULL) {
    snprintf(out, sizeof out, "%s", why != NULL ? why : "no memory");
    return out;
  }
  int found = tsr_regex_search(re, text, strlen(text), 0, false, slots);
  tsr_regex_free(re);
  if (found <= 0) return found == 0 ? "no" : "too long";
  for (int g = 0; g < 3; g++) {
    if (slots[2 * g + 1] == SIZE_MAX) n += (size_t)snprintf(out + n, sizeof out - n, "%c-", g == 0 ? '[' : '|');
    else n += (size_t)snprintf(out + n, sizeof out - n, "%c%.*s", g == 0 ? '[' : '|', (int)(slots[2 * g + 1] - slots[2 * g]), text + slots[2 * g]);
  }
  snprintf(out + n, sizeof out - n, "]");
  return out;
}

static void matches_as_python_does(void **state) {
  (void)state;
  static const struct { const char *pattern, *text, *want; } rows[] = {
      {"abc", "xabcx", "[abc|-|-]"}, {"^b", "ab", "no"}, {"b$", "ab", "[b|-|-]"}, {"a|ab", "ab", "[a|-|-]"}, {"(a|ab)(c|bcd)", "abcd", "[abcd|a|bcd]"},
      {"a*", "aaa", "[aaa|-|-]"}, {"a*?b", "aab", "[aab|-|-]"}, {"(a+?)(a*)", "aaa", "[aaa|a|aa]"}, {"x?y", "y", "[y|-|-]"}, {"(x)?(y)", "y", "[y|-|y]"},
      {"a{2}", "aaa", "[aa|-|-]"}, {"a{2,}", "aaaa", "[aaaa|-|-]"}, {"a{,2}", "aaaa", "[aa|-|-]"}, {"a{1,2}?", "aa", "[a|-|-]"}, {"a{x}", "a{x}", "[a{x}|-|-]"},
      {"[a-c]+", "xabcd", "[abc|-|-]"}, {"[^a-c]+", "abxyc", "[xy|-|-]"}, {"[]a]+", "]a]", "[]a]|-|-]"}, {"[\\d_]+", "a1_2", "[1_2|-|-]"}, {"[[:alpha:].]+", "1a.b2", "[a.b|-|-]"},
      {"\\d+\\.", "layer.12.w", "[12.|-|-]"}, {"\\bw", "aw.w", "[w|-|-]"}, {"\\w+$", "a.b", "[b|-|-]"}, {"(?:ab)+(c)", "ababc", "[ababc|c|-]"}, {"(?P<n>a)b", "ab", "[ab|a|-]"},
      {"^", "", "[|-|-]"}, {"()", "a", "[||-]"}, {"a|b|c|d", "d", "[d|-|-]"}, {"(a(b)|c)+", "abc", "[abc|c|b]"}, {".", "\xc3\xa4x", "[\xc3\xa4|-|-]"}, {"[^x]", "\xc3\xa4x", "[\xc3\xa4|-|-]"},
      {"(^|x)a", "xa", "[xa|x|-]"}, {"a.c", "a\nc", "no"}, {"\\Aa\\Z", "a", "[a|-|-]"}, {"^module\\.", "module.fc", "[module.|-|-]"}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    if (strcmp(match(rows[i].pattern, rows[i].text), rows[i].want) != 0)
      fail_msg("%s on %s: %s, not %s", rows[i].pattern, rows[i].text, match(rows[i].pattern, rows[i].text), rows[i].want);
}

static void mistakes_are_named(void **state) {
  (void)state;
  static const struct { const char *pattern, *want; } rows[] = {
      {"*a", "nothing to repeat"}, {"a**", "multiple repeat"}, {"(a", "( without ) behind it"}, {"a)", ") without ("}, {"[a", "[ without ]"}, {"[b-a]", "a bad range in []"},
      {"a\\", "a backslash at the end"}, {"(a)\\1", "back references are not supported"}, {"\\q", "a bad escape"}, {"a{3,2}", "the repeat {m,n} has m > n"},
      {"(?=a)", "of the groups with (? there are (?:...) and (?P<name>...)"}, {"[[:frob:]]", "unknown class in [: :]"}, {"a{1,30000}", "the expression is too large"},
      {"((a{1,255}){1,255}){1,255}", "the expression is too large"}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    if (strcmp(match(rows[i].pattern, "a"), rows[i].want) != 0) fail_msg("%s: %s, not %s", rows[i].pattern, match(rows[i].pattern, "a"), rows[i].want);
  char deep[2001];
  memset(deep, '(', 1000);
  memset(deep + 1000, ')', 1000);
  deep[2000] = '\0';
  assert_string_equal(match(deep, "a"), "groups are nested too deep");
}

static void nothing_explodes(void **state) {
  (void)state;
  static char text[5001];
  memset(text, 'a', sizeof text - 1);
  assert_string_equal(match("^(a+)+$b", text), "no");
  assert_string_equal(match("(a*)*b", text), "no");
  assert_string_equal(match("(a|a|aa)+$c", text), "no");
  assert_string_equal(match("(.*)(.*)(.*)(.*)x", text), "no");
  assert_string_equal(match("(?:a?){1000}(?:a?){1000}b", text), "no");
  static char huge[100001];
  memset(huge, 'a', sizeof huge - 1);
  assert_string_equal(match("(?:a?){1000}(?:a?){1000}b", huge), "too long");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(matches_as_python_does), cmocka_unit_test(mistakes_are_named), cmocka_unit_test(nothing_explodes)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
