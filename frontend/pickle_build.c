/* The globals tsrun understands, and what each makes of its arguments.  Names that are not in the table
 * stand for themselves: they make opaque records. */
#include <stdio.h>
#include <stdlib.h>

#include "frontend/pickle_vm.h"
#include "frontend/raw.h"
#include "frontend/text.h"

typedef tsr_status (*builder)(tsr_pvm *v, const tsr_pglobal *g, tsr_tuple *args, tsr_val *out);

typedef struct row {
  const char *name;
  builder build; /* NULL: a constant, pushed as the integer value */
  int64_t value;
} row;
static const row rows[];
static size_t row_count(void);

/* ---- arguments ---- */

static tsr_status bad_arg(tsr_pvm *v, const tsr_pglobal *g, size_t i, const char *want) {
  return tsr_pvm_fail(v, TSR_EFORMAT, "%s: argument %zu must be %s", tsr_show(g->cls.name, strlen(g->cls.name)).text,
                      i + 1, want);
}

static tsr_status need_args(tsr_pvm *v, const tsr_pglobal *g, const tsr_tuple *args, size_t least, size_t most) {
  if (args->len >= least && args->len <= most) return TSR_OK;
  return tsr_pvm_fail(v, TSR_EFORMAT, "%s with %zu arguments", tsr_show(g->cls.name, strlen(g->cls.name)).text,
                      args->len);
}

static tsr_status arg_int(tsr_pvm *v, const tsr_pglobal *g, const tsr_tuple *args, size_t i, int64_t *out) {
  if (args->items[i].tag == TSR_V_BOOL)
    *out = args->items[i].b;
  else if (args->items[i].tag == TSR_V_INT)
    *out = args->items[i].i;
  else
    return bad_arg(v, g, i, "an int");
  return TSR_OK;
}

static tsr_status arg_tensor(tsr_pvm *v, const tsr_pglobal *g, const tsr_tuple *args, size_t i, tsr_tensor **out) {
  if (args->items[i].tag != TSR_V_TENSOR) return bad_arg(v, g, i, "a tensor or storage");
  *out = args->items[i].t;
  return TSR_OK;
}

/* Sizes or strides: a tuple or list of at most TSR_MAX_NDIM ints >= 0. */
static tsr_status arg_dims(tsr_pvm *v, const tsr_pglobal *g, const tsr_tuple *args, size_t i, int *n, int64_t *dims) {
  tsr_val a = args->items[i];
  bool list = a.tag == TSR_V_LIST;
  if (!list && a.tag != TSR_V_TUPLE) return bad_arg(v, g, i, "a tuple of ints");
  size_t len = list ? a.l->len : a.u->len;
  const tsr_val *items = list ? a.l->items : a.u->items;
  if (len > TSR_MAX_NDIM)
    return tsr_pvm_fail(v, TSR_EFORMAT, "a tensor of %zu dimensions (at most %d)", len, TSR_MAX_NDIM);
  for (size_t d = 0; d < len; d++) {
    if (items[d].tag != TSR_V_INT) return bad_arg(v, g, i, "a tuple of ints");
    if (items[d].i < 0)
      return tsr_pvm_fail(v, TSR_EFORMAT, "a tensor with a negative size or stride (%lld)", (long long)items[d].i);
    dims[d] = items[d].i;
  }
  *n = (int)len;
  return TSR_OK;
}

static bool truthy(const tsr_tuple *args, size_t i) {
  return i < args->len && ((args->items[i].tag == TSR_V_BOOL && args->items[i].b) ||
                           (args->items[i].tag == TSR_V_INT && args->items[i].i != 0));
}

/* ---- tensors ---- */

typedef struct shape {
  int ndim;
  int64_t offset, size[TSR_MAX_NDIM], stride[TSR_MAX_NDIM];
} shape;

/* storage, offset, sizes, strides: the first four arguments of every strided rebuild */
static tsr_status arg_shape(tsr_pvm *v, const tsr_pglobal *g, const tsr_tuple *args, tsr_tensor **token, shape *s) {
  int strides;
  TSR_TRY(arg_tensor(v, g, args, 0, token));
  TSR_TRY(arg_int(v, g, args, 1, &s->offset));
  TSR_TRY(arg_dims(v, g, args, 2, &s->ndim, s->size));
  TSR_TRY(arg_dims(v, g, args, 3, &strides, s->stride));
  return strides == s->ndim ? TSR_OK
                            : tsr_pvm_fail(v, TSR_EFORMAT, "a tensor of %d sizes and %d strides", s->ndim, strides);
}

/* Name of the entry behind a storage, for messages. */
static tsr_shown storage_name(const tsr_pvm *v, const tsr_storage *st) {
  const tsr_dict *d = v->storages;
  for (size_t i = d != NULL ? tsr_dict_next(d, 0) : 0; d != NULL && i < d->used; i = tsr_dict_next(d, i + 1))
    if (d->entries[i].value.t->storage == st && d->entries[i].key.tag == TSR_V_STR)
      return tsr_show(d->entries[i].key.s->bytes, d->entries[i].key.s->len);
  return tsr_show("?", 1);
}

static tsr_status fail_short(tsr_pvm *v, const tsr_tensor *token, tsr_dtype dtype, const shape *s) {
  char sizes[256];
  size_t at = 0;
  for (int d = 0; d < s->ndim && at + 24 < sizeof sizes; d++)
    at += (size_t)snprintf(sizes + at, sizeof sizes - at, "%s%lld", d != 0 ? ", " : "", (long long)s->size[d]);
  sizes[at] = '\0';
  return tsr_pvm_fail(v, TSR_EFORMAT, "a %s tensor of sizes [%s] does not fit its storage \"%s\" of %zu bytes",
                      tsr_dtype_name(dtype), sizes, storage_name(v, token->storage).text, token->storage->nbytes);
}

/* A tensor on the meta device has no bytes: one zero stands for every element. */
static tsr_status meta_tensor(tsr_pvm *v, tsr_dtype dtype, const shape *s, tsr_val *out) {
  int64_t zero[TSR_MAX_NDIM] = {0}, numel, bytes;
  if (!tsr_numel(s->ndim, s->size, &numel) || tsr_mul_overflow(numel, (int64_t)tsr_dtype_size(dtype), &bytes))
    return tsr_pvm_fail(v, TSR_EFORMAT, "a tensor of more than 2^63 bytes");
  tsr_storage *st = tsr_storage_new(v->mem, tsr_dtype_size(dtype));
  if (st == NULL) return tsr_pvm_nomem(v);
  memset(st->data, 0, st->nbytes);
  st->absent = true;
  tsr_device_parse("meta", 4, &st->saved_on);
  tsr_tensor *t = tsr_tensor_view(v->mem, st, dtype, 0, s->ndim, s->size, zero);
  tsr_obj_release(st);
  if (t == NULL) return tsr_pvm_nomem(v);
  *out = tsr_from_obj(t);
  return TSR_OK;
}

