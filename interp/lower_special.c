/* Special forms: names that take types, or whose call is not an ordinary operator. */
#include "interp/lower.h"

typedef enum special_kind {
  ANNOTATE, CAST, UNINIT, ISINSTANCE, FORK, AWAITABLE, GETATTR, HASATTR, CONVERT, TUPLE, LIST, DICT, OPERATOR
} special_kind;

/* type: what CONVERT gives. */
static const struct { const char *name; special_kind kind; const char *op; const tsr_type *type; } specials[] = {
    {"annotate", ANNOTATE, NULL, NULL}, {"unchecked_cast", CAST, NULL, NULL}, {"uninitialized", UNINIT, NULL, NULL},
    {"isinstance", ISINSTANCE, NULL, NULL}, {"fork", FORK, NULL, NULL}, {"awaitable", AWAITABLE, NULL, NULL},
    {"getattr", GETATTR, NULL, NULL}, {"hasattr", HASATTR, NULL, NULL},
    {"int", CONVERT, "aten::Int", &tsr_type_int}, {"float", CONVERT, "aten::Float", &tsr_type_float},
    {"bool", CONVERT, "aten::Bool", &tsr_type_bool}, {"str", CONVERT, "aten::str", &tsr_type_str},
    {"complex", CONVERT, "aten::Complex", &tsr_type_complex}, {"tuple", TUPLE, NULL, NULL}, {"list", LIST, "aten::list", NULL},
    {"dict", DICT, "aten::dict", NULL}, {"print", OPERATOR, "prim::Print", NULL}, {"len", OPERATOR, "aten::len", NULL},
    {"hex", OPERATOR, "aten::hex", NULL}, {"oct", OPERATOR, "aten::oct", NULL}, {"bin", OPERATOR, "aten::bin", NULL},
    {"round", OPERATOR, "aten::round", NULL}, {"hash", OPERATOR, "aten::hash", NULL}, {"id", OPERATOR, "prim::id", NULL},
    {"min", OPERATOR, "prim::min", NULL}, {"max", OPERATOR, "prim::max", NULL}, {"abs", OPERATOR, "prim::abs", NULL},
    {"all", OPERATOR, "aten::all", NULL}, {"any", OPERATOR, "aten::any", NULL}, {"divmod", OPERATOR, "aten::divmod", NULL},
    {"sum", OPERATOR, "aten::sum", NULL}, {"ord", OPERATOR, "aten::ord", NULL}, {"chr", OPERATOR, "aten::chr", NULL},
    {"pow", OPERATOR, "aten::pow", NULL}, {"sorted", OPERATOR, "aten::sorted", NULL}, {"rangelist", OPERATOR, "prim::rangelist", NULL}};

bool tsr_special_find(const char *name, uint32_t len, tsr_sv *out) {
  for (size_t i = 0; i < TSR_COUNT(specials); i++) {
    if (strlen(specials[i].name) != len || memcmp(specials[i].name, name, len) != 0) continue;
    if (specials[i].kind == OPERATOR) *out = (tsr_sv){.kind = TSR_SV_BUILTIN, .name = specials[i].op, .len = (uint32_t)strlen(specials[i].op)};
    else *out = (tsr_sv){.kind = TSR_SV_SPECIAL, .special = i};
    return true;
  }
  return false;
}

static const tsr_ast *arg(tsr_lower *L, const tsr_ast *call, uint32_t i, const char *form) {
  if (call->count <= i + 1 || call->kids[i + 1]->kind == TSR_AST_STARRED) tsr_lower_fail(L, call, "%s expects %u arguments", form, i + 1);
  const tsr_ast *a = call->kids[i + 1];
  return a->kind == TSR_AST_KEYWORD ? a->kids[0] : a;
}

/* ---- types as arguments */

static tsr_ir_value *annotate(tsr_lower *L, const tsr_ast *call) {
  const tsr_type *type = tsr_resolve_type(L->c, L->file, arg(L, call, 0, "annotate"));
  tsr_ir_value *v = tsr_lower_expr(L, arg(L, call, 1, "annotate"), type);
  L->at = call;
  tsr_ir_value *out = tsr_lower_convert(L, v, type);
  if (out == NULL)
    tsr_lower_fail(L, call, "expected an expression of type %s but found %s", tsr_compile_typename(L->c, type), tsr_compile_typename(L->c, v->type));
  return out;
}

static tsr_ir_value *unchecked_cast(tsr_lower *L, const tsr_ast *call) {
  const tsr_type *type = tsr_resolve_type(L->c, L->file, arg(L, call, 0, "unchecked_cast"));
  tsr_ir_value *v = tsr_lower_expr(L, arg(L, call, 1, "unchecked_cast"), type);
  L->at = call;
  return tsr_build_cast(L, v, type);
}

