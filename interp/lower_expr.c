/* Expressions: names, literals, attributes, operators. */
#include "interp/lower.h"

#include <math.h>

/* ---- operators */

static const struct { const char *text, *op, *magic; } operators[] = {
    {"+", "aten::add", "__add__"}, {"-", "aten::sub", "__sub__"}, {"*", "aten::mul", "__mul__"},
    {"/", "aten::div", "__truediv__"}, {"//", "aten::floordiv", "__floordiv__"}, {"%", "aten::remainder", "__mod__"},
    {"**", "aten::pow", "__pow__"}, {"@", "aten::matmul", "__matmul__"}, {"<", "aten::lt", "__lt__"},
    {"<=", "aten::le", "__le__"}, {">", "aten::gt", "__gt__"}, {">=", "aten::ge", "__ge__"},
    {"==", "aten::eq", "__eq__"}, {"!=", "aten::ne", "__ne__"}, {"&", "aten::__and__", "__and__"},
    {"|", "aten::__or__", "__or__"}, {"^", "aten::__xor__", "__xor__"}, {"<<", "aten::__lshift__", "__lshift__"},
    {">>", "aten::__rshift__", "__rshift__"}, {"is", "aten::__is__", "__is__"}, {"is not", "aten::__isnot__", "__isnot__"}};

static int find_operator(const char *text, uint32_t len) {
  for (size_t i = 0; i < TSR_COUNT(operators); i++)
    if (strlen(operators[i].text) == len && memcmp(operators[i].text, text, len) == 0) return (int)i;
  return -1;
}

const char *tsr_lower_operator(const char *text, uint32_t len) {
  int i = find_operator(text, len);
  return i < 0 ? NULL : operators[i].op;
}

const char *tsr_lower_magic(const char *text, uint32_t len) {
  int i = find_operator(text, len);
  return i < 0 ? NULL : operators[i].magic;
}

tsr_ir_value *tsr_lower_binary(tsr_lower *L, const tsr_ast *at, const char *op, const char *magic, tsr_ir_value *l, tsr_ir_value *r) {
  L->at = at;
  const tsr_type *t = l->type;
  if (t->kind == TSR_T_CLASS && t->cls != NULL && !t->cls->is_custom && tsr_class_find_method(L->c, t->cls, magic, strlen(magic)) != NULL)
    return tsr_lower_method(L, l, magic, &r, 1, at);
  return tsr_lower_op2(L, op, l, r);
}

static TSR_NOINLINE tsr_ir_value *lower_contains(tsr_lower *L, const tsr_ast *a, bool negate) {
  tsr_ir_value *item = tsr_lower_expr(L, a->kids[0], NULL), *set = tsr_lower_expr(L, a->kids[1], NULL);
  tsr_ir_value *v = tsr_lower_binary(L, a, "aten::__contains__", "__contains__", set, item);
  return negate ? tsr_lower_op1(L, "aten::__not__", v) : v;
}

static bool is_number(const tsr_ast *a) {
  if (a->kind == TSR_AST_UNARY) a = a->kids[0];
  return a->kind == TSR_AST_INT || a->kind == TSR_AST_FLOAT || a->kind == TSR_AST_COMPLEX ||
         (a->kind == TSR_AST_NAME && (tsr_ast_is(a, "inf") || tsr_ast_is(a, "nan") || tsr_ast_is(a, "infj") || tsr_ast_is(a, "nanj")));
}

static TSR_NOINLINE tsr_ir_value *lower_binary(tsr_lower *L, const tsr_ast *a) {
  if (tsr_ast_is(a, "and") || tsr_ast_is(a, "or")) return tsr_lower_and_or(L, a);
  if (tsr_ast_is(a, "in")) return lower_contains(L, a, false);
  if (tsr_ast_is(a, "not in")) return lower_contains(L, a, true);
  tsr_val folded;
  if (is_number(a->kids[0]) && is_number(a->kids[1]) && tsr_consteval(L->c, L->file, a, NULL, &folded)) /* 1.+2.j */
    return tsr_build_const(L, folded, tsr_resolve_type_of(L->c, folded));
  int i = find_operator(a->text, a->len);
  if (i < 0) tsr_lower_fail(L, a, "unknown operator '%.*s'", (int)a->len, a->text);
  tsr_ir_value *l = tsr_lower_expr(L, a->kids[0], NULL), *r = tsr_lower_expr(L, a->kids[1], NULL);
  return tsr_lower_binary(L, a, operators[i].op, operators[i].magic, l, r);
}

