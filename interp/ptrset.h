/* A set of addresses. */
#ifndef TSR_INTERP_PTRSET_H
#define TSR_INTERP_PTRSET_H

#include "core/base.h"

typedef struct tsr_ptrset { const void **slots; size_t count, cap; bool oom; } tsr_ptrset; /* {0} is empty; oom is sticky */

bool tsr_ptrset_add(tsr_ptrset *s, const void *p); /* true when it was not in yet (and could be added); p is not NULL */
bool tsr_ptrset_has(const tsr_ptrset *s, const void *p);
void tsr_ptrset_dispose(tsr_ptrset *s);

#endif
