/* Types: the static basic ones, the interning table, subtyping. */
#include "core/type.h"

#include "core/threads.h"

#define BASIC(name, kind) const tsr_type tsr_type_##name = {kind, 0, NULL, NULL, NULL}
BASIC(tensor, TSR_T_TENSOR);
BASIC(int, TSR_T_INT);
BASIC(float, TSR_T_FLOAT);
BASIC(bool, TSR_T_BOOL);
BASIC(complex, TSR_T_COMPLEX);
BASIC(number, TSR_T_NUMBER);
BASIC(str, TSR_T_STR);
BASIC(none, TSR_T_NONE);
BASIC(any, TSR_T_ANY);
BASIC(device, TSR_T_DEVICE);
BASIC(generator, TSR_T_GENERATOR);
BASIC(stream, TSR_T_STREAM);
BASIC(capsule, TSR_T_CAPSULE);
BASIC(storage, TSR_T_STORAGE);
BASIC(anylist, TSR_T_ANYLIST);
BASIC(anytuple, TSR_T_ANYTUPLE);
BASIC(anyenum, TSR_T_ANYENUM);
BASIC(anyclass, TSR_T_ANYCLASS);
BASIC(function, TSR_T_FUNCTION);
#undef BASIC

typedef struct type_node {
  struct type_node *next;
  uint64_t hash;
  tsr_type type;
} type_node;

struct tsr_types {
  uint32_t refs;
  tsr_arena *arena;
  tsr_lock *lock;
  type_node **buckets;
  size_t bucket_count, count;
};

tsr_types *tsr_types_new(void) {
  tsr_arena *arena = tsr_arena_new();
  tsr_types *t = arena == NULL ? NULL : tsr_arena_alloc(arena, sizeof *t);
  if (t == NULL) {
    tsr_arena_free(arena);
    return NULL;
  }
  t->refs = 1;
  t->arena = arena;
  t->bucket_count = 256;
  t->buckets = tsr_arena_alloc(arena, t->bucket_count * sizeof *t->buckets);
  t->lock = tsr_lock_new();
  if (t->buckets == NULL || t->lock == NULL) {
    tsr_lock_free(t->lock);
    tsr_arena_free(arena);
    return NULL;
  }
  return t;
}

void tsr_types_retain(tsr_types *t) { __atomic_fetch_add(&t->refs, 1, __ATOMIC_RELAXED); }

void tsr_types_release(tsr_types *t) {
  if (t == NULL || __atomic_sub_fetch(&t->refs, 1, __ATOMIC_ACQ_REL) != 0) return;
  tsr_lock_free(t->lock);
  tsr_arena_free(t->arena);
}

tsr_arena *tsr_types_arena(tsr_types *t) { return t->arena; }

static uint64_t hash_parts(tsr_type_kind kind, const tsr_type *const *args, uint32_t n, const char *name, size_t len) {
  uint64_t h = 1469598103934665603u ^ (uint64_t)kind;
  for (uint32_t i = 0; i < n; i++) h = (h ^ (uint64_t)(uintptr_t)args[i] >> 4) * 1099511628211u;
  for (size_t i = 0; i < len; i++) h = (h ^ (unsigned char)name[i]) * 1099511628211u;
  return h ^ h >> 29;
}

static bool node_is(const type_node *n, tsr_type_kind kind, bool any_kind, const tsr_type *const *args, uint32_t count,
                    const char *name, size_t len) {
  const tsr_type *t = &n->type;
  if (t->count != count || (!any_kind && t->kind != kind) || (t->name == NULL) != (name == NULL)) return false;
  if (name != NULL && (strlen(t->name) != len || memcmp(t->name, name, len) != 0)) return false;
  for (uint32_t i = 0; i < count; i++) {
    if (t->args[i] != args[i]) return false;
  }
  return true;
}

static void rehash(tsr_types *t) {
  size_t n = t->bucket_count * 4;
  type_node **buckets = tsr_arena_alloc(t->arena, n * sizeof *buckets);
  if (buckets == NULL) return; /* longer chains are only slower */
  for (size_t i = 0; i < t->bucket_count; i++) {
    for (type_node *node = t->buckets[i]; node != NULL;) {
      type_node *next = node->next;
      node->next = buckets[node->hash & (n - 1)];
      buckets[node->hash & (n - 1)] = node;
      node = next;
    }
  }
  t->buckets = buckets;
  t->bucket_count = n;
}

