/* Freezing: attributes that nothing writes become constants, reached from the root object by name.
 * First the numbers, flags and None (so that branches on `training` fold), then, when the writes of
 * all methods are known, tensors and containers.  Also constants of the file that nothing writes are
 * shared by the sessions as they are. */
#include "interp/pass_util.h"

#include <stdlib.h>

typedef struct freezer {
  tsr_pass_env *env;
  tsr_ir_fn *fn;
  const tsr_writes *writes;
  bool all;               /* tensors and containers too */
  tsr_subst subst;
  tsr_val *known; uint32_t known_cap; /* by value id: the object of the model that it is; None: unknown */
  bool changed;
} freezer;

static tsr_status set_known(freezer *f, const tsr_ir_value *v, tsr_val object) {
  if (!tsr_grow((void **)&f->known, &f->known_cap, v->id + 1, sizeof *f->known)) return tsr_fail_nomem(f->env->e);
  f->known[v->id] = object;
  return TSR_OK;
}

static bool find_known(const freezer *f, const tsr_ir_value *v, tsr_val *object) {
  if (v->id >= f->known_cap || f->known[v->id].tag != TSR_V_OBJECT) return false;
  *object = f->known[v->id];
  return true;
}

static bool is_scalar(tsr_val v) { return !tsr_is_boxed(v) || v.tag == TSR_V_STR || v.tag == TSR_V_ENUM || v.tag == TSR_V_COMPLEX; }

static bool may_freeze(const freezer *f, const tsr_object *o, uint32_t slot, tsr_val v) {
  if (tsr_writes_sets_slot(f->writes, o->cls, slot)) return false;
  if (is_scalar(v)) return true;
  return f->all && !tsr_writes_has_slot(f->writes, o->cls, slot) && !tsr_writes_touch_value(f->writes, v);
}

static tsr_status visit_getattr(freezer *f, tsr_ir_node *n) {
  tsr_val object;
  if (!find_known(f, n->in[0], &object) || n->slot >= object.obj->count || n->slot >= object.obj->cls->attr_count) return TSR_OK;
  tsr_val v = object.obj->slots[n->slot];
  if (v.tag == TSR_V_OBJECT && !v.obj->cls->is_custom) {
    if (tsr_writes_sets_slot(f->writes, object.obj->cls, n->slot)) return TSR_OK;
    if (n->out[0]->type->kind == TSR_T_INTERFACE) n->out[0]->type = v.obj->cls->type; /* the very object: its methods are known */
    return set_known(f, n->out[0], v);
  }
  if (!may_freeze(f, object.obj, n->slot, v)) return TSR_OK;
  tsr_ir_value *c = tsr_ir_insert_const(f->fn, n, v, n->out[0]->type, TSR_CONST_SHARED);
  if (c == NULL || !tsr_subst_remove(&f->subst, n, &c)) return tsr_fail_nomem(f->env->e);
  f->changed = true;
  return TSR_OK;
}

static void visit_const(freezer *f, tsr_ir_node *n) {
  if (!f->all || n->slot == TSR_CONST_SHARED || !tsr_val_is_mutable(n->val)) return;
  if (f->writes->anything || f->writes->consts.oom || tsr_ptrset_has(&f->writes->consts, n->val.o)) return;
  if (n->val.tag == TSR_V_OBJECT || tsr_writes_touch_value(f->writes, n->val)) return;
  n->slot = TSR_CONST_SHARED;
  f->changed = true;
}

static tsr_status freeze_block(freezer *f, tsr_ir_block *b) {
  for (tsr_ir_node *n = b->first, *next; n != NULL; n = next) {
    next = n->next;
    tsr_subst_node(&f->subst, n);
    tsr_val object;
    if (n->kind == TSR_IR_GETATTR) TSR_TRY(visit_getattr(f, n));
    else if (n->kind == TSR_IR_CONST) visit_const(f, n);
    else if (n->kind == TSR_IR_CAST && n->slot == 0 && find_known(f, n->in[0], &object)) TSR_TRY(set_known(f, n->out[0], object));
    else for (uint32_t k = 0; k < n->nblocks; k++) TSR_TRY(freeze_block(f, n->blocks[k]));
  }
  tsr_subst_rets(&f->subst, b);
  return TSR_OK;
}

static tsr_status freeze(tsr_pass_env *env, tsr_ir_fn *fn, bool all, bool *changed) {
  freezer f = {.env = env, .fn = fn, .writes = &env->model->writes, .all = all};
  tsr_status s = fn->body->nparams == 0 ? TSR_OK : set_known(&f, fn->body->params[0], env->model->program->root);
  if (s == TSR_OK) s = freeze_block(&f, fn->body);
  free(f.subst.to);
  free(f.known);
  *changed |= f.changed;
  return s;
}

tsr_status tsr_pass_scalars(tsr_pass_env *env, tsr_ir_fn *fn, bool *changed) { return freeze(env, fn, false, changed); }
tsr_status tsr_pass_freeze(tsr_pass_env *env, tsr_ir_fn *fn, bool *changed) { return freeze(env, fn, true, changed); }
