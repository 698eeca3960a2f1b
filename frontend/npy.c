/* NumPy's npy and npz: numeric arrays of either byte order, in C or Fortran order, versions 1 to 3. */
#include <stdio.h>
#include <stdlib.h>

#include "frontend/formats.h"
#include "frontend/pour.h"
#include "frontend/raw.h"
#include "frontend/text.h"

#define MAX_HEADER 10000 /* NumPy's own limit */

/* ---- types ---- */

/* clang-format off */
static const struct { char kind; uint8_t size; tsr_dtype dtype; } types[] = {
    {'b', 1, TSR_BOOL},    {'i', 1, TSR_INT8},    {'i', 2, TSR_INT16},   {'i', 4, TSR_INT32},   {'i', 8, TSR_INT64},
    {'u', 1, TSR_UINT8},   {'u', 2, TSR_UINT16},  {'u', 4, TSR_UINT32},  {'u', 8, TSR_UINT64},  {'f', 2, TSR_FLOAT16},
    {'f', 4, TSR_FLOAT32}, {'f', 8, TSR_FLOAT64}, {'c', 8, TSR_COMPLEX64}, {'c', 16, TSR_COMPLEX128},
};
/* clang-format on */

/* Types that NumPy lacks are written as records of one field that is named like the type and holds its bits:
 * [('bfloat16', '<u2')].  NumPy reads them, array.view(ml_dtypes.bfloat16) makes numbers of them, and the
 * type is not lost on the way back. */
static const tsr_dtype foreign[] = {TSR_BFLOAT16,    TSR_FLOAT8_E5M2,     TSR_FLOAT8_E4M3FN,
                                    TSR_COMPLEX32,   TSR_FLOAT8_E5M2FNUZ, TSR_FLOAT8_E4M3FNUZ,
                                    TSR_FLOAT8_E8M0FNU, TSR_FLOAT4_E2M1FN_X2, TSR_BITS1X8,
                                    TSR_BITS2X4,     TSR_BITS4X2,         TSR_BITS8, TSR_BITS16};

static tsr_status bad(tsr_errrec *e, const char *what, const char *why) {
  return tsr_fail(e, TSR_EFORMAT, "%s: bad npy file: %s", what, why);
}

/* "<f4", "|b1", ">i8" */
static tsr_status parse_descr(tsr_errrec *e, const char *what, const char *s, size_t len, tsr_npy_info *out) {
  if (len >= 2 && memchr("<>|=", s[0], 4) != NULL) {
    int size = 0;
    for (size_t i = 2; i < len && i < 5; i++) size = s[i] >= '0' && s[i] <= '9' ? size * 10 + (s[i] - '0') : 1000;
    for (size_t i = 0; i < TSR_COUNT(types) && len <= 5; i++)
      if (types[i].kind == s[1] && types[i].size == size) {
        out->dtype = types[i].dtype;
        out->swap = s[0] == '>' && size > 1;
        return TSR_OK;
      }
  }
  if (len >= 2 && s[1] == 'O') return tsr_fail(e, TSR_EUNSUPPORTED, "%s: arrays of Python objects are not read", what);
  return tsr_fail(e, TSR_EUNSUPPORTED, "%s: arrays of type %s are not read", what, tsr_show(s, len).text);
}

/* ---- the header: a Python dict of three known keys ---- */

typedef struct text {
  const char *p, *end;
} text;

static void space(text *t) {
  while (t->p < t->end && (*t->p == ' ' || (*t->p >= 9 && *t->p <= 13))) t->p++;
}

static bool take(text *t, char c) {
  space(t);
  if (t->p == t->end || *t->p != c) return false;
  t->p++;
  return true;
}

static bool take_word(text *t, const char *word) {
  size_t n = strlen(word);
  space(t);
  if ((size_t)(t->end - t->p) < n || memcmp(t->p, word, n) != 0) return false;
  t->p += n;
  return true;
}

static bool take_quoted(text *t, const char **s, size_t *len) {
  space(t);
  if (t->p == t->end || (*t->p != '\'' && *t->p != '"')) return false;
  const char *close = memchr(t->p + 1, *t->p, (size_t)(t->end - t->p - 1));
  if (close == NULL) return false;
  *s = t->p + 1;
  *len = (size_t)(close - *s);
  t->p = close + 1;
  return true;
}

static bool take_shape(text *t, tsr_npy_info *out) {
  if (!take(t, '(')) return false;
  out->ndim = 0;
  while (!take(t, ')')) {
    int64_t n = 0;
    space(t);
    const char *from = t->p;
    for (; t->p < t->end && *t->p >= '0' && *t->p <= '9'; t->p++)
      if (tsr_mul_overflow(n, 10, &n) || tsr_add_overflow(n, *t->p - '0', &n)) return false;
    if (t->p == from || out->ndim == TSR_MAX_NDIM) return false;
    if (t->p < t->end && *t->p == 'L') t->p++; /* Python 2 */
    out->size[out->ndim++] = n;
    if (!take(t, ',')) return take(t, ')');
  }
  return true;
}

