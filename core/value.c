/* Objects behind values: construction, destruction, lists, identity, equality, hashing. */
#include "core/value.h"

#include <math.h>
#include <stdlib.h>

#include "core/tensor.h"

static void *obj_new(tsr_mem *mem, tsr_tag tag, size_t size) {
  tsr_obj *o = tsr_alloc(mem, size);
  if (o == NULL) return NULL;
  memset(o, 0, size);
  o->refs = 1;
  o->tag = (uint8_t)tag;
  o->mem = mem;
  return o;
}

tsr_str *tsr_str_new(tsr_mem *mem, const char *bytes, size_t len) {
  if (len > PTRDIFF_MAX / 2) return NULL;
  tsr_str *s = tsr_alloc(mem, sizeof *s + len + 1);
  if (s == NULL) return NULL;
  memset(s, 0, sizeof *s);
  s->h.refs = 1;
  s->h.tag = TSR_V_STR;
  s->h.mem = mem;
  s->len = len;
  if (bytes != NULL && len != 0) memcpy(s->bytes, bytes, len);
  s->bytes[len] = 0;
  return s;
}

tsr_str *tsr_str_take_buf(tsr_mem *mem, tsr_buf *b) {
  tsr_str *s = b->oom ? NULL : tsr_str_new(mem, b->data, b->len);
  tsr_buf_dispose(b);
  return s;
}

tsr_complex *tsr_complex_new(tsr_mem *mem, double re, double im) {
  tsr_complex *c = obj_new(mem, TSR_V_COMPLEX, sizeof *c);
  if (c != NULL) c->z = (tsr_c128){re, im};
  return c;
}

tsr_list *tsr_list_new(tsr_mem *mem, const tsr_type *elem, size_t reserve) {
  tsr_list *l = obj_new(mem, TSR_V_LIST, sizeof *l);
  if (l == NULL) return NULL;
  l->elem = elem;
  if (reserve != 0 && !tsr_list_reserve(l, reserve)) {
    tsr_obj_release(l);
    return NULL;
  }
  if (elem != NULL && tsr_type_may_hold(elem)) tsr_mem_watch(mem, l, &l->watch);
  return l;
}

tsr_tuple *tsr_tuple_new(tsr_mem *mem, const tsr_type *named_or_null, size_t len) {
  if (len > (size_t)1 << 40) return NULL;
  tsr_tuple *u = obj_new(mem, TSR_V_TUPLE, sizeof *u + len * sizeof(tsr_val));
  if (u == NULL) return NULL;
  u->type = named_or_null;
  u->len = len;
  return u;
}

tsr_object *tsr_object_new(tsr_mem *mem, tsr_class *cls, uint32_t slots) {
  tsr_object *o = obj_new(mem, TSR_V_OBJECT, sizeof *o + slots * sizeof(tsr_val));
  if (o == NULL) return NULL;
  o->cls = cls;
  o->count = slots;
  bool holds = false;
  for (uint32_t i = 0; i < cls->attr_count && cls->attr_types != NULL && !holds; i++) holds = tsr_type_may_hold(cls->attr_types[i]);
  if (holds) tsr_mem_watch(mem, o, &o->watch);
  return o;
}

tsr_enumval *tsr_enumval_new(tsr_mem *mem, tsr_class *cls, uint32_t member) {
  tsr_enumval *e = obj_new(mem, TSR_V_ENUM, sizeof *e);
  if (e == NULL) return NULL;
  e->cls = cls;
  e->member = member;
  return e;
}

tsr_func *tsr_func_new(tsr_mem *mem, const void *code, uint32_t captures) {
  tsr_func *f = obj_new(mem, TSR_V_FUNC, sizeof *f + captures * sizeof(tsr_val));
  if (f == NULL) return NULL;
  f->code = code;
  f->captured = captures;
  return f;
}

tsr_capsule *tsr_capsule_new(tsr_mem *mem, const char *kind, void *data, void (*free_fn)(void *)) {
  tsr_capsule *c = obj_new(mem, TSR_V_CAPSULE, sizeof *c);
  if (c == NULL) return NULL;
  c->kind = kind;
  c->data = data;
  c->free_fn = free_fn;
  return c;
}

/* ---- destruction: children that die are pushed on a chain through their mem-sized header, so that
 * depth costs no stack.  The chain reuses refs+reserved space: a dead object needs neither. ---- */

typedef struct dead_chain {
  tsr_obj **items;
  size_t len, cap;
  tsr_obj *inline_items[64];
} dead_chain;

static void free_obj(tsr_obj *o, dead_chain *chain);

