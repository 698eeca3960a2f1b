/* Calls: arguments, overload resolution, conversions, and the nodes that follow. */
#include "interp/lower.h"

typedef struct arg_list { tsr_arg *items; uint32_t count; } arg_list;

tsr_arg tsr_lower_arg(tsr_ir_value *v) {
  tsr_arg a = {.type = v->type, .value = v};
  if (v->def != NULL) {
    a.int_literal = v->def->kind == TSR_IR_CONST && v->def->val.tag == TSR_V_INT;
    a.empty_list = v->def->kind == TSR_IR_LIST && v->def->nin == 0 && v->def->slot == 1;
  }
  return a;
}

static void push_arg(tsr_lower *L, arg_list *list, tsr_arg a) {
  list->items = tsr_compile_grow(L->c, list->items, list->count, sizeof *list->items);
  list->items[list->count++] = a;
}

static TSR_NOINLINE void collect_args(tsr_lower *L, const tsr_ast *call, arg_list *list) {
  for (uint32_t i = 1; i < call->count; i++) {
    const tsr_ast *a = call->kids[i];
    if (a->kind == TSR_AST_STARRED) {
      tsr_ir_value *v = tsr_lower_expr(L, a->kids[0], NULL);
      if (v->type->kind != TSR_T_TUPLE && v->type->kind != TSR_T_NAMEDTUPLE) tsr_lower_fail(L, a, "only tuples can be unpacked into arguments");
      uint32_t n = tsr_tuple_count(L, v->type);
      for (uint32_t k = 0; k < n; k++) push_arg(L, list, tsr_lower_arg(tsr_build_tuple_get(L, v, k)));
    } else if (a->kind == TSR_AST_KEYWORD) {
      tsr_arg arg = tsr_lower_arg(tsr_lower_expr(L, a->kids[0], NULL));
      arg.keyword = a->text;
      arg.keyword_len = a->len;
      push_arg(L, list, arg);
    } else {
      push_arg(L, list, tsr_lower_arg(tsr_lower_expr(L, a, NULL)));
    }
  }
}

/* ---- conversions */

static tsr_ir_value *convert(tsr_lower *L, tsr_ir_value *v, const tsr_type *want, bool allow, bool lenient);

static tsr_ir_value *convert_tuple(tsr_lower *L, tsr_ir_value *v, const tsr_type *want, bool to_list, bool allow, bool lenient) {
  uint32_t n = tsr_tuple_count(L, v->type);
  tsr_ir_value **items = tsr_compile_alloc(L->c, (n + 1) * sizeof *items);
  tsr_build_unpack(L, v, n, items, L->at);
  for (uint32_t i = 0; i < n; i++) items[i] = convert(L, items[i], to_list ? want->args[0] : want->args[i], allow, lenient);
  return to_list ? tsr_build_list(L, want->args[0], items, n) : tsr_build_tuple(L, want, items, n);
}

/* NULL: cannot be. */
static tsr_ir_value *convert(tsr_lower *L, tsr_ir_value *v, const tsr_type *want, bool allow, bool lenient) {
  tsr_arg arg = tsr_lower_arg(v);
  tsr_conv how;
  const char *op;
  if (!tsr_match_convert(L->c, &arg, want, allow, lenient, &how, &op)) return NULL;
  if (want->kind == TSR_T_OPTIONAL && how != TSR_CONV_NONE) want = want->args[0];
  switch (how) {
  case TSR_CONV_OP: return tsr_lower_op1(L, op, v);
  case TSR_CONV_LITERAL: return tsr_build_const(L, tsr_float((double)v->def->val.i), &tsr_type_float);
  case TSR_CONV_EMPTY_LIST: return tsr_build_list(L, want->args[0], NULL, 0);
  case TSR_CONV_TUPLE_LIST: return convert_tuple(L, v, want, true, allow, lenient);
  case TSR_CONV_TUPLE: return convert_tuple(L, v, want, false, allow, lenient);
  default: return v;
  }
}

tsr_ir_value *tsr_lower_convert(tsr_lower *L, tsr_ir_value *v, const tsr_type *type) {
  tsr_ir_value *out = convert(L, v, type, true, true);
  return out == NULL ? NULL : tsr_build_cast(L, out, type);
}