static tsr_status view(tsr_pvm *v, tsr_tensor *token, tsr_dtype dtype, const shape *s, bool requires_grad,
                       tsr_val *out) {
  int64_t item = (int64_t)tsr_dtype_size(dtype), offset = token->offset, numel, bytes;
  if (token->sparse != NULL) return tsr_pvm_fail(v, TSR_EFORMAT, "a tensor is used as a storage");
  if (token->storage == v->meta && v->meta != NULL) return meta_tensor(v, dtype, s, out);
  if (dtype != token->dtype) { /* a token's offset counts its own elements */
    int64_t token_item = (int64_t)tsr_dtype_size((tsr_dtype)token->dtype);
    if (tsr_mul_overflow(offset, token_item, &offset) || offset % item != 0) return fail_short(v, token, dtype, s);
    offset /= item;
  }
  if (s->offset < 0 || tsr_add_overflow(offset, s->offset, &offset) || !tsr_numel(s->ndim, s->size, &numel) ||
      tsr_mul_overflow(numel, item, &bytes) ||
      !tsr_view_fits(token->storage->nbytes, dtype, offset, s->ndim, s->size, s->stride))
    return fail_short(v, token, dtype, s);
  if (dtype == TSR_BOOL && v->opt->raw)
    token->storage->raw |= TSR_RAW_BOOL;
  else if (dtype == TSR_BOOL && token->dtype != TSR_BOOL &&
      !tsr_bools_are_clean(token->storage->data, token->storage->nbytes))
    return tsr_pvm_fail(v, TSR_EFORMAT, "storage \"%s\" is used as bool, but holds other numbers",
                        storage_name(v, token->storage).text);
  tsr_tensor *t = tsr_tensor_view(v->mem, token->storage, dtype, numel == 0 ? 0 : offset, s->ndim, s->size, s->stride);
  if (t == NULL) return tsr_pvm_nomem(v);
  t->requires_grad = requires_grad;
  *out = tsr_from_obj(t);
  return TSR_OK;
}

/* What is about to be looked into must not be raw. */
static tsr_status cook_value(tsr_pvm *v, tsr_val *io) {
  tsr_tensor *cooked = NULL;
  if (io->tag != TSR_V_TENSOR || io->t->storage->raw == 0) return TSR_OK;
  TSR_TRY(tsr_tensor_cook(v->mem, v->e, io->t, &cooked));
  tsr_release(*io);
  *io = tsr_from_obj(cooked);
  return TSR_OK;
}

/* {"conj": True} and {"neg": True}: PyTorch saved the bytes without the pending operation.  Tensors of
 * tsrun have no such pending state: apply it to a copy. */
static tsr_status resolve_math(tsr_pvm *v, const tsr_dict *meta, tsr_val *io) {
  bool conj = false, neg = false;
  for (size_t i = tsr_dict_next(meta, 0); i < meta->used; i = tsr_dict_next(meta, i + 1)) {
    const tsr_entry *e = &meta->entries[i];
    bool on = e->value.tag == TSR_V_BOOL && e->value.b;
    conj |= on && e->key.tag == TSR_V_STR && strcmp(e->key.s->bytes, "conj") == 0;
    neg |= on && e->key.tag == TSR_V_STR && strcmp(e->key.s->bytes, "neg") == 0;
  }
  if (conj || neg) TSR_TRY(cook_value(v, io));
  tsr_tensor *t = io->t;
  bool complex = t->dtype == TSR_COMPLEX64 || t->dtype == TSR_COMPLEX128,
       real = t->dtype == TSR_FLOAT32 || t->dtype == TSR_FLOAT64;
  conj = conj && complex;
  if ((!conj && !neg) || t->storage->data == NULL) return TSR_OK;
  if (!complex && !real)
    return tsr_pvm_fail(v, TSR_EUNSUPPORTED, "a negated view of %s", tsr_dtype_name((tsr_dtype)t->dtype));
  tsr_storage *st = tsr_storage_new(v->mem, t->storage->nbytes);
  if (st == NULL) return tsr_pvm_nomem(v);
  memcpy(st->data, t->storage->data, st->nbytes);
  size_t width = t->dtype == TSR_COMPLEX64 || t->dtype == TSR_FLOAT32 ? 4 : 8, n = st->nbytes / width;
  for (size_t i = 0; i < n; i++) { /* flip sign bits: of every number, of the odd (imaginary) ones */
    bool flip = neg != (conj && i % 2 == 1);
    if (flip) ((uint8_t *)st->data)[i * width + width - 1] ^= 0x80;
  }
  tsr_tensor *copy = tsr_tensor_view(v->mem, st, (tsr_dtype)t->dtype, t->offset, t->ndim, t->size, t->stride);
  tsr_obj_release(st);
  if (copy == NULL) return tsr_pvm_nomem(v);
  copy->requires_grad = t->requires_grad;
  tsr_release(*io);
  *io = tsr_from_obj(copy);
  return TSR_OK;
}

static tsr_status finish_metadata(tsr_pvm *v, const tsr_tuple *args, size_t i, tsr_val *out) {
  if (i >= args->len || args->items[i].tag != TSR_V_DICT) return TSR_OK;
  tsr_status st = resolve_math(v, args->items[i].m, out);
  if (st != TSR_OK) tsr_release(*out);
  return st;
}

static tsr_status plain_dtype(tsr_pvm *v, tsr_dtype dtype) {
  return tsr_dtype_is_quantized(dtype) ? tsr_pvm_fail(v, TSR_EFORMAT, "a quantized tensor without its parameters")
                                       : TSR_OK;
}

/* (storage, offset, sizes, strides) */
static tsr_status build_tensor_v1(tsr_pvm *v, const tsr_pglobal *g, tsr_tuple *args, tsr_val *out) {
  tsr_tensor *token = NULL;
  shape s = {0};
  TSR_TRY(need_args(v, g, args, 4, 4));
  TSR_TRY(arg_shape(v, g, args, &token, &s));
  TSR_TRY(plain_dtype(v, (tsr_dtype)token->dtype));
  return view(v, token, (tsr_dtype)token->dtype, &s, false, out);
}

