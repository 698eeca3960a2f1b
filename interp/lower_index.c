/* Subscripts: reading, writing and deleting items, slices, tensor indexing. */
#include "interp/lower.h"

static tsr_ir_value *int_const(tsr_lower *L, int64_t i) { return tsr_build_const(L, tsr_int(i), &tsr_type_int); }

static tsr_ir_value *bound(tsr_lower *L, const tsr_ast *a) { return tsr_ast_absent(a) ? tsr_build_none(L) : tsr_lower_expr(L, a, NULL); }

/* ---- tensors */

typedef struct indexing { tsr_ir_value *x; int64_t dim; tsr_ir_value **advanced; uint32_t count; bool any; } indexing;

static void put_index(tsr_lower *L, indexing *ix, int64_t dim, tsr_ir_value *v) {
  while ((int64_t)ix->count <= dim) {
    ix->advanced = tsr_compile_grow(L->c, ix->advanced, ix->count, sizeof *ix->advanced);
    ix->advanced[ix->count++] = NULL;
  }
  ix->advanced[dim] = v;
  ix->any = true;
}

static void slice_tensor(tsr_lower *L, indexing *ix, const tsr_ast *a) {
  tsr_ir_value *step = tsr_ast_absent(a->kids[2]) ? int_const(L, 1) : tsr_lower_expr(L, a->kids[2], NULL);
  tsr_ir_value *in[5] = {ix->x, int_const(L, ix->dim), bound(L, a->kids[0]), bound(L, a->kids[1]), step};
  L->at = a;
  ix->x = tsr_lower_op(L, "aten::slice", in, 5);
  ix->dim++;
}

static void one_index(tsr_lower *L, indexing *ix, const tsr_ast *a, uint32_t later) {
  if (a->kind == TSR_AST_SLICE) {
    slice_tensor(L, ix, a);
    return;
  }
  if (a->kind == TSR_AST_ELLIPSIS) { /* what follows counts from the end; only plain indices may follow */
    ix->dim = -(int64_t)later;
    return;
  }
  tsr_ir_value *v = tsr_lower_expr(L, a, NULL);
  L->at = a;
  if (v->type->kind == TSR_T_NONE) {
    ix->x = tsr_lower_op2(L, "aten::unsqueeze", ix->x, int_const(L, ix->dim < 0 ? ix->dim - 1 : ix->dim));
    if (ix->dim >= 0) ix->dim++;
  } else if (v->type == &tsr_type_int) {
    ix->x = tsr_lower_op3(L, "aten::select", ix->x, int_const(L, ix->dim), v);
  } else {
    if (v->type->kind == TSR_T_LIST || v->type == &tsr_type_bool) v = tsr_lower_op1(L, "aten::tensor", v);
    if (ix->dim < 0) tsr_lower_fail(L, a, "tensor indices after an ellipsis are not supported");
    put_index(L, ix, ix->dim, v);
    ix->dim++;
  }
}

static uint32_t dims_taken(const tsr_ast *a, uint32_t from) {
  uint32_t n = 0;
  for (uint32_t i = from; i < a->count; i++) n += a->kids[i]->kind != TSR_AST_NONE;
  return n;
}

static indexing index_tensor(tsr_lower *L, tsr_ir_value *x, const tsr_ast *a) {
  indexing ix = {.x = x};
  const tsr_ast *list = a;
  uint32_t first = 1;
  if (a->count == 2 && a->kids[1]->kind == TSR_AST_TUPLE) {
    list = a->kids[1];
    first = 0;
  }
  for (uint32_t i = first; i < list->count; i++) one_index(L, &ix, list->kids[i], dims_taken(list, i + 1));
  return ix;
}

static tsr_ir_value *index_list(tsr_lower *L, indexing *ix) {
  const tsr_type *opt = tsr_resolve_optional(L->c, &tsr_type_tensor);
  bool holes = false;
  for (uint32_t i = 0; i < ix->count; i++) {
    if (ix->advanced[i] != NULL) continue;
    ix->advanced[i] = tsr_build_none(L);
    holes = true;
  }
  return tsr_build_list(L, holes ? opt : &tsr_type_tensor, ix->advanced, ix->count);
}

