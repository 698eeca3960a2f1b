/* A parser that writes a program for a machine of threads: all ways to match go through the text side by side, so no
 * pattern takes exponential time. */
#include "frontend/regex.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_CODE = 4096, MAX_SETS = 512, MAX_DEPTH = 100, MAX_REPEAT = 1000 };
static const uint64_t free_steps = 20000000, steps_a_byte = 200; /* a step: a thread passes an instruction */

/* Jumps are relative, so that code can be copied and moved.  SPLIT tries x before y. */
enum { OP_BYTE, OP_SET, OP_SPLIT, OP_JUMP, OP_SAVE, OP_BEGIN, OP_END, OP_WORD, OP_NO_WORD, OP_MATCH };
typedef struct inst { uint8_t op, byte; int16_t x, y; } inst;

typedef struct threads {
  size_t count;
  int *pcs;
  size_t (*slots)[TSR_REGEX_SLOTS];
  uint32_t *marks, mark; /* which instructions are in */
} threads;

typedef struct todo { int pc; int slot; size_t old; } todo; /* slot >= 0: give it its old value back */

struct tsr_regex {
  inst *code;
  size_t count, cap;
  uint8_t (*sets)[32];
  size_t set_count;
  threads lists[2];
  todo *stack;
  uint64_t steps, bytes;
};

/* ---- parsing ---- */

typedef struct parser {
  tsr_regex *re;
  const char *p, *end;
  int depth, groups;
  bool nomem;
  const char *why;
} parser;

static bool fail(parser *s, const char *why) {
  if (s->why == NULL) s->why = why;
  return false;
}

/* count instructions of room at `at`. */
static bool make_room(parser *s, size_t at, size_t count) {
  tsr_regex *re = s->re;
  if (re->count + count > MAX_CODE) return fail(s, "the expression is too large");
  if (re->count + count > re->cap) {
    size_t cap = re->cap * 2 + count + 16;
    inst *grown = realloc(re->code, cap * sizeof *grown);
    if (grown == NULL) {
      s->nomem = true;
      return false;
    }
    re->code = grown;
    re->cap = cap;
  }
  memmove(re->code + at + count, re->code + at, (re->count - at) * sizeof *re->code);
  re->count += count;
  return true;
}

static bool insert(parser *s, size_t at, inst x) {
  if (!make_room(s, at, 1)) return false;
  s->re->code[at] = x;
  return true;
}

static bool emit(parser *s, inst x) { return insert(s, s->re->count, x); }

static void set_add(uint8_t *set, unsigned lo, unsigned hi) {
  for (unsigned c = lo; c <= hi; c++) set[c / 8] |= (uint8_t)(1u << c % 8);
}

static bool set_has(const uint8_t *set, uint8_t c) { return set[c / 8] >> c % 8 & 1; }

static bool add_class(uint8_t *set, char c) {
  uint8_t own[32] = {0};
  switch (c | 32) {
  case 'd': set_add(own, '0', '9'); break;
  case 's': set_add(own, '\t', '\r'), set_add(own, ' ', ' '); break;
  case 'w': set_add(own, '0', '9'), set_add(own, 'A', 'Z'), set_add(own, 'a', 'z'), set_add(own, '_', '_'), set_add(own, 0x80, 0xff); break;
  default: return false;
  }
  for (int i = 0; i < 32; i++) set[i] |= c & 32 ? own[i] : (uint8_t)~own[i];
  return true;
}

static bool new_set(parser *s, uint8_t **out) {
  tsr_regex *re = s->re;
  if (re->set_count == MAX_SETS) return fail(s, "the expression is too large");
  uint8_t (*grown)[32] = realloc(re->sets, (re->set_count + 1) * sizeof *grown);
  if (grown == NULL) {
    s->nomem = true;
    return false;
  }
  re->sets = grown;
  *out = memset(re->sets[re->set_count++], 0, 32);
  return true;
}

