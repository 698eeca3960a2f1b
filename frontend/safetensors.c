/* safetensors: a JSON header, then the bytes of the tensors, without holes, overlap or remains. */
#include <stdio.h>
#include <stdlib.h>

#include "frontend/formats.h"
#include "frontend/json.h"
#include "frontend/pour.h"
#include "frontend/text.h"

#define MAX_HEADER 100000000

/* clang-format off */
static const struct { const char *name; tsr_dtype dtype; } types[] = {
    {"F64", TSR_FLOAT64}, {"F32", TSR_FLOAT32}, {"F16", TSR_FLOAT16}, {"BF16", TSR_BFLOAT16}, {"I64", TSR_INT64}, {"I32", TSR_INT32},
    {"I16", TSR_INT16},   {"I8", TSR_INT8},     {"U64", TSR_UINT64},  {"U32", TSR_UINT32},    {"U16", TSR_UINT16}, {"U8", TSR_UINT8},
    {"BOOL", TSR_BOOL},   {"F8_E5M2", TSR_FLOAT8_E5M2}, {"F8_E4M3", TSR_FLOAT8_E4M3FN}, {"C64", TSR_COMPLEX64},
    {"F8_E5M2FNUZ", TSR_FLOAT8_E5M2FNUZ}, {"F8_E4M3FNUZ", TSR_FLOAT8_E4M3FNUZ}, {"F8_E8M0", TSR_FLOAT8_E8M0FNU},
    {"F4", TSR_FLOAT4_E2M1FN_X2}, /* its last size counts numbers, two a byte */
};
/* clang-format on */

/* ---- the header ---- */

typedef struct item {
  const char *name; /* in names */
  size_t name_len;
  tsr_dtype dtype;
  int ndim;
  int64_t *size; /* in the arena */
  uint64_t begin, end;
} item;

typedef struct reader {
  tsr_json j;
  tsr_errrec *e;
  tsr_arena *arena;
  item **items;
  size_t count, cap;
  uint64_t data_len;
  const tsr_safetensors_visitor *visitor;
} reader;

static tsr_status bad_tensor(reader *r, const item *t, const char *what) {
  return tsr_fail(r->e, TSR_EFORMAT, "bad safetensors file: tensor \"%s\": %s", tsr_show(t->name, t->name_len).text,
                  what);
}

static tsr_status expect(reader *r, tsr_json_kind kind, const char *what) {
  TSR_TRY(tsr_json_next(&r->j));
  return r->j.kind == kind ? TSR_OK : tsr_json_fail(&r->j, what);
}

static bool is_str(const reader *r, const char *s) {
  return r->j.str_len == strlen(s) && memcmp(r->j.str, s, r->j.str_len) == 0;
}

static tsr_status read_metadata(reader *r) {
  TSR_TRY(expect(r, TSR_JSON_OPEN_DICT, "__metadata__ must be an object"));
  for (;;) {
    TSR_TRY(tsr_json_next(&r->j));
    if (r->j.kind == TSR_JSON_CLOSE_DICT) return TSR_OK;
    size_t n = r->j.str_len;
    char *key = tsr_arena_strdup(r->arena, r->j.str, n);
    if (key == NULL) return tsr_fail_nomem(r->e);
    TSR_TRY(expect(r, TSR_JSON_STR, "__metadata__ must hold strings"));
    if (r->visitor->metadata != NULL) TSR_TRY(r->visitor->metadata(r->visitor->user, key, n, r->j.str, r->j.str_len));
  }
}

static tsr_status read_dtype(reader *r, item *t) {
  TSR_TRY(expect(r, TSR_JSON_STR, "dtype must be a string"));
  for (size_t i = 0; i < TSR_COUNT(types); i++)
    if (is_str(r, types[i].name)) {
      t->dtype = types[i].dtype;
      return TSR_OK;
    }
  return tsr_fail(r->e, TSR_EUNSUPPORTED, "safetensors: element type %s", tsr_show(r->j.str, r->j.str_len).text);
}

