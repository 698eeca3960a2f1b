/* The values a program owns: who frees them, when they become immortal, and whether they are what the
 * code declares. */
#include <stdlib.h>

#include "interp/compile.h"

tsr_val tsr_values_own(tsr_compiler *c, tsr_val v) {
  if (!tsr_is_boxed(v) || v.o->immortal) return v;
  if (c->owned_count == c->owned_cap) {
    size_t cap = c->owned_cap == 0 ? 64 : c->owned_cap * 2;
    tsr_val *grown = realloc(c->owned, cap * sizeof *grown);
    if (grown == NULL) {
      tsr_release(v);
      tsr_compile_nomem(c);
    }
    c->owned = grown;
    c->owned_cap = cap;
  }
  c->owned[c->owned_count++] = v;
  if (c->is_frozen) v.o->immortal = 1;
  return v;
}

tsr_val tsr_values_hold(tsr_val v) {
  if (tsr_is_boxed(v)) __atomic_fetch_add(&v.o->refs, 1, __ATOMIC_RELAXED);
  return v;
}

/* ---- becoming immortal */

static bool freeze_obj(tsr_compiler *c, void *object) {
  tsr_obj *o = object;
  if (o == NULL || o->immortal) return true;
  if (c->frozen_count == c->frozen_cap) {
    size_t cap = c->frozen_cap == 0 ? 256 : c->frozen_cap * 2;
    tsr_obj **grown = realloc(c->frozen, cap * sizeof *grown);
    if (grown == NULL) return false;
    c->frozen = grown;
    c->frozen_cap = cap;
  }
  c->frozen[c->frozen_count++] = o;
  o->immortal = 1;
  return true;
}

static bool freeze_vals(tsr_compiler *c, const tsr_val *vals, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (tsr_is_boxed(vals[i]) && !freeze_obj(c, vals[i].o)) return false;
  return true;
}

static bool freeze_tensor(tsr_compiler *c, const tsr_tensor *t) {
  for (tsr_storage *s = t->storage; s != NULL; s = s->base)
    if (!freeze_obj(c, s)) return false;
  if (t->quant != NULL && (!freeze_obj(c, t->quant->scales) || !freeze_obj(c, t->quant->zero_points))) return false;
  return t->sparse == NULL ||
         (freeze_obj(c, t->sparse->a) && freeze_obj(c, t->sparse->b) && freeze_obj(c, t->sparse->values));
}

static bool freeze_children(tsr_compiler *c, const tsr_obj *o) {
  switch (o->tag) {
  case TSR_V_TENSOR: return freeze_tensor(c, (const tsr_tensor *)o);
  case TSR_V_LIST: return freeze_vals(c, ((const tsr_list *)o)->items, ((const tsr_list *)o)->len);
  case TSR_V_TUPLE: return freeze_vals(c, ((const tsr_tuple *)o)->items, ((const tsr_tuple *)o)->len);
  case TSR_V_OBJECT: return freeze_vals(c, ((const tsr_object *)o)->slots, ((const tsr_object *)o)->count);
  case TSR_V_FUNC: return freeze_vals(c, ((const tsr_func *)o)->captures, ((const tsr_func *)o)->captured);
  case TSR_V_DICT: {
    const tsr_dict *d = (const tsr_dict *)o;
    for (size_t i = tsr_dict_next(d, 0); i < d->used; i = tsr_dict_next(d, i + 1))
      if (!freeze_vals(c, &d->entries[i].key, 1) || !freeze_vals(c, &d->entries[i].value, 1)) return false;
    return true;
  }
  default: return true;
  }
}

tsr_status tsr_values_freeze(tsr_compiler *c) {
  bool ok = freeze_vals(c, &c->p->root, 1) && freeze_vals(c, c->p->constants, c->p->constant_count) && freeze_vals(c, c->owned, c->owned_count);
  for (size_t i = 0; ok && i < c->frozen_count; i++) ok = freeze_children(c, c->frozen[i]);
  c->is_frozen = ok;
  if (ok) return TSR_OK;
  for (size_t i = 0; i < c->frozen_count; i++) c->frozen[i]->immortal = 0;
  c->frozen_count = 0;
  return tsr_fail_nomem(c->err);
}

