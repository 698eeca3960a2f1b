/* Loading and saving values by format, and what the formats share. */
#include "frontend/files.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "frontend/formats.h"
#include "frontend/pickle.h"
#include "frontend/pickle_vm.h"
#include "frontend/raw.h"
#include "frontend/text.h"

tsr_status tsr_env_nomem(const tsr_file_env *env) {
  return tsr_mem_hit_limit(env->mem) ? tsr_fail(env->e, TSR_ELIMIT, "the memory limit is reached")
                                     : tsr_fail_nomem(env->e);
}

/* ---- formats ---- */

typedef enum format { F_NONE, F_NPY, F_NPZ, F_PT, F_SAFETENSORS, F_JSON } format;
/* clang-format off */
static const struct { const char *name; format f; } names[] = {
    {"npy", F_NPY}, {"npz", F_NPZ}, {"pt", F_PT}, {"pth", F_PT}, {"bin", F_PT}, {"ckpt", F_PT}, {"safetensors", F_SAFETENSORS}, {"json", F_JSON}};
/* clang-format on */

static format by_name(const char *name) {
  for (size_t i = 0; i < TSR_COUNT(names); i++)
    if (strcasecmp(names[i].name, name) == 0) return names[i].f;
  return F_NONE;
}

static format by_extension(const char *path) {
  const char *dot = strrchr(path, '.'), *slash = strrchr(path, '/');
  return dot == NULL || (slash != NULL && dot < slash) ? F_NONE : by_name(dot + 1);
}

static tsr_status bad_format(const tsr_file_env *env, const char *name) {
  return tsr_fail(env->e, TSR_EUSAGE, "unknown format \"%s\": npy, npz, pt, safetensors or json",
                  tsr_show(name, strlen(name)).text);
}

/* ---- loading ---- */

static tsr_status load_json(const tsr_file_env *env, tsr_archive *a, tsr_val *out) {
  size_t len;
  const void *bytes = tsr_archive_bytes(a, &len);
  return tsr_json_parse(env, bytes != NULL ? bytes : "", len, out);
}

static tsr_status load_pt(const tsr_file_env *env, tsr_archive *a, tsr_val *out) {
  return tsr_torch_load(a, env->mem, env->types, env->e, out);
}

static tsr_status load_as(const tsr_file_env *env, tsr_archive *a, const char *path, format f, tsr_val *out) {
  static const struct {
    tsr_file_kind kind;
    format f;
    tsr_status (*load)(const tsr_file_env *, tsr_archive *, tsr_val *);
  } by_kind[] = {{TSR_FILE_NPY, F_NPY, tsr_npy_load},
                 {TSR_FILE_NPZ, F_NPZ, tsr_npz_load},
                 {TSR_FILE_SAFETENSORS, F_SAFETENSORS, tsr_safetensors_load},
                 {TSR_FILE_TORCH_ZIP, F_PT, load_pt},
                 {TSR_FILE_TORCH_STREAM, F_PT, load_pt},
                 {TSR_FILE_TORCH_TAR, F_PT, load_pt},
                 {TSR_FILE_PICKLE, F_PT, load_pt}};
  tsr_file_kind kind = tsr_archive_kind(a);
  if (kind == TSR_FILE_ZIP && tsr_archive_entry_count(a) == 0 && f != F_PT) kind = TSR_FILE_NPZ; /* savez of nothing */
  for (size_t i = 0; i < TSR_COUNT(by_kind); i++)
    if (by_kind[i].kind == kind)
      return f == F_NONE || f == by_kind[i].f ? by_kind[i].load(env, a, out) : tsr_archive_fail_kind(a, env->e);
  if (f == F_JSON || (f == F_NONE && by_extension(path) == F_JSON)) return load_json(env, a, out);
  return tsr_archive_fail_kind(a, env->e);
}

tsr_status tsr_file_load(const tsr_file_env *env, const char *path, const char *name, tsr_val *out) {
  tsr_archive *a = NULL;
  format f = name != NULL ? by_name(name) : F_NONE;
  *out = tsr_none();
  if (name != NULL && f == F_NONE) return bad_format(env, name);
  TSR_TRY(strcmp(path, "-") == 0 ? tsr_archive_open_fd(0, false, env->e, &a)
                                 : tsr_archive_open(path, false, env->e, &a));
  tsr_status st = load_as(env, a, path, f, out);
  tsr_archive_release(a);
  return st;
}

