/* Writes the zip that torch.save writes: a protocol 2 pickle and one entry a storage, so that
 * torch.load(weights_only=True) reads it.  Shared storages and shared containers stay shared. */
#include <stdlib.h>

#include "frontend/formats.h"
#include "frontend/pickle_vm.h"
#include "frontend/pour.h"
#include "frontend/text.h"

/* A storage while the zip is written. */
typedef struct part {
  const tsr_file_env *env;
  tsr_storage *s;
  tsr_dtype dtype; /* of the first tensor over it */
  bool made;       /* for this file: released when that is written */
} part;

typedef struct writer {
  const tsr_file_env *env;
  bool detach; /* as state_dict() does: no tensor requires a gradient */
  tsr_buf b;     /* data.pkl */
  tsr_umap memo; /* address of an object -> memo number */
  uint64_t memo_count;
  tsr_umap keys;   /* address of a storage -> key */
  part *storages;  /* by key */
  size_t storage_count, storage_cap;
  int depth;
} writer;

static tsr_status put(writer *w, tsr_val v);

static tsr_status nomem(writer *w) { return tsr_fail_nomem(w->env->e); }

/* ---- small pieces ---- */

static void op(writer *w, uint8_t code) { tsr_buf_putc(&w->b, (char)code); }

static void put_le(writer *w, uint64_t x, int bytes) {
  for (int i = 0; i < bytes; i++) tsr_buf_putc(&w->b, (char)(x >> (8 * i)));
}

static void put_global(writer *w, const char *module, const char *name) {
  tsr_buf_printf(&w->b, "c%s\n%s\n", module, name);
}

static void put_int(writer *w, int64_t i) {
  if (i >= 0 && i < 256) {
    op(w, 'K');
    put_le(w, (uint64_t)i, 1);
  } else if (i >= INT32_MIN && i <= INT32_MAX) {
    op(w, 'J');
    put_le(w, (uint64_t)i, 4);
  } else {
    op(w, 0x8a);
    op(w, 8);
    put_le(w, (uint64_t)i, 8);
  }
}

static void put_float(writer *w, double d) {
  uint64_t bits;
  memcpy(&bits, &d, 8);
  op(w, 'G');
  for (int i = 7; i >= 0; i--) tsr_buf_putc(&w->b, (char)(bits >> (8 * i)));
}

static void put_bool(writer *w, bool b) { op(w, b ? 0x88 : 0x89); }

/* Pickle strings are UTF-8.  A str of tsrun holds any bytes: what is not UTF-8 is written as bytes are in
 * protocol 2, _codecs.encode(text, "latin1"). */
static void put_text(writer *w, const char *s, size_t len) {
  op(w, 'X');
  put_le(w, len, 4);
  tsr_buf_put(&w->b, s, len);
}

static tsr_status put_str(writer *w, const char *s, size_t len) {
  size_t i = 0, n = 1;
  for (; i < len && n != 0; i += n) n = tsr_utf8_length(s + i, len - i);
  if (len > UINT32_MAX / 2) return tsr_fail(w->env->e, TSR_ELIMIT, "a string of %zu bytes", len);
  if (n != 0) {
    put_text(w, s, len);
    return TSR_OK;
  }
  tsr_buf latin = {0};
  for (i = 0; i < len; i++) tsr_buf_put_utf8(&latin, (uint8_t)s[i]);
  put_global(w, "_codecs", "encode");
  put_text(w, latin.data, latin.len);
  put_text(w, "latin1", 6);
  op(w, 0x86);
  op(w, 'R');
  bool oom = latin.oom;
  tsr_buf_dispose(&latin);
  return oom ? nomem(w) : TSR_OK;
}

static void put_dims(writer *w, const int64_t *dims, int n) {
  op(w, '(');
  for (int d = 0; d < n; d++) put_int(w, dims[d]);
  op(w, 't');
}

static void put_empty_hooks(writer *w) {
  put_global(w, "collections", "OrderedDict");
  op(w, ')');
  op(w, 'R');
}

