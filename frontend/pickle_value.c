/* Containers of the unpickler.
 *
 * Two rules hold for every value made here, whatever the file says: nesting is at most TSR_MAX_DEPTH,
 * and no value contains itself (counts could not free it, walks would not end).  Both follow from one:
 * a container that was stored in another is not changed any more.  Python's own pickles break that
 * only for recursive objects; among opaque objects the back reference is cut, others are refused. */
#include <stdlib.h>

#include "frontend/pickle_vm.h"
#include "frontend/text.h"

const char tsr_opaque_marker = 0;

#define MAX_UNLINK_WORK ((uint64_t)1 << 24) /* values visited to cut cycles, in all */

/* ---- map ---- */

static size_t slot_of(const tsr_umap *m, uint64_t stored) {
  uint64_t h = stored * UINT64_C(0x9e3779b97f4a7c15);
  size_t i = (size_t)(h >> 20) & (m->cap - 1);
  while (m->keys[i] != 0 && m->keys[i] != stored) i = (i + 1) & (m->cap - 1);
  return i;
}

uint64_t *tsr_umap_get(const tsr_umap *m, uint64_t key) {
  if (m->cap == 0) return NULL;
  size_t i = slot_of(m, key + 1);
  return m->keys[i] == 0 ? NULL : &m->vals[i];
}

static bool umap_grow(tsr_umap *m) {
  tsr_umap big = {.cap = m->cap == 0 ? 64 : m->cap * 2, .count = m->count};
  big.keys = calloc(big.cap, sizeof *big.keys);
  big.vals = malloc(big.cap * sizeof *big.vals);
  if (big.keys == NULL || big.vals == NULL) {
    free(big.keys);
    free(big.vals);
    return false;
  }
  for (size_t i = 0; i < m->cap; i++) {
    if (m->keys[i] == 0) continue;
    size_t to = slot_of(&big, m->keys[i]);
    big.keys[to] = m->keys[i];
    big.vals[to] = m->vals[i];
  }
  tsr_umap_dispose(m);
  *m = big;
  return true;
}

bool tsr_umap_set(tsr_umap *m, uint64_t key, uint64_t val) {
  if ((m->count + 1) * 2 > m->cap && !umap_grow(m)) return false;
  size_t i = slot_of(m, key + 1);
  if (m->keys[i] == 0) m->count++;
  m->keys[i] = key + 1;
  m->vals[i] = val;
  return true;
}

void tsr_umap_dispose(tsr_umap *m) {
  free(m->keys);
  free(m->vals);
  memset(m, 0, sizeof *m);
}

/* ---- depth and sealing ---- */

static bool is_container(tsr_val v) {
  return v.tag == TSR_V_LIST || v.tag == TSR_V_DICT || v.tag == TSR_V_TUPLE || v.tag == TSR_V_OBJECT;
}

static uint64_t address(tsr_val v) { return (uint64_t)(uintptr_t)v.o; }

static uint64_t nest_of(tsr_pvm *v, tsr_val val) {
  uint64_t *n = is_container(val) ? tsr_umap_get(&v->nest, address(val)) : NULL;
  return n == NULL ? 0 : *n;
}

unsigned tsr_pvm_depth(tsr_pvm *v, tsr_val val) {
  if (!is_container(val)) return 0;
  uint64_t depth = nest_of(v, val) >> 1;
  return depth == 0 ? 1 : (unsigned)depth;
}

static tsr_status set_nest(tsr_pvm *v, tsr_val val, unsigned depth, bool stored) {
  if (depth > TSR_MAX_DEPTH) return tsr_pvm_fail(v, TSR_ELIMIT, "values are nested deeper than %d", TSR_MAX_DEPTH);
  return tsr_umap_set(&v->nest, address(val), (uint64_t)depth << 1 | stored) ? TSR_OK : tsr_pvm_nomem(v);
}

tsr_status tsr_pvm_set_depth(tsr_pvm *v, tsr_val val, unsigned depth) {
  return is_container(val) ? set_nest(v, val, depth, nest_of(v, val) & 1) : TSR_OK;
}

bool tsr_pvm_is_script_class(tsr_val obj) {
  const tsr_pglobal *g = tsr_pvm_as_opaque(obj);
  return g != NULL && strncmp(g->cls.name, "__torch__.", 10) == 0;
}

