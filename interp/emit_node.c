/* Emission of nodes: control flow, call sites, objects. */
#include "interp/emit_impl.h"

#include <stdio.h>
#include <stdlib.h>

static void patch(emitter *m, uint32_t insn) {
  if (m->status != TSR_OK) return;
  tsr_insn *in = &m->code->insns[insn];
  int32_t here = (int32_t)m->code->ninsns;
  if (in->op == TSR_BC_JUMP || in->op == TSR_BC_BACK) in->a = here;
  else in->c = here;
}

uint32_t tsr_emit_use(emitter *m, const tsr_ir_value *v, uint32_t *temp) {
  *temp = NO_REG;
  if (tsr_emit_needs_session(v)) {
    *temp = tsr_emit_reg_new(m);
    tsr_emit_load(m, *temp, v, false);
    return *temp;
  }
  if (tsr_emit_is_const(v)) return tsr_emit_constreg(m, v->def->val);
  return tsr_emit_info(m, v)->reg;
}

static void drop_temp(emitter *m, uint32_t temp) {
  if (temp == NO_REG) return;
  tsr_emit_insn(m, TSR_BC_DROP, temp, 0, 0);
  tsr_emit_reg_free(m, temp);
}

/* ---- call sites ---- */

/* Operands of a site: constants by index, session constants through a register that the site clears.
 * While it runs, `stays` marks values that stand in the site twice. */
static void site_operands(emitter *m, uint32_t site, tsr_ir_value *const *in, uint32_t n) {
  for (uint32_t i = 0; i < n; i++) tsr_emit_info(m, in[i])->left++;
  for (uint32_t i = 0; i < n; i++) tsr_emit_info(m, in[i])->stays = tsr_emit_info(m, in[i])->left > 1;
  for (uint32_t i = 0; i < n && m->status == TSR_OK; i++) {
    tsr_callsite *s = &m->code->sites[site];
    value_info *info = tsr_emit_info(m, in[i]);
    bool final = --info->left == 0;
    if (tsr_emit_needs_session(in[i])) {
      uint32_t reg = tsr_emit_reg_new(m);
      tsr_emit_load(m, reg, in[i], false);
      tsr_emit_operand(m, site, i, reg | TSR_OPERAND_LAST);
      continue;
    }
    if (tsr_emit_is_const(in[i])) {
      uint32_t index = tsr_emit_const(m, in[i]->def->val);
      if (i < 64) s->constant |= (uint64_t)1 << i;
      tsr_emit_operand(m, site, i, index | TSR_OPERAND_CONST);
      continue;
    }
    bool last = final && info->boxed && tsr_emit_dies(m, in[i]);
    tsr_emit_operand(m, site, i, info->reg | (last ? TSR_OPERAND_LAST : 0));
    if (last && !info->stays && i < 64) s->moved |= (uint64_t)1 << i;
    if (last) info->cleared = true;
  }
  for (uint32_t i = 0; i < n; i++) tsr_emit_info(m, in[i])->stays = false;
}

/* Session constants' registers of a site, free again once the site stands. */
static void site_release(emitter *m, uint32_t site, tsr_ir_value *const *in, uint32_t n) {
  if (m->status != TSR_OK) return;
  for (uint32_t i = 0; i < n; i++) {
    if (!tsr_emit_needs_session(in[i])) continue;
    tsr_emit_reg_free(m, m->code->operands[m->code->sites[site].first + i] & TSR_OPERAND_INDEX);
  }
}

/* A site for node n with all its inputs and outputs; fill sets what the opcode needs. */
static tsr_callsite *site_begin(emitter *m, const tsr_ir_node *n, uint32_t *site) {
  *site = tsr_emit_site_new(m, n->nin, n->nout);
  if (m->status != TSR_OK) return NULL;
  site_operands(m, *site, n->in, n->nin);
  if (m->status != TSR_OK) return NULL;
  tsr_callsite *s = &m->code->sites[*site];
  s->type = n->type;
  return s;
}

static void site_end(emitter *m, const tsr_ir_node *n, uint32_t site, tsr_opcode op) {
  tsr_emit_insn(m, op, site, 0, 0);
  site_release(m, site, n->in, n->nin);
  for (uint32_t i = 0; i < n->nout; i++) {
    bool used = tsr_emit_info(m, n->out[i])->last != POS_NEVER;
    tsr_emit_operand(m, site, n->nin + i, used ? tsr_emit_def(m, n->out[i]) : TSR_OPERAND_UNUSED);
  }
}

