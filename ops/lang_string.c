/* Strings of the language.  A string is bytes: len, indexing and the is* tests never decode UTF-8. */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "ops/op.h"

typedef struct text { const char *p; int64_t n; } text;

static text text_arg(const tsr_call *c, uint32_t i) { return (text){c->args[i].s->bytes, (int64_t)c->args[i].s->len}; }
static tsr_status ret_text(tsr_call *c, text t) { return tsr_ret_str(c, t.p, (size_t)t.n); }

static tsr_status ret_buf(tsr_call *c, tsr_buf *b) {
  tsr_str *s = tsr_str_take_buf(c->ctx->mem, b);
  if (s == NULL) return tsr_ctx_nomem(c->ctx);
  c->rets[0] = tsr_from_obj(s);
  return TSR_OK;
}

static bool equal_at(text s, int64_t at, text sub) { return at >= 0 && at + sub.n <= s.n && memcmp(s.p + at, sub.p, (size_t)sub.n) == 0; }

/* First occurrence at or after from, or -1. */
static int64_t find_from(text s, text sub, int64_t from) {
  if (from < 0 || from > s.n) return -1;
  const char *hit = sub.n == 0 ? s.p + from : memmem(s.p + from, (size_t)(s.n - from), sub.p, (size_t)sub.n);
  return hit == NULL ? -1 : hit - s.p;
}

/* start and end of the search methods: end = -1 means the end itself, other negatives count from it. */
static void bounds(const tsr_call *c, int64_t n, int64_t *start, int64_t *end) {
  *start = tsr_arg_int(c, 2);
  *end = tsr_arg_int(c, 3);
  if (*start < 0) *start = TSR_MAX(n + *start, (int64_t)0);
  if (*end < 0) *end = TSR_MAX(n + *end + 1, (int64_t)0);
}

/* std::string's own words, which reach the user. */
static tsr_status beyond(tsr_call *c, int64_t at, int64_t n) {
  return tsr_op_fail(c->ctx, "basic_string::substr: __pos (which is %llu) > this->size() (which is %lld)", (unsigned long long)at, (long long)n);
}

/* Where the substring is, or -1.  Of an empty range that lies outside of the string nothing is said, as in PyTorch. */
static tsr_status search(tsr_call *c, bool from_right, int64_t *hit) {
  text s = text_arg(c, 0), sub = text_arg(c, 1);
  int64_t start, end;
  bounds(c, s.n, &start, &end);
  if (end > start && start > s.n) return beyond(c, start, s.n);
  text part = end > start ? (text){s.p + start, TSR_MIN(end, s.n) - start} : (text){s.p, 0};
  *hit = -1;
  if (!from_right) *hit = find_from(part, sub, 0);
  for (int64_t at = part.n - sub.n; from_right && at >= 0 && *hit < 0; at--) {
    if (equal_at(part, at, sub)) *hit = at;
  }
  if (*hit >= 0) *hit += start;
  return TSR_OK;
}

static tsr_status found(tsr_call *c, bool from_right, bool must) {
  int64_t at = -1;
  TSR_TRY(search(c, from_right, &at));
  return at < 0 && must ? tsr_op_fail(c->ctx, "ValueError: substring not found") : tsr_ret_int(c, at);
}
TSR_KERNEL(find) { return found(c, false, false); }
TSR_KERNEL(rfind) { return found(c, true, false); }
TSR_KERNEL(index) { return found(c, false, true); }
TSR_KERNEL(rindex) { return found(c, true, true); }

TSR_KERNEL(count) {
  text s = text_arg(c, 0), sub = text_arg(c, 1);
  int64_t start, end, n = 0;
  bounds(c, s.n, &start, &end);
  if (start > s.n) return tsr_ret_int(c, 0);
  end = TSR_MIN(end, s.n);
  if (sub.n == 0) return tsr_ret_int(c, TSR_MAX(end - start + 1, (int64_t)0)); /* as Python counts */
  for (int64_t at = find_from(s, sub, start); at >= 0 && at < end; at = find_from(s, sub, at + sub.n)) n++;
  return tsr_ret_int(c, n);
}