static tsr_ir_value *default_operand(tsr_lower *L, const tsr_param *p) {
  const tsr_type *plain = p->type->kind == TSR_T_OPTIONAL ? p->type->args[0] : p->type;
  if (p->dflt.tag == TSR_V_NONE) return tsr_build_none(L);
  if (plain->kind == TSR_T_LIST && p->dflt.tag != TSR_V_LIST) { /* int[2] stride=1 */
    tsr_list *l = tsr_list_new(L->c->p->mem, plain->args[0], (size_t)TSR_MAX(p->list_size, 1));
    if (l == NULL) tsr_compile_nomem(L->c);
    tsr_val list = tsr_values_own(L->c, tsr_from_obj(l));
    for (int32_t i = 0; i < TSR_MAX(p->list_size, 1); i++)
      if (!tsr_list_push_take(l, p->dflt)) tsr_compile_nomem(L->c);
    return tsr_build_const(L, list, plain);
  }
  if (plain == &tsr_type_float && p->dflt.tag == TSR_V_INT) return tsr_build_const(L, tsr_float((double)p->dflt.i), plain);
  return tsr_build_const(L, p->dflt, tsr_is_boxed(p->dflt) ? plain : tsr_resolve_type_of(L->c, p->dflt));
}

static tsr_ir_value *operand(tsr_lower *L, const tsr_matched *m, const tsr_arg *args, uint32_t p) {
  const tsr_bind *b = &m->binds[p];
  const tsr_param *param = &m->cand->schema->params[p];
  switch (b->how) {
  case TSR_BIND_DEFAULT: return default_operand(L, param);
  case TSR_BIND_ARG: return convert(L, args[b->arg].value, b->type, m->convert, m->lenient);
  case TSR_BIND_REPEAT: {
    tsr_ir_value *one = convert(L, args[b->arg].value, b->type->args[0], m->convert, m->lenient);
    tsr_ir_value **items = tsr_compile_alloc(L->c, b->count * sizeof *items);
    for (uint32_t i = 0; i < b->count; i++) items[i] = one;
    return tsr_build_list(L, b->type->args[0], items, b->count);
  }
  default: {
    tsr_ir_value **items = tsr_compile_alloc(L->c, (b->count + 1) * sizeof *items);
    for (uint32_t i = 0; i < b->count; i++) items[i] = convert(L, args[b->arg + i].value, b->type->args[0], m->convert, m->lenient);
    return tsr_build_list(L, b->type->args[0], items, b->count);
  }
  }
}

/* ---- nodes */

static const tsr_type *return_type(tsr_lower *L, tsr_fnrec *f) {
  if (f->fn.schema->rets[0].type == NULL) tsr_lower_function(L->c, f); /* no annotation: the body tells */
  return f->fn.schema->rets[0].type;
}

/* A constant of no dimensions as second operand of these counts as a number: PyTorch's executor makes
 * it one before it runs, which decides the dtype of the result. */
static tsr_ir_value *as_number(tsr_lower *L, const tsr_schema *s, tsr_ir_value *v) {
  static const char *const names[] = {"aten::add", "aten::sub", "aten::mul", "aten::div"};
  bool listed = false;
  for (size_t i = 0; i < TSR_COUNT(names); i++) listed = listed || strcmp(s->name, names[i]) == 0;
  if (!listed || strcmp(s->overload, "Tensor") != 0 || v->def == NULL || v->def->kind != TSR_IR_CONST) return v;
  const tsr_tensor *t = v->def->val.t;
  if (v->def->val.tag != TSR_V_TENSOR || t->ndim != 0 || t->layout != 0 || t->quant != NULL || t->wrapped_number) return v;
  tsr_tensor *number = tsr_tensor_new(L->c->p->mem, (tsr_dtype)t->dtype, 0, NULL);
  if (number == NULL) tsr_compile_nomem(L->c);
  memcpy(number->storage->data, tsr_tensor_data_ro(t), tsr_tensor_itemsize(t));
  number->wrapped_number = 1;
  return tsr_build_const(L, tsr_values_own(L->c, tsr_from_obj(number)), v->type);
}

