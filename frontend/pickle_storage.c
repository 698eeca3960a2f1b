/* Storages: what a persistent id names, and the bytes behind it. */
#include <stdio.h>

#include "frontend/pickle_vm.h"
#include "frontend/raw.h"
#include "frontend/text.h"

/* ---- bytes ---- */

void tsr_swap_bytes(void *data, size_t nbytes, tsr_dtype dtype) {
  size_t item = tsr_dtype_size(dtype);
  if (tsr_dtype_is_complex(dtype)) item /= 2; /* two numbers, each swapped alone */
  uint8_t *p = data;
  for (size_t i = 0; item > 1 && i + item <= nbytes; i += item)
    for (size_t k = 0; k < item / 2; k++) {
      uint8_t b = p[i + k];
      p[i + k] = p[i + item - 1 - k];
      p[i + item - 1 - k] = b;
    }
}

bool tsr_bools_are_clean(const void *data, size_t nbytes) {
  const uint8_t *p = data;
  uint8_t all = 0;
  for (size_t i = 0; p != NULL && i < nbytes; i++) all |= p[i];
  return all <= 1;
}

/* ---- persistent ids ---- */

bool tsr_pickle_storage_type(const tsr_pglobal *g, tsr_dtype *dtype, bool *untyped) {
  const char *name = strrchr(g->cls.name, '.');
  name = name != NULL ? name + 1 : g->cls.name;
  *untyped = strcmp(name, "UntypedStorage") == 0;
  *dtype = TSR_UINT8;
  if (*untyped) return true;
  char storage[64];
  size_t n = strlen(name);
  if (n > 6 && n + 2 < sizeof storage &&
      strcmp(name + n - 6, "Tensor") == 0) { /* torch.FloatTensor, in very old files */
    snprintf(storage, sizeof storage, "%.*sStorage", (int)n - 6, name);
    name = storage;
  }
  return tsr_dtype_by_storage_name(name, dtype);
}

static tsr_status bad_id(tsr_pvm *v) { return tsr_pvm_fail(v, TSR_EFORMAT, "a reference to a storage cannot be read"); }

tsr_status tsr_pvm_parse_storage_id(tsr_pvm *v, tsr_val id, tsr_pstorage *out) {
  const tsr_tuple *t = id.u;
  if (id.tag != TSR_V_TUPLE || t->len < 5 || t->len > 6 || t->items[0].tag != TSR_V_STR ||
      strcmp(t->items[0].s->bytes, "storage") != 0)
    return bad_id(v);
  const tsr_pglobal *type = tsr_pvm_as_global(t->items[1]);
  if (type == NULL || t->items[2].tag != TSR_V_STR || t->items[3].tag != TSR_V_STR || t->items[4].tag != TSR_V_INT)
    return bad_id(v);
  *out = (tsr_pstorage){.key = t->items[2].s, .numel = t->items[4].i};
  if (!tsr_pickle_storage_type(type, &out->dtype, &out->untyped))
    return tsr_pvm_fail(v, TSR_EUNSUPPORTED, "storage type %s is not supported (save dequantized tensors, or leave them out)", tsr_show(type->cls.name, strlen(type->cls.name)).text);
  out->meta = strcmp(t->items[3].s->bytes, "meta") == 0;
  if (!tsr_device_parse(t->items[3].s->bytes, t->items[3].s->len, &out->device))
    out->device = (tsr_device){.index = -1}; /* a backend of its own name: its bytes are bytes like others */
  int64_t bytes;
  if (out->numel < 0 || tsr_mul_overflow(out->numel, (int64_t)tsr_dtype_size(out->dtype), &bytes))
    return tsr_pvm_fail(v, TSR_EFORMAT, "storage \"%s\" of %lld elements",
                        tsr_show(out->key->bytes, out->key->len).text, (long long)out->numel);
  out->nbytes = (size_t)bytes;
  if (t->len == 6 && t->items[5].tag == TSR_V_TUPLE) out->view = t->items[5].u;
  return TSR_OK;
}

/* Protocol 0 has ids of text only, and Python's pickler writes what str() makes of the tuple:
 * "('storage', <class 'torch.FloatStorage'>, '0', 'cpu', 20)". */
typedef struct text_id {
  tsr_pvm *v;
  const char *p, *end;
} text_id;

static bool take(text_id *t, const char *what) {
  size_t n = strlen(what);
  if ((size_t)(t->end - t->p) < n || memcmp(t->p, what, n) != 0) return false;
  t->p += n;
  return true;
}

/* Up to a quote; backslashes do not occur in what torch.save names. */
static size_t quoted(text_id *t, const char **from) {
  *from = t->p;
  while (t->p < t->end && *t->p != '\'' && *t->p != '\\') t->p++;
  return (size_t)(t->p - *from);
}

static tsr_status text_items(text_id *t, unsigned depth, tsr_val *out);