static tsr_ir_value *uninitialized(tsr_lower *L, const tsr_ast *call) {
  const tsr_type *type = tsr_resolve_type(L->c, L->file, arg(L, call, 0, "uninitialized"));
  L->at = call;
  tsr_ir_node *n = tsr_build_node(L, TSR_IR_UNINIT, 0, 1, 0);
  n->type = type;
  return tsr_build_out(L, n, type);
}

uint32_t tsr_special_types(tsr_lower *L, const tsr_ast *a, const tsr_type ***out) {
  bool many = a->kind == TSR_AST_TUPLE;
  uint32_t n = many ? a->count : 1;
  *out = tsr_compile_alloc(L->c, (n + 1) * sizeof **out);
  for (uint32_t i = 0; i < n; i++) (*out)[i] = tsr_resolve_type(L->c, L->file, many ? a->kids[i] : a);
  return n;
}

static bool is_any_of(tsr_lower *L, const tsr_type *t, const tsr_type *const *types, uint32_t n) {
  for (uint32_t i = 0; i < n; i++)
    if (tsr_resolve_subtype(L->c, t, types[i])) return true;
  return false;
}

/* Could a value declared t be one of the types although t itself is not? */
static bool may_be(tsr_lower *L, const tsr_type *t, const tsr_type *const *types, uint32_t n) {
  static const tsr_type *const numbers[] = {&tsr_type_int, &tsr_type_float, &tsr_type_complex};
  if (is_any_of(L, t, types, n) || t->kind == TSR_T_ANY || t->kind == TSR_T_INTERFACE) return true;
  for (uint32_t i = 0; i < n; i++) /* a narrower type than declared: List[int] of list, a class of an interface */
    if (t->kind != TSR_T_NUMBER && tsr_resolve_subtype(L->c, types[i], t)) return true;
  if (t->kind == TSR_T_NUMBER) {
    for (size_t i = 0; i < TSR_COUNT(numbers); i++)
      if (is_any_of(L, numbers[i], types, n)) return true;
    return false;
  }
  if (t->kind != TSR_T_OPTIONAL && t->kind != TSR_T_UNION) return false;
  for (uint32_t i = 0; i < t->count; i++)
    if (may_be(L, t->args[i], types, n)) return true;
  return t->kind == TSR_T_OPTIONAL && is_any_of(L, &tsr_type_none, types, n);
}

int tsr_special_isinstance(tsr_lower *L, const tsr_type *t, const tsr_type *const *types, uint32_t n) {
  if (tsr_is_unknown(t)) return -1;
  if (is_any_of(L, t, types, n)) return 1;
  return may_be(L, t, types, n) ? -1 : 0;
}

tsr_ir_value *tsr_special_test(tsr_lower *L, tsr_ir_value *v, const tsr_type *const *types, uint32_t n) {
  tsr_ir_node *node = tsr_build_node(L, TSR_IR_ISINSTANCE, 1, 1, 0);
  tsr_ir_set_input(node, 0, v);
  node->type = n == 1 ? types[0] : tsr_type_union(L->c->types, types, n);
  if (node->type == NULL) tsr_compile_nomem(L->c);
  return tsr_build_out(L, node, &tsr_type_bool);
}

static tsr_ir_value *isinstance(tsr_lower *L, const tsr_ast *call) {
  tsr_ir_value *v = tsr_lower_expr(L, arg(L, call, 0, "isinstance"), NULL);
  const tsr_type **types;
  uint32_t n = tsr_special_types(L, arg(L, call, 1, "isinstance"), &types);
  if (n == 0) tsr_lower_fail(L, call, "isinstance needs a type");
  L->at = call;
  int known = tsr_special_isinstance(L, v->type, types, n);
  return known >= 0 ? tsr_build_const(L, tsr_bool(known), &tsr_type_bool) : tsr_special_test(L, v, types, n);
}

/* ---- attributes by name */

static tsr_sv get_attribute(tsr_lower *L, const tsr_ast *call) {
  const tsr_ast *name = arg(L, call, 1, "getattr");
  if (name->kind != TSR_AST_STR) tsr_lower_fail(L, name, "getattr's second argument must be a string literal");
  tsr_ast *attr = tsr_compile_alloc(L->c, sizeof *attr);
  tsr_ast **kids = tsr_compile_alloc(L->c, sizeof *kids);
  kids[0] = (tsr_ast *)arg(L, call, 0, "getattr");
  *attr = (tsr_ast){.kind = TSR_AST_ATTR, .begin = call->begin, .end = call->end, .count = 1, .kids = kids, .text = name->text, .len = name->len};
  if (call->count == 4) { /* with a default */
    tsr_ir_value *obj = tsr_lower_expr(L, kids[0], NULL);
    uint32_t slot;
    if (obj->type->kind == TSR_T_CLASS && obj->type->cls != NULL && tsr_class_rec(L->c, obj->type->cls) != NULL &&
        !tsr_class_find_attr(obj->type->cls, name->text, name->len, &slot))
      return tsr_lower_sugared(L, arg(L, call, 2, "getattr"), NULL);
  }
  return tsr_lower_sugared(L, attr, NULL);
}

