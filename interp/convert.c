/* Arguments of a user: bound to a method's schema, converted as PyTorch converts Python values.
 * Containers are rebuilt with their declared element types; tensors are shared, but those that lie in
 * another model's bytes are copied, because nothing here would keep that model alive. */
#include <math.h>
#include <stdio.h>

#include "interp/api.h"

typedef struct binder {
  tsr_model *model;
  tsr_mem *mem;
  tsr_errrec *e;
  bool foreign;  /* the value being converted belongs to another model */
  bool nomem;
  int64_t seen;  /* containers looked at: they may contain each other so often that no heap would do */
} binder;

static const int64_t most_containers = (int64_t)1 << 23;

static bool too_deep(binder *b, tsr_val v, int depth) {
  if ((v.tag == TSR_V_LIST || v.tag == TSR_V_TUPLE || v.tag == TSR_V_DICT) && ++b->seen > most_containers) b->nomem = true;
  return b->nomem || depth > TSR_MAX_DEPTH;
}

static bool convert(binder *b, tsr_val v, const tsr_type *t, int depth, tsr_val *out);

static bool done(binder *b, void *object, tsr_val *out) {
  if (object == NULL) {
    b->nomem = true;
    return false;
  }
  *out = tsr_from_obj(object);
  return true;
}

/* ---- tensors ---- */

static bool reaches_model(const tsr_storage *s) {
  for (; s != NULL; s = s->base)
    if (s->h.immortal) return true;
  return false;
}

static bool copy_tensor(binder *b, const tsr_tensor *t, tsr_val *out) {
  tsr_storage *s = tsr_storage_new(b->mem, t->storage->nbytes);
  tsr_tensor *copy = s == NULL ? NULL : tsr_tensor_alias(b->mem, t);
  if (copy == NULL) {
    tsr_obj_release(s);
    return done(b, NULL, out);
  }
  if (t->storage->nbytes > 0) memcpy(s->data, t->storage->data, t->storage->nbytes);
  tsr_obj_release(copy->storage);
  copy->storage = s;
  return done(b, copy, out);
}

static bool convert_tensor(binder *b, const tsr_tensor *t, tsr_val *out) {
  if (b->foreign && t->storage != NULL && (t->h.immortal || reaches_model(t->storage))) return copy_tensor(b, t, out);
  tsr_obj_retain((void *)(uintptr_t)t);
  *out = tsr_from_obj((void *)(uintptr_t)t);
  return true;
}

/* A tensor of one element where a number is declared. */
static bool tensor_number(binder *b, const tsr_tensor *t, double *d, int64_t *i) {
  if (t->numel != 1 || t->layout != 0) return false;
  tsr_val x = tsr_tensor_get(b->mem, t, 0);
  bool ok = x.tag == TSR_V_INT || x.tag == TSR_V_FLOAT || x.tag == TSR_V_BOOL;
  *d = x.tag == TSR_V_FLOAT ? x.d : x.tag == TSR_V_BOOL ? x.b : (double)x.i;
  *i = x.tag == TSR_V_FLOAT ? (fabs(x.d) < 9.2e18 ? (int64_t)x.d : 0) : x.tag == TSR_V_BOOL ? x.b : x.i;
  tsr_release(x);
  return ok;
}

/* ---- numbers ---- */

static bool convert_number(binder *b, tsr_val v, tsr_type_kind kind, tsr_val *out) {
  double d = 0;
  int64_t i = 0;
  switch (v.tag) {
    case TSR_V_BOOL: d = v.b; i = v.b; break;
    case TSR_V_INT: d = (double)v.i; i = v.i; break;
    case TSR_V_FLOAT:
      if (kind == TSR_T_INT) return false;
      d = v.d;
      i = v.d != 0;
      break;
    case TSR_V_TENSOR:
      if (!tensor_number(b, v.t, &d, &i)) return false;
      break;
    default: return false;
  }
  if (kind == TSR_T_INT) *out = tsr_int(i);
  else if (kind == TSR_T_FLOAT) *out = tsr_float(d);
  else *out = tsr_bool(v.tag == TSR_V_FLOAT || v.tag == TSR_V_TENSOR ? d != 0 : i != 0);
  return true;
}

static bool convert_complex(binder *b, tsr_val v, tsr_val *out) {
  if (v.tag == TSR_V_COMPLEX) return done(b, tsr_complex_new(b->mem, v.c->z.re, v.c->z.im), out);
  tsr_val x;
  return convert_number(b, v, TSR_T_FLOAT, &x) && done(b, tsr_complex_new(b->mem, x.d, 0), out);
}

static bool convert_str(binder *b, tsr_val v, tsr_val *out) {
  return v.tag == TSR_V_STR && done(b, tsr_str_new(b->mem, v.s->bytes, v.s->len), out);
}

