/* Reads *.debug_pkl with a pickle reader of its own: integers, text, tuples and lists of integers, no
 * globals are looked at, nothing is built that is not a tree of tuples.  The index is made on the
 * first look-up (a program that never fails never pays) and published with one atomic exchange. */
#include "frontend/ranges.h"

#include <stdlib.h>

#include "core/threads.h"

#define MAX_INDEX (512u << 20) /* bytes of memory for one file's index and texts */

typedef struct item item;
typedef enum item_kind { ITEM_OTHER, ITEM_MARK, ITEM_NONE, ITEM_INT, ITEM_TEXT, ITEM_TUPLE } item_kind;
struct item {
  item_kind kind;
  uint32_t count; /* ITEM_TEXT: bytes; ITEM_TUPLE (tuples and lists): items */
  union {
    int64_t i;
    const char *text;
    item *items;
  };
};

typedef struct stack {
  item *items;
  size_t len, cap;
} stack;

typedef struct reader {
  const uint8_t *p, *end;
  tsr_arena *arena;
  stack stack, memo;
} reader;

typedef struct source { /* one original text that records point into */
  const item *items;    /* the source tuple, its identity */
  const char *text;
  size_t len;
  bool assembled;
} source;

typedef struct record {
  uint32_t offset, source;
  uint32_t begin, end;
} record;

typedef struct index {
  tsr_arena *arena;
  tsr_lock *lock; /* guards the assembly of texts */
  item texts;     /* the string table; kind ITEM_NONE in the plain form */
  record *records;
  size_t record_count;
  source *sources;
  size_t source_count;
} index_t;

struct tsr_ranges {
  const void *bytes;
  size_t len;
  index_t *index;
};

/* ---- the pickle */

static bool push(reader *r, stack *s, item v) {
  if (s->len == s->cap) {
    size_t cap = s->cap * 2 + 64;
    item *items = tsr_arena_alloc(r->arena, cap * sizeof *items);
    if (items == NULL) return false;
    if (s->len > 0) memcpy(items, s->items, s->len * sizeof *items);
    s->items = items;
    s->cap = cap;
  }
  s->items[s->len++] = v;
  return true;
}

static bool push_int(reader *r, int64_t i) { return push(r, &r->stack, (item){ITEM_INT, 0, {.i = i}}); }

static bool take_bytes(reader *r, size_t n, const uint8_t **out) {
  if ((size_t)(r->end - r->p) < n) return false;
  *out = r->p;
  r->p += n;
  return true;
}

/* n <= 8 bytes, little-endian, not sign-extended */
static bool take_uint(reader *r, size_t n, uint64_t *out) {
  const uint8_t *b;
  if (!take_bytes(r, n, &b)) return false;
  *out = 0;
  for (size_t i = 0; i < n; i++) *out |= (uint64_t)b[i] << (8 * i);
  return true;
}

static bool read_long(reader *r) {
  uint64_t n, v;
  if (!take_uint(r, 1, &n) || n > 8 || !take_uint(r, n, &v)) return false;
  if (n > 0 && n < 8 && (v >> (8 * n - 1)) != 0) v |= UINT64_MAX << (8 * n);
  return push_int(r, (int64_t)v);
}

static bool read_text(reader *r, size_t length_bytes) {
  uint64_t n;
  const uint8_t *b;
  if (!take_uint(r, length_bytes, &n) || n > UINT32_MAX || !take_bytes(r, n, &b)) return false;
  return push(r, &r->stack, (item){ITEM_TEXT, (uint32_t)n, {.text = (const char *)b}});
}

static bool skip_line(reader *r) {
  const uint8_t *nl = memchr(r->p, '\n', (size_t)(r->end - r->p));
  if (nl == NULL) return false;
  r->p = nl + 1;
  return true;
}

static bool find_mark(const reader *r, size_t *at) {
  for (size_t i = r->stack.len; i-- > 0;) {
    if (r->stack.items[i].kind != ITEM_MARK) continue;
    *at = i;
    return true;
  }
  return false;
}