/* *out stays None when there is nothing that can be read. */
static tsr_status text_item(text_id *t, unsigned depth, tsr_val *out) {
  const char *from;
  int64_t number = 0;
  size_t n;
  *out = tsr_none();
  if (take(t, "(")) return text_items(t, depth, out);
  if (take(t, "<class '")) {
    const char *dot = NULL;
    n = quoted(t, &from);
    for (const char *p = from; p < from + n; p++)
      if (*p == '.') dot = p;
    if (dot == NULL || !take(t, "'>")) return bad_id(t->v);
    return tsr_pvm_global(t->v, from, (size_t)(dot - from), dot + 1, (size_t)(from + n - dot - 1), out);
  }
  if (take(t, "'")) {
    n = quoted(t, &from);
    if (!take(t, "'")) return bad_id(t->v);
    tsr_str *s = tsr_str_new(t->v->mem, from, n);
    if (s == NULL) return tsr_pvm_nomem(t->v);
    *out = tsr_from_obj(s);
    return TSR_OK;
  }
  if (take(t, "None")) return TSR_OK;
  for (from = t->p; t->p < t->end && *t->p >= '0' && *t->p <= '9'; t->p++)
    if (tsr_mul_overflow(number, 10, &number) || tsr_add_overflow(number, *t->p - '0', &number)) return bad_id(t->v);
  if (t->p == from) return bad_id(t->v);
  *out = tsr_int(number);
  return TSR_OK;
}

static tsr_status text_items(text_id *t, unsigned depth, tsr_val *out) {
  tsr_val items[6];
  size_t n = 0;
  tsr_status st = depth == 0 ? bad_id(t->v) : TSR_OK;
  while (st == TSR_OK && n < TSR_COUNT(items)) {
    st = text_item(t, depth - 1, &items[n]);
    if (st != TSR_OK) break;
    n++;
    if (!take(t, ", ")) break;
  }
  if (st == TSR_OK && !take(t, ")")) st = bad_id(t->v);
  if (st == TSR_OK) return tsr_pvm_new_tuple(t->v, items, n, out);
  while (n > 0) tsr_release(items[--n]);
  return st;
}

tsr_status tsr_pvm_text_id(tsr_pvm *v, const char *text, size_t len, tsr_val *out) {
  text_id t = {v, text, text + len};
  if (take(&t, "('storage', ")) {
    t.p = text + 1;
    TSR_TRY(text_items(&t, 2, out));
    if (t.p == t.end) return TSR_OK;
    tsr_release(*out);
    return bad_id(v);
  }
  tsr_str *s = tsr_str_new(v->mem, text, len);
  if (s == NULL) return tsr_pvm_nomem(v);
  *out = tsr_from_obj(s);
  return TSR_OK;
}

tsr_status tsr_pvm_storage_token(tsr_pvm *v, tsr_storage *s, tsr_dtype dtype, int64_t offset, int64_t numel,
                                 tsr_val *out) {
  if (!tsr_view_fits(s->nbytes, dtype, offset, 1, &numel, (int64_t[]){1}))
    return tsr_pvm_fail(v, TSR_EFORMAT, "a view lies outside its storage");
  tsr_tensor *t = tsr_tensor_view(v->mem, s, dtype, offset, 1, &numel, NULL);
  if (t == NULL) return tsr_pvm_nomem(v);
  *out = tsr_from_obj(t);
  if (!tsr_dtype_is_quantized(dtype)) return TSR_OK;
  t->quant = tsr_zalloc(v->mem, sizeof *t->quant); /* no quantized tensor is without parameters */
  if (t->quant == NULL) {
    tsr_release(*out);
    return tsr_pvm_nomem(v);
  }
  t->quant->scale = 1;
  return TSR_OK;
}

/* ---- zip entries ---- */

/* Mapped bytes are used in place when their address suits every element type. */
static bool can_map(const void *data, const tsr_pstorage *p, bool swap) {
  if ((uintptr_t)data % 16 != 0 || swap) return false;
  return p->dtype != TSR_BOOL || tsr_bools_are_clean(data, p->nbytes);
}

static tsr_status copy_entry(tsr_pvm *v, size_t index, size_t size, const tsr_pstorage *p, bool swap,
                             tsr_storage **out) {
  tsr_storage *s = tsr_storage_new(v->mem, size);
  if (s == NULL) return tsr_pvm_nomem(v);
  tsr_status st = tsr_archive_read_into(v->opt->archive, index, v->e, s->data, size);
  if (st != TSR_OK) {
    tsr_obj_release(s);
    return st;
  }
  if (swap) tsr_swap_bytes(s->data, size, p->dtype);
  if (p->dtype == TSR_BOOL)
    for (size_t i = 0; i < size; i++) ((uint8_t *)s->data)[i] = ((uint8_t *)s->data)[i] != 0;
  *out = s;
  return TSR_OK;
}