/* The object on top was just made: remember it. */
static tsr_status remember(writer *w, const void *object) {
  op(w, 'r');
  put_le(w, w->memo_count, 4);
  return tsr_umap_set(&w->memo, (uint64_t)(uintptr_t)object, w->memo_count++) ? TSR_OK : nomem(w);
}

static bool recall(writer *w, const void *object) {
  uint64_t *id = tsr_umap_get(&w->memo, (uint64_t)(uintptr_t)object);
  if (id == NULL) return false;
  op(w, 'j');
  put_le(w, *id, 4);
  return true;
}

/* ---- tensors ---- */

static tsr_status storage_key(writer *w, tsr_storage *s, tsr_dtype dtype, uint64_t *key) {
  uint64_t *known = tsr_umap_get(&w->keys, (uint64_t)(uintptr_t)s);
  if (known != NULL) {
    *key = *known;
    return TSR_OK;
  }
  if (w->storage_count == w->storage_cap) {
    size_t cap = w->storage_cap == 0 ? 64 : w->storage_cap * 2;
    part *grown = realloc(w->storages, cap * sizeof *grown);
    if (grown == NULL) return nomem(w);
    w->storages = grown;
    w->storage_cap = cap;
  }
  *key = w->storage_count;
  w->storages[w->storage_count++] = (part){.env = w->env, .s = s, .dtype = dtype};
  return tsr_umap_set(&w->keys, (uint64_t)(uintptr_t)s, *key) ? TSR_OK : nomem(w);
}

/* Types without a typed storage that weights_only admits: their tensors name the type beside an untyped one. */
static bool needs_untyped(const tsr_tensor *t) {
  switch (t->dtype) {
  case TSR_COMPLEX32:
  case TSR_UINT16:
  case TSR_UINT32:
  case TSR_UINT64:
  case TSR_FLOAT8_E5M2:
  case TSR_FLOAT8_E4M3FN:
  case TSR_FLOAT8_E5M2FNUZ:
  case TSR_FLOAT8_E4M3FNUZ:
  case TSR_FLOAT8_E8M0FNU:
  case TSR_FLOAT4_E2M1FN_X2:
  case TSR_BITS1X8:
  case TSR_BITS2X4:
  case TSR_BITS4X2:
  case TSR_BITS8:
  case TSR_BITS16:
    return true;
  default:
    return t->storage->nbytes % tsr_tensor_itemsize(t) != 0;
  }
}

/* ('storage', type, key, 'cpu', numel) as a persistent id */
static tsr_status put_storage(writer *w, const tsr_tensor *t, bool untyped) {
  uint64_t key = 0;
  char text[24];
  TSR_TRY(storage_key(w, t->storage, (tsr_dtype)t->dtype, &key));
  op(w, '(');
  put_text(w, "storage", 7);
  if (untyped)
    put_global(w, "torch.storage", "UntypedStorage");
  else
    put_global(w, "torch", tsr_dtype_get_info(t->dtype)->storage_name);
  size_t n = 0;
  for (uint64_t k = key; n == 0 || k > 0; k /= 10) text[n++] = (char)('0' + k % 10);
  for (size_t i = 0; i < n / 2; i++) {
    char c = text[i];
    text[i] = text[n - 1 - i];
    text[n - 1 - i] = c;
  }
  put_text(w, text, n);
  put_text(w, "cpu", 3);
  put_int(w, (int64_t)(t->storage->nbytes / (untyped ? 1 : tsr_tensor_itemsize(t))));
  op(w, 't');
  op(w, 'Q');
  return TSR_OK;
}

