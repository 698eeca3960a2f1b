#include "interp/compile.h"

void tsr_load_legacy(tsr_compiler *c) { tsr_compile_fail(c, NULL, NULL, TSR_EUNSUPPORTED, "archives of PyTorch 1.0 to 1.2 are not supported"); }