/* (storage, offset, sizes, strides, requires_grad, hooks[, metadata]) */
static tsr_status build_tensor_v2(tsr_pvm *v, const tsr_pglobal *g, tsr_tuple *args, tsr_val *out) {
  tsr_tensor *token = NULL;
  shape s = {0};
  TSR_TRY(need_args(v, g, args, 4, 7));
  TSR_TRY(arg_shape(v, g, args, &token, &s));
  TSR_TRY(plain_dtype(v, (tsr_dtype)token->dtype));
  TSR_TRY(view(v, token, (tsr_dtype)token->dtype, &s, truthy(args, 4), out));
  return finish_metadata(v, args, 6, out);
}

static tsr_status arg_dtype(tsr_pvm *v, const tsr_pglobal *g, const tsr_tuple *args, size_t i, tsr_dtype *out) {
  int64_t d = 0;
  const tsr_pglobal *named = i < args->len ? tsr_pvm_as_global(args->items[i]) : NULL;
  if (named != NULL && !tsr_pickle_tag_is_constant(named->tag)) /* a type that this version does not know */
    return tsr_pvm_fail(v, TSR_EUNSUPPORTED, "element type %s", tsr_show(named->cls.name, strlen(named->cls.name)).text);
  TSR_TRY(arg_int(v, g, args, i, &d));
  if (!tsr_dtype_is_known(d)) return tsr_pvm_fail(v, TSR_EUNSUPPORTED, "element type %lld", (long long)d);
  *out = (tsr_dtype)d;
  return TSR_OK;
}

/* The first tensor of an untyped storage tells how wide its elements are. */
static tsr_status swap_untyped(tsr_pvm *v, tsr_tensor *token, tsr_dtype dtype) {
  tsr_storage *s = token->storage;
  uint64_t key = (uint64_t)(uintptr_t)s;
  if (v->opt->raw || v->opt->archive == NULL || !tsr_archive_is_big_endian(v->opt->archive) || token->dtype != TSR_UINT8 || !s->owned)
    return TSR_OK;
  if (tsr_umap_get(&v->swapped, key) != NULL) return TSR_OK;
  if (!tsr_umap_set(&v->swapped, key, 1)) return tsr_pvm_nomem(v);
  tsr_swap_bytes(s->data, s->nbytes, dtype);
  return TSR_OK;
}

/* (storage, offset, sizes, strides, requires_grad, hooks, dtype[, metadata]); the storage is untyped */
static tsr_status build_tensor_v3(tsr_pvm *v, const tsr_pglobal *g, tsr_tuple *args, tsr_val *out) {
  tsr_tensor *token = NULL;
  shape s = {0};
  tsr_dtype dtype = TSR_UINT8;
  TSR_TRY(need_args(v, g, args, 7, 8));
  TSR_TRY(arg_shape(v, g, args, &token, &s));
  TSR_TRY(arg_dtype(v, g, args, 6, &dtype));
  TSR_TRY(plain_dtype(v, dtype));
  TSR_TRY(swap_untyped(v, token, dtype));
  TSR_TRY(view(v, token, dtype, &s, truthy(args, 4), out));
  return finish_metadata(v, args, 7, out);
}

/* (tensor, requires_grad, hooks[, state]): the same storage under another identity */
static tsr_status build_parameter(tsr_pvm *v, const tsr_pglobal *g, tsr_tuple *args, tsr_val *out) {
  tsr_tensor *t = NULL;
  TSR_TRY(need_args(v, g, args, 1, 4));
  TSR_TRY(arg_tensor(v, g, args, 0, &t));
  tsr_tensor *p = tsr_tensor_alias(v->mem, t);
  if (p == NULL) return tsr_pvm_nomem(v);
  p->requires_grad = args->len < 2 || truthy(args, 1);
  *out = tsr_from_obj(p);
  return TSR_OK;
}

/* (dtype, sizes, strides, requires_grad) */
static tsr_status build_meta_tensor(tsr_pvm *v, const tsr_pglobal *g, tsr_tuple *args, tsr_val *out) {
  tsr_dtype dtype = TSR_UINT8;
  shape s = {0};
  TSR_TRY(need_args(v, g, args, 4, 4));
  TSR_TRY(arg_dtype(v, g, args, 0, &dtype));
  TSR_TRY(plain_dtype(v, dtype));
  TSR_TRY(arg_dims(v, g, args, 1, &s.ndim, s.size));
  return meta_tensor(v, dtype, &s, out);
}

enum { PER_TENSOR_AFFINE, PER_CHANNEL_AFFINE, PER_TENSOR_SYMMETRIC, PER_CHANNEL_SYMMETRIC, PER_CHANNEL_FLOAT };

/* Before 1.5, scales and zero points by channel were lists: v becomes a tensor, kept by the unpickler. */
static tsr_status numbers_tensor(tsr_pvm *v, tsr_val *x, tsr_tag tag, tsr_dtype dtype) {
  if (x->tag != TSR_V_LIST || x->l->len == 0) return TSR_OK;
  int64_t n = (int64_t)x->l->len;
  for (int64_t i = 0; i < n; i++)
    if (x->l->items[i].tag != tag) return TSR_OK;
  tsr_tensor *t = tsr_tensor_new(v->mem, dtype, 1, &n);
  if (t == NULL) return tsr_pvm_nomem(v);
  for (int64_t i = 0; i < n; i++) {
    if (tag == TSR_V_FLOAT) ((double *)t->storage->data)[i] = x->l->items[i].d;
    else ((int64_t *)t->storage->data)[i] = x->l->items[i].i;
  }
  tsr_release(*x);
  *x = tsr_from_obj(t);
  return TSR_OK;
}

