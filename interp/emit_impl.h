/* The emitter's state, shared by emit.c (blocks, registers) and emit_node.c (nodes). */
#ifndef TSR_INTERP_EMIT_IMPL_H
#define TSR_INTERP_EMIT_IMPL_H

#include "interp/emit.h"

#define NO_REG UINT32_MAX
#define POS_NEVER (-1)
#define POS_END INT32_MAX

/* What the emitter knows of an IR value.  owner: the block in which it dies at the latest. */
typedef struct value_info {
  uint32_t reg;
  uint32_t home;            /* the register of its class (emit_coalesce.c), never reused for others; or NO_REG */
  int32_t last;             /* position in owner of the last node that uses it */
  int32_t nested_at;        /* position of the last node that uses it inside its blocks */
  uint32_t left;            /* loads still to come in a group of loads */
  const tsr_ir_block *owner;
  bool boxed;               /* may hold a reference */
  bool cleared;             /* its last use cleared the register */
  bool stays;               /* a ret leaves it in its register */
  uint32_t pinned;          /* > 0: its register belongs to outer constructs, do not reuse */
} value_info;

typedef struct emitter {
  const tsr_emit_env *env;
  tsr_errrec *e;
  const tsr_ir_fn *fn;
  tsr_bytecode *code;
  struct dying *dying;      /* of block */
  value_info *vals; uint32_t nvals;
  const tsr_ir_block *block; int32_t pos; /* node being emitted */
  const tsr_loc *loc;
  uint32_t *free_regs; uint32_t nfree, free_cap;
  uint32_t insns_cap, sites_cap, operands_cap, consts_cap, handlers_cap, constregs_cap, divisors_cap;
  uint32_t *const_index; uint32_t const_index_cap; /* hash: constant bits -> index + 1 */
  uint32_t *reg_mark; uint32_t reg_mark_cap;
  const tsr_ir_node *fused; /* a comparison left for the If that follows, and its operands' registers */
  uint32_t fused_a, fused_b;
  tsr_status status;        /* first failure; later calls do nothing useful but stay safe */
} emitter;

/* emit.c */
uint32_t tsr_emit_insn(emitter *m, tsr_opcode op, uint32_t a, uint32_t b, uint32_t c); /* its index */
void tsr_emit_fail(emitter *m, tsr_status status);
uint32_t tsr_emit_reg_new(emitter *m);
void tsr_emit_reg_free(emitter *m, uint32_t reg);
bool tsr_emit_may_hold_reference(const tsr_type *t);
bool tsr_emit_is_const(const tsr_ir_value *v);
bool tsr_emit_needs_session(const tsr_ir_value *v); /* constant that a session copies */
uint32_t tsr_emit_const(emitter *m, tsr_val v);     /* index in the constants */
uint32_t tsr_emit_constreg(emitter *m, tsr_val v);  /* register that holds it from entry on */
uint32_t tsr_emit_divisor(emitter *m, int64_t value); /* index in the divisors; 2 <= value < 2^31 */
value_info *tsr_emit_info(emitter *m, const tsr_ir_value *v);
bool tsr_emit_dies(emitter *m, const tsr_ir_value *v); /* at the node being emitted, used by it directly only */
uint32_t tsr_emit_def(emitter *m, const tsr_ir_value *v); /* a register for a result */
uint32_t tsr_emit_site_new(emitter *m, uint32_t nargs, uint32_t nrets);
void tsr_emit_operand(emitter *m, uint32_t site, uint32_t index, uint32_t operand);
void tsr_emit_load(emitter *m, uint32_t reg, const tsr_ir_value *v, bool move); /* reg = v */
void tsr_emit_block(emitter *m, const tsr_ir_block *b, const tsr_ir_value *const *adopted, uint32_t nadopted);
void tsr_emit_loads(emitter *m, tsr_ir_value *const *vs, uint32_t n, const uint32_t *dst); /* as if all at once */
/* Boxed values that die at the node being emitted and are used inside its blocks; own: free(*out). */
uint32_t tsr_emit_adoptable(emitter *m, const tsr_ir_value ***out);
void tsr_emit_rets(emitter *m, const tsr_ir_block *b, uint32_t from, const uint32_t *dst); /* at the end of b */
bool tsr_grow(void **array, uint32_t *cap, uint32_t need, size_t item); /* zeroed growth */

/* emit_coalesce.c: homes for numbers that joins of control flow hand on. */
void tsr_emit_coalesce(emitter *m);

/* emit_node.c */
void tsr_emit_node(emitter *m, const tsr_ir_node *n);
/* Registers of operands: constants get one; *temp: to be dropped by the caller, or NO_REG. */
uint32_t tsr_emit_use(emitter *m, const tsr_ir_value *v, uint32_t *temp);
/* emit_fast.c */
bool tsr_emit_fast(emitter *m, const tsr_ir_node *n);           /* a typed instruction instead of a call */
uint32_t tsr_emit_branch_unless(emitter *m, const tsr_ir_value *cond); /* index of a jump to patch (c) */

#endif