static void emit_site(emitter *m, const tsr_ir_node *n, tsr_opcode op) {
  uint32_t site;
  tsr_callsite *s = site_begin(m, n, &site);
  if (s == NULL) return;
  s->fn = n->callee;
  s->name = n->name;
  if (n->kind == TSR_IR_LIST || n->kind == TSR_IR_DICT || n->kind == TSR_IR_TUPLE) s->type = n->out[0]->type;
  if (s->type == NULL && n->nout > 0) s->type = n->out[0]->type;
  site_end(m, n, site, op);
}

static uint8_t tag_of_param(const tsr_type *t) {
  switch (t->kind) {
    case TSR_T_TENSOR: return TSR_V_TENSOR;
    case TSR_T_INT: return TSR_V_INT;
    case TSR_T_BOOL: return TSR_V_BOOL;
    case TSR_T_STR: return TSR_V_STR;
    case TSR_T_DEVICE: return TSR_V_DEVICE;
    case TSR_T_COMPLEX: return TSR_V_COMPLEX;
    case TSR_T_LIST: return TSR_V_LIST;
    case TSR_T_DICT: return TSR_V_DICT;
    case TSR_T_TUPLE: return TSR_V_TUPLE;
    default: return TSR_ANY_TAG;
  }
}

static void emit_op(emitter *m, const tsr_ir_node *n) {
  if (n->schema != NULL && tsr_emit_fast(m, n)) return;
  uint32_t site;
  tsr_callsite *s = site_begin(m, n, &site);
  if (s == NULL) return;
  s->schema = n->schema;
  s->name = n->name;
  if (n->schema == NULL) {
    site_end(m, n, site, TSR_BC_MISSING);
    return;
  }
  s->op = (const tsr_op *)n->schema->op;
  s->tags = malloc((size_t)n->nin + 1);
  if (s->tags == NULL) {
    tsr_emit_fail(m, TSR_ENOMEM);
    return;
  }
  for (uint32_t i = 0; i < n->nin; i++)
    s->tags[i] = i < n->schema->param_count ? tag_of_param(n->schema->params[i].type) : TSR_ANY_TAG;
  site_end(m, n, site, TSR_BC_OP);
}

/* "layer.0" when the receiver is self.layer.0; NULL when it is something else or out of memory. */
static const char *receiver_path(emitter *m, const tsr_ir_value *v) {
  tsr_buf b = {0};
  const char *names[64];
  int n = 0;
  for (; v->def != NULL && n < 64; v = v->def->in[0]) {
    if (v->def->kind == TSR_IR_CAST && v->def->nin == 1) continue;
    if (v->def->kind != TSR_IR_GETATTR) return NULL;
    names[n++] = v->def->name;
  }
  if (n == 0 || v->def != NULL) return NULL;
  while (n-- > 0) {
    tsr_buf_puts(&b, names[n]);
    if (n > 0) tsr_buf_putc(&b, '.');
  }
  const char *path = b.oom ? NULL : tsr_arena_strdup(m->fn->names, b.data, b.len);
  tsr_buf_dispose(&b);
  return path;
}

static void emit_call(emitter *m, const tsr_ir_node *n) {
  uint32_t site;
  tsr_callsite *s = site_begin(m, n, &site);
  if (s == NULL) return;
  s->fn = n->callee;
  s->name = n->nin > 0 && n->in[0]->type->kind == TSR_T_CLASS ? receiver_path(m, n->in[0]) : NULL;
  site_end(m, n, site, TSR_BC_CALL);
}

/* ---- control flow ---- */

static void adopt(emitter *m, const tsr_ir_value *const *vs, uint32_t n, bool on) {
  for (uint32_t i = 0; i < n; i++) {
    value_info *info = tsr_emit_info(m, vs[i]);
    info->pinned += on ? 1u : -1u;
    if (!on) info->cleared = true; /* each arm has released it */
  }
}

/* Registers for the outputs of n, at regs[skip]. */
static uint32_t *output_regs(emitter *m, const tsr_ir_node *n, uint32_t skip) {
  uint32_t *regs = calloc((size_t)n->nout + skip + 1, sizeof *regs);
  if (regs == NULL) {
    tsr_emit_fail(m, TSR_ENOMEM);
    return NULL;
  }
  for (uint32_t i = 0; i < n->nout; i++) {
    uint32_t home = tsr_emit_info(m, n->out[i])->home;
    regs[skip + i] = home != NO_REG ? home : tsr_emit_reg_new(m);
  }
  return regs;
}

static void set_outputs(emitter *m, const tsr_ir_node *n, const uint32_t *regs) {
  for (uint32_t i = 0; i < n->nout; i++) tsr_emit_info(m, n->out[i])->reg = regs[i];
}

