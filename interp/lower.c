/* Functions and simple statements. */
#include "interp/lite.h"
#include "interp/lower.h"

/* ---- targets */

static void assign_attr(tsr_lower *L, const tsr_ast *target, tsr_ir_value *v) {
  tsr_ir_value *obj = tsr_lower_expr(L, target->kids[0], NULL);
  const tsr_type *t = obj->type;
  L->at = target;
  if (tsr_is_unknown(t)) return;
  if (t->kind != TSR_T_CLASS || t->cls == NULL || t->cls->is_custom)
    tsr_lower_fail(L, target, "Tried to set an attribute: %.*s on a non-class: %s", (int)target->len, target->text, tsr_compile_typename(L->c, t));
  tsr_class_rec(L->c, t->cls);
  uint32_t slot;
  tsr_class_define(L->c, L->rec, t->cls, target, v->type);
  if (!tsr_class_find_attr(t->cls, target->text, target->len, &slot)) {
    const char *setter = tsr_compile_text(L->c, "__%.*s_setter", (int)target->len, target->text);
    if (tsr_class_find_method(L->c, t->cls, setter, strlen(setter)) == NULL)
      tsr_lower_fail(L, target, "Tried to set nonexistent attribute: %.*s. Did you forget to initialize it in __init__()?", (int)target->len, target->text);
    tsr_lower_method(L, obj, setter, &v, 1, target);
    return;
  }
  const tsr_type *want = t->cls->attr_types[slot];
  tsr_ir_value *c = tsr_lower_convert(L, v, want);
  if (c == NULL)
    tsr_lower_fail(L, target, "Wrong type for attribute assignment. Expected %s but got %s", tsr_compile_typename(L->c, want), tsr_compile_typename(L->c, v->type));
  tsr_ir_node *n = tsr_build_node(L, TSR_IR_SETATTR, 2, 0, 0);
  tsr_ir_set_input(n, 0, obj);
  tsr_ir_set_input(n, 1, c);
  n->name = t->cls->attr_names[slot];
  n->slot = slot;
}

void tsr_lower_assign_target(tsr_lower *L, const tsr_ast *target, tsr_sv sv) {
  switch (target->kind) {
  case TSR_AST_NAME: tsr_env_set(L, target->text, target->len, sv); break;
  case TSR_AST_ATTR: assign_attr(L, target, tsr_lower_value(L, sv, target)); break;
  case TSR_AST_SUBSCRIPT: tsr_lower_store_subscript(L, target, tsr_lower_value(L, sv, target)); break;
  case TSR_AST_TUPLE: case TSR_AST_TARGETS: case TSR_AST_LIST: tsr_lower_assign_targets(L, target, tsr_lower_value(L, sv, target)); break;
  default: tsr_lower_fail(L, target, "cannot assign to this expression");
  }
}

/* a, *b, c = tuple: b takes what the others leave. */
static void assign_starred(tsr_lower *L, const tsr_ast *targets, uint32_t star, tsr_ir_value *v) {
  if (v->type->kind != TSR_T_TUPLE && v->type->kind != TSR_T_NAMEDTUPLE) tsr_lower_fail(L, targets, "only tuples can be unpacked with a starred target");
  uint32_t n = tsr_tuple_count(L, v->type), fixed = targets->count - 1;
  if (n < fixed) tsr_lower_fail(L, targets, "need at least %u values to unpack but found a tuple of size %u", fixed, n);
  tsr_ir_value **items = tsr_compile_alloc(L->c, (n + 1) * sizeof *items);
  tsr_build_unpack(L, v, n, items, targets);
  uint32_t taken = n - fixed;
  tsr_ir_value *rest = tsr_build_tuple(L, NULL, items + star, taken);
  for (uint32_t i = 0; i < targets->count; i++) {
    if (i == star) tsr_lower_assign_target(L, targets->kids[i]->kids[0], tsr_sv_value(rest));
    else tsr_lower_assign_target(L, targets->kids[i], tsr_sv_value(items[i < star ? i : i + taken - 1]));
  }
}

