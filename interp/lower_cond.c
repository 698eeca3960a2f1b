/* Conditions: those that types decide ("x is None" for a Tensor), and what a branch may assume. */
#include "interp/lower.h"

static void add_refine(tsr_lower *L, tsr_refines *r, tsr_var *var, const tsr_type *type) {
  if (type == NULL) return;
  r->items = tsr_compile_grow(L->c, r->items, r->count, sizeof *r->items);
  r->items[r->count++] = (tsr_refine){var, type};
}

static tsr_refines join(tsr_lower *L, const tsr_refines *a, const tsr_refines *b) {
  tsr_refines out = {0};
  for (uint32_t i = 0; i < a->count; i++) add_refine(L, &out, a->items[i].var, a->items[i].type);
  for (uint32_t i = 0; i < b->count; i++) add_refine(L, &out, b->items[i].var, b->items[i].type);
  return out;
}

void tsr_cond_apply(tsr_lower *L, const tsr_refines *r) {
  if (r == NULL) return;
  for (uint32_t i = 0; i < r->count; i++) {
    tsr_var *var = r->items[i].var;
    if (var->sv.kind != TSR_SV_VALUE || var->sv.v->type == r->items[i].type) continue;
    tsr_env_set_var(L, var, tsr_sv_value(tsr_build_cast(L, var->sv.v, r->items[i].type)));
  }
}

/* The local variable an expression names, if its value is known here. */
static tsr_var *variable(tsr_lower *L, const tsr_ast *a) {
  if (a->kind != TSR_AST_NAME || tsr_env_get(L, a->text, a->len).kind != TSR_SV_VALUE) return NULL;
  return tsr_env_var(L, a->text, a->len);
}

/* What is left of t when it is none of the types; NULL: nothing certain. */
static const tsr_type *subtract(tsr_lower *L, const tsr_type *t, const tsr_type *const *types, uint32_t n) {
  const tsr_type *members[65], *left[65];
  uint32_t count = 0, kept = 0;
  if (t->kind == TSR_T_OPTIONAL) {
    members[count++] = t->args[0];
    members[count++] = &tsr_type_none;
  } else if (t->kind == TSR_T_UNION && t->count <= 64) {
    for (uint32_t i = 0; i < t->count; i++) members[count++] = t->args[i];
  }
  for (uint32_t i = 0; i < count; i++) {
    bool gone = false;
    for (uint32_t k = 0; k < n && !gone; k++) gone = tsr_resolve_subtype(L->c, members[i], types[k]);
    if (!gone) left[kept++] = members[i];
  }
  return kept == 0 || kept == count ? NULL : tsr_type_union(L->c->types, left, kept);
}

static tsr_cond cond_none(tsr_lower *L, const tsr_ast *a, bool negate) {
  const tsr_ast *subject = a->kids[1]->kind == TSR_AST_NONE ? a->kids[0] : a->kids[1];
  tsr_ir_value *v = tsr_lower_expr(L, subject, NULL);
  tsr_cond c = {.known = -1};
  if (v->type->kind == TSR_T_NONE) c.known = !negate;
  else if (!tsr_is_unknown(v->type) && !tsr_type_accepts_none(v->type)) c.known = negate;
  if (c.known >= 0) return c;
  L->at = a;
  c.v = tsr_lower_op2(L, negate ? "aten::__isnot__" : "aten::__is__", v, tsr_build_none(L));
  tsr_var *var = variable(L, subject);
  if (var == NULL || tsr_is_unknown(v->type)) return c;
  const tsr_type *none = &tsr_type_none;
  add_refine(L, negate ? &c.yes : &c.no, var, subtract(L, v->type, &none, 1));
  add_refine(L, negate ? &c.no : &c.yes, var, none);
  return c;
}