static tsr_ir_value *has_attribute(tsr_lower *L, const tsr_ast *call) {
  tsr_ir_value *obj = tsr_lower_expr(L, arg(L, call, 0, "hasattr"), NULL);
  const tsr_ast *name = arg(L, call, 1, "hasattr");
  if (name->kind != TSR_AST_STR) tsr_lower_fail(L, name, "hasattr's second argument must be a string literal");
  bool found = false;
  uint32_t slot;
  if ((obj->type->kind == TSR_T_CLASS || obj->type->kind == TSR_T_NAMEDTUPLE) && obj->type->cls != NULL && !obj->type->cls->is_custom) {
    tsr_class_rec(L->c, obj->type->cls);
    found = tsr_class_find_attr(obj->type->cls, name->text, name->len, &slot) || tsr_class_find_method(L->c, obj->type->cls, name->text, name->len) != NULL;
  }
  L->at = call;
  return tsr_build_const(L, tsr_bool(found), &tsr_type_bool);
}

/* ---- fork */

static tsr_sv closure_arg(tsr_lower *L, const tsr_ast *call, const char *what) {
  const tsr_ast *f = arg(L, call, 0, what);
  tsr_sv sv = tsr_lower_sugared(L, f, NULL);
  if (sv.kind != TSR_SV_CLOSURE) tsr_lower_fail(L, f, "%s expects a function defined before it", what);
  L->at = call;
  return sv;
}

static const tsr_type *wrapped(tsr_lower *L, tsr_type_kind kind, const tsr_type *inner) {
  const tsr_type *t = tsr_is_unknown(inner) ? inner : tsr_type_wrap(L->c->types, kind, inner);
  if (t == NULL) tsr_compile_nomem(L->c);
  return t;
}

static tsr_ir_value *fork_closure(tsr_lower *L, const tsr_ast *call) {
  tsr_sv sv = closure_arg(L, call, "fork");
  tsr_ir_node *n = tsr_build_node(L, TSR_IR_FORK, 1, 1, 0);
  tsr_ir_set_input(n, 0, sv.v);
  return tsr_build_out(L, n, wrapped(L, TSR_T_FUTURE, sv.fn->fn.schema->rets[0].type));
}

/* ---- awaits: a list of the function, to which the first wait appends what it returned */

static tsr_ir_value *await_cell(tsr_lower *L, tsr_ir_value *const *items, uint32_t n, const tsr_type *inner) {
  return tsr_build_cast(L, tsr_build_list(L, &tsr_type_any, items, n), wrapped(L, TSR_T_AWAIT, inner));
}

static tsr_ir_value *awaitable(tsr_lower *L, const tsr_ast *call) {
  tsr_sv sv = closure_arg(L, call, "awaitable");
  return await_cell(L, &sv.v, 1, sv.fn->fn.schema->rets[0].type);
}

tsr_ir_value *tsr_special_nowait(tsr_lower *L, tsr_ir_value *v) {
  return await_cell(L, (tsr_ir_value *[]){tsr_build_none(L), v}, 2, v->type);
}

static tsr_ir_value *cell_item(tsr_lower *L, tsr_ir_value *cell, int64_t i, const tsr_type *type) {
  return tsr_build_cast(L, tsr_lower_op2(L, "aten::__getitem__", cell, tsr_build_const(L, tsr_int(i), &tsr_type_int)), type);
}

tsr_ir_value *tsr_special_wait(tsr_lower *L, tsr_ir_value *await) {
  const tsr_type *type = await->type->args[0];
  tsr_ir_value *cell = tsr_build_cast(L, await, tsr_resolve_list(L->c, &tsr_type_any));
  tsr_ir_value *done = tsr_lower_op2(L, "aten::gt", tsr_lower_op1(L, "aten::len", cell), tsr_build_const(L, tsr_int(1), &tsr_type_int));
  tsr_ir_node *n = tsr_build_node(L, TSR_IR_IF, 1, 0, 2), *call;
  tsr_ir_set_input(n, 0, done);
  tsr_ir_block *outer = L->block;
  L->block = n->blocks[0];
  tsr_build_ret(L, n->blocks[0], cell_item(L, cell, 1, type));
  L->block = n->blocks[1];
  tsr_ir_value *body = cell_item(L, cell, 0, &tsr_type_function);
  call = tsr_build_node(L, TSR_IR_CALL_VALUE, 1, 1, 0);
  tsr_ir_set_input(call, 0, body);
  tsr_ir_value *v = tsr_build_out(L, call, type);
  tsr_lower_op2(L, "aten::append", cell, tsr_build_cast(L, v, &tsr_type_any));
  tsr_build_ret(L, n->blocks[1], v);
  L->block = outer;
  return tsr_build_out(L, n, type);
}

