/* Storage and geometry of tensors. */
#include "core/tensor.h"

#include "core/mem.h"

enum { STORAGE_TAG = 200 }; /* as in value.c: storages share the object header but are never values */

static tsr_storage *storage_blank(tsr_mem *mem) {
  tsr_storage *s = tsr_zalloc(mem, sizeof *s);
  if (s == NULL) return NULL;
  s->h.refs = 1;
  s->h.tag = STORAGE_TAG;
  s->h.mem = mem;
  return s;
}

tsr_storage *tsr_storage_new(tsr_mem *mem, size_t nbytes) {
  tsr_storage *s = storage_blank(mem);
  if (s == NULL) return NULL;
  s->nbytes = nbytes;
  s->owned = true;
  if (nbytes == 0) return s;
  s->data = tsr_buf_alloc(mem, nbytes);
  if (s->data != NULL) return s;
  tsr_free(mem, s, sizeof *s);
  return NULL;
}

tsr_storage *tsr_storage_borrow(tsr_mem *mem, const void *data, size_t nbytes, void (*release)(void *, const void *),
                                void *user) {
  tsr_storage *s = storage_blank(mem);
  if (s == NULL) return NULL;
  s->data = (void *)(uintptr_t)data; /* cow: never written through this pointer */
  s->nbytes = nbytes;
  s->cow = true;
  s->release = release;
  s->user = user;
  return s;
}

tsr_storage *tsr_storage_cow(tsr_mem *mem, tsr_storage *base) {
  tsr_storage *s = tsr_storage_borrow(mem, base->data, base->nbytes, NULL, NULL);
  if (s == NULL) return NULL;
  s->absent = base->absent;
  s->saved_on = base->saved_on;
  tsr_obj_retain(base);
  s->base = base;
  return s;
}

void tsr_storage_drop(tsr_storage *s) {
  tsr_buf_free(s->h.mem, s->data, s->nbytes);
  s->data = NULL;
}

void tsr_storage_exchange(tsr_storage *s, tsr_storage *other) {
  tsr_storage old = *s;
  s->data = other->data, s->owned = other->owned, s->cow = other->cow;
  s->base = other->base, s->release = other->release, s->user = other->user;
  other->data = old.data, other->owned = old.owned, other->cow = old.cow;
  other->base = old.base, other->release = old.release, other->user = old.user;
}

static void drop_storage(void *user, const void *data) {
  TSR_UNUSED(data);
  tsr_obj_release(user);
}

/* from is held by a count, not as base: it may serve several models, none of which may make it immortal. */
void tsr_storage_redirect(tsr_storage *s, tsr_storage *from, size_t offset) {
  tsr_obj_retain(from);
  if (s->owned) tsr_buf_free(s->h.mem, s->data, s->nbytes);
  if (s->release != NULL) s->release(s->user, s->data);
  if (s->base != NULL) tsr_obj_release(s->base);
  s->base = NULL;
  s->release = drop_storage;
  s->user = from;
  s->data = from->data == NULL ? NULL : (char *)from->data + offset;
  s->owned = false;
  s->cow = true;
}

void *tsr_tensor_data_mut(tsr_tensor *t) {
  tsr_storage *s = t->storage;
  if (s->cow) {
    void *copy = s->nbytes == 0 ? NULL : tsr_buf_alloc(s->h.mem, s->nbytes);
    if (s->nbytes != 0 && copy == NULL) return NULL;
    if (s->nbytes != 0) memcpy(copy, s->data, s->nbytes);
    if (s->release != NULL) s->release(s->user, s->data);
    if (s->base != NULL) tsr_obj_release(s->base);
    s->release = NULL;
    s->base = NULL;
    s->data = copy;
    s->owned = true;
    s->cow = false;
  }
  return s->data == NULL ? NULL : (char *)s->data + (size_t)t->offset * tsr_tensor_itemsize(t);
}