static tsr_status read_shape(reader *r, item *t) {
  int64_t size[TSR_MAX_NDIM];
  TSR_TRY(expect(r, TSR_JSON_OPEN_LIST, "shape must be a list"));
  for (;;) {
    TSR_TRY(tsr_json_next(&r->j));
    if (r->j.kind == TSR_JSON_CLOSE_LIST) break;
    if (r->j.kind != TSR_JSON_INT || r->j.i < 0) return tsr_json_fail(&r->j, "a size must be an int >= 0");
    if (t->ndim == TSR_MAX_NDIM) return tsr_json_fail(&r->j, "too many dimensions");
    size[t->ndim++] = r->j.i;
  }
  t->size = tsr_arena_alloc(r->arena, (size_t)t->ndim * sizeof *size + 1);
  if (t->size == NULL) return tsr_fail_nomem(r->e);
  memcpy(t->size, size, (size_t)t->ndim * sizeof *size);
  return TSR_OK;
}

static tsr_status read_offsets(reader *r, item *t) {
  TSR_TRY(expect(r, TSR_JSON_OPEN_LIST, "data_offsets must be a list"));
  TSR_TRY(expect(r, TSR_JSON_INT, "data_offsets must be two ints"));
  int64_t begin = r->j.i;
  TSR_TRY(expect(r, TSR_JSON_INT, "data_offsets must be two ints"));
  int64_t end = r->j.i;
  if (begin < 0 || end < begin || (uint64_t)end > r->data_len) return bad_tensor(r, t, "it lies outside the file");
  t->begin = (uint64_t)begin;
  t->end = (uint64_t)end;
  return expect(r, TSR_JSON_CLOSE_LIST, "data_offsets must be two ints");
}

static tsr_status read_tensor(reader *r, item *t) {
  bool dtype = false, shape = false, offsets = false;
  TSR_TRY(expect(r, TSR_JSON_OPEN_DICT, "a tensor must be an object"));
  for (;;) {
    TSR_TRY(tsr_json_next(&r->j));
    if (r->j.kind == TSR_JSON_CLOSE_DICT) break;
    bool *seen = is_str(r, "dtype")          ? &dtype
                 : is_str(r, "shape")        ? &shape
                 : is_str(r, "data_offsets") ? &offsets
                                             : NULL;
    if (seen == NULL || *seen) return tsr_json_fail(&r->j, seen == NULL ? "unknown key" : "a key twice");
    *seen = true;
    TSR_TRY(seen == &dtype ? read_dtype(r, t) : seen == &shape ? read_shape(r, t) : read_offsets(r, t));
  }
  if (!dtype || !shape || !offsets) return bad_tensor(r, t, "dtype, shape or data_offsets is missing");
  int64_t numel, bytes;
  if (t->dtype == TSR_FLOAT4_E2M1FN_X2) {
    if (t->ndim == 0 || t->size[t->ndim - 1] % 2 != 0) return bad_tensor(r, t, "a row of F4 is not whole bytes");
    t->size[t->ndim - 1] /= 2;
  }
  if (!tsr_numel(t->ndim, t->size, &numel) || tsr_mul_overflow(numel, (int64_t)tsr_dtype_size(t->dtype), &bytes))
    return bad_tensor(r, t, "its shape is too large");
  return (uint64_t)bytes == t->end - t->begin ? TSR_OK : bad_tensor(r, t, "its shape does not match its bytes");
}

static tsr_status add_item(reader *r, item **out) {
  if (r->count == r->cap) {
    size_t cap = r->cap == 0 ? 64 : r->cap * 2;
    item **grown = realloc(r->items, cap * sizeof *grown);
    if (grown == NULL) return tsr_fail_nomem(r->e);
    r->items = grown;
    r->cap = cap;
  }
  item *t = tsr_arena_alloc(r->arena, sizeof *t);
  if (t == NULL) return tsr_fail_nomem(r->e);
  t->name_len = r->j.str_len;
  t->name = tsr_arena_strdup(r->arena, r->j.str, r->j.str_len);
  if (t->name == NULL) return tsr_fail_nomem(r->e);
  r->items[r->count++] = t;
  *out = t;
  return TSR_OK;
}

