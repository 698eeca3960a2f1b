/* A method of the stack machine to IR.  The compiler that wrote it made blocks from structured code, and
 * they are found again: JF … JMP is an If whose branches leave its results on the stack, LOOP … JMP a Loop.
 * Values on the stack become SSA values; a register holds one value until it is written again, and what a
 * block writes cannot be read after it.  Every index, jump and depth is checked here. */
#include "interp/lite.h"
#include "interp/lower.h"

typedef struct change { uint32_t reg; tsr_ir_value *before; } change;

typedef struct machine {
  tsr_lower L;
  const tsr_lite_code *k;
  tsr_ir_value **stack; size_t depth, floor; /* values below floor belong to enclosing blocks */
  tsr_ir_value **regs;
  change *log; size_t log_count;             /* writes inside blocks */
  uint32_t blocks;                           /* nesting */
  bool raised;                               /* the block has raised: what it leaves does not matter */
  uint32_t pc;
} machine;

static _Noreturn void refuse(machine *m, tsr_status status, const char *what) {
  tsr_compile_fail(m->L.c, NULL, NULL, status, "bytecode of '%s', instruction %u (%s): %s", m->L.fn->name, m->pc,
                   m->pc < m->k->ninsns ? tsr_lite_opcode_name(m->k->insns[m->pc].op) : "end", what);
}
static _Noreturn void bad(machine *m, const char *what) { refuse(m, TSR_EFORMAT, what); }

/* ---- stack and registers */

static void push(machine *m, tsr_ir_value *v) {
  m->stack = tsr_compile_grow(m->L.c, m->stack, m->depth, sizeof *m->stack);
  m->stack[m->depth++] = v;
}

static void need(machine *m, int64_t n) {
  if (n < 0 || (uint64_t)n > m->depth - m->floor) bad(m, "the stack holds too few values");
}

static tsr_ir_value *pop(machine *m) {
  need(m, 1);
  return m->stack[--m->depth];
}

/* The n top values, the topmost last. */
static tsr_ir_value **pop_many(machine *m, int64_t n) {
  need(m, n);
  m->depth -= (size_t)n;
  tsr_ir_value **v = tsr_compile_alloc(m->L.c, ((size_t)n + 1) * sizeof *v);
  if (n > 0) memcpy(v, m->stack + m->depth, (size_t)n * sizeof *v);
  return v;
}

static uint32_t reg_index(machine *m, int64_t r) {
  if (r < 1 || r > m->k->nregs) bad(m, "there is no such register");
  return (uint32_t)r - 1;
}

static void set_reg(machine *m, int64_t r, tsr_ir_value *v) {
  uint32_t i = reg_index(m, r);
  if (m->blocks > 0) {
    m->log = tsr_compile_grow(m->L.c, m->log, m->log_count, sizeof *m->log);
    m->log[m->log_count++] = (change){i, m->regs[i]};
  }
  m->regs[i] = v;
}

static tsr_ir_value *get_reg(machine *m, int64_t r) {
  tsr_ir_value *v = m->regs[reg_index(m, r)];
  if (v == NULL) bad(m, "the register holds no value here");
  return v;
}

static uint32_t table_index(machine *m, int64_t i, uint32_t count, const char *what) {
  if (i < 0 || i >= count) bad(m, what);
  return (uint32_t)i;
}

static const tsr_type *type_at(machine *m, int64_t i) { return tsr_lite_type(m->L.c, m->k->types[table_index(m, i, m->k->ntypes, "there is no such type")]); }

/* ---- values */

static bool is_uninit(const tsr_ir_value *v) { return v->def != NULL && v->def->kind == TSR_IR_UNINIT && v->def->type == &tsr_type_none; }

static tsr_ir_value *uninit(machine *m, const tsr_type *t) {
  tsr_ir_node *n = tsr_build_node(&m->L, TSR_IR_UNINIT, 0, 1, 0);
  n->type = t;
  return tsr_build_out(&m->L, n, t);
}

/* v as t, proven or checked when it runs. */
static tsr_ir_value *as(machine *m, tsr_ir_value *v, const tsr_type *t) { return is_uninit(v) && t != &tsr_type_none ? uninit(m, t) : tsr_build_cast(&m->L, v, t); }