static void drop_obj(tsr_obj *o, dead_chain *chain) {
  if (o == NULL || o->immortal) return;
  if (__atomic_fetch_sub(&o->refs, 1, __ATOMIC_ACQ_REL) != 1) return;
  if (chain->len == chain->cap) {
    size_t cap = chain->cap * 2;
    tsr_obj **grown = malloc(cap * sizeof *grown);
    if (grown == NULL) { /* no memory to remember it: free it now, at the price of stack */
      free_obj(o, chain);
      return;
    }
    memcpy(grown, chain->items, chain->len * sizeof *grown);
    if (chain->items != chain->inline_items) free(chain->items);
    chain->items = grown;
    chain->cap = cap;
  }
  chain->items[chain->len++] = o;
}

static void drop_val(tsr_val v, dead_chain *chain) {
  if (tsr_is_boxed(v)) drop_obj(v.o, chain);
}

static void free_dict(tsr_dict *d, dead_chain *chain) {
  if (d->watch != 0) tsr_mem_unwatch(d->h.mem, &d->watch);
  for (size_t i = 0; i < d->used; i++) {
    if (!d->entries[i].live) continue;
    drop_val(d->entries[i].key, chain);
    drop_val(d->entries[i].value, chain);
  }
  tsr_free(d->h.mem, d->entries, d->cap * sizeof *d->entries);
  tsr_free(d->h.mem, d->index, d->index_cap * sizeof *d->index);
  tsr_free(d->h.mem, d, sizeof *d);
}

enum { STORAGE_TAG = 200 }; /* storages are objects, but never values */

static void free_storage(tsr_storage *s, dead_chain *chain) {
  if (s->owned) tsr_buf_free(s->h.mem, s->data, s->nbytes);
  else if (s->release != NULL) s->release(s->user, s->data);
  if (s->base != NULL) drop_obj(&s->base->h, chain);
  tsr_free(s->h.mem, s, sizeof *s);
}

static void free_tensor(tsr_tensor *t, dead_chain *chain) {
  if (t->storage != NULL) drop_obj(&t->storage->h, chain);
  if (t->quant != NULL) {
    if (t->quant->scales != NULL) drop_obj(&t->quant->scales->h, chain);
    if (t->quant->zero_points != NULL) drop_obj(&t->quant->zero_points->h, chain);
    tsr_free(t->h.mem, t->quant, sizeof *t->quant);
  }
  if (t->sparse != NULL) {
    if (t->sparse->a != NULL) drop_obj(&t->sparse->a->h, chain);
    if (t->sparse->b != NULL) drop_obj(&t->sparse->b->h, chain);
    if (t->sparse->values != NULL) drop_obj(&t->sparse->values->h, chain);
    tsr_free(t->h.mem, t->sparse, sizeof *t->sparse);
  }
  if (t->size != t->dims) tsr_free(t->h.mem, t->size, 2 * (size_t)t->dims_cap * sizeof(int64_t));
  tsr_free(t->h.mem, t, sizeof *t);
}

static void free_obj(tsr_obj *o, dead_chain *chain) {
  switch (o->tag) {
    case TSR_V_STR: tsr_free(o->mem, o, sizeof(tsr_str) + ((tsr_str *)o)->len + 1); break;
    case TSR_V_COMPLEX: tsr_free(o->mem, o, sizeof(tsr_complex)); break;
    case TSR_V_ENUM: tsr_free(o->mem, o, sizeof(tsr_enumval)); break;
    case TSR_V_TENSOR: free_tensor((tsr_tensor *)o, chain); break;
    case STORAGE_TAG: free_storage((tsr_storage *)o, chain); break;
    case TSR_V_DICT: free_dict((tsr_dict *)o, chain); break;
    case TSR_V_LIST: {
      tsr_list *l = (tsr_list *)o;
      if (l->watch != 0) tsr_mem_unwatch(o->mem, &l->watch);
      for (size_t i = 0; i < l->len; i++) drop_val(l->items[i], chain);
      tsr_free(o->mem, l->items, l->cap * sizeof *l->items);
      tsr_free(o->mem, l, sizeof *l);
      break;
    }
    case TSR_V_TUPLE: {
      tsr_tuple *u = (tsr_tuple *)o;
      for (size_t i = 0; i < u->len; i++) drop_val(u->items[i], chain);
      tsr_free(o->mem, u, sizeof *u + u->len * sizeof(tsr_val));
      break;
    }
    case TSR_V_OBJECT: {
      tsr_object *b = (tsr_object *)o;
      if (b->watch != 0) tsr_mem_unwatch(o->mem, &b->watch);
      for (uint32_t i = 0; i < b->count; i++) drop_val(b->slots[i], chain);
      tsr_free(o->mem, b, sizeof *b + b->count * sizeof(tsr_val));
      break;
    }
    case TSR_V_FUNC: {
      tsr_func *f = (tsr_func *)o;
      for (uint32_t i = 0; i < f->captured; i++) drop_val(f->captures[i], chain);
      tsr_free(o->mem, f, sizeof *f + f->captured * sizeof(tsr_val));
      break;
    }
    case TSR_V_CAPSULE: {
      tsr_capsule *c = (tsr_capsule *)o;
      if (c->free_fn != NULL) c->free_fn(c->data);
      tsr_free(o->mem, c, sizeof *c);
      break;
    }
    default: tsr_free(o->mem, o, sizeof(tsr_obj)); break;
  }
}