static tsr_status put_quant(writer *w, const tsr_quant *q) {
  static const char *const schemes[] = {"per_tensor_affine", "per_channel_affine", "per_tensor_symmetric",
                                        "per_channel_symmetric", "per_channel_affine_float_qparams"};
  if (q == NULL || q->scheme >= TSR_COUNT(schemes))
    return tsr_fail(w->env->e, TSR_EUNSUPPORTED, "a quantized tensor of an unknown scheme");
  op(w, '(');
  put_global(w, "torch", schemes[q->scheme]);
  if (q->scales == NULL) {
    put_float(w, q->scale);
    put_int(w, q->zero_point);
  } else {
    TSR_TRY(put(w, (tsr_val){.tag = TSR_V_TENSOR, .t = q->scales}));
    TSR_TRY(put(w, (tsr_val){.tag = TSR_V_TENSOR, .t = q->zero_points}));
    put_int(w, q->axis);
  }
  op(w, 't');
  return TSR_OK;
}

/* (layout, (indices, values, sizes, coalesced)) or (layout, (rows, columns, values, sizes)) */
static tsr_status put_sparse(writer *w, const tsr_tensor *t) {
  static const char *const layouts[] = {
      NULL, "torch.sparse_coo", "torch.sparse_csr", NULL, "torch.sparse_csc", "torch.sparse_bsr", "torch.sparse_bsc"};
  const tsr_sparse *s = t->sparse;
  if (s == NULL || t->layout >= TSR_COUNT(layouts) || layouts[t->layout] == NULL)
    return tsr_fail(w->env->e, TSR_EUNSUPPORTED, "a tensor of layout %d cannot be saved", t->layout);
  put_global(w, "torch._utils", "_rebuild_sparse_tensor");
  put_global(w, "torch.serialization", "_get_layout");
  put_text(w, layouts[t->layout], strlen(layouts[t->layout]));
  op(w, 0x85);
  op(w, 'R');
  op(w, '(');
  TSR_TRY(put(w, (tsr_val){.tag = TSR_V_TENSOR, .t = s->a}));
  if (s->b != NULL) TSR_TRY(put(w, (tsr_val){.tag = TSR_V_TENSOR, .t = s->b}));
  TSR_TRY(put(w, (tsr_val){.tag = TSR_V_TENSOR, .t = s->values}));
  put_global(w, "torch", "Size");
  put_dims(w, t->size, t->ndim);
  op(w, 0x85);
  op(w, 'R');
  if (s->b == NULL) put_bool(w, s->coalesced);
  op(w, 't');
  op(w, 0x86);
  op(w, 'R');
  return TSR_OK;
}

/* *out: t in C order with several elements to a byte, the last of a row's bytes filled up with nothing as PyTorch allocates them. */
static tsr_status pack_bits(writer *w, const tsr_tensor *t, tsr_tensor *out) {
  int64_t each = tsr_dtype_packed((tsr_dtype)t->dtype), last = t->ndim > 0 ? t->size[t->ndim - 1] : 1, rows = last > 0 ? t->numel / last : 0;
  tsr_storage *s = tsr_storage_new(t->h.mem, (size_t)(rows * ((last + each - 1) / each)));
  uint64_t key;
  if (s == NULL) return nomem(w);
  if (s->nbytes > 0) memset(s->data, 0, s->nbytes);
  const uint8_t *x = tsr_tensor_data_ro(t);
  for (int64_t i = 0; i < t->numel; i++) {
    int64_t at = 0;
    for (int64_t d = t->ndim - 1, rest = i; d >= 0; rest /= t->size[d], d--) at += rest % t->size[d] * t->stride[d];
    ((uint8_t *)s->data)[i / each] |= (uint8_t)(x[at] << (i % each * (8 / each)));
  }
  size_t before = w->storage_count;
  tsr_status st = storage_key(w, s, (tsr_dtype)t->dtype, &key);
  if (w->storage_count > before) w->storages[before].made = true;
  else tsr_obj_release(s);
  *out = *t;
  out->storage = s;
  out->offset = 0;
  return st;
}