void tsr_lower_assign_targets(tsr_lower *L, const tsr_ast *targets, tsr_ir_value *v) {
  if (targets->kind != TSR_AST_TARGETS && targets->kind != TSR_AST_TUPLE && targets->kind != TSR_AST_LIST) {
    tsr_lower_assign_target(L, targets, tsr_sv_value(v));
    return;
  }
  if (targets->kind == TSR_AST_TARGETS && targets->count == 1 && targets->ival == 0) {
    tsr_lower_assign_target(L, targets->kids[0], tsr_sv_value(v));
    return;
  }
  for (uint32_t i = 0; i < targets->count; i++)
    if (targets->kids[i]->kind == TSR_AST_STARRED) {
      assign_starred(L, targets, i, v);
      return;
    }
  tsr_ir_value **items = tsr_compile_alloc(L->c, (targets->count + 1) * sizeof *items);
  tsr_build_unpack(L, v, targets->count, items, targets);
  for (uint32_t i = 0; i < targets->count; i++) tsr_lower_assign_target(L, targets->kids[i], tsr_sv_value(items[i]));
}

/* ---- assignment */

static bool has_star(const tsr_ast *list) {
  for (uint32_t i = 0; i < list->count; i++)
    if (list->kids[i]->kind == TSR_AST_STARRED) return true;
  return false;
}

/* All right sides are evaluated before the first name changes. */
static void assign_parallel(tsr_lower *L, const tsr_ast *targets, const tsr_ast *values) {
  tsr_sv *svs = tsr_compile_alloc(L->c, (values->count + 1) * sizeof *svs);
  for (uint32_t i = 0; i < values->count; i++) svs[i] = tsr_lower_sugared(L, values->kids[i], NULL);
  L->at = targets;
  for (uint32_t i = 0; i < values->count; i++) tsr_lower_assign_target(L, targets->kids[i], svs[i]);
}

static void assign_annotated(tsr_lower *L, const tsr_ast *a) {
  const tsr_ast *target = a->kids[0]->kids[0];
  const tsr_type *type = tsr_resolve_type(L->c, L->file, a->kids[2]);
  tsr_ir_value *v = tsr_lower_expr(L, a->kids[1], type);
  L->at = a;
  tsr_ir_value *c = tsr_lower_convert(L, v, type);
  if (c == NULL)
    tsr_lower_fail(L, a, "Variable '%.*s' is annotated with type %s but is being assigned to a value of type %s", (int)target->len, target->text,
                   tsr_compile_typename(L->c, type), tsr_compile_typename(L->c, v->type));
  tsr_lower_assign_target(L, target, tsr_sv_value(c));
}

static void lower_assign(tsr_lower *L, const tsr_ast *a) {
  const tsr_ast *targets = a->kids[0], *value = a->kids[1];
  if (!tsr_ast_absent(a->kids[2])) {
    if (targets->count != 1) tsr_lower_fail(L, a, "only one name can be annotated");
    if (!tsr_ast_absent(value)) assign_annotated(L, a);
    return;
  }
  if (targets->count == 1 && targets->ival == 0) {
    tsr_lower_assign_target(L, targets->kids[0], tsr_lower_sugared(L, value, NULL));
    return;
  }
  if (value->kind == TSR_AST_TUPLE && value->count == targets->count && !has_star(targets) && !has_star(value)) {
    assign_parallel(L, targets, value);
    return;
  }
  tsr_ir_value *v = tsr_lower_expr(L, value, NULL);
  L->at = a;
  tsr_lower_assign_targets(L, targets, v);
  /* several results of an operator were packed only to be unpacked */
  if (value->kind == TSR_AST_CALL && v->uses == 0 && v->def != NULL && v->def->kind == TSR_IR_TUPLE) tsr_ir_remove(v->def);
}