tsr_status tsr_pvm_seal(tsr_pvm *v, tsr_val child) {
  if (v->opt->hooks != NULL && tsr_pvm_is_script_class(child))
    return tsr_pvm_fail(v, TSR_EFORMAT, "an object was given no state");
  if (!is_container(child) || (nest_of(v, child) & 1)) return TSR_OK;
  return set_nest(v, child, tsr_pvm_depth(v, child), true);
}

/* A new object may have the address of one that died: forget what was known about it. */
static void forget(tsr_pvm *v, tsr_val val) {
  uint64_t *n = tsr_umap_get(&v->nest, address(val));
  if (n != NULL) *n = 0;
}

/* child goes into parent. */
static tsr_status link_child(tsr_pvm *v, tsr_val parent, tsr_val child) {
  if (!is_container(child)) return TSR_OK;
  TSR_TRY(tsr_pvm_seal(v, child));
  unsigned depth = tsr_pvm_depth(v, child) + 1;
  return depth > tsr_pvm_depth(v, parent) ? tsr_pvm_set_depth(v, parent, depth) : TSR_OK;
}

/* ---- walks over finished values: iterative, each container once ---- */

static size_t child_count(tsr_val v) {
  switch (v.tag) {
  case TSR_V_LIST:
    return v.l->len;
  case TSR_V_TUPLE:
    return v.u->len;
  case TSR_V_OBJECT:
    return v.obj->count;
  case TSR_V_DICT:
    return v.m->used;
  default:
    return 0;
  }
}

static tsr_val *child_at(tsr_val v, size_t i) {
  switch (v.tag) {
  case TSR_V_LIST:
    return &v.l->items[i];
  case TSR_V_TUPLE:
    return &v.u->items[i];
  case TSR_V_OBJECT:
    return &v.obj->slots[i];
  default:
    return v.m->entries[i].live ? &v.m->entries[i].value : NULL;
  }
}

typedef struct walk_frame {
  tsr_val v;
  size_t next;
  unsigned depth;
} walk_frame;
typedef struct walk {
  walk_frame *frames;
  size_t len, cap;
  tsr_umap seen;
} walk;

static bool walk_push(walk *w, tsr_val v) {
  if (w->len == w->cap) {
    size_t cap = w->cap == 0 ? 64 : w->cap * 2;
    walk_frame *grown = realloc(w->frames, cap * sizeof *grown);
    if (grown == NULL) return false;
    w->frames = grown;
    w->cap = cap;
  }
  w->frames[w->len++] = (walk_frame){v, 0, 1};
  return tsr_umap_set(&w->seen, address(v), 0);
}

static void walk_dispose(walk *w) {
  free(w->frames);
  tsr_umap_dispose(&w->seen);
}

static tsr_status cut_out(tsr_pvm *v, walk *w, tsr_val *root, tsr_val obj, tsr_val ref) {
  if (!walk_push(w, *root)) return tsr_pvm_nomem(v);
  while (w->len > 0) {
    walk_frame *f = &w->frames[w->len - 1];
    if (f->next == child_count(f->v)) {
      w->len--;
      continue;
    }
    if (++v->unlink_work > MAX_UNLINK_WORK) return tsr_pvm_fail(v, TSR_ELIMIT, "too many recursive objects");
    tsr_val *c = child_at(f->v, f->next++);
    if (c == NULL || !is_container(*c)) continue;
    if (c->o == obj.o) {
      tsr_release(*c);
      *c = tsr_retain(ref);
    } else if (tsr_umap_get(&w->seen, address(*c)) == NULL && !walk_push(w, *c)) {
      return tsr_pvm_nomem(v);
    }
  }
  return TSR_OK;
}

static tsr_status count_depth(tsr_pvm *v, walk *w, tsr_val root) {
  if (!walk_push(w, root)) return tsr_pvm_nomem(v);
  while (w->len > 0) {
    walk_frame *f = &w->frames[w->len - 1];
    if (f->next == child_count(f->v)) {
      unsigned depth = f->depth;
      *tsr_umap_get(&w->seen, address(f->v)) = depth;
      if (depth > TSR_MAX_DEPTH) return tsr_pvm_fail(v, TSR_ELIMIT, "values are nested deeper than %d", TSR_MAX_DEPTH);
      if (--w->len > 0) w->frames[w->len - 1].depth = TSR_MAX(w->frames[w->len - 1].depth, depth + 1);
      continue;
    }
    tsr_val *c = child_at(f->v, f->next++);
    if (c == NULL || !is_container(*c)) continue;
    uint64_t *known = tsr_umap_get(&w->seen, address(*c));
    if (known != NULL)
      f->depth = TSR_MAX(f->depth, (unsigned)*known + 1);
    else if (!walk_push(w, *c))
      return tsr_pvm_nomem(v);
  }
  return TSR_OK;
}

