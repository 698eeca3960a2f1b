/* The unpickler's machine: a table of opcodes, a stack, a memo.  Iterative; reads data only, and calls
 * nothing that a pickle names.  Every opcode consumes at least a byte, so the work is bounded by the
 * file but for the builders, which bound their own. */
#include "frontend/pickle.h"

#include <stdio.h>
#include <stdlib.h>

#include "frontend/pickle_vm.h"
#include "frontend/text.h"

/* The operand of an opcode, already inside the file. */
typedef struct operand {
  const uint8_t *p;
  size_t len;
  const uint8_t *p2;
  size_t len2;
} operand;
/* How the operand is laid out: fixed bytes, bytes after a length of 1, 4 or 8 bytes, one or two lines. */
typedef enum layout { FIX0, FIX1, FIX2, FIX4, FIX8, LEN1, LEN4, LEN8, LINE, LINES } layout;
typedef struct opcode {
  tsr_status (*run)(tsr_pvm *v, const operand *a);
  uint8_t layout;
  const char *name;
} opcode;
static const opcode opcodes[256];

/* ---- errors ---- */

tsr_status tsr_pvm_fail(tsr_pvm *v, tsr_status st, const char *fmt, ...) {
  char text[400];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  return tsr_fail(v->e, st, "%s: offset %zu: %s", v->opt->what, v->op_at, text);
}

tsr_status tsr_pvm_nomem(tsr_pvm *v) {
  return tsr_mem_hit_limit(v->mem) ? tsr_pvm_fail(v, TSR_ELIMIT, "the memory limit is reached") : tsr_fail_nomem(v->e);
}

static tsr_status bad(tsr_pvm *v, const char *what) { return tsr_pvm_fail(v, TSR_EFORMAT, "bad pickle: %s", what); }

/* ---- operands ---- */

static uint64_t little(const uint8_t *p, size_t n) {
  uint64_t x = 0;
  for (size_t i = n; i-- > 0;) x = x << 8 | p[i];
  return x;
}

static bool take_line(const uint8_t *p, size_t len, size_t *at, const uint8_t **line, size_t *n) {
  const uint8_t *end = memchr(p + *at, '\n', len - *at);
  if (end == NULL) return false;
  *line = p + *at;
  *n = (size_t)(end - *line);
  *at += *n + 1;
  if (*n > 0 && (*line)[*n - 1] == '\r') --*n;
  return true;
}

/* Decode the operand at *at; false when it does not fit the bytes left. */
static bool decode(const uint8_t *p, size_t len, size_t *at, layout how, operand *a) {
  static const uint8_t fixed[] = {
      [FIX0] = 0, [FIX1] = 1, [FIX2] = 2, [FIX4] = 4, [FIX8] = 8, [LEN1] = 1, [LEN4] = 4, [LEN8] = 8};
  memset(a, 0, sizeof *a);
  if (how >= LINE)
    return take_line(p, len, at, &a->p, &a->len) && (how == LINE || take_line(p, len, at, &a->p2, &a->len2));
  size_t n = fixed[how];
  if (n > len - *at) return false;
  a->p = p + *at;
  a->len = n;
  *at += n;
  if (how < LEN1) return true;
  uint64_t size = little(a->p, n);
  if (size > len - *at) return false;
  a->p = p + *at;
  a->len = size;
  *at += size;
  return true;
}

size_t tsr_pickle_extent(const void *bytes, size_t len) {
  const uint8_t *p = bytes;
  size_t at = 0;
  operand a;
  while (at < len) {
    uint8_t code = p[at++];
    if (opcodes[code].name == NULL || !decode(p, len, &at, opcodes[code].layout, &a)) return 0;
    if (code == '.') return at;
  }
  return 0;
}

bool tsr_pickle_decode(const void *bytes, size_t len, size_t *at, tsr_pickle_op *out) {
  const uint8_t *p = bytes;
  operand a;
  *out = (tsr_pickle_op){.at = *at};
  if (*at >= len) return false;
  out->code = p[(*at)++];
  out->name = opcodes[out->code].name;
  if (out->name == NULL || !decode(p, len, at, opcodes[out->code].layout, &a)) return false;
  out->arg = a.p;
  out->arg_len = a.len;
  out->arg2 = a.p2;
  out->arg2_len = a.len2;
  return true;
}

/* ---- stack and memo ---- */

static tsr_status grow_stack(tsr_pvm *v) {
  size_t cap = v->cap == 0 ? 256 : v->cap * 2;
  if (cap > TSR_PICKLE_MAX_LIVE)
    return tsr_pvm_fail(v, TSR_ELIMIT, "more than %zu values at once", TSR_PICKLE_MAX_LIVE);
  tsr_val *grown = tsr_realloc(v->mem, v->stack, v->cap * sizeof *grown, cap * sizeof *grown);
  if (grown == NULL) return tsr_pvm_nomem(v);
  v->stack = grown;
  v->cap = cap;
  return TSR_OK;
}