static TSR_NOINLINE tsr_ir_value *lower_unary(tsr_lower *L, const tsr_ast *a, const tsr_type *hint) {
  tsr_val folded;
  if (is_number(a) && tsr_consteval(L->c, L->file, a, hint, &folded)) return tsr_build_const(L, folded, tsr_resolve_type_of(L->c, folded));
  if (tsr_ast_is(a, "not")) {
    tsr_ir_value *v = tsr_lower_condition(L, a->kids[0]);
    L->at = a;
    return tsr_lower_op1(L, "aten::__not__", v);
  }
  tsr_ir_value *v = tsr_lower_expr(L, a->kids[0], NULL);
  bool minus = tsr_ast_is(a, "-");
  const char *magic = minus ? "__neg__" : "__invert__";
  L->at = a;
  if (v->type->kind == TSR_T_CLASS && v->type->cls != NULL && !v->type->cls->is_custom) return tsr_lower_method(L, v, magic, NULL, 0, a);
  return tsr_lower_op1(L, minus ? "aten::neg" : "aten::bitwise_not", v);
}

/* ---- literals */

static TSR_NOINLINE tsr_ir_value *lower_int(tsr_lower *L, const tsr_ast *a, const tsr_type *hint) {
  /* large integral floats are printed without a point */
  if (hint == &tsr_type_float) return tsr_build_const(L, tsr_float((double)a->ival), hint);
  return tsr_build_const(L, tsr_int(a->ival), &tsr_type_int);
}

/* The least type of all, or Any. */
static const tsr_type *common_type(tsr_lower *L, tsr_ir_value *const *items, uint32_t n, uint32_t step) {
  const tsr_type *t = items[0]->type;
  for (uint32_t i = step; i < n; i += step) {
    const tsr_type *u = tsr_resolve_unify(L->c, t, items[i]->type);
    if (u == NULL) {
      const tsr_type *both[2] = {t, items[i]->type};
      u = tsr_type_union(L->c->types, both, 2);
    }
    t = u == NULL ? &tsr_type_any : u;
  }
  return t;
}

static bool is_int_const(const tsr_ir_value *v) { return v->def != NULL && v->def->kind == TSR_IR_CONST && v->def->val.tag == TSR_V_INT; }

/* [10000000000, 1.5]: the first was a float too. */
static void repair_floats(tsr_lower *L, tsr_ir_value **items, uint32_t n) {
  bool has_float = false;
  for (uint32_t i = 0; i < n; i++) {
    has_float |= items[i]->type == &tsr_type_float;
    if (items[i]->type != &tsr_type_float && !is_int_const(items[i])) return;
  }
  for (uint32_t i = 0; i < n && has_float; i++)
    if (is_int_const(items[i])) items[i] = tsr_build_const(L, tsr_float((double)items[i]->def->val.i), &tsr_type_float);
}

static TSR_NOINLINE tsr_ir_value *lower_list(tsr_lower *L, const tsr_ast *a, const tsr_type *hint) {
  const tsr_type *elem = hint != NULL && hint->kind == TSR_T_LIST ? hint->args[0] : NULL;
  tsr_ir_value **items = tsr_compile_alloc(L->c, (a->count + 1) * sizeof *items);
  for (uint32_t i = 0; i < a->count; i++) items[i] = tsr_lower_expr(L, a->kids[i], elem);
  L->at = a;
  if (a->count == 0) {
    tsr_ir_value *v = tsr_build_list(L, elem == NULL ? &tsr_type_tensor : elem, NULL, 0);
    v->def->slot = elem == NULL; /* takes whatever type is expected */
    return v;
  }
  repair_floats(L, items, a->count);
  if (elem != NULL) {
    for (uint32_t i = 0; i < a->count; i++) {
      tsr_ir_value *v = tsr_lower_convert(L, items[i], elem);
      if (v == NULL) {
        elem = NULL;
        break;
      }
      items[i] = v;
    }
  }
  if (elem == NULL) elem = common_type(L, items, a->count, 1);
  return tsr_build_list(L, elem, items, a->count);
}

