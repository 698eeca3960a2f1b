/* Follows a pickle with a stack of what its values are called, not of the values: enough to say which global is
 * named, and with which arguments it would be called. */
#include <stdio.h>
#include <stdlib.h>

#include "frontend/pickle_vm.h"
#include "frontend/scan.h"
#include "frontend/text.h"

#define MAX_FOLLOWED ((size_t)1 << 22) /* values on the stack and in the memo */
#define MAX_SHOWN 8                    /* of the items of a tuple */

typedef enum shape { ANY, TEXT, GLOBAL, TUPLE, RESULT, MARKER } shape;

typedef struct value {
  uint8_t shape;
  uint32_t count;     /* TUPLE: items kept, from nodes[index] */
  uint32_t index;     /* GLOBAL, RESULT: of the scan's globals + 1, 0: none; TUPLE: see above */
  uint32_t len;       /* TEXT */
  const uint8_t *p;
} value;

typedef struct follower {
  tsr_scan *s;
  const char *where;
  value *stack, *memo, *nodes;
  size_t sp, cap, memo_cap, node_count, node_cap;
  uint64_t memo_next;
  tsr_pickle_op op;
  int protocol;
  bool called;        /* the opcode before this one called something that is not known */
  bool underflow, broken;
} follower;

static void odd(follower *f, const char *what) { tsr_scan_add(f->s, TSR_SCAN_ODD, f->where, "offset %zu: %s", f->op.at, what); }

/* ---- stack ---- */

static bool grow(follower *f, value **items, size_t *cap, size_t need) {
  if (need <= *cap) return true;
  size_t want = TSR_MAX(need, *cap * 2 + 64);
  if (want > MAX_FOLLOWED * 2) want = MAX_FOLLOWED * 2;
  value *grown = need > MAX_FOLLOWED ? NULL : realloc(*items, want * sizeof *grown);
  if (grown == NULL) {
    if (need <= MAX_FOLLOWED) f->s->oom = true;
    return false;
  }
  memset(grown + *cap, 0, (want - *cap) * sizeof *grown);
  *items = grown;
  *cap = want;
  return true;
}

static void push(follower *f, value v) {
  if (grow(f, &f->stack, &f->cap, f->sp + 1)) f->stack[f->sp++] = v;
  else f->broken = true;
}

static value pop(follower *f) {
  if (f->sp == 0 || f->stack[f->sp - 1].shape == MARKER) {
    if (!f->underflow) odd(f, "it takes more from its stack than it put there");
    f->underflow = true;
    return (value){0};
  }
  return f->stack[--f->sp];
}

static value top(const follower *f) { return f->sp == 0 ? (value){0} : f->stack[f->sp - 1]; }

/* Items above the top mark, which goes too. */
static size_t to_mark(follower *f) {
  size_t n = 0;
  while (n < f->sp && f->stack[f->sp - 1 - n].shape != MARKER) n++;
  if (n == f->sp) {
    odd(f, "there is no mark");
    f->sp = 0;
    return 0;
  }
  f->sp -= n + 1;
  memmove(f->stack + f->sp, f->stack + f->sp + 1, n * sizeof *f->stack); /* items now lie above sp */
  return n;
}

static value tuple_of(follower *f, const value *items, size_t n) {
  value v = {.shape = TUPLE, .index = (uint32_t)f->node_count, .count = (uint32_t)TSR_MIN(n, (size_t)MAX_SHOWN)};
  if (!grow(f, &f->nodes, &f->node_cap, f->node_count + v.count)) return (value){0};
  if (v.count > 0) memcpy(f->nodes + f->node_count, items, v.count * sizeof *items);
  f->node_count += v.count;
  return v;
}

/* ---- what is said of a call ---- */