static bool convert_device(tsr_val v, tsr_val *out) {
  tsr_device dev;
  if (v.tag == TSR_V_DEVICE) *out = v;
  else if (v.tag == TSR_V_STR && tsr_device_parse(v.s->bytes, v.s->len, &dev)) *out = tsr_device_val(dev);
  else return false;
  return true;
}

/* ---- containers ---- */

static bool sequence(tsr_val v, const tsr_val **items, size_t *n) {
  if (v.tag == TSR_V_LIST) {
    *items = v.l->items;
    *n = v.l->len;
  } else if (v.tag == TSR_V_TUPLE) {
    *items = v.u->items;
    *n = v.u->len;
  } else {
    return false;
  }
  return true;
}

static bool convert_list(binder *b, tsr_val v, const tsr_type *elem, int depth, tsr_val *out) {
  const tsr_val *items;
  size_t n;
  if (!sequence(v, &items, &n)) return false;
  tsr_list *l = tsr_list_new(b->mem, elem, n);
  if (l == NULL) return done(b, NULL, out);
  for (size_t i = 0; i < n; i++) {
    tsr_val item;
    if (convert(b, items[i], elem, depth + 1, &item) && tsr_list_push_take(l, item)) continue;
    tsr_obj_release(l);
    return false;
  }
  *out = tsr_from_obj(l);
  return true;
}

static bool convert_tuple(binder *b, tsr_val v, const tsr_type *t, int depth, tsr_val *out) {
  const tsr_val *items;
  size_t n;
  if (!sequence(v, &items, &n)) return false;
  uint32_t count = t->count;
  const tsr_type *const *types = t->args;
  if (t->kind == TSR_T_NAMEDTUPLE && t->cls != NULL) {
    count = t->cls->attr_count;
    types = (const tsr_type *const *)t->cls->attr_types;
  }
  if (n != count) return false;
  tsr_tuple *u = tsr_tuple_new(b->mem, t->kind == TSR_T_NAMEDTUPLE ? t : NULL, n);
  if (u == NULL) return done(b, NULL, out);
  for (size_t i = 0; i < n; i++) {
    if (convert(b, items[i], types[i], depth + 1, &u->items[i])) continue;
    u->items[i] = tsr_none();
    tsr_obj_release(u);
    return false;
  }
  *out = tsr_from_obj(u);
  return true;
}

static bool convert_dict(binder *b, tsr_val v, const tsr_type *key, const tsr_type *value, int depth, tsr_val *out) {
  if (v.tag != TSR_V_DICT) return false;
  tsr_dict *d = tsr_dict_new(b->mem, key, value);
  if (d == NULL) return done(b, NULL, out);
  for (size_t i = tsr_dict_next(v.m, 0); i < v.m->used; i = tsr_dict_next(v.m, i + 1)) {
    tsr_val k = tsr_none(), x = tsr_none();
    bool ok = convert(b, v.m->entries[i].key, key, depth + 1, &k) && convert(b, v.m->entries[i].value, value, depth + 1, &x);
    if (ok) ok = tsr_dict_set(d, k, x);
    tsr_release(k);
    if (ok) continue;
    tsr_obj_release(d);
    return false;
  }
  *out = tsr_from_obj(d);
  return true;
}

/* A value declared Any: containers take the type of their first item, as PyTorch infers it. */
static const tsr_type *infer(binder *b, tsr_val v, int depth) {
  const tsr_type *t = &tsr_type_any, *members[64];
  tsr_types *types = b->model->program->types;
  if (too_deep(b, v, depth)) return t;
  switch (v.tag) {
    case TSR_V_NONE: return &tsr_type_none;
    case TSR_V_BOOL: return &tsr_type_bool;
    case TSR_V_INT: return &tsr_type_int;
    case TSR_V_FLOAT: return &tsr_type_float;
    case TSR_V_COMPLEX: return &tsr_type_complex;
    case TSR_V_STR: return &tsr_type_str;
    case TSR_V_TENSOR: return &tsr_type_tensor;
    case TSR_V_DEVICE: return &tsr_type_device;
    case TSR_V_LIST: t = tsr_type_list(types, v.l->len > 0 ? infer(b, v.l->items[0], depth + 1) : &tsr_type_tensor); break;
    case TSR_V_TUPLE:
      if (v.u->len > TSR_COUNT(members)) return t;
      for (size_t i = 0; i < v.u->len; i++) members[i] = infer(b, v.u->items[i], depth + 1);
      t = tsr_type_tuple(types, members, (uint32_t)v.u->len);
      break;
    case TSR_V_DICT: {
      size_t i = tsr_dict_next(v.m, 0);
      if (i >= v.m->used) return t;
      t = tsr_type_dict(types, infer(b, v.m->entries[i].key, depth + 1), infer(b, v.m->entries[i].value, depth + 1));
      break;
    }
    default: break;
  }
  return t != NULL ? t : &tsr_type_any;
}

