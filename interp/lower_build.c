/* Making nodes while lowering. */
#include "interp/lower.h"

/* A compound expression begins where its leftmost part does, inside any parentheses around that. */
static uint32_t begin_of(const tsr_ast *a) {
  while (a->kind == TSR_AST_ATTR || a->kind == TSR_AST_CALL || a->kind == TSR_AST_SUBSCRIPT || a->kind == TSR_AST_BINARY) a = a->kids[0];
  return a->begin;
}

static const tsr_loc *here(tsr_lower *L) {
  if (L->loc != NULL && L->loc_at == L->at) return L->loc;
  tsr_loc *loc = tsr_compile_alloc(L->c, sizeof *loc);
  loc->src = &L->file->src;
  loc->begin = L->at == NULL ? 0 : begin_of(L->at);
  loc->end = L->at == NULL ? 0 : L->at->end;
  loc->function = L->rec->short_name;
  L->loc_at = L->at;
  return L->loc = loc;
}

tsr_ir_node *tsr_build_node(tsr_lower *L, tsr_ir_kind kind, uint32_t nin, uint32_t nout, uint32_t nblocks) {
  tsr_ir_node *n = tsr_ir_node_new(L->fn, kind, nin, nout, nblocks, here(L));
  if (n == NULL) tsr_compile_nomem(L->c);
  tsr_ir_append(L->block, n);
  return n;
}

tsr_ir_value *tsr_build_out(tsr_lower *L, tsr_ir_node *n, const tsr_type *type) {
  tsr_ir_value *v = tsr_ir_add_output(L->fn, n, type, NULL);
  if (v == NULL) tsr_compile_nomem(L->c);
  return v;
}

tsr_ir_value *tsr_build_param(tsr_lower *L, tsr_ir_block *b, const tsr_type *type, const char *name) {
  tsr_ir_value *v = tsr_ir_block_add_param(L->fn, b, type, name);
  if (v == NULL) tsr_compile_nomem(L->c);
  return v;
}

void tsr_build_ret(tsr_lower *L, tsr_ir_block *b, tsr_ir_value *v) {
  if (!tsr_ir_block_add_ret(L->fn, b, v)) tsr_compile_nomem(L->c);
}

tsr_ir_value *tsr_build_const(tsr_lower *L, tsr_val v, const tsr_type *type) {
  tsr_ir_node *n = tsr_build_node(L, TSR_IR_CONST, 0, 1, 0);
  n->val = v;
  return tsr_build_out(L, n, type);
}

tsr_ir_value *tsr_build_none(tsr_lower *L) { return tsr_build_const(L, tsr_none(), &tsr_type_none); }

tsr_ir_value *tsr_build_str(tsr_lower *L, const char *text, size_t len) {
  tsr_str *s = tsr_str_new(L->c->p->mem, text, len);
  if (s == NULL) tsr_compile_nomem(L->c);
  return tsr_build_const(L, tsr_values_own(L->c, tsr_from_obj(s)), &tsr_type_str);
}

static void set_inputs(tsr_ir_node *n, tsr_ir_value *const *items, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) tsr_ir_set_input(n, i, items[i]);
}

tsr_ir_value *tsr_build_list(tsr_lower *L, const tsr_type *elem, tsr_ir_value *const *items, uint32_t n) {
  tsr_ir_node *node = tsr_build_node(L, TSR_IR_LIST, n, 1, 0);
  set_inputs(node, items, n);
  node->type = tsr_resolve_list(L->c, elem);
  return tsr_build_out(L, node, node->type);
}

tsr_ir_value *tsr_build_tuple(tsr_lower *L, const tsr_type *type, tsr_ir_value *const *items, uint32_t n) {
  if (type == NULL) {
    const tsr_type **members = tsr_compile_alloc(L->c, (n + 1) * sizeof *members);
    for (uint32_t i = 0; i < n; i++) members[i] = items[i]->type;
    type = tsr_resolve_tuple(L->c, members, n);
  }
  tsr_ir_node *node = tsr_build_node(L, TSR_IR_TUPLE, n, 1, 0);
  set_inputs(node, items, n);
  node->type = type;
  return tsr_build_out(L, node, type);
}

tsr_ir_value *tsr_build_cast(tsr_lower *L, tsr_ir_value *v, const tsr_type *type) {
  if (v->type == type) return v;
  tsr_ir_node *n = tsr_build_node(L, TSR_IR_CAST, 1, 1, 0);
  tsr_ir_set_input(n, 0, v);
  n->type = type;
  n->slot = !tsr_resolve_subtype(L->c, v->type, type);
  return tsr_build_out(L, n, type);
}

