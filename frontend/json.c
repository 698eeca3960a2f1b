/* A JSON reader of its own, about 200 lines: a library would bring a second tree of values, and what is
 * needed here is events with exact 64-bit integers, byte offsets in messages, a depth limit, and no
 * locale.  RFC 8259, plus NaN, Infinity and -Infinity as Python writes them. */
#include "frontend/json.h"

#include "frontend/text.h"

/* What may come next. */
enum { VALUE, VALUE_OR_CLOSE, KEY, KEY_OR_CLOSE, COMMA_OR_CLOSE, NOTHING };

void tsr_json_init(tsr_json *j, tsr_errrec *e, const char *text, size_t len, const char *what) {
  memset(j, 0, sizeof *j);
  j->text = text;
  j->len = len;
  j->what = what;
  j->e = e;
  j->expect = VALUE;
}

void tsr_json_dispose(tsr_json *j) { tsr_buf_dispose(&j->scratch); }

tsr_status tsr_json_fail(tsr_json *j, const char *what) {
  return tsr_fail(j->e, TSR_EFORMAT, "%s: offset %zu: %s", j->what, j->token, what);
}

static int peek(const tsr_json *j) { return j->at < j->len ? (unsigned char)j->text[j->at] : -1; }

static void skip_space(tsr_json *j) {
  while (j->at < j->len && strchr(" \t\r\n", j->text[j->at]) != NULL && j->text[j->at] != '\0') j->at++;
}

static bool take_hex4(tsr_json *j, uint32_t *out) {
  *out = 0;
  for (int i = 0; i < 4; i++, j->at++) {
    int c = peek(j);
    int d = c >= '0' && c <= '9'   ? c - '0'
            : c >= 'a' && c <= 'f' ? c - 'a' + 10
            : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                   : -1;
    if (d < 0) return false;
    *out = *out << 4 | (uint32_t)d;
  }
  return true;
}

static tsr_status take_escape(tsr_json *j) {
  static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
  int c = peek(j);
  const char *known = c > 0 ? strchr(from, c) : NULL;
  j->at++;
  if (known != NULL) {
    tsr_buf_putc(&j->scratch, to[known - from]);
    return TSR_OK;
  }
  uint32_t code, low;
  if (c != 'u' || !take_hex4(j, &code)) return tsr_json_fail(j, "wrong escape in a string");
  if (code >= 0xd800 && code < 0xdc00) {
    if (peek(j) != '\\' || j->at + 1 >= j->len || j->text[j->at + 1] != 'u')
      return tsr_json_fail(j, "half a surrogate pair in a string");
    j->at += 2;
    if (!take_hex4(j, &low) || low < 0xdc00 || low > 0xdfff)
      return tsr_json_fail(j, "half a surrogate pair in a string");
    code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
  } else if (code >= 0xdc00 && code < 0xe000) {
    return tsr_json_fail(j, "half a surrogate pair in a string");
  }
  tsr_buf_put_utf8(&j->scratch, code);
  return TSR_OK;
}

/* After the opening quote. */
static tsr_status take_string(tsr_json *j) {
  j->scratch.len = 0;
  for (;;) {
    int c = peek(j);
    if (c < 0) return tsr_json_fail(j, "a string has no end");
    if (c < 0x20) return tsr_json_fail(j, "control character in a string");
    if (c == '"') break;
    if (c == '\\') {
      j->at++;
      TSR_TRY(take_escape(j));
      continue;
    }
    size_t n = tsr_utf8_length(j->text + j->at, j->len - j->at);
    if (n == 0) return tsr_json_fail(j, "a string is not UTF-8");
    tsr_buf_put(&j->scratch, j->text + j->at, n);
    j->at += n;
  }
  j->at++;
  if (j->scratch.oom) return tsr_fail_nomem(j->e);
  j->str = j->scratch.len > 0 ? j->scratch.data : "";
  j->str_len = j->scratch.len;
  return TSR_OK;
}

static bool take_word(tsr_json *j, const char *word) {
  size_t n = strlen(word);
  if (j->len - j->at < n || memcmp(j->text + j->at, word, n) != 0) return false;
  j->at += n;
  return true;
}

static size_t digits(tsr_json *j) {
  size_t from = j->at;
  while (peek(j) >= '0' && peek(j) <= '9') j->at++;
  return j->at - from;
}

static tsr_status take_number(tsr_json *j) {
  size_t from = j->at;
  bool minus = peek(j) == '-', real = false, wide = false;
  if (minus) j->at++;
  if (minus && take_word(j, "Infinity")) {
    j->kind = TSR_JSON_FLOAT;
    j->d = -__builtin_inf();
    return TSR_OK;
  }
  bool zero = peek(j) == '0';
  size_t first = j->at, n = digits(j);
  if (n == 0 || (zero && n > 1)) return tsr_json_fail(j, "wrong number");
  j->i = 0;
  for (size_t k = first; k < first + n; k++) {
    int64_t d = j->text[k] - '0';
    wide = wide || tsr_mul_overflow(j->i, 10, &j->i) || tsr_add_overflow(j->i, minus ? -d : d, &j->i);
  }
  if (peek(j) == '.') {
    real = true;
    j->at++;
    if (digits(j) == 0) return tsr_json_fail(j, "wrong number");
  }
  if (peek(j) == 'e' || peek(j) == 'E') {
    real = true;
    j->at++;
    if (peek(j) == '+' || peek(j) == '-') j->at++;
    if (digits(j) == 0) return tsr_json_fail(j, "wrong number");
  }
  j->kind = real || wide ? TSR_JSON_FLOAT : TSR_JSON_INT;
  if (j->kind == TSR_JSON_FLOAT && !tsr_text_to_double(j->text + from, j->at - from, &j->d))
    return tsr_json_fail(j, "wrong number");
  return TSR_OK;
}