bool tsr_numel(int ndim, const int64_t *size, int64_t *numel) {
  int64_t n = 1;
  bool zero = false, overflow = false;
  for (int d = 0; d < ndim; d++) {
    if (size[d] < 0) return false;
    if (size[d] == 0) zero = true;
    else if (tsr_mul_overflow(n, size[d], &n)) overflow = true;
    if (overflow) n = 1;
  }
  *numel = zero ? 0 : n;
  return zero || !overflow;
}

void tsr_strides_contiguous(int ndim, const int64_t *size, int64_t *stride) {
  int64_t s = 1;
  for (int d = ndim - 1; d >= 0; d--) {
    stride[d] = s;
    if (tsr_mul_overflow(s, TSR_MAX(size[d], (int64_t)1), &s)) s = 1; /* only for empty tensors of absurd sizes */
  }
}

void tsr_strides_channels_last(int ndim, const int64_t *size, int64_t *stride) {
  int64_t s = 1;
  stride[1] = s;
  s *= size[1];
  for (int d = ndim - 1; d >= 2; d--) {
    stride[d] = s;
    s *= size[d];
  }
  stride[0] = s;
}

bool tsr_view_fits(size_t nbytes, tsr_dtype dtype, int64_t offset, int ndim, const int64_t *size, const int64_t *stride) {
  int64_t item = (int64_t)tsr_dtype_size(dtype), last = offset, first = offset;
  if (offset < 0 || item == 0) return false;
  for (int d = 0; d < ndim; d++) {
    int64_t span;
    if (size[d] < 0) return false;
    if (size[d] == 0) return true; /* no element: nothing is ever touched */
    if (tsr_mul_overflow(size[d] - 1, stride[d], &span)) return false;
    if (tsr_add_overflow(span < 0 ? first : last, span, span < 0 ? &first : &last)) return false;
  }
  int64_t end;
  if (first < 0 || tsr_add_overflow(last, 1, &end) || tsr_mul_overflow(end, item, &end)) return false;
  return (uint64_t)end <= nbytes;
}

static tsr_tensor *tensor_blank(tsr_mem *mem, tsr_dtype dtype, int ndim, const int64_t *size, const int64_t *stride) {
  if (ndim < 0 || ndim > TSR_MAX_NDIM) return NULL;
  tsr_tensor *t = tsr_alloc(mem, sizeof *t);
  if (t == NULL) return NULL;
  memset(t, 0, offsetof(tsr_tensor, dims)); /* of dims, what is used is written */
  t->h.refs = 1;
  t->h.tag = TSR_V_TENSOR;
  t->h.mem = mem;
  t->dtype = (uint8_t)dtype;
  t->size = t->dims;
  t->stride = t->dims + TSR_INLINE_NDIM;
  t->dims_cap = TSR_INLINE_NDIM;
  if (!tsr_tensor_set_dims(t, ndim, size, stride)) {
    tsr_free(mem, t, sizeof *t);
    return NULL;
  }
  return t;
}

/* Few dimensions, not t's own arrays: no copy on the way. */
static bool set_inline_dims(tsr_tensor *t, int ndim, const int64_t *size, const int64_t *stride) {
  int64_t next = 1, numel;
  if (!tsr_numel(ndim, size, &numel)) return false;
  t->numel = numel;
  for (int d = ndim - 1; d >= 0; d--) {
    t->size[d] = size[d];
    t->stride[d] = stride != NULL ? stride[d] : next;
    if (tsr_mul_overflow(next, TSR_MAX(size[d], (int64_t)1), &next)) next = 1; /* as tsr_strides_contiguous */
  }
  t->ndim = (uint8_t)ndim;
  return true;
}

static bool lies_in_dims(const tsr_tensor *t, const int64_t *p) { return p >= t->dims && p < t->dims + 2 * TSR_INLINE_NDIM; }