static tsr_ir_value *constant(machine *m, uint32_t i) {
  tsr_val v = m->k->constants[i];
  return tsr_build_const(&m->L, v, tsr_resolve_type_of(m->L.c, v));
}

/* ---- operators */

static bool has_variable(const tsr_type *t) {
  if (t->kind == TSR_T_VAR) return true;
  if (t->kind == TSR_T_CLASS || t->kind == TSR_T_NAMEDTUPLE || t->kind == TSR_T_INTERFACE || t->kind == TSR_T_ENUM) return false;
  for (uint32_t i = 0; i < t->count; i++)
    if (has_variable(t->args[i])) return true;
  return false;
}

/* A list of whatever: true of every list as long as it is only read. */
static tsr_ir_value *any_list(machine *m, tsr_ir_value *v) {
  const tsr_type *t = tsr_resolve_list(m->L.c, &tsr_type_any);
  tsr_ir_value *list = as(m, v, &tsr_type_anylist);
  tsr_ir_node *n = tsr_build_node(&m->L, TSR_IR_CAST, 1, 1, 0);
  tsr_ir_set_input(n, 0, list);
  n->type = t;
  return tsr_build_out(&m->L, n, t);
}

/* A list that is written: of what the value put into it is (append, insert, item assignment). */
static tsr_ir_value *written_list(machine *m, const tsr_schema *s, tsr_ir_value *v, const tsr_type *var, tsr_ir_value **in, uint32_t n) {
  for (uint32_t i = 0; i < n && i < s->param_count; i++)
    if (s->params[i].type == var && !tsr_is_unknown(in[i]->type)) return as(m, v, tsr_resolve_list(m->L.c, in[i]->type));
  return v;
}

/* Arguments as the schema names them; those that a default fills are left out. */
static tsr_arg *bind_args(machine *m, const tsr_schema *s, tsr_ir_value **in, uint32_t n, bool checked) {
  tsr_arg *args = tsr_compile_alloc(m->L.c, (n + 1) * sizeof *args);
  uint32_t outs = 0, p = 0;
  for (uint32_t i = 0; i < s->param_count; i++) outs += s->params[i].is_out;
  if (outs > n) bad(m, "the operator takes more arguments");
  for (uint32_t i = 0; i < n; i++, p++) {
    if (i == n - outs)
      while (p < s->param_count && !s->params[p].is_out) p++;
    if (p >= s->param_count) {
      if (!s->vararg) bad(m, "the operator takes fewer arguments");
      args[i] = tsr_lower_arg(in[i]);
      continue;
    }
    const tsr_param *param = &s->params[p];
    tsr_ir_value *v = in[i];
    if (checked && !has_variable(param->type)) v = as(m, v, param->type);
    else if (checked && v->type->kind == TSR_T_OPTIONAL) v = as(m, v, v->type->args[0]);
    else if (checked && param->type->kind == TSR_T_LIST && v->type->kind != TSR_T_LIST && !param->is_mut) v = any_list(m, v);
    else if (checked && param->type->kind == TSR_T_LIST && v->type->kind != TSR_T_LIST) v = written_list(m, s, v, param->type->args[0], in, n);
    args[i] = tsr_lower_arg(v);
    if (param->kwarg_only) {
      args[i].keyword = param->name;
      args[i].keyword_len = (uint32_t)strlen(param->name);
    }
  }
  return args;
}

static void push_result(machine *m, tsr_ir_value *v, uint32_t count) {
  if (count == 0) return;
  if (count == 1) {
    push(m, v);
    return;
  }
  tsr_ir_value **out = tsr_compile_alloc(m->L.c, count * sizeof *out);
  tsr_build_unpack(&m->L, v, count, out, NULL);
  for (uint32_t i = 0; i < count; i++) push(m, out[i]);
}

static void missing(machine *m, const char *text, tsr_ir_value **in, uint32_t n) {
  tsr_ir_value *v = tsr_build_unknown(&m->L, text, in, n);
  tsr_opset_record_missing(m->L.c, text, v->def->loc);
  push(m, v);
}

/* Operators that are nodes of their own, and how many values they take when the file does not say. */
static const struct { const char *name; int nargs; bool result; } node_operators[] = {
    {"prim::RaiseException", 2, false}, {"aten::_unwrap_optional", 1, true}, {"prim::unchecked_unwrap_optional", 1, true},
    {"prim::TupleIndex", 2, true}, {"prim::TupleUnpack", 1, true}, {"prim::unchecked_cast", 1, true}, {"prim::Uninitialized", 0, true}};