static tsr_ir_value *emit_matched(tsr_lower *L, const tsr_matched *m, const tsr_arg *args, const tsr_ast *at) {
  const tsr_schema *s = m->cand->schema;
  uint32_t n = s->param_count + m->vararg_count;
  tsr_ir_value **in = tsr_compile_alloc(L->c, (n + 1) * sizeof *in);
  L->at = at;
  for (uint32_t i = 0; i < s->param_count; i++) in[i] = operand(L, m, args, i);
  for (uint32_t i = 0; i < m->vararg_count; i++) in[s->param_count + i] = args[m->vararg_begin + i].value;
  const tsr_type *ret = m->cand->fn != NULL ? return_type(L, m->cand->fn) : NULL;
  if (m->cand->fn == NULL && n > 1) in[1] = as_number(L, s, in[1]);
  L->at = at;
  tsr_ir_node *node = tsr_build_node(L, m->cand->fn != NULL ? TSR_IR_CALL : TSR_IR_OP, n, TSR_MAX(s->ret_count, 1), 0);
  for (uint32_t i = 0; i < n; i++) tsr_ir_set_input(node, i, in[i]);
  if (m->cand->fn != NULL) {
    node->callee = &m->cand->fn->fn;
    tsr_lower_enqueue(L->c, m->cand->fn);
    tsr_lower_add_callee(L, m->cand->fn);
    return tsr_build_out(L, node, ret);
  }
  node->schema = s;
  if (s->ret_count == 0) return tsr_build_none(L);
  tsr_ir_value **out = tsr_compile_alloc(L->c, s->ret_count * sizeof *out);
  for (uint32_t i = 0; i < s->ret_count; i++) out[i] = tsr_build_out(L, node, m->rets[i]);
  return s->ret_count == 1 ? out[0] : tsr_build_tuple(L, NULL, out, s->ret_count);
}

static TSR_NOINLINE tsr_ir_value *call_function(tsr_lower *L, tsr_fnrec *f, const tsr_arg *args, uint32_t n, const tsr_ast *at) {
  tsr_candidate cand = {f->fn.schema, f};
  tsr_matched m;
  const char *why = NULL;
  if (!tsr_match(L->c, &cand, 1, args, n, &m, &why)) tsr_lower_fail(L, at, "%s: %s", f->short_name, why == NULL ? "arguments do not match" : why);
  tsr_candidate *kept = tsr_compile_alloc(L->c, sizeof *kept);
  *kept = cand;
  m.cand = kept;
  return emit_matched(L, &m, args, at);
}

tsr_ir_value *tsr_lower_candidate(tsr_lower *L, const tsr_candidate *cand, const tsr_arg *args, uint32_t n) {
  tsr_matched m;
  if (!tsr_match(L->c, cand, 1, args, n, &m, NULL)) return NULL;
  return emit_matched(L, &m, args, NULL);
}

/* ---- operators */

static const char *call_text(tsr_lower *L, const char *name, const tsr_arg *args, uint32_t n) {
  tsr_buf b = {0};
  tsr_buf_puts(&b, name);
  tsr_buf_putc(&b, '(');
  for (uint32_t i = 0; i < n; i++) {
    if (i > 0) tsr_buf_puts(&b, ", ");
    if (args[i].keyword != NULL) tsr_buf_printf(&b, "%.*s=", (int)args[i].keyword_len, args[i].keyword);
    if (tsr_is_unknown(args[i].type)) tsr_buf_puts(&b, "?");
    else tsr_type_print(args[i].type, &b);
  }
  tsr_buf_putc(&b, ')');
  char *text = b.oom ? NULL : tsr_arena_strdup(L->c->arena, b.data, b.len);
  tsr_buf_dispose(&b);
  if (text == NULL) tsr_compile_nomem(L->c);
  return text;
}

static tsr_ir_value *missing(tsr_lower *L, const char *name, const tsr_arg *args, uint32_t n, const tsr_ast *at, bool record) {
  tsr_ir_value **in = tsr_compile_alloc(L->c, (n + 1) * sizeof *in);
  for (uint32_t i = 0; i < n; i++) in[i] = args[i].value;
  const char *text = call_text(L, name, args, n);
  L->at = at;
  tsr_ir_value *v = tsr_build_unknown(L, text, in, n);
  if (record) tsr_opset_record_missing(L->c, text, v->def->loc);
  return v;
}

/* With operands of unknown type several overloads may match: certain only if their results agree. */
static bool results_agree(tsr_lower *L, const tsr_opset *set, const tsr_arg *args, uint32_t n, tsr_matched *out) {
  bool found = false;
  for (size_t i = 0; i < set->count; i++) {
    tsr_matched m;
    if (!tsr_match(L->c, &set->items[i], 1, args, n, &m, NULL)) continue;
    const tsr_schema *s = m.cand->schema;
    if (found && (s->ret_count != out->cand->schema->ret_count || (s->ret_count > 0 && m.rets[0] != out->rets[0]))) return false;
    if (!found) *out = m;
    found = true;
  }
  return found;
}

static tsr_ir_value *special_op(tsr_lower *L, const char *name, const tsr_arg *args, uint32_t n, const tsr_type *hint, const tsr_ast *at);