/* Objects may refer to each other in circles: empty them before counting down. */
static void clear_slots(tsr_obj *o) {
  if (o->tag != TSR_V_OBJECT) return;
  tsr_object *b = (tsr_object *)o;
  for (uint32_t i = 0; i < b->count; i++) {
    tsr_val v = b->slots[i];
    b->slots[i] = tsr_none();
    tsr_release(v);
  }
}

void tsr_values_dispose(tsr_compiler *c) {
  for (size_t i = 0; i < c->frozen_count; i++) c->frozen[i]->immortal = 0;
  for (size_t i = 0; i < c->owned_count; i++) c->owned[i].o->immortal = 0;
  for (size_t i = 0; i < c->frozen_count; i++) tsr_obj_retain(c->frozen[i]);
  for (size_t i = 0; i < c->frozen_count; i++) clear_slots(c->frozen[i]);
  for (size_t i = 0; i < c->owned_count; i++) clear_slots(c->owned[i].o);
  for (size_t i = 0; i < c->frozen_count; i++) tsr_obj_release(c->frozen[i]);
  for (size_t i = 0; i < c->owned_count; i++) tsr_release(c->owned[i]);
  for (size_t i = 0; i < c->p->constant_count; i++) tsr_release(c->p->constants[i]);
  tsr_release(c->p->root);
  c->p->root = tsr_none();
  free(c->p->constants);
  free(c->owned);
  free(c->frozen);
}

/* ---- do values have the types the code declares? */

static bool fit_own_tag(tsr_compiler *c, tsr_val *v);

/* true: this container was already found to fit t.  A container shared under two types is refused. */
static bool known_container(tsr_compiler *c, const void *object, const tsr_type *t, bool *fits) {
  const tsr_type *before = tsr_strmap_get(&c->fitted, (const char *)&object, sizeof object);
  if (before != NULL) {
    *fits = before == t;
    return true;
  }
  const void **key = tsr_compile_alloc(c, sizeof *key);
  *key = object;
  tsr_compile_strmap_set(c, &c->fitted, (const char *)key, sizeof *key, (void *)(uintptr_t)t);
  return false;
}

static bool fit_list(tsr_compiler *c, tsr_list *l, const tsr_type *t) {
  bool fits;
  if (known_container(c, l, t, &fits)) return fits;
  for (size_t i = 0; i < l->len; i++)
    if (!tsr_values_fit(c, &l->items[i], t->args[0])) return false;
  l->elem = t->args[0];
  return true;
}

static bool fit_dict(tsr_compiler *c, tsr_dict *d, const tsr_type *t) {
  bool fits;
  if (known_container(c, d, t, &fits)) return fits;
  for (size_t i = tsr_dict_next(d, 0); i < d->used; i = tsr_dict_next(d, i + 1)) {
    tsr_val key = d->entries[i].key;
    if (!tsr_values_fit(c, &key, t->args[0]) || key.tag != d->entries[i].key.tag || !tsr_values_fit(c, &d->entries[i].value, t->args[1])) return false;
  }
  d->key_type = t->args[0];
  d->value_type = t->args[1];
  return true;
}

static bool fit_tuple(tsr_compiler *c, tsr_tuple *u, const tsr_type *t) {
  const tsr_type *const *members = t->args;
  uint32_t n = t->count;
  if (t->kind == TSR_T_NAMEDTUPLE) {
    tsr_class_rec(c, t->cls);
    members = t->cls->attr_types;
    n = t->cls->attr_count;
  }
  if (u->len != n) return false;
  for (uint32_t i = 0; i < n; i++)
    if (!tsr_values_fit(c, &u->items[i], members[i])) return false;
  if (t->kind == TSR_T_NAMEDTUPLE) u->type = t;
  return true;
}

static bool fit_object(tsr_compiler *c, const tsr_object *o, const tsr_type *t) {
  if (t->cls == NULL || o->cls->impl == NULL) return false;
  if (t->kind == TSR_T_INTERFACE) return o->cls->type->kind == TSR_T_CLASS && !o->cls->is_custom && tsr_strmap_get(&c->classes, o->cls->name, strlen(o->cls->name)) == o->cls->impl && tsr_class_implements(c, o->cls, t->cls);
  return o->cls == t->cls;
}

