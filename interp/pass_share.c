/* Literal lists and tuples whose items are constants, and that nothing writes, keeps or returns, become
 * one constant: kernels see constant strides and sizes, and no list is built per call. */
#include "interp/pass_util.h"

#include <stdlib.h>

typedef struct sharer {
  tsr_pass_env *env;
  tsr_ir_fn *fn;
  tsr_ptrset marked;
  tsr_subst subst;
  bool changed;
} sharer;

static bool is_constant(const tsr_ir_value *v) {
  return v->def != NULL && v->def->kind == TSR_IR_CONST && (v->def->slot == TSR_CONST_SHARED || !tsr_val_is_mutable(v->def->val));
}

static bool is_literal(const sharer *s, const tsr_ir_node *n) {
  if ((n->kind != TSR_IR_LIST && n->kind != TSR_IR_TUPLE) || tsr_ptrset_has(&s->marked, n->out[0])) return false;
  for (uint32_t i = 0; i < n->nin; i++)
    if (!is_constant(n->in[i])) return false;
  return true;
}

static tsr_val build(const sharer *s, const tsr_ir_node *n) {
  tsr_mem *mem = s->env->model->mem;
  const tsr_type *t = n->out[0]->type;
  if (n->kind == TSR_IR_LIST) {
    tsr_list *l = tsr_list_new(mem, t->kind == TSR_T_LIST ? t->args[0] : &tsr_type_any, n->nin);
    for (uint32_t i = 0; l != NULL && i < n->nin; i++) tsr_list_push_take(l, tsr_retain(n->in[i]->def->val));
    return l != NULL ? tsr_from_obj(l) : tsr_none();
  }
  tsr_tuple *u = tsr_tuple_new(mem, t->kind == TSR_T_NAMEDTUPLE ? t : NULL, n->nin);
  for (uint32_t i = 0; u != NULL && i < n->nin; i++) u->items[i] = tsr_retain(n->in[i]->def->val);
  return u != NULL ? tsr_from_obj(u) : tsr_none();
}

static tsr_status share(sharer *s, tsr_ir_node *n) {
  tsr_val v = build(s, n);
  if (!tsr_is_boxed(v)) return tsr_fail_nomem(s->env->e);
  TSR_TRY(tsr_model_own(s->env->model, s->env->e, &v));
  tsr_ir_value *c = tsr_ir_insert_const(s->fn, n, v, n->out[0]->type, TSR_CONST_SHARED);
  if (c == NULL || !tsr_subst_remove(&s->subst, n, &c)) return tsr_fail_nomem(s->env->e);
  s->changed = true;
  return TSR_OK;
}

static tsr_status share_block(sharer *s, tsr_ir_block *b) {
  for (tsr_ir_node *n = b->first, *next; n != NULL; n = next) {
    next = n->next;
    tsr_subst_node(&s->subst, n);
    if (is_literal(s, n)) {
      TSR_TRY(share(s, n));
      continue;
    }
    for (uint32_t k = 0; k < n->nblocks; k++) TSR_TRY(share_block(s, n->blocks[k]));
  }
  tsr_subst_rets(&s->subst, b);
  return TSR_OK;
}

tsr_status tsr_pass_share(tsr_pass_env *env, tsr_ir_fn *fn, bool *changed) {
  sharer s = {.env = env, .fn = fn};
  tsr_writes ignored = {0};
  tsr_writes_add_body(&ignored, fn, &s.marked);
  bool unknown = ignored.anything || s.marked.oom;
  tsr_writes_dispose(&ignored);
  tsr_status st = unknown ? TSR_OK : share_block(&s, fn->body);
  tsr_ptrset_dispose(&s.marked);
  free(s.subst.to);
  *changed |= s.changed;
  return st;
}