/* Before 1.6 packed weights passed for tensors, and so for elements of the list []. */
static void retype_packed_list(tsr_lower *L, const char *name, tsr_arg *args, uint32_t n) {
  if (L->c->p->version > 2 || n != 2 || strcmp(name, "aten::append") != 0) return;
  const tsr_type *el = args[1].type;
  tsr_ir_value *list = args[0].value;
  if (el->kind != TSR_T_CLASS || el->cls == NULL || !el->cls->is_custom) return;
  if (list == NULL || list->uses > 0 || list->def == NULL || list->def->kind != TSR_IR_LIST || list->def->nin > 0) return;
  args[0].type = list->type = tsr_type_list(L->c->types, el);
  args[0].empty_list = false;
  list->def->slot = 0;
}

/* Programs of PyTorch 1.0 to 1.2 go through a dictionary in the order of its keys. */
static void sort_dict(tsr_lower *L, const char *name, tsr_arg *args, uint32_t n) {
  if (L->c->p->version > 0 || n != 1 || args[0].type->kind != TSR_T_DICT) return;
  if (strcmp(name, "aten::keys") != 0 && strcmp(name, "aten::values") != 0 && strcmp(name, "aten::items") != 0) return;
  tsr_type_kind key = args[0].type->args[0]->kind;
  if (key == TSR_T_STR || key == TSR_T_INT || key == TSR_T_FLOAT) args[0] = tsr_lower_arg(tsr_lower_op1(L, "tsr::sorted_dict", args[0].value));
}

static tsr_ir_value *call_op(tsr_lower *L, const char *name, tsr_arg *args, uint32_t n, const tsr_type *hint, const tsr_ast *at) {
  L->at = at;
  retype_packed_list(L, name, args, n);
  sort_dict(L, name, args, n);
  tsr_ir_value *special = special_op(L, name, args, n, hint, at);
  if (special != NULL) return special;
  const tsr_opset *set = tsr_opset_find(L->c, name, strlen(name), L->file->builtin);
  if (set == NULL) return missing(L, name, args, n, at, true);
  bool unknown = false;
  for (uint32_t i = 0; i < n; i++) {
    unknown |= tsr_is_unknown(args[i].type);
    /* else a missing overload for tensors would fall back on the one for numbers */
    args[i].keep_tensor = set->count > 1;
  }
  tsr_matched m;
  if (unknown && set->count > 1) {
    if (!results_agree(L, set, args, n, &m)) return missing(L, name, args, n, at, false);
  } else if (!tsr_match(L->c, set->items, set->count, args, n, &m, NULL)) {
    return missing(L, name, args, n, at, !unknown);
  }
  return emit_matched(L, &m, args, at);
}

tsr_ir_value *tsr_lower_op(tsr_lower *L, const char *name, tsr_ir_value *const *vals, uint32_t n) {
  tsr_arg *args = tsr_compile_alloc(L->c, (n + 1) * sizeof *args);
  for (uint32_t i = 0; i < n; i++) args[i] = tsr_lower_arg(vals[i]);
  return call_op(L, name, args, n, NULL, L->at);
}

tsr_ir_value *tsr_lower_op_args(tsr_lower *L, const char *name, tsr_arg *args, uint32_t n) { return call_op(L, name, args, n, NULL, L->at); }

tsr_ir_value *tsr_lower_op1(tsr_lower *L, const char *name, tsr_ir_value *a) { return tsr_lower_op(L, name, &a, 1); }
tsr_ir_value *tsr_lower_op2(tsr_lower *L, const char *name, tsr_ir_value *a, tsr_ir_value *b) {
  tsr_ir_value *v[2] = {a, b};
  return tsr_lower_op(L, name, v, 2);
}
tsr_ir_value *tsr_lower_op3(tsr_lower *L, const char *name, tsr_ir_value *a, tsr_ir_value *b, tsr_ir_value *d) {
  tsr_ir_value *v[3] = {a, b, d};
  return tsr_lower_op(L, name, v, 3);
}

/* ---- operators that are nodes of their own */

static tsr_ir_value *unwrap(tsr_lower *L, tsr_ir_value *v, bool checked) {
  const tsr_type *t = v->type;
  if (t->kind != TSR_T_OPTIONAL && t->kind != TSR_T_NONE) return v;
  const tsr_type *inner = t->kind == TSR_T_NONE ? &tsr_type_unknown : t->args[0];
  if (!checked) return tsr_build_cast(L, v, inner);
  tsr_ir_node *node = tsr_build_node(L, TSR_IR_UNWRAP, 1, 1, 0);
  tsr_ir_set_input(node, 0, v);
  return tsr_build_out(L, node, inner);
}

static int elem_code(const tsr_type *t) {
  return t == &tsr_type_int ? 0 : t == &tsr_type_float ? 1 : t == &tsr_type_complex ? 2 : t == &tsr_type_bool ? 3 : -1;
}