static tsr_status read_header(reader *r) {
  bool metadata = false;
  TSR_TRY(expect(r, TSR_JSON_OPEN_DICT, "the header must be an object"));
  for (;;) {
    TSR_TRY(tsr_json_next(&r->j));
    if (r->j.kind == TSR_JSON_CLOSE_DICT) return expect(r, TSR_JSON_END, "the header must be an object");
    if (is_str(r, "__metadata__")) {
      if (metadata) return tsr_json_fail(&r->j, "a key twice");
      metadata = true;
      TSR_TRY(read_metadata(r));
      continue;
    }
    item *t = NULL;
    TSR_TRY(add_item(r, &t));
    TSR_TRY(read_tensor(r, t));
  }
}

static int by_begin(const void *a, const void *b) {
  const item *x = *(item *const *)a, *y = *(item *const *)b;
  if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
  return (x->end > y->end) - (x->end < y->end);
}

static int by_name(const void *a, const void *b) {
  const item *x = *(item *const *)a, *y = *(item *const *)b;
  int c = memcmp(x->name, y->name, TSR_MIN(x->name_len, y->name_len));
  return c != 0 ? c : (x->name_len > y->name_len) - (x->name_len < y->name_len);
}

/* The tensors tile the bytes exactly, and no name comes twice. */
static tsr_status check_layout(reader *r) {
  item **order = malloc((r->count + 1) * sizeof *order);
  if (order == NULL) return tsr_fail_nomem(r->e);
  if (r->count != 0) memcpy(order, r->items, r->count * sizeof *order);
  tsr_status st = TSR_OK;
  uint64_t at = 0;
  if (r->count > 1) qsort(order, r->count, sizeof *order, by_begin);
  for (size_t i = 0; i < r->count && st == TSR_OK; i++) {
    if (order[i]->begin != at)
      st = bad_tensor(r, order[i], order[i]->begin < at ? "it overlaps another tensor" : "there is a hole before it");
    at = order[i]->end;
  }
  if (st == TSR_OK && at != r->data_len)
    st = tsr_fail(r->e, TSR_EFORMAT, "bad safetensors file: %llu bytes after the last tensor",
                  (unsigned long long)(r->data_len - at));
  if (r->count > 1) qsort(order, r->count, sizeof *order, by_name);
  for (size_t i = 1; i < r->count && st == TSR_OK; i++)
    if (by_name(&order[i - 1], &order[i]) == 0) st = bad_tensor(r, order[i], "there are two of this name");
  free(order);
  return st;
}

static tsr_status visit_items(reader *r, const uint8_t *data) {
  for (size_t i = 0; i < r->count; i++) {
    const item *t = r->items[i];
    TSR_TRY(r->visitor->tensor(r->visitor->user, t->name, t->name_len, t->dtype, t->ndim, t->size, data + t->begin,
                               t->end - t->begin));
  }
  return TSR_OK;
}

tsr_status tsr_safetensors_visit(tsr_errrec *e, const void *bytes, size_t len, const tsr_safetensors_visitor *visitor) {
  const uint8_t *p = bytes;
  uint64_t n = 0;
  if (len < 10) return tsr_fail(e, TSR_EFORMAT, "bad safetensors file: it is cut short");
  for (int i = 7; i >= 0; i--) n = n << 8 | p[i];
  if (n > MAX_HEADER)
    return tsr_fail(e, TSR_ELIMIT, "safetensors header of %llu bytes (limit %d)", (unsigned long long)n, MAX_HEADER);
  if (n > len - 8) return tsr_fail(e, TSR_EFORMAT, "bad safetensors file: its header is cut short");
  if (n == 0 || p[8] != '{') return tsr_fail(e, TSR_EFORMAT, "bad safetensors file: its header does not begin with {");
  reader r = {.e = e, .data_len = len - 8 - n, .visitor = visitor, .arena = tsr_arena_new()};
  if (r.arena == NULL) return tsr_fail_nomem(e);
  tsr_json_init(&r.j, e, (const char *)p + 8, n, "safetensors header");
  tsr_status st = read_header(&r);
  if (st == TSR_OK) st = check_layout(&r);
  if (st == TSR_OK) st = visit_items(&r, p + 8 + n);
  tsr_json_dispose(&r.j);
  free(r.items);
  tsr_arena_free(r.arena);
  return st;
}