/* ---- reading */

static tsr_ir_value *slice_tuple(tsr_lower *L, tsr_ir_value *v, const tsr_ast *s) {
  int64_t n = tsr_tuple_count(L, v->type), bounds[3] = {0, n, 1};
  for (int i = 0; i < 3; i++) {
    tsr_val c;
    if (tsr_ast_absent(s->kids[i])) continue;
    if (!tsr_consteval(L->c, L->file, s->kids[i], NULL, &c) || (c.tag != TSR_V_INT && c.tag != TSR_V_NONE))
      tsr_lower_fail(L, s, "tuple slice bounds must be constant");
    if (c.tag == TSR_V_INT) bounds[i] = c.i;
  }
  if (bounds[2] != 1) tsr_lower_fail(L, s, "tuple slices have step 1");
  for (int i = 0; i < 2; i++) {
    if (bounds[i] < 0) bounds[i] += n;
    bounds[i] = TSR_MAX(0, TSR_MIN(bounds[i], n));
  }
  uint32_t count = bounds[1] > bounds[0] ? (uint32_t)(bounds[1] - bounds[0]) : 0;
  tsr_ir_value **items = tsr_compile_alloc(L->c, (count + 1) * sizeof *items);
  for (uint32_t i = 0; i < count; i++) items[i] = tsr_build_tuple_get(L, v, (uint32_t)bounds[0] + i);
  return tsr_build_tuple(L, NULL, items, count);
}

static tsr_ir_value *slice_sequence(tsr_lower *L, tsr_ir_value *v, const tsr_ast *s, const tsr_ast *at) {
  tsr_ir_value *step = tsr_ast_absent(s->kids[2]) ? int_const(L, 1) : tsr_lower_expr(L, s->kids[2], NULL);
  tsr_ir_value *in[4] = {v, bound(L, s->kids[0]), bound(L, s->kids[1]), step};
  L->at = at;
  return tsr_lower_op(L, "aten::slice", in, 4);
}

/* modules[i]: the declared type of the target says what comes out, unless the index is constant. */
static tsr_ir_value *module_item(tsr_lower *L, tsr_ir_value *v, tsr_ir_value *index, const tsr_type *hint, const tsr_ast *at) {
  uint32_t slot;
  const tsr_ir_node *def = index->def;
  bool constant = def != NULL && def->kind == TSR_IR_CONST && (def->val.tag == TSR_V_INT || def->val.tag == TSR_V_STR);
  if (constant) {
    bool text = def->val.tag == TSR_V_STR;
    tsr_class_rec(L->c, v->type->cls);
    bool found = tsr_class_find_child(v->type->cls, text ? 0 : def->val.i, text ? def->val.s->bytes : NULL, text ? def->val.s->len : 0, &slot);
    if (found && (hint == NULL || tsr_resolve_subtype(L->c, v->type->cls->attr_types[slot], hint)))
      return tsr_build_getattr(L, v, v->type->cls->attr_names[slot], strlen(v->type->cls->attr_names[slot]));
    if (!found && text) tsr_lower_fail(L, at, "Key Error, %s", def->val.s->bytes);
    if (!found) tsr_lower_fail(L, at, "Index out of range");
  }
  if (hint == NULL) tsr_lower_fail(L, at, "Unable to extract string literal index. ModuleDict indexing is only supported with string literals");
  tsr_ir_node *n = tsr_build_node(L, TSR_IR_MODULE_ITEM, 2, 1, 0);
  tsr_ir_set_input(n, 0, v);
  tsr_ir_set_input(n, 1, index);
  n->type = hint;
  if (hint->kind != TSR_T_INTERFACE) n->slot = 1; /* the child's class must be checked at run time */
  return tsr_build_out(L, n, hint);
}

