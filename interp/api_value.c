/* Public values: construction and reading. */
#include <stdlib.h>

#include "interp/api.h"
#include "interp/cycles.h"

/* One heap for the values that users make, so that small ones need no heap each.  Made on first use,
 * never closed: it holds no buffers (tensors bring their own). */
static tsr_mem *values_mem;

tsr_mem *tsr_values_mem(void) {
  tsr_mem *mem = __atomic_load_n(&values_mem, __ATOMIC_ACQUIRE);
  if (mem != NULL) return mem;
  tsr_mem *made = tsr_mem_new(0), *expected = NULL;
  if (made == NULL) return NULL;
  if (__atomic_compare_exchange_n(&values_mem, &expected, made, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) return made;
  tsr_mem_close(made);
  return expected;
}

tsr_value *tsr_value_wrap_take(tsr_val v, tsr_model *keep, tsr_types *types) {
  tsr_value *value = malloc(sizeof *value);
  if (value == NULL) {
    tsr_release(v);
    return NULL;
  }
  *value = (tsr_value){1, v, keep, types, tsr_val_may_hold(v) && tsr_mem_share(v.o->mem) ? v.o->mem : NULL};
  if (keep != NULL) tsr_model_retain(keep);
  if (types != NULL) tsr_types_retain(types);
  return value;
}

static tsr_value *wrap_object(void *object) { return object == NULL ? NULL : tsr_value_wrap_take(tsr_from_obj(object), NULL, NULL); }

/* A part of v: shares what keeps v alive. */
static tsr_value *wrap_part(const tsr_value *v, tsr_val part) { return tsr_value_wrap_take(tsr_retain(part), v->keep, v->types); }

void tsr_value_free(tsr_value *v) {
  if (v == NULL || __atomic_sub_fetch(&v->refs, 1, __ATOMIC_ACQ_REL) != 0) return;
  tsr_release(v->v);
  if (v->shared != NULL) {
    if (tsr_mem_leave(v->shared)) tsr_cycles_collect(v->shared); /* its session is gone */
    tsr_mem_unpin(v->shared);
  }
  tsr_model_free(v->keep);
  if (v->types != NULL) tsr_types_release(v->types);
  free(v);
}

tsr_value *tsr_value_ref(tsr_value *v) {
  if (v != NULL) __atomic_fetch_add(&v->refs, 1, __ATOMIC_RELAXED);
  return v;
}

tsr_kind tsr_value_kind(const tsr_value *v) {
  static const uint8_t kinds[] = {
      [TSR_V_NONE] = TSR_KIND_NONE, [TSR_V_BOOL] = TSR_KIND_BOOL, [TSR_V_INT] = TSR_KIND_INT,
      [TSR_V_FLOAT] = TSR_KIND_FLOAT, [TSR_V_DEVICE] = TSR_KIND_DEVICE, [TSR_V_COMPLEX] = TSR_KIND_COMPLEX,
      [TSR_V_STR] = TSR_KIND_STR, [TSR_V_TENSOR] = TSR_KIND_TENSOR, [TSR_V_LIST] = TSR_KIND_LIST,
      [TSR_V_DICT] = TSR_KIND_DICT, [TSR_V_TUPLE] = TSR_KIND_TUPLE, [TSR_V_OBJECT] = TSR_KIND_OBJECT,
      [TSR_V_ENUM] = TSR_KIND_ENUM, [TSR_V_FUNC] = TSR_KIND_OTHER, [TSR_V_GENERATOR] = TSR_KIND_OTHER,
      [TSR_V_CAPSULE] = TSR_KIND_OTHER};
  if (v == NULL) return TSR_KIND_NONE;
  return v->v.tag < TSR_COUNT(kinds) ? (tsr_kind)kinds[v->v.tag] : TSR_KIND_OTHER;
}

/* ---- constructors ---- */

tsr_value *tsr_value_none(void) { return tsr_value_wrap_take(tsr_none(), NULL, NULL); }
tsr_value *tsr_value_bool(bool b) { return tsr_value_wrap_take(tsr_bool(b), NULL, NULL); }
tsr_value *tsr_value_int(int64_t i) { return tsr_value_wrap_take(tsr_int(i), NULL, NULL); }
tsr_value *tsr_value_float(double d) { return tsr_value_wrap_take(tsr_float(d), NULL, NULL); }

tsr_value *tsr_value_complex(double re, double im) {
  tsr_mem *mem = tsr_values_mem();
  return mem == NULL ? NULL : wrap_object(tsr_complex_new(mem, re, im));
}

tsr_value *tsr_value_str(const char *bytes, size_t len) {
  tsr_mem *mem = tsr_values_mem();
  return mem == NULL ? NULL : wrap_object(tsr_str_new(mem, bytes != NULL ? bytes : "", bytes != NULL ? len : 0));
}

static void free_data(void *user, const void *data) {
  TSR_UNUSED(data);
  free(user);
}

static void release_nothing(void *user, const void *data) {
  TSR_UNUSED(user);
  TSR_UNUSED(data);
}

/* Bytes that a view spans; false: negative or overflowing sizes or strides. */
static bool span(tsr_dtype dtype, int ndim, const int64_t *sizes, const int64_t *strides, size_t *bytes) {
  int64_t last = 0, numel, step, total;
  if (ndim < 0 || ndim > TSR_MAX_NDIM || tsr_dtype_size(dtype) == 0 || !tsr_numel(ndim, sizes, &numel)) return false;
  *bytes = 0;
  if (numel == 0) return true;
  for (int d = 0; d < ndim; d++) {
    if (strides[d] < 0 || tsr_mul_overflow(sizes[d] - 1, strides[d], &step) || tsr_add_overflow(last, step, &last)) return false;
  }
  if (tsr_add_overflow(last, 1, &last) || tsr_mul_overflow(last, (int64_t)tsr_dtype_size(dtype), &total)) return false;
  *bytes = (size_t)total;
  return true;
}

static tsr_value *tensor_over(tsr_dtype dtype, int ndim, const int64_t *sizes, const int64_t *strides, const void *data,
                              size_t bytes, void (*release)(void *, const void *), void *user, bool cow) {
  tsr_mem *mem = tsr_values_mem();
  tsr_storage *s = mem == NULL ? NULL : tsr_storage_borrow(mem, data, bytes, release, user);
  if (s == NULL) return NULL;
  s->cow = cow;
  tsr_tensor *t = tsr_tensor_view(mem, s, dtype, 0, ndim, sizes, strides);
  if (t == NULL) s->release = NULL; /* the caller keeps the data when it gets nothing */
  tsr_obj_release(s);
  return wrap_object(t);
}

tsr_value *tsr_value_tensor_borrow(tsr_dtype dtype, int ndim, const int64_t *sizes, const int64_t *strides, const void *data,
                                   void (*release)(void *user, const void *data), void *user) {
  int64_t dense[TSR_MAX_NDIM];
  size_t bytes;
  if (ndim < 0 || ndim > TSR_MAX_NDIM) return NULL;
  if (strides == NULL) {
    tsr_strides_contiguous(ndim, sizes, dense);
    strides = dense;
  }
  if (!span(dtype, ndim, sizes, strides, &bytes)) return NULL;
  return tensor_over(dtype, ndim, sizes, strides, data, bytes, release != NULL ? release : release_nothing, user, true);
}

tsr_value *tsr_value_tensor(tsr_dtype dtype, int ndim, const int64_t *sizes, const int64_t *strides, const void *data) {
  int64_t dense[TSR_MAX_NDIM];
  size_t bytes;
  if (ndim < 0 || ndim > TSR_MAX_NDIM) return NULL;
  if (strides == NULL) {
    tsr_strides_contiguous(ndim, sizes, dense);
    strides = dense;
  }
  if (!span(dtype, ndim, sizes, strides, &bytes)) return NULL;
  void *copy = NULL;
  if (bytes > 0) {
    size_t rounded = (bytes + 63) & ~(size_t)63;
    copy = rounded < bytes ? NULL : aligned_alloc(64, rounded);
    if (copy == NULL) return NULL;
    if (data != NULL) memcpy(copy, data, bytes);
    else memset(copy, 0, bytes);
  }
  tsr_value *v = tensor_over(dtype, ndim, sizes, strides, copy, bytes, free_data, copy, false);
  if (v == NULL) free(copy);
  return v;
}

static const tsr_type *type_of(tsr_val v) {
  switch (v.tag) {
    case TSR_V_BOOL: return &tsr_type_bool;
    case TSR_V_INT: return &tsr_type_int;
    case TSR_V_FLOAT: return &tsr_type_float;
    case TSR_V_COMPLEX: return &tsr_type_complex;
    case TSR_V_STR: return &tsr_type_str;
    case TSR_V_TENSOR: return &tsr_type_tensor;
    case TSR_V_DEVICE: return &tsr_type_device;
    case TSR_V_NONE: return &tsr_type_none;
    default: return &tsr_type_any;
  }
}

static const tsr_type *common_type(tsr_value *const *items, size_t count) {
  const tsr_type *t = count > 0 ? type_of(items[0]->v) : &tsr_type_any;
  for (size_t i = 1; i < count; i++)
    if (type_of(items[i]->v) != t) return &tsr_type_any;
  return t;
}

/* What keeps the first model-bound item alive keeps the container alive; items of two models cannot mix. */
static bool common_keep(tsr_value *const *items, size_t count, tsr_model **keep, tsr_types **types) {
  for (size_t i = 0; i < count; i++) {
    if (items[i] == NULL) return false;
    if (items[i]->keep != NULL && *keep != NULL && items[i]->keep != *keep) return false;
    if (items[i]->types != NULL && *types != NULL && items[i]->types != *types) return false;
    if (items[i]->shared != NULL) tsr_mem_share_for_good(items[i]->shared); /* the container counts in another heap */
    if (items[i]->keep != NULL) *keep = items[i]->keep;
    if (items[i]->types != NULL) *types = items[i]->types;
  }
  return true;
}

tsr_value *tsr_value_list(tsr_value *const *items, size_t count) {
  tsr_mem *mem = tsr_values_mem();
  tsr_model *keep = NULL;
  tsr_types *types = NULL;
  if (mem == NULL || !common_keep(items, count, &keep, &types)) return NULL;
  tsr_list *l = tsr_list_new(mem, common_type(items, count), count);
  if (l == NULL) return NULL;
  for (size_t i = 0; i < count; i++) tsr_list_push_take(l, tsr_retain(items[i]->v));
  return tsr_value_wrap_take(tsr_from_obj(l), keep, types);
}

tsr_value *tsr_value_tuple(tsr_value *const *items, size_t count) {
  tsr_mem *mem = tsr_values_mem();
  tsr_model *keep = NULL;
  tsr_types *types = NULL;
  if (mem == NULL || !common_keep(items, count, &keep, &types)) return NULL;
  tsr_tuple *u = tsr_tuple_new(mem, NULL, count);
  if (u == NULL) return NULL;
  for (size_t i = 0; i < count; i++) u->items[i] = tsr_retain(items[i]->v);
  return tsr_value_wrap_take(tsr_from_obj(u), keep, types);
}

static bool is_key(tsr_val v) {
  return v.tag == TSR_V_STR || v.tag == TSR_V_INT || v.tag == TSR_V_FLOAT || v.tag == TSR_V_BOOL || v.tag == TSR_V_COMPLEX ||
         v.tag == TSR_V_TENSOR;
}

tsr_value *tsr_value_dict(tsr_value *const *keys, tsr_value *const *values, size_t count) {
  tsr_mem *mem = tsr_values_mem();
  tsr_model *keep = NULL;
  tsr_types *types = NULL;
  if (mem == NULL || !common_keep(keys, count, &keep, &types) || !common_keep(values, count, &keep, &types)) return NULL;
  tsr_dict *d = tsr_dict_new(mem, common_type(keys, count), common_type(values, count));
  if (d == NULL) return NULL;
  for (size_t i = 0; i < count; i++) {
    if (is_key(keys[i]->v) && tsr_dict_set(d, keys[i]->v, tsr_retain(values[i]->v))) continue;
    tsr_obj_release(d);
    return NULL;
  }
  return tsr_value_wrap_take(tsr_from_obj(d), keep, types);
}

/* ---- readers ---- */

static uint8_t tag_of(const tsr_value *v) { return v == NULL ? (uint8_t)TSR_V_NONE : v->v.tag; }

bool tsr_value_get_bool(const tsr_value *v) { return tag_of(v) == TSR_V_BOOL && v->v.b; }
int64_t tsr_value_get_int(const tsr_value *v) { return tag_of(v) == TSR_V_INT ? v->v.i : tag_of(v) == TSR_V_BOOL ? v->v.b : 0; }
double tsr_value_get_float(const tsr_value *v) {
  return tag_of(v) == TSR_V_FLOAT ? v->v.d : tag_of(v) == TSR_V_INT ? (double)v->v.i : 0;
}

void tsr_value_get_complex(const tsr_value *v, double *re, double *im) {
  bool ok = tag_of(v) == TSR_V_COMPLEX;
  *re = ok ? v->v.c->z.re : tsr_value_get_float(v);
  *im = ok ? v->v.c->z.im : 0;
}

const char *tsr_value_get_str(const tsr_value *v, size_t *len) {
  const char *s = NULL;
  size_t n = 0;
  if (tag_of(v) == TSR_V_STR) {
    s = v->v.s->bytes;
    n = v->v.s->len;
  } else if (tag_of(v) == TSR_V_ENUM) {
    s = v->v.e->cls->member_names[v->v.e->member];
    n = strlen(s);
  } else if (tag_of(v) == TSR_V_DEVICE) {
    s = tsr_device_type_name(v->v.dev.type);
    n = strlen(s);
  }
  if (len != NULL) *len = n;
  return s;
}

size_t tsr_value_count(const tsr_value *v) {
  switch (tag_of(v)) {
    case TSR_V_LIST: return v->v.l->len;
    case TSR_V_TUPLE: return v->v.u->len;
    case TSR_V_DICT: return v->v.m->count;
    case TSR_V_OBJECT: return v->v.obj->count;
    default: return 0;
  }
}

/* The index-th live entry.  Linear only when entries were deleted. */
static const tsr_entry *entry_at(const tsr_dict *d, size_t index) {
  if (d->used == d->count) return &d->entries[index];
  for (size_t i = tsr_dict_next(d, 0); i < d->used; i = tsr_dict_next(d, i + 1))
    if (index-- == 0) return &d->entries[i];
  return NULL;
}

tsr_value *tsr_value_item(const tsr_value *v, size_t index) {
  if (index >= tsr_value_count(v)) return NULL;
  switch (tag_of(v)) {
    case TSR_V_LIST: return wrap_part(v, v->v.l->items[index]);
    case TSR_V_TUPLE: return wrap_part(v, v->v.u->items[index]);
    case TSR_V_OBJECT: return wrap_part(v, v->v.obj->slots[index]);
    default: return wrap_part(v, entry_at(v->v.m, index)->value);
  }
}

tsr_value *tsr_value_key(const tsr_value *v, size_t index) {
  if (index >= tsr_value_count(v)) return NULL;
  const tsr_class *cls = NULL;
  if (tag_of(v) == TSR_V_DICT) return wrap_part(v, entry_at(v->v.m, index)->key);
  if (tag_of(v) == TSR_V_OBJECT) cls = v->v.obj->cls;
  if (tag_of(v) == TSR_V_TUPLE && v->v.u->type != NULL) cls = v->v.u->type->cls;
  if (cls == NULL || index >= cls->attr_count) return NULL;
  return tsr_value_str(cls->attr_names[index], strlen(cls->attr_names[index]));
}

const char *tsr_value_type_name(const tsr_value *v) {
  if (v == NULL) return "None";
  if (v->v.tag == TSR_V_OBJECT) return v->v.obj->cls->name;
  if (v->v.tag == TSR_V_ENUM) return v->v.e->cls->name;
  if (v->v.tag == TSR_V_TUPLE && v->v.u->type != NULL && v->v.u->type->name != NULL) return v->v.u->type->name;
  return tsr_tag_name(v->v);
}

/* ---- tensors ---- */

static const tsr_tensor *tensor_of(const tsr_value *v) { return tag_of(v) == TSR_V_TENSOR ? v->v.t : NULL; }

tsr_dtype tsr_tensor_dtype(const tsr_value *v) { return tensor_of(v) != NULL ? (tsr_dtype)v->v.t->dtype : TSR_UINT8; }
int tsr_tensor_ndim(const tsr_value *v) { return tensor_of(v) != NULL ? v->v.t->ndim : 0; }
const int64_t *tsr_tensor_sizes(const tsr_value *v) { return tensor_of(v) != NULL ? v->v.t->size : NULL; }
const int64_t *tsr_tensor_strides(const tsr_value *v) { return tensor_of(v) != NULL ? v->v.t->stride : NULL; }
int64_t tsr_tensor_numel(const tsr_value *v) { return tensor_of(v) != NULL ? v->v.t->numel : 0; }

const void *tsr_tensor_data(const tsr_value *v) {
  const tsr_tensor *t = tensor_of(v);
  return t == NULL || t->layout != 0 || t->storage == NULL ? NULL : tsr_tensor_data_ro(t);
}

/* Copy a strided tensor into C order, innermost dimension at a time. */
static void pack(const tsr_tensor *t, char *dst) {
  size_t item = tsr_tensor_itemsize(t);
  const char *src = tsr_tensor_data_ro(t);
  int64_t index[TSR_MAX_NDIM] = {0};
  int last = t->ndim - 1;
  int64_t run = last < 0 ? 1 : t->size[last], step = last < 0 ? 0 : t->stride[last] * (int64_t)item, at = 0;
  for (int64_t done = 0; done < t->numel; done += run) {
    for (int64_t i = 0; i < run; i++, dst += item) memcpy(dst, src + at + i * step, item);
    for (int d = last - 1; d >= 0; d--) {
      at += t->stride[d] * (int64_t)item;
      if (++index[d] < t->size[d]) break;
      at -= t->stride[d] * (int64_t)item * t->size[d];
      index[d] = 0;
    }
  }
}

tsr_value *tsr_tensor_contiguous(const tsr_value *v) {
  const tsr_tensor *t = tensor_of(v);
  if (t == NULL || t->layout != 0) return NULL;
  if (tsr_tensor_is_contiguous(t)) return tsr_value_ref((tsr_value *)v);
  tsr_value *out = tsr_value_tensor((tsr_dtype)t->dtype, t->ndim, t->size, NULL, NULL);
  if (out != NULL) pack(t, (char *)out->v.t->storage->data);
  return out;
}

void tsr_string_free(char *s) { free(s); }
