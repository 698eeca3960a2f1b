/* Copying and editing IR for passes. */
#include "interp/pass_util.h"

#include <stdlib.h>

tsr_status tsr_cloner_init(tsr_cloner *c, tsr_ir_fn *to, const tsr_ir_fn *from, tsr_errrec *e) {
  memset(c, 0, sizeof *c);
  c->to = to;
  c->count = from->next_id;
  c->map = calloc((size_t)from->next_id + 1, sizeof *c->map);
  return c->map != NULL ? TSR_OK : tsr_fail_nomem(e);
}

void tsr_cloner_dispose(tsr_cloner *c) {
  free(c->map);
  c->map = NULL;
}

static bool clone_block(tsr_cloner *c, const tsr_ir_block *from, tsr_ir_block *to) {
  for (uint32_t i = 0; i < from->nparams; i++) {
    tsr_ir_value *p = tsr_ir_block_add_param(c->to, to, from->params[i]->type, from->params[i]->name);
    if (p == NULL) return false;
    c->map[from->params[i]->id] = p;
  }
  if (!tsr_clone_nodes(c, from, to, NULL)) return false;
  for (uint32_t i = 0; i < from->nrets; i++)
    if (!tsr_ir_block_add_ret(c->to, to, c->map[from->rets[i]->id])) return false;
  return true;
}

static tsr_ir_node *clone_node(tsr_cloner *c, const tsr_ir_node *n) {
  const tsr_loc *loc = n->loc != NULL && c->relocate != NULL ? c->relocate(c->user, n->loc) : n->loc;
  tsr_ir_node *copy = tsr_ir_node_new(c->to, n->kind, n->nin, n->nout, n->nblocks, loc);
  if (copy == NULL) return NULL;
  for (uint32_t i = 0; i < n->nin; i++) tsr_ir_set_input(copy, i, c->map[n->in[i]->id]);
  copy->schema = n->schema;
  copy->val = n->val;
  copy->name = n->name;
  copy->slot = n->slot;
  copy->type = n->type;
  copy->callee = n->callee;
  return copy;
}

bool tsr_clone_nodes(tsr_cloner *c, const tsr_ir_block *from, tsr_ir_block *to, tsr_ir_node *before) {
  for (const tsr_ir_node *n = from->first; n != NULL; n = n->next) {
    tsr_ir_node *copy = clone_node(c, n);
    if (copy == NULL) return false;
    if (before != NULL) tsr_ir_insert_before(copy, before);
    else tsr_ir_append(to, copy);
    for (uint32_t k = 0; k < n->nblocks; k++)
      if (!clone_block(c, n->blocks[k], copy->blocks[k])) return false;
    for (uint32_t i = 0; i < n->nout; i++) {
      tsr_ir_value *v = tsr_ir_add_output(c->to, copy, n->out[i]->type, n->out[i]->name);
      if (v == NULL) return false;
      c->map[n->out[i]->id] = v;
    }
  }
  return true;
}

tsr_status tsr_ir_clone_fn(const tsr_ir_fn *fn, tsr_errrec *e, tsr_ir_fn **out) {
  tsr_ir_fn *copy = tsr_ir_fn_new(fn->names, fn->name);
  if (copy == NULL) return tsr_fail_nomem(e);
  copy->schema = fn->schema;
  copy->lowered = true;
  copy->arena = tsr_arena_new();
  if (copy->arena == NULL) return tsr_fail_nomem(e);
  tsr_cloner c;
  tsr_status s = tsr_cloner_init(&c, copy, fn, e);
  if (s == TSR_OK) {
    if (!clone_block(&c, fn->body, copy->body)) s = tsr_fail_nomem(e);
    tsr_cloner_dispose(&c);
  }
  if (s == TSR_OK) *out = copy;
  else tsr_ir_clone_drop(copy);
  return s;
}

void tsr_ir_clone_drop(tsr_ir_fn *fn) {
  if (fn == NULL || fn->arena == fn->names) return;
  tsr_arena_free(fn->arena);
  fn->arena = NULL;
  fn->body = NULL;
}

bool tsr_ir_const_of(const tsr_ir_value *v, tsr_val *out) {
  if (v->def == NULL || v->def->kind != TSR_IR_CONST) return false;
  *out = v->def->val;
  return true;
}

bool tsr_ir_is_none(const tsr_ir_value *v) {
  tsr_val c;
  return tsr_ir_const_of(v, &c) && c.tag == TSR_V_NONE;
}

bool tsr_ir_is_false(const tsr_ir_value *v) {
  tsr_val c;
  return tsr_ir_const_of(v, &c) && c.tag == TSR_V_BOOL && !c.b;
}