static TSR_NOINLINE tsr_ir_value *lower_tuple(tsr_lower *L, const tsr_ast *a, const tsr_type *hint) {
  tsr_ir_value **items = NULL;
  uint32_t n = 0;
  bool hinted = hint != NULL && (hint->kind == TSR_T_TUPLE || hint->kind == TSR_T_NAMEDTUPLE);
  uint32_t hint_count = hinted ? tsr_tuple_count(L, hint) : 0;
  for (uint32_t i = 0; i < a->count; i++) {
    const tsr_ast *k = a->kids[i];
    bool starred = k->kind == TSR_AST_STARRED;
    const tsr_type *h = hinted && i < hint_count ? tsr_tuple_member(L, hint, i) : hint != NULL && hint->kind == TSR_T_LIST ? hint->args[0] : NULL;
    tsr_ir_value *v = tsr_lower_expr(L, starred ? k->kids[0] : k, starred ? NULL : h);
    uint32_t parts = starred ? tsr_tuple_count(L, v->type) : 1;
    for (uint32_t p = 0; p < parts; p++) {
      items = tsr_compile_grow(L->c, items, n, sizeof *items);
      items[n++] = starred ? tsr_build_tuple_get(L, v, p) : v;
    }
  }
  L->at = a;
  return tsr_build_tuple(L, NULL, items, n);
}

static TSR_NOINLINE tsr_ir_value *lower_dict(tsr_lower *L, const tsr_ast *a, const tsr_type *hint) {
  const tsr_type *kt = hint != NULL && hint->kind == TSR_T_DICT ? hint->args[0] : NULL;
  const tsr_type *vt = kt != NULL ? hint->args[1] : NULL;
  tsr_ir_value **items = tsr_compile_alloc(L->c, (a->count + 1) * sizeof *items);
  for (uint32_t i = 0; i < a->count; i++) {
    const tsr_type *want = i % 2 == 0 ? kt : vt;
    tsr_ir_value *v = tsr_lower_expr(L, a->kids[i], want), *c = want == NULL ? v : tsr_lower_convert(L, v, want);
    if (c == NULL) tsr_lower_fail(L, a->kids[i], "expected a value of type '%s' in a dict, found '%s'", tsr_compile_typename(L->c, want), tsr_compile_typename(L->c, v->type));
    items[i] = c;
  }
  L->at = a;
  if (kt == NULL && a->count > 0) {
    kt = common_type(L, items, a->count, 2);
    vt = common_type(L, items + 1, a->count - 1, 2);
  }
  tsr_ir_node *n = tsr_build_node(L, TSR_IR_DICT, a->count, 1, 0);
  for (uint32_t i = 0; i < a->count; i++) tsr_ir_set_input(n, i, items[i]);
  n->type = tsr_resolve_dict(L->c, kt == NULL ? &tsr_type_str : kt, vt == NULL ? &tsr_type_tensor : vt);
  return tsr_build_out(L, n, n->type);
}

/* ---- names */

static tsr_sv number_word(tsr_lower *L, const tsr_ast *a) {
  tsr_val v;
  if (!is_number(a) || !tsr_consteval(L->c, L->file, a, NULL, &v)) return (tsr_sv){.kind = TSR_SV_UNBOUND};
  return tsr_sv_value(tsr_build_const(L, v, tsr_resolve_type_of(L->c, v)));
}

/* A function or class of the same file, for code that names its neighbours. */
static tsr_sv qualified(tsr_lower *L, const char *name, size_t len) {
  tsr_type *t = tsr_class_type(L->c, name, len);
  if (t != NULL) return (tsr_sv){.kind = TSR_SV_CLASS, .type = t, .name = t->name};
  tsr_entity *en = tsr_names_find(L->c, name, len);
  if (en != NULL) return (tsr_sv){.kind = TSR_SV_FUNCTION, .fn = tsr_names_function(L->c, en)};
  return (tsr_sv){.kind = TSR_SV_QUALIFIED, .name = name, .len = (uint32_t)len};
}