static void put_value(const follower *f, value v, tsr_buf *b, int depth) {
  switch (v.shape) {
    case TEXT:
      tsr_buf_putc(b, '"');
      tsr_buf_puts(b, tsr_show((const char *)v.p, v.len).text);
      tsr_buf_putc(b, '"');
      break;
    case GLOBAL:
    case RESULT:
      tsr_buf_puts(b, v.index == 0 ? "..." : tsr_show(f->s->globals[v.index - 1].name, strlen(f->s->globals[v.index - 1].name)).text);
      if (v.shape == RESULT) tsr_buf_puts(b, "(...)");
      break;
    case TUPLE:
      tsr_buf_putc(b, '(');
      for (uint32_t i = 0; i < v.count && depth < 3 && b->len < 300; i++) {
        if (i > 0) tsr_buf_puts(b, ", ");
        put_value(f, f->nodes[v.index + i], b, depth + 1);
      }
      tsr_buf_putc(b, ')');
      break;
    default: tsr_buf_puts(b, "..."); break;
  }
}

static void report_call(follower *f, const tsr_scan_global *g, value args, const char *how) {
  tsr_buf b = {0};
  put_value(f, args, &b, 0);
  tsr_scan_add(f->s, g->trust == TSR_TRUST_DANGEROUS ? TSR_SCAN_DANGER : TSR_SCAN_ODD, f->where, "offset %zu: %s %s %s with %s", f->op.at, f->op.name, how,
               tsr_show(g->name, strlen(g->name)).text, b.data == NULL ? "..." : b.data);
  tsr_buf_dispose(&b);
}

/* An object of cls comes from args.  making: by the class's __new__ only, which runs no __init__. */
static value call(follower *f, value callee, value args, bool making) {
  if (callee.shape != GLOBAL) {
    if (callee.shape == RESULT || callee.shape == TEXT || callee.shape == TUPLE) odd(f, "it calls something that an earlier call gave");
    f->called = true;
    return (value){.shape = RESULT};
  }
  if (callee.index == 0) return (value){.shape = RESULT};
  tsr_scan_global *g = &f->s->globals[callee.index - 1];
  g->calls++;
  f->called = g->trust >= TSR_TRUST_OPAQUE;
  if (g->trust == TSR_TRUST_DANGEROUS || (g->trust == TSR_TRUST_OPAQUE && !making)) report_call(f, g, args, making ? "makes" : "calls");
  if (strstr(g->name, "._reconstructor") != NULL && args.shape == TUPLE && args.count > 0 && f->nodes[args.index].index != callee.index)
    return call(f, f->nodes[args.index], args, true);
  return (value){.shape = RESULT, .index = callee.index};
}

static void name_global(follower *f, const uint8_t *module, size_t module_len, const uint8_t *name, size_t name_len) {
  tsr_buf b = {0};
  tsr_buf_put(&b, (const char *)module, module_len);
  tsr_buf_putc(&b, '.');
  tsr_buf_put(&b, (const char *)name, name_len);
  tsr_scan_global *g = b.data == NULL ? NULL : tsr_scan_note_global(f->s, b.data, b.len);
  if (g != NULL && g->uses == 1 && g->trust == TSR_TRUST_DANGEROUS)
    tsr_scan_add(f->s, TSR_SCAN_DANGER, f->where, "offset %zu: it names %s", f->op.at, tsr_show(b.data, b.len).text);
  push(f, (value){.shape = GLOBAL, .index = g == NULL ? 0 : (uint32_t)(g - f->s->globals) + 1});
  tsr_buf_dispose(&b);
}

/* ---- memo ---- */

static uint64_t number(const tsr_pickle_op *op) {
  uint64_t x = 0;
  bool text = op->code == 'p' || op->code == 'g';
  for (size_t i = 0; i < op->arg_len && i < 19; i++) {
    if (text) x = op->arg[i] >= '0' && op->arg[i] <= '9' ? x * 10 + (uint64_t)(op->arg[i] - '0') : x;
    else x |= (uint64_t)op->arg[i] << (8 * i);
  }
  return x;
}

static void put(follower *f, uint64_t id, size_t len) {
  if (id > len) odd(f, "a memo number is larger than the pickle is long");
  if (id >= MAX_FOLLOWED || !grow(f, &f->memo, &f->memo_cap, (size_t)id + 1)) return;
  f->memo[id] = top(f);
  f->memo[id].shape |= 0x80; /* stored */
  f->memo_next++;
}