/* ---- saving ---- */

static tsr_status save_json(const tsr_file_env *env, tsr_outfile *o, tsr_val v) {
  tsr_buf b = {0};
  tsr_status st = tsr_json_write(env, v, &b);
  tsr_buf_putc(&b, '\n');
  if (st == TSR_OK) st = tsr_outfile_write(o, env->e, b.data, b.len);
  tsr_buf_dispose(&b);
  return st;
}

static tsr_status save_as(const tsr_file_env *env, tsr_outfile *o, format f, tsr_val v) {
  switch (f) {
  case F_NPY:
    return tsr_npy_save(env, o, v);
  case F_NPZ:
    return tsr_npz_save(env, o, v);
  case F_SAFETENSORS:
    return tsr_safetensors_save(env, o, v);
  case F_JSON:
    return save_json(env, o, v);
  default:
    return tsr_torch_save(env, o, v);
  }
}

tsr_status tsr_file_save(const tsr_file_env *env, const char *path, const char *name, tsr_val v) {
  tsr_outfile o;
  format f = name != NULL ? by_name(name) : by_extension(path);
  if (f == F_NONE && name != NULL) return bad_format(env, name);
  if (f == F_NONE)
    return tsr_fail(env->e, TSR_EUSAGE,
                    "%s: name the format, or use the extension .npy, .npz, .pt, .safetensors or .json",
                    tsr_show(path, strlen(path)).text);
  TSR_TRY(tsr_outfile_open(&o, env->e, path));
  tsr_status st = save_as(env, &o, f, v);
  if (st == TSR_OK) return tsr_outfile_commit(&o, env->e);
  tsr_outfile_abort(&o);
  return st;
}

/* ---- tensors over bytes ---- */

tsr_status tsr_tensor_raw(const tsr_file_env *env, tsr_storage *take, tsr_dtype dtype, int ndim, const int64_t *size,
                          const int64_t *stride, tsr_val *out) {
  if (take == NULL) return tsr_env_nomem(env);
  tsr_tensor *t = tsr_tensor_view(env->mem, take, dtype, 0, ndim, size, stride);
  tsr_obj_release(take);
  if (t == NULL) return tsr_env_nomem(env);
  *out = tsr_from_obj(t);
  return TSR_OK;
}

tsr_status tsr_tensor_from_bytes(const tsr_file_env *env, tsr_archive *keep, const void *data, tsr_dtype dtype,
                                 bool swap, int ndim, const int64_t *size, const int64_t *stride, tsr_val *out) {
  int64_t numel;
  if (!tsr_numel(ndim, size, &numel)) return tsr_fail(env->e, TSR_EFORMAT, "a tensor of more than 2^63 elements");
  size_t nbytes = (size_t)numel * tsr_dtype_size(dtype);
  if (env->raw && keep != NULL)
    return tsr_tensor_raw(env, tsr_storage_raw(env->mem, keep, data, nbytes, (swap ? TSR_RAW_SWAP : 0) | (dtype == TSR_BOOL ? TSR_RAW_BOOL : 0)),
                          dtype, ndim, size, stride, out);
  bool clean = dtype != TSR_BOOL || tsr_bools_are_clean(data, nbytes);
  bool borrow = keep != NULL && !swap && clean && (uintptr_t)data % TSR_MIN(tsr_dtype_size(dtype), (size_t)16) == 0;
  tsr_storage *s = borrow ? tsr_storage_mapped(env->mem, keep, data, nbytes) : tsr_storage_new(env->mem, nbytes);
  if (s == NULL) return tsr_env_nomem(env);
  if (!borrow && nbytes != 0) {
    memcpy(s->data, data, nbytes);
    if (swap) tsr_swap_bytes(s->data, nbytes, dtype);
    for (size_t i = 0; !clean && i < nbytes; i++) ((uint8_t *)s->data)[i] = ((uint8_t *)s->data)[i] != 0;
  }
  tsr_tensor *t = tsr_tensor_view(env->mem, s, dtype, 0, ndim, size, stride);
  tsr_obj_release(s);
  if (t == NULL) return tsr_env_nomem(env);
  *out = tsr_from_obj(t);
  return TSR_OK;
}