/* Push a value that the stack takes over (also on failure). */
static tsr_status push(tsr_pvm *v, tsr_val val) {
  tsr_status st = v->sp == v->cap ? grow_stack(v) : TSR_OK;
  if (st == TSR_OK)
    v->stack[v->sp++] = val;
  else
    tsr_release(val);
  return st;
}

static size_t floor_of(const tsr_pvm *v) { return v->mark_count > 0 ? v->marks[v->mark_count - 1] : 0; }

/* n values lie above the top mark. */
static tsr_status need(tsr_pvm *v, size_t n) {
  return v->sp - floor_of(v) >= n ? TSR_OK : bad(v, "not enough values on the stack");
}

static tsr_val pop(tsr_pvm *v) { return v->stack[--v->sp]; } /* after need */
static tsr_val top(tsr_pvm *v) { return v->stack[v->sp - 1]; }

static void drop(tsr_pvm *v, size_t n) {
  while (n-- > 0) tsr_release(pop(v));
}

/* Take the top mark away; *n: values above it. */
static tsr_status pop_mark(tsr_pvm *v, size_t *n) {
  if (v->mark_count == 0) return bad(v, "there is no mark");
  *n = v->sp - v->marks[--v->mark_count];
  return TSR_OK;
}

static tsr_status put(tsr_pvm *v, uint64_t id) {
  TSR_TRY(need(v, 1));
  uint64_t *known = tsr_umap_get(&v->memo_ids, id);
  if (known != NULL) {
    tsr_val old = v->memo[*known];
    v->memo[*known] = tsr_retain(top(v));
    tsr_release(old);
    return TSR_OK;
  }
  if (v->memo_count == v->memo_cap) {
    size_t cap = v->memo_cap == 0 ? 256 : v->memo_cap * 2;
    if (cap > TSR_PICKLE_MAX_LIVE)
      return tsr_pvm_fail(v, TSR_ELIMIT, "more than %zu values in the memo", TSR_PICKLE_MAX_LIVE);
    tsr_val *grown = tsr_realloc(v->mem, v->memo, v->memo_cap * sizeof *grown, cap * sizeof *grown);
    if (grown == NULL) return tsr_pvm_nomem(v);
    v->memo = grown;
    v->memo_cap = cap;
  }
  if (!tsr_umap_set(&v->memo_ids, id, v->memo_count)) return tsr_pvm_nomem(v);
  v->memo[v->memo_count++] = tsr_retain(top(v));
  v->memo_next++;
  return TSR_OK;
}

static tsr_status get(tsr_pvm *v, uint64_t id) {
  uint64_t *known = tsr_umap_get(&v->memo_ids, id);
  if (known == NULL)
    return tsr_pvm_fail(v, TSR_EFORMAT, "bad pickle: nothing was stored as number %llu", (unsigned long long)id);
  return push(v, tsr_retain(v->memo[*known]));
}

/* ---- texts ---- */

static tsr_status push_str(tsr_pvm *v, const void *p, size_t len) {
  tsr_str *s = tsr_str_new(v->mem, p, len);
  return s != NULL ? push(v, tsr_from_obj(s)) : tsr_pvm_nomem(v);
}

static tsr_status push_buf(tsr_pvm *v, tsr_buf *b) {
  tsr_str *s = tsr_str_take_buf(v->mem, b);
  return s != NULL ? push(v, tsr_from_obj(s)) : tsr_pvm_nomem(v);
}

static int hex_digits(const uint8_t *p, size_t len, size_t n, uint32_t *out) {
  *out = 0;
  for (size_t i = 0; i < n; i++) {
    uint8_t c = i < len ? p[i] : 0;
    int d = c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
    if (d < 0) return 0;
    *out = *out << 4 | (uint32_t)d;
  }
  return 1;
}

/* Python's escapes, as protocol 0 has them: of str (\n \x41 \101) and of unicode (\u0041 \U00000041). */
static bool unescape(const uint8_t *p, size_t len, bool unicode, tsr_buf *out) {
  static const char from[] = "ntrabfv\\'\"", to[] = "\n\t\r\a\b\f\v\\'\"";
  for (size_t i = 0; i < len;) {
    uint32_t x;
    if (unicode && p[i] == '\\' && i + 1 < len && (p[i + 1] == 'u' || p[i + 1] == 'U')) {
      size_t n = p[i + 1] == 'u' ? 4 : 8;
      if (!hex_digits(p + i + 2, len - i - 2, n, &x) || x > 0x10ffff) return false;
      tsr_buf_put_utf8(out, x);
      i += 2 + n;
    } else if (unicode) {
      tsr_buf_put_utf8(out, p[i++]); /* raw-unicode-escape: other bytes are Latin-1 */
    } else if (p[i] != '\\') {
      tsr_buf_putc(out, (char)p[i++]);
    } else if (i + 1 >= len) {
      return false;
    } else if (p[i + 1] == 'x') {
      if (!hex_digits(p + i + 2, len - i - 2, 2, &x)) return false;
      tsr_buf_putc(out, (char)x);
      i += 4;
    } else if (p[i + 1] >= '0' && p[i + 1] <= '7') {
      for (x = 0, i++; i < len && x < 32 && p[i] >= '0' && p[i] <= '7'; i++) x = x * 8 + (p[i] - '0');
      tsr_buf_putc(out, (char)x);
    } else {
      const char *e = memchr(from, p[i + 1], sizeof from - 1);
      if (e == NULL) return false;
      tsr_buf_putc(out, to[e - from]);
      i += 2;
    }
  }
  return true;
}

