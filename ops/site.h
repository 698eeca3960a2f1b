/* What call sites keep between calls: large aligned blocks, published once. */
#ifndef TSR_OPS_SITE_H
#define TSR_OPS_SITE_H

#include "ops/op.h"

/* 64-byte aligned (huge pages where that helps), free() it; NULL: out of memory.  Not metered: sites
 * belong to the model, not to a session. */
void *tsr_site_alloc(size_t size);
/* What the site holds, or NULL. */
static inline void *tsr_site_get(const tsr_site *site) {
  return site == NULL ? NULL : __atomic_load_n(&site->data, __ATOMIC_ACQUIRE);
}
/* Publish data unless another thread was faster; returns what the site holds now, having freed the loser.
 * One site always gets the same free_fn. */
void *tsr_site_publish(tsr_site *site, void *data, void (*free_fn)(void *));
/* The index-th of n sites kept inside one, for operators with several constants; every call passes the same n.
 * NULL without a site or memory. */
tsr_site *tsr_site_sub(tsr_site *site, int n, int index);

#endif