/* A set of which some bytes begin a character of several: the others belong to it. */
static bool emit_set(parser *s, const uint8_t *set) {
  bool wide = set_has(set, 0xc3);
  int16_t index = (int16_t)((set - s->re->sets[0]) / 32);
  uint8_t *rest;
  if (!emit(s, (inst){.op = OP_SET, .x = index})) return false;
  if (!wide) return true;
  if (!new_set(s, &rest)) return false;
  set_add(rest, 0x80, 0xbf);
  return emit(s, (inst){.op = OP_SPLIT, .x = 1, .y = 3}) && emit(s, (inst){.op = OP_SET, .x = (int16_t)(s->re->set_count - 1)}) &&
         emit(s, (inst){.op = OP_JUMP, .x = -2});
}

/* The byte that an escaped letter stands for, else -1. */
static int escaped(char c) {
  static const char from[] = "tnrfva", to[] = "\t\n\r\f\v\a";
  const char *at = c != '\0' ? strchr(from, c) : NULL;
  if (at != NULL) return to[at - from];
  bool alnum = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
  return alnum ? -1 : (uint8_t)c;
}

/* "[:alpha:]" of POSIX, past its "[:". */
static bool posix_class(parser *s, uint8_t *set) {
  static const struct { const char *name; const char *ranges; } rows[] = {{"alpha:]", "AZaz"}, {"digit:]", "09"}, {"alnum:]", "09AZaz"}, {"upper:]", "AZ"},
                                                                          {"lower:]", "az"},   {"space:]", "\t\r  "}, {"xdigit:]", "09AFaf"}, {"punct:]", "!/:@[`{~"}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    size_t n = strlen(rows[i].name);
    if ((size_t)(s->end - s->p) < n || memcmp(s->p, rows[i].name, n) != 0) continue;
    for (const char *r = rows[i].ranges; *r != '\0'; r += 2) set_add(set, (uint8_t)r[0], (uint8_t)r[1]);
    s->p += n;
    return true;
  }
  return fail(s, "unknown class in [: :]");
}

/* One byte of a set; *class: it was a class, which is in. */
static bool set_item(parser *s, uint8_t *set, int *byte, bool *class) {
  *class = false;
  if (s->end - s->p > 1 && s->p[0] == '[' && s->p[1] == ':') {
    s->p += 2;
    *class = true;
    return posix_class(s, set);
  }
  *byte = (uint8_t)*s->p++;
  if (*byte != '\\') return true;
  if (s->p == s->end) return fail(s, "a backslash at the end");
  char c = *s->p++;
  *class = add_class(set, c);
  *byte = *class ? 0 : c == 'b' ? '\b' : escaped(c);
  return *byte >= 0 ? true : fail(s, "a bad escape in []");
}

/* Past its "[". */
static bool parse_set(parser *s) {
  uint8_t set[32] = {0}, *kept;
  bool negated = s->p < s->end && *s->p == '^', class, other;
  int lo = 0, hi = 0;
  s->p += negated;
  for (bool first = true; s->p < s->end && (first || *s->p != ']'); first = false) {
    if (!set_item(s, set, &lo, &class)) return false;
    if (class) continue;
    hi = lo;
    if (s->end - s->p > 1 && s->p[0] == '-' && s->p[1] != ']') {
      s->p++;
      if (!set_item(s, set, &hi, &other)) return false;
      if (other || hi < lo) return fail(s, "a bad range in []");
    }
    set_add(set, (unsigned)lo, (unsigned)hi);
  }
  if (s->p == s->end) return fail(s, "[ without ]");
  s->p++;
  if (!new_set(s, &kept)) return false;
  for (int i = 0; i < 32; i++) kept[i] = negated ? (uint8_t)~set[i] : set[i];
  for (int i = 16; i < 24 && negated; i++) kept[i] = 0; /* continuations of UTF-8 begin nothing */
  return emit_set(s, kept);
}