static tsr_status push_unescaped(tsr_pvm *v, const uint8_t *p, size_t len, bool unicode) {
  tsr_buf text = {0};
  if (unescape(p, len, unicode, &text)) return push_buf(v, &text);
  tsr_buf_dispose(&text);
  return bad(v, "a string has a wrong escape");
}

static tsr_status op_string(tsr_pvm *v, const operand *a) {
  if (a->len < 2 || (a->p[0] != '\'' && a->p[0] != '"') || a->p[a->len - 1] != a->p[0])
    return bad(v, "a string is not quoted");
  return push_unescaped(v, a->p + 1, a->len - 2, false);
}
static tsr_status op_unicode(tsr_pvm *v, const operand *a) { return push_unescaped(v, a->p, a->len, true); }
static tsr_status op_text(tsr_pvm *v, const operand *a) { return push_str(v, a->p, a->len); }

/* ---- numbers ---- */

/* An integer wider than 64 bits has no place in TorchScript: an opaque record that shows it. */
static tsr_status push_wide(tsr_pvm *v, const char *text, size_t len) {
  tsr_val g, arg, args = tsr_none(), out = tsr_none();
  tsr_str *s = tsr_str_new(v->mem, text, len);
  if (s == NULL) return tsr_pvm_nomem(v);
  arg = tsr_from_obj(s);
  TSR_TRY(tsr_pvm_new_tuple(v, &arg, 1, &args));
  tsr_status st = tsr_pvm_global(v, "builtins", 8, "int", 3, &g);
  if (st == TSR_OK) {
    st = tsr_pvm_new_opaque(v, tsr_pvm_as_opaque(g), args, &out);
    tsr_release(g);
  }
  tsr_release(args);
  return st == TSR_OK ? push(v, out) : st;
}

static tsr_status op_long_bytes(tsr_pvm *v, const operand *a) {
  size_t n = a->len;
  uint8_t sign = n > 0 && (a->p[n - 1] & 0x80) ? 0xff : 0;
  while (n > 1 && a->p[n - 1] == sign && (a->p[n - 2] & 0x80) == (sign & 0x80)) n--;
  if (n <= 8) {
    uint64_t x = little(a->p, n);
    if (n < 8 && sign != 0) x |= ~UINT64_C(0) << (8 * n);
    return push(v, tsr_int((int64_t)x));
  }
  char text[64]; /* hexadecimal, two's complement; the first digits are enough to recognise it */
  size_t len = (size_t)snprintf(text, sizeof text, "0x");
  for (size_t i = n; i-- > 0 && len + 6 < sizeof text;)
    len += (size_t)snprintf(text + len, sizeof text - len, "%02x", a->p[i]);
  if (n * 2 + 2 > len) len += (size_t)snprintf(text + len, sizeof text - len, "...");
  return push_wide(v, text, len);
}

static tsr_status op_int_text(tsr_pvm *v, const operand *a) {
  size_t len = a->len;
  if (len == 2 && a->p[0] == '0' && (a->p[1] == '0' || a->p[1] == '1')) return push(v, tsr_bool(a->p[1] == '1'));
  if (len > 0 && a->p[len - 1] == 'L') len--;
  bool minus = len > 0 && a->p[0] == '-', wide = false;
  size_t i = minus ? 1 : 0;
  int64_t x = 0;
  if (i == len) return bad(v, "an integer has no digits");
  for (; i < len; i++) {
    if (a->p[i] < '0' || a->p[i] > '9') return bad(v, "an integer has a wrong digit");
    int64_t d = a->p[i] - '0';
    wide = wide || tsr_mul_overflow(x, 10, &x) || tsr_add_overflow(x, minus ? -d : d, &x);
  }
  return wide ? push_wide(v, (const char *)a->p, TSR_MIN(len, (size_t)64)) : push(v, tsr_int(x));
}

static tsr_status op_float_text(tsr_pvm *v, const operand *a) {
  double d;
  if (!tsr_text_to_double((const char *)a->p, a->len, &d)) return bad(v, "a float cannot be read");
  return push(v, tsr_float(d));
}

