/* IR to bytecode: register assignment with last uses, structured control flow to jumps. */
#ifndef TSR_INTERP_EMIT_H
#define TSR_INTERP_EMIT_H

#include "interp/bytecode.h"

/* A CONST node with this slot is shared by the sessions as it is: nothing can write to it. */
#define TSR_CONST_SHARED 1u

typedef struct tsr_emit_env {
  void *user;
  /* Number of a model value that sessions must copy (LOADC). */
  tsr_status (*session_const)(void *user, tsr_errrec *e, tsr_val v, uint32_t *index);
} tsr_emit_env;

/* own: tsr_bytecode_free.  fn->body must be there and stays as it is. */
tsr_status tsr_emit_fn(const tsr_emit_env *env, tsr_errrec *e, const tsr_ir_fn *fn, tsr_bytecode **out);
/* Does a session need its own copy of v (something in it can be written)? */
bool tsr_val_is_mutable(tsr_val v);

#endif