static const char *inplace_op(const tsr_type *t, const tsr_ast *a) {
  static const struct { const char *text, *op; } tensor[] = {
      {"+=", "aten::add_"}, {"-=", "aten::sub_"}, {"*=", "aten::mul_"}, {"/=", "aten::div_"}, {"%=", "aten::fmod_"},
      {"|=", "aten::bitwise_or"}, {"&=", "aten::bitwise_and"}, {"^=", "aten::bitwise_xor"},
      {"<<=", "aten::__lshift__"}, {">>=", "aten::__rshift__"}, {"**=", "aten::pow"}};
  if (t->kind == TSR_T_TENSOR)
    for (size_t i = 0; i < TSR_COUNT(tensor); i++)
      if (tsr_ast_is(a, tensor[i].text)) return tensor[i].op;
  if (t->kind == TSR_T_LIST && tsr_ast_is(a, "+=")) return "aten::add_";
  if (t->kind == TSR_T_LIST && tsr_ast_is(a, "*=")) return "aten::mul_";
  return NULL;
}

static void lower_augassign(tsr_lower *L, const tsr_ast *a) {
  const tsr_ast *target = a->kids[0];
  if (target->kind == TSR_AST_TARGETS && target->count == 1) target = target->kids[0];
  tsr_ir_value *old = tsr_lower_expr(L, target, NULL), *by = tsr_lower_expr(L, a->kids[1], NULL);
  L->at = a;
  const char *op = inplace_op(old->type, a);
  bool in_place = op != NULL && op[strlen(op) - 1] == '_' && op[strlen(op) - 2] != '_';
  tsr_ir_value *v;
  if (op != NULL) {
    v = tsr_lower_op2(L, op, old, by);
  } else {
    const char *plain = tsr_lower_operator(a->text, a->len - 1);
    if (plain == NULL) tsr_lower_fail(L, a, "unknown operator '%.*s'", (int)a->len, a->text);
    v = tsr_lower_binary(L, a, plain, tsr_lower_magic(a->text, a->len - 1), old, by);
  }
  if (in_place && target->kind != TSR_AST_NAME) return; /* the object itself has changed */
  tsr_lower_assign_target(L, target, tsr_sv_value(v));
}

/* ---- raise, return, closures */

void tsr_lower_raise(tsr_lower *L, tsr_ir_value *message, tsr_ir_value *class_name) {
  tsr_ir_node *n = tsr_build_node(L, TSR_IR_RAISE, 2, 0, 0);
  tsr_ir_set_input(n, 0, message);
  tsr_ir_set_input(n, 1, class_name);
}

/* raise ValueError("text") */
static unsigned lower_raise(tsr_lower *L, const tsr_ast *a) {
  const tsr_ast *e = a->kids[0], *name = e->kind == TSR_AST_CALL ? e->kids[0] : e;
  tsr_ir_value *message = NULL;
  if (e->kind == TSR_AST_CALL && e->count > 1) {
    message = tsr_lower_expr(L, e->kids[1], NULL);
    L->at = a;
    if (message->type != &tsr_type_str) message = tsr_lower_op1(L, "aten::str", message);
  }
  L->at = a;
  if (message == NULL) message = tsr_build_str(L, "", 0);
  tsr_ir_value *cls;
  if (name->kind == TSR_AST_NAME) {
    const char *full = tsr_compile_text(L->c, "builtins.%.*s", (int)name->len, name->text);
    cls = tsr_build_str(L, full, strlen(full));
  } else {
    cls = tsr_build_none(L);
  }
  tsr_lower_raise(L, message, cls);
  return TSR_EXIT_ALWAYS;
}

static tsr_ir_value *converted_return(tsr_lower *L, tsr_ir_value *v, const tsr_ast *at) {
  if (L->ret == NULL) {
    L->ret = v->type;
    return v;
  }
  tsr_ir_value *c = tsr_lower_convert(L, v, L->ret);
  if (c != NULL) return c;
  if (L->rec->infer_return) {
    const tsr_type *t = tsr_resolve_unify(L->c, L->ret, v->type);
    if (t != NULL) {
      L->ret = t;
      return tsr_build_cast(L, v, t);
    }
  }
  if (L->file->loose_returns) {
    L->rec->infer_return = true;
    L->ret = v->type;
    return v;
  }
  tsr_lower_fail(L, at, "Return value was annotated as having type %s but is actually of type %s", tsr_compile_typename(L->c, L->ret),
                 tsr_compile_typename(L->c, v->type));
}