static tsr_status op_binfloat(tsr_pvm *v, const operand *a) {
  uint64_t bits = 0;
  for (int i = 0; i < 8; i++) bits = bits << 8 | a->p[i];
  double d;
  memcpy(&d, &bits, 8);
  return push(v, tsr_float(d));
}

static tsr_status op_binint(tsr_pvm *v, const operand *a) { return push(v, tsr_int((int32_t)little(a->p, 4))); }
static tsr_status op_uint(tsr_pvm *v, const operand *a) { return push(v, tsr_int((int64_t)little(a->p, a->len))); }
static tsr_status op_none(tsr_pvm *v, const operand *a) {
  TSR_UNUSED(a);
  return push(v, tsr_none());
}
static tsr_status op_true(tsr_pvm *v, const operand *a) {
  TSR_UNUSED(a);
  return push(v, tsr_bool(true));
}
static tsr_status op_false(tsr_pvm *v, const operand *a) {
  TSR_UNUSED(a);
  return push(v, tsr_bool(false));
}

/* ---- memo and stack opcodes ---- */

static tsr_status op_put(tsr_pvm *v, const operand *a) { return put(v, little(a->p, a->len)); }
static tsr_status op_get(tsr_pvm *v, const operand *a) { return get(v, little(a->p, a->len)); }
static tsr_status op_memoize(tsr_pvm *v, const operand *a) {
  TSR_UNUSED(a);
  return put(v, v->memo_next);
}

static tsr_status text_id(tsr_pvm *v, const operand *a, uint64_t *id) {
  *id = 0;
  for (size_t i = 0; i < a->len; i++) {
    if (a->p[i] < '0' || a->p[i] > '9' || *id > UINT32_MAX) return bad(v, "a memo number cannot be read");
    *id = *id * 10 + (uint64_t)(a->p[i] - '0');
  }
  return a->len > 0 ? TSR_OK : bad(v, "a memo number cannot be read");
}

static tsr_status op_put_text(tsr_pvm *v, const operand *a) {
  uint64_t id;
  TSR_TRY(text_id(v, a, &id));
  return put(v, id);
}

static tsr_status op_get_text(tsr_pvm *v, const operand *a) {
  uint64_t id;
  TSR_TRY(text_id(v, a, &id));
  return get(v, id);
}

static tsr_status op_mark(tsr_pvm *v, const operand *a) {
  TSR_UNUSED(a);
  if (v->mark_count == v->mark_cap) {
    size_t cap = v->mark_cap == 0 ? 64 : v->mark_cap * 2;
    size_t *grown = cap <= TSR_PICKLE_MAX_LIVE
                        ? tsr_realloc(v->mem, v->marks, v->mark_cap * sizeof *grown, cap * sizeof *grown)
                        : NULL;
    if (grown == NULL)
      return cap > TSR_PICKLE_MAX_LIVE ? tsr_pvm_fail(v, TSR_ELIMIT, "more than %zu marks", TSR_PICKLE_MAX_LIVE)
                                       : tsr_pvm_nomem(v);
    v->marks = grown;
    v->mark_cap = cap;
  }
  v->marks[v->mark_count++] = v->sp;
  return TSR_OK;
}

static tsr_status op_pop(tsr_pvm *v, const operand *a) {
  TSR_UNUSED(a);
  if (v->mark_count > 0 && floor_of(v) == v->sp) {
    v->mark_count--; /* POP takes a mark off, too */
    return TSR_OK;
  }
  TSR_TRY(need(v, 1));
  drop(v, 1);
  return TSR_OK;
}

static tsr_status op_pop_mark(tsr_pvm *v, const operand *a) {
  size_t n = 0;
  TSR_UNUSED(a);
  TSR_TRY(pop_mark(v, &n));
  drop(v, n);
  return TSR_OK;
}

static tsr_status op_dup(tsr_pvm *v, const operand *a) {
  TSR_UNUSED(a);
  TSR_TRY(need(v, 1));
  return push(v, tsr_retain(top(v)));
}

static tsr_status op_nothing(tsr_pvm *v, const operand *a) {
  TSR_UNUSED(v);
  TSR_UNUSED(a);
  return TSR_OK;
} /* FRAME */

static tsr_status op_proto(tsr_pvm *v, const operand *a) {
  return a->p[0] <= 5 ? TSR_OK : tsr_pvm_fail(v, TSR_EUNSUPPORTED, "pickle protocol %d (0 to 5 are read)", a->p[0]);
}

static tsr_status op_refused(tsr_pvm *v, const operand *a) {
  TSR_UNUSED(a);
  return tsr_pvm_fail(v, TSR_EUNSUPPORTED, "pickle opcode %s is not supported", opcodes[v->p[v->op_at]].name);
}

/* ---- containers ---- */

static tsr_status push_tuple(tsr_pvm *v, size_t n) {
  tsr_val out;
  TSR_TRY(need(v, n));
  v->sp -= n;
  TSR_TRY(tsr_pvm_new_tuple(v, v->stack + v->sp, n, &out));
  return push(v, out);
}

