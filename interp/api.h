/* What the files that implement include/tsrun.h share. */
#ifndef TSR_INTERP_API_H
#define TSR_INTERP_API_H

#include "interp/model.h"

struct tsr_value {
  uint32_t refs;
  tsr_val v;
  tsr_model *keep;   /* v may reach into this model: it lives as long; or NULL */
  tsr_types *types;  /* the same for types of values read from files; or NULL */
  tsr_mem *shared;   /* v shares this heap with its session (core/mem.h), or NULL */
};

/* Wrap a value; its reference moves (released on failure).  NULL: out of memory. */
tsr_value *tsr_value_wrap_take(tsr_val v, tsr_model *keep, tsr_types *types);
tsr_mem *tsr_values_mem(void); /* of values made by the user; NULL: out of memory */

#endif