bool tsr_ir_is_int(const tsr_ir_value *v, int64_t want) {
  tsr_val c;
  return tsr_ir_const_of(v, &c) && c.tag == TSR_V_INT && c.i == want;
}

bool tsr_ir_number_of(const tsr_ir_value *v, double *out) {
  tsr_val c;
  if (!tsr_ir_const_of(v, &c)) return false;
  if (c.tag == TSR_V_INT || c.tag == TSR_V_FLOAT) {
    *out = c.tag == TSR_V_INT ? (double)c.i : c.d;
    return true;
  }
  if (c.tag != TSR_V_TENSOR || v->def->slot != TSR_CONST_SHARED || c.t->ndim != 0 || c.t->layout != 0) return false;
  const void *data = tsr_tensor_data_ro(c.t);
  if (data == NULL || (c.t->dtype != TSR_FLOAT32 && c.t->dtype != TSR_FLOAT64)) return false;
  *out = c.t->dtype == TSR_FLOAT32 ? (double)*(const float *)data : *(const double *)data;
  return true;
}

bool tsr_ir_is_form(const tsr_ir_node *n, const char *name, const char *overload, uint32_t nin) {
  return n != NULL && tsr_ir_is_op(n, name) && strcmp(n->schema->overload, overload) == 0 && n->nin == nin && n->nout == 1;
}

tsr_ir_node *tsr_ir_sole_source(const tsr_ir_node *user, const tsr_ir_value *v) {
  return v->uses == 1 && v->def != NULL && v->def->parent == user->parent ? v->def : NULL;
}

bool tsr_ir_may_delay(const tsr_ir_node *n, const tsr_ir_node *until) {
  for (n = n->next; n != NULL && n != until; n = n->next)
    if (tsr_ir_writes(n)) return false;
  return true;
}

bool tsr_ir_is_op(const tsr_ir_node *n, const char *name) {
  return n->kind == TSR_IR_OP && n->schema != NULL && strcmp(n->schema->name, name) == 0;
}

tsr_ir_value *tsr_ir_insert_const(tsr_ir_fn *fn, tsr_ir_node *at, tsr_val v, const tsr_type *type, uint32_t slot) {
  tsr_ir_node *n = tsr_ir_node_new(fn, TSR_IR_CONST, 0, 1, 0, at->loc);
  if (n == NULL) return NULL;
  n->val = v;
  n->slot = slot;
  tsr_ir_insert_before(n, at);
  return tsr_ir_add_output(fn, n, type, NULL);
}

bool tsr_subst_set(tsr_subst *s, const tsr_ir_value *from, tsr_ir_value *to) {
  if (!tsr_grow((void **)&s->to, &s->cap, from->id + 1, sizeof *s->to)) return false;
  s->to[from->id] = to;
  return true;
}

tsr_ir_value *tsr_subst_get(const tsr_subst *s, tsr_ir_value *v) {
  while (v->id < s->cap && s->to[v->id] != NULL) v = s->to[v->id];
  return v;
}

void tsr_subst_node(const tsr_subst *s, tsr_ir_node *n) {
  for (uint32_t i = 0; i < n->nin; i++) {
    tsr_ir_value *v = tsr_subst_get(s, n->in[i]);
    if (v != n->in[i]) tsr_ir_set_input(n, i, v);
  }
}

void tsr_subst_rets(const tsr_subst *s, tsr_ir_block *b) {
  for (uint32_t i = 0; i < b->nrets; i++) {
    tsr_ir_value *v = tsr_subst_get(s, b->rets[i]);
    if (v != b->rets[i]) tsr_ir_set_ret(b, i, v);
  }
}

bool tsr_subst_remove(tsr_subst *s, tsr_ir_node *n, tsr_ir_value *const *vs) {
  for (uint32_t i = 0; i < n->nout; i++)
    if (!tsr_subst_set(s, n->out[i], vs[i])) return false;
  tsr_ir_remove(n);
  return true;
}

tsr_ir_value *tsr_ir_insert_op(tsr_ir_fn *fn, tsr_ir_node *at, const tsr_loc *loc, const tsr_schema *s, tsr_ir_value *const *in, uint32_t nin) {
  tsr_ir_node *n = tsr_ir_node_new(fn, TSR_IR_OP, nin, 1, 0, loc);
  if (n == NULL) return NULL;
  for (uint32_t i = 0; i < nin; i++)
    if (in[i] == NULL) return NULL;
  n->schema = s;
  for (uint32_t i = 0; i < nin; i++) tsr_ir_set_input(n, i, in[i]);
  tsr_ir_insert_before(n, at);
  return tsr_ir_add_output(fn, n, &tsr_type_tensor, NULL);
}