void tsr_obj_free(tsr_obj *o) {
  dead_chain chain = {.items = chain.inline_items, .len = 0, .cap = TSR_COUNT(chain.inline_items)};
  free_obj(o, &chain);
  while (chain.len > 0) free_obj(chain.items[--chain.len], &chain);
  if (chain.items != chain.inline_items) free(chain.items);
}

/* ---- lists ---- */

bool tsr_list_reserve(tsr_list *l, size_t cap) {
  if (cap <= l->cap) return true;
  if (cap > (size_t)1 << 40) return false;
  size_t grown = TSR_MAX(cap, TSR_MAX((size_t)4, l->cap + l->cap / 2));
  tsr_val *items = tsr_realloc(l->h.mem, l->items, l->cap * sizeof *items, grown * sizeof *items);
  if (items == NULL) return false;
  l->items = items;
  l->cap = grown;
  return true;
}

bool tsr_list_push_take(tsr_list *l, tsr_val v) {
  if (l->len == l->cap && !tsr_list_reserve(l, l->len + 1)) {
    tsr_release(v);
    return false;
  }
  l->items[l->len++] = v;
  return true;
}

bool tsr_list_insert_take(tsr_list *l, size_t at, tsr_val v) {
  if (!tsr_list_push_take(l, v)) return false;
  memmove(l->items + at + 1, l->items + at, (l->len - 1 - at) * sizeof *l->items);
  l->items[at] = v;
  return true;
}

void tsr_list_erase(tsr_list *l, size_t at) {
  tsr_val gone = l->items[at];
  memmove(l->items + at, l->items + at + 1, (l->len - 1 - at) * sizeof *l->items);
  l->len--;
  tsr_release(gone);
}

void tsr_list_clear(tsr_list *l) {
  while (l->len > 0) tsr_release(l->items[--l->len]);
}

static bool may_hold(tsr_val v, int depth) {
  switch (v.tag) {
    case TSR_V_LIST: return v.l->elem == NULL || tsr_type_may_hold(v.l->elem);
    case TSR_V_DICT: return v.m->value_type == NULL || tsr_type_may_hold(v.m->value_type);
    case TSR_V_OBJECT: case TSR_V_FUNC: return true;
    case TSR_V_TUPLE:
      for (size_t i = 0; i < v.u->len; i++)
        if (depth > 8 || may_hold(v.u->items[i], depth + 1)) return true;
      return false;
    default: return false;
  }
}

bool tsr_val_may_hold(tsr_val v) { return may_hold(v, 0); }

/* ---- identity, equality, hash ---- */

bool tsr_val_identical(tsr_val a, tsr_val b) {
  if (a.tag != b.tag) return false;
  switch (a.tag) {
    case TSR_V_NONE: return true;
    case TSR_V_BOOL: return a.b == b.b;
    case TSR_V_INT: return a.i == b.i;
    case TSR_V_FLOAT: return a.d == b.d;
    case TSR_V_DEVICE: return a.dev.type == b.dev.type && a.dev.index == b.dev.index;
    case TSR_V_COMPLEX: return a.c->z.re == b.c->z.re && a.c->z.im == b.c->z.im;
    case TSR_V_ENUM: return a.e->cls == b.e->cls && a.e->member == b.e->member;
    default: return a.o == b.o;
  }
}

static bool as_number(tsr_val v, double *re, double *im) {
  *re = *im = 0;
  switch (v.tag) {
    case TSR_V_BOOL: *re = v.b; return true;
    case TSR_V_INT: *re = (double)v.i; return true;
    case TSR_V_FLOAT: *re = v.d; return true;
    case TSR_V_COMPLEX: *re = v.c->z.re; *im = v.c->z.im; return true;
    default: return false;
  }
}

static bool vals_equal(tsr_val a, tsr_val b, int depth);

static bool dicts_equal(const tsr_dict *a, const tsr_dict *b, int depth) {
  if (a->count != b->count) return false;
  for (size_t i = tsr_dict_next(a, 0); i < a->used; i = tsr_dict_next(a, i + 1)) {
    const tsr_val *other = tsr_dict_get(b, a->entries[i].key);
    if (other == NULL || !vals_equal(a->entries[i].value, *other, depth + 1)) return false;
  }
  return true;
}