/* Find or make.  Named types are found whatever kind they were declared as. */
static tsr_type *intern(tsr_types *t, tsr_type_kind kind, const tsr_type *const *args, uint32_t n, const char *name, size_t len) {
  bool named = name != NULL && kind != TSR_T_VAR;
  for (uint32_t i = 0; i < n; i++) {
    if (args[i] == NULL) return NULL;
  }
  uint64_t h = hash_parts(named ? TSR_T_CLASS : kind, args, n, name, len);
  tsr_lock_enter(t->lock);
  type_node *node = t->buckets[h & (t->bucket_count - 1)];
  while (node != NULL && !(node->hash == h && node_is(node, kind, named, args, n, name, len) &&
                           (node->type.kind == TSR_T_VAR) == (kind == TSR_T_VAR)))
    node = node->next;
  if (node == NULL) {
    node = tsr_arena_alloc(t->arena, sizeof *node);
    const tsr_type **copy = node == NULL ? NULL : tsr_arena_alloc(t->arena, n * sizeof *copy + 1);
    char *label = name == NULL || copy == NULL ? NULL : tsr_arena_strdup(t->arena, name, len);
    if (copy == NULL || (name != NULL && label == NULL)) {
      node = NULL;
    } else {
      if (n != 0) memcpy(copy, args, n * sizeof *copy);
      node->type = (tsr_type){kind, n, copy, label, NULL};
      node->hash = h;
      node->next = t->buckets[h & (t->bucket_count - 1)];
      t->buckets[h & (t->bucket_count - 1)] = node;
      if (++t->count > t->bucket_count) rehash(t);
    }
  }
  tsr_lock_leave(t->lock);
  return node == NULL ? NULL : &node->type;
}

const tsr_type *tsr_type_list(tsr_types *t, const tsr_type *elem) { return intern(t, TSR_T_LIST, &elem, 1, NULL, 0); }

const tsr_type *tsr_type_dict(tsr_types *t, const tsr_type *key, const tsr_type *value) {
  const tsr_type *args[] = {key, value};
  return intern(t, TSR_T_DICT, args, 2, NULL, 0);
}

const tsr_type *tsr_type_tuple(tsr_types *t, const tsr_type *const *members, uint32_t n) {
  return intern(t, TSR_T_TUPLE, members, n, NULL, 0);
}

const tsr_type *tsr_type_optional(tsr_types *t, const tsr_type *inner) {
  if (inner == NULL || inner->kind == TSR_T_OPTIONAL || inner->kind == TSR_T_NONE) return inner;
  if (inner->kind == TSR_T_UNION) {
    const tsr_type *members[64];
    if (inner->count >= TSR_COUNT(members)) return NULL;
    memcpy(members, inner->args, inner->count * sizeof *members);
    members[inner->count] = &tsr_type_none;
    return tsr_type_union(t, members, inner->count + 1);
  }
  return intern(t, TSR_T_OPTIONAL, &inner, 1, NULL, 0);
}

enum { MAX_UNION = 64 };

static bool add_member(const tsr_type **set, uint32_t *n, const tsr_type *m) {
  if (m == NULL) return false;
  if (m->kind == TSR_T_UNION) {
    for (uint32_t i = 0; i < m->count; i++) {
      if (!add_member(set, n, m->args[i])) return false;
    }
    return true;
  }
  if (m->kind == TSR_T_OPTIONAL) return add_member(set, n, m->args[0]) && add_member(set, n, &tsr_type_none);
  for (uint32_t i = 0; i < *n; i++) {
    if (tsr_type_is_subtype(m, set[i])) return true;
    if (tsr_type_is_subtype(set[i], m)) {
      set[i] = m;
      return true;
    }
  }
  if (*n == MAX_UNION) return false;
  set[(*n)++] = m;
  return true;
}

/* The order in which PyTorch declares its kinds of type and so prints the members of a union. */
static int order_of(const tsr_type *t) {
  static const tsr_type_kind kinds[] = {TSR_T_ANY, TSR_T_ENUM, TSR_T_ANYENUM, TSR_T_TENSOR, TSR_T_STORAGE, TSR_T_NAMEDTUPLE, TSR_T_TUPLE,
                                        TSR_T_LIST, TSR_T_DICT, TSR_T_NUMBER, TSR_T_FLOAT, TSR_T_COMPLEX, TSR_T_FUTURE, TSR_T_AWAIT,
                                        TSR_T_RREF, TSR_T_INT, TSR_T_NONE, TSR_T_STR, TSR_T_GENERATOR, TSR_T_BOOL, TSR_T_OPTIONAL};
  for (int i = 0; i < (int)TSR_COUNT(kinds); i++)
    if (kinds[i] == t->kind) return i;
  return (int)TSR_COUNT(kinds) + (int)t->kind;
}