/* [('bfloat16', '<u2')] */
static tsr_status parse_record(tsr_errrec *e, const char *what, text *t, tsr_npy_info *out) {
  const char *name, *descr;
  size_t n, len;
  tsr_npy_info bits = {0};
  if (take(t, '[') && take(t, '(') && take_quoted(t, &name, &n) && take(t, ',') && take_quoted(t, &descr, &len) && take(t, ')') &&
      (take(t, ',') || true) && take(t, ']'))
    for (size_t i = 0; i < TSR_COUNT(foreign); i++) {
      const char *known = tsr_dtype_name(foreign[i]);
      if (strlen(known) != n || memcmp(known, name, n) != 0) continue;
      TSR_TRY(parse_descr(e, what, descr, len, &bits));
      if (tsr_dtype_size(bits.dtype) != tsr_dtype_size(foreign[i]) || tsr_dtype_category(bits.dtype) != TSR_CAT_INT) break;
      out->dtype = foreign[i];
      out->swap = bits.swap && tsr_dtype_size(bits.dtype) > 1;
      return TSR_OK;
    }
  return tsr_fail(e, TSR_EUNSUPPORTED, "%s: arrays of records are not read", what);
}

static tsr_status parse_dict(tsr_errrec *e, const char *what, text t, tsr_npy_info *out) {
  bool descr = false, order = false, shape = false;
  if (!take(&t, '{')) return bad(e, what, "its header is not a dict");
  while (!take(&t, '}')) {
    const char *key, *s;
    size_t n, len;
    if (!take_quoted(&t, &key, &n) || !take(&t, ':')) return bad(e, what, "its header cannot be read");
    if (n == 5 && memcmp(key, "descr", 5) == 0 && !descr) {
      space(&t);
      if (t.p < t.end && *t.p == '[') {
        TSR_TRY(parse_record(e, what, &t, out));
      } else {
        if (!take_quoted(&t, &s, &len)) return bad(e, what, "its header cannot be read");
        TSR_TRY(parse_descr(e, what, s, len, out));
      }
      descr = true;
    } else if (n == 13 && memcmp(key, "fortran_order", 13) == 0 && !order) {
      out->fortran = take_word(&t, "True");
      if (!out->fortran && !take_word(&t, "False")) return bad(e, what, "its header cannot be read");
      order = true;
    } else if (n == 5 && memcmp(key, "shape", 5) == 0 && !shape) {
      if (!take_shape(&t, out)) return bad(e, what, "its shape cannot be read");
      shape = true;
    } else {
      return bad(e, what, "its header has another key");
    }
    if (!take(&t, ',')) {
      if (take(&t, '}')) break;
      return bad(e, what, "its header cannot be read");
    }
  }
  space(&t);
  if (t.p != t.end || !descr || !order || !shape) return bad(e, what, "its header is not complete");
  return TSR_OK;
}

/* have: bytes there are, of len. */
static tsr_status parse_head(tsr_errrec *e, const void *bytes, size_t have, size_t len, const char *what, tsr_npy_info *out) {
  const uint8_t *p = bytes;
  memset(out, 0, sizeof *out);
  if (have < 10 || memcmp(p, "\x93NUMPY", 6) != 0) return bad(e, what, "it does not begin as one");
  if (p[6] < 1 || p[6] > 3) return tsr_fail(e, TSR_EUNSUPPORTED, "%s: npy version %d", what, p[6]);
  size_t at = p[6] == 1 ? 10 : 12, size = (size_t)p[8] | (size_t)p[9] << 8;
  if (p[6] > 1) {
    if (have < 12) return bad(e, what, "it is cut short");
    size |= (size_t)p[10] << 16 | (size_t)p[11] << 24;
  }
  if (size > MAX_HEADER)
    return tsr_fail(e, TSR_ELIMIT, "%s: npy header of %zu bytes (limit %d)", what, size, MAX_HEADER);
  if (size > have - at) return bad(e, what, "it is cut short");
  TSR_TRY(parse_dict(e, what, (text){(const char *)p + at, (const char *)p + at + size}, out));
  out->data_off = at + size;
  int64_t numel, need;
  if (!tsr_numel(out->ndim, out->size, &numel) || tsr_mul_overflow(numel, (int64_t)tsr_dtype_size(out->dtype), &need))
    return bad(e, what, "its shape is too large");
  if ((uint64_t)need > len - out->data_off)
    return tsr_fail(e, TSR_EFORMAT, "%s: bad npy file: its array needs %lld bytes, the file has %zu", what,
                    (long long)need, len - out->data_off);
  return TSR_OK;
}

