/* Values that contain themselves: reference counts alone never free them. */
#ifndef TSR_INTERP_CYCLES_H
#define TSR_INTERP_CYCLES_H

#include "core/value.h"

/* The caller holds one reference to each of these objects and is about to release it.  Containers that would stay alive
 * only because they, or others like them, refer to each other are emptied; what anybody else holds is left alone. */
void tsr_cycles_break(tsr_obj *const *held, size_t count);
/* The same of everything that mem watches (core/mem.h), of which nobody but the caller knows anything. */
void tsr_cycles_collect(tsr_mem *mem);

#endif