/* (scheme, scale, zero_point) or (scheme, scales, zero_points, axis) */
static tsr_status read_quant(tsr_pvm *v, const tsr_tensor *t, tsr_val params, tsr_quant *q) {
  const tsr_tuple *p = params.u;
  if (params.tag != TSR_V_TUPLE || p->len < 3 || p->items[0].tag != TSR_V_INT)
    return tsr_pvm_fail(v, TSR_EFORMAT, "quantization parameters are missing");
  int64_t scheme = p->items[0].i;
  if (scheme == PER_TENSOR_AFFINE || scheme == PER_TENSOR_SYMMETRIC) {
    if (p->len != 3 || p->items[1].tag != TSR_V_FLOAT || p->items[2].tag != TSR_V_INT)
      return tsr_pvm_fail(v, TSR_EFORMAT, "quantization wants a float scale and an int zero point");
    *q = (tsr_quant){.scheme = (uint8_t)scheme, .scale = p->items[1].d, .zero_point = p->items[2].i};
    return TSR_OK;
  }
  if (scheme != PER_CHANNEL_AFFINE && scheme != PER_CHANNEL_SYMMETRIC && scheme != PER_CHANNEL_FLOAT)
    return tsr_pvm_fail(v, TSR_EUNSUPPORTED, "quantization scheme %lld", (long long)scheme);
  if (p->len == 4) {
    TSR_TRY(numbers_tensor(v, &params.u->items[1], TSR_V_FLOAT, TSR_FLOAT64));
    TSR_TRY(numbers_tensor(v, &params.u->items[2], TSR_V_INT, TSR_INT64));
  }
  if (p->len != 4 || p->items[1].tag != TSR_V_TENSOR || p->items[2].tag != TSR_V_TENSOR || p->items[3].tag != TSR_V_INT)
    return tsr_pvm_fail(v, TSR_EFORMAT, "quantization by channel wants scales, zero points and an axis");
  tsr_tensor *scales = p->items[1].t, *zeros = p->items[2].t;
  int64_t axis = p->items[3].i;
  if (axis < 0 || axis >= t->ndim || scales->ndim != 1 || zeros->ndim != 1 || scales->numel != t->size[axis] ||
      zeros->numel != scales->numel || !tsr_dtype_is_float((tsr_dtype)scales->dtype) || scales->layout != 0 ||
      zeros->layout != 0)
    return tsr_pvm_fail(v, TSR_EFORMAT, "quantization by channel: scales and zero points do not match the tensor");
  if (scheme == PER_CHANNEL_AFFINE && tsr_dtype_is_float((tsr_dtype)zeros->dtype)) scheme = PER_CHANNEL_FLOAT; /* as PyTorch writes it */
  *q = (tsr_quant){.scheme = (uint8_t)scheme, .scales = scales, .zero_points = zeros, .axis = axis};
  return TSR_OK;
}

/* Elements of less than a byte get one each: *out is a storage of them, as if the file had it so. */
static tsr_status widen(tsr_pvm *v, tsr_tensor *token, tsr_val *out) {
  tsr_dtype dtype = (tsr_dtype)token->dtype;
  size_t each = (size_t)tsr_dtype_packed(dtype), bits = 8 / each;
  tsr_tensor *cooked = NULL;
  TSR_TRY(tsr_tensor_cook(v->mem, v->e, token, &cooked));
  const uint8_t *from = cooked->storage->data; /* NULL: in the first of two readings */
  tsr_storage *s = cooked->storage->nbytes > PTRDIFF_MAX / each ? NULL : tsr_storage_new(v->mem, cooked->storage->nbytes * each);
  tsr_status st = s == NULL ? tsr_pvm_nomem(v) : TSR_OK;
  for (size_t i = 0; s != NULL && i < s->nbytes; i++) ((uint8_t *)s->data)[i] = from == NULL ? 0 : (uint8_t)(from[i / each] >> (i % each * bits) & ((1u << bits) - 1));
  if (s != NULL) s->saved_on = cooked->storage->saved_on;
  if (st == TSR_OK) st = tsr_pvm_storage_token(v, s, dtype, token->offset * (int64_t)each, token->numel * (int64_t)each, out);
  tsr_obj_release(cooked);
  tsr_obj_release(s);
  return st;
}

/* (storage, offset, sizes, strides, params, requires_grad, hooks) */
static tsr_status build_qtensor(tsr_pvm *v, const tsr_pglobal *g, tsr_tuple *args, tsr_val *out) {
  tsr_tensor *token = NULL;
  shape s = {0};
  tsr_quant q;
  TSR_TRY(need_args(v, g, args, 5, 7));
  TSR_TRY(arg_shape(v, g, args, &token, &s));
  if (!tsr_dtype_is_quantized((tsr_dtype)token->dtype))
    return tsr_pvm_fail(v, TSR_EFORMAT, "a quantized tensor of %s", tsr_dtype_name((tsr_dtype)token->dtype));
  tsr_val wide = tsr_none();
  if (tsr_dtype_packed((tsr_dtype)token->dtype) > 1 && (v->meta == NULL || token->storage != v->meta)) {
    TSR_TRY(widen(v, token, &wide));
    token = wide.t;
  }
  tsr_status st = view(v, token, (tsr_dtype)token->dtype, &s, truthy(args, 5), out);
  tsr_release(wide);
  TSR_TRY(st);
  st = read_quant(v, out->t, args->items[4], &q);
  if (st == TSR_OK) {
    out->t->quant = tsr_alloc(v->mem, sizeof q);
    if (out->t->quant == NULL) st = tsr_pvm_nomem(v);
  }
  if (st != TSR_OK) {
    tsr_release(*out);
    return st;
  }
  *out->t->quant = q;
  if (q.scales != NULL) tsr_obj_retain(q.scales);
  if (q.zero_points != NULL) tsr_obj_retain(q.zero_points);
  return TSR_OK;
}

/* ---- sparse tensors ---- */

enum { LAYOUT_STRIDED, LAYOUT_COO, LAYOUT_CSR, LAYOUT_MKLDNN, LAYOUT_CSC, LAYOUT_BSR, LAYOUT_BSC };

static int64_t index_at(const tsr_tensor *t, int64_t i) {
  const void *p = tsr_tensor_data_ro(t);
  int64_t at = 0;
  for (int d = t->ndim - 1; d >= 0; i /= TSR_MAX(t->size[d], (int64_t)1), d--) at += i % t->size[d] * t->stride[d];
  if (t->dtype == TSR_INT32) return ((const int32_t *)p)[at];
  return ((const int64_t *)p)[at];
}

/* Every index of t[from, to) lies in [low, high], and none is below the one before when sorted.  Storages whose
 * bytes are still to come are looked at in the second reading. */
static bool indices_fit(const tsr_tensor *t, int64_t from, int64_t to, int64_t low, int64_t high, bool sorted) {
  if (t->storage->data == NULL) return true;
  for (int64_t i = from; i < to; i++) {
    int64_t x = index_at(t, i);
    if (x < low || x > high) return false;
    if (sorted) low = x;
  }
  return true;
}