tsr_status tsr_npy_parse_header(tsr_errrec *e, const void *bytes, size_t len, const char *what, tsr_npy_info *out) {
  return parse_head(e, bytes, len, len, what, out);
}

/* ---- reading ---- */

static void strides_of(const tsr_npy_info *h, int64_t *stride) {
  tsr_strides_contiguous(h->ndim, h->size, stride);
  int64_t s = 1;
  for (int d = 0; d < h->ndim && h->fortran; d++) {
    stride[d] = s;
    if (tsr_mul_overflow(s, TSR_MAX(h->size[d], (int64_t)1), &s)) s = 1;
  }
}

static tsr_status load_array(const tsr_file_env *env, tsr_archive *keep, const void *bytes, size_t len,
                             const char *what, tsr_val *out) {
  tsr_npy_info h;
  int64_t stride[TSR_MAX_NDIM];
  TSR_TRY(tsr_npy_parse_header(env->e, bytes, len, what, &h));
  strides_of(&h, stride);
  return tsr_tensor_from_bytes(env, keep, (const uint8_t *)bytes + h.data_off, h.dtype, h.swap, h.ndim, h.size, stride,
                               out);
}

tsr_status tsr_npy_load(const tsr_file_env *env, tsr_archive *a, tsr_val *out) {
  size_t len;
  const void *bytes = tsr_archive_bytes(a, &len);
  return load_array(env, a, bytes, len, "array", out);
}

/* A compressed array: its header now, its bytes when they are needed. */
static tsr_status load_packed(const tsr_file_env *env, tsr_archive *a, size_t i, size_t size, const char *what, tsr_val *out) {
  tsr_npy_info h;
  char head[MAX_HEADER + 12];
  size_t got;
  int64_t stride[TSR_MAX_NDIM];
  TSR_TRY(tsr_archive_read_head(a, i, env->e, head, sizeof head, &got));
  TSR_TRY(parse_head(env->e, head, got, size, what, &h));
  strides_of(&h, stride);
  uint8_t raw = (h.swap ? TSR_RAW_SWAP : 0) | (h.dtype == TSR_BOOL ? TSR_RAW_BOOL : 0);
  return tsr_tensor_raw(env, tsr_storage_deflated(env->mem, a, i, h.data_off, raw), h.dtype, h.ndim, h.size, stride, out);
}

static tsr_status load_member(const tsr_file_env *env, tsr_archive *a, size_t i, tsr_dict *into) {
  tsr_entry_info info;
  tsr_archive_entry(a, i, &info);
  if (info.name_len < 4 || memcmp(info.name + info.name_len - 4, ".npy", 4) != 0) return TSR_OK;
  tsr_shown what = tsr_show(info.name, info.name_len);
  tsr_val t = tsr_none();
  tsr_status st;
  if (info.stored) {
    const void *data = NULL;
    size_t len = 0;
    st = env->raw ? tsr_archive_peek(a, i, env->e, &data, &len) : tsr_archive_read(a, i, env->e, &data, &len);
    if (st == TSR_OK) st = load_array(env, a, data, len, what.text, &t);
  } else if (env->raw) {
    st = load_packed(env, a, i, info.size, what.text, &t);
  } else { /* inflate outside the archive's cache: arrays may be large, and are needed once */
    void *data = tsr_alloc(env->mem, info.size);
    if (data == NULL) return tsr_env_nomem(env);
    st = tsr_archive_read_into(a, i, env->e, data, info.size);
    if (st == TSR_OK) st = load_array(env, NULL, data, info.size, what.text, &t);
    tsr_free(env->mem, data, info.size);
  }
  TSR_TRY(st);
  tsr_str *name = tsr_str_new(env->mem, info.name, info.name_len - 4);
  bool ok = name != NULL && tsr_dict_set(into, tsr_from_obj(name), tsr_retain(t));
  if (name != NULL) tsr_obj_release(name);
  tsr_release(t);
  return ok ? TSR_OK : tsr_env_nomem(env);
}

tsr_status tsr_npz_load(const tsr_file_env *env, tsr_archive *a, tsr_val *out) {
  tsr_dict *d = tsr_dict_new(env->mem, &tsr_type_str, &tsr_type_tensor);
  if (d == NULL) return tsr_env_nomem(env);
  for (size_t i = 0; i < tsr_archive_entry_count(a); i++) {
    tsr_status st = load_member(env, a, i, d);
    if (st != TSR_OK) {
      tsr_obj_release(d);
      return st;
    }
  }
  *out = tsr_from_obj(d);
  return TSR_OK;
}

/* ---- writing ---- */

