/* Programs of the lite interpreter: methods as code of a stack machine (bytecode.pkl), for archives whose
 * sources were taken out.  lite.c reads and checks the tables, lite_lower.c turns a method into IR. */
#ifndef TSR_INTERP_LITE_H
#define TSR_INTERP_LITE_H

#include "interp/compile.h"

/* X(name, values popped: -1 depends on the operands) */
#define TSR_LITE_OPS(X)                                                                                          \
  X(OP, -1) X(OPN, -1) X(LOAD, 0) X(MOVE, 0) X(STOREN, -1) X(STORE, 1) X(DROP, 1) X(DROPR, 0) X(LOADC, 0)        \
  X(JF, 1) X(JMP, 0) X(LOOP, -1) X(RET, 0) X(GET_ATTR, 1) X(SET_ATTR, 2) X(LIST_UNPACK, 1)                       \
  X(TUPLE_CONSTRUCT, -1) X(NAMED_TUPLE_CONSTRUCT, -1) X(LIST_CONSTRUCT, -1) X(DICT_CONSTRUCT, -1)                \
  X(CREATE_OBJECT, 0) X(ISINSTANCE, 1) X(TUPLE_SLICE, 1) X(TUPLE_INDEX, 2) X(DICT_INDEX, 2)                      \
  X(RAISE_EXCEPTION, 2) X(UNCHECKED_CAST, 1) X(UN_INITIALIZED, 0) X(__IS__, 2) X(__ISNOT__, 2) X(__NOT__, 1)     \
  X(FORMAT, -1) X(DEVICE, 1) X(DTYPE, 1) X(DIM, 1) X(TO_LIST, 3) X(NUM_TO_TENSOR, 1) X(IS_CUDA, 1) X(WARN, 2)    \
  X(INTERFACE_CALL, -1) X(CALL, -1)

typedef enum tsr_lite_opcode {
#define X(name, pops) TSR_LITE_##name,
  TSR_LITE_OPS(X)
#undef X
  TSR_LITE_COUNT
} tsr_lite_opcode;

typedef struct tsr_lite_insn { uint8_t op; int32_t x, n; uint32_t begin, end; /* in the listing */ } tsr_lite_insn;

typedef struct tsr_lite_operator { const char *name, *overload; int32_t nargs; /* given; −1: all */ } tsr_lite_operator;

typedef struct tsr_lite_code {
  tsr_lite_insn *insns; uint32_t ninsns;
  tsr_lite_operator *operators; uint32_t noperators;
  const tsr_val *constants; uint32_t nconstants;
  const char **types; uint32_t ntypes;
  uint32_t nregs;
} tsr_lite_code;

const char *tsr_lite_opcode_name(unsigned op);
/* A type written in the file; Any for classes, whose types the bytecode does not tell. */
const tsr_type *tsr_lite_type(tsr_compiler *c, const char *text);
void tsr_lite_lower(tsr_compiler *c, tsr_fnrec *f);

#endif