/* x.tolist(): the expected type fixes nesting depth and element type. */
static tsr_ir_value *tolist(tsr_lower *L, tsr_ir_value *v, const tsr_type *hint, const tsr_ast *at) {
  if (hint == NULL)
    tsr_lower_fail(L, at, "Expected type hint for result of tolist()");
  const tsr_type *elem = hint;
  int64_t dim = 0;
  for (; elem->kind == TSR_T_LIST; elem = elem->args[0]) dim++;
  if (elem_code(elem) < 0)
    tsr_lower_fail(L, at, "%s is not one of the supported element types for tolist: int, float, complex, bool", tsr_compile_typename(L->c, elem));
  tsr_ir_value *in[3] = {v, tsr_build_const(L, tsr_int(dim), &tsr_type_int), tsr_build_const(L, tsr_int(elem_code(elem)), &tsr_type_int)};
  tsr_arg args[3] = {tsr_lower_arg(in[0]), tsr_lower_arg(in[1]), tsr_lower_arg(in[2])};
  const tsr_opset *set = tsr_opset_find(L->c, "prim::tolist", 12, false);
  tsr_matched m;
  if (set == NULL || !tsr_match(L->c, set->items, set->count, args, 3, &m, NULL)) return missing(L, "prim::tolist", args, 3, at, true);
  tsr_ir_value *out = emit_matched(L, &m, args, at);
  out->type = hint; /* the declared result is only "some list" */
  return out;
}

static tsr_ir_value *raise_op(tsr_lower *L, const tsr_arg *args, uint32_t n, const tsr_ast *at) {
  if (n < 1 || n > 2) tsr_lower_fail(L, at, "RaiseException takes a message and a class name");
  tsr_lower_raise(L, args[0].value, n == 2 ? args[1].value : tsr_build_none(L));
  return tsr_build_none(L);
}

static tsr_ir_value *tuple_item(tsr_lower *L, tsr_ir_value *t, tsr_ir_value *index, const tsr_ast *at) {
  uint32_t n = tsr_tuple_count(L, t->type);
  if (index->def == NULL || index->def->kind != TSR_IR_CONST || index->def->val.tag != TSR_V_INT) {
    /* a varying index is fine when all members are of one type: through a list */
    tsr_ir_value **items = tsr_compile_alloc(L->c, (n + 1) * sizeof *items);
    for (uint32_t i = 0; i < n; i++)
      if (tsr_tuple_member(L, t->type, i) != tsr_tuple_member(L, t->type, 0)) tsr_lower_fail(L, at, "tuple index must be a compile time constant");
    if (n == 0) tsr_lower_fail(L, at, "Tuple index out of range");
    tsr_build_unpack(L, t, n, items, at);
    return tsr_lower_op2(L, "aten::__getitem__", tsr_build_list(L, items[0]->type, items, n), index);
  }
  int64_t i = index->def->val.i < 0 ? index->def->val.i + n : index->def->val.i;
  if (i < 0 || i >= n) tsr_lower_fail(L, at, "Tuple index out of range. Tuple is length %u and index is %lld", n, (long long)index->def->val.i);
  return tsr_build_tuple_get(L, t, (uint32_t)i);
}

static tsr_ir_value *enum_value(tsr_lower *L, tsr_ir_value *v, const tsr_ast *at) {
  const tsr_class *cls = v->type->cls;
  tsr_class_rec(L->c, cls);
  if (cls->member_count == 0) tsr_lower_fail(L, at, "enum '%s' has no members", cls->name);
  const tsr_type *t = tsr_resolve_type_of(L->c, cls->member_values[0]);
  const tsr_opset *set = tsr_opset_find(L->c, "prim::EnumValue", 15, false);
  tsr_arg arg = tsr_lower_arg(v);
  for (size_t i = 0; set != NULL && i < set->count; i++) {
    tsr_matched m;
    if (set->items[i].schema->ret_count == 1 && (set->items[i].schema->rets[0].type == t || set->count == 1) &&
        tsr_match(L->c, &set->items[i], 1, &arg, 1, &m, NULL)) {
      tsr_ir_value *out = emit_matched(L, &m, &arg, at);
      out->type = t;
      return out;
    }
  }
  return missing(L, "prim::EnumValue", &arg, 1, at, true);
}

static bool is_tuple(const tsr_type *t) { return t->kind == TSR_T_TUPLE || t->kind == TSR_T_NAMEDTUPLE; }