static bool is_index(const tsr_tensor *t) { return t->layout == 0 && (t->dtype == TSR_INT64 || t->dtype == TSR_INT32); }

static bool coo_fits(const shape *s, const tsr_tensor *indices, const tsr_tensor *values) {
  if (indices->ndim != 2 || indices->size[0] > s->ndim || values->ndim != 1 + s->ndim - indices->size[0] ||
      values->size[0] != indices->size[1])
    return false;
  int64_t nnz = indices->size[1];
  for (int64_t d = 0; d < indices->size[0]; d++)
    if (!indices_fit(indices, d * nnz, (d + 1) * nnz, 0, s->size[d] - 1, false)) return false;
  for (int d = (int)indices->size[0]; d < s->ndim; d++)
    if (values->size[1 + d - indices->size[0]] != s->size[d]) return false;
  return true;
}

/* Rows (or columns) begin where the one before ended; plain indices stay inside the other dimension. */
static bool compressed_fits(int64_t layout, const shape *s, const tsr_tensor *starts, const tsr_tensor *plain,
                            const tsr_tensor *values) {
  bool by_row = layout == LAYOUT_CSR || layout == LAYOUT_BSR, blocks = layout == LAYOUT_BSR || layout == LAYOUT_BSC;
  if (s->ndim < 2 || starts->ndim != plain->ndim || starts->ndim < 1 || values->ndim < plain->ndim + (blocks ? 2 : 0))
    return false;
  int64_t n = starts->size[starts->ndim - 1], nnz = plain->size[plain->ndim - 1];
  int64_t along = s->size[starts->ndim - 1 + (by_row ? 0 : 1)], across = s->size[starts->ndim - 1 + (by_row ? 1 : 0)];
  if (n < 1 || n > along + 1 || (!blocks && n != along + 1) || values->size[plain->ndim - 1] != nnz) return false;
  for (int64_t i = 0; i < starts->numel; i += n)
    if (!indices_fit(starts, i, i + n, 0, nnz, true)) return false;
  return indices_fit(plain, 0, plain->numel, 0, across - 1, false);
}

static tsr_status make_sparse(tsr_pvm *v, int64_t layout, const shape *s, tsr_tensor *a, tsr_tensor *b,
                              tsr_tensor *values, bool coalesced, tsr_val *out) {
  int64_t numel;
  bool coo = layout == LAYOUT_COO;
  if (!is_index(a) || (b != NULL && !is_index(b)) || values->layout != 0)
    return tsr_pvm_fail(v, TSR_EFORMAT, "sparse indices must be int64 or int32");
  if (!tsr_numel(s->ndim, s->size, &numel)) return tsr_pvm_fail(v, TSR_EFORMAT, "a tensor of more than 2^63 elements");
  if (!(coo ? coo_fits(s, a, values) : s->ndim >= a->ndim + 1 && compressed_fits(layout, s, a, b, values)))
    return tsr_pvm_fail(v, TSR_EFORMAT, "sparse indices, values and sizes do not match");
  tsr_storage *none = tsr_storage_new(v->mem, 0);
  tsr_tensor *t =
      none != NULL ? tsr_tensor_view(v->mem, none, (tsr_dtype)values->dtype, 0, s->ndim, s->size, NULL) : NULL;
  if (none != NULL) tsr_obj_release(none);
  tsr_sparse *sp = t != NULL ? tsr_alloc(v->mem, sizeof *sp) : NULL;
  if (sp == NULL) {
    if (t != NULL) tsr_obj_release(t);
    return tsr_pvm_nomem(v);
  }
  *sp = (tsr_sparse){.a = a, .b = b, .values = values, .coalesced = coalesced};
  tsr_obj_retain(a);
  if (b != NULL) tsr_obj_retain(b);
  tsr_obj_retain(values);
  t->sparse = sp;
  t->layout = (uint8_t)layout;
  *out = tsr_from_obj(t);
  return TSR_OK;
}

/* Python: (layout, (indices, values, sizes[, coalesced])) or (layout, (rows, columns, values, sizes)).
 * Script: (layout, sizes, requires_grad, indices, values, hooks), or with rows and columns. */
static tsr_status build_sparse(tsr_pvm *v, const tsr_pglobal *g, tsr_tuple *args, tsr_val *out) {
  int64_t layout = 0;
  shape s = {0};
  tsr_tensor *a = NULL, *b = NULL, *values = NULL;
  TSR_TRY(need_args(v, g, args, 2, 7));
  TSR_TRY(arg_int(v, g, args, 0, &layout));
  if (layout != LAYOUT_COO && (layout < LAYOUT_CSR || layout > LAYOUT_BSC || layout == LAYOUT_MKLDNN))
    return tsr_pvm_fail(v, TSR_EUNSUPPORTED, "tensor layout %lld", (long long)layout);
  bool coo = layout == LAYOUT_COO, script = args->len > 2;
  if (!script && args->items[1].tag != TSR_V_TUPLE) return bad_arg(v, g, 1, "a tuple");
  tsr_tuple *p = script ? args : args->items[1].u;
  size_t first = script ? 3 : 0, size_at = script ? 1 : coo ? 2 : 3;
  TSR_TRY(need_args(v, g, p, TSR_MAX(size_at + 1, first + (coo ? 2 : 3)), 7));
  TSR_TRY(arg_dims(v, g, p, size_at, &s.ndim, s.size));
  for (size_t i = first; i < first + (coo ? 2 : 3); i++) TSR_TRY(cook_value(v, &p->items[i]));
  TSR_TRY(arg_tensor(v, g, p, first, &a));
  if (!coo) TSR_TRY(arg_tensor(v, g, p, first + 1, &b));
  TSR_TRY(arg_tensor(v, g, p, first + (coo ? 1 : 2), &values));
  return make_sparse(v, layout, &s, a, b, values, !script && coo && truthy(p, 3), out);
}

/* ('torch.sparse_coo',) */
static tsr_status build_layout(tsr_pvm *v, const tsr_pglobal *g, tsr_tuple *args, tsr_val *out) {
  TSR_TRY(need_args(v, g, args, 1, 1));
  if (args->items[0].tag != TSR_V_STR) return bad_arg(v, g, 0, "a string");
  for (size_t i = 0; i < row_count(); i++)
    if (rows[i].build == NULL && strcmp(rows[i].name, args->items[0].s->bytes) == 0) {
      *out = tsr_int(rows[i].value);
      return TSR_OK;
    }
  return tsr_pvm_fail(v, TSR_EUNSUPPORTED, "layout %s", tsr_show(args->items[0].s->bytes, args->items[0].s->len).text);
}