tsr_sv tsr_lower_name(tsr_lower *L, const tsr_ast *a) {
  tsr_sv sv = tsr_env_get(L, a->text, a->len);
  if (sv.kind != TSR_SV_UNBOUND) return sv;
  if (tsr_ast_is(a, "torch")) return (tsr_sv){.kind = TSR_SV_SPACE, .name = "aten", .len = 4};
  if (tsr_ast_is(a, "ops")) return (tsr_sv){.kind = TSR_SV_OPS};
  if (tsr_ast_is(a, "CONSTANTS")) return (tsr_sv){.kind = TSR_SV_CONSTANTS};
  if (tsr_ast_is(a, "__torch__")) return (tsr_sv){.kind = TSR_SV_QUALIFIED, .name = "__torch__", .len = 9};
  sv = number_word(L, a);
  if (sv.kind != TSR_SV_UNBOUND || tsr_special_find(a->text, a->len, &sv)) return sv;
  const char *full = tsr_compile_text(L->c, "%s.%.*s", L->file->qualifier, (int)a->len, a->text);
  sv = qualified(L, full, strlen(full));
  return sv.kind == TSR_SV_QUALIFIED ? (tsr_sv){.kind = TSR_SV_UNBOUND} : sv;
}

/* ---- attributes */

static TSR_NOINLINE tsr_sv space_attr(tsr_lower *L, tsr_sv sv, const tsr_ast *a) {
  if (strcmp(sv.name, "aten") == 0 && (tsr_ast_is(a, "autograd") || tsr_ast_is(a, "jit"))) return sv;
  const char *op = tsr_compile_text(L->c, "%.*s::%.*s", (int)sv.len, sv.name, (int)a->len, a->text);
  tsr_dtype d;
  if (strcmp(sv.name, "aten") == 0 && tsr_opset_find(L->c, op, strlen(op), L->file->builtin) == NULL &&
      tsr_dtype_by_name(op + 6, &d)) /* torch.float32 as a value */
    return tsr_sv_value(tsr_build_const(L, tsr_int(d), &tsr_type_int));
  return (tsr_sv){.kind = TSR_SV_BUILTIN, .name = op, .len = (uint32_t)strlen(op)};
}

static TSR_NOINLINE tsr_sv class_attr(tsr_lower *L, tsr_sv sv, const tsr_ast *a) {
  tsr_classrec *r = tsr_class_rec(L->c, sv.type->cls);
  if (sv.type->kind == TSR_T_ENUM) {
    tsr_val v;
    if (tsr_consteval(L->c, L->file, a, NULL, &v)) return tsr_sv_value(tsr_build_const(L, v, sv.type));
    tsr_lower_fail(L, a, "'%s' has no member '%.*s'", sv.type->name, (int)a->len, a->text);
  }
  if (tsr_ast_is(a, "__new__")) return (tsr_sv){.kind = TSR_SV_NEW, .type = sv.type};
  tsr_fnrec *f = tsr_class_find_method(L->c, sv.type->cls, a->text, a->len);
  if (f != NULL) return (tsr_sv){.kind = TSR_SV_FUNCTION, .fn = f};
  const char *full = tsr_compile_text(L->c, "%s.%.*s", sv.type->name, (int)a->len, a->text); /* a hook kept as a function */
  sv = qualified(L, full, strlen(full));
  if (sv.kind == TSR_SV_QUALIFIED) tsr_lower_fail(L, a, "class '%s' has no attribute '%.*s'", r->cls->name, (int)a->len, a->text);
  return sv;
}