bool tsr_tensor_set_dims(tsr_tensor *t, int ndim, const int64_t *size, const int64_t *stride) {
  if (ndim >= 0 && ndim <= TSR_INLINE_NDIM && t->size == t->dims && !lies_in_dims(t, size) && !lies_in_dims(t, stride))
    return set_inline_dims(t, ndim, size, stride);
  int64_t numel, new_size[TSR_MAX_NDIM], new_stride[TSR_MAX_NDIM];
  if (ndim < 0 || ndim > TSR_MAX_NDIM || !tsr_numel(ndim, size, &numel)) return false;
  /* size and stride may be t's own arrays */
  if (ndim > 0) memcpy(new_size, size, (size_t)ndim * sizeof *size);
  if (stride == NULL) tsr_strides_contiguous(ndim, new_size, new_stride);
  else if (ndim > 0) memcpy(new_stride, stride, (size_t)ndim * sizeof *stride);
  if (ndim > t->dims_cap) {
    int64_t *dims = tsr_alloc(t->h.mem, 2 * (size_t)ndim * sizeof *dims);
    if (dims == NULL) return false;
    if (t->size != t->dims) tsr_free(t->h.mem, t->size, 2 * (size_t)t->dims_cap * sizeof *dims);
    t->size = dims;
    t->stride = dims + ndim;
    t->dims_cap = (uint8_t)ndim;
  }
  if (ndim > 0) {
    memcpy(t->size, new_size, (size_t)ndim * sizeof *size);
    memcpy(t->stride, new_stride, (size_t)ndim * sizeof *stride);
  }
  t->ndim = (uint8_t)ndim;
  t->numel = numel;
  return true;
}

/* Bytes a storage needs for these strides (all >= 0), or false on overflow. */
static bool storage_bytes(tsr_dtype dtype, int ndim, const int64_t *size, const int64_t *stride, size_t *nbytes) {
  int64_t last = 0;
  for (int d = 0; d < ndim; d++) {
    int64_t span;
    if (size[d] == 0) {
      *nbytes = 0;
      return true;
    }
    if (tsr_mul_overflow(size[d] - 1, stride[d], &span) || tsr_add_overflow(last, span, &last)) return false;
  }
  int64_t bytes;
  if (tsr_add_overflow(last, 1, &last) || tsr_mul_overflow(last, (int64_t)tsr_dtype_size(dtype), &bytes)) return false;
  *nbytes = (size_t)bytes;
  return true;
}

tsr_tensor *tsr_tensor_new_strided(tsr_mem *mem, tsr_dtype dtype, int ndim, const int64_t *size, const int64_t *stride) {
  tsr_tensor *t = tensor_blank(mem, dtype, ndim, size, stride);
  if (t == NULL) return NULL;
  size_t nbytes;
  if (storage_bytes(dtype, ndim, t->size, t->stride, &nbytes)) t->storage = tsr_storage_new(mem, nbytes);
  if (t->storage == NULL) {
    tsr_obj_release(t);
    return NULL;
  }
  return t;
}

tsr_tensor *tsr_tensor_new(tsr_mem *mem, tsr_dtype dtype, int ndim, const int64_t *size) {
  return tsr_tensor_new_strided(mem, dtype, ndim, size, NULL);
}

tsr_tensor *tsr_tensor_view(tsr_mem *mem, tsr_storage *storage, tsr_dtype dtype, int64_t offset, int ndim,
                            const int64_t *size, const int64_t *stride) {
  tsr_tensor *t = tensor_blank(mem, dtype, ndim, size, stride);
  if (t == NULL) return NULL;
  tsr_obj_retain(storage);
  t->storage = storage;
  t->offset = offset;
  return t;
}

static bool copy_quant(tsr_tensor *t, const tsr_tensor *from) {
  if (from->quant == NULL) return true;
  t->quant = tsr_alloc(t->h.mem, sizeof *t->quant);
  if (t->quant == NULL) return false;
  *t->quant = *from->quant;
  if (t->quant->scales != NULL) tsr_obj_retain(t->quant->scales);
  if (t->quant->zero_points != NULL) tsr_obj_retain(t->quant->zero_points);
  return true;
}

