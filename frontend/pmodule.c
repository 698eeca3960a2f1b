/* Reading pickled modules. */
#include "frontend/pmodule.h"

#include "frontend/pickle_vm.h"

enum { MAX_VISITS = 1 << 20 };

const tsr_val *tsr_dict_lookup(const tsr_dict *d, const char *name) {
  size_t len = strlen(name);
  for (size_t i = d == NULL ? 0 : tsr_dict_next(d, 0); d != NULL && i < d->used; i = tsr_dict_next(d, i + 1)) {
    const tsr_val key = d->entries[i].key;
    if (key.tag == TSR_V_STR && key.s->len == len && memcmp(key.s->bytes, name, len) == 0) return &d->entries[i].value;
  }
  return NULL;
}

static tsr_val slot_of(tsr_val v, uint32_t slot) {
  return v.tag == TSR_V_OBJECT && v.obj->cls->impl == &tsr_opaque_marker && slot < v.obj->count ? v.obj->slots[slot] : tsr_none();
}

const tsr_dict *tsr_pickled_dict(tsr_val v) {
  if (v.tag == TSR_V_OBJECT) v = slot_of(v, TSR_OPAQUE_ITEMS);
  return v.tag == TSR_V_DICT ? v.m : NULL;
}

const tsr_dict *tsr_pickled_attributes(tsr_val v) {
  tsr_val s = slot_of(v, TSR_OPAQUE_STATE);
  if (s.tag == TSR_V_TUPLE && s.u->len == 2) s = s.u->items[0];
  return s.tag == TSR_V_DICT ? s.m : NULL;
}

/* ---- state dicts ---- */

static bool ends_with(const tsr_str *s, const char *end) {
  size_t n = strlen(end);
  return s->len >= n && memcmp(s->bytes + s->len - n, end, n) == 0;
}

static bool is_weight_name(const tsr_str *s) {
  return strchr(s->bytes, '.') != NULL || strcmp(s->bytes, "weight") == 0 || strcmp(s->bytes, "bias") == 0;
}

/* Settings: no tensor and no module in it, as far as a look at *budget values tells. */
static bool is_plain(tsr_val v, int depth, int *budget) {
  const tsr_dict *d = tsr_pickled_dict(v);
  if (--*budget < 0 || depth > 8 || v.tag == TSR_V_TENSOR || tsr_pmodule_of(v, &(tsr_pmodule){0})) return false;
  for (size_t i = d != NULL ? tsr_dict_next(d, 0) : 0; d != NULL && i < d->used; i = tsr_dict_next(d, i + 1))
    if (!is_plain(d->entries[i].value, depth + 1, budget)) return false;
  bool list = v.tag == TSR_V_LIST;
  size_t n = list ? v.l->len : v.tag == TSR_V_TUPLE ? v.u->len : 0;
  for (size_t i = 0; i < n; i++)
    if (!is_plain(list ? v.l->items[i] : v.u->items[i], depth + 1, budget)) return false;
  return true;
}

size_t tsr_state_dict_tensors(tsr_val v, bool *proper) {
  const tsr_dict *d = tsr_pickled_dict(v);
  size_t tensors = 0;
  int budget = 10000;
  *proper = false;
  for (size_t i = d != NULL ? tsr_dict_next(d, 0) : 0; d != NULL && i < d->used; i = tsr_dict_next(d, i + 1)) {
    const tsr_entry *e = &d->entries[i];
    if (e->key.tag != TSR_V_STR) return 0;
    if (e->value.tag == TSR_V_TENSOR) {
      tensors++;
      *proper = *proper || is_weight_name(e->key.s);
    } else if (!ends_with(e->key.s, "_extra_state") && (tsr_pickled_dict(e->value) != NULL || tsr_pmodule_of(e->value, &(tsr_pmodule){0})) && !is_plain(e->value, 0, &budget)) {
      return 0;
    }
  }
  return tensors;
}

/* ---- modules ---- */

bool tsr_pmodule_of(tsr_val v, tsr_pmodule *out) {
  const tsr_dict *d = tsr_pickled_attributes(v);
  if (d == NULL) return false;
  *out = (tsr_pmodule){v.obj->cls->name, d, NULL, NULL, NULL};
  const struct { const char *name; const tsr_dict **to; } parts[] = {{"_modules", &out->children}, {"_parameters", &out->params}, {"_buffers", &out->buffers}};
  for (size_t i = 0; i < TSR_COUNT(parts); i++) {
    const tsr_val *part = tsr_dict_lookup(d, parts[i].name);
    if (part == NULL || (*parts[i].to = tsr_pickled_dict(*part)) == NULL) return false;
  }
  return true;
}

bool tsr_pmodule_is_volatile(const tsr_pmodule *m, tsr_val name) {
  const tsr_val *set = tsr_dict_lookup(m->state, "_non_persistent_buffers_set");
  const tsr_val items = set == NULL ? tsr_none() : set->tag == TSR_V_OBJECT ? slot_of(*set, TSR_OPAQUE_ITEMS) : *set;
  for (size_t i = 0; items.tag == TSR_V_LIST && i < items.l->len; i++)
    if (tsr_val_equal(items.l->items[i], name)) return true;
  return false;
}

static size_t count_tensors(const tsr_dict *d) {
  size_t n = 0;
  for (size_t i = tsr_dict_next(d, 0); i < d->used; i = tsr_dict_next(d, i + 1)) n += d->entries[i].value.tag == TSR_V_TENSOR;
  return n;
}

/* A module may be the child of several: visits bounds the walk. */
static size_t module_tensors(const tsr_pmodule *m, int depth, size_t *visits) {
  tsr_pmodule child;
  size_t n = count_tensors(m->params);
  for (size_t i = tsr_dict_next(m->buffers, 0); i < m->buffers->used; i = tsr_dict_next(m->buffers, i + 1))
    n += m->buffers->entries[i].value.tag == TSR_V_TENSOR && !tsr_pmodule_is_volatile(m, m->buffers->entries[i].key);
  for (size_t i = tsr_dict_next(m->children, 0); i < m->children->used && depth < TSR_MAX_DEPTH && ++*visits < MAX_VISITS; i = tsr_dict_next(m->children, i + 1))
    if (tsr_pmodule_of(m->children->entries[i].value, &child)) n += module_tensors(&child, depth + 1, visits);
  return n;
}

size_t tsr_pmodule_tensors(const tsr_pmodule *m) {
  size_t visits = 0;
  return module_tensors(m, 0, &visits);
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