static unsigned lower_return(tsr_lower *L, const tsr_ast *a) {
  tsr_ir_value *v = tsr_ast_absent(a->kids[0]) ? tsr_build_none(L) : tsr_lower_expr(L, a->kids[0], L->ret);
  L->at = a;
  v = converted_return(L, v, a);
  if (!L->flags) {
    L->result = v;
    return TSR_EXIT_ALWAYS;
  }
  tsr_env_set(L, "$val", 4, tsr_sv_value(v));
  tsr_env_set(L, "$ret", 4, tsr_sv_value(tsr_build_const(L, tsr_bool(true), &tsr_type_bool)));
  return TSR_EXIT_RETURN | TSR_EXIT_ALWAYS;
}

static unsigned leave_loop(tsr_lower *L, const char *flag, unsigned bit, const tsr_ast *a) {
  if (tsr_env_get(L, flag, (uint32_t)strlen(flag)).kind != TSR_SV_VALUE) tsr_lower_fail(L, a, "%s outside a loop", tsr_ast_kind_name(a->kind));
  tsr_env_set(L, flag, (uint32_t)strlen(flag), tsr_sv_value(tsr_build_const(L, tsr_bool(true), &tsr_type_bool)));
  return bit | TSR_EXIT_ALWAYS;
}

unsigned tsr_lower_stmt(tsr_lower *L, const tsr_ast *a) {
  L->at = a;
  switch (a->kind) {
  case TSR_AST_ASSIGN: lower_assign(L, a); return 0;
  case TSR_AST_AUGASSIGN: lower_augassign(L, a); return 0;
  case TSR_AST_EXPRSTMT: tsr_lower_sugared(L, a->kids[0], NULL); return 0;
  case TSR_AST_RETURN: return lower_return(L, a);
  case TSR_AST_IF: return tsr_lower_if(L, a);
  case TSR_AST_WHILE: return tsr_lower_while(L, a);
  case TSR_AST_FOR: return tsr_lower_for(L, a);
  case TSR_AST_WITH: return tsr_lower_with(L, a);
  case TSR_AST_ASSERT: return tsr_lower_assert(L, a);
  case TSR_AST_RAISE: return lower_raise(L, a);
  case TSR_AST_BREAK: return leave_loop(L, "$brk", TSR_EXIT_BREAK, a);
  case TSR_AST_CONTINUE: return leave_loop(L, "$cont", TSR_EXIT_CONTINUE, a);
  case TSR_AST_DEF: tsr_lower_closure(L, a); return 0;
  case TSR_AST_PASS: return 0;
  case TSR_AST_DELETE:
    for (uint32_t i = 0; i < a->count; i++) tsr_lower_delete(L, a->kids[i]);
    return 0;
  default: tsr_lower_fail(L, a, "'%s' is not a statement", tsr_ast_kind_name(a->kind));
  }
}

/* ---- functions */

bool tsr_lower_has(const tsr_ast *a, tsr_ast_kind kind, bool into_loops) {
  if (a->kind == kind) return true;
  switch (a->kind) {
  case TSR_AST_BLOCK:
    for (uint32_t i = 0; i < a->count; i++)
      if (tsr_lower_has(a->kids[i], kind, into_loops)) return true;
    return false;
  case TSR_AST_IF: return tsr_lower_has(a->kids[1], kind, into_loops) || tsr_lower_has(a->kids[2], kind, into_loops);
  case TSR_AST_WHILE: return into_loops && tsr_lower_has(a->kids[1], kind, true);
  case TSR_AST_FOR: return into_loops && tsr_lower_has(a->kids[2], kind, true);
  case TSR_AST_WITH: return tsr_lower_has(a->kids[0], kind, into_loops);
  default: return false;
  }
}