tsr_status tsr_pvm_check_depth(tsr_pvm *v, tsr_val root) {
  if (!is_container(root)) return TSR_OK;
  walk w = {0};
  tsr_status st = count_depth(v, &w, root);
  walk_dispose(&w);
  return st;
}

/* container is about to take in *child (owned by the caller). */
static tsr_status before_change(tsr_pvm *v, tsr_val container, tsr_val *child) {
  TSR_TRY(tsr_pvm_seal(v, *child));
  if (!(nest_of(v, container) & 1)) return TSR_OK;
  const tsr_pglobal *g = tsr_pvm_as_opaque(container);
  if (g == NULL || v->opt->hooks != NULL) return tsr_pvm_fail(v, TSR_EFORMAT, "a value contains itself");
  v->recheck = true;
  tsr_val ref;
  TSR_TRY(tsr_pvm_global(v, NULL, 0, g->cls.name, strlen(g->cls.name), &ref));
  tsr_status st = TSR_OK;
  if (tsr_is_boxed(*child) && child->o == container.o) {
    tsr_release(*child);
    *child = tsr_retain(ref);
  } else if (is_container(*child)) {
    walk w = {0};
    st = cut_out(v, &w, child, container, ref);
    walk_dispose(&w);
  }
  tsr_release(ref);
  return st;
}

/* ---- making ---- */

tsr_status tsr_pvm_new_list(tsr_pvm *v, tsr_val *out) {
  tsr_list *l = tsr_list_new(v->mem, &tsr_type_any, 0);
  if (l == NULL) return tsr_pvm_nomem(v);
  *out = tsr_from_obj(l);
  forget(v, *out);
  return TSR_OK;
}

tsr_status tsr_pvm_new_dict(tsr_pvm *v, tsr_val *out) {
  tsr_dict *d = tsr_dict_new(v->mem, &tsr_type_any, &tsr_type_any);
  if (d == NULL) return tsr_pvm_nomem(v);
  *out = tsr_from_obj(d);
  forget(v, *out);
  return TSR_OK;
}

static void release_all(tsr_val *items, size_t n) {
  for (size_t i = 0; i < n; i++) tsr_release(items[i]);
}

tsr_status tsr_pvm_new_tuple(tsr_pvm *v, tsr_val *items, size_t n, tsr_val *out) {
  tsr_tuple *u = tsr_tuple_new(v->mem, NULL, n);
  if (u == NULL) {
    release_all(items, n);
    return tsr_pvm_nomem(v);
  }
  *out = tsr_from_obj(u);
  forget(v, *out);
  tsr_status st = TSR_OK;
  if (n != 0) memcpy(u->items, items, n * sizeof *items);
  for (size_t i = 0; i < n && st == TSR_OK; i++) st = link_child(v, *out, items[i]);
  if (st != TSR_OK) {
    tsr_release(*out);
    *out = tsr_none();
  }
  return st;
}

static bool is_any(const tsr_type *t) { return t == NULL || t->kind == TSR_T_ANY; }

/* Append one value (taken). */
static tsr_status append_one(tsr_pvm *v, tsr_val owner, tsr_list *l, tsr_val item) {
  tsr_status st = before_change(v, owner, &item);
  if (st == TSR_OK) st = link_child(v, tsr_from_obj(l), item);
  if (st == TSR_OK && !is_any(l->elem) && !tsr_val_is_instance(item, l->elem))
    st = tsr_pvm_fail(v, TSR_EFORMAT, "%s in a list of another type", tsr_tag_name(item));
  if (st != TSR_OK) {
    tsr_release(item);
    return st;
  }
  return tsr_list_push_take(l, item) ? TSR_OK : tsr_pvm_nomem(v);
}

/* The list or dict behind an opaque object's items, made when first needed. */
static tsr_status opaque_items(tsr_pvm *v, tsr_val obj, tsr_tag tag, tsr_val *out) {
  tsr_val *slot = &obj.obj->slots[TSR_OPAQUE_ITEMS];
  if (slot->tag == TSR_V_NONE) {
    if (tag == TSR_V_LIST)
      TSR_TRY(tsr_pvm_new_list(v, slot));
    else
      TSR_TRY(tsr_pvm_new_dict(v, slot));
  }
  if (slot->tag != tag) return tsr_pvm_fail(v, TSR_EFORMAT, "one object is used as a list and as a dict");
  *out = *slot;
  return TSR_OK;
}

