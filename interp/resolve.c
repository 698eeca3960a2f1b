/* Types: from annotations in code to interned types, and the relations between them that need classes. */
#include "interp/compile.h"

static bool word_is(const tsr_ast *a, const char *word) { return a->len == strlen(word) && memcmp(a->text, word, a->len) == 0; }

static const tsr_type *need(tsr_compiler *c, const tsr_type *t) {
  if (t == NULL) tsr_compile_nomem(c);
  return t;
}

/* A container of unknown things is unknown itself, so that "unknown" never hides inside a type. */
const tsr_type *tsr_resolve_list(tsr_compiler *c, const tsr_type *elem) {
  return tsr_is_unknown(elem) ? elem : need(c, tsr_type_list(c->types, elem));
}

const tsr_type *tsr_resolve_dict(tsr_compiler *c, const tsr_type *key, const tsr_type *value) {
  if (tsr_is_unknown(key) || tsr_is_unknown(value)) return &tsr_type_unknown;
  return need(c, tsr_type_dict(c->types, key, value));
}

const tsr_type *tsr_resolve_tuple(tsr_compiler *c, const tsr_type *const *members, uint32_t n) {
  for (uint32_t i = 0; i < n; i++)
    if (tsr_is_unknown(members[i])) return members[i];
  return need(c, tsr_type_tuple(c->types, members, n));
}

const tsr_type *tsr_resolve_optional(tsr_compiler *c, const tsr_type *inner) {
  return tsr_is_unknown(inner) ? inner : need(c, tsr_type_optional(c->types, inner));
}

/* ---- annotations */

static size_t dotted_len(const tsr_ast *a) {
  size_t n = 0;
  for (; a->kind == TSR_AST_ATTR; a = a->kids[0]) n += a->len + 1;
  return a->kind == TSR_AST_NAME ? n + a->len : 0;
}

bool tsr_resolve_dotted(tsr_compiler *c, const tsr_ast *a, const char **text, size_t *len) {
  *len = dotted_len(a);
  if (*len == 0) return false;
  char *out = tsr_compile_alloc(c, *len + 1);
  size_t at = *len;
  for (; a->kind == TSR_AST_ATTR; a = a->kids[0]) {
    at -= a->len;
    memcpy(out + at, a->text, a->len);
    out[--at] = '.';
  }
  memcpy(out, a->text, a->len);
  *text = out;
  return true;
}

static const struct { const char *word; const tsr_type *type; } words[] = {
    {"Tensor", &tsr_type_tensor}, {"int", &tsr_type_int}, {"float", &tsr_type_float}, {"bool", &tsr_type_bool},
    {"complex", &tsr_type_complex}, {"str", &tsr_type_str}, {"number", &tsr_type_number}, {"Scalar", &tsr_type_number},
    {"Any", &tsr_type_any}, {"None", &tsr_type_none}, {"NoneType", &tsr_type_none}, {"Device", &tsr_type_device},
    {"Generator", &tsr_type_generator}, {"Stream", &tsr_type_stream}, {"Capsule", &tsr_type_capsule},
    {"Storage", &tsr_type_storage}, {"list", &tsr_type_anylist}, {"tuple", &tsr_type_anytuple},
    {"AnyEnumType", &tsr_type_anyenum}, {"AnyClassType", &tsr_type_anyclass}, {"AnyListType", &tsr_type_anylist},
    {"AnyTupleType", &tsr_type_anytuple}, {"List", &tsr_type_anylist}, {"Tuple", &tsr_type_anytuple},
    {"torch.Tensor", &tsr_type_tensor}, {"torch.device", &tsr_type_device}, {"torch.dtype", &tsr_type_int},
    {"torch.Generator", &tsr_type_generator}, {"torch.Stream", &tsr_type_stream}};

static const tsr_type *named_type(tsr_compiler *c, tsr_codefile *file, const tsr_ast *a) {
  const char *text;
  size_t len;
  if (!tsr_resolve_dotted(c, a, &text, &len)) tsr_compile_fail(c, file, a, TSR_EFORMAT, "expected a type");
  if (strncmp(text, "__torch__.", 10) != 0)
    for (size_t i = 0; i < TSR_COUNT(words); i++)
      if (strlen(words[i].word) == len && memcmp(words[i].word, text, len) == 0) return words[i].type;
  const tsr_type *t = tsr_class_type(c, text, len);
  if (t == NULL && a->kind == TSR_AST_NAME && file != NULL) { /* a neighbour in the same file */
    const char *full = tsr_compile_text(c, "%s.%s", file->qualifier, text);
    t = tsr_class_type(c, full, strlen(full));
  }
  if (t == NULL) tsr_compile_fail(c, file, a, TSR_EFORMAT, "Unknown type name '%.*s'", (int)TSR_MIN(len, 200), text);
  return t;
}