static int64_t arity(machine *m, const tsr_lite_operator *o) {
  if (o->nargs >= 0) return o->nargs;
  for (size_t i = 0; i < TSR_COUNT(node_operators); i++)
    if (strcmp(node_operators[i].name, o->name) == 0) return node_operators[i].nargs;
  const tsr_candidate *cand = tsr_opset_overload(m->L.c, o->name, o->overload);
  return cand != NULL ? (int64_t)cand->schema->param_count : 1;
}

/* false: an ordinary one */
static bool special_operator(machine *m, const char *name, tsr_ir_value **in, uint32_t n) {
  tsr_lower *L = &m->L;
  if (strcmp(name, "prim::TupleUnpack") == 0 && n == 1) {
    if (in[0]->type->kind == TSR_T_OPTIONAL) in[0] = as(m, in[0], in[0]->type->args[0]);
    const tsr_type *t = in[0]->type;
    if (tsr_is_unknown(t)) refuse(m, TSR_EUNSUPPORTED, "the value to unpack comes from an operator that is not supported");
    if (t->kind != TSR_T_TUPLE) bad(m, "the value to unpack is not known to be a tuple");
    push_result(m, t->count == 1 ? tsr_build_tuple_get(L, in[0], 0) : in[0], t->count);
    return true;
  }
  if (strcmp(name, "prim::unchecked_cast") == 0 && n == 1) {
    push(m, in[0]);
    return true;
  }
  if (strcmp(name, "prim::Uninitialized") == 0 && n == 0) {
    push(m, uninit(m, &tsr_type_none));
    return true;
  }
  for (size_t i = 0; i < TSR_COUNT(node_operators); i++) {
    if (strcmp(node_operators[i].name, name) != 0) continue;
    tsr_ir_value *v = tsr_lower_op(L, name, in, n);
    if (node_operators[i].result) push(m, v);
    else m->raised = true;
    return true;
  }
  return false;
}

static _Noreturn void do_not_fit(machine *m, const char *text, tsr_ir_value **in, uint32_t n) {
  tsr_buf b = {0};
  for (uint32_t i = 0; i < n; i++) {
    if (i > 0) tsr_buf_puts(&b, ", ");
    tsr_type_print(in[i]->type, &b);
  }
  tsr_buf_putc(&b, 0);
  const char *types = tsr_compile_text(m->L.c, "%s", b.oom ? "?" : b.data);
  tsr_buf_dispose(&b);
  bad(m, tsr_compile_text(m->L.c, "arguments of types (%s) do not fit operator %s", types, text));
}

/* As the static types say; when they say too little, with checks at run time. */
static void call_operator(machine *m, const tsr_lite_operator *o, tsr_ir_value **in, uint32_t n) {
  tsr_lower *L = &m->L;
  const char *text = o->overload[0] == 0 ? o->name : tsr_compile_text(L->c, "%s.%s", o->name, o->overload);
  if (special_operator(m, o->name, in, n)) return;
  const tsr_candidate *cand = tsr_opset_overload(L->c, o->name, o->overload);
  if (cand == NULL) {
    missing(m, text, in, n);
    return;
  }
  const tsr_opset *set = tsr_opset_find(L->c, o->name, strlen(o->name), false);
  tsr_ir_value *v = tsr_lower_candidate(L, cand, bind_args(m, cand->schema, in, n, false), n);
  for (size_t i = 0; v == NULL && set != NULL && i < set->count; i++) /* what older versions allowed */
    if (set->items[i].fn != NULL && (v = tsr_lower_candidate(L, &set->items[i], bind_args(m, cand->schema, in, n, false), n)) != NULL) cand = &set->items[i];
  if (v == NULL) v = tsr_lower_candidate(L, cand, bind_args(m, cand->schema, in, n, true), n);
  if (v == NULL) do_not_fit(m, text, in, n);
  push_result(m, v, cand->fn != NULL ? 1 : cand->schema->ret_count);
}

static void run_op(machine *m, const tsr_lite_insn *in) {
  const tsr_lite_operator *o = &m->k->operators[table_index(m, in->x, m->k->noperators, "there is no such operator")];
  int64_t n = in->op == TSR_LITE_OP ? arity(m, o) : in->n;
  tsr_ir_value **args = pop_many(m, n);
  call_operator(m, o, args, (uint32_t)n);
}