static bool seqs_equal(const tsr_val *a, size_t an, const tsr_val *b, size_t bn, int depth) {
  if (an != bn) return false;
  for (size_t i = 0; i < an; i++) {
    if (!vals_equal(a[i], b[i], depth + 1)) return false;
  }
  return true;
}

static bool vals_equal(tsr_val a, tsr_val b, int depth) {
  if (depth > TSR_MAX_DEPTH) return false;
  if (a.tag != b.tag) {
    double ar, ai, br, bi;
    return as_number(a, &ar, &ai) && as_number(b, &br, &bi) && ar == br && ai == bi;
  }
  switch (a.tag) {
    case TSR_V_STR: return a.s->len == b.s->len && memcmp(a.s->bytes, b.s->bytes, a.s->len) == 0;
    case TSR_V_LIST: return a.l == b.l || seqs_equal(a.l->items, a.l->len, b.l->items, b.l->len, depth);
    case TSR_V_TUPLE: return a.u == b.u || seqs_equal(a.u->items, a.u->len, b.u->items, b.u->len, depth);
    case TSR_V_DICT: return a.m == b.m || dicts_equal(a.m, b.m, depth);
    default: return tsr_val_identical(a, b);
  }
}

bool tsr_val_equal(tsr_val a, tsr_val b) { return vals_equal(a, b, 0); }

static uint64_t mix(uint64_t x) {
  x ^= x >> 33;
  x *= 0xff51afd7ed558ccdu;
  x ^= x >> 33;
  x *= 0xc4ceb9fe1a85ec53u;
  return x ^ x >> 33;
}

static uint64_t hash_bytes(const char *p, size_t len) {
  uint64_t h = 0x9e3779b97f4a7c15u ^ len;
  while (len >= 8) {
    uint64_t w;
    memcpy(&w, p, 8);
    h = mix(h ^ w);
    p += 8;
    len -= 8;
  }
  uint64_t w = 0;
  memcpy(&w, p, len);
  return mix(h ^ w) | 1; /* 0 means "not computed" */
}

static uint64_t hash_double(double d) {
  if (fabs(d) < 9e18 && d == (double)(int64_t)d) return mix((uint64_t)(int64_t)d);
  uint64_t u;
  memcpy(&u, &d, 8);
  return mix(u);
}

uint64_t tsr_val_hash(tsr_val v) {
  switch (v.tag) {
    case TSR_V_NONE: return 1;
    case TSR_V_BOOL: return mix((uint64_t)v.b);
    case TSR_V_INT: return mix((uint64_t)v.i);
    case TSR_V_FLOAT: return hash_double(v.d);
    case TSR_V_DEVICE: return mix((uint64_t)(uint16_t)v.dev.type << 16 | (uint16_t)v.dev.index);
    case TSR_V_COMPLEX: return v.c->z.im == 0 ? hash_double(v.c->z.re) : hash_double(v.c->z.re) * 31 + hash_double(v.c->z.im);
    case TSR_V_STR: return hash_bytes(v.s->bytes, v.s->len);
    case TSR_V_ENUM: return mix((uint64_t)(uintptr_t)v.e->cls + v.e->member);
    case TSR_V_TUPLE: {
      uint64_t h = 7;
      for (size_t i = 0; i < v.u->len; i++) h = mix(h * 31 + (tsr_is_boxed(v.u->items[i]) && v.u->items[i].tag == TSR_V_TUPLE ? 3 : tsr_val_hash(v.u->items[i])));
      return h;
    }
    default: return mix((uint64_t)(uintptr_t)v.o);
  }
}

const char *tsr_val_python_type(tsr_val v) {
  switch (v.tag) {
    case TSR_V_NONE: return "NoneType";
    case TSR_V_BOOL: return "bool";
    case TSR_V_INT: return "int";
    case TSR_V_FLOAT: return "float";
    case TSR_V_COMPLEX: return "complex";
    case TSR_V_STR: return "str";
    case TSR_V_TENSOR: return "Tensor";
    case TSR_V_LIST: return "list";
    case TSR_V_TUPLE: return "tuple";
    case TSR_V_DICT: return "dict";
    default: return tsr_tag_name(v);
  }
}

const char *tsr_tag_name(tsr_val v) {
  static const char *const names[] = {"NoneType", "bool", "int", "float", "Device", "complex", "str", "Tensor", "List",
                                      "Dict", "Tuple", "Object", "Enum", "Function", "Generator", "Capsule"};
  return v.tag < TSR_COUNT(names) ? names[v.tag] : "?";
}