/* dst: C order.  Rows along the last dimension are copied at once when they are dense. */
static void gather(const tsr_tensor *t, int d, const char *src, char **dst) {
  size_t item = tsr_tensor_itemsize(t);
  if (d == t->ndim) {
    memcpy(*dst, src, item);
    *dst += item;
  } else if (d == t->ndim - 1 && t->stride[d] == 1) {
    memcpy(*dst, src, item * (size_t)t->size[d]);
    *dst += item * (size_t)t->size[d];
  } else {
    for (int64_t i = 0; i < t->size[d]; i++) gather(t, d + 1, src + i * t->stride[d] * (int64_t)item, dst);
  }
}

tsr_status tsr_tensor_pack(const tsr_file_env *env, const tsr_tensor *t, const void **data, size_t *nbytes,
                           void **owned) {
  int64_t bytes;
  *owned = NULL;
  if (t->layout != 0) return tsr_fail(env->e, TSR_EUNSUPPORTED, "the bytes of a sparse tensor");
  if (tsr_mul_overflow(t->numel, (int64_t)tsr_tensor_itemsize(t), &bytes))
    return tsr_fail(env->e, TSR_ELIMIT, "a tensor of more than 2^63 bytes");
  *nbytes = (size_t)bytes;
  *data = bytes == 0 ? "" : tsr_tensor_data_ro(t);
  if (bytes == 0 || tsr_tensor_is_contiguous(t)) return TSR_OK;
  char *copy = malloc((size_t)bytes), *at = copy;
  if (copy == NULL) return tsr_fail_nomem(env->e);
  gather(t, 0, *data, &at);
  *data = *owned = copy;
  return TSR_OK;
}

tsr_status tsr_as_tensor(const tsr_file_env *env, tsr_val v, tsr_tensor **out) {
  static const uint8_t dtype_of[] = {
      [TSR_V_BOOL] = TSR_BOOL, [TSR_V_INT] = TSR_INT64, [TSR_V_FLOAT] = TSR_FLOAT64, [TSR_V_COMPLEX] = TSR_COMPLEX128};
  *out = NULL;
  if (v.tag == TSR_V_TENSOR) {
    tsr_obj_retain(v.t);
    *out = v.t;
    return TSR_OK;
  }
  if (v.tag != TSR_V_BOOL && v.tag != TSR_V_INT && v.tag != TSR_V_FLOAT && v.tag != TSR_V_COMPLEX)
    return tsr_fail(env->e, TSR_EUNSUPPORTED, "this format holds tensors and numbers, not %s", tsr_tag_name(v));
  tsr_tensor *t = tsr_tensor_new(env->mem, (tsr_dtype)dtype_of[v.tag], 0, NULL);
  if (t == NULL) return tsr_env_nomem(env);
  void *p = tsr_tensor_data_mut(t);
  if (v.tag == TSR_V_BOOL)
    *(uint8_t *)p = v.b;
  else if (v.tag == TSR_V_INT)
    memcpy(p, &v.i, 8);
  else if (v.tag == TSR_V_FLOAT)
    memcpy(p, &v.d, 8);
  else
    memcpy(p, &v.c->z, 16);
  *out = t;
  return TSR_OK;
}

/* ---- names for the tensors of a nest ---- */

#define MAX_VISITS (1 << 22) /* a shared value may unfold to any number */

typedef struct visit {
  const tsr_file_env *env;
  const char *prefix;
  tsr_named_fn fn;
  void *user;
  tsr_buf name;
  int visits, depth;
} visit;

static tsr_status visit_value(visit *w, tsr_val v);

/* v under name + key; the name grows and shrinks with the nest. */
static tsr_status visit_child(visit *w, const char *key, size_t len, tsr_val v) {
  size_t before = w->name.len;
  if (before > 0) tsr_buf_putc(&w->name, '.');
  tsr_buf_put(&w->name, key, len);
  if (w->name.oom) return tsr_fail_nomem(w->env->e);
  w->depth++;
  tsr_status st = visit_value(w, v);
  w->depth--;
  w->name.len = before;
  if (w->name.data != NULL) w->name.data[before] = '\0';
  return st;
}