static tsr_status op_tuple0(tsr_pvm *v, const operand *a) {
  TSR_UNUSED(a);
  return push_tuple(v, 0);
}
static tsr_status op_tuple1(tsr_pvm *v, const operand *a) {
  TSR_UNUSED(a);
  return push_tuple(v, 1);
}
static tsr_status op_tuple2(tsr_pvm *v, const operand *a) {
  TSR_UNUSED(a);
  return push_tuple(v, 2);
}
static tsr_status op_tuple3(tsr_pvm *v, const operand *a) {
  TSR_UNUSED(a);
  return push_tuple(v, 3);
}

static tsr_status op_tuple(tsr_pvm *v, const operand *a) {
  size_t n = 0;
  TSR_UNUSED(a);
  TSR_TRY(pop_mark(v, &n));
  return push_tuple(v, n);
}

static tsr_status op_empty_list(tsr_pvm *v, const operand *a) {
  tsr_val out;
  TSR_UNUSED(a);
  TSR_TRY(tsr_pvm_new_list(v, &out));
  return push(v, out);
}

static tsr_status op_empty_dict(tsr_pvm *v, const operand *a) {
  tsr_val out;
  TSR_UNUSED(a);
  TSR_TRY(tsr_pvm_new_dict(v, &out));
  return push(v, out);
}

/* Give the n top values to the container below them (or to fresh). */
static tsr_status fill(tsr_pvm *v, size_t n, bool pairs, const tsr_val *fresh) {
  v->sp -= n;
  tsr_val into = fresh != NULL ? *fresh : top(v);
  return (pairs ? tsr_pvm_setitems : tsr_pvm_append)(v, into, v->stack + v->sp, n);
}

static tsr_status fill_fresh(tsr_pvm *v, bool pairs) {
  size_t n = 0;
  tsr_val fresh;
  TSR_TRY(pop_mark(v, &n));
  TSR_TRY(pairs ? tsr_pvm_new_dict(v, &fresh) : tsr_pvm_new_list(v, &fresh));
  tsr_status st = fill(v, n, pairs, &fresh);
  if (st == TSR_OK) return push(v, fresh);
  tsr_release(fresh);
  return st;
}

static tsr_status op_list(tsr_pvm *v, const operand *a) {
  TSR_UNUSED(a);
  return fill_fresh(v, false);
}
static tsr_status op_dict(tsr_pvm *v, const operand *a) {
  TSR_UNUSED(a);
  return fill_fresh(v, true);
}

static tsr_status fill_marked(tsr_pvm *v, bool pairs) {
  size_t n = 0;
  TSR_TRY(pop_mark(v, &n));
  TSR_TRY(need(v, n + 1));
  return fill(v, n, pairs, NULL);
}

static tsr_status op_appends(tsr_pvm *v, const operand *a) {
  TSR_UNUSED(a);
  return fill_marked(v, false);
}
static tsr_status op_setitems(tsr_pvm *v, const operand *a) {
  TSR_UNUSED(a);
  return fill_marked(v, true);
}

static tsr_status op_append(tsr_pvm *v, const operand *a) {
  TSR_UNUSED(a);
  TSR_TRY(need(v, 2));
  return fill(v, 1, false, NULL);
}

static tsr_status op_setitem(tsr_pvm *v, const operand *a) {
  TSR_UNUSED(a);
  TSR_TRY(need(v, 3));
  return fill(v, 2, true, NULL);
}

static tsr_status push_set(tsr_pvm *v, const char *name) {
  tsr_val g, args, out = tsr_none();
  TSR_TRY(tsr_pvm_new_tuple(v, NULL, 0, &args));
  tsr_status st = tsr_pvm_global(v, "builtins", 8, name, strlen(name), &g);
  if (st == TSR_OK) {
    st = tsr_pvm_new_opaque(v, tsr_pvm_as_opaque(g), args, &out);
    tsr_release(g);
  }
  tsr_release(args);
  return st == TSR_OK ? push(v, out) : st;
}

static tsr_status op_empty_set(tsr_pvm *v, const operand *a) {
  TSR_UNUSED(a);
  return push_set(v, "set");
}

static tsr_status op_frozenset(tsr_pvm *v, const operand *a) {
  size_t n = 0;
  TSR_UNUSED(a);
  TSR_TRY(pop_mark(v, &n));
  TSR_TRY(push_set(v, "frozenset"));
  tsr_val set = pop(v);
  tsr_status st = fill(v, n, false, &set);
  if (st == TSR_OK) return push(v, set);
  tsr_release(set);
  return st;
}

/* ---- globals, objects ---- */

static tsr_status push_global(tsr_pvm *v, const void *module, size_t module_len, const void *name, size_t name_len) {
  tsr_val out;
  if (module_len + name_len > TSR_PICKLE_MAX_LIVE) return bad(v, "a name is too long");
  TSR_TRY(tsr_pvm_global(v, module, module_len, name, name_len, &out));
  return push(v, out);
}