/* ---- values ---- */

typedef struct loader {
  const tsr_file_env *env;
  tsr_archive *a;
  tsr_dict *into;
} loader;

static tsr_status on_tensor(void *user, const char *name, size_t name_len, tsr_dtype dtype, int ndim,
                            const int64_t *size, const void *data, size_t nbytes) {
  loader *l = user;
  tsr_val t;
  TSR_UNUSED(nbytes);
  TSR_TRY(tsr_tensor_from_bytes(l->env, l->a, data, dtype, false, ndim, size, NULL, &t));
  tsr_str *key = tsr_str_new(l->env->mem, name, name_len);
  bool ok = key != NULL && tsr_dict_set(l->into, tsr_from_obj(key), tsr_retain(t));
  if (key != NULL) tsr_obj_release(key);
  tsr_release(t);
  return ok ? TSR_OK : tsr_env_nomem(l->env);
}

tsr_status tsr_safetensors_load(const tsr_file_env *env, tsr_archive *a, tsr_val *out) {
  size_t len;
  const void *bytes = tsr_archive_bytes(a, &len);
  loader l = {env, a, tsr_dict_new(env->mem, &tsr_type_str, &tsr_type_tensor)};
  if (l.into == NULL) return tsr_env_nomem(env);
  tsr_safetensors_visitor visitor = {&l, on_tensor, NULL};
  tsr_status st = tsr_safetensors_visit(env->e, bytes, len, &visitor);
  if (st == TSR_OK)
    *out = tsr_from_obj(l.into);
  else
    tsr_obj_release(l.into);
  return st;
}

/* ---- writing ---- */

static const char *type_name(const tsr_tensor *t) {
  if (t->dtype == TSR_FLOAT4_E2M1FN_X2 && t->ndim == 0) return NULL;
  for (size_t i = 0; i < TSR_COUNT(types) && t->layout == 0; i++)
    if (types[i].dtype == t->dtype) return types[i].name;
  return NULL;
}

typedef struct placed {
  size_t index, width;
  uint64_t begin;
} placed;

/* Widest elements first, so that every tensor is aligned to its elements; else in the order given. */
static int by_width(const void *a, const void *b) {
  const placed *x = a, *y = b;
  if (x->width != y->width) return x->width < y->width ? 1 : -1;
  return x->index < y->index ? -1 : x->index > y->index;
}

static int by_index(const void *a, const void *b) {
  const placed *x = a, *y = b;
  return x->index < y->index ? -1 : x->index > y->index;
}