static tsr_status visit_items(visit *w, const tsr_val *items, size_t n) {
  char key[64];
  for (size_t i = 0; i < n; i++) {
    int len = snprintf(key, sizeof key, "%s%zu", w->name.len == 0 ? w->prefix : "", i);
    TSR_TRY(visit_child(w, key, (size_t)len, items[i]));
  }
  return TSR_OK;
}

static tsr_status visit_dict(visit *w, const tsr_dict *d) {
  for (size_t i = tsr_dict_next(d, 0); i < d->used; i = tsr_dict_next(d, i + 1)) {
    tsr_val key = d->entries[i].key;
    tsr_buf text = {0};
    if (key.tag == TSR_V_STR)
      tsr_buf_put(&text, key.s->bytes, key.s->len);
    else
      tsr_val_print(key, &text);
    tsr_status st = text.oom ? tsr_fail_nomem(w->env->e)
                             : visit_child(w, text.data != NULL ? text.data : "", text.len, d->entries[i].value);
    tsr_buf_dispose(&text);
    TSR_TRY(st);
  }
  return TSR_OK;
}

static tsr_status visit_value(visit *w, tsr_val v) {
  tsr_tensor *t = NULL;
  if (++w->visits > MAX_VISITS) return tsr_fail(w->env->e, TSR_ELIMIT, "more than %d values", MAX_VISITS);
  if (w->depth > TSR_MAX_DEPTH)
    return tsr_fail(w->env->e, TSR_ELIMIT, "values are nested deeper than %d", TSR_MAX_DEPTH);
  if (v.tag == TSR_V_LIST) return visit_items(w, v.l->items, v.l->len);
  if (v.tag == TSR_V_TUPLE) return visit_items(w, v.u->items, v.u->len);
  if (v.tag == TSR_V_DICT) return visit_dict(w, v.m);
  TSR_TRY(tsr_as_tensor(w->env, v, &t));
  tsr_status st = w->fn(w->user, w->name.data != NULL ? w->name.data : "", t);
  tsr_obj_release(t);
  return st;
}

tsr_status tsr_visit_tensors(const tsr_file_env *env, tsr_val v, const char *alone, const char *prefix, tsr_named_fn fn,
                             void *user) {
  visit w = {.env = env, .prefix = prefix, .fn = fn, .user = user};
  bool nest = v.tag == TSR_V_LIST || v.tag == TSR_V_TUPLE || v.tag == TSR_V_DICT;
  if (!nest) tsr_buf_puts(&w.name, alone);
  tsr_status st = visit_value(&w, v);
  tsr_buf_dispose(&w.name);
  return st;
}

typedef struct collector {
  tsr_named *items;
  size_t count, cap;
  tsr_errrec *e;
} collector;

static tsr_status collect(void *user, const char *name, tsr_tensor *t) {
  collector *c = user;
  if (c->count == c->cap) {
    size_t cap = c->cap == 0 ? 64 : c->cap * 2;
    tsr_named *grown = realloc(c->items, cap * sizeof *grown);
    if (grown == NULL) return tsr_fail_nomem(c->e);
    c->items = grown;
    c->cap = cap;
  }
  char *copy = strdup(name);
  if (copy == NULL) return tsr_fail_nomem(c->e);
  tsr_obj_retain(t);
  c->items[c->count++] = (tsr_named){copy, t};
  return TSR_OK;
}

tsr_status tsr_collect_named(const tsr_file_env *env, tsr_val v, const char *alone, const char *prefix, tsr_named **items, size_t *count) {
  collector c = {.e = env->e};
  tsr_status st = tsr_visit_tensors(env, v, alone, prefix, collect, &c);
  *items = c.items;
  *count = c.count;
  return st;
}

void tsr_named_free(tsr_named *items, size_t count) {
  for (size_t i = 0; i < count; i++) {
    free((char *)(uintptr_t)items[i].name);
    tsr_obj_release(items[i].t);
  }
  free(items);
}