/* Type arguments of List[…]: written as indices, or as one parenthesised tuple. */
typedef struct type_args { uint32_t n; tsr_ast **items; } type_args;

static type_args args_of(const tsr_ast *a) {
  if (a->count == 2 && a->kids[1]->kind == TSR_AST_TUPLE) return (type_args){a->kids[1]->count, a->kids[1]->kids};
  return (type_args){a->count - 1, a->kids + 1};
}

static const tsr_type *generic_type(tsr_compiler *c, tsr_codefile *file, const tsr_ast *a) {
  enum { LIST, OPTIONAL, DICT, TUPLE, UNION, FUTURE, AWAIT, RREF, FINAL };
  static const struct { const char *word; uint32_t arity; } rows[] = {
      [LIST] = {"List", 1}, [OPTIONAL] = {"Optional", 1}, [DICT] = {"Dict", 2}, [TUPLE] = {"Tuple", UINT32_MAX},
      [UNION] = {"Union", UINT32_MAX}, [FUTURE] = {"Future", 1}, [AWAIT] = {"Await", 1}, [RREF] = {"RRef", 1}, [FINAL] = {"Final", 1}};
  const tsr_ast *head = a->kids[0];
  type_args args = args_of(a);
  size_t which = 0;
  static const struct { const char *word; size_t row; } lower[] = {{"list", LIST}, {"dict", DICT}, {"tuple", TUPLE}};
  if (head->kind != TSR_AST_NAME && head->kind != TSR_AST_ATTR) tsr_compile_fail(c, file, a, TSR_EFORMAT, "expected a type");
  while (which < TSR_COUNT(rows) && !word_is(head, rows[which].word)) which++;
  for (size_t i = 0; i < TSR_COUNT(lower) && which == TSR_COUNT(rows); i++)
    if (word_is(head, lower[i].word)) which = lower[i].row;
  if (which == TSR_COUNT(rows) && head->len > 16 && memcmp(head->text, "BroadcastingList", 16) == 0) which = LIST;
  if (which == TSR_COUNT(rows)) tsr_compile_fail(c, file, a, TSR_EFORMAT, "Unknown type constructor '%.*s'", (int)TSR_MIN(head->len, 100), head->text);
  if (rows[which].arity != UINT32_MAX && args.n != rows[which].arity)
    tsr_compile_fail(c, file, a, TSR_EFORMAT, "%s takes %u type arguments, not %u", rows[which].word, rows[which].arity, args.n);
  if (which == UNION && args.n == 0) tsr_compile_fail(c, file, a, TSR_EFORMAT, "Union without members");
  const tsr_type **t = tsr_compile_alloc(c, (args.n + 1) * sizeof *t);
  for (uint32_t i = 0; i < args.n; i++) t[i] = tsr_resolve_type(c, file, args.items[i]);
  switch (which) {
  case LIST: return tsr_resolve_list(c, t[0]);
  case OPTIONAL: return tsr_resolve_optional(c, t[0]);
  case DICT: return tsr_resolve_dict(c, t[0], t[1]);
  case TUPLE: return tsr_resolve_tuple(c, t, args.n);
  case UNION: return need(c, tsr_type_union(c->types, t, args.n));
  case FINAL: return t[0];
  default: {
    tsr_type_kind kind = which == FUTURE ? TSR_T_FUTURE : which == AWAIT ? TSR_T_AWAIT : TSR_T_RREF;
    return need(c, tsr_type_wrap(c->types, kind, t[0]));
  }
  }
}

const tsr_type *tsr_resolve_type(tsr_compiler *c, tsr_codefile *file, const tsr_ast *a) {
  tsr_compile_depth(c, file, a);
  switch (a->kind) {
  case TSR_AST_NONE: return &tsr_type_none;
  case TSR_AST_NAME: case TSR_AST_ATTR: return named_type(c, file, a);
  case TSR_AST_SUBSCRIPT: return generic_type(c, file, a);
  case TSR_AST_BINARY:
    if (word_is(a, "|")) {
      const tsr_type *both[2] = {tsr_resolve_type(c, file, a->kids[0]), tsr_resolve_type(c, file, a->kids[1])};
      return need(c, tsr_type_union(c->types, both, 2));
    }
    break;
  default: break;
  }
  tsr_compile_fail(c, file, a, TSR_EFORMAT, "expected a type");
}

/* ---- relations */