/* The cast also raises what the function has raised. */
static tsr_ir_value *wait_for(tsr_lower *L, tsr_ir_value *future) {
  tsr_ir_value *v = tsr_build_cast(L, future, future->type->args[0]);
  v->def->slot = 1;
  return v;
}

/* NULL: an ordinary operator. */
static tsr_ir_value *special_op(tsr_lower *L, const char *name, const tsr_arg *args, uint32_t n, const tsr_type *hint, const tsr_ast *at) {
  const tsr_type *t0 = n > 0 ? args[0].type : &tsr_type_none;
  if (strcmp(name, "prim::RaiseException") == 0) return raise_op(L, args, n, at);
  if (n == 0) return NULL;
  if (strcmp(name, "aten::wait") == 0) return t0->kind == TSR_T_FUTURE ? wait_for(L, args[0].value) : NULL;
  if (strcmp(name, "prim::awaitable_wait") == 0) return t0->kind == TSR_T_AWAIT ? tsr_special_wait(L, args[0].value) : NULL;
  if (strcmp(name, "prim::awaitable_nowait") == 0) return tsr_special_nowait(L, args[0].value);
  if (strcmp(name, "aten::_unwrap_optional") == 0) return unwrap(L, args[0].value, true);
  if (strcmp(name, "prim::unchecked_unwrap_optional") == 0) return unwrap(L, args[0].value, false);
  if (strcmp(name, "aten::tolist") == 0 || (strcmp(name, "prim::tolist") == 0 && n == 1))
    return t0->kind == TSR_T_TENSOR ? tolist(L, args[0].value, hint, at) : NULL;
  if (strcmp(name, "prim::EnumValue") == 0 && t0->kind == TSR_T_ENUM) return enum_value(L, args[0].value, at);
  if (strcmp(name, "aten::len") == 0 && is_tuple(t0)) return tsr_build_const(L, tsr_int(tsr_tuple_count(L, t0)), &tsr_type_int);
  if (n == 2 && is_tuple(t0) && (strcmp(name, "aten::__getitem__") == 0 || strcmp(name, "prim::TupleIndex") == 0))
    return tuple_item(L, args[0].value, args[1].value, at);
  return NULL;
}

/* ---- methods */

static tsr_ir_value *call_interface(tsr_lower *L, tsr_ir_value *recv, tsr_fnrec *f, const tsr_arg *args, uint32_t n, const tsr_ast *at) {
  tsr_candidate cand = {f->fn.schema, NULL};
  tsr_matched m;
  const char *why = NULL;
  if (!tsr_match(L->c, &cand, 1, args, n, &m, &why)) tsr_lower_fail(L, at, "%s: %s", f->short_name, why == NULL ? "arguments do not match" : why);
  L->at = at;
  tsr_ir_value **in = tsr_compile_alloc(L->c, (f->fn.schema->param_count + 1) * sizeof *in);
  for (uint32_t i = 0; i < f->fn.schema->param_count; i++) in[i] = operand(L, &m, args, i);
  tsr_ir_node *node = tsr_build_node(L, TSR_IR_CALL_METHOD, f->fn.schema->param_count, 1, 0);
  for (uint32_t i = 0; i < f->fn.schema->param_count; i++) tsr_ir_set_input(node, i, in[i]);
  node->name = f->short_name;
  tsr_compiler *c = L->c;
  c->iface_calls = tsr_compile_grow(c, c->iface_calls, c->iface_count, sizeof *c->iface_calls);
  c->iface_calls[c->iface_count++] = (tsr_iface_call){recv->type->cls, f->short_name};
  c->iface_dirty = true;
  return tsr_build_out(L, node, f->fn.schema->rets[0].type == NULL ? &tsr_type_tensor : f->fn.schema->rets[0].type);
}

static TSR_NOINLINE tsr_sv call_value(tsr_lower *L, tsr_ir_value *callee, const arg_list *list, const tsr_ast *at);

/* What a class "__torch__.torch.classes.ns.Class" does is an operator: ns::Class_method. */
#define CUSTOM "__torch__.torch.classes."
static const char *custom_op(tsr_lower *L, const tsr_type *t, const char *name, uint32_t len) {
  const char *tail = t->name + strlen(CUSTOM), *dot = strrchr(tail, '.');
  if (dot == NULL) return tsr_compile_text(L->c, "classes::%s_%.*s", tail, (int)len, name);
  return tsr_compile_text(L->c, "%.*s::%s_%.*s", (int)(dot - tail), tail, dot + 1, (int)len, name);
}

