/* Whole files of torch.save: zip (1.4 and later), the stream of pickles before it, the tar before that. */
#include <stdio.h>

#include "frontend/pickle_vm.h"
#include "frontend/raw.h"
#include "frontend/text.h"

/* ---- a file of several pickles with raw bytes between them ---- */

typedef struct stream {
  tsr_pvm v;
  tsr_pickle_options opt;
  tsr_archive *a;
  const uint8_t *p;
  size_t len, at;
  bool swap; /* the writer's bytes are big-endian */
} stream;

static void stream_open(stream *s, tsr_archive *a, tsr_mem *mem, tsr_types *types, tsr_errrec *e, const uint8_t *p,
                        size_t len, const char *what, bool raw) {
  memset(s, 0, sizeof *s);
  s->opt = (tsr_pickle_options){.mem = mem, .types = types, .what = what, .raw = raw};
  s->a = a;
  s->p = p;
  s->len = len;
  tsr_pvm_init(&s->v, &s->opt, e);
  s->v.user = s;
}

static tsr_status next_pickle(stream *s, tsr_val *out) {
  size_t used = 0;
  tsr_status st = tsr_pvm_run(&s->v, s->p + s->at, s->len - s->at, &used, out);
  s->at += used;
  return st;
}

static tsr_status fail(stream *s, const char *what) {
  return tsr_fail(s->v.e, TSR_EFORMAT, "%s: offset %zu: %s", s->opt.what, s->at, what);
}

static tsr_status next_int64(stream *s, int64_t *out) {
  if (s->len - s->at < 8) return fail(s, "the file is cut short");
  uint64_t x = 0;
  for (int i = 0; i < 8; i++) x |= (uint64_t)s->p[s->at + (size_t)(s->swap ? 7 - i : i)] << (8 * i);
  *out = (int64_t)x;
  s->at += 8;
  return TSR_OK;
}

/* Give storage its bytes: the next nbytes of the file, in place when aligned and in this machine's order. */
static tsr_status attach(stream *s, tsr_storage *st, tsr_dtype dtype) {
  if (st->nbytes > s->len - s->at) return fail(s, "the file is cut short");
  const uint8_t *data = s->p + s->at;
  s->at += st->nbytes;
  if (st->nbytes == 0) return TSR_OK;
  if (s->opt.raw) {
    tsr_storage *raw = tsr_storage_raw(s->v.mem, s->a, data, st->nbytes,
                                       (s->swap ? TSR_RAW_SWAP : 0) | (dtype == TSR_BOOL ? TSR_RAW_BOOL : 0));
    if (raw == NULL) return tsr_pvm_nomem(&s->v);
    st->data = raw->data;
    st->cow = true;
    st->raw |= raw->raw;
    st->base = raw;
    return TSR_OK;
  }
  bool clean = dtype != TSR_BOOL || tsr_bools_are_clean(data, st->nbytes);
  if ((uintptr_t)data % 16 == 0 && !s->swap && clean) {
    tsr_storage_map(st, s->a, data);
    return TSR_OK;
  }
  uint8_t *copy = tsr_buf_alloc(s->v.mem, st->nbytes);
  if (copy == NULL) return tsr_pvm_nomem(&s->v);
  memcpy(copy, data, st->nbytes);
  if (s->swap) tsr_swap_bytes(copy, st->nbytes, dtype);
  for (size_t i = 0; !clean && i < st->nbytes; i++) copy[i] = copy[i] != 0;
  st->data = copy;
  st->owned = true;
  st->cow = false;
  return TSR_OK;
}

static tsr_status known_storages(stream *s) {
  if (s->v.storages == NULL) s->v.storages = tsr_dict_new(s->v.mem, &tsr_type_any, &tsr_type_tensor);
  return s->v.storages != NULL ? TSR_OK : tsr_pvm_nomem(&s->v);
}

static tsr_status remember(stream *s, tsr_val key, tsr_val token) {
  return tsr_dict_set(s->v.storages, key, tsr_retain(token)) ? TSR_OK : tsr_pvm_nomem(&s->v);
}