static tsr_status walk(tsr_fuser *f, tsr_ir_block *b, tsr_status (*visit)(tsr_fuser *f, tsr_ir_node *n)) {
  for (tsr_ir_node *n = b->first, *next; n != NULL; n = next) {
    next = n->next;
    tsr_subst_node(&f->subst, n);
    for (uint32_t k = 0; k < n->nblocks; k++) TSR_TRY(walk(f, n->blocks[k], visit));
    if (n->kind == TSR_IR_OP) TSR_TRY(visit(f, n));
  }
  tsr_subst_rets(&f->subst, b);
  return TSR_OK;
}

tsr_status tsr_fuser_run(tsr_pass_env *env, tsr_ir_fn *fn, tsr_status (*visit)(tsr_fuser *f, tsr_ir_node *n), void *user, bool *changed) {
  tsr_fuser f = {.env = env, .fn = fn, .user = user};
  tsr_status s = walk(&f, fn->body, visit);
  free(f.subst.to);
  *changed |= f.changed;
  return s;
}

void tsr_ir_splice(tsr_ir_block *b, tsr_ir_node *at) {
  while (b->first != NULL) {
    tsr_ir_node *n = b->first;
    tsr_ir_unlink(n);
    tsr_ir_insert_before(n, at);
  }
}

static bool block_has_effect(const tsr_ir_block *b) {
  for (const tsr_ir_node *n = b->first; n != NULL; n = n->next)
    if (tsr_ir_has_effect(n)) return true;
  return false;
}

bool tsr_ir_has_effect(const tsr_ir_node *n) {
  switch (n->kind) {
    case TSR_IR_CONST: case TSR_IR_GETATTR: case TSR_IR_TUPLE: case TSR_IR_TUPLE_GET: case TSR_IR_TUPLE_UNPACK: case TSR_IR_LIST:
    case TSR_IR_DICT: case TSR_IR_ISINSTANCE: case TSR_IR_UNINIT: case TSR_IR_CLOSURE: case TSR_IR_NEW: case TSR_IR_MODULE_ITEM:
      return false;
    case TSR_IR_CAST: return n->slot != 0;
    case TSR_IR_OP:
      if (n->schema == NULL || n->schema->op == NULL || n->schema->has_mut) return true;
      return (((const tsr_op *)n->schema->op)->flags & TSR_PURE) == 0;
    case TSR_IR_IF: return block_has_effect(n->blocks[0]) || block_has_effect(n->blocks[1]);
    case TSR_IR_LOOP: {
      tsr_val trips;
      if (tsr_ir_const_of(n->in[0], &trips) && trips.i == INT64_MAX) return true; /* may never end */
      return block_has_effect(n->blocks[0]);
    }
    default: return true;
  }
}

bool tsr_ir_reads_shape(const tsr_ir_node *n) {
  static const char *const names[] = {"aten::dim", "aten::size", "aten::numel", "prim::dtype", "prim::device", "aten::is_floating_point", "aten::len"};
  for (size_t i = 0; i < TSR_COUNT(names); i++)
    if (tsr_ir_is_op(n, names[i])) return true;
  return false;
}

bool tsr_ir_writes(const tsr_ir_node *n) {
  if (n->kind == TSR_IR_RAISE || n->kind == TSR_IR_UNWRAP || n->kind == TSR_IR_CAST) return false;
  if (n->kind != TSR_IR_IF) return tsr_ir_has_effect(n);
  for (uint32_t k = 0; k < 2; k++)
    for (const tsr_ir_node *i = n->blocks[k]->first; i != NULL; i = i->next)
      if (tsr_ir_writes(i)) return true;
  return false;
}

uint32_t tsr_ir_count_nodes(const tsr_ir_block *b, uint32_t limit) {
  uint32_t count = 0;
  for (const tsr_ir_node *n = b->first; n != NULL && count < limit; n = n->next) {
    count++;
    for (uint32_t k = 0; k < n->nblocks; k++) count += tsr_ir_count_nodes(n->blocks[k], limit);
  }
  return count;
}

tsr_status tsr_pass_schema(tsr_pass_env *env, const char *name, const tsr_schema **out) {
  if (*out != NULL) return TSR_OK;
  const tsr_op *op = tsr_op_get(name, "");
  tsr_schema *s = NULL;
  if (op == NULL) return tsr_fail(env->e, TSR_EINTERNAL, "operator %s is missing", name);
  TSR_TRY(tsr_schema_parse(env->model->program->types, env->e, op->schema, &s));
  s->op = op;
  *out = s;
  return TSR_OK;
}