tsr_ir_value *tsr_build_unknown(tsr_lower *L, const char *what, tsr_ir_value *const *in, uint32_t nin) {
  tsr_ir_node *n = tsr_build_node(L, TSR_IR_OP, nin, 1, 0);
  set_inputs(n, in, nin);
  n->name = what;
  return tsr_build_out(L, n, &tsr_type_unknown);
}

tsr_ir_value *tsr_build_getattr(tsr_lower *L, tsr_ir_value *obj, const char *name, size_t len) {
  uint32_t slot;
  tsr_class_rec(L->c, obj->type->cls);
  if (!tsr_class_find_attr(obj->type->cls, name, len, &slot)) return NULL;
  tsr_ir_node *n = tsr_build_node(L, TSR_IR_GETATTR, 1, 1, 0);
  tsr_ir_set_input(n, 0, obj);
  n->name = obj->type->cls->attr_names[slot];
  n->slot = slot;
  return tsr_build_out(L, n, obj->type->cls->attr_types[slot]);
}

uint32_t tsr_tuple_count(tsr_lower *L, const tsr_type *tuple) {
  if (tuple->kind != TSR_T_NAMEDTUPLE) return tuple->count;
  tsr_class_rec(L->c, tuple->cls);
  return tuple->cls->attr_count;
}

const tsr_type *tsr_tuple_member(tsr_lower *L, const tsr_type *tuple, uint32_t i) {
  if (tuple->kind != TSR_T_NAMEDTUPLE) return tuple->args[i];
  tsr_class_rec(L->c, tuple->cls);
  return tuple->cls->attr_types[i];
}

tsr_ir_value *tsr_build_tuple_get(tsr_lower *L, tsr_ir_value *tuple, uint32_t index) {
  const tsr_ir_node *def = tuple->def;
  if (def != NULL && def->kind == TSR_IR_TUPLE) return def->in[index];
  tsr_ir_node *n = tsr_build_node(L, TSR_IR_TUPLE_GET, 1, 1, 0);
  tsr_ir_set_input(n, 0, tuple);
  n->slot = index;
  return tsr_build_out(L, n, tsr_tuple_member(L, tuple->type, index));
}

static void unpack_node(tsr_lower *L, tsr_ir_kind kind, tsr_ir_value *v, uint32_t n, tsr_ir_value **out) {
  tsr_ir_node *node = tsr_build_node(L, kind, 1, n, 0);
  tsr_ir_set_input(node, 0, v);
  for (uint32_t i = 0; i < n; i++)
    out[i] = tsr_build_out(L, node, kind == TSR_IR_LIST_UNPACK ? v->type->args[0] : tsr_tuple_member(L, v->type, i));
}

void tsr_build_unpack(tsr_lower *L, tsr_ir_value *v, uint32_t n, tsr_ir_value **out, const tsr_ast *at) {
  const tsr_type *t = v->type;
  if (tsr_is_unknown(t)) {
    for (uint32_t i = 0; i < n; i++) out[i] = tsr_build_unknown(L, "unpacking of an unknown value", &v, 1);
  } else if (t->kind == TSR_T_TUPLE || t->kind == TSR_T_NAMEDTUPLE) {
    uint32_t have = tsr_tuple_count(L, t);
    if (have != n) tsr_lower_fail(L, at, "need %u values to unpack but found a tuple of size %u", n, have);
    if (v->def != NULL && v->def->kind == TSR_IR_TUPLE) {
      for (uint32_t i = 0; i < n; i++) out[i] = v->def->in[i];
    } else {
      unpack_node(L, TSR_IR_TUPLE_UNPACK, v, n, out);
    }
  } else if (t->kind == TSR_T_LIST) {
    unpack_node(L, TSR_IR_LIST_UNPACK, v, n, out);
  } else if (t->kind == TSR_T_TENSOR) { /* along the first dimension */
    tsr_ir_value *list = tsr_lower_op2(L, "aten::unbind", v, tsr_build_const(L, tsr_int(0), &tsr_type_int));
    unpack_node(L, TSR_IR_LIST_UNPACK, list, n, out);
  } else {
    tsr_lower_fail(L, at, "Provided type %s cannot be unpacked", tsr_compile_typename(L->c, t));
  }
}
