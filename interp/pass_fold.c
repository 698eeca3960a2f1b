/* Constant folding: operators without effects on constants, taken branches, loops that never run,
 * tuples taken apart where they are made, dropout that does nothing. */
#include "interp/pass_util.h"

#include <stdlib.h>

#define MAX_RESULT 4096          /* bytes of a folded string */
#define MAX_STEPS 100000         /* an operator may cost this much, else it stays */

typedef struct folder {
  tsr_pass_env *env;
  tsr_ir_fn *fn;
  tsr_subst subst;
  tsr_ctx ctx;
  bool changed;
} folder;

static tsr_status nomem(folder *f) { return tsr_fail_nomem(f->env->e); }

/* n's results become vs. */
static tsr_status replace(folder *f, tsr_ir_node *n, tsr_ir_value *const *vs) {
  f->changed = true;
  return tsr_subst_remove(&f->subst, n, vs) ? TSR_OK : nomem(f);
}

static tsr_status replace_const(folder *f, tsr_ir_node *n, tsr_val v, const tsr_type *type) {
  tsr_ir_value *c = tsr_ir_insert_const(f->fn, n, v, type, 0);
  return c == NULL ? nomem(f) : replace(f, n, &c);
}

/* ---- operators ---- */

static bool is_plain(tsr_val v) { return !tsr_is_boxed(v) || v.tag == TSR_V_STR; }

static bool may_fold(const tsr_ir_node *n) {
  if (n->schema == NULL || n->schema->op == NULL || n->schema->has_mut || n->nout != 1 || n->nin > 16) return false;
  uint32_t flags = ((const tsr_op *)n->schema->op)->flags;
  if (!(flags & TSR_PURE) || (flags & (TSR_NOOPT | TSR_EFFECT))) return false;
  for (uint32_t i = 0; i < n->nin; i++) {
    const tsr_ir_node *d = n->in[i]->def;
    if (d == NULL || d->kind != TSR_IR_CONST || (!is_plain(d->val) && d->slot != TSR_CONST_SHARED)) return false;
  }
  return true;
}

/* A copy of a result that lives as long as the model. */
static tsr_status keep_result(folder *f, tsr_val *v) {
  if (v->tag != TSR_V_STR) return TSR_OK;
  return tsr_model_own(f->env->model, f->env->e, v);
}

static tsr_status fold_op(folder *f, tsr_ir_node *n, bool *done) {
  tsr_val args[16], ret = tsr_none();
  for (uint32_t i = 0; i < n->nin; i++) args[i] = n->in[i]->def->val;
  tsr_call c = {.ctx = &f->ctx, .op = n->schema->op, .args = args, .nargs = n->nin, .rets = &ret, .nrets = 1};
  f->ctx.steps = 0;
  tsr_status s = tsr_call_run(&c);
  if (s != TSR_OK) { /* it will raise when it is reached */
    tsr_errrec_dispose(&f->ctx.err);
    return TSR_OK;
  }
  if (!is_plain(ret) || (ret.tag == TSR_V_STR && ret.s->len > MAX_RESULT)) {
    tsr_release(ret);
    return TSR_OK;
  }
  *done = true;
  TSR_TRY(keep_result(f, &ret));
  return replace_const(f, n, ret, n->out[0]->type);
}

static bool is_false(const tsr_ir_value *v) {
  tsr_val c;
  return tsr_ir_const_of(v, &c) && c.tag == TSR_V_BOOL && !c.b;
}

static bool is_inactive_dropout(const tsr_ir_node *n) {
  static const char *const names[] = {"aten::dropout", "aten::feature_dropout", "aten::alpha_dropout", "aten::feature_alpha_dropout",
                                      "aten::dropout_", "aten::feature_dropout_", "aten::alpha_dropout_", "aten::feature_alpha_dropout_"};
  for (size_t i = 0; i < TSR_COUNT(names); i++)
    if (tsr_ir_is_op(n, names[i])) return n->nin == 3 && is_false(n->in[2]);
  return false;
}

static bool never_none(const tsr_ir_value *v) {
  return v->type->kind != TSR_T_ANY && v->type->kind != TSR_T_VAR && !tsr_type_accepts_none(v->type);
}

static bool is_none(const tsr_ir_value *v) {
  tsr_val c;
  return tsr_ir_const_of(v, &c) && c.tag == TSR_V_NONE;
}

/* x is None, where x's type or value decides. */
static bool fold_none_test(const tsr_ir_node *n, bool *result) {
  bool is = tsr_ir_is_op(n, "aten::__is__");
  if ((!is && !tsr_ir_is_op(n, "aten::__isnot__")) || n->nin != 2) return false;
  const tsr_ir_value *a = n->in[0], *b = n->in[1];
  tsr_val c;
  if (is_none(a) && is_none(b)) *result = is;
  else if (is_none(b) && (never_none(a) || (tsr_ir_const_of(a, &c) && c.tag != TSR_V_NONE))) *result = !is;
  else if (is_none(a) && (never_none(b) || (tsr_ir_const_of(b, &c) && c.tag != TSR_V_NONE))) *result = !is;
  else return false;
  return true;
}

static tsr_status visit_op(folder *f, tsr_ir_node *n, bool *done) {
  bool result;
  if (is_inactive_dropout(n)) {
    *done = true;
    return replace(f, n, n->in);
  }
  if (fold_none_test(n, &result)) {
    *done = true;
    return replace_const(f, n, tsr_bool(result), &tsr_type_bool);
  }
  return may_fold(n) ? fold_op(f, n, done) : TSR_OK;
}