/* A storage whose bytes come later in the file: its size is known, its data is NULL meanwhile. */
static tsr_status promise(stream *s, const tsr_pstorage *p, tsr_val *out) {
  if (p->nbytes > s->len)
    return tsr_pvm_fail(&s->v, TSR_EFORMAT, "storage \"%s\" needs %zu bytes, the file has %zu",
                        tsr_show(p->key->bytes, p->key->len).text, p->nbytes, s->len);
  tsr_storage *st = tsr_storage_borrow(s->v.mem, NULL, p->nbytes, NULL, NULL);
  if (st == NULL) return tsr_pvm_nomem(&s->v);
  st->saved_on = p->device;
  tsr_status status = tsr_pvm_storage_token(&s->v, st, p->dtype, 0, p->numel, out);
  tsr_obj_release(st);
  return status;
}

/* ---- the stream: magic, protocol, system, object, keys, then the bytes of each storage ---- */

/* Views of a root storage carry (view key, offset, size) in elements. */
static tsr_status stream_persistent(tsr_pvm *v, tsr_val id, tsr_val *out) {
  stream *s = v->user;
  tsr_pstorage p;
  if (id.tag == TSR_V_TUPLE && id.u->len >= 2 && id.u->items[0].tag == TSR_V_STR &&
      strcmp(id.u->items[0].s->bytes, "module") == 0) {
    *out = tsr_retain(id.u->items[1]); /* ('module', class, file, source): the class itself */
    return TSR_OK;
  }
  TSR_TRY(tsr_pvm_parse_storage_id(v, id, &p));
  TSR_TRY(known_storages(s));
  tsr_val key = id.u->items[2], *known = tsr_dict_get(v->storages, key), root = tsr_none();
  if (known == NULL) {
    TSR_TRY(promise(s, &p, &root));
    tsr_status st = remember(s, key, root);
    if (st != TSR_OK) {
      tsr_release(root);
      return st;
    }
  } else {
    root = tsr_retain(*known);
  }
  if (p.view == NULL && root.t->dtype == p.dtype) {
    *out = root;
    return TSR_OK;
  }
  int64_t offset = 0, numel = p.numel;
  tsr_status st = TSR_OK;
  if (p.view != NULL) {
    bool ok = p.view->len == 3 && p.view->items[1].tag == TSR_V_INT && p.view->items[2].tag == TSR_V_INT &&
              p.view->items[2].i >= 0;
    st = ok ? TSR_OK : tsr_pvm_fail(v, TSR_EFORMAT, "a reference to a storage cannot be read");
    if (ok) {
      offset = p.view->items[1].i;
      numel = p.view->items[2].i;
    }
  }
  if (st == TSR_OK) st = tsr_pvm_storage_token(v, root.t->storage, p.dtype, offset, numel, out);
  tsr_release(root);
  return st;
}

static tsr_status read_system(stream *s) {
  tsr_val sys;
  TSR_TRY(next_pickle(s, &sys));
  for (size_t i = sys.tag == TSR_V_DICT ? tsr_dict_next(sys.m, 0) : 0; sys.tag == TSR_V_DICT && i < sys.m->used;
       i = tsr_dict_next(sys.m, i + 1)) {
    const tsr_entry *en = &sys.m->entries[i];
    if (en->key.tag == TSR_V_STR && strcmp(en->key.s->bytes, "little_endian") == 0 && en->value.tag == TSR_V_BOOL)
      s->swap = !en->value.b;
  }
  tsr_release(sys);
  return TSR_OK;
}

static tsr_status read_bytes(stream *s, const tsr_list *keys) {
  tsr_dict *d = s->v.storages;
  size_t done = 0;
  for (size_t i = 0; i < keys->len; i++) {
    tsr_val *token = d != NULL ? tsr_dict_get(d, keys->items[i]) : NULL;
    int64_t count = 0;
    TSR_TRY(next_int64(s, &count));
    if (token == NULL) return fail(s, "bytes of a storage that nothing refers to");
    tsr_storage *st = token->t->storage;
    if (st->data != NULL) return fail(s, "a storage is given twice");
    if (count != token->t->numel) return fail(s, "a storage is not as long as its tensors say");
    TSR_TRY(attach(s, st, (tsr_dtype)token->t->dtype));
    done++;
  }
  if (d != NULL && done < d->count) /* the keys may leave out what is empty, nothing else */
    for (size_t i = tsr_dict_next(d, 0); i < d->used; i = tsr_dict_next(d, i + 1))
      if (d->entries[i].value.t->storage->data == NULL && d->entries[i].value.t->storage->nbytes != 0)
        return fail(s, "the bytes of a storage are missing");
  return TSR_OK;
}