static tsr_status take_scalar(tsr_json *j) {
  static const struct {
    const char *word;
    tsr_json_kind kind;
    bool b;
    double d;
  } words[] = {{"null", TSR_JSON_NULL, false, 0},
               {"true", TSR_JSON_BOOL, true, 0},
               {"false", TSR_JSON_BOOL, false, 0},
               {"NaN", TSR_JSON_FLOAT, false, __builtin_nan("")},
               {"Infinity", TSR_JSON_FLOAT, false, __builtin_inf()}};
  int c = peek(j);
  if (c == '"') {
    j->at++;
    j->kind = TSR_JSON_STR;
    return take_string(j);
  }
  if (c == '-' || (c >= '0' && c <= '9')) return take_number(j);
  for (size_t i = 0; i < TSR_COUNT(words); i++)
    if (take_word(j, words[i].word)) {
      j->kind = words[i].kind;
      j->b = words[i].b;
      j->d = words[i].d;
      return TSR_OK;
    }
  return tsr_json_fail(j, c < 0 ? "the text ends too early" : "a value is expected");
}

static tsr_status open_nest(tsr_json *j, char c) {
  if (j->depth == TSR_JSON_MAX_DEPTH)
    return tsr_fail(j->e, TSR_ELIMIT, "%s: offset %zu: nested deeper than %d", j->what, j->token, TSR_JSON_MAX_DEPTH);
  j->open[j->depth++] = c;
  j->at++;
  j->kind = c == '[' ? TSR_JSON_OPEN_LIST : TSR_JSON_OPEN_DICT;
  j->expect = c == '[' ? VALUE_OR_CLOSE : KEY_OR_CLOSE;
  return TSR_OK;
}

static void after_value(tsr_json *j) { j->expect = j->depth == 0 ? NOTHING : COMMA_OR_CLOSE; }

static tsr_status close_nest(tsr_json *j) {
  bool list = j->open[--j->depth] == '[';
  j->at++;
  j->kind = list ? TSR_JSON_CLOSE_LIST : TSR_JSON_CLOSE_DICT;
  after_value(j);
  return TSR_OK;
}

static tsr_status take_value(tsr_json *j) {
  int c = peek(j);
  if (c == '[' || c == '{') return open_nest(j, (char)c);
  TSR_TRY(take_scalar(j));
  after_value(j);
  return TSR_OK;
}

static tsr_status take_key(tsr_json *j) {
  if (peek(j) != '"') return tsr_json_fail(j, "a key is expected");
  j->at++;
  TSR_TRY(take_string(j));
  skip_space(j);
  if (peek(j) != ':') return tsr_json_fail(j, "no : after a key");
  j->at++;
  j->kind = TSR_JSON_KEY;
  j->expect = VALUE;
  return TSR_OK;
}

tsr_status tsr_json_next(tsr_json *j) {
  skip_space(j);
  j->token = j->at;
  int c = peek(j), close = j->depth > 0 ? (j->open[j->depth - 1] == '[' ? ']' : '}') : -2;
  if (j->expect == NOTHING) {
    j->kind = TSR_JSON_END;
    return c < 0 ? TSR_OK : tsr_json_fail(j, "text after the end");
  }
  if (c == close && (j->expect == VALUE_OR_CLOSE || j->expect == KEY_OR_CLOSE || j->expect == COMMA_OR_CLOSE))
    return close_nest(j);
  if (j->expect == COMMA_OR_CLOSE) {
    if (c != ',') return tsr_json_fail(j, c < 0 ? "the text ends too early" : "a comma is expected");
    j->at++;
    skip_space(j);
    j->token = j->at;
    j->expect = close == ']' ? VALUE : KEY;
  }
  return j->expect == KEY || j->expect == KEY_OR_CLOSE ? take_key(j) : take_value(j);
}

tsr_status tsr_json_skip(tsr_json *j) {
  if (j->kind != TSR_JSON_OPEN_LIST && j->kind != TSR_JSON_OPEN_DICT) return TSR_OK;
  int depth = j->depth;
  while (j->depth >= depth) TSR_TRY(tsr_json_next(j));
  return TSR_OK;
}

void tsr_json_put_str(tsr_buf *b, const char *s, size_t len) {
  tsr_buf_putc(b, '"');
  for (size_t i = 0; i < len;) {
    size_t n = tsr_utf8_length(s + i, len - i);
    unsigned char c = (unsigned char)s[i];
    if (n == 0)
      tsr_buf_puts(b, "\xef\xbf\xbd");
    else if (n > 1 || (c >= 0x20 && c != '"' && c != '\\'))
      tsr_buf_put(b, s + i, n);
    else if (c == '"' || c == '\\')
      tsr_buf_printf(b, "\\%c", c);
    else if (c == '\n')
      tsr_buf_puts(b, "\\n");
    else if (c == '\t')
      tsr_buf_puts(b, "\\t");
    else
      tsr_buf_printf(b, "\\u%04x", c);
    i += n == 0 ? 1 : n;
  }
  tsr_buf_putc(b, '"');
}