/* Replace the items from `from` on, and `drop` things below them, by one tuple. */
static bool make_tuple(reader *r, size_t from, size_t drop) {
  size_t n = r->stack.len - from;
  item t = {ITEM_TUPLE, (uint32_t)n, {.items = NULL}};
  if (n > UINT32_MAX) return false;
  if (n > 0) {
    t.items = tsr_arena_alloc(r->arena, n * sizeof *t.items);
    if (t.items == NULL) return false;
    memcpy(t.items, r->stack.items + from, n * sizeof *t.items);
  }
  r->stack.len = from - drop;
  return push(r, &r->stack, t);
}

static bool make_tuple_n(reader *r, size_t n) { return r->stack.len >= n && make_tuple(r, r->stack.len - n, 0); }

/* MARK items TUPLE, or an empty list, MARK, items, APPENDS: the list is a tuple to us. */
static bool make_marked(reader *r, bool appends) {
  size_t mark;
  if (!find_mark(r, &mark)) return false;
  if (!appends) return make_tuple(r, mark + 1, 1);
  if (mark == 0 || r->stack.items[mark - 1].kind != ITEM_TUPLE || r->stack.items[mark - 1].count != 0) return false;
  return make_tuple(r, mark + 1, 2);
}

/* build_intlist((list,)): the list itself. */
static bool reduce(reader *r) {
  if (r->stack.len < 2) return false;
  item args = r->stack.items[r->stack.len - 1];
  r->stack.len -= 2;
  item result = {ITEM_OTHER, 0, {.i = 0}};
  if (args.kind == ITEM_TUPLE && args.count == 1) result = args.items[0];
  return push(r, &r->stack, result);
}

static bool put(reader *r, size_t id_bytes) {
  uint64_t id;
  if (!take_uint(r, id_bytes, &id) || r->stack.len == 0 || id > r->memo.len + 256) return false; /* ids are dense */
  while (r->memo.len <= id)
    if (!push(r, &r->memo, (item){ITEM_OTHER, 0, {.i = 0}})) return false;
  r->memo.items[id] = r->stack.items[r->stack.len - 1];
  return true;
}

static bool get(reader *r, size_t id_bytes) {
  uint64_t id;
  return take_uint(r, id_bytes, &id) && id < r->memo.len && push(r, &r->stack, r->memo.items[id]);
}

static bool step(reader *r, uint8_t op) {
  uint64_t n;
  switch (op) {
  case 0x80:
    return take_uint(r, 1, &n); /* PROTO */
  case '(':
    return push(r, &r->stack, (item){ITEM_MARK, 0, {.i = 0}});
  case ')':
  case ']':
    return push(r, &r->stack, (item){ITEM_TUPLE, 0, {.items = NULL}});
  case 't':
    return make_marked(r, false);
  case 'e':
    return make_marked(r, true);
  case 0x85:
    return make_tuple_n(r, 1);
  case 0x86:
    return make_tuple_n(r, 2);
  case 0x87:
    return make_tuple_n(r, 3);
  case 'K':
    return take_uint(r, 1, &n) && push_int(r, (int64_t)n);
  case 'M':
    return take_uint(r, 2, &n) && push_int(r, (int64_t)n);
  case 'J':
    return take_uint(r, 4, &n) && push_int(r, (int32_t)(uint32_t)n);
  case 0x8a:
    return read_long(r);
  case 'X':
    return read_text(r, 4);
  case 0x8c:
    return read_text(r, 1); /* SHORT_BINUNICODE */
  case 'N':
    return push(r, &r->stack, (item){ITEM_NONE, 0, {.i = 0}});
  case 'c':
    return skip_line(r) && skip_line(r) && push(r, &r->stack, (item){ITEM_OTHER, 0, {.i = 0}});
  case 'R':
    return reduce(r);
  case 'q':
    return put(r, 1);
  case 'r':
    return put(r, 4);
  case 'h':
    return get(r, 1);
  case 'j':
    return get(r, 4);
  default:
    return false;
  }
}

static bool unpickle(reader *r, item *top) {
  while (r->p < r->end) {
    uint8_t op = *r->p++;
    if (op == '.') {
      if (r->stack.len == 0) return false;
      *top = r->stack.items[r->stack.len - 1];
      return true;
    }
    if (!step(r, op)) return false;
  }
  return false;
}