static bool returns_inside(const tsr_ast *body) {
  for (uint32_t i = 0; i < body->count; i++)
    if (body->kids[i]->kind != TSR_AST_RETURN && tsr_lower_has(body->kids[i], TSR_AST_RETURN, true)) return true;
  return false;
}

/* The value the body leaves with, after ex of its statements. */
static tsr_ir_value *final_value(tsr_lower *L, unsigned ex, const tsr_ast *at) {
  if (L->result != NULL) return L->result;
  tsr_sv val = tsr_env_get(L, "$val", 4);
  L->at = at;
  if (L->flags && val.kind == TSR_SV_VALUE && (ex & TSR_EXIT_ALWAYS)) return val.v;
  if (ex & TSR_EXIT_ALWAYS) { /* it always raises */
    const tsr_type *t = L->ret == NULL ? &tsr_type_none : L->ret;
    tsr_ir_node *n = tsr_build_node(L, TSR_IR_UNINIT, 0, 1, 0);
    n->type = t;
    return tsr_build_out(L, n, t);
  }
  bool may_fall = L->ret == NULL || tsr_type_accepts_none(L->ret) || tsr_is_unknown(L->ret);
  bool raises = L->block->last != NULL && L->block->last->kind == TSR_IR_CONST; /* a call of RaiseException stands last */
  if (!may_fall && !(raises && L->block->last->prev != NULL && L->block->last->prev->kind == TSR_IR_RAISE))
    tsr_lower_fail(L, at, "Function was not annotated as having type None, but does not return along all paths");
  if (!may_fall) {
    tsr_ir_node *n = tsr_build_node(L, TSR_IR_UNINIT, 0, 1, 0);
    n->type = L->ret;
    return tsr_build_out(L, n, L->ret);
  }
  if (L->flags && val.kind == TSR_SV_VALUE && (ex & TSR_EXIT_RETURN)) {
    tsr_ir_value *flag = tsr_lower_flag(L, TSR_EXIT_RETURN);
    tsr_ir_node *n = tsr_build_node(L, TSR_IR_IF, 1, 1, 2);
    tsr_ir_set_input(n, 0, flag);
    tsr_ir_block *outer = L->block;
    L->block = n->blocks[1];
    tsr_ir_value *none = tsr_build_none(L);
    L->block = outer;
    tsr_build_ret(L, n->blocks[0], val.v);
    tsr_build_ret(L, n->blocks[1], none);
    return tsr_build_out(L, n, tsr_resolve_optional(L->c, val.v->type));
  }
  return tsr_build_none(L);
}

static void lower_body(tsr_lower *L, const tsr_ast *def) {
  const tsr_ast *body = def->kids[2];
  L->flags = returns_inside(body);
  L->at = def;
  if (L->flags) tsr_env_set(L, "$ret", 4, tsr_sv_value(tsr_build_const(L, tsr_bool(false), &tsr_type_bool)));
  unsigned ex = tsr_lower_stmts(L, body->kids, body->count);
  tsr_ir_value *v = final_value(L, ex, def);
  if (L->ret == NULL || L->rec->infer_return) L->rec->fn.schema->rets[0].type = L->rec->infer_return && L->ret != NULL ? L->ret : v->type;
  if (v->type != L->rec->fn.schema->rets[0].type) v = tsr_build_cast(L, v, L->rec->fn.schema->rets[0].type);
  tsr_build_ret(L, L->fn->body, v);
}

static void begin(tsr_lower *L, tsr_compiler *c, tsr_fnrec *f) {
  *L = (tsr_lower){.c = c, .rec = f, .fn = &f->fn, .file = f->file, .block = f->fn.body, .at = f->def};
  L->ret = f->fn.schema->rets[0].type;
}