static bool parse_escape(parser *s) {
  uint8_t *set;
  if (s->p == s->end) return fail(s, "a backslash at the end");
  char c = *s->p++;
  if (c >= '1' && c <= '9') return fail(s, "back references are not supported");
  if (c == 'b' || c == 'B') return emit(s, (inst){.op = c == 'b' ? OP_WORD : OP_NO_WORD});
  if (c == 'A' || c == 'Z') return emit(s, (inst){.op = c == 'A' ? OP_BEGIN : OP_END});
  if (strchr("dDsSwW", c) != NULL && c != '\0') return new_set(s, &set) && add_class(set, c) && emit_set(s, set);
  int byte = escaped(c);
  return byte >= 0 ? emit(s, (inst){.op = OP_BYTE, .byte = (uint8_t)byte}) : fail(s, "a bad escape");
}

static bool parse_any(parser *s);

/* Past its "(". */
static bool parse_group(parser *s) {
  int group = 0;
  if (s->end - s->p > 1 && s->p[0] == '?' && s->p[1] == ':') {
    s->p += 2;
  } else if (s->p < s->end && *s->p == '?') {
    const char *close = memchr(s->p, '>', (size_t)(s->end - s->p));
    if (s->end - s->p < 4 || s->p[1] != 'P' || s->p[2] != '<' || close == NULL) return fail(s, "of the groups with (? there are (?:...) and (?P<name>...)");
    s->p = close + 1;
    group = ++s->groups;
  } else {
    group = ++s->groups;
  }
  if (++s->depth > MAX_DEPTH) return fail(s, "groups are nested too deep");
  bool kept = group > 0 && group < TSR_REGEX_SLOTS / 2;
  if (kept && !emit(s, (inst){.op = OP_SAVE, .x = (int16_t)(2 * group)})) return false;
  if (!parse_any(s)) return false;
  if (s->p == s->end) return fail(s, "( without ) behind it");
  s->p++;
  s->depth--;
  return !kept || emit(s, (inst){.op = OP_SAVE, .x = (int16_t)(2 * group + 1)});
}

static bool parse_atom(parser *s) {
  uint8_t *set;
  char c = *s->p++;
  switch (c) {
  case '(': return parse_group(s);
  case '[': return parse_set(s);
  case '\\': return parse_escape(s);
  case '^': return emit(s, (inst){.op = OP_BEGIN});
  case '$': return emit(s, (inst){.op = OP_END});
  case '*': case '+': case '?': return fail(s, "nothing to repeat");
  case '.':
    if (!new_set(s, &set)) return false;
    set_add(set, 0, '\n' - 1);
    set_add(set, '\n' + 1, 0x7f);
    set_add(set, 0xc0, 0xff);
    return emit_set(s, set);
  default: return emit(s, (inst){.op = OP_BYTE, .byte = (uint8_t)c});
  }
}

static bool number(parser *s, const char **p, int *out) {
  *out = 0;
  if (*p == s->end || **p < '0' || **p > '9') return false;
  for (; *p < s->end && **p >= '0' && **p <= '9'; (*p)++) *out = *out > MAX_REPEAT ? *out : *out * 10 + (**p - '0');
  return true;
}

/* "{m}", "{m,}", "{,n}", "{m,n}"; *hi -1: without end.  Anything else is text, as in Python. */
static bool braces(parser *s, int *lo, int *hi) {
  const char *p = s->p + 1;
  bool have = number(s, &p, lo);
  *hi = *lo;
  if (p < s->end && *p == ',') {
    p++;
    bool second = number(s, &p, hi);
    if (!second) *hi = -1;
    have = true;
  }
  if (!have || p == s->end || *p != '}') return false;
  s->p = p + 1;
  return true;
}

static bool quantifier(parser *s, int *lo, int *hi) {
  char c = s->p < s->end ? *s->p : '\0';
  *lo = c == '+';
  *hi = c == '?' ? 1 : -1;
  if (c == '{') return braces(s, lo, hi);
  if (c != '*' && c != '+' && c != '?') return false;
  s->p++;
  return true;
}

static inst split(bool lazy, int in, int out) { return (inst){.op = OP_SPLIT, .x = (int16_t)(lazy ? out : in), .y = (int16_t)(lazy ? in : out)}; }

static bool copy_block(parser *s, const inst *block, size_t n) {
  size_t at = s->re->count;
  if (!make_room(s, at, n)) return false;
  memcpy(s->re->code + at, block, n * sizeof *block);
  return true;
}