/* Header of a C-order array, padded so that the data begins at a multiple of 64. */
static tsr_status put_header(const tsr_file_env *env, const tsr_tensor *t, tsr_buf *b) {
  size_t k = 0, own = 0;
  while (k < TSR_COUNT(types) && types[k].dtype != t->dtype) k++;
  while (own < TSR_COUNT(foreign) && foreign[own] != t->dtype) own++;
  if ((k == TSR_COUNT(types) && own == TSR_COUNT(foreign)) || t->layout != 0)
    return tsr_fail(env->e, TSR_EUNSUPPORTED, "NumPy has no type for %s tensors: write .pt or .safetensors instead",
                    t->layout != 0 ? "sparse" : tsr_dtype_name((tsr_dtype)t->dtype));
  tsr_buf d = {0};
  int size = (int)tsr_tensor_itemsize(t);
  if (own < TSR_COUNT(foreign))
    tsr_buf_printf(&d, "{'descr': [('%s', '%cu%d')]", tsr_dtype_name(foreign[own]), size == 1 ? '|' : '<', size);
  else
    tsr_buf_printf(&d, "{'descr': '%c%c%d'", size == 1 ? '|' : '<', types[k].kind, size);
  tsr_buf_puts(&d, ", 'fortran_order': False, 'shape': (");
  for (int i = 0; i < t->ndim; i++) tsr_buf_printf(&d, i == 0 ? "%lld" : ", %lld", (long long)t->size[i]);
  tsr_buf_puts(&d, t->ndim == 1 ? ",), }" : "), }");
  for (size_t pad = (64 - (10 + d.len + 1) % 64) % 64; pad > 0; pad--) tsr_buf_putc(&d, ' ');
  tsr_buf_putc(&d, '\n');
  tsr_buf_put(b, "\x93NUMPY\1\0", 8);
  tsr_buf_putc(b, (char)(d.len & 0xff));
  tsr_buf_putc(b, (char)(d.len >> 8));
  tsr_buf_put(b, d.data, d.len);
  b->oom = b->oom || d.oom;
  tsr_buf_dispose(&d);
  return b->oom ? tsr_fail_nomem(env->e) : TSR_OK;
}

tsr_status tsr_npy_save(const tsr_file_env *env, tsr_outfile *o, tsr_val v) {
  tsr_tensor *t = NULL;
  tsr_buf head = {0};
  TSR_TRY(tsr_as_tensor(env, v, &t));
  tsr_status st = put_header(env, t, &head);
  if (st == TSR_OK) st = tsr_outfile_write(o, env->e, head.data, head.len);
  if (st == TSR_OK) st = tsr_pour_into(env, o, t);
  tsr_buf_dispose(&head);
  tsr_obj_release(t);
  return st;
}

/* An array while the zip is written: opened when its turn comes. */
typedef struct npz_part {
  const tsr_file_env *env;
  tsr_tensor *t;
} npz_part;

static tsr_status open_part(void *user, tsr_pour **out) {
  const npz_part *p = user;
  return tsr_pour_tensor(p->env, p->t, out);
}

static tsr_status add_array(const tsr_file_env *env, tsr_zip_writer *zip, const tsr_named *x, npz_part *part) {
  tsr_buf head = {0};
  char *entry = NULL;
  *part = (npz_part){.env = env, .t = x->t};
  tsr_status st = put_header(env, x->t, &head);
  if (st == TSR_OK && asprintf(&entry, "%s.npy", x->name) < 0) st = tsr_fail_nomem(env->e);
  if (st == TSR_OK)
    st = tsr_zip_writer_add_part(zip, env->e, entry, head.data, head.len, &(tsr_zip_part){part, open_part},
                                 (uint64_t)x->t->numel * tsr_tensor_itemsize(x->t));
  free(entry);
  tsr_buf_dispose(&head);
  return st;
}

tsr_status tsr_npz_write(const tsr_file_env *env, tsr_outfile *o, const tsr_named *items, size_t count) {
  tsr_zip_writer *zip = NULL;
  npz_part *parts = calloc(count + 1, sizeof *parts);
  tsr_status st = parts != NULL ? tsr_zip_writer_new(o->fd, o->path, env->e, &zip) : tsr_fail_nomem(env->e);
  for (size_t i = 0; i < count && st == TSR_OK; i++) st = add_array(env, zip, &items[i], &parts[i]);
  if (st == TSR_OK)
    st = tsr_zip_writer_finish(zip, env->e);
  else
    tsr_zip_writer_free(zip);
  free(parts);
  return st;
}

tsr_status tsr_npz_save(const tsr_file_env *env, tsr_outfile *o, tsr_val v) {
  tsr_named *items;
  size_t count;
  tsr_status st = tsr_collect_named(env, v, "arr_0", "arr_", &items, &count);
  if (st == TSR_OK) st = tsr_npz_write(env, o, items, count);
  tsr_named_free(items, count);
  return st;
}
