/* JSON text to values and back. */
#include "frontend/files.h"
#include "frontend/json.h"
#include "frontend/formats.h"
#include "frontend/text.h"

/* A value shared many times over may unfold to any length: this is the most that is written. */
#define MAX_TEXT ((size_t)256 << 20)
#define MAX_EMPTY_ROWS (1 << 20)

/* ---- reading ---- */

static tsr_status nomem(const tsr_file_env *env) { return tsr_env_nomem(env); }

static tsr_status value_of(const tsr_file_env *env, tsr_json *j, tsr_val *out);

static tsr_status read_list(const tsr_file_env *env, tsr_json *j, tsr_list *l) {
  for (;;) {
    tsr_val item;
    TSR_TRY(tsr_json_next(j));
    if (j->kind == TSR_JSON_CLOSE_LIST) return TSR_OK;
    TSR_TRY(value_of(env, j, &item));
    if (!tsr_list_push_take(l, item)) return nomem(env);
  }
}

static tsr_status read_dict(const tsr_file_env *env, tsr_json *j, tsr_dict *d) {
  for (;;) {
    TSR_TRY(tsr_json_next(j));
    if (j->kind == TSR_JSON_CLOSE_DICT) return TSR_OK;
    tsr_str *s = tsr_str_new(env->mem, j->str, j->str_len);
    if (s == NULL) return nomem(env);
    tsr_val key = tsr_from_obj(s), item = tsr_none();
    tsr_status st = tsr_dict_get(d, key) == NULL ? tsr_json_next(j) : tsr_json_fail(j, "a key twice");
    if (st == TSR_OK) st = value_of(env, j, &item);
    if (st == TSR_OK && !tsr_dict_set(d, key, item)) st = nomem(env);
    tsr_release(key);
    TSR_TRY(st);
  }
}

static tsr_status read_nest(const tsr_file_env *env, tsr_json *j, tsr_val *out) {
  bool list = j->kind == TSR_JSON_OPEN_LIST;
  void *made = list ? (void *)tsr_list_new(env->mem, &tsr_type_any, 0)
                    : (void *)tsr_dict_new(env->mem, &tsr_type_str, &tsr_type_any);
  if (made == NULL) return nomem(env);
  *out = tsr_from_obj(made);
  tsr_status st = list ? read_list(env, j, out->l) : read_dict(env, j, out->m);
  if (st != TSR_OK) tsr_release(*out);
  return st;
}

/* The value whose first event was just read. */
static tsr_status value_of(const tsr_file_env *env, tsr_json *j, tsr_val *out) {
  *out = tsr_none();
  switch (j->kind) {
  case TSR_JSON_NULL:
    return TSR_OK;
  case TSR_JSON_BOOL:
    *out = tsr_bool(j->b);
    return TSR_OK;
  case TSR_JSON_INT:
    *out = tsr_int(j->i);
    return TSR_OK;
  case TSR_JSON_FLOAT:
    *out = tsr_float(j->d);
    return TSR_OK;
  case TSR_JSON_STR: {
    tsr_str *s = tsr_str_new(env->mem, j->str, j->str_len);
    if (s == NULL) return nomem(env);
    *out = tsr_from_obj(s);
    return TSR_OK;
  }
  default:
    return read_nest(env, j, out);
  }
}

tsr_status tsr_json_parse(const tsr_file_env *env, const char *text, size_t len, tsr_val *out) {
  tsr_json j;
  tsr_val v = tsr_none();
  *out = tsr_none();
  tsr_json_init(&j, env->e, text, len, "JSON");
  tsr_status st = tsr_json_next(&j);
  if (st == TSR_OK) st = value_of(env, &j, &v);
  if (st == TSR_OK) {
    st = tsr_json_next(&j);
    if (st == TSR_OK)
      *out = v;
    else
      tsr_release(v);
  }
  tsr_json_dispose(&j);
  return st;
}

/* ---- writing ---- */

typedef struct printer {
  const tsr_file_env *env;
  tsr_buf *b;
  int depth;
} printer;

static tsr_status put(printer *p, tsr_val v);

static tsr_status check_room(const printer *p) {
  if (p->b->oom) return tsr_fail_nomem(p->env->e);
  if (p->depth > TSR_MAX_DEPTH)
    return tsr_fail(p->env->e, TSR_ELIMIT, "values are nested deeper than %d", TSR_MAX_DEPTH);
  return p->b->len <= MAX_TEXT
             ? TSR_OK
             : tsr_fail(p->env->e, TSR_ELIMIT, "JSON of more than %zu bytes: write .npz, .safetensors or .pt instead",
                        MAX_TEXT);
}

static void put_number(tsr_val v, bool is_float32, tsr_buf *b) {
  switch (v.tag) {
  case TSR_V_BOOL:
    tsr_buf_puts(b, v.b ? "true" : "false");
    break;
  case TSR_V_INT:
    tsr_buf_printf(b, "%lld", (long long)v.i);
    break;
  case TSR_V_FLOAT:
    tsr_buf_put_double(b, v.d, is_float32);
    break;
  case TSR_V_COMPLEX:
    tsr_buf_putc(b, '[');
    tsr_buf_put_double(b, v.c->z.re, is_float32);
    tsr_buf_putc(b, ',');
    tsr_buf_put_double(b, v.c->z.im, is_float32);
    tsr_buf_putc(b, ']');
    break;
  default:
    tsr_buf_puts(b, "null");
    break;
  }
}