/* An operator that version 8 writes as an instruction. */
static void promoted(machine *m, const char *name, const char *overload, int64_t n) {
  const tsr_lite_operator o = {name, overload, (int32_t)n};
  tsr_ir_value **args = pop_many(m, n);
  call_operator(m, &o, args, (uint32_t)n);
}

/* x.tolist() with depth and element type as numbers. */
static void to_list(machine *m) {
  static const tsr_type *const elems[] = {&tsr_type_int, &tsr_type_float, &tsr_type_complex, &tsr_type_bool};
  tsr_ir_value **in = pop_many(m, 3);
  const tsr_ir_node *dim = in[1]->def, *elem = in[2]->def;
  if (dim == NULL || elem == NULL || dim->kind != TSR_IR_CONST || elem->kind != TSR_IR_CONST || dim->val.tag != TSR_V_INT || elem->val.tag != TSR_V_INT ||
      dim->val.i < 0 || dim->val.i > 64 || elem->val.i < 0 || elem->val.i > 3)
    bad(m, "depth or element type is not constant");
  const tsr_type *t = elems[elem->val.i];
  for (int64_t i = 0; i < dim->val.i; i++) t = tsr_resolve_list(m->L.c, t);
  in[0] = as(m, in[0], &tsr_type_tensor);
  const tsr_candidate *cand = tsr_opset_overload(m->L.c, "prim::tolist", "");
  tsr_ir_value *v = cand == NULL ? NULL : tsr_lower_candidate(&m->L, cand, bind_args(m, cand->schema, in, 3, false), 3);
  if (v == NULL) bad(m, "operator prim::tolist is missing");
  v->type = t;
  push(m, v);
}

/* ---- containers */

static void construct_list(machine *m, const tsr_lite_insn *in) {
  const tsr_type *t = type_at(m, in->x);
  tsr_ir_value **v = pop_many(m, in->n);
  if (t->kind != TSR_T_LIST) t = tsr_resolve_list(m->L.c, &tsr_type_any);
  for (int64_t i = 0; i < in->n; i++) v[i] = as(m, v[i], t->args[0]);
  push(m, tsr_build_list(&m->L, t->args[0], v, (uint32_t)in->n));
}

static void construct_dict(machine *m, const tsr_lite_insn *in) {
  const tsr_type *t = type_at(m, in->x);
  tsr_ir_value **v = pop_many(m, in->n);
  if (t->kind != TSR_T_DICT || in->n % 2 != 0) bad(m, "not a dict");
  for (int64_t i = 0; i < in->n; i++) v[i] = as(m, v[i], t->args[i % 2]);
  tsr_ir_node *n = tsr_build_node(&m->L, TSR_IR_DICT, (uint32_t)in->n, 1, 0);
  for (int64_t i = 0; i < in->n; i++) tsr_ir_set_input(n, (uint32_t)i, v[i]);
  n->type = t;
  push(m, tsr_build_out(&m->L, n, t));
}

static void slice_tuple(machine *m, const tsr_lite_insn *in) {
  tsr_ir_value *t = pop(m);
  if (t->type->kind != TSR_T_TUPLE || in->x < 0 || in->n < 0 || (int64_t)in->x + in->n > t->type->count) bad(m, "the slice is outside the tuple");
  tsr_ir_value **v = tsr_compile_alloc(m->L.c, ((size_t)in->n + 1) * sizeof *v);
  for (int32_t i = 0; i < in->n; i++) v[i] = tsr_build_tuple_get(&m->L, t, (uint32_t)(in->x + i));
  push(m, tsr_build_tuple(&m->L, NULL, v, (uint32_t)in->n));
}

static void unpack_list(machine *m, int64_t n) {
  tsr_ir_value *list = pop(m);
  if (n < 0 || n > 1 << 16) bad(m, "bad count");
  if (list->type->kind != TSR_T_LIST && list->type->kind != TSR_T_TUPLE && !tsr_is_unknown(list->type)) list = as(m, list, tsr_resolve_list(m->L.c, &tsr_type_any));
  tsr_ir_value **out = tsr_compile_alloc(m->L.c, ((size_t)n + 1) * sizeof *out);
  tsr_build_unpack(&m->L, list, (uint32_t)n, out, NULL);
  for (int64_t i = 0; i < n; i++) push(m, out[i]);
}

