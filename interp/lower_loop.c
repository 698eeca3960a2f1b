/* Loops: while, for over ranges, containers, zip and enumerate, comprehensions. */
#include "interp/lower.h"

static tsr_ir_value *int_const(tsr_lower *L, int64_t i) { return tsr_build_const(L, tsr_int(i), &tsr_type_int); }
static tsr_ir_value *bool_const(tsr_lower *L, bool b) { return tsr_build_const(L, tsr_bool(b), &tsr_type_bool); }

/* ---- which variables a body assigns */

typedef struct name_set { tsr_var **items; uint32_t count; } name_set;

static void add_name(tsr_lower *L, name_set *set, const char *name, uint32_t len) {
  tsr_var *var = tsr_env_var(L, name, len);
  if (var->mark != 0) return;
  set->items = tsr_compile_grow(L->c, set->items, set->count, sizeof *set->items);
  set->items[set->count++] = var;
  var->mark = 1;
}

static void scan_targets(tsr_lower *L, name_set *set, const tsr_ast *a) {
  if (a->kind == TSR_AST_NAME) add_name(L, set, a->text, a->len);
  if (a->kind == TSR_AST_TARGETS || a->kind == TSR_AST_TUPLE || a->kind == TSR_AST_STARRED)
    for (uint32_t i = 0; i < a->count; i++) scan_targets(L, set, a->kids[i]);
}

static void scan(tsr_lower *L, name_set *set, const tsr_ast *a) {
  tsr_compile_depth(L->c, L->file, a);
  switch (a->kind) {
  case TSR_AST_BLOCK:
    for (uint32_t i = 0; i < a->count; i++) scan(L, set, a->kids[i]);
    break;
  case TSR_AST_ASSIGN: case TSR_AST_AUGASSIGN: scan_targets(L, set, a->kids[0]); break;
  case TSR_AST_IF: scan(L, set, a->kids[1]); scan(L, set, a->kids[2]); break;
  case TSR_AST_WHILE: scan(L, set, a->kids[1]); break;
  case TSR_AST_FOR: scan_targets(L, set, a->kids[0]); scan(L, set, a->kids[2]); break;
  case TSR_AST_WITH:
    for (uint32_t i = 1; i < a->count; i++) scan_targets(L, set, a->kids[i]->kids[1]);
    scan(L, set, a->kids[0]);
    break;
  default: break;
  }
}

/* ---- the loop itself */

typedef struct loop {
  const tsr_ast *at;
  const tsr_ast *body;          /* BLOCK; or NULL with */
  const tsr_ast *condition;     /* of a while; NULL: true */
  tsr_ir_value *trip, *first;   /* trip count, condition before the first round */
  void (*begin)(tsr_lower *L, tsr_ir_value *i, void *arg); /* binds the targets; does the work when there is no body */
  void *arg;
} loop;

static tsr_ir_value *next_condition(tsr_lower *L, const loop *lp, unsigned ex) {
  if ((ex & TSR_EXIT_ALWAYS) && !(ex & TSR_EXIT_CONTINUE)) {
    if (!(ex & (TSR_EXIT_BREAK | TSR_EXIT_RETURN))) return bool_const(L, false);
  }
  unsigned leaving = ex & (TSR_EXIT_BREAK | TSR_EXIT_RETURN);
  if (leaving == 0) return lp->condition == NULL ? bool_const(L, true) : tsr_lower_condition(L, lp->condition);
  tsr_ir_value *flag = tsr_lower_flag(L, leaving);
  tsr_ir_node *n = tsr_build_node(L, TSR_IR_IF, 1, 1, 2);
  tsr_ir_set_input(n, 0, flag);
  tsr_ir_block *outer = L->block;
  L->block = n->blocks[0];
  tsr_build_ret(L, L->block, bool_const(L, false));
  L->block = n->blocks[1];
  tsr_ir_value *again = lp->condition == NULL ? bool_const(L, true) : tsr_lower_condition(L, lp->condition);
  tsr_build_ret(L, L->block, again);
  L->block = outer;
  return tsr_build_out(L, n, &tsr_type_bool);
}

