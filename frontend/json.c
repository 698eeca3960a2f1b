/* JSON by jansson, the only file that includes it.  Of the libraries in Debian 12 it is the one that keeps 64-bit
 * integers exact (cJSON has doubles only; yyjson is not there), refuses a key given twice, checks UTF-8 and keeps the
 * order of keys.  What it lacks is done here, in one scan before it sees the text: limits on depth and on the number of
 * values, NaN and Infinity as Python writes them, and integers that 64 bits cannot hold, which become floats. */
#include "frontend/json.h"

#include <jansson.h>

#include "frontend/text.h"

#define MAX_CONTAINERS ((size_t)1 << 20)
#define MAX_VALUES ((size_t)1 << 23)

/* Words that JSON lacks, as strings that nobody else writes. */
static const char nan_mark[] = "\"\\u0000tsrun NaN\"", inf_mark[] = "\"\\u0000tsrun inf\"", minus_inf_mark[] = "\"\\u0000tsrun -inf\"";

void tsr_json_init(tsr_json *j, tsr_errrec *e, const char *text, size_t len, const char *what) {
  memset(j, 0, sizeof *j);
  j->text = text;
  j->len = len;
  j->what = what;
  j->e = e;
}

void tsr_json_dispose(tsr_json *j) {
  if (j->root != NULL) json_decref(j->root);
  j->root = NULL;
}

/* Where the event is: "a.b" of the keys around it. */
tsr_status tsr_json_fail(tsr_json *j, const char *what) {
  tsr_buf path = {0};
  for (int i = 0; i < j->depth; i++) {
    const tsr_json_frame *f = &j->frames[i];
    if (f->is_list) tsr_buf_printf(&path, "[%zu]", f->at > 0 ? f->at - 1 : 0);
    else if (f->iter != NULL) tsr_buf_printf(&path, "%s%s", path.len > 0 ? "." : "", json_object_iter_key(f->iter));
  }
  tsr_status st = tsr_fail(j->e, TSR_EFORMAT, "%s: %s%s%s", j->what, path.len > 0 ? tsr_show(path.data, path.len).text : "", path.len > 0 ? ": " : "", what);
  tsr_buf_dispose(&path);
  return st;
}

static tsr_status fail_at(const tsr_json *j, size_t at, const char *what) { return tsr_fail(j->e, TSR_EFORMAT, "%s: offset %zu: %s", j->what, at, what); }

/* ---- the scan ---- */

typedef struct scan {
  tsr_json *j;
  tsr_buf copy;  /* the text as jansson takes it, up to done; empty while it is the same */
  size_t at, done;
  size_t containers, values;
  int depth;
} scan;

static bool is_word(const scan *s, const char *word) {
  size_t n = strlen(word);
  return s->j->len - s->at >= n && memcmp(s->j->text + s->at, word, n) == 0;
}

static void replace(scan *s, size_t len, const char *with) {
  tsr_buf_put(&s->copy, s->j->text + s->done, s->at - s->done);
  tsr_buf_puts(&s->copy, with);
  s->at += len;
  s->done = s->at;
}

static void skip_string(scan *s) {
  for (s->at++; s->at < s->j->len && s->j->text[s->at] != '"'; s->at++)
    if (s->j->text[s->at] == '\\') s->at++;
  s->at++;
}

/* An integer beyond 64 bits gets an exponent. */
static void scan_number(scan *s) {
  const char *t = s->j->text;
  bool minus = t[s->at] == '-', wide = false, real = false;
  int64_t value = 0;
  if (minus) s->at++;
  for (; s->at < s->j->len && t[s->at] >= '0' && t[s->at] <= '9'; s->at++) {
    int64_t d = t[s->at] - '0';
    wide = wide || tsr_mul_overflow(value, 10, &value) || tsr_add_overflow(value, minus ? -d : d, &value);
  }
  for (; s->at < s->j->len && t[s->at] != '\0' && strchr(".eE+-0123456789", t[s->at]) != NULL; s->at++) real = true;
  if (wide && !real) replace(s, 0, "e0");
}

static tsr_status scan_text(scan *s) {
  while (s->at < s->j->len) {
    char c = s->j->text[s->at];
    if (c == '[' || c == '{') {
      if (++s->depth > TSR_JSON_MAX_DEPTH) return tsr_fail(s->j->e, TSR_ELIMIT, "%s: offset %zu: nested deeper than %d", s->j->what, s->at, TSR_JSON_MAX_DEPTH);
      if (++s->containers > MAX_CONTAINERS) return tsr_fail(s->j->e, TSR_ELIMIT, "%s: more than %zu lists and objects", s->j->what, MAX_CONTAINERS);
    }
    if (c == ',' && ++s->values > MAX_VALUES) return tsr_fail(s->j->e, TSR_ELIMIT, "%s: more than %zu values", s->j->what, MAX_VALUES);
    s->depth -= (c == ']' || c == '}') && s->depth > 0;
    if (c == '"') skip_string(s);
    else if (is_word(s, "-Infinity")) replace(s, 9, minus_inf_mark);
    else if (is_word(s, "Infinity")) replace(s, 8, inf_mark);
    else if (is_word(s, "NaN")) replace(s, 3, nan_mark);
    else if (c == '-' || (c >= '0' && c <= '9')) scan_number(s);
    else s->at++;
  }
  return TSR_OK;
}

