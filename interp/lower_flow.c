/* Branches, early exits, with.
 *
 * A return, break or continue inside a block sets a flag variable ($ret, $brk, $cont; $val holds the
 * value) and skips the rest: what follows a statement that may exit is wrapped in an If on its flags. */
#include "interp/lower.h"

/* ---- joining the bindings of two branches */


static bool is_hidden(const tsr_var *v) { return v->name[0] == '$'; }

static tsr_ir_value *placeholder(tsr_lower *L, tsr_ir_block *b, const tsr_type *type) {
  tsr_ir_block *outer = L->block;
  L->block = b;
  tsr_ir_node *n = tsr_build_node(L, TSR_IR_UNINIT, 0, 1, 0);
  n->type = type;
  tsr_ir_value *v = tsr_build_out(L, n, type);
  L->block = outer;
  return v;
}

static const tsr_type *joined_type(tsr_lower *L, const tsr_type *a, const tsr_type *b) {
  const tsr_type *t = tsr_resolve_unify(L->c, a, b);
  if (t != NULL) return t;
  const tsr_type *both[2] = {a, b};
  t = tsr_type_union(L->c->types, both, 2);
  if (t == NULL) tsr_compile_nomem(L->c);
  return t;
}

static bool same_meaning(const tsr_sv *a, const tsr_sv *b) {
  if (a->kind != b->kind) return false;
  if (a->kind == TSR_SV_FUNCTION) return a->fn == b->fn;
  if (a->kind == TSR_SV_CLASS || a->kind == TSR_SV_NEW) return a->type == b->type;
  return a->len == b->len && a->name != NULL && b->name != NULL && memcmp(a->name, b->name, a->len) == 0;
}

static void join_var(tsr_lower *L, tsr_ir_node *n, tsr_var *var, tsr_sv a, tsr_sv b, bool a_exits, bool b_exits) {
  bool av = a.kind == TSR_SV_VALUE, bv = b.kind == TSR_SV_VALUE;
  if (!av && !bv) {
    if (a.kind == TSR_SV_UNBOUND || b.kind == TSR_SV_UNBOUND) {
      if (a.kind != b.kind && (a_exits || b_exits)) tsr_env_set_var(L, var, a_exits ? b : a);
    } else {
      tsr_env_set_var(L, var, same_meaning(&a, &b) ? a : a_exits ? b : b_exits ? a : (tsr_sv){.kind = TSR_SV_UNBOUND});
    }
    return;
  }
  bool lazy = is_hidden(var); /* $val before the first return */
  if ((!av && !a_exits && !lazy) || (!bv && !b_exits && !lazy)) {
    if (a.kind != TSR_SV_UNBOUND && b.kind != TSR_SV_UNBOUND) tsr_env_set_var(L, var, (tsr_sv){.kind = TSR_SV_UNBOUND});
    return;
  }
  const tsr_type *t;
  if (!av || (a_exits && bv && !b_exits && !lazy)) t = b.v->type;
  else if (!bv || (b_exits && !a_exits && !lazy)) t = a.v->type;
  else t = joined_type(L, a.v->type, b.v->type);
  tsr_ir_value *x = av && tsr_resolve_subtype(L->c, a.v->type, t) ? a.v : placeholder(L, n->blocks[0], t);
  tsr_ir_value *y = bv && tsr_resolve_subtype(L->c, b.v->type, t) ? b.v : placeholder(L, n->blocks[1], t);
  if (x == y) {
    tsr_env_set_var(L, var, a);
    return;
  }
  tsr_build_ret(L, n->blocks[0], x);
  tsr_build_ret(L, n->blocks[1], y);
  tsr_env_set_var(L, var, tsr_sv_value(tsr_build_out(L, n, t)));
}