static int by_text(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

static tsr_status check_names(const tsr_file_env *env, const tsr_named *items, size_t count) {
  const char **names = malloc((count + 1) * sizeof *names);
  if (names == NULL) return tsr_fail_nomem(env->e);
  for (size_t i = 0; i < count; i++) names[i] = items[i].name;
  if (count > 1) qsort(names, count, sizeof *names, by_text);
  tsr_status st = TSR_OK;
  for (size_t i = 0; i < count && st == TSR_OK; i++) {
    if (i > 0 && strcmp(names[i], names[i - 1]) == 0)
      st = tsr_fail(env->e, TSR_EUSAGE, "two tensors are named \"%s\"", tsr_show(names[i], strlen(names[i])).text);
    else if (strcmp(names[i], "__metadata__") == 0)
      st = tsr_fail(env->e, TSR_EUSAGE, "safetensors keeps the name __metadata__ for itself");
  }
  free(names);
  return st;
}

/* The header names the tensors in the order given. */
static tsr_status put_header(const tsr_file_env *env, const tsr_named *items, const placed *place, size_t count, tsr_buf *b) {
  tsr_buf_puts(b, "{\"__metadata__\":{\"format\":\"pt\"}");
  for (size_t i = 0; i < count; i++) {
    const tsr_tensor *t = items[i].t;
    if (type_name(t) == NULL)
      return tsr_fail(env->e, TSR_EUNSUPPORTED, "\"%s\": safetensors has no type for %s tensors: write .pt instead",
                      tsr_show(items[i].name, strlen(items[i].name)).text, t->layout != 0 ? "sparse" : tsr_dtype_name((tsr_dtype)t->dtype));
    uint64_t bytes = (uint64_t)t->numel * tsr_tensor_itemsize(t);
    tsr_buf_putc(b, ',');
    tsr_json_put_str(b, items[i].name, strlen(items[i].name));
    tsr_buf_printf(b, ":{\"dtype\":\"%s\",\"shape\":[", type_name(t));
    int pairs = t->dtype == TSR_FLOAT4_E2M1FN_X2 ? t->ndim - 1 : t->ndim; /* this size is of bytes that hold two */
    for (int d = 0; d < t->ndim; d++) tsr_buf_printf(b, d == 0 ? "%lld" : ",%lld", (long long)t->size[d] * (1 + (d == pairs)));
    tsr_buf_printf(b, "],\"data_offsets\":[%llu,%llu]}", (unsigned long long)place[i].begin, (unsigned long long)(place[i].begin + bytes));
  }
  tsr_buf_putc(b, '}');
  while (b->len % 8 != 0 && !b->oom) tsr_buf_putc(b, ' ');
  return b->oom ? tsr_fail_nomem(env->e) : TSR_OK;
}

static tsr_status write_all(const tsr_file_env *env, tsr_outfile *o, const tsr_named *items, placed *place, size_t count) {
  tsr_buf head = {0};
  uint64_t at = 0;
  if (count > 1) qsort(place, count, sizeof *place, by_width);
  for (size_t i = 0; i < count; i++) {
    place[i].begin = at;
    at += (uint64_t)items[place[i].index].t->numel * place[i].width;
  }
  if (count > 1) qsort(place, count, sizeof *place, by_index);
  tsr_status st = put_header(env, items, place, count, &head);
  uint8_t len[8];
  for (int i = 0; i < 8; i++) len[i] = (uint8_t)(head.len >> (8 * i));
  if (st == TSR_OK) st = tsr_outfile_write(o, env->e, len, 8);
  if (st == TSR_OK) st = tsr_outfile_write(o, env->e, head.data, head.len);
  if (count > 1) qsort(place, count, sizeof *place, by_width);
  for (size_t i = 0; i < count && st == TSR_OK; i++) st = tsr_pour_into(env, o, items[place[i].index].t);
  tsr_buf_dispose(&head);
  return st;
}

tsr_status tsr_safetensors_write(const tsr_file_env *env, tsr_outfile *o, const tsr_named *items, size_t count) {
  TSR_TRY(check_names(env, items, count));
  placed *place = malloc((count + 1) * sizeof *place);
  if (place == NULL) return tsr_fail_nomem(env->e);
  for (size_t i = 0; i < count; i++) place[i] = (placed){i, tsr_tensor_itemsize(items[i].t), 0};
  tsr_status st = write_all(env, o, items, place, count);
  free(place);
  return st;
}

tsr_status tsr_safetensors_save(const tsr_file_env *env, tsr_outfile *o, tsr_val v) {
  tsr_named *items;
  size_t count;
  tsr_status st = tsr_collect_named(env, v, "output", "output_", &items, &count);
  if (st == TSR_OK) st = tsr_safetensors_write(env, o, items, count);
  tsr_named_free(items, count);
  return st;
}