static void test_type(machine *m, const tsr_lite_insn *in) {
  if (in->n < 1 || in->n > 1 << 10) bad(m, "bad count");
  const tsr_type **types = tsr_compile_alloc(m->L.c, (size_t)in->n * sizeof *types);
  for (int32_t i = 0; i < in->n; i++) types[i] = type_at(m, (int64_t)in->x + i);
  tsr_ir_value *v = pop(m);
  int known = tsr_special_isinstance(&m->L, v->type, types, (uint32_t)in->n);
  push(m, known >= 0 ? tsr_build_const(&m->L, tsr_bool(known), &tsr_type_bool) : tsr_special_test(&m->L, v, types, (uint32_t)in->n));
}

/* ---- objects */

static const tsr_class *class_of(machine *m, const tsr_ir_value *obj) {
  const tsr_type *t = obj->type;
  if (t->kind != TSR_T_CLASS || t->cls == NULL || t->cls->is_custom) refuse(m, TSR_EUNSUPPORTED, "the class of the object is not known before it runs");
  return t->cls;
}

static void get_attr(machine *m, int64_t slot) {
  tsr_ir_value *obj = pop(m);
  const tsr_class *cls = class_of(m, obj);
  uint32_t i = table_index(m, slot, cls->attr_count, "the object has no such attribute");
  tsr_ir_node *n = tsr_build_node(&m->L, TSR_IR_GETATTR, 1, 1, 0);
  tsr_ir_set_input(n, 0, obj);
  n->name = cls->attr_names[i];
  n->slot = i;
  push(m, tsr_build_out(&m->L, n, cls->attr_types[i]));
}

static void set_attr(machine *m, int64_t slot) {
  tsr_ir_value *v = pop(m), *obj = pop(m);
  const tsr_class *cls = class_of(m, obj);
  uint32_t i = table_index(m, slot, cls->attr_count, "the object has no such attribute");
  v = as(m, v, cls->attr_types[i]);
  tsr_ir_node *n = tsr_build_node(&m->L, TSR_IR_SETATTR, 2, 0, 0);
  tsr_ir_set_input(n, 0, obj);
  tsr_ir_set_input(n, 1, v);
  n->name = cls->attr_names[i];
  n->slot = i;
}

static void call_method(machine *m, const tsr_lite_insn *in) {
  tsr_lower *L = &m->L;
  tsr_val name = m->k->constants[table_index(m, in->x, m->k->nconstants, "there is no such constant")];
  if (name.tag != TSR_V_STR || in->n < 1) bad(m, "the method has no name");
  tsr_ir_value **args = pop_many(m, in->n);
  tsr_fnrec *f = tsr_class_find_method(L->c, class_of(m, args[0]), name.s->bytes, name.s->len);
  if (f == NULL) bad(m, "the object has no such method");
  if (f->fn.schema->param_count != (uint32_t)in->n) bad(m, "the method takes another number of arguments");
  for (int32_t i = 0; i < in->n; i++) args[i] = as(m, args[i], f->fn.schema->params[i].type);
  tsr_ir_node *n = tsr_build_node(L, TSR_IR_CALL, (uint32_t)in->n, 1, 0);
  for (int32_t i = 0; i < in->n; i++) tsr_ir_set_input(n, (uint32_t)i, args[i]);
  n->callee = &f->fn;
  tsr_lower_enqueue(L->c, f);
  tsr_lower_add_callee(L, f);
  push(m, tsr_build_out(L, n, f->fn.schema->rets[0].type));
}

/* ---- blocks */

static void run(machine *m, uint32_t end);

static uint32_t target(machine *m, int64_t offset, uint32_t lo, uint32_t hi) {
  int64_t to = (int64_t)m->pc + offset;
  if (to < lo || to > hi) bad(m, "the jump leaves its block");
  return (uint32_t)to;
}