static void finish(tsr_compiler *c, tsr_fnrec *f) {
  f->state = TSR_FN_LOWERED;
  f->fn.lowered = true;
#ifndef NDEBUG
  tsr_compile_check(c, tsr_ir_verify(&f->fn, c->err));
#else
  TSR_UNUSED(c);
#endif
}

void tsr_lower_function(tsr_compiler *c, tsr_fnrec *f) {
  if (f->state == TSR_FN_LOWERED) return;
  tsr_compile_depth(c, f->file, f->def);
  if (f->state == TSR_FN_LOWERING)
    tsr_compile_fail(c, f->file, f->def, TSR_EFORMAT, "function '%s' is called recursively. Recursive calls are not supported", f->short_name);
  tsr_fnrec_declare(c, f);
  f->state = TSR_FN_LOWERING;
  f->next_active = c->active;
  c->active = f;
  if (f->lite != NULL) {
    tsr_lite_lower(c, f);
    c->active = f->next_active;
    finish(c, f);
    return;
  }
  tsr_lower L;
  begin(&L, c, f);
  for (uint32_t i = 0; i < f->fn.schema->param_count; i++) {
    const tsr_param *p = &f->fn.schema->params[i];
    tsr_ir_value *v = tsr_build_param(&L, f->fn.body, p->type, p->name);
    tsr_env_set(&L, p->name, (uint32_t)strlen(p->name), tsr_sv_value(v));
  }
  lower_body(&L, f->def);
  c->active = f->next_active;
  finish(c, f);
}

void tsr_lower_closure(tsr_lower *L, const tsr_ast *def) {
  tsr_compiler *c = L->c;
  tsr_compile_depth(c, L->file, def);
  const char *name = tsr_compile_text(c, "%.*s", (int)def->len, def->text);
  tsr_fnrec *f = tsr_fnrec_new(c, tsr_compile_text(c, "%s.%s", L->fn->name, name), name, def, L->file, NULL);
  f->outer = L->rec;
  tsr_fnrec_declare(c, f);
  if (f->fn.schema->param_count != 0) tsr_lower_fail(L, def, "a function inside a function takes no parameters");
  f->state = TSR_FN_LOWERING;
  tsr_lower inner;
  begin(&inner, c, f);
  inner.outer = L;
  lower_body(&inner, def);
  tsr_schema *s = f->fn.schema;
  s->param_count = inner.captured_count;
  s->params = tsr_compile_alloc(c, (inner.captured_count + 1) * sizeof *s->params);
  for (uint32_t i = 0; i < inner.captured_count; i++) {
    s->params[i].name = f->fn.body->params[i]->name;
    s->params[i].type = f->fn.body->params[i]->type;
  }
  finish(c, f);
  L->at = def;
  tsr_ir_node *n = tsr_build_node(L, TSR_IR_CLOSURE, inner.captured_count, 1, 0);
  for (uint32_t i = 0; i < inner.captured_count; i++) tsr_ir_set_input(n, i, inner.captured[i]);
  n->callee = &f->fn;
  tsr_lower_add_callee(L, f);
  tsr_sv sv = {.kind = TSR_SV_CLOSURE, .v = tsr_build_out(L, n, &tsr_type_function), .fn = f};
  tsr_env_set(L, def->text, def->len, sv);
}

void tsr_lower_add_callee(tsr_lower *L, tsr_fnrec *f) {
  tsr_fnrec *rec = L->rec;
  if (rec->callee_count > 0 && rec->callees[rec->callee_count - 1] == f) return;
  rec->callees = tsr_compile_grow(L->c, rec->callees, rec->callee_count, sizeof *rec->callees);
  rec->callees[rec->callee_count++] = f;
}

void tsr_lower_enqueue(tsr_compiler *c, tsr_fnrec *f) {
  if (f->queued || f->state != TSR_FN_DECLARED) return;
  f->queued = true;
  c->queue = tsr_compile_grow(c, c->queue, c->queue_len, sizeof *c->queue);
  c->queue[c->queue_len++] = f;
}