/* Attributes of values that are operators. */
static const char *property_of(const tsr_type *t, const tsr_ast *a) {
  static const struct { const char *name, *op; } tensor[] = {
      {"dtype", "prim::dtype"}, {"device", "prim::device"}, {"grad", "prim::grad"}, {"data", "prim::data"},
      {"shape", "prim::shape"}, {"is_cuda", "prim::is_cuda"}, {"is_cpu", "prim::is_cpu"}, {"is_xpu", "prim::is_xpu"},
      {"is_ipu", "prim::is_ipu"}, {"is_hpu", "prim::is_hpu"}, {"is_xla", "prim::is_xla"}, {"is_mtia", "prim::is_mtia"},
      {"is_sparse", "prim::is_sparse"}, {"is_sparse_csr", "prim::is_sparse_csr"}, {"is_mkldnn", "prim::is_mkldnn"},
      {"is_mps", "prim::is_mps"}, {"is_maia", "prim::is_maia"}, {"is_quantized", "prim::is_quantized"}, {"is_vulkan", "prim::is_vulkan"},
      {"is_meta", "prim::is_meta"}, {"is_leaf", "aten::is_leaf"}, {"is_nested", "prim::is_nested"},
      {"requires_grad", "prim::requires_grad"}, {"layout", "prim::layout"}, {"T", "prim::T"}, {"H", "prim::H"},
      {"mT", "aten::mT"}, {"mH", "aten::mH"}, {"ndim", "prim::ndim"}, {"name", "prim::name"}, {"itemsize", "prim::itemsize"},
      {"nbytes", "prim::nbytes"}, {"real", "aten::real"}, {"imag", "aten::imag"}, {"retains_grad", "aten::retains_grad"}};
  if (t->kind == TSR_T_TENSOR) {
    for (size_t i = 0; i < TSR_COUNT(tensor); i++)
      if (tsr_ast_is(a, tensor[i].name)) return tensor[i].op;
  } else if (t->kind == TSR_T_DEVICE) {
    if (tsr_ast_is(a, "type")) return "prim::type";
    if (tsr_ast_is(a, "index")) return "prim::index";
  } else if (t->kind == TSR_T_ENUM) {
    if (tsr_ast_is(a, "value")) return "prim::EnumValue";
    if (tsr_ast_is(a, "name")) return "prim::EnumName";
  } else if (t->kind == TSR_T_COMPLEX) {
    if (tsr_ast_is(a, "real")) return "aten::real";
    if (tsr_ast_is(a, "imag")) return "aten::imag";
  }
  return NULL;
}

/* A Final constant of the class, or a property's getter. */
static tsr_sv object_extra(tsr_lower *L, tsr_ir_value *obj, const tsr_ast *a) {
  tsr_classrec *r = tsr_class_rec(L->c, obj->type->cls);
  const tsr_ast *item = tsr_strmap_get(&r->constants, a->text, a->len);
  if (item != NULL) {
    const tsr_ast *type = item->kind == TSR_AST_FIELD ? item->kids[0] : item->kids[2];
    const tsr_type *want = type->kind == TSR_AST_SUBSCRIPT ? tsr_resolve_type(L->c, r->file, type) : NULL;
    tsr_val v;
    if (tsr_consteval(L->c, r->file, item->kids[1], want, &v))
      return tsr_sv_value(tsr_build_const(L, v, want != NULL ? want : tsr_resolve_type_of(L->c, v)));
  }
  const char *getter = tsr_compile_text(L->c, "__%.*s_getter", (int)a->len, a->text);
  if (tsr_class_find_method(L->c, obj->type->cls, getter, strlen(getter)) != NULL) return tsr_sv_value(tsr_lower_method(L, obj, getter, NULL, 0, a));
  return (tsr_sv){.kind = TSR_SV_UNBOUND};
}

static TSR_NOINLINE tsr_sv object_attr(tsr_lower *L, tsr_ir_value *obj, const tsr_ast *a) {
  tsr_class *cls = obj->type->cls;
  if (cls == NULL || cls->is_custom || obj->type->kind == TSR_T_INTERFACE)
    return (tsr_sv){.kind = TSR_SV_METHOD, .v = obj, .name = a->text, .len = a->len};
  tsr_ir_value *v = tsr_build_getattr(L, obj, a->text, a->len);
  if (v != NULL) return tsr_sv_value(v);
  if (tsr_class_find_method(L->c, cls, a->text, a->len) != NULL)
    return (tsr_sv){.kind = TSR_SV_METHOD, .v = obj, .name = a->text, .len = a->len};
  tsr_sv sv = object_extra(L, obj, a);
  if (sv.kind != TSR_SV_UNBOUND) return sv;
  if (cls->is_module) tsr_lower_fail(L, a, "Module '%s' has no attribute '%.*s'", cls->name, (int)a->len, a->text);
  tsr_lower_fail(L, a, "Tried to access nonexistent attribute or method '%.*s' of type '%s'", (int)a->len, a->text, cls->name);
}