static bool copy_sparse(tsr_tensor *t, const tsr_tensor *from) {
  if (from->sparse == NULL) return true;
  t->sparse = tsr_alloc(t->h.mem, sizeof *t->sparse);
  if (t->sparse == NULL) return false;
  *t->sparse = *from->sparse;
  if (t->sparse->a != NULL) tsr_obj_retain(t->sparse->a);
  if (t->sparse->b != NULL) tsr_obj_retain(t->sparse->b);
  if (t->sparse->values != NULL) tsr_obj_retain(t->sparse->values);
  return true;
}

tsr_tensor *tsr_tensor_alias(tsr_mem *mem, const tsr_tensor *from) {
  tsr_tensor *t = tsr_tensor_view(mem, from->storage, (tsr_dtype)from->dtype, from->offset, from->ndim, from->size, from->stride);
  if (t == NULL) return NULL;
  t->requires_grad = from->requires_grad;
  t->layout = from->layout;
  if (copy_quant(t, from) && copy_sparse(t, from)) return t;
  tsr_obj_release(t);
  return NULL;
}

bool tsr_tensor_is_contiguous(const tsr_tensor *t) {
  if (t->numel == 0) return true;
  int64_t expect = 1;
  for (int d = t->ndim - 1; d >= 0; d--) {
    if (t->size[d] == 1) continue;
    if (t->stride[d] != expect) return false;
    expect *= t->size[d];
  }
  return true;
}

bool tsr_tensor_is_channels_last(const tsr_tensor *t) {
  static const int orders[2][5] = {{1, 3, 2, 0, -1}, {1, 4, 3, 2, 0}};
  if (t->ndim != 4 && t->ndim != 5) return false;
  const int *order = orders[t->ndim - 4];
  int64_t expect = 1;
  for (int k = 0; k < t->ndim; k++) {
    int d = order[k];
    if (t->size[d] == 1) continue;
    if (t->stride[d] != expect) return false;
    expect *= t->size[d];
  }
  return true;
}

bool tsr_tensor_is_dense(const tsr_tensor *t) {
  int perm[TSR_MAX_NDIM], n = 0;
  if (t->numel == 0) return true;
  for (int d = 0; d < t->ndim; d++) {
    if (t->size[d] == 1) continue;
    int i = n++;
    for (; i > 0 && t->stride[perm[i - 1]] > t->stride[d]; i--) perm[i] = perm[i - 1];
    perm[i] = d;
  }
  int64_t expect = 1;
  for (int i = 0; i < n; i++) {
    if (t->stride[perm[i]] != expect) return false;
    expect *= t->size[perm[i]];
  }
  return true;
}

tsr_val tsr_tensor_get(tsr_mem *mem, const tsr_tensor *t, int64_t linear) {
  int64_t at = 0;
  for (int d = t->ndim - 1; d >= 0; d--) {
    at += linear % t->size[d] * t->stride[d];
    linear /= t->size[d];
  }
  const char *p = (const char *)tsr_tensor_data_ro(t) + at * (int64_t)tsr_tensor_itemsize(t);
  tsr_dtype dtype = (tsr_dtype)t->dtype;
  switch (tsr_dtype_category(dtype)) {
    case TSR_CAT_BOOL: return tsr_bool(*p != 0);
    case TSR_CAT_INT: {
      int64_t i;
      tsr_convert(TSR_INT64, &i, dtype, p, 1);
      return tsr_int(i);
    }
    case TSR_CAT_FLOAT: {
      double d;
      tsr_convert(TSR_FLOAT64, &d, dtype, p, 1);
      return tsr_float(d);
    }
    case TSR_CAT_COMPLEX: {
      tsr_c128 z;
      tsr_convert(TSR_COMPLEX128, &z, dtype, p, 1);
      tsr_complex *c = tsr_complex_new(mem, z.re, z.im);
      return c == NULL ? tsr_none() : tsr_from_obj(c);
    }
    default: { /* quantized: the dequantized number, per-tensor parameters */
      int64_t q = dtype == TSR_QINT8 ? *(const int8_t *)p : dtype == TSR_QINT32 ? *(const int32_t *)p : *(const uint8_t *)p;
      return tsr_float(t->quant == NULL ? (double)q : ((double)q - (double)t->quant->zero_point) * t->quant->scale);
    }
  }
}