static void join_changes(tsr_lower *L, tsr_ir_node *n, tsr_change *ca, uint32_t na, tsr_change *cb, uint32_t nb, bool a_exits, bool b_exits) {
  for (uint32_t i = 0; i < nb; i++) cb[i].var->mark = i + 1;
  for (uint32_t i = 0; i < na; i++) {
    tsr_var *var = ca[i].var;
    tsr_sv b = var->mark != 0 ? cb[var->mark - 1].sv : tsr_env_get(L, var->name, var->len);
    var->mark = 0;
    join_var(L, n, var, ca[i].sv, b, a_exits, b_exits);
  }
  for (uint32_t i = 0; i < nb; i++) {
    tsr_var *var = cb[i].var;
    if (var->mark == 0) continue;
    var->mark = 0;
    join_var(L, n, var, tsr_env_get(L, var->name, var->len), cb[i].sv, a_exits, b_exits);
  }
}

/* ---- branches */

static unsigned run_branch(tsr_lower *L, const tsr_branch *b) {
  tsr_cond_apply(L, b->refines);
  if (b->raise == NULL) return tsr_lower_stmts(L, b->stmts, b->n);
  const tsr_ast *text = b->raise->kids[1];
  L->at = b->raise;
  tsr_ir_value *message = tsr_ast_absent(text) ? tsr_build_str(L, "", 0) : tsr_lower_expr(L, text, NULL);
  if (message->type != &tsr_type_str) message = tsr_lower_op1(L, "aten::str", message);
  message = tsr_lower_op2(L, "aten::add", tsr_build_str(L, "AssertionError: ", 16), message);
  tsr_lower_raise(L, message, tsr_build_none(L));
  return TSR_EXIT_ALWAYS;
}

unsigned tsr_lower_branches(tsr_lower *L, const tsr_ast *at, tsr_ir_value *cond, const tsr_branch *yes, const tsr_branch *no) {
  L->at = at;
  tsr_ir_node *n = tsr_build_node(L, TSR_IR_IF, 1, 2, 2);
  tsr_ir_set_input(n, 0, cond);
  tsr_ir_block *outer = L->block;
  const tsr_branch *side[2] = {yes, no};
  tsr_change *changes[2];
  uint32_t count[2];
  unsigned exits[2];
  for (int k = 0; k < 2; k++) {
    tsr_frame f;
    L->block = n->blocks[k];
    tsr_env_enter(L, &f);
    exits[k] = run_branch(L, side[k]);
    if (side[k]->exits) exits[k] |= TSR_EXIT_ALWAYS;
    tsr_env_leave(L, &f, &changes[k], &count[k]);
  }
  L->block = outer;
  L->at = at;
  join_changes(L, n, changes[0], count[0], changes[1], count[1], exits[0] & TSR_EXIT_ALWAYS, exits[1] & TSR_EXIT_ALWAYS);
  return ((exits[0] | exits[1]) & ~(unsigned)TSR_EXIT_ALWAYS) | (exits[0] & exits[1] & TSR_EXIT_ALWAYS);
}

static tsr_ir_value *flag_value(tsr_lower *L, const char *name) {
  tsr_sv sv = tsr_env_get(L, name, (uint32_t)strlen(name));
  return sv.kind == TSR_SV_VALUE ? sv.v : tsr_build_const(L, tsr_bool(false), &tsr_type_bool);
}

tsr_ir_value *tsr_lower_flag(tsr_lower *L, unsigned bits) {
  static const struct { unsigned bit; const char *name; } flags[] = {{TSR_EXIT_RETURN, "$ret"}, {TSR_EXIT_BREAK, "$brk"}, {TSR_EXIT_CONTINUE, "$cont"}};
  tsr_ir_value *v = NULL;
  for (size_t i = 0; i < TSR_COUNT(flags); i++) {
    if (!(bits & flags[i].bit)) continue;
    tsr_ir_value *f = flag_value(L, flags[i].name);
    if (v == NULL) {
      v = f;
      continue;
    }
    tsr_ir_node *n = tsr_build_node(L, TSR_IR_IF, 1, 1, 2); /* v or f */
    tsr_ir_set_input(n, 0, v);
    tsr_build_ret(L, n->blocks[0], v);
    tsr_build_ret(L, n->blocks[1], f);
    v = tsr_build_out(L, n, &tsr_type_bool);
  }
  return v;
}