static tsr_status op_global(tsr_pvm *v, const operand *a) { return push_global(v, a->p, a->len, a->p2, a->len2); }

static tsr_status op_stack_global(tsr_pvm *v, const operand *a) {
  TSR_UNUSED(a);
  TSR_TRY(need(v, 2));
  tsr_val name = v->stack[v->sp - 1], module = v->stack[v->sp - 2];
  if (name.tag != TSR_V_STR || module.tag != TSR_V_STR) return bad(v, "a global's name is not a string");
  v->sp -= 2;
  tsr_status st = push_global(v, module.s->bytes, module.s->len, name.s->bytes, name.s->len);
  tsr_release(name);
  tsr_release(module);
  return st;
}

/* Replace the two top values (callable, args) by the result. */
static tsr_status op_reduce(tsr_pvm *v, const operand *a) {
  tsr_val out;
  TSR_UNUSED(a);
  TSR_TRY(need(v, 2));
  TSR_TRY(tsr_pvm_reduce(v, v->stack[v->sp - 2], v->stack[v->sp - 1], &out));
  drop(v, 2);
  return push(v, out);
}

static tsr_status make_object(tsr_pvm *v, tsr_val cls, tsr_val args, tsr_val *out) {
  const tsr_pglobal *g = tsr_pvm_as_global(cls);
  if (g == NULL || args.tag != TSR_V_TUPLE) return bad(v, "an object is made of something that is not a class");
  if (strncmp(g->cls.name, "__torch__", 9) == 0) return tsr_pvm_new_opaque(v, g, args, out);
  return tsr_pvm_reduce(v, cls, args, out);
}

static tsr_status op_newobj(tsr_pvm *v, const operand *a) {
  tsr_val out;
  TSR_UNUSED(a);
  TSR_TRY(need(v, 2));
  TSR_TRY(make_object(v, v->stack[v->sp - 2], v->stack[v->sp - 1], &out));
  drop(v, 2);
  return push(v, out);
}

/* class, args, keywords: the keywords become one more argument */
static tsr_status op_newobj_ex(tsr_pvm *v, const operand *a) {
  tsr_val args, out;
  TSR_UNUSED(a);
  TSR_TRY(need(v, 3));
  tsr_val *s = v->stack + v->sp - 3;
  if (s[1].tag != TSR_V_TUPLE || s[2].tag != TSR_V_DICT)
    return bad(v, "an object is made of something that is not a class");
  if (s[2].m->count == 0) {
    TSR_TRY(make_object(v, s[0], s[1], &out));
  } else {
    size_t n = s[1].u->len;
    tsr_val *items = malloc((n + 1) * sizeof *items);
    if (items == NULL) return tsr_fail_nomem(v->e);
    for (size_t i = 0; i < n; i++) items[i] = tsr_retain(s[1].u->items[i]);
    items[n] = tsr_retain(s[2]);
    tsr_status st = tsr_pvm_new_tuple(v, items, n + 1, &args);
    free(items);
    TSR_TRY(st);
    st = make_object(v, s[0], args, &out);
    tsr_release(args);
    TSR_TRY(st);
  }
  drop(v, 3);
  return push(v, out);
}

/* MARK class args… OBJ, and MARK args… INST of protocols 0 and 1 */
static tsr_status op_obj(tsr_pvm *v, const operand *a) {
  size_t n = 0;
  TSR_UNUSED(a);
  TSR_TRY(pop_mark(v, &n));
  if (n == 0) return bad(v, "an object without a class");
  TSR_TRY(push_tuple(v, n - 1));
  return op_newobj(v, a);
}

static tsr_status op_inst(tsr_pvm *v, const operand *a) {
  size_t n = 0;
  TSR_TRY(pop_mark(v, &n));
  TSR_TRY(push_tuple(v, n));
  TSR_TRY(op_global(v, a));
  tsr_val cls = pop(v), args = pop(v);
  TSR_TRY(push(v, cls)); /* there is room: two values were just taken off */
  TSR_TRY(push(v, args));
  return op_newobj(v, a);
}

static tsr_status build_script_object(tsr_pvm *v, tsr_val obj, tsr_val state) {
  const tsr_pickle_hooks *h = v->opt->hooks;
  const char *name = tsr_pvm_as_opaque(obj)->cls.name;
  unsigned depth = tsr_pvm_depth(v, state) + 1;
  tsr_val out = tsr_none();
  TSR_TRY(tsr_pvm_seal(v, state));
  tsr_status st = h->make_object(h->user, v->e, name, strlen(name), state, &out);
  if (st != TSR_OK) return st;
  drop(v, 2);
  TSR_TRY(push(v, out));
  return tsr_pvm_set_depth(v, out, depth);
}