static tsr_status load_stream(stream *s, tsr_val *out) {
  tsr_val skip, keys = tsr_none();
  TSR_TRY(next_pickle(s, &skip)); /* the magic number, checked when the kind was found */
  tsr_release(skip);
  TSR_TRY(next_pickle(s, &skip));
  bool known = skip.tag == TSR_V_INT && skip.i == 1001;
  tsr_release(skip);
  if (!known) return fail(s, "unknown version of the torch.save format");
  TSR_TRY(read_system(s));
  /* The object comes before the bytes it is made of, and their lengths are in it: read it once to find
   * the bytes, and once more with them in place. */
  size_t object = s->at;
  s->v.persistent = stream_persistent;
  TSR_TRY(next_pickle(s, &skip));
  tsr_release(skip);
  s->v.persistent = NULL;
  TSR_TRY(next_pickle(s, &keys));
  tsr_status st = keys.tag == TSR_V_LIST ? read_bytes(s, keys.l) : fail(s, "the list of storages is missing");
  tsr_release(keys);
  TSR_TRY(st);
  s->at = object;
  s->v.persistent = stream_persistent;
  return next_pickle(s, out);
}

/* ---- the tar: members storages, tensors, pickle ---- */

typedef struct member {
  const uint8_t *p;
  size_t len;
} member;

static bool octal(const uint8_t *p, size_t n, uint64_t *out) {
  size_t i = 0;
  *out = 0;
  while (i < n && p[i] == ' ') i++;
  if (i == n || p[i] < '0' || p[i] > '7') return false;
  for (; i < n && p[i] >= '0' && p[i] <= '7'; i++) *out = *out * 8 + (uint64_t)(p[i] - '0');
  return true;
}

/* Finds a plain file by its base name; the names in these tars have no folders but perhaps "./". */
static bool find_member(const uint8_t *p, size_t len, const char *want, member *out) {
  for (size_t at = 0; len - at >= 512 && p[at] != 0;) {
    uint64_t size;
    if (!octal(p + at + 124, 12, &size) || size > len - at - 512) return false;
    const char *name = (const char *)p + at;
    size_t n = strnlen(name, 100);
    if (n > 2 && name[0] == '.' && name[1] == '/') {
      name += 2;
      n -= 2;
    }
    if (n == strlen(want) && memcmp(name, want, n) == 0) {
      *out = (member){p + at + 512, size};
      return true;
    }
    uint64_t step = 512 + (size + 511) / 512 * 512;
    if (step > len - at) return false;
    at += step;
  }
  return false;
}

static void enter(stream *s, member m, const char *what) {
  s->p = m.p;
  s->len = m.len;
  s->at = 0;
  s->opt.what = what;
}

static tsr_status next_count(stream *s, int64_t *out) {
  tsr_val n;
  TSR_TRY(next_pickle(s, &n));
  bool ok = n.tag == TSR_V_INT && n.i >= 0;
  *out = ok ? n.i : 0;
  tsr_release(n);
  return ok ? TSR_OK : fail(s, "a count is missing");
}

/* (key, location, type), int64 elements, bytes */
static tsr_status tar_storage(stream *s, tsr_val args) {
  const tsr_pglobal *type = args.tag == TSR_V_TUPLE && args.u->len == 3 ? tsr_pvm_as_global(args.u->items[2]) : NULL;
  tsr_dtype dtype;
  bool untyped;
  int64_t count = 0, bytes;
  if (type == NULL || !tsr_pickle_storage_type(type, &dtype, &untyped)) return fail(s, "a storage cannot be read");
  TSR_TRY(next_int64(s, &count));
  if (count < 0 || tsr_mul_overflow(count, (int64_t)tsr_dtype_size(dtype), &bytes) || (uint64_t)bytes > s->len - s->at)
    return fail(s, "the file is cut short");
  tsr_storage *st = tsr_storage_borrow(s->v.mem, NULL, (size_t)bytes, NULL, NULL);
  if (st == NULL) return tsr_pvm_nomem(&s->v);
  const tsr_val place = args.u->items[1];
  if (place.tag != TSR_V_STR || !tsr_device_parse(place.s->bytes, place.s->len, &st->saved_on)) st->saved_on.index = -1;
  tsr_val token = tsr_none();
  tsr_status status = attach(s, st, dtype);
  if (status == TSR_OK) status = tsr_pvm_storage_token(&s->v, st, dtype, 0, count, &token);
  if (status == TSR_OK) status = remember(s, args.u->items[0], token);
  tsr_obj_release(st);
  tsr_release(token);
  return status;
}

