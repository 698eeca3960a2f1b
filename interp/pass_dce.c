/* Dead code: nodes without effects whose results nobody uses, and results of If that nobody uses. */
#include "interp/pass_util.h"

static bool is_unused(const tsr_ir_node *n) {
  for (uint32_t i = 0; i < n->nout; i++)
    if (n->out[i]->uses > 0) return false;
  return true;
}

static void drop_at(tsr_ir_value **items, uint32_t *count, uint32_t at) {
  memmove(items + at, items + at + 1, (*count - at - 1) * sizeof *items);
  --*count;
}

/* Unused results of an If, with what the arms return for them. */
static bool trim_if(tsr_ir_node *n) {
  bool changed = false;
  for (uint32_t i = n->nout; i-- > 0;) {
    if (n->out[i]->uses > 0) continue;
    for (uint32_t k = 0; k < 2; k++) {
      tsr_ir_set_ret(n->blocks[k], i, NULL);
      drop_at(n->blocks[k]->rets, &n->blocks[k]->nrets, i);
    }
    drop_at(n->out, &n->nout, i);
    changed = true;
  }
  return changed;
}

/* Carried values that the loop hands through unchanged, or that only it uses for themselves. */
static bool trim_loop(tsr_ir_node *n) {
  tsr_ir_block *b = n->blocks[0];
  bool changed = false;
  for (uint32_t i = n->nout; i-- > 0;) {
    tsr_ir_value *param = b->params[i + 1];
    bool through = b->rets[i + 1] == param;
    if (n->out[i]->uses > 0 && !through) continue;
    if (!through && param->uses > 0) continue;
    if (through) { /* the same value before, inside and after */
      tsr_ir_replace_uses(n->parent, n->out[i], n->in[i + 2]);
      tsr_ir_set_ret(b, i + 1, NULL);
      tsr_ir_replace_uses(b, param, n->in[i + 2]);
    } else {
      tsr_ir_set_ret(b, i + 1, NULL);
    }
    tsr_ir_set_input(n, i + 2, NULL);
    drop_at(b->rets, &b->nrets, i + 1);
    drop_at(b->params, &b->nparams, i + 1);
    drop_at(n->in, &n->nin, i + 2);
    drop_at(n->out, &n->nout, i);
    changed = true;
  }
  return changed;
}

static bool sweep(tsr_ir_block *b) {
  bool changed = false;
  for (tsr_ir_node *n = b->last, *prev; n != NULL; n = prev) {
    prev = n->prev;
    if (is_unused(n) && !tsr_ir_has_effect(n)) {
      tsr_ir_remove(n);
      changed = true;
      continue;
    }
    if (n->kind == TSR_IR_IF) changed |= trim_if(n);
    if (n->kind == TSR_IR_LOOP) changed |= trim_loop(n);
    for (uint32_t k = 0; k < n->nblocks; k++) changed |= sweep(n->blocks[k]);
  }
  return changed;
}

tsr_status tsr_pass_dce(tsr_pass_env *env, tsr_ir_fn *fn, bool *changed) {
  TSR_UNUSED(env);
  while (sweep(fn->body)) *changed = true;
  return TSR_OK;
}
