/* Typed instructions in place of operator calls: numbers, None tests, lists. */
#include "interp/emit_impl.h"

#include <stdlib.h>

typedef enum shape {
  BIN,      /* out = a op b */
  BIN_IF,   /* the same; an int operand becomes a float first */
  UN,       /* out = op a */
  GET,      /* out = list[i] */
  SET,      /* list[i] = v; result is the list */
  PUSH,     /* append; result is the list */
  DERIVE,   /* out = start + i * step, operands i, start, step */
} shape;

typedef struct fast_op { const char *name, *overload; uint8_t op, shape; } fast_op;

/* One row an overload.  Jump forms are found by opcode (see jumps). */
static const fast_op fast_ops[] = {
    {"aten::add", "int", TSR_BC_ADD_I, BIN}, {"aten::sub", "int", TSR_BC_SUB_I, BIN},
    {"aten::mul", "int", TSR_BC_MUL_I, BIN}, {"aten::floordiv", "int", TSR_BC_FLOORDIV_I, BIN},
    {"aten::remainder", "int", TSR_BC_MOD_I, BIN}, {"aten::neg", "int", TSR_BC_NEG_I, UN},
    {"aten::__and__", "int", TSR_BC_AND_I, BIN}, {"aten::__or__", "int", TSR_BC_OR_I, BIN},
    {"aten::__xor__", "int", TSR_BC_XOR_I, BIN}, {"prim::min", "int", TSR_BC_MIN_I, BIN},
    {"prim::max", "int", TSR_BC_MAX_I, BIN},
    {"aten::eq", "int", TSR_BC_EQ_I, BIN}, {"aten::ne", "int", TSR_BC_NE_I, BIN},
    {"aten::lt", "int", TSR_BC_LT_I, BIN}, {"aten::le", "int", TSR_BC_LE_I, BIN},
    {"aten::gt", "int", TSR_BC_GT_I, BIN}, {"aten::ge", "int", TSR_BC_GE_I, BIN},
    {"aten::add", "float", TSR_BC_ADD_F, BIN}, {"aten::sub", "float", TSR_BC_SUB_F, BIN},
    {"aten::mul", "float", TSR_BC_MUL_F, BIN}, {"aten::div", "float", TSR_BC_DIV_F, BIN},
    {"aten::add", "int_float", TSR_BC_ADD_F, BIN_IF}, {"aten::add", "float_int", TSR_BC_ADD_F, BIN_IF},
    {"aten::sub", "int_float", TSR_BC_SUB_F, BIN_IF}, {"aten::sub", "float_int", TSR_BC_SUB_F, BIN_IF},
    {"aten::mul", "int_float", TSR_BC_MUL_F, BIN_IF}, {"aten::mul", "float_int", TSR_BC_MUL_F, BIN_IF},
    {"aten::div", "int", TSR_BC_DIV_F, BIN_IF}, {"aten::neg", "float", TSR_BC_NEG_F, UN},
    {"aten::eq", "float", TSR_BC_EQ_F, BIN}, {"aten::ne", "float", TSR_BC_NE_F, BIN},
    {"aten::lt", "float", TSR_BC_LT_F, BIN}, {"aten::le", "float", TSR_BC_LE_F, BIN},
    {"aten::gt", "float", TSR_BC_GT_F, BIN}, {"aten::ge", "float", TSR_BC_GE_F, BIN},
    {"aten::__not__", "", TSR_BC_NOT, UN},
    {"aten::__and__", "bool", TSR_BC_AND_B, BIN}, {"aten::__or__", "bool", TSR_BC_OR_B, BIN},
    {"aten::__xor__", "bool", TSR_BC_XOR_B, BIN}, {"aten::eq", "bool", TSR_BC_EQ_I, BIN},
    {"aten::ne", "bool", TSR_BC_NE_I, BIN},
    {"aten::__is__", "", TSR_BC_IS, BIN}, {"aten::__isnot__", "", TSR_BC_ISNOT, BIN},
    {"aten::Float", "int", TSR_BC_ITOF, UN}, {"aten::Float", "Scalar", TSR_BC_ITOF, UN}, {"aten::__derive_index", "", TSR_BC_ADD_I, DERIVE},
    {"aten::len", "t", TSR_BC_LIST_LEN, UN}, {"aten::__getitem__", "t", TSR_BC_LIST_GET, GET},
    {"aten::_set_item", "t", TSR_BC_LIST_SET, SET}, {"aten::append", "t", TSR_BC_LIST_APPEND, PUSH},
    {"aten::__contains__", "int_list", TSR_BC_LIST_HAS, BIN}, {"aten::dim", "", TSR_BC_TENSOR_DIM, UN},
    {"aten::size", "int", TSR_BC_TENSOR_SIZE, BIN},
};

