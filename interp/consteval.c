/* Constant expressions of signatures and class bodies: defaults, enum members, Final constants. */
#include <math.h>

#include "interp/compile.h"

static bool word_is(const tsr_ast *a, const char *word) { return a->len == strlen(word) && memcmp(a->text, word, a->len) == 0; }

static tsr_val need_obj(tsr_compiler *c, void *object) {
  if (object == NULL) tsr_compile_nomem(c);
  return tsr_values_own(c, tsr_from_obj(object));
}

static bool as_complex(tsr_val v, double *re, double *im) {
  *im = 0;
  if (v.tag == TSR_V_INT) *re = (double)v.i;
  else if (v.tag == TSR_V_FLOAT) *re = v.d;
  else if (v.tag == TSR_V_COMPLEX) *re = v.c->z.re, *im = v.c->z.im;
  else return false;
  return true;
}

static bool eval_word(tsr_compiler *c, const tsr_ast *a, tsr_val *out) {
  if (word_is(a, "inf")) *out = tsr_float(INFINITY);
  else if (word_is(a, "nan")) *out = tsr_float(NAN);
  else if (word_is(a, "infj")) *out = need_obj(c, tsr_complex_new(c->p->mem, 0, INFINITY));
  else if (word_is(a, "nanj")) *out = need_obj(c, tsr_complex_new(c->p->mem, 0, NAN));
  else return false;
  return true;
}

static bool eval_items(tsr_compiler *c, tsr_codefile *file, const tsr_ast *a, const tsr_type *hint, tsr_val *out) {
  if (a->kind == TSR_AST_TUPLE && !(hint != NULL && hint->kind == TSR_T_LIST)) {
    tsr_tuple *u = tsr_tuple_new(c->p->mem, NULL, a->count);
    *out = need_obj(c, u);
    for (uint32_t i = 0; i < a->count; i++) {
      const tsr_type *h = hint != NULL && hint->kind == TSR_T_TUPLE && i < hint->count ? hint->args[i] : NULL;
      tsr_val item;
      if (!tsr_consteval(c, file, a->kids[i], h, &item)) return false;
      u->items[i] = tsr_values_hold(item);
    }
    return true;
  }
  const tsr_type *elem = hint != NULL && hint->kind == TSR_T_LIST ? hint->args[0] : NULL;
  tsr_val *items = tsr_compile_alloc(c, (a->count + 1) * sizeof *items);
  for (uint32_t i = 0; i < a->count; i++)
    if (!tsr_consteval(c, file, a->kids[i], elem, &items[i])) return false;
  if (elem == NULL) elem = a->count == 0 ? &tsr_type_tensor : tsr_resolve_type_of(c, items[0]);
  tsr_list *l = tsr_list_new(c->p->mem, elem, a->count);
  *out = need_obj(c, l);
  for (uint32_t i = 0; i < a->count; i++)
    if (!tsr_list_push_take(l, tsr_values_hold(items[i]))) tsr_compile_nomem(c);
  return true;
}

static bool eval_dict(tsr_compiler *c, tsr_codefile *file, const tsr_ast *a, const tsr_type *hint, tsr_val *out) {
  const tsr_type *kt = hint != NULL && hint->kind == TSR_T_DICT ? hint->args[0] : &tsr_type_str;
  const tsr_type *vt = hint != NULL && hint->kind == TSR_T_DICT ? hint->args[1] : &tsr_type_tensor;
  tsr_dict *d = tsr_dict_new(c->p->mem, kt, vt);
  *out = need_obj(c, d);
  for (uint32_t i = 0; i + 1 < a->count; i += 2) {
    tsr_val k, v;
    if (!tsr_consteval(c, file, a->kids[i], kt, &k) || !tsr_consteval(c, file, a->kids[i + 1], vt, &v)) return false;
    if (tsr_is_boxed(k) && k.o->immortal) tsr_values_hold(k); /* else the dict counts it */
    if (!tsr_dict_set(d, k, tsr_values_hold(v))) tsr_compile_nomem(c);
  }
  return true;
}

static bool eval_device(tsr_compiler *c, tsr_codefile *file, const tsr_ast *a, tsr_val *out) {
  tsr_val name, index;
  if (a->count < 2 || a->count > 3 || !tsr_consteval(c, file, a->kids[1], NULL, &name) || name.tag != TSR_V_STR) return false;
  tsr_device d;
  if (!tsr_device_parse(name.s->bytes, name.s->len, &d)) return false;
  if (a->count == 3) {
    if (!tsr_consteval(c, file, a->kids[2], NULL, &index) || index.tag != TSR_V_INT || index.i < -1 || index.i > 127) return false;
    d.index = (int16_t)index.i;
  }
  *out = tsr_device_val(d);
  return true;
}

