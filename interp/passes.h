/* Passes over the IR of one entry method; one row a pass (passes.c). */
#ifndef TSR_INTERP_PASSES_H
#define TSR_INTERP_PASSES_H

#include "interp/model.h"

typedef struct tsr_pass_env {
  tsr_model *model;
  tsr_errrec *e;
} tsr_pass_env;

/* *changed: set when the pass did something. */
typedef tsr_status (*tsr_pass_fn)(tsr_pass_env *env, tsr_ir_fn *fn, bool *changed);

/* Fill method->entry: an optimised copy at level 2, the function as lowered at level 0.  The model's lock is held. */
tsr_status tsr_passes_run(tsr_model *m, tsr_errrec *e, tsr_method *method);

#endif