/* ---- parsing ---- */

static tsr_status fail_parse(const tsr_json *j, const json_error_t *why) {
  if (json_error_code(why) == json_error_out_of_memory) return tsr_fail_nomem(j->e);
  enum json_error_code code = json_error_code(why);
  const char *text = code == json_error_duplicate_key            ? "a key twice"
                     : code == json_error_premature_end_of_input ? "the text ends too early"
                     : code == json_error_end_of_input_expected  ? "text after the end"
                                                                 : why->text;
  return fail_at(j, why->position > 0 ? (size_t)why->position : 0, tsr_show(text, strlen(text)).text);
}

static tsr_status parse(tsr_json *j) {
  scan s = {.j = j};
  json_error_t why;
  tsr_status st = scan_text(&s);
  bool copied = s.copy.len > 0;
  if (st == TSR_OK && copied) tsr_buf_put(&s.copy, j->text + s.done, j->len - TSR_MIN(s.done, j->len));
  if (st == TSR_OK && s.copy.oom) st = tsr_fail_nomem(j->e);
  if (st == TSR_OK) {
    j->root = json_loadb(copied ? s.copy.data : j->text, copied ? s.copy.len : j->len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &why);
    if (j->root == NULL) st = fail_parse(j, &why);
  }
  tsr_buf_dispose(&s.copy);
  return st;
}

/* ---- events ---- */

static bool mark_value(const char *s, size_t len, double *out) {
  static const char head[] = "\0tsrun ";
  size_t n = sizeof head - 1;
  if (len < n || memcmp(s, head, n) != 0) return false;
  *out = s[n] == 'N' ? __builtin_nan("") : s[n] == '-' ? -__builtin_inf() : __builtin_inf();
  return true;
}

static void emit_string(tsr_json *j, const char *s, size_t len) {
  j->kind = TSR_JSON_STR;
  j->str = s;
  j->str_len = len;
  if (mark_value(s, len, &j->d)) j->kind = TSR_JSON_FLOAT;
}

static void emit(tsr_json *j, json_t *v) {
  switch (json_typeof(v)) {
  case JSON_OBJECT:
  case JSON_ARRAY:
    j->kind = json_is_array(v) ? TSR_JSON_OPEN_LIST : TSR_JSON_OPEN_DICT;
    j->frames[j->depth++] = (tsr_json_frame){.value = v, .is_list = json_is_array(v)}; /* the scan has bounded the depth */
    return;
  case JSON_STRING: emit_string(j, json_string_value(v), json_string_length(v)); return;
  case JSON_INTEGER:
    j->kind = TSR_JSON_INT;
    j->i = json_integer_value(v);
    return;
  case JSON_REAL:
    j->kind = TSR_JSON_FLOAT;
    j->d = json_real_value(v);
    return;
  case JSON_NULL: j->kind = TSR_JSON_NULL; return;
  default:
    j->kind = TSR_JSON_BOOL;
    j->b = json_is_true(v);
    return;
  }
}

static void close_frame(tsr_json *j) { j->kind = j->frames[--j->depth].is_list ? TSR_JSON_CLOSE_LIST : TSR_JSON_CLOSE_DICT; }

static void next_of_dict(tsr_json *j, tsr_json_frame *f) {
  if (f->in_pair) {
    f->in_pair = false;
    emit(j, json_object_iter_value(f->iter));
    return;
  }
  f->iter = f->at++ == 0 ? json_object_iter(f->value) : json_object_iter_next(f->value, f->iter);
  if (f->iter == NULL) {
    close_frame(j);
    return;
  }
  f->in_pair = true;
  j->kind = TSR_JSON_KEY;
  j->str = json_object_iter_key(f->iter);
  j->str_len = json_object_iter_key_len(f->iter);
}

tsr_status tsr_json_next(tsr_json *j) {
  if (j->root == NULL) {
    TSR_TRY(parse(j));
    emit(j, j->root);
    return TSR_OK;
  }
  if (j->depth == 0) {
    j->kind = TSR_JSON_END;
    return TSR_OK;
  }
  tsr_json_frame *f = &j->frames[j->depth - 1];
  if (!f->is_list) next_of_dict(j, f);
  else if (f->at == json_array_size(f->value)) close_frame(j);
  else emit(j, json_array_get(f->value, f->at++));
  return TSR_OK;
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