/* CONSTANTS.cN, enum members. */
static bool eval_attr(tsr_compiler *c, const tsr_ast *a, tsr_val *out) {
  if (a->kids[0]->kind == TSR_AST_NAME && word_is(a->kids[0], "CONSTANTS")) {
    size_t n = 0;
    for (uint32_t i = 1; i < a->len && n < c->p->constant_count; i++) {
      if (a->text[i] < '0' || a->text[i] > '9') return false;
      n = n * 10 + (size_t)(a->text[i] - '0');
    }
    if (a->len < 2 || a->text[0] != 'c' || n >= c->p->constant_count) return false;
    *out = c->p->constants[n];
    return true;
  }
  const char *name;
  size_t len;
  if (!tsr_resolve_dotted(c, a->kids[0], &name, &len)) return false;
  const tsr_type *t = tsr_class_type(c, name, len);
  if (t == NULL || t->kind != TSR_T_ENUM) return false;
  for (uint32_t i = 0; i < t->cls->member_count; i++)
    if (strlen(t->cls->member_names[i]) == a->len && memcmp(t->cls->member_names[i], a->text, a->len) == 0) {
      *out = need_obj(c, tsr_enumval_new(c->p->mem, t->cls, i));
      return true;
    }
  return false;
}

static bool eval_call(tsr_compiler *c, tsr_codefile *file, const tsr_ast *a, const tsr_type *hint, tsr_val *out) {
  const char *name;
  size_t len;
  if (!tsr_resolve_dotted(c, a->kids[0], &name, &len)) return false;
  if (strcmp(name, "torch.device") == 0) return eval_device(c, file, a, out);
  if (strcmp(name, "annotate") == 0 && a->count == 3) {
    hint = tsr_resolve_type(c, file, a->kids[1]);
    return tsr_consteval(c, file, a->kids[2], hint, out);
  }
  return false;
}

static bool eval_sum(tsr_compiler *c, tsr_codefile *file, const tsr_ast *a, tsr_val *out) {
  tsr_val l, r;
  double lr, li, rr, ri;
  bool minus = word_is(a, "-");
  if (!minus && !word_is(a, "+")) return false;
  if (!tsr_consteval(c, file, a->kids[0], NULL, &l) || !tsr_consteval(c, file, a->kids[1], NULL, &r)) return false;
  if (!as_complex(l, &lr, &li) || !as_complex(r, &rr, &ri)) return false;
  if (r.tag != TSR_V_COMPLEX && l.tag != TSR_V_COMPLEX) return false;
  *out = need_obj(c, tsr_complex_new(c->p->mem, minus ? lr - rr : lr + rr, minus ? li - ri : li + ri));
  return true;
}

static bool eval_minus(tsr_compiler *c, tsr_codefile *file, const tsr_ast *a, tsr_val *out) {
  if (!word_is(a, "-") || !tsr_consteval(c, file, a->kids[0], NULL, out)) return false;
  if (out->tag == TSR_V_INT) *out = tsr_int((int64_t)(0 - (uint64_t)out->i));
  else if (out->tag == TSR_V_FLOAT) *out = tsr_float(-out->d);
  else if (out->tag == TSR_V_COMPLEX) *out = need_obj(c, tsr_complex_new(c->p->mem, -out->c->z.re, -out->c->z.im));
  else return false;
  return true;
}

static bool eval_plain(tsr_compiler *c, tsr_codefile *file, const tsr_ast *a, const tsr_type *hint, tsr_val *out) {
  switch (a->kind) {
  case TSR_AST_NONE: *out = tsr_none(); return true;
  case TSR_AST_TRUE: *out = tsr_bool(true); return true;
  case TSR_AST_FALSE: *out = tsr_bool(false); return true;
  case TSR_AST_INT: *out = tsr_int(a->ival); return true;
  case TSR_AST_FLOAT: *out = tsr_float(a->fval); return true;
  case TSR_AST_COMPLEX: *out = need_obj(c, tsr_complex_new(c->p->mem, 0, a->fval)); return true;
  case TSR_AST_STR: *out = need_obj(c, tsr_str_new(c->p->mem, a->text, a->len)); return true;
  case TSR_AST_NAME: return eval_word(c, a, out);
  case TSR_AST_TUPLE: case TSR_AST_LIST: return eval_items(c, file, a, hint, out);
  case TSR_AST_DICT: return eval_dict(c, file, a, hint, out);
  case TSR_AST_UNARY: return eval_minus(c, file, a, out);
  case TSR_AST_BINARY: return eval_sum(c, file, a, out);
  case TSR_AST_ATTR: return eval_attr(c, a, out);
  case TSR_AST_CALL: return eval_call(c, file, a, hint, out);
  default: return false;
  }
}

bool tsr_consteval(tsr_compiler *c, tsr_codefile *file, const tsr_ast *a, const tsr_type *hint, tsr_val *out) {
  tsr_compile_depth(c, file, a);
  if (hint != NULL && hint->kind == TSR_T_OPTIONAL) hint = hint->args[0];
  *out = tsr_none();
  if (!eval_plain(c, file, a, hint, out)) return false;
  /* large integral floats are printed without a point */
  if (hint == &tsr_type_float && out->tag == TSR_V_INT) *out = tsr_float((double)out->i);
  if (hint == &tsr_type_complex && out->tag <= TSR_V_FLOAT && out->tag >= TSR_V_INT)
    *out = need_obj(c, tsr_complex_new(c->p->mem, out->tag == TSR_V_INT ? (double)out->i : out->d, 0));
  return true;
}