static bool keep_object(binder *b, tsr_val v, tsr_val *out) {
  if (b->foreign) return false;
  if (v.o->mem != b->mem && v.tag != TSR_V_ENUM) { /* two sessions have it from now on, on two threads perhaps */
    tsr_mem_share_for_good(v.o->mem);
    tsr_mem_share_for_good(b->mem);
  }
  *out = tsr_retain(v);
  return true;
}

static bool convert_any(binder *b, tsr_val v, int depth, tsr_val *out) {
  const tsr_type *t = infer(b, v, 0);
  if (t->kind != TSR_T_ANY) return convert(b, v, t, depth + 1, out);
  return (v.tag == TSR_V_OBJECT || v.tag == TSR_V_ENUM || v.tag == TSR_V_FUNC) && keep_object(b, v, out);
}

/* Exact members first, then those that need a conversion. */
static bool convert_union(binder *b, tsr_val v, const tsr_type *t, int depth, tsr_val *out) {
  for (uint32_t i = 0; i < t->count; i++)
    if (tsr_val_is_instance(v, t->args[i]) && convert(b, v, t->args[i], depth + 1, out)) return true;
  for (uint32_t i = 0; i < t->count && !b->nomem; i++)
    if (convert(b, v, t->args[i], depth + 1, out)) return true;
  return false;
}

static bool convert(binder *b, tsr_val v, const tsr_type *t, int depth, tsr_val *out) {
  *out = tsr_none();
  if (too_deep(b, v, depth)) return false;
  switch (t->kind) {
    case TSR_T_TENSOR: return v.tag == TSR_V_TENSOR && convert_tensor(b, v.t, out);
    case TSR_T_INT: case TSR_T_FLOAT: case TSR_T_BOOL: return convert_number(b, v, t->kind, out);
    case TSR_T_NUMBER:
      if (v.tag == TSR_V_COMPLEX) return convert_complex(b, v, out);
      if (v.tag != TSR_V_INT && v.tag != TSR_V_FLOAT && v.tag != TSR_V_BOOL) return false;
      *out = v.tag == TSR_V_BOOL ? tsr_int(v.b) : v;
      return true;
    case TSR_T_COMPLEX: return convert_complex(b, v, out);
    case TSR_T_STR: return convert_str(b, v, out);
    case TSR_T_NONE: return v.tag == TSR_V_NONE;
    case TSR_T_DEVICE: return convert_device(v, out);
    case TSR_T_LIST: return convert_list(b, v, t->args[0], depth, out);
    case TSR_T_DICT: return convert_dict(b, v, t->args[0], t->args[1], depth, out);
    case TSR_T_TUPLE: case TSR_T_NAMEDTUPLE: return convert_tuple(b, v, t, depth, out);
    case TSR_T_OPTIONAL: return v.tag == TSR_V_NONE || convert(b, v, t->args[0], depth + 1, out);
    case TSR_T_FUTURE: return convert(b, v, t->args[0], depth + 1, out);
    case TSR_T_UNION: return convert_union(b, v, t, depth, out);
    case TSR_T_ANY: return convert_any(b, v, depth, out);
    default: /* objects, enums: of this very model */
      return tsr_val_is_instance(v, t) && keep_object(b, v, out);
  }
}

/* ---- binding ---- */

void tsr_declaration_print(const tsr_schema *schema, const char *method, bool with_self, tsr_buf *out) {
  tsr_schema s = *schema;
  s.name = method;
  s.overload = "";
  if (!with_self && s.param_count > 0) {
    s.params++;
    s.param_count--;
  }
  size_t start = out->len;
  tsr_schema_print(&s, out);
  if (!with_self || out->oom || s.ret_count != 1 || s.rets[0].type->kind != TSR_T_TUPLE) return;
  char *arrow = NULL; /* PyTorch's declarations put a tuple result into two pairs of parentheses */
  for (char *p = out->data + start; (p = strstr(p, ") -> ")) != NULL; p++) arrow = p;
  tsr_buf tail = {0};
  if (arrow != NULL) tsr_buf_printf(&tail, "(%s)", arrow + 5);
  if (arrow != NULL && tail.data != NULL) {
    out->len = (size_t)(arrow + 5 - out->data);
    tsr_buf_puts(out, tail.data);
  }
  tsr_buf_dispose(&tail);
}

static tsr_status fail_declared(binder *b, const tsr_schema *s, const char *method, const char *label, const char *text) {
  tsr_buf decl = {0};
  tsr_declaration_print(s, method, true, &decl);
  tsr_status st = tsr_fail(b->e, TSR_EUSAGE, "%s %s: %s", text, label, decl.data != NULL ? decl.data : "");
  tsr_buf_dispose(&decl);
  return st;
}