/* The code from start on lo to hi times. */
static bool repeat(parser *s, size_t start, int lo, int hi, bool lazy) {
  size_t n = s->re->count - start;
  if (lo > MAX_REPEAT || hi > MAX_REPEAT) return fail(s, "the expression is too large");
  if (hi >= 0 && hi < lo) return fail(s, "the repeat {m,n} has m > n");
  inst *block = malloc((n + 1) * sizeof *block);
  if (block == NULL) {
    s->nomem = true;
    return false;
  }
  memcpy(block, s->re->code + start, n * sizeof *block);
  s->re->count = start;
  bool ok = true;
  for (int i = 0; i < lo && ok; i++) ok = copy_block(s, block, n);
  if (ok && hi < 0)
    ok = emit(s, split(lazy, 1, (int)n + 2)) && copy_block(s, block, n) && emit(s, (inst){.op = OP_JUMP, .x = (int16_t)(-(int)n - 1)});
  for (int i = lo; i < hi && ok; i++) ok = emit(s, split(lazy, 1, (int)n + 1)) && copy_block(s, block, n);
  free(block);
  return ok;
}

static bool parse_sequence(parser *s) {
  while (s->p < s->end && *s->p != '|' && *s->p != ')') {
    size_t start = s->re->count;
    int lo, hi;
    if (!parse_atom(s)) return false;
    if (!quantifier(s, &lo, &hi)) continue;
    bool lazy = s->p < s->end && *s->p == '?';
    s->p += lazy;
    if (!repeat(s, start, lo, hi, lazy)) return false;
    if (s->p < s->end && strchr("*+?", *s->p) != NULL && *s->p != '\0') return fail(s, "multiple repeat");
  }
  return true;
}

static bool parse_any(parser *s) {
  size_t start = s->re->count, last = 0; /* the jumps to the end: each has the distance to the one before */
  while (true) {
    if (!parse_sequence(s)) return false;
    if (s->p == s->end || *s->p != '|') break;
    s->p++;
    if (!insert(s, start, (inst){.op = OP_SPLIT, .x = 1, .y = (int16_t)(s->re->count - start + 2)})) return false;
    start = s->re->count + 1;
    if (!emit(s, (inst){.op = OP_JUMP, .x = (int16_t)(last == 0 ? 0 : s->re->count - last)})) return false;
    last = s->re->count - 1;
  }
  for (size_t before; last != 0; last = before) {
    inst *jump = &s->re->code[last];
    before = jump->x == 0 ? 0 : last - (size_t)jump->x;
    jump->x = (int16_t)(s->re->count - last);
  }
  return true;
}

/* ---- making ---- */

static bool make_lists(tsr_regex *re) {
  for (int i = 0; i < 2; i++) {
    threads *t = &re->lists[i];
    t->pcs = calloc(re->count, sizeof *t->pcs);
    t->slots = calloc(re->count, sizeof *t->slots);
    t->marks = calloc(re->count, sizeof *t->marks);
    if (t->pcs == NULL || t->slots == NULL || t->marks == NULL) return false;
  }
  re->stack = calloc(3 * re->count + 8, sizeof *re->stack);
  return re->stack != NULL;
}

tsr_regex *tsr_regex_new(const char *pattern, size_t len, const char **why) {
  tsr_regex *re = calloc(1, sizeof *re);
  parser s = {.re = re, .p = pattern, .end = pattern + len};
  bool ok = re != NULL && emit(&s, (inst){.op = OP_SAVE, .x = 0}) && parse_any(&s);
  if (ok && s.p < s.end) ok = fail(&s, ") without (");
  ok = ok && emit(&s, (inst){.op = OP_SAVE, .x = 1}) && emit(&s, (inst){.op = OP_MATCH}) && make_lists(re);
  *why = ok ? NULL : s.why;
  if (ok) return re;
  tsr_regex_free(re);
  return NULL;
}