static const fast_op *find(const tsr_schema *s) {
  for (size_t i = 0; i < TSR_COUNT(fast_ops); i++)
    if (strcmp(s->name, fast_ops[i].name) == 0 && strcmp(s->overload, fast_ops[i].overload) == 0) return &fast_ops[i];
  return NULL;
}

/* ---- comparisons fused into branches ---- */

typedef struct jump { uint8_t op, unless; } jump; /* unless: jump taken when the comparison is false */

static const jump jumps[] = {
    {TSR_BC_EQ_I, TSR_BC_JNE_I}, {TSR_BC_NE_I, TSR_BC_JEQ_I}, {TSR_BC_LT_I, TSR_BC_JGE_I},
    {TSR_BC_LE_I, TSR_BC_JGT_I}, {TSR_BC_GT_I, TSR_BC_JLE_I}, {TSR_BC_GE_I, TSR_BC_JLT_I},
    {TSR_BC_EQ_F, TSR_BC_JNE_F}, {TSR_BC_NE_F, TSR_BC_JEQ_F}, {TSR_BC_LT_F, TSR_BC_JNLT_F},
    {TSR_BC_LE_F, TSR_BC_JNLE_F}, {TSR_BC_GT_F, TSR_BC_JNGT_F}, {TSR_BC_GE_F, TSR_BC_JNGE_F},
    {TSR_BC_IS, TSR_BC_JNOTNONE}, {TSR_BC_ISNOT, TSR_BC_JNONE}, {TSR_BC_NOT, TSR_BC_JTRUE},
};

static const jump *find_jump(uint8_t op) {
  for (size_t i = 0; i < TSR_COUNT(jumps); i++)
    if (jumps[i].op == op) return &jumps[i];
  return NULL;
}

/* Leave comparison n to the If that follows it.  Its operands' registers are not written in between, but
 * a reference that ends here would be released: such None tests are not fused. */
static bool fuse(emitter *m, const tsr_ir_node *n, const fast_op *f) {
  const tsr_ir_node *next = n->next;
  if (next == NULL || next->kind != TSR_IR_IF || n->nout != 1 || next->in[0] != n->out[0] || n->out[0]->uses != 1) return false;
  if (find_jump(f->op) == NULL) return false;
  uint32_t temp;
  bool none_test = f->op == TSR_BC_IS || f->op == TSR_BC_ISNOT;
  if (none_test) {
    if (!tsr_emit_is_const(n->in[1]) || n->in[1]->def->val.tag != TSR_V_NONE || tsr_emit_is_const(n->in[0]) ||
        tsr_emit_dies(m, n->in[0]))
      return false;
  }
  m->fused = n;
  m->fused_a = tsr_emit_use(m, n->in[0], &temp);
  m->fused_b = n->nin > 1 && !none_test ? tsr_emit_use(m, n->in[1], &temp) : 0;
  return true;
}

static void drop_temps(emitter *m, const uint32_t *temps, const bool *boxed, int n) {
  for (int i = 0; i < n; i++) {
    if (temps[i] == NO_REG) continue;
    if (boxed[i]) tsr_emit_insn(m, TSR_BC_DROP, temps[i], 0, 0);
    tsr_emit_reg_free(m, temps[i]);
  }
}

/* Operands of n as registers, ints widened where the instruction wants floats.  At most 3. */
static int operands(emitter *m, const tsr_ir_node *n, bool widen, uint32_t *regs, uint32_t *temps, bool *boxed) {
  int count = (int)TSR_MIN(n->nin, 3u);
  for (int i = 0; i < count; i++) {
    regs[i] = tsr_emit_use(m, n->in[i], &temps[i]);
    boxed[i] = temps[i] != NO_REG;
    if (!widen || n->in[i]->type->kind != TSR_T_INT) continue;
    temps[i] = tsr_emit_reg_new(m);
    tsr_emit_insn(m, TSR_BC_ITOF, temps[i], regs[i], 0);
    regs[i] = temps[i];
  }
  return count;
}