bool tsr_resolve_subtype(tsr_compiler *c, const tsr_type *a, const tsr_type *b) {
  if (a == b || tsr_is_unknown(a) || tsr_is_unknown(b)) return true;
  if (b->kind == TSR_T_INTERFACE)
    return (a->kind == TSR_T_CLASS || a->kind == TSR_T_INTERFACE) && a->cls != NULL && tsr_class_implements(c, a->cls, b->cls);
  if (b->kind == TSR_T_OPTIONAL && b->args[0]->kind == TSR_T_INTERFACE)
    return a->kind == TSR_T_NONE || tsr_resolve_subtype(c, a->kind == TSR_T_OPTIONAL ? a->args[0] : a, b->args[0]);
  if (b->kind == TSR_T_UNION) {
    if (a->kind == TSR_T_UNION || a->kind == TSR_T_OPTIONAL) {
      for (uint32_t i = 0; i < a->count; i++)
        if (!tsr_resolve_subtype(c, a->args[i], b)) return false;
      return a->kind == TSR_T_UNION || tsr_type_accepts_none(b);
    }
    for (uint32_t i = 0; i < b->count; i++)
      if (tsr_resolve_subtype(c, a, b->args[i])) return true;
    return false;
  }
  if ((b->kind == TSR_T_FUTURE || b->kind == TSR_T_AWAIT) && a->kind == b->kind) return tsr_resolve_subtype(c, a->args[0], b->args[0]);
  if (b->kind == TSR_T_TUPLE && a->kind == TSR_T_TUPLE) {
    if (a->count != b->count) return false;
    for (uint32_t i = 0; i < a->count; i++)
      if (!tsr_resolve_subtype(c, a->args[i], b->args[i])) return false;
    return true;
  }
  if (a->kind == TSR_T_NAMEDTUPLE || a->kind == TSR_T_CLASS)
    if (a->cls != NULL && !a->cls->is_custom) tsr_class_rec(c, a->cls); /* fields are compared */
  return tsr_type_is_subtype(a, b);
}

const tsr_type *tsr_resolve_unify(tsr_compiler *c, const tsr_type *a, const tsr_type *b) {
  if (a == b || tsr_is_unknown(b)) return a;
  if (tsr_is_unknown(a)) return b;
  if (tsr_resolve_subtype(c, a, b)) return b;
  if (tsr_resolve_subtype(c, b, a)) return a;
  if (a->kind == TSR_T_INTERFACE || b->kind == TSR_T_INTERFACE) return NULL;
  return tsr_type_unify(c->types, a, b);
}

/* ---- values */

static const tsr_type *type_of_tuple(tsr_compiler *c, const tsr_tuple *u) {
  if (u->type != NULL) return u->type;
  const tsr_type **members = tsr_compile_alloc(c, (u->len + 1) * sizeof *members);
  for (size_t i = 0; i < u->len; i++) members[i] = tsr_resolve_type_of(c, u->items[i]);
  return tsr_resolve_tuple(c, members, (uint32_t)u->len);
}

static const tsr_type *type_of_list(tsr_compiler *c, const tsr_list *l) {
  if (l->elem != NULL && l->elem != &tsr_type_any) return tsr_resolve_list(c, l->elem);
  const tsr_type *elem = NULL;
  for (size_t i = 0; i < l->len; i++) {
    const tsr_type *t = tsr_resolve_type_of(c, l->items[i]);
    elem = elem == NULL ? t : tsr_resolve_unify(c, elem, t);
    if (elem == NULL) return tsr_resolve_list(c, &tsr_type_any);
  }
  return tsr_resolve_list(c, elem == NULL ? &tsr_type_tensor : elem);
}

static const tsr_type *type_of_dict(tsr_compiler *c, const tsr_dict *d) {
  const tsr_type *key = d->key_type == NULL ? &tsr_type_str : d->key_type;
  return tsr_resolve_dict(c, key, d->value_type == NULL ? &tsr_type_any : d->value_type);
}

const tsr_type *tsr_resolve_type_of(tsr_compiler *c, tsr_val v) {
  tsr_compile_depth(c, NULL, NULL);
  switch (v.tag) {
  case TSR_V_NONE: return &tsr_type_none;
  case TSR_V_BOOL: return &tsr_type_bool;
  case TSR_V_INT: return &tsr_type_int;
  case TSR_V_FLOAT: return &tsr_type_float;
  case TSR_V_DEVICE: return &tsr_type_device;
  case TSR_V_COMPLEX: return &tsr_type_complex;
  case TSR_V_STR: return &tsr_type_str;
  case TSR_V_TENSOR: return &tsr_type_tensor;
  case TSR_V_LIST: return type_of_list(c, v.l);
  case TSR_V_DICT: return type_of_dict(c, v.m);
  case TSR_V_TUPLE: return type_of_tuple(c, v.u);
  case TSR_V_OBJECT: return v.obj->cls->type;
  case TSR_V_ENUM: return v.e->cls->type;
  case TSR_V_GENERATOR: return &tsr_type_generator;
  default: return &tsr_type_any;
  }
}