static void carry_back(tsr_lower *L, tsr_ir_node *n, const loop *lp, tsr_var *var, tsr_ir_value *param) {
  tsr_sv sv = tsr_env_get(L, var->name, var->len);
  tsr_ir_value *v = sv.kind == TSR_SV_VALUE ? sv.v : param;
  if (!tsr_resolve_subtype(L->c, v->type, param->type)) {
    tsr_ir_value *c = tsr_lower_convert(L, v, param->type);
    if (c == NULL)
      tsr_lower_fail(L, lp->at, "Variable '%.*s' previously had type %s but is now being assigned to a value of type %s", (int)var->len, var->name,
                     tsr_compile_typename(L->c, param->type), tsr_compile_typename(L->c, v->type));
    v = c;
  }
  tsr_build_ret(L, n->blocks[0], v);
}

static void add_flags(tsr_lower *L, const loop *lp, name_set *set) {
  if (lp->body == NULL) return;
  if (tsr_lower_has(lp->body, TSR_AST_BREAK, false)) {
    tsr_env_set(L, "$brk", 4, tsr_sv_value(bool_const(L, false)));
    add_name(L, set, "$brk", 4);
  }
  if (tsr_lower_has(lp->body, TSR_AST_RETURN, true)) {
    if (L->ret == NULL) tsr_lower_fail(L, lp->at, "a return inside a loop needs a return annotation");
    if (tsr_env_get(L, "$val", 4).kind != TSR_SV_VALUE) {
      tsr_ir_node *n = tsr_build_node(L, TSR_IR_UNINIT, 0, 1, 0);
      n->type = L->ret;
      tsr_env_set(L, "$val", 4, tsr_sv_value(tsr_build_out(L, n, L->ret)));
    }
    add_name(L, set, "$ret", 4);
    add_name(L, set, "$val", 4);
  }
}

static unsigned lower_loop(tsr_lower *L, const loop *lp) {
  name_set set = {0};
  if (lp->body != NULL) scan(L, &set, lp->body);
  L->at = lp->at;
  add_flags(L, lp, &set);
  uint32_t carried = 0;
  for (uint32_t i = 0; i < set.count; i++) { /* those that have a value now; the others live in the body only */
    set.items[i]->mark = 0;
    if (tsr_env_get(L, set.items[i]->name, set.items[i]->len).kind == TSR_SV_VALUE) set.items[carried++] = set.items[i];
  }
  tsr_ir_node *n = tsr_build_node(L, TSR_IR_LOOP, carried + 2, carried, 1);
  tsr_ir_set_input(n, 0, lp->trip);
  tsr_ir_set_input(n, 1, lp->first);
  tsr_ir_block *outer = L->block;
  tsr_frame f;
  tsr_change *changes;
  uint32_t count;
  L->block = n->blocks[0];
  tsr_env_enter(L, &f);
  tsr_ir_value *i = tsr_build_param(L, n->blocks[0], &tsr_type_int, NULL);
  tsr_ir_value **params = tsr_compile_alloc(L->c, (carried + 1) * sizeof *params);
  for (uint32_t k = 0; k < carried; k++) {
    tsr_ir_value *now = tsr_env_get(L, set.items[k]->name, set.items[k]->len).v;
    tsr_ir_set_input(n, k + 2, now);
    params[k] = tsr_build_param(L, n->blocks[0], now->type, NULL);
    tsr_env_set_var(L, set.items[k], tsr_sv_value(params[k]));
  }
  if (lp->body != NULL && tsr_lower_has(lp->body, TSR_AST_CONTINUE, false)) tsr_env_set(L, "$cont", 5, tsr_sv_value(bool_const(L, false)));
  if (lp->begin != NULL) lp->begin(L, i, lp->arg);
  unsigned ex = lp->body == NULL ? 0 : tsr_lower_stmts(L, lp->body->kids, lp->body->count);
  L->at = lp->at;
  tsr_build_ret(L, n->blocks[0], next_condition(L, lp, ex));
  for (uint32_t k = 0; k < carried; k++) carry_back(L, n, lp, set.items[k], params[k]);
  tsr_env_leave(L, &f, &changes, &count);
  L->block = outer;
  L->at = lp->at;
  for (uint32_t k = 0; k < carried; k++) {
    bool known = !tsr_is_unknown(params[k]->type);
    const tsr_type *t = known ? params[k]->type : n->blocks[0]->rets[k + 1]->type;
    tsr_env_set_var(L, set.items[k], tsr_sv_value(tsr_build_out(L, n, t)));
  }
  return ex & TSR_EXIT_RETURN;
}