/* Translates [pc, end) into block; what it leaves above the floor is returned, registers that it wrote are forgotten. */
static tsr_ir_value **run_block(machine *m, tsr_ir_block *block, uint32_t end, size_t *count) {
  tsr_ir_block *outer = m->L.block;
  size_t mark = m->log_count;
  m->L.block = block;
  m->blocks++;
  run(m, end);
  *count = m->depth - m->floor;
  tsr_ir_value **out = pop_many(m, (int64_t)*count);
  for (size_t i = m->log_count; i > mark; i--) m->regs[m->log[i - 1].reg] = m->log[i - 1].before;
  m->blocks--;
  m->L.block = outer;
  return out;
}

/* Registers that the blocks since mark wrote hold nothing afterwards; the writes belong to the enclosing block. */
static void forget(machine *m, size_t mark) {
  for (size_t i = mark; i < m->log_count; i++) m->regs[m->log[i].reg] = NULL;
  if (m->blocks == 0) m->log_count = mark;
}

static void locate(machine *m) {
  const tsr_lite_insn *in = &m->k->insns[m->pc];
  tsr_loc *loc = tsr_compile_alloc(m->L.c, sizeof *loc);
  *loc = (tsr_loc){.src = &m->L.file->src, .begin = in->begin, .end = in->end, .function = m->L.rec->short_name};
  m->L.loc = loc;
  m->L.at = m->L.loc_at = NULL;
}

static const tsr_type *join(machine *m, tsr_ir_value *a, tsr_ir_value *b) {
  if (is_uninit(a)) return b->type;
  if (is_uninit(b)) return a->type;
  const tsr_type *t = tsr_resolve_unify(m->L.c, a->type, b->type);
  return t == NULL ? &tsr_type_any : t;
}

static void run_if(machine *m, uint32_t end) {
  tsr_lower *L = &m->L;
  uint32_t at = m->pc;
  tsr_ir_value *cond = as(m, pop(m), &tsr_type_bool);
  uint32_t other = target(m, m->k->insns[at].x, at + 2, end), jump = other - 1;
  if (m->k->insns[jump].op != TSR_LITE_JMP) bad(m, "a branch does not end in a jump");
  tsr_ir_node *n = tsr_build_node(L, TSR_IR_IF, 1, 0, 2);
  tsr_ir_set_input(n, 0, cond);
  size_t floor = m->floor, mark = m->log_count, count[2];
  m->floor = m->depth;
  m->pc = at + 1;
  tsr_ir_value **v[2];
  bool before = m->raised, raised[2];
  m->raised = false;
  v[0] = run_block(m, n->blocks[0], jump, &count[0]);
  raised[0] = m->raised;
  m->pc = jump;
  uint32_t after = target(m, m->k->insns[jump].x, other, end);
  m->pc = other;
  m->raised = false;
  v[1] = run_block(m, n->blocks[1], after, &count[1]);
  raised[1] = m->raised;
  m->raised = before;
  m->pc = at;
  for (int i = 0; i < 2; i++) { /* messages that an older raise did not take are left over */
    if (!raised[i] || count[i] <= count[1 - i]) continue;
    v[i] += count[i] - count[1 - i];
    count[i] = count[1 - i];
  }
  if (count[0] != count[1]) bad(m, "the branches leave different numbers of values");
  forget(m, mark);
  m->floor = floor;
  tsr_ir_block *outer = L->block;
  for (size_t i = 0; i < count[0]; i++) {
    const tsr_type *t = join(m, v[0][i], v[1][i]);
    for (int k = 0; k < 2; k++) {
      L->block = n->blocks[k];
      tsr_ir_value *r = as(m, v[k][i], t);
      tsr_build_ret(L, n->blocks[k], r);
    }
    L->block = outer;
    push(m, tsr_build_out(L, n, t));
  }
  m->pc = after;
}

static bool writes_register(uint8_t op) { return op == TSR_LITE_STORE || op == TSR_LITE_STOREN || op == TSR_LITE_MOVE || op == TSR_LITE_DROPR; }