static bool is_made_opaque(tsr_val val) { return tsr_pvm_as_opaque(val) != NULL && tsr_pvm_as_global(val) == NULL; }

tsr_status tsr_pvm_append(tsr_pvm *v, tsr_val list, tsr_val *items, size_t n) {
  tsr_status st = TSR_OK;
  tsr_val target = list;
  if (is_made_opaque(list))
    st = opaque_items(v, list, TSR_V_LIST, &target);
  else if (list.tag != TSR_V_LIST)
    st = tsr_pvm_fail(v, TSR_EFORMAT, "append to %s, which is not a list", tsr_tag_name(list));
  size_t i = 0;
  while (i < n && st == TSR_OK) st = append_one(v, list, target.l, items[i++]);
  if (st == TSR_OK && target.o != list.o) st = link_child(v, list, target);
  release_all(items + i, n - i);
  return st;
}

/* TorchScript's keys are numbers, strings and tensors.  Python checkpoints have others now and then:
 * a tuple or None becomes a string that shows it, so that the rest of the file stays readable. */
static tsr_status usable_key(tsr_pvm *v, tsr_val key, size_t ordinal, tsr_val *out) {
  switch (key.tag) {
  case TSR_V_BOOL:
  case TSR_V_INT:
  case TSR_V_FLOAT:
  case TSR_V_COMPLEX:
  case TSR_V_STR:
  case TSR_V_TENSOR:
    *out = tsr_retain(key);
    return TSR_OK;
  default:
    break;
  }
  tsr_buf text = {0};
  bool flat = key.tag == TSR_V_NONE || key.tag == TSR_V_DEVICE || (key.tag == TSR_V_TUPLE && key.u->len <= 16);
  for (size_t i = 0; flat && key.tag == TSR_V_TUPLE && i < key.u->len; i++) flat = key.u->items[i].tag <= TSR_V_STR;
  if (flat)
    tsr_val_print(key, &text);
  else
    tsr_buf_printf(&text, "<%s %zu>", tsr_tag_name(key), ordinal);
  tsr_str *s = tsr_str_take_buf(v->mem, &text);
  if (s == NULL) return tsr_pvm_nomem(v);
  *out = tsr_from_obj(s);
  return TSR_OK;
}

static tsr_status set_one(tsr_pvm *v, tsr_val owner, tsr_dict *d, tsr_val key_take, tsr_val item) {
  tsr_val key = tsr_none();
  tsr_status st = usable_key(v, key_take, d->used, &key);
  tsr_release(key_take);
  if (st == TSR_OK) st = before_change(v, owner, &item);
  if (st == TSR_OK) st = link_child(v, tsr_from_obj(d), item);
  if (st == TSR_OK && ((!is_any(d->key_type) && !tsr_val_is_instance(key, d->key_type)) ||
                       (!is_any(d->value_type) && !tsr_val_is_instance(item, d->value_type))))
    st = tsr_pvm_fail(v, TSR_EFORMAT, "%s: %s in a dict of another type", tsr_tag_name(key), tsr_tag_name(item));
  if (st != TSR_OK) {
    tsr_release(key);
    tsr_release(item);
    return st;
  }
  if (!tsr_dict_set(d, key, item)) st = tsr_pvm_nomem(v);
  tsr_release(key);
  return st;
}

tsr_status tsr_pvm_setitems(tsr_pvm *v, tsr_val dict, tsr_val *pairs, size_t n) {
  tsr_status st = TSR_OK;
  tsr_val target = dict;
  if (n % 2 != 0)
    st = tsr_pvm_fail(v, TSR_EFORMAT, "a dict key without a value");
  else if (is_made_opaque(dict))
    st = opaque_items(v, dict, TSR_V_DICT, &target);
  else if (dict.tag != TSR_V_DICT)
    st = tsr_pvm_fail(v, TSR_EFORMAT, "item set in %s, which is not a dict", tsr_tag_name(dict));
  size_t i = 0;
  for (; i < n && st == TSR_OK; i += 2) st = set_one(v, dict, target.m, pairs[i], pairs[i + 1]);
  if (st == TSR_OK && target.o != dict.o) st = link_child(v, dict, target);
  if (i < n) release_all(pairs + i, n - i);
  return st;
}

/* ---- globals and opaque objects ---- */

const tsr_pglobal *tsr_pvm_as_opaque(tsr_val val) {
  if (val.tag != TSR_V_OBJECT || val.obj->cls->impl != &tsr_opaque_marker) return NULL;
  return (const tsr_pglobal *)(const void *)val.obj->cls;
}