unsigned tsr_lower_stmts(tsr_lower *L, tsr_ast *const *stmts, uint32_t n) {
  unsigned total = 0;
  if (n > 0) tsr_compile_depth(L->c, L->file, stmts[0]);
  for (uint32_t i = 0; i < n; i++) {
    unsigned ex = tsr_lower_stmt(L, stmts[i]);
    total |= ex & ~(unsigned)TSR_EXIT_ALWAYS;
    if (ex & TSR_EXIT_ALWAYS) return total | TSR_EXIT_ALWAYS;
    if (ex == 0 || i + 1 == n) continue;
    L->at = stmts[i];
    tsr_branch gone = {.exits = true}, rest = {.stmts = stmts + i + 1, .n = n - i - 1};
    return total | tsr_lower_branches(L, stmts[i], tsr_lower_flag(L, ex), &gone, &rest);
  }
  return total;
}

static tsr_branch branch_of(const tsr_ast *block, const tsr_refines *r) {
  tsr_branch b = {.refines = r};
  if (block->kind == TSR_AST_BLOCK) {
    b.stmts = block->kids;
    b.n = block->count;
  }
  return b;
}

static unsigned taken(tsr_lower *L, const tsr_branch *b) { return run_branch(L, b); }

unsigned tsr_lower_if(tsr_lower *L, const tsr_ast *a) {
  tsr_cond c = tsr_lower_cond(L, a->kids[0]);
  tsr_branch yes = branch_of(a->kids[1], &c.yes), no = branch_of(a->kids[2], &c.no);
  if (a->kids[2]->kind == TSR_AST_IF) { /* elif kept as a nested statement */
    no.stmts = &a->kids[2];
    no.n = 1;
  }
  if (c.known >= 0) return taken(L, c.known ? &yes : &no);
  return tsr_lower_branches(L, a, c.v, &yes, &no);
}

unsigned tsr_lower_assert(tsr_lower *L, const tsr_ast *a) {
  tsr_cond c = tsr_lower_cond(L, a->kids[0]);
  tsr_branch yes = {.refines = &c.yes}, no = {.refines = &c.no, .raise = a};
  if (c.known >= 0) return taken(L, c.known ? &yes : &no);
  return tsr_lower_branches(L, a, c.v, &yes, &no);
}

/* ---- expressions with branches */

static tsr_ir_value *choose(tsr_lower *L, tsr_ir_block *b, const tsr_ast *a, const tsr_refines *r, const tsr_type *hint) {
  tsr_frame f;
  tsr_change *changes;
  uint32_t count;
  L->block = b;
  tsr_env_enter(L, &f);
  tsr_cond_apply(L, r);
  tsr_ir_value *v = tsr_lower_expr(L, a, hint);
  tsr_env_leave(L, &f, &changes, &count);
  return v;
}

tsr_ir_value *tsr_lower_choice(tsr_lower *L, const tsr_ast *at, tsr_ir_value *cond, const tsr_ast *yes, const tsr_refines *yes_r,
                               const tsr_ast *no, const tsr_refines *no_r, const tsr_type *hint) {
  L->at = at;
  tsr_ir_node *n = tsr_build_node(L, TSR_IR_IF, 1, 1, 2);
  tsr_ir_set_input(n, 0, cond);
  tsr_ir_block *outer = L->block;
  tsr_ir_value *x = choose(L, n->blocks[0], yes, yes_r, hint), *y = choose(L, n->blocks[1], no, no_r, hint);
  L->block = outer;
  tsr_build_ret(L, n->blocks[0], x);
  tsr_build_ret(L, n->blocks[1], y);
  return tsr_build_out(L, n, joined_type(L, x->type, y->type));
}