/* args[0] is the receiver. */
static tsr_ir_value *call_method(tsr_lower *L, const char *name, uint32_t len, tsr_arg *args, uint32_t n, const tsr_type *hint, const tsr_ast *at) {
  tsr_ir_value *recv = args[0].value;
  const tsr_type *t = recv->type;
  if (tsr_is_unknown(t)) return missing(L, tsr_compile_text(L->c, "method %.*s", (int)len, name), args, n, at, false);
  if ((t->kind == TSR_T_CLASS || t->kind == TSR_T_INTERFACE) && t->cls != NULL && !t->cls->is_custom) {
    tsr_fnrec *f = tsr_class_find_method(L->c, t->cls, name, len);
    if (f != NULL) return t->kind == TSR_T_INTERFACE ? call_interface(L, recv, f, args, n, at) : call_function(L, f, args, n, at);
    tsr_ir_value *attr = t->kind == TSR_T_CLASS ? tsr_build_getattr(L, recv, name, len) : NULL;
    if (attr != NULL) {
      arg_list rest = {args + 1, n - 1};
      return call_value(L, attr, &rest, at).v;
    }
    tsr_lower_fail(L, at, "Tried to access nonexistent attribute or method '%.*s' of type '%s'", (int)len, name, tsr_compile_typename(L->c, t));
  }
  if (t->kind == TSR_T_CLASS && (t->cls != NULL || strncmp(t->name, CUSTOM, strlen(CUSTOM)) == 0)) return call_op(L, custom_op(L, t, name, len), args, n, hint, at);
  args[0].is_self = true;
  if (t->kind == TSR_T_TENSOR && len == 6 && memcmp(name, "tolist", 6) == 0) args[0].is_self = false;
  return call_op(L, tsr_compile_text(L->c, "aten::%.*s", (int)len, name), args, n, hint, at);
}

tsr_ir_value *tsr_lower_method(tsr_lower *L, tsr_ir_value *recv, const char *name, tsr_ir_value *const *vals, uint32_t n, const tsr_ast *at) {
  tsr_arg *args = tsr_compile_alloc(L->c, (n + 1) * sizeof *args);
  args[0] = tsr_lower_arg(recv);
  for (uint32_t i = 0; i < n; i++) args[i + 1] = tsr_lower_arg(vals[i]);
  return call_method(L, name, (uint32_t)strlen(name), args, n + 1, NULL, at);
}

/* ---- what may stand before the parentheses */

static tsr_arg *with_receiver(tsr_lower *L, tsr_ir_value *recv, const arg_list *list) {
  tsr_arg *args = tsr_compile_alloc(L->c, (list->count + 1) * sizeof *args);
  args[0] = tsr_lower_arg(recv);
  if (list->count > 0) memcpy(args + 1, list->items, list->count * sizeof *args);
  return args;
}

static TSR_NOINLINE tsr_sv call_value(tsr_lower *L, tsr_ir_value *callee, const arg_list *list, const tsr_ast *at) {
  const tsr_type *t = callee->type;
  tsr_arg *args = with_receiver(L, callee, list);
  if (tsr_is_unknown(t)) return tsr_sv_value(missing(L, "call of an unknown value", args, list->count + 1, at, false));
  if ((t->kind == TSR_T_CLASS || t->kind == TSR_T_INTERFACE) && t->cls != NULL) {
    const char *method = t->cls->is_module || t->kind == TSR_T_INTERFACE ? "forward" : "__call__";
    return tsr_sv_value(call_method(L, method, (uint32_t)strlen(method), args, list->count + 1, NULL, at));
  }
  tsr_lower_fail(L, at, "'%s' object is not callable", tsr_compile_typename(L->c, t));
}

/* Point(1, x, None) */
static TSR_NOINLINE tsr_ir_value *make_namedtuple(tsr_lower *L, const tsr_type *t, const arg_list *list, const tsr_ast *at) {
  const tsr_class *cls = t->cls;
  tsr_classrec *r = tsr_class_rec(L->c, cls);
  tsr_schema *s = tsr_compile_alloc(L->c, sizeof *s);
  s->name = t->name;
  s->overload = "";
  s->param_count = cls->attr_count;
  s->params = tsr_compile_alloc(L->c, (cls->attr_count + 1) * sizeof *s->params);
  for (uint32_t i = 0; i < cls->attr_count; i++) {
    s->params[i].name = cls->attr_names[i];
    s->params[i].type = cls->attr_types[i];
  }
  for (uint32_t i = 1; r->ast != NULL && i < r->ast->count; i++) {
    const tsr_ast *field = r->ast->kids[i];
    uint32_t slot;
    if (field->kind != TSR_AST_FIELD || tsr_ast_absent(field->kids[1]) || !tsr_class_find_attr(cls, field->text, field->len, &slot)) continue;
    s->params[slot].has_default = tsr_consteval(L->c, r->file, field->kids[1], cls->attr_types[slot], &s->params[slot].dflt);
  }
  tsr_candidate cand = {s, NULL};
  tsr_matched m;
  const char *why = NULL;
  if (!tsr_match(L->c, &cand, 1, list->items, list->count, &m, &why)) tsr_lower_fail(L, at, "%s: %s", t->name, why == NULL ? "fields do not match" : why);
  tsr_ir_value **items = tsr_compile_alloc(L->c, (cls->attr_count + 1) * sizeof *items);
  L->at = at;
  for (uint32_t i = 0; i < cls->attr_count; i++) items[i] = operand(L, &m, list->items, i);
  return tsr_build_tuple(L, t, items, cls->attr_count);
}