static tsr_status put_tensor(writer *w, const tsr_tensor *t) {
  if (t->layout != 0) return put_sparse(w, t);
  tsr_tensor packed;
  int64_t stride[TSR_MAX_NDIM];
  if (tsr_dtype_packed((tsr_dtype)t->dtype) > 1) {
    TSR_TRY(pack_bits(w, t, &packed));
    tsr_strides_contiguous(t->ndim, t->size, stride);
    packed.stride = stride;
    t = &packed;
  }
  bool quantized = tsr_dtype_is_quantized((tsr_dtype)t->dtype), untyped = !quantized && needs_untyped(t);
  put_global(w, "torch._utils", quantized ? "_rebuild_qtensor" : untyped ? "_rebuild_tensor_v3" : "_rebuild_tensor_v2");
  op(w, '(');
  TSR_TRY(put_storage(w, t, untyped));
  put_int(w, t->offset);
  put_dims(w, t->size, t->ndim);
  put_dims(w, t->stride, t->ndim);
  if (quantized) TSR_TRY(put_quant(w, t->quant));
  put_bool(w,
           t->requires_grad && !w->detach && (tsr_dtype_is_float((tsr_dtype)t->dtype) || tsr_dtype_is_complex((tsr_dtype)t->dtype)));
  put_empty_hooks(w);
  if (untyped) put_global(w, "torch", tsr_dtype_name((tsr_dtype)t->dtype));
  op(w, 't');
  op(w, 'R');
  return TSR_OK;
}

/* ---- values ---- */

static tsr_status put_list(writer *w, const tsr_list *l) {
  op(w, ']');
  TSR_TRY(remember(w, l)); /* before its items: a list may contain itself */
  op(w, '(');
  for (size_t i = 0; i < l->len; i++) TSR_TRY(put(w, l->items[i]));
  op(w, 'e');
  return TSR_OK;
}

static tsr_status put_dict(writer *w, const tsr_dict *d) {
  op(w, '}');
  TSR_TRY(remember(w, d));
  op(w, '(');
  for (size_t i = tsr_dict_next(d, 0); i < d->used; i = tsr_dict_next(d, i + 1)) {
    TSR_TRY(put(w, d->entries[i].key));
    TSR_TRY(put(w, d->entries[i].value));
  }
  op(w, 'u');
  return TSR_OK;
}

static tsr_status put_tuple(writer *w, const tsr_tuple *u) {
  op(w, '(');
  for (size_t i = 0; i < u->len; i++) TSR_TRY(put(w, u->items[i]));
  op(w, 't');
  return remember(w, u);
}

static void put_device(writer *w, tsr_device d) {
  const char *type = tsr_device_type_name(d.type);
  put_global(w, "torch", "device");
  put_text(w, type, strlen(type));
  if (d.index >= 0) put_int(w, d.index);
  op(w, d.index >= 0 ? 0x86 : 0x85);
  op(w, 'R');
}

static void put_complex(writer *w, tsr_c128 z) {
  put_global(w, "__builtin__", "complex");
  put_float(w, z.re);
  put_float(w, z.im);
  op(w, 0x86);
  op(w, 'R');
}

static tsr_status put_boxed(writer *w, tsr_val v) {
  switch (v.tag) {
  case TSR_V_TENSOR:
    TSR_TRY(put_tensor(w, v.t));
    return remember(w, v.t);
  case TSR_V_LIST:
    return put_list(w, v.l);
  case TSR_V_DICT:
    return put_dict(w, v.m);
  case TSR_V_TUPLE:
    return put_tuple(w, v.u);
  case TSR_V_OBJECT:
    return tsr_fail(w->env->e, TSR_EUNSUPPORTED, "an object of class %s cannot be saved",
                    tsr_show(v.obj->cls->name, strlen(v.obj->cls->name)).text);
  default:
    return tsr_fail(w->env->e, TSR_EUNSUPPORTED, "a value of type %s cannot be saved", tsr_tag_name(v));
  }
}