unsigned tsr_lower_while(tsr_lower *L, const tsr_ast *a) {
  L->at = a;
  tsr_ir_value *trip = int_const(L, INT64_MAX);
  loop lp = {.at = a, .body = a->kids[1], .condition = a->kids[0], .trip = trip, .first = tsr_lower_condition(L, a->kids[0])};
  return lower_loop(L, &lp);
}

/* ---- what a for goes over */

typedef enum iter_kind { ITER_RANGE, ITER_ITEMS, ITER_ZIP, ITER_ENUMERATE } iter_kind;

typedef struct iter {
  iter_kind kind;
  tsr_ir_value *len;
  tsr_ir_value *a, *step;    /* range: start (NULL: 0), step; items: the container; enumerate: start */
  struct iter *kids; uint32_t count;
} iter;

static bool is_call_of(tsr_lower *L, const tsr_ast *a, const char *name) {
  if (a->kind != TSR_AST_CALL || a->kids[0]->kind != TSR_AST_NAME || !tsr_ast_is(a->kids[0], name)) return false;
  tsr_sv sv = tsr_env_get(L, a->kids[0]->text, a->kids[0]->len);
  return sv.kind == TSR_SV_UNBOUND || (sv.kind == TSR_SV_VALUE && sv.v->type->kind != TSR_T_CLASS);
}

static tsr_ir_value *int_arg(tsr_lower *L, const tsr_ast *a) {
  tsr_ir_value *v = tsr_lower_expr(L, a, NULL), *c;
  L->at = a;
  c = tsr_lower_convert(L, v, &tsr_type_int);
  if (c == NULL) tsr_lower_fail(L, a, "range() expects int arguments, found '%s'", tsr_compile_typename(L->c, v->type));
  return c;
}

static iter iter_range(tsr_lower *L, const tsr_ast *a) {
  iter it = {.kind = ITER_RANGE};
  if (a->count < 2 || a->count > 4) tsr_lower_fail(L, a, "range expected 1 to 3 arguments, got %u", a->count - 1);
  if (a->count == 2) {
    it.len = int_arg(L, a->kids[1]);
    return it;
  }
  it.a = int_arg(L, a->kids[1]);
  tsr_ir_value *end = int_arg(L, a->kids[2]);
  L->at = a;
  it.step = a->count == 4 ? int_arg(L, a->kids[3]) : int_const(L, 1);
  L->at = a;
  it.len = tsr_lower_op3(L, "aten::__range_length", it.a, end, it.step);
  return it;
}

static iter iter_items(tsr_lower *L, tsr_ir_value *v, const tsr_ast *at) {
  iter it = {.kind = ITER_ITEMS, .a = v};
  const tsr_type *t = v->type;
  L->at = at;
  if (t->kind == TSR_T_TUPLE && t->count > 0) { /* inside zip: members of one type go through a list */
    tsr_ir_value **items = tsr_compile_alloc(L->c, t->count * sizeof *items);
    tsr_build_unpack(L, v, t->count, items, at);
    it.a = v = tsr_build_list(L, t->args[0], items, t->count);
  } else if (t->kind == TSR_T_DICT) {
    it.a = v = tsr_lower_op1(L, "aten::keys", v);
  } else if (t->kind != TSR_T_LIST && t->kind != TSR_T_STR && t->kind != TSR_T_TENSOR && !tsr_is_unknown(t)) {
    tsr_lower_fail(L, at, "'%s' object is not iterable", tsr_compile_typename(L->c, t));
  }
  it.len = tsr_lower_op1(L, "aten::len", v);
  return it;
}