static TSR_NOINLINE tsr_sv value_attr(tsr_lower *L, tsr_ir_value *v, const tsr_ast *a) {
  const tsr_type *t = v->type;
  L->at = a;
  if (tsr_is_unknown(t)) return tsr_sv_value(tsr_build_unknown(L, "attribute of an unknown value", &v, 1));
  if (t->kind == TSR_T_CLASS || t->kind == TSR_T_INTERFACE) return object_attr(L, v, a);
  if (t->kind == TSR_T_NAMEDTUPLE) {
    tsr_class_rec(L->c, t->cls);
    uint32_t slot;
    if (tsr_class_find_attr(t->cls, a->text, a->len, &slot)) return tsr_sv_value(tsr_build_tuple_get(L, v, slot));
  }
  const char *op = property_of(t, a);
  if (op != NULL) return tsr_sv_value(tsr_lower_op1(L, op, v));
  return (tsr_sv){.kind = TSR_SV_METHOD, .v = v, .name = a->text, .len = a->len};
}

/* "torch" and "ops" may also be the names of locals; then the attribute must be one of theirs. */
static tsr_sv attr_base(tsr_lower *L, const tsr_ast *base, const tsr_ast *a) {
  if (base->kind == TSR_AST_NAME && (tsr_ast_is(base, "torch") || tsr_ast_is(base, "ops"))) {
    tsr_sv local = tsr_env_get(L, base->text, base->len);
    const tsr_type *t = local.kind == TSR_SV_VALUE ? local.v->type : NULL;
    uint32_t slot;
    bool own = t != NULL && t->kind == TSR_T_CLASS && t->cls != NULL && !t->cls->is_custom && tsr_class_rec(L->c, t->cls) != NULL &&
               (tsr_class_find_attr(t->cls, a->text, a->len, &slot) || tsr_class_find_method(L->c, t->cls, a->text, a->len) != NULL);
    if (!own) return tsr_ast_is(base, "ops") ? (tsr_sv){.kind = TSR_SV_OPS} : (tsr_sv){.kind = TSR_SV_SPACE, .name = "aten", .len = 4};
  }
  return tsr_lower_sugared(L, base, NULL);
}

static TSR_NOINLINE tsr_sv lower_attr(tsr_lower *L, const tsr_ast *a) {
  tsr_sv base = attr_base(L, a->kids[0], a);
  L->at = a;
  switch (base.kind) {
  case TSR_SV_VALUE: return value_attr(L, base.v, a);
  case TSR_SV_SPACE: return space_attr(L, base, a);
  case TSR_SV_OPS: return (tsr_sv){.kind = TSR_SV_SPACE, .name = tsr_compile_text(L->c, "%.*s", (int)a->len, a->text), .len = a->len};
  case TSR_SV_CLASS: return class_attr(L, base, a);
  case TSR_SV_CONSTANTS: {
    tsr_val v;
    if (!tsr_consteval(L->c, L->file, a, NULL, &v)) tsr_lower_fail(L, a, "constant '%.*s' does not exist", (int)a->len, a->text);
    return tsr_sv_value(tsr_build_const(L, v, tsr_resolve_type_of(L->c, v)));
  }
  case TSR_SV_QUALIFIED: {
    const char *full = tsr_compile_text(L->c, "%.*s.%.*s", (int)base.len, base.name, (int)a->len, a->text);
    return qualified(L, full, strlen(full));
  }
  default: tsr_lower_fail(L, a, "attribute '%.*s' of something that has none", (int)a->len, a->text);
  }
}

/* ---- all of them */