static tsr_ir_value *item(tsr_lower *L, tsr_ir_value *v, const tsr_ast *a, const tsr_type *hint) {
  const tsr_type *t = v->type;
  const tsr_type *key_hint = t->kind == TSR_T_DICT ? t->args[0] : NULL;
  if (a->count != 2) tsr_lower_fail(L, a, "Only tensors can be subscripted with multiple indices");
  tsr_ir_value *index = tsr_lower_expr(L, a->kids[1], key_hint);
  L->at = a;
  if (t->kind == TSR_T_CLASS && t->cls != NULL && !t->cls->is_custom) {
    if (tsr_class_find_method(L->c, t->cls, "__getitem__", 11) != NULL) return tsr_lower_method(L, v, "__getitem__", &index, 1, a);
    if (t->cls->is_module) return module_item(L, v, index, hint, a);
  }
  return tsr_lower_op2(L, "aten::__getitem__", v, index);
}

tsr_ir_value *tsr_lower_subscript(tsr_lower *L, const tsr_ast *a, const tsr_type *hint) {
  tsr_ir_value *v = tsr_lower_expr(L, a->kids[0], NULL);
  L->at = a;
  if (v->type == &tsr_type_tensor) {
    indexing ix = index_tensor(L, v, a);
    L->at = a;
    return ix.any ? tsr_lower_op2(L, "aten::index", ix.x, index_list(L, &ix)) : ix.x;
  }
  if (a->count == 2 && a->kids[1]->kind == TSR_AST_SLICE) {
    if (v->type->kind == TSR_T_TUPLE || v->type->kind == TSR_T_NAMEDTUPLE) return slice_tuple(L, v, a->kids[1]);
    return slice_sequence(L, v, a->kids[1], a);
  }
  return item(L, v, a, hint);
}

/* ---- writing */

static void store_tensor(tsr_lower *L, tsr_ir_value *x, const tsr_ast *target, tsr_ir_value *v) {
  indexing ix = index_tensor(L, x, target);
  L->at = target;
  if (v->type != &tsr_type_tensor) {
    tsr_arg args[3] = {tsr_lower_arg(v), tsr_lower_arg(tsr_lower_op1(L, "prim::dtype", x)), tsr_lower_arg(tsr_lower_op1(L, "prim::device", x))};
    args[1].keyword = "dtype";
    args[1].keyword_len = 5;
    args[2].keyword = "device";
    args[2].keyword_len = 6;
    v = tsr_lower_op_args(L, "aten::tensor", args, 3);
  }
  if (!ix.any) tsr_lower_op2(L, "aten::copy_", ix.x, v);
  else tsr_lower_op3(L, "aten::index_put_", ix.x, index_list(L, &ix), v);
}

void tsr_lower_store_subscript(tsr_lower *L, const tsr_ast *target, tsr_ir_value *v) {
  tsr_ir_value *x = tsr_lower_expr(L, target->kids[0], NULL);
  L->at = target;
  if (x->type == &tsr_type_tensor) {
    store_tensor(L, x, target, v);
    return;
  }
  if (target->count != 2 || target->kids[1]->kind == TSR_AST_SLICE) tsr_lower_fail(L, target, "Sliced expression not yet supported for subscripted list assignment");
  tsr_ir_value *index = tsr_lower_expr(L, target->kids[1], x->type->kind == TSR_T_DICT ? x->type->args[0] : NULL);
  L->at = target;
  if (x->type->kind == TSR_T_CLASS && x->type->cls != NULL && !x->type->cls->is_custom) {
    tsr_ir_value *in[2] = {index, v};
    tsr_lower_method(L, x, "__setitem__", in, 2, target);
  } else {
    tsr_lower_op3(L, "aten::_set_item", x, index, v);
  }
}

void tsr_lower_delete(tsr_lower *L, const tsr_ast *target) {
  if (target->kind == TSR_AST_NAME) return; /* only the binding goes away */
  if (target->kind != TSR_AST_SUBSCRIPT || target->count != 2) tsr_lower_fail(L, target, "cannot delete this expression");
  tsr_ir_value *x = tsr_lower_expr(L, target->kids[0], NULL), *index = tsr_lower_expr(L, target->kids[1], NULL);
  L->at = target;
  if (x->type->kind == TSR_T_CLASS && x->type->cls != NULL && !x->type->cls->is_custom) tsr_lower_method(L, x, "__delitem__", &index, 1, target);
  else tsr_lower_op2(L, "aten::Delete", x, index);
}