static tsr_status map_entry(tsr_pvm *v, size_t index, const tsr_pstorage *p, tsr_storage **out) {
  tsr_archive *a = v->opt->archive;
  tsr_entry_info info;
  const void *data;
  size_t len;
  tsr_archive_entry(a, index, &info);
  bool swap = tsr_archive_is_big_endian(a);
  uint8_t raw = (swap ? TSR_RAW_SWAP : 0) | (p->dtype == TSR_BOOL ? TSR_RAW_BOOL : 0);
  if (!info.stored && v->opt->raw) {
    *out = tsr_storage_deflated(v->mem, a, index, 0, raw);
    return *out != NULL ? TSR_OK : tsr_pvm_nomem(v);
  }
  if (!info.stored) return copy_entry(v, index, info.size, p, swap, out);
  TSR_TRY(tsr_archive_read(a, index, v->e, &data, &len));
  if (v->opt->raw) {
    *out = tsr_storage_raw(v->mem, a, data, len, raw);
    return *out != NULL ? TSR_OK : tsr_pvm_nomem(v);
  }
  if (!can_map(data, p, swap)) return copy_entry(v, index, len, p, swap, out);
  *out = tsr_storage_mapped(v->mem, a, data, len);
  return *out != NULL ? TSR_OK : tsr_pvm_nomem(v);
}

static tsr_status load_entry(tsr_pvm *v, const tsr_pstorage *p, tsr_storage **out) {
  char name[TSR_PICKLE_MAX_NAME];
  int n = snprintf(name, sizeof name, "%s/%s", v->opt->prefix, p->key->bytes);
  size_t index;
  tsr_entry_info info;
  if (p->nbytes == 0) {
    *out = tsr_storage_new(v->mem, 0);
    return *out != NULL ? TSR_OK : tsr_pvm_nomem(v);
  }
  if (n < 0 || (size_t)n >= sizeof name || strlen(p->key->bytes) != p->key->len ||
      !tsr_archive_find(v->opt->archive, name, &index))
    return tsr_pvm_fail(v, TSR_EFORMAT, "entry \"%s\" is missing", tsr_show(name, strlen(name)).text);
  tsr_archive_entry(v->opt->archive, index, &info);
  if (info.size < p->nbytes)
    return tsr_pvm_fail(v, TSR_EFORMAT, "entry \"%s\" has %llu bytes, but its storage of %lld %s elements needs %zu",
                        tsr_show(name, strlen(name)).text, (unsigned long long)info.size, (long long)p->numel,
                        tsr_dtype_name(p->dtype), p->nbytes);
  TSR_TRY(map_entry(v, index, p, out));
  (*out)->entry = (uint32_t)index + 1;
  return TSR_OK;
}

/* The key is known already, perhaps with another element type. */
static tsr_status reuse(tsr_pvm *v, const tsr_tensor *known, const tsr_pstorage *p, tsr_val *out) {
  tsr_storage *s = known->storage;
  if (p->dtype == TSR_BOOL && v->opt->raw)
    s->raw |= TSR_RAW_BOOL;
  else if (p->dtype == TSR_BOOL && !tsr_bools_are_clean(s->data, s->nbytes))
    return tsr_pvm_fail(v, TSR_EFORMAT, "storage \"%s\" is used as bool, but holds other numbers",
                        tsr_show(p->key->bytes, p->key->len).text);
  return tsr_pvm_storage_token(v, known->storage, p->dtype, 0, s == v->meta ? 0 : p->numel, out);
}

static tsr_status meta_storage(tsr_pvm *v, tsr_storage **out) {
  if (v->meta == NULL) v->meta = tsr_storage_new(v->mem, 0);
  if (v->meta == NULL) return tsr_pvm_nomem(v);
  v->meta->absent = true;
  tsr_obj_retain(v->meta);
  *out = v->meta;
  return TSR_OK;
}

tsr_status tsr_pvm_persistent_zip(tsr_pvm *v, tsr_val id, tsr_val *out) {
  tsr_pstorage p = {0};
  TSR_TRY(tsr_pvm_parse_storage_id(v, id, &p));
  if (v->storages == NULL) v->storages = tsr_dict_new(v->mem, &tsr_type_str, &tsr_type_tensor);
  if (v->storages == NULL) return tsr_pvm_nomem(v);
  tsr_val key = id.u->items[2], *known = tsr_dict_get(v->storages, key);
  if (known != NULL && known->t->dtype == p.dtype && known->t->numel == p.numel) {
    *out = tsr_retain(*known);
    return TSR_OK;
  }
  if (known != NULL) return reuse(v, known->t, &p, out);
  tsr_storage *s = NULL;
  TSR_TRY(p.meta ? meta_storage(v, &s) : load_entry(v, &p, &s));
  s->saved_on = p.device;
  tsr_status st = tsr_pvm_storage_token(v, s, p.dtype, 0, p.meta ? 0 : p.numel, out);
  tsr_obj_release(s);
  TSR_TRY(st);
  if (tsr_dict_set(v->storages, key, tsr_retain(*out))) return TSR_OK;
  tsr_release(*out);
  return tsr_pvm_nomem(v);
}