static tsr_status op_build(tsr_pvm *v, const operand *a) {
  TSR_UNUSED(a);
  TSR_TRY(need(v, 2));
  tsr_val obj = v->stack[v->sp - 2], state = v->stack[v->sp - 1];
  if (v->opt->hooks != NULL && tsr_pvm_is_script_class(obj)) {
    if (tsr_pvm_as_global(obj) != NULL) return bad(v, "state is given to a class, not to an object");
    return build_script_object(v, obj, state);
  }
  if (tsr_pvm_as_global(obj) != NULL) return bad(v, "state is given to a class, not to an object");
  /* dicts and tensors may carry Python attributes (state_dict's _metadata): they are dropped */
  if (tsr_pvm_as_opaque(obj) != NULL)
    TSR_TRY(tsr_pvm_set_state(v, obj, state));
  else if (obj.tag != TSR_V_DICT && obj.tag != TSR_V_TENSOR && obj.tag != TSR_V_LIST)
    return bad(v, "state is given to a plain value");
  drop(v, 1);
  return TSR_OK;
}

static tsr_status persistent(tsr_pvm *v, tsr_val id_take) {
  tsr_val out = tsr_none();
  tsr_status st =
      v->persistent != NULL ? v->persistent(v, id_take, &out) : bad(v, "it refers to data outside, and there is none");
  tsr_release(id_take);
  return st == TSR_OK ? push(v, out) : st;
}

static tsr_status op_binpersid(tsr_pvm *v, const operand *a) {
  TSR_UNUSED(a);
  TSR_TRY(need(v, 1));
  return persistent(v, pop(v));
}

static tsr_status op_persid(tsr_pvm *v, const operand *a) {
  tsr_val id;
  TSR_TRY(tsr_pvm_text_id(v, (const char *)a->p, a->len, &id));
  return persistent(v, id);
}

/* ---- the table ---- */

/* clang-format off */
static const opcode opcodes[256] = {
    ['.'] = {op_nothing, FIX0, "STOP"},          [0x80] = {op_proto, FIX1, "PROTO"},
    ['('] = {op_mark, FIX0, "MARK"},             ['0'] = {op_pop, FIX0, "POP"},
    ['1'] = {op_pop_mark, FIX0, "POP_MARK"},     ['2'] = {op_dup, FIX0, "DUP"},
    ['F'] = {op_float_text, LINE, "FLOAT"},      ['G'] = {op_binfloat, FIX8, "BINFLOAT"},
    ['I'] = {op_int_text, LINE, "INT"},          ['L'] = {op_int_text, LINE, "LONG"},
    ['J'] = {op_binint, FIX4, "BININT"},         ['K'] = {op_uint, FIX1, "BININT1"},
    ['M'] = {op_uint, FIX2, "BININT2"},          [0x8a] = {op_long_bytes, LEN1, "LONG1"},
    [0x8b] = {op_long_bytes, LEN4, "LONG4"},     ['N'] = {op_none, FIX0, "NONE"},
    [0x88] = {op_true, FIX0, "NEWTRUE"},         [0x89] = {op_false, FIX0, "NEWFALSE"},
    ['S'] = {op_string, LINE, "STRING"},         ['T'] = {op_text, LEN4, "BINSTRING"},
    ['U'] = {op_text, LEN1, "SHORT_BINSTRING"},  ['V'] = {op_unicode, LINE, "UNICODE"},
    ['X'] = {op_text, LEN4, "BINUNICODE"},       [0x8c] = {op_text, LEN1, "SHORT_BINUNICODE"},
    [0x8d] = {op_text, LEN8, "BINUNICODE8"},     ['B'] = {op_text, LEN4, "BINBYTES"},
    ['C'] = {op_text, LEN1, "SHORT_BINBYTES"},   [0x8e] = {op_text, LEN8, "BINBYTES8"},
    [0x96] = {op_text, LEN8, "BYTEARRAY8"},      [')'] = {op_tuple0, FIX0, "EMPTY_TUPLE"},
    [0x85] = {op_tuple1, FIX0, "TUPLE1"},        [0x86] = {op_tuple2, FIX0, "TUPLE2"},
    [0x87] = {op_tuple3, FIX0, "TUPLE3"},        ['t'] = {op_tuple, FIX0, "TUPLE"},
    [']'] = {op_empty_list, FIX0, "EMPTY_LIST"}, ['l'] = {op_list, FIX0, "LIST"},
    ['a'] = {op_append, FIX0, "APPEND"},         ['e'] = {op_appends, FIX0, "APPENDS"},
    ['}'] = {op_empty_dict, FIX0, "EMPTY_DICT"}, ['d'] = {op_dict, FIX0, "DICT"},
    ['s'] = {op_setitem, FIX0, "SETITEM"},       ['u'] = {op_setitems, FIX0, "SETITEMS"},
    [0x8f] = {op_empty_set, FIX0, "EMPTY_SET"},  [0x90] = {op_appends, FIX0, "ADDITEMS"},
    [0x91] = {op_frozenset, FIX0, "FROZENSET"},  ['p'] = {op_put_text, LINE, "PUT"},
    ['q'] = {op_put, FIX1, "BINPUT"},            ['r'] = {op_put, FIX4, "LONG_BINPUT"},
    [0x94] = {op_memoize, FIX0, "MEMOIZE"},      ['g'] = {op_get_text, LINE, "GET"},
    ['h'] = {op_get, FIX1, "BINGET"},            ['j'] = {op_get, FIX4, "LONG_BINGET"},
    ['c'] = {op_global, LINES, "GLOBAL"},        [0x93] = {op_stack_global, FIX0, "STACK_GLOBAL"},
    ['R'] = {op_reduce, FIX0, "REDUCE"},         ['b'] = {op_build, FIX0, "BUILD"},
    ['i'] = {op_inst, LINES, "INST"},            ['o'] = {op_obj, FIX0, "OBJ"},
    [0x81] = {op_newobj, FIX0, "NEWOBJ"},        [0x92] = {op_newobj_ex, FIX0, "NEWOBJ_EX"},
    ['P'] = {op_persid, LINE, "PERSID"},         ['Q'] = {op_binpersid, FIX0, "BINPERSID"},
    [0x95] = {op_nothing, FIX8, "FRAME"},        [0x82] = {op_refused, FIX1, "EXT1"},
    [0x83] = {op_refused, FIX2, "EXT2"},         [0x84] = {op_refused, FIX4, "EXT4"},
    [0x97] = {op_refused, FIX0, "NEXT_BUFFER"},  [0x98] = {op_refused, FIX0, "READONLY_BUFFER"},
};
/* clang-format on */