/* ---- conversions by type name */

static tsr_ir_value *call_with(tsr_lower *L, const char *op, const tsr_ast *call, uint32_t given, tsr_ir_value *const *vals) {
  tsr_ir_value **in = tsr_compile_alloc(L->c, (call->count + 1) * sizeof *in);
  uint32_t n = call->count - 1;
  for (uint32_t i = 0; i < n; i++) in[i] = i < given ? vals[i] : tsr_lower_expr(L, arg(L, call, i, op), NULL);
  L->at = call;
  return tsr_lower_op(L, op, in, n);
}

static tsr_ir_value *convert(tsr_lower *L, const tsr_ast *call, const char *op, const tsr_type *type) {
  if (call->count != 2) return call_with(L, op, call, 0, NULL);
  tsr_ir_value *v = tsr_lower_expr(L, arg(L, call, 0, op), NULL);
  if (v->type == type) return v;
  if (type == &tsr_type_bool) return tsr_lower_bool(L, v, call);
  L->at = call;
  if (v->type->kind == TSR_T_CLASS && v->type->cls != NULL && !v->type->cls->is_custom) {
    const char *magic = type == &tsr_type_str ? "__str__" : type == &tsr_type_int ? "__int__" : type == &tsr_type_float ? "__float__" : "__complex__";
    if (tsr_class_find_method(L->c, v->type->cls, magic, strlen(magic)) != NULL) return tsr_lower_method(L, v, magic, NULL, 0, call);
  }
  return call_with(L, op, call, 1, &v);
}

static tsr_ir_value *make_tuple(tsr_lower *L, const tsr_ast *call) {
  if (call->count == 1) return tsr_build_tuple(L, NULL, NULL, 0);
  tsr_ir_value *v = tsr_lower_expr(L, arg(L, call, 0, "tuple"), NULL);
  if (v->type->kind != TSR_T_TUPLE && v->type->kind != TSR_T_NAMEDTUPLE) tsr_lower_fail(L, call, "tuple() cannot be made of '%s'", tsr_compile_typename(L->c, v->type));
  return v;
}

static tsr_ir_value *make_list(tsr_lower *L, const tsr_ast *call, const tsr_type *hint) {
  if (call->count > 1) return call_with(L, "aten::list", call, 0, NULL);
  const tsr_type *elem = hint != NULL && hint->kind == TSR_T_LIST ? hint->args[0] : NULL;
  tsr_ir_value *v = tsr_build_list(L, elem == NULL ? &tsr_type_tensor : elem, NULL, 0);
  v->def->slot = elem == NULL;
  return v;
}

static tsr_ir_value *make_dict(tsr_lower *L, const tsr_ast *call, const tsr_type *hint) {
  if (call->count > 1) return call_with(L, "aten::dict", call, 0, NULL);
  bool hinted = hint != NULL && hint->kind == TSR_T_DICT;
  tsr_ir_node *n = tsr_build_node(L, TSR_IR_DICT, 0, 1, 0);
  n->type = hinted ? hint : tsr_resolve_dict(L->c, &tsr_type_str, &tsr_type_tensor);
  return tsr_build_out(L, n, n->type);
}

tsr_sv tsr_special_call(tsr_lower *L, uintptr_t special, const tsr_ast *a, const tsr_type *hint) {
  L->at = a;
  switch (specials[special].kind) {
  case ANNOTATE: return tsr_sv_value(annotate(L, a));
  case CAST: return tsr_sv_value(unchecked_cast(L, a));
  case UNINIT: return tsr_sv_value(uninitialized(L, a));
  case ISINSTANCE: return tsr_sv_value(isinstance(L, a));
  case FORK: return tsr_sv_value(fork_closure(L, a));
  case AWAITABLE: return tsr_sv_value(awaitable(L, a));
  case GETATTR: return get_attribute(L, a);
  case HASATTR: return tsr_sv_value(has_attribute(L, a));
  case TUPLE: return tsr_sv_value(make_tuple(L, a));
  case LIST: return tsr_sv_value(make_list(L, a, hint));
  case DICT: return tsr_sv_value(make_dict(L, a, hint));
  default: return tsr_sv_value(convert(L, a, specials[special].op, specials[special].type));
  }
}