/* to_end: the jump at the end of the first arm; not needed over an arm of no instructions. */
static void close_arm(emitter *m, uint32_t to_else, uint32_t to_end) {
  if (m->status == TSR_OK && m->code->ninsns == to_end + 1) {
    m->code->ninsns = to_end;
    patch(m, to_else);
  } else {
    patch(m, to_end);
  }
}

static void emit_if(emitter *m, const tsr_ir_node *n) {
  const tsr_ir_value **adopted = NULL;
  uint32_t nadopted = tsr_emit_adoptable(m, &adopted);
  uint32_t to_else = tsr_emit_branch_unless(m, n->in[0]), *regs = output_regs(m, n, 0);
  if (regs != NULL && adopted != NULL) {
    adopt(m, adopted, nadopted, true);
    tsr_emit_block(m, n->blocks[0], adopted, nadopted);
    tsr_emit_rets(m, n->blocks[0], 0, regs);
    bool has_else = n->blocks[1]->first != NULL || n->nout > 0 || nadopted > 0;
    uint32_t to_end = has_else ? tsr_emit_insn(m, TSR_BC_JUMP, 0, 0, 0) : 0;
    patch(m, to_else);
    tsr_emit_block(m, n->blocks[1], adopted, nadopted);
    tsr_emit_rets(m, n->blocks[1], 0, regs);
    if (has_else) close_arm(m, to_else, to_end);
    adopt(m, adopted, nadopted, false);
    set_outputs(m, n, regs);
  }
  free(adopted);
  free(regs);
}

static bool const_int(const tsr_ir_value *v, int64_t *out) {
  if (!tsr_emit_is_const(v) || v->def->val.tag != TSR_V_INT) return false;
  *out = v->def->val.i;
  return true;
}

static bool const_bool(const tsr_ir_value *v, bool *out) {
  if (!tsr_emit_is_const(v) || v->def->val.tag != TSR_V_BOOL) return false;
  *out = v->def->val.b;
  return true;
}

/* The condition of a loop must survive the writing of the carried registers. */
static uint32_t loop_condition(emitter *m, const tsr_ir_block *b, const uint32_t *regs) {
  bool known;
  if (const_bool(b->rets[0], &known) && known) {
    tsr_emit_rets(m, b, 1, regs + 1);
    return NO_REG;
  }
  /* A number is tested where it is, unless a carried value is written there. */
  uint32_t reg = tsr_emit_is_const(b->rets[0]) ? NO_REG : tsr_emit_info(m, b->rets[0])->reg;
  for (uint32_t i = 1; i < b->nrets; i++)
    if (regs[i] == reg && b->rets[i] != b->rets[0]) reg = NO_REG;
  if (reg != NO_REG) {
    tsr_emit_rets(m, b, 1, regs + 1);
    return reg;
  }
  tsr_emit_rets(m, b, 0, regs);
  return regs[0];
}

/* regs[0]: the condition, regs[1…]: carried. */
static void loop_body(emitter *m, const tsr_ir_node *n, uint32_t *regs, uint32_t max, bool bounded) {
  const tsr_ir_block *b = n->blocks[0];
  uint32_t index = tsr_emit_reg_new(m), exits[2], nexits = 0;
  bool known;
  tsr_emit_insn(m, TSR_BC_LOADK, index, tsr_emit_const(m, tsr_int(0)), 0);
  if (!const_bool(n->in[1], &known) || !known) exits[nexits++] = tsr_emit_branch_unless(m, n->in[1]);
  if (bounded) exits[nexits++] = tsr_emit_insn(m, TSR_BC_JGE_I, index, max, 0);
  for (uint32_t i = 0; i < b->nparams; i++) {
    value_info *info = tsr_emit_info(m, b->params[i]);
    info->reg = i == 0 ? index : regs[i];
    info->pinned++;
  }
  uint32_t head = m->code->ninsns;
  tsr_emit_block(m, b, NULL, 0);
  uint32_t cond = loop_condition(m, b, regs);
  if (bounded || b->params[0]->uses > 0) {
    if (!bounded) max = tsr_emit_constreg(m, tsr_int(INT64_MAX));
    uint32_t leave = cond == NO_REG ? 0 : tsr_emit_insn(m, TSR_BC_JFALSE, cond, 0, 0);
    tsr_emit_insn(m, TSR_BC_FORLOOP, index, max, head);
    if (cond != NO_REG) patch(m, leave);
  } else if (cond == NO_REG) {
    tsr_emit_insn(m, TSR_BC_BACK, head, 0, 0);
  } else {
    tsr_emit_insn(m, TSR_BC_BACKTRUE, cond, 0, head);
  }
  for (uint32_t i = 0; i < nexits; i++) patch(m, exits[i]);
  tsr_emit_reg_free(m, index);
}