void tsr_regex_free(tsr_regex *re) {
  if (re == NULL) return;
  for (int i = 0; i < 2; i++) {
    free(re->lists[i].pcs);
    free(re->lists[i].slots);
    free(re->lists[i].marks);
  }
  free(re->stack);
  free(re->sets);
  free(re->code);
  free(re);
}

/* ---- searching ---- */

typedef struct subject { const char *text; size_t len, barred; } subject; /* barred: no empty match there */

static bool is_word(const subject *s, size_t at) {
  uint8_t c = at < s->len ? (uint8_t)s->text[at] : ' ';
  return c >= 0x80 || c == '_' || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool holds(const inst *i, const subject *s, size_t at) {
  bool edge = (at > 0 && is_word(s, at - 1)) != is_word(s, at);
  return i->op == OP_BEGIN ? at == 0 : i->op == OP_END ? at == s->len : edge == (i->op == OP_WORD);
}

static void clear(threads *t) {
  t->count = 0;
  t->mark++; /* the count of steps keeps it from coming round */
}

/* The thread at pc and all it leads to without reading: in order of preference. */
static void add(tsr_regex *re, threads *t, int pc, size_t slots[TSR_REGEX_SLOTS], const subject *s, size_t at) {
  size_t n = 0;
  re->stack[n++] = (todo){pc, -1, 0};
  while (n > 0) {
    todo x = re->stack[--n];
    if (x.slot >= 0) {
      slots[x.slot] = x.old;
      continue;
    }
    if (t->marks[x.pc] == t->mark) continue;
    t->marks[x.pc] = t->mark;
    re->steps++;
    const inst *i = &re->code[x.pc];
    switch (i->op) {
    case OP_JUMP: re->stack[n++] = (todo){x.pc + i->x, -1, 0}; break;
    case OP_SPLIT:
      re->stack[n++] = (todo){x.pc + i->y, -1, 0};
      re->stack[n++] = (todo){x.pc + i->x, -1, 0};
      break;
    case OP_SAVE:
      re->stack[n++] = (todo){0, i->x, slots[i->x]};
      slots[i->x] = at;
      re->stack[n++] = (todo){x.pc + 1, -1, 0};
      break;
    case OP_BYTE: case OP_SET: case OP_MATCH:
      t->pcs[t->count] = x.pc;
      memcpy(t->slots[t->count++], slots, TSR_REGEX_SLOTS * sizeof *slots);
      break;
    default:
      if (holds(i, s, at)) re->stack[n++] = (todo){x.pc + 1, -1, 0};
    }
  }
}

/* All threads over the character at `at`; true: one has arrived. */
static bool step(tsr_regex *re, threads *now, threads *next, const subject *s, size_t at, size_t out[TSR_REGEX_SLOTS]) {
  for (size_t k = 0; k < now->count; k++) {
    const inst *i = &re->code[now->pcs[k]];
    if (i->op == OP_MATCH && at == s->barred) continue;
    if (i->op == OP_MATCH) { /* those behind it are worse */
      memcpy(out, now->slots[k], sizeof now->slots[k]);
      return true;
    }
    uint8_t c = at < s->len ? (uint8_t)s->text[at] : 0;
    if (at < s->len && (i->op == OP_BYTE ? c == i->byte : set_has(re->sets[i->x], c))) add(re, next, now->pcs[k] + 1, now->slots[k], s, at + 1);
  }
  return false;
}

int tsr_regex_search(tsr_regex *re, const char *text, size_t len, size_t from, bool advance, size_t slots[TSR_REGEX_SLOTS]) {
  threads *now = &re->lists[0], *next = &re->lists[1];
  subject s = {text, len, advance ? from : SIZE_MAX};
  bool found = false;
  clear(now);
  for (size_t at = from; at <= len; at++) {
    size_t none[TSR_REGEX_SLOTS];
    memset(none, 0xff, sizeof none);
    if (!found) add(re, now, 0, none, &s, at);
    if (now->count == 0 && found) break;
    clear(next);
    if (step(re, now, next, &s, at, slots)) found = true;
    if (re->steps > free_steps + steps_a_byte * ++re->bytes) return -1;
    threads *t = now;
    now = next;
    next = t;
  }
  return found;
}