/* What startswith and endswith look at; an end before the start is none, as in PyTorch. */
static tsr_status window(tsr_call *c, text *part) {
  text s = text_arg(c, 0);
  int64_t start, end;
  bounds(c, s.n, &start, &end);
  if (start > s.n) return beyond(c, start, s.n);
  *part = (text){s.p + start, (end < start ? s.n : TSR_MIN(end, s.n)) - start};
  return TSR_OK;
}
TSR_KERNEL(startswith) {
  text w;
  TSR_TRY(window(c, &w));
  return tsr_ret_bool(c, equal_at(w, 0, text_arg(c, 1)));
}
TSR_KERNEL(endswith) {
  text w, sub = text_arg(c, 1);
  TSR_TRY(window(c, &w));
  return tsr_ret_bool(c, equal_at(w, w.n - sub.n, sub));
}

/* ---- tests: all bytes of a kind, and not empty ---- */

typedef struct char_test { int (*is)(int ch); bool empty; } char_test;
static int is_space(int ch) { return ch == ' ' || (ch >= '\t' && ch <= '\r'); }
static int is_printable(int ch) { return ch >= 32 && ch < 127; }
static int is_alpha(int ch) { return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z'); }
static int is_digit(int ch) { return ch >= '0' && ch <= '9'; }
static int is_alnum(int ch) { return is_alpha(ch) || is_digit(ch); }
static int is_up(int ch) { return ch >= 'A' && ch <= 'Z'; }
static int is_low(int ch) { return ch >= 'a' && ch <= 'z'; }
static int to_up(int ch) { return is_low(ch) ? ch - 32 : ch; }
static int to_low(int ch) { return is_up(ch) ? ch + 32 : ch; }
static const char_test t_space = {is_space, false}, t_printable = {is_printable, true}, t_alpha = {is_alpha, false},
                       t_digit = {is_digit, false}, t_alnum = {is_alnum, false};

TSR_KERNEL(is_all) {
  const char_test *test = c->op->data;
  text s = text_arg(c, 0);
  for (int64_t i = 0; i < s.n; i++) {
    if (!test->is((unsigned char)s.p[i])) return tsr_ret_bool(c, false);
  }
  return tsr_ret_bool(c, s.n > 0 || test->empty);
}

static bool one_case(text s, int (*wanted)(int), int (*unwanted)(int)) {
  bool found = false;
  for (int64_t i = 0; i < s.n; i++) {
    if (unwanted((unsigned char)s.p[i])) return false;
    found |= wanted((unsigned char)s.p[i]) != 0;
  }
  return found;
}
TSR_KERNEL(islower) { return tsr_ret_bool(c, one_case(text_arg(c, 0), is_low, is_up)); }
TSR_KERNEL(isupper) { return tsr_ret_bool(c, one_case(text_arg(c, 0), is_up, is_low)); }

TSR_KERNEL(istitle) {
  text s = text_arg(c, 0);
  bool found = false, in_word = false;
  for (int64_t i = 0; i < s.n; i++) {
    int ch = (unsigned char)s.p[i];
    if (in_word ? is_up(ch) : is_low(ch)) return tsr_ret_bool(c, false);
    in_word = is_alpha(ch) != 0;
    found |= in_word;
  }
  return tsr_ret_bool(c, found);
}

TSR_KERNEL(isidentifier) {
  text s = text_arg(c, 0);
  if (s.n == 0 || is_digit((unsigned char)s.p[0])) return tsr_ret_bool(c, false);
  for (int64_t i = 0; i < s.n; i++) {
    if (!is_alnum((unsigned char)s.p[i]) && s.p[i] != '_') return tsr_ret_bool(c, false);
  }
  return tsr_ret_bool(c, true);
}

/* ---- case: each byte by its neighbour ---- */

typedef enum case_kind { LOWER, UPPER, SWAP, CAPITAL, TITLE } case_kind;
static const case_kind k_lower = LOWER, k_upper = UPPER, k_swap = SWAP, k_capital = CAPITAL, k_title = TITLE;

TSR_KERNEL(recase) {
  case_kind kind = *(const case_kind *)c->op->data;
  text s = text_arg(c, 0);
  tsr_str *r = tsr_str_new(c->ctx->mem, NULL, (size_t)s.n);
  if (r == NULL) return tsr_ctx_nomem(c->ctx);
  bool after_alpha = false;
  for (int64_t i = 0; i < s.n; i++) {
    int ch = (unsigned char)s.p[i];
    bool up = kind == UPPER || (kind == SWAP && is_low(ch)) || (kind == CAPITAL && i == 0) || (kind == TITLE && !after_alpha);
    r->bytes[i] = (char)(up ? to_up(ch) : to_low(ch));
    after_alpha = is_alpha(ch) != 0;
  }
  c->rets[0] = tsr_from_obj(r);
  return TSR_OK;
}

/* ---- padding ---- */

static tsr_status pad(tsr_call *c, text s, int64_t left, int64_t right, char fill) {
  left = TSR_MAX(left, (int64_t)0);
  right = TSR_MAX(right, (int64_t)0);
  if (left > (int64_t)1 << 40 || right > (int64_t)1 << 40) return tsr_ctx_nomem(c->ctx);
  tsr_str *r = tsr_str_new(c->ctx->mem, NULL, (size_t)(left + s.n + right));
  if (r == NULL) return tsr_ctx_nomem(c->ctx);
  memset(r->bytes, fill, (size_t)left);
  memcpy(r->bytes + left, s.p, (size_t)s.n);
  memset(r->bytes + left + s.n, fill, (size_t)right);
  c->rets[0] = tsr_from_obj(r);
  return TSR_OK;
}

typedef enum side { LEFT, RIGHT, BOTH } side;
static const side to_left = LEFT, to_right = RIGHT, to_center = BOTH;
TSR_KERNEL(justify) {
  text s = text_arg(c, 0), fill = text_arg(c, 2);
  int64_t extra = TSR_MAX(tsr_arg_int(c, 1) - s.n, (int64_t)0);
  if (fill.n != 1) return tsr_op_fail(c->ctx, "TypeError: The fill character must be exactly one character long");
  switch (*(const side *)c->op->data) {
    case LEFT: return pad(c, s, 0, extra, fill.p[0]);
    case RIGHT: return pad(c, s, extra, 0, fill.p[0]);
    default: {
      int64_t left = tsr_arg_int(c, 1) % 2 != 0 ? (extra + 1) / 2 : extra / 2;
      return pad(c, s, left, extra - left, fill.p[0]);
    }
  }
}
TSR_KERNEL(zfill) {
  text s = text_arg(c, 0);
  return pad(c, s, tsr_arg_int(c, 1) - s.n, 0, '0');
}

TSR_KERNEL(expandtabs) {
  text s = text_arg(c, 0);
  int64_t tab = tsr_arg_int(c, 1), column = 0;
  if (tab > 1 << 20) return tsr_op_fail(c->ctx, "expandtabs(): tabsize %lld is too large", (long long)tab);
  tsr_buf b = {0};
  for (int64_t i = 0; i < s.n; i++) {
    if (s.p[i] != '\t') {
      tsr_buf_putc(&b, s.p[i]);
      column = s.p[i] == '\n' || s.p[i] == '\r' ? 0 : column + 1;
    } else if (tab > 0) {
      do tsr_buf_putc(&b, ' ');
      while (++column % tab != 0);
    }
  }
  return ret_buf(c, &b);
}

/* ---- stripping and splitting ---- */

static text strip(text s, text chars, bool left, bool right) {
  while (left && s.n > 0 && memchr(chars.p, s.p[0], (size_t)chars.n) != NULL) s.p++, s.n--;
  while (right && s.n > 0 && memchr(chars.p, s.p[s.n - 1], (size_t)chars.n) != NULL) s.n--;
  return s;
}
TSR_KERNEL(strip) { return ret_text(c, strip(text_arg(c, 0), text_arg(c, 1), true, true)); }
TSR_KERNEL(lstrip) { return ret_text(c, strip(text_arg(c, 0), text_arg(c, 1), true, false)); }
TSR_KERNEL(rstrip) { return ret_text(c, strip(text_arg(c, 0), text_arg(c, 1), false, true)); }

static tsr_status push(tsr_call *c, tsr_list *l, const char *p, int64_t n) {
  tsr_str *s = tsr_str_new(c->ctx->mem, p, (size_t)n);
  return s != NULL && tsr_list_push_take(l, tsr_from_obj(s)) ? TSR_OK : tsr_ctx_nomem(c->ctx);
}

static tsr_status new_list(tsr_call *c, tsr_list **out) {
  *out = tsr_list_new(c->ctx->mem, &tsr_type_str, 4);
  return *out == NULL ? tsr_ctx_nomem(c->ctx) : tsr_temp(c->ctx, tsr_from_obj(*out));
}

static tsr_status split_space(tsr_call *c, text s, int64_t max, tsr_list *l) {
  int64_t i = 0;
  while (i < s.n && is_space((unsigned char)s.p[i])) i++;
  while (i < s.n) {
    int64_t start = i;
    if (max >= 0 && (int64_t)l->len == max) return push(c, l, s.p + start, s.n - start);
    while (i < s.n && !is_space((unsigned char)s.p[i])) i++;
    TSR_TRY(push(c, l, s.p + start, i - start));
    while (i < s.n && is_space((unsigned char)s.p[i])) i++;
  }
  return TSR_OK;
}

TSR_KERNEL(split) {
  text s = text_arg(c, 0);
  int64_t max = tsr_arg_int(c, 2), from = 0;
  tsr_list *l;
  TSR_TRY(new_list(c, &l));
  if (tsr_arg_is_none(c, 1)) {
    TSR_TRY(split_space(c, s, max, l));
    return tsr_ret(c, 0, tsr_from_obj(l));
  }
  text sep = text_arg(c, 1);
  if (sep.n == 0) return tsr_op_fail(c->ctx, "ValueError: empty separator");
  for (int64_t at; (max < 0 || (int64_t)l->len < max) && (at = find_from(s, sep, from)) >= 0; from = at + sep.n) {
    TSR_TRY(push(c, l, s.p + from, at - from));
  }
  TSR_TRY(push(c, l, s.p + from, s.n - from));
  return tsr_ret(c, 0, tsr_from_obj(l));
}

TSR_KERNEL(rsplit) {
  text s = text_arg(c, 0), sep = text_arg(c, 1);
  int64_t max = tsr_arg_int(c, 2), end = s.n;
  tsr_list *l;
  if (sep.n == 0 && max < 0) return tsr_op_fail(c->ctx, "ValueError: empty separator");
  TSR_TRY(new_list(c, &l));
  for (int64_t i = 0; sep.n == 0 && i < max; i++) TSR_TRY(push(c, l, "", 0)); /* found everywhere, and never passed */
  for (int64_t at = sep.n == 0 ? -1 : end - sep.n; at >= 0 && (max < 0 || (int64_t)l->len < max); at--) {
    if (!equal_at(s, at, sep)) continue;
    TSR_TRY(push(c, l, s.p + at + sep.n, end - at - sep.n));
    end = at;
    at -= sep.n - 1;
  }
  TSR_TRY(push(c, l, s.p, end));
  for (size_t i = 0; i < l->len / 2; i++) {
    tsr_val v = l->items[i];
    l->items[i] = l->items[l->len - 1 - i];
    l->items[l->len - 1 - i] = v;
  }
  return tsr_ret(c, 0, tsr_from_obj(l));
}

/* Line ends are single bytes here: "\r\n" ends two lines, and the bytes of U+2028 and U+2029 count too. */
TSR_KERNEL(splitlines) {
  static const char ends[] = "\n\r\v\f\x1c\x1d\x1e\x85\xe2\x80\xa8\xa9";
  text s = text_arg(c, 0);
  bool keep = tsr_arg_bool(c, 1);
  int64_t from = 0;
  tsr_list *l;
  TSR_TRY(new_list(c, &l));
  for (int64_t i = 0; i < s.n; i++) {
    if (memchr(ends, s.p[i], sizeof ends - 1) == NULL) continue;
    TSR_TRY(push(c, l, s.p + from, i - from));
    if (keep) TSR_TRY(push(c, l, s.p + i, 1)); /* an item of its own, in PyTorch */
    from = i + 1;
  }
  if (from != s.n) TSR_TRY(push(c, l, s.p + from, s.n - from));
  return tsr_ret(c, 0, tsr_from_obj(l));
}

static tsr_status ret_three(tsr_call *c, text a, text b, text d) {
  text parts[] = {a, b, d};
  for (uint32_t i = 0; i < 3; i++) {
    tsr_str *s = tsr_str_new(c->ctx->mem, parts[i].p, (size_t)parts[i].n);
    if (s == NULL) return tsr_ctx_nomem(c->ctx);
    c->rets[i] = tsr_from_obj(s);
  }
  return TSR_OK;
}

static tsr_status cut(tsr_call *c, int64_t at, bool missing_first) {
  text s = text_arg(c, 0), sep = text_arg(c, 1), none = {"", 0};
  if (at < 0) return missing_first ? ret_three(c, s, none, none) : ret_three(c, none, none, s);
  return ret_three(c, (text){s.p, at}, sep, (text){s.p + at + sep.n, s.n - at - sep.n});
}
TSR_KERNEL(partition) { return cut(c, find_from(text_arg(c, 0), text_arg(c, 1), 0), true); }
TSR_KERNEL(rpartition) {
  text s = text_arg(c, 0), sep = text_arg(c, 1);
  int64_t at = s.n - sep.n;
  while (at >= 0 && !equal_at(s, at, sep)) at--;
  return cut(c, at, false);
}

TSR_KERNEL(replace) {
  text s = text_arg(c, 0), old = text_arg(c, 1), with = text_arg(c, 2);
  int64_t max = tsr_arg_int(c, 3), from = 0, done = 0;
  tsr_buf b = {0};
  if (old.n == 0) { /* between all bytes, as Python does */
    for (int64_t i = 0; i <= s.n; i++) {
      if (max < 0 || done++ < max) tsr_buf_put(&b, with.p, (size_t)with.n);
      if (i < s.n) tsr_buf_putc(&b, s.p[i]);
    }
    return ret_buf(c, &b);
  }
  for (int64_t at; (max < 0 || done < max) && (at = find_from(s, old, from)) >= 0; from = at + old.n, done++) {
    tsr_buf_put(&b, s.p + from, (size_t)(at - from));
    tsr_buf_put(&b, with.p, (size_t)with.n);
  }
  tsr_buf_put(&b, s.p + from, (size_t)(s.n - from));
  return ret_buf(c, &b);
}

TSR_KERNEL(join) {
  text sep = text_arg(c, 0);
  tsr_list *l = tsr_arg_list(c, 1);
  tsr_buf b = {0};
  for (size_t i = 0; i < l->len; i++) {
    if (i > 0) tsr_buf_put(&b, sep.p, (size_t)sep.n);
    tsr_buf_put(&b, l->items[i].s->bytes, l->items[i].s->len);
  }
  return ret_buf(c, &b);
}

TSR_KERNEL(add) {
  text a = text_arg(c, 0), b = text_arg(c, 1);
  tsr_str *r = tsr_str_new(c->ctx->mem, NULL, (size_t)(a.n + b.n));
  if (r == NULL) return tsr_ctx_nomem(c->ctx);
  memcpy(r->bytes, a.p, (size_t)a.n);
  memcpy(r->bytes + a.n, b.p, (size_t)b.n);
  c->rets[0] = tsr_from_obj(r);
  return TSR_OK;
}

TSR_KERNEL(len) { return tsr_ret_int(c, text_arg(c, 0).n); }
TSR_KERNEL(getitem) {
  text s = text_arg(c, 0);
  int64_t i = tsr_arg_int(c, 1);
  if (i < 0) i += s.n;
  if (i >= 0 && i < s.n) return tsr_ret_str(c, s.p + i, 1);
  return tsr_op_fail(c->ctx, "string index out of range: basic_string::at: __n (which is %llu) >= this->size() (which is %lld)", (unsigned long long)i, (long long)s.n);
}

static int order(const tsr_call *c) {
  text a = text_arg(c, 0), b = text_arg(c, 1);
  int k = memcmp(a.p, b.p, (size_t)TSR_MIN(a.n, b.n));
  return k != 0 ? k : (a.n > b.n) - (a.n < b.n);
}
TSR_KERNEL(eq) { return tsr_ret_bool(c, order(c) == 0); }
TSR_KERNEL(ne) { return tsr_ret_bool(c, order(c) != 0); }
TSR_KERNEL(lt) { return tsr_ret_bool(c, order(c) < 0); }
TSR_KERNEL(le) { return tsr_ret_bool(c, order(c) <= 0); }
TSR_KERNEL(gt) { return tsr_ret_bool(c, order(c) > 0); }
TSR_KERNEL(ge) { return tsr_ret_bool(c, order(c) >= 0); }

/* ---- numbers and text ---- */

TSR_KERNEL(ord) {
  text s = text_arg(c, 0);
  if (s.n != 1) return tsr_op_fail(c->ctx, "String for ord() must be 1 character, found %lld", (long long)s.n);
  return tsr_ret_int(c, (unsigned char)s.p[0]);
}
TSR_KERNEL(chr) {
  int64_t i = tsr_arg_int(c, 0);
  char ch = (char)(i & 255); /* strings are bytes: of a larger code PyTorch keeps the low one */
  return i < 0 || i >= 0x10ffff ? tsr_op_fail(c->ctx, "chr() arg not in range(0x110000), found %lld", (long long)i) : tsr_ret_str(c, &ch, 1);
}

static tsr_status radix(tsr_call *c, int shift, char letter) {
  char digits[80], *p = digits + sizeof digits;
  int64_t i = tsr_arg_int(c, 0);
  uint64_t u = i < 0 ? 0 - (uint64_t)i : (uint64_t)i;
  do *--p = "0123456789abcdef"[u & ((1u << shift) - 1)];
  while ((u >>= shift) != 0);
  *--p = letter;
  *--p = '0';
  if (i < 0) *--p = '-';
  return tsr_ret_str(c, p, (size_t)(digits + sizeof digits - p));
}
TSR_KERNEL(bin) { return radix(c, 1, 'b'); }
TSR_KERNEL(oct) { return radix(c, 3, 'o'); }
TSR_KERNEL(hex) { return radix(c, 4, 'x'); }

/* As std::stoll: blanks in front, a sign, digits.  "stoll" is what PyTorch says when there is no number, or one too large. */
TSR_KERNEL(to_int) {
  text s = text_arg(c, 0);
  int64_t i = 0, k = 0;
  while (k < s.n && is_space((unsigned char)s.p[k])) k++;
  bool minus = k < s.n && s.p[k] == '-';
  k += k < s.n && (s.p[k] == '-' || s.p[k] == '+');
  bool any = k < s.n && is_digit((unsigned char)s.p[k]);
  for (; any && k < s.n && is_digit((unsigned char)s.p[k]); k++) {
    if (tsr_mul_overflow(i, 10, &i) || tsr_add_overflow(i, minus ? '0' - s.p[k] : s.p[k] - '0', &i)) any = false;
  }
  if (any && k == s.n) return tsr_ret_int(c, i);
  return tsr_op_fail(c->ctx, "%sinvalid literal for int() with base 10: '%s'", any ? "" : "stoll: ", s.p);
}

/* As std::stod, which takes numbers outside of a float's range for errors. */
TSR_KERNEL(to_float) {
  text s = text_arg(c, 0);
  char *end = NULL;
  char point = '.';
  char probe[8];
  snprintf(probe, sizeof probe, "%.1f", 0.5); /* the process locale decides what strtod reads as the point */
  point = probe[1];
  char *copy = tsr_scratch(c->ctx, (size_t)s.n + 1);
  if (copy == NULL) return c->ctx->err.status;
  for (int64_t i = 0; i < s.n; i++) copy[i] = s.p[i] == '.' ? point : s.p[i];
  copy[s.n] = '\0';
  errno = 0;
  double d = strtod(copy, &end);
  bool number = end != copy && errno != ERANGE;
  if (number && end == copy + s.n) return tsr_ret_float(c, d);
  return tsr_op_fail(c->ctx, "%scould not convert string to float: '%s'", number ? "" : "stod: ", s.p);
}

TSR_KERNEL(str) {
  tsr_buf b = {0};
  tsr_val_print(c->args[0], &b);
  return ret_buf(c, &b);
}

TSR_KERNEL(format) { /* each "{}" in turn, textually; surplus arguments are ignored */
  text s = text_arg(c, 0), hole = {"{}", 2};
  int64_t from = 0;
  uint32_t next = 1;
  tsr_buf b = {0};
  for (int64_t at; (at = find_from(s, hole, from)) >= 0; from = at + 2) {
    tsr_buf_put(&b, s.p + from, (size_t)(at - from));
    if (next == c->nargs) {
      tsr_buf_dispose(&b);
      return tsr_op_fail(c->ctx, "Too few arguments for format string: %s", s.p);
    }
    tsr_val_print(c->args[next++], &b);
  }
  tsr_buf_put(&b, s.p + from, (size_t)(s.n - from));
  return ret_buf(c, &b);
}

/* What PyTorch's messages call the kind of a value. */
static const char *kind_name(tsr_val v) {
  switch (v.tag) {
    case TSR_V_NONE: return "None";
    case TSR_V_BOOL: return "Bool";
    case TSR_V_INT: return "Int";
    case TSR_V_FLOAT: return "Double";
    case TSR_V_COMPLEX: return "ComplexDouble";
    case TSR_V_STR: return "String";
    case TSR_V_LIST: return "GenericList";
    case TSR_V_DICT: return "GenericDict";
    default: return tsr_tag_name(v);
  }
}

/* Exponents and fractions go through float32; integers from a float are 32-bit, as the reference does it. */
static tsr_status put_number(tsr_call *c, tsr_buf *b, char key, tsr_val v) {
  if (v.tag == TSR_V_BOOL || v.tag == TSR_V_COMPLEX) return tsr_op_fail(c->ctx, "expected double");
  if (v.tag != TSR_V_INT && v.tag != TSR_V_FLOAT) return tsr_op_fail(c->ctx, "%%%c requires a number for formatting, but got %s", key, kind_name(v));
  if (key == 'd' || key == 'i') {
    bool fits = v.tag == TSR_V_FLOAT && v.d > -2147483649. && v.d < 2147483648.;
    tsr_buf_printf(b, "%lld", (long long)(v.tag == TSR_V_INT ? v.i : fits ? (int64_t)v.d : INT32_MIN));
    return TSR_OK;
  }
  double d = (double)(v.tag == TSR_V_INT ? (float)v.i : (float)v.d);
  char out[400];
  snprintf(out, sizeof out, key == 'e' ? "%e" : key == 'E' ? "%E" : "%f", d);
  for (char *p = out; *p != 0; p++) *p = *p == ',' ? '.' : *p;
  tsr_buf_puts(b, out);
  return TSR_OK;
}

static tsr_status put_spec(tsr_call *c, tsr_buf *b, char key, tsr_val v) {
  switch (key) {
    case 's': tsr_val_print(v, b); return TSR_OK;
    case 'd': case 'i': case 'e': case 'E': case 'f': case 'F': return put_number(c, b, key, v);
    case 'c':
      if (v.tag == TSR_V_INT) tsr_buf_putc(b, (char)v.i);
      else if (v.tag == TSR_V_STR && v.s->len == 1) tsr_buf_putc(b, v.s->bytes[0]);
      else return tsr_op_fail(c->ctx, "%%c requires an int or char for formatting, but got %s", kind_name(v));
      return TSR_OK;
    default: return tsr_op_fail(c->ctx, "The specifier %%%c is not supported in TorchScript format strings", key);
  }
}

TSR_KERNEL(percent_format) {
  text s = text_arg(c, 0);
  const tsr_val *args = c->args + 1;
  uint32_t nargs = c->nargs - 1, used = 0;
  if (nargs == 1 && args[0].tag == TSR_V_TUPLE) {
    nargs = (uint32_t)args[0].u->len;
    args = args[0].u->items;
  }
  tsr_buf b = {0};
  tsr_status status = TSR_OK;
  for (int64_t i = 0; i < s.n && status == TSR_OK; i++) {
    if (s.p[i] != '%') tsr_buf_putc(&b, s.p[i]);
    else if (++i == s.n) status = tsr_op_fail(c->ctx, "Incomplete format specifier");
    else if (s.p[i] == '%') tsr_buf_putc(&b, '%');
    else if (used == nargs) status = tsr_op_fail(c->ctx, "Too few arguments for format string");
    else status = put_spec(c, &b, s.p[i], args[used++]);
  }
  if (status == TSR_OK && used < nargs) status = tsr_op_fail(c->ctx, "Too many arguments for format string");
  if (status == TSR_OK) return ret_buf(c, &b);
  tsr_buf_dispose(&b);
  return status;
}

#define P TSR_PURE
#define S(name, params, ret, fn) {"aten::" name "(" params ") -> " ret, fn, P}
#define D(name, params, ret, fn, data) {"aten::" name "(" params ") -> " ret, fn, P, data}
#define FIND "str self, str substr, int start=0, int end=-1"
#define FILL "str self, int width, str fillchar=\" \""
#define BLANK "str self, str chars=\" \n\t\f\v\""

const tsr_op tsr_ops_lang_string[] = {
    S("find", FIND, "int", op_find), S("rfind", FIND, "int", op_rfind), S("index.str", FIND, "int", op_index), S("rindex", FIND, "int", op_rindex),
    S("count", FIND, "int", op_count), S("startswith", FIND, "bool", op_startswith), S("endswith", FIND, "bool", op_endswith),
    D("isspace", "str self", "bool", op_is_all, &t_space), D("isprintable", "str self", "bool", op_is_all, &t_printable),
    D("isalpha", "str self", "bool", op_is_all, &t_alpha), D("isdigit", "str self", "bool", op_is_all, &t_digit),
    D("isdecimal", "str self", "bool", op_is_all, &t_digit), D("isnumeric", "str self", "bool", op_is_all, &t_digit),
    D("isalnum", "str self", "bool", op_is_all, &t_alnum), S("islower", "str self", "bool", op_islower), S("isupper", "str self", "bool", op_isupper),
    S("istitle", "str self", "bool", op_istitle), S("isidentifier", "str self", "bool", op_isidentifier),
    D("lower", "str self", "str", op_recase, &k_lower), D("upper", "str self", "str", op_recase, &k_upper),
    D("swapcase", "str self", "str", op_recase, &k_swap), D("capitalize", "str self", "str", op_recase, &k_capital),
    D("title", "str self", "str", op_recase, &k_title), D("ljust", FILL, "str", op_justify, &to_left),
    D("rjust", FILL, "str", op_justify, &to_right), D("center", FILL, "str", op_justify, &to_center),
    S("zfill", "str self, int width", "str", op_zfill), S("expandtabs", "str self, int tabsize=8", "str", op_expandtabs),
    S("strip", BLANK, "str", op_strip), S("lstrip", BLANK, "str", op_lstrip), S("rstrip", BLANK, "str", op_rstrip),
    {"aten::split.str(str self, str? separator=None, int max=-1) -> str[]", op_split, P | TSR_NOOPT},
    {"aten::rsplit(str self, str separator=\" \", int max=-1) -> str[]", op_rsplit, P | TSR_NOOPT},
    {"aten::splitlines(str self, bool keepends=False) -> str[]", op_splitlines, P | TSR_NOOPT},
    S("partition", "str self, str separator", "(str, str, str)", op_partition), S("rpartition", "str self, str separator", "(str, str, str)", op_rpartition),
    S("replace", "str self, str old, str new, int max=-1", "str", op_replace), S("join", "str self, str[] values", "str", op_join),
    S("add.str", "str a, str b", "str", op_add), S("len.str", "str s", "int", op_len), S("__getitem__.str", "str s, int index", "str", op_getitem),
    {"prim::StringIndex(str string, int index) -> str", op_getitem, P},
    S("eq.str", "str a, str b", "bool", op_eq), S("ne.str", "str a, str b", "bool", op_ne), S("lt.str", "str a, str b", "bool", op_lt),
    S("le.str", "str a, str b", "bool", op_le), S("gt.str", "str a, str b", "bool", op_gt), S("ge.str", "str a, str b", "bool", op_ge),
    S("ord", "str string", "int", op_ord), S("chr", "int i", "str", op_chr), S("bin", "int i", "str", op_bin), S("oct", "int i", "str", op_oct),
    S("hex", "int i", "str", op_hex), S("Int.str", "str a", "int", op_to_int), S("Float.str", "str a", "float", op_to_float),
    /* str and format read mutable values (lists, tensors): the result depends on the moment */
    {"aten::str(t elem) -> str", op_str, TSR_PURE}, {"aten::format(str self, ...) -> str", op_format, TSR_PURE},
    {"aten::percentFormat(str self, ...) -> str", op_percent_format, TSR_PURE}, {0}};