static bool fit_union(tsr_compiler *c, tsr_val *v, const tsr_type *t) {
  for (uint32_t i = 0; i < t->count; i++)
    if (tsr_val_is_instance(*v, t->args[i]) && tsr_values_fit(c, v, t->args[i])) return true;
  for (uint32_t i = 0; i < t->count; i++)
    if (v->tag != TSR_V_INT && tsr_values_fit(c, v, t->args[i])) return true;
  return false;
}

bool tsr_values_fit(tsr_compiler *c, tsr_val *v, const tsr_type *t) {
  tsr_compile_depth(c, NULL, NULL);
  if (t->kind == TSR_T_CLASS && t->cls == NULL && tsr_class_type(c, t->name, strlen(t->name)) == NULL) return false; /* named, never declared */
  switch (t->kind) {
  case TSR_T_ANY: return fit_own_tag(c, v);
  case TSR_T_NONE: return v->tag == TSR_V_NONE;
  case TSR_T_OPTIONAL: return v->tag == TSR_V_NONE || tsr_values_fit(c, v, t->args[0]);
  case TSR_T_UNION: return fit_union(c, v, t);
  case TSR_T_FUTURE: case TSR_T_RREF: return tsr_values_fit(c, v, t->args[0]);
  case TSR_T_BOOL: return v->tag == TSR_V_BOOL;
  case TSR_T_INT: return v->tag == TSR_V_INT;
  case TSR_T_FLOAT:
    if (v->tag == TSR_V_INT) *v = tsr_float((double)v->i);
    return v->tag == TSR_V_FLOAT;
  case TSR_T_COMPLEX: return v->tag == TSR_V_COMPLEX;
  case TSR_T_NUMBER: return v->tag == TSR_V_INT || v->tag == TSR_V_FLOAT || v->tag == TSR_V_COMPLEX || v->tag == TSR_V_BOOL;
  case TSR_T_STR: return v->tag == TSR_V_STR;
  case TSR_T_DEVICE: return v->tag == TSR_V_DEVICE;
  case TSR_T_TENSOR: return v->tag == TSR_V_TENSOR;
  case TSR_T_GENERATOR: return v->tag == TSR_V_GENERATOR;
  case TSR_T_CAPSULE: return v->tag == TSR_V_CAPSULE;
  case TSR_T_ANYLIST: return v->tag == TSR_V_LIST && fit_own_tag(c, v);
  case TSR_T_ANYTUPLE: return v->tag == TSR_V_TUPLE && fit_own_tag(c, v);
  case TSR_T_LIST: return v->tag == TSR_V_LIST && fit_list(c, v->l, t);
  case TSR_T_DICT: return v->tag == TSR_V_DICT && fit_dict(c, v->m, t);
  case TSR_T_TUPLE: case TSR_T_NAMEDTUPLE: return v->tag == TSR_V_TUPLE && fit_tuple(c, v->u, t);
  case TSR_T_CLASS: case TSR_T_INTERFACE: return v->tag == TSR_V_OBJECT && fit_object(c, v->obj, t);
  case TSR_T_ENUM: return v->tag == TSR_V_ENUM && v->e->cls == t->cls;
  default: return false;
  }
}

/* Nothing is declared: what containers say about themselves must be true. */
static bool fit_own_tag(tsr_compiler *c, tsr_val *v) {
  if (v->tag == TSR_V_LIST && v->l->elem != NULL) return fit_list(c, v->l, tsr_resolve_list(c, v->l->elem));
  if (v->tag == TSR_V_DICT && v->m->key_type != NULL && v->m->value_type != NULL)
    return fit_dict(c, v->m, tsr_resolve_dict(c, v->m->key_type, v->m->value_type));
  if (v->tag == TSR_V_LIST) return fit_list(c, v->l, tsr_resolve_list(c, &tsr_type_any));
  if (v->tag == TSR_V_DICT) return fit_dict(c, v->m, tsr_resolve_dict(c, &tsr_type_any, &tsr_type_any));
  if (v->tag == TSR_V_TUPLE) {
    if (v->u->type != NULL) return fit_tuple(c, v->u, v->u->type);
    for (size_t i = 0; i < v->u->len; i++)
      if (!tsr_values_fit(c, &v->u->items[i], &tsr_type_any)) return false;
  }
  return true;
}