static bool stands_after(const tsr_type *a, const tsr_type *b) {
  int x = order_of(a), y = order_of(b);
  if (x != y || a == b) return x > y;
  tsr_buf p = {0}, q = {0};
  tsr_type_print(a, &p);
  tsr_type_print(b, &q);
  int order = p.data != NULL && q.data != NULL ? strcmp(p.data, q.data) : 0;
  tsr_buf_dispose(&p);
  tsr_buf_dispose(&q);
  return order != 0 ? order > 0 : a > b;
}

const tsr_type *tsr_type_union(tsr_types *t, const tsr_type *const *members, uint32_t n) {
  const tsr_type *set[MAX_UNION];
  uint32_t count = 0;
  for (uint32_t i = 0; i < n; i++) {
    if (!add_member(set, &count, members[i])) return NULL;
  }
  if (count == 1) return set[0];
  if (count == 2 && (set[0]->kind == TSR_T_NONE || set[1]->kind == TSR_T_NONE)) return tsr_type_optional(t, set[set[0]->kind == TSR_T_NONE]);
  for (uint32_t i = 1; i < count; i++) { /* one order, so that equal sets are one type */
    const tsr_type *m = set[i];
    uint32_t k = i;
    for (; k > 0 && stands_after(set[k - 1], m); k--) set[k] = set[k - 1];
    set[k] = m;
  }
  return intern(t, TSR_T_UNION, set, count, NULL, 0);
}

const tsr_type *tsr_type_wrap(tsr_types *t, tsr_type_kind kind, const tsr_type *inner) { return intern(t, kind, &inner, 1, NULL, 0); }
const tsr_type *tsr_type_var(tsr_types *t, const char *name) { return intern(t, TSR_T_VAR, NULL, 0, name, strlen(name)); }
tsr_type *tsr_type_named(tsr_types *t, const char *name, size_t len) { return intern(t, TSR_T_CLASS, NULL, 0, name, len); }

bool tsr_type_equal(const tsr_type *a, const tsr_type *b) {
  if (a == b) return true;
  if (a->kind != b->kind || a->count != b->count) return false;
  if ((a->name == NULL) != (b->name == NULL) || (a->name != NULL && strcmp(a->name, b->name) != 0)) return false;
  if (a->kind == TSR_T_UNION) { /* sets */
    for (uint32_t i = 0; i < a->count; i++) {
      bool found = false;
      for (uint32_t k = 0; k < b->count && !found; k++) found = tsr_type_equal(a->args[i], b->args[k]);
      if (!found) return false;
    }
    return true;
  }
  for (uint32_t i = 0; i < a->count; i++) {
    if (!tsr_type_equal(a->args[i], b->args[i])) return false;
  }
  return true;
}

static bool members_match(const tsr_type *a, const tsr_type *b, bool covariant) {
  if (a->count != b->count) return false;
  for (uint32_t i = 0; i < a->count; i++) {
    if (!(covariant ? tsr_type_is_subtype(a->args[i], b->args[i]) : tsr_type_equal(a->args[i], b->args[i]))) return false;
  }
  return true;
}

static bool fits_some(const tsr_type *a, const tsr_type *b) {
  for (uint32_t i = 0; i < b->count; i++) {
    if (tsr_type_is_subtype(a, b->args[i])) return true;
  }
  return false;
}