static void emit_loop(emitter *m, const tsr_ir_node *n) {
  int64_t trips = 0;
  bool bounded = !const_int(n->in[0], &trips) || trips != INT64_MAX;
  uint32_t *regs = output_regs(m, n, 1), max = 0, temp = NO_REG;
  if (regs == NULL) return;
  regs[0] = tsr_emit_reg_new(m);
  tsr_emit_loads(m, n->in + 2, n->nin - 2, regs + 1);
  if (bounded) max = tsr_emit_use(m, n->in[0], &temp);
  loop_body(m, n, regs, max, bounded);
  drop_temp(m, temp);
  tsr_emit_reg_free(m, regs[0]);
  set_outputs(m, n, regs + 1);
  free(regs);
}

/* object.__exit__(None, None, None), result dropped */
static void emit_exit_call(emitter *m, const tsr_ir_node *n, uint32_t object) {
  uint32_t site = tsr_emit_site_new(m, 4, 1);
  if (m->status != TSR_OK) return;
  tsr_emit_operand(m, site, 0, object);
  uint32_t none = tsr_emit_const(m, tsr_none());
  for (uint32_t i = 1; i < 4; i++) tsr_emit_operand(m, site, i, none | TSR_OPERAND_CONST);
  tsr_emit_operand(m, site, 4, TSR_OPERAND_UNUSED);
  m->code->sites[site].fn = n->callee;
  tsr_emit_insn(m, TSR_BC_CALL, site, 0, 0);
}

static void add_handler(emitter *m, uint32_t begin, uint32_t end, uint32_t target) {
  tsr_bytecode *k = m->code;
  if (!tsr_grow((void **)&k->handlers, &m->handlers_cap, k->nhandlers + 1, sizeof *k->handlers)) {
    tsr_emit_fail(m, TSR_ENOMEM);
    return;
  }
  k->handlers[k->nhandlers++] = (tsr_handler){begin, end, target};
}

/* reg = call of the function value */
static void call_value(emitter *m, const tsr_ir_node *n, uint32_t reg) {
  uint32_t site;
  if (site_begin(m, n, &site) == NULL) return;
  tsr_emit_insn(m, TSR_BC_CALL_VALUE, site, 0, 0);
  site_release(m, site, n->in, n->nin);
  tsr_emit_operand(m, site, n->nin, reg);
}

static void emit_with(emitter *m, const tsr_ir_node *n) {
  uint32_t *regs = output_regs(m, n, 0), temp;
  if (regs == NULL) return;
  uint32_t object = tsr_emit_use(m, n->in[0], &temp), begin = m->code->ninsns;
  tsr_emit_block(m, n->blocks[0], NULL, 0);
  tsr_emit_rets(m, n->blocks[0], 0, regs);
  uint32_t end = m->code->ninsns;
  emit_exit_call(m, n, object);
  uint32_t done = tsr_emit_insn(m, TSR_BC_JUMP, 0, 0, 0), target = m->code->ninsns;
  emit_exit_call(m, n, object);
  tsr_emit_insn(m, TSR_BC_RERAISE, 0, 0, 0);
  patch(m, done);
  add_handler(m, begin, end, target);
  drop_temp(m, temp);
  set_outputs(m, n, regs);
  free(regs);
}

/* What was made up to an error lies in registers that are free after the block. */
static void drop_leftovers(emitter *m, uint32_t keep) {
  for (uint32_t i = 0; i < m->nfree; i++)
    if (m->free_regs[i] != keep) tsr_emit_insn(m, TSR_BC_DROP, m->free_regs[i], 0, 0);
}

static void emit_fork(emitter *m, const tsr_ir_node *n) {
  uint32_t *regs = output_regs(m, n, 0), begin = m->code->ninsns;
  if (regs == NULL) return;
  if (n->nblocks == 0) {
    call_value(m, n, regs[0]);
  } else {
    tsr_emit_block(m, n->blocks[0], NULL, 0);
    tsr_emit_rets(m, n->blocks[0], 0, regs);
  }
  uint32_t end = m->code->ninsns, done = tsr_emit_insn(m, TSR_BC_JUMP, 0, 0, 0), target = m->code->ninsns;
  drop_leftovers(m, regs[0]);
  tsr_emit_insn(m, TSR_BC_CATCH, regs[0], 0, 0);
  patch(m, done);
  add_handler(m, begin, end, target);
  set_outputs(m, n, regs);
  free(regs);
}

/* ---- objects ---- */

