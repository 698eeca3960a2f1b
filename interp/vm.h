/* The virtual machine: frames and registers of one session; runs bytecode.
 *
 * TorchScript calls push frames, never native stack.  A register owns its reference; what is written
 * to owned nothing before (see opcodes.def).  Errors look for a handler (With), then unwind. */
#ifndef TSR_INTERP_VM_H
#define TSR_INTERP_VM_H

#include "interp/bytecode.h"

typedef struct tsr_frame {
  const tsr_bytecode *code;
  uint32_t pc;       /* where it is: the call it waits for, or the instruction that failed */
  uint32_t result;   /* the caller's register for the result, or TSR_OPERAND_UNUSED */
  size_t base;       /* first register, in stack */
} tsr_frame;

typedef struct tsr_pending { tsr_errrec err; size_t frame; } tsr_pending; /* an error while its handler runs */

typedef struct tsr_vm_hooks {
  void *user;
  /* Bytecode of a function; thread-safe.  NULL after a failure recorded in e. */
  const tsr_bytecode *(*compile)(void *user, tsr_errrec *e, tsr_ir_fn *fn);
  /* The session's copy of model constant `index`, borrowed; None with the failure recorded in e. */
  tsr_status (*constant)(void *user, tsr_errrec *e, uint32_t index, tsr_val *out);
} tsr_vm_hooks;

typedef struct tsr_vm {
  tsr_ctx *ctx;
  tsr_vm_hooks hooks;
  tsr_val *stack; size_t top, cap;
  tsr_frame *frames; size_t nframes, frames_cap;
  tsr_pending *pending; size_t npending, pending_cap;
  tsr_val *window; size_t window_cap; /* arguments of operators with very many */
  const tsr_val *constants; uint32_t nconstants; /* copies made so far, None: ask the hook */
  tsr_profile_fn profile; void *profile_user; /* told of every operator; or NULL */
} tsr_vm;

void tsr_vm_init(tsr_vm *vm, tsr_ctx *ctx, const tsr_vm_hooks *hooks);
void tsr_vm_dispose(tsr_vm *vm);
/* Run code with borrowed arguments; *out: own.  On failure ctx->err holds the record with its traceback. */
tsr_status tsr_vm_run(tsr_vm *vm, const tsr_bytecode *code, const tsr_val *args, uint32_t nargs, tsr_val *out);

/* trace.c: attach the two-part traceback of the current frames, and facts on the operands of the call
 * that failed (args may be NULL), to ctx->err.  Frames must have their pc set. */
void tsr_trace_module(tsr_buf *out, const tsr_vm *vm); /* path of the module that runs, "" at the root */
void tsr_trace_attach(tsr_vm *vm, const tsr_callsite *site, const tsr_val *args);

/* profile.c: c has run, from `start` until now. */
void tsr_vm_profile(tsr_vm *vm, const tsr_call *c, double start);

/* vm_slow.c: what the dispatch loop leaves out of line.  regs: the frame's registers. */
typedef struct tsr_vm_site { const tsr_bytecode *code; const tsr_callsite *site; tsr_val *regs; } tsr_vm_site;
tsr_status tsr_vm_check_arg(tsr_vm *vm, const tsr_callsite *s, uint32_t i, tsr_val v); /* a tag differs from the schema's */
tsr_status tsr_vm_build(tsr_vm *vm, tsr_vm_site at, uint32_t op, tsr_val *out);  /* NEW CLOSURE TUPLE LIST DICT UNINIT */
tsr_status tsr_vm_unpack(tsr_vm *vm, tsr_vm_site at, uint32_t op);               /* TUPLE_UNPACK LIST_UNPACK */
tsr_status tsr_vm_test(tsr_vm *vm, tsr_vm_site at, uint32_t op, tsr_val *out);   /* CAST UNWRAP ISINSTANCE ITEM */
tsr_status tsr_vm_raise(tsr_vm *vm, tsr_vm_site at);
tsr_status tsr_vm_missing(tsr_vm *vm, const tsr_callsite *s);
tsr_status tsr_vm_bad_operand(tsr_vm *vm, const char *what, tsr_val v);
tsr_status tsr_vm_index_error(tsr_vm *vm);
tsr_status tsr_vm_catch(tsr_vm *vm, tsr_val *out); /* the pending error becomes a value (core/value.h: tsr_capsule of kind "error") */
tsr_status tsr_vm_dim_error(tsr_vm *vm, const tsr_tensor *t, int64_t dim);
tsr_val tsr_vm_operand(tsr_vm_site at, uint32_t i); /* borrowed */

#endif