static TSR_NOINLINE tsr_ir_value *make_object(tsr_lower *L, const tsr_type *t) {
  if (t->kind == TSR_T_CLASS && t->cls != NULL && t->cls->is_custom) return call_op(L, custom_op(L, t, "__new__", 7), NULL, 0, NULL, L->at);
  if (t->kind != TSR_T_CLASS || t->cls == NULL)
    tsr_lower_fail(L, L->at, "cannot make an object of '%s'", tsr_compile_typename(L->c, t));
  tsr_class_instantiated(L->c, t->cls);
  tsr_ir_node *n = tsr_build_node(L, TSR_IR_NEW, 0, 1, 0);
  n->type = t;
  return tsr_build_out(L, n, t);
}

static TSR_NOINLINE tsr_ir_value *construct(tsr_lower *L, const tsr_type *t, const arg_list *list, const tsr_ast *at) {
  L->at = at;
  if (t->kind == TSR_T_NAMEDTUPLE) return make_namedtuple(L, t, list, at);
  tsr_ir_value *obj = make_object(L, t);
  if (tsr_is_unknown(obj->type)) return obj;
  if (!t->cls->is_custom && tsr_class_find_method(L->c, t->cls, "__init__", 8) == NULL) {
    if (list->count > 0) tsr_lower_fail(L, at, "class '%s' has no constructor", t->name);
    return obj;
  }
  call_method(L, "__init__", 8, with_receiver(L, obj, list), list->count + 1, NULL, at);
  return obj;
}

tsr_sv tsr_lower_call(tsr_lower *L, const tsr_ast *a, const tsr_type *hint) {
  const tsr_ast *callee = a->kids[0];
  tsr_sv sv = {.kind = TSR_SV_UNBOUND};
  if (callee->kind == TSR_AST_NAME) {
    sv = tsr_env_get(L, callee->text, callee->len);
    bool plain = sv.kind == TSR_SV_VALUE && sv.v->type->kind != TSR_T_CLASS && sv.v->type->kind != TSR_T_INTERFACE;
    tsr_sv special;
    if ((sv.kind == TSR_SV_UNBOUND || plain) && tsr_special_find(callee->text, callee->len, &special)) sv = special;
  }
  if (sv.kind == TSR_SV_UNBOUND) sv = tsr_lower_sugared(L, callee, NULL);
  if (sv.kind == TSR_SV_SPECIAL) return tsr_special_call(L, sv.special, a, hint);
  if (sv.kind == TSR_SV_NEW) {
    L->at = callee;
    return tsr_sv_value(make_object(L, sv.type));
  }
  arg_list list = {0};
  collect_args(L, a, &list);
  L->at = callee; /* what a traceback underlines */
  switch (sv.kind) {
  case TSR_SV_FUNCTION: return tsr_sv_value(call_function(L, sv.fn, list.items, list.count, callee));
  case TSR_SV_BUILTIN: return tsr_sv_value(call_op(L, sv.name, list.items, list.count, hint, callee));
  case TSR_SV_METHOD: return tsr_sv_value(call_method(L, sv.name, sv.len, with_receiver(L, sv.v, &list), list.count + 1, hint, callee));
  case TSR_SV_CLASS: return tsr_sv_value(construct(L, sv.type, &list, callee));
  case TSR_SV_VALUE: return call_value(L, sv.v, &list, callee);
  case TSR_SV_CLOSURE: {
    tsr_ir_node *n = tsr_build_node(L, TSR_IR_CALL_VALUE, 1, 1, 0);
    tsr_ir_set_input(n, 0, sv.v);
    return tsr_sv_value(tsr_build_out(L, n, sv.fn->fn.schema->rets[0].type));
  }
  default: tsr_lower_fail(L, a, "cannot call this expression");
  }
}