static tsr_cond cond_isinstance(tsr_lower *L, const tsr_ast *a) {
  tsr_cond c = {.known = -1};
  tsr_ir_value *v = tsr_lower_expr(L, a->kids[1], NULL);
  const tsr_type **types;
  uint32_t n = tsr_special_types(L, a->kids[2], &types);
  if (n == 0) tsr_lower_fail(L, a, "isinstance needs a type");
  c.known = tsr_special_isinstance(L, v->type, types, n);
  if (c.known >= 0) return c;
  L->at = a;
  c.v = tsr_special_test(L, v, types, n);
  tsr_var *var = variable(L, a->kids[1]);
  if (var == NULL) return c;
  const tsr_type *yes = n == 1 ? types[0] : tsr_type_union(L->c->types, types, n);
  bool bare = yes != NULL && (yes->kind == TSR_T_ANYLIST || yes->kind == TSR_T_ANYTUPLE);
  if (!bare) add_refine(L, &c.yes, var, yes);
  add_refine(L, &c.no, var, subtract(L, v->type, types, n));
  return c;
}

static tsr_cond cond_not(tsr_lower *L, const tsr_ast *a) {
  tsr_cond in = tsr_lower_cond(L, a->kids[0]), out = {.known = in.known < 0 ? -1 : !in.known, .yes = in.no, .no = in.yes};
  L->at = a;
  if (in.known < 0) out.v = tsr_lower_op1(L, "aten::__not__", in.v);
  return out;
}

static tsr_cond cond_and_or(tsr_lower *L, const tsr_ast *a, bool is_and) {
  tsr_cond l = tsr_lower_cond(L, a->kids[0]);
  if (l.known >= 0 && l.known != is_and) return l; /* decided: the right side is not looked at */
  if (l.known >= 0) return tsr_lower_cond(L, a->kids[1]);
  L->at = a;
  tsr_ir_node *n = tsr_build_node(L, TSR_IR_IF, 1, 1, 2);
  tsr_ir_set_input(n, 0, l.v);
  tsr_ir_block *outer = L->block;
  tsr_frame f;
  tsr_change *changes;
  uint32_t count;
  L->block = n->blocks[is_and ? 0 : 1];
  tsr_env_enter(L, &f);
  tsr_cond_apply(L, is_and ? &l.yes : &l.no);
  tsr_cond r = tsr_lower_cond(L, a->kids[1]);
  tsr_ir_value *rv = tsr_cond_value(L, &r);
  tsr_env_leave(L, &f, &changes, &count);
  tsr_build_ret(L, L->block, rv);
  L->block = n->blocks[is_and ? 1 : 0];
  L->at = a;
  tsr_build_ret(L, L->block, tsr_build_const(L, tsr_bool(!is_and), &tsr_type_bool));
  L->block = outer;
  tsr_cond out = {.known = -1, .v = tsr_build_out(L, n, &tsr_type_bool)};
  if (is_and) out.yes = join(L, &l.yes, &r.yes);
  else out.no = join(L, &l.no, &r.no);
  if (r.known == !is_and) out.known = -1;
  return out;
}

tsr_cond tsr_lower_cond(tsr_lower *L, const tsr_ast *a) {
  tsr_compile_depth(L->c, L->file, a);
  if (a->kind == TSR_AST_BINARY) {
    if (tsr_ast_is(a, "and") || tsr_ast_is(a, "or")) return cond_and_or(L, a, tsr_ast_is(a, "and"));
    bool none = a->kids[0]->kind == TSR_AST_NONE || a->kids[1]->kind == TSR_AST_NONE;
    if (none && (tsr_ast_is(a, "is") || tsr_ast_is(a, "is not"))) return cond_none(L, a, tsr_ast_is(a, "is not"));
  } else if (a->kind == TSR_AST_UNARY && tsr_ast_is(a, "not")) {
    return cond_not(L, a);
  } else if (a->kind == TSR_AST_CALL && a->count == 3 && a->kids[0]->kind == TSR_AST_NAME && tsr_ast_is(a->kids[0], "isinstance")) {
    return cond_isinstance(L, a);
  } else if (a->kind == TSR_AST_CALL && a->count == 3 && a->kids[0]->kind == TSR_AST_NAME && tsr_ast_is(a->kids[0], "hasattr")) {
    tsr_ir_value *v = tsr_lower_expr(L, a, NULL);
    return (tsr_cond){.known = v->def->val.b};
  }
  return (tsr_cond){.known = -1, .v = tsr_lower_condition(L, a)};
}

tsr_ir_value *tsr_cond_value(tsr_lower *L, const tsr_cond *c) {
  return c->known >= 0 ? tsr_build_const(L, tsr_bool(c->known), &tsr_type_bool) : c->v;
}
