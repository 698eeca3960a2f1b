/* The verifier: what every pass may rely on.  A failure is a defect of ours, never of the file. */
#include <stdlib.h>

#include "interp/ir.h"

/* Values by id: where they were defined, and how often they are used. */
typedef struct verifier {
  const tsr_ir_fn *fn;
  tsr_errrec *e;
  uint8_t *visible;    /* by id: defined in an enclosing block, before this point */
  uint32_t *uses;      /* by id: found so far */
  uint32_t *trail;     /* ids made visible, in order: truncated when a block ends */
  uint32_t trail_len;
} verifier;

static tsr_status bad(verifier *v, const tsr_ir_node *n, const char *what) {
  const char *kind = n == NULL ? "body" : n->kind == TSR_IR_OP && n->schema != NULL ? n->schema->name : tsr_ir_kind_name(n->kind);
  return tsr_fail(v->e, TSR_EINTERNAL, "ir of %s: %s: %s", v->fn->name, kind, what);
}

static tsr_status define(verifier *v, const tsr_ir_node *n, const tsr_ir_value *x, const tsr_ir_block *b) {
  if (x == NULL || x->id >= v->fn->next_id) return bad(v, n, "value without a valid id");
  if (v->visible[x->id]) return bad(v, n, "value defined twice");
  if (x->type == NULL) return bad(v, n, "value without a type");
  if (x->def != n && x->def != NULL) return bad(v, n, "value names another definition");
  if (x->block != b) return bad(v, n, "value names another block");
  v->visible[x->id] = 1;
  v->trail[v->trail_len++] = x->id;
  return TSR_OK;
}

static tsr_status use(verifier *v, const tsr_ir_node *n, const tsr_ir_value *x) {
  if (x == NULL) return bad(v, n, "missing operand");
  if (x->id >= v->fn->next_id || !v->visible[x->id]) return bad(v, n, "operand does not dominate its use");
  v->uses[x->id]++;
  return TSR_OK;
}

/* a may be stored where b is expected.  Any stands for values of missing operators. */
static bool fits(const tsr_type *a, const tsr_type *b) {
  return a == b || a->kind == TSR_T_ANY || b->kind == TSR_T_ANY || b->kind == TSR_T_INTERFACE || tsr_type_is_subtype(a, b) ||
         a->count > 0 || b->count > 0;
}

static tsr_status check_if(verifier *v, const tsr_ir_node *n) {
  if (n->nin != 1 || n->nblocks != 2) return bad(v, n, "needs a condition and two blocks");
  if (!fits(n->in[0]->type, &tsr_type_bool)) return bad(v, n, "condition is not a bool");
  for (uint32_t k = 0; k < 2; k++) {
    if (n->blocks[k]->nparams != 0) return bad(v, n, "branch with parameters");
    if (n->blocks[k]->nrets != n->nout) return bad(v, n, "branch returns another number of values");
  }
  return TSR_OK;
}

static tsr_status check_loop(verifier *v, const tsr_ir_node *n) {
  if (n->nin < 2 || n->nblocks != 1) return bad(v, n, "needs trip count, condition and one block");
  uint32_t carried = n->nin - 2;
  if (n->nout != carried || n->blocks[0]->nparams != carried + 1 || n->blocks[0]->nrets != carried + 1)
    return bad(v, n, "carried values do not agree");
  return TSR_OK;
}