/* (func, type, args, state): a tensor subclass; the tensor is what func makes of args */
static tsr_status build_from_type(tsr_pvm *v, const tsr_pglobal *g, tsr_tuple *args, tsr_val *out) {
  TSR_TRY(need_args(v, g, args, 4, 4));
  const tsr_pglobal *func = tsr_pvm_as_global(args->items[0]);
  if (func == NULL || args->items[2].tag != TSR_V_TUPLE) return bad_arg(v, g, 0, "a function");
  if (func->tag != 0 && rows[func->tag - 1].build == build_from_type)
    return tsr_pvm_fail(v, TSR_EFORMAT, "%s of itself", g->cls.name);
  return tsr_pvm_reduce(v, args->items[0], args->items[2], out);
}

/* ---- TorchScript's containers ---- */

static bool check_elements(const tsr_list *l, const tsr_type *t) {
  for (size_t i = 0; i < l->len; i++)
    if (!tsr_val_is_instance(l->items[i], t)) return false;
  return true;
}

/* Before format 1.3 tensors were written as numbers in a table that only the archive's owner has. */
static bool are_tensor_ids(const tsr_list *l) {
  for (size_t i = 0; i < l->len; i++) {
    tsr_val x = l->items[i];
    if (x.tag != TSR_V_OBJECT || x.obj->cls->impl != &tsr_opaque_marker) return false;
    if (strcmp(x.obj->cls->name, "torch.jit._pickle.build_tensor_from_id") != 0 &&
        strcmp(x.obj->cls->name, "__main__.TensorID") != 0)
      return false;
  }
  return l->len > 0;
}

/* ((list,),): value of the row is the element type's number in this table */
static tsr_status build_typed_list(tsr_pvm *v, const tsr_pglobal *g, tsr_tuple *args, tsr_val *out) {
  static const tsr_type *const elems[] = {&tsr_type_int, &tsr_type_float, &tsr_type_bool, &tsr_type_tensor};
  TSR_TRY(need_args(v, g, args, 1, 1));
  if (args->items[0].tag != TSR_V_LIST) return bad_arg(v, g, 0, "a list");
  tsr_list *l = args->items[0].l;
  const tsr_type *elem = elems[g->value];
  bool ids = elem == &tsr_type_tensor && are_tensor_ids(l);
  if (!ids && !check_elements(l, elem)) return bad_arg(v, g, 0, "a list of one type");
  l->elem = ids ? &tsr_type_any : elem; /* until the owner puts tensors in */
  *out = tsr_retain(args->items[0]);
  return TSR_OK;
}

/* A class that only the archive's code declares: who makes the objects also checks them. */
static bool names_class(const tsr_type *t) {
  if (t->name != NULL) return true;
  for (uint32_t i = 0; i < t->count; i++)
    if (names_class(t->args[i])) return true;
  return false;
}

static tsr_status tag_container(tsr_pvm *v, tsr_val c, const tsr_type *t) {
  while (t->kind == TSR_T_OPTIONAL && t->count == 1) t = t->args[0];
  bool later = v->opt->hooks != NULL && names_class(t);
  if (c.tag == TSR_V_LIST && t->kind == TSR_T_LIST) {
    if (!later && !check_elements(c.l, t->args[0]))
      return tsr_pvm_fail(v, TSR_EFORMAT, "a list does not hold what its type says");
    c.l->elem = t->args[0];
  } else if (c.tag == TSR_V_DICT && t->kind == TSR_T_DICT) {
    for (size_t i = tsr_dict_next(c.m, 0); i < c.m->used; i = tsr_dict_next(c.m, i + 1))
      if (!later && (!tsr_val_is_instance(c.m->entries[i].key, t->args[0]) ||
                     !tsr_val_is_instance(c.m->entries[i].value, t->args[1])))
        return tsr_pvm_fail(v, TSR_EFORMAT, "a dict does not hold what its type says");
    c.m->key_type = t->args[0];
    c.m->value_type = t->args[1];
  } else if (t->kind != TSR_T_ANY) {
    return tsr_pvm_fail(v, TSR_EFORMAT, "%s is tagged with another type", tsr_tag_name(c));
  }
  return TSR_OK;
}

/* (container, "List[str]") */
static tsr_status build_type_tag(tsr_pvm *v, const tsr_pglobal *g, tsr_tuple *args, tsr_val *out) {
  const tsr_type *t;
  tsr_errrec inner = {0};
  TSR_TRY(need_args(v, g, args, 2, 2));
  if (args->items[1].tag != TSR_V_STR) return bad_arg(v, g, 1, "a string");
  tsr_status st = tsr_type_parse(v->opt->types, &inner, args->items[1].s->bytes, args->items[1].s->len, &t);
  if (st != TSR_OK) {
    st = inner.message != NULL ? tsr_pvm_fail(v, st, "%s", inner.message) : tsr_pvm_nomem(v);
    tsr_errrec_dispose(&inner);
    return st;
  }
  TSR_TRY(tag_container(v, args->items[0], t));
  *out = tsr_retain(args->items[0]);
  return TSR_OK;
}

/* ---- Python's values ---- */

/* () or (pairs,) */
static tsr_status build_dict(tsr_pvm *v, const tsr_pglobal *g, tsr_tuple *args, tsr_val *out) {
  TSR_TRY(need_args(v, g, args, 0, 1));
  TSR_TRY(tsr_pvm_new_dict(v, out));
  if (args->len == 0) return TSR_OK;
  tsr_status st = args->items[0].tag == TSR_V_LIST ? TSR_OK : bad_arg(v, g, 0, "a list of pairs");
  for (size_t i = 0; st == TSR_OK && i < args->items[0].l->len; i++) {
    tsr_val pair = args->items[0].l->items[i], kv[2];
    bool list = pair.tag == TSR_V_LIST && pair.l->len == 2, tuple = pair.tag == TSR_V_TUPLE && pair.u->len == 2;
    if (!list && !tuple) {
      st = bad_arg(v, g, 0, "a list of pairs");
    } else {
      for (int k = 0; k < 2; k++) kv[k] = tsr_retain(list ? pair.l->items[k] : pair.u->items[k]);
      st = tsr_pvm_setitems(v, *out, kv, 2);
    }
  }
  if (st != TSR_OK) tsr_release(*out);
  return st;
}