static tsr_status put(writer *w, tsr_val v) {
  switch (v.tag) {
  case TSR_V_NONE:
    op(w, 'N');
    return TSR_OK;
  case TSR_V_BOOL:
    put_bool(w, v.b);
    return TSR_OK;
  case TSR_V_INT:
    put_int(w, v.i);
    return TSR_OK;
  case TSR_V_FLOAT:
    put_float(w, v.d);
    return TSR_OK;
  case TSR_V_DEVICE:
    put_device(w, v.dev);
    return TSR_OK;
  case TSR_V_COMPLEX:
    put_complex(w, v.c->z);
    return TSR_OK;
  case TSR_V_STR:
    return put_str(w, v.s->bytes, v.s->len);
  default:
    break;
  }
  if (recall(w, v.o)) return TSR_OK;
  if (w->depth == TSR_MAX_DEPTH)
    return tsr_fail(w->env->e, TSR_ELIMIT, "values are nested deeper than %d", TSR_MAX_DEPTH);
  w->depth++;
  tsr_status st = put_boxed(w, v);
  w->depth--;
  return st;
}

/* ---- the file ---- */

static tsr_status open_part(void *user, tsr_pour **out) {
  const part *p = user;
  return tsr_pour_storage(p->env, p->s, p->dtype, out);
}

static tsr_status add_entries(writer *w, tsr_zip_writer *z) {
  tsr_errrec *e = w->env->e;
  char name[48];
  TSR_TRY(tsr_zip_writer_add(z, e, "archive/data.pkl", w->b.data, w->b.len));
  TSR_TRY(tsr_zip_writer_add(z, e, "archive/byteorder", "little", 6));
  for (size_t i = 0; i < w->storage_count; i++) {
    tsr_buf b = {0};
    tsr_buf_printf(&b, "archive/data/%zu", i);
    if (b.oom || b.len >= sizeof name) {
      tsr_buf_dispose(&b);
      return nomem(w);
    }
    memcpy(name, b.data, b.len + 1);
    tsr_buf_dispose(&b);
    part *p = &w->storages[i];
    TSR_TRY(tsr_zip_writer_add_part(z, e, name, NULL, 0, &(tsr_zip_part){p, open_part}, p->s->nbytes));
  }
  return tsr_zip_writer_add(z, e, "archive/version", "3\n", 2);
}

/* The pickle is in w->b; st: whether it could be made. */
static tsr_status write_zip(writer *w, tsr_outfile *o, tsr_status st) {
  tsr_zip_writer *z = NULL;
  op(w, '.');
  if (st == TSR_OK && w->b.oom) st = nomem(w);
  if (st == TSR_OK) st = tsr_zip_writer_new(o->fd, o->path, w->env->e, &z);
  if (st == TSR_OK) st = add_entries(w, z);
  if (st == TSR_OK)
    st = tsr_zip_writer_finish(z, w->env->e);
  else
    tsr_zip_writer_free(z);
  tsr_buf_dispose(&w->b);
  tsr_umap_dispose(&w->memo);
  tsr_umap_dispose(&w->keys);
  for (size_t i = 0; i < w->storage_count; i++)
    if (w->storages[i].made) tsr_obj_release(w->storages[i].s);
  free(w->storages);
  return st;
}

tsr_status tsr_torch_save(const tsr_file_env *env, tsr_outfile *o, tsr_val v) {
  writer w = {.env = env};
  op(&w, 0x80);
  op(&w, 2);
  return write_zip(&w, o, put(&w, v));
}

static tsr_status put_named(writer *w, const tsr_named *items, size_t count) {
  op(w, 0x80);
  op(w, 2);
  op(w, '}');
  op(w, '(');
  for (size_t i = 0; i < count; i++) {
    TSR_TRY(put_str(w, items[i].name, strlen(items[i].name)));
    TSR_TRY(put(w, (tsr_val){.tag = TSR_V_TENSOR, .t = items[i].t}));
  }
  op(w, 'u');
  return TSR_OK;
}

tsr_status tsr_torch_write(const tsr_file_env *env, tsr_outfile *o, const tsr_named *items, size_t count) {
  writer w = {.env = env, .detach = true};
  return write_zip(&w, o, put_named(&w, items, count));
}