bool tsr_type_is_subtype(const tsr_type *a, const tsr_type *b) {
  if (a == b || b->kind == TSR_T_ANY) return true;
  if (a->kind == TSR_T_UNION) {
    for (uint32_t i = 0; i < a->count; i++) {
      if (!tsr_type_is_subtype(a->args[i], b)) return false;
    }
    return true;
  }
  if (a->kind == TSR_T_OPTIONAL) return tsr_type_accepts_none(b) && tsr_type_is_subtype(a->args[0], b);
  switch (b->kind) {
    case TSR_T_OPTIONAL: return a->kind == TSR_T_NONE || tsr_type_is_subtype(a, b->args[0]);
    case TSR_T_UNION: return fits_some(a, b);
    case TSR_T_NUMBER: return a->kind == TSR_T_NUMBER || a->kind == TSR_T_INT || a->kind == TSR_T_FLOAT || a->kind == TSR_T_COMPLEX;
    case TSR_T_ANYLIST: return a->kind == TSR_T_LIST || a->kind == TSR_T_ANYLIST;
    case TSR_T_ANYTUPLE: return a->kind == TSR_T_TUPLE || a->kind == TSR_T_NAMEDTUPLE || a->kind == TSR_T_ANYTUPLE;
    case TSR_T_ANYENUM: return a->kind == TSR_T_ENUM || a->kind == TSR_T_ANYENUM;
    case TSR_T_ANYCLASS: return a->kind == TSR_T_CLASS || a->kind == TSR_T_ANYCLASS;
    case TSR_T_LIST: case TSR_T_DICT: return a->kind == b->kind && members_match(a, b, false);
    case TSR_T_TUPLE:
      if (a->kind == TSR_T_TUPLE) return members_match(a, b, true);
      if (a->kind != TSR_T_NAMEDTUPLE || a->cls == NULL || a->cls->attr_count != b->count) return false;
      for (uint32_t i = 0; i < b->count; i++) {
        if (!tsr_type_is_subtype(a->cls->attr_types[i], b->args[i])) return false;
      }
      return true;
    case TSR_T_FUTURE: case TSR_T_AWAIT: case TSR_T_RREF: return a->kind == b->kind && members_match(a, b, true);
    case TSR_T_INTERFACE: return a->kind == TSR_T_CLASS || tsr_type_equal(a, b); /* structural; the compiler checked the methods */
    default: return tsr_type_equal(a, b);
  }
}

bool tsr_type_accepts_none(const tsr_type *t) {
  if (t->kind == TSR_T_NONE || t->kind == TSR_T_OPTIONAL || t->kind == TSR_T_ANY) return true;
  if (t->kind != TSR_T_UNION) return false;
  for (uint32_t i = 0; i < t->count; i++) {
    if (t->args[i]->kind == TSR_T_NONE) return true;
  }
  return false;
}

bool tsr_type_may_hold(const tsr_type *t) {
  if (t == NULL) return false;
  switch (t->kind) {
    case TSR_T_ANY: case TSR_T_ANYLIST: case TSR_T_ANYTUPLE: case TSR_T_ANYCLASS: case TSR_T_CLASS: case TSR_T_INTERFACE:
    case TSR_T_NAMEDTUPLE: case TSR_T_FUNCTION: case TSR_T_VAR: return true;
    case TSR_T_LIST: case TSR_T_DICT: case TSR_T_TUPLE: case TSR_T_OPTIONAL: case TSR_T_UNION: case TSR_T_FUTURE: case TSR_T_AWAIT: case TSR_T_RREF:
      for (uint32_t i = 0; i < t->count; i++)
        if (tsr_type_may_hold(t->args[i])) return true;
      return false;
    default: return false;
  }
}

const tsr_type *tsr_type_unify(tsr_types *t, const tsr_type *a, const tsr_type *b) {
  if (tsr_type_is_subtype(a, b)) return b;
  if (tsr_type_is_subtype(b, a)) return a;
  if (a->kind == TSR_T_NONE) return tsr_type_optional(t, b);
  if (b->kind == TSR_T_NONE) return tsr_type_optional(t, a);
  if (a->kind == TSR_T_OPTIONAL || b->kind == TSR_T_OPTIONAL) {
    const tsr_type *ia = a->kind == TSR_T_OPTIONAL ? a->args[0] : a, *ib = b->kind == TSR_T_OPTIONAL ? b->args[0] : b;
    const tsr_type *inner = tsr_type_unify(t, ia, ib);
    return inner == NULL ? NULL : tsr_type_optional(t, inner);
  }
  if (a->kind == TSR_T_TUPLE && b->kind == TSR_T_TUPLE && a->count == b->count && a->count <= MAX_UNION) {
    const tsr_type *members[MAX_UNION];
    for (uint32_t i = 0; i < a->count; i++) {
      members[i] = tsr_type_unify(t, a->args[i], b->args[i]);
      if (members[i] == NULL) return NULL;
    }
    return tsr_type_tuple(t, members, a->count);
  }
  return NULL;
}