static tsr_status tar_storages(stream *s) {
  int64_t n = 0;
  TSR_TRY(next_count(s, &n));
  for (int64_t i = 0; i < n; i++) {
    tsr_val args;
    TSR_TRY(next_pickle(s, &args));
    tsr_status st = tar_storage(s, args);
    tsr_release(args);
    TSR_TRY(st);
  }
  return TSR_OK;
}

/* [(target key, root key, offset, elements)] */
static tsr_status tar_views(stream *s) {
  tsr_val views;
  TSR_TRY(next_pickle(s, &views));
  tsr_status st = views.tag == TSR_V_LIST ? TSR_OK : fail(s, "the list of views is missing");
  for (size_t i = 0; st == TSR_OK && i < views.l->len; i++) {
    tsr_val w = views.l->items[i], token = tsr_none();
    tsr_val *root = w.tag == TSR_V_TUPLE && w.u->len == 4 ? tsr_dict_get(s->v.storages, w.u->items[1]) : NULL;
    if (root == NULL || w.u->items[2].tag != TSR_V_INT || w.u->items[3].tag != TSR_V_INT)
      st = fail(s, "a view cannot be read");
    else
      st = tsr_pvm_storage_token(&s->v, root->t->storage, (tsr_dtype)root->t->dtype, w.u->items[2].i, w.u->items[3].i,
                                 &token);
    if (st == TSR_OK) st = remember(s, w.u->items[0], token);
    tsr_release(token);
  }
  tsr_release(views);
  return st;
}

/* (key, storage key, type), int32 dimensions and 4 bytes of padding, sizes, strides, offset */
static tsr_status tar_tensor(stream *s, tsr_val args) {
  tsr_val *token = args.tag == TSR_V_TUPLE && args.u->len == 3 ? tsr_dict_get(s->v.storages, args.u->items[1]) : NULL;
  int64_t ndim = 0, size[TSR_MAX_NDIM], stride[TSR_MAX_NDIM], offset = 0;
  if (token == NULL) return fail(s, "a tensor of a storage that is not there");
  TSR_TRY(next_int64(s, &ndim));
  ndim &= UINT32_MAX;
  if (ndim > TSR_MAX_NDIM) return fail(s, "a tensor of too many dimensions");
  for (int64_t d = 0; d < ndim; d++) TSR_TRY(next_int64(s, &size[d]));
  for (int64_t d = 0; d < ndim; d++) TSR_TRY(next_int64(s, &stride[d]));
  TSR_TRY(next_int64(s, &offset));
  const tsr_tensor *t = token->t;
  int64_t numel;
  for (int64_t d = 0; d < ndim; d++)
    if (stride[d] < 0) return fail(s, "a tensor with a negative stride");
  if (offset < 0 || tsr_add_overflow(offset, t->offset, &offset) || !tsr_numel((int)ndim, size, &numel) ||
      !tsr_view_fits(t->storage->nbytes, (tsr_dtype)t->dtype, offset, (int)ndim, size, stride))
    return fail(s, "a tensor does not fit its storage");
  tsr_tensor *made = tsr_tensor_view(s->v.mem, t->storage, (tsr_dtype)t->dtype, offset, (int)ndim, size, stride);
  if (made == NULL) return tsr_pvm_nomem(&s->v);
  tsr_val val = tsr_from_obj(made);
  tsr_status st = remember(s, args.u->items[0], val);
  tsr_release(val);
  return st;
}

