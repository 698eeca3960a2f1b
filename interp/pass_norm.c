/* Batch normalisation in evaluation mode that no convolution took, the concatenation before it and the activation
 * after it become one operator, which reads every element once. */
#include "interp/pass_util.h"

#include <stdlib.h>

typedef struct fuser { tsr_pass_env *env; tsr_ir_fn *fn; tsr_subst subst; const tsr_schema *schema; bool changed; } fuser;

static bool is_bool(const tsr_ir_value *v, bool want) {
  tsr_val c;
  return tsr_ir_const_of(v, &c) && c.tag == TSR_V_BOOL && c.b == want;
}

static bool shared_or_none(const tsr_ir_value *v) {
  tsr_val c;
  return tsr_ir_const_of(v, &c) && (c.tag == TSR_V_NONE || (c.tag == TSR_V_TENSOR && v->def->slot == TSR_CONST_SHARED));
}

/* input, weight, bias, mean, var, training, momentum, eps, cudnn */
static bool is_fixed_norm(const tsr_ir_node *n) {
  tsr_val eps;
  if (!tsr_ir_is_op(n, "aten::batch_norm") || n->nin != 9 || !is_bool(n->in[5], false)) return false;
  if (!tsr_ir_const_of(n->in[7], &eps) || eps.tag != TSR_V_FLOAT) return false;
  for (uint32_t i = 1; i < 5; i++)
    if (!shared_or_none(n->in[i])) return false;
  return true;
}

/* v is cat(list, 1) of this block and nobody else looks at it: the node. */
static tsr_ir_node *sole_cat(const tsr_ir_node *user, tsr_ir_value *v) {
  tsr_val dim;
  if (v->uses != 1 || v->def == NULL || v->def->parent != user->parent || !tsr_ir_is_op(v->def, "aten::cat")) return NULL;
  if (v->def->nin != 2 || v->def->schema->overload[0] != 0 || !tsr_ir_const_of(v->def->in[1], &dim)) return NULL;
  tsr_ir_value *list = v->def->in[0];
  if (dim.tag != TSR_V_INT || dim.i != 1 || list->def == NULL || list->def->kind != TSR_IR_LIST) return NULL;
  for (const tsr_ir_node *n = v->def->next; n != NULL && n != user; n = n->next)
    if (tsr_ir_writes(n)) return NULL; /* the items may change in between */
  return v->def;
}

/* The activation that is the only user of v, in the same block, nothing written in between. */
static tsr_ir_node *sole_act(tsr_ir_node *norm, int *act, double p[2]) {
  tsr_ir_value *v = norm->out[0];
  for (tsr_ir_node *n = norm->next; v->uses == 1 && n != NULL; n = n->next) {
    if (n->nin > 0 && n->in[0] == v) return tsr_ir_act_of(n, act, p) ? n : NULL;
    if (tsr_ir_writes(n)) return NULL;
  }
  return NULL;
}

static tsr_ir_value *one_item(fuser *f, tsr_ir_node *at, tsr_ir_value *v, const tsr_type *type) {
  tsr_ir_node *n = tsr_ir_node_new(f->fn, TSR_IR_LIST, 1, 1, 0, at->loc);
  if (n == NULL) return NULL;
  n->type = type;
  tsr_ir_set_input(n, 0, v);
  tsr_ir_insert_before(n, at);
  return tsr_ir_add_output(f->fn, n, type, NULL);
}

/* *fused: what took the place of norm, or as it was. */
static tsr_status visit(fuser *f, tsr_ir_node *norm, tsr_ir_node **fused) {
  int act = 0;
  double p[2] = {0, 0};
  if (!is_fixed_norm(norm)) return TSR_OK;
  tsr_ir_node *cat = sole_cat(norm, norm->in[0]), *last = sole_act(norm, &act, p);
  if (cat == NULL && last == NULL) return TSR_OK;
  TSR_TRY(tsr_pass_schema(f->env, "tsr::cat_norm_act", &f->schema));
  tsr_ir_value *parts = cat != NULL ? cat->in[0] : one_item(f, norm, norm->in[0], f->schema->params[0].type);
  tsr_ir_node *n = tsr_ir_node_new(f->fn, TSR_IR_OP, 10, 1, 0, norm->loc);
  tsr_ir_value *in[10] = {parts, norm->in[1], norm->in[2], norm->in[3], norm->in[4], norm->in[7],
                          tsr_ir_insert_const(f->fn, norm, tsr_bool(cat != NULL), &tsr_type_bool, 0),
                          tsr_ir_insert_const(f->fn, norm, tsr_int(act), &tsr_type_int, 0),
                          tsr_ir_insert_const(f->fn, norm, tsr_float(p[0]), &tsr_type_float, 0),
                          tsr_ir_insert_const(f->fn, norm, tsr_float(p[1]), &tsr_type_float, 0)};
  for (int i = 0; i < 10; i++)
    if (in[i] == NULL || n == NULL) return tsr_fail_nomem(f->env->e);
  n->schema = f->schema;
  for (uint32_t i = 0; i < 10; i++) tsr_ir_set_input(n, i, in[i]);
  tsr_ir_insert_before(n, norm);
  tsr_ir_value *out = tsr_ir_add_output(f->fn, n, &tsr_type_tensor, NULL);
  if (out == NULL) return tsr_fail_nomem(f->env->e);
  f->changed = true;
  *fused = n;
  if (last != NULL && !tsr_subst_remove(&f->subst, last, &out)) return tsr_fail_nomem(f->env->e);
  if (!tsr_subst_remove(&f->subst, norm, &out)) return tsr_fail_nomem(f->env->e);
  if (cat != NULL) tsr_ir_remove(cat);
  return TSR_OK;
}

static tsr_status walk(fuser *f, tsr_ir_block *b) {
  for (tsr_ir_node *n = b->first; n != NULL; n = n->next) {
    tsr_subst_node(&f->subst, n);
    for (uint32_t k = 0; k < n->nblocks; k++) TSR_TRY(walk(f, n->blocks[k]));
    if (n->kind == TSR_IR_OP) TSR_TRY(visit(f, n, &n));
  }
  tsr_subst_rets(&f->subst, b);
  return TSR_OK;
}

tsr_status tsr_pass_norm(tsr_pass_env *env, tsr_ir_fn *fn, bool *changed) {
  fuser f = {.env = env, .fn = fn};
  tsr_status s = walk(&f, fn->body);
  free(f.subst.to);
  *changed |= f.changed;
  return s;
}