/* ---- tuples, casts, tests ---- */

static const tsr_ir_node *made_by(const tsr_ir_value *v, tsr_ir_kind kind) { return v->def != NULL && v->def->kind == kind ? v->def : NULL; }

static tsr_status visit_simple(folder *f, tsr_ir_node *n, bool *done) {
  tsr_val c;
  const tsr_ir_node *tuple = n->nin == 1 ? made_by(n->in[0], TSR_IR_TUPLE) : NULL;
  *done = true;
  switch (n->kind) {
    case TSR_IR_TUPLE_GET:
      if (tuple != NULL && n->slot < tuple->nin) return replace(f, n, &tuple->in[n->slot]);
      break;
    case TSR_IR_TUPLE_UNPACK:
      if (tuple != NULL && n->nout == tuple->nin) return replace(f, n, tuple->in);
      break;
    case TSR_IR_UNWRAP:
      if (never_none(n->in[0]) || (tsr_ir_const_of(n->in[0], &c) && c.tag != TSR_V_NONE)) return replace(f, n, n->in);
      break;
    case TSR_IR_CAST:
      if (tsr_type_equal(n->in[0]->type, n->out[0]->type)) return replace(f, n, n->in);
      if (tsr_ir_const_of(n->in[0], &c) && (n->slot == 0 ? is_plain(c) : tsr_val_is_instance(c, n->type != NULL ? n->type : n->out[0]->type)))
        return replace(f, n, n->in);
      break;
    case TSR_IR_ISINSTANCE:
      if (tsr_ir_const_of(n->in[0], &c) && is_plain(c)) return replace_const(f, n, tsr_bool(tsr_val_is_instance(c, n->type)), &tsr_type_bool);
      break;
    default: break;
  }
  *done = false;
  return TSR_OK;
}

/* A child of a module container by a constant index or name. */
static void visit_item(folder *f, tsr_ir_node *n) {
  tsr_val key;
  uint32_t slot;
  const tsr_type *t = n->in[0]->type;
  if (t->kind != TSR_T_CLASS || t->cls == NULL || !tsr_ir_const_of(n->in[1], &key)) return;
  bool named = key.tag == TSR_V_STR;
  if (!named && key.tag != TSR_V_INT) return;
  if (!tsr_class_find_child(t->cls, named ? 0 : key.i, named ? key.s->bytes : NULL, named ? key.s->len : 0, &slot)) return;
  tsr_ir_set_input(n, 1, NULL);
  n->nin = 1;
  n->kind = TSR_IR_GETATTR;
  n->slot = slot;
  n->name = t->cls->attr_names[slot];
  if (t->cls->attr_types[slot]->kind == TSR_T_CLASS) n->out[0]->type = t->cls->attr_types[slot];
  f->changed = true;
}

/* ---- control flow ---- */

static tsr_status fold_if(folder *f, tsr_ir_node *n, bool cond) {
  tsr_ir_block *b = n->blocks[cond ? 0 : 1];
  tsr_ir_splice(b, n);
  return replace(f, n, b->rets);
}

static bool never_runs(const tsr_ir_node *n) {
  tsr_val trips;
  return is_false(n->in[1]) || (tsr_ir_const_of(n->in[0], &trips) && trips.tag == TSR_V_INT && trips.i <= 0);
}

static tsr_status fold_block(folder *f, tsr_ir_block *b);

static tsr_status visit(folder *f, tsr_ir_node *n, bool *again) {
  tsr_val cond;
  bool done = false;
  tsr_subst_node(&f->subst, n);
  switch (n->kind) {
    case TSR_IR_OP: return visit_op(f, n, &done);
    case TSR_IR_IF:
      if (!tsr_ir_const_of(n->in[0], &cond) || cond.tag != TSR_V_BOOL) break;
      *again = true;
      return fold_if(f, n, cond.b);
    case TSR_IR_LOOP:
      if (never_runs(n)) return replace(f, n, n->in + 2);
      break;
    case TSR_IR_MODULE_ITEM: visit_item(f, n); return TSR_OK;
    default:
      if (n->nblocks == 0) return visit_simple(f, n, &done); /* With has a body */
  }
  for (uint32_t k = 0; k < n->nblocks; k++) TSR_TRY(fold_block(f, n->blocks[k]));
  return TSR_OK;
}

static tsr_status fold_block(folder *f, tsr_ir_block *b) {
  tsr_ir_node *n = b->first;
  while (n != NULL) {
    tsr_ir_node *before = n->prev, *next = n->next;
    bool again = false;
    TSR_TRY(visit(f, n, &again));
    n = again ? (before != NULL ? before->next : b->first) : next;
  }
  tsr_subst_rets(&f->subst, b);
  return TSR_OK;
}

tsr_status tsr_pass_fold(tsr_pass_env *env, tsr_ir_fn *fn, bool *changed) {
  folder f = {.env = env, .fn = fn};
  tsr_ctx_init(&f.ctx, env->model->mem, env->model->pool);
  f.ctx.types = env->model->program->types;
  f.ctx.archive_version = env->model->program->version;
  f.ctx.max_steps = MAX_STEPS;
  tsr_status s = fold_block(&f, fn->body);
  tsr_ctx_dispose(&f.ctx);
  free(f.subst.to);
  *changed |= f.changed;
  return s;
}