static tsr_status tar_tensors(stream *s) {
  int64_t n = 0;
  TSR_TRY(next_count(s, &n));
  for (int64_t i = 0; i < n; i++) {
    tsr_val args;
    TSR_TRY(next_pickle(s, &args));
    tsr_status st = tar_tensor(s, args);
    tsr_release(args);
    TSR_TRY(st);
  }
  return TSR_OK;
}

/* Ids are the keys of tensors, as numbers or as their digits; of classes, tuples that begin with the class. */
static tsr_status tar_persistent(tsr_pvm *v, tsr_val id, tsr_val *out) {
  if (id.tag == TSR_V_TUPLE && id.u->len > 0) {
    *out = tsr_retain(id.u->items[0]);
    return TSR_OK;
  }
  tsr_val *known = id.tag == TSR_V_INT || id.tag == TSR_V_STR ? tsr_dict_get(v->storages, id) : NULL;
  double number;
  if (known == NULL && id.tag == TSR_V_STR && tsr_text_to_double(id.s->bytes, id.s->len, &number) && number >= 0 &&
      number < 9e15)
    known = tsr_dict_get(v->storages, tsr_int((int64_t)number));
  if (known == NULL) return tsr_pvm_fail(v, TSR_EFORMAT, "a tensor that is not in the file");
  *out = tsr_retain(*known);
  return TSR_OK;
}

static tsr_status load_tar(stream *s, tsr_val *out) {
  member storages, tensors, pickle;
  const uint8_t *p = s->p;
  size_t len = s->len;
  if (!find_member(p, len, "storages", &storages) || !find_member(p, len, "tensors", &tensors) ||
      !find_member(p, len, "pickle", &pickle))
    return fail(s, "the tar lacks storages, tensors or pickle");
  TSR_TRY(known_storages(s));
  enter(s, storages, "storages");
  TSR_TRY(tar_storages(s));
  TSR_TRY(tar_views(s));
  enter(s, tensors, "tensors");
  TSR_TRY(tar_tensors(s));
  enter(s, pickle, "pickle");
  s->v.persistent = tar_persistent;
  return next_pickle(s, out);
}

/* ---- any ---- */

static tsr_status load_zip(tsr_archive *a, tsr_mem *mem, tsr_types *types, bool raw, tsr_errrec *e, tsr_val *out) {
  size_t index, len = 0;
  const void *bytes = NULL;
  tsr_pickle_options opt = {.mem = mem, .types = types, .archive = a, .prefix = "data", .what = "data.pkl", .raw = raw};
  if (!tsr_archive_find(a, "data.pkl", &index)) return tsr_archive_fail_kind(a, e);
  TSR_TRY(tsr_archive_check_format(a, e));
  TSR_TRY(tsr_archive_read(a, index, e, &bytes, &len));
  return tsr_unpickle(&opt, e, bytes, len, out);
}

static tsr_status load_any(tsr_archive *a, tsr_mem *mem, tsr_types *types, bool raw, tsr_errrec *e, tsr_val *out) {
  *out = tsr_none();
  size_t len;
  const uint8_t *p = tsr_archive_bytes(a, &len);
  tsr_file_kind kind = tsr_archive_kind(a);
  if (kind != TSR_FILE_TORCH_STREAM && kind != TSR_FILE_TORCH_TAR && kind != TSR_FILE_PICKLE)
    return load_zip(a, mem, types, raw, e, out);
  stream s;
  stream_open(&s, a, mem, types, e, p, len, kind == TSR_FILE_PICKLE ? "pickle" : "file", raw);
  tsr_status st = kind == TSR_FILE_TORCH_TAR ? load_tar(&s, out)
                  : kind == TSR_FILE_PICKLE  ? next_pickle(&s, out)
                                             : load_stream(&s, out);
  tsr_pvm_dispose(&s.v);
  if (st != TSR_OK) {
    tsr_release(*out);
    *out = tsr_none();
  }
  return st;
}

tsr_status tsr_torch_load(tsr_archive *a, tsr_mem *mem, tsr_types *types, tsr_errrec *e, tsr_val *out) {
  return load_any(a, mem, types, false, e, out);
}

tsr_status tsr_torch_load_raw(tsr_archive *a, tsr_mem *mem, tsr_types *types, tsr_errrec *e, tsr_val *out) {
  return load_any(a, mem, types, true, e, out);
}