tsr_ir_value *tsr_lower_and_or(tsr_lower *L, const tsr_ast *a) {
  tsr_cond c = tsr_lower_cond(L, a);
  L->at = a;
  return tsr_cond_value(L, &c);
}

tsr_ir_value *tsr_lower_ternary(tsr_lower *L, const tsr_ast *a, const tsr_type *hint) {
  tsr_cond c = tsr_lower_cond(L, a->kids[0]);
  if (c.known >= 0) return tsr_lower_expr(L, a->kids[c.known ? 1 : 2], hint);
  return tsr_lower_choice(L, a, c.v, a->kids[1], &c.yes, a->kids[2], &c.no, hint);
}

/* ---- with */

static tsr_ir_value *enter(tsr_lower *L, tsr_ir_value *obj, const tsr_ast *at, tsr_ir_fn **leave) {
  const tsr_type *t = obj->type;
  tsr_fnrec *f[2] = {NULL, NULL};
  if (t->kind == TSR_T_CLASS && t->cls != NULL && !t->cls->is_custom) {
    f[0] = tsr_class_find_method(L->c, t->cls, "__enter__", 9);
    f[1] = tsr_class_find_method(L->c, t->cls, "__exit__", 8);
  }
  if (f[0] == NULL || f[1] == NULL)
    tsr_lower_fail(L, at, "'%s' does not define __enter__ and __exit__", tsr_compile_typename(L->c, t));
  if (f[1]->fn.schema->param_count != 4) tsr_lower_fail(L, at, "__exit__ must have four arguments");
  tsr_lower_enqueue(L->c, f[1]);
  tsr_lower_add_callee(L, f[1]);
  *leave = &f[1]->fn;
  return tsr_lower_method(L, obj, "__enter__", NULL, 0, at);
}

/* Item i of the statement, then what is inside it. */
static unsigned with_item(tsr_lower *L, const tsr_ast *a, uint32_t i) {
  if (i == a->count) return tsr_lower_stmts(L, a->kids[0]->kids, a->kids[0]->count);
  const tsr_ast *item = a->kids[i], *name = item->kids[1];
  tsr_ir_value *obj = tsr_lower_expr(L, item->kids[0], NULL);
  if (tsr_is_unknown(obj->type)) {
    if (name->kind == TSR_AST_NAME) tsr_env_set(L, name->text, name->len, tsr_sv_value(obj));
    return with_item(L, a, i + 1);
  }
  tsr_ir_fn *leave;
  tsr_ir_value *entered = enter(L, obj, item, &leave);
  if (name->kind == TSR_AST_NAME) tsr_env_set(L, name->text, name->len, tsr_sv_value(entered));
  L->at = item;
  tsr_ir_node *n = tsr_build_node(L, TSR_IR_WITH, 1, 0, 1);
  tsr_ir_set_input(n, 0, obj);
  n->callee = leave;
  tsr_ir_block *outer = L->block;
  tsr_frame f;
  tsr_change *changes;
  uint32_t count;
  L->block = n->blocks[0];
  tsr_env_enter(L, &f);
  unsigned ex = with_item(L, a, i + 1);
  tsr_env_leave(L, &f, &changes, &count);
  L->block = outer;
  for (uint32_t k = 0; k < count; k++) {
    if (changes[k].sv.kind != TSR_SV_VALUE) {
      tsr_env_set_var(L, changes[k].var, changes[k].sv);
      continue;
    }
    tsr_build_ret(L, n->blocks[0], changes[k].sv.v);
    tsr_env_set_var(L, changes[k].var, tsr_sv_value(tsr_build_out(L, n, changes[k].sv.v->type)));
  }
  return ex;
}

unsigned tsr_lower_with(tsr_lower *L, const tsr_ast *a) { return with_item(L, a, 1); }