/* ((2, 3),): a list of ints, as sizes are in TorchScript */
static tsr_status build_size(tsr_pvm *v, const tsr_pglobal *g, tsr_tuple *args, tsr_val *out) {
  TSR_TRY(need_args(v, g, args, 1, 1));
  const tsr_val a = args->items[0];
  if (a.tag != TSR_V_TUPLE && a.tag != TSR_V_LIST) return bad_arg(v, g, 0, "a tuple of ints");
  size_t n = a.tag == TSR_V_LIST ? a.l->len : a.u->len;
  const tsr_val *items = a.tag == TSR_V_LIST ? a.l->items : a.u->items;
  tsr_status st = tsr_pvm_new_list(v, out);
  if (st != TSR_OK) return st;
  out->l->elem = &tsr_type_int;
  for (size_t i = 0; i < n && st == TSR_OK; i++) /* of any sign: -1 is "what is left" in nn.Unflatten */
    if (items[i].tag != TSR_V_INT)
      st = bad_arg(v, g, 0, "a tuple of ints");
    else if (!tsr_list_push_take(out->l, items[i]))
      st = tsr_pvm_nomem(v);
  if (st != TSR_OK) tsr_release(*out);
  return st;
}

/* ("cuda:1",) or ("cuda", 1) */
static tsr_status build_device(tsr_pvm *v, const tsr_pglobal *g, tsr_tuple *args, tsr_val *out) {
  tsr_device d;
  int64_t index = 0;
  TSR_TRY(need_args(v, g, args, 1, 2));
  if (args->items[0].tag != TSR_V_STR) return bad_arg(v, g, 0, "a string");
  const tsr_str *s = args->items[0].s;
  if (args->len == 2 && args->items[1].tag != TSR_V_NONE) TSR_TRY(arg_int(v, g, args, 1, &index));
  if (!tsr_device_parse(s->bytes, s->len, &d) || index < -1 || index > INT8_MAX)
    return tsr_pvm_fail(v, TSR_EFORMAT, "unknown device \"%s\"", tsr_show(s->bytes, s->len).text);
  if (args->len == 2 && args->items[1].tag != TSR_V_NONE) d.index = (int16_t)index;
  *out = tsr_device_val(d);
  return TSR_OK;
}

static bool as_double(tsr_val a, double *out) {
  *out = a.tag == TSR_V_FLOAT ? a.d : a.tag == TSR_V_INT ? (double)a.i : 0;
  return a.tag == TSR_V_FLOAT || a.tag == TSR_V_INT;
}

static tsr_status build_complex(tsr_pvm *v, const tsr_pglobal *g, tsr_tuple *args, tsr_val *out) {
  double re, im;
  TSR_TRY(need_args(v, g, args, 2, 2));
  if (!as_double(args->items[0], &re) || !as_double(args->items[1], &im)) return bad_arg(v, g, 0, "a number");
  tsr_complex *c = tsr_complex_new(v->mem, re, im);
  if (c == NULL) return tsr_pvm_nomem(v);
  *out = tsr_from_obj(c);
  return TSR_OK;
}

/* (text, "latin1"): bytes as protocol 2 writes them; a str holds them here */
static tsr_status build_encode(tsr_pvm *v, const tsr_pglobal *g, tsr_tuple *args, tsr_val *out) {
  TSR_TRY(need_args(v, g, args, 1, 2));
  if (args->items[0].tag != TSR_V_STR) return bad_arg(v, g, 0, "a string");
  const tsr_str *s = args->items[0].s;
  if (args->len == 2 && (args->items[1].tag != TSR_V_STR || (strcmp(args->items[1].s->bytes, "latin1") != 0 &&
                                                             strcmp(args->items[1].s->bytes, "latin-1") != 0)))
    return bad_arg(v, g, 1, "\"latin1\"");
  tsr_buf text = {0};
  for (size_t i = 0; i < s->len;) {
    size_t n = tsr_utf8_length(s->bytes + i, s->len - i);
    if (n == 0 || n > 2 || (n == 2 && (uint8_t)s->bytes[i] > 0xc3)) {
      tsr_buf_dispose(&text);
      return tsr_pvm_fail(v, TSR_EFORMAT, "bytes hold a character beyond Latin-1");
    }
    tsr_buf_putc(&text, n == 1 ? s->bytes[i] : (char)((s->bytes[i] & 3) << 6 | (s->bytes[i + 1] & 0x3f)));
    i += n;
  }
  tsr_str *bytes = tsr_str_take_buf(v->mem, &text);
  if (bytes == NULL) return tsr_pvm_nomem(v);
  *out = tsr_from_obj(bytes);
  return TSR_OK;
}

/* (), (bytes,), or of Python 2 (text, "latin-1") */
static tsr_status build_bytes(tsr_pvm *v, const tsr_pglobal *g, tsr_tuple *args, tsr_val *out) {
  if (args->len == 2) return build_encode(v, g, args, out);
  TSR_TRY(need_args(v, g, args, 0, 1));
  if (args->len == 1 && args->items[0].tag == TSR_V_STR) {
    *out = tsr_retain(args->items[0]);
    return TSR_OK;
  }
  if (args->len == 1) return bad_arg(v, g, 0, "bytes");
  tsr_str *s = tsr_str_new(v->mem, "", 0);
  if (s == NULL) return tsr_pvm_nomem(v);
  *out = tsr_from_obj(s);
  return TSR_OK;
}

/* (class, base, state): how protocols 0 and 1 make an object of a class */
static tsr_status build_reconstructed(tsr_pvm *v, const tsr_pglobal *g, tsr_tuple *args, tsr_val *out) {
  tsr_val none;
  TSR_TRY(need_args(v, g, args, 3, 3));
  const tsr_pglobal *cls = tsr_pvm_as_global(args->items[0]);
  if (cls == NULL) return bad_arg(v, g, 0, "a class");
  if (cls->tag != 0 && rows[cls->tag - 1].build == build_dict) return build_dict(v, cls, &(tsr_tuple){0}, out);
  TSR_TRY(tsr_pvm_new_tuple(v, NULL, 0, &none));
  tsr_status st = tsr_pvm_new_opaque(v, cls, none, out);
  tsr_release(none);
  return st;
}