/* Results of append and _set_item: the list itself. */
static void result_is_first(emitter *m, const tsr_ir_node *n, uint32_t list) {
  if (n->nout == 0 || tsr_emit_info(m, n->out[0])->last == POS_NEVER) return;
  uint32_t out = tsr_emit_def(m, n->out[0]);
  tsr_emit_insn(m, TSR_BC_COPY, out, list, 0);
}

static void emit_push(emitter *m, const tsr_ir_node *n, uint32_t list, uint32_t item) {
  bool move = !tsr_emit_is_const(n->in[1]) && n->in[0] != n->in[1] && tsr_emit_dies(m, n->in[1]) && tsr_emit_info(m, n->in[1])->boxed;
  tsr_emit_insn(m, move ? TSR_BC_LIST_PUSH : TSR_BC_LIST_APPEND, list, item, 0);
  if (move) tsr_emit_info(m, n->in[1])->cleared = true;
  result_is_first(m, n, list);
}

static bool is_one(const tsr_ir_value *v) { return tsr_emit_is_const(v) && v->def->val.tag == TSR_V_INT && v->def->val.i == 1; }

static void emit_derive(emitter *m, const tsr_ir_node *n, const uint32_t *regs) {
  uint32_t out = tsr_emit_def(m, n->out[0]), scaled = regs[0];
  bool plain = is_one(n->in[2]);
  if (!plain) tsr_emit_insn(m, TSR_BC_MUL_I, scaled = tsr_emit_reg_new(m), regs[0], regs[2]);
  tsr_emit_insn(m, TSR_BC_ADD_I, out, scaled, regs[1]);
  if (!plain) tsr_emit_reg_free(m, scaled);
}

static uint32_t result_reg(emitter *m, const tsr_ir_node *n) { return tsr_emit_def(m, n->out[0]); }

/* Division by a constant. */
static bool emit_divide(emitter *m, const tsr_ir_node *n, const fast_op *f) {
  if (f->op != TSR_BC_FLOORDIV_I && f->op != TSR_BC_MOD_I) return false;
  if (!tsr_emit_is_const(n->in[1]) || tsr_emit_is_const(n->in[0])) return false;
  int64_t by = n->in[1]->def->val.i;
  if (n->in[1]->def->val.tag != TSR_V_INT || by < 2 || by > INT32_MAX) return false;
  tsr_opcode op = f->op == TSR_BC_MOD_I ? TSR_BC_MOD_K : TSR_BC_FLOORDIV_K;
  tsr_emit_insn(m, op, result_reg(m, n), tsr_emit_info(m, n->in[0])->reg, tsr_emit_divisor(m, by));
  return true;
}

bool tsr_emit_fast(emitter *m, const tsr_ir_node *n) {
  const fast_op *f = find(n->schema);
  if (f == NULL || n->nin == 0 || n->nin > 3 || n->nout > 1) return false;
  if (f->op == TSR_BC_ITOF && n->in[0]->type->kind != TSR_T_INT) return false;
  if (f->op == TSR_BC_LIST_LEN && n->in[0]->type->kind != TSR_T_LIST) return false;
  if (fuse(m, n, f) || emit_divide(m, n, f)) return true;
  uint32_t regs[3], temps[3];
  bool boxed[3];
  int count = operands(m, n, f->shape == BIN_IF, regs, temps, boxed);
  switch ((shape)f->shape) {
    case BIN: case BIN_IF: case GET:
      tsr_emit_insn(m, (tsr_opcode)f->op, result_reg(m, n), regs[0], regs[1]);
      break;
    case UN: tsr_emit_insn(m, (tsr_opcode)f->op, result_reg(m, n), regs[0], 0); break;
    case SET:
      tsr_emit_insn(m, TSR_BC_LIST_SET, regs[0], regs[1], regs[2]);
      result_is_first(m, n, regs[0]);
      break;
    case PUSH: emit_push(m, n, regs[0], regs[1]); break;
    case DERIVE: emit_derive(m, n, regs); break;
  }
  drop_temps(m, temps, boxed, count);
  return true;
}

uint32_t tsr_emit_branch_unless(emitter *m, const tsr_ir_value *cond) {
  const tsr_ir_node *n = m->fused;
  uint32_t temp;
  m->fused = NULL;
  if (n == NULL || cond->def != n) return tsr_emit_insn(m, TSR_BC_JFALSE, tsr_emit_use(m, cond, &temp), 0, 0);
  return tsr_emit_insn(m, (tsr_opcode)find_jump(find(n->schema)->op)->unless, m->fused_a, m->fused_b, 0);
}