/* ---- running ---- */

void tsr_pvm_init(tsr_pvm *v, const tsr_pickle_options *opt, tsr_errrec *e) {
  memset(v, 0, sizeof *v);
  v->opt = opt;
  v->mem = opt->mem;
  v->e = e;
}

static void clear(tsr_pvm *v) {
  drop(v, v->sp);
  v->mark_count = 0;
  for (size_t i = 0; i < v->memo_count; i++) tsr_release(v->memo[i]);
  v->memo_count = 0;
  v->memo_next = 0;
  tsr_umap_dispose(&v->memo_ids);
  tsr_umap_dispose(&v->nest);
}

void tsr_pvm_dispose(tsr_pvm *v) {
  clear(v);
  tsr_free(v->mem, v->stack, v->cap * sizeof *v->stack);
  tsr_free(v->mem, v->marks, v->mark_cap * sizeof *v->marks);
  tsr_free(v->mem, v->memo, v->memo_cap * sizeof *v->memo);
  if (v->globals != NULL) tsr_obj_release(v->globals);
  if (v->storages != NULL) tsr_obj_release(v->storages);
  if (v->meta != NULL) tsr_obj_release(v->meta);
  tsr_umap_dispose(&v->swapped);
}

static tsr_status step(tsr_pvm *v, bool *stopped) {
  v->op_at = v->at;
  if (v->at == v->len) return bad(v, "it ends without STOP");
  uint8_t code = v->p[v->at++];
  const opcode *o = &opcodes[code];
  operand a;
  if (o->name == NULL) return tsr_pvm_fail(v, TSR_EFORMAT, "bad pickle: unknown opcode 0x%02x", code);
  if (!decode(v->p, v->len, &v->at, o->layout, &a))
    return tsr_pvm_fail(v, TSR_EFORMAT, "bad pickle: %s reaches past the end", o->name);
  *stopped = code == '.';
  return o->run(v, &a);
}

tsr_status tsr_pvm_run(tsr_pvm *v, const void *bytes, size_t len, size_t *used, tsr_val *out) {
  bool stopped = false;
  v->p = bytes;
  v->len = len;
  v->at = 0;
  if (v->stack == NULL) TSR_TRY(grow_stack(v)); /* so that pointers into it are never NULL */
  while (!stopped) TSR_TRY(step(v, &stopped));
  if (v->sp != 1 || v->mark_count != 0) return bad(v, "it does not end with one value");
  if (v->opt->hooks != NULL && tsr_pvm_is_script_class(top(v))) return bad(v, "an object was given no state");
  if (v->recheck) TSR_TRY(tsr_pvm_check_depth(v, top(v)));
  *out = pop(v);
  *used = v->at;
  clear(v);
  return TSR_OK;
}

tsr_status tsr_unpickle(const tsr_pickle_options *opt, tsr_errrec *e, const void *bytes, size_t len, tsr_val *out) {
  tsr_pvm v;
  size_t used;
  *out = tsr_none();
  tsr_pvm_init(&v, opt, e);
  if (opt->archive != NULL) v.persistent = tsr_pvm_persistent_zip;
  tsr_status st = tsr_pvm_run(&v, bytes, len, &used, out);
  tsr_pvm_dispose(&v);
  return st;
}