/* The stack holds count 0, limit, condition and the carried values; the body finds the count and those. */
static void run_loop(machine *m, uint32_t end) {
  tsr_lower *L = &m->L;
  uint32_t at = m->pc;
  const tsr_lite_insn *in = &m->k->insns[at];
  if (in->n < 2) bad(m, "a loop needs a limit and a condition");
  tsr_ir_value **v = pop_many(m, (int64_t)in->n + 1);
  uint32_t after = target(m, in->x, at + 2, end), jump = after - 1, carried = (uint32_t)in->n - 2;
  const tsr_lite_insn *back = &m->k->insns[jump];
  if (back->op != TSR_LITE_JMP || (int64_t)jump + back->x != at) bad(m, "a loop does not jump back to its start");
  const tsr_ir_node *first = v[0]->def;
  if (first == NULL || first->kind != TSR_IR_CONST || first->val.tag != TSR_V_INT || first->val.i != 0) bad(m, "a loop does not count from 0");
  for (uint32_t i = 0; i < carried; i++)
    if (is_uninit(v[3 + i]) || v[3 + i]->type == &tsr_type_none) v[3 + i] = as(m, v[3 + i], &tsr_type_any);
  v[1] = as(m, v[1], &tsr_type_int);
  v[2] = as(m, v[2], &tsr_type_bool);
  tsr_ir_node *n = tsr_build_node(L, TSR_IR_LOOP, carried + 2, 0, 1);
  for (uint32_t i = 0; i < carried + 2; i++) tsr_ir_set_input(n, i, v[1 + i]);
  size_t floor = m->floor, mark = m->log_count, count;
  m->floor = m->depth;
  m->blocks++;
  for (uint32_t i = at + 1; i < jump; i++) /* a later round must not see what an earlier one left */
    if (writes_register(m->k->insns[i].op) && m->k->insns[i].op != TSR_LITE_STOREN && m->k->insns[i].x >= 1 && m->k->insns[i].x <= (int64_t)m->k->nregs &&
        m->regs[m->k->insns[i].x - 1] != NULL)
      set_reg(m, m->k->insns[i].x, NULL);
  m->blocks--;
  tsr_ir_block *body = n->blocks[0];
  push(m, tsr_build_param(L, body, &tsr_type_int, NULL));
  for (uint32_t i = 0; i < carried; i++) push(m, tsr_build_param(L, body, v[3 + i]->type, NULL));
  m->pc = at + 1;
  tsr_ir_value **r = run_block(m, body, jump, &count);
  m->pc = at;
  if (count != carried + 1) bad(m, "the body of a loop leaves another number of values");
  forget(m, mark);
  m->floor = floor;
  tsr_ir_block *outer = L->block;
  L->block = body;
  for (uint32_t i = 0; i <= carried; i++) r[i] = as(m, r[i], i == 0 ? &tsr_type_bool : v[2 + i]->type);
  for (uint32_t i = 0; i <= carried; i++) tsr_build_ret(L, body, r[i]);
  L->block = outer;
  for (uint32_t i = 0; i < carried; i++) push(m, tsr_build_out(L, n, v[3 + i]->type));
  m->pc = after;
}

/* ---- instructions */