static iter make_iter(tsr_lower *L, const tsr_ast *a);

static iter iter_zip(tsr_lower *L, const tsr_ast *a) {
  iter it = {.kind = ITER_ZIP, .count = a->count - 1};
  if (it.count == 0) tsr_lower_fail(L, a, "zip expected at least 1 arguments, got 0");
  it.kids = tsr_compile_alloc(L->c, it.count * sizeof *it.kids);
  tsr_ir_value **lens = tsr_compile_alloc(L->c, it.count * sizeof *lens);
  for (uint32_t i = 0; i < it.count; i++) {
    it.kids[i] = make_iter(L, a->kids[i + 1]);
    lens[i] = it.kids[i].len;
  }
  L->at = a;
  it.len = it.count == 1 ? lens[0] : tsr_lower_op1(L, "prim::min", tsr_build_list(L, &tsr_type_int, lens, it.count));
  return it;
}

static iter make_iter(tsr_lower *L, const tsr_ast *a) {
  tsr_compile_depth(L->c, L->file, a);
  if (is_call_of(L, a, "range")) return iter_range(L, a);
  if (is_call_of(L, a, "zip")) return iter_zip(L, a);
  if (is_call_of(L, a, "enumerate") && a->count >= 2) {
    iter it = {.kind = ITER_ENUMERATE, .count = 1};
    it.kids = tsr_compile_alloc(L->c, sizeof *it.kids);
    it.kids[0] = make_iter(L, a->kids[1]);
    it.len = it.kids[0].len;
    if (a->count > 2) it.a = int_arg(L, a->kids[2]->kind == TSR_AST_KEYWORD ? a->kids[2]->kids[0] : a->kids[2]);
    return it;
  }
  return iter_items(L, tsr_lower_expr(L, a, NULL), a);
}

static tsr_ir_value *iter_item(tsr_lower *L, const iter *it, tsr_ir_value *i) {
  switch (it->kind) {
  case ITER_RANGE: return it->a == NULL ? i : tsr_lower_op3(L, "aten::__derive_index", i, it->a, it->step);
  case ITER_ITEMS:
    if (it->a->type == &tsr_type_tensor) return tsr_lower_op3(L, "aten::select", it->a, int_const(L, 0), i);
    return tsr_lower_op2(L, "aten::__getitem__", it->a, i);
  case ITER_ENUMERATE: {
    tsr_ir_value *both[2] = {it->a == NULL ? i : tsr_lower_op2(L, "aten::add", i, it->a), iter_item(L, &it->kids[0], i)};
    return tsr_build_tuple(L, NULL, both, 2);
  }
  default: {
    tsr_ir_value **items = tsr_compile_alloc(L->c, it->count * sizeof *items);
    for (uint32_t k = 0; k < it->count; k++) items[k] = iter_item(L, &it->kids[k], i);
    return tsr_build_tuple(L, NULL, items, it->count);
  }
  }
}

typedef struct for_state { const tsr_ast *targets; const iter *it; const tsr_ast *at; } for_state;

static void begin_for(tsr_lower *L, tsr_ir_value *i, void *arg) {
  const for_state *s = arg;
  L->at = s->at;
  tsr_lower_assign_targets(L, s->targets, iter_item(L, s->it, i));
}

/* A tuple has members of different types: the body is lowered once for each. */
static unsigned unroll(tsr_lower *L, const tsr_ast *a, tsr_ir_value *v) {
  uint32_t n = tsr_tuple_count(L, v->type);
  if (tsr_lower_has(a->kids[2], TSR_AST_BREAK, false) || tsr_lower_has(a->kids[2], TSR_AST_CONTINUE, false))
    tsr_lower_fail(L, a, "Because we emit iteration over modulelists or tuples as unrolled loops, we do not support break or continue inside the body of these loops");
  tsr_ir_value **items = tsr_compile_alloc(L->c, (n + 1) * sizeof *items);
  tsr_build_unpack(L, v, n, items, a);
  unsigned ex = 0;
  for (uint32_t i = 0; i < n; i++) {
    tsr_lower_assign_targets(L, a->kids[0], items[i]);
    unsigned one = tsr_lower_stmts(L, a->kids[2]->kids, a->kids[2]->count);
    ex |= one;
    if (one & TSR_EXIT_ALWAYS) return ex;
    if (one != 0) tsr_lower_fail(L, a, "a return inside an unrolled loop is not supported");
  }
  return ex;
}

