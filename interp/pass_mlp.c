/* Two linear layers with an activation between them become one operator: what is between them stays in cache. */
#include "interp/pass_util.h"

#include "ops/gemm.h"

enum { NARGS = 9 }; /* of tsr::mlp: x, w1, b1, act, p0, p1, w2, b2, residual */

static bool is_constant(const tsr_ir_value *v) {
  tsr_val c;
  return tsr_ir_const_of(v, &c);
}

/* A linear layer of constant weights, alone or with a residual, no activation. */
static bool is_second(const tsr_ir_node *n, tsr_ir_value **residual) {
  tsr_val act;
  *residual = NULL;
  if (tsr_ir_is_op(n, "aten::linear")) return n->nin == 3 && is_constant(n->in[1]);
  if (!tsr_ir_is_op(n, "tsr::linear_act") || !tsr_ir_const_of(n->in[4], &act) || act.tag != TSR_V_INT || act.i != TSR_ACT_NONE) return false;
  *residual = n->in[3];
  return is_constant(n->in[1]);
}

static bool is_first(const tsr_ir_node *n) { return tsr_ir_is_op(n, "tsr::linear_act") && tsr_ir_is_none(n->in[3]) && is_constant(n->in[1]); }

static tsr_status visit(tsr_fuser *f, tsr_ir_node *second) {
  tsr_ir_value *residual;
  if (!is_second(second, &residual)) return TSR_OK;
  tsr_ir_node *first = second->in[0]->def;
  if (first == NULL || second->in[0]->uses != 1 || first->parent != second->parent || !is_first(first) || !tsr_ir_may_delay(first, second)) return TSR_OK;
  TSR_TRY(tsr_pass_schema(f->env, "tsr::mlp", &f->schema));
  if (residual == NULL) residual = tsr_ir_insert_const(f->fn, second, tsr_none(), &tsr_type_none, 0);
  tsr_ir_value *in[NARGS] = {first->in[0], first->in[1], first->in[2], first->in[4], first->in[5],
                             first->in[6], second->in[1], second->in[2], residual};
  tsr_ir_value *out = tsr_ir_insert_op(f->fn, second, second->loc, f->schema, in, NARGS);
  if (out == NULL || !tsr_subst_remove(&f->subst, second, &out)) return tsr_fail_nomem(f->env->e);
  tsr_ir_remove(first);
  f->changed = true;
  return TSR_OK;
}

tsr_status tsr_pass_mlp(tsr_pass_env *env, tsr_ir_fn *fn, bool *changed) { return tsr_fuser_run(env, fn, visit, NULL, changed); }
