/* Reading pickled modules. */
#include "frontend/pmodule.h"

#include "frontend/pickle.h"

const tsr_val *tsr_dict_lookup(const tsr_dict *d, const char *name) {
  size_t len = strlen(name);
  for (size_t i = d == NULL ? 0 : tsr_dict_next(d, 0); d != NULL && i < d->used; i = tsr_dict_next(d, i + 1)) {
    const tsr_val key = d->entries[i].key;
    if (key.tag == TSR_V_STR && key.s->len == len && memcmp(key.s->bytes, name, len) == 0) return &d->entries[i].value;
  }
  return NULL;
}

static const tsr_dict *lookup_dict(const tsr_dict *d, const char *name) {
  const tsr_val *v = tsr_dict_lookup(d, name);
  return v != NULL && v->tag == TSR_V_DICT ? v->m : NULL;
}

bool tsr_pmodule_of(tsr_val v, tsr_pmodule *out) {
  if (v.tag != TSR_V_OBJECT || v.obj->cls->impl != &tsr_opaque_marker || v.obj->count < 2) return false;
  const tsr_val state = v.obj->slots[1];
  if (state.tag != TSR_V_DICT) return false;
  *out = (tsr_pmodule){v.obj->cls->name, state.m, lookup_dict(state.m, "_modules"), lookup_dict(state.m, "_parameters"),
                       lookup_dict(state.m, "_buffers")};
  return out->children != NULL && out->params != NULL && out->buffers != NULL;
}

const tsr_val *tsr_pmodule_attr(const tsr_pmodule *m, const char *name) {
  const tsr_val *v = tsr_dict_lookup(m->params, name);
  if (v == NULL) v = tsr_dict_lookup(m->buffers, name);
  if (v == NULL) v = tsr_dict_lookup(m->children, name);
  return v != NULL ? v : tsr_dict_lookup(m->state, name);
}

bool tsr_pmodule_is_setting(const tsr_entry *e) {
  return e->key.tag == TSR_V_STR && e->key.s->len > 0 && e->key.s->bytes[0] != '_' && strcmp(e->key.s->bytes, "training") != 0 &&
         e->value.tag != TSR_V_DICT && e->value.tag != TSR_V_OBJECT && e->value.tag != TSR_V_TENSOR;
}