static bool is_tuple_expr(const tsr_ir_value *v) { return v->type->kind == TSR_T_TUPLE || v->type->kind == TSR_T_NAMEDTUPLE; }

unsigned tsr_lower_for(tsr_lower *L, const tsr_ast *a) {
  const tsr_ast *over = a->kids[1];
  iter it;
  if (is_call_of(L, over, "range") || is_call_of(L, over, "zip") || is_call_of(L, over, "enumerate")) {
    it = make_iter(L, over);
  } else {
    tsr_ir_value *v = tsr_lower_expr(L, over, NULL);
    if (is_tuple_expr(v)) return unroll(L, a, v);
    it = iter_items(L, v, over);
  }
  for_state s = {a->kids[0], &it, a};
  L->at = a;
  loop lp = {.at = a, .body = a->kids[2], .trip = it.len, .first = bool_const(L, true), .begin = begin_for, .arg = &s};
  return lower_loop(L, &lp);
}

/* ---- comprehensions */

typedef struct comp_state { const tsr_ast *a; const tsr_ast *target; const iter *it; tsr_ir_value *out; const tsr_type *hint; bool dict; } comp_state;

static void begin_comp(tsr_lower *L, tsr_ir_value *i, void *arg) {
  comp_state *s = arg;
  L->at = s->a;
  tsr_lower_assign_targets(L, s->target, iter_item(L, s->it, i));
  const tsr_type *kt = s->hint == NULL ? NULL : s->hint->args[0];
  tsr_ir_value *k = tsr_lower_expr(L, s->a->kids[0], kt), *v = NULL;
  if (kt != NULL && tsr_lower_convert(L, k, kt) != NULL) k = tsr_lower_convert(L, k, kt);
  if (s->dict) v = tsr_lower_expr(L, s->a->kids[1], s->hint == NULL ? NULL : s->hint->args[1]);
  L->at = s->a;
  const tsr_type *t = s->hint != NULL ? s->hint : s->dict ? tsr_resolve_dict(L->c, k->type, v->type) : tsr_resolve_list(L->c, k->type);
  s->out->type = s->out->def->type = t; /* made before the type of its items was known */
  if (s->dict) tsr_lower_op3(L, "aten::_set_item", s->out, k, v);
  else tsr_lower_op2(L, "aten::append", s->out, k);
}

tsr_ir_value *tsr_lower_comprehension(tsr_lower *L, const tsr_ast *a, const tsr_type *hint) {
  bool dict = a->kind == TSR_AST_DICTCOMP;
  if (hint != NULL && hint->kind != (dict ? TSR_T_DICT : TSR_T_LIST)) hint = NULL;
  iter it = make_iter(L, a->kids[dict ? 3 : 2]);
  L->at = a;
  tsr_ir_node *n = tsr_build_node(L, dict ? TSR_IR_DICT : TSR_IR_LIST, 0, 1, 0);
  n->type = hint != NULL ? hint : dict ? tsr_resolve_dict(L->c, &tsr_type_str, &tsr_type_tensor) : tsr_resolve_list(L->c, &tsr_type_tensor);
  comp_state s = {.a = a, .target = a->kids[dict ? 2 : 1], .it = &it, .out = tsr_build_out(L, n, n->type), .hint = hint, .dict = dict};
  loop lp = {.at = a, .trip = it.len, .first = bool_const(L, true), .begin = begin_comp, .arg = &s};
  lower_loop(L, &lp);
  return s.out;
}