static void get(follower *f, uint64_t id) {
  if (id >= f->memo_cap || !(f->memo[id].shape & 0x80)) {
    if (id < MAX_FOLLOWED) odd(f, "it takes a memo that was never stored");
    push(f, (value){0});
    return;
  }
  value v = f->memo[id];
  v.shape &= 0x7f;
  push(f, v);
}

/* ---- opcodes ---- */

static int since(uint8_t code) {
  if (code == 0x80 || (code >= 0x81 && code <= 0x8b)) return 2;
  if (code == 'B' || code == 'C') return 3;
  if (code >= 0x8c && code <= 0x95) return 4;
  return code >= 0x96 ? 5 : 0; /* 0 and 1 declare nothing */
}

static void check_protocol(follower *f, int *warned) {
  if (f->op.code == 0x80) {
    f->protocol = f->op.arg[0];
    if (f->op.at != 0) odd(f, "PROTO stands inside");
    if (f->protocol > 5) odd(f, "a protocol that does not exist");
    if (f->s->protocol_low < 0 || f->protocol < f->s->protocol_low) f->s->protocol_low = f->protocol;
    if (f->protocol > f->s->protocol_high) f->s->protocol_high = f->protocol;
  } else if (since(f->op.code) > f->protocol && *warned == 0) {
    *warned = 1;
    tsr_scan_add(f->s, TSR_SCAN_ODD, f->where, "offset %zu: %s belongs to protocol %d, the pickle declares %d", f->op.at, f->op.name, since(f->op.code), f->protocol);
  }
}

static void step_objects(follower *f) {
  value a, b;
  size_t n;
  switch (f->op.code) {
    case 'c': name_global(f, f->op.arg, f->op.arg_len, f->op.arg2, f->op.arg2_len); break;
    case 0x93:
      b = pop(f), a = pop(f);
      if (a.shape != TEXT || b.shape != TEXT) {
        odd(f, "STACK_GLOBAL takes its name from something other than two strings");
        push(f, (value){.shape = RESULT});
      } else {
        name_global(f, a.p, a.len, b.p, b.len);
      }
      break;
    case 'R': b = pop(f), a = pop(f), push(f, call(f, a, b, false)); break;
    case 0x81: b = pop(f), a = pop(f), push(f, call(f, a, b, true)); break;
    case 0x92: pop(f), b = pop(f), a = pop(f), push(f, call(f, a, b, true)); break;
    case 'i':
      n = to_mark(f);
      a = tuple_of(f, n == 0 ? NULL : f->stack + f->sp, n);
      name_global(f, f->op.arg, f->op.arg_len, f->op.arg2, f->op.arg2_len);
      b = pop(f), push(f, call(f, b, a, false));
      break;
    case 'o':
      n = to_mark(f);
      a = n == 0 ? (value){0} : f->stack[f->sp];
      b = tuple_of(f, n < 2 ? NULL : f->stack + f->sp + 1, n < 2 ? 0 : n - 1);
      push(f, call(f, a, b, false));
      break;
    case 'b': pop(f); break; /* BUILD: the object stays */
    case 'P': case 'Q':
      if (f->op.code == 'Q') pop(f);
      push(f, (value){0});
      break;
    case 0x82: case 0x83: case 0x84: odd(f, "it names a global by a number of Python's extension registry"), push(f, (value){.shape = RESULT}); break;
    default: break;
  }
}