/* ---- the index */

static bool is_tuple(const item *v, uint32_t at_least) { return v->kind == ITEM_TUPLE && v->count >= at_least; }
static bool is_offset(const item *v) { return v->kind == ITEM_INT && v->i >= 0 && v->i <= UINT32_MAX; }

/* Neighbouring records share their source more often than not; the tuple's address is its identity. */
static bool intern_source(index_t *x, const item *tuple, size_t *cap, uint32_t *out) {
  for (size_t i = x->source_count, looked = 0; i-- > 0 && looked < 64; looked++) {
    if (x->sources[i].items != tuple->items) continue;
    *out = (uint32_t)i;
    return true;
  }
  if (x->source_count == *cap) {
    size_t bigger = *cap * 2 + 16;
    source *s = tsr_arena_alloc(x->arena, bigger * sizeof *s);
    if (s == NULL) return false;
    if (*cap > 0) memcpy(s, x->sources, *cap * sizeof *s);
    x->sources = s;
    *cap = bigger;
  }
  *out = (uint32_t)x->source_count;
  x->sources[x->source_count++] = (source){.items = tuple->items};
  return true;
}

/* (byte_offset, (source, begin, end)[, tag]) with source = (text or line ids, file or its id, first line) */
static bool read_record(const item *v, record *out, const item **src) {
  if (!is_tuple(v, 2) || !is_offset(&v->items[0]) || !is_tuple(&v->items[1], 3)) return false;
  const item *range = v->items[1].items;
  if (!is_tuple(&range[0], 3) || !is_offset(&range[1]) || !is_offset(&range[2]) || range[1].i > range[2].i)
    return false;
  *out = (record){(uint32_t)v->items[0].i, 0, (uint32_t)range[1].i, (uint32_t)range[2].i};
  *src = &range[0];
  return true;
}

