/* The table of passes and their driver. */
#include "interp/passes.h"

tsr_status tsr_passes_run(tsr_model *m, tsr_errrec *e, tsr_ir_fn *fn, int level, tsr_ir_fn **out) {
  TSR_UNUSED(m);
  TSR_UNUSED(e);
  TSR_UNUSED(level);
  *out = fn;
  return TSR_OK;
}