static tsr_status check_shape(verifier *v, const tsr_ir_node *n) {
  switch (n->kind) {
  case TSR_IR_IF: return check_if(v, n);
  case TSR_IR_LOOP: return check_loop(v, n);
  case TSR_IR_WITH:
    if (n->nin != 1 || n->nblocks != 1 || n->callee == NULL || n->blocks[0]->nrets != n->nout) return bad(v, n, "malformed");
    return TSR_OK;
  case TSR_IR_FORK:
    if (n->nout != 1 || n->nin + n->nblocks != 1 || (n->nblocks == 1 && n->blocks[0]->nrets != 1)) return bad(v, n, "malformed");
    return TSR_OK;
  case TSR_IR_OP:
    if (n->schema == NULL) return n->name != NULL ? TSR_OK : bad(v, n, "missing operator without a name");
    if (n->schema->vararg ? n->nin < n->schema->param_count : n->nin != n->schema->param_count)
      return bad(v, n, "wrong number of operands");
    if (!n->schema->varret && n->nout != n->schema->ret_count) return bad(v, n, "wrong number of results");
    for (uint32_t i = 0; i < n->schema->param_count; i++)
      if (!fits(n->in[i]->type, n->schema->params[i].type) && n->schema->params[i].type->kind != TSR_T_VAR)
        return bad(v, n, "operand of the wrong type");
    return TSR_OK;
  case TSR_IR_CALL: case TSR_IR_CLOSURE:
    if (n->callee == NULL || (n->kind == TSR_IR_CALL && n->nin != n->callee->schema->param_count)) return bad(v, n, "wrong number of arguments");
    return TSR_OK;
  case TSR_IR_SETATTR: return n->nin == 2 && n->nout == 0 ? TSR_OK : bad(v, n, "malformed");
  case TSR_IR_RAISE: return n->nin == 2 && n->nout == 0 ? TSR_OK : bad(v, n, "malformed");
  case TSR_IR_LIST_UNPACK: case TSR_IR_TUPLE_UNPACK: return n->nin == 1 ? TSR_OK : bad(v, n, "malformed");
  default: return n->nout == 1 ? TSR_OK : bad(v, n, "needs one result");
  }
}

static tsr_status check_block(verifier *v, const tsr_ir_block *b);

static tsr_status check_node(verifier *v, const tsr_ir_node *n, const tsr_ir_block *b) {
  if (n->parent != b) return bad(v, n, "names another block");
  for (uint32_t i = 0; i < n->nin; i++) TSR_TRY(use(v, n, n->in[i]));
  TSR_TRY(check_shape(v, n));
  for (uint32_t k = 0; k < n->nblocks; k++) {
    if (n->blocks[k]->owner != n) return bad(v, n, "block names another owner");
    uint32_t mark = v->trail_len;
    TSR_TRY(check_block(v, n->blocks[k]));

    while (v->trail_len > mark) v->visible[v->trail[--v->trail_len]] = 0;
  }
  for (uint32_t i = 0; i < n->nout; i++) TSR_TRY(define(v, n, n->out[i], b));
  return TSR_OK;
}

static tsr_status check_block(verifier *v, const tsr_ir_block *b) {
  for (uint32_t i = 0; i < b->nparams; i++) TSR_TRY(define(v, NULL, b->params[i], b));
  const tsr_ir_node *prev = NULL;
  for (const tsr_ir_node *n = b->first; n != NULL; prev = n, n = n->next) {
    if (n->prev != prev) return bad(v, n, "broken chain");
    TSR_TRY(check_node(v, n, b));
  }
  if (b->last != prev) return bad(v, prev, "broken chain");
  for (uint32_t i = 0; i < b->nrets; i++) TSR_TRY(use(v, b->owner, b->rets[i]));
  return TSR_OK;
}

static tsr_status check_use_counts(verifier *v, const tsr_ir_block *b) {
  for (uint32_t i = 0; i < b->nparams; i++)
    if (b->params[i]->uses != v->uses[b->params[i]->id]) return bad(v, b->owner, "count of uses is wrong");
  for (const tsr_ir_node *n = b->first; n != NULL; n = n->next) {
    for (uint32_t i = 0; i < n->nout; i++)
      if (n->out[i]->uses != v->uses[n->out[i]->id]) return bad(v, n, "count of uses is wrong");
    for (uint32_t k = 0; k < n->nblocks; k++) TSR_TRY(check_use_counts(v, n->blocks[k]));
  }
  return TSR_OK;
}

tsr_status tsr_ir_verify(const tsr_ir_fn *fn, tsr_errrec *e) {
  size_t n = (size_t)fn->next_id + 1;
  verifier v = {.fn = fn, .e = e};
  v.visible = calloc(n, 1);
  v.uses = calloc(n, sizeof *v.uses);
  v.trail = calloc(n, sizeof *v.trail);
  tsr_status s;
  if (v.visible == NULL || v.uses == NULL || v.trail == NULL) s = tsr_fail_nomem(e);
  else s = check_block(&v, fn->body);
  if (s == TSR_OK) s = check_use_counts(&v, fn->body);
  free(v.visible);
  free(v.uses);
  free(v.trail);
  return s;
}