static int by_offset(const void *a, const void *b) {
  const record *x = a, *y = b;
  return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static void fill(index_t *x, const item *records) {
  size_t cap = 0;
  bool sorted = true;
  x->records = tsr_arena_alloc(x->arena, ((size_t)records->count + 1) * sizeof *x->records);
  if (x->records == NULL) return;
  for (uint32_t i = 0; i < records->count; i++) {
    record rec;
    const item *src;
    if (!read_record(&records->items[i], &rec, &src)) continue;
    if (!intern_source(x, src, &cap, &rec.source)) return;
    if (x->record_count > 0 && x->records[x->record_count - 1].offset > rec.offset) sorted = false;
    x->records[x->record_count++] = rec;
  }
  if (!sorted) qsort(x->records, x->record_count, sizeof *x->records, by_offset);
}

static bool text_is(const item *v, const char *word) {
  return v->kind == ITEM_TEXT && v->count == strlen(word) && memcmp(v->text, word, v->count) == 0;
}

static void index_free(index_t *x) {
  if (x == NULL) return;
  tsr_lock_free(x->lock);
  tsr_arena_free(x->arena); /* holds x itself */
}

/* NULL: out of memory.  An index without records is what damage gives. */
static index_t *index_new(const void *bytes, size_t len) {
  tsr_arena *arena = tsr_arena_new();
  if (arena == NULL) return NULL;
  tsr_arena_set_limit(arena, MAX_INDEX);
  index_t *x = tsr_arena_alloc(arena, sizeof *x);
  tsr_lock *lock = x == NULL ? NULL : tsr_lock_new();
  if (lock == NULL) {
    tsr_arena_free(arena);
    return NULL;
  }
  *x = (index_t){.arena = arena, .lock = lock, .texts = {ITEM_NONE, 0, {.i = 0}}};
  reader r = {.p = bytes, .end = (const uint8_t *)bytes + len, .arena = arena};
  item top;
  if (!unpickle(&r, &top) || top.kind != ITEM_TUPLE) return x;
  if (top.count == 3 && text_is(&top.items[0], "FORMAT_WITH_STRING_TABLE")) {
    x->texts = top.items[1];
    top = top.items[2];
    if (x->texts.kind != ITEM_TUPLE || top.kind != ITEM_TUPLE) return x;
  }
  fill(x, &top);
  return x;
}

static index_t *get_index(tsr_ranges *r) {
  index_t *x = __atomic_load_n(&r->index, __ATOMIC_ACQUIRE), *seen = NULL;
  if (x != NULL) return x;
  x = index_new(r->bytes, r->len);
  if (x == NULL || __atomic_compare_exchange_n(&r->index, &seen, x, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
    return x;
  index_free(x); /* another thread was first */
  return seen;
}

/* ---- look-up */

static const item *table_text(const index_t *x, const item *id) {
  if (id->kind != ITEM_INT || id->i < 0 || id->i >= x->texts.count) return NULL;
  const item *v = &x->texts.items[id->i];
  return v->kind == ITEM_TEXT ? v : NULL;
}

/* Join the lines of a source.  The arena's limit bounds what a hostile file can multiply. */
static bool join_lines(index_t *x, source *s, const item *lines) {
  size_t len = 0;
  for (uint32_t i = 0; i < lines->count; i++) {
    const item *t = table_text(x, &lines->items[i]);
    if (t == NULL || len > MAX_INDEX) return false;
    len += t->count;
  }
  char *text = tsr_arena_alloc(x->arena, len + 1), *out = text;
  if (text == NULL) return false;
  for (uint32_t i = 0; i < lines->count; i++) {
    const item *t = table_text(x, &lines->items[i]);
    if (t->count > 0) memcpy(out, t->text, t->count);
    out += t->count;
  }
  s->text = text;
  s->len = len;
  return true;
}

static bool assemble(index_t *x, source *s) {
  const item *text = &s->items[0];
  if (s->assembled) return s->text != NULL;
  s->assembled = true;
  if (x->texts.kind == ITEM_TUPLE) return text->kind == ITEM_TUPLE && join_lines(x, s, text);
  if (text->kind != ITEM_TEXT) return false;
  s->text = text->text;
  s->len = text->count;
  return true;
}

static const record *find_record(const index_t *x, uint32_t offset) {
  size_t lo = 0, hi = x->record_count; /* records[lo - 1].offset <= offset < records[hi].offset */
  while (lo < hi) {
    size_t mid = lo + (hi - lo) / 2;
    if (x->records[mid].offset <= offset)
      lo = mid + 1;
    else
      hi = mid;
  }
  return lo == 0 ? NULL : &x->records[lo - 1];
}

static bool describe(const index_t *x, const record *rec, const source *s, tsr_origin *out) {
  const item *file = &s->items[1], *first = &s->items[2];
  if (s->len == 0 || rec->end > s->len || !is_offset(first)) return false;
  *out = (tsr_origin){.file = "", .text = s->text, .text_len = s->len, .begin = rec->begin, .end = rec->end};
  if (x->texts.kind == ITEM_TUPLE) file = table_text(x, file);
  if (file != NULL && file->kind == ITEM_TEXT) {
    out->file = file->text;
    out->file_len = file->count;
  }
  int64_t line = first->i;
  for (uint32_t i = 0; i < rec->begin; i++) line += s->text[i] == '\n';
  out->line = (int)TSR_MIN(line, INT32_MAX);
  return true;
}

tsr_ranges *tsr_ranges_parse(tsr_arena *arena, const void *bytes, size_t len) {
  tsr_ranges *r = tsr_arena_alloc(arena, sizeof *r);
  if (r == NULL) return NULL;
  *r = (tsr_ranges){.bytes = bytes, .len = len};
  return r;
}

bool tsr_ranges_find(const tsr_ranges *ranges, uint32_t offset, tsr_origin *out) {
  /* the index is a cache: a ranges is constant to its users */
  index_t *x = ranges == NULL ? NULL : get_index((tsr_ranges *)ranges);
  const record *rec = x == NULL ? NULL : find_record(x, offset);
  if (rec == NULL) return false;
  source *s = &x->sources[rec->source];
  tsr_lock_enter(x->lock);
  bool ok = assemble(x, s);
  tsr_lock_leave(x->lock);
  return ok && describe(x, rec, s, out);
}

void tsr_ranges_free(tsr_ranges *r) {
  if (r == NULL) return;
  index_free(r->index);
  r->index = NULL;
}
