/* Copying the model's values for a session. */
#include "interp/copy.h"

#include <stdlib.h>

#include "interp/cycles.h"

struct tsr_copy_entry { const void *from; tsr_obj *to; };

static size_t slot_of(const tsr_copier *c, const void *from) {
  uint64_t h = (uint64_t)(uintptr_t)from * 0x9e3779b97f4a7c15u;
  size_t i = (size_t)(h >> 20) & (c->cap - 1);
  while (c->map[i].from != NULL && c->map[i].from != from) i = (i + 1) & (c->cap - 1);
  return i;
}

static tsr_obj *find(const tsr_copier *c, const void *from) { return c->cap == 0 ? NULL : c->map[slot_of(c, from)].to; }

static bool grow(tsr_copier *c) {
  tsr_copier old = *c;
  c->cap = old.cap == 0 ? 64 : old.cap * 2;
  c->map = calloc(c->cap, sizeof *c->map);
  if (c->map == NULL) {
    *c = old;
    return false;
  }
  for (size_t i = 0; i < old.cap; i++)
    if (old.map[i].from != NULL) c->map[slot_of(c, old.map[i].from)] = old.map[i];
  free(old.map);
  return true;
}

/* Remember the copy; the map takes a reference, so that later copies of the same original find it. */
static bool remember(tsr_copier *c, const void *from, void *to) {
  if (c->count * 2 >= c->cap && !grow(c)) return false;
  size_t i = slot_of(c, from);
  tsr_obj_retain(to);
  c->map[i].from = from;
  c->map[i].to = to;
  c->count++;
  return true;
}

static void break_cycles(const tsr_copier *c) {
  size_t n = 0;
  tsr_obj **held = malloc((c->count + 1) * sizeof *held);
  if (held == NULL) return; /* what contains itself is lost, and nothing else */
  for (size_t i = 0; i < c->cap; i++)
    if (c->map[i].from != NULL && c->map[i].to->tag <= TSR_V_CAPSULE) held[n++] = c->map[i].to; /* storages are no values */
  tsr_cycles_break(held, n);
  free(held);
}

void tsr_copier_dispose(tsr_copier *c) {
  if (c->count > 0) break_cycles(c);
  for (size_t i = 0; i < c->cap; i++) tsr_obj_release(c->map[i].to);
  free(c->map);
  memset(c, 0, sizeof *c);
}

/* A fresh object enters the map before its parts are copied: cycles find it. */
static bool begin(tsr_copier *c, const void *from, void *to, tsr_val *out) {
  if (to == NULL) return false;
  *out = tsr_from_obj(to);
  return remember(c, from, to);
}

static bool copy_storage(tsr_copier *c, tsr_storage *from, tsr_storage **out) {
  tsr_obj *known = find(c, from);
  if (known != NULL) {
    tsr_obj_retain(known);
    *out = (tsr_storage *)(void *)known;
    return true;
  }
  *out = tsr_storage_cow(c->mem, from);
  return *out != NULL && remember(c, from, *out);
}

static bool copy_tensor(tsr_copier *c, const tsr_tensor *from, tsr_val *out) {
  tsr_storage *storage = NULL;
  tsr_tensor *t = tsr_tensor_alias(c->mem, from);
  if (!begin(c, from, t, out)) return false;
  if (from->storage == NULL) return true;
  if (!copy_storage(c, from->storage, &storage)) {
    tsr_obj_release(storage);
    return false;
  }
  tsr_obj_release(t->storage);
  t->storage = storage;
  return true;
}

static bool copy_list(tsr_copier *c, const tsr_list *from, tsr_val *out) {
  tsr_list *l = tsr_list_new(c->mem, from->elem, from->len);
  if (!begin(c, from, l, out)) return false;
  for (size_t i = 0; i < from->len; i++) {
    tsr_val item;
    if (!tsr_copy_value(c, from->items[i], &item) || !tsr_list_push_take(l, item)) return false;
  }
  return true;
}

static bool copy_dict(tsr_copier *c, const tsr_dict *from, tsr_val *out) {
  tsr_dict *d = tsr_dict_new(c->mem, from->key_type, from->value_type);
  if (!begin(c, from, d, out)) return false;
  for (size_t i = tsr_dict_next(from, 0); i < from->used; i = tsr_dict_next(from, i + 1)) {
    tsr_val key, value;
    if (!tsr_copy_value(c, from->entries[i].key, &key)) return false;
    bool ok = tsr_copy_value(c, from->entries[i].value, &value) && tsr_dict_set(d, key, value);
    tsr_release(key);
    if (!ok) return false;
  }
  return true;
}

static bool copy_tuple(tsr_copier *c, const tsr_tuple *from, tsr_val *out) {
  tsr_tuple *u = tsr_tuple_new(c->mem, from->type, from->len);
  if (!begin(c, from, u, out)) return false;
  for (size_t i = 0; i < from->len; i++)
    if (!tsr_copy_value(c, from->items[i], &u->items[i])) return false;
  return true;
}

static bool copy_object(tsr_copier *c, const tsr_object *from, tsr_val *out) {
  tsr_object *o = tsr_object_new(c->mem, from->cls, from->count);
  if (!begin(c, from, o, out)) return false;
  for (uint32_t i = 0; i < from->count; i++)
    if (!tsr_copy_value(c, from->slots[i], &o->slots[i])) return false;
  return true;
}

static bool is_shared(tsr_val v) { /* immutable, or the runtime's own */
  switch (v.tag) {
    case TSR_V_TENSOR: case TSR_V_LIST: case TSR_V_DICT: case TSR_V_TUPLE: return false;
    case TSR_V_OBJECT: return v.obj->cls->is_custom;
    default: return true;
  }
}

bool tsr_copy_value(tsr_copier *c, tsr_val v, tsr_val *out) {
  *out = tsr_none();
  if (is_shared(v)) {
    *out = tsr_retain(v);
    return true;
  }
  tsr_obj *known = find(c, v.o);
  if (known != NULL) {
    tsr_obj_retain(known);
    *out = tsr_from_obj(known);
    return true;
  }
  bool ok;
  switch (v.tag) {
    case TSR_V_TENSOR: ok = copy_tensor(c, v.t, out); break;
    case TSR_V_LIST: ok = copy_list(c, v.l, out); break;
    case TSR_V_DICT: ok = copy_dict(c, v.m, out); break;
    case TSR_V_TUPLE: ok = copy_tuple(c, v.u, out); break;
    default: ok = copy_object(c, v.obj, out); break;
  }
  if (!ok) {
    tsr_release(*out);
    *out = tsr_none();
  }
  return ok;
}