static void step(machine *m, const tsr_lite_insn *in) {
  tsr_lower *L = &m->L;
  switch ((tsr_lite_opcode)in->op) {
  case TSR_LITE_OP: case TSR_LITE_OPN: run_op(m, in); break;
  case TSR_LITE_LOAD: push(m, get_reg(m, in->x)); break;
  case TSR_LITE_MOVE: push(m, get_reg(m, in->x)), set_reg(m, in->x, NULL); break;
  case TSR_LITE_STORE: set_reg(m, in->x, pop(m)); break;
  case TSR_LITE_STOREN: {
    tsr_ir_value **v = pop_many(m, in->n);
    for (int32_t i = 0; i < in->n; i++) set_reg(m, (int64_t)in->x + i, v[i]);
    break;
  }
  case TSR_LITE_DROP: pop(m); break;
  case TSR_LITE_DROPR: set_reg(m, in->x, NULL); break;
  case TSR_LITE_LOADC: push(m, constant(m, table_index(m, in->x, m->k->nconstants, "there is no such constant"))); break;
  case TSR_LITE_GET_ATTR: get_attr(m, in->x); break;
  case TSR_LITE_SET_ATTR: set_attr(m, in->x); break;
  case TSR_LITE_LIST_UNPACK: unpack_list(m, in->x); break;
  case TSR_LITE_TUPLE_CONSTRUCT: {
    tsr_ir_value **v = pop_many(m, in->x);
    push(m, tsr_build_tuple(L, NULL, v, (uint32_t)in->x));
    break;
  }
  case TSR_LITE_NAMED_TUPLE_CONSTRUCT: {
    tsr_ir_value **v = pop_many(m, in->n);
    push(m, tsr_build_tuple(L, NULL, v, (uint32_t)in->n));
    break;
  }
  case TSR_LITE_LIST_CONSTRUCT: construct_list(m, in); break;
  case TSR_LITE_DICT_CONSTRUCT: construct_dict(m, in); break;
  case TSR_LITE_ISINSTANCE: test_type(m, in); break;
  case TSR_LITE_TUPLE_SLICE: slice_tuple(m, in); break;
  case TSR_LITE_TUPLE_INDEX: promoted(m, "prim::TupleIndex", "", 2); break;
  case TSR_LITE_DICT_INDEX: {
    tsr_ir_value **v = pop_many(m, 2);
    push(m, tsr_lower_op(L, "aten::__getitem__", v, 2));
    break;
  }
  case TSR_LITE_RAISE_EXCEPTION: {
    tsr_ir_value **v = pop_many(m, 2);
    tsr_lower_raise(L, as(m, v[0], &tsr_type_str), v[1]);
    m->raised = true;
    break;
  }
  case TSR_LITE_UNCHECKED_CAST: need(m, 1); break;
  case TSR_LITE_UN_INITIALIZED: push(m, uninit(m, &tsr_type_none)); break;
  case TSR_LITE___IS__: promoted(m, "aten::__is__", "", 2); break;
  case TSR_LITE___ISNOT__: promoted(m, "aten::__isnot__", "", 2); break;
  case TSR_LITE___NOT__: promoted(m, "aten::__not__", "", 1); break;
  case TSR_LITE_FORMAT: promoted(m, "aten::format", "", in->x); break;
  case TSR_LITE_DEVICE: promoted(m, "prim::device", "", 1); break;
  case TSR_LITE_DTYPE: promoted(m, "prim::dtype", "", 1); break;
  case TSR_LITE_DIM: promoted(m, "aten::dim", "", 1); break;
  case TSR_LITE_TO_LIST: to_list(m); break;
  case TSR_LITE_NUM_TO_TENSOR: promoted(m, "prim::NumToTensor", "Scalar", 1); break;
  case TSR_LITE_IS_CUDA: promoted(m, "prim::is_cuda", "", 1); break;
  case TSR_LITE_WARN: promoted(m, "aten::warn", "", 2); break;
  case TSR_LITE_INTERFACE_CALL: call_method(m, in); break;
  case TSR_LITE_CREATE_OBJECT: refuse(m, TSR_EUNSUPPORTED, "objects cannot be made without their code");
  case TSR_LITE_CALL: refuse(m, TSR_EUNSUPPORTED, "calls of functions are not supported");
  default: bad(m, "the instruction is out of place");
  }
}

/* Up to end, exclusive. */
static void run(machine *m, uint32_t end) {
  tsr_compile_depth(m->L.c, NULL, NULL);
  while (m->pc < end) {
    const tsr_lite_insn *in = &m->k->insns[m->pc];
    locate(m);
    if (in->op == TSR_LITE_JF) {
      run_if(m, end);
    } else if (in->op == TSR_LITE_LOOP) {
      run_loop(m, end);
    } else {
      step(m, in);
      m->pc++;
    }
  }
}

void tsr_lite_lower(tsr_compiler *c, tsr_fnrec *f) {
  const tsr_lite_code *k = f->lite;
  machine *m = tsr_compile_alloc(c, sizeof *m);
  m->k = k;
  m->L = (tsr_lower){.c = c, .rec = f, .fn = &f->fn, .file = f->file, .block = f->fn.body};
  m->regs = tsr_compile_alloc(c, (k->nregs + 1) * sizeof *m->regs);
  tsr_schema *s = f->fn.schema;
  if (k->ninsns == 0 || k->insns[k->ninsns - 1].op != TSR_LITE_RET) {
    m->pc = k->ninsns;
    bad(m, "the method does not end in RET");
  }
  for (uint32_t i = 0; i < s->param_count; i++) push(m, tsr_build_param(&m->L, f->fn.body, s->params[i].type, s->params[i].name));
  run(m, k->ninsns - 1);
  m->pc = k->ninsns - 1;
  locate(m);
  tsr_ir_value *v = m->depth > 0 ? pop(m) : tsr_build_none(&m->L);
  tsr_build_ret(&m->L, f->fn.body, as(m, v, s->rets[0].type));
}