/* Nested lists, one level a dimension; complex numbers are [re, im]. */
static tsr_status put_tensor(printer *p, const tsr_tensor *t, int d, int64_t *linear) {
  tsr_buf *b = p->b;
  TSR_TRY(check_room(p));
  if (d == t->ndim) {
    tsr_val x = tsr_tensor_get(p->env->mem, t, (*linear)++);
    put_number(x, t->dtype != TSR_FLOAT64 && t->dtype != TSR_COMPLEX128, b);
    tsr_release(x);
    return TSR_OK;
  }
  tsr_buf_putc(b, '[');
  for (int64_t i = 0; i < t->size[d]; i++) {
    if (i > 0) tsr_buf_putc(b, ',');
    TSR_TRY(put_tensor(p, t, d + 1, linear));
  }
  tsr_buf_putc(b, ']');
  return TSR_OK;
}

/* Sizes before a size of 0 cost a file nothing, but each is a list here. */
static tsr_status check_rows(printer *p, const tsr_tensor *t) {
  int64_t rows = 1;
  for (int d = 0; d < t->ndim && t->numel == 0 && t->size[d] > 0; d++)
    if (tsr_mul_overflow(rows, t->size[d], &rows) || rows > MAX_EMPTY_ROWS) return tsr_fail(p->env->e, TSR_ELIMIT, "JSON of a tensor without elements and with more than %d rows", MAX_EMPTY_ROWS);
  return TSR_OK;
}

static tsr_status put_items(printer *p, const tsr_val *items, size_t n) {
  tsr_buf *b = p->b;
  tsr_buf_putc(b, '[');
  for (size_t i = 0; i < n; i++) {
    if (i > 0) tsr_buf_putc(b, ',');
    TSR_TRY(put(p, items[i]));
  }
  tsr_buf_putc(b, ']');
  return TSR_OK;
}

static void put_shown(tsr_val v, tsr_buf *b) {
  tsr_buf text = {0};
  tsr_val_print(v, &text);
  tsr_json_put_str(b, text.data != NULL ? text.data : "", text.len);
  b->oom = b->oom || text.oom;
  tsr_buf_dispose(&text);
}

static tsr_status put_dict(printer *p, const tsr_dict *d) {
  tsr_buf *b = p->b;
  bool first = true;
  tsr_buf_putc(b, '{');
  for (size_t i = tsr_dict_next(d, 0); i < d->used; i = tsr_dict_next(d, i + 1)) {
    tsr_val key = d->entries[i].key;
    if (!first) tsr_buf_putc(b, ',');
    first = false;
    if (key.tag == TSR_V_STR)
      tsr_json_put_str(b, key.s->bytes, key.s->len);
    else
      put_shown(key, b);
    tsr_buf_putc(b, ':');
    TSR_TRY(put(p, d->entries[i].value));
  }
  tsr_buf_putc(b, '}');
  return TSR_OK;
}

static tsr_status put_object(printer *p, const tsr_object *o) {
  tsr_buf *b = p->b;
  tsr_buf_putc(b, '{');
  for (uint32_t i = 0; i < o->count; i++) {
    const char *name = i < o->cls->attr_count ? o->cls->attr_names[i] : "?";
    if (i > 0) tsr_buf_putc(b, ',');
    tsr_json_put_str(b, name, strlen(name));
    tsr_buf_putc(b, ':');
    TSR_TRY(put(p, o->slots[i]));
  }
  tsr_buf_putc(b, '}');
  return TSR_OK;
}

static tsr_status put_nest(printer *p, tsr_val v) {
  switch (v.tag) {
  case TSR_V_LIST:
    return put_items(p, v.l->items, v.l->len);
  case TSR_V_TUPLE:
    return put_items(p, v.u->items, v.u->len);
  case TSR_V_DICT:
    return put_dict(p, v.m);
  default:
    return put_object(p, v.obj);
  }
}

static tsr_status put(printer *p, tsr_val v) {
  int64_t linear = 0;
  tsr_status st;
  TSR_TRY(check_room(p));
  switch (v.tag) {
  case TSR_V_STR:
    tsr_json_put_str(p->b, v.s->bytes, v.s->len);
    return TSR_OK;
  case TSR_V_LIST:
  case TSR_V_TUPLE:
  case TSR_V_DICT:
  case TSR_V_OBJECT:
    p->depth++;
    st = put_nest(p, v);
    p->depth--;
    return st;
  case TSR_V_TENSOR:
    if (v.t->layout != 0) return tsr_fail(p->env->e, TSR_EUNSUPPORTED, "JSON of a sparse tensor");
    TSR_TRY(check_rows(p, v.t));
    return put_tensor(p, v.t, 0, &linear);
  case TSR_V_NONE:
  case TSR_V_BOOL:
  case TSR_V_INT:
  case TSR_V_FLOAT:
  case TSR_V_COMPLEX:
    put_number(v, false, p->b);
    return TSR_OK;
  default:
    put_shown(v, p->b);
    return TSR_OK;
  }
}

tsr_status tsr_json_write(const tsr_file_env *env, tsr_val v, tsr_buf *out) {
  printer p = {.env = env, .b = out};
  TSR_TRY(put(&p, v));
  return out->oom ? tsr_fail_nomem(env->e) : TSR_OK;
}