tsr_sv tsr_lower_sugared(tsr_lower *L, const tsr_ast *a, const tsr_type *hint) {
  tsr_compile_depth(L->c, L->file, a);
  if (hint != NULL && hint->kind == TSR_T_OPTIONAL && a->kind != TSR_AST_NONE) hint = hint->args[0];
  L->at = a;
  switch (a->kind) {
  case TSR_AST_NAME: {
    tsr_sv sv = tsr_lower_name(L, a);
    if (sv.kind == TSR_SV_UNBOUND) tsr_lower_fail(L, a, "undefined value %.*s", (int)a->len, a->text);
    return sv;
  }
  case TSR_AST_ATTR: return lower_attr(L, a);
  case TSR_AST_CALL: return tsr_lower_call(L, a, hint);
  case TSR_AST_INT: return tsr_sv_value(lower_int(L, a, hint));
  case TSR_AST_FLOAT: return tsr_sv_value(tsr_build_const(L, tsr_float(a->fval), &tsr_type_float));
  case TSR_AST_COMPLEX: {
    tsr_val v;
    tsr_consteval(L->c, L->file, a, NULL, &v);
    return tsr_sv_value(tsr_build_const(L, v, &tsr_type_complex));
  }
  case TSR_AST_STR: return tsr_sv_value(tsr_build_str(L, a->text, a->len));
  case TSR_AST_TRUE: return tsr_sv_value(tsr_build_const(L, tsr_bool(true), &tsr_type_bool));
  case TSR_AST_FALSE: return tsr_sv_value(tsr_build_const(L, tsr_bool(false), &tsr_type_bool));
  case TSR_AST_NONE: return tsr_sv_value(tsr_build_none(L));
  case TSR_AST_SUBSCRIPT: return tsr_sv_value(tsr_lower_subscript(L, a, hint));
  case TSR_AST_UNARY: return tsr_sv_value(lower_unary(L, a, hint));
  case TSR_AST_BINARY: return tsr_sv_value(lower_binary(L, a));
  case TSR_AST_TERNARY: return tsr_sv_value(tsr_lower_ternary(L, a, hint));
  case TSR_AST_LISTCOMP: case TSR_AST_DICTCOMP: return tsr_sv_value(tsr_lower_comprehension(L, a, hint));
  case TSR_AST_LIST: return tsr_sv_value(lower_list(L, a, hint));
  case TSR_AST_TUPLE: return tsr_sv_value(lower_tuple(L, a, hint));
  case TSR_AST_DICT: return tsr_sv_value(lower_dict(L, a, hint));
  default: tsr_lower_fail(L, a, "'%s' cannot be used as an expression", tsr_ast_kind_name(a->kind));
  }
}

tsr_ir_value *tsr_lower_value(tsr_lower *L, tsr_sv sv, const tsr_ast *at) {
  if (sv.kind == TSR_SV_VALUE) return sv.v;
  if (sv.kind == TSR_SV_FUNCTION) tsr_lower_fail(L, at, "function '%s' cannot be used as a value", sv.fn->short_name);
  if (sv.kind == TSR_SV_METHOD) tsr_lower_fail(L, at, "'%s' object has no attribute '%.*s'", tsr_compile_typename(L->c, sv.v->type), (int)sv.len, sv.name);
  tsr_lower_fail(L, at, "expression cannot be used as a value");
}

tsr_ir_value *tsr_lower_expr(tsr_lower *L, const tsr_ast *a, const tsr_type *hint) {
  return tsr_lower_value(L, tsr_lower_sugared(L, a, hint), a);
}

/* PyTorch's conversion of a condition to bool. */
tsr_ir_value *tsr_lower_bool(tsr_lower *L, tsr_ir_value *v, const tsr_ast *at) {
  const tsr_type *t = v->type;
  if (t == &tsr_type_bool || tsr_is_unknown(t)) return v;
  L->at = at;
  if (t->kind == TSR_T_LIST || t->kind == TSR_T_DICT || t->kind == TSR_T_STR)
    return tsr_lower_op2(L, "aten::gt", tsr_lower_op1(L, "aten::len", v), tsr_build_const(L, tsr_int(0), &tsr_type_int));
  if (t->kind == TSR_T_CLASS && t->cls != NULL && !t->cls->is_custom) {
    if (tsr_class_find_method(L->c, t->cls, "__bool__", 8) != NULL) return tsr_lower_method(L, v, "__bool__", NULL, 0, at);
    if (tsr_class_find_method(L->c, t->cls, "__len__", 7) != NULL)
      return tsr_lower_op2(L, "aten::gt", tsr_lower_method(L, v, "__len__", NULL, 0, at), tsr_build_const(L, tsr_int(0), &tsr_type_int));
  }
  return tsr_lower_op1(L, "aten::Bool", v);
}

tsr_ir_value *tsr_lower_condition(tsr_lower *L, const tsr_ast *a) { return tsr_lower_bool(L, tsr_lower_expr(L, a, NULL), a); }