static tsr_status fail_type(binder *b, const tsr_schema *s, const char *method, uint32_t index, tsr_val v) {
  tsr_buf type = {0}, text = {0};
  if (b->nomem) return tsr_fail_nomem(b->e);
  tsr_type_print(s->params[index].type, &type);
  tsr_buf_printf(&text, "%s() Expected a value of type '%s' for argument '%s' but instead found type '%s'. Position: %u.", method,
                 type.data != NULL ? type.data : "?", s->params[index].name, tsr_val_python_type(v), index);
  tsr_status st = fail_declared(b, s, method, "Declaration", text.data != NULL ? text.data : "");
  tsr_buf_dispose(&type);
  tsr_buf_dispose(&text);
  return st;
}

static tsr_status failf(binder *b, const tsr_schema *s, const char *method, const char *label, const char *fmt, ...) TSR_PRINTF(5, 6);
static tsr_status failf(binder *b, const tsr_schema *s, const char *method, const char *label, const char *fmt, ...) {
  char text[512];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  return fail_declared(b, s, method, label, text);
}

static uint32_t find_param(const tsr_schema *s, const char *name) {
  for (uint32_t i = 1; i < s->param_count; i++)
    if (strcmp(s->params[i].name, name) == 0) return i;
  return 0;
}

typedef struct given { tsr_value *const *args; const char *const *names; size_t count; } given;

/* chosen[i]: index + 1 of the argument for parameter i. */
static tsr_status assign(binder *b, const tsr_schema *s, const char *method, const given *g, size_t *chosen) {
  size_t position = 1;
  for (size_t k = 0; k < g->count; k++) {
    if (g->args[k] == NULL) return tsr_fail(b->e, TSR_EUSAGE, "argument %zu is NULL", k);
    if (g->names != NULL && g->names[k] != NULL) continue;
    if (position >= s->param_count) {
      size_t total = 1;
      for (size_t i = 0; i < g->count; i++) total += g->names == NULL || g->names[i] == NULL;
      return failf(b, s, method, "Declaration", "%s() expected at most %u argument(s) but received %zu argument(s).", method, s->param_count, total);
    }
    chosen[position++] = k + 1;
  }
  for (size_t k = 0; k < g->count; k++) {
    if (g->names == NULL || g->names[k] == NULL) continue;
    uint32_t i = find_param(s, g->names[k]);
    if (i == 0) return failf(b, s, method, "Schema", "Unknown keyword argument '%.100s' for operator '%s'.", g->names[k], method);
    if (chosen[i] != 0) return failf(b, s, method, "Schema", "Argument '%.100s' specified both as positional and keyword argument.", g->names[k]);
    chosen[i] = k + 1;
  }
  return TSR_OK;
}

static tsr_status bind_all(binder *b, const tsr_schema *s, const char *method, const given *g, const size_t *chosen, tsr_val *out) {
  for (uint32_t i = 1; i < s->param_count; i++) {
    if (chosen[i] == 0) {
      if (!s->params[i].has_default)
        return failf(b, s, method, "Declaration", "%s() is missing value for argument '%s'.", method, s->params[i].name);
      out[i] = tsr_retain(s->params[i].dflt);
      continue;
    }
    const tsr_value *v = g->args[chosen[i] - 1];
    b->foreign = v->keep != NULL && v->keep != b->model;
    if (!convert(b, v->v, s->params[i].type, 0, &out[i])) {
      out[i] = tsr_none();
      return fail_type(b, s, method, i, v->v);
    }
  }
  return TSR_OK;
}

tsr_status tsr_args_bind(tsr_model *m, tsr_mem *mem, tsr_errrec *e, const tsr_schema *schema, const char *method,
                         tsr_value *const *args, const char *const *names, size_t count, tsr_val *out) {
  binder b = {.model = m, .mem = mem, .e = e};
  given g = {args, names, count};
  size_t bytes = (schema->param_count + 1) * sizeof(size_t), *chosen = tsr_zalloc(mem, bytes);
  if (chosen == NULL) return tsr_fail_nomem(e);
  for (uint32_t i = 0; i < schema->param_count; i++) out[i] = tsr_none();
  tsr_status s = assign(&b, schema, method, &g, chosen);
  if (s == TSR_OK) s = bind_all(&b, schema, method, &g, chosen, out);
  tsr_free(mem, chosen, bytes);
  if (s == TSR_OK) return TSR_OK;
  for (uint32_t i = 0; i < schema->param_count; i++) {
    tsr_release(out[i]);
    out[i] = tsr_none();
  }
  return s;
}