static void step_containers(follower *f) {
  size_t n;
  value v;
  switch (f->op.code) {
    case '(': push(f, (value){.shape = MARKER}); break;
    case 't': n = to_mark(f), v = tuple_of(f, n == 0 ? NULL : f->stack + f->sp, n), push(f, v); break;
    case ')': push(f, (value){.shape = TUPLE}); break;
    case 0x85: case 0x86: case 0x87:
      n = (size_t)(f->op.code - 0x84);
      if (f->sp < n) n = f->sp;
      f->sp -= n, v = tuple_of(f, n == 0 ? NULL : f->stack + f->sp, n), push(f, v);
      break;
    case 'l': case 'd': case 0x91: to_mark(f), push(f, (value){0}); break;
    case 'e': case 'u': case 0x90: to_mark(f); break;
    case 'a': pop(f); break;
    case 's': pop(f), pop(f); break;
    case '0':
      if (f->called) odd(f, "what a call gave is thrown away: it is made for its effect");
      if (f->sp > 0) f->sp--; /* a mark goes, too */
      else odd(f, "it takes more from its stack than it put there");
      break;
    case '1': to_mark(f); break;
    case '2': push(f, top(f)); break;
    default: break;
  }
}

static bool pushes_text(uint8_t c) { return strchr("VXSTU", c) != NULL || c == 0x8c || c == 0x8d; }

static void step(follower *f, size_t len) {
  uint8_t c = f->op.code;
  bool called = f->called;
  if (strchr("cRio0bPQ", c) != NULL || c == 0x93 || c == 0x81 || c == 0x92 || (c >= 0x82 && c <= 0x84)) {
    if (c != '0') f->called = false;
    if (c == '0') step_containers(f);
    else step_objects(f);
    if (c == '0') f->called = false;
    return;
  }
  f->called = called && (c == 'q' || c == 'r' || c == 'p' || c == 0x94); /* storing is between */
  if (c == 'q' || c == 'r' || c == 'p') put(f, number(&f->op), len);
  else if (c == 0x94) put(f, f->memo_next, len);
  else if (c == 'h' || c == 'j' || c == 'g') get(f, number(&f->op));
  else if (pushes_text(c)) {
    const uint8_t *p = f->op.arg;
    size_t n = f->op.arg_len;
    if (c == 'S' && n >= 2) p++, n -= 2; /* its quotes */
    push(f, (value){.shape = TEXT, .p = p, .len = (uint32_t)TSR_MIN(n, (size_t)UINT32_MAX)});
    const char *risk = tsr_scan_operator_risk((const char *)p, n);
    if (risk != NULL) tsr_scan_add(f->s, TSR_SCAN_DANGER, f->where, "offset %zu: operator %s %s", f->op.at, tsr_show((const char *)p, n).text, risk);
  } else if (strchr("(t)ldeuas12", c) != NULL || (c >= 0x85 && c <= 0x87) || c == 0x90 || c == 0x91) step_containers(f);
  else if (c == 0x97) odd(f, "it wants a buffer from outside"), push(f, (value){0});
  else if (c != 0x80 && c != 0x95 && c != 0x98 && c != '.') push(f, (value){0});
}

size_t tsr_scan_pickle(tsr_scan *s, const char *where, const uint8_t *p, size_t len) {
  follower f = {.s = s, .where = where};
  size_t at = 0, end = 0;
  int warned = 0;
  s->pickles++;
  while (end == 0 && !s->oom && !f.broken) {
    if (!tsr_pickle_decode(p, len, &at, &f.op)) {
      if (f.op.at >= len) odd(&f, "the pickle has no end");
      else if (f.op.name == NULL) tsr_scan_add(s, TSR_SCAN_ODD, where, "offset %zu: unknown opcode 0x%02x", f.op.at, f.op.code);
      else tsr_scan_add(s, TSR_SCAN_ODD, where, "offset %zu: %s reaches past the end", f.op.at, f.op.name);
      break;
    }
    check_protocol(&f, &warned);
    if (f.op.code == '.') {
      if (f.sp != 1) odd(&f, "it does not end with one value");
      end = at;
    } else {
      step(&f, len);
    }
  }
  if (f.broken) tsr_scan_add(s, TSR_SCAN_ODD, where, "offset %zu: more values than can be followed", f.op.at);
  if (f.protocol == 0 && (s->protocol_low < 0 || s->protocol_low > 0) && end != 0 && p[0] != 0x80) s->protocol_low = 0;
  if (s->protocol_high < 0 && end != 0) s->protocol_high = 0;
  free(f.stack);
  free(f.memo);
  free(f.nodes);
  return end;
}