/* (list,): an opaque record whose items are the list's */
static tsr_status build_set(tsr_pvm *v, const tsr_pglobal *g, tsr_tuple *args, tsr_val *out) {
  tsr_val none;
  TSR_TRY(need_args(v, g, args, 0, 1));
  TSR_TRY(tsr_pvm_new_tuple(v, NULL, 0, &none));
  tsr_status st = tsr_pvm_new_opaque(v, g, none, out);
  tsr_release(none);
  if (st != TSR_OK || args->len == 0 || args->items[0].tag != TSR_V_LIST) return st;
  tsr_list *l = args->items[0].l;
  for (size_t i = 0; i < l->len && st == TSR_OK; i++) {
    tsr_val item = tsr_retain(l->items[i]);
    st = tsr_pvm_append(v, *out, &item, 1);
  }
  if (st != TSR_OK) tsr_release(*out);
  return st;
}

/* ---- the table ---- */

static const row rows[] = {
    {"torch._utils._rebuild_tensor_v2", build_tensor_v2, 0},
    {"torch._utils._rebuild_tensor_v3", build_tensor_v3, 0},
    {"torch._utils._rebuild_tensor", build_tensor_v1, 0},
    {"torch._utils._rebuild_parameter", build_parameter, 0},
    {"torch._utils._rebuild_parameter_with_state", build_parameter, 0},
    {"torch.nn.parameter.Parameter", build_parameter, 0},
    {"torch._utils._rebuild_qtensor", build_qtensor, 0},
    {"torch._utils._rebuild_sparse_tensor", build_sparse, 0},
    {"torch._utils._rebuild_sparse_csr_tensor", build_sparse, 0},
    {"torch._utils._rebuild_meta_tensor_no_storage", build_meta_tensor, 0},
    {"torch._tensor._rebuild_from_type_v2", build_from_type, 0},
    {"torch.serialization._get_layout", build_layout, 0},
    {"torch.jit._pickle.build_intlist", build_typed_list, 0},
    {"torch.jit._pickle.build_doublelist", build_typed_list, 1},
    {"torch.jit._pickle.build_boollist", build_typed_list, 2},
    {"torch.jit._pickle.build_tensorlist", build_typed_list, 3},
    {"torch.jit._pickle.restore_type_tag", build_type_tag, 0},
    {"collections.OrderedDict", build_dict, 0},
    {"copyreg._reconstructor", build_reconstructed, 0},
    {"copy_reg._reconstructor", build_reconstructed, 0},
    {"torch.Size", build_size, 0},
    {"torch.device", build_device, 0},
    {"builtins.complex", build_complex, 0},
    {"__builtin__.complex", build_complex, 0},
    {"_codecs.encode", build_encode, 0},
    {"builtins.bytes", build_bytes, 0},
    {"__builtin__.bytes", build_bytes, 0},
    {"builtins.bytearray", build_bytes, 0},
    {"__builtin__.bytearray", build_bytes, 0},
    {"builtins.set", build_set, 0},
    {"__builtin__.set", build_set, 0},
    {"builtins.frozenset", build_set, 0},
    {"__builtin__.frozenset", build_set, 0},
    {"torch.per_tensor_affine", NULL, PER_TENSOR_AFFINE},
    {"torch.per_channel_affine", NULL, PER_CHANNEL_AFFINE},
    {"torch.per_tensor_symmetric", NULL, PER_TENSOR_SYMMETRIC},
    {"torch.per_channel_symmetric", NULL, PER_CHANNEL_SYMMETRIC},
    {"torch.per_channel_affine_float_qparams", NULL, PER_CHANNEL_FLOAT},
    {"torch.strided", NULL, LAYOUT_STRIDED},
    {"torch.sparse_coo", NULL, LAYOUT_COO},
    {"torch.sparse_csr", NULL, LAYOUT_CSR},
    {"torch.sparse_csc", NULL, LAYOUT_CSC},
    {"torch.sparse_bsr", NULL, LAYOUT_BSR},
    {"torch.sparse_bsc", NULL, LAYOUT_BSC},
    {"torch.contiguous_format", NULL, 0},
    {"torch.preserve_format", NULL, 1},
    {"torch.channels_last", NULL, 2},
    {"torch.channels_last_3d", NULL, 3},
};
static size_t row_count(void) { return TSR_COUNT(rows); }

enum { TAG_DTYPE = 1000 };

int tsr_pickle_tag(const char *name, size_t len, int64_t *value) {
  tsr_dtype d;
  *value = 0;
  if (strlen(name) != len) return 0; /* a name with a NUL is nobody's */
  for (size_t i = 0; i < TSR_COUNT(rows); i++)
    if (strcmp(rows[i].name, name) == 0) {
      *value = rows[i].value;
      return (int)i + 1;
    }
  if (strncmp(name, "torch.", 6) == 0 && tsr_dtype_by_name(name + 6, &d)) {
    *value = d;
    return TAG_DTYPE;
  }
  return 0;
}

bool tsr_pickle_tag_is_constant(int tag) { return tag == TAG_DTYPE || (tag > 0 && rows[tag - 1].build == NULL); }

/* An enum's value is given bare; with no one to make it, a record of one argument stands for it. */
static tsr_status make_enum(tsr_pvm *v, const tsr_pglobal *g, tsr_val value, tsr_val *out) {
  const tsr_pickle_hooks *h = v->opt->hooks;
  if (h != NULL) return h->make_enum(h->user, v->e, g->cls.name, strlen(g->cls.name), value, out);
  tsr_val item = tsr_retain(value), args;
  TSR_TRY(tsr_pvm_new_tuple(v, &item, 1, &args));
  tsr_status st = tsr_pvm_new_opaque(v, g, args, out);
  tsr_release(args);
  return st;
}

tsr_status tsr_pvm_reduce(tsr_pvm *v, tsr_val callable, tsr_val args, tsr_val *out) {
  const tsr_pglobal *g = tsr_pvm_as_global(callable);
  *out = tsr_none();
  if (g == NULL) return tsr_pvm_fail(v, TSR_EFORMAT, "bad pickle: %s is called", tsr_tag_name(callable));
  if (strncmp(g->cls.name, "__torch__.", 10) == 0 && args.tag != TSR_V_TUPLE) return make_enum(v, g, args, out);
  if (args.tag != TSR_V_TUPLE) return tsr_pvm_fail(v, TSR_EFORMAT, "bad pickle: a call without an argument tuple");
  if (g->tag > 0 && g->tag < TAG_DTYPE && rows[g->tag - 1].build != NULL)
    return rows[g->tag - 1].build(v, g, args.u, out);
  return tsr_pvm_new_opaque(v, g, args, out);
}