static void emit_getattr(emitter *m, const tsr_ir_node *n, tsr_opcode op) {
  uint32_t temp, object = tsr_emit_use(m, n->in[0], &temp);
  uint32_t out = temp != NO_REG ? tsr_emit_reg_new(m) : tsr_emit_def(m, n->out[0]);
  tsr_emit_insn(m, op, out, object, n->slot);
  drop_temp(m, temp);
  if (temp != NO_REG) tsr_emit_info(m, n->out[0])->reg = out;
}

static void emit_setattr(emitter *m, const tsr_ir_node *n) {
  uint32_t temp, object = tsr_emit_use(m, n->in[0], &temp), value = tsr_emit_reg_new(m);
  bool move = n->in[0] != n->in[1] && tsr_emit_dies(m, n->in[1]);
  tsr_emit_load(m, value, n->in[1], move);
  tsr_emit_insn(m, TSR_BC_SETATTR, object, value, n->slot);
  tsr_emit_reg_free(m, value);
  drop_temp(m, temp);
}

static void emit_identity(emitter *m, const tsr_ir_node *n) {
  if (tsr_emit_info(m, n->out[0])->last == POS_NEVER) return;
  bool move = tsr_emit_dies(m, n->in[0]);
  uint32_t out = tsr_emit_def(m, n->out[0]);
  tsr_emit_load(m, out, n->in[0], move);
}

static void emit_uninit(emitter *m, const tsr_ir_node *n) {
  const tsr_type *t = n->out[0]->type;
  tsr_val v = tsr_none();
  switch (t->kind) {
    case TSR_T_INT: v = tsr_int(0); break;
    case TSR_T_FLOAT: case TSR_T_NUMBER: v = tsr_float(0); break;
    case TSR_T_BOOL: v = tsr_bool(false); break;
    case TSR_T_NONE: case TSR_T_OPTIONAL: case TSR_T_ANY: break;
    default: emit_site(m, n, TSR_BC_UNINIT); return;
  }
  uint32_t out = tsr_emit_def(m, n->out[0]);
  tsr_emit_insn(m, TSR_BC_LOADK, out, tsr_emit_const(m, v), 0);
}

void tsr_emit_node(emitter *m, const tsr_ir_node *n) {
  switch (n->kind) {
    case TSR_IR_CONST: break;
    case TSR_IR_OP: emit_op(m, n); break;
    case TSR_IR_IF: emit_if(m, n); break;
    case TSR_IR_LOOP: emit_loop(m, n); break;
    case TSR_IR_WITH: emit_with(m, n); break;
    case TSR_IR_GETATTR: emit_getattr(m, n, TSR_BC_GETATTR); break;
    case TSR_IR_TUPLE_GET: emit_getattr(m, n, TSR_BC_TUPLE_GET); break;
    case TSR_IR_SETATTR: emit_setattr(m, n); break;
    case TSR_IR_CALL: emit_call(m, n); break;
    case TSR_IR_CALL_VALUE: emit_site(m, n, TSR_BC_CALL_VALUE); break;
    case TSR_IR_FORK: emit_fork(m, n); break;
    case TSR_IR_CALL_METHOD: emit_site(m, n, TSR_BC_CALL_METHOD); break;
    case TSR_IR_NEW: emit_site(m, n, TSR_BC_NEW); break;
    case TSR_IR_CLOSURE: emit_site(m, n, TSR_BC_CLOSURE); break;
    case TSR_IR_TUPLE: emit_site(m, n, TSR_BC_TUPLE); break;
    case TSR_IR_TUPLE_UNPACK: emit_site(m, n, TSR_BC_TUPLE_UNPACK); break;
    case TSR_IR_LIST: emit_site(m, n, TSR_BC_LIST); break;
    case TSR_IR_LIST_UNPACK: emit_site(m, n, TSR_BC_LIST_UNPACK); break;
    case TSR_IR_DICT: emit_site(m, n, TSR_BC_DICT); break;
    case TSR_IR_CAST:
      if (n->slot == 0) emit_identity(m, n);
      else emit_site(m, n, TSR_BC_CAST);
      break;
    case TSR_IR_UNWRAP: emit_site(m, n, TSR_BC_UNWRAP); break;
    case TSR_IR_ISINSTANCE: emit_site(m, n, TSR_BC_ISINSTANCE); break;
    case TSR_IR_UNINIT: emit_uninit(m, n); break;
    case TSR_IR_RAISE: emit_site(m, n, TSR_BC_RAISE); break;
    case TSR_IR_MODULE_ITEM: emit_site(m, n, TSR_BC_ITEM); break;
  }
}
