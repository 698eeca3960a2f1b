/* Bytecode of one function: fixed-size instructions over registers, call sites, constants, locations.
 * Immutable once emitted and shared by threads, but for what call sites cache (tsr_site_publish). */
#ifndef TSR_INTERP_BYTECODE_H
#define TSR_INTERP_BYTECODE_H

#include "interp/ir.h"
#include "ops/op.h"

typedef enum tsr_opcode {
#define TSR_OPCODE(name, mnemonic, a, b, c, doc) TSR_BC_##name,
#include "interp/opcodes.def"
#undef TSR_OPCODE
  TSR_BC_COUNT
} tsr_opcode;

/* Finished code is linked (tsr_bytecode_link): registers are byte offsets into the frame's, jumps byte distances
 * from the instruction.  Until then both are indices. */
typedef struct tsr_insn { uint32_t op; int32_t a, b, c; } tsr_insn;

/* A constant that numbers are divided by, 2 to 2^31 - 1.  With reciprocal = ceil(2^64 / value) and any x below 2^32,
 * x / value is the high half of reciprocal * x, and x % value that of (reciprocal * x mod 2^64) * value: the error
 * of the reciprocal, below 1, grows to less than 2^32, and one step of x is 2^64 / value, more than that. */
typedef struct tsr_divisor { uint64_t reciprocal; int64_t value; } tsr_divisor;

/* Operands of a call site: a register or a constant; LAST: the site clears the register. */
#define TSR_OPERAND_CONST 0x80000000u
#define TSR_OPERAND_LAST 0x40000000u
#define TSR_OPERAND_INDEX 0x3fffffffu
#define TSR_OPERAND_UNUSED 0x3fffffffu /* as a result: release it at once */

typedef struct tsr_callsite {
  uint32_t nargs, nrets;
  uint32_t first;            /* in operands: nargs arguments, then nrets result registers */
  uint64_t moved;            /* bit i: argument i is a register's last use and stands in the call once */
  uint64_t constant;         /* bit i: argument i is a constant */
  const tsr_op *op;          /* OP */
  const tsr_schema *schema;  /* OP, MISSING */
  uint8_t *tags;             /* OP: required tag of each argument, TSR_ANY_TAG: not checked */
  tsr_ir_fn *fn;             /* CALL, CLOSURE */
  const char *name;          /* CALL_METHOD; CALL: module path of the receiver relative to the caller's, or NULL */
  const tsr_type *type;      /* NEW, TUPLE, LIST, DICT, CAST, ISINSTANCE */
  tsr_site site;
} tsr_callsite;
#define TSR_ANY_TAG 0xff

typedef struct tsr_handler { uint32_t begin, end, target; } tsr_handler; /* errors at [begin, end) go to target */
typedef struct tsr_constreg { uint32_t reg, constant; } tsr_constreg;

typedef struct tsr_bytecode {
  const char *name;          /* qualified function name */
  const tsr_schema *schema;
  uint32_t nparams, nregs;   /* parameters are registers 0 … nparams-1 */
  uint32_t ninsns, nsites, noperands, nconsts, nhandlers, nconstregs, ndivisors;
  tsr_insn *insns;
  const tsr_loc **locs;      /* one an instruction, NULL: as the one before */
  tsr_callsite *sites;
  uint32_t *operands;
  tsr_val *consts;           /* immortal or unboxed */
  tsr_handler *handlers;     /* inner before outer */
  tsr_constreg *constregs;   /* filled at entry */
  tsr_divisor *divisors;
} tsr_bytecode;

void tsr_bytecode_free(tsr_bytecode *code); /* sites' caches too; NULL is allowed */
const char *tsr_opcode_name(uint32_t op);
bool tsr_opcode_jumps(uint32_t op); /* operand c is a jump target */
/* Check every index, jump and operand, before linking; our own bug when it fails. */
tsr_status tsr_bytecode_verify(const tsr_bytecode *code, uint32_t session_consts, tsr_errrec *e);
void tsr_bytecode_link(tsr_bytecode *code); /* once, after verification */
void tsr_bytecode_print(const tsr_bytecode *code, tsr_buf *out);
const tsr_loc *tsr_bytecode_loc(const tsr_bytecode *code, uint32_t pc); /* NULL: unknown */

#endif