const tsr_pglobal *tsr_pvm_as_global(tsr_val val) {
  const tsr_pglobal *g = tsr_pvm_as_opaque(val);
  return g != NULL && val.obj->slots[TSR_OPAQUE_ARGS].tag == TSR_V_NONE ? g : NULL;
}

static tsr_status declare_global(tsr_pvm *v, const tsr_str *name, tsr_pglobal **out) {
  static const char *attr_names[] = {"args", "state", "items"};
  static const tsr_type *attr_types[] = {&tsr_type_any, &tsr_type_any, &tsr_type_any};
  tsr_arena *arena = tsr_types_arena(v->opt->types);
  tsr_pglobal *g = tsr_arena_alloc(arena, sizeof *g);
  char *text = g != NULL ? tsr_arena_strdup(arena, name->bytes, name->len) : NULL;
  if (text == NULL) return tsr_pvm_nomem(v);
  g->tag = tsr_pickle_tag(text, name->len, &g->value);
  g->cls.name = text;
  g->cls.type = &tsr_type_any; /* never the type of a declared class of the same name */
  g->cls.attr_count = TSR_OPAQUE_SLOTS;
  g->cls.attr_names = attr_names;
  g->cls.attr_types = attr_types;
  g->cls.impl = (void *)(uintptr_t)&tsr_opaque_marker;
  *out = g;
  return TSR_OK;
}

static tsr_status make_reference(tsr_pvm *v, const tsr_str *name, tsr_val *out) {
  tsr_pglobal *g = NULL;
  TSR_TRY(declare_global(v, name, &g));
  if (tsr_pickle_tag_is_constant(g->tag)) {
    *out = tsr_int(g->value);
    return TSR_OK;
  }
  tsr_object *o = tsr_object_new(v->mem, &g->cls, TSR_OPAQUE_SLOTS);
  if (o == NULL) return tsr_pvm_nomem(v);
  *out = tsr_from_obj(o);
  forget(v, *out);
  return TSR_OK;
}

tsr_status tsr_pvm_global(tsr_pvm *v, const char *module, size_t module_len, const char *name, size_t name_len,
                          tsr_val *out) {
  tsr_str *full = tsr_str_new(v->mem, NULL, module_len + name_len + (module_len != 0));
  if (full == NULL) return tsr_pvm_nomem(v);
  char *at = full->bytes;
  if (module_len != 0) {
    memcpy(at, module, module_len);
    at[module_len] = '.';
    at += module_len + 1;
  }
  if (name_len != 0) memcpy(at, name, name_len);
  if (v->globals == NULL) v->globals = tsr_dict_new(v->mem, &tsr_type_str, &tsr_type_any);
  tsr_status st = v->globals != NULL ? TSR_OK : tsr_pvm_nomem(v);
  tsr_val key = tsr_from_obj(full), *known = st == TSR_OK ? tsr_dict_get(v->globals, key) : NULL;
  if (known != NULL) {
    *out = tsr_retain(*known);
  } else if (st == TSR_OK) {
    st = make_reference(v, full, out);
    if (st == TSR_OK && !tsr_dict_set(v->globals, key, tsr_retain(*out))) {
      tsr_release(*out);
      st = tsr_pvm_nomem(v);
    }
  }
  tsr_release(key);
  return st;
}

tsr_status tsr_pvm_new_opaque(tsr_pvm *v, const tsr_pglobal *g, tsr_val args, tsr_val *out) {
  tsr_object *o = tsr_object_new(v->mem, (tsr_class *)(uintptr_t)&g->cls, TSR_OPAQUE_SLOTS);
  if (o == NULL) return tsr_pvm_nomem(v);
  *out = tsr_from_obj(o);
  forget(v, *out);
  tsr_status st = link_child(v, *out, args);
  if (st != TSR_OK) {
    tsr_release(*out);
    return st;
  }
  o->slots[TSR_OPAQUE_ARGS] = tsr_retain(args);
  return TSR_OK;
}

tsr_status tsr_pvm_set_state(tsr_pvm *v, tsr_val obj, tsr_val state) {
  tsr_val child = tsr_retain(state);
  tsr_status st = before_change(v, obj, &child);
  if (st == TSR_OK) st = link_child(v, obj, child);
  if (st != TSR_OK) {
    tsr_release(child);
    return st;
  }
  tsr_val *slot = &obj.obj->slots[TSR_OPAQUE_STATE];
  tsr_release(*slot);
  *slot = child;
  return TSR_OK;
}
