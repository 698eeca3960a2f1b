/* A session's own copy of the model's values: structure copied with its sharing, bytes copy-on-write. */
#ifndef TSR_INTERP_COPY_H
#define TSR_INTERP_COPY_H

#include "core/tensor.h"

typedef struct tsr_copier {
  tsr_mem *mem;
  struct tsr_copy_entry *map; size_t count, cap; /* original -> copy, both borrowed by the map but for the copy's reference */
} tsr_copier;

/* *out: own.  false: out of memory. */
bool tsr_copy_value(tsr_copier *c, tsr_val v, tsr_val *out);
void tsr_copier_dispose(tsr_copier *c); /* releases its references */

#endif
